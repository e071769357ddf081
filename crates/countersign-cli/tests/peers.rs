//! The command and programs of other makers.

#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

mod command;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use command::{Authority, Background, Ended, arguments, command, countersign_with_input, is_there};

/// `openssl s_server` for TLS 1.3 that answers one request with what it knows about the client.
fn openssl_server(authority: &Authority, more: &[&str]) -> Background {
    let mut openssl = Command::new("openssl");
    let (cert, key, ca) = (
        authority.file("server.pem"),
        authority.file("server.key"),
        authority.file("ca.pem"),
    );
    openssl.args([
        "s_server",
        "-accept",
        "127.0.0.1:0",
        "-tls1_3",
        "-www",
        "-naccept",
        "1",
    ]);
    openssl.args([
        "-cert",
        &cert,
        "-cert_chain",
        &cert,
        "-key",
        &key,
        "-CAfile",
        &ca,
    ]);
    openssl.args(more).stderr(Stdio::null());
    Background::start(&mut openssl, "ACCEPT")
}

fn connect(server: &Background, options: &[String]) -> Ended {
    let all = arguments(&["connect", &server.target()], options);
    countersign_with_input(&all, "GET / HTTP/1.0\r\n\r\n")
}

#[test]
fn openssl_s_server_knows_our_client() {
    if !is_there("openssl", "version") {
        return;
    }
    let authority = Authority::new();
    let server = openssl_server(&authority, &["-Verify", "3", "-verify_return_error"]);
    let ended = connect(&server, &authority.options("client"));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.stderr.contains("verified (0 X509_V_OK)"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stdout.contains("CN = client") || ended.stdout.contains("CN=client"),
        "{}",
        ended.stdout
    );
}

#[test]
fn openssl_s_server_refuses_our_client_without_a_certificate() {
    if !is_there("openssl", "version") {
        return;
    }
    let authority = Authority::new();
    let server = openssl_server(&authority, &["-Verify", "3", "-verify_return_error"]);
    let ended = connect(
        &server,
        &arguments(&["--ca", &authority.file("ca.pem")], &[]),
    );
    assert_eq!(ended.code, 6, "{ended:?}");
    assert!(
        ended.stderr.contains("certificate_required (116)"),
        "{}",
        ended.stderr
    );
}

#[test]
fn openssl_s_server_of_an_unknown_authority_is_refused() {
    if !is_there("openssl", "version") {
        return;
    }
    let (authority, other) = (Authority::new(), Authority::new());
    let server = openssl_server(&authority, &[]);
    let ended = connect(&server, &arguments(&["--ca", &other.file("ca.pem")], &[]));
    assert_eq!(ended.code, 5, "{ended:?}");
    assert!(
        ended.stderr.contains("UNABLE_TO_GET_ISSUER_CERT_LOCALLY"),
        "{}",
        ended.stderr
    );
}

fn openssl_client(server: &Background, authority: &Authority, more: &[&str]) -> String {
    let target = server.target();
    let ca = authority.file("ca.pem");
    let mut openssl = Command::new("openssl");
    openssl.args([
        "s_client",
        "-connect",
        &target,
        "-tls1_3",
        "-CAfile",
        &ca,
        "-verify_return_error",
    ]);
    openssl
        .args(["-verify_hostname", "localhost", "-quiet", "-no_ign_eof"])
        .args(more);
    let mut child = openssl
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let _ = stdin.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let output = child.wait_with_output().expect("openssl ends");
    drop(stdin);
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn openssl_s_client_is_known_to_our_server() {
    if !is_there("openssl", "version") {
        return;
    }
    let authority = Authority::new();
    let server = Background::serve(&arguments(
        &["--verify", "require"],
        &authority.options("server"),
    ));
    let (cert, key) = (authority.file("client.pem"), authority.file("client.key"));
    let said = openssl_client(
        &server,
        &authority,
        &["-cert", &cert, "-cert_chain", &cert, "-key", &key],
    );
    assert!(said.contains("You are CN=client."), "{said}");
    let said = openssl_client(&server, &authority, &[]);
    assert!(said.contains("alert certificate required"), "{said}");
}

fn curl(server: &Background, more: &[&str]) -> (i32, String) {
    let url = format!("https://localhost:{}/", server.port);
    let output = Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--max-time",
            "20",
            "--noproxy",
            "*",
            "--tlsv1.3",
        ])
        .args(more)
        .arg(url)
        .output()
        .expect("curl starts");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.code().unwrap_or(-1), text)
}

