//! Runs on targets whose optimum is known.

use vi_core::{Exec, Kernel, LogJoint, NeverStop, Role, StopReason, StopRule, StreamKey, run};
use vi_families::FullRankGaussian;
use vi_sgvi::{
    AnyOptimizer, Averaging, ElboPlateau, LearningRate, Pathwise, RmsProp, ScoreFunction, Sgd, Sgvi,
    SgviSettings, Window, evaluate_elbo, fit,
};

use crate::common::{Diagonal, GaussianTarget};

#[test]
fn full_rank_pathwise_reaches_the_log_evidence() {
    let model = GaussianTarget::correlated();
    let family = FullRankGaussian::new(model.parameters()).unwrap();
    let settings = SgviSettings { n_samples: 16, ..SgviSettings::default() };
    let key = StreamKey::from_seed(2);
    let fit = fit(&model, &family, settings.pathwise(), &settings, key, Exec::local()).unwrap();
    assert!(fit.outcome.converged(), "{}", fit.outcome.reason);
    // q is all but exact, so that the log ratio is all but constant and the evaluation all but exact.
    assert!(fit.elbo.mcse < 1e-3, "{:?}", fit.elbo);
    let gap = model.log_evidence - fit.elbo.value;
    assert!((-4.0 * fit.elbo.mcse..0.01).contains(&gap), "gap {gap} after {} iterations", fit.outcome.next);
    assert_eq!(fit.evaluations.n_gradient, fit.outcome.next * 16);
}

#[test]
fn score_function_reaches_the_mean_field_optimum() {
    let (model, family) = (GaussianTarget::correlated(), Diagonal { dim: 3 });
    let tolerance = ElboPlateau { absolute: 0.02, relative: 0.0 };
    let settings = SgviSettings { tolerance, ..SgviSettings::default() };
    let key = StreamKey::from_seed(3);
    let fit = fit(&model, &family, settings.score_function(), &settings, key, Exec::local()).unwrap();
    assert!(fit.outcome.converged(), "{}", fit.outcome.reason);
    // The log ratio is not constant at a mean-field optimum, hence the Monte Carlo error.
    let gap = fit.elbo.value - model.mean_field_elbo();
    assert!(gap.abs() < 0.005 + 4.0 * fit.elbo.mcse, "gap {gap} ± {}", fit.elbo.mcse);
    // Locations in units of the scales, and the logarithms of the scales.
    let optimum = model.mean_field_optimum();
    let mut distance = (fit.posterior.params() - &optimum).mapv(f64::abs);
    (0..3).for_each(|d| distance[d] /= optimum[3 + d].exp());
    assert!(distance.iter().all(|&d| d < 0.05), "{distance} after {} iterations", fit.outcome.next);
    let n_iterations = fit.elbo_trace.len() as u64;
    assert_eq!(fit.outcome.next, n_iterations);
    assert_eq!(fit.evaluations.n_log_joint, n_iterations * 64 + 10_000);
    assert_eq!(fit.evaluations.n_gradient, 0);
}

#[test]
fn every_optimizer_reaches_the_optimum() {
    let (model, family) = (GaussianTarget::correlated(), Diagonal { dim: 3 });
    let rate = |initial| LearningRate::Polynomial { initial, delay: 100.0, exponent: 0.6 };
    let optimizers = [
        AnyOptimizer::default(),
        AnyOptimizer::RmsProp(RmsProp { learning_rate: rate(0.1), ..RmsProp::default() }),
        AnyOptimizer::Sgd(Sgd { learning_rate: rate(0.1) }),
    ];
    for optimizer in optimizers {
        for averaging in [Averaging::Tail, Averaging::Polynomial { eta: 8.0 }] {
            let settings = SgviSettings { optimizer, averaging, n_samples: 10, ..SgviSettings::default() };
            let key = StreamKey::from_seed(4);
            let fit = fit(&model, &family, settings.pathwise(), &settings, key, Exec::local()).unwrap();
            let distance = (fit.posterior.params() - &model.mean_field_optimum()).mapv(f64::abs);
            assert!(distance.iter().all(|&d| d < 0.05), "{optimizer:?} {averaging:?}: {distance}");
        }
    }
}

