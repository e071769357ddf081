//! `HelloRequest`: the server wants to negotiate again.

use crate::error::Result;
use crate::messages::{Message, MessageType, Reader, Writer};

/// RFC 5246 §7.4.1.1: `struct { } HelloRequest;` It is in no transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HelloRequest;

impl<'a> Message<'a> for HelloRequest {
    const TYPE: MessageType = MessageType::HelloRequest;

    fn read(_: &mut Reader<'a>) -> Result<Self> {
        Ok(Self)
    }

    fn write(&self, _: &mut Writer<'_>) {}
}
