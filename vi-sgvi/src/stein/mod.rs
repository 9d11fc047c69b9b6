//! Stein variational gradient descent: particles that move together until they stand for the posterior.
//!
//! | file | what |
//! |---|---|
//! | `direction` | the direction in which every particle moves, the kernelised Stein discrepancy, the [`Bandwidth`] |
//! | `kernel` | [`SteinGradient`], its [`SteinState`] and [`SteinInfo`], the stop rule [`SlowParticles`] |
//! | `posterior` | [`ParticlePosterior`] |
//! | `fit` | [`SteinSettings`], [`fit_stein`] |

mod direction;
mod fit;
mod kernel;
mod posterior;

pub use direction::{Bandwidth, kernelised_stein_discrepancy};
pub use fit::{SteinFit, SteinSettings, fit_stein};
pub use kernel::{SlowParticles, SteinGradient, SteinInfo, SteinState};
pub use posterior::ParticlePosterior;
