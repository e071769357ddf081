//! The server's handshake of TLS 1.2 (RFC 5246 §7.3): the first one of a connection, or a renegotiation.

use std::sync::Arc;

use crate::config::Config;
use crate::connection::established::{
    AfterTls12, Agreed, Continuation, Established, ProtocolVersion,
};
use crate::connection::state::State;
use crate::connection::trace::Traced;
use crate::crypto::signature::SignatureScheme;
use crate::crypto::suite::CipherSuite;
use crate::error::{Error, Result};
use crate::handshake::authenticate::Identity;
use crate::handshake::hello;
use crate::handshake::offer::UNCOMPRESSED_POINT;
use crate::handshake::resume::expectation_of_client;
use crate::handshake::script::Wire;
use crate::handshake::tls12::authenticate::{self, Claim};
use crate::handshake::tls12::key_exchange::{self, Choice, Group};
use crate::handshake::tls12::renegotiation::{self, Previous, Secure};
use crate::handshake::tls12::session::{self, Keeping, Resumed};
use crate::handshake::tls12::{
    DOWNGRADE_FROM_13, Derivation, VERSION, log_master_secret, receive_finished, send_finished,
    since,
};
use crate::handshake::transcript::Transcript;
use crate::keys::schedule12::{MasterSecret, Randoms, VerifyData};
use crate::messages::tls12::{CertificateRequest, CertificateType, ServerHelloDone};
use crate::messages::{
    ClientHello, ExtensionBlock, ExtensionsOfTls12, List, ProtocolName, ServerHello, read_message,
};
use crate::session::client_cache::Origin;
use crate::session::state::{Session, SessionIdentity, SessionPeer};
use crate::verify::mode::Role;
use crate::verify::peer::{CertificateChain, Peer};
use crate::verify::policy::{self, IdentityAfter, Moment, Occasion, Request, SuiteKind, Why};
use crate::violation::Violation;

/// Accepts: from the ClientHello, a whole message, to both Finished.
pub(crate) async fn serve(
    wire: Wire,
    config: Arc<Config>,
    message: Vec<u8>,
    previous: Option<Previous>,
) -> Result<Established> {
    let previous = previous.as_ref();
    wire.settle_version(ProtocolVersion::Tls12);
    let mut transcript = Transcript::new();
    let hello: ClientHello<'_> = read_message(&message)?;
    let terms = agree_on_terms(&config, &hello, previous)?;
    transcript.add(&message);
    // A renegotiation is there to find out who the client is now, not who it was.
    if previous.is_none()
        && let Some(resumed) = session::accept_session(&wire, &config, &hello).await?
    {
        return resume(&wire, &config, transcript, (&hello, terms), resumed).await;
    }
    let choice = key_exchange::choose(&config, wire.settings().mode, &hello)?;
    let keeping = Keeping::decide(&config, &hello, terms.derivation)?;

    let transcript = &mut transcript;
    let answer = Answer {
        suite: choice.suite,
        session_id: keeping.session_id(),
        server_name: hello.extensions.server_name,
        announces_ticket: keeping == Keeping::InTicket,
    };
    let randoms = send_server_hello(&wire, transcript, &config, (&hello, &terms), &answer)?;
    send_own_certificate(&wire, transcript, &choice)?;
    let share =
        key_exchange::send_server_key_exchange(&wire, transcript, &config, &choice, &randoms)
            .await?;
    let request = send_certificate_request(&wire, transcript, &config, choice.suite)?;
    wire.send(transcript, &ServerHelloDone)?;

    let parties = (request, previous);
    let claim = receive_certificate(&wire, &config, transcript, &terms, parties).await?;
    let premaster = key_exchange::receive_client_key_exchange(&wire, transcript, share).await?;
    let derived_from = (&*transcript, &randoms);
    let master = terms
        .derivation
        .master_secret(choice.suite, &premaster, derived_from)?;
    log_master_secret(&config, &randoms, &master);
    let identity =
        authenticate::receive_certificate_verify(&wire, &config, transcript, claim).await?;
    let keys = master.keys(choice.suite, &randoms)?;
    wire.receive_change_cipher_spec().await;
    wire.install_read_keys(keys.client);
    let client_finished = receive_finished(&wire, transcript, &master, Role::Client).await?;

    let client = Client::of(identity, request, previous);
    let session = client.session(&wire, &config, &terms, (choice.suite, &master));
    session::keep_session(&wire, transcript, &config, &keeping, &session)?;
    wire.send_change_cipher_spec();
    wire.install_write_keys(keys.server);
    let server_finished = send_finished(&wire, transcript, &master, Role::Server)?;
    let exchanged = Exchanged::of(&choice);
    let finished = (client_finished, server_finished);
    Ok(terms.establish(client, exchanged, (master, randoms), finished))
}

