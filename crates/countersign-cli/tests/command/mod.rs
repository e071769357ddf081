//! Running the built command and looking at what it did.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// How the command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code.
    pub(crate) code: i32,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it said aside.
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("the command was not killed"),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }
}

/// The built command, with an environment that changes nothing.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    for variable in [
        "SSLKEYLOGFILE",
        "NO_COLOR",
        "CLICOLOR_FORCE",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

/// Runs the command with these arguments.
pub(crate) fn countersign(arguments: &[&str]) -> Ended {
    command()
        .args(arguments)
        .output()
        .expect("the command starts")
        .into()
}

/// A directory of one test, removed with it.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).expect("the directory can be made");
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Files of an authority, made by `countersign ca`.
#[derive(Debug)]
pub(crate) struct Authority(Folder);

impl Authority {
    pub(crate) fn new() -> Self {
        let folder = Folder::new();
        let out = folder.path("");
        let ended = countersign(&["ca", "--out", out.to_str().expect("the path is text")]);
        assert_eq!(ended.code, 0, "{ended:?}");
        Self(folder)
    }

    /// The path of one of its files.
    pub(crate) fn file(&self, name: &str) -> String {
        self.0
            .path(name)
            .into_os_string()
            .into_string()
            .expect("the path is text")
    }

    /// `--ca … --cert … --key …` for `client` or `server`.
    pub(crate) fn options(&self, role: &str) -> Vec<String> {
        let (ca, cert, key) = (
            self.file("ca.pem"),
            self.file(&format!("{role}.pem")),
            self.file(&format!("{role}.key")),
        );
        ["--ca", &ca, "--cert", &cert, "--key", &key]
            .map(String::from)
            .to_vec()
    }
}

/// A program in the background; ended when dropped.
#[derive(Debug)]
pub(crate) struct Background {
    child: Child,
    /// The TCP port that it listens on.
    pub(crate) port: u16,
}

impl Background {
    /// Starts a program and waits until a line of its stdout holds `sign` and a port after its last colon.
    pub(crate) fn start(command: &mut Command, sign: &str) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let found = lines
            .by_ref()
            .map_while(Result::ok)
            .find(|line| line.contains(sign));
        let line = found.expect("the program says where it listens");
        let digits = line
            .rsplit(':')
            .next()
            .expect("a line has an end")
            .trim_matches(|c: char| !c.is_ascii_digit());
        let port = digits.parse().expect("a port follows the last colon");
        // Nobody reads what else it says, but it must not be stopped by a full pipe.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { child, port }
    }

    /// `countersign serve` on a free port.
    pub(crate) fn serve(options: &[String]) -> Self {
        let mut serve = command();
        serve
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(options)
            .stderr(Stdio::null());
        Self::start(&mut serve, "Listening on")
    }

    /// Gives the program a line on stdin.
    pub(crate) fn say(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().expect("stdin is piped");
        writeln!(stdin, "{line}").expect("the program reads its stdin");
    }

    /// `localhost:PORT`
    pub(crate) fn target(&self) -> String {
        format!("localhost:{}", self.port)
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the command with text on stdin.
pub(crate) fn countersign_with_input(arguments: &[String], input: &str) -> Ended {
    let mut child = command()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    thread::scope(|scope| {
        // A command that ends early does not read its input.
        scope.spawn(move || stdin.write_all(input.as_bytes()).is_ok());
        child.wait_with_output().expect("the command ends").into()
    })
}

/// Arguments from pieces of different kinds.
pub(crate) fn arguments(first: &[&str], more: &[String]) -> Vec<String> {
    first
        .iter()
        .map(|text| (*text).to_owned())
        .chain(more.iter().cloned())
        .collect()
}

/// Whether a program that a test talks to is there. Without it the test is skipped, visibly, unless
/// `COUNTERSIGN_REQUIRE_PEERS` makes that a failure.
pub(crate) fn is_there(program: &str, version_option: &str) -> bool {
    let probe = Command::new(program)
        .arg(version_option)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let there = probe.is_ok_and(|status| status.success());
    if !there {
        assert!(
            env::var_os("COUNTERSIGN_REQUIRE_PEERS").is_none(),
            "{program} is required and not there"
        );
        // Not through the macros, whose output is hidden while a test passes.
        let _ = writeln!(std::io::stderr(), "skipped: {program} is not installed");
    }
    there
}
