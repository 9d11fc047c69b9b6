//! What every distribution of one variable can be asked besides the calculus of η.

use crate::exponential_family::ExponentialFamily;

/// A distribution on a subset of ℝ, with its values as `f64`: counts and truth values as whole numbers.
pub trait Univariate: ExponentialFamily {
    /// Whether the values are whole numbers.
    const DISCRETE: bool;

    /// A value of the family's own type as a number.
    fn to_f64(z: &Self::Value) -> f64;
    /// The value at the number `x`; `None` where `x` is no value of the type, as 0.5 of a count.
    fn from_f64(x: f64) -> Option<<Self::Value as ToOwned>::Owned>;
    /// The ends of the support; they belong to it only when they are values of a discrete family.
    fn support(&self) -> (f64, f64);
    /// `E[z]`; ±∞ where it diverges, NaN where it is undefined.
    fn mean(&self) -> f64;
    /// `Var[z]`; +∞ where it diverges, NaN where it is undefined.
    fn variance(&self) -> f64;
    /// A point where the density is largest, possibly an end of the support; the smallest one of several.
    /// NaN where there is no one answer: at two ends with infinite density.
    fn mode(&self) -> f64;
    /// P(z ≤ x), for every `x` from −∞ to +∞; NaN at NaN.
    fn cdf(&self, x: f64) -> f64;
    /// P(z > x), with its relative accuracy where it is small.
    fn survival(&self, x: f64) -> f64;
    /// The smallest x with P(z ≤ x) ≥ `p`; the ends of the support at 0 and 1, NaN outside [0, 1].
    fn quantile(&self, p: f64) -> f64;
}
