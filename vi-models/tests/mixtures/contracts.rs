//! The contracts of the traits, for every shape of covariances and every prior of the weights.

use ndarray::{Array1, Array2};
use rand_distr::{Distribution, StandardNormal};
use vi_core::testing::{
    check_batch, check_conditional, check_conditional_against, check_gradient, check_gradient_batch,
    check_predictive, check_subsample,
};
use vi_core::{Exec, LogJoint, Predictive, Subsample};
use vi_models::gaussian_mixture::{
    Covariance, GaussianMixture, GaussianMixtureBlock, GaussianMixturePriors, WeightsPrior,
};

use crate::support::{all_priors, ascend, close, key};

/// Three overlapping clusters in two dimensions.
pub(crate) fn synthetic(n: usize) -> Array2<f64> {
    let mut rng = key().rng(0);
    let mut x = Array2::zeros((n, 2));
    for (i, mut row) in x.rows_mut().into_iter().enumerate() {
        let centre = [[-1.5, 0.0], [1.0, 1.0], [0.5, -1.5]][i % 3];
        let noise: [f64; 2] = std::array::from_fn(|_| StandardNormal.sample(&mut rng));
        row[0] = centre[0] + 0.7 * noise[0];
        row[1] = centre[1] + 0.4 * noise[0] + 0.5 * noise[1];
    }
    x
}

#[test]
fn every_shape_keeps_the_contracts() {
    for priors in all_priors() {
        // 600 data: full tiles and a part of one.
        let large = GaussianMixture::new(synthetic(600), 3, priors.clone()).unwrap();
        check_gradient(&large, 2, key());
        check_conditional_against(&large, &[GaussianMixtureBlock::Assignments], 3, key());
        let model = GaussianMixture::new(synthetic(20), 3, priors).unwrap();
        check_gradient(&model, 5, key());
        check_gradient(&model.minibatch(&[0, 4, 4, 2]), 3, key());
        check_batch(&model, key());
        check_gradient_batch(&model, key());
        check_batch(&model.minibatch(&[0, 4, 4, 2]), key());
        check_subsample(&model, 3, key());
        check_predictive(&model, key());
        check_conditional_against(&model, &[GaussianMixtureBlock::Assignments], 10, key());
        check_conditional(&model, key());
        check_conditional(&model.without_responsibilities(), key());
    }
}

/// So many columns that products of coordinates are not formed; precisions L Lᵀ with ones on the diagonal of L.
#[test]
fn many_columns_keep_the_contracts() {
    let (n, k, d) = (70, 2, 15);
    let value = |i: usize, j: usize| ((i * 31 + j * 17) as f64 * 0.618).fract() - 0.5;
    let x = Array2::from_shape_fn((n, d), |(i, j)| 3.0 * value(i, j));
    let model = GaussianMixture::new(x.clone(), k, GaussianMixturePriors::default()).unwrap();
    let weights = [0.4, 0.6];
    let mean = Array2::from_shape_fn((k, d), |(k, j)| value(k + 7, j));
    let factors: Vec<Array2<f64>> = (0..k)
        .map(|k| {
            Array2::from_shape_fn((d, d), |(i, j)| {
                if i == j {
                    1.0
                } else if j < i {
                    0.4 * value(i + k, j)
                } else {
                    0.0
                }
            })
        })
        .collect();
    let precisions = factors.iter().flat_map(|l| l.dot(&l.t()));
    let z: Array1<f64> = weights.into_iter().chain(mean.iter().copied()).chain(precisions).collect();
    let mut found = Array1::zeros(n);
    model.log_likelihood_pointwise(&x, &z, &mut found);
    for (x, found) in x.rows().into_iter().zip(&found) {
        let density = |k: usize| {
            let y = factors[k].t().dot(&(&x - &mean.row(k)));
            weights[k] * (-0.5 * (y.dot(&y) + d as f64 * (2.0 * std::f64::consts::PI).ln())).exp()
        };
        close(&[*found], &[(density(0) + density(1)).ln()], 1e-12, "log density");
    }
    check_gradient(&model, 1, key());
    check_conditional_against(&model, &[GaussianMixtureBlock::Assignments], 2, key());
}

