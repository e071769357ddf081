//! Questions that a connection asks its owner, and their answers.
//!
//! Each question makes its own answer, so only the right kind exists, and is consumed by
//! it, so it cannot be answered twice.

use core::fmt;
use std::sync::Arc;

use countersign_x509::ExpectedName;
use pki_types::{CertificateDer, UnixTime};

use crate::config::credential::Credential;
use crate::crypto::signature::SignatureScheme;
use crate::session::store::SessionId;
use crate::verify::mode::Role;
use crate::verify::peer::{CertificateChain, Since};
use crate::verify::verifier::{Presented, Verdict};

/// A question that suspends the connection until [`Connection::answer`](crate::Connection::answer).
#[derive(Debug)]
#[non_exhaustive]
pub enum Question {
    /// Is this peer to be accepted? Asked when the verifier said
    /// [`Verification::Later`](crate::Verification::Later).
    Peer(PeerQuestion),
    /// Which certificate is to be shown to this server? Asked when the configuration says
    /// [`ask_for_credential`](crate::ConfigBuilder::ask_for_credential).
    Credential(CredentialQuestion),
    /// What is the signature of these bytes? Asked when the signer said
    /// [`SignError::Later`](crate::SignError::Later).
    Signature(SignatureQuestion),
    /// What is stored under this name? Asked when the session store said
    /// [`Lookup::Later`](crate::Lookup::Later).
    Session(SessionQuestion),
}

/// What a script asks; it gets its identity from the connection.
#[derive(Debug)]
pub(crate) enum Inquiry {
    Peer(PeerInquiry),
    Credential(CredentialInquiry),
    Signature(SignatureInquiry),
    Session(SessionId),
}

impl Inquiry {
    pub(crate) fn into_question(self, id: QuestionId) -> Question {
        match self {
            Self::Peer(inquiry) => Question::Peer(PeerQuestion { id, inquiry }),
            Self::Credential(inquiry) => Question::Credential(CredentialQuestion { id, inquiry }),
            Self::Signature(inquiry) => Question::Signature(SignatureQuestion { id, inquiry }),
            Self::Session(session) => Question::Session(SessionQuestion { id, session }),
        }
    }
}

/// Tells questions apart, across connections too.
#[derive(Clone, Debug)]
pub(crate) struct QuestionId(Arc<()>);

impl QuestionId {
    pub(crate) fn unique() -> Self {
        Self(Arc::new(()))
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The answer to a [`Question`], made by the question itself.
#[derive(Debug)]
pub struct Answer {
    pub(crate) id: QuestionId,
    pub(crate) body: AnswerBody,
}

pub(crate) enum AnswerBody {
    Peer(Verdict),
    Credential(Option<Credential>),
    Signature(Result<Vec<u8>, String>),
    Session(Option<Vec<u8>>),
}

impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Peer(_) => "Peer",
            Self::Credential(_) => "Credential",
            Self::Signature(_) => "Signature",
            Self::Session(_) => "Session",
        })
    }
}

/// What is asked about a peer.
#[derive(Debug)]
pub(crate) struct PeerInquiry {
    pub(crate) chain: CertificateChain,
    pub(crate) whose: Role,
    pub(crate) names: Vec<ExpectedName>,
    pub(crate) time: UnixTime,
    pub(crate) depth: Option<u32>,
    pub(crate) security_level: u8,
    pub(crate) since: Since,
    pub(crate) server_name: Option<String>,
}

impl PeerInquiry {
    pub(crate) fn presented(&self) -> Presented<'_> {
        Presented {
            chain: self.chain.certificates(),
            whose: self.whose,
            names: &self.names,
            time: self.time,
            depth: self.depth,
            security_level: self.security_level,
            since: self.since,
            server_name: self.server_name.as_deref(),
        }
    }
}

/// The question whether a peer is to be accepted.
#[derive(Debug)]
pub struct PeerQuestion {
    id: QuestionId,
    inquiry: PeerInquiry,
}

impl PeerQuestion {
    /// What the peer presented and what is expected of it.
    pub fn presented(&self) -> Presented<'_> {
        self.inquiry.presented()
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

/// What a server said when it asked for a certificate.
#[derive(Debug)]
pub(crate) struct CredentialInquiry {
    pub(crate) authorities: Vec<Vec<u8>>,
    pub(crate) schemes: Vec<SignatureScheme>,
    pub(crate) since: Since,
}

/// The question which certificate is to be shown to the server.
#[derive(Debug)]
pub struct CredentialQuestion {
    id: QuestionId,
    inquiry: CredentialInquiry,
}

impl CredentialQuestion {
    /// The names of the authorities that the server would like the certificate to come from: distinguished
    /// names in DER, as advice. Empty: any.
    pub fn authorities(&self) -> &[Vec<u8>] {
        &self.inquiry.authorities
    }

    /// The schemes in which the server can verify a signature, in its order.
    pub fn schemes(&self) -> &[SignatureScheme] {
        &self.inquiry.schemes
    }

    /// Whether it asks in the handshake or after it.
    pub fn occasion(&self) -> Since {
        self.inquiry.since
    }

    /// Makes the answer: this credential, or none at all. One whose key signs in none of the
    /// server's schemes counts as none.
    pub fn answer(self, credential: Option<Credential>) -> Answer {
        Answer {
            id: self.id,
            body: AnswerBody::Credential(credential),
        }
    }
}

/// What is to be signed.
#[derive(Debug)]
pub(crate) struct SignatureInquiry {
    pub(crate) scheme: SignatureScheme,
    pub(crate) message: Vec<u8>,
}

/// The question what the signature of these bytes is, for a key that lives elsewhere.
#[derive(Debug)]
pub struct SignatureQuestion {
    id: QuestionId,
    inquiry: SignatureInquiry,
}

impl SignatureQuestion {
    /// The scheme to sign in.
    pub fn scheme(&self) -> SignatureScheme {
        self.inquiry.scheme
    }

    /// The bytes to sign, not hashed yet.
    pub fn message(&self) -> &[u8] {
        &self.inquiry.message
    }

    /// Makes the answer: the signature, or why there is none, which ends the connection.
    pub fn answer(self, signature: Result<Vec<u8>, String>) -> Answer {
        Answer {
            id: self.id,
            body: AnswerBody::Signature(signature),
        }
    }
}

/// The question what a session store holds under a name.
#[derive(Debug)]
pub struct SessionQuestion {
    id: QuestionId,
    session: SessionId,
}

impl SessionQuestion {
    /// The name.
    pub fn session_id(&self) -> &SessionId {
        &self.session
    }

    /// Makes the answer: what was stored and is now taken out, or nothing, which leads to
    /// a full handshake.
    pub fn answer(self, stored: Option<Vec<u8>>) -> Answer {
        Answer {
            id: self.id,
            body: AnswerBody::Session(stored),
        }
    }
}
