//! When what surrounds a connection fails: the transport, the key, the store, the clock, the source of
//! random bytes. No data is lost, no state is wrong, and the error says what it was.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod pair;

use std::io::{self, ErrorKind, Read, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign::{
    Alert, ClientConfig, Clock, Connection, Credential, Error, Event, Lookup, ProtocolVersion,
    Question, Random, RandomFailed, ServerConfig, SessionId, SessionStore, SignError,
    SignatureScheme, Signer, Stream, VerifyMode, Violation,
};
use pair::{Authority, For, Pair};
use pki_types::UnixTime;

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

fn configs(version: ProtocolVersion) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let authority = Authority::new("root");
    let client = ClientConfig::builder()
        .versions([version])
        .trust(authority.trust())
        .credential(authority.issue("client", For::Client))
        .build()
        .unwrap();
    let server = ServerConfig::builder()
        .trust(authority.trust())
        .credential(authority.issue("server.example", For::Server))
        .verify(VerifyMode::PEER)
        .build()
        .unwrap();
    (client, server)
}

/// What a transport does instead of working.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// Every call moves one byte.
    OneByte,
    /// Every other call is interrupted.
    Interrupted,
    /// The call of this number fails, once.
    FailsAt(usize),
    /// The bytes of this read come twice.
    RepeatsRead(usize),
}

/// A transport with a server at the other end that sends back what it hears.
struct Line {
    server: Connection,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    trouble: Trouble,
    calls: usize,
    reads: usize,
}

impl Line {
    fn new(server: &Arc<ServerConfig>, trouble: Trouble) -> Self {
        Self {
            server: Connection::server(server),
            to_server: Vec::new(),
            to_client: Vec::new(),
            trouble,
            calls: 0,
            reads: 0,
        }
    }

    fn serve(&mut self) {
        loop {
            let received = self
                .server
                .receive(&mut self.to_server, &mut self.to_client);
            let Ok(received) = received else { return };
            let mut idle = false;
            match received.event {
                Event::NeedInput | Event::PeerClosed => idle = true,
                Event::Data(range) => {
                    let data = self.to_server[range].to_vec();
                    let slices = [io::IoSlice::new(&data)];
                    self.server.send(&slices, &mut self.to_client).unwrap();
                }
                _ => {}
            }
            self.to_server.drain(..received.consumed);
            if idle {
                return;
            }
        }
    }

    fn trouble(&mut self) -> io::Result<()> {
        let call = self.calls;
        self.calls += 1;
        match self.trouble {
            Trouble::Interrupted if call.is_multiple_of(2) => Err(ErrorKind::Interrupted.into()),
            Trouble::FailsAt(at) if at == call => Err(ErrorKind::TimedOut.into()),
            _ => Ok(()),
        }
    }

    fn most(&self, wanted: usize) -> usize {
        match self.trouble {
            Trouble::OneByte => wanted.min(1),
            _ => wanted,
        }
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.trouble()?;
        self.serve();
        let length = self.most(buffer.len()).min(self.to_client.len());
        buffer[..length].copy_from_slice(&self.to_client[..length]);
        if self.trouble != Trouble::RepeatsRead(self.reads) {
            self.to_client.drain(..length);
        }
        self.reads += 1;
        Ok(length)
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.trouble()?;
        let length = self.most(bytes.len());
        self.to_server.extend_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn open(client: &Arc<ClientConfig>, line: Line) -> Stream<Line> {
    Stream::client(client, "server.example".try_into().unwrap(), line).unwrap()
}

/// Says something and hears it again, trying once more when a call fails.
fn echo(stream: &mut Stream<Line>, said: &[u8]) -> (Vec<u8>, usize) {
    let mut failures = 0;
    let mut count = |error: &io::Error| {
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
        failures += 1;
        assert!(failures < 3);
    };
    while let Err(error) = stream.handshake() {
        count(&error.into());
    }
    let mut unsaid = said;
    while !unsaid.is_empty() {
        match stream.write(unsaid) {
            Ok(length) => unsaid = &unsaid[length..],
            Err(error) => count(&error),
        }
    }
    while let Err(error) = stream.flush() {
        count(&error);
    }
    let mut heard = vec![0; said.len()];
    let mut length = 0;
    while length < said.len() {
        match stream.read(&mut heard[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) => count(&error),
        }
    }
    (heard[..length].to_vec(), failures)
}

#[test]
fn a_slow_and_interrupted_transport_only_takes_longer() {
    for version in VERSIONS {
        let (client, server) = configs(version);
        for trouble in [Trouble::OneByte, Trouble::Interrupted] {
            let mut stream = open(&client, Line::new(&server, trouble));
            let (heard, failures) = echo(&mut stream, b"hello there");
            assert_eq!(
                (&heard[..], failures),
                (&b"hello there"[..], 0),
                "{trouble:?}"
            );
            assert!(stream.connection().peer().unwrap().is_verified());
        }
    }
}

/// Whichever call fails, the next one goes on where it stopped.
#[test]
fn a_transport_that_fails_once_loses_nothing() {
    for version in VERSIONS {
        let (client, server) = configs(version);
        let mut failed = 0;
        for at in 0..20 {
            let mut stream = open(&client, Line::new(&server, Trouble::FailsAt(at)));
            let (heard, failures) = echo(&mut stream, b"hello there");
            assert_eq!(heard, b"hello there", "{version}, call {at}");
            failed += failures;
        }
        assert!(failed >= 4, "{version}: only {failed} calls failed");
    }
}

/// Bytes that come twice are not the peer's, and are never handed out.
#[test]
fn a_transport_that_repeats_itself_is_found_out() {
    for version in VERSIONS {
        let (client, server) = configs(version);
        for read in 0..2 {
            let mut stream = open(&client, Line::new(&server, Trouble::RepeatsRead(read)));
            let mut heard = Vec::new();
            let error = stream
                .handshake()
                .map_err(io::Error::from)
                .and_then(|()| stream.write_all(b"hello there"))
                .and_then(|()| stream.read_to_end(&mut heard).map(|_| ()))
                .unwrap_err();
            let cause = error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<Error>());
            let Some(Error::PeerViolated { violation, .. }) = cause else {
                panic!("{version}, read {read}: {error:?}");
            };
            let blamed = [Violation::BadRecordMac, Violation::UnexpectedMessage]
                .contains(violation)
                || *violation == Violation::MessageAcrossKeyChange
                || *violation == Violation::UnencryptedRecord
                || *violation == Violation::MissingChangeCipherSpec;
            assert!(blamed, "{version}, read {read}: {violation:?}");
            assert!(heard.is_empty() || heard == b"hello there");
        }
    }
}

/// A key that does something else than signing.
enum Key {
    Fails,
    Lies(Vec<u8>),
    /// It needs time, and then somebody says that it failed.
    GivesUp,
}

impl Signer for Key {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::ECDSA_SECP256R1_SHA256]
    }

    fn sign(&self, _: SignatureScheme, _: &[u8]) -> Result<Vec<u8>, SignError> {
        match self {
            Self::Fails => Err(SignError::Failed),
            Self::Lies(signature) => Ok(signature.clone()),
            Self::GivesUp => Err(SignError::Later),
        }
    }
}

