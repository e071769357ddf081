//! TLS 1.2: countersign with itself, rustls and OpenSSL at the other end, in both roles.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a broken assumption must stop the test"
)]

use std::sync::Arc;

use ::countersign::{
    ClientConfig, ClientSessions, MemoryStore, ProtocolVersion, ServerConfig, TicketKeyring,
};
use ::openssl::ssl::{SslContext, SslOptions, SslSessionCacheMode};
use ::rustls::HandshakeKind;
use ::rustls::client::{Resumption, Tls12Resumption};
use countersign_tests::edit;
use countersign_tests::endpoint::{Endpoint, Side, is_alive, run_until_idle};
use countersign_tests::intercept::Outgoing;
use countersign_tests::peers::countersign::{Countersign, client_builder, server_builder};
use countersign_tests::peers::openssl::OpenSsl;
use countersign_tests::peers::rustls::Rustls;
use countersign_tests::peers::{
    self, CLIENTS, ClientCertificate, Group, KeyKind, SERVERS, Scheme, Setup, Tls12Suite, Version,
};
use countersign_tests::scene::{self, Scene, Versions, listen};
use countersign_tests::wiretap::{Content, Wiretap};

const KIND: KeyKind = KeyKind::EcdsaP256;

const CLIENT_HELLO: u8 = 1;
const SERVER_KEY_EXCHANGE: u8 = 12;
const SUPPORTED_GROUPS: u16 = 10;

/// How a ServerKeyExchange begins: a named curve, and which.
const X25519: [u8; 3] = [3, 0, 29];
const P_256: [u8; 3] = [3, 0, 23];

/// Those of the groups that TLS 1.2 has.
const GROUPS: [Group; 3] = [Group::X25519, Group::Secp256r1, Group::Secp384r1];

/// Kinds of keys that everybody can show and verify; RSA-PSS keys are unknown to rustls.
const KINDS: [KeyKind; 5] = [
    KeyKind::EcdsaP256,
    KeyKind::EcdsaP384,
    KeyKind::Ed25519,
    KeyKind::Rsa,
    KeyKind::RsaPss,
];

fn client() -> Setup {
    Setup {
        version: Version::Tls12,
        ..Setup::default()
    }
}

fn client_with(kind: KeyKind) -> Setup {
    Setup {
        version: Version::Tls12,
        ..Setup::client(kind)
    }
}

fn server_with(kind: KeyKind) -> Setup {
    Setup {
        version: Version::Tls12,
        ..Setup::server(kind)
    }
}

/// Lets every client talk to every server but those left out; both must come out fine and alive.
fn everybody_but(without: &[&str], client: &Setup, server: &Setup, check: impl Fn(&Wiretap, &str)) {
    let takes_part = |name: &str| !without.contains(&name);
    for (client_name, make_client) in CLIENTS.into_iter().filter(|(name, _)| takes_part(name)) {
        for (server_name, make_server) in SERVERS.into_iter().filter(|(name, _)| takes_part(name)) {
            let mut tap = Wiretap::new(&server.log);
            let name = format!("{client_name} to {server_name}");
            let (mut from, mut to) = (make_client(client), make_server(server));
            run_until_idle(&mut *from, &mut *to, &mut tap);
            let failures = (from.failure(), to.failure());
            assert_eq!(failures, (None, None), "{name}: {}", tap.wire());
            assert!(is_alive(&mut *from, &mut *to, &mut tap), "{name}");
            check(&tap, &name);
        }
    }
}

fn everybody(client: &Setup, server: &Setup, check: impl Fn(&Wiretap, &str)) {
    everybody_but(&[], client, server, check);
}

/// The number of the suite that the server chose.
fn suite(tap: &Wiretap) -> u16 {
    let hello = tap.messages(Side::Server, 2)[0];
    let session_id = usize::from(hello[38]);
    u16::from_be_bytes([hello[39 + session_id], hello[40 + session_id]])
}

