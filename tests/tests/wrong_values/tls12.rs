//! What only TLS 1.2 has to refuse.

use ::countersign::Violation;
use countersign_tests::edit::{self, Hello, SESSION_ID};
use countersign_tests::endpoint::Side::{self, Client, Server};
use countersign_tests::intercept::Outgoing;
use countersign_tests::peers::{Identity, KeyKind};
use countersign_tests::scene::{Scene, Versions, converse, converse_as, listen, setups, steps};
use countersign_tests::wiretap::Content;
use countersign_tests::wrong_peer::{Outcome, VICTIMS, bytes, message};

use crate::blame::assert_blamed;
use crate::{SERVER_NAME, get, without};

const EC_POINT_FORMATS: u16 = 11;
const EXTENDED_MASTER_SECRET: u16 = 23;
const RENEGOTIATION_INFO: u16 = 0xff01;

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const SERVER_HELLO_DONE: u8 = 14;
const CERTIFICATE_VERIFY: u8 = 15;
const CLIENT_KEY_EXCHANGE: u8 = 16;
const FINISHED: u8 = 20;

pub(crate) fn provoke_all() {
    hellos_that_must_not_be();
    a_version_that_is_not_the_newest();
    a_session_id_that_stands_for_nothing();
    values_that_are_in_no_group();
    signatures_in_a_scheme_that_must_not_be();
    a_finished_without_what_has_to_come_first();
    an_alert_of_no_level();
    somebody_else_after_a_renegotiation();
    somebody_anonymous_who_asks();
}

/// Changes the messages of one type.
fn changed(scene: Scene, victim: Side, kind: u8, edit: impl Fn(&[u8]) -> Vec<u8>) -> Outcome {
    converse(scene, victim, |piece| {
        if piece.message_type() == Some(kind) {
            vec![Outgoing::handshake(piece.epoch, edit(bytes(piece)))]
        } else {
            piece.unchanged()
        }
    })
}

