//! OpenSSL's verify callback, played from a finished report.
//!
//! OpenSSL calls the application's callback in the middle of verification, and what the callback
//! answers decides whether the next check is made at all. Here every check has been made, in
//! OpenSSL's order, and [`Report::replay`] walks over them: a failed check is one call with
//! `ok` = 0, and the end of each certificate's dates is the call with `ok` = 1. Nothing is
//! verified again, so a callback can be run late, or more than once.

use core::fmt;

use crate::code::VerifyCode;
use crate::reason::{Reason, Skip};
use crate::report::{Check, CheckKind, Outcome, Report};

/// One call of the verify callback: what its two arguments, `preverify_ok` and the
/// `X509_STORE_CTX`, would say.
pub struct Step<'a> {
    ok: bool,
    depth: u32,
    code: VerifyCode,
    check: &'a Check,
    report: &'a Report,
}

impl<'a> Step<'a> {
    /// `preverify_ok`: false for a failed check, true when a certificate has passed or what it
    /// failed was tolerated.
    pub fn is_ok(&self) -> bool {
        self.ok
    }

    /// `X509_STORE_CTX_get_error_depth`: the certificate's place in the chain.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// `X509_STORE_CTX_get_error`. It is sticky: after a tolerated failure the old code is still
    /// here when [`is_ok`](Self::is_ok) is true.
    pub fn code(&self) -> VerifyCode {
        self.code
    }

    /// `X509_STORE_CTX_get_current_cert`, as DER.
    pub fn certificate(&self) -> &'a [u8] {
        self.report
            .certificate(self.depth)
            .map_or(&[], |link| link.der())
    }

    /// The check that failed, or the last one made of a certificate that passed.
    pub fn check(&self) -> &'a Check {
        self.check
    }

    /// `X509_STORE_CTX_set_error`: changes the code that stays. Setting [`VerifyCode::OK`] makes
    /// a tolerated failure invisible afterwards.
    pub fn set_code(&mut self, code: VerifyCode) {
        self.code = code;
    }
}

impl fmt::Display for Step<'_> {
    /// `depth:code:ok`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}",
            self.depth,
            self.code.number(),
            u8::from(self.ok)
        )
    }
}

impl fmt::Debug for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Step({self})")
    }
}

/// What the callback answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "a callback goes on or it does not")]
pub enum Decision {
    /// Go on: OpenSSL's return value 1.
    Continue,
    /// Stop and refuse: OpenSSL's return value 0.
    Stop,
}

impl Decision {
    /// What a missing callback answers: go on exactly where there was no failure.
    pub fn unless_failed(step: &Step<'_>) -> Self {
        if step.is_ok() {
            Self::Continue
        } else {
            Self::Stop
        }
    }
}

/// How a verification ends with a given callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replayed {
    /// `SSL_get_verify_result`.
    pub code: VerifyCode,
    /// `X509_verify_cert` returned 1. The code may still tell of a tolerated failure.
    pub accepted: bool,
    /// How many certificates `SSL_get0_verified_chain` holds: all of the chain, or 1 if the peer's
    /// own key was refused before the chain was built.
    pub chain_length: usize,
}

impl Report {
    /// Calls a verify callback as OpenSSL 3.6 would have called it for this verification.
    ///
    /// ```
    /// # use countersign_x509::*;
    /// # let parameters = Parameters::new(Purpose::ServerAuth, ValidationTime::Unchecked);
    /// # let report = verify(&[], &TrustStore::empty(), &parameters);
    /// // Tolerates an expired certificate, as many a monitoring tool does.
    /// let result = report.replay(|step| {
    ///     if step.is_ok() || step.code() == VerifyCode::CERT_HAS_EXPIRED {
    ///         Decision::Continue
    ///     } else {
    ///         Decision::Stop
    ///     }
    /// });
    /// assert!(!result.accepted);
    /// ```
    pub fn replay(&self, callback: impl FnMut(&mut Step<'_>) -> Decision) -> Replayed {
        let mut run = Run {
            report: self,
            callback,
            code: VerifyCode::OK,
            trust: TrustStage::Ahead,
        };
        let accepted = self
            .checks()
            .iter()
            .all(|check| run.pass(check) == Decision::Continue);
        // The safety net of OpenSSL: a refusal without a code must not look like success.
        let code = if !accepted && run.code.is_ok() {
            VerifyCode::UNSPECIFIED
        } else {
            run.code
        };
        let chain_length = match run.trust {
            TrustStage::Ahead => self.chain().len().min(1),
            TrustStage::Reached | TrustStage::Announced => self.chain().len(),
        };
        Replayed {
            code,
            accepted,
            chain_length,
        }
    }
}

/// How far the replay is with the end of the chain's building.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TrustStage {
    /// The chain is not built yet.
    Ahead,
    /// Built, and no failure announced.
    Reached,
    /// An earlier tolerated failure was announced in place of this stage's own.
    Announced,
}

