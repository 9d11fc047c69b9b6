//! Gaussian mixtures of every shape: contracts, reference runs, exact evidence, missing values, memory.

mod contracts;
mod exact;
mod gibbs;
mod memory;
mod missing;
mod moves;
mod runs;
mod scikit_learn;
mod support;

#[global_allocator]
static ALLOCATOR: vi_core::testing::CountingAllocator = vi_core::testing::CountingAllocator;
