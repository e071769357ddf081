//! From what the engine knows to what is said about it.

use countersign::{
    Agreed, Alert, Error, Peer, ProtocolVersion, Rejection, Report, StreamError, VerifyCode,
};
use countersign_x509::{Certificate, ChainLink, Check, Escaped, GeneralName, Time};

use crate::failure::{Exit, Failure};
use crate::summary::{Agreement, Finding, Link, Origin, Standing, Verification};
use crate::trust::hexadecimal;

/// Longest text of a peer that is shown in one piece.
const LONGEST_TEXT: usize = 256;

/// What was agreed on.
pub(crate) fn agreement(agreed: &Agreed) -> Agreement {
    let is_tls12 = agreed.version == ProtocolVersion::Tls12;
    Agreement {
        version: agreed.version.to_string(),
        suite: agreed.suite.to_string(),
        group: match (agreed.group, agreed.finite_field) {
            (Some(group), _) => Some(group.to_string()),
            (None, group) => group.map(|group| group.to_string()),
        },
        peer_signature: agreed.peer_signature.map(|scheme| scheme.to_string()),
        alpn: agreed
            .alpn
            .as_ref()
            .map(|protocol| Escaped::new(protocol, LONGEST_TEXT).to_string()),
        server_name: agreed.server_name.clone(),
        anonymous: agreed.suite.is_anonymous(),
        extended_master_secret: is_tls12.then_some(agreed.extended_master_secret),
        secure_renegotiation: is_tls12.then_some(agreed.secure_renegotiation),
    }
}

/// What came of the certificate of a peer with which the connection goes on.
pub(crate) fn of_peer(peer: &Peer) -> Verification {
    let standing = if peer.is_verified() {
        Standing::Verified
    } else {
        Standing::Unverified
    };
    verification(peer.report(), peer.code(), standing)
}

/// What came of the certificate of a peer that was refused.
pub(crate) fn of_rejection(rejection: &Rejection) -> Verification {
    verification(&rejection.report, rejection.code, Standing::Refused)
}

fn verification(report: &Report, code: VerifyCode, standing: Standing) -> Verification {
    Verification {
        standing,
        code: code.number(),
        name: code.name().to_owned(),
        sentence: report.sentence(),
        advice: report.advice(),
        matched_name: matched_name(report),
        chain: links(report),
        drawing: report.drawing().to_string(),
    }
}

/// The name in the certificate that was expected.
pub(crate) fn matched_name(report: &Report) -> Option<String> {
    report
        .matched_name()
        .map(|name| Escaped::new(name.as_bytes(), LONGEST_TEXT).to_string())
}

/// The chain, the peer's certificate first.
pub(crate) fn links(report: &Report) -> Vec<Link> {
    report.chain().map(|link| describe(report, &link)).collect()
}

