//! Every cross-check between the parts of a configuration, made when it is built.

use std::sync::Arc;

use countersign_x509::{Parameters, Purpose, TrustStore, ValidationTime};

use super::{ConfigBuilder, LARGEST_FRAGMENT};
use crate::config::build_error::BuildError;
use crate::config::credential::Credential;
use crate::config::{Config, PeerNames};
use crate::connection::established::ProtocolVersion;
use crate::connection::settings::Settings;
use crate::crypto::group::NamedGroup;
use crate::crypto::signature::SignatureScheme;
use crate::crypto::suite::CipherSuite;
use crate::verify::mode::{Role, VerifyMode};
use crate::verify::policy;
use crate::verify::verifier::ChainVerifier;

impl<R> ConfigBuilder<R> {
    fn check_lists(&self) -> Result<(), BuildError> {
        let is_empty = |given: Option<bool>| given.unwrap_or_default();
        let empty = [
            (self.versions.is_empty(), ".versions(…)"),
            (
                is_empty(self.suites.as_ref().map(Vec::is_empty)),
                ".suites(…)",
            ),
            (self.groups.is_empty(), ".groups(…)"),
            (
                is_empty(self.signature_schemes.as_ref().map(Vec::is_empty)),
                ".signature_schemes(…)",
            ),
            (
                self.signing_schemes.as_ref().is_some_and(Vec::is_empty),
                ".signing_schemes(…)",
            ),
            (
                self.certificate_schemes.is_empty(),
                ".certificate_schemes(…)",
            ),
            // Without a name to expect every name would do, which only `Unchecked` may say.
            (
                matches!(&self.names, PeerNames::OneOf(names) if names.is_empty()),
                ".peer_names(…)",
            ),
        ];
        if let Some((_, call)) = empty.into_iter().find(|(is_empty, _)| *is_empty) {
            return Err(BuildError::EmptyList(call));
        }
        Ok(())
    }

    fn check_contents(&self) -> Result<(), BuildError> {
        let is_tls13_only = !self.versions.contains(&ProtocolVersion::Tls12);
        let lists = [&self.signature_schemes, &self.signing_schemes];
        let mut schemes = lists.into_iter().flatten().flatten();
        if let Some(scheme) =
            schemes.find(|scheme| is_tls13_only && scheme.is_for_certificates_only())
        {
            return Err(BuildError::SchemeForCertificatesOnly(scheme.to_string()));
        }
        let mut suites = self.suites.iter().flatten();
        if let Some(suite) = suites.find(|suite| suite.is_anonymous() && !self.allow_anonymous) {
            return Err(BuildError::AnonymousNotAllowed(*suite));
        }
        // As OpenSSL has it: less would be mostly headers.
        if !(512..=LARGEST_FRAGMENT).contains(&self.max_fragment) {
            return Err(BuildError::BadFragmentSize(self.max_fragment));
        }
        let bad_name = self
            .alpn
            .iter()
            .find(|name| name.is_empty() || name.len() > usize::from(u8::MAX));
        if let Some(name) = bad_name {
            return Err(BuildError::BadProtocolName(
                String::from_utf8_lossy(name).into_owned(),
            ));
        }
        Ok(())
    }

    fn check_verification(&self, mode: VerifyMode) -> Result<(), BuildError> {
        if !mode.is_usable() {
            return Err(BuildError::FlagsWithoutPeer(mode));
        }
        if self.security_level > 5 {
            return Err(BuildError::BadSecurityLevel(self.security_level));
        }
        let trusts_nobody =
            self.verifier.is_none() && self.trust.as_ref().is_none_or(TrustStore::is_empty);
        if policy::needs_trust(mode) && trusts_nobody {
            return Err(BuildError::NothingTrusted);
        }
        Ok(())
    }

    /// Having a credential is the wish to use it, also when it is asked for later. Under
    /// HTTP/2 nobody may ask (RFC 9113 §9.2.3).
    fn offers_post_handshake_auth(&self) -> bool {
        let has_credential = !self.credentials.is_empty() || self.ask_for_credential;
        let only_http2 = !self.alpn.is_empty() && self.alpn.iter().all(|name| name == b"h2");
        self.post_handshake_auth.unwrap_or(has_credential) && !only_http2
    }

    /// Checks everything together, and leaves out what is weaker than the security level asks.
    pub(super) fn finish(
        self,
        role: Role,
        default_authorities: Vec<Vec<u8>>,
    ) -> Result<Config, BuildError> {
        // A client verifies, and answers a server that wants to negotiate again. A server asks
        // nobody, and negotiates again when it wants to.
        let (default_mode, default_renegotiation) = match role {
            Role::Client => (VerifyMode::PEER, true),
            Role::Server => (VerifyMode::NONE, false),
        };
        let mode = self.verify_mode.unwrap_or(default_mode);
        self.check_lists()?;
        self.check_contents()?;
        self.check_verification(mode)?;
        let strength = Strength::of_level(self.security_level);
        strength.check_credentials(&self.credentials)?;
        let post_handshake_auth = self.offers_post_handshake_auth();
        let authorities = self.authorities.unwrap_or(default_authorities);
        check_authorities(&authorities)?;
        let trust = self.trust.unwrap_or_else(TrustStore::empty);
        let suites = choose_suites(self.suites, self.allow_anonymous);
        let (schemes, signing_schemes) =
            choose_schemes(self.signature_schemes, self.signing_schemes);
        let groups = strength.retain(self.groups, NamedGroup::security_bits)?;
        let key_shares = choose_key_shares(self.key_shares, &groups)?;
        check_who_signs(role, (&schemes, &self.certificate_schemes))?;
        let config = Config {
            role,
            versions: self.versions,
            settings: Settings {
                mode,
                depth: self.verify_depth,
                callback: self.verify_callback,
            },
            verifier: self
                .verifier
                .unwrap_or_else(|| Arc::new(ChainVerifier::new(trust))),
            names: self.names,
            security_level: self.security_level,
            required_bits: strength.bits,
            key_usage: self.key_usage,
            credentials: self.credentials,
            suites: strength.retain(suites, CipherSuite::security_bits)?,
            groups,
            key_shares,
            signature_schemes: strength.retain(schemes, SignatureScheme::security_bits)?,
            signing_schemes: strength.retain(signing_schemes, SignatureScheme::security_bits)?,
            certificate_schemes: strength
                .retain(self.certificate_schemes, SignatureScheme::security_bits)?,
            alpn: self.alpn,
            authorities,
            max_fragment: self.max_fragment,
            send_server_name: self.send_server_name,
            post_handshake_auth,
            ask_for_credential: self.ask_for_credential,
            require_extended_master_secret: self.require_extended_master_secret,
            require_renegotiation_info: self.require_renegotiation_info,
            accept_renegotiation: self.accept_renegotiation.unwrap_or(default_renegotiation),
            accept_identity_change: self.accept_identity_change,
            without_credential: self.without_credential,
            resumption: self.resumption,
            environment: self.environment,
            limits: self.limits,
        };
        check_versions(&config)?;
        Ok(config)
    }
}

