//! Deterministic ADVI: what the fixed draws do is known on Gaussian posteriors; linear response against exact answers.

use ndarray::{Array1, Array2, ArrayRef1, array};
use vi_core::linalg::Cholesky;
use vi_core::testing::check_kernel;
use vi_core::{
    Counted, Exec, GradLogJoint, LogJoint, NeverStop, Parameter, ParameterSpace, Posterior, RunError,
    StreamKey, Support, run,
};
use vi_sgvi::{
    DeterministicAdvi, DeterministicAdviSettings, DeterministicAdviState, FixedDraws, SgviError,
    SmallGradient, fit_deterministic,
};

use crate::common::Gaussian;

const KEY: u64 = 41;

/// The optimum at these draws, with a gradient that is zero to rounding.
fn optimum<'a, M: GradLogJoint>(
    model: &'a M,
    draws: FixedDraws,
) -> (DeterministicAdvi<'a, M>, DeterministicAdviState) {
    let kernel = DeterministicAdvi::new(model, draws).unwrap();
    let mut state = kernel.init();
    let stop = SmallGradient { tolerance: 1e-9 };
    let outcome = run(&kernel, &mut state, StreamKey::from_seed(KEY), 0..300, &stop, &mut []).unwrap();
    assert!(outcome.converged(), "{} after {} steps", outcome.reason, outcome.next);
    (kernel, state)
}

fn sd_of(state: &DeterministicAdviState) -> Array1<f64> {
    state.params.slice(ndarray::s![state.params.len() / 2..]).mapv(f64::exp)
}

// With pairs of draws the mean of a Gaussian posterior is exact, and the linear response is its covariance: correlations of
// 0.999, scales of 1e4 beside 1, fewer draws than coordinates in the last case.
#[test]
fn linear_response_is_the_covariance_of_a_gaussian() {
    for (dim, tolerance) in [(2, 1e-5), (10, 1e-4), (50, 1e-3)] {
        let target = Gaussian::ill_conditioned(dim);
        let draws = FixedDraws::antithetic(30, dim, StreamKey::from_seed(KEY)).unwrap();
        let (kernel, mut state) = optimum(&target, draws);
        let response = kernel.linear_response(&mut state).unwrap();
        let factor = Cholesky::factor(&response.covariance).unwrap().l().clone();
        let (mean, covariance) = target.errors_of(&response.mean, &factor);
        assert!(mean < tolerance && covariance < tolerance, "D = {dim}: {mean:.1e}, {covariance:.1e}");
        let too_narrow = sd_of(&state) / &target.sd;
        assert!(too_narrow.iter().all(|r| *r < 0.1), "the mean field itself is too narrow: {too_narrow}");
        // One direction alone, without the matrix.
        let a: Array1<f64> = target.sd.mapv(|s| 1.0 / s);
        let direct = a.dot(&response.covariance.dot(&a));
        let by_gradients = kernel.linear_response_variance(&mut state, &a).unwrap();
        assert!((by_gradients / direct - 1.0).abs() < 1e-3, "D = {dim}: {by_gradients} and {direct}");
    }
}

// What fixed draws do to a Gaussian posterior with precision Λ: with ε̄ and C their mean and second moments about it,
// m = μ − s ⊙ ε̄ and s_d Σ_e Λ_de C_de s_e = 1.
#[test]
fn the_optimum_is_that_of_the_fixed_draws() {
    let dim = 4;
    let sd = array![1.0, 20.0, 0.3, 5.0];
    let target = Gaussian::equicorrelated(array![2.0, -30.0, 0.0, 1.0], sd, 0.8);
    let precision = Cholesky::factor(&target.covariance()).unwrap().inverse();
    for draws in [
        FixedDraws::independent(30, dim, StreamKey::from_seed(KEY)).unwrap(),
        FixedDraws::antithetic(30, dim, StreamKey::from_seed(KEY)).unwrap(),
    ] {
        let noise = draws.noise().clone();
        let (_, state) = optimum(&target, draws);
        let s = sd_of(&state);
        let centre = noise.mean_axis(ndarray::Axis(0)).unwrap();
        let off = &noise - &centre;
        let second = off.t().dot(&off) / 30.0;
        for d in 0..dim {
            let mean = target.mean[d] - s[d] * centre[d];
            assert!((state.params[d] - mean).abs() < 1e-6 * s[d], "mean {d}");
            let sum: f64 = (0..dim).map(|e| precision[[d, e]] * second[[d, e]] * s[e]).sum();
            assert!((s[d] * sum - 1.0).abs() < 1e-6, "standard deviation {d}");
        }
    }
}

