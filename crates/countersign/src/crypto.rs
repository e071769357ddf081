//! The cryptographic primitives, in our own small types. Nothing outside this module names the
//! library that computes them, so that another one can take its place.

mod der;
pub(crate) mod finite_field;
pub(crate) mod group;
pub(crate) mod hash;
pub(crate) mod hmac;
pub(crate) mod peer_key;
pub(crate) mod prf;
pub(crate) mod private_key;
mod public_key;
pub(crate) mod random;
pub(crate) mod signature;
pub(crate) mod signed_content;
pub(crate) mod suite;
#[cfg(test)]
pub(crate) mod test_keys;

pub use finite_field::FiniteFieldGroup;
pub use group::NamedGroup;
pub use private_key::{KeyError, PrivateKey, SignError, Signer};
pub use random::{Random, RandomFailed, SystemRandom};
pub use signature::SignatureScheme;
pub use suite::CipherSuite;
