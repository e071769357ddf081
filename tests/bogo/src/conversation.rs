//! One connection over a socket: what countersign's engine reads and writes, and whatever it asks.

use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};

use countersign::{Alert, Answer, Completed, Connection, Error, Event, Question};

use crate::reason::Watch;
use crate::settings::Renegotiation;
use crate::stop::{Stop, expect, unexpected};

/// How much is read from the socket at a time.
const PORTION: usize = 16 * 1024;

/// How many bytes may be waiting for the end of a record or of a handshake: far more than a record.
const LONGEST_INPUT: usize = 256 * 1024;

/// A connection to the runner.
pub(crate) struct Conversation {
    connection: Connection,
    socket: TcpStream,
    /// What came from the socket and is not used yet.
    input: Vec<u8>,
    /// Data that has arrived and that nobody has read yet.
    arrived: Vec<u8>,
    output: Vec<u8>,
    hold: Hold,
    watch: Watch,
    answer: Box<dyn FnMut(Question) -> Result<Answer, Stop>>,
    ended: Option<End>,
    renegotiation: Renegotiation,
    renegotiations: u32,
}

/// How much of the output goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Nothing,
    /// Only this many more bytes.
    AllBut(usize),
}

/// How the peer ended its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With a `close_notify`.
    Proper,
    /// Without one.
    Truncated,
}

impl Conversation {
    /// `output` is what the connection has to send first.
    pub(crate) fn new(
        connection: Connection,
        output: Vec<u8>,
        socket: TcpStream,
        watch: Watch,
        answer: impl FnMut(Question) -> Result<Answer, Stop> + 'static,
    ) -> Self {
        Self {
            connection,
            socket,
            input: Vec::new(),
            arrived: Vec::new(),
            output,
            hold: Hold::Nothing,
            watch,
            answer: Box::new(answer),
            ended: None,
            renegotiation: Renegotiation::Refused,
            renegotiations: 0,
        }
    }

    /// Sets what is made of a peer that wants to negotiate again and may not.
    pub(crate) fn refusing_renegotiation(mut self, how: Renegotiation) -> Self {
        self.renegotiation = how;
        self
    }

