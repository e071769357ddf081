//! `NewSessionTicket`: what the client may resume with.

use super::extension::{
    Carrier, ExtensionBlock, ExtensionType as Kind, read_body, write_extension,
};
use super::{Message, MessageType, Reader, Writer};
use crate::error::Result;

/// RFC 9846 §4.7.1:
///
/// ```text
/// struct {
///     uint32 ticket_lifetime;
///     uint32 ticket_age_add;
///     opaque ticket_nonce<0..255>;
///     opaque ticket<1..2^16-1>;
///     Extension extensions<0..2^16-1>;
/// } NewSessionTicket;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewSessionTicket<'a> {
    /// In seconds.
    pub(crate) lifetime: u32,
    /// Added to the age in milliseconds, modulo 2^32.
    pub(crate) age_add: u32,
    pub(crate) nonce: &'a [u8],
    pub(crate) ticket: &'a [u8],
    /// RFC 9846 §4.3.10: how many bytes of early data the server takes.
    pub(crate) max_early_data_size: Option<u32>,
    /// All extensions as they were read, also those that have no field. Not written.
    pub(crate) all: ExtensionBlock<'a>,
}

impl<'a> Message<'a> for NewSessionTicket<'a> {
    const TYPE: MessageType = MessageType::NewSessionTicket;

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let mut read = Self {
            lifetime: reader.u32()?,
            age_add: reader.u32()?,
            nonce: reader.bytes_u8()?,
            ticket: {
                let ticket = reader.bytes_u16()?;
                reader.not_empty(ticket)?
            },
            max_early_data_size: None,
            all: ExtensionBlock::read(reader, Carrier::NewSessionTicket)?,
        };
        for (kind, body) in read.all.iter() {
            if kind == Kind::EARLY_DATA {
                read.max_early_data_size = Some(read_body(body, Reader::u32)?);
            }
        }
        Ok(read)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.u32(self.lifetime);
        writer.u32(self.age_add);
        writer.bytes_u8(self.nonce);
        writer.bytes_u16(self.ticket);
        writer.within_u16(|writer| {
            if let Some(size) = self.max_early_data_size {
                write_extension(writer, Kind::EARLY_DATA, |writer| writer.u32(size));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::NewSessionTicket;
    use crate::messages::extension::ExtensionType;
    use crate::messages::tests::{extensions, message, violation};
    use crate::messages::{MessageType, read_message};
    use crate::violation::Violation;

    fn ticket(ticket: &[u8], bodies: &[(ExtensionType, &[u8])]) -> Vec<u8> {
        let mut body = vec![0, 0, 0, 1, 0, 0, 0, 2, 0];
        body.extend_from_slice(&u16::try_from(ticket.len()).unwrap().to_be_bytes());
        body.extend_from_slice(ticket);
        body.extend(extensions(bodies));
        message(MessageType::NewSessionTicket, &body)
    }

    #[test]
    fn an_empty_ticket_is_malformed() {
        assert!(read_message::<NewSessionTicket<'_>>(&ticket(&[1], &[])).is_ok());
        assert_eq!(
            violation(read_message::<NewSessionTicket<'_>>(&ticket(&[], &[]))),
            Violation::MalformedMessage
        );
    }

    #[test]
    fn the_early_data_limit_is_one_number() {
        let bytes = ticket(&[1], &[(ExtensionType::EARLY_DATA, &[0, 0, 1])]);
        assert_eq!(
            violation(read_message::<NewSessionTicket<'_>>(&bytes)),
            Violation::MalformedExtension
        );
    }
}
