//! Medians, intervals, and how they are printed.

use crate::measure::{Dice, Measured};

/// How often the rounds are drawn anew for an interval.
const DRAWS: usize = 2_000;

/// Prints what one handshake takes and how many there are in a second, of CPU time.
pub(crate) fn print_handshakes(case: &str, measured: &[Measured]) {
    print(case, "us each", "each/s", measured, |nanoseconds| {
        (nanoseconds / 1e3, 1e9 / nanoseconds)
    });
}

/// Prints what a record takes and how many gigabytes there are in a second, of CPU time.
pub(crate) fn print_throughput(case: &str, measured: &[Measured]) {
    print(case, "us/16 KB", "GB/s", measured, |nanoseconds| {
        (nanoseconds * 16.384, 1.0 / nanoseconds)
    });
}

fn print(
    case: &str,
    time: &str,
    rate: &str,
    measured: &[Measured],
    show: impl Fn(f64) -> (f64, f64),
) {
    let Some((baseline, reference)) = measured.first() else {
        return;
    };
    println!("\n{case}");
    println!(
        "  {:<18} {time:>10} {rate:>10}  speed of {baseline} = 1",
        "library"
    );
    for (name, rounds) in measured {
        let (each, per_second) = show(median(rounds.clone()));
        let ratios: Vec<_> = reference.iter().zip(rounds).map(|(a, b)| a / b).collect();
        let (low, high) = interval(&ratios);
        println!(
            "  {name:<18} {each:>10.2} {per_second:>10.2}  {:.3} ({low:.3} to {high:.3})",
            median(ratios),
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (below, above) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    f64::midpoint(values[below], values[above])
}

/// The middle 95% of the medians of rounds drawn with replacement (bootstrap).
fn interval(values: &[f64]) -> (f64, f64) {
    let mut dice = Dice::new();
    let mut medians: Vec<_> = (0..DRAWS)
        .map(|_| {
            median(
                values
                    .iter()
                    .map(|_| values[dice.below(values.len())])
                    .collect(),
            )
        })
        .collect();
    medians.sort_by(f64::total_cmp);
    (medians[DRAWS / 40], medians[DRAWS - 1 - DRAWS / 40])
}
