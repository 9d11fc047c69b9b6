//! A fit up another bound is judged by that bound.

use vi_core::{Exec, LogJoint, Role, StopReason, StreamKey, run};
use vi_families::MeanFieldGaussian;
use vi_sgvi::{
    Compare, ImportanceBound, ImportancePathwise, SgviError, SgviSettings, Stationarity, Window,
    evaluate_elbo, evaluate_importance_weighted_elbo,
};

use crate::evidence::{optimum, regression};

/// From the optimum of the ELBO the importance-weighted bound leads to wider scales, where the ELBO is lower.
#[test]
fn a_lower_elbo_is_no_divergence() {
    let model = regression();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let bound = ImportanceBound::importance_weighted(64).unwrap();
    let estimator = ImportancePathwise::doubly_reparameterized(bound, 2);
    let settings = SgviSettings { n_iterations: 3000, ..SgviSettings::default() };
    let (key, exec, start) = (StreamKey::from_seed(91), Exec::local(), optimum(&model, &family));
    let kernel = settings.kernel(&model, &family, estimator, exec).unwrap();
    let mut state = kernel.init_at(&start).unwrap();
    let outcome =
        run(&kernel, &mut state, key.role(Role::Step), 0..3000, &settings.tolerance, &mut []).unwrap();
    let fit = kernel.finish(state, outcome, 10_000, key).unwrap();
    assert!(!matches!(fit.outcome.reason, StopReason::Diverged { .. }), "{}", fit.outcome.reason);
    // The case is the one that could be mistaken: ELBO lower, bound higher, each by more than 5 standard errors.
    let key = StreamKey::from_seed(92);
    let before = evaluate_elbo(&model, &family, &start, 10_000, key, exec).unwrap();
    assert!(before.value - fit.elbo.value > 5.0 * before.mcse.hypot(fit.elbo.mcse), "{:?}", fit.elbo);
    let weighted =
        |params| evaluate_importance_weighted_elbo(&model, &family, params, 64, 4000, key, exec).unwrap();
    let (before, after) = (weighted(&start), weighted(fit.posterior.params()));
    assert!(after.value - before.value > 5.0 * after.mcse.hypot(before.mcse), "{before:?} {after:?}");
}

#[test]
fn rules_that_judge_by_the_elbo_are_refused() {
    let model = regression();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let bound = ImportanceBound::importance_weighted(4).unwrap();
    let kernel = || {
        let estimator = ImportancePathwise::naive(bound, 2);
        SgviSettings::default().kernel(&model, &family, estimator, Exec::local()).unwrap()
    };
    let window = Window { compare: Compare::Averages { n_samples: 100 }, ..Window::default() };
    let told = |error: SgviError| error.to_string();
    assert!(
        told(kernel().with_window(window).unwrap_err())
            .starts_with("window.compare.averages.n_samples = 100")
    );
    let stationarity = Stationarity::default();
    assert!(
        told(kernel().with_stationarity(stationarity).unwrap_err()).starts_with("stationarity.tolerance")
    );
}
