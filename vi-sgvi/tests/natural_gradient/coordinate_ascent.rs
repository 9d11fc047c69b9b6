//! In a conjugate model a whole step along the exact gradient is the update of coordinate ascent.

use ndarray::{Array1, Array2, ArrayRef1, array, s};
use vi_core::{ConditionallyConjugate, Exec, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_families::special::{digamma, log_gamma, trigamma};
use vi_families::{
    Conjugate, Dirichlet, ExponentialFamily, Factor, NaturalConditionals, ProductFamily, VariationalFamily,
};
use vi_models::normal_mean_precision::{
    NormalMeanPrecision, NormalMeanPrecisionBlock, NormalMeanPrecisionPriors,
};
use vi_sgvi::{AscentRule, NaturalGradient};

use crate::common::Model;

fn assert_near(a: &ArrayRef1<f64>, b: &ArrayRef1<f64>, tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        assert!((x - y).abs() <= tolerance * (1.0 + y.abs()), "element {i}: {x} ≠ {y}");
    }
}

/// λ after one whole step along `grad`, for which no step may have been halved.
fn whole_step<F: VariationalFamily>(family: &F, params: &Array1<f64>, grad: &Array1<f64>) -> Array1<f64> {
    let (rule, mut params) = (NaturalGradient::whole(), params.clone());
    let mut state = rule.start(params.len());
    rule.step(family, &mut state, grad, &mut params).unwrap();
    assert_eq!((state.n_halvings(), state.n_limited()), (0, 0));
    params
}

/// ∇_λ ELBO of q(μ) = N(m, s²), q(τ) = Gamma(a, b) at λ = (m, log s, log a, log b), in closed form.
fn exact_gradient(model: &NormalMeanPrecision, params: &Array1<f64>) -> Array1<f64> {
    let (m, s, a, b) = (params[0], params[1].exp(), params[2].exp(), params[3].exp());
    let (x, p) = (model.data(), model.priors());
    let n = x.len() as f64;
    let coupled = f64::from(u8::from(p.coupled));
    let squares = |centre: f64| (centre - m).powi(2) + s * s;
    // E log p = (shape − 1) E log τ − rate E τ − (1 − coupled) λ₀/2 E(μ − m₀)² + …
    let shape = p.shape + 0.5 * (n + coupled);
    let rate = p.rate
        + 0.5 * x.iter().map(|x| squares(*x)).sum::<f64>()
        + 0.5 * coupled * p.mean_precision * squares(p.mean);
    let prior_precision = p.mean_precision * if p.coupled { a / b } else { 1.0 };
    let precision = a / b * n + prior_precision;
    let sum: f64 = x.iter().map(|x| x - m).sum();
    array![
        a / b * sum + prior_precision * (p.mean - m),
        1.0 - s * s * precision,
        a * ((shape - a) * trigamma(a) + 1.0 - rate / b),
        rate * a / b - shape,
    ]
}

#[test]
fn a_whole_step_is_coordinate_ascent_for_a_mean_and_a_precision() {
    let data = array![1.3, -0.4, 2.2, 0.9, 1.7, 3.1];
    for coupled in [true, false] {
        let priors =
            NormalMeanPrecisionPriors { mean: 0.3, mean_precision: 0.5, coupled, shape: 2.0, rate: 0.7 };
        let model = NormalMeanPrecision::new(data.clone(), priors).unwrap();
        let family = ProductFamily::for_space(model.parameters()).unwrap();
        for params in
            [array![0.0_f64, 0.0, 0.0, 0.0], array![-2.0, 1.1, 2.0, -0.5], array![5.0, -2.0, -1.0, 1.5]]
        {
            let (mut factors, mut stats) = model.init(StreamKey::from_seed(0), Exec::local()).unwrap();
            let (a, b) = (params[2].exp(), params[3].exp());
            (stats.mean, stats.mean_variance) = (params[0], (2.0 * params[1]).exp());
            (stats.precision, stats.log_precision) = (a / b, digamma(a) - b.ln());
            // Both blocks from the statistics before the step.
            for block in [NormalMeanPrecisionBlock::Mean, NormalMeanPrecisionBlock::Precision] {
                model.condition(block, &stats, &mut factors, Exec::local()).unwrap();
            }
            let (mean, precision) = (&factors.mean, &factors.precision);
            let updated = array![
                mean.mean(),
                0.5 * mean.variance().ln(),
                precision.shape().ln(),
                precision.rate().ln()
            ];
            let moved = whole_step(&family, &params, &exact_gradient(&model, &params));
            assert_near(&moved, &updated, 1e-10);
            assert!((&updated - &params).mapv(f64::abs).sum() > 0.5, "the update moves");
        }
    }
}