    /// How often the handshake was made again.
    pub(crate) fn renegotiations(&self) -> u32 {
        self.renegotiations
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Completes the handshake.
    pub(crate) fn handshake(&mut self) -> Result<(), Stop> {
        self.flush()?;
        while self.connection.is_handshaking() {
            self.advance()?;
            if let Some(end) = self.ended {
                return Err(unexpected(format!("The peer ended the handshake: {end:?}")));
            }
        }
        Ok(())
    }

    /// Whether calling for the handshake once more would do anything.
    pub(crate) fn has_nothing_to_do(&self) -> bool {
        !self.connection.is_handshaking() && self.output.is_empty()
    }

    /// Waits for data and takes at most `limit` bytes of it; none at the end.
    pub(crate) fn read(&mut self, limit: usize) -> Result<Vec<u8>, Stop> {
        while self.arrived.is_empty() && self.ended.is_none() {
            self.advance()?;
        }
        let rest = self.arrived.split_off(limit.min(self.arrived.len()));
        Ok(core::mem::replace(&mut self.arrived, rest))
    }

    /// How the peer ended its direction, once it has.
    pub(crate) fn end(&self) -> Option<End> {
        self.ended
    }

    /// Sends data, after the renegotiation that is running, if one is.
    pub(crate) fn write(&mut self, data: &[u8]) -> Result<(), Stop> {
        while self.connection.is_renegotiating() && self.ended.is_none() {
            self.advance()?;
        }
        let mut sent = 0;
        self.act(|connection, output| {
            sent = connection.send(&[IoSlice::new(data)], output)?;
            Ok(())
        })?;
        expect(sent == data.len(), || {
            format!("Only {sent} bytes were sent")
        })
    }

    /// Sends data of which only the first byte goes out until [`finish_write`](Self::finish_write).
    pub(crate) fn begin_write(&mut self, data: &[u8]) -> Result<(), Stop> {
        self.hold = Hold::AllBut(1);
        self.write(data)
    }

    /// Lets out what was held back.
    pub(crate) fn finish_write(&mut self) -> Result<(), Stop> {
        self.hold = Hold::Nothing;
        self.flush()
    }

    /// Calls something on the connection that may have to send.
    pub(crate) fn act(
        &mut self,
        call: impl FnOnce(&mut Connection, &mut Vec<u8>) -> Result<(), Error>,
    ) -> Result<(), Stop> {
        let moment = self.watch.moment(self.connection.state());
        let outcome = call(&mut self.connection, &mut self.output);
        let flushed = self.flush();
        outcome.map_err(|error| Stop::Connection(error, moment))?;
        flushed
    }

    /// Ends the connection with an alert.
    pub(crate) fn abort(&mut self, alert: Alert) -> Result<(), Stop> {
        self.act(|connection, output| {
            connection.abort(alert, output);
            Ok(())
        })
    }

    /// Ends this side's direction with a `close_notify`.
    pub(crate) fn close(&mut self) -> Result<(), Stop> {
        self.act(|connection, output| {
            connection.close(output);
            Ok(())
        })
    }

    /// Lets the runner read the last alert before the socket goes away: a reset would destroy it.
    pub(crate) fn drain(mut self) {
        self.hold = Hold::Nothing;
        // The runner may be gone, and then nothing is left to be said.
        let _ = self.flush();
        let _ = self.socket.shutdown(Shutdown::Write);
        let mut rest = [0; 1024];
        while matches!(self.socket.read(&mut rest), Ok(1..)) {}
    }

    /// Takes one step: processes what is there, or reads more.
    fn advance(&mut self) -> Result<(), Stop> {
        let moment = self.watch.moment(self.connection.state());
        let received = self.connection.receive(&mut self.input, &mut self.output);
        let received = match received {
            Ok(received) => received,
            Err(error) => {
                let moment = self.watch.moment(moment.during);
                // The alert goes out whatever becomes of it.
                let _ = self.flush();
                return Err(Stop::Connection(error, moment));
            }
        };
        let waits = matches!(received.event, Event::NeedInput);
        match received.event {
            Event::Data(range) => {
                let data = self.input.get(range).unwrap_or_default();
                self.arrived.extend_from_slice(data);
            }
            Event::Question(question) => {
                let answer = (self.answer)(question)?;
                self.act(|connection, output| connection.answer(answer, output))?;
            }
            Event::PeerClosed => self.ended = Some(End::Proper),
            Event::Completed(Completed::Renegotiation) => {
                self.renegotiations = self.renegotiations.saturating_add(1);
            }
            _ => {}
        }
        self.input.drain(..received.consumed.min(self.input.len()));
        self.flush()?;
        self.check_refusal()?;
        if waits { self.fill() } else { Ok(()) }
    }

    /// Ends the connection if the engine has refused, or passed over, the peer's wish to negotiate
    /// again: BoringSSL would not go on.
    fn check_refusal(&mut self) -> Result<(), Stop> {
        let is_met = self.connection.is_renegotiating()
            || self.watch.wishes_to_renegotiate() <= self.renegotiations;
        match self.renegotiation {
            _ if is_met => return Ok(()),
            Renegotiation::Refused => return Ok(()),
            Renegotiation::Explicit => return self.act(Connection::renegotiate),
            Renegotiation::Forbidden | Renegotiation::Once | Renegotiation::Free => {}
        }
        self.abort(Alert::NoRenegotiation)?;
        Err(unexpected(":NO_RENEGOTIATION:"))
    }

    fn fill(&mut self) -> Result<(), Stop> {
        if self.input.len() > LONGEST_INPUT {
            return Err(unexpected("The connection takes in nothing more"));
        }
        let start = self.input.len();
        self.input.resize(start.saturating_add(PORTION), 0);
        let room = self.input.get_mut(start..).unwrap_or_default();
        let read = loop {
            match self.socket.read(room) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(unexpected(format!("Cannot read: {error}"))),
                Ok(read) => break read,
            }
        };
        self.input.truncate(start.saturating_add(read));
        if read == 0 {
            self.ended = Some(match self.connection.end_of_input() {
                Ok(()) => End::Proper,
                Err(_) => End::Truncated,
            });
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Stop> {
        let due = match self.hold {
            Hold::Nothing => self.output.len(),
            Hold::AllBut(allowed) => allowed.min(self.output.len()),
        };
        if let Hold::AllBut(allowed) = &mut self.hold {
            *allowed = allowed.saturating_sub(due);
        }
        let portion: Vec<u8> = self.output.drain(..due).collect();
        self.socket
            .write_all(&portion)
            .map_err(|error| unexpected(format!("Cannot write: {error}")))
    }
}
