//! Who checks the peer's certificate: the [`Verifier`] trait and the built-in
//! [`ChainVerifier`].

use std::sync::Arc;

use countersign_x509::{
    ExpectedName, Parameters, PolicyRequirements, Profile, Purpose, Report, Revocation,
    SignatureMemory, SubjectNames, TrustStore, ValidationTime,
};
use pki_types::{CertificateDer, UnixTime};

use crate::alert::Alert;
use crate::verify::mode::Role;
use crate::verify::peer::Since;

/// What a peer presented, and what is expected of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Presented<'a> {
    /// The certificates as received, the peer's own first. Never empty.
    pub chain: &'a [CertificateDer<'static>],
    /// Whose certificates they are.
    pub whose: Role,
    /// The names of which one must be in the peer's certificate. Empty: any will do.
    pub names: &'a [ExpectedName],
    /// The present time.
    pub time: UnixTime,
    /// How many intermediates are allowed, `None` for the default (100).
    pub depth: Option<u32>,
    /// OpenSSL's security level, 0 to 5.
    pub security_level: u8,
    /// On which occasion: in the handshake, after it, or because an earlier session is to be
    /// resumed.
    pub since: Since,
    /// The name of the server: on a client the one it connects to, on a server the one
    /// that the client asked for (SNI).
    pub server_name: Option<&'a str>,
}

impl Presented<'_> {
    /// The parameters of a path validation that these expectations ask for, with the
    /// purpose that fits the role: `serverAuth` for a server's certificate, `clientAuth` for a client's.
    pub fn parameters(&self) -> Parameters {
        let mut parameters = Parameters::new(purpose(self.whose), ValidationTime::At(self.time));
        parameters.names = self.names.into();
        parameters.depth = self.depth;
        parameters.security_level = self.security_level;
        parameters
    }
}

/// What the certificate of that end must be good for.
pub(crate) fn purpose(whose: Role) -> Purpose {
    match whose {
        Role::Server => Purpose::ServerAuth,
        Role::Client => Purpose::ClientAuth,
    }
}

/// Checks certificates. The built-in one is [`ChainVerifier`].
///
/// A verifier reports; what follows from the report is the rule of the
/// [`VerifyMode`](crate::VerifyMode). It must answer at once: whatever needs to wait, for a
/// database or a person, returns [`Verification::Later`], and the connection raises
/// [`Event::Question`](crate::Event::Question). The signature that proves possession of the
/// key is not a verifier's business and cannot be switched off.
///
/// It corresponds to `SSL_CTX_set_cert_verify_callback(3)`.
pub trait Verifier: Send + Sync {
    /// Checks what the peer presented.
    fn verify(&self, presented: &Presented<'_>) -> Verification;

    /// A number that rises whenever the verifier may judge otherwise than before, as
    /// [`TrustStore::epoch`]. Each [`Peer`](crate::Peer) says under which it was verified, so a program can find
    /// the connections to authenticate again. The default is 0: it never changes.
    fn epoch(&self) -> u64 {
        0
    }

    /// The store that reports of this verifier are about. A ticket carries the report on the peer, but
    /// not the certificates of the store; when a session is resumed with
    /// [`ResumePolicy::Reuse`](crate::ResumePolicy::Reuse) they are looked up here. A server also tells its clients the
    /// subjects in it, unless [`authorities`](crate::ConfigBuilder::authorities) says otherwise. The default is
    /// none: the report then lacks the certificates.
    fn trust_store(&self) -> Option<&TrustStore> {
        None
    }
}

impl<V: Verifier + ?Sized> Verifier for Arc<V> {
    fn verify(&self, presented: &Presented<'_>) -> Verification {
        (**self).verify(presented)
    }

    fn epoch(&self) -> u64 {
        (**self).epoch()
    }

    fn trust_store(&self) -> Option<&TrustStore> {
        (**self).trust_store()
    }
}

/// A closure is a verifier that never needs time.
impl<F: Fn(&Presented<'_>) -> Verdict + Send + Sync> Verifier for F {
    fn verify(&self, presented: &Presented<'_>) -> Verification {
        Verification::Now(self(presented))
    }
}

/// What a [`Verifier`] answers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Verification {
    /// This is the outcome.
    Now(Verdict),
    /// The outcome takes time: the connection asks for it with
    /// [`Question::Peer`](crate::Question::Peer) and waits for the answer.
    Later,
}

/// The outcome of checking a peer's certificate.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// Do as the report says (and, if there is one, as the verify callback says).
    Follow(Report),
    /// Accept the peer whatever the report says. The report stays visible.
    Accept {
        /// What was found, for the record.
        despite: Report,
    },
    /// Refuse the peer.
    Reject {
        /// The alert to send.
        alert: Alert,
        /// The reason, for the error and the logs of this side. It is not sent.
        because: String,
    },
}

