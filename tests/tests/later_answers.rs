//! Verdicts that take their time, in both roles: the handshake waits, whatever else happens.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a broken assumption must stop the test"
)]

use ::countersign::{
    Alert, ChainVerifier, Error, ExpectedName, Misuse, PeerNames, Presented, Question, Standing,
    State, TrustStore, Verdict, Verification, Verifier, VerifyCode, VerifyMode,
};
use countersign_tests::endpoint::{Endpoint as _, PlainLine, Side, is_alive, run_until_idle};
use countersign_tests::peers::countersign::{
    Countersign, client_builder, peer_question, server_builder,
};
use countersign_tests::peers::credentials::authority_pem;
use countersign_tests::peers::{CLIENTS, ClientCertificate, KeyKind, SERVERS, Setup};
use countersign_tests::wiretap::Wiretap;

struct Later;

impl Verifier for Later {
    fn verify(&self, _: &Presented<'_>) -> Verification {
        Verification::Later
    }
}

fn server_setup() -> Setup {
    Setup {
        client_certificate: ClientCertificate::Required,
        ..Setup::server(KeyKind::EcdsaP256)
    }
}

fn client_setup() -> Setup {
    Setup::client(KeyKind::EcdsaP256)
}

/// A client that verifies later.
fn asking_client() -> Countersign {
    let builder = client_builder(&client_setup()).verifier(Later);
    Countersign::client(&builder.build().unwrap())
}

/// A server that verifies later.
fn asking_server(setup: &Setup) -> Countersign {
    let builder = server_builder(setup).verifier(Later);
    Countersign::server(&builder.build().unwrap())
}

/// What the built-in verifier would have said at once.
fn built_in(question: &Question) -> Verdict {
    let Question::Peer(question) = question else {
        panic!("no question about a peer: {question:?}");
    };
    let trust = TrustStore::from_pem(authority_pem().as_bytes()).unwrap();
    Verdict::Follow(ChainVerifier::new(trust).report(&question.presented()))
}

fn no() -> Verdict {
    Verdict::Reject {
        alert: Alert::AccessDenied,
        because: "not on the list".to_owned(),
    }
}

fn is_misuse(outcome: &Result<impl Sized, Error>, expected: Misuse) -> bool {
    matches!(outcome, Err(Error::Misuse(misuse)) if *misuse == expected)
}

#[test]
fn a_server_waits_for_its_answer_with_every_client() {
    for (name, make) in CLIENTS {
        let setup = server_setup();
        let mut tap = Wiretap::new(&setup.log);
        let (mut from, mut to) = (make(&client_setup()), asking_server(&setup));
        // Once it has sent its Finished a client may send data, which has to wait as well.
        from.write(b"impatient");
        run_until_idle(&mut *from, &mut to, &mut tap);
        assert!(to.asks() && !to.completed(), "{name}");
        assert_eq!(to.connection().state(), State::AwaitingAnswer, "{name}");
        assert!(
            to.connection().peer().is_none() && to.received().is_empty(),
            "{name}"
        );
        let question = to.take_question().unwrap();
        let verdict = built_in(&question);
        let (connection, output) = to.connection_and_output();
        let before = connection.receive(&mut [], output);
        assert!(is_misuse(&before, Misuse::QuestionOpen), "{name}");
        connection
            .answer(peer_question(question).answer(verdict), output)
            .unwrap();
        run_until_idle(&mut *from, &mut to, &mut tap);
        assert!(to.connection().peer().unwrap().is_verified(), "{name}");
        assert_eq!(to.received(), b"impatient", "{name}");
        assert!(is_alive(&mut *from, &mut to, &mut tap), "{name}");
    }
}

#[test]
fn a_client_waits_for_its_answer_with_every_server() {
    for (name, make) in SERVERS {
        let setup = server_setup();
        let mut tap = Wiretap::new(&setup.log);
        let (mut from, mut to) = (asking_client(), make(&setup));
        run_until_idle(&mut from, &mut *to, &mut tap);
        assert!(
            from.asks() && !from.completed() && !to.completed(),
            "{name}"
        );
        assert_eq!(tap.wire(), "c1 s2 s8 s13 s11 s15 s20", "{name}");
        from.on_question(|question| Some(built_in(question)));
        run_until_idle(&mut from, &mut *to, &mut tap);
        assert!(from.connection().peer().unwrap().is_verified(), "{name}");
        assert!(is_alive(&mut from, &mut *to, &mut tap), "{name}");
    }
}

#[test]
fn a_rejection_ends_the_handshake_with_its_alert() {
    for asking in [Side::Client, Side::Server] {
        let setup = server_setup();
        let mut tap = Wiretap::new(&setup.log);
        let (mut from, mut to) = match asking {
            Side::Client => (
                asking_client(),
                Countersign::server(&server_builder(&setup).build().unwrap()),
            ),
            Side::Server => (
                Countersign::client(&client_builder(&client_setup()).build().unwrap()),
                asking_server(&setup),
            ),
        };
        run_until_idle(&mut from, &mut to, &mut tap);
        let end = match asking {
            Side::Client => &mut from,
            Side::Server => &mut to,
        };
        end.answer(no());
        let sentence = end.error().unwrap().to_string();
        assert!(sentence.contains("not on the list"), "{sentence}");
        assert!(matches!(
            end.error(),
            Some(Error::PeerRejected {
                alert: Alert::AccessDenied,
                ..
            })
        ));
        let code = end.connection().verify_result();
        assert_eq!(code, Some(VerifyCode::APPLICATION_VERIFICATION));
        assert!(end.connection().peer().is_none());
        run_until_idle(&mut from, &mut to, &mut tap);
        assert_eq!(tap.alerts(), [(asking, 2, 49)]);
        assert!(from.failure().is_some() && to.failure().is_some());
    }
}

