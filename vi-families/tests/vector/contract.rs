//! The contract of every family over parameters drawn by proptest, and at extremes.

use ndarray::{Array1, Array2, array};
use proptest::prelude::*;
use vi_core::StreamKey;
use vi_families::testing::{check_exponential_family, check_multivariate, check_parametric};
use vi_families::{
    DiagonalGaussian, Dirichlet, ExponentialFamily, InverseWishart, MatrixGaussian, Multivariate, MvGaussian,
    RowCovariance, Wishart,
};

use crate::common::{config, positive_definite, vector};

fn key() -> StreamKey {
    StreamKey::from_seed(24)
}

/// Vectors of length `n` of numbers between e^−2.5 and e^2.5, evenly on the log scale.
fn positive_vector(n: usize) -> impl Strategy<Value = Array1<f64>> {
    prop::collection::vec((-2.5..2.5f64).prop_map(f64::exp), n).prop_map(Array1::from)
}

proptest! {
    #![proptest_config(config(6))]

    #[test]
    fn diagonal_gaussian(
        (m, v, m2, v2) in (1usize..4).prop_flat_map(|p| {
            (vector(p), positive_vector(p), vector(p), positive_vector(p))
        }),
    ) {
        let members = [
            DiagonalGaussian::from_mean_variance(&m, &v).unwrap(),
            DiagonalGaussian::from_mean_precision(&m2, &v2).unwrap(),
            DiagonalGaussian::from_mean_sd(&m, &v2).unwrap(),
        ];
        check_exponential_family(&members, key());
        check_parametric(&members);
        check_multivariate(&members, key());
    }

    #[test]
    fn mv_gaussian_by_covariance_and_by_precision(
        (m, c, m2, c2) in (1usize..5).prop_flat_map(|p| {
            (vector(p), positive_definite(p), vector(p), positive_definite(p))
        }),
    ) {
        let members = [
            MvGaussian::from_mean_covariance(&m, &c).unwrap(),
            MvGaussian::from_mean_precision(&m2, &c2).unwrap(),
            MvGaussian::from_mean_precision(&m, &c).unwrap(),
            MvGaussian::from_mean_covariance(&m2, &c2).unwrap(),
        ];
        check_exponential_family(&members, key());
        check_parametric(&members);
        check_multivariate(&members, key());
    }

    #[test]
    fn wishart_by_scale_and_by_inverse_scale(
        (w, extra, w2, extra2) in (1usize..4).prop_flat_map(|p| {
            (positive_definite(p), 0.0..9.0f64, positive_definite(p), 0.0..9.0f64)
        }),
    ) {
        let least = w.nrows() as f64 + 2.0;
        let members = [
            Wishart::from_dof_scale(least + extra, &w).unwrap(),
            Wishart::from_dof_scale(least + extra2, &w2).unwrap(),
            Wishart::from_dof_inverse_scale(least + extra, &w2).unwrap(),
            Wishart::from_dof_inverse_scale(least + extra2, &w).unwrap(),
        ];
        check_exponential_family(&members, key());
        check_parametric(&members);
        check_multivariate(&members, key());
        let inverses = members.map(InverseWishart::from);
        check_exponential_family(&inverses, key());
        check_parametric(&inverses);
    }

    #[test]
    fn matrix_gaussian(
        (u, m, v, m2, v2) in (1usize..4, 1usize..4).prop_flat_map(|(n, p)| {
            let mean = || vector(n * p).prop_map(move |m| m.into_shape_with_order((n, p)).unwrap());
            (positive_definite(n), mean(), positive_definite(p), mean(), positive_definite(p))
        }),
    ) {
        for rows in [RowCovariance::from_covariance(&u).unwrap(), RowCovariance::from_precision(&u).unwrap()] {
            let members = [
                MatrixGaussian::from_mean_covariances(&m, &rows, &v).unwrap(),
                MatrixGaussian::from_mean_column_precision(&m2, &rows, &v2).unwrap(),
            ];
            check_exponential_family(&members, key());
            check_parametric(&members);
            check_multivariate(&members, key());
        }
    }

    #[test]
    fn dirichlet(a in (2usize..6).prop_flat_map(positive_vector)) {
        let members = [Dirichlet::from_concentration(&a).unwrap()];
        check_parametric(&members);
        check_multivariate(&members, key());
    }
}

