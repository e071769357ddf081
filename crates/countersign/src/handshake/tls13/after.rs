//! What may come after the handshake: KeyUpdate, NewSessionTicket, and authentication (RFC 9846 §4.7).

use std::sync::Arc;

use crate::config::Config;
use crate::connection::established::AfterTls13;
use crate::connection::state::State;
use crate::error::{Error, Result};
use crate::handshake::authenticate::{Identity, Shown};
use crate::handshake::resume;
use crate::handshake::script::Wire;
use crate::handshake::tls13::{authenticate, server, tickets};
use crate::messages::{
    CertificateRequest, KeyUpdate, MessageType, NewSessionTicket, message_type, read_message,
};
use crate::session::state::{SessionIdentity, SessionPeer};
use crate::verify::mode::Role;
use crate::verify::peer::Since;
use crate::violation::Violation;

/// The length of the context of a request, which ties its answer to it.
const CONTEXT_LEN: usize = 32;

/// What a message after the handshake asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AfterHandshake<'m> {
    /// The peer's next record is under its next key; whether we are to change ours too.
    KeyUpdate(KeyUpdate),
    /// Something to resume with.
    Ticket(NewSessionTicket<'m>),
    /// The server wants to know who we are.
    CertificateRequest,
}

/// Reads a message that came after the handshake.
pub(crate) fn read_after_handshake(role: Role, message: &[u8]) -> Result<AfterHandshake<'_>> {
    match (message_type(message)?, role) {
        (MessageType::KeyUpdate, _) => read_message(message).map(AfterHandshake::KeyUpdate),
        (MessageType::NewSessionTicket, Role::Client) => {
            read_message(message).map(AfterHandshake::Ticket)
        }
        (MessageType::CertificateRequest, Role::Client) => Ok(AfterHandshake::CertificateRequest),
        _ => Err(Violation::UnexpectedMessage.into()),
    }
}

/// Server: asks the client who it is, and takes in the answer (RFC 9846 §4.7.2). `None` if
/// the client has no certificate and that is acceptable.
pub(crate) async fn authenticate_client(
    wire: Wire,
    config: Arc<Config>,
    after: Arc<AfterTls13>,
) -> Result<Option<Identity>> {
    let mut transcript = after
        .transcript
        .clone()
        .ok_or(Error::Internal("the client cannot be asked"))?;
    let mut context = [0; CONTEXT_LEN];
    config
        .environment
        .random
        .fill(&mut context)
        .map_err(|_| Error::RandomFailed)?;
    server::send_certificate_request(&wire, &mut transcript, &config, &context)?;

    let message = wire.receive(State::AwaitingAuthentication).await;
    let name = after.server_name.as_deref();
    let expectation = resume::expectation_of_client(&config, Since::PostHandshake, name, &context);
    let identity =
        authenticate::receive_identity(&wire, &config, &mut transcript, expectation, &message)
            .await?;
    // RFC 9846 §4.5.4: the Finished is keyed by the traffic secret of this moment.
    let secret = wire.read_secret()?;
    authenticate::receive_finished(&wire, &mut transcript, &secret).await?;

    let peer = identity
        .as_ref()
        .map(|identity| SessionPeer::of(&identity.peer));
    let session = SessionIdentity {
        mode: wire.settings().mode,
        asked: true,
        peer,
    };
    tickets::send_tickets(
        &wire,
        &config,
        &after,
        &session,
        tickets::Occasion::Authenticated,
    )?;
    Ok(identity)
}

/// Client: tells the server who we are, or that we have no certificate. `request` is the
/// CertificateRequest, a whole message.
pub(crate) async fn answer_request(
    wire: Wire,
    config: Arc<Config>,
    after: Arc<AfterTls13>,
    request: Vec<u8>,
) -> Result<Option<Shown>> {
    // RFC 9846 §4.7.2: a client that did not offer it MUST answer with unexpected_message.
    let mut transcript = after
        .transcript
        .clone()
        .ok_or(Violation::UnexpectedPostHandshakeRequest)?;
    let message: CertificateRequest<'_> = read_message(&request)?;
    // RFC 9846 §4.4.2: signature_algorithms MUST be specified.
    if message.signature_algorithms.is_none() {
        return Err(Violation::MissingSignatureAlgorithms.into());
    }
    transcript.add(&request);
    let shown = authenticate::answer_request(
        &wire,
        &config,
        &mut transcript,
        &message,
        Since::PostHandshake,
    )
    .await?;
    // RFC 9846 §4.5.4: the Finished is keyed by the traffic secret of this moment.
    let secret = wire.write_secret()?;
    authenticate::send_finished(&wire, &mut transcript, &secret)?;
    Ok(shown)
}
