//! Runs the methods of an experiment: each fits in its own way, all are judged in one.

mod approximations;
pub(crate) mod cavi;
mod chains;
mod context;
pub(crate) mod gibbs;
mod judge;
mod nuts;
mod particles;
mod random_walk;
mod sgvi;
pub(crate) mod svi;

use vi_core::ElboEstimate;

pub use context::Context;
pub(crate) use judge::Judged;

use crate::config::{EXCHANGEABLE, MethodConfig, MethodSettings};
use crate::error::{ConfigError, LabError};
use crate::result::{FoundOptimum, MethodResult, RHAT_LIMIT, TraceColumns};
use crate::study::{Study, supported};

/// What a method made of a model, judged.
#[derive(Debug, Default)]
pub struct Fitted {
    /// By its stop rule; `None` for samplers, which are judged by R-hat.
    pub(crate) converged: Option<bool>,
    pub(crate) stop_reason: String,
    pub(crate) interrupted: bool,
    pub(crate) iterations: u64,
    pub(crate) elapsed_s: f64,
    pub(crate) n_log_joint: u64,
    pub(crate) n_gradient: u64,
    pub(crate) n_log_joint_block: u64,
    /// The ELBO in closed form.
    pub(crate) elbo: Option<ElboEstimate>,
    pub(crate) n_divergent: Option<u64>,
    pub(crate) trace: TraceColumns,
    /// What a reader may want to know beside the figures.
    pub(crate) remarks: Vec<String>,
    /// What restarts found, the best first.
    pub(crate) optima: Vec<FoundOptimum>,
    pub(crate) judged: Judged,
}

/// Runs one method.
pub(crate) fn run(
    study: &dyn Study,
    config: &MethodConfig,
    context: &Context<'_>,
) -> Result<MethodResult, LabError> {
    let lacking = |capability| unsupported(study, config, capability);
    let target = |form| study.target(form).ok_or_else(|| lacking("form of this `parametrisation`"));
    let conjugate = || study.conjugate().ok_or_else(|| lacking("complete conditionals"));
    let fitted = match &config.settings {
        MethodSettings::Cavi(s) => conjugate()?.cavi(s, context),
        MethodSettings::Svi(s) => {
            let stochastic = conjugate()?.exchangeable.ok_or_else(|| lacking(EXCHANGEABLE))?;
            stochastic.svi(s, context)
        }
        MethodSettings::Gibbs(s) => conjugate()?.conjugate.gibbs(s, context),
        MethodSettings::Sgvi(s) => sgvi::fit(target(s.parametrisation)?, config, s, context),
        MethodSettings::Approximation(s) => approximations::fit(target(s.parametrisation())?, s, context),
        MethodSettings::Nuts(s) => nuts::fit(target(s.parametrisation)?, s, context),
        MethodSettings::RandomWalk(s) => random_walk::fit(target(s.parametrisation)?, s, context),
    }?;
    Ok(result(config, fitted))
}

fn unsupported(study: &dyn Study, config: &MethodConfig, capability: &'static str) -> LabError {
    LabError::Config(ConfigError::Unsupported {
        at: config.at.clone(),
        model: study.name(),
        method: config.name.clone(),
        capability,
        supported: supported(study).into_iter().map(|k| k.name().to_owned()).collect(),
    })
}

fn result(config: &MethodConfig, fitted: Fitted) -> MethodResult {
    let judged = fitted.judged;
    let mut result = MethodResult {
        name: config.name.clone(),
        method: config.kind(),
        settings: config.describe(),
        converged: fitted.converged.unwrap_or(false),
        stop_reason: fitted.stop_reason,
        interrupted: fitted.interrupted,
        iterations: fitted.iterations,
        elapsed_s: fitted.elapsed_s,
        n_log_joint: fitted.n_log_joint,
        n_gradient: fitted.n_gradient,
        n_log_joint_block: fitted.n_log_joint_block,
        elbo: fitted.elbo.or(judged.elbo),
        elbo_sampled: judged.elbo,
        khat: judged.khat,
        n_divergent: fitted.n_divergent,
        parameters: judged.parameters,
        trace: fitted.trace,
        remarks: fitted.remarks,
        optima: fitted.optima,
        draws: judged.draws,
        notes: judged.notes,
    };
    if fitted.converged.is_none() && !result.interrupted {
        // A coordinate whose R-hat does not exist (a chain that never moved) has not converged either.
        let mixed = |p: &vi_diagnostics::Summary| p.rhat.is_some_and(|r| r <= RHAT_LIMIT);
        result.converged = result.parameters.iter().all(mixed);
        if let Some(worst) = result.max_rhat() {
            result.stop_reason += &format!("; largest R-hat {worst:.3}");
        }
    }
    result
}
