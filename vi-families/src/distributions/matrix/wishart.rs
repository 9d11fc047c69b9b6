//! The Wishart distribution of a precision matrix.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use vi_core::StreamRng;
use vi_core::linalg::Cholesky;

use crate::draw::{log_gamma_variate, standard_normal};
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::solve::inverse_log_minus_digamma;
use crate::special::{multivariate_digamma, multivariate_log_gamma, multivariate_trigamma};
use crate::symmetric::{dual, from_dual, from_vech, order_from_len, vech, vech_index, vech_len};
use crate::triangular::{log_det, outer_square, solve_transposed, trace_product};
use crate::validate::{cholesky, domain, finite_vector, length, no_member, positive_definite};

const FAMILY: &str = "Wishart";

/// The Wishart distribution on the symmetric positive-definite p×p matrices, `E[Λ]` = dof · scale.
///
/// ```text
/// p(Λ) ∝ |Λ|^((ν − p − 1)/2) exp(−½ tr(W⁻¹Λ)),  ν > p − 1      (Bishop 2006, B.78)
/// T(Λ) = (log|Λ|, vech(Λ))      η = ((ν − p − 1)/2, dual(−½W⁻¹))      h(Λ) = 1
/// ```
/// with the layout of [`symmetric`](crate::symmetric) and densities over the lower triangle of Λ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wishart {
    dof: f64,
    scale: Array2<f64>,
    inverse_scale: Array2<f64>,
    /// L with W⁻¹ = L Lᵀ.
    inverse_scale_factor: Array2<f64>,
    log_det_scale: f64,
}

impl Wishart {
    /// The member with these degrees of freedom and scale W (p, p).
    ///
    /// # Errors
    /// [`FamilyError`] unless dof > p − 1 and the scale is symmetric positive definite.
    pub fn from_dof_scale(dof: f64, scale: &ArrayRef2<f64>) -> Result<Self, FamilyError> {
        let (scale, factor) = positive_definite(FAMILY, "scale", scale, scale.nrows())?;
        let inverse_scale = factor.inverse();
        let inverse = cholesky(FAMILY, "inverse_scale", &inverse_scale)?;
        Self::new(dof, scale, inverse_scale, &inverse, factor.log_det())
    }

    /// The member with these degrees of freedom and inverse scale W⁻¹ (p, p), which is what conjugate updates
    /// add to.
    ///
    /// # Errors
    /// [`FamilyError`] unless dof > p − 1 and the matrix is symmetric positive definite.
    pub fn from_dof_inverse_scale(dof: f64, inverse_scale: &ArrayRef2<f64>) -> Result<Self, FamilyError> {
        let p = inverse_scale.nrows();
        let (inverse_scale, factor) = positive_definite(FAMILY, "inverse_scale", inverse_scale, p)?;
        Self::new(dof, factor.inverse(), inverse_scale, &factor, -factor.log_det())
    }

    fn new(
        dof: f64,
        scale: Array2<f64>,
        inverse_scale: Array2<f64>,
        factor: &Cholesky,
        log_det_scale: f64,
    ) -> Result<Self, FamilyError> {
        let p = scale.nrows();
        if p == 0 {
            length(FAMILY, "scale", 0, 1)?;
        }
        if !(dof > (p - 1) as f64 && dof.is_finite()) {
            return Err(domain(FAMILY, "dof", dof, "finite and > p − 1, p the order of the scale"));
        }
        finite_vector(FAMILY, "scale (row-major)", &scale.flatten())?;
        finite_vector(FAMILY, "inverse_scale (row-major)", &inverse_scale.flatten())?;
        Ok(Self { dof, scale, inverse_scale, inverse_scale_factor: factor.l().clone(), log_det_scale })
    }

    /// The order p of the matrices.
    pub fn order(&self) -> usize {
        self.scale.nrows()
    }

    /// The degrees of freedom ν.
    pub fn dof(&self) -> f64 {
        self.dof
    }

    /// The scale W (p, p).
    pub fn scale(&self) -> &Array2<f64> {
        &self.scale
    }

