//! Coordinate ascent with moves.

use serde::{Deserialize, Serialize};
use vi_core::{ConjugateError, Exec, FactorsAndStats, Kernel, SplitMerge, StreamKey};

use super::candidates::{Move, candidates, occupied_and_empty};
use crate::ascent::Ascent;
use crate::error::CaviError;
use crate::kernel::{Cavi, CaviInfo, CaviState, Holds, StateOf};
use crate::settings::{CaviSettings, require};
use crate::stationary::CheckStationary;

/// Sweeps after which a trial ends whatever its pace.
const MOST_SWEEPS: u32 = 500;

/// How [`MovingCavi`] looks for moves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MoveSettings {
    /// A sweep that changes the ELBO by less than this, relative to `1 + |ELBO|`, ends the sweeps before a round of moves;
    /// 1e-7 by default.
    pub tolerance: f64,
    /// Sweeps after a move before it may be given up, at least 1; 20 by default. Fewer are done when the bound is higher
    /// sooner; more, while as many again at the pace of the last one would get it there.
    pub n_refine: u32,
    /// Pairs that a round tries to merge; 5 by default.
    pub max_merges: usize,
    /// Components that a round tries to delete, the smallest first; 5 by default.
    pub max_deletes: usize,
    /// Ways in which a component is split, at least 1; 4 by default. The one with the highest bound goes on.
    pub n_attempts: usize,
    /// Sweeps after which ways of a split are compared, fewer than `n_refine`; 3 by default.
    pub n_compare: u32,
    /// What a move must gain, relative to `1 + |ELBO|`, more than rounding; 1e-8 by default.
    pub min_gain: f64,
}

impl Default for MoveSettings {
    fn default() -> Self {
        Self {
            tolerance: 1e-7,
            n_refine: 20,
            max_merges: 5,
            max_deletes: 5,
            n_attempts: 4,
            n_compare: 3,
            min_gain: 1e-8,
        }
    }
}

impl MoveSettings {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`CaviError::Setting`] names the first setting outside its domain.
    pub fn validate(&self) -> Result<(), CaviError> {
        let positive =
            |setting, value: f64| require(value.is_finite() && value > 0.0, setting, value, "finite and > 0");
        positive("moves.tolerance", self.tolerance)?;
        positive("moves.min_gain", self.min_gain)?;
        require(self.n_refine > 0, "moves.n_refine", f64::from(self.n_refine), "at least 1")?;
        require(self.n_attempts > 0, "moves.n_attempts", self.n_attempts as f64, "at least 1")?;
        let fewer = self.n_compare < self.n_refine;
        require(fewer, "moves.n_compare", f64::from(self.n_compare), "less than moves.n_refine")
    }
}

/// A move that was made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// The iteration, from 0.
    pub iteration: u64,
    /// What was done.
    pub made: Move,
    /// What the ELBO was before, in nats.
    pub before: f64,
    /// What it was after the sweeps that followed, in nats.
    pub after: f64,
}

/// Where in the alternation of sweeps and moves a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// Sweeps, until they change little.
    Sweeping,
    /// The moves of a round: this many were tried in vain.
    Trying(usize),
    /// No move of a whole round helped: sweeps to the end, of which this many were done.
    Finishing(u64),
}

/// All that coordinate ascent with moves carries from one iteration to the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MoveState<F, S> {
    /// The state of coordinate ascent; its trace has the ELBO after every iteration, be that a sweep or a trial.
    pub ascent: CaviState<F, S>,
    /// The moves that were made.
    pub accepted: Vec<Accepted>,
    /// The number of moves that were tried.
    pub n_tried: u64,
    phase: Phase,
}

/// Coordinate ascent that, where it comes to rest, tries to split, merge and delete components.
///
/// An iteration is a sweep or the trial of one move. A trial changes a copy, sweeps over it, and is accepted only if the ELBO,
/// with every constant, is then higher than before: the bound never falls. After an accepted move sweeps go on; when all moves
/// of a round were tried in vain, the run goes on to its tolerance as plain coordinate ascent and ends.
///
/// Source: Ueda, Nakano, Ghahramani & Hinton, "SMEM algorithm for mixture models", Neural Computation 12 (2000);
/// Hughes & Sudderth, "Memoized online variational inference for Dirichlet process mixture models", NIPS 2013, §4.
pub struct MovingCavi<'a, M> {
    cavi: Cavi<'a, M>,
    /// The same for the sweeps of trials, each of which has a first one.
    trial: Cavi<'a, M>,
    settings: MoveSettings,
}

