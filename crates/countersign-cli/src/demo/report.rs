//! What the demo saw, as a table and as JSON.

use std::time::Duration;

use serde::Serialize;

use super::cases::{Case, Change, Expectation, Mode, Occasion, Offer};
use crate::authority::{CLIENT_NAME, DEPTH, Role, SERVER_NAME};
use crate::table::{Cell, Table};
use crate::terminal;

/// How one case ended.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// What was tried.
    pub case: Case,
    /// How many times the server sent a `CertificateRequest`.
    pub requests: u32,
    /// Nobody is authenticated, and both ends know it.
    pub anonymous: bool,
    /// How many certificates the other side sent.
    pub sent: usize,
    /// An earlier session was resumed.
    pub resumed: bool,
    /// The fatal alert: who sent it, its number and name.
    pub alert: Option<(Role, u8, &'static str)>,
    /// What the verifier found; `None` if it saw no certificate.
    pub result: Option<Checked>,
    /// Data went both ways.
    pub established: bool,
    /// What the verifier says about it, if the connection failed.
    pub sentence: Option<String>,
}

/// The outcome of checking a certificate, in OpenSSL's terms.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    /// The `X509_V` number.
    pub code: u32,
    /// Its name, as `X509_V_ERR_CERT_HAS_EXPIRED`.
    pub name: String,
}

impl Row {
    fn observed(&self) -> Expectation {
        Expectation {
            requests: self.requests,
            anonymous: self.anonymous,
            accepted: self.established,
            resumed: self.resumed,
            alert: self
                .alert
                .filter(|(from, ..)| *from == self.case.verifier)
                .map(|(_, number, _)| number),
            code: self.result.as_ref().map(|checked| checked.code),
        }
    }

    /// Whether it ended as OpenSSL's rules say.
    pub(crate) fn is_as_expected(&self) -> bool {
        self.observed() == self.case.expectation()
    }

    fn verdict(&self) -> &'static str {
        if self.established {
            "accepted"
        } else {
            "refused"
        }
    }

    /// The verdict for people.
    fn verdict_in_words(&self) -> (&'static str, anstyle::Style) {
        match self {
            Self {
                established: false, ..
            } => ("refused", terminal::BAD),
            Self {
                anonymous: true, ..
            } => ("anonymous", terminal::WARNING),
            Self { resumed: true, .. } => ("resumed", terminal::GOOD),
            Self { .. } => ("accepted", terminal::GOOD),
        }
    }

    /// How it ended, in a line.
    pub(crate) fn conclusion(&self) -> String {
        let (verdict, style) = self.verdict_in_words();
        let should = if self.is_as_expected() {
            "as it should be".to_owned()
        } else {
            difference(self)
        };
        format!("{}, {should}", terminal::paint(style, verdict))
    }

    /// What the other side has, and what changed since the session was made.
    fn label(&self) -> String {
        let certificate = self.case.certificate_words();
        match self.case.occasion {
            Occasion::Resumption(Change::StricterMode) => {
                let before = self.case.earlier_mode().names().join(" | ");
                format!("{certificate}, was {before}")
            }
            Occasion::Resumption(Change::OtherTrust) => format!("{certificate}, new trust"),
            Occasion::Anonymous(Offer::ServerOnly) => format!("{certificate}, not allowed"),
            _ => certificate.to_owned(),
        }
    }
}

/// All rows and how long they took.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub rows: Vec<Row>,
    pub elapsed: Duration,
}

/// What the modes also have but these connections cannot show.
const NOT_SHOWN: [(&str, &str); 1] = [(
    "no server certificate",
    "a server sends one, unless the suite is anonymous",
)];

impl Report {
    /// How many rows are not as they should be.
    pub(crate) fn unexpected(&self) -> usize {
        self.rows.iter().filter(|row| !row.is_as_expected()).count()
    }

