//! Dirichlet, through the Beta variables of its stick-breaking form.

use ndarray::{Array1, Array2, ArrayRef1};

use super::ImplicitReparameterized;
use super::beta::logit_derivatives;
use crate::distributions::Dirichlet;
use crate::parametric::Parametric;

/// With v_k = z_k / Σ_{j≥k} z_j ~ Beta(α_k, Σ_{j>k} α_j), independent, and log z_k = log v_k + Σ_{j<k} log(1 − v_j).
///
/// Every column sums to zero. Which of the possible transports it is depends on the order of the categories; the
/// gradients of expectations do not. Measured for two categories, where it is that of [`Beta`](crate::Beta).
impl ImplicitReparameterized for Dirichlet {
    fn sample_jacobian(&self, z: &ArrayRef1<f64>) -> Array2<f64> {
        let alpha = self.parameters();
        let n = alpha.len();
        let (z_rest, alpha_rest) = (suffix_sums(z), suffix_sums(&alpha));
        let mut jacobian = Array2::zeros((n, n));
        // Σ_{j<k} ∂ log(1 − v_j)/∂α.
        let mut log_left = Array1::<f64>::zeros(n);
        for k in 0..n {
            let (mut da, mut db, mut x, mut y) = (0.0, 0.0, 1.0, 0.0);
            if k + 1 < n && z[k] > 0.0 && z_rest[k + 1] > 0.0 {
                (x, y) = (z[k] / z_rest[k], z_rest[k + 1] / z_rest[k]);
                (da, db) = logit_derivatives(alpha[k], alpha_rest[k + 1], x, y);
            }
            for i in 0..n {
                let derivative = if i == k {
                    da
                } else if i > k {
                    db
                } else {
                    0.0
                };
                jacobian[[k, i]] = z[k] * (log_left[i] + y * derivative);
                log_left[i] -= x * derivative;
            }
        }
        jacobian
    }
}

/// Σ_{j≥k} of each k.
fn suffix_sums(values: &ArrayRef1<f64>) -> Array1<f64> {
    let mut sums = values.to_owned();
    for k in (1..sums.len()).rev() {
        sums[k - 1] += sums[k];
    }
    sums
}