impl<M> std::fmt::Debug for MovingCavi<'_, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MovingCavi").field("cavi", &self.cavi).field("settings", &self.settings).finish()
    }
}

type MoveStateOf<M> =
    MoveState<<M as vi_core::ConditionallyConjugate>::Factors, <M as vi_core::ConditionallyConjugate>::Stats>;

impl<'a, M: SplitMerge> MovingCavi<'a, M> {
    /// Over `model`, with the checks of `cavi` in all sweeps.
    ///
    /// # Errors
    /// [`CaviError::Setting`] names the first setting outside its domain.
    pub fn new(
        model: &'a M,
        settings: MoveSettings,
        cavi: &CaviSettings,
        exec: Exec<'a>,
    ) -> Result<Self, CaviError> {
        settings.validate()?;
        let trial = match cavi.check_stationary {
            CheckStationary::FirstSweep => CheckStationary::Never,
            other => other,
        };
        let cavi = cavi.kernel(model, exec);
        Ok(Self { cavi, trial: cavi.with_check_stationary(trial), settings })
    }

    /// A state that goes on from one of coordinate ascent.
    pub fn start_from(&self, ascent: StateOf<M>) -> MoveStateOf<M> {
        MoveState { ascent, accepted: Vec::new(), n_tried: 0, phase: Phase::Sweeping }
    }

    /// Where a move leads; `None` where it leads nowhere.
    fn propose(
        &self,
        made: Move,
        attempt: usize,
        key: StreamKey,
        from: &StateOf<M>,
    ) -> Result<Option<FactorsAndStats<M>>, ConjugateError> {
        let (model, exec) = (self.cavi.model(), self.cavi.exec());
        Ok(match made {
            Move::Reorder => model.reorder(&from.factors, &from.stats, exec)?,
            Move::Merge { from: j, into } => Some(model.merge(j, into, &from.factors, exec)?),
            Move::Delete { component } => Some(model.delete(component, &from.factors, &from.stats, exec)?),
            Move::Split { from: j, into } => model.split(j, into, &from.factors, attempt, key, exec)?,
            Move::SplitEach { n } => self.split_each(n, attempt, key, from)?,
            Move::MergeSplit { merged, into, split } => {
                let (factors, _) = model.merge(merged, into, &from.factors, exec)?;
                model.split(split, merged, &factors, attempt, key, exec)?
            }
        })
    }

    /// The `n` largest components split, one after the other.
    fn split_each(
        &self,
        n: usize,
        attempt: usize,
        key: StreamKey,
        from: &StateOf<M>,
    ) -> Result<Option<FactorsAndStats<M>>, ConjugateError> {
        let (model, mut found) = (self.cavi.model(), None);
        let (occupied, empty) = occupied_and_empty(&model.component_sizes(&from.stats));
        for (j, into) in occupied.into_iter().zip(empty).take(n) {
            let factors = found.as_ref().map_or(&from.factors, |(factors, _)| factors);
            let key = key.fold_in(j as u64);
            found = model.split(j, into, factors, attempt, key, self.cavi.exec())?.or(found);
        }
        Ok(found)
    }

    /// One way of a move and `n_sweeps` sweeps after it, `None` where that has no bound.
    fn begin(
        &self,
        made: Move,
        attempt: usize,
        n_sweeps: u32,
        key: StreamKey,
        from: &StateOf<M>,
    ) -> Result<Option<StateOf<M>>, CaviError> {
        let begun = || -> Result<Option<StateOf<M>>, CaviError> {
            let Some((factors, stats)) = self.propose(made, attempt, key, from)? else { return Ok(None) };
            let mut state = self.cavi.start_from(factors, stats)?;
            for sweep in 0..n_sweeps {
                sweep_once(&self.trial, key.fold_in(u64::from(sweep)), &mut state, false)?;
            }
            Ok(Some(state))
        };
        match begun() {
            // What fails between ranks must fail on all of them.
            Err(error @ CaviError::Conditional(ConjugateError::Communication(_))) => Err(error),
            // A half that no component fits, or that has no bound, is no better.
            Err(CaviError::Conditional(_) | CaviError::NonFiniteStart { .. }) => Ok(None),
            other => other,
        }
    }

