//! Windows of iterates, compared by the ELBO of their averages.

use ndarray::{Array1, array};
use vi_core::testing::check_kernel;
use vi_core::{Exec, Kernel, LogJoint, Role, StreamKey};
use vi_families::MeanFieldGaussian;
use vi_sgvi::{
    Averaging, Compare, Elbo, Pathwise, ScoreFunction, Sgd, Sgvi, SgviError, SgviSettings, Window,
    compare_elbo, evaluate_elbo,
};

use crate::common::GaussianTarget;

/// ELBO of a mean-field member less that of the optimum: ½ dᵀΛd and ½ Σ (Λ_ii s_i² − 1 − log Λ_ii s_i²).
fn exact(model: &GaussianTarget, params: &Array1<f64>) -> f64 {
    let best = model.mean_field_optimum();
    let deviation = Array1::from_shape_fn(3, |i| params[i] - best[i]);
    let mut gap = 0.5 * deviation.dot(&model.precision.dot(&deviation));
    for i in 3..6 {
        let log_ratio = 2.0 * (params[i] - best[i]);
        gap += 0.5 * (log_ratio.exp() - 1.0 - log_ratio);
    }
    model.mean_field_elbo() - gap
}

/// Within 4.5 standard errors of the closed form: a correct comparison fails with probability 7e-6 if the seed is changed.
#[test]
fn common_random_numbers_tell_near_members_apart() {
    let model = GaussianTarget::correlated();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let elbo = Elbo::new(&model, &family).unwrap();
    let key = StreamKey::from_seed(4).role(Role::Evaluate);
    let later = model.mean_field_optimum();
    let earlier = &later + &array![0.02, -0.01, 0.03, 0.01, 0.02, -0.02];
    let found = compare_elbo(elbo, &earlier, &later, 2000, key, Exec::local()).unwrap();
    let expected = exact(&model, &later) - exact(&model, &earlier);
    let z = (found.improvement - expected) / found.mcse;
    assert!(z.abs() < 4.5, "improvement {} ± {}, expected {expected}", found.improvement, found.mcse);
    // Independent draws would have an error of √2 mcse of each.
    assert!(found.mcse < 0.1 * found.later.mcse, "{} beside {}", found.mcse, found.later.mcse);
    let alone = evaluate_elbo(&model, &family, &later, 2000, key, Exec::local()).unwrap();
    assert_eq!(found.later, alone);

    let same = compare_elbo(elbo, &later, &later, 100, key, Exec::local()).unwrap();
    assert_eq!((same.improvement, same.mcse), (0.0, 0.0));
    let one = compare_elbo(elbo, &earlier, &later, 1, key, Exec::local());
    assert!(matches!(one, Err(SgviError::TooFewSamples { minimum: 2, .. })));
}

fn mean(iterates: &[Array1<f64>]) -> Array1<f64> {
    let mut sum = Array1::<f64>::zeros(6);
    for iterate in iterates {
        sum += iterate;
    }
    sum / iterates.len() as f64
}

#[test]
fn windows_compare_and_report_the_means_of_their_iterates() {
    let model = GaussianTarget::correlated();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let window = Window { length: 3, growth: 1.5, compare: Compare::Averages { n_samples: 500 } };
    let kernel = Sgvi::new(&model, &family, Pathwise::new(4), Sgd::default()).unwrap();
    let kernel = kernel.with_averaging(Averaging::Window).unwrap().with_window(window).unwrap();
    let (mut state, key) = (kernel.init(), StreamKey::from_seed(6));
    let (mut iterates, mut ends) = (Vec::new(), Vec::new());
    for t in 0..16 {
        let info = kernel.step(key.fold_in(t), &mut state).unwrap();
        iterates.push(state.params.clone());
        if let Some(comparison) = info.window {
            ends.push((t, comparison));
        }
        // Windows hold iterates 0–2, 3–7, 8–15.
        let reported = match t {
            0 | 1 => 0..t as usize + 1,
            2..=6 => 0..3,
            7..=14 => 3..8,
            _ => 8..16,
        };
        let distance = (kernel.averaged_params(&state) - mean(&iterates[reported])).mapv(f64::abs).sum();
        assert!(distance < 1e-13, "iteration {t}: the average is {distance} off");
    }
    assert_eq!(ends.iter().map(|(t, c)| (*t, c.n_iterations)).collect::<Vec<_>>(), [(7, 5), (15, 8)]);
    let [first, second, third] = [0..3, 3..8, 8..16].map(|range| exact(&model, &mean(&iterates[range])));
    // 4 standard errors each: 1.3e-4 for a correct comparison if the seed is changed.
    for ((_, found), expected) in ends.iter().zip([second - first, third - second]) {
        let z = (found.improvement - expected) / found.mcse;
        assert!(z.abs() < 4.0, "improvement {} ± {}, expected {expected}", found.improvement, found.mcse);
    }
    // Two comparisons of two members each, and no log joint without gradient beside them.
    assert_eq!(state.evaluations.n_log_joint, 2 * 2 * 500);
}

#[test]
fn threads_and_stops_leave_no_trace_in_averages() {
    let model = GaussianTarget::correlated();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    // Windows end at 4, 9 and 16, and the run stops at 6 and 13.
    let window = Window { length: 4, growth: 1.25, compare: Compare::Averages { n_samples: 70 } };
    let settings = SgviSettings { window, ..SgviSettings::black_box() };
    let estimator = ScoreFunction::leave_one_out(100);
    let kernel = settings.kernel(&model, &family, estimator, Exec::local()).unwrap();
    check_kernel(&kernel, &kernel.init(), StreamKey::from_seed(9), 20);
}

#[test]
fn files_ask_for_averages() {
    let text =
        "averaging = \"window\"\nwindow = { length = 50, compare = { averages = { n_samples = 200 } } }";
    let settings: SgviSettings = toml::from_str(text).unwrap();
    let compare = Compare::Averages { n_samples: 200 };
    let window = Window { length: 50, compare, ..Window::default() };
    assert_eq!(settings, SgviSettings { averaging: Averaging::Window, window, ..SgviSettings::default() });
    let black_box = SgviSettings::black_box();
    assert_eq!(toml::from_str::<SgviSettings>(&toml::to_string(&black_box).unwrap()).unwrap(), black_box);

    let model = GaussianTarget::correlated();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let window = Window { compare: Compare::Averages { n_samples: 1 }, ..Window::default() };
    let kernel = Sgvi::new(&model, &family, Pathwise::new(4), Sgd::default()).unwrap();
    let error = kernel.with_window(window).unwrap_err().to_string();
    assert_eq!(error, "window.compare.averages.n_samples = 1, but it must be ≥ 2");
}
