//! Checks of a certificate in words for people, and in names for programs.

use std::fmt::Debug;

use countersign_x509::{CheckKind, Skip};

/// What a check looks at, for people.
pub(crate) fn check(kind: CheckKind) -> String {
    let words = match kind {
        CheckKind::ChainLength => "length of the chain",
        CheckKind::Trust => "trust anchor",
        CheckKind::CurveParameters => "named curve",
        CheckKind::Strict => "strict rules",
        CheckKind::WebPki => "rules of the public web",
        CheckKind::Email => "e-mail address",
        CheckKind::IpAddress => "IP address",
        CheckKind::Uri => "URI",
        CheckKind::Ocsp => "stapled OCSP response",
        CheckKind::Revocation => "revocation lists",
        CheckKind::Policies => "certificate policies",
        CheckKind::IssuerKeyUsage => "may sign certificates",
        CheckKind::NotBefore => "start of validity",
        CheckKind::NotAfter => "end of validity",
        other => return name(other).replace('-', " "),
    };
    words.to_owned()
}

/// Why a check was left out, for people.
pub(crate) fn skip(why: Skip) -> String {
    let words = match why {
        Skip::NotRequested => "not asked for",
        Skip::NotInProfile => "not in this profile",
        Skip::NothingToCheck => "nothing to check",
        Skip::TimeUnchecked => "dates are not checked",
        Skip::SelfSigned => "self-signed",
        Skip::StatusKnown => "an OCSP response has told it",
        Skip::LeftToLists => "no usable response, so lists decide",
        Skip::Unanchored => "the chain has no anchor",
        other => return name(other).replace('-', " "),
    };
    words.to_owned()
}

/// The name of a variant for programs: `NotAfter` becomes `not-after`.
pub(crate) fn name(variant: impl Debug) -> String {
    let mut name = String::new();
    for character in format!("{variant:?}").chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use countersign_x509::{CheckKind, Skip};

    use super::{check, name, skip};

    #[test]
    fn variants_have_names_and_words() {
        assert_eq!(name(CheckKind::NotAfter), "not-after");
        assert_eq!(name(CheckKind::WebPki), "web-pki");
        assert_eq!(check(CheckKind::NotAfter), "end of validity");
        assert_eq!(check(CheckKind::NameConstraints), "name constraints");
        assert_eq!(skip(Skip::NotRequested), "not asked for");
    }
}
