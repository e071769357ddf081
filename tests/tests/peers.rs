//! The peers and the wiretap against each other, so that a failure with countersign on one
//! side is countersign's.

use countersign_tests::endpoint::{Endpoint, Side, is_alive, run_until_idle};
use countersign_tests::intercept::{Interceptor, Outgoing};
use countersign_tests::peers::{ClientCertificate, Group, KeyKind, Scheme, Setup, openssl, rustls};
use countersign_tests::wiretap::{Content, Suite, Wiretap};

type Make = fn(&Setup) -> Box<dyn Endpoint>;

const CLIENTS: [(&str, Make); 2] = [
    ("rustls", |setup| Box::new(rustls::client(setup))),
    ("OpenSSL", |setup| Box::new(openssl::client(setup))),
];
const SERVERS: [(&str, Make); 2] = [
    ("rustls", |setup| Box::new(rustls::server(setup))),
    ("OpenSSL", |setup| Box::new(openssl::server(setup))),
];

/// Lets every client talk to every server; both must come out fine and alive.
fn everybody(client: &Setup, server: &Setup, check: impl Fn(&Wiretap, &str)) {
    for (client_name, make_client) in CLIENTS {
        for (server_name, make_server) in SERVERS {
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

#[test]
fn every_suite() {
    for suite in Suite::ALL {
        let server = Setup {
            suite: Some(suite),
            ..Setup::server(KeyKind::EcdsaP256)
        };
        everybody(&Setup::default(), &server, |tap, name| {
            assert_eq!(tap.suite(), Some(suite), "{name}");
            let data = |side| {
                let mut pieces = tap.pieces().iter();
                pieces.any(|piece| piece.from == side && matches!(piece.content, Content::Data(_)))
            };
            assert!(data(Side::Client) && data(Side::Server), "{name}");
            assert!(tap.wire().starts_with("c1 s2 s8 s11 s15 s20 c20"), "{name}");
        });
    }
}

#[test]
fn every_group_first_and_after_a_retry() {
    for group in Group::ALL {
        let server = Setup {
            groups: vec![group],
            ..Setup::server(KeyKind::EcdsaP256)
        };
        let first = if group == Group::Secp384r1 {
            Group::Secp256r1
        } else {
            Group::Secp384r1
        };
        for (groups, retried) in [(vec![group], false), (vec![first, group], true)] {
            let client = Setup {
                groups,
                ..Setup::default()
            };
            everybody(&client, &server, |tap, name| {
                assert_eq!(tap.group(), Some(group.number()), "{name}");
                assert_eq!(tap.retried(), retried, "{name}");
            });
        }
    }
}

/// rustls knows no keys that are for RSA-PSS only.
fn rustls_knows(scheme: Scheme) -> bool {
    scheme.key_kind() != KeyKind::RsaPss
}

#[test]
fn every_signature_scheme_of_both_ends() {
    for scheme in Scheme::ALL
        .into_iter()
        .filter(|scheme| rustls_knows(*scheme))
    {
        let client = Setup {
            peer_scheme: Some(scheme),
            ..Setup::client(scheme.key_kind())
        };
        let server = Setup {
            peer_scheme: Some(scheme),
            client_certificate: ClientCertificate::Required,
            ..Setup::server(scheme.key_kind())
        };
        everybody(&client, &server, |tap, name| {
            for side in [Side::Client, Side::Server] {
                let used = tap.signature_scheme(side);
                assert_eq!(used, Some(scheme.number()), "{name} {side} {scheme:?}");
            }
            let wire = "c1 s2 s8 s13 s11 s15 s20 c11 c15 c20";
            assert!(tap.wire().starts_with(wire), "{name}: {}", tap.wire());
        });
    }
}

#[test]
fn keys_for_rsa_pss_only_between_openssl() {
    for scheme in Scheme::ALL
        .into_iter()
        .filter(|scheme| !rustls_knows(*scheme))
    {
        let client = Setup {
            peer_scheme: Some(scheme),
            ..Setup::client(KeyKind::RsaPss)
        };
        let server = Setup {
            peer_scheme: Some(scheme),
            client_certificate: ClientCertificate::Required,
            ..Setup::server(KeyKind::RsaPss)
        };
        let mut tap = Wiretap::new(&server.log);
        let (mut from, mut to) = (openssl::client(&client), openssl::server(&server));
        run_until_idle(&mut from, &mut to, &mut tap);
        assert!(is_alive(&mut from, &mut to, &mut tap), "{scheme:?}");
        let used = [Side::Client, Side::Server].map(|side| tap.signature_scheme(side));
        assert_eq!(used, [Some(scheme.number()); 2], "{scheme:?}");
    }
}

#[test]
fn client_certificates_are_optional_or_required() {
    let demand = |client_certificate| Setup {
        client_certificate,
        ..Setup::server(KeyKind::EcdsaP256)
    };
    let optional = demand(ClientCertificate::Optional);
    everybody(&Setup::default(), &optional, |tap, name| {
        let answer = tap.messages(Side::Client, 11);
        assert_eq!(answer, [[11, 0, 0, 4, 0, 0, 0, 0]], "{name}");
    });
    for (server_name, make_server) in SERVERS {
        let server = demand(ClientCertificate::Required);
        let mut tap = Wiretap::new(&server.log);
        let (mut from, mut to) = (rustls::client(&Setup::default()), make_server(&server));
        run_until_idle(&mut from, &mut *to, &mut tap);
        assert_eq!(tap.alerts(), [(Side::Server, 2, 116)], "{server_name}");
        assert!(from.completed() && from.failure().is_some() && !to.completed());
    }
}

#[test]
fn protocols_are_negotiated() {
    let client = Setup {
        alpn: vec!["h2", "http/1.1"],
        ..Setup::default()
    };
    let server = Setup {
        alpn: vec!["http/1.1"],
        ..Setup::server(KeyKind::EcdsaP256)
    };
    for (server_name, make_server) in SERVERS {
        for (client_name, make_client) in CLIENTS {
            let (mut from, mut to) = (make_client(&client), make_server(&server));
            run_until_idle(&mut *from, &mut *to, &mut Wiretap::new(&server.log));
            let agreed = (from.alpn(), to.alpn());
            let expected = Some(b"http/1.1".to_vec());
            let name = format!("{client_name} to {server_name}");
            assert_eq!(agreed, (expected.clone(), expected), "{name}");
        }
    }
}

#[test]
fn the_wiretap_follows_key_updates() {
    let server = Setup::server(KeyKind::EcdsaP256);
    let mut tap = Wiretap::new(&server.log);
    let mut from = rustls::client(&Setup::default());
    let mut to = openssl::server(&server);
    run_until_idle(&mut from, &mut to, &mut tap);
    for _ in 0..2 {
        from.connection().refresh_traffic_keys().unwrap();
        assert!(is_alive(&mut from, &mut to, &mut tap));
    }
    // OpenSSL answers a KeyUpdate when it writes next.
    assert!(is_alive(&mut from, &mut to, &mut tap));
    assert_eq!(tap.messages(Side::Client, 24).len(), 2);
    assert_eq!(tap.messages(Side::Server, 24).len(), 2);
    assert!(!tap.wire().contains('?'), "{}", tap.wire());
}

#[test]
fn an_interceptor_that_changes_nothing_is_not_noticed() {
    for padding in [0, 100] {
        for size in [1 << 14, 7] {
            let client = Setup::client(KeyKind::EcdsaP256);
            let server = Setup {
                client_certificate: ClientCertificate::Required,
                ..Setup::server(KeyKind::EcdsaP256)
            };
            let (mut from, mut to) = (rustls::client(&client), openssl::server(&server));
            let mut line = Interceptor::new(&client.log, &server.log, |piece| {
                let mut records = match &piece.content {
                    Content::Handshake(message) => piece.in_fragments(message, size),
                    _ => piece.unchanged(),
                };
                for record in &mut records {
                    if let Outgoing::Record { padding: own, .. } = record {
                        *own = padding;
                    }
                }
                records
            });
            run_until_idle(&mut from, &mut to, &mut line);
            assert_eq!((from.failure(), to.failure()), (None, None));
            assert!(is_alive(&mut from, &mut to, &mut line));
        }
    }
}

#[test]
fn a_message_in_the_wrong_place_is_noticed_by_either() {
    for (victim, make) in SERVERS {
        let client = Setup::client(KeyKind::EcdsaP256);
        let server = Setup {
            client_certificate: ClientCertificate::Required,
            ..Setup::server(KeyKind::EcdsaP256)
        };
        let (mut from, mut to) = (openssl::client(&client), make(&server));
        let mut line = Interceptor::new(&client.log, &server.log, |piece| {
            if piece.from == Side::Client && piece.message_type() == Some(15) {
                return vec![Outgoing::handshake(piece.epoch, [8, 0, 0, 2, 0, 0])];
            }
            piece.unchanged()
        });
        run_until_idle(&mut from, &mut *to, &mut line);
        assert_eq!(line.alerts(Side::Server), [10], "{victim}");
        assert!(!to.completed());
    }
}
