//! The methods beside the stochastic ascent of the ELBO. All but the last need a gradient; all work on ℝᴰ.

use ndarray::ArrayRef2;
use vi_core::linalg::LinalgError;
use vi_core::{
    ElboEstimate, Exec, GradLogJoint, LogJoint, Outcome, Posterior, Reported, Role, StopReason, Unconstrained,
};
use vi_diagnostics::psis;
use vi_sgvi::{
    AdviceSettings, BatchAndMatch, DeterministicAdvi, DeterministicAdviInfo, DeterministicAdviSettings,
    Evaluations, GaussianScoreMatching, Laplace, MatchRule, MultiPathfinder, ParticlePosterior, Pathfinder,
    ScoreMatching, ScoreMatchingInfo, SgviError, SgviPosterior, SteinGradient, SteinInfo, WhitenedGaussian,
    advise, advise_black_box,
};

use super::context::{Context, Job};
use super::particles::Particles;
use super::{Fitted, Judged};
use crate::config::{
    AdviseSettings, ApproximationSettings, BatchAndMatchSettings, DeterministicSettings,
    GaussianScoreMatchingSettings, LaplaceSettings, MultiPathfinderSettings, PathfinderSettings,
    SvgdSettings,
};
use crate::error::LabError;
use crate::result::TraceColumns;
use crate::study::Target;

/// The model on ℝᴰ, of the one type over which all these methods are compiled: that of [`vi_sgvi::advise`].
type Model<'m> = Unconstrained<&'m &'m dyn GradLogJoint>;

/// Fits by the method of the settings.
pub(crate) fn fit(
    target: Target<'_>,
    settings: &ApproximationSettings,
    context: &Context<'_>,
) -> Result<Fitted, LabError> {
    let failed = |e: SgviError| context.failed(e);
    if let ApproximationSettings::Advise(s) = settings {
        return advised(target, s, context).map_err(failed);
    }
    let Some(gradient) = target.gradient else {
        return Err(context.failed("the model has no gradient"));
    };
    let model: Model<'_> = Unconstrained::new(&gradient).map_err(|e| context.failed(e))?;
    let fit = Fit { model: &model, reported: target.reported, context };
    match settings {
        ApproximationSettings::Laplace(s) => fit.laplace(s).map_err(failed),
        ApproximationSettings::Pathfinder(s) => fit.pathfinder(s).map_err(failed),
        ApproximationSettings::MultiPathfinder(s) => fit.multi_pathfinder(s).map_err(failed),
        ApproximationSettings::BatchAndMatch(s) => fit.batch_and_match(s),
        ApproximationSettings::GaussianScoreMatching(s) => fit.gaussian_score_matching(s),
        ApproximationSettings::DeterministicAdvi(s) => fit.deterministic(s),
        ApproximationSettings::Svgd(s) => fit.svgd(s),
        ApproximationSettings::Advise(_) => unreachable!("it was fitted above"),
    }
}

/// A fit of a model on ℝᴰ.
struct Fit<'f> {
    model: &'f Model<'f>,
    /// How the variables that users read come from those of the form.
    reported: Option<&'f dyn Reported>,
    context: &'f Context<'f>,
}

/// A run that came to this.
fn ended(outcome: &Outcome, evaluations: Evaluations, context: &Context<'_>) -> Fitted {
    let Evaluations { n_log_joint, n_gradient, n_log_joint_block } = evaluations;
    Fitted {
        converged: Some(outcome.converged()),
        stop_reason: outcome.reason.to_string(),
        interrupted: outcome.reason == StopReason::Interrupted,
        iterations: outcome.next,
        elapsed_s: context.elapsed_s(),
        n_log_joint,
        n_gradient,
        n_log_joint_block,
        ..Fitted::default()
    }
}

/// A trace with one column beside the iterations.
fn trace(name: &str, values: &[f64]) -> TraceColumns {
    let mut trace = TraceColumns::new(&["iteration", name]);
    for (t, value) in values.iter().enumerate() {
        trace.push(&[(t + 1) as f64, *value]);
    }
    trace
}

