//! How both ends are configured, and what is around them: the time, whom they trust, where sessions are kept.

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pki_types::UnixTime;

use crate::config::{ClientConfig, ServerConfig};
use crate::connection::established::ProtocolVersion::{self, Tls12, Tls13};
use crate::crypto::signature::SignatureScheme;
use crate::fuzzing::input::Input;
use crate::fuzzing::papers::{NOW, papers};
use crate::verify::mode::{Role, VerifyMode};
use crate::verify::verifier::{Presented, Verification, Verifier};
use crate::{
    Clock, ConfigBuilder, Credential, Decision, Lookup, MemoryStore, NamedGroup, ResumePolicy,
    SessionId, SessionStore, SignError, Signer, TrustStore,
};

/// In seconds.
const HOUR: u64 = 60 * 60;

pub(in crate::fuzzing) struct Configs {
    pub(in crate::fuzzing) client: Arc<ClientConfig>,
    pub(in crate::fuzzing) server: Arc<ServerConfig>,
    pub(super) choices: Choices,
    pub(super) trust: TrustStore,
    /// Where the server keeps sessions, if not in tickets.
    pub(super) shelf: Arc<Shelf>,
    time: Time,
}

impl Configs {
    pub(in crate::fuzzing) fn read(input: &mut Input<'_>) -> Self {
        let choices = Choices::read(input);
        let trust = papers().trust.certificates();
        let trust = TrustStore::from_der(trust).expect("it was read before");
        let time = Time(Arc::new(AtomicU64::new(NOW)));
        let shelf = Arc::new(Shelf {
            sessions: MemoryStore::new(8),
            is_slow: choices.has_slow_store(),
        });
        let around = (&trust, &time);
        let mut client = choices
            .settings(Role::Client, ClientConfig::builder(), around)
            .post_handshake_auth(choices.client_has_certificate())
            .renegotiation(choices.bit(Role::Client, 4) == 0)
            .ask_for_credential(choices.asks_for_credential());
        if choices.client_has_certificate() {
            client = client.credential(choices.credential(Role::Client));
        }
        let mut server = choices
            .settings(Role::Server, ServerConfig::builder(), around)
            .accept_identity_change(choices.bit(Role::Server, 4) == 1)
            .client_renegotiation(choices.chooses(2));
        if choices.server_has_certificate() {
            server = server.credential(choices.credential(Role::Server));
        }
        if choices.bit(Role::Server, 5) == 1 {
            server = server.groups([NamedGroup::Secp256r1]);
        }
        if choices.chooses(3) {
            server = server.session_store(Arc::clone(&shelf));
        }
        if choices.chooses(7) {
            server = server.session_context("fuzzing");
        }
        Self {
            client: client.build().expect("nothing contradicts"),
            server: server.build().expect("nothing contradicts"),
            choices,
            trust,
            shelf,
            time,
        }
    }

    pub(in crate::fuzzing) fn let_time_pass(&self, hours: u8) {
        let seconds = HOUR * u64::from(hours);
        self.time.0.fetch_add(seconds, Ordering::Relaxed);
    }

    /// In seconds since 1970.
    pub(in crate::fuzzing) fn now(&self) -> u64 {
        self.time.0.load(Ordering::Relaxed)
    }

    /// From now on nobody is trusted.
    pub(super) fn withdraw_trust(&self) {
        self.trust.replace(&TrustStore::empty());
    }

    pub(super) fn trusts_nobody(&self) -> bool {
        self.trust.is_empty()
    }
}

/// What the first five bytes say: a byte for either end, the mode of either end, and what else there is to choose.
#[derive(Clone, Copy)]
pub(super) struct Choices {
    ends: [u8; 2],
    modes: [VerifyMode; 2],
    other: u8,
}

impl Choices {
    fn read(input: &mut Input<'_>) -> Self {
        Self {
            ends: [input.byte(), input.byte()],
            modes: [input.byte(), input.byte()].map(mode),
            other: input.byte(),
        }
    }

    fn of<T: Copy>([client, server]: [T; 2], role: Role) -> T {
        match role {
            Role::Client => client,
            Role::Server => server,
        }
    }

    fn bit(self, role: Role, bit: u8) -> u8 {
        Self::of(self.ends, role) >> bit & 1
    }

    fn chooses(self, bit: u8) -> bool {
        self.other >> bit & 1 == 1
    }

    pub(super) fn mode(self, role: Role) -> VerifyMode {
        Self::of(self.modes, role)
    }

