//! A report in words for the person who has to act on it.
//!
//! Names in certificates are the peer's choice: they are escaped before they are shown.

use core::fmt::Write as _;

use crate::certificate::Certificate;
use crate::checks::host;
use crate::code::VerifyCode;
use crate::escape::Escaped;
use crate::parameters::{ExpectedName, Purpose, ValidationTime};
use crate::reason::{ConstraintFailure, OcspFailure, PolicyFailure, Reason};
use crate::report::{Check, Origin, Report};
use crate::time::Time;

/// Stands for a certificate of the trust store that was there when the report was made, and is not now.
pub(crate) const NO_LONGER_STORED: &str = "no longer in the trust store";

/// Longer names are cut.
const NAME_LENGTH: usize = 64;

impl Report {
    /// What came of the verification, in one sentence for the end user.
    ///
    /// *The server's certificate expired on 2026-11-01 (leaf, CN=db.example).*
    pub fn sentence(&self) -> String {
        let Some(check) = self.first_failure() else {
            return self.praise();
        };
        let Some(reason) = check.failure() else {
            return self.praise();
        };
        if reason == Reason::NoCertificate {
            return format!("The {} sent no certificate.", self.peer());
        }
        if let Reason::Application(_) | Reason::EarlierConnection(_) = reason {
            return format!(
                "The {}'s certificate {}.",
                self.peer(),
                self.clause(&reason)
            );
        }
        let subject = self.subject_of_sentence(check);
        let clause = self.clause(&reason);
        format!("{subject} {clause} ({}).", self.place(check))
    }

    /// What to do about it; `None` if there is nothing to do.
    ///
    /// *Renew it on the server, or check this machine's clock (now 2026-11-23).*
    pub fn advice(&self) -> Option<String> {
        let check = self.first_failure()?;
        let reason = check.failure()?;
        let now = match self.time() {
            ValidationTime::At(now) => format!(" (now {})", date(Time::from(now))),
            ValidationTime::Unchecked => String::new(),
        };
        let whose = if check.depth == 0 {
            format!("on the {}", self.peer())
        } else {
            "at its CA".to_owned()
        };
        Some(match reason {
            Reason::Expired { .. } => {
                format!("Renew it {whose}, or check this machine's clock{now}.")
            }
            Reason::NotYetValid { from } => {
                format!(
                    "Wait until {}, or check this machine's clock{now}.",
                    date(from)
                )
            }
            Reason::IssuerMissing if self.purpose() == Purpose::ServerAuth => {
                "Let the server send its full chain, or add the missing CA to the trust store."
                    .to_owned()
            }
            Reason::HostMismatch if self.is_named_in_subject_only() => {
                "Have one issued that lists the name as a subject alternative name: in the subject alone it does not count."
                    .to_owned()
            }
            Reason::NoCertificate => format!("Configure a certificate on the {}.", self.peer()),
            _ => sentence_case(reason.code().remedy()),
        })
    }

    /// Why a check failed, as a clause that goes on after its certificate's name; `None` if it did
    /// not fail.
    ///
    /// *expired on 2026-11-01*
    pub fn why(&self, check: &Check) -> Option<String> {
        check.failure().map(|reason| self.clause(&reason))
    }

    /// Would an expected host name match if names in the subject counted?
    fn is_named_in_subject_only(&self) -> bool {
        let Some(asked) = &self.facts().asked else {
            return false;
        };
        let leaf = self
            .certificate(0)
            .and_then(|link| Certificate::parse(link.der()).ok());
        leaf.is_some_and(|leaf| {
            let mut names = asked.parameters.names.iter();
            names.any(|name| match name {
                ExpectedName::Dns(host) => host::matching_common_name(&leaf, host).is_some(),
                _ => false,
            })
        })
    }

    fn praise(&self) -> String {
        let place = self
            .certificate(0)
            .map_or_else(String::new, |link| format!(" ({})", name_of(link.der())));
        format!("The {}'s certificate is valid{place}.", self.peer())
    }

