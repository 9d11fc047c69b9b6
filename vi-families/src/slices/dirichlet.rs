//! Expectations under the rows of a matrix of concentrations.

use ndarray::{ArrayRef2, Axis};
use vi_core::numerics::digamma_inplace;

use crate::distributions::Dirichlet;

/// Rows worked on at a time: the digammas of their totals fill one block of vectors.
const ROWS: usize = 32;

impl Dirichlet {
    /// out ← `E[log θ_nk]` = ψ(α_nk) − ψ(Σ_j α_nj) for every row n of `concentrations` (N, K); out (N, K).
    ///
    /// Both should be in standard (row by row) layout; any other is right, but slower. Good to 1e-14 of the digammas:
    /// where one category holds nearly all of a row, [`Dirichlet::expected_log`] keeps more digits of its difference.
    /// Rows with a concentration that is not finite and positive hold NaN there.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn expected_log_rows(concentrations: &ArrayRef2<f64>, out: &mut ArrayRef2<f64>) {
        assert_eq!(concentrations.dim(), out.dim(), "concentrations and out differ in shape");
        let blocks = concentrations.axis_chunks_iter(Axis(0), ROWS);
        for (alpha, mut out) in blocks.zip(out.axis_chunks_iter_mut(Axis(0), ROWS)) {
            let mut totals = [1.0; ROWS];
            for (row, total) in alpha.rows().into_iter().zip(&mut totals) {
                *total = row.as_slice().map_or_else(|| row.iter().sum(), sum);
            }
            digamma_inplace(&mut totals);
            out.assign(&alpha);
            match out.as_slice_mut() {
                Some(values) => digamma_inplace(values),
                None => out.rows_mut().into_iter().for_each(|mut row| {
                    row.iter_mut().for_each(|v| digamma_inplace(std::slice::from_mut(v)));
                }),
            }
            for (mut row, total) in out.rows_mut().into_iter().zip(totals) {
                row -= total;
            }
        }
    }
}

/// Σ x in eight running sums: one would wait for each addition to finish.
fn sum(x: &[f64]) -> f64 {
    let (blocks, rest) = x.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for block in blocks {
        for (lane, x) in lanes.iter_mut().zip(block) {
            *lane += x;
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().sum::<f64>()
}
