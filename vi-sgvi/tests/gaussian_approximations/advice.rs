//! Fits without settings.

use ndarray::{Array1, ArrayRef1};
use vi_core::linalg::Cholesky;
use vi_core::{Counted, Exec, GradLogJoint, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_families::{FullRankGaussian, LowRankGaussian, MeanFieldGaussian};
use vi_sgvi::{AdviceSettings, SgviError, advise, advise_black_box};

use crate::targets::{Gaussian, badly_scaled, banana, correlated, largest_difference, thirty};

/// Of a Gaussian: the moments to 1e-3 standard deviations, ELBO = log Z = 0.
#[test]
fn a_full_rank_fit_of_a_gaussian_is_the_gaussian() {
    for model in [badly_scaled(), correlated(), thirty()] {
        let advice = advise(&model).unwrap();
        let family = FullRankGaussian::new(model.parameters()).unwrap();
        let fit = advice.fit_family(&family, StreamKey::from_seed(1), Exec::local()).unwrap();
        assert!(fit.outcome.converged(), "{}", fit.account);
        let q = fit.posterior.member();
        assert!(largest_difference(&q.covariance(), &model.covariance) < 1e-3, "{}", fit.account);
        for (i, m) in q.mean().iter().enumerate() {
            assert!((m - model.mean[i]).abs() < 1e-3 * model.covariance[[i, i]].sqrt());
        }
        assert!(fit.elbo.value.abs() < 1e-3, "{:?}", fit.elbo);
    }
}

/// Of a Gaussian: the standard deviations given the others, and
///
/// ```text
/// ELBO* = log Z − ½ (Σ log Λᵢᵢ − log |Λ|)
/// ```
#[test]
fn a_mean_field_fit_of_a_gaussian_has_its_conditional_scales() {
    for model in [badly_scaled(), correlated(), thirty()] {
        let advice = advise(&model).unwrap();
        let family = MeanFieldGaussian::new(model.parameters()).unwrap();
        let fit = advice.fit_family(&family, StreamKey::from_seed(2), Exec::local()).unwrap();
        assert!(fit.outcome.converged(), "{}", fit.account);
        let factor = Cholesky::factor(&model.covariance).unwrap();
        let precisions = factor.inverse().diag().to_owned();
        for (sd, precision) in fit.posterior.member().sd().iter().zip(&precisions) {
            assert!((sd * precision.sqrt() - 1.0).abs() < 1e-3, "{}", fit.account);
        }
        let best = -0.5 * (precisions.mapv(f64::ln).sum() + factor.log_det());
        // Five standard errors: a false alarm in 6e-7.
        assert!((fit.elbo.value - best).abs() < 1e-3 + 5.0 * fit.elbo.mcse, "{:?}, best {best}", fit.elbo);
    }
}

#[test]
fn low_rank_fits_lie_between() {
    let model = thirty();
    let advice = advise(&model).unwrap();
    let elbo = |rank| {
        let family = LowRankGaussian::new(model.parameters(), rank).unwrap();
        let fit = advice.fit_family(&family, StreamKey::from_seed(3), Exec::local()).unwrap();
        assert!(fit.outcome.converged(), "rank {rank}: {}", fit.account);
        fit.elbo.value
    };
    // The covariance is diagonal plus rank five.
    let [one, three, five] = [1, 3, 5].map(elbo);
    assert!(one < three - 1.0 && three < five - 1.0, "{one}, {three}, {five}");
    assert!(five.abs() < 0.05, "{five}");
}

#[test]
fn every_evaluation_is_counted_and_bits_do_not_depend_on_threads() {
    let model = Counted::new(banana());
    let settings = AdviceSettings { n_evaluate: 1000, max_samples: 1024, ..AdviceSettings::default() };
    let fit = || {
        let fit = advise(&model).unwrap().with_settings(settings).fit(4).unwrap();
        let draws = fit.posterior.draws(100, StreamKey::from_seed(1));
        (fit.evaluations, fit.elbo, draws, fit.account)
    };
    let first = fit();
    assert_eq!(first.0.n_gradient, model.n_gradient());
    assert_eq!(first.0.n_log_joint, model.n_log_joint());
    for n_threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        assert_eq!(pool.install(fit), first, "{n_threads} threads");
    }
}

/// τ ~ Gamma(3, 2): a variable with a support of its own.
struct Gamma(ParameterSpace);

impl LogJoint for Gamma {
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        3.0 * 2_f64.ln() - 2_f64.ln() + 2.0 * z[0].ln() - 2.0 * z[0]
    }
}

impl GradLogJoint for Gamma {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        grad[0] = 2.0 / z[0] - 2.0;
        self.log_joint(z)
    }
}

