//! Scales and variances instead of rates and precisions, and the log-normal with both of its parameters unknown.

use vi_families::{
    ConjugateLikelihood, ExponentialFamily, ExponentialMean, ExponentialRate, Gamma, GammaRate, GammaScale,
    GaussianMeanPrecision, HalfNormal, HalfNormalPrecision, HalfNormalVariance, InverseGamma,
    InverseGaussian, InverseGaussianDispersion, InverseGaussianShape, Laplace, LaplaceRate, LaplaceScale,
    LogNormal, LogNormalLogMeanPrecision, LogNormalLogMeanVariance, LogNormalLogPrecision,
    LogNormalLogVariance, NormalGamma, NormalInverseGamma, Observed, PredictiveDistribution, Rayleigh,
    RayleighPrecision, RayleighVariance, Reciprocal, Weibull, WeibullRate, WeibullScalePower,
};

use super::{assert_close, check_pair};

const DATA: [f64; 5] = [0.7, 2.3, 1.1, 0.05, 4.0];

fn observe<L: ConjugateLikelihood<Value = f64>>(likelihood: &L) -> Observed<L> {
    let mut seen = likelihood.observed();
    DATA.iter().zip([1.0, 0.5, 2.0, 0.0, 1.0]).for_each(|(x, weight)| seen.push(x, weight).unwrap());
    seen
}

/// The contract, the likelihood by its own density, and evidence and predictive of the pair in the rate.
fn check_scale<L, F>(scale: &Reciprocal<L>, member: impl Fn(f64) -> F)
where
    L: ConjugateLikelihood<Prior = Gamma, Value = f64>,
    F: ExponentialFamily<Value = f64>,
{
    for (a, b) in [(2.5, 3.0), (40.0, 9.0)] {
        let prior = InverseGamma::from_shape_scale(a, b).unwrap();
        check_pair(scale, &prior, |x, z| member(*z).log_prob(x));
        let twin = Gamma::from_shape_rate(a, b).unwrap();
        let (seen, rates) = (observe(scale), observe(scale.inner()));
        let evidence = rates.log_marginal_likelihood(&twin).unwrap();
        assert_close("evidence", seen.log_marginal_likelihood(&prior).unwrap(), evidence, 1e-13);
        let (posterior, expected) = (seen.posterior(&prior).unwrap(), rates.posterior(&twin).unwrap());
        assert_close("shape", posterior.shape(), expected.shape(), 1e-14);
        assert_close("scale", posterior.scale(), expected.rate(), 1e-14);
        let (next, twin) = (scale.predictive(&posterior), scale.inner().predictive(&expected));
        let (next, twin) = (next.unwrap(), twin.unwrap());
        for x in DATA {
            assert_close("predictive", next.log_predictive(&x), twin.log_predictive(&x), 1e-12);
        }
    }
    for x in [f64::NAN, f64::INFINITY] {
        assert!(scale.observed().push(&x, 1.0).is_err(), "{scale:?} takes {x}");
    }
}

#[test]
fn gamma_weibull_and_rayleigh() {
    let gamma = GammaScale::new(GammaRate::from_shape(3.5).unwrap());
    check_scale(&gamma, |z| Gamma::from_shape_scale(3.5, z).unwrap());
    let weibull = WeibullScalePower::new(WeibullRate::from_shape(2.5).unwrap());
    check_scale(&weibull, |z: f64| Weibull::from_shape_scale(2.5, z.powf(0.4)).unwrap());
    check_scale(&RayleighVariance::new(RayleighPrecision), |z: f64| Rayleigh::from_scale(z.sqrt()).unwrap());
}

#[test]
fn half_normal_log_normal_laplace_and_inverse_gaussian() {
    let half = HalfNormalVariance::new(HalfNormalPrecision);
    check_scale(&half, |z: f64| HalfNormal::from_precision(1.0 / z).unwrap());
    let log_normal = LogNormalLogVariance::new(LogNormalLogPrecision::from_log_mean(0.4).unwrap());
    check_scale(&log_normal, |z| LogNormal::from_log_mean_log_variance(0.4, z).unwrap());
    let laplace = LaplaceScale::new(LaplaceRate::from_location(-1.5).unwrap());
    check_scale(&laplace, |z| Laplace::from_location_scale(-1.5, z).unwrap());
    let dispersion = InverseGaussianDispersion::new(InverseGaussianShape::from_mean(1.3).unwrap());
    check_scale(&dispersion, |z: f64| InverseGaussian::from_mean_shape(1.3, 1.0 / z).unwrap());
}

/// The one pair with an unknown mean that has a type of its own.
#[test]
fn the_reciprocal_of_a_rate_is_the_mean() {
    let prior = InverseGamma::from_shape_scale(2.5, 3.0).unwrap();
    let (mean, reciprocal) = (observe(&ExponentialMean), observe(&Reciprocal::new(ExponentialRate)));
    assert_eq!(mean.posterior(&prior), reciprocal.posterior(&prior));
    assert_eq!(mean.log_marginal_likelihood(&prior), reciprocal.log_marginal_likelihood(&prior));
}

#[test]
fn log_normals_with_both_parameters_unknown() {
    let prior = NormalGamma::from_mean_count_shape_rate(-0.5, 0.7, 4.5, 2.0).unwrap();
    check_pair(&LogNormalLogMeanPrecision, &prior, |x, z| {
        LogNormal::from_log_mean_log_precision(z.0, z.1).unwrap().log_prob(x)
    });
    let twin = NormalInverseGamma::from(prior.clone());
    check_pair(&LogNormalLogMeanVariance, &twin, |x, z| {
        LogNormal::from_log_mean_log_variance(z.0, z.1).unwrap().log_prob(x)
    });
    // log p(x) is that of the logarithms, less the logarithms.
    let mut logs = GaussianMeanPrecision.observed();
    DATA.iter().for_each(|x| logs.push(&x.ln(), 1.0).unwrap());
    let expected = logs.log_marginal_likelihood(&prior).unwrap() - DATA.iter().map(|x| x.ln()).sum::<f64>();
    let mut seen = LogNormalLogMeanPrecision.observed();
    DATA.iter().for_each(|x| seen.push(x, 1.0).unwrap());
    assert_close("evidence", seen.log_marginal_likelihood(&prior).unwrap(), expected, 1e-13);
    let mut seen = LogNormalLogMeanVariance.observed();
    DATA.iter().for_each(|x| seen.push(x, 1.0).unwrap());
    assert_close("evidence", seen.log_marginal_likelihood(&twin).unwrap(), expected, 1e-13);
    for x in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(seen.push(&x, 1.0).is_err(), "{x}");
    }
}
