//! Resumption that is not what was offered. Hellos are not encrypted, so anybody can change them.

use ::countersign::{ClientSessions, TicketKeyring, Violation};
use countersign_tests::edit;
use countersign_tests::endpoint::{Endpoint as _, PlainLine, run_until_idle};
use countersign_tests::peers::countersign::{Countersign, client_builder, server_builder};
use countersign_tests::peers::{KeyKind, Setup};

use crate::PRE_SHARED_KEY;
use crate::blame::assert_violation;

/// Where the message begins in a record.
const MESSAGE: usize = 5;

pub(crate) fn provoke_all() {
    a_ticket_without_its_secret();
    what_a_server_must_not_resume();
}

/// A client with a session, and the server that it came from.
fn ends() -> (Countersign, Countersign) {
    let (sessions, keyring) = (ClientSessions::default(), TicketKeyring::new());
    let connect = || {
        let client = client_builder(&Setup::client(KeyKind::EcdsaP256)).sessions(sessions.clone());
        let server =
            server_builder(&Setup::server(KeyKind::EcdsaP256)).ticket_keyring(keyring.clone());
        (
            Countersign::client(&client.build().unwrap()),
            Countersign::server(&server.build().unwrap()),
        )
    };
    let (mut client, mut server) = connect();
    run_until_idle(&mut client, &mut server, &mut PlainLine);
    assert!(!sessions.is_empty());
    connect()
}

#[test]
fn a_ticket_without_its_secret() {
    let (mut client, mut server) = ends();
    let mut hello = client.exchange(&[]);
    // The binder is the last thing in it.
    *hello.last_mut().unwrap() ^= 1;
    server.exchange(&hello);
    assert_violation(server.error(), Violation::BadPskBinder, "another binder");
}

/// What the client says if the first message of the server is changed.
fn answered(change: impl FnOnce(&mut edit::Hello)) -> Countersign {
    let (mut client, mut server) = ends();
    let flight = server.exchange(&client.exchange(&[]));
    let length = usize::from(u16::from_be_bytes([flight[3], flight[4]]));
    let hello = edit::hello(&flight[MESSAGE..MESSAGE + length], change);
    let size = u16::try_from(hello.len()).unwrap().to_be_bytes();
    client.exchange(&[&[22, 3, 3][..], &size, &hello].concat());
    client
}

#[test]
fn what_a_server_must_not_resume() {
    let client = answered(|hello| {
        let chosen = hello
            .extensions
            .iter_mut()
            .find(|(kind, _)| *kind == PRE_SHARED_KEY);
        chosen.unwrap().1 = vec![0, 1];
    });
    assert_violation(client.error(), Violation::PskNotOffered, "the second key");
    let client = answered(|hello| {
        let suite = hello.front.len() - 2;
        // From SHA-384 to SHA-256, or the other way round.
        hello.front[suite] = if hello.front[suite] == 1 { 2 } else { 1 };
    });
    assert_violation(
        client.error(),
        Violation::PskSuiteMismatch,
        "a suite of another hash",
    );
}
