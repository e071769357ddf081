//! `ClientHello`: everything that the client offers.

use super::extension::{
    Carrier, ExtensionBlock, ExtensionType as Kind, read_body, read_presence, write_extension,
};
use super::list::Item;
use super::{
    DistinguishedName, KeyShareEntry, List, Message, MessageType, PreSharedKeys, Reader, Writer,
    server_name,
};
use crate::error::Result;
use crate::violation::Violation;

/// RFC 9846 §4.2.2:
///
/// ```text
/// struct {
///     ProtocolVersion legacy_version = 0x0303;
///     Random random;
///     opaque legacy_session_id<0..32>;
///     CipherSuite cipher_suites<2..2^16-2>;
///     opaque legacy_compression_methods<1..2^8-1>;
///     Extension extensions<8..2^16-1>;
/// } ClientHello;
/// ```
///
/// That of an earlier version reads as well: its extensions may be missing altogether.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ClientHello<'a> {
    pub(crate) legacy_version: u16,
    pub(crate) random: &'a [u8; 32],
    pub(crate) session_id: &'a [u8],
    pub(crate) cipher_suites: List<'a, u16>,
    pub(crate) compression_methods: &'a [u8],
    pub(crate) extensions: ClientExtensions<'a>,
}

/// The extensions of a `ClientHello`. An absent one is `None`, `false` for one without content.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an extension without content"
)]
pub(crate) struct ClientExtensions<'a> {
    /// RFC 6066 §3. The host name, printable ASCII.
    pub(crate) server_name: Option<&'a str>,
    /// RFC 6066 §8.
    pub(crate) status_request: Option<StatusRequest<'a>>,
    /// RFC 9846 §4.3.7.
    pub(crate) supported_groups: Option<List<'a, u16>>,
    /// RFC 9846 §4.3.3.
    pub(crate) signature_algorithms: Option<List<'a, u16>>,
    /// RFC 9846 §4.3.3.
    pub(crate) signature_algorithms_cert: Option<List<'a, u16>>,
    /// RFC 7301 §3.1.
    pub(crate) alpn: Option<List<'a, ProtocolName<'a>>>,
    /// RFC 6962 §3.3.
    pub(crate) signed_certificate_timestamp: bool,
    /// RFC 9846 §4.3.1.
    pub(crate) supported_versions: Option<List<'a, u16>>,
    /// RFC 9846 §4.3.2.
    pub(crate) cookie: Option<&'a [u8]>,
    /// RFC 9846 §4.3.8.
    pub(crate) key_share: Option<List<'a, KeyShareEntry<'a>>>,
    /// RFC 9846 §4.3.9. One byte each.
    pub(crate) psk_key_exchange_modes: Option<&'a [u8]>,
    /// RFC 9846 §4.3.4.
    pub(crate) certificate_authorities: Option<List<'a, DistinguishedName<'a>>>,
    /// RFC 9846 §4.3.6.
    pub(crate) post_handshake_auth: bool,
    /// RFC 9846 §4.3.10.
    pub(crate) early_data: bool,
    /// RFC 8422 §5.1.2, TLS 1.2. One byte each.
    pub(crate) ec_point_formats: Option<&'a [u8]>,
    /// RFC 7627 §5.1, TLS 1.2.
    pub(crate) extended_master_secret: bool,
    /// RFC 5077 §3.2, TLS 1.2. Empty if the client has no ticket.
    pub(crate) session_ticket: Option<&'a [u8]>,
    /// RFC 5746 §3.2, TLS 1.2. Empty in the first handshake.
    pub(crate) renegotiation_info: Option<&'a [u8]>,
    /// RFC 9846 §4.3.11. Always the last.
    pub(crate) pre_shared_key: Option<PreSharedKeys<'a>>,
    /// All extensions as they were read, also those that have no field. Not written.
    pub(crate) all: ExtensionBlock<'a>,
}

