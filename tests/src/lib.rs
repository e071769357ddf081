//! What countersign is tested against: OpenSSL's recorded answers, other TLS
//! implementations in the same process, and real programs on the loopback interface.
//!
//! | target in `tests/` | what it asks |
//! |---|---|
//! | `modes` | does every verify mode do what OpenSSL did, in both versions? `oracle/README.md` explains the rows |
//! | `limbo` | are the cases of x509-limbo judged under the rules of OpenSSL as OpenSSL itself does? |
//! | `interop` | does each suite, group and signature work with rustls and OpenSSL, in both roles? |
//! | `interop12` | and in TLS 1.2, with exporters, and resumption by ticket and by session id? |
//! | `old_tokens` | may hardware that signs with PKCS #1 v1.5 alone authenticate a client of TLS 1.3, and nobody else? |
//! | `programs` | with `openssl`, `curl` and Python's `ssl`? |
//! | `flows` | who sends what, and what is the user told? One file in `flows/` for each behaviour |
//! | `bypass` | does resumption pass the verification of clients by, there as in OpenSSL and rustls? |
//! | `later_answers` | does the handshake wait for a verdict that takes its time? |
//! | `wrong_messages` | is every wrong message at every await refused, with its alert? |
//! | `wrong_values` | is every wrong value blamed on the rule that it breaks, and is every rule of the table broken? |
//! | `hostile_peers` | what about floods, bombs, replays, injected alerts, truncation? |
//! | `mistakes` | is every mistake of a user answered with a sentence? All in `mistakes.txt` |
//! | `wiretap` | do the tools of these tests work, without countersign? |
//!
//! `COUNTERSIGN_BLESS=1` rewrites the files in `flows/` and `mistakes.txt`; read the difference.
//! `COUNTERSIGN_REQUIRE_PEERS=1` makes a missing program a failure. `COUNTERSIGN_ORACLE` names
//! another matrix.
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
pub mod scene;
pub mod wiretap;
pub mod wrong_peer;
