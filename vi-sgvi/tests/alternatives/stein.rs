//! Stein variational gradient descent: its direction and discrepancy against differences, moments, bits, faults.

use ndarray::{Array1, Array2, ArrayRef1, Axis, array};
use vi_core::testing::check_kernel;
use vi_core::{
    Bijection, Counted, Exec, GradLogJoint, Kernel, LogJoint, Parameter, ParameterSpace, Posterior, RunError,
    StreamKey, Support,
};
use vi_sgvi::{
    Bandwidth, LearningRate, ParticlePosterior, RmsProp, Sgd, SgviError, SlowParticles, SteinGradient,
    SteinSettings, fit_stein, kernelised_stein_discrepancy,
};

use crate::common::{Gaussian, normals};

fn sgd(rate: f64) -> Sgd {
    Sgd { learning_rate: LearningRate::Constant(rate) }
}

/// The rule of the paper's code: AdaGrad with a memory that fades.
fn adagrad(rate: f64) -> RmsProp {
    let learning_rate = LearningRate::Polynomial { initial: rate, delay: 300.0, exponent: 1.0 };
    RmsProp { learning_rate, decay: 0.9, epsilon: 1e-6 }
}

fn target() -> Gaussian {
    Gaussian::equicorrelated(array![1.0, -1.0, 0.5], array![1.0, 2.0, 0.7], 0.5)
}

/// The score of the target at a point.
fn score<M: GradLogJoint>(model: &M, z: &ArrayRef1<f64>) -> Array1<f64> {
    let mut grad = Array1::zeros(z.len());
    model.log_joint_and_grad(z, &mut grad);
    grad
}

// φ and the discrepancy from their definitions, with derivatives of the kernel by differences.
#[test]
fn direction_and_discrepancy_are_those_of_the_kernel() {
    let (target, h) = (target(), 1.7);
    let particles = normals(5, 3, StreamKey::from_seed(51));
    let scores: Vec<Array1<f64>> = particles.rows().into_iter().map(|z| score(&target, &z)).collect();
    let kernel = |a: &Array1<f64>, b: &Array1<f64>| (-(a - b).mapv(|x| x * x).sum() / h).exp();
    let nudged = |z: &Array1<f64>, c: usize, by: f64| {
        let mut moved = z.clone();
        moved[c] += by;
        moved
    };
    let step = 1e-4;
    let z: Vec<Array1<f64>> = particles.rows().into_iter().map(|z| z.to_owned()).collect();
    let mut expected = Array2::<f64>::zeros((5, 3));
    let mut square = 0.0;
    for i in 0..5 {
        for j in 0..5 {
            square += scores[i].dot(&scores[j]) * kernel(&z[i], &z[j]) / 25.0;
            for c in 0..3 {
                let (up, down) = (nudged(&z[j], c, step), nudged(&z[j], c, -step));
                let by_j = (kernel(&up, &z[i]) - kernel(&down, &z[i])) / (2.0 * step);
                expected[[i, c]] += (kernel(&z[j], &z[i]) * scores[j][c] + by_j) / 5.0;
                let (i_up, i_down) = (nudged(&z[i], c, step), nudged(&z[i], c, -step));
                let by_i = (kernel(&i_up, &z[j]) - kernel(&i_down, &z[j])) / (2.0 * step);
                let mixed = (kernel(&i_up, &up) - kernel(&i_up, &down) - kernel(&i_down, &up)
                    + kernel(&i_down, &down))
                    / (4.0 * step * step);
                square += (scores[i][c] * by_j + scores[j][c] * by_i + mixed) / 25.0;
            }
        }
    }
    let mass = z.iter().map(|a| z.iter().map(|b| kernel(a, b)).sum::<f64>()).sum::<f64>() / 25.0;
    let kernel = SteinGradient::new(&target, sgd(1.0), Bandwidth::Fixed(h)).unwrap();
    let mut state = kernel.init_at(&particles).unwrap();
    let info = kernel.step(StreamKey::from_seed(1), &mut state).unwrap();
    let moved = &state.particles - &particles;
    assert!((&moved - &expected).iter().all(|e| e.abs() < 1e-6), "{moved} instead of {expected}");
    assert!((info.discrepancy - square.sqrt()).abs() < 1e-6, "{} and {}", info.discrepancy, square.sqrt());
    let alone =
        kernelised_stein_discrepancy(&target, &particles, Bandwidth::Fixed(h), Exec::local()).unwrap();
    assert_eq!(alone, info.discrepancy);
    let sd = particles.std_axis(Axis(0), 0.0);
    let speed = (expected / &sd).mapv(|v| v * v).mean().unwrap().sqrt() / mass;
    assert!((info.speed - speed).abs() < 1e-6, "{} and {speed}", info.speed);
}

