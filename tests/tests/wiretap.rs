//! The wiretap and the interceptor on rustls and OpenSSL, so that a failure with countersign
//! is countersign's.

use countersign_tests::endpoint::{Endpoint, Side, is_alive, run_until_idle};
use countersign_tests::intercept::{Interceptor, Outgoing};
use countersign_tests::peers::{ClientCertificate, KeyKind, SERVERS, Setup, openssl, rustls};
use countersign_tests::wiretap::{Content, Wiretap};

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
