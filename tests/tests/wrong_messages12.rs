//! A peer that does the wrong thing under the right keys, in TLS 1.2: at every await of every handshake, and of
//! renegotiation in both roles, every wrong message, every damage, and every wrong `change_cipher_spec`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a broken assumption must stop the test"
)]

use ::countersign::{Alert, Error, Limits, Violation};
use countersign_tests::endpoint::Side;
use countersign_tests::intercept::Outgoing;
use countersign_tests::scene::{Scene, Versions, change, converse, converse_as, steps};
use countersign_tests::wiretap::{Content, Epoch, Piece};
use countersign_tests::wrong_peer::{Outcome, VICTIMS, bytes, message};

const UNEXPECTED_MESSAGE: u8 = 10;
const BAD_RECORD_MAC: u8 = 20;
const RECORD_OVERFLOW: u8 = 22;
const ILLEGAL_PARAMETER: u8 = 47;
const DECODE_ERROR: u8 = 50;
const DECRYPT_ERROR: u8 = 51;

const HELLO_REQUEST: u8 = 0;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO_DONE: u8 = 14;
const CERTIFICATE_REQUEST: u8 = 13;
const FINISHED: u8 = 20;

/// Every place at which the other end sends something in some scene.
fn everywhere(mut visit: impl FnMut(Scene, Side, usize, &Piece)) {
    for scene in Scene::ALL {
        for victim in VICTIMS {
            let steps = steps(scene, victim);
            assert!(steps.len() >= 3, "{scene} {victim}: {steps:?}");
            for (at, piece) in steps.iter().enumerate() {
                visit(scene, victim, at, piece);
            }
        }
    }
}

/// What a step is, for the message of a failure.
fn name(piece: &Piece) -> String {
    match piece.message_type() {
        Some(kind) => format!("message {kind}"),
        None => "change_cipher_spec".to_owned(),
    }
}

#[derive(Default)]
struct Complaints {
    lines: Vec<String>,
    tried: usize,
}

impl Complaints {
    fn expect(&mut self, place: &str, outcome: &Outcome, alert: u8) {
        self.tried += 1;
        if let Some(complaint) = outcome.complaint(alert) {
            self.lines.push(format!("{place}: {complaint}"));
        }
    }

    fn expect_fine(&mut self, place: &str, outcome: &Outcome) {
        self.tried += 1;
        let is_fine = outcome.completed && outcome.alerts.is_empty() && outcome.error.is_none();
        if !is_fine || outcome.received != b"data" {
            self.lines.push(format!("{place}: {outcome:?}"));
        }
    }

    fn assert_none(self, at_least: usize) {
        assert!(self.lines.is_empty(), "{}", self.lines.join("\n"));
        assert!(self.tried >= at_least, "only {}", self.tried);
    }
}

/// Tries a change in every place, each with its alert; `None` leaves a place out.
fn in_every_place(
    at_least: usize,
    expected: impl Fn(Scene, &Piece) -> Option<u8>,
    instead: impl Fn(&Piece) -> Vec<Outgoing>,
) {
    let mut complaints = Complaints::default();
    everywhere(|scene, victim, at, piece| {
        if let Some(alert) = expected(scene, piece) {
            let outcome = change(scene, victim, at, &instead);
            let place = format!("{scene}, victim {victim}, {}", name(piece));
            complaints.expect(&place, &outcome, alert);
        }
    });
    complaints.assert_none(at_least);
}

/// The same for messages only.
fn at_every_message(
    at_least: usize,
    expected: impl Fn(&[u8]) -> u8,
    instead: impl Fn(&Piece) -> Vec<Outgoing>,
) {
    let only_messages = |_, piece: &Piece| piece.message_type().map(|_| expected(bytes(piece)));
    in_every_place(at_least, only_messages, instead);
}

/// A message of every type there is or was, and of some that never were. Those that a full handshake knows are real.
fn catalogue() -> Vec<Vec<u8>> {
    let mut all = vec![
        message(HELLO_REQUEST, &[]),
        message(3, &[3, 3, 0]),
        message(4, &[0, 0, 0, 9, 0, 1, 9]),
        message(5, &[]),
        message(6, &[3, 4]),
        message(8, &[0, 0]),
        message(21, &[0; 8]),
        message(22, &[1, 0, 0, 1, 9]),
        message(23, &[0; 8]),
        message(24, &[0]),
        message(25, &[0; 12]),
        message(67, &[]),
        message(99, &[1, 2, 3]),
        message(254, &[0; 32]),
        message(255, &[]),
    ];
    for victim in VICTIMS {
        let real = steps(Scene::Full, victim);
        all.extend(
            real.iter()
                .map(bytes)
                .filter(|bytes| !bytes.is_empty())
                .map(<[u8]>::to_vec),
        );
    }
    all.sort();
    all.dedup_by_key(|message| message[0]);
    all
}

