//! `countersign connect` against `countersign serve` and against servers that misbehave.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod command;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use command::{Authority, Background, Ended, Folder, arguments, command, countersign_with_input};
use countersign::{Credential, NamedGroup, ServerConfig, Stream};
use serde_json::Value;

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

fn connect(target: &str, options: &[String], input: &str) -> Ended {
    countersign_with_input(&arguments(&["connect", target], options), input)
}

fn serve(authority: &Authority, verify: &str) -> Background {
    Background::serve(&arguments(
        &["--verify", verify],
        &authority.options("server"),
    ))
}

fn trusting(authority: &Authority, more: &[&str]) -> Vec<String> {
    let ca = authority.file("ca.pem");
    arguments(&["--ca", &ca], &arguments(more, &[]))
}

#[test]
fn the_page_tells_visitors_who_they_are() {
    let authority = Authority::new();
    let server = serve(&authority, "require");
    let ended = connect(&server.target(), &authority.options("client"), REQUEST);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.stdout.starts_with("HTTP/1.1 200 OK\r\n"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("\r\n\r\nYou are CN=client.\n"),
        "{}",
        ended.stdout
    );
    for part in [
        "Connected to localhost:",
        "TLS 1.3, ",
        "verified (0 X509_V_OK)",
        "CN=localhost",
    ] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
}

