//! Our server: HTTP/1.1 over [`Connection`]. What it asks depends on the path.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};

use countersign::{
    ChainVerifier, Completed, Connection, Credential, Error, Event, Misuse, Revocation,
    ServerConfig, VerifyMode,
};
use countersign_tests::programs::{DEADLINE, listen};
use countersign_x509::Certificate;

use crate::papers::Papers;

/// A server that runs in a thread until it is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    happened: Receiver<String>,
    open: Arc<Open>,
}

/// How many conversations have not ended.
#[derive(Default)]
struct Open {
    number: Mutex<usize>,
    changed: Condvar,
}

impl Server {
    pub(crate) fn start(papers: &Papers) -> Self {
        let config = config(papers);
        let (listener, port) = listen();
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, happened) = channel();
        let stopping = Arc::clone(&stop);
        let open = Arc::<Open>::default();
        let opened = Arc::clone(&open);
        let thread =
            thread::spawn(move || accept_until(&stopping, &listener, &config, (&sender, &opened)));
        Self {
            port,
            stop,
            thread: Some(thread),
            happened,
            open,
        }
    }

    /// Waits until the conversations with all clients, which must have left, have been written down.
    pub(crate) fn wait_until_idle(&self) {
        let number = self.open.number.lock().unwrap();
        let (number, _) = self
            .open
            .changed
            .wait_timeout_while(number, DEADLINE, |number| *number > 0)
            .unwrap();
        assert_eq!(*number, 0, "a client has not left");
    }

    /// What has happened since the last call: a line for each request or failure.
    pub(crate) fn happened(&self) -> Vec<String> {
        self.happened.try_iter().collect()
    }

    /// What became of that path since the last call: the last answer, or the last alert.
    pub(crate) fn outcome(&self, path: &str) -> Option<String> {
        let happened = self.happened();
        let answer = happened.iter().rev();
        let mut answers = answer.filter_map(|line| line.strip_prefix(path));
        let alert = happened.iter().rfind(|line| line.starts_with("alert"));
        let answer = answers.next().map(|answer| answer.trim().to_owned());
        answer.or_else(|| alert.cloned())
    }

    /// Waits until a connection ends with an alert, and gives it.
    pub(crate) fn wait_for_alert(&self) -> String {
        loop {
            let line = self.happened.recv_timeout(DEADLINE).unwrap();
            if line.starts_with("alert") {
                return line;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // It waits for a connection.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn config(papers: &Papers) -> Arc<ServerConfig> {
    let credential = Credential::from_pem_files(&papers.server_chain, &papers.server_key);
    let trust = papers.trust();
    ServerConfig::builder()
        .versions([papers.protocol()])
        .credential(credential.unwrap())
        .authorities(trust.subjects())
        .verifier(ChainVerifier::new(trust).revocation(Revocation::Chain))
        .alpn(["http/1.1"])
        .build()
        .unwrap()
}

fn accept_until(
    stop: &AtomicBool,
    listener: &TcpListener,
    config: &Arc<ServerConfig>,
    (happened, open): (&Sender<String>, &Arc<Open>),
) {
    while let Ok((socket, _)) = listener.accept() {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let mut conversation = Conversation::new(config, socket);
        let (happened, open) = (happened.clone(), Arc::clone(open));
        *open.number.lock().unwrap() += 1;
        thread::spawn(move || {
            conversation.serve(&happened);
            *open.number.lock().unwrap() -= 1;
            open.changed.notify_all();
        });
    }
}

/// One connection.
struct Conversation {
    connection: Connection,
    socket: TcpStream,
    /// Received, not yet taken by the connection.
    input: Vec<u8>,
    /// Decrypted, not yet used.
    text: Vec<u8>,
    ended: bool,
}

struct Request {
    path: String,
    /// How long the body is that follows.
    length: usize,
    is_last: bool,
}

impl Conversation {
    fn new(config: &Arc<ServerConfig>, socket: TcpStream) -> Self {
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Self {
            connection: Connection::server(config),
            socket,
            input: Vec::new(),
            text: Vec::new(),
            ended: false,
        }
    }

    fn serve(&mut self, happened: &Sender<String>) {
        let outcome = self.serve_requests(happened);
        if let Err(error) = outcome {
            let _ = happened.send(describe(&error));
        }
        // What the client has sent is read to the end, or it might never see the alert.
        let _ = self.socket.shutdown(Shutdown::Write);
        let _ = io::copy(&mut self.socket, &mut io::sink());
    }

    fn serve_requests(&mut self, happened: &Sender<String>) -> io::Result<()> {
        while let Some(request) = self.request()? {
            // Asking comes first: a client may answer before, within or after its body.
            let (status, verify, body) = self.answer(&request)?;
            self.skip_body(request.length)?;
            let line = format!("{} {status} {verify}", request.path);
            let _ = happened.send(line.trim_end().to_owned());
            let length = body.len();
            let connection = if request.is_last {
                "close"
            } else {
                "keep-alive"
            };
            self.send(&format!(
                "HTTP/1.1 {status}\r\nX-Verify: {verify}\r\nContent-Type: text/plain\r\n\
                 Content-Length: {length}\r\nConnection: {connection}\r\n\r\n{body}"
            ))?;
            if request.is_last {
                break;
            }
        }
        let mut output = Vec::new();
        self.connection.close(&mut output);
        self.socket.write_all(&output)
    }

    /// The status, what is known of the client, and the page.
    fn answer(&mut self, request: &Request) -> io::Result<(&'static str, String, String)> {
        let flags = match request.path.as_str() {
            "/secure" => VerifyMode::FAIL_IF_NO_PEER_CERT,
            "/optional" => VerifyMode::NONE,
            _ => return Ok(self.welcome()),
        };
        if self.connection.peer().is_some() {
            return Ok(self.welcome());
        }
        let mode = VerifyMode::PEER | VerifyMode::POST_HANDSHAKE | flags;
        self.connection.set_verify_mode(mode)?;
        let mut output = Vec::new();
        match self.connection.request_peer_certificate(&mut output) {
            Err(Error::Misuse(Misuse::PeerCannotAuthenticate)) => {
                let page = format!("{}\n", Misuse::PeerCannotAuthenticate);
                return Ok(("403", String::new(), page));
            }
            other => other?,
        }
        self.socket.write_all(&output)?;
        while !matches!(
            self.step()?,
            Some(Completed::PostHandshakeAuthentication | Completed::Renegotiation)
        ) {
            if self.ended {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.welcome())
    }

    fn welcome(&self) -> (&'static str, String, String) {
        let Some(peer) = self.connection.peer() else {
            return ("200", "NONE".to_owned(), "Welcome, stranger.\n".to_owned());
        };
        let leaf = Certificate::parse(peer.leaf().unwrap()).unwrap();
        let verify = if peer.is_verified() {
            "SUCCESS"
        } else {
            "FAILED"
        };
        let page = format!("Welcome, {}.\n", leaf.subject());
        ("200", verify.to_owned(), page)
    }

    /// The next request, without its body, or nothing if there are no more.
    fn request(&mut self) -> io::Result<Option<Request>> {
        let Some(head) = self.take_until(b"\r\n\r\n")? else {
            return Ok(None);
        };
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
        let is_last = value("connection:").is_some_and(|value| value.trim() == "close");
        let length = value("content-length:").map_or(0, |value| value.trim().parse().unwrap());
        Ok(Some(Request {
            path,
            length,
            is_last,
        }))
    }

    /// Reads the body and forgets it.
    fn skip_body(&mut self, length: usize) -> io::Result<()> {
        while self.text.len() < length && !self.ended {
            self.step()?;
        }
        self.text.drain(..length.min(self.text.len()));
        Ok(())
    }

    fn take_until(&mut self, end: &[u8]) -> io::Result<Option<Vec<u8>>> {
        loop {
            let mut windows = self.text.windows(end.len());
            if let Some(found) = windows.position(|window| window == end) {
                return Ok(Some(self.text.drain(..found + end.len()).collect()));
            }
            if self.ended {
                return Ok(None);
            }
            self.step()?;
        }
    }

    fn send(&mut self, text: &str) -> io::Result<()> {
        let mut output = Vec::new();
        let slices = [io::IoSlice::new(text.as_bytes())];
        self.connection.send(&slices, &mut output)?;
        self.socket.write_all(&output)
    }

    /// Lets the connection do one thing, reading more if it needs more.
    fn step(&mut self) -> io::Result<Option<Completed>> {
        let mut output = Vec::new();
        let received = self.connection.receive(&mut self.input, &mut output);
        // With an error there is an alert.
        self.socket.write_all(&output)?;
        let received = received?;
        let mut completed = None;
        match received.event {
            Event::NeedInput => {
                self.input.drain(..received.consumed);
                return self.fill().map(|()| None);
            }
            Event::Data(range) => self.text.extend_from_slice(&self.input[range]),
            Event::Completed(what) => completed = Some(what),
            Event::PeerClosed => self.ended = true,
            other => panic!("{other:?}"),
        }
        self.input.drain(..received.consumed);
        Ok(completed)
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16_384];
        let length = self.socket.read(&mut buffer)?;
        if length == 0 {
            self.connection.end_of_input()?;
            self.ended = true;
        }
        self.input.extend_from_slice(&buffer[..length]);
        Ok(())
    }
}

/// How a connection ended.
fn describe(error: &io::Error) -> String {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>());
    match inner.and_then(Error::alert) {
        Some(alert) => format!("alert {}", alert.code()),
        None => error.to_string(),
    }
}
