//! The estimator bench from its file to its report.

mod common;

use std::fs;

use common::bench::{BITS, bench, comparable_bench};
use vi_lab::{BenchDocument, Interrupt};
use vi_sgvi::bench::{NoiseReport, Report, Verdict};

fn document(text: &str) -> BenchDocument {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let outcome = bench(text, directory.path(), 2, &Interrupt::new());
    outcome.document.expect("the bench was not interrupted")
}

fn noise<'r>(report: &'r Report, point: usize, name: &str) -> &'r NoiseReport {
    report.points[point].estimators.iter().find(|e| e.name == name).expect("the estimator finished")
}

#[test]
fn a_bench_of_bits_leaves_its_files_and_its_verdicts() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let outcome = bench(BITS, directory.path(), 2, &Interrupt::new());
    assert!(!outcome.interrupted);
    let document = outcome.document.expect("a document");
    let report = &document.report;
    let bytes = fs::read(directory.path().join("estimators.json")).expect("the document is there");
    let read: BenchDocument = serde_json::from_slice(&bytes).expect("JSON of this layout");
    assert_eq!((read.schema, &read.report.param_names), (1, &report.param_names));
    assert!(directory.path().join("manifest.json").is_file());
    for below in ["traces", "draws", "checkpoints"] {
        assert!(!directory.path().join(below).exists(), "a bench has no {below}");
    }

    assert_eq!(report.reference, "exact, enumeration");
    assert_eq!((document.model.dim, document.family.n_params), (6, 6));
    let names: Vec<_> = report.points.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["start", "middle", "optimum"]);
    let names: Vec<_> = report.estimators.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["naive", "loo", "blanket", "disarm", "local"]);
    assert!(report.failures.is_empty());
    // Eight log joints; all six blocks of them count as eight more.
    assert_eq!((report.estimators[2].evaluations.n_log_joint_block, report.estimators[2].work), (48, 16.0));
    for point in &report.points {
        for noise in &point.estimators {
            assert_eq!(noise.z.as_ref().map(Vec::len), Some(6));
            assert!(noise.variance.iter().all(|v| v.lower <= v.value && v.value <= v.upper));
        }
        let pair = Report::pair(&point.pairs, "naive", "local").expect("every pair");
        assert_eq!((pair.first.as_str(), pair.verdict), ("naive", Verdict::SecondIsBetter), "{report}");
    }
    let race = report.race.as_ref().expect("a race");
    assert_eq!(race.estimators.len(), 5);
    assert!(race.by_seconds.as_ref().is_some_and(|b| b.seconds > 0.0 && b.estimators.len() == 5));

    let page = fs::read_to_string(directory.path().join("report.html")).expect("a page");
    assert!(page.contains("exact, enumeration") && page.contains("Gradients at optimum"));
    assert!(page.matches("<svg").count() >= 3 * 4 + 2, "{} figures", page.matches("<svg").count());
    assert!(page.contains("not distinguishable") || page.contains("less"));
}

#[test]
fn the_seed_decides_and_threads_do_not() {
    let run = |threads: usize, text: &str| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let outcome = bench(text, directory.path(), threads, &Interrupt::new());
        comparable_bench(&outcome.document.expect("a document"))
    };
    let one = run(1, BITS);
    assert_eq!(one, run(3, BITS));
    assert_ne!(one, run(1, &BITS.replace("seed = 5", "seed = 6")));
}

/// The level is 1e-4 over all parameters, points and estimators: the false-alarm probability of the unbiased ones.
#[test]
fn a_biased_estimator_is_shown_as_biased() {
    let (head, _) = BITS.split_once("[[estimators]]").expect("estimators");
    let text = format!(
        "{head}\n\
         [[estimators]]\nname = \"control\"\nestimator = \"score-function\"\nbaseline = \"control-variate\"\n\
         n_samples = 3\n\
         [[estimators]]\nname = \"same\"\nestimator = \"score-function\"\n\
         baseline = \"same-sample-control-variate\"\nn_samples = 3\n\
         [[points.given]]\nname = \"here\"\nparams = [0.3, -0.7, 0.9, 0.1, -0.2, 0.4]\n\
         [bench]\nn_replicates = 3000\nlevel = 1e-4\nn_bootstrap = 20\n"
    );
    let directory = tempfile::tempdir().expect("a temporary directory");
    let outcome = bench(&text, directory.path(), 2, &Interrupt::new());
    let report = outcome.document.expect("a document").report;
    assert_eq!(noise(&report, 0, "control").biased, Some(false), "{report}");
    assert_eq!(noise(&report, 0, "same").biased, Some(true), "{report}");
    let page = fs::read_to_string(directory.path().join("report.html")).expect("a page");
    assert!(page.contains("biased at here: |z| = ") && page.contains("biased by its own account"), "{page}");
    assert!(report.to_string().contains("note: same is biased"));
}

