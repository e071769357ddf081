//! The identity a certificate is for: host, e-mail address, IP address, URI.
//!
//! Each way of comparing is one function: [`openssl_host_matches`] is `X509_check_host` with default
//! flags, [`webpki_host_matches`] is RFC 9525 §6.3.

use core::net::IpAddr;

use std::borrow::Cow;

use crate::certificate::Certificate;
use crate::der::{List, ListIter};
use crate::general_name::GeneralName;
use crate::oid::Oid;
use crate::parameters::{Parameters, Profile};

/// The host name of the certificate that matches `expected`, as the certificate has it.
///
/// The common name is looked at if that is asked for, and if there is no DNS alternative name.
/// RFC 9525 §6.3 forbids it.
pub(crate) fn matching_host<'a>(
    certificate: &Certificate<'a>,
    expected: &str,
    parameters: &Parameters,
) -> Option<Cow<'a, str>> {
    let mut has_dns_name = false;
    for name in alternatives(certificate) {
        let GeneralName::Dns(presented) = name else {
            continue;
        };
        has_dns_name = true;
        let matches = match parameters.profile {
            Profile::OpenSsl => openssl_host_matches(presented, expected),
            Profile::WebPki => webpki_host_matches(presented, expected),
        };
        if matches {
            return Some(Cow::Borrowed(presented));
        }
    }
    if has_dns_name || !parameters.falls_back_to_subject() {
        return None;
    }
    matching_common_name(certificate, expected)
}

/// The common name of the certificate that matches the host name `expected`.
pub(crate) fn matching_common_name<'a>(
    certificate: &Certificate<'a>,
    expected: &str,
) -> Option<Cow<'a, str>> {
    let mut common_names = certificate
        .subject()
        .common_names()
        .filter_map(|name| name.text());
    common_names.find(|presented| openssl_host_matches(presented, expected))
}

/// Does the certificate list the e-mail address? The subject is looked at if that is asked for, and
/// if there is no e-mail alternative name.
pub(crate) fn has_email(
    certificate: &Certificate<'_>,
    expected: &str,
    parameters: &Parameters,
) -> bool {
    let mut has_address = false;
    for name in alternatives(certificate) {
        let presented = match &name {
            GeneralName::Email(address) => Some(*address),
            GeneralName::Other(kind, value) if *kind == Oid::SMTP_UTF8_MAILBOX => {
                utf8_string(value)
            }
            _ => None,
        };
        let Some(presented) = presented else { continue };
        has_address = true;
        if email_matches(presented, expected) {
            return true;
        }
    }
    if has_address || !parameters.falls_back_to_subject() {
        return false;
    }
    let mut addresses = certificate
        .subject()
        .email_addresses()
        .filter_map(|name| name.text());
    addresses.any(|presented| email_matches(&presented, expected))
}

/// Does the certificate list the IP address? Only alternative names count.
pub(crate) fn has_ip(certificate: &Certificate<'_>, expected: IpAddr) -> bool {
    let (four, sixteen);
    let octets: &[u8] = match expected {
        IpAddr::V4(address) => {
            four = address.octets();
            &four
        }
        IpAddr::V6(address) => {
            sixteen = address.octets();
            &sixteen
        }
    };
    alternatives(certificate)
        .any(|name| matches!(name, GeneralName::Ip(presented) if presented == octets))
}

/// Does the certificate list exactly this URI?
pub(crate) fn has_uri(certificate: &Certificate<'_>, expected: &str) -> bool {
    alternatives(certificate)
        .any(|name| matches!(name, GeneralName::Uri(presented) if presented == expected))
}

/// The alternative names, if there are any.
fn alternatives<'a>(certificate: &Certificate<'a>) -> ListIter<'a, GeneralName<'a>> {
    let names = certificate.extensions().subject_alt_name();
    names.unwrap_or(List::EMPTY).iter()
}

/// `X509_check_host` with default flags. `presented` is the certificate's name, which may hold a
/// wildcard; `expected` with a leading dot stands for every host below that domain.
fn openssl_host_matches(presented: &str, expected: &str) -> bool {
    if presented.is_empty() {
        return false;
    }
    if expected.len() > 1 && expected.starts_with('.') {
        let start = presented.len().checked_sub(expected.len());
        let tail = start.and_then(|start| presented.split_at_checked(start));
        // The skipped part is not examined, but a zero octet ends it.
        return tail.is_some_and(|(front, back)| {
            !front.contains('\0') && back.eq_ignore_ascii_case(expected)
        });
    }
    match openssl_wildcard(presented) {
        Some((prefix, suffix)) => openssl_wildcard_matches(prefix, suffix, expected),
        None => !presented.contains('\0') && are_same(presented, expected),
    }
}

