//! Whole connections between two engines in memory.

mod pair;

use std::sync::Arc;

use countersign::{
    Alert, BuildError, CipherSuite, ClientConfig, Completed, Error, NamedGroup, PeerNames,
    ProtocolVersion, Question, Report, ServerConfig, State, Verdict, VerifyMode, Violation,
};
use pair::{Authority, For, Later, Pair};

struct Setup {
    authority: Authority,
}

impl Setup {
    fn new() -> Self {
        Self {
            authority: Authority::new("Test CA"),
        }
    }

    fn client(&self) -> countersign::ConfigBuilder<countersign::ClientSide> {
        ClientConfig::builder().trust(self.authority.trust())
    }

    fn server(&self) -> countersign::ConfigBuilder<countersign::ServerSide> {
        ServerConfig::builder()
            .credential(self.authority.issue("server.example", For::Server))
            .trust(self.authority.trust())
    }
}

fn connect(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Pair {
    let mut pair = Pair::new(client, server);
    pair.run();
    pair
}

#[test]
fn a_client_verifies_the_server_and_data_flows() {
    let setup = Setup::new();
    let server = setup.server().tickets(0).build().unwrap();
    let mut pair = connect(&setup.client().build().unwrap(), &server);
    assert_eq!(pair.client.completed, [Completed::Handshake]);
    assert_eq!(pair.server.completed, [Completed::Handshake]);
    assert!(pair.client.connection.peer().unwrap().is_verified());
    assert!(pair.server.connection.peer().is_none());
    assert_eq!(pair.server.connection.verify_result(), None);
    assert!(!pair.client.connection.accepted_by_peer());
    pair.assert_alive();
    assert!(pair.client.connection.accepted_by_peer());
}

#[test]
fn every_suite_and_group_connects_with_mutual_authentication() {
    let setup = Setup::new();
    let tls13 = |suite: &&CipherSuite| suite.version() == ProtocolVersion::Tls13;
    for suite in CipherSuite::ALL.iter().filter(tls13) {
        for group in NamedGroup::ALL {
            let client = setup
                .client()
                .suites([*suite])
                .groups([*group])
                .credential(setup.authority.issue("client", For::Client))
                .build()
                .unwrap();
            let server = setup
                .server()
                .groups(NamedGroup::ALL.iter().copied())
                .verify(VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT)
                .build()
                .unwrap();
            let mut pair = connect(&client, &server);
            assert!(
                pair.client.error.is_none() && pair.server.error.is_none(),
                "{suite:?} {group:?}"
            );
            let agreed = pair.server.connection.agreed().unwrap();
            assert_eq!(
                (agreed.suite, agreed.group, agreed.retried),
                (*suite, Some(*group), false)
            );
            assert!(pair.server.connection.peer().unwrap().is_verified());
            pair.assert_alive();
        }
    }
}

#[test]
fn a_retry_brings_the_group_that_the_server_wants() {
    let setup = Setup::new();
    for group in [NamedGroup::Secp256r1, NamedGroup::Secp384r1] {
        let client = setup.client().build().unwrap();
        let server = setup.server().groups([group]).build().unwrap();
        let mut pair = connect(&client, &server);
        let agreed = pair.client.connection.agreed().unwrap();
        assert_eq!((agreed.group, agreed.retried), (Some(group), true));
        pair.assert_alive();
    }
}

#[test]
fn groups_that_are_off_by_default_need_both_ends() {
    let setup = Setup::new();
    let others = NamedGroup::ALL
        .iter()
        .filter(|group| !NamedGroup::DEFAULT.contains(group));
    let others: Vec<_> = others.copied().collect();
    assert_eq!(others.len(), 3);
    let client = setup.client().groups(others.clone()).build().unwrap();
    let pair = connect(&client, &setup.server().build().unwrap());
    assert!(pair.client.completed.is_empty() && pair.server.completed.is_empty());
    let error = pair.server.error.unwrap().to_string();
    assert!(error.contains("SecP384r1MLKEM1024"), "{error}");
    let server = setup.server().groups(others).build().unwrap();
    let mut pair = connect(&client, &server);
    let agreed = pair.client.connection.agreed().unwrap();
    assert_eq!(agreed.group, Some(NamedGroup::Secp256r1MlKem768));
    pair.assert_alive();
}

#[test]
fn a_share_that_was_sent_saves_the_retry() {
    let setup = Setup::new();
    let [hybrid, p256, p384] = [
        NamedGroup::X25519MlKem768,
        NamedGroup::Secp256r1,
        NamedGroup::Secp384r1,
    ];
    let (both, first, none) = (Some(vec![p256, p384]), Some(vec![hybrid]), Some(vec![]));
    for (shares, wanted, retried) in [
        (None, hybrid, false),
        (None, p256, false),
        (None, p384, true),
        (both.clone(), hybrid, true),
        (both.clone(), p256, false),
        (both, p384, false),
        (first.clone(), hybrid, false),
        (first, p256, true),
        (none.clone(), hybrid, true),
        (none, p384, true),
    ] {
        let mut client = setup.client().groups([hybrid, p256, p384]);
        if let Some(shares) = &shares {
            client = client.key_shares(shares.iter().copied());
        }
        let server = setup.server().groups([wanted]).build().unwrap();
        let mut pair = connect(&client.build().unwrap(), &server);
        let agreed = pair.client.connection.agreed().unwrap();
        let found = (agreed.group, agreed.retried);
        assert_eq!(found, (Some(wanted), retried), "{shares:?} to {wanted}");
        pair.assert_alive();
    }
}

#[test]
fn key_shares_are_some_of_the_groups_in_their_order() {
    let setup = Setup::new();
    let [x25519, p256, p384] = [
        NamedGroup::X25519,
        NamedGroup::Secp256r1,
        NamedGroup::Secp384r1,
    ];
    for (shares, error) in [
        (
            vec![x25519, p384],
            Some(BuildError::KeyShareOfNoGroup(p384)),
        ),
        (
            vec![p256, x25519],
            Some(BuildError::KeyShareOutOfOrder(x25519)),
        ),
        (
            vec![x25519, x25519],
            Some(BuildError::KeyShareOutOfOrder(x25519)),
        ),
        (vec![x25519, p256], None),
        (vec![], None),
    ] {
        let client = setup.client().groups([x25519, p256]);
        let built = client.key_shares(shares.iter().copied()).build();
        assert_eq!(built.err(), error, "{shares:?}");
    }
    // A group that is named twice is one.
    for shares in [[x25519, x25519], [p256, x25519]] {
        let client = setup.client().groups([x25519, p256, x25519]);
        let built = client.key_shares(shares).build();
        assert_eq!(built.err(), Some(BuildError::KeyShareOutOfOrder(x25519)));
    }
    // What is too weak for the security level is no group.
    let client = setup.client().security_level(4).groups([x25519, p384]);
    let built = client.key_shares([x25519]).build();
    assert_eq!(built.err(), Some(BuildError::KeyShareOfNoGroup(x25519)));
}

#[test]
fn any_fragmentation_of_the_transport_is_fine() {
    let setup = Setup::new();
    let client = setup
        .client()
        .credential(setup.authority.issue("client", For::Client))
        .build()
        .unwrap();
    let server = setup.server().verify(VerifyMode::PEER).build().unwrap();
    for size in [1, 2, 3, 5, 7, 100, 1000] {
        let mut pair = Pair::new(&client, &server);
        pair.run_in_pieces(size);
        assert_eq!(
            pair.server.completed,
            [Completed::Handshake],
            "pieces of {size}"
        );
        pair.assert_alive();
    }
}

/// The lengths of the records in `output`, without their headers.
fn record_lengths(mut output: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    while let [_, _, _, high, low, rest @ ..] = output {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        lengths.push(length);
        (_, output) = rest.split_at(length);
    }
    assert!(output.is_empty());
    lengths
}

#[test]
fn records_are_no_larger_than_asked() {
    let setup = Setup::new();
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        for size in [512, 1_400, 16_384] {
            let server = setup.server().versions([version]).max_fragment(size);
            let client = setup.client().build().unwrap();
            let mut pair = Pair::new(&client, &server.build().unwrap());
            pair.server.input = std::mem::take(&mut pair.client.output);
            pair.server.process();
            let flight = record_lengths(&pair.server.output);
            let longest = flight.into_iter().max().unwrap();
            assert!(longest <= size + 24, "{version} {size}: {longest}");
            assert!(size > 512 || longest >= size, "{version} {size}: {longest}");
            pair.run();
            let data = vec![7; 40_000];
            pair.server.send(&data).unwrap();
            let lengths = record_lengths(&pair.server.output);
            assert_eq!(lengths.len(), data.len().div_ceil(size), "{version} {size}");
            assert!(lengths.iter().all(|length| *length <= size + 24));
            pair.run();
            assert_eq!(std::mem::take(&mut pair.client.data), data);
            pair.assert_alive();
        }
    }
    for size in [0, 511, 16_385] {
        let refused = setup.client().max_fragment(size).build();
        assert_eq!(refused.err(), Some(BuildError::BadFragmentSize(size)));
    }
}

