//! The No-U-Turn sampler, through nuts-rs.

use std::cell::RefCell;

use ndarray::{Array1, Array2, ArrayRef1};
use nuts_rs::{Chain, CpuMath, DiagNutsSettings, Settings};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use vi_core::{GradLogJoint, ParameterSpace, Role, StopReason, StreamKey};

use crate::chain::{ChainResult, ChainStats};
use crate::control::{ChainProgress, Control};
use crate::density::{Density, Tally};
use crate::error::McmcError;
use crate::sampler::Sampler;
use crate::settings::{McmcSettings, check_open};
use crate::target::Target;

/// How [`Nuts`] builds its trajectories.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NutsSettings {
    /// The mean acceptance probability that the step size is adapted to; 0.8 by default. Raise it when there
    /// are divergences.
    pub target_accept: f64,
    /// A trajectory has fewer than 2^max_tree_depth steps; 10 by default.
    pub max_tree_depth: u32,
    /// A step whose energy error exceeds this is a divergence; 1000 by default.
    pub max_energy_error: f64,
}

impl Default for NutsSettings {
    fn default() -> Self {
        Self { target_accept: 0.8, max_tree_depth: 10, max_energy_error: 1000.0 }
    }
}

impl NutsSettings {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`McmcError::Setting`] names the first one outside its domain and its value.
    pub fn validate(&self) -> Result<(), McmcError> {
        let probability = "between 0 and 1, both excluded";
        check_open("target_accept", self.target_accept, (0.0, 1.0), probability)?;
        let depth = f64::from(self.max_tree_depth);
        check_open("max_tree_depth", depth, (0.0, 31.0), "between 1 and 30")?;
        let positive = "finite and > 0";
        check_open("max_energy_error", self.max_energy_error, (0.0, f64::INFINITY), positive)
    }

    fn to_nuts_rs(self, n_warmup: usize, n_draws: u64) -> DiagNutsSettings {
        let mut out = DiagNutsSettings {
            num_tune: n_warmup as u64,
            num_draws: n_draws,
            maxdepth: u64::from(self.max_tree_depth),
            max_energy_error: self.max_energy_error,
            store_gradient: false,
            store_unconstrained: false,
            store_transformed: false,
            store_divergences: false,
            ..DiagNutsSettings::default()
        };
        out.adapt_options.step_size_settings.target_accept = self.target_accept;
        out
    }
}

/// The No-U-Turn sampler with multinomial trajectories and a diagonal mass matrix that is adapted, like the
/// step size, during the warm-up.
///
/// Constrained variables are sampled through [`vi_core::Unconstrained`]. Zero density (log joint −∞) ends a
/// trajectory as a divergence; NaN ends the run with an error that shows where.
///
/// Source: Hoffman & Gelman (2014), JMLR 15; Betancourt (2017), arXiv:1701.02434; implementation: nuts-rs.
///
/// Chains of nuts-rs cannot be stored half-way, so the unit to store is a finished chain: a
/// [`ChainResult`] is serialisable, and [`Sampler::sample_chain`] runs a missing one with the same bits that it
/// would have had in the first run.
#[derive(Clone, Debug)]
pub struct Nuts<M> {
    target: Target<M>,
    settings: NutsSettings,
}

impl<M: GradLogJoint> Nuts<M> {
    /// NUTS over `model`.
    ///
    /// # Errors
    /// [`McmcError::Parameter`] names a discrete variable, [`McmcError::Setting`] a wrong setting.
    pub fn new(model: M, settings: NutsSettings) -> Result<Self, McmcError> {
        settings.validate()?;
        Ok(Self { target: Target::new(model)?, settings })
    }

    /// Starts chain c at row c of `starts` (chains, D), on the natural support, instead of at random.
    ///
    /// # Errors
    /// [`McmcError::StartShape`] if the number of columns is wrong.
    pub fn with_starts(mut self, starts: Array2<f64>) -> Result<Self, McmcError> {
        self.target.set_starts(starts)?;
        Ok(self)
    }

    /// Draws until the chain is complete or interrupted. `tally` is shared with the density inside nuts-rs.
    fn fill(
        &self,
        record: &mut Record,
        settings: &McmcSettings,
        key: StreamKey,
        control: Control<'_>,
        tally: &RefCell<Tally>,
    ) -> Result<(), McmcError> {
        let chain = record.stats.chain;
        let u = self.start(chain, key.role(Role::Init), tally)?;
        let math = CpuMath::new(Density::new(&self.target, tally));
        let options = self.settings.to_nuts_rs(settings.n_warmup, settings.n_iterations());
        let mut rng = key.role(Role::Step).rng(0);
        let mut sampler =
            options.new_chain(u64::from(chain), math, &mut rng).map_err(|e| fault(tally, &e))?;
        sampler.set_position(&u.to_vec()).map_err(|e| fault(tally, &e))?;
        for t in 0..settings.n_iterations() {
            if control.is_interrupted() {
                record.stats.stop_reason = StopReason::Interrupted;
                break;
            }
            let (u, _, stats, progress) = sampler
                .expanded_draw()
                .map_err(|e| McmcError::Iteration { iteration: t, source: Box::new(fault(tally, &e)) })?;
            let warmup = t < settings.n_warmup as u64;
            record.step(warmup, progress.diverging, stats.maxdepth_reached);
            record.stats.step_size = Some(progress.step_size);
            if !warmup {
                record.sum_acceptance += stats.adapt.step_size.mean_tree_accept;
            }
            if settings.is_kept(t) {
                self.keep(record, &Array1::from_vec(u.into_vec()), stats.point.logp);
            }
            let (n_done, n_iterations) = (t + 1, settings.n_iterations());
            let divergent = progress.diverging;
            control.report(ChainProgress { chain, n_done, n_iterations, warmup, divergent });
        }
        Ok(())
    }

