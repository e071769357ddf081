//! `AlgorithmIdentifier`, and the signature algorithms that certificates are signed with
//! (RFC 5280 §4.1.1.2, RFC 4055, RFC 5758, RFC 8410, RFC 9881).

use crate::der::{Reader, Result, tag};
use crate::oid::Oid;

/// An algorithm with its parameters, as it stands in the encoding.
///
/// Two are equal if their encodings are.
#[derive(Clone, Copy, Debug)]
pub struct AlgorithmIdentifier<'a> {
    der: &'a [u8],
    oid: Oid<'a>,
    parameters: Option<&'a [u8]>,
}

impl<'a> AlgorithmIdentifier<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let element = reader.expect_element(tag::SEQUENCE)?;
        let mut content = element.content;
        let oid = content.object_identifier()?;
        let parameters = if content.is_empty() {
            None
        } else {
            Some(content.element()?.whole)
        };
        content.finish()?;
        Ok(Self {
            der: element.whole,
            oid,
            parameters,
        })
    }

    /// Reads one that is most likely the same as another.
    pub(crate) fn read_like(other: Self, reader: &mut Reader<'a>) -> Result<Self> {
        match reader.skip(other.der) {
            Some(der) => Ok(Self { der, ..other }),
            None => Self::read(reader),
        }
    }

    /// One that was read before.
    pub(crate) const fn known(der: &'a [u8], oid: Oid<'a>, parameters: Option<&'a [u8]>) -> Self {
        Self {
            der,
            oid,
            parameters,
        }
    }

    /// The whole encoding.
    pub const fn der(&self) -> &'a [u8] {
        self.der
    }

    /// The algorithm.
    pub const fn oid(&self) -> Oid<'a> {
        self.oid
    }

    /// The DER of the parameters, if there are any; NULL counts as parameters.
    pub const fn parameters(&self) -> Option<&'a [u8]> {
        self.parameters
    }

    /// The signature algorithm this names.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::of(self)
    }

    fn parameters_are_absent_or_null(&self) -> bool {
        matches!(self.parameters, None | Some([tag::NULL, 0]))
    }
}

impl PartialEq for AlgorithmIdentifier<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for AlgorithmIdentifier<'_> {}

/// The hash function within a signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Digest {
    /// MD5. Known so that it can be named; no signature with it is ever accepted.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Digest {
    /// The length of the output in bytes.
    pub const fn output_length(self) -> u32 {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The bits that a signature over this digest counts for at a security level: half the
    /// output, less where collisions are known to be cheaper (OpenSSL's figures).
    pub const fn security_bits(self) -> u32 {
        match self {
            Self::Md5 => 39,
            Self::Sha1 => 63,
            _ => self.output_length().saturating_mul(4),
        }
    }

    pub(crate) fn of(oid: Oid<'_>) -> Option<Self> {
        Some(match oid.as_bytes() {
            [0x2b, 0x0e, 0x03, 0x02, 0x1a] => Self::Sha1,
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last] => match last {
                1 => Self::Sha256,
                2 => Self::Sha384,
                3 => Self::Sha512,
                4 => Self::Sha224,
                _ => return None,
            },
            _ => return None,
        })
    }
}

/// The parameters of RSASSA-PSS (RFC 4055 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PssParameters {
    /// The hash of the message.
    pub digest: Digest,
    /// The hash within the mask generation function MGF1.
    pub mask_digest: Digest,
    /// The length of the salt in bytes.
    pub salt_length: u32,
}

/// How a certificate or CRL is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1(Digest),
    /// RSASSA-PSS.
    RsaPss(PssParameters),
    /// ECDSA; the curve is the key's.
    Ecdsa(Digest),
    /// DSA, never accepted.
    Dsa(Digest),
    /// Ed25519.
    Ed25519,
    /// Ed448, known but not supported.
    Ed448,
    /// ML-DSA-44.
    MlDsa44,
    /// ML-DSA-65.
    MlDsa65,
    /// ML-DSA-87.
    MlDsa87,
    /// None of these, or with parameters that do not belong to it: [`AlgorithmIdentifier::oid`] tells which.
    Unknown,
}

