//! Gaussian likelihoods and their conjugate priors: the contract, messages against the densities they stand for,
//! evidences against joint Student-t densities, posteriors against the textbook.

use std::borrow::Borrow;

use ndarray::{Array1, Array2, ArrayRef1, array};
use vi_core::StreamKey;
use vi_families::testing::check_conjugate;
use vi_families::{
    ConjugateLikelihood, ExponentialFamily, FamilyError, Gamma, Gaussian, GaussianMean,
    GaussianMeanPrecision, GaussianMeanVariance, GaussianPrecision, GaussianVariance, InverseGamma,
    InverseWishart, MvGaussian, MvGaussianCovariance, MvGaussianMean, MvGaussianMeanCovariance,
    MvGaussianMeanPrecision, MvGaussianPrecision, MvStudentT, NormalGamma, NormalInverseGamma,
    NormalInverseWishart, NormalWishart, Wishart,
};

type Unknown<L> = <<L as ConjugateLikelihood>::Prior as ExponentialFamily>::Value;

fn assert_close(what: &str, value: f64, expected: f64, tolerance: f64) {
    assert!(
        (value - expected).abs() <= tolerance * (1.0 + expected.abs()),
        "{what}: {value}, expected {expected}"
    );
}

/// The whole algebra of one pair; and at draws of z, log p(x | z) is what `log_prob` says.
fn check_pair<L>(
    likelihood: &L,
    prior: &L::Prior,
    data: &[<L::Value as ToOwned>::Owned],
    log_prob: impl Fn(&L::Value, &Unknown<L>) -> f64,
) where
    L: ConjugateLikelihood,
    L::Value: std::fmt::Debug,
{
    check_conjugate(likelihood, prior, StreamKey::from_seed(31));
    for (s, x) in data.iter().enumerate() {
        let x: &L::Value = x.borrow();
        let draw = prior.sample(&mut StreamKey::from_seed(5).rng(s as u64));
        let z: &Unknown<L> = draw.borrow();
        let mut message = Array1::zeros(likelihood.n_params());
        likelihood.add_message(x, 1.0, &mut message);
        let t = prior.sufficient_stats(z);
        let size: f64 = message.iter().zip(&t).map(|(m, t)| (m * t).abs()).sum();
        let value = message.dot(&t) + likelihood.log_base_measure(x);
        let expected = log_prob(x, z);
        let name = L::NAME;
        assert!(
            (value - expected).abs() <= 1e-12 * (1.0 + size),
            "{name}: log p({x:?} | z) {value}, {expected}"
        );
    }
}

const DATA: [f64; 5] = [0.3, -1.25, 2.0, 4.5, 0.875];

fn gaussian_given_precision(x: f64, mean: f64, precision: f64) -> f64 {
    Gaussian::from_mean_precision(mean, precision).unwrap().log_prob(&x)
}

fn gaussian_given_variance(x: f64, mean: f64, variance: f64) -> f64 {
    Gaussian::from_mean_variance(mean, variance).unwrap().log_prob(&x)
}

#[test]
fn gaussians() {
    let prior = Gaussian::from_mean_sd(0.5, 2.0).unwrap();
    let likelihood = GaussianMean::from_variance(0.8).unwrap();
    check_pair(&likelihood, &prior, &DATA, |x, z| gaussian_given_variance(*x, *z, 0.8));
    let prior = Gamma::from_shape_rate(1.5, 2.0).unwrap();
    let likelihood = GaussianPrecision::from_mean(0.4).unwrap();
    check_pair(&likelihood, &prior, &DATA, |x, z| gaussian_given_precision(*x, 0.4, *z));
    let prior = InverseGamma::from_shape_scale(1.5, 2.0).unwrap();
    let likelihood = GaussianVariance::from_mean(0.4).unwrap();
    check_pair(&likelihood, &prior, &DATA, |x, z| gaussian_given_variance(*x, 0.4, *z));
    let prior = NormalGamma::from_mean_count_shape_rate(-0.5, 0.3, 1.5, 2.0).unwrap();
    check_pair(&GaussianMeanPrecision, &prior, &DATA, |x, z| gaussian_given_precision(*x, z.0, z.1));
    let prior = NormalInverseGamma::from_mean_count_shape_scale(-0.5, 0.3, 1.5, 2.0).unwrap();
    check_pair(&GaussianMeanVariance, &prior, &DATA, |x, z| gaussian_given_variance(*x, z.0, z.1));
}

fn with_precision(x: &ArrayRef1<f64>, mean: &ArrayRef1<f64>, precision: &ndarray::ArrayRef2<f64>) -> f64 {
    MvGaussian::from_mean_precision(mean, precision).unwrap().log_prob(x)
}

