//! The methods beside the stochastic ascent of the ELBO, several starts, stationarity and clipping: by name in `[[methods]]`.

mod common;

use common::{comparable, refusal, run};
use vi_lab::{Interrupt, MethodResult, RunOutcome};

/// A posterior whose moments are known, nearly Gaussian on the unconstrained scale.
const LINEAR: &str = "name = \"known\"\nseed = 5\n\n[data]\nset = \"kidiq\"\nstandardise = true\n\
                      standardise_response = true\nintercept = true\n\n[model]\nname = \"linear_regression\"\n";
const SCHOOLS: &str =
    "name = \"schools\"\nseed = 5\n\n[data]\nset = \"eight_schools\"\n\n[model]\nname = \"eight_schools\"\n";
const BITS: &str = "name = \"bits\"\n[model]\nname = \"ising\"\nrows = 2\ncolumns = 2\ncoupling = 0.5\n";

/// The methods that go by the gradient, with a key of theirs, misspelt.
const BY_GRADIENT: [(&str, &str, &str); 7] = [
    ("laplace", "n_newtn", "n_newton"),
    ("pathfinder", "n_elbos", "n_elbo"),
    ("multi_pathfinder", "n_path", "n_paths"),
    ("batch_and_match", "n_batsh", "n_batch"),
    ("gaussian_score_matching", "max_iteration", "max_iterations"),
    ("deterministic_advi", "linear_respons", "linear_response"),
    ("svgd", "n_particle", "n_particles"),
];

fn methods(head: &str, tables: &[&str]) -> RunOutcome {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let tables: Vec<String> = tables.iter().map(|t| format!("\n[[methods]]\n{t}\n")).collect();
    run(&(head.to_owned() + &tables.concat()), directory.path(), 2, false, &Interrupt::new())
}

fn method<'r>(outcome: &'r RunOutcome, name: &str) -> &'r MethodResult {
    outcome.results.iter().find(|r| r.name == name).expect("the method ran")
}

#[test]
fn every_method_finds_a_posterior_that_is_known() {
    let outcome = methods(
        LINEAR,
        &[
            "method = \"advise\"",
            "method = \"laplace\"",
            "method = \"pathfinder\"",
            "method = \"multi_pathfinder\"",
            "method = \"batch_and_match\"\nlearning_rate = { constant = 1.0 }",
            "method = \"gaussian_score_matching\"",
            "method = \"deterministic_advi\"",
            "method = \"svgd\"\nmax_iterations = 600",
        ],
    );
    let exact = outcome.summary.exact.as_ref().expect("a conjugate model");
    let evidence = exact.log_evidence.expect("a conjugate model");
    for result in &outcome.results {
        let name = &result.name;
        for (p, known) in result.parameters.iter().zip(&exact.parameters) {
            let (mean, sd) = (known.mean.expect("known"), known.sd.expect("known"));
            // Particles are few and lie closer together than the posterior; a Pathfinder's covariance is of low rank.
            let (shift, ratio) = if name == "svgd" { (0.2, 0.3) } else { (0.2, 0.25) };
            assert!(
                (p.mean - mean).abs() < shift * sd,
                "{name}, {}: mean {} ≠ {mean} ± {sd}",
                p.name,
                p.mean
            );
            assert!((p.sd / sd - 1.0).abs() < ratio, "{name}, {}: sd {} ≠ {sd}", p.name, p.sd);
        }
        // 3.9 standard errors: a false alarm in 10⁴ for each of six methods.
        match result.elbo {
            Some(elbo) => {
                assert!(elbo.value < evidence + 3.9 * elbo.mcse, "{name}: {elbo:?} above {evidence}");
                assert!(elbo.value > evidence - 0.3, "{name}: {elbo:?} far below {evidence}");
            }
            None => assert!(["svgd", "multi_pathfinder"].contains(&name.as_str()), "{name} has a density"),
        }
        assert!(result.n_gradient > 0, "{name}");
        assert!(name == "svgd" || result.converged, "{name}: {}", result.stop_reason);
        assert!(!result.remarks.is_empty(), "{name}");
    }
    let told = &method(&outcome, "advise").remarks;
    assert!(told.iter().any(|r| r.starts_with("family: FullRankGaussian (")), "{told:?}");
    assert!(method(&outcome, "multi_pathfinder").khat.is_some_and(|k| k < 0.7));
    // What the report shows of it.
    let names: Vec<&str> = outcome.summary.methods.iter().map(|m| m.method.name()).collect();
    assert_eq!(names.len(), 8);
}

