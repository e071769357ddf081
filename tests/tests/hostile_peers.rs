//! What a peer may do, however odd, and what it may not do, however long it tries.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a broken assumption must stop the test"
)]

use ::countersign::{Alert, Error, Limits, Violation};
use countersign_tests::edit;
use countersign_tests::endpoint::{Endpoint as _, PlainLine, Side, run_until_idle};
use countersign_tests::intercept::Outgoing;
use countersign_tests::peers::countersign::{Countersign, client_builder};
use countersign_tests::peers::{self, openssl};
use countersign_tests::wiretap::{Content, Epoch, Piece};
use countersign_tests::wrong_peer::{
    Outcome, VICTIMS, after, bytes, change, converse, message, script, setups,
};

const UNEXPECTED_MESSAGE: u8 = 10;
const BAD_RECORD_MAC: u8 = 20;
const BAD_CERTIFICATE: u8 = 42;
const ILLEGAL_PARAMETER: u8 = 47;

const PADDING: u16 = 21;

fn assert_fine(outcome: &Outcome, what: &str) {
    assert!(
        outcome.completed && outcome.alerts.is_empty(),
        "{what}: {outcome:?}"
    );
    assert_eq!(outcome.received, b"data", "{what}");
}

fn assert_refused(outcome: &Outcome, alert: u8, what: &str) {
    let blamed = outcome.error.as_ref().and_then(Error::alert);
    let seen = (outcome.alerts.as_slice(), blamed.map(Alert::code));
    assert_eq!(
        seen,
        (&[alert][..], Some(alert)),
        "{what}: {:?}",
        outcome.error
    );
}

#[test]
fn messages_may_come_a_byte_a_record() {
    for victim in VICTIMS {
        let outcome = converse(victim, |piece| match &piece.content {
            Content::Handshake(message) => piece.in_fragments(message, 1),
            _ => piece.unchanged(),
        });
        assert_fine(&outcome, &format!("victim {victim}"));
    }
}

#[test]
fn all_messages_under_one_key_may_come_in_one_record() {
    for victim in VICTIMS {
        let mut held = Vec::new();
        let outcome = converse(victim, |piece| {
            if piece.epoch != Epoch::Handshake || piece.message_type().is_none() {
                return piece.unchanged();
            }
            held.extend_from_slice(bytes(piece));
            if piece.message_type() == Some(20) {
                piece.in_fragments(&held, 1 << 14)
            } else {
                Vec::new()
            }
        });
        assert_fine(&outcome, &format!("victim {victim}"));
    }
}

#[test]
fn records_may_be_padded_to_their_full_size() {
    for victim in VICTIMS {
        let outcome = converse(victim, |piece| {
            let mut records = piece.unchanged();
            for record in &mut records {
                if let Outgoing::Record {
                    content, padding, ..
                } = record
                {
                    *padding = (1 << 14) - content.len();
                }
            }
            records
        });
        assert_fine(&outcome, &format!("victim {victim}"));
    }
}

#[test]
fn compatibility_records_may_come_between_messages() {
    for victim in VICTIMS {
        let outcome = converse(victim, |piece| {
            let mut records = piece.unchanged();
            if piece.message_type() == Some(20) {
                records.insert(0, Outgoing::record(Epoch::Plain, 20, [1]));
            }
            records
        });
        assert_fine(&outcome, &format!("victim {victim}"));
    }
}

#[test]
fn the_header_of_a_huge_message_is_enough_to_refuse_it() {
    for victim in VICTIMS {
        for (at, right) in script(victim.other()).iter().enumerate() {
            let outcome = change(victim, at, |piece| {
                vec![Outgoing::handshake(
                    piece.epoch,
                    [right[0], 0xff, 0xff, 0xff],
                )]
            });
            let what = format!("victim {victim}, type {}", right[0]);
            assert!(!outcome.completed, "{what}");
            assert_refused(&outcome, ILLEGAL_PARAMETER, &what);
        }
    }
}

/// A `Certificate` with this many copies of a certificate of this many bytes.
fn bomb(count: usize, size: usize) -> Vec<u8> {
    let three = |length: usize| u32::try_from(length).unwrap().to_be_bytes()[1..].to_vec();
    let entry = [three(size), vec![0x30; size], vec![0, 0]].concat();
    let list = entry.repeat(count);
    message(11, &[vec![0], three(list.len()), list].concat())
}

