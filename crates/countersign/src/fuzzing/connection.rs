//! Two connections face to face. The input says how they are configured, what their owners do, and what happens on the
//! line between them; what an end sends can also be made under its keys, so that it is not just noise to the other.

use std::io::IoSlice;
use std::sync::{Arc, OnceLock};

use pki_types::UnixTime;

use crate::config::{ClientConfig, ServerConfig};
use crate::connection::Connection;
use crate::connection::established::ProtocolVersion;
use crate::connection::event::Event;
use crate::error::{Error, Misuse};
use crate::verify::mode::VerifyMode;
use crate::verify::question::{Answer, Question};
use crate::verify::verifier::{Presented, Verdict, Verification, Verifier};
use crate::{
    Alert, ChainVerifier, Clock, ConfigBuilder, Credential, MemoryStore, TrustStore, Violation,
};

/// A year after the certificates were made.
const NOW: u64 = 1_830_000_000;

/// How many steps are taken. What comes after them in the input is not looked at.
const STEPS: usize = 256;

/// How many bytes an end may send for no reason, and for each byte that it got.
const BYTES_FREE: usize = 256 * 1024;
const BYTES_FOR_ONE: usize = 16;

/// Does what `data` says.
///
/// Whatever it is: there is no panic and no endless work; application data arrives as it was sent or not at all; who is
/// said to be verified is who it is, and by its report; nothing happens on a connection that has failed; and two ends
/// between which nobody interferes never accuse each other.
pub fn connections(data: &[u8]) {
    play(data);
}

fn play(data: &[u8]) -> Pair {
    let mut input = Input(data);
    let configs = Configs::read(&mut input);
    let mut pair = Pair::new(&configs);
    for _ in 0..STEPS {
        let Some(step) = input.next() else {
            break;
        };
        pair.take(step, &mut input, &configs);
        pair.check();
    }
    pair.deliver_all();
    pair.check();
    pair
}

/// The input, byte by byte. What is not there is nothing.
struct Input<'d>(&'d [u8]);

impl<'d> Input<'d> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self) -> u8 {
        self.next().unwrap_or_default()
    }

    /// As many bytes as the next one says.
    fn bytes(&mut self) -> &'d [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }
}

struct FixedTime;

impl Clock for FixedTime {
    fn now(&self) -> UnixTime {
        UnixTime::since_unix_epoch(core::time::Duration::from_secs(NOW))
    }
}

/// Needs time, always.
struct Later;

impl Verifier for Later {
    fn verify(&self, _: &Presented<'_>) -> Verification {
        Verification::Later
    }
}

/// What is the same in each run.
struct Papers {
    trust: TrustStore,
    client: Credential,
    server: Credential,
}

fn papers() -> &'static Papers {
    static PAPERS: OnceLock<Papers> = OnceLock::new();
    PAPERS.get_or_init(|| {
        let credential = |pem: &[u8]| Credential::from_pem(pem, pem).expect("it is well made");
        Papers {
            trust: TrustStore::from_pem(include_bytes!("root.pem")).expect("it is well made"),
            client: credential(include_bytes!("client.pem")),
            server: credential(include_bytes!("server.pem")),
        }
    })
}

