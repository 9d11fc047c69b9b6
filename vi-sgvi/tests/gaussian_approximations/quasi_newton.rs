//! The ascent.

use ndarray::{Array1, array};
use vi_core::testing::check_kernel;
use vi_core::{StreamKey, run};
use vi_sgvi::{Lbfgs, LbfgsState, LogJointObjective, SgviError, Stationary};

use crate::targets::{Given, badly_scaled, banana, correlated, thirty};

fn climb(ascent: &Lbfgs<LogJointObjective<'_, Given>>, start: Array1<f64>) -> (LbfgsState, bool) {
    let mut state = ascent.start(start).unwrap();
    let stop = Stationary::default();
    let outcome = run(ascent, &mut state, StreamKey::from_seed(0), 0..500, &stop, &mut []).unwrap();
    (state, outcome.converged())
}

#[test]
fn the_ascent_is_a_kernel() {
    let model = banana();
    let ascent = Lbfgs::new(LogJointObjective(&model), 5).unwrap();
    check_kernel(&ascent, &ascent.start(array![-1.5, 1.0]).unwrap(), StreamKey::from_seed(1), 12);
}

#[test]
fn a_bent_ridge_is_climbed_to_its_top() {
    let model = banana();
    let ascent = Lbfgs::new(LogJointObjective(&model), 6).unwrap();
    let (state, converged) = climb(&ascent, array![-1.9, 1.7]);
    assert!(converged && state.position.iter().all(|z| z.abs() < 1e-4), "{state:?}");
    assert!(state.n_gradient < 150, "{}", state.n_gradient);
}

/// Every iteration raises the value: the line search accepts nothing else.
#[test]
fn quadratics_of_any_scale_are_climbed_monotonically() {
    for (model, n) in [(badly_scaled(), 100), (correlated(), 100), (thirty(), 1000)] {
        let ascent = Lbfgs::new(LogJointObjective(&model), 10).unwrap();
        let mut state = ascent.start(Array1::ones(model.mean.len())).unwrap();
        let mut trace = vi_core::Trace::new().column("value", |s: &LbfgsState, _| s.value);
        let stop = Stationary::default();
        let outcome =
            run(&ascent, &mut state, StreamKey::from_seed(0), 0..n, &stop, &mut [&mut trace]).unwrap();
        assert!(outcome.converged(), "D = {}: {}", model.mean.len(), outcome.reason);
        let values = trace.table().column("value").unwrap();
        let slack = 1e-12 * values[0].abs();
        assert!(values.windows(2).all(|w| w[1] >= w[0] - slack), "{values:?}");
    }
}

#[test]
fn a_wall_of_minus_infinity_only_shortens_steps() {
    let model = Given::new(1, |z, grad| {
        grad[0] = 1.0 / z[0] - 1.0;
        if z[0] > 0.0 { z[0].ln() - z[0] } else { f64::NEG_INFINITY }
    });
    let ascent = Lbfgs::new(LogJointObjective(&model), 5).unwrap();
    for start in [1e-6, 1e-2, 40.0] {
        let (state, converged) = climb(&ascent, array![start]);
        assert!(converged && (state.position[0] - 1.0).abs() < 1e-4, "from {start}: {state:?}");
    }
}

#[test]
fn a_wrong_gradient_and_a_bad_start_are_typed() {
    let wrong = Given::new(1, |z, grad| {
        grad[0] = z[0];
        -0.5 * z[0] * z[0]
    });
    let ascent = Lbfgs::new(LogJointObjective(&wrong), 5).unwrap();
    let mut state = ascent.start(array![1.0]).unwrap();
    let error = run(&ascent, &mut state, StreamKey::from_seed(0), 0..10, &Stationary::default(), &mut [])
        .unwrap_err();
    assert!(error.to_string().contains("z[1] = 1"), "{error}");
    match error {
        vi_core::RunError::Kernel { iteration: 0, source: SgviError::NoAscent { value, .. } } => {
            assert_eq!(value, -0.5);
        }
        other => panic!("{other}"),
    }
    let nan = Given::new(1, |_, _| f64::NAN);
    let error = Lbfgs::new(LogJointObjective(&nan), 5).unwrap().start(array![2.5]).unwrap_err();
    assert!(matches!(error, SgviError::NonFiniteStart { value, .. } if value.is_nan()));
    assert!(error.to_string().contains("z[1] = 2.5"), "{error}");
    assert!(matches!(Lbfgs::new(LogJointObjective(&nan), 0), Err(SgviError::Setting { .. })));
}
