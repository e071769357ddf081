//! What a hostile peer, a hostile network or a careless owner may do to a connection.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers belong to tests, which may panic"
)]

mod pair;

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};

use countersign::{
    Alert, Answer, BuildError, ClientConfig, Connection, Error, Event, Misuse, NamedGroup,
    PeerNames, Presented, Question, ServerConfig, State, Stream, StreamError, Verdict,
    Verification, Verifier, VerifyMode, Violation,
};
use pair::{Authority, For, Pair};

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

struct Setup {
    authority: Authority,
}

impl Setup {
    fn new() -> Self {
        Self {
            authority: Authority::new("Test CA"),
        }
    }

    fn client(&self) -> countersign::ConfigBuilder<countersign::ClientSide> {
        ClientConfig::builder().trust(self.authority.trust())
    }

    fn server(&self) -> countersign::ConfigBuilder<countersign::ServerSide> {
        ServerConfig::builder()
            .credential(self.authority.issue("server.example", For::Server))
            .trust(self.authority.trust())
    }

    fn pair(&self) -> Pair {
        Pair::new(
            &self.client().build().unwrap(),
            &self.server().build().unwrap(),
        )
    }

    /// A pair that needs a `HelloRetryRequest`.
    fn pair_with_retry(&self) -> Pair {
        let client = self
            .client()
            .groups([NamedGroup::X25519, NamedGroup::Secp256r1]);
        let server = self.server().groups([NamedGroup::Secp256r1]);
        Pair::new(&client.build().unwrap(), &server.build().unwrap())
    }
}

/// A record without protection.
fn record(content_type: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[content_type, 3, 3], &length[..], content].concat()
}

/// Lengthens the content of the first record by `more`.
fn lengthen_first_record(records: &mut Vec<u8>, more: &[u8]) {
    let length = usize::from(u16::from_be_bytes([records[3], records[4]]));
    let longer = u16::try_from(length + more.len()).unwrap();
    records[3..5].copy_from_slice(&longer.to_be_bytes());
    let end = 5 + length;
    records.splice(end..end, more.iter().copied());
}

