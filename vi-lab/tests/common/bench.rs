//! Small benches that run in a moment.

use std::path::Path;

use vi_lab::{BenchDocument, BenchOutcome, EstimatorBench, Interrupt, LabError, RunOptions};

/// Six coupled bits, five estimators, three points and a race.
pub(crate) const BITS: &str = r#"
name = "bits"
seed = 5

[model]
name = "ising"
rows = 2
columns = 3
field = -0.4
coupling = 0.9

[family]
name = "product"

[[estimators]]
name = "naive"
estimator = "score-function"
baseline = "none"
n_samples = 8

[[estimators]]
name = "loo"
estimator = "score-function"
n_samples = 8

[[estimators]]
name = "blanket"
estimator = "score-function"
rao_blackwellized = true
n_samples = 8

[[estimators]]
name = "disarm"
estimator = "disarm"
n_samples = 8

[[estimators]]
name = "local"
estimator = "local-expectations"
rao_blackwellized = true
n_samples = 2

[points]
by = "loo"
max_iterations = 200

[bench]
n_replicates = 60
n_bootstrap = 50

[bench.race]
n_seeds = 3
budget = 2000
n_milestones = 3
n_evaluate = 100
"#;

/// Parses a bench that stands in no file.
pub(crate) fn parse_bench(text: &str) -> Result<EstimatorBench, LabError> {
    EstimatorBench::parse(text, "bench.toml", Path::new("."))
}

/// The message of a bench that must be refused.
pub(crate) fn bench_refusal(text: &str) -> String {
    match parse_bench(text) {
        Ok(_) => panic!("the bench was accepted:\n{text}"),
        Err(error) => {
            assert_eq!(error.exit_code(), 2, "bad input has exit code 2: {error}");
            error.to_string()
        }
    }
}

/// Runs quietly into `out`.
pub(crate) fn bench(text: &str, out: &Path, threads: usize, interrupt: &Interrupt) -> BenchOutcome {
    let bench = parse_bench(text).unwrap_or_else(|e| panic!("{e}"));
    let options =
        RunOptions { out: Some(out.to_owned()), threads: Some(threads), quiet: true, resume: false };
    vi_lab::run_estimators(&bench, &options, interrupt).unwrap_or_else(|e| panic!("{e}"))
}

/// The document without what is allowed to differ between runs of one bench.
pub(crate) fn comparable_bench(document: &BenchDocument) -> String {
    let mut document = document.clone();
    document.report.clear_seconds();
    document.manifest.threads = 0;
    document.to_json().expect("a document is plain data")
}
