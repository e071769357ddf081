//! The certificate profile of the public web: what RFC 5280 and the Baseline Requirements of the
//! CA/Browser Forum demand of certificates beyond what OpenSSL looks at.

use core::net::{IpAddr, Ipv4Addr};

use crate::algorithm::{Digest, SignatureAlgorithm};
use crate::certificate::{Certificate, Version};
use crate::checks::constraints;
use crate::checks::host::is_host_name;
use crate::extensions::ExtensionKind;
use crate::extensions::usage::KeyUsage;
use crate::general_name::GeneralName;
use crate::oid::Oid;
use crate::parameters::Purpose;
use crate::path::Node;
use crate::profile::Place;
use crate::public_key::{EcCurve, KeyAlgorithm};
use crate::reason::WebPkiRule;
use crate::text::has_octet_characters;

/// Every rule that the certificate breaks in its place.
pub(crate) fn broken_rules(
    node: &Node<'_>,
    place: Place,
    purpose: Purpose,
) -> impl Iterator<Item = WebPkiRule> {
    let certificate = &node.certificate;
    let specific = match place {
        Place::Leaf => leaf_rules(certificate, purpose),
        Place::Intermediate => issued_ca_rules(certificate),
        Place::Anchor => anchor_rules(node),
    };
    [common_rules(certificate), specific]
        .into_iter()
        // As a rule none is, and that is quicker seen of all at once.
        .filter(|rules| rules.iter().fold(false, |any, (broken, _)| any | broken))
        .flatten()
        .filter_map(|(broken, rule)| broken.then_some(rule))
}

type Rules = [(bool, WebPkiRule); 8];

/// What every certificate must have or must not have.
fn common_rules(certificate: &Certificate<'_>) -> Rules {
    let extensions = certificate.extensions();
    let critical = |kind| extensions.criticality(kind) == Some(true);
    let policy_constraints = extensions.criticality(ExtensionKind::PolicyConstraints);
    let constraints = extensions.name_constraints();
    [
        (certificate.version() < Version::V3, WebPkiRule::NotVersion3),
        (certificate.issuer().is_empty(), WebPkiRule::EmptyIssuer),
        (
            critical(ExtensionKind::AuthorityKeyIdentifier),
            WebPkiRule::AuthorityKeyIdentifier,
        ),
        (
            critical(ExtensionKind::SubjectKeyIdentifier),
            WebPkiRule::SubjectKeyIdentifier,
        ),
        (
            critical(ExtensionKind::AuthorityInfoAccess),
            WebPkiRule::AuthorityInformationAccess,
        ),
        // RFC 5280 §4.2.1.11: conforming CAs MUST mark this extension as critical.
        (
            policy_constraints == Some(false),
            WebPkiRule::PolicyConstraints,
        ),
        (
            constraints.is_some_and(|constraints| !constraints::is_well_formed(&constraints)),
            WebPkiRule::NameConstraints,
        ),
        (!is_key_allowed(certificate), WebPkiRule::Key),
    ]
}

/// The peer's own certificate.
fn leaf_rules(certificate: &Certificate<'_>, purpose: Purpose) -> Rules {
    let extensions = certificate.extensions();
    let is_ca = extensions
        .basic_constraints()
        .is_some_and(|basic| basic.is_ca);
    [
        (!certificate.serial_is_proper(), WebPkiRule::SerialNumber),
        (
            !is_signature_allowed(certificate),
            WebPkiRule::SignatureAlgorithm,
        ),
        (
            !extensions.contains(ExtensionKind::AuthorityKeyIdentifier),
            WebPkiRule::AuthorityKeyIdentifier,
        ),
        (
            is_ca || extensions.key_usage().is_some_and(KeyUsage::key_cert_sign),
            WebPkiRule::LeafIsCa,
        ),
        // RFC 5280 §4.2.1.10: MUST be used only in a CA certificate.
        (
            extensions.contains(ExtensionKind::NameConstraints),
            WebPkiRule::NameConstraints,
        ),
        (
            !alternative_names_are_good(certificate),
            WebPkiRule::AlternativeNames,
        ),
        (
            purpose == Purpose::ServerAuth && !common_name_is_well_formed(certificate),
            WebPkiRule::CommonName,
        ),
        (
            !extended_key_usage_is_good(certificate),
            WebPkiRule::ExtendedKeyUsage,
        ),
    ]
}

