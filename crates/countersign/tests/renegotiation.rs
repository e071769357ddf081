//! Renegotiation: the handshake once more, in both roles (TLS 1.2).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod pair;

use std::sync::Arc;

use countersign::{
    ClientConfig, ClientSessions, ClientSide, Completed, ConfigBuilder, Error, Limits, Misuse,
    ProtocolVersion, Question, ServerConfig, ServerSide, SignError, SignatureScheme, Signer, Since,
    State, VerifyMode, Violation,
};
use pair::{Authority, End, For, Later, Pair};

struct Setup {
    authority: Authority,
}

impl Setup {
    fn new() -> Self {
        Self {
            authority: Authority::new("root"),
        }
    }

    fn client(&self) -> ConfigBuilder<ClientSide> {
        ClientConfig::builder()
            .trust(self.authority.trust())
            .credential(self.authority.issue("client", For::Client))
    }

    fn server(&self) -> ConfigBuilder<ServerSide> {
        ServerConfig::builder()
            .versions([ProtocolVersion::Tls12])
            .trust(self.authority.trust())
            .credential(self.authority.issue("server.example", For::Server))
    }

    /// A connection between the two, on which the server has asked nobody.
    fn connect(&self) -> Pair {
        connect(
            &self.client().build().unwrap(),
            &self.server().build().unwrap(),
        )
    }
}

