//! rustls.

use core::fmt;
use core::time::Duration;
use std::io::{Read as _, Write as _};
use std::sync::Arc;

use ::rustls::client::WebPkiServerVerifier;
use ::rustls::crypto::{CryptoProvider, aws_lc_rs};
use ::rustls::server::danger::ClientCertVerifier;
use ::rustls::server::{ClientCertVerifierBuilder, WebPkiClientVerifier};
use ::rustls::time_provider::TimeProvider;
use ::rustls::version::{TLS12, TLS13};
use ::rustls::{
    CipherSuite, ClientConfig, ClientConnection, Connection, NamedGroup, RootCertStore,
    ServerConfig, ServerConnection, SignatureScheme,
};
use pki_types::pem::PemObject as _;
use pki_types::{CertificateDer, PrivateKeyDer, UnixTime};

use super::credentials::{Identity, authority_der};
use super::{ClientCertificate, NOW, Setup, Version};
use crate::endpoint::Endpoint;
use crate::wiretap::KeyLog;

/// A rustls connection over memory.
pub struct Rustls {
    connection: Connection,
    received: Vec<u8>,
    completed: bool,
    failure: Option<String>,
}

/// A client that connects to `localhost`.
pub fn client(setup: &Setup) -> Rustls {
    Rustls::client(&Arc::new(client_config(setup)))
}

/// The configuration of a client, to be changed further.
pub fn client_config(setup: &Setup) -> ClientConfig {
    let provider = Arc::new(provider(setup));
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots()), Arc::clone(&provider));
    let builder = ClientConfig::builder_with_details(provider, Arc::new(FixedTime))
        .with_protocol_versions(&[version(setup)])
        .unwrap()
        .with_webpki_verifier(verifier.build().unwrap());
    let mut config = match setup.identity {
        Some(identity) => {
            let (chain, key) = parts(identity);
            builder.with_client_auth_cert(chain, key).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn(setup);
    config.key_log = Arc::new(Log(setup.log.clone()));
    config
}

/// A server.
pub fn server(setup: &Setup) -> Rustls {
    let verifier = match setup.client_certificate {
        ClientCertificate::NotAsked => WebPkiClientVerifier::no_client_auth(),
        ClientCertificate::Optional => client_verifier(setup, roots())
            .allow_unauthenticated()
            .build()
            .unwrap(),
        ClientCertificate::Required => client_verifier(setup, roots()).build().unwrap(),
    };
    Rustls::server(&Arc::new(server_config(setup, verifier)))
}

/// What verifies clients with this trust.
pub fn client_verifier(setup: &Setup, roots: RootCertStore) -> ClientCertVerifierBuilder {
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(provider(setup)))
}

/// The configuration of a server that verifies clients like this, whatever the setup asks for, to
/// be changed further.
pub fn server_config(setup: &Setup, verifier: Arc<dyn ClientCertVerifier>) -> ServerConfig {
    let (chain, key) = parts(setup.identity.expect("a server has a certificate"));
    let provider = Arc::new(provider(setup));
    let mut config = ServerConfig::builder_with_details(provider, Arc::new(FixedTime))
        .with_protocol_versions(&[version(setup)])
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = alpn(setup);
    config.key_log = Arc::new(Log(setup.log.clone()));
    config
}

fn provider(setup: &Setup) -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    if let Some(suite) = setup.suite {
        let wanted = CipherSuite::from(suite.number());
        provider.cipher_suites.retain(|own| own.suite() == wanted);
    }
    if let Some(suite) = setup.tls12_suite {
        let wanted = CipherSuite::from(suite.number);
        provider.cipher_suites.retain(|own| own.suite() == wanted);
    }
    let known = aws_lc_rs::ALL_KX_GROUPS;
    provider.kx_groups = setup
        .groups
        .iter()
        .filter_map(|group| {
            let wanted = NamedGroup::from(group.number());
            known.iter().find(|own| own.name() == wanted).copied()
        })
        .collect();
    if let Some(scheme) = setup.peer_scheme {
        let wanted = SignatureScheme::from(scheme.number());
        let mapping = provider.signature_verification_algorithms.mapping;
        let kept: Vec<_> = mapping
            .iter()
            .filter(|(own, _)| *own == wanted)
            .copied()
            .collect();
        provider.signature_verification_algorithms.mapping = kept.leak();
    }
    provider
}

/// The trust in the authority of this process.
pub fn roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(authority_der().into()).unwrap();
    roots
}

fn parts(identity: &Identity) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).unwrap();
    (vec![identity.leaf.clone().into()], key)
}

fn version(setup: &Setup) -> &'static ::rustls::SupportedProtocolVersion {
    match setup.version {
        Version::Tls12 => &TLS12,
        Version::Tls13 => &TLS13,
    }
}

fn alpn(setup: &Setup) -> Vec<Vec<u8>> {
    setup
        .alpn
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect()
}

impl Rustls {
    /// A client that connects to `localhost`.
    pub fn client(config: &Arc<ClientConfig>) -> Self {
        let name = "localhost".try_into().unwrap();
        let connection = ClientConnection::new(Arc::clone(config), name);
        Self::start(connection.unwrap().into())
    }

    /// A server.
    pub fn server(config: &Arc<ServerConfig>) -> Self {
        Self::start(ServerConnection::new(Arc::clone(config)).unwrap().into())
    }

    fn start(connection: Connection) -> Self {
        Self {
            connection,
            received: Vec::new(),
            completed: false,
            failure: None,
        }
    }

    /// The connection, to look at and to change.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    fn take(&mut self, mut arrived: &[u8]) {
        while !arrived.is_empty() && self.failure.is_none() {
            self.connection
                .read_tls(&mut arrived)
                .expect("reading memory");
            match self.connection.process_new_packets() {
                Ok(state) => {
                    let start = self.received.len();
                    self.received
                        .resize(start + state.plaintext_bytes_to_read(), 0);
                    let room = &mut self.received[start..];
                    self.connection
                        .reader()
                        .read_exact(room)
                        .expect("it is there");
                    if state.peer_has_closed() {
                        self.failure = Some("closed by the peer".to_owned());
                    }
                }
                Err(error) => self.failure = Some(error.to_string()),
            }
            self.completed |= self.failure.is_none() && !self.connection.is_handshaking();
        }
    }
}

impl Endpoint for Rustls {
    fn exchange(&mut self, arrived: &[u8]) -> Vec<u8> {
        self.take(arrived);
        let mut sent = Vec::new();
        while self.connection.wants_write() {
            self.connection
                .write_tls(&mut sent)
                .expect("writing memory");
        }
        sent
    }

    fn write(&mut self, data: &[u8]) {
        self.connection
            .writer()
            .write_all(data)
            .expect("the buffer has room");
    }

    fn close(&mut self) {
        self.connection.send_close_notify();
    }

    fn received(&self) -> &[u8] {
        &self.received
    }

    fn completed(&self) -> bool {
        self.completed
    }

    fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    fn alpn(&self) -> Option<Vec<u8>> {
        self.connection.alpn_protocol().map(<[u8]>::to_vec)
    }

    fn peer_certificate(&self) -> Option<Vec<u8>> {
        Some(self.connection.peer_certificates()?.first()?.to_vec())
    }
}

impl fmt::Debug for Rustls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rustls")
            .field("completed", &self.completed)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct FixedTime;

impl TimeProvider for FixedTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(NOW)))
    }
}

#[derive(Debug)]
struct Log(KeyLog);

impl ::rustls::KeyLog for Log {
    fn log(&self, label: &str, _: &[u8], secret: &[u8]) {
        self.0.record(label, secret);
    }
}
