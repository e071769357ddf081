//! `countersign connect` and `countersign serve` with TLS 1.2: versions, renegotiation, anonymity.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod command;

use command::{Authority, Background, Ended, arguments, command, countersign_with_input};
use serde_json::Value;

fn connect(server: &Background, options: &[String], input: &str) -> Ended {
    let first = ["connect", &server.target()];
    countersign_with_input(&arguments(&first, options), input)
}

/// `serve` with these options and the authority's files.
fn serve(authority: &Authority, more: &[&str]) -> Background {
    Background::serve(&arguments(more, &authority.options("server")))
}

/// Visitors of `/private` need a certificate, those of `/maybe` may have one.
fn asking(authority: &Authority, more: &[&str]) -> Background {
    let paths = ["--ask", "/private", "--ask-optional", "/maybe"];
    serve(authority, &[&paths, more].concat())
}

fn known(authority: &Authority, more: &[&str]) -> Vec<String> {
    arguments(more, &authority.options("client"))
}

fn stranger(authority: &Authority, more: &[&str]) -> Vec<String> {
    arguments(&["--ca", &authority.file("ca.pem")], &arguments(more, &[]))
}

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

fn assert_steps(text: &str, steps: &[&str]) {
    let mut rest = text;
    for step in steps {
        let at = rest.find(step).unwrap_or_else(|| panic!("{step}: {text}"));
        rest = &rest[at..];
    }
}

