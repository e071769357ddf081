//! Name constraints (RFC 5280 §4.2.1.10): the names of a certificate against the subtrees that a
//! CA above it is restricted to or barred from.

use crate::certificate::Certificate;
use crate::checks::host::is_host_name;
use crate::extensions::ExtensionKind;
use crate::extensions::constraints::{NameConstraints, Subtree};
use crate::general_name::GeneralName;
use crate::meter::Extent;
use crate::name::Name;
use crate::oid::Oid;
use crate::parameters::Profile;
use crate::reason::ConstraintFailure;

/// Do all names of `certificate` obey `constraints`?
///
/// Checked are the subject as a directory name, e-mail addresses in it, and all alternative names.
/// OpenSSL besides takes common names of a `leaf` without DNS alternative names for host names.
pub(crate) fn check(
    certificate: &Certificate<'_>,
    constraints: &NameConstraints<'_>,
    is_leaf: bool,
    profile: Profile,
) -> Result<(), ConstraintFailure> {
    let rules = Rules {
        constraints,
        profile,
    };
    let subject = certificate.subject();
    if !subject.is_empty() {
        rules.obeyed_by(&GeneralName::Directory(subject))?;
        check_email_attributes(&subject, &rules)?;
    }
    let mut has_dns_name = false;
    for name in certificate
        .extensions()
        .subject_alt_name()
        .into_iter()
        .flatten()
    {
        has_dns_name |= matches!(name, GeneralName::Dns(_));
        rules.obeyed_by(&name)?;
    }
    if is_leaf && !has_dns_name && profile == Profile::OpenSsl {
        check_common_names(&subject, &rules)?;
    }
    Ok(())
}

/// The names of a certificate that are compared.
pub(crate) fn names_of(certificate: &Certificate<'_>) -> Extent {
    let extensions = certificate.extensions();
    let alternatives = extensions.subject_alt_name().into_iter().flatten().count();
    let attributes = certificate.subject().attributes().count();
    let octets = extensions.value(ExtensionKind::SubjectAltName);
    Extent {
        count: attributes.saturating_add(alternatives),
        octets: octets
            .map_or(0, <[u8]>::len)
            .saturating_add(certificate.subject().der().len()),
    }
}

/// The subtrees of a CA, which they are compared with.
pub(crate) fn subtrees_of(ca: &Certificate<'_>, constraints: &NameConstraints<'_>) -> Extent {
    let subtrees = constraints
        .permitted_subtrees()
        .chain(constraints.excluded_subtrees());
    let octets = ca.extensions().value(ExtensionKind::NameConstraints);
    Extent {
        count: subtrees.count(),
        octets: octets.map_or(0, <[u8]>::len),
    }
}

/// E-mail addresses of the subject count like alternative names (RFC 5280 §4.2.1.10).
fn check_email_attributes(
    subject: &Name<'_>,
    rules: &Rules<'_, '_>,
) -> Result<(), ConstraintFailure> {
    const IA5_STRING: u8 = 0x16;
    for attribute in subject.email_addresses() {
        let address = core::str::from_utf8(attribute.value()).ok();
        let address =
            address.filter(|address| attribute.value_tag() == IA5_STRING && address.is_ascii());
        rules.obeyed_by(&GeneralName::Email(
            address.ok_or(ConstraintFailure::NameSyntax)?,
        ))?;
    }
    Ok(())
}

/// A common name is a host name if it looks like one of two labels or more.
fn check_common_names(subject: &Name<'_>, rules: &Rules<'_, '_>) -> Result<(), ConstraintFailure> {
    for attribute in subject.common_names() {
        let Some(text) = attribute.text() else {
            continue;
        };
        let text = text.trim_end_matches('\0');
        if text.contains('\0') {
            return Err(ConstraintFailure::NameSyntax);
        }
        if looks_like_host(text) {
            rules.obeyed_by(&GeneralName::Dns(text))?;
        }
    }
    Ok(())
}

