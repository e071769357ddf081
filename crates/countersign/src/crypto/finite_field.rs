//! Diffie-Hellman over finite fields, for the anonymous suites of TLS 1.2 (RFC 5246 §8.1.2), in the
//! groups of RFC 7919 and RFC 3526 and in no others.
//!
//! A server sends the prime itself, not the number of a group. To find out whether an unknown prime
//! is safe would take seconds, and to compute with one that is not could give the secret away. So primes
//! are looked up in a table, and nothing is ever computed with one that is not there.

mod groups;

use core::fmt;

use crypto_bigint::BoxedUint;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use zeroize::Zeroizing;

use crate::alert::Alert;
use crate::crypto::group::SharedSecret;
use crate::crypto::hash::constant_time_eq;
use crate::crypto::random::Random;
use crate::error::{Error, Result};
use crate::violation::Violation;

/// A group of known origin whose prime has 2048 bits or more.
///
/// A key exchange takes each side 20 ms of computing in the largest, thirty times as long as in the
/// smallest. The server chooses, so that this is all the work that it can cause, and a client none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FiniteFieldGroup {
    /// ffdhe2048 (RFC 7919 §A.1).
    Ffdhe2048,
    /// ffdhe3072 (RFC 7919 §A.2).
    Ffdhe3072,
    /// ffdhe4096 (RFC 7919 §A.3).
    Ffdhe4096,
    /// ffdhe6144 (RFC 7919 §A.4).
    Ffdhe6144,
    /// ffdhe8192 (RFC 7919 §A.5).
    Ffdhe8192,
    /// The 2048-bit MODP group (RFC 3526 §3).
    Modp2048,
    /// The 3072-bit MODP group (RFC 3526 §4).
    Modp3072,
    /// The 4096-bit MODP group (RFC 3526 §5).
    Modp4096,
    /// The 6144-bit MODP group (RFC 3526 §6).
    Modp6144,
    /// The 8192-bit MODP group (RFC 3526 §7).
    Modp8192,
}

