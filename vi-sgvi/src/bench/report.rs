//! What a bench reports.

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::BenchSettings;
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
    /// The element of λ that speaks most against the candidate, and its |z|.
    pub worst: Option<(String, f64)>,
    /// The p-value of that |z|, less what the skewness of the replicates explains, corrected for all elements, candidates
    /// and points.
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

/// A candidate after the seconds that all have raced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EqualSeconds {
    /// The candidate.
    pub name: String,
    /// Mean ELBO over the seeds.
    pub elbo: Interval,
    /// The ELBO of every seed, on the line between its milestones.
    pub elbos: Vec<f64>,
}

/// A race judged by the clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RaceBySeconds {
    /// The longest time that every candidate has raced with every seed.
    pub seconds: f64,
    /// The candidates then.
    pub estimators: Vec<EqualSeconds>,
    /// Every pair of them.
    pub pairs: Vec<PairReport>,
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
    /// The same after equal seconds; `None` when there is nothing to compare.
    pub by_seconds: Option<RaceBySeconds>,
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
        if let Some(race) = &mut self.race {
            race.by_seconds = None;
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
