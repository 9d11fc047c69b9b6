//! A bound at a fixed q.

use ndarray::ArrayRef1;
use vi_core::{ElboEstimate, Exec, LogJoint, StreamKey};
use vi_families::VariationalFamily;

use super::bound::{ImportanceBound, of_groups};
use crate::elbo::{Elbo, log_ratios};
use crate::error::SgviError;
use crate::workspace::Workspace;

/// The importance-weighted ELBO at fixed λ with its Monte Carlo error: [`evaluate_bound`] with α = 0.
///
/// ```text
/// E[log (1/K) Σ_k p(x, z_k)/q(z_k)] ≤ log p(x),   rising with K from the ELBO to log p(x)
/// ```
///
/// # Errors
/// As for [`evaluate_bound`].
pub fn evaluate_importance_weighted_elbo<M, F>(
    model: &M,
    family: &F,
    params: &ArrayRef1<f64>,
    n_importance: usize,
    n_groups: usize,
    key: StreamKey,
    exec: Exec<'_>,
) -> Result<ElboEstimate, SgviError>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
{
    let bound = ImportanceBound::importance_weighted(n_importance)?;
    evaluate_bound(Elbo::new(model, family)?, params, bound, n_groups, key, exec)
}

/// The bound L_{α,K} at fixed λ from `n_groups` independent groups of K samples, with its standard error.
///
/// Sample s comes from `key.rng(s)`. Use a key that no iteration has used ([`vi_core::Role::Evaluate`]), or the estimate
/// is biased by the selection of λ. Costs `n_groups` · K log joints; memory as many numbers.
///
/// # Errors
/// [`SgviError::TooFewSamples`] below two groups, which have no standard error; otherwise as for
/// [`evaluate_elbo`](crate::evaluate_elbo).
pub fn evaluate_bound<M, F>(
    elbo: Elbo<'_, M, F>,
    params: &ArrayRef1<f64>,
    bound: ImportanceBound,
    n_groups: usize,
    key: StreamKey,
    exec: Exec<'_>,
) -> Result<ElboEstimate, SgviError>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
{
    if n_groups < 2 {
        return Err(SgviError::TooFewSamples { estimator: "evaluate_bound", minimum: 2, actual: n_groups });
    }
    let (n, mut workspace) = (n_groups * bound.n_importance(), Workspace::default());
    log_ratios(elbo, params, n, key, exec, &mut workspace)?;
    let Workspace { log_ratios, group_means, extra, .. } = &mut workspace;
    extra.resize(n, 0.0);
    Ok(of_groups(bound, log_ratios, group_means, extra, |_, _, _| {}))
}
