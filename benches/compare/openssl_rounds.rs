//! Asking for a certificate later with OpenSSL, in a process of its own: `openssl_rounds.c`,
//! which the build script compiles.

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use openssl::pkey::PKey;
use openssl::x509::X509;

use crate::certificates::{Certificates, Identity};
use crate::library::Version;
use crate::measuring::{Operation, Outcome, ensure};

pub(crate) struct OpenSslRounds {
    name: &'static str,
    process: RefCell<Process>,
}

impl OpenSslRounds {
    pub(crate) fn new(
        name: &'static str,
        version: Version,
        certificates: &Certificates,
    ) -> Outcome<Self> {
        let folder = Folder::new(name)?;
        let root = X509::from_der(&certificates.root)?.to_pem()?;
        fs::write(folder.0.join("root.pem"), root)?;
        fs::write(folder.0.join("server.pem"), pem(&certificates.server)?)?;
        fs::write(folder.0.join("client.pem"), pem(&certificates.client)?)?;
        let process = Process::start(version, &folder.0)?;
        Ok(Self {
            name,
            process: RefCell::new(process),
        })
    }
}

/// The chain and the key, one after the other.
fn pem(identity: &Identity) -> Outcome<Vec<u8>> {
    let mut pem = Vec::new();
    for certificate in &identity.chain {
        pem.extend(X509::from_der(certificate)?.to_pem()?);
    }
    let key = PKey::private_key_from_der(identity.key.secret_der())?;
    pem.extend(key.private_key_to_pem_pkcs8()?);
    Ok(pem)
}

impl Operation for OpenSslRounds {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self) -> Outcome<()> {
        self.process.borrow_mut().measure(0).map(|_| ())
    }

    fn measured_elsewhere(&self, milliseconds: u32) -> Option<Outcome<f64>> {
        Some(self.process.borrow_mut().measure(milliseconds))
    }
}

/// The program, which waits on one thread while others have their turn.
struct Process {
    child: Child,
    /// Taken when the program is to end.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts it and waits until it has read its files and completed the handshake.
    fn start(version: Version, folder: &Path) -> Outcome<Self> {
        let way = match version {
            Version::Tls12 => "renegotiate",
            Version::Tls13 => "authenticate",
        };
        let mut child = Command::new(env!("OPENSSL_ROUNDS"))
            .arg(way)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or("the program has no output")?;
        let mut process = Self {
            child,
            input,
            output: BufReader::new(output),
        };
        ensure(process.read()? == "ready", "the program is not ready")?;
        Ok(process)
    }

    /// The nanoseconds of CPU time that a round takes, over so many milliseconds.
    fn measure(&mut self, milliseconds: u32) -> Outcome<f64> {
        let input = self.input.as_mut().ok_or("the program has no input")?;
        writeln!(input, "{milliseconds}")?;
        Ok(self.read()?.parse()?)
    }

    fn read(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        ensure(line.ends_with('\n'), "the program has ended early")?;
        Ok(line.trim().to_owned())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The program ends with its input.
        self.input.take();
        self.child.wait().ok();
    }
}

/// A folder for the certificates, and for keys that are of no use to anybody.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Outcome<Self> {
        let name = format!("{name}-{}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}
