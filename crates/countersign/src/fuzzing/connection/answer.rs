//! What an owner answers to the questions of its connection.

use crate::crypto::signature::SignatureScheme;
use crate::fuzzing::connection::configs::Configs;
use crate::fuzzing::papers::papers;
use crate::verify::mode::Role;
use crate::verify::question::{
    Answer, CredentialQuestion, PeerQuestion, Question, SessionQuestion, SignatureQuestion,
};
use crate::verify::verifier::Verdict;
use crate::{Alert, ChainVerifier, Lookup, SessionStore as _};

/// An answer, and what follows from it for what must hold.
pub(super) struct Given {
    pub(super) answer: Answer,
    /// The peer is accepted whatever its report says.
    pub(super) tolerates: bool,
    /// It is wrong, and the peer may say so.
    pub(super) lies: bool,
}

impl From<Answer> for Given {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            tolerates: false,
            lies: false,
        }
    }
}

/// An answer of the kind that fits, by the owner of this end.
pub(super) fn answer(question: Question, choice: u8, role: Role, configs: &Configs) -> Given {
    match question {
        Question::Peer(question) => judge(question, choice, configs),
        Question::Credential(question) => choose(question, choice, configs),
        Question::Signature(question) => sign(question, choice, role, configs),
        Question::Session(question) => look_up(question, choice, configs),
    }
}

fn judge(question: PeerQuestion, choice: u8, configs: &Configs) -> Given {
    let verifier = ChainVerifier::new(configs.trust.clone());
    let report = verifier.report(&question.presented());
    let verdict = match choice & 3 {
        0 => Verdict::Reject {
            alert: Alert::BadCertificate,
            because: "the input says so".to_owned(),
        },
        1 => Verdict::Accept { despite: report },
        _ => Verdict::Follow(report),
    };
    Given {
        tolerates: matches!(verdict, Verdict::Accept { .. }),
        ..question.answer(verdict).into()
    }
}

fn choose(question: CredentialQuestion, choice: u8, configs: &Configs) -> Given {
    let credential = match choice & 3 {
        0 | 2 => Some(configs.choices.papers(Role::Client)),
        1 => None,
        _ => Some(&papers().stranger),
    };
    question.answer(credential.cloned()).into()
}

/// Signs with the key that the end was configured with, with another one, or not at all.
fn sign(question: SignatureQuestion, choice: u8, role: Role, configs: &Configs) -> Given {
    let own = configs.choices.papers(role);
    let (signs, lies) = match choice & 3 {
        0 | 2 => (Some(own), false),
        1 => (None, false),
        _ if configs.choices.is_stranger(role) => (Some(&papers().server), true),
        _ => (Some(&papers().stranger), true),
    };
    assert_eq!(question.scheme(), SignatureScheme::ED25519);
    let signed = signs.ok_or("nobody signs").and_then(|credential| {
        let signer = credential.signer();
        let signature = signer.sign(question.scheme(), question.message());
        signature.map_err(|_| "the key cannot sign")
    });
    Given {
        lies,
        ..question.answer(signed.map_err(str::to_owned)).into()
    }
}

/// Finds the session, finds it changed, or finds none.
fn look_up(question: SessionQuestion, choice: u8, configs: &Configs) -> Given {
    let mut found = match configs.shelf.sessions.take(question.session_id()) {
        Lookup::Found(session) => Some(session),
        Lookup::Missing | Lookup::Later => None,
    };
    match choice & 3 {
        0 | 2 => {}
        1 => found = None,
        _ => {
            let place = usize::from(choice >> 2);
            if let Some(byte) = found.as_mut().and_then(|session| session.get_mut(place)) {
                *byte ^= 1;
            }
        }
    }
    question.answer(found).into()
}