    /// The table with its legend, for people.
    pub(crate) fn text(&self, width: Option<usize>) -> String {
        let mut table = self.table(Names::Full);
        if width.is_some_and(|width| table.natural_width() > width) {
            table = self.table(Names::Short);
        }
        let mut text = table.render(width);
        text.push_str(&self.legend());
        text
    }

    fn table(&self, names: Names) -> Table {
        let headings = [
            "certificate",
            "asked",
            "sent",
            "ended by",
            "alert",
            "verify result",
            "verdict",
        ];
        let mut table = Table::new(&headings);
        for rows in self.rows.chunk_by(|a, b| title(a.case) == title(b.case)) {
            let title = rows.first().map(|row| title(row.case));
            let rows = rows.iter().map(|row| cells(row, names)).collect();
            table.group(title.unwrap_or_default(), rows);
        }
        table
    }

    fn legend(&self) -> String {
        let seconds = self.elapsed.as_secs_f64();
        let count = self.rows.len();
        // Who resumes has connected before.
        let resumptions = self
            .rows
            .iter()
            .filter(|row| matches!(row.case.occasion, Occasion::Resumption(_)));
        let connections = count.saturating_add(resumptions.count());
        let conclusion = match self.unexpected() {
            0 => terminal::paint(terminal::GOOD, "each ended as it should"),
            wrong => terminal::paint(
                terminal::BAD,
                &format!("{wrong} did not end as they should (marked !)"),
            ),
        };
        let intro = format!(
            "\n{count} rows, {connections} connections over 127.0.0.1 in {seconds:.2} s: {conclusion}.\n\
             Verifiers trust one root, allow {DEPTH} intermediate, and expect {SERVER_NAME} or {CLIENT_NAME}.\n\
             Not shown:"
        );
        let not_shown = NOT_SHOWN
            .iter()
            .map(|(what, why)| format!("  {what}: {why}"));
        let differences = self
            .rows
            .iter()
            .filter(|row| !row.is_as_expected())
            .map(difference);
        let lines: Vec<String> = [intro]
            .into_iter()
            .chain(not_shown)
            .chain(differences)
            .collect();
        lines.join("\n")
    }

    /// The document that `docs/cli-json.md` describes.
    pub(crate) fn json(&self) -> Document<'_> {
        Document {
            schema: "countersign.demo/1",
            version: env!("CARGO_PKG_VERSION"),
            protocol: "TLS 1.3 and TLS 1.2",
            elapsed_ms: u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
            depth: DEPTH,
            expected_names: ExpectedNames {
                server: SERVER_NAME,
                client: CLIENT_NAME,
            },
            rows: self.rows.iter().map(RowDocument::new).collect(),
            not_shown: NOT_SHOWN
                .iter()
                .map(|(what, why)| NotShown { what, why })
                .collect(),
            unexpected: self.unexpected(),
        }
    }
}

/// How verify results are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// `X509_V_ERR_CERT_HAS_EXPIRED`
    Full,
    /// `CERT_HAS_EXPIRED`
    Short,
}

/// What stands above the rows of a group.
pub(crate) fn title(case: Case) -> String {
    let verifier = case.verifier;
    let modes = case.mode.names().join(" | ");
    let other = verifier.peer();
    let version = case.version;
    match case.occasion {
        Occasion::Later if case.is_tls12() => format!(
            "{version}: The {verifier} renegotiates to check the {other}, mode {modes}: {}",
            meaning(verifier, case.mode)
        ),
        Occasion::Again => format!(
            "{version}: The {verifier} has checked the {other} and renegotiates, mode {modes}: {}",
            match case.mode {
                Mode::PeerOnce => "it asks only once, and who it is stays known",
                _ => "it asks again",
            }
        ),
        Occasion::Anonymous(_) => format!(
            "{version}: The {verifier} checks the {other}, mode {modes}, but nobody has a certificate: {}",
            match (verifier, case.mode) {
                (Role::Server, Mode::PeerOrFail) => "it takes no anonymous suite",
                _ => "nobody is authenticated",
            }
        ),
        Occasion::Handshake | Occasion::Later => format!(
            "{version}: The {verifier} checks the {other}, mode {modes}: {}",
            meaning(verifier, case.mode)
        ),
        Occasion::Resumption(_) => format!(
            "{version}: The {verifier} knows the {other} from an earlier connection, mode {modes}: \
             it resumes only what it would accept now"
        ),
    }
}

