//! Small data sets and the models over them.

use ndarray::{Array1, Array2, array};
use rand::RngExt;
use vi_core::{Role, StreamKey};
use vi_models::eight_schools::{
    EightSchoolsCentred, EightSchoolsData, EightSchoolsNonCentred, EightSchoolsPriors,
};
use vi_models::linear_regression::{LinearRegression, LinearRegressionPriors, NoisePrior};
use vi_models::logistic_regression::{LogisticRegression, LogisticRegressionPriors};
use vi_models::regression::RegressionData;

/// Rubin (1981): estimated effects of coaching in eight schools and their standard errors.
pub(crate) fn eight_schools() -> EightSchoolsData {
    EightSchoolsData {
        effect: array![28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0],
        standard_error: array![15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0],
    }
}

pub(crate) fn centred() -> EightSchoolsCentred {
    EightSchoolsCentred::new(eight_schools(), EightSchoolsPriors::default()).unwrap()
}

pub(crate) fn non_centred() -> EightSchoolsNonCentred {
    EightSchoolsNonCentred::new(eight_schools(), EightSchoolsPriors::default()).unwrap()
}

/// Covariates uniform on (−1, 1).
fn covariates(n: usize, d: usize) -> Array2<f64> {
    let key = StreamKey::from_seed(11).role(Role::Data);
    let mut x = Array2::zeros((n, d));
    for (i, mut row) in x.rows_mut().into_iter().enumerate() {
        let mut rng = key.rng(i as u64);
        row.mapv_inplace(|_| rng.random_range(-1.0..1.0));
    }
    x
}

/// 40 points, 3 covariates and an intercept.
pub(crate) fn linear_regression(noise: NoisePrior) -> LinearRegression {
    let x = covariates(40, 3);
    let key = StreamKey::from_seed(12).role(Role::Data);
    let beta = array![0.8, -1.2, 0.3];
    let noisy = |(i, mean): (usize, &f64)| {
        let mut rng = key.rng(i as u64);
        let u: f64 = (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        0.5 + mean + 0.4 * u
    };
    let y: Array1<f64> = x.dot(&beta).iter().enumerate().map(noisy).collect();
    let priors = LinearRegressionPriors { noise, ..LinearRegressionPriors::default() };
    LinearRegression::new(RegressionData::with_intercept(x, y).unwrap(), priors).unwrap()
}

/// 120 points, 4 covariates and an intercept.
pub(crate) fn logistic_regression() -> LogisticRegression {
    let x = covariates(120, 4);
    let key = StreamKey::from_seed(13).role(Role::Data);
    let logits = x.dot(&array![1.5, -2.0, 0.0, 0.7]);
    let label = |(i, logit): (usize, &f64)| {
        f64::from(u8::from(key.rng(i as u64).random::<f64>() < 1.0 / (1.0 + (-logit).exp())))
    };
    let y: Array1<f64> = logits.iter().enumerate().map(label).collect();
    let data = RegressionData::with_intercept(x, y).unwrap();
    LogisticRegression::new(data, LogisticRegressionPriors::default()).unwrap()
}
