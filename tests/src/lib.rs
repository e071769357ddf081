//! What countersign is tested against: OpenSSL's recorded answers, other TLS
//! implementations in the same process, and real programs on the loopback interface.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "this package holds test code only: a broken assumption must stop the test"
)]

pub mod edit;
pub mod endpoint;
pub mod folder;
pub mod intercept;
pub mod oracle;
pub mod peers;
pub mod programs;
pub mod wiretap;
pub mod wrong_peer;
