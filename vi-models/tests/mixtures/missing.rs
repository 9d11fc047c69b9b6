//! Missing values: refused unless asked for, and integrated exactly: by quadrature, and by the contracts.

use ndarray::{Array1, Array2, arr2};
use vi_core::testing::{
    check_batch, check_conditional, check_conditional_against, check_gradient, random_points,
};
use vi_core::{ConditionallyConjugate, Exec, LogJoint, Predictive};
use vi_models::gaussian_mixture::{GaussianMixture, GaussianMixtureBlock, GaussianMixturePriors};

use crate::contracts::synthetic;
use crate::support::{all_priors, ascend, close, key};

/// Every third datum lacks its second value, every seventh its first, one both.
fn holes(n: usize) -> Array2<f64> {
    let mut x = synthetic(n);
    for i in 0..n {
        if i % 3 == 1 {
            x[[i, 1]] = f64::NAN;
        }
        if i % 7 == 2 {
            x[[i, 0]] = f64::NAN;
        }
    }
    x[[4, 0]] = f64::NAN;
    x
}

#[test]
fn missing_values_are_refused_unless_asked_for() {
    let priors = GaussianMixturePriors::default;
    let error = GaussianMixture::new(holes(9), 2, priors()).unwrap_err().to_string();
    assert_eq!(error, "gaussian_mixture: data[1, 1] = NaN, but it must be finite");
    let mut infinite = holes(9);
    infinite[[0, 0]] = f64::INFINITY;
    assert!(GaussianMixture::with_missing_values(infinite, 2, priors()).is_err());
    assert!(GaussianMixture::with_missing_values(holes(9), 2, priors()).is_ok());
    // A matrix in a file can be ragged.
    let ragged = GaussianMixturePriors { scale: Some(vec![vec![1.0, 0.0], vec![]]), ..priors() };
    let error = GaussianMixture::new(synthetic(9), 2, ragged).unwrap_err().to_string();
    assert!(error.contains("a row of the prior scale"), "{error}");
}

#[test]
fn contracts_hold_with_missing_values() {
    for priors in all_priors() {
        let model = GaussianMixture::with_missing_values(holes(20), 3, priors.clone()).unwrap();
        check_gradient(&model, 4, key());
        check_batch(&model, key());
        check_conditional_against(&model, &[GaussianMixtureBlock::Assignments], 10, key());
        check_conditional(&model, key());
        let large = GaussianMixture::with_missing_values(holes(600), 3, priors).unwrap();
        check_conditional_against(&large, &[GaussianMixtureBlock::Assignments], 2, key());
        check_conditional_against(
            &large.without_responsibilities(),
            &[GaussianMixtureBlock::Assignments],
            2,
            key(),
        );
    }
}

/// log ∫ p(x_o, x_m | z) dx_m by the trapezoidal rule, which is exact to rounding for densities that vanish at both ends.
#[test]
fn densities_integrate_over_what_is_missing() {
    for priors in all_priors() {
        let complete = GaussianMixture::new(synthetic(5), 3, priors.clone()).unwrap();
        let model = GaussianMixture::with_missing_values(synthetic(5), 3, priors).unwrap();
        let z = random_points(model.parameters(), 1, key()).row(0).to_owned();
        let new = arr2(&[[0.4, f64::NAN], [f64::NAN, -0.7], [0.4, -0.7], [f64::NAN, f64::NAN]]);
        let mut found = Array1::zeros(4);
        model.log_likelihood_pointwise(&new, &z, &mut found);
        let (step, n) = (0.02, 10_001);
        for (i, observed) in [(0, 0), (1, 1)] {
            let grid = Array2::from_shape_fn((n, 2), |(t, d)| {
                if d == observed { new[[i, d]] } else { (t as f64 - 5000.0) * step }
            });
            let mut values = Array1::zeros(n);
            complete.log_likelihood_pointwise(&grid, &z, &mut values);
            let integral = vi_core::numerics::log_sum_exp(values.as_slice().unwrap()) + step.ln();
            assert!((found[i] - integral).abs() < 1e-9, "{} for {integral}", found[i]);
        }
        let mut whole = Array1::zeros(4);
        complete.log_likelihood_pointwise(&new, &z, &mut whole);
        close(&[found[2]], &[whole[2]], 1e-12, "a complete datum");
        assert!(found[3].abs() < 1e-9, "nothing observed has probability one: {}", found[3]);
        assert!(whole[0].is_nan(), "a model without missing values does not fill them in");
    }
}

