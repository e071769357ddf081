//! The shim as the runner sees it: a program with flags, a connection, an exit status.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a broken assumption must stop the test"
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread;

use countersign::{
    ClientConfig, ClientSide, ConfigBuilder, Credential, PeerNames, Presented, ServerConfig,
    SignatureScheme, Stream, Verdict, VerifyMode,
};
use countersign_x509::{Purpose, Report, VerifyCode};
use rcgen::{CertificateParams, KeyPair};

const UNIMPLEMENTED: i32 = 89;
const SCHEMES: [SignatureScheme; 2] = [
    SignatureScheme::ECDSA_SECP256R1_SHA256,
    SignatureScheme::ED25519,
];
const SHIM_ID: u64 = 0x0102_0304_0506_0708;

/// A certificate and its key in files of their own.
struct Files {
    chain: PathBuf,
    key: PathBuf,
}

impl Files {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        let files = Self {
            chain: folder.join(format!("{name}.pem")),
            key: folder.join(format!("{name}.key")),
        };
        std::fs::write(&files.chain, certificate.pem()).unwrap();
        std::fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }

    fn credential(&self) -> Credential {
        Credential::from_pem_files(&self.chain, &self.key).unwrap()
    }

    fn flags(&self) -> Vec<String> {
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        let flags = [
            "-cert-file".to_owned(),
            path(&self.chain),
            "-key-file".to_owned(),
            path(&self.key),
        ];
        flags.to_vec()
    }
}

/// The runner's end of one connection after the other.
trait Peer: Send + 'static {
    fn talk(&self, socket: TcpStream) -> Result<(), countersign::StreamError>;
}

impl Peer for Arc<ServerConfig> {
    fn talk(&self, socket: TcpStream) -> Result<(), countersign::StreamError> {
        exchange(Stream::accept(self, socket)?)
    }
}

impl Peer for Arc<ClientConfig> {
    fn talk(&self, socket: TcpStream) -> Result<(), countersign::StreamError> {
        exchange(Stream::connect(
            self,
            "name.example".try_into().unwrap(),
            socket,
        )?)
    }
}

/// Sends something, and checks that it comes back with every bit turned.
fn exchange(mut stream: Stream<TcpStream>) -> Result<(), countersign::StreamError> {
    let sent: Vec<u8> = (0..=255).cycle().take(1000).collect();
    stream.write_all(&sent)?;
    let mut back = vec![0; sent.len()];
    stream.read_exact(&mut back)?;
    assert!(back.iter().zip(&sent).all(|(back, sent)| *back == !sent));
    stream.close()
}

/// Runs the shim against a peer that accepts connections until the shim ends.
fn run(peer: impl Peer, flags: &[String]) -> Output {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let mut id = [0; 8];
            socket.read_exact(&mut id).unwrap();
            assert_eq!(u64::from_le_bytes(id), SHIM_ID);
            // What the shim thinks of the connection is what counts.
            let _ = peer.talk(socket);
        }
    });
    shim(
        &[
            &["-port".to_owned(), port.to_string()],
            &["-shim-id".to_owned(), SHIM_ID.to_string()],
            flags,
        ]
        .concat(),
    )
}

fn shim(flags: &[String]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_countersign-bogo"))
        .args(flags)
        .output()
        .unwrap()
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn anybody(presented: &Presented<'_>) -> Verdict {
    let _ = presented;
    Verdict::Follow(Report::from_application(Purpose::Any, VerifyCode::OK))
}

/// A server that asks for a certificate and takes every one.
fn server(files: &Files) -> Arc<ServerConfig> {
    let builder = ServerConfig::builder().credential(files.credential());
    let builder = builder.verify(VerifyMode::PEER).verifier(anybody);
    builder
        .signature_schemes(SCHEMES)
        .session_context("contract")
        .alpn(["h2"])
        .build()
        .unwrap()
}

/// A client that shows its certificate and takes every server.
fn client(files: &Files) -> Arc<ClientConfig> {
    any_client(files).build().unwrap()
}

/// One that does not say which server it wants.
fn silent_client(files: &Files) -> Arc<ClientConfig> {
    any_client(files).send_server_name(false).build().unwrap()
}

fn any_client(files: &Files) -> ConfigBuilder<ClientSide> {
    let builder = ClientConfig::builder().credential(files.credential());
    let builder = builder.peer_names(PeerNames::Unchecked).verifier(anybody);
    builder.signature_schemes(SCHEMES).alpn(["h2"])
}

fn assert_passed(output: &Output, what: &str) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && errors.is_empty(),
        "{what}: {errors}"
    );
}

