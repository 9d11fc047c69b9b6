//! What a bench reports.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use vi_core::LogJoint;
use vi_families::VariationalFamily;

use super::noise::Noise;
use super::race::Course;
use super::statistics::{around, holm, moments, student_t_limit, student_t_test, student_t_two_sided};
use super::{Bench, BenchSettings, Measured};
use crate::estimator::Evaluations;

/// An estimate and its interval at the report's level.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

/// What a corrected test says of two candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The test does not reject that they are equal.
    NotDistinguishable,
    /// The first has the smaller variance, or the higher ELBO.
    FirstIsBetter,
    /// The second has.
    SecondIsBetter,
}

/// Two candidates compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairReport {
    /// The first.
    pub first: String,
    /// The second.
    pub second: String,
    /// Ratio of total variances, first over second, `None` when one of them is 0; in a race the ELBO of the first
    /// less that of the second.
    pub difference: Option<Interval>,
    /// The p-value, corrected by Holm's method for all comparisons of its kind in the report.
    pub p: f64,
    /// What follows at the report's level.
    pub verdict: Verdict,
}

/// One candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EstimatorReport {
    /// Its name.
    pub name: String,
    /// Why it is biased, by its own account.
    pub bias: Option<String>,
    /// What one gradient costs.
    pub evaluations: Evaluations,
    /// The same in log joints.
    pub work: f64,
}

/// A candidate at a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseReport {
    /// The candidate.
    pub name: String,
    /// Mean of the replicates (P).
    pub mean: Vec<f64>,
    /// Its standard error (P).
    pub mcse: Vec<f64>,
    /// Excess over the reference in standard errors (P); the largest double where there is an excess without noise.
    pub z: Option<Vec<f64>>,
    /// The element of λ of the largest |z|, and that |z|.
    pub worst: Option<(String, f64)>,
    /// The p-value of the largest |z|, corrected for all elements, candidates and points.
    pub p_unbiased: Option<f64>,
    /// Whether it is below the level.
    pub biased: Option<bool>,
    /// Variance of one gradient (P).
    pub variance: Vec<Interval>,
    /// |mean| / standard deviation (P).
    pub snr: Vec<Interval>,
    /// Sum of the variances.
    pub total_variance: Interval,
    /// Total variance over that of the first candidate.
    pub relative_variance: Option<Interval>,
    /// The same, each times its work.
    pub relative_variance_times_work: Option<Interval>,
    /// The same, each times its seconds.
    pub relative_variance_times_seconds: Option<f64>,
    /// Median seconds of one gradient.
    pub seconds: f64,
}

/// All candidates at a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointReport {
    /// Its name.
    pub name: String,
    /// λ (P).
    pub params: Array1<f64>,
    /// The candidates that finished.
    pub estimators: Vec<NoiseReport>,
    /// Every pair of them: total variances.
    pub pairs: Vec<PairReport>,
}

/// A candidate at a milestone of a race.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Milestone {
    /// The share of the budget that the milestone stands for, in log joints.
    pub target: f64,
    /// Iterations done.
    pub n_iterations: u64,
    /// What they cost, in log joints.
    pub work: f64,
    /// Mean seconds over the seeds.
    pub seconds: f64,
    /// Mean ELBO over the seeds.
    pub elbo: Interval,
    /// The ELBO of every seed.
    pub elbos: Vec<f64>,
}

/// A candidate in a race.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RaceEntry {
    /// The candidate.
    pub name: String,
    /// Its milestones, the last one at the end of the budget.
    pub milestones: Vec<Milestone>,
}

/// A race.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RaceReport {
    /// Log joints that each candidate had for each seed.
    pub budget: f64,
    /// Seeds.
    pub n_seeds: u32,
    /// The candidates that finished.
    pub estimators: Vec<RaceEntry>,
    /// Every pair of them: the ELBO at the end of the budget.
    pub pairs: Vec<PairReport>,
}

/// A candidate that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The candidate.
    pub name: String,
    /// Its error.
    pub message: String,
}

/// What [`super::compare`] found: for programs by serde, for people by `Display`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What gradients were compared with.
    pub reference: String,
    /// The candidate that the others are measured by; `None` when it did not finish.
    pub yardstick: Option<String>,
    /// Settings of the bench.
    pub settings: BenchSettings,
    /// Names of the elements of λ.
    pub param_names: Vec<String>,
    /// The candidates that finished.
    pub estimators: Vec<EstimatorReport>,
    /// What was found at every point.
    pub points: Vec<PointReport>,
    /// The race.
    pub race: Option<RaceReport>,
    /// Candidates that failed.
    pub failures: Vec<Failure>,
    /// Whether candidates are missing because the bench was ended.
    pub interrupted: bool,
}

