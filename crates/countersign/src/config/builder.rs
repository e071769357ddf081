//! The builder of both configurations.

mod checks;

use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;
use std::sync::Arc;

use countersign_x509::{Decision, Step, TrustStore};

use crate::config::build_error::BuildError;
use crate::config::credential::Credential;
use crate::config::environment::{Clock, Environment, KeyLog};
use crate::config::limits::Limits;
use crate::config::{ClientConfig, KeyUsageRule, PeerNames, ServerConfig, WithoutCredential};
use crate::connection::established::ProtocolVersion;
use crate::connection::trace::Trace;
use crate::crypto::group::NamedGroup;
use crate::crypto::random::Random;
use crate::crypto::signature::SignatureScheme;
use crate::crypto::suite::CipherSuite;
use crate::session::ResumePolicy;
use crate::session::client_cache::ClientSessions;
use crate::session::keyring::TicketKeyring;
use crate::session::store::SessionStore;
use crate::session::tickets::{LONGEST_LIFETIME, Resumption};
use crate::verify::judgement::VerifyCallback;
use crate::verify::mode::{Role, VerifyMode};
use crate::verify::verifier::{Presented, Verifier};

/// RFC 9846 §5.1: a record holds at most 2^14 bytes.
const LARGEST_FRAGMENT: usize = 1 << 14;

/// Builds a [`ClientConfig`].
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "it has no values")]
pub enum ClientSide {}

/// Builds a [`ServerConfig`].
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "it has no values")]
pub enum ServerSide {}

/// Builds a [`ClientConfig`] or a [`ServerConfig`]: set what differs from the default, in
/// any order, then `build()`, which checks everything together.
#[must_use = "a builder does nothing until build() is called"]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own"
)]
pub struct ConfigBuilder<R> {
    versions: Vec<ProtocolVersion>,
    verify_mode: Option<VerifyMode>,
    verify_depth: Option<u32>,
    verify_callback: Option<Arc<VerifyCallback>>,
    trust: Option<TrustStore>,
    verifier: Option<Arc<dyn Verifier>>,
    names: PeerNames,
    security_level: u8,
    key_usage: KeyUsageRule,
    credentials: Vec<Credential>,
    suites: Option<Vec<CipherSuite>>,
    allow_anonymous: bool,
    groups: Vec<NamedGroup>,
    key_shares: Option<Vec<NamedGroup>>,
    signature_schemes: Option<Vec<SignatureScheme>>,
    signing_schemes: Option<Vec<SignatureScheme>>,
    certificate_schemes: Vec<SignatureScheme>,
    alpn: Vec<Vec<u8>>,
    authorities: Option<Vec<Vec<u8>>>,
    max_fragment: usize,
    send_server_name: bool,
    post_handshake_auth: Option<bool>,
    ask_for_credential: bool,
    require_extended_master_secret: bool,
    require_renegotiation_info: bool,
    accept_renegotiation: Option<bool>,
    accept_identity_change: bool,
    without_credential: WithoutCredential,
    resumption: Resumption,
    environment: Environment,
    limits: Limits,
    role: PhantomData<R>,
}

impl<R> ConfigBuilder<R> {
    pub(crate) fn new() -> Self {
        Self {
            versions: vec![ProtocolVersion::Tls12, ProtocolVersion::Tls13],
            verify_mode: None,
            verify_depth: None,
            verify_callback: None,
            trust: None,
            verifier: None,
            names: PeerNames::ServerName,
            security_level: 2,
            key_usage: KeyUsageRule::default(),
            credentials: Vec::new(),
            suites: None,
            allow_anonymous: false,
            groups: NamedGroup::DEFAULT.to_vec(),
            key_shares: None,
            signature_schemes: None,
            signing_schemes: None,
            certificate_schemes: SignatureScheme::CERTIFICATE_DEFAULT.to_vec(),
            alpn: Vec::new(),
            authorities: None,
            max_fragment: LARGEST_FRAGMENT,
            send_server_name: true,
            post_handshake_auth: None,
            ask_for_credential: false,
            require_extended_master_secret: false,
            require_renegotiation_info: true,
            accept_renegotiation: None,
            accept_identity_change: false,
            without_credential: WithoutCredential::Answer,
            resumption: Resumption::default(),
            environment: Environment::default(),
            limits: Limits::default(),
            role: PhantomData,
        }
    }