impl<'a> Message<'a> for ClientHello<'a> {
    const TYPE: MessageType = MessageType::ClientHello;

    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        Ok(Self {
            legacy_version: reader.u16()?,
            random: reader.array()?,
            session_id: read_session_id(reader)?,
            cipher_suites: reader.within_u16(List::read_some)?,
            compression_methods: {
                let methods = reader.bytes_u8()?;
                reader.not_empty(methods)?
            },
            // A ClientHello before TLS 1.3 may end here (RFC 5246 §7.4.1.2).
            extensions: if reader.is_empty() {
                ClientExtensions::default()
            } else {
                ClientExtensions::read(reader)?
            },
        })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.u16(self.legacy_version);
        writer.bytes(self.random);
        writer.bytes_u8(self.session_id);
        writer.within_u16(|writer| self.cipher_suites.write(writer));
        writer.bytes_u8(self.compression_methods);
        writer.within_u16(|writer| self.extensions.write(writer));
    }
}

impl ClientHello<'_> {
    /// Checks that this second `ClientHello` differs from the `first` only where it may.
    pub(crate) fn check_retry_of(&self, first: &ClientHello<'_>) -> Result<()> {
        // RFC 9846 §4.2.2: the client MUST send the same ClientHello without modification, except
        // for the extensions that the retry concerns.
        let same = self.legacy_version == first.legacy_version
            && self.random == first.random
            && self.session_id == first.session_id
            && self.cipher_suites == first.cipher_suites
            && self.compression_methods == first.compression_methods
            && kept_by_retry(&self.extensions).eq(kept_by_retry(&first.extensions));
        // RFC 9846 §4.3.10: A client MUST NOT include the early_data extension in its followup
        // ClientHello.
        if same && !self.extensions.early_data {
            Ok(())
        } else {
            Err(Violation::RetryHelloChanged.into())
        }
    }

    /// Checks that each key share is of another group, and of one that is supported.
    pub(crate) fn check_key_shares(&self) -> Result<()> {
        let Some(shares) = self.extensions.key_share else {
            return Ok(());
        };
        let mut groups: Vec<u16> = shares.iter().map(|share| share.group).collect();
        groups.sort_unstable();
        // RFC 9846 §4.3.8: Clients MUST NOT offer multiple KeyShareEntry values for the same group.
        if groups.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(Violation::DuplicateKeyShare.into());
        }
        let mut supported: Vec<u16> = self
            .extensions
            .supported_groups
            .iter()
            .flat_map(List::iter)
            .collect();
        supported.sort_unstable();
        // RFC 9846 §4.3.8: Clients MUST NOT offer any KeyShareEntry values for groups not listed in
        // the client's supported_groups extension.
        if groups
            .iter()
            .any(|group| supported.binary_search(group).is_err())
        {
            return Err(Violation::KeyShareNotInGroups.into());
        }
        Ok(())
    }
}

