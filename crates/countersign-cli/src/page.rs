//! The page of `serve`: it tells visitors who they are, as far as TLS knows.

use std::fmt::Write as _;

use countersign::{Connection, Misuse, Since};

use crate::escape::{for_html, for_terminal};
use crate::http::Page;
use crate::observe;
use crate::summary::{Agreement, Link, NOBODY, Standing, Verification};

/// What the server knows about a visitor.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// The server asked for a certificate.
    pub asked: bool,
    /// What the connection agreed on.
    pub agreement: Agreement,
    /// What came of the visitor's certificate, if it sent one.
    pub verification: Option<Verification>,
    /// When it proved who it is.
    pub since: Option<Since>,
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#222;\
background:#fff}h1{font-size:1.6rem}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}\
dt{color:#555}dd{margin:0;overflow-wrap:anywhere}code{font-size:.9em}\
@media(prefers-color-scheme:dark){body{background:#111;color:#eee}dt{color:#aaa}}";

impl Visitor {
    /// What a connection knows; `None` before its handshake is complete. `asked_later`: the visitor was asked after it.
    pub(crate) fn of(connection: &Connection, asked_later: bool) -> Option<Self> {
        let (agreed, peer) = (connection.agreed()?, connection.peer());
        Some(Self {
            asked: agreed.certificate_requested || asked_later,
            agreement: observe::agreement(agreed),
            verification: peer.map(observe::of_peer),
            since: peer.map(countersign::Peer::since),
        })
    }

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
        html(&self.headline(), &format!("<dl>\n{rows}</dl>"))
    }

    /// The page for programs.
    pub(crate) fn plain(&self) -> Page {
        let mut body = format!("{}\n\n", for_terminal(&self.headline()));
        for (what, value) in self.facts() {
            let _ = writeln!(body, "{what:<13} {}", for_terminal(&value));
        }
        plain(body)
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
            _ if self.agreement.anonymous => NOBODY.to_owned(),
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
        if let Some(since) = self.since {
            facts.push(("Proved", moment(since).to_owned()));
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

/// When somebody proved who it is.
fn moment(since: Since) -> &'static str {
    match since {
        Since::Handshake => "in the handshake",
        Since::PostHandshake => "after the handshake, when asked",
        Since::Renegotiation => "in a renegotiation",
        Since::Resumption => "on an earlier connection, verified again for this one",
        _ => "at another time",
    }
}

/// What visitors can do who cannot be asked after the handshake.
const WAYS: [&str; 4] = [
    "curl, wget: with --http1.1 where there is a choice, and a certificate (curl --cert)",
    "openssl s_client: with -enable_pha and -cert; Python: context.post_handshake_auth = True",
    "Firefox: security.tls.enable_post_handshake_auth in about:config; Chromium cannot",
    "here: `countersign serve --verify peer` asks everybody in the handshake",
];

/// The page for visitors who would have to say who they are, and cannot be asked.
pub(crate) fn forbidden(why: Misuse, reads_html: bool) -> Page {
    let headline = "This page is for visitors with a certificate.";
    let reason = match why {
        Misuse::ForbiddenUnderHttp2 => {
            "You came by HTTP/2, under which nobody may be asked for one after the handshake."
        }
        Misuse::PeerCannotAuthenticate => {
            "Your client did not offer to be asked for one after the handshake."
        }
        Misuse::CannotRenegotiateSafely => {
            "Your client cannot renegotiate safely: it lacks RFC 5746 or the extended master secret."
        }
        Misuse::TooManyRenegotiations => "This connection was renegotiated too often.",
        _ => "You cannot be asked for one now.",
    };
    if reads_html {
        let items = WAYS.map(|way| format!("<li>{}</li>", for_html(way)));
        let main = format!("<p>{}</p><ul>{}</ul>", for_html(reason), items.concat());
        html(headline, &main)
    } else {
        let items = WAYS.map(|way| format!("* {way}\n"));
        plain(format!("{headline}\n{reason}\n\n{}", items.concat()))
    }
}

fn html(headline: &str, main: &str) -> Page {
    let headline = for_html(headline);
    let body = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{headline}</title>\
         <style>{STYLE}</style></head>\n<body><h1>{headline}</h1>\n{main}\n\
         <p>Served by <code>countersign serve</code>.</p></body></html>\n"
    );
    Page {
        content_type: "text/html; charset=utf-8",
        body,
    }
}

fn plain(body: String) -> Page {
    Page {
        content_type: "text/plain; charset=utf-8",
        body,
    }
}

#[cfg(test)]
mod tests {
    use countersign::{Misuse, Since};

    use super::{Visitor, forbidden};
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
            since: Some(Since::PostHandshake),
        }
    }

    #[test]
    fn who_cannot_be_asked_is_told_what_to_do() {
        let page = forbidden(Misuse::PeerCannotAuthenticate, false);
        assert!(page.body.contains("-enable_pha"), "{}", page.body);
        let page = forbidden(Misuse::ForbiddenUnderHttp2, true);
        assert!(page.body.contains("HTTP/2"), "{}", page.body);
        assert!(page.body.contains("<li>Firefox: "), "{}", page.body);
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