/// Letters, digits, underscores; hyphens and dots in between; a dot next to neither dot nor hyphen.
fn looks_like_host(text: &str) -> bool {
    let plain = |label: &str| {
        let inner = label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        inner && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    text.contains('.') && text.split('.').all(plain)
}

/// The constraints of one CA.
struct Rules<'r, 'a> {
    constraints: &'r NameConstraints<'a>,
    profile: Profile,
}

impl Rules<'_, '_> {
    /// RFC 5280 §6.1.3 (b), (c): within a permitted subtree of its kind, if there is any, and in no
    /// excluded one.
    fn obeyed_by(&self, name: &GeneralName<'_>) -> Result<(), ConstraintFailure> {
        let mut permitted = None;
        for subtree in self
            .constraints
            .permitted_subtrees()
            .filter(|subtree| concerns(subtree, name))
        {
            check_distances(&subtree)?;
            permitted = Some(permitted == Some(true) || holds(&subtree, name)?);
        }
        if permitted == Some(false) {
            return Err(ConstraintFailure::NotPermitted);
        }
        for subtree in self
            .constraints
            .excluded_subtrees()
            .filter(|subtree| concerns(subtree, name))
        {
            check_distances(&subtree)?;
            let reached = self.profile == Profile::WebPki && wildcard_reaches(name, &subtree.base);
            if reached || holds(&subtree, name)? {
                return Err(ConstraintFailure::Excluded);
            }
        }
        Ok(())
    }
}

/// Does the subtree hold the name, which is of its kind?
fn holds(subtree: &Subtree<'_>, name: &GeneralName<'_>) -> Result<bool, ConstraintFailure> {
    match (name, subtree.base) {
        (GeneralName::Dns(name), GeneralName::Dns(base)) => Ok(dns_is_within(name, base)),
        (GeneralName::Email(name), GeneralName::Email(base)) => email_is_within(name, base),
        (GeneralName::Uri(name), GeneralName::Uri(base)) => uri_is_within(name, base),
        (GeneralName::Ip(name), GeneralName::Ip(base)) => ip_is_within(name, base),
        (GeneralName::Directory(name), GeneralName::Directory(base)) => Ok(name.is_within(&base)),
        (GeneralName::Other(_, value), GeneralName::Email(base)) => mailbox_is_within(value, base),
        _ => Err(ConstraintFailure::UnsupportedKind),
    }
}

/// Does the subtree say anything about names of this kind?
fn concerns(subtree: &Subtree<'_>, name: &GeneralName<'_>) -> bool {
    match (name, subtree.base) {
        // RFC 9598 §6: a mailbox with non-ASCII local part obeys rfc822Name constraints.
        (GeneralName::Other(kind, _), GeneralName::Email(_)) => *kind == Oid::SMTP_UTF8_MAILBOX,
        (GeneralName::Other(kind, _), GeneralName::Other(base, _)) => {
            *kind == base && *kind != Oid::SMTP_UTF8_MAILBOX
        }
        (name, base) => core::mem::discriminant(name) == core::mem::discriminant(&base),
    }
}

/// RFC 5280 §4.2.1.10: minimum MUST be zero and maximum MUST be absent.
fn check_distances(subtree: &Subtree<'_>) -> Result<(), ConstraintFailure> {
    if subtree.minimum == 0 && subtree.maximum.is_none() {
        Ok(())
    } else {
        Err(ConstraintFailure::MinimumOrMaximum)
    }
}

/// The base itself and any labels added on its left. An empty base holds everything, and a base
/// with a leading dot only what is below it.
fn dns_is_within(name: &str, base: &str) -> bool {
    let Some((front, back)) = split_tail(name, base.len()) else {
        return false;
    };
    let at_label =
        front.is_empty() || base.is_empty() || base.starts_with('.') || front.ends_with('.');
    at_label && back.eq_ignore_ascii_case(base)
}

/// A wildcard name stands for all names it matches: does one of them lie at the base?
fn wildcard_reaches(name: &GeneralName<'_>, base: &GeneralName<'_>) -> bool {
    let (GeneralName::Dns(name), GeneralName::Dns(base)) = (name, base) else {
        return false;
    };
    let (Some(parent), Some((_, base_parent))) = (name.strip_prefix("*."), base.split_once('.'))
    else {
        return false;
    };
    parent.eq_ignore_ascii_case(base_parent)
}

/// Is the base of every subtree one that names can be compared with? RFC 5280 §4.2.1.10 has neither
/// wildcards nor, for host names, a leading dot; masks of addresses are prefixes (RFC 4632 §3.1).
pub(crate) fn is_well_formed(constraints: &NameConstraints<'_>) -> bool {
    let mut subtrees = constraints
        .permitted_subtrees()
        .chain(constraints.excluded_subtrees());
    !constraints.is_empty()
        && subtrees.all(|subtree| match subtree.base {
            GeneralName::Dns(base) => {
                base.is_empty() || (is_host_name(base) && !base.contains('*'))
            }
            GeneralName::Ip(base) => matches!(base.len(), 8 | 32) && is_prefix_mask(base),
            GeneralName::Email(base) => is_mailbox_or_domain(base),
            _ => true,
        })
}

fn is_mailbox_or_domain(base: &str) -> bool {
    let host = match base.rsplit_once('@') {
        Some(("", _)) => return false,
        Some((_, host)) => host,
        None => base.strip_prefix('.').unwrap_or(base),
    };
    is_host_name(host) && !host.contains('*')
}

/// RFC 5280 §4.2.1.10: a mailbox, all mailboxes of a host, or with a leading dot of all hosts of
/// a domain.
fn email_is_within(address: &str, base: &str) -> Result<bool, ConstraintFailure> {
    let (local, host) = address
        .rsplit_once('@')
        .ok_or(ConstraintFailure::NameSyntax)?;
    match base.rsplit_once('@') {
        None if base.starts_with('.') => {
            Ok(address.len() > base.len() && ends_with_ignoring_case(address, base))
        }
        None => Ok(host.eq_ignore_ascii_case(base)),
        Some(("", base_host)) => Ok(host.eq_ignore_ascii_case(base_host)),
        Some((base_local, _)) if base_local.len() != local.len() => Ok(false),
        Some((base_local, _)) if base_local.contains('\0') || local.contains('\0') => {
            Err(ConstraintFailure::NameSyntax)
        }
        // Only the domain is compared without regard to case.
        Some((base_local, base_host)) => {
            Ok(base_local == local && host.eq_ignore_ascii_case(base_host))
        }
    }
}

/// A mailbox in UTF-8 (RFC 9598), whose host part is compared. Bases that are Punycode would have
/// to be decoded first; they are refused.
fn mailbox_is_within(value: &[u8], base: &str) -> Result<bool, ConstraintFailure> {
    let [0x0c, rest @ ..] = value else {
        return Err(ConstraintFailure::NameSyntax);
    };
    // The value has been read as one DER element, so what follows the length is the text.
    let header = match rest {
        [length, ..] if *length < 0x80 => 1,
        [length, ..] => usize::from(length & 0x7f).saturating_add(1),
        [] => return Err(ConstraintFailure::NameSyntax),
    };
    let text = rest
        .get(header..)
        .and_then(|text| core::str::from_utf8(text).ok());
    let (_, host) = text
        .and_then(|text| text.rsplit_once('@'))
        .ok_or(ConstraintFailure::NameSyntax)?;
    if base.to_ascii_lowercase().contains("xn--") {
        return Err(ConstraintFailure::ConstraintSyntax);
    }
    if base.starts_with('.') {
        return Ok(host.len() > base.len() && ends_with_ignoring_case(host, base));
    }
    Ok(host.eq_ignore_ascii_case(base))
}

/// RFC 5280 §4.2.1.10: the host part of the URI, or with a leading dot everything below a domain.
fn uri_is_within(uri: &str, base: &str) -> Result<bool, ConstraintFailure> {
    let host = host_of_uri(uri).ok_or(ConstraintFailure::NameSyntax)?;
    if base.starts_with('.') {
        return Ok(host.len() > base.len() && ends_with_ignoring_case(host, base));
    }
    Ok(host.eq_ignore_ascii_case(base))
}

/// `scheme://[userinfo@]host[:port][/...]`; RFC 5280 §4.2.1.10: a URI without authority or whose
/// host is an address cannot obey a constraint, the first of which is refused here.
fn host_of_uri(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once("://")?;
    if scheme.is_empty() {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority
        .split_once('@')
        .map_or(authority, |(_, host)| host);
    let (host, port) = if authority.starts_with('[') {
        let end = authority.find(']')?.checked_add(1)?;
        authority.split_at_checked(end)?
    } else {
        let end = authority.find(':').unwrap_or(authority.len());
        authority.split_at_checked(end)?
    };
    let port_is_good = match port.strip_prefix(':') {
        Some(digits) => digits.parse::<u16>().is_ok(),
        None => port.is_empty(),
    };
    port_is_good.then_some(host)
}

/// An address against an address and a mask, all of the same length.
fn ip_is_within(address: &[u8], base: &[u8]) -> Result<bool, ConstraintFailure> {
    if !matches!(address.len(), 4 | 16) || !matches!(base.len(), 8 | 32) {
        return Err(ConstraintFailure::NameSyntax);
    }
    let Some((network, mask)) = base.split_at_checked(address.len()) else {
        return Ok(false);
    };
    if mask.len() != address.len() {
        // An IPv4 constraint says nothing about IPv6 addresses.
        return Ok(false);
    }
    Ok(address
        .iter()
        .zip(network)
        .zip(mask)
        .all(|((address, network), mask)| address & mask == network & mask))
}

fn is_prefix_mask(base: &[u8]) -> bool {
    let Some((_, mask)) = base.split_at_checked(base.len() / 2) else {
        return false;
    };
    let ones: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
    let leading: u32 = mask
        .iter()
        .take_while(|byte| **byte == 0xff)
        .map(|byte| byte.count_ones())
        .sum();
    let next = mask
        .iter()
        .find(|byte| **byte != 0xff)
        .map_or(0, |byte| byte.leading_ones());
    ones == leading.saturating_add(next)
}

fn ends_with_ignoring_case(text: &str, tail: &str) -> bool {
    split_tail(text, tail.len()).is_some_and(|(_, back)| back.eq_ignore_ascii_case(tail))
}

/// The text in front of its last `length` octets, and those.
fn split_tail(text: &str, length: usize) -> Option<(&str, &str)> {
    text.split_at_checked(text.len().checked_sub(length)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_subtrees() {
        assert!(dns_is_within("a.peer.example", "peer.example"));
        assert!(dns_is_within("PEER.example", "peer.EXAMPLE"));
        assert!(!dns_is_within("apeer.example", "peer.example"));
        assert!(!dns_is_within("example", "peer.example"));
        assert!(dns_is_within("anything", ""));
        assert!(dns_is_within("a.example", ".example"));
        assert!(!dns_is_within("example", ".example"));
    }

    #[test]
    fn email_subtrees() {
        let within = |name, base| email_is_within(name, base).unwrap();
        assert!(within("a@peer.example", "peer.example"));
        assert!(!within("a@x.peer.example", "peer.example"));
        assert!(within("a@x.peer.example", ".peer.example"));
        assert!(within("a@PEER.example", "a@peer.example"));
        assert!(!within("A@peer.example", "a@peer.example"));
        assert!(!within("b@peer.example", "a@peer.example"));
        assert!(within("b@peer.example", "@peer.example"));
        assert_eq!(
            email_is_within("nobody", "peer.example"),
            Err(ConstraintFailure::NameSyntax)
        );
    }

    #[test]
    fn uri_subtrees() {
        let within = |name, base| uri_is_within(name, base);
        assert_eq!(
            within("https://u@peer.example:8443/x?y", "peer.example"),
            Ok(true)
        );
        assert_eq!(within("https://a.peer.example", "peer.example"), Ok(false));
        assert_eq!(
            within("https://a.peer.example#x", ".peer.example"),
            Ok(true)
        );
        assert_eq!(
            within("urn:x", "peer.example"),
            Err(ConstraintFailure::NameSyntax)
        );
        assert_eq!(
            within("https://peer.example:99999/", "peer.example"),
            Err(ConstraintFailure::NameSyntax)
        );
        assert_eq!(within("ldap://[2001:db8::1]/", "peer.example"), Ok(false));
    }

    #[test]
    fn ip_subtrees() {
        let net = [192, 0, 2, 0, 255, 255, 255, 0];
        assert_eq!(ip_is_within(&[192, 0, 2, 7], &net), Ok(true));
        assert_eq!(ip_is_within(&[192, 0, 3, 7], &net), Ok(false));
        assert_eq!(ip_is_within(&[0; 16], &net), Ok(false));
        assert_eq!(
            ip_is_within(&[0; 5], &net),
            Err(ConstraintFailure::NameSyntax)
        );
        assert!(is_prefix_mask(&net));
        assert!(!is_prefix_mask(&[192, 0, 2, 0, 255, 0, 255, 0]));
        assert!(!is_prefix_mask(&[192, 0, 2, 0, 255, 253, 0, 0]));
    }

    #[test]
    fn a_wildcard_reaches_the_names_it_matches() {
        let reaches =
            |name, base| wildcard_reaches(&GeneralName::Dns(name), &GeneralName::Dns(base));
        assert!(reaches("*.peer.example", "a.PEER.example"));
        assert!(!reaches("*.peer.example", "peer.example"));
        assert!(!reaches("*.peer.example", "a.b.peer.example"));
        assert!(!reaches("a.peer.example", "a.peer.example"));
    }

    #[test]
    fn what_can_be_a_mailbox_or_domain() {
        for base in [
            "peer.example",
            ".peer.example",
            "a@peer.example",
            "*@peer.example",
        ] {
            assert!(is_mailbox_or_domain(base), "{base}");
        }
        for base in ["", "@peer.example", "*.peer.example", "a@*.example", "a@"] {
            assert!(!is_mailbox_or_domain(base), "{base}");
        }
    }

    #[test]
    fn what_looks_like_a_host_name() {
        for name in ["a.b", "x_1.peer-2.example"] {
            assert!(looks_like_host(name), "{name}");
        }
        for name in [
            "single", "a..b", ".a.b", "a.b.", "a-.b", "a.-b", "Jane Doe", "a.b c", "",
        ] {
            assert!(!looks_like_host(name), "{name}");
        }
    }
}