fn connect(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Pair {
    let mut pair = Pair::new(client, server);
    pair.run();
    assert_eq!(pair.client.completed, [Completed::Handshake]);
    assert_eq!(pair.server.completed, [Completed::Handshake]);
    pair
}

fn renegotiate(end: &mut End) -> Result<(), Error> {
    end.connection.renegotiate(&mut end.output)
}

fn ask(server: &mut End, mode: VerifyMode) -> Result<(), Error> {
    server.connection.set_verify_mode(mode)?;
    server
        .connection
        .request_peer_certificate(&mut server.output)
}

fn misuse(result: Result<(), Error>) -> Misuse {
    match result {
        Err(Error::Misuse(misuse)) => misuse,
        other => panic!("{other:?}"),
    }
}

fn violation(end: &End) -> Violation {
    match &end.error {
        Some(Error::PeerViolated { violation, .. }) => *violation,
        other => panic!("{other:?}"),
    }
}

fn assert_renegotiated(pair: &mut Pair, times: usize) {
    for end in [&pair.client, &pair.server] {
        assert_eq!(end.error.as_ref().map(ToString::to_string), None);
        let renegotiated = |what: &&Completed| **what == Completed::Renegotiation;
        assert_eq!(end.completed.iter().filter(renegotiated).count(), times);
    }
    pair.assert_alive();
}

#[test]
fn a_server_learns_who_its_client_is_when_it_asks() {
    let mut pair = Setup::new().connect();
    assert!(pair.server.connection.peer().is_none());
    ask(&mut pair.server, VerifyMode::PEER).unwrap();
    assert_eq!(pair.server.connection.state(), State::AwaitingRenegotiation);
    pair.run();
    assert_renegotiated(&mut pair, 1);
    let peer = pair.server.connection.peer().unwrap();
    assert!(peer.is_verified());
    assert_eq!(peer.since(), Since::Renegotiation);
    let agreed = pair.client.connection.agreed().unwrap();
    assert!(agreed.certificate_requested && agreed.own_signature.is_some());
    assert!(!agreed.resumed);
}

#[test]
fn what_was_sent_before_is_delivered_before() {
    let mut pair = Setup::new().connect();
    pair.client.send(b"before ").unwrap();
    ask(&mut pair.server, VerifyMode::PEER).unwrap();
    // A server goes on sending until the client begins.
    pair.server.send(b"while asking ").unwrap();
    let request = std::mem::take(&mut pair.server.output);
    pair.client.send(b"unaware").unwrap();
    pair.client.input.extend(request);
    pair.client.process();
    assert_eq!(pair.client.data, b"while asking ");
    assert!(pair.client.connection.is_renegotiating());
    let refused = pair.client.send(b"too early").map(|_| ());
    assert_eq!(misuse(refused), Misuse::RenegotiationRunning);

    // The server reads what comes before the ClientHello, and knows nobody yet.
    let sent = std::mem::take(&mut pair.client.output);
    pair.server.input.extend(sent);
    pair.server.process();
    assert_eq!(pair.server.data, b"before unaware");
    assert_eq!(pair.server.completed, [Completed::Handshake]);
    assert!(pair.server.connection.is_renegotiating());
    let refused = pair.server.send(b"too early").map(|_| ());
    assert_eq!(misuse(refused), Misuse::RenegotiationRunning);
    pair.run();
    pair.server.data.clear();
    pair.client.data.clear();
    assert_renegotiated(&mut pair, 1);
}

#[test]
fn a_client_without_a_certificate_is_nobody_or_refused() {
    let setup = Setup::new();
    let stranger = ClientConfig::builder().trust(setup.authority.trust());
    let stranger = stranger.build().unwrap();
    let server = setup.server().build().unwrap();
    let mut pair = connect(&stranger, &server);
    ask(&mut pair.server, VerifyMode::PEER).unwrap();
    pair.run();
    assert_renegotiated(&mut pair, 1);
    assert!(pair.server.connection.peer().is_none());

    let insists = VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT;
    ask(&mut pair.server, insists).unwrap();
    pair.run();
    assert!(matches!(
        pair.server.error,
        Some(Error::NoPeerCertificate { .. })
    ));
    let Some(Error::AlertReceived { alert, .. }) = &pair.client.error else {
        panic!("{:?}", pair.client.error);
    };
    assert_eq!(*alert, countersign::Alert::HandshakeFailure);
}

#[test]
fn a_client_that_is_refused_leaves_no_identity_behind() {
    let setup = Setup::new();
    let other = Authority::new("another root");
    let client = ClientConfig::builder()
        .trust(setup.authority.trust())
        .credential(other.issue("client", For::Client))
        .build()
        .unwrap();
    let mut pair = connect(&client, &setup.server().build().unwrap());
    ask(&mut pair.server, VerifyMode::PEER).unwrap();
    pair.run();
    assert!(matches!(
        pair.server.error,
        Some(Error::PeerRejected { .. })
    ));
    assert!(pair.server.connection.peer().is_none());
    assert!(pair.server.connection.verify_result().is_some());
}

#[test]
fn whoever_was_asked_once_is_not_asked_again_and_not_forgotten() {
    let setup = Setup::new();
    let once = VerifyMode::PEER | VerifyMode::CLIENT_ONCE;
    let server = setup.server().verify(once).build().unwrap();
    let mut pair = connect(&setup.client().build().unwrap(), &server);
    assert_eq!(
        pair.server.connection.peer().unwrap().since(),
        Since::Handshake
    );
    let refused = ask(&mut pair.server, once);
    assert!(matches!(misuse(refused), Misuse::ModeDoesNotAsk(_)));
    renegotiate(&mut pair.server).unwrap();
    pair.run();
    assert_renegotiated(&mut pair, 1);
    let peer = pair.server.connection.peer().unwrap();
    assert_eq!(peer.since(), Since::Handshake);
    assert!(peer.is_verified());
    let agreed = pair.server.connection.agreed().unwrap();
    assert!(!agreed.certificate_requested);
}

/// A server in mode `CLIENT_ONCE` knows the client by what it showed first, and so do its sessions: whoever would not
/// show that certificate again does not offer them.
#[test]
fn a_session_is_bound_to_what_was_shown_before() {
    let setup = Setup::new();
    let sessions = ClientSessions::default();
    let known = setup.client().sessions(sessions.clone()).build().unwrap();
    let unknown = ClientConfig::builder()
        .trust(setup.authority.trust())
        .sessions(sessions.clone())
        .build()
        .unwrap();
    let once = VerifyMode::PEER | VerifyMode::CLIENT_ONCE;
    let server = setup.server().verify(once).build().unwrap();
    let mut pair = connect(&known, &server);
    sessions.clear();
    renegotiate(&mut pair.server).unwrap();
    pair.run();
    assert_renegotiated(&mut pair, 1);
    let agreed = pair.client.connection.agreed().unwrap();
    assert!(!agreed.certificate_requested);
    assert!(agreed.own_signature.is_none());
    assert!(pair.server.connection.peer().is_some());
    assert_eq!(sessions.len(), 1);

    let pair = connect(&unknown, &server);
    assert!(!pair.server.connection.agreed().unwrap().resumed);
    assert!(pair.server.connection.peer().is_none());
}

#[test]
fn a_mode_that_asks_nobody_any_more_knows_nobody_any_more() {
    let setup = Setup::new();
    let server = setup.server().verify(VerifyMode::PEER).build().unwrap();
    let mut pair = connect(&setup.client().build().unwrap(), &server);
    assert!(pair.server.connection.peer().is_some());
    let connection = &mut pair.server.connection;
    connection.set_verify_mode(VerifyMode::NONE).unwrap();
    renegotiate(&mut pair.server).unwrap();
    pair.run();
    assert_renegotiated(&mut pair, 1);
    assert!(pair.server.connection.peer().is_none());
}

#[test]
fn a_client_may_not_start_unless_it_is_allowed_to() {
    let setup = Setup::new();
    let mut pair = setup.connect();
    renegotiate(&mut pair.client).unwrap();
    pair.run();
    // The server lives; the client has asked for a reason and gives up.
    assert!(matches!(
        pair.client.error,
        Some(Error::RenegotiationRefused { .. })
    ));
    let Some(Error::AlertReceived { alert, .. }) = &pair.server.error else {
        panic!("{:?}", pair.server.error);
    };
    assert_eq!(*alert, countersign::Alert::HandshakeFailure);

    let server = setup.server().client_renegotiation(true).build().unwrap();
    let mut pair = connect(&setup.client().build().unwrap(), &server);
    renegotiate(&mut pair.client).unwrap();
    pair.run();
    assert_renegotiated(&mut pair, 1);
}

#[test]
fn a_client_that_does_not_want_to_says_so() {
    let setup = Setup::new();
    let client = setup.client().renegotiation(false).build().unwrap();
    let mut pair = connect(&client, &setup.server().build().unwrap());
    ask(&mut pair.server, VerifyMode::PEER).unwrap();
    let request = std::mem::take(&mut pair.server.output);
    pair.client.input.extend(request);
    pair.client.process();
    assert!(pair.client.error.is_none() && !pair.client.connection.is_renegotiating());
    pair.client.send(b"still here").unwrap();
    pair.run();
    assert!(matches!(
        pair.server.error,
        Some(Error::RenegotiationRefused { .. })
    ));
}

#[test]
fn it_does_not_go_on_forever() {
    let setup = Setup::new();
    let mut limits = Limits::default();
    limits.renegotiations = 2;
    let server = setup.server().limits(limits.clone()).build().unwrap();
    let mut pair = connect(&setup.client().build().unwrap(), &server);
    for times in 1..=2 {
        renegotiate(&mut pair.server).unwrap();
        pair.run();
        assert_renegotiated(&mut pair, times);
    }
    let refused = renegotiate(&mut pair.server);
    assert_eq!(misuse(refused), Misuse::TooManyRenegotiations);
    pair.assert_alive();

    // A client bounds what its server can make it do.
    let client = setup.client().limits(limits).build().unwrap();
    let mut pair = connect(&client, &setup.server().build().unwrap());
    for times in 1..=2 {
        renegotiate(&mut pair.server).unwrap();
        pair.run();
        assert_renegotiated(&mut pair, times);
    }
    renegotiate(&mut pair.server).unwrap();
    pair.run();
    assert!(matches!(
        pair.server.error,
        Some(Error::RenegotiationRefused { .. })
    ));
}

#[test]
fn calls_that_do_not_fit_harm_nothing() {
    let setup = Setup::new();
    let mut pair = setup.connect();
    ask(&mut pair.server, VerifyMode::PEER).unwrap();
    let again = ask(&mut pair.server, VerifyMode::PEER);
    assert_eq!(misuse(again), Misuse::RequestUnanswered);
    assert_eq!(
        misuse(renegotiate(&mut pair.server)),
        Misuse::RequestUnanswered
    );
    pair.run();
    assert_renegotiated(&mut pair, 1);
    let client = &mut pair.client;
    let refused = client.connection.update_keys(true, &mut client.output);
    assert_eq!(misuse(refused), Misuse::NotInThisVersion);
    let refused = client
        .connection
        .request_peer_certificate(&mut client.output);
    assert_eq!(misuse(refused), Misuse::NotServer);

    let newest = ServerConfig::builder()
        .credential(setup.authority.issue("server.example", For::Server))
        .build()
        .unwrap();
    let mut pair = connect(&setup.client().build().unwrap(), &newest);
    assert_eq!(
        misuse(renegotiate(&mut pair.server)),
        Misuse::NotInThisVersion
    );
    assert_eq!(
        misuse(renegotiate(&mut pair.client)),
        Misuse::NotInThisVersion
    );
    pair.assert_alive();
}

#[test]
fn under_http2_nobody_renegotiates() {
    let setup = Setup::new();
    let client = setup.client().alpn(["h2"]).build().unwrap();
    let server = setup.server().alpn(["h2"]).build().unwrap();
    let mut pair = connect(&client, &server);
    let refused = ask(&mut pair.server, VerifyMode::PEER);
    assert_eq!(misuse(refused), Misuse::ForbiddenUnderHttp2);
    assert_eq!(
        misuse(renegotiate(&mut pair.client)),
        Misuse::ForbiddenUnderHttp2
    );
    pair.assert_alive();
}

#[test]
fn what_the_connection_is_for_outlives_a_renegotiation() {
    let setup = Setup::new();
    let client = setup.client().alpn(["http/1.1"]).build().unwrap();
    let server = setup.server().alpn(["http/1.1"]).build().unwrap();
    let mut pair = connect(&client, &server);
    ask(&mut pair.server, VerifyMode::PEER).unwrap();
    pair.run();
    assert_renegotiated(&mut pair, 1);
    for end in [&pair.client, &pair.server] {
        let agreed = end.connection.agreed().unwrap();
        assert_eq!(agreed.alpn.as_deref(), Some(&b"http/1.1"[..]));
        assert_eq!(agreed.server_name.as_deref(), Some("server.example"));
    }
}

/// A client that shows what its owner names.
fn chooses(setup: &Setup) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder().trust(setup.authority.trust());
    builder.ask_for_credential(true).build().unwrap()
}

