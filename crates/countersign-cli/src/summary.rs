//! What is to be said about a connection: one model for the terminal, for JSON and for the page.

use std::fmt::Write as _;

use serde::Serialize;

use crate::escape;
use crate::terminal;

/// What both ends agreed on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Agreement {
    /// As `TLS 1.3`.
    pub version: String,
    /// As `TLS_AES_128_GCM_SHA256`.
    pub suite: String,
    /// As `x25519`.
    pub group: Option<String>,
    /// How the peer signed the handshake, if it has a certificate.
    pub peer_signature: Option<String>,
    /// The application protocol.
    pub alpn: Option<String>,
    /// The name that the client asked for.
    pub server_name: Option<String>,
    /// The suite is one under which nobody authenticates.
    pub anonymous: bool,
    /// TLS 1.2: the keys are bound to the whole handshake (RFC 7627).
    pub extended_master_secret: Option<bool>,
    /// TLS 1.2: the peer has secure renegotiation (RFC 5746).
    pub secure_renegotiation: Option<bool>,
}

/// What is said where a suite is anonymous.
pub(crate) const NOBODY: &str = "Nobody is authenticated: the suite is anonymous, so whoever is on the way may be at the other end.";

impl Agreement {
    /// One line with everything that was agreed on.
    pub(crate) fn line(&self) -> String {
        let mut parts = vec![self.version.clone(), self.suite.clone()];
        parts.extend(self.group.clone());
        parts.extend(self.peer_signature.clone());
        parts.extend(
            self.alpn
                .as_ref()
                .map(|protocol| format!("ALPN {}", escape::for_terminal(protocol))),
        );
        parts.join(", ")
    }

    /// A line that must not be overlooked, if nobody is authenticated.
    pub(crate) fn warning(&self) -> Option<String> {
        self.anonymous
            .then(|| format!("{}\n", terminal::paint(terminal::BAD, NOBODY)))
    }
}

/// How far the peer's certificate is to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Standing {
    /// Every check passed.
    Verified,
    /// A check failed, and the mode let the connection go on all the same.
    Unverified,
    /// A check failed, and the connection ended.
    Refused,
}

/// What was found out about the peer's certificate.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Verification {
    /// What it amounts to.
    pub standing: Standing,
    /// The number of the verify result.
    pub code: u32,
    /// Its name, as `X509_V_ERR_CERT_HAS_EXPIRED`.
    pub name: String,
    /// What was found, as a sentence.
    pub sentence: String,
    /// What to do about it.
    pub advice: Option<String>,
    /// The name in the certificate that was expected.
    pub matched_name: Option<String>,
    /// The chain as it was built, the peer's certificate first.
    pub chain: Vec<Link>,
    /// The chain in lines of text.
    #[serde(skip)]
    pub drawing: String,
}

/// One certificate of a chain.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Link {
    /// 0 is the peer's own certificate.
    pub depth: u32,
    /// Where it comes from.
    pub origin: Origin,
    /// Whose it is.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Host names, addresses and the like.
    pub names: Vec<String>,
    /// In hexadecimal.
    pub serial: String,
    /// As `2026-11-23T12:00:00Z`.
    pub not_before: String,
    /// As `2026-12-23T12:00:00Z`.
    pub not_after: String,
    /// What is wrong with it.
    pub failures: Vec<Finding>,
    /// The certificate itself.
    pub pem: String,
}

/// Where a certificate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// The peer sent it.
    Sent,
    /// It lies in the trust store as an intermediate.
    Stored,
    /// It lies in the trust store and is trusted.
    Trusted,
}

/// A failed check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// The number, as 10.
    pub code: u32,
    /// The name, as `X509_V_ERR_CERT_HAS_EXPIRED`.
    pub name: String,
    /// What it means.
    pub meaning: String,
}

