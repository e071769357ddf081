//! Is the signature on a certificate or CRL right? (RFC 5280 §6.1.3 (a)(1))
//!
//! The only place in this crate that names the cryptographic library.

use core::fmt;
use std::sync::OnceLock;

use aws_lc_rs::digest;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{self, ParsedPublicKey, RsaParameters, RsaPssSaltLength};

use crate::algorithm::{Digest, PssParameters, SignatureAlgorithm};
use crate::certificate::{Certificate, Signed};
use crate::crl::CertificateList;
use crate::public_key::{EcCurve, KeyAlgorithm, PublicKeyInfo};

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureFault {
    /// The algorithms inside and outside the signed part differ (RFC 5280 §4.1.1.2).
    AlgorithmsDiffer,
    /// The signature algorithm is not known.
    UnknownAlgorithm,
    /// The signature algorithm is known, but this library does not verify it, or not with
    /// a key of this size or on this curve.
    UnsupportedAlgorithm,
    /// A key of this kind cannot have made a signature of this algorithm.
    AlgorithmDoesNotFitKey,
    /// The issuer's public key is not well-formed.
    UnreadableKey,
    /// The signature was not made over this content with this key.
    Wrong,
}

impl SignatureFault {
    /// The fault as a clause without a full stop, to be used in a sentence.
    pub const fn clause(self) -> &'static str {
        match self {
            Self::AlgorithmsDiffer => "it names two different signature algorithms",
            Self::UnknownAlgorithm => "its signature algorithm is unknown",
            Self::UnsupportedAlgorithm => {
                "signatures of its algorithm are not supported with the issuer's key"
            }
            Self::AlgorithmDoesNotFitKey => {
                "its signature algorithm does not fit the kind of the issuer's key"
            }
            Self::UnreadableKey => "the issuer's public key cannot be read",
            Self::Wrong => "its signature was not made with the issuer's key",
        }
    }
}

impl fmt::Display for SignatureFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.clause())
    }
}

impl core::error::Error for SignatureFault {}

/// Verifies the signature on a certificate under the key of its issuer, as `X509_verify`.
///
/// ```
/// use countersign_x509::{Certificate, SignatureFault, verify_certificate_signature};
/// # let params = rcgen::CertificateParams::new(["db.example".to_owned()])?;
/// # let made = params.self_signed(&rcgen::KeyPair::generate()?)?;
/// # let mut der = made.der().to_vec();
/// let root = Certificate::parse(&der)?;
/// assert_eq!(verify_certificate_signature(&root, root.public_key()), Ok(()));
///
/// # let mut der = der.clone();
/// # *der.last_mut().unwrap() ^= 1;
/// # let forged = Certificate::parse(&der)?;
/// assert_eq!(
///     verify_certificate_signature(&forged, root.public_key()),
///     Err(SignatureFault::Wrong),
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn verify_certificate_signature(
    certificate: &Certificate<'_>,
    issuer_key: &PublicKeyInfo<'_>,
) -> Result<(), SignatureFault> {
    // RFC 5280 §4.1.1.2: MUST contain the same algorithm identifier.
    if !certificate.signature_algorithms_agree() {
        return Err(SignatureFault::AlgorithmsDiffer);
    }
    verify_signature(certificate.signed(), issuer_key)
}

/// Verifies the signature on a CRL under the key of its issuer, as `X509_CRL_verify`.
pub fn verify_crl_signature(
    list: &CertificateList<'_>,
    issuer_key: &PublicKeyInfo<'_>,
) -> Result<(), SignatureFault> {
    // RFC 5280 §5.1.1.2: MUST contain the same algorithm identifier.
    if !list.signature_algorithms_agree() {
        return Err(SignatureFault::AlgorithmsDiffer);
    }
    verify_signature(list.signed(), issuer_key)
}

