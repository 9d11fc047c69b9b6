//! The model with unknown mean and precision: its contracts, and its exact answers against published numbers.

use approx::assert_relative_eq;
use ndarray::{Array1, array};
use vi_core::testing::{
    check_batch, check_conditional, check_conditional_against, check_gradient, check_gradient_against,
    check_gradient_batch, check_local, check_predictive, check_subsample,
};
use vi_core::{
    AutoGrad, KnownPosterior, LogJoint, ParameterSpace, Scalar, ScalarLogJoint, StreamKey, Subsample,
};
use vi_models::normal_mean_precision::{NormalMeanPrecision, NormalMeanPrecisionPriors};

const LOG_2_PI: f64 = 1.837_877_066_409_345_3;

fn key() -> StreamKey {
    StreamKey::from_seed(5)
}

fn data() -> Array1<f64> {
    array![1.2, -0.4, 0.9, 2.5, 1.1, 0.3, 1.9]
}

fn priors(coupled: bool) -> NormalMeanPrecisionPriors {
    NormalMeanPrecisionPriors { mean: 0.5, mean_precision: 0.7, coupled, shape: 2.0, rate: 1.5 }
}

fn model(coupled: bool) -> NormalMeanPrecision {
    NormalMeanPrecision::new(data(), priors(coupled)).unwrap()
}

/// The same model written out datum by datum; a₀ = 2, so that Γ(a₀) = 1.
struct Reference {
    space: ParameterSpace,
    coupled: bool,
}

impl ScalarLogJoint for Reference {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint<T: Scalar>(&self, z: &[T]) -> T {
        let (mu, tau, p) = (z[0], z[1], priors(self.coupled));
        let normal = |x: T, precision: T| (precision.ln() - LOG_2_PI - precision * x * x) * 0.5;
        let scale = if self.coupled { tau } else { T::constant(1.0) };
        let prior = normal(mu - p.mean, scale * p.mean_precision)
            + tau.ln() * (p.shape - 1.0)
            + p.shape * p.rate.ln()
            - tau * p.rate;
        data().iter().fold(prior, |sum, &x| sum + normal(mu - x, tau))
    }
}

#[test]
fn contracts() {
    for coupled in [true, false] {
        let m = model(coupled);
        let reference = AutoGrad(Reference { space: m.parameters().clone(), coupled });
        check_gradient(&m, 5, key());
        check_gradient_against(&m, &reference, 20, key());
        check_gradient(&m.minibatch(&[1, 4, 4]), 5, key());
        check_batch(&m, key());
        check_gradient_batch(&m, key());
        check_local(&m, 10, key());
        check_subsample(&m, 5, key());
        check_predictive(&m, key());
        check_conditional(&m, key());
        check_conditional_against(&m, &[], 10, key());
    }
}

#[test]
fn exact_posterior_against_quadrature() {
    let m = model(true);
    // Midpoint rule in (μ, log τ); the integrand has vanished at the ends.
    let (n, mut total, mut first, mut second) = (600, 0.0, [0.0; 2], [0.0; 2]);
    let (h_mu, h_tau) = (12.0 / n as f64, 14.0 / n as f64);
    let shift = m.log_evidence().unwrap();
    for i in 0..n {
        for j in 0..n {
            let mu = -5.0 + (i as f64 + 0.5) * h_mu;
            let tau = (-10.0 + (j as f64 + 0.5) * h_tau).exp();
            let w = (m.log_joint(&array![mu, tau]) - shift).exp() * tau * h_mu * h_tau;
            total += w;
            for (k, v) in [mu, tau].into_iter().enumerate() {
                first[k] += w * v;
                second[k] += w * v * v;
            }
        }
    }
    assert_relative_eq!(total, 1.0, epsilon = 1e-5);
    let (mean, covariance) = (m.posterior_mean().unwrap(), m.posterior_covariance().unwrap());
    for k in 0..2 {
        assert_relative_eq!(first[k], mean[k], epsilon = 1e-4);
        assert_relative_eq!(second[k] - first[k] * first[k], covariance[[k, k]], epsilon = 1e-4);
    }
}

#[test]
fn without_coupling_nothing_exact_is_claimed() {
    let m = model(false);
    assert_eq!((m.posterior_mean(), m.posterior_covariance(), m.log_evidence()), (None, None, None));
}

#[test]
fn far_away_data_lose_no_digits() {
    let (x, far) = (data(), 1e8);
    let at = |shift: f64| {
        let p = NormalMeanPrecisionPriors { mean: 0.5 + shift, ..priors(true) };
        NormalMeanPrecision::new(x.mapv(|v| v + shift), p).unwrap()
    };
    let (near, distant) = (at(0.0).log_evidence().unwrap(), at(far).log_evidence().unwrap());
    // What is lost is the rounding of the shifted data themselves, 1e8 · 2⁻⁵³ each.
    assert_relative_eq!(near, distant, max_relative = 1e-7);
}

#[test]
fn wrong_input_is_named() {
    let error = |data, priors| NormalMeanPrecision::new(data, priors).unwrap_err().to_string();
    assert_eq!(
        error(array![1.0, f64::NAN], priors(true)),
        "normal_mean_precision: data[1, 0] = NaN, but it must be finite"
    );
    assert_eq!(error(array![], priors(true)), "normal_mean_precision: data is empty");
    let negative = NormalMeanPrecisionPriors { rate: -1.0, ..priors(true) };
    assert_eq!(error(data(), negative), "normal_mean_precision: rate = -1, but it must be finite and > 0");
}
