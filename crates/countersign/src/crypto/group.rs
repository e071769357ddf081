//! Key exchange: what goes into `key_share` extensions and what both sides get out of them
//! (RFC 9846 §4.3.8).

use core::fmt;

use aws_lc_rs::{agreement, kem};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::violation::Violation;

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
    /// X25519 and ML-KEM-768 together (RFC 10024): safe as long as one of the two is, also against
    /// quantum computers.
    X25519MlKem768,
    /// X25519 (RFC 7748).
    X25519,
    /// NIST P-256.
    Secp256r1,
    /// NIST P-384.
    Secp384r1,
    /// NIST P-521.
    Secp521r1,
    /// P-256 and ML-KEM-768 together (RFC 10024). Not used by default.
    Secp256r1MlKem768,
    /// P-384 and ML-KEM-1024 together (RFC 10024). Not used by default.
    Secp384r1MlKem1024,
    /// ML-KEM-1024 alone (draft-ietf-tls-mlkem), for those who have to do without curves. Not used by default:
    /// if ML-KEM breaks, nothing is left.
    MlKem1024,
}

impl NamedGroup {
    /// The groups that are used unless configured otherwise, most wanted first.
    pub const DEFAULT: &'static [Self] = &[
        Self::X25519MlKem768,
        Self::X25519,
        Self::Secp256r1,
        Self::Secp384r1,
        Self::Secp521r1,
    ];

    /// Every group: those of [`DEFAULT`](Self::DEFAULT), then the others.
    pub const ALL: &'static [Self] = &[
        Self::X25519MlKem768,
        Self::X25519,
        Self::Secp256r1,
        Self::Secp384r1,
        Self::Secp521r1,
        Self::Secp256r1MlKem768,
        Self::Secp384r1MlKem1024,
        Self::MlKem1024,
    ];

    /// The group of that number on the wire, if it is one of ours.
    pub const fn from_u16(code: u16) -> Option<Self> {
        match code {
            0x11ec => Some(Self::X25519MlKem768),
            0x001d => Some(Self::X25519),
            0x0017 => Some(Self::Secp256r1),
            0x0018 => Some(Self::Secp384r1),
            0x0019 => Some(Self::Secp521r1),
            0x11eb => Some(Self::Secp256r1MlKem768),
            0x11ed => Some(Self::Secp384r1MlKem1024),
            0x0202 => Some(Self::MlKem1024),
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
            Self::Secp521r1 => 0x0019,
            Self::Secp256r1MlKem768 => 0x11eb,
            Self::Secp384r1MlKem1024 => 0x11ed,
            Self::MlKem1024 => 0x0202,
        }
    }

    /// The strength in bits against a classical attacker, as OpenSSL's security levels count.
    pub(crate) const fn security_bits(self) -> u32 {
        match self {
            Self::X25519MlKem768 | Self::Secp256r1MlKem768 | Self::Secp384r1 => 192,
            Self::X25519 | Self::Secp256r1 => 128,
            Self::Secp521r1 | Self::Secp384r1MlKem1024 | Self::MlKem1024 => 256,
        }
    }

    /// Whether TLS 1.2 may use it too: ML-KEM is for TLS 1.3 (RFC 10024 §3).
    pub(crate) const fn is_for_tls12(self) -> bool {
        !self.has_ml_kem()
    }

    /// Whether ML-KEM is all or a part of it. Its shares are long.
    pub(crate) const fn has_ml_kem(self) -> bool {
        match self {
            Self::X25519MlKem768
            | Self::Secp256r1MlKem768
            | Self::Secp384r1MlKem1024
            | Self::MlKem1024 => true,
            Self::X25519 | Self::Secp256r1 | Self::Secp384r1 | Self::Secp521r1 => false,
        }
    }

    /// The group that the curve of a hybrid group makes on its own.
    const fn curve(self) -> Option<Self> {
        match self {
            Self::X25519MlKem768 => Some(Self::X25519),
            Self::Secp256r1MlKem768 => Some(Self::Secp256r1),
            Self::Secp384r1MlKem1024 => Some(Self::Secp384r1),
            Self::X25519
            | Self::Secp256r1
            | Self::Secp384r1
            | Self::Secp521r1
            | Self::MlKem1024 => None,
        }
    }

    /// The name in the IANA registry, as `x25519`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X25519MlKem768 => "X25519MLKEM768",
            Self::X25519 => "x25519",
            Self::Secp256r1 => "secp256r1",
            Self::Secp384r1 => "secp384r1",
            Self::Secp521r1 => "secp521r1",
            Self::Secp256r1MlKem768 => "SecP256r1MLKEM768",
            Self::Secp384r1MlKem1024 => "SecP384r1MLKEM1024",
            Self::MlKem1024 => "MLKEM1024",
        }
    }

    /// What it is made of. A share is the shares of its parts one after the other, and the secret is
    /// their secrets one after the other, both in this order (RFC 10024 §4): ML-KEM first with X25519,
    /// the curve first with the others.
    const fn parts(self) -> &'static [Part] {
        match self {
            Self::X25519MlKem768 => &[ML_KEM_768, X25519],
            Self::X25519 => &[X25519],
            Self::Secp256r1 => &[P256],
            Self::Secp384r1 => &[P384],
            Self::Secp521r1 => &[P521],
            Self::Secp256r1MlKem768 => &[P256, ML_KEM_768],
            Self::Secp384r1MlKem1024 => &[P384, ML_KEM_1024],
            Self::MlKem1024 => &[ML_KEM_1024],
        }
    }
}

