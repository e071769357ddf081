//! The rows played by countersign on both sides.

pub(crate) mod side;

use std::sync::PoisonError;

use countersign::{Error, Misuse, ResumePolicy, Role, VerifyCode, VerifyMode};

use self::side::{INSTEAD, Shared, Shown, SideUnderTest, Trace, callback};
use super::data::Files;
use super::deviations::{DEVIATIONS, Deviation};
use super::inputs::{Ciphers, Inputs, SideInputs};
use super::row::Record;
use super::runner::{Implementation, Outcome};
use super::step::{Setting, Step};
use super::talk::{Talk, Witness};
use crate::endpoint::{Endpoint, Side};
use crate::peers::countersign::Countersign;
use crate::wiretap::KeyLog;

/// countersign on both sides, resuming as OpenSSL does.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "it has no parts")]
pub struct CountersignItself;

impl Implementation for CountersignItself {
    fn deviations(&self) -> &'static [Deviation] {
        DEVIATIONS
    }

    fn substitute(&self, inputs: &Inputs) -> Option<String> {
        match &inputs.ciphers {
            Ciphers::Anonymous(name) => Some(format!("{INSTEAD} in place of {name}")),
            Ciphers::Default | Ciphers::All => None,
        }
    }

    fn play(&self, inputs: &Inputs, steps: &[Step], files: &Files) -> Outcome {
        let asks = steps
            .iter()
            .any(|step| matches!(step, Step::Set(_, Setting::Certificate(_))));
        let setup = RowSetup {
            inputs: inputs.clone(),
            files,
            shared: Shared::new(ResumePolicy::Reuse),
            asks,
            trust_changed: false,
        };
        match setup.play(steps) {
            Ok((records, _)) => Outcome::Ran(records),
            Err(sentence) => Outcome::Refused(sentence),
        }
    }
}

/// A handshake that comes after another, and a full one between new connections at the same moment.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests look at it")]
pub struct Again {
    /// How it comes after the other.
    pub how: How,
    /// What was seen.
    pub seen: Record,
    /// What was seen between new connections.
    pub full: Record,
}

/// How a handshake comes after another.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "tests look at it")]
pub enum How {
    /// On another connection, for which the client may have a session.
    Resumption {
        /// Whether the session was used.
        used: bool,
    },
    /// On the same connection.
    Renegotiation {
        /// Who the client was before.
        known: Option<String>,
        /// The server's verify mode.
        mode: u32,
    },
}

impl Again {
    /// What came about that a full handshake between new connections would not have brought, if anything.
    pub fn bypass(&self) -> Option<String> {
        let relies_on_answer = self.relies_on_answer();
        for (side, seen, full) in [
            ("client", &self.seen.client, &self.full.client),
            ("server", &self.seen.server, &self.full.server),
        ] {
            if relies_on_answer && (side == "server" || !full.ok) {
                continue;
            }
            // A server that asks nobody may know who it is all the same.
            let was_asked = side == "client" || self.full.requests > 0;
            let same_identity =
                (&seen.peer, seen.verify_result) == (&full.peer, full.verify_result);
            if self.took_place() && seen.ok && (!full.ok || was_asked && !same_identity) {
                return Some(format!("  {side}: {seen:?}\n  instead of {full:?}"));
            }
        }
        None
    }

    /// Whether the client is somebody else than before on the same connection.
    pub fn changes_identity(&self) -> bool {
        let How::Renegotiation {
            known: Some(known), ..
        } = &self.how
        else {
            return false;
        };
        let server = &self.seen.server;
        server.ok && server.peer.as_ref().is_some_and(|peer| peer != known)
    }

    /// Whether it is not as between new connections that nobody was asked, because of `CLIENT_ONCE`.
    fn relies_on_answer(&self) -> bool {
        matches!(self.how, How::Renegotiation { mode, .. } if mode & CLIENT_ONCE != 0)
            && self.seen.requests < self.full.requests
    }

    /// A call that was refused brought nothing about.
    fn took_place(&self) -> bool {
        self.seen.succeeded() != Some(false)
    }
}

/// `SSL_VERIFY_CLIENT_ONCE`.
const CLIENT_ONCE: u32 = 4;

/// Plays a row with this policy on both sides, and beside each resumption and renegotiation a full handshake.
///
/// # Errors
/// The sentence with which a configuration was refused.
pub fn later_handshakes(
    policy: ResumePolicy,
    inputs: &Inputs,
    steps: &[Step],
    files: &Files,
) -> Result<Vec<Again>, String> {
    let setup = RowSetup {
        inputs: inputs.clone(),
        files,
        shared: Shared::new(policy),
        asks: changes_certificate_of_living_connection(steps),
        trust_changed: false,
    };
    setup.play(steps).map(|(_, later)| later)
}

