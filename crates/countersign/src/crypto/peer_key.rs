//! The key of the peer's certificate, and its signatures over the handshake.

use core::fmt;

use aws_lc_rs::signature::{self, ParsedPublicKey, UnparsedPublicKey, VerificationAlgorithm};

use super::public_key::{KeyAlgorithm, PublicKey, rsa_modulus_bits};
use super::signature::SignatureScheme;
use crate::error::Result;
use crate::violation::Violation;

/// A public key that can verify a `CertificateVerify`.
pub(crate) struct PeerKey {
    algorithm: KeyAlgorithm,
    key: Key,
}

enum Key {
    /// ECDSA and Ed25519: one scheme fits in TLS 1.3, so the key is parsed once, for that.
    Parsed {
        key: ParsedPublicKey,
        bits: Box<[u8]>,
    },
    /// RSA: the scheme that the peer will choose decides how the library wants it.
    Rsa(Box<[u8]>),
}

impl PeerKey {
    /// Reads the DER of the `SubjectPublicKeyInfo` of the peer's certificate.
    ///
    /// Keys of a kind or size with which nothing can be signed here are refused: other curves,
    /// explicit curve parameters, DSA, RSA outside 2048 to 8192 bits.
    pub(crate) fn from_spki(spki: &[u8]) -> Result<Self> {
        let public = PublicKey::read(spki).ok_or(Violation::UnsupportedPublicKey)?;
        if !public.is_well_formed() {
            return Err(Violation::MalformedPublicKey.into());
        }
        let key = match public.algorithm {
            KeyAlgorithm::Rsa | KeyAlgorithm::RsaPss(_) => {
                let bits = rsa_modulus_bits(public.bits).ok_or(Violation::MalformedPublicKey)?;
                if !(2048..=8192).contains(&bits) {
                    return Err(Violation::UnsupportedPublicKey.into());
                }
                Key::Rsa(public.bits.into())
            }
            single => {
                let scheme = single.schemes().first();
                let verification = scheme
                    .and_then(|scheme| scheme.verification())
                    .ok_or(Violation::UnsupportedPublicKey)?;
                let key = ParsedPublicKey::new(verification, public.bits)
                    .map_err(|_| Violation::MalformedPublicKey)?;
                Key::Parsed {
                    key,
                    bits: public.bits.into(),
                }
            }
        };
        Ok(Self {
            algorithm: public.algorithm,
            key,
        })
    }

    /// Whether it is an RSA key, of either kind.
    pub(crate) fn is_rsa(&self) -> bool {
        matches!(self.key, Key::Rsa(_))
    }

    /// The kind of key.
    #[cfg(test)]
    pub(crate) fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }
}

impl fmt::Debug for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerKey")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// Verifies the signature of a TLS 1.3 handshake over `message`. The scheme must also be one that
/// was offered, which is the caller's to check.
pub(crate) fn verify(
    scheme: SignatureScheme,
    key: &PeerKey,
    message: &[u8],
    signature: &[u8],
) -> Result<()> {
    // RFC 9846 §4.3.3: rsa_pkcs1 and SHA-1 schemes refer solely to signatures which appear in
    // certificates and are not defined for use in signed TLS handshake messages.
    if scheme.is_for_certificates_only() {
        return Err(Violation::SignatureSchemeForCertificatesOnly.into());
    }
    // RFC 9846 §4.5.3: the algorithm MUST be compatible with the key in the certificate.
    if !key.algorithm.schemes().contains(&scheme) {
        return Err(Violation::SignatureKeyMismatch.into());
    }
    let verified = match (&key.key, scheme.verification()) {
        (Key::Parsed { key, .. }, _) => key.verify_sig(message, signature).is_ok(),
        (Key::Rsa(key), Some(algorithm)) => verify_unparsed(algorithm, key, message, signature),
        (Key::Rsa(_), None) => false,
    };
    accept(verified)
}

/// Verifies the signature of a TLS 1.2 handshake over `message`. The scheme must also be one that
/// was offered, which is the caller's to check.
///
/// Before TLS 1.3 the schemes of ECDSA name a hash function and no curve (RFC 5246 §7.4.1.4.1), and RSA may
/// sign with RSASSA-PKCS1-v1_5.
pub(crate) fn verify_tls12(
    scheme: SignatureScheme,
    key: &PeerKey,
    message: &[u8],
    signature: &[u8],
) -> Result<()> {
    if key.algorithm.schemes().contains(&scheme) && !scheme.is_for_certificates_only() {
        return verify(scheme, key, message, signature);
    }
    let (algorithm, bits) = match &key.key {
        Key::Rsa(bits) if key.algorithm.schemes().contains(&scheme) => {
            (scheme.verification(), bits)
        }
        Key::Rsa(bits) => (None, bits),
        Key::Parsed { bits, .. } => (ecdsa_of_any_curve(key.algorithm, scheme), bits),
    };
    // RFC 5246 §7.4.3: the algorithm MUST be compatible with the key in the certificate.
    let algorithm = algorithm.ok_or(Violation::SignatureKeyMismatch)?;
    accept(verify_unparsed(algorithm, bits, message, signature))
}