    pub(super) fn allows_anonymous(self) -> bool {
        self.chooses(0)
    }

    fn client_has_certificate(self) -> bool {
        !self.chooses(1)
    }

    /// With one, a server prefers the suites that are not anonymous.
    fn server_has_certificate(self) -> bool {
        let may_do_without = self.allows_anonymous() && *self.versions(Role::Server) != [Tls13];
        self.client_has_certificate() || !may_do_without
    }

    fn versions(self, role: Role) -> &'static [ProtocolVersion] {
        match Self::of(self.ends, role) & 3 {
            0 => &[Tls12],
            1 => &[Tls13],
            _ => &[Tls12, Tls13],
        }
    }

    pub(super) fn asks_for_credential(self) -> bool {
        self.bit(Role::Client, 5) == 1
    }

    fn has_slow_store(self) -> bool {
        self.chooses(4)
    }

    fn has_slow_keys(self) -> bool {
        self.chooses(5)
    }

    /// Whether verify callbacks tolerate everything.
    pub(super) fn tolerates(self) -> bool {
        self.chooses(6)
    }

    pub(super) fn reuses(self, role: Role) -> bool {
        self.bit(role, 6) == 1
    }

    /// Whether that end shows a certificate that nobody vouches for.
    pub(super) fn is_stranger(self, role: Role) -> bool {
        self.bit(role, 7) == 1
    }

    /// Its own certificate and key.
    pub(super) fn papers(self, role: Role) -> &'static Credential {
        let papers = papers();
        match role {
            _ if self.is_stranger(role) => &papers.stranger,
            Role::Client => &papers.client,
            Role::Server => &papers.server,
        }
    }

    /// What it is configured with.
    fn credential(self, role: Role) -> Credential {
        let own = self.papers(role);
        if self.has_slow_keys() {
            let slow = Credential::with_signer(own.certificates().to_vec(), SlowKey);
            slow.expect("its certificate was read before")
        } else {
            own.clone()
        }
    }

    fn settings<R>(
        self,
        role: Role,
        builder: ConfigBuilder<R>,
        (trust, time): (&TrustStore, &Time),
    ) -> ConfigBuilder<R> {
        let mut builder = builder
            .clock(time.clone())
            .verify(self.mode(role))
            .versions(self.versions(role).iter().copied());
        if self.allows_anonymous() {
            builder = builder.allow_anonymous();
        }
        if self.tolerates() {
            builder = builder.verify_callback(|_| Decision::Continue);
        }
        if self.reuses(role) {
            builder = builder.resume_policy(ResumePolicy::Reuse);
        }
        builder = match self.bit(role, 2) {
            0 => builder.trust(trust.clone()),
            _ => builder.verifier(SlowVerifier),
        };
        match self.bit(role, 3) {
            0 => builder,
            _ => builder.alpn(["h2"]),
        }
    }
}

pub(super) fn mode(byte: u8) -> VerifyMode {
    let flags = [
        VerifyMode::FAIL_IF_NO_PEER_CERT,
        VerifyMode::CLIENT_ONCE,
        VerifyMode::POST_HANDSHAKE,
    ];
    if byte & 1 == 1 {
        return VerifyMode::NONE;
    }
    let chosen = (1..).zip(flags).filter(|(bit, _)| byte >> bit & 1 == 1);
    chosen.fold(VerifyMode::PEER, |mode, (_, flag)| mode | flag)
}

/// A clock that goes on when it is told to.
#[derive(Clone)]
struct Time(Arc<AtomicU64>);

impl Clock for Time {
    fn now(&self) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(self.0.load(Ordering::Relaxed)))
    }
}

/// Needs time, always.
struct SlowVerifier;

impl Verifier for SlowVerifier {
    fn verify(&self, _: &Presented<'_>) -> Verification {
        Verification::Later
    }
}

/// A key that lives elsewhere.
struct SlowKey;

impl Signer for SlowKey {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::ED25519]
    }

    fn sign(&self, _: SignatureScheme, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Err(SignError::Later)
    }
}

/// A store that may need time.
pub(super) struct Shelf {
    pub(super) sessions: MemoryStore,
    is_slow: bool,
}

impl SessionStore for Shelf {
    fn insert(&self, id: SessionId, session: Vec<u8>, lifetime: Duration) {
        self.sessions.insert(id, session, lifetime);
    }

    fn take(&self, id: &SessionId) -> Lookup {
        if self.is_slow {
            Lookup::Later
        } else {
            self.sessions.take(id)
        }
    }
}
