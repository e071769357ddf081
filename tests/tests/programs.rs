//! `openssl s_server` and `s_client`, `curl` and Python's `ssl` at the other end.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a broken assumption must stop the test"
)]

use std::path::PathBuf;

use ::countersign::VerifyMode;
use countersign_tests::endpoint::Endpoint as _;
use countersign_tests::folder::TemporaryFolder;
use countersign_tests::peers::countersign::{self, Countersign, server_builder};
use countersign_tests::peers::credentials::authority_pem;
use countersign_tests::peers::{CLIENTS, ClientCertificate, Identity, KeyKind, SERVERS, Setup};
use countersign_tests::programs::{Program, accept, connect, drive, find, hang_up, listen};

/// The files that the programs need.
struct Papers {
    _folder: TemporaryFolder,
    authority: String,
    chain: String,
    key: String,
}

impl Papers {
    fn of(identity: &Identity) -> Self {
        let folder = TemporaryFolder::new();
        Self {
            authority: folder.put("authority.pem", &authority_pem()),
            chain: folder.put("chain.pem", &identity.chain_pem),
            key: folder.put("key.pem", &identity.key_pem),
            _folder: folder,
        }
    }
}

fn openssl_server(openssl: &PathBuf, papers: &Papers, more: &[&str]) -> (Program, u16) {
    let mut arguments = vec!["s_server", "-accept", "127.0.0.1:0", "-tls1_3", "-rev"];
    arguments.extend(["-cert", &papers.chain, "-key", &papers.key]);
    arguments.extend(["-CAfile", &papers.authority, "-naccept", "1"]);
    arguments.extend(more);
    let mut program = Program::start(openssl, &arguments);
    let line = program.wait_for("ACCEPT ");
    let port = line.rsplit(':').next().unwrap().parse().unwrap();
    (program, port)
}

#[test]
fn clients_talk_to_s_server_with_and_without_a_certificate() {
    let Some(openssl) = find("openssl") else {
        return;
    };
    for kind in [KeyKind::EcdsaP256, KeyKind::Rsa, KeyKind::Ed25519] {
        let papers = Papers::of(Identity::server(kind));
        for (name, make) in CLIENTS {
            for (setup, verify) in [
                (Setup::default(), &[][..]),
                (
                    Setup::client(kind),
                    &["-Verify", "1", "-verify_return_error"],
                ),
            ] {
                let (program, port) = openssl_server(&openssl, &papers, verify);
                let (mut end, mut socket) = (make(&setup), connect(port));
                end.write(b"stressed\n");
                drive(&mut *end, &mut socket, |end| {
                    end.received().ends_with(b"\n")
                });
                let answer = String::from_utf8_lossy(end.received());
                assert_eq!(answer, "desserts\n", "{name} {kind:?}: {:?}", end.failure());
                end.close();
                drive(&mut *end, &mut socket, |_| true);
                drop(socket);
                drop(program);
            }
        }
    }
}

#[test]
fn s_server_refuses_clients_without_a_certificate() {
    let Some(openssl) = find("openssl") else {
        return;
    };
    let papers = Papers::of(Identity::server(KeyKind::EcdsaP256));
    for (name, make) in CLIENTS {
        let (_program, port) = openssl_server(&openssl, &papers, &["-Verify", "1"]);
        let (mut end, mut socket) = (make(&Setup::default()), connect(port));
        drive(&mut *end, &mut socket, |_| false);
        let failure = end.failure().unwrap_or("none").to_lowercase();
        let is_named = failure.contains("certificate") && failure.contains("required");
        assert!(is_named, "{name}: {failure}");
    }
}

