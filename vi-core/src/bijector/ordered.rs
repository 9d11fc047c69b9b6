//! Increasing vectors by the logarithms of their increments.
//!
//! ```text
//! z_1 = u_1,   z_k = z_{k−1} + exp(u_k),   log |det J| = Σ_{k ≥ 2} u_k
//! ```
//! Stan Reference Manual, "Ordered vector" and "Positive ordered vector": there z_1 = exp(u_1) as well, and the sum is
//! over all k.

use super::scalar::positive_exp;

pub(super) fn constrain(u: &[f64], z: &mut [f64]) -> f64 {
    z[0] = u[0];
    add_increments(u, z)
}

pub(super) fn positive_constrain(u: &[f64], z: &mut [f64]) -> f64 {
    z[0] = positive_exp(u[0]);
    u[0] + add_increments(u, z)
}

/// All but the first element, and the sum of their `u`.
fn add_increments(u: &[f64], z: &mut [f64]) -> f64 {
    for k in 1..u.len() {
        let next = z[k - 1] + positive_exp(u[k]);
        // An increment below the spacing of floating-point numbers must not make neighbours equal.
        z[k] = if next <= z[k - 1] { z[k - 1].next_up() } else { next };
    }
    u[1..].iter().sum()
}

pub(super) fn unconstrain(z: &[f64], u: &mut [f64]) {
    u[0] = z[0];
    for k in 1..z.len() {
        u[k] = (z[k] - z[k - 1]).ln();
    }
}

pub(super) fn positive_unconstrain(z: &[f64], u: &mut [f64]) {
    unconstrain(z, u);
    u[0] = z[0].ln();
}

pub(super) fn pullback(u: &[f64], grad_z: &[f64], grad_u: &mut [f64]) {
    let mut tail = 0.0;
    for k in (1..u.len()).rev() {
        tail += grad_z[k];
        grad_u[k] = positive_exp(u[k]) * tail + 1.0;
    }
    grad_u[0] = tail + grad_z[0];
}

pub(super) fn positive_pullback(u: &[f64], grad_z: &[f64], grad_u: &mut [f64]) {
    pullback(u, grad_z, grad_u);
    grad_u[0] = positive_exp(u[0]) * grad_u[0] + 1.0;
}