#[test]
fn every_wrong_message_at_every_await() {
    let catalogue = catalogue();
    let mut complaints = Complaints::default();
    everywhere(|scene, victim, at, piece| {
        for wrong in &catalogue {
            let fits = match (piece.message_type(), wrong[0]) {
                // A server may go on without asking for a certificate.
                (Some(CERTIFICATE_REQUEST), SERVER_HELLO_DONE) => true,
                // A client that negotiates ignores it.
                (_, HELLO_REQUEST) => victim == Side::Client,
                (right, wrong) => right == Some(wrong),
            };
            // Where none is asked for, it may be.
            let may_ask =
                (piece.message_type(), wrong[0]) == (Some(SERVER_HELLO_DONE), CERTIFICATE_REQUEST);
            if fits || may_ask {
                continue;
            }
            let outcome = change(scene, victim, at, |piece| {
                piece.in_fragments(wrong, 1 << 14)
            });
            let place = format!("{scene}, victim {victim}, {} for {}", wrong[0], name(piece));
            complaints.expect(&place, &outcome, UNEXPECTED_MESSAGE);
        }
    });
    complaints.assert_none(700);
}

/// RFC 5246 §7.4.1.1: a client that negotiates ignores it, wherever it comes.
#[test]
fn a_hello_request_is_ignored_anywhere_in_a_handshake() {
    let mut complaints = Complaints::default();
    for scene in Scene::ALL {
        for at in 0..steps(scene, Side::Client).len() {
            let outcome = change(scene, Side::Client, at, |piece| {
                let request = Outgoing::handshake(piece.epoch, message(HELLO_REQUEST, &[]));
                [vec![request], piece.unchanged()].concat()
            });
            complaints.expect_fine(&format!("{scene}, step {at}"), &outcome);
            let outcome = change(scene, Side::Client, at, |piece| {
                vec![Outgoing::handshake(
                    piece.epoch,
                    message(HELLO_REQUEST, &[0]),
                )]
            });
            complaints.expect(
                &format!("{scene}, step {at}, with a body"),
                &outcome,
                DECODE_ERROR,
            );
        }
    }
    complaints.assert_none(40);
}

#[test]
fn a_message_that_is_left_out() {
    let mut complaints = Complaints::default();
    everywhere(|scene, victim, at, piece| {
        let place = format!("{scene}, victim {victim}, {}", name(piece));
        let outcome = change(scene, victim, at, |_| Vec::new());
        match piece.message_type() {
            // Without a hello or a last message both ends wait, without a request they disagree about the rest, and what
            // follows a change_cipher_spec that is left out cannot be read.
            Some(CLIENT_HELLO | SERVER_HELLO_DONE | FINISHED | CERTIFICATE_REQUEST) | None => {
                if outcome.completed {
                    complaints.lines.push(format!("{place}: {outcome:?}"));
                }
            }
            Some(_) => complaints.expect(&place, &outcome, UNEXPECTED_MESSAGE),
        }
    });
    complaints.assert_none(20);
}

#[test]
fn a_message_that_comes_twice() {
    let expected = |_, piece: &Piece| {
        // After its Finished a server waits for nothing. A second Finished of a client comes with its data.
        (piece.message_type()? != FINISHED).then_some(UNEXPECTED_MESSAGE)
    };
    in_every_place(25, expected, |piece| {
        [piece.unchanged(), piece.unchanged()].concat()
    });
}

