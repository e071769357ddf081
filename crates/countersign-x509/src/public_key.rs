//! `SubjectPublicKeyInfo`: the kind, the size and the strength of a key (RFC 5280 §4.1.2.7).

use crate::algorithm::{AlgorithmIdentifier, SignatureAlgorithm};
use crate::der::{Reader, Result, tag};
use crate::oid::Oid;

/// A public key as a certificate carries it. Nothing about the key itself is checked until it
/// is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKeyInfo<'a> {
    der: &'a [u8],
    algorithm: KeyAlgorithm,
    identifier: AlgorithmIdentifier<'a>,
    key: &'a [u8],
    /// It is asked for again and again, and that of an RSA key is inside.
    bits: Option<u32>,
}

/// What a public key is for, and on which curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// rsaEncryption: may make signatures of both paddings.
    Rsa,
    /// id-RSASSA-PSS: may make PSS signatures only.
    RsaPss,
    /// An elliptic curve over a prime field, by name.
    Ec(EcCurve),
    /// An elliptic curve whose parameters are spelled out, which RFC 5480 §2.1.1 forbids.
    EcExplicit,
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// X25519: key agreement only.
    X25519,
    /// X448: key agreement only.
    X448,
    /// DSA.
    Dsa,
    /// ML-DSA-44.
    MlDsa44,
    /// ML-DSA-65.
    MlDsa65,
    /// ML-DSA-87.
    MlDsa87,
    /// None of these: [`PublicKeyInfo::identifier`] has its object identifier.
    Unknown,
}

/// A named curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EcCurve {
    /// P-192, secp192r1.
    P192,
    /// P-224, secp224r1.
    P224,
    /// P-256, secp256r1.
    P256,
    /// P-384, secp384r1.
    P384,
    /// P-521, secp521r1.
    P521,
    /// secp256k1.
    Secp256k1,
    /// None of these: the parameters of [`PublicKeyInfo::identifier`] name it.
    Other,
}

impl<'a> PublicKeyInfo<'a> {
    /// Reads a `SubjectPublicKeyInfo` that is all of `der`.
    pub fn from_der(der: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(der);
        let info = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(info)
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let element = reader.expect_element(tag::SEQUENCE)?;
        let mut content = element.content;
        let identifier = AlgorithmIdentifier::read(&mut content)?;
        let bits = content;
        let key = content
            .bit_string()?
            .whole_bytes()
            .ok_or_else(|| bits.fault(crate::der::Malformed::BadBitString))?;
        content.finish()?;
        let mut info = Self {
            der: element.whole,
            algorithm: KeyAlgorithm::of(&identifier),
            identifier,
            key,
            bits: None,
        };
        info.bits = info.count_bits();
        Ok(info)
    }

    /// One that was read before: its parts, and what kind and how long the key is.
    pub(crate) const fn known(
        der: &'a [u8],
        identifier: AlgorithmIdentifier<'a>,
        key: &'a [u8],
        (algorithm, bits): (KeyAlgorithm, Option<u32>),
    ) -> Self {
        Self {
            der,
            algorithm,
            identifier,
            key,
            bits,
        }
    }

