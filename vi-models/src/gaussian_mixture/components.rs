//! Means and precisions: their statistics, their factor, and its complete conditional.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use vi_core::linalg::{LinalgError, cholesky_inplace, invert_factor};
use vi_core::{ConjugateError, scratch};

use super::covariance::Covariance;
use super::layout::{Layout, Products};
use super::prior::Prior;
use super::{GaussianMixture, GaussianMixtureBlock};
use crate::checks::LOG_2_PI;

/// Statistics of (μ_k, Λ_k), expected or realised, in centred coordinates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ComponentStats {
    /// E\[μ_k − c\] (K, D): no statistic of the density, but what a realised component is reported by.
    pub(super) mean: Array2<f64>,
    /// E\[Λ\] (K or 1, values of one).
    pub(super) precision: Array2<f64>,
    /// E\[log |Λ|\] (K or 1).
    pub(super) log_det: Array1<f64>,
    /// E\[Λ_k (μ_k − c)\] (K, D).
    pub(super) precision_mean: Array2<f64>,
    /// E\[(μ_k − c)ᵀ Λ_k (μ_k − c)\] (K).
    pub(super) quadratic: Array1<f64>,
}

impl ComponentStats {
    pub(super) fn zeros(covariance: Covariance, k: usize, d: usize) -> Self {
        let n = covariance.n_precisions(k);
        Self {
            mean: Array2::zeros((k, d)),
            precision: Array2::zeros((n, covariance.len(d))),
            log_det: Array1::zeros(n),
            precision_mean: Array2::zeros((k, d)),
            quadratic: Array1::zeros(k),
        }
    }

    /// Λ number `at`.
    pub(super) fn precision_of(&self, at: usize) -> &[f64] {
        row(&self.precision, at)
    }

    /// Fills in what follows from means and precisions; `extra(k)` is what E\[μᵀΛμ\] has beyond the value at the means.
    pub(super) fn complete(&mut self, covariance: Covariance, extra: impl Fn(usize) -> f64) {
        for k in 0..self.mean.nrows() {
            let precision = row(&self.precision, covariance.of(k));
            let (mean, out) = (row(&self.mean, k), row_mut(&mut self.precision_mean, k));
            covariance.multiply(precision, mean, out);
            self.quadratic[k] = mean.iter().zip(&*out).map(|(m, v)| m * v).sum::<f64>() + extra(k);
        }
    }

    pub(super) fn assign(&mut self, other: &Self) {
        self.mean.assign(&other.mean);
        self.precision.assign(&other.precision);
        self.log_det.assign(&other.log_det);
        self.precision_mean.assign(&other.precision_mean);
        self.quadratic.assign(&other.quadratic);
    }
}

/// q(μ, Λ): normal laws of the means given precisions (m_k, β_k), and the laws (ν, B) of those.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ComponentFactors {
    /// m_k − c (K, D).
    pub(super) mean: Array2<f64>,
    /// β_k (K).
    pub(super) count: Array1<f64>,
    /// ν (K or 1).
    pub(super) dof: Array1<f64>,
    /// B = W⁻¹ (K or 1, values of one).
    pub(super) inverse_scale: Array2<f64>,
    /// log |B| (K or 1).
    pub(super) log_det_inverse_scale: Array1<f64>,
    pub(super) expected: ComponentStats,
}

impl ComponentFactors {
    pub(super) fn zeros(covariance: Covariance, k: usize, d: usize) -> Self {
        let n = covariance.n_precisions(k);
        Self {
            mean: Array2::zeros((k, d)),
            count: Array1::zeros(k),
            dof: Array1::zeros(n),
            inverse_scale: Array2::zeros((n, covariance.len(d))),
            log_det_inverse_scale: Array1::zeros(n),
            expected: ComponentStats::zeros(covariance, k, d),
        }
    }

