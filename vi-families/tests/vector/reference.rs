//! Densities and entropies against values at 50 digits (`reference.py`).

use ndarray::array;
use vi_families::{DiagonalGaussian, ExponentialFamily};

fn assert_close(what: &str, value: f64, expected: f64) {
    assert!((value - expected).abs() <= 1e-12 * expected.abs(), "{what}: {value}, reference {expected}");
}

#[test]
fn diagonal_gaussian() {
    let q =
        DiagonalGaussian::from_mean_variance(&array![0.5, -1.0, 2.0], &array![0.25, 1e-4, 900.0]).unwrap();
    assert_close("entropy", q.entropy(), 2.3596956147281369);
    for (z, log_prob) in [
        (array![0.5, -1.0, 2.0], -0.85969561472813692),
        (array![0.0, 0.0, 0.0], -5001.3619178369504),
        (array![1e-8, 3.0, -40.0], -80002.339695594728),
        (array![1e8, 1.0, 1.0], -19999999800020001.0),
        (array![0.3, 0.7, 2.1], -14450.939701170284),
    ] {
        assert_close("log_prob", q.log_prob(&z), log_prob);
    }
}
