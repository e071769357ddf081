//! What may come after the handshake: KeyUpdate and NewSessionTicket (RFC 9846 §4.7).

use crate::error::Result;
use crate::messages::{KeyUpdate, MessageType, NewSessionTicket, message_type, read_message};
use crate::verify::mode::Role;
use crate::violation::Violation;

/// What a message after the handshake asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterHandshake {
    /// The peer's next record is under its next key; whether we are to change ours too.
    KeyUpdate(KeyUpdate),
    /// A ticket, which nobody keeps yet.
    Ticket,
}

/// Reads a message that came after the handshake.
pub(crate) fn read_after_handshake(role: Role, message: &[u8]) -> Result<AfterHandshake> {
    match (message_type(message)?, role) {
        (MessageType::KeyUpdate, _) => read_message(message).map(AfterHandshake::KeyUpdate),
        (MessageType::NewSessionTicket, Role::Client) => {
            read_message::<NewSessionTicket<'_>>(message).map(|_| AfterHandshake::Ticket)
        }
        // RFC 9846 §4.7.2: a client that did not offer post_handshake_auth MUST answer with unexpected_message.
        (MessageType::CertificateRequest, Role::Client) => {
            Err(Violation::UnexpectedPostHandshakeRequest.into())
        }
        _ => Err(Violation::UnexpectedMessage.into()),
    }
}
