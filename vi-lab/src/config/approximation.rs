//! Settings of the methods beside the stochastic ascent of the ELBO: Gaussians from modes and ways to them, matched scores,
//! fixed draws, particles, and the fit that chooses for itself.

use serde::{Deserialize, Serialize};
use vi_sgvi::{
    AdviceSettings, AnyOptimizer, BatchAndMatch, DeterministicAdviSettings, ElboPlateau, Laplace,
    LearningRate, MultiPathfinder, Pathfinder, ScoreMatchingSettings, SlowParticles, SmallGradient,
    SteinSettings, Window,
};

use super::Owner;
use super::method::{N_DRAWS, Parametrisation};
use super::optimizer;
use crate::error::ConfigError;

/// Settings of Laplace's approximation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LaplaceSettings {
    /// Steps that the ascent remembers.
    pub memory: usize,
    /// Budget of the ascent.
    pub max_iterations: u64,
    /// Budget of Newton steps after it.
    pub n_newton: usize,
    /// The form of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parametrisation: Option<Parametrisation>,
    /// Posterior draws for figures and diagnostics.
    pub n_draws: usize,
}

impl Default for LaplaceSettings {
    fn default() -> Self {
        let Laplace { memory, n_iterations, n_newton } = Laplace::default();
        Self { memory, max_iterations: n_iterations, n_newton, parametrisation: None, n_draws: N_DRAWS }
    }
}

/// Settings of Pathfinder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PathfinderSettings {
    /// Steps that the ascent remembers, and the covariance is made of.
    pub memory: usize,
    /// Budget of the ascent.
    pub max_iterations: u64,
    /// Draws for the ELBO at each point of the way.
    pub n_elbo: usize,
    /// Draws for the ELBO of the best.
    pub n_evaluate: usize,
    /// The form of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parametrisation: Option<Parametrisation>,
    /// Posterior draws for figures and diagnostics.
    pub n_draws: usize,
}

impl Default for PathfinderSettings {
    fn default() -> Self {
        let Pathfinder { memory, n_iterations, n_elbo, n_draws } = Pathfinder::default();
        let (max_iterations, n_evaluate) = (n_iterations, n_draws);
        Self { memory, max_iterations, n_elbo, n_evaluate, parametrisation: None, n_draws: N_DRAWS }
    }
}

/// Settings of multi-path Pathfinder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MultiPathfinderSettings {
    /// Paths.
    pub n_paths: u32,
    /// Steps that an ascent remembers.
    pub memory: usize,
    /// Budget of each ascent.
    pub max_iterations: u64,
    /// Draws for the ELBO at each point of a way.
    pub n_elbo: usize,
    /// Draws of each path that are pooled and resampled.
    pub n_pooled: usize,
    /// The form of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parametrisation: Option<Parametrisation>,
    /// Posterior draws for figures and diagnostics.
    pub n_draws: usize,
}

impl Default for MultiPathfinderSettings {
    fn default() -> Self {
        let MultiPathfinder { n_paths, path } = MultiPathfinder::default();
        Self {
            n_paths,
            memory: path.memory,
            max_iterations: path.n_iterations,
            n_elbo: path.n_elbo,
            n_pooled: path.n_draws,
            parametrisation: None,
            n_draws: N_DRAWS,
        }
    }
}

/// Settings of batch and match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchAndMatchSettings {
    /// Draws of an iteration.
    pub n_batch: usize,
    /// Budget of iterations.
    pub max_iterations: u64,
    /// How far an iteration goes, λ_t/(B D): constant for posteriors that are nearly Gaussian.
    pub learning_rate: LearningRate,
    /// Windows of the ELBO trace that are compared.
    pub window: Window,
    /// When the difference of two windows counts as none.
    pub tolerance: ElboPlateau,
    /// The form of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parametrisation: Option<Parametrisation>,
    /// Posterior draws for figures and diagnostics.
    pub n_draws: usize,
}

impl Default for BatchAndMatchSettings {
    fn default() -> Self {
        let ScoreMatchingSettings { n_batch, n_iterations, window, tolerance, .. } =
            ScoreMatchingSettings::default();
        Self {
            n_batch,
            max_iterations: n_iterations,
            learning_rate: BatchAndMatch::default().learning_rate,
            window,
            tolerance,
            parametrisation: None,
            n_draws: N_DRAWS,
        }
    }
}