#[test]
fn an_empty_answer_is_fine_unless_a_certificate_is_required() {
    let setup = Setup::new();
    let client = setup.client().build().unwrap();
    let mut pair = connect(
        &client,
        &setup.server().verify(VerifyMode::PEER).build().unwrap(),
    );
    assert!(
        pair.server
            .connection
            .agreed()
            .unwrap()
            .certificate_requested
    );
    assert!(pair.server.connection.peer().is_none());
    pair.assert_alive();

    let required = VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT;
    let pair = connect(&client, &setup.server().verify(required).build().unwrap());
    assert!(matches!(
        pair.server.error,
        Some(Error::NoPeerCertificate {
            alert: Alert::CertificateRequired
        })
    ));
    // A TLS 1.3 client completes first, and learns of its refusal afterwards.
    assert_eq!(pair.client.completed, [Completed::Handshake]);
    let refused = pair.client.error.unwrap();
    assert!(matches!(
        refused,
        Error::AlertReceived {
            alert: Alert::CertificateRequired,
            during: State::Connected
        }
    ));
    assert!(
        refused.to_string().contains("requires a certificate"),
        "{refused}"
    );
}

#[test]
fn verdicts_may_come_later_in_both_roles() {
    let setup = Setup::new();
    let client = ClientConfig::builder()
        .verifier(Later)
        .credential(setup.authority.issue("client", For::Client))
        .build()
        .unwrap();
    let server = setup
        .server()
        .verifier(Later)
        .verify(VerifyMode::PEER)
        .build()
        .unwrap();
    let mut pair = connect(&client, &server);
    assert_eq!(pair.client.connection.state(), State::AwaitingAnswer);
    let accept = |question| match question {
        Question::Peer(question) => {
            let report = countersign::ChainVerifier::new(setup.authority.trust())
                .report(&question.presented());
            question.answer(Verdict::Follow(report))
        }
        _ => unreachable!(),
    };
    // Nothing moves while the question is open.
    assert!(matches!(
        pair.client.connection.receive(&mut [], &mut Vec::new()),
        Err(Error::Misuse(countersign::Misuse::QuestionOpen))
    ));
    pair.client.answer(accept);
    pair.client.process();
    pair.run();
    assert_eq!(pair.client.completed, [Completed::Handshake]);
    assert_eq!(pair.server.connection.state(), State::AwaitingAnswer);
    pair.server.answer(accept);
    pair.server.process();
    pair.run();
    assert_eq!(pair.server.completed, [Completed::Handshake]);
    assert!(pair.server.connection.peer().unwrap().is_verified());
    pair.assert_alive();
}

