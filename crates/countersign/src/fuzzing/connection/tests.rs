//! What fuzzing begins with, made and played here.

use std::collections::BTreeSet;

use super::{Configs, Pair, play};
use crate::connection::established::ProtocolVersion::{self, Tls12, Tls13};
use crate::connection::state::State;
use crate::fuzzing::input::Input;
use crate::fuzzing::seeds::{folder, is_to_be_written, read_all};

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
const LET_TIME_PASS: u8 = 29 << 1;
const WITHDRAW_TRUST: u8 = 30 << 1;

type Seed = (&'static str, Vec<u8>, Option<ProtocolVersion>);

/// What fuzzing begins with: configuration, steps, and in which version both ends are connected then, if they are.
fn seeds() -> Vec<Seed> {
    [
        seeds_of_handshakes(),
        seeds_of_resumption(),
        seeds_after_the_handshake(),
        seeds_of_questions(),
        seeds_of_strangers(),
        seeds_of_interference(),
    ]
    .concat()
}

fn seed(
    name: &'static str,
    configuration: [u8; 5],
    steps: &[u8],
    end: Option<ProtocolVersion>,
) -> Seed {
    (name, [&configuration[..], steps].concat(), end)
}

/// After the handshake these steps are taken, and then both ends talk.
fn then(steps: &[u8]) -> Vec<u8> {
    let talk = [
        &[SEND | CLIENT, 3][..],
        b"abc",
        &[SEND | SERVER, 2],
        b"de",
        &[DELIVER],
    ]
    .concat();
    [&[DELIVER][..], steps, &[DELIVER], &talk].concat()
}

fn seeds_of_handshakes() -> Vec<Seed> {
    let talk = then(&[]);
    let again = then(&[RECONNECT]);
    vec![
        seed("tls13-mutual", [1, 1, 0, 2, 0], &talk, Some(Tls13)),
        seed("tls12-mutual", [0, 0, 0, 2, 0], &talk, Some(Tls12)),
        seed("either-version", [2, 2, 0, 2, 0], &talk, Some(Tls13)),
        seed("downgrade", [2, 0, 0, 0, 0], &talk, Some(Tls12)),
        seed("retry", [1, 33, 0, 0, 0], &talk, Some(Tls13)),
        seed("anonymous", [0, 0, 0, 0, 3], &again, Some(Tls12)),
        seed(
            "closed",
            [0, 0, 0, 0, 0],
            &then(&[CLOSE | CLIENT, 0]),
            Some(Tls12),
        ),
    ]
}

fn seeds_of_resumption() -> Vec<Seed> {
    let again = then(&[RECONNECT]);
    let late = then(&[LET_TIME_PASS, 3, RECONNECT]);
    let distrusted = then(&[WITHDRAW_TRUST, RECONNECT]);
    vec![
        seed("resumption-13", [1, 1, 0, 0, 8], &again, Some(Tls13)),
        seed("resumption-12", [0, 0, 0, 0, 0], &again, Some(Tls12)),
        seed("session-id", [0, 0, 0, 0, 8], &again, Some(Tls12)),
        seed("reuse-13", [65, 65, 0, 2, 128], &again, Some(Tls13)),
        seed("reuse-12", [64, 64, 0, 2, 128], &again, Some(Tls12)),
        seed("expired-13", [1, 1, 0, 2, 0], &late, Some(Tls13)),
        seed("expired-12", [0, 0, 0, 2, 0], &late, Some(Tls12)),
        seed("distrusted-13", [1, 1, 0, 2, 0], &distrusted, None),
        seed("distrusted-12", [0, 0, 0, 2, 0], &distrusted, None),
        seed(
            "distrusted-reuse",
            [65, 65, 0, 0, 128],
            &distrusted,
            Some(Tls13),
        ),
    ]
}

fn seeds_after_the_handshake() -> Vec<Seed> {
    let both = then(&[
        RENEGOTIATE | SERVER,
        SEND | CLIENT,
        1,
        b'x',
        DELIVER,
        RENEGOTIATE | CLIENT,
    ]);
    let request = then(&[REQUEST | SERVER]);
    let keys = then(&[UPDATE | CLIENT, 1, TICKET | SERVER]);
    // The client shows its own certificate, and then somebody else's.
    let change = [
        &[DELIVER, ANSWER | CLIENT, 0][..],
        &then(&[RENEGOTIATE | SERVER, DELIVER, ANSWER | CLIENT, 3]),
    ]
    .concat();
    vec![
        seed("renegotiation", [0, 0, 0, 2, 4], &both, Some(Tls12)),
        seed("refused-renegotiation", [16, 0, 0, 2, 0], &both, None),
        seed("request-12", [0, 0, 0, 0, 0], &request, Some(Tls12)),
        seed("request-13", [1, 1, 0, 8, 0], &request, Some(Tls13)),
        seed("keys", [1, 1, 0, 0, 0], &keys, Some(Tls13)),
        seed("changed", [32, 16, 0, 2, 64], &change, Some(Tls12)),
        seed("changed-refused", [32, 0, 0, 2, 64], &change, None),
    ]
}

fn seeds_of_questions() -> Vec<Seed> {
    let answers = [ANSWER | CLIENT, 2, DELIVER, ANSWER | SERVER, 2, DELIVER];
    let twice = then(&[answers, answers].concat());
    let signed = then(&[ANSWER | SERVER, 0, DELIVER, ANSWER | CLIENT, 0]);
    let forged = then(&[ANSWER | SERVER, 0, DELIVER, ANSWER | CLIENT, 3]);
    let found = then(&[RECONNECT, DELIVER, ANSWER | SERVER, 0]);
    vec![
        seed("questions-12", [36, 4, 0, 2, 0], &twice, Some(Tls12)),
        seed("questions-13", [37, 5, 0, 2, 0], &twice, Some(Tls13)),
        seed("signatures-12", [0, 0, 0, 2, 32], &signed, Some(Tls12)),
        seed("signatures-13", [1, 1, 0, 2, 32], &signed, Some(Tls13)),
        seed("wrong-signature", [1, 1, 0, 2, 32], &forged, None),
        seed("stored-12", [0, 0, 0, 0, 24], &found, Some(Tls12)),
        seed("stored-13", [1, 1, 0, 0, 24], &found, Some(Tls13)),
    ]
}

fn seeds_of_strangers() -> Vec<Seed> {
    let talk = then(&[]);
    let accepted = then(&[ANSWER | CLIENT, 1]);
    vec![
        seed("strange-server-13", [1, 129, 0, 1, 0], &talk, None),
        seed("strange-server-12", [0, 128, 0, 1, 0], &talk, None),
        seed("strange-client-13", [129, 1, 0, 2, 0], &talk, None),
        seed("strange-client-12", [128, 0, 0, 2, 0], &talk, None),
        seed("tolerated-13", [129, 129, 0, 2, 64], &talk, Some(Tls13)),
        seed("tolerated-12", [128, 128, 0, 2, 64], &talk, Some(Tls12)),
        seed("seen-13", [1, 129, 1, 1, 0], &talk, Some(Tls13)),
        seed("seen-12", [0, 128, 1, 1, 0], &talk, Some(Tls12)),
        seed("accepted-13", [5, 129, 0, 1, 0], &accepted, Some(Tls13)),
        seed("accepted-12", [4, 128, 0, 1, 0], &accepted, Some(Tls12)),
    ]
}

fn seeds_of_interference() -> Vec<Seed> {
    vec![
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
        if is_to_be_written() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &data).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), data, "{name}");
        let pair = play(&data);
        let failures = pair.ends.each_ref().map(|end| end.failure.clone());
        assert_eq!(outcome(&pair), expected, "{name}: {failures:?}");
    }
}

