//! An allocator that counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counting what the current thread asks for.
///
/// ```
/// use vi_core::testing::CountingAllocator;
///
/// #[global_allocator]
/// static ALLOCATOR: CountingAllocator = CountingAllocator;
///
/// fn main() {
///     let allocations = CountingAllocator::during(|| drop(vec![1.0; 100]));
///     assert_eq!((allocations.n, allocations.bytes), (1, 800));
/// }
/// ```
/// Of the current thread alone, because a test harness allocates now and then on its own: work on other threads has to
/// be measured there, or done on a pool of one.
#[derive(Clone, Copy, Debug, Default)]
pub struct CountingAllocator;

/// What was allocated, freed or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocations {
    /// The number of allocations; one that grows counts again, with its new size.
    pub n: usize,
    /// Their bytes.
    pub bytes: usize,
}

thread_local! {
    static COUNT: Cell<Allocations> = const { Cell::new(Allocations { n: 0, bytes: 0 }) };
}

impl CountingAllocator {
    /// What this thread allocates while `f` runs.
    ///
    /// # Panics
    /// If this allocator is not the global one.
    pub fn during(f: impl FnOnce()) -> Allocations {
        let start = COUNT.get();
        drop(std::hint::black_box(vec![0_u8]));
        let before = COUNT.get();
        assert_ne!(start, before, "CountingAllocator is not the global allocator");
        f();
        let after = COUNT.get();
        Allocations { n: after.n - before.n, bytes: after.bytes - before.bytes }
    }
}

#[allow(unsafe_code, reason = "an allocator has to implement an unsafe trait")]
// SAFETY: both functions pass on to the system's allocator what they are given; a count goes up beside it, in a cell that
// needs no destructor and no memory of its own.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Allocations { n, bytes } = COUNT.get();
        COUNT.set(Allocations { n: n + 1, bytes: bytes + layout.size() });
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}