    /// The versions of the protocol (`SSL_CTX_set_min_proto_version`, `SSL_CTX_set_max_proto_version`). The default is
    /// TLS 1.2 and TLS 1.3; the newer one is used if both ends have it.
    ///
    /// ```
    /// use countersign::{ClientConfig, ProtocolVersion, VerifyMode};
    /// let newest_only = ClientConfig::builder().versions([ProtocolVersion::Tls13]);
    /// # newest_only.verify(VerifyMode::NONE).build().unwrap();
    /// ```
    pub fn versions(mut self, versions: impl IntoIterator<Item = ProtocolVersion>) -> Self {
        self.versions = versions.into_iter().collect();
        self
    }

    /// How the peer is verified (`SSL_CTX_set_verify`). The default is `PEER` for a client
    /// and `NONE` for a server.
    pub fn verify(mut self, mode: VerifyMode) -> Self {
        self.verify_mode = Some(mode);
        self
    }

    /// How many intermediate certificates a peer's chain may have; neither its own
    /// certificate nor the trust anchor counts (`SSL_CTX_set_verify_depth`). The default is 100.
    pub fn verify_depth(mut self, intermediates: u32) -> Self {
        self.verify_depth = Some(intermediates);
        self
    }

    /// A callback that sees each step of the verification, in OpenSSL's order, and may
    /// tolerate an error or refuse a certificate (`SSL_CTX_set_verify`, third argument).
    ///
    /// It is called after all checks have been made, on one connection at a time, from
    /// whatever thread drives that connection.
    pub fn verify_callback(
        self,
        callback: impl Fn(&mut Step<'_>) -> Decision + Send + Sync + 'static,
    ) -> Self {
        self.verify_callback_with(move |step, _| callback(step))
    }

    /// The same, for a callback that also wants to see which connection it is about: the role, the
    /// server's name, the occasion, all certificates as they were sent.
    pub fn verify_callback_with(
        mut self,
        callback: impl Fn(&mut Step<'_>, &Presented<'_>) -> Decision + Send + Sync + 'static,
    ) -> Self {
        self.verify_callback = Some(Arc::new(callback));
        self
    }

    /// What a resumption may skip. The default is [`ResumePolicy::Reverify`]: nothing.
    pub fn resume_policy(mut self, policy: ResumePolicy) -> Self {
        self.resumption.policy = policy;
        self
    }

    /// Whom to trust, with the built-in verifier (`SSL_CTX_set1_verify_cert_store`). If there is a
    /// [`verifier`](Self::verifier) too, that one decides, whichever was given first.
    pub fn trust(mut self, store: TrustStore) -> Self {
        self.trust = Some(store);
        self
    }

    /// Who checks certificates, in place of the built-in verifier with its defaults
    /// (`SSL_CTX_set_cert_verify_callback`). For the built-in one with options give a [`ChainVerifier`](crate::ChainVerifier).
    pub fn verifier(mut self, verifier: impl Verifier + 'static) -> Self {
        self.verifier = Some(Arc::new(verifier));
        self
    }

    /// Which names the peer's certificate must carry (`SSL_set1_host`).
    pub fn peer_names(mut self, names: PeerNames) -> Self {
        self.names = names;
        self
    }

    /// OpenSSL's security level, 0 to 5 (`SSL_CTX_set_security_level`): the least strength of
    /// the keys and signatures in the peer's chain, of this side's own certificate, and of the
    /// suites, groups and signature schemes, of which the weaker ones are left out. The default is 2: 112 bits,
    /// RSA 2048. Levels 3, 4 and 5 ask for 128, 192 and 256 bits.
    pub fn security_level(mut self, level: u8) -> Self {
        self.security_level = level;
        self
    }

    /// Whether the peer's key may sign the handshake if its certificate does not say so.
    pub fn key_usage(mut self, rule: KeyUsageRule) -> Self {
        self.key_usage = rule;
        self
    }

    /// A certificate chain with its private key. May be called again: of those that the peer can verify, the
    /// first of which it names an issuer is used, else the first (see
    /// [`Credential::only_for_its_authorities`]).
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credentials.push(credential);
        self
    }

    /// The cipher suites, most wanted first. A version without one is not offered. The default is
    /// [`CipherSuite::defaults`].
    pub fn suites(mut self, suites: impl IntoIterator<Item = CipherSuite>) -> Self {
        self.suites = Some(suites.into_iter().collect());
        self
    }