    fn start(&self, chain: u32, key: StreamKey, tally: &RefCell<Tally>) -> Result<Array1<f64>, McmcError> {
        let mut grad = Array1::zeros(self.target.dim());
        let mut evaluate = |u: &ArrayRef1<f64>| {
            tally.borrow_mut().n_gradient += 1;
            let value = self.target.log_joint_and_grad(u, &mut grad)?;
            Ok::<_, McmcError>((value, grad.iter().position(|&g| g == 0.0)))
        };
        let (mut u, _) = self.target.start(chain, key, |u| Ok(evaluate(u)?.0))?;
        // The first mass matrix is the inverse gradient. A start on a symmetry of the model has no gradient in
        // some coordinate, a point beside it has.
        let mut rng = key.fold_in(0).rng(0);
        let mut flat = 0;
        for _ in 0..=self.target.dim() {
            match evaluate(&u)? {
                (value, None) if value.is_finite() => return Ok(u),
                (value, None) => return Err(McmcError::Start { value, z: self.target.point(&u) }),
                (_, Some(d)) => {
                    u[d] += rng.random_range(-0.01..0.01);
                    flat = d;
                }
            }
        }
        Err(McmcError::Flat { coordinate: self.target.name(flat), z: self.target.point(&u) })
    }

    fn keep(&self, record: &mut Record, u: &Array1<f64>, log_joint: f64) {
        let mut z = Array1::zeros(self.target.space().dim());
        let log_det = self.target.constrain(u, &mut z);
        record.draws.extend(z);
        record.log_joint.push(log_joint - log_det);
    }
}

/// What went wrong inside nuts-rs: the model's fault if the density saw one, else nuts-rs's own words.
fn fault(tally: &RefCell<Tally>, error: &dyn std::fmt::Display) -> McmcError {
    let seen = tally.borrow_mut().fault.take();
    seen.unwrap_or_else(|| {
        // nuts-rs prints its causes with `Debug`, which appends a backtrace.
        let message = format!("{error:#}");
        let message = message.split("\n\nStack backtrace").next().unwrap_or_default();
        McmcError::Nuts { message: message.to_owned() }
    })
}

/// A chain as it grows.
struct Record {
    draws: Vec<f64>,
    log_joint: Vec<f64>,
    sum_acceptance: f64,
    stats: ChainStats,
}

impl Record {
    fn new(chain: u32) -> Self {
        let stats = ChainStats {
            chain,
            n_iterations: 0,
            n_draws: 0,
            n_divergent: 0,
            n_divergent_warmup: 0,
            n_max_tree_depth: 0,
            acceptance: None,
            step_size: None,
            n_log_joint: 0,
            n_gradient: 0,
            stop_reason: StopReason::Budget,
        };
        Self { draws: Vec::new(), log_joint: Vec::new(), sum_acceptance: 0.0, stats }
    }

    fn step(&mut self, warmup: bool, divergent: bool, max_tree_depth: bool) {
        self.stats.n_iterations += 1;
        if warmup {
            self.stats.n_divergent_warmup += u64::from(divergent);
        } else {
            self.stats.n_divergent += u64::from(divergent);
            self.stats.n_max_tree_depth += u64::from(max_tree_depth);
        }
    }

    fn finish(mut self, dim: usize, n_warmup: u64, n_gradient: u64) -> ChainResult {
        let n_after = self.stats.n_iterations.saturating_sub(n_warmup);
        self.stats.n_draws = self.log_joint.len();
        self.stats.n_gradient = n_gradient;
        self.stats.acceptance = (n_after > 0).then(|| self.sum_acceptance / n_after as f64);
        let draws = Array2::from_shape_vec((self.stats.n_draws, dim), self.draws);
        ChainResult {
            draws: draws.expect("D values were recorded per draw"),
            log_joint: Array1::from_vec(self.log_joint),
            stats: self.stats,
        }
    }
}

impl<M: GradLogJoint> Sampler for Nuts<M> {
    fn parameters(&self) -> &ParameterSpace {
        self.target.space()
    }

    fn sample_chain(
        &self,
        chain: u32,
        settings: &McmcSettings,
        key: StreamKey,
        control: Control<'_>,
    ) -> Result<ChainResult, McmcError> {
        settings.validate()?;
        let tally = RefCell::new(Tally::default());
        let mut record = Record::new(chain);
        self.fill(&mut record, settings, key.role(Role::Chain(chain)), control, &tally)?;
        let n_gradient = tally.borrow().n_gradient;
        Ok(record.finish(self.target.space().dim(), settings.n_warmup as u64, n_gradient))
    }
}
