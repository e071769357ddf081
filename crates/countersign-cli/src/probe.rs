//! `countersign connect --probe`: what a server does, found out with a few connections.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use countersign::{
    CipherSuite, ClientConfig, ClientSessions, ClientSide, ConfigBuilder, Credential, Direction,
    NamedGroup, ProtocolVersion, ResumePolicy, StreamError, Trace, TraceEvent, Traced, VerifyMode,
};
use pki_types::ServerName;

use crate::arguments::ConnectArguments;
use crate::connect;
use crate::escape;
use crate::failure::{Exit, Failure};
use crate::observe::{self, Trouble};
use crate::session::{RequestAnswered, Session};
use crate::summary::{Agreement, Verification};
use crate::terminal;
use crate::trust;

mod report;
mod tls12;

use report::{Choice, Findings, Protocols, Resumption};
use tls12::Tls12;

/// How long the server may take to answer a request.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take to say good-bye.
const PARTING_PATIENCE: Duration = Duration::from_millis(500);
/// How much of an answer is kept.
const FIRST_LINE: usize = 128;

/// Finds out what a server does, and says so.
pub(crate) fn run(arguments: &ConnectArguments) -> Result<Exit, Failure> {
    let probe = Probe::new(arguments)?;
    let mut findings = Findings::new(&arguments.target, &probe.path);
    let exit = match probe.all(&mut findings) {
        Ok(()) => Exit::Success,
        Err(trouble) => findings.fail(trouble),
    };
    if arguments.json {
        let json = serde_json::to_string_pretty(&findings.document(exit));
        terminal::print(&json.map_err(|error| Failure::new(Exit::Other, error.to_string()))?)?;
    } else {
        terminal::print(&findings.text())?;
    }
    Ok(exit)
}

/// What is the same for all connections.
struct Probe<'a> {
    arguments: &'a ConnectArguments,
    name: ServerName<'static>,
    credential: Option<Credential>,
    path: String,
    patience: Duration,
}

/// What one connection showed.
#[derive(Default)]
struct Visit {
    agreement: Option<Agreement>,
    verification: Option<Verification>,
    version: Option<ProtocolVersion>,
    resumed: bool,
    requests: Vec<RequestAnswered>,
    /// The first line of the answer.
    answer: Option<String>,
    /// Why it ended before its time.
    trouble: Option<Trouble>,
}

/// Counts the tickets that arrive.
#[derive(Clone, Default)]
struct Tickets(Arc<AtomicUsize>);

impl Trace for Tickets {
    fn record(&self, event: &TraceEvent<'_>) {
        if let Traced::Message {
            direction: Direction::Received,
            name: "NewSessionTicket",
            ..
        } = event.what
        {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<'a> Probe<'a> {
    fn new(arguments: &'a ConnectArguments) -> Result<Self, Failure> {
        let path = arguments.path.clone();
        if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::usage(format!("{path:?} is no path."))
                .advise("Begin it with a slash and leave no spaces, as in --path /private"));
        }
        Ok(Self {
            arguments,
            name: connect::expected_name(arguments)?,
            credential: trust::credential(&arguments.credential)?,
            path,
            patience: Duration::from_secs(arguments.timeout),
        })
    }

    fn all(&self, findings: &mut Findings) -> Result<(), Trouble> {
        let sessions = ClientSessions::new(1);
        let tickets = Tickets::default();
        let builder = self.builder()?.sessions(sessions.clone());
        let config = build(builder.trace(tickets.clone()))?;
        let first = self.visit(&config, true, findings)?;
        findings.tickets = tickets.0.load(Ordering::Relaxed);
        findings.meet(&first);
        if let (None, Some(trouble)) = (&first.agreement, &first.trouble) {
            return Err(trouble.clone());
        }
        // A connection that fails takes its tickets with it.
        if !sessions.is_empty() {
            let second = self.visit(&config, true, findings)?;
            findings.resumption = Some(Resumption::new(&first, &second));
        }
        self.versions(first.version, findings)?;
        let suites = CipherSuite::defaults().filter(|suite| findings.speaks(suite.version()));
        for suite in suites.collect::<Vec<_>>() {
            let accepted = self.accepts(findings, |builder| builder.suites([suite]))?;
            findings.suites.push(Choice::new(suite.name(), accepted));
        }
        for &group in NamedGroup::ALL {
            let accepted = self.accepts(findings, |builder| builder.groups([group]))?;
            findings.groups.push(Choice::new(group.name(), accepted));
        }
        self.protocols(findings)?;
        if findings.speaks(ProtocolVersion::Tls12) {
            findings.tls12 = Tls12::find(self, findings)?;
        }
        Ok(())
    }

    /// Which versions the server speaks, of those that may be tried.
    fn versions(
        &self,
        known: Option<ProtocolVersion>,
        findings: &mut Findings,
    ) -> Result<(), Trouble> {
        for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
            let may_try = self
                .arguments
                .version
                .only()
                .is_none_or(|only| only == version);
            let spoken = match may_try {
                true if known == Some(version) => Some(true),
                true => Some(self.accepts(findings, |builder| builder.versions([version]))?),
                false => None,
            };
            findings.versions.push((version, spoken));
        }
        Ok(())
    }

