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

/// Judges a verdict. The callback replays the steps of a report that is to be followed; a
/// verdict that accepts or rejects outright has no steps.
pub(crate) fn judge(
    verdict: Verdict,
    presented: &Presented<'_>,
    callback: Option<&VerifyCallback>,
) -> Judgement {
    match verdict {
        Verdict::Follow(report) => follow(report, presented, callback),
        Verdict::Accept { despite } => Judgement {
            code: despite.code(),
            alert: Alert::from(despite.code().alert()),
            report: Arc::new(despite),
            accepted: true,
            because: None,
        },
        Verdict::Reject { alert, because } => {
            let code = VerifyCode::APPLICATION_VERIFICATION;
            let report = Arc::new(Report::from_application(purpose(presented.whose), code));
            Judgement {
                report,
                code,
                accepted: false,
                alert,
                because: Some(because),
            }
        }
    }
}

fn follow(
    report: Report,
    presented: &Presented<'_>,
    callback: Option<&VerifyCallback>,
) -> Judgement {
    let (code, accepted) = match callback {
        None => (report.code(), report.is_accepted()),
        Some(callback) => {
            let replayed = report.replay(|step| callback(step, presented));
            (replayed.code, replayed.accepted)
        }
    };
    Judgement {
        report: Arc::new(report),
        code,
        accepted,
        alert: Alert::from(code.alert()),
        because: None,
    }
}
