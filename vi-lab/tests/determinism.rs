//! Same experiment, same seed: same bits, on any number of threads and after any interruption.

mod common;

use std::fs;

use common::{TINY, comparable, parse, run};
use vi_lab::{Interrupt, LabError, RunOptions};

#[test]
fn threads_do_not_change_a_bit() {
    let summaries = [1, 2, 3, 7].map(|threads| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        comparable(&run(TINY, directory.path(), threads, false, &Interrupt::new()))
    });
    for other in &summaries[1..] {
        assert_eq!(&summaries[0], other);
    }
}

#[test]
fn the_seed_changes_everything_that_is_drawn() {
    let of_seed = |seed: u64| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let text = TINY.replace("seed = 7", &format!("seed = {seed}"));
        run(&text, directory.path(), 2, false, &Interrupt::new())
    };
    let (a, b) = (of_seed(7), of_seed(8));
    for (a, b) in a.summary.methods.iter().zip(&b.summary.methods) {
        assert_ne!(a.parameters[0].mean, b.parameters[0].mean, "{}", a.name);
    }
}

/// Interrupts fall into every method: CAVI has three restarts of a few dozen sweeps, each SGVI 60 iterations, NUTS 220, Gibbs
/// 280, the random walk 440.
#[test]
fn an_interrupted_and_resumed_run_ends_in_the_bits_of_an_unbroken_one() {
    let whole = tempfile::tempdir().expect("a temporary directory");
    let unbroken = run(TINY, whole.path(), 2, false, &Interrupt::new());
    let cavi = unbroken.summary.methods[0].iterations;
    // The second falls into the last restart of CAVI, when others have ended.
    for after in [3, cavi - 4, cavi + 25, cavi + 85, cavi + 200, cavi + 350, cavi + 420, cavi + 750] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let first = run(TINY, directory.path(), 2, false, &Interrupt::after_iterations(after));
        assert!(first.interrupted, "after {after} iterations");
        let last = first.summary.methods.last().expect("the interrupted method is reported");
        assert!(last.stop_reason.contains("interrupted") && !last.converged, "{after}: {}", last.stop_reason);
        assert!(directory.path().join("checkpoints").is_dir());
        let second = run(TINY, directory.path(), 1, true, &Interrupt::new());
        assert!(!second.interrupted);
        assert_eq!(comparable(&second), comparable(&unbroken), "interrupted after {after} iterations");
        for file in ["draws/gibbs.csv", "traces/full-rank.csv", "draws/nuts.csv", "traces/random_walk.csv"] {
            let read = |d: &tempfile::TempDir| fs::read(d.path().join(file)).expect("the file is there");
            assert_eq!(read(&directory), read(&whole), "{file}");
        }
    }
}

#[test]
fn checkpoints_of_another_experiment_are_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    run(TINY, directory.path(), 1, false, &Interrupt::after_iterations(3));
    let mut experiment = parse(TINY).expect("the experiment is in order");
    experiment.seed = 8;
    let options =
        RunOptions { out: Some(directory.path().to_owned()), threads: Some(1), quiet: true, resume: true };
    let error = vi_lab::run(&experiment, &options, &Interrupt::new()).expect_err("another seed");
    assert!(matches!(error, LabError::Fingerprint { .. }) && error.exit_code() == 2, "{error}");
    assert!(error.to_string().starts_with("cannot resume: the checkpoints in "), "{error}");
    // Without --resume the run starts afresh and the old checkpoints go.
    let options = RunOptions { resume: false, ..options };
    let outcome = vi_lab::run(&experiment, &options, &Interrupt::new()).expect("a fresh run");
    assert!(!outcome.interrupted && !directory.path().join("checkpoints").exists());
}

#[test]
fn a_damaged_checkpoint_is_told_and_not_gone_on_from() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    run(TINY, directory.path(), 1, false, &Interrupt::after_iterations(3));
    let path = directory.path().join("checkpoints/cavi.restart-1.checkpoint");
    let mut bytes = fs::read(&path).expect("the checkpoint is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).expect("the checkpoint can be damaged");
    let experiment = parse(TINY).expect("the experiment is in order");
    let options =
        RunOptions { out: Some(directory.path().to_owned()), threads: Some(1), quiet: true, resume: true };
    let error = vi_lab::run(&experiment, &options, &Interrupt::new()).expect_err("a damaged checkpoint");
    assert!(
        error.to_string().starts_with("cannot resume: ") && error.to_string().contains("checksum"),
        "{error}"
    );
    assert_eq!(error.exit_code(), 2);
}

/// Two runs of ten epochs of six batches, the last of which is short: by Robbins and Monro, and by adaptive rates.
const STOCHASTIC: &str = r#"
name = "stochastic"
seed = 3
[data]
set = "breast_cancer"
covariates = ["mean_radius", "mean_texture"]
standardise = true
intercept = true
[model]
name = "logistic_regression"
[[methods]]
name = "falling"
method = "svi"
batch_size = 100
n_epochs = 10
tolerance = 0.0
n_draws = 100
[[methods]]
name = "adaptive"
method = "svi"
batch_size = 100
n_epochs = 10
tolerance = 0.0
n_draws = 100
rate = { adaptive = { n_initial = 5 } }
"#;

#[test]
fn a_stochastic_ascent_stopped_in_the_middle_of_an_epoch_resumes_to_the_bits_of_an_unbroken_one() {
    let whole = tempfile::tempdir().expect("a temporary directory");
    let unbroken = run(STOCHASTIC, whole.path(), 2, false, &Interrupt::new());
    let [falling, adaptive] = unbroken.summary.methods.as_slice() else { panic!("two methods") };
    assert_eq!((falling.iterations, adaptive.iterations), (60, 60));
    assert!(falling.elbo.is_some_and(f64::is_finite) && falling.elbo != adaptive.elbo);
    // Within the second epoch of each method, and of the second within its first look at the data.
    for after in [8, 63, 69] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let first = run(STOCHASTIC, directory.path(), 2, false, &Interrupt::after_iterations(after));
        assert!(first.interrupted && first.summary.methods.last().is_some_and(|m| !m.converged));
        let second = run(STOCHASTIC, directory.path(), 1, true, &Interrupt::new());
        assert_eq!(comparable(&second), comparable(&unbroken), "interrupted after {after} steps");
        for file in ["traces/falling.csv", "traces/adaptive.csv", "draws/adaptive.csv"] {
            let read = |d: &tempfile::TempDir| fs::read(d.path().join(file)).expect("the file is there");
            assert_eq!(read(&directory), read(&whole), "{file}");
        }
    }
}
