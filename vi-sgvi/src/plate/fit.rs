//! From settings to θ and q in one call.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use vi_core::{ElboEstimate, Exec, NeverStop, Observer, Outcome, PlateModel, Role, StopRule, StreamKey, run};
use vi_families::PlateFamily;

use super::divergence::PlateSettled;
use super::estimator::PlateEstimator;
use super::kernel::{PlateInfo, VariationalEm};
use super::objective::PlateElbo;
use super::recognition::Recognition;
use crate::averaging::Averaging;
use crate::error::{SgviError, require};
use crate::optimizer::{Adam, AnyOptimizer, LearningRate};
use crate::window::{ElboPlateau, Window};

/// Settings of [`fit_plate`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlateSettings {
    /// Budget of iterations; by default 2000. A run that uses it up is reported as not converged.
    pub n_iterations: u64,
    /// Data of a step; by default all.
    pub batch_size: Option<usize>,
    /// Optimizer of θ; by default Adam with rate 0.02 · (1 + t/500)^(−0.6). With none θ stays at its start.
    pub model_optimizer: Option<AnyOptimizer>,
    /// Optimizer of λ or ψ; by default Adam with rate 0.05 · (1 + t/500)^(−0.6).
    pub optimizer: AnyOptimizer,
    /// Average of the iterates that is reported; by default the last ones.
    pub averaging: Averaging,
    /// Windows of the ELBO trace that are compared.
    pub window: Window,
    /// When the difference of two windows counts as none; by default 10⁻⁴ of the ELBO.
    pub tolerance: ElboPlateau,
    /// Points of every datum in the final evaluation; by default 100.
    pub n_evaluate: usize,
}

impl Default for PlateSettings {
    fn default() -> Self {
        let adam = |initial: f64| {
            let learning_rate = LearningRate::Polynomial { initial, delay: 500.0, exponent: 0.6 };
            AnyOptimizer::Adam(Adam { learning_rate, ..Adam::default() })
        };
        Self {
            n_iterations: 2000,
            batch_size: None,
            model_optimizer: Some(adam(0.02)),
            optimizer: adam(0.05),
            averaging: Averaging::Last,
            window: Window::default(),
            tolerance: ElboPlateau { absolute: 0.0, relative: 1e-4 },
            n_evaluate: 100,
        }
    }
}

impl PlateSettings {
    /// The kernel with these settings.
    ///
    /// # Errors
    /// [`SgviError`] names the setting outside its domain.
    pub fn kernel<'a, M, F, R, E>(
        &self,
        elbo: PlateElbo<'a, M, F, R>,
        estimator: E,
        exec: Exec<'a>,
    ) -> Result<VariationalEm<'a, M, F, R, E, AnyOptimizer, AnyOptimizer>, SgviError>
    where
        M: PlateModel,
        F: PlateFamily,
        R: Recognition,
        E: PlateEstimator<F>,
    {
        self.tolerance.validate()?;
        require(self.n_evaluate >= 2, "n_evaluate", self.n_evaluate as f64, "≥ 2")?;
        let model_optimizer = self.model_optimizer.unwrap_or_default();
        let mut kernel = VariationalEm::new(elbo, estimator, model_optimizer, self.optimizer)?
            .with_averaging(self.averaging)?
            .with_window(self.window)?
            .with_exec(exec);
        if self.model_optimizer.is_none() {
            kernel = kernel.with_fixed_model();
        }
        match self.batch_size {
            None => Ok(kernel),
            Some(size) => kernel.with_batch_size(size),
        }
    }
}

/// A fitted plate with the account of how it came about.
#[derive(Clone, Debug)]
pub struct PlateFit {
    /// θ (M).
    pub model_params: Array1<f64>,
    /// λ, row by row, of a table; ψ of an encoder.
    pub params: Array1<f64>,
    /// The ELBO at both, from points that no iteration has seen; without log p(θ).
    pub elbo: ElboEstimate,
    /// How the run ended; `outcome.converged()` is false when the budget ended first, or the run diverged: θ and ψ are then
    /// those of its best iterations, or of the start.
    pub outcome: Outcome,
    /// The ELBO estimate of every iteration, log p(θ) included.
    pub elbo_trace: Vec<f64>,
    /// Log joints of one datum at one point, evaluated in the iterations.
    pub n_log_joint_points: u64,
}

/// Learns θ and q of a plate.
///
/// Starts come from `key.role(Role::Init)`, iterations draw from `key.role(Role::Step)`, the final evaluation from
/// `key.role(Role::Evaluate)`.
///
/// # Errors
/// [`SgviError::Run`] names the iteration in which the run failed; other variants come from settings or from the final
/// evaluation.
pub fn fit_plate<M, F, R, E>(
    elbo: PlateElbo<'_, M, F, R>,
    estimator: E,
    settings: &PlateSettings,
    key: StreamKey,
    exec: Exec<'_>,
) -> Result<PlateFit, SgviError>
where
    M: PlateModel,
    F: PlateFamily,
    R: Recognition,
    E: PlateEstimator<F>,
{
    settings.kernel(elbo, estimator, exec)?.fit(settings, key, &NeverStop, &mut [])
}

impl<M, F, R, E> VariationalEm<'_, M, F, R, E, AnyOptimizer, AnyOptimizer>
where
    M: PlateModel,
    F: PlateFamily,
    R: Recognition,
    E: PlateEstimator<F>,
{
    /// Runs from the default start until the trace is flat, the budget is used up, or `interrupt` says so, with observers
    /// watching.
    ///
    /// `settings` are those that made the kernel.
    ///
    /// # Errors
    /// As for [`fit_plate`].
    pub fn fit(
        &self,
        settings: &PlateSettings,
        key: StreamKey,
        interrupt: &dyn StopRule<PlateInfo>,
        observers: &mut [&mut dyn Observer<Self>],
    ) -> Result<PlateFit, SgviError> {
        let mut state = self.init(key)?;
        let stop = (settings.tolerance, interrupt);
        let iterations = 0..settings.n_iterations;
        let outcome =
            run(self, &mut state, key.role(Role::Step), iterations, &stop, observers).map_err(Box::new)?;
        let PlateSettled { model_params, params, evaluation, outcome } =
            self.settle(&state, outcome, settings.n_evaluate, key.role(Role::Evaluate))?;
        let (elbo, elbo_trace) = (evaluation.elbo, state.elbo_trace);
        let n_log_joint_points = state.n_log_joint_points;
        Ok(PlateFit { model_params, params, elbo, outcome, elbo_trace, n_log_joint_points })
    }
}