fn meaning(verifier: Role, mode: Mode) -> &'static str {
    match (verifier, mode) {
        (Role::Client, Mode::None) => "it goes on whatever comes out",
        (Role::Client, Mode::Peer) => "a bad certificate ends the handshake",
        (Role::Client, Mode::PeerOrFail) => "the same, the flag is for servers",
        (Role::Server, Mode::None) => "it does not ask for a certificate",
        (Role::Server, Mode::Peer) => "it asks; none is fine, a bad one is not",
        (Role::Server, Mode::PeerOrFail) => "it asks and insists",
        (_, Mode::PeerOnce) => "it asks once",
        (_, Mode::Later) => "it asks after the handshake; none is fine",
        (_, Mode::LaterOrFail) => "it asks after the handshake and insists",
    }
}

fn cells(row: &Row, names: Names) -> Vec<Cell> {
    let asked = match (row.case.verifier, row.requests) {
        (Role::Client, _) => "unasked",
        (Role::Server, 0) => "no",
        (Role::Server, 1) => "yes",
        (Role::Server, _) => "twice",
    };
    let (ended_by, alert) = match row.alert {
        Some((role, number, name)) => (role.to_string(), format!("{number} {name}")),
        None if row.established => ("nobody".to_owned(), "-".to_owned()),
        None => ("?".to_owned(), "-".to_owned()),
    };
    let result = match &row.result {
        None => Cell::styled("not checked", terminal::QUIET),
        Some(checked) => {
            let style = if checked.code == 0 {
                terminal::GOOD
            } else {
                terminal::WARNING
            };
            Cell::styled(
                format!("{} {}", checked.code, checked_name(checked, names)),
                style,
            )
        }
    };
    let mark = if row.is_as_expected() { "" } else { " !" };
    let (verdict, style) = row.verdict_in_words();
    vec![
        Cell::plain(row.label()),
        Cell::plain(asked),
        Cell::plain(row.sent.to_string()),
        Cell::plain(ended_by),
        Cell::plain(alert),
        result,
        Cell::styled(format!("{verdict}{mark}"), style),
    ]
}

fn checked_name(checked: &Checked, names: Names) -> &str {
    let short = checked
        .name
        .trim_start_matches("X509_V_")
        .trim_start_matches("ERR_");
    if names == Names::Full {
        &checked.name
    } else {
        short
    }
}

fn difference(row: &Row) -> String {
    let title = title(row.case);
    let words = |end: Expectation| {
        format!(
            "{} requests, accepted {}, resumed {}, anonymous {}, alert {}, result {}",
            end.requests,
            end.accepted,
            end.resumed,
            end.anonymous,
            end.alert
                .map_or("none".to_owned(), |number| number.to_string()),
            end.code.map_or("none".to_owned(), |code| code.to_string()),
        )
    };
    let mut text = format!(
        "! {title}; certificate {}: expected {}; saw {}",
        row.label(),
        words(row.case.expectation()),
        words(row.observed())
    );
    if let Some(sentence) = &row.sentence {
        text.push_str(": ");
        text.push_str(sentence);
    }
    text
}

/// The whole of `demo --json`.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    schema: &'static str,
    version: &'static str,
    protocol: &'static str,
    elapsed_ms: u64,
    depth: u32,
    expected_names: ExpectedNames,
    rows: Vec<RowDocument<'a>>,
    not_shown: Vec<NotShown>,
    unexpected: usize,
}

