//! What may be changed on a living connection and is read at each decision.

use core::fmt;
use std::sync::Arc;

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
