//! The extensions of certificates (RFC 5280 §4.2) and of CRLs (§5.2), and of the entries of
//! CRLs (§5.3).

use core::fmt;

use crate::der::{Item, List, Malformed, Reader, Result, tag};
use crate::general_name::GeneralNames;
use crate::oid::Oid;

mod check;
pub(crate) mod constraints;
pub(crate) mod distribution;
pub(crate) mod identifiers;
pub(crate) mod policies;
pub(crate) mod usage;

use check::{Check, check_in_certificate, check_in_crl, check_in_entry};
use constraints::{BasicConstraints, NameConstraints};
use distribution::{DistributionPoints, IssuingDistributionPoint};
use identifiers::{AccessDescriptions, AuthorityKeyIdentifier};
use policies::{CertificatePolicies, PolicyConstraints, PolicyMappings};
use usage::{ExtendedKeyUsage, KeyUsage, NetscapeCertType, TlsFeatures};

macro_rules! known_extensions {
    ($($variant:ident, $name:literal, [$($byte:literal),*];)*) => {
        /// The extensions whose content this crate reads or at least recognises.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ExtensionKind {
            $(#[doc = $name] $variant,)*
        }

        impl ExtensionKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name the standard gives the extension.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The kind that this object identifier names.
            pub fn of(oid: Oid<'_>) -> Option<Self> {
                match oid.as_bytes() {
                    $([$($byte),*] => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

known_extensions! {
    AuthorityKeyIdentifier, "authorityKeyIdentifier", [0x55, 0x1d, 35];
    SubjectKeyIdentifier, "subjectKeyIdentifier", [0x55, 0x1d, 14];
    KeyUsage, "keyUsage", [0x55, 0x1d, 15];
    ExtendedKeyUsage, "extendedKeyUsage", [0x55, 0x1d, 37];
    BasicConstraints, "basicConstraints", [0x55, 0x1d, 19];
    NameConstraints, "nameConstraints", [0x55, 0x1d, 30];
    SubjectAltName, "subjectAltName", [0x55, 0x1d, 17];
    IssuerAltName, "issuerAltName", [0x55, 0x1d, 18];
    CertificatePolicies, "certificatePolicies", [0x55, 0x1d, 32];
    PolicyMappings, "policyMappings", [0x55, 0x1d, 33];
    PolicyConstraints, "policyConstraints", [0x55, 0x1d, 36];
    InhibitAnyPolicy, "inhibitAnyPolicy", [0x55, 0x1d, 54];
    CrlDistributionPoints, "cRLDistributionPoints", [0x55, 0x1d, 31];
    FreshestCrl, "freshestCRL", [0x55, 0x1d, 46];
    AuthorityInfoAccess, "authorityInfoAccess", [0x2b, 6, 1, 5, 5, 7, 1, 1];
    SubjectInfoAccess, "subjectInfoAccess", [0x2b, 6, 1, 5, 5, 7, 1, 11];
    ProxyCertInfo, "proxyCertInfo", [0x2b, 6, 1, 5, 5, 7, 1, 14];
    NetscapeCertType, "netscapeCertType", [0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x42, 0x01, 0x01];
    TlsFeature, "tlsFeature", [0x2b, 6, 1, 5, 5, 7, 1, 24];
    IpAddressBlocks, "ipAddrBlocks", [0x2b, 6, 1, 5, 5, 7, 1, 7];
    AutonomousSystems, "autonomousSysIds", [0x2b, 6, 1, 5, 5, 7, 1, 8];
    OcspNoCheck, "ocspNoCheck", [0x2b, 6, 1, 5, 5, 7, 0x30, 1, 5];
    SignedCertificateTimestamps, "signedCertificateTimestampList", [0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2];
    CrlNumber, "cRLNumber", [0x55, 0x1d, 20];
    DeltaCrlIndicator, "deltaCRLIndicator", [0x55, 0x1d, 27];
    IssuingDistributionPoint, "issuingDistributionPoint", [0x55, 0x1d, 28];
    ReasonCode, "cRLReason", [0x55, 0x1d, 21];
    InvalidityDate, "invalidityDate", [0x55, 0x1d, 24];
    CertificateIssuer, "certificateIssuer", [0x55, 0x1d, 29];
}

impl ExtensionKind {
    #[allow(clippy::as_conversions, reason = "a discriminant, not input")]
    const fn slot(self) -> usize {
        self as usize
    }

    const fn bit(self) -> u32 {
        // There are fewer than 32 kinds: the length of the array below would not fit else.
        1u32.wrapping_shl(self.slot_u32())
    }

    #[allow(clippy::as_conversions, reason = "a discriminant, not input")]
    const fn slot_u32(self) -> u32 {
        self as u32
    }

    /// Whether OpenSSL lets this extension be critical in a CRL. RFC 5280 §5.2.3 has the
    /// number of a CRL never critical, so it is not among them.
    pub const fn is_processed_in_crls(self) -> bool {
        matches!(
            self,
            Self::IssuingDistributionPoint | Self::AuthorityKeyIdentifier | Self::DeltaCrlIndicator
        )
    }

    /// Whether OpenSSL's path validation lets this extension be critical in a certificate
    /// (`X509_supported_extension`). The RFC 3779 resources are left out on purpose: OpenSSL
    /// checks them, this crate does not.
    pub const fn is_processed_in_certificates(self) -> bool {
        matches!(
            self,
            Self::NetscapeCertType
                | Self::KeyUsage
                | Self::SubjectAltName
                | Self::BasicConstraints
                | Self::CertificatePolicies
                | Self::CrlDistributionPoints
                | Self::ExtendedKeyUsage
                | Self::OcspNoCheck
                | Self::PolicyConstraints
                | Self::ProxyCertInfo
                | Self::NameConstraints
                | Self::PolicyMappings
                | Self::InhibitAnyPolicy
        )
    }
}

const KINDS: usize = ExtensionKind::ALL.len();
const _: () = assert!(KINDS <= 32, "the sets of kinds are 32 bits wide");

/// More extensions than this are refused, so that looking for duplicates stays cheap.
const MAXIMUM: usize = 64;

/// The extensions of a certificate, a CRL or an entry of a CRL.
///
/// Every known extension that belongs there was checked when the certificate was parsed: for
/// those, an accessor gives `None` only if the extension is absent.
///
/// ```
/// use countersign_x509::{Certificate, ExtensionKind};
/// # let mut params = rcgen::CertificateParams::new(["db.example".to_owned()])?;
/// # params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
/// # let made = params.self_signed(&rcgen::KeyPair::generate()?)?;
/// # let der = made.der();
/// let certificate = Certificate::parse(der)?;
/// let extensions = certificate.extensions();
/// let constraints = extensions.basic_constraints().expect("made with it");
/// assert!(constraints.is_ca);
/// assert_eq!(constraints.path_length, Some(0));
/// assert_eq!(extensions.criticality(ExtensionKind::BasicConstraints), Some(true));
/// assert_eq!(extensions.criticality(ExtensionKind::NameConstraints), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Extensions<'a> {
    all: Reader<'a>,
    /// Where the OCTET STRING of each known extension is, counted in bytes from the start of `all`;
    /// 0 for one that is absent, as there is always something before it. A certificate is copied often,
    /// so it should be small.
    places: [u32; KINDS],
    critical: u32,
    /// A critical one is of no known kind.
    has_unknown_critical: bool,
    /// They are a certificate's, and what those of known kinds say was checked when they were read.
    are_checked: bool,
    /// What is asked for most.
    key_usage: Option<KeyUsage>,
    basic_constraints: Option<BasicConstraints>,
}

/// One extension as it stands.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Extension<'a> {
    /// Which extension it is.
    pub oid: Oid<'a>,
    /// Whether who does not understand it must refuse the certificate.
    pub critical: bool,
    /// The content of the OCTET STRING.
    pub value: &'a [u8],
}

impl<'a> Extensions<'a> {
    pub(crate) const NONE: Self = Self {
        all: Reader::new(&[]),
        places: [0; KINDS],
        critical: 0,
        has_unknown_critical: false,
        are_checked: false,
        key_usage: None,
        basic_constraints: None,
    };

    /// Reads what stands inside the explicit tag of a certificate's extensions.
    pub(crate) fn read_certificate(wrapper: Reader<'a>) -> Result<Self> {
        Self::read_wrapped(wrapper, check_in_certificate, true)
    }

    /// The same extensions in another copy of their encoding.
    pub(crate) const fn in_place<'b>(&self, encoded: &'b [u8]) -> Extensions<'b> {
        Extensions {
            all: Reader::new(encoded),
            places: self.places,
            critical: self.critical,
            has_unknown_critical: self.has_unknown_critical,
            are_checked: self.are_checked,
            key_usage: self.key_usage,
            basic_constraints: self.basic_constraints,
        }
    }

    /// The encoding of all of them.
    pub(crate) const fn encoded(&self) -> &'a [u8] {
        self.all.rest()
    }

    /// Reads what stands inside the explicit tag of a CRL's extensions.
    pub(crate) fn read_crl(wrapper: Reader<'a>) -> Result<Self> {
        Self::read_wrapped(wrapper, check_in_crl, false)
    }

    /// Reads what stands inside the explicit tag of an OCSP response's extensions. Their content is
    /// not looked at.
    pub(crate) fn read_ocsp(wrapper: Reader<'a>) -> Result<Self> {
        Self::read_wrapped(wrapper, |_, _, _| Ok(()), false)
    }

    fn read_wrapped(mut wrapper: Reader<'a>, check: Check<'a>, are_checked: bool) -> Result<Self> {
        let content = wrapper.sequence()?;
        wrapper.finish()?;
        Self::read(content, check, are_checked)
    }

    /// Reads the content of a CRL entry's extensions.
    pub(crate) fn read_entry(content: Reader<'a>) -> Result<Self> {
        Self::read(content, check_in_entry, false)
    }

    fn read(content: Reader<'a>, check: Check<'a>, are_checked: bool) -> Result<Self> {
        let mut extensions = Self {
            all: content,
            are_checked,
            ..Self::NONE
        };
        let mut rest = content;
        for _ in 0..MAXIMUM {
            if rest.is_empty() {
                return Ok(extensions);
            }
            let at = rest;
            let Encoded {
                extension,
                value,
                at: place,
            } = read_extension(&mut rest)?;
            let Some(kind) = ExtensionKind::of(extension.oid) else {
                extensions.refuse_duplicate(extension.oid, at)?;
                extensions.has_unknown_critical |= extension.critical;
                continue;
            };
            check(&mut extensions, kind, value)?;
            let place = place.saturating_sub(content.at());
            let slot = extensions.places.get_mut(kind.slot());
            if let (Some(slot), Ok(place)) = (slot, u32::try_from(place))
                && core::mem::replace(slot, place) != 0
            {
                return Err(at.fault(Malformed::DuplicateExtension));
            }
            if extension.critical {
                extensions.critical |= kind.bit();
            }
        }
        if rest.is_empty() {
            Ok(extensions)
        } else {
            Err(rest.fault(Malformed::TooManyExtensions))
        }
    }

    /// RFC 5280 §4.2: MUST NOT include more than one instance of a particular extension.
    fn refuse_duplicate(&self, oid: Oid<'_>, at: Reader<'a>) -> Result<()> {
        let mut earlier = self.all;
        while earlier.at() < at.at() {
            if read_any_extension(&mut earlier)?.extension.oid == oid {
                return Err(at.fault(Malformed::DuplicateExtension));
            }
        }
        Ok(())
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All extensions, known or not, in the order of the encoding.
    pub fn iter(&self) -> impl Iterator<Item = Extension<'a>> + use<'a> {
        let mut rest = self.all;
        core::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            read_any_extension(&mut rest)
                .ok()
                .map(|encoded| encoded.extension)
        })
    }

    /// Whether the extension is there.
    pub fn contains(&self, kind: ExtensionKind) -> bool {
        self.place(kind).is_some()
    }

    /// Whether the extension is critical; `None` if it is absent.
    pub fn criticality(&self, kind: ExtensionKind) -> Option<bool> {
        self.place(kind).map(|_| self.critical & kind.bit() != 0)
    }

    /// The undecoded content of the extension.
    pub fn value(&self, kind: ExtensionKind) -> Option<&'a [u8]> {
        let place = usize::try_from(self.place(kind)?).ok()?;
        let mut reader = Reader::new(self.all.rest().get(place..)?);
        Some(reader.octet_string().ok()?.rest())
    }

    fn place(&self, kind: ExtensionKind) -> Option<u32> {
        let place = *self.places.get(kind.slot())?;
        (place != 0).then_some(place)
    }

    /// The first critical extension that is unknown or that `processed` denies: OpenSSL's
    /// code 34 (36 in a CRL). RFC 5280 §4.2: such a certificate MUST be rejected.
    pub fn first_unprocessed_critical(
        &self,
        processed: impl Fn(ExtensionKind) -> bool,
    ) -> Option<Oid<'a>> {
        if !self.has_unknown_critical && self.critical_kinds().all(&processed) {
            return None;
        }
        let unprocessed =
            |extension: &Extension<'_>| !ExtensionKind::of(extension.oid).is_some_and(&processed);
        self.iter()
            .find(|extension| extension.critical && unprocessed(extension))
            .map(|extension| extension.oid)
    }

    fn critical_kinds(&self) -> impl Iterator<Item = ExtensionKind> {
        let kinds = ExtensionKind::ALL.iter().copied();
        kinds.filter(|kind| self.critical & kind.bit() != 0)
    }

    /// basicConstraints: may the key sign certificates, and how long may the path be?
    pub const fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.basic_constraints
    }

    /// keyUsage: what the key may be used for.
    pub const fn key_usage(&self) -> Option<KeyUsage> {
        self.key_usage
    }

    /// extendedKeyUsage: what the certificate may be used for.
    pub fn extended_key_usage(&self) -> Option<ExtendedKeyUsage<'a>> {
        self.decode_list(ExtensionKind::ExtendedKeyUsage)
            .map(ExtendedKeyUsage::new)
    }

    /// subjectAltName: further names of the subject.
    pub fn subject_alt_name(&self) -> Option<GeneralNames<'a>> {
        self.decode_list(ExtensionKind::SubjectAltName)
    }

    /// issuerAltName: further names of the issuer.
    pub fn issuer_alt_name(&self) -> Option<GeneralNames<'a>> {
        self.decode_list(ExtensionKind::IssuerAltName)
    }

    /// nameConstraints: which names certificates below this one may have.
    pub fn name_constraints(&self) -> Option<NameConstraints<'a>> {
        self.decode(ExtensionKind::NameConstraints, NameConstraints::read)
    }

    /// subjectKeyIdentifier.
    pub fn subject_key_identifier(&self) -> Option<&'a [u8]> {
        self.decode(ExtensionKind::SubjectKeyIdentifier, read_octets)
    }

    /// authorityKeyIdentifier.
    pub fn authority_key_identifier(&self) -> Option<AuthorityKeyIdentifier<'a>> {
        self.decode(
            ExtensionKind::AuthorityKeyIdentifier,
            AuthorityKeyIdentifier::read,
        )
    }

    /// certificatePolicies: under which policies the certificate was issued.
    pub fn certificate_policies(&self) -> Option<CertificatePolicies<'a>> {
        self.decode(
            ExtensionKind::CertificatePolicies,
            CertificatePolicies::read,
        )
    }

    /// policyMappings: which policies the issuer takes for equal.
    pub fn policy_mappings(&self) -> Option<PolicyMappings<'a>> {
        self.decode(ExtensionKind::PolicyMappings, PolicyMappings::read)
    }

    /// policyConstraints.
    pub fn policy_constraints(&self) -> Option<PolicyConstraints> {
        self.decode(ExtensionKind::PolicyConstraints, PolicyConstraints::read)
    }

    /// inhibitAnyPolicy: after how many certificates anyPolicy no longer counts.
    pub fn inhibit_any_policy(&self) -> Option<u32> {
        self.decode(ExtensionKind::InhibitAnyPolicy, read_count)
    }

    /// cRLDistributionPoints: where the CRLs for this certificate are.
    pub fn crl_distribution_points(&self) -> Option<DistributionPoints<'a>> {
        self.decode(
            ExtensionKind::CrlDistributionPoints,
            DistributionPoints::read,
        )
    }

    /// freshestCRL: where the delta CRLs are.
    pub fn freshest_crl(&self) -> Option<DistributionPoints<'a>> {
        self.decode(ExtensionKind::FreshestCrl, DistributionPoints::read)
    }

    /// authorityInfoAccess: where to find the issuer's certificate and OCSP responder.
    pub fn authority_info_access(&self) -> Option<AccessDescriptions<'a>> {
        self.decode(ExtensionKind::AuthorityInfoAccess, AccessDescriptions::read)
    }

    /// Netscape's certificate type, which OpenSSL still heeds.
    pub fn netscape_cert_type(&self) -> Option<NetscapeCertType> {
        self.decode(ExtensionKind::NetscapeCertType, NetscapeCertType::read)
    }

    /// tlsFeature (RFC 7633): TLS extensions the server promises to answer.
    pub fn tls_features(&self) -> Option<TlsFeatures<'a>> {
        self.decode(ExtensionKind::TlsFeature, TlsFeatures::read)
    }

    /// Whether the certificate demands a stapled OCSP response (RFC 7633, `status_request`).
    pub fn must_staple(&self) -> bool {
        self.tls_features()
            .is_some_and(|features| features.iter().any(|number| number == 5))
    }

    /// Whether it is a proxy certificate (RFC 3820).
    pub fn is_proxy(&self) -> bool {
        self.contains(ExtensionKind::ProxyCertInfo)
    }

    /// cRLNumber: the INTEGER's content without a sign byte.
    pub fn crl_number(&self) -> Option<&'a [u8]> {
        self.decode(ExtensionKind::CrlNumber, read_unsigned)
    }

    /// deltaCRLIndicator: the number of the complete CRL that this one amends.
    pub fn delta_crl_indicator(&self) -> Option<&'a [u8]> {
        self.decode(ExtensionKind::DeltaCrlIndicator, read_unsigned)
    }

    /// issuingDistributionPoint: what a CRL covers.
    pub fn issuing_distribution_point(&self) -> Option<IssuingDistributionPoint<'a>> {
        self.decode(
            ExtensionKind::IssuingDistributionPoint,
            IssuingDistributionPoint::read,
        )
    }

    /// A list, without checking its items once more.
    fn decode_list<T: Item<'a>>(&self, kind: ExtensionKind) -> Option<List<'a, T>> {
        let read = if self.are_checked {
            List::read_known
        } else {
            List::read
        };
        self.decode(kind, read)
    }

    pub(crate) fn decode<T>(
        &self,
        kind: ExtensionKind,
        read: fn(&mut Reader<'a>) -> Result<T>,
    ) -> Option<T> {
        // The same function read the same bytes when the certificate was parsed.
        whole(Reader::new(self.value(kind)?), read).ok()
    }
}

