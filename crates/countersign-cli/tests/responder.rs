//! `countersign serve` for programs that test TLS: `--test-responder`, `--ask-at-once`, `--update-keys`.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod command;

use std::io::{BufRead, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};

use command::{Authority, Background, arguments};
use countersign::{
    ClientConfig, Completed, Credential, Direction, Progress, ProtocolVersion, Stream, Trace,
    TraceEvent, Traced, TrustStore,
};

/// `serve` with these options and the authority's files.
fn serve(authority: &Authority, options: &[&str]) -> Background {
    Background::serve(&arguments(options, &authority.options("server")))
}

/// The messages after which a client's keys change, as it sees them.
#[derive(Clone, Debug, Default)]
struct KeyUpdates(Arc<Mutex<Vec<(Direction, u8)>>>);

impl KeyUpdates {
    fn seen(&self) -> Vec<(Direction, u8)> {
        self.0.lock().unwrap().clone()
    }
}

impl Trace for KeyUpdates {
    fn record(&self, event: &TraceEvent<'_>) {
        if let Traced::Message {
            direction,
            name: "KeyUpdate",
            bytes: [_, _, _, _, asks_back],
            ..
        } = event.what
        {
            self.0.lock().unwrap().push((direction, *asks_back));
        }
    }
}

/// Who visits a server.
struct Visitor<'a> {
    authority: &'a Authority,
    version: ProtocolVersion,
    has_certificate: bool,
    key_updates: KeyUpdates,
}

impl<'a> Visitor<'a> {
    fn stranger(authority: &'a Authority, version: ProtocolVersion) -> Self {
        Self {
            authority,
            version,
            has_certificate: false,
            key_updates: KeyUpdates::default(),
        }
    }

    fn known(authority: &'a Authority, version: ProtocolVersion) -> Self {
        Self {
            has_certificate: true,
            ..Self::stranger(authority, version)
        }
    }

    fn visit(&self, server: &Background) -> Stream<TcpStream> {
        let file = |name| self.authority.file(name);
        let mut config = ClientConfig::builder()
            .trust(TrustStore::from_pem_file(file("ca.pem")).unwrap())
            .versions([self.version])
            .post_handshake_auth(true)
            .trace(self.key_updates.clone());
        if self.has_certificate {
            let credential = Credential::from_pem_files(file("client.pem"), file("client.key"));
            config = config.credential(credential.unwrap());
        }
        let config = config.build().unwrap();
        let socket = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        Stream::connect(&config, "localhost".try_into().unwrap(), socket).unwrap()
    }
}

/// Sends what is to be taken for a request, and returns the answer.
fn ask(stream: &mut Stream<TcpStream>, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    while !answer.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut answer).unwrap(), 0, "{answer}");
    }
    let (_, length) = answer.split_once("Content-Length: ").unwrap();
    let length = length.lines().next().unwrap().parse().unwrap();
    stream.take(length).read_to_string(&mut answer).unwrap();
    answer
}

/// Closes, and expects nothing but the server's close.
fn assert_closes(mut stream: Stream<TcpStream>) {
    stream.close().unwrap();
    let mut rest = String::new();
    // A connection that ends without a close_notify is an error.
    stream.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

#[test]
fn whatever_ends_with_an_empty_line_is_answered() {
    let authority = Authority::new();
    let server = serve(&authority, &["--test-responder"]);
    for version in VERSIONS {
        let mut stream = Visitor::stranger(&authority, version).visit(&server);
        let large = format!("GET / HTTP/1.0\r\nX: {}\r\n\r\n", "x".repeat(16 * 1024));
        for (request, status) in [
            ("GET / HTTP/1.0\r\n\r\n", "200 OK"),
            ("GET /elsewhere HTTP/1.0\n\n", "404 Not Found"),
            (&large, "200 OK"),
            ("Hello?\n\n", "200 OK"),
        ] {
            let answer = ask(&mut stream, request);
            let expected = format!("HTTP/1.1 {status}\r\n");
            assert!(answer.starts_with(&expected), "{answer}");
            assert!(
                answer.contains("\r\nConnection: keep-alive\r\n"),
                "{answer}"
            );
        }
        assert_closes(stream);
    }
}

#[test]
fn a_request_without_its_empty_line_is_not_answered() {
    let authority = Authority::new();
    let server = serve(&authority, &["--test-responder"]);
    for version in VERSIONS {
        let mut stream = Visitor::stranger(&authority, version).visit(&server);
        stream.write_all(b"GET / HTTP/1.0\r\n").unwrap();
        assert_closes(stream);
    }
}

#[test]
fn without_the_switch_http_is_read_strictly() {
    let authority = Authority::new();
    let server = serve(&authority, &[]);
    let mut stream = Visitor::stranger(&authority, ProtocolVersion::Tls13).visit(&server);
    let answer = ask(&mut stream, "GET / HTTP/1.0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 505 "), "{answer}");
    assert_closes(stream);
}

