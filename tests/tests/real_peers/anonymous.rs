//! Peers without certificates: the suites under which nobody authenticates.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::thread;

use countersign::{
    ClientConfig, Connection, Error, ProtocolVersion, ServerConfig, Stream, StreamError, TrustStore,
};
use countersign_tests::folder::TemporaryFolder;
use countersign_tests::peers::Version;
use countersign_tests::programs::{Program, accept, connect, find, listen};

use crate::papers::Papers;
use crate::servers::free_port;
use crate::table::{Row, check, find_all, say};

const TABLE: &str = "Anonymous suites";

/// What is allowed to a client.
#[derive(Clone, Copy, PartialEq)]
enum Anonymity {
    Allowed,
    Default,
}

/// What our client agrees on with a server over this socket, or why it does not.
fn meet(papers: &Papers, socket: TcpStream, anonymity: Anonymity) -> String {
    let trust = TrustStore::from_pem_file(&papers.root).unwrap();
    let builder = ClientConfig::builder()
        .versions([ProtocolVersion::Tls12])
        .trust(trust);
    let config = match anonymity {
        Anonymity::Allowed => builder.allow_anonymous().build(),
        Anonymity::Default => builder.build(),
    };
    let name = "localhost".try_into().unwrap();
    match Stream::connect(&config.unwrap(), name, socket) {
        Ok(mut stream) => {
            stream.write_all(b"EHLO localhost\r\n").unwrap();
            agreed(stream.connection())
        }
        Err(StreamError::Tls(Error::AlertReceived { alert, .. })) => {
            format!("alert {}", alert.code())
        }
        Err(error) => {
            let sentences = error.to_string();
            sentences.split(". ").next().unwrap_or_default().to_owned()
        }
    }
}

fn agreed(connection: &Connection) -> String {
    assert!(connection.is_anonymous() && connection.peer().is_none());
    let agreed = connection.agreed().unwrap();
    let group = agreed.finite_field.as_ref().unwrap();
    format!("{}, {group}", agreed.suite)
}

/// A row of one cell.
fn row(title: &str, cell: String, expected: &'static str) -> Row {
    Row::new(title, vec![cell], &[expected])
}

/// Why our client refuses a group of 1024 bits.
const TOO_SMALL: &str = "The server's Diffie-Hellman group has 1024 bits; at least 2048 are needed";

#[test]
fn our_client_meets_s_server_without_certificates() {
    let Some([program]) = find_all(["openssl"], "our client and openssl s_server, anonymous")
    else {
        return;
    };
    let papers = Papers::new(Version::Tls12);
    let parameters = papers.folder.path().join("ffdhe2048.pem");
    let parameters = parameters.to_str().unwrap();
    let make = ["genpkey", "-genparam", "-algorithm", "DH"];
    let which = ["-pkeyopt", "group:ffdhe2048", "-out", parameters];
    let (status, output) = Program::start(&program, &[make, which].concat()).finish();
    assert!(status.success(), "{output}");
    let meet_suite = |suite: &str, more: &[&str], anonymity| {
        let cipher = format!("{suite}:@SECLEVEL=0");
        let mut arguments = vec!["s_server", "-accept", "127.0.0.1:0", "-nocert", "-tls1_2"];
        arguments.extend(["-naccept", "1", "-cipher", &cipher]);
        arguments.extend(more);
        let mut server = Program::start(&program, &arguments);
        let line = server.wait_for("ACCEPT ");
        let port = line.rsplit(':').next().unwrap().parse().unwrap();
        let cell = meet(&papers, connect(port), anonymity);
        if cell.starts_with("TLS") {
            server.wait_for("EHLO localhost");
        }
        cell
    };
    let (aes128, aes256) = ("ADH-AES128-GCM-SHA256", "ADH-AES256-GCM-SHA384");
    let allowed = Anonymity::Allowed;
    let rows = [
        row(
            "openssl s_server `-cipher ADH-AES256-GCM-SHA384:@SECLEVEL=0`",
            meet_suite(aes256, &[], allowed),
            "TLS_DH_anon_WITH_AES_256_GCM_SHA384, modp_3072",
        ),
        row(
            "openssl s_server `-cipher ADH-AES128-GCM-SHA256:@SECLEVEL=0`",
            meet_suite(aes128, &[], allowed),
            TOO_SMALL,
        ),
        row(
            "openssl s_server `-cipher ADH-AES128-GCM-SHA256:@SECLEVEL=0 -dhparam` of 2048 bits",
            meet_suite(aes128, &["-dhparam", parameters], allowed),
            "TLS_DH_anon_WITH_AES_128_GCM_SHA256, ffdhe2048",
        ),
        row(
            "openssl s_server `-cipher ADH-AES256-GCM-SHA384:@SECLEVEL=0`, without `.allow_anonymous()`",
            meet_suite(aes256, &[], Anonymity::Default),
            "alert 40",
        ),
    ];
    check(TABLE, &rows);
}

#[test]
fn our_client_meets_gnutls_without_certificates() {
    let Some([program]) = find_all(["gnutls-serv"], "our client and gnutls-serv, anonymous") else {
        return;
    };
    let papers = Papers::new(Version::Tls12);
    let port = free_port();
    let number = port.to_string();
    let mut arguments = vec!["--echo", "--nodb", "-p", &number, "--priority"];
    arguments.push("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ANON-DH");
    let mut server = Program::start(&program, &arguments);
    server.wait_for("listening on IPv4");
    let cell = meet(&papers, connect(port), Anonymity::Allowed);
    let expected = "TLS_DH_anon_WITH_AES_256_GCM_SHA384, ffdhe2048";
    check(TABLE, &[row("gnutls-serv `+ANON-DH`", cell, expected)]);
}

