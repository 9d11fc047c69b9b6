//! Mixtures of Gaussians: the contract over drawn λ, the density as a sum, and the bounds on the entropy.

use ndarray::{Array1, Array2, array, s};
use proptest::prelude::*;
use vi_core::StreamKey;
use vi_core::testing::Moments;
use vi_families::testing::check_variational_family;
use vi_families::{GaussianMixture, MeanFieldGaussian, VariationalDistribution, VariationalFamily};

use crate::common::config;
use crate::{params, reals};

fn key() -> StreamKey {
    StreamKey::from_seed(33)
}

/// Mean and standard error of −log q over draws, between the bounds.
fn assert_bounds(
    q: &impl VariationalDistribution,
    lower: f64,
    upper: f64,
    key: StreamKey,
) -> Result<(), TestCaseError> {
    let n = 4000;
    let (mut z, mut log_prob) = (Array2::zeros((n, q.dim())), Array1::zeros(n));
    q.sample_batch(key, 0..n, &mut z);
    q.log_prob_batch(&z, &mut log_prob);
    let mut surprise = Moments::default();
    log_prob.iter().for_each(|l| surprise.push(-l));
    // A correct bound is broken by a mean 5.4 standard errors off: 6 of 10⁸ keys.
    let (mean, slack) = (surprise.mean(), 5.4 * surprise.mcse());
    prop_assert!(lower <= upper, "{lower} above {upper}");
    prop_assert!(lower - slack <= mean && mean <= upper + slack, "{mean} not in [{lower}, {upper}]");
    Ok(())
}

proptest! {
    #![proptest_config(config(6))]

    #[test]
    fn mean_field_components(
        (d, k) in prop_oneof![Just((1usize, 1usize)), Just((1, 3)), Just((4, 2))],
        lambda in params(18, 1.5),
    ) {
        let family = GaussianMixture::mean_field(&reals(d), k).unwrap();
        let lambda = lambda.slice(s![..family.n_params()]).to_owned();
        let q = family.bind(&lambda).unwrap();
        assert_bounds(&q, q.entropy_lower_bound().unwrap(), q.entropy_upper_bound(), key())?;
        check_variational_family(&family, std::slice::from_ref(&lambda), key());
    }

    #[test]
    fn full_rank_components(
        (d, k) in prop_oneof![Just((2usize, 3usize)), Just((3, 2))],
        lambda in params(20, 1.0),
    ) {
        let family = GaussianMixture::full_rank(&reals(d), k).unwrap();
        let lambda = lambda.slice(s![..family.n_params()]).to_owned();
        let q = family.bind(&lambda).unwrap();
        assert_bounds(&q, q.entropy_lower_bound().unwrap(), q.entropy_upper_bound(), key())?;
        check_variational_family(&family, std::slice::from_ref(&lambda), key());
    }

    #[test]
    fn diagonal_components_are_full_rank_ones(lambda in params(10, 1.5), z in params(2, 3.0)) {
        let diagonal = GaussianMixture::mean_field(&reals(2), 2).unwrap();
        let full = GaussianMixture::full_rank(&reals(2), 2).unwrap();
        // (m₁, m₂, log s₁, log s₂) as (m₁, m₂, log L₁₁, 0, log L₂₂).
        let widen = |l: &[f64]| [l[0], l[1], l[2], 0.0, l[3]];
        let l = lambda.to_vec();
        let wide: Array1<f64> =
            [l[0], l[1]].into_iter().chain(widen(&l[2..6])).chain(widen(&l[6..10])).collect();
        let (q, p) = (diagonal.bind(&lambda).unwrap(), full.bind(&wide).unwrap());
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12 * (1.0 + b.abs());
        prop_assert!(close(q.log_prob(&z), p.log_prob(&z)));
        prop_assert!(close(q.entropy_upper_bound(), p.entropy_upper_bound()));
        prop_assert!(close(q.entropy_lower_bound().unwrap(), p.entropy_lower_bound().unwrap()));
    }
}

#[test]
fn the_density_is_the_weighted_sum() {
    let family = GaussianMixture::mean_field(&reals(1), 2).unwrap();
    let part = MeanFieldGaussian::new(&reals(1)).unwrap();
    let (a, b) = (array![-1.0, 0.3], array![2.0, -0.5]);
    let q = family.params_from_weights(&[3.0, 1.0], &[a.clone(), b.clone()]);
    let q = family.bind(&q).unwrap();
    for z in [array![-1.0], array![0.7], array![5.0]] {
        let density = |l: &Array1<f64>| part.bind(l).unwrap().log_prob(&z).exp();
        let expected = (0.75 * density(&a) + 0.25 * density(&b)).ln();
        assert!((q.log_prob(&z) - expected).abs() < 1e-14 * (1.0 + expected.abs()), "z = {z}");
    }
}

/// Far from all components every density underflows, its logarithm does not; and so with weights.
#[test]
fn nothing_underflows() {
    let family = GaussianMixture::mean_field(&reals(1), 2).unwrap();
    let lambda = family.params_from_weights(&[1.0, 1.0], &[array![0.0, 0.0], array![10.0, 0.0]]);
    let q = family.bind(&lambda).unwrap();
    // The nearer component alone, and half its weight.
    let expected = -0.5 * 990f64.powi(2) - 0.5 * (2.0 * std::f64::consts::PI).ln() - 2f64.ln();
    assert!((q.log_prob(&array![1000.0]) / expected - 1.0).abs() < 1e-14);
    let mut lambda = family.init();
    lambda[0] = -1e300;
    let q = family.bind(&lambda).unwrap();
    assert_eq!(q.weights(), [0.0, 1.0]);
    let mut score = Array1::zeros(family.n_params());
    q.add_score(&array![0.5], 1.0, &mut score);
    assert!(score.iter().all(|v| v.is_finite()), "{score}");
}

/// One component, and two far apart, where both bounds are known.
#[test]
fn bounds_in_closed_form() {
    let exact = 0.4 + 0.5 * (1.0 + (2.0 * std::f64::consts::PI).ln());
    let gap = 0.5 * (1.0 - 2f64.ln());
    let one = GaussianMixture::mean_field(&reals(1), 1).unwrap();
    let lambda = array![7.0, 3.0, 0.4];
    let q = one.bind(&lambda).unwrap();
    assert!((q.entropy_upper_bound() - exact).abs() < 1e-14);
    assert!((q.entropy_lower_bound().unwrap() - (exact - gap)).abs() < 1e-14);
    let two = GaussianMixture::mean_field(&reals(1), 2).unwrap();
    let lambda = two.params_from_weights(&[0.5, 0.5], &[array![0.0, 0.4], array![1e6, 0.4]]);
    let q = two.bind(&lambda).unwrap();
    assert!((q.entropy_upper_bound() - (exact + 2f64.ln())).abs() < 1e-14);
    assert!((q.entropy_lower_bound().unwrap() - (exact - gap + 2f64.ln())).abs() < 1e-14);
}

#[test]
fn errors_name_component_and_parameter() {
    let e = GaussianMixture::mean_field(&reals(1), 0).unwrap_err().to_string();
    assert_eq!(e, "GaussianMixture: n_components = 0, but it must be at least 1");
    let family = GaussianMixture::full_rank(&reals(2), 2).unwrap();
    let mut lambda = family.init();
    lambda[2 + 5 + 2] = 400.0;
    let e = family.bind(&lambda).unwrap_err().to_string();
    assert_eq!(
        e,
        "GaussianMixture: component 2: log_factor(theta[1]) = 400, but it must be finite and within ±300"
    );
}
