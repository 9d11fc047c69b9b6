//! (∇A)⁻¹ close to the boundary and means that no member has; draws against the distribution function.

use std::f64::consts::PI;

use ndarray::{Array1, array};
use vi_core::StreamKey;
use vi_families::{
    Beta, ContinuousBernoulli, ExponentialFamily, FamilyError, Gaussian, Laplace, Parametric,
    TruncatedGaussian, Univariate, VonMises, VonMisesFisher,
};

/// The parameter that comes back differs by 10⁻¹² of it, and by what 4 units in the last place of the mean, with
/// variance `fisher`, make of it.
fn assert_back(what: &str, value: f64, expected: f64, mean: f64, fisher: f64) {
    let bound = 1e-12 * expected.abs() + 4.0 * f64::EPSILON * mean.abs() / fisher;
    assert!((value - expected).abs() <= bound, "{what}: {value:e}, not {expected:e} (bound {bound:e})");
}

#[test]
fn continuous_bernoulli() {
    for size in [1e-12, 1e-8, 1e-3, 0.5, 1.9, 2.1, 10.0, 40.0, 1e3, 1e6, 1e12, 1e100] {
        for logit in [-size, size] {
            let q = ContinuousBernoulli::from_logit(logit).unwrap();
            let mean = q.mean_params();
            if mean[0] == 1.0 {
                continue;
            }
            let back = ContinuousBernoulli::from_mean_params(&mean).unwrap();
            assert_back("logit", back.logit(), logit, mean[0], Univariate::variance(&q));
        }
    }
    for mean in [0.0, 1.0, -0.25, 1.5, f64::NAN, f64::INFINITY] {
        assert!(ContinuousBernoulli::from_mean_params(&array![mean]).is_err(), "mean {mean}");
    }
}

#[test]
fn concentrations() {
    for kappa in [1e-10, 1e-3, 0.3, 0.99, 1.01, 4.0, 60.0, 1e4, 1e8] {
        for p in [2, 3, 4, 10, 100] {
            let mut mu = Array1::zeros(p);
            mu[p - 1] = -1.0;
            let q = VonMisesFisher::from_mean_direction_concentration(&mu, kappa).unwrap();
            let back = VonMisesFisher::from_mean_params_given(&p, &q.mean_params()).unwrap();
            let radial = q.fisher()[[p - 1, p - 1]];
            let what = format!("concentration in {p} dimensions");
            assert_back(&what, back.concentration(), kappa, q.resultant_length(), radial);
        }
        let q = VonMises::from_mean_direction_concentration(-2.0, kappa).unwrap();
        let back = VonMises::from_mean_params(&q.mean_params()).unwrap();
        let along = array![(-2.0f64).cos(), (-2.0f64).sin()];
        let radial = along.dot(&q.fisher().dot(&along));
        assert_back("concentration", back.concentration(), kappa, q.resultant_length(), radial);
        assert!((back.mean_direction() + 2.0).abs() < 1e-15);
    }
    for mean in [array![1.0, 0.0], array![0.8, -0.7], array![f64::NAN, 0.0], array![f64::INFINITY, 0.0]] {
        assert!(VonMises::from_mean_params(&mean).is_err(), "{mean}");
        assert!(VonMisesFisher::from_mean_params_given(&2, &mean).is_err(), "{mean}");
    }
    for p in [0, 1] {
        assert!(VonMisesFisher::from_natural_given(&p, &Array1::zeros(p)).is_err(), "dimension {p}");
        assert!(VonMisesFisher::uniform(p).is_err(), "dimension {p}");
    }
}

