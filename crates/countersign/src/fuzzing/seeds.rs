//! Where the files are that fuzzing begins with.

use std::fs;
use std::path::{Path, PathBuf};

/// With `COUNTERSIGN_WRITE_SEEDS=1` they are made anew.
pub(super) fn is_to_be_written() -> bool {
    std::env::var_os("COUNTERSIGN_WRITE_SEEDS").is_some()
}

/// The folder of a target.
pub(super) fn folder(target: &str) -> PathBuf {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    seeds.join(target)
}

/// The names and the content of a target's files.
pub(super) fn read_all(target: &str) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder(target)).unwrap();
    files
        .map(|file| {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        })
        .collect()
}