/// Whether a connection is to show another certificate than it was configured with.
fn changes_certificate_of_living_connection(steps: &[Step]) -> bool {
    let mut changed = false;
    for step in steps {
        match step {
            Step::Set(_, Setting::Certificate(_)) => changed = true,
            Step::Authenticate | Step::Ask(_) | Step::Renegotiate(_) if changed => return true,
            Step::Resume | Step::Reuse => changed = false,
            _ => {}
        }
    }
    false
}

/// What the connections of a row are made from.
struct RowSetup<'a> {
    inputs: Inputs,
    files: &'a Files,
    shared: Shared,
    /// The client asks which certificate to show, because that changes.
    asks: bool,
    trust_changed: bool,
}

impl RowSetup<'_> {
    fn play(mut self, steps: &[Step]) -> Result<(Vec<Record>, Vec<Again>), String> {
        let mut connection = self.connect()?;
        let (mut records, mut later) = (Vec::<Record>::new(), Vec::new());
        for (at, step) in steps.iter().enumerate() {
            if matches!(step, Step::Resume | Step::Reuse)
                && self.shared.policy != ResumePolicy::Reuse
            {
                let rest = steps.get(at..).unwrap_or_default();
                self.asks = changes_certificate_of_living_connection(rest);
            }
            match step {
                Step::Set(side, setting) => {
                    self.inputs.set(*side, setting);
                    self.trust_changed |= matches!(setting, Setting::Trust(_));
                    connection.set(*side, setting);
                    if let (Some(shown), Setting::Certificate(_)) = (&connection.shown, setting) {
                        *shown.lock().unwrap_or_else(PoisonError::into_inner) = self.own()?;
                    }
                    continue;
                }
                Step::Resume => connection = self.connect()?,
                // A connection is not used twice: what comes closest is another one.
                Step::Reuse => {
                    self.shared.sessions.clear();
                    connection = self.connect()?;
                }
                _ => {}
            }
            let seen = connection.play(step);
            let how = match step {
                Step::Resume => {
                    let agreed = connection.server.end.connection().agreed();
                    let used = agreed.is_some_and(|agreed| agreed.resumed);
                    Some(How::Resumption { used })
                }
                Step::Renegotiate(_) => Some(How::Renegotiation {
                    known: records.last().and_then(|before| before.server.peer.clone()),
                    mode: self.inputs.server.mode,
                }),
                _ => None,
            };
            if let Some(how) = how {
                let (seen, full) = (seen.clone(), self.full_handshake()?);
                later.push(Again { how, seen, full });
            }
            records.push(seen);
        }
        Ok((records, later))
    }

    /// Plays a full handshake between new connections with the settings of this moment.
    fn full_handshake(&self) -> Result<Record, String> {
        let apart = RowSetup {
            inputs: self.inputs.clone(),
            files: self.files,
            shared: Shared::new(ResumePolicy::Never),
            asks: self.asks,
            trust_changed: self.trust_changed,
        };
        Ok(apart.connect()?.play(&Step::Handshake))
    }

    fn connect(&self) -> Result<ConnectionPair, String> {
        let log = KeyLog::default();
        let inputs = &self.inputs.client;
        let asks = self.asks || inputs.chooser.is_some() && inputs.certificate.is_none();
        let shown = if asks {
            Some(Shown::new(self.own()?.into()))
        } else {
            None
        };
        Ok(ConnectionPair {
            client: self
                .side(Role::Client, inputs, &log)
                .client(shown.as_ref())?,
            server: self
                .side(Role::Server, &self.inputs.server, &log)
                .server()?,
            shown,
            talk: Talk::new(&log),
            asks_by_request: self.shared.policy != ResumePolicy::Reuse,
        })
    }

    fn side<'a>(
        &'a self,
        role: Role,
        inputs: &'a SideInputs,
        log: &'a KeyLog,
    ) -> SideUnderTest<'a> {
        SideUnderTest {
            role,
            proto: &self.inputs.proto,
            ciphers: &self.inputs.ciphers,
            inputs,
            files: self.files,
            log,
            shared: &self.shared,
            trust_changed: self.trust_changed,
        }
    }

    /// The client's certificate of this moment.
    fn own(&self) -> Result<Option<countersign::Credential>, String> {
        let inputs = &self.inputs.client;
        let log = KeyLog::default();
        let side = self.side(Role::Client, inputs, &log);
        let name = inputs.certificate.as_ref();
        name.map(|name| side.credential(name)).transpose()
    }
}

/// A connection, from both ends.
struct ConnectionPair {
    client: Played,
    server: Played,
    shown: Option<Shown>,
    talk: Talk,
    /// A server that renegotiates asks for a certificate if its mode does, as an application would.
    asks_by_request: bool,
}

impl ConnectionPair {
    /// Changes a living connection.
    fn set(&mut self, side: Side, setting: &Setting) {
        let (end, role) = match side {
            Side::Client => (&mut self.client, Role::Client),
            Side::Server => (&mut self.server, Role::Server),
        };
        let (connection, _) = end.end.connection_and_output();
        match setting {
            Setting::Mode(mode) => connection
                .set_verify_mode(VerifyMode::from_openssl(*mode, role))
                .expect("such a mode is usable"),
            Setting::Callback(new) => connection.set_verify_callback(callback(*new, &end.trace)),
            Setting::Certificate(_) | Setting::Trust(_) => {}
        }
    }

