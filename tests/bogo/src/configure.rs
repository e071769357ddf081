//! From settings to a configuration.

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign::{
    Alert, BuildError, ClientConfig, ClientSessions, Clock, ConfigBuilder, Credential,
    KeyUsageRule, Limits, NamedGroup, PeerNames, Presented, ProtocolVersion, ResumePolicy, Role,
    ServerConfig, SignatureScheme, Since, TicketKeyring, Verdict, Verification, Verifier,
    VerifyCode, VerifyMode,
};
use countersign_x509::{Purpose, Report};
use pki_types::UnixTime;

use crate::reason::Watch;
use crate::settings::{Alpn, Settings, Tickets, VerifyCallback};
use crate::stop::{Stop, unexpected};

/// The schemes that BoringSSL accepts from peers by default, in its order; without those of SHA-1.
const VERIFIED_BY_DEFAULT: &[u16] = &[0x0403, 0x0804, 0x0503, 0x0805, 0x0806];

/// The groups that BoringSSL offers by default, in its order.
const OFFERED_BY_DEFAULT: &[u16] = &[0x11ec, 0x001d, 0x0017, 0x0018];

/// What one process keeps from one connection to the next.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    pub(crate) sessions: ClientSessions,
    pub(crate) keyring: TicketKeyring,
    pub(crate) clock: ShiftedClock,
}

/// A clock that can be put forward.
#[derive(Clone, Default)]
pub(crate) struct ShiftedClock(Arc<AtomicU64>);

