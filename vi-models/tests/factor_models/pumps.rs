//! The Poisson–Gamma model of the pumps: contracts, exact moments and evidence, published moments.

use ndarray::{Array1, ArrayRef1, array};
use rand::RngExt;
use vi_core::testing::{
    check_conditional, check_conditional_against, check_exchangeable, check_gradient, check_natural,
    check_predictive,
};
use vi_core::{ConditionallyConjugate, Exec, StreamKey};
use vi_families::special::{digamma, log_gamma};
use vi_models::ModelError;
use vi_models::poisson_gamma::{GammaShape, PoissonGamma, PoissonGammaData, PoissonGammaPriors, ShapePrior};

use crate::quadrature::{Grid, assert_agrees, assert_nuts_agrees, gibbs_means};
use crate::{reaches_the_batch_bound, sweep};

fn pumps() -> PoissonGamma {
    PoissonGamma::new(PoissonGammaData::pumps(), PoissonGammaPriors::default()).unwrap()
}

/// α known, as in Gelfand & Smith.
fn known() -> PoissonGamma {
    let priors =
        PoissonGammaPriors { shape: ShapePrior::Known { shape: 1.802 }, ..PoissonGammaPriors::default() };
    PoissonGamma::new(PoissonGammaData::pumps(), priors).unwrap()
}

#[test]
fn contracts() {
    for model in [pumps(), known()] {
        let key = StreamKey::from_seed(3);
        check_conditional(&model, key);
        check_natural(&model, key);
        check_exchangeable(&model, key);
        check_conditional_against(&model, &[], 3, key);
        check_gradient(&model, 3, key);
        check_predictive(&model, key);
    }
}

/// The posterior of (log α, log β), the rates integrated out.
fn exact(n: usize) -> Grid {
    let model = pumps();
    Grid::new((-5.0, 3.5), (-9.0, 4.0), n, |u, v| {
        let (alpha, beta) = (u.exp(), v.exp());
        let prior = -alpha - log_gamma(0.1) - 0.9 * v - beta;
        model.log_marginal_likelihood(alpha, beta) + prior + u + v
    })
}

/// Means of the reference chains of the pump model (10 rates, α, β) with their errors, as published with Stan's example
/// models; data and model of BUGS, volume I.
const PUBLISHED: [(f64, f64); 12] = [
    (0.06016270507, 0.0003642759612),
    (0.1009526969, 0.001142301569),
    (0.08932503773, 0.0005423306036),
    (0.116273871, 0.0004361394372),
    (0.599003113, 0.004516158132),
    (0.6082596306, 0.00188395836),
    (0.894592908, 0.01123888336),
    (0.8760489905, 0.01067206454),
    (1.583160045, 0.01142050763),
    (1.983357446, 0.006235903099),
    (0.7061573086, 0.006718227248),
    (0.9486092234, 0.01280905207),
];

/// E[θ_i] (10), E[α], E[β].
fn exact_means(grid: &Grid) -> Vec<f64> {
    let data = PoissonGammaData::pumps();
    let rate = |(x, t): (&f64, &f64)| grid.mean(|u, v| (u.exp() + x) / (v.exp() + t));
    let mut means: Vec<f64> = data.count.iter().zip(&data.exposure).map(rate).collect();
    means.push(grid.mean(|u, _| u.exp()));
    means.push(grid.mean(|_, v| v.exp()));
    means
}

#[test]
fn samplers_have_the_exact_means_and_the_published_ones() {
    let means = exact_means(&exact(300));
    for (i, (mean, (published, error))) in means.iter().zip(PUBLISHED).enumerate() {
        // 4 errors of 12 comparisons: a right mean fails one of them with probability 8·10⁻⁴.
        assert!((mean - published).abs() <= 4.0 * error, "{i}: {mean}, published {published} ± {error}");
    }
    let in_order = |z: &ArrayRef1<f64>| {
        let mut z = z.to_vec();
        z.swap(10, 11);
        z
    };
    let chain = gibbs_means(&pumps(), 60, StreamKey::from_seed(5), in_order);
    for (i, (mean, exact)) in chain.iter().zip(&means).enumerate() {
        assert_agrees(&format!("variable {i}"), mean, *exact);
    }
    assert_nuts_agrees(&pumps(), 800, &means, in_order);
}

/// 300 units in batches of 20.
#[test]
fn minibatches_reach_the_bound() {
    let exposure = Array1::from_shape_fn(300, |i| 1.0 + (i % 7) as f64);
    let count = Array1::from_shape_fn(300, |i| ((i * i + 3 * i) % 23) as f64);
    let data = PoissonGammaData { count, exposure };
    reaches_the_batch_bound(&PoissonGamma::new(data, PoissonGammaPriors::default()).unwrap(), 20, 15);
}

