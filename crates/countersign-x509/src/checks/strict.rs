//! The additional rules of RFC 5280 that `X509_V_FLAG_X509_STRICT` switches on.

use crate::certificate::Version;
use crate::checks::usage::{Ca, ca_status};
use crate::extensions::ExtensionKind;
use crate::path::Node;
use crate::reason::StrictRule;

/// Every rule the certificate breaks, in the order in which OpenSSL asks. `has_issuer` is false
/// for the last certificate of the chain.
pub(crate) fn broken_rules(node: &Node<'_>, has_issuer: bool) -> impl Iterator<Item = StrictRule> {
    let certificate = &node.certificate;
    let extensions = certificate.extensions();
    let basic = extensions.basic_constraints();
    let is_ca = basic.is_some_and(|basic| basic.is_ca);
    let has_path_length = basic.is_some_and(|basic| basic.path_length.is_some());
    let usage = extensions.key_usage();
    // OpenSSL reads a missing key usage here as one that allows nothing.
    let cert_sign = usage.is_some_and(|usage| usage.key_cert_sign());
    let crl_sign = usage.is_some_and(|usage| usage.crl_sign());
    let names = extensions.subject_alt_name();
    let no_subject = certificate.subject().is_empty();
    let is_v3 = certificate.version() >= Version::V3;
    let key_identifier = extensions
        .authority_key_identifier()
        .and_then(|authority| authority.key_identifier);
    let critical = |kind| extensions.criticality(kind) == Some(true);
    let not_critical = |kind| extensions.criticality(kind) == Some(false);
    [
        (has_path_length && !is_ca, StrictRule::PathLengthWithoutCa),
        (
            has_path_length && !cert_sign,
            StrictRule::PathLengthWithoutCertSign,
        ),
        (
            is_ca && not_critical(ExtensionKind::BasicConstraints),
            StrictRule::BasicConstraintsNotCritical,
        ),
        (is_ca && usage.is_none(), StrictRule::CaWithoutKeyUsage),
        (!is_ca && cert_sign, StrictRule::CertSignWithoutCa),
        (certificate.issuer().is_empty(), StrictRule::EmptyIssuer),
        (
            no_subject && (is_ca || crl_sign || names.is_none()),
            StrictRule::EmptySubject,
        ),
        (
            no_subject && not_critical(ExtensionKind::SubjectAltName),
            StrictRule::AlternativeNamesNotCritical,
        ),
        (
            names.is_some_and(|names| names.is_empty()),
            StrictRule::NoAlternativeNames,
        ),
        (
            !certificate.signature_algorithms_agree(),
            StrictRule::SignatureAlgorithmsDiffer,
        ),
        (
            critical(ExtensionKind::AuthorityKeyIdentifier),
            StrictRule::AuthorityKeyIdentifierCritical,
        ),
        (
            critical(ExtensionKind::SubjectKeyIdentifier),
            StrictRule::SubjectKeyIdentifierCritical,
        ),
        (
            is_v3 && has_issuer && key_identifier.is_none(),
            StrictRule::NoAuthorityKeyIdentifier,
        ),
        (
            is_v3 && is_ca && extensions.subject_key_identifier().is_none(),
            StrictRule::NoSubjectKeyIdentifier,
        ),
        (
            !is_v3 && !extensions.is_empty(),
            StrictRule::ExtensionsBeforeVersion3,
        ),
    ]
    .into_iter()
    .filter_map(|(broken, rule)| broken.then_some(rule))
}

/// Strict mode asks of a leaf too that, if it is a CA's, it say so properly.
pub(crate) fn leaf_ca_is_proper(leaf: &Node<'_>) -> Result<(), StrictRule> {
    if ca_status(leaf) == Ca::OldStyle {
        Err(StrictRule::OldStyleCa)
    } else {
        Ok(())
    }
}
