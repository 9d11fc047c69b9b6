//! Scratch memory of the estimators: sized by the first gradient, reused by all that follow.

use ndarray::{Array1, ArrayRef1, ArrayView1, ArrayView2, ArrayViewMut2};
use vi_core::{CHUNK, ElboEstimate, LogJoint, StreamKey};
use vi_families::VariationalDistribution;

use crate::baseline::BaselineScratch;
use crate::batch::Batch;
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
    /// The log ratios that weight scores, column after column.
    pub(crate) log_ratios: Vec<f64>,
    /// The importance weight of every point, if it has one.
    importance: Vec<f64>,
    /// The mean of u f in every independent group.
    pub(crate) group_means: Vec<f64>,
    baseline: BaselineScratch,
    /// What belongs to one estimator alone.
    pub(crate) extra: Vec<f64>,
    /// The data of a step on a minibatch.
    pub(crate) batch: Batch,
}

/// What is computed for every point: its log joint and its log density under q, and if the flags say so the log of
/// its importance weight and as many log ratios of blocks. Within a chunk each of them
/// is contiguous, those of the blocks point after point.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Columns {
    pub(crate) weighted: bool,
    pub(crate) local: usize,
}

impl Columns {
    fn width(self) -> usize {
        2 + usize::from(self.weighted) + self.local
    }

    /// Log joints, log densities, log weights (empty without), log ratios of blocks (empty without) of a chunk.
    pub(crate) fn split(self, values: &mut [f64]) -> [&mut [f64]; 4] {
        let n = values.len() / self.width();
        let (log_joint, rest) = values.split_at_mut(n);
        let (log_q, rest) = rest.split_at_mut(n);
        let (log_weights, local) = rest.split_at_mut(if self.weighted { n } else { 0 });
        [log_joint, log_q, log_weights, local]
    }
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

    /// Room for `n_samples` samples with `width` values each beside their columns.
    pub(crate) fn reserve(&mut self, n_samples: usize, width: usize, columns: Columns) {
        self.values.resize(columns.width() * n_samples, 0.0);
        self.rows.resize(n_samples * width, 0.0);
        self.log_ratios.resize(n_samples * columns.local.max(1), 0.0);
        self.importance.resize(if columns.weighted { n_samples } else { 0 }, 0.0);
    }

    /// Repeats the draws of all points, where a rank has kept its own alone.
    pub(crate) fn redraw<Q: VariationalDistribution>(&mut self, q: &Q, n_samples: usize, key: StreamKey) {
        q.sample_batch(key, 0..n_samples, &mut matrix_mut(&mut self.rows, q.dim()));
    }

    /// Forms the log ratios and importance weights from the values of all chunks, and from them the estimate of the
    /// ELBO.
    ///
    /// `redraw(s, z)` repeats the draw of sample s for the error that shows it.
    pub(crate) fn log_ratios<M: LogJoint + ?Sized>(
        &mut self,
        n_samples: usize,
        group: usize,
        columns: Columns,
        model: &M,
        redraw: impl Fn(usize, &mut ArrayRef1<f64>),
    ) -> Result<ElboEstimate, SgviError> {
        let n_groups = n_samples / group;
        self.group_means.clear();
        self.group_means.resize(n_groups, 0.0);
        for (c, values) in self.values.chunks_mut(columns.width() * CHUNK).enumerate() {
            let [log_joint, log_q, log_weights, local] = columns.split(values);
            let n = log_joint.len();
            for i in 0..n {
                let s = c * CHUNK + i;
                if !(log_joint[i].is_finite() && log_q[i].is_finite()) {
                    return Err(non_finite_value(model, s, log_joint[i], log_q[i], redraw));
                }
                let u = if columns.weighted { log_weights[i].exp() } else { 1.0 };
                if columns.weighted {
                    self.importance[s] = u;
                }
                let f = log_joint[i] - log_q[i];
                self.group_means[s / group] += u * f / group as f64;
                if columns.local == 0 {
                    self.log_ratios[s] = f;
                }
                for b in 0..columns.local {
                    let f = local[i * columns.local + b];
                    if !f.is_finite() {
                        return Err(non_finite_block(model, s, b, f, redraw));
                    }
                    self.log_ratios[b * n_samples + s] = f;
                }
            }
        }
        let of_groups = estimate(&ArrayView1::from(&self.group_means[..]));
        Ok(ElboEstimate { n_samples, ..of_groups })
    }

    /// The log ratios that weight scores, the importance weights if there are any, the points, and the scratch of
    /// baselines.
    pub(crate) fn terms(
        &mut self,
        n_samples: usize,
        columns: Columns,
    ) -> (&[f64], Option<&[f64]>, &[f64], &mut BaselineScratch) {
        let log_ratios = &self.log_ratios[..n_samples * columns.local.max(1)];
        let importance = columns.weighted.then(|| &self.importance[..n_samples]);
        (log_ratios, importance, &self.rows, &mut self.baseline)
    }
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
pub(crate) fn estimate(log_ratios: &ArrayRef1<f64>) -> ElboEstimate {
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

fn non_finite_block<M: LogJoint + ?Sized>(
    model: &M,
    sample: usize,
    block: usize,
    value: f64,
    redraw: impl Fn(usize, &mut ArrayRef1<f64>),
) -> SgviError {
    let mut z = Array1::zeros(model.dim());
    redraw(sample, &mut z);
    let z = NamedValues::new(model.parameters().names(), &z);
    SgviError::NonFiniteBlock { block, value, sample, z }
}
