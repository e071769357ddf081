//! Resumption: which session a client offers, and whether a server takes it.
//!
//! A session that does not satisfy this connection is passed over, and the handshake is a full
//! one: never an error, never a way around authentication.

use std::sync::Arc;

use pki_types::{CertificateDer, ServerName};

use crate::alert::Alert;
use crate::config::Config;
use crate::connection::established::ProtocolVersion;
use crate::crypto::suite::CipherSuite;
use crate::error::{Error, Rejection, Result};
use crate::handshake::authenticate::{Expectation, reverify_identity};
use crate::handshake::script::Wire;
use crate::messages::ExtensionSet;
use crate::session::client_cache::{ClientSession, Handle};
use crate::session::state::Session;
use crate::session::tickets::Presented as PresentedTicket;
use crate::verify::judgement::judge;
use crate::verify::mode::Role;
use crate::verify::peer::{Peer, Since, Standing};
use crate::verify::policy::{self, AfterFailure, Past, Resume, SuiteKind};
use crate::verify::question::{AnswerBody, Inquiry};
use crate::verify::verifier::{Presented, Verification};

/// Finds out what a ticket or a session id stands for. Whatever cannot be read is passed over.
pub(crate) async fn open_ticket(
    wire: &Wire,
    config: &Config,
    presented: PresentedTicket,
) -> Result<Option<Session>> {
    let sealed = match presented {
        PresentedTicket::Sealed(sealed) => Some(sealed),
        PresentedTicket::Unknown => None,
        PresentedTicket::Ask(id) => match wire.ask(Inquiry::Session(id)).await {
            AnswerBody::Session(stored) => stored,
            _ => return Err(Error::Internal("a question got the answer to another one")),
        },
    };
    let now = config.environment.clock.now().as_secs();
    Ok(sealed.and_then(|sealed| config.resumption.open(&sealed, now)))
}

/// The identity with which the session satisfies the mode of now: `None` if it does not, `Some(None)` if it
/// does without one.
///
/// The session is of the name that the client asks for.
pub(crate) async fn satisfy(
    wire: &Wire,
    config: &Config,
    session: &Session,
) -> Result<Option<Option<Peer>>> {
    let known = session.identity.peer.as_ref();
    let past = Past {
        version: session.suite.version(),
        suite: SuiteKind::of(session.suite),
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
            let name = session.server_name.as_deref();
            let expectation = expectation_of_client(config, Since::Resumption, name, &[]);
            let peer = reverify_identity(wire, config, &expectation, &known.chain).await?;
            Ok(peer.map(Some))
        }
        (Resume::AsItWas | Resume::IfVerified, known) => {
            let trust = config.verifier.trust_store();
            Ok(Some(known.map(|known| known.reuse(Role::Client, trust))))
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
    pub(crate) handle: Handle,
    pub(crate) session: Session,
    /// The certificate that this side showed.
    pub(crate) own: Option<CertificateDer<'static>>,
    /// Who the server will be if it resumes.
    pub(crate) peer: Option<Peer>,
}

impl Offered {
    /// Whether the session is of this version.
    pub(crate) fn is_of(&self, version: ProtocolVersion) -> bool {
        self.session.suite.version() == version
    }
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
        if !is_usable(config, &candidate) {
            continue;
        }
        if let Candidate::Usable(peer) = identity_of_server(wire, config, name, &candidate) {
            return Some(Offered {
                handle: candidate.handle,
                session: candidate.session,
                own: candidate.own,
                peer,
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
        && is_suite_offered(config, session.suite)
        && own_is_current
}

/// Whether a session of this suite can be resumed with what is offered: in TLS 1.3 another suite of the same hash
/// will do (RFC 9846 §4.3.11), in TLS 1.2 it has to be the same (RFC 5246 §7.4.1.3).
fn is_suite_offered(config: &Config, suite: CipherSuite) -> bool {
    let mut offered = config.suites.iter();
    match suite.version() {
        ProtocolVersion::Tls12 => offered.any(|offered| *offered == suite),
        ProtocolVersion::Tls13 => offered
            .any(|offered| offered.version() == suite.version() && offered.hash() == suite.hash()),
    }
}

/// Whether a session is offered.
enum Candidate {
    Useless,
    /// Yes; then this is who the server will be, if anybody.
    Usable(Option<Peer>),
}

/// Who the server will be if the session is resumed: verified again, or as it was. A verifier that
/// needs time is not waited for.
fn identity_of_server(
    wire: &Wire,
    config: &Config,
    name: &ServerName<'static>,
    candidate: &ClientSession,
) -> Candidate {
    let Some(known) = candidate.session.identity.peer.as_ref() else {
        // Under an anonymous suite there is nobody to verify, and resuming changes nothing about that.
        return if candidate.session.suite.is_anonymous() {
            Candidate::Usable(None)
        } else {
            Candidate::Useless
        };
    };
    if policy::resume_on_client(config.resumption.policy) == Resume::AsItWas {
        let trust = config.verifier.trust_store();
        return Candidate::Usable(Some(known.reuse(Role::Server, trust)));
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
        return Candidate::Useless;
    };
    let judgement = judge(verdict, &presented, settings.callback.as_deref(), epoch);
    wire.note(judgement.traced(Role::Server));
    let goes_on = policy::after_failure(settings.mode, Role::Client) == AfterFailure::GoOn;
    if judgement.accepted || goes_on {
        Candidate::Usable(Some(
            judgement.into_peer(known.chain.clone(), Since::Resumption),
        ))
    } else {
        Candidate::Useless
    }
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
