//! Members with heavier tails, as proposals.

use super::{
    BlockDiagonalGaussianMember, FactorizedDistribution, FullRankGaussianMember, LowRankGaussianMember,
    MeanFieldGaussianMember, ProductMember, VariationalDistribution,
};
use crate::error::FamilyError;
use crate::validate::{domain, length};

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

/// A product whose factors are dispersed each by itself.
///
/// ```text
/// r(z) = Π_i r_i(z_i),   r_i ∝ q_i^{1/τ_i}
/// ```
pub trait DisperseFactors: FactorizedDistribution + Disperse<Dispersed: FactorizedDistribution> {
    /// The normalised powers 1/τ_i of the factors' densities, τ_i the `dispersions`, one for every factor.
    ///
    /// # Errors
    /// [`FamilyError`] when there are not as many as factors, or as for [`Disperse::disperse`].
    fn disperse_factors(&self, dispersions: &[f64]) -> Result<Self::Dispersed, FamilyError>;
}

/// The dispersions, if there is a valid one for every factor.
fn valid_each<'a, Q: FactorizedDistribution>(
    family: &'static str,
    q: &Q,
    dispersions: &'a [f64],
) -> Result<&'a [f64], FamilyError> {
    length(family, "dispersions", dispersions.len(), q.n_factors())?;
    dispersions.iter().try_for_each(|d| valid(family, *d).map(|_| ()))?;
    Ok(dispersions)
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
        let factor = stretch("MeanFieldGaussian", dispersion)?;
        Ok(self.stretched(|_| factor))
    }
}

impl DisperseFactors for MeanFieldGaussianMember {
    fn disperse_factors(&self, dispersions: &[f64]) -> Result<Self, FamilyError> {
        let dispersions = valid_each("MeanFieldGaussian", self, dispersions)?;
        Ok(self.stretched(|i| dispersions[i].sqrt()))
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
        let factor = stretch("BlockDiagonalGaussian", dispersion)?;
        Ok(self.stretched(|_| factor))
    }
}

impl DisperseFactors for BlockDiagonalGaussianMember<'_> {
    fn disperse_factors(&self, dispersions: &[f64]) -> Result<Self, FamilyError> {
        let dispersions = valid_each("BlockDiagonalGaussian", self, dispersions)?;
        Ok(self.stretched(|i| dispersions[i].sqrt()))
    }
}

impl Disperse for ProductMember<'_> {
    type Dispersed = Self;

    fn disperse(&self, dispersion: f64) -> Result<Self, FamilyError> {
        let dispersion = valid("ProductFamily", dispersion)?;
        self.tempered(|_| dispersion)
    }
}

impl DisperseFactors for ProductMember<'_> {
    fn disperse_factors(&self, dispersions: &[f64]) -> Result<Self, FamilyError> {
        let dispersions = valid_each("ProductFamily", self, dispersions)?;
        self.tempered(|i| dispersions[i])
    }
}