impl FiniteFieldGroup {
    /// Every group, those that have a number first.
    pub(crate) const ALL: &'static [Self] = &[
        Self::Ffdhe2048,
        Self::Ffdhe3072,
        Self::Ffdhe4096,
        Self::Ffdhe6144,
        Self::Ffdhe8192,
        Self::Modp2048,
        Self::Modp3072,
        Self::Modp4096,
        Self::Modp6144,
        Self::Modp8192,
    ];

    /// The numbers in `supported_groups` (RFC 7919 §2) of those that a server chooses from.
    pub(crate) const NAMED: &'static [u16] = &[0x0100, 0x0101, 0x0102, 0x0103, 0x0104];

    /// The generator of every group. It generates the subgroup of order (p - 1) / 2.
    pub(crate) const GENERATOR: &'static [u8] = &[2];

    /// The least size of a prime in bits. Smaller groups that many servers share are broken once
    /// for all of them.
    pub(crate) const LEAST_BITS: u32 = 2048;

    /// The group that `dh_p` and `dh_g` describe (RFC 5246 §7.4.3), if it is known.
    pub(crate) fn recognize(prime: &[u8], generator: &[u8]) -> Result<Self> {
        let prime = without_leading_zeros(prime);
        let known = Self::ALL.iter().find(|group| group.prime() == prime);
        match known {
            Some(group) if without_leading_zeros(generator) == Self::GENERATOR => Ok(*group),
            _ => Err(refuse(prime)),
        }
    }

    /// The group of that number in `supported_groups` (RFC 7919 §2), if it is one of ours.
    pub(crate) const fn from_u16(code: u16) -> Option<Self> {
        match code {
            0x0100 => Some(Self::Ffdhe2048),
            0x0101 => Some(Self::Ffdhe3072),
            0x0102 => Some(Self::Ffdhe4096),
            0x0103 => Some(Self::Ffdhe6144),
            0x0104 => Some(Self::Ffdhe8192),
            _ => None,
        }
    }

    /// The prime p, without leading zeros.
    pub(crate) fn prime(self) -> &'static [u8] {
        match self {
            Self::Ffdhe2048 => &groups::FFDHE2048,
            Self::Ffdhe3072 => &groups::FFDHE3072,
            Self::Ffdhe4096 => &groups::FFDHE4096,
            Self::Ffdhe6144 => &groups::FFDHE6144,
            Self::Ffdhe8192 => &groups::FFDHE8192,
            Self::Modp2048 => &groups::MODP2048,
            Self::Modp3072 => &groups::MODP3072,
            Self::Modp4096 => &groups::MODP4096,
            Self::Modp6144 => &groups::MODP6144,
            Self::Modp8192 => &groups::MODP8192,
        }
    }

    /// The strength in bits, as OpenSSL's security levels count (RFC 3766, RFC 7919 §A).
    pub(crate) const fn security_bits(self) -> u32 {
        match self {
            Self::Ffdhe2048 | Self::Modp2048 => 112,
            Self::Ffdhe3072 | Self::Modp3072 => 128,
            Self::Ffdhe4096 | Self::Modp4096 => 152,
            Self::Ffdhe6144 | Self::Modp6144 => 176,
            Self::Ffdhe8192 | Self::Modp8192 => 200,
        }
    }

    /// The size of the prime in bits.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Ffdhe2048 | Self::Modp2048 => 2048,
            Self::Ffdhe3072 | Self::Modp3072 => 3072,
            Self::Ffdhe4096 | Self::Modp4096 => 4096,
            Self::Ffdhe6144 | Self::Modp6144 => 6144,
            Self::Ffdhe8192 | Self::Modp8192 => 8192,
        }
    }

    /// The name as OpenSSL has it, as `ffdhe2048` or `modp_2048`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ffdhe2048 => "ffdhe2048",
            Self::Ffdhe3072 => "ffdhe3072",
            Self::Ffdhe4096 => "ffdhe4096",
            Self::Ffdhe6144 => "ffdhe6144",
            Self::Ffdhe8192 => "ffdhe8192",
            Self::Modp2048 => "modp_2048",
            Self::Modp3072 => "modp_3072",
            Self::Modp4096 => "modp_4096",
            Self::Modp6144 => "modp_6144",
            Self::Modp8192 => "modp_8192",
        }
    }

    /// The length of private exponents in bytes. RFC 7919 §5.2 allows short ones, and Appendix A asks
    /// for 225, 275, 325, 375 and 400 bits at least; here they fill words of 64 bits. By the lower
    /// estimates of RFC 3526 §8 that is enough for its groups too.
    const fn exponent_len(self) -> usize {
        match self {
            Self::Ffdhe2048 | Self::Modp2048 => 32,
            Self::Ffdhe3072 | Self::Modp3072 => 40,
            Self::Ffdhe4096 | Self::Ffdhe6144 | Self::Modp4096 | Self::Modp6144 => 48,
            Self::Ffdhe8192 | Self::Modp8192 => 56,
        }
    }
}

