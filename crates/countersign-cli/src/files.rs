//! Certificates and keys in files: reading PEM with errors that name the line, and writing files that
//! are never overwritten by accident.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use pki_types::pem::PemObject;
use pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use crate::failure::{Exit, Failure};

/// More than any bundle of authorities needs; keeps a wrong path from filling the memory.
const LARGEST_FILE: u64 = 16 * 1024 * 1024;

/// What to do about a file that holds something else.
pub(crate) const EXCHANGED: &str = "Were two files exchanged?";

/// Reads all certificates of a PEM file, in its order; at least one.
pub(crate) fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let placed = read_placed_certificates(path)?;
    Ok(placed.into_iter().map(|placed| placed.der).collect())
}

/// Something in a PEM file, and the line where it begins, from 1.
#[derive(Clone, Debug)]
pub(crate) struct Placed<T> {
    pub line: usize,
    pub der: T,
}

/// Reads all certificates of a PEM file with their lines; at least one. `-` is stdin.
pub(crate) fn read_placed_certificates(
    path: &Path,
) -> Result<Vec<Placed<CertificateDer<'static>>>, Failure> {
    PemFile::read(path, "x509")?.all("CERTIFICATE", "certificate")
}

/// Reads all revocation lists of a PEM file with their lines; at least one.
pub(crate) fn read_revocation_lists(
    path: &Path,
) -> Result<Vec<Placed<CertificateRevocationListDer<'static>>>, Failure> {
    PemFile::read(path, "crl")?.all("X509 CRL", "revocation list")
}

/// Reads a file that must not be larger than any file of certificates; `-` is stdin.
pub(crate) fn read_bounded(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: io::Error| Failure::file(Exit::Usage, "read", path, &error);
    let mut bytes = Vec::new();
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(failed)?)
    };
    source
        .take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST_FILE) {
        return Err(Failure::usage(format!(
            "{} is larger than 16 MB.",
            path.display()
        )));
    }
    Ok(bytes)
}

/// Reads the one private key of a PEM file. If it holds something else, `advice` says what to do.
pub(crate) fn read_private_key(
    path: &Path,
    advice: &str,
) -> Result<PrivateKeyDer<'static>, Failure> {
    let file = PemFile::read(path, "pkey")?;
    let sections = file.sections()?;
    let is_key = |section: &&Section<'_>| section.label.ends_with("PRIVATE KEY");
    let mut keys = sections.iter().filter(is_key);
    let Some(section) = keys.next() else {
        return Err(file.lacks("private key", "PRIVATE KEY", advice));
    };
    if let Some(second) = keys.next() {
        let what = format!(
            "{} holds more than one private key (line {}).",
            file.name(),
            second.line
        );
        return Err(
            Failure::usage(what).advise("Leave only the one that belongs to the certificate.")
        );
    }
    if section.label == "ENCRYPTED PRIVATE KEY" || section.text.contains("Proc-Type: 4,ENCRYPTED") {
        let what = format!(
            "The private key in {} (line {}) is encrypted.",
            file.name(),
            section.line
        );
        return Err(
            Failure::usage(what).advise("Decrypt it first: openssl pkey -in FILE -out NEWFILE")
        );
    }
    PrivateKeyDer::from_pem_slice(section.text.as_bytes()).map_err(|_| file.undecodable(section))
}

/// DER as PEM text.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new(label, der), config)
}

struct PemFile {
    path: PathBuf,
    text: String,
}

/// From a BEGIN line to its END line.
struct Section<'a> {
    /// The number of the BEGIN line, from 1.
    line: usize,
    label: &'a str,
    text: &'a str,
}

impl PemFile {
    /// Reads a file of what the OpenSSL command `kind` converts from DER.
    fn read(path: &Path, kind: &str) -> Result<Self, Failure> {
        let bytes = read_bounded(path)?;
        if bytes.first() == Some(&0x30) {
            let what = format!("{} is binary (DER or PKCS#12), not PEM.", path.display());
            let advice = format!(
                "Convert it: openssl {kind} -inform der -in FILE, or openssl pkcs12 -in FILE -nodes"
            );
            return Err(Failure::usage(what).advise(advice));
        }
        let not_text = |_| {
            Failure::usage(format!(
                "{} is not a PEM file: it is not text.",
                path.display()
            ))
        };
        Ok(Self {
            path: path.to_owned(),
            text: String::from_utf8(bytes).map_err(not_text)?,
        })
    }

