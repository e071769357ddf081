//! Authentication after the handshake (RFC 9846 §4.7.2), between two engines in memory.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod pair;

use std::sync::Arc;

use countersign::{
    Alert, ClientConfig, ClientSide, Completed, ConfigBuilder, Credential, Error, Misuse, Question,
    ServerConfig, ServerSide, Since, State, VerifyCode, VerifyMode, Why,
};
use pair::{Authority, End, For, Pair};

const LATER: VerifyMode = VerifyMode::PEER.with(VerifyMode::POST_HANDSHAKE);

struct Setup {
    authority: Authority,
}

impl Setup {
    fn new() -> Self {
        Self {
            authority: Authority::new("Test CA"),
        }
    }

    fn client(&self) -> ConfigBuilder<ClientSide> {
        ClientConfig::builder().trust(self.authority.trust())
    }

    fn known_client(&self) -> ConfigBuilder<ClientSide> {
        self.client().credential(self.credential())
    }

    fn credential(&self) -> Credential {
        self.authority.issue("client.example", For::Client)
    }

    fn server(&self, mode: VerifyMode) -> Arc<ServerConfig> {
        self.server_builder(mode).build().unwrap()
    }

    fn server_builder(&self, mode: VerifyMode) -> ConfigBuilder<ServerSide> {
        ServerConfig::builder()
            .credential(self.authority.issue("server.example", For::Server))
            .trust(self.authority.trust())
            .verify(mode)
    }
}

