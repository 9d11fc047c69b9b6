//! Slices of parameters: every value with a member of its own.
//!
//! There is no error to return here for each value: where a parameter is no valid one the result is NaN.

use vi_core::numerics::{Lane, SliceFunction, map_slices};

use crate::distributions::{Beta, Gamma, Gaussian, InverseGamma};

const LOG_TWO_PI: f64 = 1.837_877_066_409_345_6;

/// `value` where both are finite and positive, NaN elsewhere.
#[inline(always)]
fn if_positive(a: f64, b: f64, value: f64) -> f64 {
    if (a > 0.0) & (b > 0.0) & (a <= f64::MAX) & (b <= f64::MAX) { value } else { f64::NAN }
}

/// (shape, rate, z) ↦ log p(z)
struct GammaLogProb;

impl SliceFunction<3, 1> for GammaLogProb {
    #[inline(always)]
    fn apply<L: Lane>(&self, [shape, rate, z]: [f64; 3]) -> [f64; 1] {
        let (log_shape, log_rate, log_z) =
            (L::log_of_input(shape), L::log_of_input(rate), L::log_of_input(z));
        let log_partition = L::mul_add(-shape, log_rate, L::log_gamma(shape, log_shape));
        let value = L::mul_add(shape - 1.0, log_z, L::mul_add(-rate, z, -log_partition));
        let value = if (z <= 0.0) | (z > f64::MAX) { f64::NEG_INFINITY } else { value };
        [if_positive(shape, rate, value)]
    }
}

/// (shape, rate) ↦ ψ(shape) − log rate, shape / rate
struct GammaMean;

impl SliceFunction<2, 2> for GammaMean {
    #[inline(always)]
    fn apply<L: Lane>(&self, [shape, rate]: [f64; 2]) -> [f64; 2] {
        let digamma = L::digamma(shape, L::log_of_input(shape));
        let expected_log = digamma - L::log_of_input(rate);
        [if_positive(shape, rate, expected_log), if_positive(shape, rate, shape / rate)]
    }
}

/// (shape, rate) ↦ the entropy of the Gamma; with the sign −1, (shape, scale) ↦ that of the inverse Gamma.
///
/// ```text
/// shape ∓ log rate + log Γ(shape) + (±1 − shape) ψ(shape)
///   = ∓ log rate + (±1 − ½) log shape + ½ log 2π + S(shape) + (shape ∓ 1)(log shape − ψ(shape))
/// ```
/// with S Stirling's error: nothing in it cancels for large shapes.
struct GammaEntropy {
    sign: f64,
}

impl SliceFunction<2, 1> for GammaEntropy {
    #[inline(always)]
    fn apply<L: Lane>(&self, [shape, rate]: [f64; 2]) -> [f64; 1] {
        let log_shape = L::log_of_input(shape);
        let below_log = L::log_minus_digamma(shape, log_shape);
        let stirling = 0.5 * LOG_TWO_PI + L::stirling_error(shape, log_shape);
        let rest = L::mul_add(shape - self.sign, below_log, stirling);
        let value = L::mul_add(self.sign - 0.5, log_shape, rest) - self.sign * L::log_of_input(rate);
        [if_positive(shape, rate, value)]
    }
}

impl Gamma {
    /// out ← log p(z | shape, rate) with a shape and a rate for every value.
    ///
    /// −∞ where z is outside the support, NaN where a parameter is not finite and positive.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn log_prob_each(shapes: &[f64], rates: &[f64], z: &[f64], out: &mut [f64]) {
        map_slices(&GammaLogProb, [shapes, rates, z], [out]);
    }

    /// The mean parameters `E[log z]` and `E[z]` for every shape and rate; NaN where one is not finite and positive.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn mean_params_each(shapes: &[f64], rates: &[f64], expected_log: &mut [f64], mean: &mut [f64]) {
        map_slices(&GammaMean, [shapes, rates], [expected_log, mean]);
    }

    /// out ← the entropy for every shape and rate, NaN where one is not finite and positive.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn entropy_each(shapes: &[f64], rates: &[f64], out: &mut [f64]) {
        map_slices(&GammaEntropy { sign: 1.0 }, [shapes, rates], [out]);
    }
}

/// (shape, scale) ↦ log scale − ψ(shape), shape / scale
struct InverseGammaMean;

impl SliceFunction<2, 2> for InverseGammaMean {
    #[inline(always)]
    fn apply<L: Lane>(&self, x: [f64; 2]) -> [f64; 2] {
        let [expected_log, ratio] = GammaMean.apply::<L>(x);
        [-expected_log, ratio]
    }
}

impl InverseGamma {
    /// The mean parameters `E[log z]` and `E[1/z]` for every shape and scale; NaN where one is not finite and positive.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn mean_params_each(
        shapes: &[f64],
        scales: &[f64],
        expected_log: &mut [f64],
        expected_reciprocal: &mut [f64],
    ) {
        map_slices(&InverseGammaMean, [shapes, scales], [expected_log, expected_reciprocal]);
    }

    /// out ← the entropy for every shape and scale, NaN where one is not finite and positive.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn entropy_each(shapes: &[f64], scales: &[f64], out: &mut [f64]) {
        map_slices(&GammaEntropy { sign: -1.0 }, [shapes, scales], [out]);
    }
}