    fn peer(&self) -> &'static str {
        match self.purpose() {
            Purpose::ServerAuth => "server",
            Purpose::ClientAuth => "client",
            Purpose::Any => "peer",
        }
    }

    fn subject_of_sentence(&self, check: &Check) -> String {
        match self.certificate(check.depth).map(|link| link.origin()) {
            _ if check.depth == 0 => format!("The {}'s certificate", self.peer()),
            Some(Origin::Anchor) => "The trusted root certificate".to_owned(),
            _ if self.is_top(check.depth) => "The last certificate of the chain".to_owned(),
            _ => "An intermediate certificate".to_owned(),
        }
    }

    fn place(&self, check: &Check) -> String {
        let place = match check.depth {
            0 => "leaf".to_owned(),
            depth => format!("depth {depth}"),
        };
        match self.certificate(check.depth) {
            Some(link) => format!("{place}, {}", name_of(link.der())),
            None => place,
        }
    }

    fn is_top(&self, depth: u32) -> bool {
        let length = u32::try_from(self.chain().len()).unwrap_or(u32::MAX);
        depth.checked_add(1) == Some(length)
    }

    /// What is wrong, as the rest of a sentence that begins with the certificate.
    pub(crate) fn clause(&self, reason: &Reason) -> String {
        match reason {
            Reason::Malformed(error) => format!("cannot be read: {error}"),
            Reason::Application(_) => "was refused by the application".to_owned(),
            Reason::EarlierConnection(code) => {
                format!("failed on an earlier connection: {}", code.meaning())
            }
            Reason::LeafKeyTooWeak { bits, required }
            | Reason::IssuerKeyTooWeak { bits, required } => {
                format!("has a key of {bits} bits of strength where {required} are required")
            }
            Reason::SignatureTooWeak { bits, required } => {
                format!(
                    "is signed with a digest of {bits} bits of strength where {required} are required"
                )
            }
            Reason::ChainTooLong { limit } => {
                format!(
                    "is not an anchor, and no more than {limit} intermediate certificates are allowed"
                )
            }
            Reason::SelfSignedLeaf => "is self-signed and not trusted here".to_owned(),
            Reason::UntrustedRoot => "is a root that is not trusted here".to_owned(),
            Reason::IssuerMissing | Reason::LeafSignatureUnverifiable => {
                format!(
                    "was issued by {}, which is unknown here",
                    self.issuer_of_top()
                )
            }
            Reason::StoredIssuerMissing => {
                format!(
                    "is in the trust store without its issuer, {}",
                    self.issuer_of_top()
                )
            }
            Reason::PathTooLong { allowed, found } => {
                format!("allows {allowed} CA certificates below it, and there are {found}")
            }
            Reason::HostMismatch
            | Reason::EmailMismatch
            | Reason::IpMismatch
            | Reason::UriMismatch => {
                format!(
                    "is not for {}",
                    self.facts()
                        .expected
                        .as_deref()
                        .unwrap_or("the expected name")
                )
            }
            Reason::Revoked { on, why } => {
                let why = why.map_or_else(String::new, |why| format!(": {}", why.phrase()));
                format!("was revoked on {}{why}", date(*on))
            }
            Reason::NotYetValid { from } => format!("is not valid before {}", date(*from)),
            Reason::Expired { since } => format!("expired on {}", date(*since)),
            Reason::BadSignature(fault) => format!("does not verify: {fault}"),
            Reason::NameConstraint(failure) => constraint_clause(*failure).to_owned(),
            other => format!("was refused: {}", self.plain_clause(other)),
        }
    }

    /// Reasons without details of their own: what the code says.
    fn plain_clause(&self, reason: &Reason) -> String {
        match reason {
            Reason::WrongPurpose => format!("it may not be used for a {}", self.peer()),
            Reason::WebPki(rule) => format!("it breaks a rule for public certificates, {rule:?}"),
            Reason::Ocsp(OcspFailure::MustStaple) => {
                "it demands a stapled OCSP response, and none came with it".to_owned()
            }
            Reason::Policy(PolicyFailure::NoneAcceptable) => {
                "it was issued under none of the policies that are asked for".to_owned()
            }
            Reason::KeyUnreadable => "its public key cannot be read".to_owned(),
            Reason::BudgetExhausted => "checking it would have taken too long".to_owned(),
            other => other.code().meaning().to_owned(),
        }
    }

    fn issuer_of_top(&self) -> String {
        let top = self.chain().next_back();
        let issuer =
            top.and_then(|link| Some(Certificate::parse(link.der()).ok()?.issuer().to_string()));
        issuer.unwrap_or_else(|| "somebody".to_owned())
    }
}

