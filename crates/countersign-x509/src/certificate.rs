//! Certificates (RFC 5280 §4.1).

pub(crate) mod outline;

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
#[derive(Clone, Copy)]
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

/// What is signed, how, and the signature: the three parts of a certificate, of a CRL and of an
/// OCSP response.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The DER of the part that is signed, tag and length included.
    pub message: &'a [u8],
    /// The algorithm as it stands outside the signed part.
    pub algorithm: AlgorithmIdentifier<'a>,
    /// The signature: the content of the BIT STRING. Empty if that is not made of whole bytes,
    /// as no algorithm makes one: then the signature is bad, not the encoding.
    pub signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Reads the outer structure, all of `der`; gives it and a reader of the signed part.
    pub(crate) fn read(der: &'a [u8]) -> Result<(Self, Reader<'a>)> {
        let mut reader = Reader::new(der);
        let mut outer = reader.sequence()?;
        reader.finish()?;
        let parts = Self::read_parts(&mut outer)?;
        outer.finish()?;
        Ok(parts)
    }

    /// Reads the three parts; others may follow.
    pub(crate) fn read_parts(outer: &mut Reader<'a>) -> Result<(Self, Reader<'a>)> {
        let message = outer.expect_element(tag::SEQUENCE)?;
        let algorithm = AlgorithmIdentifier::read(outer)?;
        let signature = match outer.expect(tag::BIT_STRING)? {
            bits if bits.rest().first() == Some(&0) => bits.as_bit_string()?.whole_bytes(),
            bits if bits.is_empty() => return Err(bits.fault(Malformed::BadBitString)),
            _ => None,
        }
        .unwrap_or_default();
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
        let inner_algorithm = AlgorithmIdentifier::read_like(signed.algorithm, &mut tbs)?;
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
    pub const fn public_key(&self) -> &PublicKeyInfo<'a> {
        &self.public_key
    }

    /// The extensions; empty if there are none.
    pub const fn extensions(&self) -> &Extensions<'a> {
        &self.extensions
    }

    /// What is signed, the algorithm and the signature.
    pub const fn signed(&self) -> &Signed<'a> {
        &self.signed
    }

    /// The DER of the signed part, tag and length included.
    pub const fn tbs(&self) -> &'a [u8] {
        self.signed.message
    }

    /// How it is signed, by the field outside the signed part.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::encode::{element, sequence};
    use crate::extensions::ExtensionKind;
    use proptest::prelude::*;

    const ALGORITHM: &[u8] = &[0x30, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    const NAME: &[u8] = &[
        0x30, 0x0c, 0x31, 0x0a, 0x30, 8, 6, 3, 0x55, 4, 3, 0x0c, 1, b'a',
    ];
    const KEY: &[u8] = &[0x30, 0x0a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 1, 0];

    /// A certificate, part by part, so that a test can spoil one.
    struct Parts {
        version: Vec<u8>,
        serial: Vec<u8>,
        validity: Vec<u8>,
        after_key: Vec<u8>,
        signature: Vec<u8>,
    }

    impl Parts {
        fn new() -> Self {
            Self {
                version: vec![0xa0, 3, 2, 1, 2],
                serial: vec![2, 1, 5],
                validity: sequence(&[
                    &element(tag::UTC_TIME, &[b"260101000000Z"]),
                    &element(tag::GENERALIZED_TIME, &[b"20510101000000Z"]),
                ]),
                after_key: vec![],
                signature: vec![3, 3, 0, 1, 2],
            }
        }

        fn extensions(mut self, extensions: &[&[u8]]) -> Self {
            self.after_key = element(0xa3, &[&sequence(extensions)]);
            self
        }

        fn der(&self) -> Vec<u8> {
            let tbs = sequence(&[
                &self.version,
                &self.serial,
                ALGORITHM,
                NAME,
                &self.validity,
                NAME,
                KEY,
                &self.after_key,
            ]);
            sequence(&[&tbs, ALGORITHM, &self.signature])
        }

        fn fault(&self) -> Malformed {
            Certificate::parse(&self.der()).unwrap_err().what
        }
    }

    fn extension(last: u8, critical: bool, content: &[u8]) -> Vec<u8> {
        let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
        sequence(&[
            &[6, 3, 0x55, 0x1d, last],
            critical,
            &element(tag::OCTET_STRING, &[content]),
        ])
    }

    #[test]
    fn every_field_is_where_it_should_be() {
        let der = Parts::new().der();
        let certificate = Certificate::parse(&der).unwrap();
        assert_eq!(certificate.der(), der);
        assert_eq!(certificate.version(), Version::V3);
        assert_eq!(certificate.serial(), [5]);
        assert_eq!(certificate.issuer().to_string(), "CN=a");
        assert!(certificate.is_self_issued());
        assert_eq!(
            certificate.not_before().to_string(),
            "2026-01-01 00:00:00 UTC"
        );
        assert_eq!(
            certificate.not_after().to_string(),
            "2051-01-01 00:00:00 UTC"
        );
        assert!(certificate.extensions().is_empty());
        assert!(certificate.signature_algorithms_agree());
        assert_eq!(certificate.signed().signature, [1, 2]);
        assert_eq!(certificate.tbs(), &der[2..der.len() - ALGORITHM.len() - 5]);
    }

    #[test]
    fn all_three_versions_are_read_and_no_other() {
        for (encoded, version) in [
            (&[][..], Version::V1),
            (&[0xa0, 3, 2, 1, 0], Version::V1),
            (&[0xa0, 3, 2, 1, 1], Version::V2),
            (&[0xa0, 3, 2, 1, 2], Version::V3),
        ] {
            let der = Parts {
                version: encoded.to_vec(),
                ..Parts::new()
            }
            .der();
            assert_eq!(Certificate::parse(&der).unwrap().version(), version);
        }
        for bad in [
            &[0xa0, 3, 2, 1, 3][..],
            &[0xa0, 3, 2, 1, 0xff],
            &[0xa0, 4, 2, 2, 1, 0],
        ] {
            let parts = Parts {
                version: bad.to_vec(),
                ..Parts::new()
            };
            assert_eq!(parts.fault(), Malformed::UnknownVersion);
        }
    }

    #[test]
    fn serial_numbers_of_all_kinds_are_read_and_told_apart() {
        for (serial, proper) in [
            (vec![1], true),
            (vec![0], false),
            (vec![0x80], false),
            (vec![0x7f; 20], true),
            (vec![0x7f; 21], false),
        ] {
            let der = Parts {
                serial: element(tag::INTEGER, &[&serial]),
                ..Parts::new()
            }
            .der();
            assert_eq!(Certificate::parse(&der).unwrap().serial_is_proper(), proper);
        }
    }

    #[test]
    fn what_is_wrong_in_a_name_is_placed_from_the_start_of_the_certificate() {
        let mut der = Parts::new().der();
        let common_name = [0x55, 4, 3];
        let at = der.windows(3).position(|window| window == common_name);
        // The last octet of the object identifier says that another one follows.
        der[at.unwrap() + 2] = 0x83;
        let error = Certificate::parse(&der).unwrap_err();
        assert_eq!(error.what, Malformed::BadObjectIdentifier);
        assert_eq!(error.at, u32::try_from(at.unwrap()).unwrap());
    }

    #[test]
    fn a_malformed_time_says_which_one() {
        let good = element(tag::UTC_TIME, &[b"260101000000Z"]);
        let bad = element(tag::UTC_TIME, &[b"2601010000Z"]);
        let with = |validity| Parts {
            validity,
            ..Parts::new()
        };
        assert_eq!(
            with(sequence(&[&bad, &good])).fault(),
            Malformed::BadNotBefore
        );
        assert_eq!(
            with(sequence(&[&good, &bad])).fault(),
            Malformed::BadNotAfter
        );
        assert_eq!(
            with(sequence(&[&good, &good, &good])).fault(),
            Malformed::TrailingData
        );
    }

    #[test]
    fn nothing_may_follow() {
        let mut der = Parts::new().der();
        der.push(0);
        let error = Certificate::parse(&der).unwrap_err();
        assert_eq!(
            error,
            ParseError::new(Malformed::TrailingData, der.len() - 1)
        );
        let parts = Parts {
            after_key: vec![5, 0],
            ..Parts::new()
        };
        assert_eq!(parts.fault(), Malformed::TrailingData);
    }

    #[test]
    fn unique_identifiers_are_passed_over() {
        let parts = Parts {
            after_key: vec![0x81, 2, 0, 7, 0x82, 2, 0, 7],
            ..Parts::new()
        };
        assert!(Certificate::parse(&parts.der()).is_ok());
    }

    #[test]
    fn a_signature_of_broken_bytes_is_empty() {
        let parts = Parts {
            signature: vec![3, 3, 1, 1, 3],
            ..Parts::new()
        };
        assert!(
            Certificate::parse(&parts.der())
                .unwrap()
                .signed()
                .signature
                .is_empty()
        );
        assert_eq!(
            Parts {
                signature: vec![3, 0],
                ..Parts::new()
            }
            .fault(),
            Malformed::BadBitString
        );
    }

    #[test]
    fn an_extension_occurs_once_whether_known_or_not() {
        let (usage, unknown) = (
            extension(15, true, &[3, 2, 5, 0x20]),
            extension(99, false, &[5, 0]),
        );
        let parts = Parts::new().extensions(&[&usage, &unknown]);
        let der = parts.der();
        let certificate = Certificate::parse(&der).unwrap();
        assert!(certificate.extensions().contains(ExtensionKind::KeyUsage));
        for twice in [&usage, &unknown] {
            let parts = Parts::new().extensions(&[&usage, &unknown, twice]);
            assert_eq!(parts.fault(), Malformed::DuplicateExtension);
        }
    }

    #[test]
    fn more_than_64_extensions_are_too_many() {
        let extensions: Vec<_> = (100..165)
            .map(|last| sequence(&[&[6, 4, 0x55, 0x1d, 0x81, last - 64], &[4, 0]]))
            .collect();
        let extensions: Vec<_> = extensions.iter().map(Vec::as_slice).collect();
        assert!(Certificate::parse(&Parts::new().extensions(&extensions[..64]).der()).is_ok());
        assert_eq!(
            Parts::new().extensions(&extensions).fault(),
            Malformed::TooManyExtensions
        );
    }

    #[test]
    fn the_first_unprocessed_critical_extension_is_found() {
        let constraints = extension(19, true, &[0x30, 0]);
        let aki = extension(35, true, &[0x30, 0]);
        let (known, unknown) = (extension(18, false, &[0x30, 0]), extension(99, true, &[]));
        let find = |extensions: &[&[u8]]| {
            let der = Parts::new().extensions(extensions).der();
            let certificate = Certificate::parse(&der).unwrap();
            certificate
                .extensions()
                .first_unprocessed_critical(ExtensionKind::is_processed_in_certificates)
                .map(|oid| oid.to_string())
        };
        assert_eq!(find(&[&constraints, &known]), None);
        assert_eq!(
            find(&[&constraints, &known, &aki, &unknown]).as_deref(),
            Some("2.5.29.35")
        );
        assert_eq!(
            find(&[&constraints, &unknown]).as_deref(),
            Some("2.5.29.99")
        );
    }

    #[test]
    fn the_content_of_a_known_extension_is_checked() {
        for (last, content) in [
            (15, &[4, 0][..]),
            (19, &[0x30, 3, 1, 1, 1]),
            (19, &[0x30, 3, 2, 1, 0xff]),
            (19, &[0x30, 0, 0]),
            (17, &[0x30, 2, 0x89, 0]),
            (17, &[0x30, 3, 0x82, 1, 0xff]),
            (30, &[0x30, 4, 0xa0, 2, 0x82, 0]),
            (35, &[0x30, 2, 0x85, 0]),
            (31, &[0x30, 4, 0x30, 2, 0xa0, 0]),
            (31, &[0x30, 2, 0x30, 0]),
            (37, &[0x30, 2, 2, 0]),
            (54, &[2, 1, 0x80]),
        ] {
            let parts = Parts::new().extensions(&[&extension(last, false, content)]);
            assert!(
                Certificate::parse(&parts.der()).is_err(),
                "{last} {content:02x?}"
            );
        }
    }

    fn made() -> Vec<u8> {
        let mut params = rcgen::CertificateParams::new(["db.example".to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(3));
        params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.name_constraints = Some(rcgen::NameConstraints {
            permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName("example".to_owned())],
            excluded_subtrees: vec![],
        });
        params.crl_distribution_points = vec![rcgen::CrlDistributionPoint {
            uris: vec!["http://crl.example/".to_owned()],
        }];
        params
            .self_signed(&rcgen::KeyPair::generate().unwrap())
            .unwrap()
            .der()
            .to_vec()
    }

    #[test]
    fn no_prefix_of_a_certificate_is_one() {
        let der = made();
        for length in 0..der.len() {
            assert!(Certificate::parse(&der[..length]).is_err());
        }
        assert!(Certificate::parse(&der).is_ok());
    }

    /// Asks for everything there is, so that nothing is left unread.
    fn read_all(certificate: &Certificate<'_>) -> usize {
        let extensions = certificate.extensions();
        let shown = format!(
            "{certificate:?} {extensions:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            extensions.basic_constraints(),
            extensions.key_usage(),
            extensions.extended_key_usage(),
            extensions.subject_alt_name(),
            extensions.name_constraints(),
            extensions.authority_key_identifier(),
            extensions.crl_distribution_points(),
            extensions.authority_info_access(),
            extensions.certificate_policies(),
            extensions.policy_mappings(),
            certificate.public_key().bits(),
        );
        let known = ExtensionKind::ALL
            .iter()
            .filter(|kind| extensions.contains(**kind))
            .count();
        assert!(known <= extensions.iter().count());
        shown.len()
    }

    proptest! {
        #[test]
        fn a_damaged_certificate_is_read_or_refused(
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let mut der = made();
            for (index, byte) in damage {
                let index = index.index(der.len());
                der[index] = byte;
            }
            match Certificate::parse(&der) {
                Ok(certificate) => prop_assert!(read_all(&certificate) > 0),
                Err(error) => prop_assert!(usize::try_from(error.at).unwrap() <= der.len()),
            }
        }

        #[test]
        fn any_extension_content_is_read_or_refused(
            last in any::<u8>(),
            content in any::<Vec<u8>>(),
        ) {
            let der = Parts::new().extensions(&[&extension(last & 0x7f, false, &content)]).der();
            if let Ok(certificate) = Certificate::parse(&der) {
                prop_assert!(read_all(&certificate) > 0);
            }
        }
    }
}
