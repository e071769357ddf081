//! Filling a trust store, and replacing what is in it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up must end"
)]

mod authority;
mod encoding;

use std::fs;
use std::path::PathBuf;

use authority::{Authority, client};
use countersign_x509::{CertificateDer, TrustProblem, TrustStore, verify};
use encoding::pem_block;
use pki_types::pem::PemObject;

fn pem(der: &[u8]) -> String {
    pem_block("CERTIFICATE", der)
}

/// A folder of its own for a test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _absent = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left_behind = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn text_around_the_blocks_and_other_blocks_are_passed_over() {
    let root = Authority::root("Root");
    let text = format!(
        "# our root\n{}\r\nsome text\n{}",
        pem(&root.der),
        pem_block("EC PARAMETERS", b"anything"),
    );
    let trust = TrustStore::from_pem(text.as_bytes()).unwrap();
    assert_eq!(trust.len(), 1);
    assert_eq!(trust.certificates(), std::slice::from_ref(&root.der));
    // The same once more does not count twice.
    trust.add_pem(text.as_bytes()).unwrap();
    assert_eq!(trust.len(), 1);
}

#[test]
fn an_error_names_file_and_line() {
    let folder = Folder::new("errors");
    let root = Authority::root("Root");
    let good = pem(&root.der);
    let cases = [
        (
            "broken",
            format!("{good}{}", pem(b"not a certificate")),
            Some(good.lines().count() + 1),
        ),
        (
            "endless",
            format!(
                "# first line\n{}",
                good.replace("-----END CERTIFICATE-----", "")
            ),
            Some(2),
        ),
        ("base64", good.replace("MII", "M!I"), Some(1)),
        (
            "trusted",
            pem_block("TRUSTED CERTIFICATE", &root.der),
            Some(1),
        ),
        ("empty", String::new(), None),
    ];
    for (name, text, line) in cases {
        let file = folder.write(&format!("{name}.pem"), &text);
        let error = TrustStore::from_pem_file(&file).unwrap_err();
        assert_eq!(error.line(), line, "{error}");
        assert_eq!(error.file(), Some(file.as_path()));
        assert!(
            error.to_string().contains(&format!("{name}.pem")),
            "{error}"
        );
    }
    let missing = TrustStore::from_pem_file(folder.0.join("missing.pem")).unwrap_err();
    assert!(matches!(missing.problem(), TrustProblem::Io(_)));
    assert!(TrustStore::from_pem(b"").is_err());
}

#[test]
fn a_folder_is_read_in_the_order_of_names() {
    let folder = Folder::new("folder");
    let (first, second, third) = (
        Authority::root("1"),
        Authority::root("2"),
        Authority::root("3"),
    );
    folder.write("b.crt", &pem(&second.der));
    folder.write("a.pem", &pem(&first.der));
    folder.write("1a2b3c4d.0", &pem(&third.der));
    folder.write("README.txt", "nothing to see");
    let trust = TrustStore::from_pem_folder(&folder.0).unwrap();
    assert_eq!(trust.certificates(), [third.der, first.der, second.der]);
    let empty = Folder::new("empty-folder");
    assert!(TrustStore::from_pem_folder(&empty.0).is_err());
}

#[test]
fn replacing_takes_effect_for_all_clones_and_counts() {
    let (old, new) = (Authority::root("Old"), Authority::root("New"));
    let trust = old.trusted();
    let used_by_a_connection = trust.clone();
    let chain = [new.server("db.example", |_| {})];
    let before = verify(&chain, &used_by_a_connection, &client());
    assert!(!before.is_accepted());
    assert_eq!(trust.epoch(), 0);

    assert!(
        trust
            .replace_from_pem(b"-----BEGIN CERTIFICATE-----\nrubbish")
            .is_err()
    );
    assert_eq!(trust.epoch(), 0);
    assert_eq!(trust.certificates(), std::slice::from_ref(&old.der));

    trust.replace_from_pem(pem(&new.der).as_bytes()).unwrap();
    assert_eq!(used_by_a_connection.epoch(), 1);
    assert!(verify(&chain, &used_by_a_connection, &client()).is_accepted());
    // What was found before still shows what it was found with.
    assert!(!before.is_accepted());

    trust.replace(&trust.clone());
    assert_eq!(trust.epoch(), 2);
}

