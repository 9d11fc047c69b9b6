//! Coordinate ascent on real models: published ELBO traces, exact posteriors, quadrature.

use approx::assert_relative_eq;
use ndarray::{Array1, Array2, array};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use vi_cavi::{CaviSettings, FitOf, fit};
use vi_core::{ConditionallyConjugate, Exec, KnownPosterior, LogJoint, StreamKey};
use vi_models::factor_model::{FactorModelPriors, ProbabilisticPca};
use vi_models::linear_regression::{LinearRegression, LinearRegressionPriors, NoisePrior};
use vi_models::logistic_regression::{LogisticRegression, LogisticRegressionPriors};
use vi_models::normal_mean_precision::{NormalMeanPrecision, NormalMeanPrecisionPriors};
use vi_models::observed_matrix::ObservedMatrix;
use vi_models::regression::RegressionData;

fn converge<M: ConditionallyConjugate>(model: &M) -> FitOf<M> {
    let settings = CaviSettings { tolerance: 1e-13, ..CaviSettings::default() };
    let result = fit(model, &settings, StreamKey::from_seed(1), Exec::local()).unwrap();
    assert!(result.converged());
    result
}

/// As many sweeps as were published.
fn sweeps<M: ConditionallyConjugate>(model: &M, published: &[f64]) -> M::Factors {
    let settings =
        CaviSettings { max_iterations: published.len() as u64, tolerance: 0.0, ..CaviSettings::default() };
    let state = fit(model, &settings, StreamKey::from_seed(1), Exec::local()).unwrap().state;
    assert_eq!(state.elbo_trace.len(), published.len());
    for (ours, theirs) in state.elbo_trace.iter().zip(published) {
        assert_relative_eq!(*ours, *theirs, epsilon = 1e-8);
    }
    state.factors
}

/// BayesPy documentation, quickstart: μ ~ N(0, 10⁶), τ ~ Gamma(1e-6, 1e-6), ten draws of N(5, 10²) with
/// numpy seed 1; published −60.20956, −58.20527, −58.20290, −58.20288.
#[test]
fn normal_data_follow_the_published_trace() {
    let data = array![
        21.243453636632417,
        -1.1175641365007536,
        -0.2817175226345565,
        -5.729686221561705,
        13.654076293246785,
        -18.015386968802826,
        22.4481176421648,
        -2.6120690089510283,
        8.190390960570985,
        2.506296245225899
    ];
    let priors = NormalMeanPrecisionPriors {
        mean_precision: 1e-6,
        coupled: false,
        shape: 1e-6,
        rate: 1e-6,
        ..Default::default()
    };
    let model = NormalMeanPrecision::new(data, priors).unwrap();
    let published = [-60.20956223084923, -58.20527147759008, -58.20289735367633, -58.20287520020296];
    let q = sweeps(&model, &published);
    assert_relative_eq!(q.mean.mean(), 4.0285276727329835, max_relative = 1e-12);
    assert_relative_eq!(q.mean.variance(), 15.742279266102244, max_relative = 1e-12);
    assert_relative_eq!(q.precision.shape(), 5.000001, max_relative = 1e-12);
    assert_relative_eq!(q.precision.rate(), 787.8310780045704, max_relative = 1e-12);
}

/// The straight line through ten points of the BayesPy documentation (regression.ipynb, numpy seed 42).
fn line() -> RegressionData {
    let x = Array2::from_shape_fn((10, 2), |(n, j)| if j == 0 { n as f64 } else { 1.0 });
    let y = array![
        5.993428306022466,
        6.72347139765763,
        10.295377076201385,
        14.046059712816051,
        12.531693250553328,
        14.531726086101639,
        20.158425631014783,
        20.534869458305817,
        20.061051228130097,
        24.08512008717193
    ];
    RegressionData::new(x, y).unwrap()
}

