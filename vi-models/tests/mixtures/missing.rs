//! Missing values: refused unless asked for, and integrated exactly: by quadrature, and by the contracts.

use ndarray::{Array1, Array2, arr2};
use vi_core::testing::{
    check_batch, check_conditional, check_conditional_against, check_gradient, random_points,
};
use vi_core::{ConditionallyConjugate, Exec, LogJoint, Predictive, Subsample};
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

/// log ∫ p(x) dx_j by the trapezoidal rule in t with x_j = sinh t, of a density with the tails of powers.
fn log_integral(log_density: impl Fn(&Array2<f64>) -> Array1<f64>, x: &[f64], j: usize) -> f64 {
    let (step, n) = (0.02, 2001);
    let t = |i: usize| (i as f64 - 1000.0) * step;
    let grid = Array2::from_shape_fn((n, x.len()), |(i, d)| if d == j { t(i).sinh() } else { x[d] });
    let values: Vec<f64> = log_density(&grid).iter().enumerate().map(|(i, l)| l + t(i).cosh().ln()).collect();
    vi_core::numerics::log_sum_exp(&values) + step.ln()
}

/// The predictive density of what is observed is the integral over the rest of that of whole data, one column after the other.
#[test]
fn predictive_densities_integrate_over_what_is_missing() {
    let x = Array2::from_shape_fn((30, 3), |(n, d)| {
        let wobble = ((n * 7 + d * 5) % 11) as f64 / 5.0 + 0.3 * (n % 3) as f64;
        if n % 2 == 0 { wobble - 2.0 } else { 1.0 - wobble * (d as f64 - 0.4) }
    });
    let labels: Vec<usize> = (0..30).map(|n| n % 2).collect();
    for priors in all_priors() {
        let priors = GaussianMixturePriors { mean: None, scale: None, ..priors };
        let name = format!("{:?}, {:?}", priors.covariance, priors.weights);
        let model = GaussianMixture::with_missing_values(x.clone(), 2, priors.clone()).unwrap();
        let (q, _) = model.start_from_labels(&labels, Exec::local()).unwrap();
        let predict = |new: &Array2<f64>| model.log_predictive(&q, new).unwrap();
        let nan = f64::NAN;
        let new =
            arr2(&[[0.4, nan, -0.7], [nan, nan, -0.7], [0.4, 0.1, nan], [nan, nan, nan], [0.4, 0.1, -0.7]]);
        let found = predict(&new);
        for (row, hidden) in [(0, 1), (1, 0), (2, 2)] {
            let integral = log_integral(predict, new.row(row).as_slice().unwrap(), hidden);
            assert!((found[row] - integral).abs() < 1e-9, "{name}, {row}: {} for {integral}", found[row]);
        }
        assert_eq!(found[3], 0.0, "{name}: nothing observed has probability one");
        let complete = GaussianMixture::new(x.clone(), 2, priors).unwrap();
        let (q, _) = complete.start_from_labels(&labels, Exec::local()).unwrap();
        let whole = new.slice(ndarray::s![4.., ..]).to_owned();
        assert_eq!(complete.log_predictive(&q, &whole).unwrap()[0], found[4], "{name}");
        // Missing values that were not asked for, and others that no density has, are refused.
        let error = complete.log_predictive(&q, &new).unwrap_err().to_string();
        assert_eq!(error, "gaussian_mixture: new data[0, 1] = NaN, but it must be finite");
        let error = model.log_predictive(&q, &(&whole / 0.0)).unwrap_err().to_string();
        assert!(
            error.contains("new data[0, 0] = inf, but it must be finite, or NaN where it is missing"),
            "{error}"
        );
        let error = model.log_predictive(&q, &Array2::zeros((2, 2))).unwrap_err().to_string();
        assert_eq!(error, "gaussian_mixture: columns of the new data has length 2, expected 3");
    }
}

/// Four columns with 0 to 3 values missing, in few patterns or many.
pub(crate) fn patterns(n: usize, few: bool) -> Array2<f64> {
    let wide = ndarray::concatenate![ndarray::Axis(1), synthetic(n), 0.7 * synthetic(n) + 0.5];
    let mut x = wide;
    for (i, mut row) in x.rows_mut().into_iter().enumerate() {
        row[2] += ((i * 11) % 5) as f64 / 5.0;
        row[3] += ((i * 13) % 7) as f64 / 5.0;
        let code = if few { [0, 0, 2, 5, 9][i % 5] } else { (i * 7) % 15 };
        (0..4).filter(|d| code >> d & 1 == 1).for_each(|d| row[d] = f64::NAN);
    }
    x
}

/// One datum alone, with its missing values integrated by the log joint's path for single points and by the pass over all
/// data: sums of statistics of a pattern are those of its data one by one.
#[test]
fn data_of_a_pattern_add_up_to_what_they_are_one_by_one() {
    for priors in all_priors() {
        let priors = GaussianMixturePriors { mean: None, scale: None, ..priors };
        let name = format!("{:?}, {:?}", priors.covariance, priors.weights);
        let x = patterns(45, false);
        let model = GaussianMixture::with_missing_values(x.clone(), 3, priors).unwrap();
        let z = random_points(model.parameters(), 1, key()).row(0).to_owned();
        // The likelihood of all data is the product of those of each.
        let mut each = Array1::zeros(45);
        model.log_likelihood_pointwise(&x, &z, &mut each);
        let one = |n: usize| {
            let mut out = Array1::zeros(1);
            model.log_likelihood_pointwise(&x.slice(ndarray::s![n..=n, ..]).to_owned(), &z, &mut out);
            out[0]
        };
        let alone: Vec<f64> = (0..45).map(one).collect();
        close(each.as_slice().unwrap(), &alone, 1e-12, &name);
        // Minibatches of one datum each add up to the gradient of all, but for the prior's, which each has once.
        let gradient = |model: &dyn vi_core::GradLogJoint| {
            let mut grad = Array1::zeros(z.len());
            model.log_joint_and_grad(&z, &mut grad);
            grad
        };
        let mean =
            (0..45).map(|n| gradient(&model.minibatch(&[n]))).fold(Array1::zeros(z.len()), |a, b| a + b)
                / 45.0;
        close(mean.as_slice().unwrap(), gradient(&model).as_slice().unwrap(), 1e-10, &name);
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
