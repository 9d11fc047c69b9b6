//! New data given weights and components.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use vi_core::linalg::Cholesky;
use vi_core::{Predictive, StreamRng};

use super::components::{ComponentFactors, row};
use super::point::point_stats;
use super::realise::factor;
use super::{Covariance, GaussianMixture, GaussianMixtureFactors};
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
    /// univariate ones. Given q it is exact; NaN where a value is missing.
    ///
    /// # Panics
    /// If `data` has not D columns.
    pub fn log_predictive(&self, factors: &GaussianMixtureFactors, data: &ArrayRef2<f64>) -> Array1<f64> {
        let (k, d) = self.dims();
        assert_eq!(data.ncols(), d, "gaussian_mixture: columns of the new data");
        let q = &factors.components;
        let laws: Vec<StudentT<'_>> = (0..k).map(|k| StudentT::new(self.covariance(), q, k)).collect();
        let log_weights: Vec<f64> = factors.weights.mean().iter().map(|w| w.ln()).collect();
        let one = |row: ndarray::ArrayView1<'_, f64>| {
            let x = &row - &self.centre;
            let terms: Vec<f64> = laws
                .iter()
                .zip(&log_weights)
                .map(|(law, log_weight)| log_weight + law.log_density(&x))
                .collect();
            vi_core::numerics::log_sum_exp(&terms)
        };
        data.rows().into_iter().map(one).collect()
    }
}

/// The predictive law of one component.
struct StudentT<'a> {
    covariance: Covariance,
    mean: ndarray::ArrayView1<'a, f64>,
    /// β/(1 + β).
    shrink: f64,
    dof: f64,
    inverse_scale: &'a [f64],
    factor: Option<Cholesky>,
    constant: f64,
}

impl<'a> StudentT<'a> {
    fn new(covariance: Covariance, q: &'a ComponentFactors, k: usize) -> Self {
        let (at, d) = (covariance.of(k), q.mean.ncols());
        let (dof, inverse_scale) = (q.dof[at], row(&q.inverse_scale, at));
        let shrink = q.count[k] / (1.0 + q.count[k]);
        // A datum more takes ν to ν + 1 and β to β + 1: what that does to the normalisers.
        let gain =
            |log_det: f64| covariance.log_norm(dof, log_det, d) - covariance.log_norm(dof + 1.0, log_det, d);
        let constant = gain(q.log_det_inverse_scale[at]) + 0.5 * d as f64 * (shrink.ln() - LOG_2_PI);
        let factor = factor(covariance, inverse_scale, d);
        Self { covariance, mean: q.mean.row(k), shrink, dof, inverse_scale, factor, constant }
    }

    /// At x (D), centred: |B + s (x − m)(x − m)ᵀ| against |B|.
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
                let d = difference.len() as f64;
                d * (self.shrink * difference.dot(&difference) / (d * self.inverse_scale[0])).ln_1p()
            }
            (None, _) => {
                let terms = difference.iter().zip(self.inverse_scale);
                terms.map(|(v, b)| (self.shrink * v * v / b).ln_1p()).sum()
            }
        };
        self.constant - half * growth
    }
}