impl SignatureAlgorithm {
    /// The strength in bits that a security level demands of a signature: that of the digest,
    /// as OpenSSL's `X509_get_signature_info` says. 0 if unknown.
    pub const fn security_bits(&self) -> u32 {
        match self {
            Self::RsaPkcs1(digest) | Self::Ecdsa(digest) | Self::Dsa(digest) => {
                digest.security_bits()
            }
            Self::RsaPss(parameters) => parameters.digest.security_bits(),
            Self::Ed25519 | Self::MlDsa44 => 128,
            Self::Ed448 => 224,
            Self::MlDsa65 => 192,
            Self::MlDsa87 => 256,
            Self::Unknown => 0,
        }
    }

    fn of(identifier: &AlgorithmIdentifier<'_>) -> Self {
        let null_or_absent = identifier.parameters_are_absent_or_null();
        let absent = identifier.parameters.is_none();
        let found = match identifier.oid.as_bytes() {
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a] => identifier
                .parameters
                .and_then(pss_parameters)
                .map(Self::RsaPss),
            // RFC 4055 §5: the parameters MUST be NULL, and MUST be accepted when absent.
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, last] => pkcs1_digest(*last)
                .filter(|_| null_or_absent)
                .map(Self::RsaPkcs1),
            // RFC 5758 §3.2: the parameters MUST be absent. Old software wrote NULL.
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, last @ ..] => ecdsa_digest(last)
                .filter(|_| null_or_absent)
                .map(Self::Ecdsa),
            [0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x03] => Some(Self::Dsa(Digest::Sha1)),
            [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, last] => match last {
                0x01 => Some(Self::Dsa(Digest::Sha224)),
                0x02 => Some(Self::Dsa(Digest::Sha256)),
                0x11 => Some(Self::MlDsa44).filter(|_| absent),
                0x12 => Some(Self::MlDsa65).filter(|_| absent),
                0x13 => Some(Self::MlDsa87).filter(|_| absent),
                _ => None,
            },
            // RFC 8410 §3: the parameters MUST be absent.
            [0x2b, 0x65, 0x70] => Some(Self::Ed25519).filter(|_| absent),
            [0x2b, 0x65, 0x71] => Some(Self::Ed448).filter(|_| absent),
            _ => None,
        };
        found.unwrap_or(Self::Unknown)
    }
}

/// 1.2.840.113549.1.1.x
fn pkcs1_digest(last: u8) -> Option<Digest> {
    Some(match last {
        4 => Digest::Md5,
        5 => Digest::Sha1,
        11 => Digest::Sha256,
        12 => Digest::Sha384,
        13 => Digest::Sha512,
        14 => Digest::Sha224,
        _ => return None,
    })
}

/// 1.2.840.10045.4.x
fn ecdsa_digest(last: &[u8]) -> Option<Digest> {
    Some(match last {
        [1] => Digest::Sha1,
        [3, 1] => Digest::Sha224,
        [3, 2] => Digest::Sha256,
        [3, 3] => Digest::Sha384,
        [3, 4] => Digest::Sha512,
        _ => return None,
    })
}

/// `RSASSA-PSS-params`: everything has a default (RFC 4055 §3.1).
fn pss_parameters(der: &[u8]) -> Option<PssParameters> {
    let mut reader = Reader::new(der);
    let mut fields = reader.sequence().ok()?;
    let digest = match fields.optional(tag::constructed(0)).ok()? {
        Some(hash) => hash_algorithm(hash)?,
        None => Digest::Sha1,
    };
    let mask_digest = match fields.optional(tag::constructed(1)).ok()? {
        Some(mask) => mask_algorithm(mask)?,
        None => Digest::Sha1,
    };
    let salt_length = match fields.optional(tag::constructed(2)).ok()? {
        Some(mut salt) => {
            let length = salt.expect(tag::INTEGER).ok()?.as_count().ok()?;
            salt.finish().ok()?;
            length
        }
        None => 20,
    };
    if let Some(mut trailer) = fields.optional(tag::constructed(3)).ok()? {
        let one = trailer.integer().ok()? == [1];
        trailer.finish().ok().filter(|()| one)?;
    }
    fields.finish().and(reader.finish()).ok()?;
    Some(PssParameters {
        digest,
        mask_digest,
        salt_length,
    })
}

