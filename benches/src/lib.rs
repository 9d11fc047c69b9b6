//! Workloads shared by the criterion benches: seeded synthetic data of the shapes that matter.

pub mod corpus;

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef1};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use vi_core::{LocalLogJoint, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_models::linear_regression::{LinearRegression, LinearRegressionPriors};
use vi_models::logistic_regression::{LogisticRegression, LogisticRegressionPriors};
use vi_models::regression::RegressionData;

/// Standard normal values (n, d).
pub fn standard_normal(n: usize, d: usize, seed: u64) -> Array2<f64> {
    let mut rng = StreamKey::from_seed(seed).rng(0);
    Array2::from_shape_simple_fn((n, d), || StandardNormal.sample(&mut rng))
}

/// `n` data in `k` overlapping clusters of full covariance, in turn, as in `benches/peers/common.py`.
pub fn gaussian_clusters(n: usize, d: usize, k: usize) -> Array2<f64> {
    let spread = 6.0 / (d as f64).sqrt();
    let means = standard_normal(k, d, 21) * spread;
    let roots: Vec<Array2<f64>> = (0..k as u64)
        .map(|i| standard_normal(d, d, 100 + i) / (d as f64).sqrt() + 0.3_f64.sqrt() * Array2::<f64>::eye(d))
        .collect();
    let mut x = standard_normal(n, d, 22);
    for (i, mut row) in x.rows_mut().into_iter().enumerate() {
        let value = roots[i % k].dot(&row) + means.row(i % k);
        row.assign(&value);
    }
    x
}

/// Coefficients of alternating sign that shrink: 1, −1/2, 1/3, …
fn coefficients(d: usize) -> Array1<f64> {
    (1..=d).map(|j| if j % 2 == 1 { 1.0 } else { -1.0 } / j as f64).collect()
}

/// Logistic regression on `n` standard normal data with `d` covariates and an intercept.
///
/// # Panics
/// If `n` or `d` is 0.
pub fn logistic_regression(n: usize, d: usize) -> LogisticRegression {
    let x = standard_normal(n, d, 11);
    let mut rng = StreamKey::from_seed(12).rng(0);
    let y = x.dot(&coefficients(d)).mapv(|eta| {
        let p = vi_core::numerics::sigmoid_scalar(eta);
        f64::from(u8::from(rng.random::<f64>() < p))
    });
    let data = RegressionData::with_intercept(x, y).expect("synthetic data are finite");
    LogisticRegression::new(data, LogisticRegressionPriors::default()).expect("default priors are valid")
}

/// Linear regression on `n` standard normal data with `d` covariates and an intercept, noise of unit scale.
///
/// # Panics
/// If `n` or `d` is 0.
pub fn linear_regression(n: usize, d: usize) -> LinearRegression {
    let x = standard_normal(n, d, 11);
    let y = x.dot(&coefficients(d)) + standard_normal(n, 1, 13).column(0);
    let data = RegressionData::with_intercept(x, y).expect("synthetic data are finite");
    LinearRegression::new(data, LinearRegressionPriors::default()).expect("default priors are valid")
}

/// A Gaussian random walk: a log joint of next to no cost, whose blocks touch their neighbours alone.
#[derive(Debug)]
pub struct RandomWalk(ParameterSpace);

impl RandomWalk {
    /// Of `n` positions.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn new(n: usize) -> Self {
        let positions = Parameter::vector("z", n, Support::Real);
        Self(ParameterSpace::new([positions]).expect("one variable"))
    }

    /// The step that ends at position `i`.
    fn term(i: usize, z: &[f64]) -> f64 {
        let step = if i > 0 { z[i] - z[i - 1] } else { z[0] };
        -0.5 * step * step
    }
}

impl LogJoint for RandomWalk {
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let z = z.as_slice().expect("contiguous");
        (0..z.len()).map(|i| Self::term(i, z)).sum()
    }
}

impl LocalLogJoint for RandomWalk {
    fn n_blocks(&self) -> usize {
        self.dim()
    }
    fn block(&self, b: usize) -> Range<usize> {
        b..b + 1
    }
    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        let z = z.as_slice().expect("contiguous");
        (b..(b + 2).min(z.len())).map(|i| Self::term(i, z)).sum()
    }
}