fn violation(error: Option<&Error>) -> Violation {
    match error {
        Some(Error::PeerViolated { violation, .. }) => *violation,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_client_must_not_begin_its_second_hello_before_it_is_asked() {
    let mut pair = Setup::new().pair_with_retry();
    // The first bytes of another ClientHello, in the same record as the first.
    lengthen_first_record(&mut pair.client.output, &[1, 0, 0]);
    pair.server.input.append(&mut pair.client.output);
    pair.server.process();
    let error = pair.server.error.as_ref();
    assert_eq!(violation(error), Violation::MessageAcrossKeyChange);
    assert_eq!(pair.server.output, record(ALERT, &[2, 10]));
}

#[test]
fn a_server_must_not_begin_its_second_hello_before_it_is_answered() {
    let mut pair = Setup::new().pair_with_retry();
    pair.server.input.append(&mut pair.client.output);
    pair.server.process();
    lengthen_first_record(&mut pair.server.output, &[2, 0, 0]);
    pair.client.input.append(&mut pair.server.output);
    pair.client.process();
    let error = pair.client.error.as_ref();
    assert_eq!(violation(error), Violation::MessageAcrossKeyChange);
    assert_eq!(pair.client.output, record(ALERT, &[2, 10]));
}

#[test]
fn an_alert_that_is_not_the_last_must_not_split_a_message() {
    let mut pair = Setup::new().pair();
    let hello = pair.client.output.split_off(5);
    let (head, tail) = hello.split_at(7);
    for content in [head, tail] {
        let fragment = record(HANDSHAKE, content);
        pair.server.input.extend_from_slice(&fragment);
        let canceled = record(ALERT, &[1, Alert::UserCanceled.code()]);
        pair.server.input.extend_from_slice(&canceled);
    }
    pair.server.process();
    let error = pair.server.error.as_ref();
    assert_eq!(violation(error), Violation::InterleavedRecords);
}

#[test]
fn who_closes_during_the_handshake_ends_it() {
    let mut pair = Setup::new().pair();
    pair.server.input.append(&mut pair.client.output);
    pair.client.connection.close(&mut pair.client.output);
    assert_eq!(pair.client.output, record(ALERT, &[1, 0]));
    assert_eq!(pair.client.connection.state(), State::Closed);
    assert!(!pair.client.connection.is_handshaking());
    pair.run();
    // Nothing follows a close_notify, least of all a Finished.
    assert!(matches!(pair.client.error, Some(Error::Closed)));
    assert!(pair.client.completed.is_empty() && pair.server.completed.is_empty());
}

#[test]
fn nothing_is_sent_after_the_peer_gave_up() {
    let mut pair = Setup::new().pair();
    let refusal = record(ALERT, &[2, Alert::HandshakeFailure.code()]);
    pair.client.output.clear();
    pair.client.input.extend_from_slice(&refusal);
    pair.client.process();
    assert!(matches!(
        pair.client.error,
        Some(Error::AlertReceived { .. })
    ));
    pair.client.connection.close(&mut pair.client.output);
    assert!(pair.client.output.is_empty());
}

#[test]
fn a_failed_connection_exports_no_keying_material() {
    let mut pair = Setup::new().pair();
    pair.run();
    let mut out = [0; 32];
    let connection = &pair.server.connection;
    assert!(
        connection
            .export_keying_material(b"EXPORTER", None, &mut out)
            .is_ok()
    );
    pair.client.send(b"data").unwrap();
    *pair.client.output.last_mut().unwrap() ^= 1;
    pair.run();
    for end in [&pair.client, &pair.server] {
        let mut out = [0; 32];
        let exported = end
            .connection
            .export_keying_material(b"EXPORTER", None, &mut out);
        assert!(exported.is_err());
        assert_eq!(out, [0; 32]);
    }
}

#[test]
fn an_empty_list_of_names_does_not_mean_any_name() {
    let setup = Setup::new();
    let nobody = PeerNames::OneOf(Vec::new());
    let client = setup.client().peer_names(nobody.clone()).build();
    let server = setup.server().peer_names(nobody).build();
    let expected = BuildError::EmptyList(".peer_names(…)");
    assert_eq!(client.unwrap_err(), expected);
    assert_eq!(server.unwrap_err(), expected);
}

#[test]
fn the_peer_is_asked_for_one_key_update_at_a_time() {
    /// Header, a `KeyUpdate`, the content type and the tag.
    const KEY_UPDATE_RECORD: usize = 5 + 5 + 1 + 16;
    /// The same for one byte of data.
    const DATA_RECORD: usize = 5 + 1 + 1 + 16;
    let mut pair = Setup::new().pair();
    pair.run();
    for _ in 0..2 {
        for _ in 0..3 {
            let output = &mut pair.client.output;
            pair.client.connection.update_keys(true, output).unwrap();
        }
        assert_eq!(pair.client.output.len(), 3 * KEY_UPDATE_RECORD);
        pair.server.input.append(&mut pair.client.output);
        pair.server.process();
        // The answer goes out with the next data.
        assert_eq!(pair.server.output.len(), 0);
        pair.server.send(b"x").unwrap();
        assert_eq!(pair.server.output.len(), KEY_UPDATE_RECORD + DATA_RECORD);
        pair.run();
        assert_eq!(std::mem::take(&mut pair.client.data), b"x");
        pair.assert_alive();
    }
}

/// A transport whose other end is a server in memory, and that fails to write when told to.
#[derive(Clone)]
struct Transport(Arc<Mutex<Network>>);

struct Network {
    server: Connection,
    to_client: Vec<u8>,
    received: Vec<u8>,
    /// What comes of the next calls of `write`; afterwards they succeed.
    failures: VecDeque<Option<io::ErrorKind>>,
}

impl Transport {
    fn new(config: &Arc<ServerConfig>) -> Self {
        Self(Arc::new(Mutex::new(Network {
            server: Connection::server(config),
            to_client: Vec::new(),
            received: Vec::new(),
            failures: VecDeque::new(),
        })))
    }

    fn fail_after(&self, good: usize, kind: io::ErrorKind) {
        let mut failures = VecDeque::from(vec![None; good]);
        failures.push_back(Some(kind));
        self.0.lock().unwrap().failures = failures;
    }

    fn received(&self) -> Vec<u8> {
        self.0.lock().unwrap().received.clone()
    }
}

impl Read for Transport {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut network = self.0.lock().unwrap();
        let length = network.to_client.len().min(buffer.len());
        buffer[..length].copy_from_slice(&network.to_client[..length]);
        network.to_client.drain(..length);
        Ok(length)
    }
}

impl Write for Transport {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut network = self.0.lock().unwrap();
        if let Some(Some(kind)) = network.failures.pop_front() {
            return Err(kind.into());
        }
        let Network {
            server,
            to_client,
            received,
            ..
        } = &mut *network;
        let mut input = bytes.to_vec();
        loop {
            let Ok(done) = server.receive(&mut input, to_client) else {
                return Ok(bytes.len());
            };
            match done.event {
                Event::NeedInput => return Ok(bytes.len()),
                Event::Data(range) => received.extend_from_slice(&input[range]),
                _ => {}
            }
            input.drain(..done.consumed);
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A client that asks its owner about the server.
fn asking_client(setup: &Setup) -> Arc<ClientConfig> {
    struct AskLater;
    impl Verifier for AskLater {
        fn verify(&self, _: &Presented<'_>) -> Verification {
            Verification::Later
        }
    }
    setup.client().verifier(AskLater).build().unwrap()
}

fn refuse(question: Question) -> Answer {
    let Question::Peer(question) = question else {
        panic!("{question:?}")
    };
    question.answer(Verdict::Reject {
        alert: Alert::AccessDenied,
        because: "not today".to_owned(),
    })
}

fn stream(config: &Arc<ClientConfig>, transport: &Transport) -> Stream<Transport> {
    let name = "server.example".try_into().unwrap();
    Stream::client(config, name, transport.clone()).unwrap()
}

#[test]
fn a_question_is_asked_although_the_transport_cannot_be_written() {
    let setup = Setup::new();
    for kind in [io::ErrorKind::WouldBlock, io::ErrorKind::BrokenPipe] {
        let transport = Transport::new(&setup.server().build().unwrap());
        let mut stream = stream(&asking_client(&setup), &transport);
        stream.on_question(refuse);
        // The ClientHello goes out, the change_cipher_spec before the question does not.
        transport.fail_after(1, kind);
        let error = stream.handshake().unwrap_err();
        assert!(
            matches!(error, StreamError::Tls(Error::PeerRejected { .. })),
            "{error}"
        );
    }
}

#[test]
fn a_failed_handshake_does_not_succeed_the_second_time() {
    let setup = Setup::new();
    let transport = Transport::new(&setup.server().build().unwrap());
    let mut stream = stream(&asking_client(&setup), &transport);
    stream.on_question(refuse);
    for _ in 0..2 {
        let error = stream.handshake().unwrap_err();
        assert!(
            matches!(error, StreamError::Tls(Error::PeerRejected { .. })),
            "{error}"
        );
    }
}

#[test]
fn what_was_accepted_is_not_accepted_again_after_a_timeout() {
    let setup = Setup::new();
    for kind in [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut] {
        let transport = Transport::new(&setup.server().build().unwrap());
        let mut stream = stream(&setup.client().build().unwrap(), &transport);
        stream.handshake().unwrap();
        transport.fail_after(0, kind);
        let mut rest: &[u8] = b"once";
        while !rest.is_empty() {
            match stream.write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) => assert_eq!(error.kind(), kind),
            }
        }
        stream.flush().unwrap();
        assert_eq!(transport.received(), b"once");
    }
}

#[test]
fn as_many_authorities_as_can_be_configured_can_be_sent() {
    let setup = Setup::new();
    let require = VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT;
    let server = |length: usize| {
        let names = [vec![0x30; length]];
        setup.server().verify(require).authorities(names).build()
    };
    // Each has a length of two bytes before it.
    let error = server(60_000 - 2 + 1).unwrap_err();
    assert_eq!(error, BuildError::AuthoritiesTooLong);
    let credential = setup.authority.issue("client", For::Client);
    let client = setup.client().credential(credential).build().unwrap();
    let mut pair = Pair::new(&client, &server(60_000 - 2).unwrap());
    pair.run();
    pair.assert_alive();
}

/// A `ServerHello` as an attacker writes it, and as a good server would by default.
struct Forged {
    /// Makes a `HelloRetryRequest` of it.
    retry: bool,
    session_id: Vec<u8>,
    suite: u16,
    compression: u8,
    /// Type and body.
    extensions: Vec<(u16, Vec<u8>)>,
}

const KEY_SHARE: u16 = 51;
const COOKIE: u16 = 44;

impl Forged {
    fn hello(pair: &Pair, group: NamedGroup, share: &[u8]) -> Self {
        let length = u16::try_from(share.len()).unwrap().to_be_bytes();
        let body = [&group.to_u16().to_be_bytes()[..], &length, share].concat();
        Self::new(pair, vec![(KEY_SHARE, body)])
    }

    fn retry(pair: &Pair, group: Option<NamedGroup>) -> Self {
        let body = |group: NamedGroup| (KEY_SHARE, group.to_u16().to_be_bytes().to_vec());
        Self {
            retry: true,
            ..Self::new(pair, group.map(body).into_iter().collect())
        }
    }

    fn new(pair: &Pair, mut extensions: Vec<(u16, Vec<u8>)>) -> Self {
        extensions.push((43, vec![3, 4]));
        Self {
            retry: false,
            // Behind the headers of record and message, the version and the random value.
            session_id: pair.client.output[44..76].to_vec(),
            suite: 0x1301,
            compression: 0,
            extensions,
        }
    }

    fn record(&self) -> Vec<u8> {
        let retry = [
            0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65,
            0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2,
            0xc8, 0xa8, 0x33, 0x9c,
        ];
        let mut extensions = Vec::new();
        for (kind, body) in &self.extensions {
            extensions.extend_from_slice(&kind.to_be_bytes());
            extensions.extend_from_slice(&u16::try_from(body.len()).unwrap().to_be_bytes());
            extensions.extend_from_slice(body);
        }
        let body = [
            &[3, 3][..],
            if self.retry { &retry } else { &[7; 32] },
            &[32],
            &self.session_id,
            &self.suite.to_be_bytes(),
            &[self.compression],
            &u16::try_from(extensions.len()).unwrap().to_be_bytes(),
            &extensions,
        ]
        .concat();
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        record(HANDSHAKE, &[&[2, 0], &length[..], &body].concat())
    }
}

/// What a client that offers X25519 (with a share) and P-256 makes of these answers.
fn answer_with(answers: impl FnOnce(&Pair) -> Vec<Forged>) -> Option<Error> {
    let mut pair = Setup::new().pair_with_retry();
    for answer in answers(&pair) {
        pair.client.input.extend_from_slice(&answer.record());
        pair.client.process();
    }
    pair.client.error
}

/// A point of the curve whatever the client's share is.
const X25519_POINT: [u8; 32] = [9; 32];

type Change = fn(&mut Forged);

#[test]
fn a_server_hello_must_choose_from_what_was_offered() {
    let good = |pair: &Pair| Forged::hello(pair, NamedGroup::X25519, &X25519_POINT);
    assert!(answer_with(|pair| vec![good(pair)]).is_none());
    let changes: [(Change, Violation); 8] = [
        (|hello| hello.suite = 0x1304, Violation::SuiteNotOffered),
        (
            |hello| hello.session_id[31] ^= 1,
            Violation::SessionIdNotEchoed,
        ),
        (|hello| hello.compression = 1, Violation::CompressionChosen),
        (
            |hello| hello.extensions[1].1 = vec![3, 3],
            Violation::VersionNotOffered,
        ),
        (
            |hello| drop(hello.extensions.remove(0)),
            Violation::MissingKeyShare,
        ),
        (
            |hello| hello.extensions.push((41, vec![0, 0])),
            Violation::UnsolicitedExtension,
        ),
        (
            |hello| hello.extensions.push((16, vec![0, 3, 2, b'h', b'2'])),
            Violation::MisplacedExtension,
        ),
        (
            |hello| hello.extensions[0].1[4..].fill(0),
            Violation::BadKeyShare,
        ),
    ];
    for (change, expected) in changes {
        let error = answer_with(|pair| {
            let mut hello = good(pair);
            change(&mut hello);
            vec![hello]
        });
        assert_eq!(violation(error.as_ref()), expected);
    }
    let error = answer_with(|pair| vec![Forged::hello(pair, NamedGroup::Secp256r1, &[4; 65])]);
    assert_eq!(violation(error.as_ref()), Violation::ServerShareNotOffered);
}

#[test]
fn a_retry_must_ask_for_something_new() {
    for group in [NamedGroup::X25519, NamedGroup::Secp384r1] {
        let error = answer_with(|pair| vec![Forged::retry(pair, Some(group))]);
        assert_eq!(violation(error.as_ref()), Violation::RetryGroupNotOffered);
    }
    let error = answer_with(|pair| vec![Forged::retry(pair, None)]);
    assert_eq!(violation(error.as_ref()), Violation::NeedlessRetry);
}

#[test]
fn what_follows_a_retry_must_keep_to_it() {
    let retry = |pair: &Pair| Forged::retry(pair, Some(NamedGroup::Secp256r1));
    let error = answer_with(|pair| vec![retry(pair), retry(pair)]);
    assert_eq!(violation(error.as_ref()), Violation::SecondRetry);
    let error = answer_with(|pair| {
        let mut hello = Forged::hello(pair, NamedGroup::Secp256r1, &[4; 65]);
        hello.suite = 0x1302;
        vec![retry(pair), hello]
    });
    assert_eq!(violation(error.as_ref()), Violation::SuiteChanged);
    // The share of the first ClientHello is gone.
    let error = answer_with(|pair| {
        let hello = Forged::hello(pair, NamedGroup::X25519, &X25519_POINT);
        vec![retry(pair), hello]
    });
    assert_eq!(violation(error.as_ref()), Violation::ServerShareNotOffered);
}

#[test]
fn a_retry_for_the_cookie_alone_keeps_the_share() {
    let retry = |pair: &Pair| {
        let mut retry = Forged::retry(pair, None);
        retry.extensions.push((COOKIE, vec![0, 2, 0xc0, 0xc0]));
        retry
    };
    let error = answer_with(|pair| {
        let hello = Forged::hello(pair, NamedGroup::X25519, &X25519_POINT);
        vec![retry(pair), hello]
    });
    assert!(error.is_none(), "{error:?}");
    let error = answer_with(|pair| vec![retry(pair), retry(pair)]);
    assert_eq!(violation(error.as_ref()), Violation::SecondRetry);
}

#[test]
fn a_second_client_hello_must_be_the_first_but_for_the_share() {
    /// Where, behind the headers of record and message, version, random value and session id lie.
    const FIELDS: [usize; 3] = [5 + 4, 5 + 4 + 2, 5 + 4 + 2 + 32 + 1];
    /// The `change_cipher_spec` before it.
    const BEFORE: usize = 6;
    for field in FIELDS {
        let mut pair = Setup::new().pair_with_retry();
        pair.server.input.append(&mut pair.client.output);
        pair.server.process();
        pair.client.input.append(&mut pair.server.output);
        pair.client.process();
        pair.client.output[BEFORE + field] ^= 1;
        pair.server.input.append(&mut pair.client.output);
        pair.server.process();
        let error = pair.server.error.as_ref();
        assert_eq!(violation(error), Violation::RetryHelloChanged);
    }
}

#[test]
fn change_cipher_spec_has_its_time() {
    let compatibility = record(20, &[1]);
    // Before the first ClientHello.
    let mut pair = Setup::new().pair();
    pair.server.input.extend_from_slice(&compatibility);
    pair.server.process();
    let error = pair.server.error.as_ref();
    assert_eq!(violation(error), Violation::UnexpectedChangeCipherSpec);
    // After the peer's Finished, on either side.
    for server in [false, true] {
        let mut pair = Setup::new().pair();
        pair.run();
        let end = if server {
            &mut pair.server
        } else {
            &mut pair.client
        };
        end.input.extend_from_slice(&compatibility);
        end.process();
        let error = end.error.as_ref();
        assert_eq!(violation(error), Violation::UnexpectedChangeCipherSpec);
    }
    // In between there may be some, but nothing else may look like one.
    let mut pair = Setup::new().pair();
    for _ in 0..3 {
        pair.client.input.extend_from_slice(&compatibility);
    }
    pair.run();
    pair.assert_alive();
    let mut pair = Setup::new().pair();
    pair.client.input.extend_from_slice(&record(20, &[1, 1]));
    pair.client.process();
    let error = pair.client.error.as_ref();
    assert_eq!(violation(error), Violation::MalformedChangeCipherSpec);
}

#[test]
fn nothing_unencrypted_counts_once_there_are_keys() {
    for plain in [
        record(ALERT, &[1, Alert::CloseNotify.code()]),
        record(ALERT, &[2, Alert::HandshakeFailure.code()]),
        record(HANDSHAKE, &[24, 0, 0, 1, 0]),
    ] {
        for server in [false, true] {
            let mut pair = Setup::new().pair();
            pair.run();
            let end = if server {
                &mut pair.server
            } else {
                &mut pair.client
            };
            end.input.extend_from_slice(&plain);
            end.process();
            assert!(!end.peer_closed);
            let error = end.error.as_ref();
            assert_eq!(violation(error), Violation::UnencryptedRecord);
        }
    }
}

#[test]
fn an_answer_fits_its_own_question_only() {
    let setup = Setup::new();
    let server = setup.server().build().unwrap();
    let mut pairs = [(); 2].map(|()| Pair::new(&asking_client(&setup), &server));
    for pair in &mut pairs {
        pair.run();
    }
    let [one, other] = &mut pairs;
    let foreign = refuse(other.client.questions.pop().unwrap());
    let output = &mut one.client.output;
    let error = one.client.connection.answer(foreign, output).unwrap_err();
    assert!(matches!(error, Error::Misuse(Misuse::NotTheOpenQuestion)));
    assert!(output.is_empty());
    // Nobody was harmed: the right answer still counts.
    one.client.answer(refuse);
    assert!(matches!(one.client.error, Some(Error::PeerRejected { .. })));
    assert!(one.client.connection.peer().is_none());
}

#[test]
fn nothing_follows_a_close_notify() {
    let setup = Setup::new();
    let client = setup
        .client()
        .credential(setup.authority.issue("client", For::Client));
    let server = setup
        .server()
        .verify(VerifyMode::PEER | VerifyMode::POST_HANDSHAKE);
    let mut pair = Pair::new(&client.build().unwrap(), &server.build().unwrap());
    pair.run();
    let server = &mut pair.server;
    server
        .connection
        .request_peer_certificate(&mut server.output)
        .unwrap();
    server.connection.close(&mut server.output);
    pair.client.input.append(&mut pair.server.output);
    pair.client.process();
    assert!(pair.client.peer_closed);
    pair.server.input.append(&mut pair.client.output);
    pair.server.process();
    // The client still counts as authenticated, but gets no tickets.
    assert!(pair.server.connection.peer().is_some());
    assert!(pair.server.output.is_empty());
}
