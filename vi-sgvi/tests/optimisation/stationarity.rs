//! The stop rule on iterates: its settings, its bits, and that noise and slowness do not fool it.

use ndarray::Array2;
use vi_core::testing::check_kernel;
use vi_core::{Exec, Kernel, LogJoint, NeverStop, Role, StopReason, StopRule, StreamKey, run};
use vi_families::MeanFieldGaussian;
use vi_sgvi::{
    AnyOptimizer, LearningRate, NaturalGradient, Pathwise, ScoreFunction, Sgd, Sgvi, SgviSettings,
    Stationarity, fit,
};

use crate::common::{Diagonal, GaussianTarget};
use crate::models::logistic;

fn settings() -> SgviSettings {
    SgviSettings { n_evaluate: 2000, ..SgviSettings::stationary() }
}

#[test]
fn stationary_iterates_stop_a_run_at_the_optimum() {
    let model = GaussianTarget::correlated();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let settings = settings();
    let key = StreamKey::from_seed(61);
    let fit = fit(&model, &family, settings.score_function(), &settings, key, Exec::local()).unwrap();
    let StopReason::Converged { rule } = &fit.outcome.reason else { panic!("{}", fit.outcome.reason) };
    assert!(rule.starts_with("R-hat 1.0"), "{rule}");
    // The default tolerance is 0.02 nats; the gap of an average is that of its error.
    let gap = model.mean_field_elbo() - fit.elbo.value;
    assert!(gap.abs() < 0.04 + 5.0 * fit.elbo.mcse, "{gap} after {} iterations", fit.outcome.next);
    // The later half of the iterates is what is reported, and two looks or more are counted.
    let n = fit.outcome.next;
    assert_eq!(fit.evaluations.n_log_joint % 2000, (128 * n + 2000) % 2000);
}

#[test]
fn slow_steps_are_not_stationary_and_noise_is_not_precision() {
    let model = GaussianTarget::correlated();
    let family = Diagonal { dim: 3 };
    // A drift far slower than the run, with little noise: R̂ sees it.
    let slow = Sgd { learning_rate: LearningRate::Constant(1e-5) };
    let kernel = Sgvi::new(&model, &family, Pathwise::new(64), slow).unwrap();
    let rule = Stationarity::default();
    let kernel = kernel.with_stationarity(rule).unwrap();
    let outcome =
        run(&kernel, &mut kernel.init(), StreamKey::from_seed(62), 0..3000, &rule, &mut []).unwrap();
    assert_eq!(outcome.reason, StopReason::Budget);
    // Steps that are noise more than anything else: stationary at once, and known far too badly.
    let natural =
        NaturalGradient { learning_rate: LearningRate::Constant(0.5), ..NaturalGradient::cautious() };
    let kernel = Sgvi::new(&model, &family, ScoreFunction::leave_one_out(4), natural).unwrap();
    let kernel = kernel.with_stationarity(rule).unwrap();
    let outcome = run(&kernel, &mut kernel.init(), StreamKey::from_seed(63), 0..170, &rule, &mut []).unwrap();
    assert_eq!(outcome.reason, StopReason::Budget);
}

#[test]
fn a_look_says_what_the_rule_is_documented_to_ask() {
    let (model, family) = (GaussianTarget::correlated(), Diagonal { dim: 3 });
    let rule = Stationarity { batch: 2, ..Stationarity::default() };
    let kernel = Sgvi::new(&model, &family, Pathwise::new(8), NaturalGradient::cautious()).unwrap();
    let kernel = kernel.with_stationarity(rule).unwrap();
    let (mut state, key) = (kernel.init(), StreamKey::from_seed(64));
    let (mut iterates, mut looks, mut trace) = (Vec::new(), Vec::new(), Vec::new());
    for t in 0..256 {
        let info = kernel.step(key.fold_in(t), &mut state).unwrap();
        iterates.extend_from_slice(state.params.as_slice().unwrap());
        trace.push(info.elbo.value);
        if let Some(look) = info.stationarity {
            looks.push((t + 1, look));
            let all = Array2::from_shape_vec((t as usize + 1, 6), iterates.clone()).unwrap();
            let later = all.slice(ndarray::s![all.nrows() / 2.., ..]);
            assert_eq!(look.n_iterations as usize, later.nrows());
            let average = later.mean_axis(ndarray::Axis(0)).unwrap();
            let reported = kernel.averaged_params(&state);
            for (a, r) in average.iter().zip(&reported) {
                approx::assert_relative_eq!(a, r, max_relative = 1e-10);
            }
        }
    }
    let times: Vec<u64> = looks.iter().map(|(t, _)| *t).collect();
    assert_eq!(times, [32, 48, 64, 96, 128, 192, 256]);
    // For a Gaussian with independent coordinates J(a, b) is (a − b)ᵀF(a − b) for members near each other, F = (s⁻², 2).
    let (_, look) = looks.last().unwrap();
    let error = look.average.unwrap();
    // Eight batches of 16.
    let w = 8;
    let later = &iterates[6 * 128..];
    let mean = |rows: &[f64], i: usize| {
        let n = rows.len() / 6;
        (0..n).map(|r| rows[6 * r + i]).sum::<f64>() / n as f64
    };
    let mut expected = 0.0;
    for i in 0..6 {
        let centre = mean(later, i);
        let fisher = if i < 3 { (-2.0 * mean(later, i + 3)).exp() } else { 2.0 };
        let squares: f64 = later.chunks(6 * 16).map(|batch| (mean(batch, i) - centre).powi(2)).sum();
        expected += fisher * squares / (2 * w * (w - 1)) as f64;
    }
    // To second order, and with the noise of 100 draws: 800 of them in all leave about a tenth.
    let ratio = error.divergence / expected;
    assert!((0.6..1.6).contains(&ratio), "{} is not {expected}", error.divergence);
    let batches: Vec<f64> = trace[128..].chunks(16).map(|b| b.iter().sum::<f64>() / 16.0).collect();
    let centre = batches.iter().sum::<f64>() / 8.0;
    let mcse = (batches.iter().map(|b| (b - centre).powi(2)).sum::<f64>() / 56.0).sqrt();
    approx::assert_relative_eq!(error.elbo_mcse, mcse, max_relative = 1e-9);
    // The rule asks for every one of them.
    let info = kernel.step(key.fold_in(256), &mut state).unwrap();
    let with = |tolerance, r_hat| {
        let rule = Stationarity { tolerance, r_hat, in_a_row: 1, ..rule };
        rule.check(0, &vi_sgvi::SgviInfo { stationarity: Some(*look), ..info })
    };
    let change = error.improvement.abs() + 2.0 * error.improvement_mcse;
    let bound = error.divergence.max(2.0 * error.elbo_mcse).max(change);
    assert!(with(1.001 * bound, 1.1).is_some_and(|r| r.is_converged()));
    assert!(with(0.999 * bound, 1.1).is_none());
    assert!(with(1.001 * bound, look.r_hat - 1e-9).is_none());
}

