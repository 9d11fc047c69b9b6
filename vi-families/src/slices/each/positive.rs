//! Families on the positive numbers.

use std::f64::consts::LN_2;

use vi_core::numerics::{Lane, SliceFunction, map_slices};

use super::{each, finite, positive};
use crate::distributions::{
    ChiSquared, EULER, Exponential, HalfNormal, InverseGamma, InverseGaussian, LOG_TWO_PI, LogNormal, Pareto,
    Rayleigh, Weibull,
};
use crate::slices::log_prob::{on_positive, outside};

/// ½ log(2/π).
const HALF_NORMAL_BASE: f64 = 0.5 * (2.0 * LN_2 - LOG_TWO_PI);

each! {
    Exponential(rates = rate) if (positive(rate)), "the rate is not finite and positive";
    log_prob(z) {
        let value = L::mul_add(-rate, z, L::log_of_input(rate));
        if outside(z, 0.0, f64::MAX) { f64::NEG_INFINITY } else { value }
    }
    mean_params(mean) "`E[z]`" { [1.0 / rate] }
    entropy { 1.0 - L::log_of_input(rate) }
}

each! {
    ChiSquared(dofs = dof) if (positive(dof)), "the degrees of freedom are not finite and positive";
    log_prob(z) {
        let half = 0.5 * dof;
        // log(z/2) keeps log z and a log 2 from cancelling.
        let log_half = L::log_of_input(z) - LN_2;
        let offset = -L::log_gamma(half, L::log(half)) - LN_2;
        on_positive(z, L::mul_add(half - 1.0, log_half, L::mul_add(-0.5, z, offset)))
    }
    mean_params(expected_log) "`E[log z]`" {
        let half = 0.5 * dof;
        [L::digamma(half, L::log(half)) + LN_2]
    }
    entropy {
        // That of the Gamma with shape k/2 and rate ½, see there.
        let half = 0.5 * dof;
        let log_half = L::log(half);
        let stirling = 0.5 * LOG_TWO_PI + L::stirling_error(half, log_half);
        L::mul_add(half - 1.0, L::log_minus_digamma(half, log_half), stirling) + 0.5 * log_half + LN_2
    }
}

each! {
    InverseGamma(shapes = shape, scales = scale) if (positive(shape) & positive(scale)),
    "the shape or the scale is not finite and positive";
    log_prob(z) {
        let (log_shape, log_scale) = (L::log_of_input(shape), L::log_of_input(scale));
        let offset = L::mul_add(shape, log_scale, -L::log_gamma(shape, log_shape)) - scale / z;
        on_positive(z, L::mul_add(-(shape + 1.0), L::log_of_input(z), offset))
    }
}

// The entropy needs eˣE₁(x), which has no vectorised form here.
each! {
    InverseGaussian(means = mean, shapes = shape) if (positive(mean) & positive(shape)),
    "the mean or the shape is not finite and positive";
    log_prob(z) {
        let d = (z - mean) / mean;
        let offset = 0.5 * (L::log_of_input(shape) - LOG_TWO_PI);
        let value = L::mul_add(-shape, 0.5 * d * (d / z), L::mul_add(-1.5, L::log_of_input(z), offset));
        on_positive(z, value)
    }
    mean_params(expected_value, expected_reciprocal) "`E[z]` and `E[1/z]`" {
        [mean, 1.0 / mean + 1.0 / shape]
    }
}

each! {
    HalfNormal(scales = scale) if (positive(scale)), "the scale is not finite and positive";
    log_prob(z) {
        let scaled = z / scale;
        let value = L::mul_add(-0.5 * scaled, scaled, HALF_NORMAL_BASE - L::log_of_input(scale));
        if z < 0.0 { f64::NEG_INFINITY } else { value }
    }
    mean_params(expected_square) "`E[z²]`" { [scale * scale] }
    entropy { 0.5 - HALF_NORMAL_BASE + L::log_of_input(scale) }
}

each! {
    Rayleigh(scales = scale) if (positive(scale)), "the scale is not finite and positive";
    log_prob(z) {
        let (scaled, log_scale) = (z / scale, L::log_of_input(scale));
        let log = (L::log_of_input(z) - log_scale) - log_scale;
        on_positive(z, L::mul_add(-0.5 * scaled, scaled, log))
    }
    mean_params(expected_square) "`E[z²]`" { [2.0 * scale * scale] }
    entropy { 1.0 + 0.5 * (EULER - LN_2) + L::log_of_input(scale) }
}

each! {
    LogNormal(log_means = mean, log_precisions = precision) if (finite(mean) & positive(precision)),
    "the mean of log z is not finite or its precision not finite and positive";
    log_prob(z) {
        let log_z = L::log_of_input(z);
        let d = log_z - mean;
        let offset = 0.5 * (L::log_of_input(precision) - LOG_TWO_PI);
        on_positive(z, L::mul_add(-0.5 * precision * d, d, offset) - log_z)
    }
    mean_params(expected_log, expected_log_square) "`E[log z]` and `E[log² z]`" {
        [mean, L::mul_add(mean, mean, 1.0 / precision)]
    }
    entropy { 0.5 * (1.0 + LOG_TWO_PI - L::log_of_input(precision)) + mean }
}

each! {
    Pareto(minimums = minimum, shapes = shape) if (positive(minimum) & positive(shape)),
    "the minimum or the shape is not finite and positive";
    log_prob(z) {
        let log_z = L::log_of_input(z);
        // Near the minimum a large shape multiplies a small logarithm; far from it the quotient may overflow.
        let excess = (z - minimum) / minimum;
        let far = log_z - L::log_of_input(minimum);
        let log_ratio = if excess < 1.0 { L::log1p(excess) } else { far };
        let value = L::mul_add(-shape, log_ratio, L::log_of_input(shape) - log_z);
        if outside(z, minimum, f64::MAX) { f64::NEG_INFINITY } else { value }
    }
    mean_params(expected_log_ratio) "`E[log(z / minimum)]`" { [1.0 / shape] }
    entropy { (L::log_of_input(minimum) - L::log_of_input(shape)) + (1.0 + 1.0 / shape) }
}

each! {
    Weibull(shapes = shape, scales = scale) if (positive(shape) & positive(scale)),
    "the shape or the scale is not finite and positive";
    log_prob(z) {
        let log_scale = L::log_of_input(scale);
        let log_ratio = L::log_of_input(z) - log_scale;
        let hazard = L::exp(shape * log_ratio);
        let offset = (L::log_of_input(shape) - log_scale) - hazard;
        on_positive(z, L::mul_add(shape - 1.0, log_ratio, offset))
    }
    mean_params(expected_power) "`E[z^shape]`" { [L::exp(shape * L::log_of_input(scale))] }
    entropy {
        let log_ratio = L::log_of_input(scale) - L::log_of_input(shape);
        L::mul_add(EULER, (shape - 1.0) / shape, 1.0 + log_ratio)
    }
}
