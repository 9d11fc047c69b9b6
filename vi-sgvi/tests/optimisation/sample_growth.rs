//! More samples when noise dominates: the gradient of two halves, the test that compares them, what it costs.

use ndarray::{Array1, array};
use vi_core::testing::check_kernel;
use vi_core::{Exec, Kernel, StreamKey};
use vi_sgvi::testing::check_estimator;
use vi_sgvi::{
    Elbo, GradientEstimator, LearningRate, Memory, Pathwise, SampleGrowth, ScoreFunction, Sgd, Sgvi,
    SgviError,
};

use crate::common::{Diagonal, GaussianTarget};

const FAMILY: Diagonal = Diagonal { dim: 3 };

/// The first 20 gradients at a fixed λ: the samples of the 21st, and noise over signal.
fn n_after_a_block(params: &Array1<f64>, noise_ratio: f64, max_samples: usize) -> (usize, f64) {
    let model = GaussianTarget::correlated();
    let elbo = Elbo::new(&model, &FAMILY).unwrap();
    let estimator = SampleGrowth { estimator: ScoreFunction::leave_one_out(8), noise_ratio, max_samples };
    let (mut memory, mut grad) = (Memory::default(), Array1::zeros(6));
    let (mut noise, mut signal) = (0.0, 0.0);
    for t in 0..20 {
        let key = StreamKey::from_seed(71).fold_in(t);
        let estimate = estimator.estimate(elbo, params, key, Exec::local(), &mut memory, &mut grad).unwrap();
        assert_eq!(estimate.n_samples, 8);
        // The same from the two halves by hand.
        let of_half = |half| {
            let mut grad = Array1::zeros(6);
            let half_estimator = ScoreFunction::leave_one_out(4);
            let mut memory = Memory::default();
            half_estimator
                .estimate(elbo, params, key.fold_in(half), Exec::local(), &mut memory, &mut grad)
                .unwrap();
            grad
        };
        let (first, second): (Array1<f64>, Array1<f64>) = (of_half(0), of_half(1));
        assert_eq!(grad, (&first + &second).mapv(|g| 0.5 * g));
        let gap = &first - &second;
        noise += 0.25 * gap.dot(&gap);
        signal += first.dot(&second);
    }
    let grows = noise > noise_ratio.powi(2) * signal.max(0.0);
    let n = memory.state.n_samples();
    assert_eq!(n, if grows { 16.min(max_samples) } else { 8 }, "noise {noise}, signal {signal}");
    (n, noise / signal)
}

#[test]
fn the_number_doubles_when_noise_is_longer_than_the_gradient() {
    // Far from the optimum the gradient is long, at the optimum there is none.
    let far = array![9.0, -9.0, 9.0, 0.0, 0.0, 0.0];
    let optimum = GaussianTarget::correlated().mean_field_optimum();
    let (n, ratio) = n_after_a_block(&far, 100.0, 64);
    assert_eq!(n, 8);
    assert_eq!(n_after_a_block(&optimum, 1.0, 64).0, 16);
    assert_eq!(n_after_a_block(&optimum, 1.0, 10).0, 10);
    // On either side of the threshold.
    assert!(ratio > 0.0);
    assert_eq!(n_after_a_block(&far, (0.99 * ratio).sqrt(), 64).0, 16);
    assert_eq!(n_after_a_block(&far, (1.01 * ratio).sqrt(), 64).0, 8);
}

/// In each of 6 coordinates 5 standard errors: a false alarm in 3.4e-6 of all keys.
#[test]
fn it_is_unbiased() {
    let model = GaussianTarget::correlated();
    let params = array![0.2, -0.5, 1.0, -0.3, 0.2, 0.1];
    let exact = model.mean_field_gradient(&params);
    let estimator = SampleGrowth::new(Pathwise::new(4), 4);
    check_estimator(&estimator, &model, &FAMILY, &params, &exact, 500, StreamKey::from_seed(72));
}

#[test]
fn a_run_grows_counts_and_resumes() {
    let model = GaussianTarget::correlated();
    let estimator = SampleGrowth::new(Pathwise::new(4), 32);
    let rule = Sgd { learning_rate: LearningRate::Constant(0.2) };
    let kernel = Sgvi::new(&model, &FAMILY, estimator, rule).unwrap();
    let (mut state, key) = (kernel.init(), StreamKey::from_seed(73));
    let mut expected = 0;
    for t in 0..400 {
        expected += match state.memory.state.n_samples() {
            0 => 4,
            n => n as u64,
        };
        kernel.step(key.fold_in(t), &mut state).unwrap();
        assert_eq!(state.evaluations.n_gradient, expected);
    }
    assert_eq!(state.memory.state.n_samples(), 32);
    check_kernel(&kernel, &kernel.init(), key, 90);
}

#[test]
fn settings_are_checked() {
    let model = GaussianTarget::correlated();
    let elbo = Elbo::new(&model, &FAMILY).unwrap();
    let told = |estimator: SampleGrowth<Pathwise>| {
        let (params, key, mut grad) = (Array1::zeros(6), StreamKey::from_seed(1), Array1::zeros(6));
        let error = estimator.estimate(elbo, &params, key, Exec::local(), &mut Memory::default(), &mut grad);
        let error = error.unwrap_err();
        assert!(matches!(error, SgviError::Setting { .. }));
        error.to_string()
    };
    assert!(told(SampleGrowth::new(Pathwise::new(3), 8)).starts_with("n_samples = 3"));
    assert!(told(SampleGrowth::new(Pathwise::new(4), 2)).starts_with("max_samples = 2"));
    let negative = SampleGrowth { noise_ratio: -1.0, ..SampleGrowth::new(Pathwise::new(4), 8) };
    assert!(told(negative).starts_with("noise_ratio = -1"));
}
