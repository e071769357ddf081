//! Takes turns and takes the time: the CPU time of this thread, which others on the machine
//! disturb less than the time on the wall.

use std::hint::black_box;

use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::measuring::{Operation, Outcome};

/// How long to measure.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// CPU time of each library in each round.
    pub(crate) milliseconds: u32,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            rounds: 41,
            milliseconds: 25,
        }
    }
}

/// The name of a library, and the nanoseconds it took in each round.
pub(crate) type Measured = (&'static str, Vec<f64>);

/// The CPU time of this thread in nanoseconds.
pub(crate) fn now() -> f64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ThreadCPUTime);
    // Exact for a hundred days.
    #[expect(
        clippy::cast_precision_loss,
        clippy::as_conversions,
        reason = "see above"
    )]
    let nanoseconds = (tv_sec * 1_000_000_000 + tv_nsec) as f64;
    nanoseconds
}

/// What reading the clock costs, to be taken off.
pub(crate) fn cost_of_clock() -> f64 {
    const READINGS: u32 = 10_000;
    let start = now();
    for _ in 0..READINGS {
        black_box(now());
    }
    (now() - start) / f64::from(READINGS)
}

/// How long to go on without looking at the clock, which takes time too.
const BETWEEN_READINGS: f64 = 100_000.0;

/// Nanoseconds for each operation.
pub(crate) fn operations<O: Operation + ?Sized>(
    operations: &[Box<O>],
    plan: Plan,
) -> Outcome<Vec<Measured>> {
    let mut measured = nothing_yet(operations.iter().map(|operation| operation.name()));
    let mut bursts = vec![1_u32; operations.len()];
    let clock = cost_of_clock();
    // The first round is for warming up: caches, the allocator, and the first random number
    // of the process, which takes a hundred times as long as a handshake.
    let mut dice = Dice::new();
    for round in 0..=plan.rounds {
        for at in turns(operations.len(), &mut dice) {
            // The first one finds the caches full of what others left there.
            operations[at].run()?;
            let each = match operations[at].measured_elsewhere(plan.milliseconds) {
                Some(each) => each?,
                None => repeat(operations[at].as_ref(), bursts[at], plan, clock)?,
            };
            if round > 0 {
                measured[at].1.push(each);
            } else {
                bursts[at] = burst_of(each);
            }
        }
    }
    Ok(measured)
}

fn burst_of(nanoseconds_each: f64) -> u32 {
    let most = (1..20).map(|power| 1_u32 << power);
    most.take_while(|burst| f64::from(*burst) * nanoseconds_each < BETWEEN_READINGS)
        .last()
        .unwrap_or(1)
}

fn repeat(
    operation: &(impl Operation + ?Sized),
    burst: u32,
    plan: Plan,
    clock: f64,
) -> Outcome<f64> {
    let start = now();
    let end = start + f64::from(plan.milliseconds) * 1e6;
    let (mut done, mut readings, mut time) = (0.0, 0.0, start);
    while time < end {
        for _ in 0..burst {
            operation.run()?;
        }
        done += f64::from(burst);
        readings += 1.0;
        time = now();
    }
    Ok((time - start - readings * clock) / done)
}

pub(crate) fn nothing_yet(names: impl Iterator<Item = &'static str>) -> Vec<Measured> {
    names.map(|name| (name, Vec::new())).collect()
}

/// Whose turn it is when, in another order each round: always to follow the same library, and
/// find the caches as that one leaves them, would be an advantage or the opposite.
pub(crate) fn turns(libraries: usize, dice: &mut Dice) -> Vec<usize> {
    let mut order: Vec<_> = (0..libraries).collect();
    for last in (1..libraries).rev() {
        order.swap(last, dice.below(last + 1));
    }
    order
}

/// Numbers that look random and are the same each time (xorshift).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % limit
    }
}