struct Configs {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

impl Configs {
    /// Five bytes: the versions of either end, the mode of either end, and what else there is to choose.
    fn read(input: &mut Input<'_>) -> Self {
        let [client, server] = [input.byte(), input.byte()];
        let modes = [input.byte(), input.byte()].map(mode);
        let choice = input.byte();
        let chooses = |bit: u8| choice >> bit & 1 == 1;
        let papers = papers();
        let mut builder = settings(ClientConfig::builder(), client, modes[0], chooses(0))
            .post_handshake_auth(!chooses(1))
            .renegotiation(client & 16 == 0)
            .ask_for_credential(client & 32 != 0);
        if !chooses(1) {
            builder = builder.credential(papers.client.clone());
        }
        let client_config = builder.build().expect("nothing contradicts");
        let mut builder = settings(ServerConfig::builder(), server, modes[1], chooses(0))
            .credential(papers.server.clone())
            .client_renegotiation(chooses(2));
        if chooses(3) {
            builder = builder.session_store(MemoryStore::new(8));
        }
        Self {
            client: client_config,
            server: builder.build().expect("nothing contradicts"),
        }
    }
}

fn mode(byte: u8) -> VerifyMode {
    let flags = [
        VerifyMode::FAIL_IF_NO_PEER_CERT,
        VerifyMode::CLIENT_ONCE,
        VerifyMode::POST_HANDSHAKE,
    ];
    if byte & 1 == 1 {
        return VerifyMode::NONE;
    }
    let chosen = (1..).zip(flags).filter(|(bit, _)| byte >> bit & 1 == 1);
    chosen.fold(VerifyMode::PEER, |mode, (_, flag)| mode | flag)
}

fn settings<R>(
    builder: ConfigBuilder<R>,
    byte: u8,
    mode: VerifyMode,
    anonymous: bool,
) -> ConfigBuilder<R> {
    let versions: &[ProtocolVersion] = match byte & 3 {
        0 => &[ProtocolVersion::Tls12],
        1 => &[ProtocolVersion::Tls13],
        _ => &[ProtocolVersion::Tls12, ProtocolVersion::Tls13],
    };
    let builder = builder
        .clock(FixedTime)
        .verify(mode)
        .versions(versions.iter().copied());
    let builder = if anonymous {
        builder.allow_anonymous()
    } else {
        builder
    };
    let builder = match byte >> 2 & 1 {
        0 => builder.trust(papers().trust.clone()),
        _ => builder.verifier(Later),
    };
    match byte >> 3 & 1 {
        0 => builder,
        _ => builder.alpn(["h2"]),
    }
}

/// One end.
struct End {
    connection: Connection,
    /// What arrived and is not consumed.
    input: Vec<u8>,
    /// What is to be sent.
    output: Vec<u8>,
    question: Option<Question>,
    failure: Option<Error>,
    closed: bool,
    /// Application data, in and out.
    received: Vec<u8>,
    sent: Vec<u8>,
    /// How many bytes there were, in and, as far as the connection wrote them, out.
    bytes_in: usize,
    bytes_out: usize,
}

impl End {
    fn new(connection: Connection, output: Vec<u8>) -> Self {
        Self {
            connection,
            input: Vec::new(),
            output,
            question: None,
            failure: None,
            closed: false,
            received: Vec::new(),
            sent: Vec::new(),
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    /// Takes note of how a call ended.
    fn note<T>(&mut self, outcome: Result<T, Error>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(Error::Misuse(_)) => None,
            Err(error) => {
                assert!(!matches!(error, Error::Internal(_)), "{error}");
                self.failure.get_or_insert(error);
                self.question = None;
                None
            }
        }
    }

    /// Does something and counts what the connection writes because of it.
    fn count(&mut self, what: impl FnOnce(&mut Self)) {
        let before = self.output.len();
        what(self);
        self.bytes_out += self.output.len() - before;
    }

    fn process(&mut self, arrived: &[u8]) {
        self.count(|end| end.receive(arrived));
    }

    fn receive(&mut self, arrived: &[u8]) {
        self.input.extend_from_slice(arrived);
        self.bytes_in += arrived.len();
        let most = self.input.len() + 64;
        for calls in 0.. {
            assert!(calls < most, "more events than bytes");
            if self.failure.is_some() || self.question.is_some() || self.closed {
                return;
            }
            let received = self.connection.receive(&mut self.input, &mut self.output);
            let Some(received) = self.note(received) else {
                return;
            };
            match received.event {
                Event::NeedInput => {
                    self.input.drain(..received.consumed);
                    return;
                }
                Event::Data(range) => {
                    let data = self.input.get(range).expect("the range lies in the input");
                    self.received.extend_from_slice(data);
                }
                Event::Question(question) => self.question = Some(question),
                Event::Completed(_) => {}
                Event::PeerClosed => self.closed = true,
            }
            self.input.drain(..received.consumed);
        }
    }

    fn answer(&mut self, choice: u8) {
        let Some(question) = self.question.take() else {
            return;
        };
        let answer = answer(question, choice);
        let outcome = self.connection.answer(answer, &mut self.output);
        self.note(outcome);
        self.receive(&[]);
    }

    /// What must hold whatever was done.
    fn check(&mut self, peer: &Credential) {
        self.check_peer(peer);
        let allowed = BYTES_FREE + BYTES_FOR_ONE * self.bytes_in + 4 * self.sent.len();
        let (sent, got) = (self.bytes_out, self.bytes_in);
        assert!(sent <= allowed, "{sent} bytes for {got}");
        let Some(failure) = &self.failure else {
            return;
        };
        let before = self.output.len();
        let again = self.connection.receive(&mut [], &mut self.output);
        let again = again.expect_err("it has failed");
        assert_eq!(again.to_string(), failure.to_string());
        let refused = self
            .connection
            .send(&[IoSlice::new(b"x")], &mut self.output);
        refused.expect_err("it has failed");
        self.connection
            .renegotiate(&mut self.output)
            .expect_err("it has failed");
        assert_eq!(
            self.output.len(),
            before,
            "it says more after it has failed"
        );
    }

    fn check_peer(&self, expected: &Credential) {
        if self
            .failure
            .as_ref()
            .is_some_and(|error| error.alert().is_some())
        {
            assert!(self.connection.peer().is_none());
        }
        if let Some(peer) = self.connection.peer() {
            // Nobody else has a key. Until the Finished a certificate that is not verified may have been changed.
            if self.connection.agreed().is_some() || peer.is_verified() {
                assert_eq!(peer.leaf(), expected.certificates().first());
            }
            assert!(!peer.is_verified() || peer.report().is_accepted());
            assert!(!self.connection.is_anonymous());
        }
    }
}

/// An answer of the kind that fits.
fn answer(question: Question, choice: u8) -> Answer {
    match question {
        Question::Peer(question) => {
            let verifier = ChainVerifier::new(papers().trust.clone());
            let report = verifier.report(&question.presented());
            question.answer(match choice & 3 {
                0 => Verdict::Reject {
                    alert: Alert::BadCertificate,
                    because: "the input says so".to_owned(),
                },
                1 => Verdict::Accept { despite: report },
                _ => Verdict::Follow(report),
            })
        }
        Question::Credential(question) => {
            let own = (choice & 1 == 0).then(|| papers().client.clone());
            question.answer(own)
        }
        Question::Signature(question) => question.answer(Err("nobody signs".to_owned())),
        Question::Session(question) => question.answer(None),
    }
}

/// Both ends.
struct Pair {
    ends: [End; 2],
    /// Whether somebody has interfered.
    touched: bool,
}

impl Pair {
    fn new(configs: &Configs) -> Self {
        let mut output = Vec::new();
        let name = "server.example".try_into().expect("a name");
        let client = Connection::client(&configs.client, name, &mut output);
        let client = client.expect("there are random bytes");
        let server = Connection::server(&configs.server);
        Self {
            ends: [End::new(client, output), End::new(server, Vec::new())],
            touched: false,
        }
    }

