//! The multivariate Gaussian.

use std::cmp::Ordering;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, s};
use serde::Serialize;
use vi_core::StreamRng;

use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::distributions::LOG_TWO_PI;
use crate::draw::standard_normal;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::multivariate::Multivariate;
use crate::parametric::{ParameterBlock, Parametric};
use crate::positive_definite::{GivenMatrix, PositiveDefinite};
use crate::symmetric::{
    dual, from_dual, from_vech, order_from_len, precision_jacobian, vech, vech_index, vech_len,
};
use crate::triangular::outer_square;
use crate::validate::{FINITE, POSITIVE, domain, finite_vector, length, no_member};

const FAMILY: &str = "MvGaussian";
const COVARIANCE: &str = "covariance (row-major)";
const PRECISION: &str = "precision (row-major)";

/// The Gaussian N(mean, covariance) on ℝᵖ.
///
/// ```text
/// T(z) = (z, vech(zzᵀ))      η = (Pm, dual(−½P)), P = covariance⁻¹      h(z) = (2π)^(−p/2)
/// ```
/// with the layout of [`symmetric`](crate::symmetric).
/// One of covariance and precision is kept with its factor: `log_prob` and draws take one triangular product or
/// solve, and the other matrix is formed when it is first asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MvGaussian {
    mean: Array1<f64>,
    covariance: PositiveDefinite,
}

deserialize_checked! {
    MvGaussian { mean: Array1<f64>, covariance: GivenMatrix } => {
        let p = check_mean(&mean)?;
        Self::new(&mean, covariance.check(FAMILY, ["covariance", COVARIANCE], ["precision", PRECISION], p)?)
    }
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
        let covariance = PositiveDefinite::from_matrix(FAMILY, "covariance", PRECISION, covariance, p)?;
        Self::new(mean, covariance)
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
        let covariance = PositiveDefinite::from_inverse(FAMILY, "precision", COVARIANCE, precision, p)?;
        Self::new(mean, covariance)
    }

    /// The member with this mean (p) and covariance L Lᵀ, L (p, p) lower triangular with a positive diagonal.
    ///
    /// # Errors
    /// [`FamilyError`] unless the mean is finite, L as described and L Lᵀ finite and positive definite to rounding.
    pub fn from_mean_cholesky(mean: &ArrayRef1<f64>, l: &ArrayRef2<f64>) -> Result<Self, FamilyError> {
        let p = check_mean(mean)?;
        length(FAMILY, "cholesky", l.len(), p * p)?;
        for ((i, j), v) in l.indexed_iter() {
            let (valid, requirement) = match i.cmp(&j) {
                Ordering::Less => (*v == 0.0, "0 above the diagonal"),
                Ordering::Equal => (*v > 0.0 && v.is_finite(), POSITIVE),
                Ordering::Greater => (v.is_finite(), FINITE),
            };
            if !valid {
                return Err(domain(FAMILY, format!("cholesky[{i},{j}]"), *v, requirement));
            }
        }
        Self::from_mean_covariance(mean, &outer_square(l))
    }

    /// The member in canonical form, by precision · mean (p) and precision (p, p): the coefficients of z and
    /// −zzᵀ/2 in the log density (Koller & Friedman 2009, section 7.1.2).
    ///
    /// # Errors
    /// [`FamilyError`] unless the vector is finite, the precision symmetric positive definite and the mean finite.
    pub fn from_canonical(
        precision_mean: &ArrayRef1<f64>,
        precision: &ArrayRef2<f64>,
    ) -> Result<Self, FamilyError> {
        let p = precision_mean.len();
        if p == 0 {
            length(FAMILY, "precision · mean", 0, 1)?;
        }
        finite_vector(FAMILY, "precision · mean", precision_mean)?;
        let covariance = PositiveDefinite::from_inverse(FAMILY, "precision", COVARIANCE, precision, p)?;
        let mean = covariance.product(precision_mean);
        finite_vector(FAMILY, "mean", &mean)?;
        Self::new(&mean, covariance)
    }

    fn new(mean: &ArrayRef1<f64>, covariance: PositiveDefinite) -> Result<Self, FamilyError> {
        finite_vector(FAMILY, "precision · mean", &covariance.solve(mean))?;
        Ok(Self { mean: mean.to_owned(), covariance })
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
        self.covariance.matrix()
    }

    /// The diagonal of the covariance (p).
    pub fn variance(&self) -> Array1<f64> {
        self.covariance().diag().to_owned()
    }

    /// The inverse of the covariance (p, p).
    pub fn precision(&self) -> &Array2<f64> {
        self.covariance.inverse()
    }

    /// precision · mean (p), the linear coefficients of the canonical form.
    pub fn precision_mean(&self) -> Array1<f64> {
        self.covariance.solve(&self.mean)
    }

    /// The lower-triangular L (p, p) of covariance = L Lᵀ, factorised here where the precision is what was given.
    ///
    /// # Errors
    /// [`FamilyError`] when the inverse of a given precision is singular to rounding.
    pub fn cholesky(&self) -> Result<Array2<f64>, FamilyError> {
        self.covariance.matrix_factor(FAMILY, "covariance")
    }

    /// log |covariance|.
    pub fn log_det_covariance(&self) -> f64 {
        self.covariance.log_det()
    }

    /// `E[zzᵀ]` (p, p).
    pub fn expected_outer(&self) -> Array2<f64> {
        let covariance = self.covariance();
        Array2::from_shape_fn(covariance.dim(), |(i, j)| covariance[[i, j]] + self.mean[i] * self.mean[j])
    }

    /// The law of coordinate `i`.
    ///
    /// # Panics
    /// If `i` is not below the dimension.
    pub fn marginal(&self, i: usize) -> crate::Gaussian {
        crate::Gaussian::from_mean_variance(self.mean[i], self.covariance()[[i, i]])
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
            Some(values) => self.covariance.color(values),
            None => {
                let mut values = z.to_vec();
                self.covariance.color(&mut values);
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
        dual(self.precision(), -0.5, &mut eta[p..]);
        let mut eta = Array1::from(eta);
        eta.slice_mut(s![..p]).assign(&self.covariance.solve(&self.mean));
        eta
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let p = order(eta.len(), "natural parameter")?;
        finite_vector(FAMILY, "natural parameter", eta)?;
        let eta = eta.to_vec();
        let precision = from_dual(p, &eta[p..], -2.0);
        let covariance =
            PositiveDefinite::from_symmetric_inverse(FAMILY, "precision", COVARIANCE, precision)?;
        let mean = covariance.product(&ndarray::aview1(&eta[..p]));
        finite_vector(FAMILY, "mean", &mean)?;
        Ok(Self { mean, covariance })
    }
    fn log_partition(&self) -> f64 {
        0.5 * (self.covariance.inverse_square(|i| self.mean[i]) + self.covariance.log_det())
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
        let (m, c) = (&self.mean, self.covariance());
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

    /// log p(z), z (p).
    ///
    /// # Panics
    /// If `z` does not have length p.
    // The centred form keeps its digits when the mean is large beside the standard deviations.
    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        assert_eq!(z.len(), self.dim(), "MvGaussian: z has the wrong length");
        let square = self.covariance.inverse_square(|i| z[i] - self.mean[i]);
        -0.5 * (self.covariance.log_det() + self.dim() as f64 * LOG_TWO_PI + square)
    }
    fn entropy(&self) -> f64 {
        0.5 * (self.dim() as f64 * (1.0 + LOG_TWO_PI) + self.covariance.log_det())
    }
    fn kl(&self, other: &Self) -> f64 {
        let square = other.covariance.inverse_square(|i| self.mean[i] - other.mean[i]);
        let trace = other.covariance.trace_ratio(&self.covariance);
        let log_ratio = self.covariance.log_det() - other.covariance.log_det();
        0.5 * (square + (trace - self.dim() as f64) - log_ratio)
    }
    fn expected_log_prob(&self, other: &Self) -> f64 {
        let square = other.covariance.inverse_square(|i| self.mean[i] - other.mean[i]);
        let trace = other.covariance.trace_ratio(&self.covariance);
        -0.5 * (other.covariance.log_det() + self.dim() as f64 * LOG_TWO_PI + square + trace)
    }
}

