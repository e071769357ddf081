//! `HelloRetryRequest`: the server asks for another `ClientHello`.

use super::client_hello::read_cookie;
use super::extension::{
    Carrier, ExtensionBlock, ExtensionSet, ExtensionType as Kind, read_body, write_extension,
};
use super::server_hello::{Fields, ServerHelloOrRetry};
use super::{Message, MessageType, Reader, Writer};
use crate::error::Result;
use crate::violation::Violation;

/// RFC 9846 §4.2.3: the SHA-256 of `HelloRetryRequest`, in place of the server's random value.
pub(super) const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// RFC 9846 §4.2.4: a [`super::ServerHello`] with a random value of its own.
///
/// Its `key_share` extension is only `struct { NamedGroup selected_group; }` (§4.3.8).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct HelloRetryRequest<'a> {
    pub(crate) legacy_version: u16,
    pub(crate) session_id: &'a [u8],
    pub(crate) cipher_suite: u16,
    pub(crate) compression_method: u8,
    /// RFC 9846 §4.3.1.
    pub(crate) selected_version: Option<u16>,
    /// RFC 9846 §4.3.8: the group of which the server wants a share.
    pub(crate) selected_group: Option<u16>,
    /// RFC 9846 §4.3.2.
    pub(crate) cookie: Option<&'a [u8]>,
    /// All extensions as they were read, also those that have no field. Not written.
    pub(crate) all: ExtensionBlock<'a>,
}

impl<'a> Message<'a> for HelloRetryRequest<'a> {
    const TYPE: MessageType = MessageType::ServerHello;

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        match ServerHelloOrRetry::read(reader)? {
            ServerHelloOrRetry::HelloRetryRequest(request) => Ok(request),
            ServerHelloOrRetry::ServerHello(_) => Err(Violation::UnexpectedMessage.into()),
        }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        let fields = Fields {
            legacy_version: self.legacy_version,
            random: &RETRY_RANDOM,
            session_id: self.session_id,
            cipher_suite: self.cipher_suite,
            compression_method: self.compression_method,
        };
        fields.write(writer);
        writer.within_u16(|writer| {
            if let Some(version) = self.selected_version {
                write_extension(writer, Kind::SUPPORTED_VERSIONS, |w| w.u16(version));
            }
            if let Some(group) = self.selected_group {
                write_extension(writer, Kind::KEY_SHARE, |w| w.u16(group));
            }
            if let Some(cookie) = self.cookie {
                write_extension(writer, Kind::COOKIE, |w| w.bytes_u16(cookie));
            }
        });
    }
}

impl<'a> HelloRetryRequest<'a> {
    /// Checks that every extension answers one that the `ClientHello` `offered`.
    pub(crate) fn check_solicited(&self, offered: ExtensionSet) -> Result<()> {
        // RFC 9846 §4.3: the cookie is the one extension that may come without being offered.
        self.all.check_solicited(offered.with(Kind::COOKIE))
    }

    pub(super) fn read_extensions(fields: &Fields<'a>, all: ExtensionBlock<'a>) -> Result<Self> {
        all.check(Carrier::HelloRetryRequest)?;
        let mut request = Self {
            legacy_version: fields.legacy_version,
            session_id: fields.session_id,
            cipher_suite: fields.cipher_suite,
            compression_method: fields.compression_method,
            selected_version: None,
            selected_group: None,
            cookie: None,
            all,
        };
        for (kind, body) in all.iter() {
            match kind {
                Kind::SUPPORTED_VERSIONS => {
                    request.selected_version = Some(read_body(body, Reader::u16)?);
                }
                Kind::KEY_SHARE => request.selected_group = Some(read_body(body, Reader::u16)?),
                Kind::COOKIE => request.cookie = Some(read_body(body, read_cookie)?),
                _ => {}
            }
        }
        Ok(request)
    }
}
