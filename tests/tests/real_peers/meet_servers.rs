//! Our client and programs that serve.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use countersign_tests::peers::Version;
use countersign_tests::programs::Program;

use crate::clients::{self, Fetch};
use crate::our_client::{Client, Switches, cell, config};
use crate::papers::{Papers, Shown};
use crate::servers::{self, Ports};
use crate::table::{Row, check, find_all};

/// What a server makes of each certificate of our client.
type Meeting<'a> = &'a dyn Fn(Shown, Switches) -> String;

/// The table with the rows of our client.
fn table(papers: &Papers) -> &'static str {
    papers.choose("Our client, TLS 1.2", "Our client, TLS 1.3")
}

/// A cell for each certificate, and in TLS 1.3 one for a client without, that did not say that it could be asked.
fn cells(papers: &Papers, meet: Meeting<'_>) -> Vec<String> {
    let shown = Shown::ALL.into_iter().map(|shown| match shown {
        Shown::Nothing => meet(shown, Switches::PostHandshake),
        _ => meet(shown, Switches::None),
    });
    if papers.version == Version::Tls12 {
        return shown.collect();
    }
    let unasked = meet(Shown::Nothing, Switches::None);
    shown.chain([unasked]).collect()
}

/// As many of these cells as there are columns.
fn expect(papers: &Papers, cells: [&'static str; 6]) -> Vec<&'static str> {
    let columns = match papers.version {
        Version::Tls12 => 5,
        Version::Tls13 => 6,
    };
    cells[..columns].to_vec()
}

/// A page of Apache httpd, and what becomes of it.
struct Page {
    path: &'static str,
    /// What is posted to it, if anything.
    body: Option<String>,
    expected: [&'static str; 6],
}

/// All of them.
fn httpd_pages(papers: &Papers) -> [Page; 5] {
    let page = |path, expected| Page {
        path,
        body: None,
        expected,
    };
    let required = [
        "200 SUCCESS",
        papers.choose("alert 40", "alert 116"),
        "alert 45",
        "alert 48",
        "alert 44",
        "403 NONE",
    ];
    let [good, none] = ["200 SUCCESS", "200 NONE"];
    let unverified = "200 FAILED:unable to verify the first certificate";
    [
        page("/open", [none; 6]),
        page("/secure", required),
        Page {
            path: "/secure",
            body: Some("x".repeat(100_000)),
            expected: required,
        },
        page(
            "/optional",
            [good, none, "alert 45", "alert 48", "alert 44", "403 NONE"],
        ),
        page(
            "/optional-no-ca",
            [good, none, "alert 45", unverified, "alert 44", "403 NONE"],
        ),
    ]
}

#[test]
fn our_client_meets_httpd() {
    meet_httpd(Version::Tls13);
}

#[test]
fn our_client_meets_httpd_over_tls_1_2() {
    meet_httpd(Version::Tls12);
}

fn meet_httpd(version: Version) {
    let names = ["apache2", "curl"];
    let Some([program, curl]) = find_all(names, "our client and Apache httpd") else {
        return;
    };
    let papers = Papers::new(version);
    let (_httpd, ports) = servers::httpd(&program, &papers);
    let pages = httpd_pages(&papers);
    let rows: Vec<Row> = pages
        .iter()
        .map(|page| visit(page, &papers, &ports))
        .collect();
    check(table(&papers), &rows);
    for (row, page) in rows.iter().zip(&pages) {
        let curled = visit_with_curl(page, &papers, &ports, &curl);
        assert_eq!(row.cells[..5], curled, "{}: as curl does it", row.title);
    }
    one_connection(&papers, ports.of(0, Shown::Good));
    two_connections(&papers, ports.of(0, Shown::Good));
}

/// What was shown on one connection is known on the next, which resumes.
fn two_connections(papers: &Papers, port: u16) {
    let config = config(papers, Shown::Good, Switches::None);
    let seen = ["/open", "/secure", "/open"].map(|path| {
        let mut client = Client::connect(&config, port).unwrap();
        let resumed = client.is_resumed();
        (client.get(path).unwrap().cell(), resumed)
    });
    // OpenSSL sends no ticket in a renegotiation, so what comes back is the session of before.
    let last = papers.choose("200 NONE", "200 SUCCESS");
    let expected = [("200 NONE", false), ("200 SUCCESS", true), (last, true)];
    assert_eq!(
        seen,
        expected.map(|(cell, resumed)| (cell.to_owned(), resumed))
    );
}

/// What our client gets.
fn visit(page: &Page, papers: &Papers, ports: &Ports) -> Row {
    let meet = |shown, switches| {
        let config = config(papers, shown, switches);
        let mut client = Client::connect(&config, ports.of(0, shown)).unwrap();
        let response = match &page.body {
            Some(body) => client.post(page.path, body),
            None => client.get(page.path),
        };
        cell(response.map(|response| response.cell()))
    };
    let what = if page.body.is_some() {
        ", POST of 100 kB"
    } else {
        ""
    };
    let title = format!("Apache httpd, `{}`{what}", page.path);
    Row::new(&title, cells(papers, &meet), &expect(papers, page.expected))
}

/// What curl gets, without being told anything about authentication.
fn visit_with_curl(page: &Page, papers: &Papers, ports: &Ports, program: &PathBuf) -> [String; 5] {
    let file = papers
        .folder
        .put("body", page.body.as_deref().unwrap_or_default());
    let data = format!("@{file}");
    let mut more = vec!["--data-binary", data.as_str()];
    if page.body.is_none() {
        more.clear();
    }
    Shown::ALL.map(|shown| {
        let fetch = Fetch {
            program,
            papers,
            port: ports.of(0, shown),
        };
        clients::cell(&fetch.curl(&more, &[page.path], shown))
    })
}

/// A connection that is kept is asked once, and what it showed sticks.
fn one_connection(papers: &Papers, port: u16) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let mut client = Client::asked(papers, Shown::Good, port, move || {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let paths = ["/open", "/secure", "/secure", "/optional", "/open"];
    let seen = paths.map(|path| {
        let response = client.get(path).unwrap();
        assert_eq!(response.body, format!("This is {}.\n", &path[1..]));
        (response.cell(), count.load(Ordering::Relaxed))
    });
    let expected = [
        ("200 NONE", 0),
        ("200 SUCCESS", 1),
        ("200 SUCCESS", 1),
        ("200 SUCCESS", 1),
        ("200 SUCCESS", 1),
    ];
    assert_eq!(seen, expected.map(|(cell, asked)| (cell.to_owned(), asked)));
}

#[test]
fn our_client_meets_nginx() {
    meet_nginx(Version::Tls13);
}

#[test]
fn our_client_meets_nginx_over_tls_1_2() {
    meet_nginx(Version::Tls12);
}

fn meet_nginx(version: Version) {
    let Some([program]) = find_all(["nginx"], "our client and nginx") else {
        return;
    };
    let papers = Papers::new(version);
    let (_nginx, ports) = servers::nginx(&program, &papers);
    let row = |index, mode: &str, expected: [&'static str; 6]| {
        let meet = |shown, switches| {
            let port = ports.of(index, shown);
            let client = Client::connect(&config(&papers, shown, switches), port);
            cell(client.and_then(|mut client| Ok(client.get("/")?.cell())))
        };
        let title = format!("nginx, `ssl_verify_client {mode}` (in the handshake)");
        Row::new(&title, cells(&papers, &meet), &expect(&papers, expected))
    };
    let rows = [
        row(
            0,
            "on",
            [
                "200 SUCCESS",
                "400 NONE",
                "400 FAILED:certificate has expired",
                "400 FAILED:unable to verify the first certificate",
                "400 FAILED:certificate revoked",
                "400 NONE",
            ],
        ),
        row(
            1,
            "optional",
            [
                "200 SUCCESS",
                "200 NONE",
                "400 FAILED:certificate has expired",
                "400 FAILED:unable to verify the first certificate",
                "400 FAILED:certificate revoked",
                "200 NONE",
            ],
        ),
        row(
            2,
            "optional_no_ca",
            [
                "200 SUCCESS",
                "200 NONE",
                "400 FAILED:certificate has expired",
                "200 FAILED:unable to verify the first certificate",
                "400 FAILED:certificate revoked",
                "200 NONE",
            ],
        ),
    ];
    check(table(&papers), &rows);
}

#[test]
fn our_client_meets_s_server() {
    meet_s_server(Version::Tls13);
}

#[test]
fn our_client_meets_s_server_over_tls_1_2() {
    meet_s_server(Version::Tls12);
}

fn meet_s_server(version: Version) {
    let Some([program]) = find_all(["openssl"], "our client and openssl s_server") else {
        return;
    };
    let papers = Papers::new(version);
    let key = papers.choose("R", "c");
    let row = |title: &str, more: &[&str]| {
        let meet = |shown, switches| {
            let (server, port) = servers::s_server(&program, &papers, shown, more);
            let server = Arc::new(Mutex::new(server));
            let mut client = if (shown, switches) == (Shown::Nothing, Switches::None) {
                Client::connect(&config(&papers, shown, switches), port).unwrap()
            } else {
                let typist = Arc::clone(&server);
                // It forgets what is typed together with a command, so the command must have been read.
                Client::asked(&papers, shown, port, move || {
                    typist.lock().unwrap().type_in("are you there?\n");
                })
            };
            let said = talk_to_s_server(&mut client, &server, key);
            drop(client);
            let server = Arc::into_inner(server).unwrap().into_inner().unwrap();
            cell(said.map(|said| told_by_s_server(&server.finish().1, &said)))
        };
        let expected = [
            "`depth=0 CN = client good`",
            "goes on",
            "alert 45",
            "alert 48",
            "alert 44",
            "`extension not received`, goes on",
        ];
        Row::new(title, cells(&papers, &meet), &expect(&papers, expected))
    };
    let mut rows = vec![row(&format!("openssl s_server, key `{key}`"), &[])];
    if version == Version::Tls12 {
        let switch = "-no_resumption_on_reneg";
        rows.push(row(
            &format!("openssl s_server `{switch}`, key `R`"),
            &[switch],
        ));
    }
    check(table(&papers), &rows);
}

/// It is told to ask, and should go on afterwards.
fn talk_to_s_server(client: &mut Client, server: &Mutex<Program>, key: &str) -> io::Result<String> {
    let wait = |texts: &[&str]| server.lock().unwrap().wait_for_one_of(texts);
    let type_in = |text: &str| server.lock().unwrap().type_in(text);
    client.send("hello\n")?;
    wait(&["hello"]);
    type_in(&format!("{key}\n"));
    if !client.can_be_asked() {
        wait(&["extension not received"]);
        type_in("are you there?\n");
    }
    client.line_with("are you there?")?;
    client.send("here I am\n")?;
    if wait(&["here I am", "ERROR"]) == "here I am" {
        type_in("goodbye\n");
    }
    client.line_with("goodbye")?;
    Ok("goes on".to_owned())
}

/// What it printed of a certificate, or why it could not ask for one.
fn told_by_s_server(output: &str, said: &str) -> String {
    if let Some(certificate) = output.lines().find(|line| line.starts_with("depth=0")) {
        return format!("`{certificate}`");
    }
    if output.contains("extension not received") {
        return format!("`extension not received`, {said}");
    }
    said.to_owned()
}

#[test]
fn our_client_meets_gnutls() {
    let accepted = "Successfully executed command";
    let refused = |none| {
        let rest = ["alert 49", "alert 49", "alert 49", "alert 80"];
        [&[accepted, none][..], &rest].concat()
    };
    meet_gnutls(Version::Tls13, |row| {
        [
            row(
                "gnutls-serv, `**REAUTH**`",
                &["--disable-client-cert"],
                &refused("alert 116"),
            ),
            row(
                "gnutls-serv, asked in the handshake and by `**REAUTH**`",
                &[],
                &refused(accepted),
            ),
        ]
    });
}

/// What it says when it has asked comes between its HelloRequest and its ServerHello.
#[test]
fn our_client_meets_gnutls_over_tls_1_2() {
    let accepted = "Successfully executed command";
    meet_gnutls(Version::Tls12, |row| {
        [
            row(
                "gnutls-serv, asked for nothing by `**REHANDSHAKE**`",
                &["--disable-client-cert"],
                &[accepted; 5],
            ),
            row(
                "gnutls-serv, asked in the handshake and by `**REHANDSHAKE**`",
                &[],
                &[accepted, accepted, "alert 49", "alert 49", "alert 49"],
            ),
        ]
    });
}

/// Makes a row of a title, more arguments and what is expected.
type MakeRow<'a> = &'a dyn Fn(&str, &[&str], &[&'static str]) -> Row;

fn meet_gnutls(version: Version, rows: impl Fn(MakeRow<'_>) -> [Row; 2]) {
    let Some([program]) = find_all(["gnutls-serv"], "our client and gnutls-serv") else {
        return;
    };
    let papers = Papers::new(version);
    let command = papers.choose("**REHANDSHAKE**", "**REAUTH**");
    let row = |title: &str, more: &[&str], expected: &[&'static str]| {
        let (_server, port) = servers::gnutls(&program, &papers, more);
        let meet = |shown, switches| {
            let client = Client::connect(&config(&papers, shown, switches), port);
            cell(client.and_then(|mut client| talk_to_gnutls(&mut client, command)))
        };
        Row::new(title, cells(&papers, &meet), expected)
    };
    check(table(&papers), &rows(&row));
}

fn talk_to_gnutls(client: &mut Client, command: &str) -> io::Result<String> {
    client.send("hello\n")?;
    client.line_with("hello")?;
    client.send(&format!("{command}\n"))?;
    let said = client.line()?;
    // This waits until the renegotiation is complete.
    client.send("still here\n")?;
    client.line_with("still here")?;
    Ok(said)
}

#[test]
fn our_client_meets_python() {
    let Some([program]) = find_all(["python3"], "our client and CPython") else {
        return;
    };
    let papers = Papers::new(Version::Tls13);
    let row = |mode: &str, expected: &[&'static str]| {
        let (_server, port) = servers::python(&program, &papers, mode);
        let meet = |shown, switches| {
            let client = Client::connect(&config(&papers, shown, switches), port);
            let outcome = client.and_then(|mut client| {
                client.get("/ask")?;
                client.get("/")
            });
            cell(outcome.map(|response| response.cell()))
        };
        let title = format!("CPython, `verify_client_post_handshake`, {mode}");
        Row::new(&title, cells(&papers, &meet), expected)
    };
    let rows = [
        row(
            "required",
            &[
                "200 SUCCESS",
                "alert 116",
                "alert 45",
                "alert 48",
                "alert 44",
                "closed",
            ],
        ),
        row(
            "optional",
            &[
                "200 SUCCESS",
                "200 NONE",
                "alert 45",
                "alert 48",
                "alert 44",
                "closed",
            ],
        ),
    ];
    check(table(&papers), &rows);
}
