//! How sessions are handed out and taken back: in the ticket itself, or in a store.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::config::environment::Environment;
use crate::error::{Error, Result};
use crate::session::ResumePolicy;
use crate::session::client_cache::ClientSessions;
use crate::session::keyring::TicketKeyring;
use crate::session::state::Session;
use crate::session::store::{SessionId, SessionStore};

/// RFC 9846 §4.7.1: servers MUST NOT use a lifetime greater than 604,800 seconds, seven days.
pub(crate) const LONGEST_LIFETIME: u32 = 604_800;

/// The largest session that goes into a ticket, in bytes. With a longer chain a server
/// needs a store.
const LARGEST_IN_TICKET: usize = 16 * 1024;

/// How a configuration resumes.
#[derive(Clone)]
pub(crate) struct Resumption {
    pub(crate) policy: ResumePolicy,
    /// Client: where tickets are kept.
    pub(crate) sessions: ClientSessions,
    /// Server: seals tickets and stored sessions.
    pub(crate) keyring: TicketKeyring,
    /// Server: where sessions are kept, if not in the tickets.
    pub(crate) store: Option<Arc<dyn SessionStore>>,
    /// Server: how long a ticket lives, in seconds.
    pub(crate) lifetime: u32,
    /// Server: how many tickets a full handshake or an authentication is followed by.
    pub(crate) tickets: u8,
    /// Server: keeps sessions of other purposes apart.
    pub(crate) context: Vec<u8>,
}

impl Default for Resumption {
    fn default() -> Self {
        Self {
            policy: ResumePolicy::default(),
            sessions: ClientSessions::default(),
            keyring: TicketKeyring::default(),
            store: None,
            lifetime: 7200,
            tickets: 2,
            context: Vec::new(),
        }
    }
}

/// What a ticket presented by a client turns out to be.
pub(crate) enum Presented {
    /// Something sealed, in the ticket or found in the store.
    Sealed(Vec<u8>),
    /// Nothing.
    Unknown,
    /// The store has to be asked.
    Ask(SessionId),
}

impl Resumption {
    /// Whether sessions are offered, accepted and kept at all.
    pub(crate) fn is_wanted(&self) -> bool {
        self.policy != ResumePolicy::Never
    }

    /// Turns a session into a ticket: the session itself, or the name under which it is stored. `None` if it is too
    /// large for a ticket.
    pub(crate) fn seal(
        &self,
        session: &Session,
        environment: &Environment,
    ) -> Result<Option<Vec<u8>>> {
        if self.store.is_none() {
            return self.seal_ticket(session, environment);
        }
        let mut name = [0; 32];
        let random = &environment.random;
        random.fill(&mut name).map_err(|_| Error::RandomFailed)?;
        self.store_as(&name, session, environment)?;
        Ok(Some(name.to_vec()))
    }

    /// Seals a session into a ticket. `None` if it is too large for one.
    pub(crate) fn seal_ticket(
        &self,
        session: &Session,
        environment: &Environment,
    ) -> Result<Option<Vec<u8>>> {
        let content = session.encode()?;
        if content.len() > LARGEST_IN_TICKET {
            return Ok(None);
        }
        let label = self.bound_to(b"ticket");
        let random = &*environment.random;
        self.keyring
            .seal(&content, &label, random, session.issued)
            .map(Some)
    }

    /// Keeps a session in the store, if there is one, for as long as it lives.
    pub(crate) fn store_as(
        &self,
        name: &[u8],
        session: &Session,
        environment: &Environment,
    ) -> Result<()> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        let content = session.encode()?;
        let label = self.bound_to(b"stored");
        let random = &*environment.random;
        let now = environment.clock.now().as_secs();
        let sealed = self.keyring.seal(&content, &label, random, now)?;
        let age = now.saturating_sub(session.issued);
        let left = Duration::from_secs(u64::from(session.lifetime).saturating_sub(age));
        store.insert(SessionId::from_ticket(name), sealed, left);
        Ok(())
    }

    /// Finds what a ticket stands for.
    pub(crate) fn look_up(&self, ticket: &[u8]) -> Presented {
        use crate::session::store::Lookup;
        let Some(store) = &self.store else {
            return Presented::Sealed(ticket.to_vec());
        };
        let id = SessionId::from_ticket(ticket);
        match store.take(&id) {
            Lookup::Found(sealed) => Presented::Sealed(sealed),
            Lookup::Missing => Presented::Unknown,
            Lookup::Later => Presented::Ask(id),
        }
    }

    /// Opens what was sealed. `None` if it is not ours, was changed, or is of another purpose.
    pub(crate) fn open(&self, sealed: &[u8], now: u64) -> Option<Session> {
        let label: &[u8] = if self.store.is_some() {
            b"stored"
        } else {
            b"ticket"
        };
        let content: Zeroizing<Vec<u8>> = self.keyring.open(sealed, &self.bound_to(label), now)?;
        Session::decode(&content).ok()
    }

    /// What a sealed session is bound to: one that was stored is no ticket, and one of another
    /// context is nothing here.
    fn bound_to(&self, label: &[u8]) -> Vec<u8> {
        [
            b"countersign session 1 ",
            label,
            b" ",
            self.context.as_slice(),
        ]
        .concat()
    }
}

impl fmt::Debug for Resumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resumption")
            .field("policy", &self.policy)
            .field("lifetime", &self.lifetime)
            .field("tickets", &self.tickets)
            .field("stored", &self.store.is_some())
            .finish_non_exhaustive()
    }
}
