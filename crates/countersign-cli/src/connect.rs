//! `countersign connect`: who is the server, and what does it say?

use std::io::{self, IsTerminal, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use countersign::{
    ChainVerifier, ClientConfig, ClientSide, ConfigBuilder, Credential, ProtocolVersion,
    StreamError, SubjectNames, TrustStore, VerifyMode,
};
use pki_types::ServerName;
use serde::Serialize;

use crate::address::Target;
use crate::arguments::{ConnectArguments, ServerCheck};
use crate::escape;
use crate::failure::{Exit, Failure};
use crate::ladder;
use crate::observe::{self, AlertFrom, Trouble};
use crate::probe;
use crate::session::{RequestAnswered, Session};
use crate::summary::{Agreement, Verification};
use crate::terminal;
use crate::trust::{self, KeyLogFile};

/// Connects, says who is there, and passes data through.
pub(crate) fn run(arguments: &ConnectArguments) -> Result<Exit, Failure> {
    if arguments.probe {
        return probe::run(arguments);
    }
    let config = configure(arguments)?;
    let name = expected_name(arguments)?;
    let credential = trust::credential(&arguments.credential)?;
    let mut outcome = Outcome::new(&arguments.target);
    let ended = attempt(arguments, &config, (name, credential), &mut outcome);
    let exit = match ended {
        Ok(()) => Exit::Success,
        Err(trouble) => outcome.fail(trouble),
    };
    if arguments.json {
        let json = serde_json::to_string_pretty(&outcome.document(exit));
        terminal::print(&json.map_err(|error| Failure::new(Exit::Other, error.to_string()))?)?;
    } else if let Some(text) = outcome.trouble_text() {
        terminal::print_aside(&text);
    }
    Ok(exit)
}

fn configure(arguments: &ConnectArguments) -> Result<Arc<ClientConfig>, Failure> {
    let mut builder = builder(arguments)?.alpn(&arguments.alpn);
    if arguments.trace {
        builder = builder.trace(ladder::Live);
    }
    Ok(builder.build()?)
}

/// What all connections have in common.
pub(crate) fn builder(arguments: &ConnectArguments) -> Result<ConfigBuilder<ClientSide>, Failure> {
    let trust = match &arguments.ca {
        Some(path) => trust::from_file(path)?,
        None => system_trust(arguments.verify)?,
    };
    let mode = match arguments.verify {
        ServerCheck::None => VerifyMode::NONE,
        ServerCheck::Peer => VerifyMode::PEER,
    };
    let mut builder = ClientConfig::builder().verify(mode);
    builder = if arguments.subject_names {
        builder.verifier(ChainVerifier::new(trust).subject_names(SubjectNames::Fallback))
    } else {
        builder.trust(trust)
    };
    if let Some(depth) = arguments.depth {
        builder = builder.verify_depth(depth);
    }
    let only = if arguments.renegotiate {
        Some(ProtocolVersion::Tls12)
    } else {
        arguments.version.only()
    };
    if let Some(version) = only {
        builder = builder.versions([version]);
    }
    if arguments.anonymous {
        builder = builder.allow_anonymous();
    }
    // The session answers, so that it knows when it is asked; it offers to be asked at any time.
    builder = builder.ask_for_credential(true);
    if let Some(log) = KeyLogFile::from_environment()? {
        builder = builder.key_log(log);
    }
    Ok(builder)
}

/// The system's authorities; without them nothing can be verified, but somebody who verifies nothing may go on.
fn system_trust(verify: ServerCheck) -> Result<TrustStore, Failure> {
    match (TrustStore::from_system(), verify) {
        (Ok(store), _) => Ok(store),
        (Err(_), ServerCheck::None) => Ok(TrustStore::empty()),
        (Err(error), ServerCheck::Peer) => Err(Failure::usage(format!(
            "The system's authorities cannot be used: {error}"
        ))
        .advise("Name a file of authorities with --ca, or check nothing with --verify none.")),
    }
}

pub(crate) fn expected_name(arguments: &ConnectArguments) -> Result<ServerName<'static>, Failure> {
    let name = arguments.name.as_ref().unwrap_or(&arguments.target.host);
    ServerName::try_from(name.clone()).map_err(|_| {
        Failure::usage(format!(
            "{name:?} is neither a host name nor an IP address."
        ))
        .advise("Give the name in the server's certificate with --name.")
    })
}

