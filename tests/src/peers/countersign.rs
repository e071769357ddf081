//! countersign itself, behind the same interface as its peers.

use core::fmt;
use core::task::Poll;
use core::time::Duration;
use std::io::IoSlice;
use std::sync::Arc;

use ::countersign::{
    CipherSuite, ClientConfig, ClientSide, Clock, Completed, ConfigBuilder, Connection, Credential,
    CredentialQuestion, Error, Event, KeyLog as CountersignKeyLog, NamedGroup, PeerQuestion,
    ProtocolVersion, Question, ServerConfig, ServerSide, SignatureScheme, TrustStore, Verdict,
    VerifyMode,
};
use pki_types::UnixTime;

use super::credentials::authority_pem;
use super::{ClientCertificate, NOW, Setup, Version};
use crate::endpoint::Endpoint;
use crate::wiretap::KeyLog;

/// Looks at a question and answers it, or hands it back to be asked again later.
pub type Answerer = dyn FnMut(&Question) -> Option<Verdict> + Send;

/// Says which credential is to be shown, or wants to be asked again in the next exchange.
pub type Chooser = dyn FnMut(&CredentialQuestion) -> Poll<Option<Credential>> + Send;

/// A countersign connection over memory.
pub struct Countersign {
    connection: Connection,
    input: Vec<u8>,
    output: Vec<u8>,
    received: Vec<u8>,
    unsent: Vec<u8>,
    completions: Vec<Completed>,
    closes: bool,
    closed: bool,
    question: Option<Question>,
    answerer: Option<Box<Answerer>>,
    chooser: Option<Box<Chooser>>,
    error: Option<Error>,
    failure: Option<String>,
}

/// A client that connects to `localhost`.
pub fn client(setup: &Setup) -> Countersign {
    Countersign::client(&client_builder(setup).build().unwrap())
}

/// A server.
pub fn server(setup: &Setup) -> Countersign {
    Countersign::server(&server_builder(setup).build().unwrap())
}

/// The configuration of a client, to be changed further.
pub fn client_builder(setup: &Setup) -> ConfigBuilder<ClientSide> {
    common(ClientConfig::builder(), setup)
}

/// The configuration of a server, to be changed further.
pub fn server_builder(setup: &Setup) -> ConfigBuilder<ServerSide> {
    common(ServerConfig::builder(), setup).verify(match setup.client_certificate {
        ClientCertificate::NotAsked => VerifyMode::NONE,
        ClientCertificate::Optional => VerifyMode::PEER,
        ClientCertificate::Required => VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT,
    })
}

fn common<R>(builder: ConfigBuilder<R>, setup: &Setup) -> ConfigBuilder<R> {
    let groups = setup.groups.iter().map(|group| group.number());
    let mut builder = builder
        .versions([match setup.version {
            Version::Tls12 => ProtocolVersion::Tls12,
            Version::Tls13 => ProtocolVersion::Tls13,
        }])
        .trust(TrustStore::from_pem(authority_pem().as_bytes()).unwrap())
        .clock(FixedTime)
        .key_log(Log(setup.log.clone()))
        .groups(groups.map(|number| NamedGroup::from_u16(number).unwrap()))
        .alpn(&setup.alpn);
    if let Some(suite) = setup.suite {
        builder = builder.suites([CipherSuite::from_u16(suite.number()).unwrap()]);
    }
    if let Some(suite) = setup.tls12_suite {
        builder = builder.suites([CipherSuite::from_u16(suite.number).unwrap()]);
    }
    if let Some(scheme) = setup.peer_scheme {
        builder = builder.signature_schemes([SignatureScheme::from(scheme.number())]);
    }
    if let Some(identity) = setup.identity {
        let (chain, key) = (&identity.chain_pem, &identity.key_pem);
        builder =
            builder.credential(Credential::from_pem(chain.as_bytes(), key.as_bytes()).unwrap());
    }
    builder
}

impl Countersign {
    /// A client that connects to `localhost`.
    pub fn client(config: &Arc<ClientConfig>) -> Self {
        Self::client_of(config, "localhost")
    }

    /// A client that connects to a server of this name.
    pub fn client_of(config: &Arc<ClientConfig>, name: &str) -> Self {
        let mut output = Vec::new();
        let name = name.try_into().expect("a server name");
        let connection = Connection::client(config, name, &mut output).unwrap();
        Self::start(connection, output)
    }

    /// A server.
    pub fn server(config: &Arc<ServerConfig>) -> Self {
        Self::start(Connection::server(config), Vec::new())
    }

    fn start(connection: Connection, output: Vec<u8>) -> Self {
        Self {
            connection,
            input: Vec::new(),
            output,
            received: Vec::new(),
            unsent: Vec::new(),
            completions: Vec::new(),
            closes: false,
            closed: false,
            question: None,
            answerer: None,
            chooser: None,
            error: None,
            failure: None,
        }
    }

    /// Sets who answers questions. Without one they stay open.
    pub fn on_question(
        &mut self,
        answerer: impl FnMut(&Question) -> Option<Verdict> + Send + 'static,
    ) {
        self.answerer = Some(Box::new(answerer));
    }

