//! Small models of every kind.

use ndarray::{Array1, Array2, array};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use vi_core::{StreamKey, StreamRng};
use vi_models::eight_schools::{EightSchoolsCentred, EightSchoolsData, EightSchoolsPriors};
use vi_models::gaussian_mixture::{Covariance, GaussianMixture, GaussianMixturePriors, WeightsPrior};
use vi_models::linear_regression::{LinearRegression, LinearRegressionPriors};
use vi_models::logistic_regression::{LogisticRegression, LogisticRegressionPriors};
use vi_models::normal_mean_precision::{NormalMeanPrecision, NormalMeanPrecisionPriors};
use vi_models::regression::RegressionData;

pub(crate) fn rng(seed: u64) -> StreamRng {
    StreamKey::from_seed(seed).rng(0)
}

pub(crate) fn normal(rng: &mut StreamRng) -> f64 {
    StandardNormal.sample(rng)
}

/// `each` data around every centre with unit variance, one centre after the other.
pub(crate) fn clusters(centres: &[[f64; 2]], each: usize, seed: u64) -> Array2<f64> {
    let mut rng = rng(seed);
    Array2::from_shape_fn((centres.len() * each, 2), |(n, j)| centres[n / each][j] + normal(&mut rng))
}

pub(crate) fn mixture(data: Array2<f64>, n_components: usize) -> GaussianMixture {
    let priors = GaussianMixturePriors { count: 0.1, ..GaussianMixturePriors::default() };
    GaussianMixture::new(data, n_components, priors).unwrap()
}

pub(crate) fn small_mixture() -> GaussianMixture {
    mixture(clusters(&[[-3.0, 0.0], [3.0, 0.0], [0.0, 4.0]], 40, 5), 3)
}

/// Over these data in every shape of covariances and with both priors of the weights; then with missing values, full and
/// diagonal, and where responsibilities are not kept.
pub(crate) fn mixtures_of_every_kind(data: &Array2<f64>, n_components: usize) -> Vec<GaussianMixture> {
    use Covariance::{Diagonal, Full, Spherical, Tied};
    let priors =
        |covariance, weights| GaussianMixturePriors { covariance, weights, count: 0.1, ..Default::default() };
    let complete = |c, w| GaussianMixture::new(data.clone(), n_components, priors(c, w)).unwrap();
    let mut gaps = data.clone();
    for (n, mut row) in gaps.rows_mut().into_iter().enumerate().step_by(7) {
        row[n % 2] = f64::NAN;
    }
    let gaps = |c, w| GaussianMixture::with_missing_values(gaps.clone(), n_components, priors(c, w)).unwrap();
    let mut all = Vec::new();
    for weights in [WeightsPrior::Dirichlet, WeightsPrior::StickBreaking] {
        all.extend([Full, Diagonal, Tied, Spherical].map(|covariance| complete(covariance, weights)));
    }
    all.extend([Full, Tied].map(|covariance| gaps(covariance, WeightsPrior::Dirichlet)));
    all.push(complete(Tied, WeightsPrior::StickBreaking).without_responsibilities());
    all.push(gaps(Diagonal, WeightsPrior::StickBreaking).without_responsibilities());
    all
}

pub(crate) fn small_mixtures_of_every_kind() -> Vec<GaussianMixture> {
    mixtures_of_every_kind(small_mixture().data(), 3)
}

fn covariates(n: usize, d: usize, rng: &mut StreamRng) -> Array2<f64> {
    Array2::from_shape_simple_fn((n, d), || normal(rng))
}

pub(crate) fn linear(n: usize, coupled: bool) -> LinearRegression {
    let mut rng = rng(7);
    let x = covariates(n, 3, &mut rng);
    let y: Array1<f64> = x.dot(&array![1.5, -2.0, 0.5]).mapv(|eta| 0.7 + eta + 0.5 * normal(&mut rng));
    let data = RegressionData::with_intercept(x, y).unwrap();
    LinearRegression::new(data, LinearRegressionPriors { coupled, ..Default::default() }).unwrap()
}

pub(crate) fn logistic(n: usize) -> LogisticRegression {
    let mut rng = rng(8);
    let x = covariates(n, 3, &mut rng);
    let y: Array1<f64> = x
        .dot(&array![1.0, -1.0, 0.3])
        .mapv(|eta| f64::from(u8::from(rng.random::<f64>() < 1.0 / (1.0 + (0.4 - eta).exp()))));
    let data = RegressionData::with_intercept(x, y).unwrap();
    LogisticRegression::new(data, LogisticRegressionPriors::default()).unwrap()
}

pub(crate) fn normal_data() -> NormalMeanPrecision {
    let mut rng = rng(9);
    let x: Array1<f64> = (0..30).map(|_| 2.0 + 0.5 * normal(&mut rng)).collect();
    let priors = NormalMeanPrecisionPriors { coupled: false, ..Default::default() };
    NormalMeanPrecision::new(x, priors).unwrap()
}

pub(crate) fn schools() -> EightSchoolsCentred {
    let data = EightSchoolsData {
        effect: array![28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0],
        standard_error: array![15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0],
    };
    EightSchoolsCentred::new(data, EightSchoolsPriors::default()).unwrap()
}
