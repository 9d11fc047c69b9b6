//! Constructors name what they refuse.

use ndarray::{Array1, array};
use vi_core::{Parameter, Support};
use vi_models::ModelError;
use vi_models::gaussian_regression::{GaussianRegression, GaussianRegressionPriors};
use vi_models::prior::{PositivePrior, RealPrior};
use vi_models::regression::RegressionData;

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