/// A CA certificate that another CA has issued.
fn issued_ca_rules(certificate: &Certificate<'_>) -> Rules {
    let extensions = certificate.extensions();
    let [basic, usage, identifier, subject, ..] = ca_rules(certificate);
    [
        (!certificate.serial_is_proper(), WebPkiRule::SerialNumber),
        (
            !is_signature_allowed(certificate),
            WebPkiRule::SignatureAlgorithm,
        ),
        (
            !extensions.contains(ExtensionKind::AuthorityKeyIdentifier),
            WebPkiRule::AuthorityKeyIdentifier,
        ),
        basic,
        usage,
        identifier,
        subject,
        NO_RULE,
    ]
}

/// A trust anchor, which nobody needs to have issued: old serial numbers and signatures do no harm.
fn anchor_rules(node: &Node<'_>) -> Rules {
    let certificate = &node.certificate;
    let extensions = certificate.extensions();
    let unknown = matches!(
        certificate.signature_algorithm(),
        SignatureAlgorithm::Unknown
    );
    let own_key = extensions.subject_key_identifier();
    let authority = extensions.authority_key_identifier();
    let odd_authority = node.is_self_issued()
        && authority.is_some_and(|authority| {
            authority.key_identifier != own_key
                || authority.issuer.is_some()
                || authority.serial.is_some()
        });
    let [basic, usage, identifier, subject, ..] = ca_rules(certificate);
    [
        (unknown, WebPkiRule::SignatureAlgorithm),
        (odd_authority, WebPkiRule::AuthorityKeyIdentifier),
        (
            extensions.contains(ExtensionKind::ExtendedKeyUsage),
            WebPkiRule::ExtendedKeyUsage,
        ),
        basic,
        usage,
        identifier,
        subject,
        NO_RULE,
    ]
}

/// Fills a table that has fewer rows than others.
const NO_RULE: (bool, WebPkiRule) = (false, WebPkiRule::NotVersion3);

/// What makes a CA certificate.
fn ca_rules(certificate: &Certificate<'_>) -> [(bool, WebPkiRule); 4] {
    let extensions = certificate.extensions();
    let basic_critical = extensions.criticality(ExtensionKind::BasicConstraints);
    let usage = extensions.key_usage();
    [
        (basic_critical != Some(true), WebPkiRule::BasicConstraints),
        (
            !usage.is_some_and(KeyUsage::key_cert_sign),
            WebPkiRule::KeyUsage,
        ),
        (
            !extensions.contains(ExtensionKind::SubjectKeyIdentifier),
            WebPkiRule::SubjectKeyIdentifier,
        ),
        (certificate.subject().is_empty(), WebPkiRule::EmptySubject),
    ]
}

/// Baseline Requirements §6.1.5: RSA of at least 2048 bits, a multiple of 8, or P-256, P-384, P-521.
/// Ed25519 and ML-DSA are let pass: they are strong, if not yet certified.
fn is_key_allowed(certificate: &Certificate<'_>) -> bool {
    let key = certificate.public_key();
    match key.algorithm() {
        KeyAlgorithm::Rsa | KeyAlgorithm::RsaPss => {
            key.bits().is_some_and(|bits| bits >= 2048 && bits % 8 == 0)
        }
        KeyAlgorithm::Ec(EcCurve::P256 | EcCurve::P384 | EcCurve::P521)
        | KeyAlgorithm::Ed25519
        | KeyAlgorithm::MlDsa44
        | KeyAlgorithm::MlDsa65
        | KeyAlgorithm::MlDsa87 => key.bits().is_some(),
        _ => false,
    }
}

/// Baseline Requirements §7.1.3.2: nothing with a digest weaker than SHA-256.
fn is_signature_allowed(certificate: &Certificate<'_>) -> bool {
    let weak = |digest| matches!(digest, Digest::Md5 | Digest::Sha1 | Digest::Sha224);
    match certificate.signature_algorithm() {
        SignatureAlgorithm::RsaPkcs1(digest) | SignatureAlgorithm::Ecdsa(digest) => !weak(digest),
        SignatureAlgorithm::RsaPss(parameters) => !weak(parameters.digest),
        SignatureAlgorithm::Dsa(_) | SignatureAlgorithm::Ed448 | SignatureAlgorithm::Unknown => {
            false
        }
        _ => true,
    }
}

