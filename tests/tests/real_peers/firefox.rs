//! Firefox without a window, driven over Marionette, its remote protocol: `LENGTH:JSON`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;

use countersign_tests::peers::Version;
use countersign_tests::programs::{Program, connect};
use serde_json::{Value, json};

use crate::papers::{Papers, Shown};

/// The programs it takes.
pub(crate) const PROGRAMS: [&str; 5] = ["firefox-esr", "certutil", "pk12util", "openssl", "env"];

/// Whether the browser is told to authenticate after the handshake when asked. By default it is not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preference {
    Able,
    Default,
}

pub(crate) struct Firefox {
    program: Option<Program>,
    marionette: BufReader<TcpStream>,
    sent: u64,
}

impl Firefox {
    /// Starts it with a profile of its own, in which there is this certificate.
    pub(crate) fn start(
        programs: &[PathBuf; 5],
        papers: &Papers,
        shown: Shown,
        preference: Preference,
    ) -> Self {
        let profile = make_profile(programs, papers, shown, preference);
        let [firefox, _, _, _, env] = programs;
        let home = format!("HOME={profile}");
        let arguments = [
            &home,
            // There may be no sandbox within the sandbox that tests run in.
            "MOZ_DISABLE_CONTENT_SANDBOX=1",
            firefox.to_str().unwrap(),
            "--headless",
            "--no-remote",
            "--marionette",
            "--profile",
            &profile,
        ];
        let mut program = Program::start(env, &arguments);
        let line = program.wait_for("Listening on port");
        let port = line.rsplit(' ').next().unwrap().parse().unwrap();
        let mut firefox = Self {
            program: Some(program),
            marionette: BufReader::new(connect(port)),
            sent: 0,
        };
        // It introduces itself.
        firefox.receive();
        firefox.command("WebDriver:NewSession", &json!({})).unwrap();
        firefox
    }

    /// Goes to that address and gives the status, or nothing for an error page.
    pub(crate) fn visit(&mut self, address: &str) -> Option<u64> {
        let visited = self.command("WebDriver:Navigate", &json!({ "url": address }));
        if let Err(error) = visited {
            assert!(error.contains("error page"), "{error}");
            return None;
        }
        let script = "return performance.getEntriesByType('navigation')[0].responseStatus";
        let parameters = json!({ "script": script, "args": [] });
        let answer = self.command("WebDriver:ExecuteScript", &parameters);
        answer.unwrap()["value"].as_u64()
    }

    fn command(&mut self, name: &str, parameters: &Value) -> Result<Value, String> {
        self.sent += 1;
        let command = json!([0, self.sent, name, parameters]).to_string();
        let framed = format!("{}:{command}", command.len());
        self.marionette
            .get_mut()
            .write_all(framed.as_bytes())
            .unwrap();
        let answer = self.receive();
        match &answer[2] {
            Value::Null => Ok(answer[3].clone()),
            error => Err(error["message"].to_string()),
        }
    }

    fn receive(&mut self) -> Value {
        let mut length = Vec::new();
        self.marionette.read_until(b':', &mut length).unwrap();
        let length = String::from_utf8_lossy(&length);
        let mut json = vec![0; length.trim_end_matches(':').parse().unwrap()];
        self.marionette.read_exact(&mut json).unwrap();
        serde_json::from_slice(&json).unwrap()
    }

    /// Lets it end by itself, with all its processes.
    pub(crate) fn quit(mut self) {
        let parameters = json!({ "flags": ["eForceQuit"] });
        self.command("Marionette:Quit", &parameters).unwrap();
        if let Some(program) = self.program.take() {
            program.finish();
        }
    }
}

/// Makes a folder with the authorities, the certificate and the preferences.
fn make_profile(
    programs: &[PathBuf; 5],
    papers: &Papers,
    shown: Shown,
    preference: Preference,
) -> String {
    let name = format!("firefox-{shown:?}-{}", preference == Preference::Able);
    let profile = papers.folder.path().join(&name);
    std::fs::create_dir(&profile).unwrap();
    let profile = profile.to_str().unwrap();
    make_database(programs, papers, shown, profile);
    let preferences = preferences(papers, preference);
    papers.folder.put(&format!("{name}/user.js"), &preferences);
    profile.to_owned()
}

/// Makes the database of NSS in that folder, with the authorities and the certificate.
pub(crate) fn make_database(programs: &[PathBuf; 5], papers: &Papers, shown: Shown, folder: &str) {
    let [_, certutil, pk12util, openssl, _] = programs;
    let database = format!("sql:{folder}");
    run(certutil, &["-N", "-d", &database, "--empty-password"]);
    for (nickname, trust, file) in [
        ("root", "C,,", &papers.root),
        ("intermediate", ",,", &papers.intermediate),
    ] {
        let what = ["-n", nickname, "-t", trust, "-i", file];
        run(certutil, &[&["-A", "-d", &database][..], &what].concat());
    }
    if let Some((chain, key)) = papers.client(shown) {
        let bundle = format!("{folder}/client.p12");
        let mut make = vec!["pkcs12", "-export", "-in", chain, "-inkey", key];
        make.extend([
            "-name",
            "client",
            "-passout",
            "pass:secret",
            "-out",
            &bundle,
        ]);
        run(openssl, &make);
        let read = ["-i", &bundle, "-d", &database, "-W", "secret", "-K", ""];
        run(pk12util, &read);
    }
}

fn preferences(papers: &Papers, preference: Preference) -> String {
    let version = match papers.version {
        Version::Tls12 => 3,
        Version::Tls13 => 4,
    };
    let mut preferences = vec![
        ("marionette.port", json!(0)),
        ("security.tls.version.max", json!(version)),
        (
            "security.default_personal_cert",
            json!("Select Automatically"),
        ),
        // Nothing else is to be fetched from anywhere.
        ("network.captive-portal-service.enabled", json!(false)),
        ("network.connectivity-service.enabled", json!(false)),
        ("network.prefetch-next", json!(false)),
        ("network.dns.disablePrefetch", json!(true)),
        ("network.http.speculative-parallel-limit", json!(0)),
        ("network.proxy.type", json!(0)),
        ("security.OCSP.enabled", json!(0)),
        (
            "security.remote_settings.crlite_filters.enabled",
            json!(false),
        ),
        (
            "services.settings.server",
            json!("data:,#remote-settings-dummy/v1"),
        ),
        ("app.update.enabled", json!(false)),
        ("browser.safebrowsing.update.enabled", json!(false)),
        ("browser.shell.checkDefaultBrowser", json!(false)),
        ("datareporting.policy.dataSubmissionEnabled", json!(false)),
        ("extensions.getAddons.cache.enabled", json!(false)),
        ("toolkit.telemetry.enabled", json!(false)),
    ];
    if preference == Preference::Able {
        preferences.push(("security.tls.enable_post_handshake_auth", json!(true)));
    }
    let lines = preferences
        .iter()
        .map(|(name, value)| format!("user_pref({}, {value});", json!(name)));
    lines.collect::<Vec<_>>().join("\n")
}

fn run(program: &PathBuf, arguments: &[&str]) {
    let (status, output) = Program::start(program, arguments).finish();
    assert!(status.success(), "{}: {output}", program.display());
}
