//! Programs that serve: how they are started.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};

use countersign_tests::programs::Program;

use crate::papers::{Papers, Shown};

/// A server that asks when it is told to, and its ports: with and without revocation lists.
pub(crate) struct Ports {
    plain: Vec<u16>,
    with_lists: Vec<u16>,
}

impl Ports {
    /// The port for that certificate: only the revoked one meets revocation lists.
    pub(crate) fn of(&self, index: usize, shown: Shown) -> u16 {
        match shown {
            Shown::Revoked => self.with_lists[index],
            _ => self.plain[index],
        }
    }
}

/// A port of the loopback interface that nobody listens on, for programs that cannot choose one themselves.
/// It is outside the range from which the system takes the ports of outgoing connections.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 10_000).unwrap();
    (0..10_000)
        .map(|_| 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a port is free")
}

/// Apache httpd, in one process.
pub(crate) fn httpd(program: &PathBuf, papers: &Papers) -> (Program, Ports) {
    let ports = Ports {
        plain: vec![free_port()],
        with_lists: vec![free_port()],
    };
    let pages = papers.folder.path().join("pages");
    for page in ["open", "secure", "optional", "optional-no-ca"] {
        std::fs::create_dir_all(&pages).unwrap();
        std::fs::write(pages.join(page), format!("This is {page}.\n")).unwrap();
    }
    let text = papers
        .fill_in(include_str!("httpd.conf"))
        .replace("{modules}", "/usr/lib/apache2/modules")
        .replace("{port}", &ports.plain[0].to_string())
        .replace("{port-with-lists}", &ports.with_lists[0].to_string());
    let file = papers.folder.put("httpd.conf", &text);
    let mut httpd = Program::start(program, &["-X", "-f", &file]);
    // Ports are opened before modules are set up.
    httpd.wait_for("AH01876");
    (httpd, ports)
}

/// nginx, in one process: verification on, optional, `optional_no_ca`.
pub(crate) fn nginx(program: &PathBuf, papers: &Papers) -> (Program, Ports) {
    const MODES: [&str; 3] = ["on", "optional", "optional-no-ca"];
    let ports = Ports {
        plain: MODES.map(|_| free_port()).to_vec(),
        with_lists: MODES.map(|_| free_port()).to_vec(),
    };
    let mut text = papers.fill_in(include_str!("nginx.conf"));
    for (index, mode) in MODES.iter().enumerate() {
        text = text
            .replace(&format!("{{{mode}}}"), &ports.plain[index].to_string())
            .replace(
                &format!("{{{mode}-with-lists}}"),
                &ports.with_lists[index].to_string(),
            );
    }
    let file = papers.folder.put("nginx.conf", &text);
    let folder = papers.folder.path().to_str().unwrap();
    let mut nginx = Program::start(program, &["-p", folder, "-c", &file, "-e", "stderr"]);
    // Ports are open before this is said.
    nginx.wait_for("getrlimit");
    (nginx, ports)
}

/// `openssl s_server`, which asks when `c` or `R` is typed and refuses what it cannot verify.
pub(crate) fn s_server(
    program: &PathBuf,
    papers: &Papers,
    shown: Shown,
    more: &[&str],
) -> (Program, u16) {
    let mut arguments = vec!["s_server", "-accept", "127.0.0.1:0"];
    arguments.push(papers.choose("-tls1_2", "-tls1_3"));
    arguments.extend(["-cert", &papers.server_chain, "-key", &papers.server_key]);
    arguments.extend(["-cert_chain", &papers.intermediate]);
    arguments.extend(["-CAfile", &papers.authorities, "-verify_return_error"]);
    arguments.extend(["-naccept", "1"]);
    if shown == Shown::Revoked {
        arguments.extend(["-CRL", &papers.list, "-crl_check"]);
    }
    arguments.extend(more);
    let mut server = Program::start(program, &arguments);
    let line = server.wait_for("ACCEPT ");
    let port = line.rsplit(':').next().unwrap().parse().unwrap();
    (server, port)
}

/// gnutls-serv, which echoes, and asks when it hears `**REAUTH**` or `**REHANDSHAKE**`.
pub(crate) fn gnutls(program: &PathBuf, papers: &Papers, more: &[&str]) -> (Program, u16) {
    let port = free_port();
    let number = port.to_string();
    let mut arguments = vec!["--echo", "--nodb", "-p", &number, "--verify-client-cert"];
    // It cannot renegotiate where there are tickets.
    let tls12 = "NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_TICKETS";
    let priority = papers.choose(tls12, "NORMAL:-VERS-ALL:+VERS-TLS1.3");
    arguments.extend(["--priority", priority]);
    arguments.extend(["--x509certfile", &papers.server_chain]);
    arguments.extend(["--x509keyfile", &papers.server_key]);
    arguments.extend(["--x509cafile", &papers.authorities]);
    arguments.extend(["--x509crlfile", &papers.lists]);
    arguments.extend(more);
    let mut server = Program::start(program, &arguments);
    server.wait_for("listening on IPv4");
    (server, port)
}

/// Python's `ssl`, which asks when it hears `/ask`.
pub(crate) fn python(program: &PathBuf, papers: &Papers, mode: &str) -> (Program, u16) {
    let script = papers.folder.put("server.py", include_str!("server.py"));
    let arguments = [
        &script,
        mode,
        &papers.server_chain,
        &papers.server_key,
        &papers.authorities,
        &papers.lists,
    ];
    let mut server = Program::start(program, &arguments);
    let line = server.wait_for("port ");
    let port = line["port ".len()..].parse().unwrap();
    (server, port)
}
