//! Contract checks: one line covers a new model, kernel or communicator — yours too.
//!
//! Every check panics with what it saw and where. All draw from the key they are given, so a check that passes
//! once passes always; where a bound is statistical, its documentation says how often a correct implementation
//! fails it over all keys.
//!
//! | implemented | check |
//! |---|---|
//! | [`GradLogJoint`](crate::GradLogJoint) | [`check_gradient`], [`check_gradient_against`], [`check_gradient_batch`] |
//! | [`LogJoint::log_joint_batch`](crate::LogJoint::log_joint_batch) | [`check_batch`] |
//! | [`LocalLogJoint`](crate::LocalLogJoint) | [`check_local`] |
//! | [`Subsample`](crate::Subsample) | [`check_subsample`] |
//! | [`Predictive`](crate::Predictive) | [`check_predictive`] |
//! | [`Reported`](crate::Reported) | [`check_reported`] |
//! | [`ConditionallyConjugate`](crate::ConditionallyConjugate) | [`check_conditional`], [`check_conditional_against`] |
//! | [`PlateModel`](crate::PlateModel) | [`check_plate`] |
//! | [`Kernel`](crate::Kernel) | [`check_kernel`] |
//! | [`Communicator`](crate::Communicator) | [`check_exec`] on every rank |
//!
//! What code allocates is counted by [`CountingAllocator`].
//!
//! ```
//! use ndarray::ArrayRef1;
//! use vi_core::testing::check_gradient;
//! use vi_core::{GradLogJoint, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
//!
//! /// τ ~ Gamma(2, 3), up to a constant.
//! struct Gamma(ParameterSpace);
//! impl LogJoint for Gamma {
//!     fn parameters(&self) -> &ParameterSpace { &self.0 }
//!     fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 { z[0].ln() - 3.0 * z[0] }
//! }
//! impl GradLogJoint for Gamma {
//!     fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
//!         grad[0] = 1.0 / z[0] - 3.0;
//!         self.log_joint(z)
//!     }
//! }
//! let space = ParameterSpace::new([Parameter::scalar("tau", Support::Positive)])?;
//! check_gradient(&Gamma(space), 10, StreamKey::from_seed(1));
//! # Ok::<(), vi_core::ParameterError>(())
//! ```

mod allocation;
mod batch;
mod conditional;
mod exec;
mod factors;
mod gradient;
mod kernel;
mod local;
mod moments;
mod natural;
mod plate;
mod points;
mod predictive;
mod reported;

pub use allocation::{Allocations, CountingAllocator};
pub use batch::{check_batch, check_gradient_batch};
pub use conditional::{check_conditional, check_conditional_against};
pub use exec::{check_exec, simulate_ranks};
pub use gradient::{check_gradient, check_gradient_against};
pub use kernel::check_kernel;
pub use local::{check_local, check_subsample};
pub use moments::Moments;
pub use natural::{check_exchangeable, check_exchangeable_at_rest, check_natural};
pub use plate::check_plate;
pub use points::random_points;
pub use predictive::check_predictive;
pub use reported::check_reported;
