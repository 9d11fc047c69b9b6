//! Contract checks: one line covers a new family — yours too.
//!
//! Every check panics with what it saw and where. All draw from the key they are given, so a check that passes
//! once passes always; where a bound is statistical, its documentation says how often a correct implementation
//! fails it over all keys.
//!
//! | implemented | check |
//! |---|---|
//! | [`ExponentialFamily`](crate::ExponentialFamily) | [`check_exponential_family`], [`check_calculus`], [`check_any_vector`] |
//! | [`Parametric`](crate::Parametric) | [`check_parametric`] |
//! | [`Univariate`](crate::Univariate) | [`check_univariate`] |
//! | [`Multivariate`](crate::Multivariate) | [`check_multivariate`] |
//! | [`Quadrature`], several coordinates | [`check_normalised`] |
//! | [`ConjugateLikelihood`](crate::ConjugateLikelihood) | [`check_conjugate`] |
//! | [`VariationalFamily`](crate::VariationalFamily) | [`check_variational_family`] |
//! | [`PlateFamily`](crate::PlateFamily) | [`check_plate_family`], [`check_plate_family_against`] |
//! | [`Reparameterized`](crate::Reparameterized) | [`check_reparameterized`] |
//! | [`DifferentiableDensity`](crate::DifferentiableDensity) | [`check_differentiable_density`] |
//!
//! ```
//! use vi_core::StreamKey;
//! use vi_families::{Gamma, testing::check_exponential_family};
//!
//! let members = [Gamma::from_shape_rate(2.0, 3.0)?, Gamma::from_shape_rate(0.5, 0.1)?];
//! check_exponential_family(&members, StreamKey::from_seed(1));
//! # Ok::<(), vi_families::FamilyError>(())
//! ```

mod conjugacy;
mod differentiable_density;
mod exponential_family;
mod fit;
mod lines;
mod multivariate;
mod normalised;
mod parametric;
mod plate;
mod points;
mod quadrature;
mod reparameterized;
mod statistics;
mod univariate;
mod variational_family;

pub use conjugacy::check_conjugate;
pub use differentiable_density::check_differentiable_density;
pub use exponential_family::{check_any_vector, check_calculus, check_exponential_family};
pub use multivariate::{Flat, check_multivariate};
pub use normalised::{Quadrature, check_normalised};
pub use parametric::check_parametric;
pub use plate::{check_plate_family, check_plate_family_against};
pub use reparameterized::check_reparameterized;
pub use univariate::check_univariate;
pub use variational_family::check_variational_family;