    fn builder(&self) -> Result<ConfigBuilder<ClientSide>, Trouble> {
        connect::builder(self.arguments).map_err(|failure| unusable(&failure))
    }

    /// Which application protocol the server takes.
    fn protocols(&self, findings: &mut Findings) -> Result<(), Trouble> {
        let mut offered = self.arguments.alpn.clone();
        if offered.is_empty() {
            offered = ["h2", "http/1.1"].map(String::from).to_vec();
        }
        let builder = self.builder()?.verify(VerifyMode::NONE).alpn(&offered);
        let config = build(builder.resume_policy(ResumePolicy::Never))?;
        let visit = self.visit(&config, false, findings)?;
        findings.protocols = Some(Protocols {
            offered,
            selected: visit.agreement.and_then(|agreement| agreement.alpn),
        });
        Ok(())
    }

    /// Whether the handshake succeeds under this restriction.
    fn accepts(
        &self,
        findings: &mut Findings,
        restrict: impl FnOnce(ConfigBuilder<ClientSide>) -> ConfigBuilder<ClientSide>,
    ) -> Result<bool, Trouble> {
        let builder = restrict(self.builder()?).verify(VerifyMode::NONE);
        // A group that the only version lacks cannot be offered.
        let Ok(config) = build(builder.resume_policy(ResumePolicy::Never)) else {
            return Ok(false);
        };
        Ok(self.visit(&config, false, findings)?.agreement.is_some())
    }

    /// One connection; fails only if there is none.
    fn visit(
        &self,
        config: &Arc<ClientConfig>,
        ask_for_page: bool,
        findings: &mut Findings,
    ) -> Result<Visit, Trouble> {
        let mut session = self.start(config, findings)?;
        let mut visit = Visit::default();
        let ended = self.talk(&mut session, ask_for_page, &mut visit);
        visit.trouble = ended.err().map(|error| session.blame(&error));
        visit.requests = session.requests().to_vec();
        Ok(visit)
    }

    /// One connection, before its handshake.
    fn start(
        &self,
        config: &Arc<ClientConfig>,
        findings: &mut Findings,
    ) -> Result<Session, Trouble> {
        let (socket, address) = connect::dial(&self.arguments.target, self.patience)?;
        findings.connected(address);
        let mut session = Session::start(config, self.name.clone(), socket, self.patience)
            .map_err(|error| Trouble::from(&error))?;
        session.present(self.credential.clone());
        Ok(session)
    }

    fn talk(
        &self,
        session: &mut Session,
        ask_for_page: bool,
        visit: &mut Visit,
    ) -> Result<(), StreamError> {
        session.handshake(self.patience)?;
        let connection = session.connection();
        visit.agreement = connection.agreed().map(observe::agreement);
        visit.verification = connection.peer().map(observe::of_peer);
        visit.version = connection.agreed().map(|agreed| agreed.version);
        visit.resumed = connection.agreed().is_some_and(|agreed| agreed.resumed);
        if !ask_for_page {
            return session.settle(&mut io::sink(), PARTING_PATIENCE);
        }
        let target = &self.arguments.target;
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: countersign\r\nAccept: */*\r\n\
             Connection: close\r\n\r\n",
            self.path
        );
        let mut beginning = Beginning(Vec::new());
        let ended = session.exchange(request.as_bytes(), &mut beginning, ANSWER_PATIENCE);
        visit.answer = first_line(&beginning.0);
        ended
    }
}

/// Keeps the beginning of what it is given.
struct Beginning(Vec<u8>);

impl Write for Beginning {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = FIRST_LINE.saturating_sub(self.0.len());
        self.0
            .extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn first_line(answer: &[u8]) -> Option<String> {
    let line = answer.split(|byte| *byte == b'\r' || *byte == b'\n').next();
    line.filter(|line| !line.is_empty())
        .map(escape::bytes_for_terminal)
}

fn build(builder: ConfigBuilder<ClientSide>) -> Result<Arc<ClientConfig>, Trouble> {
    builder.build().map_err(|error| unusable(&error.into()))
}

/// A command line that cannot be used is found before the first connection, so this is not seen.
fn unusable(failure: &Failure) -> Trouble {
    Trouble {
        exit: failure.exit(),
        sentence: failure.what().to_owned(),
        advice: failure.advice().map(str::to_owned),
        alert: None,
        verification: None,
    }
}
