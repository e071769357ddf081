//! The client's handshake (RFC 9846 §2, figure 1).

use std::sync::Arc;

use countersign_x509::ExpectedName;
use pki_types::ServerName;

use crate::config::{Config, PeerNames};
use crate::connection::established::{Agreed, Established, ProtocolVersion};
use crate::connection::state::State;
use crate::crypto::group::{NamedGroup, SharedSecret};
use crate::crypto::signature::SignatureScheme;
use crate::crypto::suite::CipherSuite;
use crate::error::Result;
use crate::handshake::hello;
use crate::handshake::script::Wire;
use crate::handshake::tls13::authenticate::{self, Expectation, Identity};
use crate::handshake::tls13::offer::Offer;
use crate::handshake::tls13::schedule::{HandshakeSecrets, SecretLog};
use crate::handshake::tls13::{LEGACY_VERSION, VERSION};
use crate::handshake::transcript::Transcript;
use crate::keys::installed::TrafficKeys;
use crate::messages::{
    CertificateRequest, EncryptedExtensions, ExtensionSet, HelloRetryRequest, MessageType,
    ServerHello, ServerHelloOrRetry, message_type, read_message,
};
use crate::verify::mode::Role;
use crate::verify::peer::Since;
use crate::violation::Violation;

/// Connects: from the ClientHello to both Finished.
pub(crate) async fn connect(
    wire: Wire,
    config: Arc<Config>,
    name: ServerName<'static>,
) -> Result<Established> {
    let mut transcript = Transcript::new();
    let mut offer = Offer::new(&config, &name)?;
    send_client_hello(&wire, &mut transcript, &config, &mut offer)?;
    let chosen = receive_server_hello(&wire, &mut transcript, &config, &mut offer).await?; // HelloRetryRequest inside
    let log = SecretLog {
        config: &config,
        client_random: &offer.random,
    };
    let secrets =
        HandshakeSecrets::after_server_hello(chosen.suite, &chosen.shared, &transcript, &log)?;
    install_handshake_keys(&wire, &chosen, &secrets)?;

    let alpn = receive_encrypted_extensions(&wire, &mut transcript, &config, &offer).await?;
    let (message, request) = receive_certificate_request(&wire, &mut transcript).await?;
    let server =
        receive_server_identity(&wire, &mut transcript, &config, (&name, &message)).await?;
    authenticate::receive_finished(&wire, &mut transcript, &secrets.server).await?;

    let (application, handshake) = secrets.after_server_finished(&transcript, &log)?;
    wire.install_read_keys(TrafficKeys::of_application(
        chosen.suite,
        application.server,
    )?);
    let own_signature = send_own_identity(&wire, &mut transcript, &config, request.as_deref())?;
    authenticate::send_finished(&wire, &mut transcript, &handshake)?;
    wire.install_write_keys(TrafficKeys::of_application(
        chosen.suite,
        application.client,
    )?);
    let agreed = Agreed {
        version: ProtocolVersion::Tls13,
        suite: chosen.suite,
        group: chosen.group,
        peer_signature: Some(server.scheme),
        own_signature,
        alpn,
        server_name: offer.server_name,
        retried: chosen.retried,
        certificate_requested: request.is_some(),
        not_requested_because: None,
    };
    Ok(Established {
        agreed,
        peer: Some(server.peer),
        exporter: application.exporter,
    })
}

fn send_client_hello(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    offer: &mut Offer,
) -> Result<()> {
    let message = offer.encode(config)?;
    wire.send_encoded(transcript, &message);
    Ok(())
}

/// What the server chose.
struct Chosen {
    suite: CipherSuite,
    group: NamedGroup,
    shared: SharedSecret,
    retried: bool,
}

