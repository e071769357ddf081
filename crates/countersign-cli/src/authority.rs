//! A throwaway certificate authority, for trying things and for tests.
//!
//! [`Authority`] is a root with one intermediate that issues certificates for servers and clients.
//! [`Specimens`] holds one certificate of every kind that a verifier has to tell apart, for both roles.
//! Nothing here is meant to protect anything.

use std::fmt;
use std::net::IpAddr;

pub use countersign::Role;
use pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, RsaKeySize, SanType,
};
use time::{Duration, OffsetDateTime};

/// The kind of key that an authority and everything it issues use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA on the curve P-256, signed with SHA-256.
    EcdsaP256,
    /// ECDSA on the curve P-384, signed with SHA-384.
    EcdsaP384,
    /// Ed25519.
    Ed25519,
    /// RSA with 2048 bits, signed with SHA-256 in PKCS#1 form.
    Rsa2048,
    /// RSA with 3072 bits, signed with SHA-256 in PKCS#1 form.
    Rsa3072,
}

impl Algorithm {
    fn generate(self) -> Result<KeyPair, AuthorityError> {
        let key = match self {
            Self::EcdsaP256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
            Self::EcdsaP384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
            Self::Ed25519 => KeyPair::generate_for(&rcgen::PKCS_ED25519),
            Self::Rsa2048 => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048),
            Self::Rsa3072 => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_3072),
        };
        Ok(key?)
    }
}

const fn purpose(role: Role) -> ExtendedKeyUsagePurpose {
    match role {
        Role::Server => ExtendedKeyUsagePurpose::ServerAuth,
        Role::Client => ExtendedKeyUsagePurpose::ClientAuth,
    }
}

/// From when until when a certificate is valid, to the second.
#[derive(Clone, Copy, Debug)]
pub struct Validity {
    /// The first valid second.
    pub from: OffsetDateTime,
    /// The last second.
    pub until: OffsetDateTime,
}

impl Validity {
    /// From an hour before `now`, so that clocks may differ a little, until `days` days after it.
    pub fn days(now: OffsetDateTime, days: u32) -> Self {
        Self {
            from: now.saturating_sub(Duration::hours(1)),
            until: now.saturating_add(Duration::days(i64::from(days))),
        }
    }
}

/// A certificate with its key and the intermediates that belong to it.
pub struct Identity {
    /// What is sent to a peer: the certificate first, then its intermediates, without the root.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key of the first certificate, as PKCS#8.
    pub key: PrivateKeyDer<'static>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("certificates", &self.chain.len())
            .finish_non_exhaustive()
    }
}

/// What a certificate is issued for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whether it is for a server or a client.
    pub role: Role,
    /// Host names, IP addresses or e-mail addresses; the first is the common name too.
    pub names: Vec<String>,
    /// When it is valid.
    pub validity: Validity,
}

/// A root and one intermediate, with their keys.
pub struct Authority {
    algorithm: Algorithm,
    root: CertificateDer<'static>,
    root_issuer: Issuer<'static, KeyPair>,
    intermediate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl Authority {
    /// Makes new keys for a root and an intermediate.
    ///
    /// `name` becomes the beginning of both subjects; a few digits of the key follow it, so that two
    /// authorities made with one name can be told apart.
    ///
    /// ```
    /// use countersign_cli::authority::{Algorithm, Authority, Request, Role, Validity};
    /// use time::OffsetDateTime;
    ///
    /// let validity = Validity::days(OffsetDateTime::now_utc(), 1);
    /// let authority = Authority::new("Test", Algorithm::EcdsaP256, validity)?;
    /// let server = authority.issue(&Request { role: Role::Server, names: vec!["db.example".into()], validity })?;
    /// assert_eq!(server.chain.len(), 2); // the certificate and its intermediate
    /// # Ok::<(), countersign_cli::authority::AuthorityError>(())
    /// ```
    pub fn new(
        name: &str,
        algorithm: Algorithm,
        validity: Validity,
    ) -> Result<Self, AuthorityError> {
        let key = algorithm.generate()?;
        let parameters = authority_parameters(&labelled(name, "root", &key), validity);
        let root = parameters.self_signed(&key)?.der().clone();
        let root_issuer = Issuer::new(parameters, key);
        let (intermediate, issuer) =
            issue_authority(name, "intermediate", algorithm, validity, &root_issuer)?;
        Ok(Self {
            algorithm,
            root,
            root_issuer,
            intermediate,
            issuer,
        })
    }

    /// The root certificate: what the other side has to trust.
    pub fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    /// The intermediate certificate, issued by the root.
    pub fn intermediate(&self) -> &CertificateDer<'static> {
        &self.intermediate
    }

