//! Families on the line and on intervals.
//!
//! Not here: [`TruncatedGaussian`](crate::TruncatedGaussian), whose normaliser and moments are integrals over panels: their
//! number depends on the parameters, so that members do not go side by side through a vector.

use std::f64::consts::LN_2;

use vi_core::numerics::{Lane, SliceFunction, map_slices};

use super::{each, finite, positive};
use crate::distributions::{Beta, ContinuousBernoulli, LOG_TWO_PI, Laplace};
use crate::slices::log_prob::outside;

each! {
    Laplace(locations = location, scales = scale) if (finite(location) & positive(scale)),
    "the location is not finite or the scale not finite and positive";
    log_prob(z) { -(z - location).abs() / scale - (LN_2 + L::log_of_input(scale)) }
    mean_params(expected_distance) "`E|z − location|`" { [scale] }
    entropy { 1.0 + LN_2 + L::log_of_input(scale) }
}

each! {
    Beta(alphas = alpha, betas = beta) if (positive(alpha) & positive(beta)),
    "one of the parameters is not finite and positive";
    log_prob(z) {
        let total = alpha + beta;
        let (log_alpha, log_beta, log_total) =
            (L::log_of_input(alpha), L::log_of_input(beta), L::log(total));
        let stirling = L::stirling_error(alpha, log_alpha) + L::stirling_error(beta, log_beta)
            - L::stirling_error(total, log_total);
        // log B by Stirling's errors: what grows with the parameters stands beside the logarithms of z and 1 − z.
        let offset = 0.5 * (log_alpha + log_beta - log_total - LOG_TWO_PI) - stirling;
        let (log_z, log_rest) = (L::log_of_input(z), L::log1p(-z));
        let sides = L::mul_add(alpha, log_z - (log_alpha - log_total), beta * (log_rest - (log_beta - log_total)));
        let value = sides + (offset - (log_z + log_rest));
        if (z <= 0.0) | (z >= 1.0) { f64::NEG_INFINITY } else { value }
    }
}

/// 1/(2k + 3)!, the coefficients of sinh x / x − 1 from x² on; up to 1 they give all digits.
const SINHC: [f64; 9] = {
    let (mut coefficients, mut factorial, mut k) = ([0.0; 9], 1.0, 0);
    while k < coefficients.len() {
        let n = 2 * k + 3;
        factorial *= (n - 1) as f64 * n as f64;
        coefficients[k] = 1.0 / factorial;
        k += 1;
    }
    coefficients
};

/// 2(k + 1)/(2k + 3)!, the coefficients of (x cosh x − sinh x) / x³.
const SLOPE: [f64; 9] = {
    let (mut coefficients, mut k) = (SINHC, 0);
    while k < coefficients.len() {
        coefficients[k] *= (2 * k + 2) as f64;
        k += 1;
    }
    coefficients
};

/// Horner's rule, lowest degree first.
#[inline(always)]
fn polynomial<L: Lane>(x: f64, coefficients: [f64; 9]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| L::mul_add(sum, x, *c))
}

/// The continuous Bernoulli by half its logit: x = |η|/2.
struct Half {
    /// log(sinh x / x) − x.
    log_normaliser: f64,
    /// 1 − coth x + 1/x, twice the distance of the mean from the end where the density is largest.
    complement: f64,
    /// x times the complement plus the logarithm.
    entropy: f64,
}

impl Half {
    /// By power series up to 1, by exponentials above: every lane computes both and keeps one.
    #[inline(always)]
    fn new<L: Lane>(logit: f64) -> Self {
        let x = 0.5 * logit.abs();
        let square = x * x;
        let excess = square * polynomial::<L>(square, SINHC);
        let langevin = x * polynomial::<L>(square, SLOPE) / (1.0 + excess);
        let e = L::exp(-2.0 * x);
        let series = x < 1.0;
        let log = L::log1p(if series { excess } else { -e });
        let log_normaliser = log - if series { x } else { L::log(2.0 * x) };
        let complement = if series { 1.0 - langevin } else { 1.0 / x - 2.0 * e / (1.0 - e) };
        // Near 0 the two parts of the small logarithm are x² / 6 and −x² / 3.
        let entropy = if series { log - x * langevin } else { log_normaliser + x * complement };
        Self { log_normaliser, complement, entropy }
    }
}

/// The largest |η| of the family.
const LARGEST_LOGIT: f64 = 1e150;

each! {
    ContinuousBernoulli(logits = logit) if (logit.abs() <= LARGEST_LOGIT), "the logit is not between −1e150 and 1e150";
    log_prob(z) {
        // Counted from the end where the density is largest.
        let from_peak = if logit < 0.0 { z } else { 1.0 - z };
        let value = L::mul_add(-logit.abs(), from_peak, -Half::new::<L>(logit).log_normaliser);
        if outside(z, 0.0, 1.0) { f64::NEG_INFINITY } else { value }
    }
    mean_params(mean) "`E[z]`" {
        let near = 0.5 * Half::new::<L>(logit).complement;
        [if logit < 0.0 { near } else { 1.0 - near }]
    }
    entropy { Half::new::<L>(logit).entropy }
}
