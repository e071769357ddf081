//! What the caller wants verified: the counterpart of OpenSSL's `X509_VERIFY_PARAM`.

use core::net::IpAddr;
use std::sync::Arc;

use pki_types::UnixTime;

use crate::oid::OwnedOid;
use crate::signature_memory::SignatureMemory;

/// Whose certificate is verified, which decides the key usages it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// The certificate of a TLS server, verified by a client (`X509_PURPOSE_SSL_SERVER`).
    ServerAuth,
    /// The certificate of a TLS client, verified by a server (`X509_PURPOSE_SSL_CLIENT`).
    ClientAuth,
    /// Any use is good: key usages of end entity and CAs are not looked at.
    Any,
}

/// Which rules of path validation apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// The chain, the codes and the verdict of OpenSSL 3.6, meant for private trust stores.
    OpenSsl,
    /// RFC 5280 and what the CA/Browser Forum demands of public server certificates: a search
    /// over all possible chains within a [`Budget`], stricter checks, and subject alternative
    /// names only. Meant for public trust stores.
    WebPki,
}

/// The identity that the peer's certificate must be for.
///
/// Of several expected names of the same kind one match suffices; each kind that is expected at
/// all must match, as in OpenSSL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExpectedName {
    /// A host name in ASCII (A-labels), as `SSL_set1_host` takes it. In
    /// [`Profile::OpenSsl`] a leading dot stands for every host below that domain.
    Dns(String),
    /// An IP address, compared with `iPAddress` alternative names only.
    Ip(IpAddr),
    /// An e-mail address. The part after `@` is compared without regard to case.
    Email(String),
    /// A URI, compared byte for byte with `uniformResourceIdentifier` alternative names. OpenSSL
    /// has no such check; a mismatch is reported with the code of a host mismatch.
    Uri(String),
}

impl ExpectedName {
    /// A host name or, if the text is an IP address, that address: the rule of `SSL_set1_host`.
    ///
    /// ```
    /// use countersign_x509::ExpectedName;
    /// assert_eq!(ExpectedName::host("db.example"), ExpectedName::Dns("db.example".into()));
    /// assert!(matches!(ExpectedName::host("192.0.2.1"), ExpectedName::Ip(_)));
    /// ```
    pub fn host(text: &str) -> Self {
        text.parse()
            .map_or_else(|_| Self::Dns(text.to_owned()), Self::Ip)
    }
}

impl From<pki_types::ServerName<'_>> for ExpectedName {
    fn from(name: pki_types::ServerName<'_>) -> Self {
        match name {
            pki_types::ServerName::IpAddress(address) => Self::Ip(address.into()),
            other => Self::Dns(other.to_str().into_owned()),
        }
    }
}

/// Whether names in the subject count where a certificate has no alternative names of their kind.
///
/// A certificate says whose it is in its alternative names. Before those were usual, the common name of the
/// subject was taken for a host name, and its `emailAddress` for an e-mail address, whatever the CA had meant
/// by them. RFC 9525 §6.3 forbids it; old private certificates have nothing else.
///
/// ```
/// use countersign_x509::{ExpectedName, Parameters, Purpose, SubjectNames, ValidationTime};
/// let parameters = Parameters::new(Purpose::ServerAuth, ValidationTime::Unchecked)
///     .with_name(ExpectedName::host("db.example"))
///     .with_subject_names(SubjectNames::Fallback);
/// # let _ = parameters;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubjectNames {
    /// They do not count (`X509_CHECK_FLAG_NEVER_CHECK_SUBJECT`).
    #[default]
    Ignored,
    /// A host name may be a common name of a certificate without DNS alternative names, and an e-mail
    /// address an `emailAddress` of one without e-mail alternative names: OpenSSL's default.
    /// [`Profile::WebPki`] does not do it all the same.
    Fallback,
}

/// For which certificates of the chain a revocation list must be at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Revocation {
    /// None; lists in the trust store do nothing (OpenSSL's default).
    None,
    /// The peer's own certificate (`X509_V_FLAG_CRL_CHECK`).
    Leaf,
    /// Every certificate that is not self-signed (`X509_V_FLAG_CRL_CHECK_ALL` besides).
    Chain,
}

/// For which certificates of the chain a stapled OCSP response must be at hand.
///
/// An answer settles the matter: then revocation lists are not asked about that certificate. Where
/// there is no usable answer, but [`Parameters::revocation`] has lists asked, they decide. A
/// certificate that demands a stapled response (RFC 7633) is refused without one in any case, unless
/// responses are ignored altogether.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stapling {
    /// None; responses are not looked at (OpenSSL's default).
    Ignored,
    /// None; but a response that is there is checked.
    IfPresented,
    /// The peer's own certificate (`X509_V_FLAG_OCSP_RESP_CHECK`).
    Leaf,
    /// Every certificate that is not self-signed and whose issuer is in the chain
    /// (`X509_V_FLAG_OCSP_RESP_CHECK_ALL`).
    Chain,
}

