//! What one process keeps from one connection to the next.

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use countersign::{
    ClientSessions, Clock, Lookup, MemoryStore, SessionId, SessionStore, TicketKeyring,
};
use pki_types::UnixTime;

/// What one process keeps from one connection to the next.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    pub(crate) sessions: ClientSessions,
    pub(crate) keyring: TicketKeyring,
    pub(crate) store: Arc<CountingStore>,
    pub(crate) clock: ShiftedClock,
}

/// A session store that says how many sessions it was given.
pub(crate) struct CountingStore {
    sessions: MemoryStore,
    given: AtomicUsize,
}

impl Default for CountingStore {
    fn default() -> Self {
        Self {
            sessions: MemoryStore::new(16),
            given: AtomicUsize::new(0),
        }
    }
}

impl CountingStore {
    pub(crate) fn given(&self) -> usize {
        self.given.load(Ordering::Relaxed)
    }
}

impl SessionStore for CountingStore {
    fn insert(&self, id: SessionId, session: Vec<u8>, lifetime: Duration) {
        self.given.fetch_add(1, Ordering::Relaxed);
        self.sessions.insert(id, session, lifetime);
    }

    fn take(&self, id: &SessionId) -> Lookup {
        self.sessions.take(id)
    }
}

/// A clock that can be put forward.
#[derive(Clone, Default)]
pub(crate) struct ShiftedClock(Arc<AtomicU64>);

impl ShiftedClock {
    pub(crate) fn put_forward(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> UnixTime {
        let seconds = UnixTime::now().as_secs();
        let shift = self.0.load(Ordering::Relaxed);
        UnixTime::since_unix_epoch(Duration::from_secs(seconds.saturating_add(shift)))
    }
}