/// Particles and Pathfinders on a hierarchy, in both of its forms; the mean field's linear response sees correlations.
#[test]
fn forms_are_reported_in_the_variables_of_the_centred_one() {
    let outcome = methods(
        SCHOOLS,
        &[
            "method = \"pathfinder\"",
            "name = \"centred\"\nmethod = \"pathfinder\"\nparametrisation = \"centred\"",
            "method = \"deterministic_advi\"\nn_fixed = 60",
            "name = \"q\"\nmethod = \"deterministic_advi\"\nn_fixed = 60\nlinear_response = false",
            "method = \"advise\"",
        ],
    );
    let evidence = outcome.summary.exact.as_ref().and_then(|e| e.log_evidence).expect("by quadrature");
    for result in &outcome.results {
        assert_eq!(result.parameters.len(), 10, "{}", result.name);
        // The centred form is a funnel, in which a path may end at a Gaussian without a finite ELBO.
        let Some(elbo) = result.elbo else {
            assert_eq!(result.name, "centred");
            assert!(result.iterations > 0, "what was done before the ascent ended is counted");
            continue;
        };
        assert!(elbo.value < evidence + 3.9 * elbo.mcse, "{}: {elbo:?}", result.name);
    }
    let (response, q) = (method(&outcome, "deterministic_advi"), method(&outcome, "q"));
    let bound = |r: &MethodResult| r.elbo.expect("a density").value;
    assert!((bound(response) - bound(q)).abs() < 0.5, "the bound is that of q");
    assert!(response.parameters[8].sd > q.parameters[8].sd, "mu is wider in the linear response");
    assert!(method(&outcome, "advise").elbo.expect("a density").value > evidence - 0.35);
}

#[test]
fn a_model_without_gradient_is_told_which_methods_it_has() {
    for (name, _, _) in BY_GRADIENT {
        let message = refusal(&format!("{BITS}[[methods]]\nmethod = \"{name}\"\n"));
        let expected = format!("model `ising` has no gradient, which method `{name}` needs");
        assert!(message.contains(&expected) && message.ends_with("sgvi, advise"), "{message}");
    }
    // The default fit has a way without.
    let outcome = methods(BITS, &["method = \"advise\"\nn_draws = 500"]);
    let told = &outcome.results[0].remarks;
    assert!(told[0].starts_with("family: ProductFamily (`bit` is discrete"), "{told:?}");
    let elbo = outcome.results[0].elbo.expect("a density").value;
    let evidence = outcome.summary.exact.and_then(|e| e.log_evidence).expect("by enumeration");
    assert!(elbo < evidence + 0.05 && elbo > evidence - 1.0, "{elbo}, {evidence}");
}

#[test]
fn mistakes_are_told_with_what_was_meant() {
    for (name, wrong, meant) in BY_GRADIENT {
        let message = refusal(&format!("{SCHOOLS}[[methods]]\nmethod = \"{name}\"\n{wrong} = 3\n"));
        let expected = format!("unknown key `{wrong}` in [[methods]] `{name}`; did you mean `{meant}`?");
        assert!(message.contains(&expected), "{message}");
    }
    for (keys, expected) in [
        ("method = \"advize\"", "unknown method `advize`; did you mean `advise`?"),
        ("method = \"advise\"\ntolerence = 0.1", "did you mean `tolerance`?"),
        (
            "method = \"advise\"\ntolerance = 0.0",
            "`tolerance` of method `advise` = 0, but it must be finite and > 0",
        ),
        ("method = \"svgd\"\noptimizer = \"natural\"", "`natural` is for the parameters of a q"),
        ("method = \"svgd\"\noptimizer = \"adagrad\"", "did you mean `ada_grad`?"),
        (
            "method = \"svgd\"\nn_particles = 1",
            "`n_particles` of method `svgd` = 1, but it must be at least 2",
        ),
        ("method = \"deterministic_advi\"\nn_fixed = 7", "even: draws come in pairs"),
        ("method = \"laplace\"\nparametrisation = \"centered\"", "did you mean `centred`?"),
        ("method = \"sgvi\"\nstarts = { n_start = 3 }", "did you mean `n_starts`?"),
        ("method = \"sgvi\"\nstarts = { n_starts = 0 }", "`starts.n_starts` of method `sgvi` = 0"),
        ("method = \"sgvi\"\nclipping = { max_norm = -1.0 }", "`clipping.max_norm` of method `sgvi` = -1"),
        ("method = \"sgvi\"\nstationarity = { rhat = 1.1 }", "did you mean `r_hat`?"),
        (
            "method = \"sgvi\"\nestimator = \"vimco\"\nstationarity = {}",
            "`stationarity` of method `sgvi` = given with `vimco`",
        ),
    ] {
        let message = refusal(&format!("{SCHOOLS}[[methods]]\n{keys}\n"));
        assert!(message.contains(expected), "{keys}:\n{message}");
    }
}

