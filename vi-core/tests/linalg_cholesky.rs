//! The Cholesky factorisation, on whichever backend is compiled in.

use ndarray::{Array1, Array2, arr2, s};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use vi_core::linalg::{Cholesky, LinalgError};

#[path = "support/matrices.rs"]
mod matrices;

use matrices::{column_major, dense, distance, product};

/// B Bᵀ + ridge · I.
fn positive_definite(n: usize, seed: u64, ridge: f64) -> Array2<f64> {
    let b = dense(n, n, seed);
    product(&b, &b.t()) + Array2::<f64>::eye(n) * ridge
}

fn orders() -> impl Strategy<Value = usize> {
    // Loops, the borders of the loops, and blocked algorithms of the backend.
    prop_oneof![0usize..26, Just(47), Just(48), Just(49), Just(64), Just(65), Just(100)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(60) })]

    #[test]
    fn factor_reconstructs_solves_and_inverts(n in orders(), seed in 0u64..1_000_000) {
        let a = positive_definite(n, seed, 0.5);
        let c = Cholesky::factor(&a).unwrap();
        let l = c.l();
        prop_assert!(l.is_standard_layout() && c.order() == n);
        let triangular = l.indexed_iter().all(|((i, j), v)| if j > i { *v == 0.0 } else { i != j || *v > 0.0 });
        prop_assert!(triangular);
        let size = 1.0 + n as f64;
        prop_assert!(distance(&product(l, &l.t()), &a) <= 1e-15 * size * size);

        // ‖A x − b‖ of a backward-stable solve is a few roundings of ‖A‖ ‖x‖.
        let b = dense(n, 3, seed + 1);
        let mut x = b.clone();
        c.solve_matrix_inplace(&mut x);
        let x_size = x.iter().fold(1.0f64, |m, v| m.max(v.abs()));
        prop_assert!(distance(&product(&a, &x), &b) <= 1e-14 * size * size * x_size);
        for j in 0..3 {
            let single = c.solve(&b.column(j).to_owned());
            let pair = x.column(j).to_owned() - &single;
            // Two ways to the same solution differ by roundings times the condition number, under 4 n² here.
            prop_assert!(pair.iter().all(|d| d.abs() <= 1e-14 * size * size * size * x_size));
        }
        let inverse = c.inverse();
        prop_assert_eq!(&inverse, &inverse.t());
        let inverse_size = inverse.iter().fold(1.0f64, |m, v| m.max(v.abs()));
        prop_assert!(distance(&product(&a, &inverse), &Array2::eye(n)) <= 1e-14 * size * size * inverse_size);
    }

    #[test]
    fn only_the_lower_triangle_is_read_and_layout_does_not_matter(n in orders(), seed in 0u64..1_000_000) {
        let a = positive_definite(n, seed, 0.5);
        let expected = Cholesky::factor(&a).unwrap();
        let mut lower = a.clone();
        for i in 0..n {
            for j in i + 1..n {
                lower[[i, j]] = f64::NAN;
            }
        }
        prop_assert_eq!(&Cholesky::factor(&lower).unwrap(), &expected);
        prop_assert_eq!(&Cholesky::factor(&column_major(&lower)).unwrap(), &expected);
        let mut wide = Array2::from_elem((2 * n, n + 3), f64::NAN);
        wide.slice_mut(s![..;2, 1..n + 1]).assign(&lower);
        prop_assert_eq!(&Cholesky::factor(&wide.slice(s![..;2, 1..n + 1])).unwrap(), &expected);
        prop_assert_eq!(&Cholesky::factor(&lower.slice(s![.., ..])).unwrap(), &expected);
    }

    #[test]
    fn triangular_solves_undo_products_in_any_layout(n in orders(), seed in 0u64..1_000_000) {
        let a = positive_definite(n, seed, 0.5);
        let c = Cholesky::factor(&a).unwrap();
        let x = dense(n, 4, seed + 2);
        for transposed in [false, true] {
            let b = if transposed { product(&c.l().t(), &x) } else { product(c.l(), &x) };
            let solve = |b: &mut ndarray::ArrayRef2<f64>| {
                if transposed { c.solve_lower_transposed_matrix_inplace(b) } else { c.solve_lower_matrix_inplace(b) }
            };
            let mut rows = b.clone();
            solve(&mut rows);
            prop_assert!(distance(&rows, &x) <= 1e-11, "{}", distance(&rows, &x));
            let mut columns = column_major(&b);
            solve(&mut columns);
            prop_assert_eq!(&columns, &rows);
            // A column of a wider matrix is a strided vector.
            let mut strided = b.clone();
            let mut column = strided.column_mut(1);
            if transposed { c.solve_lower_transposed_inplace(&mut column) } else { c.solve_lower_inplace(&mut column) }
            let mut vector = b.column(1).to_owned();
            if transposed { c.solve_lower_transposed_inplace(&mut vector) } else { c.solve_lower_inplace(&mut vector) }
            prop_assert_eq!(strided.column(1).to_owned(), vector);
            prop_assert_eq!(strided.column(0), b.column(0));
        }
    }

    #[test]
    fn log_det_is_that_of_the_factors(n in 1usize..40, seed in 0u64..1_000_000) {
        // A = L Lᵀ with a chosen diagonal, so the determinant is known.
        let mut l = dense(n, n, seed);
        for i in 0..n {
            for j in i + 1..n {
                l[[i, j]] = 0.0;
            }
            l[[i, i]] = 1.0 + 0.1 * i as f64;
        }
        // The determinant itself, as a product: under 4.9⁷⁸, far from overflow.
        let determinant: f64 = l.diag().iter().map(|d| d * d).product();
        let c = Cholesky::factor(&product(&l, &l.t())).unwrap();
        // Random off-diagonal entries make the condition number, and so the error of A itself, grow with n.
        prop_assert!((c.log_det() - determinant.ln()).abs() <= 1e-7);
        prop_assert!((Cholesky::from_factor(l).log_det() - determinant.ln()).abs() <= 1e-12);
    }
}

