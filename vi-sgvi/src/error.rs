//! What can go wrong in stochastic-gradient variational inference.

use std::fmt;

use vi_core::linalg::LinalgError;
use vi_core::{CommError, ParameterError, PlateError, RunError};
use vi_families::FamilyError;

/// Coordinates with their names: a point `z` in an error.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedValues(pub Vec<(String, f64)>);

impl NamedValues {
    /// Pairs names with values.
    pub fn new<'a>(names: &[String], values: impl IntoIterator<Item = &'a f64>) -> Self {
        Self(names.iter().cloned().zip(values.into_iter().copied()).collect())
    }
}

/// How many coordinates a message shows; the error itself holds all of them.
const N_SHOWN: usize = 20;

impl fmt::Display for NamedValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.0.iter().take(N_SHOWN).enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{name} = {value}")?;
        }
        match self.0.len().saturating_sub(N_SHOWN) {
            0 => Ok(()),
            n => write!(f, ", … ({n} more)"),
        }
    }
}

/// Why stochastic-gradient variational inference failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SgviError {
    /// The log joint is NaN or infinite at a draw from q.
    #[error("log joint is {value} at sample {sample}: {z}")]
    NonFiniteLogJoint {
        /// What the model returned.
        value: f64,
        /// The sample's number within its iteration, from 0.
        sample: usize,
        /// Where it did so.
        z: NamedValues,
    },
    /// The log ratio of one block is NaN or infinite at a draw, where the whole one is finite.
    #[error("log ratio of block {block} is {value} at sample {sample}: {z}")]
    NonFiniteBlock {
        /// The block's number.
        block: usize,
        /// Its terms of the log joint less its log density.
        value: f64,
        /// The sample's number within its iteration, from 0.
        sample: usize,
        /// Where it did so.
        z: NamedValues,
    },
    /// A factor of q reaches beyond a block of the model.
    #[error(
        "block {block} of the model, coordinates {start} to {end} of z, is no union of factors of the variational family"
    )]
    Block {
        /// The block's number.
        block: usize,
        /// Its first coordinate.
        start: usize,
        /// The coordinate after its last.
        end: usize,
    },
    /// An estimator that needs finitely many values was given a factor with infinitely many.
    #[error("{estimator} needs factors with finitely many values, and that of {factor} has infinitely many")]
    NotFinitelyMany {
        /// The estimator.
        estimator: String,
        /// The coordinates of the factor.
        factor: String,
    },
    /// There are too many combinations of values to enumerate them.
    #[error("{n_points} points to enumerate, but the limit is {limit}")]
    TooManyStates {
        /// The number of points; the largest that can be written for all beyond it.
        n_points: u128,
        /// The largest number allowed.
        limit: usize,
    },
    /// A pathwise estimator was given a factor through whose draws no derivative passes.
    #[error("the factor of {factor} is discrete: its draws cannot be differentiated")]
    NotReparameterized {
        /// The coordinates of the factor.
        factor: String,
    },
    /// An element of λ whose derivative is not known to be a difference of two measures.
    #[error("no decomposition into a pair of measures is known for the variational parameter {parameter}")]
    NoDecomposition {
        /// The element of λ.
        parameter: String,
    },
    /// A factor of q lies in no single block of the model.
    #[error("the factor of {factor} lies in no single block of the model")]
    FactorAcrossBlocks {
        /// The coordinates of the factor.
        factor: String,
    },
    /// A factor of q holds coordinates of variables that are treated by different estimators.
    #[error("the factor of {factor} lies across variables with different estimators")]
    FactorAcrossVariables {
        /// The coordinates of the factor.
        factor: String,
    },
    /// A variable that the model does not have.
    #[error("there is no variable `{name}`")]
    UnknownVariable {
        /// The name asked for.
        name: String,
    },
    /// The number of samples does not fit the groups in which they are drawn.
    #[error("{n_samples} samples in groups of {group}, but {requirement} is needed")]
    Groups {
        /// The number asked for.
        n_samples: usize,
        /// Samples in a group.
        group: usize,
        /// What is needed.
        requirement: &'static str,
    },
    /// The log joint, or its gradient, is not finite where it is climbed from or differentiated.
    #[error("log joint or gradient is {value} at {at}")]
    NonFiniteStart {
        /// What is not finite, or the log joint where that is the gradient.
        value: f64,
        /// Where.
        at: NamedValues,
    },
    /// No step along the gradient raises a function, although one should: its gradient is not its own.
    #[error(
        "no step raises the value {value}, and {expected_improvement:e} more was expected: is the gradient right? at {at}"
    )]
    NoAscent {
        /// The value that nothing raised.
        value: f64,
        /// By how much a step should have raised it.
        expected_improvement: f64,
        /// Where.
        at: NamedValues,
    },
    /// The log joint was still rising when the budget ended.
    #[error(
        "no mode after {n_iterations} iterations: the log joint is {log_joint}, and the next step is expected to add {expected_improvement:e}, at {at}"
    )]
    ModeNotFound {
        /// The iterations done.
        n_iterations: u64,
        /// The last log joint.
        log_joint: f64,
        /// By how much the next step should raise it.
        expected_improvement: f64,
        /// Where.
        at: NamedValues,
    },
    /// The log joint does not fall off in a direction from its stationary point.
    #[error("minus the log joint has curvature {curvature:e} along {direction}: no mode, or a flat one")]
    IndefiniteHessian {
        /// Its second derivative along the direction, with the sign changed: positive at a mode.
        curvature: f64,
        /// The direction, of length 1.
        direction: NamedValues,
    },
    /// None of the Gaussians tried has a finite ELBO.
    #[error("none of {n_gaussians} Gaussians has a finite ELBO")]
    NoApproximation {
        /// How many there were.
        n_gaussians: usize,
    },
    /// There are no Sobol points of so many dimensions.
    #[error("quasi-Monte Carlo needs {n_uniforms} uniforms per sample here, but has at most {maximum}")]
    SobolDimensions {
        /// The uniforms that a member asks for.
        n_uniforms: usize,
        /// The most there are.
        maximum: usize,
    },
    /// The variational density is NaN or infinite at its own draw.
    #[error("log q is {value} at its own sample {sample}: {z}")]
    NonFiniteLogProb {
        /// What the family returned.
        value: f64,
        /// The sample's number within its iteration, from 0.
        sample: usize,
        /// Where it did so.
        z: NamedValues,
    },
    /// The gradient of the log joint is NaN or infinite at a draw from q.
    #[error("gradient of the log joint with respect to {coordinate} is {value} at sample {sample}: {z}")]
    NonFiniteLogJointGradient {
        /// The coordinate of z.
        coordinate: String,
        /// The partial derivative that the model returned.
        value: f64,
        /// The sample's number within its iteration, from 0.
        sample: usize,
        /// Where it did so.
        z: NamedValues,
    },
    /// The estimated gradient of the ELBO is NaN or infinite although every term was finite.
    #[error("gradient of the ELBO with respect to {parameter} is {value}")]
    NonFiniteGradient {
        /// The element of λ.
        parameter: String,
        /// The partial derivative.
        value: f64,
    },
    /// A step made a variational parameter NaN or infinite: the learning rate is too large.
    #[error("variational parameter {parameter} became {value} in a step: the learning rate is too large")]
    NonFiniteParameter {
        /// The element of λ.
        parameter: String,
        /// Its value after the step.
        value: f64,
    },
    /// The run diverged: the iterates left every optimum.
    #[error("the run diverged: {parameter} = {value:.3e}; {evidence}")]
    Diverged {
        /// The element of λ that ran away, or that moved most of all.
        parameter: String,
        /// Its value.
        value: f64,
        /// What was seen.
        evidence: String,
    },
    /// The covariance of q is no covariance any more: rounding errors have eaten it.
    #[error("the covariance of q lost positive definiteness at {coordinate} ({value:e})")]
    CovarianceLost {
        /// The coordinate of z.
        coordinate: String,
        /// The pivot, or the element of the factor, which is not positive or not finite.
        value: f64,
    },
    /// The equation of a score-matching rule could not be solved.
    #[error("{rule}: {source}")]
    Match {
        /// The rule.
        rule: String,
        /// What went wrong.
        source: LinalgError,
    },
    /// No step, however short, goes uphill although the gradient is not zero: the gradient is not that of the log joint, or
    /// rounding errors are larger than the tolerance asked for.
    #[error("no step of length {radius:e} raises the ELBO, although its gradient has norm {grad_norm:e}")]
    TrustRegion {
        /// Where the trust region had shrunk to.
        radius: f64,
        /// The norm of the gradient there.
        grad_norm: f64,
    },
    /// Conjugate gradients did not come to the solution.
    #[error(
        "conjugate gradients left {residual:e} of the right-hand side: the Hessian is too ill-conditioned"
    )]
    NotSolved {
        /// The norm of the residual over that of the right-hand side.
        residual: f64,
    },
    /// A point where a maximum was expected is none.
    #[error("the ELBO has no strict maximum here: its curvature along {parameter} is {value:e}")]
    NotAMaximum {
        /// The element of λ.
        parameter: String,
        /// The pivot of the negative Hessian there, which is not positive.
        value: f64,
    },
    /// The Fisher information of q has no inverse: without damping there is no natural gradient.
    #[error("the Fisher information is singular at {parameter} (pivot {value:e}): damp it")]
    SingularFisher {
        /// The element of λ.
        parameter: String,
        /// The pivot there, which is not positive or a rounding error.
        value: f64,
    },
    /// An estimator was asked for with too few samples.
    #[error("{estimator} needs at least {minimum} samples per gradient, not {actual}")]
    TooFewSamples {
        /// The estimator.
        estimator: &'static str,
        /// The fewest it can work with.
        minimum: usize,
        /// The number asked for.
        actual: usize,
    },
    /// A setting is outside its domain.
    #[error("{name} = {value}, but it must be {requirement}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: f64,
        /// Its domain in words.
        requirement: &'static str,
    },
    /// A plate, or an encoder, without anything to work on.
    #[error("there are no {what}")]
    NoData {
        /// What is missing.
        what: &'static str,
    },
    /// A vector of the wrong length, or parts that do not fit.
    #[error("{name}: length {actual}, expected {expected}")]
    Length {
        /// The vector.
        name: &'static str,
        /// Length required.
        expected: usize,
        /// Length found.
        actual: usize,
    },
    /// The ELBO is NaN or infinite, although every log ratio is finite.
    #[error("the sum of the log ratios is {value}")]
    NonFiniteElbo {
        /// Its estimate.
        value: f64,
    },
    /// A feature that is not finite.
    #[error("feature {feature} of datum {datum} is {value}, but it must be finite")]
    Feature {
        /// The datum, from 0.
        datum: usize,
        /// The feature, from 0.
        feature: usize,
        /// Its value.
        value: f64,
    },
    /// What went wrong at one datum of a plate.
    #[error("datum {datum}: {source}")]
    Datum {
        /// The datum, from 0.
        datum: usize,
        /// What went wrong.
        source: Box<SgviError>,
    },
    /// The parameters θ of a model are outside their domain.
    #[error(transparent)]
    Plate(#[from] PlateError),
    /// Candidates of a bench are told apart by their names.
    #[error("two candidates are named `{name}`: give one of them another name")]
    DuplicateCandidate {
        /// The name.
        name: String,
    },
    /// Model and family do not have the same dimension.
    #[error("the model has dimension {model}, the variational family {family}")]
    Dimension {
        /// D of the model.
        model: usize,
        /// D of the family.
        family: usize,
    },
    /// The parameters of q are outside their domain.
    #[error(transparent)]
    Family(#[from] FamilyError),
    /// A parameter space does not fit.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The exchange between ranks failed.
    #[error(transparent)]
    Communication(#[from] CommError),
    /// A run failed; the error names the iteration.
    #[error(transparent)]
    Run(#[from] Box<RunError<SgviError>>),
    /// The ELBO of the fitted q could not be evaluated.
    #[error("evaluation of the ELBO: {0}")]
    Evaluation(#[source] Box<SgviError>),
}

/// A setting that has to be finite and inside a domain.
pub(crate) fn require(
    holds: bool,
    name: &'static str,
    value: f64,
    requirement: &'static str,
) -> Result<(), SgviError> {
    if holds && value.is_finite() { Ok(()) } else { Err(SgviError::Setting { name, value, requirement }) }
}