impl<'a> ClientExtensions<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let all = ExtensionBlock::read(reader, Carrier::ClientHello)?;
        let mut read = Self {
            all,
            ..Self::default()
        };
        for (kind, body) in all.iter() {
            // RFC 9846 §4.3.11: The pre_shared_key extension MUST be the last extension in the
            // ClientHello.
            if read.pre_shared_key.is_some() {
                return Err(Violation::PskNotLast.into());
            }
            read.read_extension(kind, body)?;
        }
        Ok(read)
    }

    fn read_extension(&mut self, kind: Kind, body: &'a [u8]) -> Result<()> {
        let within_u16 = |reader: &mut Reader<'a>| reader.within_u16(List::read_some);
        match kind {
            Kind::SERVER_NAME => self.server_name = read_body(body, server_name::read)?,
            Kind::STATUS_REQUEST => self.status_request = read_body(body, StatusRequest::read)?,
            Kind::SUPPORTED_GROUPS => self.supported_groups = Some(read_body(body, within_u16)?),
            Kind::SIGNATURE_ALGORITHMS => {
                self.signature_algorithms = Some(read_body(body, within_u16)?);
            }
            Kind::SIGNATURE_ALGORITHMS_CERT => {
                self.signature_algorithms_cert = Some(read_body(body, within_u16)?);
            }
            Kind::ALPN => {
                self.alpn = Some(read_body(body, |r| r.within_u16(List::read_some))?);
            }
            Kind::SIGNED_CERTIFICATE_TIMESTAMP => {
                self.signed_certificate_timestamp = read_presence(body)?;
            }
            Kind::SUPPORTED_VERSIONS => {
                self.supported_versions = Some(read_body(body, |r| r.within_u8(List::read_some))?);
            }
            Kind::COOKIE => self.cookie = Some(read_body(body, read_cookie)?),
            Kind::KEY_SHARE => {
                self.key_share = Some(read_body(body, |r| r.within_u16(List::read))?);
            }
            Kind::PSK_KEY_EXCHANGE_MODES => {
                self.psk_key_exchange_modes = Some(read_body(body, |reader| {
                    let modes = reader.bytes_u8()?;
                    reader.not_empty(modes)
                })?);
            }
            Kind::CERTIFICATE_AUTHORITIES => {
                self.certificate_authorities =
                    Some(read_body(body, |r| r.within_u16(List::read_some))?);
            }
            Kind::POST_HANDSHAKE_AUTH => self.post_handshake_auth = read_presence(body)?,
            Kind::EARLY_DATA => self.early_data = read_presence(body)?,
            Kind::PRE_SHARED_KEY => {
                self.pre_shared_key = Some(read_body(body, PreSharedKeys::read)?);
            }
            _ => self.read_extension_of_tls12(kind, body)?,
        }
        Ok(())
    }

    fn read_extension_of_tls12(&mut self, kind: Kind, body: &'a [u8]) -> Result<()> {
        match kind {
            Kind::EC_POINT_FORMATS => {
                self.ec_point_formats = Some(read_body(body, read_point_formats)?);
            }
            Kind::EXTENDED_MASTER_SECRET => self.extended_master_secret = read_presence(body)?,
            Kind::SESSION_TICKET => self.session_ticket = Some(body),
            Kind::RENEGOTIATION_INFO => {
                self.renegotiation_info = Some(read_body(body, Reader::bytes_u8)?);
            }
            _ => {}
        }
        Ok(())
    }

    fn write(&self, writer: &mut Writer<'_>) {
        if let Some(name) = self.server_name {
            write_extension(writer, Kind::SERVER_NAME, |w| server_name::write(name, w));
        }
        if let Some(status) = &self.status_request {
            write_extension(writer, Kind::STATUS_REQUEST, |w| status.write(w));
        }
        write_list(
            writer,
            Kind::SUPPORTED_GROUPS,
            self.supported_groups.as_ref(),
        );
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
        write_list(writer, Kind::ALPN, self.alpn.as_ref());
        if self.signed_certificate_timestamp {
            write_extension(writer, Kind::SIGNED_CERTIFICATE_TIMESTAMP, |_| {});
        }
        if let Some(versions) = &self.supported_versions {
            write_extension(writer, Kind::SUPPORTED_VERSIONS, |w| {
                w.within_u8(|w| versions.write(w));
            });
        }
        if let Some(cookie) = self.cookie {
            write_extension(writer, Kind::COOKIE, |w| w.bytes_u16(cookie));
        }
        write_list(writer, Kind::KEY_SHARE, self.key_share.as_ref());
        if let Some(modes) = self.psk_key_exchange_modes {
            write_extension(writer, Kind::PSK_KEY_EXCHANGE_MODES, |w| w.bytes_u8(modes));
        }
        write_list(
            writer,
            Kind::CERTIFICATE_AUTHORITIES,
            self.certificate_authorities.as_ref(),
        );
        if self.post_handshake_auth {
            write_extension(writer, Kind::POST_HANDSHAKE_AUTH, |_| {});
        }
        if self.early_data {
            write_extension(writer, Kind::EARLY_DATA, |_| {});
        }
        self.write_extensions_of_tls12(writer);
        // RFC 9846 §4.3.11: MUST be the last extension in the ClientHello.
        if let Some(keys) = &self.pre_shared_key {
            write_extension(writer, Kind::PRE_SHARED_KEY, |w| keys.write(w));
        }
    }

    fn write_extensions_of_tls12(&self, writer: &mut Writer<'_>) {
        if let Some(formats) = self.ec_point_formats {
            write_extension(writer, Kind::EC_POINT_FORMATS, |w| w.bytes_u8(formats));
        }
        if self.extended_master_secret {
            write_extension(writer, Kind::EXTENDED_MASTER_SECRET, |_| {});
        }
        if let Some(ticket) = self.session_ticket {
            write_extension(writer, Kind::SESSION_TICKET, |w| w.bytes(ticket));
        }
        if let Some(verify_data) = self.renegotiation_info {
            write_extension(writer, Kind::RENEGOTIATION_INFO, |w| {
                w.bytes_u8(verify_data);
            });
        }
    }
}

