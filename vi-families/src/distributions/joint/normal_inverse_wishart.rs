//! The normal-inverse-Wishart distribution of a mean vector and a covariance matrix.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, s};
use serde::{Deserialize, Serialize};
use vi_core::StreamRng;
use vi_core::linalg::Cholesky;

use super::NormalWishart;
use super::normal_wishart::{pack, with_parameters};
use super::twin::{
    from_mean_params, order_at_least, reflect, reflect_both_sides, reflect_natural, rename_scales,
};
use crate::distributions::{InverseWishart, LOG_TWO_PI};
use crate::draw::standard_normal;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::multivariate::Multivariate;
use crate::parametric::{ParameterBlock, Parametric};
use crate::symmetric::{vech, vech_len};
use crate::triangular::outer_square;
use crate::validate::positive_definite;

const FAMILY: &str = "NormalInverseWishart";

/// The normal-inverse-Wishart distribution of (μ, Σ): Σ ~ InverseWishart(dof, scale), μ | Σ ~ N(mean, Σ/count).
///
/// ```text
/// p(Σ) ∝ |Σ|^(−(ν + p + 1)/2) exp(−½ tr(ΨΣ⁻¹)),  ν > p − 1
/// T(μ, Σ) = (log|Σ|, vech(Σ⁻¹), Σ⁻¹μ, μᵀΣ⁻¹μ)
/// η = (−(ν + p + 2)/2, dual(−½(Ψ + κmmᵀ)), κm, −½κ)      h = (2π)^(−p/2)
/// ```
/// with the layout of [`symmetric`](crate::symmetric) and densities over the lower triangle of Σ. The law of
/// (μ, Λ⁻¹) for (μ, Λ) ~ [`NormalWishart`] of scale Ψ⁻¹, and the conjugate prior of a Gaussian with unknown mean
/// and covariance (Gelman et al. 2013, "Bayesian Data Analysis", section 3.6).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NormalInverseWishart {
    precision_twin: NormalWishart,
}

impl From<NormalWishart> for NormalInverseWishart {
    /// The law of (μ, Λ⁻¹) for (μ, Λ) distributed as the twin.
    fn from(precision_twin: NormalWishart) -> Self {
        Self { precision_twin }
    }
}

impl From<NormalInverseWishart> for NormalWishart {
    /// The law of (μ, Σ⁻¹).
    fn from(member: NormalInverseWishart) -> Self {
        member.precision_twin
    }
}

impl NormalInverseWishart {
    /// The member with location m (p), pseudo-count κ, degrees of freedom ν and scale Ψ (p, p).
    ///
    /// # Errors
    /// [`FamilyError`] unless m is finite, κ > 0, ν > p − 1 and Ψ is symmetric positive definite.
    pub fn from_mean_count_dof_scale(
        mean: &ArrayRef1<f64>,
        count: f64,
        dof: f64,
        scale: &ArrayRef2<f64>,
    ) -> Result<Self, FamilyError> {
        NormalWishart::from_mean_count_dof_inverse_scale(mean, count, dof, scale)
            .map(Self::from)
            .map_err(own_words)
    }

    /// The member with location m (p), pseudo-count κ, degrees of freedom ν and inverse scale Ψ⁻¹ (p, p), the scale
    /// of the law of Σ⁻¹.
    ///
    /// # Errors
    /// As for [`NormalInverseWishart::from_mean_count_dof_scale`].
    pub fn from_mean_count_dof_inverse_scale(
        mean: &ArrayRef1<f64>,
        count: f64,
        dof: f64,
        inverse_scale: &ArrayRef2<f64>,
    ) -> Result<Self, FamilyError> {
        NormalWishart::from_mean_count_dof_scale(mean, count, dof, inverse_scale)
            .map(Self::from)
            .map_err(own_words)
    }

    /// The law of (μ, Σ⁻¹).
    pub fn precision_twin(&self) -> &NormalWishart {
        &self.precision_twin
    }

    /// The dimension p.
    pub fn dim(&self) -> usize {
        self.precision_twin.dim()
    }

    /// The location m (p): `E[μ]` where it exists.
    pub fn mean(&self) -> &Array1<f64> {
        self.precision_twin.mean()
    }

