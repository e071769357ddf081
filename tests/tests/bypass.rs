//! Resumption passes the verification of clients by in OpenSSL and in rustls, and not here.
//!
//! Each test takes the same steps with the three libraries as the server; the client is
//! countersign, which resumes wherever it is let. Where countersign refuses, the same steps with
//! [`ResumePolicy::Reuse`] show that they would have been enough to get in.
//!
//! The last test is about what a client of rustls cannot do at all under TLS 1.3. Its counterpart
//! under TLS 1.2, certificates by renegotiation, is not here: countersign speaks TLS 1.3 only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken assumption must stop the test"
)]

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use ::countersign::{
    Alert, ChainVerifier, ClientConfig, ClientSessions, ConfigBuilder, Credential, Error,
    Presented, ResumePolicy, ServerSide, TicketKeyring, TrustStore, Verdict,
};
use ::openssl::ssl::{Ssl, SslContext, SslVerifyMode};
use ::openssl::x509::store::X509StoreBuilder;
use ::openssl::x509::{X509, X509VerifyResult};
use ::rustls::client::danger::HandshakeSignatureValid;
use ::rustls::server::WebPkiClientVerifier;
use ::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use ::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, HandshakeKind, RootCertStore,
    SignatureScheme,
};
use countersign_tests::endpoint::{Endpoint, PlainLine, Side, is_alive, run_until_idle};
use countersign_tests::folder::TemporaryFolder;
use countersign_tests::peers::countersign::{Countersign, client_builder, server_builder};
use countersign_tests::peers::credentials::authority_pem;
use countersign_tests::peers::openssl::OpenSsl;
use countersign_tests::peers::rustls::Rustls;
use countersign_tests::peers::{self, ClientCertificate, Identity, KeyKind, Setup};
use countersign_tests::programs::{Program, connect, drive, find};
use pki_types::{CertificateDer, UnixTime};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};

const KIND: KeyKind = KeyKind::EcdsaP256;

/// What keeps servers apart that share ticket keys, in OpenSSL and under [`ResumePolicy::Reuse`].
/// Here it is the same everywhere.
const CONTEXT: &[u8] = b"all of them";

/// What a client achieved.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// It is let in after a full handshake.
    Full(Who),
    /// It is let in because of an earlier session.
    Resumed(Who),
    /// It is not let in.
    Refused(Alert),
}

use Outcome::{Full, Refused, Resumed};

/// Whom the server takes the client for.
#[derive(Debug, PartialEq)]
enum Who {
    /// The owner of the client's certificate.
    Known,
    /// Nobody in particular.
    Nobody,
}

use Who::{Known, Nobody};

/// A server of any library.
trait Server: Endpoint {
    fn is_resumed(&mut self) -> bool;
}

impl Server for Countersign {
    fn is_resumed(&mut self) -> bool {
        self.connection().agreed().unwrap().resumed
    }
}

impl Server for OpenSsl {
    fn is_resumed(&mut self) -> bool {
        self.ssl().session_reused()
    }
}

impl Server for Rustls {
    fn is_resumed(&mut self) -> bool {
        self.connection().handshake_kind() == Some(HandshakeKind::Resumed)
    }
}

/// A server that demands this of its clients.
fn server_setup(client_certificate: ClientCertificate) -> Setup {
    Setup {
        client_certificate,
        ..Setup::server(KIND)
    }
}

/// A client that has no sessions yet.
fn new_client(setup: &Setup) -> Arc<ClientConfig> {
    let builder = client_builder(setup).sessions(ClientSessions::default());
    builder.build().unwrap()
}

/// A client that has a certificate and no sessions yet.
fn known_client() -> Arc<ClientConfig> {
    new_client(&Setup::client(KIND))
}

