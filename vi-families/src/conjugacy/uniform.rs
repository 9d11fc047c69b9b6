//! The uniform distribution with unknown upper bound.

use serde::Serialize;

use crate::deserialize::deserialize_checked;
use crate::distributions::{Pareto, log_ratio};
use crate::error::FamilyError;
use crate::predictive::UniformMixture;
use crate::validate::domain;

const NAME: &str = "UniformBound";

/// Data from the uniform distribution on [0, z] with unknown bound z ~ [`Pareto`]: the weight W and the maximum M.
///
/// ```text
/// Π p(x_n | z)^w_n = z^−W for z ≥ M
/// posterior:   Pareto(max(minimum, M), shape + W)      x̂ ~ UniformMixture
/// log p(x):    log k/(k + W) + k log(m/m′) − W log m′,   from minimum m and shape k, with m′ = max(m, M)
/// ```
/// The uniform distributions are no exponential family, for the data move the end of the support of z: this is no
/// [`ConjugateLikelihood`](crate::ConjugateLikelihood), whose data only add to a natural parameter, but it has the
/// same operations. (DeGroot 1970, section 9.7; Fink 1997.)
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct UniformBound {
    n: usize,
    weight: f64,
    maximum: f64,
}

deserialize_checked! {
    UniformBound { n: usize, weight: f64, maximum: f64 } => {
        for (parameter, value) in [("weight", weight), ("maximum", maximum)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(domain(NAME, parameter, value, "finite and ≥ 0"));
            }
        }
        Ok(Self { n, weight, maximum })
    }
}

impl UniformBound {
    /// No data yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one datum with this weight. A weight of zero adds nothing to what is known of the bound.
    ///
    /// # Errors
    /// [`FamilyError`] when the weight is negative or not finite or the datum negative or not finite; nothing is
    /// added then.
    pub fn push(&mut self, x: f64, weight: f64) -> Result<(), FamilyError> {
        if !(weight >= 0.0 && weight.is_finite()) {
            return Err(domain(NAME, format!("weights[{}]", self.n), weight, "finite and ≥ 0"));
        }
        if !(x >= 0.0 && x.is_finite()) {
            let value = format!("{x:?}");
            return Err(FamilyError::OutsideSupport { family: NAME, index: self.n, value });
        }
        if weight > 0.0 {
            self.maximum = self.maximum.max(x);
        }
        self.weight += weight;
        self.n += 1;
        Ok(())
    }

    /// Adds the observations of other data.
    pub fn merge(&mut self, other: &Self) {
        self.maximum = self.maximum.max(other.maximum);
        self.weight += other.weight;
        self.n += other.n;
    }

    /// How many data were added.
    pub fn n(&self) -> usize {
        self.n
    }

    /// The sum W of the weights.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// The largest datum M of positive weight; 0 before the first.
    pub fn maximum(&self) -> f64 {
        self.maximum
    }

    /// p(z | x) ∝ p(z) Π p(x_n | z)^{w_n}.
    ///
    /// # Errors
    /// [`FamilyError`] when the shape or the minimum leaves the range of `f64`.
    pub fn posterior(&self, prior: &Pareto) -> Result<Pareto, FamilyError> {
        Pareto::from_minimum_shape(prior.minimum().max(self.maximum), prior.shape() + self.weight)
    }

    /// log ∫ p(z) Π p(x_n | z)^{w_n} dz: with weights of one, the log marginal likelihood of the data.
    pub fn log_marginal_likelihood(&self, prior: &Pareto) -> f64 {
        let (minimum, shape) = (prior.minimum().max(self.maximum), prior.shape());
        let moved = shape * log_ratio(minimum, prior.minimum());
        -(self.weight / shape).ln_1p() - moved - self.weight * minimum.ln()
    }

    /// The predictive distribution of one datum under `prior`, which may be a posterior.
    pub fn predictive(prior: &Pareto) -> UniformMixture {
        UniformMixture::from_bound(prior.clone())
    }
}
