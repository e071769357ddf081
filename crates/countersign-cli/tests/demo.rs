//! `countersign demo`, through the built command.

mod command;

use command::countersign;
use serde_json::Value;

/// The text with the one number that differs from run to run taken out.
fn without_time(text: &str) -> String {
    let line = |line: &str| match line.split_once(" over 127.0.0.1 in ") {
        Some((before, after)) => {
            let rest = after.split_once(" s: ").map_or(after, |(_, rest)| rest);
            format!("{before} over 127.0.0.1 in TIME: {rest}")
        }
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_connection_ends_as_the_modes_promise() {
    let ended = countersign(&["demo"]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert_eq!(
        without_time(&ended.stdout),
        without_time(include_str!("golden/demo.txt"))
    );
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_narrow_table_stays_narrow() {
    let ended = countersign(&["demo", "--width", "80"]);
    assert_eq!(ended.code, 0);
    let table = ended.stdout.split("\n139 rows").next().unwrap();
    assert!(
        table.lines().all(|line| line.chars().count() <= 80),
        "{table}"
    );
}

#[test]
fn the_document_has_the_documented_fields() {
    let ended = countersign(&["demo", "--json"]);
    assert_eq!(ended.code, 0);
    let document: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(document["schema"], "countersign.demo/1");
    let documented = include_str!("../../../docs/cli-json.md");
    let section = documented.split("## countersign.connect/1").next().unwrap();
    let row = &document["rows"][10];
    for (name, _) in document
        .as_object()
        .unwrap()
        .iter()
        .chain(row.as_object().unwrap())
    {
        assert!(
            section.contains(&format!("| `{name}` |")),
            "{name} is not documented"
        );
    }
    let rows = document["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 139);
    assert!(rows.iter().all(|row| row["as_expected"] == true));
    // The promise is five seconds; a busy machine gets twice that here.
    assert!(
        document["elapsed_ms"].as_u64().unwrap() < 10_000,
        "{}",
        document["elapsed_ms"]
    );
}

#[test]
fn one_case_is_drawn() {
    let ended = countersign(&["demo", "--trace", "server-ask-expired"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let steps = [
        "its mode says POST_HANDSHAKE",
        "CertificateRequest: after the handshake (",
        "application  Certificate: CN=client.demo.example and 1 more (",
        "the server finds the client's certificate not good: 10 X509_V_ERR_CERT_HAS_EXPIRED",
        "alert certificate_expired (45)",
        "refused, as it should be",
    ];
    let mut rest = ended.stdout.as_str();
    for step in steps {
        let at = rest.find(step);
        let at = at.unwrap_or_else(|| panic!("{step}: {}", ended.stdout));
        rest = &rest[at..];
    }
    let wrong = countersign(&["demo", "--trace", "everything"]);
    assert_eq!(wrong.code, 2);
    assert!(
        wrong
            .stderr
            .contains("\n  server-resumes-under-other-trust"),
        "{}",
        wrong.stderr
    );
}
