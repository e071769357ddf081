//! What happens on a connection, as its owner is told.

use core::ops::Range;

use crate::verify::question::Question;

/// What a call of [`Connection::receive`](crate::Connection::receive) did.
#[derive(Debug)]
#[non_exhaustive]
pub struct Received {
    /// How many bytes at the start of the input are done with. A range in
    /// [`Event::Data`] lies within them, so use it before dropping them.
    pub consumed: usize,
    /// What happened.
    pub event: Event,
}

/// What happened on a connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// Nothing more can be done without more input.
    NeedInput,
    /// Decrypted data: this range of the input.
    Data(Range<usize>),
    /// The handshake is suspended until the question is answered with
    /// [`Connection::answer`](crate::Connection::answer).
    Question(Question),
    /// Something was completed.
    Completed(Completed),
    /// The peer closed the connection properly: there is no more data.
    PeerClosed,
}

/// What was completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Completed {
    /// The handshake: data may be sent, [`Connection::peer`](crate::Connection::peer) and
    /// [`Connection::agreed`](crate::Connection::agreed) are known.
    Handshake,
    /// A renegotiation (TLS 1.2): [`Connection::peer`](crate::Connection::peer) and [`Connection::agreed`](crate::Connection::agreed)
    /// are what it found out. Data that was handed out before this event was sent before it.
    Renegotiation,
    /// An authentication after the handshake (TLS 1.3). On a server, [`Connection::peer`](crate::Connection::peer) now says
    /// who the client is: data that was handed out before this event was sent before it authenticated.
    /// On a client: the server's request has been answered.
    PostHandshakeAuthentication,
}
