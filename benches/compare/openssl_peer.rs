//! OpenSSL, through its binding.

use std::cell::RefCell;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::rc::Rc;

use openssl::pkey::PKey;
use openssl::ssl::{
    ErrorCode, ShutdownState, Ssl, SslContext, SslContextBuilder, SslMethod, SslOptions,
    SslSessionCacheMode, SslStream, SslVerifyMode, SslVersion,
};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;

use crate::certificates::{Certificates, Identity};
use crate::library::{
    Authentication, Case, Cipher, FLIGHT, Group, Kind, Library, SERVER_NAME, Transfer, Version,
};
use crate::measuring::{Operation, Outcome, ensure};

pub(crate) struct OpenSsl {
    client: SslContext,
    server: SslContext,
    authentication: Authentication,
    /// Where sessions are resumed: the client of the last handshake, which has the ticket.
    last_client: RefCell<Option<SslStream<Pipe>>>,
}

impl OpenSsl {
    pub(crate) fn new(certificates: &Certificates, case: &Case) -> Outcome<Self> {
        let mut client = context(certificates, case)?;
        client.set_verify(SslVerifyMode::PEER);
        let mut server = context(certificates, case)?;
        identify(&mut server, &certificates.server)?;
        match case.kind {
            Kind::Full => server.set_num_tickets(0)?,
            Kind::Resumed => {
                server.set_num_tickets(1)?;
                server.set_session_id_context(b"bench")?;
            }
        }
        if case.authentication == Authentication::Mutual {
            identify(&mut client, &certificates.client)?;
            server.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        }
        let made = Self {
            client: client.build(),
            server: server.build(),
            authentication: case.authentication,
            last_client: RefCell::default(),
        };
        if case.kind == Kind::Resumed {
            let client = made.new_client()?;
            let (client, _) = made.connect(client, false)?;
            made.last_client.replace(Some(client));
        }
        Ok(made)
    }

    fn new_client(&self) -> Outcome<SslStream<Pipe>> {
        let mut client = Ssl::new(&self.client)?;
        client.set_hostname(SERVER_NAME)?;
        client.param_mut().set_host(SERVER_NAME)?;
        Ok(SslStream::new(client, Pipe::default())?)
    }

    /// A handshake with the ticket of the last one.
    ///
    /// The binding lets a new client take a session only in unsafe code. What is left is the
    /// client of the last handshake, started again as after `SSL_clear(3)`, which keeps the session of a
    /// connection that was shut down. Of the safe calls, this one clears first and then
    /// goes on as the side that it was, whatever its name says.
    fn resume(&self) -> Outcome<()> {
        let client = self.last_client.borrow_mut().take();
        let mut client = client.ok_or("there is nothing to resume")?;
        client.set_shutdown(ShutdownState::SENT | ShutdownState::RECEIVED);
        client.stateless().ok();
        let (client, _) = self.connect(client, true)?;
        self.last_client.replace(Some(client));
        Ok(())
    }

    fn connect(
        &self,
        mut client: SslStream<Pipe>,
        resumed: bool,
    ) -> Outcome<(SslStream<Pipe>, SslStream<Pipe>)> {
        let pipe = client.get_ref().other_end();
        let mut server = SslStream::new(Ssl::new(&self.server)?, pipe)?;
        let (mut client_done, mut server_done) = (false, false);
        while !(client_done && server_done) {
            client_done = client_done || is_done(client.connect())?;
            server_done = server_done || is_done(server.accept())?;
        }
        // The ticket is read along with data.
        let nothing = client.ssl_read(&mut [0]).err();
        ensure(
            nothing.is_some_and(|error| error.code() == ErrorCode::WANT_READ),
            "there is something else than a ticket",
        )?;
        let is_mutual = self.authentication == Authentication::Mutual;
        ensure(
            client.ssl().peer_certificate().is_some(),
            "the server is not verified",
        )?;
        ensure(
            server.ssl().peer_certificate().is_some() == is_mutual,
            "the client's authentication is not as wanted",
        )?;
        ensure(
            client.ssl().session_reused() == resumed,
            "the handshake is not of the kind wanted",
        )?;
        Ok((client, server))
    }
}