#[test]
fn averages_are_nearer_to_the_optimum_than_the_last_iterate() {
    let (model, family) = (GaussianTarget::correlated(), Diagonal { dim: 3 });
    let optimizer = Sgd { learning_rate: LearningRate::Constant(0.05) };
    let squared_distance = |averaging, seed| {
        let kernel = Sgvi::new(&model, &family, Pathwise::new(4), optimizer).unwrap();
        let kernel = kernel.with_averaging(averaging).unwrap();
        let mut state = kernel.init();
        run(&kernel, &mut state, StreamKey::from_seed(seed), 0..1000, &NeverStop, &mut []).unwrap();
        (kernel.averaged_params(&state) - &model.mean_field_optimum()).mapv(|d| d * d).sum()
    };
    for averaging in [Averaging::Tail, Averaging::Polynomial { eta: 4.0 }] {
        // Over ten runs the averages are nearer by an order of magnitude; a third would be no accident.
        let average: f64 = (0..10).map(|seed| squared_distance(averaging, seed)).sum();
        let last: f64 = (0..10).map(|seed| squared_distance(Averaging::Last, seed)).sum();
        assert!(average < last / 3.0, "{averaging:?}: {average} against {last}");
    }
}

#[test]
fn noise_that_hides_progress_is_not_convergence() {
    let (model, family) = (GaussianTarget::correlated(), Diagonal { dim: 3 });
    // Steps far too small to arrive, and two samples: windows differ by much less than their noise.
    let optimizer = Sgd { learning_rate: LearningRate::Constant(1e-5) };
    let kernel = Sgvi::new(&model, &family, ScoreFunction::leave_one_out(2), optimizer).unwrap();
    let kernel = kernel.with_window(Window { length: 50, growth: 1.0, ..Window::default() }).unwrap();
    let (mut state, tight) = (kernel.init(), ElboPlateau { absolute: 0.05, relative: 0.0 });
    let outcome = run(&kernel, &mut state, StreamKey::from_seed(5), 0..2000, &tight, &mut []).unwrap();
    assert_eq!(outcome.reason, StopReason::Budget);
    assert!(!outcome.converged());
}

#[test]
fn the_window_rule_is_the_documented_one() {
    let (model, family) = (GaussianTarget::correlated(), Diagonal { dim: 3 });
    let kernel = Sgvi::new(&model, &family, Pathwise::new(4), Sgd::default()).unwrap();
    let kernel = kernel.with_window(Window { length: 4, growth: 1.5, ..Window::default() }).unwrap();
    let mut state = kernel.init();
    let ends: Vec<_> = (0..40)
        .filter_map(|t| {
            let info = kernel.step(StreamKey::from_seed(6).fold_in(t), &mut state).unwrap();
            info.window.map(|w| (t + 1, w, info))
        })
        .collect();
    // Lengths 4, 6, 9, 14.
    assert_eq!(
        ends.iter().map(|(t, w, _)| (*t, w.n_iterations)).collect::<Vec<_>>(),
        [(10, 6), (19, 9), (33, 14)]
    );
    let (_, w, info) = ends[1];
    let trace = &state.elbo_trace;
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let squared_error = |x: &[f64]| {
        let n = x.len() as f64;
        x.iter().map(|v| (v - mean(x)).powi(2)).sum::<f64>() / (n - 1.0) / n
    };
    let (before, last) = (&trace[4..10], &trace[10..19]);
    approx::assert_relative_eq!(w.mean, mean(last), max_relative = 1e-12);
    approx::assert_relative_eq!(w.improvement, mean(last) - mean(before), max_relative = 1e-9);
    let mcse = (squared_error(before) + squared_error(last)).sqrt();
    approx::assert_relative_eq!(w.mcse, mcse, max_relative = 1e-9);
    let bound = w.improvement.abs() + 2.0 * w.mcse;
    assert_eq!(ElboPlateau { absolute: 0.999 * bound, relative: 0.0 }.check(18, &info), None);
    let stop = ElboPlateau { absolute: 1.001 * bound, relative: 0.0 }.check(18, &info).unwrap();
    assert!(stop.is_converged() && stop.to_string().contains("last 9 iterations"), "{stop}");
    let relative = ElboPlateau { absolute: 0.0, relative: 1.001 * bound / w.mean.abs() };
    assert!(relative.check(18, &info).is_some());
}

#[test]
fn the_evaluated_elbo_agrees_with_the_closed_form() {
    let (model, family) = (GaussianTarget::correlated(), Diagonal { dim: 3 });
    let params = model.mean_field_optimum();
    let key = StreamKey::from_seed(7).role(Role::Evaluate);
    let elbo = evaluate_elbo(&model, &family, &params, 4000, key, Exec::local()).unwrap();
    // Five standard errors: a false alarm has probability 5.7e-7.
    assert!((elbo.value - model.mean_field_elbo()).abs() < 5.0 * elbo.mcse, "{elbo:?}");
    assert!(elbo.mcse > 0.0 && elbo.mcse < 0.05 && elbo.n_samples == 4000, "{elbo:?}");
}
