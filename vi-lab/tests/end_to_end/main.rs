//! A small experiment from its file to its report.

#[path = "../common/mod.rs"]
mod common;

mod ascent;
mod classical;
mod findings;
mod matrices;

use std::fs;
use std::path::Path;

use common::{TINY, run};
use serde_json::{Map, Value};
use vi_lab::{Interrupt, RunOutcome};

const METHODS: [(&str, &str); 6] = [
    ("cavi", "cavi"),
    ("full-rank", "sgvi"),
    ("score", "sgvi"),
    ("nuts", "nuts"),
    ("gibbs", "gibbs"),
    ("random_walk", "random_walk"),
];

fn finished() -> (tempfile::TempDir, RunOutcome) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let outcome = run(TINY, directory.path(), 2, false, &Interrupt::new());
    (directory, outcome)
}

pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("the file is there")).expect("JSON")
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn check_numbers(row: &Map<String, Value>, present: &[&str], absent: &[&str]) {
    for key in present {
        assert!(row[*key].is_number(), "`{key}` is {}", row[*key]);
    }
    for key in absent {
        assert!(row[*key].is_null(), "`{key}` is {}", row[*key]);
    }
}

#[test]
fn the_summary_has_every_key_of_schema_1() {
    let (directory, _) = finished();
    let summary = json(&directory.path().join("summary.json"));
    assert_eq!(keys(&summary), ["schema", "experiment", "seed", "model", "methods", "exact", "manifest"]);
    assert_eq!(summary["schema"], 1);
    assert_eq!(summary["experiment"], "tiny");
    assert_eq!(summary["seed"], 7);
    assert_eq!(summary["model"], serde_json::json!({"name": "eight_schools", "dim": 10, "n_data": 8}));
    let manifest = summary["manifest"].as_object().expect("an object");
    assert_eq!(keys(&summary["manifest"]), ["version", "git", "rustc", "cpu_features", "threads", "chunk"]);
    assert_eq!((&manifest["threads"], &manifest["chunk"]), (&Value::from(2), &Value::from(64)));
    assert!(manifest["rustc"].as_str().expect("a text").starts_with("rustc 1."));
    let methods = summary["methods"].as_array().expect("a list");
    assert_eq!(methods.len(), METHODS.len());
    for (method, (name, kind)) in methods.iter().zip(METHODS) {
        check_method(method, name, kind);
    }
}

fn check_method(method: &Value, name: &str, kind: &str) {
    let expected = [
        "name",
        "method",
        "converged",
        "stop_reason",
        "remarks",
        "optima",
        "iterations",
        "elapsed_s",
        "n_log_joint",
        "n_gradient",
        "n_log_joint_block",
        "elbo",
        "elbo_mcse",
        "khat",
        "parameters",
    ];
    assert_eq!(keys(method), expected);
    assert_eq!((&method["name"], &method["method"]), (&Value::from(name), &Value::from(kind)));
    assert!(method["converged"].is_boolean() && method["stop_reason"].is_string());
    let row = method.as_object().expect("an object");
    check_numbers(row, &["iterations", "elapsed_s", "n_log_joint", "n_gradient", "n_log_joint_block"], &[]);
    let variational = matches!(kind, "cavi" | "sgvi");
    let figures = ["elbo", "elbo_mcse", "khat"];
    check_numbers(row, if variational { &figures } else { &[] }, if variational { &[] } else { &figures });
    let parameters = method["parameters"].as_array().expect("a list");
    let names: Vec<&str> = parameters.iter().map(|p| p["name"].as_str().expect("a name")).collect();
    let schools = (1..=8).map(|j| format!("theta[{j}]")).chain(["mu".into(), "tau".into()]);
    assert_eq!(names, schools.collect::<Vec<_>>(), "{name} reports in (theta, mu, tau)");
    for parameter in parameters {
        let expected =
            ["name", "mean", "sd", "q05", "q50", "q95", "mcse_mean", "ess_bulk", "ess_tail", "rhat"];
        assert_eq!(keys(parameter), expected);
        let row = parameter.as_object().expect("an object");
        check_numbers(row, &["mean", "sd", "q05", "q50", "q95", "mcse_mean"], &[]);
        let chains = ["ess_bulk", "ess_tail", "rhat"];
        check_numbers(row, if variational { &[] } else { &chains }, if variational { &chains } else { &[] });
    }
}