/// CVE-2014-0224: early, so that keys come from less than the whole handshake.
#[test]
fn a_change_cipher_spec_that_comes_early() {
    let before = |piece: &Piece| {
        let early = Outgoing::record(piece.epoch, 20, [1]);
        [vec![early], piece.unchanged()].concat()
    };
    let expected = |_, piece: &Piece| match piece.message_type() {
        // There it is due.
        None | Some(FINISHED) => None,
        Some(_) => Some(UNEXPECTED_MESSAGE),
    };
    in_every_place(25, expected, before);
    // Before the version is settled it could be one of TLS 1.3, which does not matter.
    for scene in Scene::ALL {
        for victim in VICTIMS {
            let mut steps = 0;
            let outcome = converse_as(scene, (victim, Versions::Both), |piece| {
                steps += 1;
                if steps == 1 {
                    before(piece)
                } else {
                    piece.unchanged()
                }
            });
            let complaint = outcome.complaint(UNEXPECTED_MESSAGE);
            assert_eq!(complaint, None, "{scene}, victim {victim}");
        }
    }
}

#[test]
fn a_change_cipher_spec_that_comes_twice() {
    let only = |_, piece: &Piece| piece.message_type().is_none().then_some(UNEXPECTED_MESSAGE);
    // Under the new keys.
    in_every_place(10, only, |piece| {
        let again = Outgoing::record(following(piece.epoch), 20, [1]);
        [piece.unchanged(), vec![again]].concat()
    });
    // Under the old ones it cannot be read.
    let unreadable = |_, piece: &Piece| piece.message_type().is_none().then_some(BAD_RECORD_MAC);
    in_every_place(10, unreadable, |piece| {
        [piece.unchanged(), piece.unchanged()].concat()
    });
}

/// The keys after the next `change_cipher_spec`.
fn following(epoch: Epoch) -> Epoch {
    match epoch {
        Epoch::Tls12(changes) => Epoch::Tls12(changes + 1),
        _ => Epoch::Tls12(1),
    }
}

/// Under the keys of before, or under none.
#[test]
fn a_finished_without_a_change_cipher_spec() {
    let mut complaints = Complaints::default();
    for scene in Scene::ALL {
        for victim in VICTIMS {
            let mut before = None;
            let outcome = converse(scene, victim, |piece| match &piece.content {
                Content::ChangeCipherSpec(_) => {
                    before = Some(piece.epoch);
                    Vec::new()
                }
                Content::Handshake(finished) if finished[0] == FINISHED => {
                    vec![Outgoing::handshake(before.unwrap(), finished.clone())]
                }
                _ => piece.unchanged(),
            });
            complaints.expect(
                &format!("{scene}, victim {victim}"),
                &outcome,
                UNEXPECTED_MESSAGE,
            );
            // In one record with what comes before it, where there is something.
            let outcome = joined_before_change(scene, victim);
            complaints.expect(
                &format!("{scene}, victim {victim}, joined"),
                &outcome,
                UNEXPECTED_MESSAGE,
            );
        }
    }
    complaints.assert_none(20);
}

/// A Finished in one record with the message before the `change_cipher_spec`.
fn joined_before_change(scene: Scene, victim: Side) -> Outcome {
    let steps = steps(scene, victim);
    let change_at = steps
        .iter()
        .position(|piece| piece.message_type().is_none());
    let last = change_at.unwrap().checked_sub(1);
    let finished = message(FINISHED, &[0; 12]);
    match last {
        Some(last) => change(scene, victim, last, |piece| {
            vec![Outgoing::handshake(
                piece.epoch,
                [bytes(piece), &finished].concat(),
            )]
        }),
        // A client that resumes says nothing before it.
        None => change(scene, victim, 0, |piece| {
            [
                vec![Outgoing::handshake(piece.epoch, finished.clone())],
                piece.unchanged(),
            ]
            .concat()
        }),
    }
}

#[test]
fn a_malformed_change_cipher_spec() {
    for content in [&[2][..], &[1, 1], &[]] {
        in_every_place(
            40,
            |_, _| Some(UNEXPECTED_MESSAGE),
            |piece| vec![Outgoing::record(piece.epoch, 20, content)],
        );
    }
}

#[test]
fn a_message_that_runs_across_a_change_cipher_spec() {
    let only = |_, piece: &Piece| piece.message_type().is_none().then_some(UNEXPECTED_MESSAGE);
    in_every_place(10, only, |piece| {
        let begun = Outgoing::handshake(piece.epoch, [FINISHED, 0]);
        [vec![begun], piece.unchanged()].concat()
    });
}

