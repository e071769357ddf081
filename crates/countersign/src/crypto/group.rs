//! Key exchange: what goes into `key_share` extensions and what both sides get out of them
//! (RFC 9846 §4.3.8).

use core::fmt;

use aws_lc_rs::{agreement, kem};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::violation::Violation;

const X25519_LEN: usize = 32;
const ENCAPSULATION_KEY_LEN: usize = 1184;
const CIPHERTEXT_LEN: usize = 1088;

/// A named group of key exchange (RFC 9846 §4.3.7).
///
/// ```
/// use countersign::NamedGroup;
/// assert_eq!(NamedGroup::from_u16(0x001d), Some(NamedGroup::X25519));
/// assert_eq!(NamedGroup::X25519MlKem768.name(), "X25519MLKEM768");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NamedGroup {
    /// X25519 and ML-KEM-768 together: safe as long as one of the two is, also against quantum
    /// computers.
    X25519MlKem768,
    /// X25519 (RFC 7748).
    X25519,
    /// NIST P-256.
    Secp256r1,
    /// NIST P-384.
    Secp384r1,
}

impl NamedGroup {
    /// Every group, most preferred first.
    pub const ALL: &'static [Self] = &[
        Self::X25519MlKem768,
        Self::X25519,
        Self::Secp256r1,
        Self::Secp384r1,
    ];

    /// The group of that number on the wire, if it is one of ours.
    pub const fn from_u16(code: u16) -> Option<Self> {
        match code {
            0x11ec => Some(Self::X25519MlKem768),
            0x001d => Some(Self::X25519),
            0x0017 => Some(Self::Secp256r1),
            0x0018 => Some(Self::Secp384r1),
            _ => None,
        }
    }

    /// The number on the wire.
    pub const fn to_u16(self) -> u16 {
        match self {
            Self::X25519MlKem768 => 0x11ec,
            Self::X25519 => 0x001d,
            Self::Secp256r1 => 0x0017,
            Self::Secp384r1 => 0x0018,
        }
    }

    /// The name in the IANA registry, as `x25519`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X25519MlKem768 => "X25519MLKEM768",
            Self::X25519 => "x25519",
            Self::Secp256r1 => "secp256r1",
            Self::Secp384r1 => "secp384r1",
        }
    }
}

impl fmt::Display for NamedGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What both sides know after a key exchange. Erased when dropped.
pub(crate) struct SharedSecret {
    bytes: Zeroizing<Vec<u8>>,
}

impl SharedSecret {
    fn joined(parts: &[&[u8]]) -> Self {
        // `concat` allocates once, so that no outgrown copy stays behind.
        Self {
            bytes: Zeroizing::new(parts.concat()),
        }
    }

    #[cfg(test)]
    pub(crate) fn from_slice(bytes: &[u8]) -> Self {
        Self::joined(&[bytes])
    }
}

impl AsRef<[u8]> for SharedSecret {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSecret").finish_non_exhaustive()
    }
}

/// The client's side of a key exchange: one private value that waits for the server's share.
pub(crate) struct KeyShare {
    group: NamedGroup,
    private: PrivateShare,
    public: Vec<u8>,
}

enum PrivateShare {
    Curve(agreement::PrivateKey),
    Hybrid {
        kem: kem::DecapsulationKey,
        curve: agreement::PrivateKey,
    },
}

impl KeyShare {
    /// Makes a fresh private value.
    pub(crate) fn generate(group: NamedGroup) -> Result<Self> {
        let curve = agreement::PrivateKey::generate(curve_of(group)).map_err(|_| NO_KEY)?;
        Self::new(group, curve)
    }

    fn new(group: NamedGroup, curve: agreement::PrivateKey) -> Result<Self> {
        let point = curve.compute_public_key().map_err(|_| NO_KEY)?;
        if group != NamedGroup::X25519MlKem768 {
            return Ok(Self {
                group,
                private: PrivateShare::Curve(curve),
                public: point.as_ref().to_vec(),
            });
        }
        let kem = kem::DecapsulationKey::generate(&kem::ML_KEM_768).map_err(|_| NO_KEY)?;
        let encapsulation = kem.encapsulation_key().map_err(|_| NO_KEY)?;
        let encapsulation = encapsulation.key_bytes().map_err(|_| NO_KEY)?;
        Ok(Self {
            group,
            private: PrivateShare::Hybrid { kem, curve },
            // draft-ietf-tls-ecdhe-mlkem §4.1: the ML-KEM key comes first.
            public: [encapsulation.as_ref(), point.as_ref()].concat(),
        })
    }

    /// A share with a known private value of a curve.
    #[cfg(test)]
    pub(crate) fn from_private(group: NamedGroup, private: &[u8]) -> Self {
        let curve = agreement::PrivateKey::from_private_key(curve_of(group), private).unwrap();
        Self::new(group, curve).unwrap()
    }

    /// The group whose share `public` is.
    pub(crate) fn group(&self) -> NamedGroup {
        self.group
    }

    /// The content of `key_exchange` in the `key_share` extension.
    pub(crate) fn public(&self) -> &[u8] {
        &self.public
    }

