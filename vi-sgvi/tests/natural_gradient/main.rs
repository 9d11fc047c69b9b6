//! Natural gradients: coordinate ascent as a special case, convergence where plain gradients do not arrive, bounds on
//! steps, errors, determinism.
//!
//! Identities hold to rounding. Most runs have targets inside the family, where the noise of the leave-one-out gradient
//! vanishes at the optimum: no threshold of theirs is statistical. The run on a Dirichlet with categories, whose
//! posterior is outside, ends with errors of some 0.015 in each of 11 coordinates; its bound is five of them, a false alarm
//! in some 6·10⁻⁶ of all keys.

mod arrival;
#[path = "../suite/common/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the other tests, which use more of it")]
mod common;
mod coordinate_ascent;
mod drivers;
mod limits;
mod models;