/// Verifies a signature by the algorithm that stands beside it.
///
/// Supported are ECDSA on P-256, P-384 and P-521 with SHA-1 and all of SHA-2, on secp256k1
/// with SHA-256; RSA of 2048 to 8192 bits with SHA-1 (PKCS #1 v1.5 only), SHA-256, SHA-384 and
/// SHA-512; RSA from 1024 bits with PKCS #1 v1.5 and SHA-1, SHA-256 or SHA-512; Ed25519;
/// ML-DSA. Whether an algorithm or a key is strong enough is for the security level to say, not
/// for this function.
pub fn verify_signature(
    signed: &Signed<'_>,
    issuer_key: &PublicKeyInfo<'_>,
) -> Result<(), SignatureFault> {
    let algorithm = signed.algorithm.signature_algorithm();
    if let SignatureAlgorithm::Unknown = algorithm {
        return Err(SignatureFault::UnknownAlgorithm);
    }
    if !issuer_key.can_make(&algorithm) {
        return Err(SignatureFault::AlgorithmDoesNotFitKey);
    }
    match algorithm {
        SignatureAlgorithm::Ecdsa(digest) => verify_ecdsa(digest, signed, issuer_key),
        SignatureAlgorithm::RsaPkcs1(digest) => verify_rsa(digest, signed, issuer_key, |bits| {
            pkcs1_parameters(digest, bits)
        }),
        SignatureAlgorithm::RsaPss(parameters) => {
            verify_rsa(parameters.digest, signed, issuer_key, |bits| {
                pss_parameters(parameters, bits)
            })
        }
        SignatureAlgorithm::Ed25519 => verify_raw(&signature::ED25519, signed, issuer_key),
        SignatureAlgorithm::MlDsa44 => verify_raw(&signature::ML_DSA_44, signed, issuer_key),
        SignatureAlgorithm::MlDsa65 => verify_raw(&signature::ML_DSA_65, signed, issuer_key),
        SignatureAlgorithm::MlDsa87 => verify_raw(&signature::ML_DSA_87, signed, issuer_key),
        _ => Err(SignatureFault::UnsupportedAlgorithm),
    }
}

/// The public key of a stored certificate, made ready when it has verified its first signature.
///
/// Reading a key takes a noticeable part of the time that verifying with it takes, and an anchor's is used again and
/// again.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadyKey(OnceLock<Ready>);

#[derive(Clone, Debug)]
struct Ready {
    /// The only algorithm it is ready for.
    algorithm: SignatureAlgorithm,
    digest: &'static digest::Algorithm,
    key: ParsedPublicKey,
}

impl ReadyKey {
    /// [`verify_certificate_signature`] with the key of a stored certificate, whose `issuer_key` must be
    /// the same every time.
    pub(crate) fn verify(
        &self,
        certificate: &Certificate<'_>,
        issuer_key: &PublicKeyInfo<'_>,
    ) -> Result<(), SignatureFault> {
        let signed = certificate.signed();
        let algorithm = signed.algorithm.signature_algorithm();
        if let Some(ready) = self.0.get()
            && ready.algorithm == algorithm
            && certificate.signature_algorithms_agree()
        {
            // That the algorithm is supported and fits the key has been seen before.
            let digest = digest::digest(ready.digest, signed.message);
            let verified = ready.key.verify_digest_sig(&digest, signed.signature);
            return verified.map_err(|_| SignatureFault::Wrong);
        }
        verify_certificate_signature(certificate, issuer_key)?;
        if self.0.get().is_none()
            && let Some(ready) = Ready::new(algorithm, issuer_key)
        {
            // Another thread may have been faster, with the same.
            let _ = self.0.set(ready);
        }
        Ok(())
    }
}

impl Ready {
    /// For the usual algorithms, after the key has verified a signature of this one.
    fn new(algorithm: SignatureAlgorithm, key: &PublicKeyInfo<'_>) -> Option<Self> {
        let (algorithm, verification, digest) = match (algorithm, key.algorithm()) {
            (SignatureAlgorithm::Ecdsa(digest), KeyAlgorithm::Ec(curve)) => {
                let verification = ecdsa_algorithm(curve, digest)?;
                (SignatureAlgorithm::Ecdsa(digest), verification, digest)
            }
            (SignatureAlgorithm::RsaPkcs1(digest), _) => {
                let verification: Algorithm = pkcs1_parameters(digest, key.bits()?)?;
                (SignatureAlgorithm::RsaPkcs1(digest), verification, digest)
            }
            _ => return None,
        };
        Some(Self {
            algorithm,
            digest: digest_algorithm(digest)?,
            key: ParsedPublicKey::new(verification, key.key_bytes()).ok()?,
        })
    }
}

