//! Bounds and differences shared by the checks.

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use vi_core::linalg::Cholesky;
use vi_core::testing::Moments;

/// Standard errors allowed to a Monte Carlo mean: a correct mean is further off in 6 of 10⁸ checks.
pub(super) const Z_BOUND: f64 = 5.4;

/// Asserts that the mean is `expected` up to [`Z_BOUND`] standard errors and rounding.
pub(super) fn assert_mean(what: impl FnOnce() -> String, moments: &Moments, expected: f64) {
    assert_mean_with(what, moments, expected, 0.0);
}

/// As [`assert_mean`], where the standard error is known to be at least `least`: events too rare to be drawn leave
/// no trace in that of the draws.
pub(super) fn assert_mean_with(what: impl FnOnce() -> String, moments: &Moments, expected: f64, least: f64) {
    let (mean, se) = (moments.mean(), moments.mcse().max(least));
    let bound = Z_BOUND * se + 1e-9 * (1.0 + expected.abs());
    assert!((mean - expected).abs() <= bound, "{}: mean {mean} ± {se}, expected {expected}", what());
}

/// The value a χ² variable of `n` degrees of freedom exceeds with the one-sided probability of [`Z_BOUND`],
/// 3·10⁻⁸ (Wilson & Hilferty 1931).
pub(super) fn chi_squared_bound(n: usize) -> f64 {
    let v = 2.0 / (9.0 * n as f64);
    n as f64 * (1.0 - v + Z_BOUND * v.sqrt()).powi(3)
}

/// The derivative at `x` of `f` by differences over `x ± h, x ± 2h`; the error falls with h⁴.
pub(super) fn five_point(f: impl Fn(f64) -> f64, x: f64, h: f64) -> f64 {
    (8.0 * (f(x + h) - f(x - h)) - (f(x + 2.0 * h) - f(x - 2.0 * h))) / (12.0 * h)
}

/// As [`five_point`], for a vector of functions.
pub(super) fn five_point_vector(f: impl Fn(f64) -> Array1<f64>, x: f64, h: f64) -> Array1<f64> {
    let inner = f(x + h) - f(x - h);
    let outer = f(x + 2.0 * h) - f(x - 2.0 * h);
    (inner * 8.0 - outer) / (12.0 * h)
}

/// A step for differences at `x`: `first`, or less until `curvature` at both ends of their span is within 5 % of that
/// at `x`. `None` marks arguments outside the domain.
pub(super) fn steady_step(first: f64, x: f64, curvature: impl Fn(f64) -> Option<f64>) -> f64 {
    const STEADY: f64 = 0.05;
    let Some(centre) = curvature(x) else { return first };
    let steady = |x: f64| curvature(x).is_some_and(|c| (c - centre).abs() <= STEADY * centre.abs());
    let mut h = first;
    // Below the rounding of x there is nothing to gain.
    while h > 1e-9 * x.abs() && !(steady(x - 2.0 * h) && steady(x + 2.0 * h)) {
        h *= 0.25;
    }
    h
}

/// `x` with `value` in place `i`.
pub(super) fn with_element(x: &ArrayRef1<f64>, i: usize, value: f64) -> Array1<f64> {
    let mut x = x.to_owned();
    x[i] = value;
    x
}

/// A positive-definite matrix factorised after scaling its diagonal to one, for matrices of mixed units.
#[derive(Debug)]
pub(super) struct ScaledCholesky {
    factor: Cholesky,
    scale: Array1<f64>,
}

impl ScaledCholesky {
    pub(super) fn new(what: &str, a: &ArrayRef2<f64>) -> Self {
        let scale = a.diag().mapv(f64::sqrt);
        let n = scale.len();
        for i in 0..n {
            for j in 0..n {
                let (x, y) = (a[[i, j]], a[[j, i]]);
                assert!(
                    (x - y).abs() <= 1e-12 * scale[i] * scale[j],
                    "{what} is not symmetric: ({i},{j}) is {x}, ({j},{i}) is {y}"
                );
            }
        }
        let scaled = ndarray::Array2::from_shape_fn((n, n), |(i, j)| a[[i, j]] / (scale[i] * scale[j]));
        match Cholesky::factor(&scaled) {
            Ok(factor) => Self { factor, scale },
            Err(e) => panic!("{what} is not positive definite: {e}"),
        }
    }

    /// A⁻¹ b.
    pub(super) fn solve(&self, b: &ArrayRef1<f64>) -> Array1<f64> {
        let mut x = &b.view() / &self.scale;
        self.factor.solve_inplace(&mut x);
        x / &self.scale
    }

    /// |A⁻¹| b, with the absolute values of all entries: how errors of size `b` grow at worst.
    pub(super) fn solve_absolute(&self, b: &ArrayRef1<f64>) -> Array1<f64> {
        let inverse = self.factor.inverse().mapv(f64::abs);
        inverse.dot(&(&b.view() / &self.scale)) / &self.scale
    }
}
