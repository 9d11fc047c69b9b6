//! Stochastic-gradient variational inference: family × estimator × form of the model, from one start or several.

use ndarray::Array1;
use vi_core::{ElboEstimate, Exec, Outcome, Reported, Role, StopReason, StopRule};
use vi_sgvi::{
    AnyOptimizer, Bound, Evaluations, Settled, Sgvi, SgviError, SgviInfo, SgviPosterior, StartEnd, Starts,
    evaluate_bound, gather_optima,
};

use super::context::{Context, Job};
use super::{Fitted, Judged};
use crate::config::{FamilyKind, MethodConfig, SgviSettings};
use crate::error::LabError;
use crate::estimators::{AnyEstimator, AnyModel, LabFamily, OnFamily, Scale, build, told, with_family};
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

type Kernel<'k, F> = Sgvi<'k, AnyModel<'k>, F, AnyEstimator<'k, F>, AnyOptimizer>;

/// What one start led to.
struct End {
    start: usize,
    params: Array1<f64>,
    outcome: Outcome,
    /// Where several ends are compared, or the run converged.
    elbo: Option<ElboEstimate>,
    trace: Vec<f64>,
    evaluations: Evaluations,
    n_clipped: u64,
}

impl End {
    /// Diverged runs come last, equal bounds in the order of their starts.
    fn is_better_than(&self, other: &Self) -> bool {
        let sound = |end: &Self| !end.outcome.reason.is_diverged();
        let value = |end: &Self| end.elbo.map_or(f64::NEG_INFINITY, |e| e.value);
        (sound(self), value(self)) > (sound(other), value(other))
    }
}

impl OnFamily for Fit<'_> {
    type Out = Result<Fitted, LabError>;

    fn on<F: LabFamily>(self, family: F, scale: Scale<'_>) -> Result<Fitted, LabError> {
        let (settings, context) = (self.settings, self.context);
        let failed = |e: SgviError| context.failed(e);
        let kernel = self.kernel(&family, scale)?;
        let n_starts = settings.starts.map_or(1, |starts| starts.n_starts);
        context.progress.start(settings.max_iterations * n_starts as u64);
        let (mut ends, mut failures) = (Vec::<End>::new(), Vec::new());
        for start in 0..n_starts {
            match self.run(&kernel, start) {
                Ok(end) => ends.push(end),
                Err(error) => failures.push((start, error)),
            }
            if context.interrupt.is_raised() {
                break;
            }
        }
        let mut remarks = kernel.biases();
        let interrupted = ends.iter().any(|end| end.outcome.reason == StopReason::Interrupted);
        let Some(best) = (0..ends.len()).reduce(|a, b| if ends[b].is_better_than(&ends[a]) { b } else { a })
        else {
            return Err(failures.swap_remove(0).1);
        };
        if let Some(starts) = &settings.starts {
            remarks.push(self.told_of_starts(&family, starts, &ends, &failures).map_err(failed)?);
        }
        let (iterations, evaluations) = ends.iter().fold((0, Evaluations::default()), |(n, mut sum), end| {
            sum += end.evaluations;
            (n + end.outcome.next, sum)
        });
        let best = ends.swap_remove(best);
        if best.n_clipped > 0 {
            remarks.push(format!("the gradients of {} steps were cut", best.n_clipped));
        }
        let mut trace = TraceColumns::new(&["iteration", "elbo"]);
        if let Bound::Importance(bound) = kernel.bound() {
            trace = TraceColumns::new(&["iteration", "bound"]);
            let n_groups = (settings.n_draws / bound.n_importance()).max(2);
            let (elbo, key) = (kernel.elbo(), context.key.role(Role::Evaluate));
            let value = evaluate_bound(elbo, &best.params, bound, n_groups, key, Exec::local());
            let ElboEstimate { value, mcse, .. } = value.map_err(failed)?;
            remarks.push(format!("what is ascended is the {bound}, at the end {value:.4} ± {mcse:.4}"));
        }
        for (t, elbo) in best.trace.iter().enumerate() {
            trace.push(&[(t + 1) as f64, *elbo]);
        }
        let mut stop_reason = best.outcome.reason.to_string();
        if n_starts > 1 {
            stop_reason += &format!(" (start {} of {n_starts})", best.start + 1);
        }
        let elapsed_s = context.elapsed_s();
        let space = scale.log_joint.parameters().clone();
        let posterior = SgviPosterior::new(family.clone(), best.params, space).map_err(failed)?;
        let maps: Vec<&dyn Reported> = [scale.unconstrained, self.reported].into_iter().flatten().collect();
        let Evaluations { n_log_joint, n_gradient, n_log_joint_block } = evaluations;
        Ok(Fitted {
            converged: Some(best.outcome.converged() && !interrupted),
            stop_reason,
            interrupted,
            iterations,
            elapsed_s,
            n_log_joint,
            n_gradient,
            n_log_joint_block,
            trace,
            remarks,
            judged: Judged::through(context, &posterior, &maps, settings.n_draws),
            ..Fitted::default()
        })
    }
}

