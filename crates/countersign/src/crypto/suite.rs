//! The cipher suites and the authenticated encryption of their records.

use core::fmt;

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::hash::HashAlgorithm;
use crate::connection::established::ProtocolVersion;
use crate::error::{Error, Result};

/// The length of the authentication tag of every suite, in bytes.
pub(crate) const TAG_LEN: usize = 16;

/// The length of a nonce of every suite, in bytes.
pub(crate) const NONCE_LEN: usize = 12;

macro_rules! suites {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $cipher:ident, $hash:ident, $authentication:ident;)*) => {
        /// A cipher suite: record protection and hash function, and in TLS 1.2 also how the two ends
        /// exchange keys and how the server authenticates.
        ///
        /// TLS 1.3 has its own (RFC 9846 §B.4). Of TLS 1.2 there are those with forward secrecy and authenticated
        /// encryption, and no others: no CBC, no RSA key exchange.
        ///
        /// ```
        /// use countersign::{CipherSuite, ProtocolVersion};
        /// let suite = CipherSuite::from_u16(0xc02b).unwrap();
        /// assert_eq!(suite, CipherSuite::EcdheEcdsaAes128GcmSha256);
        /// assert_eq!(suite.name(), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
        /// assert_eq!(suite.version(), ProtocolVersion::Tls12);
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum CipherSuite {
            $($(#[$doc])* $variant,)*
        }

        impl CipherSuite {
            /// Every suite, most preferred first; the anonymous ones come last.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The suite of that number on the wire, if it is one of ours.
            pub const fn from_u16(code: u16) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The number on the wire.
            pub const fn to_u16(self) -> u16 {
                match self { $(Self::$variant => $code,)* }
            }

            /// The name in the RFC, as `TLS_AES_128_GCM_SHA256`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How its records are encrypted.
            const fn cipher(self) -> Cipher {
                match self { $(Self::$variant => Cipher::$cipher,)* }
            }

            /// The hash function of the transcript and the key schedule.
            pub(crate) const fn hash(self) -> HashAlgorithm {
                match self { $(Self::$variant => HashAlgorithm::$hash,)* }
            }

            /// How the server authenticates under it.
            pub(crate) const fn authentication(self) -> Authentication {
                match self { $(Self::$variant => Authentication::$authentication,)* }
            }
        }
    };
}

suites! {
    /// `TLS_AES_128_GCM_SHA256`, which every implementation of TLS 1.3 has.
    Aes128GcmSha256 = 0x1301, "TLS_AES_128_GCM_SHA256", Aes128Gcm, Sha256, Any;
    /// `TLS_AES_256_GCM_SHA384` (TLS 1.3).
    Aes256GcmSha384 = 0x1302, "TLS_AES_256_GCM_SHA384", Aes256Gcm, Sha384, Any;
    /// `TLS_CHACHA20_POLY1305_SHA256` (TLS 1.3), fast without hardware support for AES.
    ChaCha20Poly1305Sha256 = 0x1303, "TLS_CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256, Any;
    /// `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256` (TLS 1.2, RFC 5289).
    EcdheEcdsaAes128GcmSha256 = 0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256, Ecdsa;
    /// `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` (TLS 1.2, RFC 5289).
    EcdheRsaAes128GcmSha256 = 0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256, Rsa;
    /// `TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384` (TLS 1.2, RFC 5289).
    EcdheEcdsaAes256GcmSha384 = 0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384, Ecdsa;
    /// `TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384` (TLS 1.2, RFC 5289).
    EcdheRsaAes256GcmSha384 = 0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384, Rsa;
    /// `TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256` (TLS 1.2, RFC 7905).
    EcdheEcdsaChaCha20Poly1305Sha256 = 0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256, Ecdsa;
    /// `TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256` (TLS 1.2, RFC 7905).
    EcdheRsaChaCha20Poly1305Sha256 = 0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256, Rsa;
    // AES-256 first: servers on OpenSSL choose the group by the suite, and take one of 1024 bits for AES-128.
    /// `TLS_DH_anon_WITH_AES_256_GCM_SHA384` (TLS 1.2, RFC 5288): encrypted, but nobody knows with whom. See
    /// [`ConfigBuilder::allow_anonymous`](crate::ConfigBuilder::allow_anonymous).
    DhAnonAes256GcmSha384 = 0x00a7, "TLS_DH_anon_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384, Anonymous;
    /// `TLS_DH_anon_WITH_AES_128_GCM_SHA256` (TLS 1.2, RFC 5288): encrypted, but nobody knows with whom. See
    /// [`ConfigBuilder::allow_anonymous`](crate::ConfigBuilder::allow_anonymous).
    DhAnonAes128GcmSha256 = 0x00a6, "TLS_DH_anon_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256, Anonymous;
}

/// How records are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cipher {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
}

/// How a server authenticates under a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authentication {
    /// TLS 1.3: with whatever certificate the client understands.
    Any,
    /// With a certificate whose key is for ECDSA or Ed25519 (RFC 8422 §2).
    Ecdsa,
    /// With a certificate whose key is RSA.
    Rsa,
    /// Not at all, nor can the client.
    Anonymous,
}

impl CipherSuite {
    /// The suites that are used unless configured otherwise: all but the anonymous ones.
    pub fn defaults() -> impl Iterator<Item = Self> {
        let all = Self::ALL.iter().copied();
        all.filter(|suite| !suite.is_anonymous())
    }

