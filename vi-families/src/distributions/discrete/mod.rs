//! Distributions on truth values, categories and counts.

mod bernoulli;
mod binomial;
mod categorical;
mod geometric;
mod multinomial;
mod negative_binomial;
mod poisson;

pub use bernoulli::Bernoulli;
pub use binomial::Binomial;
pub use categorical::Categorical;
pub use geometric::Geometric;
pub use multinomial::Multinomial;
pub use negative_binomial::NegativeBinomial;
pub use poisson::Poisson;