/// Takes in the ServerHello, after answering one HelloRetryRequest if there is one.
async fn receive_server_hello(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    offer: &mut Offer,
) -> Result<Chosen> {
    let mut message = wire.receive(State::AwaitingServerHello).await;
    let mut first_suite = None;
    if let ServerHelloOrRetry::HelloRetryRequest(request) = read_message(&message)? {
        let suite = check_retry(config, offer, &request)?;
        transcript.replace_by_message_hash(suite.hash());
        transcript.add(&message);
        offer.retry(&request)?;
        // RFC 9846 §D.4: before the second ClientHello, if there is one.
        wire.send_change_cipher_spec();
        send_client_hello(wire, transcript, config, offer)?;
        first_suite = Some(suite);
        message = wire.receive(State::AwaitingSecondServerHello).await;
    }
    // A second HelloRetryRequest does not read as a ServerHello.
    let hello: ServerHello<'_> = read_message(&message)?;
    let suite = check_server_hello(config, offer, &hello)?;
    // RFC 9846 §4.2.4: the suite MUST be the one of the HelloRetryRequest.
    if first_suite.is_some_and(|first| first != suite) {
        return Err(Violation::SuiteChanged.into());
    }
    let theirs = hello.key_share.ok_or(Violation::MissingKeyShare)?;
    // RFC 9846 §4.3.8: the share MUST be in a group of which the client sent one.
    let group = NamedGroup::from_u16(theirs.group).ok_or(Violation::ServerShareNotOffered)?;
    let shared = offer.agree(group, theirs.key_exchange)?;
    transcript.start_hash(suite.hash());
    transcript.add(&message);
    Ok(Chosen {
        suite,
        group,
        shared,
        retried: first_suite.is_some(),
    })
}

/// Checks the fields that ServerHello and HelloRetryRequest share, and returns the suite.
fn check_choice(config: &Config, offer: &Offer, choice: &Choice<'_>) -> Result<CipherSuite> {
    match choice.version {
        // RFC 9846 §4.3.1: the version MUST have been offered.
        Some(version) if version != VERSION => return Err(Violation::VersionNotOffered.into()),
        None => {
            return Err(hello::no_common_version(core::iter::once(
                choice.legacy_version,
            )));
        }
        Some(_) => {}
    }
    // RFC 9846 §4.2.3: a TLS 1.3 ServerHello says 0x0303, echoes the session id and compresses nothing.
    if choice.legacy_version != LEGACY_VERSION {
        return Err(Violation::VersionNotOffered.into());
    }
    if choice.session_id != offer.session_id {
        return Err(Violation::SessionIdNotEchoed.into());
    }
    if choice.compression != 0 {
        return Err(Violation::CompressionChosen.into());
    }
    // RFC 9846 §4.2.3: a suite that was not offered MUST be answered with illegal_parameter.
    let suite = CipherSuite::from_u16(choice.suite).filter(|suite| config.suites.contains(suite));
    suite.ok_or_else(|| Violation::SuiteNotOffered.into())
}

/// What the server's first answer chooses, in either form.
struct Choice<'a> {
    version: Option<u16>,
    legacy_version: u16,
    session_id: &'a [u8],
    suite: u16,
    compression: u8,
}

fn check_server_hello(
    config: &Config,
    offer: &Offer,
    hello: &ServerHello<'_>,
) -> Result<CipherSuite> {
    let suite = check_choice(
        config,
        offer,
        &Choice {
            version: hello.selected_version,
            legacy_version: hello.legacy_version,
            session_id: hello.session_id,
            suite: hello.cipher_suite,
            compression: hello.compression_method,
        },
    )?;
    hello.check_solicited(offer.solicited)?;
    Ok(suite)
}

fn check_retry(
    config: &Config,
    offer: &Offer,
    request: &HelloRetryRequest<'_>,
) -> Result<CipherSuite> {
    let suite = check_choice(
        config,
        offer,
        &Choice {
            version: request.selected_version,
            legacy_version: request.legacy_version,
            session_id: request.session_id,
            suite: request.cipher_suite,
            compression: request.compression_method,
        },
    )?;
    request.check_solicited(offer.solicited)?;
    // RFC 9846 §4.2.4: one that would not change the ClientHello MUST be answered with illegal_parameter.
    if request.selected_group.is_none() && request.cookie.is_none() {
        return Err(Violation::NeedlessRetry.into());
    }
    Ok(suite)
}