// In many dimensions only few particles are near each other: directions are small although the way is long.
#[test]
fn particles_far_too_narrow_are_not_at_rest() {
    let target = Gaussian::equicorrelated(Array1::zeros(40), Array1::from_elem(40, 10.0), 0.0);
    let kernel = SteinGradient::new(&target, sgd(0.1), Bandwidth::Median).unwrap();
    let mut state = kernel.init(100, StreamKey::from_seed(58)).unwrap();
    let info = kernel.step(StreamKey::from_seed(1), &mut state).unwrap();
    assert!(info.speed > 5.0 * SlowParticles::default().tolerance, "{}", info.speed);
}

#[test]
fn the_median_bandwidth_is_the_median() {
    let particles = array![[0.0], [1.0], [3.0], [8.0]];
    // Distances 1, 3, 8, 2, 7, 5, sorted 1 2 3 5 7 8: the upper median is 5.
    assert_eq!(Bandwidth::Median.of(&particles), 25.0 / 4f64.ln());
    assert_eq!(Bandwidth::Median.of(&Array2::<f64>::zeros((4, 2))), 1.0);
    assert_eq!(Bandwidth::Fixed(0.3).of(&particles), 0.3);
}

fn moments(particles: &Array2<f64>) -> (Array1<f64>, Array1<f64>) {
    (particles.mean_axis(Axis(0)).unwrap(), particles.std_axis(Axis(0), 0.0))
}

// 100 particles in three dimensions: means to 0.05 standard deviations; standard deviations fall short by what so few
// particles do, no more than 15 %.
#[test]
fn moments_of_a_gaussian() {
    let target = Counted::new(target());
    let settings = SteinSettings { n_iterations: 1500, ..SteinSettings::default() };
    let fit = fit_stein(&target, adagrad(0.3), &settings, StreamKey::from_seed(52), Exec::local()).unwrap();
    let (mean, sd) = moments(fit.posterior.particles());
    let exact = target.inner();
    for d in 0..3 {
        assert!((mean[d] - exact.mean[d]).abs() < 0.05 * exact.sd[d], "mean {mean}");
        let ratio = sd[d] / exact.sd[d];
        assert!(ratio > 0.85 && ratio < 1.02, "standard deviations {sd}");
    }
    let (first, last) = (fit.discrepancy_trace[0], *fit.discrepancy_trace.last().unwrap());
    assert!(last < 0.1 * first, "discrepancy from {first} to {last}");
    assert_eq!(fit.evaluations.n_gradient, target.n_gradient());
    assert_eq!(fit.evaluations.n_gradient, 100 * fit.outcome.next);
}

// Steps of fixed length times φ come to rest, and the run says so; until it is near its last value the discrepancy falls.
#[test]
fn particles_come_to_rest() {
    let target = target();
    let settings = SteinSettings { n_particles: 40, n_iterations: 6000, ..SteinSettings::default() };
    let fit = fit_stein(&target, sgd(0.3), &settings, StreamKey::from_seed(57), Exec::local()).unwrap();
    assert!(fit.outcome.converged(), "{}", fit.outcome.reason);
    let trace = &fit.discrepancy_trace;
    let (first, last) = (trace[0], trace[trace.len() - 1]);
    let near = trace.iter().position(|d| *d <= 1.05 * last).unwrap();
    let falls = trace[..=near].windows(2).filter(|w| w[1] <= w[0]).count();
    // Not in every step: the median bandwidth changes with the particles.
    assert!(near > 100 && falls as f64 > 0.85 * near as f64, "{falls} of {near}");
    assert!(last < 0.2 * first, "discrepancy from {first} to {last}");
}

/// ⅓ N(−2, 1) + ⅔ N(2, 1), the example of the paper.
struct Mixture(ParameterSpace);

impl LogJoint for Mixture {
    fn parameters(&self) -> &ParameterSpace {
        &self.0
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.log_joint_and_grad(z, &mut array![0.0])
    }
}

impl GradLogJoint for Mixture {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let terms =
            [(1.0f64 / 3.0, -2.0), (2.0 / 3.0, 2.0)].map(|(w, m)| (w.ln() - 0.5 * (z[0] - m).powi(2), m));
        let top = terms[0].0.max(terms[1].0);
        let total: f64 = terms.iter().map(|(t, _)| (t - top).exp()).sum();
        grad[0] = terms.iter().map(|(t, m)| (t - top).exp() / total * (m - z[0])).sum();
        top + total.ln() - 0.5 * std::f64::consts::TAU.ln()
    }
}

