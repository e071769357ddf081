//! `CertificateRequest`: the server asks who the client is.

use super::client_hello::write_list;
use super::extension::{
    Carrier, ExtensionBlock, ExtensionType as Kind, read_body, write_extension,
};
use super::list::Item;
use super::{List, Message, MessageType, Reader, Writer};
use crate::error::Result;

/// RFC 9846 §4.4.2:
///
/// ```text
/// struct {
///     opaque certificate_request_context<0..2^8-1>;
///     Extension extensions<0..2^16-1>;
/// } CertificateRequest;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct CertificateRequest<'a> {
    pub(crate) context: &'a [u8],
    /// RFC 9846 §4.3.3. The handshake demands it.
    pub(crate) signature_algorithms: Option<List<'a, u16>>,
    /// RFC 9846 §4.3.3.
    pub(crate) signature_algorithms_cert: Option<List<'a, u16>>,
    /// RFC 9846 §4.3.4.
    pub(crate) certificate_authorities: Option<List<'a, DistinguishedName<'a>>>,
    /// RFC 9846 §4.5.2.1: the client may staple an OCSP response.
    pub(crate) status_request: bool,
    /// All extensions as they were read, also those that have no field. Not written.
    pub(crate) all: ExtensionBlock<'a>,
}

impl<'a> Message<'a> for CertificateRequest<'a> {
    const TYPE: MessageType = MessageType::CertificateRequest;

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let context = reader.bytes_u8()?;
        let all = ExtensionBlock::read(reader, Carrier::CertificateRequest)?;
        let mut read = Self {
            context,
            all,
            ..Self::default()
        };
        let schemes = |reader: &mut Reader<'a>| reader.within_u16(List::read_some);
        for (kind, body) in all.iter() {
            match kind {
                Kind::SIGNATURE_ALGORITHMS => {
                    read.signature_algorithms = Some(read_body(body, schemes)?);
                }
                Kind::SIGNATURE_ALGORITHMS_CERT => {
                    read.signature_algorithms_cert = Some(read_body(body, schemes)?);
                }
                Kind::CERTIFICATE_AUTHORITIES => {
                    read.certificate_authorities =
                        Some(read_body(body, |r| r.within_u16(List::read_some))?);
                }
                // Its content is not looked at: RFC 9846 sends it empty, others did not.
                Kind::STATUS_REQUEST => read.status_request = true,
                _ => {}
            }
        }
        Ok(read)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes_u8(self.context);
        writer.within_u16(|writer| {
            write_list(
                writer,
                Kind::SIGNATURE_ALGORITHMS,
                self.signature_algorithms.as_ref(),
            );
            write_list(
                writer,
                Kind::SIGNATURE_ALGORITHMS_CERT,
                self.signature_algorithms_cert.as_ref(),
            );
            write_list(
                writer,
                Kind::CERTIFICATE_AUTHORITIES,
                self.certificate_authorities.as_ref(),
            );
            if self.status_request {
                write_extension(writer, Kind::STATUS_REQUEST, |_| {});
            }
        });
    }
}

/// RFC 9846 §4.3.4: `opaque DistinguishedName<1..2^16-1>;`, a DER-encoded X.501 name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DistinguishedName<'a>(pub(crate) &'a [u8]);

impl<'a> Item<'a> for DistinguishedName<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let name = reader.bytes_u16()?;
        reader.not_empty(name).map(Self)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes_u16(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::CertificateRequest;
    use crate::messages::extension::ExtensionType;
    use crate::messages::tests::{extensions, message, violation};
    use crate::messages::{MessageType, read_message};
    use crate::violation::Violation;

    fn request(bodies: &[(ExtensionType, &[u8])]) -> Vec<u8> {
        let body = [&[2, 7, 8][..], &extensions(bodies)].concat();
        message(MessageType::CertificateRequest, &body)
    }

    #[test]
    fn what_is_not_understood_is_ignored() {
        let bytes = request(&[
            (ExtensionType::OID_FILTERS, b"anything"),
            (ExtensionType(0x0a0a), b"grease"),
            (ExtensionType::STATUS_REQUEST, &[]),
        ]);
        let read: CertificateRequest<'_> = read_message(&bytes).unwrap();
        assert_eq!(read.context, [7, 8]);
        assert!(read.status_request);
        assert_eq!(read.signature_algorithms, None);
    }

    #[test]
    fn empty_lists_are_malformed() {
        for kind in [
            ExtensionType::SIGNATURE_ALGORITHMS,
            ExtensionType::SIGNATURE_ALGORITHMS_CERT,
            ExtensionType::CERTIFICATE_AUTHORITIES,
        ] {
            assert_eq!(
                violation(read_message::<CertificateRequest<'_>>(&request(&[(
                    kind,
                    &[0, 0]
                )]))),
                Violation::MalformedExtension
            );
        }
    }

    #[test]
    fn an_empty_name_is_malformed() {
        let bytes = request(&[(ExtensionType::CERTIFICATE_AUTHORITIES, &[0, 2, 0, 0])]);
        assert_eq!(
            violation(read_message::<CertificateRequest<'_>>(&bytes)),
            Violation::MalformedExtension
        );
    }

    #[test]
    fn extensions_of_other_messages_are_misplaced() {
        let bytes = request(&[(ExtensionType::SUPPORTED_GROUPS, &[0, 2, 0, 29])]);
        assert_eq!(
            violation(read_message::<CertificateRequest<'_>>(&bytes)),
            Violation::MisplacedExtension
        );
    }
}
