//! What is the same in each run: the time, an authority and whom it certifies.

use std::sync::OnceLock;

use pki_types::UnixTime;

use crate::{Clock, Credential, TrustStore};

/// A year after the certificates were made.
pub(super) const NOW: u64 = 1_830_000_000;

pub(super) struct FixedTime;

impl Clock for FixedTime {
    fn now(&self) -> UnixTime {
        UnixTime::since_unix_epoch(core::time::Duration::from_secs(NOW))
    }
}

/// What is the same in each run.
pub(super) struct Papers {
    pub(super) trust: TrustStore,
    pub(super) client: Credential,
    pub(super) server: Credential,
}

pub(super) fn papers() -> &'static Papers {
    static PAPERS: OnceLock<Papers> = OnceLock::new();
    PAPERS.get_or_init(|| {
        let credential = |pem: &[u8]| Credential::from_pem(pem, pem).expect("it is well made");
        Papers {
            trust: TrustStore::from_pem(include_bytes!("root.pem")).expect("it is well made"),
            client: credential(include_bytes!("client.pem")),
            server: credential(include_bytes!("server.pem")),
        }
    })
}
