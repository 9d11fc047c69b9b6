//! From measurements to a report.

use vi_core::LogJoint;
use vi_families::VariationalFamily;

use super::noise::{Noise, Score};
use super::race::Course;
use super::report::{
    EqualSeconds, EstimatorReport, Failure, Interval, Milestone, NoiseReport, PairReport, PointReport,
    RaceBySeconds, RaceEntry, RaceReport, Report, Verdict,
};
use super::statistics::{
    around, holm, moments, reach_of_skewness, student_t_limit, student_t_test, student_t_two_sided, z_limit,
};
use super::{Bench, BenchSettings, Measured};

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
        let against = noise.scores.as_ref().and_then(|scores| self.strongest(scores, noise.largest));
        let worst = against.map(|(at, score, _)| (self.param_names[at].clone(), score.z.abs()));
        let p_unbiased = against.map(|(_, _, beyond)| self.p_unbiased(beyond));
        let scaled =
            |r: Interval, by: f64| Interval { value: r.value * by, lower: r.lower * by, upper: r.upper * by };
        NoiseReport {
            name: self.names[i].to_owned(),
            mean: noise.mean.clone(),
            mcse: noise.mcse.clone(),
            z: noise.scores.as_ref().map(|scores| scores.iter().map(|s| s.z).collect()),
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

    /// The element of λ that speaks most against an estimator, with what is left of its |z| after what may be missing from
    /// the replicates by chance: the tail that their skewness tells of, and values as large as the `largest` that any
    /// element had, if they come in less than ln(tests/level) of n replicates. (The score of a bit that is hardly ever 1
    /// has almost no variance until it is.)
    fn strongest(&self, scores: &[Score], largest: f64) -> Option<(usize, Score, f64)> {
        let n = self.settings.n_replicates;
        let limit = z_limit(self.settings.level, self.n_tests(), n);
        let unseen = largest * (self.n_tests() / self.settings.level).ln() / n as f64;
        let left = |s: &Score| match s.z.abs() {
            // Without noise nothing is left to chance.
            f64::MAX => f64::MAX,
            _ if s.excess.abs() <= unseen => 0.0,
            z => (z - reach_of_skewness(s.skewness, limit, n as f64)).max(0.0),
        };
        let all = scores.iter().enumerate().map(|(i, s)| (i, *s, left(s)));
        all.max_by(|a, b| a.2.total_cmp(&b.2).then(a.1.z.abs().total_cmp(&b.1.z.abs())))
    }

    fn n_tests(&self) -> f64 {
        (self.param_names.len() * self.done.len() * self.n_points) as f64
    }

    fn p_unbiased(&self, z: f64) -> f64 {
        let dof = self.settings.n_replicates as f64 - 1.0;
        (student_t_two_sided(z, dof) * self.n_tests()).min(1.0)
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
        let pairs = self.elbo_pairs(last);
        let by_seconds = super::seconds::common(&courses).map(|seconds| {
            let elbos = courses.iter().map(|course| super::seconds::elbos(course, seconds));
            let standing = |(i, elbos)| super::seconds::standing(self.names[i], elbos, level);
            let estimators: Vec<EqualSeconds> = elbos.enumerate().map(standing).collect();
            let pairs = self.elbo_pairs(|i| &estimators[i].elbos);
            RaceBySeconds { seconds, estimators, pairs }
        });
        let estimators = courses.iter().enumerate().map(entry).collect();
        Some(RaceReport { budget: race.budget, n_seeds: race.n_seeds, estimators, pairs, by_seconds })
    }

    /// Paired tests of the ELBOs that candidates have for every seed.
    fn elbo_pairs<'e>(&self, elbos: impl Fn(usize) -> &'e [f64]) -> Vec<PairReport> {
        let level = self.settings.level;
        let mut pairs = self.each_pair(|i, j| {
            let differences: Vec<f64> = elbos(i).iter().zip(elbos(j)).map(|(a, b)| a - b).collect();
            let (difference, p) = student_t_test(&differences, level);
            (Some(difference), p, difference.value)
        });
        settle(pairs.iter_mut().collect(), level);
        pairs
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
