//! Two connections face to face. The input says how they are configured, what their owners do, and what happens on the
//! line between them; what an end sends can also be made under its keys, so that it is not just noise to the other.

mod answer;
mod configs;
mod end;
mod identity;
#[cfg(test)]
mod tests;

pub(super) use configs::Configs;
use end::End;

use super::input::Input;
use crate::Violation;
use crate::connection::Connection;
use crate::error::Error;

/// How many steps are taken. What comes after them in the input is not looked at.
const STEPS: usize = 256;

/// How many bytes may wait before nothing is sent again.
const LINE: usize = 64 * 1024;

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
        pair.check(&configs);
    }
    pair.deliver_all();
    pair.check(&configs);
    pair
}

/// Both ends.
pub(super) struct Pair {
    pub(super) ends: [End; 2],
    deeds: Deeds,
}

/// What was done, here or on an earlier connection, that excuses something.
#[derive(Clone, Copy, Default)]
struct Deeds {
    /// Somebody changed what was sent, or an owner lied to his own end.
    interfered: bool,
    /// An owner accepted a peer whatever its report says.
    tolerated: bool,
    /// A verify mode is not what was configured.
    changed_mode: bool,
}

impl Pair {
    pub(super) fn new(configs: &Configs) -> Self {
        let mut output = Vec::new();
        let name = "server.example".try_into().expect("a name");
        let client = Connection::client(&configs.client, name, &mut output);
        let client = client.expect("there are random bytes");
        let server = Connection::server(&configs.server);
        Self {
            ends: [
                End::new(client, output, configs),
                End::new(server, Vec::new(), configs),
            ],
            deeds: Deeds::default(),
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
                let deeds = self.deeds;
                *self = Self::new(configs);
                self.deeds = deeds;
            }
            29 => configs.let_time_pass(input.byte()),
            30 => configs.withdraw_trust(),
            step => {
                let Self { ends, deeds } = self;
                let end = ends.get_mut(at).expect("one of two");
                end.count(|end| end.act(step, input, configs, deeds));
            }
        }
    }

    /// Both owners answer what they are asked, as they should.
    pub(super) fn answer_all(&mut self, configs: &Configs) {
        for end in &mut self.ends {
            end.count(|end| end.answer(2, configs, &mut self.deeds));
        }
    }

    pub(super) fn deliver_all(&mut self) {
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
        let completed = to.completed;
        to.process(&bytes);
        let believes = to.completed > completed;
        assert!(!(from.has_lied && believes), "it believed a lie");
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
            9 if output.len() < LINE => {
                let record = output.get(..first).unwrap_or_default().to_vec();
                output.splice(0..0, record);
            }
            9 => {}
            10 => output.rotate_left(first),
            11 => drop(output.splice(0..0, input.bytes().to_vec())),
            _ => output.extend_from_slice(input.bytes()),
        }
        self.deeds.interfered |= *self.output(at) != before;
    }

    /// Has an end say what it would not say, under its own keys if it has any.
    fn forge(&mut self, at: usize, content_type: u8, content: &[u8]) {
        let end = self.end(at);
        let sealed = end.connection.forge(content_type, content, &mut end.output);
        if sealed && content_type == 23 {
            end.sent.extend_from_slice(content);
        }
        self.deeds.interfered = true;
    }

    fn check(&mut self, configs: &Configs) {
        let [client, server] = &mut self.ends;
        client.check(configs, self.deeds);
        server.check(configs, self.deeds);
        assert!(server.sent.starts_with(&client.received), "to the client");
        assert!(client.sent.starts_with(&server.received), "to the server");
        for end in [client, server] {
            if let (false, Some(Error::PeerViolated { violation, .. })) =
                (self.deeds.interfered, &end.failure)
            {
                let changes = configs.choices.asks_for_credential();
                let is_excused = match violation {
                    Violation::TooManyMessages | Violation::TooManyKeyUpdates => true,
                    Violation::IdentityChanged => changes,
                    _ => false,
                };
                assert!(is_excused, "{violation}");
            }
        }
    }
}
