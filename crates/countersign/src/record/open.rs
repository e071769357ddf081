//! Opens records in the buffer in which they lie.

use core::fmt;
use core::ops::Range;

use super::frame::{MAX_PLAINTEXT, check_content};
use super::nonce::NonceSequence;
use super::tls12::{NonceSequence12, OpenerOfTls12};
use super::{ContentType, Header, Protection};
use crate::crypto::suite::{AeadKey, Iv};
use crate::error::Result;
use crate::violation::Violation;

/// Opens the records of one direction, under one key.
pub(crate) enum Opener {
    /// Before the first key.
    Plain,
    /// Under a key of TLS 1.3.
    Keyed(KeyedOpener),
    /// Under a key of TLS 1.2.
    Tls12(OpenerOfTls12),
}

/// The key of an [`Opener`].
pub(crate) struct KeyedOpener {
    key: AeadKey,
    nonces: NonceSequence,
    alerts: PlaintextAlerts,
}

/// Whether an alert may come unencrypted although a key is installed.
///
/// A client that rejects the `ServerHello` has no keys to encrypt its alert with, so a
/// server takes it under the handshake keys until it has opened a record; under all other
/// keys it would let an attacker close the connection in the peer's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlaintextAlerts {
    Refuse,
    AcceptBeforeFirstRecord,
}

/// The content of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) content_type: ContentType,
    /// Where the content lies within the body of the record.
    pub(crate) range: Range<usize>,
    /// Whether this very record was encrypted.
    pub(crate) protection: Protection,
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => f.write_str("Plain"),
            Self::Keyed(keyed) => write!(f, "Keyed({} records)", keyed.nonces.used()),
            Self::Tls12(_) => f.write_str("Tls12"),
        }
    }
}

impl Opener {
    /// Opens records under `key` and `iv`, from sequence number 0.
    pub(crate) fn keyed(key: AeadKey, iv: Iv, alerts: PlaintextAlerts) -> Self {
        Self::Keyed(KeyedOpener {
            key,
            nonces: NonceSequence::new(iv),
            alerts,
        })
    }

    /// Opens records of TLS 1.2 under `key`, from sequence number 0.
    pub(crate) fn tls12(key: AeadKey, nonces: NonceSequence12) -> Self {
        Self::Tls12(OpenerOfTls12::new(key, nonces))
    }

    /// How long records may be, for [`super::parse_header`].
    pub(crate) const fn protection(&self) -> Protection {
        match self {
            Self::Plain => Protection::Plain,
            Self::Keyed(_) | Self::Tls12(_) => Protection::Encrypted,
        }
    }

    /// Opens one record in place. `body` is all that follows the header, and no more.
    ///
    /// A record that cannot be authenticated is `bad_record_mac` and leaves the sequence number
    /// alone, so that rejected early data can be skipped; its body is then worthless.
    /// A `change_cipher_spec` comes through unencrypted at any time: whether it is one, and
    /// allowed now, is for the caller to decide.
    pub(crate) fn open(&mut self, header: Header, body: &mut [u8]) -> Result<Opened> {
        match self {
            Self::Plain => open_plain(header, body),
            Self::Keyed(keyed) => keyed.open(header, body),
            Self::Tls12(keyed) => keyed.open(header, body),
        }
    }
}

fn open_plain(header: Header, body: &[u8]) -> Result<Opened> {
    check_content(header.content_type, body.len())?;
    Ok(Opened {
        content_type: header.content_type,
        range: 0..body.len(),
        protection: Protection::Plain,
    })
}

impl KeyedOpener {
    fn open(&mut self, header: Header, body: &mut [u8]) -> Result<Opened> {
        match header.content_type {
            ContentType::ApplicationData => self.open_encrypted(header, body),
            ContentType::ChangeCipherSpec => open_plain(header, body),
            ContentType::Alert
                if self.alerts == PlaintextAlerts::AcceptBeforeFirstRecord
                    && self.nonces.used() == 0 =>
            {
                open_plain(header, body)
            }
            ContentType::Alert | ContentType::Handshake => Err(Violation::UnencryptedRecord.into()),
        }
    }

    fn open_encrypted(&mut self, header: Header, body: &mut [u8]) -> Result<Opened> {
        // RFC 9846 §5.2: If the decryption fails, the receiver MUST terminate the connection with
        // a bad_record_mac alert.
        let length = self
            .key
            .open_in_place(&self.nonces.current(), &header.bytes(), body)
            .ok_or(Violation::BadRecordMac)?;
        self.nonces.advance().ok_or(Violation::ReadLimitReached)?;
        let inner = body.get(..length).unwrap_or_default();
        // RFC 9846 §5.4: the full encoded TLSInnerPlaintext MUST NOT exceed 2^14 + 1 octets.
        if inner.len() > MAX_PLAINTEXT.saturating_add(1) {
            return Err(Violation::PlaintextTooLong.into());
        }
        // RFC 9846 §5.4: If a receiving implementation does not find a non-zero octet in the
        // cleartext, it MUST terminate the connection with an unexpected_message alert.
        let (code, content) = without_padding(inner)
            .split_last()
            .ok_or(Violation::OnlyPadding)?;
        let content_type = match ContentType::from_code(*code) {
            // RFC 9846 §5: a protected change_cipher_spec record MUST be answered with
            // unexpected_message.
            Some(ContentType::ChangeCipherSpec) => {
                return Err(Violation::UnexpectedChangeCipherSpec.into());
            }
            Some(content_type) => content_type,
            None => return Err(Violation::UnknownContentType.into()),
        };
        check_content(content_type, content.len())?;
        Ok(Opened {
            content_type,
            range: 0..content.len(),
            protection: Protection::Encrypted,
        })
    }
}

