//! TLS 1.3 (RFC 9846).

pub(crate) mod after;
pub(crate) mod authenticate;
pub(crate) mod client;
pub(crate) mod offer;
pub(crate) mod resume;
pub(crate) mod schedule;
pub(crate) mod server;
pub(crate) mod tickets;

/// The version's number in `supported_versions` (RFC 9846 §4.3.1).
pub(crate) const VERSION: u16 = 0x0304;

/// What hellos and records of TLS 1.3 say their version is.
pub(crate) const LEGACY_VERSION: u16 = 0x0303;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::config::ClientConfig;
    use crate::handshake::script::Wire;
    use crate::handshake::tls13::{client, server};
    use crate::verify::mode::VerifyMode;

    /// What a handshake in flight keeps, on the heap, until it is done.
    #[test]
    fn handshakes_stay_small() {
        let config = ClientConfig::builder()
            .verify(VerifyMode::NONE)
            .build()
            .unwrap();
        let config = Arc::clone(&config.0);
        let wire = Wire::new(config.settings.clone());
        let name = "server.example".try_into().unwrap();
        let connect = client::connect(wire.clone(), Arc::clone(&config), name);
        let serve = server::serve(wire, config);
        let sizes = (size_of_val(&connect), size_of_val(&serve));
        assert!(sizes.0 <= 8192 && sizes.1 <= 8192, "{sizes:?}");
    }
}