fn connect(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Pair {
    let mut pair = Pair::new(client, server);
    pair.run();
    pair.assert_alive();
    pair
}

fn ask(pair: &mut Pair) -> Result<(), Error> {
    pair.server
        .connection
        .request_peer_certificate(&mut pair.server.output)
}

fn misuse(result: Result<(), Error>) -> Misuse {
    match result {
        Err(Error::Misuse(misuse)) => misuse,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_client_authenticates_when_asked_and_any_number_of_times() {
    let setup = Setup::new();
    let mut pair = connect(&setup.known_client().build().unwrap(), &setup.server(LATER));
    assert!(pair.server.connection.peer().is_none());
    let agreed = pair.server.connection.agreed().unwrap();
    assert_eq!(agreed.not_requested_because, Some(Why::PostHandshakeOnly));
    for round in 2..5 {
        ask(&mut pair).unwrap();
        pair.run();
        assert_eq!(pair.server.completed.len(), round);
        assert_eq!(
            pair.server.completed.last(),
            Some(&Completed::PostHandshakeAuthentication)
        );
        let peer = pair.server.connection.peer().unwrap();
        assert!(peer.is_verified());
        assert_eq!(peer.since(), Since::PostHandshake);
        pair.assert_alive();
    }
}

#[test]
fn what_was_said_before_and_after_is_told_apart() {
    let setup = Setup::new();
    let mut pair = connect(&setup.known_client().build().unwrap(), &setup.server(LATER));
    ask(&mut pair).unwrap();
    // The client sends before it has seen the request, and after it has answered.
    pair.client.send(b"before").unwrap();
    pair.client.input.append(&mut pair.server.output);
    pair.client.process();
    pair.client.send(b"after").unwrap();
    pair.server.input.append(&mut pair.client.output);
    let mut heard = Vec::new();
    loop {
        let received = pair
            .server
            .connection
            .receive(&mut pair.server.input, &mut pair.server.output)
            .unwrap();
        match received.event {
            countersign::Event::Data(range) => {
                heard.push(String::from_utf8(pair.server.input[range].to_vec()).unwrap());
            }
            countersign::Event::Completed(what) => heard.push(format!("{what:?}")),
            _ => break,
        }
        pair.server.input.drain(..received.consumed);
    }
    assert_eq!(heard, ["before", "PostHandshakeAuthentication", "after"]);
}

#[test]
fn key_updates_between_request_and_answer_are_fine() {
    let setup = Setup::new();
    let mut pair = connect(&setup.known_client().build().unwrap(), &setup.server(LATER));
    ask(&mut pair).unwrap();
    pair.server
        .connection
        .update_keys(true, &mut pair.server.output)
        .unwrap();
    pair.client
        .connection
        .update_keys(true, &mut pair.client.output)
        .unwrap();
    pair.client
        .connection
        .update_keys(false, &mut pair.client.output)
        .unwrap();
    pair.run();
    assert!(pair.server.connection.peer().unwrap().is_verified());
    pair.assert_alive();
}

#[test]
fn a_client_without_a_certificate_is_refused_only_if_one_is_required() {
    let setup = Setup::new();
    let client = setup.client().post_handshake_auth(true).build().unwrap();
    let mut pair = connect(&client, &setup.server(LATER));
    ask(&mut pair).unwrap();
    pair.run();
    assert_eq!(pair.server.completed.len(), 2);
    assert!(pair.server.connection.peer().is_none());
    assert_eq!(pair.server.connection.verify_result(), None);
    pair.assert_alive();

    // The mode of the moment at which the answer arrives decides.
    ask(&mut pair).unwrap();
    let required = LATER | VerifyMode::FAIL_IF_NO_PEER_CERT;
    pair.server.connection.set_verify_mode(required).unwrap();
    pair.run();
    assert!(matches!(
        pair.server.error,
        Some(Error::NoPeerCertificate {
            alert: Alert::CertificateRequired
        })
    ));
    assert!(matches!(
        pair.client.error,
        Some(Error::AlertReceived {
            alert: Alert::CertificateRequired,
            ..
        })
    ));
}

#[test]
fn a_bad_certificate_ends_the_connection_and_shows_nobody_as_the_peer() {
    let setup = Setup::new();
    let stranger = Authority::new("Another CA").issue("client.example", For::Client);
    let mut pair = connect(
        &setup.client().credential(stranger).build().unwrap(),
        &setup.server(LATER),
    );
    ask(&mut pair).unwrap();
    pair.run();
    let Some(Error::PeerRejected { rejection, alert }) = &pair.server.error else {
        panic!("{:?}", pair.server.error);
    };
    assert_eq!(
        (*alert, rejection.code),
        (
            Alert::UnknownCa,
            VerifyCode::UNABLE_TO_GET_ISSUER_CERT_LOCALLY
        )
    );
    assert!(pair.server.connection.peer().is_none());
    assert_eq!(pair.server.connection.verify_result(), Some(rejection.code));
    assert!(matches!(
        pair.client.error,
        Some(Error::AlertReceived {
            alert: Alert::UnknownCa,
            ..
        })
    ));
}

#[test]
fn every_refusal_to_ask_is_typed_and_harmless() {
    let setup = Setup::new();
    let known = setup.known_client().build().unwrap();
    let mut pair = Pair::new(&known, &setup.server(LATER));
    assert_eq!(misuse(ask(&mut pair)), Misuse::HandshakeRunning);
    pair.run();
    let on_client = pair
        .client
        .connection
        .request_peer_certificate(&mut pair.client.output);
    assert_eq!(misuse(on_client), Misuse::NotServer);
    ask(&mut pair).unwrap();
    assert_eq!(misuse(ask(&mut pair)), Misuse::RequestUnanswered);
    pair.run();
    pair.assert_alive();

    let mut pair = connect(&setup.client().build().unwrap(), &setup.server(LATER));
    assert_eq!(misuse(ask(&mut pair)), Misuse::PeerCannotAuthenticate);
    pair.assert_alive();

    let mut pair = connect(&known, &setup.server(VerifyMode::NONE));
    assert_eq!(
        misuse(ask(&mut pair)),
        Misuse::ModeDoesNotAsk(Why::NotAskedFor)
    );
    pair.server
        .connection
        .set_verify_mode(VerifyMode::PEER)
        .unwrap();
    ask(&mut pair).unwrap();
    pair.run();
    assert!(pair.server.connection.peer().unwrap().is_verified());

    // Asked in the handshake, so not again.
    let mut pair = connect(
        &known,
        &setup.server(VerifyMode::PEER | VerifyMode::CLIENT_ONCE),
    );
    assert_eq!(
        misuse(ask(&mut pair)),
        Misuse::ModeDoesNotAsk(Why::AskedOnceAlready)
    );
    assert!(pair.server.connection.peer().unwrap().is_verified());
    // Not asked in the handshake, so once.
    let mut pair = connect(&known, &setup.server(LATER | VerifyMode::CLIENT_ONCE));
    ask(&mut pair).unwrap();
    pair.run();
    assert_eq!(
        misuse(ask(&mut pair)),
        Misuse::ModeDoesNotAsk(Why::AskedOnceAlready)
    );
    pair.assert_alive();
}

#[test]
fn http2_forbids_it_on_both_sides() {
    let setup = Setup::new();
    let client = setup
        .known_client()
        .alpn(["h2", "http/1.1"])
        .build()
        .unwrap();
    let mut pair = connect(
        &client,
        &setup.server_builder(LATER).alpn(["h2"]).build().unwrap(),
    );
    assert_eq!(misuse(ask(&mut pair)), Misuse::ForbiddenUnderHttp2);
    pair.assert_alive();
    let mut pair = connect(
        &client,
        &setup
            .server_builder(LATER)
            .alpn(["http/1.1"])
            .build()
            .unwrap(),
    );
    ask(&mut pair).unwrap();
    pair.run();
    assert!(pair.server.connection.peer().unwrap().is_verified());
}

#[test]
fn a_client_that_closed_the_connection_says_nothing_more() {
    let setup = Setup::new();
    let mut pair = connect(&setup.known_client().build().unwrap(), &setup.server(LATER));
    pair.client.connection.close(&mut pair.client.output);
    ask(&mut pair).unwrap();
    let request = std::mem::take(&mut pair.server.output);
    pair.run();
    pair.client.input.extend_from_slice(&request);
    pair.client.process();
    assert!(pair.client.output.is_empty() && pair.client.error.is_none());
    assert!(pair.server.peer_closed && pair.server.connection.peer().is_none());
}

#[test]
fn the_owner_chooses_the_certificate_and_signs_elsewhere() {
    struct Elsewhere(countersign::PrivateKey);
    impl countersign::Signer for Elsewhere {
        fn schemes(&self) -> &[countersign::SignatureScheme] {
            self.0.schemes()
        }
        fn sign(
            &self,
            _: countersign::SignatureScheme,
            _: &[u8],
        ) -> Result<Vec<u8>, countersign::SignError> {
            Err(countersign::SignError::Later)
        }
    }
    let setup = Setup::new();
    let (chain, key) = setup.authority.issue_parts("client.example", For::Client);
    let key = || countersign::PrivateKey::from_der(&key).unwrap();
    let credential = Credential::with_signer(chain, Elsewhere(key())).unwrap();
    let mut pair = connect(
        &setup.client().ask_for_credential(true).build().unwrap(),
        &setup.server(LATER),
    );
    ask(&mut pair).unwrap();
    pair.run();
    pair.client.answer(|question| match question {
        Question::Credential(question) => {
            assert_eq!(question.authorities().len(), 1);
            assert!(!question.schemes().is_empty());
            assert_eq!(question.occasion(), Since::PostHandshake);
            question.answer(Some(credential))
        }
        other => panic!("{other:?}"),
    });
    // Data flows out while the client waits for its key; nothing comes between the messages of its answer.
    pair.client.process();
    assert_eq!(pair.client.connection.state(), State::AwaitingAnswer);
    let waiting = pair.client.questions.pop();
    pair.client.send(b"meanwhile").unwrap();
    pair.client.questions.extend(waiting);
    pair.client.answer(|question| match question {
        Question::Signature(question) => {
            let signature = key().sign(question.scheme(), question.message());
            question.answer(signature.map_err(|error| error.to_string()))
        }
        other => panic!("{other:?}"),
    });
    pair.client.process();
    pair.run();
    assert_eq!(std::mem::take(&mut pair.server.data), b"meanwhile");
    assert!(pair.server.connection.peer().unwrap().is_verified());
    pair.assert_alive();
}

#[test]
fn a_client_learns_that_it_was_accepted_by_the_new_tickets() {
    let setup = Setup::new();
    let mut pair = connect(&setup.known_client().build().unwrap(), &setup.server(LATER));
    ask(&mut pair).unwrap();
    pair.client.input.append(&mut pair.server.output);
    pair.client.process();
    assert!(!pair.client.connection.accepted_by_peer());
    pair.run();
    assert!(pair.client.connection.accepted_by_peer());
}

/// Data in the middle of an answer is a violation: RFC 9846 §4.7.2 wants it in one piece.
#[test]
fn an_answer_must_come_in_one_piece() {
    let setup = Setup::new();
    let mut pair = connect(&setup.known_client().build().unwrap(), &setup.server(LATER));
    ask(&mut pair).unwrap();
    pair.client.input.append(&mut pair.server.output);
    pair.client.process();
    // Drop the answer: what follows cannot be opened, since a record is missing.
    pair.client.output.clear();
    pair.client.send(b"data").unwrap();
    pair.run();
    let End { error, .. } = &pair.server;
    assert_eq!(
        error.as_ref().and_then(Error::alert),
        Some(Alert::BadRecordMac)
    );
}