/// What verifies a scheme of ECDSA, taken as a hash function, with a key of this kind.
fn ecdsa_of_any_curve(
    key: KeyAlgorithm,
    scheme: SignatureScheme,
) -> Option<&'static dyn VerificationAlgorithm> {
    use SignatureScheme as S;
    Some(match (key, scheme) {
        (KeyAlgorithm::EcdsaP256, S::ECDSA_SECP384R1_SHA384) => &signature::ECDSA_P256_SHA384_ASN1,
        (KeyAlgorithm::EcdsaP256, S::ECDSA_SECP521R1_SHA512) => &signature::ECDSA_P256_SHA512_ASN1,
        (KeyAlgorithm::EcdsaP384, S::ECDSA_SECP256R1_SHA256) => &signature::ECDSA_P384_SHA256_ASN1,
        (KeyAlgorithm::EcdsaP384, S::ECDSA_SECP521R1_SHA512) => &signature::ECDSA_P384_SHA512_ASN1,
        (KeyAlgorithm::EcdsaP521, S::ECDSA_SECP256R1_SHA256) => &signature::ECDSA_P521_SHA256_ASN1,
        (KeyAlgorithm::EcdsaP521, S::ECDSA_SECP384R1_SHA384) => &signature::ECDSA_P521_SHA384_ASN1,
        _ => return None,
    })
}

fn verify_unparsed(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    let key = UnparsedPublicKey::new(algorithm, key);
    key.verify(message, signature).is_ok()
}

