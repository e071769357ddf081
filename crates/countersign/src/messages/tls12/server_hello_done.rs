//! `ServerHelloDone`: it is the client's turn.

use crate::error::Result;
use crate::messages::{Message, MessageType, Reader, Writer};

/// RFC 5246 §7.4.5: `struct { } ServerHelloDone;`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServerHelloDone;

impl<'a> Message<'a> for ServerHelloDone {
    const TYPE: MessageType = MessageType::ServerHelloDone;

    fn read(_: &mut Reader<'a>) -> Result<Self> {
        Ok(Self)
    }

    fn write(&self, _: &mut Writer<'_>) {}
}
