//! A whole fit: restarts, the best of which is kept.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use vi_core::{
    ConditionallyConjugate, Exec, NeverStop, Observer, Outcome, Role, RunError, StopReason, StopRule,
    StreamKey, run,
};

use crate::error::CaviError;
use crate::kernel::{Cavi, CaviInfo, CaviState, StateOf};
use crate::posterior::CaviPosterior;
use crate::settings::CaviSettings;
use crate::stop::ElboTolerance;

/// What one restart came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Restart {
    /// Its last ELBO, in nats.
    pub elbo: f64,
    /// The ELBO after every sweep.
    pub elbo_trace: Vec<f64>,
    /// Why it ended.
    pub reason: StopReason,
}

impl Restart {
    /// The number of sweeps done.
    pub fn n_iterations(&self) -> u64 {
        self.elbo_trace.len() as u64
    }

    /// Whether it converged; false when the budget ended first.
    pub fn converged(&self) -> bool {
        self.reason.is_converged()
    }
}

/// A finished fit: the state of the best restart, and what all of them came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaviFit<F, S> {
    /// The final state of the restart with the highest ELBO.
    pub state: CaviState<F, S>,
    /// Which restart that is (the first of equals).
    pub best: usize,
    /// All restarts in order.
    pub restarts: Vec<Restart>,
}

/// The result of [`fit`] over the model `M`.
pub type FitOf<M> = CaviFit<<M as ConditionallyConjugate>::Factors, <M as ConditionallyConjugate>::Stats>;

impl<F: Clone + Send + Sync, S: Clone + Send + Sync> CaviFit<F, S> {
    /// Whether the best restart converged.
    pub fn converged(&self) -> bool {
        self.restarts[self.best].converged()
    }

    /// Why the best restart ended.
    pub fn reason(&self) -> &StopReason {
        &self.restarts[self.best].reason
    }

    /// The best ELBO, in nats.
    pub fn elbo(&self) -> f64 {
        self.state.elbo
    }

    /// The fitted factors as a posterior over the variables of `model`, which is the model that was fitted.
    pub fn posterior<'a, M>(&self, model: &'a M) -> CaviPosterior<'a, M>
    where
        M: ConditionallyConjugate<Factors = F, Stats = S>,
    {
        CaviPosterior::new(model, self.state.factors.clone(), self.state.elbo)
    }
}

/// Observers of one restart.
pub type Observers<'a, M> = Vec<Box<dyn Observer<Cavi<'a, M>> + 'a>>;

type Observe<'a, M> = Box<dyn Fn(usize) -> Observers<'a, M> + Sync + 'a>;
type Resume<'a, M> = Box<dyn Fn(usize) -> Option<(StateOf<M>, u64)> + Sync + 'a>;

/// A fit to be run: [`fit`] with stop rules, observers and saved states.
pub struct Fit<'a, M: ConditionallyConjugate> {
    model: &'a M,
    settings: CaviSettings,
    key: StreamKey,
    exec: Exec<'a>,
    stop: &'a (dyn StopRule<CaviInfo> + Sync),
    observe: Option<Observe<'a, M>>,
    resume: Option<Resume<'a, M>>,
}

impl<M: ConditionallyConjugate> std::fmt::Debug for Fit<'_, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fit")
            .field("settings", &self.settings)
            .field("key", &self.key)
            .field("exec", &self.exec)
            .finish_non_exhaustive()
    }
}

impl<'a, M: ConditionallyConjugate> Fit<'a, M> {
    /// A fit on the threads of the current rayon pool.
    pub fn new(model: &'a M, settings: &CaviSettings, key: StreamKey) -> Self {
        Self {
            model,
            settings: settings.clone(),
            key,
            exec: Exec::local(),
            stop: &NeverStop,
            observe: None,
            resume: None,
        }
    }

    /// Where the work is done.
    #[must_use]
    pub fn exec(mut self, exec: Exec<'a>) -> Self {
        self.exec = exec;
        self
    }

