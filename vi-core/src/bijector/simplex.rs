//! The simplex by stick-breaking, centred so that u = 0 is the uniform vector.
//!
//! ```text
//! s_k = σ(u_k − log(K − k)),   z_k = r_k s_k,   r_{k+1} = r_k (1 − s_k),   r_1 = 1,   z_K = r_K,   k = 1 … K − 1
//! log |det J| = Σ_k [log r_k + log s_k + log(1 − s_k)]
//! ```
//! Stan Reference Manual, "Unit simplex". The determinant is of the first K − 1 coordinates.

use crate::numerics::{sigmoid_scalar, softplus_scalar};

/// u_k − log(K − k), with `k` counted from 0.
#[inline]
fn centred(u: &[f64], k: usize) -> f64 {
    u[k] - ((u.len() - k) as f64).ln()
}

pub(super) fn constrain(u: &[f64], z: &mut [f64]) -> f64 {
    let (mut rest, mut log_rest, mut log_det) = (1.0, 0.0, 0.0);
    let (last, head) = z.split_last_mut().expect("a simplex has at least one element");
    for (k, z) in head.iter_mut().enumerate() {
        let v = centred(u, k);
        // The logarithm of the rest goes on where the rest itself underflows.
        log_det += log_rest - softplus_scalar(-v) - softplus_scalar(v);
        log_rest -= softplus_scalar(v);
        *z = kept_positive(rest * sigmoid_scalar(v));
        rest *= sigmoid_scalar(-v);
    }
    *last = kept_positive(rest);
    log_det
}

/// Positive and with a finite reciprocal; NaN stays NaN.
#[inline]
fn kept_positive(x: f64) -> f64 {
    x.clamp(f64::MIN_POSITIVE, 1.0)
}

pub(super) fn unconstrain(z: &[f64], u: &mut [f64]) {
    // Sums of the tail, smallest index last: 1 − Σ of the head would cancel.
    let mut rest = z[u.len()];
    for k in (0..u.len()).rev() {
        u[k] = z[k].ln() - rest.ln() + ((u.len() - k) as f64).ln();
        rest += z[k];
    }
}

pub(super) fn pullback(u: &[f64], z: &[f64], grad_z: &[f64], grad_u: &mut [f64]) {
    let n = u.len();
    let mut tail = grad_z[n] * z[n];
    for k in (0..n).rev() {
        let v = centred(u, k);
        let (s, t) = (sigmoid_scalar(v), sigmoid_scalar(-v));
        let own = grad_z[k] * z[k];
        grad_u[k] = t * own - s * tail + (t - (n - k) as f64 * s);
        tail += own;
    }
}
