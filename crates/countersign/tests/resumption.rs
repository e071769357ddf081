//! Resumption, and that it is no way around authentication.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod pair;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use countersign::{
    Alert, CipherSuite, ClientConfig, ClientSessions, ClientSide, Clock, Completed, ConfigBuilder,
    Credential, Error, Lookup, MemoryStore, Misuse, NamedGroup, ProtocolVersion, Question,
    ResumePolicy, ServerConfig, ServerSide, SessionId, SessionStore, Since, TicketKeyring, Trace,
    TraceEvent, Traced, TrustStore, VerifyMode,
};
use pair::{Authority, For, Later, Pair};
use pki_types::UnixTime;

const REQUIRED: VerifyMode = VerifyMode::PEER.with(VerifyMode::FAIL_IF_NO_PEER_CERT);

/// A clock that tests set.
#[derive(Clone)]
struct Hand(Arc<AtomicU64>);

impl Clock for Hand {
    fn now(&self) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(self.0.load(Ordering::Relaxed)))
    }
}

struct Setup {
    authority: Authority,
    server_credential: Credential,
    client_credential: Credential,
    sessions: ClientSessions,
    keyring: TicketKeyring,
    clock: Hand,
}

impl Setup {
    fn new() -> Self {
        let authority = Authority::new("Test CA");
        Self {
            server_credential: authority.issue("server.example", For::Server),
            client_credential: authority.issue("client.example", For::Client),
            authority,
            sessions: ClientSessions::default(),
            keyring: TicketKeyring::new(),
            clock: Hand(Arc::new(AtomicU64::new(1_780_272_000))),
        }
    }

    fn advance(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
    }

    fn client(&self) -> ConfigBuilder<ClientSide> {
        ClientConfig::builder()
            .trust(self.authority.trust())
            .credential(self.client_credential.clone())
            .sessions(self.sessions.clone())
            .clock(self.clock.clone())
    }

    fn server(&self, mode: VerifyMode) -> ConfigBuilder<ServerSide> {
        ServerConfig::builder()
            .credential(self.server_credential.clone())
            .trust(self.authority.trust())
            .ticket_keyring(self.keyring.clone())
            .clock(self.clock.clone())
            .verify(mode)
    }
}

fn connect(client: ConfigBuilder<ClientSide>, server: ConfigBuilder<ServerSide>) -> Pair {
    let mut pair = Pair::new(&client.build().unwrap(), &server.build().unwrap());
    pair.run();
    pair.assert_alive();
    assert_eq!(
        resumed(&pair),
        pair.client.connection.agreed().unwrap().resumed
    );
    pair
}

fn resumed(pair: &Pair) -> bool {
    pair.server.connection.agreed().unwrap().resumed
}

#[test]
fn a_session_is_resumed_with_both_identities_verified_again() {
    let setup = Setup::new();
    assert!(!resumed(&connect(setup.client(), setup.server(REQUIRED))));
    assert_eq!(setup.sessions.len(), 2);
    for _ in 0..5 {
        let pair = connect(setup.client(), setup.server(REQUIRED));
        assert!(resumed(&pair));
        for end in [&pair.client, &pair.server] {
            let peer = end.connection.peer().unwrap();
            assert!(peer.is_verified());
            assert_eq!(peer.since(), Since::Resumption);
        }
        // One was used, and one came.
        assert_eq!(setup.sessions.len(), 2);
    }
}

#[test]
fn resumption_works_with_every_suite_and_after_a_retry() {
    let tls13 = |suite: &&CipherSuite| suite.version() == ProtocolVersion::Tls13;
    for suite in CipherSuite::ALL.iter().filter(tls13) {
        for group in [NamedGroup::X25519, NamedGroup::Secp384r1] {
            let setup = Setup::new();
            let server = || setup.server(REQUIRED).groups([group]);
            connect(setup.client().suites([*suite]), server());
            let pair = connect(setup.client().suites([*suite]), server());
            assert!(resumed(&pair), "{suite:?} {group:?}");
            assert_eq!(
                pair.client.connection.agreed().unwrap().retried,
                group == NamedGroup::Secp384r1
            );
        }
    }
}

