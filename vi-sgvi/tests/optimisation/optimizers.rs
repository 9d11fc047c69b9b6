//! Steps against the published formulas, and arrival at a known optimum.

use ndarray::{Array1, array};
use vi_core::testing::check_kernel;
use vi_core::{Exec, StreamKey};
use vi_sgvi::{
    AdaGrad, AnyOptimizer, Averaging, Clipping, Dog, Dowg, LearningRate, Momentum, Optimizer, Pathwise,
    ScoreFunction, Sgd, Sgvi, SgviError, SgviSettings, fit,
};

use crate::common::{Diagonal, GaussianTarget};

/// The iterates of a rule from (1, −2) along given gradients.
fn iterates<O: Optimizer>(rule: &O, grads: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let (mut state, mut params) = (rule.init(2), array![1.0, -2.0]);
    grads
        .iter()
        .map(|g| {
            rule.ascend(&mut state, &Array1::from(g.to_vec()), &mut params);
            [params[0], params[1]]
        })
        .collect()
}

fn assert_path(found: &[[f64; 2]], expected: &[[f64; 2]]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        approx::assert_relative_eq!(found, expected, max_relative = 1e-13);
    }
}

/// Two gradients of lengths 5 and 13.
const GRADS: [[f64; 2]; 2] = [[3.0, 4.0], [5.0, -12.0]];

#[test]
fn momentum_takes_the_steps_of_polyak_and_of_nesterov() {
    let learning_rate = LearningRate::Constant(0.1);
    let polyak = Momentum { learning_rate, momentum: 0.5, nesterov: false };
    // v₁ = (0.3, 0.4), v₂ = 0.5 v₁ + (0.5, −1.2) = (0.65, −1.0).
    assert_path(&iterates(&polyak, &GRADS), &[[1.3, -1.6], [1.95, -2.6]]);
    let nesterov = Momentum { nesterov: true, ..polyak };
    // Steps 0.5 v₁ + (0.3, 0.4) = (0.45, 0.6), and 0.5 v₂ + (0.5, −1.2) = (0.825, −1.7).
    assert_path(&iterates(&nesterov, &GRADS), &[[1.45, -1.4], [2.275, -3.1]]);
    // Without momentum both are plain ascent.
    let plain = iterates(&Sgd { learning_rate }, &GRADS);
    for nesterov in [false, true] {
        assert_path(&iterates(&Momentum { learning_rate, momentum: 0.0, nesterov }, &GRADS), &plain);
    }
}

#[test]
fn ada_grad_divides_by_the_root_of_all_squares() {
    let rule = AdaGrad { learning_rate: LearningRate::Constant(0.1), epsilon: 1e-300 };
    // G = (9, 16), then (34, 160).
    let second = [1.1 + 0.5 / 34f64.sqrt(), -1.9 - 1.2 / 160f64.sqrt()];
    assert_path(&iterates(&rule, &GRADS), &[[1.1, -1.9], second]);
}

/// From λ_0 = (1, −2), of length √5, along g₁ of length 5 and g₂ of length 13.
#[test]
fn dog_goes_the_way_gone_over_the_gradients_met() {
    let r0 = 0.1 * (1.0 + 5f64.sqrt());
    // r̄_0 = r_ε, G_0 = 25: the first step has length r_ε, and r̄_1 = r_ε still. G_1 = 25 + 169 = 194.
    let first = [1.0 + r0 * 3.0 / 5.0, -2.0 + r0 * 4.0 / 5.0];
    let rate = r0 / 194f64.sqrt();
    let second = [first[0] + rate * 5.0, first[1] - rate * 12.0];
    // r̄_2 = max(r_ε, ‖λ_2 − λ_0‖), G_2 = 194 + 25.
    let way = ((second[0] - 1.0).powi(2) + (second[1] + 2.0).powi(2)).sqrt().max(r0);
    let rate = way / 219f64.sqrt();
    let third = [second[0] + rate * 3.0, second[1] + rate * 4.0];
    let grads = [GRADS[0], GRADS[1], GRADS[0]];
    assert_path(&iterates(&Dog { initial: 0.1 }, &grads), &[first, second, third]);
}