fn describe(report: &Report, link: &ChainLink<'_>) -> Link {
    let failures = report
        .failures()
        .filter(|check| check.depth == link.depth());
    let findings = failures
        .filter_map(Check::failure)
        .map(|reason| finding(reason.code()));
    let certificate = Certificate::parse(link.der()).ok();
    let text =
        |of: fn(&Certificate<'_>) -> String| certificate.as_ref().map(of).unwrap_or_default();
    Link {
        depth: link.depth(),
        origin: match link.origin() {
            countersign_x509::Origin::Anchor => Origin::Trusted,
            countersign_x509::Origin::Stored => Origin::Stored,
            _ => Origin::Sent,
        },
        subject: text(|certificate| certificate.subject().to_string()),
        issuer: text(|certificate| certificate.issuer().to_string()),
        names: certificate.as_ref().map(names_of).unwrap_or_default(),
        serial: text(|certificate| hexadecimal(certificate.serial())),
        not_before: text(|certificate| timestamp(certificate.not_before())),
        not_after: text(|certificate| timestamp(certificate.not_after())),
        failures: findings.collect(),
        pem: crate::files::pem("CERTIFICATE", link.der()),
    }
}

fn finding(code: VerifyCode) -> Finding {
    Finding {
        code: code.number(),
        name: code.name().to_owned(),
        meaning: code.meaning().to_owned(),
    }
}

fn names_of(certificate: &Certificate<'_>) -> Vec<String> {
    let names = certificate.extensions().subject_alt_name();
    let texts = names.into_iter().flatten().filter_map(|name| match name {
        GeneralName::Dns(text) | GeneralName::Email(text) | GeneralName::Uri(text) => {
            Some(Escaped::new(text.as_bytes(), LONGEST_TEXT).to_string())
        }
        GeneralName::Ip(octets) => address(octets),
        _ => None,
    });
    texts.collect()
}

fn address(octets: &[u8]) -> Option<String> {
    let four =
        <[u8; 4]>::try_from(octets).map(|octets| std::net::Ipv4Addr::from(octets).to_string());
    let sixteen =
        || <[u8; 16]>::try_from(octets).map(|octets| std::net::Ipv6Addr::from(octets).to_string());
    four.or_else(|_| sixteen()).ok()
}

/// As `2026-11-23T12:00:00Z`.
pub(crate) fn timestamp(time: Time) -> String {
    time.to_string().replacen(' ', "T", 1).replace(" UTC", "Z")
}

/// What went wrong with TLS, and how the command ends with it.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    /// How the command ends.
    pub exit: Exit,
    /// What happened.
    pub sentence: String,
    /// What to do.
    pub advice: Option<String>,
    /// The alert and whether this side sent it.
    pub alert: Option<(Alert, AlertFrom)>,
    /// What was wrong with the peer's certificate.
    pub verification: Option<Box<Verification>>,
}

/// Who sent an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlertFrom {
    Us,
    Peer,
}

impl From<&Error> for Trouble {
    fn from(error: &Error) -> Self {
        let advice = error.advice().map(String::from);
        let whole = error.to_string();
        // An error's text ends with its advice, which is shown on a line of its own here.
        let sentence = advice
            .as_deref()
            .and_then(|advice| whole.strip_suffix(advice))
            .unwrap_or(&whole);
        let alert = match error {
            Error::AlertReceived { alert, .. } => Some((*alert, AlertFrom::Peer)),
            other => other.alert().map(|alert| (alert, AlertFrom::Us)),
        };
        let verification = match error {
            Error::PeerRejected { rejection, .. } => Some(Box::new(of_rejection(rejection))),
            _ => None,
        };
        Self {
            exit: exit_of(error),
            sentence: sentence.trim_end().to_owned(),
            advice,
            alert,
            verification,
        }
    }
}

impl From<&StreamError> for Trouble {
    fn from(error: &StreamError) -> Self {
        match error {
            StreamError::Tls(error) => error.into(),
            other => Self {
                exit: Exit::Connect,
                sentence: other.to_string(),
                advice: None,
                alert: None,
                verification: None,
            },
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        let failure = Self::new(trouble.exit, trouble.sentence);
        match trouble.advice {
            Some(advice) => failure.advise(advice),
            None => failure,
        }
    }
}

fn exit_of(error: &Error) -> Exit {
    match error {
        Error::PeerRejected { .. } | Error::NoPeerCertificate { .. } => Exit::Verification,
        Error::AlertReceived { alert, .. } if is_about_certificates(*alert) => Exit::Refused,
        Error::Misuse(_) | Error::SigningFailed(_) | Error::RandomFailed | Error::Internal(_) => {
            Exit::Other
        }
        _ => Exit::Tls,
    }
}

/// Alerts with which a peer refuses a certificate or its absence (RFC 9846 §6.2).
fn is_about_certificates(alert: Alert) -> bool {
    matches!(
        alert,
        Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCa
            | Alert::AccessDenied
            | Alert::CertificateRequired
    )
}
