//! What every distribution of vectors or matrices can be asked besides the calculus of η.

use crate::exponential_family::ExponentialFamily;

/// A distribution whose values have several coordinates.
pub trait Multivariate: ExponentialFamily {
    /// `E[z]`, in the shape of a value; `None` where it does not exist.
    fn expected_value(&self) -> Option<<Self::Value as ToOwned>::Owned>;
    /// `Var[z_i]` of every coordinate, in the shape of a value; `None` where one does not exist.
    fn marginal_variances(&self) -> Option<<Self::Value as ToOwned>::Owned>;
    /// The point of largest density; `None` where the density is unbounded or largest at the edge.
    fn joint_mode(&self) -> Option<<Self::Value as ToOwned>::Owned>;
    /// The support in words and symbols, as `positive-definite matrices of order 3`.
    fn support(&self) -> String;
}