    /// The private keys of the root and of the intermediate, as PEM.
    pub fn keys_pem(&self) -> (String, String) {
        (
            self.root_issuer.key().serialize_pem(),
            self.issuer.key().serialize_pem(),
        )
    }

    /// Issues a certificate through the intermediate.
    pub fn issue(&self, request: &Request) -> Result<Identity, AuthorityError> {
        let parameters = leaf_parameters(request)?;
        self.sign(
            &parameters,
            &self.issuer,
            std::slice::from_ref(&self.intermediate),
        )
    }

    fn sign(
        &self,
        parameters: &CertificateParams,
        issuer: &Issuer<'_, KeyPair>,
        intermediates: &[CertificateDer<'static>],
    ) -> Result<Identity, AuthorityError> {
        let key = self.algorithm.generate()?;
        let leaf = parameters.signed_by(&key, issuer)?.der().clone();
        let mut chain = vec![leaf];
        chain.extend_from_slice(intermediates);
        Ok(Identity {
            chain,
            key: private_key(&key),
        })
    }

    /// Issues through a second intermediate below the first: one more than a depth of 1 allows.
    fn issue_too_deep(&self, request: &Request) -> Result<Identity, AuthorityError> {
        let (lower, issuer) = issue_authority(
            "countersign demo",
            "lower intermediate",
            self.algorithm,
            request.validity,
            &self.issuer,
        )?;
        self.sign(
            &leaf_parameters(request)?,
            &issuer,
            &[lower, self.intermediate.clone()],
        )
    }

    /// Makes a certificate that is signed by its own key and known to nobody.
    fn self_signed(&self, request: &Request) -> Result<Identity, AuthorityError> {
        let key = self.algorithm.generate()?;
        let mut parameters = leaf_parameters(request)?;
        parameters.use_authority_key_identifier_extension = false;
        let leaf = parameters.self_signed(&key)?.der().clone();
        Ok(Identity {
            chain: vec![leaf],
            key: private_key(&key),
        })
    }
}

/// What is right or wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Condition {
    /// Nothing is wrong.
    Good,
    /// It was valid until yesterday.
    Expired,
    /// It is valid from tomorrow.
    NotYetValid,
    /// An authority that nobody trusts issued it.
    UnknownCa,
    /// It is signed by its own key.
    SelfSigned,
    /// A server presents a client's certificate, or the other way round.
    WrongPurpose,
    /// It is for somebody else.
    WrongName,
    /// Two intermediates stand between it and the root, where the limit is one.
    TooDeep,
}

impl Condition {
    /// Every condition, the good one first.
    pub const ALL: [Self; 8] = [
        Self::Good,
        Self::Expired,
        Self::NotYetValid,
        Self::UnknownCa,
        Self::SelfSigned,
        Self::WrongPurpose,
        Self::WrongName,
        Self::TooDeep,
    ];

    /// The condition in words, as `not yet valid`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Expired => "expired",
            Self::NotYetValid => "not yet valid",
            Self::UnknownCa => "unknown CA",
            Self::SelfSigned => "self-signed",
            Self::WrongPurpose => "wrong purpose",
            Self::WrongName => "wrong name",
            Self::TooDeep => "too deep",
        }
    }
}

/// The name that the specimens for servers carry, except those under [`Condition::WrongName`].
pub const SERVER_NAME: &str = "server.demo.example";
/// The name that the specimens for clients carry, except those under [`Condition::WrongName`].
pub const CLIENT_NAME: &str = "client.demo.example";
/// The verify depth under which exactly the specimens of [`Condition::TooDeep`] are too deep.
pub const DEPTH: u32 = 1;