#[test]
fn garbage_harms_only_those_who_send_it() {
    let authority = Authority::new();
    let server = serve(&authority, &["--test-responder"]);
    let empty_hello = [&[22, 3, 1, 0, 4, 1][..], &[0; 3]].concat();
    let garbage = [
        b"GET / HTTP/1.0\r\n\r\n",
        &empty_hello[..],
        b"",
        &[0xff; 300],
    ];
    // More visitors than are served at a time.
    for garbage in garbage.iter().cycle().take(80) {
        let mut socket = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        socket.write_all(garbage).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        let mut alert = Vec::new();
        socket.read_to_end(&mut alert).unwrap();
        // A record with an alert, or nothing for those who said nothing.
        assert_eq!(alert.len(), if garbage.is_empty() { 0 } else { 7 });
    }
    let mut stream = Visitor::stranger(&authority, ProtocolVersion::Tls13).visit(&server);
    assert!(ask(&mut stream, "GET / HTTP/1.0\n\n").starts_with("HTTP/1.1 200 "));
}

/// Waits, without having said anything, until the server has asked and was answered.
fn await_being_asked(stream: &mut Stream<TcpStream>) -> Completed {
    loop {
        match stream.step().unwrap() {
            Progress::Completed(Completed::Handshake) | Progress::More => {}
            Progress::Completed(what) => return what,
            other => panic!("{other:?} instead of a request for a certificate"),
        }
    }
}

#[test]
fn visitors_can_be_asked_before_they_say_anything() {
    let authority = Authority::new();
    // Also where HTTP is read strictly.
    let server = serve(&authority, &["--ask-at-once"]);
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (version, how) in [
        (ProtocolVersion::Tls12, Completed::Renegotiation),
        (
            ProtocolVersion::Tls13,
            Completed::PostHandshakeAuthentication,
        ),
    ] {
        for (visitor, headline) in [
            (Visitor::known(&authority, version), "You are CN=client."),
            (
                Visitor::stranger(&authority, version),
                "You are a stranger: you sent no certificate.",
            ),
        ] {
            let mut stream = visitor.visit(&server);
            assert_eq!(await_being_asked(&mut stream), how);
            let answer = ask(&mut stream, request);
            assert!(
                answer.contains(&format!("\r\n\r\n{headline}\n")),
                "{answer}"
            );
        }
    }
}

#[test]
fn who_was_asked_at_once_is_not_asked_again() {
    let authority = Authority::new();
    let server = serve(
        &authority,
        &["--test-responder", "--ask-at-once", "--ask-optional", "/"],
    );
    for version in VERSIONS {
        for visitor in [
            Visitor::known(&authority, version),
            Visitor::stranger(&authority, version),
        ] {
            let mut stream = visitor.visit(&server);
            await_being_asked(&mut stream);
            stream.write_all(b"GET / HTTP/1.0\n\n").unwrap();
            loop {
                match stream.step().unwrap() {
                    Progress::More => {}
                    Progress::Data => break,
                    other => panic!("{other:?} instead of an answer"),
                }
            }
        }
    }
}

#[test]
fn a_path_changes_the_keys_of_both_ends() {
    let authority = Authority::new();
    let server = serve(
        &authority,
        &["--test-responder", "--update-keys", "/keyupdate"],
    );
    for (path, times) in [("/", 0), ("/keyupdate", 1), ("/keyupdate/below", 1)] {
        let visitor = Visitor::stranger(&authority, ProtocolVersion::Tls13);
        let mut stream = visitor.visit(&server);
        ask(&mut stream, &format!("GET {path} HTTP/1.0\n\n"));
        let answer = ask(&mut stream, "GET / HTTP/1.0\n\n");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let both = [(Direction::Received, 1), (Direction::Sent, 0)];
        assert_eq!(visitor.key_updates.seen(), both[..2 * times], "{path}");
    }
    // TLS 1.2 has no such thing.
    let mut stream = Visitor::stranger(&authority, ProtocolVersion::Tls12).visit(&server);
    let answer = ask(&mut stream, "GET /keyupdate HTTP/1.0\n\n");
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}
