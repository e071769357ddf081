//! What a probe found, as text and as JSON.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde::Serialize;

use super::Visit;
use crate::address::Target;
use crate::connect::ErrorDocument;
use crate::escape;
use crate::failure::{Exit, Failure};
use crate::observe::Trouble;
use crate::session::{RequestAnswered, When};
use crate::summary::{Agreement, Verification};
use crate::terminal;

/// Room for the first column.
const COLUMN: usize = 12;

/// Everything that was found.
#[derive(Default)]
pub(super) struct Findings {
    target: String,
    path: String,
    address: Option<SocketAddr>,
    connections: u32,
    agreement: Option<Agreement>,
    verification: Option<Verification>,
    requests: Vec<RequestAnswered>,
    answer: Option<String>,
    pub(super) tickets: usize,
    pub(super) resumption: Option<Resumption>,
    pub(super) suites: Vec<Choice>,
    pub(super) groups: Vec<Choice>,
    pub(super) protocols: Option<Protocols>,
    trouble: Option<Trouble>,
}

/// Something that was offered alone.
#[derive(Debug, Serialize)]
pub(super) struct Choice {
    name: &'static str,
    accepted: bool,
}

impl Choice {
    pub(super) fn new(name: &'static str, accepted: bool) -> Self {
        Self { name, accepted }
    }
}

/// The application protocols.
#[derive(Debug, Serialize)]
pub(super) struct Protocols {
    pub(super) offered: Vec<String>,
    pub(super) selected: Option<String>,
}

/// What the second connection showed.
#[derive(Debug, Serialize)]
pub(super) struct Resumption {
    resumed: bool,
    /// When the server asked for a certificate again.
    asked_again: Vec<When>,
    /// The answer began as the first one.
    same_answer: bool,
}

impl Resumption {
    pub(super) fn new(first: &Visit, second: &Visit) -> Self {
        Self {
            resumed: second.resumed,
            asked_again: second.requests.iter().map(|request| request.when).collect(),
            same_answer: first.answer == second.answer,
        }
    }

    fn line(&self) -> String {
        let mut line = if self.resumed { "yes" } else { "no" }.to_owned();
        line.push_str(match self.asked_again.as_slice() {
            [] => "; asks for no certificate then",
            [When::Handshake, ..] => "; asks for a certificate again, in the handshake",
            [When::AfterHandshake, ..] => "; asks for a certificate again, after the handshake",
        });
        if !self.same_answer {
            line.push_str("; answers differently");
        }
        line
    }
}

impl Findings {
    pub(super) fn new(target: &Target, path: &str) -> Self {
        Self {
            target: target.to_string(),
            path: path.to_owned(),
            ..Self::default()
        }
    }

    /// Notes a connection.
    pub(super) fn connected(&mut self, address: SocketAddr) {
        self.address.get_or_insert(address);
        self.connections = self.connections.saturating_add(1);
    }

    /// Notes what the first connection showed.
    pub(super) fn meet(&mut self, visit: &Visit) {
        self.agreement.clone_from(&visit.agreement);
        self.verification.clone_from(&visit.verification);
        self.requests.clone_from(&visit.requests);
        self.answer.clone_from(&visit.answer);
        self.trouble.clone_from(&visit.trouble);
    }

