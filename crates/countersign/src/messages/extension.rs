//! Extensions: which there are, which message may carry which, and the check of both.

use super::{Reader, Writer};
use crate::error::Result;
use crate::violation::Violation;

/// The number of an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ExtensionType(pub(crate) u16);

/// What carries extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Carrier {
    ClientHello = 1,
    ServerHello = 1 << 1,
    HelloRetryRequest = 1 << 2,
    EncryptedExtensions = 1 << 3,
    CertificateRequest = 1 << 4,
    Certificate = 1 << 5,
    NewSessionTicket = 1 << 6,
    /// A `ServerHello` that chooses TLS 1.2 or less.
    LegacyServerHello = 1 << 7,
}

struct Row {
    kind: ExtensionType,
    carriers: &'static [Carrier],
}

macro_rules! extensions {
    ($($name:ident = $number:literal, $($carrier:ident),+;)*) => {
        impl ExtensionType {
            $(pub(crate) const $name: Self = Self($number);)*
        }

        /// RFC 9846 §4.3, the table of extensions and the messages that may carry them, with
        /// what later RFCs and TLS 1.2 add. A number without a row is unknown here.
        const TABLE: &[Row] = &[
            $(Row { kind: ExtensionType::$name, carriers: &[$(Carrier::$carrier),+] },)*
        ];
    };
}

extensions! {
    SERVER_NAME = 0, ClientHello, EncryptedExtensions, LegacyServerHello;
    MAX_FRAGMENT_LENGTH = 1, ClientHello, EncryptedExtensions, LegacyServerHello;
    STATUS_REQUEST = 5, ClientHello, CertificateRequest, Certificate, LegacyServerHello;
    SUPPORTED_GROUPS = 10, ClientHello, EncryptedExtensions, LegacyServerHello;
    EC_POINT_FORMATS = 11, ClientHello, LegacyServerHello;
    SIGNATURE_ALGORITHMS = 13, ClientHello, CertificateRequest;
    USE_SRTP = 14, ClientHello, EncryptedExtensions, LegacyServerHello;
    HEARTBEAT = 15, ClientHello, EncryptedExtensions, LegacyServerHello;
    ALPN = 16, ClientHello, EncryptedExtensions, LegacyServerHello;
    SIGNED_CERTIFICATE_TIMESTAMP = 18, ClientHello, CertificateRequest, Certificate, LegacyServerHello;
    CLIENT_CERTIFICATE_TYPE = 19, ClientHello, EncryptedExtensions, LegacyServerHello;
    SERVER_CERTIFICATE_TYPE = 20, ClientHello, EncryptedExtensions, LegacyServerHello;
    PADDING = 21, ClientHello;
    ENCRYPT_THEN_MAC = 22, ClientHello, LegacyServerHello;
    EXTENDED_MASTER_SECRET = 23, ClientHello, LegacyServerHello;
    COMPRESS_CERTIFICATE = 27, ClientHello, CertificateRequest;
    RECORD_SIZE_LIMIT = 28, ClientHello, EncryptedExtensions, LegacyServerHello;
    DELEGATED_CREDENTIAL = 34, ClientHello, CertificateRequest, Certificate;
    SESSION_TICKET = 35, ClientHello, LegacyServerHello;
    PRE_SHARED_KEY = 41, ClientHello, ServerHello;
    EARLY_DATA = 42, ClientHello, EncryptedExtensions, NewSessionTicket;
    SUPPORTED_VERSIONS = 43, ClientHello, ServerHello, HelloRetryRequest;
    COOKIE = 44, ClientHello, HelloRetryRequest;
    PSK_KEY_EXCHANGE_MODES = 45, ClientHello;
    CERTIFICATE_AUTHORITIES = 47, ClientHello, CertificateRequest;
    OID_FILTERS = 48, CertificateRequest;
    POST_HANDSHAKE_AUTH = 49, ClientHello;
    SIGNATURE_ALGORITHMS_CERT = 50, ClientHello, CertificateRequest;
    KEY_SHARE = 51, ClientHello, ServerHello, HelloRetryRequest;
    QUIC_TRANSPORT_PARAMETERS = 57, ClientHello, EncryptedExtensions;
    TICKET_REQUEST = 58, ClientHello, EncryptedExtensions;
    ENCRYPTED_CLIENT_HELLO = 0xfe0d, ClientHello, EncryptedExtensions, HelloRetryRequest;
    RENEGOTIATION_INFO = 0xff01, ClientHello, LegacyServerHello;
}

/// A set of the extensions in the table, to be kept: what was offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExtensionSet(u64);

const _: () = assert!(
    TABLE.len() <= 64,
    "an ExtensionSet has one bit for each row"
);