/// The parts before and after the wildcard, if the presented name has a legal one: a single star,
/// at the start or end of the first label, which is no A-label, and two more labels behind it.
fn openssl_wildcard(presented: &str) -> Option<(&str, &str)> {
    let (prefix, suffix) = presented.split_once('*')?;
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let (rest_of_label, parents) = suffix.split_once('.')?;
    let at_start = prefix.is_empty();
    let at_end = rest_of_label.is_empty();
    let prefix_is_good = at_start || label(prefix);
    // After the star even a hyphen may follow.
    let rest_is_good = at_end || label(rest_of_label.trim_start_matches('-'));
    let good = (at_start || at_end)
        && prefix_is_good
        && rest_is_good
        && !is_a_label(prefix)
        && parents.contains('.')
        && parents.split('.').all(label);
    good.then_some((prefix, suffix))
}

/// The star stands for letters, digits and hyphens, at least one if it is the whole label. In part
/// of a label it does not match A-labels.
fn openssl_wildcard_matches(prefix: &str, suffix: &str, expected: &str) -> bool {
    let whole_label = prefix.is_empty() && suffix.starts_with('.');
    let middle = expected
        .split_at_checked(prefix.len())
        .filter(|(front, _)| front.eq_ignore_ascii_case(prefix))
        .and_then(|(_, rest)| rest.split_at_checked(rest.len().checked_sub(suffix.len())?))
        .filter(|(_, back)| back.eq_ignore_ascii_case(suffix))
        .map(|(middle, _)| middle);
    let Some(middle) = middle else { return false };
    let allowed = middle
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    // A star in the expected name is matched literally.
    (allowed || middle == "*")
        && (!whole_label || !middle.is_empty())
        && (whole_label || !is_a_label(expected))
}

/// Two names that are most likely the same, without regard to case.
fn are_same(presented: &str, expected: &str) -> bool {
    // All octets at once first.
    presented == expected || presented.eq_ignore_ascii_case(expected)
}

/// RFC 9525 §6.3: the wildcard is the whole left-most label, stands for exactly one label, and the
/// rest has at least two labels. Everything else is compared label by label, ignoring case.
fn webpki_host_matches(presented: &str, expected: &str) -> bool {
    // An expected name may be written as absolute; a presented one may not.
    let expected = expected.strip_suffix('.').unwrap_or(expected);
    let Some(parent) = presented.strip_prefix("*.") else {
        return are_same(presented, expected) && is_host_name(presented);
    };
    let Some((first, rest)) = expected.split_once('.') else {
        return false;
    };
    let matches = !first.is_empty() && parent.contains('.') && rest.eq_ignore_ascii_case(parent);
    // Only the first label of a presented name may be a star.
    matches && is_host_name(presented) && is_host_name(expected) && !expected.starts_with('*')
}

/// Labels of letters, digits, hyphens and underscores, at most 63 octets long, none empty; the
/// first may be a star.
pub(crate) fn is_host_name(name: &str) -> bool {
    let ends_label = |length: u32, last: u8| (1..=63).contains(&length) && last != b'-';
    let mut length: u32 = 0;
    let mut last = b'.';
    for byte in name.strip_prefix("*.").unwrap_or(name).bytes() {
        length = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => length.saturating_add(1),
            b'-' if length > 0 => length.saturating_add(1),
            b'.' if ends_label(length, last) => 0,
            _ => return false,
        };
        last = byte;
    }
    ends_label(length, last) && name.len() <= 253
}

/// RFC 5280 §7.5: the part after the `@` is compared without regard to case, the rest with it.
fn email_matches(presented: &str, expected: &str) -> bool {
    match (presented.rsplit_once('@'), expected.rsplit_once('@')) {
        (Some((local, host)), Some((expected_local, expected_host))) => {
            local == expected_local
                && host.eq_ignore_ascii_case(expected_host)
                && !host.contains('\0')
        }
        _ => presented == expected && !presented.is_empty(),
    }
}