/// With one column all shapes but the shared one are the same model.
#[test]
fn with_one_column_the_shapes_agree() {
    let x = synthetic(60).slice(ndarray::s![.., ..1]).to_owned();
    let bound = |covariance| {
        let priors = GaussianMixturePriors { covariance, dof: Some(2.5), ..GaussianMixturePriors::default() };
        let model = GaussianMixture::new(x.clone(), 3, priors).unwrap();
        let labels: Vec<usize> = (0..60).map(|i| i % 3).collect();
        let mut state = model.start_from_labels(&labels, Exec::local()).unwrap();
        let elbo = ascend(&model, &mut state, 10);
        let z = ndarray::array![0.2, 0.3, 0.5, -1.0, 0.4, 1.1, 2.0, 0.7, 1.3];
        (elbo, model.log_joint(&z))
    };
    let full = bound(Covariance::Full);
    for covariance in [Covariance::Diagonal, Covariance::Spherical] {
        let other = bound(covariance);
        close(&other.0, &full.0, 1e-12, &format!("{covariance:?}"));
        close(&[other.1], &[full.1], 1e-12, &format!("{covariance:?}"));
    }
}

/// Sums, entropy and bound are the same without the N × K matrix, which is one assignment step ahead.
#[test]
fn responsibilities_need_not_be_kept() {
    let x = synthetic(1300);
    let labels: Vec<usize> = (0..1300).map(|i| i % 4).collect();
    for covariance in crate::support::COVARIANCES {
        let priors = GaussianMixturePriors { covariance, ..GaussianMixturePriors::default() };
        let kept = GaussianMixture::new(x.clone(), 4, priors).unwrap();
        let lean = kept.clone().without_responsibilities();
        let mut state = kept.start_from_labels(&labels, Exec::local()).unwrap();
        let mut lean_state = lean.start_from_labels(&labels, Exec::local()).unwrap();
        let elbo = ascend(&kept, &mut state, 5);
        let lean_elbo = ascend(&lean, &mut lean_state, 4);
        assert_eq!(elbo[1..], lean_elbo[..], "{covariance:?}");
        assert_eq!(lean_state.0.responsibilities().nrows(), 0);
        let again = lean.responsibilities(&lean_state.0, Exec::local());
        assert_eq!(again, state.0.responsibilities(), "{covariance:?}");
        assert_eq!(state.1, lean_state.1, "{covariance:?}");
    }
}

#[test]
fn sticks_break_in_order() {
    // The first weight of a stick-breaking prior is expected to be 1/(1 + α₀), the rest 1/(1 + α₀) of what is left.
    let priors = GaussianMixturePriors {
        weights: WeightsPrior::StickBreaking,
        concentration: 3.0,
        ..GaussianMixturePriors::default()
    };
    let model = GaussianMixture::new(synthetic(30), 3, priors).unwrap();
    let (q, stats) = model.start_from_labels(&[2; 30], Exec::local()).unwrap();
    assert_eq!(stats.counts().to_vec(), [0.0, 0.0, 30.0]);
    assert_eq!(q.sticks(), [[1.0, 33.0], [1.0, 33.0]]);
    let expected = [1.0 / 34.0, 33.0 / 34.0 / 34.0, (33.0 / 34.0_f64).powi(2)];
    close(&q.expected_weights(), &expected, 1e-14, "expected weights");
    assert!(q.weights().is_none());
}

#[test]
fn starts_at_random_are_seeded() {
    let model = GaussianMixture::new(synthetic(700), 3, GaussianMixturePriors::default()).unwrap();
    let start = |seed| model.start_at_random(vi_core::StreamKey::from_seed(seed), Exec::local()).unwrap();
    assert_eq!(start(1), start(1));
    assert_ne!(start(1), start(2));
    let sums = start(1).0.responsibilities().sum_axis(ndarray::Axis(1));
    assert!(sums.iter().all(|s| (s - 1.0).abs() < 1e-12));
}

#[test]
fn a_scale_has_to_have_the_shape_of_the_covariances() {
    let message = |covariance, scale: [[f64; 2]; 2]| {
        let scale = Some(scale.map(|row| row.to_vec()).to_vec());
        let priors = GaussianMixturePriors { covariance, scale, ..GaussianMixturePriors::default() };
        GaussianMixture::new(synthetic(5), 2, priors).unwrap_err().to_string()
    };
    let text = message(Covariance::Diagonal, [[1.0, 0.2], [0.2, 1.0]]);
    assert!(text.contains("scale[0, 1] = 0.2, but it must be zero"), "{text}");
    let text = message(Covariance::Spherical, [[1.0, 0.0], [0.0, 2.0]]);
    assert!(text.contains("scale[1, 1] = 2, but it must be that of a multiple of the identity"), "{text}");
}
