//! Maximum likelihood is (∇A)⁻¹ of the averaged sufficient statistics: of weighted data, and of data in parts.
//!
//! Endurance of 23 ball bearings in millions of revolutions (Lieblein & Zelen 1956).
#![allow(clippy::print_stdout, reason = "an example prints")]

use vi_families::{ExponentialFamily, FamilyError, Gamma, SufficientStats};

/// Endurance, and how many bearings had it.
const BEARINGS: [(f64, f64); 22] = [
    (17.88, 1.0),
    (28.92, 1.0),
    (33.00, 1.0),
    (41.52, 1.0),
    (42.12, 1.0),
    (45.60, 1.0),
    (48.48, 1.0),
    (51.84, 1.0),
    (51.96, 1.0),
    (54.12, 1.0),
    (55.56, 1.0),
    (67.80, 1.0),
    (68.64, 2.0),
    (68.88, 1.0),
    (84.12, 1.0),
    (93.12, 1.0),
    (98.64, 1.0),
    (105.12, 1.0),
    (105.84, 1.0),
    (127.92, 1.0),
    (128.04, 1.0),
    (173.40, 1.0),
];

fn statistics(data: &[(f64, f64)]) -> Result<SufficientStats<Gamma>, FamilyError> {
    let mut stats = SufficientStats::new(());
    for (z, weight) in data {
        stats.push(z, *weight)?;
    }
    Ok(stats)
}

fn main() -> Result<(), FamilyError> {
    // Σ w T(z) of each half; their sum is that of the whole.
    let (first, second) = BEARINGS.split_at(11);
    let mut stats = statistics(first)?;
    stats.merge(&statistics(second)?)?;
    let fit = stats.maximum_likelihood()?;
    let log_likelihood: f64 = BEARINGS.iter().map(|(z, weight)| weight * fit.log_prob(z)).sum();
    // The inverse of n times the Fisher information is the covariance of the estimates; η = (shape − 1, −rate).
    let fisher = fit.fisher() * stats.weight();
    let determinant = fisher[[0, 0]] * fisher[[1, 1]] - fisher[[0, 1]] * fisher[[1, 0]];
    let (shape_error, rate_error) =
        ((fisher[[1, 1]] / determinant).sqrt(), (fisher[[0, 0]] / determinant).sqrt());
    println!("bearings        {}", stats.weight());
    println!("shape           {:.4} ± {shape_error:.4}", fit.shape());
    println!("rate            {:.5} ± {rate_error:.5}", fit.rate());
    println!("log likelihood  {log_likelihood:.4}");
    Ok(())
}
