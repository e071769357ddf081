//! X.509 path validation.