fn openssl_client(openssl: &PathBuf, papers: &Papers, port: u16, certificate: bool) -> Program {
    let address = format!("127.0.0.1:{port}");
    let mut arguments = vec!["s_client", "-connect", &address, "-tls1_3", "-ign_eof"];
    arguments.extend(["-CAfile", &papers.authority, "-verify_return_error"]);
    arguments.extend(["-servername", "localhost", "-verify_hostname", "localhost"]);
    if certificate {
        arguments.extend(["-cert", &papers.chain, "-key", &papers.key]);
    }
    Program::start(openssl, &arguments)
}

#[test]
fn servers_talk_to_s_client_with_and_without_a_certificate() {
    let Some(openssl) = find("openssl") else {
        return;
    };
    for kind in [KeyKind::EcdsaP256, KeyKind::Rsa, KeyKind::Ed25519] {
        let papers = Papers::of(Identity::client(kind));
        for (name, make) in SERVERS {
            for client_certificate in [ClientCertificate::NotAsked, ClientCertificate::Required] {
                let setup = Setup {
                    client_certificate,
                    ..Setup::server(kind)
                };
                let required = client_certificate == ClientCertificate::Required;
                let (listener, port) = listen();
                let mut program = openssl_client(&openssl, &papers, port, required);
                program.type_in("who is there?\n");
                let (mut end, mut socket) = (make(&setup), accept(listener));
                drive(&mut *end, &mut socket, |end| {
                    end.received().ends_with(b"\n")
                });
                assert_eq!(
                    end.received(),
                    b"who is there?\n",
                    "{name}: {:?}",
                    end.failure()
                );
                assert_eq!(end.peer_certificate().is_some(), required, "{name}");
                end.write(b"a friend\n");
                end.close();
                drive(&mut *end, &mut socket, |_| true);
                hang_up(&socket);
                let (_, output) = program.finish();
                assert!(
                    output.contains("Verify return code: 0 (ok)"),
                    "{name}: {output}"
                );
                assert!(output.contains("a friend"), "{name}: {output}");
            }
        }
    }
}

#[test]
fn s_client_without_a_certificate_is_told_so() {
    let Some(openssl) = find("openssl") else {
        return;
    };
    let papers = Papers::of(Identity::client(KeyKind::EcdsaP256));
    for (name, make) in SERVERS {
        let setup = Setup {
            client_certificate: ClientCertificate::Required,
            ..Setup::server(KeyKind::EcdsaP256)
        };
        let (listener, port) = listen();
        let program = openssl_client(&openssl, &papers, port, false);
        let (mut end, mut socket) = (make(&setup), accept(listener));
        drive(&mut *end, &mut socket, |_| false);
        assert!(!end.completed(), "{name}");
        hang_up(&socket);
        let (_, output) = program.finish();
        assert!(output.contains("alert number 116"), "{name}: {output}");
    }
}

#[test]
fn curl_fetches_a_page_with_a_client_certificate() {
    let Some(curl) = find("curl") else {
        return;
    };
    let papers = Papers::of(Identity::client(KeyKind::EcdsaP256));
    for (name, make) in SERVERS {
        let setup = Setup {
            client_certificate: ClientCertificate::Required,
            alpn: vec!["http/1.1"],
            ..Setup::server(KeyKind::EcdsaP256)
        };
        let (listener, port) = listen();
        let address = format!("https://localhost:{port}/");
        let mut arguments = vec![
            "--silent",
            "--show-error",
            "--http1.1",
            "--ipv4",
            "--noproxy",
            "*",
        ];
        arguments.extend(["--cacert", &papers.authority, "--cert", &papers.chain]);
        arguments.extend(["--key", &papers.key, &address]);
        let program = Program::start(&curl, &arguments);
        let (mut end, mut socket) = (make(&setup), accept(listener));
        drive(&mut *end, &mut socket, |end| {
            end.received().ends_with(b"\r\n\r\n")
        });
        assert!(
            end.received().starts_with(b"GET / HTTP/1.1\r\n"),
            "{name}: {:?}",
            end.failure()
        );
        assert_eq!(end.alpn().as_deref(), Some(&b"http/1.1"[..]), "{name}");
        end.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 8\r\n\r\nwelcome\n");
        end.close();
        drive(&mut *end, &mut socket, |_| true);
        let (status, output) = program.finish();
        assert!(
            status.success() && output == "welcome",
            "{name}: {status} {output}"
        );
    }
}

