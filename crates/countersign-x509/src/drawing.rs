//! The chain as a drawing for a terminal: one line for each certificate, the anchor on top.

use core::fmt;

use crate::certificate::Certificate;
use crate::explain::date;
use crate::report::{ChainLink, Check, Origin, Report};

/// Draws a report's chain; made by [`Report::drawing`].
#[derive(Clone, Debug)]
pub struct Drawing<'a> {
    report: &'a Report,
}

impl Report {
    /// The chain as text, the anchor on top, one certificate a line, what failed marked with `✗`
    /// and its code.
    ///
    /// ```text
    ///   2  CN=Example Root              anchor     until 2036-01-01
    ///   1  CN=Example Intermediate      presented  until 2030-01-01
    /// ✗ 0  CN=db.example                presented  until 2026-11-01  X509_V_ERR_CERT_HAS_EXPIRED
    /// ```
    pub fn drawing(&self) -> Drawing<'_> {
        Drawing { report: self }
    }
}

impl fmt::Display for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.report.checks().iter().find(|check| {
            check.kind == crate::report::CheckKind::Trust && check.failure().is_some()
        });
        if missing.is_some() {
            writeln!(f, "  ?  no trust anchor")?;
        }
        for link in self.report.chain().rev() {
            self.line(f, &link)?;
        }
        Ok(())
    }
}

impl Drawing<'_> {
    fn line(&self, f: &mut fmt::Formatter<'_>, link: &ChainLink<'_>) -> fmt::Result {
        let failures = || {
            self.report
                .failures()
                .filter(|check| check.depth == link.depth())
        };
        let mark = if failures().next().is_some() {
            '✗'
        } else {
            ' '
        };
        let origin = match link.origin() {
            Origin::Presented => "presented",
            Origin::Stored => "stored",
            Origin::Anchor => "anchor",
        };
        let (name, until) = match Certificate::parse(link.der()) {
            Ok(certificate) => (
                certificate.subject().to_string(),
                date(certificate.not_after()),
            ),
            Err(_) => ("unreadable".to_owned(), "-".to_owned()),
        };
        write!(
            f,
            "{mark} {:<2} {name:<32}  {origin:<9}  until {until}",
            link.depth()
        )?;
        for reason in failures().filter_map(Check::failure) {
            write!(f, "  {}", reason.code().name())?;
        }
        writeln!(f)
    }
}