#[test]
fn a_report_is_followed_as_if_it_had_come_at_once() {
    let expected = PeerNames::OneOf(vec![ExpectedName::Dns("other.example".to_owned())]);
    for (mode, goes_on) in [(VerifyMode::PEER, false), (VerifyMode::NONE, true)] {
        let setup = server_setup();
        let mut tap = Wiretap::new(&setup.log);
        let builder = client_builder(&client_setup()).verifier(Later);
        let config = builder.verify(mode).peer_names(expected.clone()).build();
        let mut from = Countersign::client(&config.unwrap());
        let mut to = Countersign::server(&server_builder(&setup).build().unwrap());
        from.on_question(|question| Some(built_in(question)));
        run_until_idle(&mut from, &mut to, &mut tap);
        assert_eq!(from.completed(), goes_on, "{mode}");
        let code = from.connection().verify_result().unwrap();
        assert_eq!(code.number(), 62, "{mode}");
        let alerts: &[_] = if goes_on {
            &[]
        } else {
            &[(Side::Client, 2, 42)]
        };
        assert_eq!(tap.alerts(), alerts, "{mode}");
    }
}

#[test]
fn an_acceptance_keeps_what_was_found() {
    let setup = server_setup();
    let (mut from, mut to) = (asking_client(), asking_server(&setup));
    for end in [&mut from, &mut to] {
        end.on_question(|question| {
            let Question::Peer(question) = question else {
                return None;
            };
            let nobody = ChainVerifier::new(TrustStore::empty());
            let despite = nobody.report(&question.presented());
            Some(Verdict::Accept { despite })
        });
    }
    run_until_idle(&mut from, &mut to, &mut PlainLine);
    for end in [&from, &to] {
        let peer = end.connection().peer().unwrap();
        assert_eq!(peer.standing(), Standing::Tolerated);
        assert_eq!(peer.code().number(), 20);
        assert!(!peer.is_verified());
    }
    assert!(is_alive(&mut from, &mut to, &mut PlainLine));
}

#[test]
fn the_mode_of_the_answer_counts() {
    let setup = server_setup();
    let mut from = asking_client();
    let mut to = Countersign::server(&server_builder(&setup).build().unwrap());
    run_until_idle(&mut from, &mut to, &mut PlainLine);
    let (connection, _) = from.connection_and_output();
    connection.set_verify_mode(VerifyMode::NONE).unwrap();
    from.answer(no());
    run_until_idle(&mut from, &mut to, &mut PlainLine);
    assert!(from.is_fine() && to.is_fine());
    let peer = from.connection().peer().unwrap();
    assert_eq!(peer.standing(), Standing::Refused);
}

#[test]
fn an_answer_to_another_connection_is_refused() {
    let (mut clients, mut servers) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        let setup = server_setup();
        let (mut from, mut to) = (asking_client(), asking_server(&setup));
        run_until_idle(&mut from, &mut to, &mut PlainLine);
        clients.push(from);
        servers.push(to);
    }
    let question = clients[1].take_question().unwrap();
    let verdict = built_in(&question);
    let answer = peer_question(question).answer(verdict);
    let (connection, output) = clients[0].connection_and_output();
    let outcome = connection.answer(answer, output);
    assert!(is_misuse(&outcome, Misuse::NotTheOpenQuestion));
    assert!(output.is_empty());
    // The right answer is taken all the same.
    for end in [&mut clients[0], &mut servers[0]] {
        end.on_question(|question| Some(built_in(question)));
    }
    run_until_idle(&mut clients[0], &mut servers[0], &mut PlainLine);
    assert!(clients[0].is_fine() && servers[0].is_fine());
}

#[test]
fn answers_may_come_from_another_thread_and_in_any_order() {
    let mut pairs: Vec<_> = (0..4)
        .map(|_| (asking_client(), asking_server(&server_setup())))
        .collect();
    for (from, to) in &mut pairs {
        run_until_idle(from, to, &mut PlainLine);
    }
    let questions: Vec<_> = pairs
        .iter_mut()
        .map(|(from, _)| from.take_question().unwrap())
        .collect();
    let answer_all = move || {
        let answers = questions.into_iter().map(|question| {
            let verdict = built_in(&question);
            peer_question(question).answer(verdict)
        });
        answers.collect::<Vec<_>>()
    };
    let answers = std::thread::spawn(answer_all).join().unwrap();
    for ((from, to), answer) in pairs.iter_mut().zip(answers).rev() {
        let (connection, output) = from.connection_and_output();
        connection.answer(answer, output).unwrap();
        to.on_question(|question| Some(built_in(question)));
        run_until_idle(from, to, &mut PlainLine);
        assert!(is_alive(from, to, &mut PlainLine));
    }
}

#[test]
fn a_line_that_breaks_while_a_question_is_open_ends_the_connection() {
    let mut from = asking_client();
    let mut to = Countersign::server(&server_builder(&server_setup()).build().unwrap());
    run_until_idle(&mut from, &mut to, &mut PlainLine);
    from.end_of_input();
    assert!(matches!(from.error(), Some(Error::Truncated { .. })));
    let question = from.take_question().unwrap();
    let answer = peer_question(question).answer(no());
    let (connection, output) = from.connection_and_output();
    assert!(matches!(
        connection.answer(answer, output),
        Err(Error::Truncated { .. })
    ));
}
