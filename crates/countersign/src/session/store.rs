//! [`SessionStore`]: where a server keeps sessions that are not in the tickets themselves.

use core::fmt;
use core::time::Duration;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// The name of a stored session: random bytes, which are the whole ticket.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionId(Vec<u8>);

impl SessionId {
    /// A name as a client presents it. It may be anything.
    pub(crate) fn from_ticket(ticket: &[u8]) -> Self {
        Self(ticket.to_vec())
    }

    /// The bytes, for use as a key. A client chose them: they may be of any length.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SessionId {
    /// Only that it is one: who knows it can delete the session.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({} bytes)", self.0.len())
    }
}

/// What a store answers when asked for a session.
#[derive(Debug)]
#[non_exhaustive]
pub enum Lookup {
    /// The session as it was stored.
    Found(Vec<u8>),
    /// There is none of that name, or no longer.
    Missing,
    /// The answer takes time: the connection asks for it with
    /// [`Question::Session`](crate::Question::Session) and waits.
    Later,
}

/// Keeps sessions on the server: in memory, or in a service that several machines share.
///
/// What is stored is sealed with the [`TicketKeyring`](crate::TicketKeyring): the store sees neither keys nor
/// certificates, and cannot make sessions up. A session that is taken is gone, so that each is used once.
///
/// A store that has to wait answers [`Lookup::Later`], and one that has to wait for writing
/// does that behind the caller's back: a session that is not there yet means a full handshake.
pub trait SessionStore: Send + Sync {
    /// Keeps a session for at most `lifetime`.
    fn insert(&self, id: SessionId, session: Vec<u8>, lifetime: Duration);

    /// Takes a session out: two calls with one name must not both find it.
    fn take(&self, id: &SessionId) -> Lookup;

    /// Forgets a session, if it is still there: its connection ended with a fatal alert (RFC 5246 §7.2.2, RFC 9846
    /// §6.2). By default it is taken out, which a store that answers [`Lookup::Later`] has to replace: nobody waits for
    /// that answer.
    fn remove(&self, id: &SessionId) {
        drop(self.take(id));
    }
}

impl<S: SessionStore + ?Sized> SessionStore for Arc<S> {
    fn insert(&self, id: SessionId, session: Vec<u8>, lifetime: Duration) {
        (**self).insert(id, session, lifetime);
    }

    fn take(&self, id: &SessionId) -> Lookup {
        (**self).take(id)
    }

    fn remove(&self, id: &SessionId) {
        (**self).remove(id);
    }
}

/// A [`SessionStore`] in memory, of a bounded number of sessions. The oldest makes room.
pub struct MemoryStore {
    capacity: usize,
    content: Mutex<Content>,
}

#[derive(Default)]
struct Content {
    /// Each with the number of its arrival.
    sessions: HashMap<SessionId, (u64, Vec<u8>)>,
    /// What is in `sessions`, in the order of arrival.
    arrivals: BTreeMap<u64, SessionId>,
    /// How many have arrived so far.
    arrived: u64,
}

impl Content {
    fn insert(&mut self, id: SessionId, session: Vec<u8>) {
        // A session of TLS 1.2 comes back under its name.
        drop(self.take(&id));
        self.arrived = self.arrived.saturating_add(1);
        self.arrivals.insert(self.arrived, id.clone());
        self.sessions.insert(id, (self.arrived, session));
    }

    fn take(&mut self, id: &SessionId) -> Option<Vec<u8>> {
        let (arrival, session) = self.sessions.remove(id)?;
        self.arrivals.remove(&arrival);
        Some(session)
    }

    fn remove_oldest(&mut self) {
        if let Some((_, oldest)) = self.arrivals.pop_first() {
            self.sessions.remove(&oldest);
        }
    }
}

impl MemoryStore {
    /// A store for `capacity` sessions, at least one.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            content: Mutex::default(),
        }
    }
}

impl SessionStore for MemoryStore {
    /// The lifetime is inside the session and is checked when it is used.
    fn insert(&self, id: SessionId, session: Vec<u8>, _lifetime: Duration) {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        content.insert(id, session);
        if content.sessions.len() > self.capacity {
            content.remove_oldest();
        }
    }

    fn take(&self, id: &SessionId) -> Lookup {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        content.take(id).map_or(Lookup::Missing, Lookup::Found)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryStore(at most {})", self.capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> SessionId {
        SessionId::from_ticket(&[number; 32])
    }

    fn insert(store: &MemoryStore, number: u8) {
        store.insert(id(number), vec![number], Duration::from_secs(60));
    }

    #[test]
    fn a_session_is_found_once() {
        let store = MemoryStore::new(10);
        insert(&store, 1);
        assert!(matches!(store.take(&id(1)), Lookup::Found(session) if session == [1]));
        assert!(matches!(store.take(&id(1)), Lookup::Missing));
    }

    #[test]
    fn sessions_that_come_and_go_make_nobody_leave() {
        let store = MemoryStore::new(3);
        insert(&store, 1);
        for number in 2..100 {
            // That of TLS 1.2 comes back under its name, that of TLS 1.3 under a new one.
            for name in [0, number] {
                insert(&store, name);
                assert!(matches!(store.take(&id(name)), Lookup::Found(_)));
            }
            assert_eq!(store.content.lock().unwrap().arrivals.len(), 1);
        }
        assert!(matches!(store.take(&id(1)), Lookup::Found(_)));
    }

    #[test]
    fn a_session_that_came_back_is_as_young_as_its_return() {
        let store = MemoryStore::new(2);
        insert(&store, 1);
        insert(&store, 2);
        insert(&store, 1);
        insert(&store, 3);
        assert!(matches!(store.take(&id(2)), Lookup::Missing));
        assert!(matches!(store.take(&id(1)), Lookup::Found(_)));
    }

    #[test]
    fn the_oldest_makes_room() {
        let store = MemoryStore::new(3);
        for number in 0..100 {
            insert(&store, number);
            let content = store.content.lock().unwrap();
            assert!(content.sessions.len() <= 3);
            assert_eq!(content.arrivals.len(), content.sessions.len());
        }
        assert!(matches!(store.take(&id(96)), Lookup::Missing));
        assert!(matches!(store.take(&id(99)), Lookup::Found(_)));
    }
}
