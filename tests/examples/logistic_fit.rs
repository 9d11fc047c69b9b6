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

use ndarray::{Array1, Array2, ArrayRef1, Axis, s};
use vi_core::{Exec, GaussianExpectation, LogJoint, StreamKey, run};
use vi_families::{
    GaussianTarget, MeanFieldGaussian, NearGaussian, VariationalDistribution, VariationalFamily,
};
use vi_models::logistic_regression::{LogisticRegression, LogisticRegressionPriors};
use vi_models::regression::RegressionData;
use vi_sgvi::{AdviceSettings, Laplace, Lbfgs, SmoothObjective, Stationary, advise};

/// The exact ELBO over λ.
struct ExactElbo<'a> {
    model: &'a LogisticRegression,
    family: &'a MeanFieldGaussian,
}

impl SmoothObjective for ExactElbo<'_> {
    fn names(&self) -> Vec<String> {
        self.family.param_names()
    }
    fn value_and_grad(&self, x: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let d = x.len() / 2;
        let (mean, sd) = (x.slice(s![..d]).to_owned(), x.slice(s![d..]).mapv(f64::exp));
        let (mut by_mean, mut by_sd) = (Array1::zeros(d), Array1::zeros(d));
        let expected = self.model.expected_under_gaussians(&mean, &sd, &mut by_mean, &mut by_sd);
        grad.slice_mut(s![..d]).assign(&by_mean);
        grad.slice_mut(s![d..]).assign(&(by_sd * &sd + 1.0));
        let entropy = self.family.bind(x).ok().and_then(|q| q.entropy());
        entropy.map_or(f64::NAN, |entropy| expected + entropy)
    }
}

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

    let ascent = Lbfgs::new(&exact, 20)?;
    let mut best = ascent.start(Array1::from_shape_fn(62, |i| if i < 31 { 0.0 } else { -2.0 }))?;
    let outcome = run(&ascent, &mut best, key, 0..3000, &Stationary { tolerance: 1e-10 }, &mut [])?;
    println!("best ELBO {:.6}; {}", best.value, outcome.reason);

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
        let elbo = exact.value_and_grad(&params, &mut Array1::zeros(62));
        let (median, fastest, slowest) = (seconds[n / 2], seconds[0], seconds[n - 1]);
        println!("| {name} | {:.4} | {median:.2} | {fastest:.2} | {slowest:.2} |", best.value - elbo);
    }
    Ok(())
}