    fn name(&self) -> std::path::Display<'_> {
        self.path.display()
    }

    /// Everything under a label; at least one.
    fn all<T: PemObject>(&self, label: &str, kind: &str) -> Result<Vec<Placed<T>>, Failure> {
        let mut found = Vec::new();
        for section in self
            .sections()?
            .iter()
            .filter(|section| section.label == label)
        {
            let decoded = T::from_pem_slice(section.text.as_bytes());
            found.push(Placed {
                line: section.line,
                der: decoded.map_err(|_| self.undecodable(section))?,
            });
        }
        if found.is_empty() {
            return Err(self.lacks(kind, label, EXCHANGED));
        }
        Ok(found)
    }

    fn sections(&self) -> Result<Vec<Section<'_>>, Failure> {
        let mut sections = Vec::new();
        let mut open: Option<(usize, usize, &str)> = None;
        let mut offset = 0_usize;
        for (line, with_end) in (1_usize..).zip(self.text.split_inclusive('\n')) {
            let start = offset;
            offset = offset.saturating_add(with_end.len());
            let content = with_end.trim();
            if let Some(label) = marker(content, "BEGIN") {
                if let Some((line, ..)) = open {
                    return Err(self.unfinished(line));
                }
                open = Some((line, start, label));
            } else if let Some(label) = marker(content, "END") {
                match open.take() {
                    Some((line, start, opened)) if opened == label => sections.push(Section {
                        line,
                        label,
                        text: self.text.get(start..offset).unwrap_or_default(),
                    }),
                    Some((line, ..)) => return Err(self.unfinished(line)),
                    None => return Err(self.stray_end(line)),
                }
            }
        }
        match open {
            Some((line, ..)) => Err(self.unfinished(line)),
            None => Ok(sections),
        }
    }

    fn unfinished(&self, line: usize) -> Failure {
        let what = format!(
            "{}: the PEM section that begins in line {line} does not end.",
            self.name()
        );
        Failure::usage(what).advise("The file is cut short or damaged: copy it again.")
    }

    fn stray_end(&self, line: usize) -> Failure {
        let what = format!(
            "{}: line {line} ends a PEM section that never began.",
            self.name()
        );
        Failure::usage(what).advise("The file is cut short or damaged: copy it again.")
    }

    fn undecodable(&self, section: &Section<'_>) -> Failure {
        let what = format!(
            "{}: the {} that begins in line {} is not valid base64.",
            self.name(),
            section.label,
            section.line
        );
        Failure::usage(what).advise("The file is damaged: copy it again.")
    }

    fn lacks(&self, wanted: &str, label: &str, advice: &str) -> Failure {
        let held: Vec<&str> = match self.sections() {
            Ok(sections) => sections.iter().map(|section| section.label).collect(),
            Err(failure) => return failure,
        };
        let what = format!(
            "{} holds no {wanted} (no -----BEGIN {label}-----).",
            self.name()
        );
        match held.first() {
            None => Failure::usage(what).advise("It is not a PEM file, or it is empty."),
            Some(other) => Failure::usage(what).advise(format!("It holds {other}. {advice}")),
        }
    }
}

/// The label of a line `-----BEGIN label-----`.
fn marker<'a>(line: &'a str, kind: &str) -> Option<&'a str> {
    line.strip_prefix("-----")?
        .strip_prefix(kind)?
        .strip_prefix(' ')?
        .strip_suffix("-----")
}

/// Whether others may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// As the system has it.
    Public,
    /// Only the owner (mode 0600 where there are modes).
    Private,
}

/// A file to be written.
#[derive(Debug)]
pub(crate) struct NewFile {
    pub path: PathBuf,
    pub content: Vec<u8>,
    pub access: Access,
}

/// Writes all files; unless `replace`, writes none if one of them exists.
pub(crate) fn write_all(files: &[NewFile], replace: bool) -> Result<(), Failure> {
    if !replace
        && let Some(existing) = files
            .iter()
            .find(|file| file.path.symlink_metadata().is_ok())
    {
        let what = format!(
            "{} exists already; nothing was written.",
            existing.path.display()
        );
        return Err(Failure::usage(what)
            .advise("Choose another directory with --out, or replace it with --force."));
    }
    for file in files {
        write(file).map_err(|error| Failure::file(Exit::Other, "write", &file.path, &error))?;
    }
    Ok(())
}

/// Writes beside the final place and moves, so that a file is there as a whole or not at all.
fn write(file: &NewFile) -> io::Result<()> {
    let mut beside = file.path.clone().into_os_string();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if file.access == Access::Private {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut new = options.open(&beside)?;
    new.write_all(&file.content)?;
    new.sync_all()?;
    fs::rename(&beside, &file.path)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::PemFile;

    fn sections_of(text: &str) -> Result<Vec<(usize, String)>, String> {
        let file = PemFile {
            path: PathBuf::from("x.pem"),
            text: text.to_owned(),
        };
        let sections = file
            .sections()
            .map_err(|failure| failure.what().to_owned())?;
        Ok(sections
            .iter()
            .map(|section| (section.line, section.label.to_owned()))
            .collect())
    }

    #[test]
    fn sections_are_found_with_their_lines() {
        let text = "comment\n-----BEGIN A-----\nAAAA\n-----END A-----\r\n\n-----BEGIN B-----\n-----END B-----";
        assert_eq!(
            sections_of(text).unwrap(),
            [(2, "A".to_owned()), (6, "B".to_owned())]
        );
        assert_eq!(sections_of("").unwrap(), []);
    }

    #[test]
    fn a_cut_section_is_named_by_its_line() {
        for text in [
            "\n-----BEGIN A-----\nAAAA\n",
            "\n-----BEGIN A-----\n-----BEGIN A-----\n-----END A-----\n",
            "\n-----BEGIN A-----\n-----END B-----\n",
        ] {
            let what = sections_of(text).unwrap_err();
            assert_eq!(
                what,
                "x.pem: the PEM section that begins in line 2 does not end."
            );
        }
        let what = sections_of("\n\n-----END A-----\n").unwrap_err();
        assert_eq!(what, "x.pem: line 3 ends a PEM section that never began.");
    }
}