impl Fit<'_> {
    fn kernel<'k, F: LabFamily>(&self, family: &'k F, scale: Scale<'k>) -> Result<Kernel<'k, F>, LabError> {
        let settings = self.settings;
        let failed = |e: SgviError| self.context.failed(e);
        let estimator =
            build::<F>(&settings.estimator, scale).map_err(|lack| self.told(lack, settings.family.family))?;
        let kernel = Sgvi::new(scale.log_joint, family, estimator, settings.optimizer).map_err(failed)?;
        let kernel = kernel.with_averaging(settings.averaging).map_err(failed)?;
        let kernel = kernel.with_clipping(settings.clipping).map_err(failed)?;
        let kernel = kernel.with_window(settings.window).map_err(failed)?.with_exec(Exec::local());
        match settings.stationarity {
            None => Ok(kernel),
            Some(rule) => kernel.with_stationarity(rule).map_err(failed),
        }
    }

    /// The run from one start; the first is the family's own.
    fn run<F: LabFamily>(&self, kernel: &Kernel<'_, F>, start: usize) -> Result<End, LabError> {
        let (settings, context) = (self.settings, self.context);
        let (key, part) = match &settings.starts {
            None => (context.key, "fit".to_owned()),
            Some(_) => {
                let chain = u32::try_from(start).unwrap_or(u32::MAX);
                (context.key.role(Role::Chain(chain)), format!("start-{}", start + 1))
            }
        };
        let rule: &dyn StopRule<SgviInfo> = match &settings.stationarity {
            None => &settings.tolerance,
            Some(stationarity) => stationarity,
        };
        let job = Job {
            part,
            kernel,
            key: key.role(Role::Step),
            budget: settings.max_iterations,
            stop: rule,
            message: &|t, info: &SgviInfo| format!("iteration {}: ELBO {:.3}", t + 1, info.elbo.value),
        };
        let family = kernel.elbo().family();
        let done = context.run(&job, || match &settings.starts {
            None => Ok(kernel.init()),
            Some(starts) => kernel.init_at(&starts.params(family, start, context.key)),
        })?;
        let (state, mut outcome) = (done.state, done.outcome);
        let mut evaluations = state.evaluations;
        let (mut params, mut elbo) = (kernel.averaged_params(&state), None);
        // A run may stand still where it has lost its way.
        if outcome.converged() || settings.starts.is_some() {
            let (n, key) = (settings.n_draws.max(2), key.role(Role::Evaluate));
            let settled = kernel.settle(&state, outcome, n, key).map_err(|e| context.failed(e))?;
            if settings.starts.is_some() {
                evaluations.n_log_joint += settled.n_log_joint;
            }
            Settled { params, outcome, .. } = settled;
            elbo = Some(settled.elbo);
        }
        let (trace, n_clipped) = (state.elbo_trace, state.n_clipped);
        Ok(End { start, params, outcome, elbo, trace, evaluations, n_clipped })
    }

    /// Where the starts led to, in words.
    fn told_of_starts<F: LabFamily>(
        &self,
        family: &F,
        starts: &Starts,
        ends: &[End],
        failures: &[(usize, LabError)],
    ) -> Result<String, SgviError> {
        let mut sound: Vec<StartEnd> = ends
            .iter()
            .filter(|end| !end.outcome.reason.is_diverged())
            .filter_map(|end| {
                let (start, params, converged) = (end.start, end.params.clone(), end.outcome.converged());
                Some(StartEnd { start, elbo: end.elbo?, params, converged })
            })
            .collect();
        sound.sort_by(|a, b| b.elbo.value.total_cmp(&a.elbo.value));
        let key = self.context.key.role(Role::Evaluate).fold_in(1);
        let optima = gather_optima(family, &sound, starts.same_within, key)?;
        let of = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let told =
            optima.iter().map(|o| format!("ELBO {:.3} from {}", o.elbo.value, of(o.starts.len(), "start")));
        let told: Vec<String> = told.collect();
        let what =
            if optima.len() == 1 { "one optimum".to_owned() } else { format!("{} optima", optima.len()) };
        let mut out = format!("{}: {what}: {}", of(ends.len() + failures.len(), "start"), told.join(", "));
        let n_diverged = ends.iter().filter(|end| end.outcome.reason.is_diverged()).count();
        if n_diverged > 0 {
            out += &format!("; {n_diverged} diverged");
        }
        for (start, error) in failures {
            out += &format!("; start {} failed: {error}", start + 1);
        }
        Ok(out)
    }

    fn told(&self, lack: crate::estimators::Lack, family: FamilyKind) -> LabError {
        told(lack, family, self.context.study.name(), &self.config.owner()).into()
    }
}
