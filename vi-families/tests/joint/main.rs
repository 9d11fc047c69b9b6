//! Joint distributions of a location and its precision or (co)variance, the likelihoods they are conjugate to,
//! and the Student-t predictives.

#[path = "../common/mod.rs"]
mod common;
mod conjugacy;
mod contract;
mod predictive;
mod reference;
mod twins;
