//! Asking for the client's certificate after the handshake (RFC 9846 §4.7.2), again and again.
//!
//! rustls has no such thing. Besides OpenSSL, countersign is measured against a limit: the signatures that
//! one round consists of and nothing else.

use std::cell::RefCell;
use std::hint::black_box;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};
use countersign::{
    CipherSuite, ClientConfig, Completed, Connection, Limits, NamedGroup, ServerConfig, TrustStore,
    VerifyMode,
};

use crate::certificates::Certificates;
use crate::countersign_peer::{Setting, connect, credential, receive};
use crate::measuring::{Operation, Outcome, ensure};
#[cfg(feature = "openssl")]
use crate::openssl_rounds::OpenSslRounds;

/// One round each: request and answer, on a connection that lasts.
pub(crate) fn operations(certificates: &Certificates) -> Outcome<Vec<Box<dyn Operation>>> {
    Ok(vec![
        #[cfg(feature = "openssl")]
        Box::new(OpenSslRounds::new("openssl", certificates)?),
        Box::new(Limit::new("limit-cold", 3)?),
        Box::new(Limit::new("limit-warm", 1)?),
        Box::new(Limit::new("limit-cold-again", 3)?),
        Box::new(Rounds::new(Setting::COLD, certificates)?),
        Box::new(Rounds::new(Setting::WARM, certificates)?),
        #[cfg(feature = "openssl")]
        Box::new(OpenSslRounds::new("openssl-again", certificates)?),
    ])
}

struct Rounds {
    name: &'static str,
    connections: RefCell<(Connection, Connection)>,
}

impl Rounds {
    fn new(setting: Setting, certificates: &Certificates) -> Outcome<Self> {
        // More requests than anyone else makes without data between them.
        let mut limits = Limits::default();
        limits.messages_after_handshake = u32::MAX;
        let trust = TrustStore::from_der([certificates.root.clone()])?;
        let client = ClientConfig::builder()
            .verifier(setting.verifier(trust.clone()))
            .credential(credential(&certificates.client)?)
            .suites([CipherSuite::Aes128GcmSha256])
            .groups([NamedGroup::X25519])
            .limits(limits)
            .build()?;
        let server = ServerConfig::builder()
            .credential(credential(&certificates.server)?)
            .verifier(setting.verifier(trust.clone()))
            .trust(trust)
            .verify(
                VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT | VerifyMode::POST_HANDSHAKE,
            )
            .tickets(0)
            .suites([CipherSuite::Aes128GcmSha256])
            .groups([NamedGroup::X25519])
            .build()?;
        Ok(Self {
            name: setting.name(),
            connections: RefCell::new(connect(&client, &server)?),
        })
    }
}

impl Operation for Rounds {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self) -> Outcome<()> {
        let (client, server) = &mut *self.connections.borrow_mut();
        let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
        server.request_peer_certificate(&mut to_client)?;
        receive(client, &mut to_client, &mut to_server)?;
        let completed = receive(server, &mut to_server, &mut to_client)?;
        ensure(
            completed == Some(Completed::PostHandshakeAuthentication),
            "the client has not authenticated",
        )?;
        ensure(
            server.peer().is_some_and(countersign::Peer::is_verified),
            "the client is not verified",
        )
    }
}

/// The signature of the client's CertificateVerify, and the verification of so many signatures:
/// that one, and unless they are remembered those of leaf and intermediate.
struct Limit {
    name: &'static str,
    verifications: u32,
    key: EcdsaKeyPair,
    random: SystemRandom,
}

impl Limit {
    fn new(name: &'static str, verifications: u32) -> Outcome<Self> {
        Ok(Self {
            name,
            verifications,
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?,
            random: SystemRandom::new(),
        })
    }
}

impl Operation for Limit {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self) -> Outcome<()> {
        let message = black_box([7; 130]);
        let signature = self.key.sign(&self.random, &message)?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.key.public_key());
        for _ in 0..self.verifications {
            key.verify(&message, signature.as_ref())?;
        }
        Ok(())
    }
}