#[test]
fn a_session_of_another_hash_leads_to_a_full_handshake() {
    let setup = Setup::new();
    connect(
        setup.client(),
        setup
            .server(REQUIRED)
            .suites([CipherSuite::Aes256GcmSha384]),
    );
    let pair = connect(
        setup.client(),
        setup
            .server(REQUIRED)
            .suites([CipherSuite::Aes128GcmSha256]),
    );
    assert!(!resumed(&pair));
    assert!(pair.server.connection.peer().unwrap().is_verified());
}

/// A server that made client certificates mandatory does not take a session from before.
#[test]
fn a_stricter_mode_is_not_bypassed() {
    let setup = Setup::new();
    connect(setup.client(), setup.server(VerifyMode::NONE));
    let pair = connect(setup.client(), setup.server(REQUIRED));
    assert!(!resumed(&pair));
    assert!(pair.server.connection.peer().unwrap().is_verified());

    // Nor one whose client had no certificate when it was asked.
    let setup = Setup::new();
    let anonymous = || {
        ClientConfig::builder()
            .trust(setup.authority.trust())
            .sessions(setup.sessions.clone())
            .clock(setup.clock.clone())
    };
    connect(anonymous(), setup.server(VerifyMode::PEER));
    assert!(resumed(&connect(
        anonymous(),
        setup.server(VerifyMode::PEER)
    )));
    let mut pair = Pair::new(
        &anonymous().build().unwrap(),
        &setup.server(REQUIRED).build().unwrap(),
    );
    pair.run();
    assert!(matches!(
        pair.server.error,
        Some(Error::NoPeerCertificate { .. })
    ));
}

/// CVE-2025-23419 and CVE-2025-23048: a session of one virtual host, resumed at another that
/// trusts other authorities but shares its ticket keys.
#[test]
fn the_trust_of_this_host_decides() {
    let setup = Setup::new();
    let client = setup.client().build().unwrap();
    let open_host = setup.server(REQUIRED).build().unwrap();
    let mut pair = Pair::new(&client, &open_host);
    pair.run();
    assert!(pair.server.connection.peer().unwrap().is_verified());
    let strict_host = setup
        .server(REQUIRED)
        .trust(Authority::new("Another CA").trust())
        .build()
        .unwrap();
    let mut pair = Pair::new(&client, &strict_host);
    pair.run();
    assert!(matches!(
        pair.server.error,
        Some(Error::PeerRejected { .. })
    ));
    assert!(pair.server.connection.peer().is_none());
}

#[test]
fn a_session_of_one_name_is_worth_nothing_under_another() {
    let setup = Setup::new();
    // The session was made without a name, and is offered under one.
    connect(
        setup.client().send_server_name(false),
        setup.server(REQUIRED),
    );
    assert_eq!(setup.sessions.len(), 2);
    assert!(!resumed(&connect(setup.client(), setup.server(REQUIRED))));
    assert!(resumed(&connect(setup.client(), setup.server(REQUIRED))));
}

/// Keeps whether the last answer to the ClientHello acknowledges the name in it.
#[derive(Clone, Default)]
struct Acknowledged(Arc<AtomicBool>);

impl Trace for Acknowledged {
    fn record(&self, event: &TraceEvent<'_>) {
        let Traced::Message { name, bytes, .. } = event.what else {
            return;
        };
        let before_extensions = match name {
            // Behind the header: version, random value, no session id or one of 32 bytes, suite, compression.
            "ServerHello" => 4 + 2 + 32 + 1 + usize::from(bytes[38]) + 2 + 1 + 2,
            "EncryptedExtensions" => 4 + 2,
            _ => return,
        };
        let mut extensions = &bytes[before_extensions..];
        let mut found = false;
        while let [kind_high, kind_low, high, low, rest @ ..] = extensions {
            found |= (*kind_high, *kind_low) == (0, 0);
            extensions = &rest[usize::from(u16::from_be_bytes([*high, *low]))..];
        }
        self.0.store(found, Ordering::Relaxed);
    }
}

