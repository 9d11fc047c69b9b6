//! Posterior, evidence and predictive distribution of a Gaussian with unknown mean and precision.
//!
//! A conjugate update is an addition of natural parameters:
//!
//! ```text
//! η_posterior = η_prior + Σ_n (½, −½ x_n², x_n, −½)
//! ```
#![allow(clippy::print_stdout, reason = "an example prints")]

use vi_core::StreamKey;
use vi_families::{ConjugateLikelihood, ExponentialFamily, FamilyError, GaussianMeanPrecision, NormalGamma};

fn main() -> Result<(), FamilyError> {
    let prior = NormalGamma::from_mean_count_shape_rate(0.0, 0.1, 1.0, 1.0)?;
    let mut seen = GaussianMeanPrecision.observed();
    for x in [4.8, 5.1, 4.4, 5.9, 5.3, 4.7] {
        seen.push(&x, 1.0)?;
    }
    let posterior = seen.posterior(&prior)?;
    println!("E[mean]       {:.4}", posterior.mean());
    println!("E[precision]  {:.4}", posterior.expected_precision());
    println!("KL to prior   {:.4} nats", posterior.kl(&prior));
    println!("log evidence  {:.4}", seen.log_marginal_likelihood(&prior)?);
    let next = GaussianMeanPrecision.predictive(&posterior)?;
    println!("the next is   t({}) about {:.4}, scale {:.4}", next.dof(), next.location(), next.scale());
    println!("log p(7)      {:.4}", next.log_prob(7.0));
    println!("one draw      {:.4}", next.sample(&mut StreamKey::from_seed(1).rng(0)));
    Ok(())
}
