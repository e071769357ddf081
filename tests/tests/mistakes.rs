//! What a user does wrong, and the sentence that comes of it: all of them in `mistakes.txt`,
//! to be read together. `COUNTERSIGN_BLESS=1` writes what is said now.
#![allow(clippy::unwrap_used, reason = "a broken assumption must stop the test")]

use core::fmt::{Display, Write as _};
use std::path::Path;

use ::countersign::{
    ClientConfig, Credential, NamedGroup, ServerConfig, SignatureScheme, TrustStore, VerifyMode,
};
use countersign_tests::folder::TemporaryFolder;
use countersign_tests::oracle::data::Data;
use countersign_tests::peers::credentials::authority_pem;
use countersign_tests::peers::{Identity, KeyKind};

/// Says what is wrong, or that nothing is.
fn sentence<T>(outcome: Result<T, impl Display>) -> String {
    outcome.map_or_else(|error| error.to_string(), |_| "(nothing)".to_owned())
}

fn credentials() -> Vec<(&'static str, String)> {
    let (one, other) = (
        Identity::server(KeyKind::EcdsaP256),
        Identity::client(KeyKind::EcdsaP256),
    );
    let files = Data::copy().files;
    let (weak_chain, weak_key) = files.identity("server", "weakkey");
    let pem =
        |chain: &str, key: &str| sentence(Credential::from_pem(chain.as_bytes(), key.as_bytes()));
    let half = &one.chain_pem[..one.chain_pem.len() / 2];
    let damaged = one.chain_pem.replacen("MI", "M*", 1);
    let rubbish = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let locked =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let locked_of_old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
        DEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    vec![
        (
            "the key of another certificate",
            pem(&one.chain_pem, &other.key_pem),
        ),
        ("a chain that breaks off", pem(half, &one.key_pem)),
        ("a chain with a wrong letter", pem(&damaged, &one.key_pem)),
        ("a certificate that is none", pem(rubbish, &one.key_pem)),
        ("no certificate", pem("", &one.key_pem)),
        (
            "a key in place of the chain",
            pem(&one.key_pem, &one.key_pem),
        ),
        ("no key", pem(&one.chain_pem, "")),
        (
            "a chain in place of the key",
            pem(&one.chain_pem, &one.chain_pem),
        ),
        ("a key under a password", pem(&one.chain_pem, locked)),
        (
            "a key under a password in its old form",
            pem(&one.chain_pem, locked_of_old),
        ),
        ("a key of 1024 bits", pem(weak_chain, weak_key)),
    ]
}

fn files() -> Vec<(&'static str, String)> {
    let folder = TemporaryFolder::new();
    let empty = folder.put("empty.pem", "");
    let missing = empty.replace("empty.pem", "missing.pem");
    let name = |text: String| text.replace(empty.trim_end_matches("empty.pem"), "");
    let own = Identity::server(KeyKind::EcdsaP256);
    let chain = folder.put("chain.pem", &own.chain_pem);
    let half = folder.put("half.key", &own.key_pem[..own.key_pem.len() / 2]);
    vec![
        (
            "a chain that is not there",
            name(sentence(Credential::from_pem_files(&missing, &empty))),
        ),
        (
            "an empty chain file",
            name(sentence(Credential::from_pem_files(&empty, &empty))),
        ),
        (
            "a key file that breaks off",
            name(sentence(Credential::from_pem_files(&chain, &half))),
        ),
        (
            "trust in a file that is not there",
            name(sentence(TrustStore::from_pem_file(&missing))),
        ),
        (
            "trust in an empty file",
            name(sentence(TrustStore::from_pem_file(&empty))),
        ),
        (
            "trust in no certificate",
            sentence(TrustStore::from_pem(b"hello")),
        ),
    ]
}

fn configurations() -> Vec<(&'static str, String)> {
    let own = Identity::server(KeyKind::EcdsaP256);
    let own = || Credential::from_pem(own.chain_pem.as_bytes(), own.key_pem.as_bytes()).unwrap();
    let trust = || TrustStore::from_pem(authority_pem().as_bytes()).unwrap();
    let client = || ClientConfig::builder().trust(trust());
    let server = || ServerConfig::builder().credential(own());
    vec![
        (
            "a client that trusts nobody",
            sentence(ClientConfig::builder().build()),
        ),
        (
            "a client with an empty store",
            sentence(ClientConfig::builder().trust(TrustStore::empty()).build()),
        ),
        (
            "a server that verifies and trusts nobody",
            sentence(server().verify(VerifyMode::PEER).build()),
        ),
        (
            "a flag without PEER",
            sentence(client().verify(VerifyMode::FAIL_IF_NO_PEER_CERT).build()),
        ),
        (
            "a server without a certificate",
            sentence(ServerConfig::builder().build()),
        ),
        (
            "an empty protocol name",
            sentence(client().alpn([""]).build()),
        ),
        (
            "a protocol name of 256 letters",
            sentence(client().alpn(["x".repeat(256)]).build()).replace(&"x".repeat(256), "x…"),
        ),
        ("no suites", sentence(client().suites([]).build())),
        ("no groups", sentence(client().groups([]).build())),
        ("level 6", sentence(client().security_level(6).build())),
        (
            "a certificate below the level",
            sentence(server().security_level(5).build()),
        ),
    ]
}

fn what_is_offered_and_sent() -> Vec<(&'static str, String)> {
    let trust = || TrustStore::from_pem(authority_pem().as_bytes()).unwrap();
    let client = || ClientConfig::builder().trust(trust());
    vec![
        (
            "a key share of no group",
            sentence(
                client()
                    .groups([NamedGroup::X25519])
                    .key_shares([NamedGroup::MlKem1024])
                    .build(),
            ),
        ),
        (
            "a key share that comes twice",
            sentence(
                client()
                    .key_shares([NamedGroup::X25519, NamedGroup::X25519])
                    .build(),
            ),
        ),
        (
            "a scheme of clients asked for by a client",
            sentence(
                client()
                    .signature_schemes([SignatureScheme::RSA_PKCS1_SHA256_LEGACY])
                    .build(),
            ),
        ),
        (
            "records of 511 bytes",
            sentence(client().max_fragment(511).build()),
        ),
    ]
}

#[test]
fn every_mistake_has_its_sentence() {
    let mut said = String::new();
    let mistakes = [
        credentials(),
        files(),
        configurations(),
        what_is_offered_and_sent(),
    ];
    for (what, sentence) in mistakes.concat() {
        writeln!(said, "{what}:\n    {sentence}\n").unwrap();
        assert_ne!(sentence, "(nothing)", "{what}");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("mistakes.txt");
    if std::env::var("COUNTERSIGN_BLESS").is_ok_and(|value| value == "1") {
        std::fs::write(&path, &said).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(said, expected);
}
