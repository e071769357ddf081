//! `countersign serve`: a small HTTPS server that tells visitors who they are.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use countersign::{
    Credential, Error, MemoryStore, Misuse, ProtocolVersion, ServerConfig, Stream, StreamError,
    VerifyMode,
};
use time::OffsetDateTime;

use crate::arguments::{ClientCheck, ServeArguments};
use crate::ask::{self, Asked, AskedPaths, Demand, PathRule};
use crate::authority::{Algorithm, Authority, Request as CertificateRequest, Role, Validity};
use crate::escape;
use crate::failure::{Exit, Failure};
use crate::http::{self, Afterwards, NoRequest, Page, Reading, Request, RequestReader, Status};
use crate::observe::Trouble;
use crate::page::{self, Visitor};
use crate::patient::PatientSocket;
use crate::terminal;
use crate::trust::{self, KeyLogFile};

/// How many visitors are served at a time; others wait to be accepted.
const MOST_CONNECTIONS: usize = 64;
/// How many requests one connection may bring.
const MOST_REQUESTS: usize = 100;
/// How many sessions are kept.
const MOST_SESSIONS: usize = 1000;
/// How long a handshake may take.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// How long a request, or the next one, may take to arrive.
const REQUEST_PATIENCE: Duration = Duration::from_secs(15);
/// How long a visitor may take to read the page.
const RESPONSE_PATIENCE: Duration = Duration::from_secs(15);

/// Serves until it is stopped, or for as many connections as asked.
pub(crate) fn run(arguments: &ServeArguments) -> Result<Exit, Failure> {
    let service = Service::new(arguments)?;
    let listener = TcpListener::bind(arguments.listen).map_err(|error| {
        Failure::new(
            Exit::Connect,
            format!("Cannot listen on {}: {error}.", arguments.listen),
        )
        .advise(if error.kind() == io::ErrorKind::AddrNotAvailable {
            "Choose an address of this machine, or 0.0.0.0 or [::] for all it has."
        } else {
            "Choose another port, or port 0 for any free one: --listen 127.0.0.1:0"
        })
    })?;
    let cannot_listen =
        |error: io::Error| Failure::new(Exit::Connect, format!("Cannot listen: {error}."));
    let address = listener.local_addr().map_err(cannot_listen)?;
    terminal::print(&format!("Listening on https://{address}/"))?;
    if arguments.anonymous {
        let warning =
            "Nobody is authenticated where a visitor and this server agree on an anonymous suite.";
        terminal::print_aside(&terminal::paint(terminal::BAD, warning));
    } else if arguments.credential.cert.is_none() {
        terminal::print_aside(
            "With a throwaway certificate that nobody trusts: try curl --insecure.",
        );
    }
    serve(&listener, &service, arguments.once.unwrap_or(u64::MAX));
    Ok(Exit::Success)
}

/// What visitors meet.
struct Service {
    config: Arc<ServerConfig>,
    reading: Reading,
    /// Where visitors are asked for a certificate.
    asking: AskedPaths,
    asks_at_once: bool,
    /// Where both ends change their keys.
    updating_keys: Vec<PathRule>,
}

impl Service {
    fn new(arguments: &ServeArguments) -> Result<Self, Failure> {
        let asking = AskedPaths::new(&arguments.ask, &arguments.ask_optional)?;
        let rules = arguments.update_keys.iter().map(|path| PathRule::new(path));
        Ok(Self {
            config: configure(arguments, !asking.is_empty() || arguments.ask_at_once)?,
            reading: if arguments.test_responder {
                Reading::Anything
            } else {
                Reading::Strict
            },
            asking,
            asks_at_once: arguments.ask_at_once,
            updating_keys: rules.collect::<Result<_, _>>()?,
        })
    }
}

