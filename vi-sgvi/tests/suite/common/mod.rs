//! What the tests share: models whose exact answers are known, families of a user's own, simulated ranks.

mod bit_product;
mod diagonal;
mod exact;
mod gaussian_target;
mod mixture;
mod ranks;
mod spins;

pub(crate) use bit_product::BitProduct;
pub(crate) use diagonal::Diagonal;
pub(crate) use exact::{Model, exact, exact_gradient};
pub(crate) use gaussian_target::GaussianTarget;
pub(crate) use mixture::Mixture;
pub(crate) use ranks::on_ranks;
pub(crate) use spins::{Spins, params_of};