/// β ~ N(0, 10⁶ I), τ ~ Gamma(1e-3, 1e-3); published −40.8097, −40.57132, −40.56572, −40.56551.
#[test]
fn linear_regression_follows_the_published_trace() {
    let priors = LinearRegressionPriors {
        coefficient_precision: 1e-6,
        coupled: false,
        noise: NoisePrior::Gamma { shape: 1e-3, rate: 1e-3 },
        ..Default::default()
    };
    let published = [-40.80969855764428, -40.571316611625264, -40.565720481965926, -40.56551394934939];
    let q = sweeps(&LinearRegression::new(line(), priors).unwrap(), &published);
    let (beta, tau) = (&q.coefficients, q.noise.as_ref().unwrap());
    for (ours, theirs) in beta.mean().iter().zip([1.9861999605530756, 5.958221007138327]) {
        assert_relative_eq!(*ours, theirs, max_relative = 1e-9);
    }
    assert_relative_eq!(beta.covariance()[[0, 1]], -0.12759475249268348, max_relative = 1e-8);
    assert_relative_eq!(tau.shape(), 5.001, max_relative = 1e-12);
    assert_relative_eq!(tau.rate(), 11.74172051531224, max_relative = 1e-9);
}

#[test]
fn exact_evidence_bounds_the_elbo_and_the_mean_is_exact() {
    let coupled = LinearRegressionPriors { coefficient_precision: 0.1, ..Default::default() };
    let model = LinearRegression::new(line(), coupled).unwrap();
    let result = converge(&model);
    let gap = model.log_evidence().unwrap() - result.elbo();
    assert!(gap > 1e-3 && gap < 0.5, "gap {gap}");
    let mean = model.posterior_mean().unwrap();
    let q = &result.state.factors;
    for (ours, exact) in q.coefficients.mean().iter().zip(&mean) {
        assert_relative_eq!(ours, exact, max_relative = 1e-10);
    }
    // E[τ] is exact too: at the fixed point E[τ] = (a₀ + (N + D)/2) / (b₀ + S/2 + D/(2 E[τ])).
    assert_relative_eq!(q.noise.as_ref().unwrap().mean(), mean[2], max_relative = 1e-5);
    let model = NormalMeanPrecision::new(line().y().clone(), Default::default()).unwrap();
    let result = converge(&model);
    assert!(result.elbo() < model.log_evidence().unwrap());
    assert_relative_eq!(
        result.state.factors.mean.mean(),
        model.posterior_mean().unwrap()[0],
        max_relative = 1e-12
    );
}

#[test]
fn with_known_noise_one_block_attains_the_evidence() {
    for coupled in [true, false] {
        let noise = NoisePrior::Known { precision: 0.4 };
        let priors = LinearRegressionPriors { coupled, noise, ..Default::default() };
        let model = LinearRegression::new(line(), priors).unwrap();
        assert_relative_eq!(converge(&model).elbo(), model.log_evidence().unwrap(), epsilon = 1e-10);
    }
}

fn labelled(n: usize) -> RegressionData {
    let mut rng = StreamKey::from_seed(2).rng(0);
    let x = Array2::from_shape_simple_fn((n, 1), || Distribution::<f64>::sample(&StandardNormal, &mut rng));
    let y: Array1<f64> = x
        .column(0)
        .iter()
        .map(|x| f64::from(u8::from(rng.random::<f64>() < 1.0 / (1.0 + (0.5 - 1.3 * x).exp()))))
        .collect();
    RegressionData::with_intercept(x, y).unwrap()
}

/// log p(y) and E[β] of a two-parameter model by the midpoint rule on [−12, 12]².
fn quadrature(model: &LogisticRegression) -> (f64, [f64; 2]) {
    let (n, half) = (300, 12.0);
    let h = 2.0 * half / n as f64;
    let (mut total, mut first) = (0.0, [0.0; 2]);
    let shift = -0.69 * model.data().n_points() as f64;
    for i in 0..n {
        for j in 0..n {
            let z = array![-half + (i as f64 + 0.5) * h, -half + (j as f64 + 0.5) * h];
            let w = (model.log_joint(&z) - shift).exp() * h * h;
            total += w;
            first[0] += w * z[0];
            first[1] += w * z[1];
        }
    }
    (total.ln() + shift, [first[0] / total, first[1] / total])
}