/// The digest of a message; `None` for one that is never used.
pub(crate) fn hash(algorithm: Digest, message: &[u8]) -> Option<digest::Digest> {
    Some(digest::digest(digest_algorithm(algorithm)?, message))
}

fn digest_algorithm(algorithm: Digest) -> Option<&'static digest::Algorithm> {
    Some(match algorithm {
        Digest::Md5 => return None,
        Digest::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Digest::Sha224 => &digest::SHA224,
        Digest::Sha256 => &digest::SHA256,
        Digest::Sha384 => &digest::SHA384,
        Digest::Sha512 => &digest::SHA512,
    })
}

/// SHA-256 over several strings of octets, one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; digest::SHA256_OUTPUT_LEN] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let digest = context.finish();
    // Both have 32 octets, so nothing is left out.
    let mut octets = [0; digest::SHA256_OUTPUT_LEN];
    for (to, from) in octets.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    octets
}

type Algorithm = &'static dyn signature::VerificationAlgorithm;

/// The key is the content of the BIT STRING.
fn verify_raw(
    algorithm: Algorithm,
    signed: &Signed<'_>,
    key: &PublicKeyInfo<'_>,
) -> Result<(), SignatureFault> {
    read_key(algorithm, key)?
        .verify_sig(signed.message, signed.signature)
        .map_err(|_| SignatureFault::Wrong)
}

fn read_key(
    algorithm: Algorithm,
    key: &PublicKeyInfo<'_>,
) -> Result<ParsedPublicKey, SignatureFault> {
    // The library looks for the whole structure first, and for the key alone when it finds none.
    ParsedPublicKey::new(algorithm, key.der())
        .or_else(|_| ParsedPublicKey::new(algorithm, key.key_bytes()))
        .map_err(|_| SignatureFault::UnreadableKey)
}

fn verify_ecdsa(
    digest: Digest,
    signed: &Signed<'_>,
    key: &PublicKeyInfo<'_>,
) -> Result<(), SignatureFault> {
    let KeyAlgorithm::Ec(curve) = key.algorithm() else {
        return Err(SignatureFault::UnsupportedAlgorithm);
    };
    let (algorithm, digest) = if let Some(algorithm) = ecdsa_algorithm(curve, digest) {
        (algorithm, hash(digest, signed.message))
    } else {
        let algorithm: Algorithm = match (curve, digest) {
            (EcCurve::P256, Digest::Sha224) => &signature::ECDSA_P256_SHA256_ASN1,
            (EcCurve::P384, Digest::Sha1 | Digest::Sha224) => &signature::ECDSA_P384_SHA256_ASN1,
            _ => return Err(SignatureFault::UnsupportedAlgorithm),
        };
        (algorithm, hash_as_sha256(digest, signed.message))
    };
    let digest = digest.ok_or(SignatureFault::UnsupportedAlgorithm)?;
    // Hashing first takes the library less time than when it does both.
    read_key(algorithm, key)?
        .verify_digest_sig(&digest, signed.signature)
        .map_err(|_| SignatureFault::Wrong)
}

