//! `CertificateRequest` as TLS 1.2 has it: the server asks who the client is.

use crate::error::Result;
use crate::messages::{DistinguishedName, List, Message, MessageType, Reader, Writer};

/// RFC 5246 §7.4.4:
///
/// ```text
/// struct {
///     ClientCertificateType certificate_types<1..2^8-1>;
///     SignatureAndHashAlgorithm supported_signature_algorithms<2..2^16-2>;
///     DistinguishedName certificate_authorities<0..2^16-1>;
/// } CertificateRequest;
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CertificateRequest<'a> {
    /// The kinds of keys that the server can verify, each a [`CertificateType`].
    pub(crate) certificate_types: &'a [u8],
    pub(crate) signature_algorithms: List<'a, u16>,
    pub(crate) certificate_authorities: List<'a, DistinguishedName<'a>>,
}

/// What the key of a client's certificate is for (RFC 5246 §7.4.4, RFC 8422 §5.5).
pub(crate) struct CertificateType;

impl CertificateType {
    /// An RSA key.
    pub(crate) const RSA_SIGN: u8 = 1;
    /// A key for ECDSA or Ed25519.
    pub(crate) const ECDSA_SIGN: u8 = 64;
}

impl<'a> Message<'a> for CertificateRequest<'a> {
    const TYPE: MessageType = MessageType::CertificateRequest;

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        Ok(Self {
            certificate_types: {
                let types = reader.bytes_u8()?;
                reader.not_empty(types)?
            },
            signature_algorithms: reader.within_u16(List::read_some)?,
            certificate_authorities: reader.within_u16(List::read)?,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes_u8(self.certificate_types);
        writer.within_u16(|writer| self.signature_algorithms.write(writer));
        writer.within_u16(|writer| self.certificate_authorities.write(writer));
    }
}