fn accept(verified: bool) -> Result<()> {
    if verified {
        Ok(())
    } else {
        Err(Violation::BadHandshakeSignature.into())
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::KeySize;
    use pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, alg_id};

    use super::{PeerKey, verify, verify_tls12};
    use crate::crypto::der;
    use crate::crypto::private_key::PrivateKey;
    use crate::crypto::public_key::KeyAlgorithm;
    use crate::crypto::signature::SignatureScheme;
    use crate::crypto::test_keys::{self, TestKey, wrap};
    use crate::error::{Error, Result};
    use crate::violation::Violation;

    const MESSAGE: &[u8] = b"what a CertificateVerify signs";

    fn violation(result: Result<impl Sized>) -> Violation {
        match result.err() {
            Some(Error::PeerViolated { violation, .. }) => violation,
            other => panic!("{other:?}"),
        }
    }

    fn pair(key: &TestKey) -> (PrivateKey, PeerKey) {
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(&key.pkcs8[..]));
        let private = PrivateKey::from_der(&private).unwrap();
        (private, PeerKey::from_spki(&key.spki).unwrap())
    }

    /// Verifies in the newest version that has the scheme.
    fn verify_anywhere(
        scheme: SignatureScheme,
        key: &PeerKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        if scheme.is_for_certificates_only() {
            verify_tls12(scheme, key, message, signature)
        } else {
            verify(scheme, key, message, signature)
        }
    }

    #[test]
    fn every_scheme_of_every_key_signs_and_verifies() {
        for key in test_keys::all() {
            let (private, public) = pair(key);
            assert_eq!(public.algorithm(), key.algorithm);
            assert!(!private.schemes().is_empty());
            for scheme in private.schemes() {
                let signature = private.sign(*scheme, MESSAGE).unwrap();
                verify_anywhere(*scheme, &public, MESSAGE, &signature).unwrap();
                verify_tls12(*scheme, &public, MESSAGE, &signature).unwrap();
            }
        }
    }

    #[test]
    fn damaged_signatures_and_messages_are_refused() {
        for key in test_keys::all() {
            let (private, public) = pair(key);
            for scheme in private.schemes() {
                let good = private.sign(*scheme, MESSAGE).unwrap();
                let mut flipped = good.clone();
                *flipped.last_mut().unwrap() ^= 1;
                let shorter = &good[..good.len() - 1];
                let longer = [&good[..], &[0]].concat();
                for bad in [&flipped[..], shorter, &longer, &[]] {
                    let refused = verify_anywhere(*scheme, &public, MESSAGE, bad);
                    assert_eq!(violation(refused), Violation::BadHandshakeSignature);
                }
                let refused = verify_anywhere(*scheme, &public, b"another message", &good);
                assert_eq!(violation(refused), Violation::BadHandshakeSignature);
            }
        }
    }

    #[test]
    fn schemes_that_do_not_fit_the_key_are_refused() {
        for key in test_keys::all() {
            let (private, public) = pair(key);
            let signature = private.sign(private.schemes()[0], MESSAGE).unwrap();
            let others = SignatureScheme::HANDSHAKE_DEFAULT
                .iter()
                .filter(|scheme| !scheme.is_for_certificates_only())
                .filter(|scheme| !private.schemes().contains(scheme));
            let mut refusals = 0;
            for scheme in others {
                let refused = verify(*scheme, &public, MESSAGE, &signature);
                assert_eq!(violation(refused), Violation::SignatureKeyMismatch);
                refusals += 1;
            }
            assert!(refusals >= 7, "{:?}", key.algorithm);
        }
        // GREASE, and a scheme that TLS 1.3 does not know.
        let (_, public) = pair(test_keys::key(KeyAlgorithm::EcdsaP256));
        for unknown in [0x0a0a, 0x0402] {
            let refused = verify(unknown.into(), &public, MESSAGE, &[]);
            assert_eq!(violation(refused), Violation::SignatureKeyMismatch);
        }
    }

    /// RFC 5246 §7.4.1.4.1: there a scheme of ECDSA is a hash function, and goes with every curve.
    #[test]
    fn in_tls_1_2_a_scheme_of_ecdsa_goes_with_every_curve_and_no_other_key() {
        let curves = [
            (KeyAlgorithm::EcdsaP256, 0x0503),
            (KeyAlgorithm::EcdsaP256, 0x0603),
            (KeyAlgorithm::EcdsaP384, 0x0403),
            (KeyAlgorithm::EcdsaP384, 0x0603),
            (KeyAlgorithm::EcdsaP521, 0x0403),
            (KeyAlgorithm::EcdsaP521, 0x0503),
        ];
        for (algorithm, scheme) in curves {
            let (private, public) = pair(test_keys::key(algorithm));
            let signature = private.sign(private.schemes()[0], MESSAGE).unwrap();
            // It is of another hash function, but is looked at.
            let refused = verify_tls12(scheme.into(), &public, MESSAGE, &signature);
            assert_eq!(violation(refused), Violation::BadHandshakeSignature);
        }
        for (algorithm, scheme) in [
            (KeyAlgorithm::EcdsaP256, 0x0401),
            (KeyAlgorithm::EcdsaP256, 0x0203),
            (KeyAlgorithm::Rsa, 0x0403),
            (KeyAlgorithm::Rsa, 0x0201),
            (KeyAlgorithm::Ed25519, 0x0403),
        ] {
            let (_, public) = pair(test_keys::key(algorithm));
            let refused = verify_tls12(scheme.into(), &public, MESSAGE, &[]);
            assert_eq!(violation(refused), Violation::SignatureKeyMismatch);
        }
    }

    #[test]
    fn schemes_for_certificates_are_refused_in_the_handshake() {
        for key in test_keys::all() {
            let (_, public) = pair(key);
            for scheme in [0x0401, 0x0501, 0x0601, 0x0201, 0x0203] {
                let refused = verify(scheme.into(), &public, MESSAGE, &[]);
                let expected = Violation::SignatureSchemeForCertificatesOnly;
                assert_eq!(violation(refused), expected);
            }
        }
    }

    #[test]
    fn a_signature_of_another_key_is_refused() {
        let (_, public) = pair(test_keys::key(KeyAlgorithm::Rsa));
        let other = test_keys::rsa_pkcs8(KeySize::Rsa2048);
        let other = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(other));
        let other = PrivateKey::from_der(&other).unwrap();
        let scheme = SignatureScheme::RSA_PSS_RSAE_SHA256;
        let signature = other.sign(scheme, MESSAGE).unwrap();
        let refused = verify(scheme, &public, MESSAGE, &signature);
        assert_eq!(violation(refused), Violation::BadHandshakeSignature);
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        let off_the_curve = test_keys::spki(&alg_id::ECDSA_P256, &[4; 65]);
        let short = test_keys::spki(&alg_id::ED25519, &[1; 31]);
        let not_rsa = test_keys::spki(&alg_id::RSA_ENCRYPTION, &[4; 270]);
        for spki in [off_the_curve, short, not_rsa] {
            assert_eq!(
                violation(PeerKey::from_spki(&spki)),
                Violation::MalformedPublicKey
            );
        }
        // The library would take a whole SubjectPublicKeyInfo for the key inside it.
        let nested = &test_keys::key(KeyAlgorithm::Ed25519).spki;
        let nested = test_keys::spki(&alg_id::ED25519, nested);
        assert_eq!(
            violation(PeerKey::from_spki(&nested)),
            Violation::MalformedPublicKey
        );
    }

    #[test]
    fn rsa_keys_must_have_2048_to_8192_bits() {
        let key = |bits: usize| {
            let mut modulus = vec![0xff; bits / 8 + 1];
            modulus[0] = 0;
            let modulus = wrap(der::INTEGER, &[&modulus]);
            let key = wrap(der::SEQUENCE, &[&modulus, &[2, 3, 1, 0, 1]]);
            PeerKey::from_spki(&test_keys::spki(&alg_id::RSA_ENCRYPTION, &key))
        };
        for bits in [512, 1024, 2040, 8200, 16384] {
            assert_eq!(violation(key(bits)), Violation::UnsupportedPublicKey);
        }
        for bits in [2048, 4096, 8192] {
            assert!(key(bits).is_ok());
        }
    }
}
