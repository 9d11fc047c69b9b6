//! One step of stochastic variational inference.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use vi_core::{Batch, Exchangeable, Exec, Kernel, StopReason, StopRule, StreamKey};

use super::epoch::EpochOrder;
use super::rate::RateMemory;
use super::settings::SviSettings;
use crate::error::CaviError;

/// Stochastic variational inference over a model of exchangeable data.
///
/// A step takes the next batch B of the epoch's order, sets its local factors to their optimum, and moves the natural
/// parameter of every global block towards what would be its optimum if all data were like the batch:
///
/// ```text
/// λ_b ← (1 − ρ_t) λ_b + ρ_t λ̂_b(B)
/// ```
/// The data of a step follow from the key of the kernel and the number of steps done: a run that is stopped in the middle
/// of an epoch and resumed ends in the bits of an unbroken one.
///
/// Source: Hoffman, Blei, Wang & Paisley, "Stochastic variational inference", JMLR 14 (2013), algorithm 1.
pub struct Svi<'a, M> {
    model: &'a M,
    exec: Exec<'a>,
    settings: SviSettings,
    data_key: StreamKey,
}

impl<M> std::fmt::Debug for Svi<'_, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Svi")
            .field("exec", &self.exec)
            .field("settings", &self.settings)
            .field("data_key", &self.data_key)
            .finish_non_exhaustive()
    }
}

/// All that stochastic variational inference carries from one step to the next: no local factor is among it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SviState<G> {
    /// The global factors.
    pub globals: G,
    /// Steps done.
    pub n_steps: u64,
    /// What adaptive rates remember, for every global block.
    pub rates: Vec<RateMemory>,
    /// The ELBO of the start on all data, in nats.
    pub elbo_start: f64,
    /// The evaluations of the ELBO on all data: steps done, nats.
    pub elbo_trace: Vec<(u64, f64)>,
    #[serde(skip)]
    order: EpochOrder,
}

impl<G> SviState<G> {
    /// The last evaluation of the ELBO on all data, in nats.
    pub fn elbo(&self) -> f64 {
        self.elbo_trace.last().map_or(self.elbo_start, |(_, elbo)| *elbo)
    }
}

/// What a step reports.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SviInfo {
    /// Steps done so far.
    pub n_steps: u64,
    /// Passes over the data done so far, with the part of the present one.
    pub epochs: f64,
    /// The largest rate of a global block.
    pub rate: f64,
    /// The ELBO on all data, in nats, where this step evaluated it.
    pub elbo: Option<f64>,
    /// How far that is from the evaluation before.
    pub change: Option<f64>,
}

/// Stops when two evaluations of the ELBO on all data differ by less than `relative · (1 + |ELBO|)`.
///
/// With rates that fall, the bound changes little in the end whether or not it is at its optimum: this rule says that the
/// run has come to rest, not where.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SviTolerance {
    /// The tolerance, relative to `1 + |ELBO|`; 0 never stops.
    pub relative: f64,
}

impl StopRule<SviInfo> for SviTolerance {
    fn check(&self, _t: u64, info: &SviInfo) -> Option<StopReason> {
        let (elbo, change) = info.elbo.zip(info.change)?;
        let bound = self.relative * (1.0 + elbo.abs());
        // While adaptive rates are being estimated nothing moves.
        (info.rate > 0.0 && change.abs() < bound).then(|| StopReason::Converged {
            rule: format!("ELBO on all data changed by {change:.1e} nats, less than {bound:.1e} allowed"),
        })
    }
}

impl<'a, M: Exchangeable> Svi<'a, M> {
    /// Stochastic variational inference over `model`; the orders of epochs come from `data_key`.
    ///
    /// # Errors
    /// [`CaviError::Setting`] names the first setting outside its domain.
    pub fn new(
        model: &'a M,
        settings: &SviSettings,
        data_key: StreamKey,
        exec: Exec<'a>,
    ) -> Result<Self, CaviError> {
        settings.validate()?;
        let batch_size = settings.batch_size.min(model.n_data());
        Ok(Self { model, exec, settings: SviSettings { batch_size, ..settings.clone() }, data_key })
    }

