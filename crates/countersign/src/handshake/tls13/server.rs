//! The server's handshake (RFC 9846 §2, figure 1).

use std::sync::Arc;

use crate::config::Config;
use crate::config::credential::Credential;
use crate::connection::established::{
    AfterTls13, Agreed, Continuation, Established, ProtocolVersion,
};
use crate::connection::state::State;
use crate::connection::trace::Traced;
use crate::crypto::group::{self, NamedGroup, SharedSecret};
use crate::crypto::signature::SignatureScheme;
use crate::crypto::suite::CipherSuite;
use crate::error::{Error, Result};
use crate::handshake::authenticate::Identity;
use crate::handshake::hello::{self, GroupChoice};
use crate::handshake::resume::expectation_of_client;
use crate::handshake::script::Wire;
use crate::handshake::tls13::authenticate;
use crate::handshake::tls13::resume::{self, PSK_DHE_KE, Resumed};
use crate::handshake::tls13::schedule::{HandshakeSecrets, SecretLog, resumption_secret};
use crate::handshake::tls13::tickets::{self, Occasion as TicketOccasion};
use crate::handshake::tls13::{LEGACY_VERSION, VERSION};
use crate::handshake::transcript::Transcript;
use crate::keys::installed::TrafficKeys;
use crate::keys::schedule13::{EarlySecret, ResumptionSecret};
use crate::messages::{
    CertificateRequest, ClientHello, EncryptedExtensions, ExtensionBlock, ExtensionsOfTls12,
    HelloRetryRequest, KeyShareEntry, List, ProtocolName, ServerHello, read_message,
};
use crate::session::client_cache::Origin;
use crate::session::state::{SessionIdentity, SessionPeer};
use crate::verify::mode::Role;
use crate::verify::peer::{Peer, Since};
use crate::verify::policy::{self, Moment, Occasion, Request, SuiteKind, Why};
use crate::violation::Violation;

/// Accepts: from the ClientHello, a whole message, to both Finished, and the tickets after them.
pub(crate) async fn serve(
    wire: Wire,
    config: Arc<Config>,
    message: Vec<u8>,
) -> Result<Established> {
    wire.settle_version(ProtocolVersion::Tls13);
    let mut transcript = Transcript::new();
    let received = receive_client_hello(&wire, &mut transcript, &config, message).await?; // HelloRetryRequest inside
    let hello: ClientHello<'_> = read_message(&received.message)?;
    let own = negotiate(&config, &hello)?;
    let offered = (&hello, received.message.as_slice());
    let suite = received.suite;
    let resumed = resume::accept_session(&wire, &config, &transcript, offered, suite).await?;
    transcript.add(&received.message);
    let log = SecretLog {
        config: &config,
        client_random: hello.random,
    };

    let shared = send_server_hello(
        &wire,
        &mut transcript,
        &config,
        (&hello, &received, resumed.as_ref()),
    )?;
    let (early, resumed) = split(resumed, suite);
    let secrets = HandshakeSecrets::after_server_hello(early, &shared, &transcript, &log)?;
    install_handshake_keys(&wire, (&hello, &received), &secrets)?;
    send_encrypted_extensions(&wire, &mut transcript, (&hello, &own), resumed.as_ref())?;
    let request = match resumed {
        Some(_) => Request::Omit(Why::Resumed),
        None => send_own_identity(&wire, &mut transcript, &config, &own).await?,
    };
    if let Request::Omit(why) = request {
        wire.note(Traced::RequestOmitted(why));
    }
    authenticate::send_finished(&wire, &mut transcript, &secrets.server)?;

    let (application, handshake) = secrets.after_server_finished(&transcript, &log)?;
    wire.install_write_keys(TrafficKeys::of_application(suite, application.server)?);
    let identity = match request {
        Request::Send => receive_client_identity(&wire, &mut transcript, &config, &hello).await?,
        Request::Omit(_) => None,
    };
    authenticate::receive_finished(&wire, &mut transcript, &handshake).await?;
    wire.install_read_keys(TrafficKeys::of_application(suite, application.client)?);

    let resumption = resumption_secret(&application.master, &transcript)?;
    let after = continuation(&config, (&hello, &received), resumption, transcript);
    let client = Client::of(identity, resumed, request);
    client.send_tickets(&wire, &config, &after)?;
    let agreed = client.agreed(&received, own, &after);
    Ok(Established {
        agreed,
        asked: client.was_asked(),
        peer: client.peer,
        shown: None,
        origin: Origin::default(),
        exporter: application.exporter,
        after: Continuation::Tls13(Arc::new(after)),
    })
}

