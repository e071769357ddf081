//! `countersign explain`, through the built command.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod command;

use command::{Ended, countersign};
use serde_json::Value;

fn explain(options: &[&str]) -> Ended {
    countersign(&[&["explain"], options].concat())
}

#[test]
fn a_verify_result_is_explained_however_it_is_called() {
    let expected = "\
10 X509_V_ERR_CERT_HAS_EXPIRED
  meaning:     the certificate's validity has ended
  usual cause: it was not renewed in time, or this machine's clock is ahead
  remedy:      renew the certificate where it is used, or correct this machine's clock
  TLS alert:   45 certificate_expired
";
    for code in [
        "10",
        "X509_V_ERR_CERT_HAS_EXPIRED",
        "ERR_CERT_HAS_EXPIRED",
        "cert_has_expired",
        "cert-has-expired",
    ] {
        let ended = explain(&[code]);
        assert_eq!(ended.code, 0, "{code}: {ended:?}");
        assert_eq!(ended.stdout, expected, "{code}");
    }
}

#[test]
fn an_alert_is_explained_by_name_and_by_number() {
    let by_name = explain(&["certificate_required"]);
    assert_eq!(by_name.code, 0, "{by_name:?}");
    let title = by_name.stdout.lines().next().unwrap();
    assert_eq!(title, "TLS alert 116 certificate_required");
    assert_eq!(explain(&["--alert", "116"]).stdout, by_name.stdout);
    // The same number is a verify result when it is not said to be an alert.
    assert!(explain(&["45"]).stdout.starts_with("45 X509_V_ERR_"));
    let expired = explain(&["--alert", "45"]).stdout;
    assert!(expired.contains("\n  sent for:    10, 12"), "{expired}");
}

#[test]
fn without_a_code_all_are_listed() {
    let ended = explain(&[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let rows: Vec<_> = ended
        .stdout
        .lines()
        .filter(|line| line.contains("X509_V_"))
        .collect();
    assert_eq!(rows.len(), 102, "0 to 101");
    assert!(
        rows[48].starts_with("48    X509_V_ERR_EXCLUDED_VIOLATION"),
        "{}",
        rows[48]
    );
    let alerts = explain(&["--alert"]).stdout;
    assert!(alerts.contains("\n48    unknown_ca"), "{alerts}");
}

#[test]
fn the_document_holds_the_same() {
    let json: Value = serde_json::from_str(&explain(&["20", "--json"]).stdout).unwrap();
    assert_eq!(json["schema"], "countersign.explain/1");
    let entry = &json["entries"][0];
    for (field, expected) in [
        ("kind", Value::from("verify-code")),
        ("code", 20.into()),
        (
            "name",
            "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY".into(),
        ),
        (
            "alert",
            serde_json::json!({ "code": 48, "name": "unknown_ca" }),
        ),
        ("verify_codes", serde_json::json!([])),
    ] {
        assert_eq!(entry[field], expected, "{field}");
    }
    let paper = include_str!("../../../docs/cli-json.md");
    let (_, section) = paper.split_once("## countersign.explain/1").unwrap();
    for field in entry.as_object().unwrap().keys() {
        assert!(
            section.contains(&format!("`{field}`")),
            "{field} is not documented"
        );
    }
    let all: Value = serde_json::from_str(&explain(&["--json"]).stdout).unwrap();
    assert_eq!(all["entries"].as_array().unwrap().len(), 102);
}

#[test]
fn what_is_unknown_is_refused_with_a_hint() {
    for (options, hint) in [
        (
            &["expired"][..],
            "Did you mean X509_V_ERR_CERT_HAS_EXPIRED, ",
        ),
        (&["102"], "countersign explain"),
        (&["frobnicate"], "countersign explain"),
        (&[""], "countersign explain"),
        (&["a\u{1b}[2J"], "countersign explain"),
        (&["--alert", "300"], "countersign explain --alert"),
        (
            &["--alert", "certificate"],
            "Did you mean bad_certificate, ",
        ),
    ] {
        let ended = explain(options);
        assert_eq!(ended.code, 2, "{options:?}: {ended:?}");
        assert!(ended.stderr.contains(hint), "{options:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains('\u{1b}'), "{:?}", ended.stderr);
    }
}
