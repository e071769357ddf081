//! Private keys, which sign handshakes.

use core::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair,
};
use pki_types::PrivateKeyDer;

use super::der;
use super::public_key::{KeyAlgorithm, PublicKey, integer_bits};
use super::signature::SignatureScheme;
use crate::error::Error;

/// Something that signs handshakes with a private key: a [`PrivateKey`] in memory, or a key that
/// lives in a hardware module or another process.
pub trait Signer: Send + Sync {
    /// The schemes that the key can sign with, most preferred first.
    fn schemes(&self) -> &[SignatureScheme];

    /// Signs `message` (not its hash) and returns the signature as TLS carries it: ECDSA as DER
    /// (RFC 3279 §2.2.3), RSA as long as the modulus, Ed25519 as 64 bytes.
    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// Why nothing was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignError {
    /// The key cannot sign with the scheme: it is not among [`Signer::schemes`].
    UnsupportedScheme(SignatureScheme),
    /// The key, or what holds it, failed.
    Failed,
    /// The signature takes time: the connection asks for it with
    /// [`Question::Signature`](crate::Question::Signature) and waits.
    Later,
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsupportedScheme(scheme) => write!(f, "The key cannot sign with {scheme}."),
            Self::Failed => f.write_str("The private key failed to sign."),
            Self::Later => f.write_str("The signature takes time."),
        }
    }
}

impl core::error::Error for SignError {}

impl From<SignError> for Error {
    fn from(error: SignError) -> Self {
        Self::Internal(match error {
            SignError::UnsupportedScheme(_) => "the private key cannot sign with the chosen scheme",
            SignError::Failed | SignError::Later => "the private key failed to sign",
        })
    }
}

/// A private key in memory.
///
/// ECDSA on P-256, P-384 and P-521, Ed25519, and RSA of 2048 to 8192 bits, the latter also with
/// the identifier id-RSASSA-PSS. The counterpart of OpenSSL's `SSL_CTX_use_PrivateKey`.
///
/// ```
/// use countersign::{KeyError, PrivateKey};
/// use pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
/// let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(&[0x30, 0x00][..]));
/// let error = PrivateKey::from_der(&der).unwrap_err();
/// assert_eq!(error, KeyError::Malformed);
/// ```
pub struct PrivateKey {
    algorithm: KeyAlgorithm,
    key: Key,
}

enum Key {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl PrivateKey {
    /// Reads a key in PKCS#8 (RFC 5208, RFC 5958), SEC1 (RFC 5915) or PKCS#1 (RFC 8017) form.
    pub fn from_der(der: &PrivateKeyDer<'_>) -> Result<Self, KeyError> {
        match der {
            PrivateKeyDer::Pkcs8(key) => Self::from_pkcs8(key.secret_pkcs8_der()),
            PrivateKeyDer::Sec1(key) => Self::from_sec1(key.secret_sec1_der()),
            PrivateKeyDer::Pkcs1(key) => Self::from_rsa(KeyAlgorithm::Rsa, key.secret_pkcs1_der()),
            _ => Err(KeyError::UnsupportedAlgorithm),
        }
    }

    /// The schemes that the key can sign a handshake with, most preferred first; RSASSA-PKCS1-v1_5
    /// one of TLS 1.2 only, and as a client that is configured so (RFC 9963).
    pub fn schemes(&self) -> &'static [SignatureScheme] {
        self.algorithm.schemes()
    }

    /// Signs `message` (not its hash); see [`Signer::sign`].
    pub fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, SignError> {
        if !self.schemes().contains(&scheme) {
            return Err(SignError::UnsupportedScheme(scheme));
        }
        match &self.key {
            Key::Ecdsa(key) => {
                let signature = key.sign(&SystemRandom::new(), message);
                signature.map(|signature| signature.as_ref().to_vec())
            }
            Key::Ed25519(key) => {
                let signature = key.try_sign(message);
                signature.map(|signature| signature.as_ref().to_vec())
            }
            Key::Rsa(key) => {
                let padding = padding_of(scheme).ok_or(SignError::UnsupportedScheme(scheme))?;
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(padding, &SystemRandom::new(), message, &mut signature)
                    .map(|()| signature)
            }
        }
        .map_err(|_| SignError::Failed)
    }

