//! Questions that a connection asks its owner, and their answers.

use countersign_x509::ExpectedName;
use pki_types::{CertificateDer, UnixTime};

use crate::verify::mode::Role;
use crate::verify::peer::CertificateChain;
use crate::verify::verifier::{Presented, Verdict};

/// A question that suspends the handshake until [`Connection::answer`](crate::Connection::answer).
#[derive(Debug)]
#[non_exhaustive]
pub enum Question {
    /// Is this peer to be accepted? Asked when the verifier said
    /// [`Verification::Later`](crate::Verification::Later).
    Peer(PeerQuestion),
}

/// What the script asks; it gets its identity from the connection.
#[derive(Debug)]
pub(crate) struct PeerInquiry {
    pub(crate) chain: CertificateChain,
    pub(crate) whose: Role,
    pub(crate) names: Vec<ExpectedName>,
    pub(crate) time: UnixTime,
    pub(crate) depth: Option<u32>,
    pub(crate) security_level: u8,
}

/// The question whether a peer is to be accepted.
///
/// It is consumed by its answer, so it cannot be answered twice; an answer to another
/// connection's question, or to an earlier one, is refused.
#[derive(Debug)]
pub struct PeerQuestion {
    pub(crate) id: QuestionId,
    pub(crate) inquiry: PeerInquiry,
}

/// Tells questions apart, across connections too.
#[derive(Clone, Debug)]
pub(crate) struct QuestionId(std::sync::Arc<()>);

impl QuestionId {
    pub(crate) fn unique() -> Self {
        Self(std::sync::Arc::new(()))
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        std::sync::Arc::ptr_eq(&self.0, &other.0)
    }
}

impl PeerQuestion {
    /// What the peer presented and what is expected of it.
    pub fn presented(&self) -> Presented<'_> {
        Presented {
            chain: self.inquiry.chain.certificates(),
            whose: self.inquiry.whose,
            names: &self.inquiry.names,
            time: self.inquiry.time,
            depth: self.inquiry.depth,
            security_level: self.inquiry.security_level,
        }
    }

    /// The certificates as received, the peer's own first.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        self.inquiry.chain.certificates()
    }

    /// Makes the answer for [`Connection::answer`](crate::Connection::answer).
    pub fn answer(self, verdict: Verdict) -> Answer {
        Answer {
            id: self.id,
            body: AnswerBody::Peer(verdict),
        }
    }
}

/// The answer to a [`Question`], made by the question itself.
#[derive(Debug)]
pub struct Answer {
    pub(crate) id: QuestionId,
    pub(crate) body: AnswerBody,
}

#[derive(Debug)]
pub(crate) enum AnswerBody {
    Peer(Verdict),
}