const PYTHON_CLIENT: &str = r"
import socket, ssl, sys
port, authority, chain, key = int(sys.argv[1]), *sys.argv[2:5]
context = ssl.create_default_context(cafile=authority)
context.minimum_version = ssl.TLSVersion.TLSv1_3
context.load_cert_chain(chain, key)
with socket.create_connection(('127.0.0.1', port)) as raw:
    with context.wrap_socket(raw, server_hostname='localhost') as tls:
        tls.sendall(b'who is there?\n')
        print(tls.recv(100).decode().strip(), tls.version(), flush=True)
";

const PYTHON_SERVER: &str = r"
import socket, ssl, sys
authority, chain, key = sys.argv[1:4]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
context.minimum_version = ssl.TLSVersion.TLSv1_3
context.verify_mode = ssl.CERT_REQUIRED
context.load_cert_chain(chain, key)
listener = socket.create_server(('127.0.0.1', 0))
print('port', listener.getsockname()[1], flush=True)
raw, _ = listener.accept()
with context.wrap_socket(raw, server_side=True) as tls:
    said = tls.recv(100)
    names = dict(part[0] for part in tls.getpeercert()['subject'])
    tls.sendall(said + names['commonName'].encode() + b'\n')
";

#[test]
fn python_connects_with_a_certificate() {
    let Some(python) = find("python3") else {
        return;
    };
    let papers = Papers::of(Identity::client(KeyKind::EcdsaP384));
    for (name, make) in SERVERS {
        let setup = Setup {
            client_certificate: ClientCertificate::Required,
            ..Setup::server(KeyKind::EcdsaP256)
        };
        let (listener, port) = listen();
        let port = port.to_string();
        let arguments = [
            "-c",
            PYTHON_CLIENT,
            &port,
            &papers.authority,
            &papers.chain,
            &papers.key,
        ];
        let program = Program::start(&python, &arguments);
        let (mut end, mut socket) = (make(&setup), accept(listener));
        drive(&mut *end, &mut socket, |end| {
            end.received().ends_with(b"\n")
        });
        end.write(b"countersign\n");
        drive(&mut *end, &mut socket, |_| true);
        let (status, output) = program.finish();
        assert_eq!(
            output,
            "countersign TLSv1.3",
            "{name}: {status} {:?}",
            end.failure()
        );
    }
}

#[test]
fn python_accepts_a_certificate() {
    let Some(python) = find("python3") else {
        return;
    };
    let papers = Papers::of(Identity::server(KeyKind::EcdsaP521));
    for (name, make) in CLIENTS {
        let arguments = [
            "-c",
            PYTHON_SERVER,
            &papers.authority,
            &papers.chain,
            &papers.key,
        ];
        let mut program = Program::start(&python, &arguments);
        let line = program.wait_for("port ");
        let mut socket = connect(line["port ".len()..].parse().unwrap());
        let mut end = make(&Setup::client(KeyKind::EcdsaP256));
        end.write(b"I am ");
        drive(&mut *end, &mut socket, |end| {
            end.received().ends_with(b"\n")
        });
        let answer = String::from_utf8_lossy(end.received()).into_owned();
        assert_eq!(
            answer,
            "I am client.example\n",
            "{name}: {:?}",
            end.failure()
        );
        drop(socket);
        let (_, output) = program.finish();
        assert!(!output.contains("Error"), "{name}: {output}");
    }
}