    /// The whole `SubjectPublicKeyInfo`.
    pub const fn der(&self) -> &'a [u8] {
        self.der
    }

    /// What kind of key it is.
    pub const fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The algorithm as it stands, with its parameters.
    pub const fn identifier(&self) -> AlgorithmIdentifier<'a> {
        self.identifier
    }

    /// The content of the BIT STRING: an `RSAPublicKey`, a point, or the raw key.
    pub const fn key_bytes(&self) -> &'a [u8] {
        self.key
    }

    /// Modulus and exponent of an RSA key, without leading zeros; `None` if it is none or is
    /// not well-formed (RFC 8017 §A.1.1).
    pub fn rsa_components(&self) -> Option<(&'a [u8], &'a [u8])> {
        if !matches!(self.algorithm, KeyAlgorithm::Rsa | KeyAlgorithm::RsaPss) {
            return None;
        }
        let mut outer = Reader::new(self.key);
        let mut pair = outer.sequence().ok()?;
        let modulus = pair.expect(tag::INTEGER).ok()?.as_unsigned().ok()?;
        let exponent = pair.expect(tag::INTEGER).ok()?.as_unsigned().ok()?;
        pair.finish().and(outer.finish()).ok()?;
        Some((modulus, exponent))
    }

    /// The size of the key in bits, as OpenSSL's `EVP_PKEY_get_bits` counts; `None` if
    /// the key is of an unknown kind or not well-formed.
    pub const fn bits(&self) -> Option<u32> {
        self.bits
    }

    fn count_bits(&self) -> Option<u32> {
        match self.algorithm {
            KeyAlgorithm::Rsa | KeyAlgorithm::RsaPss => bit_length(self.rsa_components()?.0),
            KeyAlgorithm::Ec(curve) => self.curve_bits(curve),
            KeyAlgorithm::Ed25519 => (self.key.len() == 32).then_some(256),
            KeyAlgorithm::X25519 => (self.key.len() == 32).then_some(253),
            KeyAlgorithm::Ed448 => (self.key.len() == 57).then_some(456),
            KeyAlgorithm::X448 => (self.key.len() == 56).then_some(448),
            KeyAlgorithm::Dsa => bit_length(self.dsa_primes()?.0),
            KeyAlgorithm::MlDsa44 | KeyAlgorithm::MlDsa65 | KeyAlgorithm::MlDsa87 => {
                u32::try_from(self.key.len()).ok()?.checked_mul(8)
            }
            KeyAlgorithm::EcExplicit => self.point_bits(),
            KeyAlgorithm::Unknown => None,
        }
    }

    /// The strength of the key in bits, as OpenSSL's `EVP_PKEY_get_security_bits` counts;
    /// 0 if the key is of an unknown kind or not well-formed.
    pub fn security_bits(&self) -> u32 {
        match self.algorithm {
            KeyAlgorithm::Rsa | KeyAlgorithm::RsaPss => self.bits().map_or(0, rsa_security_bits),
            KeyAlgorithm::Ec(_) | KeyAlgorithm::EcExplicit => {
                self.bits().map_or(0, ec_security_bits)
            }
            KeyAlgorithm::Ed25519 | KeyAlgorithm::X25519 if self.bits().is_some() => 128,
            KeyAlgorithm::Ed448 | KeyAlgorithm::X448 if self.bits().is_some() => 224,
            KeyAlgorithm::Dsa => self.dsa_security_bits().unwrap_or(0),
            KeyAlgorithm::MlDsa44 => 128,
            KeyAlgorithm::MlDsa65 => 192,
            KeyAlgorithm::MlDsa87 => 256,
            _ => 0,
        }
    }

    /// Whether a signature of this algorithm can have been made with this key: same family,
    /// and an RSASSA-PSS key makes no PKCS #1 v1.5 signature. OpenSSL's code 77 asks this.
    pub const fn can_make(&self, signature: &SignatureAlgorithm) -> bool {
        use SignatureAlgorithm as S;
        match self.algorithm {
            KeyAlgorithm::Rsa => matches!(signature, S::RsaPkcs1(_) | S::RsaPss(_)),
            KeyAlgorithm::RsaPss => matches!(signature, S::RsaPss(_)),
            KeyAlgorithm::Ec(_) | KeyAlgorithm::EcExplicit => matches!(signature, S::Ecdsa(_)),
            KeyAlgorithm::Ed25519 => matches!(signature, S::Ed25519),
            KeyAlgorithm::Ed448 => matches!(signature, S::Ed448),
            KeyAlgorithm::Dsa => matches!(signature, S::Dsa(_)),
            KeyAlgorithm::MlDsa44 => matches!(signature, S::MlDsa44),
            KeyAlgorithm::MlDsa65 => matches!(signature, S::MlDsa65),
            KeyAlgorithm::MlDsa87 => matches!(signature, S::MlDsa87),
            KeyAlgorithm::X25519 | KeyAlgorithm::X448 | KeyAlgorithm::Unknown => false,
        }
    }

    fn curve_bits(&self, curve: EcCurve) -> Option<u32> {
        let bits: u32 = match curve {
            EcCurve::P192 => 192,
            EcCurve::P224 => 224,
            EcCurve::P256 | EcCurve::Secp256k1 => 256,
            EcCurve::P384 => 384,
            EcCurve::P521 => 521,
            EcCurve::Other => return self.point_bits(),
        };
        let width = bits.div_ceil(8);
        let length = u32::try_from(self.key.len()).ok()?.checked_sub(1)?;
        let fits = match self.key.first()? {
            0x02 | 0x03 => length == width,
            0x04 => length / 2 == width && length % 2 == 0,
            _ => false,
        };
        fits.then_some(bits)
    }

    /// On a curve not in the table the width of the coordinates must serve.
    fn point_bits(&self) -> Option<u32> {
        let length = u32::try_from(self.key.len()).ok()?.checked_sub(1)?;
        match self.key.first()? {
            0x02 | 0x03 => length.checked_mul(8),
            0x04 => length.checked_mul(4),
            _ => None,
        }
    }

    /// The primes p and q (RFC 3279 §2.3.2).
    fn dsa_primes(&self) -> Option<(&'a [u8], &'a [u8])> {
        let mut parameters = Reader::new(self.identifier.parameters()?);
        let mut group = parameters.sequence().ok()?;
        let p = group.expect(tag::INTEGER).ok()?.as_unsigned().ok()?;
        let q = group.expect(tag::INTEGER).ok()?.as_unsigned().ok()?;
        Some((p, q))
    }

    /// OpenSSL's `BN_security_bits`.
    fn dsa_security_bits(&self) -> Option<u32> {
        let (p, q) = self.dsa_primes()?;
        let of_p = match bit_length(p)? {
            15360.. => 256,
            7680.. => 192,
            3072.. => 128,
            2048.. => 112,
            1024.. => 80,
            _ => 0,
        };
        let of_q = bit_length(q)? / 2;
        Some(if of_q < 80 { 0 } else { of_p.min(of_q) })
    }
}