/// w ~ Dirichlet(prior), k_n | w ~ Categorical(w), p(x_n | k_n = j) = exp(evidence_nj).
pub(crate) struct Mixture {
    space: ParameterSpace,
    prior: Array1<f64>,
    evidence: Array2<f64>,
}

impl Mixture {
    pub(crate) fn new() -> Conjugate<Self> {
        let space = ParameterSpace::new([
            Parameter::vector("w", 3, Support::Simplex),
            Parameter::vector("k", 4, Support::Categorical { n: 3 }),
        ]);
        let evidence = array![[-0.2, -2.0, -1.0], [-3.0, -0.1, -1.5], [-1.0, -1.2, -0.3], [-0.5, -0.6, -4.0]];
        Conjugate::new(Self { space: space.unwrap(), prior: array![0.8, 1.5, 2.0], evidence }).unwrap()
    }

    /// Probabilities of all three categories from those of the first two.
    fn all(r: &ArrayRef1<f64>) -> [f64; 3] {
        [r[0], r[1], 1.0 - r[0] - r[1]]
    }

    /// prior + Σ_n E[k_n = j].
    fn counts(&self, stats: &[Array2<f64>]) -> Array1<f64> {
        let mut counts = self.prior.clone();
        for row in stats[1].rows() {
            Self::all(&row).into_iter().enumerate().for_each(|(j, r)| counts[j] += r);
        }
        counts
    }
}

impl NaturalConditionals for Mixture {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }
    fn natural(&self, b: usize, stats: &[Array2<f64>]) -> Array2<f64> {
        if b == 0 {
            let eta = Dirichlet::from_concentration(&self.counts(stats)).unwrap().natural();
            return eta.insert_axis(ndarray::Axis(0));
        }
        let score = |n: usize, j: usize| stats[0][[0, j]] + self.evidence[[n, j]];
        Array2::from_shape_fn((4, 2), |(n, j)| score(n, j) - score(n, 2))
    }
    fn expected_log_joint(&self, stats: &[Array2<f64>]) -> f64 {
        let normaliser = log_gamma(self.prior.sum()) - self.prior.iter().map(|a| log_gamma(*a)).sum::<f64>();
        let weights = (self.counts(stats) - 1.0).dot(&stats[0].row(0));
        let rows = stats[1].rows().into_iter().zip(self.evidence.rows());
        let data = |(r, l): (ndarray::ArrayView1<'_, f64>, ndarray::ArrayView1<'_, f64>)| -> f64 {
            Self::all(&r).iter().zip(l).map(|(r, l)| r * l).sum()
        };
        normaliser + weights + rows.map(data).sum::<f64>()
    }
}

/// E[log w] and the probabilities of categories of q at λ = (log α (3), log odds (4 × 2)).
fn moments(params: &Array1<f64>) -> (Array1<f64>, Array2<f64>) {
    let alpha = params.slice(s![..3]).mapv(f64::exp);
    let weights = alpha.mapv(digamma) - digamma(alpha.sum());
    let mut r = Array2::zeros((4, 3));
    for n in 0..4 {
        let odds = [params[3 + 2 * n].exp(), params[4 + 2 * n].exp(), 1.0];
        (0..3).for_each(|j| r[[n, j]] = odds[j] / odds.iter().sum::<f64>());
    }
    (weights, r)
}

/// λ of coordinate ascent's update of every block, each from the factors before.
pub(crate) fn coordinate_ascent(model: &Conjugate<Mixture>, params: &Array1<f64>) -> Array1<f64> {
    let (mut factors, mut stats) = model.init(StreamKey::from_seed(0), Exec::local()).unwrap();
    let (weights, r) = moments(params);
    stats[0].row_mut(0).assign(&weights);
    stats[1].assign(&r.slice(s![.., ..2]));
    for block in 0..2 {
        model.condition(block, &stats, &mut factors, Exec::local()).unwrap();
    }
    let lambda = |factor: &Factor| match factor {
        Factor::Dirichlet(d) => d.concentration().iter().map(|a| a.ln()).collect::<Vec<_>>(),
        Factor::Categorical(d) => d.natural().to_vec(),
        other => panic!("{other:?}"),
    };
    factors.iter().flatten().flat_map(lambda).collect()
}