#[test]
fn either_version_can_be_the_only_one() {
    let authority = Authority::new();
    for (switch, other, version) in [
        ("--tls12", "--tls13", "TLS 1.2, TLS_ECDHE_ECDSA_WITH_"),
        ("--tls13", "--tls12", "TLS 1.3, TLS_AES_"),
    ] {
        let both = serve(&authority, &[]);
        let ended = connect(&both, &stranger(&authority, &[switch]), &request("/"));
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.stderr.contains(version), "{}", ended.stderr);

        let only = serve(&authority, &[switch]);
        let ended = connect(&only, &stranger(&authority, &[]), &request("/"));
        assert!(ended.stderr.contains(version), "{}", ended.stderr);
        let ended = connect(&only, &stranger(&authority, &[other]), &request("/"));
        assert_eq!(ended.code, 4, "{ended:?}");
        assert!(
            ended.stderr.contains("protocol_version (70)"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn a_path_asks_for_a_certificate_by_renegotiation() {
    let authority = Authority::new();
    let server = asking(&authority, &["--tls12"]);
    let said = "the server asked for a certificate in a renegotiation: sent CN=client\n";
    let open = connect(&server, &known(&authority, &[]), &request("/"));
    assert!(open.stdout.contains("you were not asked"), "{open:?}");
    assert!(!open.stderr.contains("renegotiat"), "{}", open.stderr);
    for path in ["/private", "/private/below?x=/", "/maybe"] {
        let ended = connect(&server, &known(&authority, &[]), &request(path));
        assert_eq!(ended.code, 0, "{path}: {ended:?}");
        for part in [
            "\r\n\r\nYou are CN=client.\n",
            "Proved        in a renegotiation\n",
        ] {
            assert!(ended.stdout.contains(part), "{path}: {ended:?}");
        }
        assert!(ended.stderr.contains(said), "{path}: {}", ended.stderr);
    }
}

#[test]
fn who_has_no_certificate_is_refused_where_it_is_required() {
    let authority = Authority::new();
    let server = asking(&authority, &["--tls12"]);
    let refused = connect(&server, &stranger(&authority, &[]), &request("/private"));
    assert_eq!(refused.code, 6, "{refused:?}");
    // TLS 1.2 has no alert of its own for it.
    for part in ["handshake_failure (40)", "give one with --cert"] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    let welcome = connect(&server, &stranger(&authority, &[]), &request("/maybe"));
    assert_eq!(welcome.code, 0, "{welcome:?}");
    let page = "You are a stranger: you sent no certificate.";
    assert!(welcome.stdout.contains(page), "{}", welcome.stdout);
    assert!(welcome.stderr.contains("sent none\n"), "{}", welcome.stderr);
}

#[test]
fn one_connection_may_come_to_several_paths_and_is_asked_once() {
    let authority = Authority::new();
    let server = asking(&authority, &["--tls12"]);
    let keep = |path: &str| request(path).replace("Connection: close\r\n", "");
    // All at once: what follows the request that makes the server ask is kept until the answer is there.
    let all = [keep("/"), keep("/private"), keep("/maybe"), request("/")].concat();
    let ended = connect(&server, &known(&authority, &[]), &all);
    assert_eq!(ended.code, 0, "{ended:?}");
    for (text, times) in [("You are a stranger", 1), ("You are CN=client.", 3)] {
        assert_eq!(ended.stdout.matches(text).count(), times, "{ended:?}");
    }
    let asked = "the server asked for a certificate";
    assert_eq!(ended.stderr.matches(asked).count(), 1, "{}", ended.stderr);
}

#[test]
fn a_client_renegotiates_where_it_is_let() {
    let authority = Authority::new();
    let server = asking(&authority, &["--renegotiate"]);
    // What is typed in meanwhile goes out afterwards.
    let options = known(&authority, &["--renegotiate"]);
    let ended = connect(&server, &options, &request("/private"));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("You are CN=client."), "{ended:?}");
    assert_eq!(
        ended.stderr.matches("renegotiated: TLS 1.2, ").count(),
        2,
        "once at its own wish, once at the server's: {}",
        ended.stderr
    );
    let options = known(&authority, &["--renegotiate", "--json"]);
    let ended = connect(&server, &options, "");
    let document: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(document["renegotiations"], 1, "{document}");
    assert_eq!(document["agreement"]["secure_renegotiation"], true);
    assert_eq!(document["agreement"]["extended_master_secret"], true);

    let strict = serve(&authority, &[]);
    let refused = connect(&strict, &known(&authority, &["--renegotiate"]), "");
    assert_eq!(refused.code, 4, "{refused:?}");
    let sentence = "The peer refused to negotiate again.";
    assert!(refused.stderr.contains(sentence), "{}", refused.stderr);
}

#[test]
fn anonymous_ends_are_told_that_nobody_is_authenticated() {
    let authority = Authority::new();
    let server = Background::serve(&arguments(&["--anonymous"], &[]));
    let options = stranger(&authority, &["--anonymous"]);
    let ended = connect(&server, &options, &request("/"));
    assert_eq!(ended.code, 0, "{ended:?}");
    let warning = "\nNobody is authenticated: the suite is anonymous";
    for text in [&ended.stderr, &ended.stdout] {
        assert!(text.contains(warning), "{text}");
    }
    assert!(!ended.stderr.contains("verified ("), "{}", ended.stderr);
    let ended = connect(&server, &arguments(&["--json"], &options), "");
    let document: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(document["agreement"]["anonymous"], true, "{document}");
    assert_eq!(document["verification"], Value::Null);

    let refused = connect(&server, &stranger(&authority, &[]), &request("/"));
    assert_eq!(refused.code, 4, "{refused:?}");
    // Who is known to the client stays known: suites with certificates come first.
    let certified = serve(&authority, &["--anonymous"]);
    let ended = connect(&certified, &options, &request("/"));
    assert!(ended.stderr.contains("verified (0"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("Nobody is"), "{}", ended.stderr);
}

#[test]
fn to_insist_on_certificates_and_to_be_anonymous_is_a_contradiction() {
    let authority = Authority::new();
    let first = ["serve", "--anonymous", "--verify", "require"];
    let all = arguments(&first, &authority.options("server"));
    let refused = countersign_with_input(&all, "");
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(
        refused.stderr.contains("Leave out --anonymous"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_renegotiation_is_drawn_with_its_keys() {
    let authority = Authority::new();
    let server = asking(&authority, &["--tls12"]);
    let options = known(&authority, &["--trace"]);
    let ended = connect(&server, &options, &request("/private"));
    assert_eq!(ended.code, 0, "{ended:?}");
    let steps = [
        "plain        ClientHello: may be asked later (",
        "ServerKeyExchange: x25519 (",
        "plain        change_cipher_spec ",
        "application  Finished (",
        "the handshake is complete for the client",
        "application  ◀──────────────────────────────────────── HelloRequest (4 bytes)",
        "application  ClientHello: once more",
        "─ CertificateRequest (",
        "application  Certificate: CN=client and 1 more (",
        "application  change_cipher_spec ",
        "the renegotiation is complete for the client",
        "alert close_notify (0)",
    ];
    assert_steps(&ended.stderr, &steps);

    let anonymous = Background::serve(&arguments(&["--anonymous"], &[]));
    let options = stranger(&authority, &["--trace", "--anonymous"]);
    let ended = connect(&anonymous, &options, &request("/"));
    let steps = ["ServerKeyExchange: anonymous, 2048 bits ("];
    assert_steps(&ended.stderr, &steps);
}

fn probe(server: &Background, options: &[String]) -> String {
    let target = server.target();
    let first = ["connect", &target, "--probe", "--path", "/private"];
    let output = command().args(arguments(&first, options)).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_probe_tells_of_both_versions() {
    let authority = Authority::new();
    let server = asking(&authority, &["--renegotiate"]);
    let found = probe(&server, &known(&authority, &["--json"]));
    let found: Value = serde_json::from_str(&found).unwrap();
    let both = serde_json::json!([
        { "name": "TLS 1.2", "spoken": true },
        { "name": "TLS 1.3", "spoken": true },
    ]);
    assert_eq!(found["versions"], both);
    assert_eq!(found["agreement"]["version"], "TLS 1.3");
    let tls12 = &found["tls12"];
    for (name, value) in [
        ("extended_master_secret", Value::from(true)),
        ("secure_renegotiation", true.into()),
        ("client_renegotiation", "accepted".into()),
        ("answer", "HTTP/1.1 200 OK".into()),
        ("error", Value::Null),
    ] {
        assert_eq!(tls12[name], value, "{name}: {found}");
    }
    assert_eq!(tls12["certificate_requests"][0]["when"], "renegotiation");
    let resumed = serde_json::json!({ "resumed": true, "asked_again": [], "same_answer": true });
    assert_eq!(tls12["resumption"], resumed);
    let paper = include_str!("../../../docs/cli-json.md");
    for (name, _) in tls12.as_object().unwrap() {
        assert!(paper.contains(&format!("`{name}`")), "{name}");
    }

    let old = asking(&authority, &["--tls12"]);
    let text = probe(&old, &stranger(&authority, &[]));
    for line in [
        "versions     TLS 1.2; not TLS 1.3\n",
        "; lets no client renegotiate\n",
        "- asks       no certificate in the handshake\n",
        "; was sent none, in a renegotiation\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("TLS_AES_128"), "{text}");

    let new = serve(&authority, &["--tls13"]);
    let text = probe(&new, &stranger(&authority, &[]));
    assert!(
        text.contains("versions     TLS 1.3; not TLS 1.2\n"),
        "{text}"
    );
    assert!(!text.contains("TLS_ECDHE"), "{text}");
}

#[test]
fn sessions_can_be_kept_by_the_server() {
    let authority = Authority::new();
    for (options, has_tickets) in [(&[][..], true), (&["--session-store"], false)] {
        let server = serve(&authority, &[&["--tls12"], options].concat());
        let shown = connect(&server, &stranger(&authority, &["--trace"]), &request("/"));
        let ticket = shown.stderr.contains("NewSessionTicket");
        assert_eq!(ticket, has_tickets, "{}", shown.stderr);
        let found = probe(&server, &stranger(&authority, &["--json"]));
        let found: Value = serde_json::from_str(&found).unwrap();
        assert_eq!(found["resumption"]["resumed"], true, "{found}");
    }
}