    /// Whether `spki`, the DER of a certificate's `SubjectPublicKeyInfo`, holds the public half of
    /// this key: what OpenSSL's `X509_check_private_key` says.
    pub fn matches_spki(&self, spki: &[u8]) -> bool {
        let Some(public) = PublicKey::read(spki) else {
            return false;
        };
        if public.algorithm != self.algorithm {
            return false;
        }
        let own = self.public_bits();
        own == public.bits || is_compressed_form(public.bits, own)
    }

    /// The name of the key's kind, as `ECDSA P-256`.
    pub fn algorithm_name(&self) -> &'static str {
        self.algorithm.name()
    }

    fn public_bits(&self) -> &[u8] {
        match &self.key {
            Key::Ecdsa(key) => key.public_key().as_ref(),
            Key::Ed25519(key) => key.public_key().as_ref(),
            Key::Rsa(key) => key.public_key().as_ref(),
        }
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let (algorithm, inner) = read_pkcs8(der)?;
        let key = match algorithm {
            KeyAlgorithm::Rsa | KeyAlgorithm::RsaPss(_) => return Self::from_rsa(algorithm, inner),
            KeyAlgorithm::Ed25519 => Ed25519KeyPair::from_pkcs8(der).map(Key::Ed25519),
            KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 | KeyAlgorithm::EcdsaP521 => {
                let curve = curve_of(algorithm).ok_or(KeyError::UnsupportedAlgorithm)?;
                EcdsaKeyPair::from_pkcs8(curve, der).map(Key::Ecdsa)
            }
        };
        let key = key.map_err(|_| KeyError::Inconsistent)?;
        Ok(Self { algorithm, key })
    }

    fn from_sec1(der: &[u8]) -> Result<Self, KeyError> {
        der::only(der, der::SEQUENCE).ok_or(KeyError::Malformed)?;
        // RFC 5915 §3: the curve may stand in the key or be known from elsewhere; each is tried.
        [
            KeyAlgorithm::EcdsaP256,
            KeyAlgorithm::EcdsaP384,
            KeyAlgorithm::EcdsaP521,
        ]
        .into_iter()
        .find_map(|algorithm| {
            let key = EcdsaKeyPair::from_private_key_der(curve_of(algorithm)?, der).ok()?;
            Some(Self {
                algorithm,
                key: Key::Ecdsa(key),
            })
        })
        .ok_or(KeyError::UnsupportedAlgorithm)
    }

    fn from_rsa(algorithm: KeyAlgorithm, pkcs1: &[u8]) -> Result<Self, KeyError> {
        let content = der::only(pkcs1, der::SEQUENCE).ok_or(KeyError::Malformed)?;
        let (_version, rest) = der::element(content, der::INTEGER).ok_or(KeyError::Malformed)?;
        let (modulus, _) = der::element(rest, der::INTEGER).ok_or(KeyError::Malformed)?;
        match integer_bits(modulus).ok_or(KeyError::Malformed)? {
            ..2048 => return Err(KeyError::RsaTooShort),
            2048..=8192 => {}
            _ => return Err(KeyError::RsaTooLong),
        }
        let key = RsaKeyPair::from_der(pkcs1).map_err(|_| KeyError::Inconsistent)?;
        Ok(Self {
            algorithm,
            key: Key::Rsa(key),
        })
    }
}

