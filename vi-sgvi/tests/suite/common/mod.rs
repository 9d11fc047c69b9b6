//! What the tests share: models whose exact answers are known, a family of a user's own, simulated ranks.

mod diagonal;
mod gaussian_target;
mod ising;
mod ranks;

pub(crate) use diagonal::Diagonal;
pub(crate) use gaussian_target::GaussianTarget;
pub(crate) use ising::{BitProduct, Ising, exact_gradient_by_enumeration};
pub(crate) use ranks::on_ranks;
