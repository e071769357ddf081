//! Renegotiation of TLS 1.2: who may start one, and when (RFC 5246 §7.4.1.1, RFC 5746).

use std::sync::Arc;

use crate::alert::Alert;
use crate::connection::after_handshake::HTTP2;
use crate::connection::established::{AfterTls12, Continuation, Established, ProtocolVersion};
use crate::connection::event::Event;
use crate::connection::state::State;
use crate::connection::{Connection, NOT_ESTABLISHED, Outcome};
use crate::error::{Error, Misuse, Result};
use crate::handshake::script::Script;
use crate::handshake::tls12::renegotiation::{Previous, ask_client, connect_again};
use crate::handshake::tls12::{can_renegotiate, server};
use crate::messages::tls12::HelloRequest;
use crate::messages::{MessageType, message_type, read_message};
use crate::session::client_cache::Origin;
use crate::verify::mode::Role;
use crate::verify::policy::{self, Moment, Occasion, Request, SuiteKind};
use crate::violation::Violation;

impl Connection {
    /// Makes the handshake again (TLS 1.2, `SSL_renegotiate`). A client sends its ClientHello, a server asks the client
    /// for one; it is in `output`. It ends as [`Completed::Renegotiation`](crate::Completed::Renegotiation), which comes with
    /// [`receive`](Self::receive).
    ///
    /// It is always a full handshake, in which both ends authenticate as their modes of then say. From the
    /// moment at which this side has begun, nothing can be sent until it is complete. A server that wants to know who
    /// its client is calls [`request_peer_certificate`](Self::request_peer_certificate), which serves TLS 1.3 as well.
    ///
    /// # Errors
    /// An [`Error::Misuse`] that says what to do, and harms nothing: in TLS 1.3, which has no renegotiation; before
    /// the handshake is complete; after [`close`](Self::close); under HTTP/2; if the peer lacks what makes it safe (RFC 5746 and
    /// RFC 7627); while one is running; if the connection was renegotiated too often.
    pub fn renegotiate(&mut self, output: &mut Vec<u8>) -> Result<()> {
        self.check_connected()?;
        if self.outbound.is_closed() {
            return Err(Misuse::AlreadyClosed.into());
        }
        let established = self.established.as_ref().ok_or(NOT_ESTABLISHED)?;
        let Continuation::Tls12(after) = &established.after else {
            return Err(Misuse::NotInThisVersion.into());
        };
        if established.agreed.alpn.as_deref() == Some(HTTP2) {
            return Err(Misuse::ForbiddenUnderHttp2.into());
        }
        let after = Arc::clone(after);
        self.check_may_renegotiate(&after)?;
        let event = self
            .start_renegotiation(after, output)
            .map_err(|error| self.fail(error, output))?;
        self.pending = event;
        Ok(())
    }

    /// Server: asks for a certificate by making the handshake again.
    pub(super) fn request_by_renegotiation(
        &mut self,
        after: &Arc<AfterTls12>,
        output: &mut Vec<u8>,
    ) -> Result<()> {
        self.check_may_renegotiate(after)?;
        // Asked here, so that nobody is bothered for nothing; it is decided and counted in the handshake.
        let established = self.established.as_ref().ok_or(NOT_ESTABLISHED)?;
        let occasion = Occasion {
            version: ProtocolVersion::Tls12,
            moment: Moment::FullHandshake,
            suite: SuiteKind::of(established.agreed.suite),
        };
        let request = self.wire.foresee_certificate_request(|mode, sent| {
            policy::certificate_request(mode, occasion, sent)
        });
        if let Request::Omit(why) = request {
            return Err(Misuse::ModeDoesNotAsk(why).into());
        }
        self.pending = self
            .start_renegotiation(Arc::clone(after), output)
            .map_err(|error| self.fail(error, output))?;
        Ok(())
    }

    fn check_may_renegotiate(&self, after: &AfterTls12) -> Result<()> {
        if self.script.is_some() {
            return Err(Misuse::RequestUnanswered.into());
        }
        if !can_renegotiate(after) {
            return Err(Misuse::CannotRenegotiateSafely.into());
        }
        if self.renegotiations >= self.config.limits.renegotiations {
            return Err(Misuse::TooManyRenegotiations.into());
        }
        Ok(())
    }

