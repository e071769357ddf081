//! What both benches share: whose turn it is, the time, the table, and the command line.

pub(crate) mod arguments;
pub(crate) mod clock;
pub(crate) mod table;

use std::error::Error;

/// Why a measurement was not possible.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// Something that is done again and again.
pub(crate) trait Operation {
    /// Whose way of doing it this is.
    fn name(&self) -> &'static str;

    /// Does it once. Fails if the result is not as it must be.
    fn run(&self) -> Outcome<()>;

    /// For what another process does: has it done for so many milliseconds of the CPU time of that
    /// process, and says how many nanoseconds each took.
    fn measured_elsewhere(&self, _milliseconds: u32) -> Option<Outcome<f64>> {
        None
    }
}

/// Fails with a sentence unless something is so.
pub(crate) fn ensure(holds: bool, otherwise: &str) -> Outcome<()> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}
