//! The inverse-Wishart distribution of a covariance matrix.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use vi_core::StreamRng;
use vi_core::linalg::Cholesky;

use super::Wishart;
use crate::coordinates::Coordinates;
use crate::distributions::joint::twin::{
    from_mean_params, order_at_least, reflect, reflect_both_sides, reflect_natural, rename_scales,
};
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::multivariate::Multivariate;
use crate::parametric::{ParameterBlock, Parametric};
use crate::symmetric::{from_vech, vech, vech_len};
use crate::triangular::outer_square;
use crate::validate::{length, positive_definite};

const FAMILY: &str = "InverseWishart";

/// The inverse-Wishart distribution on the symmetric positive-definite p×p matrices: the law of Λ⁻¹ for
/// Λ ~ [`Wishart`] of the inverse scale Ψ.
///
/// ```text
/// p(Σ) ∝ |Σ|^(−(ν + p + 1)/2) exp(−½ tr(ΨΣ⁻¹)),  ν > p − 1      (Gelman et al. 2013, table A.1)
/// T(Σ) = (log|Σ|, vech(Σ⁻¹))      η = (−(ν + p + 1)/2, dual(−½Ψ))      h(Σ) = 1
/// ```
/// with the layout of [`symmetric`](crate::symmetric) and densities over the lower triangle of Σ. The limits of the
/// parameters are those of [`Wishart`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InverseWishart {
    precision_twin: Wishart,
}

impl From<Wishart> for InverseWishart {
    /// The law of Λ⁻¹ for Λ distributed as the twin.
    fn from(precision_twin: Wishart) -> Self {
        Self { precision_twin }
    }
}

impl From<InverseWishart> for Wishart {
    /// The law of Σ⁻¹.
    fn from(member: InverseWishart) -> Self {
        member.precision_twin
    }
}

impl InverseWishart {
    /// The member with these degrees of freedom and scale Ψ (p, p).
    ///
    /// # Errors
    /// [`FamilyError`] unless p − 1 < dof ≤ 10³⁰⁰ and the scale is symmetric positive definite.
    pub fn from_dof_scale(dof: f64, scale: &ArrayRef2<f64>) -> Result<Self, FamilyError> {
        Wishart::from_dof_inverse_scale(dof, scale).map(Self::from).map_err(own_words)
    }

    /// The member with these degrees of freedom and inverse scale Ψ⁻¹ (p, p), the scale of the law of Σ⁻¹.
    ///
    /// # Errors
    /// [`FamilyError`] unless p − 1 < dof ≤ 10³⁰⁰ and the matrix is symmetric positive definite.
    pub fn from_dof_inverse_scale(dof: f64, inverse_scale: &ArrayRef2<f64>) -> Result<Self, FamilyError> {
        Wishart::from_dof_scale(dof, inverse_scale).map(Self::from).map_err(own_words)
    }

    /// The law of Σ⁻¹.
    pub fn precision_twin(&self) -> &Wishart {
        &self.precision_twin
    }

    /// The order p of the matrices.
    pub fn order(&self) -> usize {
        self.precision_twin.order()
    }

    /// The degrees of freedom ν.
    pub fn dof(&self) -> f64 {
        self.precision_twin.dof()
    }

    /// The scale Ψ (p, p).
    pub fn scale(&self) -> &Array2<f64> {
        self.precision_twin.inverse_scale()
    }

    /// Ψ⁻¹ (p, p).
    pub fn inverse_scale(&self) -> &Array2<f64> {
        self.precision_twin.scale()
    }

    /// `E[Σ⁻¹]` = νΨ⁻¹ (p, p).
    pub fn expected_inverse(&self) -> Array2<f64> {
        self.precision_twin.mean()
    }

    /// `E[log |Σ|]` = log |Ψ| − p log 2 − ψ_p(ν/2).
    pub fn expected_log_det(&self) -> f64 {
        -self.precision_twin.expected_log_det()
    }

    /// p + 1, the power of |Σ| in the Jacobian of Λ = Σ⁻¹.
    fn jacobian_power(&self) -> f64 {
        (self.order() + 1) as f64
    }
}

fn own_words(error: FamilyError) -> FamilyError {
    rename_scales(error, FAMILY)
}

impl ExponentialFamily for InverseWishart {
    type Value = ArrayRef2<f64>;
    type Fixed = ();
    const NAME: &'static str = FAMILY;

