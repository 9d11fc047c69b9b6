//! Seconds of whole mean-field fits of a logistic regression, 569 × 31, and how far from the best they end.
//!
//! ```text
//! cargo run --release -p vi-tests --example logistic_fit [-- repetitions]
//! ```
//! The data are standardised and have a column of ones; the prior of every coefficient is N(0, 1). The distance is exact:
//! the mean-field ELBO of this model is a one-dimensional integral for every datum.
#![allow(clippy::print_stdout, reason = "a table for people")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use ndarray::{Array1, Array2, Axis};
use vi_core::{Exec, LogJoint, StreamKey};
use vi_families::{GaussianTarget, MeanFieldGaussian, NearGaussian};
use vi_models::logistic_regression::{LogisticRegression, LogisticRegressionPriors};
use vi_models::regression::RegressionData;
use vi_sgvi::{AdviceSettings, Laplace, advise};
use vi_tests::exact_elbo::ExactElbo;

fn model() -> Result<LogisticRegression, Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/breast_cancer.csv");
    let mut rows = Vec::new();
    for line in std::fs::read_to_string(path)?.lines().skip(1) {
        rows.push(line.split(',').map(str::parse::<f64>).collect::<Result<Vec<_>, _>>()?);
    }
    let mut x = Array2::from_shape_fn((rows.len(), 31), |(i, j)| if j < 30 { rows[i][j] } else { 1.0 });
    for mut column in x.axis_iter_mut(Axis(1)).take(30) {
        let (mean, sd) = (column.mean().unwrap_or(0.0), column.std(0.0));
        column.mapv_inplace(|v| (v - mean) / sd);
    }
    let y = rows.iter().map(|r| r[30]).collect();
    let priors = LogisticRegressionPriors { scale: 1.0, intercept_scale: None };
    Ok(LogisticRegression::new(RegressionData::new(x, y)?, priors)?)
}

/// What is measured: λ, made anew every time.
type Fit<'a> = Box<dyn Fn() -> Result<Array1<f64>, Box<dyn Error>> + 'a>;

fn main() -> Result<(), Box<dyn Error>> {
    let n: usize = std::env::args().nth(1).map_or(Ok(51), |n| n.parse())?;
    let model = model()?;
    let family = MeanFieldGaussian::new(model.parameters())?;
    let exact = ExactElbo { model: &model, family: &family };
    let zeros = Array1::zeros(model.dim());
    let (key, exec) = (StreamKey::from_seed(1), Exec::local());
    let best = exact.best(-2.0)?;
    println!("best ELBO {best:.6}");

    let near = || -> Result<GaussianTarget, Box<dyn Error>> {
        let laplace = Laplace::default().fit_from(&model, &zeros, exec)?;
        Ok(GaussianTarget::from_mean_covariance(&laplace.mode, &laplace.covariance)?)
    };
    let advice = advise(&model)?;
    let from_zeros = |n_samples: usize, n_iterations: u64| -> Result<Array1<f64>, Box<dyn Error>> {
        let settings = AdviceSettings {
            n_samples,
            n_iterations,
            max_samples: n_samples,
            n_evaluate: 2,
            ..Default::default()
        };
        let advice = advise(&model)?.with_settings(settings);
        Ok(advice.fit_near(&family, near()?, key, exec)?.posterior.params().clone())
    };
    let fits: Vec<(&str, Fit<'_>)> = vec![
        ("Laplace, its conditional scales", Box::new(|| Ok(family.params_near(&near()?)?))),
        ("and 128 fixed draws, 2 iterations", Box::new(|| from_zeros(128, 2))),
        ("and 128 fixed draws, 4 iterations", Box::new(|| from_zeros(128, 4))),
        ("and 128 fixed draws to the end", Box::new(|| from_zeros(128, 500))),
        ("all defaults", Box::new(|| Ok(advice.fit_family(&family, key, exec)?.posterior.params().clone()))),
    ];
    println!("| fit | gap, nats | ms, median | fastest | slowest |\n|---|---|---|---|---|");
    for (name, fit) in fits {
        let mut seconds = Vec::new();
        let mut params = fit()?;
        for _ in 0..n {
            let clock = Instant::now();
            params = fit()?;
            seconds.push(1e3 * clock.elapsed().as_secs_f64());
        }
        seconds.sort_by(f64::total_cmp);
        let gap = best - exact.at(&params);
        let (median, fastest, slowest) = (seconds[n / 2], seconds[0], seconds[n - 1]);
        println!("| {name} | {:.4} | {median:.2} | {fastest:.2} | {slowest:.2} |", gap);
    }
    Ok(())
}
