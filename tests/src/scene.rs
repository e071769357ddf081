//! Handshakes of TLS 1.2 in which the other end does the wrong thing under the right keys: OpenSSL, or countersign where
//! OpenSSL would need more than its crate offers, with an interceptor that changes what it sends.

use core::cell::Cell;
use core::fmt;

use ::countersign::{
    ClientSessions, Completed, ConfigBuilder, MemoryStore, ProtocolVersion, TicketKeyring,
};
use ::openssl::ssl::SslOptions;

use crate::endpoint::{Endpoint, PlainLine, Side, run_until_idle};
use crate::intercept::{Interceptor, Outgoing};
use crate::peers::countersign::{Countersign, client_builder, server_builder};
use crate::peers::{ClientCertificate, KeyKind, Setup, Version, openssl};
use crate::wiretap::{Content, Piece};
use crate::wrong_peer::Outcome;

/// What kind of handshake it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are no others")]
pub enum Scene {
    /// Both ends prove themselves.
    Full,
    /// A session is resumed from its ticket.
    Ticket,
    /// A session is resumed from the server's store.
    SessionId,
    /// Nobody proves anything.
    Anonymous,
    /// Both ends prove themselves once more, as the victim has asked for.
    Renegotiation,
}

impl Scene {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Full,
        Self::Ticket,
        Self::SessionId,
        Self::Anonymous,
        Self::Renegotiation,
    ];

    /// Whether it begins a connection.
    pub fn is_first(self) -> bool {
        self != Self::Renegotiation
    }
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// Which versions the victim has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are no others")]
pub enum Versions {
    /// TLS 1.2.
    One,
    /// TLS 1.3 as well.
    Both,
}

/// A client and a server that ask each other for certificates.
pub fn setups() -> (Setup, Setup) {
    let client = Setup {
        version: Version::Tls12,
        ..Setup::client(KeyKind::EcdsaP256)
    };
    let server = Setup {
        version: Version::Tls12,
        client_certificate: ClientCertificate::Required,
        ..Setup::server(KeyKind::EcdsaP256)
    };
    (client, server)
}

/// Two ends in their scene.
struct Ends {
    victim: Countersign,
    other: Box<dyn Endpoint>,
}

impl Ends {
    fn new(scene: Scene, side: Side, versions: Versions, setups: &(Setup, Setup)) -> Self {
        let (client, server) = setups;
        match scene {
            Scene::Full | Scene::Renegotiation => Self::beside_openssl(side, versions, setups),
            Scene::Anonymous => {
                let client = of(
                    client_builder(client).allow_anonymous(),
                    side,
                    Side::Client,
                    versions,
                );
                let server = Setup {
                    client_certificate: ClientCertificate::NotAsked,
                    identity: None,
                    ..server.clone()
                };
                let server = of(
                    server_builder(&server).allow_anonymous(),
                    side,
                    Side::Server,
                    versions,
                );
                Self::ours(
                    side,
                    Countersign::client(&client.build().unwrap()),
                    Countersign::server(&server.build().unwrap()),
                )
            }
            Scene::Ticket | Scene::SessionId => resuming(scene, side, versions, setups),
        }
    }

    fn beside_openssl(side: Side, versions: Versions, (client, server): &(Setup, Setup)) -> Self {
        match side {
            Side::Client => {
                let config = of(client_builder(client), side, side, versions);
                let mut context = openssl::server_builder(server);
                // SSL_OP_ALLOW_CLIENT_RENEGOTIATION, for which the crate has no name.
                context.set_options(SslOptions::from_bits_retain(1 << 8));
                Self {
                    victim: Countersign::client(&config.build().unwrap()),
                    other: Box::new(openssl::OpenSsl::server(&context.build())),
                }
            }
            Side::Server => {
                let config = of(server_builder(server), side, side, versions);
                Self {
                    victim: Countersign::server(&config.build().unwrap()),
                    other: Box::new(openssl::client(client)),
                }
            }
        }
    }

    fn ours(side: Side, client: Countersign, server: Countersign) -> Self {
        let (victim, other) = match side {
            Side::Client => (client, server),
            Side::Server => (server, client),
        };
        Self {
            victim,
            other: Box::new(other),
        }
    }

    fn run(&mut self, side: Side, line: &mut Interceptor<'_>) {
        match side {
            Side::Client => run_until_idle(&mut self.victim, &mut *self.other, line),
            Side::Server => run_until_idle(&mut *self.other, &mut self.victim, line),
        }
    }
}

