//! The same bits on any number of threads; no memory asked for after the first sweep.

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