fn configure(arguments: &ServeArguments, asks_later: bool) -> Result<Arc<ServerConfig>, Failure> {
    if let Some(other) = arguments
        .alpn
        .iter()
        .find(|protocol| *protocol != "http/1.1")
    {
        return Err(
            Failure::usage(format!("This server does not speak {other:?}."))
                .advise("It speaks http/1.1 only: leave --alpn out."),
        );
    }
    let mode = verify_mode(&arguments.verify)?;
    if arguments.anonymous && mode.contains(VerifyMode::FAIL_IF_NO_PEER_CERT) {
        return Err(Failure::usage(
            "Under an anonymous suite no visitor can show the certificate that --verify require insists on.",
        )
        .advise("Leave out --anonymous, or take --verify peer."));
    }
    let mut builder = ServerConfig::builder()
        .verify(mode)
        .alpn(&arguments.alpn)
        .client_renegotiation(arguments.renegotiate);
    let mut only = arguments.version.only();
    match trust::credential(&arguments.credential)? {
        Some(credential) => builder = builder.credential(credential),
        // Without a certificate there is no TLS 1.3.
        None if arguments.anonymous => only = Some(ProtocolVersion::Tls12),
        None => builder = builder.credential(throwaway()?),
    }
    if let Some(version) = only {
        builder = builder.versions([version]);
    }
    if arguments.anonymous {
        builder = builder.allow_anonymous();
    }
    if arguments.session_store {
        builder = builder.session_store(MemoryStore::new(MOST_SESSIONS));
    }
    if let Some(path) = &arguments.ca {
        builder = builder.trust(trust::from_file(path)?);
    } else if mode.contains(VerifyMode::PEER) || asks_later {
        return Err(Failure::usage(
            "Visitors' certificates are to be checked, but nobody is trusted to issue them.",
        )
        .advise(
            "Make an authority with `countersign ca`, then name it: --ca countersign-ca/ca.pem",
        ));
    }
    if let Some(depth) = arguments.depth {
        builder = builder.verify_depth(depth);
    }
    if let Some(log) = KeyLogFile::from_environment()? {
        builder = builder.key_log(log);
    }
    Ok(builder.build()?)
}

fn verify_mode(checks: &[ClientCheck]) -> Result<VerifyMode, Failure> {
    let mut mode = VerifyMode::NONE;
    for check in checks {
        mode |= match check {
            ClientCheck::None => VerifyMode::NONE,
            ClientCheck::Peer => VerifyMode::PEER,
            ClientCheck::Require => VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT,
            ClientCheck::Once => VerifyMode::CLIENT_ONCE,
        };
    }
    if checks.len() > 1 && checks.contains(&ClientCheck::None) {
        return Err(
            Failure::usage("--verify none stands alone.").advise("Leave none out, or the others.")
        );
    }
    if !mode.is_usable() {
        return Err(Failure::usage("--verify once does nothing by itself.")
            .advise("Write --verify require,once"));
    }
    Ok(mode)
}

/// A certificate for this machine that lasts a day.
fn throwaway() -> Result<Credential, Failure> {
    let validity = Validity::days(OffsetDateTime::now_utc(), 1);
    let authority = Authority::new("countersign throwaway", Algorithm::EcdsaP256, validity)?;
    let identity = authority.issue(&CertificateRequest {
        role: Role::Server,
        names: ["localhost", "127.0.0.1", "::1"].map(String::from).to_vec(),
        validity,
    })?;
    Credential::new(identity.chain, &identity.key)
        .map_err(|error| Failure::new(Exit::Other, error.to_string()))
}

/// Accepts `connections` visitors, each on a thread of its own, and waits for the last.
fn serve(listener: &TcpListener, service: &Service, connections: u64) {
    let (give_back, places) = places();
    thread::scope(|scope| {
        for _ in 0..connections {
            // A place is free once a visitor has left.
            if places.recv().is_err() {
                return;
            }
            match listener.accept() {
                Ok((socket, visitor)) => {
                    let give_back = give_back.clone();
                    scope.spawn(move || {
                        attend(service, socket, visitor);
                        let _ = give_back.send(());
                    });
                }
                Err(error) => {
                    terminal::print_aside(&format!("A visitor could not be accepted: {error}."));
                    // Out of descriptors, for instance: nothing is gained by trying at once.
                    thread::sleep(Duration::from_millis(100));
                    let _ = give_back.send(());
                }
            }
        }
    });
}

fn places() -> (SyncSender<()>, Receiver<()>) {
    let (give_back, places) = sync_channel(MOST_CONNECTIONS);
    for _ in 0..MOST_CONNECTIONS {
        let _ = give_back.send(());
    }
    (give_back, places)
}

/// One visitor, from the handshake to the end.
fn attend(service: &Service, socket: TcpStream, visitor: SocketAddr) {
    let socket = PatientSocket::new(socket, HANDSHAKE_PATIENCE);
    let mut stream = Stream::server(&service.config, socket);
    if let Err(error) = stream.handshake() {
        turn_away(visitor, &error);
    } else {
        answer(&mut stream, service, visitor);
        let _ = stream.close();
    }
    stream.into_parts().1.close_gently();
}

