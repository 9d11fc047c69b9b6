#![doc = include_str!("../README.md")]
//!
//! # Map
//!
//! | module | what |
//! |---|---|
//! | `kernel` | [`Cavi`]: one sweep over the blocks as a [`vi_core::Kernel`]; its [`CaviState`] and [`CaviInfo`] |
//! | `stop` | [`ElboTolerance`]: when a fit has converged |
//! | `settings` | [`CaviSettings`], as an experiment file names them |
//! | `stationary` | [`CheckStationary`]: whether every new factor is the optimum of its block |
//! | `fit` | [`fit()`] and [`Fit`]: restarts, stop rules, observers, resuming; [`CaviFit`] |
//! | `optima` | [`Optimum`]: what restarts found, and how often; [`group_optima`] |
//! | `ascent` | [`Ascent`]: what a fit needs of a kernel |
//! | `damped` | [`DampedCavi`]: damping, deterministic [`Annealing`] |
//! | `moves` | [`MovingCavi`]: splits, merges and deletions of components |
//! | `stochastic` | [`Svi`], [`fit_stochastic`]: natural-gradient steps on minibatches; [`LearningRate`] |
//! | `posterior` | [`CaviPosterior`]: the fitted factors as a [`vi_core::Posterior`] |
//! | `error` | [`CaviError`] |

mod ascent;
mod damped;
mod error;
mod fit;
mod kernel;
mod moves;
mod optima;
mod posterior;
mod settings;
mod stationary;
mod stochastic;
mod stop;

pub use ascent::Ascent;
pub use damped::{Annealing, DampedCavi, DampedSettings};
pub use error::CaviError;
pub use fit::{CaviFit, Fit, FitOf, Observers, Restart, fit};
pub use kernel::{Cavi, CaviInfo, CaviState, FALL_TOLERANCE, StateOf};
pub use moves::{Accepted, Move, MoveSettings, MoveState, MovingCavi};
pub use optima::{Optimum, group_optima};
pub use posterior::CaviPosterior;
pub use settings::CaviSettings;
pub use stationary::{CheckStationary, STATIONARY_TOLERANCE};
pub use stochastic::{
    LearningRate, RateMemory, Svi, SviFit, SviInfo, SviSettings, SviState, SviTolerance, fit_stochastic,
};
pub use stop::ElboTolerance;
