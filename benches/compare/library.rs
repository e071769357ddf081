//! What is asked of each library, and what of all of them alike.

use crate::measuring::{Operation, Outcome};

/// The bytes that are sent before they are received.
pub(crate) const FLIGHT: usize = 1 << 18;

/// The name that the server is reached by.
pub(crate) const SERVER_NAME: &str = "server.example";

/// Who shows certificates.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authentication {
    ServerOnly,
    Mutual,
}

/// The group of the key exchange, the first that both sides have. In TLS 1.2 they have P-256 too, without which there
/// could be no certificates on that curve (RFC 8422 §5.1.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    X25519,
    X25519MlKem768,
}

/// The version of the protocol, the only one that both sides have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Tls12,
    Tls13,
}

/// How records are encrypted, with SHA-256 beside it; in TLS 1.2 keys are exchanged by ECDHE and signed with ECDSA.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cipher {
    Aes128Gcm,
    ChaCha20Poly1305,
}

/// What both sides are set up for.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) version: Version,
    pub(crate) cipher: Cipher,
    pub(crate) authentication: Authentication,
    pub(crate) group: Group,
    pub(crate) kind: Kind,
}

/// Which handshakes a library makes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No tickets, no resumption.
    Full,
    /// Each with the ticket of the one before, and in TLS 1.3 with one new ticket.
    Resumed,
}

/// A library, set up for one case. What it does as an operation is a handshake: it makes a client
/// and a server, and drives them until both are done and nothing is under way any more. That fails unless
/// the peers are authenticated, and the session resumed, as the case says.
pub(crate) trait Library: Operation {
    /// A client and a server after their handshake, for records of so many bytes.
    fn transfer(&self, record: usize) -> Outcome<Box<dyn Transfer>>;
}

/// Data from client to server, in two steps that are measured apart.
pub(crate) trait Transfer {
    /// The client seals [`FLIGHT`] bytes, record by record, up to the bytes for the network.
    fn send(&mut self) -> Outcome<()>;

    /// The server opens all of it. Returns how many bytes it has got to see.
    fn receive(&mut self) -> Outcome<usize>;
}
