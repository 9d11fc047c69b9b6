//! Translations and rotations; threads.

use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};
use vi_core::testing::CountingAllocator;
use vi_core::{ConditionallyConjugate, Exec, StreamKey};
use vi_models::factor_model::{
    Diagonal, FactorModel, FactorModelPriors, InterceptPrior, Isotropic, NoiseShape, PrecisionPrior,
};
use vi_models::observed_matrix::ObservedMatrix;

use crate::{simulated, sweep};

fn model<S: NoiseShape>(missing: f64, score: PrecisionPrior, intercept: bool) -> FactorModel<S> {
    let data = ObservedMatrix::from_dense(&simulated(60, 8, 3, 0.4, missing, 4)).unwrap();
    let priors = FactorModelPriors {
        score,
        intercept: intercept.then_some(InterceptPrior { mean: 0.2, precision: 0.5 }),
        ..FactorModelPriors::default()
    };
    FactorModel::new(data, 4, priors).unwrap()
}

const KNOWN: PrecisionPrior = PrecisionPrior::Known { precision: 1.0 };
const LEARNED: PrecisionPrior = PrecisionPrior::Gamma { shape: 1.5, rate: 0.5 };

/// After an expansion the factors, and statistics expected under them afresh, give the bound that the moved statistics
/// give; it has risen; every later block raises it further.
fn check<S: NoiseShape>(missing: f64, score: PrecisionPrior, intercept: bool) {
    let exec = Exec::local();
    let model = model::<S>(missing, score, intercept).with_expansion(false);
    let (mut q, mut stats) = model.init(StreamKey::from_seed(6), exec).unwrap();
    for t in 0..6 {
        let before = sweep(&model, &mut q, &mut stats);
        let moved = model.expand_factors(&mut q, &mut stats, exec).unwrap();
        let after = model.elbo(&q, &stats);
        assert!(after >= before - 1e-10 * before.abs(), "sweep {t}: {before} falls to {after}");
        assert!(moved || t > 0, "the first expansion has something to gain");
        let mut fresh = stats.clone();
        for &block in model.blocks() {
            model.expect(block, &q, &mut fresh, exec);
        }
        let again = model.elbo(&q, &fresh);
        assert!((after - again).abs() < 1e-9 * (1.0 + after.abs()), "sweep {t}: {after} and afresh {again}");
        let mut bound = after;
        for &block in model.blocks() {
            model.condition(block, &stats, &mut q, exec).unwrap();
            model.expect(block, &q, &mut stats, exec);
            let next = model.elbo(&q, &stats);
            assert!(next >= bound - 1e-10 * bound.abs(), "sweep {t}, {block:?}: {bound} falls to {next}");
            bound = next;
        }
    }
}

#[test]
fn expansions_raise_the_bound_and_keep_the_likelihood() {
    check::<Isotropic>(0.0, KNOWN, false);
    check::<Isotropic>(0.0, KNOWN, true);
    check::<Isotropic>(0.2, KNOWN, true);
    check::<Diagonal>(0.0, KNOWN, true);
    check::<Diagonal>(0.2, LEARNED, false);
    check::<Isotropic>(0.0, LEARNED, true);
}

/// No random rotation or translation raises the bound after an expansion: the closed form is the top.
///
/// The bound of a turned model is that of the same model after an expansion from the turned factors, so a second expansion
/// must find nothing, and 200 random turns of E[xxᵀ] and E[wwᵀ] must all lie below.
#[test]
fn the_rotation_is_the_highest() {
    let exec = Exec::local();
    let model = model::<Isotropic>(0.0, KNOWN, false).with_expansion(false);
    let (mut q, mut stats) = model.init(StreamKey::from_seed(6), exec).unwrap();
    sweep(&model, &mut q, &mut stats);
    model.expand_factors(&mut q, &mut stats, exec).unwrap();
    let top = model.elbo(&q, &stats);
    model.expand_factors(&mut q, &mut stats, exec).unwrap();
    assert!((model.elbo(&q, &stats) - top).abs() < 1e-9 * top.abs());
    let moments = |rows: &vi_models::factor_model::GaussianRows| {
        let mut total = rows.means().t().dot(&rows.means());
        for i in 0..rows.n() {
            total += &vi_core::linalg::packed::unpacked(rows.covariance(i), rows.order());
        }
        total
    };
    let (x, omega) = (moments(q.scores()), moments(q.loadings()));
    let (n, d, shape, rate) = (60.0, 8.0, 1e-3, 1e-3);
    let value = |r: &Array2<f64>| {
        let det = determinant(r);
        let inverse = invert(r);
        let (turned, loadings) = (r.dot(&x).dot(&r.t()), inverse.t().dot(&omega).dot(&inverse));
        let logs: f64 = loadings.diag().iter().map(|m| (rate + 0.5 * m).ln()).sum();
        -0.5 * turned.diag().sum() + (n - d) * det.abs().ln() - (shape + 0.5 * d) * logs
    };
    let here = value(&Array2::eye(4));
    let mut rng = StreamKey::from_seed(9).rng(0);
    for i in 0..200 {
        let size = [0.01, 0.1, 1.0][i % 3];
        let r = Array2::from_shape_fn((4, 4), |(i, j)| {
            let e: f64 = StandardNormal.sample(&mut rng);
            size * e + if i == j { 1.0 } else { 0.0 }
        });
        assert!(value(&r) <= here + 1e-9, "turn {i} of size {size}: {} above {here}", value(&r));
    }
}

