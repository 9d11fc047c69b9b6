//! Can these draws be trusted? A sampler that mixes, one that sticks, and three proposals for one target.
#![allow(clippy::print_stdout, reason = "an example prints")]

use ndarray::{Array1, Array3};
use rand::RngExt;
use rand_distr::StandardNormal;
use vi_core::{Draws, Parameter, ParameterSpace, StreamKey, Support};
use vi_diagnostics::{psis, summarise};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = StreamKey::from_seed(1);
    let space = ParameterSpace::new([
        Parameter::scalar("mixes", Support::Real),
        Parameter::scalar("sticks", Support::Real),
    ])?;
    println!("{:<8}{:>9}{:>9}{:>11}{:>10}{:>8}", "", "mean", "mcse", "ess_bulk", "ess_tail", "rhat");
    for row in summarise(&Draws::new(space, autoregressions(key))) {
        println!(
            "{:<8}{:>9.3}{:>9.3}{:>11.0}{:>10.0}{:>8.3}",
            row.name,
            row.mean,
            row.mcse_mean.unwrap_or(f64::NAN),
            row.ess_bulk.unwrap_or(f64::NAN),
            row.ess_tail.unwrap_or(f64::NAN),
            row.rhat.unwrap_or(f64::NAN),
        );
    }
    println!("\nproposal N(0, s) for the target N(0, 1)");
    for s in [1.2, 0.8, 0.3] {
        // log p(z)/q(z) at z = s ε.
        let log_ratio = |e: f64| f64::ln(s) + 0.5 * e * e * (1.0 - s * s);
        let ratios: Array1<f64> =
            (0..4000).map(|i| log_ratio(key.rng(i).sample::<f64, _>(StandardNormal))).collect();
        let found = psis(&ratios)?;
        let verdict = if found.khat < 0.7 { "fine" } else { "do not trust" };
        println!("s = {s}: k-hat {:>6.2}, ess {:>5.0} of 4000: {verdict}", found.khat, found.ess);
    }
    Ok(())
}

/// Four chains of 1000 draws of x_t = φ x_{t−1} + √(1 − φ²) ε_t with φ = 0.3 and 0.999.
fn autoregressions(key: StreamKey) -> Array3<f64> {
    let mut values = Array3::zeros((4, 1000, 2));
    for c in 0..4 {
        for (d, phi) in [0.3f64, 0.999].into_iter().enumerate() {
            let mut rng = key.fold_in(c as u64).rng(d as u64);
            let mut x: f64 = rng.sample(StandardNormal);
            for i in 0..1000 {
                x = phi * x + (1.0 - phi * phi).sqrt() * rng.sample::<f64, _>(StandardNormal);
                values[(c, i, d)] = x;
            }
        }
    }
    values
}
