//! Bias and variance of one candidate at one point.

use std::time::Duration;

use ndarray::{Array1, Array2, ArrayRef1, Axis};
use vi_core::{Exec, LogJoint, Role, StreamKey, quantile_sorted};
use vi_families::VariationalFamily;

use super::candidate::{Candidate, Replicates};
use super::points::Point;
use super::reference::Reference;
use super::report::Interval;
use super::statistics::{Resamples, percentiles, skewness};
use super::{Bench, BenchSettings, Progress, Watch};
use crate::elbo::Elbo;
use crate::error::{NamedValues, SgviError};

/// What the gradients at every point are compared with, and the resamples that all candidates share.
#[derive(Debug)]
pub(super) struct Targets {
    pub(super) points: Vec<Target>,
    pub(super) resamples: Resamples,
}

/// What the gradients at one point are compared with.
#[derive(Debug)]
pub(super) enum Target {
    Unknown,
    Exact(Array1<f64>),
    /// The reference's own replicates (R, P), under the same keys.
    Paired(Array2<f64>),
}

/// The key of point number `p`.
pub(super) fn point_key(key: StreamKey, p: usize) -> StreamKey {
    key.role(Role::Step).fold_in(p as u64)
}

impl Targets {
    /// `None` when the watch ended the reference's own run.
    pub(super) fn new<M, F>(
        bench: &Bench<'_, M, F>,
        key: StreamKey,
        exec: Exec<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<Option<Self>, SgviError>
    where
        M: LogJoint + ?Sized,
        F: VariationalFamily,
    {
        let settings = bench.settings;
        let mut points = Vec::new();
        for (p, point) in bench.points.iter().enumerate() {
            bench.elbo.family().bind(&point.params)?;
            points.push(match bench.reference {
                Reference::None => Target::Unknown,
                Reference::Exact { gradient, .. } => Target::Exact(gradient(&point.params)?),
                Reference::Paired(candidate) => {
                    let key = point_key(key, p);
                    let sample = draw(bench.elbo, candidate, point, settings, key, exec, watch)?;
                    if !sample.complete {
                        return Ok(None);
                    }
                    Target::Paired(sample.gradients)
                }
            });
        }
        let n = settings.n_replicates as usize;
        let resamples = Resamples::new(n, settings.n_bootstrap, key.role(Role::Evaluate));
        Ok(Some(Self { points, resamples }))
    }
}

/// What was measured.
#[derive(Debug)]
pub(super) struct Noise {
    pub(super) mean: Vec<f64>,
    pub(super) mcse: Vec<f64>,
    pub(super) scores: Option<Vec<Score>>,
    /// The largest distance of any element from its mean in any replicate.
    pub(super) largest: f64,
    pub(super) variance: Vec<Interval>,
    pub(super) snr: Vec<Interval>,
    pub(super) total_variance: Interval,
    /// |g_r − ḡ|² of every replicate, times R/(R − 1).
    pub(super) deviations: Vec<f64>,
    pub(super) seconds: f64,
}

/// What is said of the bias of one element of λ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Score {
    /// Mean less target.
    pub(super) excess: f64,
    /// The same in standard errors.
    pub(super) z: f64,
    /// Of the values whose mean it is.
    pub(super) skewness: f64,
}

/// Replicates of one candidate.
struct Sample {
    /// (R, P).
    gradients: Array2<f64>,
    seconds: Vec<f64>,
    complete: bool,
}

fn draw<M, F>(
    elbo: Elbo<'_, M, F>,
    candidate: &Candidate<'_, M, F>,
    point: &Point,
    settings: &BenchSettings,
    key: StreamKey,
    exec: Exec<'_>,
    watch: &mut Watch<'_>,
) -> Result<Sample, SgviError>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
{
    let n = settings.n_replicates;
    let mut gradients = Array2::zeros((n as usize, point.params.len()));
    let (mut seconds, mut failure) = (Vec::new(), None);
    let replicates = Replicates { n_replicates: n, n_warmup: settings.n_warmup, key };
    let mut each = |r: u64, grad: &ArrayRef1<f64>, elapsed: Duration| {
        failure = non_finite(elbo.family(), grad);
        gradients.row_mut(r as usize).assign(grad);
        seconds.push(elapsed.as_secs_f64());
        let progress =
            Progress { candidate: candidate.name(), stage: &point.name, n_done: r + 1, n_total: n };
        failure.is_none() && watch(progress)
    };
    candidate.inner().replicates(elbo, &point.params, replicates, exec, &mut each)?;
    match failure {
        Some(error) => Err(error),
        None => Ok(Sample { complete: seconds.len() as u64 == n, gradients, seconds }),
    }
}

