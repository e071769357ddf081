//! Points of the handshake at which the transcript hash enters the key schedule. They are types,
//! so that a secret cannot be derived from the hash at another point.

use core::marker::PhantomData;

use crate::crypto::hash::Digest;

/// After the `ClientHello` (the second, if there are two).
#[derive(Clone, Copy, Debug)]
pub(crate) enum ClientHello {}

/// After the `ServerHello`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ServerHello {}

/// After the server's Finished.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ServerFinished {}

/// After the client's Finished.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ClientFinished {}

/// The transcript hash at `Point`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<Point> {
    hash: Digest,
    point: PhantomData<Point>,
}

impl<Point> At<Point> {
    /// States that `hash` covers everything up to `Point`.
    pub(crate) fn new(hash: Digest) -> Self {
        Self {
            hash,
            point: PhantomData,
        }
    }

    /// The hash.
    pub(crate) fn hash(&self) -> &Digest {
        &self.hash
    }
}
