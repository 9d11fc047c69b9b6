//! Pathfinder and its several paths.

use ndarray::{Array1, array};
use vi_core::{Counted, Exec, LogJoint, Posterior, Role, StreamKey, Unconstrained};
use vi_models::eight_schools::{EightSchoolsData, EightSchoolsNonCentred, EightSchoolsPriors};
use vi_sgvi::{MultiPathfinder, Pathfinder, SgviError};

use crate::targets::{Given, badly_scaled, banana, correlated, thirty};

/// log Z = 0: the ELBO of a Gaussian by its own approximation.
#[test]
fn gaussians_are_found_but_for_little() {
    for (model, least) in [(badly_scaled(), -0.01), (correlated(), -0.01), (thirty(), -4.0)] {
        for seed in 0..3 {
            let fit = Pathfinder::default().fit(&model, StreamKey::from_seed(seed), Exec::local()).unwrap();
            let d = model.mean.len();
            // Five standard errors: a false alarm in 3e-7.
            let above = fit.elbo.value + 5.0 * fit.elbo.mcse;
            assert!(above >= least, "D = {d}: {:?}", fit.elbo);
            assert!(fit.elbo.value <= 5.0 * fit.elbo.mcse + 1e-9, "D = {d}: {:?}", fit.elbo);
            assert!(fit.ascent.as_ref().unwrap().converged());
        }
    }
}

#[test]
fn draws_weights_and_densities_fit_each_other() {
    let model = Counted::new(thirty());
    let fit = || Pathfinder::default().fit(&model, StreamKey::from_seed(2), Exec::local()).unwrap();
    let first = fit();
    let counted = (first.evaluations.n_log_joint, first.evaluations.n_gradient);
    assert_eq!(counted, (model.n_log_joint(), model.n_gradient()));
    for (z, ratio) in first.draws.rows().into_iter().zip(&first.log_ratios).take(70) {
        let expected = model.log_joint(&z) - first.log_prob(&z).unwrap();
        approx::assert_relative_eq!(*ratio, expected, max_relative = 1e-6, epsilon = 1e-6);
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let again = pool.install(fit);
    assert_eq!((&again.draws, &again.log_ratios), (&first.draws, &first.log_ratios));
    let key = StreamKey::from_seed(2).role(Role::Evaluate);
    let draws = first.draws(1000, key);
    assert_eq!(draws.values().index_axis(ndarray::Axis(0), 0), first.draws);
}

/// Far from Gaussian in log τ: Laplace's approximation of log p(y) is 5.8 nats too low.
/// log p(y) = −31.3113 (−32.0045 with the half-Cauchy prior unnormalised), by quadrature in τ.
#[test]
fn eight_schools_within_three_nats_of_the_evidence() {
    const EVIDENCE: f64 = -32.004_494_70 + std::f64::consts::LN_2;
    let data = EightSchoolsData {
        effect: array![28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0],
        standard_error: array![15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0],
    };
    let model = Unconstrained::new(EightSchoolsNonCentred::new(data, EightSchoolsPriors::default()).unwrap())
        .unwrap();
    let key = StreamKey::from_seed(3);
    let fit = MultiPathfinder::default().fit(&model, key, Exec::local()).unwrap();
    let elbo = fit.best().elbo;
    assert!(elbo.value > EVIDENCE - 3.0, "{elbo:?}");
    assert!(elbo.value < EVIDENCE + 5.0 * elbo.mcse, "{elbo:?}");
}

/// The weights correct what the Gaussians miss: E z₂ = 1 on the ridge z₂ ≈ z₁², where the approximation at its top says 0.
#[test]
fn resampling_bends_the_gaussian() {
    let model = banana();
    let settings =
        MultiPathfinder { n_paths: 8, path: Pathfinder { n_draws: 4000, ..Pathfinder::default() } };
    let fit = settings.fit(&model, StreamKey::from_seed(1), Exec::local()).unwrap();
    let of = |fit: &dyn Posterior| fit.draws(4000, StreamKey::from_seed(9)).coordinate(1).mean().unwrap();
    let (plain, weighted) = (of(fit.best()), of(&fit));
    assert!((weighted - 1.0).abs() < (plain - 1.0).abs(), "{weighted} is no better than {plain}");
    // Other weights, other draws: all the weight on one draw.
    let n = fit.log_ratios().len();
    let one = Array1::from_shape_fn(n, |i| if i == n - 1 { 0.0 } else { f64::NEG_INFINITY });
    let last = fit.paths.last().unwrap().as_ref().unwrap().draws.row(3999).to_owned();
    let fit = fit.with_log_weights(&one);
    assert!(fit.draws(5, StreamKey::from_seed(1)).values().rows().into_iter().all(|z| z == last));
    assert!(fit.log_prob(&last).is_none());
}

#[test]
fn failures_are_typed() {
    let key = StreamKey::from_seed(1);
    // Finite on the way, never at a draw's distance.
    let needle = Given::new(1, |z, grad| {
        grad[0] = 0.0;
        if z[0].abs() <= 2.0 && grad[0] == 0.0 { 0.0 } else { f64::NAN }
    });
    let narrow = Pathfinder { n_elbo: 200, ..Pathfinder::default() };
    let error = narrow.fit(&needle, key, Exec::local()).unwrap_err();
    assert!(matches!(error, SgviError::NoApproximation { n_gaussians: 1 }), "{error}");
    let nan = Given::new(1, |_, _| f64::NAN);
    let error = MultiPathfinder::default().fit(&nan, key, Exec::local()).unwrap_err();
    assert!(matches!(error, SgviError::NonFiniteStart { .. }), "{error}");
    let none = MultiPathfinder { n_paths: 0, ..MultiPathfinder::default() };
    assert!(matches!(none.fit(&nan, key, Exec::local()), Err(SgviError::Setting { .. })));
}
