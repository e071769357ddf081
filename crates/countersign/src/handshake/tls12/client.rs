//! The client's handshake of TLS 1.2 (RFC 5246 §7.3): the first one of a connection, or a renegotiation.

use std::sync::Arc;

use pki_types::ServerName;

use crate::config::Config;
use crate::config::credential::Credential;
use crate::connection::established::{
    AfterTls12, Agreed, Continuation, Established, ProtocolVersion,
};
use crate::connection::state::State;
use crate::crypto::signature::SignatureScheme;
use crate::crypto::suite::{Authentication, CipherSuite};
use crate::error::{Error, Result};
use crate::handshake::authenticate::{Expectation, Shown, sign};
use crate::handshake::hello;
use crate::handshake::offer::{Offer, UNCOMPRESSED_POINT};
use crate::handshake::resume::{self, Offered};
use crate::handshake::script::Wire;
use crate::handshake::tls12::authenticate::{self, Claim};
use crate::handshake::tls12::key_exchange::{self, Group, ServerShare};
use crate::handshake::tls12::renegotiation::{self, Previous, Secure};
use crate::handshake::tls12::session;
use crate::handshake::tls12::{
    DOWNGRADE_FROM_12, DOWNGRADE_FROM_13, Derivation, VERSION, log_master_secret, receive_finished,
    send_finished, since,
};
use crate::handshake::transcript::Transcript;
use crate::keys::installed::TrafficKeys;
use crate::keys::schedule12::{KeyBlock, MasterSecret, Randoms, VerifyData};
use crate::messages::tls12::{CertificateRequest, NewSessionTicket, ServerHelloDone};
use crate::messages::{
    CertificateVerify, ExtensionSet, MessageType, ServerHello, message_type, read_message,
};
use crate::session::client_cache::{ClientSession, Origin};
use crate::session::state::{SessionIdentity, SessionPeer};
use crate::verify::mode::Role;
use crate::verify::peer::Peer;
use crate::violation::Violation;

/// A handshake whose ClientHello has been sent.
pub(crate) struct Attempt {
    pub(crate) server: ServerName<'static>,
    pub(crate) offer: Offer,
    /// Up to the ClientHello.
    pub(crate) transcript: Transcript,
    pub(crate) previous: Option<Previous>,
}

impl Attempt {
    fn destination(self) -> Destination {
        let origin = self.previous.map(|previous| previous.origin);
        Destination {
            server: self.server,
            origin: origin.unwrap_or_default(),
        }
    }
}

/// Whom a connection is to, and what marks the sessions that come on it.
struct Destination {
    server: ServerName<'static>,
    origin: Origin,
}

/// Connects: from the ServerHello, a whole message, to both Finished.
pub(crate) async fn connect(
    wire: Wire,
    config: Arc<Config>,
    mut attempt: Attempt,
    message: Vec<u8>,
) -> Result<Established> {
    wire.settle_version(ProtocolVersion::Tls12);
    let hello: ServerHello<'_> = read_message(&message)?;
    let terms = check_server_hello(&config, &attempt, &hello)?;
    attempt.transcript.add(&message);
    if let Some(offered) = attempt.offer.session.take().filter(|_| terms.resumes) {
        return resume(&wire, &config, attempt, terms, offered).await;
    }
    let transcript = &mut attempt.transcript;
    let previous = attempt.previous.as_ref();

    let parties = (&attempt.server, previous);
    let (mut server, share) =
        authenticate_server(&wire, &config, transcript, &terms, parties).await?;
    let request = receive_request(&wire, transcript, terms.suite).await?; // and the ServerHelloDone
    server.asked = request.is_some();

    let own = match &request {
        Some(request) => {
            send_own_certificate(&wire, &config, transcript, request, previous).await?
        }
        None => None,
    };
    let premaster = key_exchange::send_client_key_exchange(&wire, transcript, &config, &share)?;
    let randoms = &terms.randoms;
    let derived_from = (&*transcript, randoms);
    let master = terms
        .derivation
        .master_secret(terms.suite, &premaster, derived_from)?;
    log_master_secret(&config, randoms, &master);
    let shown = match own {
        Some(own) => Some(send_certificate_verify(&wire, transcript, own).await?),
        // A server that does not ask again may go on with what it knows.
        None if !server.asked => previous.and_then(|previous| previous.shown.clone()),
        None => None,
    };
    let keys = master.keys(terms.suite, randoms)?;
    wire.send_change_cipher_spec();
    wire.install_write_keys(keys.client);
    let client_finished = send_finished(&wire, transcript, &master, Role::Client)?;
    let (ticket, server_finished) =
        receive_server_finished(&wire, transcript, &terms, (&master, keys.server)).await?;

    let finished = (client_finished, server_finished);
    let secrets = (master, finished);
    conclude(
        &wire,
        &config,
        attempt.destination(),
        (terms, server, shown),
        (secrets, ticket),
    )
}

