//! After the first step, steps allocate nothing: counted by the global allocator.
#![allow(unsafe_code, reason = "a global allocator that counts has to implement an unsafe trait")]

#[path = "suite/common/diagonal.rs"]
mod diagonal;
#[path = "suite/common/gaussian_target.rs"]
#[allow(dead_code, reason = "shared with the other tests, which use the closed forms")]
mod gaussian_target;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use diagonal::Diagonal;
use gaussian_target::GaussianTarget;
use ndarray::Array1;
use vi_core::{Exec, Kernel, StreamKey};
use vi_sgvi::{
    Adam, AscentRule, Elbo, GradientEstimator, Memory, NaturalGradient, Pathwise, SampleReuse, ScoreFunction,
    Sgvi,
};

struct Counting;

thread_local! {
    /// Of this thread: the harness allocates now and then on its own.
    static N_ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        N_ALLOCATIONS.set(N_ALLOCATIONS.get() + 1);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(f: impl FnOnce()) -> usize {
    let before = N_ALLOCATIONS.get();
    f();
    N_ALLOCATIONS.get() - before
}

fn allocations_of_later_estimates<E>(estimator: &E) -> usize
where
    E: GradientEstimator<GaussianTarget, Diagonal>,
{
    allocations_after(1, estimator)
}

fn allocations_after<E>(n_first: u64, estimator: &E) -> usize
where
    E: GradientEstimator<GaussianTarget, Diagonal>,
{
    let (model, family) = (GaussianTarget::correlated(), Diagonal { dim: 3 });
    let elbo = Elbo::new(&model, &family).unwrap();
    let (params, mut grad) = (Array1::zeros(6), Array1::zeros(6));
    let (key, mut memory) = (StreamKey::from_seed(16), Memory::default());
    let mut estimate = |t: u64| {
        estimator.estimate(elbo, &params, key.fold_in(t), Exec::local(), &mut memory, &mut grad).unwrap();
    };
    (0..n_first).for_each(&mut estimate);
    count(|| (n_first..50).for_each(estimate))
}

/// One thread: what rayon's queues allocate now and then is not the estimators' affair.
#[test]
fn steps_allocate_nothing() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| {
        assert!(count(|| drop(std::hint::black_box(vec![1.0]))) > 0, "the counter does not count");
        assert_eq!(allocations_of_later_estimates(&ScoreFunction::leave_one_out(200)), 0);
        assert_eq!(allocations_of_later_estimates(&ScoreFunction::naive(200)), 0);
        assert_eq!(allocations_of_later_estimates(&ScoreFunction::moving_average(200)), 0);
        assert_eq!(allocations_of_later_estimates(&ScoreFunction::control_variate(200)), 0);
        assert_eq!(allocations_of_later_estimates(&ScoreFunction::leave_one_out(200).antithetic()), 0);
        assert_eq!(
            allocations_of_later_estimates(&ScoreFunction::leave_one_out(256).quasi_monte_carlo(2)),
            0
        );
        assert_eq!(allocations_of_later_estimates(&Pathwise { n_samples: 200 }), 0);
        // The buffers of reuse grow until as many iterations are remembered as are used.
        assert_eq!(allocations_after(4, &SampleReuse::leave_one_out(100, 4)), 0);

        // The trace alone grows, by doubling: from room for 4 to room for 1024 in eight reallocations.
        assert_eq!(allocations_of_later_steps(Adam::default()), 8);
        assert_eq!(allocations_of_later_steps(NaturalGradient::default()), 8);
    });
}

fn allocations_of_later_steps(rule: impl AscentRule) -> usize {
    let (model, family) = (GaussianTarget::correlated(), Diagonal { dim: 3 });
    let kernel = Sgvi::new(&model, &family, ScoreFunction::leave_one_out(64), rule).unwrap();
    let (mut state, key) = (kernel.init(), StreamKey::from_seed(17));
    kernel.step(key.fold_in(0), &mut state).unwrap();
    count(|| {
        for t in 1..1000 {
            kernel.step(key.fold_in(t), &mut state).unwrap();
        }
    })
}
