//! TLS 1.3 (RFC 9846).

pub(crate) mod after;
pub(crate) mod authenticate;
pub(crate) mod client;
pub(crate) mod resume;
pub(crate) mod schedule;
pub(crate) mod server;
pub(crate) mod tickets;

/// The version's number in `supported_versions` (RFC 9846 §4.3.1).
pub(crate) const VERSION: u16 = 0x0304;

/// What hellos and records of TLS 1.3 say their version is.
pub(crate) const LEGACY_VERSION: u16 = 0x0303;
