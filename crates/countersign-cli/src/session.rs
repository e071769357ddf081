//! A connection that talks to the terminal: bytes go both ways at the same time.
//!
//! Two threads only read, one the socket, one stdin; what they read arrives in a channel. The connection itself
//! stays on one thread, which works because the engine does no I/O.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use countersign::{ClientConfig, Connection, Error, Event, StreamError};
use pki_types::ServerName;

/// How many pieces of input wait at most; each has at most [`PIECE`] bytes.
const MOST_WAITING: usize = 256;
/// How much is read at a time.
const PIECE: usize = 16 * 1024;
/// How long the peer has to close after this side did.
const SETTLE: Duration = Duration::from_secs(2);

/// What the threads read.
enum Incoming {
    Network(Vec<u8>),
    NetworkEnded,
    NetworkFailed(io::Error),
    Input(Vec<u8>),
    InputEnded,
}

/// What one step of the connection led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    NeedsInput,
    Completed,
    PeerClosed,
}

/// A client's connection.
pub(crate) struct Session {
    connection: Connection,
    socket: TcpStream,
    received: Vec<u8>,
    output: Vec<u8>,
    incoming: Receiver<Incoming>,
    sender: SyncSender<Incoming>,
    /// How much application data has arrived.
    data_received: u64,
}

impl Session {
    /// Sends the first message. `patience` bounds each write, and [`handshake`](Self::handshake) as a whole.
    pub(crate) fn start(
        config: &Arc<ClientConfig>,
        name: ServerName<'_>,
        socket: TcpStream,
        patience: Duration,
    ) -> Result<Self, StreamError> {
        let _ = socket.set_nodelay(true);
        socket.set_write_timeout(Some(patience))?;
        let (sender, incoming) = sync_channel(MOST_WAITING);
        let mut output = Vec::new();
        let connection = Connection::client(config, name, &mut output)?;
        let mut session = Self {
            connection,
            socket,
            received: Vec::new(),
            output,
            incoming,
            sender,
            data_received: 0,
        };
        session.listen_to_network()?;
        session.flush()?;
        Ok(session)
    }

    /// The connection, to look at.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Completes the handshake within `patience`.
    pub(crate) fn handshake(&mut self, patience: Duration) -> Result<(), StreamError> {
        let begun = Instant::now();
        loop {
            match self.step(&mut io::sink())? {
                Step::Completed => return Ok(()),
                Step::PeerClosed => return Err(Error::Closed.into()),
                Step::NeedsInput => {}
            }
            let left = patience.saturating_sub(begun.elapsed());
            let Some(incoming) = self.next_incoming(Some(left)) else {
                let what = "the server did not complete the handshake in time";
                return Err(io::Error::new(io::ErrorKind::TimedOut, what).into());
            };
            self.take_network(incoming)?;
        }
    }

    /// Closes at once and waits a moment for what the server still has to say, such as that it refuses this side.
    pub(crate) fn settle(&mut self, sink: &mut dyn Write) -> Result<(), StreamError> {
        self.close()?;
        let begun = Instant::now();
        loop {
            if self.drain(sink)? == Step::PeerClosed {
                return Ok(());
            }
            match self.next_incoming(Some(SETTLE.saturating_sub(begun.elapsed()))) {
                // Nothing was promised any more, so nothing is missing.
                None | Some(Incoming::NetworkEnded | Incoming::NetworkFailed(_))
                    if self.data_received == 0 =>
                {
                    return Ok(());
                }
                None => return Ok(()),
                Some(incoming) => self.take_network(incoming)?,
            }
        }
    }

    /// Passes stdin to the server and what the server sends to `sink`, until the server closes. When stdin has
    /// ended, the server may be silent for as long as `patience`.
    pub(crate) fn relay(
        &mut self,
        sink: &mut dyn Write,
        patience: Duration,
    ) -> Result<(), StreamError> {
        self.listen_to_stdin()?;
        let mut sent_anything = false;
        let mut input_ended = false;
        loop {
            if self.drain(sink)? == Step::PeerClosed {
                return self.close();
            }
            match self.next_incoming(input_ended.then_some(patience)) {
                Some(Incoming::Input(bytes)) => {
                    sent_anything = true;
                    self.send(&bytes)?;
                }
                Some(Incoming::InputEnded) if sent_anything => input_ended = true,
                None | Some(Incoming::InputEnded) => return self.settle(sink),
                Some(incoming) => self.take_network(incoming)?,
            }
        }
    }

