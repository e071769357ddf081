//! OCSP responses (RFC 6960 §4.2): what a responder says about the status of certificates.

use core::fmt;

use crate::algorithm::{AlgorithmIdentifier, Digest};
use crate::certificate::{Certificate, Signed};
use crate::checks::signature::hash;
use crate::crl::RevocationReason;
use crate::der::{Item, List, Malformed, Reader, Result, tag};
use crate::extensions::Extensions;
use crate::name::Name;
use crate::time::Time;

/// id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1.
const BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];

/// What a responder answered, as it is stapled to a handshake: an answer, or that there is none.
///
/// ```
/// use countersign_x509::{OcspResponse, OcspResponseStatus};
/// // OCSPResponse with the status tryLater.
/// let response = OcspResponse::parse(&[0x30, 0x03, 0x0a, 0x01, 0x03])?;
/// assert!(matches!(response, OcspResponse::Unsuccessful(OcspResponseStatus::TryLater)));
/// # Ok::<(), countersign_x509::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant, reason = "parsing allocates nothing")]
#[non_exhaustive]
pub enum OcspResponse<'a> {
    /// The responder answered. Whether the answer is true is not known yet.
    Basic(BasicOcspResponse<'a>),
    /// The responder did not answer; nobody signed this.
    Unsuccessful(OcspResponseStatus),
}

/// Why a responder did not answer (RFC 6960 §4.2.1, `OCSPResponseStatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OcspResponseStatus {
    /// It did not understand the request.
    MalformedRequest,
    /// Something went wrong inside it.
    InternalError,
    /// It is busy.
    TryLater,
    /// The request has to be signed.
    SignatureRequired,
    /// It does not answer the one who asks.
    Unauthorized,
}

impl<'a> OcspResponse<'a> {
    /// Reads a response that is all of `der`. Nothing is allocated; every part is checked, except
    /// that the certificates in it are not read.
    pub fn parse(der: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(der);
        let mut outer = reader.sequence()?;
        reader.finish()?;
        let status = outer.expect(tag::ENUMERATED)?;
        let unsuccessful = match status.as_integer()? {
            [0] => None,
            [1] => Some(OcspResponseStatus::MalformedRequest),
            [2] => Some(OcspResponseStatus::InternalError),
            [3] => Some(OcspResponseStatus::TryLater),
            [5] => Some(OcspResponseStatus::SignatureRequired),
            [6] => Some(OcspResponseStatus::Unauthorized),
            _ => return Err(status.fault(Malformed::UnknownResponseStatus)),
        };
        // RFC 6960 §4.2.1: if the value of responseStatus is one of the error conditions, the
        // responseBytes field is not set.
        if let Some(status) = unsuccessful {
            outer.finish()?;
            return Ok(Self::Unsuccessful(status));
        }
        let mut wrapper = outer.expect(tag::constructed(0))?;
        outer.finish()?;
        let mut bytes = wrapper.sequence()?;
        wrapper.finish()?;
        let kind = bytes;
        if bytes.object_identifier()?.as_bytes() != BASIC {
            return Err(kind.fault(Malformed::UnknownResponseType));
        }
        let mut response = bytes.octet_string()?;
        bytes.finish()?;
        let basic = BasicOcspResponse::read(&mut response)?;
        response.finish()?;
        Ok(Self::Basic(basic))
    }
}

/// A signed answer (RFC 6960 §4.2.1, `BasicOCSPResponse`).
#[derive(Clone, Copy)]
pub struct BasicOcspResponse<'a> {
    responder: ResponderId<'a>,
    produced_at: Time,
    responses: SingleResponses<'a>,
    extensions: Extensions<'a>,
    signed: Signed<'a>,
    certificates: List<'a, Encoded<'a>>,
}

/// A sequence of [`SingleResponse`]s.
pub type SingleResponses<'a> = List<'a, SingleResponse<'a>>;