impl Signer for PrivateKey {
    fn schemes(&self) -> &[SignatureScheme] {
        self.algorithm.schemes()
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Self::sign(self, scheme, message)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// The algorithm of a PKCS#8 `PrivateKeyInfo` and the key inside (RFC 5208 §5).
fn read_pkcs8(der: &[u8]) -> Result<(KeyAlgorithm, &[u8]), KeyError> {
    let content = der::only(der, der::SEQUENCE).ok_or(KeyError::Malformed)?;
    // RFC 5208 §6: an EncryptedPrivateKeyInfo starts with the algorithm, not with a version.
    if der::element(content, der::SEQUENCE).is_some() {
        return Err(KeyError::Encrypted);
    }
    let (_version, rest) = der::element(content, der::INTEGER).ok_or(KeyError::Malformed)?;
    let (identifier, rest) = der::element(rest, der::SEQUENCE).ok_or(KeyError::Malformed)?;
    let (inner, _attributes) = der::element(rest, der::OCTET_STRING).ok_or(KeyError::Malformed)?;
    let algorithm =
        KeyAlgorithm::from_identifier(identifier).ok_or(KeyError::UnsupportedAlgorithm)?;
    Ok((algorithm, inner))
}

fn curve_of(algorithm: KeyAlgorithm) -> Option<&'static EcdsaSigningAlgorithm> {
    match algorithm {
        KeyAlgorithm::EcdsaP256 => Some(&signature::ECDSA_P256_SHA256_ASN1_SIGNING),
        KeyAlgorithm::EcdsaP384 => Some(&signature::ECDSA_P384_SHA384_ASN1_SIGNING),
        KeyAlgorithm::EcdsaP521 => Some(&signature::ECDSA_P521_SHA512_ASN1_SIGNING),
        KeyAlgorithm::Ed25519 | KeyAlgorithm::Rsa | KeyAlgorithm::RsaPss(_) => None,
    }
}

/// RFC 9846 §4.3.3: the salt is as long as the digest, which is what these do.
fn padding_of(scheme: SignatureScheme) -> Option<&'static dyn RsaEncoding> {
    match scheme {
        SignatureScheme::RSA_PSS_RSAE_SHA256 | SignatureScheme::RSA_PSS_PSS_SHA256 => {
            Some(&signature::RSA_PSS_SHA256)
        }
        SignatureScheme::RSA_PSS_RSAE_SHA384 | SignatureScheme::RSA_PSS_PSS_SHA384 => {
            Some(&signature::RSA_PSS_SHA384)
        }
        SignatureScheme::RSA_PSS_RSAE_SHA512 | SignatureScheme::RSA_PSS_PSS_SHA512 => {
            Some(&signature::RSA_PSS_SHA512)
        }
        SignatureScheme::RSA_PKCS1_SHA256 | SignatureScheme::RSA_PKCS1_SHA256_LEGACY => {
            Some(&signature::RSA_PKCS1_SHA256)
        }
        SignatureScheme::RSA_PKCS1_SHA384 | SignatureScheme::RSA_PKCS1_SHA384_LEGACY => {
            Some(&signature::RSA_PKCS1_SHA384)
        }
        SignatureScheme::RSA_PKCS1_SHA512 | SignatureScheme::RSA_PKCS1_SHA512_LEGACY => {
            Some(&signature::RSA_PKCS1_SHA512)
        }
        _ => None,
    }
}

/// Whether `compressed` is the compressed form (SEC1 §2.3.3) of the uncompressed point `point`.
fn is_compressed_form(compressed: &[u8], point: &[u8]) -> bool {
    let (Some((form, x)), Some((4, coordinates))) = (compressed.split_first(), point.split_first())
    else {
        return false;
    };
    let parity = coordinates.last().map_or(0, |last| last & 1);
    *form == 2 | parity && coordinates.len() == 2 * x.len() && coordinates.starts_with(x)
}

/// Why a private key cannot be used. The text never shows any of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The bytes are no private key in the form that they claim.
    Malformed,
    /// The key is protected by a passphrase.
    Encrypted,
    /// The key is of a kind that cannot sign a handshake here.
    UnsupportedAlgorithm,
    /// The key is RSA with less than 2048 bits.
    RsaTooShort,
    /// The key is RSA with more than 8192 bits.
    RsaTooLong,
    /// The parts of the key do not belong together.
    Inconsistent,
}

impl KeyError {
    /// What is wrong, as a sentence.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Malformed => "The private key cannot be decoded.",
            Self::Encrypted => "The private key is protected by a passphrase.",
            Self::UnsupportedAlgorithm => "The private key is of a kind that is not supported.",
            Self::RsaTooShort => "The RSA private key has less than 2048 bits.",
            Self::RsaTooLong => "The RSA private key has more than 8192 bits.",
            Self::Inconsistent => "The parts of the private key do not belong together.",
        }
    }

    /// What to do about it, as a sentence.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Malformed => {
                "Check that the file holds an unencrypted private key in PKCS#8, SEC1 or PKCS#1 form."
            }
            Self::Encrypted => {
                "Remove the passphrase with `openssl pkey -in key.pem -out plain.pem`."
            }
            Self::UnsupportedAlgorithm => {
                "Use an ECDSA key on P-256, P-384 or P-521, an Ed25519 key or an RSA key."
            }
            Self::RsaTooShort | Self::RsaTooLong => {
                "Create an RSA key of 2048 to 8192 bits, or an ECDSA key on P-256."
            }
            Self::Inconsistent => "The file was damaged: restore it, or create a new key.",
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what(), self.advice())
    }
}