// With many draws the standard deviations are those of the mean-field optimum, Λ_dd^(−1/2). The second moments of 2000 pairs
// are off by about 2 %, and so are these: 8 % is more than four times that.
#[test]
fn many_draws_give_the_mean_field_optimum() {
    let target = Gaussian::equicorrelated(array![1.0, -2.0, 0.5], array![1.0, 3.0, 0.2], 0.7);
    let draws = FixedDraws::antithetic(4000, 3, StreamKey::from_seed(KEY)).unwrap();
    let (_, state) = optimum(&target, draws);
    for (found, precision) in sd_of(&state).iter().zip(&target.precision_diagonal()) {
        assert!((found * precision.sqrt() - 1.0).abs() < 0.08, "{found} and {}", precision.powf(-0.5));
    }
}

// The error from the choice of the draws, as one set of draws estimates it, against the spread of the optima of 100 sets: the
// spread is known to 7 %, the estimates from 30 draws average out, so that 30 % is four standard errors.
#[test]
fn the_error_of_the_draws_is_that_between_sets_of_draws() {
    let target = Gaussian::equicorrelated(array![1.0, -2.0], array![1.0, 3.0], 0.6);
    let n = 100;
    let (mut params, mut errors) = (Array2::zeros((n, 4)), Array1::<f64>::zeros(4));
    for (seed, mut row) in params.rows_mut().into_iter().enumerate() {
        let key = StreamKey::from_seed(KEY).fold_in(seed as u64);
        let (kernel, mut state) = optimum(&target, FixedDraws::independent(30, 2, key).unwrap());
        row.assign(&state.params);
        errors += &(kernel.linear_response(&mut state).unwrap().mc_error / n as f64);
    }
    let spread = params.std_axis(ndarray::Axis(0), 1.0);
    for (estimated, observed) in errors.iter().zip(&spread) {
        assert!((estimated / observed - 1.0).abs() < 0.3, "{errors} against {spread}");
    }
}

/// Logistic regression with a flat prior on intercept and slope; covariates far from zero, so that the two are correlated.
struct Logistic(ParameterSpace);

impl Logistic {
    fn new() -> Self {
        let parameters = ["intercept", "slope"].map(|name| Parameter::scalar(name, Support::Real));
        Self(ParameterSpace::new(parameters).unwrap())
    }
    /// 60 covariates between 1 and 3, the response a fixed pattern that rises with them.
    fn data() -> impl Iterator<Item = (f64, f64)> {
        (0..60).map(|n| {
            let x = 1.0 + n as f64 / 29.5;
            (x, f64::from(u8::from((n * 37 + 11) % 60 < n)))
        })
    }
}

impl LogJoint for Logistic {
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.log_joint_and_grad(z, &mut Array1::zeros(2))
    }
}

impl GradLogJoint for Logistic {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        // Priors N(0, 10²).
        let mut value = -z.dot(z) / 200.0;
        grad.iter_mut().zip(z).for_each(|(g, z)| *g = -z / 100.0);
        for (x, y) in Self::data() {
            let linear = z[0] + z[1] * x;
            let p = 1.0 / (1.0 + (-linear).exp());
            value += y * linear - linear.max(0.0) - (-linear.abs()).exp().ln_1p();
            grad[0] += y - p;
            grad[1] += (y - p) * x;
        }
        value
    }
}

