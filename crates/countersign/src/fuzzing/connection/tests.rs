//! What fuzzing begins with, made and played here.

use std::path::Path;

use super::{Configs, Pair, play};
use crate::connection::established::ProtocolVersion::{self, Tls12, Tls13};
use crate::connection::state::State;
use crate::fuzzing::input::Input;

const CLIENT: u8 = 0;
const SERVER: u8 = 1;

/// Everything that waits is delivered.
const DELIVER: u8 = 6 << 1;
const RECONNECT: u8 = 14 << 1;
const SEND: u8 = 15 << 1;
const RENEGOTIATE: u8 = 18 << 1;
const REQUEST: u8 = 20 << 1;
const UPDATE: u8 = 22 << 1;
const TICKET: u8 = 23 << 1;
const CLOSE: u8 = 25 << 1;
const ANSWER: u8 = 28 << 1;
const FLIP: u8 = 7 << 1;
const FORGE: u8 = 13 << 1;

#[expect(
    clippy::too_many_lines,
    reason = "a table of seeds is as long as it is"
)]
/// What fuzzing begins with: configuration, steps, and in which version both ends are connected then, if they are.
fn seeds() -> Vec<(&'static str, Vec<u8>, Option<ProtocolVersion>)> {
    let seed = |name, configuration: [u8; 5], steps: &[u8], end| {
        (name, [&configuration[..], steps].concat(), end)
    };
    let talk = [
        &[SEND | CLIENT, 3][..],
        b"abc",
        &[SEND | SERVER, 2],
        b"de",
        &[DELIVER],
    ]
    .concat();
    let then = |steps: &[u8]| [&[DELIVER][..], steps, &[DELIVER], &talk].concat();
    let both = [
        RENEGOTIATE | SERVER,
        SEND | CLIENT,
        1,
        b'x',
        DELIVER,
        RENEGOTIATE | CLIENT,
    ];
    let answers = [ANSWER | CLIENT, 2, DELIVER, ANSWER | SERVER, 2, DELIVER];
    vec![
        seed("tls13-mutual", [1, 1, 0, 2, 0], &then(&[]), Some(Tls13)),
        seed("tls12-mutual", [0, 0, 0, 2, 0], &then(&[]), Some(Tls12)),
        seed("either-version", [2, 2, 0, 2, 0], &then(&[]), Some(Tls13)),
        seed("downgrade", [2, 0, 0, 0, 0], &then(&[]), Some(Tls12)),
        seed(
            "resumption-13",
            [1, 1, 0, 0, 8],
            &then(&[RECONNECT]),
            Some(Tls13),
        ),
        seed(
            "resumption-12",
            [0, 0, 0, 0, 0],
            &then(&[RECONNECT]),
            Some(Tls12),
        ),
        seed(
            "session-id",
            [0, 0, 0, 0, 8],
            &then(&[RECONNECT]),
            Some(Tls12),
        ),
        seed("renegotiation", [0, 0, 0, 2, 4], &then(&both), Some(Tls12)),
        seed(
            "refused-renegotiation",
            [16, 0, 0, 2, 0],
            &then(&both),
            None,
        ),
        seed(
            "request-12",
            [0, 0, 0, 0, 0],
            &then(&[REQUEST | SERVER]),
            Some(Tls12),
        ),
        seed(
            "request-13",
            [1, 1, 0, 8, 0],
            &then(&[REQUEST | SERVER]),
            Some(Tls13),
        ),
        seed(
            "anonymous",
            [0, 0, 1, 1, 1],
            &then(&[RECONNECT]),
            Some(Tls12),
        ),
        seed(
            "questions-12",
            [36, 4, 0, 2, 0],
            &then(&[&answers[..], &answers].concat()),
            Some(Tls12),
        ),
        seed(
            "questions-13",
            [37, 5, 0, 2, 0],
            &then(&[&answers[..], &answers].concat()),
            Some(Tls13),
        ),
        seed(
            "keys",
            [1, 1, 0, 0, 0],
            &then(&[UPDATE | CLIENT, 1, TICKET | SERVER]),
            Some(Tls13),
        ),
        seed(
            "closed",
            [0, 0, 0, 0, 0],
            &then(&[CLOSE | CLIENT, 0]),
            Some(Tls12),
        ),
        seed(
            "damaged",
            [0, 0, 0, 0, 0],
            &then(&[SEND, 1, b'x', FLIP, 0, 9, 1]),
            None,
        ),
        seed(
            "forged",
            [0, 0, 0, 0, 4],
            &then(&[FORGE | SERVER, 22, 4, 0, 0, 0, 0]),
            Some(Tls12),
        ),
    ]
}