/// What the ServerHello settles.
struct Terms {
    suite: CipherSuite,
    randoms: Randoms,
    secure: Secure,
    derivation: Derivation,
    alpn: Option<Vec<u8>>,
    server_name: Option<String>,
    session_id: Vec<u8>,
    announces_ticket: bool,
    resumes: bool,
}

fn check_server_hello(
    config: &Config,
    attempt: &Attempt,
    hello: &ServerHello<'_>,
) -> Result<Terms> {
    let (offer, previous) = (&attempt.offer, attempt.previous.as_ref());
    check_version(config, offer, hello)?;
    // RFC 5246 §7.4.1.3: what the server chooses MUST be among what was offered.
    let suite = CipherSuite::from_u16(hello.cipher_suite)
        .filter(|suite| config.suites.contains(suite))
        .filter(|suite| suite.version() == ProtocolVersion::Tls12)
        .ok_or(Violation::SuiteNotOffered)?;
    if hello.compression_method != 0 {
        return Err(Violation::CompressionChosen.into());
    }
    hello.all.check_solicited(offer.solicited)?;
    let answers = &hello.tls12;
    // RFC 8422 §5.1.2: a list of forms MUST contain the uncompressed one.
    if let Some(formats) = answers.ec_point_formats
        && !formats.contains(&UNCOMPRESSED_POINT)
    {
        return Err(Violation::MissingUncompressedPoints.into());
    }
    let secure = renegotiation::check_server_hello(config, hello, previous)?;
    let derivation = Derivation::agree(config, answers.extended_master_secret)?;
    // RFC 7627 §5.4: a renegotiation without it is not bound to the server of before.
    if previous.is_some() && derivation == Derivation::Plain {
        return Err(Violation::ExtendedMasterSecretLost.into());
    }
    Ok(Terms {
        suite,
        randoms: Randoms {
            client: offer.random,
            server: *hello.random,
        },
        secure,
        derivation,
        alpn: match (answers.alpn, previous) {
            (None, None) => None,
            (None, Some(previous)) => previous.after.alpn.clone(),
            (Some(protocol), _) => Some(check_protocol(config, protocol.0)?),
        },
        server_name: offer.server_name.clone(),
        session_id: hello.session_id.to_vec(),
        announces_ticket: answers.session_ticket,
        resumes: check_resumption(offer, suite, hello)?,
    })
}

/// Checks that the server meant to choose TLS 1.2.
fn check_version(config: &Config, offer: &Offer, hello: &ServerHello<'_>) -> Result<()> {
    if hello.legacy_version != VERSION || !offer.versions.tls12 {
        return Err(hello::no_common_version(
            config,
            core::iter::once(hello.legacy_version),
        ));
    }
    // RFC 9846 §4.2.3: a client of TLS 1.3 MUST check whether the server says that it was made to choose less.
    let end = hello.random.last_chunk::<8>();
    let says_downgrade = [DOWNGRADE_FROM_13, DOWNGRADE_FROM_12]
        .iter()
        .any(|sentinel| end == Some(sentinel));
    if says_downgrade && config.offers(ProtocolVersion::Tls13) && offer.is_first() {
        return Err(Violation::DowngradeDetected.into());
    }
    Ok(())
}

