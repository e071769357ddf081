//! Two connections face to face in memory, and certificates for them.

#![allow(dead_code, reason = "each test uses its part")]

use std::io::IoSlice;
use std::sync::Arc;

use countersign::{
    Answer, ClientConfig, Completed, Connection, Credential, Error, Event, Question, ServerConfig,
    TrustStore,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

/// A throwaway authority.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// What a certificate is for.
#[derive(Clone, Copy)]
pub enum For {
    Server,
    Client,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer }
    }

    pub fn trust(&self) -> TrustStore {
        TrustStore::from_pem(self.issuer.pem().as_bytes()).unwrap()
    }

    pub fn issue(&self, name: &str, purpose: For) -> Credential {
        self.issue_with(name, purpose, |_| {})
    }

    pub fn issue_with(
        &self,
        name: &str,
        purpose: For,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Credential {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![match purpose {
            For::Server => ExtendedKeyUsagePurpose::ServerAuth,
            For::Client => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Credential::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap()
    }
}

/// One end: a connection, what it has to send, what it has received.
pub struct End {
    pub connection: Connection,
    pub output: Vec<u8>,
    pub input: Vec<u8>,
    pub data: Vec<u8>,
    pub completed: Vec<Completed>,
    pub questions: Vec<Question>,
    pub error: Option<Error>,
    pub peer_closed: bool,
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
    pub fn process(&mut self) {
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

    pub fn send(&mut self, data: &[u8]) -> Result<usize, Error> {
        self.connection
            .send(&[IoSlice::new(data)], &mut self.output)
    }

    pub fn answer(&mut self, answer: impl FnOnce(Question) -> Answer) {
        let question = self.questions.pop().expect("a question is open");
        if let Err(error) = self.connection.answer(answer(question), &mut self.output) {
            self.error = Some(error);
        }
    }
}

/// A client and a server.
pub struct Pair {
    pub client: End,
    pub server: End,
}

impl Pair {
    pub fn new(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Self {
        let mut output = Vec::new();
        let name = "server.example".try_into().unwrap();
        let connection = Connection::client(client, name, &mut output).unwrap();
        Self {
            client: End::new(connection, output),
            server: End::new(Connection::server(server), Vec::new()),
        }
    }

    /// Carries bytes to and fro until both ends are idle.
    pub fn run(&mut self) {
        self.run_in_pieces(usize::MAX);
    }

    /// The same, in pieces of at most `size` bytes.
    pub fn run_in_pieces(&mut self, size: usize) {
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
    pub fn assert_alive(&mut self) {
        self.client.send(b"from client").unwrap();
        self.server.send(b"from server").unwrap();
        self.run();
        assert_eq!(std::mem::take(&mut self.server.data), b"from client");
        assert_eq!(std::mem::take(&mut self.client.data), b"from server");
    }
}