// From N(−10, 1), which neither mode is near, as in figure 1 of the paper. Exact: mean 2/3, E[z²] = 5, P(z < 0) = 0.349.
#[test]
fn moments_of_a_mixture_from_afar() {
    let model = Mixture(ParameterSpace::new([Parameter::scalar("z", Support::Real)]).unwrap());
    let kernel = SteinGradient::new(&model, adagrad(0.5), Bandwidth::Median).unwrap();
    let start = normals(100, 1, StreamKey::from_seed(53)) - 10.0;
    let mut state = kernel.init_at(&start).unwrap();
    vi_core::run(&kernel, &mut state, StreamKey::from_seed(1), 0..1500, &vi_core::NeverStop, &mut [])
        .unwrap();
    let z = state.particles.column(0);
    let (mean, square) = (z.mean().unwrap(), z.mapv(|z| z * z).mean().unwrap());
    let below = z.iter().filter(|z| **z < 0.0).count() as f64 / 100.0;
    assert!((mean - 2.0 / 3.0).abs() < 0.15, "mean {mean}");
    assert!((square - 5.0).abs() < 0.4, "E[z²] = {square}");
    assert!((below - 0.349).abs() < 0.05, "P(z < 0) = {below}");
    let trace = &state.discrepancy_trace;
    assert!(trace.last().unwrap() < &(0.05 * trace[0]), "{} to {:?}", trace[0], trace.last());
}

// With 50 particles the standard deviation of a standard Gaussian falls as D grows: the collapse is there, and documented.
#[test]
fn the_spread_collapses_in_high_dimension() {
    let spread = |d: usize| {
        let target = Gaussian::equicorrelated(Array1::zeros(d), Array1::ones(d), 0.0);
        let settings = SteinSettings { n_particles: 50, n_iterations: 500, ..SteinSettings::default() };
        let fit = fit_stein(&target, sgd(0.5), &settings, StreamKey::from_seed(54), Exec::local()).unwrap();
        moments(fit.posterior.particles()).1.mean().unwrap()
    };
    let (low, high) = (spread(2), spread(30));
    assert!(low > 0.85 && low < 1.0, "D = 2: {low}");
    assert!(high < 0.7, "D = 30: {high}");
}

#[test]
fn bits_do_not_depend_on_threads_nor_on_a_stop() {
    let target = target();
    let kernel = SteinGradient::new(&target, adagrad(0.3), Bandwidth::Median).unwrap();
    let start = kernel.init(70, StreamKey::from_seed(55)).unwrap();
    check_kernel(&kernel, &start, StreamKey::from_seed(55), 6);
}

#[test]
fn a_step_too_long_is_an_error_and_no_result() {
    let target = target();
    let settings = SteinSettings::default();
    let fit = fit_stein(&target, sgd(1e300), &settings, StreamKey::from_seed(56), Exec::local());
    let Err(SgviError::Run(error)) = fit else { panic!("{fit:?}") };
    match *error {
        RunError::Kernel {
            source: SgviError::NonFiniteParameter { .. } | SgviError::NonFiniteLogJoint { .. },
            ..
        } => {}
        other => panic!("{other}"),
    }
}

#[test]
fn settings_and_shapes_that_do_not_fit_are_refused() {
    let target = target();
    let name = |error: SgviError| match error {
        SgviError::Setting { name, .. } => name,
        other => panic!("{other}"),
    };
    assert_eq!(
        name(SteinGradient::new(&target, sgd(0.1), Bandwidth::Fixed(0.0)).unwrap_err()),
        "bandwidth.fixed"
    );
    let kernel = SteinGradient::new(&target, sgd(0.1), Bandwidth::Median).unwrap();
    assert_eq!(name(kernel.init(1, StreamKey::from_seed(1)).unwrap_err()), "n_particles");
    assert!(matches!(
        kernel.init_at(&Array2::zeros((4, 2))),
        Err(SgviError::Dimension { model: 3, family: 2 })
    ));
    let settings = SteinSettings { tolerance: SlowParticles { tolerance: 0.0 }, ..SteinSettings::default() };
    let fit = fit_stein(&target, sgd(0.1), &settings, StreamKey::from_seed(1), Exec::local());
    assert_eq!(name(fit.unwrap_err()), "tolerance");
}

// Particles on ℝ seen as positive values; all of them, whatever number is asked for; no density.
#[test]
fn particles_are_a_posterior() {
    let space = ParameterSpace::new([Parameter::scalar("tau", Support::Positive)]).unwrap();
    let bijection = Bijection::new(&space).unwrap();
    let particles = array![[0.0], [1.0], [-1.0]];
    let posterior = ParticlePosterior::new(bijection.unconstrained().clone(), particles).unwrap();
    let posterior = posterior.through(&bijection).unwrap();
    assert_eq!(posterior.parameters().names(), ["tau"]);
    let draws = posterior.draws(1000, StreamKey::from_seed(1));
    assert_eq!(draws.values().iter().copied().collect::<Vec<_>>(), [1.0, 1f64.exp(), (-1f64).exp()]);
    assert!(posterior.log_prob(&array![1.0]).is_none());
    assert!(posterior.through(&bijection).is_ok(), "one coordinate stays one");
    assert!(ParticlePosterior::new(space, Array2::zeros((3, 2))).is_err());
}
