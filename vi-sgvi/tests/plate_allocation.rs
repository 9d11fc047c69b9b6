//! After the first step of variational EM, steps allocate nothing: counted by the global allocator.
#![allow(unsafe_code, reason = "a global allocator that counts has to implement an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use ndarray::Array2;
use vi_core::{Kernel, PlateModel, StreamKey};
use vi_families::BernoulliPlate;
use vi_models::sigmoid_belief_network::SigmoidBeliefNetwork;
use vi_sgvi::{
    Adam, DisArm, HiddenLayerEncoder, PlateElbo, PlateEstimator, PlateScoreFunction, Recognition, Table,
    VariationalEm,
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

const N: usize = 150;

/// Allocations of 100 steps after the first.
fn later_steps<R: Recognition>(
    model: &SigmoidBeliefNetwork,
    family: &BernoulliPlate,
    recognition: &R,
    estimator: impl PlateEstimator<BernoulliPlate>,
    batch_size: usize,
) -> usize {
    let elbo = PlateElbo::new(model, family, recognition).unwrap();
    let kernel = VariationalEm::new(elbo, estimator, Adam::default(), Adam::default()).unwrap();
    let kernel = kernel.with_batch_size(batch_size).unwrap();
    let key = StreamKey::from_seed(1);
    let mut state = kernel.init(key).unwrap();
    state.elbo_trace.reserve(200);
    kernel.step(key.fold_in(0), &mut state).unwrap();
    count(|| {
        for t in 1..100 {
            kernel.step(key.fold_in(t), &mut state).unwrap();
        }
    })
}

/// One thread: what rayon's queues allocate now and then is not the kernel's affair.
#[test]
fn steps_allocate_nothing() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| {
        assert!(count(|| drop(std::hint::black_box(vec![1.0]))) > 0, "the counter does not count");
        let pixels = Array2::from_shape_fn((N, 9), |(n, d)| f64::from(u8::from((n * 7 + d * 5) % 3 == 0)));
        let model = SigmoidBeliefNetwork::new(pixels, 7).unwrap();
        let family = BernoulliPlate::for_space(model.local_parameters()).unwrap();
        let table = Table::new(N, &family);
        let leave_one_out = PlateScoreFunction::leave_one_out(5);
        assert_eq!(later_steps(&model, &family, &table, leave_one_out, N), 0);
        assert_eq!(later_steps(&model, &family, &table, leave_one_out, 40), 0);
        assert_eq!(later_steps(&model, &family, &table, PlateScoreFunction::control_variate(5), N), 0);
        assert_eq!(later_steps(&model, &family, &table, DisArm::new(3), N), 0);
        let encoder = HiddenLayerEncoder::new(model.pixels().clone(), 5, &family).unwrap();
        assert_eq!(later_steps(&model, &family, &encoder, leave_one_out, N), 0);
        assert_eq!(later_steps(&model, &family, &encoder, leave_one_out, 40), 0);
    });
}