fn turn_away(visitor: SocketAddr, error: &StreamError) {
    let sentence = Trouble::from(error).sentence;
    terminal::print_aside(&format!(
        "{visitor} turned away: {}",
        escape::for_terminal(&sentence)
    ));
}

/// Answers requests until one side has had enough.
fn answer(stream: &mut Stream<PatientSocket>, service: &Service, visitor: SocketAddr) {
    let mut reader = RequestReader::new(service.reading);
    let mut asked_later = false;
    if service.asks_at_once {
        match ask::authenticate(stream, Demand::Optional, &mut reader) {
            Ok(asked) => asked_later = asked == Asked::Answered,
            Err(error) => return turn_away(visitor, &error),
        }
    }
    for number in 1..=MOST_REQUESTS {
        stream.transport_mut().wait_for(REQUEST_PATIENCE);
        let request = match reader.next(stream) {
            Ok(request) => Ok(request),
            Err(NoRequest::Refused(status)) => Err(status),
            Err(NoRequest::Closed) => return,
            Err(NoRequest::Failed(error)) => return turn_away(visitor, &error.into()),
        };
        let path = request.as_ref().map_or("", |request| request.path.as_str());
        let demand = service.asking.demand(path);
        let asked = match demand.map(|demand| ask::authenticate(stream, demand, &mut reader)) {
            Some(Err(error)) => return turn_away(visitor, &error),
            Some(Ok(asked)) => Some(asked),
            None => None,
        };
        asked_later |= asked == Some(Asked::Answered);
        if service.updating_keys.iter().any(|rule| rule.covers(path))
            && let Err(error) = update_keys(stream)
        {
            return turn_away(visitor, &error);
        }
        let Some(known) = Visitor::of(stream.connection(), asked_later) else {
            return;
        };
        let (status, page) = match &request {
            Ok(request) => page_for(request, &known, demand.zip(asked)),
            Err(status) => (*status, status.plain()),
        };
        let wants_more = request.as_ref().is_ok_and(|request| request.keep_alive);
        let afterwards = if wants_more && number < MOST_REQUESTS {
            Afterwards::KeepAlive
        } else {
            Afterwards::Close
        };
        let head_only = request.as_ref().is_ok_and(|request| request.head_only);
        let now = OffsetDateTime::now_utc();
        let response = http::response(status, &page, head_only, afterwards, now);
        stream.transport_mut().wait_for(RESPONSE_PATIENCE);
        let sent = stream.write_all(&response).and_then(|()| stream.flush());
        log_request(visitor, request.as_ref().ok(), status, &known);
        if sent.is_err() || afterwards == Afterwards::Close {
            return;
        }
    }
}

/// Changes this side's keys and asks the visitor to do the same, which TLS 1.2 does not know.
fn update_keys(stream: &mut Stream<PatientSocket>) -> Result<(), StreamError> {
    let (connection, output) = stream.connection_and_output();
    match connection.update_keys(true, output) {
        Err(Error::Misuse(Misuse::NotInThisVersion)) => Ok(()),
        other => Ok(other?),
    }
}

/// The answer to a request, by what its path demands and what came of asking.
fn page_for(request: &Request, known: &Visitor, asked: Option<(Demand, Asked)>) -> (Status, Page) {
    match asked {
        None if request.path != "/" => return (Status::NotFound, Status::NotFound.plain()),
        // Whatever came of asking: without a certificate there is nothing to see.
        Some((Demand::Required, came_of_it)) if known.verification.is_none() => {
            let why = match came_of_it {
                Asked::Cannot(misuse) => misuse,
                _ => Misuse::PeerCannotAuthenticate,
            };
            return (Status::Forbidden, page::forbidden(why, request.reads_html));
        }
        _ => {}
    }
    let page = if request.reads_html {
        known.html()
    } else {
        known.plain()
    };
    (Status::Ok, page)
}

fn log_request(visitor: SocketAddr, request: Option<&Request>, status: Status, known: &Visitor) {
    let path = request.map_or("(no request)", |request| request.path.as_str());
    let line = format!("{visitor} {path}: {}. {}", status.line(), known.headline());
    terminal::print_aside(&escape::for_terminal(&line));
}
