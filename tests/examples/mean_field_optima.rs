//! The score function alone against the known mean-field optima: the table of `docs/benchmarks.md`.
//!
//! ```text
//! cargo run --release -p vi-tests --example mean_field_optima [-- n_seeds]
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table for people")]

use std::error::Error;
use std::time::Instant;

use vi_sgvi::SgviSettings;
use vi_tests::posteriors::{MeanFieldOptimum, mean_field_optima};

/// What the fits of one posterior cost and reached.
#[derive(Default)]
struct Row {
    evaluations: Vec<f64>,
    seconds: Vec<f64>,
    gaps: Vec<f64>,
    n_closed: usize,
    n_converged: usize,
    n_false: usize,
    n_errors: usize,
}

impl Row {
    fn push(&mut self, optimum: &MeanFieldOptimum, seed: u64) -> Result<(), Box<dyn Error>> {
        let clock = Instant::now();
        let fit = match optimum.fit(&SgviSettings::black_box(), seed) {
            Ok(fit) => fit,
            Err(error) => {
                eprintln!("{}, seed {seed}: {error}", optimum.name);
                self.n_errors += 1;
                return Ok(());
            }
        };
        self.seconds.push(clock.elapsed().as_secs_f64());
        self.evaluations.push(fit.evaluations.n_log_joint as f64);
        let gap = optimum.gap(&fit)?;
        self.gaps.push(gap.value);
        self.n_closed += usize::from(gap.is_closed());
        self.n_converged += usize::from(fit.outcome.converged());
        self.n_false += usize::from(fit.outcome.converged() && !gap.is_closed());
        Ok(())
    }
}

/// Median and largest; NaN where every fit failed.
fn median_and_max(values: &mut [f64]) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |i: usize| values.get(i).copied().unwrap_or(f64::NAN);
    (at(values.len() / 2), at(values.len().wrapping_sub(1)))
}

fn main() -> Result<(), Box<dyn Error>> {
    let n_seeds: u64 = std::env::args().nth(1).map_or(Ok(10), |n| n.parse())?;
    println!(
        "| posterior | D | log joints, median | largest | seconds, median | gap, median | largest | reached | converged | falsely | errors |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for optimum in mean_field_optima() {
        let mut row = Row::default();
        for seed in 0..n_seeds {
            row.push(&optimum, seed)?;
        }
        let (evaluations, most) = median_and_max(&mut row.evaluations);
        let (seconds, _) = median_and_max(&mut row.seconds);
        let (gap, widest) = median_and_max(&mut row.gaps);
        println!(
            "| {} | {} | {evaluations:.0} | {most:.0} | {seconds:.3} | {gap:.4} | {widest:.4} | {}/{n_seeds} | {}/{n_seeds} | {} | {} |",
            optimum.name,
            optimum.dim(),
            row.n_closed,
            row.n_converged,
            row.n_false,
            row.n_errors
        );
    }
    Ok(())
}
