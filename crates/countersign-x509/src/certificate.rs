//! Certificates (RFC 5280 §4.1).

use core::fmt;

use crate::algorithm::{AlgorithmIdentifier, SignatureAlgorithm};
use crate::der::{Malformed, ParseError, Reader, Result, tag};
use crate::extensions::Extensions;
use crate::name::Name;
use crate::public_key::PublicKeyInfo;
use crate::time::Time;

/// An X.509 certificate, borrowed from its DER encoding.
///
/// Parsing allocates nothing. It checks the whole structure, the content of every extension
/// this crate knows included, so that nothing read from it later can fail. It does not judge:
/// an expired or contradictory certificate parses, since the report must describe it.
///
/// ```
/// use countersign_x509::Certificate;
/// # let params = rcgen::CertificateParams::new(["db.example".to_owned()])?;
/// # let made = params.self_signed(&rcgen::KeyPair::generate()?)?;
/// # let der = made.der();
/// let certificate = Certificate::parse(der)?;
/// println!("{} until {}", certificate.subject(), certificate.not_after());
/// assert!(certificate.is_self_issued());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Certificate<'a> {
    der: &'a [u8],
    version: Version,
    serial: &'a [u8],
    inner_algorithm: AlgorithmIdentifier<'a>,
    issuer: Name<'a>,
    not_before: Time,
    not_after: Time,
    subject: Name<'a>,
    public_key: PublicKeyInfo<'a>,
    extensions: Extensions<'a>,
    signed: Signed<'a>,
}

/// The version of a certificate. Only version 3 has extensions by right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// Version 1 of 1988.
    V1,
    /// Version 2, which nobody uses.
    V2,
    /// Version 3.
    V3,
}

/// What is signed, how, and the signature: the three parts of a certificate and of a CRL.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The DER of the part that is signed, tag and length included.
    pub message: &'a [u8],
    /// The algorithm as it stands outside the signed part.
    pub algorithm: AlgorithmIdentifier<'a>,
    /// The signature: the content of the BIT STRING.
    pub signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Reads the outer structure, all of `der`; gives it and a reader of the signed part.
    pub(crate) fn read(der: &'a [u8]) -> Result<(Self, Reader<'a>)> {
        let mut reader = Reader::new(der);
        let mut outer = reader.sequence()?;
        reader.finish()?;
        let message = outer.expect_element(tag::SEQUENCE)?;
        let algorithm = AlgorithmIdentifier::read(&mut outer)?;
        let at = outer;
        let signature = outer
            .bit_string()?
            .whole_bytes()
            .ok_or(at.fault(Malformed::BadBitString))?;
        outer.finish()?;
        Ok((
            Self {
                message: message.whole,
                algorithm,
                signature,
            },
            message.content,
        ))
    }
}

impl<'a> Certificate<'a> {
    /// Reads a certificate that is all of `der`.
    ///
    /// Versions 1 to 3 are read, and extensions in any of them. Refused are: anything that is
    /// not strict DER, more than 64 extensions, an extension that occurs twice
    /// (RFC 5280 §4.2), an extension of a known kind with bad content, and a validity that is
    /// not in the form RFC 5280 §4.1.2.5 demands. The last are told apart by
    /// [`Malformed::BadNotBefore`] and [`Malformed::BadNotAfter`], for which OpenSSL has
    /// codes of their own.
    pub fn parse(der: &'a [u8]) -> Result<Self> {
        let (signed, mut tbs) = Signed::read(der)?;
        let version = Version::read(&mut tbs)?;
        let serial = tbs.integer()?;
        let inner_algorithm = AlgorithmIdentifier::read(&mut tbs)?;
        let issuer = Name::read(&mut tbs)?;
        let (not_before, not_after) = read_validity(&mut tbs)?;
        let subject = Name::read(&mut tbs)?;
        let public_key = PublicKeyInfo::read(&mut tbs)?;
        // issuerUniqueID and subjectUniqueID: RFC 5280 §4.1.2.8 has applications parse them
        // and do nothing with them.
        for number in [1, 2] {
            if let Some(unique) = tbs.optional(tag::context(number))? {
                unique.as_bit_string()?;
            }
        }
        let extensions = match tbs.optional(tag::constructed(3))? {
            Some(wrapper) => Extensions::read_certificate(wrapper)?,
            None => Extensions::NONE,
        };
        tbs.finish()?;
        Ok(Self {
            der,
            version,
            serial,
            inner_algorithm,
            issuer,
            not_before,
            not_after,
            subject,
            public_key,
            extensions,
            signed,
        })
    }