/// Settings of Gaussian score matching.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaussianScoreMatchingSettings {
    /// Draws of an iteration.
    pub n_batch: usize,
    /// Budget of iterations.
    pub max_iterations: u64,
    /// Windows of the ELBO trace that are compared.
    pub window: Window,
    /// When the difference of two windows counts as none.
    pub tolerance: ElboPlateau,
    /// The form of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parametrisation: Option<Parametrisation>,
    /// Posterior draws for figures and diagnostics.
    pub n_draws: usize,
}

impl Default for GaussianScoreMatchingSettings {
    fn default() -> Self {
        let ScoreMatchingSettings { n_batch, n_iterations, window, tolerance, .. } =
            ScoreMatchingSettings::default();
        let max_iterations = n_iterations;
        Self { n_batch, max_iterations, window, tolerance, parametrisation: None, n_draws: N_DRAWS }
    }
}

/// Settings of deterministic ADVI.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeterministicSettings {
    /// Draws that are fixed once.
    pub n_fixed: usize,
    /// Whether they come in pairs ε, −ε.
    pub antithetic: bool,
    /// Budget of Newton steps.
    pub max_iterations: u64,
    /// When the gradient counts as zero.
    pub tolerance: SmallGradient,
    /// Whether the covariance of the linear response is reported instead of the variances of q.
    pub linear_response: bool,
    /// The form of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parametrisation: Option<Parametrisation>,
    /// Posterior draws for figures and diagnostics.
    pub n_draws: usize,
}

impl Default for DeterministicSettings {
    fn default() -> Self {
        let inner = DeterministicAdviSettings::default();
        Self {
            n_fixed: inner.n_draws,
            antithetic: inner.antithetic,
            max_iterations: inner.n_iterations,
            tolerance: inner.tolerance,
            linear_response: inner.linear_response,
            parametrisation: None,
            n_draws: N_DRAWS,
        }
    }
}

/// Settings of Stein variational gradient descent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SvgdSettings {
    /// Particles.
    pub n_particles: usize,
    /// Budget of iterations.
    pub max_iterations: u64,
    /// The kernel's bandwidth.
    pub bandwidth: vi_sgvi::Bandwidth,
    /// The optimizer: a name, or a table with its settings; any but `natural`.
    #[serde(deserialize_with = "optimizer::name_or_table")]
    pub optimizer: AnyOptimizer,
    /// When the particles count as being at rest.
    pub tolerance: SlowParticles,
    /// The form of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parametrisation: Option<Parametrisation>,
}

impl Default for SvgdSettings {
    fn default() -> Self {
        let SteinSettings { n_particles, n_iterations, bandwidth, tolerance } = SteinSettings::default();
        let learning_rate = LearningRate::Constant(0.3);
        let optimizer = AnyOptimizer::AdaGrad(vi_sgvi::AdaGrad { learning_rate, ..Default::default() });
        let max_iterations = n_iterations;
        Self { n_particles, max_iterations, bandwidth, optimizer, tolerance, parametrisation: None }
    }
}

/// Settings of the fit that chooses for itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdviseSettings {
    /// By how much the ELBO may fall short of the best of the family, in nats.
    pub tolerance: f64,
    /// The form of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parametrisation: Option<Parametrisation>,
    /// Posterior draws for figures and diagnostics.
    pub n_draws: usize,
}

impl Default for AdviseSettings {
    fn default() -> Self {
        let tolerance = AdviceSettings::default().tolerance;
        Self { tolerance, parametrisation: None, n_draws: N_DRAWS }
    }
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ApproximationSettings {
    /// Of Laplace's approximation.
    Laplace(LaplaceSettings),
    /// Of Pathfinder.
    Pathfinder(PathfinderSettings),
    /// Of several Pathfinders.
    MultiPathfinder(MultiPathfinderSettings),
    /// Of batch and match.
    BatchAndMatch(BatchAndMatchSettings),
    /// Of Gaussian score matching.
    GaussianScoreMatching(GaussianScoreMatchingSettings),
    /// Of deterministic ADVI.
    DeterministicAdvi(DeterministicSettings),
    /// Of Stein variational gradient descent.
    Svgd(SvgdSettings),
    /// Of the fit that chooses for itself.
    Advise(AdviseSettings),
}

impl ApproximationSettings {
    /// The form of the model that is asked for.
    pub fn parametrisation(&self) -> Option<Parametrisation> {
        match self {
            Self::Laplace(s) => s.parametrisation,
            Self::Pathfinder(s) => s.parametrisation,
            Self::MultiPathfinder(s) => s.parametrisation,
            Self::BatchAndMatch(s) => s.parametrisation,
            Self::GaussianScoreMatching(s) => s.parametrisation,
            Self::DeterministicAdvi(s) => s.parametrisation,
            Self::Svgd(s) => s.parametrisation,
            Self::Advise(s) => s.parametrisation,
        }
    }

