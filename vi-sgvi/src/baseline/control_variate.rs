//! A control variate with a coefficient of its own for every element of λ.

use std::ops::Range;

use ndarray::{ArrayRef1, ArrayViewMut1};
use vi_core::numerics::{Vectorised, vectorised};
use vi_core::{CommError, Exec};

use super::{Baseline, BaselineScratch, Terms};

/// The score as control variate, with the best coefficient for every element of λ, estimated from the *other* groups.
///
/// ```text
/// ĝ_i = (1/S) Σ_g (HF_gi − a_gi H_gi),   H_g = Σ_{s∈g} u_s h_s,   HF_g = Σ_{s∈g} u_s f_s h_s,   h_s = ∇_λ log q(z_s)
/// a_gi = Σ_{r≠g} H_ri HF_ri / Σ_{r≠g} H_ri²
/// ```
/// H has mean zero, so that a_i = Cov(H_i, HF_i)/Var(H_i) is the coefficient of least variance. That it comes from
/// other groups keeps the estimator unbiased. Where the scores of a group cancel, as those of a location in antithetic
/// pairs do, H is what rounding leaves, and nothing is subtracted. Cost: every score twice, in groups or with several
/// log ratios four times.
///
/// Source: Ranganath, Gerrish & Blei 2014, §3.2, eq. 9–10, <https://arxiv.org/abs/1401.0118>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ControlVariate;

/// [`ControlVariate`] with coefficients from all points, the point itself included, as in the paper's algorithm:
/// **biased**, by a term of order 1/S.
///
/// ```text
/// a_i = Σ_g H_gi HF_gi / Σ_g H_gi²
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SameSampleControlVariate;

impl Baseline for ControlVariate {
    const NAME: &'static str = "control variate";
    const MIN_GROUPS: usize = 2;
    const WHOLE_GROUPS: bool = true;
    type State = ();

    fn combine(
        &self,
        (): &mut (),
        terms: &Terms<'_>,
        exec: Exec<'_>,
        scratch: &mut BaselineScratch,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<(), CommError> {
        let limit = largest_coefficient(terms);
        // What the group itself adds is taken off both sums.
        combine(terms, exec, scratch, grad, |[cross, square], [h, hf]| {
            credible([cross - h * hf, square - h * h], limit)
        })
    }
}

impl Baseline for SameSampleControlVariate {
    const NAME: &'static str = "same-sample control variate";
    const MIN_GROUPS: usize = 2;
    const BIAS: Option<&'static str> = Some("the coefficients depend on the points that they weight");
    const WHOLE_GROUPS: bool = true;
    type State = ();