/// A certificate of every [`Condition`] for both roles, and the root that issued the good ones.
#[derive(Debug)]
pub struct Specimens {
    root: CertificateDer<'static>,
    identities: Vec<(Role, Condition, Identity)>,
}

impl Specimens {
    /// Makes them all, with ECDSA P-256 keys, around the time `now`.
    pub fn new(now: OffsetDateTime) -> Result<Self, AuthorityError> {
        let long = Validity {
            from: now.saturating_sub(Duration::days(30)),
            until: now.saturating_add(Duration::days(30)),
        };
        let trusted = Authority::new("countersign demo", Algorithm::EcdsaP256, long)?;
        let stranger = Authority::new("Somebody else's", Algorithm::EcdsaP256, long)?;
        let mut identities = Vec::new();
        for role in [Role::Server, Role::Client] {
            for condition in Condition::ALL {
                let identity = specimen(&trusted, &stranger, role, condition, now)?;
                identities.push((role, condition, identity));
            }
        }
        Ok(Self {
            root: trusted.root().clone(),
            identities,
        })
    }

    /// The root that verifiers trust.
    pub fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    /// The certificate of one role and condition.
    pub fn identity(&self, role: Role, condition: Condition) -> Option<&Identity> {
        let wanted =
            |(of, kind, _): &&(Role, Condition, Identity)| *of == role && *kind == condition;
        self.identities
            .iter()
            .find(wanted)
            .map(|(_, _, identity)| identity)
    }
}

fn specimen(
    trusted: &Authority,
    stranger: &Authority,
    role: Role,
    condition: Condition,
    now: OffsetDateTime,
) -> Result<Identity, AuthorityError> {
    let name = match (condition, role) {
        (Condition::WrongName, _) => "somebody-else.example",
        (_, Role::Server) => SERVER_NAME,
        (_, Role::Client) => CLIENT_NAME,
    };
    let day = |days: i64| now.saturating_add(Duration::days(days));
    let (from, until) = match condition {
        Condition::Expired => (day(-20), day(-1)),
        Condition::NotYetValid => (day(1), day(20)),
        _ => (day(-20), day(20)),
    };
    let request = Request {
        role: if condition == Condition::WrongPurpose {
            role.peer()
        } else {
            role
        },
        names: vec![name.to_owned()],
        validity: Validity { from, until },
    };
    match condition {
        Condition::UnknownCa => stranger.issue(&request),
        Condition::SelfSigned => trusted.self_signed(&request),
        Condition::TooDeep => trusted.issue_too_deep(&request),
        _ => trusted.issue(&request),
    }
}

fn issue_authority(
    name: &str,
    kind: &str,
    algorithm: Algorithm,
    validity: Validity,
    above: &Issuer<'_, KeyPair>,
) -> Result<(CertificateDer<'static>, Issuer<'static, KeyPair>), AuthorityError> {
    let key = algorithm.generate()?;
    let mut parameters = authority_parameters(&labelled(name, kind, &key), validity);
    parameters.use_authority_key_identifier_extension = true;
    let certificate = parameters.signed_by(&key, above)?.der().clone();
    Ok((certificate, Issuer::new(parameters, key)))
}

/// `name kind 1a2b3c4d`, the digits being the beginning of the key's identifier.
fn labelled(name: &str, kind: &str, key: &KeyPair) -> String {
    let identifier = CertificateParams::default().key_identifier(key);
    let digits = identifier
        .iter()
        .take(4)
        .fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"));
    format!("{name} {kind} {digits}")
}

fn authority_parameters(common_name: &str, validity: Validity) -> CertificateParams {
    let mut parameters = named(common_name, validity);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

fn leaf_parameters(request: &Request) -> Result<CertificateParams, AuthorityError> {
    let common_name = request.names.first().ok_or(AuthorityError::NoName)?;
    let mut parameters = named(common_name, request.validity);
    for name in &request.names {
        parameters.subject_alt_names.push(alternative_name(name)?);
    }
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![purpose(request.role)];
    parameters.use_authority_key_identifier_extension = true;
    Ok(parameters)
}

fn named(common_name: &str, validity: Validity) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters
        .distinguished_name
        .push(DnType::CommonName, common_name);
    parameters.not_before = validity.from;
    parameters.not_after = validity.until;
    parameters
}