/// One connection.
fn visit(client: &Arc<ClientConfig>, mut server: impl Server) -> Outcome {
    let mut client = Countersign::client(client);
    run_until_idle(&mut client, &mut server, &mut PlainLine);
    if !is_alive(&mut client, &mut server, &mut PlainLine) {
        return match client.error() {
            Some(Error::AlertReceived { alert, .. }) => Refused(*alert),
            other => panic!("client: {other:?}, server: {:?}", server.failure()),
        };
    }
    let resumed = server.is_resumed();
    assert_eq!(client.connection().agreed().unwrap().resumed, resumed);
    let who = match server.peer_certificate() {
        Some(leaf) => {
            assert_eq!(leaf, Identity::client(KIND).leaf);
            Known
        }
        None => Nobody,
    };
    if resumed { Resumed(who) } else { Full(who) }
}

/// The certificate of an authority that issued nothing.
fn another_authority() -> Vec<u8> {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let name = &mut parameters.distinguished_name;
    name.push(DnType::CommonName, "another authority");
    let key = KeyPair::generate().unwrap();
    parameters.self_signed(&key).unwrap().der().to_vec()
}

/// Makes a server take sessions as OpenSSL and rustls take them.
fn reusing(builder: ConfigBuilder<ServerSide>) -> ConfigBuilder<ServerSide> {
    builder
        .resume_policy(ResumePolicy::Reuse)
        .session_context(CONTEXT)
}

/// A change to a configuration of countersign.
type Change = fn(ConfigBuilder<ServerSide>) -> ConfigBuilder<ServerSide>;

/// Two virtual hosts that require certificates of different authorities, under the same ticket
/// keys.
#[derive(Clone, Copy, PartialEq)]
enum Host {
    /// Trusts the authority of the client's certificate.
    Own,
    /// Trusts another one.
    Other,
}

/// A session is made at one host, where it is worth something, and is offered to the other, which
/// does not let in the same client without it.
fn from_host_to_host<S: Server>(server: impl Fn(Host) -> S) -> [Outcome; 4] {
    let client = known_client();
    [
        visit(&client, server(Host::Own)),
        visit(&client, server(Host::Own)),
        visit(&client, server(Host::Other)),
        visit(&known_client(), server(Host::Other)),
    ]
}

fn countersign_hosts(change: Change) -> [Outcome; 4] {
    let keyring = TicketKeyring::new();
    let configs = [
        TrustStore::from_pem(authority_pem().as_bytes()).unwrap(),
        TrustStore::from_der([CertificateDer::from(another_authority())]).unwrap(),
    ]
    .map(|trust| {
        let builder = server_builder(&server_setup(ClientCertificate::Required))
            .ticket_keyring(keyring.clone())
            .trust(trust);
        change(builder).build().unwrap()
    });
    let [own, other] = configs;
    from_host_to_host(|host| match host {
        Host::Own => Countersign::server(&own),
        Host::Other => Countersign::server(&other),
    })
}

fn openssl_hosts() -> [Outcome; 4] {
    let setup = server_setup(ClientCertificate::Required);
    let context = |trust: Option<X509>| {
        let mut builder = peers::openssl::server_builder(&setup);
        builder.set_session_id_context(CONTEXT).unwrap();
        if let Some(authority) = trust {
            let mut store = X509StoreBuilder::new().unwrap();
            store.add_cert(authority).unwrap();
            builder.set_verify_cert_store(store.build()).unwrap();
        }
        builder.build()
    };
    let own = context(None);
    let other = context(Some(X509::from_der(&another_authority()).unwrap()));
    from_host_to_host(|host| {
        // Whatever becomes of a connection, its ticket keys are those of the context that it
        // began with. Servers switch when they know the name; that is the whole defect.
        let mut ssl = Ssl::new(&own).unwrap();
        if host == Host::Other {
            ssl.set_ssl_context(&other).unwrap();
        }
        OpenSsl::start(ssl, Side::Server)
    })
}

