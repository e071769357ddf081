//! What certificates may be used for: CA or not, key usage, extended key usage, path length,
//! critical extensions (RFC 5280 §4.2.1.3, §4.2.1.9, §4.2.1.12).

use crate::certificate::{Certificate, Version};
use crate::extensions::ExtensionKind;
use crate::extensions::usage::{KeyUsage, NetscapeCertType};
use crate::oid::Oid;
use crate::parameters::Purpose;
use crate::path::Node;
use crate::reason::Reason;

/// Which way, if any, a certificate says that it is a CA's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ca {
    /// It is none.
    No,
    /// By basic constraints, as RFC 5280 §4.2.1.9 wants it.
    Proper,
    /// By one of the ways from before basic constraints: self-signed of version 1, a key
    /// usage, or Netscape's type. Good enough for a trust anchor.
    OldStyle,
}

/// Is the certificate a CA's?
pub(crate) fn ca_status(node: &Node<'_>) -> Ca {
    let extensions = node.certificate.extensions();
    let key_usage = extensions.key_usage();
    if node.is_invalid() || key_usage.is_some_and(|usage| !usage.key_cert_sign()) {
        return Ca::No;
    }
    if let Some(constraints) = extensions.basic_constraints() {
        return if constraints.is_ca {
            Ca::Proper
        } else {
            Ca::No
        };
    }
    let old_root = node.certificate.version() == Version::V1 && node.is_self_signed();
    let netscape = extensions.netscape_cert_type().is_some_and(is_netscape_ca);
    if old_root || key_usage.is_some() || netscape {
        Ca::OldStyle
    } else {
        Ca::No
    }
}

/// RFC 5280 §6.1.4 (k): is the certificate, which issued another, a CA's? Only the last one of a
/// chain may say so in an old way.
pub(crate) fn is_ca(node: &Node<'_>, is_last: bool, strict: bool) -> Result<(), Reason> {
    match ca_status(node) {
        Ca::Proper => Ok(()),
        Ca::OldStyle if is_last && !strict => Ok(()),
        Ca::OldStyle | Ca::No => Err(Reason::NotACa),
    }
}

/// May the certificate be used for the purpose?
///
/// An extended key usage must list it, on CAs too; *any* purpose does not count. The key usage
/// of an end entity must allow what TLS does with the key.
pub(crate) fn purpose(node: &Node<'_>, purpose: Purpose, is_leaf: bool) -> Result<(), Reason> {
    let extensions = node.certificate.extensions();
    let usage = extensions.key_usage();
    let netscape = extensions.netscape_cert_type();
    let wanted: &[Oid<'_>] = match purpose {
        Purpose::Any => return Ok(()),
        Purpose::ServerAuth => &[Oid::SERVER_AUTH, Oid::NETSCAPE_SGC, Oid::MICROSOFT_SGC],
        Purpose::ClientAuth => &[Oid::CLIENT_AUTH],
    };
    let extended = extensions.extended_key_usage();
    let listed = extended.is_none_or(|listed| wanted.iter().any(|wanted| listed.contains(*wanted)));
    let allowed = match (is_leaf, purpose) {
        (false, _) => may_issue_tls(node, netscape),
        (true, Purpose::ClientAuth) => {
            usage.is_none_or(serves_client) && netscape.is_none_or(NetscapeCertType::ssl_client)
        }
        (true, _) => {
            usage.is_none_or(serves_server) && netscape.is_none_or(NetscapeCertType::ssl_server)
        }
    };
    // OpenSSL cannot say anything about a certificate whose extensions contradict each other.
    if (listed && allowed) || node.is_invalid() {
        Ok(())
    } else {
        Err(Reason::WrongPurpose)
    }
}

/// A client signs the handshake or agrees on a key.
fn serves_client(usage: KeyUsage) -> bool {
    usage.digital_signature() || usage.key_agreement()
}

/// A server may besides have its key used to encrypt the premaster secret (TLS 1.2).
fn serves_server(usage: KeyUsage) -> bool {
    usage.digital_signature() || usage.key_encipherment() || usage.key_agreement()
}

fn may_issue_tls(node: &Node<'_>, netscape: Option<NetscapeCertType>) -> bool {
    let extensions = node.certificate.extensions();
    let only_netscape = extensions.basic_constraints().is_none()
        && extensions.key_usage().is_none()
        && !(node.certificate.version() == Version::V1 && node.is_self_signed());
    match ca_status(node) {
        Ca::No => false,
        Ca::OldStyle if only_netscape => netscape.is_some_and(NetscapeCertType::ssl_ca),
        Ca::Proper | Ca::OldStyle => true,
    }
}

fn is_netscape_ca(kind: NetscapeCertType) -> bool {
    kind.ssl_ca() || kind.smime_ca() || kind.object_signing_ca()
}

/// RFC 5280 §6.1.4 (m): `below` CAs, self-issued ones not counted, stand below this one.
pub(crate) fn path_length(certificate: &Certificate<'_>, below: u32) -> Result<(), Reason> {
    let limit = certificate
        .extensions()
        .basic_constraints()
        .and_then(|basic| basic.path_length);
    match limit {
        Some(allowed) if below > allowed => Err(Reason::PathTooLong {
            allowed,
            found: below,
        }),
        _ => Ok(()),
    }
}

/// RFC 5280 §4.2: a certificate-using system MUST reject the certificate if it encounters a
/// critical extension it does not recognize.
pub(crate) fn critical_extensions(certificate: &Certificate<'_>) -> Result<(), Reason> {
    let processed = ExtensionKind::is_processed_in_certificates;
    match certificate
        .extensions()
        .first_unprocessed_critical(processed)
    {
        Some(_) => Err(Reason::UnknownCriticalExtension),
        None => Ok(()),
    }
}

/// RFC 3820 certificates are refused: nobody asked for delegation.
pub(crate) fn proxy(certificate: &Certificate<'_>) -> Result<(), Reason> {
    if certificate.extensions().is_proxy() {
        Err(Reason::ProxyCertificate)
    } else {
        Ok(())
    }
}

/// RFC 5280 §6.1.4 (n): if a key usage extension is present, keyCertSign must be set.
pub(crate) fn may_sign_certificates(issuer: &Certificate<'_>) -> Result<(), Reason> {
    let forbidden = issuer
        .extensions()
        .key_usage()
        .is_some_and(|usage| !usage.key_cert_sign());
    if forbidden {
        Err(Reason::IssuerMayNotSign)
    } else {
        Ok(())
    }
}

/// Do extensions contradict each other so that OpenSSL calls the certificate invalid and does not
/// build a chain over it?
pub(crate) fn contradicts_itself(certificate: &Certificate<'_>) -> bool {
    let extensions = certificate.extensions();
    let usage_is_empty = extensions.key_usage().is_some_and(KeyUsage::is_empty);
    // RFC 3820 §3.1, §3.2.2: a proxy certificate is no CA's and has no alternative names.
    let odd_proxy = extensions.is_proxy()
        && (extensions
            .basic_constraints()
            .is_some_and(|basic| basic.is_ca)
            || extensions.contains(ExtensionKind::SubjectAltName)
            || extensions.contains(ExtensionKind::IssuerAltName));
    // RFC 5280 §4.2.1.13: a distribution point MUST NOT consist of only the reasons field.
    let odd_point = extensions.crl_distribution_points().is_some_and(|points| {
        points.iter().any(|point| {
            point.name.is_none() && point.crl_issuer.is_none_or(|names| names.is_empty())
        })
    });
    usage_is_empty || odd_proxy || odd_point
}