/// The group and the scheme of a ServerKeyExchange (RFC 8422 §5.4).
fn key_exchange(tap: &Wiretap) -> (u16, u16) {
    let message = tap.messages(Side::Server, 12)[0];
    let point = usize::from(message[7]);
    let number = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
    (number(5), number(8 + point))
}

#[test]
fn every_suite_with_every_group() {
    for suite12 in Tls12Suite::ALL {
        for group in GROUPS {
            // The curve of the certificate's key has to be among the groups too (RFC 8422 §5.1).
            let server = Setup {
                tls12_suite: Some(suite12),
                groups: vec![group, Group::Secp256r1],
                ..server_with(suite12.key_kind)
            };
            let client = Setup {
                groups: vec![group, Group::Secp256r1],
                ..client()
            };
            everybody(&client, &server, |tap, name| {
                let agreed = (suite(tap), key_exchange(tap).0);
                assert_eq!(agreed, (suite12.number, group.number()), "{name}");
                assert!(tap.wire().starts_with("c1 s2 s11 s12 s14 c16"), "{name}");
            });
        }
    }
}

#[test]
fn every_signature_scheme_of_both_ends() {
    let schemes = Scheme::ALL.into_iter().chain(Scheme::TLS12_ONLY);
    for scheme in schemes.filter(|scheme| KINDS.contains(&scheme.key_kind())) {
        let client = Setup {
            peer_scheme: Some(scheme),
            ..client_with(scheme.key_kind())
        };
        let server = Setup {
            peer_scheme: Some(scheme),
            client_certificate: ClientCertificate::Required,
            ..server_with(scheme.key_kind())
        };
        everybody_but(lacking(scheme.key_kind()), &client, &server, |tap, name| {
            let by_server = key_exchange(tap).1;
            assert_eq!(by_server, scheme.number(), "{name} {scheme:?}");
            let by_client = tap.signature_scheme(Side::Client);
            assert_eq!(by_client, Some(scheme.number()), "{name} {scheme:?}");
            let wire = "c1 s2 s11 s12 s13 s14 c11 c16 c15";
            assert!(tap.wire().starts_with(wire), "{name}: {}", tap.wire());
        });
    }
}

/// Who cannot use that kind of key.
fn lacking(kind: KeyKind) -> &'static [&'static str] {
    match kind {
        // rustls knows no keys that are for RSA-PSS only.
        KeyKind::RsaPss => &["rustls"],
        _ => &[],
    }
}

#[test]
fn every_pair_of_key_kinds() {
    for server_kind in KINDS {
        for client_kind in KINDS {
            let server = Setup {
                client_certificate: ClientCertificate::Required,
                ..server_with(server_kind)
            };
            let client = client_with(client_kind);
            let without: &[&str] = match (server_kind, client_kind) {
                (KeyKind::RsaPss, _) | (_, KeyKind::RsaPss) => &["rustls"],
                _ => &[],
            };
            everybody_but(without, &client, &server, |_, _| {});
        }
    }
}

/// RFC 8422 §5.1.1: the groups that a client names are also the curves of the keys that it can verify. OpenSSL holds a
/// client's own key to that, too. P-521 is none of our groups, nor one of rustls'.
#[test]
fn keys_on_a_curve_that_the_client_does_not_name_do_not_work() {
    const KIND: KeyKind = KeyKind::EcdsaP521;
    let demanding = Setup {
        client_certificate: ClientCertificate::Required,
        ..server_with(KIND)
    };
    let mut from = peers::openssl::client(&client_with(KIND));
    let mut to = peers::countersign::server(&demanding);
    let mut tap = Wiretap::new(&demanding.log);
    run_until_idle(&mut from, &mut to, &mut tap);
    assert!(is_alive(&mut from, &mut to, &mut tap), "{}", tap.wire());

    let mut from = peers::countersign::client(&client());
    let mut to = peers::countersign::server(&server_with(KIND));
    run_until_idle(&mut from, &mut to, &mut Wiretap::new(&demanding.log));
    let told = to.error().unwrap().to_string();
    let both = "no key exchange group in common: this side offers the curve of its key for ecdsa_secp521r1_sha512";
    assert!(told.contains(both), "{told}");
}

