//! A connection that talks to the terminal: bytes go both ways at the same time.
//!
//! The connection stays on one thread, which never waits for the socket: [`Plumbing`] does that.

use std::io::{self, IoSlice, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::{
    Alert, ClientConfig, Completed, Connection, Credential, Error, Event, Question, Since,
    StreamError,
};
use pki_types::ServerName;
use serde::Serialize;

use crate::failure::Exit;
use crate::observe::{self, Trouble};
use crate::patient::is_timeout;
use crate::plumbing::{Incoming, Plumbing};
use crate::terminal;
use crate::wire;

/// How long the peer may be silent after this side has closed.
const SETTLE: Duration = Duration::from_secs(2);

/// How many names of authorities are kept of a request.
const MOST_AUTHORITIES: usize = 64;

/// What one step of the connection led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    NeedsInput,
    Completed,
    PeerClosed,
}

/// A request for a certificate, and what was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RequestAnswered {
    /// When the server asked.
    pub when: When,
    /// The authorities of which the server would like it to be; any, if there is none.
    pub authorities: Vec<String>,
    /// The schemes in which the server can verify a signature.
    pub schemes: Vec<String>,
    /// Whose certificate was sent, if any.
    pub sent: Option<String>,
}

/// When a server asks for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum When {
    /// In the handshake.
    Handshake,
    /// After it.
    AfterHandshake,
    /// In a renegotiation (TLS 1.2).
    Renegotiation,
}

impl From<Since> for When {
    fn from(since: Since) -> Self {
        match since {
            Since::PostHandshake => Self::AfterHandshake,
            Since::Renegotiation => Self::Renegotiation,
            _ => Self::Handshake,
        }
    }
}

impl RequestAnswered {
    /// In a sentence, without its full stop.
    pub(crate) fn line(&self) -> String {
        let when = match self.when {
            When::Handshake => "in the handshake",
            When::AfterHandshake => "after the handshake",
            When::Renegotiation => "in a renegotiation",
        };
        let sent = self.sent.as_deref().unwrap_or("none");
        format!("the server asked for a certificate {when}: sent {sent}")
    }
}

/// A client's connection.
pub(crate) struct Session {
    connection: Connection,
    plumbing: Plumbing,
    received: Vec<u8>,
    output: Vec<u8>,
    /// What is to be sent as soon as a renegotiation is complete; bounded by how little of stdin is read ahead.
    unsent: Vec<u8>,
    renegotiations: u32,
    /// How much application data has arrived.
    data_received: u64,
    /// What is shown to a server that asks.
    credential: Option<Credential>,
    /// A request that is being answered.
    asked: Option<RequestAnswered>,
    /// It is being answered without a certificate.
    declined: bool,
    requests: Vec<RequestAnswered>,
    /// Say on stderr what happened after the handshake.
    announces: bool,
}

impl Session {
    /// Sends the first message. `patience` bounds each write.
    pub(crate) fn start(
        config: &Arc<ClientConfig>,
        name: ServerName<'_>,
        socket: TcpStream,
        patience: Duration,
    ) -> Result<Self, StreamError> {
        let mut output = Vec::new();
        let connection = Connection::client(config, name, &mut output)?;
        let mut session = Self {
            connection,
            plumbing: Plumbing::new(socket, patience)?,
            received: Vec::new(),
            output,
            unsent: Vec::new(),
            renegotiations: 0,
            data_received: 0,
            credential: None,
            asked: None,
            declined: false,
            requests: Vec::new(),
            announces: false,
        };
        session.flush();
        Ok(session)
    }

    /// Shows this certificate to a server that asks, in the handshake and later.
    pub(crate) fn present(&mut self, credential: Option<Credential>) {
        self.credential = credential;
    }

    /// Says on stderr, from now on, what happens after the handshake: requests that are answered, renegotiations.
    pub(crate) fn announce(&mut self) {
        self.announces = true;
    }

    /// The requests for a certificate so far.
    pub(crate) fn requests(&self) -> &[RequestAnswered] {
        &self.requests
    }

    /// How often the handshake was made again.
    pub(crate) fn renegotiations(&self) -> u32 {
        self.renegotiations
    }

    /// The connection, to look at.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Completes the handshake within `patience`.
    pub(crate) fn handshake(&mut self, patience: Duration) -> Result<(), StreamError> {
        self.complete(&mut io::sink(), patience)
    }

