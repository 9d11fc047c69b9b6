//! What goes wrong is said with the iteration, the sample, names and values; no result holds a NaN.

use ndarray::{Array1, ArrayRef1, array};
use vi_core::{Exec, GradLogJoint, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_sgvi::{
    Adam, AnyOptimizer, Elbo, GradientEstimator, LearningRate, Memory, Pathwise, ScoreFunction, Sgd, Sgvi,
    SgviError, SgviSettings, Window, evaluate_elbo, fit,
};

use crate::common::{Diagonal, GaussianTarget};

/// A standard Gaussian with a fault: `fault(z)` is returned where it is something.
struct Faulty<F> {
    parameters: ParameterSpace,
    fault: F,
}

impl<F: Fn(&ArrayRef1<f64>) -> Option<f64>> Faulty<F> {
    fn new(fault: F) -> Self {
        let parameters =
            [Parameter::scalar("alpha", Support::Real), Parameter::vector("beta", 2, Support::Real)];
        Self { parameters: ParameterSpace::new(parameters).unwrap(), fault }
    }
}

impl<F: Fn(&ArrayRef1<f64>) -> Option<f64> + Send + Sync> LogJoint for Faulty<F> {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        (self.fault)(z).unwrap_or_else(|| -0.5 * z.dot(z))
    }
}

/// The gradient has the fault, the log joint has not.
struct FaultyGradient<F>(Faulty<F>);

impl<F: Fn(&ArrayRef1<f64>) -> Option<f64> + Send + Sync> LogJoint for FaultyGradient<F> {
    fn parameters(&self) -> &ParameterSpace {
        &self.0.parameters
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        -0.5 * z.dot(z)
    }
}

impl<F: Fn(&ArrayRef1<f64>) -> Option<f64> + Send + Sync> GradLogJoint for FaultyGradient<F> {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        grad.iter_mut().zip(z).for_each(|(g, z)| *g = -z);
        if let Some(value) = (self.0.fault)(z) {
            grad[1] = value;
        }
        self.log_joint(z)
    }
}

const FAMILY: Diagonal = Diagonal { dim: 3 };

fn estimate<M, E>(model: &M, estimator: &E) -> Result<Array1<f64>, SgviError>
where
    M: LogJoint,
    E: GradientEstimator<M, Diagonal>,
{
    let (elbo, mut grad) = (Elbo::new(model, &FAMILY).unwrap(), Array1::zeros(6));
    let (params, key) = (Array1::zeros(6), StreamKey::from_seed(10));
    estimator.estimate(elbo, &params, key, Exec::local(), &mut Memory::default(), &mut grad)?;
    Ok(grad)
}

#[test]
fn a_log_joint_that_is_not_finite_shows_z() {
    for value in [f64::NAN, f64::NEG_INFINITY, f64::INFINITY] {
        // Of 200 standard normal draws in three dimensions some satisfy this and most do not.
        let bad = |z: &ArrayRef1<f64>| z[1] > 1.5;
        let model = Faulty::new(|z: &ArrayRef1<f64>| bad(z).then_some(value));
        let error = estimate(&model, &ScoreFunction::leave_one_out(200)).unwrap_err();
        let message = error.to_string();
        let SgviError::NonFiniteLogJoint { value: seen, sample, z } = error else { panic!("{error:?}") };
        assert_eq!(seen.to_bits(), value.to_bits());
        let coordinates: Vec<f64> = z.0.iter().map(|(_, v)| *v).collect();
        assert!(bad(&Array1::from_vec(coordinates)), "that z is not the culprit: {z}");
        let beginning = format!("log joint is {value} at sample {sample}: alpha = ");
        assert!(message.starts_with(&beginning) && message.contains("beta[2] = "), "{message}");
    }
}

#[test]
fn the_first_bad_sample_is_named_across_chunks() {
    let model = Faulty::new(|_: &ArrayRef1<f64>| None);
    assert!(estimate(&model, &ScoreFunction::leave_one_out(200)).is_ok());
    // The draws of the same key, to know which sample is the first beyond 2.
    let key = StreamKey::from_seed(10);
    let elbo = Elbo::new(&model, &FAMILY).unwrap();
    let params = Array1::zeros(6);
    let q = vi_families::VariationalFamily::bind(elbo.family(), &params).unwrap();
    let mut z = Array1::zeros(3);
    let mut draw = |s: u64| {
        vi_families::VariationalDistribution::sample(&q, &mut key.rng(s), &mut z);
        z[0]
    };
    let after_the_first_chunk = (64..200).map(|s| (draw(s), s)).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
    let before = (0..64).map(&mut draw).fold(f64::NEG_INFINITY, f64::max);
    assert!(after_the_first_chunk.0 > before, "pick another seed: {before} {after_the_first_chunk:?}");
    let model = Faulty::new(|z: &ArrayRef1<f64>| (z[0] > before).then_some(f64::NAN));
    let error = estimate(&model, &ScoreFunction::leave_one_out(200)).unwrap_err();
    let first = (64..200).find(|&s| draw(s) > before).unwrap() as usize;
    assert!(matches!(error, SgviError::NonFiniteLogJoint { sample, .. } if sample == first), "{error}");
}

