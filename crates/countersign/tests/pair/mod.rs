//! Two connections face to face in memory, and certificates for them.

#![allow(dead_code, reason = "each test uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

use std::io::IoSlice;
use std::sync::Arc;

use countersign::{
    Answer, ClientConfig, Completed, Connection, Credential, Error, Event, Presented, Question,
    ServerConfig, TrustStore, Verification, Verifier,
};
use pki_types::{CertificateDer, PrivateKeyDer};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

/// A throwaway authority.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// What a certificate is for.
#[derive(Clone, Copy)]
pub(crate) enum For {
    Server,
    Client,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer }
    }

    pub(crate) fn trust(&self) -> TrustStore {
        TrustStore::from_pem(self.issuer.pem().as_bytes()).unwrap()
    }

    pub(crate) fn issue(&self, name: &str, purpose: For) -> Credential {
        self.issue_with(name, purpose, |_| {})
    }

    pub(crate) fn issue_with(
        &self,
        name: &str,
        purpose: For,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Credential {
        let (chain, key) = self.issue_parts_with(name, purpose, change);
        Credential::new(chain, &key).unwrap()
    }

    pub(crate) fn issue_parts(
        &self,
        name: &str,
        purpose: For,
    ) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        self.issue_parts_with(name, purpose, |_| {})
    }

    fn issue_parts_with(
        &self,
        name: &str,
        purpose: For,
        change: impl FnOnce(&mut CertificateParams),
    ) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![match purpose {
            For::Server => ExtendedKeyUsagePurpose::ServerAuth,
            For::Client => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
    }
}

/// One end: a connection, what it has to send, what it has received.
pub(crate) struct End {
    pub(crate) connection: Connection,
    pub(crate) output: Vec<u8>,
    pub(crate) input: Vec<u8>,
    pub(crate) data: Vec<u8>,
    pub(crate) completed: Vec<Completed>,
    pub(crate) questions: Vec<Question>,
    pub(crate) error: Option<Error>,
    pub(crate) peer_closed: bool,
}

impl End {
    fn new(connection: Connection, output: Vec<u8>) -> Self {
        Self {
            connection,
            output,
            input: Vec::new(),
            data: Vec::new(),
            completed: Vec::new(),
            questions: Vec::new(),
            error: None,
            peer_closed: false,
        }
    }

    /// Processes what is in `input` until nothing more happens.
    pub(crate) fn process(&mut self) {
        while self.error.is_none() && !self.peer_closed && self.questions.is_empty() {
            match self.connection.receive(&mut self.input, &mut self.output) {
                Err(error) => self.error = Some(error),
                Ok(received) => {
                    let mut more = true;
                    match received.event {
                        Event::NeedInput => more = false,
                        Event::Data(range) => self.data.extend_from_slice(&self.input[range]),
                        Event::Completed(what) => self.completed.push(what),
                        Event::Question(question) => self.questions.push(question),
                        Event::PeerClosed => self.peer_closed = true,
                        _ => {}
                    }
                    self.input.drain(..received.consumed);
                    if !more {
                        return;
                    }
                }
            }
        }
    }

    pub(crate) fn send(&mut self, data: &[u8]) -> Result<usize, Error> {
        self.connection
            .send(&[IoSlice::new(data)], &mut self.output)
    }

    pub(crate) fn answer(&mut self, answer: impl FnOnce(Question) -> Answer) {
        let question = self.questions.pop().expect("a question is open");
        if let Err(error) = self.connection.answer(answer(question), &mut self.output) {
            self.error = Some(error);
        }
    }
}

/// A verifier that always needs time.
pub(crate) struct Later;

impl Verifier for Later {
    fn verify(&self, _: &Presented<'_>) -> Verification {
        Verification::Later
    }
}

/// A client and a server.
pub(crate) struct Pair {
    pub(crate) client: End,
    pub(crate) server: End,
}

impl Pair {
    pub(crate) fn new(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Self {
        Self::named("server.example", client, server)
    }

    pub(crate) fn named(
        name: &'static str,
        client: &Arc<ClientConfig>,
        server: &Arc<ServerConfig>,
    ) -> Self {
        let mut output = Vec::new();
        let name = name.try_into().unwrap();
        let connection = Connection::client(client, name, &mut output).unwrap();
        Self {
            client: End::new(connection, output),
            server: End::new(Connection::server(server), Vec::new()),
        }
    }

    /// Carries bytes to and fro until both ends are idle.
    pub(crate) fn run(&mut self) {
        self.run_in_pieces(usize::MAX);
    }

    /// The same, in pieces of at most `size` bytes.
    pub(crate) fn run_in_pieces(&mut self, size: usize) {
        loop {
            let before = (self.client.output.len(), self.server.output.len());
            let to_server = std::mem::take(&mut self.client.output);
            let to_client = std::mem::take(&mut self.server.output);
            for piece in to_server.chunks(size.min(to_server.len().max(1))) {
                self.server.input.extend_from_slice(piece);
                self.server.process();
            }
            for piece in to_client.chunks(size.min(to_client.len().max(1))) {
                self.client.input.extend_from_slice(piece);
                self.client.process();
            }
            if before == (0, 0) && self.client.output.is_empty() && self.server.output.is_empty() {
                return;
            }
        }
    }

    /// Checks that data flows both ways.
    pub(crate) fn assert_alive(&mut self) {
        self.client.send(b"from client").unwrap();
        self.server.send(b"from server").unwrap();
        self.run();
        assert_eq!(std::mem::take(&mut self.server.data), b"from client");
        assert_eq!(std::mem::take(&mut self.client.data), b"from server");
    }
}
