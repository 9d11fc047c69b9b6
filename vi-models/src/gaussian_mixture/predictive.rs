//! New data given weights and components.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use vi_core::linalg::Cholesky;
use vi_core::{Predictive, StreamRng};

use super::components::{ComponentFactors, row};
use super::point::point_stats;
use super::realise::factor;
use super::{Covariance, GaussianMixture, GaussianMixtureFactors, MODEL, data};
use crate::ModelError;
use crate::checks::LOG_2_PI;
use crate::draws::choose;

/// Data are observations (n, D); only the number of rows matters to a simulation.
impl Predictive for GaussianMixture {
    type Data = Array2<f64>;

    fn observed(&self) -> &Array2<f64> {
        &self.data
    }

    fn n_points(&self, data: &Array2<f64>) -> usize {
        data.nrows()
    }

    /// # Panics
    /// If `data` has not D columns.
    fn log_likelihood_pointwise(&self, data: &Array2<f64>, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        self.log_densities(data, z.view(), out);
    }

    /// # Panics
    /// If a precision in `z` is not positive definite.
    fn simulate(&self, data: &Array2<f64>, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> Array2<f64> {
        let ((k, d), covariance) = (self.dims(), self.covariance());
        let stats = point_stats(self, &z.view()).expect("gaussian_mixture: precisions are positive definite");
        let factors: Vec<Option<Cholesky>> =
            stats.precision.rows().into_iter().map(|p| factor(covariance, &p.to_vec(), d)).collect();
        let weights = z.iter().copied().take(k);
        let mut out = Array2::zeros((data.nrows(), d));
        for mut row in out.rows_mut() {
            let k = choose(weights.clone(), rng.random());
            row.mapv_inplace(|_: f64| StandardNormal.sample(rng));
            match &factors[covariance.of(k)] {
                // Λ = L Lᵀ, so L⁻ᵀ ε has covariance Λ⁻¹.
                Some(factor) => factor.solve_lower_transposed_inplace(&mut row),
                None => {
                    let precision = stats.precision_of(covariance.of(k));
                    row.indexed_iter_mut().for_each(|(i, v)| *v /= precision[i % precision.len()].sqrt());
                }
            }
            row += &stats.mean.row(k);
            row += &self.centre;
        }
        out
    }
}

impl GaussianMixture {
    /// log p(x̂_n | q) of the rows of `data` (n, D): weights and components integrated out under the factors.
    ///
    /// ```text
    /// p(x̂ | q) = Σ_k E[π_k] ∫ N(x̂ | μ, Λ⁻¹) q(μ_k, Λ_k)
    /// ```
    /// Each integral is a multivariate Student-t density (PRML eq. 10.81), for diagonal covariances a product of
    /// univariate ones. Given q it is exact. Where the model admits missing values, NaN is one, and the density is that of
    /// what is observed: 1 of a row without any.
    ///
    /// # Errors
    /// [`ModelError::Datum`] when a value is not finite, unless it is NaN and the model admits missing values;
    /// [`ModelError::Length`] when `data` has not D columns.
    pub fn log_predictive(
        &self,
        factors: &GaussianMixtureFactors,
        data: &ArrayRef2<f64>,
    ) -> Result<Array1<f64>, ModelError> {
        let ((k, d), q) = (self.dims(), &factors.components);
        if data.ncols() != d {
            let (data, expected, actual) = ("columns of the new data", d, data.ncols());
            return Err(ModelError::Length { model: MODEL, data, expected, actual });
        }
        data::check(data, "new data", self.missing.is_some())?;
        let log_weights: Vec<f64> = factors.weights.mean().iter().map(|w| w.ln()).collect();
        let (mut out, mut terms) = (Array1::zeros(data.nrows()), vec![0.0; k]);
        for (observed, rows) in data::by_observed(data) {
            if observed.is_empty() {
                continue;
            }
            let laws: Vec<StudentT> =
                (0..k).map(|k| StudentT::new(self.covariance(), q, k, &observed)).collect();
            for n in rows {
                let x: Array1<f64> = observed.iter().map(|&i| data[[n, i]] - self.centre[i]).collect();
                for ((term, law), log_weight) in terms.iter_mut().zip(&laws).zip(&log_weights) {
                    *term = log_weight + law.log_density(&x);
                }
                out[n] = vi_core::numerics::log_sum_exp(&terms);
            }
        }
        Ok(out)
    }
}

/// The predictive law of the observed columns (o) under one component.
///
/// A part of a Student-t vector is Student-t. What its law is follows from that of its precision given the means:
/// ```text
/// full, tied   Wishart(ν − (D − o), B_oo)     diagonal   (ν, B_o)     spherical   (ν D/o, B D/o)
/// ```
struct StudentT {
    covariance: Covariance,
    mean: Array1<f64>,
    /// β/(1 + β).
    shrink: f64,
    dof: f64,
    inverse_scale: Vec<f64>,
    factor: Option<Cholesky>,
    constant: f64,
}

impl StudentT {
    fn new(covariance: Covariance, q: &ComponentFactors, k: usize, observed: &[usize]) -> Self {
        let (at, d, o) = (covariance.of(k), q.mean.ncols(), observed.len());
        let (all, b) = (q.dof[at], row(&q.inverse_scale, at));
        let (dof, inverse_scale): (f64, Vec<f64>) = match covariance {
            Covariance::Full | Covariance::Tied => {
                let entries = observed.iter().flat_map(|i| observed.iter().map(move |j| b[i * d + j]));
                (all - (d - o) as f64, entries.collect())
            }
            Covariance::Diagonal => (all, observed.iter().map(|i| b[*i]).collect()),
            Covariance::Spherical => {
                let share = d as f64 / o as f64;
                (all * share, vec![b[0] * share])
            }
        };
        let factor = factor(covariance, &inverse_scale, o);
        let log_det = match &factor {
            Some(factor) => factor.log_det(),
            None => covariance.log_det_of_values(&inverse_scale, o),
        };
        let shrink = q.count[k] / (1.0 + q.count[k]);
        // A datum more takes ν to ν + 1 and β to β + 1: what that does to the normalisers.
        let gain = covariance.log_norm(dof, log_det, o) - covariance.log_norm(dof + 1.0, log_det, o);
        let constant = gain + 0.5 * o as f64 * (shrink.ln() - LOG_2_PI);
        let mean = observed.iter().map(|i| q.mean[[k, *i]]).collect();
        Self { covariance, mean, shrink, dof, inverse_scale, factor, constant }
    }

    /// At x (o), centred: |B + s (x − m)(x − m)ᵀ| against |B|.
    fn log_density(&self, x: &Array1<f64>) -> f64 {
        let difference = x - &self.mean;
        let half = 0.5 * (self.dof + 1.0);
        let growth = match (&self.factor, self.covariance) {
            (Some(factor), _) => {
                let mut y = difference;
                factor.solve_lower_inplace(&mut y);
                (self.shrink * y.dot(&y)).ln_1p()
            }
            (None, Covariance::Spherical) => {
                let o = difference.len() as f64;
                o * (self.shrink * difference.dot(&difference) / (o * self.inverse_scale[0])).ln_1p()
            }
            (None, _) => {
                let terms = difference.iter().zip(&self.inverse_scale);
                terms.map(|(v, b)| (self.shrink * v * v / b).ln_1p()).sum()
            }
        };
        self.constant - half * growth
    }
}