impl KeyAlgorithm {
    fn of(identifier: &AlgorithmIdentifier<'_>) -> Self {
        match identifier.oid().as_bytes() {
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01] => Self::Rsa,
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a] => Self::RsaPss,
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01] => Self::of_ec(identifier),
            [0x2b, 0x65, 0x6e] => Self::X25519,
            [0x2b, 0x65, 0x6f] => Self::X448,
            [0x2b, 0x65, 0x70] => Self::Ed25519,
            [0x2b, 0x65, 0x71] => Self::Ed448,
            [0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01] => Self::Dsa,
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11] => Self::MlDsa44,
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x12] => Self::MlDsa65,
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x13] => Self::MlDsa87,
            _ => Self::Unknown,
        }
    }

    fn of_ec(identifier: &AlgorithmIdentifier<'_>) -> Self {
        let mut parameters = Reader::new(identifier.parameters().unwrap_or_default());
        if parameters.next_is(tag::SEQUENCE) {
            return Self::EcExplicit;
        }
        match parameters.object_identifier() {
            Ok(curve) => Self::Ec(EcCurve::of(curve)),
            Err(_) => Self::Unknown,
        }
    }
}

impl EcCurve {
    fn of(oid: Oid<'_>) -> Self {
        match oid.as_bytes() {
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x01] => Self::P192,
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07] => Self::P256,
            [0x2b, 0x81, 0x04, 0x00, 0x21] => Self::P224,
            [0x2b, 0x81, 0x04, 0x00, 0x22] => Self::P384,
            [0x2b, 0x81, 0x04, 0x00, 0x23] => Self::P521,
            [0x2b, 0x81, 0x04, 0x00, 0x0a] => Self::Secp256k1,
            _ => Self::Other,
        }
    }
}

fn bit_length(magnitude: &[u8]) -> Option<u32> {
    let first = magnitude.first()?;
    u32::try_from(magnitude.len())
        .ok()?
        .checked_mul(8)?
        .checked_sub(first.leading_zeros())
}

/// OpenSSL's `ECDSA` strength (NIST SP 800-57 part 1, table 2).
const fn ec_security_bits(bits: u32) -> u32 {
    match bits {
        512.. => 256,
        384.. => 192,
        256.. => 128,
        224.. => 112,
        160.. => 80,
        _ => bits / 2,
    }
}

