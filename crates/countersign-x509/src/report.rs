//! The result of a verification: every check that was made, and what came of it.

use core::fmt;
use std::sync::{Arc, OnceLock};

use pki_types::CertificateDer;

use crate::checks::signature::SignatureFault;
use crate::code::VerifyCode;
use crate::meter::Effort;
use crate::not_chosen::DeadEnds;
use crate::parameters::{Parameters, Profile, Purpose, ValidationTime};
use crate::path::Source;
use crate::reason::{Reason, Skip};
use crate::store::Set;
use crate::verify::verify_under_other_profile;

/// One check of one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// Position of the certificate in the chain: 0 is the peer's own.
    pub depth: u32,
    /// What was checked.
    pub kind: CheckKind,
    /// What came of it.
    pub outcome: Outcome,
}

impl Check {
    pub(crate) const fn new(depth: u32, kind: CheckKind, outcome: Outcome) -> Self {
        Self {
            depth,
            kind,
            outcome,
        }
    }

    /// Why the check failed, if it did.
    pub fn failure(&self) -> Option<Reason> {
        match self.outcome {
            Outcome::Failed(reason) => Some(reason),
            Outcome::Passed | Outcome::Skipped(_) => None,
        }
    }
}

/// What a check looks at. The order is the one in which OpenSSL goes through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CheckKind {
    /// The certificate can be read.
    Encoding,
    /// The strength of the public key suits the security level.
    KeyStrength,
    /// The chain is not longer than allowed.
    ChainLength,
    /// The chain ends at a trust anchor.
    Trust,
    /// Every critical extension is understood.
    CriticalExtensions,
    /// The certificate is not a proxy certificate (RFC 3820).
    ProxyCertificate,
    /// A certificate that issued another is a CA (RFC 5280 §4.2.1.9).
    BasicConstraints,
    /// An elliptic curve key names its curve (RFC 5480 §2.1.1).
    CurveParameters,
    /// The additional rules of strict mode.
    Strict,
    /// The rules of the certificate profile of the public web.
    WebPki,
    /// Key usage and extended key usage allow the use (RFC 5280 §4.2.1.3, §4.2.1.12).
    Purpose,
    /// Path length constraint (RFC 5280 §4.2.1.9).
    PathLength,
    /// The digest of the signature suits the security level.
    SignatureStrength,
    /// The expected host name.
    HostName,
    /// The expected e-mail address.
    Email,
    /// The expected IP address.
    IpAddress,
    /// The expected URI.
    Uri,
    /// The public key can be read.
    PublicKey,
    /// A stapled OCSP response (RFC 6960).
    Ocsp,
    /// Revocation lists (RFC 5280 §6.3).
    Revocation,
    /// The issuer may sign certificates; reported at the issuer's depth.
    IssuerKeyUsage,
    /// The signature is the issuer's.
    Signature,
    /// Start of validity.
    NotBefore,
    /// End of validity.
    NotAfter,
    /// Name constraints of the CAs above (RFC 5280 §4.2.1.10).
    NameConstraints,
    /// Certificate policies of the whole chain (RFC 5280 §6.1).
    Policies,
    /// The application's own judgement, in place of all of these.
    Application,
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a check has no fourth outcome")]
pub enum Outcome {
    /// The certificate satisfies it.
    Passed,
    /// It does not.
    Failed(Reason),
    /// The check was not made.
    Skipped(Skip),
}

impl From<Result<(), Reason>> for Outcome {
    fn from(result: Result<(), Reason>) -> Self {
        result.map_or_else(Self::Failed, |()| Self::Passed)
    }
}

/// Where a certificate of the chain comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// The peer sent it.
    Presented,
    /// The trust store holds it as an intermediate certificate.
    Stored,
    /// The trust store holds it, and the chain's trust rests on it.
    Anchor,
}

/// One certificate of the chain that was built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ChainLink<'a> {
    depth: u32,
    der: &'a [u8],
    origin: Origin,
}

impl<'a> ChainLink<'a> {
    /// Position in the chain: 0 is the peer's own certificate.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// The certificate; empty if the report was [read again](Report::decode) and the certificate is no longer
    /// in the trust store.
    pub fn der(&self) -> &'a [u8] {
        self.der
    }

    /// Where it comes from.
    pub fn origin(&self) -> Origin {
        self.origin
    }
}

impl fmt::Debug for ChainLink<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ChainLink({}, {:?}, {} octets)",
            self.depth,
            self.origin,
            self.der.len()
        )
    }
}

/// Certificates one behind the other, in the order in which the peer sent them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Certificates {
    octets: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Certificates {
    pub(crate) fn copy(certificates: &[CertificateDer<'_>]) -> Self {
        let mut ends = Vec::with_capacity(certificates.len());
        let size = certificates.iter().map(|der| der.len()).sum();
        let mut octets = Vec::with_capacity(size);
        for der in certificates {
            octets.extend_from_slice(der);
            ends.push(octets.len());
        }
        Self { octets, ends }
    }

    /// The certificate in this place, empty if there is none.
    fn certificate(&self, index: usize) -> &[u8] {
        let start = match index.checked_sub(1) {
            None => Some(&0),
            Some(before) => self.ends.get(before),
        };
        let range = start.zip(self.ends.get(index));
        let octets = range.and_then(|(start, end)| self.octets.get(*start..*end));
        octets.unwrap_or_default()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).map(|index| self.certificate(index))
    }
}