impl<'a> BasicOcspResponse<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let mut outer = reader.sequence()?;
        let (signed, mut data) = Signed::read_parts(&mut outer)?;
        let certificates = match outer.optional(tag::constructed(0))? {
            Some(mut wrapper) => {
                let list = List::read(&mut wrapper)?;
                wrapper.finish()?;
                list
            }
            None => List::new(Reader::new(&[]))?,
        };
        outer.finish()?;
        read_version(&mut data)?;
        let responder = ResponderId::read(&mut data)?;
        let produced_at = Time::read_generalized(&mut data)?;
        let responses = List::read(&mut data)?;
        let extensions = read_extensions(&mut data)?;
        data.finish()?;
        Ok(Self {
            responder,
            produced_at,
            responses,
            extensions,
            signed,
            certificates,
        })
    }

    /// Who signed it.
    pub const fn responder(&self) -> ResponderId<'a> {
        self.responder
    }

    /// When it was signed.
    pub const fn produced_at(&self) -> Time {
        self.produced_at
    }

    /// What it says, certificate by certificate.
    pub const fn responses(&self) -> SingleResponses<'a> {
        self.responses
    }

    /// The extensions of the response as a whole.
    pub const fn extensions(&self) -> &Extensions<'a> {
        &self.extensions
    }

    /// What is signed, the algorithm and the signature.
    pub const fn signed(&self) -> &Signed<'a> {
        &self.signed
    }

    /// The certificates that came with it, undecoded: the responder's, if it is not the issuer.
    pub fn certificates(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.certificates.iter().map(|Encoded(der)| der)
    }
}

impl fmt::Debug for BasicOcspResponse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicOcspResponse")
            .field("responder", &self.responder)
            .field("produced_at", &self.produced_at)
            .field("responses", &self.responses)
            .finish_non_exhaustive()
    }
}

fn read_version(data: &mut Reader<'_>) -> Result<()> {
    let Some(mut wrapper) = data.optional(tag::constructed(0))? else {
        return Ok(());
    };
    if wrapper.integer()? != [0] {
        return Err(wrapper.fault(Malformed::UnknownVersion));
    }
    wrapper.finish()
}

fn read_extensions<'a>(reader: &mut Reader<'a>) -> Result<Extensions<'a>> {
    match reader.optional(tag::constructed(1))? {
        Some(wrapper) => Extensions::read_ocsp(wrapper),
        None => Ok(Extensions::NONE),
    }
}

/// An element that is kept as it is.
struct Encoded<'a>(&'a [u8]);

impl<'a> Item<'a> for Encoded<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        reader
            .expect_element(tag::SEQUENCE)
            .map(|element| Self(element.whole))
    }
}

/// How a response names the one who signed it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ResponderId<'a> {
    /// By the subject of its certificate.
    Name(Name<'a>),
    /// By the SHA-1 of its public key, the content of the BIT STRING.
    KeyHash(&'a [u8]),
}

impl<'a> ResponderId<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        if let Some(mut name) = reader.optional(tag::constructed(1))? {
            let responder = Self::Name(Name::read(&mut name)?);
            name.finish()?;
            return Ok(responder);
        }
        let mut hash = reader.expect(tag::constructed(2))?;
        let responder = Self::KeyHash(hash.octet_string()?.rest());
        hash.finish()?;
        Ok(responder)
    }

    /// Does it mean the subject of this certificate?
    pub fn names(&self, certificate: &Certificate<'_>) -> bool {
        match self {
            Self::Name(name) => *name == certificate.subject(),
            Self::KeyHash(wanted) => {
                is_hash(Digest::Sha1, wanted, certificate.public_key().key_bytes())
            }
        }
    }
}

/// Is it the digest of this message?
fn is_hash(digest: Digest, wanted: &[u8], message: &[u8]) -> bool {
    let length = usize::try_from(digest.output_length());
    length == Ok(wanted.len()) && hash(digest, message).is_some_and(|hash| hash.as_ref() == wanted)
}

