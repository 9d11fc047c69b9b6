//! What the distributions of counts share: probabilities without cancellation, draws, expectations, quantiles.

mod draw;
mod expectation;
mod mass;
mod search;

use ndarray::ArrayRef1;

pub(crate) use draw::{binomial, multinomial, negative_binomial, poisson, round_to_count};
pub(crate) use expectation::{expected_log_factorial, step_for, windowed_mean};
pub(crate) use mass::{
    deviance, log_binomial_coefficient, log_multinomial_coefficient, log_negative_binomial,
    log_negative_binomial_coefficient, log_poisson,
};
pub(crate) use search::{beta_tails, count_cdf, count_from_f64, count_quantile, count_survival};

/// The largest mean of a count: draws then stay below 2⁶⁴, where `u64` ends.
pub(crate) const MAX_MEAN: f64 = 1e18;

/// The error of a mean outside (0, [`MAX_MEAN`]].
pub(crate) const MEAN_RANGE: &str = "> 0 and ≤ 1e18, so that counts fit 64 bits";

/// Whether these are whole counts with this sum.
pub(crate) fn are_counts(n_trials: u64, z: &ArrayRef1<f64>) -> bool {
    z.iter().all(|k| *k >= 0.0 && k.fract() == 0.0) && z.sum() == n_trials as f64
}