/// The built-in verifier: a path to a trust anchor, validated as `countersign-x509` does.
///
/// ```
/// use countersign::{ChainVerifier, Revocation, TrustStore};
/// let verifier = ChainVerifier::new(TrustStore::empty()).revocation(Revocation::Leaf);
/// # let _ = verifier;
/// ```
#[derive(Clone, Debug)]
pub struct ChainVerifier {
    trust: TrustStore,
    profile: Option<Profile>,
    revocation: Revocation,
    subject_names: SubjectNames,
    partial_chain: bool,
    strict: bool,
    security_level: Option<u8>,
    time: Option<ValidationTime>,
    policies: Option<PolicyRequirements>,
    signature_memory: Option<SignatureMemory>,
}

/// How many verified signatures a verifier remembers unless told otherwise: about half a megabyte.
const SIGNATURES_REMEMBERED: usize = 4096;

impl ChainVerifier {
    /// A verifier that trusts what `trust` holds, at the time of each handshake.
    pub fn new(trust: TrustStore) -> Self {
        Self {
            trust,
            profile: None,
            revocation: Revocation::None,
            subject_names: SubjectNames::Ignored,
            partial_chain: false,
            strict: false,
            security_level: None,
            time: None,
            policies: None,
            signature_memory: Some(SignatureMemory::new(SIGNATURES_REMEMBERED)),
        }
    }

    /// The rules of path validation. The default is the profile that fits the store:
    /// [`Profile::WebPki`] for public roots, [`Profile::OpenSsl`] for others.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
        self
    }

    /// Which certificates must be covered by a CRL of the store. The default is none
    /// (`X509_V_FLAG_CRL_CHECK`, `X509_V_FLAG_CRL_CHECK_ALL`).
    pub fn revocation(mut self, revocation: Revocation) -> Self {
        self.revocation = revocation;
        self
    }

    /// Lets names in the subject count where a certificate has no alternative names, as OpenSSL does by
    /// default and RFC 9525 §6.3 forbids. By default they do not count
    /// (`X509_CHECK_FLAG_NEVER_CHECK_SUBJECT`).
    pub fn subject_names(mut self, subject_names: SubjectNames) -> Self {
        self.subject_names = subject_names;
        self
    }

    /// Lets a path end at any certificate of the store, self-signed or not
    /// (`X509_V_FLAG_PARTIAL_CHAIN`). Off by default.
    pub fn partial_chain(mut self, allowed: bool) -> Self {
        self.partial_chain = allowed;
        self
    }

    /// Adds the checks of `X509_V_FLAG_X509_STRICT`. Off by default.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// A security level of its own, 0 to 5, in place of the connection's
    /// (`X509_VERIFY_PARAM_set_auth_level`).
    pub fn security_level(mut self, level: u8) -> Self {
        self.security_level = Some(level);
        self
    }

    /// A time of its own, in place of the connection's clock (`X509_VERIFY_PARAM_set_time`,
    /// or `X509_V_FLAG_NO_CHECK_TIME` for [`ValidationTime::Unchecked`]).
    pub fn time(mut self, time: ValidationTime) -> Self {
        self.time = Some(time);
        self
    }

    /// Requires certificate policies (RFC 5280 §6.1, `X509_V_FLAG_POLICY_CHECK`). By default
    /// the profile decides.
    pub fn policies(mut self, required: PolicyRequirements) -> Self {
        self.policies = Some(required);
        self
    }

    /// A memory of verified signatures that several verifiers share, or `None` to verify each signature
    /// every time. By default a verifier has a memory of its own.
    ///
    /// Only that a signature was right is remembered: it depends on nothing but the issuer's key and the
    /// certificate. Dates, names, purposes and revocation are checked anew each time.
    pub fn signature_memory(mut self, memory: Option<SignatureMemory>) -> Self {
        self.signature_memory = memory;
        self
    }

    /// The store it trusts.
    pub fn trust(&self) -> &TrustStore {
        &self.trust
    }

    /// Builds and checks a path for what the peer presented.
    pub fn report(&self, presented: &Presented<'_>) -> Report {
        let mut parameters = presented.parameters();
        parameters.profile = self.profile.unwrap_or_else(|| self.trust.default_profile());
        parameters.revocation = self.revocation;
        parameters.subject_names = self.subject_names;
        parameters.partial_chain = self.partial_chain;
        parameters.strict = self.strict;
        parameters.security_level = self.security_level.unwrap_or(parameters.security_level);
        if let Some(time) = self.time {
            parameters.time = time;
        }
        parameters.policies.clone_from(&self.policies);
        parameters
            .signature_memory
            .clone_from(&self.signature_memory);
        countersign_x509::verify(presented.chain, &self.trust, &parameters)
    }
}

impl Verifier for ChainVerifier {
    fn verify(&self, presented: &Presented<'_>) -> Verification {
        Verification::Now(Verdict::Follow(self.report(presented)))
    }

    fn epoch(&self) -> u64 {
        self.trust.epoch()
    }

    fn trust_store(&self) -> Option<&TrustStore> {
        Some(&self.trust)
    }
}
