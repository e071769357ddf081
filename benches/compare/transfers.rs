//! Data from client to server: sealing and opening are timed apart.

use crate::library::{FLIGHT, Library, Transfer};
use crate::measuring::clock::{Dice, Measured, Plan, cost_of_clock, nothing_yet, now, turns};
use crate::measuring::{Outcome, ensure, table};

/// Nanoseconds for each byte that is sent, and for each that is received.
pub(crate) fn measure(
    libraries: &[Box<dyn Library>],
    record: u16,
    plan: Plan,
) -> Outcome<(Vec<Measured>, Vec<Measured>)> {
    let names = || libraries.iter().map(|library| library.name());
    let (mut sealing, mut opening) = (nothing_yet(names()), nothing_yet(names()));
    let mut transfers = libraries
        .iter()
        .map(|library| library.transfer(record.into()))
        .collect::<Outcome<Vec<_>>>()?;
    let clock = cost_of_clock();
    let mut dice = Dice::new();
    for round in 0..=plan.rounds {
        for at in turns(libraries.len(), &mut dice) {
            let (sent, received) = transfer_for(transfers[at].as_mut(), plan, clock)?;
            if round > 0 {
                sealing[at].1.push(sent);
                opening[at].1.push(received);
            }
        }
    }
    Ok((sealing, opening))
}

fn transfer_for(transfer: &mut dyn Transfer, plan: Plan, clock: f64) -> Outcome<(f64, f64)> {
    let limit = f64::from(plan.milliseconds) * 1e6;
    // The first flight finds the caches full of what others left there.
    transfer.send()?;
    transfer.receive()?;
    let (mut sending, mut receiving, mut flights) = (0.0, 0.0, 0.0);
    while sending + receiving < limit {
        let start = now();
        transfer.send()?;
        let between = now();
        let bytes = transfer.receive()?;
        let end = now();
        ensure(bytes == FLIGHT, "not all of the data has arrived")?;
        sending += between - start - clock;
        receiving += end - between - clock;
        flights += 1.0;
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::as_conversions,
        reason = "a small constant"
    )]
    let bytes = flights * FLIGHT as f64;
    Ok((sending / bytes, receiving / bytes))
}

/// Prints what a record of so many bytes takes and how many gigabytes there are in a second, of
/// CPU time.
pub(crate) fn print(case: &str, record: u16, measured: &[Measured]) {
    table::print(case, "us each", "GB/s", measured, |nanoseconds| {
        (nanoseconds * f64::from(record) / 1e3, 1.0 / nanoseconds)
    });
}
