//! Resumption: what is remembered of a connection, where it is kept, and when it may be used again.

pub(crate) mod client_cache;
pub(crate) mod keyring;
pub(crate) mod state;
pub(crate) mod store;
pub(crate) mod tickets;

/// What a resumption may skip.
///
/// A resumed connection takes the peer's identity from an earlier one. OpenSSL takes it as it
/// was, whatever has changed since: the mode, the trust store, revocation, the date. Here that
/// is one of three choices, for a client and for a server:
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResumePolicy {
    /// The peer's certificates are verified again, as in a full handshake of now. A session
    /// that does not satisfy this connection is not used: the handshake is a full one. The default.
    #[default]
    Reverify,
    /// The identity, its verify result and the report on it are taken as they were, as OpenSSL does with the first
    /// two. Nothing is verified, and no certificate is requested.
    ///
    /// A server whose mode has `PEER` then resumes only if it has a
    /// [`session_context`](crate::ConfigBuilder::session_context), as with OpenSSL, so that the
    /// sessions of another server with the same ticket keys are not taken for its own.
    Reuse,
    /// Every handshake is a full one.
    Never,
}