    /// Takes steps until the connection needs input or is closed.
    fn drain(&mut self, sink: &mut dyn Write) -> Result<Step, StreamError> {
        loop {
            match self.step(sink)? {
                Step::Completed => {}
                other => return Ok(other),
            }
        }
    }

    /// Lets the connection process what was received until something happens.
    fn step(&mut self, sink: &mut dyn Write) -> Result<Step, StreamError> {
        loop {
            let result = self
                .connection
                .receive(&mut self.received, &mut self.output);
            // On an error the alert is in the output, and the error matters more than whether it could be sent.
            let flushed = self.flush();
            let event = result?;
            flushed?;
            let step = match event.event {
                Event::Data(range) => {
                    let data = self.received.get(range).unwrap_or_default();
                    self.data_received = self
                        .data_received
                        .saturating_add(u64::try_from(data.len()).unwrap_or(0));
                    sink.write_all(data)?;
                    sink.flush()?;
                    None
                }
                Event::NeedInput => Some(Step::NeedsInput),
                Event::Completed(_) => Some(Step::Completed),
                Event::PeerClosed => Some(Step::PeerClosed),
                _ => return Err(Error::Internal("the built-in verifier asks no questions").into()),
            };
            self.received
                .drain(..event.consumed.min(self.received.len()));
            if let Some(step) = step {
                return Ok(step);
            }
        }
    }

    fn take_network(&mut self, incoming: Incoming) -> Result<(), StreamError> {
        match incoming {
            Incoming::Network(bytes) => self.received.extend_from_slice(&bytes),
            Incoming::NetworkEnded => {
                self.connection.end_of_input()?;
                return Err(Error::Closed.into());
            }
            Incoming::NetworkFailed(error) => return Err(error.into()),
            Incoming::Input(_) | Incoming::InputEnded => {}
        }
        Ok(())
    }

    fn send(&mut self, mut bytes: &[u8]) -> Result<(), StreamError> {
        while !bytes.is_empty() {
            let accepted = self
                .connection
                .send(&[IoSlice::new(bytes)], &mut self.output)?;
            self.flush()?;
            bytes = bytes.get(accepted..).unwrap_or_default();
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), StreamError> {
        self.connection.close(&mut self.output);
        match self.flush() {
            // Whoever has gone does not need to hear it.
            Err(_) => Ok(()),
            flushed => Ok(flushed?),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let output = std::mem::take(&mut self.output);
        self.socket.write_all(&output)
    }

    /// What arrives next; `None` when the time is over.
    fn next_incoming(&self, patience: Option<Duration>) -> Option<Incoming> {
        match patience {
            Some(patience) => self.incoming.recv_timeout(patience).ok(),
            None => self.incoming.recv().ok(),
        }
    }

    fn listen_to_network(&self) -> io::Result<()> {
        let (mut socket, sender) = (self.socket.try_clone()?, self.sender.clone());
        let listen = move || {
            let last = read_all(&mut socket, &sender, Incoming::Network);
            let _ =
                sender.send(last.map_or_else(Incoming::NetworkFailed, |()| Incoming::NetworkEnded));
        };
        thread::Builder::new()
            .name("network".into())
            .spawn(listen)
            .map(drop)
    }

    fn listen_to_stdin(&self) -> io::Result<()> {
        let sender = self.sender.clone();
        let listen = move || {
            // An stdin that cannot be read has ended.
            let _ = read_all(&mut io::stdin().lock(), &sender, Incoming::Input);
            let _ = sender.send(Incoming::InputEnded);
        };
        thread::Builder::new()
            .name("stdin".into())
            .spawn(listen)
            .map(drop)
    }
}

/// Hands on everything that can be read, in pieces, until the end.
fn read_all(
    source: &mut impl Read,
    sender: &SyncSender<Incoming>,
    wrap: fn(Vec<u8>) -> Incoming,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        match source.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => {
                let bytes = piece.get(..length).unwrap_or_default().to_vec();
                if sender.send(wrap(bytes)).is_err() {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
