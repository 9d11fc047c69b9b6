//! Baselines of the score-function estimator: how log ratios become weights of scores.

use ndarray::{ArrayRef1, Zip};

/// Turns the log ratios f_s = log p(x, z_s) − log q(z_s) of S samples into the weights of their scores.
///
/// The estimator stays unbiased if what is subtracted from f_s does not depend on z_s.
pub trait Baseline: Send + Sync {
    /// The estimator's name with this baseline, for errors.
    const NAME: &'static str;
    /// The fewest samples with which the weights exist.
    const MIN_SAMPLES: usize;
    /// Overwrites `weights` (S) given `log_ratios` (S).
    fn weights(&self, log_ratios: &ArrayRef1<f64>, weights: &mut ArrayRef1<f64>);
}

/// No baseline: the naive estimator, unbiased and noisy.
///
/// ```text
/// w_s = f_s / S
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoBaseline;

impl Baseline for NoBaseline {
    const NAME: &'static str = "the score function without baseline";
    const MIN_SAMPLES: usize = 1;

    fn weights(&self, log_ratios: &ArrayRef1<f64>, weights: &mut ArrayRef1<f64>) {
        let n = log_ratios.len() as f64;
        Zip::from(weights).and(log_ratios).for_each(|w, f| *w = f / n);
    }
}

/// The mean of the *other* samples' log ratios: no constant of f is left in the noise, and no bias.
///
/// ```text
/// w_s = (f_s − (1/(S−1)) Σ_{r≠s} f_r) / S = (f_s − f̄) / (S − 1)
/// ```
/// Dividing by S instead, the mean f̄ that contains f_s itself, would shrink the gradient by (S−1)/S.
///
/// Source: Salimans & Knowles 2014, <https://arxiv.org/abs/1401.1022>; Kool, van Hoof & Welling 2019,
/// eq. 8; the same estimator is the gradient of VarGrad (Richter et al. 2020, eq. 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaveOneOut;

impl Baseline for LeaveOneOut {
    const NAME: &'static str = "the score function with leave-one-out baseline";
    const MIN_SAMPLES: usize = 2;

    fn weights(&self, log_ratios: &ArrayRef1<f64>, weights: &mut ArrayRef1<f64>) {
        let n = log_ratios.len() as f64;
        let mean = log_ratios.sum() / n;
        Zip::from(weights).and(log_ratios).for_each(|w, f| *w = (f - mean) / (n - 1.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, array};

    #[test]
    fn leave_one_out_subtracts_the_mean_of_the_others() {
        let f = array![3.0, -1.0, 7.5, 2.0];
        let mut w = Array1::zeros(4);
        LeaveOneOut.weights(&f, &mut w);
        for s in 0..4 {
            let others: f64 = (0..4).filter(|&r| r != s).map(|r| f[r]).sum::<f64>() / 3.0;
            approx::assert_relative_eq!(w[s], (f[s] - others) / 4.0, max_relative = 1e-14);
        }
        NoBaseline.weights(&f, &mut w);
        assert_eq!(w, &f / 4.0);
    }
}
