//! What is asked of each library, and what of all of them alike.

use crate::Outcome;

/// The bytes of each record in a transfer: as many as a record can hold.
pub(crate) const RECORD: usize = 16_384;

/// The records that are sent before they are received.
pub(crate) const BATCH: usize = 16;

/// The name that the server is reached by.
pub(crate) const SERVER_NAME: &str = "server.example";

/// Who shows certificates.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authentication {
    ServerOnly,
    Mutual,
}

/// The group of the key exchange, the only one that both sides have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    X25519,
    X25519MlKem768,
}

/// What both sides are set up for. The cipher suite is always `TLS_AES_128_GCM_SHA256`.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) authentication: Authentication,
    pub(crate) group: Group,
}

/// A library, set up for one case.
pub(crate) trait Library {
    fn name(&self) -> &'static str;

    /// Makes a client and a server, and has them shake hands until both are done.
    ///
    /// Neither tickets nor resumption. Fails unless the peers are authenticated as the case says.
    fn handshake(&self) -> Outcome<()>;

    /// A client and a server after their handshake.
    fn transfer(&self) -> Outcome<Box<dyn Transfer>>;
}

/// Data from client to server, in two steps that are measured apart.
pub(crate) trait Transfer {
    /// The client seals [`BATCH`] times [`RECORD`] bytes, up to the bytes for the network.
    fn send(&mut self) -> Outcome<()>;

    /// The server opens all of it. Returns how many bytes it has got to see.
    fn receive(&mut self) -> Outcome<usize>;
}

/// Fails with a sentence unless something is so.
pub(crate) fn ensure(holds: bool, otherwise: &str) -> Outcome<()> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}