struct Run<'a, F> {
    report: &'a Report,
    callback: F,
    code: VerifyCode,
    trust: TrustStage,
}

impl<F: FnMut(&mut Step<'_>) -> Decision> Run<'_, F> {
    /// Goes over one check: at most two calls, one for its failure and one for the certificate.
    fn pass(&mut self, check: &Check) -> Decision {
        let failed = match check.failure() {
            None => Decision::Continue,
            Some(reason) => self.fail(check, reason),
        };
        if check.kind == CheckKind::ChainLength && self.trust == TrustStage::Ahead {
            self.trust = TrustStage::Reached;
        }
        if failed == Decision::Continue && announces_certificate(check) {
            return self.announce(true, check);
        }
        failed
    }

    fn fail(&mut self, check: &Check, reason: Reason) -> Decision {
        match check.kind {
            CheckKind::ChainLength | CheckKind::Trust => self.fail_trust(check, reason),
            // Nobody is asked about a key that cannot be read: OpenSSL stops there.
            CheckKind::PublicKey => Decision::Stop,
            // Of a certificate that cannot be read nothing can be checked, so going on would
            // accept it unseen. The callback is told and stopped.
            CheckKind::Encoding => {
                self.code = reason.code();
                self.announce(false, check);
                Decision::Stop
            }
            _ => {
                self.code = reason.code();
                self.announce(false, check)
            }
        }
    }

    /// A chain without an anchor. When an earlier failure has been tolerated, OpenSSL takes its
    /// code for the reason, and announces it once more instead of the real one; and it takes one
    /// about dates for a failure the callback has already refused.
    fn fail_trust(&mut self, check: &Check, reason: Reason) -> Decision {
        let is_first = check.kind == CheckKind::ChainLength || self.chain_length_passed();
        if self.trust == TrustStage::Announced {
            return Decision::Continue;
        }
        if is_first && !self.code.is_ok() {
            self.trust = TrustStage::Announced;
            return if is_about_dates(self.code) {
                Decision::Stop
            } else {
                self.announce(false, check)
            };
        }
        self.code = reason.code();
        self.announce(false, check)
    }

    fn chain_length_passed(&self) -> bool {
        let mut lengths = self
            .report
            .checks()
            .iter()
            .filter(|check| check.kind == CheckKind::ChainLength);
        lengths.all(|check| check.failure().is_none())
    }

    fn announce(&mut self, ok: bool, check: &Check) -> Decision {
        let mut step = Step {
            ok,
            depth: check.depth,
            code: self.code,
            check,
            report: self.report,
        };
        let decision = (self.callback)(&mut step);
        self.code = step.code;
        decision
    }
}

/// The end of validity is the last thing OpenSSL looks at before it tells the callback that it is
/// done with a certificate. Name constraints come later, when all have been announced.
fn announces_certificate(check: &Check) -> bool {
    check.kind == CheckKind::NotAfter && check.outcome != Outcome::Skipped(Skip::Unanchored)
}

fn is_about_dates(code: VerifyCode) -> bool {
    [
        VerifyCode::CERT_NOT_YET_VALID,
        VerifyCode::CERT_HAS_EXPIRED,
        VerifyCode::ERROR_IN_CERT_NOT_BEFORE_FIELD,
        VerifyCode::ERROR_IN_CERT_NOT_AFTER_FIELD,
    ]
    .contains(&code)
}
