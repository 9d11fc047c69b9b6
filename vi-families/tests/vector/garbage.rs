//! Anything whatever handed to constructors and to the maps from η and μ: an error or a sound member, no panic.

use ndarray::{Array1, Array2};
use proptest::prelude::*;
use vi_families::testing::check_any_vector;
use vi_families::{
    DiagonalGaussian, Dirichlet, FamilyError, InverseWishart, MatrixGaussian, MvGaussian, Parametric,
    RowCovariance, Wishart,
};

use crate::common::config;

/// Huge, tiny, signed zeros, infinities, NaN, and plain values.
fn element() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -10.0..10.0f64, 2 => any::<f64>(), 1 => Just(0.0), 1 => -1e-300..1e-300f64]
}

fn any_vector() -> impl Strategy<Value = Array1<f64>> {
    prop::collection::vec(element(), 0..12).prop_map(Array1::from)
}

/// Matrices of any shape up to 3 × 3, most of them symmetric, some positive definite.
fn any_matrix() -> impl Strategy<Value = Array2<f64>> {
    let entries = prop::collection::vec(element(), 9);
    (0usize..4, 0usize..4, entries, 0..4u8).prop_map(|(rows, columns, entries, kind)| match kind {
        0 => Array2::from_shape_fn((rows, columns), |(i, j)| entries[3 * i + j]),
        1 => Array2::from_shape_fn((rows, rows), |(i, j)| entries[3 * i.max(j) + i.min(j)]),
        2 => Array2::from_diag(&Array1::from(entries[..rows].to_vec()).mapv(f64::abs)),
        _ => Array2::from_shape_fn((rows, rows), |(i, j)| {
            (0..3).map(|k| entries[3 * i + k] * entries[3 * j + k]).sum()
        }),
    })
}

/// A member that was accepted has finite η, and is found again from its θ.
fn sound<F: Parametric>(member: Result<F, FamilyError>) {
    let Ok(member) = member else { return };
    finite(Ok(member.clone()));
    let again = member.with_parameters(&member.parameters()).unwrap();
    assert_eq!(again.parameters(), member.parameters());
}

/// A member that was accepted by the inverse of its θ has finite η and θ. That inverse may be singular to rounding.
fn finite<F: Parametric>(member: Result<F, FamilyError>) {
    let Ok(member) = member else { return };
    let (eta, theta) = (member.natural(), member.parameters());
    assert!(eta.iter().all(|v| v.is_finite()), "{member:?}: η = {eta}");
    assert!(theta.iter().all(|v| v.is_finite()), "{member:?}: θ = {theta}");
    assert!(!member.entropy().is_nan(), "{member:?}: the entropy is not a number");
    let _ = member.with_parameters(&theta);
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn diagonal_gaussian(v in any_vector(), w in any_vector()) {
        check_any_vector::<DiagonalGaussian>(&(), &v);
        sound(DiagonalGaussian::from_mean_variance(&v, &w));
        sound(DiagonalGaussian::from_mean_sd(&v, &w));
        sound(DiagonalGaussian::from_mean_precision(&v, &w));
        sound(DiagonalGaussian::from_mean_variance(&w, &w.mapv(f64::abs)));
    }

    #[test]
    fn mv_gaussian(v in any_vector(), a in any_matrix()) {
        check_any_vector::<MvGaussian>(&(), &v);
        sound(MvGaussian::from_mean_covariance(&v, &a));
        finite(MvGaussian::from_mean_precision(&v, &a));
    }

    #[test]
    fn wishart(v in any_vector(), dof in element(), a in any_matrix()) {
        check_any_vector::<Wishart>(&(), &v);
        sound(Wishart::from_dof_scale(dof, &a));
        finite(Wishart::from_dof_inverse_scale(dof, &a));
    }

    #[test]
    fn inverse_wishart(v in any_vector(), dof in element(), a in any_matrix()) {
        check_any_vector::<InverseWishart>(&(), &v);
        sound(InverseWishart::from_dof_scale(dof, &a));
        finite(InverseWishart::from_dof_inverse_scale(dof, &a));
    }

    #[test]
    fn matrix_gaussian(v in any_vector(), m in any_matrix(), u in any_matrix(), a in any_matrix()) {
        for rows in [RowCovariance::from_covariance(&u), RowCovariance::from_precision(&u)].into_iter().flatten() {
            check_any_vector::<MatrixGaussian>(&rows, &v);
            sound(MatrixGaussian::from_mean_covariances(&m, &rows, &a));
            finite(MatrixGaussian::from_mean_column_precision(&m, &rows, &a));
        }
        let rows = RowCovariance::identity(m.nrows().max(1)).unwrap();
        check_any_vector::<MatrixGaussian>(&rows, &v);
        sound(MatrixGaussian::from_mean_covariances(&m, &rows, &a));
    }

    #[test]
    fn dirichlet(v in any_vector()) {
        check_any_vector::<Dirichlet>(&(), &v);
        sound(Dirichlet::from_concentration(&v.mapv(f64::abs)));
    }
}