fn show(pair: &mut Pair, name: &str, setup: &Setup) {
    pair.run();
    pair.client.answer(|question| match question {
        Question::Credential(question) => {
            question.answer(Some(setup.authority.issue(name, For::Client)))
        }
        other => panic!("{other:?}"),
    });
    pair.client.process();
    pair.run();
}

#[test]
fn a_client_may_not_become_somebody_else() {
    let setup = Setup::new();
    for allowed in [false, true] {
        let server = setup.server().accept_identity_change(allowed);
        let mut pair = connect(&chooses(&setup), &server.build().unwrap());
        ask(&mut pair.server, VerifyMode::PEER).unwrap();
        show(&mut pair, "alice", &setup);
        assert_renegotiated(&mut pair, 1);
        ask(&mut pair.server, VerifyMode::PEER).unwrap();
        show(&mut pair, "mallory", &setup);
        if allowed {
            assert_renegotiated(&mut pair, 2);
        } else {
            assert_eq!(violation(&pair.server), Violation::IdentityChanged);
        }
    }
}

#[test]
fn nor_by_way_of_having_been_nobody() {
    let setup = Setup::new();
    let mut pair = connect(&chooses(&setup), &setup.server().build().unwrap());
    ask(&mut pair.server, VerifyMode::PEER).unwrap();
    show(&mut pair, "alice", &setup);
    ask(&mut pair.server, VerifyMode::PEER).unwrap();
    pair.run();
    pair.client.answer(|question| match question {
        Question::Credential(question) => question.answer(None),
        other => panic!("{other:?}"),
    });
    pair.client.process();
    pair.run();
    assert_renegotiated(&mut pair, 2);
    assert!(pair.server.connection.peer().is_none());
    ask(&mut pair.server, VerifyMode::PEER).unwrap();
    show(&mut pair, "mallory", &setup);
    assert_eq!(violation(&pair.server), Violation::IdentityChanged);
}

