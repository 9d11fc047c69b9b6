//! Log-sum-exp and sums of softplus against double-double arithmetic.

use ndarray::{Array1, Array2, s};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use vi_core::numerics;

#[path = "support/double_double.rs"]
mod double_double;

use double_double::{DoubleDouble, softplus};

const INF: f64 = f64::INFINITY;

fn zero() -> DoubleDouble {
    DoubleDouble::from(0.0)
}

/// log Σ eˣ for values in the range of exp, around the largest.
fn log_sum_exp(x: &[f64]) -> f64 {
    let max = x.iter().copied().fold(-INF, f64::max);
    let at = x.iter().position(|v| *v == max).unwrap();
    let others = x.iter().enumerate().filter(|(i, _)| *i != at);
    let sum =
        others.fold(zero(), |sum, (_, v)| sum + (DoubleDouble::from(*v) - DoubleDouble::from(max)).exp());
    (DoubleDouble::from(max) + sum.log1p()).high
}

fn sum_softplus(x: &[f64]) -> f64 {
    x.iter().fold(zero(), |sum, v| sum + softplus(*v)).high
}

fn close(value: f64, exact: f64, tolerance: f64) -> bool {
    value == exact || (value - exact).abs() <= tolerance * exact.abs()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(200) })]

    #[test]
    fn sums_match_the_reference(x in prop::collection::vec(-60.0..60.0, 0..1300), scale in 0.01..12.0, shift in -600.0..50.0) {
        let x: Vec<f64> = x.iter().map(|v| v * scale / 12.0 + shift).collect();
        let (value, exact) = (numerics::sum_softplus(&x), sum_softplus(&x));
        prop_assert!(close(value, exact, 1e-14), "{value:e} against {exact:e}");
        let mut sigmoid = vec![0.0; x.len()];
        prop_assert_eq!(numerics::sum_softplus_sigmoid(&x, &mut sigmoid).to_bits(), value.to_bits());
        let mut expected = vec![0.0; x.len()];
        numerics::sigmoid(&x, &mut expected);
        prop_assert_eq!(&sigmoid, &expected);
        let (mut rows, mut sums) = (x.repeat(35), [f64::NAN; 35]);
        numerics::sum_softplus_sigmoid_rows_inplace(&mut rows, x.len(), &mut sums);
        prop_assert_eq!(rows, expected.repeat(35));
        prop_assert!(sums.iter().all(|sum| sum.to_bits() == value.to_bits()));
        if !x.is_empty() {
            let (value, exact) = (numerics::log_sum_exp(&x), log_sum_exp(&x));
            // The sum of the maximum and the logarithm may cancel: the error is that of its terms.
            let size = exact.abs().max(x.iter().copied().fold(-INF, f64::max).abs());
            prop_assert!((value - exact).abs() <= 4e-16 * size.max(1.0), "{value:e} against {exact:e}");
        }
    }

    #[test]
    fn rows_match_slices(n in 0usize..80, k in 1usize..40, seed in 0u32..1000) {
        let x = Array2::from_shape_fn((n, k), |(i, j)| (f64::from(seed) + 7.3 * i as f64 + 3.1 * (j * j) as f64).sin() * 30.0);
        let mut out = Array1::zeros(n);
        numerics::log_sum_exp_rows(&x, &mut out);
        let mut soft = x.clone();
        let mut normalizer = Array1::zeros(n);
        numerics::softmax_rows_inplace(&mut soft, &mut normalizer);
        prop_assert_eq!(&out, &normalizer);
        for i in 0..n {
            let row = x.row(i).to_vec();
            prop_assert!((out[i] - numerics::log_sum_exp(&row)).abs() <= 1e-14 * out[i].abs().max(1.0));
            for (soft, x) in soft.row(i).iter().zip(&row) {
                prop_assert!(close(*soft, (x - out[i]).exp(), 5e-14));
            }
        }
        // Other memory orders and strides: the same bits.
        let mut again = Array1::zeros(n);
        numerics::log_sum_exp_rows(&x.t().as_standard_layout().t(), &mut again);
        prop_assert_eq!(&out, &again);
    }
}

#[test]
fn tiny_terms_of_sum_softplus_are_not_lost() {
    // A product of factors 1 + t would round every one of these to 1.
    let x = vec![-50.0; 3000];
    let exact = 3000.0 * (-50f64).exp();
    assert!(close(numerics::sum_softplus(&x), exact, 1e-14));
    // The largest product: all factors are 2.
    let x = vec![0.0; 5000];
    assert!(close(numerics::sum_softplus(&x), 5000.0 * std::f64::consts::LN_2, 1e-14));
}

#[test]
fn log_sum_exp_keeps_relative_accuracy_near_zero() {
    let x = [-50.0, 0.0, -60.0];
    assert!(close(numerics::log_sum_exp(&x), (-50f64).exp() + (-60f64).exp(), 1e-15));
    let rows = Array2::from_shape_vec((1, 3), x.to_vec()).unwrap();
    let mut out = Array1::zeros(1);
    numerics::log_sum_exp_rows(&rows, &mut out);
    assert!(close(out[0], (-50f64).exp() + (-60f64).exp(), 1e-15));
}

#[test]
fn special_values_of_reductions() {
    let cases: [(&[f64], f64); 10] = [
        (&[], -INF),
        (&[-INF], -INF),
        (&[-INF, -INF, -INF], -INF),
        (&[1.0, INF, -INF], INF),
        (&[INF, INF], INF),
        (&[1.0, f64::NAN], f64::NAN),
        (&[f64::NAN, INF], f64::NAN),
        (&[f64::NAN, -INF], f64::NAN),
        (&[-3.25], -3.25),
        (&[-INF, 1e300, -1e300], 1e300),
    ];
    for (x, expected) in cases {
        let mut rows = Array1::zeros(1);
        numerics::log_sum_exp_rows(&Array2::from_shape_vec((1, x.len()), x.to_vec()).unwrap(), &mut rows);
        for value in [numerics::log_sum_exp(x), rows[0]] {
            assert!(value == expected || (value.is_nan() && expected.is_nan()), "{x:?}: {value}");
        }
    }
    let cases =
        [(vec![], 0.0), (vec![-INF; 40], 0.0), (vec![INF, 1.0], INF), (vec![f64::NAN, INF], f64::NAN)];
    for (x, expected) in cases {
        let value = numerics::sum_softplus(&x);
        assert!(value == expected || (value.is_nan() && expected.is_nan()), "{x:?}: {value}");
    }
}

#[test]
fn sums_over_rows_read_any_layout() {
    let x = Array2::from_shape_fn((9, 70), |(i, j)| (i as f64 - 4.0) * 0.3 + (j as f64).cos() * 9.0);
    let wide = Array2::from_shape_fn((9, 140), |(i, j)| if j % 2 == 0 { x[[i, j / 2]] } else { f64::NAN });
    let mut out = [Array1::zeros(9), Array1::zeros(9), Array1::zeros(9)];
    numerics::sum_softplus_rows(&x, &mut out[0]);
    numerics::sum_softplus_rows(&x.t().as_standard_layout().t(), &mut out[1]);
    numerics::sum_softplus_rows(&wide.slice(s![.., ..;2]), &mut out[2]);
    assert_eq!(out[0], out[1]);
    assert_eq!(out[0], out[2]);
    assert_eq!(out[0][3], numerics::sum_softplus(x.row(3).as_slice().unwrap()));
}