#[test]
fn a_record_between_the_fragments_of_a_message() {
    for (content_type, content) in [(20, &[1][..]), (21, &[1, 90])] {
        at_every_message(
            30,
            |_| UNEXPECTED_MESSAGE,
            |piece| {
                vec![
                    Outgoing::handshake(piece.epoch, &bytes(piece)[..3]),
                    Outgoing::record(piece.epoch, content_type, content),
                    Outgoing::handshake(piece.epoch, &bytes(piece)[3..]),
                ]
            },
        );
    }
}

/// In a renegotiation the keys of before are good until the `change_cipher_spec`, those of now with the Finished. RFC 5246
/// §6.2.1: data MUST be taken then, also between the fragments of a message.
#[test]
fn data_in_the_middle_of_the_handshake() {
    let mut complaints = Complaints::default();
    everywhere(|scene, victim, at, piece| {
        for cut in [0, 3] {
            if piece.message_type().is_none() && cut > 0 {
                continue;
            }
            let outcome = change(scene, victim, at, |piece| {
                let data = Outgoing::record(piece.epoch, 23, *b"early, ");
                match piece.content {
                    Content::Handshake(ref message) if cut > 0 => vec![
                        Outgoing::handshake(piece.epoch, &message[..cut]),
                        data,
                        Outgoing::handshake(piece.epoch, &message[cut..]),
                    ],
                    _ => [vec![data], piece.unchanged()].concat(),
                }
            });
            let place = format!("{scene}, victim {victim}, {}, {cut}", name(piece));
            if scene.is_first() || piece.message_type() == Some(FINISHED) {
                complaints.expect(&place, &outcome, UNEXPECTED_MESSAGE);
                assert!(outcome.received.is_empty(), "{place}");
            } else {
                let is_fine = outcome.completed && outcome.error.is_none();
                assert!(
                    is_fine && outcome.received == b"early, data",
                    "{place}: {outcome:?}"
                );
            }
        }
    });
    complaints.assert_none(65);
}

/// Between two handshakes nothing but a ClientHello begins one, so that nothing else is split by data.
#[test]
fn data_in_the_middle_of_a_message_between_handshakes() {
    for victim in VICTIMS {
        for kind in [HELLO_REQUEST, CERTIFICATE_REQUEST, FINISHED] {
            let outcome = converse(Scene::Full, victim, |piece| match piece.content {
                Content::Data(_) => vec![
                    Outgoing::handshake(piece.epoch, [kind, 0]),
                    Outgoing::record(piece.epoch, 23, *b"data"),
                    Outgoing::handshake(piece.epoch, [0, 0]),
                ],
                _ => piece.unchanged(),
            });
            assert_eq!(outcome.alerts, [UNEXPECTED_MESSAGE], "{outcome:?}");
            assert!(outcome.received.is_empty(), "{outcome:?}");
        }
    }
}

#[test]
fn an_empty_record_or_one_of_an_unknown_type() {
    in_every_place(
        40,
        |_, _| Some(UNEXPECTED_MESSAGE),
        |piece| vec![Outgoing::handshake(piece.epoch, [])],
    );
    in_every_place(
        40,
        |_, _| Some(UNEXPECTED_MESSAGE),
        |piece| vec![Outgoing::record(piece.epoch, 99, *b"what")],
    );
}

#[test]
fn records_that_are_too_long_forged_or_not_encrypted() {
    let is_protected = |piece: &Piece| piece.epoch != Epoch::Plain;
    let under_a_key = |alert| move |_, piece: &Piece| is_protected(piece).then_some(alert);
    in_every_place(15, under_a_key(BAD_RECORD_MAC), |_| {
        vec![Outgoing::Bytes([&[22, 3, 3, 0, 40][..], &[7; 40]].concat())]
    });
    in_every_place(15, under_a_key(BAD_RECORD_MAC), |piece| {
        match &piece.content {
            Content::Handshake(message) => vec![Outgoing::handshake(Epoch::Plain, message.clone())],
            _ => vec![Outgoing::record(Epoch::Plain, 20, [1])],
        }
    });
    in_every_place(15, under_a_key(BAD_RECORD_MAC), |_| {
        vec![Outgoing::Bytes(vec![21, 3, 3, 0, 2, 2, 40])]
    });
    in_every_place(15, under_a_key(RECORD_OVERFLOW), |piece| {
        vec![Outgoing::handshake(piece.epoch, vec![11; (1 << 14) + 1])]
    });
    in_every_place(15, under_a_key(RECORD_OVERFLOW), |_| {
        vec![Outgoing::Bytes(vec![22, 3, 3, 0x41, 1, 0, 0])]
    });
}

