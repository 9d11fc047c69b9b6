//! The multivariate Gaussian.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, s};
use serde::{Deserialize, Serialize};
use vi_core::StreamRng;
use vi_core::linalg::Cholesky;

use crate::distributions::LOG_TWO_PI;
use crate::draw::standard_normal;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::symmetric::{dual, from_dual, from_vech, order_from_len, vech, vech_index, vech_len};
use crate::triangular::{log_det, quadratic_form, solve_transposed, trace_product};
use crate::validate::{cholesky, finite_vector, length, no_member, positive_definite};

const FAMILY: &str = "MvGaussian";

/// The Gaussian N(mean, covariance) on ℝᵖ.
///
/// ```text
/// T(z) = (z, vech(zzᵀ))      η = (Pm, dual(−½P)), P = covariance⁻¹      h(z) = (2π)^(−p/2)
/// ```
/// with the layout of [`symmetric`](crate::symmetric).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MvGaussian {
    mean: Array1<f64>,
    covariance: Array2<f64>,
    precision: Array2<f64>,
    /// L with P = L Lᵀ.
    precision_factor: Array2<f64>,
    log_det_precision: f64,
}

impl MvGaussian {
    /// The member with this mean (p) and covariance (p, p).
    ///
    /// # Errors
    /// [`FamilyError`] unless the mean is finite and the covariance symmetric positive definite.
    pub fn from_mean_covariance(
        mean: &ArrayRef1<f64>,
        covariance: &ArrayRef2<f64>,
    ) -> Result<Self, FamilyError> {
        let p = check_mean(mean)?;
        let (covariance, factor) = positive_definite(FAMILY, "covariance", covariance, p)?;
        let precision = factor.inverse();
        let inverse = cholesky(FAMILY, "precision", &precision)?;
        Self::new(mean.to_owned(), covariance, precision, &inverse, -factor.log_det())
    }

    /// The member with this mean (p) and precision (p, p), the inverse of the covariance.
    ///
    /// # Errors
    /// [`FamilyError`] unless the mean is finite and the precision symmetric positive definite.
    pub fn from_mean_precision(
        mean: &ArrayRef1<f64>,
        precision: &ArrayRef2<f64>,
    ) -> Result<Self, FamilyError> {
        let p = check_mean(mean)?;
        let (precision, factor) = positive_definite(FAMILY, "precision", precision, p)?;
        Self::new(mean.to_owned(), factor.inverse(), precision, &factor, factor.log_det())
    }

    fn new(
        mean: Array1<f64>,
        covariance: Array2<f64>,
        precision: Array2<f64>,
        factor: &Cholesky,
        log_det_precision: f64,
    ) -> Result<Self, FamilyError> {
        // A factor that exists may still have an inverse that overflows.
        finite_vector(FAMILY, "covariance (row-major)", &covariance.flatten())?;
        finite_vector(FAMILY, "precision (row-major)", &precision.flatten())?;
        Ok(Self { mean, covariance, precision, precision_factor: factor.l().clone(), log_det_precision })
    }

    /// The dimension p.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// `E[z]` (p).
    pub fn mean(&self) -> &Array1<f64> {
        &self.mean
    }

    /// `Cov[z]` (p, p).
    pub fn covariance(&self) -> &Array2<f64> {
        &self.covariance
    }

    /// The diagonal of the covariance (p).
    pub fn variance(&self) -> Array1<f64> {
        self.covariance.diag().to_owned()
    }

    /// The inverse of the covariance (p, p).
    pub fn precision(&self) -> &Array2<f64> {
        &self.precision
    }

    /// log |covariance|.
    pub fn log_det_covariance(&self) -> f64 {
        -self.log_det_precision
    }

    /// `E[zzᵀ]` (p, p).
    pub fn expected_outer(&self) -> Array2<f64> {
        Array2::from_shape_fn(self.covariance.dim(), |(i, j)| {
            self.covariance[[i, j]] + self.mean[i] * self.mean[j]
        })
    }

    /// The law of coordinate `i`.
    ///
    /// # Panics
    /// If `i` is not below the dimension.
    pub fn marginal(&self, i: usize) -> crate::Gaussian {
        crate::Gaussian::from_mean_variance(self.mean[i], self.covariance[[i, i]])
            .expect("the diagonal of a positive-definite matrix is positive")
    }

    /// Overwrites `z` (p) with a draw, without allocating when `z` is contiguous.
    ///
    /// # Panics
    /// If `z` does not have length p.
    pub fn sample_into(&self, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        assert_eq!(z.len(), self.dim(), "MvGaussian: z has the wrong length");
        for v in z.iter_mut() {
            *v = standard_normal(rng);
        }
        match z.as_slice_mut() {
            Some(values) => solve_transposed(&self.precision_factor, values),
            None => {
                let mut values = z.to_vec();
                solve_transposed(&self.precision_factor, &mut values);
                z.assign(&ndarray::aview1(&values));
            }
        }
        z.zip_mut_with(&self.mean, |v, m| *v += m);
    }
}

fn check_mean(mean: &ArrayRef1<f64>) -> Result<usize, FamilyError> {
    if mean.is_empty() {
        length(FAMILY, "mean", 0, 1)?;
    }
    finite_vector(FAMILY, "mean", mean)?;
    Ok(mean.len())
}

fn order(len: usize, parameter: &'static str) -> Result<usize, FamilyError> {
    order_from_len(len, |p| p + vech_len(p)).map_err(|expected| FamilyError::Length {
        family: FAMILY,
        parameter,
        expected,
        actual: len,
    })
}