    /// Sets who answers questions about credentials. Without one they stay open.
    pub fn on_credential_question(
        &mut self,
        chooser: impl FnMut(&CredentialQuestion) -> Poll<Option<Credential>> + Send + 'static,
    ) {
        self.chooser = Some(Box::new(chooser));
    }

    /// The connection, to look at.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The connection, to change, and where it writes.
    pub fn connection_and_output(&mut self) -> (&mut Connection, &mut Vec<u8>) {
        (&mut self.connection, &mut self.output)
    }

    /// What was completed, in order.
    pub fn completions(&self) -> &[Completed] {
        &self.completions
    }

    /// What ended the connection.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Whether a question is open.
    pub fn asks(&self) -> bool {
        self.question.is_some()
    }

    /// The open question, to be answered with [`Connection::answer`] or not at all.
    pub fn take_question(&mut self) -> Option<Question> {
        self.question.take()
    }

    /// Whether the peer closed the connection properly.
    pub fn peer_closed(&self) -> bool {
        self.closed
    }

    /// Answers the open question.
    pub fn answer(&mut self, verdict: Verdict) {
        let question = self.question.take().expect("a question is open");
        let answer = peer_question(question).answer(verdict);
        let answered = self.connection.answer(answer, &mut self.output);
        self.note(answered);
    }

    /// Tells the connection that no more will come.
    pub fn end_of_input(&mut self) {
        let ended = self.connection.end_of_input();
        self.note(ended);
    }

    fn note(&mut self, outcome: Result<(), Error>) {
        if let Err(error) = outcome {
            self.failure = Some(format!("{error:?}"));
            self.error = Some(error);
        }
    }

    fn settle_question(&mut self) {
        self.settle_credential_question();
        while let (Some(question @ Question::Peer(_)), Some(answerer)) =
            (&self.question, &mut self.answerer)
        {
            if let Some(verdict) = answerer(question) {
                self.answer(verdict);
            }
        }
    }

    fn settle_credential_question(&mut self) {
        let (Some(Question::Credential(question)), Some(chooser)) =
            (&self.question, &mut self.chooser)
        else {
            return;
        };
        let Poll::Ready(credential) = chooser(question) else {
            return;
        };
        if let Some(Question::Credential(question)) = self.question.take() {
            let answer = question.answer(credential);
            let answered = self.connection.answer(answer, &mut self.output);
            self.note(answered);
        }
    }

    /// One step; false when there is nothing more to do.
    fn step(&mut self) -> bool {
        self.settle_question();
        if self.failure.is_some() || self.question.is_some() || self.closed {
            return false;
        }
        let received = self.connection.receive(&mut self.input, &mut self.output);
        let received = match received {
            Ok(received) => received,
            Err(error) => {
                self.note(Err(error));
                return false;
            }
        };
        let mut more = true;
        match received.event {
            Event::NeedInput => more = false,
            Event::Data(range) => self.received.extend_from_slice(&self.input[range]),
            Event::Question(question) => self.question = Some(question),
            Event::Completed(what) => self.completions.push(what),
            Event::PeerClosed => {
                self.closed = true;
                self.failure = Some("closed by the peer".to_owned());
            }
            other => panic!("unknown event {other:?}"),
        }
        self.input.drain(..received.consumed);
        more
    }
}

/// The question about a peer that this question is.
pub fn peer_question(question: Question) -> PeerQuestion {
    match question {
        Question::Peer(question) => question,
        other => panic!("no question about a peer: {other:?}"),
    }
}

impl Endpoint for Countersign {
    fn exchange(&mut self, arrived: &[u8]) -> Vec<u8> {
        self.input.extend_from_slice(arrived);
        while self.step() {}
        if self.is_fine() && !self.unsent.is_empty() {
            let unsent = core::mem::take(&mut self.unsent);
            let sent = self
                .connection
                .send(&[IoSlice::new(&unsent)], &mut self.output);
            self.note(sent.map(|_| ()));
        }
        if self.closes {
            self.closes = false;
            self.connection.close(&mut self.output);
        }
        core::mem::take(&mut self.output)
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
        !self.completions.is_empty()
    }

    fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    fn alpn(&self) -> Option<Vec<u8>> {
        self.connection.agreed()?.alpn.clone()
    }

    fn peer_certificate(&self) -> Option<Vec<u8>> {
        Some(self.connection.peer()?.leaf()?.to_vec())
    }
}

impl fmt::Debug for Countersign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Countersign")
            .field("connection", &self.connection)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

/// A clock that stands at [`NOW`].
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "it has no parts")]
pub struct FixedTime;

impl Clock for FixedTime {
    fn now(&self) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(NOW))
    }
}

/// Keeps the secrets that countersign logs.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "it wraps a log")]
pub struct Log(pub KeyLog);

impl CountersignKeyLog for Log {
    fn log(&self, label: &str, _: &[u8; 32], secret: &[u8]) {
        self.0.record(label, secret);
    }
}