    /// A rule beside the tolerance of the settings, for instance [`vi_core::StopOnFlag`].
    #[must_use]
    pub fn stop(mut self, stop: &'a (dyn StopRule<CaviInfo> + Sync)) -> Self {
        self.stop = stop;
        self
    }

    /// The observers of restart `r`: restarts run in parallel and share none.
    #[must_use]
    pub fn observe(mut self, observers: impl Fn(usize) -> Observers<'a, M> + Sync + 'a) -> Self {
        self.observe = Some(Box::new(observers));
        self
    }

    /// The saved state of restart `r` and its next iteration, for instance from a checkpoint; `None` starts
    /// it afresh.
    #[must_use]
    pub fn resume(mut self, saved: impl Fn(usize) -> Option<(StateOf<M>, u64)> + Sync + 'a) -> Self {
        self.resume = Some(Box::new(saved));
        self
    }

    /// Runs every restart and keeps the one with the highest ELBO.
    ///
    /// Restart r starts from `key.role(Role::Chain(r))`. The result does not depend on the number of threads.
    ///
    /// # Errors
    /// [`CaviError::Setting`], or [`CaviError::Restart`] with the error of the first restart that failed.
    pub fn run(&self) -> Result<FitOf<M>, CaviError> {
        self.settings.validate()?;
        let n = self.settings.n_restarts as usize;
        // Ranks must make their collective calls in one order, which parallel restarts would not.
        let results: Vec<_> = if self.exec.communicator().size() == 1 {
            (0..n).into_par_iter().map(|r| self.restart(r)).collect()
        } else {
            (0..n).map(|r| self.restart(r)).collect()
        };
        let mut restarts = Vec::with_capacity(n);
        let mut best: Option<(usize, StateOf<M>)> = None;
        for (r, result) in results.into_iter().enumerate() {
            let (state, outcome) =
                result.map_err(|source| CaviError::Restart { restart: r, source: Box::new(source) })?;
            restarts.push(Restart {
                elbo: state.elbo,
                elbo_trace: state.elbo_trace.clone(),
                reason: outcome.reason,
            });
            if best.as_ref().is_none_or(|(_, kept)| state.elbo > kept.elbo) {
                best = Some((r, state));
            }
        }
        let (best, state) = best.expect("validated settings ask for at least one restart");
        Ok(CaviFit { state, best, restarts })
    }

    fn restart(&self, r: usize) -> Result<(StateOf<M>, Outcome), RunError<CaviError>> {
        let kernel = Cavi::new(self.model, self.exec).with_check_blocks(self.settings.check_blocks);
        let key = self.key.role(Role::Chain(r as u32));
        let saved = self.resume.as_ref().and_then(|resume| resume(r));
        let (mut state, next) = match saved {
            Some(saved) => saved,
            None => {
                let state = kernel
                    .init(key.role(Role::Init))
                    .map_err(|source| RunError::Kernel { iteration: 0, source })?;
                (state, 0)
            }
        };
        let mut observers = self.observe.as_ref().map(|observe| observe(r)).unwrap_or_default();
        let mut observers: Vec<&mut dyn Observer<Cavi<'a, M>>> =
            observers.iter_mut().map(|o| &mut **o as &mut dyn Observer<Cavi<'a, M>>).collect();
        let stop = (ElboTolerance { relative: self.settings.tolerance }, self.stop);
        let iterations = next..self.settings.max_iterations.max(next);
        let outcome = run(&kernel, &mut state, key.role(Role::Step), iterations, &stop, &mut observers)?;
        Ok((state, outcome))
    }
}

/// Fits `model` by coordinate ascent: restarts in parallel, the best ELBO kept, all of them reported.
///
/// # Errors
/// [`CaviError`] for settings outside their domain or a restart that failed.
pub fn fit<M: ConditionallyConjugate>(
    model: &M,
    settings: &CaviSettings,
    key: StreamKey,
    exec: Exec<'_>,
) -> Result<FitOf<M>, CaviError> {
    Fit::new(model, settings, key).exec(exec).run()
}
