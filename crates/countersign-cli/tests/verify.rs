//! `countersign verify`, through the built command.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod command;

use std::fs;
use std::process::Command;

use command::{Ended, Folder, command, countersign, countersign_with_input, is_there};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SerialNumber, date_time_ymd,
};
use serde_json::Value;

/// 2026-06-01.
const TIME: &str = "2026-06-01T00:00:00Z";

/// A root, an intermediate and a server's certificate, whose dates never change, in files.
struct Lab {
    folder: Folder,
    intermediate: Issuer<'static, KeyPair>,
}

fn params(name: &str, last_year: i32) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(last_year, 1, 1);
    params.use_authority_key_identifier_extension = true;
    params
}

fn ca(name: &str) -> CertificateParams {
    let mut params = params(name, 2040);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

impl Lab {
    fn new() -> Self {
        let folder = Folder::new();
        let key = KeyPair::generate().unwrap();
        let root = ca("Root");
        fs::write(folder.path("ca.pem"), root.self_signed(&key).unwrap().pem()).unwrap();
        let root = Issuer::new(root, key);
        let key = KeyPair::generate().unwrap();
        let intermediate = ca("Intermediate");
        let pem = intermediate.signed_by(&key, &root).unwrap().pem();
        fs::write(folder.path("intermediate.pem"), pem).unwrap();
        let lab = Self {
            folder,
            intermediate: Issuer::new(intermediate, key),
        };
        lab.issue("chain.pem", "db.example", |_| {});
        lab
    }

    /// Writes a server's certificate, valid in 2026, and the intermediate into a file.
    fn issue(&self, file: &str, name: &str, change: impl FnOnce(&mut CertificateParams)) {
        let mut params = params(name, 2027);
        params.subject_alt_names = vec![rcgen::SanType::DnsName("db.example".try_into().unwrap())];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.serial_number = Some(SerialNumber::from(7));
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &self.intermediate).unwrap().pem();
        let above = fs::read_to_string(self.folder.path("intermediate.pem")).unwrap();
        fs::write(self.folder.path(file), leaf + &above).unwrap();
    }

    /// Writes a revocation list of the intermediate that names serial number 7, or none.
    fn list(&self, file: &str, revoked: bool) {
        let entry = RevokedCertParams {
            serial_number: SerialNumber::from(7),
            revocation_time: date_time_ymd(2026, 5, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 5, 1),
            next_update: date_time_ymd(2026, 7, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: if revoked { vec![entry] } else { Vec::new() },
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&self.intermediate).unwrap();
        fs::write(self.folder.path(file), list.pem().unwrap()).unwrap();
    }

    fn path(&self, file: &str) -> String {
        self.folder.path(file).to_str().unwrap().to_owned()
    }

    /// `verify` of a file of this folder, with more options.
    fn verify(&self, file: &str, options: &[&str]) -> Ended {
        let (chain, ca) = (self.path(file), self.path("ca.pem"));
        let time = if options.contains(&"--time") {
            &[][..]
        } else {
            &["--time", TIME]
        };
        countersign(&[&["verify", &chain, "--ca", &ca], time, options].concat())
    }
}

#[test]
fn a_good_chain_ends_with_0() {
    let ended = Lab::new().verify("chain.pem", &["--name", "db.example"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let expected = "\
accepted: The server's certificate is valid (CN=db.example).
It is for db.example, as expected.

    2  CN=Root          anchor     until 2040-01-01
    1  CN=Intermediate  presented  until 2040-01-01
    0  CN=db.example    presented  until 2027-01-01

";
    assert_eq!(&ended.stdout[..expected.len()], expected);
    let expected = "
code:    0 X509_V_OK
rules:   openssl, purpose server, at 2026-06-01T00:00:00Z
         web-pki would accept it too
";
    assert!(ended.stdout.ends_with(expected), "{}", ended.stdout);
    assert!(ended.stdout.contains(" checks passed, 0 failed, "));
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_bad_chain_ends_with_5_and_is_explained() {
    let ended = Lab::new().verify("chain.pem", &["--time", "2027-06-01T02:00:00+02:00"]);
    assert_eq!(ended.code, 5, "{ended:?}");
    let (before, rest) = ended.stdout.split_once("\n\n").unwrap();
    assert_eq!(
        before,
        "refused: The server's certificate expired on 2027-01-01 (leaf, CN=db.example)."
    );
    let (drawing, rest) = rest.split_once("\n\n").unwrap();
    assert_eq!(
        drawing.lines().last().unwrap(),
        "  ✗ 0  CN=db.example    presented  until 2027-01-01  X509_V_ERR_CERT_HAS_EXPIRED"
    );
    let (checks, result) = rest.split_once("\n\n").unwrap();
    let (count, failures) = checks.split_once('\n').unwrap();
    assert!(count.contains("checks passed, 1 failed, "), "{count}");
    assert_eq!(failures, "  ✗ 0  end of validity: expired on 2027-01-01");
    let expected = "\
code:    10 X509_V_ERR_CERT_HAS_EXPIRED
alert:   45 certificate_expired
rules:   openssl, purpose server, at 2027-06-01T00:00:00Z
         web-pki would refuse it too: for the same reason
hint:    Renew it on the server, or check this machine's clock (now 2027-06-01).
";
    assert_eq!(result, expected);
}

#[test]
fn paths_that_were_not_chosen_are_told() {
    let lab = Lab::new();
    let namesake = ca("Root")
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap();
    let both = namesake.pem() + &fs::read_to_string(lab.path("ca.pem")).unwrap();
    fs::write(lab.path("ca.pem"), both).unwrap();
    let ended = lab.verify("chain.pem", &[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let expected = "
Paths not chosen:
  CN=db.example, CN=Intermediate, CN=Root: depth 2 is not the issuer that the key identifier below it names
";
    assert!(ended.stdout.contains(expected), "{}", ended.stdout);
    let ended = lab.verify("chain.pem", &["--json"]);
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(json["further_paths_not_chosen"], 0);
    let path = &json["paths_not_chosen"][0];
    assert_eq!(path["certificates"][2], "CN=Root");
    assert_eq!(path["depth"], 2);
    assert_eq!(path["obstacle"], "other-key-identifier");
    assert_eq!(path["check"], Value::Null);
}

#[test]
fn names_in_the_subject_count_when_asked_for() {
    let lab = Lab::new();
    lab.issue("old.pem", "old.example", |params| {
        params.subject_alt_names.clear();
    });
    let refused = lab.verify("old.pem", &["--name", "old.example"]);
    assert_eq!(refused.code, 5);
    assert!(
        refused
            .stdout
            .contains("in the subject alone it does not count"),
        "{}",
        refused.stdout
    );
    let accepted = lab.verify("old.pem", &["--name", "old.example", "--subject-names"]);
    assert_eq!(accepted.code, 0, "{}", accepted.stdout);
}

#[test]
fn each_option_reaches_the_check_it_is_for() {
    let lab = Lab::new();
    lab.list("revoking.crl", true);
    lab.list("harmless.crl", false);
    let (revoking, harmless) = (lab.path("revoking.crl"), lab.path("harmless.crl"));
    for (options, code, part) in [
        (
            &["--purpose", "client"][..],
            5,
            "26 X509_V_ERR_INVALID_PURPOSE",
        ),
        (&["--purpose", "any"], 0, "purpose any"),
        (
            &["--name", "www.example"],
            5,
            "62 X509_V_ERR_HOSTNAME_MISMATCH",
        ),
        (
            &["--name", "192.0.2.1"],
            5,
            "64 X509_V_ERR_IP_ADDRESS_MISMATCH",
        ),
        (
            &["--name", "a@db.example"],
            5,
            "63 X509_V_ERR_EMAIL_MISMATCH",
        ),
        (&["--name", "spiffe://db/x"], 5, "is not for spiffe://db/x"),
        (
            &["--name", "www.example", "--name", "db.example"],
            0,
            "It is for db.example",
        ),
        (&["--depth", "0"], 5, "22 X509_V_ERR_CERT_CHAIN_TOO_LONG"),
        (&["--depth", "1"], 0, "0 X509_V_OK"),
        (&["--time", "@0"], 5, "9 X509_V_ERR_CERT_NOT_YET_VALID"),
        (&["--profile", "web-pki"], 0, "openssl would accept it too"),
        (&["--crl", &revoking], 5, "was revoked on 2026-05-01"),
        (
            &["--crl", &revoking, "--revocation", "none"],
            0,
            "0 X509_V_OK",
        ),
        (&["--crl", &harmless], 0, "0 X509_V_OK"),
        (
            &["--crl", &harmless, "--revocation", "chain"],
            5,
            "3 X509_V_ERR_UNABLE_TO_GET_CRL",
        ),
        (
            &["--revocation", "leaf"],
            5,
            "3 X509_V_ERR_UNABLE_TO_GET_CRL",
        ),
    ] {
        let ended = lab.verify("chain.pem", options);
        assert_eq!(ended.code, code, "{options:?}: {ended:?}");
        assert!(ended.stdout.contains(part), "{options:?}: {}", ended.stdout);
    }
}

#[test]
fn strict_rules_and_partial_chains_are_asked_for() {
    let lab = Lab::new();
    lab.issue("no-identifier.pem", "db.example", |params| {
        params.use_authority_key_identifier_extension = false;
    });
    assert_eq!(lab.verify("no-identifier.pem", &[]).code, 0);
    let strict = lab.verify("no-identifier.pem", &["--strict"]);
    assert_eq!(strict.code, 5, "{strict:?}");
    assert!(
        strict.stdout.contains("strict rules: "),
        "{}",
        strict.stdout
    );

    let (chain, intermediate) = (lab.path("chain.pem"), lab.path("intermediate.pem"));
    let base = ["verify", &chain, "--ca", &intermediate, "--time", TIME];
    let ended = countersign(&base);
    assert!(ended.stdout.contains("code:    2 "), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("web-pki would accept it\n"),
        "{}",
        ended.stdout
    );
    let ended = countersign(&[&base[..], &["--partial-chain"]].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn intermediates_may_come_from_another_file_and_are_not_trusted() {
    let lab = Lab::new();
    let whole = fs::read_to_string(lab.path("chain.pem")).unwrap();
    let end = whole.find("-----END CERTIFICATE-----\n").unwrap() + 26;
    fs::write(lab.path("leaf.pem"), &whole[..end]).unwrap();
    let ended = lab.verify("leaf.pem", &[]);
    assert_eq!(ended.code, 5, "{ended:?}");
    assert!(
        ended.stdout.contains("  ?  no trust anchor\n"),
        "{}",
        ended.stdout
    );
    let intermediate = lab.path("intermediate.pem");
    let ended = lab.verify("leaf.pem", &["--untrusted", &intermediate]);
    assert_eq!(ended.code, 0, "{ended:?}");

    // The root of another, in the bag for no reason, and something that is no certificate.
    let stranger = Lab::new();
    let bag = fs::read_to_string(stranger.path("ca.pem")).unwrap();
    let junk = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    fs::write(lab.path("bag.pem"), format!("{whole}{junk}{bag}")).unwrap();
    let ended = lab.verify("bag.pem", &[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let lines = whole.lines().count();
    for part in [
        format!("bag.pem, line {}: cannot be read: ", lines + 1),
        format!("bag.pem, line {}: not needed: CN=Root\n", lines + 4),
    ] {
        assert!(ended.stdout.contains(&part), "{part}: {}", ended.stdout);
    }
    let missing = lab.path("missing.pem");
    let ended = lab.verify("chain.pem", &["--untrusted", &missing]);
    assert_eq!(ended.code, 2, "{ended:?}");
}

#[test]
fn all_lists_every_check_under_its_certificate() {
    let ended = Lab::new().verify("chain.pem", &["--all"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let (_, leaf) = ended.stdout.split_once("\n0  CN=db.example\n").unwrap();
    let (leaf, above) = leaf.split_once("\n1  CN=Intermediate\n").unwrap();
    assert!(leaf.contains("\nend of validity        passed\n"), "{leaf}");
    assert!(
        leaf.contains("\nhost name              left out  not asked for\n"),
        "{leaf}"
    );
    assert!(above.contains("\n2  CN=Root\n"), "{above}");
    // Each check is listed once.
    let passed = |text: &str| {
        text.lines()
            .filter(|line| line.contains("  passed"))
            .count()
    };
    let count = format!("\n{} checks passed, ", passed(&ended.stdout));
    assert!(ended.stdout.contains(&count), "{count}: {}", ended.stdout);
}

#[test]
fn the_document_holds_everything() {
    let lab = Lab::new();
    let ended = lab.verify("chain.pem", &["--name", "www.example", "--json"]);
    assert_eq!(ended.code, 5, "{ended:?}");
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    for (field, expected) in [
        ("schema", Value::from("countersign.verify/1")),
        ("file", lab.path("chain.pem").into()),
        ("purpose", "server".into()),
        ("time", TIME.into()),
        ("exit_code", 5.into()),
        ("profile", "openssl".into()),
        ("verdict", "refused".into()),
        ("code", 62.into()),
        ("name", "X509_V_ERR_HOSTNAME_MISMATCH".into()),
        (
            "alert",
            serde_json::json!({ "code": 42, "name": "bad_certificate" }),
        ),
        ("matched_name", Value::Null),
        ("not_in_chain", serde_json::json!([])),
    ] {
        assert_eq!(json[field], expected, "{field}");
    }
    assert!(
        json["sentence"]
            .as_str()
            .unwrap()
            .contains("is not for www.example")
    );
    assert!(json["advice"].is_string());
    let chain = json["chain"].as_array().unwrap();
    let origins: Vec<_> = chain
        .iter()
        .map(|link| link["origin"].as_str().unwrap())
        .collect();
    assert_eq!(origins, ["sent", "sent", "trusted"]);
    let pem: String = chain[..2]
        .iter()
        .map(|link| link["pem"].as_str().unwrap())
        .collect();
    let file = fs::read_to_string(lab.path("chain.pem")).unwrap();
    assert_eq!(pem, file.replace('\r', ""));
    let failed: Vec<_> = json["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["outcome"] == "failed")
        .collect();
    assert_eq!(
        failed,
        [&serde_json::json!({
            "depth": 0, "check": "host-name", "outcome": "failed", "why": "is not for www.example",
            "code": 62, "name": "X509_V_ERR_HOSTNAME_MISMATCH",
        })]
    );
    let other = &json["other_profile"];
    assert_eq!(
        (&other["profile"], &other["code"]),
        (&"web-pki".into(), &62.into())
    );
}

#[test]
fn the_documented_fields_are_the_fields() {
    let paper = include_str!("../../../docs/cli-json.md");
    let (_, section) = paper.split_once("## countersign.verify/1").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let ended = Lab::new().verify("chain.pem", &["--json"]);
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    let tops = json.as_object().unwrap().keys();
    let checks = json["checks"][0].as_object().unwrap().keys();
    for field in tops.chain(checks) {
        assert!(
            section.contains(&format!("`{field}`")),
            "{field} is not documented"
        );
    }
}

#[test]
fn the_system_s_authorities_are_the_default() {
    let lab = Lab::new();
    let output = command()
        .args(["verify", &lab.path("chain.pem"), "--time", TIME])
        .env("SSL_CERT_FILE", lab.path("ca.pem"))
        .output()
        .unwrap();
    let ended = Ended::from(output);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.stdout.contains("rules:   web-pki, "),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_chain_may_come_from_stdin() {
    let lab = Lab::new();
    let arguments = ["verify", "-", "--ca", &lab.path("ca.pem"), "--time", TIME].map(String::from);
    let input = fs::read_to_string(lab.path("chain.pem")).unwrap();
    let ended = countersign_with_input(&arguments, &input);
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn files_that_cannot_be_used_are_named_with_the_line() {
    let lab = Lab::new();
    lab.list("list.crl", true);
    let good = fs::read_to_string(lab.path("chain.pem")).unwrap();
    let list = fs::read_to_string(lab.path("list.crl")).unwrap();
    let junk = "\n-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n";
    fs::write(lab.path("cut.pem"), format!("\n{}", &good[..200])).unwrap();
    fs::write(lab.path("empty.pem"), "").unwrap();
    fs::write(lab.path("binary.pem"), b"0\x82\x01\x02").unwrap();
    fs::write(lab.path("junk.crl"), format!("{list}{junk}")).unwrap();
    let (cut, empty, crl) = (
        lab.path("cut.pem"),
        lab.path("empty.pem"),
        lab.path("junk.crl"),
    );
    let line = list.lines().count() + 2;
    for (file, options, complaint) in [
        (
            "cut.pem",
            &[][..],
            "cut.pem: the PEM section that begins in line 2 does not end",
        ),
        ("empty.pem", &[], "empty.pem holds no certificate"),
        ("binary.pem", &[], "binary.pem is binary"),
        ("missing.pem", &[], "Cannot read "),
        ("list.crl", &[], "It holds X509 CRL"),
        ("chain.pem", &["--ca", &cut], "cut.pem, line 2: "),
        (
            "chain.pem",
            &["--ca", &empty],
            "empty.pem: there is no certificate in it",
        ),
        (
            "chain.pem",
            &["--untrusted", &cut],
            "cut.pem: the PEM section that begins in line 2",
        ),
        (
            "chain.pem",
            &["--crl", &empty],
            "empty.pem holds no revocation list",
        ),
        (
            "chain.pem",
            &["--crl", &crl],
            &format!("junk.crl, line {line}: the revocation list"),
        ),
    ] {
        let ended = lab.verify(file, options);
        assert_eq!(ended.code, 2, "{file} {options:?}: {ended:?}");
        assert!(
            ended.stderr.contains(complaint),
            "{complaint}: {}",
            ended.stderr
        );
        assert_eq!(ended.stdout, "", "{file} {options:?}");
    }
}

#[test]
fn a_file_of_lists_cannot_add_an_authority() {
    let (lab, stranger) = (Lab::new(), Lab::new());
    stranger.list("list.crl", false);
    let list = fs::read_to_string(stranger.path("list.crl")).unwrap();
    let root = fs::read_to_string(stranger.path("ca.pem")).unwrap();
    fs::write(stranger.path("both.crl"), format!("{root}{list}")).unwrap();
    let (chain, ca, both) = (
        stranger.path("chain.pem"),
        lab.path("ca.pem"),
        stranger.path("both.crl"),
    );
    let ended = countersign(&[
        "verify", &chain, "--ca", &ca, "--crl", &both, "--time", TIME,
    ]);
    assert_eq!(ended.code, 5, "{ended:?}");
}

#[test]
fn times_and_names_that_are_none_are_refused() {
    let lab = Lab::new();
    for options in [
        ["--time", "yesterday"],
        ["--time", "2026-11-23"],
        ["--time", "@1e9"],
        ["--time", "@99999999999999999999"],
        ["--time", "1969-12-31T23:59:59Z"],
        ["--name", "not a name"],
        ["--name", "zürich.example"],
        ["--purpose", "postman"],
        ["--profile", "none"],
        ["--depth", "many"],
    ] {
        let ended = lab.verify("chain.pem", &options);
        assert_eq!(ended.code, 2, "{options:?}: {ended:?}");
        assert!(
            ended.stderr.contains(options[0]),
            "{options:?}: {}",
            ended.stderr
        );
    }
}

#[test]
fn large_input_is_bounded() {
    let lab = Lab::new();
    let chain = fs::read_to_string(lab.path("chain.pem")).unwrap();
    let too_large = chain.repeat(17 * 1024 * 1024 / chain.len());
    fs::write(lab.path("large.pem"), too_large).unwrap();
    let large = lab.path("large.pem");
    for option in ["--ca", "--crl", "--untrusted"] {
        let ended = lab.verify("chain.pem", &[option, &large]);
        assert_eq!(ended.code, 2, "{option}: {ended:?}");
        assert!(
            ended.stderr.contains("large.pem is larger than 16 MB"),
            "{}",
            ended.stderr
        );
    }
    // Many certificates that are not needed are counted and not listed.
    let many = Lab::new();
    let strange = fs::read_to_string(many.path("ca.pem")).unwrap();
    fs::write(lab.path("many.pem"), chain + &strange.repeat(300)).unwrap();
    let ended = lab.verify("many.pem", &[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.stdout.contains("\n  and 290 more\n"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.len() < 4096, "{}", ended.stdout.len());
}

#[test]
fn what_a_certificate_says_does_not_reach_the_terminal_as_it_is() {
    let lab = Lab::new();
    lab.issue(
        "evil.pem",
        "evil\u{1b}[2J\u{202e}\r\naccepted: fine\u{9b}0m",
        |_| {},
    );
    for options in [
        &["--name", "www.example"][..],
        &["--all"],
        &["--json"],
        &["--purpose", "client", "--all"],
    ] {
        let ended = lab.verify("evil.pem", options);
        let harmful = |character: char| {
            (character.is_control() && character != '\n') || character == '\u{202e}'
        };
        assert!(
            !ended.stdout.contains(harmful),
            "{options:?}: {:?}",
            ended.stdout
        );
        assert!(
            ended
                .stdout
                .lines()
                .skip(1)
                .all(|line| !line.starts_with("accepted")),
            "{options:?}: {}",
            ended.stdout
        );
    }
}

#[test]
fn a_certificate_that_cannot_be_read_is_refused_and_not_accepted() {
    let lab = Lab::new();
    let junk = "-----BEGIN CERTIFICATE-----\nMAMBAgM=\n-----END CERTIFICATE-----\n";
    fs::write(lab.path("junk.pem"), junk).unwrap();
    let ended = lab.verify("junk.pem", &["--all"]);
    assert_eq!(ended.code, 5, "{ended:?}");
    assert!(
        ended
            .stdout
            .starts_with("refused: The server's certificate cannot be read: "),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("junk.pem, line 1: cannot be read"),
        "{}",
        ended.stdout
    );
}

/// The code that `openssl verify` reports first; 0 if it accepts the chain.
fn openssl_code(chain: &str, ca: &str, options: &[&str]) -> u32 {
    let output = Command::new("openssl")
        .args([
            "verify",
            "-CAfile",
            ca,
            "-untrusted",
            chain,
            "-auth_level",
            "2",
        ])
        .args(options)
        .arg(chain)
        .output()
        .unwrap();
    if output.status.success() {
        return 0;
    }
    let stderr = String::from_utf8(output.stderr).unwrap();
    let error = stderr.lines().find_map(|line| line.strip_prefix("error "));
    error
        .and_then(|line| line.split(' ').next()?.parse().ok())
        .expect(&stderr)
}

#[test]
fn openssl_says_the_same() {
    if !is_there("openssl", "version") {
        return;
    }
    let (lab, stranger) = (Lab::new(), Lab::new());
    let (chain, ca, other) = (
        lab.path("chain.pem"),
        lab.path("ca.pem"),
        stranger.path("ca.pem"),
    );
    for (ours, theirs) in [
        (
            &["--time", "@1780272000"][..],
            &["-attime", "1780272000"][..],
        ),
        (&["--time", "@0"], &["-attime", "0"]),
        (&["--time", "@1900000000"], &["-attime", "1900000000"]),
        (
            &["--name", "www.example"],
            &["-verify_hostname", "www.example"],
        ),
        (
            &["--name", "db.example"],
            &["-verify_hostname", "db.example"],
        ),
        (&["--name", "192.0.2.1"], &["-verify_ip", "192.0.2.1"]),
        (&["--purpose", "client"], &["-purpose", "sslclient"]),
        (&["--depth", "0"], &["-verify_depth", "0"]),
        (&["--revocation", "leaf"], &["-crl_check"]),
        (&["--strict"], &["-x509_strict"]),
    ] {
        for trusted in [&ca, &other] {
            let at = ["-attime", "1780272000"];
            let base = if theirs.contains(&"-attime") {
                &[][..]
            } else {
                &at
            };
            let theirs = openssl_code(&chain, trusted, &[base, theirs].concat());
            let time = ["--time", TIME];
            let base = if ours.contains(&"--time") {
                &[][..]
            } else {
                &time
            };
            let first = ["verify", &chain, "--ca", trusted, "--json"];
            let ended = countersign(&[&first, base, ours].concat());
            let json: Value = serde_json::from_str(&ended.stdout).unwrap();
            assert_eq!(json["code"], theirs, "{ours:?} {}", ended.stdout);
        }
    }
}