    /// Makes the handshake again within `patience`. Data that comes in meanwhile is passed to `sink`.
    pub(crate) fn renegotiate(
        &mut self,
        sink: &mut dyn Write,
        patience: Duration,
    ) -> Result<(), StreamError> {
        self.connection.renegotiate(&mut self.output)?;
        self.flush();
        self.complete(sink, patience)
    }

    /// Waits until something is completed.
    fn complete(&mut self, sink: &mut dyn Write, patience: Duration) -> Result<(), StreamError> {
        let begun = Instant::now();
        loop {
            match self.step(sink)? {
                Step::Completed => return Ok(()),
                Step::PeerClosed => return Err(Error::Closed.into()),
                Step::NeedsInput => {}
            }
            let left = patience.saturating_sub(begun.elapsed());
            let Some(incoming) = self.plumbing.next(Some(left)) else {
                let what = "the server did not complete the handshake in time";
                return Err(io::Error::new(io::ErrorKind::TimedOut, what).into());
            };
            self.take(incoming)?;
        }
    }

    /// What an error comes to, by what this side was asked before.
    pub(crate) fn blame(&self, error: &StreamError) -> Trouble {
        let mut trouble = Trouble::from(error);
        let lacks_certificate = match error {
            // TLS 1.2 has no alert for a certificate that is missing (RFC 5246 §7.4.6).
            StreamError::Tls(Error::AlertReceived {
                alert: Alert::HandshakeFailure,
                ..
            }) => self.declined,
            StreamError::Tls(Error::AlertReceived {
                alert: Alert::CertificateRequired,
                ..
            }) => self.credential.is_none(),
            _ => false,
        };
        if lacks_certificate {
            trouble.exit = Exit::Refused;
            trouble.advice = Some(
                "It asked for a certificate and was sent none: give one with --cert.".to_owned(),
            );
        }
        trouble
    }

    /// Closes at once, and waits a moment for what the server still has to say, such as that it refuses this
    /// side; at most for `patience` even if it goes on and on.
    pub(crate) fn settle(
        &mut self,
        sink: &mut dyn Write,
        patience: Duration,
    ) -> Result<(), StreamError> {
        self.close();
        let begun = Instant::now();
        while self.drain(sink)? != Step::PeerClosed {
            let left = patience.saturating_sub(begun.elapsed());
            match self.plumbing.next(Some(left.min(SETTLE))) {
                None => break,
                // Nothing was promised any more, so nothing is missing.
                Some(Incoming::NetworkEnded | Incoming::NetworkFailed(_))
                    if self.data_received == 0 =>
                {
                    break;
                }
                Some(incoming) => self.take(incoming)?,
            }
        }
        Ok(())
    }

    /// Sends `request` and passes the answer to `sink`, until the server closes, or for as long as `patience`.
    pub(crate) fn exchange(
        &mut self,
        request: &[u8],
        sink: &mut dyn Write,
        patience: Duration,
    ) -> Result<(), StreamError> {
        self.send(request)?;
        let begun = Instant::now();
        while self.drain(sink)? != Step::PeerClosed {
            let left = patience.saturating_sub(begun.elapsed());
            match self.plumbing.next(Some(left)) {
                Some(incoming) => self.take(incoming)?,
                None => break,
            }
        }
        self.close();
        Ok(())
    }

    /// Passes stdin to the server and what the server sends to `sink`, until the server closes. When stdin has
    /// ended, the server may be silent for as long as `patience`.
    pub(crate) fn relay(
        &mut self,
        sink: &mut dyn Write,
        patience: Duration,
    ) -> Result<(), StreamError> {
        self.plumbing.read_stdin()?;
        let mut sent_anything = false;
        let mut input_ended = false;
        while self.drain(sink)? != Step::PeerClosed {
            match self.plumbing.next(input_ended.then_some(patience)) {
                Some(Incoming::Input(bytes)) => {
                    sent_anything = true;
                    self.send(&bytes)?;
                }
                Some(Incoming::InputEnded) if sent_anything => input_ended = true,
                None | Some(Incoming::InputEnded) => return self.settle(sink, Duration::MAX),
                Some(incoming) => self.take(incoming)?,
            }
        }
        self.close();
        Ok(())
    }

    /// Takes steps until the connection needs input or is closed.
    fn drain(&mut self, sink: &mut dyn Write) -> Result<Step, StreamError> {
        loop {
            match self.step(sink)? {
                Step::Completed => {}
                other => return Ok(other),
            }
        }
    }

