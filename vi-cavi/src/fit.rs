//! A whole fit: restarts, the best of which is kept.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use vi_core::{
    ConditionallyConjugate, Exec, Kernel, NeverStop, Observer, Role, RunError, StopReason, StopRule,
    StreamKey, run,
};

use crate::ascent::Ascent;
use crate::error::CaviError;
use crate::kernel::{Cavi, CaviInfo, CaviState, StateOf};
use crate::optima::{Optimum, group_optima};
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
    /// All optima found, the best first.
    pub optima: Vec<Optimum>,
    /// The final states of the other optima, `optima[1..]`: of each that of the restart with the highest ELBO.
    pub other_states: Vec<CaviState<F, S>>,
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

    /// The final state of optimum `i` of [`CaviFit::optima`].
    ///
    /// # Panics
    /// If there are not so many optima.
    pub fn state_of(&self, i: usize) -> &CaviState<F, S> {
        if i == 0 { &self.state } else { &self.other_states[i - 1] }
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
pub type Observers<'a, K> = Vec<Box<dyn Observer<K> + 'a>>;

type Observe<'a, K> = Box<dyn Fn(usize) -> Observers<'a, K> + Sync + 'a>;
type Resume<'a, K> = Box<dyn Fn(usize) -> Option<(<K as Kernel>::State, u64)> + Sync + 'a>;
type Finished<'a> = Box<dyn Fn(usize, &Restart) + Sync + 'a>;

/// A fit to be run: [`fit`] with stop rules, observers and saved states, by plain coordinate ascent or another [`Ascent`].
pub struct Fit<'a, K: Ascent> {
    kernel: K,
    settings: CaviSettings,
    key: StreamKey,
    stop: &'a (dyn StopRule<CaviInfo> + Sync),
    observe: Option<Observe<'a, K>>,
    resume: Option<Resume<'a, K>>,
    finished: Option<Finished<'a>>,
}

impl<K: Ascent> std::fmt::Debug for Fit<'_, K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fit")
            .field("settings", &self.settings)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl<'a, M: ConditionallyConjugate> Fit<'a, Cavi<'a, M>> {
    /// A fit on the threads of the current rayon pool, with the checks that the settings ask for.
    pub fn new(model: &'a M, settings: &CaviSettings, key: StreamKey) -> Self {
        Self::with_kernel(settings.kernel(model, Exec::local()), settings, key)
    }

    /// Where the work is done.
    #[must_use]
    pub fn exec(mut self, exec: Exec<'a>) -> Self {
        self.kernel = self.settings.kernel(self.kernel.model(), exec);
        self
    }
}

impl<'a, K: Ascent> Fit<'a, K> {
    /// A fit by another kernel, which has its own checks: of the settings, those of sweeps, tolerances and restarts count.
    pub fn with_kernel(kernel: K, settings: &CaviSettings, key: StreamKey) -> Self {
        Self {
            kernel,
            settings: settings.clone(),
            key,
            stop: &NeverStop,
            observe: None,
            resume: None,
            finished: None,
        }
    }

    /// A rule beside the tolerance of the settings, for instance [`vi_core::StopOnFlag`].
    #[must_use]
    pub fn stop(mut self, stop: &'a (dyn StopRule<CaviInfo> + Sync)) -> Self {
        self.stop = stop;
        self
    }

    /// The observers of restart `r`: restarts run in parallel and share none.
    #[must_use]
    pub fn observe(mut self, observers: impl Fn(usize) -> Observers<'a, K> + Sync + 'a) -> Self {
        self.observe = Some(Box::new(observers));
        self
    }

    /// The saved state of restart `r` and its next iteration, for instance from a checkpoint; `None` starts
    /// it afresh. A restart that had converged stays as it is.
    #[must_use]
    pub fn resume(mut self, saved: impl Fn(usize) -> Option<(K::State, u64)> + Sync + 'a) -> Self {
        self.resume = Some(Box::new(saved));
        self
    }

    /// Called when a restart has ended, in the order in which they do: progress of the whole.
    #[must_use]
    pub fn finished(mut self, finished: impl Fn(usize, &Restart) + Sync + 'a) -> Self {
        self.finished = Some(Box::new(finished));
        self
    }

    /// Runs every restart and keeps the one with the highest ELBO.
    ///
    /// Restart r starts from `key.role(Role::Chain(r))`. The result does not depend on the number of threads.
    ///
    /// # Errors
    /// [`CaviError::Setting`], or [`CaviError::Restart`] with the error of the first restart that failed.
    pub fn run(&self) -> Result<FitOf<K::Model>, CaviError> {
        self.settings.validate()?;
        let n = self.settings.n_restarts as usize;
        // Ranks must make their collective calls in one order, which parallel restarts would not.
        let results: Vec<_> = if self.kernel.exec().communicator().size() == 1 {
            (0..n).into_par_iter().map(|r| self.restart(r)).collect()
        } else {
            (0..n).map(|r| self.restart(r)).collect()
        };
        let (mut restarts, mut states) = (Vec::with_capacity(n), Vec::with_capacity(n));
        for (r, result) in results.into_iter().enumerate() {
            let (restart, state) =
                result.map_err(|source| CaviError::Restart { restart: r, source: Box::new(source) })?;
            restarts.push(restart);
            states.push(Some(state));
        }
        let ends: Vec<_> = restarts.iter().map(|r| (r.elbo, r.converged())).collect();
        let optima = group_optima(&ends, self.settings.same_optimum);
        let mut kept = optima.iter().filter_map(|o| states[o.restarts[0]].take());
        let state = kept.next().expect("validated settings ask for at least one restart");
        let other_states = kept.collect();
        Ok(CaviFit { state, best: optima[0].restarts[0], restarts, optima, other_states })
    }

    fn restart(&self, r: usize) -> Result<(Restart, StateOf<K::Model>), RunError<CaviError>> {
        let key = self.key.role(Role::Chain(r as u32));
        let saved = self.resume.as_ref().and_then(|resume| resume(r));
        let (mut state, next) = match saved {
            Some(saved) => saved,
            None => {
                let start = self.kernel.start(key.role(Role::Init));
                (start.map_err(|source| RunError::Kernel { iteration: 0, source })?, 0)
            }
        };
        let mut observers = self.observe.as_ref().map(|observe| observe(r)).unwrap_or_default();
        let mut observers: Vec<&mut dyn Observer<K>> =
            observers.iter_mut().map(|o| &mut **o as &mut dyn Observer<K>).collect();
        let tolerance = ElboTolerance { relative: self.settings.tolerance };
        let reached = self.kernel.last(&state).and_then(|info| tolerance.check(next, &info));
        let reason = match reached {
            Some(reason) => reason,
            None => {
                let iterations = next..self.settings.max_iterations.max(next);
                let (step, stop) = (key.role(Role::Step), (tolerance, self.stop));
                run(&self.kernel, &mut state, step, iterations, &stop, &mut observers)?.reason
            }
        };
        let ascent = K::ascent(&state);
        let restart = Restart { elbo: ascent.elbo, elbo_trace: ascent.elbo_trace.clone(), reason };
        if let Some(finished) = &self.finished {
            finished(r, &restart);
        }
        Ok((restart, K::into_ascent(state)))
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
