//! A conjugate update is an addition of natural parameters: the posterior of a Gaussian's mean and precision.
//!
//! ```text
//! η_posterior = η_prior + Σ_n (½, −½ x_n², x_n, −½)
//! ```
#![allow(clippy::print_stdout, reason = "an example prints")]

use ndarray::array;
use vi_core::StreamKey;
use vi_families::{ExponentialFamily, FamilyError, NormalGamma};

fn main() -> Result<(), FamilyError> {
    let data = [4.8, 5.1, 4.4, 5.9, 5.3, 4.7];
    let prior = NormalGamma::from_mean_count_shape_rate(0.0, 0.1, 1.0, 1.0)?;
    let mut eta = prior.natural();
    for x in data {
        eta += &array![0.5, -0.5 * x * x, x, -0.5];
    }
    let posterior = NormalGamma::from_natural(&eta)?;
    println!("E[mean]       {:.4}", posterior.mean());
    println!("E[precision]  {:.4}", posterior.expected_precision());
    println!("KL from prior {:.4} nats", posterior.kl(&prior));
    // log p(x) = A(η_posterior) − A(η_prior) + Σ log h(x_n)
    let log_h = -0.5 * data.len() as f64 * std::f64::consts::TAU.ln();
    println!("log evidence  {:.4}", posterior.log_partition() - prior.log_partition() + log_h);
    let (mean, precision) = posterior.sample(&mut StreamKey::from_seed(1).rng(0));
    println!("one draw      mean {mean:.4}, precision {precision:.4}");
    Ok(())
}
