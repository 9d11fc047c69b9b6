//! Members whose coordinates fall into independent factors.

use std::ops::Range;

use ndarray::ArrayRef1;
use vi_core::StreamRng;

use super::VariationalDistribution;
use super::mean_field::MeanFieldGaussianMember;
use crate::distributions::LOG_TWO_PI;
use crate::draw::standard_normal;

/// A member that is a product of independent factors.
///
/// ```text
/// q_λ(z) = Π_i q_i(z_i; λ_i)
/// ```
/// Factors hold consecutive coordinates and follow each other in z; no two share an element of λ. Methods that work
/// factor by factor (Rao–Blackwellisation, local expectations, a choice of estimator for each factor) ask for it.
pub trait FactorizedDistribution: VariationalDistribution {
    /// The number of factors.
    fn n_factors(&self) -> usize;
    /// The coordinates of factor `i`.
    fn factor(&self, i: usize) -> Range<usize>;
    /// The elements λ_i of λ on which factor `i` depends, in order.
    fn factor_params(&self, i: usize) -> impl Iterator<Item = usize>;
    /// Draws factor `i` anew; the rest of `z` (D) stays.
    fn sample_factor(&self, i: usize, rng: &mut StreamRng, z: &mut ArrayRef1<f64>);
    /// log q_i(z_i), with z_i read from the whole `z` (D).
    fn log_prob_factor(&self, i: usize, z: &ArrayRef1<f64>) -> f64;
    /// out (P) += weight · ∇_λ log q_i(z_i); only the elements of λ_i change.
    fn add_score_factor(&self, i: usize, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>);

    /// The number of values of a factor with finitely many; `None` for the others.
    fn n_values(&self, i: usize) -> Option<usize> {
        let _ = i;
        None
    }
    /// Gives factor `i` its value number `value`; the rest of `z` (D) stays.
    ///
    /// # Panics
    /// If the factor has infinitely many values, or fewer than that.
    fn set_value(&self, i: usize, value: usize, z: &mut ArrayRef1<f64>) {
        let _ = z;
        panic!("factor {i} has no value number {value}");
    }

    /// Mean and standard deviation of a Gaussian factor of one coordinate; `None` for the others.
    fn gaussian_factor(&self, i: usize) -> Option<(f64, f64)> {
        let _ = i;
        None
    }

    /// The factors that make up the coordinates of `block`; `None` when one of them reaches beyond it.
    fn factors_within(&self, block: Range<usize>) -> Option<Range<usize>> {
        let first_at = |at: usize| {
            let (mut low, mut high) = (0, self.n_factors());
            while low < high {
                let middle = low.midpoint(high);
                if self.factor(middle).start < at { low = middle + 1 } else { high = middle }
            }
            low
        };
        let factors = first_at(block.start)..first_at(block.end);
        let fits = if factors.is_empty() {
            block.is_empty()
        } else {
            self.factor(factors.start).start == block.start && self.factor(factors.end - 1).end == block.end
        };
        fits.then_some(factors)
    }
}

/// Every coordinate is a factor.
impl FactorizedDistribution for MeanFieldGaussianMember {
    fn n_factors(&self) -> usize {
        self.dim()
    }
    fn factor(&self, i: usize) -> Range<usize> {
        i..i + 1
    }
    fn factor_params(&self, i: usize) -> impl Iterator<Item = usize> {
        [i, self.dim() + i].into_iter()
    }
    fn sample_factor(&self, i: usize, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        z[i] = self.mean()[i] + self.sd()[i] * standard_normal(rng);
    }
    fn log_prob_factor(&self, i: usize, z: &ArrayRef1<f64>) -> f64 {
        let sd = self.sd()[i];
        let y = (z[i] - self.mean()[i]) / sd;
        -0.5 * (y * y + LOG_TWO_PI) - sd.ln()
    }
    fn add_score_factor(&self, i: usize, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        let sd = self.sd()[i];
        let y = (z[i] - self.mean()[i]) / sd;
        out[i] += weight * y / sd;
        out[self.dim() + i] += weight * (y * y - 1.0);
    }
    fn gaussian_factor(&self, i: usize) -> Option<(f64, f64)> {
        Some((self.mean()[i], self.sd()[i]))
    }
    fn factors_within(&self, block: Range<usize>) -> Option<Range<usize>> {
        Some(block)
    }
}
