//! From a verdict and the verify callback to an outcome: the code, whether the peer is
//! accepted, and the alert if not. No mode is consulted here.

use std::sync::Arc;

use countersign_x509::{Decision, Report, Step, VerifyCode};

use crate::alert::Alert;
use crate::connection::trace::Traced;
use crate::verify::mode::Role;
use crate::verify::peer::{CertificateChain, Peer, Since, Standing};
use crate::verify::verifier::{Presented, Verdict, purpose};

/// The verify callback of `SSL_CTX_set_verify(3)`: called for each step of the verification
/// in OpenSSL's order, it may tolerate an error or refuse a certificate. [`Presented`] says which
/// connection it is about.
pub type VerifyCallback = dyn Fn(&mut Step<'_>, &Presented<'_>) -> Decision + Send + Sync;

/// What came of a verification.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) report: Arc<Report>,
    pub(crate) code: VerifyCode,
    pub(crate) accepted: bool,
    /// The alert to refuse with; meaningful if not accepted.
    pub(crate) alert: Alert,
    pub(crate) because: Option<String>,
    /// The verifier's epoch when it was asked.
    pub(crate) epoch: u64,
}

impl Judgement {
    /// The peer with this outcome, whose certificates these are.
    pub(crate) fn into_peer(self, chain: CertificateChain, since: Since) -> Peer {
        let standing = self.standing();
        Peer {
            chain,
            report: self.report,
            code: self.code,
            standing,
            since,
            epoch: self.epoch,
        }
    }

    /// What a trace is told of it.
    pub(crate) fn traced(&self, whose: Role) -> Traced<'static> {
        Traced::Judged {
            whose,
            code: self.code,
            accepted: self.accepted,
        }
    }

    /// How far the certificate is to be believed.
    fn standing(&self) -> Standing {
        match (self.accepted, self.report.is_accepted()) {
            (true, true) => Standing::Verified,
            (true, false) => Standing::Tolerated,
            (false, _) => Standing::Refused,
        }
    }
}

/// Judges a verdict, given in this epoch of the verifier. The callback replays the steps of a
/// report that is to be followed; a verdict that accepts or rejects outright has no steps.
pub(crate) fn judge(
    verdict: Verdict,
    presented: &Presented<'_>,
    callback: Option<&VerifyCallback>,
    epoch: u64,
) -> Judgement {
    let (report, code, accepted) = match &verdict {
        Verdict::Follow(report) => follow(report, presented, callback),
        Verdict::Accept { despite } => (despite.clone(), despite.code(), true),
        Verdict::Reject { .. } => {
            let code = VerifyCode::APPLICATION_VERIFICATION;
            let report = Report::from_application(purpose(presented.whose), code);
            (report, code, false)
        }
    };
    let (alert, because) = match verdict {
        Verdict::Reject { alert, because } => (alert, Some(because)),
        Verdict::Follow(_) | Verdict::Accept { .. } => (Alert::from(code.alert()), None),
    };
    Judgement {
        report: Arc::new(report),
        code,
        accepted,
        alert,
        because,
        epoch,
    }
}

fn follow(
    report: &Report,
    presented: &Presented<'_>,
    callback: Option<&VerifyCallback>,
) -> (Report, VerifyCode, bool) {
    let (code, accepted) = match callback {
        None => (report.code(), report.is_accepted()),
        Some(callback) => {
            let replayed = report.replay(|step| callback(step, presented));
            (replayed.code, replayed.accepted)
        }
    };
    (report.clone(), code, accepted)
}
