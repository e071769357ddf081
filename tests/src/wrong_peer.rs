//! A peer that does the wrong thing under the right keys: OpenSSL, with an interceptor that
//! changes what it sends, talks to countersign.

use ::countersign::Error;

use crate::endpoint::{Endpoint as _, Side, run_until_idle};
use crate::intercept::{Interceptor, Outgoing};
use crate::peers::{ClientCertificate, Group, KeyKind, Setup, countersign, openssl};
use crate::wiretap::{Content, Piece, Wiretap};

/// Both ends prove themselves, after a retry, so that every message there is occurs.
pub fn setups() -> (Setup, Setup) {
    let client = Setup {
        groups: vec![Group::Secp384r1, Group::X25519],
        ..Setup::client(KeyKind::EcdsaP256)
    };
    let server = Setup {
        groups: vec![Group::X25519],
        client_certificate: ClientCertificate::Required,
        ..Setup::server(KeyKind::EcdsaP256)
    };
    (client, server)
}

/// The messages that OpenSSL sends in this handshake, in order.
pub fn script(from: Side) -> Vec<Vec<u8>> {
    let (client, server) = setups();
    let mut tap = Wiretap::new(&server.log);
    let (mut client, mut server) = (openssl::client(&client), openssl::server(&server));
    run_until_idle(&mut client, &mut server, &mut tap);
    let sent = tap.pieces().iter().filter(|piece| piece.from == from);
    let messages = sent.filter_map(|piece| match &piece.content {
        Content::Handshake(message) if message[0] != 4 => Some(message.clone()),
        _ => None,
    });
    messages.collect()
}

/// What the victim did.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests look at it")]
pub struct Outcome {
    /// The alerts that it sent.
    pub alerts: Vec<u8>,
    /// What ended the connection.
    pub error: Option<Error>,
    /// Whether the handshake completed.
    pub completed: bool,
    /// The application data that arrived.
    pub received: Vec<u8>,
}

/// Lets OpenSSL talk to countersign and changes what OpenSSL sends. Afterwards OpenSSL
/// sends data.
pub fn converse(victim: Side, instead: impl FnMut(&Piece) -> Vec<Outgoing>) -> Outcome {
    converse_as(setups(), victim, instead)
}

/// The same, with other setups of client and server.
pub fn converse_as(
    (client_setup, server_setup): (Setup, Setup),
    victim: Side,
    mut instead: impl FnMut(&Piece) -> Vec<Outgoing>,
) -> Outcome {
    let mut line = Interceptor::new(&client_setup.log, &server_setup.log, |piece| {
        if piece.from == victim {
            piece.unchanged()
        } else {
            instead(piece)
        }
    });
    let mut end;
    match victim {
        Side::Server => {
            end = countersign::server(&server_setup);
            let mut other = openssl::client(&client_setup);
            other.write(b"data");
            run_until_idle(&mut other, &mut end, &mut line);
        }
        Side::Client => {
            end = countersign::client(&client_setup);
            let mut other = openssl::server(&server_setup);
            other.write(b"data");
            run_until_idle(&mut end, &mut other, &mut line);
        }
    }
    Outcome {
        alerts: line.alerts(victim),
        error: end.error().cloned(),
        completed: end.completed(),
        received: end.received().to_vec(),
    }
}

/// The same, where only the handshake message number `at` is changed.
pub fn change(
    victim: Side,
    at: usize,
    mut instead: impl FnMut(&Piece) -> Vec<Outgoing>,
) -> Outcome {
    let mut count = 0;
    converse(victim, |piece| {
        count += usize::from(piece.message_type().is_some());
        if piece.message_type().is_some() && count == at + 1 {
            instead(piece)
        } else {
            piece.unchanged()
        }
    })
}

/// The same, where only the data after the handshake is changed.
pub fn after(victim: Side, mut instead: impl FnMut(&Piece) -> Vec<Outgoing>) -> Outcome {
    converse(victim, |piece| match piece.content {
        Content::Data(_) => instead(piece),
        _ => piece.unchanged(),
    })
}

impl Outcome {
    /// What is wrong with it, if anything.
    pub fn complaint(&self, expected: u8) -> Option<String> {
        let blamed = match &self.error {
            Some(Error::PeerViolated { alert, .. }) => Some(alert.code()),
            _ => None,
        };
        let as_expected = self.alerts == [expected] && blamed == Some(expected) && !self.completed;
        (!as_expected).then(|| {
            let (alerts, error) = (&self.alerts, &self.error);
            format!("expected {expected}, sent {alerts:?}, because of {error:?}")
        })
    }
}

/// Both ends, as victims.
pub const VICTIMS: [Side; 2] = [Side::Client, Side::Server];

/// The handshake message that a piece is.
pub fn bytes(piece: &Piece) -> &[u8] {
    match &piece.content {
        Content::Handshake(message) => message,
        _ => &[],
    }
}

/// A handshake message of this type.
pub fn message(message_type: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[message_type], &length[1..], body].concat()
}
