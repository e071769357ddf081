//! Chromium without a window: it goes to one page and ends.

use std::path::PathBuf;

use countersign_tests::programs::Program;
use serde_json::json;

use crate::firefox::make_database;
use crate::papers::{Papers, Shown};

/// The programs it takes.
pub(crate) const PROGRAMS: [&str; 5] = ["chromium", "certutil", "pk12util", "openssl", "env"];

/// A home of its own, in which there is one certificate.
pub(crate) struct Chromium {
    programs: [PathBuf; 5],
    home: String,
    switch: String,
}

impl Chromium {
    pub(crate) fn new(programs: &[PathBuf; 5], papers: &Papers, shown: Shown, port: u16) -> Self {
        let home = papers.folder.path().join(format!("chromium-{shown:?}"));
        let database = home.join(".pki/nssdb");
        let profile = home.join("profile/Default");
        std::fs::create_dir_all(&database).unwrap();
        std::fs::create_dir_all(&profile).unwrap();
        make_database(programs, papers, shown, database.to_str().unwrap());
        // It takes the certificate without asking anybody.
        let origin = format!("https://localhost:{port},*");
        let setting = json!({ "setting": { "filters": [{}] } });
        let preferences = json!({
            "profile": { "content_settings": { "exceptions": {
                "auto_select_certificate": { origin: setting }
            } } }
        });
        std::fs::write(profile.join("Preferences"), preferences.to_string()).unwrap();
        Self {
            programs: programs.clone(),
            home: home.to_str().unwrap().to_owned(),
            switch: format!("--ssl-version-max={}", papers.choose("tls1.2", "tls1.3")),
        }
    }

    /// Goes to that address and gives the page as it is then.
    pub(crate) fn visit(&self, address: &str) -> String {
        let [chromium, _, _, _, env] = &self.programs;
        let home = format!("HOME={}", self.home);
        let profile = format!("--user-data-dir={}/profile", self.home);
        let arguments = [
            &home,
            chromium.to_str().unwrap(),
            "--headless",
            // There may be no sandbox within the sandbox that tests run in.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--no-proxy-server",
            &self.switch,
            &profile,
            "--timeout=20000",
            "--dump-dom",
            address,
        ];
        Program::start(env, &arguments).finish().1
    }
}
