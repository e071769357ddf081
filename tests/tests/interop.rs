//! countersign with itself, rustls and OpenSSL at the other end, in both roles.
#![allow(clippy::unwrap_used, reason = "a broken assumption must stop the test")]

use ::countersign::{CipherSuite, NamedGroup, SignatureScheme};
use ::openssl::pkey::PKey;
use ::openssl::ssl::{Ssl, SslContext, SslMethod, SslVersion};
use ::openssl::x509::X509;
use countersign_tests::endpoint::{Endpoint as _, Side, is_alive, run_until_idle};
use countersign_tests::peers::openssl::OpenSsl;
use countersign_tests::peers::{
    CLIENTS, ClientCertificate, Group, Identity, KeyKind, SERVERS, Scheme, Setup, countersign,
    openssl, rustls,
};
use countersign_tests::wiretap::{Content, Suite, Wiretap};

/// Lets every client talk to every server; both must come out fine and alive.
fn everybody(client: &Setup, server: &Setup, check: impl Fn(&Wiretap, &str)) {
    everybody_but(&[], client, server, check);
}

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
        let without: &[&str] = match group {
            Group::Secp384r1MlKem1024 => &["rustls"],
            _ => &[],
        };
        for (groups, retried) in [(vec![group], false), (vec![first, group], true)] {
            let client = Setup {
                groups,
                ..Setup::default()
            };
            everybody_but(without, &client, &server, |tap, name| {
                assert_eq!(tap.group(), Some(group.number()), "{name}");
                assert_eq!(tap.retried(), retried, "{name}");
            });
        }
    }
}

#[test]
fn chosen_key_shares_save_the_retry_and_none_costs_one() {
    let all = [
        NamedGroup::Secp384r1MlKem1024,
        NamedGroup::X25519,
        NamedGroup::Secp256r1,
    ];
    let server = Setup {
        groups: vec![Group::Secp256r1],
        ..Setup::server(KeyKind::EcdsaP256)
    };
    for (shares, retried) in [
        (&all[..], false),
        (&[all[0], all[2]], false),
        (&[all[2]], false),
        (&[all[1]], true),
        (&[], true),
    ] {
        let builder = countersign::client_builder(&Setup::default()).groups(all);
        let config = builder.key_shares(shares.iter().copied()).build().unwrap();
        for (server_name, make_server) in SERVERS {
            let name = format!("{shares:?} to {server_name}");
            let mut tap = Wiretap::new(&server.log);
            let (mut from, mut to) = (
                countersign::Countersign::client(&config),
                make_server(&server),
            );
            run_until_idle(&mut from, &mut *to, &mut tap);
            assert_eq!((from.failure(), to.failure()), (None, None), "{name}");
            assert!(is_alive(&mut from, &mut *to, &mut tap), "{name}");
            assert_eq!(tap.group(), Some(Group::Secp256r1.number()), "{name}");
            assert_eq!(tap.retried(), retried, "{name}");
        }
    }
}

