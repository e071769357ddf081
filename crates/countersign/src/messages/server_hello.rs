//! `ServerHello`: what the server chose.

use super::client_hello::{read_point_formats, read_session_id};
use super::extension::{
    Carrier, ExtensionBlock, ExtensionSet, ExtensionType as Kind, read_body, read_presence,
    write_extension,
};
use super::hello_retry_request::{HelloRetryRequest, RETRY_RANDOM};
use super::list::Item;
use super::{KeyShareEntry, Message, MessageType, ProtocolName, Reader, Writer};
use crate::error::Result;
use crate::violation::Violation;

/// RFC 9846 §4.2.3:
///
/// ```text
/// struct {
///     ProtocolVersion legacy_version = 0x0303;
///     Random random;
///     opaque legacy_session_id_echo<0..32>;
///     CipherSuite cipher_suite;
///     uint8 legacy_compression_method = 0;
///     Extension extensions<6..2^16-1>;
/// } ServerHello;
/// ```
///
/// That of TLS 1.2 reads as well: it has no `selected_version`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ServerHello<'a> {
    pub(crate) legacy_version: u16,
    pub(crate) random: &'a [u8; 32],
    pub(crate) session_id: &'a [u8],
    pub(crate) cipher_suite: u16,
    pub(crate) compression_method: u8,
    /// RFC 9846 §4.3.1.
    pub(crate) selected_version: Option<u16>,
    /// RFC 9846 §4.3.8.
    pub(crate) key_share: Option<KeyShareEntry<'a>>,
    /// RFC 9846 §4.3.11: which of the offered pre-shared keys, counted from 0.
    pub(crate) selected_identity: Option<u16>,
    /// What only TLS 1.2 says here.
    pub(crate) tls12: ExtensionsOfTls12<'a>,
    /// All extensions as they were read, also those that have no field. Not written.
    pub(crate) all: ExtensionBlock<'a>,
}

/// The extensions of a `ServerHello` that chooses TLS 1.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExtensionsOfTls12<'a> {
    /// RFC 6066 §3: the server used the name.
    pub(crate) server_name: bool,
    /// RFC 8422 §5.1.2. One byte each.
    pub(crate) ec_point_formats: Option<&'a [u8]>,
    /// RFC 7301 §3.1.
    pub(crate) alpn: Option<ProtocolName<'a>>,
    /// RFC 7627 §5.1.
    pub(crate) extended_master_secret: bool,
    /// RFC 5077 §3.2: a ticket will follow.
    pub(crate) session_ticket: bool,
    /// RFC 5746 §3.2: empty in the first handshake.
    pub(crate) renegotiation_info: Option<&'a [u8]>,
}

impl<'a> ExtensionsOfTls12<'a> {
    fn read_extension(&mut self, kind: Kind, body: &'a [u8]) -> Result<()> {
        match kind {
            Kind::SERVER_NAME => self.server_name = read_presence(body)?,
            Kind::EC_POINT_FORMATS => {
                self.ec_point_formats = Some(read_body(body, read_point_formats)?);
            }
            // RFC 7301 §3.1: the list MUST contain exactly one name.
            Kind::ALPN => {
                self.alpn = Some(read_body(body, |r| r.within_u16(ProtocolName::read))?);
            }
            Kind::EXTENDED_MASTER_SECRET => self.extended_master_secret = read_presence(body)?,
            Kind::SESSION_TICKET => self.session_ticket = read_presence(body)?,
            Kind::RENEGOTIATION_INFO => {
                self.renegotiation_info = Some(read_body(body, Reader::bytes_u8)?);
            }
            _ => {}
        }
        Ok(())
    }

    fn write(&self, writer: &mut Writer<'_>) {
        let presences = [
            (self.server_name, Kind::SERVER_NAME),
            (self.extended_master_secret, Kind::EXTENDED_MASTER_SECRET),
            (self.session_ticket, Kind::SESSION_TICKET),
        ];
        for (_, kind) in presences.into_iter().filter(|(is_present, _)| *is_present) {
            write_extension(writer, kind, |_| {});
        }
        if let Some(formats) = self.ec_point_formats {
            write_extension(writer, Kind::EC_POINT_FORMATS, |w| w.bytes_u8(formats));
        }
        if let Some(protocol) = &self.alpn {
            write_extension(writer, Kind::ALPN, |w| w.within_u16(|w| protocol.write(w)));
        }
        if let Some(verify_data) = self.renegotiation_info {
            write_extension(writer, Kind::RENEGOTIATION_INFO, |w| {
                w.bytes_u8(verify_data);
            });
        }
    }
}

