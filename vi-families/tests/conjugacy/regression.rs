//! Linear regressions with known noise: evidences against the joint Gaussian density of all responses.

use ndarray::{Array1, Array2, Axis, array, concatenate};
use vi_families::testing::check_conjugate;
use vi_families::{
    ConjugateLikelihood, DiagonalGaussian, ExponentialFamily, FamilyError, LinearRegressionCoefficients,
    MatrixGaussian, MultivariateRegressionCoefficients, MvGaussian, RowCovariance,
};

use super::{assert_close, check_pair, key};

fn design() -> Array2<f64> {
    array![[1.0, 0.5], [1.0, -2.0], [1.0, 3.25]]
}

fn prior() -> MvGaussian {
    MvGaussian::from_mean_covariance(&array![0.5, -1.0], &array![[2.0, 0.5], [0.5, 0.75]]).unwrap()
}

#[test]
fn linear_regression() {
    let (x, variances) = (design(), array![0.5, 2.0, 0.1]);
    let likelihood = LinearRegressionCoefficients::from_design_variances(&x, &variances).unwrap();
    check_pair(&likelihood, &prior(), |y, beta| {
        DiagonalGaussian::from_mean_variance(&x.dot(beta), &variances).unwrap().log_prob(y)
    });
    // More coefficients than responses, and one of each.
    let wide = LinearRegressionCoefficients::from_design_variance(&x.t(), 0.25).unwrap();
    let three = MvGaussian::from_mean_covariance(&array![0.0, 1.0, -2.0], &Array2::eye(3)).unwrap();
    check_conjugate(&wide, &three, key());
    let one = LinearRegressionCoefficients::from_design_variance(&array![[2.0]], 0.25).unwrap();
    check_conjugate(&one, &MvGaussian::from_mean_covariance(&array![3.0], &array![[0.5]]).unwrap(), key());
}

/// With β integrated out, y ~ N(Xm, XSXᵀ + V); and in two parts with designs of their own, merged.
#[test]
fn the_evidence_is_the_joint_density_of_the_responses_and_designs_merge() {
    let (x, y) = (design(), array![0.3, 4.5, -2.0]);
    let (more, rest) = (array![[0.0, 1.0], [-1.0, 0.25]], array![1.5, -0.75]);
    let mut seen = LinearRegressionCoefficients::from_design_variance(&x, 0.5).unwrap().observed();
    seen.push(&y, 1.0).unwrap();
    let mut other = LinearRegressionCoefficients::from_design_variance(&more, 2.0).unwrap().observed();
    other.push(&rest, 1.0).unwrap();
    seen.merge(&other).unwrap();
    assert_eq!(seen.n(), 2);
    let all = concatenate![Axis(0), x, more];
    let mut covariance = all.dot(prior().covariance()).dot(&all.t());
    covariance.diag_mut().zip_mut_with(&array![0.5, 0.5, 0.5, 2.0, 2.0], |c, v| *c += v);
    let joint = MvGaussian::from_mean_covariance(&all.dot(prior().mean()), &covariance).unwrap();
    let expected = joint.log_prob(&concatenate![Axis(0), y, rest]);
    assert_close("evidence", seen.log_marginal_likelihood(&prior()).unwrap(), expected, 1e-13);
}

/// Numbers of the other form of the posterior, by the gain SXᵀ(XSXᵀ + V)⁻¹ (`reference.py`).
#[test]
fn the_posterior_is_that_of_the_textbook() {
    let likelihood = LinearRegressionCoefficients::from_design_variance(&design(), 0.5).unwrap();
    let mut seen = likelihood.observed();
    seen.push(&array![0.3, 4.5, -2.0], 1.0).unwrap();
    let posterior = seen.posterior(&prior()).unwrap();
    let expected = [1.5140221402214022, -1.1911439114391145];
    for (value, expected) in posterior.mean().iter().zip(expected) {
        assert_close("mean", *value, expected, 1e-13);
    }
    let expected = [0.1589260720193409, -0.015778088815370912, -0.015778088815370912, 0.03359206005853162];
    for (value, expected) in posterior.covariance().iter().zip(expected) {
        assert_close("covariance", *value, expected, 1e-13);
    }
    assert_close("evidence", seen.log_marginal_likelihood(&prior()).unwrap(), -5.758675900224299, 1e-13);
}

#[test]
fn multivariate_regression() {
    let noise = RowCovariance::from_covariance(&array![[0.5, 0.1], [0.1, 0.3]]).unwrap();
    let mean = array![[0.5, -1.0], [2.0, 0.25]];
    let prior =
        MatrixGaussian::from_mean_covariances(&mean, &noise, &array![[2.0, 0.5], [0.5, 0.75]]).unwrap();
    let x = design();
    let likelihood = MultivariateRegressionCoefficients::from_design_noise(&x, &noise).unwrap();
    let rows = RowCovariance::identity(3).unwrap();
    check_pair(&likelihood, &prior, |y, z| {
        MatrixGaussian::from_mean_covariances(&x.dot(&z.t()), &rows, noise.covariance()).unwrap().log_prob(y)
    });
}