/// RFC 6066 §3: a server that uses the name SHALL answer it, and MUST NOT when it resumes.
#[test]
fn the_name_of_the_server_is_acknowledged_in_a_full_handshake() {
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        let (setup, acknowledged) = (Setup::new(), Acknowledged::default());
        let meet = |client: ConfigBuilder<ClientSide>| {
            let server = setup.server(REQUIRED).trace(acknowledged.clone());
            let pair = connect(client.versions([version]), server);
            (resumed(&pair), acknowledged.0.load(Ordering::Relaxed))
        };
        assert_eq!(meet(setup.client()), (false, true), "{version}");
        assert_eq!(meet(setup.client()), (true, false), "{version}");
        let nameless = setup.client().send_server_name(false);
        assert_eq!(meet(nameless), (false, false), "{version}");
    }
}

#[test]
fn an_authority_that_is_no_longer_trusted_ends_resumption_too() {
    let setup = Setup::new();
    let trust = setup.authority.trust();
    let server = || setup.server(REQUIRED).trust(trust.clone());
    connect(setup.client(), server());
    assert!(resumed(&connect(setup.client(), server())));
    trust.replace(&Authority::new("Another CA").trust());
    let mut pair = Pair::new(&setup.client().build().unwrap(), &server().build().unwrap());
    pair.run();
    assert!(matches!(
        pair.server.error,
        Some(Error::PeerRejected { .. })
    ));
    assert!(pair.server.connection.peer().is_none());
}

/// What OpenSSL and rustls do, for those who ask for it.
#[test]
fn reuse_takes_the_identity_as_it_was() {
    let setup = Setup::new();
    let trust = setup.authority.trust();
    let server = || {
        setup
            .server(REQUIRED)
            .trust(trust.clone())
            .session_context("test")
            .resume_policy(ResumePolicy::Reuse)
    };
    connect(setup.client(), server());
    trust.replace(&Authority::new("Another CA").trust());
    let pair = connect(setup.client(), server());
    assert!(resumed(&pair));
    // It says of when it is: trust was replaced since.
    assert_eq!(
        (
            pair.server.connection.peer().unwrap().epoch(),
            trust.epoch()
        ),
        (0, 1)
    );
    assert_eq!(
        pair.server
            .connection
            .verify_result()
            .map(countersign::VerifyCode::number),
        Some(0)
    );
}

/// A ticket carries the report, not only its code.
#[test]
fn reuse_shows_the_report_of_the_earlier_connection() {
    let setup = Setup::new();
    let trust = setup.authority.trust();
    let server = || {
        setup
            .server(REQUIRED)
            .trust(trust.clone())
            .session_context("test")
            .resume_policy(ResumePolicy::Reuse)
    };
    let first = connect(setup.client(), server());
    let made = first.server.connection.peer().unwrap().report().clone();
    setup.advance(60);
    let mut pair = connect(setup.client(), server());
    // The second resumption rests on a ticket of the first.
    for _ in 0..2 {
        assert!(resumed(&pair));
        let kept = pair.server.connection.peer().unwrap().report().clone();
        assert_eq!(kept.checks(), made.checks());
        assert!(kept.chain().eq(made.chain()));
        assert_eq!(kept.time(), made.time());
        assert_eq!(kept.sentence(), made.sentence());
        assert!(made.chain().len() >= 2, "{made}");
        pair = connect(setup.client(), server());
    }
    // The anchor is no longer trusted: the report says what was found, without that certificate.
    trust.replace(&Authority::new("Another CA").trust());
    let pair = connect(setup.client(), server());
    assert!(resumed(&pair));
    let kept = pair.server.connection.peer().unwrap().report();
    assert_eq!(kept.checks(), made.checks());
    let anchor = kept.chain().next_back().unwrap();
    assert_eq!(anchor.der(), b"");
}

#[test]
fn a_server_sends_more_tickets_when_asked_to() {
    let setup = Setup::new();
    let mut pair = connect(setup.client(), setup.server(REQUIRED));
    assert_eq!(setup.sessions.len(), 2);
    let server = &mut pair.server;
    let sent = server.connection.send_ticket(&mut server.output);
    assert!(sent.unwrap());
    pair.run();
    assert_eq!(setup.sessions.len(), 3);
    // It is as good as the others: the client was asked and is known.
    let resumption = connect(setup.client(), setup.server(REQUIRED));
    assert!(resumed(&resumption));
    assert!(resumption.server.connection.peer().unwrap().is_verified());

    let client = &mut pair.client;
    assert!(matches!(
        client.connection.send_ticket(&mut client.output),
        Err(Error::Misuse(Misuse::OnlyServersSendTickets))
    ));
    let server = &mut pair.server;
    server.connection.close(&mut server.output);
    assert!(matches!(
        server.connection.send_ticket(&mut server.output),
        Err(Error::Misuse(Misuse::AlreadyClosed))
    ));
}