impl<'a> Message<'a> for ServerHello<'a> {
    const TYPE: MessageType = MessageType::ServerHello;

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        match ServerHelloOrRetry::read(reader)? {
            ServerHelloOrRetry::ServerHello(hello) => Ok(hello),
            ServerHelloOrRetry::HelloRetryRequest(_) => Err(Violation::SecondRetry.into()),
        }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        let fields = Fields {
            legacy_version: self.legacy_version,
            random: self.random,
            session_id: self.session_id,
            cipher_suite: self.cipher_suite,
            compression_method: self.compression_method,
        };
        fields.write(writer);
        // RFC 5246 §7.4.1.3: without extensions there is not even an empty list of them.
        if self.selected_version.is_none() && self.tls12 == ExtensionsOfTls12::default() {
            return;
        }
        writer.within_u16(|writer| {
            if let Some(version) = self.selected_version {
                write_extension(writer, Kind::SUPPORTED_VERSIONS, |w| w.u16(version));
            }
            if let Some(share) = &self.key_share {
                write_extension(writer, Kind::KEY_SHARE, |w| share.write(w));
            }
            if let Some(identity) = self.selected_identity {
                write_extension(writer, Kind::PRE_SHARED_KEY, |w| w.u16(identity));
            }
            self.tls12.write(writer);
        });
    }
}

impl<'a> ServerHello<'a> {
    /// Checks that every extension answers one that the `ClientHello` `offered`.
    pub(crate) fn check_solicited(&self, offered: ExtensionSet) -> Result<()> {
        self.all.check_solicited(offered)
    }

    fn read_extensions(fields: &Fields<'a>, all: ExtensionBlock<'a>) -> Result<Self> {
        let carrier = if all.contains(Kind::SUPPORTED_VERSIONS) {
            Carrier::ServerHello
        } else {
            Carrier::LegacyServerHello
        };
        all.check(carrier)?;
        let mut hello = Self {
            legacy_version: fields.legacy_version,
            random: fields.random,
            session_id: fields.session_id,
            cipher_suite: fields.cipher_suite,
            compression_method: fields.compression_method,
            selected_version: None,
            key_share: None,
            selected_identity: None,
            tls12: ExtensionsOfTls12::default(),
            all,
        };
        for (kind, body) in all.iter() {
            match kind {
                Kind::SUPPORTED_VERSIONS => {
                    hello.selected_version = Some(read_body(body, Reader::u16)?);
                }
                Kind::KEY_SHARE => hello.key_share = Some(read_body(body, KeyShareEntry::read)?),
                Kind::PRE_SHARED_KEY => {
                    hello.selected_identity = Some(read_body(body, Reader::u16)?);
                }
                _ => hello.tls12.read_extension(kind, body)?,
            }
        }
        Ok(hello)
    }
}

/// The two answers to a `ClientHello`, which share a message type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ServerHelloOrRetry<'a> {
    ServerHello(ServerHello<'a>),
    HelloRetryRequest(HelloRetryRequest<'a>),
}

impl<'a> Message<'a> for ServerHelloOrRetry<'a> {
    const TYPE: MessageType = MessageType::ServerHello;

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let fields = Fields::read(reader)?;
        // A ServerHello before TLS 1.3 may end here (RFC 5246 §7.4.1.3).
        let all = if reader.is_empty() {
            ExtensionBlock::default()
        } else {
            ExtensionBlock::read_unplaced(reader)?
        };
        // RFC 9846 §4.2.3: Upon receiving a message with type server_hello, implementations MUST
        // first examine the Random value.
        if *fields.random == RETRY_RANDOM {
            HelloRetryRequest::read_extensions(&fields, all).map(Self::HelloRetryRequest)
        } else {
            ServerHello::read_extensions(&fields, all).map(Self::ServerHello)
        }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Self::ServerHello(hello) => hello.write(writer),
            Self::HelloRetryRequest(request) => request.write(writer),
        }
    }
}

/// What stands before the extensions, in both kinds.
pub(super) struct Fields<'a> {
    pub(super) legacy_version: u16,
    pub(super) random: &'a [u8; 32],
    pub(super) session_id: &'a [u8],
    pub(super) cipher_suite: u16,
    pub(super) compression_method: u8,
}

