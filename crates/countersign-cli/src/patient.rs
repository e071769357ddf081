//! A socket that waits, but not for ever.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// A TCP socket whose reads and writes fail once a deadline has passed. However slowly the peer sends, a
/// phase ends in its time.
#[derive(Debug)]
pub(crate) struct PatientSocket {
    socket: TcpStream,
    deadline: Instant,
}

impl PatientSocket {
    /// Waits for at most `patience`, beginning now.
    pub(crate) fn new(socket: TcpStream, patience: Duration) -> Self {
        // Without this, small records wait for the acknowledgement of earlier ones.
        let _ = socket.set_nodelay(true);
        let mut patient = Self {
            socket,
            deadline: Instant::now(),
        };
        patient.wait_for(patience);
        patient
    }

    /// From now on, waits for at most this long.
    pub(crate) fn wait_for(&mut self, patience: Duration) {
        let now = Instant::now();
        self.deadline = now.checked_add(patience).unwrap_or(now);
    }

    /// Lets what was written arrive: ends this side's direction and takes in what is still under way, up to a
    /// bound. A socket that is closed with unread data makes the system discard what was written.
    pub(crate) fn close_gently(mut self) {
        self.wait_for(Duration::from_millis(500));
        let _ = self.socket.shutdown(Shutdown::Write);
        let mut scrap = [0; 4096];
        for _ in 0..64 {
            if !matches!(self.read(&mut scrap), Ok(1..)) {
                return;
            }
        }
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        match self.deadline.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Ok(Some(left)),
            _ => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl Read for PatientSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        self.socket.read(buffer)
    }
}

impl Write for PatientSocket {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

/// Whether reading or writing ended because its time ran out.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
    )
}