    /// A second share that costs nothing: the X25519 half of X25519MLKEM768 may be offered on its
    /// own as well (draft-ietf-tls-hybrid-design §3.2).
    pub(crate) fn second(&self) -> Option<(NamedGroup, &[u8])> {
        let half = match self.private {
            PrivateShare::Hybrid { .. } => self.public.get(ENCAPSULATION_KEY_LEN..)?,
            PrivateShare::Curve(_) => return None,
        };
        Some((NamedGroup::X25519, half))
    }

    /// Computes the secret from the server's share of the group of `public`.
    pub(crate) fn agree(self, peer_share: &[u8]) -> Result<SharedSecret> {
        let group = self.group;
        self.agree_on(group, peer_share)
    }

    /// Computes the secret from the server's share of `group`: the group of `public` or that of
    /// `second`, of which the server chose one. Any other group was not offered.
    pub(crate) fn agree_on(self, group: NamedGroup, peer_share: &[u8]) -> Result<SharedSecret> {
        if group != self.group && self.second().is_none_or(|(second, _)| group != second) {
            return Err(Violation::ServerShareNotOffered.into());
        }
        match self.private {
            PrivateShare::Hybrid { kem, curve } if group == self.group => {
                let (ciphertext, point) = split_share(peer_share, CIPHERTEXT_LEN)?;
                let first = kem.decapsulate(ciphertext.into()).map_err(|_| BAD_SHARE)?;
                agree_on_curve(group, &curve, point, |second| {
                    SharedSecret::joined(&[first.as_ref(), second])
                })
            }
            PrivateShare::Hybrid { curve, .. } | PrivateShare::Curve(curve) => {
                agree_on_curve(group, &curve, peer_share, |secret| {
                    SharedSecret::joined(&[secret])
                })
            }
        }
    }
}

impl fmt::Debug for KeyShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyShare")
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

/// The server's side of a key exchange: its share and the secret, from the client's share.
pub(crate) fn respond(group: NamedGroup, peer_share: &[u8]) -> Result<(Vec<u8>, SharedSecret)> {
    if group == NamedGroup::X25519MlKem768 {
        return respond_hybrid(peer_share);
    }
    let ours = KeyShare::generate(group)?;
    let share = ours.public().to_vec();
    Ok((share, ours.agree(peer_share)?))
}

fn respond_hybrid(peer_share: &[u8]) -> Result<(Vec<u8>, SharedSecret)> {
    let (encapsulation, point) = split_share(peer_share, ENCAPSULATION_KEY_LEN)?;
    let encapsulation =
        kem::EncapsulationKey::new(&kem::ML_KEM_768, encapsulation).map_err(|_| BAD_SHARE)?;
    // draft-ietf-tls-ecdhe-mlkem §4.2: the server MUST perform the encapsulation key check of
    // FIPS 203 §7.2 and abort with illegal_parameter if it fails. Encapsulating performs it.
    let (ciphertext, first) = encapsulation.encapsulate().map_err(|_| BAD_SHARE)?;
    let curve = KeyShare::generate(NamedGroup::X25519)?;
    let share = [ciphertext.as_ref(), curve.public()].concat();
    let second = curve.agree(point)?;
    Ok((
        share,
        SharedSecret::joined(&[first.as_ref(), second.as_ref()]),
    ))
}

const NO_KEY: Error = Error::Internal("a key pair could not be generated");
const BAD_SHARE: Violation = Violation::BadKeyShare;

/// The two halves of a share of X25519MLKEM768, whose lengths must be exact.
fn split_share(share: &[u8], first_len: usize) -> Result<(&[u8], &[u8])> {
    // draft-ietf-tls-ecdhe-mlkem §4.2: MUST check the lengths, else illegal_parameter.
    match share.split_at_checked(first_len) {
        Some((first, second)) if second.len() == X25519_LEN => Ok((first, second)),
        _ => Err(BAD_SHARE.into()),
    }
}

fn agree_on_curve(
    group: NamedGroup,
    ours: &agreement::PrivateKey,
    theirs: &[u8],
    make: impl FnOnce(&[u8]) -> SharedSecret,
) -> Result<SharedSecret> {
    // The library would also take a SubjectPublicKeyInfo or a compressed point.
    let well_formed = match group {
        NamedGroup::X25519MlKem768 | NamedGroup::X25519 => theirs.len() == X25519_LEN,
        // RFC 9846 §4.3.8.2: the uncompressed form, legacy_form = 4.
        NamedGroup::Secp256r1 => theirs.len() == 65 && theirs.first() == Some(&4),
        NamedGroup::Secp384r1 => theirs.len() == 97 && theirs.first() == Some(&4),
    };
    if !well_formed {
        return Err(BAD_SHARE.into());
    }
    // RFC 9846 §4.3.8.2: peers MUST validate that the point is on the curve; §7.4.2: MUST check
    // whether the X25519 secret is all-zero and abort if so. The library does both.
    let theirs = agreement::UnparsedPublicKey::new(ours.algorithm(), theirs);
    agreement::agree(ours, theirs, BAD_SHARE.into(), |secret| Ok(make(secret)))
}

fn curve_of(group: NamedGroup) -> &'static agreement::Algorithm {
    match group {
        NamedGroup::X25519MlKem768 | NamedGroup::X25519 => &agreement::X25519,
        NamedGroup::Secp256r1 => &agreement::ECDH_P256,
        NamedGroup::Secp384r1 => &agreement::ECDH_P384,
    }
}