/// What is asked of certificate policies (RFC 5280 §6.1.1 (c) to (f), `X509_V_FLAG_POLICY_CHECK`).
///
/// The default accepts every policy, and also that there is none; then a chain fails only if a CA
/// of it demands a policy and none is there.
///
/// ```
/// use countersign_x509::{Parameters, PolicyRequirements, Purpose, ValidationTime};
/// let mut policies = PolicyRequirements::new(["2.16.840.1.101.3.2.1.48.1".parse()?]);
/// policies.explicit = true;
/// let parameters = Parameters::new(Purpose::Any, ValidationTime::Unchecked)
///     .with_policies(policies);
/// # Ok::<(), countersign_x509::InvalidOid>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyRequirements {
    /// The policies one of which must apply, under the names that the anchor gives them; none, or
    /// anyPolicy among them, means any (`X509_VERIFY_PARAM_set1_policies`).
    pub acceptable: Vec<OwnedOid>,
    /// An acceptable policy must apply even if no CA demands one (`X509_V_FLAG_EXPLICIT_POLICY`).
    pub explicit: bool,
    /// No CA may map policies (`X509_V_FLAG_INHIBIT_MAP`).
    pub inhibit_mapping: bool,
    /// anyPolicy in a certificate does not count (`X509_V_FLAG_INHIBIT_ANY`).
    pub inhibit_any: bool,
}

impl PolicyRequirements {
    /// These policies are acceptable, and nothing else is asked.
    pub fn new(acceptable: impl IntoIterator<Item = OwnedOid>) -> Self {
        Self {
            acceptable: acceptable.into_iter().collect(),
            ..Self::default()
        }
    }
}

/// The moment at which certificates and revocation lists must be valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValidationTime {
    /// This moment. This crate has no clock: the caller says what time it is.
    At(UnixTime),
    /// Dates are not checked (`X509_V_FLAG_NO_CHECK_TIME`).
    Unchecked,
}

/// Upper limits of the work of one verification, so that nothing a peer may send makes it slow: with the
/// default, ten milliseconds of CPU time. A path not found within them is a path that does not exist,
/// and a check that cannot be made within them has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Budget {
    /// Signatures verified, over all paths tried, on certificates, revocation lists and OCSP responses. One
    /// means a signature of a key on P-256; others count for several, as P-384 for 4.
    pub signatures: u32,
    /// Comparisons of a name with a name constraint, over all paths tried. Long names count for several.
    pub name_constraint_comparisons: u32,
    /// Certificates looked at while building paths, over all paths tried. Long names count for several, and
    /// so does a complete path that is checked.
    pub steps: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            signatures: 100,
            name_constraint_comparisons: 150_000,
            steps: 2_000,
        }
    }
}

/// Everything [`verify`](crate::verify) is told besides certificates and trust store.
///
/// ```
/// use countersign_x509::{ExpectedName, Parameters, Profile, Purpose, UnixTime, ValidationTime};
/// use std::time::Duration;
///
/// let now = UnixTime::since_unix_epoch(Duration::from_secs(1_780_272_000));
/// let parameters = Parameters::new(Purpose::ServerAuth, ValidationTime::At(now))
///     .with_name(ExpectedName::host("db.example"))
///     .with_depth(3);
/// assert_eq!(parameters.profile, Profile::OpenSsl);
/// assert_eq!(parameters.security_level, 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameters {
    /// The rules that apply.
    pub profile: Profile,
    /// The use the certificate is put to.
    pub purpose: Purpose,
    /// The moment of validity.
    pub time: ValidationTime,
    /// How many intermediate certificates may stand between the peer's certificate and the
    /// anchor; `None` and everything above [`Parameters::MAX_DEPTH`] mean that maximum
    /// (`X509_VERIFY_PARAM_set_depth`).
    pub depth: Option<u32>,
    /// OpenSSL's security level: at least 0, 80, 112, 128, 192, 256 bits of strength for levels
    /// 0 to 5. Larger values mean 5.
    pub security_level: u8,
    /// The identities expected; none means that names are not compared. Clones share them, since every
    /// report keeps what it was asked.
    pub names: Arc<[ExpectedName]>,
    /// Whether names in the subject count where there are no alternative names.
    pub subject_names: SubjectNames,
    /// Whose revocation is checked.
    pub revocation: Revocation,
    /// Whether stapled OCSP responses are needed; [`verify_presented`](crate::verify_presented)
    /// takes them.
    pub stapling: Stapling,
    /// Revocation lists of other issuers (indirect lists), lists for some reasons only and lists
    /// signed by somebody outside the chain are used too (`X509_V_FLAG_EXTENDED_CRL_SUPPORT`).
    pub extended_crls: bool,
    /// What is asked of certificate policies. `None` means that [`Profile::OpenSsl`] does not look at
    /// them, and that [`Profile::WebPki`] checks them by the default requirements.
    pub policies: Option<PolicyRequirements>,
    /// Every certificate of the trust store is an anchor, self-signed or not
    /// (`X509_V_FLAG_PARTIAL_CHAIN`). [`Profile::WebPki`] always works this way.
    pub partial_chain: bool,
    /// The additional RFC 5280 checks of `X509_V_FLAG_X509_STRICT`.
    pub strict: bool,
    /// Limits of the work.
    pub budget: Budget,
    /// Where right signatures are remembered; `None` verifies every signature anew.
    pub signature_memory: Option<SignatureMemory>,
}

