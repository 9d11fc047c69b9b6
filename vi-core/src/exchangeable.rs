//! Exchangeable data with global and local latent variables: what stochastic variational inference needs.

use ndarray::ArrayRef1;

use crate::conjugate::{ConditionallyConjugate, ConjugateError};
use crate::exec::Exec;
use crate::key::StreamKey;

/// Some of the data, each counted as often as makes them as many as all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Batch<'a> {
    /// Which data, without repetition: at least one, each below N.
    pub indices: &'a [usize],
    /// N/|B|: how often each is counted.
    pub scale: f64,
}

impl<'a> Batch<'a> {
    /// These of `n_data` data.
    ///
    /// # Panics
    /// If there are none.
    pub fn new(indices: &'a [usize], n_data: usize) -> Self {
        assert!(!indices.is_empty(), "a batch has at least one datum");
        Self { indices, scale: n_data as f64 / indices.len() as f64 }
    }
}

/// A conditionally conjugate model whose data are exchangeable given its global variables.
///
/// ```text
/// p(x, z, β) = p(β) ∏_n p(x_n, z_n | β)
/// ```
/// β are the global variables, in one or more blocks; z_n are the local ones of datum n, of which there may be none.
/// A step of stochastic variational inference sets the local factors of a batch B to their optimum given q(β), forms for
/// every global block the natural parameter λ̂ that would be its optimum if all data were like the batch, and goes
/// part of the way:
///
/// ```text
/// t̂   = (N/|B|) Σ_{n∈B} E[t(x_n, z_n)]              local_step
/// λ̂_b = η_b(t̂, E[T_c], c ≠ b)                       global_conditional
/// λ_b ← (1 − ρ) λ_b + ρ λ̂_b                          global_natural, set_global_natural
/// ```
/// λ̂ − λ is an unbiased estimate of the natural gradient of the bound, and with B all data and ρ = 1 a step is a sweep
/// of coordinate ascent that begins with the local blocks.
///
/// A mixture's globals are its weights and components, a topic model's its topics; a regression has global blocks only
/// (the coefficients, the noise), which are stepped one after the other as in a sweep. [`Exchangeable::Globals`] holds no
/// local factor, so that the state of a run is small whatever N is; [`Exchangeable::complete`] makes all local factors
/// where they are wanted: for the bound on all data and for the posterior.
///
/// Source: Hoffman, Blei, Wang & Paisley, "Stochastic variational inference", JMLR 14 (2013), algorithm 1 and eq. 26–27, 32.
pub trait Exchangeable: ConditionallyConjugate {
    /// Factors of the global blocks, with those expectations under them that the methods below need.
    type Globals: Clone + Send + Sync;
    /// t̂: what the conditionals of the global blocks need of a batch, scaled by N/|B|.
    type BatchStats: Send;

    /// The number N of data: documents, rows, …
    fn n_data(&self) -> usize;

    /// The global blocks in the order of a step: those of [`ConditionallyConjugate::blocks`] that are not local.
    fn global_blocks(&self) -> &[Self::Block];

    /// The global part of a state of coordinate ascent, whose `stats` are expected under `factors`.
    fn globals(&self, factors: &Self::Factors, stats: &Self::Stats) -> Self::Globals;

    /// A start; by default that of coordinate ascent.
    ///
    /// # Errors
    /// [`ConjugateError`] when the data or priors admit no start.
    fn init_globals(&self, key: StreamKey, exec: Exec<'_>) -> Result<Self::Globals, ConjugateError> {
        let (factors, stats) = self.init(key, exec)?;
        Ok(self.globals(&factors, &stats))
    }

    /// The local step: the optimal local factors of the data in `batch` given `globals`, and of them t̂.
    ///
    /// # Errors
    /// [`ConjugateError`] names the block, the parameter and its value.
    fn local_step(
        &self,
        globals: &Self::Globals,
        batch: Batch<'_>,
        exec: Exec<'_>,
    ) -> Result<Self::BatchStats, ConjugateError>;

    /// The length P_b of the natural parameter of a global block.
    fn n_global_natural(&self, block: Self::Block) -> usize;

    /// Overwrites `eta` (P_b) with the natural parameter λ of a global block.
    ///
    /// Any coordinates that are linear in the natural parameters will do, as long as the three methods agree on them.
    fn global_natural(&self, block: Self::Block, globals: &Self::Globals, eta: &mut ArrayRef1<f64>);

    /// Overwrites `eta` (P_b) with λ̂: the natural parameter of the complete conditional of a global block, given t̂ and
    /// the expectations of the other global blocks.
    ///
    /// # Errors
    /// [`ConjugateError`] names the block, the parameter and its value.
    fn global_conditional(
        &self,
        block: Self::Block,
        batch: &Self::BatchStats,
        globals: &Self::Globals,
        eta: &mut ArrayRef1<f64>,
    ) -> Result<(), ConjugateError>;

    /// Sets the factor of a global block to the member with natural parameter `eta` (P_b), and with it all expectations
    /// that `globals` holds of that block.
    ///
    /// # Errors
    /// [`ConjugateError`] names the block, the parameter and its value.
    fn set_global_natural(
        &self,
        block: Self::Block,
        eta: &ArrayRef1<f64>,
        globals: &mut Self::Globals,
    ) -> Result<(), ConjugateError>;

    /// A state of coordinate ascent with these globals, and the optimal local factors of all data given them.
    ///
    /// # Errors
    /// [`ConjugateError`] names the block, the parameter and its value.
    fn complete(
        &self,
        globals: &Self::Globals,
        exec: Exec<'_>,
    ) -> Result<(Self::Factors, Self::Stats), ConjugateError>;

    /// The ELBO on all data, with the optimal local factors: by default that of [`Exchangeable::complete`].
    ///
    /// # Errors
    /// [`ConjugateError`] names the block, the parameter and its value.
    fn global_elbo(&self, globals: &Self::Globals, exec: Exec<'_>) -> Result<f64, ConjugateError> {
        let (factors, stats) = self.complete(globals, exec)?;
        Ok(self.elbo(&factors, &stats))
    }
}