#[test]
fn a_stranger_is_welcome_where_certificates_are_optional() {
    let authority = Authority::new();
    let server = serve(&authority, "peer");
    let ended = connect(&server.target(), &trusting(&authority, &[]), REQUEST);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("You are a stranger: you sent no certificate."),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_server_that_insists_turns_strangers_away_with_6() {
    let authority = Authority::new();
    let server = serve(&authority, "require");
    let ended = connect(&server.target(), &trusting(&authority, &[]), "");
    assert_eq!(ended.code, 6, "{ended:?}");
    assert!(
        ended.stderr.contains("certificate_required (116)"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("give one with --cert"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("hint:"), "{}", ended.stderr);
}

#[test]
fn a_server_of_an_unknown_authority_is_refused_with_5() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = serve(&authority, "none");
    let ended = connect(&server.target(), &trusting(&other, &[]), "");
    assert_eq!(ended.code, 5, "{ended:?}");
    assert!(
        ended.stderr.contains("Not connected to localhost:"),
        "{}",
        ended.stderr
    );
    assert!(
        ended
            .stderr
            .contains("refused (20 X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY)"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains('✗'),
        "the failing certificate is marked: {}",
        ended.stderr
    );
}

#[test]
fn a_server_under_another_name_is_refused_with_5() {
    let authority = Authority::new();
    let server = serve(&authority, "none");
    let ended = connect(
        &server.target(),
        &trusting(&authority, &["--name", "db.example"]),
        "",
    );
    assert_eq!(ended.code, 5, "{ended:?}");
    assert!(
        ended.stderr.contains("62 X509_V_ERR_HOSTNAME_MISMATCH"),
        "{}",
        ended.stderr
    );
}

#[test]
fn verify_none_goes_on_and_says_so() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = serve(&authority, "none");
    let ended = connect(
        &server.target(),
        &trusting(&other, &["--verify", "none"]),
        REQUEST,
    );
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.stderr.contains("NOT VERIFIED (20 "),
        "{}",
        ended.stderr
    );
    assert!(
        ended
            .stdout
            .contains("You are a stranger: you were not asked"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_depth_of_zero_allows_no_intermediate() {
    let authority = Authority::new();
    let server = serve(&authority, "none");
    let ended = connect(
        &server.target(),
        &trusting(&authority, &["--depth", "0"]),
        "",
    );
    assert_eq!(ended.code, 5, "{ended:?}");
    assert!(
        ended.stderr.contains("22 X509_V_ERR_CERT_CHAIN_TOO_LONG"),
        "{}",
        ended.stderr
    );
}

#[test]
fn no_common_application_protocol_ends_with_4() {
    let authority = Authority::new();
    let server = serve(&authority, "none");
    let ended = connect(
        &server.target(),
        &trusting(&authority, &["--alpn", "imap"]),
        "",
    );
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(
        ended.stderr.contains("no_application_protocol (120)"),
        "{}",
        ended.stderr
    );
}

#[test]
fn nobody_there_ends_with_3() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    drop(listener);
    let ended = connect(&target, &arguments(&["--verify", "none"], &[]), "");
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(
        ended.stderr.contains("cannot be reached"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_server_that_speaks_no_tls_ends_with_4() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.write_all(b"220 mail.example ESMTP\r\n").unwrap();
        // Whatever the client says about it; the end matters, not the content.
        let _ = socket.read_to_end(&mut Vec::new());
    });
    let ended = connect(&target, &arguments(&["--verify", "none"], &[]), "");
    server.join().unwrap();
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("hint: Check the address and the port"),
        "{}",
        ended.stderr
    );
}

/// A server with the authority's certificate that serves one visitor.
fn serve_one(
    authority: &Authority,
    attend: impl FnOnce(Stream<TcpStream>) + Send + 'static,
) -> (String, thread::JoinHandle<()>) {
    let (cert, key) = (authority.file("server.pem"), authority.file("server.key"));
    let credential = Credential::from_pem_files(cert, key).expect("the credential is good");
    let config = ServerConfig::builder()
        .credential(credential)
        .build()
        .expect("the configuration is good");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let target = format!(
        "localhost:{}",
        listener.local_addr().expect("it is bound").port()
    );
    let server = thread::spawn(move || {
        let (socket, _) = listener.accept().expect("a visitor comes");
        attend(Stream::accept(&config, socket).expect("the handshake succeeds"));
    });
    (target, server)
}

#[test]
fn more_than_fits_anywhere_flows_both_ways_at_once() {
    let authority = Authority::new();
    let text = "All work and no play makes Jack a dull boy.\n".repeat(400_000);
    let expected = text.len();
    let (target, server) = serve_one(&authority, move |mut stream| {
        let mut piece = vec![0; 16_384];
        let mut echoed = 0;
        while echoed < expected {
            let length = stream.read(&mut piece).unwrap();
            assert_ne!(length, 0, "the client stopped after {echoed} bytes");
            stream.write_all(&piece[..length]).unwrap();
            echoed += length;
        }
        stream.close().unwrap();
    });
    let ended = connect(&target, &trusting(&authority, &[]), &text);
    server.join().unwrap();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stdout == text,
        "{} bytes of {expected} came back",
        ended.stdout.len()
    );
}

#[test]
fn a_truncated_stream_ends_with_4() {
    let authority = Authority::new();
    let (target, server) = serve_one(&authority, |mut stream| {
        let mut request = [0; REQUEST.len()];
        stream.read_exact(&mut request).unwrap();
        stream.write_all(b"half of the ans").unwrap();
    });
    let ended = connect(&target, &trusting(&authority, &[]), REQUEST);
    server.join().unwrap();
    assert_eq!(ended.code, 4, "{ended:?}");
    assert_eq!(ended.stdout, "half of the ans");
    assert!(
        ended.stderr.contains("without a close_notify"),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_document_has_the_documented_fields() {
    let authority = Authority::new();
    let server = serve(&authority, "require");
    let document = |options: &[String]| -> (i32, Value) {
        let ended = connect(&server.target(), &arguments(&["--json"], options), "");
        (ended.code, serde_json::from_str(&ended.stdout).unwrap())
    };
    let (code, good) = document(&authority.options("client"));
    assert_eq!(
        (code, &good["outcome"]),
        (0, &Value::from("connected")),
        "{good}"
    );
    assert_eq!(good["schema"], "countersign.connect/1");
    assert_eq!(good["agreement"]["version"], "TLS 1.3");
    assert_eq!(good["verification"]["standing"], "verified");
    assert_eq!(good["verification"]["matched_name"], "localhost");
    let chain = good["verification"]["chain"].as_array().unwrap();
    assert_eq!(chain.len(), 3);
    assert_eq!(chain[2]["origin"], "trusted");
    assert_eq!(
        chain[0]["names"],
        serde_json::json!(["localhost", "127.0.0.1", "::1"])
    );
    let sent = fs::read_to_string(authority.file("server.pem")).unwrap();
    assert!(
        sent.starts_with(chain[0]["pem"].as_str().unwrap()),
        "the certificate itself is there"
    );

    let (code, refused) = document(&trusting(&authority, &[]));
    assert_eq!(
        (code, &refused["outcome"]),
        (6, &Value::from("refused-by-peer")),
        "{refused}"
    );
    let alert = serde_json::json!({ "code": 116, "name": "certificate_required", "from": "peer" });
    assert_eq!(refused["error"]["alert"], alert);

    let paper = include_str!("../../../docs/cli-json.md");
    let request = &good["certificate_requests"][0];
    assert_eq!(
        (&request["when"], &request["sent"]),
        (&"handshake".into(), &"CN=client".into())
    );
    let parts = [&good, &good["verification"], &chain[0], request];
    for (name, _) in parts.iter().flat_map(|part| part.as_object().unwrap()) {
        assert!(
            paper.contains(&format!("`{name}`")),
            "{name} is not documented"
        );
    }
}

#[test]
fn the_key_log_is_written_where_the_variable_says() {
    let authority = Authority::new();
    let server = serve(&authority, "none");
    let folder = Folder::new();
    let log = folder.path("keys.log");
    let options = arguments(
        &["connect", &server.target(), "--json"],
        &trusting(&authority, &[]),
    );
    let output = command()
        .args(&options)
        .env("SSLKEYLOGFILE", &log)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = fs::read_to_string(&log).unwrap();
    for label in [
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        "SERVER_TRAFFIC_SECRET_0",
        "EXPORTER_SECRET",
    ] {
        let line = text
            .lines()
            .find(|line| line.starts_with(label))
            .unwrap_or_else(|| panic!("{label}: {text}"));
        let fields: Vec<_> = line.split(' ').collect();
        assert_eq!((fields.len(), fields[1].len()), (3, 64), "{line}");
    }
}

/// Visitors of `/private` need a certificate, those of `/maybe` may have one.
fn asking(authority: &Authority) -> Background {
    let paths = ["--ask", "/private", "--ask-optional", "/maybe"];
    Background::serve(&arguments(&paths, &authority.options("server")))
}

fn request(path: &str) -> String {
    REQUEST.replacen('/', path, 1)
}

#[test]
fn a_path_asks_for_a_certificate_and_connect_shows_it() {
    let authority = Authority::new();
    let server = asking(&authority);
    let options = authority.options("client");
    let said = "the server asked for a certificate after the handshake: sent CN=client\n";

    let open = connect(&server.target(), &options, &request("/"));
    assert!(
        open.stdout
            .contains("You are a stranger: you were not asked"),
        "{open:?}"
    );
    assert!(
        !open.stderr.contains("asked for a certificate"),
        "{}",
        open.stderr
    );
    for path in ["/private", "/private/below?x=/", "/maybe"] {
        let ended = connect(&server.target(), &options, &request(path));
        assert_eq!(ended.code, 0, "{path}: {ended:?}");
        assert!(
            ended.stdout.contains("\r\n\r\nYou are CN=client.\n"),
            "{path}: {ended:?}"
        );
        assert!(
            ended.stdout.contains("after the handshake, when asked"),
            "{path}: {ended:?}"
        );
        assert!(ended.stderr.contains(said), "{path}: {}", ended.stderr);
    }
}

#[test]
fn who_has_no_certificate_is_refused_where_it_is_required() {
    let authority = Authority::new();
    let server = asking(&authority);
    let stranger = trusting(&authority, &[]);
    let refused = connect(&server.target(), &stranger, &request("/private"));
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(refused.stderr.contains("sent none\n"), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("certificate_required (116)"),
        "{}",
        refused.stderr
    );
    let welcome = connect(&server.target(), &stranger, &request("/maybe"));
    assert_eq!(welcome.code, 0, "{welcome:?}");
    assert!(
        welcome
            .stdout
            .contains("You are a stranger: you sent no certificate."),
        "{}",
        welcome.stdout
    );
    let lost = connect(&server.target(), &stranger, &request("/privateer"));
    assert!(lost.stdout.starts_with("HTTP/1.1 404 "), "{}", lost.stdout);
}

#[test]
fn one_connection_may_come_to_several_paths_and_is_asked_once() {
    let authority = Authority::new();
    let server = asking(&authority);
    let keep = |path: &str| request(path).replace("Connection: close\r\n", "");
    // All at once: what follows the request that makes the server ask is kept until the answer is there.
    let all = [keep("/"), keep("/private"), keep("/maybe"), request("/")].concat();
    let ended = connect(&server.target(), &authority.options("client"), &all);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(
        ended.stdout.matches("HTTP/1.1 200 OK").count(),
        4,
        "{}",
        ended.stdout
    );
    assert_eq!(
        ended.stdout.matches("You are a stranger").count(),
        1,
        "{}",
        ended.stdout
    );
    assert_eq!(
        ended.stdout.matches("You are CN=client.").count(),
        3,
        "{}",
        ended.stdout
    );
    let asked = "the server asked for a certificate after the handshake";
    assert_eq!(ended.stderr.matches(asked).count(), 1, "{}", ended.stderr);
}

#[test]
fn a_client_that_cannot_be_asked_is_told_what_to_do() {
    let authority = Authority::new();
    let server = asking(&authority);
    // A client without a certificate does not offer it, unlike the command.
    let trust = countersign::TrustStore::from_pem_file(authority.file("ca.pem")).unwrap();
    let config = countersign::ClientConfig::builder()
        .trust(trust)
        .build()
        .unwrap();
    for (path, status) in [("/private", "403 Forbidden"), ("/maybe", "200 OK")] {
        let socket = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        let name = "localhost".try_into().unwrap();
        let mut stream = Stream::connect(&config, name, socket).unwrap();
        stream.write_all(request(path).as_bytes()).unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        assert!(
            page.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{page}"
        );
        assert_eq!(
            page.contains("-enable_pha"),
            status.starts_with('4'),
            "{page}"
        );
    }
}

#[test]
fn a_conversation_is_drawn_as_it_happens() {
    let authority = Authority::new();
    let server = asking(&authority);
    let options = arguments(&["--trace"], &authority.options("client"));
    let ended = connect(&server.target(), &options, &request("/private"));
    assert_eq!(ended.code, 0, "{ended:?}");
    let steps = [
        "plain        ClientHello: may be asked later (",
        "plain        ◀",
        "the client finds the server's certificate good: 0 X509_V_OK",
        "handshake    Finished (",
        "CertificateRequest: after the handshake (",
        "application  Certificate: CN=client and 1 more (",
        "application  CertificateVerify (",
        "application  Finished (",
        "alert close_notify (0)",
    ];
    let mut rest = ended.stderr.as_str();
    for step in steps {
        let at = rest
            .find(step)
            .unwrap_or_else(|| panic!("{step}: {}", ended.stderr));
        rest = &rest[at..];
    }
}

#[test]
fn a_probe_reports_what_the_server_does() {
    let authority = Authority::new();
    let server = asking(&authority);
    let probe = |path: &str, options: &[String]| {
        let first = ["connect", &server.target(), "--probe", "--path", path];
        command().args(arguments(&first, options)).output().unwrap()
    };
    let json = arguments(&["--json"], &authority.options("client"));
    let found: Value = serde_json::from_slice(&probe("/private", &json).stdout).unwrap();
    assert_eq!(found["schema"], "countersign.probe/1");
    assert_eq!(found["exit_code"], 0, "{found}");
    assert_eq!(found["answer"], "HTTP/1.1 200 OK");
    assert_eq!(found["alpn"]["selected"], "http/1.1");
    assert_eq!(
        found["tickets"], 4,
        "two after the handshake, two after the authentication"
    );
    let known = serde_json::json!({ "resumed": true, "asked_again": [], "same_answer": true });
    assert_eq!(found["resumption"], known);
    let request = &found["certificate_requests"][0];
    assert_eq!(request["when"], "after-handshake");
    assert_eq!(request["sent"], "CN=client");
    assert_eq!(request["authorities"].as_array().unwrap().len(), 1);
    for kind in ["suites", "groups"] {
        let choices = found[kind].as_array().unwrap();
        // The server's key is for ECDSA, and it takes the groups that are on by default.
        let is_taken = |name: &str| match NamedGroup::ALL.iter().find(|group| group.name() == name)
        {
            Some(group) => NamedGroup::DEFAULT.contains(group),
            None => !name.contains("_RSA_"),
        };
        let is_right =
            |choice: &Value| choice["accepted"] == is_taken(choice["name"].as_str().unwrap());
        assert!(choices.iter().all(is_right), "{found}");
    }
    assert!(found["connections"].as_u64().unwrap() <= 24, "{found}");
    let paper = include_str!("../../../docs/cli-json.md");
    for (name, _) in found.as_object().unwrap() {
        assert!(
            paper.contains(&format!("`{name}`")),
            "{name} is not documented"
        );
    }

    let stranger = probe("/private", &trusting(&authority, &[]));
    let text = String::from_utf8(stranger.stdout).unwrap();
    assert_eq!(stranger.status.code(), Some(0), "{text}");
    for line in [
        "asks         no certificate in the handshake\n",
        "asks later   a certificate of CN=countersign throwaway root ",
        "; was sent none\n",
        "certificate_required (116)",
        "tickets      2\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let tolerated = probe("/maybe", &trusting(&authority, &[]));
    let text = String::from_utf8(tolerated.stdout).unwrap();
    let again = "resumes      yes; asks for a certificate again, after the handshake\n";
    assert!(text.contains(again), "{text}");
}