    /// Allows the suites under which **neither end authenticates** (`aNULL` in OpenSSL's cipher strings). They exist in
    /// TLS 1.2 only, and come after all others unless [`suites`](Self::suites) says otherwise.
    ///
    /// They keep out who only listens; anybody in between reads and changes everything. A client in any mode,
    /// `PEER` among them, takes such a server for whom it wants (`SSL_CTX_set_verify(3)`), so a
    /// program has to look at [`Connection::is_anonymous`](crate::Connection::is_anonymous). There is no [`Peer`](crate::Peer). A server whose mode
    /// has `PEER` and `FAIL_IF_NO_PEER_CERT` does not offer them.
    pub fn allow_anonymous(mut self) -> Self {
        self.allow_anonymous = true;
        self
    }

    /// Refuses a peer of TLS 1.2 without the extended master secret (RFC 7627). The default is no: such
    /// a connection works, but can neither be resumed nor renegotiated, and exports no keying material.
    pub fn require_extended_master_secret(mut self, require: bool) -> Self {
        self.require_extended_master_secret = require;
        self
    }

    /// Lets the peer be somebody else after a renegotiation of TLS 1.2 than it was before.
    ///
    /// The default is no (RFC 5746 §5): an application that asked once who is at the other
    /// end would not notice. A client that had no certificate may show one in any case.
    pub fn accept_identity_change(mut self, accept: bool) -> Self {
        self.accept_identity_change = accept;
        self
    }

    /// The groups of the key exchange, most wanted first (`SSL_CTX_set1_groups_list`). The default is
    /// [`NamedGroup::DEFAULT`].
    pub fn groups(mut self, groups: impl IntoIterator<Item = NamedGroup>) -> Self {
        self.groups = groups.into_iter().collect();
        self
    }

    /// The schemes in which the peer may sign the handshake, most wanted first, and in which this side signs
    /// (`SSL_CTX_set1_sigalgs`). Those of RSASSA-PKCS1-v1_5 are used in TLS 1.2 alone. The default is
    /// [`SignatureScheme::HANDSHAKE_DEFAULT`].
    pub fn signature_schemes(mut self, schemes: impl IntoIterator<Item = SignatureScheme>) -> Self {
        self.signature_schemes = Some(schemes.into_iter().collect());
        self
    }

    /// The schemes in which this side signs, most wanted first, if they are other ones than the peer may use. With
    /// those of RFC 9963 at the end, a client uses a key that can do nothing better, if the server has them among its
    /// [`signature_schemes`](Self::signature_schemes).
    pub fn signing_schemes(mut self, schemes: impl IntoIterator<Item = SignatureScheme>) -> Self {
        self.signing_schemes = Some(schemes.into_iter().collect());
        self
    }

    /// The schemes that the peer's certificates should be signed in, as it is told
    /// (`signature_algorithms_cert`, RFC 9846 §4.3.3).
    pub fn certificate_schemes(
        mut self,
        schemes: impl IntoIterator<Item = SignatureScheme>,
    ) -> Self {
        self.certificate_schemes = schemes.into_iter().collect();
        self
    }

    /// The application protocols, most wanted first (ALPN, RFC 7301). With at least one on
    /// both sides, a connection without a common one fails.
    pub fn alpn<P: AsRef<[u8]>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.alpn = protocols
            .into_iter()
            .map(|protocol| protocol.as_ref().to_vec())
            .collect();
        self
    }

    /// The names of the authorities that the peer is told it may have its certificate from:
    /// distinguished names in DER (`SSL_CTX_set_client_CA_list`, `SSL_CTX_set0_CA_list`). They are advice, not a check. The
    /// default for a server is the subjects in its trust store, for which the one of its [`verifier`](Self::verifier)
    /// counts first, and none for a client.
    pub fn authorities(mut self, names: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.authorities = Some(names.into_iter().collect());
        self
    }

    /// The largest content of a record that this side sends, in bytes (`SSL_CTX_set_max_send_fragment`): 512 to 16,384, which is the
    /// default.
    ///
    /// The peer can read a record when it has all of it. Where bytes come slowly, or are lost now and then, smaller records
    /// arrive sooner; each costs 21 to 29 bytes more, and the work of one more encryption. It says nothing about what the peer sends.
    /// The keys of TLS 1.2, which only a renegotiation changes, are with AES-GCM good for 23,726,566 records of any size
    /// ([`Error::KeyExhausted`](crate::Error::KeyExhausted)).
    ///
    /// ```
    /// use countersign::{ClientConfig, VerifyMode};
    /// // A record fits into one packet of an Ethernet.
    /// let config = ClientConfig::builder().max_fragment(1_400);
    /// # config.verify(VerifyMode::NONE).build().unwrap();
    /// ```
    pub fn max_fragment(mut self, bytes: usize) -> Self {
        self.max_fragment = bytes;
        self
    }

    /// Where time comes from. The default is the operating system's clock.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.environment.clock = Arc::new(clock);
        self
    }

    /// Where random bytes come from (see [`Random`]); signatures and all other keys use the
    /// cryptographic library's own. The default is the operating system. For tests.
    pub fn random(mut self, random: impl Random + 'static) -> Self {
        self.environment.random = Arc::new(random);
        self
    }

    /// Hands the secrets of each connection to `log` (`SSL_CTX_set_keylog_callback`). Off by default.
    pub fn key_log(mut self, log: impl KeyLog + 'static) -> Self {
        self.environment.key_log = Some(Arc::new(log));
        self
    }

    /// Tells `trace` what each connection says, hears and decides (`SSL_CTX_set_msg_callback`). Off by
    /// default.
    pub fn trace(mut self, trace: impl Trace + 'static) -> Self {
        self.environment.trace = Some(Arc::new(trace));
        self
    }

    /// Bounds on what a peer can make a connection do.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

