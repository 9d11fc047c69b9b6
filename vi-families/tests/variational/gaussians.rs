//! The structured Gaussian families: the whole contract over drawn λ, and agreement with the full-rank Gaussian.

use crate::common::{config, positive_definite, vector};
use crate::{params, reals};
use ndarray::{Array1, Array2, array, s};
use proptest::prelude::*;
use vi_core::{Parameter, ParameterSpace, StreamKey, Support};
use vi_families::testing::{check_reparameterized, check_variational_family};
use vi_families::{
    BlockDiagonalGaussian, FullRankGaussian, LowRankGaussian, VariationalDistribution, VariationalFamily,
};

/// A scalar, a vector and a matrix.
fn three_variables() -> ParameterSpace {
    ParameterSpace::new([
        Parameter::scalar("mu", Support::Real),
        Parameter::vector("theta", 3, Support::Real),
        Parameter::new("w", &[2, 2], Support::Real),
    ])
    .unwrap()
}

fn key() -> StreamKey {
    StreamKey::from_seed(31)
}

proptest! {
    #![proptest_config(config(6))]

    #[test]
    fn low_rank(
        (d, r) in prop_oneof![Just((1usize, 1usize)), Just((5, 2)), Just((3, 3)), Just((9, 1))],
        lambda in params(27, 1.2),
    ) {
        let family = LowRankGaussian::new(&reals(d), r).unwrap();
        let lambda = [lambda.slice(s![..family.n_params()]).to_owned()];
        check_variational_family(&family, &lambda, key());
        check_reparameterized(&family, &lambda, key());
    }

    #[test]
    fn block_diagonal(lambda in params(54, 0.8)) {
        for family in [
            BlockDiagonalGaussian::by_parameter(&three_variables()).unwrap(),
            BlockDiagonalGaussian::from_sizes(&reals(6), &[2, 1, 3]).unwrap(),
        ] {
            let lambda = [lambda.slice(s![..family.n_params()]).to_owned()];
            check_variational_family(&family, &lambda, key());
            check_reparameterized(&family, &lambda, key());
        }
    }

    #[test]
    fn low_rank_is_the_full_rank_gaussian_of_its_covariance(
        m in vector(4), scale in vector(4), b in params(8, 2.0), z in vector(4),
    ) {
        let (family, full) = (LowRankGaussian::new(&reals(4), 2).unwrap(), FullRankGaussian::new(&reals(4)).unwrap());
        let (scale, b) = (scale.mapv(|v| (0.5 * v).exp()), b.into_shape_with_order((4, 2)).unwrap());
        let lambda = family.params_from_mean_scale_factor(&m, &scale, &b);
        let q = family.bind(&lambda).unwrap();
        let covariance = Array2::from_diag(&(&scale * &scale)) + b.dot(&b.t());
        prop_assert!((q.covariance() - &covariance).iter().all(|e| e.abs() < 1e-12 * (1.0 + covariance[[0, 0]])));
        let same = full.params_from_mean_covariance(&m, &covariance).unwrap();
        let same = full.bind(&same).unwrap();
        let expected = same.log_prob(&z);
        prop_assert!((q.log_prob(&z) - expected).abs() < 1e-9 * (1.0 + expected.abs()));
        prop_assert!((q.entropy().unwrap() - same.entropy().unwrap()).abs() < 1e-11);
    }

    #[test]
    fn blocks_are_a_full_rank_gaussian_with_zeros(
        m in vector(5), a in positive_definite(2), b in positive_definite(3), z in vector(5),
    ) {
        let family = BlockDiagonalGaussian::from_sizes(&reals(5), &[2, 3]).unwrap();
        let full = FullRankGaussian::new(&reals(5)).unwrap();
        let lambda = family.params_from_mean_covariances(&m, &[a.clone(), b.clone()]).unwrap();
        let mut covariance = Array2::zeros((5, 5));
        covariance.slice_mut(s![..2, ..2]).assign(&a);
        covariance.slice_mut(s![2.., 2..]).assign(&b);
        let same = full.params_from_mean_covariance(&m, &covariance).unwrap();
        let (q, same) = (family.bind(&lambda).unwrap(), full.bind(&same).unwrap());
        let expected = same.log_prob(&z);
        prop_assert!((q.log_prob(&z) - expected).abs() < 1e-11 * (1.0 + expected.abs()));
        prop_assert!((q.entropy().unwrap() - same.entropy().unwrap()).abs() < 1e-12);
    }
}

/// At r = 1 the density has a form of its own: Σ = I d² + bbᵀ with orthogonal parts along and across b.
#[test]
fn a_long_factor_keeps_its_digits() {
    let family = LowRankGaussian::new(&reals(2), 1).unwrap();
    let q = |length: f64, z: Array1<f64>| {
        let b = array![[0.6 * length], [0.8 * length]];
        let lambda = family.params_from_mean_scale_factor(&array![0.0, 0.0], &array![1.0, 1.0], &b);
        family.bind(&lambda).unwrap().log_prob(&z)
    };
    for length in [1.0f64, 1e4, 1e8] {
        // 2 across the factor (variance 1) and 3 lengths along it (variance 1 + length²).
        let z = array![-0.8 * 2.0 + 0.6 * 3.0 * length, 0.6 * 2.0 + 0.8 * 3.0 * length];
        let along = 1.0 + length * length;
        let expected = -0.5 * (4.0 + 9.0 * length * length / along)
            - 0.5 * along.ln()
            - (2.0 * std::f64::consts::PI).ln();
        // z itself is rounded to 1e-16 · length.
        assert!((q(length, z) - expected).abs() < 1e-14 + 1e-15 * length, "length {length}");
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    for rank in [0, 3] {
        let e = LowRankGaussian::new(&reals(2), rank).unwrap_err().to_string();
        assert_eq!(e, format!("LowRankGaussian: rank = {rank}, but it must be between 1 and the dimension"));
    }
    let e = BlockDiagonalGaussian::from_sizes(&reals(3), &[1, 1]).unwrap_err().to_string();
    assert!(e.contains("has length 2, expected 3"), "{e}");
    let e = BlockDiagonalGaussian::from_sizes(&reals(3), &[3, 0]).unwrap_err().to_string();
    assert!(e.contains("size[1] = 0"), "{e}");
    let positive = ParameterSpace::new([Parameter::scalar("tau", Support::Positive)]).unwrap();
    for e in [
        LowRankGaussian::new(&positive, 1).unwrap_err().to_string(),
        BlockDiagonalGaussian::by_parameter(&positive).unwrap_err().to_string(),
    ] {
        assert!(e.contains("`tau`") && e.contains("positive"), "{e}");
    }
    let family = LowRankGaussian::new(&reals(2), 1).unwrap();
    let e = family.bind(&array![0.0, 0.0, 0.0, 0.0, 1.0, 1e120]).unwrap_err().to_string();
    assert_eq!(
        e,
        "LowRankGaussian: factor(theta[2],1) = 1e120, but it must be at most 1e100 times the scale of its coordinate"
    );
}
