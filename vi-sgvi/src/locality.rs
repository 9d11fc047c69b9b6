//! Which terms of the log ratio weight which scores.

use std::fmt::Debug;
use std::ops::Range;

use ndarray::{ArrayRef1, ArrayRef2, ArrayView1, ArrayViewMut1};
use vi_core::{LocalLogJoint, LogJoint};
use vi_families::{FactorizedDistribution, VariationalDistribution};

use crate::error::SgviError;
use crate::workspace::matrix;

/// Which log ratio weights the score of which coordinates: the whole one, or for every block only its own terms.
pub trait Locality<M: ?Sized, Q>: Send + Sync {
    /// In words, for tables; empty for the whole log ratio.
    fn name(&self) -> &'static str;
    /// The number C of log ratios of a point beside the whole one; 0 when that one weights all scores.
    fn n_columns(&self, model: &M) -> usize;
    /// Whether blocks of the model and factors of q fit together.
    ///
    /// # Errors
    /// [`SgviError::Block`] names the block that does not.
    fn check(&self, model: &M, q: &Q) -> Result<(), SgviError>;
    /// Overwrites `out` (n·C, point after point) with the log ratios of the points `z` (n, D).
    fn log_ratios_batch(&self, model: &M, q: &Q, z: &ArrayRef2<f64>, out: &mut [f64]);
    /// out (P) += Σ_i Σ_c weight(c, i) ∇_λ log q of the coordinates of column c at `z_i`.
    ///
    /// The weight of row i of `z` in column c is `weights[c * stride + i]`.
    fn add_scores(
        &self,
        model: &M,
        q: &Q,
        z: &ArrayRef2<f64>,
        weights: &[f64],
        stride: usize,
        out: &mut ArrayRef1<f64>,
    );
}

/// The whole log ratio weights the score of every coordinate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Joint;

impl<M: LogJoint + ?Sized, Q: VariationalDistribution> Locality<M, Q> for Joint {
    fn name(&self) -> &'static str {
        ""
    }
    fn n_columns(&self, _model: &M) -> usize {
        0
    }
    fn check(&self, _model: &M, _q: &Q) -> Result<(), SgviError> {
        Ok(())
    }
    fn log_ratios_batch(&self, _model: &M, _q: &Q, _z: &ArrayRef2<f64>, _out: &mut [f64]) {}
    fn add_scores(
        &self,
        _model: &M,
        q: &Q,
        z: &ArrayRef2<f64>,
        weights: &[f64],
        _stride: usize,
        out: &mut ArrayRef1<f64>,
    ) {
        q.add_score_batch(z, &ArrayView1::from(&weights[..z.nrows()]), out);
    }
}

/// Rao–Blackwellisation: the score of a block is weighted by the terms of the log ratio in which the block occurs.
///
/// ```text
/// f_b(z) = log p_b(x, z) − log q_b(z_b)
/// ```
/// All other terms are independent of z_b given its Markov blanket and add nothing but noise. Requirements: the model
/// is a [`LocalLogJoint`], members of the family are [`FactorizedDistribution`]s, and no factor reaches beyond a block.
///
/// Source: Ranganath, Gerrish & Blei 2014, §3.1, eq. 6–7, <https://arxiv.org/abs/1401.0118>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarkovBlanket;

impl<M: LocalLogJoint + ?Sized, Q: FactorizedDistribution> Locality<M, Q> for MarkovBlanket {
    fn name(&self) -> &'static str {
        "Rao–Blackwellised"
    }
    fn n_columns(&self, model: &M) -> usize {
        model.n_blocks()
    }
    fn check(&self, model: &M, q: &Q) -> Result<(), SgviError> {
        for b in 0..model.n_blocks() {
            let block = model.block(b);
            if q.factors_within(block.clone()).is_none() {
                return Err(SgviError::Block { block: b, start: block.start, end: block.end });
            }
        }
        Ok(())
    }
    fn log_ratios_batch(&self, model: &M, q: &Q, z: &ArrayRef2<f64>, out: &mut [f64]) {
        for (z, out) in z.rows().into_iter().zip(out.chunks_mut(model.n_blocks())) {
            model.log_joint_blocks(&z, &mut ArrayViewMut1::from(&mut *out));
            for (b, f) in out.iter_mut().enumerate() {
                *f -= factors(model, q, b).map(|j| q.log_prob_factor(j, &z)).sum::<f64>();
            }
        }
    }
    fn add_scores(
        &self,
        model: &M,
        q: &Q,
        z: &ArrayRef2<f64>,
        weights: &[f64],
        stride: usize,
        out: &mut ArrayRef1<f64>,
    ) {
        for b in 0..model.n_blocks() {
            for j in factors(model, q, b) {
                for (i, z) in z.rows().into_iter().enumerate() {
                    q.add_score_factor(j, &z, weights[b * stride + i], out);
                }
            }
        }
    }
}

fn factors<M: LocalLogJoint + ?Sized, Q: FactorizedDistribution>(model: &M, q: &Q, b: usize) -> Range<usize> {
    q.factors_within(model.block(b)).expect("checked before the first draw")
}

/// The scores of the points of one estimate.
pub trait Scores: Debug + Sync {
    /// out (P) += Σ_{s ∈ samples} Σ_c weight(c, s) ∇_λ log q of column c's coordinates at point s.
    ///
    /// The weight of point s in column c is `weights[c * stride + s]`; a stride of 0 gives every column the same.
    /// `samples` lie within one chunk ([`vi_core::CHUNK`]).
    fn add(&self, samples: Range<usize>, weights: &[f64], stride: usize, out: &mut ArrayRef1<f64>);
}

/// [`Scores`] from stored points.
pub(crate) struct StoredScores<'a, M: ?Sized, Q, L> {
    pub(crate) model: &'a M,
    pub(crate) q: &'a Q,
    pub(crate) locality: &'a L,
    pub(crate) points: &'a [f64],
    pub(crate) dim: usize,
}

impl<M: ?Sized, Q, L> Debug for StoredScores<'_, M, Q, L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredScores").field("dim", &self.dim).finish_non_exhaustive()
    }
}

impl<M, Q, L> Scores for StoredScores<'_, M, Q, L>
where
    M: Sync + ?Sized,
    Q: Sync,
    L: Locality<M, Q>,
{
    fn add(&self, samples: Range<usize>, weights: &[f64], stride: usize, out: &mut ArrayRef1<f64>) {
        let z = matrix(&self.points[samples.start * self.dim..samples.end * self.dim], self.dim);
        self.locality.add_scores(self.model, self.q, &z, &weights[samples.start..], stride, out);
    }
}