impl fmt::Display for NamedGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a group is made of: one of these, or two.
#[derive(Clone, Copy)]
enum Part {
    Curve(Curve),
    Kem(Kem),
}

#[derive(Clone, Copy)]
struct Curve {
    algorithm: &'static agreement::Algorithm,
    /// What a share begins with. RFC 9846 §4.3.8.2: a point of NIST's curves is
    /// uncompressed, `legacy_form` = 4.
    form: &'static [u8],
    /// In bytes.
    share_len: usize,
}

#[derive(Clone, Copy)]
struct Kem {
    algorithm: &'static kem::Algorithm<kem::AlgorithmId>,
    /// The client's share, in bytes.
    encapsulation_key_len: usize,
    /// The server's share, in bytes.
    ciphertext_len: usize,
}

const X25519: Part = Part::Curve(Curve {
    algorithm: &agreement::X25519,
    form: &[],
    share_len: 32,
});
const P256: Part = Part::Curve(Curve {
    algorithm: &agreement::ECDH_P256,
    form: &[4],
    share_len: 65,
});
const P384: Part = Part::Curve(Curve {
    algorithm: &agreement::ECDH_P384,
    form: &[4],
    share_len: 97,
});
const P521: Part = Part::Curve(Curve {
    algorithm: &agreement::ECDH_P521,
    form: &[4],
    share_len: 133,
});
const ML_KEM_768: Part = Part::Kem(Kem {
    algorithm: &kem::ML_KEM_768,
    encapsulation_key_len: 1184,
    ciphertext_len: 1088,
});
const ML_KEM_1024: Part = Part::Kem(Kem {
    algorithm: &kem::ML_KEM_1024,
    encapsulation_key_len: 1568,
    ciphertext_len: 1568,
});

/// What both sides know after a key exchange. Erased when dropped.
pub(crate) struct SharedSecret {
    bytes: Zeroizing<Vec<u8>>,
}

impl SharedSecret {
    pub(super) fn joined(parts: &[&[u8]]) -> Self {
        // `concat` allocates once, so that no outgrown copy stays behind.
        Self {
            bytes: Zeroizing::new(parts.concat()),
        }
    }