    /// log q(μ, Λ), expected (then `distance` is D/β_k beyond the value at the means) or at a point.
    ///
    /// ```text
    /// Σ_k [½ D log(β_k/2π) + ½ log |Λ| − ½ β_k E(μ_k − m_k)ᵀΛ(μ_k − m_k)] + Σ_Λ log p(Λ | ν, B)
    /// ```
    pub(super) fn log_density(
        &self,
        covariance: Covariance,
        stats: &ComponentStats,
        distance: impl Fn(usize) -> f64,
    ) -> f64 {
        let (k, d) = self.mean.dim();
        let means = (0..k).map(|k| {
            let constant = d as f64 * (self.count[k].ln() - LOG_2_PI);
            0.5 * (constant + stats.log_det[covariance.of(k)] - self.count[k] * distance(k))
        });
        let precisions = (0..self.dof.len()).map(|j| {
            covariance.log_norm(self.dof[j], self.log_det_inverse_scale[j], d)
                + covariance.log_det_weight(self.dof[j], d) * stats.log_det[j]
                - 0.5 * covariance.trace(row(&self.inverse_scale, j), stats.precision_of(j), d)
        });
        means.sum::<f64>() + precisions.sum::<f64>()
    }

    pub(super) fn entropy(&self, covariance: Covariance) -> f64 {
        let d = self.mean.ncols() as f64;
        -self.log_density(covariance, &self.expected, |k| d / self.count[k])
    }

    /// log q(μ, Λ) at realised statistics.
    pub(super) fn log_density_at(&self, covariance: Covariance, stats: &ComponentStats) -> f64 {
        self.log_density(covariance, stats, |k| {
            let difference = &stats.mean.row(k) - &self.mean.row(k);
            let difference = difference.as_slice().expect("contiguous");
            covariance.form(stats.precision_of(covariance.of(k)), difference, difference)
        })
    }
}

impl Prior {
    /// log p(μ, Λ), expected or realised (PRML eq. 10.74).
    pub(super) fn log_density(&self, covariance: Covariance, stats: &ComponentStats) -> f64 {
        let (k, d) = stats.mean.dim();
        let m = self.mean.as_slice().expect("contiguous");
        let means = (0..k).map(|k| {
            let at = covariance.of(k);
            let distance = stats.quadratic[k] - 2.0 * self.mean.dot(&stats.precision_mean.row(k))
                + covariance.form(stats.precision_of(at), m, m);
            0.5 * (d as f64 * (self.count.ln() - LOG_2_PI) + stats.log_det[at] - self.count * distance)
        });
        let precisions = stats.log_det.iter().enumerate().map(|(j, log_det)| {
            self.log_norm + covariance.log_det_weight(self.dof, d) * log_det
                - 0.5 * covariance.trace(&self.inverse_scale, stats.precision_of(j), d)
        });
        means.sum::<f64>() + precisions.sum::<f64>()
    }
}

impl GaussianMixture {
    /// The complete conditional of all components (PRML eq. 10.60–10.63), from the sums of statistics (K, P).
    ///
    /// ```text
    /// β = β₀ + N,  ν = ν₀ + N,  m = (β₀ m₀ + N x̄)/β
    /// B = B₀ + Σ r xxᵀ − N x̄ x̄ᵀ + (β₀ N/β)(x̄ − m₀)(x̄ − m₀)ᵀ
    /// ```
    /// Works on the scatter and not on its natural parameters, which would subtract β m mᵀ from Σ xxᵀ. An empty
    /// component gets the prior. Components that share a precision add to one ν and one B.
    pub(super) fn condition_components(
        &self,
        sums: &ArrayRef2<f64>,
        q: &mut ComponentFactors,
    ) -> Result<(), ConjugateError> {
        let (prior, covariance) = (&self.prior, self.covariance());
        for mut b in q.inverse_scale.rows_mut() {
            b.iter_mut().zip(&prior.inverse_scale).for_each(|(b, b0)| *b = *b0);
        }
        q.dof.fill(prior.dof);
        if self.layout.products == Products::None {
            q.inverse_scale.row_mut(0).scaled_add(1.0, &self.total_scatter);
        }
        for k in 0..self.n_components {
            let sums = row(sums, k);
            let n = self.layout.count(sums);
            let (mean, at) = (row_mut(&mut q.mean, k), covariance.of(k));
            if n <= 0.0 {
                mean.copy_from_slice(prior.mean.as_slice().expect("contiguous"));
                q.count[k] = prior.count;
                continue;
            }
            q.count[k] = prior.count + n;
            q.dof[at] += n;
            for ((m, m0), s) in mean.iter_mut().zip(&prior.mean).zip(sums) {
                *m = m0 + (s / n - m0) * (n / q.count[k]);
            }
            let shrink = prior.count * n / q.count[k];
            let entry = |i: usize, j: usize| {
                let (x, y) = (sums[i] / n, sums[j] / n);
                shrink * (x - prior.mean[i]) * (y - prior.mean[j]) - sums[i] * y
            };
            add_scatter(covariance, &self.layout, sums, entry, row_mut(&mut q.inverse_scale, at));
        }
        self.set_expected_components(q)
    }

