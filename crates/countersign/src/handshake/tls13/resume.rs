//! Resumption: which session a client offers, and whether a server takes it (RFC 9846 §4.3.11).
//!
//! A session that does not satisfy this connection is passed over, and the handshake is a full
//! one: never an error, never a way around authentication.

use std::sync::Arc;

use pki_types::ServerName;

use crate::alert::Alert;
use crate::config::Config;
use crate::crypto::suite::CipherSuite;
use crate::error::{Error, Rejection, Result};
use crate::handshake::script::Wire;
use crate::handshake::tls13::authenticate::{self, Expectation};
use crate::handshake::transcript::Transcript;
use crate::keys::schedule13::{EarlySecret, PskSource};
use crate::messages::{ClientHello, ExtensionSet, PreSharedKeys};
use crate::session::client_cache::ClientSession;
use crate::session::state::{Session, SessionIdentity};
use crate::session::tickets::Presented as PresentedTicket;
use crate::verify::judgement::judge;
use crate::verify::mode::Role;
use crate::verify::peer::{Peer, Since, Standing};
use crate::verify::policy::{self, AfterFailure, Past, Resume};
use crate::verify::question::{AnswerBody, Inquiry};
use crate::verify::verifier::{Presented, Verification};
use crate::violation::Violation;

/// The mode of `psk_key_exchange_modes` in which a key exchange takes place as well: the only
/// one that is used here (RFC 9846 §4.3.9).
pub(crate) const PSK_DHE_KE: u8 = 1;

/// How many of the offered sessions a server looks at: opening a ticket costs.
const SESSIONS_TRIED: usize = 4;

/// A session that is resumed.
pub(crate) struct Resumed {
    /// Which of those offered.
    pub(crate) index: u16,
    pub(crate) early: EarlySecret,
    /// What new tickets are to say.
    pub(crate) identity: SessionIdentity,
    pub(crate) peer: Option<Peer>,
}