#[test]
fn dowg_weighs_gradients_by_the_squared_way() {
    let r0 = 0.1 * (1.0 + 5f64.sqrt());
    // v_0 = r_ε² 25: the first step is r_ε² g₁/(5 r_ε), of length r_ε. v_1 = v_0 + r_ε² 169.
    let first = [1.0 + r0 * 3.0 / 5.0, -2.0 + r0 * 4.0 / 5.0];
    let rate = r0 * r0 / (194.0 * r0 * r0).sqrt();
    let second = [first[0] + rate * 5.0, first[1] - rate * 12.0];
    let way = ((second[0] - 1.0).powi(2) + (second[1] + 2.0).powi(2)).sqrt().max(r0);
    let rate = way * way / (194.0 * r0 * r0 + 25.0 * way * way).sqrt();
    let third = [second[0] + rate * 3.0, second[1] + rate * 4.0];
    let grads = [GRADS[0], GRADS[1], GRADS[0]];
    assert_path(&iterates(&Dowg { initial: 0.1 }, &grads), &[first, second, third]);
}

#[test]
fn without_a_gradient_there_is_no_step() {
    let zero = [[0.0, 0.0]];
    assert_path(&iterates(&Dog::default(), &zero), &[[1.0, -2.0]]);
    assert_path(&iterates(&Dowg::default(), &zero), &[[1.0, -2.0]]);
}

/// Schedules with which no learning rate was tried out: the distances at the end are far within the bound.
#[test]
fn every_rule_reaches_the_known_optimum() {
    let (model, family) = (GaussianTarget::correlated(), Diagonal { dim: 3 });
    let learning_rate = LearningRate::Polynomial { initial: 0.02, delay: 200.0, exponent: 0.6 };
    let momentum = Momentum { learning_rate, ..Momentum::default() };
    let rules = [
        AnyOptimizer::Momentum(momentum),
        AnyOptimizer::Momentum(Momentum { nesterov: true, ..momentum }),
        AnyOptimizer::AdaGrad(AdaGrad::default()),
        AnyOptimizer::Dog(Dog::default()),
        AnyOptimizer::Dowg(Dowg::default()),
    ];
    for optimizer in rules {
        let averaging = Averaging::Polynomial { eta: 8.0 };
        let tolerance = vi_sgvi::ElboPlateau { absolute: 0.0, relative: 0.0 };
        let settings = SgviSettings {
            optimizer,
            averaging,
            tolerance,
            n_samples: 10,
            n_iterations: 4000,
            n_evaluate: 100,
            ..SgviSettings::default()
        };
        let fit =
            fit(&model, &family, settings.pathwise(), &settings, StreamKey::from_seed(34), Exec::local())
                .unwrap();
        let distance = (fit.posterior.params() - &model.mean_field_optimum()).mapv(f64::abs);
        assert!(distance.iter().all(|&d| d < 0.05), "{optimizer:?}: {distance}");
    }
}

#[test]
fn all_have_the_same_bits_on_any_threads_and_after_any_stop() {
    let (model, family) = (GaussianTarget::correlated(), Diagonal { dim: 3 });
    let rules = [
        AnyOptimizer::Momentum(Momentum::default()),
        AnyOptimizer::AdaGrad(AdaGrad::default()),
        AnyOptimizer::Dog(Dog::default()),
        AnyOptimizer::Dowg(Dowg::default()),
    ];
    for optimizer in rules {
        let kernel = Sgvi::new(&model, &family, ScoreFunction::leave_one_out(130), optimizer).unwrap();
        let kernel = kernel.with_clipping(Clipping::MaxNorm(3.0)).unwrap();
        check_kernel(&kernel, &kernel.init(), StreamKey::from_seed(35), 60);
    }
}

