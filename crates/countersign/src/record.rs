//! Records: the frames on the wire, their protection, and the messages that run across them.
//!
//! Incoming bytes go through [`parse_header`], [`Opener`] and, if they belong to the handshake,
//! [`Joiner`]. Outgoing bytes go through [`Sealer`], which splits them. Opening works in the
//! caller's buffer and sealing in the output; neither allocates for a record.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::arithmetic_side_effects
    )
)]

mod fragment;
mod frame;
mod join;
mod nonce;
mod open;
mod seal;
mod tls12;

pub(crate) use fragment::Gather;
pub(crate) use frame::{ContentType, HEADER_LEN, Header, parse_header};
pub(crate) use join::{Joiner, MessageLimits};
pub(crate) use open::{Opener, PlaintextAlerts};
pub(crate) use seal::Sealer;
pub(crate) use tls12::NonceSequence12;

/// Whether records are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    Plain,
    Encrypted,
}