/// Those that the library has.
fn ecdsa_algorithm(curve: EcCurve, digest: Digest) -> Option<Algorithm> {
    Some(match (curve, digest) {
        (EcCurve::P256, Digest::Sha1) => &signature::ECDSA_P256_SHA1_ASN1,
        (EcCurve::P256, Digest::Sha256) => &signature::ECDSA_P256_SHA256_ASN1,
        (EcCurve::P256, Digest::Sha384) => &signature::ECDSA_P256_SHA384_ASN1,
        (EcCurve::P256, Digest::Sha512) => &signature::ECDSA_P256_SHA512_ASN1,
        (EcCurve::P384, Digest::Sha256) => &signature::ECDSA_P384_SHA256_ASN1,
        (EcCurve::P384, Digest::Sha384) => &signature::ECDSA_P384_SHA384_ASN1,
        (EcCurve::P384, Digest::Sha512) => &signature::ECDSA_P384_SHA512_ASN1,
        (EcCurve::P521, Digest::Sha1) => &signature::ECDSA_P521_SHA1_ASN1,
        (EcCurve::P521, Digest::Sha224) => &signature::ECDSA_P521_SHA224_ASN1,
        (EcCurve::P521, Digest::Sha256) => &signature::ECDSA_P521_SHA256_ASN1,
        (EcCurve::P521, Digest::Sha384) => &signature::ECDSA_P521_SHA384_ASN1,
        (EcCurve::P521, Digest::Sha512) => &signature::ECDSA_P521_SHA512_ASN1,
        (EcCurve::Secp256k1, Digest::Sha256) => &signature::ECDSA_P256K1_SHA256_ASN1,
        _ => return None,
    })
}

/// For digests the library has no ECDSA algorithm with. ECDSA takes a digest no longer than
/// the group order as a number (FIPS 186-5 §6.4.2), so leading zeros do not matter: a short
/// digest can be given in the place of a SHA-256.
fn hash_as_sha256(algorithm: Digest, message: &[u8]) -> Option<digest::Digest> {
    let short = hash(algorithm, message)?;
    let mut padded = [0; digest::SHA256_OUTPUT_LEN];
    for (to, from) in padded.iter_mut().rev().zip(short.as_ref().iter().rev()) {
        *to = *from;
    }
    digest::Digest::import_less_safe(&padded, &digest::SHA256).ok()
}

fn verify_rsa(
    digest: Digest,
    signed: &Signed<'_>,
    key: &PublicKeyInfo<'_>,
    parameters_for: impl Fn(u32) -> Option<&'static RsaParameters>,
) -> Result<(), SignatureFault> {
    let (Some((n, e)), Some(bits)) = (key.rsa_components(), key.bits()) else {
        return Err(SignatureFault::UnreadableKey);
    };
    let parameters = parameters_for(bits).ok_or(SignatureFault::UnsupportedAlgorithm)?;
    let sizes = parameters.min_modulus_len()..=parameters.max_modulus_len();
    if !sizes.contains(&bits) {
        return Err(SignatureFault::UnsupportedAlgorithm);
    }
    let Ok(key) = ParsedPublicKey::new(parameters, key.key_bytes()) else {
        // As numbers the key takes longer to get ready, but may have been written down less strictly.
        return PublicKeyComponents { n, e }
            .verify(parameters, signed.message, signed.signature)
            .map_err(|_| SignatureFault::UnreadableKey);
    };
    let digest = hash(digest, signed.message).ok_or(SignatureFault::UnsupportedAlgorithm)?;
    key.verify_digest_sig(&digest, signed.signature)
        .map_err(|_| SignatureFault::Wrong)
}

fn pkcs1_parameters(digest: Digest, bits: u32) -> Option<&'static RsaParameters> {
    Some(match digest {
        Digest::Sha1 => &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        Digest::Sha256 if bits < 2048 => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        Digest::Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Digest::Sha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Digest::Sha512 if bits < 2048 => &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        Digest::Sha512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Digest::Md5 | Digest::Sha224 => return None,
    })
}

macro_rules! with_salt {
    ($parameters:expr, $salt:expr) => {
        &const { $parameters.with_pss_salt_length($salt) }
    };
}

