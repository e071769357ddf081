//! The cipher suites of TLS 1.3 and the authenticated encryption of their records.

use core::fmt;

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};

use super::hash::HashAlgorithm;
use crate::error::{Error, Result};

/// The length of the authentication tag of every suite, in bytes.
pub(crate) const TAG_LEN: usize = 16;

/// The length of a nonce of every suite, in bytes.
pub(crate) const NONCE_LEN: usize = 12;

/// A cipher suite of TLS 1.3 (RFC 9846 §B.4): record protection and hash function.
///
/// ```
/// use countersign::CipherSuite;
/// assert_eq!(CipherSuite::from_u16(0x1301), Some(CipherSuite::Aes128GcmSha256));
/// assert_eq!(CipherSuite::Aes128GcmSha256.name(), "TLS_AES_128_GCM_SHA256");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CipherSuite {
    /// `TLS_AES_128_GCM_SHA256`, which every implementation of TLS 1.3 has.
    Aes128GcmSha256,
    /// `TLS_AES_256_GCM_SHA384`.
    Aes256GcmSha384,
    /// `TLS_CHACHA20_POLY1305_SHA256`, fast without hardware support for AES.
    ChaCha20Poly1305Sha256,
}

impl CipherSuite {
    /// Every suite, most preferred first.
    pub const ALL: &'static [Self] = &[
        Self::Aes128GcmSha256,
        Self::Aes256GcmSha384,
        Self::ChaCha20Poly1305Sha256,
    ];

    /// The suite of that number on the wire, if it is one of ours.
    pub const fn from_u16(code: u16) -> Option<Self> {
        match code {
            0x1301 => Some(Self::Aes128GcmSha256),
            0x1302 => Some(Self::Aes256GcmSha384),
            0x1303 => Some(Self::ChaCha20Poly1305Sha256),
            _ => None,
        }
    }

    /// The number on the wire.
    pub const fn to_u16(self) -> u16 {
        match self {
            Self::Aes128GcmSha256 => 0x1301,
            Self::Aes256GcmSha384 => 0x1302,
            Self::ChaCha20Poly1305Sha256 => 0x1303,
        }
    }

    /// The name in the RFC, as `TLS_AES_128_GCM_SHA256`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128GcmSha256 => "TLS_AES_128_GCM_SHA256",
            Self::Aes256GcmSha384 => "TLS_AES_256_GCM_SHA384",
            Self::ChaCha20Poly1305Sha256 => "TLS_CHACHA20_POLY1305_SHA256",
        }
    }

    /// The strength of its cipher in bits, as OpenSSL's security levels count.
    pub(crate) const fn security_bits(self) -> u32 {
        match self {
            Self::Aes128GcmSha256 => 128,
            Self::Aes256GcmSha384 | Self::ChaCha20Poly1305Sha256 => 256,
        }
    }

    /// The hash function of the transcript and the key schedule.
    pub(crate) const fn hash(self) -> HashAlgorithm {
        match self {
            Self::Aes128GcmSha256 | Self::ChaCha20Poly1305Sha256 => HashAlgorithm::Sha256,
            Self::Aes256GcmSha384 => HashAlgorithm::Sha384,
        }
    }

    /// The length of a record key in bytes.
    pub(crate) const fn key_len(self) -> usize {
        match self {
            Self::Aes128GcmSha256 => 16,
            Self::Aes256GcmSha384 | Self::ChaCha20Poly1305Sha256 => 32,
        }
    }

    /// How many records one key may protect before it has to be updated.
    pub(crate) const fn confidentiality_limit(self) -> u64 {
        match self {
            // RFC 9846 §5.5: up to 2^24.5 full-size records may be encrypted on a given connection.
            Self::Aes128GcmSha256 | Self::Aes256GcmSha384 => 23_726_566,
            // RFC 9846 §5.5: the record sequence number would wrap before the limit is reached.
            Self::ChaCha20Poly1305Sha256 => u64::MAX,
        }
    }

    fn primitive(self) -> &'static aead::Algorithm {
        match self {
            Self::Aes128GcmSha256 => &aead::AES_128_GCM,
            Self::Aes256GcmSha384 => &aead::AES_256_GCM,
            Self::ChaCha20Poly1305Sha256 => &aead::CHACHA20_POLY1305,
        }
    }
}

impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A record key, ready for use. Erased when dropped.
pub(crate) struct AeadKey {
    key: LessSafeKey,
}

impl AeadKey {
    /// Sets up a key of exactly `suite.key_len()` bytes.
    pub(crate) fn new(suite: CipherSuite, key: &[u8]) -> Result<Self> {
        let key = UnboundKey::new(suite.primitive(), key)
            .map_err(|_| Error::Internal("a record key of the wrong length"))?;
        Ok(Self {
            key: LessSafeKey::new(key),
        })
    }

    /// Encrypts `in_out` where it lies. `extra_in` (the inner content type) is encrypted behind
    /// it into `extra_out_and_tag`, which must have room for exactly it and the tag
    /// ([`TAG_LEN`]). No nonce may be used twice.
    #[allow(
        clippy::too_many_arguments,
        reason = "the inputs of one AEAD call, each of which the record layer holds apart"
    )]
    pub(crate) fn seal_in_place(
        &self,
        nonce: [u8; NONCE_LEN],
        aad: &[u8],
        in_out: &mut [u8],
        extra_in: &[u8],
        extra_out_and_tag: &mut [u8],
    ) -> Result<()> {
        self.key
            .seal_in_place_scatter(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(aad),
                in_out,
                extra_in,
                extra_out_and_tag,
            )
            .map_err(|_| Error::Internal("a record could not be sealed"))
    }

    /// Decrypts `in_out` (ciphertext and tag) where it lies and returns the length of the
    /// plaintext at its front. `None`: it was not sealed with this key, nonce and `aad`; its
    /// content is then unspecified and must not be used.
    pub(crate) fn open_in_place(
        &self,
        nonce: [u8; NONCE_LEN],
        aad: &[u8],
        in_out: &mut [u8],
    ) -> Option<usize> {
        self.key
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), in_out)
            .ok()
            .map(|plaintext| plaintext.len())
    }
}

impl fmt::Debug for AeadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AeadKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{AeadKey, CipherSuite, TAG_LEN};

    #[test]
    fn numbers_survive_the_round_trip() {
        for suite in CipherSuite::ALL {
            assert_eq!(CipherSuite::from_u16(suite.to_u16()), Some(*suite));
        }
        let known = (0..=u16::MAX).filter_map(CipherSuite::from_u16).count();
        assert_eq!(known, CipherSuite::ALL.len());
    }

    #[test]
    fn what_is_sealed_opens_only_as_it_was_sealed() {
        for suite in CipherSuite::ALL {
            let key = AeadKey::new(*suite, &vec![7; suite.key_len()]).unwrap();
            let mut record = b"payload".to_vec();
            let mut tail = [0; 1 + TAG_LEN];
            key.seal_in_place([1; 12], b"header", &mut record, &[23], &mut tail)
                .unwrap();
            record.extend(tail);
            let open = |nonce, aad: &[u8], mut record: Vec<u8>| {
                let len = key.open_in_place(nonce, aad, &mut record)?;
                record.truncate(len);
                Some(record)
            };
            let opened = open([1; 12], b"header", record.clone()).unwrap();
            assert_eq!(opened, b"payload\x17");
            assert_eq!(open([2; 12], b"header", record.clone()), None);
            assert_eq!(open([1; 12], b"Header", record.clone()), None);
            for at in 0..record.len() {
                let mut damaged = record.clone();
                damaged[at] ^= 0x20;
                assert_eq!(open([1; 12], b"header", damaged), None, "{suite} {at}");
            }
            for len in 0..record.len() {
                assert_eq!(open([1; 12], b"header", record[..len].to_vec()), None);
            }
        }
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        for suite in CipherSuite::ALL {
            assert!(AeadKey::new(*suite, &vec![7; suite.key_len() - 1]).is_err());
            assert!(AeadKey::new(*suite, &vec![7; suite.key_len() + 1]).is_err());
        }
    }

    #[test]
    fn a_tail_of_another_length_is_refused() {
        let key = AeadKey::new(CipherSuite::Aes128GcmSha256, &[7; 16]).unwrap();
        for len in [0, TAG_LEN, TAG_LEN + 2] {
            let mut tail = vec![0; len];
            assert!(
                key.seal_in_place([1; 12], b"", &mut [0; 5], &[23], &mut tail)
                    .is_err()
            );
        }
    }
}