impl ExponentialFamily for MvGaussian {
    type Value = ArrayRef1<f64>;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        self.dim() + vech_len(self.dim())
    }
    fn natural(&self) -> Array1<f64> {
        let p = self.dim();
        let mut eta = vec![0.0; self.n_params()];
        dual(&self.precision, -0.5, &mut eta[p..]);
        let mut eta = Array1::from(eta);
        eta.slice_mut(s![..p]).assign(&self.precision.dot(&self.mean));
        eta
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let p = order(eta.len(), "natural parameter")?;
        finite_vector(FAMILY, "natural parameter", eta)?;
        let eta = eta.to_vec();
        let precision = from_dual(p, &eta[p..], -2.0);
        let factor = cholesky(FAMILY, "precision", &precision)?;
        let mean = factor.solve(&ndarray::aview1(&eta[..p]));
        finite_vector(FAMILY, "mean", &mean)?;
        Self::new(mean, factor.inverse(), precision, &factor, factor.log_det())
    }
    fn log_partition(&self) -> f64 {
        0.5 * (quadratic_form(&self.precision_factor, |i| self.mean[i]) - self.log_det_precision)
    }
    fn mean_params(&self) -> Array1<f64> {
        let p = self.dim();
        let mut mu = vec![0.0; self.n_params()];
        vech(&self.expected_outer(), 1.0, &mut mu[p..]);
        let mut mu = Array1::from(mu);
        mu.slice_mut(s![..p]).assign(&self.mean);
        mu
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let p = order(mu.len(), "mean parameter")?;
        let values = mu.to_vec();
        let mut covariance = from_vech(p, &values[p..], 1.0);
        for i in 0..p {
            for j in 0..p {
                covariance[[i, j]] -= values[i] * values[j];
            }
        }
        Self::from_mean_covariance(&mu.slice(s![..p]), &covariance).map_err(|_| no_member(FAMILY, mu))
    }
    /// ```text
    /// Cov(zᵢ, zⱼ) = Σᵢⱼ      Cov(z_k, zᵢzⱼ) = mᵢΣⱼₖ + mⱼΣᵢₖ
    /// Cov(zᵢzⱼ, z_k z_l) = ΣᵢₖΣⱼₗ + ΣᵢₗΣⱼₖ + mᵢm_kΣⱼₗ + mᵢm_lΣⱼₖ + mⱼm_kΣᵢₗ + mⱼm_lΣᵢₖ
    /// ```
    /// by Isserlis' theorem.
    fn fisher(&self) -> Array2<f64> {
        let (p, n) = (self.dim(), self.n_params());
        let (m, c) = (&self.mean, &self.covariance);
        let mut fisher = Array2::zeros((n, n));
        fisher.slice_mut(s![..p, ..p]).assign(c);
        for i in 0..p {
            for j in 0..=i {
                let row = p + vech_index(i, j);
                for k in 0..p {
                    let v = m[i] * c[[j, k]] + m[j] * c[[i, k]];
                    fisher[[row, k]] = v;
                    fisher[[k, row]] = v;
                }
                for k in 0..p {
                    for l in 0..=k {
                        fisher[[row, p + vech_index(k, l)]] = c[[i, k]] * (c[[j, l]] + m[j] * m[l])
                            + c[[i, l]] * (c[[j, k]] + m[j] * m[k])
                            + m[i] * m[k] * c[[j, l]]
                            + m[i] * m[l] * c[[j, k]];
                    }
                }
            }
        }
        fisher
    }
    fn sufficient_stats_given(_: &(), z: &ArrayRef1<f64>) -> Array1<f64> {
        let p = z.len();
        let mut t = Array1::zeros(p + vech_len(p));
        for i in 0..p {
            t[i] = z[i];
            for j in 0..=i {
                t[p + vech_index(i, j)] = z[i] * z[j];
            }
        }
        t
    }
    fn log_base_measure_given(_: &(), z: &ArrayRef1<f64>) -> f64 {
        -0.5 * z.len() as f64 * LOG_TWO_PI
    }
    fn expected_log_base_measure(&self) -> f64 {
        -0.5 * self.dim() as f64 * LOG_TWO_PI
    }
    fn sample(&self, rng: &mut StreamRng) -> Array1<f64> {
        let mut z = Array1::zeros(self.dim());
        self.sample_into(rng, &mut z);
        z
    }

    // The centred forms keep their digits when the mean is large beside the standard deviations.
    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        assert_eq!(z.len(), self.dim(), "MvGaussian: z has the wrong length");
        let square = quadratic_form(&self.precision_factor, |i| z[i] - self.mean[i]);
        0.5 * (self.log_det_precision - self.dim() as f64 * LOG_TWO_PI - square)
    }
    fn entropy(&self) -> f64 {
        0.5 * (self.dim() as f64 * (1.0 + LOG_TWO_PI) - self.log_det_precision)
    }
    fn kl(&self, other: &Self) -> f64 {
        let square = quadratic_form(&other.precision_factor, |i| self.mean[i] - other.mean[i]);
        let trace = trace_product(&other.precision, &self.covariance);
        let log_ratio = log_det(&other.precision_factor) - log_det(&self.precision_factor);
        0.5 * (square + (trace - self.dim() as f64) - log_ratio)
    }
    fn expected_log_prob(&self, other: &Self) -> f64 {
        let square = quadratic_form(&other.precision_factor, |i| self.mean[i] - other.mean[i]);
        let trace = trace_product(&other.precision, &self.covariance);
        0.5 * (other.log_det_precision - self.dim() as f64 * LOG_TWO_PI - square - trace)
    }
}
