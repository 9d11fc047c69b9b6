//! Deterministic automatic differentiation variational inference (DADVI): the draws are fixed once, and what remains is an
//! ordinary smooth function, which is maximised by Newton steps until its gradient is small.
//!
//! | file | what |
//! |---|---|
//! | `draws` | [`FixedDraws`] |
//! | `objective` | the ELBO at fixed draws, its gradient and products with its Hessian |
//! | `newton` | a Newton step within a trust region by conjugate gradients |
//! | `kernel` | [`DeterministicAdvi`], its state and info, the stop rule [`SmallGradient`] |
//! | `response` | [`LinearResponse`]: covariances that the mean field lacks, and the error of the fixed draws |
//! | `fit` | [`DeterministicAdviSettings`], [`fit_deterministic`] |
//!
//! Source: Giordano, Ingram & Broderick 2024, *Black box variational inference with a deterministic objective: faster, more
//! accurate, and even more black box*, JMLR 25, <https://arxiv.org/abs/2304.05527>.

mod draws;
mod fit;
mod kernel;
mod newton;
mod objective;
mod response;

pub use draws::FixedDraws;
pub use fit::{DeterministicAdviFit, DeterministicAdviSettings, fit_deterministic};
pub use kernel::{DeterministicAdvi, DeterministicAdviInfo, DeterministicAdviState, SmallGradient};
pub use response::LinearResponse;
