//! Golden flows: who sent what. Each file in `flows/` is one behaviour; its name says which.
//!
//! A file begins with what is configured on both sides and what is done after the handshake; a
//! line of dashes; then what was seen, in the notation of RFC 9846, figure 1: `{}` for what is
//! protected with handshake keys, `[]` for application keys. `COUNTERSIGN_BLESS=1` writes what
//! is seen now into the files.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a broken assumption must stop the test"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use countersign::{
    Alert, CipherSuite, ClientConfig, ConfigBuilder, Credential, NamedGroup, ProtocolVersion,
    ServerConfig, TrustStore, VerifyMode,
};
use countersign_tests::endpoint::{Endpoint as _, Side, run_until_idle};
use countersign_tests::oracle::data::{Data, Files};
use countersign_tests::peers::countersign::{Countersign, FixedTime, Log};
use countersign_tests::wiretap::{Content, Epoch, KeyLog, Piece, Wiretap};

const LINE: &str = "----------------------------------------------------------------";

#[test]
fn every_flow_is_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("flows");
    let files = Data::copy().files;
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut different = String::new();
    for path in &paths {
        let text = std::fs::read_to_string(path).unwrap();
        let setup = text.split(LINE).next().unwrap();
        let seen = format!("{}\n{LINE}\n{}", setup.trim_end(), play(setup, &files));
        if seen == text {
            continue;
        }
        if std::env::var("COUNTERSIGN_BLESS").is_ok_and(|value| value == "1") {
            std::fs::write(path, seen).unwrap();
        } else {
            writeln!(different, "{} now is\n{seen}", path.display()).unwrap();
        }
    }
    assert!(different.is_empty(), "{different}");
    assert!(paths.len() > 10);
}

/// What a flow file asks for.
#[derive(Default)]
struct Flow<'t> {
    client: Vec<(&'t str, &'t str)>,
    server: Vec<(&'t str, &'t str)>,
    steps: Vec<&'t str>,
}

impl<'t> Flow<'t> {
    fn read(text: &'t str) -> Self {
        let mut flow = Self::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (subject, rest) = line.split_once(' ').unwrap_or((line, ""));
            let settings = rest.split_whitespace();
            let mut settings = settings.map(|word| word.split_once('=').unwrap_or((word, "")));
            match subject {
                "client" => flow.client.extend(&mut settings),
                "server" => flow.server.extend(&mut settings),
                "then" => flow.steps.push(rest),
                _ => panic!("a flow does not begin with {subject:?}"),
            }
        }
        flow
    }
}

fn play(setup: &str, files: &Files) -> String {
    let flow = Flow::read(setup);
    let log = KeyLog::default();
    let mut tap = Wiretap::new(&log);
    let (client, name) = configure("client", ClientConfig::builder(), &flow.client, files, &log);
    let (mut server, _) = configure("server", ServerConfig::builder(), &flow.server, files, &log);
    if let Some((_, value)) = flow
        .server
        .iter()
        .find(|(key, _)| *key == "client-renegotiation")
    {
        server = server.client_renegotiation(*value == "yes");
    }
    let (client_config, server_config) = (client.build().unwrap(), server.build().unwrap());
    let mut client = Countersign::client_of(&client_config, name);
    let mut server = Countersign::server(&server_config);
    run_until_idle(&mut client, &mut server, &mut tap);
    let mut text = String::new();
    for step in flow.steps {
        if step == "the client comes back" {
            writeln!(text, "{}", draw(tap.pieces())).unwrap();
            tap = Wiretap::new(&log);
            client = Countersign::client_of(&client_config, name);
            server = Countersign::server(&server_config);
        } else {
            take(step, &mut client, &mut server);
        }
        run_until_idle(&mut client, &mut server, &mut tap);
    }
    text.push_str(&draw(tap.pieces()));
    writeln!(text).unwrap();
    writeln!(text, "client: {}", fate(&client)).unwrap();
    writeln!(text, "server: {}", fate(&server)).unwrap();
    text
}