fn is_a_label(name: &str) -> bool {
    name.split_at_checked(4)
        .is_some_and(|(start, _)| start.eq_ignore_ascii_case("xn--"))
}

/// The text of a DER `UTF8String`.
fn utf8_string(der: &[u8]) -> Option<&str> {
    let mut reader = crate::der::Reader::new(der);
    let text = reader.expect(crate::der::tag::UTF8_STRING).ok()?;
    core::str::from_utf8(text.rest()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openssl_compares_hosts_as_recorded() {
        let yes = [
            ("peer.example", "PEER.EXAMPLE"),
            ("*.peer.example", "x.peer.example"),
            ("w*.peer.example", "w1.peer.example"),
            ("*w.peer.example", "1w.peer.example"),
            ("x.peer.example", ".example"),
            ("a.b.peer.example", ".peer.example"),
            ("*.peer.example", ".peer.example"),
            ("*.peer.example", "*.peer.example"),
            ("*.peer.example", "xn--a.peer.example"),
            ("*.example", "*.example"),
        ];
        for (presented, expected) in yes {
            assert!(
                openssl_host_matches(presented, expected),
                "{presented} {expected}"
            );
        }
        let no = [
            ("*.peer.example", "peer.example"),
            ("*.peer.example", "a.b.peer.example"),
            ("*.peer.example", ".peer.example."),
            ("peer.example", "peer.example."),
            ("peer.example", ".peer.example"),
            ("*.example", "peer.example"),
            ("f*o.peer.example", "foo.peer.example"),
            ("w*.peer.example", "xn--w.peer.example"),
            ("xn--*.peer.example", "xn--a.peer.example"),
            ("a.*.example", "a.b.example"),
            ("*.*.example", "a.b.example"),
            ("peer.example\0.evil.example", "peer.example"),
            ("", ""),
        ];
        for (presented, expected) in no {
            assert!(
                !openssl_host_matches(presented, expected),
                "{presented} {expected}"
            );
        }
    }

    #[test]
    fn the_web_compares_whole_labels() {
        let yes = [
            ("peer.example", "PEER.example."),
            ("*.peer.example", "x.peer.example"),
            ("*.peer.example", "xn--a.peer.example"),
            ("my_host.example", "my_host.example"),
        ];
        for (presented, expected) in yes {
            assert!(
                webpki_host_matches(presented, expected),
                "{presented} {expected}"
            );
        }
        let no = [
            ("*.peer.example", "peer.example"),
            ("*.peer.example", "a.b.peer.example"),
            ("*.example", "peer.example"),
            ("w*.peer.example", "w1.peer.example"),
            ("*", "example"),
            ("*.*.example", "a.b.example"),
            ("x.*.example", "x.b.example"),
            ("peer.example.", "peer.example"),
            ("*.peer.example", "*.peer.example"),
            ("peer..example", "peer..example"),
            ("", ""),
        ];
        for (presented, expected) in no {
            assert!(
                !webpki_host_matches(presented, expected),
                "{presented} {expected}"
            );
        }
    }

    #[test]
    fn host_names() {
        let longest_label = "a".repeat(63);
        let longest = [
            "a".repeat(63),
            "b".repeat(63),
            "c".repeat(63),
            "d".repeat(61),
        ]
        .join(".");
        let yes = [
            "a",
            "1",
            "_",
            "a-b",
            "A--z.x_y.0",
            "*.a",
            &longest_label,
            &format!("{longest_label}.a"),
            &longest,
        ];
        for name in yes {
            assert!(is_host_name(name), "{name}");
        }
        let no = [
            "",
            ".",
            "*",
            "*.",
            "*.*.a",
            "a.*",
            "-a",
            "a-",
            "a.-b",
            "a-.b",
            "a..b",
            ".a",
            "a.",
            "a b",
            "a\0",
            "a/b",
            "é",
            &format!("{longest_label}a"),
            &format!("{longest_label}-"),
            &format!("{longest}e"),
        ];
        for name in no {
            assert!(!is_host_name(name), "{name}");
        }
    }

    #[test]
    fn email_addresses() {
        assert!(email_matches("a@peer.example", "a@PEER.EXAMPLE"));
        assert!(!email_matches("A@peer.example", "a@peer.example"));
        assert!(!email_matches("a@peer.example", "a@peer.example.org"));
        assert!(!email_matches("", ""));
    }
}
