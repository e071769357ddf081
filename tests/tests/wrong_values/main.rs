//! Messages in the right place that say something that they must not say, each with its alert.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a broken assumption must stop the test"
)]
#![allow(
    clippy::too_many_lines,
    reason = "tables of cases are as long as they are"
)]

mod blame;
mod keys;
mod records;
mod resumption;
mod tls12;

use ::countersign::Violation;
use countersign_tests::edit::{self, Extensions, Hello, SESSION_ID};
use countersign_tests::endpoint::Side::{self, Client, Server};
use countersign_tests::intercept::Outgoing;
use countersign_tests::peers::Setup;
use countersign_tests::wrong_peer::{Outcome, after, bytes, change, converse_as, message, setups};

use crate::blame::{assert_blamed, assert_violation};

const PROTOCOL_VERSION: u8 = 70;

const SERVER_NAME: u16 = 0;
const SUPPORTED_GROUPS: u16 = 10;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;
const PRE_SHARED_KEY: u16 = 41;
const SUPPORTED_VERSIONS: u16 = 43;
const PSK_KEY_EXCHANGE_MODES: u16 = 45;
const KEY_SHARE: u16 = 51;

/// Nobody has registered it.
const UNKNOWN: u16 = 0x1234;

fn changed(victim: Side, at: usize, edit: impl Fn(&[u8]) -> Vec<u8>) -> Outcome {
    change(victim, at, |piece| {
        vec![Outgoing::handshake(piece.epoch, edit(bytes(piece)))]
    })
}

fn get(list: &mut Extensions, kind: u16) -> &mut Vec<u8> {
    &mut list.iter_mut().find(|(own, _)| *own == kind).unwrap().1
}

fn without(list: &mut Extensions, kind: u16) {
    list.retain(|(own, _)| *own != kind);
}

/// The places of OpenSSL's messages: see `wrong_peer::setups`.
const FIRST_HELLO: usize = 0;
const SECOND_HELLO: usize = 1;
const RETRY: usize = 0;
const SERVER_HELLO: usize = 1;
const ENCRYPTED_EXTENSIONS: usize = 2;
const REQUEST: usize = 3;
const SERVER_CERTIFICATE: usize = 4;
const SERVER_VERIFY: usize = 5;
const CLIENT_CERTIFICATE: usize = 2;
const CLIENT_VERIFY: usize = 3;

