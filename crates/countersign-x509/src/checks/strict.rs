//! The additional rules of RFC 5280 that `X509_V_FLAG_X509_STRICT` switches on.

use crate::certificate::{Certificate, Version};
use crate::checks::usage::{Ca, ca_status};
use crate::extensions::ExtensionKind;
use crate::extensions::usage::KeyUsage;
use crate::path::Node;
use crate::reason::StrictRule;

/// Every rule the certificate breaks, in the order in which OpenSSL asks. `has_issuer` is false
/// for the last certificate of the chain.
pub(crate) fn broken_rules(node: &Node<'_>, has_issuer: bool) -> impl Iterator<Item = StrictRule> {
    let certificate = &node.certificate;
    ca_rules(certificate)
        .into_iter()
        .chain(name_rules(certificate))
        .chain(identifier_rules(certificate, has_issuer))
        .filter_map(|(broken, rule)| broken.then_some(rule))
}

/// Basic constraints and key usage agree with each other.
fn ca_rules(certificate: &Certificate<'_>) -> [(bool, StrictRule); 5] {
    let extensions = certificate.extensions();
    let basic = extensions.basic_constraints();
    let is_ca = basic.is_some_and(|basic| basic.is_ca);
    let has_path_length = basic.is_some_and(|basic| basic.path_length.is_some());
    let critical = extensions.criticality(ExtensionKind::BasicConstraints);
    let usage = extensions.key_usage();
    // OpenSSL reads a missing key usage here as one that allows nothing.
    let cert_sign = usage.is_some_and(KeyUsage::key_cert_sign);
    [
        (has_path_length && !is_ca, StrictRule::PathLengthWithoutCa),
        (
            has_path_length && !cert_sign,
            StrictRule::PathLengthWithoutCertSign,
        ),
        (
            is_ca && critical == Some(false),
            StrictRule::BasicConstraintsNotCritical,
        ),
        (is_ca && usage.is_none(), StrictRule::CaWithoutKeyUsage),
        (!is_ca && cert_sign, StrictRule::CertSignWithoutCa),
    ]
}

/// There are names, where they must be.
fn name_rules(certificate: &Certificate<'_>) -> [(bool, StrictRule); 4] {
    let extensions = certificate.extensions();
    let is_ca = extensions
        .basic_constraints()
        .is_some_and(|basic| basic.is_ca);
    let crl_sign = extensions.key_usage().is_some_and(KeyUsage::crl_sign);
    let names = extensions.subject_alt_name();
    let names_critical = extensions.criticality(ExtensionKind::SubjectAltName);
    let no_subject = certificate.subject().is_empty();
    let needs_subject = is_ca || crl_sign || names.is_none();
    [
        (certificate.issuer().is_empty(), StrictRule::EmptyIssuer),
        (no_subject && needs_subject, StrictRule::EmptySubject),
        (
            no_subject && names_critical == Some(false),
            StrictRule::AlternativeNamesNotCritical,
        ),
        (
            names.is_some_and(|names| names.is_empty()),
            StrictRule::NoAlternativeNames,
        ),
    ]
}

/// The signature algorithm is named consistently, and keys are identified. That key identifiers must
/// not be critical (90, 91) never comes to bear: critical, they are unknown extensions (34).
fn identifier_rules(certificate: &Certificate<'_>, has_issuer: bool) -> [(bool, StrictRule); 4] {
    let extensions = certificate.extensions();
    let is_v3 = certificate.version() >= Version::V3;
    let is_ca = extensions
        .basic_constraints()
        .is_some_and(|basic| basic.is_ca);
    let authority = extensions.authority_key_identifier();
    let no_issuer_key = authority
        .and_then(|authority| authority.key_identifier)
        .is_none();
    let no_own_key = extensions.subject_key_identifier().is_none();
    [
        (
            !certificate.signature_algorithms_agree(),
            StrictRule::SignatureAlgorithmsDiffer,
        ),
        (
            is_v3 && has_issuer && no_issuer_key,
            StrictRule::NoAuthorityKeyIdentifier,
        ),
        (
            is_v3 && is_ca && no_own_key,
            StrictRule::NoSubjectKeyIdentifier,
        ),
        (
            !is_v3 && !extensions.is_empty(),
            StrictRule::ExtensionsBeforeVersion3,
        ),
    ]
}

/// Strict mode asks of a leaf too that, if it is a CA's, it say so properly.
pub(crate) fn leaf_ca_is_proper(leaf: &Node<'_>) -> Result<(), StrictRule> {
    if ca_status(leaf) == Ca::OldStyle {
        Err(StrictRule::OldStyleCa)
    } else {
        Ok(())
    }
}