    fn take(&mut self, step: u8, input: &mut Input<'_>, configs: &Configs) {
        let at = usize::from(step & 1);
        match step >> 1 & 31 {
            0..=3 => self.deliver(at, usize::MAX),
            4 => self.deliver(at, usize::from(input.byte())),
            5 => {
                let length = self.record(at);
                self.deliver(at, length);
            }
            6 => self.deliver_all(),
            step @ 7..=12 => self.interfere(at, step, input),
            13 => {
                let content_type = input.byte();
                self.forge(at, content_type, input.bytes());
            }
            14 => {
                // Every event and every connection has its turn, but sessions stay.
                let touched = self.touched;
                *self = Self::new(configs);
                self.touched = touched;
            }
            step => self.end(at).count(|end| end.act(step, input)),
        }
    }

    fn deliver_all(&mut self) {
        for _ in 0..8 {
            self.deliver(0, usize::MAX);
            self.deliver(1, usize::MAX);
        }
    }

    /// Lets bytes from one end get to the other.
    fn deliver(&mut self, from: usize, length: usize) {
        let [client, server] = &mut self.ends;
        let (from, to) = if from == 0 {
            (client, server)
        } else {
            (server, client)
        };
        let length = length.min(from.output.len());
        let bytes: Vec<u8> = from.output.drain(..length).collect();
        to.process(&bytes);
    }

