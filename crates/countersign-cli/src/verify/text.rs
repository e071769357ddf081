//! What `verify` tells people: the verdict first, then what it rests on.

use std::fmt::Write as _;

use countersign_x509::{Certificate, Check, Outcome, Report, Time};

use super::input::RemarkKind;
use super::{Finding, profile_name, purpose_name, verdict};
use crate::escape;
use crate::explain::alert_of;
use crate::observe;
use crate::table::{Cell, Table};
use crate::terminal::{self, BAD, GOOD, HEADING, QUIET, paint};
use crate::wording;

/// More certificates that are not in the chain are counted, not named.
const MOST_REMARKS: usize = 10;

/// More paths that were not chosen are counted, unless everything is asked for.
const MOST_PATHS: usize = 5;

/// The whole of the output; writing to a String cannot fail, so its results are dropped.
pub(super) fn text(finding: &Finding, all: bool) -> String {
    let report = &finding.report;
    let mut text = headline(report);
    if let Some(name) = observe::matched_name(report) {
        let _ = writeln!(
            text,
            "It is for {}, as expected.",
            escape::for_terminal(&name)
        );
    }
    text.push('\n');
    draw(report, &mut text);
    text.push('\n');
    if all {
        text.push_str(&every_check(report));
    } else {
        failed_checks(report, &mut text);
    }
    paths_not_chosen(report, all, &mut text);
    remarks(finding, &mut text);
    text.push('\n');
    result(finding, &mut text);
    text
}

fn headline(report: &Report) -> String {
    let style = if report.is_accepted() { GOOD } else { BAD };
    format!(
        "{}: {}\n",
        paint(style, verdict(report)),
        escape::for_terminal(&report.sentence())
    )
}

fn draw(report: &Report, text: &mut String) {
    for line in report.drawing().to_string().lines() {
        let line = escape::for_terminal(line);
        let line = if line.starts_with('✗') {
            paint(BAD, &line)
        } else {
            line.into_owned()
        };
        let _ = writeln!(text, "  {line}");
    }
}

fn count(report: &Report, matches: fn(&Outcome) -> bool) -> usize {
    report
        .checks()
        .iter()
        .filter(|check| matches(&check.outcome))
        .count()
}

fn tally(report: &Report) -> String {
    format!(
        "{} checks passed, {} failed, {} left out",
        count(report, |outcome| *outcome == Outcome::Passed),
        count(report, |outcome| matches!(outcome, Outcome::Failed(_))),
        count(report, |outcome| matches!(outcome, Outcome::Skipped(_))),
    )
}

fn failed_checks(report: &Report, text: &mut String) {
    let _ = writeln!(text, "{} (--all lists them).", tally(report));
    for check in report.failures() {
        let _ = writeln!(
            text,
            "  {} {}  {}: {}",
            paint(BAD, "✗"),
            check.depth,
            wording::check(check.kind),
            escape::for_terminal(&why(report, check))
        );
    }
}

/// A table of every check, certificate by certificate.
fn every_check(report: &Report) -> String {
    let mut table = Table::new(&["check", "outcome", "why"]);
    let mut depths: Vec<u32> = report.checks().iter().map(|check| check.depth).collect();
    depths.sort_unstable();
    depths.dedup();
    for depth in depths {
        let of_this = report.checks().iter().filter(|check| check.depth == depth);
        let rows = of_this.map(|check| row(report, check)).collect();
        table.group(title(report, depth), rows);
    }
    format!("{}.\n\n{}", tally(report), table.render(terminal::width()))
}

fn title(report: &Report, depth: u32) -> String {
    let subject = report.certificate(depth).and_then(|link| {
        let certificate = Certificate::parse(link.der()).ok()?;
        Some(certificate.subject().to_string())
    });
    let subject = subject.unwrap_or_else(|| "unreadable".to_owned());
    format!("{depth}  {}", escape::for_terminal(&subject))
}

fn row(report: &Report, check: &Check) -> Vec<Cell> {
    let (outcome, style, why) = match check.outcome {
        Outcome::Passed => ("passed", GOOD, String::new()),
        Outcome::Failed(_) => ("failed", BAD, why(report, check)),
        Outcome::Skipped(why) => ("left out", QUIET, wording::skip(why)),
    };
    vec![
        Cell::plain(wording::check(check.kind)),
        Cell::styled(outcome, style),
        Cell::plain(escape::for_terminal(&why)),
    ]
}

/// Why a check failed; in a list of failures it need not be said that something was refused.
fn why(report: &Report, check: &Check) -> String {
    let why = report.why(check).unwrap_or_default();
    why.strip_prefix("was refused: ").unwrap_or(&why).to_owned()
}

/// Where the other paths broke, from the peer's certificate upwards.
fn paths_not_chosen(report: &Report, all: bool, text: &mut String) {
    let described = report.paths_not_chosen().len();
    if described == 0 {
        return;
    }
    text.push_str("\nPaths not chosen:\n");
    let shown = if all { described } else { MOST_PATHS };
    for path in report.paths_not_chosen().take(shown) {
        let path = path.to_string();
        let _ = writeln!(text, "  {}", escape::for_terminal(&path));
    }
    let further = usize::try_from(report.further_paths_not_chosen()).unwrap_or(usize::MAX);
    let more = described.saturating_sub(shown).saturating_add(further);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more");
    }
}

fn remarks(finding: &Finding, text: &mut String) {
    if !finding.remarks.is_empty() {
        text.push_str("\nNot in the chain:\n");
    }
    for remark in finding.remarks.iter().take(MOST_REMARKS) {
        let what = match remark.what {
            RemarkKind::Unused => "not needed: ",
            RemarkKind::Unreadable => "cannot be read: ",
        };
        let file = escape::for_terminal(&remark.file);
        let detail = escape::for_terminal(&remark.detail);
        let _ = writeln!(text, "  {file}, line {}: {what}{detail}", remark.line);
    }
    let more = finding.remarks.len().saturating_sub(MOST_REMARKS);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more");
    }
}

/// The rules, the code and the alert, and what to do.
fn result(finding: &Finding, text: &mut String) {
    let report = &finding.report;
    let code = report.code();
    let _ = writeln!(text, "code:    {} {}", code.number(), code.name());
    if let Some(alert) = alert_of(code) {
        let _ = writeln!(text, "alert:   {} {}", alert.code, alert.name);
    }
    let _ = writeln!(
        text,
        "rules:   {}, purpose {}, at {}",
        profile_name(report.profile()),
        purpose_name(report.purpose()),
        observe::timestamp(Time::from(finding.time)),
    );
    if let Some(other) = report.under_other_profile() {
        let _ = writeln!(text, "         {}", of_other_profile(report, other));
    }
    if let Some(advice) = report.advice() {
        let advice = escape::for_terminal(&advice);
        let _ = writeln!(text, "{}    {advice}", paint(HEADING, "hint:"));
    }
}

fn of_other_profile(report: &Report, other: &Report) -> String {
    let profile = profile_name(other.profile());
    let code = other.code();
    let too = if report.is_accepted() == other.is_accepted() {
        " too"
    } else {
        ""
    };
    if other.is_accepted() {
        return format!("{profile} would accept it{too}");
    }
    let why = if code == report.code() {
        "for the same reason".to_owned()
    } else {
        format!("{} {}", code.number(), code.name())
    };
    format!("{profile} would refuse it{too}: {why}")
}
