//! What a probe found, as text and as JSON.

use std::fmt::Write as _;
use std::net::SocketAddr;

use countersign::ProtocolVersion;
use serde::Serialize;

use super::Visit;
use super::tls12::{self, Tls12};
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
    /// Whether each version is spoken; unknown if it was not tried.
    pub(super) versions: Vec<(ProtocolVersion, Option<bool>)>,
    agreement: Option<Agreement>,
    verification: Option<Verification>,
    requests: Vec<RequestAnswered>,
    answer: Option<String>,
    pub(super) tickets: usize,
    pub(super) resumption: Option<Resumption>,
    pub(super) suites: Vec<Choice>,
    pub(super) groups: Vec<Choice>,
    pub(super) protocols: Option<Protocols>,
    pub(super) tls12: Option<Tls12>,
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
            [When::Renegotiation, ..] => "; asks for a certificate again, in a renegotiation",
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

    /// Whether that version is spoken, as far as is known.
    pub(super) fn speaks(&self, version: ProtocolVersion) -> bool {
        self.versions.contains(&(version, Some(true)))
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
        let versions = self
            .versions
            .iter()
            .filter_map(|(version, spoken)| spoken.map(|spoken| (version.to_string(), spoken)));
        lines.push(("versions", choose(versions)));
        lines.push(("prefers", agreement.line()));
        for (what, choices) in [("suites", &self.suites), ("groups", &self.groups)] {
            if !choices.is_empty() {
                let choices = choices.iter();
                let choices = choices.map(|choice| (choice.name.to_owned(), choice.accepted));
                lines.push((what, choose(choices)));
            }
        }
        if let Some(protocols) = &self.protocols {
            let selected = protocols.selected.as_deref().unwrap_or("none");
            let offered = protocols.offered.join(", ");
            let line = format!("{} (offered: {offered})", escape::for_terminal(selected));
            lines.push(("ALPN", line));
        }
        lines.push(("asks", asks_in_handshake(&self.requests)));
        lines.push(("asks later", self.asks_later(&self.requests)));
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
        if let Some(tls12) = &self.tls12 {
            lines.push(("TLS 1.2", tls12.line()));
            lines.push(("- asks", asks_in_handshake(tls12.requests())));
            lines.push(("- asks later", self.asks_later(tls12.requests())));
            if let Some(resumption) = tls12.resumption() {
                lines.push(("- resumes", resumption.line()));
            }
        }
        lines.push(("connections", self.connections.to_string()));
        lines
    }

    /// What the server asks after the handshake, where it does so by the path.
    fn asks_later(&self, requests: &[RequestAnswered]) -> String {
        let mut later = requests
            .iter()
            .filter(|request| request.when != When::Handshake);
        match later.next() {
            None => format!("no certificate after it, for GET {}", self.path),
            Some(request) if request.when == When::Renegotiation => {
                format!("{}, in a renegotiation", describe(request))
            }
            Some(request) => describe(request),
        }
    }

    /// For programs.
    pub(super) fn document(&self, exit: Exit) -> Document<'_> {
        Document {
            schema: "countersign.probe/1",
            version: env!("CARGO_PKG_VERSION"),
            target: &self.target,
            address: self.address.map(|address| address.to_string()),
            exit_code: exit.code(),
            connections: self.connections,
            versions: self.versions.iter().copied().map(Spoken::new).collect(),
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
            tls12: self.tls12.as_ref().map(Tls12::document),
            error: self.trouble.as_ref().map(ErrorDocument::new),
        }
    }
}

fn asks_in_handshake(requests: &[RequestAnswered]) -> String {
    let mut asked = requests.iter();
    let asked = asked.find(|request| request.when == When::Handshake);
    asked.map_or_else(|| "no certificate in the handshake".to_owned(), describe)
}

fn describe(request: &RequestAnswered) -> String {
    let from = match request.authorities.as_slice() {
        [] => "of any authority".to_owned(),
        names => format!("of {}", names.join(" or ")),
    };
    let sent = request.sent.as_deref().unwrap_or("none");
    let schemes = request.schemes.len();
    format!("a certificate {from}, in any of {schemes} signature schemes; was sent {sent}")
}

/// What is taken, and what is not.
fn choose(choices: impl Iterator<Item = (String, bool)>) -> String {
    let (taken, refused): (Vec<_>, Vec<_>) = choices.partition(|(_, taken)| *taken);
    let names = |choices: Vec<(String, bool)>| -> Vec<String> {
        choices.into_iter().map(|(name, _)| name).collect()
    };
    match (names(taken).join(", "), names(refused).join(", ")) {
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
    versions: Vec<Spoken>,
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
    tls12: Option<tls12::Document<'a>>,
    error: Option<ErrorDocument<'a>>,
}

/// Whether a version is spoken; unknown if it was not tried.
#[derive(Debug, Serialize)]
struct Spoken {
    name: String,
    spoken: Option<bool>,
}

impl Spoken {
    fn new((version, spoken): (ProtocolVersion, Option<bool>)) -> Self {
        Self {
            name: version.to_string(),
            spoken,
        }
    }
}
