//! The recorded conversations of OpenSSL 3.6.3, as far as they are about verifying a certificate:
//! callback trace, result code, chain length and verdict must be the same here.
//!
//! `COUNTERSIGN_ORACLE` names the file of conversations, one JSON object a line, with the
//! certificates in the folder `certs` beside it; else `tests/oracle/matrix-open.jsonl` of the
//! repository is taken. Without either the test says that it was skipped.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a record that cannot be read must end the test"
)]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign_x509::{
    CertificateDer, Decision, ExpectedName, Parameters, Purpose, Replayed, Report, Revocation,
    Step, SubjectNames, TrustStore, UnixTime, ValidationTime, VerifyCode, verify,
};
use pki_types::pem::PemObject;
use serde_json::Value;

/// 2026-06-01, the moment of every conversation.
const NOW: u64 = 1_780_272_000;

#[test]
fn verification_is_as_recorded() {
    let matrix = matrix();
    let certificates = matrix.parent().unwrap().join("certs");
    let text = std::fs::read_to_string(&matrix).unwrap();
    let mut tally = Tally::default();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        for side in [Side::Server, Side::Client] {
            tally.compare(&Conversation {
                row: &row,
                side,
                certificates: &certificates,
                version: "out",
            });
            // Version 4 lets NO_CHECK_TIME win over an explicit time, and so does
            // `ValidationTime::Unchecked`.
            if row["in"].to_string().contains("notime") && row.get("out_4_0").is_some() {
                let version = "out_4_0";
                tally.compare(&Conversation {
                    row: &row,
                    side,
                    certificates: &certificates,
                    version,
                });
            }
        }
    }
    tally.print();
    assert!(
        tally.differences.is_empty(),
        "{}",
        tally.differences.join("\n")
    );
    assert!(tally.compared() > 1000, "hardly anything was compared");
}

/// The conversations that the environment names, else the copy in the repository, unpacked.
fn matrix() -> PathBuf {
    std::env::var_os("COUNTERSIGN_ORACLE").map_or_else(unpacked_copy, PathBuf::from)
}

fn unpacked_copy() -> PathBuf {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracle");
    let unpacked = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oracle");
    std::fs::create_dir_all(unpacked.join("certs")).unwrap();
    let files = unpack(&packed.join("certificates.json.gz"));
    let files: BTreeMap<String, String> = serde_json::from_str(&files).unwrap();
    for (name, text) in files {
        std::fs::write(unpacked.join("certs").join(name), text).unwrap();
    }
    let matrix = unpacked.join("matrix.jsonl");
    std::fs::write(&matrix, unpack(&packed.join("matrix-open.jsonl.gz"))).unwrap();
    matrix
}

fn unpack(file: &Path) -> String {
    let packed = std::fs::read(file).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    text
}

/// Counts by family of conversations and by what became of them.
#[derive(Default)]
struct Tally {
    counts: BTreeMap<(String, String), usize>,
    differences: Vec<String>,
}

impl Tally {
    fn compare(&mut self, conversation: &Conversation<'_>) {
        let family = conversation.row["id"].as_str().unwrap()[..1].to_owned();
        let outcome = match conversation.why_not() {
            Some(why) => format!("left out: {why}"),
            None => match conversation.difference() {
                None => "same".to_owned(),
                Some(difference) => {
                    let id = &conversation.row["id"];
                    self.differences
                        .push(format!("{id} {:?}: {difference}", conversation.side));
                    "different".to_owned()
                }
            },
        };
        *self.counts.entry((family, outcome)).or_default() += 1;
    }

    fn print(&self) {
        for ((family, outcome), count) in &self.counts {
            let _ = writeln!(std::io::stdout(), "{family} {count:5} {outcome}");
        }
    }

    fn compared(&self) -> usize {
        let same = self
            .counts
            .iter()
            .filter(|((_, outcome), _)| outcome == "same");
        same.map(|(_, count)| count).sum()
    }
}

/// Which side verifies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Server,
    Client,
}

/// One side of one conversation.
struct Conversation<'a> {
    row: &'a Value,
    side: Side,
    certificates: &'a Path,
    /// Whose record: `out` for 3.6.3, `out_4_0` for 4.0.3.
    version: &'a str,
}