impl ExtensionSet {
    /// Whether `kind` is in the set. Extensions without a row never are.
    pub(crate) fn contains(self, kind: ExtensionType) -> bool {
        row(kind).is_some_and(|(bit, _)| self.0 & bit != 0)
    }

    /// The set with `kind` in it.
    pub(crate) fn with(self, kind: ExtensionType) -> Self {
        row(kind).map_or(self, |(bit, _)| Self(self.0 | bit))
    }
}

fn row(kind: ExtensionType) -> Option<(u64, &'static Row)> {
    let index = TABLE.iter().position(|row| row.kind == kind)?;
    let bit = 1_u64.checked_shl(u32::try_from(index).ok()?)?;
    Some((bit, TABLE.get(index)?))
}

/// The extensions of one message as they stand on the wire, in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExtensionBlock<'a> {
    bytes: &'a [u8],
}

impl<'a> ExtensionBlock<'a> {
    /// Reads `Extension extensions<0..2^16-1>` and checks that each may stand in `carrier`, once.
    pub(crate) fn read(reader: &mut Reader<'a>, carrier: Carrier) -> Result<Self> {
        let block = Self::read_unplaced(reader)?;
        block.check(carrier)?;
        Ok(block)
    }

    /// As [`Self::read`], for a message whose kind the extensions themselves decide: the
    /// caller has to call [`Self::check`].
    pub(super) fn read_unplaced(reader: &mut Reader<'a>) -> Result<Self> {
        let bytes = reader.bytes_u16()?;
        let mut extensions = Reader::of_extension(bytes);
        while !extensions.is_empty() {
            extensions.u16()?;
            extensions.bytes_u16()?;
        }
        Ok(Self { bytes })
    }

    /// The extensions in order, each with its body.
    pub(crate) fn iter(self) -> impl Iterator<Item = (ExtensionType, &'a [u8])> {
        let mut reader = Reader::of_extension(self.bytes);
        core::iter::from_fn(move || {
            let kind = reader.u16().ok()?;
            Some((ExtensionType(kind), reader.bytes_u16().ok()?))
        })
    }

    /// Whether an extension of this kind is among them.
    pub(crate) fn contains(self, kind: ExtensionType) -> bool {
        self.iter().any(|(other, _)| other == kind)
    }

    /// The kinds that stand here and in the table.
    pub(crate) fn kinds(self) -> ExtensionSet {
        self.iter()
            .fold(ExtensionSet::default(), |set, (kind, _)| set.with(kind))
    }

    /// Checks that each extension may stand in `carrier`, and stands there once.
    pub(super) fn check(self, carrier: Carrier) -> Result<()> {
        let mut seen = ExtensionSet::default();
        let mut unknown = Vec::new();
        for (kind, _) in self.iter() {
            let Some((bit, row)) = row(kind) else {
                unknown.push(kind);
                continue;
            };
            // RFC 9846 §4.3: an extension that is recognised and not specified for the message
            // MUST be answered with illegal_parameter.
            if !row.carriers.contains(&carrier) {
                return Err(Violation::MisplacedExtension.into());
            }
            // RFC 9846 §4.3: There MUST NOT be more than one extension of the same type in a
            // given extension block.
            if seen.0 & bit != 0 {
                return Err(Violation::DuplicateExtension.into());
            }
            seen.0 |= bit;
        }
        // A ClientHello has room for 16,000 unknown extensions: sorted, they are still cheap.
        unknown.sort_unstable();
        if unknown.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(Violation::DuplicateExtension.into());
        }
        Ok(())
    }

    /// Checks that each extension answers one of those `offered`.
    pub(crate) fn check_solicited(self, offered: ExtensionSet) -> Result<()> {
        // RFC 9846 §4.3: an endpoint that receives an extension response which it did not request
        // MUST abort the handshake with unsupported_extension.
        if self.iter().any(|(kind, _)| !offered.contains(kind)) {
            return Err(Violation::UnsolicitedExtension.into());
        }
        Ok(())
    }
}

/// Reads the whole body of an extension.
pub(super) fn read_body<'a, T>(
    body: &'a [u8],
    read: impl FnOnce(&mut Reader<'a>) -> Result<T>,
) -> Result<T> {
    let mut reader = Reader::of_extension(body);
    let value = read(&mut reader)?;
    reader.finish()?;
    Ok(value)
}

/// Reads an extension whose presence says all: it is there.
pub(super) fn read_presence(body: &[u8]) -> Result<bool> {
    read_body(body, |_| Ok(true))
}