    fn end(&mut self, at: usize) -> &mut End {
        self.ends.get_mut(at).expect("one of two")
    }

    fn output(&mut self, at: usize) -> &mut Vec<u8> {
        &mut self.end(at).output
    }

    /// How long the first record is that waits to be delivered.
    fn record(&mut self, at: usize) -> usize {
        let output = self.output(at);
        let length = match output.first_chunk::<5>() {
            Some([.., high, low]) => 5 + usize::from(u16::from_be_bytes([*high, *low])),
            None => 0,
        };
        length.min(output.len())
    }

    /// Changes what waits to be delivered.
    fn interfere(&mut self, at: usize, step: u8, input: &mut Input<'_>) {
        let first = self.record(at);
        let output = self.output(at);
        let before = output.clone();
        match step {
            7 => {
                let place = usize::from(u16::from_be_bytes([input.byte(), input.byte()]));
                let place = place % output.len().max(1);
                if let Some(byte) = output.get_mut(place) {
                    *byte ^= input.byte();
                }
            }
            8 => drop(output.drain(..first)),
            9 => {
                let record = output.get(..first).unwrap_or_default().to_vec();
                output.splice(0..0, record);
            }
            10 => output.rotate_left(first),
            11 => drop(output.splice(0..0, input.bytes().to_vec())),
            _ => output.extend_from_slice(input.bytes()),
        }
        self.touched |= *self.output(at) != before;
    }

    /// Has an end say what it would not say, under its own keys if it has any.
    fn forge(&mut self, at: usize, content_type: u8, content: &[u8]) {
        let end = self.end(at);
        let sealed = end.connection.forge(content_type, content, &mut end.output);
        if sealed && content_type == 23 {
            end.sent.extend_from_slice(content);
        }
        self.touched = true;
    }

    fn check(&mut self) {
        let papers = papers();
        let [client, server] = &mut self.ends;
        client.check(&papers.server);
        server.check(&papers.client);
        assert!(server.sent.starts_with(&client.received), "to the client");
        assert!(client.sent.starts_with(&server.received), "to the server");
        for end in [client, server] {
            if let (false, Some(Error::PeerViolated { violation, .. })) =
                (self.touched, &end.failure)
            {
                let too_many = [Violation::TooManyMessages, Violation::TooManyKeyUpdates];
                assert!(too_many.contains(violation), "{violation}");
            }
        }
    }
}

impl End {
    /// What an owner may do.
    fn act(&mut self, step: u8, input: &mut Input<'_>) {
        let (connection, output) = (&mut self.connection, &mut self.output);
        match step {
            15..=17 => {
                let data = input.bytes();
                let sent = connection.send(&[IoSlice::new(data)], output);
                if self.note(sent).is_some() {
                    self.sent.extend_from_slice(data);
                }
            }
            18 | 19 => {
                let outcome = connection.renegotiate(output);
                self.note(outcome);
            }
            20 | 21 => {
                let outcome = connection.request_peer_certificate(output);
                self.note(outcome);
            }
            22 => {
                let outcome = connection.update_keys(input.byte() & 1 == 1, output);
                self.note(outcome);
            }
            23 => {
                let outcome = connection.send_ticket(output);
                self.note(outcome);
            }
            24 => {
                connection
                    .set_verify_mode(mode(input.byte()))
                    .expect("a mode that can be used");
            }
            25 => self.close(input.byte()),
            26 => {
                let outcome = connection.end_of_input();
                self.note(outcome);
            }
            27 => {
                let mut secret = [0; 16];
                let outcome = connection.export_keying_material(b"label", None, &mut secret);
                let refused = matches!(outcome, Err(Error::Misuse(Misuse::HandshakeRunning)));
                assert!(!refused || connection.agreed().is_none());
            }
            _ => self.answer(input.byte()),
        }
    }

