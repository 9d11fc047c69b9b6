//! A log joint that returns NaN is reported by every method, with z.

use ndarray::ArrayRef1;
use vi_core::{Exec, GradLogJoint, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_families::MeanFieldGaussian;
use vi_mcmc::{Control, McmcSettings, Nuts, NutsSettings, RandomWalk, RandomWalkSettings, Sampler, sample};
use vi_sgvi::{GradientEstimator, SgviSettings};

/// A standard Gaussian that returns NaN where slope > 0.3.
struct Faulty {
    parameters: ParameterSpace,
}

impl Faulty {
    fn new() -> Self {
        let parameters = ["intercept", "slope"].map(|name| Parameter::scalar(name, Support::Real));
        Self { parameters: ParameterSpace::new(parameters).unwrap() }
    }
}

impl LogJoint for Faulty {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        if z[1] > 0.3 { f64::NAN } else { -0.5 * z.dot(z) }
    }
}

impl GradLogJoint for Faulty {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        grad.assign(&z.mapv(|v| -v));
        self.log_joint(z)
    }
}

/// The message says that the log joint is NaN, and shows a slope above 0.3.
fn assert_names_the_fault(method: &str, message: &str) {
    assert!(message.contains("NaN"), "{method}: {message}");
    let (_, slope) = message.split_once("slope = ").unwrap_or_else(|| panic!("{method}: {message}"));
    let end = slope.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-' && c != 'e');
    let slope: f64 = slope[..end.unwrap_or(slope.len())].parse().unwrap();
    assert!(slope > 0.3, "{method}: {message}");
}

/// The message of an error with those of its sources.
fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(e) = source {
        message += &format!(": {e}");
        source = e.source();
    }
    message
}

fn sgvi_message<E: GradientEstimator<Faulty, MeanFieldGaussian>>(estimator: E) -> String {
    let model = Faulty::new();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let settings = SgviSettings { n_iterations: 50, ..SgviSettings::default() };
    let key = StreamKey::from_seed(1);
    chain(&vi_sgvi::fit(&model, &family, estimator, &settings, key, Exec::local()).unwrap_err())
}

#[test]
fn sgvi_shows_z_and_the_iteration() {
    let settings = SgviSettings::default();
    for message in [sgvi_message(settings.score_function()), sgvi_message(settings.pathwise())] {
        assert_names_the_fault("SGVI", &message);
        assert!(message.contains("iteration 0"), "{message}");
    }
}

#[test]
fn samplers_show_z() {
    let nuts = Nuts::new(Faulty::new(), NutsSettings::default()).unwrap();
    let walk = RandomWalk::new(Faulty::new(), RandomWalkSettings::default()).unwrap();
    let samplers: [(&str, &dyn Sampler); 2] = [("NUTS", &nuts), ("random walk", &walk)];
    for (name, sampler) in samplers {
        let settings = McmcSettings { n_warmup: 100, n_draws: 100, ..McmcSettings::default() };
        let error = sample(sampler, &settings, StreamKey::from_seed(1), Control::none()).unwrap_err();
        assert_names_the_fault(name, &chain(&error));
    }
}