    fn of_parts(secrets: &[Self]) -> Self {
        let secrets: Vec<&[u8]> = secrets.iter().map(Self::as_ref).collect();
        Self::joined(&secrets)
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

/// The shares of a client of TLS 1.3, of which the server chooses one.
#[derive(Debug)]
pub(crate) struct KeyShares {
    groups: Vec<NamedGroup>,
    made: Vec<KeyShare>,
}

impl KeyShares {
    /// Makes fresh private values for these groups, which are in the client's order.
    pub(crate) fn generate(groups: &[NamedGroup]) -> Result<Self> {
        // RFC 9954 §3.2: the curve of a hybrid group may be offered on its own as well with the same
        // value. That costs nothing.
        let is_half = |group: NamedGroup| groups.iter().any(|other| other.curve() == Some(group));
        let made = groups.iter().filter(|group| !is_half(**group));
        Ok(Self {
            groups: groups.to_vec(),
            made: made
                .map(|group| KeyShare::generate(*group))
                .collect::<Result<_>>()?,
        })
    }

    /// Each group with the content of its `key_exchange` in the `key_share` extension.
    pub(crate) fn publics(&self) -> impl Iterator<Item = (NamedGroup, &[u8])> {
        let public = |group| self.made.iter().find_map(|share| share.public_of(group));
        let groups = self.groups.iter();
        groups.filter_map(move |group| Some((*group, public(*group)?)))
    }

    /// Computes the secret from the server's share of the group.
    pub(crate) fn agree(self, group: NamedGroup, peer_share: &[u8]) -> Result<SharedSecret> {
        let mut made = self.made.into_iter();
        let share = made
            .find(|share| share.public_of(group).is_some())
            .filter(|_| self.groups.contains(&group))
            .ok_or(Violation::ServerShareNotOffered)?;
        share.agree_on(group, peer_share)
    }
}

/// The client's side of a key exchange: a private value that waits for the server's share.
pub(crate) struct KeyShare {
    group: NamedGroup,
    /// One for each part of the group.
    privates: Vec<Private>,
    public: Vec<u8>,
}

enum Private {
    Curve(Curve, agreement::PrivateKey),
    Kem(kem::DecapsulationKey),
}

impl KeyShare {
    /// Makes a fresh private value.
    pub(crate) fn generate(group: NamedGroup) -> Result<Self> {
        let privates = group.parts().iter().map(|part| part.generate());
        Self::new(group, privates.collect::<Result<_>>()?)
    }

    fn new(group: NamedGroup, privates: Vec<Private>) -> Result<Self> {
        let publics: Vec<_> = privates
            .iter()
            .map(Private::public)
            .collect::<Result<_>>()?;
        Ok(Self {
            group,
            privates,
            public: publics.concat(),
        })
    }

    /// A share with a known private value of a curve.
    #[cfg(test)]
    pub(crate) fn from_private(group: NamedGroup, private: &[u8]) -> Self {
        let [Part::Curve(curve)] = group.parts() else {
            panic!("{group} is no curve");
        };
        let private = agreement::PrivateKey::from_private_key(curve.algorithm, private).unwrap();
        Self::new(group, vec![Private::Curve(*curve, private)]).unwrap()
    }

    /// The content of `key_exchange` in the `key_share` extension.
    pub(crate) fn public(&self) -> &[u8] {
        &self.public
    }

    /// The same for this group, which may also be the curve of a hybrid one.
    fn public_of(&self, group: NamedGroup) -> Option<&[u8]> {
        if group == self.group {
            return Some(&self.public);
        }
        self.group.curve().filter(|curve| *curve == group)?;
        match self.group.parts() {
            [Part::Curve(curve), Part::Kem(_)] => self.public.get(..curve.share_len),
            [Part::Kem(kem), Part::Curve(_)] => self.public.get(kem.encapsulation_key_len..),
            _ => None,
        }
    }

    /// Computes the secret from the server's share of the group.
    pub(crate) fn agree(self, peer_share: &[u8]) -> Result<SharedSecret> {
        let group = self.group;
        self.agree_on(group, peer_share)
    }

    /// The same for this group, which may also be the curve of a hybrid one.
    fn agree_on(self, group: NamedGroup, peer_share: &[u8]) -> Result<SharedSecret> {
        let parts = group.parts();
        let privates = self.privates.into_iter();
        let privates = privates.filter(|one| group == self.group || one.is_curve());
        let shares = split(peer_share, parts, Part::server_share_len)?;
        let secrets = privates
            .zip(shares)
            .map(|(ours, theirs)| ours.agree(theirs));
        let secrets: Vec<_> = secrets.collect::<Result<_>>()?;
        Ok(SharedSecret::of_parts(&secrets))
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
    let parts = group.parts();
    let theirs = split(peer_share, parts, Part::client_share_len)?;
    let answers = parts.iter().zip(theirs);
    let answers = answers.map(|(part, theirs)| part.respond(theirs));
    let (shares, secrets): (Vec<_>, Vec<_>) =
        answers.collect::<Result<Vec<_>>>()?.into_iter().unzip();
    Ok((shares.concat(), SharedSecret::of_parts(&secrets)))
}

const NO_KEY: Error = Error::Internal("a key pair could not be generated");
const NO_DECAPSULATION: Error = Error::Internal("ML-KEM decapsulation failed");
const BAD_SHARE: Violation = Violation::BadKeyShare;

/// Cuts a share into those of the parts.
fn split<'s>(
    share: &'s [u8],
    parts: &[Part],
    len: impl Fn(Part) -> usize,
) -> Result<Vec<&'s [u8]>> {
    let mut rest = share;
    let mut shares = Vec::new();
    for part in parts {
        let (first, others) = rest.split_at_checked(len(*part)).ok_or(BAD_SHARE)?;
        shares.push(first);
        rest = others;
    }
    // RFC 10024 §4.2: MUST check the lengths, else illegal_parameter.
    if rest.is_empty() {
        Ok(shares)
    } else {
        Err(BAD_SHARE.into())
    }
}

impl Part {
    fn client_share_len(self) -> usize {
        match self {
            Self::Curve(curve) => curve.share_len,
            Self::Kem(kem) => kem.encapsulation_key_len,
        }
    }