impl fmt::Debug for Extensions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|extension| extension.oid))
            .finish()
    }
}

/// An extension, and where its value is.
struct Encoded<'a> {
    extension: Extension<'a>,
    value: Reader<'a>,
    /// Offset of the OCTET STRING.
    at: usize,
}

fn read_extension<'a>(reader: &mut Reader<'a>) -> Result<Encoded<'a>> {
    let mut after = *reader;
    match after.short(tag::SEQUENCE).and_then(as_short_extension) {
        Some(encoded) => {
            *reader = after;
            Ok(encoded)
        }
        None => read_any_extension(reader),
    }
}

/// Takes the content of an extension that is as nearly all are: of `id-ce`, 2.5.29, and short. `None` for
/// every other, and for one with a fault.
#[inline]
fn as_short_extension(content: Reader<'_>) -> Option<Encoded<'_>> {
    let [tag::OBJECT_IDENTIFIER, 3, after @ ..] = content.rest() else {
        return None;
    };
    let (oid, after) = after.split_at_checked(3)?;
    let [0x55, 0x1d, 0..=0x7f] = oid else {
        return None;
    };
    let (critical, after) = match after {
        [tag::BOOLEAN, 1, 0xff, after @ ..] => (true, after),
        _ => (false, after),
    };
    let [tag::OCTET_STRING, length @ 0..=0x7f, value @ ..] = after else {
        return None;
    };
    if usize::from(*length) != value.len() {
        return None;
    }
    Some(Encoded {
        extension: Extension {
            oid: Oid::from_known_content(oid),
            critical,
            value,
        },
        value: content.last(value),
        at: content.end().saturating_sub(after.len()),
    })
}

#[inline(never)]
fn read_any_extension<'a>(reader: &mut Reader<'a>) -> Result<Encoded<'a>> {
    let mut content = reader.sequence()?;
    let oid = content.object_identifier()?;
    let critical = content.optional_boolean(tag::BOOLEAN)?;
    let value = content.expect_element(tag::OCTET_STRING)?;
    content.finish()?;
    Ok(Encoded {
        extension: Extension {
            oid,
            critical,
            value: value.content.rest(),
        },
        value: value.content,
        at: value.at,
    })
}