fn outcome(pair: &Pair) -> Option<ProtocolVersion> {
    let versions = pair.ends.each_ref().map(|end| {
        let connected = end.failure.is_none() && end.connection.state() == State::Connected;
        let agreed = end.connection.agreed().filter(|_| connected);
        agreed.map(|agreed| agreed.version)
    });
    let failures = pair.ends.each_ref().map(|end| end.failure.clone());
    assert_eq!(versions[0].is_some(), versions[1].is_some(), "{failures:?}");
    versions[0]
}

/// With `COUNTERSIGN_WRITE_SEEDS=1` the files are made anew; otherwise they have to be what is here.
#[test]
fn seeds_lead_where_they_should() {
    let folder = folder("connection");
    for (name, data, expected) in seeds() {
        let path = folder.join(name);
        if std::env::var_os("COUNTERSIGN_WRITE_SEEDS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &data).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), data, "{name}");
        let pair = play(&data);
        let failures = pair.ends.each_ref().map(|end| end.failure.clone());
        assert_eq!(outcome(&pair), expected, "{name}: {failures:?}");
    }
}

fn folder(target: &str) -> std::path::PathBuf {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    seeds.join(target)
}

/// What the ends of a mutual handshake say: from the client, from the server, and so on.
fn flights(version: u8) -> Vec<Vec<u8>> {
    let configs = Configs::read(&mut Input(&[version, version, 0, 2, 0]));
    let mut pair = Pair::new(&configs);
    let mut flights = Vec::new();
    for at in [0, 1, 0, 1] {
        flights.push(pair.output(at).clone());
        pair.deliver(at, usize::MAX);
    }
    flights
}

/// The messages at the beginning of a flight that are not encrypted: type and body.
fn plain_messages(mut flight: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while let [22, _, _, high, low, rest @ ..] = flight {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (mut content, rest) = rest.split_at(length);
        flight = rest;
        while let [kind, high, middle, low, body @ ..] = content {
            let length = u32::from_be_bytes([0, *high, *middle, *low]);
            let (body, rest) = body.split_at(usize::try_from(length).unwrap());
            messages.push([&[*kind], body].concat());
            content = rest;
        }
    }
    messages
}

/// Keys and signatures are others each time, so that the files stay as they were written.
#[test]
fn seeds_of_the_other_targets_are_harmless() {
    if std::env::var_os("COUNTERSIGN_WRITE_SEEDS").is_some() {
        for (version, name) in [(0, "12"), (1, "13")] {
            for (number, flight) in flights(version).iter().enumerate() {
                let path = folder("record").join(format!("{name}-{number}"));
                std::fs::create_dir_all(folder("record")).unwrap();
                std::fs::write(path, flight).unwrap();
                for message in plain_messages(flight) {
                    let path = folder("messages").join(format!("{name}-{}", message[0]));
                    std::fs::create_dir_all(folder("messages")).unwrap();
                    std::fs::write(path, &message).unwrap();
                }
            }
        }
    }
    let read = |target: &str| -> Vec<Vec<u8>> {
        let files = std::fs::read_dir(folder(target)).unwrap();
        files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .collect()
    };
    let (messages, records) = (read("messages"), read("record"));
    assert!(
        messages.len() >= 10 && records.len() == 8,
        "{}",
        messages.len()
    );
    for seed in messages {
        crate::fuzzing::messages(seed[0], &seed[1..]);
    }
    for seed in records {
        crate::fuzzing::records(&seed);
    }
}

#[test]
fn a_damaged_seed_is_harmless() {
    for (_, seed, _) in seeds() {
        for place in 0..seed.len() {
            let mut damaged = seed.clone();
            damaged[place] ^= 0x15;
            play(&damaged);
        }
    }
}