#[derive(Debug, Serialize)]
struct ExpectedNames {
    server: &'static str,
    client: &'static str,
}

#[derive(Debug, Serialize)]
struct NotShown {
    what: &'static str,
    why: &'static str,
}

#[derive(Debug, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a field of the document"
)]
struct RowDocument<'a> {
    case: String,
    version: String,
    verifier: String,
    mode: ModeDocument,
    occasion: &'static str,
    changed: Option<&'static str>,
    peer_certificate: String,
    asked: bool,
    requests: u32,
    resumed: bool,
    anonymous: bool,
    certificates_sent: usize,
    ended_by: Option<String>,
    alert: Option<AlertDocument>,
    verify_result: Option<ResultDocument<'a>>,
    verdict: &'static str,
    sentence: Option<&'a str>,
    as_expected: bool,
}

#[derive(Debug, Serialize)]
struct ModeDocument {
    names: &'static [&'static str],
    bits: u8,
}

#[derive(Debug, Serialize)]
struct AlertDocument {
    code: u8,
    name: &'static str,
}

#[derive(Debug, Serialize)]
struct ResultDocument<'a> {
    code: u32,
    name: &'a str,
}

impl<'a> RowDocument<'a> {
    fn new(row: &'a Row) -> Self {
        let (occasion, changed) = match row.case.occasion {
            Occasion::Handshake => ("handshake", None),
            Occasion::Later if row.case.is_tls12() => ("renegotiation", None),
            Occasion::Later => ("after-handshake", None),
            Occasion::Again => ("handshake-and-renegotiation", None),
            Occasion::Anonymous(_) => ("never", None),
            Occasion::Resumption(Change::Nothing) => ("resumption", None),
            Occasion::Resumption(Change::StricterMode) => ("resumption", Some("mode")),
            Occasion::Resumption(Change::OtherTrust) => ("resumption", Some("trust")),
        };
        Self {
            case: row.case.name(),
            version: row.case.version.to_string(),
            occasion,
            changed,
            resumed: row.resumed,
            anonymous: row.anonymous,
            verifier: row.case.verifier.to_string(),
            mode: ModeDocument {
                names: row.case.mode.names(),
                bits: row.case.mode.bits(),
            },
            peer_certificate: row
                .case
                .certificate_words()
                .to_lowercase()
                .replace(' ', "-"),
            asked: row.requests > 0,
            requests: row.requests,
            certificates_sent: row.sent,
            ended_by: row.alert.map(|(role, ..)| role.to_string()),
            alert: row
                .alert
                .map(|(_, code, name)| AlertDocument { code, name }),
            verify_result: row.result.as_ref().map(|checked| ResultDocument {
                code: checked.code,
                name: &checked.name,
            }),
            verdict: row.verdict(),
            sentence: row.sentence.as_deref(),
            as_expected: row.is_as_expected(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Checked, Report, Row};
    use crate::authority::{Condition, Role};
    use crate::demo::cases;

    /// A report in which every case ended as it should, made without any connection.
    fn ideal() -> Report {
        let rows = cases::all().into_iter().map(ideal_row).collect();
        Report {
            rows,
            elapsed: Duration::from_millis(410),
        }
    }

    fn ideal_row(case: cases::Case) -> Row {
        let end = case.expectation();
        let arrives = (case.verifier == Role::Client || end.requests > 0) && !end.resumed;
        let length = |condition| match condition {
            Condition::SelfSigned => 1,
            Condition::TooDeep => 3,
            _ => 2,
        };
        Row {
            case,
            requests: end.requests,
            anonymous: end.anonymous,
            sent: case.certificate.filter(|_| arrives).map_or(0, length),
            alert: end
                .alert
                .map(|number| (case.verifier, number, alert_name(number)))
                .or_else(|| refusal_by_the_other_side(case)),
            result: end.code.map(|code| Checked {
                code,
                name: code_name(code).to_owned(),
            }),
            resumed: end.resumed,
            established: end.accepted,
            sentence: None,
        }
    }

    /// A server that has nothing to offer says so to the client that checks it.
    fn refusal_by_the_other_side(case: cases::Case) -> Option<(Role, u8, &'static str)> {
        let not_allowed = cases::Occasion::Anonymous(cases::Offer::ServerOnly);
        (case.occasion == not_allowed).then(|| (Role::Server, 40, alert_name(40)))
    }

    fn alert_name(number: u8) -> &'static str {
        match number {
            40 => "handshake_failure",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            45 => "certificate_expired",
            48 => "unknown_ca",
            116 => "certificate_required",
            other => panic!("no case of the demo ends with alert {other}"),
        }
    }

    fn code_name(code: u32) -> &'static str {
        match code {
            0 => "X509_V_OK",
            9 => "X509_V_ERR_CERT_NOT_YET_VALID",
            10 => "X509_V_ERR_CERT_HAS_EXPIRED",
            18 => "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT",
            20 => "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
            22 => "X509_V_ERR_CERT_CHAIN_TOO_LONG",
            26 => "X509_V_ERR_INVALID_PURPOSE",
            62 => "X509_V_ERR_HOSTNAME_MISMATCH",
            other => panic!("no case of the demo has the result {other}"),
        }
    }

