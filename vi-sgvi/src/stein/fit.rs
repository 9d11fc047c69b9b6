//! From settings to a posterior in one call.

use serde::{Deserialize, Serialize};
use vi_core::{Exec, GradLogJoint, NeverStop, Observer, Outcome, Role, StopRule, StreamKey, run};

use super::direction::Bandwidth;
use super::kernel::{SlowParticles, SteinGradient, SteinInfo};
use super::posterior::ParticlePosterior;
use crate::error::SgviError;
use crate::estimator::Evaluations;
use crate::optimizer::Optimizer;

/// Settings of [`fit_stein`]; the optimizer is a type and is chosen in code.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SteinSettings {
    /// The number n of particles; by default 100.
    pub n_particles: usize,
    /// Budget of iterations; by default 2000. A run that uses it up is reported as not converged.
    pub n_iterations: u64,
    /// The kernel's bandwidth; by default by the median distance.
    pub bandwidth: Bandwidth,
    /// When the particles count as being at rest.
    pub tolerance: SlowParticles,
}

impl Default for SteinSettings {
    fn default() -> Self {
        Self {
            n_particles: 100,
            n_iterations: 2000,
            bandwidth: Bandwidth::default(),
            tolerance: SlowParticles::default(),
        }
    }
}

/// Particles with the account of how they got there.
#[derive(Clone, Debug)]
pub struct SteinFit {
    /// The particles.
    pub posterior: ParticlePosterior,
    /// How the run ended; `outcome.converged()` is false when the budget ended first.
    pub outcome: Outcome,
    /// The kernelised Stein discrepancy before every iteration.
    pub discrepancy_trace: Vec<f64>,
    /// Evaluations of the model.
    pub evaluations: Evaluations,
}

/// Moves particles from the standard Gaussian (under `key.role(Role::Init)`) to the posterior of a model.
///
/// # Errors
/// [`SgviError::Run`] names the iteration in which the run failed; other variants come from settings.
pub fn fit_stein<M: GradLogJoint + ?Sized, O: Optimizer>(
    model: &M,
    optimizer: O,
    settings: &SteinSettings,
    key: StreamKey,
    exec: Exec<'_>,
) -> Result<SteinFit, SgviError> {
    let kernel = SteinGradient::new(model, optimizer, settings.bandwidth)?.with_exec(exec);
    kernel.fit(settings, key, &NeverStop, &mut [])
}

impl<M: GradLogJoint + ?Sized, O: Optimizer> SteinGradient<'_, M, O> {
    /// Runs from the standard Gaussian until the particles are at rest, the budget is used up, or `interrupt` says so, with
    /// observers watching. The bandwidth is the kernel's own.
    ///
    /// # Errors
    /// As for [`fit_stein`].
    pub fn fit(
        &self,
        settings: &SteinSettings,
        key: StreamKey,
        interrupt: &dyn StopRule<SteinInfo>,
        observers: &mut [&mut dyn Observer<Self>],
    ) -> Result<SteinFit, SgviError> {
        settings.tolerance.validate()?;
        let mut state = self.init(settings.n_particles, key)?;
        let (iterations, stop) = (0..settings.n_iterations, (settings.tolerance, interrupt));
        let outcome =
            run(self, &mut state, key.role(Role::Step), iterations, &stop, observers).map_err(Box::new)?;
        let posterior = ParticlePosterior::new(self.model().parameters().clone(), state.particles)?;
        let (discrepancy_trace, evaluations) = (state.discrepancy_trace, state.evaluations);
        Ok(SteinFit { posterior, outcome, discrepancy_trace, evaluations })
    }
}