#[test]
fn an_interrupted_bench_keeps_what_is_finished() {
    let whole = document(BITS);
    // The climb, three points and the race of the first estimator, and a little of the second.
    let first = 200 + 3 * 60 + 3 * 250;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let outcome = bench(BITS, directory.path(), 2, &Interrupt::after_iterations(first + 10));
    assert!(outcome.interrupted);
    let report = outcome.document.expect("a document").report;
    assert!(report.interrupted && report.estimators.len() == 1, "{report}");
    assert_eq!(report.points[2].params, whole.report.points[2].params);
    assert_eq!(noise(&report, 1, "naive").mean, noise(&whole.report, 1, "naive").mean);
    let page = fs::read_to_string(directory.path().join("report.html")).expect("a page");
    assert!(page.contains("interrupted: only estimators that were finished"));

    // In the climb nothing is finished, and what an earlier run left is gone.
    let outcome = bench(BITS, directory.path(), 2, &Interrupt::after_iterations(20));
    assert!(outcome.interrupted && outcome.document.is_none());
    assert!(!directory.path().join("estimators.json").exists());
}

const SCHOOLS: &str = r#"
name = "schools"
seed = 2

[data]
set = "eight_schools"

[model]
name = "eight_schools"

[family]
name = "mean-field"

[[estimators]]
name = "loo"
estimator = "score-function"
n_samples = 16

[[estimators]]
name = "pathwise"
estimator = "pathwise"
n_samples = 4

[[estimators]]
name = "sobol"
estimator = "score-function"
sampler = "quasi-monte-carlo"
n_samples = 16

[[estimators]]
name = "mixed"
estimator = "measure-valued"
n_samples = 2
variables = ["mu", "tau"]
rest = { estimator = "score-function", rao_blackwellized = true, n_samples = 8 }

[points]
by = "pathwise"
max_iterations = 100
use = ["start", "optimum"]

[bench]
n_replicates = 400
level = 1e-4
n_bootstrap = 20
"#;

/// Two families of tests at level 1e-4, and one of differences: false alarms have probability 3e-4 at most.
#[test]
fn the_reference_is_exact_where_it_can_be_and_paired_elsewhere() {
    let exact = document(SCHOOLS).report;
    assert_eq!(exact.reference, "exact, closed form, the half-Cauchy prior by quadrature");
    let unbiased = |report: &Report| {
        for point in &report.points {
            for noise in &point.estimators {
                assert_eq!(noise.biased, Some(false), "{}: {:?}\n{report}", noise.name, noise.worst);
            }
        }
    };
    unbiased(&exact);
    assert_eq!(exact.points.len(), 2);
    let paired = document(&SCHOOLS.replace(
        "[points]",
        "[reference]\nkind = \"paired\"\nestimator = \"pathwise\"\nn_samples = 256\n\n[points]",
    ))
    .report;
    assert_eq!(paired.reference, "paired run of pathwise with 256 samples");
    unbiased(&paired);
    // No closed form for a full covariance; its factors are no factors, so that the last estimator has to go.
    let (head, tail) = SCHOOLS.split_once("[[estimators]]\nname = \"mixed\"").expect("the last estimator");
    let (_, tail) = tail.split_once("[points]").expect("points");
    let full = format!("{head}[points]{tail}").replace("mean-field", "full-rank");
    let full = document(&full).report;
    assert_eq!(full.reference, "paired run of leave-one-out with 1000 samples");
    unbiased(&full);
    let none = document(&SCHOOLS.replace("[points]", "[reference]\nkind = \"none\"\n\n[points]")).report;
    assert_eq!(none.reference, "none");
    assert!(none.points[0].estimators.iter().all(|n| n.z.is_none() && n.biased.is_none()));
}