#[test]
fn a_gradient_that_is_not_finite_shows_coordinate_and_z() {
    let model = FaultyGradient(Faulty::new(|z: &ArrayRef1<f64>| (z[0] > 1.0).then_some(f64::NAN)));
    let message = estimate(&model, &Pathwise::new(100)).unwrap_err().to_string();
    assert!(
        message.starts_with("gradient of the log joint with respect to beta[1] is NaN at sample"),
        "{message}"
    );
    assert!(message.contains("alpha = 1."), "{message}");
}

#[test]
fn a_run_names_the_iteration() {
    // Good at the start and bad where the optimum lies.
    let model = Faulty::new(|z: &ArrayRef1<f64>| (z[0] > 6.0).then_some(f64::NEG_INFINITY));
    let settings = SgviSettings::default();
    let kernel = settings.kernel(&model, &FAMILY, settings.score_function(), Exec::local()).unwrap();
    let mut state = kernel.init_at(&array![3.0, 0.0, 0.0, 0.0, 0.0, 0.0]).unwrap();
    let key = StreamKey::from_seed(11);
    let outcome = vi_core::run(&kernel, &mut state, key, 0..1000, &vi_core::NeverStop, &mut []);
    let error = SgviError::from(Box::new(outcome.unwrap_err()));
    let message = error.to_string();
    let n_done = state.elbo_trace.len();
    assert!(message.starts_with(&format!("iteration {n_done}: log joint is -inf at sample")), "{message}");
}

#[test]
fn a_learning_rate_far_too_large_never_ends_in_a_result_with_nan() {
    let model = GaussianTarget::correlated();
    for rate in [1e1, 1e3, 1e8, 1e300] {
        let learning_rate = LearningRate::Constant(rate);
        let adam = Adam { learning_rate, ..Adam::default() };
        for optimizer in [AnyOptimizer::Sgd(Sgd { learning_rate }), AnyOptimizer::Adam(adam)] {
            let settings =
                SgviSettings { optimizer, n_iterations: 300, n_samples: 8, ..SgviSettings::default() };
            let key = StreamKey::from_seed(12);
            match fit(&model, &FAMILY, settings.score_function(), &settings, key, Exec::local()) {
                Ok(fit) => {
                    assert!(!fit.outcome.converged(), "{optimizer:?}: {:?}", fit.elbo);
                    assert!(
                        fit.elbo.value.is_finite() && fit.posterior.params().iter().all(|p| p.is_finite())
                    );
                }
                Err(error) => {
                    let message = error.to_string();
                    assert!(
                        message.starts_with("iteration ") || message.starts_with("evaluation "),
                        "{message}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_step_to_infinity_names_the_parameter() {
    let model = GaussianTarget::correlated();
    let optimizer = Sgd { learning_rate: LearningRate::Constant(1e308) };
    let kernel = Sgvi::new(&model, &FAMILY, Pathwise::new(2), optimizer).unwrap();
    let mut state = kernel.init_at(&array![1e3, 0.0, 0.0, 0.0, 0.0, 0.0]).unwrap();
    let error = vi_core::Kernel::step(&kernel, StreamKey::from_seed(1), &mut state).unwrap_err();
    let SgviError::NonFiniteParameter { parameter, value } = &error else { panic!("{error:?}") };
    assert_eq!((parameter.as_str(), *value), ("location[1]", f64::NEG_INFINITY));
    assert!(error.to_string().starts_with("variational parameter location[1] became -inf"), "{error}");
}

#[test]
fn wrong_settings_are_named() {
    let model = GaussianTarget::correlated();
    let message = |e: SgviError| e.to_string();
    let sgd = |rate| Sgd { learning_rate: LearningRate::Constant(rate) };
    let kernel = |rate| Sgvi::new(&model, &FAMILY, Pathwise::new(2), sgd(rate));
    assert_eq!(
        message(kernel(-0.1).unwrap_err()),
        "learning_rate.constant = -0.1, but it must be finite and > 0"
    );
    assert!(kernel(f64::NAN).is_err());
    let window = Window { length: 1, growth: 1.25, ..Window::default() };
    assert!(message(kernel(0.1).unwrap().with_window(window).unwrap_err()).contains("window.length = 1"));
    let small = Diagonal { dim: 2 };
    let error = Sgvi::new(&model, &small, Pathwise::new(2), sgd(0.1)).unwrap_err();
    assert_eq!(message(error), "the model has dimension 3, the variational family 2");
    let error = estimate(&model, &ScoreFunction::leave_one_out(1)).unwrap_err();
    assert!(message(error).contains("needs at least 2 samples per gradient, not 1"));
    assert!(estimate(&model, &ScoreFunction::naive(0)).is_err());
    assert!(estimate(&model, &Pathwise::new(0)).is_err());
    let one = evaluate_elbo(&model, &FAMILY, &Array1::zeros(6), 1, StreamKey::from_seed(1), Exec::local());
    assert!(matches!(one, Err(SgviError::TooFewSamples { minimum: 2, .. })));
}

#[test]
fn one_sample_has_an_infinite_error_and_not_nan() {
    let model = GaussianTarget::correlated();
    let kernel = Sgvi::new(&model, &FAMILY, Pathwise::new(1), Sgd::default()).unwrap();
    let info = vi_core::Kernel::step(&kernel, StreamKey::from_seed(1), &mut kernel.init()).unwrap();
    assert_eq!(info.elbo.mcse, f64::INFINITY);
    assert!(info.elbo.value.is_finite());
}
