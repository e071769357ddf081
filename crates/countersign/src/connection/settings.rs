//! What may be changed on a living connection and is read at each decision.

use core::fmt;
use std::sync::Arc;

use countersign_x509::{Decision, Step};

use crate::connection::Connection;
use crate::error::{Misuse, Result};
use crate::verify::judgement::VerifyCallback;
use crate::verify::mode::VerifyMode;

/// A connection's own settings: a copy of its configuration's to begin with.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) mode: VerifyMode,
    /// How many intermediates a chain may have; `None` for the default.
    pub(crate) depth: Option<u32>,
    pub(crate) callback: Option<Arc<VerifyCallback>>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("mode", &self.mode)
            .field("depth", &self.depth)
            .field("callback", &self.callback.is_some())
            .finish()
    }
}

impl Connection {
    /// Changes how the peer is verified, on this connection only (`SSL_set_verify`). It
    /// takes effect at the next decision: a verification under way is judged by it.
    ///
    /// # Errors
    /// [`Misuse::FlagsWithoutPeer`] for a mode that would do nothing.
    pub fn set_verify_mode(&mut self, mode: VerifyMode) -> Result<()> {
        if !mode.is_usable() {
            return Err(Misuse::FlagsWithoutPeer.into());
        }
        self.wire.lock().settings.mode = mode;
        Ok(())
    }

    /// How the peer is verified on this connection.
    pub fn verify_mode(&self) -> VerifyMode {
        self.wire.settings().mode
    }

    /// Changes how many intermediates the peer's chain may have, on this connection only
    /// (`SSL_set_verify_depth`). It takes effect at the next verification.
    pub fn set_verify_depth(&mut self, intermediates: u32) {
        self.wire.lock().settings.depth = Some(intermediates);
    }

    /// Sets the verify callback, on this connection only (`SSL_set_verify`). It takes effect at the
    /// next verification.
    pub fn set_verify_callback(
        &mut self,
        callback: impl Fn(&mut Step<'_>) -> Decision + Send + Sync + 'static,
    ) {
        self.wire.lock().settings.callback = Some(Arc::new(move |step, _| callback(step)));
    }
}