/// What came about on the connections that there are: in which version, how, and who the peer is to whom.
fn facts(pair: &Pair) -> Vec<String> {
    let mut facts = Vec::new();
    for end in pair.ends.iter().filter(|end| end.failure.is_none()) {
        let (connection, role) = (&end.connection, end.connection.role());
        let Some(agreed) = connection.agreed() else {
            continue;
        };
        let version = agreed.version;
        let marks = [
            (agreed.resumed, "resumed"),
            (agreed.retried, "after a retry"),
            (connection.is_anonymous(), "anonymous"),
        ];
        facts.extend(
            marks
                .iter()
                .filter(|(applies, _)| *applies)
                .map(|(_, mark)| format!("{version} {mark}")),
        );
        if let Some(peer) = connection.peer() {
            let (standing, since) = (peer.standing(), peer.since());
            facts.push(format!("{version} {role:?}: {standing:?}, {since:?}"));
        }
    }
    facts
}

/// Fuzzing begins with everything that is to be looked at, so that it need not be found by chance.
#[test]
fn seeds_reach_every_way_to_be_authenticated() {
    let reached: BTreeSet<String> = seeds()
        .iter()
        .flat_map(|(_, data, _)| facts(&play(data)))
        .collect();
    let expected = [
        "TLS 1.2 Client: Refused, Handshake",
        "TLS 1.2 Client: Tolerated, Handshake",
        "TLS 1.2 Client: Verified, Handshake",
        "TLS 1.2 Client: Verified, Renegotiation",
        "TLS 1.2 Client: Verified, Resumption",
        "TLS 1.2 Server: Tolerated, Handshake",
        "TLS 1.2 Server: Tolerated, Renegotiation",
        "TLS 1.2 Server: Verified, Handshake",
        "TLS 1.2 Server: Verified, Renegotiation",
        "TLS 1.2 Server: Verified, Resumption",
        "TLS 1.2 anonymous",
        "TLS 1.2 resumed",
        "TLS 1.3 Client: Refused, Handshake",
        "TLS 1.3 Client: Tolerated, Handshake",
        "TLS 1.3 Client: Verified, Handshake",
        "TLS 1.3 Client: Verified, Resumption",
        "TLS 1.3 Server: Tolerated, Handshake",
        "TLS 1.3 Server: Verified, Handshake",
        "TLS 1.3 Server: Verified, PostHandshake",
        "TLS 1.3 Server: Verified, Resumption",
        "TLS 1.3 after a retry",
        "TLS 1.3 resumed",
    ];
    assert_eq!(reached, expected.map(str::to_owned).into());
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
    if is_to_be_written() {
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
    let (messages, records) = (read_all("messages"), read_all("record"));
    assert!(
        messages.len() >= 10 && records.len() == 8,
        "{}",
        messages.len()
    );
    for (_, seed) in messages {
        crate::fuzzing::messages(seed[0], &seed[1..]);
    }
    for (_, seed) in records {
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