fn assert_failed(output: &Output, what: &str) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{what}: {errors}");
    assert!(!errors.is_empty(), "{what}");
}

#[test]
fn it_has_no_handshaker() {
    let output = shim(&words("-is-handshaker-supported"));
    assert!(output.status.success());
    assert_eq!(output.stdout, b"No\n");
}

#[test]
fn a_flag_that_it_does_not_know_is_unimplemented() {
    for flag in [
        "-no-such-flag",
        "-on-resume-no-such-flag",
        "-on-retry-verify-peer",
    ] {
        let output = shim(&words(flag));
        assert_eq!(output.status.code(), Some(UNIMPLEMENTED), "{flag}");
    }
}

#[test]
fn it_turns_every_bit_as_a_client_and_as_a_server() {
    let files = Files::new("turns");
    for way in [
        "",
        "-async",
        "-check-close-notify",
        "-key-update",
        "-shim-shuts-down",
    ] {
        let as_client = [files.flags(), words(way)].concat();
        assert_passed(&run(server(&files), &as_client), way);
        let as_server = [as_client, words("-server")].concat();
        assert_passed(&run(client(&files), &as_server), way);
    }
}

#[test]
fn it_resumes_in_both_roles() {
    let files = Files::new("resumes");
    for way in [
        "",
        "-async",
        "-reverify-on-resume -async -verify-peer",
        "-max-version 771",
    ] {
        let flags = [files.flags(), words("-resume-count 2"), words(way)].concat();
        assert_passed(&run(server(&files), &flags), way);
        let as_server = [flags, words("-server")].concat();
        assert_passed(&run(client(&files), &as_server), way);
    }
}

#[test]
fn a_refusal_has_the_name_that_the_runner_looks_for() {
    let files = Files::new("refuses");
    let flags = [files.flags(), words("-verify-peer -verify-fail")].concat();
    let output = run(server(&files), &flags);
    assert_failed(&output, "-verify-fail");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains(":CERTIFICATE_VERIFY_FAILED:"), "{errors}");
}

/// For each expectation flags under which it is met, and flags under which it is not. Nothing where no peer that
/// is countersign itself can bring it about: the runner does.
#[rustfmt::skip]
const EXPECTATIONS: &[(&str, &str, &str)] = &[
    ("-expect-version", "-expect-version 772", "-expect-version 771"),
    ("-expect-cipher", "-expect-cipher 4865", "-expect-cipher 4866"),
    ("-expect-cipher-aes", "-expect-cipher-aes 4865 -expect-cipher-no-aes 4865", "-expect-cipher-aes 4866 -expect-cipher-no-aes 4866"),
    ("-expect-cipher-no-aes", "-expect-cipher-aes 4865 -expect-cipher-no-aes 4865", "-expect-cipher-aes 4867 -expect-cipher-no-aes 4867"),
    ("-expect-curve-id", "-curves 29 -expect-curve-id 29", "-curves 29 -expect-curve-id 23"),
    ("-expect-peer-signature-algorithm", "-expect-peer-signature-algorithm 1027", "-expect-peer-signature-algorithm 2052"),
    ("-expect-peer-cert-file", "-expect-peer-cert-file {chain}", "-expect-peer-cert-file {other}"),
    ("-expect-no-peer-cert", "-server -expect-no-peer-cert", "-expect-no-peer-cert"),
    ("-expect-verify-result", "-expect-verify-result", "-resume-count 1 -on-resume-verify-fail -expect-verify-result"),
    ("-expect-peer-verify-pref", "-server -expect-peer-verify-pref 1027 -expect-peer-verify-pref 2055", "-server -expect-peer-verify-pref 1027"),
    ("-expect-peer-verify-pref", "-expect-peer-verify-pref 1027 -expect-peer-verify-pref 2055", "-expect-peer-verify-pref 1027"),
    ("-expect-client-ca-list", "-expect-client-ca-list <EMPTY>", "-expect-client-ca-list 3000"),
    ("-expect-selected-credential", "-expect-selected-credential -1", "-expect-selected-credential 0"),
    ("-expect-hrr", "-server -curves 24 -expect-hrr", "-expect-hrr"),
    ("-expect-no-hrr", "-expect-no-hrr", "-server -curves 24 -expect-no-hrr"),
    ("-expect-session-miss", "-resume-count 1 -on-resume-host-name other.example -on-resume-expect-session-miss", "-resume-count 1 -on-resume-expect-session-miss"),
    ("-expect-no-session", "-shim-shuts-down -expect-no-session", "-expect-no-session"),
    ("-expect-total-renegotiations", "-expect-total-renegotiations 0", "-expect-total-renegotiations 1"),
    ("-expect-secure-renegotiation", "-max-version 771 -expect-secure-renegotiation", ""),
    ("-expect-no-secure-renegotiation", "", "-max-version 771 -expect-no-secure-renegotiation"),
    ("-expect-extended-master-secret", "-max-version 771 -expect-extended-master-secret", ""),
    ("-expect-session-id", "-server -max-version 771 -expect-session-id", ""),
    ("-expect-no-session-id", "-server -expect-no-session-id", "-server -max-version 771 -no-ticket -expect-no-session-id"),
    ("-expect-ticket-renewal", "-max-version 771 -expect-ticket-renewal", "-max-version 771 -resume-count 1 -expect-ticket-renewal"),
    ("-expect-early-data-reason", "-expect-early-data-reason disabled", "-expect-early-data-reason accepted"),
    ("-expect-server-name", "-server -expect-server-name name.example", "-server -expect-server-name other.example"),
    ("-expect-no-server-name", "-server {silent} -expect-no-server-name", "-server -expect-no-server-name"),
    ("-expect-alpn", "-advertise-alpn \u{2}h2 -expect-alpn h2", "-expect-alpn h2"),
    ("-expect-advertised-alpn", "-server -select-alpn h2 -expect-advertised-alpn \u{2}h2", "-server -expect-advertised-alpn \u{1}h"),
];