#[test]
fn verdicts_may_take_their_time_in_both_roles() {
    let setup = Setup::new();
    let client = setup.client().verifier(Later).build().unwrap();
    let server = setup.server().verifier(Later).build().unwrap();
    let mut pair = Pair::new(&client, &server);
    let accept = |question| match question {
        Question::Peer(question) => {
            let despite = countersign::Report::from_application(
                countersign_x509::Purpose::Any,
                countersign::VerifyCode::OK,
            );
            question.answer(countersign::Verdict::Accept { despite })
        }
        other => panic!("{other:?}"),
    };
    pair.run();
    pair.client.answer(accept);
    pair.client.process();
    pair.run();
    assert_eq!(pair.client.completed, [Completed::Handshake]);
    ask(&mut pair.server, VerifyMode::PEER).unwrap();
    pair.run();
    pair.client.answer(accept);
    pair.client.process();
    pair.run();
    pair.server.answer(accept);
    pair.server.process();
    pair.run();
    assert_renegotiated(&mut pair, 1);
    assert!(pair.server.connection.peer().is_some());
}

/// A key that lives elsewhere.
struct Remote;

impl Signer for Remote {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::ECDSA_SECP256R1_SHA256]
    }

    fn sign(&self, _: SignatureScheme, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Err(SignError::Later)
    }
}