/// OpenSSL's `ossl_ifc_ffc_compute_security_bits`: the table of NIST SP 800-56B, and between
/// its rows the formula of appendix D, in the same fixed point so that the same integers
/// come out.
fn rsa_security_bits(bits: u32) -> u32 {
    let cap = match bits {
        2048 => return 112,
        3072 => return 128,
        4096 => return 152,
        6144 => return 176,
        7680 => return 192,
        8192 => return 200,
        15360 => return 256,
        687_737.. => return 1200,
        0..8 => return 0,
        8..=7680 => 192,
        7681..=15360 => 256,
        _ => 1200,
    };
    general_number_field_sieve_bits(u64::from(bits))
        .unwrap_or(0)
        .min(cap)
}

const SCALE: u64 = 1 << 18;
/// `SCALE * ln 2`.
const LN_2: u64 = 0x02_c5c8;
/// `SCALE * log2 e`.
const LOG2_E: u64 = 0x05_c551;

/// `(1.923 * cbrt(x * ln(x)^2) - 4.69) / ln 2` where `x = bits * ln 2`, to the nearest
/// multiple of eight.
fn general_number_field_sieve_bits(bits: u64) -> Option<u32> {
    let x = bits.checked_mul(LN_2)?;
    let ln_x = natural_logarithm(x)?;
    let cube = scaled_product(scaled_product(x, ln_x)?, ln_x)?;
    let work = scaled_product(0x07_b126, cube_root(cube)?)?.checked_sub(0x12_c28f)?;
    let strength = u32::try_from(work / LN_2).ok()?;
    Some(strength.checked_add(4)? & !7)
}

fn scaled_product(a: u64, b: u64) -> Option<u64> {
    Some(a.checked_mul(b)? / SCALE)
}

/// Cube root of a number scaled by `SCALE`, bit by bit from the top.
fn cube_root(mut x: u64) -> Option<u64> {
    let mut root: u64 = 0;
    for shift in (0..=63).rev().step_by(3) {
        root = root.checked_mul(2)?;
        let step = root
            .checked_add(1)?
            .checked_mul(root)?
            .checked_mul(3)?
            .checked_add(1)?;
        if x.checked_shr(shift)? >= step {
            x = x.checked_sub(step.checked_shl(shift)?)?;
            root = root.checked_add(1)?;
        }
    }
    // The cube root of the scale.
    root.checked_mul(1 << 12)
}

