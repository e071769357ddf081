//! OpenSSL's recorded answers, and the comparison with them.
//!
//! A [`Row`] says what was configured on both sides and what OpenSSL did. An
//! [`Implementation`] does the same and says what it saw. [`run`] compares the two field by
//! field; a difference is a failure unless the table in [`deviations`] names the decision
//! that asks for it and says exactly what happens instead.

pub mod callback;
pub mod compare;
pub mod countersign;
pub mod data;
pub mod deviations;
pub mod expectation;
pub mod inputs;
pub mod openssl;
pub mod row;
mod runner;
pub mod step;
pub mod talk;
mod weak_key;

pub use row::{Alerted, Record, Row, SideRecord};
pub use runner::{Implementation, Outcome, Scope, Summary, Tally, run};