type Case = (&'static str, Scene, Side, Violation, fn(&mut Hello));

#[test]
fn hellos_that_must_not_be() {
    let cases: &[Case] = &[
        (
            "points",
            Scene::Full,
            Server,
            Violation::MissingUncompressedPoints,
            |h| {
                *get(&mut h.extensions, EC_POINT_FORMATS) = vec![1, 1];
            },
        ),
        (
            "points",
            Scene::Full,
            Client,
            Violation::MissingUncompressedPoints,
            |h| {
                *get(&mut h.extensions, EC_POINT_FORMATS) = vec![1, 1];
            },
        ),
        (
            "compression",
            Scene::Full,
            Client,
            Violation::CompressionChosen,
            |h| {
                *h.front.last_mut().unwrap() = 1;
            },
        ),
        (
            "compression",
            Scene::Full,
            Server,
            Violation::MissingNullCompression,
            |h| {
                *h.front.last_mut().unwrap() = 1;
            },
        ),
        (
            "a suite of TLS 1.3",
            Scene::Full,
            Client,
            Violation::SuiteNotOffered,
            |h| suite(h, 0x1301),
        ),
        (
            "static RSA",
            Scene::Full,
            Client,
            Violation::SuiteNotOffered,
            |h| suite(h, 0x009c),
        ),
        (
            "anonymity",
            Scene::Full,
            Client,
            Violation::SuiteNotOffered,
            |h| suite(h, 0x00a6),
        ),
        (
            "a suite for another key",
            Scene::Full,
            Client,
            Violation::SuiteKeyMismatch,
            |h| {
                suite(h, 0xc02f);
            },
        ),
        (
            "another suite",
            Scene::Ticket,
            Client,
            Violation::SessionSuiteChanged,
            |h| suite(h, 0xcca9),
        ),
        (
            "another suite",
            Scene::SessionId,
            Client,
            Violation::SessionSuiteChanged,
            |h| suite(h, 0xcca9),
        ),
        (
            "no secret",
            Scene::Ticket,
            Client,
            Violation::ExtendedMasterSecretLost,
            no_secret,
        ),
        (
            "no secret",
            Scene::SessionId,
            Client,
            Violation::ExtendedMasterSecretLost,
            no_secret,
        ),
        (
            "no secret",
            Scene::Renegotiation,
            Client,
            Violation::ExtendedMasterSecretLost,
            no_secret,
        ),
        (
            "no secret",
            Scene::Ticket,
            Server,
            Violation::ExtendedMasterSecretLost,
            no_secret,
        ),
        (
            "no secret",
            Scene::SessionId,
            Server,
            Violation::ExtendedMasterSecretLost,
            no_secret,
        ),
        (
            "no secret",
            Scene::Renegotiation,
            Server,
            Violation::ExtendedMasterSecretLost,
            no_secret,
        ),
        (
            "no info",
            Scene::Full,
            Client,
            Violation::MissingRenegotiationInfo,
            no_info,
        ),
        (
            "no info",
            Scene::Ticket,
            Client,
            Violation::MissingRenegotiationInfo,
            no_info,
        ),
        (
            "no info",
            Scene::Renegotiation,
            Client,
            Violation::MissingRenegotiationInfo,
            no_info,
        ),
        (
            "no info",
            Scene::Renegotiation,
            Server,
            Violation::RenegotiationMismatch,
            no_info,
        ),
        (
            "empty info",
            Scene::Renegotiation,
            Client,
            Violation::RenegotiationMismatch,
            empty_info,
        ),
        (
            "empty info",
            Scene::Renegotiation,
            Server,
            Violation::RenegotiationMismatch,
            empty_info,
        ),
        (
            "wrong info",
            Scene::Renegotiation,
            Client,
            Violation::RenegotiationMismatch,
            wrong_info,
        ),
        (
            "wrong info",
            Scene::Renegotiation,
            Server,
            Violation::RenegotiationMismatch,
            wrong_info,
        ),
        (
            "half of it",
            Scene::Renegotiation,
            Client,
            Violation::RenegotiationMismatch,
            half_info,
        ),
        (
            "half of it",
            Scene::Renegotiation,
            Server,
            Violation::RenegotiationMismatch,
            half_info,
        ),
        (
            "info",
            Scene::Full,
            Client,
            Violation::RenegotiationMismatch,
            some_info,
        ),
        (
            "info",
            Scene::Full,
            Server,
            Violation::RenegotiationMismatch,
            some_info,
        ),
        (
            "info",
            Scene::Ticket,
            Server,
            Violation::RenegotiationMismatch,
            some_info,
        ),
        (
            "the SCSV",
            Scene::Renegotiation,
            Server,
            Violation::RenegotiationMismatch,
            |h| first_suite(h, 0x00ff),
        ),
        (
            "another name",
            Scene::Renegotiation,
            Server,
            Violation::ServerNameChanged,
            |h| {
                *get(&mut h.extensions, SERVER_NAME).last_mut().unwrap() ^= 1;
            },
        ),
        (
            "no name",
            Scene::Renegotiation,
            Server,
            Violation::ServerNameChanged,
            |h| {
                without(&mut h.extensions, SERVER_NAME);
            },
        ),
    ];
    for (what, scene, victim, violation, edit) in cases {
        let kind = if *victim == Client {
            SERVER_HELLO
        } else {
            CLIENT_HELLO
        };
        let outcome = changed(*scene, *victim, kind, |whole| edit::hello(whole, edit));
        assert_blamed(
            &outcome,
            *violation,
            &format!("{what}, {scene}, victim {victim}"),
        );
    }
}

/// Puts this number in place of the first suite of a ClientHello.
fn first_suite(hello: &mut Hello, number: u16) {
    let at = SESSION_ID + 1 + usize::from(hello.front[SESSION_ID]) + 2;
    hello.front[at..at + 2].copy_from_slice(&number.to_be_bytes());
}

fn suite(hello: &mut Hello, number: u16) {
    let at = hello.front.len() - 3;
    hello.front[at..at + 2].copy_from_slice(&number.to_be_bytes());
}

fn no_secret(hello: &mut Hello) {
    without(&mut hello.extensions, EXTENDED_MASTER_SECRET);
}

fn no_info(hello: &mut Hello) {
    without(&mut hello.extensions, RENEGOTIATION_INFO);
}

fn set_info(hello: &mut Hello, info: &[u8]) {
    no_info(hello);
    let length = u8::try_from(info.len()).unwrap();
    hello
        .extensions
        .push((RENEGOTIATION_INFO, [&[length], info].concat()));
}

fn empty_info(hello: &mut Hello) {
    set_info(hello, &[]);
}

fn some_info(hello: &mut Hello) {
    set_info(hello, &[7; 12]);
}

fn wrong_info(hello: &mut Hello) {
    *get(&mut hello.extensions, RENEGOTIATION_INFO)
        .last_mut()
        .unwrap() ^= 1;
}

fn half_info(hello: &mut Hello) {
    let info = get(&mut hello.extensions, RENEGOTIATION_INFO).clone();
    set_info(hello, &info[1..][..(info.len() - 1) / 2]);
}

#[test]
fn a_version_that_is_not_the_newest() {
    let first = |victim: Side, kind: u8, edit: fn(&mut Hello)| {
        converse_as(Scene::Full, (victim, Versions::Both), |piece| {
            if piece.message_type() == Some(kind) {
                vec![Outgoing::handshake(
                    piece.epoch,
                    edit::hello(bytes(piece), edit),
                )]
            } else {
                piece.unchanged()
            }
        })
    };
    let outcome = first(Server, CLIENT_HELLO, |hello| {
        first_suite(hello, 0x5600);
    });
    assert_blamed(
        &outcome,
        Violation::InappropriateFallback,
        "the SCSV of RFC 7507",
    );
    let sentinels: [fn(&mut Hello); 2] = [
        |hello| hello.front[26..34].copy_from_slice(b"DOWNGRD\x01"),
        |hello| hello.front[26..34].copy_from_slice(b"DOWNGRD\x00"),
    ];
    for sentinel in sentinels {
        let outcome = first(Client, SERVER_HELLO, sentinel);
        assert_blamed(&outcome, Violation::DowngradeDetected, "a sentinel");
    }
    let outcome = changed(Scene::Full, Client, SERVER_HELLO, |whole| {
        edit::hello(whole, sentinels[0])
    });
    let what = "a client without TLS 1.3 does not look, but the signature is over the random value";
    assert_blamed(&outcome, Violation::BadHandshakeSignature, what);
}

/// The session id of a client that has TLS 1.3 too is noise.
#[test]
fn a_session_id_that_stands_for_nothing() {
    let mut offered = Vec::new();
    let outcome = listen(
        Scene::Full,
        (Client, Versions::Both),
        &setups(),
        |piece| match piece.message_type() {
            Some(CLIENT_HELLO) => {
                offered = bytes(piece)[4 + SESSION_ID..][..33].to_vec();
                piece.unchanged()
            }
            Some(SERVER_HELLO) => {
                let echo = edit::hello(bytes(piece), |hello| {
                    let length = usize::from(hello.front[SESSION_ID]);
                    hello
                        .front
                        .splice(SESSION_ID..=SESSION_ID + length, offered.clone());
                });
                vec![Outgoing::handshake(piece.epoch, echo)]
            }
            _ => piece.unchanged(),
        },
    );
    assert_blamed(&outcome, Violation::SessionNotOffered, "noise");
}

#[test]
fn values_that_are_in_no_group() {
    // The public value is the last thing in either.
    for (victim, kind) in [(Client, SERVER_KEY_EXCHANGE), (Server, CLIENT_KEY_EXCHANGE)] {
        let values: [fn(&mut [u8]); 3] = [
            |value| value.fill(0),
            |value| {
                value.fill(0);
                *value.last_mut().unwrap() = 1;
            },
            |value| value.fill(0xff),
        ];
        for value in values {
            let outcome = changed(Scene::Anonymous, victim, kind, |whole| {
                let mut bad = whole.to_vec();
                let at = bad.len() - 256;
                value(&mut bad[at..]);
                bad
            });
            assert_blamed(
                &outcome,
                Violation::BadDiffieHellmanValue,
                &format!("victim {victim}"),
            );
        }
    }
    let points: [fn(&mut Vec<u8>); 3] = [
        // The form, the place, and the length.
        |whole| whole[5] = 2,
        |whole| *whole.last_mut().unwrap() ^= 1,
        |whole| {
            whole.pop();
            whole[3] -= 1;
            whole[4] -= 1;
        },
    ];
    for (at, point) in points.iter().enumerate() {
        let (mut client, server) = setups();
        client.groups = vec![countersign_tests::peers::Group::Secp256r1];
        let outcome = listen(
            Scene::Full,
            (Server, Versions::One),
            &(client, server),
            |piece| {
                if piece.message_type() != Some(CLIENT_KEY_EXCHANGE) {
                    return piece.unchanged();
                }
                let mut bad = bytes(piece).to_vec();
                point(&mut bad);
                vec![Outgoing::handshake(piece.epoch, bad)]
            },
        );
        assert_blamed(&outcome, Violation::BadKeyShare, &format!("point {at}"));
    }
    let outcome = changed(Scene::Full, Server, CLIENT_KEY_EXCHANGE, |whole| {
        let mut zero = whole.to_vec();
        zero[5..].fill(0);
        zero
    });
    assert_blamed(&outcome, Violation::BadKeyShare, "X25519 of zero");
}

#[test]
fn signatures_in_a_scheme_that_must_not_be() {
    for (victim, kind) in [(Client, SERVER_KEY_EXCHANGE), (Server, CERTIFICATE_VERIFY)] {
        for (scheme, violation) in [
            (0xfefe_u16, Violation::SignatureSchemeNotOffered),
            // RFC 9963 §3: it is not for TLS 1.2.
            (0x0420, Violation::SignatureSchemeNotOffered),
            (0x0201, Violation::SignatureSchemeNotOffered),
            (0x0401, Violation::SignatureKeyMismatch),
            (0x0807, Violation::SignatureKeyMismatch),
        ] {
            let outcome = changed(Scene::Full, victim, kind, |whole| {
                let mut bad = whole.to_vec();
                // In front of a server's stands its point, with a length before it.
                let at = match victim {
                    Client => 8 + usize::from(whole[7]),
                    Server => 4,
                };
                bad[at..at + 2].copy_from_slice(&scheme.to_be_bytes());
                bad
            });
            assert_blamed(
                &outcome,
                violation,
                &format!("victim {victim}, {scheme:04x}"),
            );
        }
    }
}

#[test]
fn a_finished_without_what_has_to_come_first() {
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
            let what = format!("{scene}, victim {victim}");
            assert_blamed(&outcome, Violation::MissingChangeCipherSpec, &what);
        }
    }
}

