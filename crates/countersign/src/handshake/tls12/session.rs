//! What TLS 1.2 is resumed with: session ids (RFC 5246 §7.4.1.2) and tickets (RFC 5077). Both hold
//! what those of TLS 1.3 hold, and nothing without the extended master secret is resumed (RFC 7627 §5.3).

use pki_types::ServerName;

use crate::config::Config;
use crate::connection::established::ProtocolVersion;
use crate::crypto::suite::CipherSuite;
use crate::error::{Error, Result};
use crate::handshake::resume::{open_ticket, satisfy};
use crate::handshake::script::Wire;
use crate::handshake::tls12::Derivation;
use crate::handshake::transcript::Transcript;
use crate::keys::schedule12::MasterSecret;
use crate::messages::ClientHello;
use crate::messages::tls12::NewSessionTicket;
use crate::session::client_cache::{ClientSession, Handle};
use crate::session::state::{Session, SessionIdentity};
use crate::session::tickets::{LONGEST_LIFETIME, Presented};
use crate::verify::mode::{Role, VerifyMode};
use crate::verify::peer::Peer;
use crate::verify::policy;
use crate::violation::Violation;

/// How long a client keeps a session for which the server named no lifetime, in seconds: a day
/// (RFC 5246 §F.1.4).
const UNNAMED_LIFETIME: u32 = 86_400;

/// The length of a session id that this server makes.
const SESSION_ID_LEN: usize = 32;

/// What a server does for a client that wants to come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// Nothing.
    Nothing,
    /// It sends a ticket.
    InTicket,
    /// It keeps the session in its store, under this session id.
    InStore(Vec<u8>),
}

impl Keeping {
    /// Decides for a full handshake.
    pub(crate) fn decide(
        config: &Config,
        hello: &ClientHello<'_>,
        derivation: Derivation,
    ) -> Result<Self> {
        let resumption = &config.resumption;
        if derivation != Derivation::Extended || !resumption.is_wanted() || resumption.tickets == 0
        {
            return Ok(Self::Nothing);
        }
        if resumption.store.is_none() {
            return Ok(match hello.extensions.session_ticket {
                Some(_) => Self::InTicket,
                None => Self::Nothing,
            });
        }
        let mut id = vec![0; SESSION_ID_LEN];
        let random = &config.environment.random;
        random.fill(&mut id).map_err(|_| Error::RandomFailed)?;
        Ok(Self::InStore(id))
    }

    /// The session id that the ServerHello names.
    pub(crate) fn session_id(&self) -> &[u8] {
        match self {
            Self::InStore(id) => id,
            Self::Nothing | Self::InTicket => &[],
        }
    }
}

/// A session that a server resumes.
pub(crate) struct Resumed {
    pub(crate) session: Session,
    /// Who the client is, verified again if the policy says so.
    pub(crate) peer: Option<Peer>,
    /// Under which id it goes back into the store, if it came from there.
    pub(crate) stored_as: Option<Vec<u8>>,
}

/// Server: takes the session that the client offers, if it satisfies this connection.
pub(crate) async fn accept_session(
    wire: &Wire,
    config: &Config,
    hello: &ClientHello<'_>,
) -> Result<Option<Resumed>> {
    let (presented, stored_as) = match &config.resumption.store {
        None => match hello.extensions.session_ticket {
            None | Some([]) => return Ok(None),
            Some(ticket) => (Presented::Sealed(ticket.to_vec()), None),
        },
        Some(_) if hello.session_id.is_empty() => return Ok(None),
        Some(_) => {
            let id = hello.session_id;
            (config.resumption.look_up(id), Some(id.to_vec()))
        }
    };
    let Some(session) = open_ticket(wire, config, presented).await? else {
        return Ok(None);
    };
    if !fits(config, wire.settings().mode, hello, &session) {
        return Ok(None);
    }
    // RFC 7627 §5.3: a client that had the extended master secret and offers it no more MUST be refused.
    if !hello.extensions.extended_master_secret {
        return Err(Violation::ExtendedMasterSecretLost.into());
    }
    Ok(satisfy(wire, config, &session).await?.map(|peer| Resumed {
        session,
        peer,
        stored_as,
    }))
}

/// Whether the session belongs here: in time, of a suite that both ends still have, and for this name.
fn fits(config: &Config, mode: VerifyMode, hello: &ClientHello<'_>, session: &Session) -> bool {
    let name = hello.extensions.server_name.map(str::to_ascii_lowercase);
    let suite = session.suite;
    session.is_alive(config.environment.clock.now().as_secs())
        // What was made in TLS 1.3 holds a secret of another kind.
        && suite.version() == ProtocolVersion::Tls12
        && config.suites.contains(&suite)
        // RFC 5246 §7.4.1.2: the ClientHello MUST name the suite of the session.
        && hello.cipher_suites.contains(&suite.to_u16())
        && (!suite.is_anonymous() || policy::takes_anonymous_suites(mode, Role::Server))
        // RFC 6066 §3: a session of another name MUST NOT be resumed.
        && session.server_name == name
}

/// A new session of this connection.
pub(crate) fn new_session(
    config: &Config,
    suite: CipherSuite,
    master: &MasterSecret,
    (server_name, identity): (Option<String>, SessionIdentity),
    lifetime: u32,
) -> Session {
    Session {
        suite,
        psk: master.for_session(),
        issued: config.environment.clock.now().as_secs(),
        lifetime,
        age_add: 0,
        server_name,
        identity,
    }
}

/// Server: for how many seconds a session with this identity may be resumed: never longer than the client's
/// certificate is valid.
pub(crate) fn lifetime(config: &Config, identity: &SessionIdentity) -> u32 {
    let now = config.environment.clock.now().as_secs();
    let left = identity.validity_left(now);
    config.resumption.lifetime.min(left)
}

/// Server: keeps the session as it was announced. A ticket that was announced is sent, also if it has to be empty
/// (RFC 5077 §3.3).
pub(crate) fn keep_session(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    keeping: &Keeping,
    session: &Session,
) -> Result<()> {
    match keeping {
        Keeping::Nothing => Ok(()),
        Keeping::InStore(_) if session.lifetime == 0 => Ok(()),
        Keeping::InStore(id) => {
            wire.note_stored(id);
            config.resumption.store_as(id, session, &config.environment)
        }
        Keeping::InTicket => {
            let ticket = match session.lifetime {
                0 => None,
                _ => config
                    .resumption
                    .seal_ticket(session, &config.environment)?,
            };
            wire.send(
                transcript,
                &NewSessionTicket {
                    lifetime: session.lifetime,
                    ticket: ticket.as_deref().unwrap_or_default(),
                },
            )
        }
    }
}

/// Client: how the server lets this session be found again, if it does.
pub(crate) fn handle_of(
    ticket: Option<&NewSessionTicket<'_>>,
    session_id: &[u8],
) -> Option<(Handle, u32)> {
    match ticket {
        Some(ticket) if !ticket.ticket.is_empty() => {
            let lifetime = match ticket.lifetime {
                0 => UNNAMED_LIFETIME,
                hint => hint.min(LONGEST_LIFETIME),
            };
            Some((Handle::Ticket(ticket.ticket.to_vec()), lifetime))
        }
        _ if session_id.is_empty() => None,
        _ => Some((Handle::SessionId(session_id.to_vec()), UNNAMED_LIFETIME)),
    }
}

/// Client: remembers a session, for the next connection to this server.
pub(crate) fn remember(config: &Config, server: &ServerName<'static>, session: ClientSession) {
    if config.resumption.is_wanted() {
        config.resumption.sessions.insert(server, session);
    }
}
