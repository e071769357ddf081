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
}

impl NamedGroup {
    /// Every group, most preferred first.
    pub const ALL: &'static [Self] = &[
        Self::X25519MlKem768,
        Self::X25519,
        Self::Secp256r1,
        Self::Secp384r1,
        Self::Secp521r1,
    ];

    /// The group of that number on the wire, if it is one of ours.
    pub const fn from_u16(code: u16) -> Option<Self> {
        match code {
            0x11ec => Some(Self::X25519MlKem768),
            0x001d => Some(Self::X25519),
            0x0017 => Some(Self::Secp256r1),
            0x0018 => Some(Self::Secp384r1),
            0x0019 => Some(Self::Secp521r1),
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
        }
    }

    /// The strength in bits against a classical attacker, as OpenSSL's security levels count.
    pub(crate) const fn security_bits(self) -> u32 {
        match self {
            Self::X25519MlKem768 | Self::Secp384r1 => 192,
            Self::X25519 | Self::Secp256r1 => 128,
            Self::Secp521r1 => 256,
        }
    }

    /// Whether TLS 1.2 may use it too: hybrid groups are for TLS 1.3 (RFC 10024 §3).
    pub(crate) const fn is_for_tls12(self) -> bool {
        !matches!(self, Self::X25519MlKem768)
    }

    /// The name in the IANA registry, as `x25519`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X25519MlKem768 => "X25519MLKEM768",
            Self::X25519 => "x25519",
            Self::Secp256r1 => "secp256r1",
            Self::Secp384r1 => "secp384r1",
            Self::Secp521r1 => "secp521r1",
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
    pub(super) fn joined(parts: &[&[u8]]) -> Self {
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
            // RFC 10024 §4.1: the ML-KEM key comes first.
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
    /// own as well (RFC 9954 §3.2).
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
                // RFC 10024 §4.2: failure for any reason but the length MUST abort
                // with internal_error.
                let first = kem
                    .decapsulate(ciphertext.into())
                    .map_err(|_| NO_DECAPSULATION)?;
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
    // RFC 10024 §4.2: the server MUST perform the encapsulation key check of
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
const NO_DECAPSULATION: Error = Error::Internal("ML-KEM decapsulation failed");
const BAD_SHARE: Violation = Violation::BadKeyShare;

/// The two halves of a share of X25519MLKEM768, whose lengths must be exact.
fn split_share(share: &[u8], first_len: usize) -> Result<(&[u8], &[u8])> {
    // RFC 10024 §4.2: MUST check the lengths, else illegal_parameter.
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
        NamedGroup::Secp521r1 => theirs.len() == 133 && theirs.first() == Some(&4),
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
        NamedGroup::Secp521r1 => &agreement::ECDH_P521,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        CIPHERTEXT_LEN, ENCAPSULATION_KEY_LEN, KeyShare, NamedGroup, SharedSecret, X25519_LEN,
        respond,
    };
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
        ];
        for (group, client_len, server_len, secret_len) in lengths {
            let client = KeyShare::generate(group).unwrap();
            assert_eq!((client.group(), client.public().len()), (group, client_len));
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
    fn the_half_of_the_hybrid_share_is_a_share() {
        let client = KeyShare::generate(NamedGroup::X25519MlKem768).unwrap();
        let (group, half) = client.second().unwrap();
        assert_eq!(group, NamedGroup::X25519);
        let (share, theirs) = respond(group, half).unwrap();
        let ours = client.agree_on(NamedGroup::X25519, &share).unwrap();
        assert_eq!(ours.as_ref(), theirs.as_ref());
    }

    #[test]
    fn a_group_that_was_not_offered_is_refused() {
        let (share, _) = respond(
            NamedGroup::Secp256r1,
            KeyShare::generate(NamedGroup::Secp256r1).unwrap().public(),
        )
        .unwrap();
        let client = KeyShare::generate(NamedGroup::X25519MlKem768).unwrap();
        let refused = client.agree_on(NamedGroup::Secp256r1, &share);
        assert_eq!(violation(refused), Violation::ServerShareNotOffered);
        let client = KeyShare::generate(NamedGroup::X25519).unwrap();
        assert!(client.second().is_none());
        let refused = client.agree_on(NamedGroup::X25519MlKem768, &share);
        assert_eq!(violation(refused), Violation::ServerShareNotOffered);
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
            let kem = &client.public()[..ENCAPSULATION_KEY_LEN];
            let refused = respond(NamedGroup::X25519MlKem768, &[kem, &point[..]].concat());
            assert_eq!(violation(refused), Violation::BadKeyShare);
            let refused = client.agree(&[&[0; CIPHERTEXT_LEN][..], &point].concat());
            assert_eq!(violation(refused), Violation::BadKeyShare);
        }
    }

    #[test]
    fn encapsulation_keys_with_coefficients_out_of_range_are_refused() {
        // FIPS 203 §7.2: the modulus check. 0xfff is more than q = 3329.
        let client = KeyShare::generate(NamedGroup::X25519MlKem768).unwrap();
        let mut share = client.public().to_vec();
        share[..ENCAPSULATION_KEY_LEN - 32].fill(0xff);
        let refused = respond(NamedGroup::X25519MlKem768, &share);
        assert_eq!(violation(refused), Violation::BadKeyShare);
    }

    #[test]
    fn a_damaged_ciphertext_gives_another_secret() {
        // FIPS 203 §6.3: ML-KEM rejects implicitly; the Finished will not verify.
        let client = KeyShare::generate(NamedGroup::X25519MlKem768).unwrap();
        let (mut share, theirs) = respond(client.group(), client.public()).unwrap();
        share[0] ^= 1;
        let ours = client.agree(&share).unwrap();
        assert_ne!(ours.as_ref()[..32], theirs.as_ref()[..32]);
        // The second half comes from X25519: the order is ML-KEM first.
        assert_eq!(ours.as_ref()[32..], theirs.as_ref()[32..]);
        assert_eq!(share.len(), CIPHERTEXT_LEN + X25519_LEN);
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