    fn start_renegotiation(
        &mut self,
        after: Arc<AfterTls12>,
        output: &mut Vec<u8>,
    ) -> Result<Option<Event>> {
        let previous = self.begin(after);
        let (wire, config) = (self.wire.clone(), Arc::clone(&self.config));
        let script = match self.role {
            Role::Client => {
                let handshake = connect_again(wire.clone(), config, previous);
                Script::new(wire, handshake, renegotiated)
            }
            Role::Server => {
                let handshake = ask_client(wire.clone(), config, previous);
                Script::new(wire, handshake, renegotiated)
            }
        };
        self.run(script, output)
    }

    /// Counts a renegotiation, and tells what it starts from.
    fn begin(&mut self, after: Arc<AfterTls12>) -> Previous {
        self.renegotiations = self.renegotiations.saturating_add(1);
        let established = self.established.as_ref();
        Previous {
            after,
            peer: established.and_then(|established| established.peer.clone()),
            origin: established.map_or_else(Origin::default, |known| known.origin.clone()),
            shown: established.and_then(|established| established.shown.clone()),
        }
    }

    /// A message that came when no handshake was running: the peer wants another one.
    pub(super) fn process_renegotiation(
        &mut self,
        message: &[u8],
        output: &mut Vec<u8>,
    ) -> Result<Option<Event>> {
        self.inbound.count_message_after_handshake()?;
        match (message_type(message)?, self.role) {
            (MessageType::HelloRequest, Role::Client) => {
                let HelloRequest = read_message(message)?;
            }
            (MessageType::ClientHello, Role::Server) => {}
            _ => return Err(Violation::UnexpectedMessage.into()),
        }
        let established = self.established.as_ref().ok_or(NOT_ESTABLISHED)?;
        let Continuation::Tls12(after) = &established.after else {
            return Err(Violation::UnexpectedMessage.into());
        };
        let is_http2 = established.agreed.alpn.as_deref() == Some(HTTP2);
        let may = self.config.accept_renegotiation
            && !is_http2
            && can_renegotiate(after)
            && self.renegotiations < self.config.limits.renegotiations;
        let after = Arc::clone(after);
        // Who has closed the connection says nothing more.
        if self.outbound.is_closed() {
            return Ok(None);
        }
        if !may {
            self.outbound.refuse_renegotiation(output)?;
            return Ok(None);
        }
        match self.role {
            Role::Client => self.start_renegotiation(after, output),
            Role::Server => {
                let previous = self.begin(after);
                let (wire, config) = (self.wire.clone(), Arc::clone(&self.config));
                let hello = message.to_vec();
                let handshake = server::serve(wire.clone(), config, hello, Some(previous));
                self.run(Script::new(wire, handshake, renegotiated), output)
            }
        }
    }

    /// Whether a message means nothing: a HelloRequest while a handshake is running (RFC 5246 §7.4.1.1).
    pub(super) fn ignores(&mut self, message: &[u8]) -> Result<bool> {
        let is_request = message_type(message).is_ok_and(|kind| kind == MessageType::HelloRequest);
        let negotiates = self.script.is_some() && self.role == Role::Client;
        if !is_request || !negotiates || !self.inbound.may_be_tls12() {
            return Ok(false);
        }
        let HelloRequest = read_message(message)?;
        self.inbound.count_message_after_handshake()?;
        Ok(true)
    }

    /// The peer refuses to negotiate again. OpenSSL ends the connection then, and so does everybody who has asked for
    /// a reason; a warning that nobody asked for means nothing.
    pub(super) fn note_refusal(&self) -> Result<()> {
        let asked = match self.role {
            Role::Client => self.state == State::AwaitingServerHello,
            Role::Server => self.state == State::AwaitingRenegotiation,
        };
        if self.established.is_some() && asked {
            return Err(Error::RenegotiationRefused {
                alert: Alert::HandshakeFailure,
            });
        }
        Ok(())
    }

    /// Whether data can be sent: from our first message of a renegotiation to its end it cannot.
    pub(super) fn check_not_renegotiating(&self) -> Result<()> {
        if self.is_renegotiating() {
            return Err(Misuse::RenegotiationRunning.into());
        }
        Ok(())
    }

    /// Whether a renegotiation (TLS 1.2) is running, so that nothing can be sent before
    /// [`Completed::Renegotiation`](crate::Completed::Renegotiation).
    pub fn is_renegotiating(&self) -> bool {
        let is_asked_for = self.state == State::AwaitingRenegotiation;
        self.is_tls12() && self.script.is_some() && !is_asked_for
    }
}

fn renegotiated(established: Established) -> Outcome {
    Outcome::Renegotiated(Box::new(established))
}
