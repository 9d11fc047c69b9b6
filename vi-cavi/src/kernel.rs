//! One iteration of coordinate ascent: a sweep over the blocks.

use serde::{Deserialize, Serialize};
use vi_core::{ConditionallyConjugate, Exec, Kernel, StreamKey};

use crate::error::CaviError;
use crate::stationary::{self, CheckStationary};

/// How far the ELBO may fall at an update before it is an error, relative to `1 + |ELBO|`.
///
/// An exact block update cannot lower the ELBO; what is left is rounding, which stays orders of magnitude
/// below this for any sum of fewer than 10⁶ terms of like size.
pub const FALL_TOLERANCE: f64 = 1e-9;

/// What [`ConditionallyConjugate::expand`] is called in errors.
const EXPANSION: &str = "expansion";

/// Coordinate-ascent variational inference over any conditionally conjugate model.
///
/// A step is one sweep: for every block b in order,
///
/// ```text
/// q_b ← exp E_{q_−b}[log p(x, z)] / Z_b,     T_b ← E_{q_b}[T_b(z_b)].
/// ```
/// The ELBO never falls in exact arithmetic; a fall beyond [`FALL_TOLERANCE`] is an error that names the
/// block. So is a factor that is not the optimum of its block ([`CheckStationary`]). After the blocks a model may move
/// several of them at once ([`ConditionallyConjugate::expand`]). Nothing in a sweep is random but the draws of that
/// check, which change nothing.
///
/// Source: Bishop, *Pattern Recognition and Machine Learning* (2006), §10.1, eq. 10.9; Blei, Kucukelbir &
/// McAuliffe, *Variational Inference: A Review for Statisticians* (2017), §2.4 and eq. 17.
pub struct Cavi<'a, M> {
    model: &'a M,
    exec: Exec<'a>,
    check_blocks: bool,
    check_stationary: CheckStationary,
    expansion: bool,
}

impl<M> Clone for Cavi<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Cavi<'_, M> {}

impl<M> std::fmt::Debug for Cavi<'_, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cavi")
            .field("exec", &self.exec)
            .field("check_blocks", &self.check_blocks)
            .field("check_stationary", &self.check_stationary)
            .field("expansion", &self.expansion)
            .finish_non_exhaustive()
    }
}

/// All that coordinate ascent carries from one sweep to the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaviState<F, S> {
    /// The factors q_b.
    pub factors: F,
    /// The statistics expected under them.
    pub stats: S,
    /// The ELBO of the start, in nats.
    pub elbo_start: f64,
    /// The ELBO now, in nats.
    pub elbo: f64,
    /// The ELBO after every sweep.
    pub elbo_trace: Vec<f64>,
}

impl<F, S> CaviState<F, S> {
    /// What the last sweep reported, `None` before the first.
    pub(crate) fn last(&self, can_converge: bool) -> Option<CaviInfo> {
        let (&elbo, earlier) = self.elbo_trace.split_last()?;
        let change = elbo - earlier.last().copied().unwrap_or(self.elbo_start);
        Some(CaviInfo { elbo, change, n_sweeps: self.elbo_trace.len() as u64, can_converge })
    }
}

/// The state of [`Cavi`] over the model `M`.
pub type StateOf<M> = CaviState<<M as ConditionallyConjugate>::Factors, <M as ConditionallyConjugate>::Stats>;

/// What a sweep reports.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaviInfo {
    /// The ELBO after the sweep, in nats, with every constant.
    pub elbo: f64,
    /// How much the sweep raised it.
    pub change: f64,
    /// The number of sweeps done so far.
    pub n_sweeps: u64,
    /// Whether a change within the tolerance is convergence: not while annealing, nor while moves are left to try.
    pub can_converge: bool,
}

impl<'a, M: ConditionallyConjugate> Cavi<'a, M> {
    /// Coordinate ascent over `model` that checks the ELBO after every block, and every block's optimum in the first sweep.
    pub fn new(model: &'a M, exec: Exec<'a>) -> Self {
        let check_stationary = CheckStationary::default();
        Self { model, exec, check_blocks: true, check_stationary, expansion: true }
    }

    /// Whether the ELBO is evaluated after every block (the default) or only after every sweep.
    #[must_use]
    pub fn with_check_blocks(mut self, check_blocks: bool) -> Self {
        self.check_blocks = check_blocks;
        self
    }

    /// When it is checked that every new factor is the optimum of its block.
    #[must_use]
    pub fn with_check_stationary(mut self, check_stationary: CheckStationary) -> Self {
        self.check_stationary = check_stationary;
        self
    }

    /// Whether the model may move several blocks at once after a sweep (the default), where it knows how to
    /// ([`ConditionallyConjugate::expand`]).
    #[must_use]
    pub fn with_expansion(mut self, expansion: bool) -> Self {
        self.expansion = expansion;
        self
    }