#[test]
fn an_alert_of_no_level() {
    for victim in VICTIMS {
        for level in [0, 3, 255] {
            let outcome = converse(Scene::Full, victim, |piece| {
                vec![Outgoing::record(piece.epoch, 21, [level, 40])]
            });
            assert_blamed(
                &outcome,
                Violation::BadAlertLevel,
                &format!("victim {victim}, {level}"),
            );
        }
    }
}

#[test]
fn somebody_else_after_a_renegotiation() {
    let others = [
        Identity::client(KeyKind::EcdsaP384),
        Identity::server(KeyKind::EcdsaP384),
    ];
    for (victim, other) in VICTIMS.into_iter().zip(others.into_iter().rev()) {
        let three = |length: usize| u32::try_from(length).unwrap().to_be_bytes()[1..].to_vec();
        let list = [three(other.leaf.len()), other.leaf.clone()].concat();
        let certificate = message(CERTIFICATE, &[three(list.len()), list].concat());
        let outcome = changed(Scene::Renegotiation, victim, CERTIFICATE, |_| {
            certificate.clone()
        });
        assert_blamed(
            &outcome,
            Violation::IdentityChanged,
            &format!("victim {victim}"),
        );
    }
}

#[test]
fn somebody_anonymous_who_asks() {
    let full = steps(Scene::Full, Client);
    let request = full.iter().find(|piece| piece.message_type() == Some(13));
    let request = bytes(request.unwrap()).to_vec();
    let outcome = converse(Scene::Anonymous, Client, |piece| {
        let mut records = piece.unchanged();
        if piece.message_type() == Some(SERVER_HELLO_DONE) {
            records.insert(0, Outgoing::handshake(piece.epoch, request.clone()));
        }
        records
    });
    assert_blamed(&outcome, Violation::AnonymousRequest, "a request");
}
