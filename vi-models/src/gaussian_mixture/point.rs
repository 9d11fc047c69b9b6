//! A point of the support: weights, means and precisions, and the prior's share of the log joint there.

use ndarray::{ArrayRef1, ArrayRef2, ArrayView1, s};

use super::GaussianMixture;
use super::components::{ComponentStats, row};
use super::covariance::Covariance;
use super::realise::factor;
use super::weights::WeightsStats;

/// A point of the support.
pub(super) struct Point {
    pub(super) weights: WeightsStats,
    pub(super) components: ComponentStats,
}

/// Statistics of the components of `z`; outside the support the value a density has there, −∞ or NaN.
pub(super) fn point_stats(model: &GaussianMixture, z: &ArrayView1<'_, f64>) -> Result<ComponentStats, f64> {
    let mut stats = model.read(z);
    let (covariance, d) = (model.covariance(), model.layout.dim);
    for j in 0..stats.log_det.len() {
        let precision = row(&stats.precision, j);
        if precision.iter().any(|p| p.is_nan()) {
            return Err(f64::NAN);
        }
        stats.log_det[j] = if covariance.is_matrix() {
            factor(covariance, precision, d).ok_or(f64::NEG_INFINITY)?.log_det()
        } else if precision.iter().any(|p| *p <= 0.0) {
            return Err(f64::NEG_INFINITY);
        } else {
            covariance.log_det_of_values(precision, d)
        };
    }
    Ok(stats)
}

impl GaussianMixture {
    pub(super) fn point(&self, z: &ArrayView1<'_, f64>) -> Result<Point, f64> {
        let weights = z.slice(s![..self.n_components]).to_vec();
        if let Some(w) = weights.iter().find(|w| w.is_nan() || **w <= 0.0) {
            return Err(if w.is_nan() { f64::NAN } else { f64::NEG_INFINITY });
        }
        let weights = WeightsStats::of(self.prior.given.weights, &weights);
        Ok(Point { weights, components: point_stats(self, z)? })
    }

    pub(super) fn log_prior(&self, point: &Point) -> f64 {
        self.prior.weights.log_density(&point.weights)
            + self.prior.log_density(self.covariance(), &point.components)
    }

    /// The gradient from the point and its weighted sums of statistics (K, P of the densities).
    pub(super) fn set_gradient(&self, point: &Point, sums: &ArrayRef2<f64>, grad: &mut ArrayRef1<f64>) {
        let ((n_components, d), covariance, prior) = (self.dims(), self.covariance(), &self.prior);
        let grad = grad.as_slice_mut().expect("gradients are contiguous");
        let (weights, rest) = grad.split_at_mut(n_components);
        let (means, precisions) = rest.split_at_mut(n_components * d);
        let values: Vec<f64> = point.weights.log_weights.iter().map(|l| l.exp()).collect();
        for (k, g) in weights.iter_mut().enumerate() {
            *g = self.density_layout.count(row(sums, k)) / values[k];
        }
        prior.weights.add_prior_gradient(&values, weights);
        let stats = &point.components;
        let (mut spread, length) = (vec![0.0; covariance.len(d)], covariance.len(d));
        // How often a value of the precision stands on the diagonal of Λ.
        let repeats = if covariance == Covariance::Spherical { d as f64 } else { 1.0 };
        let power = covariance.log_det_weight(prior.dof, d);
        for (j, grad) in precisions.chunks_exact_mut(length).enumerate() {
            let inverse = inverse(covariance, stats.precision_of(j), d);
            for ((g, v), b) in grad.iter_mut().zip(&inverse).zip(&prior.inverse_scale) {
                *g = repeats * (power * v - 0.5 * b);
            }
            for k in (0..n_components).filter(|k| covariance.of(*k) == j) {
                let mean = row(&stats.mean, k);
                let count = self.density_layout.count(row(sums, k));
                self.set_spread(row(sums, k), mean, &mut spread);
                for ((g, v), s) in grad.iter_mut().zip(&inverse).zip(&spread) {
                    *g += 0.5 * (repeats * (count + 1.0) * v - s);
                }
            }
        }
        for (k, grad) in means.chunks_exact_mut(d).enumerate() {
            let (sums, mean) = (row(sums, k), row(&stats.mean, k));
            let count = self.density_layout.count(sums);
            let pull: Vec<f64> =
                (0..d).map(|i| sums[i] - count * mean[i] - prior.count * (mean[i] - prior.mean[i])).collect();
            covariance.multiply(stats.precision_of(covariance.of(k)), &pull, grad);
        }
    }

    /// Σ r (x − μ)(x − μ)ᵀ + β₀ (μ − m₀)(μ − m₀)ᵀ, in the shape of the covariance (its trace, if spherical).
    fn set_spread(&self, sums: &[f64], mean: &[f64], spread: &mut [f64]) {
        let (layout, prior, d) = (&self.density_layout, &self.prior, mean.len());
        let count = layout.count(sums);
        // Σ r xxᵀ is added where it belongs: −μ (Σ r x)ᵀ − (Σ r (x − μ)) μᵀ here.
        let rest = |i: usize, j: usize| {
            let pull = prior.count * (mean[i] - prior.mean[i]) * (mean[j] - prior.mean[j]);
            pull - mean[i] * sums[j] - (sums[i] - count * mean[i]) * mean[j]
        };
        match self.covariance() {
            Covariance::Full | Covariance::Tied => {
                for i in 0..d {
                    for j in 0..d {
                        spread[i * d + j] = layout.second_moment(sums, i, j) + rest(i, j);
                    }
                }
            }
            Covariance::Diagonal => {
                for (i, s) in spread.iter_mut().enumerate() {
                    *s = layout.second_moment(sums, i, i) + rest(i, i);
                }
            }
            Covariance::Spherical => {
                spread[0] = layout.second_moment(sums, 0, 0) + (0..d).map(|i| rest(i, i)).sum::<f64>();
            }
        }
    }
}

/// ∂ log |Λ|/∂Λ for one value on the diagonal each: Λ⁻¹.
fn inverse(covariance: Covariance, precision: &[f64], d: usize) -> Vec<f64> {
    match factor(covariance, precision, d) {
        Some(factor) => factor.inverse().into_iter().collect(),
        None => precision.iter().map(|p| 1.0 / p).collect(),
    }
}
