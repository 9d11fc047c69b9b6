//! Models that are more than a formula.

use ndarray::{Array1, Array2, ArrayRef1};
use vi_core::{LogJoint, Parameter, ParameterSpace, Support};
use vi_models::logistic_regression::{LogisticRegression, LogisticRegressionPriors};
use vi_models::regression::RegressionData;

/// Logistic regression with an intercept and two slopes.
pub(crate) fn logistic(n: usize) -> LogisticRegression {
    let x = Array2::from_shape_fn((n, 2), |(i, j)| ((i * (j + 2)) as f64).sin());
    let y =
        Array1::from_shape_fn(n, |i| f64::from(u8::from((i as f64 * 2.0).sin() + (i as f64).cos() > 0.3)));
    let data = RegressionData::with_intercept(x, y).unwrap();
    LogisticRegression::new(data, LogisticRegressionPriors::default()).unwrap()
}

/// Gamma(3, 2) beside two bits, on their natural support.
pub(crate) struct RateAndBits(ParameterSpace);

impl RateAndBits {
    pub(crate) fn new() -> Self {
        let variables =
            [Parameter::scalar("tau", Support::Positive), Parameter::vector("on", 2, Support::Binary)];
        Self(ParameterSpace::new(variables).unwrap())
    }
}

impl LogJoint for RateAndBits {
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        2.0 * z[0].ln() - 2.0 * z[0] + 1.5 * z[1] - 0.5 * z[2] + 0.3 * z[1] * z[2]
    }
}
