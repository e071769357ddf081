//! The known attacks on TLS 1.2 and on renegotiation, each with the sentence that says how it ends. What is not here is
//! a wrong message (`wrong_messages12.rs`) or a wrong value (`wrong_values/tls12.rs`).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a broken assumption must stop the test"
)]

use ::countersign::{
    Alert, ClientSessions, Error, MemoryStore, Misuse, ProtocolVersion, TicketKeyring, Violation,
};
use ::openssl::ssl::SslOptions;
use countersign_tests::edit::{self, Extensions};
use countersign_tests::endpoint::{Endpoint, PlainLine, Side, is_alive, run_until_idle};
use countersign_tests::intercept::{Interceptor, Outgoing};
use countersign_tests::peers::countersign::{Countersign, client_builder, server_builder};
use countersign_tests::peers::{Identity, KeyKind, Setup, Version, openssl};
use countersign_tests::scene::{Scene, converse, setups, steps};
use countersign_tests::wiretap::{Content, Piece, Wiretap};
use countersign_tests::wrong_peer::{Outcome, bytes, message};

const BAD_RECORD_MAC: u8 = 20;
const PROTOCOL_VERSION: u8 = 70;
const NO_RENEGOTIATION: u8 = 100;

const SESSION_TICKET: u16 = 35;
const PRE_SHARED_KEY: u16 = 41;
const SUPPORTED_VERSIONS: u16 = 43;

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const NEW_SESSION_TICKET: u8 = 4;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;

fn violation(error: Option<&Error>) -> Option<Violation> {
    match error? {
        Error::PeerViolated { violation, .. } => Some(*violation),
        _ => None,
    }
}

/// Makes another message of one.
type Edit<'e> = dyn Fn(&[u8]) -> Vec<u8> + 'e;

/// Changes the messages of one type.
fn changed(scene: Scene, victim: Side, kind: u8, edit: impl Fn(&[u8]) -> Vec<u8>) -> Outcome {
    converse(scene, victim, |piece| {
        if piece.message_type() == Some(kind) {
            vec![Outgoing::handshake(piece.epoch, edit(bytes(piece)))]
        } else {
            piece.unchanged()
        }
    })
}

/// The bytes of the first message of that type.
fn first_of(scene: Scene, victim: Side, kind: u8) -> Vec<u8> {
    let steps = steps(scene, victim);
    let found = steps
        .iter()
        .find(|piece| piece.message_type() == Some(kind));
    bytes(found.unwrap()).to_vec()
}

/// 2009: an attacker begins a connection and lets his victim's whole handshake go on in it, as if it were a renegotiation.
#[test]
fn a_prefix_cannot_be_put_before_a_victims_handshake() {
    let fresh = first_of(Scene::Full, Side::Server, CLIENT_HELLO);
    let outcome = changed(Scene::Renegotiation, Side::Server, CLIENT_HELLO, |_| {
        fresh.clone()
    });
    let error = outcome.error.as_ref();
    assert_eq!(
        violation(error),
        Some(Violation::RenegotiationMismatch),
        "{error:?}"
    );
    assert!(!outcome.completed);
    // And seen from the victim, whose first answer says that it is not the first.
    let again = first_of(Scene::Renegotiation, Side::Client, SERVER_HELLO);
    let outcome = changed(Scene::Full, Side::Client, SERVER_HELLO, |_| again.clone());
    let error = outcome.error.as_ref();
    assert_eq!(
        violation(error),
        Some(Violation::RenegotiationMismatch),
        "{error:?}"
    );
}

/// `SSL_OP_NO_EXTENDED_MASTER_SECRET`, for which the crate has no name.
const NO_EXTENDED_MASTER_SECRET: SslOptions = SslOptions::from_bits_retain(1);

