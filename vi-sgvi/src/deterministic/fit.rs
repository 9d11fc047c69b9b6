//! From settings to a posterior in one call.

use serde::{Deserialize, Serialize};
use vi_core::{Exec, GradLogJoint, NeverStop, Observer, Role, StopRule, StreamKey, run};
use vi_families::MeanFieldGaussian;

use super::draws::FixedDraws;
use super::kernel::{DeterministicAdvi, DeterministicAdviInfo, SmallGradient};
use super::response::LinearResponse;
use crate::elbo::evaluate_elbo;
use crate::error::{SgviError, require};
use crate::fit::SgviFit;
use crate::posterior::SgviPosterior;

/// Settings of [`fit_deterministic`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeterministicAdviSettings {
    /// The number S of draws; by default 30, as in the paper.
    pub n_draws: usize,
    /// Whether they come in pairs ε, −ε; by default yes.
    pub antithetic: bool,
    /// Budget of Newton steps; by default 200. A run that uses it up is reported as not converged.
    pub n_iterations: u64,
    /// When the gradient counts as zero.
    pub tolerance: SmallGradient,
    /// Whether the linear response is computed at the optimum; by default yes.
    pub linear_response: bool,
    /// Samples of the final evaluation of the ELBO; by default 10 000.
    pub n_evaluate: usize,
}

impl Default for DeterministicAdviSettings {
    fn default() -> Self {
        Self {
            n_draws: 30,
            antithetic: true,
            n_iterations: 200,
            tolerance: SmallGradient::default(),
            linear_response: true,
            n_evaluate: 10_000,
        }
    }
}

impl DeterministicAdviSettings {
    /// The draws that a fit under `key` uses.
    ///
    /// # Errors
    /// [`SgviError::Setting`] when their number does not fit.
    pub fn draws(&self, dim: usize, key: StreamKey) -> Result<FixedDraws, SgviError> {
        let key = key.role(Role::Step);
        if self.antithetic {
            FixedDraws::antithetic(self.n_draws, dim, key)
        } else {
            FixedDraws::independent(self.n_draws, dim, key)
        }
    }
}

/// A fitted mean field with its linear response.
#[derive(Clone, Debug)]
pub struct DeterministicAdviFit {
    /// q, its ELBO from draws that the fit has not seen, and the account of the run; `elbo_trace` is that at the fixed draws.
    pub fit: SgviFit<MeanFieldGaussian>,
    /// At a converged optimum, if it was asked for.
    pub linear_response: Option<LinearResponse>,
}

/// Fits a mean-field Gaussian at draws that are fixed under `key.role(Role::Step)`; the ELBO is evaluated under
/// `key.role(Role::Evaluate)`.
///
/// # Errors
/// [`SgviError::Run`] names the iteration in which the run failed, [`SgviError::NotAMaximum`] says that the optimum has no
/// linear response; other variants come from settings or from the final evaluation.
pub fn fit_deterministic<M: GradLogJoint + ?Sized>(
    model: &M,
    settings: &DeterministicAdviSettings,
    key: StreamKey,
    exec: Exec<'_>,
) -> Result<DeterministicAdviFit, SgviError> {
    let kernel = DeterministicAdvi::new(model, settings.draws(model.dim(), key)?)?.with_exec(exec);
    kernel.fit(settings, key, &NeverStop, &mut [])
}

impl<M: GradLogJoint + ?Sized> DeterministicAdvi<'_, M> {
    /// Runs from the standard Gaussian until the gradient is small, the budget is used up, or `interrupt` says so, with
    /// observers watching. The draws are the kernel's own, whatever `settings` say of them.
    ///
    /// # Errors
    /// As for [`fit_deterministic`].
    pub fn fit(
        &self,
        settings: &DeterministicAdviSettings,
        key: StreamKey,
        interrupt: &dyn StopRule<DeterministicAdviInfo>,
        observers: &mut [&mut dyn Observer<Self>],
    ) -> Result<DeterministicAdviFit, SgviError> {
        settings.tolerance.validate()?;
        require(settings.n_evaluate >= 2, "n_evaluate", settings.n_evaluate as f64, "≥ 2")?;
        let mut state = self.init();
        let (iterations, stop) = (0..settings.n_iterations, (settings.tolerance, interrupt));
        let outcome =
            run(self, &mut state, key.role(Role::Step), iterations, &stop, observers).map_err(Box::new)?;
        let responds = settings.linear_response && outcome.converged();
        let linear_response = responds.then(|| self.linear_response(&mut state)).transpose()?;
        let (model, family, n) = (self.model(), self.family(), settings.n_evaluate);
        let elbo = evaluate_elbo(model, family, &state.params, n, key.role(Role::Evaluate), self.exec())
            .map_err(|source| SgviError::Evaluation(Box::new(source)))?;
        let mut evaluations = state.evaluations;
        evaluations.n_log_joint += n as u64;
        let posterior = SgviPosterior::new(family.clone(), state.params, model.parameters().clone())?;
        let biases = vec![format!("the ELBO of {} fixed draws is maximised", self.draws().n_draws())];
        let elbo_trace = state.elbo_trace;
        let fit = SgviFit { posterior, elbo, outcome, elbo_trace, biases, n_clipped: 0, evaluations };
        Ok(DeterministicAdviFit { fit, linear_response })
    }
}