/// A well-conditioned covariance of order `p` and its inverse: AR(1) with correlation ½, and its band matrix.
fn autoregressive(p: usize) -> (Array2<f64>, Array2<f64>) {
    let covariance = Array2::from_shape_fn((p, p), |(i, j)| 0.5f64.powi(i.abs_diff(j) as i32));
    let inverse = Array2::from_shape_fn((p, p), |(i, j)| match i.abs_diff(j) {
        0 if i == 0 || i == p - 1 => 4.0 / 3.0,
        0 => 5.0 / 3.0,
        1 => -2.0 / 3.0,
        _ => 0.0,
    });
    (covariance, inverse)
}

fn assert_close(what: &str, a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-12 * (1.0 + a.abs()), "{what}: {a} and {b}");
}

#[test]
fn the_two_ways_to_give_a_matrix_agree_at_every_size() {
    // 70 is beyond what is solved on the stack, and where the linear algebra turns to its blocked forms.
    for p in [2, 50, 70] {
        let (covariance, precision) = autoregressive(p);
        let mean: Array1<f64> = (0..p).map(|i| (i as f64).sin()).collect();
        let z: Array1<f64> = (0..p).map(|i| (i as f64).cos()).collect();
        let a = MvGaussian::from_mean_covariance(&mean, &covariance).unwrap();
        let b = MvGaussian::from_mean_precision(&mean, &precision).unwrap();
        assert_close("log_prob", a.log_prob(&z), b.log_prob(&z));
        assert_close("entropy", a.entropy(), b.entropy());
        for (x, y) in [(&a, &b), (&b, &a), (&a, &a), (&b, &b)] {
            assert_close("KL", x.kl(y), 0.0);
            assert_close("expected_log_prob", x.expected_log_prob(y), -a.entropy());
        }
        let dof = p as f64 + 3.5;
        let (c, d) = (
            Wishart::from_dof_scale(dof, &covariance).unwrap(),
            Wishart::from_dof_inverse_scale(dof, &precision).unwrap(),
        );
        let lambda = &covariance * 2.0;
        assert_close("log_prob", c.log_prob(&lambda), d.log_prob(&lambda));
        // One factorisation after the other is of the same matrix: A Aᵀ between R and Rᵀ of either form.
        let (x, y) = (c.sample(&mut key().rng(0)), d.sample(&mut key().rng(0)));
        let log_det = |z: &Array2<f64>| Wishart::sufficient_stats_given(&(), z)[0];
        assert_close("log|Λ| of a draw", log_det(&x), log_det(&y));
    }
}

#[test]
fn wishart_moments() {
    let (w, _) = autoregressive(2);
    let member = Wishart::from_dof_scale(5.0, &w).unwrap();
    assert_eq!(member.joint_mode().unwrap(), &w * 2.0);
    assert_eq!(member.expected_value().unwrap(), &w * 5.0);
    // ν (W₁₂² + W₁₁W₂₂)
    assert_eq!(member.marginal_variances().unwrap()[[0, 1]], 5.0 * 1.25);
    assert_eq!(Wishart::from_dof_scale(3.0, &w).unwrap().joint_mode(), None);
}

#[test]
fn inverse_wishart_moments() {
    let (scale, _) = autoregressive(3);
    // Enough degrees of freedom for the variances to have variances, which the check leans on.
    let members = [25.0, 40.0].map(|dof| InverseWishart::from_dof_scale(dof, &scale).unwrap());
    check_multivariate(&members, key());
    let without_variance = InverseWishart::from_dof_scale(6.0, &scale).unwrap();
    assert_eq!(without_variance.marginal_variances(), None);
    assert_eq!(without_variance.expected_value().unwrap(), &scale / 2.0);
    assert_eq!(InverseWishart::from_dof_scale(4.0, &scale).unwrap().expected_value(), None);
}

