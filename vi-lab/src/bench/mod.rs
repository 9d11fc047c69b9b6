//! The estimator bench: every estimator of a file at the same points, under the same keys.

mod document;
mod exact;
mod lines;

use std::path::PathBuf;

use vi_core::{Exec, StreamKey};
use vi_sgvi::bench::{Bench, BenchSettings, Candidate, Climb, Point, Progress, Reference, Report};
use vi_sgvi::{Elbo, SgviError};

pub use document::{BenchDocument, BenchFamily};
pub(crate) use exact::{check_points, has_exact, of_mean_field, of_product};

use crate::config::{EstimatorBench, EstimatorConfig, ReferenceKind};
use crate::error::LabError;
use crate::estimators::{AnyEstimator, AnyModel, LabFamily, OnFamily, Scale, build, told, with_family};
use crate::interrupt::Interrupt;
use crate::output::OutputDirectory;
use crate::report;
use crate::run::RunOptions;
use lines::Lines;

/// What a bench came to.
#[derive(Clone, Debug)]
pub struct BenchOutcome {
    /// What stands in `estimators.json`; `None` when the bench was interrupted before its points were found.
    pub document: Option<BenchDocument>,
    /// Where it was written.
    pub directory: PathBuf,
    /// Whether estimators are missing because it was interrupted.
    pub interrupted: bool,
}

/// Compares the estimators of a bench and writes `estimators.json`, `manifest.json` and `report.html`.
///
/// Interrupted, it writes the estimators that are finished. `options.resume` means nothing here.
///
/// # Errors
/// [`LabError`] when the output directory is not writable (before any work is done), the climb to the points fails, or
/// the reference does. An estimator that fails stands in the report, and the others go on.
pub fn run_estimators(
    bench: &EstimatorBench,
    options: &RunOptions,
    interrupt: &Interrupt,
) -> Result<BenchOutcome, LabError> {
    let directory = options.out.clone().unwrap_or_else(|| bench.experiment.default_directory());
    let output = OutputDirectory::create_with(&directory, &[])?;
    crate::stale::remove_documents(&output)?;
    crate::run::in_pool(options.threads, || {
        let job = Job { bench, options, interrupt };
        let report = with_family(&bench.family, bench.target(), job).map_err(failed)??;
        let document = report.map(|report| BenchDocument::new(bench, report));
        if let Some(document) = &document {
            document.write(bench, &output, &report::render_bench(bench, document)?)?;
        }
        let interrupted = document.as_ref().is_none_or(|d| d.report.interrupted);
        Ok(BenchOutcome { document, directory: output.root().to_owned(), interrupted })
    })
}

fn failed(error: SgviError) -> LabError {
    LabError::method("bench", error)
}

/// A bench whose family and scale are not there yet.
struct Job<'b> {
    bench: &'b EstimatorBench,
    options: &'b RunOptions,
    interrupt: &'b Interrupt,
}

impl OnFamily for Job<'_> {
    type Out = Result<Option<Report>, LabError>;

    fn on<F: LabFamily>(self, family: F, scale: Scale<'_>) -> Result<Option<Report>, LabError> {
        self.compare(&family, scale)
    }
}

type Candidates<'s, F> = Vec<Candidate<'s, AnyModel<'s>, F>>;

impl Job<'_> {
    fn compare<'s, F: LabFamily>(&self, family: &'s F, scale: Scale<'s>) -> Result<Option<Report>, LabError> {
        let (bench, exec) = (self.bench, Exec::local());
        let key = StreamKey::from_seed(bench.experiment.seed);
        let elbo = Elbo::<AnyModel<'s>, F>::new(scale.log_joint, family).map_err(failed)?;
        let candidates: Candidates<'s, F> =
            bench.estimators.iter().map(|e| self.candidate(e, scale)).collect::<Result<_, LabError>>()?;
        let mut lines = Lines::new(self.options.quiet);
        let mut watch = |progress: Progress<'_>| {
            self.interrupt.tick();
            lines.show(progress);
            !self.interrupt.is_raised()
        };
        let Some(points) = self.points(elbo, &candidates, key.fold_in(1), &mut watch)? else {
            return Ok(None);
        };
        let reference = self.reference(family, scale)?;
        let settings: &BenchSettings = &bench.settings;
        let run = Bench { elbo, candidates: &candidates, points: &points, reference: &reference, settings };
        run.run(key.fold_in(0), exec, &mut watch).map(Some).map_err(failed)
    }

    fn estimator<'s, F: LabFamily>(
        &self,
        config: &EstimatorConfig,
        scale: Scale<'s>,
    ) -> Result<AnyEstimator<'s, F>, LabError> {
        let (family, model) = (self.bench.family.family, self.bench.experiment.study.name());
        build(&config.settings, scale).map_err(|lack| told(lack, family, model, &config.owner()).into())
    }

    fn candidate<'s, F: LabFamily>(
        &self,
        config: &EstimatorConfig,
        scale: Scale<'s>,
    ) -> Result<Candidate<'s, AnyModel<'s>, F>, LabError> {
        Ok(Candidate::new(self.estimator::<F>(config, scale)?).named(&config.name))
    }

    /// The points of the climb and those that are given; `None` when the watch ended the climb.
    fn points<'s, F: LabFamily>(
        &self,
        elbo: Elbo<'s, AnyModel<'s>, F>,
        candidates: &Candidates<'s, F>,
        key: StreamKey,
        watch: &mut vi_sgvi::bench::Watch<'_>,
    ) -> Result<Option<Vec<Point>>, LabError> {
        let config = &self.bench.points;
        let mut points = Vec::new();
        if let Some(by) = &config.by {
            let candidate = candidates.iter().find(|c| c.name() == by);
            let candidate = candidate.unwrap_or_else(|| unreachable!("the name was checked in the file"));
            let climb = Climb { elbo, candidate, settings: &config.climb() };
            let found = climb.run(key, Exec::local(), watch);
            let Some(found) = found.map_err(|e| LabError::method(by, e))? else { return Ok(None) };
            let used = |p: &Point| config.names.iter().any(|name| name.name() == p.name);
            points.extend(found.into_iter().filter(used));
        }
        points.extend(config.given());
        Ok(Some(points))
    }

    fn reference<'s, F: LabFamily>(
        &self,
        family: &'s F,
        scale: Scale<'s>,
    ) -> Result<Reference<'s, AnyModel<'s>, F>, LabError> {
        let config = &self.bench.reference;
        let exact = || F::exact(family, scale);
        let paired = || {
            let name = "the reference".to_owned();
            let settings = config.estimator.clone();
            let estimator = EstimatorConfig { name, settings, at: config.owner_at.clone() };
            let estimator = self.estimator::<F>(&estimator, scale)?;
            let candidate = Candidate::new(estimator);
            let name = format!("{} with {} samples", candidate.name(), config.estimator.n_samples);
            Ok(Reference::Paired(candidate.named(name)))
        };
        match config.kind {
            ReferenceKind::None => Ok(Reference::None),
            ReferenceKind::Paired => paired(),
            ReferenceKind::Auto | ReferenceKind::Exact => exact().map_or_else(paired, Ok),
        }
    }
}