/// Reads something that must be all there is.
fn whole<'a, T>(mut value: Reader<'a>, read: fn(&mut Reader<'a>) -> Result<T>) -> Result<T> {
    let decoded = read(&mut value)?;
    value.finish()?;
    Ok(decoded)
}

fn read_octets<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8]> {
    reader.octet_string().map(|content| content.rest())
}

fn read_count(reader: &mut Reader<'_>) -> Result<u32> {
    reader.expect(tag::INTEGER)?.as_count()
}

fn read_unsigned<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8]> {
    reader.expect(tag::INTEGER)?.as_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::general_name::GeneralName;

    /// The extensions of a certificate that OpenSSL made with nearly everything there is.
    fn with_all<T>(ask: impl FnOnce(&Extensions<'_>) -> T) -> T {
        use pki_types::pem::PemObject;
        let pem = include_bytes!("../tests/data/extensions.pem");
        let der = pki_types::CertificateDer::from_pem_slice(pem).unwrap();
        ask(crate::certificate::Certificate::parse(&der)
            .unwrap()
            .extensions())
    }

    #[test]
    fn kinds_are_found_by_their_identifier() {
        with_all(|extensions| {
            for extension in extensions.iter() {
                let kind = ExtensionKind::of(extension.oid).unwrap();
                assert_eq!(
                    extensions.value(kind),
                    Some(extension.value),
                    "{}",
                    kind.name()
                );
                assert_eq!(extensions.criticality(kind), Some(extension.critical));
            }
            assert_eq!(extensions.criticality(ExtensionKind::ProxyCertInfo), None);
        });
    }

    /// With any octet changed to any other: whether it is read, what is read, and where.
    #[test]
    fn short_extensions_are_read_as_any_other() {
        use crate::der::encode::{element, sequence};
        let value = element(tag::OCTET_STRING, &[&[3, 2, 1, 6]]);
        let mut read = 0;
        for critical in [&[][..], &[tag::BOOLEAN, 1, 0xff], &[tag::BOOLEAN, 1, 0]] {
            let whole = sequence(&[&[6, 3, 0x55, 0x1d, 15], critical, &value]);
            for place in 0..whole.len() {
                for octet in 0..=255 {
                    let mut der = [&whole[..], &[5, 0]].concat();
                    der[place] = octet;
                    let (mut quick, mut usual) = (Reader::new(&der), Reader::new(&der));
                    let result = read_extension(&mut quick);
                    let expected = read_any_extension(&mut usual);
                    assert_eq!(result.is_ok(), expected.is_ok(), "{der:x?}");
                    let (Ok(result), Ok(expected)) = (result, expected) else {
                        continue;
                    };
                    let parts = |one: &Encoded<'_>| {
                        let Extension {
                            oid,
                            critical,
                            value,
                        } = one.extension;
                        let content = (one.value.rest().to_vec(), one.value.at());
                        (oid.to_string(), critical, value.to_vec(), content, one.at)
                    };
                    assert_eq!(parts(&result), parts(&expected), "{der:x?}");
                    assert_eq!(quick.rest(), usual.rest(), "{der:x?}");
                    read += 1;
                }
            }
        }
        assert!(read > 3000, "{read}");
    }

    #[test]
    fn every_kind_has_a_bit_of_its_own() {
        let bits = ExtensionKind::ALL
            .iter()
            .fold(0, |bits, kind| bits | kind.bit());
        assert_eq!(usize::try_from(bits.count_ones()).unwrap(), KINDS);
    }

    #[test]
    fn usages_are_read() {
        with_all(|extensions| {
            let usage = extensions.key_usage().unwrap();
            assert!(usage.digital_signature() && usage.key_cert_sign() && usage.decipher_only());
            assert!(!usage.content_commitment() && !usage.crl_sign() && !usage.encipher_only());
            let purposes = extensions.extended_key_usage().unwrap();
            assert!(purposes.contains(Oid::SERVER_AUTH) && purposes.contains(Oid::NETSCAPE_SGC));
            assert!(!purposes.contains(Oid::CLIENT_AUTH));
            assert_eq!(purposes.iter().count(), 2);
            let netscape = extensions.netscape_cert_type().unwrap();
            assert!(netscape.ssl_server() && netscape.ssl_ca() && !netscape.ssl_client());
            assert!(extensions.must_staple() && !extensions.is_proxy());
        });
    }

    #[test]
    fn names_of_all_kinds_are_read() {
        with_all(|extensions| {
            let names: Vec<_> = extensions.subject_alt_name().unwrap().iter().collect();
            assert_eq!(names[0], GeneralName::Dns("db.example"));
            assert_eq!(names[1], GeneralName::Email("a@db.example"));
            assert_eq!(names[2], GeneralName::Uri("spiffe://db.example/a"));
            assert_eq!(names[3], GeneralName::Ip(&[192, 0, 2, 1]));
            assert!(matches!(
                names[4],
                GeneralName::Ip([0x20, 0x01, 0x0d, 0xb8, .., 1])
            ));
            assert!(
                matches!(names[5], GeneralName::RegisteredId(oid) if oid.to_string() == "1.2.3.4")
            );
            let GeneralName::Directory(name) = names[6] else {
                panic!("{names:?}")
            };
            assert_eq!(name.to_string(), "CN=in the name");
            let GeneralName::Other(kind, value) = names[7] else {
                panic!("{names:?}")
            };
            assert_eq!(
                (kind, value),
                (Oid::SMTP_UTF8_MAILBOX, &b"\x0c\x04x@db"[..])
            );
            assert_eq!(names.len(), 8);
            assert!(
                extensions
                    .issuer_alt_name()
                    .unwrap()
                    .iter()
                    .eq([GeneralName::Dns("ca.example")])
            );
        });
    }

    #[test]
    fn constraints_are_read() {
        with_all(|extensions| {
            let basic = extensions.basic_constraints().unwrap();
            assert_eq!((basic.is_ca, basic.path_length), (true, Some(3)));
            let names = extensions.name_constraints().unwrap();
            let permitted: Vec<_> = names.permitted_subtrees().map(|tree| tree.base).collect();
            assert_eq!(
                permitted,
                [
                    GeneralName::Dns("example"),
                    GeneralName::Ip(&[192, 0, 2, 0, 255, 255, 255, 0]),
                ]
            );
            let excluded: Vec<_> = names.excluded_subtrees().collect();
            assert_eq!(excluded.len(), 1);
            assert_eq!(excluded[0].base, GeneralName::Email(".bad.example"));
            assert_eq!((excluded[0].minimum, excluded[0].maximum), (0, None));
            assert!(!names.is_empty());
        });
    }

    #[test]
    fn policies_are_read() {
        with_all(|extensions| {
            let policies: Vec<_> = extensions.certificate_policies().unwrap().iter().collect();
            assert_eq!(policies[0].policy.to_string(), "1.2.3.4");
            assert!(policies[0].qualifiers.is_none() && policies[1].qualifiers.is_some());
            let mapping = extensions.policy_mappings().unwrap().iter().next().unwrap();
            assert_eq!(mapping.issuer_domain.to_string(), "1.2.3.4");
            assert_eq!(mapping.subject_domain.to_string(), "1.2.3.6");
            let constraints = extensions.policy_constraints().unwrap();
            assert_eq!(constraints.require_explicit_policy, Some(2));
            assert_eq!(constraints.inhibit_policy_mapping, Some(0));
            assert_eq!(extensions.inhibit_any_policy(), Some(7));
        });
    }

    #[test]
    fn distribution_points_are_read() {
        use distribution::{DistributionPointName, ReasonFlags};
        with_all(|extensions| {
            let points: Vec<_> = extensions
                .crl_distribution_points()
                .unwrap()
                .iter()
                .collect();
            let Some(DistributionPointName::Full(names)) = points[0].name else {
                panic!()
            };
            assert!(names.iter().eq([GeneralName::Uri("http://crl.example/1")]));
            assert!(points[0].reasons.is_none() && points[0].crl_issuer.is_none());
            let Some(DistributionPointName::RelativeToIssuer(part)) = points[1].name else {
                panic!()
            };
            assert_eq!(part.to_string(), "CN=part");
            let reasons = points[1].reasons.unwrap();
            assert!(!reasons.is_empty() && ReasonFlags::ALL.contains(reasons));
            assert!(!reasons.contains(ReasonFlags::ALL));
            assert!(points[1].crl_issuer.unwrap().iter().all(|name| {
                matches!(name, GeneralName::Directory(name) if name.to_string() == "CN=list")
            }));
            assert!(!extensions.freshest_crl().unwrap().is_empty());
        });
    }

    #[test]
    fn key_identifiers_and_services_are_read() {
        with_all(|extensions| {
            let own = extensions.subject_key_identifier().unwrap();
            let authority = extensions.authority_key_identifier().unwrap();
            assert_eq!(own.len(), 20);
            assert_eq!(authority.key_identifier, Some(own));
            assert!(authority.issuer.unwrap().iter().count() == 1);
            assert_eq!(authority.serial, Some(&[0x12, 0x34][..]));
            let services: Vec<_> = extensions.authority_info_access().unwrap().iter().collect();
            assert_eq!(services[0].method, Oid::ACCESS_OCSP);
            assert_eq!(
                services[0].location,
                GeneralName::Uri("http://ocsp.example/")
            );
            assert_eq!(services[1].method, Oid::ACCESS_CA_ISSUERS);
        });
    }
}
