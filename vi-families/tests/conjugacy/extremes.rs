//! No data, one datum, counts and weights of 10¹⁵, weights of zero, data that are no numbers: every pair of one
//! variable in the same way.

use vi_families::{
    BernoulliProbability, Beta, BinomialProbability, ConjugateLikelihood, Dirichlet, ExponentialFamily,
    ExponentialRate, FamilyError, Gamma, Gaussian, GaussianMean, GaussianMeanPrecision, GaussianPrecision,
    GeometricProbability, NormalGamma, PoissonRate, PredictiveDistribution, VonMises, VonMisesDirection,
};

use super::assert_close;

fn gamma(shape: f64, rate: f64) -> Gamma {
    Gamma::from_shape_rate(shape, rate).unwrap()
}

/// Without data, and with data of weight zero, the posterior is the prior and the evidence one; with one datum the
/// evidence is the predictive density.
fn check_none_and_one<L>(likelihood: &L, prior: &L::Prior, x: &L::Value)
where
    L: ConjugateLikelihood,
    L::Value: std::fmt::Debug,
    L::Prior: PartialEq,
{
    let mut seen = likelihood.observed();
    for _ in 0..2 {
        let posterior = seen.posterior(prior).unwrap();
        for (value, expected) in posterior.natural().iter().zip(&prior.natural()) {
            assert_close(&format!("η without data, {likelihood:?}"), *value, *expected, 1e-15);
        }
        let evidence = seen.log_marginal_likelihood(prior).unwrap();
        assert_close("evidence of nothing", evidence, 0.0, 1e-13);
        seen.push(x, 0.0).unwrap();
    }
    assert_eq!((seen.n(), seen.weight()), (2, 0.0));
    seen.push(x, 1.0).unwrap();
    let (evidence, next) = (seen.log_marginal_likelihood(prior), likelihood.predictive(prior).unwrap());
    assert_close("evidence of one datum", evidence.unwrap(), next.log_predictive(x), 1e-12);
}

#[test]
fn no_data_and_one_datum() {
    let beta = Beta::from_alpha_beta(2.5, 0.5).unwrap();
    check_none_and_one(&BernoulliProbability, &beta, &true);
    check_none_and_one(&BinomialProbability::new(7).unwrap(), &beta, &3);
    check_none_and_one(&GeometricProbability, &beta, &4);
    check_none_and_one(&PoissonRate::with_exposure(2.0).unwrap(), &gamma(2.5, 0.5), &4);
    check_none_and_one(&ExponentialRate, &gamma(2.5, 0.5), &0.75);
    check_none_and_one(&GaussianPrecision::from_mean(1.0).unwrap(), &gamma(2.5, 0.5), &0.75);
    let prior = Gaussian::from_mean_sd(0.5, 2.0).unwrap();
    check_none_and_one(&GaussianMean::from_variance(0.8).unwrap(), &prior, &0.75);
    let prior = NormalGamma::from_mean_count_shape_rate(-0.5, 0.3, 1.5, 2.0).unwrap();
    check_none_and_one(&GaussianMeanPrecision, &prior, &0.75);
    let prior = VonMises::from_mean_direction_concentration(0.5, 2.0).unwrap();
    check_none_and_one(&VonMisesDirection::from_concentration(3.0).unwrap(), &prior, &-2.5);
    let prior = Dirichlet::from_concentration(&ndarray::array![0.5, 2.0, 1.0]).unwrap();
    check_none_and_one(&vi_families::CategoricalProbabilities::new(3).unwrap(), &prior, &1);
}

/// Posteriors and predictive densities keep their digits; the evidence those that its two large terms leave.
#[test]
fn counts_of_a_quadrillion() {
    let n = 1_000_000_000_000_000_u64;
    let beta = Beta::from_alpha_beta(2.0, 3.0).unwrap();
    let likelihood = BinomialProbability::new(n).unwrap();
    let mut seen = likelihood.observed();
    seen.push(&(n / 4), 1.0).unwrap();
    let posterior = seen.posterior(&beta).unwrap();
    assert_eq!((posterior.alpha(), posterior.beta()), (0.25e15 + 2.0, 0.75e15 + 3.0));
    // Beta-binomial probability of n/4: the Beta density there over n, to order 1/n.
    let expected = beta.log_prob(&0.25) - (n as f64).ln();
    let next = likelihood.predictive(&beta).unwrap();
    assert_close("predictive", next.log_predictive(&(n / 4)), expected, 1e-12);
    let poisson = PoissonRate::with_exposure(1.0).unwrap();
    let mut seen = poisson.observed();
    seen.push(&n, 1.0).unwrap();
    let posterior = seen.posterior(&gamma(2.5, 1e-15)).unwrap();
    assert_eq!((posterior.shape(), posterior.rate()), (1e15 + 2.5, 1.0 + 1e-15));
    let next = poisson.predictive(&gamma(2.5, 1e-15)).unwrap();
    assert_close("predictive", next.log_predictive(&n), gamma(2.5, 1e-15).log_prob(&1e15), 1e-12);
}

