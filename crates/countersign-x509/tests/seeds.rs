//! What fuzzing begins with: small certificates, lists, responses and chains of every kind that is
//! understood, in `fuzz/seeds`. With `COUNTERSIGN_WRITE_SEEDS=1` they are made anew; otherwise it is
//! checked that they are still read, and that chains are still judged as they were meant to be.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a seed that cannot be made or read must end the test"
)]

mod authority;
mod encoding;

use std::fs;
use std::path::{Path, PathBuf};

use authority::{Authority, client_at};
use countersign_x509::{
    Certificate, CertificateList, ExpectedName, OcspResponse, Profile, Report, TrustStore, verify,
};
use encoding::{base64, pem_block, pkits};
use pki_types::CertificateDer;
use pki_types::pem::PemObject;
use rcgen::{
    CertificateParams, CidrSubnet, CrlDistributionPoint, CrlIssuingDistributionPoint, CrlScope,
    CustomExtension, GeneralSubtree, KeyPair, NameConstraints, SanType,
};
use serde_json::Value;

/// Tests of PKITS that together have every extension and every kind of list.
const PKITS: &[&str] = &[
    "4.5.1", "4.6.15", "4.8.6-1", "4.10.6-1", "4.12.7", "4.13.5", "4.13.21", "4.13.30", "4.13.34",
    "4.14.1", "4.14.28", "4.15.4",
];

/// What the fuzz target `verify` takes a piece of its input for.
#[derive(Clone, Copy)]
enum Kind {
    Presented,
    Trusted,
    List,
    Response,
}

#[test]
fn seeds_are_read() {
    if std::env::var_os("COUNTERSIGN_WRITE_SEEDS").is_some() {
        write_all();
    }
    let certificates = seeds("certificate");
    for (path, der) in &certificates {
        assert!(Certificate::parse(der).is_ok(), "{}", path.display());
    }
    let revocation = seeds("revocation");
    for (path, der) in &revocation {
        let read = CertificateList::parse(der).is_ok() || OcspResponse::parse(der).is_ok();
        assert!(read, "{}", path.display());
    }
    let stores = seeds("store");
    for (path, pem) in &stores {
        assert!(TrustStore::from_pem(pem).is_ok(), "{}", path.display());
    }
    let reports = seeds("report");
    // The fuzz target takes any two certificates.
    let two = [vec![1, 2, 3], vec![4]].map(CertificateDer::from);
    for (path, octets) in &reports {
        let read = Report::decode(octets, &two, &TrustStore::empty());
        assert!(read.is_ok(), "{}", path.display());
    }
    let chains = seeds("verify");
    let counts = [&certificates, &revocation, &stores, &reports, &chains].map(Vec::len);
    assert!(counts.iter().all(|count| *count >= 3), "{counts:?}");
}

fn folder(target: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds")).join(target)
}

fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(folder(target)).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    paths
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

fn write(target: &str, name: &str, content: &[u8]) {
    fs::create_dir_all(folder(target)).unwrap();
    fs::write(folder(target).join(name), content).unwrap();
}

fn write_all() {
    write_made();
    write_responses();
    write_pkits();
}

/// A chain of this crate's own tests, with all that certificates and lists of it can hold.
fn write_made() {
    let root = Authority::root("Root");
    let intermediate = root.subordinate("Intermediate", |params| {
        params.name_constraints = Some(name_constraints());
    });
    let leaf = intermediate.server("db.example", add_every_extension);
    let small = other_key(&rcgen::PKCS_ED25519);
    let large = other_key(&rcgen::PKCS_ECDSA_P384_SHA384);
    write("certificate", "root", &root.der);
    write("certificate", "intermediate", &intermediate.der);
    write("certificate", "leaf", &leaf);
    write("certificate", "ed25519", &small);
    write("certificate", "p384", &large);
    let list = intermediate.list(&[&leaf], |_| {});
    let partial = intermediate.list(&[], |params| {
        params.issuing_distribution_point = Some(CrlIssuingDistributionPoint {
            distribution_point: CrlDistributionPoint {
                uris: vec!["http://db.example/list".to_owned()],
            },
            scope: Some(CrlScope::UserCertsOnly),
        });
    });
    write("revocation", "list", &list);
    write("revocation", "partial-list", &partial);
    let store = [
        pem_block("CERTIFICATE", &root.der),
        pem_block("X509 CRL", &partial),
    ]
    .concat();
    write("store", "root-and-list", store.as_bytes());
    let two = [
        pem_block("CERTIFICATE", &root.der),
        pem_block("X509 CERTIFICATE", &small),
    ]
    .concat();
    write("store", "two", format!("# comment\r\n{two}").as_bytes());
    write("store", "one", pem_block("CERTIFICATE", &small).as_bytes());
    write_reports(&[leaf.clone(), intermediate.der.clone()], &root.trusted());
    let mut pieces = vec![
        (Kind::Presented, leaf.to_vec()),
        (Kind::Presented, intermediate.der.to_vec()),
        (Kind::Trusted, root.der.to_vec()),
    ];
    for (name, choice, more) in [
        ("openssl", 0x20, 32),
        ("webpki", 0x21, 32),
        ("strict", 0x26, 40),
    ] {
        write("verify", name, &verify_input(choice, more, &pieces));
    }
    pieces.push((Kind::List, list.to_vec()));
    pieces.push((Kind::List, partial.to_vec()));
    write("verify", "revoked", &verify_input(0x28, 4, &pieces));
}

