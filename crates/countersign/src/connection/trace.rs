//! [`Trace`]: watches what connections say, hear and decide.

use core::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign_x509::VerifyCode;

use crate::alert::Alert;
use crate::connection::event::Completed;
use crate::messages::message_name;
use crate::verify::mode::Role;
use crate::verify::policy::Why;

/// Watches connections, for diagnosis (`SSL_CTX_set_msg_callback`). Given to a configuration with
/// [`ConfigBuilder::trace`](crate::ConfigBuilder::trace).
///
/// It is called in the order of events, on the thread that drives the connection, and should be quick. It sees
/// handshake messages unencrypted, tickets among them, but no keys and no application data.
///
/// ```
/// use countersign::{Trace, TraceEvent, Traced};
///
/// struct Names;
/// impl Trace for Names {
///     fn record(&self, event: &TraceEvent<'_>) {
///         if let Traced::Message { direction, protection, name, .. } = event.what {
///             eprintln!("{} {direction} {name} ({protection})", event.role);
///         }
///     }
/// }
/// # fn example() -> Result<(), countersign::BuildError> {
/// let config = countersign::ClientConfig::builder()
///     .verify(countersign::VerifyMode::NONE)
///     .trace(Names)
///     .build()?;
/// # let _ = config; Ok(()) }
/// # example().unwrap();
/// ```
pub trait Trace: Send + Sync {
    /// Takes note of one event.
    fn record(&self, event: &TraceEvent<'_>);
}

/// One event of one connection.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TraceEvent<'e> {
    /// Tells the traced connections of this process apart.
    pub connection: u64,
    /// Which end of the connection saw it.
    pub role: Role,
    /// What it saw.
    pub what: Traced<'e>,
}

/// What a [`Trace`] is told.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Traced<'e> {
    /// A handshake message, before it is looked into.
    Message {
        /// Whether this end sent or received it.
        direction: Direction,
        /// Under which keys.
        protection: Protection,
        /// Its name in RFC 9846, as `CertificateRequest`; `unknown` for a type that has none.
        name: &'static str,
        /// All of it, with its header of four bytes, unencrypted.
        bytes: &'e [u8],
    },
    /// An alert.
    Alert {
        /// Whether this end sent or received it.
        direction: Direction,
        /// Under which keys.
        protection: Protection,
        /// Which one.
        alert: Alert,
    },
    /// A `change_cipher_spec`: in TLS 1.2 new keys begin behind it, in TLS 1.3 it means nothing (RFC 9846 §E.4).
    ChangeCipherSpec {
        /// Whether this end sent or received it.
        direction: Direction,
        /// Under which keys it went itself.
        protection: Protection,
    },
    /// Application data: how much, not what.
    Data {
        /// Whether this end sent or received it.
        direction: Direction,
        /// How many bytes of plaintext.
        length: usize,
    },
    /// A server did not ask for a certificate in the handshake.
    RequestOmitted(Why),
    /// A certificate was verified, in a handshake, after it, or before a session is resumed.
    Judged {
        /// Whose certificate.
        whose: Role,
        /// The verify result.
        code: VerifyCode,
        /// Whether verification and the verify callback accept it. What follows from that, the mode says.
        accepted: bool,
    },
    /// The handshake or an authentication is complete.
    Completed {
        /// Which.
        what: Completed,
        /// Whether the connection resumed an earlier session.
        resumed: bool,
    },
}

/// Which way something went, as one end sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Direction {
    /// This end sent it.
    Sent,
    /// This end received it.
    Received,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sent => "sent",
            Self::Received => "received",
        })
    }
}

/// Under which keys something went over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protection {
    /// Under none: anybody can read it.
    Plain,
    /// Under the keys of the handshake (TLS 1.3).
    Handshake,
    /// Under the keys of application data. TLS 1.2 has no others.
    Application,
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Handshake => "handshake",
            Self::Application => "application",
        })
    }
}

/// Where the events of one connection go, if anywhere.
#[derive(Clone)]
pub(crate) struct Tracer(Option<Observed>);

#[derive(Clone)]
struct Observed {
    trace: Arc<dyn Trace>,
    connection: u64,
    role: Role,
}

impl Tracer {
    /// For a new connection.
    pub(crate) fn new(trace: Option<&Arc<dyn Trace>>, role: Role) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(trace.map(|trace| Observed {
            trace: Arc::clone(trace),
            connection: NEXT.fetch_add(1, Ordering::Relaxed),
            role,
        }))
    }

    /// Tells what happened.
    pub(crate) fn record(&self, what: Traced<'_>) {
        if let Some(observed) = &self.0 {
            observed.trace.record(&TraceEvent {
                connection: observed.connection,
                role: observed.role,
                what,
            });
        }
    }

    /// Tells of a whole handshake message.
    pub(crate) fn message(&self, direction: Direction, protection: Protection, bytes: &[u8]) {
        if self.0.is_some() {
            self.record(Traced::Message {
                direction,
                protection,
                name: message_name(bytes),
                bytes,
            });
        }
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tracer({})", self.0.is_some())
    }
}
