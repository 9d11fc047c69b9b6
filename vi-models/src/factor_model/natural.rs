//! The natural parameters of all factors.
//!
//! ```text
//! N(m_i, Σ_i):  Σ_i⁻¹ m_i, and Σ_i⁻¹ packed; once where the covariance is shared
//! ```

use ndarray::ArrayRef1;
use vi_core::linalg::{LinalgError, packed};
use vi_core::{ConjugateError, NaturalFactors, scratch};

use super::conjugate::FactorModelBlock::{self, LoadingPrecision, Loadings, Noise, ScorePrecision, Scores};
use super::factors::FactorModelFactors;
use super::rows::GaussianRows;
use super::scores::not_positive_definite;
use super::{FactorModel, NoiseShape};
use crate::natural::{of_gammas, set_gammas};

impl GaussianRows {
    fn n_natural(n: usize, order: usize, shared: bool) -> usize {
        n * order + if shared { 1 } else { n } * packed::len(order)
    }

    /// Overwrites `eta` with Σ_i⁻¹ m_i and the packed Σ_i⁻¹ of every vector, or of all.
    fn natural(&self, eta: &mut [f64]) {
        let (p, len) = (self.order(), packed::len(self.order()));
        let (vectors, precisions) = eta.split_at_mut(self.n() * p);
        scratch::with(len, |work| {
            for (i, precision) in precisions.chunks_exact_mut(len).enumerate() {
                work.copy_from_slice(self.covariance(i));
                // A covariance is the inverse of a matrix that was factorised; should rounding undo that, NaN says so.
                if packed::invert(work, precision, p).is_err() {
                    precision.fill(f64::NAN);
                }
            }
        });
        for (i, vector) in vectors.chunks_exact_mut(p).enumerate() {
            packed::multiply(own(precisions, i, len), self.mean(i), vector);
        }
    }

    fn set_natural(&mut self, eta: &[f64]) -> Result<(), LinalgError> {
        let (p, len) = (self.order(), packed::len(self.order()));
        let (vectors, precisions) = eta.split_at(self.n() * p);
        let width = self.rows.ncols();
        let is_shared = !self.shared.is_empty();
        let rows = self.rows.as_slice_mut().expect("row-major");
        scratch::with(len, |work| {
            let mut invert = |precision: &[f64], out: &mut [f64]| -> Result<(), LinalgError> {
                work.copy_from_slice(precision);
                let (covariance, log_det) = out.split_at_mut(len);
                log_det[0] = -packed::invert(work, covariance, p)?;
                Ok(())
            };
            if is_shared {
                invert(precisions, &mut self.shared)?;
            }
            for (i, (row, vector)) in rows.chunks_exact_mut(width).zip(vectors.chunks_exact(p)).enumerate() {
                let (mean, rest) = row.split_at_mut(p);
                if is_shared {
                    packed::multiply(&self.shared[..len], vector, mean);
                } else {
                    invert(own(precisions, i, len), rest)?;
                    packed::multiply(&rest[..len], vector, mean);
                }
            }
            Ok(())
        })
    }
}

/// Matrix i of several, or the one that there is.
fn own(matrices: &[f64], i: usize, len: usize) -> &[f64] {
    let i = if matrices.len() == len { 0 } else { i };
    &matrices[i * len..(i + 1) * len]
}

impl<S: NoiseShape> NaturalFactors for FactorModel<S> {
    fn n_natural(&self, block: FactorModelBlock) -> usize {
        let (n, d, k) = (self.data.n_rows(), self.data.n_columns(), self.n_factors);
        match block {
            Scores => GaussianRows::n_natural(n, k, self.rows_share()),
            Loadings => GaussianRows::n_natural(d, self.n_coefficients(), self.columns_share()),
            LoadingPrecision | ScorePrecision => 2 * k,
            Noise => 2 * self.n_noise(),
        }
    }

    fn natural(&self, block: FactorModelBlock, factors: &FactorModelFactors, eta: &mut ArrayRef1<f64>) {
        let rows = |rows: &GaussianRows, eta: &mut ArrayRef1<f64>| {
            let mut values = vec![0.0; eta.len()];
            rows.natural(&mut values);
            eta.iter_mut().zip(values).for_each(|(e, v)| *e = v);
        };
        match block {
            Scores => rows(&factors.scores, eta),
            Loadings => rows(&factors.loadings, eta),
            LoadingPrecision => of_gammas(&factors.loading_precision, eta),
            ScorePrecision => of_gammas(&factors.score_precision, eta),
            Noise => of_gammas(&factors.noise, eta),
        }
    }

    fn set_natural(
        &self,
        block: FactorModelBlock,
        eta: &ArrayRef1<f64>,
        factors: &mut FactorModelFactors,
    ) -> Result<(), ConjugateError> {
        let rows = |rows: &mut GaussianRows| {
            rows.set_natural(&eta.to_vec()).map_err(|e| not_positive_definite(block, "precision", e))
        };
        match block {
            Scores => rows(&mut factors.scores),
            Loadings => rows(&mut factors.loadings),
            LoadingPrecision => set_gammas(&mut factors.loading_precision, eta, block),
            ScorePrecision => set_gammas(&mut factors.score_precision, eta, block),
            Noise => set_gammas(&mut factors.noise, eta, block),
        }
    }
}
