//! TLS that knows who is at the other end.

mod alert;
mod crypto;
mod error;
mod keys;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod messages;
mod record;
mod violation;

pub use alert::Alert;
pub use crypto::{
    CipherSuite, KeyError, NamedGroup, PrivateKey, Random, RandomFailed, SignError,
    SignatureScheme, Signer, SystemRandom,
};
pub use error::Error;
pub use violation::Violation;