#[test]
fn a_key_that_does_not_sign_ends_its_own_connection_only() {
    for version in VERSIONS {
        let authority = Authority::new("root");
        let server = |key| {
            let (chain, _) = authority.issue_parts("server.example", For::Server);
            let credential = Credential::with_signer(chain, key).unwrap();
            ServerConfig::builder()
                .credential(credential)
                .build()
                .unwrap()
        };
        let client = ClientConfig::builder().versions([version]);
        let client = client.trust(authority.trust()).build().unwrap();

        let mut pair = Pair::new(&client, &server(Key::Fails));
        pair.run();
        assert!(matches!(pair.server.error, Some(Error::SigningFailed(_))));
        assert_alert(pair.client.error.as_ref(), Alert::InternalError);

        let mut pair = Pair::new(&client, &server(Key::GivesUp));
        pair.run();
        pair.server.answer(|question| match question {
            Question::Signature(question) => question.answer(Err("it is locked".to_owned())),
            other => panic!("{other:?}"),
        });
        pair.run();
        let said = pair.server.error.as_ref().unwrap().to_string();
        assert!(said.contains("it is locked"), "{said}");
        assert_alert(pair.client.error.as_ref(), Alert::InternalError);

        for lie in [vec![], vec![0; 70], vec![0x30; 600]] {
            let mut pair = Pair::new(&client, &server(Key::Lies(lie)));
            pair.run();
            let Some(Error::PeerViolated { violation, .. }) = pair.client.error else {
                panic!("{:?}", pair.client.error);
            };
            assert_eq!(violation, Violation::BadHandshakeSignature);
        }
    }
}

fn assert_alert(error: Option<&Error>, wanted: Alert) {
    match error {
        Some(Error::AlertReceived { alert, .. }) => assert_eq!(*alert, wanted),
        other => panic!("{other:?}"),
    }
}

/// A store that finds something else than what was kept.
#[derive(Clone, Copy)]
enum Store {
    Forgets,
    Invents,
    /// It finds the first session whatever is asked for.
    Confuses,
    NeedsTime,
}

struct Kept {
    store: Store,
    first: Mutex<Option<Vec<u8>>>,
}

impl SessionStore for Kept {
    fn insert(&self, _: SessionId, session: Vec<u8>, _: Duration) {
        self.first.lock().unwrap().get_or_insert(session);
    }

    fn take(&self, _: &SessionId) -> Lookup {
        match self.store {
            Store::Forgets => Lookup::Missing,
            Store::Invents => Lookup::Found(vec![0xa5; 300]),
            Store::Confuses => Lookup::Found(self.first.lock().unwrap().clone().unwrap()),
            Store::NeedsTime => Lookup::Later,
        }
    }
}