/// The bytes up to and including the last that is not zero.
fn without_padding(inner: &[u8]) -> &[u8] {
    // Whole blocks first: a record may hold 16,384 bytes of padding, and looking at them one by
    // one would take longer than decrypting them.
    let (rest, blocks) = inner.as_rchunks::<32>();
    let zeros = blocks.iter().rev().take_while(|block| **block == [0; 32]);
    let padding = zeros.count().saturating_mul(32);
    let unpadded = inner
        .get(..inner.len().saturating_sub(padding))
        .unwrap_or(rest);
    let end = unpadded.iter().rposition(|byte| *byte != 0);
    end.and_then(|last| unpadded.get(..=last))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{
        ContentType, Header, Opened, Opener, PlaintextAlerts, Protection, without_padding,
    };
    use crate::Alert;
    use crate::crypto::suite::{AeadKey, CipherSuite, Iv, TAG_LEN};
    use crate::error::{Error, Result};
    use crate::messages::hex;
    use crate::record::{HEADER_LEN, parse_header};
    use crate::violation::Violation;

    const SUITE: CipherSuite = CipherSuite::Aes128GcmSha256;
    const IV: [u8; 12] = [3; 12];

    fn opener(alerts: PlaintextAlerts) -> Opener {
        Opener::keyed(
            AeadKey::new(SUITE, &[1; 16]).unwrap(),
            Iv::known(IV),
            alerts,
        )
    }

    /// The first record under the key, with this inside.
    fn sealed(inner: &[u8]) -> (Header, Vec<u8>) {
        let header = Header {
            content_type: ContentType::ApplicationData,
            version: 0x0303,
            length: u16::try_from(inner.len() + TAG_LEN).unwrap(),
        };
        let mut body = inner.to_vec();
        let mut tag = [0; TAG_LEN];
        let key = AeadKey::new(SUITE, &[1; 16]).unwrap();
        key.seal_in_place(&IV, &header.bytes(), &mut body, &[], &mut tag)
            .unwrap();
        body.extend_from_slice(&tag);
        (header, body)
    }

    fn open_inner(inner: &[u8]) -> Result<Opened> {
        let (header, mut body) = sealed(inner);
        let result = opener(PlaintextAlerts::Refuse).open(header, &mut body)?;
        assert_eq!(body[result.range.clone()], inner[result.range.clone()]);
        Ok(result)
    }

    fn violation(result: Result<Opened>) -> Violation {
        match result.unwrap_err() {
            Error::PeerViolated { violation, .. } => violation,
            other => panic!("{other}"),
        }
    }

    fn plain(content_type: ContentType, length: u16) -> Header {
        Header {
            content_type,
            version: 0x0303,
            length,
        }
    }

    #[test]
    fn the_record_of_rfc_8448_opens() {
        // RFC 8448 §3, the application data of the client.
        let mut record = hex(
            "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd5
             4a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4",
        );
        let key = hex("17422dda596ed5d9acd890e3c63f5051");
        let key = AeadKey::new(SUITE, &key).unwrap();
        let iv = hex("5b78923dee08579033e523d9");
        let mut opener = Opener::keyed(
            key,
            Iv::known(iv.try_into().unwrap()),
            PlaintextAlerts::Refuse,
        );
        let header = parse_header(&record, opener.protection()).unwrap().unwrap();
        let result = opener.open(header, &mut record[HEADER_LEN..]).unwrap();
        assert_eq!(result.content_type, ContentType::ApplicationData);
        assert_eq!(result.protection, Protection::Encrypted);
        let content: Vec<u8> = (0..50).collect();
        assert_eq!(record[HEADER_LEN..][result.range], content);
    }

    #[test]
    fn padding_is_stripped_whatever_its_length() {
        for padding in [0, 1, 31, 32, 33, 63, 64, 65, 1000, 16_384 - 3] {
            let mut inner = b"abc\x17".to_vec();
            inner.resize(4 + padding, 0);
            let result = open_inner(&inner).unwrap();
            assert_eq!(result.content_type, ContentType::ApplicationData);
            assert_eq!(result.range, 0..3);
        }
    }

    #[test]
    fn zeros_in_the_content_are_no_padding() {
        for zeros in [1, 31, 32, 100] {
            let inner = [&vec![0; zeros][..], &[23], &[0; 40]].concat();
            assert_eq!(without_padding(&inner).len(), zeros + 1);
        }
        assert_eq!(without_padding(&[0; 33]), []);
        assert_eq!(without_padding(&[]), []);
    }

    #[test]
    fn nothing_but_padding_is_unexpected() {
        for length in [0, 1, 32, 5000] {
            let result = open_inner(&vec![0; length]);
            assert_eq!(violation(result), Violation::OnlyPadding);
        }
    }

    #[test]
    fn the_content_limit_includes_the_padding() {
        let mut inner = vec![7; 16_384];
        inner.push(23);
        assert_eq!(open_inner(&inner).unwrap().range, 0..16_384);
        inner.push(0);
        assert_eq!(violation(open_inner(&inner)), Violation::PlaintextTooLong);
        let mut inner = vec![7; 16_385];
        inner.push(23);
        assert_eq!(violation(open_inner(&inner)), Violation::PlaintextTooLong);
    }

    #[test]
    fn empty_data_may_be_encrypted_but_no_empty_message() {
        assert_eq!(open_inner(&[23]).unwrap().range, 0..0);
        assert_eq!(violation(open_inner(&[22])), Violation::EmptyFragment);
        assert_eq!(violation(open_inner(&[21, 0])), Violation::EmptyFragment);
    }

    #[test]
    fn other_content_types_are_refused() {
        let result = open_inner(&[1, 20]);
        assert_eq!(violation(result), Violation::UnexpectedChangeCipherSpec);
        assert_eq!(
            violation(open_inner(&[1, 24])),
            Violation::UnknownContentType
        );
    }

    #[test]
    fn any_change_makes_it_unauthentic_and_skippable() {
        let (header, body) = sealed(b"abc\x17");
        let mut opener = opener(PlaintextAlerts::Refuse);
        for at in 0..body.len() {
            let mut damaged = body.clone();
            damaged[at] ^= 0x20;
            let result = opener.open(header, &mut damaged);
            assert_eq!(violation(result), Violation::BadRecordMac);
        }
        let other_version = Header {
            version: 0x0301,
            ..header
        };
        let result = opener.open(other_version, &mut body.clone());
        assert_eq!(violation(result), Violation::BadRecordMac);
        for short in [0, 1, TAG_LEN - 1, TAG_LEN] {
            let result = opener.open(header, &mut body.clone()[..short]);
            assert_eq!(violation(result), Violation::BadRecordMac);
        }
        // None of them used up the nonce.
        assert!(opener.open(header, &mut body.clone()).is_ok());
        let result = opener.open(header, &mut body.clone());
        assert_eq!(violation(result), Violation::BadRecordMac);
    }

    #[test]
    fn a_key_does_not_outlive_its_sequence_numbers() {
        let (header, _) = sealed(b"abc\x17");
        let mut opener = opener(PlaintextAlerts::Refuse);
        let Opener::Keyed(keyed) = &mut opener else {
            panic!("it has a key")
        };
        keyed.nonces.skip_to(u64::MAX);
        let mut body = b"abc\x17".to_vec();
        let mut tag = [0; TAG_LEN];
        let nonce = keyed.nonces.current();
        let key = AeadKey::new(SUITE, &[1; 16]).unwrap();
        key.seal_in_place(&nonce, &header.bytes(), &mut body, &[], &mut tag)
            .unwrap();
        body.extend_from_slice(&tag);
        let result = opener.open(header, &mut body);
        assert_eq!(violation(result), Violation::ReadLimitReached);
    }

    #[test]
    fn under_a_key_only_change_cipher_spec_may_be_plain() {
        let mut opener = opener(PlaintextAlerts::Refuse);
        let result = opener.open(plain(ContentType::ChangeCipherSpec, 1), &mut [1]);
        assert_eq!(result.unwrap().protection, Protection::Plain);
        for content_type in [ContentType::Alert, ContentType::Handshake] {
            let result = opener.open(plain(content_type, 2), &mut [2, 40]);
            assert_eq!(violation(result), Violation::UnencryptedRecord);
        }
    }

    #[test]
    fn a_plain_alert_is_accepted_until_the_peer_has_shown_its_key() {
        let mut opener = opener(PlaintextAlerts::AcceptBeforeFirstRecord);
        let alert = plain(ContentType::Alert, 2);
        let result = opener.open(alert, &mut [2, 40]).unwrap();
        assert_eq!(result.protection, Protection::Plain);
        let result = opener.open(plain(ContentType::Handshake, 2), &mut [2, 40]);
        assert_eq!(violation(result), Violation::UnencryptedRecord);
        let (header, mut body) = sealed(b"abc\x17");
        opener.open(header, &mut body).unwrap();
        let result = opener.open(alert, &mut [2, 40]);
        assert_eq!(violation(result), Violation::UnencryptedRecord);
    }

    #[test]
    fn without_a_key_all_comes_through_but_empty_messages() {
        let mut opener = Opener::Plain;
        let result = opener.open(plain(ContentType::Handshake, 3), &mut [1, 2, 3]);
        assert_eq!(result.unwrap().range, 0..3);
        for content_type in [ContentType::Alert, ContentType::Handshake] {
            let error = opener.open(plain(content_type, 0), &mut []).unwrap_err();
            assert_eq!(error.alert(), Some(Alert::UnexpectedMessage));
        }
    }
}
