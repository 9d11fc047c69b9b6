//! Which polynomial? The exact evidence of linear regressions of growing degree on one set of data.
#![allow(clippy::print_stdout, reason = "an example prints")]

use ndarray::{Array1, Array2};
use rand_distr::{Distribution, StandardNormal};
use vi_core::{KnownPosterior, Role, StreamKey};
use vi_models::linear_regression::{LinearRegression, LinearRegressionPriors, NoisePrior};
use vi_models::regression::RegressionData;

fn main() -> Result<(), vi_models::ModelError> {
    let mut rng = StreamKey::from_seed(1).role(Role::Data).rng(0);
    let t = Array1::linspace(-1.0, 1.0, 30);
    // A cubic with noise of standard deviation 0.2.
    let y = t.mapv(|t: f64| {
        let noise: f64 = StandardNormal.sample(&mut rng);
        0.5 - t + 2.0 * t.powi(3) + 0.2 * noise
    });
    let priors = LinearRegressionPriors {
        coefficient_precision: 0.25,
        coupled: false,
        noise: NoisePrior::Known { precision: 25.0 },
        ..Default::default()
    };
    println!("degree   log evidence   coefficients");
    for degree in 1..=6 {
        let x = Array2::from_shape_fn((t.len(), degree), |(n, j)| t[n].powi(j as i32 + 1));
        let model = LinearRegression::new(RegressionData::with_intercept(x, y.clone())?, priors)?;
        if let (Some(evidence), Some(mean)) = (model.log_evidence(), model.posterior_mean()) {
            println!("{degree:6}   {evidence:12.3}   {mean:6.2}");
        }
    }
    Ok(())
}