    /// The pseudo-count κ of the location.
    pub fn count(&self) -> f64 {
        self.precision_twin.count()
    }

    /// The degrees of freedom ν.
    pub fn dof(&self) -> f64 {
        self.precision_twin.dof()
    }

    /// The scale Ψ (p, p).
    pub fn scale(&self) -> &Array2<f64> {
        self.precision_twin.precision_marginal().inverse_scale()
    }

    /// Ψ⁻¹ (p, p).
    pub fn inverse_scale(&self) -> &Array2<f64> {
        self.precision_twin.scale()
    }

    /// The marginal law of Σ.
    pub fn covariance_marginal(&self) -> InverseWishart {
        self.precision_twin.precision_marginal().clone().into()
    }

    /// `E[Σ⁻¹]` = νΨ⁻¹ (p, p).
    pub fn expected_precision(&self) -> Array2<f64> {
        self.precision_twin.expected_precision()
    }

    /// `E[log |Σ|]`.
    pub fn expected_log_det(&self) -> f64 {
        -self.precision_twin.expected_log_det()
    }

    /// `E[(x − μ)ᵀΣ⁻¹(x − μ)]` = ν (x − m)ᵀΨ⁻¹(x − m) + p/κ.
    pub fn expected_square(&self, x: &ArrayRef1<f64>) -> f64 {
        self.precision_twin.expected_square(x)
    }

    /// p + 1, the power of |Σ| in the Jacobian of Λ = Σ⁻¹.
    fn jacobian_power(&self) -> f64 {
        (self.dim() + 1) as f64
    }
}

fn own_words(error: FamilyError) -> FamilyError {
    rename_scales(error, FAMILY)
}

impl ExponentialFamily for NormalInverseWishart {
    type Value = (Array1<f64>, Array2<f64>);
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        self.precision_twin.n_params()
    }
    fn natural(&self) -> Array1<f64> {
        reflect_natural(&self.precision_twin.natural(), self.dim())
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let p = order_at_least(eta.len(), |p| 2 + p + vech_len(p));
        NormalWishart::from_natural(&reflect_natural(eta, p)).map(Self::from).map_err(own_words)
    }
    fn log_partition(&self) -> f64 {
        self.precision_twin.log_partition()
    }
    fn mean_params(&self) -> Array1<f64> {
        reflect(self.precision_twin.mean_params())
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        from_mean_params::<NormalWishart, Self>(mu, own_words)
    }
    fn fisher(&self) -> Array2<f64> {
        reflect_both_sides(self.precision_twin.fisher())
    }
    fn sufficient_stats_given(_: &(), z: &(Array1<f64>, Array2<f64>)) -> Array1<f64> {
        let (mu, sigma) = z;
        let mut packed = vec![f64::NAN; vech_len(mu.len())];
        let (true, Ok(factor)) = (sigma.nrows() == mu.len(), Cholesky::factor(sigma)) else {
            return pack(f64::NEG_INFINITY, packed, &(mu * f64::NAN), f64::NAN);
        };
        vech(&factor.inverse(), 1.0, &mut packed);
        let v = factor.solve(mu);
        let q = mu.dot(&v);
        pack(factor.log_det(), packed, &v, q)
    }
    fn log_base_measure_given(_: &(), z: &(Array1<f64>, Array2<f64>)) -> f64 {
        match positive_definite(FAMILY, "z", &z.1, z.0.len()) {
            Ok(_) => -0.5 * z.0.len() as f64 * LOG_TWO_PI,
            Err(_) => f64::NEG_INFINITY,
        }
    }
    fn expected_log_base_measure(&self) -> f64 {
        self.precision_twin.expected_log_base_measure()
    }
    /// One draw by Bartlett's decomposition, with one triangular solve and no inverse: with Ψ = LLᵀ and A as for
    /// the [`Wishart`](crate::Wishart), Σ = XᵀX for X = A⁻¹Lᵀ and μ = m + Xᵀε/√κ, ε ~ N(0, I).
    fn sample(&self, rng: &mut StreamRng) -> (Array1<f64>, Array2<f64>) {
        let marginal = self.precision_twin.precision_marginal();
        let x = marginal.sample_inverse_root(rng);
        let noise: Array1<f64> = (0..self.dim()).map(|_| standard_normal(rng)).collect();
        let mu = x.t().dot(&noise) / self.count().sqrt() + self.mean();
        (mu, outer_square(&x.t()))
    }

    // Sums over the two stages, by triangular solves with the factor of Σ.
    fn log_prob(&self, z: &(Array1<f64>, Array2<f64>)) -> f64 {
        let (mu, sigma) = z;
        let (p, twin) = (self.dim() as f64, &self.precision_twin);
        let (true, Ok((_, factor))) =
            (mu.len() == self.dim(), positive_definite(FAMILY, "z", sigma, self.dim()))
        else {
            return f64::NEG_INFINITY;
        };
        let mut d = mu - self.mean();
        factor.solve_lower_inplace(&mut d);
        let trace = twin.precision_marginal().inverse_trace(&factor);
        -0.5 * (self.dof() + p + 2.0) * factor.log_det()
            - 0.5 * (trace + self.count() * d.dot(&d))
            - twin.log_partition()
            - 0.5 * p * LOG_TWO_PI
    }
    fn entropy(&self) -> f64 {
        self.precision_twin.entropy() + self.jacobian_power() * self.expected_log_det()
    }
    fn kl(&self, other: &Self) -> f64 {
        self.precision_twin.kl(&other.precision_twin)
    }
    fn expected_log_prob(&self, other: &Self) -> f64 {
        self.precision_twin.expected_log_prob(&other.precision_twin)
            - self.jacobian_power() * self.expected_log_det()
    }
}

