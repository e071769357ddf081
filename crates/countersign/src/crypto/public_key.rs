//! `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7): what kind of key it is and the key itself.

use pki_types::alg_id;

use super::der;
use super::signature::SignatureScheme;

/// A kind of signature key, exactly as precise as signature schemes need it (RFC 9846 §4.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyAlgorithm {
    EcdsaP256,
    EcdsaP384,
    EcdsaP521,
    Ed25519,
    /// An RSA key for any use (rsaEncryption).
    Rsa,
    /// An RSA key for RSASSA-PSS alone, possibly with one hash function alone.
    RsaPss(PssHash),
}

/// The hash functions that an id-RSASSA-PSS key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PssHash {
    Any,
    Sha256,
    Sha384,
    Sha512,
}

impl KeyAlgorithm {
    /// Reads the content of an `AlgorithmIdentifier`; `None` for anything unknown.
    pub(super) fn from_identifier(content: &[u8]) -> Option<Self> {
        let fixed = [
            (alg_id::ECDSA_P256, Self::EcdsaP256),
            (alg_id::ECDSA_P384, Self::EcdsaP384),
            (alg_id::ECDSA_P521, Self::EcdsaP521),
            (alg_id::ED25519, Self::Ed25519),
            (alg_id::RSA_ENCRYPTION, Self::Rsa),
        ];
        let known = fixed
            .iter()
            .find(|(identifier, _)| identifier.as_ref() == content);
        if let Some((_, algorithm)) = known {
            return Some(*algorithm);
        }
        let (identifier, parameters) = der::element(content, der::OBJECT_IDENTIFIER)?;
        if identifier != ID_RSASSA_PSS {
            return None;
        }
        read_pss_parameters(parameters).map(Self::RsaPss)
    }

    /// The schemes that a key of this kind may sign the handshake with, most preferred first.
    /// RSASSA-PKCS1-v1_5 is for TLS 1.2 alone.
    pub(crate) const fn schemes(self) -> &'static [SignatureScheme] {
        use SignatureScheme as S;
        match self {
            Self::EcdsaP256 => &[S::ECDSA_SECP256R1_SHA256],
            Self::EcdsaP384 => &[S::ECDSA_SECP384R1_SHA384],
            Self::EcdsaP521 => &[S::ECDSA_SECP521R1_SHA512],
            Self::Ed25519 => &[S::ED25519],
            Self::Rsa => &[
                S::RSA_PSS_RSAE_SHA256,
                S::RSA_PSS_RSAE_SHA384,
                S::RSA_PSS_RSAE_SHA512,
                S::RSA_PKCS1_SHA256,
                S::RSA_PKCS1_SHA384,
                S::RSA_PKCS1_SHA512,
                S::RSA_PKCS1_SHA256_LEGACY,
                S::RSA_PKCS1_SHA384_LEGACY,
                S::RSA_PKCS1_SHA512_LEGACY,
            ],
            Self::RsaPss(PssHash::Any) => &[
                S::RSA_PSS_PSS_SHA256,
                S::RSA_PSS_PSS_SHA384,
                S::RSA_PSS_PSS_SHA512,
            ],
            Self::RsaPss(PssHash::Sha256) => &[S::RSA_PSS_PSS_SHA256],
            Self::RsaPss(PssHash::Sha384) => &[S::RSA_PSS_PSS_SHA384],
            Self::RsaPss(PssHash::Sha512) => &[S::RSA_PSS_PSS_SHA512],
        }
    }

    /// A name for messages, as `ECDSA P-256`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ECDSA P-256",
            Self::EcdsaP384 => "ECDSA P-384",
            Self::EcdsaP521 => "ECDSA P-521",
            Self::Ed25519 => "Ed25519",
            Self::Rsa => "RSA",
            Self::RsaPss(_) => "RSA-PSS",
        }
    }
}

/// A `SubjectPublicKeyInfo`, taken apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct PublicKey<'a> {
    pub(super) algorithm: KeyAlgorithm,
    /// The content of the BIT STRING: a point, 32 bytes of Ed25519, or an `RSAPublicKey`.
    pub(super) bits: &'a [u8],
}

impl<'a> PublicKey<'a> {
    /// Reads the DER of a `SubjectPublicKeyInfo`; `None` if it is malformed or of another kind.
    pub(super) fn read(spki: &'a [u8]) -> Option<Self> {
        let content = der::only(spki, der::SEQUENCE)?;
        let (identifier, rest) = der::element(content, der::SEQUENCE)?;
        let (unused_bits, bits) = der::only(rest, der::BIT_STRING)?.split_first()?;
        if *unused_bits != 0 {
            return None;
        }
        Some(Self {
            algorithm: KeyAlgorithm::from_identifier(identifier)?,
            bits,
        })
    }
}