/// RFC 9846 §6.2: the pre-shared keys of a failed connection SHOULD be discarded.
#[test]
fn the_tickets_of_a_connection_that_failed_are_forgotten() {
    let setup = Setup::new();
    let mut other = connect(setup.client(), setup.server(VerifyMode::NONE));
    let anonymous = ClientConfig::builder()
        .trust(setup.authority.trust())
        .sessions(setup.sessions.clone())
        .clock(setup.clock.clone())
        .post_handshake_auth(true);
    let mode = REQUIRED | VerifyMode::POST_HANDSHAKE;
    let keys = TicketKeyring::new();
    let mut pair = connect(anonymous, setup.server(mode).ticket_keyring(keys));
    assert!(!resumed(&pair));
    let before = setup.sessions.len();
    let server = &mut pair.server;
    server
        .connection
        .request_peer_certificate(&mut server.output)
        .unwrap();
    pair.run();
    assert!(matches!(
        pair.client.error,
        Some(Error::AlertReceived { .. })
    ));
    // Those of the failed connection are gone, the other's are not.
    assert_eq!(setup.sessions.len(), before - 2);
    let server = &mut other.server;
    server.connection.send_ticket(&mut server.output).unwrap();
    other.run();
    assert_eq!(setup.sessions.len(), before - 1);
}

/// RFC 5246 §7.2.2 for TLS 1.2: servers MUST forget the session identifiers of a failed connection.
#[test]
fn a_store_forgets_the_sessions_of_a_connection_that_failed() {
    let setup = Setup::new();
    for version in [ProtocolVersion::Tls13, ProtocolVersion::Tls12] {
        let store = Arc::new(Counting(MemoryStore::new(100), AtomicUsize::new(0)));
        let count = || store.1.load(Ordering::Relaxed);
        let client = || {
            let sessions = ClientSessions::default();
            setup.client().sessions(sessions).versions([version])
        };
        let server = || setup.server(REQUIRED).session_store(Arc::clone(&store));
        let mut good = connect(client(), server());
        let of_one = count();
        assert!(of_one > 0);
        let mut failing = connect(client(), server());
        assert_eq!(count(), 2 * of_one);

        // Either end may find fault. The client's alert reaches the server.
        let client = &mut failing.client;
        client
            .connection
            .abort(Alert::AccessDenied, &mut client.output);
        failing.run();
        assert!(failing.server.error.is_some());
        assert_eq!(count(), of_one);

        // What ends in peace can be resumed.
        let client = &mut good.client;
        client.connection.close(&mut client.output);
        good.run();
        assert_eq!(count(), of_one);
    }
}

/// A store that counts what is in it.
struct Counting(MemoryStore, AtomicUsize);

impl SessionStore for Counting {
    fn insert(&self, id: SessionId, session: Vec<u8>, lifetime: Duration) {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.insert(id, session, lifetime);
    }
    fn take(&self, id: &SessionId) -> Lookup {
        let found = self.0.take(id);
        if matches!(found, Lookup::Found(_)) {
            self.1.fetch_sub(1, Ordering::Relaxed);
        }
        found
    }
}

#[test]
fn no_ticket_is_sent_where_nobody_resumes() {
    let setup = Setup::new();
    let server = setup.server(REQUIRED).resume_policy(ResumePolicy::Never);
    let mut server = connect(setup.client(), server).server;
    let sent = server.connection.send_ticket(&mut server.output);
    assert!(!sent.unwrap());
    assert!(server.output.is_empty());
}

/// OpenSSL refuses the connection: *session id context uninitialized*.
#[test]
fn reuse_without_a_context_is_a_full_handshake_where_certificates_are_wanted() {
    let setup = Setup::new();
    let server = |mode| setup.server(mode).resume_policy(ResumePolicy::Reuse);
    connect(setup.client(), server(VerifyMode::NONE));
    assert!(resumed(&connect(setup.client(), server(VerifyMode::NONE))));
    let pair = connect(setup.client(), server(REQUIRED));
    assert!(!resumed(&pair));
    assert!(pair.server.connection.peer().unwrap().is_verified());
}