#[test]
fn settings_files_name_them_and_are_checked() {
    let read = |text: &str| toml::from_str::<SgviSettings>(text).unwrap();
    let settings = read(
        "clipping = { max_norm = 10.0 }\n[optimizer.momentum]\nmomentum = 0.8\nnesterov = true\nlearning_rate = { constant = 0.1 }",
    );
    let learning_rate = LearningRate::Constant(0.1);
    let momentum = Momentum { learning_rate, momentum: 0.8, nesterov: true };
    assert_eq!(settings.optimizer, AnyOptimizer::Momentum(momentum));
    assert_eq!(settings.clipping, Clipping::MaxNorm(10.0));
    assert_eq!(read("[optimizer.ada_grad]").optimizer, AnyOptimizer::AdaGrad(AdaGrad::default()));
    assert_eq!(read("[optimizer.dog]\ninitial = 1e-6").optimizer, AnyOptimizer::Dog(Dog { initial: 1e-6 }));
    assert_eq!(read("[optimizer.dowg]").optimizer, AnyOptimizer::Dowg(Dowg::default()));
    assert_eq!(toml::from_str::<SgviSettings>(&toml::to_string(&settings).unwrap()).unwrap(), settings);
    assert!(toml::from_str::<SgviSettings>("[optimizer.dog]\nlearning_rate = 1.0").is_err());

    let model = GaussianTarget::correlated();
    let told = |settings: SgviSettings| {
        let family = Diagonal { dim: 3 };
        let error = settings.kernel(&model, &family, settings.pathwise(), Exec::local()).unwrap_err();
        assert!(matches!(error, SgviError::Setting { .. }), "{error}");
        error.to_string()
    };
    let with = |optimizer| SgviSettings { optimizer, ..SgviSettings::default() };
    let message = told(with(AnyOptimizer::Momentum(Momentum { momentum: 1.0, ..momentum })));
    assert_eq!(message, "momentum.momentum = 1, but it must be in [0, 1)");
    let message = told(with(AnyOptimizer::AdaGrad(AdaGrad { epsilon: 0.0, ..AdaGrad::default() })));
    assert!(message.starts_with("ada_grad.epsilon = 0"), "{message}");
    let message = told(with(AnyOptimizer::Dog(Dog { initial: -1.0 })));
    assert!(message.starts_with("dog.initial = -1"), "{message}");
    let message = told(with(AnyOptimizer::Dowg(Dowg { initial: f64::NAN })));
    assert!(message.starts_with("dowg.initial = NaN"), "{message}");
    let message = told(SgviSettings { clipping: Clipping::MaxNorm(0.0), ..SgviSettings::default() });
    assert!(message.starts_with("clipping.max_norm = 0"), "{message}");
}

#[test]
fn clipping_cuts_counts_and_says_so() {
    let (model, family) = (GaussianTarget::correlated(), Diagonal { dim: 3 });
    let run = |clipping| {
        let optimizer = AnyOptimizer::Sgd(Sgd { learning_rate: LearningRate::Constant(1.0) });
        let settings =
            SgviSettings { optimizer, clipping, n_iterations: 1, n_evaluate: 10, ..SgviSettings::default() };
        fit(&model, &family, Pathwise::new(8), &settings, StreamKey::from_seed(36), Exec::local()).unwrap()
    };
    // λ starts at 0, so that after one step of length 1 the iterate is the gradient.
    let (whole, cut) = (run(Clipping::None), run(Clipping::MaxNorm(0.25)));
    let (long, short) = (whole.posterior.params(), cut.posterior.params());
    let length = long.dot(long).sqrt();
    assert!(length > 1.0, "{length}");
    approx::assert_relative_eq!(short.dot(short).sqrt(), 0.25, max_relative = 1e-12);
    approx::assert_relative_eq!(short.dot(long), 0.25 * length, max_relative = 1e-12);
    assert_eq!((whole.n_clipped, cut.n_clipped), (0, 1));
    assert!(whole.biases.is_empty());
    assert_eq!(cut.biases, ["gradients longer than 0.25 are cut to that length"]);
    // A bound that is never met changes no bit.
    assert_eq!(run(Clipping::MaxNorm(1e6)).posterior.params(), long);
}
