//! Plates: gradients in λ, θ and ψ against exact ones, bits, bounds, training, bad input.

mod bits;
mod bounds;
mod counts;
mod divergence;
mod failures;
mod gaussian;
mod minibatch;
mod network;
mod training;
mod unbiased;