#[test]
fn every_signature_scheme_of_both_ends() {
    for scheme in Scheme::ALL {
        let client = Setup {
            peer_scheme: Some(scheme),
            ..Setup::client(scheme.key_kind())
        };
        let server = Setup {
            peer_scheme: Some(scheme),
            client_certificate: ClientCertificate::Required,
            ..Setup::server(scheme.key_kind())
        };
        // rustls knows no keys that are for RSA-PSS only.
        let without: &[&str] = match scheme.key_kind() {
            KeyKind::RsaPss => &["rustls"],
            _ => &[],
        };
        everybody_but(without, &client, &server, |tap, name| {
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
fn every_pair_of_key_kinds() {
    for server_kind in KeyKind::ALL {
        for client_kind in KeyKind::ALL {
            let server = Setup {
                client_certificate: ClientCertificate::Required,
                ..Setup::server(server_kind)
            };
            let without: &[&str] = match (server_kind, client_kind) {
                (KeyKind::RsaPss, _) | (_, KeyKind::RsaPss) => &["rustls"],
                _ => &[],
            };
            everybody_but(without, &Setup::client(client_kind), &server, |_, _| {});
        }
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
        for (client_name, make_client) in CLIENTS {
            let mut tap = Wiretap::new(&server.log);
            let (mut from, mut to) = (make_client(&Setup::default()), make_server(&server));
            run_until_idle(&mut *from, &mut *to, &mut tap);
            let name = format!("{client_name} to {server_name}");
            assert_eq!(tap.alerts(), [(Side::Server, 2, 116)], "{name}");
            let outcome = (from.completed(), from.failure().is_some(), to.completed());
            assert_eq!(outcome, (true, true, false), "{name}");
        }
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
fn no_common_protocol_is_refused() {
    let client = Setup {
        alpn: vec!["h2"],
        ..Setup::default()
    };
    let server = Setup {
        alpn: vec!["http/1.1"],
        ..Setup::server(KeyKind::EcdsaP256)
    };
    for (server_name, make_server) in SERVERS {
        for (client_name, make_client) in CLIENTS {
            let mut tap = Wiretap::new(&server.log);
            let (mut from, mut to) = (make_client(&client), make_server(&server));
            run_until_idle(&mut *from, &mut *to, &mut tap);
            let name = format!("{client_name} to {server_name}");
            assert_eq!(tap.alerts(), [(Side::Server, 2, 120)], "{name}");
            assert!(from.failure().is_some() && to.failure().is_some(), "{name}");
        }
    }
}

#[test]
fn much_data_goes_both_ways() {
    let data: Vec<u8> = (0..=250).cycle().take(60_000).collect();
    for (server_name, make_server) in SERVERS {
        for (client_name, make_client) in CLIENTS {
            let server = Setup::server(KeyKind::EcdsaP256);
            let mut tap = Wiretap::new(&server.log);
            let (mut from, mut to) = (make_client(&Setup::default()), make_server(&server));
            run_until_idle(&mut *from, &mut *to, &mut tap);
            from.write(&data);
            to.write(&data);
            run_until_idle(&mut *from, &mut *to, &mut tap);
            let name = format!("{client_name} to {server_name}");
            assert!(from.received() == data && to.received() == data, "{name}");
        }
    }
}

#[test]
fn either_end_closes_properly() {
    for (server_name, make_server) in SERVERS {
        for (client_name, make_client) in CLIENTS {
            for closing in [Side::Client, Side::Server] {
                let server = Setup::server(KeyKind::EcdsaP256);
                let mut tap = Wiretap::new(&server.log);
                let (mut from, mut to) = (make_client(&Setup::default()), make_server(&server));
                run_until_idle(&mut *from, &mut *to, &mut tap);
                match closing {
                    Side::Client => from.close(),
                    Side::Server => to.close(),
                }
                run_until_idle(&mut *from, &mut *to, &mut tap);
                let name = format!("{client_name} to {server_name}, {closing} closes");
                assert_eq!(tap.alerts(), [(closing, 1, 0)], "{name}");
                let told = match closing {
                    Side::Client => to.failure(),
                    Side::Server => from.failure(),
                };
                assert_eq!(told, Some("closed by the peer"), "{name}");
            }
        }
    }
}

#[test]
fn keys_are_updated_on_request_of_either_end() {
    for (server_name, make_server) in SERVERS {
        let server = Setup::server(KeyKind::EcdsaP256);
        let mut tap = Wiretap::new(&server.log);
        let mut from = countersign::client(&Setup::default());
        let mut to = make_server(&server);
        run_until_idle(&mut from, &mut *to, &mut tap);
        for _ in 0..3 {
            let (connection, output) = from.connection_and_output();
            connection.update_keys(true, output).unwrap();
            // The others answer when they write next, and until then there is no other request.
            for _ in 0..2 {
                assert!(is_alive(&mut from, &mut *to, &mut tap), "{server_name}");
            }
        }
        for side in [Side::Client, Side::Server] {
            assert_eq!(tap.messages(side, 24).len(), 3, "{server_name} {side}");
        }
    }
    for (client_name, make_client) in CLIENTS {
        let server = Setup::server(KeyKind::EcdsaP256);
        let mut tap = Wiretap::new(&server.log);
        let mut from = make_client(&Setup::default());
        let mut to = countersign::server(&server);
        run_until_idle(&mut *from, &mut to, &mut tap);
        for ask in [true, false] {
            let (connection, output) = to.connection_and_output();
            connection.update_keys(ask, output).unwrap();
            assert!(is_alive(&mut *from, &mut to, &mut tap), "{client_name}");
        }
        assert!(is_alive(&mut *from, &mut to, &mut tap), "{client_name}");
        assert_eq!(tap.messages(Side::Server, 24).len(), 2, "{client_name}");
        assert_eq!(tap.messages(Side::Client, 24).len(), 1, "{client_name}");
    }
    let server = Setup::server(KeyKind::EcdsaP256);
    let mut tap = Wiretap::new(&server.log);
    let mut from = rustls::client(&Setup::default());
    let mut to = countersign::server(&server);
    run_until_idle(&mut from, &mut to, &mut tap);
    from.connection().refresh_traffic_keys().unwrap();
    assert!(is_alive(&mut from, &mut to, &mut tap));
    assert_eq!(tap.messages(Side::Server, 24).len(), 1);
}

#[test]
fn what_was_agreed_is_told() {
    let client = Setup {
        alpn: vec!["h2"],
        ..Setup::client(KeyKind::EcdsaP384)
    };
    let server = Setup {
        alpn: vec!["h2"],
        suite: Some(Suite::Aes256GcmSha384),
        groups: vec![Group::Secp256r1],
        client_certificate: ClientCertificate::Required,
        ..Setup::server(KeyKind::Ed25519)
    };
    let mut from = countersign::client(&client);
    let mut to = countersign::server(&server);
    run_until_idle(&mut from, &mut to, &mut Wiretap::new(&server.log));
    let schemes = [
        SignatureScheme::ED25519,
        SignatureScheme::ECDSA_SECP384R1_SHA384,
    ];
    for (end, own, peer) in [
        (&from, schemes[1], schemes[0]),
        (&to, schemes[0], schemes[1]),
    ] {
        let agreed = end.connection().agreed().unwrap();
        assert_eq!(agreed.suite, CipherSuite::Aes256GcmSha384);
        assert_eq!(agreed.group, Some(NamedGroup::Secp256r1));
        assert_eq!(agreed.own_signature, Some(own));
        assert_eq!(agreed.peer_signature, Some(peer));
        assert_eq!(agreed.alpn.as_deref(), Some(&b"h2"[..]));
        assert!(agreed.retried);
        assert!(end.connection().peer().unwrap().is_verified());
    }
    let asked_for = &to.connection().agreed().unwrap().server_name;
    assert_eq!(asked_for.as_deref(), Some("localhost"));
}

#[test]
fn exported_keying_material_is_the_same_at_the_other_end() {
    let server = Setup::server(KeyKind::EcdsaP256);
    let mut from = countersign::client(&Setup::default());
    let mut to = openssl::server(&server);
    run_until_idle(&mut from, &mut to, &mut Wiretap::new(&server.log));
    let (mut ours, mut theirs) = ([0; 48], [0; 48]);
    let connection = from.connection();
    connection
        .export_keying_material(b"EXPORTER-test", Some(b"context"), &mut ours)
        .unwrap();
    to.ssl()
        .export_keying_material(&mut theirs, "EXPORTER-test", Some(b"context"))
        .unwrap();
    assert_eq!(ours, theirs);
}

/// An OpenSSL that speaks nothing newer than TLS 1.2.
fn of_yesterday(side: Side) -> OpenSsl {
    let identity = Identity::server(KeyKind::EcdsaP256);
    let mut builder = SslContext::builder(SslMethod::tls()).unwrap();
    let version = Some(SslVersion::TLS1_2);
    builder.set_max_proto_version(version).unwrap();
    let certificate = X509::from_der(&identity.leaf).unwrap();
    builder.set_certificate(&certificate).unwrap();
    let key = PKey::private_key_from_der(&identity.key).unwrap();
    builder.set_private_key(&key).unwrap();
    OpenSsl::start(Ssl::new(&builder.build()).unwrap(), side)
}

#[test]
fn peers_of_yesterday_are_told_the_version() {
    let server = Setup::server(KeyKind::EcdsaP256);
    let mut tap = Wiretap::new(&server.log);
    let mut to = countersign::server(&server);
    run_until_idle(&mut of_yesterday(Side::Client), &mut to, &mut tap);
    assert_eq!(tap.wire(), "c1 s!2.70");
    let sentence = to.error().unwrap().to_string();
    assert!(sentence.contains("protocol version"), "{sentence}");

    let mut tap = Wiretap::new(&server.log);
    let mut from = countersign::client(&Setup::default());
    run_until_idle(&mut from, &mut of_yesterday(Side::Server), &mut tap);
    assert_eq!(tap.wire(), "c1 s!2.70");
    let sentence = from.error().unwrap().to_string();
    assert!(sentence.contains("1.3"), "{sentence}");
}
