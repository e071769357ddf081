//! The tickets of a connection: those that its owner asks for, and those that are of no use any more.

use std::sync::Arc;

use crate::connection::established::Continuation;
use crate::connection::{Connection, NOT_ESTABLISHED};
use crate::error::{Error, Misuse, Result};
use crate::handshake::tls13::tickets::{self, Occasion};
use crate::session::state::{SessionIdentity, SessionPeer};
use crate::verify::mode::Role;

impl Connection {
    /// Server: sends the client another ticket now (`SSL_new_session_ticket`), in `output`. It
    /// carries the client's identity as it is at this moment.
    ///
    /// Tickets follow each handshake and each authentication by themselves; this is for a client that
    /// will need more, because it is about to open several connections at once.
    ///
    /// Says whether one was sent: in TLS 1.2 none can be, a client that cannot resume gets none, nor does one whose certificate
    /// has expired, and with [`ResumePolicy::Never`](crate::ResumePolicy::Never) nobody does.
    ///
    /// # Errors
    /// An [`Error::Misuse`], which harms nothing: on a client; before the handshake is complete;
    /// after [`close`](Self::close).
    pub fn send_ticket(&mut self, output: &mut Vec<u8>) -> Result<bool> {
        self.check_connected()?;
        if self.role == Role::Client {
            return Err(Misuse::OnlyServersSendTickets.into());
        }
        if self.outbound.is_closed() {
            return Err(Misuse::AlreadyClosed.into());
        }
        let before = output.len();
        self.write_ticket(output)
            .map_err(|error| self.fail(error, output))?;
        Ok(output.len() > before)
    }

    /// After a fatal alert the sessions of the connection SHOULD be discarded (RFC 9846 §6.2), and in
    /// TLS 1.2 MUST be (RFC 5246 §7.2.2). What is in a ticket nobody can take back.
    pub(super) fn forget_tickets(&self) {
        if let Some(store) = &self.config.resumption.store {
            for id in self.wire.take_stored() {
                store.remove(&id);
            }
        }
        let Some(established) = &self.established else {
            return;
        };
        if let Some(server) = established.after.server() {
            let sessions = &self.config.resumption.sessions;
            sessions.forget(server, &established.origin);
        }
    }

    fn write_ticket(&mut self, output: &mut Vec<u8>) -> Result<(), Error> {
        let established = self.established.as_ref().ok_or(NOT_ESTABLISHED)?;
        // In TLS 1.2 a ticket is part of the handshake (RFC 5077 §3.3).
        let Continuation::Tls13(after) = &established.after else {
            return Ok(());
        };
        let after = Arc::clone(after);
        let identity = SessionIdentity {
            mode: self.wire.settings().mode,
            asked: established.asked,
            peer: established.peer.as_ref().map(SessionPeer::of),
        };
        tickets::send_tickets(
            &self.wire,
            &self.config,
            &after,
            &identity,
            Occasion::Wanted,
        )?;
        self.apply_effects(output)
    }
}