/// RFC 8422 §4 leaves the choice to the server then.
#[test]
fn a_client_that_names_no_groups_gets_p_256() {
    for (names_groups, expected) in [(true, X25519), (false, P_256)] {
        let mut chosen = None;
        let victim = (Side::Server, Versions::One);
        listen(Scene::Full, victim, &scene::setups(), |piece| {
            match (piece.message_type(), &piece.content) {
                (Some(SERVER_KEY_EXCHANGE), Content::Handshake(message)) => {
                    chosen = message.get(4..7).map(<[u8]>::to_vec);
                }
                (Some(CLIENT_HELLO), Content::Handshake(message)) if !names_groups => {
                    let without = edit::hello(message, |hello| {
                        hello
                            .extensions
                            .retain(|(kind, _)| *kind != SUPPORTED_GROUPS);
                    });
                    return vec![Outgoing::handshake(piece.epoch, without)];
                }
                _ => {}
            }
            piece.unchanged()
        });
        assert_eq!(chosen.as_deref(), Some(&expected[..]), "{names_groups}");
    }
}

#[test]
fn client_certificates_are_optional_or_required() {
    let demand = |client_certificate| Setup {
        client_certificate,
        ..server_with(KIND)
    };
    everybody(
        &client(),
        &demand(ClientCertificate::Optional),
        |tap, name| {
            let answer = tap.messages(Side::Client, 11);
            assert_eq!(answer, [[11, 0, 0, 3, 0, 0, 0]], "{name}");
        },
    );
    let server = demand(ClientCertificate::Required);
    for (server_name, make_server) in SERVERS {
        for (client_name, make_client) in CLIENTS {
            let mut tap = Wiretap::new(&server.log);
            let (mut from, mut to) = (make_client(&client()), make_server(&server));
            run_until_idle(&mut *from, &mut *to, &mut tap);
            let name = format!("{client_name} to {server_name}");
            // rustls takes the alert of TLS 1.3; RFC 5246 §7.4.6 says handshake_failure.
            let number = if server_name == "rustls" { 116 } else { 40 };
            assert_eq!(tap.alerts(), [(Side::Server, 2, number)], "{name}");
            let completed = (from.completed(), to.completed());
            assert_eq!(completed, (false, false), "{name}");
        }
    }
}

#[test]
fn protocols_are_negotiated() {
    let client = Setup {
        alpn: vec!["h2", "http/1.1"],
        ..client()
    };
    let server = Setup {
        alpn: vec!["http/1.1"],
        ..server_with(KIND)
    };
    for (server_name, make_server) in SERVERS {
        for (client_name, make_client) in CLIENTS {
            let (mut from, mut to) = (make_client(&client), make_server(&server));
            run_until_idle(&mut *from, &mut *to, &mut Wiretap::new(&server.log));
            let expected = Some(b"http/1.1".to_vec());
            let name = format!("{client_name} to {server_name}");
            assert_eq!(
                (from.alpn(), to.alpn()),
                (expected.clone(), expected),
                "{name}"
            );
        }
    }
}

#[test]
fn much_data_goes_both_ways_and_either_end_closes_properly() {
    let data: Vec<u8> = (0..=250).cycle().take(60_000).collect();
    for (server_name, make_server) in SERVERS {
        for (client_name, make_client) in CLIENTS {
            for closing in [Side::Client, Side::Server] {
                let server = server_with(KIND);
                let mut tap = Wiretap::new(&server.log);
                let (mut from, mut to) = (make_client(&client()), make_server(&server));
                run_until_idle(&mut *from, &mut *to, &mut tap);
                from.write(&data);
                to.write(&data);
                run_until_idle(&mut *from, &mut *to, &mut tap);
                let name = format!("{client_name} to {server_name}, {closing} closes");
                assert!(from.received() == data && to.received() == data, "{name}");
                match closing {
                    Side::Client => from.close(),
                    Side::Server => to.close(),
                }
                run_until_idle(&mut *from, &mut *to, &mut tap);
                let told = match closing {
                    Side::Client => to.failure(),
                    Side::Server => from.failure(),
                };
                assert_eq!(told, Some("closed by the peer"), "{name}");
            }
        }
    }
}

