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

#[cfg(test)]
mod tests {
    use super::{Certificate, CertificateEntry, MAX_CERTIFICATES};
    use crate::messages::extension::ExtensionType;
    use crate::messages::tests::{extensions, message, violation, written};
    use crate::messages::{ExtensionSet, MessageType, Writer, read_message};
    use crate::violation::Violation;

    /// One certificate with these extensions.
    fn with_extensions(bodies: &[(ExtensionType, &[u8])]) -> Vec<u8> {
        let mut output = Vec::new();
        let mut writer = Writer::new(&mut output);
        writer.bytes_u8(&[]);
        writer.within_u24(|writer| {
            writer.bytes_u24(b"DER");
            writer.bytes(&extensions(bodies));
        });
        message(MessageType::Certificate, &output)
    }

    #[test]
    fn no_certificate_is_a_certificate_message() {
        let bytes = written(&Certificate::default());
        assert_eq!(bytes, [11, 0, 0, 4, 0, 0, 0, 0]);
        let read: Certificate<'_> = read_message(&bytes).unwrap();
        assert!(read.entries.is_empty());
    }

    #[test]
    fn the_number_of_certificates_is_limited() {
        let entry = CertificateEntry {
            certificate: b"DER",
            ..CertificateEntry::default()
        };
        let read = |count: usize| {
            let entries = vec![entry; count];
            let bytes = written(&Certificate {
                context: &[],
                entries: entries.as_slice().into(),
            });
            read_message::<Certificate<'_>>(&bytes).map(|read| read.entries.iter().count())
        };
        assert_eq!(read(MAX_CERTIFICATES).unwrap(), MAX_CERTIFICATES);
        assert_eq!(
            violation(read(MAX_CERTIFICATES + 1)),
            Violation::TooManyCertificates
        );
    }

    #[test]
    fn an_empty_certificate_is_malformed() {
        let bytes = message(MessageType::Certificate, &[0, 0, 0, 5, 0, 0, 0, 0, 0]);
        assert_eq!(
            violation(read_message::<Certificate<'_>>(&bytes)),
            Violation::MalformedMessage
        );
    }

    #[test]
    fn staples_need_to_be_asked_for() {
        let bytes = with_extensions(&[
            (ExtensionType::STATUS_REQUEST, &[1, 0, 0, 1, 9]),
            (ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP, &[8]),
        ]);
        let read: Certificate<'_> = read_message(&bytes).unwrap();
        let entry = read.entries.iter().next().unwrap();
        assert_eq!(entry.ocsp_response, Some(&[9][..]));
        assert_eq!(entry.timestamps, Some(&[8][..]));
        let offered = ExtensionSet::default().with(ExtensionType::STATUS_REQUEST);
        assert_eq!(
            violation(read.check_solicited(offered)),
            Violation::UnsolicitedExtension
        );
        let offered = offered.with(ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP);
        assert!(read.check_solicited(offered).is_ok());
    }

    #[test]
    fn only_a_whole_ocsp_response_can_be_stapled() {
        for status in [&[2, 0, 0, 1, 9][..], &[1, 0, 0, 0], &[1, 0, 0, 1, 9, 9]] {
            let bytes = with_extensions(&[(ExtensionType::STATUS_REQUEST, status)]);
            assert_eq!(
                violation(read_message::<Certificate<'_>>(&bytes)),
                Violation::MalformedExtension
            );
        }
    }

    #[test]
    fn extensions_of_other_messages_are_misplaced() {
        let bytes = with_extensions(&[(ExtensionType::ALPN, &[])]);
        assert_eq!(
            violation(read_message::<Certificate<'_>>(&bytes)),
            Violation::MisplacedExtension
        );
    }
}
