//! How far two members of a family are from each other.

use ndarray::{Array1, Array2, ArrayRef1};
use vi_core::StreamKey;
use vi_families::{FamilyError, VariationalDistribution, VariationalFamily};

/// The divergence of Jeffreys between two members, from `n` draws of each under common random numbers, in nats.
///
/// ```text
/// J(a, b) = KL(a ‖ b) + KL(b ‖ a) = E_a[log a − log b] + E_b[log b − log a] ≈ (λ_a − λ_b)ᵀ F (λ_a − λ_b)
/// ```
/// Needs no evaluation of a model and no closed form, and does not depend on the units of λ.
///
/// Source: Jeffreys 1946, eq. 1.
///
/// # Errors
/// [`FamilyError`] when a λ is outside its domain.
pub(crate) fn jeffreys<F: VariationalFamily>(
    family: &F,
    a: &ArrayRef1<f64>,
    b: &ArrayRef1<f64>,
    n: usize,
    key: StreamKey,
) -> Result<f64, FamilyError> {
    let (a, b) = (family.bind(a)?, family.bind(b)?);
    let mut z = Array2::zeros((n, family.dim()));
    let (mut log_a, mut log_b) = (Array1::zeros(n), Array1::zeros(n));
    a.sample_batch(key, 0..n, &mut z);
    a.log_prob_batch(&z, &mut log_a);
    b.log_prob_batch(&z, &mut log_b);
    let from_a = log_a.sum() - log_b.sum();
    b.sample_batch(key, 0..n, &mut z);
    a.log_prob_batch(&z, &mut log_a);
    b.log_prob_batch(&z, &mut log_b);
    Ok((from_a + log_b.sum() - log_a.sum()) / n as f64)
}