#[test]
fn keys_are_updated_in_both_directions() {
    let setup = Setup::new();
    let mut pair = connect(
        &setup.client().build().unwrap(),
        &setup.server().build().unwrap(),
    );
    for _ in 0..3 {
        pair.client
            .connection
            .update_keys(true, &mut pair.client.output)
            .unwrap();
        pair.assert_alive();
        pair.server
            .connection
            .update_keys(false, &mut pair.server.output)
            .unwrap();
        pair.assert_alive();
    }
}

#[test]
fn closing_and_truncation_are_told_apart() {
    let setup = Setup::new();
    let mut pair = connect(
        &setup.client().build().unwrap(),
        &setup.server().build().unwrap(),
    );
    pair.client.send(b"last words").unwrap();
    pair.client.connection.close(&mut pair.client.output);
    pair.run();
    assert_eq!(pair.server.data, b"last words");
    assert!(pair.server.peer_closed);
    assert!(pair.server.connection.end_of_input().is_ok());
    // The other direction is still open.
    pair.server.send(b"and mine").unwrap();
    pair.run();
    assert_eq!(pair.client.data, b"and mine");
    let truncated = pair.client.connection.end_of_input().unwrap_err();
    assert!(
        matches!(
            truncated,
            Error::Truncated {
                during: State::Connected
            }
        ),
        "{truncated}"
    );
}

#[test]
fn alpn_is_negotiated_or_refused() {
    let setup = Setup::new();
    let server = setup.server().alpn(["h2", "http/1.1"]).build().unwrap();
    let pair = connect(&setup.client().alpn(["http/1.1"]).build().unwrap(), &server);
    assert_eq!(
        pair.client.connection.agreed().unwrap().alpn.as_deref(),
        Some(&b"http/1.1"[..])
    );
    assert_eq!(
        pair.server.connection.agreed().unwrap().alpn.as_deref(),
        Some(&b"http/1.1"[..])
    );

    let pair = connect(&setup.client().alpn(["smtp"]).build().unwrap(), &server);
    let error = pair.server.error.unwrap();
    assert_eq!(error.alert(), Some(Alert::NoApplicationProtocol));
    assert!(error.to_string().contains("h2, http/1.1"), "{error}");
    assert!(matches!(
        pair.client.error,
        Some(Error::AlertReceived {
            alert: Alert::NoApplicationProtocol,
            ..
        })
    ));
}

