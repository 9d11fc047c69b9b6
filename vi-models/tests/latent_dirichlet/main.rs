//! Latent Dirichlet allocation: reference runs, bounds against exact evidence, conditionals, draws, threads.

mod concentrations;
mod conditionals;
mod corpora;
mod evidence;
mod execution;
mod hierarchical;
mod hierarchical_topics;
mod mixed_membership;
mod online;
mod prediction;
mod reference;

use vi_core::testing::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;
