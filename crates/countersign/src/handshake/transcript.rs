//! The transcript: the hash over all handshake messages so far (RFC 9846 §4.1.1, RFC 5246 §7.4.9).

use crate::crypto::hash::{Digest, HashAlgorithm, HashContext};

/// The message type of the synthetic message that stands for the first ClientHello.
const MESSAGE_HASH: u8 = 254;

/// The running transcript. Until the cipher suite is known, and with it the hash, the messages
/// themselves are kept.
#[derive(Clone, Debug)]
pub(crate) enum Transcript {
    Messages(Vec<u8>),
    Hash(HashContext),
    /// TLS 1.2: the client will sign the messages themselves, with a hash of its own choice.
    Both(Vec<u8>, HashContext),
}

impl Transcript {
    pub(crate) fn new() -> Self {
        Self::Messages(Vec::new())
    }

    /// Adds a whole message, with its header.
    pub(crate) fn add(&mut self, message: &[u8]) {
        match self {
            Self::Messages(messages) => messages.extend_from_slice(message),
            Self::Hash(context) => context.update(message),
            Self::Both(messages, context) => {
                messages.extend_from_slice(message);
                context.update(message);
            }
        }
    }

    /// The hash of everything so far and `next`, which is not added: part of a message.
    pub(crate) fn hash_with(&self, algorithm: HashAlgorithm, next: &[u8]) -> Digest {
        let mut with_next = self.clone();
        with_next.start_hash(algorithm);
        with_next.add(next);
        with_next.hash()
    }

    /// Begins to hash, with the hash of the chosen suite.
    pub(crate) fn start_hash(&mut self, algorithm: HashAlgorithm) {
        if let Self::Messages(messages) = self {
            let mut context = algorithm.start();
            context.update(messages);
            *self = Self::Hash(context);
        }
    }

    /// Begins to hash, and keeps the messages until they are signed.
    pub(crate) fn start_hash_and_keep(&mut self, algorithm: HashAlgorithm) {
        if let Self::Messages(messages) = self {
            let mut context = algorithm.start();
            context.update(messages);
            *self = Self::Both(core::mem::take(messages), context);
        }
    }

    /// Takes out the messages that are to be signed (RFC 5246 §7.4.8).
    pub(crate) fn take_messages(&mut self) -> Vec<u8> {
        match self {
            Self::Messages(messages) => messages.clone(),
            Self::Both(messages, context) => {
                let (messages, context) = (core::mem::take(messages), context.clone());
                *self = Self::Hash(context);
                messages
            }
            Self::Hash(_) => Vec::new(),
        }
    }

    /// Replaces the first ClientHello by its hash, before a HelloRetryRequest is added.
    ///
    /// RFC 9846 §4.1.1: the ClientHello is replaced by a message of type `message_hash`.
    pub(crate) fn replace_by_message_hash(&mut self, algorithm: HashAlgorithm) {
        self.start_hash(algorithm);
        let digest = self.hash();
        let length = u8::try_from(digest.as_ref().len()).unwrap_or_default();
        let mut context = algorithm.start();
        context.update(&[MESSAGE_HASH, 0, 0, length]);
        context.update(digest.as_ref());
        *self = Self::Hash(context);
    }

    /// The hash of everything so far; of nothing, with SHA-256, before the hash is known.
    pub(crate) fn hash(&self) -> Digest {
        match self {
            Self::Messages(messages) => HashAlgorithm::Sha256.digest(messages),
            Self::Hash(context) | Self::Both(_, context) => context.peek(),
        }
    }
}