/// The extensions that a second `ClientHello` has to repeat (RFC 9846 §4.2.2). One that hides
/// another has a new payload (RFC 9849 §6.1).
fn kept_by_retry<'a>(
    extensions: &ClientExtensions<'a>,
) -> impl Iterator<Item = (Kind, &'a [u8])> + use<'a> {
    const CHANGING: [Kind; 6] = [
        Kind::KEY_SHARE,
        Kind::EARLY_DATA,
        Kind::COOKIE,
        Kind::PRE_SHARED_KEY,
        Kind::PADDING,
        Kind::ENCRYPTED_CLIENT_HELLO,
    ];
    let all = extensions.all.iter();
    all.filter(|(kind, _)| !CHANGING.contains(kind))
}

/// Writes an extension that is a list within a length of two bytes, if there is one.
pub(super) fn write_list<'a, T: Item<'a>>(
    writer: &mut Writer<'_>,
    kind: Kind,
    list: Option<&List<'a, T>>,
) {
    if let Some(list) = list {
        write_extension(writer, kind, |writer| {
            writer.within_u16(|writer| list.write(writer));
        });
    }
}

/// Reads `opaque legacy_session_id<0..32>`, which both hellos have.
pub(super) fn read_session_id<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8]> {
    let session_id = reader.bytes_u8()?;
    if session_id.len() > 32 {
        return Err(reader.malformed().into());
    }
    Ok(session_id)
}

/// Reads `ECPointFormat ec_point_format_list<1..2^8-1>` (RFC 8422 §5.1.2), which both hellos have.
pub(super) fn read_point_formats<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8]> {
    let formats = reader.bytes_u8()?;
    reader.not_empty(formats)
}

/// Reads `opaque cookie<1..2^16-1>` (RFC 9846 §4.3.2).
pub(super) fn read_cookie<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8]> {
    let cookie = reader.bytes_u16()?;
    reader.not_empty(cookie)
}

/// RFC 7301 §3.1: `opaque ProtocolName<1..2^8-1>;`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProtocolName<'a>(pub(crate) &'a [u8]);

impl<'a> Item<'a> for ProtocolName<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let name = reader.bytes_u8()?;
        // RFC 7301 §3.1: Empty strings MUST NOT be included.
        reader.not_empty(name).map(Self)
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.bytes_u8(self.0);
    }
}

/// The OCSP kind of `CertificateStatusRequest` (RFC 6066 §8):
///
/// ```text
/// struct { ResponderID responder_id_list<0..2^16-1>; Extensions request_extensions<0..2^16-1>; }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StatusRequest<'a> {
    pub(crate) responder_ids: &'a [u8],
    pub(crate) extensions: &'a [u8],
}

pub(super) const STATUS_TYPE_OCSP: u8 = 1;

impl<'a> StatusRequest<'a> {
    /// `None` for a kind of status other than OCSP.
    fn read(reader: &mut Reader<'a>) -> Result<Option<Self>> {
        if reader.u8()? != STATUS_TYPE_OCSP {
            reader.rest();
            return Ok(None);
        }
        Ok(Some(Self {
            responder_ids: reader.bytes_u16()?,
            extensions: reader.bytes_u16()?,
        }))
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.u8(STATUS_TYPE_OCSP);
        writer.bytes_u16(self.responder_ids);
        writer.bytes_u16(self.extensions);
    }
}

#[cfg(test)]
mod tests {
    use super::ClientHello;
    use crate::error::Result;
    use crate::messages::client_hello::StatusRequest;
    use crate::messages::extension::ExtensionType as Kind;
    use crate::messages::tests::{extensions, message, violation};
    use crate::messages::{MessageType, read_message};
    use crate::violation::Violation;

    const SUITES: &[u8] = &[0, 2, 0x13, 0x01];