/// The versions of an end, which only the victim may have more of.
fn of<R>(
    builder: ConfigBuilder<R>,
    victim: Side,
    this: Side,
    versions: Versions,
) -> ConfigBuilder<R> {
    if victim == this && versions == Versions::Both {
        builder.versions([ProtocolVersion::Tls12, ProtocolVersion::Tls13])
    } else {
        builder
    }
}

/// Two ends that have met before.
fn resuming(scene: Scene, side: Side, versions: Versions, setups: &(Setup, Setup)) -> Ends {
    let (sessions, keyring) = (ClientSessions::default(), TicketKeyring::new());
    let client = client_builder(&setups.0).sessions(sessions.clone());
    let client = of(client, side, Side::Client, versions);
    let server = server_builder(&setups.1).ticket_keyring(keyring);
    let mut server = of(server, side, Side::Server, versions);
    if scene == Scene::SessionId {
        server = server.session_store(MemoryStore::new(10));
    }
    let (client, server) = (client.build().unwrap(), server.build().unwrap());
    let connect = || (Countersign::client(&client), Countersign::server(&server));
    let (mut from, mut to) = connect();
    run_until_idle(&mut from, &mut to, &mut PlainLine);
    assert_eq!(sessions.len(), 1);
    let (from, to) = connect();
    Ends::ours(side, from, to)
}

/// Plays a scene and changes what the other end sends in it. Afterwards the other end sends data.
pub fn converse(
    scene: Scene,
    victim: Side,
    instead: impl FnMut(&Piece) -> Vec<Outgoing>,
) -> Outcome {
    let setups = setups();
    listen(
        scene,
        (victim, Versions::One),
        &setups,
        unless_of(victim, instead),
    )
}

/// The same, with a victim that may have another version as well.
pub fn converse_as(
    scene: Scene,
    (victim, versions): (Side, Versions),
    instead: impl FnMut(&Piece) -> Vec<Outgoing>,
) -> Outcome {
    listen(
        scene,
        (victim, versions),
        &setups(),
        unless_of(victim, instead),
    )
}

/// Leaves alone what the victim sends.
fn unless_of(
    victim: Side,
    mut instead: impl FnMut(&Piece) -> Vec<Outgoing>,
) -> impl FnMut(&Piece) -> Vec<Outgoing> {
    move |piece| {
        if piece.from == victim {
            piece.unchanged()
        } else {
            instead(piece)
        }
    }
}

/// The same, with other setups, and with what the victim itself sends.
pub fn listen(
    scene: Scene,
    (side, versions): (Side, Versions),
    setups: &(Setup, Setup),
    mut instead: impl FnMut(&Piece) -> Vec<Outgoing>,
) -> Outcome {
    let mut ends = Ends::new(scene, side, versions, setups);
    let is_on = Cell::new(scene.is_first());
    let mut line = Interceptor::new(&setups.0.log, &setups.1.log, |piece| {
        if is_on.get() {
            instead(piece)
        } else {
            piece.unchanged()
        }
    });
    if !scene.is_first() {
        ends.run(side, &mut line);
        let (connection, output) = ends.victim.connection_and_output();
        connection.renegotiate(output).unwrap();
        is_on.set(true);
    }
    ends.run(side, &mut line);
    ends.other.write(b"data");
    ends.run(side, &mut line);
    let completions = ends.victim.completions();
    Outcome {
        alerts: line.alerts(side),
        error: ends.victim.error().cloned(),
        completed: match scene {
            Scene::Renegotiation => completions.contains(&Completed::Renegotiation),
            _ => !completions.is_empty(),
        },
        received: ends.victim.received().to_vec(),
    }
}

/// Whether it is a handshake message or a `change_cipher_spec`.
fn is_step(piece: &Piece) -> bool {
    matches!(
        piece.content,
        Content::Handshake(_) | Content::ChangeCipherSpec(_)
    )
}

/// The messages and `change_cipher_spec` that the other end sends in a scene, in order.
pub fn steps(scene: Scene, victim: Side) -> Vec<Piece> {
    let mut steps = Vec::new();
    converse(scene, victim, |piece| {
        steps.extend(Some(piece.clone()).filter(is_step));
        piece.unchanged()
    });
    steps
}

/// Plays a scene and changes only step number `at`.
pub fn change(
    scene: Scene,
    victim: Side,
    at: usize,
    mut instead: impl FnMut(&Piece) -> Vec<Outgoing>,
) -> Outcome {
    let mut count = 0;
    converse(scene, victim, |piece| {
        count += usize::from(is_step(piece));
        if is_step(piece) && count == at + 1 {
            instead(piece)
        } else {
            piece.unchanged()
        }
    })
}
