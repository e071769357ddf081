//! What a probe finds out about TLS 1.2: renegotiation, and what makes it safe.

use countersign::{
    ClientSessions, Error, Misuse, ProtocolVersion, ResumePolicy, StreamError, VerifyMode,
};
use serde::Serialize;

use super::report::{Findings, Resumption};
use super::{ANSWER_PATIENCE, PARTING_PATIENCE, Probe, Visit, build};
use crate::connect::ErrorDocument;
use crate::observe::Trouble;
use crate::session::RequestAnswered;

/// What the server does when TLS 1.2 is all that it is offered.
pub(super) struct Tls12 {
    first: Visit,
    resumption: Option<Resumption>,
    client_renegotiation: ClientRenegotiation,
}

/// What becomes of a client that renegotiates when it wants to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum ClientRenegotiation {
    /// The server makes the handshake again.
    Accepted,
    /// The server says no, ends the connection, or does not answer.
    Refused,
    /// It was not tried: the server lacks what makes it safe.
    Unsafe,
}

/// The same as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    extended_master_secret: bool,
    secure_renegotiation: bool,
    client_renegotiation: ClientRenegotiation,
    certificate_requests: &'a [RequestAnswered],
    answer: Option<&'a str>,
    resumption: Option<&'a Resumption>,
    error: Option<ErrorDocument<'a>>,
}

impl Tls12 {
    /// Finds out with three connections; nothing if the first fails.
    pub(super) fn find(
        probe: &Probe<'_>,
        findings: &mut Findings,
    ) -> Result<Option<Self>, Trouble> {
        let sessions = ClientSessions::new(1);
        let builder = probe.builder()?.versions([ProtocolVersion::Tls12]);
        let config = build(builder.sessions(sessions.clone()))?;
        let first = probe.visit(&config, true, findings)?;
        if first.agreement.is_none() {
            return Ok(None);
        }
        let mut resumption = None;
        if !sessions.is_empty() {
            let second = probe.visit(&config, true, findings)?;
            resumption = Some(Resumption::new(&first, &second));
        }
        Ok(Some(Self {
            first,
            resumption,
            client_renegotiation: client_renegotiation(probe, findings)?,
        }))
    }

    /// What makes renegotiation safe, and who may start one.
    pub(super) fn line(&self) -> String {
        let (ems, info) = self.safety();
        let has = match (info, ems) {
            (true, true) => "has secure renegotiation (RFC 5746) and the extended master secret",
            (true, false) => {
                "has secure renegotiation (RFC 5746), lacks the extended master secret"
            }
            (false, true) => {
                "lacks secure renegotiation (RFC 5746), has the extended master secret"
            }
            (false, false) => {
                "lacks secure renegotiation (RFC 5746) and the extended master secret"
            }
        };
        let lets = match self.client_renegotiation {
            ClientRenegotiation::Accepted => "; lets clients renegotiate",
            ClientRenegotiation::Refused => "; lets no client renegotiate",
            ClientRenegotiation::Unsafe => "",
        };
        format!("{has}{lets}")
    }

    /// Whether there is the extended master secret, and RFC 5746.
    fn safety(&self) -> (bool, bool) {
        let agreement = self.first.agreement.as_ref();
        agreement.map_or((false, false), |agreement| {
            (
                agreement.extended_master_secret == Some(true),
                agreement.secure_renegotiation == Some(true),
            )
        })
    }

    pub(super) fn requests(&self) -> &[RequestAnswered] {
        &self.first.requests
    }

    pub(super) fn resumption(&self) -> Option<&Resumption> {
        self.resumption.as_ref()
    }

    pub(super) fn document(&self) -> Document<'_> {
        let (extended_master_secret, secure_renegotiation) = self.safety();
        Document {
            extended_master_secret,
            secure_renegotiation,
            client_renegotiation: self.client_renegotiation,
            certificate_requests: &self.first.requests,
            answer: self.first.answer.as_deref(),
            resumption: self.resumption.as_ref(),
            error: self.first.trouble.as_ref().map(ErrorDocument::new),
        }
    }
}

fn client_renegotiation(
    probe: &Probe<'_>,
    findings: &mut Findings,
) -> Result<ClientRenegotiation, Trouble> {
    let builder = probe.builder()?.versions([ProtocolVersion::Tls12]);
    let builder = builder.verify(VerifyMode::NONE);
    let config = build(builder.resume_policy(ResumePolicy::Never))?;
    let mut session = probe.start(&config, findings)?;
    let tried = session
        .handshake(probe.patience)
        .and_then(|()| session.renegotiate(&mut std::io::sink(), ANSWER_PATIENCE));
    // It may have ended the connection already.
    let _ = session.settle(&mut std::io::sink(), PARTING_PATIENCE);
    Ok(match tried {
        Ok(()) => ClientRenegotiation::Accepted,
        Err(StreamError::Tls(Error::Misuse(Misuse::CannotRenegotiateSafely))) => {
            ClientRenegotiation::Unsafe
        }
        Err(_) => ClientRenegotiation::Refused,
    })
}