/// What a method tells beside its figures.
fn told_of(error: &SgviError) -> String {
    format!("the ascent ended early: {error}")
}

impl Fit<'_> {
    /// Judges a posterior over ℝᴰ in the variables that users read.
    fn judge(&self, posterior: &dyn Posterior, n_draws: usize) -> Judged {
        let maps: Vec<&dyn Reported> =
            [Some(self.model as &dyn Reported), self.reported].into_iter().flatten().collect();
        Judged::through(self.context, posterior, &maps, n_draws)
    }

    fn laplace(&self, settings: &LaplaceSettings) -> Result<Fitted, SgviError> {
        let LaplaceSettings { memory, max_iterations, n_newton, n_draws, .. } = *settings;
        let laplace = Laplace { memory, n_iterations: max_iterations, n_newton };
        let fit = laplace.fit(self.model, self.context.key.role(Role::Init), Exec::local())?;
        let fitted = ended(&fit.outcome, fit.evaluations, self.context);
        let remark =
            format!("Laplace's approximation of the log evidence, no bound: {:.4}", fit.log_evidence);
        Ok(Fitted { remarks: vec![remark], judged: self.judge(&fit.posterior, n_draws), ..fitted })
    }

    fn pathfinder(&self, settings: &PathfinderSettings) -> Result<Fitted, SgviError> {
        let PathfinderSettings { memory, max_iterations, n_elbo, n_evaluate, n_draws, .. } = *settings;
        let path = Pathfinder { memory, n_iterations: max_iterations, n_elbo, n_draws: n_evaluate };
        let fit = path.fit(self.model, self.context.key, Exec::local())?;
        let fitted = match &fit.ascent {
            Ok(outcome) => ended(outcome, fit.evaluations, self.context),
            Err(error) => {
                // What failed is the iteration after these.
                let outcome = Outcome { next: error.iteration(), reason: StopReason::Budget };
                let stop_reason = match &**error {
                    vi_core::RunError::Kernel { source, .. } => told_of(source),
                    other => other.to_string(),
                };
                Fitted { stop_reason, ..ended(&outcome, fit.evaluations, self.context) }
            }
        };
        let place = match fit.iteration {
            Some(t) => format!("the best Gaussian of the way stands after iteration {}", t + 1),
            None => "there was no way to go from the start".to_owned(),
        };
        Ok(Fitted { remarks: vec![place], judged: self.judge(&fit, n_draws), ..fitted })
    }

    fn multi_pathfinder(&self, settings: &MultiPathfinderSettings) -> Result<Fitted, SgviError> {
        let MultiPathfinderSettings { n_paths, memory, max_iterations, n_elbo, n_pooled, n_draws, .. } =
            *settings;
        let path = Pathfinder { memory, n_iterations: max_iterations, n_elbo, n_draws: n_pooled };
        let fit = MultiPathfinder { n_paths, path }.fit(self.model, self.context.key, Exec::local())?;
        let ascents: Vec<_> = fit.paths.iter().flatten().map(|p| p.ascent.as_ref().ok()).collect();
        let n_converged = ascents.iter().flatten().filter(|o| o.converged()).count();
        let iterations = fit.paths.iter().flatten().map(|path| match &path.ascent {
            Ok(outcome) => outcome.next,
            Err(error) => error.iteration(),
        });
        let iterations = iterations.sum();
        let outcome = Outcome { next: iterations, reason: StopReason::Budget };
        let fitted = ended(&outcome, fit.evaluations(), self.context);
        let n_found = ascents.len();
        let best = fit.best();
        let remark =
            format!("the best single path has an ELBO of {:.4} ± {:.4}", best.elbo.value, best.elbo.mcse);
        let smoothed = psis(fit.log_ratios());
        let fit = match &smoothed {
            Ok(psis) => fit.with_log_weights(&psis.log_weights),
            Err(_) => fit,
        };
        let mut judged = self.judge(&fit, n_draws);
        judged.repeats_draws();
        match smoothed {
            Ok(psis) => judged.khat = Some(psis.khat),
            Err(e) => judged.notes.push(format!("k-hat cannot be computed: {e}")),
        }
        Ok(Fitted {
            converged: Some(n_converged > 0),
            stop_reason: format!(
                "{n_converged} of {n_paths} ascents converged; the draws of {n_found} are resampled by smoothed importance weights"
            ),
            remarks: vec![remark],
            judged,
            ..fitted
        })
    }

    fn batch_and_match(&self, settings: &BatchAndMatchSettings) -> Result<Fitted, LabError> {
        let rule = AnyRule::BatchAndMatch(BatchAndMatch { learning_rate: settings.learning_rate });
        let kernel = ScoreMatching::new(self.model, rule, settings.n_batch);
        let kernel = kernel.and_then(|k| k.with_window(settings.window));
        self.match_scores(kernel, settings.max_iterations, &settings.tolerance, settings.n_draws)
    }

    fn gaussian_score_matching(&self, settings: &GaussianScoreMatchingSettings) -> Result<Fitted, LabError> {
        let kernel = ScoreMatching::new(self.model, AnyRule::GaussianScoreMatching, settings.n_batch);
        let kernel = kernel.and_then(|k| k.with_window(settings.window));
        self.match_scores(kernel, settings.max_iterations, &settings.tolerance, settings.n_draws)
    }

    fn match_scores(
        &self,
        kernel: Result<ScoreMatching<'_, Model<'_>, AnyRule>, SgviError>,
        budget: u64,
        stop: &vi_sgvi::ElboPlateau,
        n_draws: usize,
    ) -> Result<Fitted, LabError> {
        let failed = |e: SgviError| self.context.failed(e);
        let kernel = kernel.map_err(failed)?;
        self.context.progress.start(budget);
        let job = Job {
            part: "fit".to_owned(),
            kernel: &kernel,
            key: self.context.key.role(Role::Step),
            budget,
            stop,
            message: &|t, info: &ScoreMatchingInfo| {
                format!("iteration {}: ELBO {:.3}", t + 1, info.elbo.value)
            },
        };
        let done = self.context.run(&job, || Ok(kernel.init()))?;
        let fitted = ended(&done.outcome, done.state.evaluations, self.context);
        let space = self.model.parameters().clone();
        let params = kernel.params(&done.state);
        let posterior = SgviPosterior::new(kernel.family().clone(), params, space).map_err(failed)?;
        Ok(Fitted {
            trace: trace("elbo", &done.state.elbo_trace),
            remarks: vec!["steps match scores; they do not ascend the ELBO".to_owned()],
            judged: self.judge(&posterior, n_draws),
            ..fitted
        })
    }

    fn deterministic(&self, settings: &DeterministicSettings) -> Result<Fitted, LabError> {
        let failed = |e: SgviError| self.context.failed(e);
        let DeterministicSettings { n_fixed, antithetic, max_iterations, tolerance, n_draws, .. } = *settings;
        let inner = DeterministicAdviSettings { n_draws: n_fixed, antithetic, ..Default::default() };
        let draws = inner.draws(self.model.dim(), self.context.key).map_err(failed)?;
        let kernel = DeterministicAdvi::new(self.model, draws).map_err(failed)?;
        self.context.progress.start(max_iterations);
        let job = Job {
            part: "fit".to_owned(),
            kernel: &kernel,
            key: self.context.key.role(Role::Step),
            budget: max_iterations,
            stop: &tolerance,
            message: &|t, info: &DeterministicAdviInfo| {
                format!("iteration {}: ELBO at the fixed draws {:.3}", t + 1, info.elbo.value)
            },
        };
        let mut done = self.context.run(&job, || Ok(kernel.init()))?;
        let responds = settings.linear_response && done.outcome.converged();
        let response =
            responds.then(|| kernel.linear_response(&mut done.state)).transpose().map_err(failed)?;
        let fitted = ended(&done.outcome, done.state.evaluations, self.context);
        let space = self.model.parameters();
        let trace = trace("elbo", &done.state.elbo_trace);
        let q =
            SgviPosterior::new(kernel.family().clone(), done.state.params, space.clone()).map_err(failed)?;
        let mut judged = self.judge(&q, n_draws);
        let mut remarks =
            vec![format!("the ELBO at {n_fixed} fixed draws is maximised; its trace is that one's")];
        if let Some(response) = response {
            // The bound is that of q; what users read is the covariance that answers for correlations.
            let Judged { elbo, khat, .. } = judged;
            let corrected = response.posterior(space).map_err(failed)?;
            judged = Judged { elbo, khat, ..self.judge(&corrected, n_draws) };
            remarks.push(
                "ELBO and k-hat are those of the mean field q; parameters and draws have the covariance of its linear response"
                    .to_owned(),
            );
        }
        Ok(Fitted { trace, remarks, judged, ..fitted })
    }

    fn svgd(&self, settings: &SvgdSettings) -> Result<Fitted, LabError> {
        let failed = |e: SgviError| self.context.failed(e);
        let SvgdSettings { n_particles, max_iterations, bandwidth, optimizer, tolerance, .. } = *settings;
        let kernel = SteinGradient::new(self.model, Particles(optimizer), bandwidth).map_err(failed)?;
        self.context.progress.start(max_iterations);
        let job = Job {
            part: "fit".to_owned(),
            kernel: &kernel,
            key: self.context.key.role(Role::Step),
            budget: max_iterations,
            stop: &tolerance,
            message: &|t, info: &SteinInfo| format!("iteration {}: speed {:.2e}", t + 1, info.speed),
        };
        let done = self.context.run(&job, || kernel.init(n_particles, self.context.key))?;
        let fitted = ended(&done.outcome, done.state.evaluations, self.context);
        let trace = trace("discrepancy", &done.state.discrepancy_trace);
        let space = self.model.parameters().clone();
        let posterior = ParticlePosterior::new(space, done.state.particles).map_err(failed)?;
        let mut judged = self.judge(&posterior, n_particles);
        judged.repeats_draws();
        let remarks = vec![format!("{n_particles} particles, which have no density: no ELBO and no k-hat")];
        Ok(Fitted { trace, remarks, judged, ..fitted })
    }
}