#[test]
fn inverse_wishart_speaks_of_its_own_scale() {
    let message = |e: vi_families::FamilyError| e.to_string();
    let e = message(InverseWishart::from_dof_scale(1.0, &Array2::eye(2)).unwrap_err());
    assert_eq!(e, "InverseWishart: dof = 1, but it must be finite and > p − 1, p the order of the scale");
    let e = message(InverseWishart::from_dof_scale(3.0, &-Array2::eye(2)).unwrap_err());
    assert_eq!(e, "InverseWishart: scale is not positive definite (pivot 0 is -1)");
    let e = message(InverseWishart::from_dof_inverse_scale(3.0, &-Array2::eye(2)).unwrap_err());
    assert_eq!(e, "InverseWishart: inverse_scale is not positive definite (pivot 0 is -1)");
    let e = message(InverseWishart::from_dof_scale(3.0, &(Array2::eye(2) * 1e-310)).unwrap_err());
    assert_eq!(e, "InverseWishart: inverse_scale (row-major)[0] = inf, but it must be finite");
}

#[test]
fn a_matrix_gaussian_is_the_gaussian_of_its_rows_end_to_end() {
    let (u, _) = autoregressive(3);
    let v = array![[2.0, 0.6], [0.6, 0.5]];
    // Row-major: the covariance of entries (i, a) and (j, b) is U_ij V_ab.
    let kronecker = Array2::from_shape_fn((6, 6), |(r, s)| u[[r / 2, s / 2]] * v[[r % 2, s % 2]]);
    let mean: Array1<f64> = (0..6).map(|i| (i as f64).sin()).collect();
    let z: Array1<f64> = (0..6).map(|i| (i as f64).cos()).collect();
    let flat = MvGaussian::from_mean_covariance(&mean, &kronecker).unwrap();
    let matrix = |v: &Array1<f64>| v.clone().into_shape_with_order((3, 2)).unwrap();
    let rows = RowCovariance::from_covariance(&u).unwrap();
    let member = MatrixGaussian::from_mean_covariances(&matrix(&mean), &rows, &v).unwrap();
    assert_close("log_prob", member.log_prob(&matrix(&z)), flat.log_prob(&z));
    assert_close("entropy", member.entropy(), flat.entropy());
    assert_eq!(member.log_prob(&Array2::zeros((2, 3))), f64::NEG_INFINITY);
    let data = [Array2::zeros((3, 2)), Array2::zeros((2, 2))];
    let e = MatrixGaussian::fit_given(&rows, data).unwrap_err();
    assert!(matches!(e, vi_families::FamilyError::OutsideSupport { index: 1, .. }), "{e}");
}

#[test]
fn an_inverse_that_overflows_is_an_error_although_the_factor_exists() {
    let tiny = Array2::eye(2) * 1e-310;
    let e = MvGaussian::from_mean_covariance(&array![0.0, 0.0], &tiny).unwrap_err().to_string();
    assert!(e.contains("precision (row-major)[0] = inf"), "{e}");
    let e = Wishart::from_dof_inverse_scale(3.0, &tiny).unwrap_err().to_string();
    assert!(e.contains("scale (row-major)[0] = inf"), "{e}");
    // The bound on the inverse overflows here, the inverse does not.
    let near = array![[1.0, 0.0, 0.0], [0.0, 1e-307, 0.0], [0.0, 0.0, 1e-307]];
    assert!(MvGaussian::from_mean_covariance(&array![0.0, 0.0, 0.0], &near).is_ok());
}

#[test]
fn diagonal_gaussian_of_mixed_units() {
    let (mean, sd) = (array![1e-6, -40.0, 3e7], array![1e-5, 1e2, 1e7]);
    let member = DiagonalGaussian::from_mean_sd(&mean, &sd).unwrap();
    check_exponential_family(std::slice::from_ref(&member), key());
    let near = DiagonalGaussian::from_mean_sd(&mean, &(&sd * (1.0 + 1e-6))).unwrap();
    // KL = Σ ½ (r − 1 − log r), r = (1 + 10⁻⁶)⁻²: 3·(10⁻¹² − 5/3·10⁻¹⁸)
    assert!((member.kl(&near) / 3e-12 - 1.0).abs() < 1e-5, "{}", member.kl(&near));
}

#[test]
fn dirichlet_modes() {
    let member = Dirichlet::from_concentration(&array![2.0, 3.0, 4.0]).unwrap();
    let mode = member.joint_mode().unwrap();
    assert!((&mode - &array![1.0 / 6.0, 2.0 / 6.0, 3.0 / 6.0]).iter().all(|d| d.abs() < 1e-15));
    let edge = Dirichlet::from_concentration(&array![1.0, 3.0, 4.0]).unwrap();
    assert_eq!(edge.joint_mode(), None);
}
