//! A learning rate far too large ends in an outcome that says so.

use vi_core::{Exec, LogJoint, NeverStop, StopReason, StreamKey, run};
use vi_families::{MeanFieldGaussian, ProductFamily, VariationalFamily};
use vi_sgvi::{
    AdaGrad, Adam, AnyOptimizer, GradientEstimator, LearningRate, Momentum, NaturalGradient, RmsProp,
    ScoreFunction, Sgd, SgviError, SgviFit, SgviSettings, TrustRegion, fit,
};

use crate::common::{Diagonal, GaussianTarget};
use crate::models::{RateAndBits, logistic};

/// Every rule that has a learning rate, with that of its default times `factor`.
fn optimizers(factor: f64) -> Vec<AnyOptimizer> {
    let times = |rate: LearningRate| match rate {
        LearningRate::Constant(rate) => LearningRate::Constant(factor * rate),
        LearningRate::Polynomial { initial, delay, exponent } => {
            LearningRate::Polynomial { initial: factor * initial, delay, exponent }
        }
    };
    let (sgd, rms, adam) = (Sgd::default(), RmsProp::default(), Adam::default());
    let (momentum, ada, natural) = (Momentum::default(), AdaGrad::default(), NaturalGradient::default());
    let nesterov = Momentum { nesterov: true, ..momentum };
    let momentums = [momentum, nesterov].map(|o| Momentum { learning_rate: times(o.learning_rate), ..o });
    let [momentum, nesterov] = momentums.map(AnyOptimizer::Momentum);
    let unbounded = NaturalGradient { trust_region: TrustRegion::None, ..natural };
    vec![
        AnyOptimizer::Sgd(Sgd { learning_rate: times(sgd.learning_rate) }),
        AnyOptimizer::RmsProp(RmsProp { learning_rate: times(rms.learning_rate), ..rms }),
        AnyOptimizer::Adam(Adam { learning_rate: times(adam.learning_rate), ..adam }),
        momentum,
        nesterov,
        AnyOptimizer::AdaGrad(AdaGrad { learning_rate: times(ada.learning_rate), ..ada }),
        AnyOptimizer::Natural(NaturalGradient { learning_rate: times(natural.learning_rate), ..natural }),
        AnyOptimizer::Natural(NaturalGradient { learning_rate: times(natural.learning_rate), ..unbounded }),
    ]
}

fn run_with<M, F, E>(model: &M, family: &F, estimator: E, optimizer: AnyOptimizer) -> SgviFit<F>
where
    M: LogJoint,
    F: VariationalFamily + Clone,
    E: GradientEstimator<M, F>,
{
    let settings = SgviSettings { optimizer, n_iterations: 2000, n_evaluate: 200, ..SgviSettings::default() };
    fit(model, family, estimator, &settings, StreamKey::from_seed(31), Exec::local())
        .unwrap_or_else(|e| panic!("{optimizer:?}: {e}"))
}

/// The run must have diverged, have said where, and have gone back to where all is finite.
fn check<F: VariationalFamily + Clone>(what: &str, fit: &SgviFit<F>, n_params: usize) {
    let StopReason::Diverged { iteration, parameter, evidence, .. } = &fit.outcome.reason else {
        panic!("{what}: {}, ELBO {:?}", fit.outcome.reason, fit.elbo);
    };
    // The iteration that was not done; or the last one, when it is known at the end that nothing came of all of them.
    let next = fit.outcome.next;
    assert!(!fit.outcome.converged() && (*iteration == next || iteration + 1 == next), "{what}");
    assert!(!parameter.is_empty() && !evidence.is_empty(), "{what}");
    assert!(fit.elbo.value.is_finite() && fit.elbo_trace.iter().all(|e| e.is_finite()), "{what}");
    assert_eq!(fit.posterior.params().len(), n_params);
    assert!(fit.posterior.params().iter().all(|p| p.is_finite()), "{what}");
}

#[test]
fn a_learning_rate_a_thousand_times_too_large_ends_in_divergence() {
    let gaussian = GaussianTarget::correlated();
    let logistic = logistic(60);
    let (diagonal, gaussians) = (Diagonal { dim: 3 }, MeanFieldGaussian::new(logistic.parameters()).unwrap());
    let settings = SgviSettings::default();
    for optimizer in optimizers(1000.0) {
        let what = |model: &str| format!("{optimizer:?} on {model}");
        // Bounded steps are another test's matter.
        if matches!(optimizer, AnyOptimizer::Natural(_)) {
            continue;
        }
        let fit = run_with(&gaussian, &diagonal, settings.score_function(), optimizer);
        check(&what("a Gaussian, score function"), &fit, 6);
        let fit = run_with(&gaussian, &diagonal, settings.pathwise(), optimizer);
        check(&what("a Gaussian, pathwise"), &fit, 6);
        let fit = run_with(&logistic, &gaussians, settings.pathwise(), optimizer);
        check(&what("logistic regression"), &fit, 6);
    }
}

