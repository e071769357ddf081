//! The messages of the handshake: what stands on the wire, and nothing about when it may be sent.
//!
//! One file per message, `read` beside `write`, the RFC's definition above both. The structs
//! borrow: those read from the wire point into it, those to be written point to what the
//! handshake holds. What is wrong with the bytes is found here, as a [`Violation`] with its
//! alert; what is wrong with the choice that they express is found by the handshake.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::arithmetic_side_effects
    )
)]

mod certificate;
mod certificate_request;
mod certificate_verify;
mod client_hello;
mod encrypted_extensions;
mod extension;
mod finished;
mod hello_retry_request;
mod key_share;
mod key_update;
mod list;
mod new_session_ticket;
mod pre_shared_key;
mod reader;
mod server_hello;
mod server_name;
#[cfg(test)]
mod tests;
pub(crate) mod tls12;
mod writer;

pub(crate) use certificate::{Certificate, CertificateEntry};
pub(crate) use certificate_request::{CertificateRequest, DistinguishedName};
pub(crate) use certificate_verify::CertificateVerify;
pub(crate) use client_hello::{ClientExtensions, ClientHello, ProtocolName};
pub(crate) use encrypted_extensions::EncryptedExtensions;
pub(crate) use extension::{ExtensionBlock, ExtensionSet};
pub(crate) use finished::Finished;
pub(crate) use hello_retry_request::HelloRetryRequest;
pub(crate) use key_share::KeyShareEntry;
pub(crate) use key_update::KeyUpdate;
pub(crate) use list::List;
pub(crate) use new_session_ticket::NewSessionTicket;
pub(crate) use pre_shared_key::{PreSharedKeys, PskBinder, PskIdentity};
pub(crate) use reader::Reader;
pub(crate) use server_hello::{ExtensionsOfTls12, ServerHello, ServerHelloOrRetry};
#[cfg(test)]
pub(crate) use tests::hex;
pub(crate) use writer::Writer;

use crate::error::Result;
use crate::violation::Violation;

/// The length of what precedes every handshake message: its type and its length.
pub(crate) const HEADER_LEN: usize = 4;

/// The kind of a handshake message (RFC 9846 §4, RFC 5246 §7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageType {
    HelloRequest,
    ClientHello,
    ServerHello,
    NewSessionTicket,
    EndOfEarlyData,
    EncryptedExtensions,
    Certificate,
    ServerKeyExchange,
    CertificateRequest,
    ServerHelloDone,
    CertificateVerify,
    ClientKeyExchange,
    Finished,
    KeyUpdate,
    MessageHash,
    Unknown(u8),
}

impl MessageType {
    /// The number on the wire.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::HelloRequest => 0,
            Self::ClientHello => 1,
            Self::ServerHello => 2,
            Self::NewSessionTicket => 4,
            Self::EndOfEarlyData => 5,
            Self::EncryptedExtensions => 8,
            Self::Certificate => 11,
            Self::ServerKeyExchange => 12,
            Self::CertificateRequest => 13,
            Self::ServerHelloDone => 14,
            Self::CertificateVerify => 15,
            Self::ClientKeyExchange => 16,
            Self::Finished => 20,
            Self::KeyUpdate => 24,
            Self::MessageHash => 254,
            Self::Unknown(code) => code,
        }
    }
}

impl From<u8> for MessageType {
    fn from(code: u8) -> Self {
        match code {
            0 => Self::HelloRequest,
            1 => Self::ClientHello,
            2 => Self::ServerHello,
            4 => Self::NewSessionTicket,
            5 => Self::EndOfEarlyData,
            8 => Self::EncryptedExtensions,
            11 => Self::Certificate,
            12 => Self::ServerKeyExchange,
            13 => Self::CertificateRequest,
            14 => Self::ServerHelloDone,
            15 => Self::CertificateVerify,
            16 => Self::ClientKeyExchange,
            20 => Self::Finished,
            24 => Self::KeyUpdate,
            254 => Self::MessageHash,
            other => Self::Unknown(other),
        }
    }
}

/// A handshake message: its type, and its body on the wire.
pub(crate) trait Message<'a>: Sized {
    /// The type that announces it.
    const TYPE: MessageType;

    /// Reads the body, without the header. What is left over is an error of the caller's.
    fn read(reader: &mut Reader<'a>) -> Result<Self>;

    /// Writes the body, without the header.
    fn write(&self, writer: &mut Writer<'_>);
}

/// Reads one whole message, header included.
///
/// Another type than the wanted one is an unexpected message; bytes left over are an error.
pub(crate) fn read_message<'a, M: Message<'a>>(message: &'a [u8]) -> Result<M> {
    let mut reader = Reader::new(message);
    if MessageType::from(reader.u8()?) != M::TYPE {
        return Err(Violation::UnexpectedMessage.into());
    }
    let read = reader.within_u24(M::read)?;
    reader.finish()?;
    Ok(read)
}

/// The type of a whole message.
pub(crate) fn message_type(message: &[u8]) -> Result<MessageType> {
    Ok(Reader::new(message).u8()?.into())
}

/// The name of a whole message, for people.
pub(crate) fn message_name(message: &[u8]) -> &'static str {
    let is_retry = message.get(6..38) == Some(hello_retry_request::RETRY_RANDOM.as_slice());
    match message_type(message).unwrap_or(MessageType::Unknown(u8::MAX)) {
        MessageType::HelloRequest => "HelloRequest",
        MessageType::ClientHello => "ClientHello",
        MessageType::ServerHello if is_retry => "HelloRetryRequest",
        MessageType::ServerHello => "ServerHello",
        MessageType::NewSessionTicket => "NewSessionTicket",
        MessageType::EndOfEarlyData => "EndOfEarlyData",
        MessageType::EncryptedExtensions => "EncryptedExtensions",
        MessageType::Certificate => "Certificate",
        MessageType::ServerKeyExchange => "ServerKeyExchange",
        MessageType::CertificateRequest => "CertificateRequest",
        MessageType::ServerHelloDone => "ServerHelloDone",
        MessageType::ClientKeyExchange => "ClientKeyExchange",
        MessageType::CertificateVerify => "CertificateVerify",
        MessageType::Finished => "Finished",
        MessageType::KeyUpdate => "KeyUpdate",
        MessageType::MessageHash | MessageType::Unknown(_) => "unknown",
    }
}

/// Appends one whole message, header included, to `output`.
///
/// Leaves `output` as it was if a field does not fit its length prefix, which is an
/// internal error: the handshake let something too long through.
pub(crate) fn write_message<'a, M: Message<'a>>(message: &M, output: &mut Vec<u8>) -> Result<()> {
    let start = output.len();
    let mut writer = Writer::new(output);
    writer.u8(M::TYPE.code());
    writer.within_u24(|writer| message.write(writer));
    let written = writer.finish();
    if written.is_err() {
        output.truncate(start);
    }
    written
}
