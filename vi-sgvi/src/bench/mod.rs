//! The estimator bench: gradient estimators on equal terms, on a model and a family of your own.
//!
//! [`compare`] measures every [`Candidate`] at the same points λ under the same keys: bias against a [`Reference`],
//! variance and signal-to-noise ratio of every element of the gradient, evaluations and seconds, and variance × cost
//! relative to the first candidate. With [`BenchSettings::race`] it then lets all of them climb from the first point
//! on an equal budget, over several seeds.
//!
//! ```text
//! z_i = (ḡ_i − g_i) / se_i,   SNR_i = |ḡ_i| / s_i,   relative = (Σ_i s_i² · cost) / (Σ_i s_i² · cost of the first)
//! ```
//! | figure | interval or test |
//! |---|---|
//! | variance, signal-to-noise ratio | percentile bootstrap over replicates |
//! | ratio of two variances | log ratio, delta method over paired replicates, Student t |
//! | bias | z-scores, Student t with limits that skewness widens, Bonferroni over elements, candidates and points |
//! | ELBO of a race, after equal evaluations and after equal seconds | Student t over seeds; differences paired by seed |
//!
//! Two candidates are *not distinguishable* when the paired test, corrected for the number of comparisons by Holm's
//! method, does not reject at [`BenchSettings::level`].

mod assembly;
mod by_block;
mod candidate;
mod noise;
mod points;
mod race;
mod reference;
mod report;
mod seconds;
mod settings;
mod statistics;
mod table;

use vi_core::{Exec, LogJoint, Role, StreamKey};
use vi_families::VariationalFamily;

use crate::elbo::Elbo;
use crate::error::{SgviError, require};

pub use candidate::{Candidate, OnModel};
pub use points::{Climb, Point, points_of_fit};
pub use reference::{ExactGradient, Reference};
pub use report::{
    EqualSeconds, EstimatorReport, Failure, Interval, Milestone, NoiseReport, PairReport, PointReport,
    RaceBySeconds, RaceEntry, RaceReport, Report, Verdict,
};
pub use settings::{BenchSettings, RaceSettings};
pub use statistics::z_limit;

/// Measures every candidate at every point, and lets them race if the settings say so.
///
/// Replicate r of every candidate draws from one and the same key. The first candidate is the one that the others
/// are measured by: put naive there. The same key gives the same report, seconds excepted.
///
/// # Errors
/// [`SgviError`] when model and family do not fit, a setting is outside its domain, or the reference fails. A
/// candidate that fails stands among [`Report::failures`], and the others go on.
pub fn compare<M, F>(
    model: &M,
    family: &F,
    candidates: &[Candidate<'_, M, F>],
    points: &[Point],
    reference: &Reference<'_, M, F>,
    settings: &BenchSettings,
    key: StreamKey,
) -> Result<Report, SgviError>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
{
    let bench = Bench { elbo: Elbo::new(model, family)?, candidates, points, reference, settings };
    bench.run(key, Exec::local(), &mut |_| true)
}

/// What [`compare`] compares, for callers who watch or interrupt.
pub struct Bench<'a, M: ?Sized, F> {
    /// The objective.
    pub elbo: Elbo<'a, M, F>,
    /// The estimators; the first is the one that the others are measured by.
    pub candidates: &'a [Candidate<'a, M, F>],
    /// Where gradients are estimated; races start at the first.
    pub points: &'a [Point],
    /// What the gradients are compared with.
    pub reference: &'a Reference<'a, M, F>,
    /// How much work is done.
    pub settings: &'a BenchSettings,
}

impl<M: ?Sized, F> std::fmt::Debug for Bench<'_, M, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bench")
            .field("candidates", &self.candidates)
            .field("points", &self.points)
            .field("reference", &self.reference)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// How far a bench has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'p> {
    /// The candidate that is at work.
    pub candidate: &'p str,
    /// What it does: the name of a point, `race`, or `climb` on the way to the points.
    pub stage: &'p str,
    /// Replicates or iterations of this stage that are done.
    pub n_done: u64,
    /// Of how many.
    pub n_total: u64,
}

/// Told after every replicate and iteration; `false` ends the bench with the candidates that are finished.
pub type Watch<'w> = dyn FnMut(Progress<'_>) -> bool + 'w;

impl<M, F> Bench<'_, M, F>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
{
    /// Runs the bench.
    ///
    /// # Errors
    /// As for [`compare`].
    pub fn run(&self, key: StreamKey, exec: Exec<'_>, watch: &mut Watch<'_>) -> Result<Report, SgviError> {
        self.settings.validate()?;
        require(!self.candidates.is_empty(), "candidates", 0.0, "at least one")?;
        require(!self.points.is_empty(), "points", 0.0, "at least one")?;
        for (i, candidate) in self.candidates.iter().enumerate() {
            if self.candidates[..i].iter().any(|c| c.name() == candidate.name()) {
                return Err(SgviError::DuplicateCandidate { name: candidate.name().to_owned() });
            }
        }
        let (mut done, mut failures, mut interrupted) = (Vec::new(), Vec::new(), false);
        let Some(targets) = noise::Targets::new(self, key, exec, watch)? else {
            return Ok(assembly::assemble(self, &done, failures, true));
        };
        for (index, candidate) in self.candidates.iter().enumerate() {
            match self.measure(index, candidate, &targets, key, exec, watch) {
                Ok(Some(measured)) => done.push(measured),
                Ok(None) => {
                    interrupted = true;
                    break;
                }
                Err(error) => {
                    failures.push(Failure { name: candidate.name().to_owned(), message: error.to_string() })
                }
            }
        }
        Ok(assembly::assemble(self, &done, failures, interrupted))
    }

    /// Everything about one candidate; `None` when the watch ended it.
    fn measure(
        &self,
        index: usize,
        candidate: &Candidate<'_, M, F>,
        targets: &noise::Targets,
        key: StreamKey,
        exec: Exec<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<Option<Measured>, SgviError> {
        let mut noises = Vec::new();
        for (p, point) in self.points.iter().enumerate() {
            let key = noise::point_key(key, p);
            let targets = (&targets.points[p], &targets.resamples);
            match noise::measure(self, candidate, point, targets, key, exec, watch)? {
                Some(noise) => noises.push(noise),
                None => return Ok(None),
            }
        }
        let race = match &self.settings.race {
            None => None,
            Some(settings) => {
                let key = key.role(Role::Chain(0));
                let job = race::Race { elbo: self.elbo, settings, start: &self.points[0].params };
                match race::run(&job, (candidate, self.settings), key, exec, watch)? {
                    Some(race) => Some(race),
                    None => return Ok(None),
                }
            }
        };
        let evaluations = candidate.cost(self.elbo);
        let work = self.settings.work(evaluations, self.elbo.model().dim());
        Ok(Some(Measured { index, evaluations, work, noises, race }))
    }
}

/// What was measured of one candidate.
#[derive(Debug)]
struct Measured {
    index: usize,
    evaluations: crate::estimator::Evaluations,
    work: f64,
    noises: Vec<noise::Noise>,
    race: Option<race::Course>,
}
