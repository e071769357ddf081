//! The key of the peer's certificate, and its signatures over the handshake.

use core::fmt;

use aws_lc_rs::signature::{ParsedPublicKey, UnparsedPublicKey};

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
    /// ECDSA and Ed25519: one scheme fits, so the key is parsed once.
    Parsed(ParsedPublicKey),
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
                Key::Parsed(key)
            }
        };
        Ok(Self {
            algorithm: public.algorithm,
            key,
        })
    }

    /// The kind of key.
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
        (Key::Parsed(key), _) => key.verify_sig(message, signature).is_ok(),
        (Key::Rsa(key), Some(algorithm)) => UnparsedPublicKey::new(algorithm, key)
            .verify(message, signature)
            .is_ok(),
        (Key::Rsa(_), None) => false,
    };
    if verified {
        Ok(())
    } else {
        Err(Violation::BadHandshakeSignature.into())
    }
}
