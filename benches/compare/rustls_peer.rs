//! rustls with its buffered interface.

use std::hint::black_box;
use std::io::{Read, Write};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConfig, ServerConnection,
    SupportedCipherSuite, SupportedProtocolVersion, version,
};

use crate::certificates::Certificates;
use crate::library::{
    Authentication, Case, Cipher, FLIGHT, Group, Kind, Library, SERVER_NAME, Transfer, Version,
};
use crate::measuring::{Operation, Outcome, ensure};

pub(crate) struct Rustls {
    name: &'static str,
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    authentication: Authentication,
    kind: Kind,
}

impl Rustls {
    pub(crate) fn new(
        name: &'static str,
        certificates: &Certificates,
        case: &Case,
    ) -> Outcome<Self> {
        let (client, server) = configure(certificates, case)?;
        let made = Self {
            name,
            client,
            server,
            authentication: case.authentication,
            kind: case.kind,
        };
        if case.kind == Kind::Resumed {
            made.connect(HandshakeKind::Full)?;
        }
        Ok(made)
    }

    fn connect(&self, kind: HandshakeKind) -> Outcome<(ClientConnection, ServerConnection)> {
        let mut client = ClientConnection::new(Arc::clone(&self.client), SERVER_NAME.try_into()?)?;
        let mut server = ServerConnection::new(Arc::clone(&self.server))?;
        let mut wire = Vec::new();
        while client.is_handshaking() || server.is_handshaking() {
            wire.clear();
            while client.wants_write() {
                client.write_tls(&mut wire)?;
            }
            let mut rest = wire.as_slice();
            while !rest.is_empty() {
                server.read_tls(&mut rest)?;
                server.process_new_packets()?;
            }
            wire.clear();
            while server.wants_write() {
                server.write_tls(&mut wire)?;
            }
            let mut rest = wire.as_slice();
            while !rest.is_empty() {
                client.read_tls(&mut rest)?;
                client.process_new_packets()?;
            }
        }
        ensure(
            client.peer_certificates().is_some(),
            "the server is not verified",
        )?;
        ensure(
            server.peer_certificates().is_some() == (self.authentication == Authentication::Mutual),
            "the client's authentication is not as wanted",
        )?;
        ensure(
            client.handshake_kind() == Some(kind),
            "the handshake is not of the kind wanted",
        )?;
        Ok((client, server))
    }
}

/// The configurations of both interfaces.
pub(crate) fn configure(
    certificates: &Certificates,
    case: &Case,
) -> Outcome<(Arc<ClientConfig>, Arc<ServerConfig>)> {
    let kx_groups = match (case.version, case.group) {
        (Version::Tls12, _) => vec![kx_group::X25519, kx_group::SECP256R1],
        (Version::Tls13, Group::X25519) => vec![kx_group::X25519],
        (Version::Tls13, Group::X25519MlKem768) => vec![kx_group::X25519MLKEM768],
    };
    let (version, suite) = version_and_suite(case);
    let provider = Arc::new(CryptoProvider {
        cipher_suites: vec![suite],
        kx_groups,
        ..aws_lc_rs::default_provider()
    });
    let mut roots = RootCertStore::empty();
    roots.add(certificates.root.clone())?;
    let roots = Arc::new(roots);

    let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[version])?
        .with_root_certificates(Arc::clone(&roots));
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[version])?;
    let (own, own_key) = (
        certificates.client.chain.clone(),
        certificates.client.key.clone_key(),
    );
    let (mut client, server) = match case.authentication {
        Authentication::Mutual => (
            client.with_client_auth_cert(own, own_key)?,
            server.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(roots, provider).build()?,
            ),
        ),
        Authentication::ServerOnly => (client.with_no_client_auth(), server.with_no_client_auth()),
    };
    let mut server = server.with_single_cert(
        certificates.server.chain.clone(),
        certificates.server.key.clone_key(),
    )?;
    if case.kind == Kind::Resumed {
        client.resumption = Resumption::in_memory_sessions(256);
        // As countersign and OpenSSL do it: the session is in the ticket.
        server.ticketer = aws_lc_rs::Ticketer::new()?;
        server.send_tls13_tickets = 1;
    } else {
        client.resumption = Resumption::disabled();
        server.send_tls13_tickets = 0;
        server.session_storage = Arc::new(NoServerSessionStorage {});
    }
    Ok((Arc::new(client), Arc::new(server)))
}

fn version_and_suite(case: &Case) -> (&'static SupportedProtocolVersion, SupportedCipherSuite) {
    use aws_lc_rs::cipher_suite::{
        TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        TLS13_AES_128_GCM_SHA256, TLS13_CHACHA20_POLY1305_SHA256,
    };
    match (case.version, case.cipher) {
        (Version::Tls13, Cipher::Aes128Gcm) => (&version::TLS13, TLS13_AES_128_GCM_SHA256),
        (Version::Tls13, Cipher::ChaCha20Poly1305) => {
            (&version::TLS13, TLS13_CHACHA20_POLY1305_SHA256)
        }
        (Version::Tls12, Cipher::Aes128Gcm) => {
            (&version::TLS12, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)
        }
        (Version::Tls12, Cipher::ChaCha20Poly1305) => (
            &version::TLS12,
            TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        ),
    }
}

/// What a handshake of such a case must turn out to be.
pub(crate) fn expected(kind: Kind) -> HandshakeKind {
    match kind {
        Kind::Full => HandshakeKind::Full,
        Kind::Resumed => HandshakeKind::Resumed,
    }
}

impl Operation for Rustls {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self) -> Outcome<()> {
        self.connect(expected(self.kind)).map(|_| ())
    }
}

impl Library for Rustls {
    fn transfer(&self, record: usize) -> Outcome<Box<dyn Transfer>> {
        let (client, server) = self.connect(HandshakeKind::Full)?;
        Ok(Box::new(Pair {
            client,
            server,
            wire: Vec::new(),
            data: vec![7; record],
            buffer: vec![0; 16_384],
        }))
    }
}

struct Pair {
    client: ClientConnection,
    server: ServerConnection,
    wire: Vec<u8>,
    data: Vec<u8>,
    buffer: Vec<u8>,
}

impl Transfer for Pair {
    fn send(&mut self) -> Outcome<()> {
        self.wire.clear();
        for _ in 0..FLIGHT / self.data.len() {
            self.client.writer().write_all(&self.data)?;
            while self.client.wants_write() {
                self.client.write_tls(&mut self.wire)?;
            }
        }
        Ok(())
    }

    fn receive(&mut self) -> Outcome<usize> {
        let mut rest = self.wire.as_slice();
        let mut seen = 0;
        while !rest.is_empty() {
            self.server.read_tls(&mut rest)?;
            let mut ready = self.server.process_new_packets()?.plaintext_bytes_to_read();
            while ready > 0 {
                let length = self.server.reader().read(&mut self.buffer)?;
                seen += black_box(&self.buffer[..length]).len();
                ready -= length;
            }
        }
        Ok(seen)
    }
}
