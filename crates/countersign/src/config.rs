//! Configurations: built once, checked when built, immutable, shared by all connections.

pub(crate) mod build_error;
pub(crate) mod builder;
pub(crate) mod credential;
pub(crate) mod environment;
pub(crate) mod limits;

use core::fmt;
use std::sync::Arc;

use countersign_x509::ExpectedName;
use pki_types::ServerName;

use crate::config::builder::{ClientSide, ConfigBuilder, ServerSide};
use crate::config::credential::Credential;
use crate::config::environment::Environment;
use crate::config::limits::Limits;
use crate::connection::established::ProtocolVersion;
use crate::connection::settings::Settings;
use crate::crypto::group::NamedGroup;
use crate::crypto::signature::SignatureScheme;
use crate::crypto::suite::CipherSuite;
use crate::messages::DistinguishedName;
use crate::session::tickets::Resumption;
use crate::verify::mode::Role;
use crate::verify::verifier::Verifier;

/// Which names the peer's certificate must carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerNames {
    /// A client expects the server name it connects to; a server expects no name. The default.
    #[default]
    ServerName,
    /// One of these (`SSL_set1_host`, `SSL_add1_host`, `X509_VERIFY_PARAM_set1_ip`, …). No
    /// configuration can be built with none.
    OneOf(Vec<ExpectedName>),
    /// Any name will do. A client that says so is open to everybody who holds any
    /// certificate of a trusted authority.
    Unchecked,
}

/// What is made of a peer's certificate whose keyUsage extension does not allow the key to sign the handshake,
/// though it does sign it.
///
/// RFC 9846 §4.5.2.2 says that such a certificate must not be used. Certificates of this kind were made
/// for servers when RSA keys encrypted and did not sign, and some are still around.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyUsageRule {
    /// It is accepted, as by OpenSSL, if verification accepts it. The default.
    #[default]
    AsOpenSsl,
    /// It is refused, with the alert `unsupported_certificate`, in every verify mode.
    Enforced,
}

/// What a client does if none of its credentials fits what a server asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WithoutCredential {
    /// It answers without a certificate.
    Answer,
    /// It ends the connection.
    Fail,
}

/// What both roles configure.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own"
)]
pub(crate) struct Config {
    pub(crate) role: Role,
    /// The versions that are allowed; one without a suite is not offered.
    pub(crate) versions: Vec<ProtocolVersion>,
    pub(crate) settings: Settings,
    pub(crate) verifier: Arc<dyn Verifier>,
    pub(crate) names: PeerNames,
    pub(crate) security_level: u8,
    /// The strength that the security level asks for.
    pub(crate) required_bits: u32,
    pub(crate) key_usage: KeyUsageRule,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) suites: Vec<CipherSuite>,
    pub(crate) groups: Vec<NamedGroup>,
    /// Client: of which the first ClientHello holds a share; some of `groups`, in their order.
    pub(crate) key_shares: Vec<NamedGroup>,
    /// In which the peer may sign the handshake.
    pub(crate) signature_schemes: Vec<SignatureScheme>,
    /// In which this side signs the handshake.
    pub(crate) signing_schemes: Vec<SignatureScheme>,
    pub(crate) certificate_schemes: Vec<SignatureScheme>,
    pub(crate) alpn: Vec<Vec<u8>>,
    /// Distinguished names (DER) for `certificate_authorities`.
    pub(crate) authorities: Vec<Vec<u8>>,
    /// The largest content of a record that is sent, in bytes.
    pub(crate) max_fragment: usize,
    pub(crate) send_server_name: bool,
    /// Client: offer post-handshake authentication.
    pub(crate) post_handshake_auth: bool,
    /// Client: ask which credential to show.
    pub(crate) ask_for_credential: bool,
    /// TLS 1.2: a peer without the extended master secret is refused.
    pub(crate) require_extended_master_secret: bool,
    /// Client, TLS 1.2: a server without `renegotiation_info` is refused.
    pub(crate) require_renegotiation_info: bool,
    /// TLS 1.2: the peer may start a renegotiation.
    pub(crate) accept_renegotiation: bool,
    /// TLS 1.2: the peer may be somebody else after a renegotiation.
    pub(crate) accept_identity_change: bool,
    pub(crate) without_credential: WithoutCredential,
    pub(crate) resumption: Resumption,
    pub(crate) environment: Environment,
    pub(crate) limits: Limits,
}

impl Config {
    /// Whether the version is allowed and has a suite, a group for it, and a scheme in which the peer can sign.
    pub(crate) fn offers(&self, version: ProtocolVersion) -> bool {
        let is_usable = |suite: CipherSuite| match version {
            // RFC 9846 §4.3.3: the list of schemes holds at least one.
            ProtocolVersion::Tls13 => self.schemes_of(version).next().is_some(),
            ProtocolVersion::Tls12 => {
                let has_group = || self.groups.iter().any(|group| group.is_for_tls12());
                let has_scheme = || self.schemes_of(version).next().is_some();
                suite.is_anonymous() || has_group() && has_scheme()
            }
        };
        self.versions.contains(&version) && self.suites_of(version).any(is_usable)
    }