#[test]
fn a_store_that_does_not_find_what_it_kept_costs_a_full_handshake() {
    for version in VERSIONS {
        for store in [Store::Forgets, Store::Invents, Store::NeedsTime] {
            let authority = Authority::new("root");
            let kept = Kept {
                store,
                first: Mutex::default(),
            };
            let client = ClientConfig::builder().versions([version]);
            let client = client.trust(authority.trust()).build().unwrap();
            let server = ServerConfig::builder()
                .credential(authority.issue("server.example", For::Server))
                .session_store(kept)
                .build()
                .unwrap();
            Pair::new(&client, &server).run();
            let mut pair = Pair::new(&client, &server);
            pair.run();
            if matches!(store, Store::NeedsTime) {
                pair.server.answer(|question| match question {
                    Question::Session(question) => question.answer(Some(vec![1, 2, 3])),
                    other => panic!("{other:?}"),
                });
                pair.server.process();
                pair.run();
            }
            assert!(!pair.client.connection.agreed().unwrap().resumed);
            pair.assert_alive();
        }
    }
}

/// A store that hands out somebody else's session does not make the client somebody else: it lacks
/// the secret.
#[test]
fn a_store_that_confuses_its_sessions_makes_nobody_somebody_else() {
    for version in VERSIONS {
        let authority = Authority::new("root");
        let kept = Kept {
            store: Store::Confuses,
            first: Mutex::default(),
        };
        let server = ServerConfig::builder()
            .trust(authority.trust())
            .credential(authority.issue("server.example", For::Server))
            .verify(VerifyMode::PEER)
            .session_store(kept)
            .build()
            .unwrap();
        let client = |name| {
            let client = ClientConfig::builder().versions([version]);
            let client = client.trust(authority.trust());
            let credential = authority.issue(name, For::Client);
            client.credential(credential).build().unwrap()
        };
        Pair::new(&client("alice"), &server).run();
        let mallory = client("mallory");
        Pair::new(&mallory, &server).run();
        let mut pair = Pair::new(&mallory, &server);
        pair.run();
        assert!(pair.server.error.is_some() || pair.client.error.is_some());
        assert!(pair.server.completed.is_empty());
        assert!(pair.server.connection.peer().is_none());
    }
}

/// A clock that is set.
#[derive(Clone, Default)]
struct SetClock(Arc<AtomicU64>);

impl SetClock {
    fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(self.0.load(Ordering::Relaxed)))
    }
}

#[test]
fn a_clock_that_jumps_makes_no_session_good_and_no_certificate_valid() {
    const NOW: u64 = 1_780_272_000;
    const HOUR: u64 = 3600;
    for version in VERSIONS {
        let authority = Authority::new("root");
        let clock = SetClock::default();
        clock.set(NOW);
        let client = ClientConfig::builder()
            .versions([version])
            .trust(authority.trust())
            .clock(clock.clone())
            .build()
            .unwrap();
        let server = ServerConfig::builder()
            .credential(authority.issue("server.example", For::Server))
            .clock(clock.clone())
            .build()
            .unwrap();
        let resumes = |at| {
            clock.set(at);
            let mut pair = Pair::new(&client, &server);
            pair.run();
            pair.client.connection.agreed().map(|agreed| agreed.resumed)
        };
        assert_eq!(resumes(NOW), Some(false));
        assert_eq!(resumes(NOW + HOUR), Some(true));
        // Back before the tickets were issued, and on past their lifetime.
        assert_eq!(resumes(NOW - HOUR), Some(false));
        assert_eq!(resumes(NOW + 48 * HOUR), Some(false));
        // Before anybody's certificate was made.
        assert_eq!(resumes(0), None);
    }
}

/// A source that runs dry.
struct Dry {
    left: AtomicUsize,
}

impl Random for Dry {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed> {
        let take = |left: usize| left.checked_sub(1);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .map_err(|_| RandomFailed)?;
        countersign::SystemRandom.fill(out)
    }
}

#[test]
fn without_random_bytes_there_is_no_connection() {
    for version in VERSIONS {
        let authority = Authority::new("root");
        let client = ClientConfig::builder().versions([version]);
        let client = client.trust(authority.trust()).build().unwrap();
        let mut completed = 0;
        for left in 0..12 {
            let server = ServerConfig::builder()
                .credential(authority.issue("server.example", For::Server))
                .random(Dry { left: left.into() })
                .build()
                .unwrap();
            let mut pair = Pair::new(&client, &server);
            pair.run();
            match &pair.server.error {
                None => completed += 1,
                Some(error) => {
                    assert!(matches!(error, Error::RandomFailed), "{error}");
                    assert_eq!(completed, 0);
                    assert_alert(pair.client.error.as_ref(), Alert::InternalError);
                }
            }
        }
        assert!((1..12).contains(&completed), "{version}: {completed}");

        let dry = ClientConfig::builder()
            .versions([version])
            .trust(authority.trust())
            .random(Dry { left: 0.into() })
            .build()
            .unwrap();
        let name = "server.example".try_into().unwrap();
        let refused = Connection::client(&dry, name, &mut Vec::new());
        assert!(matches!(refused, Err(Error::RandomFailed)));
    }
}
