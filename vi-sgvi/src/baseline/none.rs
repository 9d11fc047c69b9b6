//! No baseline.

use ndarray::ArrayRef1;
use vi_core::{CommError, Exec};

use super::{Baseline, BaselineScratch, Terms};

/// No baseline: the naive estimator, unbiased and noisy.
///
/// ```text
/// c_s = 0
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoBaseline;

impl Baseline for NoBaseline {
    const NAME: &'static str = "naive";
    const MIN_GROUPS: usize = 1;
    type State = ();

    fn combine(
        &self,
        (): &mut (),
        terms: &Terms<'_>,
        exec: Exec<'_>,
        scratch: &mut BaselineScratch,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<(), CommError> {
        let n = terms.n_samples() as f64;
        terms.weighted_sum(exec, scratch, grad, |_, log_ratios, weights| {
            for (s, (w, f)) in weights.iter_mut().zip(log_ratios).enumerate() {
                *w = terms.importance(s) * f / n;
            }
        })
    }
}
