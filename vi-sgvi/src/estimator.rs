//! The contract of a gradient estimator.

use ndarray::ArrayRef1;
use serde::{Deserialize, Serialize};
use vi_core::{ElboEstimate, Exec, StreamKey};
use vi_families::VariationalFamily;

use crate::elbo::Elbo;
use crate::error::SgviError;
use crate::workspace::Workspace;

/// Evaluations of the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluations {
    /// Log joints evaluated without a gradient.
    pub n_log_joint: u64,
    /// Log joints evaluated with their gradient.
    pub n_gradient: u64,
}

impl std::ops::AddAssign for Evaluations {
    fn add_assign(&mut self, other: Self) {
        self.n_log_joint += other.n_log_joint;
        self.n_gradient += other.n_gradient;
    }
}

/// An estimator of ∇_λ ELBO(λ). What it needs of model and family is said by the bounds of its `impl`.
///
/// An implementation is checked by `testing::check_estimator` (feature `testing`) in one line.
pub trait GradientEstimator<M: ?Sized, F: VariationalFamily>: Send + Sync {
    /// Overwrites `grad` (P) with an unbiased estimate of the gradient of the ELBO at `params` (P), and
    /// returns the estimate of the ELBO from the same samples.
    ///
    /// The samples are a function of `key` alone: the same key gives the same bits on any number of threads
    /// and ranks. `workspace` is scratch memory; with the same one, a second call allocates nothing beyond
    /// what model and family allocate themselves.
    ///
    /// # Errors
    /// [`SgviError`] when λ is outside its domain or the model returns a non-finite value.
    ///
    /// # Panics
    /// If `grad` does not have length P.
    fn estimate(
        &self,
        elbo: Elbo<'_, M, F>,
        params: &ArrayRef1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
        workspace: &mut Workspace,
        grad: &mut ArrayRef1<f64>,
    ) -> Result<ElboEstimate, SgviError>;

    /// What one estimate costs.
    fn cost(&self) -> Evaluations;
}