impl Parametric for MvGaussian {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        let p = self.dim();
        vec![
            ParameterBlock { name: "mean", coordinates: Coordinates::Real { n: p } },
            ParameterBlock { name: "covariance", coordinates: Coordinates::PositiveDefinite { order: p } },
        ]
    }
    /// The mean and vech of the covariance.
    fn parameters(&self) -> Array1<f64> {
        let p = self.dim();
        let mut theta = vec![0.0; self.n_params()];
        vech(self.covariance(), 1.0, &mut theta[p..]);
        let mut theta = Array1::from(theta);
        theta.slice_mut(s![..p]).assign(&self.mean);
        theta
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let p = self.dim();
        length(FAMILY, "usual parameter", theta.len(), self.n_params())?;
        let covariance = from_vech(p, &theta.slice(s![p..]).to_vec(), 1.0);
        Self::from_mean_covariance(&theta.slice(s![..p]), &covariance)
    }
    /// ```text
    /// ∂(Pm)_i/∂m_j = P_ij      ∂(Pm)_i/∂Σ_kl = −P_ik (Pm)_l − [k ≠ l] P_il (Pm)_k
    /// ```
    /// and [`inverse_jacobian`](crate::symmetric::inverse_jacobian) for dual(−½P).
    fn natural_jacobian(&self) -> Array2<f64> {
        let (p, n) = (self.dim(), self.n_params());
        let precision = self.precision();
        let h = self.covariance.solve(&self.mean);
        let mut jacobian = Array2::zeros((n, n));
        jacobian.slice_mut(s![..p, ..p]).assign(precision);
        jacobian.slice_mut(s![p.., p..]).assign(&precision_jacobian(precision));
        for i in 0..p {
            for k in 0..p {
                for l in 0..=k {
                    let mirror = if k == l { 0.0 } else { precision[[i, l]] * h[k] };
                    jacobian[[i, p + vech_index(k, l)]] = -(precision[[i, k]] * h[l] + mirror);
                }
            }
        }
        jacobian
    }
}

impl Multivariate for MvGaussian {
    fn expected_value(&self) -> Option<Array1<f64>> {
        Some(self.mean.clone())
    }
    fn marginal_variances(&self) -> Option<Array1<f64>> {
        Some(self.variance())
    }
    fn joint_mode(&self) -> Option<Array1<f64>> {
        Some(self.mean.clone())
    }
    fn support(&self) -> String {
        format!("vectors of {} real numbers", self.dim())
    }
}
