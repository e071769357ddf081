//! Which extensions are read where, so that what they say is known to be well-formed.

use super::constraints::{BasicConstraints, NameConstraints};
use super::distribution::{DistributionPoints, IssuingDistributionPoint};
use super::identifiers::{AccessDescriptions, AuthorityKeyIdentifier};
use super::policies::{CertificatePolicies, PolicyConstraints, PolicyMappings};
use super::usage::{ExtendedKeyUsage, KeyUsage, NetscapeCertType, TlsFeatures};
use super::{ExtensionKind, Extensions, read_count, read_octets, read_unsigned, whole};
use crate::der::{Reader, Result};
use crate::general_name::GeneralNames;

/// Reads what an extension says.
pub(super) type Check<'a> = fn(&mut Extensions<'a>, ExtensionKind, Reader<'a>) -> Result<()>;

pub(super) fn check_in_certificate<'a>(
    extensions: &mut Extensions<'a>,
    kind: ExtensionKind,
    value: Reader<'a>,
) -> Result<()> {
    use ExtensionKind as K;
    match kind {
        // What is asked for most is kept.
        K::KeyUsage => whole(value, KeyUsage::read).map(|usage| {
            extensions.key_usage = Some(usage);
        }),
        K::BasicConstraints => whole(value, BasicConstraints::read).map(|basic| {
            extensions.basic_constraints = Some(basic);
        }),
        K::AuthorityKeyIdentifier => check(value, AuthorityKeyIdentifier::read),
        K::SubjectKeyIdentifier => check(value, read_octets),
        K::ExtendedKeyUsage => check(value, ExtendedKeyUsage::read),
        K::NameConstraints => check(value, NameConstraints::read),
        K::SubjectAltName | K::IssuerAltName => check(value, GeneralNames::read),
        K::CertificatePolicies => check(value, CertificatePolicies::read),
        K::PolicyMappings => check(value, PolicyMappings::read),
        K::PolicyConstraints => check(value, PolicyConstraints::read),
        K::InhibitAnyPolicy => check(value, read_count),
        K::CrlDistributionPoints | K::FreshestCrl => check(value, DistributionPoints::read),
        K::AuthorityInfoAccess | K::SubjectInfoAccess => check(value, AccessDescriptions::read),
        K::NetscapeCertType => check(value, NetscapeCertType::read),
        K::TlsFeature => check(value, TlsFeatures::read),
        // Recognised, not read; and those that have no meaning in a certificate.
        _ => Ok(()),
    }
}

pub(super) fn check_in_crl<'a>(
    _: &mut Extensions<'a>,
    kind: ExtensionKind,
    value: Reader<'a>,
) -> Result<()> {
    use ExtensionKind as K;
    match kind {
        K::AuthorityKeyIdentifier => check(value, AuthorityKeyIdentifier::read),
        K::IssuerAltName => check(value, GeneralNames::read),
        K::CrlNumber | K::DeltaCrlIndicator => check(value, read_unsigned),
        K::IssuingDistributionPoint => check(value, IssuingDistributionPoint::read),
        K::FreshestCrl => check(value, DistributionPoints::read),
        K::AuthorityInfoAccess => check(value, AccessDescriptions::read),
        _ => Ok(()),
    }
}

pub(super) fn check_in_entry<'a>(
    _: &mut Extensions<'a>,
    kind: ExtensionKind,
    value: Reader<'a>,
) -> Result<()> {
    use ExtensionKind as K;
    match kind {
        K::ReasonCode => check(value, crate::crl::RevocationReason::read),
        K::InvalidityDate => check(value, crate::time::Time::read_generalized),
        K::CertificateIssuer => check(value, GeneralNames::read),
        _ => Ok(()),
    }
}

fn check<'a, T>(value: Reader<'a>, read: fn(&mut Reader<'a>) -> Result<T>) -> Result<()> {
    whole(value, read).map(|_| ())
}
