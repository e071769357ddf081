//! OpenSSL, from the crate `openssl`.

use core::fmt;
use std::collections::VecDeque;
use std::io::{self, Read, Write};

use ::openssl::error::ErrorStack;
use ::openssl::pkey::PKey;
use ::openssl::ssl::{
    AlpnError, ErrorCode, NameType, Ssl, SslContext, SslContextBuilder, SslMethod, SslRef,
    SslStream, SslVerifyMode, SslVersion,
};
use ::openssl::x509::X509;
use ::openssl::x509::store::X509StoreBuilder;

use super::credentials::authority_pem;
use super::{ClientCertificate, NOW, Setup, Version};
use crate::endpoint::{Endpoint, Side};

/// An OpenSSL connection over memory.
pub struct OpenSsl {
    stream: SslStream<Memory>,
    received: Vec<u8>,
    unsent: Vec<u8>,
    completed: bool,
    closes: bool,
    failure: Option<String>,
}

/// A client that connects to `localhost`.
pub fn client(setup: &Setup) -> OpenSsl {
    OpenSsl::client(&client_builder(setup).build())
}

/// The context of a client, to be changed further.
pub fn client_builder(setup: &Setup) -> SslContextBuilder {
    let mut builder = context(setup);
    builder.set_verify(SslVerifyMode::PEER);
    builder.set_alpn_protos(&wire_form(&setup.alpn)).unwrap();
    builder
}

/// A server.
pub fn server(setup: &Setup) -> OpenSsl {
    OpenSsl::server(&server_builder(setup).build())
}

/// The context of a server, to be changed further.
pub fn server_builder(setup: &Setup) -> SslContextBuilder {
    let mut builder = context(setup);
    builder.set_verify(match setup.client_certificate {
        ClientCertificate::NotAsked => SslVerifyMode::NONE,
        ClientCertificate::Optional => SslVerifyMode::PEER,
        ClientCertificate::Required => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
    });
    let ours = setup.alpn.clone();
    builder.set_alpn_select_callback(move |_, theirs| match choose(&ours, theirs) {
        _ if ours.is_empty() => Err(AlpnError::NOACK),
        Some(name) => Ok(name),
        None => Err(AlpnError::ALERT_FATAL),
    });
    builder
}

fn context(setup: &Setup) -> SslContextBuilder {
    let mut builder = SslContext::builder(SslMethod::tls()).unwrap();
    let version = Some(match setup.version {
        Version::Tls12 => SslVersion::TLS1_2,
        Version::Tls13 => SslVersion::TLS1_3,
    });
    builder.set_min_proto_version(version).unwrap();
    builder.set_max_proto_version(version).unwrap();
    if let Some(suite) = setup.suite {
        builder.set_ciphersuites(suite.name()).unwrap();
    }
    if let Some(suite) = setup.tls12_suite {
        builder.set_cipher_list(suite.openssl_name).unwrap();
    }
    let mut groups: Vec<&str> = setup.groups.iter().map(|g| g.openssl_name()).collect();
    if setup.version == Version::Tls12 {
        // They say on which curves the keys of certificates may be, too.
        groups.push("P-521");
    }
    builder.set_groups_list(&groups.join(":")).unwrap();
    if let Some(scheme) = setup.peer_scheme {
        // The certificates themselves are signed with ECDSA.
        let list = format!("{}:ecdsa_secp256r1_sha256", scheme.name());
        builder.set_sigalgs_list(&list).unwrap();
    }
    if let Some(identity) = setup.identity {
        set_identity(&mut builder, &identity.chain_pem, &identity.key_pem).unwrap();
    }
    let mut store = X509StoreBuilder::new().unwrap();
    let authority = X509::from_pem(authority_pem().as_bytes()).unwrap();
    store.add_cert(authority).unwrap();
    builder.set_verify_cert_store(store.build()).unwrap();
    builder
        .verify_param_mut()
        .set_time(i64::try_from(NOW).unwrap());
    let log = setup.log.clone();
    builder.set_keylog_callback(move |_, line| log.record_line(line));
    builder
}

/// Sets a chain, leaf first, and its key.
pub(crate) fn set_identity(
    builder: &mut SslContextBuilder,
    chain: &str,
    key: &str,
) -> Result<(), ErrorStack> {
    let mut certificates = X509::stack_from_pem(chain.as_bytes())?.into_iter();
    let leaf = certificates.next().expect("a chain has a leaf");
    builder.set_certificate(&leaf)?;
    for certificate in certificates {
        builder.add_extra_chain_cert(certificate)?;
    }
    let key = PKey::private_key_from_pem(key.as_bytes())?;
    builder.set_private_key(&key)
}

