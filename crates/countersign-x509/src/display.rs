//! A report as text of several lines, for a terminal or a log.

use core::fmt;

use crate::report::Report;

impl fmt::Display for Report {
    /// The [sentence](Report::sentence), the [drawing](Report::drawing), every failure, the
    /// [paths not chosen](Report::paths_not_chosen), what the
    /// [other profile](Report::under_other_profile) says, and the [advice](Report::advice).
    ///
    /// ```text
    /// refused: The server's certificate expired on 2026-11-01 (leaf, CN=db.example).
    ///   2  CN=Example Root          anchor     until 2036-01-01
    ///   1  CN=Example Intermediate  presented  until 2030-01-01
    /// ✗ 0  CN=db.example            presented  until 2026-11-01  X509_V_ERR_CERT_HAS_EXPIRED
    /// failed: depth 0 NotAfter: expired on 2026-11-01
    /// not chosen: CN=db.example, CN=Example Intermediate: depth 1 expired on 2025-01-01
    /// under WebPki: refused: The server's certificate expired on 2026-11-01 (leaf, CN=db.example).
    /// advice: Renew it on the server, or check this machine's clock (now 2026-11-23).
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", verdict(self))?;
        write!(f, "{}", self.drawing())?;
        for check in self.failures() {
            let why = self.why(check).unwrap_or_default();
            writeln!(f, "failed: depth {} {:?}: {why}", check.depth, check.kind)?;
        }
        for path in self.paths_not_chosen() {
            writeln!(f, "not chosen: {path}")?;
        }
        let further = self.further_paths_not_chosen();
        if further > 0 {
            writeln!(f, "not chosen: {further} more")?;
        }
        if let Some(other) = self.under_other_profile() {
            writeln!(f, "under {:?}: {}", other.profile(), verdict(other))?;
        }
        if let Some(advice) = self.advice() {
            writeln!(f, "advice: {advice}")?;
        }
        Ok(())
    }
}

fn verdict(report: &Report) -> String {
    let word = if report.is_accepted() {
        "accepted"
    } else {
        "refused"
    };
    format!("{word}: {}", report.sentence())
}
