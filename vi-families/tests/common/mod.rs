//! Strategies shared by the contract tests.

use ndarray::{Array1, Array2};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// `cases` cases, the same ones in every run: statistical bounds have to hold for them once and for all.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    }
}

/// Vectors of length `p` between −3 and 3.
pub(crate) fn vector(p: usize) -> impl Strategy<Value = Array1<f64>> {
    prop::collection::vec(-3.0..3.0f64, p).prop_map(Array1::from)
}

/// Positive-definite matrices of order `p`, well conditioned but far from diagonal.
pub(crate) fn positive_definite(p: usize) -> impl Strategy<Value = Array2<f64>> {
    let off_diagonal = prop::collection::vec(-0.7..0.7f64, p * p);
    let log_diagonal = prop::collection::vec(-0.7..0.7f64, p);
    (off_diagonal, log_diagonal).prop_map(move |(off, log_diagonal)| {
        let factor = Array2::from_shape_fn((p, p), |(i, j)| match i.cmp(&j) {
            std::cmp::Ordering::Less => 0.0,
            std::cmp::Ordering::Equal => log_diagonal[i].exp(),
            std::cmp::Ordering::Greater => off[i * p + j],
        });
        let product = factor.dot(&factor.t());
        Array2::from_shape_fn((p, p), |(i, j)| product[[i.max(j), i.min(j)]])
    })
}