    /// Lets the connection process what was received until something happens.
    fn step(&mut self, sink: &mut dyn Write) -> Result<Step, StreamError> {
        loop {
            let result = self
                .connection
                .receive(&mut self.received, &mut self.output);
            // On an error, this is its alert.
            self.flush();
            let received = result.inspect_err(|_| self.requests.extend(self.asked.take()))?;
            let consumed = received.consumed;
            let step = match received.event {
                Event::Data(range) => {
                    let data = self.received.get(range).unwrap_or_default();
                    let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
                    self.data_received = self.data_received.saturating_add(length);
                    sink.write_all(data)?;
                    sink.flush()?;
                    None
                }
                Event::NeedInput => Some(Step::NeedsInput),
                Event::Completed(what) => {
                    self.note_completion(what)?;
                    Some(Step::Completed)
                }
                Event::Question(question) => {
                    self.answer(question)?;
                    None
                }
                Event::PeerClosed => Some(Step::PeerClosed),
                _ => return Err(Error::Internal("an event of an unknown kind").into()),
            };
            self.received.drain(..consumed.min(self.received.len()));
            if let Some(step) = step {
                return Ok(step);
            }
        }
    }

    /// The server wants to know who we are.
    fn answer(&mut self, question: Question) -> Result<(), StreamError> {
        let Question::Credential(question) = question else {
            return Err(Error::Internal("the built-in verifier asks no questions").into());
        };
        self.declined = self.credential.is_none();
        let leaf = self.credential.as_ref();
        let leaf = leaf.and_then(|credential| credential.certificates().first());
        let names = question.authorities().iter().take(MOST_AUTHORITIES);
        self.asked = Some(RequestAnswered {
            when: question.occasion().into(),
            authorities: names.map(|name| wire::name(name)).collect(),
            schemes: question.schemes().iter().map(ToString::to_string).collect(),
            sent: leaf.map(|leaf| wire::subject(leaf)),
        });
        let answer = question.answer(self.credential.clone());
        let answered = self.connection.answer(answer, &mut self.output);
        self.flush();
        Ok(answered?)
    }

    fn note_completion(&mut self, completed: Completed) -> Result<(), StreamError> {
        let known = self.requests.len();
        self.note_answer();
        let is_later = completed != Completed::Handshake;
        if let Some(request) = self
            .requests
            .get(known)
            .filter(|_| is_later && self.announces)
        {
            terminal::print_aside(&request.line());
        }
        if completed == Completed::Renegotiation {
            self.renegotiations = self.renegotiations.saturating_add(1);
            let agreed = self.connection.agreed().filter(|_| self.announces);
            if let Some(agreement) = agreed.map(observe::agreement) {
                let warning = agreement.warning().unwrap_or_default();
                let text = format!("renegotiated: {}\n{warning}", agreement.line());
                terminal::print_aside(text.trim_end());
            }
        }
        let unsent = std::mem::take(&mut self.unsent);
        self.send(&unsent)
    }

    /// What was sent is certain only when the handshake is over: a key may fit nothing that the server can verify.
    fn note_answer(&mut self) {
        let Some(mut request) = self.asked.take() else {
            return;
        };
        self.declined = false;
        let signed = self.connection.agreed().and_then(|it| it.own_signature);
        request.sent = request.sent.filter(|_| signed.is_some());
        self.requests.push(request);
    }

    fn take(&mut self, incoming: Incoming) -> Result<(), StreamError> {
        match incoming {
            Incoming::Network(bytes) => self.received.extend_from_slice(&bytes),
            Incoming::NetworkEnded => {
                self.connection.end_of_input()?;
                return Err(Error::Closed.into());
            }
            Incoming::Written => self.plumbing.return_ticket(),
            // A peer that has gone away may have said why: then the socket's reader knows more.
            Incoming::WriteFailed(error) if !is_timeout(&error) => {}
            Incoming::NetworkFailed(error) | Incoming::WriteFailed(error) => {
                return Err(error.into());
            }
            Incoming::Input(_) | Incoming::InputEnded => {}
        }
        Ok(())
    }

    fn send(&mut self, mut bytes: &[u8]) -> Result<(), StreamError> {
        if self.connection.is_renegotiating() {
            self.unsent.extend_from_slice(bytes);
            return Ok(());
        }
        while !bytes.is_empty() {
            let accepted = self
                .connection
                .send(&[IoSlice::new(bytes)], &mut self.output)?;
            bytes = bytes.get(accepted..).unwrap_or_default();
        }
        self.flush();
        Ok(())
    }

    fn close(&mut self) {
        self.connection.close(&mut self.output);
        self.flush();
    }

    fn flush(&mut self) {
        self.plumbing.write(std::mem::take(&mut self.output));
    }
}