#[test]
fn truncated_gaussians_near_the_exponential_and_the_uniform() {
    let infinity = f64::INFINITY;
    for (location, scale, lower, upper) in [
        (-3.0, 1.0, 0.0, infinity),
        (-30.0, 1.0, 0.0, infinity),
        (-1000.0, 1.0, 0.0, infinity),
        (30.0, 1.0, -infinity, 0.0),
        (7.0, 1.0, -infinity, infinity),
        (30.0, 1.0, 0.0, infinity),
        (0.1, 5.0, -1.0, 1.0),
        (-40.0, 2.0, 0.0, 1.0),
        (0.5, 1e-3, 0.0, 1.0),
        (0.5, 1e-3, 0.499, infinity),
    ] {
        let q = TruncatedGaussian::from_location_scale(location, scale, lower, upper).unwrap();
        let mu = q.mean_params();
        let back = TruncatedGaussian::from_mean_params_given(&(lower, upper), &mu)
            .unwrap_or_else(|e| panic!("{q:?}: {e}"));
        // The mean parameters come back to rounding, whatever the conditioning.
        let variance = Univariate::variance(&q);
        let mean_gap = (Univariate::mean(&back) - Univariate::mean(&q)).abs();
        let variance_gap = (Univariate::variance(&back) - variance).abs();
        let rounding = 8.0 * f64::EPSILON * mu[1];
        assert!(mean_gap <= 1e-12 * mu[0].abs() + rounding, "{q:?} → {back:?}");
        assert!(variance_gap <= 1e-12 * variance + rounding, "{q:?} → {back:?}");
    }
}

#[test]
fn truncated_gaussians_tend_to_the_exponential() {
    for curvature in [1e-16, 1e-20, 1e-50, 1e-80] {
        let eta = array![-1.0, -curvature];
        let q = TruncatedGaussian::from_natural_given(&(0.0, f64::INFINITY), &eta).unwrap();
        let close = |value: f64, expected: f64| (value - expected).abs() < 1e-11 * (1.0 + expected.abs());
        assert!(close(Univariate::mean(&q), 1.0) && close(Univariate::variance(&q), 1.0), "{q:?}");
        assert!(close(q.entropy(), 1.0) && close(q.fisher()[[1, 1]], 20.0), "{q:?}");
        for z in [1e-6, 0.5, 30.0] {
            assert!(close(q.log_prob(&z), -z) && close(q.survival(z).ln(), -z), "{q:?} at {z}");
            assert!(close(q.quantile(-(-z).exp_m1()), z) || z > 20.0, "{q:?} at {z}");
        }
    }
}

/// The maximum-likelihood member has the moments of the data, and a truncated family finds what was cut off.
#[test]
fn fits() {
    let rng = |i: u64| StreamKey::from_seed(23).rng(i);
    let draws = |q: &TruncatedGaussian| -> Vec<f64> { (0..4000).map(|i| q.sample(&mut rng(i))).collect() };
    let truth = TruncatedGaussian::from_location_scale(-0.5, 1.5, 0.0, 4.0).unwrap();
    let data = draws(&truth);
    let fit = TruncatedGaussian::fit_given(&(0.0, 4.0), data.iter().copied()).unwrap();
    let mean = data.iter().sum::<f64>() / data.len() as f64;
    assert!((Univariate::mean(&fit) - mean).abs() < 1e-12);
    // χ² of two degrees of freedom exceeds 30 with probability 3·10⁻⁷.
    let fisher = truth.fisher_in_parameters();
    let gap = fit.parameters() - truth.parameters();
    let distance = gap.dot(&fisher.dot(&gap)) * data.len() as f64;
    assert!(distance < 30.0, "{fit:?} is {distance} from the truth");
}

#[test]
fn means_of_no_truncated_gaussian() {
    let infinity = f64::INFINITY;
    // (bounds, mean, least variance that no member has)
    for ((lower, upper), mean, variance) in [
        ((0.0, infinity), 2.0, 4.0),
        ((-1.0, infinity), 0.0, 1.0),
        ((-infinity, 3.0), 1.0, 4.0),
        ((0.0, 1.0), 0.5, 1.0 / 12.0),
        ((-2.0, 4.0), 1.0, 3.0),
    ] {
        let at = |v: f64| {
            TruncatedGaussian::from_mean_params_given(&(lower, upper), &array![mean, mean * mean + v])
        };
        for factor in [1.0 + 1e-9, 1.5, 10.0] {
            let refused = matches!(at(variance * factor), Err(FamilyError::MeanParams { .. }));
            assert!(refused, "variance {factor} times the limit");
        }
        for factor in [0.0, -1.0, f64::NAN] {
            assert!(at(variance * factor).is_err(), "variance {factor} times the limit");
        }
        for factor in [1e-6, 0.5, 1.0 - 1e-5] {
            let q = at(variance * factor).unwrap();
            let (m, v) = (Univariate::mean(&q), Univariate::variance(&q));
            assert!((m - mean).abs() < 1e-10 && (v - variance * factor).abs() < 1e-10 * variance, "{q:?}");
        }
    }
    for mean in [-0.5, 0.0, 1.0, 2.0] {
        let mu = array![mean, mean * mean + 0.01];
        assert!(TruncatedGaussian::from_mean_params_given(&(0.0, 1.0), &mu).is_err(), "mean {mean}");
    }
}