#[test]
fn the_account_says_what_was_chosen_and_the_posterior_is_on_the_natural_support() {
    let model = Gamma(ParameterSpace::new([Parameter::scalar("tau", Support::Positive)]).unwrap());
    let fit = advise(&model).unwrap().fit(1).unwrap();
    assert!(fit.outcome.converged(), "{}", fit.account);
    let text = fit.account.to_string();
    for expected in ["family: FullRankGaussian (1 dimensions", "estimator: pathwise", "start: ", "stop: "] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert!(fit.elbo.value < 0.0 && fit.elbo.value > -0.1, "{:?}", fit.elbo);
    let draws = fit.posterior.draws(4000, StreamKey::from_seed(1));
    assert_eq!(draws.parameters().names(), ["tau"]);
    // E τ = 1.5, sd 0.87; the log-normal is close.
    assert!((draws.coordinate(0).mean().unwrap() - 1.5).abs() < 0.1);
    assert!(draws.values().iter().all(|tau| *tau > 0.0));
    let black_box = advise_black_box(&model).fit(1).unwrap();
    assert_eq!(black_box.evaluations.n_gradient, 0);
    assert!((black_box.elbo.value - fit.elbo.value).abs() < 0.05, "{:?}", black_box.elbo);
    assert!(black_box.account.to_string().contains("score function"));
}

/// Two bits, one of which decides where a number lies.
struct Bits(ParameterSpace);

impl LogJoint for Bits {
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        0.5 * z[0] - z[1] - 0.5 * z[2] * z[2]
    }
}

#[test]
fn discrete_variables_go_to_the_score_function() {
    let space = ParameterSpace::new([
        Parameter::vector("on", 2, Support::Binary),
        Parameter::scalar("x", Support::Real),
    ]);
    let fit = advise_black_box(&Bits(space.unwrap())).fit(1).unwrap();
    // log Z of independent factors: reached exactly.
    let log_z = 0.5_f64.exp().ln_1p() + (-1_f64).exp().ln_1p() + 0.5 * std::f64::consts::TAU.ln();
    assert!((fit.elbo.value - log_z).abs() < 0.02, "{:?}, log Z = {log_z}", fit.elbo);
    assert!(fit.account.to_string().contains("`on` is discrete"), "{}", fit.account);
}

#[test]
fn failures_are_typed_and_a_budget_is_no_convergence() {
    let model = banana();
    let few = AdviceSettings { n_samples: 16, max_samples: 16, ..AdviceSettings::default() };
    let fit = advise(&model).unwrap().with_settings(few).fit(1).unwrap();
    assert!(!fit.outcome.converged() && fit.elbo.value.is_finite(), "{}", fit.account);
    for settings in [
        AdviceSettings { n_samples: 100, ..AdviceSettings::default() },
        AdviceSettings { tolerance: f64::NAN, ..AdviceSettings::default() },
        AdviceSettings { n_paths: 0, ..AdviceSettings::default() },
    ] {
        let error = advise(&model).unwrap().with_settings(settings).fit(1).unwrap_err();
        assert!(matches!(error, SgviError::Setting { .. }), "{error}");
    }
    let space = ParameterSpace::new([Parameter::vector("z", 2, Support::Binary)]).unwrap();
    let discrete = DiscreteWithGradient(space);
    assert!(matches!(advise(&discrete), Err(SgviError::Parameter(_))));
}

struct DiscreteWithGradient(ParameterSpace);

impl LogJoint for DiscreteWithGradient {
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        z.sum()
    }
}

impl GradLogJoint for DiscreteWithGradient {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        grad.fill(1.0);
        z.sum()
    }
}

/// More coordinates than a covariance has room for: mean field, at the conditional scales.
#[test]
fn many_dimensions_are_fitted_by_the_mean_field() {
    let d = 80;
    let covariance = ndarray::Array2::from_shape_fn((d, d), |(i, j)| 0.5_f64.powi(i.abs_diff(j) as i32));
    let model = Gaussian::new(Array1::linspace(-1.0, 1.0, d), covariance);
    let fit = advise(&model).unwrap().fit(5).unwrap();
    assert!(fit.outcome.converged(), "{}", fit.account);
    assert!(fit.account.to_string().contains("family: MeanFieldGaussian"));
    // Λᵢᵢ = 5/3 inside, 4/3 at the ends: the ELBO of the best.
    let best = -0.5 * (78.0 * (5.0_f64 / 3.0).ln() + 2.0 * (4.0_f64 / 3.0).ln() + 79.0 * 0.75_f64.ln());
    assert!((fit.elbo.value - best).abs() < 1e-2 + 5.0 * fit.elbo.mcse, "{:?}, best {best}", fit.elbo);
    let draws = fit.posterior.draws(10, StreamKey::from_seed(1));
    assert_eq!(draws.values().dim(), (1, 10, d));
}
