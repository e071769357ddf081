//! Peer verification: the modes, the rules that interpret them, who does the checking,
//! and what is known about the peer afterwards.

pub(crate) mod judgement;
pub(crate) mod mode;
pub(crate) mod peer;
pub(crate) mod policy;
pub(crate) mod question;
pub(crate) mod verifier;