/// What a verification was asked, kept so that the other profile can be asked the same.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) parameters: Parameters,
    pub(crate) ocsp_responses: Vec<Box<[u8]>>,
    /// What the other profile says, once somebody has wanted to know.
    answer: OnceLock<Report>,
}

impl Asked {
    pub(crate) fn new(parameters: &Parameters, ocsp_responses: &[&[u8]]) -> Self {
        Self {
            parameters: parameters.clone(),
            ocsp_responses: ocsp_responses.iter().map(|der| Box::from(*der)).collect(),
            answer: OnceLock::new(),
        }
    }
}

/// Everything a report is made of.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) checks: Vec<Check>,
    /// Where the certificates of the chain are.
    pub(crate) chain: Vec<Source>,
    pub(crate) presented: Certificates,
    pub(crate) store: Arc<Set>,
    /// The top of the chain is an anchor.
    pub(crate) anchored: bool,
    pub(crate) not_chosen: DeadEnds,
    pub(crate) effort: Effort,
    pub(crate) purpose: Purpose,
    pub(crate) profile: Profile,
    pub(crate) time: ValidationTime,
    pub(crate) matched_name: Option<Box<str>>,
    /// The names expected, as text; empty unless they failed to match.
    pub(crate) expected: Option<Box<str>>,
    /// Not there if the other profile cannot be asked.
    pub(crate) asked: Option<Asked>,
}

impl Facts {
    /// Those of a verification that has found nothing yet.
    pub(crate) fn new(purpose: Purpose, profile: Profile, time: ValidationTime) -> Self {
        Self {
            checks: Vec::new(),
            chain: Vec::new(),
            presented: Certificates::default(),
            store: Arc::default(),
            anchored: false,
            not_chosen: DeadEnds::default(),
            effort: Effort::default(),
            purpose,
            profile,
            time,
            matched_name: None,
            expected: None,
            asked: None,
        }
    }

    fn certificate(&self, source: Source) -> &[u8] {
        match source {
            Source::Presented(index) => self.presented.certificate(index),
            Source::Stored(position) => self.store.certificate(position),
        }
    }

    /// The signatures on the chain that were verified, with what came of it: of whom, by
    /// whom.
    pub(crate) fn verified_signatures(
        &self,
    ) -> impl Iterator<Item = (Source, Source, Result<(), SignatureFault>)> {
        self.checks.iter().filter_map(|check| {
            let result = match check.outcome {
                _ if check.kind != CheckKind::Signature => return None,
                Outcome::Passed => Ok(()),
                Outcome::Failed(Reason::BadSignature(fault)) => Err(fault),
                Outcome::Failed(_) | Outcome::Skipped(_) => return None,
            };
            let depth = usize::try_from(check.depth).ok()?;
            let above = self.chain.get(depth.checked_add(1)?)?;
            Some((*self.chain.get(depth)?, *above, result))
        })
    }
}

/// The result of [`verify`](crate::verify): every check that was made, in OpenSSL's order, and the
/// chain it was made on.
///
/// A report owns what it needs, can be sent anywhere, and is cheap to clone.
///
/// ```
/// use countersign_x509::{Parameters, Purpose, TrustStore, ValidationTime, VerifyCode, verify};
///
/// let parameters = Parameters::new(Purpose::ServerAuth, ValidationTime::Unchecked);
/// let report = verify(&[], &TrustStore::empty(), &parameters);
/// assert!(!report.is_accepted());
/// assert_eq!(report.code(), VerifyCode::INVALID_CALL);
/// assert_eq!(report.sentence(), "The server sent no certificate.");
/// ```
#[derive(Clone)]
pub struct Report {
    facts: Arc<Facts>,
}

