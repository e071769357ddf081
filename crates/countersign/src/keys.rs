//! The key schedules, from shared secrets to record keys.

pub(crate) mod exporter;
pub(crate) mod installed;
pub(crate) mod point;
pub(crate) mod schedule12;
pub(crate) mod schedule13;
pub(crate) mod secret;

#[cfg(test)]
mod rfc8448;