#[test]
fn both_ends_export_the_same_keying_material() {
    let setup = Setup::new();
    let pair = connect(
        &setup.client().build().unwrap(),
        &setup.server().build().unwrap(),
    );
    let export = |end: &pair::End, label: &[u8]| {
        let mut out = [0; 40];
        end.connection
            .export_keying_material(label, Some(b"context"), &mut out)
            .unwrap();
        out
    };
    assert_eq!(
        export(&pair.client, b"EXPERIMENTAL"),
        export(&pair.server, b"EXPERIMENTAL")
    );
    assert_ne!(
        export(&pair.client, b"EXPERIMENTAL"),
        export(&pair.client, b"EXPERIMENTAL 2")
    );
}

#[test]
fn a_damaged_record_ends_the_connection_with_bad_record_mac() {
    let setup = Setup::new();
    let mut pair = connect(
        &setup.client().build().unwrap(),
        &setup.server().build().unwrap(),
    );
    pair.client.send(b"first").unwrap();
    let end_of_first = pair.client.output.len();
    pair.client.send(b"second").unwrap();
    pair.client.output[end_of_first + 10] ^= 1;
    pair.run();
    // What was authenticated is delivered.
    assert_eq!(pair.server.data, b"first");
    assert!(matches!(
        pair.server.error,
        Some(Error::PeerViolated {
            violation: Violation::BadRecordMac,
            alert: Alert::BadRecordMac
        })
    ));
    assert!(matches!(
        pair.client.error,
        Some(Error::AlertReceived {
            alert: Alert::BadRecordMac,
            ..
        })
    ));
    assert!(pair.server.send(b"too late").is_err());
}

#[test]
fn something_that_is_not_tls_gets_a_sentence() {
    let setup = Setup::new();
    let mut pair = Pair::new(
        &setup.client().build().unwrap(),
        &setup.server().build().unwrap(),
    );
    pair.client
        .input
        .extend_from_slice(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    pair.client.process();
    let error = pair.client.error.unwrap();
    assert!(error.to_string().contains("not a TLS server"), "{error}");
}

#[test]
fn an_application_may_refuse_a_peer() {
    let setup = Setup::new();
    let client = ClientConfig::builder()
        .verifier(|_: &countersign::Presented<'_>| Verdict::Reject {
            alert: Alert::AccessDenied,
            because: "not on the list".to_owned(),
        })
        .peer_names(PeerNames::Unchecked)
        .build()
        .unwrap();
    let pair = connect(&client, &setup.server().build().unwrap());
    let error = pair.client.error.unwrap();
    assert_eq!(error.alert(), Some(Alert::AccessDenied));
    assert!(error.to_string().contains("not on the list"), "{error}");
    assert!(matches!(
        pair.server.error,
        Some(Error::AlertReceived {
            alert: Alert::AccessDenied,
            ..
        })
    ));
    assert_eq!(
        pair.client
            .connection
            .verify_result()
            .map(countersign::VerifyCode::number),
        Some(50)
    );
}

/// Used so that the type is nameable for users who make their own.
#[expect(dead_code, reason = "compiling it is the test")]
fn reports_are_plain_values(report: Report) -> impl Send + Sync + Clone + 'static {
    report
}

/// RFC 9846 §6.2: a fatal alert ends the connection for both ends, and nothing follows it.
#[test]
fn an_application_may_end_a_connection_with_an_alert() {
    let setup = Setup::new();
    for in_handshake in [true, false] {
        let mut pair = Pair::new(
            &setup.client().build().unwrap(),
            &setup.server().build().unwrap(),
        );
        if !in_handshake {
            pair.run();
        }
        let server = &mut pair.server;
        server
            .connection
            .abort(Alert::AccessDenied, &mut server.output);
        server
            .connection
            .abort(Alert::InternalError, &mut server.output);
        server.connection.close(&mut server.output);
        assert!(matches!(server.send(b"more"), Err(Error::Closed)));
        pair.run();
        assert!(matches!(
            pair.client.error,
            Some(Error::AlertReceived {
                alert: Alert::AccessDenied,
                ..
            })
        ));
        assert_eq!(pair.server.connection.state(), State::Closed);
    }
}

#[test]
fn a_security_level_leaves_out_what_is_weaker() {
    let setup = Setup::new();
    // The server's key is of P-256, 128 bits: too weak for level 4.
    let error = setup.server().security_level(4).build().unwrap_err();
    assert!(error.to_string().contains("128 bits"), "{error}");
    // A client of level 4 offers nothing that such a server could sign with.
    let pair = connect(
        &setup.client().security_level(4).build().unwrap(),
        &setup.server().build().unwrap(),
    );
    assert_eq!(
        pair.server.error.unwrap().alert(),
        Some(Alert::HandshakeFailure)
    );
}