/// The library fixes the salt length at compile time: that of the digest, the longest one the
/// key has room for (OpenSSL's default until 3.1), and the default of RFC 4055 are offered.
fn pss_parameters(wanted: PssParameters, bits: u32) -> Option<&'static RsaParameters> {
    use signature::{RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512};
    // RFC 4055 §3.1: it is RECOMMENDED to use the same hash; no one does otherwise.
    if wanted.mask_digest != wanted.digest {
        return None;
    }
    let length = wanted.digest.output_length();
    let longest = bits
        .checked_add(6)?
        .checked_div(8)?
        .checked_sub(length)?
        .checked_sub(2)?;
    let salt = if wanted.salt_length == length {
        Salt::Digest
    } else if wanted.salt_length == longest {
        Salt::Longest
    } else if wanted.salt_length == 20 {
        Salt::Twenty
    } else {
        return None;
    };
    Some(match (wanted.digest, salt) {
        (Digest::Sha256, Salt::Digest) => &RSA_PSS_2048_8192_SHA256,
        (Digest::Sha256, Salt::Longest) => {
            with_salt!(RSA_PSS_2048_8192_SHA256, RsaPssSaltLength::Max)
        }
        (Digest::Sha256, Salt::Twenty) => {
            with_salt!(RSA_PSS_2048_8192_SHA256, RsaPssSaltLength::Custom(20))
        }
        (Digest::Sha384, Salt::Digest) => &RSA_PSS_2048_8192_SHA384,
        (Digest::Sha384, Salt::Longest) => {
            with_salt!(RSA_PSS_2048_8192_SHA384, RsaPssSaltLength::Max)
        }
        (Digest::Sha384, Salt::Twenty) => {
            with_salt!(RSA_PSS_2048_8192_SHA384, RsaPssSaltLength::Custom(20))
        }
        (Digest::Sha512, Salt::Digest) => &RSA_PSS_2048_8192_SHA512,
        (Digest::Sha512, Salt::Longest) => {
            with_salt!(RSA_PSS_2048_8192_SHA512, RsaPssSaltLength::Max)
        }
        (Digest::Sha512, Salt::Twenty) => {
            with_salt!(RSA_PSS_2048_8192_SHA512, RsaPssSaltLength::Custom(20))
        }
        _ => return None,
    })
}

/// The salt lengths that are supported.
enum Salt {
    Digest,
    Longest,
    Twenty,
}

#[cfg(test)]
mod tests {
    use super::*;
    use pki_types::CertificateDer;
    use pki_types::pem::PemObject;

    const SELF_SIGNED: &str = include_str!("../../tests/data/self-signed.pem");

