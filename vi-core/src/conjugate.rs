//! Conditionally conjugate models: one complete conditional, two algorithms.
//!
//! In such a model the natural parameter of each complete conditional is linear in the other blocks'
//! sufficient statistics, and blocks are independent under q, so
//!
//! ```text
//! E_q[η_b(T_−b)] = η_b(E_q[T_−b]).
//! ```
//! Coordinate ascent plugs in expected statistics, Gibbs sampling realised ones; the kernels differ in one call.

use std::fmt::Debug;

use ndarray::ArrayRef1;

use crate::exec::Exec;
use crate::key::{StreamKey, StreamRng};
use crate::parameter::ParameterSpace;

/// Why a complete conditional could not be formed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConjugateError {
    /// A parameter of a complete conditional left its domain.
    #[error("block {block}: {parameter} = {value}, outside its domain")]
    Domain {
        /// The block whose conditional is wrong.
        block: String,
        /// The parameter.
        parameter: String,
        /// Its value.
        value: f64,
    },
    /// A matrix that has to be positive definite is not.
    #[error("block {block}: {parameter} is not positive definite (pivot {pivot} is {value})")]
    NotPositiveDefinite {
        /// The block whose conditional is wrong.
        block: String,
        /// The matrix.
        parameter: String,
        /// The index of the failing pivot.
        pivot: usize,
        /// Its value.
        value: f64,
    },
    /// The family of a factor refused its parameters.
    #[error("block {block}: {message}")]
    Refused {
        /// The block whose conditional is wrong.
        block: String,
        /// What the family says.
        message: String,
    },
    /// The exchange between ranks failed.
    #[error("{0}")]
    Communication(String),
}

/// A model given by its complete conditionals.
///
/// `Stats` holds the sufficient statistics T_b of every block, expected or realised; `Factors` holds the
/// natural (or equivalent) parameters of every block's factor q_b.
pub trait ConditionallyConjugate: Send + Sync {
    /// Names a block: printed with `Debug` in errors.
    type Block: Copy + Debug + PartialEq + Send + Sync;
    /// Sufficient statistics of all blocks.
    type Stats: Clone + Send + Sync;
    /// Factors of all blocks.
    type Factors: Clone + Send + Sync;

    /// The blocks in the order of a sweep.
    fn blocks(&self) -> &[Self::Block];

    /// A start: factors, and statistics *expected under them*, for every block.
    ///
    /// Different keys give different starts where the model has more than one optimum.
    ///
    /// # Errors
    /// [`ConjugateError`] when the data or priors admit no start.
    fn init(&self, key: StreamKey, exec: Exec<'_>) -> Result<(Self::Factors, Self::Stats), ConjugateError>;

    /// Sets factor `b` to its complete conditional given the other blocks' statistics.
    ///
    /// ```text
    /// log q_b*(z_b) = E_{q_−b}[log p(x, z)] + const
    /// ```
    ///
    /// # Errors
    /// [`ConjugateError`] names the block, the parameter and its value.
    fn condition(
        &self,
        block: Self::Block,
        stats: &Self::Stats,
        factors: &mut Self::Factors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError>;

    /// Whether [`ConditionallyConjugate::condition`] finds the optimum of a block to rounding; true by default. A block whose
    /// conditional is solved for by an iteration that ends at a tolerance says false: its bound may not fall either, but
    /// that the new factor is stationary is not checked.
    fn is_exact(&self, _block: Self::Block) -> bool {
        true
    }

    /// Coordinate ascent: sets the statistics of block b to their expectation under its factor.
    ///
    /// ```text
    /// T_b ← E_q[T_b] = ∇A(η_b)
    /// ```
    fn expect(&self, block: Self::Block, factors: &Self::Factors, stats: &mut Self::Stats, exec: Exec<'_>);

    /// Coordinate ascent, after every sweep: moves several blocks at once along directions in which single blocks crawl
    /// (parameter expansion), together with their expected statistics. Returns whether it did: it never lowers the ELBO.
    ///
    /// Does nothing unless a model knows better.
    ///
    /// # Errors
    /// [`ConjugateError`] as for [`ConditionallyConjugate::condition`].
    fn expand(
        &self,
        _factors: &mut Self::Factors,
        _stats: &mut Self::Stats,
        _exec: Exec<'_>,
    ) -> Result<bool, ConjugateError> {
        Ok(false)
    }

    /// Gibbs: T_b ← T_b(z_b) with z_b drawn from factor `b`. Item `n` of a block draws from `key.rng(n)`.
    fn draw(
        &self,
        block: Self::Block,
        factors: &Self::Factors,
        key: StreamKey,
        stats: &mut Self::Stats,
        exec: Exec<'_>,
    );

    /// log q_b(z_b): the density of factor `b` at the *realised* statistics of that block.
    ///
    /// If `factors` holds the complete conditional of block b, then log p(x, z) − log q_b(z_b) does not depend
    /// on z_b: this is what `check_conditional` tests.
    fn block_log_prob(&self, block: Self::Block, factors: &Self::Factors, stats: &Self::Stats) -> f64;

    /// E_q[log p(x, z)], all constants included; with realised statistics it *is* log p(x, z).
    ///
    /// Auxiliary variables may have their density taken against a reference measure of the model's choice
    /// (documented there), as long as [`ConditionallyConjugate::entropy`] and
    /// [`ConditionallyConjugate::block_log_prob`] use the same one: the ELBO does not depend on it.
    fn expected_log_joint(&self, stats: &Self::Stats) -> f64;

    /// −E_q[log q(z)], summed over the blocks.
    fn entropy(&self, factors: &Self::Factors) -> f64;

    /// ELBO(q) = E_q[log p(x, z)] − E_q[log q(z)], where `stats` are expected under `factors`.
    fn elbo(&self, factors: &Self::Factors, stats: &Self::Stats) -> f64 {
        self.expected_log_joint(stats) + self.entropy(factors)
    }

    /// The latent variables that a user reads: the layout of `z` below, and of the model's
    /// [`LogJoint`](crate::LogJoint). Auxiliary variables (assignments, augmentation) are left out.
    fn reported(&self) -> &ParameterSpace;

    /// Writes the reported variables of realised statistics into `z`.
    fn realise(&self, stats: &Self::Stats, z: &mut ArrayRef1<f64>);

    /// Draws the reported variables from the factors.
    fn sample(&self, factors: &Self::Factors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>);

    /// log q(z) of the reported variables under the factors (auxiliary variables integrated out, which is
    /// exact because blocks are independent under q).
    fn log_prob(&self, factors: &Self::Factors, z: &ArrayRef1<f64>) -> f64;
}