    /// The whole encoding.
    pub const fn der(&self) -> &'a [u8] {
        self.der
    }

    /// The version.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The serial number: the content of the INTEGER, so two's complement, big-endian, in the
    /// fewest bytes. May be zero or negative; [`serial_is_proper`](Self::serial_is_proper) tells.
    pub const fn serial(&self) -> &'a [u8] {
        self.serial
    }

    /// Whether the serial number is positive and has at most 20 bytes, as RFC 5280 §4.1.2.2
    /// demands of the issuer.
    pub fn serial_is_proper(&self) -> bool {
        match self.serial {
            [0] | [0x80..=0xff, ..] => false,
            bytes => bytes.len() <= 20,
        }
    }

    /// Who issued the certificate.
    pub const fn issuer(&self) -> Name<'a> {
        self.issuer
    }

    /// Whose certificate it is. May be empty if a subjectAltName says it.
    pub const fn subject(&self) -> Name<'a> {
        self.subject
    }

    /// The first moment of validity.
    pub const fn not_before(&self) -> Time {
        self.not_before
    }

    /// The last moment of validity.
    pub const fn not_after(&self) -> Time {
        self.not_after
    }

    /// The public key.
    pub const fn public_key(&self) -> PublicKeyInfo<'a> {
        self.public_key
    }

    /// The extensions; empty if there are none.
    pub const fn extensions(&self) -> &Extensions<'a> {
        &self.extensions
    }

    /// What is signed, the algorithm and the signature.
    pub const fn signed(&self) -> Signed<'a> {
        self.signed
    }

    /// The DER of the signed part, tag and length included.
    pub const fn tbs(&self) -> &'a [u8] {
        self.signed.message
    }

    /// How it is signed, by the field outside the signed part.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm<'a> {
        self.signed.algorithm.signature_algorithm()
    }

    /// The algorithm as it stands inside the signed part.
    pub const fn inner_signature_algorithm(&self) -> AlgorithmIdentifier<'a> {
        self.inner_algorithm
    }

    /// Whether the algorithms inside and outside the signed part are the same, as
    /// RFC 5280 §4.1.1.2 demands.
    pub fn signature_algorithms_agree(&self) -> bool {
        self.inner_algorithm == self.signed.algorithm
    }

    /// Whether issuer and subject are the same name (RFC 5280 §6.1). Says nothing about who
    /// signed.
    pub fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }
}

impl fmt::Debug for Certificate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.subject)
            .field("issuer", &self.issuer)
            .field("not_before", &self.not_before)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

impl Version {
    fn read(tbs: &mut Reader<'_>) -> Result<Self> {
        let Some(mut wrapper) = tbs.optional(tag::constructed(0))? else {
            return Ok(Self::V1);
        };
        let at = wrapper;
        let version = match wrapper.integer()? {
            [0] => Self::V1,
            [1] => Self::V2,
            [2] => Self::V3,
            _ => return Err(at.fault(Malformed::UnknownVersion)),
        };
        wrapper.finish()?;
        Ok(version)
    }
}

fn read_validity(tbs: &mut Reader<'_>) -> Result<(Time, Time)> {
    let mut validity = tbs.sequence()?;
    let not_before = Time::read(&mut validity)
        .map_err(|error: ParseError| error.as_what(Malformed::BadNotBefore))?;
    let not_after =
        Time::read(&mut validity).map_err(|error| error.as_what(Malformed::BadNotAfter))?;
    validity.finish()?;
    Ok((not_before, not_after))
}
