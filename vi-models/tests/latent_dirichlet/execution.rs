//! The same bits on any number of threads; no memory asked for after the first sweep.

use vi_cavi::CaviSettings;
use vi_core::testing::CountingAllocator;
use vi_core::{ConditionallyConjugate, Exec, StreamKey};
use vi_models::latent_dirichlet::{LatentDirichletAllocation, LatentDirichletPriors};

use crate::corpora::{State, simulated, sweep};

fn model() -> LatentDirichletAllocation {
    LatentDirichletAllocation::new(simulated(300, 150, 3), 6, LatentDirichletPriors::default()).unwrap()
}

fn on_threads<R: Send>(n: usize, f: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(f)
}

#[test]
fn threads_do_not_change_a_bit() {
    let model = model();
    let run = |n| {
        on_threads(n, || {
            let mut state: State = model.init(StreamKey::from_seed(1), Exec::local()).unwrap();
            (0..3).for_each(|_| assert!(sweep(&model, &mut state).is_finite()));
            let ascended = state.clone();
            let (q, stats) = &mut state;
            for (i, block) in model.blocks().iter().enumerate() {
                model.condition(*block, stats, q, Exec::local()).unwrap();
                model.draw(*block, q, StreamKey::from_seed(9).fold_in(i as u64), stats, Exec::local());
            }
            (ascended, state)
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(3) && one == run(7));
}

#[test]
fn a_sweep_allocates_nothing_after_the_first() {
    let model = model();
    on_threads(1, || {
        let mut state: State = model.init(StreamKey::from_seed(1), Exec::local()).unwrap();
        sweep(&model, &mut state);
        let allocations = CountingAllocator::during(|| assert!(sweep(&model, &mut state).is_finite()));
        assert_eq!(allocations.n, 0, "{} bytes", allocations.bytes);
    });
}

/// Every block checked: no update lowers the bound, factors of topics are stationary.
#[test]
fn coordinate_ascent_accepts_the_model_as_it_comes() {
    let model = model();
    let settings = CaviSettings { max_iterations: 25, n_restarts: 2, ..Default::default() };
    for model in [model.clone(), model.with_single_updates()] {
        let fit = vi_cavi::fit(&model, &settings, StreamKey::from_seed(4), Exec::local()).unwrap();
        assert_eq!(fit.restarts.len(), 2);
        let again = model.elbo(&fit.state.factors, &fit.state.stats);
        assert_eq!(fit.elbo().to_bits(), again.to_bits());
    }
}
