//! Core of `vi`: what every method of Bayesian variational inference shares.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "autodiff")]
mod autograd;
mod bijector;
pub mod checkpoint;
mod communicator;
mod conjugate;
mod counted;
mod exec;
mod kernel;
mod key;
pub mod linalg;
mod model;
pub mod numerics;
mod parameter;
mod posterior;
mod scratch;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
mod trace;
mod unconstrained;

#[cfg(feature = "autodiff")]
#[cfg_attr(docsrs, doc(cfg(feature = "autodiff")))]
pub use autograd::{AutoGrad, Scalar, ScalarLogJoint, log_sum_exp};
pub use bijector::Bijection;
pub use checkpoint::Checkpointer;
pub use communicator::{CommError, Communicator, Local};
pub use conjugate::{ConditionallyConjugate, ConjugateError};
pub use counted::Counted;
pub use exec::{CHUNK, Exec};
pub use kernel::{
    Kernel, NeverStop, Observer, ObserverError, Outcome, RunError, StopOnFlag, StopReason, StopRule, run,
};
pub use key::{Role, StreamKey, StreamRng};
pub use model::{GradLogJoint, KnownPosterior, LocalLogJoint, LogJoint, Predictive, Reported, Subsample};
pub use parameter::{Parameter, ParameterError, ParameterSpace, Support};
pub use posterior::{
    Draws, ElboEstimate, ParameterSummary, Posterior, ReportedPosterior, log_ratios, quantile_sorted,
};
pub use trace::{Every, Trace, TraceTable};
pub use unconstrained::Unconstrained;