impl Report {
    /// Sets all seconds to 0: what is left depends on the key alone.
    pub fn clear_seconds(&mut self) {
        for noise in self.points.iter_mut().flat_map(|p| &mut p.estimators) {
            noise.seconds = 0.0;
            noise.relative_variance_times_seconds = None;
        }
        for milestone in self.race.iter_mut().flat_map(|r| &mut r.estimators).flat_map(|e| &mut e.milestones)
        {
            milestone.seconds = 0.0;
        }
    }

    /// The two candidates' comparison among `pairs`, in either order.
    pub fn pair<'p>(pairs: &'p [PairReport], a: &str, b: &str) -> Option<&'p PairReport> {
        pairs.iter().find(|p| (p.first == a && p.second == b) || (p.first == b && p.second == a))
    }
}

/// Puts the measurements together.
pub(super) fn assemble<M, F>(
    bench: &Bench<'_, M, F>,
    done: &[Measured],
    failures: Vec<Failure>,
    interrupted: bool,
) -> Report
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
{
    let names: Vec<&str> = done.iter().map(|m| bench.candidates[m.index].name()).collect();
    let settings = bench.settings;
    let estimators = done.iter().map(|m| EstimatorReport {
        name: bench.candidates[m.index].name().to_owned(),
        bias: bench.candidates[m.index].bias().map(str::to_owned),
        evaluations: m.evaluations,
        work: m.work,
    });
    let param_names = bench.elbo.family().param_names();
    let yardstick = done.first().filter(|m| m.index == 0);
    let context = Assembly {
        names: &names,
        param_names: &param_names,
        settings,
        done,
        yardstick,
        n_points: bench.points.len(),
    };
    let mut points: Vec<PointReport> = (0..bench.points.len())
        .map(|p| PointReport {
            name: bench.points[p].name.clone(),
            params: bench.points[p].params.clone(),
            estimators: (0..done.len()).map(|i| context.noise(p, i)).collect(),
            pairs: context.pairs(p),
        })
        .collect();
    settle(points.iter_mut().flat_map(|p| &mut p.pairs).collect(), settings.level);
    Report {
        reference: bench.reference.describe(),
        yardstick: yardstick.map(|m| bench.candidates[m.index].name().to_owned()),
        settings: settings.clone(),
        estimators: estimators.collect(),
        race: context.race(),
        param_names,
        points,
        failures,
        interrupted,
    }
}

/// Corrects the p-values of `pairs` for their number and withdraws verdicts that no longer hold.
fn settle(mut pairs: Vec<&mut PairReport>, level: f64) {
    let adjusted = holm(&pairs.iter().map(|p| p.p).collect::<Vec<_>>());
    for (pair, p) in pairs.iter_mut().zip(adjusted) {
        pair.p = p;
        // A p-value that is no number distinguishes nothing.
        if p.is_nan() || p > level {
            pair.verdict = Verdict::NotDistinguishable;
        }
    }
}

struct Assembly<'a> {
    names: &'a [&'a str],
    param_names: &'a [String],
    settings: &'a BenchSettings,
    done: &'a [Measured],
    yardstick: Option<&'a Measured>,
    n_points: usize,
}