    /// What is expected under given parameters.
    pub(super) fn set_expected_components(&self, q: &mut ComponentFactors) -> Result<(), ConjugateError> {
        self.set_expected_precisions(q)?;
        q.expected.mean.assign(&q.mean);
        let (count, d) = (&q.count, self.layout.dim as f64);
        q.expected.complete(self.covariance(), |k| d / count[k]);
        Ok(())
    }

    /// log |B|, E\[Λ\] and E\[log |Λ|\].
    fn set_expected_precisions(&self, q: &mut ComponentFactors) -> Result<(), ConjugateError> {
        let (covariance, d) = (self.covariance(), self.layout.dim);
        for j in 0..q.dof.len() {
            let b = row(&q.inverse_scale, j);
            let precision = row_mut(&mut q.expected.precision, j);
            let log_det = if covariance.is_matrix() {
                scratch::with(d * d, |l| {
                    l.copy_from_slice(b);
                    cholesky_inplace(l, d).map_err(|e| not_positive_definite(j, &e))?;
                    invert_factor(l, precision, d);
                    Ok(2.0 * (0..d).map(|i| l[i * d + i].ln()).sum::<f64>())
                })?
            } else {
                if let Some((i, &value)) = b.iter().enumerate().find(|(_, b)| !(b.is_finite() && **b > 0.0)) {
                    let block = block_name(j);
                    return Err(ConjugateError::Domain { block, parameter: format!("rate[{i}]"), value });
                }
                precision.iter_mut().zip(b).for_each(|(p, b)| *p = 1.0 / b);
                covariance.log_det_of_values(b, d)
            };
            precision.iter_mut().for_each(|p| *p *= q.dof[j]);
            q.log_det_inverse_scale[j] = log_det;
            q.expected.log_det[j] = covariance.expected_log_det(q.dof[j], log_det, d);
        }
        Ok(())
    }
}

pub(super) fn block_name(j: usize) -> String {
    format!("{:?}", (GaussianMixtureBlock::Components, j))
}

fn not_positive_definite(j: usize, error: &LinalgError) -> ConjugateError {
    let (pivot, value) = match error {
        LinalgError::NotPositiveDefinite { pivot, value } => (*pivot, *value),
        _ => (0, f64::NAN),
    };
    ConjugateError::NotPositiveDefinite {
        block: block_name(j),
        parameter: "inverse_scale".to_owned(),
        pivot,
        value,
    }
}

/// b += second moments + what `entry(i, j)` adds to them, in the shape of the covariance.
pub(super) fn add_scatter(
    covariance: Covariance,
    layout: &Layout,
    sums: &[f64],
    entry: impl Fn(usize, usize) -> f64,
    b: &mut [f64],
) {
    let d = layout.dim;
    let moment =
        |i, j| if layout.products == Products::None { 0.0 } else { layout.second_moment(sums, i, j) };
    match covariance {
        Covariance::Full | Covariance::Tied => {
            for i in 0..d {
                for j in 0..=i {
                    let value = b[i * d + j] + moment(i, j) + entry(i, j);
                    (b[i * d + j], b[j * d + i]) = (value, value);
                }
            }
        }
        Covariance::Diagonal => b.iter_mut().enumerate().for_each(|(i, b)| *b += moment(i, i) + entry(i, i)),
        Covariance::Spherical => {
            b[0] += (moment(0, 0) + (0..d).map(|i| entry(i, i)).sum::<f64>()) / d as f64;
        }
    }
}

/// Row `i` of a row-major matrix.
pub(super) fn row(a: &ArrayRef2<f64>, i: usize) -> &[f64] {
    let n = a.ncols();
    &a.as_slice().expect("row-major")[i * n..(i + 1) * n]
}

/// Row `i` of a row-major matrix.
pub(super) fn row_mut(a: &mut ArrayRef2<f64>, i: usize) -> &mut [f64] {
    let n = a.ncols();
    &mut a.as_slice_mut().expect("row-major")[i * n..(i + 1) * n]
}

/// x as a slice.
pub(super) fn values(x: &ArrayRef1<f64>) -> &[f64] {
    x.as_slice().expect("contiguous")
}
