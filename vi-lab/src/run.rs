//! A whole experiment: every method in turn, every result written as soon as it is there.

use std::path::PathBuf;
use std::time::Instant;

use vi_core::checkpoint::{self, Header};
use vi_core::{Role, StreamKey};

use crate::config::{DrawsFormat, Experiment, MethodConfig};
use crate::error::LabError;
use crate::interrupt::Interrupt;
use crate::manifest::Manifest;
use crate::methods::{self, Context};
use crate::output::{OutputDirectory, pretty};
use crate::progress::Progress;
use crate::report;
use crate::result::MethodResult;
use crate::stale::{remove_checkpoints, remove_results};
use crate::summary::Summary;

/// How an experiment is run.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Where results go; `results/<name>` when absent.
    pub out: Option<PathBuf>,
    /// Threads; as many as the machine has when absent. Results do not depend on it.
    pub threads: Option<usize>,
    /// Whether progress is hidden.
    pub quiet: bool,
    /// Whether to go on from the checkpoints of an interrupted run.
    pub resume: bool,
}

/// What an experiment came to.
#[derive(Clone, Debug)]
pub struct RunOutcome {
    /// What stands in `summary.json`.
    pub summary: Summary,
    /// Everything else that is known of the methods.
    pub results: Vec<MethodResult>,
    /// Where it was written.
    pub directory: PathBuf,
    /// Whether it was interrupted and can be resumed.
    pub interrupted: bool,
}

/// Runs an experiment and writes `summary.json`, `manifest.json`, `report.html`, `traces/` and `draws/`.
///
/// # Errors
/// [`LabError`] when the output directory is not writable (before any work is done), the checkpoints belong to
/// another experiment, or a method fails; then the methods that finished before it are written all the same.
pub fn run(
    experiment: &Experiment,
    options: &RunOptions,
    interrupt: &Interrupt,
) -> Result<RunOutcome, LabError> {
    let directory = options.out.clone().unwrap_or_else(|| experiment.default_directory());
    let output = OutputDirectory::create(&directory)?;
    prepare_checkpoints(experiment, &output, options.resume)?;
    in_pool(options.threads, || run_methods(experiment, options, interrupt, &output))
}

/// Works on so many threads, or as many as the machine has.
pub(crate) fn in_pool<T: Send>(
    threads: Option<usize>,
    work: impl FnOnce() -> Result<T, LabError> + Send,
) -> Result<T, LabError> {
    let n = threads.unwrap_or(0);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build();
    pool.map_err(|source| LabError::Threads { n, source })?.install(work)
}

fn run_methods(
    experiment: &Experiment,
    options: &RunOptions,
    interrupt: &Interrupt,
    output: &OutputDirectory,
) -> Result<RunOutcome, LabError> {
    let mut results: Vec<MethodResult> = Vec::new();
    let mut failure = None;
    for config in &experiment.methods {
        if interrupt.is_raised() {
            break;
        }
        match run_method(experiment, config, options, interrupt, output) {
            Ok(result) => {
                write_method(experiment, output, &result)?;
                results.push(result);
            }
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    let interrupted = results.len() < experiment.methods.len() || results.iter().any(|r| r.interrupted);
    let summary = Summary::new(experiment, &results, Manifest::here());
    let written = write_documents(experiment, output, &summary, &results);
    if let Some(error) = failure {
        return Err(error);
    }
    written?;
    if !interrupted {
        remove_checkpoints(output)?;
    }
    Ok(RunOutcome { summary, results, directory: output.root().to_owned(), interrupted })
}

fn run_method(
    experiment: &Experiment,
    config: &MethodConfig,
    options: &RunOptions,
    interrupt: &Interrupt,
    output: &OutputDirectory,
) -> Result<MethodResult, LabError> {
    let progress = Progress::new(&config.name, options.quiet);
    let root = StreamKey::from_seed(experiment.seed);
    let fingerprint = experiment.fingerprint();
    let context = Context {
        name: &config.name,
        // Named, not numbered: adding a method to an experiment changes no other method's numbers.
        key: root.fold_in(checkpoint::fingerprint(&config.name)),
        evaluation_key: root.role(Role::Evaluate),
        study: experiment.study.as_ref(),
        interrupt,
        progress: &progress,
        checkpoints: output.path("checkpoints"),
        fingerprint,
        resume: options.resume,
        started: Instant::now(),
        earlier_s: 0.0,
    };
    let earlier_s = context.saved::<f64>(ELAPSED)?.map_or(0.0, |(_, s)| s);
    let context = Context { earlier_s, ..context };
    if let Some((_, result)) = context.saved::<MethodResult>(RESULT)? {
        progress.finish("done in an earlier session".to_owned());
        return Ok(result);
    }
    let result = methods::run(experiment.study.as_ref(), config, &context)?;
    if result.interrupted {
        context.save(ELAPSED, result.iterations, &result.elapsed_s)?;
    } else {
        context.save(RESULT, result.iterations, &result)?;
    }
    progress.finish(result.stop_reason.clone());
    Ok(result)
}

/// Parts of a method's checkpoints beside those that the method itself writes.
const RESULT: &str = "result";
const ELAPSED: &str = "elapsed";

fn write_method(
    experiment: &Experiment,
    output: &OutputDirectory,
    result: &MethodResult,
) -> Result<(), LabError> {
    output.write_trace(&result.name, &result.trace)?;
    match (&result.draws, experiment.draws) {
        (None, _) | (_, DrawsFormat::None) => Ok(()),
        (Some(draws), DrawsFormat::Csv) => output.write_draws_csv(&result.name, draws),
        (Some(draws), DrawsFormat::Npy) => output.write_draws_npy(&result.name, draws),
    }
}

fn write_documents(
    experiment: &Experiment,
    output: &OutputDirectory,
    summary: &Summary,
    results: &[MethodResult],
) -> Result<(), LabError> {
    let report = report::render(experiment, results, summary)?;
    output.write("manifest.json", summary.manifest.of(experiment)?.as_bytes())?;
    output.write("report.html", report.as_bytes())?;
    // Last: who finds a summary finds all that it summarises.
    output.write("summary.json", pretty(summary)?.as_bytes())
}

const OWNER: &str = "experiment.checkpoint";

/// Marks the checkpoints as this experiment's; those of another are refused or, in a fresh run, removed with
/// all results of earlier runs.
fn prepare_checkpoints(
    experiment: &Experiment,
    output: &OutputDirectory,
    resume: bool,
) -> Result<(), LabError> {
    let directory = output.path("checkpoints");
    let path = directory.join(OWNER);
    let expected = experiment.fingerprint();
    if resume && path.exists() {
        let (header, _) = checkpoint::inspect(&path).map_err(|source| LabError::Resume { source })?;
        if header.fingerprint != expected {
            return Err(LabError::Fingerprint { directory, expected, found: header.fingerprint });
        }
        return Ok(());
    }
    remove_results(experiment, output)?;
    remove_checkpoints(output)?;
    std::fs::create_dir_all(&directory).map_err(|source| LabError::Write { path: directory, source })?;
    Ok(checkpoint::write(&path, &Header::new("experiment", expected), 0, &experiment.name)?)
}
