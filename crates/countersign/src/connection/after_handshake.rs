//! What a connection does after its handshake: tickets, KeyUpdates, and authentication at
//! the server's request (RFC 9846 §4.7).

use std::sync::Arc;

use crate::connection::established::{AfterTls13, Continuation, ProtocolVersion};
use crate::connection::event::Event;
use crate::connection::state::State;
use crate::connection::{Connection, NOT_ESTABLISHED, Outcome};
use crate::error::{Misuse, Result};
use crate::handshake::script::Script;
use crate::handshake::tls13::after::{self, AfterHandshake, read_after_handshake};
use crate::handshake::tls13::tickets::keep_ticket;
use crate::messages::{MessageType, message_type};
use crate::verify::mode::Role;
use crate::verify::policy::{self, Moment, Occasion, Request, SuiteKind};
use crate::violation::Violation;

/// The application protocol under which nobody may ask for a certificate after the handshake.
pub(super) const HTTP2: &[u8] = b"h2";

impl Connection {
    /// Whether a message is for the script that runs. While a server waits for its client to authenticate, the
    /// client may still change its keys.
    pub(super) fn concerns_script(&self, message: &[u8]) -> bool {
        let is_key_update = message_type(message).is_ok_and(|kind| kind == MessageType::KeyUpdate);
        self.script.is_some() && !(is_key_update && self.state == State::AwaitingAuthentication)
    }

    pub(super) fn process_after_handshake(
        &mut self,
        message: &[u8],
        output: &mut Vec<u8>,
    ) -> Result<Option<Event>> {
        let established = self.established.as_ref().ok_or(NOT_ESTABLISHED)?;
        let after = match &established.after {
            Continuation::Tls12(_) => return self.process_renegotiation(message, output),
            Continuation::Tls13(after) => Arc::clone(after),
        };
        match read_after_handshake(self.role, message)? {
            AfterHandshake::Ticket(ticket) => {
                self.inbound.count_message_after_handshake()?;
                self.accepted_by_peer = true;
                let established = self.established.as_ref().ok_or(NOT_ESTABLISHED)?;
                let mode = self.wire.settings().mode;
                keep_ticket(&self.config, (mode, established, &after), &ticket)?;
            }
            AfterHandshake::KeyUpdate(request) => {
                self.inbound.update_keys()?;
                self.outbound.note_peer_update(request);
            }
            AfterHandshake::CertificateRequest => {
                return self.answer_request(after, message, output);
            }
        }
        Ok(None)
    }

    /// Client: begins to answer a request for our certificate.
    fn answer_request(
        &mut self,
        after: Arc<AfterTls13>,
        request: &[u8],
        output: &mut Vec<u8>,
    ) -> Result<Option<Event>> {
        self.inbound.count_message_after_handshake()?;
        let established = self.established.as_ref().ok_or(NOT_ESTABLISHED)?;
        // RFC 9113 §9.2.3: under HTTP/2 a request MUST be treated as an error.
        if established.agreed.alpn.as_deref() == Some(HTTP2) {
            return Err(Violation::PostHandshakeRequestUnderHttp2.into());
        }
        // Who has closed the connection says nothing more.
        if self.outbound.is_closed() {
            return Ok(None);
        }
        let wire = self.wire.clone();
        let answer = after::answer_request(
            wire.clone(),
            Arc::clone(&self.config),
            after,
            request.to_vec(),
        );
        self.run(Script::new(wire, answer, Outcome::Answered), output)
    }

    /// Runs something that came after the handshake, until it needs something.
    pub(super) fn run(
        &mut self,
        mut script: Script<Outcome>,
        output: &mut Vec<u8>,
    ) -> Result<Option<Event>> {
        self.share_secrets();
        let progress = script.resume();
        self.script = Some(script);
        self.advance(Some(progress), output)
    }

    /// Lets the script see the secrets of this moment: a Finished is keyed by them.
    pub(super) fn share_secrets(&self) {
        let mut exchange = self.wire.lock();
        exchange.read_secret = self.inbound.secret();
        exchange.write_secret = self.outbound.secret();
    }

    /// Server: asks the client for a certificate now. What has to be sent is in `output`.
    ///
    /// In TLS 1.3 that is post-handshake authentication (RFC 9846 §4.7.2, `SSL_verify_client_post_handshake`), in TLS 1.2 a
    /// renegotiation with a full handshake (`SSL_renegotiate`): no session of before stands in for the client.
    ///
    /// The answer comes with [`receive`](Self::receive): as
    /// [`Completed::PostHandshakeAuthentication`](crate::Completed::PostHandshakeAuthentication) or
    /// [`Completed::Renegotiation`](crate::Completed::Renegotiation), or as the error with which a bad or missing
    /// certificate ends the connection. Until then data flows; what is handed out before
    /// that event was sent before the client authenticated.
    ///
    /// # Errors
    /// An [`Error::Misuse`](crate::Error::Misuse) that says what to do, and harms nothing: on a client; before the handshake
    /// is complete; if the client did not offer it, or cannot renegotiate safely; under HTTP/2; while an earlier request is
    /// unanswered; if the verify mode does not ask, or asks only once.
    pub fn request_peer_certificate(&mut self, output: &mut Vec<u8>) -> Result<()> {
        self.check_connected()?;
        if self.role == Role::Client {
            return Err(Misuse::NotServer.into());
        }
        if self.outbound.is_closed() {
            return Err(Misuse::AlreadyClosed.into());
        }
        if self.script.is_some() {
            return Err(Misuse::RequestUnanswered.into());
        }
        let established = self.established.as_ref().ok_or(NOT_ESTABLISHED)?;
        if established.agreed.alpn.as_deref() == Some(HTTP2) {
            return Err(Misuse::ForbiddenUnderHttp2.into());
        }
        match established.after.clone() {
            Continuation::Tls12(after) => self.request_by_renegotiation(&after, output),
            Continuation::Tls13(after) => self.request_post_handshake(after, output),
        }
    }

    fn request_post_handshake(
        &mut self,
        after: Arc<AfterTls13>,
        output: &mut Vec<u8>,
    ) -> Result<()> {
        if after.transcript.is_none() {
            return Err(Misuse::PeerCannotAuthenticate.into());
        }
        let occasion = Occasion {
            version: ProtocolVersion::Tls13,
            moment: Moment::PostHandshake,
            suite: SuiteKind::Certificates,
        };
        let decide = |mode, sent| policy::certificate_request(mode, occasion, sent);
        if let Request::Omit(why) = self.wire.decide_certificate_request(decide) {
            return Err(Misuse::ModeDoesNotAsk(why).into());
        }
        let wire = self.wire.clone();
        let request = after::authenticate_client(wire.clone(), Arc::clone(&self.config), after);
        let script = Script::new(wire, request, Outcome::Authenticated);
        self.pending = self
            .run(script, output)
            .map_err(|error| self.fail(error, output))?;
        Ok(())
    }
}
