//! Records that must not be sent, and messages that come where they must not.

use ::countersign::{Limits, Violation};
use countersign_tests::endpoint::Side::{Client, Server};
use countersign_tests::endpoint::{PlainLine, run_until_idle};
use countersign_tests::intercept::Outgoing;
use countersign_tests::peers::countersign::{Countersign, client_builder};
use countersign_tests::peers::{KeyKind, Setup, openssl};
use countersign_tests::wiretap::{Epoch, Piece};
use countersign_tests::wrong_peer::{VICTIMS, after, bytes, change, converse_as, message, setups};

use crate::blame::{assert_blamed, assert_violation};
use crate::{RETRY, SERVER_HELLO, SERVER_VERIFY};

type Records = fn(&Piece) -> Vec<Outgoing>;

pub(crate) fn provoke_all() {
    instead_of_data();
    in_the_handshake();
    before_the_keys();
    without_end();
    over_the_limits();
    requests_that_nobody_offered_to_answer();
}

#[test]
fn instead_of_data() {
    let cases: &[(Violation, Records)] = &[
        (Violation::UnknownContentType, |piece| {
            vec![Outgoing::record(piece.epoch, 99, [1])]
        }),
        (Violation::RecordTooLong, |_| {
            vec![Outgoing::Bytes(vec![23, 3, 3, 0x41, 1])]
        }),
        (Violation::PlaintextTooLong, |piece| {
            vec![Outgoing::record(piece.epoch, 23, vec![0; (1 << 14) + 1])]
        }),
        (Violation::BadRecordMac, |_| {
            vec![Outgoing::Bytes([&[23, 3, 3, 0, 32][..], &[9; 32]].concat())]
        }),
        (Violation::OnlyPadding, |piece| {
            vec![Outgoing::record(piece.epoch, 0, [])]
        }),
        (Violation::UnencryptedRecord, |_| {
            vec![Outgoing::record(Epoch::Plain, 22, message(24, &[0]))]
        }),
        (Violation::UnexpectedChangeCipherSpec, |_| {
            vec![Outgoing::record(Epoch::Plain, 20, [1])]
        }),
        (Violation::InterleavedRecords, |piece| {
            let half = Outgoing::record(piece.epoch, 22, [24, 0]);
            vec![half, Outgoing::record(piece.epoch, 23, [1])]
        }),
        (Violation::UnexpectedMessage, |piece| {
            vec![Outgoing::handshake(piece.epoch, message(99, &[1]))]
        }),
    ];
    for victim in VICTIMS {
        for (violation, records) in cases {
            let outcome = after(victim, records);
            assert_violation(
                outcome.error.as_ref(),
                *violation,
                &format!("victim {victim}"),
            );
            assert_eq!(outcome.alerts, [violation.alert().code()], "{violation}");
        }
    }
}

#[test]
fn in_the_handshake() {
    let cases: &[(Violation, Records)] = &[
        (Violation::EarlyApplicationData, |piece| {
            vec![Outgoing::record(piece.epoch, 23, [1])]
        }),
        (Violation::MalformedChangeCipherSpec, |_| {
            vec![Outgoing::record(Epoch::Plain, 20, [2])]
        }),
        (Violation::TooManyChangeCipherSpecs, |_| {
            vec![Outgoing::record(Epoch::Plain, 20, [1]); 100]
        }),
        (Violation::TrailingData, |piece| {
            let whole = bytes(piece);
            let longer = message(whole[0], &[&whole[4..], &[0]].concat());
            vec![Outgoing::handshake(piece.epoch, longer)]
        }),
        (Violation::BadHandshakeSignature, |piece| {
            let mut forged = bytes(piece).to_vec();
            // The last byte of an ECDSA signature, which stays well-formed.
            *forged.last_mut().unwrap() ^= 1;
            vec![Outgoing::handshake(piece.epoch, forged)]
        }),
    ];
    for (violation, records) in cases {
        let outcome = change(Client, SERVER_VERIFY, records);
        assert_blamed(&outcome, *violation, &format!("{violation:?}"));
    }
    let outcome = change(Client, SERVER_VERIFY + 1, |piece| {
        let mut forged = bytes(piece).to_vec();
        forged[4] ^= 1;
        vec![Outgoing::handshake(piece.epoch, forged)]
    });
    assert_blamed(&outcome, Violation::BadFinished, "Finished");
    let outcome = change(Client, crate::ENCRYPTED_EXTENSIONS, |piece| {
        // The list of groups is shorter than it says.
        let body = [0, 6, 0, 10, 0, 2, 0, 9];
        vec![Outgoing::handshake(piece.epoch, message(8, &body))]
    });
    assert_blamed(&outcome, Violation::MalformedExtension, "groups");
}