#[test]
fn a_message_that_is_a_byte_short_or_long_or_empty() {
    let resized = |change: fn(&[u8]) -> Vec<u8>| {
        move |piece: &Piece| {
            let whole = bytes(piece);
            let body = change(&whole[4..]);
            vec![Outgoing::handshake(piece.epoch, message(whole[0], &body))]
        }
    };
    at_every_message(30, |_| DECODE_ERROR, resized(|body| [body, &[0]].concat()));
    let with_body = |_, piece: &Piece| {
        let has_body = piece.message_type().is_some() && bytes(piece).len() > 4;
        has_body.then_some(DECODE_ERROR)
    };
    in_every_place(
        30,
        with_body,
        resized(|body| body[..body.len() - 1].to_vec()),
    );
    in_every_place(30, with_body, resized(|_| Vec::new()));
}

#[test]
fn proofs_that_do_not_prove() {
    let proofs = |_, piece: &Piece| {
        matches!(piece.message_type(), Some(15 | FINISHED)).then_some(DECRYPT_ERROR)
    };
    in_every_place(10, proofs, |piece| {
        let mut damaged = bytes(piece).to_vec();
        *damaged.last_mut().unwrap() ^= 1;
        vec![Outgoing::handshake(piece.epoch, damaged)]
    });
}

/// Every message is in the transcript, so that no change goes unnoticed, and none makes the victim do anything but end the
/// connection.
#[test]
fn no_changed_byte_goes_unnoticed() {
    let mut tried = 0;
    everywhere(|scene, victim, at, piece| {
        let length = bytes(piece).len();
        // All of a short message; of a long one every thirteenth byte.
        let step = if length > 100 { 13 } else { 1 };
        for place in (0..length).step_by(step) {
            let outcome = change(scene, victim, at, |piece| {
                let mut damaged = bytes(piece).to_vec();
                // Signatures vary in length.
                let place = place.min(damaged.len() - 1);
                damaged[place] ^= 0x55;
                vec![Outgoing::handshake(piece.epoch, damaged)]
            });
            let place = format!("{scene}, victim {victim}, {}, byte {place}", name(piece));
            assert!(!outcome.completed, "{place}");
            assert!(outcome.alerts.len() <= 1, "{place}: {:?}", outcome.alerts);
            tried += 1;
        }
    });
    assert!(tried > 800, "only {tried}");
}

#[test]
fn messages_may_come_a_byte_a_record_or_all_in_one() {
    let mut complaints = Complaints::default();
    for scene in Scene::ALL {
        for victim in VICTIMS {
            let place = format!("{scene}, victim {victim}");
            let outcome = converse(scene, victim, |piece| match &piece.content {
                Content::Handshake(message) => piece.in_fragments(message, 1),
                _ => piece.unchanged(),
            });
            complaints.expect_fine(&place, &outcome);
            let mut held = Vec::new();
            let outcome = converse(scene, victim, |piece| match piece.message_type() {
                // What the other end sends next waits for an answer, or for other keys.
                Some(CLIENT_HELLO | SERVER_HELLO_DONE | FINISHED | 15 | 16) | None => {
                    let all = [core::mem::take(&mut held), bytes(piece).to_vec()].concat();
                    match piece.content {
                        Content::Handshake(_) => piece.in_fragments(&all, 1 << 14),
                        _ if all.is_empty() => piece.unchanged(),
                        _ => {
                            let record = Outgoing::handshake(piece.epoch, all);
                            [vec![record], piece.unchanged()].concat()
                        }
                    }
                }
                Some(_) => {
                    held.extend_from_slice(bytes(piece));
                    Vec::new()
                }
            });
            complaints.expect_fine(&format!("{place}, in one"), &outcome);
        }
    }
    complaints.assert_none(20);
}

#[test]
fn the_header_of_a_huge_message_is_enough_to_refuse_it() {
    at_every_message(
        30,
        |_| ILLEGAL_PARAMETER,
        |piece| {
            vec![Outgoing::handshake(
                piece.epoch,
                [bytes(piece)[0], 0xff, 0xff, 0xff],
            )]
        },
    );
}

