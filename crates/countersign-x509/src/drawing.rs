//! The chain as a drawing for a terminal: one line for each certificate, the anchor on top.

use core::fmt;

use crate::certificate::Certificate;
use crate::explain::{NO_LONGER_STORED, date};
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
    ///   2  CN=Example Root          anchor     until 2036-01-01
    ///   1  CN=Example Intermediate  presented  until 2030-01-01
    /// ✗ 0  CN=db.example            presented  until 2026-11-01  X509_V_ERR_CERT_HAS_EXPIRED
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
        let lines: Vec<(ChainLink<'_>, String, String)> =
            self.report.chain().rev().map(described).collect();
        let widths = lines.iter().map(|(_, name, _)| name.chars().count());
        let width = widths.max().unwrap_or(0).min(WIDEST_NAME);
        for (link, name, until) in &lines {
            self.line(f, link, &format!("{name:<width$}  "), until)?;
        }
        Ok(())
    }
}

/// The widest that the column of names is made; a longer name pushes out the rest of its own line only.
const WIDEST_NAME: usize = 64;

/// A certificate with its name and the end of its validity.
fn described(link: ChainLink<'_>) -> (ChainLink<'_>, String, String) {
    let (name, until) = match Certificate::parse(link.der()) {
        Ok(certificate) => (
            certificate.subject().to_string(),
            date(certificate.not_after()),
        ),
        Err(_) if link.der().is_empty() => (NO_LONGER_STORED.to_owned(), "-".to_owned()),
        Err(_) => ("unreadable".to_owned(), "-".to_owned()),
    };
    (link, name, until)
}

impl Drawing<'_> {
    fn line(
        &self,
        f: &mut fmt::Formatter<'_>,
        link: &ChainLink<'_>,
        name: &str,
        until: &str,
    ) -> fmt::Result {
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
        write!(
            f,
            "{mark} {:<2} {name}{origin:<9}  until {until}",
            link.depth()
        )?;
        for reason in failures().filter_map(Check::failure) {
            write!(f, "  {}", reason.code().name())?;
        }
        writeln!(f)
    }
}