/// Server: takes one of the sessions that the client offers, if one satisfies this connection.
///
/// `transcript` holds what was sent before `hello`, whose bytes are `message`.
pub(crate) async fn accept_session(
    wire: &Wire,
    config: &Config,
    transcript: &Transcript,
    (hello, message): (&ClientHello<'_>, &[u8]),
    suite: CipherSuite,
) -> Result<Option<Resumed>> {
    let Some(offered) = hello.extensions.pre_shared_key else {
        return Ok(None);
    };
    if !hello
        .extensions
        .psk_key_exchange_modes
        .unwrap_or_default()
        .contains(&PSK_DHE_KE)
    {
        return Ok(None);
    }
    let candidates = offered.identities.iter().zip(offered.binders.iter());
    for (index, (identity, binder)) in (0..).zip(candidates.take(SESSIONS_TRIED)) {
        let Some(session) = open_ticket(wire, config, identity.identity).await? else {
            continue;
        };
        if !fits(config, hello, suite, &session) {
            continue;
        }
        let early = EarlySecret::new(suite.hash(), &session.psk)?;
        let truncated = truncate(message, &offered)?;
        let hash = transcript.hash_with(suite.hash(), truncated);
        // RFC 9846 §4.3.11: the binder MUST be verified before the session is used.
        if !early
            .binder_key(PskSource::Resumption)?
            .is_bound(&hash, binder.0)?
        {
            return Err(Violation::BadPskBinder.into());
        }
        if let Some(peer) = satisfy(wire, config, hello, &session).await? {
            return Ok(Some(Resumed {
                index,
                early,
                identity: session.identity,
                peer,
            }));
        }
    }
    Ok(None)
}

/// Finds out what a ticket stands for. Whatever cannot be read is passed over.
async fn open_ticket(wire: &Wire, config: &Config, ticket: &[u8]) -> Result<Option<Session>> {
    let resumption = &config.resumption;
    let sealed = match resumption.look_up(ticket) {
        PresentedTicket::Sealed(sealed) => Some(sealed),
        PresentedTicket::Unknown => None,
        PresentedTicket::Ask(id) => match wire.ask(Inquiry::Session(id)).await {
            AnswerBody::Session(stored) => stored,
            _ => return Err(Error::Internal("a question got the answer to another one")),
        },
    };
    let now = config.environment.clock.now().as_secs();
    Ok(sealed.and_then(|sealed| resumption.open(&sealed, now)))
}

/// Whether the session belongs here: in time, of this hash, and for this name.
fn fits(config: &Config, hello: &ClientHello<'_>, suite: CipherSuite, session: &Session) -> bool {
    let name = hello.extensions.server_name.map(str::to_ascii_lowercase);
    session.is_alive(config.environment.clock.now().as_secs())
        // RFC 9846 §4.3.11: the hash of the suite MUST be that of the session.
        && session.suite.hash() == suite.hash()
        // A session of one name is worth nothing under another, where other clients may be welcome.
        && session.server_name == name
}

/// The ClientHello without its binders, which they authenticate (RFC 9846 §4.3.11.2).
fn truncate<'m>(message: &'m [u8], offered: &PreSharedKeys<'_>) -> Result<&'m [u8]> {
    let length = message.len().checked_sub(offered.binders_len());
    length
        .and_then(|length| message.get(..length))
        .ok_or_else(|| Violation::MalformedMessage.into())
}

/// The identity with which the session satisfies the mode of now: `None` if it does not, `Some(None)` if it
/// does without one.
async fn satisfy(
    wire: &Wire,
    config: &Config,
    hello: &ClientHello<'_>,
    session: &Session,
) -> Result<Option<Option<Peer>>> {
    let known = session.identity.peer.as_ref();
    let past = Past {
        asked: session.identity.asked,
        has_identity: known.is_some(),
    };
    let mode = wire.settings().mode;
    let has_context = !config.resumption.context.is_empty();
    match (
        policy::resume_on_server(config.resumption.policy, mode, past, has_context),
        known,
    ) {
        (Resume::No, _) => Ok(None),
        (Resume::IfVerified, Some(known)) => {
            let name = hello.extensions.server_name.map(str::to_ascii_lowercase);
            let expectation =
                expectation_of_client(config, Since::Resumption, name.as_deref(), &[]);
            let peer =
                authenticate::reverify_identity(wire, config, &expectation, &known.chain).await?;
            Ok(peer.map(Some))
        }
        (Resume::AsItWas | Resume::IfVerified, known) => {
            Ok(Some(known.map(|known| known.reuse(Role::Client))))
        }
    }
}

/// What a server measures a client by.
pub(crate) fn expectation_of_client<'a>(
    config: &Config,
    since: Since,
    server_name: Option<&'a str>,
    context: &'a [u8],
) -> Expectation<'a> {
    Expectation {
        whose: Role::Client,
        names: config.names_of_client(),
        context,
        solicited: ExtensionSet::default(),
        since,
        server_name,
    }
}

/// A session that a client offers.
#[derive(Debug)]
pub(crate) struct Offered {
    pub(crate) ticket: Vec<u8>,
    pub(crate) session: Session,
    /// Who the server will be if it resumes.
    pub(crate) peer: Option<Peer>,
}

/// Client: the newest session of this server that satisfies this connection.
pub(crate) fn session_to_offer(
    wire: &Wire,
    config: &Config,
    name: &ServerName<'static>,
) -> Option<Offered> {
    if policy::resume_on_client(config.resumption.policy) == Resume::No {
        return None;
    }
    while let Some(candidate) = config.resumption.sessions.take(name) {
        let usable = is_usable(config, &candidate);
        if let Some(peer) = usable
            .then(|| identity_of_server(wire, config, name, &candidate))
            .flatten()
        {
            let ClientSession {
                ticket, session, ..
            } = candidate;
            return Some(Offered {
                ticket,
                session,
                peer: Some(peer),
            });
        }
    }
    None
}

