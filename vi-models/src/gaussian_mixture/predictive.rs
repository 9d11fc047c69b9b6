//! New data given weights and components.

use ndarray::{Array1, Array2, ArrayRef1};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use vi_core::linalg::Cholesky;
use vi_core::{Predictive, StreamRng};

use super::GaussianMixture;
use super::updates::choose;

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
    /// If a precision matrix in `z` is not positive definite.
    fn simulate(&self, data: &Array2<f64>, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> Array2<f64> {
        let (k, d) = self.dims();
        let components: Vec<(Array1<f64>, Cholesky)> = (0..k)
            .map(|k| {
                let (mean, precision) = self.component_of(z, k);
                let cholesky = Cholesky::factor(&precision);
                (mean + &self.centre, cholesky.expect("gaussian_mixture: precision is positive definite"))
            })
            .collect();
        let weights = Array1::from_iter(z.iter().copied().take(k));
        let mut out = Array2::zeros((data.nrows(), d));
        for mut row in out.rows_mut() {
            let (mean, cholesky) = &components[choose(&weights, rng.random())];
            // Λ = L Lᵀ, so L⁻ᵀ ε has covariance Λ⁻¹.
            row.mapv_inplace(|_: f64| StandardNormal.sample(rng));
            cholesky.solve_lower_transposed_inplace(&mut row);
            row += mean;
        }
        out
    }
}