impl core::error::Error for KeyError {}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::KeySize;
    use pki_types::{
        PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer, alg_id,
    };

    use super::{KeyError, PrivateKey, SignError, Signer};
    use crate::crypto::der;
    use crate::crypto::public_key::KeyAlgorithm;
    use crate::crypto::signature::SignatureScheme;
    use crate::crypto::test_keys::{self, inner_key, wrap};

    fn from_pkcs8(der: &[u8]) -> Result<PrivateKey, KeyError> {
        PrivateKey::from_der(&PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der)))
    }

    fn from_pkcs1(der: &[u8]) -> Result<PrivateKey, KeyError> {
        PrivateKey::from_der(&PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(der)))
    }

    fn from_sec1(der: &[u8]) -> Result<PrivateKey, KeyError> {
        PrivateKey::from_der(&PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(der)))
    }

    #[test]
    fn every_form_of_a_key_is_the_same_key() {
        for key in test_keys::all() {
            let inner = inner_key(&key.pkcs8);
            let forms = match key.algorithm {
                KeyAlgorithm::Ed25519 | KeyAlgorithm::RsaPss(_) => vec![],
                KeyAlgorithm::Rsa => vec![from_pkcs1(inner)],
                _ => vec![from_sec1(inner)],
            };
            for form in forms.into_iter().chain([from_pkcs8(&key.pkcs8)]) {
                let form = form.unwrap();
                assert!(form.matches_spki(&key.spki), "{:?}", key.algorithm);
                assert_eq!(form.schemes(), key.algorithm.schemes());
            }
        }
    }

    #[test]
    fn a_sec1_key_need_not_name_its_curve() {
        for algorithm in [
            KeyAlgorithm::EcdsaP256,
            KeyAlgorithm::EcdsaP384,
            KeyAlgorithm::EcdsaP521,
        ] {
            let key = test_keys::key(algorithm);
            let content = der::only(inner_key(&key.pkcs8), der::SEQUENCE).unwrap();
            let (_version, rest) = der::element(content, der::INTEGER).unwrap();
            let (scalar, _) = der::element(rest, der::OCTET_STRING).unwrap();
            let scalar = wrap(der::OCTET_STRING, &[scalar]);
            let bare = wrap(der::SEQUENCE, &[&[der::INTEGER, 1, 1], &scalar]);
            assert!(
                from_sec1(&bare).unwrap().matches_spki(&key.spki),
                "{algorithm:?}"
            );
        }
    }

    #[test]
    fn a_key_matches_its_own_certificate_only() {
        for key in test_keys::all() {
            let private = from_pkcs8(&key.pkcs8).unwrap();
            for other in test_keys::all() {
                let same = key.algorithm == other.algorithm;
                assert_eq!(private.matches_spki(&other.spki), same);
            }
            assert!(!private.matches_spki(&key.spki[1..]));
        }
        let first = test_keys::rsa_pkcs8(KeySize::Rsa2048);
        let rsa = &test_keys::key(KeyAlgorithm::Rsa).spki;
        assert!(!from_pkcs8(&first).unwrap().matches_spki(rsa));
    }

    #[test]
    fn a_compressed_point_is_the_same_point() {
        let curves = [
            (KeyAlgorithm::EcdsaP256, alg_id::ECDSA_P256, 32),
            (KeyAlgorithm::EcdsaP384, alg_id::ECDSA_P384, 48),
            (KeyAlgorithm::EcdsaP521, alg_id::ECDSA_P521, 66),
        ];
        for (algorithm, identifier, len) in curves {
            let key = test_keys::key(algorithm);
            let private = from_pkcs8(&key.pkcs8).unwrap();
            let point = &key.spki[key.spki.len() - 2 * len..];
            let parity = point.last().unwrap() & 1;
            let compressed = |form: u8, x: &[u8]| {
                private.matches_spki(&test_keys::spki(&identifier, &[&[form], x].concat()))
            };
            assert!(compressed(2 | parity, &point[..len]));
            assert!(!compressed(3 & !parity, &point[..len]));
            assert!(!compressed(2 | parity, &point[..len - 1]));
            let mut other = point[..len].to_vec();
            other[0] ^= 1;
            assert!(!compressed(2 | parity, &other));
        }
    }

    #[test]
    fn schemes_that_do_not_fit_are_refused() {
        for key in test_keys::all() {
            let private = from_pkcs8(&key.pkcs8).unwrap();
            for scheme in SignatureScheme::CERTIFICATE_DEFAULT {
                let signed = Signer::sign(&private, *scheme, b"message");
                if Signer::schemes(&private).contains(scheme) {
                    assert!(signed.is_ok());
                } else {
                    assert_eq!(signed, Err(SignError::UnsupportedScheme(*scheme)));
                }
            }
        }
    }

    #[test]
    fn bytes_that_are_no_key_are_malformed() {
        for bytes in [&[][..], &[0x30], &[0x30, 0], b"-----BEGIN PRIVATE KEY-----"] {
            assert_eq!(from_pkcs8(bytes).unwrap_err(), KeyError::Malformed);
            assert_eq!(from_pkcs1(bytes).unwrap_err(), KeyError::Malformed);
        }
        assert_eq!(from_sec1(&[]).unwrap_err(), KeyError::Malformed);
        let key = &test_keys::key(KeyAlgorithm::EcdsaP256).pkcs8;
        assert_eq!(
            from_pkcs8(&key[..key.len() - 1]).unwrap_err(),
            KeyError::Malformed
        );
    }

    #[test]
    fn encrypted_and_unknown_keys_are_named() {
        let algorithm = wrap(der::SEQUENCE, &[&[6, 1, 42]]);
        let encrypted = wrap(der::SEQUENCE, &[&algorithm, &[4, 1, 0]]);
        assert_eq!(from_pkcs8(&encrypted).unwrap_err(), KeyError::Encrypted);
        for identifier in [alg_id::ED448, alg_id::ECDSA_P256K1] {
            let key = test_keys::pkcs8(&identifier, &[4; 32]);
            assert_eq!(
                from_pkcs8(&key).unwrap_err(),
                KeyError::UnsupportedAlgorithm
            );
        }
        let unknown = from_sec1(&[0x30, 0]).unwrap_err();
        assert_eq!(unknown, KeyError::UnsupportedAlgorithm);
    }

    #[test]
    fn rsa_keys_of_other_sizes_are_refused() {
        let key = |bits: usize| {
            let mut modulus = vec![0xff; bits / 8 + 1];
            modulus[0] = 0;
            let modulus = wrap(der::INTEGER, &[&modulus]);
            from_pkcs1(&wrap(der::SEQUENCE, &[&[der::INTEGER, 1, 0], &modulus]))
        };
        assert_eq!(key(1024).unwrap_err(), KeyError::RsaTooShort);
        assert_eq!(key(2040).unwrap_err(), KeyError::RsaTooShort);
        assert_eq!(key(8200).unwrap_err(), KeyError::RsaTooLong);
        // Long enough, but nothing of the rest of the key is there.
        assert_eq!(key(2048).unwrap_err(), KeyError::Inconsistent);
    }

    #[test]
    fn damaged_keys_are_refused() {
        for key in test_keys::all() {
            let inner = inner_key(&key.pkcs8);
            let at = key.pkcs8.len() - inner.len() + inner.len() / 2;
            let mut damaged = key.pkcs8.clone();
            damaged[at] ^= 0x10;
            match from_pkcs8(&damaged) {
                Err(error) => assert_eq!(error, KeyError::Inconsistent),
                // Any 32 bytes are a key of Ed25519, but not the same.
                Ok(other) => assert!(!other.matches_spki(&key.spki)),
            }
        }
    }

    #[test]
    fn nothing_of_a_key_is_printed() {
        let key = from_pkcs8(&test_keys::key(KeyAlgorithm::EcdsaP256).pkcs8).unwrap();
        assert_eq!(
            format!("{key:?}"),
            "PrivateKey { algorithm: EcdsaP256, .. }"
        );
    }

    #[test]
    fn every_error_says_what_is_wrong_and_what_to_do() {
        let text = KeyError::Encrypted.to_string();
        assert!(text.starts_with("The private key is protected by a passphrase. Remove"));
        assert!(text.ends_with('.'));
    }
}