/// Mean and standard deviations of the logistic posterior, by the trapezoidal rule over ten standard deviations.
fn exact_logistic() -> ([f64; 2], [f64; 2]) {
    let model = Logistic::new();
    let (mut total, mut first, mut second) = (0.0, [0.0; 2], [0.0; 2]);
    for i in 0..600 {
        for j in 0..600 {
            let z = array![-20.0 + 40.0 * i as f64 / 599.0, -10.0 + 20.0 * j as f64 / 599.0];
            let weight = (model.log_joint(&z) + 30.0).exp();
            total += weight;
            for d in 0..2 {
                first[d] += weight * z[d];
                second[d] += weight * z[d] * z[d];
            }
        }
    }
    let mean = first.map(|f| f / total);
    let sd = [0, 1].map(|d| (second[d] / total - mean[d] * mean[d]).sqrt());
    (mean, sd)
}

// The posterior is skewed, so that linear response is not exact: 6 % is asked for; the mean field is off by more than half.
#[test]
fn linear_response_of_a_logistic_regression() {
    let model = Counted::new(Logistic::new());
    let (mean, sd) = exact_logistic();
    let settings = DeterministicAdviSettings { n_draws: 200, ..DeterministicAdviSettings::default() };
    let fitted = fit_deterministic(&model, &settings, StreamKey::from_seed(KEY), Exec::local()).unwrap();
    assert!(fitted.fit.outcome.converged(), "{}", fitted.fit.outcome.reason);
    let response = fitted.linear_response.unwrap();
    let mean_field = fitted.fit.posterior.member().sd().to_vec();
    for d in 0..2 {
        assert!(
            (response.mean[d] - mean[d]).abs() < 0.1 * sd[d],
            "mean {d}: {} and {}",
            response.mean[d],
            mean[d]
        );
        let ratio = response.sd()[d] / sd[d];
        assert!((ratio - 1.0).abs() < 0.06, "standard deviation {d}: linear response over exact {ratio}");
        assert!(mean_field[d] < 0.5 * sd[d], "mean field {} exact {}", mean_field[d], sd[d]);
    }
    let evaluations = fitted.fit.evaluations;
    assert_eq!(evaluations.n_gradient, model.n_gradient());
    assert_eq!(evaluations.n_log_joint, model.n_log_joint());
    // The corrected Gaussian is worth more than the mean field: it is a better q of a larger family.
    let corrected = response.posterior(model.parameters()).unwrap();
    let better = vi_sgvi::evaluate_elbo(
        &model,
        corrected.family(),
        corrected.params(),
        10_000,
        StreamKey::from_seed(KEY),
        Exec::local(),
    )
    .unwrap();
    assert!(better.value > fitted.fit.elbo.value + 0.3, "{better:?} and {:?}", fitted.fit.elbo);
    assert_eq!(corrected.draws(10, StreamKey::from_seed(1)).n_draws(), 10);
}

#[test]
fn bits_do_not_depend_on_threads_nor_on_a_stop() {
    let target = Gaussian::ill_conditioned(3);
    let draws = FixedDraws::antithetic(100, 3, StreamKey::from_seed(KEY)).unwrap();
    let kernel = DeterministicAdvi::new(&target, draws).unwrap();
    check_kernel(&kernel, &kernel.init(), StreamKey::from_seed(KEY), 6);
}

/// A log joint on ℝ and its derivative.
struct OnTheLine<F>(ParameterSpace, F);

impl<F> OnTheLine<F> {
    fn new(f: F) -> Self {
        Self(ParameterSpace::new([Parameter::scalar("z", Support::Real)]).unwrap(), f)
    }
}

impl<F: Fn(f64) -> (f64, f64) + Send + Sync> LogJoint for OnTheLine<F> {
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        (self.1)(z[0]).0
    }
}

impl<F: Fn(f64) -> (f64, f64) + Send + Sync> GradLogJoint for OnTheLine<F> {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let (value, slope) = (self.1)(z[0]);
        grad[0] = slope;
        value
    }
}