/// What both hellos settle besides the suite and what belongs to it.
struct Terms {
    secure: Secure,
    /// What the `renegotiation_info` of the ServerHello says.
    renegotiation_info: Vec<u8>,
    derivation: Derivation,
    alpn: Option<Vec<u8>>,
    server_name: Option<String>,
}

fn agree_on_terms(
    config: &Config,
    hello: &ClientHello<'_>,
    previous: Option<&Previous>,
) -> Result<Terms> {
    let extensions = &hello.extensions;
    // RFC 5246 §7.4.1.2: the list MUST contain the null method.
    if !hello.compression_methods.contains(&0) {
        return Err(Violation::MissingNullCompression.into());
    }
    // RFC 8422 §5.1.2: a list of forms MUST contain the uncompressed one.
    if let Some(formats) = extensions.ec_point_formats
        && !formats.contains(&UNCOMPRESSED_POINT)
    {
        return Err(Violation::MissingUncompressedPoints.into());
    }
    let secure = renegotiation::check_client_hello(hello, previous)?;
    let server_name = extensions.server_name.map(str::to_ascii_lowercase);
    if let Some(previous) = previous {
        hello::check_version_kept(config, hello)?;
        previous.check_server_name(server_name.as_deref())?;
        // RFC 7627 §5.4: without it a renegotiation is not bound to the server that the client means.
        if !extensions.extended_master_secret {
            return Err(Violation::ExtendedMasterSecretLost.into());
        }
    }
    Ok(Terms {
        secure,
        renegotiation_info: renegotiation::answer_client_hello(previous),
        derivation: Derivation::agree(config, extensions.extended_master_secret)?,
        alpn: match previous {
            None => hello::choose_protocol(config, hello)?,
            // What the connection is for does not change.
            Some(previous) => previous.after.alpn.clone(),
        },
        server_name,
    })
}

/// What the ServerHello says of this connection.
struct Answer<'a> {
    suite: CipherSuite,
    session_id: &'a [u8],
    /// The client's name for this server, if it is to be acknowledged.
    server_name: Option<&'a str>,
    announces_ticket: bool,
}

fn send_server_hello(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    (hello, terms): (&ClientHello<'_>, &Terms),
    answer: &Answer<'_>,
) -> Result<Randoms> {
    let mut random = [0; 32];
    let source = &config.environment.random;
    source.fill(&mut random).map_err(|_| Error::RandomFailed)?;
    // RFC 9846 §4.2.3: a server of TLS 1.3 that negotiates TLS 1.2 MUST say so in its random value.
    if let Some(last) = random.last_chunk_mut()
        && config.offers(ProtocolVersion::Tls13)
    {
        *last = DOWNGRADE_FROM_13;
    }
    let uses_curves = !answer.suite.is_anonymous() && hello.extensions.ec_point_formats.is_some();
    wire.send(
        transcript,
        &ServerHello {
            legacy_version: VERSION,
            random: &random,
            session_id: answer.session_id,
            cipher_suite: answer.suite.to_u16(),
            compression_method: 0,
            selected_version: None,
            key_share: None,
            selected_identity: None,
            tls12: ExtensionsOfTls12 {
                // RFC 6066 §3: a server that uses the client's name for it SHALL say so, and MUST NOT if it
                // resumes a session.
                server_name: answer.server_name.is_some(),
                ec_point_formats: uses_curves.then_some(&[UNCOMPRESSED_POINT]),
                alpn: answer_to_alpn(hello, terms.alpn.as_deref()),
                extended_master_secret: terms.derivation == Derivation::Extended,
                session_ticket: answer.announces_ticket,
                renegotiation_info: (terms.secure == Secure::Yes)
                    .then_some(&terms.renegotiation_info),
            },
            all: ExtensionBlock::default(),
        },
    )?;
    Ok(Randoms {
        client: *hello.random,
        server: random,
    })
}

/// The protocol, for a client that offers it. In a renegotiation it need not.
fn answer_to_alpn<'t>(
    hello: &ClientHello<'_>,
    protocol: Option<&'t [u8]>,
) -> Option<ProtocolName<'t>> {
    let offered = hello.extensions.alpn?;
    protocol
        .map(ProtocolName)
        .filter(|protocol| offered.contains(protocol))
}

