//! The diagonal Gaussian with unknown mean is as many Gaussians.

use ndarray::{Array1, array};
use vi_families::{
    ConjugateLikelihood, DiagonalGaussian, DiagonalGaussianMean, ExponentialFamily, FamilyError, Gaussian,
    GaussianMean,
};

use super::{assert_close, check_pair};

#[test]
fn diagonal_gaussian_mean() {
    for (mean, variance, known) in [
        (array![0.5, -1.0, 40.0], array![4.0, 0.1, 9.0], array![0.8, 2.5, 1.5]),
        (array![-3.0], array![0.25], array![1e4]),
    ] {
        let prior = DiagonalGaussian::from_mean_variance(&mean, &variance).unwrap();
        let likelihood = DiagonalGaussianMean::from_variance(&known).unwrap();
        check_pair(&likelihood, &prior, |x, z| {
            DiagonalGaussian::from_mean_variance(z, &known).unwrap().log_prob(x)
        });
    }
}

#[test]
fn each_coordinate_is_a_pair_of_its_own() {
    let (mean, variance, known) = ([0.5, -1.0, 40.0], [4.0, 0.1, 900.0], [0.8, 2.5, 1e-2]);
    let data = [[0.3, -1.25, 2.0], [4.5, 0.875, 39.5], [-2.0, 0.0, 41.0]];
    let [m, v] = [mean, variance].map(|a| Array1::from(a.to_vec()));
    let prior = DiagonalGaussian::from_mean_variance(&m, &v).unwrap();
    let precision: Array1<f64> = known.iter().map(|v| 1.0 / v).collect();
    let mut seen = DiagonalGaussianMean::from_precision(&precision).unwrap().observed();
    for (x, weight) in data.iter().zip([1.0, 0.5, 2.0]) {
        seen.push(&Array1::from(x.to_vec()), weight).unwrap();
    }
    let posterior = seen.posterior(&prior).unwrap();
    let mut evidence = 0.0;
    for i in 0..3 {
        let prior = Gaussian::from_mean_variance(mean[i], variance[i]).unwrap();
        let mut seen = GaussianMean::from_variance(known[i]).unwrap().observed();
        for (x, weight) in data.iter().zip([1.0, 0.5, 2.0]) {
            seen.push(&x[i], weight).unwrap();
        }
        let expected = seen.posterior(&prior).unwrap();
        assert_close("mean", posterior.mean()[i], expected.mean(), 1e-14);
        assert_close("variance", posterior.variance()[i], expected.variance(), 1e-14);
        evidence += seen.log_marginal_likelihood(&prior).unwrap();
    }
    let together = seen.log_marginal_likelihood(&prior).unwrap();
    // A − A₀ of the third coordinate is of size 10⁵.
    assert_close("evidence", together, evidence, 1e-11);
}

#[test]
fn impossible_data_and_variances_are_errors() {
    let likelihood = DiagonalGaussianMean::from_variance(&array![1.0, 2.0]).unwrap();
    let mut seen = likelihood.observed();
    for x in [array![1.0], array![1.0, f64::NAN], array![f64::INFINITY, 0.0], array![1.0, 2.0, 3.0]] {
        assert!(matches!(seen.push(&x, 1.0), Err(FamilyError::OutsideSupport { index: 0, .. })), "{x}");
    }
    assert_eq!(seen.n(), 0);
    let line = DiagonalGaussian::from_mean_variance(&array![0.0], &array![1.0]).unwrap();
    assert!(matches!(seen.posterior(&line), Err(FamilyError::Length { .. })));
    assert!(matches!(likelihood.predictive(&line), Err(FamilyError::Length { .. })));
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let e = DiagonalGaussianMean::from_variance(&array![1.0, bad]).unwrap_err().to_string();
        assert!(e.starts_with("DiagonalGaussian: variance[1] = "), "{e}");
        assert!(DiagonalGaussianMean::from_precision(&array![bad]).is_err());
    }
    assert!(DiagonalGaussianMean::from_variance(&Array1::zeros(0)).is_err());
}