#[test]
fn alerts_at_every_await() {
    let mut complaints = Complaints::default();
    let warnings = Limits::default().warnings;
    everywhere(|scene, victim, at, piece| {
        let place = |what| format!("{scene}, victim {victim}, {}, {what}", name(piece));
        let alert = |content: &[u8], times: u32| {
            change(scene, victim, at, |piece| {
                let one = Outgoing::record(piece.epoch, 21, content);
                let count = usize::try_from(times).unwrap();
                [vec![one; count], piece.unchanged()].concat()
            })
        };
        let fatal = alert(&[2, 40], 1);
        let told = matches!(
            fatal.error,
            Some(Error::AlertReceived {
                alert: Alert::HandshakeFailure,
                ..
            })
        );
        assert!(
            told && !fatal.completed && fatal.alerts.is_empty(),
            "{}",
            place("fatal")
        );
        let closed = alert(&[1, 0], 1);
        assert!(!closed.completed, "{}", place("closed"));
        if scene.is_first() {
            assert!(
                matches!(closed.error, Some(Error::Closed)),
                "{}",
                place("closed")
            );
        }
        // A warning that means nothing here.
        complaints.expect_fine(&place("warning"), &alert(&[1, 41], warnings));
        complaints.expect(
            &place("warnings"),
            &alert(&[1, 41], warnings + 1),
            UNEXPECTED_MESSAGE,
        );
        complaints.expect(&place("level"), &alert(&[3, 40], 1), ILLEGAL_PARAMETER);
        complaints.expect(&place("length"), &alert(&[2], 1), DECODE_ERROR);
        complaints.expect(&place("empty"), &alert(&[], 1), UNEXPECTED_MESSAGE);
    });
    complaints.assert_none(200);
}

/// OpenSSL ends the connection then, and so does whoever has asked.
#[test]
fn a_refusal_ends_a_renegotiation_for_who_asked() {
    for victim in VICTIMS {
        let outcome = change(Scene::Renegotiation, victim, 0, |piece| {
            vec![Outgoing::record(piece.epoch, 21, [1, 100])]
        });
        let refused = matches!(outcome.error, Some(Error::RenegotiationRefused { .. }));
        assert!(
            refused && !outcome.completed,
            "victim {victim}: {outcome:?}"
        );
    }
}

#[test]
fn every_wrong_message_after_the_handshake() {
    let catalogue = catalogue();
    for scene in Scene::ALL {
        for victim in VICTIMS {
            for wrong in &catalogue {
                // They ask for another handshake.
                if (victim, wrong[0]) == (Side::Client, HELLO_REQUEST)
                    || (victim, wrong[0]) == (Side::Server, CLIENT_HELLO)
                {
                    continue;
                }
                let outcome = converse(scene, victim, |piece| match piece.content {
                    Content::Data(_) => piece.in_fragments(wrong, 1 << 14),
                    _ => piece.unchanged(),
                });
                let place = format!("{scene}, victim {victim}, type {}", wrong[0]);
                assert!(outcome.completed, "{place}");
                assert_eq!(outcome.alerts, [UNEXPECTED_MESSAGE], "{place}");
            }
            let outcome = converse(scene, victim, |piece| match piece.content {
                Content::Data(_) => vec![Outgoing::record(piece.epoch, 20, [1])],
                _ => piece.unchanged(),
            });
            assert_eq!(
                outcome.alerts,
                [UNEXPECTED_MESSAGE],
                "{scene}, victim {victim}"
            );
        }
    }
}

/// Who is refused may ask again, but only so often in a row.
#[test]
fn requests_without_end_are_refused() {
    let limit = Limits::default().messages_after_handshake;
    let hello = steps(Scene::Full, Side::Server)[0].clone();
    let flood = |times: u32| {
        converse(Scene::Full, Side::Server, |piece| match piece.content {
            Content::Data(_) => {
                let one = Outgoing::handshake(piece.epoch, bytes(&hello));
                let count = usize::try_from(times).unwrap();
                [vec![one; count], piece.unchanged()].concat()
            }
            _ => piece.unchanged(),
        })
    };
    let fine = flood(limit);
    assert_eq!(fine.received, b"data");
    assert!(fine.alerts.iter().all(|alert| *alert == 100), "{fine:?}");
    let violation = match flood(limit + 1).error {
        Some(Error::PeerViolated { violation, .. }) => Some(violation),
        _ => None,
    };
    assert_eq!(violation, Some(Violation::TooManyMessages));
}
