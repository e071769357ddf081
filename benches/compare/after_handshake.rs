//! Asking for the client's certificate again and again: after the handshake in TLS 1.3 (RFC 9846 §4.7.2), by
//! renegotiation in TLS 1.2.
//!
//! rustls has no such thing. Besides OpenSSL, countersign is measured against a limit: the signatures and the key
//! exchange that one round consists of and nothing else.

use std::cell::RefCell;
use std::hint::black_box;

use aws_lc_rs::agreement::{
    EphemeralPrivateKey, UnparsedPublicKey as PublicShare, X25519, agree_ephemeral,
};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};
use countersign::{
    CipherSuite, ClientConfig, Completed, Connection, Limits, NamedGroup, ProtocolVersion,
    ServerConfig, TrustStore, VerifyMode,
};

use crate::certificates::Certificates;
use crate::countersign_peer::{Setting, connect, credential, receive};
use crate::library::Version;
use crate::measuring::{Operation, Outcome, ensure};
#[cfg(feature = "openssl")]
use crate::openssl_rounds::OpenSslRounds;

/// One round each: request and answer, on a connection that lasts.
pub(crate) fn operations(
    version: Version,
    certificates: &Certificates,
) -> Outcome<Vec<Box<dyn Operation>>> {
    let (cold, warm) = match version {
        Version::Tls12 => (Work::RENEGOTIATION_COLD, Work::RENEGOTIATION_WARM),
        Version::Tls13 => (Work::AUTHENTICATION_COLD, Work::AUTHENTICATION_WARM),
    };
    Ok(vec![
        #[cfg(feature = "openssl")]
        Box::new(OpenSslRounds::new("openssl", version, certificates)?),
        Box::new(Limit::new("limit-cold", cold)?),
        Box::new(Limit::new("limit-warm", warm)?),
        Box::new(Limit::new("limit-cold-again", cold)?),
        Box::new(Rounds::new(Setting::COLD, version, certificates)?),
        Box::new(Rounds::new(Setting::WARM, version, certificates)?),
        #[cfg(feature = "openssl")]
        Box::new(OpenSslRounds::new("openssl-again", version, certificates)?),
    ])
}

struct Rounds {
    name: &'static str,
    completes: Completed,
    connections: RefCell<(Connection, Connection)>,
}

impl Rounds {
    fn new(setting: Setting, version: Version, certificates: &Certificates) -> Outcome<Self> {
        let (version, suite, completes, mode) = match version {
            Version::Tls12 => (
                ProtocolVersion::Tls12,
                CipherSuite::EcdheEcdsaAes128GcmSha256,
                Completed::Renegotiation,
                VerifyMode::NONE,
            ),
            Version::Tls13 => (
                ProtocolVersion::Tls13,
                CipherSuite::Aes128GcmSha256,
                Completed::PostHandshakeAuthentication,
                VerifyMode::POST_HANDSHAKE,
            ),
        };
        // More requests than anyone else makes, without data between them.
        let mut limits = Limits::default();
        limits.messages_after_handshake = u32::MAX;
        limits.renegotiations = u32::MAX;
        let trust = TrustStore::from_der([certificates.root.clone()])?;
        let client = ClientConfig::builder()
            .verifier(setting.verifier(trust.clone()))
            .versions([version])
            .credential(credential(&certificates.client)?)
            .suites([suite])
            .groups([NamedGroup::X25519, NamedGroup::Secp256r1])
            .limits(limits.clone())
            .build()?;
        let server = ServerConfig::builder()
            .versions([version])
            .credential(credential(&certificates.server)?)
            .verifier(setting.verifier(trust.clone()))
            .trust(trust)
            .verify(VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT | mode)
            .tickets(0)
            .suites([suite])
            .groups([NamedGroup::X25519, NamedGroup::Secp256r1])
            .limits(limits)
            .build()?;
        Ok(Self {
            name: setting.name(),
            completes,
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
        let mut completed = None;
        while !to_client.is_empty() {
            receive(client, &mut to_client, &mut to_server)?;
            completed = receive(server, &mut to_server, &mut to_client)?.or(completed);
        }
        ensure(
            completed == Some(self.completes),
            "the client has not authenticated",
        )?;
        ensure(
            server.peer().is_some_and(countersign::Peer::is_verified),
            "the client is not verified",
        )
    }
}

/// What a round consists of besides what a library adds.
#[derive(Clone, Copy)]
struct Work {
    signatures: u32,
    verifications: u32,
    key_exchanges: u32,
}

impl Work {
    /// The signature of the client's CertificateVerify is verified, and those on leaf and intermediate.
    const AUTHENTICATION_COLD: Self = Self {
        signatures: 1,
        verifications: 3,
        key_exchanges: 0,
    };
    /// Those of the certificates are remembered.
    const AUTHENTICATION_WARM: Self = Self {
        verifications: 1,
        ..Self::AUTHENTICATION_COLD
    };
    /// Both ends do so, and exchange keys.
    const RENEGOTIATION_COLD: Self = Self {
        signatures: 2,
        verifications: 6,
        key_exchanges: 1,
    };
    const RENEGOTIATION_WARM: Self = Self {
        verifications: 2,
        ..Self::RENEGOTIATION_COLD
    };
}

/// No library: the primitives alone.
struct Limit {
    name: &'static str,
    work: Work,
    key: EcdsaKeyPair,
    random: SystemRandom,
}

impl Limit {
    fn new(name: &'static str, work: Work) -> Outcome<Self> {
        Ok(Self {
            name,
            work,
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?,
            random: SystemRandom::new(),
        })
    }

    /// Both ends of a key exchange.
    fn exchange_keys(&self) -> Outcome<()> {
        let ours = EphemeralPrivateKey::generate(&X25519, &self.random)?;
        let theirs = EphemeralPrivateKey::generate(&X25519, &self.random)?;
        let (our_share, their_share) = (ours.compute_public_key()?, theirs.compute_public_key()?);
        for (own, share) in [(ours, &their_share), (theirs, &our_share)] {
            agree_ephemeral(
                own,
                PublicShare::new(&X25519, share),
                Unspecified,
                |secret| {
                    black_box(secret);
                    Ok(())
                },
            )?;
        }
        Ok(())
    }
}

impl Operation for Limit {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self) -> Outcome<()> {
        let message = black_box([7; 130]);
        let mut signature = self.key.sign(&self.random, &message)?;
        for _ in 1..self.work.signatures {
            signature = self.key.sign(&self.random, &message)?;
        }
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.key.public_key());
        for _ in 0..self.work.verifications {
            key.verify(&message, signature.as_ref())?;
        }
        for _ in 0..self.work.key_exchanges {
            self.exchange_keys()?;
        }
        Ok(())
    }
}
