//! [`Stream`]: a connection over anything that reads and writes, such as a `TcpStream`.

mod kept;

use core::fmt;
use core::ops::Range;
use std::io::{self, BufRead, IoSlice, Read, Write};
use std::sync::Arc;

use pki_types::ServerName;

use crate::config::{ClientConfig, ServerConfig};
use crate::connection::Connection;
use crate::connection::event::{Completed, Event};
use crate::error::{Error, Misuse};
use crate::verify::question::{Answer, Question};
use kept::Kept;

/// Room for one record of the largest size, and some of the next.
const INPUT_SIZE: usize = 32 * 1024;

/// How much plaintext is sealed at a time: a call of `write` takes no more than this.
const WRITE_SIZE: usize = 64 * 1024;

/// How much data is kept that comes in while a write waits for a renegotiation.
const KEPT_SIZE: usize = 256 * 1024;

/// Answers a connection's questions.
type Answerer = Box<dyn FnMut(Question) -> Answer + Send>;

/// A connection over a blocking transport.
///
/// Reads and writes are plaintext. Writing writes through: what `write` accepted has been handed to
/// the transport when it returns. While TLS 1.2 renegotiates nothing can be sent, so a write completes the
/// renegotiation first; what comes in meanwhile is kept for the reads that follow.
///
/// A read or a write that fails for a reason of TLS hides its [`Error`] in an [`io::Error`]; `StreamError::from` finds it
/// again. A client of TLS 1.3 learns from its first read, not from the handshake, that the server refused its certificate.
///
/// ```no_run
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
/// use countersign::{ClientConfig, Stream, TrustStore};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = ClientConfig::builder().trust(TrustStore::from_pem_file("ca.pem")?).build()?;
/// let socket = TcpStream::connect(("localhost", 4433))?;
/// let mut stream = Stream::connect(&config, "localhost".try_into()?, socket)?;
/// stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
/// let mut page = String::new();
/// stream.read_to_string(&mut page)?;
/// # Ok(()) }
/// ```
pub struct Stream<S> {
    connection: Connection,
    transport: S,
    /// Bytes from the transport; those before `unread` are done with.
    input: Vec<u8>,
    unread: Range<usize>,
    /// Decrypted bytes within `input`, not yet handed out.
    plaintext: Range<usize>,
    /// Decrypted bytes that came before those.
    kept: Kept,
    /// Bytes for the transport; those before `sent` are written.
    output: Vec<u8>,
    sent: usize,
    answerer: Option<Answerer>,
}

impl<S: Read + Write> Stream<S> {
    /// Connects as a client: sends the ClientHello and completes the handshake.
    ///
    /// # Errors
    /// Whatever ends the handshake, and a question, which nobody answers here. If there may be one, or it is to be seen
    /// afterwards what the connection knows, use [`client`](Self::client) and [`handshake`](Self::handshake).
    pub fn connect(
        config: &Arc<ClientConfig>,
        name: ServerName<'_>,
        transport: S,
    ) -> Result<Self, StreamError> {
        let mut stream = Self::client(config, name, transport)?;
        stream.handshake()?;
        Ok(stream)
    }

    /// Accepts as a server: waits for the ClientHello and completes the handshake.
    ///
    /// # Errors
    /// Whatever ends the handshake, as for [`connect`](Self::connect).
    pub fn accept(config: &Arc<ServerConfig>, transport: S) -> Result<Self, StreamError> {
        let mut stream = Self::server(config, transport);
        stream.handshake()?;
        Ok(stream)
    }

    /// A client that has not sent anything yet.
    ///
    /// # Errors
    /// If the ClientHello cannot be made, for want of random bytes.
    pub fn client(
        config: &Arc<ClientConfig>,
        name: ServerName<'_>,
        transport: S,
    ) -> Result<Self, StreamError> {
        let mut output = Vec::new();
        let connection = Connection::client(config, name, &mut output)?;
        Ok(Self::from_parts(connection, output, transport))
    }

    /// A server that has not read anything yet.
    pub fn server(config: &Arc<ServerConfig>, transport: S) -> Self {
        Self::from_parts(Connection::server(config), Vec::new(), transport)
    }

