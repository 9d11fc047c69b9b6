//! Scratch memory of the estimators: sized by the first gradient, reused by all that follow.

use ndarray::{Array1, ArrayRef1, ArrayView1, ArrayView2, ArrayViewMut2};
use vi_core::{CHUNK, ElboEstimate, LogJoint};

use crate::error::{NamedValues, SgviError};

/// Scratch memory that an estimator needs while it works. It carries nothing from one call to the next, so
/// a clone is empty and it is no part of a checkpoint.
#[derive(Debug, Default)]
pub struct Workspace {
    /// For every chunk of samples: its log joints, then its log densities under q.
    pub(crate) values: Vec<f64>,
    /// Draws and whatever else belongs to a sample, chunk after chunk.
    pub(crate) rows: Vec<f64>,
    /// One partial gradient per chunk.
    pub(crate) partials: Vec<f64>,
    /// log p(x, z_s) − log q(z_s) of every sample.
    pub(crate) log_ratios: Vec<f64>,
    /// The weight of every sample's score.
    pub(crate) weights: Vec<f64>,
    extra: Vec<f64>,
}

impl Clone for Workspace {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Workspace {
    /// `n` values of unspecified content for an estimator of your own; they stay allocated between calls.
    pub fn scratch(&mut self, n: usize) -> &mut [f64] {
        self.extra.resize(n.max(self.extra.len()), 0.0);
        &mut self.extra[..n]
    }

    /// Room for `n_samples` samples with `width` values each.
    pub(crate) fn reserve(&mut self, n_samples: usize, width: usize) {
        self.values.resize(2 * n_samples, 0.0);
        self.rows.resize(n_samples * width, 0.0);
        self.log_ratios.resize(n_samples, 0.0);
        self.weights.resize(n_samples, 0.0);
    }

    /// Forms the log ratios from the values of all chunks, and from them the estimate of the ELBO.
    ///
    /// `redraw(s, z)` repeats the draw of sample s for the error that shows it.
    pub(crate) fn log_ratios<M: LogJoint + ?Sized>(
        &mut self,
        n_samples: usize,
        model: &M,
        redraw: impl Fn(usize, &mut ArrayRef1<f64>),
    ) -> Result<ElboEstimate, SgviError> {
        let ratios = self.log_ratios.chunks_mut(CHUNK);
        for (c, (ratios, values)) in ratios.zip(self.values.chunks(2 * CHUNK)).enumerate() {
            let (log_joint, log_q) = values.split_at(ratios.len());
            for (i, ratio) in ratios.iter_mut().enumerate() {
                if !(log_joint[i].is_finite() && log_q[i].is_finite()) {
                    return Err(non_finite_value(model, c * CHUNK + i, log_joint[i], log_q[i], redraw));
                }
                *ratio = log_joint[i] - log_q[i];
            }
        }
        Ok(estimate(&ArrayView1::from(&self.log_ratios[..n_samples])))
    }
}

/// The two halves of a chunk's values: log joints and log densities under q.
pub(crate) fn chunk_values(values: &mut [f64]) -> (&mut [f64], &mut [f64]) {
    values.split_at_mut(values.len() / 2)
}

/// Rows of length `width` as a matrix.
pub(crate) fn matrix(rows: &[f64], width: usize) -> ArrayView2<'_, f64> {
    ArrayView2::from_shape((rows.len() / width, width), rows).expect("the length is a multiple of the width")
}

/// Rows of length `width` as a matrix.
pub(crate) fn matrix_mut(rows: &mut [f64], width: usize) -> ArrayViewMut2<'_, f64> {
    ArrayViewMut2::from_shape((rows.len() / width, width), rows)
        .expect("the length is a multiple of the width")
}

/// One sample says nothing about its own error, which is then infinite and not NaN.
fn estimate(log_ratios: &ArrayRef1<f64>) -> ElboEstimate {
    if log_ratios.len() < 2 {
        return ElboEstimate { value: log_ratios.sum(), mcse: f64::INFINITY, n_samples: log_ratios.len() };
    }
    ElboEstimate::from_log_ratios(log_ratios)
}

fn non_finite_value<M: LogJoint + ?Sized>(
    model: &M,
    sample: usize,
    log_joint: f64,
    log_q: f64,
    redraw: impl Fn(usize, &mut ArrayRef1<f64>),
) -> SgviError {
    let mut z = Array1::zeros(model.dim());
    redraw(sample, &mut z);
    let z = NamedValues::new(model.parameters().names(), &z);
    if log_joint.is_finite() {
        SgviError::NonFiniteLogProb { value: log_q, sample, z }
    } else {
        SgviError::NonFiniteLogJoint { value: log_joint, sample, z }
    }
}
