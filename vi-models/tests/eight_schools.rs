//! Eight schools: contracts of both forms, exact values, and the bound of coordinate ascent.

use approx::{assert_abs_diff_eq, assert_relative_eq};
use ndarray::{Array1, array};
use vi_core::testing::{
    check_batch, check_conditional, check_conditional_against, check_gradient, check_gradient_against,
    check_gradient_batch, check_local, check_predictive, check_reported,
};
use vi_core::{
    AutoGrad, ConditionallyConjugate, Exec, KnownPosterior, LogJoint, ParameterSpace, Reported, Scalar,
    ScalarLogJoint, StreamKey,
};
use vi_models::eight_schools::{
    EightSchoolsBlock, EightSchoolsCentred, EightSchoolsData, EightSchoolsNonCentred, EightSchoolsPriors,
};

const LOG_2_PI: f64 = 1.837_877_066_409_345_3;

fn key() -> StreamKey {
    StreamKey::from_seed(8)
}

/// Rubin (1981), table 1.
fn data() -> EightSchoolsData {
    EightSchoolsData {
        effect: array![28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0],
        standard_error: array![15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0],
    }
}

fn other_priors() -> EightSchoolsPriors {
    EightSchoolsPriors { mu_mean: 2.0, mu_sd: 1.5, tau_scale: 0.7 }
}

fn three_schools() -> EightSchoolsData {
    EightSchoolsData { effect: array![1.0, -0.5, 2.0], standard_error: array![0.5, 1.0, 0.8] }
}

fn both(data: EightSchoolsData, priors: EightSchoolsPriors) -> (EightSchoolsCentred, EightSchoolsNonCentred) {
    let centred = EightSchoolsCentred::new(data.clone(), priors).unwrap();
    (centred, EightSchoolsNonCentred::new(data, priors).unwrap())
}

/// Both forms written out density by density.
struct Reference {
    space: ParameterSpace,
    data: EightSchoolsData,
    priors: EightSchoolsPriors,
    centred: bool,
}

fn normal<T: Scalar>(x: T, mean: T, sd: T) -> T {
    let u = (x - mean) / sd;
    -(u * u) * 0.5 - sd.ln() - 0.5 * LOG_2_PI
}

impl ScalarLogJoint for Reference {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint<T: Scalar>(&self, z: &[T]) -> T {
        let n = self.data.effect.len();
        let (mu, tau, c) = (z[n], z[n + 1], T::constant);
        let p = &self.priors;
        let ratio = tau / p.tau_scale;
        let half_cauchy = -(ratio * ratio).ln_1p() + (2.0 / (std::f64::consts::PI * p.tau_scale)).ln();
        let mut sum = half_cauchy + normal(mu, c(p.mu_mean), c(p.mu_sd));
        for (j, x) in z.iter().copied().take(n).enumerate() {
            let theta = if self.centred { x } else { mu + tau * x };
            let effect = if self.centred { normal(x, mu, tau) } else { normal(x, c(0.0), c(1.0)) };
            sum = sum + effect + normal(c(self.data.effect[j]), theta, c(self.data.standard_error[j]));
        }
        sum
    }
}

#[test]
fn contracts() {
    for (data, priors) in [(data(), EightSchoolsPriors::default()), (three_schools(), other_priors())] {
        let (centred, non_centred) = both(data.clone(), priors);
        let reference = |space: &ParameterSpace, centred| {
            AutoGrad(Reference { space: space.clone(), data: data.clone(), priors, centred })
        };
        check_gradient(&centred, 10, key());
        check_gradient(&non_centred, 10, key());
        check_gradient_against(&centred, &reference(centred.parameters(), true), 20, key());
        check_gradient_against(&non_centred, &reference(non_centred.parameters(), false), 20, key());
        check_batch(&centred, key());
        check_batch(&non_centred, key());
        check_gradient_batch(&centred, key());
        check_gradient_batch(&non_centred, key());
        check_local(&centred, 10, key());
        check_local(&non_centred, 10, key());
        check_predictive(&centred, key());
        check_predictive(&non_centred, key());
        check_reported(&non_centred, 10, key());
        check_conditional(&centred, key());
        check_conditional_against(&centred, &[EightSchoolsBlock::Auxiliary], 20, key());
    }
}