    fn without_styles(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn the_table_reads_as_recorded() {
        let text = without_styles(&ideal().text(None));
        assert_eq!(text, include_str!("../../tests/golden/demo.txt").trim_end());
    }

    #[test]
    fn a_narrow_terminal_gets_narrow_lines() {
        let text = without_styles(&ideal().table(super::Names::Short).render(Some(80)));
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        assert!(
            text.contains("20 UNABLE_TO_ ") && text.contains("GET_ISSUER_\n"),
            "{text}"
        );
    }

    #[test]
    fn a_row_that_ends_differently_is_marked_and_explained() {
        let mut report = ideal();
        let row = report
            .rows
            .iter_mut()
            .find(|row| row.alert.is_some())
            .unwrap();
        row.established = true;
        row.alert = None;
        assert_eq!(report.unexpected(), 1);
        let text = without_styles(&report.text(None));
        assert!(text.contains("1 did not end as they should"), "{text}");
        assert!(text.contains("accepted !"), "{text}");
        assert!(
            text.contains(
                "expected 0 requests, accepted false, resumed false, anonymous false, alert 45"
            ),
            "{text}"
        );
    }

    #[test]
    fn the_document_has_the_documented_shape() {
        let report = ideal();
        let document = serde_json::to_value(report.json()).unwrap();
        assert_eq!(document["schema"], "countersign.demo/1");
        assert_eq!(document["rows"].as_array().unwrap().len(), 139);
        assert_eq!(document["unexpected"], 0);
        let of_unknown = |row: &&serde_json::Value| {
            row["verifier"] == "server"
                && row["mode"]["bits"] == 3
                && row["peer_certificate"] == "unknown-ca"
        };
        let row = document["rows"]
            .as_array()
            .unwrap()
            .iter()
            .find(of_unknown)
            .unwrap();
        let expected = serde_json::json!({
            "case": "server-require-unknown-ca",
            "version": "TLS 1.3",
            "occasion": "handshake",
            "changed": null,
            "resumed": false,
            "verifier": "server",
            "mode": { "names": ["PEER", "FAIL_IF_NO_PEER_CERT"], "bits": 3 },
            "peer_certificate": "unknown-ca",
            "asked": true,
            "requests": 1,
            "anonymous": false,
            "certificates_sent": 2,
            "ended_by": "server",
            "alert": { "code": 48, "name": "unknown_ca" },
            "verify_result": { "code": 20, "name": "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY" },
            "verdict": "refused",
            "sentence": null,
            "as_expected": true
        });
        assert_eq!(*row, expected);
    }
}
