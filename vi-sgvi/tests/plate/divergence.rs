//! A learning rate far too large ends in an outcome that says so, for θ and for λ or ψ.

use ndarray::{Array1, Array2};
use vi_core::{Exec, Kernel, NeverStop, StopReason, StreamKey, run};
use vi_sgvi::{
    AdaGrad, Adam, AnyOptimizer, LearningRate, LinearEncoder, Momentum, PlateElbo, PlateFit,
    PlateScoreFunction, PlateSettings, Recognition, RmsProp, Sgd, SgviError, Table, fit_plate,
};

use crate::network::Small;

const N: usize = 40;

/// Every rule with a learning rate, that of its default times `factor`.
fn optimizers(factor: f64) -> Vec<AnyOptimizer> {
    let times = |rate: LearningRate| match rate {
        LearningRate::Constant(rate) => LearningRate::Constant(factor * rate),
        LearningRate::Polynomial { initial, delay, exponent } => {
            LearningRate::Polynomial { initial: factor * initial, delay, exponent }
        }
    };
    let (sgd, momentum, adam) = (Sgd::default(), Momentum::default(), Adam::default());
    let (ada, rms) = (AdaGrad::default(), RmsProp::default());
    vec![
        AnyOptimizer::Sgd(Sgd { learning_rate: times(sgd.learning_rate) }),
        AnyOptimizer::Momentum(Momentum { learning_rate: times(momentum.learning_rate), ..momentum }),
        AnyOptimizer::Adam(Adam { learning_rate: times(adam.learning_rate), ..adam }),
        AnyOptimizer::AdaGrad(AdaGrad { learning_rate: times(ada.learning_rate), ..ada }),
        AnyOptimizer::RmsProp(RmsProp { learning_rate: times(rms.learning_rate), ..rms }),
    ]
}

fn settings(model_optimizer: Option<AnyOptimizer>, optimizer: AnyOptimizer) -> PlateSettings {
    let defaults = PlateSettings::default();
    PlateSettings { n_iterations: 600, model_optimizer, optimizer, n_evaluate: 50, ..defaults }
}

fn fit<R: Recognition>(small: &Small, recognition: &R, settings: &PlateSettings) -> PlateFit {
    let elbo = PlateElbo::new(&small.model, &small.family, recognition).unwrap();
    let (estimator, key) = (PlateScoreFunction::leave_one_out(4), StreamKey::from_seed(71));
    fit_plate(elbo, estimator, settings, key, Exec::local()).unwrap_or_else(|e| panic!("{settings:?}: {e}"))
}

/// The run must have diverged in a parameter of one of these names, and have gone back to where all is finite.
fn check(what: &str, fit: &PlateFit, names: &[&str]) {
    let StopReason::Diverged { iteration, parameter, evidence, .. } = &fit.outcome.reason else {
        panic!("{what}: {}, ELBO {:?}", fit.outcome.reason, fit.elbo);
    };
    let next = fit.outcome.next;
    assert!(!fit.outcome.converged() && (*iteration == next || iteration + 1 == next), "{what}");
    assert!(names.iter().any(|name| parameter.contains(name)), "{what}: {parameter}");
    assert!(!evidence.is_empty() && fit.elbo.value.is_finite(), "{what}");
    let all = fit.model_params.iter().chain(&fit.params).chain(&fit.elbo_trace);
    assert!(all.into_iter().all(|v| v.is_finite()), "{what}");
}

const OF_MODEL: [&str; 3] = ["weight", "pixel_bias", "hidden_bias"];

#[test]
fn theta_that_runs_away_ends_in_divergence() {
    let small = Small::new(N, 5, 3);
    let (table, healthy) = (Table::new(N, &small.family), PlateSettings::default().optimizer);
    for optimizer in optimizers(1000.0) {
        let what = format!("{optimizer:?} on θ");
        check(&what, &fit(&small, &table, &settings(Some(optimizer), healthy)), &OF_MODEL);
        let batches = PlateSettings { batch_size: Some(10), ..settings(Some(optimizer), healthy) };
        check(&format!("{what}, minibatches"), &fit(&small, &table, &batches), &OF_MODEL);
    }
}