    /// A move, in the best of its ways, and the sweeps after it: the new state, if its bound is higher.
    fn attempt(
        &self,
        made: Move,
        key: StreamKey,
        from: &StateOf<M>,
    ) -> Result<Option<StateOf<M>>, CaviError> {
        let wanted = from.elbo + self.settings.min_gain * (1.0 + from.elbo.abs());
        let n_attempts = made.n_attempts(&self.settings);
        let n_begun = if n_attempts > 1 { self.settings.n_compare } else { 0 };
        let mut best: Option<StateOf<M>> = None;
        for attempt in 0..n_attempts {
            let begun = self.begin(made, attempt, n_begun, key.fold_in(attempt as u64), from)?;
            // Of equals the first.
            best = match (best, begun) {
                (Some(best), Some(begun)) if begun.elbo <= best.elbo => Some(best),
                (best, begun) => begun.or(best),
            };
        }
        let Some(mut state) = best else { return Ok(None) };
        let (n_refine, key) = (self.settings.n_refine, key.fold_in(n_attempts as u64));
        for sweep in n_begun..MOST_SWEEPS.max(n_refine) {
            if state.elbo > wanted {
                return Ok(Some(state));
            }
            let change = sweep_once(&self.trial, key.fold_in(u64::from(sweep)), &mut state, false)?.change;
            if sweep + 1 >= n_refine && state.elbo + f64::from(n_refine) * change <= wanted {
                return Ok(None);
            }
        }
        Ok((state.elbo > wanted).then_some(state))
    }

    /// One trial: the state afterwards is the better of the two.
    fn trial(&self, key: StreamKey, tried: usize, state: &mut MoveStateOf<M>) -> Result<CaviInfo, CaviError> {
        let before = state.ascent.elbo;
        let moves = candidates(self.cavi.model(), &state.ascent, &self.settings);
        state.phase = if tried + 1 < moves.len() { Phase::Trying(tried + 1) } else { Phase::Finishing(0) };
        if let Some(&made) = moves.get(tried) {
            state.n_tried += 1;
            if let Some(better) = self.attempt(made, key, &state.ascent)? {
                let (ascent, after) = (&mut state.ascent, better.elbo);
                let iteration = ascent.elbo_trace.len() as u64;
                (ascent.factors, ascent.stats, ascent.elbo) = (better.factors, better.stats, after);
                state.accepted.push(Accepted { iteration, made, before, after });
                state.phase = Phase::Sweeping;
            }
        }
        let elbo = state.ascent.elbo;
        state.ascent.elbo_trace.push(elbo);
        let n_sweeps = state.ascent.elbo_trace.len() as u64;
        Ok(CaviInfo { elbo, change: elbo - before, n_sweeps, can_converge: false })
    }
}

fn sweep_once<M: SplitMerge>(
    cavi: &Cavi<'_, M>,
    key: StreamKey,
    state: &mut StateOf<M>,
    can_converge: bool,
) -> Result<CaviInfo, CaviError> {
    let holds = Holds { monotone: true, optimal: true, can_converge };
    cavi.sweep(key, state, holds, |block, state| cavi.update(block, state))
}

impl<M: SplitMerge> Kernel for MovingCavi<'_, M> {
    type State = MoveStateOf<M>;
    type Info = CaviInfo;
    type Error = CaviError;

    fn step(&self, key: StreamKey, state: &mut Self::State) -> Result<CaviInfo, CaviError> {
        match state.phase {
            Phase::Sweeping => {
                let info = sweep_once(&self.cavi, key, &mut state.ascent, false)?;
                if info.change.abs() <= self.settings.tolerance * (1.0 + info.elbo.abs()) {
                    state.phase = Phase::Trying(0);
                }
                Ok(info)
            }
            Phase::Trying(tried) => self.trial(key, tried, state),
            Phase::Finishing(n) => {
                state.phase = Phase::Finishing(n + 1);
                sweep_once(&self.cavi, key, &mut state.ascent, true)
            }
        }
    }
}

impl<M: SplitMerge> Ascent for MovingCavi<'_, M> {
    type Model = M;

    fn exec(&self) -> Exec<'_> {
        self.cavi.exec()
    }

    fn start(&self, key: StreamKey) -> Result<MoveStateOf<M>, CaviError> {
        self.cavi.init(key).map(|ascent| self.start_from(ascent))
    }

    fn last(&self, state: &MoveStateOf<M>) -> Option<CaviInfo> {
        state.ascent.last(matches!(state.phase, Phase::Finishing(n) if n > 0))
    }

    fn ascent(state: &MoveStateOf<M>) -> &StateOf<M> {
        &state.ascent
    }

    fn into_ascent(state: MoveStateOf<M>) -> StateOf<M> {
        state.ascent
    }
}