/// Postfix wants a user of its own, and is started by root only.
#[test]
fn our_client_meets_postfix_without_certificates() {
    let Some([program]) = find_all(["postfix"], "our client and postfix, anonymous") else {
        return;
    };
    let Some(id) = find("id") else { return };
    if Program::start(&id, &["-u"]).finish().1 != "0" {
        return say("SKIPPED: our client and postfix, anonymous, for want of root's rights");
    }
    let papers = Papers::new(Version::Tls12);
    let mut postfix = Postfix::start(&program);
    let cell = meet(&papers, postfix.starttls(), Anonymity::Allowed);
    postfix.wait_for("Anonymous TLS connection established");
    let expected = "TLS_DH_anon_WITH_AES_256_GCM_SHA384, modp_3072";
    let title = "postfix, `smtpd_tls_cert_file = none`, STARTTLS";
    check(TABLE, &[row(title, cell, expected)]);
}

/// A mail server in a folder of its own.
struct Postfix {
    program: Program,
    port: u16,
    folder: TemporaryFolder,
}

impl Postfix {
    fn start(path: &PathBuf) -> Self {
        let folder = TemporaryFolder::new();
        let port = free_port();
        let inside = |name: &str| folder.path().join(name);
        for name in ["etc", "queue", "data"] {
            std::fs::create_dir(inside(name)).unwrap();
        }
        own(&inside("data"));
        let main = include_str!("postfix.cf").replace("{folder}", folder.path().to_str().unwrap());
        std::fs::write(inside("etc/main.cf"), main).unwrap();
        let services = include_str!("postfix-services.cf").replace("{port}", &port.to_string());
        std::fs::write(inside("etc/master.cf"), services).unwrap();
        let settings = inside("etc");
        let arguments = ["-c", settings.to_str().unwrap(), "start-fg"];
        let mut program = Program::start(path, &arguments);
        program.wait_for("daemon started");
        Self {
            program,
            port,
            folder,
        }
    }

    /// A connection of which everything is encrypted from here on.
    fn starttls(&self) -> TcpStream {
        let mut socket = connect(self.port);
        for (command, answer) in [
            ("", "220 "),
            ("EHLO localhost", "250 "),
            ("STARTTLS", "220 "),
        ] {
            if !command.is_empty() {
                write!(socket, "{command}\r\n").unwrap();
            }
            // Nothing comes after the last line, so nothing is read too far.
            let lines = BufReader::new(Read::by_ref(&mut socket)).lines();
            let mut lines = lines.map_while(Result::ok);
            assert!(lines.any(|line| line.starts_with(answer)), "{command}");
        }
        socket
    }

    fn wait_for(&mut self, text: &str) {
        self.program.wait_for(text);
    }
}

impl Drop for Postfix {
    /// What was started is a script, which waits for the real one.
    fn drop(&mut self) {
        let file = self.folder.path().join("queue/pid/master.pid");
        let process = std::fs::read_to_string(file).unwrap_or_default();
        if let (Some(kill), process) = (find("kill"), process.trim())
            && !process.is_empty()
        {
            Program::start(&kill, &[process]).finish();
        }
    }
}

fn own(folder: &Path) {
    let chown = find("chown").unwrap();
    let arguments = ["postfix", folder.to_str().unwrap()];
    assert!(Program::start(&chown, &arguments).finish().0.success());
}

/// What our server, which has no certificate, agrees on with this program.
fn serve(program: impl FnOnce(u16) -> Program) -> String {
    let config = ServerConfig::builder().allow_anonymous().build().unwrap();
    let (listener, port) = listen();
    let server = thread::spawn(move || match Stream::accept(&config, accept(listener)) {
        Ok(mut stream) => {
            stream.write_all(b"welcome\n").unwrap();
            let cell = agreed(stream.connection());
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            assert_eq!(line, "hello\n");
            stream.close().unwrap();
            cell
        }
        Err(error) => error.to_string(),
    });
    let mut program = program(port);
    if program
        .wait_for_one_of(&["welcome", "alert"])
        .contains("welcome")
    {
        program.type_in("hello\n");
    }
    program.finish();
    server.join().unwrap()
}

#[test]
fn our_server_without_certificates_meets_s_client() {
    let Some([program]) = find_all(["openssl"], "our server and openssl s_client, anonymous")
    else {
        return;
    };
    let meet = |more: &[&str]| {
        serve(|port| {
            let address = format!("127.0.0.1:{port}");
            let first = ["s_client", "-connect", &address, "-no_ign_eof"];
            Program::start(&program, &[&first, more].concat())
        })
    };
    let everything = ["-cipher", "aNULL:@SECLEVEL=0"];
    let rows = [row(
        "openssl s_client `-cipher aNULL:@SECLEVEL=0`",
        meet(&everything),
        "TLS_DH_anon_WITH_AES_256_GCM_SHA384, ffdhe2048",
    )];
    check(TABLE, &rows);
    let refused = meet(&[]);
    assert!(refused.contains(" in common"), "{refused}");
}

#[test]
fn our_server_without_certificates_meets_gnutls() {
    let Some([program]) = find_all(["gnutls-cli"], "our server and gnutls-cli, anonymous") else {
        return;
    };
    let cell = serve(|port| {
        let number = port.to_string();
        let mut arguments = vec!["-p", &number, "--insecure", "--priority"];
        arguments.push("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ANON-DH");
        arguments.push("localhost");
        Program::start(&program, &arguments)
    });
    let expected = "TLS_DH_anon_WITH_AES_256_GCM_SHA384, ffdhe2048";
    check(TABLE, &[row("gnutls-cli `+ANON-DH`", cell, expected)]);
}
