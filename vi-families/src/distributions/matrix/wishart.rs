//! The Wishart distribution of a precision matrix.

use std::borrow::Cow;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, s};
use serde::Serialize;
use vi_core::StreamRng;
use vi_core::linalg::Cholesky;

use crate::coordinates::Coordinates;
use crate::deserialize::deserialize_checked;
use crate::distributions::positive::unit_gamma;
use crate::draw::{log_gamma_variate, standard_normal};
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::multivariate::Multivariate;
use crate::parametric::{ParameterBlock, Parametric};
use crate::positive_definite::{GivenMatrix, PositiveDefinite};
use crate::solve::inverse_log_minus_digamma;
use crate::special::{digamma, multivariate_digamma, multivariate_log_gamma, multivariate_trigamma};
use crate::symmetric::{
    dual, from_dual, from_vech, order_from_len, precision_jacobian, vech, vech_index, vech_len,
};
use crate::triangular::outer_square;
use crate::validate::{domain, finite_vector, length, no_member, positive_definite};

const FAMILY: &str = "Wishart";

/// Beyond it log Γ_p(ν/2) overflows.
const MAX_DOF: f64 = 1e300;

/// The Wishart distribution on the symmetric positive-definite p×p matrices, `E[Λ]` = dof · scale.
///
/// ```text
/// p(Λ) ∝ |Λ|^((ν − p − 1)/2) exp(−½ tr(W⁻¹Λ)),  ν > p − 1      (Bishop 2006, B.78)
/// T(Λ) = (log|Λ|, vech(Λ))      η = ((ν − p − 1)/2, dual(−½W⁻¹))      h(Λ) = 1
/// ```
/// with the layout of [`symmetric`](crate::symmetric) and densities over the lower triangle of Λ.
/// One of scale and inverse scale is kept with its factor: draws take one triangular product or solve, `log_prob`
/// one factorisation of its argument and at most one triangular solve, and the other matrix is formed when it is
/// first asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Wishart {
    dof: f64,
    scale: PositiveDefinite,
}

deserialize_checked! {
    Wishart { dof: f64, scale: GivenMatrix } => {
        let (p, inverse) = (scale.order(), ["inverse_scale", "inverse_scale (row-major)"]);
        Self::new(dof, scale.check(FAMILY, ["scale", "scale (row-major)"], inverse, p)?)
    }
}

impl Wishart {
    /// The member with these degrees of freedom and scale W (p, p).
    ///
    /// # Errors
    /// [`FamilyError`] unless p − 1 < dof ≤ 10³⁰⁰ and the scale is symmetric positive definite.
    pub fn from_dof_scale(dof: f64, scale: &ArrayRef2<f64>) -> Result<Self, FamilyError> {
        let p = scale.nrows();
        let inverse = "inverse_scale (row-major)";
        Self::new(dof, PositiveDefinite::from_matrix(FAMILY, "scale", inverse, scale, p)?)
    }

    /// The member with these degrees of freedom and inverse scale W⁻¹ (p, p), which is what conjugate updates
    /// add to.
    ///
    /// # Errors
    /// [`FamilyError`] unless p − 1 < dof ≤ 10³⁰⁰ and the matrix is symmetric positive definite.
    pub fn from_dof_inverse_scale(dof: f64, inverse_scale: &ArrayRef2<f64>) -> Result<Self, FamilyError> {
        let p = inverse_scale.nrows();
        let scale = "scale (row-major)";
        Self::new(dof, PositiveDefinite::from_inverse(FAMILY, "inverse_scale", scale, inverse_scale, p)?)
    }

    fn new(dof: f64, scale: PositiveDefinite) -> Result<Self, FamilyError> {
        check_dof(FAMILY, dof, scale.order())?;
        Ok(Self { dof, scale })
    }

    /// The order p of the matrices.
    pub fn order(&self) -> usize {
        self.scale.order()
    }

    /// The degrees of freedom ν.
    pub fn dof(&self) -> f64 {
        self.dof
    }

    /// The scale W (p, p).
    pub fn scale(&self) -> &Array2<f64> {
        self.scale.matrix()
    }

    /// W⁻¹ (p, p).
    pub fn inverse_scale(&self) -> &Array2<f64> {
        self.scale.inverse()
    }

