//! `Certificate` as TLS 1.2 has it: a list of certificates, without context and extensions.

use crate::error::Result;
use crate::messages::certificate::MAX_CERTIFICATES;
use crate::messages::list::Item;
use crate::messages::{List, Message, MessageType, Reader, Writer};
use crate::violation::Violation;

/// RFC 5246 §7.4.2: `struct { ASN.1Cert certificate_list<0..2^24-1>; } Certificate;`
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Certificate<'a> {
    /// The sender's own certificate first. Empty if it has none.
    pub(crate) certificates: List<'a, CertificateData<'a>>,
}

impl<'a> Message<'a> for Certificate<'a> {
    const TYPE: MessageType = MessageType::Certificate;

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let (certificates, count) = reader.within_u24(List::read_counted)?;
        if count > MAX_CERTIFICATES {
            return Err(Violation::TooManyCertificates.into());
        }
        Ok(Self { certificates })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.within_u24(|writer| self.certificates.write(writer));
    }
}

/// RFC 5246 §7.4.2: `opaque ASN.1Cert<1..2^24-1>;`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CertificateData<'a>(pub(crate) &'a [u8]);

impl<'a> Item<'a> for CertificateData<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let certificate = reader.bytes_u24()?;
        reader.not_empty(certificate).map(Self)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes_u24(self.0);
    }
}