/// 2014, the triple handshake: without the extended master secret two connections can have the same one.
#[test]
fn without_the_extended_master_secret_a_server_neither_renegotiates_nor_resumes_nor_exports() {
    let (client, server) = setups();
    let mut context = openssl::client_builder(&client);
    context.set_options(NO_EXTENDED_MASTER_SECRET);
    let mut from = openssl::OpenSsl::client(&context.build());
    let mut to = Countersign::server(&server_builder(&server).build().unwrap());
    let mut tap = Wiretap::new(&client.log);
    run_until_idle(&mut from, &mut to, &mut tap);
    assert!(is_alive(&mut from, &mut to, &mut tap));
    assert!(tap.messages(Side::Server, NEW_SESSION_TICKET).is_empty());
    // An empty session id: nothing to come back with.
    assert_eq!(
        tap.messages(Side::Server, SERVER_HELLO)[0][4 + edit::SESSION_ID],
        0
    );
    assert_unsafe(&mut to);
}

#[test]
fn without_the_extended_master_secret_a_client_neither_renegotiates_nor_resumes_nor_exports() {
    let (client, server) = setups();
    let sessions = ClientSessions::default();
    let config = client_builder(&client).sessions(sessions.clone());
    let mut from = Countersign::client(&config.build().unwrap());
    let mut context = openssl::server_builder(&server);
    context.set_options(NO_EXTENDED_MASTER_SECRET);
    let mut to = openssl::OpenSsl::server(&context.build());
    let mut tap = Wiretap::new(&server.log);
    run_until_idle(&mut from, &mut to, &mut tap);
    assert!(is_alive(&mut from, &mut to, &mut tap));
    assert!(sessions.is_empty());
    assert_unsafe(&mut from);
}

/// Asked by its owner or by its peer, it does nothing that needs keys of this connection alone.
fn assert_unsafe(end: &mut Countersign) {
    let (connection, output) = end.connection_and_output();
    assert!(!connection.agreed().unwrap().extended_master_secret);
    let refused = connection.renegotiate(output);
    let misuse = |error| matches!(error, Err(Error::Misuse(Misuse::CannotRenegotiateSafely)));
    assert!(misuse(refused));
    let mut secret = [0; 32];
    let exported = connection.export_keying_material(b"label", None, &mut secret);
    let refused = Misuse::ExportWithoutExtendedMasterSecret;
    assert!(matches!(exported, Err(Error::Misuse(misuse)) if misuse == refused));
}

/// Nor if the peer asks: it is told no, and the connection lives.
#[test]
fn without_the_extended_master_secret_a_request_to_renegotiate_is_refused() {
    let (client, server) = setups();
    let mut from = Countersign::client(&client_builder(&client).build().unwrap());
    let mut context = openssl::server_builder(&server);
    context.set_options(NO_EXTENDED_MASTER_SECRET);
    let mut to = openssl::OpenSsl::server(&context.build());
    let mut line = Interceptor::new(&client.log, &server.log, |piece| {
        // OpenSSL would end the connection for that, although it did not ask.
        if matches!(piece.content, Content::Alert(..)) {
            return Vec::new();
        }
        let mut records = piece.unchanged();
        if piece.from == Side::Server && matches!(piece.content, Content::Data(_)) {
            records.insert(0, Outgoing::handshake(piece.epoch, message(0, &[])));
        }
        records
    });
    run_until_idle(&mut from, &mut to, &mut line);
    to.write(b"data");
    run_until_idle(&mut from, &mut to, &mut line);
    assert_eq!(line.alerts(Side::Client), [NO_RENEGOTIATION]);
    assert!(from.is_fine() && from.received() == b"data");
}

