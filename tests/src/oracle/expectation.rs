//! What is expected of a row instead of what OpenSSL did: the tools of the deviations.

use super::data::Files;
use super::inputs::Inputs;
use super::openssl::OpenSslItself;
use super::row::{Record, Row};
use super::runner::{Implementation as _, Outcome};
use super::step::Step;

/// `SSL_VERIFY_PEER`, `SSL_VERIFY_CLIENT_ONCE`, `SSL_VERIFY_POST_HANDSHAKE`.
const PEER: u32 = 1;
const CLIENT_ONCE: u32 = 4;
const POST_HANDSHAKE: u32 = 8;

/// A record that is expected, with what led to it.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "deviations change it")]
pub struct Moment {
    /// The step.
    pub step: Step,
    /// The settings of this moment.
    pub inputs: Inputs,
    /// What is expected.
    pub record: Record,
}

/// Everything that is expected of a row.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "deviations change it")]
pub struct Expectation<'a> {
    /// One for each record.
    pub moments: Vec<Moment>,
    /// The files that the settings name.
    pub files: &'a Files,
}

impl<'a> Expectation<'a> {
    /// What OpenSSL did.
    ///
    /// # Errors
    /// What of the row is not understood.
    pub fn of(row: &Row, files: &'a Files) -> Result<Self, String> {
        let mut inputs = row.inputs()?;
        let mut records = row.out.iter();
        let mut moments = Vec::new();
        for step in row.read_steps()? {
            if let Step::Set(side, setting) = &step {
                inputs.set(*side, setting);
                continue;
            }
            let record = records.next().ok_or("a step without a record")?;
            moments.push(Moment {
                step,
                inputs: inputs.clone(),
                record: record.clone(),
            });
        }
        Ok(Self { moments, files })
    }

    /// Takes these records instead.
    pub fn replace(&mut self, records: &[Record]) {
        for (moment, record) in self.moments.iter_mut().zip(records) {
            moment.record = record.clone();
        }
    }

    /// Every record.
    pub fn each(&mut self, change: impl FnMut(&mut Record)) {
        self.moments
            .iter_mut()
            .map(|moment| &mut moment.record)
            .for_each(change);
    }

    /// What OpenSSL does in a full handshake between new objects, with the settings of the
    /// moment `at`.
    pub fn full_handshake(&self, at: usize) -> Record {
        let moment = &self.moments[at];
        Record {
            api: moment.record.api.clone(),
            ..self.play(&moment.inputs)
        }
    }

    /// What `SSL_verify_client_post_handshake` and all that it leads to come to at the moment
    /// `at`, if the connection was as in `before` and nothing was on its way.
    pub fn authentication(&self, at: usize, before: &Record) -> Record {
        let mut inputs = self.moments[at].inputs.clone();
        let mode = inputs.server.mode;
        let asked_once = mode & CLIENT_ONCE != 0 && before.requests > 0;
        if !before.server.ok || mode & PEER == 0 || asked_once {
            return Record {
                api: Some("fail:".to_owned()),
                ..quiet(before)
            };
        }
        // The answer is judged as in a handshake, which both ends have behind them.
        inputs.server.mode &= !POST_HANDSHAKE;
        let mut record = self.play(&inputs);
        record.api = Some("ok".to_owned());
        record.client.completed = true;
        record.client.trace.clear();
        record.server.completed = true;
        record
    }

    /// What a renegotiation with a full handshake comes to at the moment `at`, if the client was `asked` for a
    /// certificate so often on this connection.
    pub fn renegotiation(&self, at: usize, asked: u32) -> Record {
        let mut inputs = self.moments[at].inputs.clone();
        if inputs.server.mode & CLIENT_ONCE != 0 && asked > 0 {
            inputs.server.mode = 0;
        }
        let mut record = self.play(&inputs);
        record.api = Some("ok".to_owned());
        // Both ends have a handshake behind them.
        record.client.completed = true;
        record.server.completed = true;
        record
    }

    /// Whether the connections are of TLS 1.2.
    pub fn is_tls12(&self) -> bool {
        self.moments
            .iter()
            .any(|moment| moment.inputs.proto != "13")
    }

    /// The same row at this security level.
    pub fn at_level(&self, at: usize, level: u8) -> Record {
        let mut inputs = self.moments[at].inputs.clone();
        inputs.client.level = level;
        inputs.server.level = level;
        let api = self.moments[at].record.api.clone();
        Record {
            api,
            ..self.play(&inputs)
        }
    }

    fn play(&self, inputs: &Inputs) -> Record {
        match OpenSslItself.play(inputs, &[Step::Handshake], self.files) {
            Outcome::Ran(mut records) => records.remove(0),
            other => panic!("OpenSSL cannot play it: {other:?}"),
        }
    }
}

/// A step in which nothing happens.
pub fn quiet(before: &Record) -> Record {
    let mut record = before.clone();
    record.api = None;
    record.client.trace.clear();
    record.server.trace.clear();
    record.requests = 0;
    record.alerts.clear();
    record
}