#[test]
fn the_bound_is_below_the_evidence_and_close() {
    let (evidence, finer) = (exact(300).log_integral(), exact(400).log_integral());
    assert!((evidence - finer).abs() < 1e-9, "{evidence} or {finer}");
    let model = pumps();
    let mut ends = Vec::new();
    for seed in 0..3 {
        let (mut q, mut stats) = model.init(StreamKey::from_seed(seed), Exec::local()).unwrap();
        let mut last = model.elbo(&q, &stats);
        for _ in 0..300 {
            let next = sweep(&model, &mut q, &mut stats);
            assert!(next >= last - 1e-10 * last.abs());
            last = next;
        }
        ends.push(last);
    }
    assert!(ends.iter().all(|e| (e - ends[0]).abs() < 1e-6), "{ends:?}");
    assert!(ends[0] < evidence && ends[0] > evidence - 2.0, "bound {}, evidence {evidence}", ends[0]);
}

/// Normaliser and moments against a fine rule in α itself, and against each other: dA/db = E[α].
#[test]
fn the_shape_conditional_is_normalised_and_drawn() {
    for (linear, n) in [(-12.0, 10.0), (3.0, 1.0), (-0.4, 0.3), (900.0, 1000.0), (-5e3, 1e3)] {
        let q = GammaShape::from_linear_count(linear, n).unwrap();
        let step = 1e-4 * (1.0 + f64::abs(linear));
        let at = |b: f64| GammaShape::from_linear_count(b, n).unwrap().log_normalizer();
        let slope = (at(linear + step) - at(linear - step)) / (2.0 * step);
        assert!((slope / q.mean() - 1.0).abs() < 1e-6, "b {linear}, n {n}: {slope}, mean {}", q.mean());
        // Simpson's rule over [0, far], the density of which vanishes at both ends.
        let (far, cells) = (q.mean() * (1.0 + 40.0 / n.sqrt()) + 40.0 / n, 400_000);
        let width = far / f64::from(cells);
        let f = |i: i32| if i == 0 { 0.0 } else { q.log_prob(width * f64::from(i)).exp() };
        let sum: f64 = (0..=cells)
            .map(|i| f(i) * if i == 0 || i == cells { 1.0 } else { f64::from(2 + 2 * (i % 2)) })
            .sum();
        assert!((sum * width / 3.0 - 1.0).abs() < 1e-3, "b {linear}, n {n}: {}", sum * width / 3.0);
        // Stationary at ψ(mode) = b/n, and draws have the mean and the expected log Γ.
        let mut rng = StreamKey::from_seed(2).rng(0);
        let mut moments = [vi_core::testing::Moments::default(); 3];
        for _ in 0..20_000 {
            let alpha = q.sample(&mut rng);
            moments[0].push(alpha);
            moments[1].push(log_gamma(alpha));
            moments[2].push(-q.log_prob(alpha));
        }
        for (m, exact) in moments.iter().zip([q.mean(), q.expected_log_gamma(), q.entropy()]) {
            assert_agrees("draws", m, exact);
        }
        assert!(digamma(q.mean()).is_finite() && rng.random::<f64>() < 1.0);
    }
    assert!(GammaShape::from_linear_count(f64::NAN, 1.0).is_err());
    assert!(GammaShape::from_linear_count(1.0, 0.0).is_err());
}

#[test]
fn bad_input_is_named() {
    let data = |count, exposure| PoissonGammaData { count, exposure };
    let new = |data| PoissonGamma::new(data, PoissonGammaPriors::default());
    assert!(matches!(new(data(array![], array![])), Err(ModelError::Empty { .. })));
    assert!(matches!(new(data(array![1.0], array![])), Err(ModelError::Length { actual: 0, .. })));
    let half = new(data(array![1.0, 0.5], array![1.0, 1.0]));
    assert!(matches!(half, Err(ModelError::Datum { data: "count", row: 1, .. })));
    let exposure = new(data(array![1.0], array![0.0]));
    assert!(matches!(exposure, Err(ModelError::Datum { data: "exposure", row: 0, .. })));
    let priors = PoissonGammaPriors { rate_shape: -1.0, ..PoissonGammaPriors::default() };
    let refused = PoissonGamma::new(PoissonGammaData::pumps(), priors);
    assert!(matches!(refused, Err(ModelError::Prior { parameter, .. }) if parameter == "rate_shape"));
}