impl Parameters {
    /// The largest number of intermediate certificates, and the default, as in OpenSSL.
    pub const MAX_DEPTH: u32 = 100;

    /// OpenSSL's defaults: its profile, security level 2, no expected name, no revocation. Only names in
    /// the subject do not count.
    pub fn new(purpose: Purpose, time: ValidationTime) -> Self {
        Self {
            profile: Profile::OpenSsl,
            purpose,
            time,
            depth: None,
            security_level: 2,
            names: Arc::default(),
            subject_names: SubjectNames::Ignored,
            revocation: Revocation::None,
            stapling: Stapling::Ignored,
            extended_crls: false,
            policies: None,
            partial_chain: false,
            strict: false,
            budget: Budget::default(),
            signature_memory: None,
        }
    }

    /// Sets the profile.
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Sets the largest number of intermediate certificates.
    pub fn with_depth(mut self, depth: u32) -> Self {
        self.depth = Some(depth);
        self
    }

    /// Sets the security level (0 to 5).
    pub fn with_security_level(mut self, level: u8) -> Self {
        self.security_level = level;
        self
    }

    /// Adds one expected name.
    pub fn with_name(mut self, name: ExpectedName) -> Self {
        self.names = self.names.iter().cloned().chain([name]).collect();
        self
    }

    /// Sets whether names in the subject count where there are no alternative names.
    pub fn with_subject_names(mut self, subject_names: SubjectNames) -> Self {
        self.subject_names = subject_names;
        self
    }

    /// Sets whose revocation is checked.
    pub fn with_revocation(mut self, revocation: Revocation) -> Self {
        self.revocation = revocation;
        self
    }

    /// Sets whether stapled OCSP responses are needed.
    pub fn with_stapling(mut self, stapling: Stapling) -> Self {
        self.stapling = stapling;
        self
    }

    /// Has indirect and partial revocation lists used, or only the plain ones.
    pub fn with_extended_crls(mut self, extended_crls: bool) -> Self {
        self.extended_crls = extended_crls;
        self
    }

    /// Has certificate policies checked.
    pub fn with_policies(mut self, policies: PolicyRequirements) -> Self {
        self.policies = Some(policies);
        self
    }

    /// Makes every certificate of the trust store an anchor, or only the self-signed ones.
    pub fn with_partial_chain(mut self, partial_chain: bool) -> Self {
        self.partial_chain = partial_chain;
        self
    }

    /// Switches the additional checks of RFC 5280 on or off.
    pub fn with_strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Has right signatures remembered, so that they are verified once only.
    pub fn with_signature_memory(mut self, memory: SignatureMemory) -> Self {
        self.signature_memory = Some(memory);
        self
    }

    /// Do names in the subject count where there are no alternative names?
    pub(crate) fn falls_back_to_subject(&self) -> bool {
        self.subject_names == SubjectNames::Fallback && self.profile == Profile::OpenSsl
    }

    /// Is every certificate of the trust store an anchor?
    pub(crate) fn takes_partial_chains(&self) -> bool {
        self.partial_chain || self.profile == Profile::WebPki
    }

    /// The depth limit that applies.
    pub(crate) fn depth_limit(&self) -> u32 {
        self.depth
            .map_or(Self::MAX_DEPTH, |depth| depth.min(Self::MAX_DEPTH))
    }

    /// The strength in bits that the security level asks for; 0 asks for none, and then keys of
    /// unknown kind pass too.
    pub fn required_bits(&self) -> u32 {
        match self.security_level {
            0 => 0,
            1 => 80,
            2 => 112,
            3 => 128,
            4 => 192,
            _ => 256,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_capped() {
        let parameters = Parameters::new(Purpose::Any, ValidationTime::Unchecked);
        assert_eq!(parameters.depth_limit(), 100);
        assert_eq!(parameters.clone().with_depth(7).depth_limit(), 7);
        assert_eq!(parameters.with_depth(u32::MAX).depth_limit(), 100);
    }

    #[test]
    fn security_levels_are_those_of_openssl() {
        let bits = |level| {
            let parameters = Parameters::new(Purpose::Any, ValidationTime::Unchecked);
            parameters.with_security_level(level).required_bits()
        };
        assert_eq!(
            [0, 1, 2, 3, 4, 5, 9].map(bits),
            [0, 80, 112, 128, 192, 256, 256]
        );
    }
}
