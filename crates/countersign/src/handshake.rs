//! The handshakes: straight-line `async fn`s, driven by [`script`] without any I/O.

pub(crate) mod hello;
pub(crate) mod script;
pub(crate) mod tls13;
pub(crate) mod transcript;
