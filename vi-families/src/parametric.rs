//! The usual parameters of a family and an unconstrained form of them.

use ndarray::{Array1, Array2, ArrayRef1};

use crate::coordinates::Coordinates;
use crate::error::FamilyError;
use crate::exponential_family::ExponentialFamily;
use crate::validate::length;

/// A group of usual parameters: what they are called and where they live.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterBlock {
    /// The name in the literature, as in the constructors: `shape`, `mean`, `covariance`.
    pub name: &'static str,
    /// Where the block lives.
    pub coordinates: Coordinates,
}

/// A family with usual parameters θ besides η, of the same number P.
///
/// ```text
/// F_θ = JᵀF_η J      ∇_θ log p = Jᵀ(T(z) − μ)      J = ∂η/∂θ
/// ```
/// φ ∈ ℝᴾ is θ through the unconstraining maps of its blocks (see [`Coordinates`]).
pub trait Parametric: ExponentialFamily {
    /// The blocks of θ in their order.
    fn parameter_blocks(&self) -> Vec<ParameterBlock>;
    /// θ (P).
    fn parameters(&self) -> Array1<f64>;
    /// The member of the same family and size with usual parameters θ (P).
    ///
    /// # Errors
    /// [`FamilyError`] names the parameter outside its domain and its value.
    fn with_parameters(&self, theta: &ArrayRef1<f64>) -> Result<Self, FamilyError>;
    /// J = ∂η/∂θ (P, P): row i has the derivatives of η_i.
    fn natural_jacobian(&self) -> Array2<f64>;

    /// The Fisher information in θ, JᵀF_η J (P, P).
    fn fisher_in_parameters(&self) -> Array2<f64> {
        let j = self.natural_jacobian();
        let mut fisher = j.t().dot(&self.fisher()).dot(&j);
        // Rounding tells mirror images apart where J is ill-conditioned.
        for i in 0..fisher.nrows() {
            for k in 0..i {
                let mean = 0.5 * (fisher[[i, k]] + fisher[[k, i]]);
                (fisher[[i, k]], fisher[[k, i]]) = (mean, mean);
            }
        }
        fisher
    }
    /// The score ∇_θ log p(z) = Jᵀ(T(z) − μ) (P).
    fn score_in_parameters(&self, z: &Self::Value) -> Array1<f64> {
        self.natural_jacobian().t().dot(&self.score(z))
    }
    /// φ ∈ ℝᴾ.
    fn unconstrained(&self) -> Array1<f64> {
        let theta = self.parameters().to_vec();
        let mut phi = vec![0.0; theta.len()];
        let mut start = 0;
        for block in self.parameter_blocks() {
            let end = start + block.coordinates.n_params();
            block.coordinates.unconstrain(&theta[start..end], &mut phi[start..end]);
            start = end;
        }
        Array1::from(phi)
    }
    /// The member of the same family and size with unconstrained parameters φ (P).
    ///
    /// # Errors
    /// [`FamilyError`] when φ has another length, is not finite, or so large that θ leaves the range of `f64`.
    fn with_unconstrained(&self, phi: &ArrayRef1<f64>) -> Result<Self, FamilyError> {
        length(Self::NAME, "unconstrained parameter", phi.len(), self.n_params())?;
        crate::validate::finite_vector(Self::NAME, "unconstrained parameter", phi)?;
        let phi = phi.to_vec();
        let mut theta = vec![0.0; phi.len()];
        let mut start = 0;
        for block in self.parameter_blocks() {
            let end = start + block.coordinates.n_params();
            block.coordinates.constrain(&phi[start..end], &mut theta[start..end]);
            start = end;
        }
        self.with_parameters(&Array1::from(theta))
    }
    /// ∂θ/∂φ (P, P) at this member.
    fn unconstrained_jacobian(&self) -> Array2<f64> {
        let phi = self.unconstrained().to_vec();
        let mut jacobian = Array2::zeros((phi.len(), phi.len()));
        let mut start = 0;
        for block in self.parameter_blocks() {
            let end = start + block.coordinates.n_params();
            let mut part = jacobian.slice_mut(ndarray::s![start..end, start..end]);
            block.coordinates.jacobian(&phi[start..end], &mut part);
            start = end;
        }
        jacobian
    }
    /// The score ∇_φ log p(z) (P).
    fn score_unconstrained(&self, z: &Self::Value) -> Array1<f64> {
        self.unconstrained_jacobian().t().dot(&self.score_in_parameters(z))
    }
}
