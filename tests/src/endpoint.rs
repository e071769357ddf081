//! Two ends of a connection in this process, and the line between them.

use core::fmt;

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a connection has two ends")]
pub enum Side {
    /// The end that connects.
    Client,
    /// The end that accepts.
    Server,
}

impl Side {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

impl fmt::Display for Side {
    /// `c` or `s`, as in the matrix.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "c",
            Self::Server => "s",
        })
    }
}

/// One end of a connection, whatever the implementation.
pub trait Endpoint {
    /// Takes what arrived from the other end, perhaps nothing, goes as far as possible, and
    /// returns what is to be sent.
    fn exchange(&mut self, arrived: &[u8]) -> Vec<u8>;
    /// Queues application data; the next [`exchange`](Self::exchange) sends it.
    fn write(&mut self, data: &[u8]);
    /// Ends this direction: the next [`exchange`](Self::exchange) sends `close_notify`.
    fn close(&mut self);
    /// All application data that arrived.
    fn received(&self) -> &[u8];
    /// Whether the handshake completed at some time.
    fn completed(&self) -> bool;
    /// Why the connection failed, in the words of the implementation.
    fn failure(&self) -> Option<&str>;
    /// The application protocol that was agreed on.
    fn alpn(&self) -> Option<Vec<u8>>;
    /// The peer's certificate in DER.
    fn peer_certificate(&self) -> Option<Vec<u8>>;

    /// Whether the handshake completed and nothing failed since.
    fn is_fine(&self) -> bool {
        self.completed() && self.failure().is_none()
    }
}

/// What carries the bytes.
pub trait Line {
    /// Takes bytes from one end and returns what the other end gets.
    fn carry(&mut self, from: Side, bytes: &[u8]) -> Vec<u8>;
}

/// A line that changes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainLine;

impl Line for PlainLine {
    fn carry(&mut self, _: Side, bytes: &[u8]) -> Vec<u8> {
        bytes.to_vec()
    }
}

/// Lets both ends talk, the client first, until both are idle.
///
/// # Panics
/// If they do not come to rest: two ends that answer each other for ever are a defect.
pub fn run_until_idle(client: &mut dyn Endpoint, server: &mut dyn Endpoint, line: &mut dyn Line) {
    let mut to_client = Vec::new();
    let mut to_server;
    for round in 0..1_000 {
        to_server = line.carry(Side::Client, &client.exchange(&to_client));
        let rested = round > 0 && to_server.is_empty();
        to_client = line.carry(Side::Server, &server.exchange(&to_server));
        if rested && to_client.is_empty() {
            return;
        }
    }
    panic!("the two ends do not come to rest");
}

/// Whether a byte goes both ways.
pub fn is_alive(client: &mut dyn Endpoint, server: &mut dyn Endpoint, line: &mut dyn Line) -> bool {
    if !client.is_fine() || !server.is_fine() {
        return false;
    }
    let before = (client.received().len(), server.received().len());
    client.write(b"c");
    server.write(b"s");
    run_until_idle(client, server, line);
    client.received().get(before.0..) == Some(b"s")
        && server.received().get(before.1..) == Some(b"c")
}