/// What a response says about one certificate.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct SingleResponse<'a> {
    /// Which certificate it is about.
    pub certificate: CertificateId<'a>,
    /// What it says.
    pub status: OcspStatus,
    /// When this was known to be so.
    pub this_update: Time,
    /// When there will be news at the latest; absent if there always may be.
    pub next_update: Option<Time>,
    /// The extensions of this part.
    pub extensions: Extensions<'a>,
}

impl<'a> Item<'a> for SingleResponse<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let mut content = reader.sequence()?;
        let certificate = CertificateId::read(&mut content)?;
        let status = OcspStatus::read(&mut content)?;
        let this_update = Time::read_generalized(&mut content)?;
        let next_update = match content.optional(tag::constructed(0))? {
            Some(mut wrapper) => {
                let time = Time::read_generalized(&mut wrapper)?;
                wrapper.finish()?;
                Some(time)
            }
            None => None,
        };
        let extensions = read_extensions(&mut content)?;
        content.finish()?;
        Ok(Self {
            certificate,
            status,
            this_update,
            next_update,
            extensions,
        })
    }
}

impl fmt::Debug for SingleResponse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleResponse")
            .field("certificate", &self.certificate)
            .field("status", &self.status)
            .field("this_update", &self.this_update)
            .field("next_update", &self.next_update)
            .finish_non_exhaustive()
    }
}

/// The status of a certificate (RFC 6960 §4.2.1, `CertStatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OcspStatus {
    /// It is not revoked.
    Good,
    /// It is revoked, or on hold.
    Revoked {
        /// Since when.
        on: Time,
        /// Why, if the response says so.
        why: Option<RevocationReason>,
    },
    /// The responder does not know the certificate.
    Unknown,
}

impl OcspStatus {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        if let Some(content) = reader.optional(tag::context(0))? {
            content.finish()?;
            return Ok(Self::Good);
        }
        if let Some(mut content) = reader.optional(tag::constructed(1))? {
            let on = Time::read_generalized(&mut content)?;
            let why = match content.optional(tag::constructed(0))? {
                Some(mut wrapper) => {
                    let reason = RevocationReason::read(&mut wrapper)?;
                    wrapper.finish()?;
                    Some(reason)
                }
                None => None,
            };
            content.finish()?;
            return Ok(Self::Revoked { on, why });
        }
        reader.expect(tag::context(2))?.finish()?;
        Ok(Self::Unknown)
    }
}

/// How a response names a certificate: by its issuer and serial number.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CertificateId<'a> {
    /// The hash function of the two hashes.
    pub algorithm: AlgorithmIdentifier<'a>,
    /// The hash of the issuer's name as it stands in the certificate.
    pub issuer_name_hash: &'a [u8],
    /// The hash of the issuer's public key, the content of the BIT STRING.
    pub issuer_key_hash: &'a [u8],
    /// The serial number, as [`Certificate::serial`] gives it.
    pub serial: &'a [u8],
}