    fn server_share_len(self) -> usize {
        match self {
            Self::Curve(curve) => curve.share_len,
            Self::Kem(kem) => kem.ciphertext_len,
        }
    }

    fn generate(self) -> Result<Private> {
        match self {
            Self::Curve(curve) => agreement::PrivateKey::generate(curve.algorithm)
                .map(|private| Private::Curve(curve, private))
                .map_err(|_| NO_KEY),
            Self::Kem(kem) => kem::DecapsulationKey::generate(kem.algorithm)
                .map(Private::Kem)
                .map_err(|_| NO_KEY),
        }
    }

    /// The server's share and the secret, from the client's share.
    fn respond(self, theirs: &[u8]) -> Result<(Vec<u8>, SharedSecret)> {
        match self {
            Self::Curve(_) => {
                let ours = self.generate()?;
                Ok((ours.public()?, ours.agree(theirs)?))
            }
            Self::Kem(kem) => {
                let theirs =
                    kem::EncapsulationKey::new(kem.algorithm, theirs).map_err(|_| BAD_SHARE)?;
                // RFC 10024 §4.2: the server MUST perform the encapsulation key check of
                // FIPS 203 §7.2 and abort with illegal_parameter if it fails. Encapsulating performs it.
                let (ciphertext, secret) = theirs.encapsulate().map_err(|_| BAD_SHARE)?;
                let secret = SharedSecret::joined(&[secret.as_ref()]);
                Ok((ciphertext.as_ref().to_vec(), secret))
            }
        }
    }
}

impl Private {
    fn is_curve(&self) -> bool {
        matches!(self, Self::Curve(..))
    }

