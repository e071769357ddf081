//! Conversations in which every secret of the protocol occurs, and what stands between countersign and aws-lc to see
//! them. See README.md.

pub mod boundary;
pub mod conversation;
pub mod hoard;
pub mod pair;
