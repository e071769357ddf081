//! A peer that does the wrong thing under the right keys: at every await of both handshakes
//! every wrong message, and every message damaged in every way, each with its alert.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a broken assumption must stop the test"
)]

use countersign_tests::endpoint::Side;
use countersign_tests::intercept::Outgoing;
use countersign_tests::peers::{KeyKind, Setup};
use countersign_tests::wiretap::{Content, Epoch, Piece};
use countersign_tests::wrong_peer::{VICTIMS, after, bytes, change, converse_as, message, script};

const UNEXPECTED_MESSAGE: u8 = 10;
const BAD_RECORD_MAC: u8 = 20;
const RECORD_OVERFLOW: u8 = 22;
const ILLEGAL_PARAMETER: u8 = 47;
const DECODE_ERROR: u8 = 50;
const DECRYPT_ERROR: u8 = 51;

/// Tries a change at every message that the victim waits for.
fn at_every_await(
    what: &str,
    expected: impl Fn(&[u8]) -> u8,
    instead: impl Fn(&Piece, &[u8]) -> Vec<Outgoing>,
) {
    let mut complaints = Vec::new();
    for victim in VICTIMS {
        for (at, message) in script(victim.other()).iter().enumerate() {
            let outcome = change(victim, at, |piece| instead(piece, bytes(piece)));
            if let Some(complaint) = outcome.complaint(expected(message)) {
                let place = format!("victim {victim}, message {at} of type {}", message[0]);
                complaints.push(format!("{what}, {place}: {complaint}"));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// A message of every type there is or was, and of some that never were. Those that this
/// handshake knows are real ones.
fn catalogue() -> Vec<Vec<u8>> {
    let ticket = [&[0; 8][..], &[1, 7, 0, 1, 9, 0, 0]].concat();
    let mut all = vec![
        message(0, &[]),
        message(3, &[3, 3, 0]),
        message(4, &ticket),
        message(5, &[]),
        message(6, &[3, 4]),
        message(8, &[0, 0]),
        message(12, &[0; 40]),
        message(14, &[]),
        message(16, &[0; 40]),
        message(21, &[0; 8]),
        message(22, &[1, 0, 0, 1, 9]),
        message(24, &[0]),
        message(25, &[0; 12]),
        message(67, &[]),
        message(99, &[1, 2, 3]),
        message(254, &[0; 32]),
        message(255, &[]),
    ];
    let mut known = [script(Side::Client), script(Side::Server)].concat();
    known.retain(|real| real[0] != 8);
    known.dedup_by_key(|real| real[0]);
    all.extend(known);
    all
}

#[test]
fn every_wrong_message_at_every_await() {
    let mut tried = 0;
    let mut complaints = Vec::new();
    let catalogue = catalogue();
    for victim in VICTIMS {
        for (at, right) in script(victim.other()).iter().enumerate() {
            // A server may go on with its Certificate where a request was due.
            let fits = |wrong: u8| wrong == right[0] || (right[0], wrong) == (13, 11);
            for wrong in catalogue.iter().filter(|wrong| !fits(wrong[0])) {
                let outcome = change(victim, at, |piece| piece.in_fragments(wrong, 1 << 14));
                tried += 1;
                if let Some(complaint) = outcome.complaint(UNEXPECTED_MESSAGE) {
                    let place = format!("victim {victim}, {} for {}", wrong[0], right[0]);
                    complaints.push(format!("{place}: {complaint}"));
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(tried > 200, "only {tried}");
}

#[test]
fn a_message_that_is_left_out() {
    let mut complaints = Vec::new();
    for victim in VICTIMS {
        let script = script(victim.other());
        for (at, message) in script.iter().enumerate() {
            // Without a hello, or the last message, both ends wait.
            let is_retry = victim == Side::Client && at == 0;
            if message[0] == 1 || is_retry || at == script.len() - 1 {
                continue;
            }
            // A server may do without a request, but then the client's Finished is wrong,
            // or rather the server's own, since the transcript differs.
            let expected = match message[0] {
                13 => DECRYPT_ERROR,
                _ => UNEXPECTED_MESSAGE,
            };
            let outcome = change(victim, at, |_| Vec::new());
            if let Some(complaint) = outcome.complaint(expected) {
                complaints.push(format!("victim {victim}, {}: {complaint}", message[0]));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_message_that_comes_twice() {
    let mut complaints = Vec::new();
    for victim in VICTIMS {
        let script = script(victim.other());
        for (at, message) in script.iter().enumerate().take(script.len() - 1) {
            let outcome = change(victim, at, |piece| {
                [piece.unchanged(), piece.unchanged()].concat()
            });
            // After a retry another ClientHello is due, but not the same.
            let expected = match (message[0], at) {
                (1, 0) => ILLEGAL_PARAMETER,
                _ => UNEXPECTED_MESSAGE,
            };
            if let Some(complaint) = outcome.complaint(expected) {
                complaints.push(format!("victim {victim}, {}: {complaint}", message[0]));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_second_retry() {
    let retry = script(Side::Server)[0].clone();
    let outcome = change(Side::Client, 1, |piece| {
        vec![Outgoing::handshake(piece.epoch, retry.clone())]
    });
    assert_eq!(outcome.complaint(UNEXPECTED_MESSAGE), None);
}

#[test]
fn every_wrong_message_after_the_handshake() {
    for victim in VICTIMS {
        for wrong in catalogue() {
            // Both take a KeyUpdate; a client takes tickets, and a request if it has offered to.
            if wrong[0] == 24 || (victim == Side::Client && matches!(wrong[0], 4 | 13)) {
                continue;
            }
            let outcome = after(victim, |piece| piece.in_fragments(&wrong, 1 << 14));
            let place = format!("victim {victim}, type {}", wrong[0]);
            assert!(outcome.completed, "{place}");
            assert_eq!(outcome.alerts, [UNEXPECTED_MESSAGE], "{place}");
        }
    }
}

#[test]
fn a_request_after_the_handshake_that_was_not_offered() {
    let request = script(Side::Server)
        .into_iter()
        .find(|message| message[0] == 13)
        .unwrap();
    // A client without a certificate does not offer to be asked later.
    let setups = (Setup::default(), Setup::server(KeyKind::EcdsaP256));
    let outcome = converse_as(setups, Side::Client, |piece| match piece.content {
        Content::Data(_) => piece.in_fragments(&request, 1 << 14),
        _ => piece.unchanged(),
    });
    assert!(outcome.completed);
    assert_eq!(outcome.alerts, [UNEXPECTED_MESSAGE], "{:?}", outcome.error);
}

#[test]
fn a_message_that_is_a_byte_short() {
    at_every_await(
        "a byte short",
        |_| DECODE_ERROR,
        |piece, right| {
            let shorter = message(right[0], &right[4..right.len() - 1]);
            vec![Outgoing::handshake(piece.epoch, shorter)]
        },
    );
}

#[test]
fn a_message_that_is_a_byte_long() {
    at_every_await(
        "a byte long",
        |_| DECODE_ERROR,
        |piece, right| {
            let longer = message(right[0], &[&right[4..], &[0]].concat());
            vec![Outgoing::handshake(piece.epoch, longer)]
        },
    );
}

#[test]
fn an_empty_message() {
    at_every_await(
        "empty",
        |_| DECODE_ERROR,
        |piece, right| vec![Outgoing::handshake(piece.epoch, message(right[0], &[]))],
    );
}

#[test]
fn data_in_the_middle_of_the_handshake() {
    at_every_await(
        "application data",
        |_| UNEXPECTED_MESSAGE,
        |piece, _| vec![Outgoing::record(piece.epoch, 23, *b"too early")],
    );
}

#[test]
fn a_record_between_the_fragments_of_a_message() {
    at_every_await(
        "change_cipher_spec between fragments",
        |_| UNEXPECTED_MESSAGE,
        |piece, right| {
            vec![
                Outgoing::handshake(piece.epoch, &right[..3]),
                Outgoing::record(Epoch::Plain, 20, [1]),
                Outgoing::handshake(piece.epoch, &right[3..]),
            ]
        },
    );
}

#[test]
fn an_empty_handshake_record() {
    at_every_await(
        "an empty record",
        |_| UNEXPECTED_MESSAGE,
        |piece, _| vec![Outgoing::handshake(piece.epoch, [])],
    );
}

#[test]
fn a_record_of_an_unknown_type() {
    at_every_await(
        "content type 99",
        |_| UNEXPECTED_MESSAGE,
        |piece, right| vec![Outgoing::record(piece.epoch, 99, right)],
    );
}

#[test]
fn a_malformed_change_cipher_spec() {
    for content in [&[2][..], &[1, 1], &[]] {
        at_every_await(
            "a malformed change_cipher_spec",
            |_| UNEXPECTED_MESSAGE,
            |_, _| vec![Outgoing::record(Epoch::Plain, 20, content)],
        );
    }
}

#[test]
fn a_protected_change_cipher_spec() {
    for victim in VICTIMS {
        for (at, right) in script(victim.other()).iter().enumerate() {
            if is_protected(right) {
                let outcome = change(victim, at, |piece| {
                    [
                        vec![Outgoing::record(piece.epoch, 20, [1])],
                        piece.unchanged(),
                    ]
                    .concat()
                });
                let complaint = outcome.complaint(UNEXPECTED_MESSAGE);
                assert_eq!(complaint, None, "victim {victim}, {}", right[0]);
            }
        }
    }
}

#[test]
fn a_change_cipher_spec_before_the_first_hello_or_after_the_handshake() {
    let outcome = change(Side::Server, 0, |piece| {
        [
            vec![Outgoing::record(Epoch::Plain, 20, [1])],
            piece.unchanged(),
        ]
        .concat()
    });
    assert_eq!(outcome.complaint(UNEXPECTED_MESSAGE), None);
    for victim in VICTIMS {
        let outcome = after(victim, |piece| {
            [
                vec![Outgoing::record(Epoch::Plain, 20, [1])],
                piece.unchanged(),
            ]
            .concat()
        });
        assert_eq!(outcome.alerts, [UNEXPECTED_MESSAGE], "victim {victim}");
    }
}

#[test]
fn a_message_that_runs_across_a_change_of_keys() {
    let mut complaints = Vec::new();
    for victim in VICTIMS {
        let script = script(victim.other());
        for (at, message) in script.iter().enumerate() {
            let is_last = match (victim, message[0]) {
                (Side::Client, 2) => at > 0,
                (_, 20) => true,
                _ => false,
            };
            if !is_last {
                continue;
            }
            let outcome = change(victim, at, |piece| {
                let more = [bytes(piece), &[24, 0]].concat();
                vec![Outgoing::handshake(piece.epoch, more)]
            });
            if let Some(complaint) = outcome.complaint(UNEXPECTED_MESSAGE) {
                complaints.push(format!("victim {victim}, {}: {complaint}", message[0]));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Whether a message is protected, from its type and place.
fn is_protected(message: &[u8]) -> bool {
    !matches!(message[0], 1 | 2)
}

#[test]
fn a_message_without_the_protection_that_is_due() {
    let mut tried = 0;
    for victim in VICTIMS {
        for (at, right) in script(victim.other()).iter().enumerate() {
            if is_protected(right) {
                let outcome = change(victim, at, |piece| {
                    vec![Outgoing::handshake(Epoch::Plain, bytes(piece))]
                });
                let complaint = outcome.complaint(UNEXPECTED_MESSAGE);
                assert_eq!(complaint, None, "victim {victim}, {}", right[0]);
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 8);
}

#[test]
fn records_that_are_too_long_or_forged() {
    type Damage = fn(&Piece) -> Vec<Outgoing>;
    let damages: [(&str, u8, Damage); 4] = [
        ("forged", BAD_RECORD_MAC, |_| {
            let record = [&[23, 3, 3, 0, 40][..], &[7; 40]].concat();
            vec![Outgoing::Bytes(record)]
        }),
        ("content of 16,385 bytes", RECORD_OVERFLOW, |piece| {
            vec![Outgoing::handshake(piece.epoch, vec![11; (1 << 14) + 1])]
        }),
        ("ciphertext of 16,641 bytes", RECORD_OVERFLOW, |_| {
            vec![Outgoing::Bytes(vec![23, 3, 3, 0x41, 1, 0, 0])]
        }),
        ("nothing but padding", UNEXPECTED_MESSAGE, |piece| {
            vec![Outgoing::Record {
                epoch: piece.epoch,
                content_type: 0,
                content: Vec::new(),
                padding: 20,
            }]
        }),
    ];
    for victim in VICTIMS {
        for (at, right) in script(victim.other()).iter().enumerate() {
            for (what, alert, damage) in damages {
                if is_protected(right) {
                    let outcome = change(victim, at, damage);
                    let complaint = outcome.complaint(alert);
                    assert_eq!(complaint, None, "victim {victim}, {what}, {}", right[0]);
                }
            }
        }
    }
}

#[test]
fn proofs_that_do_not_prove() {
    for victim in VICTIMS {
        for (at, right) in script(victim.other()).iter().enumerate() {
            if matches!(right[0], 15 | 20) {
                let outcome = change(victim, at, |piece| {
                    let mut damaged = bytes(piece).to_vec();
                    *damaged.last_mut().unwrap() ^= 1;
                    vec![Outgoing::handshake(piece.epoch, damaged)]
                });
                let complaint = outcome.complaint(DECRYPT_ERROR);
                assert_eq!(complaint, None, "victim {victim}, {}", right[0]);
            }
        }
    }
}

/// Every message is in the transcript, so that no change goes unnoticed by both ends, and
/// none makes the victim do anything but end the connection.
#[test]
fn no_changed_byte_goes_unnoticed() {
    let mut tried = 0;
    for victim in VICTIMS {
        for (at, right) in script(victim.other()).iter().enumerate() {
            // All of a short message; of a long one every eleventh byte.
            let step = if right.len() > 200 { 11 } else { 1 };
            for place in (0..right.len()).step_by(step) {
                let outcome = change(victim, at, |piece| {
                    let mut damaged = bytes(piece).to_vec();
                    // Signatures vary in length.
                    let place = place.min(damaged.len() - 1);
                    damaged[place] ^= 0x55;
                    vec![Outgoing::handshake(piece.epoch, damaged)]
                });
                let place = format!("victim {victim}, type {}, byte {place}", right[0]);
                assert!(!outcome.completed, "{place}");
                assert!(outcome.alerts.len() <= 1, "{place}: {:?}", outcome.alerts);
                tried += 1;
            }
        }
    }
    assert!(tried > 400, "only {tried}");
}