    fn combine(
        &self,
        (): &mut (),
        terms: &Terms<'_>,
        exec: Exec<'_>,
        scratch: &mut BaselineScratch,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<(), CommError> {
        let limit = largest_coefficient(terms);
        combine(terms, exec, scratch, grad, |sums, _| credible(sums, limit))
    }
}

/// A coefficient is of the size of f. One 10⁸ times as large comes from sums of scores that are nothing but rounding.
fn largest_coefficient(terms: &Terms<'_>) -> f64 {
    1e8 * terms.log_ratios.iter().fold(0.0, |largest: f64, f| largest.max(f.abs()))
}

/// The sums, or zeros where their quotient is none.
fn credible([cross, square]: [f64; 2], limit: f64) -> [f64; 2] {
    if cross.abs() <= limit * square { [cross, square] } else { [0.0, 0.0] }
}

/// `used` turns the sums over all groups, Σ H HF and Σ H², into those that the coefficient of one group uses.
fn combine(
    terms: &Terms<'_>,
    exec: Exec<'_>,
    scratch: &mut BaselineScratch,
    grad: &mut ArrayRef1<f64>,
    used: impl Fn([f64; 2], [f64; 2]) -> [f64; 2] + Sync,
) -> Result<(), CommError> {
    let (n, p) = (terms.n_samples(), grad.len());
    let BaselineScratch { weights, sums, spare, partials } = scratch;
    weights.resize(terms.log_ratios.len() + n, 0.0);
    let (of_ratios, of_scores) = weights.split_at_mut(terms.log_ratios.len());
    for (s, u) in of_scores.iter_mut().enumerate() {
        *u = terms.importance(s);
    }
    for (of_column, f) in of_ratios.chunks_mut(n).zip(terms.log_ratios.chunks(n)) {
        for ((w, f), u) in of_column.iter_mut().zip(f).zip(&*of_scores) {
            *w = u * f;
        }
    }
    let groups = Groups { terms, of_ratios, of_scores, p };

    // Σ H HF, Σ H², and room for H and HF of one group.
    sums.resize(4 * p, 0.0);
    exec.sum_in(n, &mut ArrayViewMut1::from(&mut sums[..]), partials, |samples, partial| {
        let partial = partial.as_slice_mut().expect("a partial sum is contiguous");
        let (sums, room) = partial.split_at_mut(2 * p);
        let (cross, square) = sums.split_at_mut(p);
        groups.for_each(samples, room, |h, hf| {
            vectorised(AddProducts { h, hf, cross: &mut *cross, square: &mut *square })
        });
        room.fill(0.0);
    })?;

    let (of_all, scale) = (sums.split_at(p), (n as f64).recip());
    spare.resize(3 * p, 0.0);
    exec.sum_in(n, &mut ArrayViewMut1::from(&mut spare[..]), partials, |samples, partial| {
        let partial = partial.as_slice_mut().expect("a partial sum is contiguous");
        let (grad, room) = partial.split_at_mut(p);
        groups.for_each(samples, room, |h, hf| {
            let of_all = (of_all.0, &of_all.1[..p]);
            vectorised(AddControlled { h, hf, of_all, scale, used: &used, grad: &mut *grad });
        });
        room.fill(0.0);
    })?;
    grad.iter_mut().zip(&*spare).for_each(|(g, o)| *g = *o);
    Ok(())
}

/// cross += H HF, square += H², element by element.
struct AddProducts<'a> {
    h: &'a [f64],
    hf: &'a [f64],
    cross: &'a mut [f64],
    square: &'a mut [f64],
}

impl Vectorised for AddProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (((h, hf), cross), square) in self.h.iter().zip(self.hf).zip(self.cross).zip(self.square) {
            *cross += h * hf;
            *square += h * h;
        }
    }
}

/// grad += scale (HF − a H), element by element, with a from the sums that `used` leaves.
struct AddControlled<'a, U> {
    h: &'a [f64],
    hf: &'a [f64],
    of_all: (&'a [f64], &'a [f64]),
    scale: f64,
    used: &'a U,
    grad: &'a mut [f64],
}

impl<U: Fn([f64; 2], [f64; 2]) -> [f64; 2]> Vectorised for AddControlled<'_, U> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let sums = self.of_all.0.iter().zip(self.of_all.1);
        for (((h, hf), (cross, square)), grad) in self.h.iter().zip(self.hf).zip(sums).zip(self.grad) {
            let [cross, square] = (self.used)([*cross, *square], [*h, *hf]);
            // Without a square there is nothing to divide, nor anything to take off.
            let quotient = cross / if square > 0.0 { square } else { 1.0 };
            let coefficient = if square > 0.0 { quotient } else { 0.0 };
            *grad += (hf - coefficient * h) * self.scale;
        }
    }
}

/// The sums H and HF, group by group.
struct Groups<'a> {
    terms: &'a Terms<'a>,
    /// u f, column by column.
    of_ratios: &'a [f64],
    /// u, the same for every column.
    of_scores: &'a [f64],
    p: usize,
}

impl Groups<'_> {
    /// Calls `f(H, HF)` for every group among `samples`; `room` is 2P values.
    fn for_each(&self, samples: Range<usize>, room: &mut [f64], mut f: impl FnMut(&[f64], &[f64])) {
        let (n, group, scores) = (self.terms.n_samples(), self.terms.group(), self.terms.scores());
        let (h, hf) = room.split_at_mut(self.p);
        // Where a group is one point and has one log ratio, HF is a multiple of H.
        let single = group == 1 && self.terms.n_columns() == 1;
        for start in samples.clone().step_by(group) {
            let members = start..(start + group).min(samples.end);
            h.fill(0.0);
            scores.add(members.clone(), self.of_scores, 0, &mut ArrayViewMut1::from(&mut *h));
            if single {
                let f = self.terms.log_ratios[start];
                hf.iter_mut().zip(&*h).for_each(|(hf, h)| *hf = f * h);
            } else {
                hf.fill(0.0);
                scores.add(members, self.of_ratios, n, &mut ArrayViewMut1::from(&mut *hf));
            }
            f(h, hf);
        }
    }
}
