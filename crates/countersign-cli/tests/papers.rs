//! The papers say what the code says.

#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn paper(name: &str) -> String {
    fs::read_to_string(root().join(name)).expect("the paper is there")
}

#[test]
fn the_programs_of_the_readme_are_the_examples() {
    let readme = paper("README.md");
    for name in ["server", "client"] {
        let example = paper(&format!("crates/countersign/examples/{name}.rs"));
        let program = example.split_once("\n\n").expect("a comment comes first").1;
        assert!(
            readme.contains(&format!("```rust\n{program}```\n")),
            "{name}"
        );
    }
}

#[test]
fn links_between_papers_lead_somewhere() {
    let papers = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "docs/cli.md",
        "docs/cli-json.md",
        "docs/coming-from-openssl.md",
        "docs/conformance.md",
        "docs/deviations.md",
        "docs/interoperability.md",
        "docs/modes.md",
        "docs/performance.md",
        "docs/post-handshake-authentication.md",
        "docs/renegotiation.md",
        "docs/tls12.md",
        "docs/verification.md",
    ];
    for name in papers {
        let folder = Path::new(name)
            .parent()
            .expect("a file has a folder")
            .to_owned();
        let text = paper(name);
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'))
            .map(|(target, _)| target);
        for target in
            targets.filter(|target| !target.starts_with("https://") && !target.starts_with('#'))
        {
            assert!(
                root().join(&folder).join(target).exists(),
                "{name} links to {target}"
            );
        }
    }
}
