//! Exponential-family distributions, and the variational families built from them.

mod error;
mod exponential_family;
mod variational;

pub use error::FamilyError;
pub use exponential_family::ExponentialFamily;
pub use variational::{Reparameterized, VariationalDistribution, VariationalFamily};
