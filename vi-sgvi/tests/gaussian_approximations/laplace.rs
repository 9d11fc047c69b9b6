//! Laplace's approximation.

use ndarray::{Array1, array};
use vi_core::{Exec, Posterior, Role, StreamKey};
use vi_sgvi::{Laplace, LaplaceFit, SgviError};

use crate::targets::{Gaussian, Given, badly_scaled, banana, correlated, largest_difference, thirty};

fn fit(model: &Gaussian, seed: u64) -> LaplaceFit {
    Laplace::default().fit(model, StreamKey::from_seed(seed), Exec::local()).unwrap()
}

/// Mean, covariance and evidence of a Gaussian, to 1e-6 standard deviations.
#[test]
fn a_gaussian_is_its_own_approximation() {
    for model in [badly_scaled(), correlated(), thirty()] {
        for seed in 0..3 {
            let fit = fit(&model, seed);
            let off = largest_difference(&fit.covariance, &model.covariance);
            assert!(off < 1e-6, "covariance: {off}");
            for (i, (m, exact)) in fit.mode.iter().zip(&model.mean).enumerate() {
                let sd = model.covariance[[i, i]].sqrt();
                assert!((m - exact).abs() < 1e-6 * sd, "mean {i}: {m}, not {exact}");
            }
            assert!(fit.log_evidence.abs() < 1e-6, "log evidence {}", fit.log_evidence);
            assert!(fit.outcome.converged());
        }
    }
}

#[test]
fn evaluations_are_counted_and_bits_do_not_depend_on_threads() {
    let model = vi_core::Counted::new(thirty());
    let fit = || Laplace::default().fit(&model, StreamKey::from_seed(5), Exec::local()).unwrap();
    let first = fit();
    assert_eq!(first.evaluations.n_gradient, model.n_gradient());
    assert_eq!((first.evaluations.n_log_joint, model.n_log_joint()), (0, 0));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    assert_eq!(pool.install(fit).posterior.params(), first.posterior.params());
}

/// −∇² at the top of the ridge is diag(1, 100).
#[test]
fn the_top_of_a_bent_ridge() {
    let fit = Laplace::default().fit_from(&banana(), &array![-1.0, 2.0], Exec::local()).unwrap();
    assert!(largest_difference(&fit.covariance, &array![[1.0, 0.0], [0.0, 0.01]]) < 1e-5, "{fit:?}");
    let draws = fit.posterior.draws(1000, StreamKey::from_seed(1).role(Role::Evaluate));
    let mean = draws.coordinate(0).mean().unwrap();
    // Five standard errors: a false alarm in 6e-7.
    assert!(mean.abs() < 5.0 / 1000_f64.sqrt(), "{mean}");
}

#[test]
fn without_a_maximum_there_is_no_mode() {
    // A funnel's density grows for ever as its neck narrows.
    let funnel = Given::new(2, |z, grad| {
        let q = z[1] * z[1] * (-2.0 * z[0]).exp();
        grad[0] = q - 1.0 - z[0] / 1e6;
        grad[1] = -z[1] * (-2.0 * z[0]).exp();
        -0.5 * q - z[0] - 0.5 * z[0] * z[0] / 1e6
    });
    let short = Laplace { n_iterations: 20, ..Laplace::default() };
    match short.fit_from(&funnel, &array![1.0, 1.0], Exec::local()).unwrap_err() {
        SgviError::ModeNotFound { n_iterations: 20, at, .. } => assert_eq!(at.0.len(), 2),
        other => panic!("{other}"),
    }
    // A saddle: stationary, but rising along the diagonal.
    let saddle = Given::new(2, |z, grad| {
        let (up, down) = (z[0] + z[1], z[0] - z[1]);
        grad[0] = 2e-9 * up - 2.0 * down;
        grad[1] = 2e-9 * up + 2.0 * down;
        1e-9 * up * up - down * down
    });
    match Laplace::default().fit_from(&saddle, &array![0.0, 0.0], Exec::local()).unwrap_err() {
        SgviError::IndefiniteHessian { curvature, direction } => {
            assert!(curvature < 1e-8, "{curvature}");
            let [a, b] = [direction.0[0].1, direction.0[1].1];
            assert!((a * b - 0.5).abs() < 1e-6, "the direction is ({a}, {b})");
            assert_eq!(direction.0[0].0, "z[1]");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_flat_direction_is_named() {
    let flat = Given::new(2, |z, grad| {
        grad[0] = -z[0];
        grad[1] = 0.0;
        -0.5 * z[0] * z[0]
    });
    let error = Laplace::default().fit_from(&flat, &Array1::ones(2), Exec::local()).unwrap_err();
    match error {
        SgviError::IndefiniteHessian { direction, .. } => assert!(direction.0[1].1.abs() > 0.999),
        other => panic!("{other}"),
    }
}
