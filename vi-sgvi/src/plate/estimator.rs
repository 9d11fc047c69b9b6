//! Estimators of the gradient in λ_n from points of q_{λ_n}.

use ndarray::{ArrayRef1, ArrayRef2, ArrayViewMut1};
use vi_core::StreamKey;
use vi_families::{BernoulliPlate, FamilyError, PlateFamily};

use crate::baseline::{ControlVariate, LeaveOneOut, NoBaseline, SameSampleControlVariate};
use crate::factors::DisArm;
use crate::workspace::matrix_mut;
use vi_core::scratch;

/// An estimator of ∇_{λ_n} ELBO_n for many data at once: it draws points, and turns their log ratios into gradients.
///
/// ```text
/// f_ns = log p_θ(x_n, z_ns) − log q_{λ_n}(z_ns)
/// ```
/// What it asks of the family is its `where` clause. The gradient is unbiased unless [`PlateEstimator::bias`] says
/// otherwise.
pub trait PlateEstimator<F: PlateFamily>: Send + Sync {
    /// Points of every datum, S.
    fn n_points(&self) -> usize;
    /// Points that depend on each other stand together, so many of them.
    fn group(&self) -> usize {
        1
    }
    /// The fewest points that it can work with.
    fn min_points(&self) -> usize;
    /// The estimator in words.
    fn name(&self) -> &'static str;
    /// Why the gradient is biased; `None` if it is not.
    fn bias(&self) -> Option<&'static str> {
        None
    }

    /// Draws S points of every datum, each by itself from q; see [`PlateFamily::sample_points`].
    ///
    /// # Errors
    /// [`FamilyError`] names the element of λ.
    fn draw(
        &self,
        family: &F,
        params: &ArrayRef2<f64>,
        data: &[usize],
        key: StreamKey,
        z: &mut ArrayRef2<f64>,
        log_q: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError> {
        family.sample_points(params, data, key, self.n_points(), z, log_q)
    }

    /// out (n, P) += the estimates of ∇_{λ_n} ELBO_n; `log_ratios` (n·S) may be overwritten.
    ///
    /// # Errors
    /// [`FamilyError`] names the element of λ.
    fn add_gradient(
        &self,
        family: &F,
        params: &ArrayRef2<f64>,
        z: &ArrayRef2<f64>,
        log_ratios: &mut [f64],
        out: &mut ArrayRef2<f64>,
    ) -> Result<(), FamilyError>;
}

/// What is subtracted from the log ratios of a datum before they weight its scores.
pub trait PlateBaseline: Send + Sync {
    /// The baseline in words.
    const NAME: &'static str;
    /// The fewest points that it can work with.
    const MIN_POINTS: usize;
    /// Why the gradient is biased; `None` if it is not.
    const BIAS: Option<&'static str> = None;

    /// out (n, P) += the estimates, from S = `n_points` points of every datum; `log_ratios` (n·S) may be overwritten.
    ///
    /// # Errors
    /// [`FamilyError`] names the element of λ.
    fn add_gradient<F: PlateFamily>(
        &self,
        family: &F,
        params: &ArrayRef2<f64>,
        n_points: usize,
        z: &ArrayRef2<f64>,
        log_ratios: &mut [f64],
        out: &mut ArrayRef2<f64>,
    ) -> Result<(), FamilyError>;
}

/// The score function with a baseline for every datum, for any family.
///
/// ```text
/// ∇_{λ_n} ≈ (1/S) Σ_s (f_ns − baseline) ∇ log q_{λ_n}(z_ns)
/// ```
/// Terms of other data have expectation zero and are left out: Rao–Blackwellised by datum (Ranganath, Gerrish & Blei
/// 2014, §3.1, <https://arxiv.org/abs/1401.0118>). Cost: S log joints of every datum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlateScoreFunction<B = LeaveOneOut> {
    /// Points of every datum.
    pub n_points: usize,
    /// What is subtracted.
    pub baseline: B,
}