/// θ = (mean, count, dof, vech scale).
impl Parametric for NormalInverseWishart {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        self.precision_twin.parameter_blocks()
    }
    fn parameters(&self) -> Array1<f64> {
        let mut theta = self.precision_twin.parameters().to_vec();
        vech(self.scale(), 1.0, &mut theta[self.dim() + 2..]);
        Array1::from(theta)
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        with_parameters(FAMILY, self.dim(), theta, Self::from_mean_count_dof_scale)
    }
    fn natural_jacobian(&self) -> Array2<f64> {
        let mut j = self.precision_twin.natural_jacobian_in_inverse_scale();
        j.slice_mut(s![0, ..]).mapv_inplace(|v| -v);
        j
    }
}

impl Multivariate for NormalInverseWishart {
    /// `E[Σ]` = Ψ/(ν − p − 1) exists for ν > p + 1.
    fn expected_value(&self) -> Option<(Array1<f64>, Array2<f64>)> {
        let excess = self.dof() - self.jacobian_power();
        (excess > 0.0).then(|| (self.mean().clone(), self.scale() / excess))
    }
    /// Exist for ν > p + 3:
    ///
    /// ```text
    /// Var(Σᵢⱼ) = [(ν − p + 1) Ψᵢⱼ² + (ν − p − 1) ΨᵢᵢΨⱼⱼ] / [(ν − p)(ν − p − 1)²(ν − p − 3)]
    /// ```
    fn marginal_variances(&self) -> Option<(Array1<f64>, Array2<f64>)> {
        let free = self.dof() - self.dim() as f64;
        if free <= 3.0 {
            return None;
        }
        let scale = self.scale();
        let location = scale.diag().mapv(|v| v / (free - 1.0) / self.count());
        let covariance = Array2::from_shape_fn(scale.dim(), |(i, j)| {
            let product = scale[[i, i]] / (free - 1.0) * (scale[[j, j]] / (free - 1.0));
            let square = (scale[[i, j]] / (free - 1.0)).powi(2);
            ((free + 1.0) * square + (free - 1.0) * product) / (free * (free - 3.0))
        });
        Some((location, covariance))
    }
    /// (m, Ψ/(ν + p + 2)).
    fn joint_mode(&self) -> Option<(Array1<f64>, Array2<f64>)> {
        Some((self.mean().clone(), self.scale() / (self.dof() + self.dim() as f64 + 2.0)))
    }
    fn support(&self) -> String {
        Multivariate::support(&self.precision_twin)
    }
}
