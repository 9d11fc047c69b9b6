//! Regressions, rates and groups by coordinate ascent and Gibbs sampling, against what is known of their data.

use std::fs;
use std::path::Path;

use vi_lab::MethodResult;

use crate::common::run;
use crate::findings::found;

/// Both methods over complete conditionals, short.
const METHODS: &str = "[[methods]]\nmethod = \"cavi\"\nn_draws = 1000\n\
                       [[methods]]\nmethod = \"gibbs\"\nn_chains = 2\nn_warmup = 200\nn_draws = 1000\n";

/// The figures of all methods on a model and its data.
fn results(text: &str) -> Vec<MethodResult> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let text = format!("name = \"classical\"\n{text}");
    run(&text, directory.path(), 2, false, &vi_lab::Interrupt::new()).results
}

fn mean(result: &MethodResult, name: &str) -> f64 {
    result.parameters.iter().find(|p| p.name == name).unwrap_or_else(|| panic!("no {name}")).mean
}

/// The posterior means of the pumps under α ~ Exponential(1), β ~ Gamma(0.1, 1): OpenBUGS Examples I, "Pumps".
#[test]
fn pumps_fail_as_often_as_published() {
    let results = results(&format!("[data]\nset = \"pumps\"\n[model]\nname = \"poisson_gamma\"\n{METHODS}"));
    for result in &results {
        for (name, published) in [("theta[1]", 0.0598), ("theta[4]", 0.1157), ("theta[5]", 0.5995)] {
            // 2000 draws of relative standard deviation 0.27 to 0.53: 5 % is four standard errors and more.
            let found = mean(result, name);
            assert!((found / published - 1.0).abs() < 0.05, "{}: {name} = {found}", result.name);
        }
    }
    assert!((mean(&results[1], "alpha") - 0.70).abs() < 0.08, "{}", mean(&results[1], "alpha"));
}

/// Gelman et al., *Bayesian Data Analysis*, 3rd edition, table 11.3: medians under flat priors of log σ and τ, which half-Cauchy
/// priors of scale 5 hardly change.
#[test]
fn coagulation_times_by_diet_are_those_published() {
    let text = "[data]\nset = \"coagulation\"\n[model]\nname = \"hierarchical_normal\"\n\
                [model.priors]\nmu_mean = 60.0\nmu_sd = 20.0\n";
    for result in results(&format!("{text}{METHODS}")) {
        for (name, published) in
            [("theta[1]", 61.3), ("theta[2]", 65.9), ("theta[3]", 67.8), ("theta[4]", 61.1), ("sigma", 2.4)]
        {
            let found = result.parameters.iter().find(|p| p.name == name).expect("a figure").q50;
            assert!((found - published).abs() < 0.4, "{}: {name} = {found}", result.name);
        }
    }
}

#[test]
fn the_covariates_of_the_stack_loss_are_ranked() {
    let data =
        "[data]\nset = \"stackloss\"\nstandardise = true\nstandardise_response = true\nintercept = true\n";
    let (findings, outcome) = found(&format!("{data}[model]\nname = \"ard_regression\"\n{METHODS}"));
    assert_eq!(findings[0].rows[0][0], "air_flow");
    assert_eq!(findings[0].rows[2][0], "acid_concentration");
    let (cavi, gibbs) = (&outcome.results[0], &outcome.results[1]);
    assert!((mean(cavi, "beta[1]") - mean(gibbs, "beta[1]")).abs() < 0.1);

    let methods = format!(
        "{METHODS}[[methods]]\nmethod = \"sgvi\"\nfamily = \"product\"\nestimator = \"score-function\"\n\
         n_samples = 8\nmax_iterations = 20\nn_draws = 50\n"
    );
    let (findings, outcome) = found(&format!("{data}[model]\nname = \"spike_and_slab\"\n{methods}"));
    assert_eq!(findings[0].rows[0][0], "air_flow");
    let (cavi, gibbs) = (&outcome.results[0], &outcome.results[1]);
    assert!(mean(cavi, "s[1]") > 0.99 && mean(gibbs, "s[1]") > 0.95);
    assert!(mean(cavi, "s[3]") < 0.5 && mean(gibbs, "s[3]") < 0.5, "{}", mean(gibbs, "s[3]"));
    assert!((mean(cavi, "w[1]") - mean(gibbs, "w[1]")).abs() < 0.15);
}

/// A column of classes that a covariate orders, in rows that follow from their number.
fn classes(directory: &Path, n_classes: u32) -> String {
    let row = |i: u32| {
        let x = f64::from(i % 29) / 29.0 * 4.0 - 2.0;
        let noise = (f64::from(i) * 12.9898).sin() * 0.9;
        let class = (0..n_classes - 1).filter(|c| x + noise > 1.5 * f64::from(*c) - 0.75).count();
        format!("{class},{x},{}\n", (f64::from(i) * 3.7).cos())
    };
    let file = directory.join("classes.csv");
    fs::write(&file, format!("class,x,nothing\n{}", (0..90).map(row).collect::<String>())).expect("a file");
    format!("[data]\nfile = {:?}\nresponse = \"class\"\nintercept = true\n", file.display().to_string())
}

#[test]
fn classes_follow_their_covariate_and_not_the_other() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let two = classes(directory.path(), 2);
    for result in results(&format!("{two}[model]\nname = \"probit_regression\"\n{METHODS}")) {
        let (x, nothing) = (mean(&result, "beta[1]"), mean(&result, "beta[2]"));
        assert!(x > 0.7 && nothing.abs() < 0.5, "{}: {x}, {nothing}", result.name);
    }
    let three = classes(directory.path(), 3);
    let model = "[model]\nname = \"multinomial_regression\"\nn_classes = 3\n[model.priors]\nscale = 3.0\n";
    for result in results(&format!("{three}{model}{METHODS}")) {
        // To stop at a class is the likelier the smaller x is; the second stick has the data beyond class 0.
        for stick in 1..=2 {
            let slope = mean(&result, &format!("beta[{stick},2]"));
            assert!(slope < -1.0, "{}: stick {stick} has slope {slope}", result.name);
        }
    }
}
