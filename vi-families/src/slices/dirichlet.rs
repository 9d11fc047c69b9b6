//! Expectations under the rows of a matrix of concentrations.

use ndarray::{ArrayRef2, Zip};
use vi_core::numerics::{digamma_inplace, digamma_minus_total_rows};

use crate::distributions::Dirichlet;

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
        if let (Some(alpha), Some(out)) = (concentrations.as_slice(), out.as_slice_mut()) {
            return digamma_minus_total_rows(alpha, concentrations.ncols(), out);
        }
        for (alpha, mut out) in concentrations.rows().into_iter().zip(out.rows_mut()) {
            let mut total = [alpha.iter().sum()];
            digamma_inplace(&mut total);
            Zip::from(&mut out).and(&alpha).for_each(|out, alpha| {
                let mut value = [*alpha];
                digamma_inplace(&mut value);
                *out = value[0] - total[0];
            });
        }
    }
}
