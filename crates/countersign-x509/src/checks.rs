//! The checks of path validation: one file each, pure functions of certificates and parameters.

pub(crate) mod constraints;
pub(crate) mod host;
pub(crate) mod ocsp;
pub(crate) mod policy;
pub(crate) mod revocation;
pub(crate) mod signature;
pub(crate) mod strength;
pub(crate) mod strict;
pub(crate) mod usage;
pub(crate) mod validity;
pub(crate) mod webpki;