impl ConfigBuilder<ClientSide> {
    /// Whether the server is told the name that is connected to (SNI, RFC 6066 §3). The
    /// default is yes.
    pub fn send_server_name(mut self, send: bool) -> Self {
        self.send_server_name = send;
        self
    }

    /// Whether the server may ask for a certificate after the handshake (RFC 9846 §4.3.6,
    /// `SSL_CTX_set_post_handshake_auth`). The default is yes if there is a credential to show, and no
    /// otherwise. It is never offered if HTTP/2 is all that is offered.
    pub fn post_handshake_auth(mut self, offer: bool) -> Self {
        self.post_handshake_auth = Some(offer);
        self
    }

    /// The groups of which the first ClientHello holds a share, in the order of [`groups`](Self::groups) (RFC 9846
    /// §4.3.8; in `SSL_CTX_set1_groups_list` a `*` marks them). The default is the first group, and beside one with
    /// ML-KEM, which many servers do not have, the first one without.
    ///
    /// A share that the server has no use for costs time and bytes: 36 bytes for X25519, 69 for P-256, 101 for P-384, 137
    /// for P-521; with ML-KEM-768 1,220 (X25519) or 1,253 (P-256), with ML-KEM-1024 1,572 (alone) or 1,669 (P-384). A
    /// share that it misses costs a round trip: it asks for it with a HelloRetryRequest. With an empty list it always has to.
    ///
    /// ```
    /// use countersign::{ClientConfig, NamedGroup, VerifyMode};
    /// // These servers are known to want P-256, but one day they may want more.
    /// let config = ClientConfig::builder()
    ///     .groups([NamedGroup::X25519MlKem768, NamedGroup::Secp256r1])
    ///     .key_shares([NamedGroup::Secp256r1]);
    /// # config.verify(VerifyMode::NONE).build().unwrap();
    /// ```
    pub fn key_shares(mut self, groups: impl IntoIterator<Item = NamedGroup>) -> Self {
        self.key_shares = Some(groups.into_iter().collect());
        self
    }

    /// Asks with [`Question::Credential`](crate::Question::Credential) which certificate to
    /// show each time a server wants one, instead of taking the first that fits
    /// (`SSL_CTX_set_client_cert_cb`).
    pub fn ask_for_credential(mut self, ask: bool) -> Self {
        self.ask_for_credential = ask;
        self
    }

    /// Whether a server of TLS 1.2 may have the handshake made again, to ask for a certificate late
    /// (`SSL_OP_NO_RENEGOTIATION` says no). The default is yes, a few times on a connection
    /// ([`Limits::renegotiations`]), if the server has secure renegotiation (RFC 5746) and the extended master secret (RFC 7627), and
    /// never under HTTP/2. A request that is refused is answered with the warning `no_renegotiation`.
    pub fn renegotiation(mut self, accept: bool) -> Self {
        self.accept_renegotiation = Some(accept);
        self
    }

    /// Whether a server of TLS 1.2 must have secure renegotiation (RFC 5746); no is
    /// `SSL_OP_LEGACY_SERVER_CONNECT`. The default is yes: whether somebody put his own words before ours cannot
    /// be seen otherwise. Every server that was maintained since 2010 has it.
    pub fn require_renegotiation_info(mut self, require: bool) -> Self {
        self.require_renegotiation_info = require;
        self
    }

