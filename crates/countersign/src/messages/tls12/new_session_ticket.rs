//! `NewSessionTicket` as TLS 1.2 has it: what the client may resume with.

use crate::error::Result;
use crate::messages::{Message, MessageType, Reader, Writer};

/// RFC 5077 §3.3: `struct { uint32 ticket_lifetime_hint; opaque ticket<0..2^16-1>; } NewSessionTicket;`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewSessionTicket<'a> {
    /// In seconds; zero says nothing about it.
    pub(crate) lifetime: u32,
    /// Empty if the server has nothing to resume with after all.
    pub(crate) ticket: &'a [u8],
}

impl<'a> Message<'a> for NewSessionTicket<'a> {
    const TYPE: MessageType = MessageType::NewSessionTicket;

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        Ok(Self {
            lifetime: reader.u32()?,
            ticket: reader.bytes_u16()?,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.u32(self.lifetime);
        writer.bytes_u16(self.ticket);
    }
}
