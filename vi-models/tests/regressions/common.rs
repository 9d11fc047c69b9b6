//! Exact answers by quadrature, and the methods that are held against them.

use ndarray::{Array1, Array2};
use vi_cavi::{CaviSettings, FitOf, SviSettings, fit_stochastic};
use vi_core::testing::{check_exchangeable, check_natural};
use vi_core::{
    ConditionallyConjugate, Draws, Exchangeable, Exec, GradLogJoint, LogJoint, NaturalFactors, NeverStop,
    StreamKey, Unconstrained,
};
use vi_diagnostics::summarise;
use vi_mcmc::{Control, Gibbs, McmcSettings, Nuts, NutsSettings, Sampler, sample};

pub(crate) const LOG_2_PI: f64 = 1.837_877_066_409_345_3;

pub(crate) fn key() -> StreamKey {
    StreamKey::from_seed(61)
}

/// Evidence and posterior moments.
#[derive(Debug)]
pub(crate) struct Exact {
    pub(crate) log_evidence: f64,
    pub(crate) mean: Array1<f64>,
    pub(crate) sd: Array1<f64>,
}

/// The trapezoidal rule with `n` points a side on a box of the unconstrained scale, at whose faces nothing is left:
/// its error falls exponentially with n. The moments are those of the natural scale.
pub(crate) fn integrate<M: LogJoint>(model: &M, ranges: &[(f64, f64)], n: usize) -> Exact {
    let on_line = Unconstrained::new(model).unwrap();
    let d = ranges.len();
    assert_eq!(on_line.dim(), d, "one range per coordinate");
    let n_points = n.pow(d as u32);
    let points = Array2::from_shape_fn((n_points, d), |(i, j)| {
        let (low, high) = ranges[j];
        let index = i / n.pow(j as u32) % n;
        low + (high - low) * index as f64 / (n - 1) as f64
    });
    let mut log_w = Array1::zeros(n_points);
    on_line.log_joint_batch(&points, &mut log_w);
    let largest = log_w.fold(f64::NEG_INFINITY, |a: f64, b| a.max(*b));
    let (mut total, mut first, mut second) = (0.0, Array1::<f64>::zeros(d), Array1::<f64>::zeros(d));
    let mut z = Array1::zeros(d);
    for (u, l) in points.rows().into_iter().zip(&log_w) {
        let w = (l - largest).exp();
        on_line.bijection().constrain(&u, &mut z);
        total += w;
        first.scaled_add(w, &z);
        second.scaled_add(w, &(&z * &z));
    }
    let cell: f64 = ranges.iter().map(|(low, high)| (high - low) / (n - 1) as f64).product();
    let mean = first / total;
    let sd = (second / total - &mean * &mean).mapv(f64::sqrt);
    Exact { log_evidence: largest + (total * cell).ln(), mean, sd }
}

/// Coordinate ascent to its optimum.
pub(crate) fn ascend<M: ConditionallyConjugate>(model: &M) -> FitOf<M> {
    let settings = CaviSettings { tolerance: 1e-13, max_iterations: 5000, ..CaviSettings::default() };
    let fit = vi_cavi::fit(model, &settings, key(), Exec::local()).unwrap();
    assert!(fit.converged(), "{:?}", fit.reason());
    fit
}

/// What damping, annealing and stochastic variational inference need.
pub(crate) fn check_moves<M: NaturalFactors + Exchangeable>(model: &M) {
    check_natural(model, key());
    check_exchangeable(model, key());
}

/// Fifteen epochs of minibatches at the default rates end within 1 % of the bound of coordinate ascent, and not above it.
pub(crate) fn assert_minibatches_reach_the_bound<M: Exchangeable>(model: &M, batch_size: usize) {
    let settings = SviSettings { batch_size, n_epochs: 15, ..SviSettings::default() };
    let svi = fit_stochastic(model, &settings, key(), Exec::local(), None, &NeverStop, &mut []).unwrap();
    let (start, reached, best) = (svi.state.elbo_start, svi.state.elbo(), ascend(model).elbo());
    assert!(reached < best + 1e-6 * best.abs(), "{reached} above {best}");
    assert!(best - reached < 0.01 * best.abs(), "reached {reached} from {start}, coordinate ascent {best}");
}

fn draws(sampler: &dyn Sampler, n_draws: usize) -> Draws {
    let settings = McmcSettings { n_chains: 4, n_warmup: 500, n_draws, ..McmcSettings::default() };
    sample(sampler, &settings, key(), Control::none()).unwrap().all_draws().clone()
}

pub(crate) fn gibbs<M: ConditionallyConjugate>(model: &M, n_draws: usize) -> Draws {
    draws(&Gibbs::new(model, Exec::local()), n_draws)
}

pub(crate) fn nuts<M: GradLogJoint>(model: &M, n_draws: usize) -> Draws {
    draws(&Nuts::new(model, NutsSettings::default()).unwrap(), n_draws)
}

/// Means within 4.5 Monte Carlo errors of the exact ones: false-alarm probability 7·10⁻⁶ for each coordinate. Standard
/// deviations within 8 %.
pub(crate) fn assert_exact(method: &str, draws: &Draws, exact: &Exact) {
    for (d, s) in summarise(draws).iter().enumerate() {
        let z = (s.mean - exact.mean[d]) / s.mcse_mean.unwrap();
        assert!(z.abs() < 4.5, "{method}, {}: mean {} is {z} errors from {}", s.name, s.mean, exact.mean[d]);
        let ratio = s.sd / exact.sd[d];
        assert!((ratio - 1.0).abs() < 0.08, "{method}, {}: sd {} is {ratio} of the exact one", s.name, s.sd);
    }
}

/// Means of two samplers within 4.5 errors of their difference, standard deviations within 10 %.
pub(crate) fn assert_agree(a: &Draws, b: &Draws) {
    for (a, b) in summarise(a).iter().zip(&summarise(b)) {
        let error = a.mcse_mean.unwrap().hypot(b.mcse_mean.unwrap());
        let z = (a.mean - b.mean) / error;
        assert!(z.abs() < 4.5, "{}: means {} and {} are {z} errors apart", a.name, a.mean, b.mean);
        assert!((a.sd / b.sd - 1.0).abs() < 0.1, "{}: sds {} and {}", a.name, a.sd, b.sd);
    }
}

/// A sweep of draws has the same bits for any number of threads.
pub(crate) fn assert_same_bits<M>(model: &M)
where
    M: ConditionallyConjugate,
    M::Stats: PartialEq + std::fmt::Debug,
{
    let sweeps = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let exec = Exec::local();
            let (mut q, mut stats) = model.init(key(), exec).unwrap();
            for t in 0..2 {
                for (i, &block) in model.blocks().iter().enumerate() {
                    model.condition(block, &stats, &mut q, exec).unwrap();
                    model.expect(block, &q, &mut stats, exec);
                    model.condition(block, &stats, &mut q, exec).unwrap();
                    model.draw(block, &q, key().fold_in(t).fold_in(i as u64), &mut stats, exec);
                }
            }
            stats
        })
    };
    let one = sweeps(1);
    for threads in [2, 3, 7] {
        assert_eq!(sweeps(threads), one, "{threads} threads");
    }
}