    fn play(&mut self, step: &Step) -> Record {
        let api = self.act(step);
        let (client, server) = (&mut self.client, &mut self.server);
        let record = match step {
            Step::Handshake
            | Step::Authenticate
            | Step::Renegotiate(_)
            | Step::NewTicket
            | Step::Pump
            | Step::Resume
            | Step::Reuse => {
                self.talk.run(client, server);
                self.talk.record_alive(client, server)
            }
            _ => self.talk.record(client, server),
        };
        Record { api, ..record }
    }

    /// Makes the call of a step. What it returned, if it returned something that is compared.
    fn act(&mut self, step: &Step) -> Option<String> {
        let outcome = match step {
            Step::Authenticate | Step::Ask(Side::Server) => ask(&mut self.server),
            Step::Ask(Side::Client) => ask(&mut self.client),
            Step::Renegotiate(Side::Client) => renegotiate(&mut self.client),
            Step::Renegotiate(Side::Server) if self.asks_by_request => {
                ask_or_renegotiate(&mut self.server)
            }
            Step::Renegotiate(Side::Server) => renegotiate(&mut self.server),
            Step::UpdateKeys(Side::Server) => update_keys(&mut self.server),
            Step::UpdateKeys(Side::Client) => update_keys(&mut self.client),
            Step::NewTicket => new_ticket(&mut self.server),
            Step::Flush => self.write(Side::Server, b""),
            Step::Write(side) => self.write(*side, b"w"),
            Step::Close => {
                self.client.end.close();
                self.write(Side::Client, b"")
            }
            Step::HalfHandshake => {
                self.talk.deliver(Side::Client, &mut self.client);
                self.talk.deliver(Side::Server, &mut self.server);
                return None;
            }
            Step::Read(side) => {
                self.talk.deliver(
                    *side,
                    match side {
                        Side::Client => &mut self.client,
                        Side::Server => &mut self.server,
                    },
                );
                return None;
            }
            _ => return None,
        };
        Some(match outcome {
            Ok(()) => "ok".to_owned(),
            Err(reason) => format!("fail:{reason}"),
        })
    }

    /// Sends data, if there is any, and whatever else an end has to send.
    fn write(&mut self, from: Side, data: &[u8]) -> Result<(), String> {
        let end = match from {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        end.write(data);
        let written = end.exchange(&[]);
        let failure = end.failure().map(str::to_owned);
        self.talk.send(from, &written);
        failure.map_or(Ok(()), Err)
    }
}

fn ask(end: &mut Played) -> Result<(), String> {
    let (connection, output) = end.end.connection_and_output();
    in_words(connection.request_peer_certificate(output))
}

fn renegotiate(end: &mut Played) -> Result<(), String> {
    let (connection, output) = end.end.connection_and_output();
    in_words(connection.renegotiate(output))
}

fn ask_or_renegotiate(end: &mut Played) -> Result<(), String> {
    let (connection, output) = end.end.connection_and_output();
    match connection.request_peer_certificate(output) {
        Err(Error::Misuse(Misuse::ModeDoesNotAsk(_))) => renegotiate(end),
        outcome => in_words(outcome),
    }
}

fn update_keys(end: &mut Played) -> Result<(), String> {
    let (connection, output) = end.end.connection_and_output();
    in_words(connection.update_keys(true, output))
}

fn new_ticket(end: &mut Played) -> Result<(), String> {
    let (connection, output) = end.end.connection_and_output();
    let sent = connection.send_ticket(output);
    in_words(sent.map(|_| ()))
}

fn in_words(outcome: Result<(), Error>) -> Result<(), String> {
    outcome.map_err(|error| error.to_string())
}

/// One end, with the trace of its callback.
#[derive(Debug)]
struct Played {
    end: Countersign,
    trace: Trace,
}

impl Witness for Played {
    fn verify_result(&self) -> u32 {
        self.end
            .connection()
            .verify_result()
            .map_or(0, VerifyCode::number)
    }

    fn take_trace(&mut self) -> Vec<String> {
        core::mem::take(&mut self.trace.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Endpoint for Played {
    fn exchange(&mut self, arrived: &[u8]) -> Vec<u8> {
        self.end.exchange(arrived)
    }

    fn write(&mut self, data: &[u8]) {
        self.end.write(data);
    }

    fn close(&mut self) {
        self.end.close();
    }

    fn received(&self) -> &[u8] {
        self.end.received()
    }

    fn completed(&self) -> bool {
        self.end.completed()
    }

    fn failure(&self) -> Option<&str> {
        self.end.failure()
    }

    fn alpn(&self) -> Option<Vec<u8>> {
        self.end.alpn()
    }

    fn peer_certificate(&self) -> Option<Vec<u8>> {
        self.end.peer_certificate()
    }
}