#[test]
fn before_the_keys() {
    let outcome = change(Client, RETRY, |_| {
        vec![Outgoing::Bytes(b"HTTP/1.1 400 Bad Request\r\n".to_vec())]
    });
    assert_blamed(&outcome, Violation::NotTls, "HTTP");
    let outcome = change(Client, SERVER_HELLO, |piece| {
        let more = [bytes(piece), &[8, 0]].concat();
        vec![Outgoing::handshake(piece.epoch, more)]
    });
    assert_blamed(
        &outcome,
        Violation::MessageAcrossKeyChange,
        "two bytes more",
    );
    let mut retry = Vec::new();
    let (client, server) = setups();
    let outcome = converse_as((client, server), Client, |piece| {
        if piece.message_type() != Some(2) {
            return piece.unchanged();
        }
        if retry.is_empty() {
            retry = bytes(piece).to_vec();
        }
        vec![Outgoing::handshake(piece.epoch, retry.clone())]
    });
    assert_blamed(&outcome, Violation::SecondRetry, "the same again");
}

#[test]
fn without_end() {
    let many = 1_000;
    let repeat = |records: Vec<Outgoing>, violation: Violation| {
        let outcome = after(Client, |_| records.clone());
        assert_violation(outcome.error.as_ref(), violation, "again and again");
        assert_eq!(outcome.alerts, [violation.alert().code()]);
    };
    let now = Epoch::Application(0);
    let empty = vec![Outgoing::record(now, 23, []); many];
    repeat(empty, Violation::TooManyEmptyRecords);
    let warnings = vec![Outgoing::record(now, 21, [1, 90]); many];
    repeat(warnings, Violation::TooManyWarnings);
    let ticket = message(4, &[&[0; 8][..], &[1, 7, 0, 1, 9, 0, 0]].concat());
    let tickets = vec![Outgoing::handshake(now, ticket); many];
    repeat(tickets, Violation::TooManyMessages);
    let updates = (0..100)
        .map(|number| Outgoing::handshake(Epoch::Application(number), message(24, &[0])))
        .collect();
    repeat(updates, Violation::TooManyKeyUpdates);
}

#[test]
fn over_the_limits() {
    type Lower = fn(&mut Limits);
    let cases: [(Violation, Lower); 3] = [
        (Violation::HandshakeTooLong, |limits| {
            limits.handshake_size = 300;
        }),
        (Violation::MessageTooLong, |limits| {
            limits.message_size = 300;
        }),
        (Violation::TooManyCertificates, |limits| {
            limits.certificates = 0;
        }),
    ];
    for (violation, lower) in cases {
        let (client, server) = setups();
        let mut limits = Limits::default();
        lower(&mut limits);
        let config = client_builder(&client).limits(limits).build().unwrap();
        let mut end = Countersign::client(&config);
        run_until_idle(&mut end, &mut openssl::server(&server), &mut PlainLine);
        assert_violation(end.error(), violation, "a lower limit");
    }
}

#[test]
fn requests_that_nobody_offered_to_answer() {
    let request = message(
        13,
        &[&[1, 7, 0, 8][..], &[0, 13, 0, 4, 0, 2, 4, 3]].concat(),
    );
    let cases = [
        (vec![], Violation::UnexpectedPostHandshakeRequest),
        (vec!["h2"], Violation::PostHandshakeRequestUnderHttp2),
    ];
    for (alpn, violation) in cases {
        let client = Setup {
            identity: None,
            alpn: alpn.clone(),
            ..Setup::client(KeyKind::EcdsaP256)
        };
        let server = Setup {
            alpn,
            ..Setup::server(KeyKind::EcdsaP256)
        };
        let outcome = converse_as((client, server), Client, |piece| match piece.content {
            countersign_tests::wiretap::Content::Data(_) => {
                vec![Outgoing::handshake(piece.epoch, request.clone())]
            }
            _ => piece.unchanged(),
        });
        assert_violation(outcome.error.as_ref(), violation, "a request");
        assert_eq!(outcome.alerts, [violation.alert().code()]);
    }
    // A server is never asked.
    let outcome = after(Server, |piece| {
        vec![Outgoing::handshake(piece.epoch, request.clone())]
    });
    let violation = Violation::UnexpectedMessage;
    assert_violation(outcome.error.as_ref(), violation, "a server");
}