/// What an end exports under this context.
type Export<'e> = &'e dyn Fn(Option<&[u8]>) -> [u8; 48];

fn ours(end: &Countersign, context: Option<&[u8]>) -> [u8; 48] {
    let mut out = [0; 48];
    end.connection()
        .export_keying_material(b"EXPORTER-test", context, &mut out)
        .unwrap();
    out
}

fn of_openssl(end: &OpenSsl, context: Option<&[u8]>) -> [u8; 48] {
    let mut out = [0; 48];
    end.ssl()
        .export_keying_material(&mut out, "EXPORTER-test", context)
        .unwrap();
    out
}

fn of_rustls(end: &mut Rustls, context: Option<&[u8]>) -> [u8; 48] {
    end.connection()
        .export_keying_material([0; 48], b"EXPORTER-test", context)
        .unwrap()
}

/// RFC 5705 §4: no context is something else than an empty one.
fn exports_are_the_same(name: &str, one: Export<'_>, other: Export<'_>) {
    let contexts = [None, Some(&b""[..]), Some(&b"context"[..])];
    for context in contexts {
        assert_eq!(one(context), other(context), "{name} {context:?}");
    }
    assert_ne!(one(contexts[0]), one(contexts[1]), "{name}");
}

#[test]
fn exported_keying_material_is_the_same_at_the_other_end() {
    for suite12 in [Tls12Suite::ALL[0], Tls12Suite::ALL[1]] {
        let server = Setup {
            tls12_suite: Some(suite12),
            ..server_with(KIND)
        };
        let tap = || Wiretap::new(&server.log);
        let mut from = peers::countersign::client(&client());
        let mut to = peers::openssl::server(&server);
        run_until_idle(&mut from, &mut to, &mut tap());
        exports_are_the_same("OpenSSL serves", &|it| ours(&from, it), &|it| {
            of_openssl(&to, it)
        });
        let mut from = peers::openssl::client(&client());
        let mut to = peers::countersign::server(&server);
        run_until_idle(&mut from, &mut to, &mut tap());
        exports_are_the_same("OpenSSL connects", &|it| ours(&to, it), &|it| {
            of_openssl(&from, it)
        });
        let mut from = peers::countersign::client(&client());
        let to = std::cell::RefCell::new(peers::rustls::server(&server));
        run_until_idle(&mut from, &mut *to.borrow_mut(), &mut tap());
        exports_are_the_same("rustls serves", &|it| ours(&from, it), &|it| {
            of_rustls(&mut to.borrow_mut(), it)
        });
        let from = std::cell::RefCell::new(peers::rustls::client(&client()));
        let mut to = peers::countersign::server(&server);
        run_until_idle(&mut *from.borrow_mut(), &mut to, &mut tap());
        exports_are_the_same("rustls connects", &|it| ours(&to, it), &|it| {
            of_rustls(&mut from.borrow_mut(), it)
        });
    }
}

/// How a session comes back.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Ticket,
    SessionId,
}

/// Whether the connections of one client to one server are resumed. The client's certificate is known on each.
fn resumes<C: Endpoint, S: Endpoint>(
    make_client: impl Fn() -> C,
    make_server: impl Fn() -> S,
    is_resumed: impl Fn(&mut C, &mut S) -> bool,
) -> [bool; 3] {
    [(); 3].map(|()| {
        let (mut from, mut to) = (make_client(), make_server());
        let mut tap = Wiretap::new(&Setup::default().log);
        run_until_idle(&mut from, &mut to, &mut tap);
        assert_eq!((from.failure(), to.failure()), (None, None));
        assert!(is_alive(&mut from, &mut to, &mut tap));
        assert!(to.peer_certificate().is_some());
        let resumed = is_resumed(&mut from, &mut to);
        // OpenSSL forgets the session of a connection that was not closed.
        from.close();
        to.close();
        run_until_idle(&mut from, &mut to, &mut tap);
        resumed
    })
}

