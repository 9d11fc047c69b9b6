//! One loop for every method: CAVI, SGVI and the MCMC kernels are all `step`s over an explicit state.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::key::StreamKey;

/// An iterative algorithm: an immutable value. Everything that changes lives in `State`, so chains share a
/// kernel and a checkpoint is `(State, t)`.
pub trait Kernel: Send + Sync {
    /// All that must be carried from one iteration to the next.
    type State: Clone + Send;
    /// What an iteration reports and may be thrown away.
    type Info;
    /// Why an iteration can fail.
    type Error: std::error::Error + Send + Sync + 'static;

    /// One iteration. `key` is this iteration's own: `run` derives it from the run's key and `t`.
    ///
    /// # Errors
    /// The kernel's own error; the state is then the one to report, not one to go on from.
    fn step(&self, key: StreamKey, state: &mut Self::State) -> Result<Self::Info, Self::Error>;

    /// What an error says of the run, where it is not a fault of model or settings but the run's own divergence:
    /// [`run`] then ends with [`StopReason::Diverged`]. By default no error does.
    fn divergence(&self, _error: &Self::Error) -> Option<Divergence> {
        None
    }
}

/// How a run is known to have left what it was to find.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Divergence {
    /// The parameter that ran away, or the one that did most of all.
    pub parameter: String,
    /// Its value, which can be infinite or NaN.
    pub value: f64,
    /// What was seen, for people.
    pub evidence: String,
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StopReason {
    /// A stop rule found the run converged.
    Converged {
        /// The rule's name and what it saw, for people.
        rule: String,
    },
    /// The iterations asked for were done. For a method that converges this is a failure to converge.
    Budget,
    /// Someone asked the run to stop.
    Interrupted,
    /// The run diverged: the iterates left what they were to find, and more iterations would not bring them back.
    Diverged {
        /// The iteration in which that was seen, counted from 0.
        iteration: u64,
        /// The parameter that ran away, or the one that did most of all.
        parameter: String,
        /// Its value, which can be infinite or NaN.
        value: f64,
        /// What was seen, for people.
        evidence: String,
    },
}

impl StopReason {
    /// Whether a stop rule found the run converged.
    pub fn is_converged(&self) -> bool {
        matches!(self, StopReason::Converged { .. })
    }

    /// Whether the run diverged.
    pub fn is_diverged(&self) -> bool {
        matches!(self, StopReason::Diverged { .. })
    }
}

impl std::fmt::Display for StopReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StopReason::Converged { rule } => write!(f, "converged: {rule}"),
            StopReason::Budget => f.write_str("iteration budget used up"),
            StopReason::Interrupted => f.write_str("interrupted"),
            StopReason::Diverged { iteration, parameter, value, evidence } => {
                write!(f, "diverged in iteration {iteration}: {parameter} = {value:.3e}; {evidence}")
            }
        }
    }
}

/// Decides after an iteration whether to stop.
///
/// Rules are stateless: what they need to remember (the last bound, a window of them) is part of the
/// kernel's state and comes to them through the info, so that a resumed run stops where an unbroken one does.
pub trait StopRule<I> {
    /// Called after iteration `t` (counted from 0).
    fn check(&self, t: u64, info: &I) -> Option<StopReason>;
}

/// Never stops before the budget.
#[derive(Clone, Copy, Debug, Default)]
pub struct NeverStop;

impl<I> StopRule<I> for NeverStop {
    fn check(&self, _t: u64, _info: &I) -> Option<StopReason> {
        None
    }
}

/// Stops when a flag is raised, for instance by ctrl-C.
#[derive(Clone, Copy, Debug)]
pub struct StopOnFlag<'a>(pub &'a AtomicBool);

impl<I> StopRule<I> for StopOnFlag<'_> {
    fn check(&self, _t: u64, _info: &I) -> Option<StopReason> {
        self.0.load(Ordering::Relaxed).then_some(StopReason::Interrupted)
    }
}