impl Conversation<'_> {
    /// Why this cannot be compared here, if it cannot.
    fn why_not(&self) -> Option<&'static str> {
        let depth = self
            .input("depth")
            .map(|depth| depth.parse::<i64>().unwrap());
        let reasons = [
            (
                self.row["steps"][0] != "hs",
                "does not begin with a handshake",
            ),
            (
                self.input("avc").is_some(),
                "verification is replaced by the application",
            ),
            (
                self.callback().starts_with("retry"),
                "the callback suspends",
            ),
            (self.anonymous(), "anonymous suite"),
            (!self.verifies(), "nothing is verified"),
            (
                depth.is_some_and(|depth| depth < -1),
                "negative depth cannot be expressed",
            ),
        ];
        reasons
            .into_iter()
            .find(|(applies, _)| *applies)
            .map(|(_, why)| why)
    }

    /// The server verifies if it asked and got a certificate; the client always does, once it has
    /// read the server's message. Where nothing was verified there is no verified chain.
    fn verifies(&self) -> bool {
        let recorded = self.recorded();
        let called = recorded["trace"]
            .as_array()
            .is_some_and(|trace| !trace.is_empty());
        called || recorded["vchain"].as_i64().unwrap() > 0
    }

    fn anonymous(&self) -> bool {
        self.row["in"].get("ciphers").is_some()
    }

    fn recorded(&self) -> &Value {
        let side = match self.side {
            Side::Server => "s",
            Side::Client => "c",
        };
        &self.row[self.version][0][side]
    }

    /// An input of this side.
    fn input(&self, name: &str) -> Option<String> {
        let prefix = match self.side {
            Side::Server => "s",
            Side::Client => "c",
        };
        text(self.row["in"].get(format!("{prefix}{name}")))
    }

    fn callback(&self) -> String {
        self.input("cb").unwrap_or_else(|| "pass".to_owned())
    }

    /// What differs from the record, if anything does.
    fn difference(&self) -> Option<String> {
        let report = self.verify();
        let (trace, result) = self.replay(&report);
        let recorded = self.recorded();
        let expected_trace: Vec<String> = match self.callback().as_str() {
            // Without a callback nothing was recorded.
            "none" => trace.clone(),
            _ => recorded["trace"]
                .as_array()
                .unwrap()
                .iter()
                .map(|step| text(Some(step)).unwrap())
                .collect(),
        };
        let mut differences = Vec::new();
        if trace != expected_trace {
            differences.push(format!("trace {trace:?}, recorded {expected_trace:?}"));
        }
        let expected_code = recorded["vr"].as_u64().unwrap();
        if u64::from(result.code.number()) != expected_code {
            differences.push(format!(
                "code {}, recorded {expected_code}",
                result.code.number()
            ));
        }
        let expected_length = recorded["vchain"].as_u64().unwrap();
        if u64::try_from(result.chain_length).unwrap() != expected_length {
            differences.push(format!(
                "chain of {}, recorded {expected_length}",
                result.chain_length
            ));
        }
        if let Some(refused) = self.refused()
            && refused == result.accepted
        {
            differences.push(format!(
                "accepted {}, recorded {}",
                result.accepted, !refused
            ));
        }
        if self.callback() == "pass" || self.callback() == "none" {
            let consistent =
                report.code() == result.code && report.is_accepted() == result.accepted;
            if !consistent {
                differences.push(format!("report says {}", report.code()));
            }
        }
        (!differences.is_empty())
            .then(|| format!("{} in {}", differences.join("; "), self.row["in"]))
    }

    /// Whether verification was recorded as refused. A client in mode 0 does not show it.
    fn refused(&self) -> Option<bool> {
        let mode: u64 = self.input("mode").map_or(0, |mode| mode.parse().unwrap());
        let visible = self.side == Side::Server || mode != 0;
        visible.then(|| self.recorded()["err"] == "certificate verify failed")
    }

    fn verify(&self) -> Report {
        let (peer, purpose) = match self.side {
            Side::Server => ("client", Purpose::ClientAuth),
            Side::Client => ("server", Purpose::ServerAuth),
        };
        let identity = match self.side {
            // A client_cert_cb of the conversations hands out the leaf of this identity.
            Side::Server => match text(self.row["in"].get("ccert")) {
                Some(identity) if identity != "none" => identity,
                _ => "missingint".to_owned(),
            },
            Side::Client => text(self.row["in"].get("scert")).unwrap_or_else(|| "good".to_owned()),
        };
        let chain = self.read(&format!("{peer}-{identity}.pem"));
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&chain)
            .map(|der| der.unwrap())
            .collect();
        verify(&chain, &self.trust(), &self.parameters(purpose))
    }

    fn trust(&self) -> TrustStore {
        let trust = TrustStore::empty();
        for anchors in self
            .input("trust")
            .unwrap_or_else(|| "root".to_owned())
            .split('+')
        {
            trust
                .add_pem(&self.read(&format!("anchors-{anchors}.pem")))
                .unwrap();
        }
        for list in self.input("crls").iter().flat_map(|lists| lists.split('+')) {
            trust
                .add_crls_pem(&self.read(&format!("crl-{list}.pem")))
                .unwrap();
        }
        trust
    }

    fn read(&self, file: &str) -> Vec<u8> {
        let path = self.certificates.join(file);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn parameters(&self, purpose: Purpose) -> Parameters {
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
        let mut parameters = Parameters::new(purpose, ValidationTime::At(now));
        // As OpenSSL does when nobody tells it otherwise.
        parameters.subject_names = SubjectNames::Fallback;
        for flag in self
            .input("param")
            .iter()
            .flat_map(|flags| flags.split('+'))
        {
            match flag {
                "partial" => parameters.partial_chain = true,
                "strict" => parameters.strict = true,
                "crlleaf" => parameters.revocation = Revocation::Leaf,
                "crlall" => parameters.revocation = Revocation::Chain,
                // OpenSSL 3 looks at an explicit time all the same.
                "notime" if self.version == "out" => {}
                "notime" => parameters.time = ValidationTime::Unchecked,
                other => panic!("unknown parameter {other}"),
            }
        }
        let depth = self
            .input("depth")
            .map(|depth| depth.parse::<i64>().unwrap());
        parameters.depth = depth.and_then(|depth| u32::try_from(depth).ok());
        let level = self.input("authlevel").or_else(|| self.input("level"));
        parameters.security_level = level.map_or(2, |level| level.parse().unwrap());
        let host = self.input("host").map(|host| ExpectedName::host(&host));
        let ip = self.input("ip").map(|ip| ip.parse().unwrap());
        let email = self.input("email").map(ExpectedName::Email);
        let names = [host, ip.map(ExpectedName::Ip), email];
        parameters.names = names.into_iter().flatten().collect();
        parameters
    }

    fn replay(&self, report: &Report) -> (Vec<String>, Replayed) {
        let mut trace = Vec::new();
        let callback = self.callback();
        let result = report.replay(|step| {
            trace.push(step.to_string());
            answer(&callback, step)
        });
        (trace, result)
    }
}

