//! Mean-field fits of a logistic regression with 100 000 data and 100 coefficients: steps a second on all data, and seconds
//! until minibatches, or Laplace's approximation, are within 1 nat of the best.
//!
//! ```text
//! cargo run --release -p vi-tests --example large_logistic_fit -- 100000 100
//! ```
//! Without arguments a tenth of the data.
//!
//! The data are simulated: standard normal regressors, coefficients of standard deviation 0.3, priors N(0, 1). The distance
//! is exact: the mean-field ELBO of this model is a one-dimensional integral for every datum. Clocks stop while it is
//! computed.
#![allow(clippy::print_stdout, reason = "a table for people")]

use std::error::Error;
use std::time::{Duration, Instant};

use ndarray::{Array1, Array2};
use rand::RngExt;
use rand_distr::Distribution;
use vi_core::{Exec, Kernel, LogJoint, StreamKey};
use vi_families::{GaussianTarget, MeanFieldGaussian, NearGaussian};
use vi_models::logistic_regression::{LogisticRegression, LogisticRegressionPriors};
use vi_models::regression::RegressionData;
use vi_sgvi::{
    Adam, Averaging, GradientEstimator, Laplace, LearningRate, Minibatch, NaturalGradient, Pathwise, Sgvi,
    StepCoordinates,
};
use vi_tests::exact_elbo::ExactElbo;

/// Looks at the exact ELBO, at most.
const LOOKS: usize = 60;

fn simulated(n: usize, d: usize) -> Result<LogisticRegression, Box<dyn Error>> {
    let mut rng = StreamKey::from_seed(7).rng(0);
    let normal = rand_distr::StandardNormal;
    let x = Array2::<f64>::from_shape_simple_fn((n, d), || normal.sample(&mut rng));
    let w = Array1::<f64>::from_shape_simple_fn(d, || 0.3 * Distribution::<f64>::sample(&normal, &mut rng));
    let y = x.dot(&w).mapv(|eta| f64::from(rng.random::<f64>() < 1.0 / (1.0 + (-eta).exp())));
    let priors = LogisticRegressionPriors { scale: 1.0, intercept_scale: None };
    Ok(LogisticRegression::new(RegressionData::new(x, y)?, priors)?)
}

/// Iterates until the average of the iterates is within `gap` nats of `best`, and says after how many steps, in which
/// time, and how far it came.
fn race<E>(
    exact: &ExactElbo<'_, LogisticRegression>,
    estimator: E,
    start: &Array1<f64>,
    steps_between_looks: u64,
    best: f64,
    gap: f64,
) -> Result<(u64, Duration, f64), Box<dyn Error>>
where
    E: GradientEstimator<LogisticRegression, MeanFieldGaussian>,
{
    let optimizer = NaturalGradient {
        learning_rate: LearningRate::Constant(0.01),
        coordinates: StepCoordinates::Unconstrained,
        ..Default::default()
    };
    let kernel =
        Sgvi::new(exact.model, exact.family, estimator, optimizer)?.with_averaging(Averaging::Tail)?;
    let (mut state, key) = (kernel.init_at(start)?, StreamKey::from_seed(1));
    let (mut t, mut time) = (0, Duration::ZERO);
    for _ in 0..LOOKS {
        let clock = Instant::now();
        for _ in 0..steps_between_looks {
            kernel.step(key.fold_in(t), &mut state)?;
            t += 1;
        }
        let params = kernel.averaged_params(&state);
        time += clock.elapsed();
        let left = best - exact.at(&params);
        if left <= gap {
            return Ok((t, time, left));
        }
    }
    Ok((t, time, best - exact.at(&kernel.averaged_params(&state))))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = std::env::args().skip(1).map(|a| a.parse()).collect::<Result<Vec<usize>, _>>()?;
    let (n, d) = (arguments.first().map_or(10_000, |n| *n), arguments.get(1).map_or(100, |d| *d));
    let model = simulated(n, d)?;
    let family = MeanFieldGaussian::new(model.parameters())?;
    let exact = ExactElbo { model: &model, family: &family };
    // Scales as of one datum in four: where a fit would begin that knows N and no more.
    let log_sd = -0.5 * (0.25 * n as f64).ln();
    let start = Array1::from_shape_fn(2 * d, |i| if i < d { 0.0 } else { log_sd });
    let best = exact.best(log_sd)?;
    println!("{n} data, {d} coefficients; best ELBO {best:.3}, at the start {:.3}", exact.at(&start));

    let kernel = Sgvi::new(&model, &family, Pathwise::new(10), Adam::default())?.with_exec(Exec::local());
    let mut state = kernel.init_at(&start)?;
    let key = StreamKey::from_seed(2);
    kernel.step(key, &mut state)?;
    let (clock, n_steps) = (Instant::now(), 20);
    for t in 1..=n_steps {
        kernel.step(key.fold_in(t), &mut state)?;
    }
    println!("all data, S = 10: {:.1} steps a second", n_steps as f64 / clock.elapsed().as_secs_f64());

    println!("| fit | steps | seconds | gap, nats |\n|---|---|---|---|");
    let clock = Instant::now();
    let laplace = Laplace::default().fit_from(&model, &Array1::zeros(d), Exec::local())?;
    let target = GaussianTarget::from_mean_covariance(&laplace.mode, &laplace.covariance)?;
    let params = family.params_near(&target)?;
    let (time, left) = (clock.elapsed(), best - exact.at(&params));
    println!("| Laplace, its conditional scales | | {:.2} | {left:.3} |", time.as_secs_f64());
    for batch_size in [1000, 4000] {
        let estimator = Minibatch::new(Pathwise::new(4), batch_size.min(n));
        let (steps, time, left) = race(&exact, estimator, &start, 500, best, 1.0)?;
        println!("| minibatches of {batch_size}, S = 4 | {steps} | {:.2} | {left:.3} |", time.as_secs_f64());
    }
    Ok(())
}
