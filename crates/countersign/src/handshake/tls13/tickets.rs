//! Tickets: sending them, and keeping those that were received (RFC 9846 §4.7.1).

use crate::config::Config;
use crate::connection::established::{AfterTls13, Established};
use crate::error::{Error, Result};
use crate::handshake::script::Wire;
use crate::messages::{ExtensionBlock, NewSessionTicket};
use crate::session::client_cache::{ClientSession, Handle};
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
    after: &AfterTls13,
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
    let lifetime = config.resumption.lifetime.min(identity.validity_left(now));
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
    after: &AfterTls13,
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
    if config.resumption.store.is_some() {
        wire.note_stored(&ticket);
    }
    wire.send_untracked(&NewSessionTicket {
        lifetime,
        age_add: session.age_add,
        nonce: &nonce,
        ticket: &ticket,
        max_early_data_size: None,
        all: ExtensionBlock::default(),
    })
}

/// Keeps a ticket that a server sent.
pub(crate) fn keep_ticket(
    config: &Config,
    (mode, established, after): (VerifyMode, &Established, &AfterTls13),
    ticket: &NewSessionTicket<'_>,
) -> Result<()> {
    // RFC 9846 §4.7.1: a lifetime of zero means that the ticket is to be discarded at once, and none is
    // to be kept for longer than seven days.
    let lifetime = ticket.lifetime.min(LONGEST_LIFETIME);
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
            handle: Handle::Ticket(ticket.ticket.to_vec()),
            session,
            own,
        },
    );
    Ok(())
}