    /// Ends the connection with [`Error::NothingInCommon`](crate::Error::NothingInCommon) if a server asks for a
    /// certificate and none of the credentials fits, instead of answering without one (RFC 9846
    /// §4.5.2). The server might go on with a client that it does not know; here it is known at once, and why. By
    /// default the server is left to say what it thinks of that.
    pub fn must_authenticate(mut self, must: bool) -> Self {
        self.without_credential = if must {
            WithoutCredential::Fail
        } else {
            WithoutCredential::Answer
        };
        self
    }

    /// Where tickets are kept. The default is a memory of this configuration's own, for
    /// 256 servers.
    pub fn sessions(mut self, sessions: ClientSessions) -> Self {
        self.resumption.sessions = sessions;
        self
    }

    /// Checks everything together and builds the configuration.
    ///
    /// # Errors
    /// A [`BuildError`] names the call that is missing or mistaken.
    pub fn build(self) -> Result<Arc<ClientConfig>, BuildError> {
        let config = self.finish(Role::Client, Vec::new())?;
        Ok(Arc::new(ClientConfig(Arc::new(config))))
    }
}

impl ConfigBuilder<ServerSide> {
    /// Whether a client of TLS 1.2 may make the handshake again on its own
    /// (`SSL_OP_ALLOW_CLIENT_RENEGOTIATION`). The default is no: it costs a server much and a client little. A
    /// client that tries is answered with the warning `no_renegotiation`.
    pub fn client_renegotiation(mut self, accept: bool) -> Self {
        self.accept_renegotiation = Some(accept);
        self
    }

    /// The keys that seal tickets. The default is a keyring of this configuration's own.
    pub fn ticket_keyring(mut self, keyring: TicketKeyring) -> Self {
        self.resumption.keyring = keyring;
        self
    }

    /// Keeps sessions in a store, instead of in the tickets: a ticket is then a random name, and each
    /// session is used once (`SSL_OP_NO_TICKET`). What is stored resumes as what is in tickets.
    pub fn session_store(mut self, store: impl SessionStore + 'static) -> Self {
        self.resumption.store = Some(Arc::new(store));
        self
    }

    /// How long a ticket lives, at most seven days. The default is two hours. It never outlives
    /// the client's certificate.
    pub fn ticket_lifetime(mut self, lifetime: Duration) -> Self {
        let seconds = u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX);
        self.resumption.lifetime = seconds.min(LONGEST_LIFETIME);
        self
    }

    /// How many tickets follow a full handshake or an authentication
    /// (`SSL_CTX_set_num_tickets`). The default is 2; a resumed handshake is followed by one.
    pub fn tickets(mut self, count: u8) -> Self {
        self.resumption.tickets = count;
        self
    }

    /// Keeps the sessions of this configuration apart from those of others that share its
    /// keyring (`SSL_CTX_set_session_id_context`). Any bytes; the default is none.
    pub fn session_context(mut self, context: impl AsRef<[u8]>) -> Self {
        self.resumption.context = context.as_ref().to_vec();
        self
    }

    /// Checks everything together and builds the configuration.
    ///
    /// # Errors
    /// A [`BuildError`] names the call that is missing or mistaken.
    pub fn build(mut self) -> Result<Arc<ServerConfig>, BuildError> {
        if self.credentials.is_empty() {
            // The anonymous suites of TLS 1.2 do without, and nothing else does.
            let may_do_without = self.allow_anonymous;
            self.versions
                .retain(|version| may_do_without && *version == ProtocolVersion::Tls12);
            if self.versions.is_empty() {
                return Err(BuildError::NoCredential);
            }
        }
        // Clients are told of whom the verifier takes certificates, so its own store goes first.
        let verifier = self.verifier.as_deref();
        let store = verifier
            .and_then(Verifier::trust_store)
            .or(self.trust.as_ref());
        let subjects = store.map(TrustStore::subjects).unwrap_or_default();
        let config = self.finish(Role::Server, subjects)?;
        Ok(Arc::new(ServerConfig(Arc::new(config))))
    }
}

impl<R> fmt::Debug for ConfigBuilder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigBuilder")
            .field("verify_mode", &self.verify_mode)
            .field("credentials", &self.credentials.len())
            .finish_non_exhaustive()
    }
}
