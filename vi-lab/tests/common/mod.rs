//! Small experiments that run in a moment.
#![allow(dead_code, reason = "every test file is a crate of its own and uses a part of this")]

pub(crate) mod bench;

use std::path::Path;

use vi_lab::{Experiment, Interrupt, LabError, RunOptions, RunOutcome};

/// All five methods on eight schools, with budgets far too small to trust and large enough to fill every field.
pub(crate) const TINY: &str = r#"
name = "tiny"
seed = 7

[data]
set = "eight_schools"

[model]
name = "eight_schools"

[[methods]]
method = "cavi"
n_restarts = 3
n_draws = 200

[[methods]]
name = "full-rank"
method = "sgvi"
family = "full-rank"
n_samples = 4
max_iterations = 60
n_draws = 200

[[methods]]
name = "score"
method = "sgvi"
estimator = "score-function"
n_samples = 8
max_iterations = 60
n_draws = 200

[[methods]]
method = "nuts"
n_chains = 2
n_warmup = 60
n_draws = 50

[[methods]]
method = "gibbs"
n_chains = 2
n_warmup = 20
n_draws = 60
thin = 2

[[methods]]
method = "random_walk"
n_chains = 2
n_warmup = 100
n_draws = 60
thin = 2
"#;

/// Parses an experiment that stands in no file.
pub(crate) fn parse(text: &str) -> Result<Experiment, LabError> {
    Experiment::parse(text, "test.toml", Path::new("."))
}

/// The message of an experiment that must be refused.
pub(crate) fn refusal(text: &str) -> String {
    match parse(text) {
        Ok(_) => panic!("the experiment was accepted:\n{text}"),
        Err(error) => {
            assert_eq!(error.exit_code(), 2, "bad input has exit code 2: {error}");
            error.to_string()
        }
    }
}

/// Runs quietly into `out`.
pub(crate) fn run(text: &str, out: &Path, threads: usize, resume: bool, interrupt: &Interrupt) -> RunOutcome {
    let experiment = parse(text).expect("the experiment is in order");
    let options = RunOptions { out: Some(out.to_owned()), threads: Some(threads), quiet: true, resume };
    vi_lab::run(&experiment, &options, interrupt).expect("the experiment runs")
}

/// The summary as JSON, without what is allowed to differ between runs of one experiment.
pub(crate) fn comparable(outcome: &RunOutcome) -> String {
    let mut summary = outcome.summary.clone();
    summary.manifest.threads = 0;
    for method in &mut summary.methods {
        method.elapsed_s = 0.0;
    }
    serde_json::to_string_pretty(&summary).expect("a summary is plain data")
}

/// A built-in model's experiment with these lines as `[data]`.
pub(crate) fn with_data(data: &str) -> String {
    format!(
        "name = \"x\"\n[data]\n{data}\n[model]\nname = \"linear_regression\"\n[[methods]]\nmethod = \"cavi\"\n"
    )
}
