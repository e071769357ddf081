//! Opens records in the buffer in which they lie.

use core::fmt;
use core::ops::Range;

use super::frame::{MAX_PLAINTEXT, check_content};
use super::nonce::NonceSequence;
use super::{ContentType, Header, Protection};
use crate::crypto::suite::AeadKey;
use crate::error::Result;
use crate::violation::Violation;

/// Opens the records of one direction, under one key.
pub(crate) enum Opener {
    /// Before the first key.
    Plain,
    /// Under a key.
    Keyed(KeyedOpener),
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
        }
    }
}

impl Opener {
    /// Opens records under `key` and `iv`, from sequence number 0.
    pub(crate) fn keyed(key: AeadKey, iv: [u8; 12], alerts: PlaintextAlerts) -> Self {
        Self::Keyed(KeyedOpener {
            key,
            nonces: NonceSequence::new(iv),
            alerts,
        })
    }

    /// How long records may be, for [`super::parse_header`].
    pub(crate) const fn protection(&self) -> Protection {
        match self {
            Self::Plain => Protection::Plain,
            Self::Keyed(_) => Protection::Encrypted,
        }
    }

    /// Opens one record in place. `body` is all that follows the header, and no more.
    ///
    /// A record that cannot be authenticated is `bad_record_mac` and leaves the sequence number
    /// alone, so that rejected early data can be skipped; its body is then worthless.
    /// A `change_cipher_spec` comes through unencrypted at any time: whether it is one, and
    /// allowed now, is for the caller to decide.
    pub(crate) fn open(&mut self, header: &Header, body: &mut [u8]) -> Result<Opened> {
        match self {
            Self::Plain => open_plain(header, body),
            Self::Keyed(keyed) => keyed.open(header, body),
        }
    }
}

fn open_plain(header: &Header, body: &[u8]) -> Result<Opened> {
    check_content(header.content_type, body.len())?;
    Ok(Opened {
        content_type: header.content_type,
        range: 0..body.len(),
        protection: Protection::Plain,
    })
}

impl KeyedOpener {
    fn open(&mut self, header: &Header, body: &mut [u8]) -> Result<Opened> {
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

    fn open_encrypted(&mut self, header: &Header, body: &mut [u8]) -> Result<Opened> {
        // RFC 9846 §5.2: If the decryption fails, the receiver MUST terminate the connection with
        // a bad_record_mac alert.
        let length = self
            .key
            .open_in_place(self.nonces.current(), &header.bytes(), body)
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
