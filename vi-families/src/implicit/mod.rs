//! Derivatives of a draw with respect to the parameters, through the CDF.

mod beta;
mod dirichlet;
mod gamma;
mod truncated_gaussian;
mod von_mises;

pub(crate) use beta::logit_derivatives;

use ndarray::Array2;

use crate::parametric::Parametric;

/// A family whose draws can be differentiated although no transport of fixed noise is at hand.
///
/// Where z = F⁻¹(u; θ) at a fixed u, differentiating F(z; θ) = u gives
///
/// ```text
/// ∂z/∂θ = −(∂F(z; θ)/∂θ) / p(z; θ)
/// ```
/// whatever way z was drawn (Figurnov, Mohamed & Mnih 2018, eq. 5); several coordinates are built from
/// independent ones. For every smooth f with moments
///
/// ```text
/// d/dθ E[f(z)] = E[∇f(z)ᵀ ∂z/∂θ]
/// ```
pub trait ImplicitReparameterized: Parametric {
    /// ∂z/∂θ (D, P) at the draw `z` of D coordinates, θ the usual parameters.
    fn sample_jacobian(&self, z: &Self::Value) -> Array2<f64>;
}
