//! Stochastic-gradient variational inference: the ELBO of any log joint over any variational family, maximised
//! with unbiased gradient estimates.
//!
//! | module | what |
//! |---|---|
//! | `elbo` | the objective [`Elbo`]; [`evaluate_elbo`] at a fixed q, with its Monte Carlo error; [`compare_elbo`] of two |
//! | `estimator` | the contract [`GradientEstimator`], its [`Memory`] |
//! | `score_function` | [`ScoreFunction`]: needs the log joint only; composed of the next three |
//! | `baseline` | [`NoBaseline`], [`LeaveOneOut`], [`MovingAverage`], [`ControlVariate`], [`SameSampleControlVariate`]; [`AnyBaseline`] for settings files |
//! | `sampler` | [`Independent`], [`Antithetic`], [`QuasiMonteCarlo`], [`Overdispersed`] |
//! | `locality` | [`Joint`], [`MarkovBlanket`] |
//! | `factors` | [`LocalExpectations`], [`Arm`], [`DisArm`], [`Enumeration`], [`MeasureValued`], [`OverdispersedFactors`]; [`PerFactor`]: one estimator for some variables, another for the rest |
//! | `sample_reuse` | [`SampleReuse`]: the points of past iterations once more, importance weighted |
//! | `pathwise` | [`Pathwise`], entropy in closed form, from the samples, or [`StickingTheLanding`]; [`ControlledPathwise`]: need the gradient of the log joint and a reparametrised family |
//! | `importance` | tighter bounds, [`ImportanceBound`]: [`Vimco`], [`ImportancePathwise`], [`evaluate_bound`] |
//! | `quasi_newton` | [`Lbfgs`]: ascent of a [`SmoothObjective`], a kernel like the others |
//! | `laplace`, `pathfinder` | [`Laplace`]; [`Pathfinder`], [`MultiPathfinder`]: Gaussians from the ascent of the log joint |
//! | `minibatch` | [`Minibatch`]: any estimator on a few of the data at a time |
//! | `sample_growth` | [`SampleGrowth`]: more samples when noise dominates |
//! | `optimizer` | [`Sgd`], [`Momentum`], [`AdaGrad`], [`RmsProp`], [`Adam`], [`NaturalGradient`], [`Dog`] and [`Dowg`] without a learning rate, their [`LearningRate`]s, and [`AnyOptimizer`] for settings files |
//! | `clipping` | [`Clipping`] of gradients, a bias |
//! | `averaging` | [`Averaging`] of the iterates |
//! | `window` | windows of the ELBO trace or of the iterates, and the stop rule [`ElboPlateau`] |
//! | `stationarity` | the stop rule [`Stationarity`]: R̂ over iterates, then the error of their average |
//! | `kernel` | the [`Sgvi`] kernel, its [`SgviState`] and [`SgviInfo`] |
//! | `settings`, `fit` | [`SgviSettings`] and [`fit`]: from a model to a posterior in one call |
//! | `advice` | [`advise`], [`advise_black_box`]: a fit without settings, and the [`Account`] of what was chosen |
//! | `starts` | [`fit_starts`]: several starts, the best bound, all optima found |
//! | `posterior` | [`SgviPosterior`], a [`vi_core::Posterior`] |
//! | `score_matching` | [`ScoreMatching`]: a full-rank Gaussian by [`BatchAndMatch`] or [`GaussianScoreMatching`] |
//! | `deterministic` | [`DeterministicAdvi`]: draws fixed once, Newton steps, [`LinearResponse`] |
//! | `stein` | [`SteinGradient`]: Stein variational gradient descent of particles |
//! | `plate` | q for every datum with model parameters θ beside it: [`VariationalEm`], tables and encoders, [`fit_plate`] |
//! | [`mod@bench`] | candidates on equal terms: [`bench::compare`] |
//! | `workspace` | [`Workspace`]: scratch memory, so that a step allocates nothing |
//! | `testing` | contract checks for estimators of your own (feature `testing`) |
//!
//! Same key, same bits: samples are named streams, chunks write disjoint rows, sums are folded in a fixed
//! order ([`vi_core::Exec`]).
#![cfg_attr(docsrs, feature(doc_cfg))]

mod advice;
mod averaging;
mod baseline;
mod batch;
pub mod bench;
mod clipping;
mod deterministic;
mod distance;
mod divergence;
mod elbo;
mod error;
mod estimator;
mod factors;
mod fit;
mod history;
mod importance;
mod kernel;
mod laplace;
mod locality;
mod minibatch;
mod optimizer;
mod pathfinder;
mod pathwise;
mod plate;
mod posterior;
mod quasi_newton;
mod sample_average;
mod sample_growth;
mod sample_reuse;
mod sampler;
mod score_function;
mod score_matching;
mod scores;
mod settings;
mod starts;
mod stationarity;
mod stein;
#[cfg(feature = "testing")]
pub mod testing;
mod window;
mod workspace;

