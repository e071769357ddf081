//! The page of `serve`: it tells visitors who they are, as far as TLS knows.

use std::fmt::Write as _;

use crate::escape::{for_html, for_terminal};
use crate::http::Page;
use crate::summary::{Agreement, Link, Standing, Verification};

/// What the server knows about a visitor.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// The server asked for a certificate.
    pub asked: bool,
    /// What the connection agreed on.
    pub agreement: Agreement,
    /// What came of the visitor's certificate, if it sent one.
    pub verification: Option<Verification>,
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#222;\
background:#fff}h1{font-size:1.6rem}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}\
dt{color:#555}dd{margin:0;overflow-wrap:anywhere}code{font-size:.9em}\
@media(prefers-color-scheme:dark){body{background:#111;color:#eee}dt{color:#aaa}}";

impl Visitor {
    /// The page for people.
    pub(crate) fn html(&self) -> Page {
        let mut rows = String::new();
        for (what, value) in self.facts() {
            // Writing to a String cannot fail.
            let _ = writeln!(
                rows,
                "<dt>{}</dt><dd>{}</dd>",
                for_html(what),
                for_html(&value)
            );
        }
        let headline = for_html(&self.headline());
        let body = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{headline}</title>\
             <style>{STYLE}</style></head>\n<body><h1>{headline}</h1>\n<dl>\n{rows}</dl>\n\
             <p>Served by <code>countersign serve</code>.</p></body></html>\n"
        );
        Page {
            content_type: "text/html; charset=utf-8",
            body,
        }
    }

    /// The page for programs.
    pub(crate) fn plain(&self) -> Page {
        let mut body = format!("{}\n\n", for_terminal(&self.headline()));
        for (what, value) in self.facts() {
            let _ = writeln!(body, "{what:<13} {}", for_terminal(&value));
        }
        Page {
            content_type: "text/plain; charset=utf-8",
            body,
        }
    }

    /// Who the visitor is, in a sentence.
    pub(crate) fn headline(&self) -> String {
        match (&self.verification, self.leaf()) {
            (Some(verification), Some(leaf)) if verification.standing == Standing::Verified => {
                format!("You are {}.", leaf.subject)
            }
            (Some(_), Some(leaf)) => format!(
                "You say that you are {}, but that is not verified.",
                leaf.subject
            ),
            _ if self.asked => "You are a stranger: you sent no certificate.".to_owned(),
            _ => "You are a stranger: you were not asked for a certificate.".to_owned(),
        }
    }

    fn leaf(&self) -> Option<&Link> {
        self.verification
            .as_ref()
            .and_then(|verification| verification.chain.first())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![("Connection", self.agreement.line())];
        if let Some(name) = &self.agreement.server_name {
            facts.push(("You asked for", name.clone()));
        }
        if let Some(verification) = &self.verification {
            facts.push((
                "Verify result",
                format!("{} {}", verification.code, verification.name),
            ));
        }
        if let Some(leaf) = self.leaf() {
            facts.push(("Issued by", leaf.issuer.clone()));
            facts.push(("Serial", leaf.serial.clone()));
            facts.push((
                "Valid",
                format!("{} to {}", leaf.not_before, leaf.not_after),
            ));
            facts.extend((!leaf.names.is_empty()).then(|| ("Names", leaf.names.join(", "))));
        }
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::Visitor;
    use crate::summary::Standing;
    use crate::summary::tests::{agreement, expired};

    fn visitor(standing: Standing, subject: &str) -> Visitor {
        let mut verification = expired();
        verification.standing = standing;
        verification.chain[0].subject = subject.into();
        Visitor {
            asked: true,
            agreement: agreement(),
            verification: Some(verification),
        }
    }

    #[test]
    fn a_visitor_is_told_who_it_is() {
        assert_eq!(
            visitor(Standing::Verified, "CN=ada").headline(),
            "You are CN=ada."
        );
        let unverified = visitor(Standing::Unverified, "CN=ada").headline();
        assert_eq!(
            unverified,
            "You say that you are CN=ada, but that is not verified."
        );
    }

    #[test]
    fn a_stranger_is_told_why() {
        let mut stranger = visitor(Standing::Verified, "");
        stranger.verification = None;
        assert_eq!(
            stranger.headline(),
            "You are a stranger: you sent no certificate."
        );
        stranger.asked = false;
        assert_eq!(
            stranger.headline(),
            "You are a stranger: you were not asked for a certificate."
        );
    }

    #[test]
    fn a_certificate_cannot_write_the_page() {
        let page = visitor(Standing::Verified, "CN=<script>alert(1)</script>\u{1b}[m").html();
        assert!(!page.body.contains("<script>"), "{}", page.body);
        assert!(
            page.body
                .contains(r"CN=&lt;script&gt;alert(1)&lt;/script&gt;\u{1b}[m")
        );
        let page = visitor(Standing::Verified, "CN=a\r\nX\u{202e}").plain();
        assert!(
            page.body
                .starts_with("You are CN=a\\u{d}\\u{a}X\\u{202e}.\n"),
            "{}",
            page.body
        );
    }
}
