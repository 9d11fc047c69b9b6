//! Stochastic variational inference: natural-gradient steps on minibatches.

mod epoch;
mod fit;
mod kernel;
mod rate;
mod settings;

pub use fit::{SviFit, fit_stochastic};
pub use kernel::{Svi, SviInfo, SviState, SviTolerance};
pub use rate::{LearningRate, RateMemory};
pub use settings::SviSettings;
