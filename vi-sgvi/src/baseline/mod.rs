//! Baselines of the score-function estimator: how log ratios and scores become a gradient with less noise.

use ndarray::ArrayRef1;
use vi_core::{CommError, Exec};

use crate::estimator::EstimatorState;
use crate::locality::Scores;

mod any;
mod control_variate;
mod leave_one_out;
mod moving_average;
mod none;

pub use any::AnyBaseline;
pub use control_variate::{ControlVariate, SameSampleControlVariate};
pub use leave_one_out::LeaveOneOut;
pub(crate) use leave_one_out::leave_one_group_out;
pub use moving_average::{MovingAverage, MovingAverageState};
pub use none::NoBaseline;

/// Combines the log ratios f_s = log p(x, z_s) − log q(z_s) of S points with their scores.
///
/// ```text
/// ĝ = (1/S) Σ_s u_s (f_s − c_s) ∇_λ log q(z_s)
/// ```
/// with u_s the importance weights, all 1 for draws from q itself. The estimator stays unbiased if c_s does not
/// depend on the points of the group of s.
pub trait Baseline: Send + Sync {
    /// The estimator's name with this baseline, for tables and errors.
    const NAME: &'static str;
    /// The fewest independent groups of points with which the baseline exists.
    const MIN_GROUPS: usize;
    /// Why the gradient is biased; `None` if it is not.
    const BIAS: Option<&'static str> = None;
    /// Whether the points of a group have to lie in one chunk of samples ([`vi_core::CHUNK`]).
    const WHOLE_GROUPS: bool = false;
    /// What is remembered from one iteration to the next.
    type State: EstimatorState;

    /// [`Baseline::NAME`], unless it is chosen at run time like the following ones.
    fn name(&self) -> &'static str {
        Self::NAME
    }
    /// [`Baseline::MIN_GROUPS`].
    fn min_groups(&self) -> usize {
        Self::MIN_GROUPS
    }
    /// [`Baseline::BIAS`].
    fn bias(&self) -> Option<&'static str> {
        Self::BIAS
    }
    /// [`Baseline::WHOLE_GROUPS`].
    fn whole_groups(&self) -> bool {
        Self::WHOLE_GROUPS
    }
    /// Whether an estimate depends on those before it.
    fn remembers(&self) -> bool {
        size_of::<Self::State>() > 0
    }

    /// Overwrites `grad` (P) with the estimate.
    ///
    /// # Errors
    /// [`CommError`] when the exchange between ranks fails.
    fn combine(
        &self,
        state: &mut Self::State,
        terms: &Terms<'_>,
        exec: Exec<'_>,
        scratch: &mut BaselineScratch,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<(), CommError>;
}

/// Scratch memory of baselines.
#[derive(Debug, Default)]
pub struct BaselineScratch {
    /// One weight per column and point.
    pub weights: Vec<f64>,
    /// Sums over points of several vectors of length P.
    pub sums: Vec<f64>,
    /// The same once more.
    pub spare: Vec<f64>,
    /// The partial sums of the chunks.
    pub partials: Vec<f64>,
}

/// The points of one estimate: their log ratios, importance weights and scores.
///
/// Log ratios have C columns: one, or with Rao–Blackwellisation one for every block of the model, which weights the
/// scores of that block alone.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    pub(crate) n_samples: usize,
    pub(crate) group: usize,
    pub(crate) log_ratios: &'a [f64],
    pub(crate) importance: Option<&'a [f64]>,
    pub(crate) scores: &'a dyn Scores,
}

impl<'a> Terms<'a> {
    /// The number S of points.
    pub fn n_samples(&self) -> usize {
        self.n_samples
    }
    /// The number of points in an independent group; it divides S.
    pub fn group(&self) -> usize {
        self.group
    }
    /// The number C of columns.
    pub fn n_columns(&self) -> usize {
        self.log_ratios.len() / self.n_samples
    }
    /// The log ratios (S) of column `c`.
    pub fn column(&self, c: usize) -> &'a [f64] {
        &self.log_ratios[c * self.n_samples..(c + 1) * self.n_samples]
    }
    /// The importance weight of point `s`.
    pub fn importance(&self, s: usize) -> f64 {
        self.importance.map_or(1.0, |u| u[s])
    }
    /// The scores of the points.
    pub fn scores(&self) -> &'a dyn Scores {
        self.scores
    }

    /// The estimate whose weights `weigh` computes column by column: given the log ratios (S) of a column, it
    /// overwrites the weights (S) of the scores.
    ///
    /// # Errors
    /// [`CommError`] when the exchange between ranks fails.
    pub fn weighted_sum(
        &self,
        exec: Exec<'_>,
        scratch: &mut BaselineScratch,
        grad: &mut ArrayRef1<f64>,
        mut weigh: impl FnMut(usize, &[f64], &mut [f64]),
    ) -> Result<(), CommError> {
        let n = self.n_samples;
        scratch.weights.resize(self.log_ratios.len(), 0.0);
        for (c, weights) in scratch.weights.chunks_mut(n).enumerate() {
            weigh(c, self.column(c), weights);
        }
        let weights = &scratch.weights;
        exec.sum_in(n, grad, &mut scratch.partials, |samples, partial| {
            self.scores.add(samples, weights, n, partial);
        })
    }
}