impl PlateScoreFunction<NoBaseline> {
    /// No baseline.
    pub fn naive(n_points: usize) -> Self {
        Self { n_points, baseline: NoBaseline }
    }
}

impl PlateScoreFunction<LeaveOneOut> {
    /// The mean log ratio of the other points of the datum as baseline.
    pub fn leave_one_out(n_points: usize) -> Self {
        Self { n_points, baseline: LeaveOneOut }
    }
}

impl PlateScoreFunction<ControlVariate> {
    /// A coefficient of its own for every element of λ_n, from the other points of the datum.
    pub fn control_variate(n_points: usize) -> Self {
        Self { n_points, baseline: ControlVariate }
    }
}

impl<F: PlateFamily, B: PlateBaseline> PlateEstimator<F> for PlateScoreFunction<B> {
    fn n_points(&self) -> usize {
        self.n_points
    }
    fn min_points(&self) -> usize {
        B::MIN_POINTS
    }
    fn name(&self) -> &'static str {
        B::NAME
    }
    fn bias(&self) -> Option<&'static str> {
        B::BIAS
    }
    fn add_gradient(
        &self,
        family: &F,
        params: &ArrayRef2<f64>,
        z: &ArrayRef2<f64>,
        log_ratios: &mut [f64],
        out: &mut ArrayRef2<f64>,
    ) -> Result<(), FamilyError> {
        self.baseline.add_gradient(family, params, self.n_points, z, log_ratios, out)
    }
}

/// f/S
impl PlateBaseline for NoBaseline {
    const NAME: &'static str = "naive score function";
    const MIN_POINTS: usize = 1;

    fn add_gradient<F: PlateFamily>(
        &self,
        family: &F,
        params: &ArrayRef2<f64>,
        n_points: usize,
        z: &ArrayRef2<f64>,
        log_ratios: &mut [f64],
        out: &mut ArrayRef2<f64>,
    ) -> Result<(), FamilyError> {
        log_ratios.iter_mut().for_each(|f| *f /= n_points as f64);
        family.add_scores(params, n_points, z, &ArrayViewMut1::from(log_ratios), out)
    }
}

/// (f − mean of the others)/S = (f − f̄)/(S − 1)
impl PlateBaseline for LeaveOneOut {
    const NAME: &'static str = "score function with leave-one-out baseline";
    const MIN_POINTS: usize = 2;

    fn add_gradient<F: PlateFamily>(
        &self,
        family: &F,
        params: &ArrayRef2<f64>,
        n_points: usize,
        z: &ArrayRef2<f64>,
        log_ratios: &mut [f64],
        out: &mut ArrayRef2<f64>,
    ) -> Result<(), FamilyError> {
        for f in log_ratios.chunks_exact_mut(n_points) {
            let mean = f.iter().sum::<f64>() / n_points as f64;
            f.iter_mut().for_each(|f| *f = (*f - mean) / (n_points - 1) as f64);
        }
        family.add_scores(params, n_points, z, &ArrayViewMut1::from(log_ratios), out)
    }
}

/// The coefficient of every point from the other points; see [`ControlVariate`].
impl PlateBaseline for ControlVariate {
    const NAME: &'static str = "score function with control variate";
    const MIN_POINTS: usize = 2;

    fn add_gradient<F: PlateFamily>(
        &self,
        family: &F,
        params: &ArrayRef2<f64>,
        n_points: usize,
        z: &ArrayRef2<f64>,
        log_ratios: &mut [f64],
        out: &mut ArrayRef2<f64>,
    ) -> Result<(), FamilyError> {
        control_variate(family, params, n_points, z, log_ratios, out, |sum, own| sum - own)
    }
}

impl PlateBaseline for SameSampleControlVariate {
    const NAME: &'static str = "score function with same-sample control variate";
    const MIN_POINTS: usize = 2;
    const BIAS: Option<&'static str> = Some("the coefficients depend on the points that they weight");

