//! The gradient estimators by name.

use serde::{Deserialize, Serialize};

/// Gradient estimators by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EstimatorKind {
    /// Needs the log joint only.
    ScoreFunction,
    /// Needs the gradient of the log joint.
    #[default]
    Pathwise,
    /// The same with control variates regressed on the noise of past steps.
    ControlledPathwise,
    /// The score function of a bound from several samples at once, each with a baseline of its own.
    Vimco,
    /// The whole pathwise gradient of such a bound.
    Iwae,
    /// The doubly reparametrised one.
    Dreg,
    /// The points of past iterations once more, importance weighted.
    SampleReuse,
    /// A proposal with heavier tails for every factor, its dispersion learned.
    OverdispersedFactors,
    /// The exact sum over one discrete factor at a time.
    LocalExpectations,
    /// The same, Gaussian factors by Gauss–Hermite quadrature.
    LocalQuadrature,
    /// Augment-REINFORCE-merge: pairs of coupled points.
    Arm,
    /// ARM with the uniform variates integrated out.
    Disarm,
    /// The sum over all states.
    Enumeration,
    /// The derivative of each factor as a difference of two densities.
    MeasureValued,
}

impl EstimatorKind {
    /// All estimators.
    pub const ALL: [Self; 14] = [
        Self::ScoreFunction,
        Self::Pathwise,
        Self::ControlledPathwise,
        Self::Vimco,
        Self::Iwae,
        Self::Dreg,
        Self::SampleReuse,
        Self::OverdispersedFactors,
        Self::LocalExpectations,
        Self::LocalQuadrature,
        Self::Arm,
        Self::Disarm,
        Self::Enumeration,
        Self::MeasureValued,
    ];

    /// Its name in experiment files.
    pub fn name(self) -> &'static str {
        match self {
            Self::ScoreFunction => "score-function",
            Self::Pathwise => "pathwise",
            Self::ControlledPathwise => "controlled-pathwise",
            Self::Vimco => "vimco",
            Self::Iwae => "iwae",
            Self::Dreg => "dreg",
            Self::SampleReuse => "sample-reuse",
            Self::OverdispersedFactors => "overdispersed-factors",
            Self::LocalExpectations => "local-expectations",
            Self::LocalQuadrature => "local-quadrature",
            Self::Arm => "arm",
            Self::Disarm => "disarm",
            Self::Enumeration => "enumeration",
            Self::MeasureValued => "measure-valued",
        }
    }

    /// What it is, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Self::ScoreFunction => {
                "(f − c) ∇ log q over draws from q; `baseline`, `sampler` and \
                                    `rao_blackwellized` compose"
            }
            Self::Pathwise => {
                "the gradient of the log joint through draws that are moved noise; `entropy` in closed form, \
                 `monte-carlo`, or `sticking-the-landing`"
            }
            Self::ControlledPathwise => {
                "the same with control variates, quadratic in `n_directions` (8) of the noise, regressed on past steps"
            }
            Self::Vimco => {
                "the score function of the bound from `n_importance` (8) samples at once, of order `alpha` (0: \
                 importance-weighted ELBO; above: Rényi)"
            }
            Self::Iwae => "the pathwise gradient of that bound",
            Self::Dreg => "its doubly reparametrised gradient, whose noise does not grow with `n_importance`",
            Self::SampleReuse => {
                "the points of `n_reused_iterations` (4) iterations, weighted; biased inside a run"
            }
            Self::OverdispersedFactors => {
                "a proposal with heavier tails and a weight of its own for every factor, its dispersion learned"
            }
            Self::LocalExpectations => {
                "the exact sum over one discrete factor at a time, around `n_samples` draws"
            }
            Self::LocalQuadrature => "the same, Gaussian factors by Gauss–Hermite with `n_nodes` (20) nodes",
            Self::Arm => "pairs of coupled points; factors with finitely many values",
            Self::Disarm => "ARM with the uniform variates integrated out; factors with finitely many values",
            Self::Enumeration => "the exact sum over at most `limit` (65536) states",
            Self::MeasureValued => "the derivative of each factor as a difference of two densities",
        }
    }

    /// What it needs beside a log joint, in words.
    pub fn needs(self) -> &'static str {
        match self {
            Self::ScoreFunction => "nothing; with `rao_blackwellized` local terms and independent factors",
            Self::Pathwise | Self::Iwae | Self::Dreg => "a gradient, members of moved noise",
            Self::ControlledPathwise => "a gradient, Gaussian members",
            Self::SampleReuse | Self::Vimco => "nothing",
            Self::OverdispersedFactors => "independent factors with proposals of heavier tails",
            Self::LocalExpectations | Self::Arm | Self::Disarm | Self::Enumeration => {
                "independent factors with finitely many values"
            }
            Self::LocalQuadrature => "independent factors, Gaussian or with finitely many values",
            Self::MeasureValued => "independent factors with known decompositions",
        }
    }

    /// Whether it weights scores by log ratios, from which a baseline may be subtracted.
    pub(super) fn has_baseline(self) -> bool {
        matches!(self, Self::ScoreFunction | Self::SampleReuse)
    }

    /// Whether what it ascends is not the ELBO, but a bound from several samples at once.
    pub fn is_of_another_bound(self) -> bool {
        matches!(self, Self::Vimco | Self::Iwae | Self::Dreg)
    }

    /// Whether it has a form that evaluates the terms of one block only.
    pub(super) fn has_local_form(self) -> bool {
        matches!(
            self,
            Self::ScoreFunction
                | Self::OverdispersedFactors
                | Self::LocalExpectations
                | Self::LocalQuadrature
                | Self::MeasureValued
        )
    }
}