#[test]
fn subjects_are_listed_once() {
    let (one, again) = (Authority::root("Same"), Authority::root("Same"));
    let trust = TrustStore::from_der([one.der, again.der]).unwrap();
    assert_eq!(trust.len(), 2);
    assert_eq!(trust.subjects().len(), 1);
    assert!(trust.subjects()[0].starts_with(&[0x30]));
    assert!(TrustStore::empty().is_empty());
    assert_eq!(
        format!("{trust:?}"),
        "TrustStore { certificates: 2, crls: 0, epoch: 0 }"
    );
}

/// A revocation list that revokes nobody.
fn empty_list() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut issuer = rcgen::CertificateParams::default();
    issuer.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    issuer.key_usages = vec![rcgen::KeyUsagePurpose::CrlSign];
    let list = rcgen::CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2026, 1, 1),
        next_update: rcgen::date_time_ymd(2027, 1, 1),
        crl_number: rcgen::SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    let list = list.signed_by(&rcgen::Issuer::new(issuer, key)).unwrap();
    list.pem().unwrap()
}

#[test]
fn a_file_of_lists_makes_nobody_trusted() {
    let trust = Authority::root("Root").trusted();
    let stranger = Authority::root("Stranger");
    let text = format!("{}{}", pem(&stranger.der), empty_list());
    trust.add_crls_pem(text.as_bytes()).unwrap();
    assert_eq!((trust.len(), trust.crl_count()), (1, 1));
    trust.replace_crls_pem(text.as_bytes()).unwrap();
    assert_eq!((trust.len(), trust.crl_count()), (1, 1));
    // The same list again is no error.
    trust.add_crls_pem(text.as_bytes()).unwrap();
    assert_eq!((trust.len(), trust.crl_count()), (1, 1));
}

#[test]
fn lists_can_be_added_and_replaced() {
    let root = Authority::root("Root");
    let trust = root.trusted();
    let none = trust.add_crls_pem(pem(&root.der).as_bytes()).unwrap_err();
    assert!(matches!(none.problem(), TrustProblem::NoRevocationList));
    let bad = trust
        .add_crls_pem(pem_block("X509 CRL", b"rubbish").as_bytes())
        .unwrap_err();
    assert!(matches!(bad.problem(), TrustProblem::RevocationList(_)));
    assert_eq!((trust.crl_count(), trust.epoch()), (0, 0));
}

#[test]
fn pem_written_here_is_pem() {
    for length in [1, 2, 3, 48, 100] {
        let der = vec![0x5a; length];
        let read = CertificateDer::from_pem_slice(pem(&der).as_bytes()).unwrap();
        assert_eq!(read.as_ref(), der);
    }
}

#[test]
fn a_file_too_large_is_refused_and_the_last_good_content_stays() {
    let folder = Folder::new("large");
    let root = Authority::root("Root");
    let good = pem(&root.der);
    folder.write("large.pem", &good);
    let path = folder.0.join("large.pem");
    let trust = TrustStore::from_pem_file(&path).unwrap();
    let largest = 64 * 1024 * 1024;
    let file = fs::File::options().write(true).open(&path).unwrap();
    // What follows the certificate are zeros that take no room.
    file.set_len(largest).unwrap();
    assert!(TrustStore::from_pem_file(&path).is_ok());
    file.set_len(largest + 1).unwrap();
    let error = trust.replace_from_pem_file(&path).unwrap_err();
    assert!(matches!(error.problem(), TrustProblem::TooLarge));
    assert_eq!(error.file(), Some(&*path));
    assert!(
        error.to_string().ends_with("so divide it or name another"),
        "{error}"
    );
    assert_eq!((trust.len(), trust.epoch()), (1, 0));
}