#[test]
fn every_expectation_is_checked() {
    let (files, other) = (Files::new("expects"), Files::new("another"));
    let run_with = |line: &str| {
        let is_server = line.starts_with("-server");
        let is_silent = line.contains("{silent}");
        let line = line
            .replace("{silent}", "")
            .replace("{chain}", files.chain.to_str().unwrap())
            .replace("{other}", other.chain.to_str().unwrap());
        let flags = [files.flags(), words(&line)].concat();
        match (is_server, is_silent) {
            (false, _) => run(server(&files), &flags),
            (true, false) => run(client(&files), &flags),
            (true, true) => run(silent_client(&files), &flags),
        }
    };
    for (flag, met, missed) in EXPECTATIONS {
        if !met.is_empty() {
            assert!(met.contains(flag), "{flag}");
            assert_passed(&run_with(met), &format!("{flag}: {met}"));
        }
        if !missed.is_empty() {
            assert!(missed.contains(flag), "{flag}");
            assert_failed(&run_with(missed), &format!("{flag}: {missed}"));
        }
    }
}

#[test]
fn every_flag_that_expects_something_is_among_them() {
    let source = include_str!("../src/flags.rs");
    let known = source
        .split('"')
        .filter(|text| text.starts_with("-expect-"));
    let mut count = 0;
    for flag in known {
        assert!(
            EXPECTATIONS.iter().any(|(tested, ..)| *tested == flag),
            "{flag}"
        );
        count += 1;
    }
    assert!(count > 15, "only {count} flags were found");
}

#[test]
fn whatever_is_not_run_has_a_reason() {
    let config: serde_json::Value = serde_json::from_str(include_str!("../config.json")).unwrap();
    let disabled = config["DisabledTests"].as_object().unwrap();
    assert!(!disabled.is_empty());
    for (pattern, reason) in disabled {
        let reason = reason.as_str().unwrap();
        assert!(reason.len() > 10 && reason.ends_with('.'), "{pattern}");
    }
    let source = include_str!("../src/reason.rs");
    for (theirs, ours) in config["ErrorMap"].as_object().unwrap() {
        for name in ours.as_array().unwrap() {
            let name = name.as_str().unwrap();
            let known = source.contains(&format!("\"{}\"", name.trim_matches(':')));
            assert!(known || !name.starts_with(':'), "{theirs}: {name}");
        }
    }
}