/// The ClientHello that counts: the first, or the second if we asked for it.
struct Received {
    message: Vec<u8>,
    suite: CipherSuite,
    group: NamedGroup,
    retried: bool,
}

/// Takes in the ClientHello. If it holds no key share that we can use, asks for one
/// and takes in the second. The one that counts is not in the transcript yet.
async fn receive_client_hello(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    message: Vec<u8>,
) -> Result<Received> {
    let first: ClientHello<'_> = read_message(&message)?;
    check_client_hello(&first)?;
    let suite = hello::choose_suite(config, &first)?;
    transcript.start_hash(suite.hash());
    // RFC 9846 §4.3.10: early data that is not accepted is passed over.
    if first.extensions.early_data {
        wire.skip_early_data();
    }
    let wanted = match hello::choose_group(config, &first)? {
        GroupChoice::Shared(group) => {
            return Ok(Received {
                message,
                suite,
                group,
                retried: false,
            });
        }
        GroupChoice::Retry(group) => group,
    };
    transcript.add(&message);
    send_hello_retry_request(wire, transcript, (&first, suite, wanted))?;

    let second = wire.receive(State::AwaitingSecondClientHello).await;
    let hello: ClientHello<'_> = read_message(&second)?;
    check_client_hello(&hello)?;
    hello.check_retry_of(&first)?;
    check_retried_share(&hello, wanted)?;
    Ok(Received {
        message: second,
        suite,
        group: wanted,
        retried: true,
    })
}

/// Checks what a ClientHello must hold for which TLS 1.3 was chosen.
fn check_client_hello(hello: &ClientHello<'_>) -> Result<()> {
    let extensions = &hello.extensions;
    // RFC 9846 §4.2.2: exactly one byte, set to zero, or illegal_parameter.
    if hello.compression_methods != [0] {
        return Err(Violation::MissingNullCompression.into());
    }
    // RFC 9846 §4.3.9: a pre-shared key without psk_key_exchange_modes MUST be refused. No such key is
    // known here, so the rest of §9.2 holds as for a client that offers none.
    if extensions.pre_shared_key.is_some() && extensions.psk_key_exchange_modes.is_none() {
        return Err(Violation::MissingPskModes.into());
    }
    // RFC 9846 §9.2: all three, or missing_extension.
    if extensions.signature_algorithms.is_none() {
        return Err(Violation::MissingSignatureAlgorithms.into());
    }
    if extensions.supported_groups.is_none() {
        return Err(Violation::MissingSupportedGroups.into());
    }
    if extensions.key_share.is_none() {
        return Err(Violation::MissingKeyShare.into());
    }
    hello.check_key_shares()
}

/// RFC 9846 §4.2.2: the second ClientHello holds just the share that was asked for.
fn check_retried_share(hello: &ClientHello<'_>, wanted: NamedGroup) -> Result<()> {
    let mut shares = hello.extensions.key_share.unwrap_or_default().iter();
    match (shares.next(), shares.next()) {
        (Some(share), None) if share.group == wanted.to_u16() => Ok(()),
        _ => Err(Violation::RetryKeyShareMissing.into()),
    }
}

fn send_hello_retry_request(
    wire: &Wire,
    transcript: &mut Transcript,
    (hello, suite, wanted): (&ClientHello<'_>, CipherSuite, NamedGroup),
) -> Result<()> {
    transcript.replace_by_message_hash(suite.hash());
    wire.send(
        transcript,
        &HelloRetryRequest {
            legacy_version: LEGACY_VERSION,
            session_id: hello.session_id,
            cipher_suite: suite.to_u16(),
            compression_method: 0,
            selected_version: Some(VERSION),
            selected_group: Some(wanted.to_u16()),
            cookie: None,
            all: ExtensionBlock::default(),
        },
    )?;
    send_change_cipher_spec(wire, hello);
    Ok(())
}

/// RFC 9846 §E.4: only for a client that looks like TLS 1.2 to middleboxes.
fn send_change_cipher_spec(wire: &Wire, hello: &ClientHello<'_>) {
    if !hello.session_id.is_empty() {
        wire.send_change_cipher_spec();
    }
}

/// What we chose beside suite and group.
struct Own<'c> {
    alpn: Option<Vec<u8>>,
    credential: &'c Credential,
    scheme: SignatureScheme,
}

