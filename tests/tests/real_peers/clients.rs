//! Programs that connect: what they do with one page of our server, and what they say of it.

use std::path::PathBuf;

use countersign_tests::programs::Program;

use crate::papers::{Papers, Shown};

/// A program that fetches a page and ends.
#[derive(Clone, Copy)]
pub(crate) struct Fetch<'a> {
    pub(crate) program: &'a PathBuf,
    pub(crate) papers: &'a Papers,
    pub(crate) port: u16,
}

impl Fetch<'_> {
    /// `curl`, with its own arguments before the addresses.
    pub(crate) fn curl(&self, more: &[&str], paths: &[&str], shown: Shown) -> String {
        let mut arguments = vec!["--silent", "--show-error", "--include", "--http1.1"];
        arguments.extend(["--ipv4", "--noproxy", "*", "--cacert", &self.papers.root]);
        arguments.extend(["--tls-max", self.papers.choose("1.2", "1.3")]);
        if let Some((chain, key)) = self.papers.client(shown) {
            arguments.extend(["--cert", chain, "--key", key]);
        }
        arguments.extend(more);
        let address = |path: &&str| format!("https://localhost:{}{path}", self.port);
        let addresses: Vec<String> = paths.iter().map(address).collect();
        arguments.extend(addresses.iter().map(String::as_str));
        Program::start(self.program, &arguments).finish().1
    }

    /// `openssl s_client`.
    pub(crate) fn s_client(&self, more: &[&str], path: &str, shown: Shown) -> String {
        let address = format!("127.0.0.1:{}", self.port);
        let version = self.papers.choose("-tls1_2", "-tls1_3");
        let mut arguments = vec!["s_client", "-connect", &address, version, "-ign_eof"];
        arguments.extend(["-servername", "localhost", "-verify_hostname", "localhost"]);
        arguments.extend(["-CAfile", &self.papers.root, "-verify_return_error"]);
        if let Some((chain, key)) = self.papers.client(shown) {
            arguments.extend(["-cert", chain, "-cert_chain", chain, "-key", key]);
        }
        arguments.extend(more);
        let mut client = Program::start(self.program, &arguments);
        client.type_in(&request(path));
        client.finish().1
    }

    /// `gnutls-cli`.
    pub(crate) fn gnutls(&self, more: &[&str], path: &str, shown: Shown) -> String {
        let port = self.port.to_string();
        let (tls12, tls13) = (
            "NORMAL:-VERS-ALL:+VERS-TLS1.2",
            "NORMAL:-VERS-ALL:+VERS-TLS1.3",
        );
        let priority = self.papers.choose(tls12, tls13);
        let mut arguments = vec!["-p", &port, "--priority", priority];
        arguments.extend(["--x509cafile", &self.papers.root]);
        if let Some((chain, key)) = self.papers.client(shown) {
            arguments.extend(["--x509certfile", chain, "--x509keyfile", key]);
        }
        arguments.extend(more);
        arguments.push("localhost");
        let mut client = Program::start(self.program, &arguments);
        client.type_in(&request(path));
        // Without input it would not wait for the answer.
        client.wait_for_one_of(&["X-Verify", "alert [", "rror"]);
        client.finish().1
    }

    /// Python's `ssl`, which can authenticate after the handshake only if it is told so.
    pub(crate) fn python(&self, ability: &str, path: &str, shown: Shown) -> String {
        let script = include_str!("client.py");
        self.script(&["-c", script, ability], path, shown)
    }

    /// Node's `https`.
    pub(crate) fn node(&self, path: &str, shown: Shown) -> String {
        let file = self
            .papers
            .folder
            .put("client.js", include_str!("client.js"));
        self.script(&[&file], path, shown)
    }

    /// Java's `HttpsURLConnection`.
    pub(crate) fn java(&self, path: &str, shown: Shown) -> String {
        let file = self
            .papers
            .folder
            .put("Client.java", include_str!("client.java"));
        self.script(&[&file], path, shown)
    }

    /// Go's `net/http`, built already, which renegotiates `once` or `never`.
    pub(crate) fn go(&self, support: &str, path: &str, shown: Shown) -> String {
        self.script(&[support], path, shown)
    }

    fn script(&self, first: &[&str], path: &str, shown: Shown) -> String {
        let port = self.port.to_string();
        let (chain, key) = self.papers.client(shown).unwrap_or_default();
        let version = self.papers.choose("TLSv1.2", "TLSv1.3");
        let rest = [&port, path, &self.papers.root, chain, key, version];
        let arguments: Vec<&str> = first.iter().copied().chain(rest).collect();
        Program::start(self.program, &arguments).finish().1
    }
}

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

/// How programs tell of alerts: OpenSSL in two ways, GnuTLS, and Go.
const ALERTS: [(u8, [&str; 4]); 5] = [
    (
        40,
        [
            "alert number 40",
            "alert handshake failure",
            "alert [40]",
            "tls: handshake failure",
        ],
    ),
    (
        44,
        [
            "alert number 44",
            "alert certificate revoked",
            "alert [44]",
            "tls: revoked certificate",
        ],
    ),
    (
        45,
        [
            "alert number 45",
            "alert certificate expired",
            "alert [45]",
            "tls: expired certificate",
        ],
    ),
    (
        48,
        [
            "alert number 48",
            "alert unknown ca",
            "alert [48]",
            "tls: unknown certificate authority",
        ],
    ),
    (
        116,
        [
            "alert number 116",
            "alert certificate required",
            "alert [116]",
            "tls: certificate required",
        ],
    ),
];

/// A cell of the table: the status and what our server thought, or the alert that the
/// program tells of in its own words.
pub(crate) fn cell(output: &str) -> String {
    let after = |text: &str| {
        let start = output.find(text)? + text.len();
        output[start..].lines().next().map(str::trim)
    };
    if let Some(status) = after("HTTP/1.1 ") {
        let status: String = status.chars().take(3).collect();
        let verify = after("X-Verify:").unwrap_or_default();
        return format!("{status} {verify}").trim_end().to_owned();
    }
    let said = output.to_lowercase().replace('_', " ");
    // Java puts a colon there.
    let said = said.replace("alert: ", "alert ");
    if said.contains("no renegotiation") {
        return "no renegotiation".to_owned();
    }
    let mut named = ALERTS
        .iter()
        .filter(|(_, names)| names.iter().any(|name| said.contains(name)));
    match named.next() {
        Some((number, _)) => format!("alert {number}"),
        None => output.to_owned(),
    }
}