    /// The version, if there is but one.
    pub(crate) fn only_version(&self) -> Option<ProtocolVersion> {
        let both = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];
        match both.map(|version| self.offers(version)) {
            [true, false] => Some(ProtocolVersion::Tls12),
            [false, true] => Some(ProtocolVersion::Tls13),
            _ => None,
        }
    }

    /// The suites of a version, most wanted first.
    pub(crate) fn suites_of(
        &self,
        version: ProtocolVersion,
    ) -> impl Iterator<Item = CipherSuite> + Clone {
        let suites = self.suites.iter().copied();
        suites.filter(move |suite| suite.version() == version)
    }

    /// The schemes in which the peer may sign handshakes of a version, most wanted first.
    pub(crate) fn schemes_of(
        &self,
        version: ProtocolVersion,
    ) -> impl Iterator<Item = SignatureScheme> {
        let schemes = self.signature_schemes.iter().copied();
        schemes.filter(move |scheme| signs_handshakes(*scheme, version, self.role.peer()))
    }

    /// The schemes in which this side signs handshakes of a version, most wanted first.
    pub(crate) fn signing_schemes_of(
        &self,
        version: ProtocolVersion,
    ) -> impl Iterator<Item = SignatureScheme> {
        let schemes = self.signing_schemes.iter().copied();
        schemes.filter(move |scheme| signs_handshakes(*scheme, version, self.role))
    }

    /// The names of the authorities, for `certificate_authorities`.
    pub(crate) fn authority_names(&self) -> Vec<DistinguishedName<'_>> {
        self.authorities
            .iter()
            .map(|name| DistinguishedName(name))
            .collect()
    }

    /// The names of which a server's certificate must carry one.
    pub(crate) fn names_of_server(&self, name: &ServerName<'static>) -> Vec<ExpectedName> {
        match &self.names {
            PeerNames::ServerName => vec![ExpectedName::from(name.clone())],
            PeerNames::OneOf(names) => names.clone(),
            PeerNames::Unchecked => Vec::new(),
        }
    }

    /// The names of which a client's certificate must carry one.
    pub(crate) fn names_of_client(&self) -> Vec<ExpectedName> {
        match &self.names {
            PeerNames::OneOf(names) => names.clone(),
            PeerNames::ServerName | PeerNames::Unchecked => Vec::new(),
        }
    }
}

/// Whether this end may sign handshakes of this version in the scheme.
fn signs_handshakes(scheme: SignatureScheme, version: ProtocolVersion, whose: Role) -> bool {
    match version {
        ProtocolVersion::Tls12 => !scheme.is_for_clients_only(),
        // RFC 9963 §3: clients MUST NOT accept the schemes that are for them from a server.
        ProtocolVersion::Tls13 if scheme.is_for_clients_only() => whose == Role::Client,
        ProtocolVersion::Tls13 => !scheme.is_for_certificates_only(),
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("settings", &self.settings)
            .field("names", &self.names)
            .field("credentials", &self.credentials.len())
            .field("suites", &self.suites)
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}

/// How a client connects. Built once, shared by all its connections.
///
/// ```
/// use countersign::{ClientConfig, TrustStore};
/// # fn example(roots: TrustStore) -> Result<(), countersign::BuildError> {
/// let config = ClientConfig::builder().trust(roots).alpn(["http/1.1"]).build()?;
/// # let _ = config; Ok(()) }
/// ```
#[derive(Debug)]
pub struct ClientConfig(pub(crate) Arc<Config>);

impl ClientConfig {
    /// Starts a configuration with the safe defaults: [`PEER`](crate::VerifyMode::PEER),
    /// and the server's name must match.
    pub fn builder() -> ConfigBuilder<ClientSide> {
        ConfigBuilder::new()
    }
}

/// How a server accepts. Built once, shared by all its connections.
///
/// ```no_run
/// use countersign::{Credential, ServerConfig, TrustStore, VerifyMode};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = ServerConfig::builder()
///     .credential(Credential::from_pem_files("chain.pem", "key.pem")?)
///     .trust(TrustStore::from_pem_file("clients.pem")?)
///     .verify(VerifyMode::PEER | VerifyMode::FAIL_IF_NO_PEER_CERT)
///     .build()?;
/// # let _ = config; Ok(()) }
/// ```
#[derive(Debug)]
pub struct ServerConfig(pub(crate) Arc<Config>);

impl ServerConfig {
    /// Starts a configuration that asks nobody for a certificate, as OpenSSL's default.
    pub fn builder() -> ConfigBuilder<ServerSide> {
        ConfigBuilder::new()
    }
}