#[test]
fn curl_is_told_who_it_is() {
    if !is_there("curl", "--version") {
        return;
    }
    let authority = Authority::new();
    let server = Background::serve(&arguments(
        &["--verify", "require"],
        &authority.options("server"),
    ));
    let (ca, cert, key) = (
        authority.file("ca.pem"),
        authority.file("client.pem"),
        authority.file("client.key"),
    );
    let (code, page) = curl(&server, &["--cacert", &ca, "--cert", &cert, "--key", &key]);
    assert_eq!(code, 0, "{page}");
    assert!(page.starts_with("You are CN=client."), "{page}");
    let html = [
        "--header",
        "Accept: text/html",
        "--cacert",
        &ca,
        "--cert",
        &cert,
        "--key",
        &key,
    ];
    assert!(
        curl(&server, &html)
            .1
            .contains("<h1>You are CN=client.</h1>")
    );
    let (code, complaint) = curl(&server, &["--cacert", &ca]);
    assert_eq!(code, 56, "{complaint}");
    assert!(complaint.contains("certificate required"), "{complaint}");
}

#[test]
fn curl_meets_the_throwaway_certificate() {
    if !is_there("curl", "--version") {
        return;
    }
    let server = Background::serve(&[]);
    let (code, page) = curl(&server, &["--insecure"]);
    assert_eq!(code, 0, "{page}");
    assert!(
        page.starts_with("You are a stranger: you were not asked"),
        "{page}"
    );
    assert_eq!(curl(&server, &[]).0, 60, "nobody trusts it");
}

/// Serves one visitor, or visits a server, with Python's ssl module.
const PYTHON: &str = r#"
import socket, ssl, sys
role, ca, cert, key, port = sys.argv[1:]
if role == "server":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
else:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.minimum_version = ssl.TLSVersion.TLSv1_3
context.load_verify_locations(ca)
context.load_cert_chain(cert, key)
if role == "server":
    listener = socket.create_server(("127.0.0.1", 0))
    print("port:%d" % listener.getsockname()[1], flush=True)
    with context.wrap_socket(listener.accept()[0], server_side=True) as peer:
        peer.recv(1000)
        names = dict(pair[0] for pair in peer.getpeercert()["subject"])
        peer.sendall(("You are %s.\n" % names["commonName"]).encode())
        peer.unwrap()
else:
    plain = socket.create_connection(("127.0.0.1", int(port)))
    with context.wrap_socket(plain, server_hostname="localhost") as peer:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        while True:
            piece = peer.recv(1000)
            if not piece:
                break
            sys.stdout.write(piece.decode())
"#;

fn python(authority: &Authority, role: &str, port: u16) -> Command {
    let mut python = Command::new("python3");
    python.args(["-c", PYTHON, role, &authority.file("ca.pem")]);
    python.args([
        authority.file(&format!("{role}.pem")),
        authority.file(&format!("{role}.key")),
        port.to_string(),
    ]);
    python
}

#[test]
fn python_knows_our_client() {
    if !is_there("python3", "--version") {
        return;
    }
    let authority = Authority::new();
    let server = Background::start(&mut python(&authority, "server", 0), "port:");
    let ended = connect(&server, &authority.options("client"));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.stdout, "You are client.\n");
}