    fn add_gradient<F: PlateFamily>(
        &self,
        family: &F,
        params: &ArrayRef2<f64>,
        n_points: usize,
        z: &ArrayRef2<f64>,
        log_ratios: &mut [f64],
        out: &mut ArrayRef2<f64>,
    ) -> Result<(), FamilyError> {
        control_variate(family, params, n_points, z, log_ratios, out, |sum, _| sum)
    }
}

/// `used` turns a sum over all points, and the part of one point, into what the coefficient of that point uses.
fn control_variate<F: PlateFamily>(
    family: &F,
    params: &ArrayRef2<f64>,
    n_points: usize,
    z: &ArrayRef2<f64>,
    log_ratios: &[f64],
    out: &mut ArrayRef2<f64>,
    used: impl Fn(f64, f64) -> f64,
) -> Result<(), FamilyError> {
    let p = family.n_params();
    scratch::with(z.nrows() * p, |scores| {
        family.scores(params, n_points, z, &mut matrix_mut(scores, p))?;
        let of_data = scores.chunks_exact(n_points * p).zip(log_ratios.chunks_exact(n_points));
        for ((scores, f), mut out) in of_data.zip(out.rows_mut()) {
            for (i, out) in out.iter_mut().enumerate() {
                let of_points = || scores.iter().skip(i).step_by(p).zip(f);
                let (mut cross, mut square) = (0.0, 0.0);
                for (h, f) in of_points() {
                    cross += f * h * h;
                    square += h * h;
                }
                let mut sum = 0.0;
                for (h, f) in of_points() {
                    let (cross, square) = (used(cross, f * h * h), used(square, h * h));
                    let coefficient = if square > 0.0 { cross / square } else { 0.0 };
                    sum += (f - coefficient) * h;
                }
                *out += sum / n_points as f64;
            }
        }
        Ok(())
    })
}

/// Two coupled points per draw and datum, all bits at a time.
///
/// ```text
/// ∇_{λ_n} ≈ (1/n_pairs) Σ ½ (f(z) − f(z̃)) σ(|λ_n|) (z − z̃)        z = [u < σ(λ)],  z̃ = [1 − u < σ(λ)]
/// ```
/// Source: Dong, Mnih & Tucker 2020, eq. 6, <https://arxiv.org/abs/2006.10680>.
impl PlateEstimator<BernoulliPlate> for DisArm {
    fn n_points(&self) -> usize {
        2 * self.n_pairs
    }
    fn group(&self) -> usize {
        2
    }
    fn min_points(&self) -> usize {
        2
    }
    fn name(&self) -> &'static str {
        "DisARM"
    }
    fn draw(
        &self,
        family: &BernoulliPlate,
        params: &ArrayRef2<f64>,
        data: &[usize],
        key: StreamKey,
        z: &mut ArrayRef2<f64>,
        log_q: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError> {
        family.sample_antithetic_points(params, data, key, self.n_pairs, z, log_q)
    }
    fn add_gradient(
        &self,
        _family: &BernoulliPlate,
        params: &ArrayRef2<f64>,
        z: &ArrayRef2<f64>,
        log_ratios: &mut [f64],
        out: &mut ArrayRef2<f64>,
    ) -> Result<(), FamilyError> {
        let width = params.ncols();
        scratch::with(width, |sums| {
            for (i, (logits, mut out)) in params.rows().into_iter().zip(out.rows_mut()).enumerate() {
                sums.fill(0.0);
                for pair in i * self.n_pairs..(i + 1) * self.n_pairs {
                    let weight =
                        0.5 * (log_ratios[2 * pair] - log_ratios[2 * pair + 1]) / self.n_pairs as f64;
                    for (sum, (z, twin)) in
                        sums.iter_mut().zip(z.row(2 * pair).iter().zip(z.row(2 * pair + 1)))
                    {
                        *sum += weight * (z - twin);
                    }
                }
                for ((out, sum), logit) in out.iter_mut().zip(&*sums).zip(logits) {
                    *out += sum * vi_core::numerics::sigmoid_scalar(logit.abs());
                }
            }
        });
        Ok(())
    }
}
