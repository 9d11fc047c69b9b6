//! Factor models: contracts, reference runs, exact evidence, threads.

mod bayespy;
mod contract;
mod counts;
mod evidence;
mod expansion;
mod hierarchical;
mod pumps;
mod quadrature;

use ndarray::Array2;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use vi_cavi::{SviSettings, fit_stochastic};
use vi_core::testing::CountingAllocator;
use vi_core::{ConditionallyConjugate, Exchangeable, Exec, NeverStop, Role, StreamKey};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// A sweep by hand: every block, then the expansion.
fn sweep<M: ConditionallyConjugate>(model: &M, q: &mut M::Factors, stats: &mut M::Stats) -> f64 {
    for &block in model.blocks() {
        model.condition(block, stats, q, Exec::local()).unwrap();
        model.expect(block, q, stats, Exec::local());
    }
    model.expand(q, stats, Exec::local()).unwrap();
    model.elbo(q, stats)
}

/// Minibatches at the default rates end within 1 % of the bound of 200 sweeps, and not above it.
fn reaches_the_batch_bound<M: Exchangeable>(model: &M, batch_size: usize, n_epochs: u64) {
    let key = StreamKey::from_seed(13);
    let settings = SviSettings { batch_size, n_epochs, ..SviSettings::default() };
    let svi = fit_stochastic(model, &settings, key, Exec::local(), None, &NeverStop, &mut []).unwrap();
    let (mut q, mut stats) = model.init(key.role(Role::Init), Exec::local()).unwrap();
    let best = (0..200).map(|_| sweep(model, &mut q, &mut stats)).last().unwrap();
    let (start, reached) = (svi.state.elbo_start, svi.state.elbo());
    assert!(reached < best + 1e-6 * best.abs(), "{reached} above {best}");
    assert!(best - reached < 0.01 * best.abs(), "reached {reached} from {start}, coordinate ascent {best}");
}

/// `n` rows of `d` columns made by `k` factors, with column means and noise of standard deviation `noise`, and NaN in a
/// share `missing` of the entries.
fn simulated(n: usize, d: usize, k: usize, noise: f64, missing: f64, seed: u64) -> Array2<f64> {
    let mut rng = StreamKey::from_seed(seed).rng(0);
    let mut normal =
        |shape| Array2::from_shape_simple_fn(shape, || -> f64 { StandardNormal.sample(&mut rng) });
    let (x, w, mean, error) = (normal((n, k)), normal((d, k)), normal((1, d)), normal((n, d)));
    let mut y = x.dot(&w.t()) + &mean + &(error * noise);
    y.mapv_inplace(|v| if rng.random::<f64>() < missing { f64::NAN } else { v });
    y
}
