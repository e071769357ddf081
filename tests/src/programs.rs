//! Real programs on the loopback interface.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::endpoint::Endpoint;

/// How long anything may take before the test gives up. Nothing ever takes that long unless
/// it hangs.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Set to 1 where a missing program is a failure.
pub const REQUIRE: &str = "COUNTERSIGN_REQUIRE_PEERS";

/// Where a program is. Without it says so in a line that can be searched for, and the test
/// is to return.
///
/// # Panics
/// If the program is missing and [`REQUIRE`] says that it must not be.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file());
    if found.is_none() {
        let required = std::env::var(REQUIRE).is_ok_and(|value| value == "1");
        assert!(!required, "{name} not found, and {REQUIRE}=1");
        println!("SKIPPED: {name} not found");
    }
    found
}

/// A program that runs. It is stopped when dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Program {
    /// Starts a program, with a pipe as its standard input.
    pub fn start(path: &PathBuf, arguments: &[&str]) -> Self {
        let mut child = Command::new(path)
            .args(arguments)
            .env_remove("SSLKEYLOGFILE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (sender, lines) = channel();
        forward(child.stdout.take().expect("piped"), sender.clone());
        forward(child.stderr.take().expect("piped"), sender);
        Self {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// Waits for a line of output that holds `text`, and gives it.
    pub fn wait_for(&mut self, text: &str) -> String {
        self.wait_for_one_of(&[text])
    }

    /// Waits for a line of output that holds one of these texts, and gives it.
    pub fn wait_for_one_of(&mut self, texts: &[&str]) -> String {
        let until = Instant::now() + DEADLINE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if texts.iter().any(|text| line.contains(text)) {
                        return line;
                    }
                }
                Err(reason) => panic!("{reason}, no line with {texts:?}: {}", self.seen.join("\n")),
            }
        }
    }

    /// Writes to the standard input.
    pub fn type_in(&mut self, text: &str) {
        let input = self.child.stdin.as_mut().expect("still open");
        input.write_all(text.as_bytes()).expect("it reads");
        input.flush().expect("it reads");
    }

    /// Closes the standard input, waits for the end, and gives the exit status with all output.
    pub fn finish(mut self) -> (ExitStatus, String) {
        drop(self.child.stdin.take());
        let until = Instant::now() + DEADLINE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.seen.push(line),
                // Both outputs are closed: it has ended, or is about to.
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the program does not end:\n{}", self.seen.join("\n"))
                }
            }
        }
        let status = self.child.wait().expect("a child can be waited for");
        (status, self.seen.join("\n"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn forward(output: impl Read + Send + 'static, to: Sender<String>) {
    thread::spawn(move || {
        let mut reader = BufReader::new(output);
        let mut line = Vec::new();
        while reader
            .read_until(b'\n', &mut line)
            .is_ok_and(|length| length > 0)
        {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            if to.send(text).is_err() {
                break;
            }
        }
    });
}

/// A free port of the loopback interface, taken.
pub fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = listener.local_addr().expect("it has one").port();
    (listener, port)
}

/// Connects to a port of the loopback interface.
pub fn connect(port: u16) -> TcpStream {
    bounded(TcpStream::connect(("127.0.0.1", port)).expect("somebody listens"))
}

/// Waits for a connection.
pub fn accept(listener: TcpListener) -> TcpStream {
    let (sender, accepted) = channel();
    thread::spawn(move || sender.send(listener.accept()));
    let accepted = accepted.recv_timeout(DEADLINE).expect("somebody connects");
    bounded(accepted.expect("a connection").0)
}

/// Says that nothing more will come, as programs wait for it before they end.
pub fn hang_up(socket: &TcpStream) {
    // A peer that is gone already cannot be told.
    let _ = socket.shutdown(Shutdown::Write);
}

fn bounded(socket: TcpStream) -> TcpStream {
    socket.set_read_timeout(Some(DEADLINE)).expect("a duration");
    socket
        .set_write_timeout(Some(DEADLINE))
        .expect("a duration");
    socket
}

/// Drives an end over a socket until it is as wanted, has failed, or the other end hung up.
pub fn drive(
    end: &mut dyn Endpoint,
    socket: &mut TcpStream,
    wanted: impl Fn(&dyn Endpoint) -> bool,
) {
    let mut buffer = [0; 16_384];
    let mut arrived = 0;
    loop {
        let sent = end.exchange(&buffer[..arrived]);
        // A peer that has given up may not read any more.
        let gone = socket.write_all(&sent).is_err();
        if gone || wanted(end) || end.failure().is_some() {
            return;
        }
        arrived = match socket.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => length,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return,
            Err(error) => panic!("nothing arrives: {error}"),
        };
    }
}
