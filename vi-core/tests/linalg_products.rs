//! Products and eigenvalues.

use ndarray::{Array1, Array2, ArrayRef2, arr2, s};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use vi_core::linalg::{LinalgError, SymmetricEigen, gemm, symmetric_rank_update};

#[path = "support/matrices.rs"]
mod matrices;

use matrices::{column_major, dense, distance, product};

/// `a` in one of five memory layouts, which `f` is given a view of.
fn in_layout(a: &ArrayRef2<f64>, layout: usize, f: impl FnOnce(&mut ArrayRef2<f64>)) -> Array2<f64> {
    let (m, n) = a.dim();
    let mut wide = Array2::from_elem((2 * m, 2 * n + 1), f64::NAN);
    match layout {
        0 => {
            let mut own = a.as_standard_layout().into_owned();
            f(&mut own);
            own
        }
        1 => {
            let mut own = column_major(a);
            f(&mut own);
            own
        }
        2 => {
            let mut view = wide.slice_mut(s![..m, 1..=n]);
            view.assign(a);
            f(&mut view);
            view.to_owned()
        }
        3 => {
            let mut view = wide.slice_mut(s![..;2, ..2 * n;2]);
            view.assign(a);
            f(&mut view);
            view.to_owned()
        }
        _ => {
            let mut view = wide.slice_mut(s![..m;-1, ..n;-1]);
            view.assign(a);
            f(&mut view);
            view.to_owned()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(150) })]

    #[test]
    fn gemm_is_the_product_in_every_layout(
        m in 0usize..40, k in 0usize..40, n in 0usize..40, seed in 0u64..1_000_000,
        layouts in (0usize..5, 0usize..5, 0usize..5), alpha in -2.0..2.0, beta in prop_oneof![Just(0.0), Just(1.0), -2.0..2.0],
    ) {
        let (a, b, c) = (dense(m, k, seed), dense(k, n, seed + 1), dense(m, n, seed + 2));
        let expected = product(&a, &b) * alpha + &c * beta;
        let mut out = Array2::zeros((0, 0));
        in_layout(&a, layouts.0, |a| {
            in_layout(&b, layouts.1, |b| {
                out = in_layout(&c, layouts.2, |c| gemm(alpha, a, b, beta, c));
            });
        });
        prop_assert!(distance(&out, &expected) <= 1e-15 * (k as f64 + 4.0) * 2.0, "{}", distance(&out, &expected));
    }

    #[test]
    fn rank_update_is_the_symmetric_product(
        n in 0usize..40, k in 0usize..40, seed in 0u64..1_000_000, layouts in (0usize..5, 0usize..5),
        beta in prop_oneof![Just(0.0), Just(1.0), -2.0..2.0],
    ) {
        let (a, c) = (dense(n, k, seed), dense(n, n, seed + 2));
        let c = &c + &c.t();
        let expected = product(&a, &a.t()) * 0.7 + &c * beta;
        let mut out = Array2::zeros((0, 0));
        in_layout(&a, layouts.0, |a| out = in_layout(&c, layouts.1, |c| symmetric_rank_update(0.7, a, beta, c)));
        prop_assert_eq!(&out, &out.t());
        prop_assert!(distance(&out, &expected) <= 1e-15 * (k as f64 + 8.0) * 2.0, "{}", distance(&out, &expected));
    }

    #[test]
    fn eigenvalues_and_vectors_rebuild_the_matrix(n in 1usize..50, seed in 0u64..1_000_000) {
        let b = dense(n, n, seed);
        let a = &b + &b.t();
        let mut lower = a.clone();
        for i in 0..n {
            for j in i + 1..n {
                lower[[i, j]] = f64::NAN;
            }
        }
        let e = SymmetricEigen::factor(&lower).unwrap();
        let (w, v) = (e.values(), e.vectors());
        prop_assert!(w.windows(2).into_iter().all(|w| w[0] <= w[1]));
        let size = 1.0 + n as f64;
        prop_assert!(distance(&product(&v.t(), v), &Array2::eye(n)) <= 3e-15 * size);
        prop_assert!(distance(&product(&(v * w), &v.t()), &a) <= 3e-15 * size * size);
        prop_assert!(distance(&e.map(|w| w), &a) <= 3e-15 * size * size);
        let trace: f64 = a.diag().sum();
        prop_assert!((w.sum() - trace).abs() <= 1e-14 * size * size);
        for vector in v.columns() {
            let largest = vector.iter().fold(0.0f64, |a, b| if b.abs() > a.abs() { *b } else { a });
            prop_assert!(largest > 0.0);
        }
    }
}

#[test]
fn our_shapes_agree_with_the_definition() {
    // A batch of logits, its gradient, a mixture's E-step and M-step.
    for (m, k, n) in [(64, 31, 569), (31, 569, 64), (6, 15, 272), (100, 300, 64)] {
        let (a, b) = (dense(m, k, 1), dense(k, n, 2));
        let expected = product(&a, &b);
        for (a, b) in [(a.clone(), b.clone()), (column_major(&a), b.clone()), (a.clone(), column_major(&b))] {
            let mut c = Array2::from_elem((m, n), f64::NAN);
            gemm(1.0, &a, &b, 0.0, &mut c);
            assert!(distance(&c, &expected) <= 1e-14 * k as f64, "{m}×{k}×{n}");
        }
    }
}

#[test]
#[should_panic(expected = "shapes 2×3 · 2×2")]
fn shapes_that_do_not_fit_panic() {
    gemm(1.0, &Array2::zeros((2, 3)), &Array2::zeros((2, 2)), 0.0, &mut Array2::zeros((2, 2)));
}

#[test]
fn eigenvalues_of_known_matrices() {
    let e = SymmetricEigen::factor(&arr2(&[[2.0, f64::NAN], [1.0, 2.0]])).unwrap();
    assert!((e.values() - &Array1::from(vec![1.0, 3.0])).iter().all(|d| d.abs() < 1e-15));
    // The path graph's Laplacian: 2 − 2 cos(π k / n).
    let n = 30;
    let laplacian = Array2::from_shape_fn((n, n), |(i, j)| match i.abs_diff(j) {
        0 if i == 0 || i == n - 1 => 1.0,
        0 => 2.0,
        1 => -1.0,
        _ => 0.0,
    });
    let e = SymmetricEigen::factor(&laplacian).unwrap();
    for (k, w) in e.values().iter().enumerate() {
        let exact = 2.0 - 2.0 * (std::f64::consts::PI * k as f64 / n as f64).cos();
        assert!((w - exact).abs() < 1e-14, "{k}: {w} against {exact}");
    }
    assert_eq!(SymmetricEigen::factor(&Array2::zeros((0, 0))).unwrap().values().len(), 0);
    let one = SymmetricEigen::factor(&arr2(&[[-3.0]])).unwrap();
    assert_eq!((one.values()[0], one.vectors()[[0, 0]]), (-3.0, 1.0));
}

#[test]
fn eigenvalues_name_bad_input() {
    let error = SymmetricEigen::factor(&Array2::zeros((3, 2))).unwrap_err();
    assert_eq!(error, LinalgError::NotSquare { rows: 3, columns: 2 });
    let mut a = Array2::<f64>::eye(5);
    a[[4, 1]] = f64::INFINITY;
    let error = SymmetricEigen::factor(&a).unwrap_err();
    assert_eq!(error, LinalgError::NonFinite { row: 4, column: 1, value: f64::INFINITY });
}