impl ShiftedClock {
    pub(crate) fn put_forward(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> UnixTime {
        let seconds = UnixTime::now().as_secs();
        let shift = self.0.load(Ordering::Relaxed);
        UnixTime::since_unix_epoch(Duration::from_secs(seconds.saturating_add(shift)))
    }
}

/// A client's configuration.
pub(crate) fn client(
    settings: &Settings,
    credentials: Vec<Credential>,
    memory: &Memory,
    watch: &Watch,
) -> Result<Arc<ClientConfig>, Stop> {
    let asks = settings.application_chooses
        || settings.expected.authorities.is_some()
        || !settings.expected.peer_schemes.is_empty();
    let must_authenticate = !credentials.is_empty();
    start(ClientConfig::builder(), settings, credentials, memory)?
        .trace(watch.clone())
        .peer_names(PeerNames::Unchecked)
        .send_server_name(settings.host_name.is_some())
        .sessions(memory.sessions.clone())
        .ask_for_credential(asks)
        // BoringSSL does not go on without a certificate if it has some of which none fits.
        .must_authenticate(must_authenticate)
        .build()
        .map_err(not_built)
}

/// A server's configuration.
pub(crate) fn server(
    settings: &Settings,
    credentials: Vec<Credential>,
    memory: &Memory,
    watch: &Watch,
) -> Result<Arc<ServerConfig>, Stop> {
    start(ServerConfig::builder(), settings, credentials, memory)?
        .trace(watch.clone())
        .ticket_keyring(memory.keyring.clone())
        .session_context("bogo")
        .build()
        .map_err(not_built)
}

fn start<R>(
    builder: ConfigBuilder<R>,
    settings: &Settings,
    credentials: Vec<Credential>,
    memory: &Memory,
) -> Result<ConfigBuilder<R>, Stop> {
    if !settings.versions.allow(0x0304) {
        return Err(Stop::Unimplemented("TLS 1.2 and older".to_owned()));
    }
    let mut builder = builder
        .versions([ProtocolVersion::Tls13])
        .verify(mode(settings))
        .verifier(Callback::of(settings))
        // BoringSSL has no security levels.
        .security_level(0)
        .key_usage(KeyUsageRule::Enforced)
        .signing_schemes(SignatureScheme::HANDSHAKE_DEFAULT.iter().copied())
        .resume_policy(resume_policy(settings))
        .clock(memory.clock.clone())
        .authorities(settings.authorities.iter().cloned())
        .alpn(protocols(&settings.alpn)?);
    for credential in credentials {
        builder = builder.credential(credential);
    }
    let offered: &[u16] = match settings.groups.as_slice() {
        [] => OFFERED_BY_DEFAULT,
        groups => groups,
    };
    builder = builder.groups(groups(offered)?);
    let schemes: &[u16] = match settings.verify_schemes.as_slice() {
        [] => VERIFIED_BY_DEFAULT,
        schemes => schemes,
    };
    builder = builder.signature_schemes(known(schemes)?);
    if let Some(size) = settings.max_certificate_list {
        let mut limits = Limits::default();
        limits.message_size = size;
        builder = builder.limits(limits);
    }
    Ok(builder)
}

fn not_built(error: BuildError) -> Stop {
    match error {
        BuildError::NoCredential => Stop::Unimplemented("a server without a credential".to_owned()),
        BuildError::SchemeForCertificatesOnly(scheme) => {
            Stop::Unimplemented(format!("{scheme} in handshakes"))
        }
        error => unexpected(error.to_string()),
    }
}

/// The schemes that are accepted from peers: those of the list, all of which have to be known here.
fn known(numbers: &[u16]) -> Result<Vec<SignatureScheme>, Stop> {
    let known = |number: &u16| {
        let scheme = SignatureScheme::from(*number);
        Some(scheme)
            .filter(|scheme| SignatureScheme::CERTIFICATE_DEFAULT.contains(scheme))
            .ok_or_else(|| Stop::Unimplemented(format!("the signature scheme {scheme}")))
    };
    numbers.iter().map(known).collect()
}

/// As the runner understands its flags: the second of the two wins.
fn mode(settings: &Settings) -> VerifyMode {
    match (settings.verify_peer, settings.require_certificate) {
        (true, _) => VerifyMode::PEER,
        (false, true) => VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT,
        (false, false) => VerifyMode::NONE,
    }
}

fn resume_policy(settings: &Settings) -> ResumePolicy {
    match (settings.tickets, settings.reverify_on_resume) {
        (Tickets::Unwanted, _) => ResumePolicy::Never,
        (Tickets::Sealed, true) => ResumePolicy::Reverify,
        (Tickets::Sealed, false) => ResumePolicy::Reuse,
    }
}

fn groups(numbers: &[u16]) -> Result<Vec<NamedGroup>, Stop> {
    let known = |number: &u16| {
        NamedGroup::from_u16(*number)
            .ok_or_else(|| Stop::Unimplemented(format!("the group {number:#06x}")))
    };
    numbers.iter().map(known).collect()
}

fn protocols(alpn: &Alpn) -> Result<Vec<Vec<u8>>, Stop> {
    match alpn {
        Alpn::Ignored => Ok(Vec::new()),
        Alpn::Advertised(list) => {
            split(list).ok_or_else(|| unexpected("A list of protocols is cut"))
        }
        Alpn::Selected(protocol) => Ok(vec![protocol.clone()]),
        // Nobody offers it, so nothing is in common.
        Alpn::Rejected => Ok(vec![b"no protocol that anybody offers".to_vec()]),
    }
}

/// Takes apart a list of which each element has a length byte.
fn split(mut list: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut elements = Vec::new();
    while let Some((length, rest)) = list.split_first() {
        let (element, rest) = rest.split_at_checked(usize::from(*length))?;
        elements.push(element.to_vec());
        list = rest;
    }
    Some(elements)
}

/// The verifier that stands for the callbacks of BoringSSL's own shim: it believes everybody, or nobody.
struct Callback {
    fails: bool,
    kind: VerifyCallback,
    answers_later: bool,
}

impl Callback {
    fn of(settings: &Settings) -> Self {
        Self {
            fails: settings.verify_fails,
            kind: settings.verify_callback,
            answers_later: settings.answers_later,
        }
    }
}

impl Verifier for Callback {
    fn verify(&self, presented: &Presented<'_>) -> Verification {
        // A client does not wait for a verdict about the server of a session that it may offer.
        let at_once = presented.whose == Role::Server && presented.since == Since::Resumption;
        if self.answers_later && !at_once {
            return Verification::Later;
        }
        Verification::Now(verdict(self.fails, self.kind, presented.whose))
    }
}

/// What the callback says.
pub(crate) fn verdict(fails: bool, kind: VerifyCallback, whose: Role) -> Verdict {
    let purpose = match whose {
        Role::Client => Purpose::ClientAuth,
        Role::Server => Purpose::ServerAuth,
    };
    match (fails, kind) {
        (false, _) => Verdict::Follow(Report::from_application(purpose, VerifyCode::OK)),
        (true, VerifyCallback::OfOpenSsl) => Verdict::Follow(Report::from_application(
            purpose,
            VerifyCode::APPLICATION_VERIFICATION,
        )),
        (true, VerifyCallback::Custom) => Verdict::Reject {
            alert: Alert::CertificateUnknown,
            because: "the callback refuses everybody".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_list_of_protocols_is_taken_apart() {
        assert_eq!(
            split(b"\x02h2\x03foo"),
            Some(vec![b"h2".to_vec(), b"foo".to_vec()])
        );
        assert_eq!(split(b""), Some(Vec::new()));
        assert_eq!(split(b"\x03h2"), None);
    }
}