pub use advice::{
    Account, Advice, AdviceSettings, AdvisedFit, BlackBoxAdvice, Choice, Start, advise, advise_black_box,
};
pub use averaging::{Averager, Averaging};
pub use baseline::{
    AnyBaseline, Baseline, BaselineScratch, ControlVariate, LeaveOneOut, MovingAverage, MovingAverageState,
    NoBaseline, SameSampleControlVariate, Terms,
};
pub use clipping::Clipping;
pub use deterministic::{
    DeterministicAdvi, DeterministicAdviFit, DeterministicAdviInfo, DeterministicAdviSettings,
    DeterministicAdviState, FixedDraws, LinearResponse, SmallGradient, fit_deterministic,
};
pub use elbo::{Elbo, ElboComparison, compare_elbo, evaluate_elbo};
pub use error::{NamedValues, SgviError};
pub use estimator::{EstimatorState, Evaluations, GradientEstimator, Memory};
pub use factors::{
    Adaptation, Arm, ArmWeights, CoupledBits, DisArm, DisArmWeights, DispersionState, Enumeration,
    FactorLocality, FactorRule, FactorSet, GaussHermite, LocalExpectations, LocalQuadrature, MeasureValued,
    Measures, Misfit, OneAtATime, OverdispersedFactors, PairWeights, PartialEstimator, PerFactor, Restricted,
    Values,
};
pub use fit::{Settled, SgviFit, fit};
pub use importance::{
    Bound, ImportanceBound, ImportanceGradient, ImportancePathwise, LeaveOneOutMean, Vimco, evaluate_bound,
    evaluate_importance_weighted_elbo,
};
pub use kernel::{Sgvi, SgviInfo, SgviState};
pub use laplace::{Laplace, LaplaceFit};
pub use locality::{Joint, Locality, MarkovBlanket, Scores};
pub use minibatch::Minibatch;
pub use optimizer::{
    AdaGrad, AdaGradState, Adam, AdamState, AnyOptimizer, AnyOptimizerState, AscentRule, Dog, DogState, Dowg,
    DowgState, LearningRate, Momentum, MomentumState, NaturalGradient, NaturalGradientState, Optimizer,
    RmsProp, RmsPropState, Sgd, SgdState, StepCoordinates, TrustRegion,
};
pub use pathfinder::{CompactGaussian, MultiPathfinder, MultiPathfinderFit, Pathfinder, PathfinderFit};
pub use pathwise::{
    ClosedFormEntropy, ControlledPathwise, ControlledPathwiseState, EntropyGradient, MonteCarloEntropy,
    Pathwise, StickingTheLanding,
};
pub use plate::{
    HiddenLayerEncoder, LinearEncoder, PlateBaseline, PlateElbo, PlateEstimator, PlateEvaluation, PlateFit,
    PlateInfo, PlatePosterior, PlateScoreFunction, PlateSettings, PlateState, PlateWorkspace, Recognition,
    Table, VariationalEm, evaluate_plate, fit_plate,
};
pub use posterior::SgviPosterior;
pub use quasi_newton::{Lbfgs, LbfgsInfo, LbfgsState, LogJointObjective, SmoothObjective, Stationary};
pub use sample_growth::{SampleGrowth, SampleGrowthState, WithSamples};
pub use sample_reuse::{SampleReuse, SampleReuseState};
pub use sampler::{
    Antithetic, AntitheticPlan, Independent, IndependentPlan, Overdispersed, OverdispersedPlan,
    QuasiMonteCarlo, QuasiMonteCarloPlan, SamplePlan, Sampler,
};
pub use score_function::ScoreFunction;
pub use score_matching::{
    BatchAndMatch, GaussianScoreMatching, MatchRule, ScoreMatching, ScoreMatchingInfo, ScoreMatchingSettings,
    ScoreMatchingState, WhitenedGaussian, fit_score_matching,
};
pub use settings::SgviSettings;
pub use starts::{Optimum, StartEnd, Starts, StartsFit, fit_starts, gather_optima};
pub use stationarity::{AverageError, Stationarity, StationarityCheck};
pub use stein::{
    Bandwidth, ParticlePosterior, SlowParticles, SteinFit, SteinGradient, SteinInfo, SteinSettings,
    SteinState, fit_stein, kernelised_stein_discrepancy,
};
pub use window::{Compare, ElboPlateau, Window, WindowComparison};
pub use workspace::Workspace;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
