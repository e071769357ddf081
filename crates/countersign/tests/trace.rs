//! What a trace is told of a conversation between two engines in memory.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod pair;

use std::sync::{Arc, Mutex};

use countersign::{
    ClientConfig, ProtocolVersion, ServerConfig, Trace, TraceEvent, Traced, VerifyMode,
};
use pair::{Authority, For, Pair};

/// Writes down what one end saw, in words.
#[derive(Clone, Default)]
struct Minutes(Arc<Mutex<Vec<String>>>);

impl Minutes {
    fn take(&self) -> Vec<String> {
        core::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Trace for Minutes {
    fn record(&self, event: &TraceEvent<'_>) {
        let line = match event.what {
            Traced::Message {
                direction,
                protection,
                name,
                bytes,
            } => {
                let (header, body) = bytes.split_first_chunk::<4>().unwrap();
                let length = u32::from_be_bytes(*header) & 0x00ff_ffff;
                assert_eq!(body.len(), usize::try_from(length).unwrap(), "{name}");
                format!("{direction} {name} {protection}")
            }
            Traced::Alert {
                direction,
                protection,
                alert,
            } => format!("{direction} alert {} {protection}", alert.name()),
            Traced::ChangeCipherSpec {
                direction,
                protection,
            } => format!("{direction} ccs {protection}"),
            Traced::Data { direction, length } => format!("{direction} {length} bytes"),
            Traced::RequestOmitted(why) => format!("omitted {why:?}"),
            Traced::Judged {
                whose,
                code,
                accepted,
            } => format!("judged {whose} {} {accepted}", code.number()),
            Traced::Completed { what, resumed } => format!("completed {what:?} {resumed}"),
            _ => panic!("{event:?}"),
        };
        self.0.lock().unwrap().push(line);
    }
}

struct Setup {
    pair: Pair,
    client: Minutes,
    server: Minutes,
}

fn setup(mode: VerifyMode, known: bool) -> Setup {
    setup_with(ProtocolVersion::Tls13, mode, known)
}

fn setup_with(version: ProtocolVersion, mode: VerifyMode, known: bool) -> Setup {
    let (authority, other) = (Authority::new("Test CA"), Authority::new("Other CA"));
    let (client, server) = (Minutes::default(), Minutes::default());
    let issuer = if known { &authority } else { &other };
    let client_config = ClientConfig::builder()
        .versions([version])
        .trust(authority.trust())
        .credential(issuer.issue("client.example", For::Client))
        .trace(client.clone());
    let server_config = ServerConfig::builder()
        .credential(authority.issue("server.example", For::Server))
        .trust(authority.trust())
        .verify(mode)
        .tickets(1)
        .trace(server.clone());
    let mut pair = Pair::new(
        &client_config.build().unwrap(),
        &server_config.build().unwrap(),
    );
    pair.run();
    Setup {
        pair,
        client,
        server,
    }
}

#[test]
fn both_ends_tell_the_same_story() {
    let mut talk = setup(VerifyMode::PEER | VerifyMode::POST_HANDSHAKE, true);
    let handshake = [
        "received ClientHello plain",
        "sent ServerHello plain",
        "sent ccs plain",
        "sent EncryptedExtensions handshake",
        "sent Certificate handshake",
        "sent CertificateVerify handshake",
        "omitted PostHandshakeOnly",
        "sent Finished handshake",
        "received ccs plain",
        "received Finished handshake",
        "sent NewSessionTicket application",
        "completed Handshake false",
    ];
    assert_eq!(talk.server.take(), handshake);
    let handshake = [
        "sent ClientHello plain",
        "received ServerHello plain",
        "sent ccs plain",
        "received ccs plain",
        "received EncryptedExtensions handshake",
        "received Certificate handshake",
        "judged server 0 true",
        "received CertificateVerify handshake",
        "received Finished handshake",
        "sent Finished handshake",
        "completed Handshake false",
        "received NewSessionTicket application",
    ];
    assert_eq!(talk.client.take(), handshake);

    let server = &mut talk.pair.server;
    server
        .connection
        .request_peer_certificate(&mut server.output)
        .unwrap();
    talk.pair.client.send(b"hello").unwrap();
    talk.pair.run();
    let later = [
        "sent CertificateRequest application",
        "received 5 bytes",
        "received Certificate application",
        "judged client 0 true",
        "received CertificateVerify application",
        "received Finished application",
        "sent NewSessionTicket application",
        "completed PostHandshakeAuthentication false",
    ];
    assert_eq!(talk.server.take(), later);
    let later = [
        "sent 5 bytes",
        "received CertificateRequest application",
        "sent Certificate application",
        "sent CertificateVerify application",
        "sent Finished application",
        "completed PostHandshakeAuthentication false",
        "received NewSessionTicket application",
    ];
    assert_eq!(talk.client.take(), later);
}

#[test]
fn a_renegotiation_is_told_with_the_keys_that_protect_it() {
    let mut talk = setup_with(ProtocolVersion::Tls12, VerifyMode::NONE, true);
    let handshake = [
        "received ClientHello plain",
        "sent ServerHello plain",
        "sent Certificate plain",
        "sent ServerKeyExchange plain",
        "omitted NotAskedFor",
        "sent ServerHelloDone plain",
        "received ClientKeyExchange plain",
        "received ccs plain",
        "received Finished application",
        "sent NewSessionTicket plain",
        "sent ccs plain",
        "sent Finished application",
        "completed Handshake false",
    ];
    assert_eq!(talk.server.take(), handshake);
    talk.client.take();

    let server = &mut talk.pair.server;
    server.connection.set_verify_mode(VerifyMode::PEER).unwrap();
    server
        .connection
        .request_peer_certificate(&mut server.output)
        .unwrap();
    talk.pair.run();
    let client = talk.client.take();
    let again = [
        "received HelloRequest application",
        "sent ClientHello application",
        "received ServerHello application",
        "received Certificate application",
        "judged server 0 true",
        "received ServerKeyExchange application",
        "received CertificateRequest application",
        "received ServerHelloDone application",
        "sent Certificate application",
        "sent ClientKeyExchange application",
        "sent CertificateVerify application",
        "sent ccs application",
        "sent Finished application",
        "received NewSessionTicket application",
        "received ccs application",
        "received Finished application",
        "completed Renegotiation false",
    ];
    assert_eq!(client, again);
}

#[test]
fn a_refusal_is_told_with_its_verdict_and_its_alert() {
    let talk = setup(VerifyMode::PEER, false);
    let told = talk.server.take();
    let end = &told[told.len() - 3..];
    assert_eq!(
        end,
        [
            "received Certificate handshake",
            "judged client 20 false",
            "sent alert unknown_ca application",
        ]
    );
    assert_eq!(
        talk.client.take().last().unwrap(),
        "received alert unknown_ca application"
    );
}

#[test]
fn connections_of_one_configuration_are_told_apart() {
    #[derive(Clone, Default)]
    struct Numbers(Arc<Mutex<Vec<u64>>>);
    impl Trace for Numbers {
        fn record(&self, event: &TraceEvent<'_>) {
            self.0.lock().unwrap().push(event.connection);
        }
    }
    let numbers = Numbers::default();
    let config = ClientConfig::builder()
        .verify(VerifyMode::NONE)
        .trace(numbers.clone())
        .build()
        .unwrap();
    for _ in 0..2 {
        let name = "server.example".try_into().unwrap();
        countersign::Connection::client(&config, name, &mut Vec::new()).unwrap();
    }
    let seen = numbers.0.lock().unwrap();
    assert_eq!(seen.len(), 2);
    assert_ne!(seen[0], seen[1]);
}