    fn public(&self) -> Result<Vec<u8>> {
        match self {
            Self::Curve(_, private) => {
                let point = private.compute_public_key().map_err(|_| NO_KEY)?;
                Ok(point.as_ref().to_vec())
            }
            Self::Kem(private) => {
                let public = private.encapsulation_key().map_err(|_| NO_KEY)?;
                let public = public.key_bytes().map_err(|_| NO_KEY)?;
                Ok(public.as_ref().to_vec())
            }
        }
    }

    fn agree(self, theirs: &[u8]) -> Result<SharedSecret> {
        match self {
            Self::Curve(curve, ours) => agree_on_curve(curve, &ours, theirs),
            // RFC 10024 §4.2: failure for any reason but the length MUST abort
            // with internal_error.
            Self::Kem(ours) => ours
                .decapsulate(theirs.into())
                .map(|secret| SharedSecret::joined(&[secret.as_ref()]))
                .map_err(|_| NO_DECAPSULATION),
        }
    }
}

fn agree_on_curve(
    curve: Curve,
    ours: &agreement::PrivateKey,
    theirs: &[u8],
) -> Result<SharedSecret> {
    // The library would also take a SubjectPublicKeyInfo or a compressed point.
    if theirs.len() != curve.share_len || !theirs.starts_with(curve.form) {
        return Err(BAD_SHARE.into());
    }
    // RFC 9846 §4.3.8.2: peers MUST validate that the point is on the curve; §7.4.2: MUST check
    // whether the X25519 secret is all-zero and abort if so. The library does both.
    let theirs = agreement::UnparsedPublicKey::new(curve.algorithm, theirs);
    agreement::agree(ours, theirs, BAD_SHARE.into(), |secret| {
        Ok(SharedSecret::joined(&[secret]))
    })
}

#[cfg(test)]
mod tests {
    use super::{KeyShare, KeyShares, NamedGroup, Part, SharedSecret, respond};
    use crate::error::{Error, Result};
    use crate::violation::Violation;

