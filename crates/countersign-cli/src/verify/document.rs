//! `verify --json`; the fields are described in `docs/cli-json.md`.

use countersign_x509::{
    Certificate, Check, Obstacle, Outcome, PathNotChosen, Report, Time, VerifyCode,
};
use serde::Serialize;

use super::{Finding, input, profile_name, purpose_name, verdict};
use crate::arguments::VerifyArguments;
use crate::explain::{AlertName, alert_of};
use crate::failure::Exit;
use crate::observe;
use crate::summary::Link;
use crate::wording;

/// The whole of `verify --json`.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    schema: &'static str,
    version: &'static str,
    file: String,
    purpose: &'static str,
    time: String,
    exit_code: u8,
    #[serde(flatten)]
    judgement: Judgement,
    matched_name: Option<String>,
    chain: Vec<Link>,
    checks: Vec<CheckDocument>,
    paths_not_chosen: Vec<PathDocument>,
    further_paths_not_chosen: u32,
    not_in_chain: &'a [input::Remark],
    other_profile: Option<Judgement>,
}

#[derive(Debug, Serialize)]
struct PathDocument {
    certificates: Vec<String>,
    depth: u32,
    obstacle: String,
    check: Option<String>,
    why: String,
    code: Option<u32>,
    name: Option<&'static str>,
}

/// What one profile says.
#[derive(Debug, Serialize)]
struct Judgement {
    profile: &'static str,
    verdict: &'static str,
    code: u32,
    name: &'static str,
    alert: Option<AlertName>,
    sentence: String,
    advice: Option<String>,
}

#[derive(Debug, Serialize)]
struct CheckDocument {
    depth: u32,
    check: String,
    outcome: &'static str,
    why: Option<String>,
    code: Option<u32>,
    name: Option<&'static str>,
}

impl<'a> Document<'a> {
    pub(super) fn new(finding: &'a Finding, arguments: &VerifyArguments, exit: Exit) -> Self {
        let report = &finding.report;
        Self {
            schema: "countersign.verify/1",
            version: env!("CARGO_PKG_VERSION"),
            file: arguments.chain.display().to_string(),
            purpose: purpose_name(report.purpose()),
            time: observe::timestamp(Time::from(finding.time)),
            exit_code: exit.code(),
            judgement: Judgement::of(report),
            matched_name: observe::matched_name(report),
            chain: observe::links(report),
            checks: report
                .checks()
                .iter()
                .map(|check| CheckDocument::new(report, check))
                .collect(),
            paths_not_chosen: report.paths_not_chosen().map(PathDocument::new).collect(),
            further_paths_not_chosen: report.further_paths_not_chosen(),
            not_in_chain: &finding.remarks,
            other_profile: report.under_other_profile().map(Judgement::of),
        }
    }
}

impl Judgement {
    fn of(report: &Report) -> Self {
        let code = report.code();
        Self {
            profile: profile_name(report.profile()),
            verdict: verdict(report),
            code: code.number(),
            name: code.name(),
            alert: alert_of(code),
            sentence: report.sentence(),
            advice: report.advice(),
        }
    }
}

impl CheckDocument {
    fn new(report: &Report, check: &Check) -> Self {
        let (outcome, why) = match check.outcome {
            Outcome::Passed => ("passed", None),
            Outcome::Failed(_) => ("failed", report.why(check)),
            Outcome::Skipped(why) => ("skipped", Some(wording::name(why))),
        };
        let code = check.failure().map(|reason| reason.code());
        Self {
            depth: check.depth,
            check: wording::name(check.kind),
            outcome,
            why,
            code: code.map(VerifyCode::number),
            name: code.map(VerifyCode::name),
        }
    }
}

impl PathDocument {
    fn new(path: PathNotChosen<'_>) -> Self {
        let subject = |der: &[u8]| match Certificate::parse(der) {
            Ok(certificate) => certificate.subject().to_string(),
            Err(_) => "unreadable".to_owned(),
        };
        let (obstacle, check, code) = match path.obstacle() {
            Obstacle::Check(kind, reason) => (
                "check".to_owned(),
                Some(wording::name(kind)),
                Some(reason.code()),
            ),
            other => (wording::name(other), None, None),
        };
        Self {
            certificates: path.certificates().map(subject).collect(),
            depth: path.depth(),
            obstacle,
            check,
            why: path.why(),
            code: code.map(VerifyCode::number),
            name: code.map(VerifyCode::name),
        }
    }
}