/// Whether the session is in time, of a suite that is offered, and made with a certificate that
/// this configuration would show too.
fn is_usable(config: &Config, candidate: &ClientSession) -> bool {
    let session = &candidate.session;
    let own_is_current = candidate.own.as_ref().is_none_or(|own| {
        config.ask_for_credential
            || config
                .credentials
                .iter()
                .any(|credential| credential.certificates().first() == Some(own))
    });
    session.is_alive(config.environment.clock.now().as_secs())
        && config
            .suites
            .iter()
            .any(|suite| suite.hash() == session.suite.hash())
        && own_is_current
}

/// Who the server will be if the session is resumed: verified again, or as it was. A verifier that
/// needs time is not waited for.
fn identity_of_server(
    wire: &Wire,
    config: &Config,
    name: &ServerName<'static>,
    candidate: &ClientSession,
) -> Option<Peer> {
    let known = candidate.session.identity.peer.as_ref()?;
    if policy::resume_on_client(config.resumption.policy) == Resume::AsItWas {
        return Some(known.reuse(Role::Server));
    }
    let settings = wire.settings();
    let names = config.names_of_server(name);
    let server_name = name.to_str();
    let presented = Presented {
        chain: known.chain.certificates(),
        whose: Role::Server,
        names: &names,
        time: config.environment.clock.now(),
        depth: settings.depth,
        security_level: config.security_level,
        since: Since::Resumption,
        server_name: Some(&server_name),
    };
    let epoch = config.verifier.epoch();
    let Verification::Now(verdict) = config.verifier.verify(&presented) else {
        return None;
    };
    let judgement = judge(verdict, &presented, settings.callback.as_deref(), epoch);
    wire.note(judgement.traced(Role::Server));
    let goes_on = policy::after_failure(settings.mode, Role::Client) == AfterFailure::GoOn;
    (judgement.accepted || goes_on)
        .then(|| judgement.into_peer(known.chain.clone(), Since::Resumption))
}

/// Client: refuses the server that resumes if the mode of this moment does. The session was offered
/// under the mode of that moment, which may have been changed since.
pub(crate) fn refuse_or_resume(wire: &Wire, config: &Config, peer: Option<&Peer>) -> Result<()> {
    let as_it_was = policy::resume_on_client(config.resumption.policy) == Resume::AsItWas;
    let mode = wire.settings().mode;
    let goes_on = policy::after_failure(mode, Role::Client) == AfterFailure::GoOn;
    match peer {
        Some(peer) if peer.standing == Standing::Refused && !as_it_was && !goes_on => {
            let rejection = Rejection {
                whose: Role::Server,
                chain: peer.chain.clone(),
                report: Arc::clone(&peer.report),
                code: peer.code,
                because: None,
            };
            Err(Error::PeerRejected {
                rejection: Arc::new(rejection),
                alert: Alert::from(peer.code.alert()),
            })
        }
        _ => Ok(()),
    }
}

/// Binds an encoded ClientHello, whose last bytes are an empty binder, to the session's secret.
pub(crate) fn bind(
    transcript: &Transcript,
    session: &Session,
    message: &mut [u8],
    binders_len: usize,
) -> Result<()> {
    const TOO_SHORT: Error = Error::Internal("a ClientHello is shorter than its binders");
    let hash = session.suite.hash();
    let cut = message.len().checked_sub(binders_len).ok_or(TOO_SHORT)?;
    let (truncated, binders) = message.split_at_mut_checked(cut).ok_or(TOO_SHORT)?;
    let digest = transcript.hash_with(hash, truncated);
    let binder = EarlySecret::new(hash, &session.psk)?
        .binder_key(PskSource::Resumption)?
        .binder(&digest)?;
    // A list of two length bytes, and one binder of one length byte.
    let place = binders.get_mut(3..).ok_or(TOO_SHORT)?;
    if place.len() != binder.as_ref().len() {
        return Err(TOO_SHORT);
    }
    place.copy_from_slice(binder.as_ref());
    Ok(())
}