#[test]
fn keys_may_live_elsewhere_in_both_roles() {
    let setup = Setup::new();
    let remote = |name, purpose| {
        let (chain, key) = setup.authority.issue_parts(name, purpose);
        let key = countersign::PrivateKey::from_der(&key).unwrap();
        (
            countersign::Credential::with_signer(chain, Remote).unwrap(),
            key,
        )
    };
    let (credential, client_key) = remote("client", For::Client);
    let client = ClientConfig::builder().trust(setup.authority.trust());
    let client = client.credential(credential).build().unwrap();
    let (credential, server_key) = remote("server.example", For::Server);
    let server = ServerConfig::builder()
        .versions([ProtocolVersion::Tls12])
        .trust(setup.authority.trust())
        .verify(VerifyMode::PEER)
        .credential(credential)
        .build()
        .unwrap();
    let mut pair = Pair::new(&client, &server);
    pair.run();
    sign(&mut pair.server, &server_key);
    pair.run();
    sign(&mut pair.client, &client_key);
    pair.run();
    assert_eq!(pair.server.completed, [Completed::Handshake]);
    assert!(pair.server.connection.peer().unwrap().is_verified());
    pair.assert_alive();
}

fn sign(end: &mut End, key: &countersign::PrivateKey) {
    end.answer(|question| match question {
        Question::Signature(question) => {
            let signature = key.sign(question.scheme(), question.message());
            question.answer(Ok(signature.unwrap()))
        }
        other => panic!("{other:?}"),
    });
    end.process();
}