fn constraint_clause(failure: ConstraintFailure) -> &'static str {
    match failure {
        ConstraintFailure::NotPermitted => "has a name that its CA may not certify",
        ConstraintFailure::Excluded => "has a name that its CA is barred from certifying",
        ConstraintFailure::NameSyntax => {
            "has a name that cannot be compared with its CA's name constraints"
        }
        ConstraintFailure::TooMany => {
            "has too many names to compare with its CA's name constraints"
        }
        ConstraintFailure::MinimumOrMaximum
        | ConstraintFailure::UnsupportedKind
        | ConstraintFailure::ConstraintSyntax => {
            "stands below a CA with name constraints that cannot be checked"
        }
    }
}

/// The most telling name: the common name, or all of the subject, or the first alternative name.
pub(crate) fn name_of(der: &[u8]) -> String {
    if der.is_empty() {
        return NO_LONGER_STORED.to_owned();
    }
    let Ok(certificate) = Certificate::parse(der) else {
        return "unreadable certificate".to_owned();
    };
    if let Some(name) = certificate.subject().common_name() {
        return format!("CN={}", Escaped::new(name.as_bytes(), NAME_LENGTH));
    }
    if !certificate.subject().is_empty() {
        return certificate.subject().to_string();
    }
    let mut names = certificate
        .extensions()
        .subject_alt_name()
        .into_iter()
        .flatten();
    names
        .find_map(|name| match name {
            crate::GeneralName::Dns(name) => Some(format!(
                "DNS:{}",
                Escaped::new(name.as_bytes(), NAME_LENGTH)
            )),
            _ => None,
        })
        .unwrap_or_else(|| "no name".to_owned())
}

/// The names expected, as they are shown in a sentence.
pub(crate) fn list_names(names: &[ExpectedName]) -> String {
    let mut text = String::new();
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            text.push_str(if index.saturating_add(1) == names.len() {
                " or "
            } else {
                ", "
            });
        }
        let written = match name {
            ExpectedName::Dns(name) | ExpectedName::Email(name) | ExpectedName::Uri(name) => {
                write!(text, "{}", Escaped::new(name.as_bytes(), NAME_LENGTH))
            }
            ExpectedName::Ip(address) => write!(text, "{address}"),
        };
        debug_assert!(written.is_ok(), "writing to a string does not fail");
    }
    text
}

/// Only the date: the hour rarely matters, and never to a person who reads a sentence.
pub(crate) fn date(time: Time) -> String {
    let text = time.to_string();
    text.split_once(' ')
        .map_or(text.as_str(), |(date, _)| date)
        .to_owned()
}

fn sentence_case(clause: &str) -> String {
    let mut characters = clause.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
}

/// A code and its row of the table, for people who have only the number.
///
/// ```
/// use countersign_x509::{VerifyCode, explain};
/// assert!(explain(VerifyCode::CERT_HAS_EXPIRED).contains("validity has ended"));
/// ```
pub fn explain(code: VerifyCode) -> String {
    format!(
        "{} {}\n  meaning:     {}\n  usual cause: {}\n  remedy:      {}\n  TLS alert:   {}\n",
        code.number(),
        code.name(),
        code.meaning(),
        code.usual_cause(),
        code.remedy(),
        code.alert(),
    )
}
