//! Gaussians as affine transports of standard normal noise.

use super::{
    BlockDiagonalGaussianMember, FullRankGaussianMember, LowRankGaussianMember, MeanFieldGaussianMember,
    Reparameterized,
};

/// A member z = t_λ(ε) = m + Lε with ε ~ N(0, I), m and L functions of λ.
///
/// Expectations of polynomials in ε are then known: E ε = 0, E εεᵀ = I, and odd moments vanish. The points t_λ(±e_j) lie one
/// standard deviation from the mean.
pub trait GaussianTransport: Reparameterized {}

impl GaussianTransport for MeanFieldGaussianMember {}
impl GaussianTransport for FullRankGaussianMember {}
impl GaussianTransport for LowRankGaussianMember {}
impl GaussianTransport for BlockDiagonalGaussianMember<'_> {}