fn attempt(
    arguments: &ConnectArguments,
    config: &Arc<ClientConfig>,
    (name, credential): (ServerName<'_>, Option<Credential>),
    outcome: &mut Outcome,
) -> Result<(), Trouble> {
    let patience = Duration::from_secs(arguments.timeout);
    let (socket, address) = dial(&arguments.target, patience)?;
    outcome.address = Some(address);
    let trouble = |error: StreamError| Trouble::from(&error);
    if arguments.trace {
        terminal::print_aside(&ladder::heading());
    }
    let mut session = Session::start(config, name, socket, patience).map_err(trouble)?;
    session.present(credential);
    session.announce();
    let connected = session.handshake(patience);
    outcome.connected(&session);
    connected.map_err(|error| session.blame(&error))?;
    if arguments.json {
        let ended = renegotiate(arguments, &mut session, &mut io::sink())
            .and_then(|()| session.settle(&mut io::sink(), patience));
        outcome.connected(&session);
        return ended.map_err(|error| session.blame(&error));
    }
    terminal::print_aside(&outcome.summary());
    let stdout = io::stdout();
    let ended = if stdout.is_terminal() {
        converse(arguments, &mut session, &mut Visible(stdout))
    } else {
        converse(arguments, &mut session, &mut stdout.lock())
    };
    match ended {
        // Somebody who reads no further, such as `head`, is no failure.
        Err(StreamError::Transport(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| session.blame(&error)),
    }
}

/// Passes data through, and renegotiates before it if that was asked for.
fn converse(
    arguments: &ConnectArguments,
    session: &mut Session,
    sink: &mut dyn Write,
) -> Result<(), StreamError> {
    renegotiate(arguments, session, sink)?;
    session.relay(sink, Duration::from_secs(arguments.timeout))
}

fn renegotiate(
    arguments: &ConnectArguments,
    session: &mut Session,
    sink: &mut dyn Write,
) -> Result<(), StreamError> {
    if !arguments.renegotiate {
        return Ok(());
    }
    session.renegotiate(sink, Duration::from_secs(arguments.timeout))
}

pub(crate) fn dial(
    target: &Target,
    patience: Duration,
) -> Result<(TcpStream, SocketAddr), Trouble> {
    let failed = |sentence: String, advice: &str| Trouble {
        exit: Exit::Connect,
        sentence,
        advice: Some(advice.to_owned()),
        alert: None,
        verification: None,
    };
    let addresses = (target.host.as_str(), target.port)
        .to_socket_addrs()
        .map_err(|error| {
            failed(
                format!("The name {} cannot be resolved: {error}.", target.host),
                "Check the spelling and the network.",
            )
        })?;
    let mut last = None;
    for address in addresses {
        match TcpStream::connect_timeout(&address, patience) {
            Ok(socket) => return Ok((socket, address)),
            Err(error) => last = Some(format!("{address} cannot be reached: {error}.")),
        }
    }
    let sentence = last.unwrap_or_else(|| format!("The name {} has no address.", target.host));
    Err(failed(
        sentence,
        "Check that the server runs, the port, and firewalls between.",
    ))
}

/// A terminal that is shown control characters instead of obeying them.
struct Visible<W>(W);

impl<W: Write> Write for Visible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (content, end) = match line.strip_suffix(b"\n") {
                Some(content) => (content.strip_suffix(b"\r").unwrap_or(content), "\n"),
                None => (line, ""),
            };
            write!(self.0, "{}{end}", escape::bytes_for_terminal(content))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Everything there is to say about an attempt.
struct Outcome {
    target: String,
    address: Option<SocketAddr>,
    agreement: Option<Agreement>,
    verification: Option<Verification>,
    requests: Vec<RequestAnswered>,
    renegotiations: u32,
    trouble: Option<Trouble>,
}

impl Outcome {
    fn new(target: &Target) -> Self {
        Self {
            target: target.to_string(),
            address: None,
            agreement: None,
            verification: None,
            requests: Vec::new(),
            renegotiations: 0,
            trouble: None,
        }
    }

    /// Notes what the connection knows.
    fn connected(&mut self, session: &Session) {
        self.agreement = session.connection().agreed().map(observe::agreement);
        self.verification = session.connection().peer().map(observe::of_peer);
        self.requests = session.requests().to_vec();
        self.renegotiations = session.renegotiations();
    }

    fn fail(&mut self, mut trouble: Trouble) -> Exit {
        if let Some(verification) = trouble.verification.take() {
            self.verification = Some(*verification);
        }
        let exit = trouble.exit;
        self.trouble = Some(trouble);
        exit
    }

    /// What is shown before data flows.
    fn summary(&self) -> String {
        let address = self
            .address
            .map_or(String::new(), |address| format!(" ({})", address.ip()));
        let mut text = format!(
            "{}{address}\n",
            terminal::heading(&format!("Connected to {}", self.target))
        );
        if let Some(agreement) = &self.agreement {
            text.push_str(&agreement.line());
            text.push('\n');
            text.extend(agreement.warning());
        }
        if let Some(verification) = &self.verification {
            text.push_str(&verification.text());
        }
        for request in &self.requests {
            text.push_str(&request.line());
            text.push('\n');
        }
        text.trim_end().to_owned()
    }

    fn trouble_text(&self) -> Option<String> {
        let trouble = self.trouble.as_ref()?;
        if let (Exit::Verification, Some(verification)) = (trouble.exit, &self.verification) {
            let heading = terminal::heading(&format!("Not connected to {}", self.target));
            return Some(format!("{heading}\n{}", verification.text().trim_end()));
        }
        let failure = Failure::new(trouble.exit, escape::for_terminal(&trouble.sentence));
        Some(terminal::failure_text(&match &trouble.advice {
            Some(advice) => failure.advise(escape::for_terminal(advice)),
            None => failure,
        }))
    }

    fn document(&self, exit: Exit) -> Document<'_> {
        Document {
            schema: "countersign.connect/1",
            version: env!("CARGO_PKG_VERSION"),
            target: &self.target,
            address: self.address.map(|address| address.to_string()),
            outcome: match exit {
                Exit::Success => "connected",
                Exit::Connect => "no-connection",
                Exit::Verification => "peer-refused",
                Exit::Refused => "refused-by-peer",
                Exit::Other | Exit::Usage | Exit::Tls => "tls-failed",
            },
            exit_code: exit.code(),
            agreement: self.agreement.as_ref(),
            verification: self.verification.as_ref(),
            certificate_requests: &self.requests,
            renegotiations: self.renegotiations,
            error: self.trouble.as_ref().map(ErrorDocument::new),
        }
    }
}

/// The whole of `connect --json`.
#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: &'static str,
    target: &'a str,
    address: Option<String>,
    outcome: &'static str,
    exit_code: u8,
    agreement: Option<&'a Agreement>,
    verification: Option<&'a Verification>,
    certificate_requests: &'a [RequestAnswered],
    renegotiations: u32,
    error: Option<ErrorDocument<'a>>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ErrorDocument<'a> {
    sentence: &'a str,
    advice: Option<&'a str>,
    alert: Option<AlertDocument>,
}

#[derive(Debug, Serialize)]
struct AlertDocument {
    code: u8,
    name: &'static str,
    from: &'static str,
}

impl<'a> ErrorDocument<'a> {
    pub(crate) fn new(trouble: &'a Trouble) -> Self {
        Self {
            sentence: &trouble.sentence,
            advice: trouble.advice.as_deref(),
            alert: trouble.alert.map(|(alert, from)| AlertDocument {
                code: alert.code(),
                name: alert.name(),
                from: match from {
                    AlertFrom::Us => "us",
                    AlertFrom::Peer => "peer",
                },
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::Visible;

    #[test]
    fn a_terminal_sees_lines_but_obeys_nothing_else() {
        let mut visible = Visible(Vec::new());
        visible.write_all(b"one\r\ntwo\x1b[2J\nthree").unwrap();
        assert_eq!(
            String::from_utf8(visible.0).unwrap(),
            "one\ntwo\\u{1b}[2J\nthree"
        );
    }
}
