//! The threads around a [`Session`](crate::session::Session): they wait, so that the session need not.
//!
//! One reads the socket, one writes it, one reads stdin. What they have to say arrives in one channel. Memory stays
//! bounded: the socket's reader stops when the channel is full, and stdin is read only with a ticket, of which there
//! are few and which come back when the bytes are written.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How many messages wait at most.
const MOST_WAITING: usize = 64;
/// How much is read at a time.
const PIECE: usize = 16 * 1024;
/// How many pieces of stdin are under way at most.
const TICKETS: usize = 4;

/// What the threads have to say.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// Bytes from the socket.
    Network(Vec<u8>),
    /// The peer sends no more.
    NetworkEnded,
    /// The socket cannot be read.
    NetworkFailed(io::Error),
    /// The oldest bytes that were given to be written are written.
    Written,
    /// They could not be written.
    WriteFailed(io::Error),
    /// Bytes from stdin.
    Input(Vec<u8>),
    /// Stdin has ended.
    InputEnded,
}

/// A socket with its threads.
pub(crate) struct Plumbing {
    incoming: Receiver<Incoming>,
    sender: SyncSender<Incoming>,
    to_write: Option<Sender<Vec<u8>>>,
    writer: Option<JoinHandle<()>>,
    tickets: Option<SyncSender<()>>,
}

impl Plumbing {
    /// Starts reading and writing a socket. `patience` bounds each write.
    pub(crate) fn new(socket: TcpStream, patience: Duration) -> io::Result<Self> {
        // Without this, small records wait for the acknowledgement of earlier ones.
        let _ = socket.set_nodelay(true);
        socket.set_write_timeout(Some(patience))?;
        let (sender, incoming) = sync_channel(MOST_WAITING);
        let (to_write, written_by_thread) = channel();
        let reading = (socket.try_clone()?, sender.clone());
        spawn("network", move || read_network(reading.0, &reading.1))?;
        let writing = sender.clone();
        let writer = spawn("writer", move || {
            write_network(socket, &written_by_thread, &writing);
        })?;
        Ok(Self {
            incoming,
            sender,
            to_write: Some(to_write),
            writer: Some(writer),
            tickets: None,
        })
    }

    /// Starts reading stdin.
    pub(crate) fn read_stdin(&mut self) -> io::Result<()> {
        let (tickets, taken) = sync_channel(TICKETS);
        for _ in 0..TICKETS {
            let _ = tickets.send(());
        }
        let sender = self.sender.clone();
        spawn("stdin", move || {
            let mut stdin = io::stdin().lock();
            while taken.recv().is_ok() {
                match read_piece(&mut stdin) {
                    Ok(piece) if !piece.is_empty() => {
                        if sender.send(Incoming::Input(piece)).is_err() {
                            return;
                        }
                    }
                    // An stdin that cannot be read has ended.
                    _ => break,
                }
            }
            let _ = sender.send(Incoming::InputEnded);
        })?;
        self.tickets = Some(tickets);
        Ok(())
    }

    /// Gives bytes to be written. Does not wait.
    pub(crate) fn write(&self, bytes: Vec<u8>) {
        if let Some(to_write) = self.to_write.as_ref().filter(|_| !bytes.is_empty()) {
            // A writer that has ended has said why.
            let _ = to_write.send(bytes);
        }
    }

    /// Allows another piece of stdin.
    pub(crate) fn return_ticket(&self) {
        if let Some(tickets) = &self.tickets {
            let _ = tickets.try_send(());
        }
    }

    /// What happens next; `None` when the time is over. Without `patience` it waits for ever.
    pub(crate) fn next(&self, patience: Option<Duration>) -> Option<Incoming> {
        match patience {
            Some(patience) => self.incoming.recv_timeout(patience).ok(),
            None => self.incoming.recv().ok(),
        }
    }
}

impl Drop for Plumbing {
    /// Waits until everything is written: the last bytes may be the alert that says what is wrong.
    fn drop(&mut self) {
        self.to_write = None;
        // The threads must not wait for room in the channel meanwhile.
        while self
            .writer
            .as_ref()
            .is_some_and(|writer| !writer.is_finished())
        {
            let _ = self.incoming.recv_timeout(Duration::from_millis(5));
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}

fn read_network(mut socket: TcpStream, sender: &SyncSender<Incoming>) {
    loop {
        let (incoming, is_last) = match read_piece(&mut socket) {
            Ok(piece) if piece.is_empty() => (Incoming::NetworkEnded, true),
            Ok(piece) => (Incoming::Network(piece), false),
            Err(error) => (Incoming::NetworkFailed(error), true),
        };
        if sender.send(incoming).is_err() || is_last {
            return;
        }
    }
}

fn write_network(
    mut socket: TcpStream,
    to_write: &Receiver<Vec<u8>>,
    sender: &SyncSender<Incoming>,
) {
    for bytes in to_write {
        let incoming = match socket.write_all(&bytes) {
            Ok(()) => Incoming::Written,
            Err(error) => Incoming::WriteFailed(error),
        };
        let is_last = matches!(incoming, Incoming::WriteFailed(_));
        let heard = sender.send(incoming).is_ok();
        if is_last || !heard {
            return;
        }
    }
}

/// What is there, at most a piece; empty at the end.
fn read_piece(source: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut piece = vec![0; PIECE];
    loop {
        match source.read(&mut piece) {
            Ok(length) => {
                piece.truncate(length);
                return Ok(piece);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