#[test]
fn constructors_name_the_parameter_and_its_value() {
    let message = |e: FamilyError| e.to_string();
    let e = TruncatedGaussian::from_location_scale(0.0, 1.0, 2.0, 2.0).unwrap_err();
    assert!(message(e).contains("upper = 2"));
    let e = TruncatedGaussian::from_location_scale(0.0, -1.0, 0.0, 2.0).unwrap_err();
    assert!(message(e).contains("scale = -1"));
    let e = VonMises::from_mean_direction_concentration(0.0, -3.0).unwrap_err();
    assert!(message(e).contains("concentration = -3"));
    let e = VonMises::from_mean_direction_resultant_length(0.0, 1.0).unwrap_err();
    assert!(message(e).contains("resultant length = 1"));
    let e = ContinuousBernoulli::from_lambda(1.25).unwrap_err();
    assert!(message(e).contains("lambda = 1.25"));
    let e = Laplace::from_location_scale(f64::NAN, 1.0).unwrap_err();
    assert!(message(e).contains("location = NaN"));
    let e = VonMisesFisher::from_mean_direction_concentration(&array![0.0, 0.0, 0.0], 1.0).unwrap_err();
    assert!(message(e).contains("length of the mean direction = 0"));
}

/// Kolmogorov's distance between 4000 draws and the CDF, below its 1 − 10⁻⁷ bound (Massart 1990).
fn draws_follow_the_cdf<F: Univariate + ExponentialFamily<Value = f64>>(members: &[F]) {
    const N: usize = 4000;
    let bound = ((2.0 / 1e-7f64).ln() / (2.0 * N as f64)).sqrt();
    for (i, q) in members.iter().enumerate() {
        let key = StreamKey::from_seed(22).fold_in(i as u64);
        let mut draws: Vec<f64> = (0..N).map(|s| q.sample(&mut key.rng(s as u64))).collect();
        draws.sort_by(f64::total_cmp);
        for (rank, z) in draws.iter().enumerate() {
            let gap = (q.cdf(*z) - (rank as f64 + 0.5) / N as f64).abs();
            assert!(gap <= bound, "{q:?}: the CDF at draw {rank} of {N} is off by {gap}");
        }
    }
}

#[test]
fn draws() {
    let infinity = f64::INFINITY;
    let truncated = |m, s, lower, upper| TruncatedGaussian::from_location_scale(m, s, lower, upper).unwrap();
    draws_follow_the_cdf(&[
        truncated(0.0, 1.0, -infinity, infinity),
        truncated(0.0, 1.0, 0.0, infinity),
        truncated(0.0, 1.0, -0.2, 0.3),
        truncated(0.0, 1.0, -0.1, 3.0),
        truncated(0.0, 1.0, 0.5, 0.6),
        truncated(0.0, 1.0, 0.5, 2.0),
        truncated(0.0, 1.0, 6.0, infinity),
        truncated(1e6, 1.0, -infinity, 0.0),
    ]);
    let circle = |mu, kappa| VonMises::from_mean_direction_concentration(mu, kappa).unwrap();
    draws_follow_the_cdf(&[circle(3.0, 0.0), circle(3.0, 0.7), circle(-PI, 5.0), circle(0.0, 1e12)]);
    let bernoulli = |logit| ContinuousBernoulli::from_logit(logit).unwrap();
    draws_follow_the_cdf(&[bernoulli(0.0), bernoulli(1e-3), bernoulli(-30.0), bernoulli(200.0)]);
    draws_follow_the_cdf(&[Laplace::from_location_scale(1.0, 3.0).unwrap()]);
    draws_follow_the_cdf(&[Gaussian::from_mean_sd(1.0, 3.0).unwrap()]);
    draws_follow_the_cdf(&[
        Beta::from_alpha_beta(0.1, 0.7).unwrap(),
        Beta::from_alpha_beta(1e4, 3.0).unwrap(),
    ]);
}
