//! Every estimator by name in `[[methods]]`, and what interrupts do to those that remember.

mod common;

use common::{comparable, run};
use vi_lab::Interrupt;

/// Name of the method, its keys.
const BITS: [(&str, &str); 14] = [
    ("naive", "estimator = \"score-function\"\nbaseline = \"none\""),
    ("loo", "estimator = \"score-function\"\nbaseline = \"leave-one-out\""),
    ("moving", "estimator = \"score-function\"\nbaseline = \"moving-average\"\ndecay = 0.5"),
    ("control", "estimator = \"score-function\"\nbaseline = \"control-variate\""),
    ("same", "estimator = \"score-function\"\nbaseline = \"same-sample-control-variate\""),
    ("blanket", "estimator = \"score-function\"\nbaseline = \"moving-average\"\nrao_blackwellized = true"),
    ("antithetic", "estimator = \"score-function\"\nsampler = \"antithetic\""),
    ("sobol", "estimator = \"score-function\"\nsampler = \"quasi-monte-carlo\"\nn_randomizations = 4"),
    ("reuse", "estimator = \"sample-reuse\"\nn_reused_iterations = 3"),
    ("local", "estimator = \"local-expectations\"\nrao_blackwellized = true"),
    ("arm", "estimator = \"arm\""),
    ("disarm", "estimator = \"disarm\""),
    ("exact", "estimator = \"enumeration\""),
    ("vimco", "estimator = \"vimco\"\nn_importance = 4"),
];

const SCHOOLS: [(&str, &str); 15] = [
    ("pathwise", "estimator = \"pathwise\""),
    ("landing", "estimator = \"pathwise\"\nentropy = \"sticking-the-landing\""),
    ("entropy", "estimator = \"pathwise\"\nentropy = \"monte-carlo\""),
    ("controlled", "estimator = \"controlled-pathwise\"\nn_directions = 4"),
    ("iwae", "estimator = \"iwae\"\nn_importance = 4"),
    ("dreg", "estimator = \"dreg\"\nn_importance = 4"),
    ("renyi", "estimator = \"dreg\"\nn_importance = 4\nalpha = 0.5"),
    (
        "paths",
        "estimator = \"pathwise\"\nvariables = [\"tau\"]\n\
         rest = { estimator = \"score-function\", rao_blackwellized = true, n_samples = 8 }",
    ),
    ("tails", "estimator = \"score-function\"\nsampler = \"overdispersed\"\ndispersion = 1.2"),
    (
        "tails-blanket",
        "estimator = \"score-function\"\nsampler = \"overdispersed\"\nrao_blackwellized = true\nbaseline = \"none\"",
    ),
    ("quadrature", "estimator = \"local-quadrature\"\nn_nodes = 8\nrao_blackwellized = true"),
    ("measures", "estimator = \"measure-valued\""),
    ("factors", "estimator = \"overdispersed-factors\"\nrao_blackwellized = true"),
    (
        "parts",
        "estimator = \"overdispersed-factors\"\nvariables = [\"mu\"]\n\
         rest = { estimator = \"score-function\", sampler = \"antithetic\", rao_blackwellized = true, n_samples = 8 }",
    ),
    (
        "mixed",
        "estimator = \"local-quadrature\"\nvariables = [\"tau\"]\n\
         rest = { estimator = \"score-function\", baseline = \"moving-average\", n_samples = 8 }",
    ),
];

fn experiment(head: &str, family: &str, methods: &[(&str, &str)]) -> String {
    let methods = methods.iter().map(|(name, keys)| {
        format!(
            "\n[[methods]]\nname = \"{name}\"\nmethod = \"sgvi\"\nfamily = \"{family}\"\n{keys}\nn_samples = 8\n\
             max_iterations = 40\nn_draws = 100\n"
        )
    });
    format!("name = \"estimators\"\nseed = 3\n\n{head}\n{}", methods.collect::<String>())
}

fn bits() -> String {
    experiment("[model]\nname = \"ising\"\nrows = 2\ncolumns = 3\ncoupling = 0.7\n", "product", &BITS)
}

fn schools() -> String {
    experiment(
        "[data]\nset = \"eight_schools\"\n\n[model]\nname = \"eight_schools\"\n",
        "mean-field",
        &SCHOOLS,
    )
}

#[test]
fn every_estimator_is_fitted_and_summarised() {
    for (text, n) in [(bits(), BITS.len()), (schools(), SCHOOLS.len())] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let outcome = run(&text, directory.path(), 2, false, &Interrupt::new());
        let methods = &outcome.summary.methods;
        assert_eq!(methods.len(), n);
        let mut elbos: Vec<f64> = methods.iter().map(|m| m.elbo.expect("an ELBO")).collect();
        assert!(elbos.iter().all(|e| e.is_finite()), "{elbos:?}");
        elbos.sort_by(f64::total_cmp);
        elbos.dedup();
        assert_eq!(elbos.len(), n, "every name is an estimator of its own: {elbos:?}");
        for method in methods {
            assert!(method.n_log_joint + method.n_gradient > 0, "{}", method.name);
            let local = ["blanket", "local", "paths", "tails-blanket", "quadrature", "factors", "parts"]
                .contains(&method.name.as_str());
            assert_eq!(method.n_log_joint_block > 0, local, "{}", method.name);
        }
        // What ascends another bound shows that one, and says so.
        for result in &outcome.results {
            let of_bound = ["vimco", "iwae", "dreg", "renyi"].contains(&result.name.as_str());
            assert_eq!(result.trace.column("bound").is_some(), of_bound, "{}", result.name);
            let told = result.remarks.iter().any(|r| r.starts_with("what is ascended is the "));
            assert_eq!(told, of_bound, "{}: {:?}", result.name, result.remarks);
        }
        assert!(std::fs::read_to_string(directory.path().join("report.html")).is_ok());
    }
}

#[test]
fn what_an_estimator_remembers_is_saved_with_it() {
    for (text, interrupts) in [(bits(), [100, 230, 340, 400, 540]), (schools(), [60, 140, 225, 300, 430])] {
        let whole = tempfile::tempdir().expect("a temporary directory");
        let unbroken = comparable(&run(&text, whole.path(), 2, false, &Interrupt::new()));
        for after in interrupts {
            let directory = tempfile::tempdir().expect("a temporary directory");
            let first = run(&text, directory.path(), 2, false, &Interrupt::after_iterations(after));
            assert!(first.interrupted, "after {after} iterations");
            let second = run(&text, directory.path(), 1, true, &Interrupt::new());
            assert_eq!(comparable(&second), unbroken, "interrupted after {after} iterations");
        }
    }
}