#[test]
fn python_is_known_to_our_server() {
    if !is_there("python3", "--version") {
        return;
    }
    let authority = Authority::new();
    let server = Background::serve(&arguments(
        &["--verify", "require"],
        &authority.options("server"),
    ));
    let output = python(&authority, "client", server.port)
        .output()
        .expect("python starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("You are CN=client."), "{output:?}");
}

fn asking(authority: &Authority) -> Background {
    let options = ["--ask", "/private"];
    Background::serve(&arguments(&options, &authority.options("server")))
}

/// What a client program says that goes to `/private`.
fn openssl_visits(server: &Background, authority: &Authority, more: &[&str]) -> String {
    let (ca, cert, key) = (
        authority.file("ca.pem"),
        authority.file("client.pem"),
        authority.file("client.key"),
    );
    let target = server.target();
    let mut child = Command::new("openssl")
        .args(["s_client", "-connect", &target, "-tls1_3", "-CAfile", &ca])
        .args(["-cert", &cert, "-cert_chain", &cert, "-key", &key])
        // It must go on reading when its stdin has nothing more, and end when the server closes.
        .args(["-quiet", "-no_ign_eof"])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let request = b"GET /private HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let _ = stdin.write_all(request);
    let output = child.wait_with_output().expect("openssl ends");
    drop(stdin);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn openssl_s_client_is_asked_after_the_handshake() {
    if !is_there("openssl", "version") {
        return;
    }
    let authority = Authority::new();
    let server = asking(&authority);
    let known = openssl_visits(&server, &authority, &["-enable_pha"]);
    assert!(known.contains("You are CN=client."), "{known}");
    let unable = openssl_visits(&server, &authority, &[]);
    assert!(unable.starts_with("HTTP/1.1 403 Forbidden"), "{unable}");
}

#[test]
fn curl_is_asked_after_the_handshake() {
    if !is_there("curl", "--version") {
        return;
    }
    let authority = Authority::new();
    let server = asking(&authority);
    let (ca, cert, key) = (
        authority.file("ca.pem"),
        authority.file("client.pem"),
        authority.file("client.key"),
    );
    let private = format!("https://localhost:{}/private", server.port);
    let known = [
        "--http1.1",
        "--cacert",
        &ca,
        "--cert",
        &cert,
        "--key",
        &key,
        &private,
    ];
    // First the private page, then over the same connection the public one.
    let (code, pages) = curl(&server, &known);
    assert_eq!(code, 0, "{pages}");
    assert_eq!(pages.matches("You are CN=client.").count(), 2, "{pages}");
    let (code, complaint) = curl(
        &server,
        &["--http1.1", "--fail-early", "--cacert", &ca, &private],
    );
    assert_eq!(code, 56, "{complaint}");
    assert!(complaint.contains("certificate required"), "{complaint}");
}

/// Visits `/private`, willing to be asked.
const PYTHON_LATER: &str = r#"
import socket, ssl, sys
ca, cert, key, port = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.minimum_version = ssl.TLSVersion.TLSv1_3
context.load_verify_locations(ca)
context.load_cert_chain(cert, key)
context.post_handshake_auth = True
plain = socket.create_connection(("127.0.0.1", int(port)))
with context.wrap_socket(plain, server_hostname="localhost") as peer:
    peer.sendall(b"GET /private HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    while True:
        piece = peer.recv(1000)
        if not piece:
            break
        sys.stdout.write(piece.decode())
"#;

#[test]
fn python_is_asked_after_the_handshake() {
    if !is_there("python3", "--version") {
        return;
    }
    let authority = Authority::new();
    let server = asking(&authority);
    let files = ["ca.pem", "client.pem", "client.key"].map(|name| authority.file(name));
    let output = Command::new("python3")
        .args(["-c", PYTHON_LATER])
        .args(files)
        .arg(server.port.to_string())
        .output()
        .expect("python starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("You are CN=client."), "{output:?}");
}

/// Reads lines until one holds `sign`.
fn wait_for(lines: &mut impl Iterator<Item = std::io::Result<String>>, sign: &str) -> String {
    let mut seen = String::new();
    for line in lines.map_while(Result::ok) {
        if line.contains(sign) {
            return line;
        }
        seen.push_str(&line);
        seen.push('\n');
    }
    panic!("no {sign}: {seen}");
}

#[test]
fn openssl_s_server_asks_our_client_after_the_handshake() {
    if !is_there("openssl", "version") {
        return;
    }
    let authority = Authority::new();
    let (cert, key, ca) = (
        authority.file("server.pem"),
        authority.file("server.key"),
        authority.file("ca.pem"),
    );
    let mut openssl = Command::new("openssl");
    openssl
        .args([
            "s_server",
            "-accept",
            "127.0.0.1:0",
            "-tls1_3",
            "-Verify",
            "3",
        ])
        .args([
            "-cert",
            &cert,
            "-cert_chain",
            &cert,
            "-key",
            &key,
            "-CAfile",
            &ca,
        ])
        .arg("-verify_return_error")
        .stderr(Stdio::null());
    let mut server = Background::start(&mut openssl, "ACCEPT");
    let mut client = command()
        .args(arguments(
            &["connect", &server.target()],
            &authority.options("client"),
        ))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut aside = BufReader::new(client.stderr.take().expect("stderr is piped")).lines();
    let mut heard = BufReader::new(client.stdout.take().expect("stdout is piped")).lines();
    wait_for(
        &mut aside,
        "asked for a certificate in the handshake: sent CN=client",
    );
    // Its commands: ask for a certificate; then a line of data, which comes only if the answer was accepted.
    server.say("c");
    wait_for(
        &mut aside,
        "asked for a certificate after the handshake: sent CN=client",
    );
    server.say("welcome");
    wait_for(&mut heard, "welcome");
    let _ = client.kill();
    let _ = client.wait();
}
