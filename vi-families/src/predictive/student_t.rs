//! Student's t distribution with location and scale.

use serde::{Deserialize, Serialize};
use vi_core::StreamRng;

use super::PredictiveDistribution;
use super::student_t_tail::{upper_quantile, upper_tail};
use crate::draw::{log_gamma_variate, standard_normal};
use crate::error::FamilyError;
use crate::special::{digamma_difference, log_beta};
use crate::validate::{finite, positive};

const FAMILY: &str = "StudentT";

/// Student's t distribution on ℝ: location + scale · Z/√(V/ν) with Z ~ N(0, 1) and V ~ χ²(ν).
///
/// ```text
/// p(x) = Γ((ν + 1)/2) / (Γ(ν/2) √(νπ) scale) · (1 + t²/ν)^(−(ν + 1)/2),  t = (x − location)/scale
/// ```
/// The predictive distribution of a Gaussian with unknown variance (Murphy 2007, "Conjugate Bayesian analysis of
/// the Gaussian distribution", eq. 110). It is not an exponential family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudentT {
    location: f64,
    scale: f64,
    dof: f64,
}

impl StudentT {
    /// The distribution with this location, scale and degrees of freedom ν.
    ///
    /// # Errors
    /// [`FamilyError`] unless the location is finite and the others finite and positive.
    pub fn from_location_scale_dof(location: f64, scale: f64, dof: f64) -> Result<Self, FamilyError> {
        Ok(Self {
            location: finite(FAMILY, "location", location)?,
            scale: positive(FAMILY, "scale", scale)?,
            dof: positive(FAMILY, "dof", dof)?,
        })
    }

    /// The location: median, mode, and mean where it exists.
    pub fn location(&self) -> f64 {
        self.location
    }

    /// The scale.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The degrees of freedom ν.
    pub fn dof(&self) -> f64 {
        self.dof
    }

    /// `E[x]`; NaN for ν ≤ 1, where it is undefined.
    pub fn mean(&self) -> f64 {
        if self.dof > 1.0 { self.location } else { f64::NAN }
    }

    /// `Var[x]` = scale² ν/(ν − 2); ∞ for 1 < ν ≤ 2, NaN for ν ≤ 1.
    pub fn variance(&self) -> f64 {
        if self.dof > 2.0 {
            self.scale * self.scale * (self.dof / (self.dof - 2.0))
        } else if self.dof > 1.0 {
            f64::INFINITY
        } else {
            f64::NAN
        }
    }

    /// `−E[log p(x)]`.
    ///
    /// ```text
    /// (ν + 1)/2 [ψ((ν + 1)/2) − ψ(ν/2)] + log √ν B(ν/2, ½) + log scale
    /// ```
    pub fn entropy(&self) -> f64 {
        0.5 * (self.dof + 1.0) * digamma_difference(0.5 * self.dof, 0.5) - self.log_normalizer()
    }

    /// log p at the location.
    fn log_normalizer(&self) -> f64 {
        -log_beta(0.5 * self.dof, 0.5) - 0.5 * self.dof.ln() - self.scale.ln()
    }

    /// log p(x); −∞ at ±∞.
    pub fn log_prob(&self, x: f64) -> f64 {
        let r = ((x - self.location) / self.scale / self.dof.sqrt()).abs();
        let log_one_plus_square = if r == f64::INFINITY {
            // The distance or the ratio overflows, its logarithm does not.
            let log_distance = (0.5 * x - 0.5 * self.location).abs().ln() + std::f64::consts::LN_2;
            2.0 * (log_distance - self.scale.ln()) - self.dof.ln()
        } else {
            log_one_plus_square(r)
        };
        self.log_normalizer() - 0.5 * (self.dof + 1.0) * log_one_plus_square
    }

    /// P(X ≤ x); NaN at NaN.
    ///
    /// ```text
    /// P(T ≤ −t) = P(T > t) = ½ I_x(ν/2, ½),  x = ν/(ν + t²),  t > 0
    /// ```
    /// (Abramowitz & Stegun 1964, 26.7.1.)
    pub fn cdf(&self, x: f64) -> f64 {
        self.standard_survival(-(x - self.location) / self.scale)
    }

    /// P(X > x), with its relative accuracy where it is small; NaN at NaN.
    pub fn survival(&self, x: f64) -> f64 {
        self.standard_survival((x - self.location) / self.scale)
    }

    /// The x with P(X ≤ x) = `p`; −∞ and ∞ at 0 and 1 and where x leaves the range of `f64`, NaN outside [0, 1].
    pub fn quantile(&self, p: f64) -> f64 {
        if !(0.0..=1.0).contains(&p) {
            return f64::NAN;
        }
        let t = if p < 0.5 { -upper_quantile(self.dof, p) } else { upper_quantile(self.dof, 1.0 - p) };
        self.location + self.scale * t
    }

    /// P(T > t) of the standard distribution.
    fn standard_survival(&self, t: f64) -> f64 {
        if t < 0.0 { 1.0 - upper_tail(self.dof, -t) } else { upper_tail(self.dof, t) }
    }

    /// One draw; where it would overflow it is the largest number.
    pub fn sample(&self, rng: &mut StreamRng) -> f64 {
        let z = standard_normal(rng) * root_inverse_chi_squared(self.dof, rng);
        (self.location + self.scale * z).clamp(f64::MIN, f64::MAX)
    }
}

/// log(1 + r²), with no overflow.
pub(super) fn log_one_plus_square(r: f64) -> f64 {
    if r > 1e9 { 2.0 * r.ln() } else { (r * r).ln_1p() }
}

/// √(ν/V) with V ~ χ²(ν), kept finite.
pub(super) fn root_inverse_chi_squared(dof: f64, rng: &mut StreamRng) -> f64 {
    let half = 0.5 * dof;
    (0.5 * (half.ln() - log_gamma_variate(half, rng))).exp().min(f64::MAX)
}

impl PredictiveDistribution for StudentT {
    type Value = f64;
    fn log_predictive(&self, x: &f64) -> f64 {
        self.log_prob(*x)
    }
    fn sample_predictive(&self, rng: &mut StreamRng) -> f64 {
        self.sample(rng)
    }
}

#[cfg(test)]
mod tests {
    use super::StudentT;

    /// In the middle x/scale overflows, in the last one x − location; by mpmath at 50 digits.
    #[test]
    fn log_densities_far_out() {
        for (location, scale, dof, x, expected) in [
            (0.5, 2.0, 3.0, 1000000000.0, -79.6172860763931),
            (0.0, 1e-200, 3.0, 1e+200, -3222.422794463951),
            (1.5, 1e-10, 0.25, -1e+308, -894.6559641353223),
            (-1.5e+308, 2.0, 2.5, 1.5e+308, -2483.7121361192004),
        ] {
            let q = StudentT::from_location_scale_dof(location, scale, dof).unwrap();
            let value = q.log_prob(x);
            assert!((value / expected - 1.0_f64).abs() < 1e-14, "log p({x}) is {value}, not {expected}");
        }
        let q = StudentT::from_location_scale_dof(0.0, 1e-200, 3.0).unwrap();
        assert_eq!(q.log_prob(f64::INFINITY), f64::NEG_INFINITY);
        assert!(q.log_prob(f64::NAN).is_nan());
    }
}