    fn violation(result: Result<impl Sized>) -> Violation {
        match result.err() {
            Some(Error::PeerViolated { violation, .. }) => violation,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn numbers_survive_the_round_trip() {
        for group in NamedGroup::ALL {
            assert_eq!(NamedGroup::from_u16(group.to_u16()), Some(*group));
        }
        let known = (0..=u16::MAX).filter_map(NamedGroup::from_u16).count();
        assert_eq!(known, NamedGroup::ALL.len());
    }

    #[test]
    fn both_sides_get_the_same_secret() {
        let lengths = [
            (NamedGroup::X25519MlKem768, 1216, 1120, 64),
            (NamedGroup::X25519, 32, 32, 32),
            (NamedGroup::Secp256r1, 65, 65, 32),
            (NamedGroup::Secp384r1, 97, 97, 48),
            (NamedGroup::Secp521r1, 133, 133, 66),
            (NamedGroup::Secp256r1MlKem768, 1249, 1153, 64),
            (NamedGroup::Secp384r1MlKem1024, 1665, 1665, 80),
            (NamedGroup::MlKem1024, 1568, 1568, 32),
        ];
        assert_eq!(lengths.map(|(group, ..)| group), NamedGroup::ALL);
        for (group, client_len, server_len, secret_len) in lengths {
            let client = KeyShare::generate(group).unwrap();
            assert_eq!(client.public().len(), client_len);
            let (share, theirs) = respond(group, client.public()).unwrap();
            assert_eq!(share.len(), server_len);
            let ours = client.agree(&share).unwrap();
            assert_eq!(ours.as_ref(), theirs.as_ref());
            assert_eq!(ours.as_ref().len(), secret_len);
        }
    }

    #[test]
    fn every_share_is_fresh() {
        for group in NamedGroup::ALL {
            let (first, second) = (KeyShare::generate(*group), KeyShare::generate(*group));
            assert_ne!(first.unwrap().public(), second.unwrap().public());
        }
    }

    #[test]
    fn the_curve_of_a_hybrid_share_is_a_share() {
        for hybrid in NamedGroup::ALL {
            let Some(curve) = hybrid.curve() else {
                continue;
            };
            for groups in [[*hybrid, curve], [curve, *hybrid]] {
                let client = KeyShares::generate(&groups).unwrap();
                assert_eq!(client.made.len(), 1);
                let publics: Vec<_> = client.publics().collect();
                assert_eq!([publics[0].0, publics[1].0], groups);
                let (_, half) = publics.iter().find(|(group, _)| *group == curve).unwrap();
                let (share, theirs) = respond(curve, half).unwrap();
                let ours = client.agree(curve, &share).unwrap();
                assert_eq!(ours.as_ref(), theirs.as_ref());
            }
        }
    }

    #[test]
    fn the_server_chooses_any_of_the_shares() {
        for group in NamedGroup::ALL {
            let client = KeyShares::generate(NamedGroup::ALL).unwrap();
            let offered: Vec<_> = client.publics().map(|(group, _)| group).collect();
            assert_eq!(offered, NamedGroup::ALL);
            let (_, public) = client.publics().find(|(own, _)| own == group).unwrap();
            let (share, theirs) = respond(*group, public).unwrap();
            let ours = client.agree(*group, &share).unwrap();
            assert_eq!(ours.as_ref(), theirs.as_ref(), "{group}");
        }
    }

    #[test]
    fn a_group_that_was_not_offered_is_refused() {
        for (offered, chosen) in [
            (&[NamedGroup::X25519MlKem768][..], NamedGroup::Secp256r1),
            (&[NamedGroup::X25519MlKem768], NamedGroup::X25519),
            (&[NamedGroup::X25519], NamedGroup::X25519MlKem768),
            (&[NamedGroup::MlKem1024], NamedGroup::Secp384r1MlKem1024),
            (&[], NamedGroup::X25519),
        ] {
            let public = KeyShare::generate(chosen).unwrap().public().to_vec();
            let (share, _) = respond(chosen, &public).unwrap();
            let client = KeyShares::generate(offered).unwrap();
            let refused = client.agree(chosen, &share);
            assert_eq!(violation(refused), Violation::ServerShareNotOffered);
        }
    }

    /// Both sides must refuse `share` as a client's and as a server's.
    fn assert_refused(group: NamedGroup, share: &[u8]) {
        let refused = violation(respond(group, share));
        assert_eq!(refused, Violation::BadKeyShare, "{group} {}", share.len());
        let client = KeyShare::generate(group).unwrap();
        assert_eq!(violation(client.agree(share)), Violation::BadKeyShare);
    }

    #[test]
    fn shares_of_any_other_length_are_refused() {
        for group in NamedGroup::ALL {
            let client = KeyShare::generate(*group).unwrap();
            let (server_share, _) = respond(*group, client.public()).unwrap();
            for share in [client.public(), &server_share] {
                assert_refused(*group, &share[1..]);
                assert_refused(*group, &share[..share.len() - 1]);
                assert_refused(*group, &[share, &[0]].concat());
            }
            assert_refused(*group, &[]);
        }
    }

    #[test]
    fn points_off_the_curve_and_other_encodings_are_refused() {
        for group in [
            NamedGroup::Secp256r1,
            NamedGroup::Secp384r1,
            NamedGroup::Secp521r1,
        ] {
            let share = KeyShare::generate(group).unwrap().public().to_vec();
            let half = (share.len() - 1) / 2;
            let mut off_the_curve = share.clone();
            off_the_curve[share.len() - 1] ^= 1;
            assert_refused(group, &off_the_curve);
            let mut infinity = vec![0; share.len()];
            assert_refused(group, &infinity);
            infinity[0] = 4;
            assert_refused(group, &infinity);
            assert_refused(group, &[0]);
            let parity = share[share.len() - 1] & 1;
            let compressed = [&[2 | parity], &share[1..=half]].concat();
            assert_refused(group, &compressed);
            let mut hybrid_form = share;
            hybrid_form[0] = 6 | parity;
            assert_refused(group, &hybrid_form);
        }
    }

    #[test]
    fn a_subject_public_key_info_is_no_share() {
        let share = KeyShare::generate(NamedGroup::Secp256r1)
            .unwrap()
            .public()
            .to_vec();
        let prefix = [
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
            0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        ];
        assert_refused(NamedGroup::Secp256r1, &[&prefix[..], &share].concat());
    }

    #[test]
    fn points_of_small_order_are_refused() {
        // RFC 7748 §6.1: the values that make the X25519 secret all-zero whatever the private key.
        let mut one = [0; 32];
        one[0] = 1;
        let mut p_minus_1 = [0xff; 32];
        (p_minus_1[0], p_minus_1[31]) = (0xec, 0x7f);
        let mut p = p_minus_1;
        p[0] = 0xed;
        let order_8 = [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f,
            0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16,
            0x5f, 0x49, 0xb8, 0x00,
        ];
        for point in [[0; 32], one, p_minus_1, p, order_8] {
            assert_refused(NamedGroup::X25519, &point);
            let client = KeyShare::generate(NamedGroup::X25519MlKem768).unwrap();
            let kem = &client.public()[..1184];
            let refused = respond(NamedGroup::X25519MlKem768, &[kem, &point[..]].concat());
            assert_eq!(violation(refused), Violation::BadKeyShare);
            let refused = client.agree(&[&[0; 1088][..], &point].concat());
            assert_eq!(violation(refused), Violation::BadKeyShare);
        }
    }

    /// Where the share of ML-KEM stands in that of a group.
    fn place_of_ml_kem(
        group: NamedGroup,
        len: impl Fn(Part) -> usize,
    ) -> Option<core::ops::Range<usize>> {
        let mut start = 0;
        for part in group.parts() {
            let end = start + len(*part);
            if matches!(part, Part::Kem(_)) {
                return Some(start..end);
            }
            start = end;
        }
        None
    }

    #[test]
    fn encapsulation_keys_with_coefficients_out_of_range_are_refused() {
        // FIPS 203 §7.2: the modulus check. 0xfff is more than q = 3329.
        for group in NamedGroup::ALL {
            let Some(place) = place_of_ml_kem(*group, Part::client_share_len) else {
                continue;
            };
            // What follows the coefficients is a seed of 32 bytes, which may have any value.
            let last_coefficients = place.end - 35..place.end - 32;
            for damaged in [place.start..place.end - 32, last_coefficients] {
                let mut share = KeyShare::generate(*group).unwrap().public().to_vec();
                share[damaged].fill(0xff);
                let refused = respond(*group, &share);
                assert_eq!(violation(refused), Violation::BadKeyShare, "{group}");
            }
            let mut share = KeyShare::generate(*group).unwrap().public().to_vec();
            share[place.end - 32..place.end].fill(0xff);
            assert!(respond(*group, &share).is_ok(), "{group}");
        }
    }

    #[test]
    fn a_damaged_ciphertext_gives_another_secret() {
        // FIPS 203 §6.3: ML-KEM rejects implicitly; the Finished will not verify.
        for (group, secret_of_ml_kem, secret_of_curve) in [
            (NamedGroup::X25519MlKem768, 0..32, 32..64),
            (NamedGroup::Secp256r1MlKem768, 32..64, 0..32),
            (NamedGroup::Secp384r1MlKem1024, 48..80, 0..48),
            (NamedGroup::MlKem1024, 0..32, 0..0),
        ] {
            let client = KeyShare::generate(group).unwrap();
            let (mut share, theirs) = respond(group, client.public()).unwrap();
            let place = place_of_ml_kem(group, Part::server_share_len).unwrap();
            share[place.start] ^= 1;
            let ours = client.agree(&share).unwrap();
            let (ours, theirs) = (ours.as_ref(), theirs.as_ref());
            assert_ne!(ours[secret_of_ml_kem.clone()], theirs[secret_of_ml_kem]);
            assert_eq!(ours[secret_of_curve.clone()], theirs[secret_of_curve]);
        }
    }

    #[test]
    fn points_off_the_curve_are_refused_in_a_hybrid_share_too() {
        for (group, last) in [
            (NamedGroup::Secp256r1MlKem768, 64),
            (NamedGroup::Secp384r1MlKem1024, 96),
        ] {
            let client = KeyShare::generate(group).unwrap();
            let (mut server_share, _) = respond(group, client.public()).unwrap();
            let mut client_share = client.public().to_vec();
            client_share[last] ^= 1;
            server_share[last] ^= 1;
            let refused = respond(group, &client_share);
            assert_eq!(violation(refused), Violation::BadKeyShare, "{group}");
            let refused = client.agree(&server_share);
            assert_eq!(violation(refused), Violation::BadKeyShare, "{group}");
        }
    }

    fn from_hex(hex: &str) -> Vec<u8> {
        let digits = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digits).collect()
    }

    fn agree(group: NamedGroup, private: &str, public: &str) -> SharedSecret {
        let ours = KeyShare::from_private(group, &from_hex(private));
        ours.agree(&from_hex(public)).unwrap()
    }

    /// RFC 7748 §6.1.
    #[test]
    fn x25519_as_published() {
        let alice = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
        let alice_public = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
        let bob = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
        let bob_public = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
        let secret = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
        let group = NamedGroup::X25519;
        for (private, public) in [(alice, alice_public), (bob, bob_public)] {
            let share = KeyShare::from_private(group, &from_hex(private));
            assert_eq!(share.public(), from_hex(public));
        }
        assert_eq!(agree(group, alice, bob_public).as_ref(), from_hex(secret));
        assert_eq!(agree(group, bob, alice_public).as_ref(), from_hex(secret));
    }

    /// RFC 7748 §5.2, first vector: the u-coordinate is taken modulo p with its top bit ignored.
    #[test]
    fn x25519_of_any_u_coordinate() {
        let secret = agree(
            NamedGroup::X25519,
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        );
        let printed = "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552";
        assert_eq!(secret.as_ref(), from_hex(printed));
    }

    /// NIST's test vectors for ECC CDH (SP 800-56A §5.7.1.2), P-521, the first. The secret has a leading zero.
    #[test]
    fn p521_as_published() {
        let secret = agree(
            NamedGroup::Secp521r1,
            "017eecc07ab4b329068fba65e56a1f8890aa935e57134ae0ffcce802735151f4eac6564f6ee9974c5e68\
             87a1fefee5743ae2241bfeb95d5ce31ddcb6f9edb4d6fc47",
            "0400685a48e86c79f0f0875f7bc18d25eb5fc8c0b07e5da4f4370f3a9490340854334b1e1b87fa395464\
             c60626124a4e70d0f785601d37c09870ebf176666877a2046d01ba52c56fc8776d9e8f5db4f0cc27636d\
             0b741bbe05400697942e80b739884a83bde99e0f6716939e632bc8986fa18dccd443a348b6c3e5224979\
             55a4f3c302f676",
        );
        let printed = "005fc70477c3e63bc3954bd0df3ea0d1f41ee21746ed95fc5e1fdf90930d5e136672d72cc770742d1711\
                       c3c3a4c334a0ad9759436a4d3c5bf6e74b9578fac148c831";
        assert_eq!(secret.as_ref(), from_hex(printed));
    }
}
