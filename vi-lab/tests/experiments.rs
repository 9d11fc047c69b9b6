//! The ready-made experiments are in order.

use std::path::Path;

use vi_lab::{EstimatorBench, Experiment, ReferenceKind, supported};

#[test]
fn every_ready_made_experiment_builds_its_model_and_names_methods_that_it_has() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../experiments");
    let files = std::fs::read_dir(&directory).expect("the directory of experiments");
    let mut names = Vec::new();
    for path in
        files.map(|f| f.expect("a file").path()).filter(|p| p.extension().is_some_and(|e| e == "toml"))
    {
        let stem = path.file_stem().and_then(|s| s.to_str()).expect("a plain name").to_owned();
        if stem.starts_with("estimators-") {
            let bench = EstimatorBench::load(&path).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(bench.experiment.name, stem, "results are found under the file's name");
            assert!(bench.estimators.len() > 2 && !bench.experiment.description.is_empty());
            assert_eq!(bench.reference.kind, ReferenceKind::Exact, "{stem}");
            names.push(stem);
            continue;
        }
        let experiment = Experiment::load(&path).unwrap_or_else(|e| panic!("{e}"));
        let study = experiment.study.as_ref();
        assert!(study.n_data() > 0 && study.reported().dim() > 0, "{}", path.display());
        assert!(!experiment.methods.is_empty() && !experiment.description.is_empty());
        let methods = supported(study);
        for method in &experiment.methods {
            assert!(methods.contains(&method.kind()), "{}: {}", path.display(), method.name);
        }
        assert_eq!(experiment.name, stem, "results are found under the file's name");
        names.push(stem);
    }
    names.sort();
    assert_eq!(
        names,
        [
            "breast-cancer",
            "eight-schools",
            "estimators-digits",
            "estimators-eight-schools",
            "estimators-ising",
            "estimators-logistic-regression",
            "garch",
            "gaussian-process",
            "lda-pride-and-prejudice",
            "linear",
            "old-faithful",
            "pca",
            "robust-regression"
        ]
    );
}
