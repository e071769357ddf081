//! The result of a verification: every check that was made, and what came of it.

use core::fmt;
use core::ops::Range;
use std::sync::Arc;

use crate::code::VerifyCode;
use crate::parameters::{Profile, Purpose, ValidationTime};
use crate::reason::{Reason, Skip};
use crate::store::Set;

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

    /// The certificate.
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

/// How the report holds a certificate: what the peer sent is copied, what the store holds is not.
#[derive(Clone, Debug)]
pub(crate) enum Link {
    /// Octets of [`Facts::presented`].
    Presented(Range<usize>),
    /// Index into the certificates of the store.
    Stored(usize),
}

/// Everything a report is made of.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) checks: Vec<Check>,
    pub(crate) links: Vec<Link>,
    pub(crate) presented: Vec<u8>,
    pub(crate) store: Arc<Set>,
    /// The top of the chain is an anchor.
    pub(crate) anchored: bool,
    pub(crate) purpose: Purpose,
    pub(crate) profile: Profile,
    pub(crate) time: ValidationTime,
    pub(crate) matched_name: Option<Box<str>>,
    /// The names expected, as text; empty unless they failed to match.
    pub(crate) expected: Option<Box<str>>,
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

    /// The report of an identity that is taken as it was on an earlier connection: of that
    /// verification only the code is known. It has no chain.
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
            checks: vec![Check {
                depth: 0,
                kind: CheckKind::Application,
                outcome,
            }],
            links: Vec::new(),
            presented: Vec::new(),
            store: Arc::new(Set::default()),
            anchored: false,
            purpose,
            profile: Profile::OpenSsl,
            time: ValidationTime::Unchecked,
            matched_name: None,
            expected: None,
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
        (0..self.facts.links.len()).map(|index| self.link(index))
    }

    /// One certificate of the chain.
    pub fn certificate(&self, depth: u32) -> Option<ChainLink<'_>> {
        let index = usize::try_from(depth).ok()?;
        (index < self.facts.links.len()).then(|| self.link(index))
    }

    fn link(&self, index: usize) -> ChainLink<'_> {
        let facts = &*self.facts;
        let is_top = facts.links.len().checked_sub(1) == Some(index);
        let depth = u32::try_from(index).unwrap_or(u32::MAX);
        let (der, stored) = match facts.links.get(index) {
            Some(Link::Presented(range)) => (
                facts.presented.get(range.clone()).unwrap_or_default(),
                false,
            ),
            Some(Link::Stored(position)) => (facts.store.certificate(*position), true),
            None => (&[][..], false),
        };
        let origin = match (stored, is_top && facts.anchored) {
            (false, _) => Origin::Presented,
            (true, false) => Origin::Stored,
            (true, true) => Origin::Anchor,
        };
        ChainLink { depth, der, origin }
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