impl<'a> Fields<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        Ok(Self {
            legacy_version: reader.u16()?,
            random: reader.array()?,
            session_id: read_session_id(reader)?,
            cipher_suite: reader.u16()?,
            compression_method: reader.u8()?,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.u16(self.legacy_version);
        writer.bytes(self.random);
        writer.bytes_u8(self.session_id);
        writer.u16(self.cipher_suite);
        writer.u8(self.compression_method);
    }
}

#[cfg(test)]
mod tests {
    use super::{HelloRetryRequest, RETRY_RANDOM, ServerHello, ServerHelloOrRetry};
    use crate::messages::extension::ExtensionType;
    use crate::messages::tests::{extensions, message, violation};
    use crate::messages::{ExtensionSet, MessageType, read_message};
    use crate::violation::Violation;

    const TLS13: (ExtensionType, &[u8]) = (ExtensionType::SUPPORTED_VERSIONS, &[3, 4]);

    fn hello(random: [u8; 32], bodies: Option<&[(ExtensionType, &[u8])]>) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend_from_slice(&random);
        body.extend_from_slice(&[0, 0x13, 0x01, 0]);
        body.extend(bodies.map(extensions).unwrap_or_default());
        message(MessageType::ServerHello, &body)
    }

    #[test]
    fn a_hello_of_tls_1_2_reads_without_extensions() {
        let bytes = hello([1; 32], None);
        let read: ServerHello<'_> = read_message(&bytes).unwrap();
        assert_eq!(read.selected_version, None);
        assert_eq!(read.legacy_version, 0x0303);
    }

    #[test]
    fn the_chosen_version_decides_which_extensions_belong_here() {
        let alpn = (ExtensionType::ALPN, &b"\0\x03\x02h2"[..]);
        let bytes = hello([1; 32], Some(&[alpn]));
        assert!(read_message::<ServerHello<'_>>(&bytes).is_ok());
        let bytes = hello([1; 32], Some(&[alpn, TLS13]));
        assert_eq!(
            violation(read_message::<ServerHello<'_>>(&bytes)),
            Violation::MisplacedExtension
        );
    }

    #[test]
    fn a_retry_is_known_by_its_random_value() {
        let group = (ExtensionType::KEY_SHARE, &[0, 29][..]);
        let bytes = hello(RETRY_RANDOM, Some(&[TLS13, group]));
        let read: HelloRetryRequest<'_> = read_message(&bytes).unwrap();
        assert_eq!(read.selected_group, Some(29));
        assert_eq!(
            violation(read_message::<ServerHello<'_>>(&bytes)),
            Violation::SecondRetry
        );
        let bytes = hello([1; 32], Some(&[TLS13]));
        assert_eq!(
            violation(read_message::<HelloRetryRequest<'_>>(&bytes)),
            Violation::UnexpectedMessage
        );
    }

    #[test]
    fn each_kind_has_its_own_key_share() {
        let share = (ExtensionType::KEY_SHARE, &[0, 29, 0, 1, 9][..]);
        let group = (ExtensionType::KEY_SHARE, &[0, 29][..]);
        for (random, body) in [(RETRY_RANDOM, share), ([1; 32], group)] {
            let bytes = hello(random, Some(&[TLS13, body]));
            assert_eq!(
                violation(read_message::<ServerHelloOrRetry<'_>>(&bytes)),
                Violation::MalformedExtension
            );
        }
    }

    #[test]
    fn only_the_cookie_comes_without_being_offered() {
        let offered = ExtensionSet::default().with(ExtensionType::SUPPORTED_VERSIONS);
        let cookie = (ExtensionType::COOKIE, &[0, 1, 5][..]);
        let bytes = hello(RETRY_RANDOM, Some(&[TLS13, cookie]));
        let read: HelloRetryRequest<'_> = read_message(&bytes).unwrap();
        assert!(read.check_solicited(offered).is_ok());
        assert_eq!(read.cookie, Some(&[5][..]));

        let key = (ExtensionType::PRE_SHARED_KEY, &[0, 0][..]);
        let bytes = hello([1; 32], Some(&[TLS13, key]));
        let read: ServerHello<'_> = read_message(&bytes).unwrap();
        assert_eq!(
            violation(read.check_solicited(offered)),
            Violation::UnsolicitedExtension
        );
    }
}