#[test]
fn never_means_never_on_either_side() {
    let setup = Setup::new();
    connect(setup.client(), setup.server(REQUIRED));
    assert!(!resumed(&connect(
        setup.client(),
        setup.server(REQUIRED).resume_policy(ResumePolicy::Never)
    )));
    connect(setup.client(), setup.server(REQUIRED));
    assert!(!resumed(&connect(
        setup.client().resume_policy(ResumePolicy::Never),
        setup.server(REQUIRED)
    )));
}

#[test]
fn a_client_does_not_offer_a_session_whose_server_it_would_refuse() {
    let setup = Setup::new();
    // Connected without looking, to a server that nobody here trusts.
    let stranger = Authority::new("Another CA").issue("server.example", For::Server);
    let server = || {
        ServerConfig::builder()
            .credential(stranger.clone())
            .ticket_keyring(setup.keyring.clone())
            .clock(setup.clock.clone())
    };
    connect(setup.client().verify(VerifyMode::NONE), server());
    assert_eq!(setup.sessions.len(), 2);
    let mut pair = Pair::new(&setup.client().build().unwrap(), &server().build().unwrap());
    pair.run();
    assert!(matches!(
        pair.client.error,
        Some(Error::PeerRejected { .. })
    ));
}

#[test]
fn tickets_end_with_their_lifetime_and_with_the_certificate() {
    let setup = Setup::new();
    let server = || {
        setup
            .server(REQUIRED)
            .ticket_lifetime(Duration::from_secs(100))
    };
    connect(setup.client(), server());
    setup.advance(99);
    assert!(resumed(&connect(setup.client(), server())));
    setup.advance(100);
    assert!(!resumed(&connect(setup.client(), server())));

    // The certificate ends in 50 seconds, and so does the ticket.
    let mut setup = Setup::new();
    let end = setup.clock.now().as_secs() + 50;
    setup.client_credential = setup
        .authority
        .issue_with("client.example", For::Client, |params| {
            params.not_after =
                time::OffsetDateTime::from_unix_timestamp(end.try_into().unwrap()).unwrap();
        });
    let pair = connect(setup.client(), setup.server(REQUIRED));
    assert_eq!(
        pair.server
            .connection
            .peer()
            .unwrap()
            .valid_until()
            .unwrap()
            .as_secs(),
        end
    );
    setup.advance(49);
    assert!(resumed(&connect(setup.client(), setup.server(REQUIRED))));
    setup.advance(2);
    let mut pair = Pair::new(
        &setup.client().build().unwrap(),
        &setup.server(REQUIRED).build().unwrap(),
    );
    pair.run();
    assert_eq!(
        pair.server.error.unwrap().alert(),
        Some(Alert::CertificateExpired)
    );
}

#[test]
fn a_client_with_another_certificate_does_not_resume_as_its_old_self() {
    let mut setup = Setup::new();
    connect(setup.client(), setup.server(REQUIRED));
    setup.client_credential = setup.authority.issue("second.example", For::Client);
    let pair = connect(setup.client(), setup.server(REQUIRED));
    assert!(!resumed(&pair));
    assert_eq!(
        pair.server.connection.peer().unwrap().leaf(),
        setup.client_credential.certificates().first()
    );
}

#[test]
fn an_identity_from_after_the_handshake_is_resumed_with_the_new_tickets() {
    let setup = Setup::new();
    let later = VerifyMode::PEER | VerifyMode::POST_HANDSHAKE;
    let mut pair = connect(setup.client(), setup.server(later));
    pair.server
        .connection
        .request_peer_certificate(&mut pair.server.output)
        .unwrap();
    pair.run();
    assert_eq!(
        pair.server.completed,
        [Completed::Handshake, Completed::PostHandshakeAuthentication]
    );
    let mut pair = connect(setup.client(), setup.server(later));
    assert!(resumed(&pair));
    assert!(pair.server.connection.peer().unwrap().is_verified());
    // And may be asked again.
    pair.server
        .connection
        .request_peer_certificate(&mut pair.server.output)
        .unwrap();
    pair.run();
    assert_eq!(
        pair.server.connection.peer().unwrap().since(),
        Since::PostHandshake
    );
}

