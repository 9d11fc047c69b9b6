//! Stochastic-gradient variational inference: family × estimator × form of the model.

use vi_core::{
    Counted, Exec, LogJoint, ParameterError, ParameterSpace, Posterior, Reported, ReportedPosterior, Role,
    StopReason, Unconstrained,
};
use vi_families::{
    BlockDiagonalGaussian, FullRankGaussian, GaussianMixture, LearnedStudentTMeanField, LowRankGaussian,
    MeanFieldGaussian, ProductFamily, Reparameterized, StudentTMeanField, VariationalFamily,
};
use vi_sgvi::{GradientEstimator, Pathwise, ScoreFunction, Sgvi, SgviInfo, SgviPosterior};

use super::context::{Context, Job};
use super::{Fitted, Judged};
use crate::config::{Baseline, EstimatorKind, FamilyKind, SgviSettings};
use crate::error::LabError;
use crate::result::TraceColumns;
use crate::study::Target;

/// Fits the family of the settings with the estimator of the settings.
pub(crate) fn fit(
    target: Target<'_>,
    settings: &SgviSettings,
    context: &Context<'_>,
) -> Result<Fitted, LabError> {
    match settings.family {
        FamilyKind::MeanField => moved_noise(target, settings, context, MeanFieldGaussian::new),
        FamilyKind::FullRank => moved_noise(target, settings, context, FullRankGaussian::new),
        FamilyKind::LowRank => moved_noise(target, settings, context, |space| {
            LowRankGaussian::new(space, settings.rank.unwrap_or(1))
        }),
        FamilyKind::BlockDiagonal => moved_noise(target, settings, context, |space| match &settings.blocks {
            Some(sizes) => BlockDiagonalGaussian::from_sizes(space, sizes),
            None => BlockDiagonalGaussian::by_parameter(space),
        }),
        FamilyKind::Mixture => {
            let n_components = settings.n_components.unwrap_or(2);
            by_score(target, settings, context, |space| GaussianMixture::mean_field(space, n_components))
        }
        FamilyKind::StudentT => {
            moved_noise(target, settings, context, |space| StudentTMeanField::new(space, dof(settings)))
        }
        FamilyKind::LearnedStudentT => {
            by_score(target, settings, context, |space| LearnedStudentTMeanField::new(space, dof(settings)))
        }
        FamilyKind::Product => {
            let counted = Counted::new(target.log_joint);
            let family = ProductFamily::for_space(counted.parameters()).map_err(|e| context.failed(e))?;
            let fit =
                Fit { target, settings, context, counted: &counted, model: &counted, unconstrained: None };
            fit.score_function(family)
        }
    }
}

fn dof(settings: &SgviSettings) -> f64 {
    settings.dof.unwrap_or(5.0)
}

/// A family of moved noise, on the unconstrained scale.
fn moved_noise<F, E>(
    target: Target<'_>,
    settings: &SgviSettings,
    context: &Context<'_>,
    family: impl Fn(&ParameterSpace) -> Result<F, E>,
) -> Result<Fitted, LabError>
where
    F: VariationalFamily + Clone,
    for<'m> F::Member<'m>: Reparameterized,
    E: std::error::Error + Send + Sync + 'static,
{
    let wrong = |e: ParameterError| context.failed(e);
    match (settings.estimator, target.gradient) {
        (EstimatorKind::Pathwise, Some(gradient)) => {
            let counted = Counted::new(gradient);
            let model = Unconstrained::new(&counted).map_err(wrong)?;
            let family = family(model.parameters()).map_err(|e| context.failed(e))?;
            let fit = Fit {
                target,
                settings,
                context,
                counted: &counted,
                model: &model,
                unconstrained: Some(&model),
            };
            fit.run(family, Pathwise { n_samples: settings.n_samples })
        }
        _ => by_score(target, settings, context, family),
    }
}

/// Any family on the unconstrained scale, by the score function.
fn by_score<F, E>(
    target: Target<'_>,
    settings: &SgviSettings,
    context: &Context<'_>,
    family: impl Fn(&ParameterSpace) -> Result<F, E>,
) -> Result<Fitted, LabError>
where
    F: VariationalFamily + Clone,
    E: std::error::Error + Send + Sync + 'static,
{
    let counted = Counted::new(target.log_joint);
    let model = Unconstrained::new(&counted).map_err(|e| context.failed(e))?;
    let family = family(model.parameters()).map_err(|e| context.failed(e))?;
    let fit =
        Fit { target, settings, context, counted: &counted, model: &model, unconstrained: Some(&model) };
    fit.score_function(family)
}

/// A fit of `model`, which evaluates `counted`, which evaluates the form `target` of the study.
struct Fit<'f, C, M> {
    target: Target<'f>,
    settings: &'f SgviSettings,
    context: &'f Context<'f>,
    counted: &'f Counted<C>,
    model: &'f M,
    /// The same model as the map to the support of `target`.
    unconstrained: Option<&'f dyn Reported>,
}

impl<C, M: LogJoint> Fit<'_, C, M> {
    fn score_function<F: VariationalFamily + Clone>(&self, family: F) -> Result<Fitted, LabError> {
        let n_samples = self.settings.n_samples;
        match self.settings.baseline {
            Some(Baseline::None) => self.run(family, ScoreFunction::naive(n_samples)),
            Some(Baseline::LeaveOneOut) | None => self.run(family, ScoreFunction::leave_one_out(n_samples)),
        }
    }

    fn run<F, E>(&self, family: F, estimator: E) -> Result<Fitted, LabError>
    where
        F: VariationalFamily + Clone,
        E: GradientEstimator<M, F>,
    {
        let (settings, context, counted) = (self.settings, self.context, self.counted);
        let failed = |e: vi_sgvi::SgviError| context.failed(e);
        let kernel = Sgvi::new(self.model, &family, estimator, settings.optimizer).map_err(failed)?;
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
            restored: &|state| counted.set(state.evaluations.n_log_joint, state.evaluations.n_gradient),
        };
        let done = context.run(&job, || Ok(kernel.init()))?;
        // Before the judge evaluates the model too.
        let (n_log_joint, n_gradient) = (counted.n_log_joint(), counted.n_gradient());
        let elapsed_s = context.elapsed_s();
        let mut trace = TraceColumns::new(&["iteration", "elbo"]);
        for (t, elbo) in done.state.elbo_trace.iter().enumerate() {
            trace.push(&[(t + 1) as f64, *elbo]);
        }
        let params = kernel.averaged_params(&done.state);
        let space = self.model.parameters().clone();
        let posterior = SgviPosterior::new(family.clone(), params, space).map_err(failed)?;
        Ok(Fitted {
            converged: Some(done.outcome.converged()),
            stop_reason: done.outcome.reason.to_string(),
            interrupted: done.outcome.reason == StopReason::Interrupted,
            iterations: done.outcome.next,
            elapsed_s,
            n_log_joint,
            n_gradient,
            elbo: None,
            n_divergent: None,
            trace,
            judged: self.judge(posterior),
        })
    }

    /// Judges in the variables that users read.
    fn judge<P: Posterior>(&self, posterior: P) -> Judged {
        match self.unconstrained {
            Some(map) => self.judge_on_support(ReportedPosterior::new(posterior, map)),
            None => self.judge_on_support(posterior),
        }
    }

    fn judge_on_support<P: Posterior>(&self, posterior: P) -> Judged {
        let n = self.settings.n_draws;
        match self.target.reported {
            Some(map) => Judged::variational(self.context, &ReportedPosterior::new(posterior, map), n),
            None => Judged::variational(self.context, &posterior, n),
        }
    }
}