fn check_protocol(config: &Config, protocol: &[u8]) -> Result<Vec<u8>> {
    let mut ours = config.alpn.iter();
    let chosen = ours.find(|ours| *ours == protocol);
    chosen
        .cloned()
        .ok_or_else(|| Violation::AlpnNotOffered.into())
}

/// Whether the server resumes the session that was offered.
fn check_resumption(offer: &Offer, suite: CipherSuite, hello: &ServerHello<'_>) -> Result<bool> {
    // RFC 5246 §7.4.1.3: a server that resumes returns the session id.
    if hello.session_id.is_empty() || hello.session_id != offer.session_id {
        return Ok(false);
    }
    let offered = offer.session.as_ref();
    let session = offered.filter(|offered| offered.is_of(ProtocolVersion::Tls12));
    // Our session id then was none: it made TLS 1.3 look like TLS 1.2.
    let session = session.ok_or(Violation::SessionNotOffered)?;
    if session.session.suite != suite {
        return Err(Violation::SessionSuiteChanged.into());
    }
    // RFC 7627 §5.3: a server that resumes without the extended master secret of the session MUST be refused.
    if !hello.tls12.extended_master_secret {
        return Err(Violation::ExtendedMasterSecretLost.into());
    }
    Ok(true)
}

/// Finds out who the server is: takes in its Certificate, if it has one, and its half of the key exchange, which
/// proves that the key is the server's.
async fn authenticate_server(
    wire: &Wire,
    config: &Config,
    transcript: &mut Transcript,
    terms: &Terms,
    parties: (&ServerName<'static>, Option<&Previous>),
) -> Result<(Server, ServerShare)> {
    let claim = receive_server_certificate(wire, config, transcript, terms.suite, parties).await?;
    let claimed = claim.as_ref();
    let randoms = &terms.randoms;
    let share =
        key_exchange::receive_server_key_exchange(wire, transcript, config, claimed, randoms)
            .await?;
    let server = Server::proved(claim, &share);
    // Should it refuse us before the handshake is complete, it is known who did.
    if let Some(peer) = &server.peer {
        wire.identify(peer.clone());
    }
    Ok((server, share))
}

/// Takes in the server's Certificate, and our verdict about it; under an anonymous suite there is none.
async fn receive_server_certificate(
    wire: &Wire,
    config: &Config,
    transcript: &mut Transcript,
    suite: CipherSuite,
    (server, previous): (&ServerName<'static>, Option<&Previous>),
) -> Result<Option<Claim>> {
    if suite.is_anonymous() {
        return match previous {
            Some(previous) => previous.check_anonymous(config).map(|()| None),
            None => Ok(None),
        };
    }
    let message = wire.receive(State::AwaitingServerCertificate).await;
    let server_name = server.to_str();
    let expectation = Expectation {
        whose: Role::Server,
        names: config.names_of_server(server),
        context: &[],
        solicited: ExtensionSet::default(),
        since: since(previous),
        server_name: Some(&server_name),
    };
    let expectation = (expectation, previous);
    let claim =
        authenticate::receive_certificate(wire, config, transcript, expectation, &message).await?;
    let claim = claim.ok_or(Violation::EmptyServerCertificate)?;
    // RFC 5246 §7.4.2: the key MUST be of the kind that the suite names.
    if claim.key.is_rsa() != (suite.authentication() == Authentication::Rsa) {
        return Err(Violation::SuiteKeyMismatch.into());
    }
    Ok(Some(claim))
}

/// Takes in the CertificateRequest, if there is one, and the ServerHelloDone. Returns the request, a whole message.
async fn receive_request(
    wire: &Wire,
    transcript: &mut Transcript,
    suite: CipherSuite,
) -> Result<Option<Vec<u8>>> {
    let mut message = wire.receive(State::AwaitingServerHelloDone).await;
    let mut request = None;
    if message_type(&message)? == MessageType::CertificateRequest {
        // RFC 5246 §7.4.4: it is a fatal error of an anonymous server to ask who the client is.
        if suite.is_anonymous() {
            return Err(Violation::AnonymousRequest.into());
        }
        read_message::<CertificateRequest<'_>>(&message)?;
        transcript.start_hash_and_keep(suite.hash());
        transcript.add(&message);
        request = Some(message);
        message = wire.receive(State::AwaitingServerHelloDone).await;
    }
    let ServerHelloDone = read_message(&message)?;
    transcript.start_hash(suite.hash());
    transcript.add(&message);
    Ok(request)
}

/// Answers the request with our Certificate, empty if there is none that fits.
async fn send_own_certificate(
    wire: &Wire,
    config: &Config,
    transcript: &mut Transcript,
    request: &[u8],
    previous: Option<&Previous>,
) -> Result<Option<(Credential, SignatureScheme)>> {
    let request: CertificateRequest<'_> = read_message(request)?;
    let own = authenticate::choose_own(wire, config, &request, since(previous)).await?;
    let credential = own.as_ref().map(|(credential, _)| credential);
    authenticate::send_certificate(wire, transcript, credential)?;
    Ok(own)
}

/// Proves that the key of our certificate is ours (RFC 5246 §7.4.8).
async fn send_certificate_verify(
    wire: &Wire,
    transcript: &mut Transcript,
    (credential, scheme): (Credential, SignatureScheme),
) -> Result<Shown> {
    let signature = sign(wire, &credential, scheme, transcript.take_messages()).await?;
    wire.send(
        transcript,
        &CertificateVerify {
            scheme: scheme.to_u16(),
            signature: &signature,
        },
    )?;
    let certificate = credential
        .certificates()
        .first()
        .ok_or(Error::Internal("a credential without a certificate"))?;
    Ok(Shown {
        certificate: certificate.clone(),
        scheme,
    })
}

/// Takes in what ends the server's side: the ticket if it announced one (a whole message), and its Finished.
async fn receive_server_finished(
    wire: &Wire,
    transcript: &mut Transcript,
    terms: &Terms,
    (master, keys): (&MasterSecret, TrafficKeys),
) -> Result<(Option<Vec<u8>>, VerifyData)> {
    let mut ticket = None;
    if terms.announces_ticket {
        let message = wire.receive(State::AwaitingNewSessionTicket).await;
        read_message::<NewSessionTicket<'_>>(&message)?;
        transcript.add(&message);
        ticket = Some(message);
    }
    wire.receive_change_cipher_spec().await;
    wire.install_read_keys(keys);
    let verify_data = receive_finished(wire, transcript, master, Role::Server).await?;
    Ok((ticket, verify_data))
}

/// Who the server is.
struct Server {
    peer: Option<Peer>,
    scheme: Option<SignatureScheme>,
    group: Option<Group>,
    /// Whether it asked who we are.
    asked: bool,
}

impl Server {
    fn proved(claim: Option<Claim>, share: &ServerShare) -> Self {
        let scheme = share.scheme;
        Self {
            peer: claim
                .zip(scheme)
                .map(|(claim, scheme)| claim.proved(scheme).peer),
            scheme,
            group: Some(share.group),
            asked: false,
        }
    }
}

/// Connects once more with a session of before (RFC 5246 §7.3, figure 2): the server finishes first.
async fn resume(
    wire: &Wire,
    config: &Config,
    mut attempt: Attempt,
    terms: Terms,
    offered: Offered,
) -> Result<Established> {
    resume::refuse_or_resume(wire, config, offered.peer.as_ref())?;
    let suite = terms.suite;
    let transcript = &mut attempt.transcript;
    transcript.start_hash(suite.hash());
    let master = MasterSecret::of_session(suite.hash(), &offered.session.psk);
    log_master_secret(config, &terms.randoms, &master);
    let KeyBlock { client, server } = master.keys(suite, &terms.randoms)?;
    let (ticket, server_finished) =
        receive_server_finished(wire, transcript, &terms, (&master, server)).await?;
    wire.send_change_cipher_spec();
    wire.install_write_keys(client);
    let client_finished = send_finished(wire, transcript, &master, Role::Client)?;

    // The session can be used again, unless the server replaces it.
    let renewed = match ticket.as_deref() {
        Some(ticket) => session::handle_of(Some(&read_message(ticket)?), &[]),
        None => None,
    };
    let server = Server {
        peer: offered.peer,
        scheme: None,
        group: None,
        asked: false,
    };
    let finished = (client_finished, server_finished);
    let destination = attempt.destination();
    let session = ClientSession {
        origin: destination.origin.clone(),
        handle: renewed.map_or(offered.handle, |(handle, _)| handle),
        session: offered.session,
        own: offered.own,
    };
    session::remember(config, &destination.server, session);
    Ok(establish(
        terms,
        destination,
        (server, None),
        master,
        finished,
    ))
}

/// The master secret, and what the client's and the server's Finished said.
type Secrets = (MasterSecret, (VerifyData, VerifyData));

/// Remembers the session, and what the two ends agreed on.
fn conclude(
    wire: &Wire,
    config: &Config,
    destination: Destination,
    (terms, server, shown): (Terms, Server, Option<Shown>),
    ((master, finished), ticket): (Secrets, Option<Vec<u8>>),
) -> Result<Established> {
    let ticket = match ticket.as_deref() {
        Some(ticket) => Some(read_message::<NewSessionTicket<'_>>(ticket)?),
        None => None,
    };
    let handle = session::handle_of(ticket.as_ref(), &terms.session_id)
        .filter(|_| terms.derivation == Derivation::Extended);
    if let Some((handle, lifetime)) = handle {
        let identity = SessionIdentity {
            mode: wire.settings().mode,
            asked: true,
            peer: server.peer.as_ref().map(SessionPeer::of),
        };
        let named = (terms.server_name.clone(), identity);
        let session = ClientSession {
            origin: destination.origin.clone(),
            handle,
            session: session::new_session(config, terms.suite, &master, named, lifetime),
            own: shown.as_ref().map(|shown| shown.certificate.clone()),
        };
        session::remember(config, &destination.server, session);
    }
    Ok(establish(
        terms,
        destination,
        (server, shown),
        master,
        finished,
    ))
}

fn establish(
    terms: Terms,
    destination: Destination,
    (server, shown): (Server, Option<Shown>),
    master: MasterSecret,
    (client_finished, server_finished): (VerifyData, VerifyData),
) -> Established {
    let presented = server.peer.as_ref().map(|peer| peer.chain.clone());
    Established {
        agreed: Agreed {
            version: ProtocolVersion::Tls12,
            suite: terms.suite,
            group: server.group.and_then(Group::curve),
            finite_field: server.group.and_then(Group::finite_field),
            peer_signature: server.scheme,
            own_signature: shown
                .as_ref()
                .filter(|_| server.asked)
                .map(|shown| shown.scheme),
            alpn: terms.alpn.clone(),
            server_name: terms.server_name.clone(),
            retried: false,
            certificate_requested: server.asked,
            not_requested_because: None,
            resumed: terms.resumes,
            post_handshake_auth: false,
            extended_master_secret: terms.derivation == Derivation::Extended,
            secure_renegotiation: terms.secure == Secure::Yes,
        },
        peer: server.peer,
        shown,
        asked: true,
        origin: destination.origin,
        exporter: terms.derivation.exporter(master, terms.randoms),
        after: Continuation::Tls12(Arc::new(AfterTls12 {
            client_finished,
            server_finished,
            secure_renegotiation: terms.secure == Secure::Yes,
            derivation: terms.derivation,
            server_name: terms.server_name,
            server: Some(destination.server),
            alpn: terms.alpn,
            presented,
        })),
    }
}
