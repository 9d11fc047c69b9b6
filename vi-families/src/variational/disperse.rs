//! Members with heavier tails, as proposals.

use super::{
    BlockDiagonalGaussianMember, FullRankGaussianMember, LowRankGaussianMember, MeanFieldGaussianMember,
    ProductMember, VariationalDistribution,
};
use crate::error::FamilyError;
use crate::validate::domain;

/// A member whose powers, normalised, are easy to draw from.
///
/// ```text
/// r(z) ∝ q_λ(z)^{1/τ},   η_r = η/τ for an exponential family with a constant base measure
///
/// Gaussian      the same mean, all standard deviations √τ times as large
/// Gamma         shape 1 + (a − 1)/τ, rate b/τ
/// Beta          α and β each 1 + (α − 1)/τ;  Dirichlet: the same for every concentration
/// Bernoulli     logit/τ;  categorical: all log odds over τ
/// ```
/// Source: Ruiz, Titsias & Blei 2016, §3, <https://arxiv.org/abs/1603.01140>.
pub trait Disperse: VariationalDistribution {
    /// The law of the proposal, over the same z.
    type Dispersed: VariationalDistribution;

    /// The normalised power 1/τ of the density, τ the `dispersion`.
    ///
    /// # Errors
    /// [`FamilyError`] when τ is not finite or below 1, or when the proposal leaves the range of `f64`.
    fn disperse(&self, dispersion: f64) -> Result<Self::Dispersed, FamilyError>;
}

/// √τ, if τ is valid.
fn stretch(family: &'static str, dispersion: f64) -> Result<f64, FamilyError> {
    valid(family, dispersion).map(f64::sqrt)
}

fn valid(family: &'static str, dispersion: f64) -> Result<f64, FamilyError> {
    if dispersion >= 1.0 && dispersion.is_finite() {
        Ok(dispersion)
    } else {
        Err(domain(family, "dispersion", dispersion, "finite and at least 1"))
    }
}

impl Disperse for MeanFieldGaussianMember {
    type Dispersed = Self;

    fn disperse(&self, dispersion: f64) -> Result<Self, FamilyError> {
        Ok(self.stretched(stretch("MeanFieldGaussian", dispersion)?))
    }
}

impl Disperse for FullRankGaussianMember {
    type Dispersed = Self;

    fn disperse(&self, dispersion: f64) -> Result<Self, FamilyError> {
        Ok(self.stretched(stretch("FullRankGaussian", dispersion)?))
    }
}

impl Disperse for LowRankGaussianMember {
    type Dispersed = Self;

    fn disperse(&self, dispersion: f64) -> Result<Self, FamilyError> {
        Ok(self.stretched(stretch("LowRankGaussian", dispersion)?))
    }
}

impl Disperse for BlockDiagonalGaussianMember<'_> {
    type Dispersed = Self;

    fn disperse(&self, dispersion: f64) -> Result<Self, FamilyError> {
        Ok(self.stretched(stretch("BlockDiagonalGaussian", dispersion)?))
    }
}

impl Disperse for ProductMember<'_> {
    type Dispersed = Self;

    fn disperse(&self, dispersion: f64) -> Result<Self, FamilyError> {
        self.tempered(valid("ProductFamily", dispersion)?)
    }
}