fn write_reports(chain: &[CertificateDer<'_>], trust: &TrustStore) {
    for (name, seconds, profile) in [
        ("good", authority::NOW, Profile::OpenSsl),
        ("expired", 2_000_000_000, Profile::OpenSsl),
        ("webpki", authority::NOW, Profile::WebPki),
    ] {
        let parameters = client_at(seconds)
            .with_profile(profile)
            .with_name(ExpectedName::host("db.example"));
        let report = verify(chain, trust, &parameters);
        write("report", name, &report.encode());
    }
}

/// Names of every kind, a place to find lists, and the demand for a stapled response.
fn add_every_extension(params: &mut CertificateParams) {
    let names = [
        SanType::IpAddress([192, 0, 2, 1].into()),
        SanType::Rfc822Name("a@db.example".try_into().unwrap()),
        SanType::URI("spiffe://db.example/a".try_into().unwrap()),
    ];
    params.subject_alt_names.extend(names);
    params.crl_distribution_points = vec![CrlDistributionPoint {
        uris: vec!["http://db.example/list".to_owned()],
    }];
    let must_staple = [1, 3, 6, 1, 5, 5, 7, 1, 24];
    let feature = CustomExtension::from_oid_content(&must_staple, vec![0x30, 3, 2, 1, 5]);
    params.custom_extensions.push(feature);
}

fn name_constraints() -> NameConstraints {
    NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("example".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::V4([192, 0, 2, 0], [255, 255, 255, 0])),
            GeneralSubtree::Rfc822Name("db.example".to_owned()),
        ],
        excluded_subtrees: vec![GeneralSubtree::DnsName("bad.example".to_owned())],
    }
}

fn other_key(algorithm: &'static rcgen::SignatureAlgorithm) -> CertificateDer<'static> {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let params = CertificateParams::new(["db.example".to_owned()]).unwrap();
    params.self_signed(&key).unwrap().der().clone()
}

/// Responses that the openssl program made.
fn write_responses() {
    let certificates = CertificateDer::pem_slice_iter(include_bytes!("data/ocsp/certificates.pem"));
    let certificates: Vec<_> = certificates.map(|der| der.unwrap().to_vec()).collect();
    let responses = [
        ("by-issuer", &include_bytes!("data/ocsp/by-issuer.der")[..]),
        ("by-delegate", include_bytes!("data/ocsp/by-delegate.der")),
        ("sha256", include_bytes!("data/ocsp/sha256.der")),
    ];
    for (name, response) in responses {
        write("revocation", name, response);
        let pieces = [
            (Kind::Presented, certificates[1].clone()),
            (Kind::Trusted, certificates[0].clone()),
            (Kind::Response, response.to_vec()),
        ];
        write("verify", name, &verify_input(0x20, 8, &pieces));
    }
}

/// Certificates and lists of PKITS, and the chains of those tests.
fn write_pkits() {
    let suite = pkits();
    let names = |list: &Value| -> Vec<String> {
        let names = list.as_array().unwrap().iter();
        names
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    };
    let tests = suite["tests"].as_array().unwrap();
    for test in tests
        .iter()
        .filter(|test| PKITS.contains(&test["id"].as_str().unwrap()))
    {
        let id = test["id"].as_str().unwrap();
        let mut pieces = Vec::new();
        for (index, name) in names(&test["certs"]).iter().enumerate() {
            let der = base64(suite["certs"][name].as_str().unwrap());
            if index == 0 {
                pieces.push((Kind::Trusted, der));
            } else {
                write("certificate", &format!("pkits-{id}-{index}"), &der);
                pieces.insert(0, (Kind::Presented, der));
            }
        }
        for (index, name) in names(&test["crls"]).iter().enumerate() {
            let der = base64(suite["crls"][name].as_str().unwrap());
            if index > 0 {
                write("revocation", &format!("pkits-{id}-{index}"), &der);
            }
            pieces.push((Kind::List, der));
        }
        write(
            "verify",
            &format!("pkits-{id}"),
            &verify_input(0x08, 0x17, &pieces),
        );
    }
}

/// The input of the fuzz target `verify`, which says what its parts mean.
fn verify_input(choice: u8, more: u8, pieces: &[(Kind, Vec<u8>)]) -> Vec<u8> {
    let mut input = vec![choice, more];
    for (kind, piece) in pieces {
        input.push(match kind {
            Kind::Presented => 0,
            Kind::Trusted => 1,
            Kind::List => 2,
            Kind::Response => 3,
        });
        input.extend(u16::try_from(piece.len()).unwrap().to_be_bytes());
        input.extend(piece);
    }
    input
}
