//! Matrices for the tests of linear algebra.

use ndarray::{Array2, ArrayRef2, ShapeBuilder};

/// Entries in (−1, 1) without visible structure, from a seed.
pub(crate) fn dense(m: usize, n: usize, seed: u64) -> Array2<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    Array2::from_shape_fn((m, n), |_| {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 * 2f64.powi(-52) - 1.0
    })
}

/// Σₖ a_ik b_kj, by definition.
pub(crate) fn product(a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) -> Array2<f64> {
    Array2::from_shape_fn((a.nrows(), b.ncols()), |(i, j)| {
        (0..a.ncols()).map(|k| a[[i, k]] * b[[k, j]]).sum()
    })
}

/// max |a_ij − b_ij|.
pub(crate) fn distance(a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) -> f64 {
    assert_eq!(a.dim(), b.dim());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, |worst, d| if d <= worst { worst } else { d })
}

/// The same matrix, column-major.
pub(crate) fn column_major(a: &ArrayRef2<f64>) -> Array2<f64> {
    let mut out = Array2::zeros(a.raw_dim().f());
    out.assign(a);
    out
}