    fn fixed(&self) {}
    fn n_params(&self) -> usize {
        self.precision_twin.n_params()
    }
    fn natural(&self) -> Array1<f64> {
        reflect_natural(&self.precision_twin.natural(), self.order())
    }
    fn from_natural_given(_: &(), eta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        let p = order_at_least(eta.len(), |p| 1 + vech_len(p));
        Wishart::from_natural(&reflect_natural(eta, p)).map(Self::from).map_err(own_words)
    }
    fn log_partition(&self) -> f64 {
        self.precision_twin.log_partition()
    }
    fn mean_params(&self) -> Array1<f64> {
        reflect(self.precision_twin.mean_params())
    }
    fn from_mean_params_given(_: &(), mu: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        from_mean_params::<Wishart, Self>(mu, own_words)
    }
    fn fisher(&self) -> Array2<f64> {
        reflect_both_sides(self.precision_twin.fisher())
    }
    fn sufficient_stats_given(_: &(), z: &ArrayRef2<f64>) -> Array1<f64> {
        let mut t = vec![f64::NAN; 1 + vech_len(z.nrows())];
        if let Ok(factor) = Cholesky::factor(z) {
            t[0] = factor.log_det();
            vech(&factor.inverse(), 1.0, &mut t[1..]);
        }
        Array1::from(t)
    }
    fn log_base_measure_given(_: &(), z: &ArrayRef2<f64>) -> f64 {
        Wishart::log_base_measure_given(&(), z)
    }
    fn expected_log_base_measure(&self) -> f64 {
        0.0
    }
    /// One draw (p, p) by Bartlett's decomposition and one triangular solve: Σ = XᵀX with X = A⁻¹Lᵀ for Ψ = LLᵀ and
    /// the A of the [`Wishart`], with its remark on degrees of freedom near p − 1.
    fn sample(&self, rng: &mut StreamRng) -> Array2<f64> {
        outer_square(&self.precision_twin.sample_inverse_root(rng).t())
    }

    fn log_prob(&self, z: &ArrayRef2<f64>) -> f64 {
        let Ok((_, factor)) = positive_definite(FAMILY, "z", z, self.order()) else {
            return f64::NEG_INFINITY;
        };
        -0.5 * (self.dof() + self.jacobian_power()) * factor.log_det()
            - 0.5 * self.precision_twin.inverse_trace(&factor)
            - self.log_partition()
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

impl Parametric for InverseWishart {
    fn parameter_blocks(&self) -> Vec<ParameterBlock> {
        let p = self.order();
        vec![
            ParameterBlock { name: "dof", coordinates: Coordinates::Above { bound: p as f64 - 1.0 } },
            ParameterBlock { name: "scale", coordinates: Coordinates::PositiveDefinite { order: p } },
        ]
    }
    /// The degrees of freedom and vech of the scale.
    fn parameters(&self) -> Array1<f64> {
        let mut theta = vec![self.dof(); self.n_params()];
        vech(self.scale(), 1.0, &mut theta[1..]);
        Array1::from(theta)
    }
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(FAMILY, "usual parameter", theta.len(), self.n_params())?;
        let theta = theta.to_vec();
        Self::from_dof_scale(theta[0], &from_vech(self.order(), &theta[1..], 1.0))
    }
    /// Diagonal: −½ for the degrees of freedom, dual(−½ ·) for the scale.
    fn natural_jacobian(&self) -> Array2<f64> {
        let mut diagonal = vec![-0.5; self.n_params()];
        crate::symmetric::dual(&Array2::ones((self.order(), self.order())), -0.5, &mut diagonal[1..]);
        Array2::from_diag(&Array1::from(diagonal))
    }
}

impl Multivariate for InverseWishart {
    /// Ψ/(ν − p − 1) exists for ν > p + 1.
    fn expected_value(&self) -> Option<Array2<f64>> {
        let excess = self.dof() - self.jacobian_power();
        (excess > 0.0).then(|| self.scale() / excess)
    }
    /// Exist for ν > p + 3:
    ///
    /// ```text
    /// Var(Σᵢⱼ) = [(ν − p + 1) Ψᵢⱼ² + (ν − p − 1) ΨᵢᵢΨⱼⱼ] / [(ν − p)(ν − p − 1)²(ν − p − 3)]
    /// ```
    fn marginal_variances(&self) -> Option<Array2<f64>> {
        let free = self.dof() - self.order() as f64;
        let s = self.scale();
        (free > 3.0).then(|| {
            let divisor = free * (free - 1.0) * (free - 1.0) * (free - 3.0);
            Array2::from_shape_fn(s.dim(), |(i, j)| {
                ((free + 1.0) * s[[i, j]] * s[[i, j]] + (free - 1.0) * s[[i, i]] * s[[j, j]]) / divisor
            })
        })
    }
    /// Ψ/(ν + p + 1).
    fn joint_mode(&self) -> Option<Array2<f64>> {
        Some(self.scale() / (self.dof() + self.jacobian_power()))
    }
    fn support(&self) -> String {
        self.precision_twin.support()
    }
}