/// The first of several rules that wants to stop.
impl<I, A: StopRule<I>, B: StopRule<I>> StopRule<I> for (A, B) {
    fn check(&self, t: u64, info: &I) -> Option<StopReason> {
        self.0.check(t, info).or_else(|| self.1.check(t, info))
    }
}

impl<I, R: StopRule<I> + ?Sized> StopRule<I> for &R {
    fn check(&self, t: u64, info: &I) -> Option<StopReason> {
        (**self).check(t, info)
    }
}

/// An error of an observer, for instance a checkpoint that could not be written.
pub type ObserverError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Watches a run: progress bars, traces, checkpoints.
pub trait Observer<K: Kernel + ?Sized> {
    /// Called after iteration `t` (counted from 0).
    ///
    /// # Errors
    /// An error ends the run, with the iteration named.
    fn observe(&mut self, t: u64, state: &K::State, info: &K::Info) -> Result<(), ObserverError>;

    /// Called once when the run ends in order; `next` is the iteration to resume from.
    ///
    /// # Errors
    /// As for [`Observer::observe`].
    fn finish(&mut self, _next: u64, _state: &K::State, _reason: &StopReason) -> Result<(), ObserverError> {
        Ok(())
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The iteration to resume from: one past the last one done. After a divergence, the iteration that was not done.
    pub next: u64,
    /// Why it ended.
    pub reason: StopReason,
}

impl Outcome {
    /// Whether a stop rule found the run converged: false when the budget ended first.
    pub fn converged(&self) -> bool {
        self.reason.is_converged()
    }
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError<E: std::error::Error + 'static> {
    /// The kernel failed.
    #[error("iteration {iteration}: {source}")]
    Kernel {
        /// The iteration, counted from 0.
        iteration: u64,
        /// The kernel's error.
        source: E,
    },
    /// An observer failed.
    #[error("iteration {iteration}: {source}")]
    Observer {
        /// The iteration, counted from 0.
        iteration: u64,
        /// The observer's error.
        source: ObserverError,
    },
}

impl<E: std::error::Error + 'static> RunError<E> {
    /// The iteration that failed, counted from 0: as many were done before it.
    pub fn iteration(&self) -> u64 {
        match self {
            Self::Kernel { iteration, .. } | Self::Observer { iteration, .. } => *iteration,
        }
    }
}

/// Runs `kernel` for `iterations`, until a rule stops it, it diverges, or an error ends it.
///
/// An error of the kernel that [`Kernel::divergence`] knows for a divergence is an outcome like the others, and observers
/// are told of it by [`Observer::finish`]; no rule has to ask for it.
///
/// The key of iteration `t` is `key.fold_in(t)`, so `run(.., 0..100)` and `run(.., 0..40)` followed by
/// `run(.., 40..100)` end in the same bits.
///
/// # Errors
/// [`RunError`] names the iteration.
pub fn run<K: Kernel + ?Sized>(
    kernel: &K,
    state: &mut K::State,
    key: StreamKey,
    iterations: Range<u64>,
    stop: &dyn StopRule<K::Info>,
    observers: &mut [&mut dyn Observer<K>],
) -> Result<Outcome, RunError<K::Error>> {
    let mut outcome = Outcome { next: iterations.end, reason: StopReason::Budget };
    for t in iterations {
        let info = match kernel.step(key.fold_in(t), state) {
            Ok(info) => info,
            Err(source) => {
                let Some(Divergence { parameter, value, evidence }) = kernel.divergence(&source) else {
                    return Err(RunError::Kernel { iteration: t, source });
                };
                let reason = StopReason::Diverged { iteration: t, parameter, value, evidence };
                outcome = Outcome { next: t, reason };
                break;
            }
        };
        for observer in observers.iter_mut() {
            observer
                .observe(t, state, &info)
                .map_err(|source| RunError::Observer { iteration: t, source })?;
        }
        if let Some(reason) = stop.check(t, &info) {
            outcome = Outcome { next: t + 1, reason };
            break;
        }
    }
    for observer in observers.iter_mut() {
        observer
            .finish(outcome.next, state, &outcome.reason)
            .map_err(|source| RunError::Observer { iteration: outcome.next, source })?;
    }
    Ok(outcome)
}