/// ∇_λ ELBO in closed form.
fn mixture_gradient(model: &Mixture, params: &Array1<f64>) -> Array1<f64> {
    let alpha = params.slice(s![..3]).mapv(f64::exp);
    let (weights, r) = moments(params);
    let excess = &model.prior + &r.sum_axis(ndarray::Axis(0)) - &alpha;
    let common = trigamma(alpha.sum()) * excess.sum();
    let mut grad: Vec<f64> = (0..3).map(|j| alpha[j] * (excess[j] * trigamma(alpha[j]) - common)).collect();
    for n in 0..4 {
        let term = |j: usize| weights[j] + model.evidence[[n, j]] - r[[n, j]].ln();
        let mean: f64 = (0..3).map(|j| r[[n, j]] * term(j)).sum();
        grad.extend((0..2).map(|j| r[[n, j]] * (term(j) - mean)));
    }
    Array1::from(grad)
}

#[test]
fn a_whole_step_is_coordinate_ascent_for_a_dirichlet_and_categories() {
    let model = Mixture::new();
    let family = ProductFamily::for_space(model.parameters()).unwrap();
    for seed in 0..5 {
        let params: Array1<f64> = (0..11).map(|i| ((7 * seed + 3 * i) as f64).sin()).collect();
        let moved = whole_step(&family, &params, &mixture_gradient(model.inner(), &params));
        let updated = coordinate_ascent(&model, &params);
        assert_near(&moved, &updated, 1e-10);
        assert!((&updated - &params).mapv(f64::abs).sum() > 0.5, "the update moves");
    }
}

/// One conjugate variable, λ of its posterior.
struct Pair {
    variable: Parameter,
    log_joint: fn(&ArrayRef1<f64>) -> f64,
    posterior: Array1<f64>,
}

fn conjugate_pairs() -> [Pair; 5] {
    [
        // Beta(2, 0.5) and 3 successes in 10 trials.
        Pair {
            variable: Parameter::scalar("w", Support::Interval { lower: 0.0, upper: 1.0 }),
            log_joint: |z| 4.0 * z[0].ln() + 6.5 * (1.0 - z[0]).ln(),
            posterior: array![5f64.ln(), 7.5f64.ln()],
        },
        // Gamma(1.5, 0.5) and counts 4, 0, 2.
        Pair {
            variable: Parameter::scalar("rate", Support::Positive),
            log_joint: |z| 6.5 * z[0].ln() - 3.5 * z[0],
            posterior: array![7.5f64.ln(), 3.5f64.ln()],
        },
        // Dirichlet(0.5, 2) and 3 + 1 draws.
        Pair {
            variable: Parameter::vector("p", 2, Support::Simplex),
            log_joint: |z| 2.5 * z[0].ln() + 2.0 * z[1].ln(),
            posterior: array![3.5f64.ln(), 3f64.ln()],
        },
        Pair {
            variable: Parameter::scalar("bit", Support::Binary),
            log_joint: |z| -1.3 * z[0],
            posterior: array![-1.3],
        },
        Pair {
            variable: Parameter::scalar("k", Support::Categorical { n: 3 }),
            log_joint: |z| [0.4, -0.7, 1.1][z[0] as usize],
            posterior: array![0.4 - 1.1, -0.7 - 1.1],
        },
    ]
}

/// From any start, with gradients by quadrature and sums.
#[test]
fn a_whole_step_is_the_posterior_of_every_kind_of_factor() {
    for pair in conjugate_pairs() {
        let space = ParameterSpace::new([pair.variable]).unwrap();
        let model = Model { space, log_joint: pair.log_joint };
        let family = ProductFamily::for_space(model.parameters()).unwrap();
        for centre in [0.3, 1.0] {
            let params: Array1<f64> =
                (0..family.n_params()).map(|p| centre + 0.4 * (p as f64 + 0.5).sin()).collect();
            let gradient = crate::common::exact_gradient(&model, &family, &params);
            let moved = whole_step(&family, &params, &gradient);
            assert_near(&moved, &pair.posterior, 1e-6);
        }
    }
}
