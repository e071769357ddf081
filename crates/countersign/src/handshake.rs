//! The handshakes: straight-line `async fn`s, driven by [`script`] without any I/O.

pub(crate) mod authenticate;
pub(crate) mod client;
pub(crate) mod hello;
pub(crate) mod offer;
pub(crate) mod resume;
pub(crate) mod script;
pub(crate) mod server;
pub(crate) mod tls12;
pub(crate) mod tls13;
pub(crate) mod transcript;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::config::ClientConfig;
    use crate::handshake::script::Wire;
    use crate::handshake::{client, server};
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