    /// The model.
    pub fn model(&self) -> &'a M {
        self.model
    }

    /// Steps in an epoch.
    pub fn n_batches(&self) -> u64 {
        self.model.n_data().div_ceil(self.settings.batch_size) as u64
    }

    /// The model's start under this key, with its ELBO on all data.
    ///
    /// # Errors
    /// [`CaviError`] when the model has no start or the ELBO there is not finite.
    pub fn init(&self, key: StreamKey) -> Result<SviState<M::Globals>, CaviError> {
        self.start_from(self.model.init_globals(key, self.exec)?)
    }

    /// A state at these globals.
    ///
    /// # Errors
    /// [`CaviError::NonFiniteStart`] when the ELBO is not finite.
    pub fn start_from(&self, globals: M::Globals) -> Result<SviState<M::Globals>, CaviError> {
        let elbo_start = self.model.global_elbo(&globals, self.exec)?;
        if !elbo_start.is_finite() {
            return Err(CaviError::NonFiniteStart { elbo: elbo_start });
        }
        Ok(SviState {
            globals,
            n_steps: 0,
            rates: vec![RateMemory::default(); self.model.global_blocks().len()],
            elbo_start,
            elbo_trace: Vec::new(),
            order: EpochOrder::default(),
        })
    }

    /// Moves all global blocks on the next batch; returns the largest rate.
    fn move_globals(&self, state: &mut SviState<M::Globals>) -> Result<f64, CaviError> {
        let (n, n_batches) = (self.model.n_data(), self.n_batches());
        let (epoch, position) = (state.n_steps / n_batches, (state.n_steps % n_batches) as usize);
        let indices = state.order.batch(self.data_key, epoch, position, self.settings.batch_size, n);
        let found = self.model.local_step(&state.globals, Batch::new(indices, n), self.exec)?;
        let mut largest = 0.0f64;
        for (&block, memory) in self.model.global_blocks().iter().zip(&mut state.rates) {
            let n = self.model.n_global_natural(block);
            let (mut eta, mut target) = (Array1::zeros(n), Array1::zeros(n));
            self.model.global_natural(block, &state.globals, &mut eta);
            self.model.global_conditional(block, &found, &state.globals, &mut target)?;
            let gradient = &target - &eta;
            let rate = self.settings.rate.rate(state.n_steps + 1, &gradient, memory);
            if rate == 1.0 {
                eta = target;
            } else {
                eta.scaled_add(rate, &gradient);
            }
            if rate > 0.0 {
                self.model.set_global_natural(block, &eta, &mut state.globals)?;
            }
            largest = largest.max(rate);
        }
        state.n_steps += 1;
        Ok(largest)
    }
}

impl<M: Exchangeable> Kernel for Svi<'_, M> {
    type State = SviState<M::Globals>;
    type Info = SviInfo;
    type Error = CaviError;

    fn step(&self, _key: StreamKey, state: &mut Self::State) -> Result<SviInfo, CaviError> {
        let rate = self.move_globals(state)?;
        let every = match self.settings.evaluate_every {
            0 => self.n_batches(),
            every => every,
        };
        let (mut elbo, mut change) = (None, None);
        if state.n_steps.is_multiple_of(every) {
            let value = self.model.global_elbo(&state.globals, self.exec)?;
            if !value.is_finite() {
                return Err(CaviError::NonFiniteGlobalElbo { n_steps: state.n_steps, elbo: value });
            }
            (elbo, change) = (Some(value), Some(value - state.elbo()));
            state.elbo_trace.push((state.n_steps, value));
        }
        let epochs = state.n_steps as f64 / self.n_batches() as f64;
        Ok(SviInfo { n_steps: state.n_steps, epochs, rate, elbo, change })
    }
}