impl PublicKey<'_> {
    /// Whether the bits have a form that this kind of key has. The library would also take a
    /// whole `SubjectPublicKeyInfo` in their place.
    pub(super) fn is_well_formed(&self) -> bool {
        let coordinate = match self.algorithm {
            KeyAlgorithm::EcdsaP256 => 32,
            KeyAlgorithm::EcdsaP384 => 48,
            KeyAlgorithm::EcdsaP521 => 66,
            KeyAlgorithm::Ed25519 => return self.bits.len() == 32,
            KeyAlgorithm::Rsa | KeyAlgorithm::RsaPss(_) => {
                return rsa_modulus_bits(self.bits).is_some();
            }
        };
        // SEC1 §2.3.3: an uncompressed or compressed point.
        match self.bits {
            [4, point @ ..] => point.len() == 2 * coordinate,
            [2 | 3, point @ ..] => point.len() == coordinate,
            _ => false,
        }
    }
}

/// The length in bits of the modulus of an `RSAPublicKey` (RFC 8017 §A.1.1).
pub(super) fn rsa_modulus_bits(key: &[u8]) -> Option<usize> {
    let (modulus, rest) = der::element(der::only(key, der::SEQUENCE)?, der::INTEGER)?;
    der::only(rest, der::INTEGER)?;
    integer_bits(modulus)
}

/// The length in bits of the content of a positive INTEGER.
pub(super) fn integer_bits(content: &[u8]) -> Option<usize> {
    let magnitude = match content {
        [0, rest @ ..] => rest,
        all => all,
    };
    let leading = usize::try_from(magnitude.first()?.leading_zeros()).ok()?;
    magnitude.len().checked_mul(8)?.checked_sub(leading)
}

/// 1.2.840.113549.1.1.10
const ID_RSASSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
/// 1.2.840.113549.1.1.8
const ID_MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08];
/// 2.16.840.1.101.3.4.2: the arc of the SHA-2 functions.
const SHA2_ARC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];

/// RSASSA-PSS-params (RFC 4055 §3.1). `None` for what TLS has no scheme for: SHA-1, MGF1 with
/// another hash function, a minimal salt longer than the digest.
fn read_pss_parameters(parameters: &[u8]) -> Option<PssHash> {
    if parameters.is_empty() {
        return Some(PssHash::Any);
    }
    let rest = der::only(parameters, der::SEQUENCE)?;
    let (tagged, rest) = der::element(rest, der::context(0))?;
    let hash = read_sha2(tagged)?;
    let (tagged, rest) = der::element(rest, der::context(1))?;
    let mask = der::only(tagged, der::SEQUENCE)?;
    let (identifier, mask_hash) = der::element(mask, der::OBJECT_IDENTIFIER)?;
    if identifier != ID_MGF1 || read_sha2(mask_hash)? != hash {
        return None;
    }
    // RFC 4055 §3.3: the salt must not be shorter than this. In TLS it is as long as the digest.
    let digest_len = match hash {
        PssHash::Any => return None,
        PssHash::Sha256 => 32,
        PssHash::Sha384 => 48,
        PssHash::Sha512 => 64,
    };
    let rest = match der::element(rest, der::context(2)) {
        Some((tagged, rest)) => match der::only(tagged, der::INTEGER)? {
            [salt] if *salt <= digest_len => rest,
            _ => return None,
        },
        None => rest,
    };
    // RFC 4055 §3.1: the trailer field has one value, and DER omits a default.
    rest.is_empty().then_some(hash)
}