impl fmt::Display for FiniteFieldGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Says how large a group is that is too small, or that nobody knows to be safe.
fn refuse(prime: &[u8]) -> Error {
    let unused = prime.first().map_or(0, |byte| byte.leading_zeros());
    let bits = u32::try_from(prime.len()).map_or(u32::MAX, |bytes| bytes.saturating_mul(8));
    let bits = bits.saturating_sub(unused);
    // insufficient_security only where it is certain, as RFC 7919 §4 has it for groups
    // that are too weak.
    let alert = if bits < FiniteFieldGroup::LEAST_BITS {
        Alert::InsufficientSecurity
    } else {
        Alert::HandshakeFailure
    };
    Error::UnsafeGroup { bits, alert }
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// One side of a key exchange: a private exponent that waits for the other side's public value.
pub(crate) struct FiniteFieldShare {
    group: FiniteFieldGroup,
    modulus: BoxedMontyParams,
    exponent: Zeroizing<BoxedUint>,
    public: Vec<u8>,
}

impl FiniteFieldShare {
    /// Makes a fresh private exponent.
    pub(crate) fn generate(group: FiniteFieldGroup, random: &dyn Random) -> Result<Self> {
        let mut bytes = Zeroizing::new(vec![0; group.exponent_len()]);
        random.fill(&mut bytes).map_err(|_| Error::RandomFailed)?;
        // Nothing but zeros: the source is broken.
        if constant_time_eq(&bytes, &vec![0; bytes.len()]) {
            return Err(Error::RandomFailed);
        }
        let exponent = Zeroizing::new(BoxedUint::from_be_slice_vartime(&bytes));
        let modulus = modulus_of(group)?;
        let generator =
            BoxedUint::from_be_slice_truncated(FiniteFieldGroup::GENERATOR, group.bits());
        let public = raise(generator, &exponent, &modulus).to_vec();
        Ok(Self {
            group,
            modulus,
            exponent,
            public,
        })
    }

    /// The group whose public value `public` is.
    #[cfg(test)]
    pub(crate) fn group(&self) -> FiniteFieldGroup {
        self.group
    }

    /// The content of `dh_Ys` or `dh_Yc`. It is as long as the prime, with zeros in front if need be:
    /// RFC 5246 does not ask for that, but some peers do.
    pub(crate) fn public(&self) -> &[u8] {
        &self.public
    }

    /// Computes the premaster secret from the peer's public value, which may have zeros in front or
    /// lack them.
    pub(crate) fn agree(self, peer_public: &[u8]) -> Result<SharedSecret> {
        let theirs = self.read_public(peer_public)?;
        // The outcome is neither 1 nor p - 1: the order of what was read is (p - 1) / 2 or twice
        // that, and no multiple of (p - 1) / 2 is as short as the exponent.
        let secret = raise(theirs, &self.exponent, &self.modulus);
        Ok(SharedSecret::joined(&[strip(&secret)]))
    }

    fn read_public(&self, value: &[u8]) -> Result<BoxedUint> {
        let value = BoxedUint::from_be_slice(without_leading_zeros(value), self.group.bits())
            .map_err(|_| BAD_VALUE)?;
        let one = BoxedUint::one();
        let minus_one = self.modulus.modulus().as_ref().wrapping_sub(&one);
        // RFC 7919 §5.1: peers MUST validate that 1 < Y < p - 1, so that the secret is not
        // confined to the subgroup of 1 and p - 1.
        if value > one && value < minus_one {
            Ok(value)
        } else {
            Err(BAD_VALUE.into())
        }
    }
}

impl fmt::Debug for FiniteFieldShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FiniteFieldShare")
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

const NO_MODULUS: Error = Error::Internal("a prime is even");
const BAD_VALUE: Violation = Violation::BadDiffieHellmanValue;

fn modulus_of(group: FiniteFieldGroup) -> Result<BoxedMontyParams> {
    let prime = BoxedUint::from_be_slice_truncated(group.prime(), group.bits());
    let prime = prime.into_odd().into_option().ok_or(NO_MODULUS)?;
    // What takes a time of its own here is the prime, which is no secret.
    Ok(BoxedMontyParams::new_vartime(prime))
}

/// `base` to the power of `exponent`, as long as the modulus.
fn raise(
    base: BoxedUint,
    exponent: &BoxedUint,
    modulus: &BoxedMontyParams,
) -> Zeroizing<Box<[u8]>> {
    let power = Zeroizing::new(BoxedMontyForm::new(base, modulus).pow(exponent));
    let power = Zeroizing::new(power.retrieve());
    Zeroizing::new(power.to_be_bytes())
}

/// RFC 5246 §8.1.2: leading bytes that are all zero are stripped.
///
/// How many there were shows in the time that it takes to derive keys from the rest: the RFC leaves no
/// way around that. It is of use to an attacker only where one exponent meets many values; here it
/// meets one. Counting at least takes no branch.
fn strip(secret: &[u8]) -> &[u8] {
    let (mut seen, mut zeros) = (0, 0);
    for byte in secret {
        seen |= byte;
        zeros += usize::from(seen == 0);
    }
    secret.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{FiniteFieldGroup, FiniteFieldShare};
    use crate::alert::Alert;
    use crate::crypto::hash::HashAlgorithm;
    use crate::crypto::random::{Random, RandomFailed, SystemRandom};
    use crate::error::{Error, Result};
    use crate::violation::Violation;

    /// Gives the same bytes each time.
    struct Known(Vec<u8>);

    impl Random for Known {
        fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed> {
            out.copy_from_slice(&self.0);
            Ok(())
        }
    }

    fn share(group: FiniteFieldGroup, exponent: Vec<u8>) -> FiniteFieldShare {
        FiniteFieldShare::generate(group, &Known(exponent)).unwrap()
    }

    fn sha256(bytes: &[u8]) -> String {
        format!("{:?}", HashAlgorithm::Sha256.digest(bytes))
    }

    #[test]
    fn both_sides_get_the_same_secret() {
        for group in FiniteFieldGroup::ALL {
            let ours = FiniteFieldShare::generate(*group, &SystemRandom).unwrap();
            let theirs = FiniteFieldShare::generate(*group, &SystemRandom).unwrap();
            assert_ne!(ours.public(), theirs.public());
            assert_eq!(ours.public().len(), group.prime().len());
            assert_eq!((ours.group(), theirs.group()), (*group, *group));
            let (our_public, their_public) = (ours.public().to_vec(), theirs.public().to_vec());
            let secret = ours.agree(&their_public).unwrap();
            let same = theirs.agree(&our_public).unwrap();
            assert_eq!(secret.as_ref(), same.as_ref(), "{group}");
        }
    }

    /// The public value and the secret of the exponents 01 02 03 … and ff fe fd …: SHA-256 of what Python's
    /// `pow` computes, with primes from the formulas of the RFCs.
    const KNOWN: [(FiniteFieldGroup, &str, &str); 10] = [
        (
            FiniteFieldGroup::Ffdhe2048,
            "53b37a098c5882b9f56495d787706d354ac8ebc273e680a7047c70228ce24ad3",
            "384b3008567b66990508c40d4cdc30e8613c3126ca61d515cfb5da4817024c38",
        ),
        (
            FiniteFieldGroup::Ffdhe3072,
            "38915af78eca68d5d294448119985964195c8924442e6636acfe2e5a2cfa32bc",
            "85a72521814a2b34ff462904c5cb14cffb800cf8230cba97813d2d58f8a8b1aa",
        ),
        (
            FiniteFieldGroup::Ffdhe4096,
            "863b6f6eda7e7b9a65a1589bd51e601ce3ea81edc82888c30a13b2cd3ae90298",
            "4118eec001ceb0c386f97b395b9dad0e3ef58637cb0ea921f4b63fb8b55f8a62",
        ),
        (
            FiniteFieldGroup::Ffdhe6144,
            "e5399ad5c7e68ac67e5760de3eb7b14322a56fdaf1a3771922b707393e951e7f",
            "63edecb9dea81c4bf4e02efb304551a4c57062764ebf697d4dfae70bc4a4dd43",
        ),
        (
            FiniteFieldGroup::Ffdhe8192,
            "0ecefa35bd91aa41e336cbd6c082e484b8ec1743b382ac5c9978b4c67643fb3f",
            "86662f2a0bbff7e658f95409a2b16af1b6033b78518c6cd02fe12e5e1b8a32b5",
        ),
        (
            FiniteFieldGroup::Modp2048,
            "0b9cb9036d2a594a7e3b43169bdf47ee9c7b64a2292203f1bb137b0b648d7e3c",
            "5b91085381e0a37a8ecdcc9c214901b3681eb500e620fa2e7a7f63246879fc43",
        ),
        (
            FiniteFieldGroup::Modp3072,
            "71cd9b27251732586c6a41ac0f0a75656b6a8230b1ec2452d3bca7a4da036034",
            "2aab248c9578f2436ba89dd6fe38cb5a8a64170995429d6219fbc7e437a52224",
        ),
        (
            FiniteFieldGroup::Modp4096,
            "98c3085677538ebfdd402b16495acba6e957e790870ccdca22443050c2fe4768",
            "df4f6e3425c1a15e71abe8d23426328b53606f25d2d987fe90eaa2efb48ea8ec",
        ),
        (
            FiniteFieldGroup::Modp6144,
            "92ab7e413f32d664bc3409384258dda1b703432fec9f2e5a02ab5b507a4e3e13",
            "a1cbfc4304b9ca344064f71bb9f84bd84e85f517826e5ebf1c9d500ed18cf1c5",
        ),
        (
            FiniteFieldGroup::Modp8192,
            "c503dad9d869f57884092c76f3a6745d71f87a7a2d295abe980e58298e3b9851",
            "e52e50fd980f2c7fb42f6b40691871df82f4a41b9a0ba9d7b8ea6e0af7a7314c",
        ),
    ];

    #[test]
    fn public_values_and_secrets_are_those_of_another_implementation() {
        for (group, public, secret) in KNOWN {
            let len = u8::try_from(group.exponent_len()).unwrap();
            let ours = share(group, (1..=len).collect());
            let theirs = share(group, (0..len).map(|at| 255 - at).collect());
            assert_eq!(
                sha256(ours.public()),
                format!("Digest({public})"),
                "{group}"
            );
            let agreed = ours.agree(theirs.public()).unwrap();
            assert_eq!(
                sha256(agreed.as_ref()),
                format!("Digest({secret})"),
                "{group}"
            );
        }
    }

    #[test]
    fn a_secret_loses_its_leading_zero_and_a_public_value_keeps_it() {
        // Found by trying: the secret of these two begins with a zero, and so does the third
        // public value. The digest is computed as above.
        let group = FiniteFieldGroup::Ffdhe2048;
        let (ours, theirs) = (share(group, vec![2; 32]), share(group, vec![184; 32]));
        let secret = ours.agree(theirs.public()).unwrap();
        assert_eq!(secret.as_ref().len(), 255);
        let known = "481264a4d7bab3e4cc9628e8bf8526c27f9b03a7f10ae549a0d35ff5bfdb0815";
        assert_eq!(sha256(secret.as_ref()), format!("Digest({known})"));

        let padded = share(group, vec![195; 32]);
        assert_eq!((padded.public().len(), padded.public()[0]), (256, 0));
        let longer = [&[0; 3], padded.public()].concat();
        let secrets: Vec<_> = [padded.public(), &padded.public()[1..], &longer]
            .map(|public| {
                share(group, vec![2; 32])
                    .agree(public)
                    .unwrap()
                    .as_ref()
                    .to_vec()
            })
            .into();
        assert_eq!(secrets[0], secrets[1]);
        assert_eq!(secrets[0], secrets[2]);
    }

    #[test]
    fn values_that_confine_the_secret_are_refused() {
        for group in FiniteFieldGroup::ALL {
            let p = group.prime();
            let ending_in = |last: u8| [&p[..p.len() - 1], &[last]].concat();
            // Primes end in ff: p - 1, p, and p + 1, which goes past the last eight bytes of ones.
            let mut more = p.to_vec();
            let half = more.len() - 8;
            more[half..].fill(0);
            more[half - 1] += 1;
            let zeros = vec![0; p.len()];
            let all_ones = vec![0xff; p.len()];
            let longer = [&[1][..], &zeros].concat();
            let one = [&zeros[1..], &[1]].concat();
            let refused: [&[u8]; 9] = [
                &[],
                &[0],
                &[1],
                &zeros,
                &one,
                &ending_in(0xfe),
                p,
                &more,
                &all_ones,
            ];
            for value in refused.into_iter().chain([&longer[..]]) {
                let ours = FiniteFieldShare::generate(*group, &SystemRandom).unwrap();
                match ours.agree(value) {
                    Err(Error::PeerViolated { violation, alert }) => {
                        assert_eq!(violation, Violation::BadDiffieHellmanValue);
                        assert_eq!(alert, Alert::HandshakeFailure);
                    }
                    other => panic!("{group}, {value:02x?}: {other:?}"),
                }
            }
            let (least, most) = ([2], ending_in(0xfd));
            for value in [&least[..], &most] {
                let ours = FiniteFieldShare::generate(*group, &SystemRandom).unwrap();
                assert!(ours.agree(value).is_ok(), "{group}, {value:02x?}");
            }
        }
    }

    #[test]
    fn a_source_of_nothing_but_zeros_makes_no_share() {
        let zeros = Known(vec![0; 32]);
        let made = FiniteFieldShare::generate(FiniteFieldGroup::Ffdhe2048, &zeros);
        assert!(matches!(made, Err(Error::RandomFailed)), "{made:?}");
    }

    #[test]
    fn known_groups_are_recognized_however_they_are_written() {
        for group in FiniteFieldGroup::ALL {
            let bits = u32::try_from(group.prime().len()).unwrap() * 8;
            assert_eq!(group.bits(), bits);
            let padded = [&[0, 0][..], group.prime()].concat();
            for (prime, generator) in [(group.prime(), &[2][..]), (&padded, &[0, 0, 2])] {
                let recognized = FiniteFieldGroup::recognize(prime, generator);
                assert_eq!(recognized.unwrap(), *group);
            }
        }
        let numbered = (0..=u16::MAX).filter_map(FiniteFieldGroup::from_u16);
        assert!(numbered.eq(FiniteFieldGroup::ALL[..5].iter().copied()));
    }

    fn refusal(prime: &[u8], generator: &[u8]) -> (u32, Alert, String) {
        let error = FiniteFieldGroup::recognize(prime, generator).unwrap_err();
        match error {
            Error::UnsafeGroup { bits, alert } => (bits, alert, error.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_group_that_is_too_small_is_refused_with_its_size() {
        for (prime, bits) in [
            (vec![0xff; 128], 1024),
            ([vec![0; 128], vec![0xff; 64]].concat(), 512),
            ([vec![0x7f], vec![0xff; 255]].concat(), 2047),
            (vec![3], 2),
            (vec![0; 256], 0),
            (vec![], 0),
        ] {
            let (found, alert, sentence) = refusal(&prime, &[2]);
            assert_eq!((found, alert), (bits, Alert::InsufficientSecurity));
            let expected = format!("group has {bits} bits; at least 2048 are needed.");
            assert!(sentence.contains(&expected), "{sentence}");
            assert!(sentence.contains("dhparam"), "{sentence}");
        }
    }

    #[test]
    fn a_group_that_nobody_knows_is_refused_whatever_its_size() {
        let known = FiniteFieldGroup::Ffdhe2048.prime();
        let mut other = known.to_vec();
        other[100] ^= 1;
        let huge = vec![0xff; 65535];
        let cases: [(&[u8], &[u8], u32); 7] = [
            (&other, &[2], 2048),
            (known, &[5], 2048),
            (known, &[2, 0], 2048),
            (known, &[], 2048),
            (known, &[1], 2048),
            (&[known, &[0xff]].concat(), &[2], 2056),
            (&huge, &[2], 524_280),
        ];
        for (prime, generator, bits) in cases {
            let (found, alert, sentence) = refusal(prime, generator);
            assert_eq!((found, alert), (bits, Alert::HandshakeFailure));
            let expected = format!("of {bits} bits is not one of RFC 7919 or RFC 3526");
            assert!(sentence.contains(&expected), "{sentence}");
        }
    }

    #[test]
    fn a_share_does_not_print_its_exponent() {
        let printed = format!("{:?}", share(FiniteFieldGroup::Modp2048, vec![7; 32]));
        assert_eq!(printed, "FiniteFieldShare { group: Modp2048, .. }");
    }
}
