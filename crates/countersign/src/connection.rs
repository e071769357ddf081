//! [`Connection`]: the TLS engine. It reads and writes byte slices, never a socket.

mod after_handshake;
pub(crate) mod established;
pub(crate) mod event;
#[cfg(any(test, feature = "fuzzing"))]
mod forge;
pub(crate) mod inbound;
pub(crate) mod outbound;
mod renegotiation;
pub(crate) mod settings;
pub(crate) mod state;
mod ticket;
pub(crate) mod trace;

use std::io::IoSlice;
use std::sync::Arc;

use pki_types::ServerName;

use crate::alert::Alert;
use crate::config::{ClientConfig, Config, ServerConfig};
use crate::connection::established::{Agreed, Established, ProtocolVersion};
use crate::connection::event::{Completed, Event, Received};
use crate::connection::inbound::{Arrival, Inbound};
use crate::connection::outbound::{Flight, Outbound};
use crate::connection::state::State;
use crate::connection::trace::{Traced, Tracer};
use crate::error::{Error, Misuse, Result};
use crate::handshake::authenticate::{Identity, Shown};
use crate::handshake::script::{Effect, Progress, Script, Wire};
use crate::handshake::{client, server};
use crate::messages::KeyUpdate;
use crate::record::Sealer;
use crate::verify::mode::Role;
use crate::verify::peer::Peer;
use crate::verify::question::{Answer, Inquiry, QuestionId};
use crate::violation::Violation;

const NOT_ESTABLISHED: Error = Error::Internal("there are no facts of a handshake");

/// One TLS connection, client or server, without any I/O.
///
/// The caller owns both buffers. What came from the network goes to [`receive`](Self::receive), which decrypts
/// it in place; whatever has to go to the network is appended to `output` by the call that
/// causes it, and by no other. Nothing waits inside.
///
/// ```
/// # use countersign::{ClientConfig, Connection, Event, TrustStore, VerifyMode};
/// # fn example(socket: &mut impl std::io::Read) -> Result<(), Box<dyn std::error::Error>> {
/// let config = ClientConfig::builder().verify(VerifyMode::NONE).build()?;
/// let mut output = Vec::new(); // to be sent
/// let mut connection = Connection::client(&config, "db.example".try_into()?, &mut output)?;
///
/// let mut input = Vec::new(); // received, not yet consumed
/// loop {
///     let received = connection.receive(&mut input, &mut output)?;
///     match received.event {
///         Event::NeedInput => { /* send `output`, read more into `input` */ }
///         Event::Data(range) => println!("{} bytes", input[range].len()),
///         Event::Completed(_) => println!("{:?}", connection.agreed()),
///         Event::PeerClosed => break,
///         _ => {}
///     }
///     input.drain(..received.consumed);
/// #   break;
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Connection {
    role: Role,
    config: Arc<Config>,
    wire: Wire,
    script: Option<Script<Outcome>>,
    inbound: Inbound,
    outbound: Outbound,
    tracer: Tracer,
    established: Option<Established>,
    /// Who the peer has proved to be, while the handshake is not complete.
    identified: Option<Peer>,
    state: State,
    question: Option<QuestionId>,
    accepted_by_peer: bool,
    /// How often the handshake was made again (TLS 1.2).
    renegotiations: u32,
    /// What happened in another call than `receive`, which will tell it.
    pending: Option<Event>,
    failure: Option<Error>,
}

/// How a script ends.
#[derive(Debug)]
enum Outcome {
    /// The handshake.
    Handshake(Box<Established>),
    /// A renegotiation.
    Renegotiated(Box<Established>),
    /// A server knows who its client is, or that it has no certificate.
    Authenticated(Option<Identity>),
    /// A client has said who it is, if anybody.
    Answered(Option<Shown>),
}