#[test]
fn multivariate_gaussians() {
    let data = [array![0.3, -1.25], array![2.0, 4.5], array![-0.5, 0.875], array![0.25, 1.0]];
    let (m, w) = (array![0.5, -1.0], array![[0.5, 0.1], [0.1, 0.3]]);
    let known = array![[1.5, -0.4], [-0.4, 0.9]];
    let prior = MvGaussian::from_mean_precision(&m, &w).unwrap();
    let likelihood = MvGaussianMean::from_precision(&known).unwrap();
    check_pair(&likelihood, &prior, &data, |x, z| with_precision(x, z, &known));
    let prior = Wishart::from_dof_scale(3.5, &w).unwrap();
    let likelihood = MvGaussianPrecision::from_mean(&m).unwrap();
    check_pair(&likelihood, &prior, &data, |x, z| with_precision(x, &m, z));
    let prior = InverseWishart::from_dof_scale(3.5, &w).unwrap();
    let likelihood = MvGaussianCovariance::from_mean(&m).unwrap();
    check_pair(&likelihood, &prior, &data, |x, z| {
        MvGaussian::from_mean_covariance(&m, z).unwrap().log_prob(x)
    });
    let prior = NormalWishart::from_mean_count_dof_scale(&m, 0.7, 3.5, &w).unwrap();
    let likelihood = MvGaussianMeanPrecision::from_dim(2).unwrap();
    check_pair(&likelihood, &prior, &data, |x, z| with_precision(x, &z.0, &z.1));
    let prior = NormalInverseWishart::from_mean_count_dof_scale(&m, 0.7, 3.5, &w).unwrap();
    let likelihood = MvGaussianMeanCovariance::from_dim(2).unwrap();
    check_pair(&likelihood, &prior, &data, |x, z| {
        MvGaussian::from_mean_covariance(&z.0, &z.1).unwrap().log_prob(x)
    });
}

/// With τ and μ integrated out, n data together have the law t(2a, m1, (b/a)(I + 11ᵀ/κ)).
#[test]
fn the_evidence_is_the_joint_student_t_density_of_the_data() {
    let (m, k, a, b) = (-0.5, 0.3, 1.5, 2.0);
    let n = DATA.len();
    let scale = (Array2::eye(n) + 1.0 / k) * (b / a);
    let joint = MvStudentT::from_location_scale_dof(&Array1::from_elem(n, m), &scale, 2.0 * a).unwrap();
    let expected = joint.log_prob(&Array1::from(DATA.to_vec()));
    let prior = NormalGamma::from_mean_count_shape_rate(m, k, a, b).unwrap();
    let mut seen = GaussianMeanPrecision.observed();
    for x in DATA {
        seen.push(&x, 1.0).unwrap();
    }
    assert_close("NormalGamma", seen.log_marginal_likelihood(&prior).unwrap(), expected, 1e-13);
    let mut seen = GaussianMeanVariance.observed();
    for x in DATA {
        seen.push(&x, 1.0).unwrap();
    }
    let prior = NormalInverseGamma::from(prior);
    assert_close("NormalInverseGamma", seen.log_marginal_likelihood(&prior).unwrap(), expected, 1e-13);
}

/// Murphy 2007, eq. 86–89: the parameters of the posterior in terms of mean and scatter of the data.
#[test]
fn the_posterior_of_a_normal_gamma_has_the_textbook_parameters() {
    let (m, k, a, b) = (-0.5, 0.3, 1.5, 2.0);
    let n = DATA.len() as f64;
    let mean = DATA.iter().sum::<f64>() / n;
    let scatter: f64 = DATA.iter().map(|x| (x - mean).powi(2)).sum();
    let mut seen = GaussianMeanPrecision.observed();
    for x in DATA {
        seen.push(&x, 1.0).unwrap();
    }
    let prior = NormalGamma::from_mean_count_shape_rate(m, k, a, b).unwrap();
    let posterior = seen.posterior(&prior).unwrap();
    assert_close("mean", posterior.mean(), (k * m + n * mean) / (k + n), 1e-14);
    assert_close("count", posterior.count(), k + n, 1e-14);
    assert_close("shape", posterior.shape(), a + 0.5 * n, 1e-14);
    let rate = b + 0.5 * scatter + 0.5 * k * n * (mean - m).powi(2) / (k + n);
    assert_close("rate", posterior.rate(), rate, 1e-13);
}

#[test]
fn impossible_data_and_known_parameters_are_errors() {
    let mut seen = GaussianMeanPrecision.observed();
    for x in [f64::NAN, f64::INFINITY, 1e200] {
        assert!(matches!(seen.push(&x, 1.0), Err(FamilyError::OutsideSupport { .. })));
    }
    assert_eq!(seen.n(), 0);
    let likelihood = MvGaussianMeanPrecision::from_dim(2).unwrap();
    let mut seen = likelihood.observed();
    for x in [array![1.0], array![1.0, f64::NAN], array![1.0, 2.0, 3.0]] {
        assert!(matches!(seen.push(&x, 1.0), Err(FamilyError::OutsideSupport { .. })));
    }
    let line = NormalWishart::from_mean_count_dof_scale(&array![0.0], 1.0, 1.0, &array![[1.0]]).unwrap();
    assert!(matches!(likelihood.predictive(&line), Err(FamilyError::Length { .. })));
    assert!(matches!(likelihood.observed().posterior(&line), Err(FamilyError::Length { .. })));
    for x in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
        assert!(GaussianMean::from_precision(x).is_err() && GaussianMean::from_variance(x).is_err());
        assert!(MvGaussianMean::from_precision(&array![[x]]).is_err());
    }
    assert!(
        GaussianVariance::from_mean(f64::NAN).is_err() && GaussianPrecision::from_mean(f64::NAN).is_err()
    );
    for mean in [array![f64::NAN], Array1::zeros(0)] {
        assert!(MvGaussianPrecision::from_mean(&mean).is_err());
        assert!(MvGaussianCovariance::from_mean(&mean).is_err());
    }
    assert!(MvGaussianMeanPrecision::from_dim(0).is_err() && MvGaussianMeanCovariance::from_dim(0).is_err());
}
