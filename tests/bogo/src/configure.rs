//! From settings to a configuration.

use std::sync::Arc;

use countersign::{
    Alert, BuildError, ClientConfig, ConfigBuilder, Credential, KeyUsageRule, Limits, NamedGroup,
    PeerNames, Presented, ProtocolVersion, ResumePolicy, Role, ServerConfig, SignatureScheme,
    Since, Verdict, Verification, Verifier, VerifyCode, VerifyMode,
};
use countersign_x509::{Purpose, Report};

use crate::credential::is_known;
use crate::memory::Memory;
use crate::reason::Watch;
use crate::settings::{Alpn, Renegotiation, Settings, Tickets, VerifyCallback};
use crate::stop::{Stop, unexpected};

/// The schemes that BoringSSL accepts from peers by default, in its order; without those of SHA-1.
const VERIFIED_BY_DEFAULT: &[u16] = &[
    0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601,
];

/// The schemes in which it signs by default, in its order.
const SIGNED_BY_DEFAULT: &[u16] = &[
    0x0807, 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0603, 0x0806, 0x0601,
];

/// The groups that BoringSSL offers by default, in its order.
const OFFERED_BY_DEFAULT: &[u16] = &[0x11ec, 0x001d, 0x0017, 0x0018];

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
    if settings.tickets == Tickets::Unwanted {
        return Err(Stop::Unimplemented("a client without tickets".to_owned()));
    }
    let mut builder = start(ClientConfig::builder(), settings, credentials, memory)?;
    if let Some(shares) = &settings.key_shares {
        builder = builder.key_shares(groups(shares)?);
    }
    builder
        .trace(watch.clone())
        .peer_names(PeerNames::Unchecked)
        .send_server_name(settings.host_name.is_some())
        .sessions(memory.sessions.clone())
        .renegotiation(matches!(
            settings.renegotiation,
            Renegotiation::Once | Renegotiation::Free
        ))
        .require_renegotiation_info(settings.refuses_legacy_servers)
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
    let mut builder = start(ServerConfig::builder(), settings, credentials, memory)?
        .trace(watch.clone())
        .ticket_keyring(memory.keyring.clone())
        .session_context("bogo");
    if settings.keeps_sessions() {
        builder = builder.session_store(Arc::clone(&memory.store));
    }
    builder.build().map_err(not_built)
}

fn start<R>(
    builder: ConfigBuilder<R>,
    settings: &Settings,
    credentials: Vec<Credential>,
    memory: &Memory,
) -> Result<ConfigBuilder<R>, Stop> {
    let mut builder = builder
        .versions(versions(settings)?)
        .verify(mode(settings))
        .verifier(Callback::of(settings))
        // BoringSSL has no security levels.
        .security_level(0)
        .key_usage(KeyUsageRule::Enforced)
        .signing_schemes(signing_schemes(settings)?)
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
    builder = builder.signature_schemes(known(schemes, settings)?);
    if let Some(size) = settings.max_fragment {
        builder = builder.max_fragment(size);
    }
    let mut limits = Limits::default();
    if let Some(size) = settings.max_certificate_list {
        limits.message_size = size;
    }
    if settings.renegotiation == Renegotiation::Once {
        limits.renegotiations = 1;
    }
    Ok(builder.limits(limits))
}

/// Those in which BoringSSL signs by default, and then those that only a credential names.
fn signing_schemes(settings: &Settings) -> Result<Vec<SignatureScheme>, Stop> {
    let mut schemes = known(SIGNED_BY_DEFAULT, settings)?;
    let credentials = settings.credentials.iter();
    let named = credentials
        .chain([&settings.default_credential])
        .flat_map(|credential| credential.schemes.iter().copied())
        .filter(|number| !SIGNED_BY_DEFAULT.contains(number));
    schemes.extend(
        named
            .map(SignatureScheme::from)
            .filter(|scheme| is_known(*scheme)),
    );
    Ok(schemes)
}

/// The versions that are both allowed and ours.
fn versions(settings: &Settings) -> Result<Vec<ProtocolVersion>, Stop> {
    let ours = [
        (0x0303, ProtocolVersion::Tls12),
        (0x0304, ProtocolVersion::Tls13),
    ];
    let allowed = ours
        .into_iter()
        .filter(|(number, _)| settings.versions.allow(*number));
    let allowed: Vec<_> = allowed.map(|(_, version)| version).collect();
    let is_older = |number| settings.versions.allow(number);
    match allowed.as_slice() {
        [] if is_older(0x0301) || is_older(0x0302) => {
            Err(Stop::Unimplemented("TLS 1.1 and older".to_owned()))
        }
        [] => Err(unexpected(":NO_SUPPORTED_VERSIONS_ENABLED:")),
        _ => Ok(allowed),
    }
}

fn not_built(error: BuildError) -> Stop {
    match error {
        BuildError::NoCredential => Stop::Unimplemented("a server without a credential".to_owned()),
        BuildError::SchemeForCertificatesOnly(scheme)
        | BuildError::SchemeForClientsOnly(scheme) => {
            Stop::Unimplemented(format!("{scheme} in these handshakes"))
        }
        error => unexpected(error.to_string()),
    }
}

/// The schemes of the list, all of which have to be known here, as far as a version that is allowed uses them.
fn known(numbers: &[u16], settings: &Settings) -> Result<Vec<SignatureScheme>, Stop> {
    const PKCS1: [u16; 3] = [0x0401, 0x0501, 0x0601];
    let known = |number: &u16| {
        let scheme = SignatureScheme::from(*number);
        Some(scheme)
            .filter(|scheme| is_known(*scheme))
            .ok_or_else(|| Stop::Unimplemented(format!("the signature scheme {scheme}")))
    };
    let may_be_used = |number: &&u16| settings.versions.allow(0x0303) || !PKCS1.contains(number);
    numbers.iter().filter(may_be_used).map(known).collect()
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
    // TLS 1.3 has nothing but tickets.
    let is_tls13_only = !settings.versions.allow(0x0303);
    if settings.tickets == Tickets::Unwanted && is_tls13_only {
        return ResumePolicy::Never;
    }
    if settings.reverify_on_resume {
        ResumePolicy::Reverify
    } else {
        ResumePolicy::Reuse
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