/// Says who we are, unless the suite is anonymous.
fn send_own_certificate(
    wire: &Wire,
    transcript: &mut Transcript,
    choice: &Choice<'_>,
) -> Result<()> {
    match choice.own {
        Some((credential, _)) => authenticate::send_certificate(wire, transcript, Some(credential)),
        None => Ok(()),
    }
}

/// Asks the client for a certificate, if the mode says so.
fn send_certificate_request(
    wire: &Wire,
    transcript: &mut Transcript,
    config: &Config,
    suite: CipherSuite,
) -> Result<Request> {
    let occasion = Occasion {
        version: ProtocolVersion::Tls12,
        moment: Moment::FullHandshake,
        suite: SuiteKind::of(suite),
    };
    let request = wire
        .decide_certificate_request(|mode, sent| policy::certificate_request(mode, occasion, sent));
    if let Request::Omit(why) = request {
        wire.note(Traced::RequestOmitted(why));
        transcript.start_hash(suite.hash());
        return Ok(request);
    }
    transcript.start_hash_and_keep(suite.hash());
    let schemes = config.schemes_of(ProtocolVersion::Tls12);
    let schemes: Vec<u16> = schemes.map(SignatureScheme::to_u16).collect();
    let authorities = config.authority_names();
    wire.send(
        transcript,
        &CertificateRequest {
            certificate_types: &[CertificateType::ECDSA_SIGN, CertificateType::RSA_SIGN],
            signature_algorithms: List::from(schemes.as_slice()),
            certificate_authorities: List::from(authorities.as_slice()),
        },
    )?;
    Ok(request)
}

/// Takes in the client's Certificate, if it was asked for one, and our verdict about it.
async fn receive_certificate(
    wire: &Wire,
    config: &Config,
    transcript: &mut Transcript,
    terms: &Terms,
    (request, previous): (Request, Option<&Previous>),
) -> Result<Option<Claim>> {
    if request != Request::Send {
        return Ok(None);
    }
    let message = wire.receive(State::AwaitingClientCertificate).await;
    let name = terms.server_name.as_deref();
    let expectation = expectation_of_client(config, since(previous), name, &[]);
    let expectation = (expectation, previous);
    authenticate::receive_certificate(wire, config, transcript, expectation, &message).await
}