    /// A stream over a connection in any state. `output` is what the connection has produced and nobody has sent.
    pub fn from_parts(connection: Connection, output: Vec<u8>, transport: S) -> Self {
        Self {
            connection,
            transport,
            input: Vec::new(),
            unread: 0..0,
            plaintext: 0..0,
            kept: Kept::default(),
            output,
            sent: 0,
            answerer: None,
        }
    }

    /// Sets who answers the connection's questions, before the [`handshake`](Self::handshake). Without one, a question is
    /// the error [`Misuse::QuestionOpen`].
    ///
    /// ```no_run
    /// use std::net::TcpStream;
    /// use std::sync::Arc;
    /// use countersign::pki_types::ServerName;
    /// use countersign::{ChainVerifier, ClientConfig, Question, Stream, StreamError, Verdict};
    ///
    /// /// The configuration's verifier answers `Verification::Later`, and asks for no credential.
    /// fn connect(
    ///     config: &Arc<ClientConfig>,
    ///     name: ServerName<'_>,
    ///     chain: ChainVerifier,
    ///     socket: TcpStream,
    /// ) -> Result<Stream<TcpStream>, StreamError> {
    ///     let mut stream = Stream::client(config, name, socket)?;
    ///     stream.on_question(move |question| match question {
    ///         // Here is the time to ask a database, or a person.
    ///         Question::Peer(question) => {
    ///             let verdict = Verdict::Follow(chain.report(&question.presented()));
    ///             question.answer(verdict)
    ///         }
    ///         other => unreachable!("nothing else was left open: {other:?}"),
    ///     });
    ///     stream.handshake()?;
    ///     Ok(stream)
    /// }
    /// ```
    pub fn on_question(&mut self, answerer: impl FnMut(Question) -> Answer + Send + 'static) {
        self.answerer = Some(Box::new(answerer));
    }

    /// Completes the handshake. Returns at once if it is complete.
    ///
    /// # Errors
    /// Whatever ends the handshake, or ended the connection since. The alert that goes with it
    /// has been sent.
    pub fn handshake(&mut self) -> Result<(), StreamError> {
        let flushed = self.flush_output();
        if !self.connection.is_handshaking() {
            self.connection.check_connected()?;
            return Ok(flushed?);
        }
        flushed?;
        while self.connection.is_handshaking() {
            self.advance()?;
        }
        Ok(())
    }

    /// Ends this side's direction: sends `close_notify`. The peer may go on sending, and
    /// [`Read`] delivers it.
    ///
    /// # Errors
    /// If the transport fails.
    pub fn close(&mut self) -> Result<(), StreamError> {
        self.connection.close(&mut self.output);
        self.flush_output()?;
        self.transport.flush()?;
        Ok(())
    }

    /// The connection, to look at.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The connection, to change its settings or start something. What it wrote into
    /// `output` goes out with the next read, write or flush.
    pub fn connection_and_output(&mut self) -> (&mut Connection, &mut Vec<u8>) {
        (&mut self.connection, &mut self.output)
    }

    /// The transport.
    pub fn transport(&self) -> &S {
        &self.transport
    }

    /// The transport, to change its settings. Reading from it or writing to it breaks the connection.
    pub fn transport_mut(&mut self) -> &mut S {
        &mut self.transport
    }

    /// Takes the stream apart: the connection and the transport. Bytes that were read from
    /// the transport but not used are lost.
    pub fn into_parts(self) -> (Connection, S) {
        (self.connection, self.transport)
    }

