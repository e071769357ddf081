//! `Certificate`: who somebody says they are.

use super::client_hello::STATUS_TYPE_OCSP;
use super::extension::{
    Carrier, ExtensionBlock, ExtensionSet, ExtensionType as Kind, read_body, write_extension,
};
use super::list::Item;
use super::{List, Message, MessageType, Reader, Writer};
use crate::error::Result;
use crate::violation::Violation;

/// How many certificates one message may hold.
pub(crate) const MAX_CERTIFICATES: usize = 100;

/// RFC 9846 §4.5.2:
///
/// ```text
/// struct {
///     opaque certificate_request_context<0..2^8-1>;
///     CertificateEntry certificate_list<0..2^24-1>;
/// } Certificate;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Certificate<'a> {
    pub(crate) context: &'a [u8],
    /// The sender's own certificate first. Empty if it has none.
    pub(crate) entries: List<'a, CertificateEntry<'a>>,
}

impl<'a> Message<'a> for Certificate<'a> {
    const TYPE: MessageType = MessageType::Certificate;

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let context = reader.bytes_u8()?;
        let (entries, count) = reader.within_u24(List::read_counted)?;
        if count > MAX_CERTIFICATES {
            return Err(Violation::TooManyCertificates.into());
        }
        Ok(Self { context, entries })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes_u8(self.context);
        writer.within_u24(|writer| self.entries.write(writer));
    }
}

impl Certificate<'_> {
    /// Checks that every extension of every entry answers one that was `offered`, in the
    /// `ClientHello` or in the `CertificateRequest`.
    pub(crate) fn check_solicited(&self, offered: ExtensionSet) -> Result<()> {
        // RFC 9846 §4.5.2: Extensions in the Certificate message from the server MUST correspond to
        // ones from the ClientHello message. Extensions in the Certificate message from the client
        // MUST correspond to extensions in the CertificateRequest message from the server.
        self.entries
            .iter()
            .try_for_each(|entry| entry.all.check_solicited(offered))
    }
}

/// RFC 9846 §4.5.2: `struct { opaque cert_data<1..2^24-1>; Extension extensions<0..2^16-1>; } CertificateEntry;`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CertificateEntry<'a> {
    /// The certificate, as DER.
    pub(crate) certificate: &'a [u8],
    /// RFC 6066 §8: the stapled OCSP response, as DER.
    pub(crate) ocsp_response: Option<&'a [u8]>,
    /// RFC 6962 §3.3: the list of signed certificate timestamps, undecoded.
    pub(crate) timestamps: Option<&'a [u8]>,
    /// All extensions as they were read, also those that have no field. Not written.
    pub(crate) all: ExtensionBlock<'a>,
}

impl<'a> Item<'a> for CertificateEntry<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let certificate = reader.bytes_u24()?;
        let certificate = reader.not_empty(certificate)?;
        let all = ExtensionBlock::read(reader, Carrier::Certificate)?;
        let mut entry = Self {
            certificate,
            all,
            ..Self::default()
        };
        for (kind, body) in all.iter() {
            match kind {
                Kind::STATUS_REQUEST => {
                    entry.ocsp_response = Some(read_body(body, read_certificate_status)?);
                }
                Kind::SIGNED_CERTIFICATE_TIMESTAMP => entry.timestamps = Some(body),
                _ => {}
            }
        }
        Ok(entry)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes_u24(self.certificate);
        writer.within_u16(|writer| {
            if let Some(response) = self.ocsp_response {
                write_extension(writer, Kind::STATUS_REQUEST, |writer| {
                    writer.u8(STATUS_TYPE_OCSP);
                    writer.bytes_u24(response);
                });
            }
            if let Some(timestamps) = self.timestamps {
                write_extension(writer, Kind::SIGNED_CERTIFICATE_TIMESTAMP, |writer| {
                    writer.bytes(timestamps);
                });
            }
        });
    }
}

/// RFC 6066 §8: `struct { CertificateStatusType status_type = ocsp; opaque OCSPResponse<1..2^24-1>; } CertificateStatus;`
fn read_certificate_status<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8]> {
    if reader.u8()? != STATUS_TYPE_OCSP {
        return Err(reader.malformed().into());
    }
    let response = reader.bytes_u24()?;
    reader.not_empty(response)
}