/// The fit that chooses for itself, with a gradient or without.
fn advised(
    target: Target<'_>,
    settings: &AdviseSettings,
    context: &Context<'_>,
) -> Result<Fitted, SgviError> {
    let advice = AdviceSettings { tolerance: settings.tolerance, ..AdviceSettings::default() };
    let fit = match &target.gradient {
        Some(gradient) => advise(gradient)?.with_settings(advice).fit_under(context.key)?,
        None => advise_black_box(&target.log_joint).fit_under(context.key)?,
    };
    let fitted = ended(&fit.outcome, fit.evaluations, context);
    let remarks = fit.account.to_string().lines().map(str::to_owned).collect();
    let maps: Vec<&dyn Reported> = target.reported.into_iter().collect();
    let judged = Judged::through(context, fit.posterior.as_ref(), &maps, settings.n_draws);
    let elbo: Option<ElboEstimate> = judged.elbo.or(Some(fit.elbo));
    Ok(Fitted { elbo, remarks, judged, ..fitted })
}

/// Either rule of matching scores, as one type.
#[derive(Debug)]
enum AnyRule {
    BatchAndMatch(BatchAndMatch),
    GaussianScoreMatching,
}

impl MatchRule for AnyRule {
    fn check(&self) -> Result<(), SgviError> {
        match self {
            Self::BatchAndMatch(rule) => rule.check(),
            Self::GaussianScoreMatching => GaussianScoreMatching.check(),
        }
    }

    fn update(
        &self,
        t: u64,
        noise: &ArrayRef2<f64>,
        scores: &ArrayRef2<f64>,
    ) -> Result<WhitenedGaussian, LinalgError> {
        match self {
            Self::BatchAndMatch(rule) => rule.update(t, noise, scores),
            Self::GaussianScoreMatching => GaussianScoreMatching.update(t, noise, scores),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::BatchAndMatch(rule) => rule.name(),
            Self::GaussianScoreMatching => GaussianScoreMatching.name(),
        }
    }
}
