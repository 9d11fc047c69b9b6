//! The methods by name.

use serde::{Deserialize, Serialize};

use super::approximation::{
    AdviseSettings, ApproximationSettings, BatchAndMatchSettings, DeterministicSettings,
    GaussianScoreMatchingSettings, LaplaceSettings, MultiPathfinderSettings, PathfinderSettings,
    SvgdSettings,
};
use super::conjugate::{CaviSettings, GibbsSettings, SviSettings};
use super::method::{MethodSettings, NutsSettings, RandomWalkSettings, SgviSettings};

/// The methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodKind {
    /// Coordinate-ascent variational inference.
    Cavi,
    /// Stochastic variational inference: coordinate ascent on minibatches.
    Svi,
    /// Stochastic-gradient variational inference.
    Sgvi,
    /// The fit that chooses for itself.
    Advise,
    /// Laplace's approximation.
    Laplace,
    /// Pathfinder.
    Pathfinder,
    /// Several Pathfinders.
    MultiPathfinder,
    /// Batch and match.
    BatchAndMatch,
    /// Gaussian score matching.
    GaussianScoreMatching,
    /// Deterministic ADVI.
    DeterministicAdvi,
    /// Stein variational gradient descent.
    Svgd,
    /// The No-U-Turn sampler.
    Nuts,
    /// The Gibbs sampler.
    Gibbs,
    /// The adaptive random-walk Metropolis sampler.
    RandomWalk,
}

impl MethodKind {
    /// All methods.
    pub const ALL: [Self; 14] = [
        Self::Cavi,
        Self::Svi,
        Self::Sgvi,
        Self::Advise,
        Self::Laplace,
        Self::Pathfinder,
        Self::MultiPathfinder,
        Self::BatchAndMatch,
        Self::GaussianScoreMatching,
        Self::DeterministicAdvi,
        Self::Svgd,
        Self::Nuts,
        Self::Gibbs,
        Self::RandomWalk,
    ];

    /// Its name in experiment files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cavi => "cavi",
            Self::Svi => "svi",
            Self::Sgvi => "sgvi",
            Self::Advise => "advise",
            Self::Laplace => "laplace",
            Self::Pathfinder => "pathfinder",
            Self::MultiPathfinder => "multi_pathfinder",
            Self::BatchAndMatch => "batch_and_match",
            Self::GaussianScoreMatching => "gaussian_score_matching",
            Self::DeterministicAdvi => "deterministic_advi",
            Self::Svgd => "svgd",
            Self::Nuts => "nuts",
            Self::Gibbs => "gibbs",
            Self::RandomWalk => "random_walk",
        }
    }

    /// What it is, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Self::Cavi => "coordinate-ascent variational inference over the model's complete conditionals",
            Self::Svi => {
                "stochastic variational inference: natural-gradient steps on minibatches, over the complete conditionals \
                 of a model of exchangeable data"
            }
            Self::Sgvi => "stochastic-gradient variational inference with any of the gradient estimators",
            Self::Advise => {
                "the default fit: chooses family, start, estimator, optimizer and number of draws by the model, and \
                 says what and why"
            }
            Self::Laplace => "the Gaussian with mode and curvature of the log joint; needs a gradient",
            Self::Pathfinder => "the best Gaussian on the way of L-BFGS to the mode; needs a gradient",
            Self::MultiPathfinder => {
                "several Pathfinders, their draws resampled by Pareto-smoothed importance weights; needs a gradient"
            }
            Self::BatchAndMatch => {
                "a Gaussian with full covariance by matching scores (BaM); needs a gradient"
            }
            Self::GaussianScoreMatching => {
                "a Gaussian with full covariance that matches the score of every draw (GSM); needs a gradient"
            }
            Self::DeterministicAdvi => {
                "mean-field Gaussian at draws fixed once, by Newton steps, with the covariance of its linear \
                 response; needs a gradient"
            }
            Self::Svgd => "particles by Stein variational gradient descent; needs a gradient",
            Self::Nuts => "the No-U-Turn sampler on the unconstrained scale",
            Self::Gibbs => "the Gibbs sampler over the model's complete conditionals",
            Self::RandomWalk => "adaptive random-walk Metropolis on the unconstrained scale",
        }
    }

    /// Whether the gradient of the log joint is what it goes by.
    pub fn needs_gradient(self) -> bool {
        match self {
            Self::Cavi | Self::Svi | Self::Sgvi | Self::Advise | Self::Gibbs | Self::RandomWalk => false,
            Self::Laplace
            | Self::Pathfinder
            | Self::MultiPathfinder
            | Self::BatchAndMatch
            | Self::GaussianScoreMatching
            | Self::DeterministicAdvi
            | Self::Svgd
            | Self::Nuts => true,
        }
    }

    /// The default settings.
    pub fn default_settings(self) -> MethodSettings {
        use ApproximationSettings as A;
        let approximation = MethodSettings::Approximation;
        match self {
            Self::Cavi => MethodSettings::Cavi(CaviSettings::default()),
            Self::Svi => MethodSettings::Svi(SviSettings::default()),
            Self::Sgvi => MethodSettings::Sgvi(SgviSettings::default()),
            Self::Advise => approximation(A::Advise(AdviseSettings::default())),
            Self::Laplace => approximation(A::Laplace(LaplaceSettings::default())),
            Self::Pathfinder => approximation(A::Pathfinder(PathfinderSettings::default())),
            Self::MultiPathfinder => approximation(A::MultiPathfinder(MultiPathfinderSettings::default())),
            Self::BatchAndMatch => approximation(A::BatchAndMatch(BatchAndMatchSettings::default())),
            Self::GaussianScoreMatching => {
                approximation(A::GaussianScoreMatching(GaussianScoreMatchingSettings::default()))
            }
            Self::DeterministicAdvi => approximation(A::DeterministicAdvi(DeterministicSettings::default())),
            Self::Svgd => approximation(A::Svgd(SvgdSettings::default())),
            Self::Nuts => MethodSettings::Nuts(NutsSettings::default()),
            Self::Gibbs => MethodSettings::Gibbs(GibbsSettings::default()),
            Self::RandomWalk => MethodSettings::RandomWalk(RandomWalkSettings::default()),
        }
    }
}

impl ApproximationSettings {
    /// Which method they are of.
    pub fn kind(&self) -> MethodKind {
        match self {
            Self::Laplace(_) => MethodKind::Laplace,
            Self::Pathfinder(_) => MethodKind::Pathfinder,
            Self::MultiPathfinder(_) => MethodKind::MultiPathfinder,
            Self::BatchAndMatch(_) => MethodKind::BatchAndMatch,
            Self::GaussianScoreMatching(_) => MethodKind::GaussianScoreMatching,
            Self::DeterministicAdvi(_) => MethodKind::DeterministicAdvi,
            Self::Svgd(_) => MethodKind::Svgd,
            Self::Advise(_) => MethodKind::Advise,
        }
    }
}
