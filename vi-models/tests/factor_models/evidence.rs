//! The bound against the exact evidence, by quadrature of the log joint (whose scores are integrated out).

use ndarray::{Array1, ArrayRef1, array};
use vi_core::{ConditionallyConjugate, Exec, LogJoint, StreamKey};
use vi_models::factor_model::{FactorAnalysis, FactorModelPriors, PrecisionPrior, ProbabilisticPca};
use vi_models::observed_matrix::ObservedMatrix;

use crate::quadrature::{Grid, assert_agrees, assert_nuts_agrees, gibbs_means, nuts_means};
use crate::{simulated, sweep};

/// log ∫∫ exp f over a square.
fn log_integral(f: impl Fn(f64, f64) -> f64, half_width: f64, n: usize) -> f64 {
    square(f, half_width, n).log_integral()
}

fn square(f: impl Fn(f64, f64) -> f64, half_width: f64, n: usize) -> Grid {
    Grid::new((-half_width, half_width), (-half_width, half_width), n, f)
}

/// Two columns, one factor, known precisions: the evidence is an integral over w (2).
#[test]
fn the_bound_is_below_the_evidence() {
    let known = |precision| PrecisionPrior::Known { precision };
    let priors =
        FactorModelPriors { loading: known(1.0), score: known(1.0), noise: known(4.0), intercept: None };
    let whole = array![[0.9, -0.7], [-1.2, 1.1], [0.3, -0.6], [1.5, -1.0]];
    let mut holes = whole.clone();
    holes[[1, 0]] = f64::NAN;
    holes[[2, 1]] = f64::NAN;
    for data in [whole, holes] {
        let model = ProbabilisticPca::new(ObservedMatrix::from_dense(&data).unwrap(), 1, priors).unwrap();
        let joint = |a: f64, b: f64| model.log_joint(&array![a, b]);
        let (evidence, finer) = (log_integral(joint, 7.0, 160), log_integral(joint, 7.0, 240));
        assert!((evidence - finer).abs() < 1e-8, "{evidence} or {finer}");
        let (mut q, mut stats) = model.init(StreamKey::from_seed(1), Exec::local()).unwrap();
        let bound = (0..200).map(|_| sweep(&model, &mut q, &mut stats)).last().unwrap();
        let gap = evidence - bound;
        // w and −w are equally good, so q misses half of the mass: log 2 and what dependence costs.
        assert!(gap > 0.0 && gap < 1.6, "evidence {evidence}, bound {bound}");
    }
}

/// One column, one factor: (w, τ) is all there is, and τ is learned.
#[test]
fn the_bound_is_below_the_evidence_with_learned_noise() {
    let priors = FactorModelPriors {
        loading: PrecisionPrior::Known { precision: 1.0 },
        score: PrecisionPrior::Known { precision: 1.0 },
        noise: PrecisionPrior::Gamma { shape: 2.0, rate: 1.0 },
        intercept: None,
    };
    let data = ObservedMatrix::from_dense(&array![[0.9], [-1.2], [0.3], [2.5], [-0.4]]).unwrap();
    let model = ProbabilisticPca::new(data, 1, priors).unwrap();
    // In log τ, with the Jacobian τ.
    let joint = |w: f64, log_tau: f64| model.log_joint(&Array1::from(vec![w, log_tau.exp()])) + log_tau;
    let evidence = log_integral(joint, 9.0, 300);
    assert!((evidence - log_integral(joint, 9.0, 400)).abs() < 1e-7);
    let (mut q, mut stats) = model.init(StreamKey::from_seed(1), Exec::local()).unwrap();
    let bound = (0..300).map(|_| sweep(&model, &mut q, &mut stats)).last().unwrap();
    assert!(bound < evidence && bound > evidence - 2.0, "evidence {evidence}, bound {bound}");
}

/// Gibbs sampling and NUTS where entries are missing and the noise is learned: moments that do not depend on the sign of a
/// factor.
#[test]
fn samplers_have_the_exact_moments() {
    let priors = FactorModelPriors {
        loading: PrecisionPrior::Known { precision: 1.0 },
        score: PrecisionPrior::Known { precision: 1.0 },
        noise: PrecisionPrior::Known { precision: 3.0 },
        intercept: None,
    };
    let data = array![[0.9, -0.7], [f64::NAN, 1.1], [0.3, f64::NAN], [1.5, -1.0]];
    let model = ProbabilisticPca::new(ObservedMatrix::from_dense(&data).unwrap(), 1, priors).unwrap();
    let grid = square(|a, b| model.log_joint(&array![a, b]), 7.0, 200);
    let exact = [grid.mean(|a, _| a * a), grid.mean(|a, b| a * b), grid.mean(|_, b| b.abs())];
    let moments = |z: &ArrayRef1<f64>| vec![z[0] * z[0], z[0] * z[1], z[1].abs()];
    let chain = gibbs_means(&model, 150, StreamKey::from_seed(8), moments);
    for ((mean, exact), name) in chain.iter().zip(exact).zip(["E w₁²", "E w₁w₂", "E |w₂|"]) {
        assert_agrees(name, mean, exact);
    }
    assert_nuts_agrees(&model, 800, &exact, moments);
    let noise = PrecisionPrior::Gamma { shape: 2.0, rate: 1.0 };
    let data = ObservedMatrix::from_dense(&array![[0.9], [-1.2], [0.3], [2.5], [-0.4]]).unwrap();
    let model = ProbabilisticPca::new(data, 1, FactorModelPriors { noise, ..priors }).unwrap();
    let grid = square(|w, u| model.log_joint(&array![w, u.exp()]) + u, 9.0, 250);
    let exact = [grid.mean(|w, _| w * w), grid.mean(|_, u| u)];
    let moments = |z: &ArrayRef1<f64>| vec![z[0] * z[0], z[1].ln()];
    let chain = gibbs_means(&model, 150, StreamKey::from_seed(8), moments);
    for ((mean, exact), name) in chain.iter().zip(exact).zip(["E w²", "E log τ"]) {
        assert_agrees(name, mean, exact);
    }
    assert_nuts_agrees(&model, 800, &exact, moments);
}

/// Factor analysis of three columns, with missing entries: products of loadings and log precisions within 5 errors of the
/// difference of two samplers, false-alarm probability 6·10⁻⁷ each.
#[test]
fn gibbs_sampling_of_factor_analysis_agrees_with_nuts() {
    let priors = FactorModelPriors {
        loading: PrecisionPrior::Gamma { shape: 3.0, rate: 2.0 },
        score: PrecisionPrior::Known { precision: 1.0 },
        noise: PrecisionPrior::Gamma { shape: 3.0, rate: 1.0 },
        intercept: None,
    };
    let data = ObservedMatrix::from_dense(&simulated(10, 3, 1, 0.6, 0.2, 3)).unwrap();
    let model = FactorAnalysis::new(data, 1, priors).unwrap();
    // Loadings (3), α, τ (3).
    let moments = |z: &ArrayRef1<f64>| {
        let products = [z[0] * z[1], z[0] * z[2], z[1] * z[2]];
        products.into_iter().chain(z.iter().skip(3).map(|v| v.ln())).collect()
    };
    let chain = gibbs_means(&model, 120, StreamKey::from_seed(8), moments);
    let nuts = nuts_means(&model, 800, StreamKey::from_seed(9), moments);
    for (i, (gibbs, (mean, error))) in chain.iter().zip(nuts).enumerate() {
        let z = (gibbs.mean() - mean) / gibbs.mcse().hypot(error);
        assert!(z.abs() < 5.0, "{i}: {} and {mean} are {z} errors apart", gibbs.mean());
    }
}