fn negotiate<'c>(config: &'c Config, hello: &ClientHello<'_>) -> Result<Own<'c>> {
    let alpn = hello::choose_protocol(config, hello)?;
    let wanted = hello::Wanted {
        version: ProtocolVersion::Tls13,
        schemes: hello.extensions.signature_algorithms.unwrap_or_default(),
        authorities: hello.extensions.certificate_authorities.unwrap_or_default(),
    };
    let (credential, scheme) = hello::choose_credential(config, wanted)
        .ok_or_else(|| hello::no_fitting_credential(config, &config.credentials, wanted))?;
    Ok(Own {
        alpn,
        credential,
        scheme,
    })
}

/// The first stage of the key schedule, and who the client was if it resumes.
fn split(
    resumed: Option<Resumed>,
    suite: CipherSuite,
) -> (EarlySecret, Option<(SessionIdentity, Option<Peer>)>) {
    match resumed {
        None => (EarlySecret::without_psk(suite.hash()), None),
        Some(resumed) => (resumed.early, Some((resumed.identity, resumed.peer))),
    }
}

fn send_server_hello(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    (hello, received, resumed): (&ClientHello<'_>, &Received, Option<&Resumed>),
) -> Result<SharedSecret> {
    let group = received.group;
    let mut shares = hello.extensions.key_share.unwrap_or_default().iter();
    let theirs = shares
        .find(|share| share.group == group.to_u16())
        .ok_or(Violation::MissingKeyShare)?;
    let (ours, secret) = group::respond(group, theirs.key_exchange)?;
    let mut random = [0; 32];
    config
        .environment
        .random
        .fill(&mut random)
        .map_err(|_| Error::RandomFailed)?;
    wire.send(
        transcript,
        &ServerHello {
            legacy_version: LEGACY_VERSION,
            random: &random,
            session_id: hello.session_id,
            cipher_suite: received.suite.to_u16(),
            compression_method: 0,
            selected_version: Some(VERSION),
            key_share: Some(KeyShareEntry {
                group: group.to_u16(),
                key_exchange: &ours,
            }),
            selected_identity: resumed.map(|resumed| resumed.index),
            tls12: ExtensionsOfTls12::default(),
            all: ExtensionBlock::default(),
        },
    )?;
    Ok(secret)
}

fn install_handshake_keys(
    wire: &Wire,
    (hello, received): (&ClientHello<'_>, &Received),
    secrets: &HandshakeSecrets,
) -> Result<()> {
    if !received.retried {
        send_change_cipher_spec(wire, hello);
    }
    wire.install_write_keys(TrafficKeys::of_handshake(received.suite, &secrets.server)?);
    wire.install_read_keys(TrafficKeys::of_handshake(received.suite, &secrets.client)?);
    Ok(())
}

fn send_encrypted_extensions(
    wire: &Wire,
    transcript: &mut Transcript,
    (hello, own): (&ClientHello<'_>, &Own<'_>),
    resumed: Option<&(SessionIdentity, Option<Peer>)>,
) -> Result<()> {
    wire.send(
        transcript,
        &EncryptedExtensions {
            // RFC 6066 §3: a server that uses the client's name for it SHALL say so, unless it
            // resumes a session.
            server_name: hello.extensions.server_name.is_some() && resumed.is_none(),
            alpn: own.alpn.as_deref().map(ProtocolName),
            ..EncryptedExtensions::default()
        },
    )
}

/// Asks the client who it is, if the mode says so, and says who we are.
async fn send_own_identity(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    own: &Own<'_>,
) -> Result<Request> {
    let occasion = Occasion {
        version: ProtocolVersion::Tls13,
        moment: Moment::FullHandshake,
        suite: SuiteKind::Certificates,
    };
    let request = wire
        .decide_certificate_request(|mode, sent| policy::certificate_request(mode, occasion, sent));
    if request == Request::Send {
        // RFC 9846 §4.4.2: in the handshake the context SHALL be zero length.
        send_certificate_request(wire, transcript, config, &[])?;
    }
    authenticate::send_identity(
        wire,
        transcript,
        Role::Server,
        &[],
        (own.credential, own.scheme),
    )
    .await?;
    Ok(request)
}

/// Asks the client for a certificate.
pub(crate) fn send_certificate_request(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    context: &[u8],
) -> Result<()> {
    let schemes = config.schemes_of(ProtocolVersion::Tls13);
    let schemes: Vec<u16> = schemes.map(SignatureScheme::to_u16).collect();
    let certificate_schemes = config.certificate_schemes.iter();
    let certificate_schemes: Vec<u16> = certificate_schemes.map(|scheme| scheme.to_u16()).collect();
    let authorities = config.authority_names();
    wire.send(
        transcript,
        &CertificateRequest {
            context,
            signature_algorithms: Some(List::from(schemes.as_slice())),
            signature_algorithms_cert: Some(List::from(certificate_schemes.as_slice())),
            certificate_authorities: Some(List::from(authorities.as_slice()))
                .filter(|list| !list.is_empty()),
            ..CertificateRequest::default()
        },
    )
}

async fn receive_client_identity(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    hello: &ClientHello<'_>,
) -> Result<Option<Identity>> {
    let message = wire.receive(State::AwaitingClientCertificate).await;
    let name = hello.extensions.server_name.map(str::to_ascii_lowercase);
    let expectation = expectation_of_client(config, Since::Handshake, name.as_deref(), &[]);
    authenticate::receive_identity(wire, config, transcript, expectation, &message).await
}

/// What the client's later authentications and resumptions build on.
fn continuation(
    config: &Config,
    (hello, received): (&ClientHello<'_>, &Received),
    resumption: ResumptionSecret,
    transcript: Transcript,
) -> AfterTls13 {
    let extensions = &hello.extensions;
    let can_resume = extensions
        .psk_key_exchange_modes
        .unwrap_or_default()
        .contains(&PSK_DHE_KE);
    AfterTls13 {
        suite: received.suite,
        resumption,
        transcript: extensions.post_handshake_auth.then_some(transcript),
        wants_tickets: can_resume && config.resumption.is_wanted(),
        server_name: extensions.server_name.map(str::to_ascii_lowercase),
        server: None,
    }
}

/// Who the client turned out to be.
struct Client {
    peer: Option<Peer>,
    scheme: Option<SignatureScheme>,
    request: Request,
    /// What the session says that was resumed.
    past: Option<SessionIdentity>,
}

impl Client {
    fn of(
        identity: Option<Identity>,
        resumed: Option<(SessionIdentity, Option<Peer>)>,
        request: Request,
    ) -> Self {
        match (identity, resumed) {
            (_, Some((past, peer))) => Self {
                peer,
                scheme: None,
                request,
                past: Some(past),
            },
            (Some(Identity { peer, scheme }), None) => Self {
                peer: Some(peer),
                scheme: Some(scheme),
                request,
                past: None,
            },
            (None, None) => Self {
                peer: None,
                scheme: None,
                request,
                past: None,
            },
        }
    }

    /// Whether it was asked for a certificate, now or before.
    fn was_asked(&self) -> bool {
        self.request == Request::Send || self.past.as_ref().is_some_and(|past| past.asked)
    }

    fn send_tickets(&self, wire: &Wire, config: &Config, after: &AfterTls13) -> Result<()> {
        let occasion = match &self.past {
            None => TicketOccasion::Authenticated,
            Some(_) => TicketOccasion::Resumed,
        };
        let identity = SessionIdentity {
            mode: wire.settings().mode,
            asked: self.was_asked(),
            peer: self.peer.as_ref().map(SessionPeer::of),
        };
        tickets::send_tickets(wire, config, after, &identity, occasion)
    }

    fn agreed(&self, received: &Received, own: Own<'_>, after: &AfterTls13) -> Agreed {
        Agreed {
            version: ProtocolVersion::Tls13,
            suite: received.suite,
            group: Some(received.group),
            finite_field: None,
            peer_signature: self.scheme,
            own_signature: Some(own.scheme).filter(|_| self.past.is_none()),
            alpn: own.alpn,
            server_name: after.server_name.clone(),
            retried: received.retried,
            certificate_requested: self.request == Request::Send,
            not_requested_because: self.request.reason(),
            resumed: self.past.is_some(),
            post_handshake_auth: after.transcript.is_some(),
            extended_master_secret: false,
            secure_renegotiation: false,
        }
    }
}