type HelloCase = (&'static str, usize, Violation, fn(&mut Hello));

#[test]
fn what_a_server_must_not_choose() {
    let cases: &[HelloCase] = &[
        (
            "legacy version",
            SERVER_HELLO,
            Violation::VersionNotOffered,
            |h| h.front[1] = 2,
        ),
        (
            "session id",
            SERVER_HELLO,
            Violation::SessionIdNotEchoed,
            |h| h.front[SESSION_ID + 1] ^= 1,
        ),
        ("suite", SERVER_HELLO, Violation::SuiteNotOffered, |h| {
            let at = h.front.len() - 2;
            h.front[at] = 5;
        }),
        (
            "another suite than before",
            SERVER_HELLO,
            Violation::SuiteChanged,
            |h| {
                let at = h.front.len() - 2;
                h.front[at] = if h.front[at] == 1 { 2 } else { 1 };
            },
        ),
        (
            "compression",
            SERVER_HELLO,
            Violation::CompressionChosen,
            |h| {
                *h.front.last_mut().unwrap() = 1;
            },
        ),
        ("version", SERVER_HELLO, Violation::VersionNotOffered, |h| {
            *get(&mut h.extensions, SUPPORTED_VERSIONS) = vec![3, 5];
        }),
        ("no share", SERVER_HELLO, Violation::MissingKeyShare, |h| {
            without(&mut h.extensions, KEY_SHARE);
        }),
        (
            "share of another group",
            SERVER_HELLO,
            Violation::ServerShareNotOffered,
            |h| {
                get(&mut h.extensions, KEY_SHARE)[1] = 0x17;
            },
        ),
        ("share of zero", SERVER_HELLO, Violation::BadKeyShare, |h| {
            get(&mut h.extensions, KEY_SHARE)[4..].fill(0);
        }),
        ("short share", SERVER_HELLO, Violation::BadKeyShare, |h| {
            let share = get(&mut h.extensions, KEY_SHARE);
            share.pop();
            share[3] -= 1;
        }),
        (
            "unknown extension",
            SERVER_HELLO,
            Violation::UnsolicitedExtension,
            |h| {
                h.extensions.push((UNKNOWN, Vec::new()));
            },
        ),
        (
            "key not offered",
            SERVER_HELLO,
            Violation::UnsolicitedExtension,
            |h| {
                h.extensions.push((PRE_SHARED_KEY, vec![0, 0]));
            },
        ),
        (
            "extension of another message",
            SERVER_HELLO,
            Violation::MisplacedExtension,
            |h| {
                h.extensions.push((SUPPORTED_GROUPS, vec![0, 2, 0, 0x1d]));
            },
        ),
        (
            "the same twice",
            SERVER_HELLO,
            Violation::DuplicateExtension,
            |h| {
                h.extensions.push(h.extensions[0].clone());
            },
        ),
        ("retry for nothing", RETRY, Violation::NeedlessRetry, |h| {
            without(&mut h.extensions, KEY_SHARE);
        }),
        (
            "retry for a group with a share",
            RETRY,
            Violation::RetryGroupNotOffered,
            |h| {
                *get(&mut h.extensions, KEY_SHARE) = vec![0, 0x18];
            },
        ),
        (
            "retry for a group not offered",
            RETRY,
            Violation::RetryGroupNotOffered,
            |h| {
                *get(&mut h.extensions, KEY_SHARE) = vec![0, 0x17];
            },
        ),
        (
            "retry in another version",
            RETRY,
            Violation::VersionNotOffered,
            |h| {
                *get(&mut h.extensions, SUPPORTED_VERSIONS) = vec![3, 5];
            },
        ),
        (
            "retry with an unknown extension",
            RETRY,
            Violation::UnsolicitedExtension,
            |h| {
                h.extensions.push((UNKNOWN, Vec::new()));
            },
        ),
    ];
    for (what, at, violation, edit) in cases {
        let outcome = changed(Client, *at, |whole| edit::hello(whole, edit));
        assert_blamed(&outcome, *violation, what);
    }
}

#[test]
fn what_a_client_must_not_offer() {
    let cases: &[HelloCase] = &[
        (
            "compression",
            FIRST_HELLO,
            Violation::MissingNullCompression,
            |h| {
                *h.front.last_mut().unwrap() = 1;
            },
        ),
        (
            "no groups",
            FIRST_HELLO,
            Violation::MissingSupportedGroups,
            |h| {
                without(&mut h.extensions, SUPPORTED_GROUPS);
            },
        ),
        (
            "no signature algorithms",
            FIRST_HELLO,
            Violation::MissingSignatureAlgorithms,
            |h| {
                without(&mut h.extensions, SIGNATURE_ALGORITHMS);
            },
        ),
        (
            "no key share",
            FIRST_HELLO,
            Violation::MissingKeyShare,
            |h| without(&mut h.extensions, KEY_SHARE),
        ),
        (
            "share of another group",
            FIRST_HELLO,
            Violation::KeyShareNotInGroups,
            |h| {
                get(&mut h.extensions, KEY_SHARE)[3] = 0x17;
            },
        ),
        (
            "the same twice",
            FIRST_HELLO,
            Violation::DuplicateExtension,
            |h| {
                h.extensions.push(h.extensions[0].clone());
            },
        ),
        (
            "extension of another message",
            FIRST_HELLO,
            Violation::MisplacedExtension,
            |h| {
                h.extensions.push((48, Vec::new()));
            },
        ),
        (
            "two shares of one group",
            FIRST_HELLO,
            Violation::DuplicateKeyShare,
            |h| {
                let shares = get(&mut h.extensions, KEY_SHARE);
                let twice = [&shares[2..], &shares[2..]].concat();
                let length = u16::try_from(twice.len()).unwrap().to_be_bytes();
                *shares = [&length[..], &twice].concat();
            },
        ),
        ("two names", FIRST_HELLO, Violation::BadServerName, |h| {
            let name = [&[0, 0, 1][..], b"a"].concat();
            *get(&mut h.extensions, SERVER_NAME) = [&[0, 8][..], &name, &name].concat();
        }),
        (
            "a key without modes",
            FIRST_HELLO,
            Violation::MissingPskModes,
            |h| {
                without(&mut h.extensions, PSK_KEY_EXCHANGE_MODES);
                h.extensions.push((PRE_SHARED_KEY, one_key(1)));
            },
        ),
        (
            "a binder too many",
            FIRST_HELLO,
            Violation::PskBinderCount,
            |h| {
                h.extensions.push((PRE_SHARED_KEY, one_key(2)));
            },
        ),
        (
            "something after the key",
            FIRST_HELLO,
            Violation::PskNotLast,
            |h| {
                h.extensions.insert(0, (PRE_SHARED_KEY, one_key(1)));
            },
        ),
        (
            "another version",
            SECOND_HELLO,
            Violation::RetryHelloChanged,
            |h| h.front[2] ^= 1,
        ),
        (
            "another group",
            SECOND_HELLO,
            Violation::RetryKeyShareMissing,
            |h| {
                get(&mut h.extensions, KEY_SHARE)[3] = 0x18;
            },
        ),
        ("share of zero", SECOND_HELLO, Violation::BadKeyShare, |h| {
            get(&mut h.extensions, KEY_SHARE)[6..].fill(0);
        }),
    ];
    for (what, at, violation, edit) in cases {
        let outcome = changed(Server, *at, |whole| edit::hello(whole, edit));
        assert_blamed(&outcome, *violation, what);
    }
}

/// RFC 9846 §E.5: `protocol_version`, although `supported_versions` says TLS 1.3.
#[test]
fn a_hello_of_ssl_3_is_refused_whatever_else_it_says() {
    for version in [[3, 0], [2, 0xff], [0, 2], [0, 0]] {
        for (victim, at) in [
            (Server, FIRST_HELLO),
            (Client, RETRY),
            (Client, SERVER_HELLO),
        ] {
            let outcome = changed(victim, at, |whole| {
                edit::hello(whole, |hello| hello.front[..2].copy_from_slice(&version))
            });
            let place = format!("{version:?}, victim {victim}, message {at}");
            assert_eq!(outcome.alerts, [PROTOCOL_VERSION], "{place}: {outcome:?}");
            assert!(!outcome.completed, "{place}");
        }
    }
}

/// One pre-shared key that nobody knows, with this many binders.
fn one_key(binders: usize) -> Vec<u8> {
    let binders = [&[32][..], &[7; 32]].concat().repeat(binders);
    let length = u16::try_from(binders.len()).unwrap().to_be_bytes();
    [&[0, 7, 0, 1, 9, 0, 0, 0, 0][..], &length, &binders].concat()
}

type ListCase = (&'static str, usize, Violation, fn(&mut Extensions));

#[test]
fn what_extensions_must_not_say() {
    let cases: &[ListCase] = &[
        (
            "unknown",
            ENCRYPTED_EXTENSIONS,
            Violation::UnsolicitedExtension,
            |list| {
                list.push((UNKNOWN, Vec::new()));
            },
        ),
        (
            "protocol not asked for",
            ENCRYPTED_EXTENSIONS,
            Violation::UnsolicitedExtension,
            |list| {
                list.push((ALPN, vec![0, 3, 2, b'h', b'2']));
            },
        ),
        (
            "of another message",
            ENCRYPTED_EXTENSIONS,
            Violation::MisplacedExtension,
            |list| {
                list.push((KEY_SHARE, vec![0, 0x1d]));
            },
        ),
        (
            "no signature algorithms",
            REQUEST,
            Violation::MissingSignatureAlgorithms,
            |list| {
                without(list, SIGNATURE_ALGORITHMS);
            },
        ),
        ("twice", REQUEST, Violation::DuplicateExtension, |list| {
            list.push(list[0].clone());
        }),
        (
            "of another message",
            REQUEST,
            Violation::MisplacedExtension,
            |list| {
                list.push((SUPPORTED_VERSIONS, vec![3, 4]));
            },
        ),
    ];
    for (what, at, violation, edit) in cases {
        let outcome = changed(Client, *at, |whole| edit::extensions(whole, edit));
        assert_blamed(&outcome, *violation, what);
    }
}

#[test]
fn the_protocol_is_one_that_was_offered() {
    let (client, server) = setups();
    let client = Setup {
        alpn: vec!["h2", "http/1.1"],
        ..client
    };
    let outcome = converse_as((client, server), Client, |piece| {
        if piece.message_type() != Some(8) {
            return piece.unchanged();
        }
        let other = edit::extensions(bytes(piece), |list| {
            list.push((ALPN, vec![0, 3, 2, b'h', b'3']));
        });
        vec![Outgoing::handshake(piece.epoch, other)]
    });
    assert_blamed(&outcome, Violation::AlpnNotOffered, "h3");
}

/// OpenSSL sends `bad_certificate` for it too.
#[test]
fn a_leaf_that_is_no_certificate_is_a_bad_one() {
    for (victim, at) in [(Client, SERVER_CERTIFICATE), (Server, CLIENT_CERTIFICATE)] {
        let outcome = changed(victim, at, |_| {
            let entry = [&[0, 0, 40][..], &[0x30; 40], &[0, 0]].concat();
            message(11, &[&[0, 0, 0, 45], &entry[..]].concat())
        });
        let what = format!("victim {victim}");
        assert_blamed(&outcome, Violation::UndecodableLeafCertificate, &what);
    }
}

#[test]
fn a_request_in_the_handshake_has_no_context() {
    let outcome = changed(Client, REQUEST, |whole| {
        message(13, &[&[1, 7], &whole[5..]].concat())
    });
    assert_blamed(&outcome, Violation::RequestContextNotEmpty, "context");
}

#[test]
fn certificates_answer_what_was_asked() {
    for (victim, at) in [(Client, SERVER_CERTIFICATE), (Server, CLIENT_CERTIFICATE)] {
        let outcome = changed(victim, at, |whole| {
            message(11, &[&[1, 7], &whole[5..]].concat())
        });
        assert_blamed(&outcome, Violation::RequestContextMismatch, "context");
        let outcome = changed(victim, at, |whole| {
            // One entry: its extensions are the last two bytes.
            let entry = &whole[8..whole.len() - 2];
            let entry = [entry, &[0, 4, 0x12, 0x34, 0, 0]].concat();
            let length = u32::try_from(entry.len()).unwrap().to_be_bytes();
            message(11, &[&[0], &length[1..], &entry].concat())
        });
        assert_blamed(&outcome, Violation::UnsolicitedExtension, "extension");
    }
    let outcome = changed(Client, SERVER_CERTIFICATE, |_| message(11, &[0, 0, 0, 0]));
    assert_blamed(&outcome, Violation::EmptyServerCertificate, "empty");
}

#[test]
fn signatures_are_in_a_scheme_that_was_offered_and_fits_the_key() {
    let cases = [
        (0xfefe_u16, Violation::SignatureSchemeNotOffered),
        (0x0420, Violation::SignatureSchemeNotOffered),
        (0x0401, Violation::SignatureSchemeForCertificatesOnly),
        (0x0201, Violation::SignatureSchemeForCertificatesOnly),
        (0x0807, Violation::SignatureKeyMismatch),
        (0x0503, Violation::SignatureKeyMismatch),
        (0x0804, Violation::SignatureKeyMismatch),
    ];
    for (victim, at) in [(Client, SERVER_VERIFY), (Server, CLIENT_VERIFY)] {
        for (scheme, violation) in cases {
            let outcome = changed(victim, at, |whole| {
                message(15, &[&scheme.to_be_bytes()[..], &whole[6..]].concat())
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
fn alerts_and_key_updates_have_one_form() {
    for victim in [Client, Server] {
        let cases: [(u8, &[u8], Violation); 5] = [
            (21, &[2], Violation::MalformedAlert),
            (21, &[1, 0, 0], Violation::MalformedAlert),
            (21, &[], Violation::EmptyFragment),
            (22, &[24, 0, 0, 1, 2], Violation::BadKeyUpdate),
            (22, &[24, 0, 0, 2, 0, 0], Violation::MalformedMessage),
        ];
        for (content_type, content, violation) in cases {
            let outcome = after(victim, |piece| {
                vec![Outgoing::record(piece.epoch, content_type, content)]
            });
            let what = format!("victim {victim}, {content_type} {content:?}");
            assert_violation(outcome.error.as_ref(), violation, &what);
            assert_eq!(outcome.alerts, [violation.alert().code()], "{what}");
        }
    }
}

/// It takes more records than can be sent here: the record layer tries it on a counter that is near its end.
const NOT_HERE: Violation = Violation::ReadLimitReached;

/// A row of the table that nobody can provoke would be a promise that nobody keeps.
#[test]
fn every_row_of_the_table_is_provoked() {
    what_a_server_must_not_choose();
    what_a_client_must_not_offer();
    what_extensions_must_not_say();
    the_protocol_is_one_that_was_offered();
    a_leaf_that_is_no_certificate_is_a_bad_one();
    a_request_in_the_handshake_has_no_context();
    certificates_answer_what_was_asked();
    signatures_are_in_a_scheme_that_was_offered_and_fits_the_key();
    alerts_and_key_updates_have_one_form();
    keys::provoke_all();
    records::provoke_all();
    resumption::provoke_all();
    tls12::provoke_all();
    let missing: Vec<_> = Violation::ALL
        .iter()
        .filter(|row| !blame::was_blamed(**row) && **row != NOT_HERE)
        .collect();
    assert!(missing.is_empty(), "nothing provokes {missing:?}");
    assert!(!blame::was_blamed(NOT_HERE));
}