/// A datum of weight 10¹⁵ is that many data.
#[test]
fn weights_of_a_quadrillion() {
    let weight = 1e15;
    let beta = Beta::from_alpha_beta(2.0, 3.0).unwrap();
    let mut seen = BernoulliProbability.observed();
    seen.push(&true, weight).unwrap();
    seen.push(&false, 3.0 * weight).unwrap();
    let posterior = seen.posterior(&beta).unwrap();
    assert_eq!((posterior.alpha(), posterior.beta()), (weight + 2.0, 3.0 * weight + 3.0));
    // log B(10¹⁵ + 2, 3·10¹⁵ + 3) − log B(2, 3).
    assert_close("evidence", seen.log_marginal_likelihood(&beta).unwrap(), -2249340578475250.8, 1e-14);
    let prior = NormalGamma::from_mean_count_shape_rate(-0.5, 0.3, 1.5, 2.0).unwrap();
    let mut seen = GaussianMeanPrecision.observed();
    seen.push(&1.0, weight).unwrap();
    seen.push(&3.0, weight).unwrap();
    let posterior = seen.posterior(&prior).unwrap();
    assert_close("mean", posterior.mean(), 2.0, 1e-14);
    assert_close("shape / rate", posterior.shape() / posterior.rate(), 1.0, 1e-14);
    let next = GaussianMeanPrecision.predictive(&posterior).unwrap();
    let limit = Gaussian::from_mean_sd(2.0, 1.0).unwrap();
    assert_close("predictive", next.log_prob(2.5), limit.log_prob(&2.5), 1e-13);
    let mut seen = VonMisesDirection::from_concentration(3.0).unwrap().observed();
    seen.push(&0.5, weight).unwrap();
    let uniform = VonMises::from_mean_direction_concentration(0.0, 0.0).unwrap();
    let posterior = seen.posterior(&uniform).unwrap();
    assert_close("concentration", posterior.concentration(), 3e15, 1e-15);
    assert_close("mean direction", posterior.mean_direction(), 0.5, 1e-15);
}

/// What cannot be a datum is named with its index and value, what cannot be a weight too, and neither is added.
#[test]
fn data_and_weights_that_are_no_numbers_are_named() {
    let mut seen = GaussianMeanPrecision.observed();
    seen.push(&1.0, 1.0).unwrap();
    let e = seen.push(&f64::NAN, 1.0).unwrap_err();
    assert_eq!(e.to_string(), "GaussianMeanPrecision: value 1 is NaN, outside the support");
    let e = seen.push(&f64::NEG_INFINITY, 0.0).unwrap_err();
    assert_eq!(e.to_string(), "GaussianMeanPrecision: value 1 is -inf, outside the support");
    let e = seen.push(&1.0, f64::NAN).unwrap_err();
    assert!(matches!(&e, FamilyError::Domain { parameter, .. } if parameter == "weights[1]"), "{e}");
    assert_eq!(e.to_string(), "GaussianMeanPrecision: weights[1] = NaN, but it must be finite and ≥ 0");
    assert_eq!((seen.n(), seen.weight()), (1, 1.0));
    // Sums that would overflow are refused at the datum that makes them.
    seen.push(&1e150, 1.0).unwrap();
    assert!(matches!(seen.push(&1e150, 1e100), Err(FamilyError::OutsideSupport { index: 2, .. })));
    assert_eq!(seen.n(), 2);
    let e = ExponentialRate.observed().push(&-1.0, 1.0).unwrap_err();
    assert_eq!(e.to_string(), "ExponentialRate: value 0 is -1.0, outside the support");
}