    /// The model.
    pub fn model(&self) -> &'a M {
        self.model
    }

    /// The model's start under this key, with its ELBO.
    ///
    /// # Errors
    /// [`CaviError`] when the model has no start or the ELBO there is not finite.
    pub fn init(&self, key: StreamKey) -> Result<StateOf<M>, CaviError> {
        let (factors, stats) = self.model.init(key, self.exec)?;
        self.start_from(factors, stats)
    }

    /// A state at given factors, whose expected statistics are computed block by block over `stats`.
    ///
    /// # Errors
    /// [`CaviError::NonFiniteStart`] when the ELBO is not finite.
    pub fn warm_start(&self, factors: M::Factors, mut stats: M::Stats) -> Result<StateOf<M>, CaviError> {
        for &block in self.model.blocks() {
            self.model.expect(block, &factors, &mut stats, self.exec);
        }
        self.start_from(factors, stats)
    }

    pub(crate) fn start_from(&self, factors: M::Factors, stats: M::Stats) -> Result<StateOf<M>, CaviError> {
        let elbo = self.model.elbo(&factors, &stats);
        if !elbo.is_finite() {
            return Err(CaviError::NonFiniteStart { elbo });
        }
        Ok(CaviState { factors, stats, elbo_start: elbo, elbo, elbo_trace: Vec::new() })
    }

    /// Where the work is done.
    pub fn exec(&self) -> Exec<'a> {
        self.exec
    }

    /// Sets the factor of one block to its optimum, and nothing else.
    pub(crate) fn update(&self, block: M::Block, state: &mut StateOf<M>) -> Result<(), CaviError> {
        self.model.condition(block, &state.stats, &mut state.factors, self.exec)?;
        self.model.expect(block, &state.factors, &mut state.stats, self.exec);
        Ok(())
    }

    /// The ELBO at `state`, which must be finite.
    fn bound(&self, block: M::Block, state: &StateOf<M>) -> Result<f64, CaviError> {
        let elbo = self.model.elbo(&state.factors, &state.stats);
        if elbo.is_finite() {
            Ok(elbo)
        } else {
            Err(CaviError::NonFiniteElbo { block: format!("{block:?}"), elbo })
        }
    }

    /// One sweep, in which `update` does a block; `holds` says what is true of it.
    pub(crate) fn sweep(
        &self,
        key: StreamKey,
        state: &mut StateOf<M>,
        holds: Holds,
        update: impl Fn(M::Block, &mut StateOf<M>) -> Result<(), CaviError>,
    ) -> Result<CaviInfo, CaviError> {
        let check_blocks = self.check_blocks && holds.monotone;
        let check_stationary = holds.optimal && self.check_stationary.now(state.elbo_trace.len());
        let (start, mut before, mut last) = (state.elbo, state.elbo, None);
        for (b, &block) in self.model.blocks().iter().enumerate() {
            update(block, state)?;
            last = Some(block);
            if check_blocks {
                let after = self.bound(block, state)?;
                if fell(before, after) {
                    let block = format!("{block:?}");
                    return Err(CaviError::ElboFell { block, before, after, amount: before - after });
                }
                before = after;
            }
            if check_stationary && self.model.is_exact(block) {
                stationary::check(self.model, block, key.fold_in(b as u64), state, self.exec)?;
            }
        }
        if let (false, Some(last)) = (check_blocks, last) {
            let after = self.bound(last, state)?;
            if holds.monotone && fell(before, after) {
                return Err(CaviError::SweepFell { before, after, amount: before - after });
            }
            before = after;
        }
        before = self.expand(state, before, holds)?;
        state.elbo = before;
        state.elbo_trace.push(before);
        Ok(CaviInfo {
            elbo: before,
            change: before - start,
            n_sweeps: state.elbo_trace.len() as u64,
            can_converge: holds.can_converge,
        })
    }

    /// The ELBO after the model's own moves of several blocks at once, which may not lower it.
    fn expand(&self, state: &mut StateOf<M>, before: f64, holds: Holds) -> Result<f64, CaviError> {
        let expands = self.expansion && holds.monotone;
        if !(expands && self.model.expand(&mut state.factors, &mut state.stats, self.exec)?) {
            return Ok(before);
        }
        let after = self.model.elbo(&state.factors, &state.stats);
        if !after.is_finite() {
            return Err(CaviError::NonFiniteElbo { block: EXPANSION.to_owned(), elbo: after });
        }
        if fell(before, after) {
            let amount = before - after;
            return Err(CaviError::ElboFell { block: EXPANSION.to_owned(), before, after, amount });
        }
        Ok(after)
    }
}

/// What is true of the updates of a sweep, and can be checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holds {
    /// The ELBO cannot fall at an update.
    pub(crate) monotone: bool,
    /// Every new factor is the optimum of its block.
    pub(crate) optimal: bool,
    /// A change within the tolerance is convergence.
    pub(crate) can_converge: bool,
}

fn fell(before: f64, after: f64) -> bool {
    before - after > FALL_TOLERANCE * (1.0 + before.abs())
}

impl<M: ConditionallyConjugate> Kernel for Cavi<'_, M> {
    type State = StateOf<M>;
    type Info = CaviInfo;
    type Error = CaviError;

    fn step(&self, key: StreamKey, state: &mut Self::State) -> Result<CaviInfo, CaviError> {
        let holds = Holds { monotone: true, optimal: true, can_converge: true };
        self.sweep(key, state, holds, |block, state| self.update(block, state))
    }
}