#[test]
fn an_encoder_that_runs_away_ends_in_divergence() {
    let small = Small::new(N, 5, 3);
    let encoder = LinearEncoder::new(small.model.pixels().clone(), &small.family).unwrap();
    let n_psi = encoder.n_params();
    let names: Vec<String> = (0..n_psi).map(|i| encoder.param_name(i)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain(OF_MODEL).collect();
    for optimizer in optimizers(1e6) {
        // Bits that are certain have no gradient left: such a run may stand still, but it must not be taken for one that arrived.
        let fit = fit(&small, &encoder, &settings(None, optimizer));
        let healthy = self::fit(&small, &encoder, &settings(None, PlateSettings::default().optimizer));
        let what = format!("{optimizer:?} on ψ");
        if fit.outcome.reason.is_diverged() {
            check(&what, &fit, &names);
        } else {
            let gap = healthy.elbo.value - fit.elbo.value;
            assert!(!fit.outcome.converged() || gap < 0.05 * healthy.elbo.value.abs(), "{what}: {gap}");
        }
    }
}

#[test]
fn healthy_runs_do_not_diverge() {
    let small = Small::new(N, 5, 3);
    let table = Table::new(N, &small.family);
    for optimizer in optimizers(1.0) {
        let fit = fit(&small, &table, &settings(Some(optimizer), optimizer));
        assert!(!fit.outcome.reason.is_diverged(), "{optimizer:?}: {}", fit.outcome.reason);
        let batches = PlateSettings { batch_size: Some(4), ..settings(Some(optimizer), optimizer) };
        let fit = self::fit(&small, &table, &batches);
        assert!(!fit.outcome.reason.is_diverged(), "{optimizer:?}, minibatches: {}", fit.outcome.reason);
    }
}

/// Whoever takes steps alone gets the divergence as an error, and the state where the run was best; after it the same steps
/// lead to the same end as from the start.
#[test]
fn a_step_that_diverges_goes_back() {
    let small = Small::new(N, 5, 3);
    let table = Table::new(N, &small.family);
    let elbo = PlateElbo::new(&small.model, &small.family, &table).unwrap();
    let learning_rate = LearningRate::Constant(1e300);
    let sgd = AnyOptimizer::Sgd(Sgd { learning_rate });
    let settings = settings(Some(sgd), sgd);
    let kernel = settings.kernel(elbo, PlateScoreFunction::leave_one_out(4), Exec::local()).unwrap();
    let (theta, lambda) = (small.theta.clone(), Array1::zeros(N * 3));
    let mut state = kernel.init_at(theta.clone(), lambda.clone()).unwrap();
    let key = StreamKey::from_seed(72);
    let error = (0..10).find_map(|t| kernel.step(key.fold_in(t), &mut state).err()).unwrap();
    assert!(matches!(error, SgviError::Diverged { .. } | SgviError::NonFiniteParameter { .. }), "{error}");
    assert_eq!((&state.model_params, &state.params), (&theta, &lambda));
    assert_eq!(kernel.averaged_params(&state), (theta.clone(), lambda.clone()));
    let mut state = kernel.init_at(theta, lambda).unwrap();
    let outcome = run(&kernel, &mut state, key, 0..10, &NeverStop, &mut []).unwrap();
    assert!(outcome.reason.is_diverged() && outcome.next < 10, "{outcome:?}");
}

/// A fault of what was put in is none of the steps: it stays an error.
#[test]
fn a_fault_of_the_input_is_no_divergence() {
    let small = Small::new(N, 5, 3);
    let encoder = LinearEncoder::new(Array2::zeros((N, 2)), &small.family).unwrap();
    let elbo = PlateElbo::new(&small.model, &small.family, &encoder).unwrap();
    let settings = PlateSettings::default();
    let kernel = settings.kernel(elbo, PlateScoreFunction::leave_one_out(4), Exec::local()).unwrap();
    let mut psi = encoder.init(StreamKey::from_seed(1));
    psi[1] = f64::NAN;
    let mut state = kernel.init_at(small.theta.clone(), psi).unwrap();
    let error = run(&kernel, &mut state, StreamKey::from_seed(2), 0..10, &NeverStop, &mut []).unwrap_err();
    assert!(error.to_string().starts_with("iteration 0: datum 0: "), "{error}");
}