/// There are some, all are well-formed, and they are critical if there is no subject (RFC 5280
/// §4.2.1.6).
fn alternative_names_are_good(certificate: &Certificate<'_>) -> bool {
    let extensions = certificate.extensions();
    let Some(names) = extensions.subject_alt_name() else {
        return false;
    };
    let critical = extensions.criticality(ExtensionKind::SubjectAltName) == Some(true);
    (critical || !certificate.subject().is_empty())
        && !names.is_empty()
        && names.iter().all(|name| match name {
            // An address is no host name, nor may labels have underscores.
            GeneralName::Dns(name) => {
                is_host_name(name) && !name.as_bytes().contains(&b'_') && !is_ipv4_address(name)
            }
            GeneralName::Ip(address) => matches!(address.len(), 4 | 16),
            GeneralName::Email(address) => is_mailbox(address),
            _ => true,
        })
}

fn is_ipv4_address(name: &str) -> bool {
    name.ends_with(|last: char| last.is_ascii_digit()) && name.parse::<Ipv4Addr>().is_ok()
}

fn is_mailbox(address: &str) -> bool {
    address
        .split_once('@')
        .is_some_and(|(local, host)| !local.is_empty() && !host.contains('*') && is_host_name(host))
}

/// Baseline Requirements §7.1.4.3: a common name that is an address is written as RFC 3986 and
/// RFC 5952 want it, one that is a host name in A-labels.
///
/// That it must besides be one of the alternative names is not demanded: nothing here ever takes a
/// common name for an identity, and many private CAs write other things there.
fn common_name_is_well_formed(certificate: &Certificate<'_>) -> bool {
    certificate.subject().common_names().all(|name| {
        // An address has no other characters; most names begin with one.
        if has_octet_characters(name.value_tag())
            && name.value().is_ascii()
            && name.value().iter().any(|byte| !is_in_addresses(*byte))
        {
            return true;
        }
        let Some(text) = name.text() else {
            return false;
        };
        let has_only = |good: fn(&u8) -> bool| text.as_bytes().iter().all(good);
        let like_address = has_only(|byte| matches!(byte, b'0'..=b'9' | b'.'))
            && text.contains('.')
            || has_only(|byte| byte.is_ascii_hexdigit() || *byte == b':') && text.contains(':');
        if like_address {
            return text
                .parse::<IpAddr>()
                .is_ok_and(|address| address.to_string() == text);
        }
        text.is_ascii() || !text.contains('.') || text.contains(' ')
    })
}

fn is_in_addresses(character: u8) -> bool {
    character.is_ascii_hexdigit() || matches!(character, b'.' | b':')
}

/// Baseline Requirements §7.1.2.7: present, not critical, and not for any use.
fn extended_key_usage_is_good(certificate: &Certificate<'_>) -> bool {
    let extensions = certificate.extensions();
    extensions.criticality(ExtensionKind::ExtendedKeyUsage) == Some(false)
        && extensions
            .extended_key_usage()
            .is_some_and(|usage| !usage.contains(Oid::ANY_EXTENDED_KEY_USAGE))
}

#[cfg(all(test, feature = "mozilla-roots"))]
mod tests {
    use super::*;
    use crate::path::Source;

    /// A root without subject key identifier is the only one in Mozilla's programme that breaks a
    /// rule; another such name here means that a rule is stricter than the web.
    #[test]
    fn roots_in_use_break_no_rule() {
        let mut broken = Vec::new();
        for root in crate::TrustStore::mozilla().unwrap().certificates() {
            let root = Certificate::parse(&root).unwrap();
            let node = Node::new(root, Source::Stored(0));
            for rule in broken_rules(&node, Place::Anchor, Purpose::ServerAuth) {
                broken.push(format!(
                    "{} {rule:?}",
                    root.subject().common_name().unwrap()
                ));
            }
        }
        assert_eq!(broken, ["TWCA Global Root CA SubjectKeyIdentifier"]);
    }
}