impl Assembly<'_> {
    fn noise(&self, p: usize, i: usize) -> NoiseReport {
        let measured = &self.done[i];
        let noise = &measured.noises[p];
        let yardstick = self.yardstick.map(|m| (m, &m.noises[p]));
        let relative = yardstick.and_then(|(_, other)| self.ratio(noise, other)).map(|r| r.0);
        let worst = noise.z.as_ref().and_then(|z| {
            let (at, z) = z.iter().map(|z| z.abs()).enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
            Some((self.param_names[at].clone(), z))
        });
        let p_unbiased = worst.as_ref().map(|w| self.p_unbiased(w.1));
        let scaled =
            |r: Interval, by: f64| Interval { value: r.value * by, lower: r.lower * by, upper: r.upper * by };
        NoiseReport {
            name: self.names[i].to_owned(),
            mean: noise.mean.clone(),
            mcse: noise.mcse.clone(),
            z: noise.z.clone(),
            worst,
            p_unbiased,
            biased: p_unbiased.map(|p| p < self.settings.level),
            variance: noise.variance.clone(),
            snr: noise.snr.clone(),
            total_variance: noise.total_variance,
            relative_variance: relative,
            relative_variance_times_work: yardstick
                .and_then(|(m, _)| relative.map(|r| scaled(r, measured.work / m.work))),
            relative_variance_times_seconds: yardstick
                .and_then(|(_, other)| relative.map(|r| r.value * noise.seconds / other.seconds)),
            seconds: noise.seconds,
        }
    }

    fn p_unbiased(&self, z: f64) -> f64 {
        let n_tests = self.param_names.len() * self.done.len() * self.n_points;
        let dof = self.settings.n_replicates as f64 - 1.0;
        (student_t_two_sided(z, dof) * n_tests as f64).min(1.0)
    }

    /// The ratio of two total variances and the p-value of equality, from paired replicates; `None` when one is 0.
    ///
    /// ```text
    /// log (V_a/V_b) ± t · sd_r(d_ar/V_a − d_br/V_b)/√R,   V = mean of d_r
    /// ```
    fn ratio(&self, a: &Noise, b: &Noise) -> Option<(Interval, f64)> {
        let (of_a, of_b) = (a.total_variance.value, b.total_variance.value);
        if !(of_a > 0.0 && of_b > 0.0) {
            return None;
        }
        let influence: Vec<f64> =
            a.deviations.iter().zip(&b.deviations).map(|(a, b)| a / of_a - b / of_b).collect();
        let n = influence.len() as f64;
        let se = (moments(&influence).1 / n).sqrt();
        let (log, p) = around((of_a / of_b).ln(), se, n - 1.0, self.settings.level);
        Some((Interval { value: log.value.exp(), lower: log.lower.exp(), upper: log.upper.exp() }, p))
    }

    fn pairs(&self, p: usize) -> Vec<PairReport> {
        self.each_pair(|i, j| {
            let (a, b) = (&self.done[i].noises[p], &self.done[j].noises[p]);
            let (of_a, of_b) = (a.total_variance.value, b.total_variance.value);
            match self.ratio(a, b) {
                Some((ratio, p)) => (Some(ratio), p, -ratio.value.ln()),
                None => (None, if of_a == of_b { 1.0 } else { 0.0 }, of_b - of_a),
            }
        })
    }

    /// `compare` gives the difference, its p-value, and a number that is positive when the first is better.
    fn each_pair(&self, compare: impl Fn(usize, usize) -> (Option<Interval>, f64, f64)) -> Vec<PairReport> {
        let pairs = (0..self.done.len()).flat_map(|i| (i + 1..self.done.len()).map(move |j| (i, j)));
        pairs
            .map(|(i, j)| {
                let (difference, p, advantage) = compare(i, j);
                let verdict = if advantage > 0.0 { Verdict::FirstIsBetter } else { Verdict::SecondIsBetter };
                PairReport {
                    first: self.names[i].to_owned(),
                    second: self.names[j].to_owned(),
                    difference,
                    p,
                    verdict,
                }
            })
            .collect()
    }

    fn race(&self) -> Option<RaceReport> {
        let race = self.settings.race.as_ref()?;
        let level = self.settings.level;
        let courses: Vec<&Course> = self.done.iter().filter_map(|m| m.race.as_ref()).collect();
        let reach = student_t_limit(level, f64::from(race.n_seeds) - 1.0);
        let entry = |(i, course): (usize, &&Course)| RaceEntry {
            name: self.names[i].to_owned(),
            milestones: course.milestones.iter().map(|m| milestone(m, self.done[i].work, reach)).collect(),
        };
        let last = |i: usize| courses[i].milestones.last().map_or(&[][..], |m| &m.elbos);
        let mut pairs = self.each_pair(|i, j| {
            let differences: Vec<f64> = last(i).iter().zip(last(j)).map(|(a, b)| a - b).collect();
            let (difference, p) = student_t_test(&differences, level);
            (Some(difference), p, difference.value)
        });
        settle(pairs.iter_mut().collect(), level);
        let estimators = courses.iter().enumerate().map(entry).collect();
        Some(RaceReport { budget: race.budget, n_seeds: race.n_seeds, estimators, pairs })
    }
}

fn milestone(passed: &super::race::Passed, work: f64, reach: f64) -> Milestone {
    let n = passed.elbos.len() as f64;
    let (mean, variance) = moments(&passed.elbos);
    let reach = reach * (variance / n).sqrt();
    Milestone {
        target: passed.target,
        n_iterations: passed.n_iterations,
        work: passed.n_iterations as f64 * work,
        seconds: passed.seconds.iter().sum::<f64>() / n,
        elbo: Interval { value: mean, lower: mean - reach, upper: mean + reach },
        elbos: passed.elbos.clone(),
    }
}
