//! Tickets: sending them, and keeping those that were received (RFC 9846 §4.7.1).

use countersign_x509::Certificate as X509;

use crate::config::Config;
use crate::connection::established::{Continuation, Established};
use crate::error::{Error, Result};
use crate::handshake::script::Wire;
use crate::messages::{ExtensionBlock, NewSessionTicket};
use crate::session::client_cache::ClientSession;
use crate::session::state::{Session, SessionIdentity, SessionPeer};
use crate::session::tickets::LONGEST_LIFETIME;
use crate::verify::mode::VerifyMode;

/// How many tickets are sent: as many as configured after a full handshake or an authentication,
/// one after a resumption or when the owner wants one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    Authenticated,
    Resumed,
    Wanted,
}

/// Sends new tickets to a client that can use them.
///
/// Each carries the client's identity as it is now. It never outlives the client's certificate.
pub(crate) fn send_tickets(
    wire: &Wire,
    config: &Config,
    after: &Continuation,
    identity: &SessionIdentity,
    occasion: Occasion,
) -> Result<()> {
    let wanted = match occasion {
        Occasion::Authenticated => config.resumption.tickets,
        Occasion::Resumed => config.resumption.tickets.min(1),
        Occasion::Wanted => 1,
    };
    if !after.wants_tickets {
        return Ok(());
    }
    let now = config.environment.clock.now().as_secs();
    let lifetime = config.resumption.lifetime.min(validity_left(identity, now));
    if lifetime == 0 {
        return Ok(());
    }
    for _ in 0..wanted {
        send_ticket(wire, config, after, (identity, now, lifetime))?;
    }
    Ok(())
}

fn send_ticket(
    wire: &Wire,
    config: &Config,
    after: &Continuation,
    (identity, issued, lifetime): (&SessionIdentity, u64, u32),
) -> Result<()> {
    let nonce = wire.count_ticket().to_be_bytes();
    let mut age_add = [0; 4];
    config
        .environment
        .random
        .fill(&mut age_add)
        .map_err(|_| Error::RandomFailed)?;
    let session = Session {
        suite: after.suite,
        psk: after.resumption.ticket_psk(&nonce)?,
        issued,
        lifetime,
        age_add: u32::from_be_bytes(age_add),
        server_name: after.server_name.clone(),
        identity: identity.clone(),
    };
    let Some(ticket) = config.resumption.seal(&session, &config.environment)? else {
        return Ok(());
    };
    wire.send_untracked(&NewSessionTicket {
        lifetime,
        age_add: session.age_add,
        nonce: &nonce,
        ticket: &ticket,
        max_early_data_size: None,
        all: ExtensionBlock::default(),
    })
}

/// For how many seconds the peer's certificate is still valid.
fn validity_left(identity: &SessionIdentity, now: u64) -> u32 {
    let Some(leaf) = identity.peer.as_ref().and_then(|peer| peer.chain.leaf()) else {
        return LONGEST_LIFETIME;
    };
    let Ok(leaf) = X509::parse(leaf) else {
        return 0;
    };
    let end = u64::try_from(leaf.not_after().unix_seconds()).unwrap_or_default();
    u32::try_from(end.saturating_sub(now)).unwrap_or(u32::MAX)
}

/// Keeps a ticket that a server sent.
pub(crate) fn keep_ticket(
    config: &Config,
    (mode, established): (VerifyMode, &Established),
    ticket: &NewSessionTicket<'_>,
) -> Result<()> {
    // RFC 9846 §4.7.1: a lifetime of zero means that the ticket is to be discarded at once, and none is
    // to be kept for longer than seven days.
    let lifetime = ticket.lifetime.min(LONGEST_LIFETIME);
    let after = &established.after;
    let Some(server) = &after.server else {
        return Ok(());
    };
    if lifetime == 0 || !config.resumption.is_wanted() {
        return Ok(());
    }
    let session = Session {
        suite: after.suite,
        psk: after.resumption.ticket_psk(ticket.nonce)?,
        issued: config.environment.clock.now().as_secs(),
        lifetime,
        age_add: ticket.age_add,
        server_name: after.server_name.clone(),
        identity: SessionIdentity {
            mode,
            asked: true,
            peer: established.peer.as_ref().map(SessionPeer::of),
        },
    };
    let own = established
        .shown
        .as_ref()
        .map(|shown| shown.certificate.clone());
    config.resumption.sessions.insert(
        server,
        ClientSession {
            origin: established.origin.clone(),
            ticket: ticket.ticket.to_vec(),
            session,
            own,
        },
    );
    Ok(())
}
