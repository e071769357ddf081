//! One connection of the demo: two endpoints, a loopback socket, and what each of them saw.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use countersign::{
    ClientConfig, ClientSessions, Completed, ConfigBuilder, Connection, Credential, Direction,
    Error, ExpectedName, PeerNames, Progress, ServerConfig, Since, Stream, StreamError,
    TicketKeyring, Trace, TraceEvent, Traced, TrustStore, VerifyMode,
};
use pki_types::{CertificateDer, ServerName};

use super::cases::{Case, Change, Mode, Occasion, Offer};
use super::report::{Checked, Row};
use crate::authority::{CLIENT_NAME, Condition, DEPTH, Role, SERVER_NAME, Specimens};
use crate::failure::{Exit, Failure};
use crate::ladder::Sheet;
use crate::observe::Trouble;
use crate::patient::PatientSocket;

/// How long one side may take for all of it.
const PATIENCE: Duration = Duration::from_secs(4);

/// What all duels share.
pub(crate) struct Arena<'a> {
    pub specimens: &'a Specimens,
    pub listener: &'a TcpListener,
    /// Where the conversation is drawn, if anywhere.
    pub sheet: Option<&'a Sheet>,
}

/// What the connections of one case share.
struct Memory {
    sessions: ClientSessions,
    keyring: TicketKeyring,
}

/// What differs between the connections of one case.
struct Rules {
    mode: Mode,
    trust: TrustStore,
}

/// Runs one case over a loopback socket.
pub(crate) fn fight(case: Case, arena: &Arena<'_>) -> Result<Row, Failure> {
    let memory = Memory {
        sessions: ClientSessions::new(1),
        keyring: TicketKeyring::new(),
    };
    let mut trust = trust_in(arena.specimens.root())?;
    if let Occasion::Resumption(change) = case.occasion {
        let rules = Rules {
            mode: case.earlier_mode(),
            trust: trust.clone(),
        };
        arena.say("The first connection:");
        connect_both(case, &rules, &memory, arena)?;
        arena.say("The second connection:");
        if change == Change::OtherTrust {
            trust = other_trust(arena.specimens)?;
        }
    }
    let rules = Rules {
        mode: case.mode,
        trust,
    };
    let (client, server) = connect_both(case, &rules, &memory, arena)?;
    Ok(judge(case, &client, &server))
}

impl Arena<'_> {
    fn say(&self, text: &str) {
        if let Some(sheet) = self.sheet {
            sheet.say(text);
        }
    }
}

fn trust_in(anchor: &CertificateDer<'static>) -> Result<TrustStore, Failure> {
    TrustStore::from_der([anchor.clone()])
        .map_err(|error| Failure::new(Exit::Other, error.to_string()))
}

/// Trust in somebody who issued nothing.
fn other_trust(specimens: &Specimens) -> Result<TrustStore, Failure> {
    let stranger = specimens.identity(Role::Server, Condition::SelfSigned);
    match stranger.and_then(|stranger| stranger.chain.first()) {
        Some(anchor) => trust_in(anchor),
        None => Err(Failure::new(Exit::Other, "A specimen is missing.")),
    }
}

fn connect_both(
    case: Case,
    rules: &Rules,
    memory: &Memory,
    arena: &Arena<'_>,
) -> Result<(Account, Account), Failure> {
    let requests = Requests::default();
    let (client, server) = configure(case, (rules, &requests), memory, arena)?;
    let no_socket = |error| {
        Failure::new(
            Exit::Connect,
            format!("No connection over 127.0.0.1: {error}."),
        )
    };
    // The system completes the connection before anybody accepts it.
    let address = arena.listener.local_addr().map_err(no_socket)?;
    let client_end = TcpStream::connect(address).map_err(no_socket)?;
    let (server_end, _) = arena.listener.accept().map_err(no_socket)?;
    let (client_saw, mut server_saw) = thread::scope(|scope| {
        let serving = scope.spawn(|| serve(case, &server, server_end));
        let client_saw = connect(&client, client_end);
        (
            client_saw,
            serving.join().unwrap_or_else(|_| Account::broken()),
        )
    });
    server_saw.requests = requests.0.load(Ordering::Relaxed);
    Ok((client_saw, server_saw))
}

/// Counts how often a server asks: what came of a handshake that failed, the connection does not know.
#[derive(Clone, Default)]
struct Requests(Arc<AtomicU32>);