/// An `AlgorithmIdentifier` of SHA-256, SHA-384 or SHA-512.
fn read_sha2(identifier: &[u8]) -> Option<PssHash> {
    let content = der::only(identifier, der::SEQUENCE)?;
    let (oid, parameters) = der::element(content, der::OBJECT_IDENTIFIER)?;
    // RFC 4055 §2.1: MUST accept the parameters absent as well as NULL.
    if !parameters.is_empty() && der::only(parameters, der::NULL) != Some(&[]) {
        return None;
    }
    match oid.strip_prefix(SHA2_ARC)? {
        [1] => Some(PssHash::Sha256),
        [2] => Some(PssHash::Sha384),
        [3] => Some(PssHash::Sha512),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use pki_types::alg_id;

    use super::{KeyAlgorithm, PssHash, PublicKey, rsa_modulus_bits};
    use crate::crypto::der;
    use crate::crypto::test_keys::{self, wrap};

    const SHA1: &[u8] = &[0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a];

    fn sha2(number: u8, parameters: &[u8]) -> Vec<u8> {
        let oid = [6, 9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, number];
        wrap(der::SEQUENCE, &[&oid, parameters])
    }

    fn pss(hash: &[u8], mask_hash: &[u8], rest: &[&[u8]]) -> Option<KeyAlgorithm> {
        let mgf1 = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08];
        let mask = wrap(der::SEQUENCE, &[&mgf1, mask_hash]);
        let parameters = wrap(
            der::SEQUENCE,
            &[&wrap(0xa0, &[hash]), &wrap(0xa1, &[&mask]), &rest.concat()],
        );
        let identifier = [test_keys::PSS_WITHOUT_PARAMETERS, &parameters].concat();
        KeyAlgorithm::from_identifier(&identifier)
    }

    #[test]
    fn every_kind_of_key_is_told_from_the_others() {
        for key in test_keys::all() {
            let public = PublicKey::read(&key.spki).unwrap();
            assert_eq!(public.algorithm, key.algorithm);
        }
    }

    #[test]
    fn what_cannot_sign_a_handshake_is_unknown() {
        let bits = [4; 65];
        let rsa = alg_id::RSA_ENCRYPTION.as_ref();
        for identifier in [
            alg_id::ECDSA_P256K1.as_ref(),
            alg_id::ED448.as_ref(),
            alg_id::RSA_PKCS1_SHA256.as_ref(),
            alg_id::ML_DSA_44.as_ref(),
            // RFC 8410 §3, RFC 3279 §2.3.1: parameters must be absent, or present.
            &[alg_id::ED25519.as_ref(), &[5, 0]].concat(),
            &rsa[..rsa.len() - 2],
            &[],
        ] {
            let spki = test_keys::spki(identifier, &bits);
            assert!(PublicKey::read(&spki).is_none(), "{identifier:02x?}");
        }
    }

    #[test]
    fn malformed_key_infos_are_refused() {
        let spki = &test_keys::key(KeyAlgorithm::EcdsaP256).spki;
        for len in 0..spki.len() {
            assert!(PublicKey::read(&spki[..len]).is_none());
        }
        assert!(PublicKey::read(&[spki, &[0][..]].concat()).is_none());
        // One unused bit in the BIT STRING.
        let mut unused_bit = spki.clone();
        let at = spki.len() - 66;
        assert_eq!(unused_bit[at], 0);
        unused_bit[at] = 1;
        assert!(PublicKey::read(&unused_bit).is_none());
    }

    #[test]
    fn pss_parameters_may_omit_null_and_salt() {
        let hashes = [
            (1, PssHash::Sha256),
            (2, PssHash::Sha384),
            (3, PssHash::Sha512),
        ];
        for (number, hash) in hashes {
            for (first, second) in [(&[5, 0][..], &[][..]), (&[], &[5, 0])] {
                let read = pss(&sha2(number, first), &sha2(number, second), &[]);
                assert_eq!(read, Some(KeyAlgorithm::RsaPss(hash)));
            }
        }
    }

    #[test]
    fn pss_parameters_that_tls_has_no_scheme_for_are_refused() {
        let [sha256, sha384] = [1, 2].map(|number| sha2(number, &[5, 0]));
        let salt = |bytes: &[u8]| wrap(0xa2, &[&wrap(der::INTEGER, &[bytes])]);
        assert!(pss(&sha256, &sha256, &[&salt(&[32])]).is_some());
        assert!(pss(&sha256, &sha256, &[&salt(&[20])]).is_some());
        assert_eq!(pss(&sha256, &sha256, &[&salt(&[33])]), None);
        assert_eq!(pss(&sha256, &sha256, &[&salt(&[0, 200])]), None);
        assert_eq!(pss(&sha256, &sha256, &[&salt(&[])]), None);
        assert_eq!(pss(&sha256, &sha384, &[]), None);
        assert_eq!(pss(&sha2(4, &[5, 0]), &sha2(4, &[5, 0]), &[]), None);
        assert_eq!(pss(&sha2(1, &[4, 0]), &sha256, &[]), None);
        let sha1 = wrap(der::SEQUENCE, &[SHA1, &[5, 0]]);
        assert_eq!(pss(&sha1, &sha1, &[]), None);
        let trailer = wrap(0xa3, &[&wrap(der::INTEGER, &[&[2]])]);
        assert_eq!(pss(&sha256, &sha256, &[&trailer]), None);
        // An empty SEQUENCE: everything has its default, SHA-1.
        let defaults = [test_keys::PSS_WITHOUT_PARAMETERS, &[0x30, 0]].concat();
        assert_eq!(KeyAlgorithm::from_identifier(&defaults), None);
    }

    #[test]
    fn the_size_of_a_modulus_is_counted_in_bits() {
        let key = |modulus: &[u8]| {
            let modulus = wrap(der::INTEGER, &[modulus]);
            wrap(der::SEQUENCE, &[&modulus, &[2, 3, 1, 0, 1]])
        };
        assert_eq!(rsa_modulus_bits(&key(&[0, 0x80, 0, 0, 1])), Some(32));
        assert_eq!(rsa_modulus_bits(&key(&[0x7f, 0, 0, 1])), Some(31));
        assert_eq!(rsa_modulus_bits(&key(&[1])), Some(1));
        assert_eq!(rsa_modulus_bits(&key(&[0])), None);
        assert_eq!(rsa_modulus_bits(&key(&[])), None);
        assert_eq!(rsa_modulus_bits(&[0x30, 0]), None);
    }
}
