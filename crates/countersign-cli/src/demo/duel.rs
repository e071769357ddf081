//! One connection of the demo: two endpoints, a loopback socket, and what each of them saw.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use countersign::{
    ClientConfig, ConfigBuilder, Connection, Credential, Error, ExpectedName, PeerNames,
    ServerConfig, Stream, StreamError, TrustStore, VerifyMode,
};
use pki_types::ServerName;

use super::cases::{Case, Mode};
use super::report::{Checked, Row};
use crate::authority::{CLIENT_NAME, Condition, DEPTH, Role, SERVER_NAME, Specimens};
use crate::failure::{Exit, Failure};
use crate::observe::Trouble;
use crate::patient::PatientSocket;

/// How long one side may take for all of it.
const PATIENCE: Duration = Duration::from_secs(4);

/// Runs one case over a loopback socket.
pub(crate) fn fight(
    case: Case,
    specimens: &Specimens,
    listener: &TcpListener,
) -> Result<Row, Failure> {
    let (client, server) = configure(case, specimens)?;
    let no_socket = |error| {
        Failure::new(
            Exit::Connect,
            format!("No connection over 127.0.0.1: {error}."),
        )
    };
    // The system completes the connection before anybody accepts it.
    let address = listener.local_addr().map_err(no_socket)?;
    let client_end = TcpStream::connect(address).map_err(no_socket)?;
    let (server_end, _) = listener.accept().map_err(no_socket)?;
    let (client_saw, server_saw) = thread::scope(|scope| {
        let serving = scope.spawn(|| serve(&server, server_end));
        let client_saw = connect(&client, client_end);
        (
            client_saw,
            serving.join().unwrap_or_else(|_| Account::broken()),
        )
    });
    Ok(judge(case, &client_saw, &server_saw))
}

fn configure(
    case: Case,
    specimens: &Specimens,
) -> Result<(Arc<ClientConfig>, Arc<ServerConfig>), Failure> {
    let server_condition = match case.verifier {
        Role::Client => case.certificate,
        Role::Server => Some(Condition::Good),
    };
    let client_condition = match case.verifier {
        Role::Client => None,
        Role::Server => case.certificate,
    };
    let trust = TrustStore::from_der([specimens.root().clone()])
        .map_err(|error| Failure::new(Exit::Other, error.to_string()))?;
    let server_name = ExpectedName::Dns(CLIENT_NAME.to_owned());
    let mut client = ClientConfig::builder()
        .trust(trust.clone())
        .verify_depth(DEPTH);
    let mut server = ServerConfig::builder()
        .trust(trust)
        .verify_depth(DEPTH)
        .peer_names(PeerNames::OneOf(vec![server_name]));
    client = present(client, specimens, Role::Client, client_condition)?;
    server = present(server, specimens, Role::Server, server_condition)?;
    match case.verifier {
        Role::Client => client = client.verify(mode(case.mode)),
        Role::Server => server = server.verify(mode(case.mode)),
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
    }
}

/// What one side saw.
struct Account {
    /// A `CertificateRequest` was seen; only known if the handshake was completed.
    asked: bool,
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
            asked: false,
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

fn serve(config: &Arc<ServerConfig>, socket: TcpStream) -> Account {
    let stream = Stream::server(config, PatientSocket::new(socket, PATIENCE));
    converse(stream, |stream| {
        stream.read_exact(&mut [0; 4])?;
        stream.write_all(b"pong")
    })
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
        (None, Some(peer)) => (peer.certificates().len(), Some(peer.code())),
        (None, None) => (0, None),
    };
    let alert = match error {
        Some(StreamError::Tls(Error::AlertReceived { alert, .. })) => Some(*alert),
        _ => None,
    };
    Account {
        asked: connection
            .agreed()
            .is_some_and(|agreed| agreed.certificate_requested),
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
        asked: case.verifier == Role::Server && (client.asked || server.asked),
        sent: verifier.received,
        alert: from(case.verifier, other).or_else(|| from(case.verifier.peer(), verifier)),
        result: verifier.result.clone(),
        established: client.established && server.established,
        sentence: verifier.sentence.clone().or_else(|| other.sentence.clone()),
    }
}
