//! `verify --json`; the fields are described in `docs/cli-json.md`.

use countersign_x509::{Check, Outcome, Report, Time};
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
    not_in_chain: &'a [input::Remark],
    other_profile: Judgement,
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
            not_in_chain: &finding.remarks,
            other_profile: Judgement::of(&finding.other),
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
            code: code.map(countersign_x509::VerifyCode::number),
            name: code.map(countersign_x509::VerifyCode::name),
        }
    }
}