/// Counts, and draws if there is something to draw on.
struct Watch {
    requests: Requests,
    sheet: Option<Sheet>,
}

impl Trace for Watch {
    fn record(&self, event: &TraceEvent<'_>) {
        if let Traced::Message {
            direction: Direction::Sent,
            name: "CertificateRequest",
            ..
        } = event.what
        {
            self.requests.0.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(sheet) = &self.sheet {
            sheet.record(event);
        }
    }
}

fn configure(
    case: Case,
    (rules, requests): (&Rules, &Requests),
    memory: &Memory,
    arena: &Arena<'_>,
) -> Result<(Arc<ClientConfig>, Arc<ServerConfig>), Failure> {
    let (server_condition, client_condition) = match case.verifier {
        _ if matches!(case.occasion, Occasion::Anonymous(_)) => (None, None),
        Role::Client => (case.certificate, None),
        Role::Server => (Some(Condition::Good), case.certificate),
    };
    // Only the verifier's trust is the matter of a case.
    let root = trust_in(arena.specimens.root())?;
    let trust_of = |role| {
        if role == case.verifier {
            rules.trust.clone()
        } else {
            root.clone()
        }
    };
    let client_name = ExpectedName::Dns(CLIENT_NAME.to_owned());
    let mut client = ClientConfig::builder()
        .versions([case.version])
        .trust(trust_of(Role::Client))
        .verify_depth(DEPTH)
        .post_handshake_auth(case.occasion == Occasion::Later)
        .sessions(memory.sessions.clone());
    let mut server = ServerConfig::builder()
        .versions([case.version])
        .trust(trust_of(Role::Server))
        .verify_depth(DEPTH)
        .peer_names(PeerNames::OneOf(vec![client_name]))
        .ticket_keyring(memory.keyring.clone());
    client = present(client, arena.specimens, Role::Client, client_condition)?;
    server = present(server, arena.specimens, Role::Server, server_condition)?;
    if let Some(sheet) = arena.sheet {
        client = client.trace(sheet.clone());
    }
    server = server.trace(Watch {
        requests: requests.clone(),
        sheet: arena.sheet.cloned(),
    });
    if let Occasion::Anonymous(offer) = case.occasion {
        server = server.allow_anonymous();
        if offer == Offer::Both {
            client = client.allow_anonymous();
        }
    }
    match case.verifier {
        Role::Client => client = client.verify(mode(rules.mode)),
        Role::Server if case.is_tls12() && case.occasion == Occasion::Later => {}
        Role::Server => server = server.verify(mode(rules.mode)),
    }
    Ok((client.build()?, server.build()?))
}

fn present<R>(
    builder: ConfigBuilder<R>,
    specimens: &Specimens,
    role: Role,
    condition: Option<Condition>,
) -> Result<ConfigBuilder<R>, Failure> {
    let Some(identity) = condition.and_then(|condition| specimens.identity(role, condition)) else {
        return Ok(builder);
    };
    let credential = Credential::new(identity.chain.clone(), &identity.key)
        .map_err(|error| Failure::new(Exit::Other, error.to_string()))?;
    Ok(builder.credential(credential))
}

const fn mode(mode: Mode) -> VerifyMode {
    match mode {
        Mode::None => VerifyMode::NONE,
        Mode::Peer => VerifyMode::PEER,
        Mode::PeerOrFail => VerifyMode::PEER.with(VerifyMode::FAIL_IF_NO_PEER_CERT),
        Mode::PeerOnce => VerifyMode::PEER.with(VerifyMode::CLIENT_ONCE),
        Mode::Later => VerifyMode::PEER.with(VerifyMode::POST_HANDSHAKE),
        Mode::LaterOrFail => VerifyMode::PEER
            .with(VerifyMode::FAIL_IF_NO_PEER_CERT)
            .with(VerifyMode::POST_HANDSHAKE),
    }
}

/// What one side saw.
struct Account {
    /// On a server: how many times it asked for a certificate.
    requests: u32,
    /// Nobody is authenticated.
    anonymous: bool,
    /// An earlier session was resumed.
    resumed: bool,
    /// How many certificates this side received, and what came of them.
    received: usize,
    result: Option<Checked>,
    /// Data went both ways.
    established: bool,
    /// The fatal alert that arrived from the other side: what was sent is known only where it arrives.
    alert: Option<(u8, &'static str)>,
    sentence: Option<String>,
}

impl Account {
    fn broken() -> Self {
        Self {
            requests: 0,
            anonymous: false,
            resumed: false,
            received: 0,
            result: None,
            established: false,
            alert: None,
            sentence: Some("A side of the demo broke down.".to_owned()),
        }
    }
}

fn connect(config: &Arc<ClientConfig>, socket: TcpStream) -> Account {
    let socket = PatientSocket::new(socket, PATIENCE);
    let Ok(name) = ServerName::try_from(SERVER_NAME) else {
        return Account::broken();
    };
    match Stream::client(config, name, socket) {
        Ok(stream) => converse(stream, |stream| {
            stream.write_all(b"ping")?;
            stream.read_exact(&mut [0; 4])
        }),
        Err(_) => Account::broken(),
    }
}

fn serve(case: Case, config: &Arc<ServerConfig>, socket: TcpStream) -> Account {
    let stream = Stream::server(config, PatientSocket::new(socket, PATIENCE));
    converse(stream, |stream| {
        stream.read_exact(&mut [0; 4])?;
        let (connection, output) = stream.connection_and_output();
        match case.occasion {
            Occasion::Later => {
                connection.set_verify_mode(mode(case.mode))?;
                connection.request_peer_certificate(output)?;
                await_answer(stream)?;
            }
            Occasion::Again => {
                connection.renegotiate(output)?;
                await_answer(stream)?;
            }
            _ => {}
        }
        stream.write_all(b"pong")
    })
}

/// Waits until the client has said who it is.
fn await_answer(stream: &mut Stream<PatientSocket>) -> Result<(), StreamError> {
    loop {
        match stream.step()? {
            Progress::Completed(
                Completed::PostHandshakeAuthentication | Completed::Renegotiation,
            ) => return Ok(()),
            Progress::Data | Progress::PeerClosed => return Err(Error::Closed.into()),
            _ => {}
        }
    }
}

/// Handshake, a word in each direction, and the end.
fn converse(
    mut stream: Stream<PatientSocket>,
    talk: impl FnOnce(&mut Stream<PatientSocket>) -> std::io::Result<()>,
) -> Account {
    let ended = match stream.handshake() {
        Ok(()) => talk(&mut stream).map_err(StreamError::from),
        Err(error) => Err(error),
    };
    let account = account(stream.connection(), ended.as_ref().err());
    if ended.is_ok() {
        let _ = stream.close();
    }
    stream.into_parts().1.close_gently();
    account
}

fn account(connection: &Connection, error: Option<&StreamError>) -> Account {
    let rejection = match error {
        Some(StreamError::Tls(Error::PeerRejected { rejection, .. })) => Some(rejection),
        _ => None,
    };
    let (received, code) = match (rejection, connection.peer()) {
        (Some(rejection), _) => (rejection.chain.certificates().len(), Some(rejection.code)),
        // Then it was sent on an earlier connection.
        (None, Some(peer)) if peer.since() == Since::Resumption => (0, Some(peer.code())),
        (None, Some(peer)) => (peer.certificates().len(), Some(peer.code())),
        (None, None) => (0, None),
    };
    let alert = match error {
        Some(StreamError::Tls(Error::AlertReceived { alert, .. })) => Some(*alert),
        _ => None,
    };
    Account {
        requests: 0,
        anonymous: connection.is_anonymous(),
        resumed: connection.agreed().is_some_and(|agreed| agreed.resumed),
        received,
        result: code.map(|code| Checked {
            code: code.number(),
            name: code.name().to_owned(),
        }),
        established: error.is_none(),
        alert: alert.map(|alert| (alert.code(), alert.name())),
        sentence: error.map(|error| Trouble::from(error).sentence),
    }
}

fn judge(case: Case, client: &Account, server: &Account) -> Row {
    let (verifier, other) = match case.verifier {
        Role::Client => (client, server),
        Role::Server => (server, client),
    };
    let from = |role, heard: &Account| heard.alert.map(|(number, name)| (role, number, name));
    Row {
        case,
        requests: server.requests,
        anonymous: client.anonymous && server.anonymous,
        sent: verifier.received,
        resumed: client.resumed && server.resumed,
        alert: from(case.verifier, other).or_else(|| from(case.verifier.peer(), verifier)),
        result: verifier.result.clone(),
        established: client.established && server.established,
        sentence: verifier.sentence.clone().or_else(|| other.sentence.clone()),
    }
}