#[test]
fn several_starts_keep_the_best_bound_and_tell_of_all() {
    let common = "method = \"sgvi\"\nn_samples = 16\nmax_iterations = 400\nn_draws = 500\n";
    let outcome = methods(
        SCHOOLS,
        &[
            &format!("name = \"one\"\n{common}"),
            &format!("name = \"several\"\n{common}starts = {{ n_starts = 3, radius = 1.0 }}"),
            "name = \"still\"\nmethod = \"sgvi\"\nn_samples = 16\nn_draws = 500\nstationarity = { r_hat = 2.0, tolerance = 10.0 }",
            &format!("name = \"cut\"\n{common}clipping = {{ max_norm = 0.5 }}"),
            &format!("name = \"dowg\"\n{common}optimizer = \"dowg\""),
        ],
    );
    let several = method(&outcome, "several");
    assert!(several.stop_reason.contains(" of 3)"), "{}", several.stop_reason);
    assert!(several.remarks.iter().any(|r| r.starts_with("3 starts: ")), "{:?}", several.remarks);
    assert!(several.iterations > method(&outcome, "one").iterations);
    let cut = &method(&outcome, "cut").remarks;
    assert!(
        cut[0].contains("gradients longer than 0.5 are cut") && cut[1].contains("steps were cut"),
        "{cut:?}"
    );
    let still = method(&outcome, "still");
    assert!(still.converged && still.stop_reason.contains("R-hat"), "{}", still.stop_reason);
    let evidence = outcome.summary.exact.as_ref().and_then(|e| e.log_evidence).expect("by quadrature");
    for result in &outcome.results {
        assert!(result.elbo.is_some_and(|e| e.value > evidence - 1.5), "{}: {:?}", result.name, result.elbo);
    }
}

#[test]
fn interrupted_methods_are_resumed_to_the_same_bits() {
    let text = format!(
        "{SCHOOLS}\n[[methods]]\nmethod = \"laplace\"\nn_draws = 100\n\
         [[methods]]\nmethod = \"batch_and_match\"\nmax_iterations = 40\nn_draws = 100\n\
         [[methods]]\nmethod = \"deterministic_advi\"\nmax_iterations = 5\nn_draws = 100\n\
         [[methods]]\nmethod = \"svgd\"\nn_particles = 20\nmax_iterations = 30\n\
         [[methods]]\nmethod = \"sgvi\"\nn_samples = 4\nmax_iterations = 30\nn_draws = 100\nstarts = {{ n_starts = 2 }}\n"
    );
    let whole = tempfile::tempdir().expect("a temporary directory");
    let unbroken = comparable(&run(&text, whole.path(), 2, false, &Interrupt::new()));
    // In each of the methods that take long enough: 40, 5, 30, 2 × 30 iterations.
    for after in [20, 43, 60, 90, 120] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let first = run(&text, directory.path(), 2, false, &Interrupt::after_iterations(after));
        assert!(first.interrupted, "after {after} iterations");
        let second = run(&text, directory.path(), 1, true, &Interrupt::new());
        assert_eq!(comparable(&second), unbroken, "interrupted after {after} iterations");
    }
}

/// The report shows what the users of a mixture want: two kinds of eruption, of three components that were offered.
#[test]
fn the_components_of_a_mixture_are_in_the_report() {
    let text = "name = \"faithful\"\n[data]\nset = \"old_faithful\"\n[model]\nname = \"gaussian_mixture\"\n\
                n_components = 3\n[model.priors]\nconcentration = 0.01\n\
                [[methods]]\nmethod = \"cavi\"\nn_restarts = 4\nn_draws = 200\n";
    let directory = tempfile::tempdir().expect("a temporary directory");
    let outcome = run(text, directory.path(), 2, false, &Interrupt::new());
    let study = common::parse(text).expect("the experiment is in order").study;
    let findings = study.findings(&outcome.results[0].parameters);
    let table = &findings[0];
    assert_eq!(table.header, ["component", "weight", "mean of eruptions", "mean of waiting"]);
    assert!((2..=3).contains(&table.rows.len()), "{:?}", table.rows);
    let weight =
        |i: usize| table.rows[i][1].split(' ').next().and_then(|w| w.parse::<f64>().ok()).expect("a weight");
    assert!(weight(0) > 0.55 && weight(0) < 0.75 && weight(1) > 0.25 && weight(1) < 0.4, "{:?}", table.rows);
    let report = std::fs::read_to_string(directory.path().join("report.html")).expect("the report");
    for cell in [&table.title, &table.header[2], &table.rows[0][2]] {
        assert!(report.contains(cell.as_str()), "no `{cell}` in the report");
    }
    // Unfinished results have nothing to show.
    assert!(study.findings(&[]).is_empty());
}
