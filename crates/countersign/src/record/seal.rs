//! Seals records in the output in which they leave.

use core::fmt;
use std::io::IoSlice;

use super::frame::MAX_PLAINTEXT;
use super::nonce::NonceSequence;
use super::{ContentType, Gather, Header, Protection};
use crate::crypto::suite::{AeadKey, TAG_LEN};
use crate::error::{Error, Result};

/// The version in all records but the first of a client.
const LEGACY_VERSION: u16 = 0x0303;

/// Seals the records of one direction, under one key.
pub(crate) enum Sealer {
    /// Before the first key.
    Plain {
        /// The `legacy_record_version`: 0x0301 for the first `ClientHello`, then 0x0303.
        version: u16,
    },
    /// Under a key.
    Keyed(KeyedSealer),
}

/// The key of a [`Sealer`].
pub(crate) struct KeyedSealer {
    key: AeadKey,
    nonces: NonceSequence,
    limit: u64,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain { .. } => f.write_str("Plain"),
            Self::Keyed(keyed) => write!(f, "Keyed({} records)", keyed.nonces.used()),
        }
    }
}

impl Sealer {
    /// Does not encrypt.
    pub(crate) const fn plain() -> Self {
        Self::Plain {
            version: LEGACY_VERSION,
        }
    }

    /// Does not encrypt, and says TLS 1.0, as some servers want the first `ClientHello`
    /// (RFC 9846 §5.1).
    pub(crate) const fn first_client_hello() -> Self {
        Self::Plain { version: 0x0301 }
    }

    /// Seals records under `key` and `iv`, from sequence number 0, and at most `limit` of them
    /// (the cipher's confidentiality limit, RFC 9846 §5.5).
    pub(crate) fn keyed(key: AeadKey, iv: [u8; 12], limit: u64) -> Self {
        Self::Keyed(KeyedSealer {
            key,
            nonces: NonceSequence::new(iv),
            limit,
        })
    }

    /// Whether records are encrypted.
    pub(crate) const fn protection(&self) -> Protection {
        match self {
            Self::Plain { .. } => Protection::Plain,
            Self::Keyed(_) => Protection::Encrypted,
        }
    }

    /// How many more records this key may seal.
    pub(crate) const fn records_left(&self) -> u64 {
        match self {
            Self::Plain { .. } => u64::MAX,
            Self::Keyed(keyed) => keyed.limit.saturating_sub(keyed.nonces.used()),
        }
    }

    /// Whether it is time for a `KeyUpdate`: half of the records of this key are used.
    ///
    /// RFC 9846 §5.5: Implementations MUST either close the connection or do a key update prior to
    /// reaching these limits.
    pub(crate) const fn should_update_keys(&self) -> bool {
        match self {
            Self::Plain { .. } => false,
            Self::Keyed(keyed) => keyed.nonces.used() >= keyed.limit / 2,
        }
    }

    /// Appends `payload` to `output`, in as many records as it needs: one if it is empty.
    pub(crate) fn seal(
        &mut self,
        content_type: ContentType,
        payload: &[IoSlice<'_>],
        output: &mut Vec<u8>,
    ) -> Result<()> {
        let mut gather = Gather::new(payload);
        loop {
            self.seal_record(content_type, &mut gather, output)?;
            if gather.remaining() == 0 {
                return Ok(());
            }
        }
    }

    /// Appends one record with the next 2^14 bytes of `payload`, or what there is, to `output`.
    pub(crate) fn seal_record(
        &mut self,
        content_type: ContentType,
        payload: &mut Gather<'_>,
        output: &mut Vec<u8>,
    ) -> Result<()> {
        match self {
            Self::Plain { version } => {
                write_plain(content_type, *version, payload, output);
                Ok(())
            }
            Self::Keyed(keyed) => keyed.seal(content_type, payload, output),
        }
    }
}

fn write_plain(
    content_type: ContentType,
    version: u16,
    payload: &mut Gather<'_>,
    output: &mut Vec<u8>,
) {
    let length = payload.remaining().min(MAX_PLAINTEXT);
    let header = Header {
        content_type,
        version,
        length: u16::try_from(length).unwrap_or(u16::MAX),
    };
    output.extend_from_slice(&header.bytes());
    payload.copy(length, output);
}

impl KeyedSealer {
    fn seal(
        &mut self,
        content_type: ContentType,
        payload: &mut Gather<'_>,
        output: &mut Vec<u8>,
    ) -> Result<()> {
        if self.nonces.used() >= self.limit {
            return Err(Error::Internal("a key has sealed all the records it may"));
        }
        let content_len = payload.remaining().min(MAX_PLAINTEXT);
        // The type of the content follows it, then comes the tag (RFC 9846 §5.2).
        let sealed_len = content_len.saturating_add(1).saturating_add(TAG_LEN);
        let header = Header {
            content_type: ContentType::ApplicationData,
            version: LEGACY_VERSION,
            length: u16::try_from(sealed_len).unwrap_or(u16::MAX),
        };
        let header = header.bytes();
        let start = output.len();
        output.reserve(header.len().saturating_add(sealed_len));
        output.extend_from_slice(&header);
        let content_at = output.len();
        payload.copy(content_len, output);
        output.extend_from_slice(&[0; 1 + TAG_LEN]);
        let (content, type_and_tag) = output
            .get_mut(content_at..)
            .and_then(|sealed| sealed.split_at_mut_checked(content_len))
            .ok_or(Error::Internal("a record is shorter than its payload"))?;
        let sealed = self.key.seal_in_place(
            self.nonces.current(),
            &header,
            content,
            &[content_type.code()],
            type_and_tag,
        );
        if sealed.is_err() {
            // What was not encrypted must not leave.
            output.truncate(start);
            return sealed;
        }
        self.nonces
            .advance()
            .ok_or(Error::Internal("a key has sealed all the records it may"))
    }
}
