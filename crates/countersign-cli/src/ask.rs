//! Asking visitors who they are when they come to certain paths: authentication after the handshake, or in TLS 1.2
//! a renegotiation.

use std::io::{self, BufRead};
use std::time::Duration;

use countersign::{Completed, Error, Misuse, Progress, Stream, StreamError, VerifyMode, Why};

use crate::failure::Failure;
use crate::http::RequestReader;
use crate::patient::PatientSocket;

/// How long a visitor may take to answer: somebody may have to choose a certificate and enter a password.
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);
/// How much a visitor may say in the meantime.
const MOST_SAID: usize = 64 * 1024;

/// How much a path insists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Demand {
    /// Visitors without a certificate are welcome.
    Optional,
    /// They are not.
    Required,
}

impl Demand {
    /// The mode in which a visitor is asked now.
    const fn mode(self) -> VerifyMode {
        let later = VerifyMode::PEER.with(VerifyMode::POST_HANDSHAKE);
        match self {
            // Who has declined once is not asked again.
            Self::Optional => later.with(VerifyMode::CLIENT_ONCE),
            Self::Required => later.with(VerifyMode::FAIL_IF_NO_PEER_CERT),
        }
    }
}

/// A path and everything below it.
#[derive(Debug)]
pub(crate) struct PathRule(String);

impl PathRule {
    pub(crate) fn new(path: &str) -> Result<Self, Failure> {
        if !path.starts_with('/') {
            return Err(Failure::usage(format!("{path:?} is no path."))
                .advise("Begin it with a slash, as in /private"));
        }
        Ok(Self(path.trim_end_matches('/').to_owned()))
    }

    pub(crate) fn covers(&self, path: &str) -> bool {
        path.strip_prefix(&self.0)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// The paths at which visitors are asked.
#[derive(Debug, Default)]
pub(crate) struct AskedPaths(Vec<(PathRule, Demand)>);

impl AskedPaths {
    /// Paths at which a certificate is required, and at which it is optional.
    pub(crate) fn new(required: &[String], optional: &[String]) -> Result<Self, Failure> {
        let required = required.iter().map(|path| (path, Demand::Required));
        let optional = optional.iter().map(|path| (path, Demand::Optional));
        let mut paths = Vec::new();
        for (path, demand) in required.chain(optional) {
            paths.push((PathRule::new(path)?, demand));
        }
        Ok(Self(paths))
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What this path demands: a rule holds for its path and everything below it. The most special rule
    /// counts, and of two for the same path the stricter one.
    pub(crate) fn demand(&self, path: &str) -> Option<Demand> {
        let matching = self.0.iter().filter(|(rule, _)| rule.covers(path));
        matching
            .max_by_key(|(rule, demand)| (rule.0.len(), *demand))
            .map(|(_, demand)| *demand)
    }
}

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Nothing, because the visitor is known.
    Known,
    /// The visitor has answered; whether with a certificate, the connection knows.
    Answered,
    /// The visitor has declined before.
    DeclinedBefore,
    /// It cannot be asked.
    Cannot(Misuse),
}

/// Asks the visitor who it is unless that is known, and waits for the answer. What it says in the meantime is kept
/// for the reader.
pub(crate) fn authenticate(
    stream: &mut Stream<PatientSocket>,
    demand: Demand,
    reader: &mut RequestReader,
) -> Result<Asked, StreamError> {
    let (connection, output) = stream.connection_and_output();
    if connection.peer().is_some() {
        return Ok(Asked::Known);
    }
    let before = connection.verify_mode();
    connection.set_verify_mode(demand.mode())?;
    match connection.request_peer_certificate(output) {
        Ok(()) => {
            stream.transport_mut().wait_for(ANSWER_PATIENCE);
            wait(stream, reader).map(|()| Asked::Answered)
        }
        Err(Error::Misuse(Misuse::ModeDoesNotAsk(Why::AskedOnceAlready))) => {
            Ok(Asked::DeclinedBefore)
        }
        Err(Error::Misuse(misuse)) => {
            connection.set_verify_mode(before)?;
            Ok(Asked::Cannot(misuse))
        }
        Err(error) => Err(error.into()),
    }
}

fn wait(stream: &mut Stream<PatientSocket>, reader: &mut RequestReader) -> Result<(), StreamError> {
    loop {
        match stream.step()? {
            Progress::Completed(
                Completed::PostHandshakeAuthentication | Completed::Renegotiation,
            ) => return Ok(()),
            Progress::Data => {
                let data = stream.fill_buf()?;
                let length = data.len();
                if reader.keep(data) > MOST_SAID {
                    let what = "the visitor said too much instead of who it is";
                    return Err(io::Error::new(io::ErrorKind::InvalidData, what).into());
                }
                stream.consume(length);
            }
            Progress::PeerClosed => return Err(Error::Closed.into()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AskedPaths, Demand};

    fn paths(required: &[&str], optional: &[&str]) -> AskedPaths {
        let owned =
            |paths: &[&str]| -> Vec<String> { paths.iter().map(|&path| path.into()).collect() };
        AskedPaths::new(&owned(required), &owned(optional)).unwrap()
    }

    #[test]
    fn a_rule_holds_for_its_path_and_below() {
        let paths = paths(&["/private"], &[]);
        for path in ["/private", "/private/", "/private/a/b"] {
            assert_eq!(paths.demand(path), Some(Demand::Required), "{path}");
        }
        for path in ["/", "/privateer", "/a/private", "/Private"] {
            assert_eq!(paths.demand(path), None, "{path}");
        }
    }

    #[test]
    fn the_most_special_rule_counts_and_then_the_stricter_one() {
        let both = paths(&["/a", "/b/c"], &["/a/open", "/b/c", "/"]);
        assert_eq!(both.demand("/a/x"), Some(Demand::Required));
        assert_eq!(both.demand("/a/open/x"), Some(Demand::Optional));
        assert_eq!(both.demand("/b/c"), Some(Demand::Required));
        assert_eq!(both.demand("/elsewhere"), Some(Demand::Optional));
        assert_eq!(both.demand("/"), Some(Demand::Optional));
    }

    #[test]
    fn a_path_begins_with_a_slash() {
        let refused = AskedPaths::new(&["private".into()], &[]).unwrap_err();
        assert_eq!(refused.what(), "\"private\" is no path.");
    }
}
