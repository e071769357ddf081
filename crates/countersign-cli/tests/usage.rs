//! What the command says when it is asked wrongly, and how it ends then.

mod command;

use std::fs;

use command::{Authority, Folder, command, countersign};

#[test]
fn help_names_every_command_and_exit_code() {
    let ended = countersign(&["--help"]);
    assert_eq!(ended.code, 0);
    for name in ["demo", "connect", "serve", "ca", "verify", "explain"] {
        assert!(
            ended.stdout.contains(&format!("\n  {name} ")),
            "{name}: {}",
            ended.stdout
        );
    }
    for code in 0..=6 {
        assert!(
            ended.stdout.contains(&format!("\n  {code}  ")),
            "{code}: {}",
            ended.stdout
        );
    }
}

#[test]
fn every_command_shows_an_example() {
    for name in ["demo", "connect", "serve", "ca", "verify", "explain"] {
        let ended = countersign(&[name, "--help"]);
        assert_eq!(ended.code, 0);
        assert!(
            ended
                .stdout
                .contains(&format!("Examples:\n  countersign {name}")),
            "{}",
            ended.stdout
        );
    }
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["connect"],
        &["verify"],
        &["explain", "10", "11"],
        &["connect", "https://example.org"],
        &["connect", "example.org:0"],
        &["ca", "--days", "0"],
        &["serve", "--listen", "nowhere"],
    ] {
        let ended = countersign(arguments);
        assert_eq!(ended.code, 2, "{arguments:?}: {ended:?}");
        assert!(!ended.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn colours_need_a_terminal() {
    let plain = countersign(&["ca", "--out", ""]);
    assert!(!plain.stderr.contains('\u{1b}'), "{}", plain.stderr);
    let folder = Folder::new();
    fs::write(folder.path("ca.pem"), "").unwrap();
    let out = folder.path("");
    let run = |variable: &str| {
        let output = command()
            .args(["ca", "--out", out.to_str().unwrap()])
            .env(variable, "1")
            .output()
            .unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(
        run("CLICOLOR_FORCE").contains('\u{1b}'),
        "a forced colour shows that there are any"
    );
    assert!(!run("NO_COLOR").contains('\u{1b}'));
}

fn refused(options: &[&str], complaint: &str) {
    let ended = countersign(options);
    assert_eq!(ended.code, 2, "{options:?}: {ended:?}");
    assert!(
        ended.stderr.contains(complaint),
        "{options:?}: {}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("\n  hint: "),
        "{options:?}: {}",
        ended.stderr
    );
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let authority = Authority::new();
    let (cert, key) = (authority.file("server.pem"), authority.file("client.key"));
    refused(
        &["serve", "--cert", &cert, "--key", &key],
        "does not belong to the first certificate in",
    );
}

#[test]
fn unreadable_files_are_named_with_the_line() {
    let authority = Authority::new();
    let folder = Folder::new();
    let good = fs::read_to_string(authority.file("server.pem")).unwrap();
    let bad = folder.path("bad.pem");
    let bad = bad.to_str().unwrap();
    for (content, complaint) in [
        (
            good[..200].to_owned(),
            "bad.pem: the PEM section that begins in line 1 does not end",
        ),
        (
            format!("\n\n{}", good.replacen("MII", "M!I", 1)),
            "bad.pem: the CERTIFICATE that begins in line 3 is not",
        ),
        (String::new(), "bad.pem holds no certificate"),
        ("0\u{1}binary".to_owned(), "bad.pem is binary"),
    ] {
        fs::write(bad, content).unwrap();
        refused(&["connect", "localhost:1", "--cert", bad], complaint);
    }
    let key = authority.file("server.key");
    refused(
        &["connect", "localhost:1", "--cert", &key],
        "It holds PRIVATE KEY",
    );
    fs::write(bad, &good[..200]).unwrap();
    refused(&["connect", "localhost:1", "--ca", bad], "bad.pem, line 1");
}

#[test]
fn what_to_do_about_a_file_depends_on_what_it_should_hold() {
    let authority = Authority::new();
    let folder = Folder::new();
    let binary = folder.path("binary");
    fs::write(&binary, "0\u{1}binary").unwrap();
    let binary = binary.to_str().unwrap();
    let (cert, key) = (authority.file("server.pem"), authority.file("server.key"));
    for (options, advice) in [
        (
            ["--cert", binary, "--key", &key],
            "openssl x509 -inform der",
        ),
        (
            ["--cert", &cert, "--key", binary],
            "openssl pkey -inform der",
        ),
        (["--cert", &cert, "--ca", &cert], "--key FILE"),
        (["--cert", &cert, "--key", &cert], "exchanged?"),
        (
            ["--verify", "peer", "--ca", binary],
            "openssl x509 -inform der",
        ),
    ] {
        refused(&[&["serve"], &options[..]].concat(), advice);
    }
    let list = ["verify", &cert, "--ca", &cert, "--crl", binary];
    refused(&list, "openssl crl -inform der");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let authority = Authority::new();
    let cert = authority.file("server.pem");
    for options in [
        &["serve"][..],
        &["connect", "localhost:1"],
        &["verify", &cert],
    ] {
        let ended = countersign(&[options, &["--ca", "missing.pem"]].concat());
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(
            ended.stderr.contains("Cannot read missing.pem: "),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn what_the_only_version_lacks_contradicts_it() {
    for (options, version) in [
        (&["serve", "--anonymous"][..], "--tls13"),
        (&["serve", "--renegotiate"], "--tls13"),
        (&["serve", "--update-keys", "/keys"], "--tls12"),
        (&["connect", "localhost:1", "--anonymous"], "--tls13"),
        (&["connect", "localhost:1", "--renegotiate"], "--tls13"),
    ] {
        let ended = countersign(&[options, &[version]].concat());
        assert_eq!(ended.code, 2, "{options:?}: {ended:?}");
        assert!(ended.stderr.contains(version), "{}", ended.stderr);
    }
}

#[test]
fn where_to_listen_is_an_address_and_a_port() {
    for text in ["4433", "localhost:4433", "127.0.0.1", "::1:4433:"] {
        let ended = countersign(&["serve", "--listen", text]);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(
            ended.stderr.contains("as 127.0.0.1:4433"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn an_encrypted_key_is_explained() {
    let authority = Authority::new();
    let folder = Folder::new();
    let key = folder.path("encrypted.key");
    let text = fs::read_to_string(authority.file("server.key")).unwrap();
    fs::write(&key, text.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY")).unwrap();
    let cert = authority.file("server.pem");
    refused(
        &["serve", "--cert", &cert, "--key", key.to_str().unwrap()],
        "(line 1) is encrypted",
    );
}

#[test]
fn checking_visitors_needs_somebody_to_trust() {
    for option in ["--verify=peer", "--ask=/private", "--ask-at-once"] {
        refused(&["serve", option], "nobody is trusted");
    }
}

#[test]
fn a_path_begins_with_a_slash() {
    for option in [
        "--ask=private",
        "--ask-optional=private",
        "--update-keys=private",
    ] {
        refused(&["serve", option], "\"private\" is no path");
    }
}

#[test]
fn modes_that_do_nothing_are_refused() {
    refused(
        &["serve", "--verify", "once"],
        "--verify once does nothing by itself",
    );
    refused(&["serve", "--verify", "none,once"], "stands alone");
    let path = ["connect", "localhost:1", "--path", "/private"];
    assert_eq!(countersign(&path).code, 2);
    refused(&["serve", "--alpn", "h2"], "does not speak \"h2\"");
    refused(
        &[
            "connect",
            "localhost:1",
            "--name",
            "not a name",
            "--verify",
            "none",
        ],
        "neither a host name nor",
    );
}