fn alternative_name(name: &str) -> Result<SanType, AuthorityError> {
    let bad_name = |_| AuthorityError::BadName(name.to_owned());
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    if let Some((local, host)) = name.split_once('@') {
        if local.is_empty() || !is_host_name(host) {
            return Err(AuthorityError::BadName(name.to_owned()));
        }
        return name.try_into().map(SanType::Rfc822Name).map_err(bad_name);
    }
    let host = name.strip_prefix("*.").unwrap_or(name);
    if !is_host_name(host) {
        return Err(AuthorityError::BadName(name.to_owned()));
    }
    name.try_into().map(SanType::DnsName).map_err(bad_name)
}

/// Whether a name consists of labels of letters, digits, hyphens and underscores.
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(allowed)
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

fn private_key(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}

/// Why a certificate could not be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum AuthorityError {
    /// A certificate needs at least one name.
    NoName,
    /// Not a host name, an IP address or an e-mail address.
    BadName(String),
    /// The key or the certificate could not be made.
    Failed(rcgen::Error),
}

impl From<rcgen::Error> for AuthorityError {
    fn from(error: rcgen::Error) -> Self {
        Self::Failed(error)
    }
}

impl fmt::Display for AuthorityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoName => f.write_str("A certificate needs at least one name."),
            Self::BadName(name) => write!(
                f,
                "{name:?} is not a host name, an IP address or an e-mail address."
            ),
            Self::Failed(error) => write!(f, "A certificate could not be made: {error}."),
        }
    }
}

impl std::error::Error for AuthorityError {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{
        Algorithm, Authority, AuthorityError, Condition, Request, Role, Specimens, Validity,
    };
    use time::OffsetDateTime;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    #[test]
    fn every_role_and_condition_has_its_specimen() {
        let specimens = Specimens::new(NOW).unwrap();
        for role in [Role::Server, Role::Client] {
            for condition in Condition::ALL {
                let sent = match condition {
                    Condition::SelfSigned => 1,
                    Condition::TooDeep => 3,
                    _ => 2,
                };
                assert_eq!(
                    specimens.identity(role, condition).unwrap().chain.len(),
                    sent,
                    "{condition:?}"
                );
            }
        }
    }

    #[test]
    fn every_algorithm_issues() {
        for algorithm in [
            Algorithm::EcdsaP256,
            Algorithm::EcdsaP384,
            Algorithm::Ed25519,
            Algorithm::Rsa2048,
        ] {
            let authority = Authority::new("Test", algorithm, Validity::days(NOW, 1)).unwrap();
            assert_ne!(authority.root(), authority.intermediate(), "{algorithm:?}");
        }
    }

    #[test]
    fn two_authorities_of_one_name_have_different_subjects() {
        let make = || Authority::new("Same", Algorithm::EcdsaP256, Validity::days(NOW, 1)).unwrap();
        let roots: HashSet<_> = [make(), make()].iter().map(|a| a.root().to_vec()).collect();
        assert_eq!(roots.len(), 2);
    }

    #[test]
    fn names_that_are_none_are_refused() {
        let authority =
            Authority::new("Test", Algorithm::EcdsaP256, Validity::days(NOW, 1)).unwrap();
        let issue = |name: &str| {
            authority.issue(&Request {
                role: Role::Server,
                names: vec![name.to_owned()],
                validity: Validity::days(NOW, 1),
            })
        };
        for name in [
            "localhost",
            "*.example.org",
            "127.0.0.1",
            "::1",
            "ada@example.org",
        ] {
            issue(name).unwrap();
        }
        for name in [
            "",
            "a b",
            "a..b",
            "über.example",
            "@example.org",
            "ada@",
            "evil\u{1b}[m",
            "*.*.example",
        ] {
            assert!(
                matches!(issue(name), Err(AuthorityError::BadName(_))),
                "{name:?}"
            );
        }
    }
}
