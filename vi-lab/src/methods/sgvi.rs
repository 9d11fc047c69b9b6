//! Stochastic-gradient variational inference: family × estimator × form of the model.

use vi_core::{Exec, Posterior, Reported, ReportedPosterior, Role, StopReason};
use vi_sgvi::{Evaluations, Settled, Sgvi, SgviError, SgviInfo, SgviPosterior};

use super::context::{Context, Job};
use super::{Fitted, Judged};
use crate::config::{FamilyKind, MethodConfig, SgviSettings};
use crate::error::LabError;
use crate::estimators::{LabFamily, OnFamily, Scale, build, told, with_family};
use crate::result::TraceColumns;
use crate::study::Target;

/// Fits the family of the settings with the estimator of the settings.
pub(crate) fn fit(
    target: Target<'_>,
    config: &MethodConfig,
    settings: &SgviSettings,
    context: &Context<'_>,
) -> Result<Fitted, LabError> {
    let fit = Fit { reported: target.reported, config, settings, context };
    with_family(&settings.family, target, fit).map_err(|e| context.failed(e))?
}

/// A fit whose family and scale are not there yet.
struct Fit<'f> {
    /// How the variables that users read come from those of the form.
    reported: Option<&'f dyn Reported>,
    config: &'f MethodConfig,
    settings: &'f SgviSettings,
    context: &'f Context<'f>,
}

impl OnFamily for Fit<'_> {
    type Out = Result<Fitted, LabError>;

    fn on<F: LabFamily>(self, family: F, scale: Scale<'_>) -> Result<Fitted, LabError> {
        let (settings, context) = (self.settings, self.context);
        let failed = |e: SgviError| context.failed(e);
        let estimator =
            build::<F>(&settings.estimator, scale).map_err(|lack| self.told(lack, settings.family.family))?;
        let kernel = Sgvi::new(scale.log_joint, &family, estimator, settings.optimizer).map_err(failed)?;
        let kernel = kernel.with_averaging(settings.averaging).map_err(failed)?;
        let kernel = kernel.with_window(settings.window).map_err(failed)?.with_exec(Exec::local());
        context.progress.start(settings.max_iterations);
        let job = Job {
            part: "fit".to_owned(),
            kernel: &kernel,
            key: context.key.role(Role::Step),
            budget: settings.max_iterations,
            stop: &settings.tolerance,
            message: &|t, info: &SgviInfo| format!("iteration {}: ELBO {:.3}", t + 1, info.elbo.value),
        };
        let done = context.run(&job, || Ok(kernel.init()))?;
        let Evaluations { n_log_joint, n_gradient, n_log_joint_block } = done.state.evaluations;
        let elapsed_s = context.elapsed_s();
        let mut trace = TraceColumns::new(&["iteration", "elbo"]);
        for (t, elbo) in done.state.elbo_trace.iter().enumerate() {
            trace.push(&[(t + 1) as f64, *elbo]);
        }
        let (mut params, mut outcome) = (kernel.averaged_params(&done.state), done.outcome);
        if outcome.converged() {
            // A run may stand still where it has lost its way.
            let (n, key) = (settings.n_draws.max(2), context.key.role(Role::Evaluate));
            Settled { params, outcome, .. } = kernel.settle(&done.state, outcome, n, key).map_err(failed)?;
        }
        let space = scale.log_joint.parameters().clone();
        let posterior = SgviPosterior::new(family.clone(), params, space).map_err(failed)?;
        Ok(Fitted {
            converged: Some(outcome.converged()),
            stop_reason: outcome.reason.to_string(),
            interrupted: outcome.reason == StopReason::Interrupted,
            iterations: outcome.next,
            elapsed_s,
            n_log_joint,
            n_gradient,
            n_log_joint_block,
            elbo: None,
            n_divergent: None,
            trace,
            judged: self.judge(posterior, scale.unconstrained),
        })
    }
}

impl Fit<'_> {
    fn told(&self, lack: crate::estimators::Lack, family: FamilyKind) -> LabError {
        told(lack, family, self.context.study.name(), &self.config.owner()).into()
    }

    /// Judges in the variables that users read.
    fn judge<P: Posterior>(&self, posterior: P, unconstrained: Option<&dyn Reported>) -> Judged {
        match unconstrained {
            Some(map) => self.judge_on_support(ReportedPosterior::new(posterior, map)),
            None => self.judge_on_support(posterior),
        }
    }

    fn judge_on_support<P: Posterior>(&self, posterior: P) -> Judged {
        let n = self.settings.n_draws;
        match self.reported {
            Some(map) => Judged::variational(self.context, &ReportedPosterior::new(posterior, map), n),
            None => Judged::variational(self.context, &posterior, n),
        }
    }
}
