//! Our server and programs that connect with TLS 1.2 only, and those of which only TLS 1.2 is of interest.

use countersign_tests::peers::Version;
use countersign_tests::programs::{Program, REQUIRE};

use crate::chromium::{self, Chromium};
use crate::clients::Fetch;
use crate::firefox::{self, Preference};
use crate::meet_clients::{browse, pages, table};
use crate::our_server::Server;
use crate::papers::{Papers, Shown};
use crate::table::{Row, check, find_all, say};

/// Clients that keep a certificate back whose issuer the server does not name.
const HOLDS_BACK_REQUIRED: [&str; 5] = [
    "200 SUCCESS",
    "alert 40",
    "alert 45",
    "alert 40",
    "alert 44",
];
const HOLDS_BACK_OPTIONAL: [&str; 5] = [
    "200 SUCCESS",
    "200 NONE",
    "alert 45",
    "200 NONE",
    "alert 44",
];

#[test]
fn our_server_meets_java() {
    let Some([program, _]) = find_all(["java", "javac"], "our server and Java") else {
        return;
    };
    let papers = Papers::new(Version::Tls12);
    let server = Server::start(&papers);
    let fetch = Fetch {
        program: &program,
        papers: &papers,
        port: server.port,
    };
    let page = |path| move |shown| fetch.java(path, shown);
    let title = |path| format!("Java HttpsURLConnection, `{path}`");
    let rows = [
        pages(&title("/secure"), &page("/secure"), &HOLDS_BACK_REQUIRED),
        pages(
            &title("/optional"),
            &page("/optional"),
            &HOLDS_BACK_OPTIONAL,
        ),
    ];
    check(table(&papers), &rows);
}

#[test]
fn our_server_meets_go() {
    let Some([go]) = find_all(["go"], "our server and Go") else {
        return;
    };
    let (_, version) = Program::start(&go, &["version"]).finish();
    if !has_extended_master_secret(&version) {
        let required = std::env::var(REQUIRE).is_ok_and(|value| value == "1");
        assert!(!required, "{version} is too old, and {REQUIRE}=1");
        return say(&format!(
            "SKIPPED: our server and Go, since {version} lacks the extended master secret"
        ));
    }
    let papers = Papers::new(Version::Tls12);
    let source = papers.folder.put("client.go", include_str!("client.go"));
    let program = papers.folder.path().join("client");
    let build = ["build", "-o", program.to_str().unwrap(), &source];
    let (status, output) = Program::start(&go, &build).finish();
    assert!(status.success(), "{output}");
    let server = Server::start(&papers);
    let fetch = Fetch {
        program: &program,
        papers: &papers,
        port: server.port,
    };
    let page = |support, path| move |shown| fetch.go(support, path, shown);
    let title = |support, path| format!("Go net/http{support}, `{path}`");
    let once = ", `RenegotiateOnceAsClient`";
    let rows = [
        pages(
            &title(once, "/secure"),
            &page("once", "/secure"),
            &HOLDS_BACK_REQUIRED,
        ),
        pages(
            &title(once, "/optional"),
            &page("once", "/optional"),
            &HOLDS_BACK_OPTIONAL,
        ),
        pages(
            &title(", default", "/secure"),
            &page("never", "/secure"),
            &["no renegotiation"; 5],
        ),
    ];
    check(table(&papers), &rows);
}

/// Go has it since 1.21.
fn has_extended_master_secret(version: &str) -> bool {
    let minor = version.split_once("go1.").map(|(_, rest)| rest);
    let digits = minor.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    digits
        .and_then(|digits| digits.parse::<u32>().ok())
        .is_some_and(|minor| minor >= 21)
}

#[test]
fn our_server_refuses_clients_that_renegotiate_by_themselves() {
    let Some([program]) = find_all(["openssl"], "our server and openssl s_client, key `R`") else {
        return;
    };
    let papers = Papers::new(Version::Tls12);
    let server = Server::start(&papers);
    let address = format!("127.0.0.1:{}", server.port);
    let mut arguments = vec!["s_client", "-connect", &address, "-tls1_2", "-msg"];
    arguments.extend(["-servername", "localhost", "-CAfile", &papers.root]);
    let mut client = Program::start(&program, &arguments);
    client.wait_for("Verify return code: 0 (ok)");
    client.type_in("R\n");
    client.wait_for("warning no_renegotiation");
    let (_, output) = client.finish();
    // OpenSSL ends the connection then.
    for text in ["RENEGOTIATING", "no renegotiation"] {
        assert!(output.contains(text), "{output}");
    }
}

/// Browsers keep back a certificate that is expired or whose issuer the server does not name.
const BROWSED: [[&str; 5]; 2] = [
    [
        "200 SUCCESS",
        "200 NONE",
        "200 NONE",
        "200 NONE",
        "error page, alert 44",
    ],
    [
        "200 SUCCESS",
        "error page, alert 40",
        "error page, alert 40",
        "error page, alert 40",
        "error page, alert 44",
    ],
];

#[test]
fn our_server_meets_chromium() {
    let Some(programs) = find_all(chromium::PROGRAMS, "our server and Chromium") else {
        return;
    };
    let papers = Papers::new(Version::Tls12);
    let visits = Shown::ALL.map(|shown| {
        let server = Server::start(&papers);
        let chromium = Chromium::new(&programs, &papers, shown, server.port);
        ["/optional", "/secure"].map(|path| {
            let page = chromium.visit(&format!("https://localhost:{}{path}", server.port));
            match server.outcome(path) {
                Some(alert) if alert.starts_with("alert") => format!("error page, {alert}"),
                Some(answer) => answer,
                None => page,
            }
        })
    });
    let rows = [("/optional", 0), ("/secure", 1)].map(|(path, index)| {
        let cells = visits.iter().map(|visit| visit[index].clone());
        let title = format!("Chromium, `{path}`");
        Row::new(&title, cells.collect(), &BROWSED[index])
    });
    check(table(&papers), &rows);
}

#[test]
fn our_server_meets_firefox_over_tls_1_2() {
    let Some(programs) = find_all(firefox::PROGRAMS, "our server and Firefox, TLS 1.2") else {
        return;
    };
    let papers = Papers::new(Version::Tls12);
    let visits = Shown::ALL.map(|shown| browse(&programs, &papers, shown, Preference::Default));
    let rows = [("/optional", 0), ("/secure", 1)].map(|(path, index)| {
        let cells = visits.iter().map(|visit| visit[index].clone());
        let title = format!("Firefox, `{path}`");
        Row::new(&title, cells.collect(), &BROWSED[index])
    });
    check(table(&papers), &rows);
}