/// The callbacks of the conversations.
fn answer(callback: &str, step: &mut Step<'_>) -> Decision {
    let at_leaf = step.is_ok() && step.depth() == 0;
    let application = VerifyCode::APPLICATION_VERIFICATION;
    match callback {
        "one" => Decision::Continue,
        "zero" => Decision::Stop,
        "clear" => {
            step.set_code(VerifyCode::OK);
            Decision::Continue
        }
        "setapp" if !step.is_ok() => {
            step.set_code(application);
            Decision::Stop
        }
        "leafzero" if at_leaf => Decision::Stop,
        "leafapp" if at_leaf => {
            step.set_code(application);
            Decision::Stop
        }
        "leaferr1" if at_leaf => {
            step.set_code(application);
            Decision::Continue
        }
        "none" | "pass" | "setapp" | "leafzero" | "leafapp" | "leaferr1" => {
            Decision::unless_failed(step)
        }
        // Returns 1 for a good step and -1 for a failure: chain building takes that for a refusal,
        // the other checks for going on.
        "neg" => {
            use countersign_x509::CheckKind;
            let building = matches!(step.check().kind, CheckKind::Trust);
            if !step.is_ok() && building {
                Decision::Stop
            } else {
                Decision::Continue
            }
        }
        other => panic!("unknown callback {other}"),
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        other => panic!("neither text nor number: {other}"),
    }
}