fn rustls_hosts() -> [Outcome; 4] {
    let setup = server_setup(ClientCertificate::Required);
    let ticketer = ::rustls::crypto::aws_lc_rs::Ticketer::new().unwrap();
    let mut other_roots = RootCertStore::empty();
    other_roots.add(another_authority().into()).unwrap();
    let [own, other] = [peers::rustls::roots(), other_roots].map(|roots| {
        let verifier = peers::rustls::client_verifier(&setup, roots);
        let mut config = peers::rustls::server_config(&setup, verifier.build().unwrap());
        config.ticketer = Arc::clone(&ticketer);
        Arc::new(config)
    });
    from_host_to_host(|host| match host {
        Host::Own => Rustls::server(&own),
        Host::Other => Rustls::server(&other),
    })
}

/// CVE-2025-23419 (nginx) and CVE-2025-23048 (Apache httpd).
#[test]
fn a_session_of_one_host_at_another_that_trusts_other_authorities() {
    let bypassed = [
        Full(Known),
        Resumed(Known),
        Resumed(Known),
        Refused(Alert::UnknownCa),
    ];
    assert_eq!(openssl_hosts(), bypassed, "OpenSSL");
    assert_eq!(rustls_hosts(), bypassed, "rustls");
    assert_eq!(countersign_hosts(reusing), bypassed, "countersign, Reuse");
    let closed = [
        Full(Known),
        Resumed(Known),
        Refused(Alert::UnknownCa),
        Refused(Alert::UnknownCa),
    ];
    assert_eq!(countersign_hosts(|builder| builder), closed, "countersign");
}

/// Knows whether the certificate is revoked, and how often it was asked.
#[derive(Clone, Debug, Default)]
struct Registry {
    revoked: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Registry {
    fn is_revoked(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.revoked.load(Ordering::Relaxed)
    }
}

/// The certificate is revoked after the second connection. Then come a client with a session and
/// one without. With each outcome: how often the registry had been asked by then.
fn around_a_revocation<S: Server>(
    registry: &Registry,
    server: impl Fn() -> S,
) -> [(Outcome, usize); 4] {
    let client = known_client();
    let visit = |client| {
        let outcome = visit(client, server());
        (outcome, registry.asked.load(Ordering::Relaxed))
    };
    let [first, second] = [visit(&client), visit(&client)];
    registry.revoked.store(true, Ordering::Relaxed);
    [first, second, visit(&client), visit(&known_client())]
}

fn countersign_revoked(change: Change) -> [(Outcome, usize); 4] {
    let registry = Registry::default();
    let trust = TrustStore::from_pem(authority_pem().as_bytes()).unwrap();
    let (chain, known) = (ChainVerifier::new(trust), registry.clone());
    let verifier = move |presented: &Presented<'_>| {
        if known.is_revoked() {
            return Verdict::Reject {
                alert: Alert::CertificateRevoked,
                because: "the registry says so".to_owned(),
            };
        }
        Verdict::Follow(chain.report(presented))
    };
    let setup = server_setup(ClientCertificate::Required);
    let builder = change(server_builder(&setup).ticket_keyring(TicketKeyring::new()));
    let config = builder.verifier(verifier).build().unwrap();
    around_a_revocation(&registry, || Countersign::server(&config))
}

fn openssl_revoked() -> [(Outcome, usize); 4] {
    let registry = Registry::default();
    let known = registry.clone();
    let setup = server_setup(ClientCertificate::Required);
    let mut builder = peers::openssl::server_builder(&setup);
    builder.set_session_id_context(CONTEXT).unwrap();
    let required = SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT;
    builder.set_verify_callback(required, move |accepted, context| {
        // It is called for every certificate of the chain.
        if context.error_depth() == 0 && known.is_revoked() {
            context.set_error(X509VerifyResult::APPLICATION_VERIFICATION);
            return false;
        }
        accepted
    });
    let context = builder.build();
    around_a_revocation(&registry, || OpenSsl::server(&context))
}

/// A verifier of rustls that asks the registry too.
#[derive(Debug)]
struct Asking {
    registry: Registry,
    chain: Arc<dyn ClientCertVerifier>,
}