impl<'a> CertificateId<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self> {
        let mut content = reader.sequence()?;
        let algorithm = AlgorithmIdentifier::read(&mut content)?;
        let issuer_name_hash = content.octet_string()?.rest();
        let issuer_key_hash = content.octet_string()?.rest();
        let serial = content.integer()?;
        content.finish()?;
        Ok(Self {
            algorithm,
            issuer_name_hash,
            issuer_key_hash,
            serial,
        })
    }

    /// Does it mean this certificate from this issuer? Hashes with SHA-1 and SHA-2 are understood.
    pub fn names(&self, certificate: &Certificate<'_>, issuer: &Certificate<'_>) -> bool {
        let Some(digest) = Digest::of(self.algorithm.oid()) else {
            return false;
        };
        self.serial == certificate.serial()
            && is_hash(digest, self.issuer_name_hash, certificate.issuer().der())
            && is_hash(
                digest,
                self.issuer_key_hash,
                issuer.public_key().key_bytes(),
            )
    }

    /// The hash function, if it is known.
    pub fn digest(&self) -> Option<Digest> {
        Digest::of(self.algorithm.oid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::encode::{element, sequence};
    use proptest::prelude::*;

    const FIXTURE: &[u8] = include_bytes!("../tests/data/ocsp/by-delegate.der");

    fn fault(der: &[u8]) -> Malformed {
        OcspResponse::parse(der).unwrap_err().what
    }

    #[test]
    fn a_refusal_is_a_status_and_nothing_else() {
        for (number, expected) in [
            (1, OcspResponseStatus::MalformedRequest),
            (2, OcspResponseStatus::InternalError),
            (3, OcspResponseStatus::TryLater),
            (5, OcspResponseStatus::SignatureRequired),
            (6, OcspResponseStatus::Unauthorized),
        ] {
            let der = sequence(&[&[0x0a, 1, number]]);
            let response = OcspResponse::parse(&der).unwrap();
            assert!(matches!(response, OcspResponse::Unsuccessful(status) if status == expected));
            let der = sequence(&[&[0x0a, 1, number], &element(0xa0, &[])]);
            assert_eq!(fault(&der), Malformed::TrailingData);
        }
        for number in [4, 7, 0x80] {
            let der = sequence(&[&[0x0a, 1, number]]);
            assert_eq!(fault(&der), Malformed::UnknownResponseStatus);
        }
        assert_eq!(fault(&sequence(&[&[0x0a, 1, 0]])), Malformed::Truncated);
    }

    #[test]
    fn only_the_basic_type_is_read() {
        let bytes = sequence(&[&[6, 2, 0x2a, 3], &element(tag::OCTET_STRING, &[])]);
        let der = sequence(&[&[0x0a, 1, 0], &element(0xa0, &[&bytes])]);
        assert_eq!(fault(&der), Malformed::UnknownResponseType);
    }

    #[test]
    fn nothing_may_follow_and_nothing_may_be_missing() {
        assert_eq!(fault(&[FIXTURE, &[0]].concat()), Malformed::TrailingData);
        for length in 0..FIXTURE.len() {
            assert!(OcspResponse::parse(&FIXTURE[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn a_status_is_one_of_three() {
        let read = |der: &[u8]| OcspStatus::read(&mut Reader::new(der));
        assert_eq!(read(&[0x80, 0]), Ok(OcspStatus::Good));
        assert_eq!(read(&[0x82, 0]), Ok(OcspStatus::Unknown));
        for bad in [
            &[0x80, 1, 0][..],
            &[0x82, 1, 0],
            &[0xa0, 0],
            &[0x83, 0],
            &[0xa1, 0],
            &[],
        ] {
            assert!(read(bad).is_err(), "{bad:02x?}");
        }
        let date = element(tag::GENERALIZED_TIME, &[b"20260501000000Z"]);
        let with = |reason: &[u8]| read(&element(0xa1, &[&date, reason]));
        assert!(matches!(
            with(&[]),
            Ok(OcspStatus::Revoked { why: None, .. })
        ));
        let hold = with(&[0xa0, 3, 0x0a, 1, 6]);
        let expected = Some(RevocationReason::CertificateHold);
        assert!(matches!(hold, Ok(OcspStatus::Revoked { why, .. }) if why == expected));
        assert!(with(&[0xa0, 3, 0x0a, 1, 7]).is_err());
        assert!(with(&[0x80, 1, 1]).is_err());
    }

    proptest! {
        #[test]
        fn a_damaged_response_is_read_or_refused(
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let mut der = FIXTURE.to_vec();
            for (index, octet) in damage {
                let index = index.index(der.len());
                der[index] = octet;
            }
            if let Ok(OcspResponse::Basic(response)) = OcspResponse::parse(&der) {
                prop_assert!(response.responses().iter().count() <= der.len());
                prop_assert!(response.certificates().count() <= der.len());
                let shown = format!("{response:?}");
                prop_assert!(!shown.is_empty());
            }
        }
    }
}
