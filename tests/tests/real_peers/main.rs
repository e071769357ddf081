//! Our client and our server against the programs that people use, in both versions: who asks whom
//! for a certificate, when, and what comes of it.
//!
//! The rows are those of `docs/interoperability.md`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a broken assumption must stop the test"
)]

mod anonymous;
mod chromium;
mod clients;
mod firefox;
mod meet_clients;
mod meet_clients12;
mod meet_servers;
mod our_client;
mod our_server;
mod papers;
mod servers;
mod table;
