//! What a connection takes from outside: the time, random bytes, and where keys are logged.

use core::fmt;
use std::sync::Arc;

use pki_types::UnixTime;

use crate::connection::trace::Trace;
use crate::crypto::random::{Random, SystemRandom};

/// Tells the time. The engine asks it once for each certificate that it verifies.
pub trait Clock: Send + Sync {
    /// The present time, in seconds since 1970.
    fn now(&self) -> UnixTime;
}

/// The clock of the operating system. The only place where the engine reads it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        UnixTime::now()
    }
}

/// Receives the secrets of each connection, in the words of the `SSLKEYLOGFILE` format
/// (RFC 9850), so that a trace can be decrypted.
///
/// Whoever holds these secrets reads the traffic. Nothing is logged unless a configuration
/// is given a `KeyLog`; the library itself never looks at the environment.
pub trait KeyLog: Send + Sync {
    /// Takes one secret: its label, as `CLIENT_TRAFFIC_SECRET_0`, and the ClientHello's random
    /// value that says which connection it belongs to.
    fn log(&self, label: &str, client_random: &[u8; 32], secret: &[u8]);
}

/// The outside of a configuration.
#[derive(Clone)]
pub(crate) struct Environment {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) key_log: Option<Arc<dyn KeyLog>>,
    pub(crate) trace: Option<Arc<dyn Trace>>,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            key_log: None,
            trace: None,
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("key_log", &self.key_log.is_some())
            .field("trace", &self.trace.is_some())
            .finish_non_exhaustive()
    }
}