    /// Domains of settings that the method would only notice when its turn comes.
    pub(super) fn check(&self, owner: &Owner) -> Result<(), ConfigError> {
        let at_least = |key: &str, value: u64, least: u64, requirement: &'static str| {
            if value >= least { Ok(()) } else { Err(owner.domain(key, value.to_string(), requirement)) }
        };
        let counts: Vec<(&str, u64, u64)> = match self {
            Self::Laplace(s) => vec![
                ("memory", s.memory as u64, 1),
                ("max_iterations", s.max_iterations, 1),
                ("n_newton", s.n_newton as u64, 1),
                ("n_draws", s.n_draws as u64, 2),
            ],
            Self::Pathfinder(s) => vec![
                ("memory", s.memory as u64, 1),
                ("max_iterations", s.max_iterations, 1),
                ("n_elbo", s.n_elbo as u64, 2),
                ("n_evaluate", s.n_evaluate as u64, 2),
                ("n_draws", s.n_draws as u64, 2),
            ],
            Self::MultiPathfinder(s) => vec![
                ("n_paths", u64::from(s.n_paths), 1),
                ("memory", s.memory as u64, 1),
                ("max_iterations", s.max_iterations, 1),
                ("n_elbo", s.n_elbo as u64, 2),
                ("n_pooled", s.n_pooled as u64, 2),
                ("n_draws", s.n_draws as u64, 2),
            ],
            Self::BatchAndMatch(s) => vec![
                ("n_batch", s.n_batch as u64, 1),
                ("max_iterations", s.max_iterations, 1),
                ("n_draws", s.n_draws as u64, 2),
            ],
            Self::GaussianScoreMatching(s) => vec![
                ("n_batch", s.n_batch as u64, 1),
                ("max_iterations", s.max_iterations, 1),
                ("n_draws", s.n_draws as u64, 2),
            ],
            Self::DeterministicAdvi(s) => vec![
                ("n_fixed", s.n_fixed as u64, 2),
                ("max_iterations", s.max_iterations, 1),
                ("n_draws", s.n_draws as u64, 2),
            ],
            Self::Svgd(s) => {
                vec![("n_particles", s.n_particles as u64, 2), ("max_iterations", s.max_iterations, 1)]
            }
            Self::Advise(s) => vec![("n_draws", s.n_draws as u64, 2)],
        };
        for (key, value, least) in counts {
            at_least(key, value, least, if least == 1 { "at least 1" } else { "at least 2" })?;
        }
        let positive = |key: &str, value: f64| {
            if value.is_finite() && value > 0.0 {
                return Ok(());
            }
            Err(owner.domain(key, value.to_string(), "finite and > 0"))
        };
        match self {
            Self::Svgd(SvgdSettings { optimizer: AnyOptimizer::Natural(_), .. }) => {
                let requirement =
                    "one of steps in the plane of the particles: `natural` is for the parameters of a q";
                Err(owner.domain("optimizer", "`natural`".into(), requirement))
            }
            Self::Svgd(s) => positive("tolerance", s.tolerance.tolerance),
            Self::DeterministicAdvi(s) if s.antithetic && !s.n_fixed.is_multiple_of(2) => {
                Err(owner.domain("n_fixed", s.n_fixed.to_string(), "even: draws come in pairs"))
            }
            Self::DeterministicAdvi(s) => positive("tolerance", s.tolerance.tolerance),
            Self::Advise(s) => positive("tolerance", s.tolerance),
            _ => Ok(()),
        }
    }
}