/// Writes one extension: its kind, and its body within its length.
pub(super) fn write_extension(
    writer: &mut Writer<'_>,
    kind: ExtensionType,
    write: impl FnOnce(&mut Writer<'_>),
) {
    writer.u16(kind.0);
    writer.within_u16(write);
}

#[cfg(test)]
mod tests {
    use super::{Carrier, ExtensionBlock, ExtensionSet, TABLE};
    use crate::error::Result;
    use crate::messages::Reader;
    use crate::messages::extension::ExtensionType;
    use crate::messages::tests::{extensions, violation};
    use crate::violation::Violation;

    fn check(kinds: &[ExtensionType], carrier: Carrier) -> Result<ExtensionSet> {
        let bodies: Vec<_> = kinds.iter().map(|kind| (*kind, &b"x"[..])).collect();
        let bytes = extensions(&bodies);
        ExtensionBlock::read(&mut Reader::new(&bytes), carrier).map(ExtensionBlock::kinds)
    }

    #[test]
    fn the_table_is_that_of_the_rfc() {
        // RFC 9846 §4.3, by carrier, for what RFC 9846 itself defines.
        let carried = |carrier: Carrier| {
            let rows = TABLE
                .iter()
                .filter(move |row| row.carriers.contains(&carrier));
            let numbers = rows.map(|row| row.kind.0);
            let defined = [10, 13, 41, 42, 43, 44, 45, 47, 48, 49, 50, 51];
            numbers
                .filter(|number| defined.contains(number))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            carried(Carrier::ClientHello),
            [10, 13, 41, 42, 43, 44, 45, 47, 49, 50, 51]
        );
        assert_eq!(carried(Carrier::ServerHello), [41, 43, 51]);
        assert_eq!(carried(Carrier::HelloRetryRequest), [43, 44, 51]);
        assert_eq!(carried(Carrier::EncryptedExtensions), [10, 42]);
        assert_eq!(carried(Carrier::CertificateRequest), [13, 47, 48, 50]);
        assert_eq!(carried(Carrier::Certificate), []);
        assert_eq!(carried(Carrier::NewSessionTicket), [42]);
    }

    #[test]
    fn every_row_has_a_number_of_its_own() {
        for (index, row) in TABLE.iter().enumerate() {
            assert!(TABLE[..index].iter().all(|other| other.kind != row.kind));
            let set = ExtensionSet::default().with(row.kind);
            let contained = TABLE.iter().filter(|other| set.contains(other.kind));
            assert_eq!(contained.count(), 1);
        }
    }

    #[test]
    fn a_known_extension_in_the_wrong_message_is_illegal() {
        assert_eq!(
            violation(check(
                &[ExtensionType::COOKIE],
                Carrier::EncryptedExtensions
            )),
            Violation::MisplacedExtension
        );
        assert!(check(&[ExtensionType::COOKIE], Carrier::HelloRetryRequest).is_ok());
    }

    #[test]
    fn an_unknown_extension_may_stand_anywhere_until_it_answers() {
        let grease = ExtensionType(0x5a5a);
        let set = check(&[grease], Carrier::Certificate).unwrap();
        assert_eq!(set, ExtensionSet::default());
        let bytes = extensions(&[(grease, b"")]);
        let block = ExtensionBlock::read(&mut Reader::new(&bytes), Carrier::Certificate).unwrap();
        assert_eq!(
            violation(block.check_solicited(ExtensionSet::default().with(grease))),
            Violation::UnsolicitedExtension
        );
    }

    #[test]
    fn only_what_was_offered_is_solicited() {
        let bytes = extensions(&[(ExtensionType::ALPN, b"")]);
        let mut reader = Reader::new(&bytes);
        let block = ExtensionBlock::read(&mut reader, Carrier::EncryptedExtensions).unwrap();
        let offered = ExtensionSet::default().with(ExtensionType::SERVER_NAME);
        assert_eq!(
            violation(block.check_solicited(offered)),
            Violation::UnsolicitedExtension
        );
        assert!(
            block
                .check_solicited(offered.with(ExtensionType::ALPN))
                .is_ok()
        );
    }

    #[test]
    fn twice_the_same_is_illegal_known_or_not() {
        for twice in [ExtensionType::ALPN, ExtensionType(0x5a5a)] {
            assert_eq!(
                violation(check(
                    &[twice, ExtensionType::PADDING, twice],
                    Carrier::ClientHello
                )),
                Violation::DuplicateExtension
            );
        }
    }

    #[test]
    fn as_many_unknown_extensions_as_fit_are_allowed() {
        let kinds: Vec<_> = (0x1000..0x4300).map(ExtensionType).collect();
        assert!(check(&kinds, Carrier::ClientHello).is_ok());
    }

    #[test]
    fn an_extension_that_is_cut_is_malformed() {
        for bytes in [&[0, 3, 0, 16, 0][..], &[0, 5, 0, 16, 0, 2, 1]] {
            assert_eq!(
                violation(ExtensionBlock::read(
                    &mut Reader::new(bytes),
                    Carrier::ClientHello
                )),
                Violation::MalformedExtension
            );
        }
    }
}