fn install_handshake_keys(wire: &Wire, chosen: &Chosen, secrets: &HandshakeSecrets) -> Result<()> {
    wire.install_read_keys(TrafficKeys::of_handshake(chosen.suite, &secrets.server)?);
    if !chosen.retried {
        wire.send_change_cipher_spec();
    }
    wire.install_write_keys(TrafficKeys::of_handshake(chosen.suite, &secrets.client)?);
    Ok(())
}

/// Returns the application protocol.
async fn receive_encrypted_extensions(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    offer: &Offer,
) -> Result<Option<Vec<u8>>> {
    let message = wire.receive(State::AwaitingEncryptedExtensions).await;
    let extensions: EncryptedExtensions<'_> = read_message(&message)?;
    extensions.check_solicited(offer.solicited)?;
    let alpn = match extensions.alpn {
        None => None,
        Some(protocol) if config.alpn.iter().any(|ours| ours == protocol.0) => {
            Some(protocol.0.to_vec())
        }
        Some(_) => return Err(Violation::AlpnNotOffered.into()),
    };
    transcript.add(&message);
    Ok(alpn)
}

/// Takes in the CertificateRequest, if there is one, and returns the message after it too.
async fn receive_certificate_request(
    wire: &Wire,
    transcript: &mut Transcript,
) -> Result<(Vec<u8>, Option<Vec<u8>>)> {
    let message = wire.receive(State::AwaitingServerCertificate).await;
    if message_type(&message)? != MessageType::CertificateRequest {
        return Ok((message, None));
    }
    let request: CertificateRequest<'_> = read_message(&message)?;
    // RFC 9846 §4.4.2: in the handshake the context SHALL be zero length.
    if !request.context.is_empty() {
        return Err(Violation::RequestContextNotEmpty.into());
    }
    // RFC 9846 §4.4.2: signature_algorithms MUST be specified.
    if request.signature_algorithms.is_none() {
        return Err(Violation::MissingSignatureAlgorithms.into());
    }
    transcript.add(&message);
    let certificate = wire.receive(State::AwaitingServerCertificate).await;
    Ok((certificate, Some(message)))
}

async fn receive_server_identity(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    (name, certificate): (&ServerName<'static>, &[u8]),
) -> Result<Identity> {
    let names = match &config.names {
        PeerNames::ServerName => vec![ExpectedName::from(name.clone())],
        PeerNames::OneOf(names) => names.clone(),
        PeerNames::Unchecked => Vec::new(),
    };
    let expectation = Expectation {
        whose: Role::Server,
        names,
        context: &[],
        solicited: ExtensionSet::default(),
        since: Since::Handshake,
    };
    let identity =
        authenticate::receive_identity(wire, config, transcript, expectation, certificate).await?;
    identity.ok_or_else(|| Violation::EmptyServerCertificate.into())
}

/// Answers the request, if there was one: with the first credential that the server can
/// verify, or with none. The names of its authorities are advice: whether our
/// certificate is good enough is the server's to say.
fn send_own_identity(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    request: Option<&[u8]>,
) -> Result<Option<SignatureScheme>> {
    let Some(message) = request else {
        return Ok(None);
    };
    let request: CertificateRequest<'_> = read_message(message)?;
    let schemes = request.signature_algorithms.unwrap_or_default();
    let Some((credential, scheme)) = hello::choose_credential(config, schemes) else {
        authenticate::send_no_identity(wire, transcript, request.context)?;
        return Ok(None);
    };
    authenticate::send_identity(
        wire,
        transcript,
        Role::Client,
        request.context,
        (credential, scheme),
    )?;
    Ok(Some(scheme))
}
