//! Our client and programs that serve.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use countersign_tests::programs::Program;

use crate::clients::{self, Fetch};
use crate::our_client::{Client, Switches, cell, config};
use crate::papers::{Papers, Shown};
use crate::servers::{self, Ports};
use crate::table::{Row, check, find_all};

/// What a server makes of each certificate of our client.
type Meeting<'a> = &'a dyn Fn(Shown, Switches) -> String;

/// A cell for each certificate, and one for a client without, that did not say that it could be asked.
fn cells(meet: Meeting<'_>) -> Vec<String> {
    let shown = Shown::ALL.into_iter().map(|shown| match shown {
        Shown::Nothing => meet(shown, Switches::PostHandshake),
        _ => meet(shown, Switches::None),
    });
    let unasked = meet(Shown::Nothing, Switches::None);
    shown.chain([unasked]).collect()
}

/// A page of Apache httpd, and what becomes of it.
struct Page {
    path: &'static str,
    /// What is posted to it, if anything.
    body: Option<String>,
    expected: [&'static str; 6],
}

/// All of them.
fn httpd_pages() -> [Page; 5] {
    let page = |path, expected| Page {
        path,
        body: None,
        expected,
    };
    let required = [
        "200 SUCCESS",
        "alert 116",
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
    let names = ["apache2", "curl"];
    let Some([program, curl]) = find_all(names, "our client and Apache httpd") else {
        return;
    };
    let papers = Papers::new();
    let (_httpd, ports) = servers::httpd(&program, &papers);
    let pages = httpd_pages();
    let rows: Vec<Row> = pages
        .iter()
        .map(|page| visit(page, &papers, &ports))
        .collect();
    check("our client and Apache httpd", &rows);
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
        let mut client = Client::connect(&config, port);
        (client.get(path).unwrap().cell(), client.is_resumed())
    });
    let expected = [
        ("200 NONE", false),
        ("200 SUCCESS", true),
        ("200 SUCCESS", true),
    ];
    assert_eq!(
        seen,
        expected.map(|(cell, resumed)| (cell.to_owned(), resumed))
    );
}

/// What our client gets.
fn visit(page: &Page, papers: &Papers, ports: &Ports) -> Row {
    let meet = |shown, switches| {
        let config = config(papers, shown, switches);
        let mut client = Client::connect(&config, ports.of(0, shown));
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
    Row::new(&title, cells(&meet), &page.expected)
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
    let Some([program]) = find_all(["nginx"], "our client and nginx") else {
        return;
    };
    let papers = Papers::new();
    let (_nginx, ports) = servers::nginx(&program, &papers);
    let row = |index, mode: &str, expected: &[&'static str]| {
        let meet = |shown, switches| {
            let port = ports.of(index, shown);
            let mut client = Client::connect(&config(&papers, shown, switches), port);
            cell(client.get("/").map(|response| response.cell()))
        };
        let title = format!("nginx, `ssl_verify_client {mode}` (in the handshake)");
        Row::new(&title, cells(&meet), expected)
    };
    let rows = [
        row(
            0,
            "on",
            &[
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
            &[
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
            &[
                "200 SUCCESS",
                "200 NONE",
                "400 FAILED:certificate has expired",
                "200 FAILED:unable to verify the first certificate",
                "400 FAILED:certificate revoked",
                "200 NONE",
            ],
        ),
    ];
    check("our client and nginx", &rows);
}

#[test]
fn our_client_meets_s_server() {
    let Some([program]) = find_all(["openssl"], "our client and openssl s_server") else {
        return;
    };
    let papers = Papers::new();
    let meet = |shown, switches| {
        let (server, port) = servers::s_server(&program, &papers, shown);
        let server = Arc::new(Mutex::new(server));
        let mut client = if (shown, switches) == (Shown::Nothing, Switches::None) {
            Client::connect(&config(&papers, shown, switches), port)
        } else {
            let typist = Arc::clone(&server);
            // It forgets what is typed together with a command, so the command must have been read.
            Client::asked(&papers, shown, port, move || {
                typist.lock().unwrap().type_in("are you there?\n");
            })
        };
        let said = talk_to_s_server(&mut client, &server);
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
    let rows = [Row::new(
        "openssl s_server, key `c`",
        cells(&meet),
        &expected,
    )];
    check("our client and openssl s_server", &rows);
}

/// It is told to ask, and should go on afterwards.
fn talk_to_s_server(client: &mut Client, server: &Mutex<Program>) -> io::Result<String> {
    let wait = |texts: &[&str]| server.lock().unwrap().wait_for_one_of(texts);
    let type_in = |text| server.lock().unwrap().type_in(text);
    client.send("hello\n")?;
    wait(&["hello"]);
    type_in("c\n");
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
    let Some([program]) = find_all(["gnutls-serv"], "our client and gnutls-serv") else {
        return;
    };
    let papers = Papers::new();
    let row = |title: &str, more: &[&str], expected: &[&'static str]| {
        let (_server, port) = servers::gnutls(&program, &papers, more);
        let meet = |shown, switches| {
            let mut client = Client::connect(&config(&papers, shown, switches), port);
            cell(talk_to_gnutls(&mut client))
        };
        Row::new(title, cells(&meet), expected)
    };
    let accepted = "Successfully executed command";
    let refused = ["alert 49", "alert 49", "alert 49", "alert 80"];
    let rows = [
        row(
            "gnutls-serv, `**REAUTH**`",
            &["--disable-client-cert"],
            &[&[accepted, "alert 116"][..], &refused].concat(),
        ),
        row(
            "gnutls-serv, asked in the handshake and by `**REAUTH**`",
            &[],
            &[&[accepted, accepted][..], &refused].concat(),
        ),
    ];
    check("our client and gnutls-serv", &rows);
}

fn talk_to_gnutls(client: &mut Client) -> io::Result<String> {
    client.send("hello\n")?;
    client.line_with("hello")?;
    client.send("**REAUTH**\n")?;
    let said = client.line()?;
    client.send("still here\n")?;
    client.line_with("still here")?;
    Ok(said)
}

#[test]
fn our_client_meets_python() {
    let Some([program]) = find_all(["python3"], "our client and CPython") else {
        return;
    };
    let papers = Papers::new();
    let row = |mode: &str, expected: &[&'static str]| {
        let (_server, port) = servers::python(&program, &papers, mode);
        let meet = |shown, switches| {
            let mut client = Client::connect(&config(&papers, shown, switches), port);
            let outcome = client.get("/ask").and_then(|_| client.get("/"));
            cell(outcome.map(|response| response.cell()))
        };
        let title = format!("CPython, `verify_client_post_handshake`, {mode}");
        Row::new(&title, cells(&meet), expected)
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
    check("our client and CPython", &rows);
}
