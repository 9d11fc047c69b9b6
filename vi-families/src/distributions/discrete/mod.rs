//! Distributions on truth values, categories and counts.

mod bernoulli;
mod categorical;

pub use bernoulli::Bernoulli;
pub use categorical::Categorical;