fn context(certificates: &Certificates, case: &Case) -> Outcome<SslContextBuilder> {
    let mut context = SslContext::builder(SslMethod::tls())?;
    let version = match case.version {
        Version::Tls12 => SslVersion::TLS1_2,
        Version::Tls13 => SslVersion::TLS1_3,
    };
    context.set_min_proto_version(Some(version))?;
    context.set_max_proto_version(Some(version))?;
    // One of each version, of which one counts.
    let (suite, suite_of_tls12) = match case.cipher {
        Cipher::Aes128Gcm => ("TLS_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"),
        Cipher::ChaCha20Poly1305 => (
            "TLS_CHACHA20_POLY1305_SHA256",
            "ECDHE-ECDSA-CHACHA20-POLY1305",
        ),
    };
    context.set_ciphersuites(suite)?;
    context.set_cipher_list(suite_of_tls12)?;
    context.set_groups_list(match (case.version, case.group) {
        (Version::Tls12, _) => "X25519:P-256",
        (Version::Tls13, Group::X25519) => "X25519",
        (Version::Tls13, Group::X25519MlKem768) => "X25519MLKEM768",
    })?;
    context.set_session_cache_mode(SslSessionCacheMode::OFF);
    if case.kind == Kind::Full {
        context.set_options(SslOptions::NO_TICKET);
    }
    let mut store = X509StoreBuilder::new()?;
    store.add_cert(X509::from_der(&certificates.root)?)?;
    context.set_cert_store(store.build());
    Ok(context)
}

fn identify(context: &mut SslContextBuilder, identity: &Identity) -> Outcome<()> {
    let [leaf, intermediates @ ..] = identity.chain.as_slice() else {
        return Err("an identity without a certificate".into());
    };
    let leaf = X509::from_der(leaf)?;
    context.set_certificate(&leaf)?;
    for intermediate in intermediates {
        context.add_extra_chain_cert(X509::from_der(intermediate)?)?;
    }
    context.set_private_key(PKey::private_key_from_der(identity.key.secret_der())?.as_ref())?;
    Ok(())
}

/// Whether a step of the handshake was the last; having to wait is no error.
fn is_done(step: Result<(), openssl::ssl::Error>) -> Outcome<bool> {
    match step {
        Ok(()) => Ok(true),
        Err(error) if error.code() == ErrorCode::WANT_READ => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Bytes under way, and how many of them are already read.
type Wire = Rc<RefCell<(Vec<u8>, usize)>>;

/// One end of two wires.
#[derive(Debug, Default)]
struct Pipe {
    incoming: Wire,
    outgoing: Wire,
}

impl Pipe {
    fn other_end(&self) -> Self {
        Self {
            incoming: Rc::clone(&self.outgoing),
            outgoing: Rc::clone(&self.incoming),
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut wire = self.incoming.borrow_mut();
        let (bytes, position) = &mut *wire;
        let length = (&bytes[*position..]).read(buffer)?;
        *position += length;
        if *position == bytes.len() {
            bytes.clear();
            *position = 0;
        }
        if length == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(length)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outgoing.borrow_mut().0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Operation for OpenSsl {
    fn name(&self) -> &'static str {
        "openssl"
    }

    fn run(&self) -> Outcome<()> {
        if self.last_client.borrow().is_some() {
            self.resume()
        } else {
            self.connect(self.new_client()?, false).map(|_| ())
        }
    }
}

impl Library for OpenSsl {
    fn transfer(&self, record: usize) -> Outcome<Box<dyn Transfer>> {
        let (client, server) = self.connect(self.new_client()?, false)?;
        Ok(Box::new(Pair {
            client,
            server,
            data: vec![7; record],
            buffer: vec![0; 16_384],
        }))
    }
}

struct Pair {
    client: SslStream<Pipe>,
    server: SslStream<Pipe>,
    data: Vec<u8>,
    buffer: Vec<u8>,
}

impl Transfer for Pair {
    fn send(&mut self) -> Outcome<()> {
        for _ in 0..FLIGHT / self.data.len() {
            self.client.write_all(&self.data)?;
        }
        Ok(())
    }

    fn receive(&mut self) -> Outcome<usize> {
        let mut seen = 0;
        while seen < FLIGHT {
            let length = self.server.read(&mut self.buffer)?;
            seen += black_box(&self.buffer[..length]).len();
        }
        Ok(seen)
    }
}