fn outcome_of(f: impl Fn(f64) -> (f64, f64) + Send + Sync) -> Result<bool, SgviError> {
    let settings = DeterministicAdviSettings::default();
    let fitted = fit_deterministic(&OnTheLine::new(f), &settings, StreamKey::from_seed(KEY), Exec::local());
    match fitted {
        Ok(fitted) => Ok(fitted.fit.outcome.converged()),
        Err(SgviError::Run(error)) => match *error {
            RunError::Kernel { source, .. } => Err(source),
            other => panic!("{other}"),
        },
        Err(other) => Err(other),
    }
}

#[test]
fn what_has_no_optimum_does_not_converge() {
    // A gradient that is not that of the log joint.
    let wrong = outcome_of(|z| (-0.5 * (z - 3.0) * (z - 3.0), 2.0 * (z - 3.0)));
    assert!(matches!(wrong, Err(SgviError::TrustRegion { .. })), "{wrong:?}");
    // An improper posterior: the standard deviation grows without bound.
    match outcome_of(|_| (0.0, 0.0)) {
        Ok(converged) => assert!(!converged),
        Err(SgviError::NonFiniteGradient { parameter, .. }) => assert_eq!(parameter, "log_scale(z)"),
        Err(SgviError::NonFiniteLogJoint { .. } | SgviError::Family(_)) => {}
        Err(other) => panic!("{other}"),
    }
    // NaN is a fault of the model, and is shown with z.
    let fault = outcome_of(|z| if z > 1.0 { (f64::NAN, 0.0) } else { (-0.5 * z * z, -z) });
    match fault {
        Err(SgviError::NonFiniteLogJoint { z, .. }) => assert!(z.0[0].0 == "z" && z.0[0].1 > 1.0),
        other => panic!("{other:?}"),
    }
}

// log p = −∞ beyond 60 is zero density: steps that reach it are not taken, and the optimum before it is found.
#[test]
fn a_step_into_zero_density_is_not_taken() {
    let fenced = |z: f64| {
        if z > 60.0 {
            (f64::NEG_INFINITY, 0.0)
        } else {
            (-0.005 * (z - 28.0) * (z - 28.0), -0.01 * (z - 28.0))
        }
    };
    let model = OnTheLine::new(fenced);
    let draws = FixedDraws::antithetic(10, 1, StreamKey::from_seed(KEY)).unwrap();
    let (_, state) = optimum(&model, draws);
    assert!((state.params[0] - 28.0).abs() < 1e-6, "{}", state.params);
}

#[test]
fn a_flat_valley_has_no_linear_response() {
    let target = Gaussian::ill_conditioned(2);
    let draws = FixedDraws::antithetic(30, 2, StreamKey::from_seed(KEY)).unwrap();
    let kernel = DeterministicAdvi::new(&target, draws).unwrap();
    // Far from the optimum: standard deviations a thousand times too small have no maximum in log s.
    let mut state = kernel.init_at(&array![1.0, 1.0, -20.0, -20.0]).unwrap();
    let response = kernel.linear_response(&mut state);
    assert!(matches!(response, Err(SgviError::NotAMaximum { .. })), "{response:?}");
    run(&kernel, &mut state, StreamKey::from_seed(1), 0..0, &NeverStop, &mut []).unwrap();
}

#[test]
fn draws_that_do_not_fit_are_refused() {
    let key = StreamKey::from_seed(KEY);
    for draws in [
        FixedDraws::antithetic(31, 2, key),
        FixedDraws::antithetic(2, 2, key),
        FixedDraws::independent(1, 2, key),
    ] {
        assert!(matches!(draws, Err(SgviError::Setting { name: "n_draws", .. })), "{draws:?}");
    }
    let target = Gaussian::ill_conditioned(3);
    let draws = FixedDraws::antithetic(4, 2, key).unwrap();
    let error = DeterministicAdvi::new(&target, draws).unwrap_err();
    assert!(matches!(error, SgviError::Dimension { model: 3, family: 2 }), "{error}");
}
