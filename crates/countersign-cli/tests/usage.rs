//! What the command says when it is asked wrongly, and how it ends then.

mod command;

use std::fs;

use command::{Folder, command, countersign};

#[test]
fn help_names_every_command_and_exit_code() {
    let ended = countersign(&["--help"]);
    assert_eq!(ended.code, 0);
    for name in ["demo", "connect", "serve", "ca"] {
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
    for name in ["demo", "connect", "serve", "ca"] {
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
