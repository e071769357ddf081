//! Resumption in TLS 1.3: pre-shared keys and their binders (RFC 9846 §4.3.11).

use crate::config::Config;
use crate::crypto::suite::CipherSuite;
use crate::error::{Error, Result};
use crate::handshake::resume::{open_ticket, satisfy};
use crate::handshake::script::Wire;
use crate::handshake::transcript::Transcript;
use crate::keys::schedule13::{EarlySecret, PskSource};
use crate::messages::{ClientHello, PreSharedKeys};
use crate::session::state::{Session, SessionIdentity};
use crate::verify::peer::Peer;
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
        let presented = config.resumption.look_up(identity.identity);
        let Some(session) = open_ticket(wire, config, presented).await? else {
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
        if let Some(peer) = satisfy(wire, config, &session).await? {
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

/// Whether the session belongs here: in time, of this hash, and for this name.
fn fits(config: &Config, hello: &ClientHello<'_>, suite: CipherSuite, session: &Session) -> bool {
    let name = hello.extensions.server_name.map(str::to_ascii_lowercase);
    session.is_alive(config.environment.clock.now().as_secs())
        // RFC 9846 §4.3.11: the hash of the suite MUST be that of the session, whose secret is of no
        // other version.
        && session.suite.version() == suite.version()
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
