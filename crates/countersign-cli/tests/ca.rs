//! `countersign ca`, through the built command.

mod command;

use std::fs;

use command::{Folder, countersign};
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use pki_types::pem::PemObject;
use pki_types::{CertificateDer, PrivateKeyDer};

fn certificates(pem: &[u8]) -> usize {
    CertificateDer::pem_slice_iter(pem).flatten().count()
}

#[test]
fn one_command_makes_everything() {
    let folder = Folder::new();
    let out = folder.path("lab");
    let ended = countersign(&[
        "ca",
        "--out",
        out.to_str().unwrap(),
        "--name",
        "db.lab",
        "--client",
        "ada@lab",
    ]);
    assert_eq!(ended.code, 0, "{ended:?}");
    for (name, count) in [
        ("ca.pem", 1),
        ("intermediate.pem", 1),
        ("server.pem", 2),
        ("client.pem", 2),
    ] {
        let pem = fs::read(folder.path(&format!("lab/{name}"))).unwrap();
        assert_eq!(certificates(&pem), count, "{name}");
    }
    for name in ["server.key", "client.key"] {
        let pem = fs::read(folder.path(&format!("lab/{name}"))).unwrap();
        PrivateKeyDer::from_pem_slice(&pem).unwrap();
    }
    assert!(
        !folder.path("lab/ca.key").exists(),
        "the root's key is thrown away"
    );
    assert!(ended.stdout.contains("server db.lab"), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("countersign serve --verify require"),
        "{}",
        ended.stdout
    );
}

#[test]
fn the_pkcs12_file_opens_with_its_password() {
    let folder = Folder::new();
    let out = folder.path("lab");
    let ended = countersign(&[
        "ca",
        "--out",
        out.to_str().unwrap(),
        "--password",
        "open sesame",
    ]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let data = fs::read(folder.path("lab/client.p12")).unwrap();
    assert!(KeyStore::from_pkcs12(&data, "wrong", Pkcs12ImportPolicy::Strict).is_err());
    let store = KeyStore::from_pkcs12(&data, "open sesame", Pkcs12ImportPolicy::Strict).unwrap();
    let (_, chain) = store.private_key_chain().unwrap();
    assert_eq!(chain.certs().len(), 3);
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let out = folder.path("lab");
    let ended = countersign(&["ca", "--out", out.to_str().unwrap(), "--keep-ca-keys"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    for name in [
        "ca.key",
        "intermediate.key",
        "server.key",
        "client.key",
        "client.p12",
    ] {
        let mode = fs::metadata(folder.path(&format!("lab/{name}")))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn nothing_is_overwritten_unless_forced() {
    let folder = Folder::new();
    fs::write(folder.path("server.key"), "precious").unwrap();
    let out = folder.path("");
    let ended = countersign(&["ca", "--out", out.to_str().unwrap()]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended.stderr.contains("exists already; nothing was written"),
        "{}",
        ended.stderr
    );
    assert_eq!(fs::read(folder.path("server.key")).unwrap(), b"precious");
    assert!(
        !folder.path("ca.pem").exists(),
        "a half-written set is worse than none"
    );

    let forced = countersign(&["ca", "--out", out.to_str().unwrap(), "--force"]);
    assert_eq!(forced.code, 0, "{forced:?}");
    assert_ne!(fs::read(folder.path("server.key")).unwrap(), b"precious");
}

#[test]
fn a_bad_name_is_refused_with_an_example() {
    let folder = Folder::new();
    let out = folder.path("lab");
    let ended = countersign(&["ca", "--out", out.to_str().unwrap(), "--name", "not a name"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended.stderr.contains("\"not a name\" is not a host name"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("--name db.example"),
        "{}",
        ended.stderr
    );
    assert!(!out.exists());
}