/// Asks the client for its certificate after the first line, and says who it is.
const PYTHON_SERVER_ASKS_LATER: &str = r"
import socket, ssl, sys
authority, chain, key = sys.argv[1:4]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
context.minimum_version = ssl.TLSVersion.TLSv1_3
context.verify_mode = ssl.CERT_REQUIRED
context.post_handshake_auth = True
context.load_cert_chain(chain, key)
listener = socket.create_server(('127.0.0.1', 0))
print('port', listener.getsockname()[1], flush=True)
raw, _ = listener.accept()
with context.wrap_socket(raw, server_side=True) as tls:
    assert not tls.getpeercert()
    tls.recv(100)
    tls.verify_client_post_handshake()
    tls.sendall(b'who are you?\n')
    tls.recv(100)
    names = dict(part[0] for part in tls.getpeercert()['subject'])
    tls.sendall(names['commonName'].encode() + b'!\n')
";

#[test]
fn python_asks_for_the_certificate_later() {
    let Some(python) = find("python3") else {
        return;
    };
    let papers = Papers::of(Identity::server(KeyKind::EcdsaP256));
    let arguments = ["-c", PYTHON_SERVER_ASKS_LATER];
    let files = [&papers.authority, &papers.chain, &papers.key].map(String::as_str);
    let mut program = Program::start(&python, &[&arguments[..], &files].concat());
    let line = program.wait_for("port ");
    let mut socket = connect(line["port ".len()..].parse().unwrap());
    let mut end = countersign::client(&Setup::client(KeyKind::EcdsaP256));
    end.write(b"hello\n");
    drive(&mut end, &mut socket, |end| {
        end.received().ends_with(b"?\n")
    });
    assert!(end.is_fine(), "{:?}", end.failure());
    end.write(b"see for yourself\n");
    drive(&mut end, &mut socket, |end| {
        end.received().ends_with(b"!\n")
    });
    let answer = String::from_utf8_lossy(end.received()).into_owned();
    assert_eq!(
        answer,
        "who are you?\nclient.example!\n",
        "{:?}",
        end.failure()
    );
}

/// Offers to be asked later.
const PYTHON_CLIENT_ASKED_LATER: &str = r"
import socket, ssl, sys
port, authority, chain, key = int(sys.argv[1]), *sys.argv[2:5]
context = ssl.create_default_context(cafile=authority)
context.minimum_version = ssl.TLSVersion.TLSv1_3
context.post_handshake_auth = True
context.load_cert_chain(chain, key)
with socket.create_connection(('127.0.0.1', port)) as raw:
    with context.wrap_socket(raw, server_hostname='localhost') as tls:
        tls.sendall(b'who is there?\n')
        print(tls.recv(100).decode().strip(), flush=True)
        tls.sendall(b'done\n')
";

#[test]
fn python_is_asked_for_its_certificate_later() {
    let Some(python) = find("python3") else {
        return;
    };
    let papers = Papers::of(Identity::client(KeyKind::EcdsaP256));
    let (listener, port) = listen();
    let port = port.to_string();
    let arguments = ["-c", PYTHON_CLIENT_ASKED_LATER, &port];
    let files = [&papers.authority, &papers.chain, &papers.key].map(String::as_str);
    let program = Program::start(&python, &[&arguments[..], &files].concat());
    let later = VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT | VerifyMode::POST_HANDSHAKE;
    let builder = server_builder(&Setup::server(KeyKind::EcdsaP256)).verify(later);
    let mut end = Countersign::server(&builder.build().unwrap());
    let mut socket = accept(listener);
    drive(&mut end, &mut socket, |end| {
        end.received().ends_with(b"?\n")
    });
    assert!(end.peer_certificate().is_none(), "{:?}", end.failure());
    let (connection, output) = end.connection_and_output();
    connection.request_peer_certificate(output).unwrap();
    end.write(b"who are you?\n");
    drive(&mut end, &mut socket, |end| {
        end.received().ends_with(b"done\n")
    });
    assert!(end.connection().peer().unwrap().is_verified());
    drop(socket);
    let (_, output) = program.finish();
    assert!(output.starts_with("who are you?"), "{output}");
}