#[test]
fn indefinite_matrices_name_the_pivot_and_its_value() {
    for n in [3, 8, 9, 20, 60, 100] {
        for bad in [0, 1, n / 2, n - 1] {
            let mut a = positive_definite(n, 7, 1.0);
            // The pivot is a_ii less what the rows above explain: take 1 more than that away.
            let explained = Cholesky::factor(&a).unwrap().l()[[bad, bad]].powi(2);
            a[[bad, bad]] -= explained + 1.0;
            match Cholesky::factor(&a) {
                Err(LinalgError::NotPositiveDefinite { pivot, value }) => {
                    assert_eq!(pivot, bad, "n = {n}");
                    assert!((value + 1.0).abs() < 1e-10, "n = {n}: pivot {bad} is {value}");
                }
                other => panic!("n = {n}, pivot {bad}: {other:?}"),
            }
        }
    }
    let message = Cholesky::factor(&arr2(&[[1.0, 0.0], [2.0, 1.0]])).unwrap_err().to_string();
    assert_eq!(message, "matrix is not positive definite: pivot 1 is -3");
}

#[test]
fn bad_input_is_named() {
    for n in [4, 30] {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut a = positive_definite(n, 3, 1.0);
            a[[3, 2]] = value;
            let error = Cholesky::factor(&a).unwrap_err();
            assert!(matches!(error, LinalgError::NonFinite { row: 3, column: 2, .. }), "{error}");
        }
    }
    let error = Cholesky::factor(&Array2::<f64>::zeros((2, 3))).unwrap_err();
    assert_eq!(error, LinalgError::NotSquare { rows: 2, columns: 3 });
}

#[test]
fn order_zero_and_one() {
    let empty = Cholesky::factor(&Array2::<f64>::zeros((0, 0))).unwrap();
    assert_eq!((empty.order(), empty.log_det()), (0, 0.0));
    assert_eq!(empty.inverse().dim(), (0, 0));
    assert_eq!(empty.solve(&Array1::zeros(0)).len(), 0);
    let one = Cholesky::factor(&arr2(&[[4.0]])).unwrap();
    assert_eq!(one.l()[[0, 0]], 2.0);
    assert_eq!(one.log_det(), 4f64.ln());
    assert_eq!(one.inverse(), arr2(&[[0.25]]));
    assert_eq!(one.solve(&Array1::from_elem(1, 2.0))[0], 0.5);
    let error = Cholesky::factor(&arr2(&[[0.0]])).unwrap_err();
    assert_eq!(error, LinalgError::NotPositiveDefinite { pivot: 0, value: 0.0 });
}

#[test]
fn ill_conditioned_matrices_are_solved_backward_stably() {
    // Hilbert matrices: the condition number of order 12 is 1.7e16, and yet the residual stays small.
    for n in [6, 9, 12] {
        let a = Array2::from_shape_fn((n, n), |(i, j)| 1.0 / (1 + i + j) as f64);
        let c = Cholesky::factor(&a).unwrap();
        assert!(distance(&product(c.l(), &c.l().t()), &a) < 1e-15, "n = {n}");
        let b = Array1::from_shape_fn(n, |i| 1.0 + i as f64);
        let x = c.solve(&b);
        let largest = x.iter().fold(0f64, |m, v| m.max(v.abs()));
        let residual = a.dot(&x) - &b;
        assert!(residual.iter().all(|r| r.abs() <= 1e-14 * largest), "n = {n}");
    }
    // Scales 1e-150 … 1e150 on the diagonal do not overflow.
    let scale = Array1::from_shape_fn(11, |i| 10f64.powi(30 * i as i32 - 150));
    let c = Cholesky::factor(&Array2::from_diag(&scale)).unwrap();
    assert!(c.log_det().abs() < 1e-10);
}
