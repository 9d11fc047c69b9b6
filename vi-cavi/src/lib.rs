#![doc = include_str!("../README.md")]
//!
//! # Map
//!
//! | module | what |
//! |---|---|
//! | `kernel` | [`Cavi`]: one sweep over the blocks as a [`vi_core::Kernel`]; its [`CaviState`] and [`CaviInfo`] |
//! | `stop` | [`ElboTolerance`]: when a fit has converged |
//! | `settings` | [`CaviSettings`], as an experiment file names them |
//! | `fit` | [`fit()`] and [`Fit`]: restarts, stop rules, observers, resuming; [`CaviFit`] |
//! | `posterior` | [`CaviPosterior`]: the fitted factors as a [`vi_core::Posterior`] |
//! | `error` | [`CaviError`] |

mod error;
mod fit;
mod kernel;
mod posterior;
mod settings;
mod stop;

pub use error::CaviError;
pub use fit::{CaviFit, Fit, FitOf, Observers, Restart, fit};
pub use kernel::{Cavi, CaviInfo, CaviState, FALL_TOLERANCE, StateOf};
pub use posterior::CaviPosterior;
pub use settings::CaviSettings;
pub use stop::ElboTolerance;