/// A ServerKeyExchange is worth something only under the server's key and for the random values of this connection.
#[test]
fn a_key_exchange_that_is_somebody_elses_is_refused() {
    let other = first_of(Scene::Full, Side::Client, SERVER_KEY_EXCHANGE);
    let replayed = |_: &[u8]| other.clone();
    let unsigned = |whole: &[u8]| {
        let point = 4 + usize::from(whole[7]);
        message(SERVER_KEY_EXCHANGE, &whole[4..4 + point])
    };
    let nothing_signed = |whole: &[u8]| {
        let point = 4 + usize::from(whole[7]);
        message(
            SERVER_KEY_EXCHANGE,
            &[&whole[4..6 + point], &[0, 0]].concat(),
        )
    };
    let anonymous = first_of(Scene::Anonymous, Side::Client, SERVER_KEY_EXCHANGE);
    let cases: [(&str, &Edit<'_>, u8); 4] = [
        ("of another connection", &replayed, 51),
        ("unsigned", &unsigned, 50),
        ("with an empty signature", &nothing_signed, 51),
        ("anonymous", &|_| anonymous.clone(), 47),
    ];
    for (what, change, alert) in cases {
        let outcome = changed(Scene::Full, Side::Client, SERVER_KEY_EXCHANGE, change);
        assert_eq!(outcome.complaint(alert), None, "{what}");
    }
    // By who has another certificate of the same authority and for the same name.
    let stolen = Identity::server(KeyKind::EcdsaP384);
    let three = |length: usize| u32::try_from(length).unwrap().to_be_bytes()[1..].to_vec();
    let list = [three(stolen.leaf.len()), stolen.leaf.clone()].concat();
    let certificate = message(CERTIFICATE, &[three(list.len()), list].concat());
    let outcome = changed(Scene::Full, Side::Client, CERTIFICATE, |_| {
        certificate.clone()
    });
    let error = outcome.error.as_ref();
    assert_eq!(
        violation(error),
        Some(Violation::BadHandshakeSignature),
        "{error:?}"
    );
}

/// Logjam and its like: a group that is small, or that nobody knows, is no group.
#[test]
fn groups_that_are_small_or_unknown_are_refused() {
    let exchange = first_of(Scene::Anonymous, Side::Client, SERVER_KEY_EXCHANGE);
    let prime = exchange[6..6 + 256].to_vec();
    let two = |length: usize| u16::try_from(length).unwrap().to_be_bytes().to_vec();
    let with = |prime: &[u8], generator: &[u8]| {
        let parts = [prime, generator, &[3; 64][..]];
        let body = parts.map(|part| [two(part.len()), part.to_vec()].concat());
        message(SERVER_KEY_EXCHANGE, &body.concat())
    };
    let mut changed_prime = prime.clone();
    changed_prime[100] ^= 1;
    let cases = [
        ("512 bits", with(&prime[..64], &[2])),
        ("1024 bits", with(&prime[..128], &[2])),
        ("another prime", with(&changed_prime, &[2])),
        ("another generator", with(&prime, &[5])),
        ("the generator 1", with(&prime, &[1])),
        (
            "an even number",
            with(&[&prime[..255], &[0xfe]].concat(), &[2]),
        ),
        ("too many bits", with(&vec![0xff; 1 << 13], &[2])),
    ];
    for (what, exchange) in cases {
        let outcome = changed(Scene::Anonymous, Side::Client, SERVER_KEY_EXCHANGE, |_| {
            exchange.clone()
        });
        let alert = outcome.error.as_ref().and_then(Error::alert);
        let expected = [
            Alert::InsufficientSecurity,
            Alert::HandshakeFailure,
            Alert::IllegalParameter,
        ];
        assert!(
            alert.is_some_and(|alert| expected.contains(&alert)),
            "{what}: {outcome:?}"
        );
        assert!(!outcome.completed && outcome.alerts.len() == 1, "{what}");
    }
}

/// A renegotiation keeps the version: no client is answered in one that it does not offer.
#[test]
fn a_renegotiation_is_no_way_to_another_version() {
    let older = |whole: &[u8]| edit::hello(whole, |hello| hello.front[1] = 2);
    let newer = |whole: &[u8]| {
        edit::hello(whole, |hello| {
            hello
                .extensions
                .retain(|(kind, _)| *kind != SUPPORTED_VERSIONS);
            hello.extensions.push((SUPPORTED_VERSIONS, vec![2, 3, 4]));
        })
    };
    let cases: [(&str, &Edit<'_>); 2] = [("TLS 1.1", &older), ("TLS 1.3", &newer)];
    for (what, change) in cases {
        let outcome = changed(Scene::Renegotiation, Side::Server, CLIENT_HELLO, change);
        assert_eq!(outcome.alerts, [PROTOCOL_VERSION], "{what}: {outcome:?}");
        assert!(!outcome.completed, "{what}");
    }
    let selected = |whole: &[u8]| {
        edit::hello(whole, |hello| {
            hello.extensions.push((SUPPORTED_VERSIONS, vec![3, 4]));
        })
    };
    let answers: [&Edit<'_>; 2] = [&older, &selected];
    for change in answers {
        let outcome = changed(Scene::Renegotiation, Side::Client, SERVER_HELLO, change);
        assert!(!outcome.completed && outcome.error.is_some(), "{outcome:?}");
        assert_eq!(outcome.alerts.len(), 1, "{outcome:?}");
    }
}

/// A server with this keyring, and what it sends for this ClientHello.
fn answer(keyring: &TicketKeyring, hello: &[u8]) -> Vec<u8> {
    let (_, server) = setups();
    let config = server_builder(&server)
        .versions([ProtocolVersion::Tls12, ProtocolVersion::Tls13])
        .ticket_keyring(keyring.clone());
    let mut end = Countersign::server(&config.build().unwrap());
    let length = u16::try_from(hello.len()).unwrap().to_be_bytes();
    let flight = end.exchange(&[&[22, 3, 1][..], &length, hello].concat());
    assert!(end.error().is_none(), "{:?}", end.error());
    flight
}

/// The ticket that a server with this keyring gives in this version, and the ClientHello of another connection.
fn ticket(version: Version, keyring: &TicketKeyring) -> (Vec<u8>, Vec<u8>) {
    let (client, server) = setups();
    let (client, server) = (Setup { version, ..client }, Setup { version, ..server });
    let mut tap = Wiretap::new(&server.log);
    let config = client_builder(&client).build().unwrap();
    let mut from = Countersign::client(&config);
    let accepting = server_builder(&server).ticket_keyring(keyring.clone());
    let mut to = Countersign::server(&accepting.build().unwrap());
    run_until_idle(&mut from, &mut to, &mut tap);
    let tickets = tap.messages(Side::Server, NEW_SESSION_TICKET);
    let ticket = match version {
        Version::Tls12 => tickets[0][10..].to_vec(),
        Version::Tls13 => {
            let after_nonce = 13 + usize::from(tickets[0][12]);
            let length = usize::from(u16::from_be_bytes([
                tickets[0][after_nonce],
                tickets[0][after_nonce + 1],
            ]));
            tickets[0][after_nonce + 2..][..length].to_vec()
        }
    };
    (ticket, tap.messages(Side::Client, CLIENT_HELLO)[0].to_vec())
}

fn put(list: &mut Extensions, kind: u16, content: Vec<u8>) {
    list.retain(|(own, _)| *own != kind);
    list.push((kind, content));
}

/// The ServerHello in a flight.
fn server_hello(flight: &[u8]) -> &[u8] {
    let length = usize::from(u16::from_be_bytes([flight[3], flight[4]]));
    &flight[5..5 + length]
}

#[test]
fn a_ticket_of_one_version_is_nothing_in_the_other() {
    let keyring = TicketKeyring::new();
    // Of TLS 1.3, where a ClientHello of TLS 1.2 has its ticket, beside the suite of the session.
    let (of_13, _) = ticket(Version::Tls13, &keyring);
    let (of_12, hello_12) = ticket(Version::Tls12, &keyring);
    let with_suites = |hello: &mut edit::Hello| {
        // In place of the first three, of which there are more.
        for (at, number) in (edit::SESSION_ID + 3..)
            .step_by(2)
            .zip([0x1301_u16, 0x1302, 0x1303])
        {
            hello.front[at..at + 2].copy_from_slice(&number.to_be_bytes());
        }
    };
    let hello = edit::hello(&hello_12, |hello| {
        assert_eq!(hello.front[edit::SESSION_ID], 0);
        with_suites(hello);
        put(&mut hello.extensions, SESSION_TICKET, of_13.clone());
    });
    let flight = answer(&keyring, &hello);
    assert!(sends(&flight, CERTIFICATE), "it resumes: {flight:?}");
    // Of its own version it is taken.
    let hello = edit::hello(&hello_12, |hello| {
        put(&mut hello.extensions, SESSION_TICKET, of_12.clone());
    });
    assert!(!sends(&answer(&keyring, &hello), CERTIFICATE));

    // Of TLS 1.2, where a ClientHello of TLS 1.3 has its key: the binder is not even looked at.
    let (_, hello_13) = ticket(Version::Tls13, &keyring);
    let hello = edit::hello(&hello_13, |hello| {
        let two = |length: usize| u16::try_from(length).unwrap().to_be_bytes();
        let identity = [&two(of_12.len())[..], &of_12, &[0; 4]].concat();
        let binder = [&[0, 33, 32][..], &[7; 32]].concat();
        let keys = [&two(identity.len())[..], &identity, &binder].concat();
        put(&mut hello.extensions, PRE_SHARED_KEY, keys);
    });
    let flight = answer(&keyring, &hello);
    edit::hello(server_hello(&flight), |hello| {
        let kinds: Vec<u16> = hello.extensions.iter().map(|(kind, _)| *kind).collect();
        assert!(
            kinds.contains(&SUPPORTED_VERSIONS) && !kinds.contains(&PRE_SHARED_KEY),
            "{kinds:?}"
        );
    });
}

/// Whether a flight of TLS 1.2 has a message of that type, in its first record.
fn sends(flight: &[u8], kind: u8) -> bool {
    let mut rest = server_hello(flight);
    while let [own, high, middle, low, body @ ..] = rest {
        if *own == kind {
            return true;
        }
        let length = u32::from_be_bytes([0, *high, *middle, *low]);
        rest = &body[usize::try_from(length).unwrap()..];
    }
    false
}

/// A session of one name is worth nothing under another, where other clients may be welcome.
#[test]
fn a_session_is_not_resumed_under_another_name() {
    for scene in [Scene::Ticket, Scene::SessionId] {
        let outcome = changed(scene, Side::Server, CLIENT_HELLO, |whole| {
            edit::hello(whole, |hello| {
                let name = hello.extensions.iter_mut().find(|(kind, _)| *kind == 0);
                *name.unwrap().1.last_mut().unwrap() ^= 1;
            })
        });
        // It went on with a full handshake, in which the client signed another ClientHello.
        let error = outcome.error.as_ref();
        assert_eq!(
            violation(error),
            Some(Violation::BadHandshakeSignature),
            "{scene}: {error:?}"
        );
    }
}

/// A session in a store is used by one connection at a time, and by none after one that failed with it (RFC 5246 §7.2.2).
#[test]
fn a_session_in_use_is_not_there_for_anybody_else() {
    let (client, server) = setups();
    let client = client_builder(&client).build().unwrap();
    let server = server_builder(&server).session_store(MemoryStore::new(10));
    let server = server.build().unwrap();
    let hello = || {
        let mut from = Countersign::client(&client);
        run_until_idle(&mut from, &mut Countersign::server(&server), &mut PlainLine);
        assert!(from.is_fine());
        let mut again = Countersign::client(&client);
        let hello = again.exchange(&[]);
        (again, hello)
    };
    let resumes = |flight: &[u8]| !sends(flight, CERTIFICATE);
    // While one resumes it, another does not.
    let (mut from, offered) = hello();
    let mut to = Countersign::server(&server);
    let flight = to.exchange(&offered);
    assert!(resumes(&flight));
    assert!(!resumes(&Countersign::server(&server).exchange(&offered)));
    // Once it is done, it is there again.
    to.exchange(&from.exchange(&flight));
    assert!(from.is_fine() && to.is_fine());
    assert!(resumes(&Countersign::server(&server).exchange(&offered)));
    // It failed, so it is not.
    let (_, offered) = hello();
    let mut to = Countersign::server(&server);
    assert!(resumes(&to.exchange(&offered)));
    to.exchange(&[21, 3, 3, 0, 2, 2, 40]);
    assert!(to.error().is_some());
    assert!(!resumes(&Countersign::server(&server).exchange(&offered)));
}

/// Two ends that are connected in TLS 1.2.
fn connected() -> (Countersign, Countersign) {
    let (client, server) = setups();
    let mut from = Countersign::client(&client_builder(&client).build().unwrap());
    let mut to = Countersign::server(&server_builder(&server).build().unwrap());
    run_until_idle(&mut from, &mut to, &mut PlainLine);
    assert!(is_alive(&mut from, &mut to, &mut PlainLine));
    (from, to)
}

/// Some records of data, one by one.
fn records(from: &mut Countersign) -> Vec<Vec<u8>> {
    let send = |text: &[u8]| {
        from.write(text);
        from.exchange(&[])
    };
    [&b"one"[..], b"two", b"three"].map(send).to_vec()
}

#[test]
fn records_cannot_be_replayed_reordered_dropped_or_cut() {
    type Order = fn(&[Vec<u8>]) -> Vec<Vec<u8>>;
    let cases: [(&str, Order, &[u8]); 4] = [
        ("replayed", |r| vec![r[0].clone(), r[0].clone()], b"cone"),
        ("reordered", |r| vec![r[1].clone(), r[0].clone()], b"c"),
        ("dropped", |r| vec![r[0].clone(), r[2].clone()], b"cone"),
        ("cut", |r| vec![shorter(&r[0])], b"c"),
    ];
    for (what, order, received) in cases {
        let (mut from, mut to) = connected();
        let sent = order(&records(&mut from)).concat();
        to.exchange(&sent);
        let alert = to.error().and_then(Error::alert).map(Alert::code);
        assert_eq!(alert, Some(BAD_RECORD_MAC), "{what}");
        assert_eq!(to.received(), received, "{what}");
    }
}

/// A record without its last byte, as its header says.
fn shorter(record: &[u8]) -> Vec<u8> {
    let mut shorter = record[..record.len() - 1].to_vec();
    shorter[4] -= 1;
    shorter
}

/// Each handshake has its keys, and the numbers of records begin anew: what was sent before it is worth nothing after it.
#[test]
fn a_record_from_before_a_renegotiation_is_nothing_after_it() {
    let (mut from, mut to) = connected();
    let old = records(&mut from);
    to.exchange(&old.concat());
    let (connection, output) = to.connection_and_output();
    connection.renegotiate(output).unwrap();
    run_until_idle(&mut from, &mut to, &mut PlainLine);
    assert!(is_alive(&mut from, &mut to, &mut PlainLine));
    let before = to.received().to_vec();
    to.exchange(&old[0]);
    let alert = to.error().and_then(Error::alert).map(Alert::code);
    assert_eq!(alert, Some(BAD_RECORD_MAC));
    assert_eq!(to.received(), before);
}

/// What follows the `change_cipher_spec` of a renegotiation is under the new keys.
#[test]
fn the_keys_of_before_are_nothing_after_the_change_cipher_spec() {
    for victim in [Side::Client, Side::Server] {
        let mut old = None;
        let outcome = converse(Scene::Renegotiation, victim, |piece: &Piece| {
            if let Content::ChangeCipherSpec(_) = piece.content {
                old = Some(piece.epoch);
            }
            match (old, &piece.content) {
                (Some(epoch), Content::Handshake(finished)) => {
                    vec![Outgoing::handshake(epoch, finished.clone())]
                }
                _ => piece.unchanged(),
            }
        });
        assert_eq!(outcome.complaint(BAD_RECORD_MAC), None, "victim {victim}");
    }
}
