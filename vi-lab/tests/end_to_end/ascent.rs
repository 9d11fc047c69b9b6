//! Coordinate ascent of every kind: the optima of restarts, damping, temperatures, moves.

use std::fs;
use std::path::Path;

use vi_lab::Interrupt;
use vi_models::gaussian_mixture::{GaussianMixture, GaussianMixturePriors};

use crate::common::run;
use crate::json;

/// Clusters in a row, six apart, and a mixture of so many components for them.
fn clusters(directory: &Path, n_clusters: u32, n_components: usize) -> (ndarray::Array2<f64>, String) {
    let n = 12 * n_clusters;
    let values: Vec<f64> =
        (0..n).map(|i| 6.0 * f64::from(i % n_clusters) + 0.9 * (f64::from(i) * 2.4).sin()).collect();
    let rows: Vec<String> = values.iter().map(f64::to_string).collect();
    let file = directory.join("clusters.csv");
    fs::write(&file, format!("x\n{}\n", rows.join("\n"))).expect("a file");
    let head = format!(
        "name = \"clusters\"\nseed = 5\n[data]\nfile = {:?}\n[model]\nname = \"gaussian_mixture\"\n\
         n_components = {n_components}\n",
        file.display().to_string()
    );
    (ndarray::Array2::from_shape_vec((n as usize, 1), values).expect("one column"), head)
}

/// A prior that lets components run empty before they find their cluster: restarts end in several optima.
#[test]
fn restarts_report_every_optimum_with_its_frequency() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (data, head) = clusters(directory.path(), 5, 5);
    let head = format!("{head}[model.priors]\nconcentration = 0.01\ncount = 0.01\n");
    let text = format!("{head}[[methods]]\nmethod = \"cavi\"\nn_restarts = 12\nn_draws = 100\n");
    let outcome = run(&text, directory.path(), 2, false, &Interrupt::new());
    // The engine's own account of the same restarts.
    let priors = GaussianMixturePriors { concentration: 0.01, count: 0.01, ..Default::default() };
    let model = GaussianMixture::new(data, 5, priors).expect("a model");
    let key = vi_core::StreamKey::from_seed(5).fold_in(vi_core::checkpoint::fingerprint(&"cavi"));
    let settings = vi_cavi::CaviSettings { n_restarts: 12, ..Default::default() };
    let fit = vi_cavi::fit(&model, &settings, key, vi_core::Exec::local()).expect("a fit");
    assert!(fit.optima.len() > 1, "{:?}", fit.optima);
    let found = &outcome.summary.methods[0].optima;
    assert_eq!(found.len(), fit.optima.len());
    for (found, optimum) in found.iter().zip(&fit.optima) {
        assert_eq!(found.elbo.to_bits(), optimum.elbo.to_bits());
        let from_one: Vec<usize> = optimum.restarts.iter().map(|r| r + 1).collect();
        assert_eq!((&found.restarts, found.n_converged), (&from_one, optimum.n_converged));
        assert_eq!(found.frequency, optimum.restarts.len() as f64 / 12.0);
    }
    assert_eq!(outcome.summary.methods[0].elbo, Some(found[0].elbo));
    let read = |file: &str| fs::read_to_string(directory.path().join(file)).expect("the file is there");
    let (report, first) = (read("report.html"), found[0].restarts.len());
    assert!(report.contains("<h2>Optima</h2>") && report.contains(&format!("<td>{first} of 12</td>")));
    assert_eq!(
        json(&directory.path().join("summary.json"))["methods"][0]["optima"][0]["restarts"][0],
        fit.best + 1
    );
    let table = vi_lab::render_table("clusters", &outcome.results, None);
    assert!(table.contains("optima of cavi: ") && table.contains(&format!("({first} restart")), "{table}");
}

#[test]
fn damped_annealed_and_moving_ascents_are_those_of_the_engine() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (_, head) = clusters(directory.path(), 3, 4);
    let methods = [
        "name = \"plain\"",
        "name = \"damped\"\ndamping = { rate = 0.8 }",
        "name = \"annealed\"\nannealing = { start = 0.3, n_temperatures = 5 }",
        "name = \"moving\"\nmoves = { n_refine = 10 }",
    ];
    let methods = methods.map(|keys| format!("[[methods]]\nmethod = \"cavi\"\nn_draws = 50\n{keys}\n"));
    let outcome = run(&format!("{head}{}", methods.concat()), directory.path(), 2, false, &Interrupt::new());
    let [plain, damped, annealed, moving] = outcome.results.as_slice() else { panic!("four methods") };
    assert!(
        outcome.results.iter().all(|r| r.converged),
        "{:?}",
        outcome.results.iter().map(|r| &r.stop_reason).collect::<Vec<_>>()
    );
    assert!(damped.iterations > plain.iterations && annealed.iterations >= 25, "{}", damped.iterations);
    let trace = |r: &vi_lab::MethodResult| r.trace.column("elbo").expect("a trace").to_vec();
    // Temperatures lower the bound at first; moves and damping never do.
    assert!(trace(annealed).windows(2).any(|w| w[1] < w[0]));
    for result in [damped, moving] {
        assert!(trace(result).windows(2).all(|w| w[1] >= w[0] - 1e-7), "{}", result.name);
    }
    assert!(moving.remarks[0].contains("moves"), "{:?}", moving.remarks);
    assert!(moving.elbo.expect("a bound").value >= plain.elbo.expect("a bound").value - 1e-6);
}