impl ClientCertVerifier for Asking {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, ::rustls::Error> {
        if self.registry.is_revoked() {
            return Err(CertificateError::Revoked.into());
        }
        self.chain.verify_client_cert(leaf, others, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, ::rustls::Error> {
        self.chain
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, ::rustls::Error> {
        self.chain
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

fn rustls_revoked() -> [(Outcome, usize); 4] {
    let setup = server_setup(ClientCertificate::Required);
    let chain = peers::rustls::client_verifier(&setup, peers::rustls::roots());
    let registry = Registry::default();
    let verifier = Asking {
        registry: registry.clone(),
        chain: chain.build().unwrap(),
    };
    let config = Arc::new(peers::rustls::server_config(&setup, Arc::new(verifier)));
    around_a_revocation(&registry, || Rustls::server(&config))
}

#[test]
fn a_session_whose_certificate_was_revoked_since() {
    let bypassed = |alert| {
        [
            (Full(Known), 1),
            (Resumed(Known), 1),
            (Resumed(Known), 1),
            (Refused(alert), 2),
        ]
    };
    let revoked = Alert::CertificateRevoked;
    // The crate's callback cannot name the reason without unsafe code, and so neither does the alert.
    assert_eq!(
        openssl_revoked(),
        bypassed(Alert::HandshakeFailure),
        "OpenSSL"
    );
    assert_eq!(rustls_revoked(), bypassed(revoked), "rustls");
    assert_eq!(
        countersign_revoked(reusing),
        bypassed(revoked),
        "countersign, Reuse"
    );
    // The third is asked about twice: for the session, and for the certificate in its place.
    let closed = [
        (Full(Known), 1),
        (Resumed(Known), 2),
        (Refused(revoked), 4),
        (Refused(revoked), 5),
    ];
    assert_eq!(
        countersign_revoked(|builder| builder),
        closed,
        "countersign"
    );
}

/// A session is made where nobody asks for certificates, and then they are required: of this
/// client with its session, and of another like it without.
fn before_and_after<S: Server>(
    setup: &Setup,
    server: impl Fn(ClientCertificate) -> S,
) -> [Outcome; 4] {
    let client = new_client(setup);
    [
        visit(&client, server(ClientCertificate::NotAsked)),
        visit(&client, server(ClientCertificate::NotAsked)),
        visit(&client, server(ClientCertificate::Required)),
        visit(&new_client(setup), server(ClientCertificate::Required)),
    ]
}

fn countersign_stricter(setup: &Setup, change: Change) -> [Outcome; 4] {
    let keyring = TicketKeyring::new();
    before_and_after(setup, |wanted| {
        let builder = server_builder(&server_setup(wanted)).ticket_keyring(keyring.clone());
        Countersign::server(&change(builder).build().unwrap())
    })
}

fn openssl_stricter(setup: &Setup) -> [Outcome; 4] {
    let mut builder = peers::openssl::server_builder(&server_setup(ClientCertificate::NotAsked));
    builder.set_session_id_context(CONTEXT).unwrap();
    let context: SslContext = builder.build();
    before_and_after(setup, |wanted| {
        let mut ssl = Ssl::new(&context).unwrap();
        if wanted == ClientCertificate::Required {
            ssl.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        }
        OpenSsl::start(ssl, Side::Server)
    })
}

/// rustls cannot change what it asks of a connection, so there are two configurations that share
/// their ticket keys.
fn rustls_stricter(setup: &Setup) -> [Outcome; 4] {
    let ticketer = ::rustls::crypto::aws_lc_rs::Ticketer::new().unwrap();
    before_and_after(setup, |wanted| {
        let server = server_setup(wanted);
        let verifier = match wanted {
            ClientCertificate::NotAsked => WebPkiClientVerifier::no_client_auth(),
            _ => peers::rustls::client_verifier(&server, peers::rustls::roots())
                .build()
                .unwrap(),
        };
        let mut config = peers::rustls::server_config(&server, verifier);
        config.ticketer = Arc::clone(&ticketer);
        Rustls::server(&Arc::new(config))
    })
}

#[test]
fn a_session_from_before_certificates_were_required() {
    let anonymous = Setup::default();
    let known = Setup::client(KIND);
    let required = Alert::CertificateRequired;
    for (setup, without_session) in [(&anonymous, Refused(required)), (&known, Full(Known))] {
        let bypassed = [
            Full(Nobody),
            Resumed(Nobody),
            Resumed(Nobody),
            without_session,
        ];
        assert_eq!(openssl_stricter(setup), bypassed, "OpenSSL");
        assert_eq!(rustls_stricter(setup), bypassed, "rustls");
        let reused = countersign_stricter(setup, reusing);
        assert_eq!(reused, bypassed, "countersign, Reuse");
    }
    for (setup, outcomes) in [
        (&anonymous, [Refused(required), Refused(required)]),
        (&known, [Full(Known), Full(Known)]),
    ] {
        let [with_session, without_session] = outcomes;
        let closed = [Full(Nobody), Resumed(Nobody), with_session, without_session];
        let strict = countersign_stricter(setup, |builder| builder);
        assert_eq!(strict, closed, "countersign");
    }
}

/// `openssl s_server`, which asks for a certificate when `c` is typed.
fn asking_program(openssl: &PathBuf, folder: &TemporaryFolder) -> (Program, u16) {
    let identity = Identity::server(KIND);
    let authority = folder.put("authority.pem", &authority_pem());
    let chain = folder.put("chain.pem", &identity.chain_pem);
    let key = folder.put("key.pem", &identity.key_pem);
    let mut arguments = vec!["s_server", "-accept", "127.0.0.1:0", "-tls1_3"];
    arguments.extend(["-naccept", "1", "-verify_return_error"]);
    arguments.extend(["-CAfile", &authority, "-cert", &chain, "-key", &key]);
    let mut program = Program::start(openssl, &arguments);
    let line = program.wait_for("ACCEPT ");
    let port = line.rsplit(':').next().unwrap().parse().unwrap();
    (program, port)
}

#[test]
fn a_client_of_rustls_cannot_be_asked_after_the_handshake() {
    let Some(openssl) = find("openssl") else {
        return;
    };
    let folder = TemporaryFolder::new();
    let (mut program, port) = asking_program(&openssl, &folder);
    let mut end = peers::rustls::client(&Setup::client(KIND));
    let mut socket = connect(port);
    end.write(b"hello\n");
    drive(&mut end, &mut socket, |end| end.completed());
    program.wait_for("hello");
    program.type_in("c\n");
    program.wait_for("extension not received");
}

#[test]
fn a_client_of_countersign_answers_in_its_place() {
    let Some(openssl) = find("openssl") else {
        return;
    };
    let folder = TemporaryFolder::new();
    let (program, port) = asking_program(&openssl, &folder);
    let program = Arc::new(Mutex::new(program));
    let builder = client_builder(&Setup::default()).ask_for_credential(true);
    let mut end = Countersign::client(&builder.build().unwrap());
    let typist = Arc::clone(&program);
    end.on_credential_question(move |_| {
        // It forgets what is typed together with a command, which has been read by now.
        typist.lock().unwrap().type_in("goodbye\n");
        let Identity {
            chain_pem, key_pem, ..
        } = Identity::client(KIND);
        let credential = Credential::from_pem(chain_pem.as_bytes(), key_pem.as_bytes());
        Poll::Ready(Some(credential.unwrap()))
    });
    let mut socket = connect(port);
    end.write(b"hello\n");
    drive(&mut end, &mut socket, |end| end.completed());
    program.lock().unwrap().wait_for("hello");
    program.lock().unwrap().type_in("c\n");
    drive(&mut end, &mut socket, |end| {
        end.received().ends_with(b"goodbye\n")
    });
    assert!(end.is_fine(), "{:?}", end.failure());
    let certificate = program.lock().unwrap().wait_for("depth=0");
    assert!(certificate.contains("client.example"), "{certificate}");
}