/// Natural logarithm of a number scaled by `SCALE`.
fn natural_logarithm(mut x: u64) -> Option<u64> {
    let mut log2: u64 = 0;
    while x >= 2 * SCALE {
        x >>= 1;
        log2 = log2.checked_add(SCALE)?;
    }
    let mut bit = SCALE / 2;
    while bit != 0 {
        x = scaled_product(x, x)?;
        if x >= 2 * SCALE {
            x >>= 1;
            log2 = log2.checked_add(bit)?;
        }
        bit /= 2;
    }
    Some(log2.checked_mul(SCALE)? / LOG2_E)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::encode::{element, sequence};

    fn info(algorithm: &[&[u8]], key: &[u8]) -> Vec<u8> {
        sequence(&[
            &sequence(algorithm),
            &element(tag::BIT_STRING, &[&[0], key]),
        ])
    }

    fn oid(content: &[u8]) -> Vec<u8> {
        element(tag::OBJECT_IDENTIFIER, &[content])
    }

    const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

    #[test]
    fn rsa_strength_is_what_openssl_counts() {
        for (bits, strength) in [
            (0, 0),
            (1, 0),
            (7, 0),
            (256, 40),
            (512, 56),
            (1024, 80),
            (2048, 112),
            (2468, 120),
            (3072, 128),
            (4096, 152),
            (6144, 176),
            (7679, 192),
            (7680, 192),
            (7681, 200),
            (8192, 200),
            (8888, 208),
            (13456, 248),
            (15359, 256),
            (15360, 256),
            (15361, 264),
            (687_737, 1200),
            (u32::MAX, 1200),
        ] {
            assert_eq!(rsa_security_bits(bits), strength, "{bits}");
        }
    }

    #[test]
    fn an_rsa_key_has_the_size_of_its_modulus() {
        let modulus = [&[0x00][..], &[0x81; 256]].concat();
        let key = sequence(&[
            &element(tag::INTEGER, &[&modulus]),
            &element(tag::INTEGER, &[&[3]]),
        ]);
        let der = info(&[&oid(RSA), &[0x05, 0x00]], &key);
        let info = PublicKeyInfo::from_der(&der).unwrap();
        assert_eq!(info.algorithm(), KeyAlgorithm::Rsa);
        assert_eq!(info.bits(), Some(2048));
        assert_eq!(info.security_bits(), 112);
        assert_eq!(info.rsa_components(), Some((&modulus[1..], &[3][..])));
        assert_eq!(info.der(), der);
    }

    #[test]
    fn an_unreadable_rsa_key_has_no_size_and_no_strength() {
        for key in [
            &[][..],
            &[0x30, 0x00],
            &[0x30, 0x06, 0x02, 0x01, 0x81, 0x02, 0x01, 0x03],
        ] {
            let der = info(&[&oid(RSA), &[0x05, 0x00]], key);
            let info = PublicKeyInfo::from_der(&der).unwrap();
            assert_eq!((info.bits(), info.security_bits()), (None, 0), "{key:02x?}");
        }
    }

    #[test]
    fn a_curve_gives_size_and_strength_if_the_point_has_its_width() {
        let curve = |last: &[u8]| oid(last);
        for (oid_of_curve, point, bits, strength) in [
            (
                &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07][..],
                vec![4; 65],
                Some(256),
                128,
            ),
            (
                &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
                vec![2; 33],
                Some(256),
                128,
            ),
            (
                &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
                vec![4; 64],
                None,
                0,
            ),
            (
                &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
                vec![],
                None,
                0,
            ),
            (&[0x2b, 0x81, 0x04, 0x00, 0x21], vec![4; 57], Some(224), 112),
            (&[0x2b, 0x81, 0x04, 0x00, 0x22], vec![4; 97], Some(384), 192),
            (
                &[0x2b, 0x81, 0x04, 0x00, 0x23],
                vec![4; 133],
                Some(521),
                256,
            ),
            (
                &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x01],
                vec![4; 49],
                Some(192),
                80,
            ),
            // brainpoolP256r1, known by its width only.
            (
                &[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07],
                vec![4; 65],
                Some(256),
                128,
            ),
        ] {
            let der = info(&[&oid(EC), &curve(oid_of_curve)], &point);
            let info = PublicKeyInfo::from_der(&der).unwrap();
            assert_eq!(
                (info.bits(), info.security_bits()),
                (bits, strength),
                "{oid_of_curve:02x?}"
            );
        }
    }

    #[test]
    fn explicit_parameters_are_told_apart() {
        let der = info(&[&oid(EC), &sequence(&[])], &[4; 65]);
        let explicit = PublicKeyInfo::from_der(&der).unwrap();
        assert_eq!(explicit.algorithm(), KeyAlgorithm::EcExplicit);
        let der = info(&[&oid(EC), &[0x05, 0x00]], &[4; 65]);
        let implicit = PublicKeyInfo::from_der(&der).unwrap();
        assert!(matches!(implicit.algorithm(), KeyAlgorithm::Unknown));
    }

    #[test]
    fn dsa_is_as_strong_as_the_weaker_of_its_primes() {
        let dsa = oid(&[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01]);
        for (p, q, strength) in [
            (128, 20, 80),
            (256, 28, 112),
            (256, 32, 112),
            (128, 19, 0),
            (64, 20, 0),
        ] {
            let number = |width| element(tag::INTEGER, &[&[0], &vec![0xff; width]]);
            let der = info(
                &[&dsa, &sequence(&[&number(p), &number(q), &[2, 1, 2]])],
                &[2, 1, 9],
            );
            assert_eq!(
                PublicKeyInfo::from_der(&der).unwrap().security_bits(),
                strength
            );
        }
    }
}