#[test]
fn the_logistic_bound_lies_below_the_evidence_and_its_mean_near_the_exact_one() {
    let data = labelled(40);
    let model = LogisticRegression::new(data, LogisticRegressionPriors::default()).unwrap();
    let (log_evidence, mean) = quadrature(&model);
    let result = converge(&model);
    let gap = log_evidence - result.elbo();
    assert!(gap > 0.0 && gap < 0.5, "evidence {log_evidence}, ELBO {}", result.elbo());
    let q = &result.state.factors.coefficients;
    for (j, exact) in mean.iter().enumerate() {
        let sd = q.covariance()[[j, j]].sqrt();
        assert!((q.mean()[j] - exact).abs() < 0.25 * sd, "{} {exact} ± {sd}", q.mean()[j]);
    }
}

/// The augmented ELBO is the bound of Jaakkola & Jordan (2000), written here from their eq. 7 with
/// λ(ξ) = tanh(ξ/2)/(4ξ) and the best Gaussian in closed form (Bishop 2006, eq. 10.164).
#[test]
fn the_logistic_elbo_is_the_bound_of_jaakkola_and_jordan() {
    let data = labelled(25);
    let model = LogisticRegression::new(data.clone(), LogisticRegressionPriors::default()).unwrap();
    let result = converge(&model);
    let prior = 2.5f64.powi(-2);
    let (mut precision, mut shift, mut constant) = (Array2::eye(2) * prior, Array1::<f64>::zeros(2), 0.0);
    for ((x, y), xi) in data.x().rows().into_iter().zip(data.y()).zip(&result.state.factors.tilts) {
        let lambda = (0.5 * xi).tanh() / (4.0 * xi);
        for i in 0..2 {
            for j in 0..2 {
                precision[[i, j]] += 2.0 * lambda * x[i] * x[j];
            }
            shift[i] += (y - 0.5) * x[i];
        }
        constant += -(-xi).exp().ln_1p() - 0.5 * xi + lambda * xi * xi;
    }
    let factor = vi_core::linalg::Cholesky::factor(&precision).unwrap();
    let mean = factor.solve(&shift);
    let bound = constant + 0.5 * mean.dot(&shift) + prior.ln() - 0.5 * factor.log_det();
    assert_relative_eq!(result.elbo(), bound, epsilon = 1e-9);
}

/// PCA with ten factors where two are needed: the kernel takes the model's rotations, whose bound it checks as it does that of
/// a block, and is far above where it stands without them.
#[test]
fn rotations_of_factors_follow_every_sweep() {
    let mut rng = StreamKey::from_seed(5).rng(0);
    let mut normal =
        |shape| Array2::from_shape_simple_fn(shape, || -> f64 { StandardNormal.sample(&mut rng) });
    let y = normal((60, 2)).dot(&normal((2, 12))) + &(normal((60, 12)) * 0.1);
    let bound = |expanded: bool, check_blocks: bool| {
        let data = ObservedMatrix::from_dense(&y).unwrap();
        let model = ProbabilisticPca::new(data, 6, FactorModelPriors::default()).unwrap();
        let settings =
            CaviSettings { max_iterations: 20, tolerance: 0.0, check_blocks, ..CaviSettings::default() };
        let model = model.with_expansion(expanded);
        fit(&model, &settings, StreamKey::from_seed(1), Exec::local()).unwrap().elbo()
    };
    let (with, without) = (bound(true, true), bound(false, true));
    assert!(with > without + 20.0, "{with} with rotations, {without} without");
    assert_eq!(with.to_bits(), bound(true, false).to_bits());
}