    /// Takes one step: lets the connection process what is there, or reads once from the transport. For
    /// a program that waits for something else than data, such as the answer to
    /// [`Connection::request_peer_certificate`].
    ///
    /// While there is data that nobody has read, it says so and does nothing else.
    ///
    /// ```no_run
    /// # use std::io::{BufRead, Read, Write};
    /// # use countersign::{Completed, Progress, Stream, StreamError};
    /// /// Asks the client who it is, and keeps what it says in the meantime.
    /// fn authenticate(stream: &mut Stream<impl Read + Write>) -> Result<Vec<u8>, StreamError> {
    ///     let (connection, output) = stream.connection_and_output();
    ///     connection.request_peer_certificate(output)?;
    ///     let mut said_before = Vec::new();
    ///     loop {
    ///         match stream.step()? {
    ///             Progress::Completed(Completed::PostHandshakeAuthentication) => return Ok(said_before),
    ///             Progress::Data => {
    ///                 let data = stream.fill_buf()?; // here a bound belongs
    ///                 said_before.extend_from_slice(data);
    ///                 let length = data.len();
    ///                 stream.consume(length);
    ///             }
    ///             Progress::PeerClosed => return Err(countersign::Error::Closed.into()),
    ///             _ => {}
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// Whatever ends the connection, and what the transport says.
    pub fn step(&mut self) -> Result<Progress, StreamError> {
        if let Some(what) = self.kept.take_completed() {
            return Ok(Progress::Completed(what));
        }
        if self.has_plaintext() {
            return Ok(Progress::Data);
        }
        self.advance()
    }

    fn has_plaintext(&self) -> bool {
        !self.kept.data().is_empty() || !self.plaintext.is_empty()
    }

    fn advance(&mut self) -> Result<Progress, StreamError> {
        let unread = self.input.get_mut(self.unread.clone()).unwrap_or_default();
        let received = self.connection.receive(unread, &mut self.output);
        let start = self.unread.start;
        if let Ok(received) = &received {
            self.unread.start = start.saturating_add(received.consumed).min(self.unread.end);
        }
        let flushed = self.flush_output();
        match received?.event {
            Event::NeedInput => {
                flushed?;
                self.fill()?;
                Ok(Progress::More)
            }
            Event::Data(range) => {
                self.plaintext = start.saturating_add(range.start)..start.saturating_add(range.end);
                flushed?;
                Ok(Progress::Data)
            }
            // There is but one chance to answer, so it does not wait for the transport.
            Event::Question(question) => {
                self.settle(question)?;
                Ok(Progress::More)
            }
            Event::PeerClosed => Ok(Progress::PeerClosed),
            Event::Completed(what) => {
                flushed?;
                Ok(Progress::Completed(what))
            }
        }
    }

    fn settle(&mut self, question: Question) -> Result<(), StreamError> {
        let Some(answerer) = &mut self.answerer else {
            return Err(Error::Misuse(Misuse::QuestionOpen).into());
        };
        let answer = answerer(question);
        let settled = self.connection.answer(answer, &mut self.output);
        let flushed = self.flush_output();
        settled?;
        Ok(flushed?)
    }

