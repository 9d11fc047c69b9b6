//! Score matching: a Gaussian q with full covariance whose scores are made to agree with those of the posterior, in closed
//! form and without a learning rate for its parameters.
//!
//! | file | what |
//! |---|---|
//! | `rule` | [`MatchRule`]: a batch of draws and scores in, a Gaussian out |
//! | `batch_and_match`, `gaussian_score_matching` | the two rules |
//! | `kernel` | [`ScoreMatching`], its [`ScoreMatchingState`] and [`ScoreMatchingInfo`] |
//! | `fit` | [`ScoreMatchingSettings`], [`fit_score_matching`] |

mod batch_and_match;
mod fit;
mod gaussian_score_matching;
mod kernel;
mod rule;

pub use batch_and_match::BatchAndMatch;
pub use fit::{ScoreMatchingSettings, fit_score_matching};
pub use gaussian_score_matching::GaussianScoreMatching;
pub use kernel::{ScoreMatching, ScoreMatchingInfo, ScoreMatchingState};
pub use rule::{MatchRule, WhitenedGaussian};
