//! TLS that knows who is at the other end.
//!
//! A TLS 1.2 and 1.3 client and server with OpenSSL's peer verification: the modes of
//! `SSL_CTX_set_verify`, the verify callback, depth and result, in both roles; with a full report of
//! why a peer was accepted or not, and verdicts that may take their time.
//!
//! - [`ClientConfig`] and [`ServerConfig`] are built once and shared. [`VerifyMode`] says
//!   how the peer is verified.
//! - [`Stream`] runs a connection over a blocking transport.
//! - [`Connection`] is the engine below it: it reads and writes byte slices, never a socket.
//! - [`Peer`] is who is at the other end, with its [`Report`].
//!
//! ```no_run
//! use std::io::Write;
//! use std::net::TcpListener;
//! use countersign::{Credential, ServerConfig, Stream, TrustStore, VerifyMode};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = ServerConfig::builder()
//!     .credential(Credential::from_pem_files("server.pem", "server.key")?)
//!     .trust(TrustStore::from_pem_file("clients.pem")?)
//!     .verify(VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT)
//!     .build()?;
//! let listener = TcpListener::bind("127.0.0.1:4433")?;
//! for socket in listener.incoming() {
//!     let mut stream = match Stream::accept(&config, socket?) {
//!         Ok(stream) => stream,
//!         Err(error) => {
//!             eprintln!("Turned away: {error}");
//!             continue;
//!         }
//!     };
//!     let peer = stream.connection().peer().map(|peer| peer.report().drawing().to_string());
//!     writeln!(stream, "You are {}", peer.unwrap_or_default())?;
//!     stream.close()?;
//! }
//! # Ok(()) }
//! ```
//!
//! # Features
//!
//! `system-roots`, on by default, adds [`TrustStore`]`::from_system`; `mozilla-roots` adds [`TrustStore`]`::mozilla`.
//! `fuzzing` is for the project's own tests, and promises nothing.

mod alert;
mod blocking;
mod config;
mod connection;
mod crypto;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod handshake;
mod keys;
mod messages;
mod record;
mod session;
mod verify;
mod violation;

pub use alert::Alert;
pub use blocking::{Progress, Stream, StreamError};
pub use config::build_error::BuildError;
pub use config::builder::{ClientSide, ConfigBuilder, ServerSide};
pub use config::credential::{Credential, CredentialError};
pub use config::environment::{Clock, KeyLog, SystemClock};
pub use config::limits::Limits;
pub use config::{ClientConfig, KeyUsageRule, PeerNames, ServerConfig};
pub use connection::Connection;
pub use connection::established::{Agreed, ProtocolVersion};
pub use connection::event::{Completed, Event, Received};
pub use connection::state::State;
pub use connection::trace::{Direction, Protection, Trace, TraceEvent, Traced};
pub use countersign_x509::{
    Decision, ExpectedName, PolicyRequirements, Profile, Report, Revocation, SignatureMemory, Step,
    SubjectNames, TrustStore, ValidationTime, VerifyCode,
};
pub use crypto::{
    CipherSuite, FiniteFieldGroup, KeyError, NamedGroup, PrivateKey, Random, RandomFailed,
    SignError, SignatureScheme, Signer, SystemRandom,
};
pub use error::{Error, Misuse, Negotiated, Rejection};
pub use session::ResumePolicy;
pub use session::client_cache::ClientSessions;
pub use session::keyring::{TicketKeyError, TicketKeyring};
pub use session::store::{Lookup, MemoryStore, SessionId, SessionStore};
pub use verify::judgement::VerifyCallback;
pub use verify::mode::{Role, VerifyMode};
pub use verify::peer::{CertificateChain, Peer, Since, Standing};
pub use verify::policy::Why;
pub use verify::question::{
    Answer, CredentialQuestion, PeerQuestion, Question, SessionQuestion, SignatureQuestion,
};
pub use verify::verifier::{ChainVerifier, Presented, Verdict, Verification, Verifier};
pub use violation::Violation;

// Their types are part of this interface, so a program needs them in the same version.
pub use countersign_x509 as x509;
pub use pki_types;
