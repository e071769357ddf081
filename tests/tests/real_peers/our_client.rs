//! Our client: HTTP/1.1 over [`Stream`], as small as it can be.

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use countersign::{ClientConfig, Error, Question, Stream, StreamError, TrustStore};
use countersign_tests::programs::connect;

use crate::papers::{Papers, Shown};

/// How the client is configured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Switches {
    /// A credential, if there is one, and nothing else.
    None,
    /// It says that it can authenticate after the handshake, with a credential or without, as curl does.
    PostHandshake,
}

pub(crate) struct Client {
    stream: Stream<TcpStream>,
    can_be_asked: bool,
}

/// What a server answered.
pub(crate) struct Response {
    pub(crate) status: u16,
    /// The header with what the server thinks of the certificate.
    pub(crate) verify: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn cell(&self) -> String {
        format!("{} {}", self.status, self.verify)
            .trim_end()
            .to_owned()
    }
}

/// A configuration that trusts the root and shows that certificate.
pub(crate) fn config(papers: &Papers, shown: Shown, switches: Switches) -> Arc<ClientConfig> {
    let trust = TrustStore::from_pem_file(&papers.root).unwrap();
    let mut builder = ClientConfig::builder()
        .versions([papers.protocol()])
        .trust(trust);
    if let Some(credential) = papers.credential(shown) {
        builder = builder.credential(credential);
    }
    if switches == Switches::PostHandshake {
        builder = builder.post_handshake_auth(true);
    }
    builder.build().unwrap()
}

impl Client {
    /// Connects to `localhost` at that port.
    pub(crate) fn connect(config: &Arc<ClientConfig>, port: u16) -> io::Result<Self> {
        let name = "localhost".try_into().unwrap();
        let stream = Stream::connect(config, name, connect(port))?;
        Ok(Self {
            stream,
            can_be_asked: false,
        })
    }

    /// The same, and calls `on_question` each time it is asked for its certificate.
    pub(crate) fn asked(
        papers: &Papers,
        shown: Shown,
        port: u16,
        mut on_question: impl FnMut() + Send + 'static,
    ) -> Self {
        let trust = TrustStore::from_pem_file(&papers.root).unwrap();
        let builder = ClientConfig::builder()
            .versions([papers.protocol()])
            .trust(trust);
        let config = builder.ask_for_credential(true).build().unwrap();
        let mut client = Self::connect(&config, port).unwrap();
        client.can_be_asked = true;
        let credential = papers.credential(shown);
        client.stream.on_question(move |question| match question {
            Question::Credential(question) => {
                on_question();
                question.answer(credential.clone())
            }
            other => panic!("{other:?}"),
        });
        client
    }

    /// Whether it was made to be asked.
    pub(crate) fn can_be_asked(&self) -> bool {
        self.can_be_asked
    }

    /// Whether an earlier session was resumed.
    pub(crate) fn is_resumed(&self) -> bool {
        self.stream.connection().agreed().unwrap().resumed
    }

    pub(crate) fn get(&mut self, path: &str) -> io::Result<Response> {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))?;
        self.response()
    }

    pub(crate) fn post(&mut self, path: &str, body: &str) -> io::Result<Response> {
        let length = body.len();
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}"
        ))?;
        self.response()
    }

    pub(crate) fn send(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(text.as_bytes())
    }

    /// Reads a line, without its end.
    pub(crate) fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }

    /// Reads lines until there is one with `text`.
    pub(crate) fn line_with(&mut self, text: &str) -> io::Result<String> {
        loop {
            let line = self.line()?;
            if line.contains(text) {
                return Ok(line);
            }
        }
    }

    fn response(&mut self) -> io::Result<Response> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).unwrap_or_default();
        let (mut verify, mut length) = (String::new(), 0);
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "x-verify" => value.trim().clone_into(&mut verify),
                "content-length" => length = value.trim().parse().unwrap(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Response {
            status: status.parse().unwrap(),
            verify,
            body: String::from_utf8(body).unwrap(),
        })
    }
}

/// A cell of the table: what was answered, or how the connection ended.
pub(crate) fn cell(outcome: io::Result<String>) -> String {
    outcome.unwrap_or_else(|error| match StreamError::from(error) {
        StreamError::Tls(Error::AlertReceived { alert, .. }) => format!("alert {}", alert.code()),
        StreamError::Tls(Error::Truncated { .. }) => "closed".to_owned(),
        other => format!("{other:?}"),
    })
}