#[test]
fn other_keys_or_another_context_lead_to_a_full_handshake() {
    let setup = Setup::new();
    connect(setup.client(), setup.server(REQUIRED));
    assert!(!resumed(&connect(
        setup.client(),
        setup.server(REQUIRED).session_context("another")
    )));
    setup.keyring.revoke_all();
    assert!(!resumed(&connect(setup.client(), setup.server(REQUIRED))));
    assert!(resumed(&connect(setup.client(), setup.server(REQUIRED))));
}

#[test]
fn a_stored_session_is_used_once() {
    let setup = Setup::new();
    let store = Arc::new(MemoryStore::new(100));
    let server = || setup.server(REQUIRED).session_store(Arc::clone(&store));
    connect(setup.client(), server());
    assert!(resumed(&connect(setup.client(), server())));
    // A ticket for another kind of keeping is unknown.
    assert!(!resumed(&connect(setup.client(), setup.server(REQUIRED))));
}

/// A store that always has to ask.
struct Slow(MemoryStore, AtomicUsize);

impl SessionStore for Slow {
    fn insert(&self, id: SessionId, session: Vec<u8>, lifetime: Duration) {
        self.0.insert(id, session, lifetime);
    }
    fn take(&self, _: &SessionId) -> Lookup {
        self.1.fetch_add(1, Ordering::Relaxed);
        Lookup::Later
    }
}

#[test]
fn a_store_may_take_its_time() {
    let setup = Setup::new();
    let store = Arc::new(Slow(MemoryStore::new(100), AtomicUsize::new(0)));
    let server = || setup.server(REQUIRED).session_store(Arc::clone(&store));
    connect(setup.client(), server());
    let mut pair = Pair::new(&setup.client().build().unwrap(), &server().build().unwrap());
    pair.run();
    pair.server.answer(|question| match question {
        Question::Session(question) => {
            let found = match store.0.take(question.session_id()) {
                Lookup::Found(session) => Some(session),
                _ => None,
            };
            question.answer(found)
        }
        other => panic!("{other:?}"),
    });
    pair.server.process();
    pair.run();
    assert!(resumed(&pair));
    pair.assert_alive();
    assert_eq!(store.1.load(Ordering::Relaxed), 1);
}

#[test]
fn a_verdict_on_a_resumed_client_may_come_later() {
    let setup = Setup::new();
    connect(setup.client(), setup.server(REQUIRED));
    let server = setup.server(REQUIRED).verifier(Later).build().unwrap();
    let mut pair = Pair::new(&setup.client().build().unwrap(), &server);
    pair.run();
    pair.server.answer(|question| match question {
        Question::Peer(question) => {
            assert_eq!(question.presented().since, Since::Resumption);
            let report = countersign::ChainVerifier::new(setup.authority.trust())
                .report(&question.presented());
            question.answer(countersign::Verdict::Follow(report))
        }
        other => panic!("{other:?}"),
    });
    pair.server.process();
    pair.run();
    assert!(resumed(&pair));
}

#[test]
fn an_empty_store_of_trust_is_found_when_the_server_is_built() {
    let setup = Setup::new();
    let error = setup
        .server(REQUIRED)
        .trust(TrustStore::empty())
        .build()
        .unwrap_err();
    assert!(error.to_string().contains(".trust("), "{error}");
    let misuse = Misuse::ForbiddenUnderHttp2.to_string();
    assert!(misuse.contains("HTTP/2"), "{misuse}");
}

#[test]
fn a_mode_that_is_raised_after_the_offer_still_counts() {
    let setup = Setup::new();
    let client = || {
        ClientConfig::builder()
            .verify(VerifyMode::NONE)
            .sessions(setup.sessions.clone())
            .clock(setup.clock.clone())
            .build()
            .unwrap()
    };
    let server = setup.server(VerifyMode::NONE).build().unwrap();
    Pair::new(&client(), &server).run();
    assert_eq!(setup.sessions.len(), 2);
    // The ClientHello, with the session, is on its way when the mode changes.
    let mut pair = Pair::new(&client(), &server);
    let connection = &mut pair.client.connection;
    connection.set_verify_mode(VerifyMode::PEER).unwrap();
    pair.run();
    assert!(matches!(
        pair.client.error,
        Some(Error::PeerRejected { .. })
    ));
    assert!(pair.client.connection.peer().is_none());
}