impl Connection {
    /// A client's connection to `name`. The ClientHello is in `output`.
    ///
    /// `name` is sent to the server if it is a DNS name (SNI), and the server's certificate must
    /// carry it, unless the configuration says otherwise.
    ///
    /// # Errors
    /// If no ClientHello can be made, for want of random bytes.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers make the name for this call"
    )]
    pub fn client(
        config: &Arc<ClientConfig>,
        name: ServerName<'_>,
        output: &mut Vec<u8>,
    ) -> Result<Self> {
        let config = Arc::clone(&config.0);
        let wire = Wire::new(config.settings.clone());
        let handshake = client::connect(wire.clone(), Arc::clone(&config), name.to_owned());
        let mut connection = Self::new(Role::Client, config, wire, handshake);
        connection.start(output)?;
        Ok(connection)
    }

    /// A server's connection. It waits for the ClientHello.
    pub fn server(config: &Arc<ServerConfig>) -> Self {
        let config = Arc::clone(&config.0);
        let wire = Wire::new(config.settings.clone());
        let handshake = server::serve(wire.clone(), Arc::clone(&config));
        let mut connection = Self::new(Role::Server, config, wire, handshake);
        // A server writes nothing before the ClientHello, and cannot fail before it either.
        if let Err(error) = connection.start(&mut Vec::new()) {
            connection.failure = Some(error);
        }
        connection
    }

    fn new(
        role: Role,
        config: Arc<Config>,
        wire: Wire,
        handshake: impl Future<Output = Result<Established>> + Send + 'static,
    ) -> Self {
        let finish = |established| Outcome::Handshake(Box::new(established));
        let script = Script::new(wire.clone(), handshake, finish);
        let tracer = Tracer::new(config.environment.trace.as_ref(), role);
        let sealer = match role {
            Role::Client => Sealer::first_client_hello(),
            Role::Server => Sealer::plain(),
        };
        Self {
            role,
            inbound: Inbound::new(role.peer(), &config, tracer.clone()),
            outbound: Outbound::new(sealer, config.max_fragment, tracer.clone()),
            tracer,
            config,
            wire,
            script: Some(script),
            established: None,
            identified: None,
            state: State::AwaitingClientHello,
            question: None,
            accepted_by_peer: false,
            renegotiations: 0,
            pending: None,
            failure: None,
        }
    }

    fn start(&mut self, output: &mut Vec<u8>) -> Result<()> {
        let progress = self.script.as_mut().map(Script::resume);
        self.pending = self.advance(progress, output)?;
        Ok(())
    }

    /// Processes records at the start of `input`, decrypting them in place, until something
    /// happens or more input is needed.
    ///
    /// Returns after at most one event. Call it again with what is left after
    /// [`Received::consumed`], also if that is nothing, until it says
    /// [`Event::NeedInput`] or [`Event::PeerClosed`].
    ///
    /// # Errors
    /// Every error but [`Error::Misuse`] ends the connection; `output` holds the alert that goes with
    /// it. A later call returns the same error. Data handed out before stays valid.
    pub fn receive(&mut self, input: &mut [u8], output: &mut Vec<u8>) -> Result<Received> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if let Some(event) = self.pending.take() {
            return Ok(Received { consumed: 0, event });
        }
        if self.question.is_some() {
            return Err(Misuse::QuestionOpen.into());
        }
        self.receive_records(input, output)
            .map_err(|error| self.fail(error, output))
    }

    fn receive_records(&mut self, input: &mut [u8], output: &mut Vec<u8>) -> Result<Received> {
        let mut consumed = 0;
        loop {
            if let Some(event) = self.process_messages(output)? {
                return Ok(Received { consumed, event });
            }
            // RFC 9846 §6.1: data received after a closure alert MUST be ignored.
            if self.inbound.is_closed() {
                return Ok(Received {
                    consumed: input.len(),
                    event: Event::PeerClosed,
                });
            }
            let rest = input.get_mut(consumed..).unwrap_or_default();
            let start = consumed;
            let (length, arrival) = self.inbound.open(rest, self.state)?;
            consumed = consumed.saturating_add(length);
            match arrival {
                Arrival::Incomplete => {
                    return Ok(Received {
                        consumed,
                        event: Event::NeedInput,
                    });
                }
                Arrival::Data(range) => {
                    self.accepted_by_peer = true;
                    let range = start.saturating_add(range.start)..start.saturating_add(range.end);
                    return Ok(Received {
                        consumed,
                        event: Event::Data(range),
                    });
                }
                Arrival::ChangeCipherSpec => {
                    let script = self.script.as_mut();
                    let progress = script.map(Script::resume_with_change_cipher_spec);
                    if let Some(event) = self.advance(progress, output)? {
                        return Ok(Received { consumed, event });
                    }
                }
                Arrival::NoRenegotiation => self.note_refusal()?,
                // A close_notify in the middle of a handshake ends it without a result.
                Arrival::Closed if self.established.is_none() => return Err(Error::Closed),
                Arrival::Closed | Arrival::Handshake | Arrival::Nothing => {}
            }
        }
    }

    /// Hands whole handshake messages to whom they concern, until something happens.
    fn process_messages(&mut self, output: &mut Vec<u8>) -> Result<Option<Event>> {
        while let Some(message) = self.inbound.next_message()? {
            let event = if self.ignores(&message)? {
                None
            } else if self.state == State::AwaitingChangeCipherSpec {
                // RFC 5246 §7.4.9: a Finished without the change_cipher_spec before it is an error. It would be under
                // the old keys, or under none, also if it came in one record with what was due.
                return Err(Violation::MissingChangeCipherSpec.into());
            } else if self.concerns_script(&message) {
                self.share_secrets();
                let progress = self
                    .script
                    .as_mut()
                    .map(|script| script.resume_with_message(message));
                self.advance(progress, output)?
            } else {
                self.process_after_handshake(&message, output)?
            };
            if event.is_some() {
                return Ok(event);
            }
        }
        Ok(None)
    }

    /// Applies what the script caused, and takes note of how far it got.
    fn advance(
        &mut self,
        progress: Option<Result<Progress<Outcome>>>,
        output: &mut Vec<u8>,
    ) -> Result<Option<Event>> {
        self.apply_effects(output)?;
        match progress.ok_or(Error::Internal("there is no handshake to resume"))?? {
            Progress::NeedsMessage(state) => {
                self.state = state;
                Ok(None)
            }
            Progress::Asks(inquiry) => Ok(Some(self.ask(inquiry))),
            Progress::Done(outcome) => Ok(Some(self.complete(outcome))),
        }
    }

    fn apply_effects(&mut self, output: &mut Vec<u8>) -> Result<()> {
        let (messages, effects) = {
            let mut exchange = self.wire.lock();
            (
                core::mem::take(&mut exchange.flight),
                core::mem::take(&mut exchange.effects),
            )
        };
        // What the peer sent after the message that is answered now, it sent too early.
        if self.established.is_none() && !messages.is_empty() {
            self.inbound.check_record_boundary()?;
        }
        let mut flight = Flight::new(&messages);
        for effect in effects {
            match effect {
                Effect::InstallReadKeys(keys) => self.inbound.install(keys)?,
                Effect::SkipEarlyData => self.inbound.skip_early_data(),
                Effect::SettleVersion(version) => self.inbound.settle_version(version)?,
                Effect::Identify(peer) => self.identified = Some(peer),
                effect => self.outbound.apply(effect, &mut flight, output)?,
            }
        }
        self.outbound.flush(&mut flight, output)
    }

    fn ask(&mut self, inquiry: Inquiry) -> Event {
        let id = QuestionId::unique();
        self.question = Some(id.clone());
        self.state = State::AwaitingAnswer;
        Event::Question(inquiry.into_question(id))
    }

    fn complete(&mut self, outcome: Outcome) -> Event {
        self.script = None;
        self.identified = None;
        self.state = State::Connected;
        self.inbound.complete();
        let what = match outcome {
            Outcome::Handshake(established) => {
                self.established = Some(*established);
                // A server has the client's Finished, after which nothing can be refused. In TLS 1.2 a client has
                // the server's, which comes last, or with a session that was accepted before.
                self.accepted_by_peer = self.role == Role::Server || self.is_tls12();
                Completed::Handshake
            }
            Outcome::Renegotiated(established) => {
                self.established = Some(*established);
                Completed::Renegotiation
            }
            Outcome::Authenticated(identity) => {
                if let Some(established) = &mut self.established {
                    established.agreed.peer_signature =
                        identity.as_ref().map(|identity| identity.scheme);
                    established.peer = identity.map(|identity| identity.peer);
                    established.asked = true;
                }
                Completed::PostHandshakeAuthentication
            }
            Outcome::Answered(shown) => {
                if let Some(established) = &mut self.established {
                    established.agreed.own_signature = shown.as_ref().map(|shown| shown.scheme);
                    established.shown = shown;
                }
                self.accepted_by_peer = false;
                Completed::PostHandshakeAuthentication
            }
        };
        let resumed = self.agreed().is_some_and(|agreed| agreed.resumed);
        self.tracer.record(Traced::Completed { what, resumed });
        Event::Completed(what)
    }

    /// Answers the open question and goes on with the handshake. Call
    /// [`receive`](Self::receive) afterwards, even without new input.
    ///
    /// # Errors
    /// [`Misuse::NotTheOpenQuestion`] if it answers another question; otherwise as for
    /// [`receive`](Self::receive): a verdict that refuses the peer comes back as
    /// [`Error::PeerRejected`].
    pub fn answer(&mut self, answer: Answer, output: &mut Vec<u8>) -> Result<()> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if !self
            .question
            .as_ref()
            .is_some_and(|open| open.is(&answer.id))
        {
            return Err(Misuse::NotTheOpenQuestion.into());
        }
        self.question = None;
        self.share_secrets();
        let progress = self
            .script
            .as_mut()
            .map(|script| script.resume_with_answer(answer.body));
        self.pending = self
            .advance(progress, output)
            .map_err(|error| self.fail(error, output))?;
        Ok(())
    }

    /// Notes that the input has ended: the transport is closed for reading.
    ///
    /// # Errors
    /// [`Error::Truncated`] if the peer had not closed the connection properly: an attacker may have cut it.
    pub fn end_of_input(&mut self) -> Result<()> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if self.inbound.is_closed() {
            return Ok(());
        }
        let error = Error::Truncated { during: self.state };
        self.end(error.clone());
        Err(error)
    }

    /// Seals `plaintext` into `output`, all of it, and returns how many bytes that was.
    ///
    /// The slices are gathered; data is copied once, into `output`, and encrypted there.
    ///
    /// # Errors
    /// [`Misuse::HandshakeRunning`] before the handshake is complete, [`Misuse::RenegotiationRunning`] while TLS 1.2 makes
    /// it again, [`Misuse::AlreadyClosed`] after [`close`](Self::close).
    pub fn send(&mut self, plaintext: &[IoSlice<'_>], output: &mut Vec<u8>) -> Result<usize> {
        self.check_connected()?;
        self.check_not_renegotiating()?;
        self.outbound
            .send_data(plaintext, output)
            .map_err(|error| self.fail(error, output))
    }

    /// Changes the keys of this direction now, and asks the peer to change its own if
    /// `ask_peer` (RFC 9846 §4.7.3, `SSL_key_update`). It also happens by itself, in time.
    ///
    /// # Errors
    /// As for [`send`](Self::send), and [`Misuse::NotInThisVersion`] in TLS 1.2.
    pub fn update_keys(&mut self, ask_peer: bool, output: &mut Vec<u8>) -> Result<()> {
        self.check_connected()?;
        if self.is_tls12() {
            return Err(Misuse::NotInThisVersion.into());
        }
        if self.outbound.is_closed() {
            return Err(Misuse::AlreadyClosed.into());
        }
        let request = if ask_peer {
            KeyUpdate::Requested
        } else {
            KeyUpdate::NotRequested
        };
        self.outbound
            .update_keys(request, output)
            .map_err(|error| self.fail(error, output))
    }

    /// Ends this side's direction with a `close_notify` (`SSL_shutdown`). The peer may go on sending.
    ///
    /// During the handshake it ends the connection: later calls return [`Error::Closed`].
    pub fn close(&mut self, output: &mut Vec<u8>) {
        self.outbound.close(output);
        // RFC 9846 §6.1: a close_notify says that nothing will follow, so neither can a Finished.
        if self.is_handshaking() {
            self.end(Error::Closed);
        }
    }

    /// Ends the connection with a fatal alert, in the handshake or after it: the application does not want to go on,
    /// [`Alert::AccessDenied`] for example because it knows the peer and does not serve it. Later calls
    /// return [`Error::Closed`], and the connection's sessions are not resumed: a client forgets them, and so does a server that
    /// keeps them in a store.
    ///
    /// To refuse a certificate in the handshake give a [`Verdict::Reject`](crate::Verdict::Reject) instead.
    pub fn abort(&mut self, alert: Alert, output: &mut Vec<u8>) {
        if self.failure.is_none() {
            self.outbound.fail(alert, output);
            self.forget_tickets();
            self.end(Error::Closed);
        }
    }

    /// Whether the handshake is complete and nothing has ended the connection since.
    pub(crate) fn check_connected(&self) -> Result<()> {
        match &self.failure {
            Some(failure) => Err(failure.clone()),
            None if self.established.is_none() => Err(Misuse::HandshakeRunning.into()),
            None => Ok(()),
        }
    }

    /// Ends the connection: sends the alert of the error, and remembers the error. A misuse
    /// ends nothing.
    fn fail(&mut self, error: Error, output: &mut Vec<u8>) -> Error {
        if let Error::Misuse(_) = error {
            return error;
        }
        if let Some(alert) = error.alert() {
            self.outbound.fail(alert, output);
        }
        // RFC 9846 §6.2: upon receipt of a fatal alert both parties MUST immediately close the
        // connection, so not even a close_notify follows.
        if let Error::AlertReceived { .. } = error {
            self.outbound.stop();
        }
        if error.alert().is_some() || matches!(error, Error::AlertReceived { .. }) {
            self.forget_tickets();
        }
        self.end(error.clone());
        error
    }

    /// Remembers the error that every later call returns.
    fn end(&mut self, error: Error) {
        self.script = None;
        self.question = None;
        self.state = State::Closed;
        self.failure = Some(error);
    }

    /// Which end this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// What the two ends agreed on. `None` before the handshake is complete.
    pub fn agreed(&self) -> Option<&Agreed> {
        self.established
            .as_ref()
            .map(|established| &established.agreed)
    }

    /// Where in its life the connection is.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether the handshake is still running.
    pub fn is_handshaking(&self) -> bool {
        self.established.is_none() && self.failure.is_none()
    }

    /// Whether the peer has shown that it accepted this side.
    ///
    /// A TLS 1.3 client completes its handshake before the server has looked at its
    /// certificate. This turns true with the first data or ticket that comes after this side's
    /// Finished. Most servers send either only after they have looked; one that
    /// sends data before, as RFC 9846 §4.5.4 lets it, makes this true too early, so what matters must wait for
    /// an answer of the application. A server knows at once.
    pub fn accepted_by_peer(&self) -> bool {
        self.accepted_by_peer
    }

    /// Derives keying material that both ends share, for another protocol (RFC 9846 §7.5, RFC 5705,
    /// `SSL_export_keying_material`). In TLS 1.3 an absent context is the same as an empty one, in TLS 1.2 it is not.
    ///
    /// # Errors
    /// [`Misuse::HandshakeRunning`] before the handshake is complete, [`Misuse::ExportTooLong`] if `out`
    /// is longer than 255 hash lengths, [`Misuse::ExportWithoutExtendedMasterSecret`] where what is exported might not
    /// belong to this connection alone, and the error that ended the connection, if one did.
    pub fn export_keying_material(
        &self,
        label: &[u8],
        context: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<()> {
        // RFC 9846 §6.2: the secrets of a failed connection MUST be forgotten.
        self.check_connected()?;
        let established = self.established.as_ref().ok_or(Misuse::HandshakeRunning)?;
        established.exporter.derive(label, context, out)
    }

    /// Whether neither end has authenticated: the suite is anonymous (TLS 1.2, and only if
    /// [`allow_anonymous`](crate::ConfigBuilder::allow_anonymous) was called). Whatever the verify mode is, nobody knows who the peer is.
    pub fn is_anonymous(&self) -> bool {
        self.agreed()
            .is_some_and(|agreed| agreed.suite.is_anonymous())
    }

    /// Whether the connection is one of TLS 1.2.
    fn is_tls12(&self) -> bool {
        let agreed = self.agreed();
        agreed.is_some_and(|agreed| agreed.version == ProtocolVersion::Tls12)
    }
}