    /// W⁻¹ (p, p).
    pub fn inverse_scale(&self) -> &Array2<f64> {
        &self.inverse_scale
    }

    /// L (p, p), lower triangular, with W⁻¹ = L Lᵀ: xᵀWx = |L⁻¹x|².
    pub fn inverse_scale_factor(&self) -> &Array2<f64> {
        &self.inverse_scale_factor
    }

    /// log |W|.
    pub fn log_det_scale(&self) -> f64 {
        self.log_det_scale
    }

    /// `E[Λ]` = νW (p, p).
    pub fn mean(&self) -> Array2<f64> {
        &self.scale * self.dof
    }

    /// `E[log |Λ|]` = ψ_p(ν/2) + p log 2 + log |W|.
    pub fn expected_log_det(&self) -> f64 {
        let p = self.order();
        multivariate_digamma(p, 0.5 * self.dof) + p as f64 * std::f64::consts::LN_2 + self.log_det_scale
    }

    /// The lower-triangular A of Bartlett's decomposition (p, p).
    pub(crate) fn sample_bartlett(&self, rng: &mut StreamRng) -> Array2<f64> {
        let p = self.order();
        let least = (16.0 * p as f64 * f64::EPSILON).sqrt();
        let mut a = Array2::zeros((p, p));
        for i in 0..p {
            let mut square: f64 = 0.0;
            for j in 0..i {
                let e = standard_normal(rng);
                a[[i, j]] = e;
                square += e * e;
            }
            let log_gamma = log_gamma_variate(0.5 * (self.dof - i as f64), rng);
            let pivot = (0.5 * (std::f64::consts::LN_2 + log_gamma)).exp();
            a[[i, i]] = pivot.max(least * square.sqrt()).max(f64::MIN_POSITIVE);
        }
        a
    }

    /// R A Aᵀ Rᵀ with R = L⁻ᵀ, W⁻¹ = L Lᵀ.
    pub(crate) fn scatter(&self, a: &ArrayRef2<f64>) -> Array2<f64> {
        // Column by column, so that what is solved for lies in memory one value after the other.
        let mut columns = a.t().as_standard_layout().into_owned();
        for mut column in columns.rows_mut() {
            let column = column.as_slice_mut().expect("rows in standard layout are contiguous");
            solve_transposed(&self.inverse_scale_factor, column);
        }
        outer_square(&columns.t())
    }

    /// The member with mean parameters (`E[log |Λ|]`, `E[Λ]`); `None` if there is none.
    pub(crate) fn from_expectations(expected_log_det: f64, mean: &ArrayRef2<f64>) -> Option<Self> {
        let p = mean.nrows();
        let (mean, factor) = positive_definite(FAMILY, "mean", mean, p).ok()?;
        // p log(ν/2) − ψ_p(ν/2) = log |E Λ| − E log |Λ|
        let dof = 2.0 * inverse_log_minus_digamma(p, factor.log_det() - expected_log_det)?;
        Self::from_dof_scale(dof, &(mean / dof)).ok()
    }
}

fn order(len: usize, parameter: &'static str) -> Result<usize, FamilyError> {
    order_from_len(len, |p| 1 + vech_len(p)).map_err(|expected| FamilyError::Length {
        family: FAMILY,
        parameter,
        expected,
        actual: len,
    })
}