impl Verification {
    /// The verdict in a line, the chain by depth with what is wrong marked, and a hint.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\n", self.headline());
        for line in self.drawing.lines() {
            let line = escape::for_terminal(line);
            let painted = if line.starts_with('✗') {
                terminal::paint(terminal::BAD, &line)
            } else {
                line.into_owned()
            };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {painted}");
        }
        if let Some(advice) = &self.advice {
            let hint = terminal::paint(terminal::HEADING, "hint:");
            let _ = writeln!(text, "{hint} {}", escape::for_terminal(advice));
        }
        text
    }

    fn headline(&self) -> String {
        let (style, word) = match self.standing {
            Standing::Verified => (terminal::GOOD, "verified"),
            Standing::Unverified => (terminal::WARNING, "NOT VERIFIED"),
            Standing::Refused => (terminal::BAD, "refused"),
        };
        format!(
            "{} ({} {}): {}",
            terminal::paint(style, word),
            self.code,
            self.name,
            escape::for_terminal(&self.sentence)
        )
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Agreement, Finding, Link, Origin, Standing, Verification};

    pub(crate) fn agreement() -> Agreement {
        Agreement {
            version: "TLS 1.3".into(),
            suite: "TLS_AES_128_GCM_SHA256".into(),
            group: Some("x25519".into()),
            peer_signature: Some("ecdsa_secp256r1_sha256".into()),
            alpn: Some("http/1.1".into()),
            server_name: Some("db.example".into()),
            anonymous: false,
            extended_master_secret: None,
            secure_renegotiation: None,
        }
    }

    fn link(depth: u32, origin: Origin, subject: &str, failures: Vec<Finding>) -> Link {
        Link {
            depth,
            origin,
            subject: subject.into(),
            issuer: "CN=above".into(),
            names: Vec::new(),
            serial: "2a".into(),
            not_before: "2026-10-01T00:00:00Z".into(),
            not_after: "2026-11-01T00:00:00Z".into(),
            failures,
            pem: "-----BEGIN CERTIFICATE-----\n".into(),
        }
    }

    pub(crate) fn expired() -> Verification {
        let failure = Finding {
            code: 10,
            name: "X509_V_ERR_CERT_HAS_EXPIRED".into(),
            meaning: "it has expired".into(),
        };
        Verification {
            standing: Standing::Refused,
            code: 10,
            name: "X509_V_ERR_CERT_HAS_EXPIRED".into(),
            sentence: "The certificate expired on 2026-11-01.".into(),
            advice: Some("Renew it.".into()),
            matched_name: None,
            chain: vec![
                link(0, Origin::Sent, "CN=evil\u{1b}[2J", vec![failure]),
                link(1, Origin::Sent, "CN=Intermediate", Vec::new()),
                link(2, Origin::Trusted, "CN=Root", Vec::new()),
            ],
            drawing: "  1  CN=Root\n✗ 0  CN=evil\u{1b}[2J  X509_V_ERR_CERT_HAS_EXPIRED\n".into(),
        }
    }

    #[test]
    fn the_failing_certificate_is_marked() {
        let expected = r"refused (10 X509_V_ERR_CERT_HAS_EXPIRED): The certificate expired on 2026-11-01.
    1  CN=Root
  ✗ 0  CN=evil\u{1b}[2J  X509_V_ERR_CERT_HAS_EXPIRED
hint: Renew it.
";
        assert_eq!(
            anstream::adapter::strip_str(&expired().text()).to_string(),
            expected
        );
    }

    #[test]
    fn an_anonymous_suite_is_warned_of() {
        let mut agreement = agreement();
        assert_eq!(agreement.warning(), None);
        agreement.anonymous = true;
        let warning = agreement.warning().unwrap();
        assert!(warning.contains("Nobody is authenticated: "), "{warning}");
    }

    #[test]
    fn the_agreement_is_one_line() {
        let expected =
            "TLS 1.3, TLS_AES_128_GCM_SHA256, x25519, ecdsa_secp256r1_sha256, ALPN http/1.1";
        assert_eq!(agreement().line(), expected);
    }
}