/// A run stops at the second look in a row that finds everything, and one look that does not starts the count anew.
#[test]
fn looks_that_find_everything_are_counted_in_a_row() {
    let (model, family) = (GaussianTarget::correlated(), Diagonal { dim: 3 });
    let one = Stationarity { batch: 2, tolerance: 0.1, in_a_row: 1, ..Stationarity::default() };
    let kernel = Sgvi::new(&model, &family, Pathwise::new(8), NaturalGradient::cautious()).unwrap();
    let kernel = kernel.with_stationarity(one).unwrap();
    let (mut state, key) = (kernel.init(), StreamKey::from_seed(64));
    let (mut in_a_row, mut most, mut fresh_starts) = (0, 0, 0);
    for t in 0..4096 {
        let info = kernel.step(key.fold_in(t), &mut state).unwrap();
        let Some(look) = info.stationarity else { continue };
        assert_eq!(look.before, in_a_row);
        let stops = |in_a_row| Stationarity { in_a_row, ..one }.check(t, &info).is_some();
        let content = stops(1);
        assert!(!content || look.average.is_some());
        fresh_starts += u64::from(!content && in_a_row > 0);
        in_a_row = if content { in_a_row + 1 } else { 0 };
        most = most.max(in_a_row);
        assert_eq!((stops(2), stops(3)), (in_a_row >= 2, in_a_row >= 3));
    }
    assert!(most >= 3, "{most} looks in a row, {fresh_starts} fresh starts");
}

#[test]
fn the_same_bits_on_any_threads_and_after_any_stop() {
    let model = logistic(40);
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let settings = SgviSettings {
        stationarity: Some(Stationarity {
            r_hat: 100.0,
            batch: 2,
            n_compare: 130,
            ..Stationarity::default()
        }),
        ..settings()
    };
    let kernel = settings.kernel(&model, &family, settings.pathwise(), Exec::local()).unwrap();
    let key = StreamKey::from_seed(65).role(Role::Step);
    check_kernel(&kernel, &kernel.init(), key, 120);
    let mut state = kernel.init();
    run(&kernel, &mut state, key, 0..120, &NeverStop, &mut []).unwrap();
    assert!(state.evaluations.n_log_joint > 0, "no look was made");
}

#[test]
fn settings_files_have_it() {
    let read = |text: &str| toml::from_str::<SgviSettings>(text);
    let settings = read("[stationarity]\nr_hat = 1.05\ntolerance = 0.01").unwrap();
    let rule = Stationarity { r_hat: 1.05, tolerance: 0.01, ..Stationarity::default() };
    assert_eq!(settings.stationarity, Some(rule));
    for settings in [settings, SgviSettings::stationary(), SgviSettings::default()] {
        assert_eq!(read(&toml::to_string(&settings).unwrap()).unwrap(), settings);
    }
    assert!(read("[stationarity]\nrhat = 1.05").is_err());
    let (model, family) = (GaussianTarget::correlated(), Diagonal { dim: 3 });
    let told = |rule: Stationarity| {
        let settings = SgviSettings {
            stationarity: Some(rule),
            optimizer: AnyOptimizer::default(),
            ..SgviSettings::default()
        };
        settings.kernel(&model, &family, settings.pathwise(), Exec::local()).unwrap_err().to_string()
    };
    let default = Stationarity::default();
    assert_eq!(
        told(Stationarity { r_hat: 1.0, ..default }),
        "stationarity.r_hat = 1, but it must be finite and > 1"
    );
    assert!(
        told(Stationarity { tolerance: f64::NAN, ..default }).starts_with("stationarity.tolerance = NaN")
    );
    assert!(told(Stationarity { batch: 1, ..default }).starts_with("stationarity.batch = 1"));
    assert!(told(Stationarity { n_compare: 1, ..default }).starts_with("stationarity.n_compare = 1"));
    assert!(told(Stationarity { in_a_row: 0, ..default }).starts_with("stationarity.in_a_row = 0"));
}
