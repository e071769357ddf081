//! `CertificateVerify`: the proof that the sender holds the key of its certificate.

use super::{Message, MessageType, Reader, Writer};
use crate::error::Result;

/// RFC 9846 §4.5.3: `struct { SignatureScheme algorithm; opaque signature<0..2^16-1>; } CertificateVerify;`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CertificateVerify<'a> {
    pub(crate) scheme: u16,
    pub(crate) signature: &'a [u8],
}

impl<'a> Message<'a> for CertificateVerify<'a> {
    const TYPE: MessageType = MessageType::CertificateVerify;

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        Ok(Self {
            scheme: reader.u16()?,
            signature: reader.bytes_u16()?,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.u16(self.scheme);
        writer.bytes_u16(self.signature);
    }
}