fn hash_algorithm(mut reader: Reader<'_>) -> Option<Digest> {
    let identifier = AlgorithmIdentifier::read(&mut reader).ok()?;
    reader.finish().ok()?;
    Digest::of(identifier.oid).filter(|_| identifier.parameters_are_absent_or_null())
}

fn mask_algorithm(mut reader: Reader<'_>) -> Option<Digest> {
    let identifier = AlgorithmIdentifier::read(&mut reader).ok()?;
    reader.finish().ok()?;
    // id-mgf1, 1.2.840.113549.1.1.8
    let is_mgf1 =
        identifier.oid.as_bytes() == [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08];
    identifier
        .parameters
        .filter(|_| is_mgf1)
        .and_then(|hash| hash_algorithm(Reader::new(hash)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::encode::{element, sequence};

    const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    const PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
    const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08];
    const NULL: &[u8] = &[tag::NULL, 0];

    fn identifier(oid: &[u8], parameters: &[u8]) -> Vec<u8> {
        sequence(&[&element(tag::OBJECT_IDENTIFIER, &[oid]), parameters])
    }

    fn is_unknown(oid: &[u8], parameters: &[u8]) -> bool {
        let der = identifier(oid, parameters);
        let identifier = AlgorithmIdentifier::read(&mut Reader::new(&der)).unwrap();
        matches!(
            identifier.signature_algorithm(),
            SignatureAlgorithm::Unknown
        )
    }

    fn pss(fields: &[&[u8]]) -> Option<PssParameters> {
        pss_parameters(&sequence(fields))
    }

    #[test]
    fn parameters_must_belong_to_the_algorithm() {
        let rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
        let ecdsa = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
        let ed25519 = [0x2b, 0x65, 0x70];
        for (oid, none, null, other) in [
            (&rsa[..], true, true, false),
            (&ecdsa, true, true, false),
            (&ed25519, true, false, false),
            (PSS, false, false, true),
        ] {
            assert_eq!(!is_unknown(oid, &[]), none, "{oid:02x?}");
            assert_eq!(!is_unknown(oid, NULL), null, "{oid:02x?}");
            assert_eq!(!is_unknown(oid, &sequence(&[])), other, "{oid:02x?}");
        }
    }

    #[test]
    fn pss_has_the_defaults_of_rfc_4055() {
        let sha1 = PssParameters {
            digest: Digest::Sha1,
            mask_digest: Digest::Sha1,
            salt_length: 20,
        };
        assert_eq!(pss(&[]), Some(sha1));
    }

    #[test]
    fn pss_parameters_are_read_in_full() {
        let hash = element(0xa0, &[&identifier(SHA256, NULL)]);
        let mask = element(0xa1, &[&identifier(MGF1, &identifier(SHA256, &[]))]);
        let salt = element(0xa2, &[&[2, 1, 32]]);
        let trailer = element(0xa3, &[&[2, 1, 1]]);
        let sha256 = PssParameters {
            digest: Digest::Sha256,
            mask_digest: Digest::Sha256,
            salt_length: 32,
        };
        assert_eq!(pss(&[&hash, &mask, &salt]), Some(sha256));
        assert_eq!(pss(&[&hash, &mask, &salt, &trailer]), Some(sha256));
        assert_eq!(pss(&[&mask, &hash]), None);
        assert_eq!(
            pss(&[&hash, &element(0xa1, &[&identifier(MGF1, &[])])]),
            None
        );
        assert_eq!(
            pss(&[
                &hash,
                &element(0xa1, &[&identifier(PSS, &identifier(SHA256, &[]))])
            ]),
            None
        );
        assert_eq!(pss(&[&element(0xa2, &[&[2, 1, 0x80]])]), None);
        assert_eq!(pss(&[&element(0xa3, &[&[2, 1, 2]])]), None);
        assert_eq!(pss(&[&[0xa4, 0]]), None);
    }

    #[test]
    fn the_strength_of_a_signature_is_that_of_its_digest() {
        for (digest, bits) in [
            (Digest::Md5, 39),
            (Digest::Sha1, 63),
            (Digest::Sha224, 112),
            (Digest::Sha256, 128),
            (Digest::Sha384, 192),
            (Digest::Sha512, 256),
        ] {
            assert_eq!(SignatureAlgorithm::Ecdsa(digest).security_bits(), bits);
        }
    }
}