    /// Reads more from the transport, behind what is unread.
    fn fill(&mut self) -> Result<(), StreamError> {
        if self.input.is_empty() {
            self.input = vec![0; INPUT_SIZE];
        }
        // A record may need all the room, so what is unread moves to the front.
        if self.unread.start > 0 {
            self.input.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
        }
        let room = self.input.get_mut(self.unread.end..).unwrap_or_default();
        let read = loop {
            match self.transport.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        if read == 0 {
            self.connection.end_of_input()?;
            return Err(Error::Closed.into());
        }
        self.unread.end = self.unread.end.saturating_add(read).min(self.input.len());
        Ok(())
    }

    fn flush_output(&mut self) -> io::Result<()> {
        while let Some(unsent) = self
            .output
            .get(self.sent..)
            .filter(|unsent| !unsent.is_empty())
        {
            match self.transport.write(unsent) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.sent = self.sent.saturating_add(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.output.clear();
        self.sent = 0;
        Ok(())
    }

    /// Drives the connection until data can be sent again. Reading is what completes a renegotiation, and what comes
    /// in before its end is kept.
    ///
    /// # Errors
    /// [`Misuse::RenegotiationRunning`] if that becomes too much: it has to be read first.
    fn complete_renegotiation(&mut self) -> Result<(), StreamError> {
        while self.connection.is_renegotiating() {
            let plaintext = self.input.get(self.plaintext.clone()).unwrap_or_default();
            self.kept.push_data(plaintext);
            self.plaintext = 0..0;
            if self.kept.len() > KEPT_SIZE {
                return Err(Error::Misuse(Misuse::RenegotiationRunning).into());
            }
            match self.advance()? {
                Progress::Completed(what) => self.kept.push_completed(what),
                Progress::PeerClosed => return Err(Error::Closed.into()),
                Progress::More | Progress::Data => {}
            }
        }
        Ok(())
    }

    /// Decrypts until there is plaintext, or the end.
    fn fill_plaintext(&mut self) -> io::Result<()> {
        // Who only reads does not hear what was completed.
        while self.kept.take_completed().is_some() {}
        while !self.has_plaintext() {
            match self.advance() {
                Ok(Progress::PeerClosed) => break,
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl<S: Read + Write> Read for Stream<S> {
    /// Reads plaintext. `Ok(0)` means that the peer closed the connection properly; an end without
    /// that is an error of kind `UnexpectedEof`, so that a truncation is never taken for an end.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let available = self.fill_buf()?;
        let length = available.len().min(buffer.len());
        for (to, from) in buffer
            .chunks_mut(length.max(1))
            .zip(available.chunks(length.max(1)))
            .take(1)
        {
            to.copy_from_slice(from.get(..to.len()).unwrap_or(from));
        }
        self.consume(length);
        Ok(length)
    }
}

impl<S: Read + Write> BufRead for Stream<S> {
    /// The plaintext of one record, without copying it.
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.fill_plaintext()?;
        if !self.kept.data().is_empty() {
            return Ok(self.kept.data());
        }
        Ok(self.input.get(self.plaintext.clone()).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        if !self.kept.data().is_empty() {
            return self.kept.consume(amount);
        }
        self.plaintext.start = self
            .plaintext
            .start
            .saturating_add(amount)
            .min(self.plaintext.end);
    }
}

impl<S: Read + Write> Write for Stream<S> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buffer)])
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        self.handshake()?;
        self.complete_renegotiation()?;
        let first = buffers.iter().find(|buffer| !buffer.is_empty());
        let total: usize = buffers
            .iter()
            .map(|buffer| buffer.len())
            .fold(0, usize::saturating_add);
        let accepted = if total <= WRITE_SIZE {
            self.connection.send(buffers, &mut self.output)
        } else {
            let part = first
                .and_then(|first| first.get(..WRITE_SIZE.min(first.len())))
                .unwrap_or_default();
            self.connection
                .send(&[IoSlice::new(part)], &mut self.output)
        };
        let accepted = accepted.map_err(io::Error::from)?;
        match self.flush_output() {
            // What was accepted is sealed and goes out with the next call. A transport with a
            // timeout says either, depending on the system.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                ) =>
            {
                Ok(accepted)
            }
            other => other.map(|()| accepted),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flush_output()?;
        self.transport.flush()
    }
}

impl<S: fmt::Debug> fmt::Debug for Stream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("connection", &self.connection)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

/// What a [`Stream::step`] led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Progress {
    /// Nothing that the caller has to know.
    More,
    /// There is data: [`BufRead::fill_buf`] has it without waiting.
    Data,
    /// Something was completed.
    Completed(Completed),
    /// The peer closed the connection properly: there is no more data.
    PeerClosed,
}

/// Why a [`Stream`] failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum StreamError {
    /// The connection: what the peer did, or what this side refused.
    Tls(Error),
    /// The transport.
    Transport(io::Error),
}

impl From<Error> for StreamError {
    fn from(error: Error) -> Self {
        Self::Tls(error)
    }
}

impl From<io::Error> for StreamError {
    /// Undoes the conversion with which [`Read`] and [`Write`] had to hide an [`Error`].
    fn from(error: io::Error) -> Self {
        error.downcast().map_or_else(Self::Transport, Self::Tls)
    }
}

impl From<StreamError> for io::Error {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Tls(error) => error.into(),
            StreamError::Transport(error) => error,
        }
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls(error) => error.fmt(f),
            Self::Transport(error) => write!(f, "The network connection failed: {error}."),
        }
    }
}

impl core::error::Error for StreamError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Tls(error) => Some(error),
            Self::Transport(error) => Some(error),
        }
    }
}