/// The responses one below the other, their coefficients behind one another: a regression of one response.
#[test]
fn multivariate_regression_is_the_regression_of_the_stacked_responses() {
    let (sigma, v) = (array![[0.5, 0.0], [0.0, 0.3]], array![[2.0, 0.5], [0.5, 0.75]]);
    let noise = RowCovariance::from_covariance(&sigma).unwrap();
    let mean = array![[0.5, -1.0], [2.0, 0.25]];
    let prior = MatrixGaussian::from_mean_covariances(&mean, &noise, &v).unwrap();
    let (x, y) = (design(), array![[0.3, -1.0], [4.5, 2.0], [-2.0, 0.125]]);
    let mut seen = MultivariateRegressionCoefficients::from_design_noise(&x, &noise).unwrap().observed();
    seen.push(&y, 1.0).unwrap();
    // Cov(Z_ia, Z_jb) = Σ_ij V_ab, with Z row by row.
    let kronecker = Array2::from_shape_fn((4, 4), |(r, c)| sigma[[r / 2, c / 2]] * v[[r % 2, c % 2]]);
    let stacked =
        MvGaussian::from_mean_covariance(&Array1::from(mean.flatten().to_vec()), &kronecker).unwrap();
    let block = Array2::from_shape_fn((6, 4), |(r, c)| if r / 3 == c / 2 { x[[r % 3, c % 2]] } else { 0.0 });
    let variances: Array1<f64> = (0..6).map(|r| sigma[[r / 3, r / 3]]).collect();
    let mut flat =
        LinearRegressionCoefficients::from_design_variances(&block, &variances).unwrap().observed();
    flat.push(&Array1::from(y.t().flatten().to_vec()), 1.0).unwrap();
    let evidence = flat.log_marginal_likelihood(&stacked).unwrap();
    assert_close("evidence", seen.log_marginal_likelihood(&prior).unwrap(), evidence, 1e-13);
    let (matrix, vector) = (seen.posterior(&prior).unwrap(), flat.posterior(&stacked).unwrap());
    for (a, b) in matrix.mean().iter().zip(vector.mean()) {
        assert_close("mean", *a, *b, 1e-13);
    }
}

#[test]
fn impossible_data_designs_and_priors_are_errors() {
    let likelihood = LinearRegressionCoefficients::from_design_variance(&design(), 0.5).unwrap();
    let mut seen = likelihood.observed();
    for y in [array![1.0, 2.0], array![1.0, f64::NAN, 2.0], array![1.0, 2.0, f64::INFINITY]] {
        assert!(matches!(seen.push(&y, 1.0), Err(FamilyError::OutsideSupport { .. })), "{y}");
    }
    let line = MvGaussian::from_mean_covariance(&array![0.0], &array![[1.0]]).unwrap();
    assert!(matches!(seen.posterior(&line), Err(FamilyError::Length { .. })));
    assert!(matches!(likelihood.predictive(&line), Err(FamilyError::Length { .. })));
    let wider = LinearRegressionCoefficients::from_design_variance(&array![[1.0, 2.0, 3.0]], 1.0).unwrap();
    assert!(matches!(seen.merge(&wider.observed()), Err(FamilyError::Length { .. })));
    let bad = LinearRegressionCoefficients::from_design_variance(&array![[1.0, f64::NAN]], 1.0).unwrap_err();
    let message = "LinearRegressionCoefficients: design (row-major)[1] = NaN, but it must be finite";
    assert_eq!(bad.to_string(), message);
    for variance in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(LinearRegressionCoefficients::from_design_variance(&design(), variance).is_err());
    }
    for empty in [Array2::zeros((0, 2)), Array2::zeros((2, 0))] {
        assert!(LinearRegressionCoefficients::from_design_variance(&empty, 1.0).is_err());
        let noise = RowCovariance::identity(2).unwrap();
        assert!(MultivariateRegressionCoefficients::from_design_noise(&empty, &noise).is_err());
    }
    assert!(LinearRegressionCoefficients::from_design_variance(&array![[1e200]], 1.0).is_err());
}

/// A prior whose rows vary otherwise than the noise would make the posterior no matrix Gaussian.
#[test]
fn priors_and_data_of_other_noise_are_errors() {
    let (noise, other) = (RowCovariance::identity(2).unwrap(), array![[1.0, 0.5], [0.5, 1.0]]);
    let other = RowCovariance::from_covariance(&other).unwrap();
    let likelihood = MultivariateRegressionCoefficients::from_design_noise(&design(), &noise).unwrap();
    let mut seen = likelihood.observed();
    seen.push(&Array2::ones((3, 2)), 1.0).unwrap();
    let prior = |rows: &RowCovariance, p: usize| {
        MatrixGaussian::from_mean_covariances(&Array2::zeros((2, p)), rows, &Array2::eye(p)).unwrap()
    };
    assert!(seen.posterior(&prior(&noise, 2)).is_ok());
    assert!(matches!(seen.posterior(&prior(&other, 2)), Err(FamilyError::Fixed { .. })));
    assert!(matches!(likelihood.predictive(&prior(&other, 2)), Err(FamilyError::Fixed { .. })));
    assert!(matches!(seen.posterior(&prior(&noise, 3)), Err(FamilyError::Length { .. })));
    let elsewhere = MultivariateRegressionCoefficients::from_design_noise(&design(), &other).unwrap();
    assert!(matches!(seen.merge(&elsewhere.observed()), Err(FamilyError::Fixed { .. })));
    for y in [Array2::ones((2, 3)), Array2::ones((3, 1)), Array2::from_elem((3, 2), f64::NAN)] {
        assert!(matches!(seen.push(&y, 1.0), Err(FamilyError::OutsideSupport { .. })), "{y}");
    }
}
