//! Sweeps of coordinate ascent over factor models.
//!
//! `pca/bayespy_100x20_k10` is the shape of BayesPy's PCA example: `benches/peers/pca_bayespy.py` runs it there. The others
//! show how a sweep grows: with rows, with observed entries, with counts above zero. Threads are those of rayon's global pool.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array2;
use rand::RngExt;
use vi_benches::standard_normal;
use vi_cavi::Cavi;
use vi_core::{ConditionallyConjugate, Exec, Kernel, StreamKey};
use vi_models::factor_model::{FactorModelPriors, PrecisionPrior, ProbabilisticPca};
use vi_models::observed_matrix::ObservedMatrix;
use vi_models::poisson_factorisation::{PoissonFactorisation, PoissonFactorisationPriors};
use vi_models::sparse_counts::SparseCounts;

fn sweeps<M: ConditionallyConjugate>(c: &mut Criterion, id: BenchmarkId, n: usize, model: &M, check: bool) {
    let cavi = Cavi::new(model, Exec::local()).with_check_blocks(check);
    let key = StreamKey::from_seed(1);
    let mut state = cavi.init(key).expect("the synthetic data admit a start");
    let mut group = c.benchmark_group("factor_models");
    group.sample_size(20).throughput(Throughput::Elements(n as u64));
    group.bench_function(id, |b| {
        b.iter(|| {
            // The trace grows by one number a sweep. Emptied, it would make every sweep a first one, whose factors are
            // checked to be optima at many times the cost of the sweep.
            state.elbo_trace.truncate(1);
            cavi.step(key, &mut state).expect("the bound rises")
        });
    });
}

/// Two factors and noise of standard deviation 0.1, entries left out at random.
fn data(n: usize, d: usize, missing: f64) -> ObservedMatrix {
    let mut y =
        standard_normal(n, 2, 3).dot(&standard_normal(d, 2, 4).t()) + &(standard_normal(n, d, 5) * 0.1);
    let mut rng = StreamKey::from_seed(6).rng(0);
    y.mapv_inplace(|v| if rng.random::<f64>() < missing { f64::NAN } else { v });
    ObservedMatrix::from_dense(&y).expect("something is observed")
}

fn pca(c: &mut Criterion) {
    let vague = PrecisionPrior::Gamma { shape: 1e-5, rate: 1e-5 };
    let priors = FactorModelPriors { loading: vague, noise: vague, intercept: None, ..Default::default() };
    for (name, expanded) in [("plain", false), ("rotated", true)] {
        let model =
            ProbabilisticPca::new(data(100, 20, 0.0), 10, priors).expect("valid").with_expansion(expanded);
        sweeps(c, BenchmarkId::new("pca_100x20_k10", name), 2000, &model, true);
    }
    for (n, d, k) in [(10_000, 50, 10), (100_000, 50, 10), (100_000, 100, 20)] {
        let model = ProbabilisticPca::new(data(n, d, 0.0), k, FactorModelPriors::default()).expect("valid");
        sweeps(c, BenchmarkId::new("pca", format!("{n}x{d}_k{k}")), n * d, &model, false);
    }
    for (rows, missing) in [(10_000, 0.5), (10_000, 0.9), (10_000, 0.95), (5_000, 0.9), (20_000, 0.9)] {
        let data = data(rows, 200, missing);
        let n = data.n_observed();
        let model =
            ProbabilisticPca::new(data, 10, FactorModelPriors::matrix_factorisation()).expect("valid");
        let id = BenchmarkId::new(format!("matrix_factorisation_{rows}x200_k10_missing"), missing);
        sweeps(c, id, n, &model, false);
    }
}

fn counts(c: &mut Criterion) {
    for n in [1000, 4000] {
        let mut rng = StreamKey::from_seed(7).rng(0);
        let dense = Array2::from_shape_simple_fn((n, 2000), || {
            let u: f64 = rng.random();
            if u < 0.02 { (1.0 + 50.0 * u).floor() } else { 0.0 }
        });
        let counts = SparseCounts::from_dense(&dense).expect("counts");
        let nonzero = counts.n_nonzero();
        let model =
            PoissonFactorisation::new(counts, 20, PoissonFactorisationPriors::default()).expect("valid");
        sweeps(c, BenchmarkId::new("poisson_factorisation_k20", format!("{n}x2000")), nonzero, &model, false);
    }
}

criterion_group!(benches, pca, counts);
criterion_main!(benches);