/// (mean, precision, z) ↦ log p(z)
struct GaussianLogProb;

impl SliceFunction<3, 1> for GaussianLogProb {
    #[inline(always)]
    fn apply<L: Lane>(&self, [mean, precision, z]: [f64; 3]) -> [f64; 1] {
        let d = z - mean;
        let offset = 0.5 * (L::log_of_input(precision) - LOG_TWO_PI);
        [if_positive(precision, 1.0, L::mul_add(-0.5 * precision * d, d, offset))]
    }
}

/// (mean, precision) ↦ mean² + 1 / precision
struct GaussianSquare;

impl SliceFunction<2, 1> for GaussianSquare {
    #[inline(always)]
    fn apply<L: Lane>(&self, [mean, precision]: [f64; 2]) -> [f64; 1] {
        [if_positive(precision, 1.0, L::mul_add(mean, mean, 1.0 / precision))]
    }
}

/// precision ↦ ½ (1 + log 2π − log precision)
struct GaussianEntropy;

impl SliceFunction<1, 1> for GaussianEntropy {
    #[inline(always)]
    fn apply<L: Lane>(&self, [precision]: [f64; 1]) -> [f64; 1] {
        let value = 0.5 * (1.0 + LOG_TWO_PI - L::log_of_input(precision));
        [if_positive(precision, 1.0, value)]
    }
}

impl Gaussian {
    /// out ← log p(z | mean, precision) with a mean and a precision for every value.
    ///
    /// NaN where the precision is not finite and positive.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn log_prob_each(means: &[f64], precisions: &[f64], z: &[f64], out: &mut [f64]) {
        map_slices(&GaussianLogProb, [means, precisions, z], [out]);
    }

    /// out ← `E[z²]`, the second mean parameter (the first is the mean itself), for every mean and precision; NaN where
    /// the precision is not finite and positive.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn expected_square_each(means: &[f64], precisions: &[f64], out: &mut [f64]) {
        map_slices(&GaussianSquare, [means, precisions], [out]);
    }

    /// out ← the entropy for every precision, NaN where it is not finite and positive.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn entropy_each(precisions: &[f64], out: &mut [f64]) {
        map_slices(&GaussianEntropy, [precisions], [out]);
    }
}

/// (α, β) ↦ ψ(α) − ψ(α + β), ψ(β) − ψ(α + β)
struct BetaMean;

impl SliceFunction<2, 2> for BetaMean {
    #[inline(always)]
    fn apply<L: Lane>(&self, [alpha, beta]: [f64; 2]) -> [f64; 2] {
        let (log_alpha, log_beta) = (L::log_of_input(alpha), L::log_of_input(beta));
        let total = alpha + beta;
        let digamma_total = L::digamma(total, L::log(total));
        [
            if_positive(alpha, beta, L::digamma(alpha, log_alpha) - digamma_total),
            if_positive(alpha, beta, L::digamma(beta, log_beta) - digamma_total),
        ]
    }
}

/// (α, β) ↦ log B − (α − 1) `E[log z]` − (β − 1) `E[log(1 − z)]`
struct BetaEntropy;

impl SliceFunction<2, 1> for BetaEntropy {
    /// With log Γ by Stirling's error S and ψ by δ(x) = log x − ψ(x), and t = α + β,
    /// ```text
    /// ½ log 2π + ½ log α + ½ log β − 3/2 log t + S(α) + S(β) − S(t)
    ///   + (α − 1) δ(α) + (β − 1) δ(β) − (t − 2) δ(t)
    /// ```
    /// where the terms that grow with the parameters are gone.
    #[inline(always)]
    fn apply<L: Lane>(&self, [alpha, beta]: [f64; 2]) -> [f64; 1] {
        let total = alpha + beta;
        let logs = [L::log_of_input(alpha), L::log_of_input(beta), L::log(total)];
        let stirling = L::stirling_error(alpha, logs[0]) + L::stirling_error(beta, logs[1])
            - L::stirling_error(total, logs[2]);
        let below_log = (alpha - 1.0) * L::log_minus_digamma(alpha, logs[0])
            + (beta - 1.0) * L::log_minus_digamma(beta, logs[1])
            - (total - 2.0) * L::log_minus_digamma(total, logs[2]);
        let value = 0.5 * (LOG_TWO_PI + logs[0] + logs[1] - 3.0 * logs[2]) + stirling + below_log;
        [if_positive(alpha, beta, value)]
    }
}

impl Beta {
    /// The mean parameters `E[log z]` and `E[log(1 − z)]` for every α and β; NaN where one is not finite and positive.
    ///
    /// They are differences of digammas, good to 1e-14 of these: where one parameter is far larger than the other,
    /// [`Beta::expected_log`] keeps more digits of the smaller difference.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn mean_params_each(
        alphas: &[f64],
        betas: &[f64],
        expected_log: &mut [f64],
        expected_log_complement: &mut [f64],
    ) {
        map_slices(&BetaMean, [alphas, betas], [expected_log, expected_log_complement]);
    }

    /// out ← the entropy for every α and β, NaN where one is not finite and positive.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn entropy_each(alphas: &[f64], betas: &[f64], out: &mut [f64]) {
        map_slices(&BetaEntropy, [alphas, betas], [out]);
    }
}
