//! Logistic regression by coordinate ascent: does the O-ring of a space shuttle fail in the cold?
//!
//! Data: 23 flights before Challenger, launch temperature and whether any O-ring was damaged; S. R. Dalal,
//! E. B. Fowlkes & B. Hoadley, *Risk analysis of the space shuttle*, JASA 84 (1989) 945–957.
#![allow(clippy::print_stdout, reason = "an example prints")]

use ndarray::{Array1, Array2, Axis};
use vi_cavi::{CaviSettings, fit};
use vi_core::{Exec, Posterior, Role, StreamKey};
use vi_models::logistic_regression::{LogisticRegression, LogisticRegressionPriors};
use vi_models::regression::RegressionData;

const FAHRENHEIT: [f64; 23] = [
    66., 70., 69., 68., 67., 72., 73., 70., 57., 63., 70., 78., 67., 53., 67., 75., 70., 81., 76., 79., 75.,
    76., 58.,
];
const DAMAGED: [f64; 23] =
    [0., 1., 0., 0., 0., 0., 0., 0., 1., 1., 1., 0., 0., 1., 0., 0., 0., 0., 0., 0., 1., 0., 1.];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let temperature = Array1::from(FAHRENHEIT.to_vec());
    let (mean, sd) = (temperature.mean().unwrap_or(0.0), temperature.std(0.0));
    let x: Array2<f64> = temperature.mapv(|t| (t - mean) / sd).insert_axis(Axis(1));
    let data = RegressionData::with_intercept(x, Array1::from(DAMAGED.to_vec()))?;
    let model = LogisticRegression::new(data, LogisticRegressionPriors::default())?;

    let key = StreamKey::from_seed(1);
    let result = fit(&model, &CaviSettings::default(), key, Exec::local())?;
    println!("{} after {} sweeps", result.reason(), result.state.elbo_trace.len());
    println!("ELBO {:.4} nats", result.elbo());
    let posterior = result.posterior(&model);
    for s in posterior.summaries(4000, key.role(Role::Evaluate)) {
        println!("{:10} {:7.3} ± {:.3}   5 % {:7.3}   95 % {:7.3}", s.name, s.mean, s.sd, s.q05, s.q95);
    }
    let beta = posterior.factors().coefficients.mean();
    let at = |fahrenheit: f64| beta[0] + beta[1] * (fahrenheit - mean) / sd;
    for t in [75.0, 53.0, 31.0] {
        println!(
            "P(damage) at {t} °F, at the posterior mean: {:.3}",
            vi_core::numerics::sigmoid_scalar(at(t))
        );
    }
    Ok(())
}
