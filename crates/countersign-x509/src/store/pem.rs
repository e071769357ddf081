//! Reading PEM text (RFC 7468) into a trust store, keeping count of the lines.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use pki_types::pem::{PemObject, SectionKind};
use pki_types::{CertificateDer, CertificateRevocationListDer};

use super::{Set, TrustError, TrustProblem};

/// The largest file that is read, in bytes: 64 MiB. The roots of the web are a quarter of a megabyte, and
/// the largest revocation lists a few megabytes.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;

impl Set {
    /// A set of what PEM text holds, with at least one certificate.
    pub(super) fn from_pem(pem: &[u8], file: Option<&Path>) -> Result<Self, TrustError> {
        let mut set = Self::default();
        set.add_pem(pem, file)?;
        if set.certificates.is_empty() {
            let problem = TrustProblem::NoCertificate;
            return Err(file.map_or_else(
                || problem.into(),
                |file| TrustError::in_file(TrustProblem::NoCertificate, file),
            ));
        }
        Ok(set)
    }

    /// Adds what a file holds, at least one certificate or revocation list.
    pub(super) fn add_pem_file(&mut self, file: &Path) -> Result<(), TrustError> {
        let text = read(file).map_err(|problem| TrustError::in_file(problem, file))?;
        if self.add_pem(&text, Some(file))? == 0 {
            return Err(TrustError::in_file(TrustProblem::NoCertificate, file));
        }
        Ok(())
    }

    /// Adds what PEM text holds and says how many certificates and lists it read.
    pub(super) fn add_pem(&mut self, pem: &[u8], file: Option<&Path>) -> Result<usize, TrustError> {
        let mut read: usize = 0;
        for block in Blocks::of(pem) {
            let block = block
                .map_err(|line| TrustError::at_line(TrustProblem::UnfinishedBlock, file, line))?;
            let added = self
                .add_block(&block)
                .map_err(|problem| TrustError::at_line(problem, file, block.line))?;
            read = read.saturating_add(usize::from(added));
        }
        Ok(read)
    }

    /// Adds the revocation lists that PEM text holds, of which there must be one, and nothing else.
    pub(super) fn add_lists_pem(&mut self, pem: &[u8]) -> Result<(), TrustError> {
        let mut found = false;
        for block in Blocks::of(pem) {
            let block = block
                .map_err(|line| TrustError::at_line(TrustProblem::UnfinishedBlock, None, line))?;
            if block.label == b"X509 CRL" {
                found |= self
                    .add_block(&block)
                    .map_err(|problem| TrustError::at_line(problem, None, block.line))?;
            }
        }
        if found {
            Ok(())
        } else {
            Err(TrustProblem::NoRevocationList.into())
        }
    }

    /// Adds one block; false for one of a kind that has no place in a trust store.
    fn add_block(&mut self, block: &Block<'_>) -> Result<bool, TrustProblem> {
        match block.label {
            b"CERTIFICATE" | b"X509 CERTIFICATE" => {
                let der = decode(block)?;
                self.add_certificate(CertificateDer::from(der))
                    .map_err(TrustProblem::Certificate)?;
            }
            b"X509 CRL" => {
                let der = decode(block)?;
                self.add_list(CertificateRevocationListDer::from(der))
                    .map_err(TrustProblem::RevocationList)?;
            }
            b"TRUSTED CERTIFICATE" => return Err(TrustProblem::TrustSettings),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The content of a file. A device or a pipe may have no end, so the size is not asked for beforehand.
fn read(file: &Path) -> Result<Vec<u8>, TrustProblem> {
    let open = File::open(file).map_err(TrustProblem::Io)?;
    let mut text = Vec::new();
    let read = open
        .take(LARGEST_FILE.saturating_add(1))
        .read_to_end(&mut text)
        .map_err(TrustProblem::Io)?;
    if u64::try_from(read).is_ok_and(|read| read <= LARGEST_FILE) {
        Ok(text)
    } else {
        Err(TrustProblem::TooLarge)
    }
}

/// One block of PEM text.
struct Block<'a> {
    /// Where it begins, counted from 1.
    line: usize,
    label: &'a [u8],
    /// The lines between the first and the last.
    body: &'a [u8],
}

/// The Base64 decoder reads whole PEM, so the block is handed to it under a label it knows.
fn decode(block: &Block<'_>) -> Result<Vec<u8>, TrustProblem> {
    let pem = [
        b"-----BEGIN CERTIFICATE-----\n",
        block.body,
        b"-----END CERTIFICATE-----\n",
    ]
    .concat();
    let (kind, der) =
        <(SectionKind, Vec<u8>)>::from_pem_slice(&pem).map_err(|_| TrustProblem::NotBase64)?;
    if kind == SectionKind::Certificate {
        Ok(der)
    } else {
        Err(TrustProblem::NotBase64)
    }
}

/// Goes over PEM text block by block. An error is the line of a block that does not end.
struct Blocks<'a> {
    rest: &'a [u8],
    line: usize,
}

impl<'a> Blocks<'a> {
    fn of(text: &'a [u8]) -> Self {
        Self {
            rest: text,
            line: 0,
        }
    }

    /// The next line without its end, and what lies before it in the text.
    fn next_line(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let length = self
            .rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(self.rest.len(), |at| at.saturating_add(1));
        let (line, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        self.line = self.line.saturating_add(1);
        Some(line.trim_ascii_end())
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Result<Block<'a>, usize>;

    fn next(&mut self) -> Option<Self::Item> {
        let label = loop {
            if let Some(label) = bounded(self.next_line()?, b"-----BEGIN ") {
                break label;
            }
        };
        let line = self.line;
        let start = self.rest;
        loop {
            let before = self.rest.len();
            let Some(text) = self.next_line() else {
                return Some(Err(line));
            };
            if bounded(text, b"-----BEGIN ").is_some() {
                self.rest = &[];
                return Some(Err(line));
            }
            if bounded(text, b"-----END ") == Some(label) {
                let length = start.len().saturating_sub(before);
                let body = start.get(..length).unwrap_or_default();
                return Some(Ok(Block { line, label, body }));
            }
        }
    }
}

/// The label of a line `-----BEGIN label-----`.
fn bounded<'a>(line: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(prefix)?.strip_suffix(b"-----")
}

/// The files of a folder that may hold certificates, sorted by name.
pub(super) fn files_of(folder: &Path) -> Result<Vec<PathBuf>, TrustError> {
    let fault = |error| TrustError::in_file(TrustProblem::Io(error), folder);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if path.is_file() && may_hold_certificates(&path) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn may_hold_certificates(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return false;
    };
    if ["pem", "crt", "cer", "crl"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
    {
        return true;
    }
    // `c_rehash` links certificates as 0a1b2c3d.0 and revocation lists as 0a1b2c3d.r0.
    let number = extension.strip_prefix('r').unwrap_or(extension);
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number && stem.len() == 8 && stem.bytes().all(|byte| byte.is_ascii_hexdigit())
}
