//! What is the same in each run: the time, an authority and whom it certifies.

use std::sync::OnceLock;

use crate::{Credential, TrustStore};

/// A year after the certificates were made.
pub(super) const NOW: u64 = 1_830_000_000;

/// What is the same in each run.
pub(super) struct Papers {
    pub(super) trust: TrustStore,
    pub(super) client: Credential,
    pub(super) server: Credential,
    /// Nobody vouches for it, whatever it says.
    pub(super) stranger: Credential,
}

pub(super) fn papers() -> &'static Papers {
    static PAPERS: OnceLock<Papers> = OnceLock::new();
    PAPERS.get_or_init(|| {
        let credential = |pem: &[u8]| Credential::from_pem(pem, pem).expect("it is well made");
        Papers {
            trust: TrustStore::from_pem(include_bytes!("root.pem")).expect("it is well made"),
            client: credential(include_bytes!("client.pem")),
            server: credential(include_bytes!("server.pem")),
            stranger: credential(include_bytes!("stranger.pem")),
        }
    })
}