    /// Ends it, properly or with an alert.
    fn close(&mut self, choice: u8) {
        match choice {
            0 => self.connection.close(&mut self.output),
            code => self.connection.abort(Alert::from(code), &mut self.output),
        }
        if let Err(error) = self.connection.check_connected() {
            self.note(Err::<(), _>(error));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Configs, Input, Pair, play};
    use crate::connection::established::ProtocolVersion::{self, Tls12, Tls13};
    use crate::connection::state::State;

    const CLIENT: u8 = 0;
    const SERVER: u8 = 1;

    /// Everything that waits is delivered.
    const DELIVER: u8 = 6 << 1;
    const RECONNECT: u8 = 14 << 1;
    const SEND: u8 = 15 << 1;
    const RENEGOTIATE: u8 = 18 << 1;
    const REQUEST: u8 = 20 << 1;
    const UPDATE: u8 = 22 << 1;
    const TICKET: u8 = 23 << 1;
    const CLOSE: u8 = 25 << 1;
    const ANSWER: u8 = 28 << 1;
    const FLIP: u8 = 7 << 1;
    const FORGE: u8 = 13 << 1;

    #[expect(
        clippy::too_many_lines,
        reason = "a table of seeds is as long as it is"
    )]
    /// What fuzzing begins with: configuration, steps, and in which version both ends are connected then, if they are.
    fn seeds() -> Vec<(&'static str, Vec<u8>, Option<ProtocolVersion>)> {
        let seed = |name, configuration: [u8; 5], steps: &[u8], end| {
            (name, [&configuration[..], steps].concat(), end)
        };
        let talk = [
            &[SEND | CLIENT, 3][..],
            b"abc",
            &[SEND | SERVER, 2],
            b"de",
            &[DELIVER],
        ]
        .concat();
        let then = |steps: &[u8]| [&[DELIVER][..], steps, &[DELIVER], &talk].concat();
        let both = [
            RENEGOTIATE | SERVER,
            SEND | CLIENT,
            1,
            b'x',
            DELIVER,
            RENEGOTIATE | CLIENT,
        ];
        let answers = [ANSWER | CLIENT, 2, DELIVER, ANSWER | SERVER, 2, DELIVER];
        vec![
            seed("tls13-mutual", [1, 1, 0, 2, 0], &then(&[]), Some(Tls13)),
            seed("tls12-mutual", [0, 0, 0, 2, 0], &then(&[]), Some(Tls12)),
            seed("either-version", [2, 2, 0, 2, 0], &then(&[]), Some(Tls13)),
            seed("downgrade", [2, 0, 0, 0, 0], &then(&[]), Some(Tls12)),
            seed(
                "resumption-13",
                [1, 1, 0, 0, 8],
                &then(&[RECONNECT]),
                Some(Tls13),
            ),
            seed(
                "resumption-12",
                [0, 0, 0, 0, 0],
                &then(&[RECONNECT]),
                Some(Tls12),
            ),
            seed(
                "session-id",
                [0, 0, 0, 0, 8],
                &then(&[RECONNECT]),
                Some(Tls12),
            ),
            seed("renegotiation", [0, 0, 0, 2, 4], &then(&both), Some(Tls12)),
            seed(
                "refused-renegotiation",
                [16, 0, 0, 2, 0],
                &then(&both),
                None,
            ),
            seed(
                "request-12",
                [0, 0, 0, 0, 0],
                &then(&[REQUEST | SERVER]),
                Some(Tls12),
            ),
            seed(
                "request-13",
                [1, 1, 0, 8, 0],
                &then(&[REQUEST | SERVER]),
                Some(Tls13),
            ),
            seed(
                "anonymous",
                [0, 0, 1, 1, 1],
                &then(&[RECONNECT]),
                Some(Tls12),
            ),
            seed(
                "questions-12",
                [36, 4, 0, 2, 0],
                &then(&[&answers[..], &answers].concat()),
                Some(Tls12),
            ),
            seed(
                "questions-13",
                [37, 5, 0, 2, 0],
                &then(&[&answers[..], &answers].concat()),
                Some(Tls13),
            ),
            seed(
                "keys",
                [1, 1, 0, 0, 0],
                &then(&[UPDATE | CLIENT, 1, TICKET | SERVER]),
                Some(Tls13),
            ),
            seed(
                "closed",
                [0, 0, 0, 0, 0],
                &then(&[CLOSE | CLIENT, 0]),
                Some(Tls12),
            ),
            seed(
                "damaged",
                [0, 0, 0, 0, 0],
                &then(&[SEND, 1, b'x', FLIP, 0, 9, 1]),
                None,
            ),
            seed(
                "forged",
                [0, 0, 0, 0, 4],
                &then(&[FORGE | SERVER, 22, 4, 0, 0, 0, 0]),
                Some(Tls12),
            ),
        ]
    }