/// Accepts once more a session of before (RFC 5246 §7.3, figure 2): the server finishes first.
async fn resume(
    wire: &Wire,
    config: &Config,
    mut transcript: Transcript,
    (hello, terms): (&ClientHello<'_>, Terms),
    resumed: Resumed,
) -> Result<Established> {
    let suite = resumed.session.suite;
    wire.note(Traced::RequestOmitted(Why::Resumed));
    // RFC 5077 §3.4: the session id is returned, which tells the client that the ticket was taken.
    let answer = Answer {
        suite,
        session_id: hello.session_id,
        server_name: None,
        announces_ticket: false,
    };
    let randoms = send_server_hello(wire, &mut transcript, config, (hello, &terms), &answer)?;
    transcript.start_hash(suite.hash());
    let master = MasterSecret::of_session(suite.hash(), &resumed.session.psk);
    log_master_secret(config, &randoms, &master);
    let keys = master.keys(suite, &randoms)?;
    wire.send_change_cipher_spec();
    wire.install_write_keys(keys.server);
    let server_finished = send_finished(wire, &mut transcript, &master, Role::Server)?;
    wire.receive_change_cipher_spec().await;
    wire.install_read_keys(keys.client);
    let client_finished = receive_finished(wire, &mut transcript, &master, Role::Client).await?;
    // It was taken out of the store, so that nobody else could use it meanwhile.
    if let Some(id) = &resumed.stored_as {
        wire.note_stored(id);
        config
            .resumption
            .store_as(id, &resumed.session, &config.environment)?;
    }
    let client = Client {
        presented: resumed.peer.as_ref().map(|peer| peer.chain.clone()),
        peer: resumed.peer,
        scheme: None,
        request: Request::Omit(Why::Resumed),
        was_asked: resumed.session.identity.asked,
    };
    let exchanged = Exchanged {
        suite,
        group: None,
        own_signature: None,
    };
    let finished = (client_finished, server_finished);
    Ok(terms.establish(client, exchanged, (master, randoms), finished))
}

/// Who the client turned out to be.
struct Client {
    peer: Option<Peer>,
    scheme: Option<SignatureScheme>,
    request: Request,
    /// On this connection or before, on one that it resumes.
    was_asked: bool,
    /// Who it last was, also if it has been nobody since.
    presented: Option<CertificateChain>,
}

impl Client {
    fn of(identity: Option<Identity>, request: Request, previous: Option<&Previous>) -> Self {
        let (peer, scheme) = match identity {
            Some(identity) => (Some(identity.peer), Some(identity.scheme)),
            None => (None, None),
        };
        let earlier = previous.and_then(|previous| previous.peer.clone());
        let presented = peer.as_ref().map(|peer| peer.chain.clone());
        Self {
            presented: presented.or_else(|| previous?.after.presented.clone()),
            peer: match policy::identity_after_renegotiation(request) {
                IdentityAfter::Renegotiated => peer,
                IdentityAfter::Earlier => earlier,
            },
            scheme,
            request,
            was_asked: request == Request::Send || request == Request::Omit(Why::AskedOnceAlready),
        }
    }

    /// What the client may come back with.
    fn session(
        &self,
        wire: &Wire,
        config: &Config,
        terms: &Terms,
        (suite, master): (CipherSuite, &MasterSecret),
    ) -> Session {
        let identity = SessionIdentity {
            mode: wire.settings().mode,
            asked: self.was_asked,
            peer: self.peer.as_ref().map(SessionPeer::of),
        };
        let lifetime = session::lifetime(config, &identity);
        let named = (terms.server_name.clone(), identity);
        session::new_session(config, suite, master, named, lifetime)
    }
}

/// How keys were exchanged, if they were.
#[derive(Clone, Copy)]
struct Exchanged {
    suite: CipherSuite,
    /// `None` if a session was resumed.
    group: Option<Group>,
    own_signature: Option<SignatureScheme>,
}

impl Exchanged {
    fn of(choice: &Choice<'_>) -> Self {
        Self {
            suite: choice.suite,
            group: Some(choice.group),
            own_signature: choice.own.map(|(_, scheme)| scheme),
        }
    }
}

impl Terms {
    fn establish(
        self,
        client: Client,
        exchanged: Exchanged,
        (master, randoms): (MasterSecret, Randoms),
        (client_finished, server_finished): (VerifyData, VerifyData),
    ) -> Established {
        Established {
            agreed: Agreed {
                version: ProtocolVersion::Tls12,
                suite: exchanged.suite,
                group: exchanged.group.and_then(Group::curve),
                finite_field: exchanged.group.and_then(Group::finite_field),
                peer_signature: client.scheme,
                own_signature: exchanged.own_signature,
                alpn: self.alpn.clone(),
                server_name: self.server_name.clone(),
                retried: false,
                certificate_requested: client.request == Request::Send,
                not_requested_because: client.request.reason(),
                resumed: exchanged.group.is_none(),
                post_handshake_auth: false,
                extended_master_secret: self.derivation == Derivation::Extended,
                secure_renegotiation: self.secure == Secure::Yes,
            },
            asked: client.was_asked,
            peer: client.peer,
            shown: None,
            origin: Origin::default(),
            exporter: self.derivation.exporter(master, randoms),
            after: Continuation::Tls12(Arc::new(AfterTls12 {
                client_finished,
                server_finished,
                secure_renegotiation: self.secure == Secure::Yes,
                derivation: self.derivation,
                server_name: self.server_name,
                server: None,
                alpn: self.alpn,
                presented: client.presented,
            })),
        }
    }
}
