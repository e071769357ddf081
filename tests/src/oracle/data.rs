//! Where the rows and their certificates come from: a matrix that the environment names, or
//! the copy in this repository.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::row::Row;

/// The environment variable that names another matrix.
pub const VARIABLE: &str = "COUNTERSIGN_ORACLE";

static MATRIX: &[u8] = include_bytes!("../../oracle/matrix-open.jsonl.gz");
static CERTIFICATES: &[u8] = include_bytes!("../../oracle/certificates.json.gz");

/// The rows, and the files that they name.
#[derive(Debug)]
pub struct Data {
    /// The rows, in the order of the file.
    pub rows: Vec<Row>,
    /// The certificates, keys, anchors and revocation lists.
    pub files: Files,
    /// Where they were read from.
    pub source: String,
}

/// PEM files by name: `server-good.pem`, `anchors-root.pem`, …
#[derive(Debug)]
pub struct Files(BTreeMap<String, String>);

impl Data {
    /// Reads the matrix that [`VARIABLE`] names, else the copy.
    pub fn load() -> Self {
        match std::env::var_os(VARIABLE) {
            Some(path) => Self::from_path(&PathBuf::from(path)),
            None => Self::copy(),
        }
    }

    /// Reads the copy.
    pub fn copy() -> Self {
        let files = serde_json::from_str(&unpack(CERTIFICATES)).expect("certificates are JSON");
        Self {
            rows: parse(&unpack(MATRIX)),
            files: Files(files),
            source: "the copy in this repository".to_owned(),
        }
    }

    fn from_path(path: &Path) -> Self {
        let text = std::fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("{VARIABLE}={}: {error}", path.display()));
        let folder = path.parent().unwrap_or(Path::new(".")).join("certs");
        let entries = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let files = entries
            .map(|entry| {
                let path = entry.expect("a readable folder").path();
                let name = path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                (
                    name,
                    std::fs::read_to_string(&path).expect("PEM files are text"),
                )
            })
            .collect();
        Self {
            rows: parse(&text),
            files: Files(files),
            source: path.display().to_string(),
        }
    }
}

impl Files {
    /// The text of a file.
    pub fn text(&self, name: &str) -> &str {
        self.0
            .get(name)
            .unwrap_or_else(|| panic!("the matrix has no file {name}"))
    }

    /// The chain (leaf first) and the key of an identity, `server` or `client`.
    pub fn identity(&self, side: &str, name: &str) -> (&str, &str) {
        (
            self.text(&format!("{side}-{name}.pem")),
            self.text(&format!("{side}-{name}.key")),
        )
    }

    /// Several anchor files in one text.
    pub fn anchors(&self, names: &[String]) -> String {
        names
            .iter()
            .map(|name| self.text(&format!("anchors-{name}.pem")))
            .collect()
    }

    /// Several certificate revocation lists in one text.
    pub fn crls(&self, names: &[String]) -> String {
        names
            .iter()
            .map(|name| self.text(&format!("crl-{name}.pem")))
            .collect()
    }
}

fn parse(text: &str) -> Vec<Row> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .enumerate()
        .map(|(number, line)| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("row {}: {error}", number + 1))
        })
        .collect()
}

fn unpack(packed: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_string(&mut text)
        .expect("the copy is whole");
    text
}

#[cfg(test)]
mod tests {
    use super::Data;

    #[test]
    fn the_copy_is_whole() {
        let data = Data::copy();
        assert_eq!(data.rows.len(), 5_443);
        assert!(
            data.rows
                .iter()
                .all(|row| !row.out.is_empty() || row.steps.is_empty())
        );
        assert!(
            data.files
                .text("server-good.pem")
                .contains("BEGIN CERTIFICATE")
        );
    }
}
