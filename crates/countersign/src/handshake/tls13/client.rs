//! The client's handshake (RFC 9846 §2, figure 1).

use std::sync::Arc;

use pki_types::ServerName;

use crate::config::Config;
use crate::connection::established::{
    AfterTls13, Agreed, Continuation, Established, ProtocolVersion,
};
use crate::connection::state::State;
use crate::crypto::group::{NamedGroup, SharedSecret};
use crate::crypto::signature::SignatureScheme;
use crate::crypto::suite::CipherSuite;
use crate::error::Result;
use crate::handshake::authenticate::{Expectation, Identity, Shown};
use crate::handshake::hello;
use crate::handshake::offer::Offer;
use crate::handshake::resume::{self, Offered};
use crate::handshake::script::Wire;
use crate::handshake::tls13::authenticate;
use crate::handshake::tls13::schedule::{HandshakeSecrets, SecretLog, resumption_secret};
use crate::handshake::tls13::{LEGACY_VERSION, VERSION};
use crate::handshake::transcript::Transcript;
use crate::keys::installed::TrafficKeys;
use crate::keys::schedule13::EarlySecret;
use crate::messages::{
    CertificateRequest, EncryptedExtensions, ExtensionSet, HelloRetryRequest, MessageType,
    ServerHello, ServerHelloOrRetry, message_type, read_message,
};
use crate::session::client_cache::Origin;
use crate::verify::mode::Role;
use crate::verify::peer::{Peer, Since};
use crate::violation::Violation;

/// A handshake whose ClientHello has been sent.
pub(crate) struct Attempt {
    pub(crate) server: ServerName<'static>,
    pub(crate) offer: Offer,
    /// Up to the ClientHello.
    pub(crate) transcript: Transcript,
}

/// Connects: from the server's first answer, a whole message, to both Finished.
pub(crate) async fn connect(
    wire: Wire,
    config: Arc<Config>,
    attempt: Attempt,
    message: Vec<u8>,
) -> Result<Established> {
    let Attempt {
        server: name,
        mut offer,
        mut transcript,
    } = attempt;
    wire.settle_version(ProtocolVersion::Tls13);
    let chosen = receive_server_hello(&wire, &mut transcript, &config, &mut offer, message).await?; // HelloRetryRequest inside
    let (early, resumed) = chosen.early(&mut offer)?;
    let log = SecretLog {
        config: &config,
        client_random: &offer.random,
    };
    let secrets = HandshakeSecrets::after_server_hello(early, &chosen.shared, &transcript, &log)?;
    install_handshake_keys(&wire, &chosen, &secrets)?;

    let alpn = receive_encrypted_extensions(&wire, &mut transcript, &config, &offer).await?;
    let server = match resumed {
        None => receive_server_identity(&wire, &mut transcript, &config, &name).await?,
        Some(resumed) => Server::resumed(&wire, &config, resumed)?,
    };
    authenticate::receive_finished(&wire, &mut transcript, &secrets.server).await?;

    let (application, handshake) = secrets.after_server_finished(&transcript, &log)?;
    wire.install_read_keys(TrafficKeys::of_application(
        chosen.suite,
        application.server,
    )?);
    let shown =
        send_own_identity(&wire, &mut transcript, &config, server.request.as_deref()).await?;
    authenticate::send_finished(&wire, &mut transcript, &handshake)?;
    wire.install_write_keys(TrafficKeys::of_application(
        chosen.suite,
        application.client,
    )?);
    let after = AfterTls13 {
        suite: chosen.suite,
        resumption: resumption_secret(&application.master, &transcript)?,
        transcript: config.post_handshake_auth.then_some(transcript),
        wants_tickets: false,
        server_name: offer.server_name.clone(),
        server: Some(name),
    };
    let agreed = chosen.agreed(&config, (&server, shown.as_ref()), alpn, offer.server_name);
    Ok(Established {
        agreed,
        peer: server.peer,
        shown,
        asked: true,
        origin: Origin::default(),
        exporter: application.exporter,
        after: Continuation::Tls13(Arc::new(after)),
    })
}

fn send_client_hello(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    offer: &mut Offer,
) -> Result<()> {
    let message = offer.encode(config, transcript)?;
    transcript.add(&message);
    wire.send_whole(&message);
    Ok(())
}

/// What the server chose.
struct Chosen {
    suite: CipherSuite,
    group: NamedGroup,
    shared: SharedSecret,
    retried: bool,
    /// The session that was offered is resumed.
    resumes: bool,
}

impl Chosen {
    /// What the two ends agreed on.
    fn agreed(
        &self,
        config: &Config,
        (server, shown): (&Server, Option<&Shown>),
        alpn: Option<Vec<u8>>,
        server_name: Option<String>,
    ) -> Agreed {
        Agreed {
            version: ProtocolVersion::Tls13,
            suite: self.suite,
            group: Some(self.group),
            finite_field: None,
            peer_signature: server.scheme,
            own_signature: shown.map(|shown| shown.scheme),
            alpn,
            server_name,
            retried: self.retried,
            certificate_requested: server.request.is_some(),
            not_requested_because: None,
            resumed: self.resumes,
            post_handshake_auth: config.post_handshake_auth,
            extended_master_secret: false,
            secure_renegotiation: false,
        }
    }

