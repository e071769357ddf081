//! Keys and signatures against the security level (OpenSSL's `auth_level`).

use crate::certificate::Certificate;
use crate::public_key::{KeyAlgorithm, PublicKeyInfo};
use crate::reason::Reason;

/// Is the peer's own key strong enough?
pub(crate) fn leaf_key(leaf: &Certificate<'_>, required: u32) -> Result<(), Reason> {
    match too_weak(leaf.public_key(), required) {
        Some(bits) => Err(Reason::LeafKeyTooWeak { bits, required }),
        None => Ok(()),
    }
}

/// Is the key of a CA strong enough?
pub(crate) fn issuer_key(issuer: &Certificate<'_>, required: u32) -> Result<(), Reason> {
    match too_weak(issuer.public_key(), required) {
        Some(bits) => Err(Reason::IssuerKeyTooWeak { bits, required }),
        None => Ok(()),
    }
}

/// Is the signature's digest strong enough? Level 0 takes any.
pub(crate) fn signature(certificate: &Certificate<'_>, required: u32) -> Result<(), Reason> {
    let bits = certificate.signature_algorithm().security_bits();
    if bits < required {
        Err(Reason::SignatureTooWeak { bits, required })
    } else {
        Ok(())
    }
}

/// Can the key be read at all, to the degree that OpenSSL demands when it builds a chain?
pub(crate) fn is_readable(key: &PublicKeyInfo<'_>) -> bool {
    match key.algorithm() {
        KeyAlgorithm::EcExplicit => true,
        KeyAlgorithm::Unknown => false,
        _ => key.bits().is_some(),
    }
}

/// RFC 5480 §2.1.1: specifiedCurve MUST NOT be used in PKIX.
pub(crate) fn curve(certificate: &Certificate<'_>) -> Result<(), Reason> {
    let key = certificate.public_key();
    if matches!(key.algorithm(), KeyAlgorithm::EcExplicit) {
        return Err(Reason::ExplicitCurve);
    }
    if is_readable(key) {
        Ok(())
    } else {
        Err(Reason::KeyUnreadable)
    }
}

fn too_weak(key: &PublicKeyInfo<'_>, required: u32) -> Option<u32> {
    let bits = key.security_bits();
    (bits < required).then_some(bits)
}
