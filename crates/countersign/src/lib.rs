//! TLS that knows who is at the other end.

mod alert;
mod error;
mod violation;

pub use alert::Alert;
pub use error::Error;
pub use violation::Violation;