fn demanding() -> Setup {
    Setup {
        client_certificate: ClientCertificate::Required,
        ..server_with(KIND)
    }
}

fn our_client() -> Arc<ClientConfig> {
    let builder = client_builder(&client_with(KIND));
    builder.sessions(ClientSessions::new(4)).build().unwrap()
}

fn our_server(by: By) -> Arc<ServerConfig> {
    let builder = server_builder(&demanding()).ticket_keyring(TicketKeyring::new());
    let builder = match by {
        By::Ticket => builder,
        By::SessionId => builder.session_store(MemoryStore::new(4)),
    };
    builder.build().unwrap()
}

fn openssl_server(by: By) -> SslContext {
    let mut builder = peers::openssl::server_builder(&demanding());
    builder.set_session_id_context(b"interop").unwrap();
    if by == By::SessionId {
        builder.set_options(SslOptions::NO_TICKET);
    }
    builder.set_session_cache_mode(SslSessionCacheMode::SERVER);
    builder.build()
}

fn rustls_server(by: By) -> Arc<::rustls::ServerConfig> {
    let setup = demanding();
    let verifier = peers::rustls::client_verifier(&setup, peers::rustls::roots());
    let mut config = peers::rustls::server_config(&setup, verifier.build().unwrap());
    if by == By::Ticket {
        config.ticketer = ::rustls::crypto::aws_lc_rs::Ticketer::new().unwrap();
    }
    Arc::new(config)
}

fn rustls_client(by: By) -> Arc<::rustls::ClientConfig> {
    let mut config = peers::rustls::client_config(&client_with(KIND));
    let resumption = Resumption::in_memory_sessions(4);
    config.resumption = match by {
        By::Ticket => resumption.tls12_resumption(Tls12Resumption::SessionIdOrTickets),
        By::SessionId => resumption.tls12_resumption(Tls12Resumption::SessionIdOnly),
    };
    Arc::new(config)
}

fn of_ours(end: &Countersign) -> bool {
    let agreed = end.connection().agreed().unwrap();
    assert_eq!(agreed.version, ProtocolVersion::Tls12);
    agreed.resumed
}

#[test]
fn sessions_are_resumed_by_ticket_and_by_session_id() {
    let known = [false, true, true];
    for by in [By::Ticket, By::SessionId] {
        let (from, to) = (our_client(), our_server(by));
        let seen = resumes(
            || Countersign::client(&from),
            || Countersign::server(&to),
            |from, to| of_ours(from) && of_ours(to),
        );
        assert_eq!(seen, known, "countersign, {by:?}");

        let (from, to) = (our_client(), openssl_server(by));
        let seen = resumes(
            || Countersign::client(&from),
            || OpenSsl::server(&to),
            |from, to| of_ours(from) && to.ssl().session_reused(),
        );
        assert_eq!(seen, known, "OpenSSL serves, {by:?}");

        let (from, to) = (our_client(), rustls_server(by));
        let is_resumed =
            |end: &mut Rustls| end.connection().handshake_kind() == Some(HandshakeKind::Resumed);
        let seen = resumes(
            || Countersign::client(&from),
            || Rustls::server(&to),
            |from, to| of_ours(from) && is_resumed(to),
        );
        assert_eq!(seen, known, "rustls serves, {by:?}");

        let (from, to) = (rustls_client(by), our_server(by));
        let seen = resumes(
            || Rustls::client(&from),
            || Countersign::server(&to),
            |from, to| is_resumed(from) && of_ours(to),
        );
        assert_eq!(seen, known, "rustls connects, {by:?}");
    }
}
