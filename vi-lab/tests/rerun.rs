//! What a second run into the same directory leaves of the first.

mod common;

use std::fs;
use std::path::Path;

use common::{TINY, parse, run};
use serde_json::Value;
use vi_lab::{Interrupt, LabError, RunOptions};

const DOCUMENTS: [&str; 3] = ["summary.json", "report.html", "manifest.json"];

/// The experiment's first method, followed by these.
fn cavi_and(methods: &str) -> String {
    let (head, _) = TINY.split_once("[[methods]]\nname = \"full-rank\"").expect("a second method");
    format!("{head}\n{methods}")
}

/// A mixture has no Fisher information in closed form: the first natural gradient fails.
const FAILING: &str = "[[methods]]\nname = \"wild\"\nmethod = \"sgvi\"\nfamily = \"mixture\"\n\
                       estimator = \"score-function\"\nn_samples = 4\nmax_iterations = 60\n\
                       optimizer = { natural = {} }\n";

/// Steps so long that the first one leaves the finite numbers.
const DIVERGING: &str = "[[methods]]\nname = \"wild\"\nmethod = \"sgvi\"\nn_samples = 4\nmax_iterations = 60\n\
                         optimizer = { sgd = { learning_rate = { constant = 1e300 } } }\n";

fn fails(text: &str, out: &Path) -> LabError {
    let experiment = parse(text).expect("the experiment is in order");
    let options = RunOptions { out: Some(out.to_owned()), threads: Some(1), quiet: true, resume: false };
    vi_lab::run(&experiment, &options, &Interrupt::new()).expect_err("a mixture has no natural gradient")
}

fn summary(out: &Path) -> Value {
    serde_json::from_slice(&fs::read(out.join("summary.json")).expect("a summary")).expect("JSON")
}

#[test]
fn a_method_that_fails_leaves_the_documents_of_those_before_it() {
    let out = tempfile::tempdir().expect("a temporary directory");
    let error = fails(&cavi_and(FAILING), out.path());
    assert!(matches!(&error, LabError::Method { method, .. } if method == "wild"), "{error}");
    assert!(DOCUMENTS.iter().all(|file| out.path().join(file).is_file()));
    let summary = summary(out.path());
    let methods = summary["methods"].as_array().expect("a list");
    assert_eq!(methods.len(), 1);
    assert_eq!(methods[0]["name"], "cavi");
    let report = fs::read_to_string(out.path().join("report.html")).expect("a report");
    assert!(report.contains("<li>wild: no result: the run ended before it</li>"));
    assert!(!report.contains("No warnings"));
}

#[test]
fn a_run_that_fails_at_once_leaves_nothing_of_an_earlier_one() {
    let out = tempfile::tempdir().expect("a temporary directory");
    run(&cavi_and(""), out.path(), 1, false, &Interrupt::new());
    let head = cavi_and("");
    let (head, _) = head.split_once("[[methods]]").expect("a first method");
    fails(&format!("{}{FAILING}", head.replace("seed = 7", "seed = 8")), out.path());
    let summary = summary(out.path());
    assert_eq!((&summary["seed"], &summary["methods"]), (&Value::from(8), &serde_json::json!([])));
    for file in ["traces/cavi.csv", "draws/cavi.csv"] {
        assert!(!out.path().join(file).exists(), "{file} is of the earlier run");
    }
}

#[test]
fn a_fresh_run_removes_what_the_program_wrote_and_nothing_else() {
    let out = tempfile::tempdir().expect("a temporary directory");
    let npy = cavi_and("").replacen("[data]", "[output]\ndraws = \"npy\"\n[data]", 1);
    run(
        &npy.replace("method = \"cavi\"", "name = \"old\"\nmethod = \"cavi\""),
        out.path(),
        1,
        false,
        &Interrupt::new(),
    );
    let written = ["traces/old.csv", "draws/old.npy", "draws/old.names.json"];
    assert!(written.iter().all(|file| out.path().join(file).is_file()));
    for file in ["draws/mine.csv", "notes.txt"] {
        fs::write(out.path().join(file), "mine").expect("a file of the user's");
    }
    // Interrupted before its first sweep: no document of its own could hide an old one.
    let interrupt = Interrupt::new();
    interrupt.raise();
    run(&cavi_and(""), out.path(), 1, false, &interrupt);
    assert!(written.iter().all(|file| !out.path().join(file).exists()));
    assert_eq!(summary(out.path())["methods"], serde_json::json!([]));
    for file in ["draws/mine.csv", "notes.txt"] {
        assert_eq!(fs::read_to_string(out.path().join(file)).expect("it stays"), "mine");
    }
}

#[test]
fn a_run_that_was_killed_before_its_summary_is_cleared_away_by_its_checkpoints() {
    let out = tempfile::tempdir().expect("a temporary directory");
    fails(&cavi_and(FAILING).replace("method = \"cavi\"", "name = \"old\"\nmethod = \"cavi\""), out.path());
    for file in DOCUMENTS {
        fs::remove_file(out.path().join(file)).expect("the document is there");
    }
    assert!(out.path().join("traces/old.csv").is_file());
    run(&cavi_and(""), out.path(), 1, false, &Interrupt::new());
    assert!(!out.path().join("traces/old.csv").exists() && !out.path().join("draws/old.csv").exists());
    assert!(out.path().join("traces/cavi.csv").is_file());
}

#[test]
fn a_method_that_diverges_has_a_result_that_says_so() {
    let out = tempfile::tempdir().expect("a temporary directory");
    let outcome = run(&cavi_and(DIVERGING), out.path(), 1, false, &Interrupt::new());
    let wild = &outcome.summary.methods[1];
    assert!(
        !wild.converged && wild.stop_reason.starts_with("diverged in iteration 0: location("),
        "{wild:?}"
    );
    assert!(wild.elbo.is_some_and(f64::is_finite), "{:?}", wild.elbo);
    let report = fs::read_to_string(out.path().join("report.html")).expect("a report");
    assert!(report.contains("not converged (diverged in iteration 0"), "no warning");
}