#[test]
fn certificates_without_end_are_refused() {
    for victim in VICTIMS {
        let script = script(victim.other());
        let at = script.iter().position(|message| message[0] == 11).unwrap();
        let many = change(victim, at, |piece| {
            piece.in_fragments(&bomb(65, 100), 1 << 14)
        });
        assert_refused(&many, BAD_CERTIFICATE, "65 certificates");
        let large = change(victim, at, |piece| {
            piece.in_fragments(&bomb(2, 70_000), 1 << 14)
        });
        assert_refused(&large, ILLEGAL_PARAMETER, "140 KB");
    }
}

/// What stands before the extensions has room too, and no more.
#[test]
fn a_client_hello_may_fill_its_extensions() {
    let full = change(Side::Server, 0, |piece| {
        let filled = edit::hello(bytes(piece), |hello| {
            let taken: usize = hello.extensions.iter().map(|(_, it)| 4 + it.len()).sum();
            let padding = usize::from(u16::MAX) - taken - 4;
            hello.extensions.push((PADDING, vec![0; padding]));
        });
        assert!(filled.len() > 1 << 16, "{}", filled.len());
        piece.in_fragments(&filled, 1 << 14)
    });
    // It was answered; the client is who sees that it was changed.
    assert!(full.alerts.is_empty(), "{full:?}");
    let error = full.error.as_ref();
    assert!(
        matches!(error, Some(Error::AlertReceived { .. })),
        "{error:?}"
    );
    let longer = change(Side::Server, 0, |piece| {
        piece.in_fragments(&[1, 1, 4, 1], 1 << 14)
    });
    assert_refused(&longer, ILLEGAL_PARAMETER, "65 KiB and a byte");
}

/// Repeats something in place of the data, and then sends the data.
fn repeated(victim: Side, count: u32, what: impl Fn(&Piece, u32) -> Outgoing) -> Outcome {
    after(victim, |piece| {
        let mut records: Vec<_> = (0..count).map(|number| what(piece, number)).collect();
        records.extend(piece.unchanged());
        records
    })
}

#[test]
fn nothing_may_be_repeated_without_end() {
    let limits = Limits::default();
    let ticket = message(4, &[&[0; 8][..], &[1, 7, 0, 1, 9, 0, 0]].concat());
    for victim in VICTIMS {
        let empty = |piece: &Piece, _| Outgoing::record(piece.epoch, 23, []);
        let warning = |piece: &Piece, _| Outgoing::record(piece.epoch, 21, [1, 90]);
        let fine = repeated(victim, limits.empty_records, empty);
        assert_fine(&fine, "empty records");
        let flood = repeated(victim, limits.empty_records + 1, empty);
        assert_refused(&flood, UNEXPECTED_MESSAGE, "empty records");
        let fine = repeated(victim, limits.warnings, warning);
        assert_fine(&fine, "warnings");
        let flood = repeated(victim, limits.warnings + 1, warning);
        assert_refused(&flood, UNEXPECTED_MESSAGE, "warnings");
        // After a KeyUpdate the next keys are used.
        let update =
            |_: &Piece, number| Outgoing::handshake(Epoch::Application(number), message(24, &[0]));
        let flood = repeated(victim, limits.key_updates + 1, update);
        assert_refused(&flood, UNEXPECTED_MESSAGE, "key updates");
    }
    let another = |piece: &Piece, _| Outgoing::handshake(piece.epoch, ticket.clone());
    // OpenSSL has sent two of its own.
    let fine = repeated(Side::Client, limits.messages_after_handshake - 2, another);
    assert_fine(&fine, "tickets");
    let flood = repeated(Side::Client, limits.messages_after_handshake - 1, another);
    assert_refused(&flood, UNEXPECTED_MESSAGE, "tickets");
}

#[test]
fn compatibility_records_without_end_are_refused() {
    for victim in VICTIMS {
        let outcome = change(victim, 1, |piece| {
            let mut records = vec![Outgoing::record(Epoch::Plain, 20, [1]); 100];
            records.extend(piece.unchanged());
            records
        });
        assert_refused(&outcome, UNEXPECTED_MESSAGE, &format!("victim {victim}"));
    }
}

