//! The mean of the other groups.

use ndarray::ArrayRef1;
use vi_core::{CommError, Exec};

use super::{Baseline, BaselineScratch, Terms};

/// The mean of the *other* points' log ratios: no constant of f is left in the noise, and no bias.
///
/// ```text
/// c_s = Σ_{r ∉ g(s)} u_r f_r / Σ_{r ∉ g(s)} u_r,     g(s) the group of point s
/// ```
/// For independent draws from q the weight of the score is (f_s − f̄)/(S − 1). Dividing by S instead, the mean f̄ that
/// contains f_s itself, would shrink the gradient by (S−1)/S.
///
/// Source: Salimans & Knowles 2014, <https://arxiv.org/abs/1401.1022>; Kool, van Hoof & Welling 2019, eq. 8; the same
/// estimator is the gradient of VarGrad (Richter et al. 2020, eq. 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaveOneOut;

impl Baseline for LeaveOneOut {
    const NAME: &'static str = "leave-one-out";
    const MIN_GROUPS: usize = 2;
    type State = ();

    fn combine(
        &self,
        (): &mut (),
        terms: &Terms<'_>,
        exec: Exec<'_>,
        scratch: &mut BaselineScratch,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<(), CommError> {
        let (n, group) = (terms.n_samples(), terms.group());
        terms.weighted_sum(exec, scratch, grad, |_, f, weights| match terms.importance {
            None if group == 1 => {
                let mean = f.iter().sum::<f64>() / n as f64;
                for (w, f) in weights.iter_mut().zip(f) {
                    *w = (f - mean) / (n - 1) as f64;
                }
            }
            None => leave_one_group_out(f, |_| 1.0, group, weights),
            Some(u) => leave_one_group_out(f, |s| u[s], group, weights),
        })
    }
}

/// The mean of the others as the mean of all plus what it changes by, so that a large common part of f cancels before
/// anything is multiplied.
pub(crate) fn leave_one_group_out(f: &[f64], u: impl Fn(usize) -> f64, group: usize, weights: &mut [f64]) {
    let n = f.len() as f64;
    let total = (0..f.len()).map(&u).sum::<f64>();
    let mean = f.iter().enumerate().map(|(s, f)| u(s) * f).sum::<f64>() / total;
    for (g, (f, weights)) in f.chunks(group).zip(weights.chunks_mut(group)).enumerate() {
        let at = |i: usize| u(g * group + i);
        let own = (0..f.len()).map(at).sum::<f64>();
        let excess = f.iter().enumerate().map(|(i, f)| at(i) * (f - mean)).sum::<f64>();
        // Weights of the others that underflow leave no baseline.
        let others = if total > own { mean - excess / (total - own) } else { 0.0 };
        for (i, (w, f)) in weights.iter_mut().zip(f).enumerate() {
            *w = at(i) * (f - others) / n;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_weighted_points_leave_their_own_group_out() {
        let f = [3.0, -1.0, 7.5, 2.0, 0.5, 4.0];
        let u = [1.0, 0.2, 2.0, 0.7, 0.1, 3.0];
        let mut weights = [0.0; 6];
        leave_one_group_out(&f, |s| u[s], 2, &mut weights);
        for s in 0..6 {
            let others: Vec<usize> = (0..6).filter(|r| r / 2 != s / 2).collect();
            let mean =
                others.iter().map(|&r| u[r] * f[r]).sum::<f64>() / others.iter().map(|&r| u[r]).sum::<f64>();
            approx::assert_relative_eq!(weights[s], u[s] * (f[s] - mean) / 6.0, max_relative = 1e-13);
        }
    }
}