    fn outcome(pair: &Pair) -> Option<ProtocolVersion> {
        let versions = pair.ends.each_ref().map(|end| {
            let connected = end.failure.is_none() && end.connection.state() == State::Connected;
            let agreed = end.connection.agreed().filter(|_| connected);
            agreed.map(|agreed| agreed.version)
        });
        let failures = pair.ends.each_ref().map(|end| end.failure.clone());
        assert_eq!(versions[0].is_some(), versions[1].is_some(), "{failures:?}");
        versions[0]
    }

    /// With `COUNTERSIGN_WRITE_SEEDS=1` the files are made anew; otherwise they have to be what is here.
    #[test]
    fn seeds_lead_where_they_should() {
        let folder = folder("connection");
        for (name, data, expected) in seeds() {
            let path = folder.join(name);
            if std::env::var_os("COUNTERSIGN_WRITE_SEEDS").is_some() {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&path, &data).unwrap();
            }
            assert_eq!(std::fs::read(&path).unwrap(), data, "{name}");
            let pair = play(&data);
            let failures = pair.ends.each_ref().map(|end| end.failure.clone());
            assert_eq!(outcome(&pair), expected, "{name}: {failures:?}");
        }
    }

    fn folder(target: &str) -> std::path::PathBuf {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
        seeds.join(target)
    }

    /// What the ends of a mutual handshake say: from the client, from the server, and so on.
    fn flights(version: u8) -> Vec<Vec<u8>> {
        let configs = Configs::read(&mut Input(&[version, version, 0, 2, 0]));
        let mut pair = Pair::new(&configs);
        let mut flights = Vec::new();
        for at in [0, 1, 0, 1] {
            flights.push(pair.output(at).clone());
            pair.deliver(at, usize::MAX);
        }
        flights
    }

    /// The messages at the beginning of a flight that are not encrypted: type and body.
    fn plain_messages(mut flight: &[u8]) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        while let [22, _, _, high, low, rest @ ..] = flight {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let (mut content, rest) = rest.split_at(length);
            flight = rest;
            while let [kind, high, middle, low, body @ ..] = content {
                let length = u32::from_be_bytes([0, *high, *middle, *low]);
                let (body, rest) = body.split_at(usize::try_from(length).unwrap());
                messages.push([&[*kind], body].concat());
                content = rest;
            }
        }
        messages
    }

    /// Keys and signatures are others each time, so that the files stay as they were written.
    #[test]
    fn seeds_of_the_other_targets_are_harmless() {
        if std::env::var_os("COUNTERSIGN_WRITE_SEEDS").is_some() {
            for (version, name) in [(0, "12"), (1, "13")] {
                for (number, flight) in flights(version).iter().enumerate() {
                    let path = folder("record").join(format!("{name}-{number}"));
                    std::fs::create_dir_all(folder("record")).unwrap();
                    std::fs::write(path, flight).unwrap();
                    for message in plain_messages(flight) {
                        let path = folder("messages").join(format!("{name}-{}", message[0]));
                        std::fs::create_dir_all(folder("messages")).unwrap();
                        std::fs::write(path, &message).unwrap();
                    }
                }
            }
        }
        let read = |target: &str| -> Vec<Vec<u8>> {
            let files = std::fs::read_dir(folder(target)).unwrap();
            files
                .map(|file| std::fs::read(file.unwrap().path()).unwrap())
                .collect()
        };
        let (messages, records) = (read("messages"), read("record"));
        assert!(
            messages.len() >= 10 && records.len() == 8,
            "{}",
            messages.len()
        );
        for seed in messages {
            crate::fuzzing::messages(seed[0], &seed[1..]);
        }
        for seed in records {
            crate::fuzzing::records(&seed);
        }
    }

    #[test]
    fn a_damaged_seed_is_harmless() {
        for (_, seed, _) in seeds() {
            for place in 0..seed.len() {
                let mut damaged = seed.clone();
                damaged[place] ^= 0x15;
                play(&damaged);
            }
        }
    }
}
