//! Our server and programs that connect.

use std::path::PathBuf;

use countersign_tests::peers::Version;

use crate::clients::{self, Fetch};
use crate::firefox::{self, Firefox, Preference};
use crate::our_server::Server;
use crate::papers::{Papers, Shown};
use crate::table::{Row, check, find_all};

/// The table with the rows of our server.
pub(crate) fn table(papers: &Papers) -> &'static str {
    papers.choose("Our server, TLS 1.2", "Our server, TLS 1.3")
}

/// A page for each certificate, fetched by a program.
pub(crate) fn pages(
    title: &str,
    fetch: &dyn Fn(Shown) -> String,
    expected: &[&'static str],
) -> Row {
    let cells = Shown::ALL.map(|shown| clients::cell(&fetch(shown)));
    Row::new(title, cells.to_vec(), expected)
}

/// What becomes of a page that requires a certificate.
pub(crate) fn required(papers: &Papers) -> [&'static str; 5] {
    [
        "200 SUCCESS",
        papers.choose("alert 40", "alert 116"),
        "alert 45",
        "alert 48",
        "alert 44",
    ]
}

/// What becomes of a page on which a certificate is optional.
pub(crate) const OPTIONAL: [&str; 5] = [
    "200 SUCCESS",
    "200 NONE",
    "alert 45",
    "alert 48",
    "alert 44",
];
/// What becomes of either, if the client cannot be asked.
const UNABLE: [&str; 5] = ["403"; 5];

#[test]
fn our_server_meets_curl() {
    meet_curl(Version::Tls13);
}

#[test]
fn our_server_meets_curl_over_tls_1_2() {
    meet_curl(Version::Tls12);
}

fn meet_curl(version: Version) {
    let Some([program]) = find_all(["curl"], "our server and curl") else {
        return;
    };
    let papers = Papers::new(version);
    let server = Server::start(&papers);
    let fetch = Fetch {
        program: &program,
        papers: &papers,
        port: server.port,
    };
    let body = papers.folder.put("body", &"x".repeat(100_000));
    let data = format!("@{body}");
    let post = ["--data-binary", data.as_str()];
    let page = |path: &'static str| move |shown| fetch.curl(&[], &[path], shown);
    let rows = [
        pages("curl, `/open`", &page("/open"), &["200 NONE"; 5]),
        pages("curl, `/secure`", &page("/secure"), &required(&papers)),
        pages(
            "curl, `/secure`, POST of 100 kB",
            &|shown| fetch.curl(&post, &["/secure"], shown),
            &required(&papers),
        ),
        pages("curl, `/optional`", &page("/optional"), &OPTIONAL),
    ];
    check(table(&papers), &rows);
    server.wait_until_idle();
    server.happened();
    let paths = ["/open", "/secure", "/secure", "/optional", "/open"];
    let said = fetch.curl(
        &["--write-out", "%{num_connects} connects\n"],
        &paths,
        Shown::Good,
    );
    let connects = said.lines().filter(|line| line.ends_with(" connects"));
    let connects: Vec<&str> = connects.map(|line| &line[..1]).collect();
    assert_eq!(connects, ["1", "0", "0", "0", "0"], "{said}");
    let expected = [
        "/open 200 NONE",
        "/secure 200 SUCCESS",
        "/secure 200 SUCCESS",
        "/optional 200 SUCCESS",
        "/open 200 SUCCESS",
    ];
    assert_eq!(server.happened(), expected);
}

#[test]
fn our_server_meets_s_client() {
    meet_s_client(Version::Tls13);
}

#[test]
fn our_server_meets_s_client_over_tls_1_2() {
    meet_s_client(Version::Tls12);
}

fn meet_s_client(version: Version) {
    let Some([program]) = find_all(["openssl"], "our server and openssl s_client") else {
        return;
    };
    let papers = Papers::new(version);
    let server = Server::start(&papers);
    let fetch = Fetch {
        program: &program,
        papers: &papers,
        port: server.port,
    };
    let page = |more: &'static [&str], path| move |shown| fetch.s_client(more, path, shown);
    let rows = if version == Version::Tls12 {
        let title = |path| format!("openssl s_client, `{path}`");
        vec![
            pages(&title("/secure"), &page(&[], "/secure"), &required(&papers)),
            pages(&title("/optional"), &page(&[], "/optional"), &OPTIONAL),
        ]
    } else {
        let able = &["-enable_pha"];
        vec![
            pages(
                "openssl s_client `-enable_pha`, `/secure`",
                &page(able, "/secure"),
                &required(&papers),
            ),
            pages(
                "openssl s_client `-enable_pha`, `/optional`",
                &page(able, "/optional"),
                &OPTIONAL,
            ),
            pages(
                "openssl s_client, `/secure`",
                &page(&[], "/secure"),
                &UNABLE,
            ),
        ]
    };
    check(table(&papers), &rows);
}

#[test]
fn our_server_meets_gnutls() {
    meet_gnutls(Version::Tls13);
}

#[test]
fn our_server_meets_gnutls_over_tls_1_2() {
    meet_gnutls(Version::Tls12);
}

fn meet_gnutls(version: Version) {
    let Some([program]) = find_all(["gnutls-cli"], "our server and gnutls-cli") else {
        return;
    };
    let papers = Papers::new(version);
    let server = Server::start(&papers);
    let fetch = Fetch {
        program: &program,
        papers: &papers,
        port: server.port,
    };
    let page = |more: &'static [&str], path| move |shown| fetch.gnutls(more, path, shown);
    let able = &["--post-handshake-auth"];
    let rows = if version == Version::Tls12 {
        let title = |path| format!("gnutls-cli, `{path}`");
        vec![
            pages(&title("/secure"), &page(&[], "/secure"), &required(&papers)),
            pages(&title("/optional"), &page(&[], "/optional"), &OPTIONAL),
        ]
    } else {
        vec![
            pages(
                "gnutls-cli `--post-handshake-auth`, `/secure`",
                &page(able, "/secure"),
                &required(&papers),
            ),
            pages(
                "gnutls-cli `--post-handshake-auth`, `/optional`",
                &page(able, "/optional"),
                &OPTIONAL,
            ),
            pages("gnutls-cli, `/secure`", &page(&[], "/secure"), &UNABLE),
        ]
    };
    check(table(&papers), &rows);
}

#[test]
fn our_server_meets_python() {
    meet_python(Version::Tls13);
}

#[test]
fn our_server_meets_python_over_tls_1_2() {
    meet_python(Version::Tls12);
}

fn meet_python(version: Version) {
    let Some([program]) = find_all(["python3"], "our server and Python") else {
        return;
    };
    let papers = Papers::new(version);
    let server = Server::start(&papers);
    let fetch = Fetch {
        program: &program,
        papers: &papers,
        port: server.port,
    };
    let page = |ability, path| move |shown| fetch.python(ability, path, shown);
    let rows = if version == Version::Tls12 {
        let title = |path| format!("Python, default, `{path}`");
        let default = |path| page("default", path);
        vec![
            pages(&title("/secure"), &default("/secure"), &required(&papers)),
            pages(&title("/optional"), &default("/optional"), &OPTIONAL),
        ]
    } else {
        vec![
            pages(
                "Python, `post_handshake_auth = True`, `/secure`",
                &page("able", "/secure"),
                &required(&papers),
            ),
            pages(
                "Python, `post_handshake_auth = True`, `/optional`",
                &page("able", "/optional"),
                &OPTIONAL,
            ),
            pages(
                "Python, default, `/secure`",
                &page("default", "/secure"),
                &UNABLE,
            ),
        ]
    };
    check(table(&papers), &rows);
}

#[test]
fn our_server_meets_node() {
    meet_node(Version::Tls13);
}

#[test]
fn our_server_meets_node_over_tls_1_2() {
    meet_node(Version::Tls12);
}

fn meet_node(version: Version) {
    let Some([program]) = find_all(["node"], "our server and Node") else {
        return;
    };
    let papers = Papers::new(version);
    let server = Server::start(&papers);
    let fetch = Fetch {
        program: &program,
        papers: &papers,
        port: server.port,
    };
    let page = |path| move |shown| fetch.node(path, shown);
    let rows = if version == Version::Tls12 {
        let title = |path| format!("Node https, `{path}`");
        vec![
            pages(&title("/secure"), &page("/secure"), &required(&papers)),
            pages(&title("/optional"), &page("/optional"), &OPTIONAL),
        ]
    } else {
        vec![pages("Node https, `/secure`", &page("/secure"), &UNABLE)]
    };
    check(table(&papers), &rows);
}

/// A cell of a certificate that was left out.
pub(crate) const NOT_TRIED: &str = "-";

/// Firefox keeps back a certificate that is expired or whose issuer the server does not name.
const BROWSED_OPTIONAL: [&str; 5] = [
    "200 SUCCESS",
    "200 NONE",
    "200 NONE",
    "200 NONE",
    "error page, alert 44",
];
const BROWSED_REQUIRED: [&str; 5] = [
    "200 SUCCESS",
    "error page, alert 116",
    "error page, alert 116",
    "error page, alert 116",
    "error page, alert 44",
];

#[test]
fn our_server_meets_firefox() {
    let Some(programs) = find_all(firefox::PROGRAMS, "our server and Firefox") else {
        return;
    };
    let papers = Papers::new(Version::Tls13);
    let row = |title: &str, preference, shown: &[Shown], expected: [[&'static str; 5]; 2]| {
        let visits = Shown::ALL.map(|certificate| {
            let tried = shown.contains(&certificate);
            tried.then(|| browse(&programs, &papers, certificate, preference))
        });
        [("/optional", 0), ("/secure", 1)].map(|(path, index)| {
            let cells = visits.iter().map(|visit| match visit {
                Some(visit) => visit[index].clone(),
                None => NOT_TRIED.to_owned(),
            });
            let title = format!("{title}, `{path}`");
            Row::new(&title, cells.collect(), &expected[index])
        })
    };
    let able = row(
        "Firefox, `security.tls.enable_post_handshake_auth`",
        Preference::Able,
        &Shown::ALL,
        [BROWSED_OPTIONAL, BROWSED_REQUIRED],
    );
    // Starting it takes long, and who cannot be asked shows nothing.
    let default = row(
        "Firefox, default",
        Preference::Default,
        &[Shown::Good],
        [["403", NOT_TRIED, NOT_TRIED, NOT_TRIED, NOT_TRIED]; 2],
    );
    check(table(&papers), &[able, default].concat());
}

/// What comes of a page with an optional certificate, and then of one that requires it.
pub(crate) fn browse(
    programs: &[PathBuf; 5],
    papers: &Papers,
    shown: Shown,
    preference: Preference,
) -> [String; 2] {
    let server = Server::start(papers);
    let mut firefox = Firefox::start(programs, papers, shown, preference);
    let cells = ["/optional", "/secure"].map(|path| {
        server.happened();
        let status = firefox.visit(&format!("https://localhost:{}{path}", server.port));
        if status.is_none() {
            return format!("error page, {}", server.wait_for_alert());
        }
        let happened = server.happened();
        let line = happened.iter().rfind(|line| line.starts_with(path));
        line.unwrap()[path.len()..].trim().to_owned()
    });
    firefox.quit();
    cells
}