impl Report {
    pub(crate) fn new(facts: Facts) -> Self {
        Self {
            facts: Arc::new(facts),
        }
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The report of an application that verifies certificates by itself, and states the outcome
    /// as a code: accepted with [`VerifyCode::OK`], refused with any other
    /// (`SSL_CTX_set_cert_verify_callback`, `X509_STORE_CTX_set_error`). It has no chain.
    ///
    /// ```
    /// use countersign_x509::{Purpose, Report, VerifyCode};
    /// let code = VerifyCode::APPLICATION_VERIFICATION;
    /// let report = Report::from_application(Purpose::ClientAuth, code);
    /// assert_eq!(report.code(), code);
    /// assert_eq!(report.sentence(), "The client's certificate was refused by the application.");
    /// ```
    pub fn from_application(purpose: Purpose, code: VerifyCode) -> Self {
        Self::stated(purpose, code, Reason::Application(code))
    }

    /// The report of an identity that is taken as it was on an earlier connection, if of that
    /// verification only the code is known: see [`decode`](Self::decode). It has no chain.
    ///
    /// ```
    /// use countersign_x509::{Purpose, Report, VerifyCode};
    /// let report = Report::from_session(Purpose::ClientAuth, VerifyCode::CERT_HAS_EXPIRED);
    /// assert_eq!(report.code(), VerifyCode::CERT_HAS_EXPIRED);
    /// assert!(report.sentence().contains("on an earlier connection"));
    /// ```
    pub fn from_session(purpose: Purpose, code: VerifyCode) -> Self {
        Self::stated(purpose, code, Reason::EarlierConnection(code))
    }

    fn stated(purpose: Purpose, code: VerifyCode, reason: Reason) -> Self {
        let outcome = if code.is_ok() {
            Outcome::Passed
        } else {
            Outcome::Failed(reason)
        };
        Self::new(Facts {
            checks: vec![Check::new(0, CheckKind::Application, outcome)],
            ..Facts::new(purpose, Profile::OpenSsl, ValidationTime::Unchecked)
        })
    }

    /// Every check that applies was passed.
    pub fn is_accepted(&self) -> bool {
        self.first_failure().is_none()
    }

    /// What `SSL_get_verify_result` would say without a verify callback: the code of the first
    /// failure, or [`VerifyCode::OK`].
    pub fn code(&self) -> VerifyCode {
        self.first_failure()
            .and_then(Check::failure)
            .map_or(VerifyCode::OK, |reason| reason.code())
    }

    /// Every check, in the order in which OpenSSL makes them.
    pub fn checks(&self) -> &[Check] {
        &self.facts.checks
    }

    /// Every failed check, in that order.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks()
            .iter()
            .filter(|check| check.failure().is_some())
    }

    /// The failure that explains [`code`](Self::code).
    pub fn first_failure(&self) -> Option<&Check> {
        self.failures().next()
    }

    /// The chain as it was built, the peer's certificate first (`SSL_get0_verified_chain`). It is
    /// there after a failure too.
    pub fn chain(&self) -> impl DoubleEndedIterator<Item = ChainLink<'_>> + ExactSizeIterator {
        (0..self.facts.chain.len()).map(|index| self.link(index))
    }

    /// One certificate of the chain.
    pub fn certificate(&self, depth: u32) -> Option<ChainLink<'_>> {
        let index = usize::try_from(depth).ok()?;
        (index < self.facts.chain.len()).then(|| self.link(index))
    }

    fn link(&self, index: usize) -> ChainLink<'_> {
        let facts = &*self.facts;
        let is_top = facts.chain.len().checked_sub(1) == Some(index);
        let depth = u32::try_from(index).unwrap_or(u32::MAX);
        let source = facts.chain.get(index).copied();
        let origin = match source {
            Some(Source::Stored(_)) if is_top && facts.anchored => Origin::Anchor,
            Some(Source::Stored(_)) => Origin::Stored,
            Some(Source::Presented(_)) | None => Origin::Presented,
        };
        let der = source.map_or(&[][..], |source| facts.certificate(source));
        ChainLink { depth, der, origin }
    }

    pub(crate) fn certificate_from(&self, source: Source) -> &[u8] {
        self.facts.certificate(source)
    }

    /// What the other profile says of the same certificates, at the same time and with the same
    /// parameters.
    ///
    /// It is found out by the first call, which takes about as long as the verification did without its
    /// signatures: those are not verified again. A handshake that does not ask does not pay for it.
    ///
    /// `None` if it cannot be said: in a report that was [stated](Self::from_application), or was itself
    /// returned by this function.
    ///
    /// ```
    /// # use countersign_x509::*;
    /// # let parameters = Parameters::new(Purpose::ServerAuth, ValidationTime::Unchecked);
    /// # let report = verify(&[], &TrustStore::empty(), &parameters);
    /// if let Some(other) = report.under_other_profile() {
    ///     assert_ne!(other.profile(), report.profile());
    ///     assert_eq!(other.code(), VerifyCode::INVALID_CALL);
    /// }
    /// ```
    pub fn under_other_profile(&self) -> Option<&Self> {
        let asked = self.facts.asked.as_ref()?;
        let ask = || verify_under_other_profile(&self.facts, asked);
        Some(asked.answer.get_or_init(ask))
    }

    /// The name in the certificate that matched an expected one, as the certificate has it: it may
    /// hold a wildcard (`X509_VERIFY_PARAM_get0_peername`).
    pub fn matched_name(&self) -> Option<&str> {
        self.facts.matched_name.as_deref()
    }

    /// The rules under which the chain was checked.
    pub fn profile(&self) -> Profile {
        self.facts.profile
    }

    /// Whose certificate was checked.
    pub fn purpose(&self) -> Purpose {
        self.facts.purpose
    }

    /// The moment at which the chain was checked.
    pub fn time(&self) -> ValidationTime {
        self.facts.time
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("code", &self.code())
            .field("chain", &self.chain().collect::<Vec<_>>())
            .field("checks", &self.checks())
            .finish_non_exhaustive()
    }
}