/// A datum of which nothing is known changes nothing: bound and components are those without it, but for its label.
#[test]
fn an_empty_datum_changes_no_component() {
    for priors in all_priors() {
        let name = format!("{:?}, {:?}", priors.covariance, priors.weights);
        // Two clusters apart, so that no other optimum is near.
        let mut x = synthetic(40);
        for (i, mut row) in x.rows_mut().into_iter().enumerate() {
            row += if i % 2 == 0 { 4.0 } else { -4.0 };
        }
        let mut more = Array2::from_elem((41, 2), f64::NAN);
        more.slice_mut(ndarray::s![..40, ..]).assign(&x);
        let labels: Vec<usize> = (0..41).map(|i| i % 2).collect();
        let with = GaussianMixture::with_missing_values(more, 2, priors.clone()).unwrap();
        let mut state = with.start_from_labels(&labels, Exec::local()).unwrap();
        let elbo = ascend(&with, &mut state, 60);
        assert!(elbo.windows(2).all(|e| e[1] >= e[0] - 1e-9), "{name}: {elbo:?}");
        let without = GaussianMixture::new(x, 2, priors).unwrap();
        let mut complete = without.start_from_labels(&labels[..40], Exec::local()).unwrap();
        let bound = ascend(&without, &mut complete, 60);
        // The factorised bound pays for an unknown datum as for any latent variable, so it is the lower one.
        assert!(elbo[59] < bound[59], "{name}");
        let mean = |m: &GaussianMixture, s: &crate::support::State| {
            m.components(&s.0).mean.into_raw_vec_and_offset().0
        };
        close(&mean(&with, &state), &mean(&without, &complete), 0.01, &name);
    }
}

/// Values that the other column determines are filled in as it says.
#[test]
fn correlated_values_are_recovered() {
    let x = Array2::from_shape_fn((200, 2), |(i, j)| {
        let t = ((i * 37) % 200) as f64 / 50.0 - 2.0;
        let wobble = ((i * 61) % 17) as f64 / 400.0;
        let centre = if i % 2 == 0 { 6.0 } else { -6.0 };
        if j == 0 { t + centre } else { 2.0 * t + wobble - centre }
    });
    let mut holed = x.clone();
    for i in (0..200).step_by(5) {
        holed[[i, 1]] = f64::NAN;
    }
    let priors = GaussianMixturePriors { count: 0.01, ..GaussianMixturePriors::default() };
    let model = GaussianMixture::with_missing_values(holed, 2, priors).unwrap();
    let labels: Vec<usize> = (0..200).map(|i| i % 2).collect();
    let mut state = model.start_from_labels(&labels, Exec::local()).unwrap();
    ascend(&model, &mut state, 100);
    let components = model.components(&state.0);
    // Means of the second column: −(±6) + mean of the wobble, within their posterior error.
    close(&[components.mean[[0, 1]], components.mean[[1, 1]]], &[-6.0, 6.0], 0.04, "means");
    let expected = model.expected_log_joint(&state.1);
    assert!(expected.is_finite());
    let mut drawn = state.1.clone();
    model.draw(GaussianMixtureBlock::Assignments, &state.0, key(), &mut drawn, Exec::local());
    assert_eq!(drawn.labels(), labels.iter().map(|l| *l as u32).collect::<Vec<_>>());
}