#[test]
fn both_forms_are_one_model() {
    let (centred, non_centred) = both(data(), EightSchoolsPriors::default());
    for z in vi_core::testing::random_points(non_centred.parameters(), 20, key()).rows() {
        let mut reported = Array1::zeros(z.len());
        let log_det = non_centred.report(&z, &mut reported);
        let expected = centred.log_joint(&reported) + log_det;
        assert_relative_eq!(non_centred.log_joint(&z), expected, max_relative = 1e-12);
    }
    assert_eq!(non_centred.reported(), centred.parameters());
    assert_eq!(non_centred.parameters().names()[0], "theta_trans[1]");
    assert_eq!(centred.parameters().names()[7], "theta[8]");
}

#[test]
fn outside_the_support_there_is_no_density() {
    let (centred, non_centred) = both(data(), EightSchoolsPriors::default());
    for model in [&centred as &dyn LogJoint, &non_centred] {
        for tau in [0.0, -1.0] {
            let mut z = Array1::ones(10);
            z[9] = tau;
            assert_eq!(model.log_joint(&z), f64::NEG_INFINITY);
            let mut out = array![0.0];
            model.log_joint_batch(&z.view().insert_axis(ndarray::Axis(0)), &mut out);
            assert_eq!(out[0], f64::NEG_INFINITY);
        }
        let mut z = Array1::ones(10);
        z[0] = f64::NAN;
        assert!(model.log_joint(&z).is_nan());
    }
}

/// The evidence by SciPy's adaptive quadrature over φ with τ = A tan φ, the joint Gaussian of y given τ through
/// a dense Cholesky factorisation (error estimate 1e-14). Moments by a quadrature over log τ that cuts off at small
/// τ, which costs 2e-7 of the mass and so about 1e-6 in the moments; the gold-standard draws of posteriordb
/// (`eight_schools-eight_schools_noncentered`) agree with them within 1.2 standard errors.
#[test]
fn exact_moments_and_evidence() {
    let (centred, non_centred) = both(data(), EightSchoolsPriors::default());
    let evidence = -31.311_347_352_292_785;
    assert_abs_diff_eq!(centred.log_evidence().unwrap(), evidence, epsilon = 1e-11);
    assert_abs_diff_eq!(non_centred.log_evidence().unwrap(), evidence, epsilon = 1e-11);
    let mean = [
        6.211884472782438,
        4.940178473435646,
        3.927004285318677,
        4.757098314281877,
        3.615476845572091,
        4.042612538148819,
        6.296724410624423,
        4.854253359292862,
        4.396820675980274,
        3.5977060917790924,
    ];
    let sd = [
        5.593126478946388,
        4.6742686749725,
        5.262615382238363,
        4.780297564087213,
        4.657452780086246,
        4.826865818945027,
        5.077848972649113,
        5.290801351386944,
        3.3177044882900666,
        3.219958347115666,
    ];
    let (m, c) = (centred.posterior_mean().unwrap(), centred.posterior_covariance().unwrap());
    for d in 0..10 {
        assert_abs_diff_eq!(m[d], mean[d], epsilon = 2e-6);
        assert_abs_diff_eq!(c[[d, d]].sqrt(), sd[d], epsilon = 2e-6);
    }
}

#[test]
fn exact_evidence_under_other_priors_by_direct_integration() {
    // With one school p(y) = ∫ p(τ) N(y | m, σ² + s² + τ²) dτ, and τ = A tan φ makes the prior uniform in φ.
    let data = EightSchoolsData { effect: array![3.0], standard_error: array![0.5] };
    let p = other_priors();
    let (centred, non_centred) = both(data, p);
    let n = 200_000;
    let step = std::f64::consts::FRAC_PI_2 / f64::from(n);
    let integral: f64 = (0..n)
        .map(|i| {
            let tau = p.tau_scale * ((f64::from(i) + 0.5) * step).tan();
            let variance = 0.25 + p.mu_sd * p.mu_sd + tau * tau;
            (-0.5 * (3.0 - p.mu_mean).powi(2) / variance).exp() / (LOG_2_PI.exp() * variance).sqrt()
        })
        .sum();
    let evidence = (integral / f64::from(n)).ln();
    assert_abs_diff_eq!(centred.log_evidence().unwrap(), evidence, epsilon = 1e-8);
    assert_abs_diff_eq!(non_centred.log_evidence().unwrap(), evidence, epsilon = 1e-8);
    // τ has a mean but no variance after one school.
    assert!(centred.posterior_mean().unwrap().iter().all(|m| m.is_finite()));
    assert!(centred.posterior_covariance().is_none());
}

