//! Kernels: the same bits on any number of threads, and after any stop.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::kernel::{Kernel, NeverStop, run};
use crate::key::StreamKey;

/// Checks that `n_iterations` of a kernel end in the same bits on 1, 2, 3 and 7 threads, and when stopped at
/// every third of the way, written out, read back and resumed; and that they do not end where they began.
///
/// States are compared by their serialised bytes, so that NaN equals NaN and 0 differs from −0.
///
/// # Panics
/// With the number of threads or the iteration of the stop where the bits differ; if the kernel fails.
pub fn check_kernel<K: Kernel>(kernel: &K, start: &K::State, key: StreamKey, n_iterations: u64)
where
    K::State: Serialize + DeserializeOwned + Sync,
{
    let reference = on_threads(1, || iterate(kernel, start.clone(), key, 0..n_iterations));
    let reference = bytes(&reference);
    assert!(reference != bytes(start), "{n_iterations} iterations left the state as it was");
    for n_threads in [2, 3, 7] {
        let state = on_threads(n_threads, || iterate(kernel, start.clone(), key, 0..n_iterations));
        assert!(bytes(&state) == reference, "{n_threads} threads end in other bits than one");
    }
    for stop in [n_iterations / 3, 2 * n_iterations / 3] {
        let stopped = bytes(&iterate(kernel, start.clone(), key, 0..stop));
        let resumed: K::State = postcard::from_bytes(&stopped)
            .unwrap_or_else(|e| panic!("the state at {stop} cannot be read back: {e}"));
        let state = iterate(kernel, resumed, key, stop..n_iterations);
        assert!(
            bytes(&state) == reference,
            "stopped at iteration {stop} and resumed, the run ends in other bits than an unbroken one"
        );
    }
}

fn iterate<K: Kernel>(
    kernel: &K,
    mut state: K::State,
    key: StreamKey,
    iterations: std::ops::Range<u64>,
) -> K::State {
    run(kernel, &mut state, key, iterations, &NeverStop, &mut []).unwrap_or_else(|e| panic!("{e}"));
    state
}

fn bytes<S: Serialize>(state: &S) -> Vec<u8> {
    postcard::to_stdvec(state).unwrap_or_else(|e| panic!("the state cannot be serialised: {e}"))
}

/// Calls `f` in a pool of `n` threads.
fn on_threads<R: Send>(n: usize, f: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build();
    pool.unwrap_or_else(|e| panic!("a pool of {n} threads: {e}")).install(f)
}