/// One version at least has to have a suite, and a group for it.
fn check_versions(config: &Config) -> Result<(), BuildError> {
    let mut versions = config.versions.iter();
    if versions.any(|version| config.offers(*version)) {
        return Ok(());
    }
    Err(BuildError::NoSuiteOfVersion)
}

/// The suites as configured or by default.
fn choose_suites(configured: Option<Vec<CipherSuite>>, allow_anonymous: bool) -> Vec<CipherSuite> {
    let may_use = |suite: &CipherSuite| allow_anonymous || !suite.is_anonymous();
    let all = CipherSuite::ALL.iter().copied();
    configured.unwrap_or_else(|| all.filter(may_use).collect())
}

/// The schemes in which the peer and this side sign, as configured or by default.
fn choose_schemes(
    peer: Option<Vec<SignatureScheme>>,
    own: Option<Vec<SignatureScheme>>,
) -> (Vec<SignatureScheme>, Vec<SignatureScheme>) {
    let peer = peer.unwrap_or_else(|| SignatureScheme::HANDSHAKE_DEFAULT.to_vec());
    let own = own.unwrap_or_else(|| peer.clone());
    (peer, own)
}

/// RFC 9963 §3: clients MUST NOT ask servers for the schemes that are for clients, and nobody uses them in
/// certificates.
fn check_who_signs(
    role: Role,
    (handshake, certificates): (&[SignatureScheme], &[SignatureScheme]),
) -> Result<(), BuildError> {
    let handshake = handshake.iter().filter(|_| role == Role::Client);
    let mut asked_for = handshake.chain(certificates);
    match asked_for.find(|scheme| scheme.is_for_clients_only()) {
        Some(scheme) => Err(BuildError::SchemeForClientsOnly(scheme.to_string())),
        None => Ok(()),
    }
}

/// The groups of which a client sends shares, as configured or by default.
fn choose_key_shares(
    configured: Option<Vec<NamedGroup>>,
    groups: &[NamedGroup],
) -> Result<Vec<NamedGroup>, BuildError> {
    let Some(configured) = configured else {
        let first = groups.first();
        let curve = groups.iter().find(|group| !group.has_ml_kem());
        let second = curve.filter(|curve| first != Some(curve));
        return Ok(first.into_iter().chain(second).copied().collect());
    };
    // RFC 9846 §4.3.8: each MUST be in supported_groups, in the same order, and MUST NOT come twice.
    let mut last = None;
    for group in &configured {
        let place = groups.iter().position(|known| known == group);
        if place.is_none() {
            return Err(BuildError::KeyShareOfNoGroup(*group));
        }
        if place <= last {
            return Err(BuildError::KeyShareOutOfOrder(*group));
        }
        last = place;
    }
    Ok(configured)
}

/// RFC 9846 §4.3: the names, each with a two-byte length, share 65,535 bytes with all other
/// extensions of the message.
fn check_authorities(names: &[Vec<u8>]) -> Result<(), BuildError> {
    let lengths = names.iter().map(|name| name.len().saturating_add(2));
    if lengths.sum::<usize>() > 60_000 {
        return Err(BuildError::AuthoritiesTooLong);
    }
    Ok(())
}

/// The least strength that a security level asks for.
struct Strength {
    level: u8,
    bits: u32,
}

impl Strength {
    fn of_level(level: u8) -> Self {
        let rules =
            Parameters::new(Purpose::Any, ValidationTime::Unchecked).with_security_level(level);
        Self {
            level,
            bits: rules.required_bits(),
        }
    }

    /// Leaves out what is weaker.
    fn retain<T: Copy>(
        &self,
        items: Vec<T>,
        bits: impl Fn(T) -> u32,
    ) -> Result<Vec<T>, BuildError> {
        let strong: Vec<T> = items
            .into_iter()
            .filter(|item| bits(*item) >= self.bits)
            .collect();
        if strong.is_empty() {
            return Err(BuildError::NothingStrongEnough(self.level));
        }
        Ok(strong)
    }

    /// Our own certificates are measured as a peer of this level would measure them.
    fn check_credentials(&self, credentials: &[Credential]) -> Result<(), BuildError> {
        let weakest = credentials.iter().map(Credential::key_strength).min();
        match weakest {
            Some(bits) if bits < self.bits => Err(BuildError::CredentialTooWeak {
                bits,
                level: self.level,
                required: self.bits,
            }),
            _ => Ok(()),
        }
    }
}
