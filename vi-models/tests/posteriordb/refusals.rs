//! Constructors name what they refuse.

use ndarray::{Array1, array};
use vi_core::{Parameter, Support};
use vi_models::ModelError;
use vi_models::garch::Garch;
use vi_models::gaussian_process::{GaussianProcessPoisson, GaussianProcessPriors, GaussianProcessRegression};
use vi_models::gaussian_regression::{GaussianRegression, GaussianRegressionPriors};
use vi_models::hidden_markov::{HiddenMarkov, HiddenMarkovPriors};
use vi_models::one_compartment::{OneCompartment, OneCompartmentData, OneCompartmentPriors};
use vi_models::prior::{PositivePrior, RealPrior};
use vi_models::regression::RegressionData;
use vi_models::two_normals::{TwoNormals, TwoNormalsPriors};

fn message<T: std::fmt::Debug>(result: Result<T, ModelError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn regressions() {
    let (x, y) = (array![[1.0], [2.0], [4.0]], array![1.0, 2.0, 2.5]);
    let data = || RegressionData::new(x.clone(), y.clone()).unwrap();
    let with = |coefficients, noise| {
        GaussianRegression::new(data(), GaussianRegressionPriors { coefficients, intercept: None, noise })
    };
    assert_eq!(
        message(with(RealPrior::Normal { mean: 0.0, sd: 0.0 }, PositivePrior::Flat)),
        "gaussian_regression: beta[1].normal.sd = 0, but it must be finite and > 0"
    );
    assert_eq!(
        message(with(RealPrior::Flat, PositivePrior::HalfCauchy { scale: f64::NAN })),
        "gaussian_regression: noise.half_cauchy.scale = NaN, but it must be finite and > 0"
    );
    let parameters = |support| vec![Parameter::scalar("slope", support)];
    let build = |parameters, priors| {
        GaussianRegression::with_parameters(data(), parameters, priors, PositivePrior::Flat)
    };
    assert_eq!(
        message(build(parameters(Support::Real), vec![])),
        "gaussian_regression: priors has length 0, expected 1"
    );
    assert_eq!(
        message(build(vec![], vec![RealPrior::Flat])),
        "gaussian_regression: coefficients has length 0, expected 1"
    );
    assert!(
        message(build(parameters(Support::Positive), vec![RealPrior::Flat]))
            .contains("`slope` has support positive")
    );
    assert!(
        message(build(vec![Parameter::scalar("sigma", Support::Real)], vec![RealPrior::Flat]))
            .contains("declared twice")
    );
    // Collinear columns under flat priors: no proper posterior. A proper prior mends it.
    let twice = array![[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]];
    let twice = || RegressionData::new(twice.clone(), y.clone()).unwrap();
    let flat = GaussianRegressionPriors { coefficients: RealPrior::Flat, ..Default::default() };
    assert!(matches!(GaussianRegression::new(twice(), flat), Err(ModelError::Family { .. })));
    assert!(GaussianRegression::new(twice(), GaussianRegressionPriors::default()).is_ok());
}

#[test]
fn regressions_of_posteriordb() {
    let (a, b) = (array![1.0, 2.0, 3.0, 5.0], array![1.0, 0.0]);
    assert_eq!(
        message(GaussianRegression::kidscore_momhsiq(&a, &b, &a)),
        "gaussian_regression: mom_hs has length 2, expected 4"
    );
    let none: Array1<f64> = array![];
    assert!(message(GaussianRegression::kidscore_momhsiq(&none, &none, &none)).ends_with("is empty"));
    let mut earn = a.clone();
    earn[1] = 0.0;
    assert_eq!(
        message(GaussianRegression::logearn_interaction(&earn, &a, &a)),
        "gaussian_regression: earn[1, 0] = 0, but it must be finite and > 0"
    );
    assert!(
        message(GaussianRegression::kilpisjarvi(&a, &a, (0.0, -1.0), (0.0, 1.0)))
            .contains("alpha.normal.sd = -1")
    );
    assert!(message(GaussianRegression::autoregression(&a, 0)).contains("order = 0"));
    assert_eq!(
        message(GaussianRegression::autoregression(&a, 4)),
        "gaussian_regression: y has length 4, expected 5"
    );
    let one_column = array![[1.0], [1.0]];
    assert!(message(GaussianRegression::diamonds(&one_column, &b)).contains("columns of x has length 1"));
}

#[test]
fn series_processes_and_mixtures() {
    let (bad, good) = (array![1.0, f64::INFINITY], array![1.0, 2.0]);
    let finite = "[1, 0] = inf, but it must be finite";
    assert_eq!(message(Garch::new(bad.clone(), 1.0)), format!("garch: y{finite}"));
    assert!(message(Garch::new(array![], 1.0)).ends_with("y is empty"));
    assert!(message(Garch::new(good.clone(), 0.0)).contains("initial_sd = 0"));

    let process = GaussianProcessPriors::default();
    let regression = |x, y, priors| message(GaussianProcessRegression::new(x, y, priors));
    assert_eq!(regression(bad.clone(), good.clone(), process), format!("gaussian_process: x{finite}"));
    assert_eq!(
        regression(good.clone(), array![1.0], process),
        "gaussian_process: y has length 1, expected 2"
    );
    let noise = PositivePrior::HalfNormal { scale: -1.0 };
    assert!(
        regression(good.clone(), good.clone(), GaussianProcessPriors { noise, ..process })
            .contains("noise.half_normal.scale = -1")
    );
    for count in [-1.0, 0.5] {
        let error = message(GaussianProcessPoisson::new(good.clone(), array![2.0, count], process));
        assert!(
            error.contains(&format!("counts[1, 0] = {count}, but it must be a natural number")),
            "{error}"
        );
    }

    let mixture = |y, priors| message(TwoNormals::new(y, priors));
    let default = TwoNormalsPriors::default();
    assert_eq!(mixture(bad.clone(), default), format!("two_normals: y{finite}"));
    assert!(
        mixture(good.clone(), TwoNormalsPriors { weight: (1.0, 0.0), ..default }).contains("weight[1] = 0")
    );
    assert!(
        mixture(good.clone(), TwoNormalsPriors { mean_sd: f64::NAN, ..default }).contains("mean_sd = NaN")
    );

    let chain = |y, priors| message(HiddenMarkov::new(y, priors));
    let default = HiddenMarkovPriors::two_states();
    assert_eq!(chain(bad, default.clone()), format!("hidden_markov: y{finite}"));
    assert!(
        chain(good.clone(), HiddenMarkovPriors { mean_sd: vec![1.0], ..default.clone() })
            .contains("mean_sd has length 1, expected 2")
    );
    assert!(
        chain(good.clone(), HiddenMarkovPriors { mean_mean: vec![], ..default.clone() })
            .ends_with("mean_mean is empty")
    );
    assert!(chain(good, HiddenMarkovPriors { concentration: 0.0, ..default }).contains("concentration = 0"));
}

#[test]
fn one_compartment() {
    let data = OneCompartmentData {
        dose: 30.0,
        volume: 2.0,
        start: 0.0,
        times: array![0.5, 1.0],
        concentrations: array![5.7, 7.1],
    };
    let default = OneCompartmentPriors::default();
    let refuse = |data| message(OneCompartment::new(data, default));
    assert!(refuse(OneCompartmentData { dose: 0.0, ..data.clone() }).contains("dose = 0"));
    assert_eq!(
        refuse(OneCompartmentData { times: array![0.5, 0.5], ..data.clone() }),
        "one_compartment: times[1, 0] = 0.5, but it must be greater than the time before"
    );
    assert!(refuse(OneCompartmentData { start: 0.5, ..data.clone() }).contains("times[0, 0] = 0.5"));
    assert!(
        refuse(OneCompartmentData { concentrations: array![1.0], ..data.clone() }).contains("has length 1")
    );
    assert!(
        refuse(OneCompartmentData { concentrations: array![1.0, 0.0], ..data.clone() })
            .contains("concentrations[1, 0] = 0")
    );
    let noise = PositivePrior::Gamma { shape: 0.0, rate: 1.0 };
    let error = message(OneCompartment::new(data, OneCompartmentPriors { noise, ..default }));
    assert!(error.contains("noise.gamma.shape = 0"), "{error}");
}