#[test]
fn evaluations_are_counted_and_judging_is_not() {
    let (_directory, outcome) = finished();
    let counts = |name: &str| {
        let method = outcome.summary.methods.iter().find(|m| m.name == name).expect("the method ran");
        (method.n_log_joint, method.n_gradient, method.iterations)
    };
    assert_eq!(counts("full-rank"), (0, 4 * 60, 60));
    assert_eq!(counts("score"), (8 * 60, 0, 60));
    let (n_log_joint, n_gradient, _) = counts("cavi");
    assert_eq!((n_log_joint, n_gradient), (0, 0), "coordinate ascent evaluates no log joint");
    let (n_log_joint, n_gradient, iterations) = counts("nuts");
    assert_eq!((n_log_joint, iterations), (0, 2 * 110));
    assert!(n_gradient >= iterations, "every draw costs a gradient: {n_gradient}");
    let (n_log_joint, n_gradient, iterations) = counts("random_walk");
    assert_eq!((n_gradient, iterations), (0, 2 * (100 + 60 * 2)));
    assert!(n_log_joint >= iterations, "every proposal costs a log joint: {n_log_joint}");
}

#[test]
fn bounds_and_the_exact_evidence_are_on_one_scale() {
    let (_directory, outcome) = finished();
    let exact = outcome.summary.exact.as_ref().expect("eight schools knows its posterior");
    let evidence = exact.log_evidence.expect("by quadrature");
    assert!((evidence - -31.311_347_52).abs() < 1e-6, "{evidence}");
    for result in &outcome.results {
        let Some(sampled) = result.elbo_sampled else { continue };
        // One-sided, five standard errors: a sound bound fails with probability 3e-7 per method.
        assert!(sampled.value <= evidence + 5.0 * sampled.mcse, "{}: {sampled:?}", result.name);
        let elbo = result.elbo.expect("a method with a density has a bound");
        if result.name == "cavi" {
            assert_eq!(elbo.mcse, 0.0);
            assert!(
                elbo.value <= sampled.value + 5.0 * sampled.mcse,
                "summing out the mixture scale tightens"
            );
        } else {
            assert_eq!(elbo, sampled);
        }
    }
}

#[test]
fn traces_draws_and_the_report_are_whole() {
    let (directory, outcome) = finished();
    let read = |path: &str| fs::read_to_string(directory.path().join(path)).expect("the file is there");
    for ((name, _), result) in METHODS.iter().zip(&outcome.results) {
        let trace = read(&format!("traces/{name}.csv"));
        assert_eq!(trace.lines().count(), result.trace.n_rows() + 1);
        assert!(result.trace.n_rows() > 0, "{name} has a trace");
        let draws = read(&format!("draws/{name}.csv"));
        let values = result.draws.as_ref().expect("every method drew").values();
        assert_eq!(draws.lines().count(), values.dim().0 * values.dim().1 + 1);
        assert_eq!(draws.lines().next().expect("a header").split(',').count(), 2 + 10);
        // Text that reads back to the same bits.
        let last: f64 = draws.trim_end().rsplit(',').next().expect("a value").parse().expect("a number");
        assert_eq!(last.to_bits(), values.iter().last().expect("a draw").to_bits());
    }
    let report = read("report.html");
    assert!(report.starts_with("<!DOCTYPE html>") && report.trim_end().ends_with("</html>"));
    for outside in ["<script", "<link", "src=", "@import", "url("] {
        assert!(!report.contains(outside), "a self-contained page has no `{outside}`");
    }
    // The ELBO figure, ten marginals, forests of theta, mu and tau.
    assert_eq!(report.matches("<svg ").count(), 1 + 10 + 3);
    for heading in
        ["What was run", "Warnings", "Methods", "ELBO traces", "Marginal posteriors", "Forest plot"]
    {
        assert!(report.contains(&format!("<h2>{heading}</h2>")), "no section `{heading}`");
    }
    assert!(report.contains("not converged (iteration budget used up)"));
}

#[test]
fn draws_can_be_had_as_npy() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (head, _) = TINY.split_once("[[methods]]\nname = \"full-rank\"").expect("a second method");
    let text = head.replacen("[data]", "[output]\ndraws = \"npy\"\n[data]", 1);
    let outcome = run(&text, directory.path(), 1, false, &Interrupt::new());
    let draws: ndarray::Array3<f64> =
        ndarray_npy::read_npy(directory.path().join("draws/cavi.npy")).expect("an NPY file");
    assert_eq!(&draws, outcome.results[0].draws.as_ref().expect("draws").values());
    let names = json(&directory.path().join("draws/cavi.names.json"));
    assert_eq!(names[9], "tau");
}

#[test]
fn a_second_method_changes_nothing_for_the_first() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (head, rest) = TINY.split_once("[[methods]]\nname = \"full-rank\"").expect("a second method");
    let (alone, _) = rest.split_once("[[methods]]").expect("a third method");
    let (prefix, _) = head.split_once("[[methods]]").expect("a first method");
    let text = format!("{prefix}[[methods]]\nname = \"full-rank\"{alone}");
    let outcome = run(&text, directory.path(), 1, false, &Interrupt::new());
    let (_directory, all) = finished();
    assert_eq!(outcome.summary.methods[0].parameters, all.summary.methods[1].parameters);
}