    /// L (p, p), lower triangular, with W⁻¹ = L Lᵀ: factorised here when the scale is what was given.
    ///
    /// # Errors
    /// [`FamilyError`] when the inverse of a given scale is singular to rounding.
    pub(crate) fn inverse_scale_factor(&self) -> Result<Cow<'_, Array2<f64>>, FamilyError> {
        self.scale.inverse_factor(FAMILY, "inverse_scale")
    }

    /// log |W|.
    pub fn log_det_scale(&self) -> f64 {
        self.scale.log_det()
    }

    /// `E[Λ]` = νW (p, p).
    pub fn mean(&self) -> Array2<f64> {
        self.scale() * self.dof
    }

    /// `E[log |Λ|]` = ψ_p(ν/2) + p log 2 + log |W|.
    pub fn expected_log_det(&self) -> f64 {
        let p = self.order();
        multivariate_digamma(p, 0.5 * self.dof) + p as f64 * std::f64::consts::LN_2 + self.log_det_scale()
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

    /// A draw of Bartlett's A and what `root` makes of it; `square` of that is the matrix drawn.
    ///
    /// Where pivots are so small that rounding costs the matrix its definiteness they are raised until it has it.
    fn sample_definite(
        &self,
        rng: &mut StreamRng,
        root: impl Fn(&Array2<f64>) -> Array2<f64>,
        square: impl Fn(&Array2<f64>) -> Array2<f64>,
    ) -> (Array2<f64>, Array2<f64>) {
        let mut a = self.sample_bartlett(rng);
        let mut drawn = root(&a);
        let norms: Vec<f64> = a.rows().into_iter().map(|row| row.dot(&row).sqrt()).collect();
        let small = norms.iter().zip(a.diag()).any(|(norm, pivot)| *pivot < 1e-4 * norm);
        let mut least = 4.0 * f64::EPSILON.sqrt();
        // Ordinary draws are not factorised.
        while small && least < 1.0 && Cholesky::factor(&square(&drawn)).is_err() {
            for (pivot, norm) in a.diag_mut().iter_mut().zip(&norms) {
                *pivot = pivot.max(least * norm);
            }
            least *= 4.0;
            drawn = root(&a);
        }
        (a, drawn)
    }

    /// A draw of A and R A with the triangular R of W = R Rᵀ: Λ = R A (R A)ᵀ.
    pub(crate) fn sample_root(&self, rng: &mut StreamRng) -> (Array2<f64>, Array2<f64>) {
        self.sample_definite(rng, |a| self.scale.color_lower(a), |root| outer_square(root))
    }

    /// x ← R⁻ᵀ x with the R of [`Wishart::sample_root`].
    pub(crate) fn solve_scatter_factor(&self, x: &mut [f64]) {
        self.scale.color_inverse(x);
    }

    /// X (p, p) with XᵀX = Λ⁻¹ for a draw Λ, by one triangular solve: X = A⁻¹R⁻¹ with the R of
    /// [`Wishart::sample_root`].
    pub(crate) fn sample_inverse_root(&self, rng: &mut StreamRng) -> Array2<f64> {
        let inverse_root = self.scale.inverse_root();
        let solve = |a: &Array2<f64>| {
            let mut x = inverse_root.t().as_standard_layout().into_owned();
            Cholesky::from_factor(a.clone()).solve_lower_matrix_inplace(&mut x);
            x
        };
        self.sample_definite(rng, solve, |x| outer_square(&x.t())).1
    }

    /// tr(W⁻¹Σ⁻¹) for the matrix Σ with this factor, by one triangular solve.
    pub(crate) fn inverse_trace(&self, factor: &Cholesky) -> f64 {
        let mut x = self.scale.inverse_root().into_owned();
        factor.solve_lower_matrix_inplace(&mut x);
        x.iter().map(|v| v * v).sum()
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

/// Degrees of freedom for matrices of order `p` ≥ 1.
pub(in crate::distributions) fn check_dof(
    family: &'static str,
    dof: f64,
    p: usize,
) -> Result<(), FamilyError> {
    if p == 0 {
        length(family, "scale", 0, 1)?;
    }
    if !(dof > (p - 1) as f64 && dof.is_finite()) {
        return Err(domain(family, "dof", dof, "finite and > p − 1, p the order of the scale"));
    }
    if dof > MAX_DOF {
        return Err(domain(family, "dof", dof, "at most 1e300"));
    }
    Ok(())
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
        dual(self.inverse_scale(), -0.5, &mut eta[1..]);
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
        half * (p as f64 * std::f64::consts::LN_2 + self.log_det_scale()) + multivariate_log_gamma(p, half)
    }
    fn mean_params(&self) -> Array1<f64> {
        let mut mu = vec![0.0; self.n_params()];
        mu[0] = self.expected_log_det();
        vech(self.scale(), self.dof, &mut mu[1..]);
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
        let (p, n, w) = (self.order(), self.n_params(), self.scale());
        let mut fisher = Array2::zeros((n, n));
        fisher[[0, 0]] = multivariate_trigamma(p, 0.5 * self.dof);
        for i in 0..p {
            for j in 0..=i {
                let row = 1 + vech_index(i, j);
                fisher[[0, row]] = 2.0 * w[[i, j]];
                fisher[[row, 0]] = 2.0 * w[[i, j]];
                for k in 0..p {
                    for l in 0..=k {
                        fisher[[row, 1 + vech_index(k, l)]] = entry_covariance(w, self.dof, (i, j), (k, l));
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
    /// 16 p ε, or what rounding demands, are raised to that size.
    fn sample(&self, rng: &mut StreamRng) -> Array2<f64> {
        outer_square(&self.sample_root(rng).1)
    }

    fn log_prob(&self, z: &ArrayRef2<f64>) -> f64 {
        let Ok((z, factor)) = positive_definite(FAMILY, "z", z, self.order()) else {
            return f64::NEG_INFINITY;
        };
        0.5 * (self.dof - self.order() as f64 - 1.0) * factor.log_det()
            - 0.5 * self.scale.inverse_trace(&z, factor.l())
            - self.log_partition()
    }
    /// ```text
    /// ½(p + 1) log|2W| + log Γ_p(ν/2) − ½(ν − p − 1) ψ_p(ν/2) + ½νp      (Bishop 2006, B.82)
    /// ```
    /// as a sum over the Gamma laws of Bartlett's decomposition, where large terms are cancelled by hand.
    fn entropy(&self) -> f64 {
        let (order, p) = (self.order(), self.order() as f64);
        let shape = |i: usize| {
            let a = 0.5 * (self.dof - i as f64);
            unit_gamma::entropy(a) + 0.5 * (p - 1.0 - i as f64) * digamma(a) + 0.5 * i as f64
        };
        let constant = 0.25 * p * (p - 1.0) * std::f64::consts::PI.ln();
        let scale = 0.5 * (p + 1.0) * (p * std::f64::consts::LN_2 + self.log_det_scale());
        constant + scale + (0..order).map(shape).sum::<f64>()
    }
    /// The divergence of the means, as of Gaussian covariances, and that of the Gamma laws of Bartlett's
    /// decomposition at equal means.
    fn kl(&self, other: &Self) -> f64 {
        let p = self.order();
        let (a, b) = (0.5 * self.dof, 0.5 * other.dof);
        let log_ratio = self.log_det_scale() - other.log_det_scale() - p as f64 * (b / a).ln();
        let trace = other.scale.trace_ratio(&self.scale) * (a / b);
        let shape = |i: usize| {
            let (a_i, b_i) = (a - 0.5 * i as f64, b - 0.5 * i as f64);
            let shift = b_i * (b_i / a_i).ln() - b * (b / a).ln();
            unit_gamma::kl(a_i, b_i, 1.0, 0.0) + shift
        };
        b * ((trace - p as f64) - log_ratio) + (0..p).map(shape).sum::<f64>()
    }
}

impl Parametric for Wishart {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        let p = self.order();
        vec![
            ParameterBlock { name: "dof", coordinates: Coordinates::Above { bound: p as f64 - 1.0 } },
            ParameterBlock { name: "scale", coordinates: Coordinates::PositiveDefinite { order: p } },
        ]
    }
    /// The degrees of freedom and vech of the scale.
    fn parameters(&self) -> Array1<f64> {
        let mut theta = vec![self.dof; self.n_params()];
        vech(self.scale(), 1.0, &mut theta[1..]);
        Array1::from(theta)
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "usual parameter", theta.len(), self.n_params())?;
        let theta = theta.to_vec();
        Self::from_dof_scale(theta[0], &from_vech(self.order(), &theta[1..], 1.0))
    }
    /// ½ for the degrees of freedom, [`inverse_jacobian`](crate::symmetric::inverse_jacobian) for dual(−½W⁻¹).
    fn natural_jacobian(&self) -> Array2<f64> {
        let n = self.n_params();
        let mut jacobian = Array2::zeros((n, n));
        jacobian[[0, 0]] = 0.5;
        jacobian.slice_mut(s![1.., 1..]).assign(&precision_jacobian(self.inverse_scale()));
        jacobian
    }
}

impl Multivariate for Wishart {
    fn expected_value(&self) -> Option<Array2<f64>> {
        Some(self.mean())
    }
    /// Var(Λᵢⱼ) = ν (Wᵢⱼ² + WᵢᵢWⱼⱼ).
    fn marginal_variances(&self) -> Option<Array2<f64>> {
        let (p, w) = (self.order(), self.scale());
        Some(Array2::from_shape_fn((p, p), |ij| entry_covariance(w, self.dof, ij, ij)))
    }
    /// (ν − p − 1) W, when ν > p + 1.
    fn joint_mode(&self) -> Option<Array2<f64>> {
        let excess = self.dof - self.order() as f64 - 1.0;
        (excess > 0.0).then(|| self.scale() * excess)
    }
    fn support(&self) -> String {
        format!("positive-definite matrices of order {}", self.order())
    }
}

/// Cov(Λᵢⱼ, Λₖₗ) = ν (WᵢₖWⱼₗ + WᵢₗWⱼₖ).
pub(crate) fn entry_covariance(w: &ArrayRef2<f64>, dof: f64, ij: (usize, usize), kl: (usize, usize)) -> f64 {
    let ((i, j), (k, l)) = (ij, kl);
    dof * (w[[i, k]] * w[[j, l]] + w[[i, l]] * w[[j, k]])
}
