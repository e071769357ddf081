//! [`ClientSessions`]: where a client keeps what servers gave it to resume with.

use core::fmt;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use pki_types::{CertificateDer, ServerName};

use crate::session::state::Session;

/// How many tickets are kept for one server.
const TICKETS_PER_SERVER: usize = 4;

/// The connection that a ticket came on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin(Arc<()>);

/// By what the server finds the session again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Handle {
    /// A ticket, of either version.
    Ticket(Vec<u8>),
    /// The session id of TLS 1.2.
    SessionId(Vec<u8>),
}

/// A ticket with what it stands for.
#[derive(Debug)]
pub(crate) struct ClientSession {
    pub(crate) origin: Origin,
    pub(crate) handle: Handle,
    pub(crate) session: Session,
    /// The certificate that this side showed.
    pub(crate) own: Option<CertificateDer<'static>>,
}

/// The sessions of a client, by server, in memory. Clones share their content, so several
/// configurations can use one.
///
/// Each ticket is used once (RFC 9846 §C.4), the newest first. The least recently added
/// server makes room for a new one.
#[derive(Clone)]
pub struct ClientSessions {
    capacity: usize,
    shared: Arc<Mutex<VecDeque<Entry>>>,
}

struct Entry {
    server: ServerName<'static>,
    /// Newest last.
    sessions: VecDeque<ClientSession>,
}

impl ClientSessions {
    /// Room for the tickets of `servers` servers, at least one.
    pub fn new(servers: usize) -> Self {
        Self {
            capacity: servers.max(1),
            shared: Arc::default(),
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.shared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// How many tickets there are.
    pub fn len(&self) -> usize {
        let entries = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().map(|entry| entry.sessions.len()).sum()
    }

    /// Whether there is no ticket.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn insert(&self, server: &ServerName<'static>, session: ClientSession) {
        let mut entries = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let known = entries.iter().position(|entry| entry.server == *server);
        let mut entry = known
            .and_then(|position| entries.remove(position))
            .unwrap_or_else(|| Entry {
                server: server.clone(),
                sessions: VecDeque::new(),
            });
        entry.sessions.push_back(session);
        while entry.sessions.len() > TICKETS_PER_SERVER {
            entry.sessions.pop_front();
        }
        entries.push_back(entry);
        while entries.len() > self.capacity {
            entries.pop_front();
        }
    }

    /// Forgets what came on a connection that failed.
    pub(crate) fn forget(&self, server: &ServerName<'static>, origin: &Origin) {
        let mut entries = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.iter_mut().find(|entry| entry.server == *server) {
            entry
                .sessions
                .retain(|session| !Arc::ptr_eq(&session.origin.0, &origin.0));
        }
    }

    /// Takes the newest ticket for `server`.
    pub(crate) fn take(&self, server: &ServerName<'static>) -> Option<ClientSession> {
        let mut entries = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.iter_mut().find(|entry| entry.server == *server)?;
        entry.sessions.pop_back()
    }
}

impl Default for ClientSessions {
    /// Room for 256 servers.
    fn default() -> Self {
        Self::new(256)
    }
}

impl fmt::Debug for ClientSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientSessions({} tickets)", self.len())
    }
}
