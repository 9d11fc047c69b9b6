//! Estimators of tighter bounds than the ELBO.

mod bound;
mod evaluate;
mod pathwise;
mod vimco;

pub use bound::{Bound, ImportanceBound, LeaveOneOutMean};
pub use evaluate::{evaluate_bound, evaluate_importance_weighted_elbo};
pub use pathwise::{ImportanceGradient, ImportancePathwise};
pub use vimco::Vimco;
