//! The wiretap and the interceptor on rustls and OpenSSL, so that a failure with countersign
//! is countersign's.

use countersign_tests::endpoint::{Endpoint, Side, is_alive, run_until_idle};
use countersign_tests::intercept::{Interceptor, Outgoing};
use countersign_tests::peers::{
    ClientCertificate, KeyKind, SERVERS, Setup, Version, openssl, rustls,
};
use countersign_tests::wiretap::{Content, Epoch, Wiretap};

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
fn the_wiretap_reads_tls12() {
    let client = Setup {
        version: Version::Tls12,
        ..Setup::client(KeyKind::EcdsaP256)
    };
    let server = Setup {
        version: Version::Tls12,
        client_certificate: ClientCertificate::Required,
        // The client has the keys first.
        log: client.log.clone(),
        ..Setup::server(KeyKind::EcdsaP256)
    };
    let mut tap = Wiretap::new(&server.log);
    let (mut from, mut to) = (rustls::client(&client), openssl::server(&server));
    run_until_idle(&mut from, &mut to, &mut tap);
    assert!(is_alive(&mut from, &mut to, &mut tap));
    assert!(
        tap.wire()
            .starts_with("c1 s2 s11 s12 s13 s14 c11 c16 c15 c20"),
        "{}",
        tap.wire()
    );
    let data: Vec<_> = tap
        .pieces()
        .iter()
        .filter(|piece| matches!(piece.content, Content::Data(_)))
        .collect();
    assert!(data.iter().all(|piece| piece.epoch == Epoch::Tls12(1)));
    assert_eq!(data.len(), 2);
}

#[test]
fn an_interceptor_that_changes_nothing_is_not_noticed() {
    for (version, padding) in [
        (Version::Tls12, 0),
        (Version::Tls13, 0),
        (Version::Tls13, 100),
    ] {
        for size in [1 << 14, 7] {
            let client = Setup {
                version,
                ..Setup::client(KeyKind::EcdsaP256)
            };
            let server = Setup {
                version,
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
    for (victim, make) in SERVERS
        .into_iter()
        .filter(|(name, _)| *name != "countersign")
    {
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