/// The two parametrisations are integrated separately: E[θ] = E[μ] + E[τ θ̃], with E[τ θ̃] from the covariance.
#[test]
fn moments_of_both_forms_fit_together() {
    for (data, priors) in [(data(), EightSchoolsPriors::default()), (three_schools(), other_priors())] {
        let (centred, non_centred) = both(data, priors);
        let n = centred.n_schools();
        let (a, b) = (centred.posterior_mean().unwrap(), non_centred.posterior_mean().unwrap());
        let (ca, cb) = (centred.posterior_covariance().unwrap(), non_centred.posterior_covariance().unwrap());
        for j in 0..n {
            let expected = b[n] + b[n + 1] * b[j] + cb[[j, n + 1]];
            assert_relative_eq!(a[j], expected, max_relative = 1e-9);
        }
        for d in [n, n + 1] {
            assert_relative_eq!(a[d], b[d], max_relative = 1e-9);
            assert_relative_eq!(ca[[d, d]], cb[[d, d]], max_relative = 1e-9);
        }
        assert!(ca.iter().zip(&ca.t()).all(|(a, b)| (a - b).abs() < 1e-12 * (1.0 + a.abs())));
        vi_core::linalg::Cholesky::factor(&ca).unwrap();
        vi_core::linalg::Cholesky::factor(&cb).unwrap();
    }
}

/// The optimum of coordinate ascent from one start.
fn coordinate_ascent(model: &EightSchoolsCentred, key: StreamKey) -> f64 {
    let exec = Exec::local();
    let (mut q, mut stats) = model.init(key, exec).unwrap();
    let mut elbo = f64::NEG_INFINITY;
    for _ in 0..5000 {
        for &b in model.blocks() {
            model.condition(b, &stats, &mut q, exec).unwrap();
            model.expect(b, &q, &mut stats, exec);
        }
        let new = model.elbo(&q, &stats);
        assert!(new >= elbo - 1e-10);
        if new - elbo < 1e-12 {
            break;
        }
        elbo = new;
    }
    elbo
}

#[test]
fn the_elbo_is_a_bound_on_the_evidence() {
    for (data, priors) in [(data(), EightSchoolsPriors::default()), (three_schools(), other_priors())] {
        let model = EightSchoolsCentred::new(data, priors).unwrap();
        let evidence = model.log_evidence().unwrap();
        for restart in 0..5 {
            let elbo = coordinate_ascent(&model, key().fold_in(restart));
            // A lost constant (log 2, ½ log π) or Jacobian would break the bound or leave a gap of several nats.
            assert!(elbo < evidence && elbo > evidence - 3.0, "elbo {elbo}, evidence {evidence}");
        }
    }
}

#[test]
fn wrong_input_is_named() {
    let message =
        |data: EightSchoolsData, priors| EightSchoolsCentred::new(data, priors).unwrap_err().to_string();
    let default = EightSchoolsPriors::default();
    let mut bad = data();
    bad.effect[2] = f64::NAN;
    assert_eq!(message(bad, default), "eight_schools: effect[2, 0] = NaN, but it must be finite");
    let mut bad = data();
    bad.standard_error[1] = -10.0;
    assert_eq!(
        message(bad, default),
        "eight_schools: standard_error[1, 0] = -10, but it must be finite and > 0"
    );
    let mut bad = data();
    bad.standard_error = array![1.0];
    assert_eq!(message(bad, default), "eight_schools: standard_error has length 1, expected 8");
    let bad = EightSchoolsData { effect: array![], standard_error: array![] };
    assert_eq!(message(bad, default), "eight_schools: effect is empty");
    assert_eq!(
        message(data(), EightSchoolsPriors { tau_scale: -5.0, ..default }),
        "eight_schools: tau_scale = -5, but it must be finite and > 0"
    );
}