/// Gauss–Jordan, for 4 × 4.
fn invert(a: &Array2<f64>) -> Array2<f64> {
    eliminate(a).0
}

fn determinant(a: &Array2<f64>) -> f64 {
    eliminate(a).1
}

fn eliminate(a: &Array2<f64>) -> (Array2<f64>, f64) {
    let n = a.nrows();
    let (mut a, mut inverse, mut det) = (a.clone(), Array2::eye(n), 1.0);
    for c in 0..n {
        let pivot = (c..n).max_by(|i, j| a[[*i, c]].abs().total_cmp(&a[[*j, c]].abs())).unwrap();
        for j in 0..n {
            a.swap([c, j], [pivot, j]);
            inverse.swap([c, j], [pivot, j]);
        }
        let p: f64 = a[[c, c]];
        det *= if pivot == c { p } else { -p };
        for j in 0..n {
            a[[c, j]] /= p;
            inverse[[c, j]] /= p;
        }
        for i in (0..n).filter(|i| *i != c) {
            let f = a[[i, c]];
            for j in 0..n {
                a[[i, j]] -= f * a[[c, j]];
                inverse[[i, j]] -= f * inverse[[c, j]];
            }
        }
    }
    (inverse, det)
}

/// Same bits for 1, 2 and 3 threads, with and without missing entries; 700 rows are several tiles.
#[test]
fn threads_change_no_bit() {
    for missing in [0.0, 0.3] {
        let data = ObservedMatrix::from_dense(&simulated(700, 9, 2, 0.4, missing, 4)).unwrap();
        let model = FactorModel::<Isotropic>::new(data, 3, FactorModelPriors::default()).unwrap();
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let (mut q, mut stats) = model.init(StreamKey::from_seed(6), Exec::local()).unwrap();
                let bounds: Vec<u64> = (0..5).map(|_| sweep(&model, &mut q, &mut stats).to_bits()).collect();
                for &block in model.blocks() {
                    model.draw(block, &q, StreamKey::from_seed(8), &mut stats, Exec::local());
                }
                (bounds, model.expected_log_joint(&stats).to_bits())
            })
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(3));
    }
}

/// What a sweep on one thread allocates after three others; the allocator counts its own thread.
pub(crate) fn allocations<M: ConditionallyConjugate + Sync>(model: &M) -> usize
where
    M::Factors: Send,
    M::Stats: Send,
{
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let counted = pool.install(|| {
        let (mut q, mut stats) = model.init(StreamKey::from_seed(6), Exec::local()).unwrap();
        (0..3).for_each(|_| {
            sweep(model, &mut q, &mut stats);
        });
        CountingAllocator::during(|| {
            sweep(model, &mut q, &mut stats);
        })
    });
    counted.n
}

/// After the first sweeps memory is there, for the expansion too.
#[test]
fn a_sweep_allocates_nothing() {
    for missing in [0.0, 0.3] {
        let data = ObservedMatrix::from_dense(&simulated(600, 9, 2, 0.4, missing, 4)).unwrap();
        let pca = FactorModel::<Isotropic>::new(data.clone(), 3, FactorModelPriors::default()).unwrap();
        assert_eq!(allocations(&pca), 0, "principal components, missing {missing}");
        let priors = FactorModelPriors::matrix_factorisation();
        let analysis = FactorModel::<Diagonal>::new(data, 3, priors).unwrap();
        assert_eq!(allocations(&analysis), 0, "factor analysis, missing {missing}");
    }
}