    fn self_signed() -> impl Iterator<Item = CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(SELF_SIGNED.as_bytes()).map(Result::unwrap)
    }

    fn named(name: &str) -> CertificateDer<'static> {
        self_signed()
            .find(|der| {
                Certificate::parse(der)
                    .unwrap()
                    .subject()
                    .common_name()
                    .as_deref()
                    == Some(name)
            })
            .unwrap()
    }

    #[test]
    fn every_supported_algorithm_verifies_and_no_other() {
        let expected: Vec<_> = SELF_SIGNED
            .lines()
            .filter_map(|line| line.split_once(": "))
            .collect();
        assert_eq!(expected.len(), 44);
        for (der, (support, name)) in self_signed().zip(expected) {
            let certificate = Certificate::parse(&der).unwrap();
            assert_eq!(certificate.subject().common_name().as_deref(), Some(name));
            let verdict = verify_certificate_signature(&certificate, certificate.public_key());
            let wanted = match support {
                "verifiable" => Ok(()),
                _ => Err(SignatureFault::UnsupportedAlgorithm),
            };
            assert_eq!(verdict, wanted, "{name}");
        }
    }

    #[test]
    fn a_ready_key_judges_as_any_other() {
        let all: Vec<_> = self_signed().collect();
        let mut made_ready = 0;
        for der in &all {
            let own = Certificate::parse(der).unwrap();
            let key = own.public_key();
            let ready = ReadyKey::default();
            let verdict = verify_certificate_signature(&own, key);
            assert_eq!(ready.verify(&own, key), verdict);
            made_ready += usize::from(ready.0.get().is_some());
            assert_eq!(ready.verify(&own, key), verdict);
            let mut changed = der.to_vec();
            *changed.last_mut().unwrap() ^= 1;
            let changed = Certificate::parse(&changed).unwrap();
            assert_eq!(
                ready.verify(&changed, key),
                verify_certificate_signature(&changed, key)
            );
            // Signatures of other keys, and of algorithms that it is not ready for.
            for other in &all {
                let other = Certificate::parse(other).unwrap();
                assert_eq!(
                    ready.verify(&other, key),
                    verify_certificate_signature(&other, key)
                );
            }
        }
        assert!(made_ready > 5, "{made_ready}");
    }

    #[test]
    fn a_changed_message_or_signature_is_wrong() {
        for der in self_signed() {
            let certificate = Certificate::parse(&der).unwrap();
            let key = certificate.public_key();
            let signed = certificate.signed();
            if verify_signature(signed, key).is_err() {
                continue;
            }
            let mut message = signed.message.to_vec();
            message[20] ^= 1;
            let changed = Signed {
                message: &message,
                ..*signed
            };
            assert_eq!(verify_signature(&changed, key), Err(SignatureFault::Wrong));
            let mut signature = signed.signature.to_vec();
            *signature.last_mut().unwrap() ^= 1;
            for signature in [&signature[..], &signature[1..], &[]] {
                let changed = Signed {
                    signature,
                    ..*signed
                };
                assert_eq!(verify_signature(&changed, key), Err(SignatureFault::Wrong));
            }
        }
    }

    #[test]
    fn the_algorithm_must_fit_the_key() {
        let (ec, rsa) = (named("ECDSA P-256 sha256"), named("RSA-2048 PKCS1 sha256"));
        let pss = named("RSASSA-PSS key sha256 salt digest");
        let [ec, rsa, pss] = [&ec, &rsa, &pss].map(|der| Certificate::parse(der).unwrap());
        for (certificate, key, fault) in [
            (&ec, &rsa, SignatureFault::AlgorithmDoesNotFitKey),
            (&rsa, &ec, SignatureFault::AlgorithmDoesNotFitKey),
            (&rsa, &pss, SignatureFault::AlgorithmDoesNotFitKey),
            (&pss, &rsa, SignatureFault::Wrong),
        ] {
            assert_eq!(
                verify_signature(certificate.signed(), key.public_key()),
                Err(fault)
            );
        }
    }

    #[test]
    fn an_unreadable_key_is_told_from_a_wrong_signature() {
        for name in ["ECDSA P-256 sha256", "ECDSA P-384 sha1", "Ed25519"] {
            let der = named(name);
            let certificate = Certificate::parse(&der).unwrap();
            let mut info = certificate.public_key().der().to_vec();
            // Not a point of the curve any more; for Ed25519, too short a key.
            if name == "Ed25519" {
                info.truncate(info.len() - 1);
                info[1] -= 1;
                info[10] -= 1;
            } else {
                *info.last_mut().unwrap() ^= 1;
            }
            let key = PublicKeyInfo::from_der(&info).unwrap();
            let verdict = verify_signature(certificate.signed(), &key);
            assert_eq!(verdict, Err(SignatureFault::UnreadableKey), "{name}");
        }
    }

    #[test]
    fn an_rsa_key_with_an_impossible_exponent_is_unreadable() {
        let der = named("RSA-2048 PKCS1 sha256");
        let certificate = Certificate::parse(&der).unwrap();
        for exponent in [[0, 0x80, 0], [1, 0, 0]] {
            let mut info = certificate.public_key().der().to_vec();
            let at = info.len() - 3;
            assert_eq!(info[at..], [1, 0, 1]);
            info[at..].copy_from_slice(&exponent);
            let key = PublicKeyInfo::from_der(&info).unwrap();
            let verdict = verify_signature(certificate.signed(), &key);
            assert_eq!(verdict, Err(SignatureFault::UnreadableKey), "{exponent:?}");
        }
    }

    #[test]
    fn the_two_algorithm_fields_must_agree() {
        let der = named("ECDSA P-256 sha256");
        let mut changed = der.to_vec();
        let oid = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
        let inner = changed.windows(8).position(|window| window == oid).unwrap();
        changed[inner + 7] = 0x03;
        let certificate = Certificate::parse(&changed).unwrap();
        assert_eq!(
            verify_certificate_signature(&certificate, certificate.public_key()),
            Err(SignatureFault::AlgorithmsDiffer),
        );
    }
}