    /// Notes why there is no more to find.
    pub(super) fn fail(&mut self, mut trouble: Trouble) -> Exit {
        if let Some(verification) = trouble.verification.take() {
            self.verification = Some(*verification);
        }
        let exit = trouble.exit;
        self.trouble = Some(trouble);
        exit
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let address = self
            .address
            .map_or(String::new(), |address| format!(" ({})", address.ip()));
        let heading = format!("Probe of {}{address}", self.target);
        let mut text = terminal::heading(&heading);
        for (what, finding) in self.lines() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\n{what:<COLUMN$} {finding}");
        }
        if let (None, Some(trouble)) = (&self.agreement, &self.trouble) {
            let failure = Failure::new(trouble.exit, escape::for_terminal(&trouble.sentence));
            let failure = match &trouble.advice {
                Some(advice) => failure.advise(escape::for_terminal(advice)),
                None => failure,
            };
            let _ = write!(text, "\n{}", terminal::failure_text(&failure));
        }
        text
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        if let Some(verification) = &self.verification {
            let sentence = escape::for_terminal(&verification.sentence);
            let (code, name) = (verification.code, &verification.name);
            lines.push(("certificate", format!("{code} {name}: {sentence}")));
        }
        let Some(agreement) = &self.agreement else {
            return lines;
        };
        let spoken = format!(
            "{}; TLS 1.2 is not spoken by countersign yet",
            agreement.version
        );
        lines.push(("versions", spoken));
        lines.push(("prefers", agreement.line()));
        for (what, choices) in [("suites", &self.suites), ("groups", &self.groups)] {
            if !choices.is_empty() {
                lines.push((what, choose(choices)));
            }
        }
        if let Some(protocols) = &self.protocols {
            let selected = protocols.selected.as_deref().unwrap_or("none");
            let offered = protocols.offered.join(", ");
            let line = format!("{} (offered: {offered})", escape::for_terminal(selected));
            lines.push(("ALPN", line));
        }
        for (what, when) in [
            ("asks", When::Handshake),
            ("asks later", When::AfterHandshake),
        ] {
            lines.push((what, self.asks(when)));
        }
        let answer = self.answer.as_deref().unwrap_or("none");
        lines.push(("answers", format!("{answer} (to GET {})", self.path)));
        if let Some(trouble) = &self.trouble {
            lines.push((
                "ended",
                escape::for_terminal(&trouble.sentence).into_owned(),
            ));
        }
        lines.push(("tickets", self.tickets.to_string()));
        if let Some(resumption) = &self.resumption {
            lines.push(("resumes", resumption.line()));
        }
        lines.push(("connections", self.connections.to_string()));
        lines
    }

    fn asks(&self, when: When) -> String {
        let mut requests = self.requests.iter().filter(|request| request.when == when);
        let Some(request) = requests.next() else {
            return match when {
                When::Handshake => "no certificate in the handshake".to_owned(),
                When::AfterHandshake => format!("no certificate after it, for GET {}", self.path),
            };
        };
        let from = match request.authorities.as_slice() {
            [] => "of any authority".to_owned(),
            names => format!("of {}", names.join(" or ")),
        };
        let sent = request.sent.as_deref().unwrap_or("none");
        let schemes = request.schemes.len();
        format!("a certificate {from}, in any of {schemes} signature schemes; was sent {sent}")
    }

    /// For programs.
    pub(super) fn document(&self, exit: Exit) -> Document<'_> {
        let spoken = self.agreement.is_some().then_some(true);
        Document {
            schema: "countersign.probe/1",
            version: env!("CARGO_PKG_VERSION"),
            target: &self.target,
            address: self.address.map(|address| address.to_string()),
            exit_code: exit.code(),
            connections: self.connections,
            versions: [("TLS 1.3", spoken), ("TLS 1.2", None)]
                .map(|(name, spoken)| Spoken { name, spoken }),
            agreement: self.agreement.as_ref(),
            verification: self.verification.as_ref(),
            suites: &self.suites,
            groups: &self.groups,
            alpn: self.protocols.as_ref(),
            path: &self.path,
            answer: self.answer.as_deref(),
            certificate_requests: &self.requests,
            tickets: self.tickets,
            resumption: self.resumption.as_ref(),
            error: self.trouble.as_ref().map(ErrorDocument::new),
        }
    }
}

fn choose(choices: &[Choice]) -> String {
    let names = |accepted: bool| -> Vec<&str> {
        let fitting = choices.iter().filter(|choice| choice.accepted == accepted);
        fitting.map(|choice| choice.name).collect()
    };
    match (names(true).join(", "), names(false).join(", ")) {
        (accepted, refused) if refused.is_empty() => accepted,
        (accepted, refused) if accepted.is_empty() => format!("none; not {refused}"),
        (accepted, refused) => format!("{accepted}; not {refused}"),
    }
}

/// The whole of `connect --probe --json`.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    schema: &'static str,
    version: &'static str,
    target: &'a str,
    address: Option<String>,
    exit_code: u8,
    connections: u32,
    versions: [Spoken; 2],
    agreement: Option<&'a Agreement>,
    verification: Option<&'a Verification>,
    suites: &'a [Choice],
    groups: &'a [Choice],
    alpn: Option<&'a Protocols>,
    path: &'a str,
    answer: Option<&'a str>,
    certificate_requests: &'a [RequestAnswered],
    tickets: usize,
    resumption: Option<&'a Resumption>,
    error: Option<ErrorDocument<'a>>,
}

/// Whether a version is spoken; unknown if it was not tried.
#[derive(Debug, Serialize)]
struct Spoken {
    name: &'static str,
    spoken: Option<bool>,
}
