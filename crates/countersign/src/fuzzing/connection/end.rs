//! One of two ends: what its owner does with it, and what must hold whatever was done.

use std::io::IoSlice;

use crate::connection::Connection;
use crate::connection::event::Event;
use crate::error::{Error, Misuse};
use crate::fuzzing::connection::configs::mode;
use crate::fuzzing::input::Input;
use crate::fuzzing::papers::papers;
use crate::verify::question::{Answer, Question};
use crate::verify::verifier::Verdict;
use crate::{Alert, ChainVerifier, Credential};

/// How many bytes an end may send for no reason, and for each byte that it got.
const BYTES_FREE: usize = 256 * 1024;
const BYTES_FOR_ONE: usize = 16;

/// One end.
pub(super) struct End {
    pub(super) connection: Connection,
    /// What arrived and is not consumed.
    input: Vec<u8>,
    /// What is to be sent.
    pub(super) output: Vec<u8>,
    question: Option<Question>,
    pub(super) failure: Option<Error>,
    closed: bool,
    /// Application data, in and out.
    pub(super) received: Vec<u8>,
    pub(super) sent: Vec<u8>,
    /// How many bytes there were, in and, as far as the connection wrote them, out.
    bytes_in: usize,
    bytes_out: usize,
}

impl End {
    pub(super) fn new(connection: Connection, output: Vec<u8>) -> Self {
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
    pub(super) fn count(&mut self, what: impl FnOnce(&mut Self)) {
        let before = self.output.len();
        what(self);
        self.bytes_out += self.output.len() - before;
    }

    pub(super) fn process(&mut self, arrived: &[u8]) {
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

    /// What an owner may do.
    pub(super) fn act(&mut self, step: u8, input: &mut Input<'_>) {
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

    /// What must hold whatever was done.
    pub(super) fn check(&mut self, peer: &Credential) {
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