    /// The version of the protocol that it belongs to.
    pub const fn version(self) -> ProtocolVersion {
        match self.authentication() {
            Authentication::Any => ProtocolVersion::Tls13,
            Authentication::Ecdsa | Authentication::Rsa | Authentication::Anonymous => {
                ProtocolVersion::Tls12
            }
        }
    }

    /// Whether neither end authenticates under it.
    pub const fn is_anonymous(self) -> bool {
        matches!(self.authentication(), Authentication::Anonymous)
    }

    /// The strength of its cipher in bits, as OpenSSL's security levels count.
    pub(crate) const fn security_bits(self) -> u32 {
        match self.cipher() {
            Cipher::Aes128Gcm => 128,
            Cipher::Aes256Gcm | Cipher::ChaCha20Poly1305 => 256,
        }
    }

    /// The length of a record key in bytes.
    pub(crate) const fn key_len(self) -> usize {
        match self.cipher() {
            Cipher::Aes128Gcm => 16,
            Cipher::Aes256Gcm | Cipher::ChaCha20Poly1305 => 32,
        }
    }

    /// How many records one key may protect before it has to be updated.
    pub(crate) const fn confidentiality_limit(self) -> u64 {
        match self.cipher() {
            // RFC 9846 §5.5: up to 2^24.5 full-size records may be encrypted on a given connection.
            Cipher::Aes128Gcm | Cipher::Aes256Gcm => 23_726_566,
            // RFC 9846 §5.5: the record sequence number would wrap before the limit is reached.
            Cipher::ChaCha20Poly1305 => u64::MAX,
        }
    }

    /// How a TLS 1.2 record gets its nonce.
    pub(crate) const fn nonce_form(self) -> NonceForm {
        match self.cipher() {
            Cipher::Aes128Gcm | Cipher::Aes256Gcm => NonceForm::Explicit,
            Cipher::ChaCha20Poly1305 => NonceForm::Implicit,
        }
    }

    fn primitive(self) -> &'static aead::Algorithm {
        match self.cipher() {
            Cipher::Aes128Gcm => &aead::AES_128_GCM,
            Cipher::Aes256Gcm => &aead::AES_256_GCM,
            Cipher::ChaCha20Poly1305 => &aead::CHACHA20_POLY1305,
        }
    }
}

/// How a record of TLS 1.2 gets its nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NonceForm {
    /// Four secret bytes and eight that go with the record (RFC 5288 §3).
    Explicit,
    /// Twelve secret bytes, in exclusive or with the sequence number (RFC 7905 §2).
    Implicit,
}

impl NonceForm {
    /// How many bytes of the key block belong to the nonce.
    pub(crate) const fn fixed_len(self) -> usize {
        match self {
            Self::Explicit => 4,
            Self::Implicit => NONCE_LEN,
        }
    }

    /// How many bytes of the nonce go with each record.
    pub(crate) const fn explicit_len(self) -> usize {
        match self {
            Self::Explicit => 8,
            Self::Implicit => 0,
        }
    }
}

impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is secret of the nonces of one key: the static IV of TLS 1.3, and of TLS 1.2 four bytes or all. It lies in
/// one place on the heap: moving it copies a pointer, dropping it erases the bytes.
pub(crate) struct Iv {
    bytes: Box<Zeroizing<[u8; NONCE_LEN]>>,
}

impl Iv {
    /// Allocates it and lets `fill` write it.
    pub(crate) fn fill_with(fill: impl FnOnce(&mut [u8]) -> Result<()>) -> Result<Self> {
        let mut bytes = Box::new(Zeroizing::new([0; NONCE_LEN]));
        fill(bytes.as_mut_slice())?;
        Ok(Self { bytes })
    }

    /// The bytes themselves.
    pub(crate) fn expose(&self) -> &[u8; NONCE_LEN] {
        &self.bytes
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn known(bytes: [u8; NONCE_LEN]) -> Self {
        let bytes = Box::new(Zeroizing::new(bytes));
        Self { bytes }
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
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        in_out: &mut [u8],
        extra_in: &[u8],
        extra_out_and_tag: &mut [u8],
    ) -> Result<()> {
        self.key
            .seal_in_place_scatter(
                Nonce::from(nonce),
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
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        in_out: &mut [u8],
    ) -> Option<usize> {
        self.key
            .open_in_place(Nonce::from(nonce), Aad::from(aad), in_out)
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
            key.seal_in_place(&[1; 12], b"header", &mut record, &[23], &mut tail)
                .unwrap();
            record.extend(tail);
            let open = |nonce, aad: &[u8], mut record: Vec<u8>| {
                let len = key.open_in_place(nonce, aad, &mut record)?;
                record.truncate(len);
                Some(record)
            };
            let opened = open(&[1; 12], b"header", record.clone()).unwrap();
            assert_eq!(opened, b"payload\x17");
            assert_eq!(open(&[2; 12], b"header", record.clone()), None);
            assert_eq!(open(&[1; 12], b"Header", record.clone()), None);
            for at in 0..record.len() {
                let mut damaged = record.clone();
                damaged[at] ^= 0x20;
                assert_eq!(open(&[1; 12], b"header", damaged), None, "{suite} {at}");
            }
            for len in 0..record.len() {
                assert_eq!(open(&[1; 12], b"header", record[..len].to_vec()), None);
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
                key.seal_in_place(&[1; 12], b"", &mut [0; 5], &[23], &mut tail)
                    .is_err()
            );
        }
    }
}