impl ExponentialFamily for Wishart {
    type Value = ArrayRef2<f64>;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        1 + vech_len(self.order())
    }
    fn natural(&self) -> Array1<f64> {
        let mut eta = vec![0.0; self.n_params()];
        eta[0] = 0.5 * (self.dof - self.order() as f64 - 1.0);
        dual(&self.inverse_scale, -0.5, &mut eta[1..]);
        Array1::from(eta)
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let p = order(eta.len(), "natural parameter")?;
        finite_vector(FAMILY, "natural parameter", eta)?;
        let eta = eta.to_vec();
        Self::from_dof_inverse_scale(2.0 * eta[0] + p as f64 + 1.0, &from_dual(p, &eta[1..], -2.0))
    }
    fn log_partition(&self) -> f64 {
        let (p, half) = (self.order(), 0.5 * self.dof);
        half * (p as f64 * std::f64::consts::LN_2 + self.log_det_scale) + multivariate_log_gamma(p, half)
    }
    fn mean_params(&self) -> Array1<f64> {
        let mut mu = vec![0.0; self.n_params()];
        mu[0] = self.expected_log_det();
        vech(&self.scale, self.dof, &mut mu[1..]);
        Array1::from(mu)
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let p = order(mu.len(), "mean parameter")?;
        let values = mu.to_vec();
        Self::from_expectations(values[0], &from_vech(p, &values[1..], 1.0))
            .ok_or_else(|| no_member(FAMILY, mu))
    }
    /// ```text
    /// Var(log|Λ|) = ψ′_p(ν/2)      Cov(log|Λ|, Λᵢⱼ) = 2Wᵢⱼ
    /// Cov(Λᵢⱼ, Λₖₗ) = ν (WᵢₖWⱼₗ + WᵢₗWⱼₖ)
    /// ```
    fn fisher(&self) -> Array2<f64> {
        let (p, n) = (self.order(), self.n_params());
        let mut fisher = Array2::zeros((n, n));
        fisher[[0, 0]] = multivariate_trigamma(p, 0.5 * self.dof);
        for i in 0..p {
            for j in 0..=i {
                let row = 1 + vech_index(i, j);
                fisher[[0, row]] = 2.0 * self.scale[[i, j]];
                fisher[[row, 0]] = 2.0 * self.scale[[i, j]];
                for k in 0..p {
                    for l in 0..=k {
                        fisher[[row, 1 + vech_index(k, l)]] =
                            entry_covariance(&self.scale, self.dof, (i, j), (k, l));
                    }
                }
            }
        }
        fisher
    }
    fn sufficient_stats_given(_: &(), z: &ArrayRef2<f64>) -> Array1<f64> {
        let mut t = vec![f64::NEG_INFINITY; 1 + vech_len(z.nrows())];
        if let Ok(factor) = Cholesky::factor(z) {
            t[0] = factor.log_det();
        }
        vech(z, 1.0, &mut t[1..]);
        Array1::from(t)
    }
    fn log_base_measure_given(_: &(), z: &ArrayRef2<f64>) -> f64 {
        match positive_definite(FAMILY, "z", z, z.nrows()) {
            Ok(_) => 0.0,
            Err(_) => f64::NEG_INFINITY,
        }
    }
    fn expected_log_base_measure(&self) -> f64 {
        0.0
    }
    /// One draw (p, p) by Bartlett's decomposition: Λ = R A Aᵀ Rᵀ with W = R Rᵀ, A lower triangular,
    /// A_ii² ~ χ²(ν − i), A_ij ~ N(0, 1).
    ///
    /// With ν within about 1 of p − 1 a draw may be closer to singular than f64 can tell; pivots of A Aᵀ below
    /// 16 p ε are raised to that size.
    fn sample(&self, rng: &mut StreamRng) -> Array2<f64> {
        self.scatter(&self.sample_bartlett(rng))
    }

    fn log_prob(&self, z: &ArrayRef2<f64>) -> f64 {
        let Ok((z, factor)) = positive_definite(FAMILY, "z", z, self.order()) else {
            return f64::NEG_INFINITY;
        };
        0.5 * (self.dof - self.order() as f64 - 1.0) * log_det(factor.l())
            - 0.5 * trace_product(&self.inverse_scale, &z)
            - self.log_partition()
    }
}

/// Cov(Λᵢⱼ, Λₖₗ) = ν (WᵢₖWⱼₗ + WᵢₗWⱼₖ).
pub(crate) fn entry_covariance(w: &ArrayRef2<f64>, dof: f64, ij: (usize, usize), kl: (usize, usize)) -> f64 {
    let ((i, j), (k, l)) = (ij, kl);
    dof * (w[[i, k]] * w[[j, l]] + w[[i, l]] * w[[j, k]])
}