/// Whoever sits on the line can inject what needs no key. It must not look like the peer's word.
#[test]
fn an_injected_alert_is_not_taken_for_the_peers() {
    for victim in VICTIMS {
        for alert in [[1, 0], [2, 40]] {
            let outcome = after(victim, |piece| {
                let mut records = vec![Outgoing::record(Epoch::Plain, 21, alert)];
                records.extend(piece.unchanged());
                records
            });
            let what = format!("victim {victim}, alert {alert:?}");
            assert_refused(&outcome, UNEXPECTED_MESSAGE, &what);
            assert!(outcome.received.is_empty(), "{what}");
        }
    }
}

#[test]
fn a_replayed_record_is_refused() {
    let (client, server) = setups();
    let mut from = peers::countersign::client(&client);
    let mut to = openssl::server(&server);
    run_until_idle(&mut from, &mut to, &mut PlainLine);
    to.write(b"once");
    let record = to.exchange(&[]);
    from.exchange(&record);
    assert!(from.is_fine());
    from.exchange(&record);
    assert_eq!(from.received(), b"once");
    let alert = from.error().and_then(Error::alert);
    assert_eq!(alert.map(Alert::code), Some(BAD_RECORD_MAC));
}

/// Lets a new pair talk until the flight that ends the handshake for `victim`, gives it the
/// first `length` bytes of that and then the end of the stream. Also gives the flight's length.
fn truncated(victim: Side, length: usize) -> (Countersign, usize) {
    let (client, server) = setups();
    let mut from = peers::countersign::client(&client);
    let mut to = peers::countersign::server(&server);
    let retry = to.exchange(&from.exchange(&[]));
    let flight = to.exchange(&from.exchange(&retry));
    let (mut end, flight) = match victim {
        Side::Client => (from, flight),
        Side::Server => {
            let flight = from.exchange(&flight);
            (to, flight)
        }
    };
    end.exchange(&flight[..length.min(flight.len() - 1)]);
    end.end_of_input();
    (end, flight.len())
}

#[test]
fn a_stream_that_ends_anywhere_is_truncated() {
    for victim in VICTIMS {
        let (_, length) = truncated(victim, 0);
        // The flight's length varies by a few bytes, with its signature.
        for cut in (0..length).step_by(7).chain(length - 10..length + 10) {
            let (end, _) = truncated(victim, cut);
            let error = end.error().unwrap();
            assert!(matches!(error, Error::Truncated { .. }), "{cut}: {error}");
            let sentence = error.to_string();
            assert!(sentence.contains("without a close_notify"), "{sentence}");
            assert!(!end.completed() && end.connection().peer().is_none());
        }
    }
}

#[test]
fn limits_may_be_lowered() {
    type Lower = fn(&mut Limits);
    let cases: [(Lower, Violation); 3] = [
        (
            |limits| limits.handshake_size = 300,
            Violation::HandshakeTooLong,
        ),
        (
            |limits| limits.message_size = 300,
            Violation::MessageTooLong,
        ),
        (
            |limits| limits.certificates = 0,
            Violation::TooManyCertificates,
        ),
    ];
    for (lower, expected) in cases {
        let (client, server) = setups();
        let mut limits = Limits::default();
        lower(&mut limits);
        let config = client_builder(&client).limits(limits).build().unwrap();
        let mut from = Countersign::client(&config);
        run_until_idle(&mut from, &mut openssl::server(&server), &mut PlainLine);
        let violation = match from.error() {
            Some(Error::PeerViolated { violation, .. }) => Some(*violation),
            _ => None,
        };
        assert_eq!(violation, Some(expected), "{:?}", from.error());
    }
}

#[test]
fn an_alert_at_any_await_ends_the_handshake() {
    for victim in VICTIMS {
        for at in 0..script(victim.other()).len() {
            let outcome = |alert: [u8; 2]| {
                change(victim, at, |piece| {
                    vec![Outgoing::record(piece.epoch, 21, alert)]
                })
            };
            let what = format!("victim {victim}, message {at}");
            let closed = outcome([1, 0]);
            assert!(
                matches!(closed.error, Some(Error::Closed)),
                "{what}: {closed:?}"
            );
            assert!(
                !closed.completed && closed.alerts.iter().all(|alert| *alert == 0),
                "{what}"
            );
            // RFC 9846 §6: the level does not matter.
            for level in [1, 2] {
                let refused = outcome([level, 40]);
                let alert = match refused.error {
                    Some(Error::AlertReceived { alert, .. }) => Some(alert),
                    _ => None,
                };
                assert_eq!(alert, Some(Alert::HandshakeFailure), "{what}");
                assert!(!refused.completed && refused.alerts.is_empty(), "{what}");
            }
        }
    }
}