    fn hello(suites: &[u8], compression: &[u8], bodies: &[(Kind, &[u8])]) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend_from_slice(&[1; 32]);
        body.push(0);
        body.extend_from_slice(suites);
        body.extend_from_slice(compression);
        body.extend(extensions(bodies));
        message(MessageType::ClientHello, &body)
    }

    fn with(bodies: &[(Kind, &[u8])]) -> Vec<u8> {
        hello(SUITES, &[1, 0], bodies)
    }

    fn refused(bytes: &[u8]) -> Violation {
        violation(read_message::<ClientHello<'_>>(bytes))
    }

    #[test]
    fn a_hello_of_an_earlier_version_reads_without_extensions() {
        let mut body = vec![3, 1];
        body.extend_from_slice(&[1; 32]);
        body.extend_from_slice(&[0, 0, 2, 0, 0x2f, 1, 0]);
        let bytes = message(MessageType::ClientHello, &body);
        let read: ClientHello<'_> = read_message(&bytes).unwrap();
        assert_eq!(read.legacy_version, 0x0301);
        assert_eq!(read.extensions.supported_versions, None);
        assert_eq!(read.extensions.all.iter().count(), 0);
    }

    #[test]
    fn empty_vectors_are_malformed_where_the_rfc_has_a_least_length() {
        assert_eq!(
            refused(&hello(&[0, 0], &[1, 0], &[])),
            Violation::MalformedMessage
        );
        assert_eq!(
            refused(&hello(SUITES, &[0], &[])),
            Violation::MalformedMessage
        );
        let lists = [
            (Kind::SERVER_NAME, &[0, 0][..]),
            (Kind::SUPPORTED_GROUPS, &[0, 0]),
            (Kind::SIGNATURE_ALGORITHMS, &[0, 0]),
            (Kind::SIGNATURE_ALGORITHMS_CERT, &[0, 0]),
            (Kind::ALPN, &[0, 0]),
            (Kind::SUPPORTED_VERSIONS, &[0]),
            (Kind::COOKIE, &[0, 0]),
            (Kind::PSK_KEY_EXCHANGE_MODES, &[0]),
            (Kind::CERTIFICATE_AUTHORITIES, &[0, 0]),
            (Kind::PRE_SHARED_KEY, &[0, 0, 0, 0]),
        ];
        for list in lists {
            assert_eq!(
                refused(&with(&[list])),
                Violation::MalformedExtension,
                "{list:?}"
            );
        }
        // The one list that may be empty: it asks for a retry.
        assert!(read_message::<ClientHello<'_>>(&with(&[(Kind::KEY_SHARE, &[0, 0])])).is_ok());
    }

    #[test]
    fn half_numbers_and_empty_names_are_malformed() {
        assert_eq!(
            refused(&hello(&[0, 3, 0x13, 0x01, 0x13], &[1, 0], &[])),
            Violation::MalformedMessage
        );
        for body in [
            (Kind::SUPPORTED_GROUPS, &[0, 3, 0, 29, 0][..]),
            (Kind::SUPPORTED_VERSIONS, &[1, 3]),
            (Kind::ALPN, &[0, 1, 0]),
            (Kind::KEY_SHARE, &[0, 4, 0, 29, 0, 0]),
            (Kind::POST_HANDSHAKE_AUTH, &[0]),
            (Kind::EARLY_DATA, &[0]),
        ] {
            assert_eq!(
                refused(&with(&[body])),
                Violation::MalformedExtension,
                "{body:?}"
            );
        }
    }

    #[test]
    fn a_session_id_is_at_most_32_bytes_long() {
        let with_session_id = |length: u8| {
            let mut body = vec![3, 3];
            body.extend_from_slice(&[1; 32]);
            body.push(length);
            body.extend(core::iter::repeat_n(5, length.into()));
            body.extend_from_slice(&[0, 2, 0x13, 0x01, 1, 0]);
            message(MessageType::ClientHello, &body)
        };
        let longest = with_session_id(32);
        let read: ClientHello<'_> = read_message(&longest).unwrap();
        assert_eq!(read.session_id, [5; 32]);
        assert_eq!(refused(&with_session_id(33)), Violation::MalformedMessage);
    }

    #[test]
    fn the_pre_shared_keys_come_last() {
        let mut keys = vec![0, 7, 0, 1, 9, 0, 0, 0, 0, 0, 33, 32];
        keys.extend_from_slice(&[1; 32]);
        let keys = (Kind::PRE_SHARED_KEY, keys.as_slice());
        let bytes = with(&[(Kind::EARLY_DATA, &[]), keys]);
        assert!(read_message::<ClientHello<'_>>(&bytes).is_ok());
        let bytes = with(&[keys, (Kind(0x0a0a), &[])]);
        assert_eq!(refused(&bytes), Violation::PskNotLast);
    }

    #[test]
    fn a_status_other_than_ocsp_is_not_understood() {
        let bytes = with(&[(Kind::STATUS_REQUEST, &[1, 0, 1, 7, 0, 0])]);
        let read: ClientHello<'_> = read_message(&bytes).unwrap();
        let ocsp = StatusRequest {
            responder_ids: &[7],
            extensions: &[],
        };
        assert_eq!(read.extensions.status_request, Some(ocsp));
        let bytes = with(&[(Kind::STATUS_REQUEST, &[2, 0xff])]);
        let read: ClientHello<'_> = read_message(&bytes).unwrap();
        assert_eq!(read.extensions.status_request, None);
    }

    fn check_shares(groups: &[u8], shares: &[u8]) -> Result<()> {
        let body = |bytes: &[u8]| {
            let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
            [&length[..], bytes].concat()
        };
        let bytes = with(&[
            (Kind::SUPPORTED_GROUPS, &body(groups)),
            (Kind::KEY_SHARE, &body(shares)),
        ]);
        read_message::<ClientHello<'_>>(&bytes)?.check_key_shares()
    }

    #[test]
    fn key_shares_are_of_different_supported_groups() {
        let groups = [0x11, 0xec, 0, 29, 0, 23];
        assert!(check_shares(&groups, &[]).is_ok());
        assert!(check_shares(&groups, &[0, 23, 0, 1, 9, 0, 29, 0, 1, 9]).is_ok());
        assert_eq!(
            violation(check_shares(&groups, &[0, 29, 0, 1, 9, 0, 29, 0, 1, 8])),
            Violation::DuplicateKeyShare
        );
        assert_eq!(
            violation(check_shares(&groups, &[0, 24, 0, 1, 9])),
            Violation::KeyShareNotInGroups
        );
    }

    #[test]
    fn a_key_share_without_groups_is_of_no_group() {
        let bytes = with(&[(Kind::KEY_SHARE, &[0, 5, 0, 29, 0, 1, 9])]);
        let read: ClientHello<'_> = read_message(&bytes).unwrap();
        assert_eq!(
            violation(read.check_key_shares()),
            Violation::KeyShareNotInGroups
        );
    }

    #[test]
    fn a_second_hello_repeats_the_first() {
        let alpn = (Kind::ALPN, &b"\0\x03\x02h2"[..]);
        let grease = (Kind(0x0a0a), &[][..]);
        let first = with(&[
            alpn,
            grease,
            (Kind::KEY_SHARE, &[0, 0]),
            (Kind::EARLY_DATA, &[]),
        ]);
        let check = |second: &[u8]| {
            let first: ClientHello<'_> = read_message(&first).unwrap();
            read_message::<ClientHello<'_>>(second)?.check_retry_of(&first)
        };
        let share = (Kind::KEY_SHARE, &[0, 5, 0, 29, 0, 1, 9][..]);
        let cookie = (Kind::COOKIE, &[0, 1, 5][..]);
        let padding = (Kind::PADDING, &[0, 0, 0][..]);
        assert!(check(&with(&[alpn, padding, cookie, grease, share])).is_ok());
        for changed in [
            first.clone(),
            with(&[alpn, share]),
            with(&[grease, alpn, share]),
            with(&[alpn, grease, share, (Kind(0x1a1a), &[])]),
            with(&[(Kind::ALPN, b"\0\x03\x02h3"), grease, share]),
            hello(&[0, 2, 0x13, 0x02], &[1, 0], &[alpn, grease, share]),
            hello(SUITES, &[2, 0, 1], &[alpn, grease, share]),
        ] {
            assert_eq!(violation(check(&changed)), Violation::RetryHelloChanged);
        }
    }
}