    /// The first stage of the key schedule, and the session that it comes from.
    fn early(&self, offer: &mut Offer) -> Result<(EarlySecret, Option<Offered>)> {
        let hash = self.suite.hash();
        match offer.session.take().filter(|_| self.resumes) {
            None => Ok((EarlySecret::without_psk(hash), None)),
            Some(offered) => Ok((EarlySecret::new(hash, &offered.session.psk)?, Some(offered))),
        }
    }
}

/// Takes in the ServerHello, after answering one HelloRetryRequest if there is one.
async fn receive_server_hello(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    offer: &mut Offer,
    mut message: Vec<u8>,
) -> Result<Chosen> {
    let mut first_suite = None;
    if let ServerHelloOrRetry::HelloRetryRequest(request) = read_message(&message)? {
        let suite = check_retry(config, offer, &request)?;
        transcript.replace_by_message_hash(suite.hash());
        transcript.add(&message);
        offer.retry(&request)?;
        offer.keep_session_of(suite);
        // RFC 9846 §E.4: before the second ClientHello, if there is one.
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
    let resumes = check_resumption(offer, suite, &hello)?;
    transcript.start_hash(suite.hash());
    transcript.add(&message);
    Ok(Chosen {
        suite,
        group,
        shared,
        retried: first_suite.is_some(),
        resumes,
    })
}

/// Whether the server resumes the session that was offered.
fn check_resumption(offer: &Offer, suite: CipherSuite, hello: &ServerHello<'_>) -> Result<bool> {
    match (hello.selected_identity, &offer.session) {
        (None, _) => Ok(false),
        // RFC 9846 §4.3.11: the identity MUST be one that was offered, and the suite of its hash.
        (Some(0), Some(offered)) if !offered.is_of(ProtocolVersion::Tls13) => {
            Err(Violation::PskNotOffered.into())
        }
        (Some(0), Some(offered)) if offered.session.suite.hash() == suite.hash() => Ok(true),
        (Some(0), Some(_)) => Err(Violation::PskSuiteMismatch.into()),
        (Some(_), _) => Err(Violation::PskNotOffered.into()),
    }
}

/// Checks the fields that ServerHello and HelloRetryRequest share, and returns the suite.
fn check_choice(config: &Config, offer: &Offer, choice: &Choice<'_>) -> Result<CipherSuite> {
    hello::check_legacy_version(config, choice.legacy_version)?;
    match choice.version {
        // RFC 9846 §4.3.1: the version MUST have been offered.
        Some(version) if version != VERSION || !offer.versions.tls13 => {
            return Err(Violation::VersionNotOffered.into());
        }
        None => {
            let theirs = core::iter::once(choice.legacy_version);
            return Err(hello::no_common_version(config, theirs));
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
    let suite = CipherSuite::from_u16(choice.suite)
        .filter(|suite| config.suites.contains(suite))
        .filter(|suite| suite.version() == ProtocolVersion::Tls13);
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

/// Who the server is, and whether it wants to know who we are.
struct Server {
    peer: Option<Peer>,
    scheme: Option<SignatureScheme>,
    /// The CertificateRequest, a whole message.
    request: Option<Vec<u8>>,
}

impl Server {
    /// The one that made the session.
    fn resumed(wire: &Wire, config: &Config, session: Offered) -> Result<Self> {
        resume::refuse_or_resume(wire, config, session.peer.as_ref())?;
        Ok(Self {
            peer: session.peer,
            scheme: None,
            request: None,
        })
    }
}

/// Takes in the CertificateRequest, if there is one, and the server's identity.
async fn receive_server_identity(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    name: &ServerName<'static>,
) -> Result<Server> {
    let mut message = wire.receive(State::AwaitingServerCertificate).await;
    let mut request = None;
    if message_type(&message)? == MessageType::CertificateRequest {
        check_certificate_request(&message)?;
        transcript.add(&message);
        request = Some(message);
        message = wire.receive(State::AwaitingServerCertificate).await;
    }
    let server_name = name.to_str();
    let expectation = Expectation {
        whose: Role::Server,
        names: config.names_of_server(name),
        context: &[],
        solicited: ExtensionSet::default(),
        since: Since::Handshake,
        server_name: Some(&server_name),
    };
    let identity =
        authenticate::receive_identity(wire, config, transcript, expectation, &message).await?;
    let Identity { peer, scheme } = identity.ok_or(Violation::EmptyServerCertificate)?;
    Ok(Server {
        peer: Some(peer),
        scheme: Some(scheme),
        request,
    })
}

fn check_certificate_request(message: &[u8]) -> Result<()> {
    let request: CertificateRequest<'_> = read_message(message)?;
    // RFC 9846 §4.4.2: in the handshake the context SHALL be zero length.
    if !request.context.is_empty() {
        return Err(Violation::RequestContextNotEmpty.into());
    }
    // RFC 9846 §4.4.2: signature_algorithms MUST be specified.
    if request.signature_algorithms.is_none() {
        return Err(Violation::MissingSignatureAlgorithms.into());
    }
    Ok(())
}

/// Answers the request, if there was one.
async fn send_own_identity(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    request: Option<&[u8]>,
) -> Result<Option<Shown>> {
    let Some(message) = request else {
        return Ok(None);
    };
    let request: CertificateRequest<'_> = read_message(message)?;
    authenticate::answer_request(wire, config, transcript, &request, Since::Handshake).await
}