fn wire_form(protocols: &[&str]) -> Vec<u8> {
    let mut wire = Vec::new();
    for protocol in protocols {
        wire.push(u8::try_from(protocol.len()).expect("a short name"));
        wire.extend_from_slice(protocol.as_bytes());
    }
    wire
}

/// The first of our protocols that is among theirs, as it stands there.
fn choose<'t>(ours: &[&str], theirs: &'t [u8]) -> Option<&'t [u8]> {
    let mut offered = Vec::new();
    let mut rest = theirs;
    while let Some((length, after)) = rest.split_first() {
        let (name, after) = after.split_at_checked(usize::from(*length))?;
        offered.push(name);
        rest = after;
    }
    ours.iter()
        .find_map(|own| offered.iter().find(|name| **name == own.as_bytes()))
        .copied()
}

impl OpenSsl {
    /// A client that connects to `localhost`.
    pub fn client(context: &SslContext) -> Self {
        let mut ssl = Ssl::new(context).unwrap();
        ssl.set_hostname("localhost").unwrap();
        ssl.param_mut().set_host("localhost").unwrap();
        Self::start(ssl, Side::Client)
    }

    /// A server.
    pub fn server(context: &SslContext) -> Self {
        Self::start(Ssl::new(context).unwrap(), Side::Server)
    }

    /// Begins a connection that is set up already.
    pub fn start(mut ssl: Ssl, side: Side) -> Self {
        match side {
            Side::Client => ssl.set_connect_state(),
            Side::Server => ssl.set_accept_state(),
        }
        Self {
            stream: SslStream::new(ssl, Memory::default()).unwrap(),
            received: Vec::new(),
            unsent: Vec::new(),
            completed: false,
            closes: false,
            failure: None,
        }
    }

    /// The connection, to look at.
    pub fn ssl(&self) -> &SslRef {
        self.stream.ssl()
    }

    /// The server name that the client asked for.
    pub fn server_name(&self) -> Option<&str> {
        self.ssl().servername(NameType::HOST_NAME)
    }

    fn advance(&mut self) -> Result<(), ::openssl::ssl::Error> {
        // An error that a verify callback tolerated stays in the queue of the thread, where
        // the next call would take it for its own.
        drop(ErrorStack::get());
        if !self.completed {
            self.stream.do_handshake()?;
            self.completed = true;
            drop(ErrorStack::get());
        }
        if !self.unsent.is_empty() {
            let unsent = core::mem::take(&mut self.unsent);
            self.stream.ssl_write(&unsent)?;
        }
        let mut buffer = [0; 4_096];
        loop {
            let length = self.stream.ssl_read(&mut buffer)?;
            self.received.extend_from_slice(&buffer[..length]);
        }
    }
}

impl Endpoint for OpenSsl {
    fn exchange(&mut self, arrived: &[u8]) -> Vec<u8> {
        self.stream.get_mut().arrived.extend(arrived);
        if self.failure.is_none()
            && let Err(error) = self.advance()
            && error.code() != ErrorCode::WANT_READ
        {
            self.failure = Some(match error.code() {
                ErrorCode::ZERO_RETURN => "closed by the peer".to_owned(),
                _ => error.to_string(),
            });
        }
        if core::mem::take(&mut self.closes) {
            drop(ErrorStack::get());
            // It says whether the other end has closed too, which does not matter here.
            let _ = self.stream.shutdown();
        }
        core::mem::take(&mut self.stream.get_mut().sent)
    }

    fn write(&mut self, data: &[u8]) {
        self.unsent.extend_from_slice(data);
    }

    fn close(&mut self) {
        self.closes = true;
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
        self.ssl().selected_alpn_protocol().map(<[u8]>::to_vec)
    }

    fn peer_certificate(&self) -> Option<Vec<u8>> {
        Some(self.ssl().peer_certificate()?.to_der().unwrap())
    }
}

impl fmt::Debug for OpenSsl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSsl")
            .field("completed", &self.completed)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

/// A transport that has what was put into it and nothing more, yet.
#[derive(Debug, Default)]
struct Memory {
    arrived: VecDeque<u8>,
    sent: Vec<u8>,
}

impl Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.arrived.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.arrived.read(buffer)
    }
}

impl Write for Memory {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.sent.extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