fn non_finite<F: VariationalFamily>(family: &F, grad: &ArrayRef1<f64>) -> Option<SgviError> {
    let i = grad.iter().position(|g| !g.is_finite())?;
    let NamedValues(named) = NamedValues::new(&family.param_names()[i..=i], [&grad[i]]);
    named.into_iter().next().map(|(parameter, value)| SgviError::NonFiniteGradient { parameter, value })
}

/// Everything about `candidate` at `point`; `None` when the watch ended it.
pub(super) fn measure<M, F>(
    bench: &Bench<'_, M, F>,
    candidate: &Candidate<'_, M, F>,
    point: &Point,
    targets: (&Target, &Resamples),
    key: StreamKey,
    exec: Exec<'_>,
    watch: &mut Watch<'_>,
) -> Result<Option<Noise>, SgviError>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
{
    let sample = draw(bench.elbo, candidate, point, bench.settings, key, exec, watch)?;
    Ok(sample.complete.then(|| summarise(sample, targets.0, targets.1, bench.settings.level)))
}

fn summarise(sample: Sample, target: &Target, resamples: &Resamples, level: f64) -> Noise {
    let Sample { gradients, mut seconds, .. } = sample;
    let (n, p) = gradients.dim();
    let (mut mean, mut mcse) = (Vec::with_capacity(p), Vec::with_capacity(p));
    let (mut variance, mut snr) = (Vec::with_capacity(p), Vec::with_capacity(p));
    let mut totals = vec![0.0; resamples.n_resamples()];
    let (mut deviations, mut largest) = (vec![0.0; n], 0.0_f64);
    let (mut variances, mut ratios) = (totals.clone(), totals.clone());
    for column in gradients.axis_iter(Axis(1)) {
        let m = column.sum() / n as f64;
        let centred: Vec<f64> = column.iter().map(|g| g - m).collect();
        let v = centred.iter().map(|c| c * c).sum::<f64>() / (n - 1) as f64;
        resamples.for_each(&centred, |b, shift, v| {
            totals[b] += v;
            variances[b] = v;
            ratios[b] = signal_to_noise(m + shift, v);
        });
        for (d, c) in deviations.iter_mut().zip(&centred) {
            *d += c * c * n as f64 / (n - 1) as f64;
            largest = largest.max(c.abs());
        }
        mean.push(m);
        mcse.push((v / n as f64).sqrt());
        variance.push(percentiles(v, &mut variances, level));
        snr.push(percentiles(signal_to_noise(m, v), &mut ratios, level));
    }
    let total = deviations.iter().sum::<f64>() / n as f64;
    seconds.sort_by(f64::total_cmp);
    Noise {
        scores: scores(&gradients, &mean, &mcse, target),
        largest,
        mean,
        mcse,
        variance,
        snr,
        total_variance: percentiles(total, &mut totals, level),
        deviations,
        seconds: quantile_sorted(&seconds, 0.5),
    }
}

/// |mean| / sd; the largest double without noise, 0 for a gradient that is 0.
fn signal_to_noise(mean: f64, variance: f64) -> f64 {
    if mean == 0.0 { 0.0 } else { (mean.abs() / variance.sqrt()).min(f64::MAX) }
}

/// z-score and skewness of the replicates, or of their differences from the reference's, for every element of λ.
fn scores(gradients: &Array2<f64>, mean: &[f64], mcse: &[f64], target: &Target) -> Option<Vec<Score>> {
    match target {
        Target::Unknown => None,
        Target::Exact(exact) => {
            let columns = gradients.axis_iter(Axis(1)).zip(mean).zip(mcse).zip(exact);
            Some(
                columns
                    .map(|(((g, m), se), e)| Score {
                        excess: m - e,
                        z: z_score(m - e, *se, *e),
                        skewness: skewness(g.iter().map(|g| g - m)),
                    })
                    .collect(),
            )
        }
        Target::Paired(reference) => {
            let n = gradients.nrows() as f64;
            let columns = gradients.axis_iter(Axis(1)).zip(reference.axis_iter(Axis(1)));
            Some(
                columns
                    .map(|(g, r)| {
                        let differences: Vec<f64> = g.iter().zip(r).map(|(g, r)| g - r).collect();
                        let (excess, variance) = super::statistics::moments(&differences);
                        Score {
                            excess,
                            z: z_score(excess, (variance / n).sqrt(), r.sum() / n),
                            skewness: skewness(differences.iter().map(|d| d - excess)),
                        }
                    })
                    .collect(),
            )
        }
    }
}

/// Where nothing is left but rounding the score is 0; without noise any other excess is beyond all limits.
fn z_score(excess: f64, se: f64, exact: f64) -> f64 {
    if excess.abs() <= 1e-10 * (1.0 + exact.abs()) { 0.0 } else { (excess / se).clamp(-f64::MAX, f64::MAX) }
}
