//! Plates: q for every datum, model parameters θ learned beside it.
//!
//! ```text
//! ELBO(θ, λ) = log p(θ) + Σ_n E_q[log p_θ(x_n, z_n) − log q_{λ_n}(z_n)]
//! ∇_{λ_n} = E_q[(log p_θ(x_n, z_n) − log q_{λ_n}(z_n)) ∇ log q_{λ_n}(z_n)],   ∇_θ = ∇ log p(θ) + Σ_n E_q[∇_θ log p_θ(x_n, z_n)]
//! λ_n = r_ψ(x_n):   ∇_ψ = Σ_n J_ψ(x_n)ᵀ ∇_{λ_n}
//! ```
//!
//! | file | what |
//! |---|---|
//! | `recognition`, `encoder` | where λ_n comes from: [`Table`], [`LinearEncoder`], [`HiddenLayerEncoder`] |
//! | `estimator` | [`PlateEstimator`]: [`PlateScoreFunction`] with its baselines; [`crate::DisArm`] for bits |
//! | `objective` | [`PlateElbo`]: model, family and recognition, which fit |
//! | `gradient` | the gradient in θ and in λ or ψ, in one pass over the data |
//! | `kernel` | [`VariationalEm`] and its minibatches |
//! | `evaluate` | [`PlateEvaluation`]: ELBO and importance-weighted log likelihood |
//! | `fit`, `posterior` | [`PlateSettings`], [`fit_plate`]; the [`PlatePosterior`] |

mod divergence;
mod encoder;
mod estimator;
mod evaluate;
mod fit;
mod gradient;
mod kernel;
mod objective;
mod point_mass;
mod posterior;
mod recognition;

pub use encoder::{HiddenLayerEncoder, LinearEncoder};
pub use estimator::{PlateBaseline, PlateEstimator, PlateScoreFunction};
pub use evaluate::{PlateEvaluation, evaluate_plate};
pub use fit::{PlateFit, PlateSettings, fit_plate};
pub use gradient::PlateWorkspace;
pub use kernel::{PlateInfo, PlateState, VariationalEm};
pub use objective::PlateElbo;
pub use posterior::PlatePosterior;
pub use recognition::{Recognition, Table};
