//! One of two ends: what its owner does with it, and what must hold whatever was done.

use std::io::IoSlice;

use crate::Alert;
use crate::connection::Connection;
use crate::connection::event::Event;
use crate::error::{Error, Misuse};
use crate::fuzzing::connection::Deeds;
use crate::fuzzing::connection::answer::answer;
use crate::fuzzing::connection::configs::{Configs, mode};
use crate::fuzzing::input::Input;
use crate::verify::question::Question;

/// How many bytes an end may send for no reason, and for each byte that it got.
const BYTES_FREE: usize = 256 * 1024;
const BYTES_FOR_ONE: usize = 16;

/// One end.
pub(in crate::fuzzing) struct End {
    pub(in crate::fuzzing) connection: Connection,
    /// What arrived and is not consumed.
    input: Vec<u8>,
    /// What is to be sent.
    pub(super) output: Vec<u8>,
    question: Option<Question>,
    pub(in crate::fuzzing) failure: Option<Error>,
    closed: bool,
    /// From the beginning.
    pub(super) trusts_nobody: bool,
    /// How many handshakes and authentications were completed.
    pub(super) completed: u32,
    /// Its owner has signed with a key that is not that of its certificate.
    pub(super) has_lied: bool,
    /// Application data, in and out.
    pub(super) received: Vec<u8>,
    pub(super) sent: Vec<u8>,
    /// How many bytes there were, in and, as far as the connection wrote them, out.
    bytes_in: usize,
    bytes_out: usize,
}

impl End {
    pub(super) fn new(connection: Connection, output: Vec<u8>, configs: &Configs) -> Self {
        Self {
            connection,
            input: Vec::new(),
            output,
            question: None,
            failure: None,
            closed: false,
            trusts_nobody: configs.trusts_nobody(),
            completed: 0,
            has_lied: false,
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
                Event::Completed(_) => self.completed += 1,
                Event::PeerClosed => self.closed = true,
            }
            self.input.drain(..received.consumed);
        }
    }

    pub(super) fn answer(&mut self, choice: u8, configs: &Configs, deeds: &mut Deeds) {
        let Some(question) = self.question.take() else {
            return;
        };
        let answer = answer(question, choice, self.connection.role(), configs);
        deeds.tolerated |= answer.tolerates;
        deeds.interfered |= answer.lies;
        self.has_lied |= answer.lies;
        let answer = answer.answer;
        let outcome = self.connection.answer(answer, &mut self.output);
        self.note(outcome);
        self.receive(&[]);
    }

    /// What an owner may do.
    pub(super) fn act(
        &mut self,
        step: u8,
        input: &mut Input<'_>,
        configs: &Configs,
        deeds: &mut Deeds,
    ) {
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
                deeds.changed_mode = true;
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
            _ => self.answer(input.byte(), configs, deeds),
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
    pub(super) fn check(&mut self, configs: &Configs, deeds: Deeds) {
        self.check_identity(configs, deeds);
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
}