/// Steps in natural parameters are halved until they stay inside, and a trust region bounds them: such a run need not
/// diverge, but it must not be taken for one that arrived.
#[test]
fn natural_gradients_a_thousand_times_too_long_are_never_taken_for_arrived() {
    let gaussian = GaussianTarget::correlated();
    let settings = SgviSettings::default();
    for optimizer in optimizers(1000.0).into_iter().filter(|o| matches!(o, AnyOptimizer::Natural(_))) {
        let fit = run_with(&gaussian, &Diagonal { dim: 3 }, settings.score_function(), optimizer);
        assert!(fit.elbo.value.is_finite());
        let gap = gaussian.mean_field_elbo() - fit.elbo.value;
        assert!(!fit.outcome.converged() || gap < 0.05 + 5.0 * fit.elbo.mcse, "{gap}");
    }
}

/// Bits that are certain in double precision have no gradient left, and no Fisher information: the run stands still. That is
/// no convergence either.
#[test]
fn factors_on_their_own_support_diverge_as_loudly() {
    let model = RateAndBits::new();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    for optimizer in optimizers(1000.0) {
        let settings =
            SgviSettings { optimizer, n_iterations: 2000, n_evaluate: 2000, ..SgviSettings::default() };
        let key = StreamKey::from_seed(32);
        let fit = match fit(&model, &family, settings.score_function(), &settings, key, Exec::local()) {
            Ok(fit) => fit,
            Err(SgviError::Run(error)) => {
                let message = error.to_string();
                assert!(message.contains("the Fisher information is singular at logit(on[2])"), "{message}");
                assert!(message.starts_with("iteration 2: "), "{message}");
                continue;
            }
            Err(error) => panic!("{optimizer:?}: {error}"),
        };
        let what = format!("{optimizer:?}");
        match optimizer {
            AnyOptimizer::Natural(_) => assert!(!fit.outcome.converged(), "{what}: {:?}", fit.outcome),
            _ => check(&what, &fit, 4),
        }
    }
}

#[test]
fn healthy_runs_do_not_diverge() {
    let (gaussian, logistic) = (GaussianTarget::correlated(), logistic(60));
    let gaussians = MeanFieldGaussian::new(logistic.parameters()).unwrap();
    for optimizer in optimizers(1.0) {
        let fit = run_with(&gaussian, &Diagonal { dim: 3 }, ScoreFunction::leave_one_out(4), optimizer);
        assert!(!fit.outcome.reason.is_diverged(), "{optimizer:?}: {}", fit.outcome.reason);
        let fit = run_with(&logistic, &gaussians, ScoreFunction::leave_one_out(10), optimizer);
        assert!(!fit.outcome.reason.is_diverged(), "{optimizer:?}: {}", fit.outcome.reason);
    }
}

/// Whoever takes steps alone gets the divergence as an error, and the state where the run was best.
#[test]
fn a_step_that_diverges_goes_back() {
    let model = GaussianTarget::correlated();
    let learning_rate = LearningRate::Constant(1e6);
    let settings =
        SgviSettings { optimizer: AnyOptimizer::Sgd(Sgd { learning_rate }), ..SgviSettings::default() };
    let family = Diagonal { dim: 3 };
    let kernel = settings.kernel(&model, &family, settings.pathwise(), Exec::local()).unwrap();
    let mut state = kernel.init();
    let (start, key) = (state.params.clone(), StreamKey::from_seed(33));
    let error =
        (0..10).find_map(|t| vi_core::Kernel::step(&kernel, key.fold_in(t), &mut state).err()).unwrap();
    assert!(matches!(error, SgviError::Diverged { .. } | SgviError::NonFiniteParameter { .. }), "{error}");
    assert_eq!((&state.params, kernel.averaged_params(&state)), (&start, start.clone()));
    // The same through the loop, on any number of threads the same iteration.
    let mut state = kernel.init();
    let outcome = run(&kernel, &mut state, key, 0..10, &NeverStop, &mut []).unwrap();
    assert!(outcome.reason.is_diverged() && outcome.next < 10, "{outcome:?}");
}
