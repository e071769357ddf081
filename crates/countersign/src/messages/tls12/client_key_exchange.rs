//! `ClientKeyExchange`: the client's half of the key exchange.

use crate::error::Result;
use crate::messages::{Message, MessageType, Reader, Writer};

/// What it looks like depends on the suite, which is not in the message: [`Self::curve_point`] and
/// [`Self::finite_field`] read it as one or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientKeyExchange<'a> {
    pub(crate) content: ClientPublic<'a>,
}

/// The client's public value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientPublic<'a> {
    /// As it was read: nobody knows yet of which kind.
    Undecoded(&'a [u8]),
    /// RFC 8422 §5.7: `opaque point <1..2^8-1>;`
    CurvePoint(&'a [u8]),
    /// RFC 5246 §7.4.7.2: `opaque dh_Yc<1..2^16-1>;`
    FiniteField(&'a [u8]),
}

impl<'a> Message<'a> for ClientKeyExchange<'a> {
    const TYPE: MessageType = MessageType::ClientKeyExchange;

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        Ok(Self {
            content: ClientPublic::Undecoded(reader.rest()),
        })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        match self.content {
            ClientPublic::Undecoded(bytes) => writer.bytes(bytes),
            ClientPublic::CurvePoint(point) => writer.bytes_u8(point),
            ClientPublic::FiniteField(value) => writer.bytes_u16(value),
        }
    }
}

impl<'a> ClientKeyExchange<'a> {
    /// The point, if the suite exchanges keys on a curve.
    pub(crate) fn curve_point(&self) -> Result<&'a [u8]> {
        match self.content {
            ClientPublic::Undecoded(bytes) => read_whole(bytes, Reader::bytes_u8),
            ClientPublic::CurvePoint(value) | ClientPublic::FiniteField(value) => Ok(value),
        }
    }

    /// The public value, if the suite exchanges keys in a finite field.
    pub(crate) fn finite_field(&self) -> Result<&'a [u8]> {
        match self.content {
            ClientPublic::Undecoded(bytes) => read_whole(bytes, Reader::bytes_u16),
            ClientPublic::CurvePoint(value) | ClientPublic::FiniteField(value) => Ok(value),
        }
    }
}

fn read_whole<'a>(
    bytes: &'a [u8],
    read: impl FnOnce(&mut Reader<'a>) -> Result<&'a [u8]>,
) -> Result<&'a [u8]> {
    let mut reader = Reader::new(bytes);
    let value = read(&mut reader)?;
    reader.finish()?;
    reader.not_empty(value)
}