/// Applies the settings of one side. Also gives the name that a client connects to.
fn configure<'t, R>(
    side: &str,
    builder: ConfigBuilder<R>,
    settings: &[(&str, &'t str)],
    files: &Files,
    log: &KeyLog,
) -> (ConfigBuilder<R>, &'t str) {
    let root = files.anchors(&["root".to_owned()]);
    let mut builder = builder
        .trust(TrustStore::from_pem(root.as_bytes()).unwrap())
        .clock(FixedTime)
        .key_log(Log(log.clone()));
    if side == "server" {
        builder = builder.credential(credential(files, side, "good"));
    }
    let mut name = "peer.example";
    for (key, value) in settings {
        let words = value.split(',');
        builder = match *key {
            "verify" => builder.verify(mode(value)),
            "certificate" => builder.credential(credential(files, side, value)),
            "trust" => {
                let anchors = files.anchors(&[(*value).to_owned()]);
                builder.trust(TrustStore::from_pem(anchors.as_bytes()).unwrap())
            }
            "alpn" => builder.alpn(words),
            "groups" => builder.groups(words.map(group)),
            "suites" => builder.suites(words.map(suite)),
            "versions" => builder.versions(words.map(version)),
            "anonymous" => builder.allow_anonymous(),
            // The server's own: see `play`.
            "client-renegotiation" => builder,
            "depth" => builder.verify_depth(value.parse().unwrap()),
            "name" => {
                name = value;
                builder
            }
            other => panic!("a flow has no setting {other:?}"),
        };
    }
    (builder, name)
}

fn credential(files: &Files, side: &str, name: &str) -> Credential {
    let (chain, key) = files.identity(side, name);
    Credential::from_pem(chain.as_bytes(), key.as_bytes()).unwrap()
}

fn mode(text: &str) -> VerifyMode {
    text.split('+').fold(VerifyMode::NONE, |mode, flag| {
        mode | match flag {
            "NONE" => VerifyMode::NONE,
            "PEER" => VerifyMode::PEER,
            "FAIL_IF_NO_PEER_CERT" => VerifyMode::FAIL_IF_NO_PEER_CERT,
            "CLIENT_ONCE" => VerifyMode::CLIENT_ONCE,
            "POST_HANDSHAKE" => VerifyMode::POST_HANDSHAKE,
            other => panic!("there is no flag {other:?}"),
        }
    })
}

fn version(name: &str) -> ProtocolVersion {
    match name {
        "1.2" => ProtocolVersion::Tls12,
        "1.3" => ProtocolVersion::Tls13,
        other => panic!("there is no version {other:?}"),
    }
}

fn group(name: &str) -> NamedGroup {
    let found = NamedGroup::ALL.iter().find(|group| group.name() == name);
    *found.unwrap_or_else(|| panic!("there is no group {name:?}"))
}

fn suite(name: &str) -> CipherSuite {
    let found = CipherSuite::ALL.iter().find(|suite| suite.name() == name);
    *found.unwrap_or_else(|| panic!("there is no suite {name:?}"))
}

fn take(step: &str, client: &mut Countersign, server: &mut Countersign) {
    if step == "the line breaks" {
        client.end_of_input();
        server.end_of_input();
        return;
    }
    let (who, what) = step.split_once(' ').unwrap();
    let end = match who {
        "client" => client,
        "server" => server,
        _ => panic!("there is no {who:?}"),
    };
    match what {
        "sends data" => end.write(b"data"),
        "closes" => end.close(),
        "updates its keys" | "asks for new keys" => {
            let (connection, output) = end.connection_and_output();
            connection
                .update_keys(what == "asks for new keys", output)
                .unwrap();
        }
        "asks who it is" => {
            let (connection, output) = end.connection_and_output();
            connection.request_peer_certificate(output).unwrap();
        }
        "negotiates again" => {
            let (connection, output) = end.connection_and_output();
            connection.renegotiate(output).unwrap();
        }
        "verifies from now on" => {
            let (connection, _) = end.connection_and_output();
            connection.set_verify_mode(VerifyMode::PEER).unwrap();
        }
        "breaks off" => end.end_of_input(),
        other => panic!("a flow has no step {other:?}"),
    }
}

fn draw(pieces: &[Piece]) -> String {
    let mut text = String::new();
    for piece in pieces {
        let what = describe(&piece.content);
        let what = match piece.epoch {
            Epoch::Plain => what,
            Epoch::Handshake => format!("{{{what}}}"),
            Epoch::Application(_) | Epoch::Tls12(_) => format!("[{what}]"),
        };
        match piece.from {
            Side::Client => writeln!(text, "{what:32}-->"),
            Side::Server => writeln!(text, "{:32}<--  {what}", ""),
        }
        .unwrap();
    }
    text
}

fn describe(content: &Content) -> String {
    match content {
        Content::Handshake(message) => message_name(message),
        Content::Alert(level, number) => {
            let level = if *level == 2 { "fatal" } else { "warning" };
            format!("Alert {level} {}", Alert::from(*number).name())
        }
        Content::ChangeCipherSpec(_) => "ChangeCipherSpec".to_owned(),
        Content::Data(_) => "Application Data".to_owned(),
        Content::Unreadable(_) => "unreadable".to_owned(),
    }
}

fn message_name(message: &[u8]) -> String {
    /// The first bytes of the random value of a `HelloRetryRequest`.
    const RETRY: [u8; 4] = [0xcf, 0x21, 0xad, 0x74];
    let name = match message[0] {
        0 => "HelloRequest",
        1 => "ClientHello",
        2 if message[6..10] == RETRY => "HelloRetryRequest",
        2 => "ServerHello",
        4 => "NewSessionTicket",
        8 => "EncryptedExtensions",
        // Nothing but an empty list, and in TLS 1.3 an empty context.
        11 if message.len() <= 8 => "Certificate, empty",
        11 => "Certificate",
        12 => "ServerKeyExchange",
        13 => "CertificateRequest",
        14 => "ServerHelloDone",
        16 => "ClientKeyExchange",
        15 => "CertificateVerify",
        20 => "Finished",
        24 if message[4] == 1 => "KeyUpdate, requested",
        24 => "KeyUpdate",
        _ => "unknown message",
    };
    name.to_owned()
}

/// How it ended, in the words that a user reads.
fn fate(end: &Countersign) -> String {
    if let Some(error) = end.error() {
        return error.to_string();
    }
    if end.peer_closed() {
        return "The peer closed the connection.".to_owned();
    }
    if !end.completed() {
        return "The handshake is not complete.".to_owned();
    }
    let mut text = "Connected".to_owned();
    if end
        .connection()
        .agreed()
        .is_some_and(|agreed| agreed.resumed)
    {
        text.push_str(", resumed");
    }
    if end.connection().is_anonymous() {
        text.push_str(", anonymous");
    }
    match end.connection().peer() {
        None => text.push_str(", no certificate"),
        Some(peer) => {
            let (standing, code) = (peer.standing(), peer.code());
            write!(text, ", certificate {standing:?} ({})", code.name()).unwrap();
        }
    }
    if let Some(protocol) = end.alpn() {
        write!(text, ", protocol {}", String::from_utf8_lossy(&protocol)).unwrap();
    }
    text + "."
}
