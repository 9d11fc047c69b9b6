//! The natural parameters of a conditionally conjugate model's factors: what damping and annealing need.

use ndarray::{Array1, ArrayRef1};

use crate::conjugate::{ConditionallyConjugate, ConjugateError};
use crate::exec::Exec;

/// Factors whose natural parameters can be read and set, block by block, as one flat vector.
///
/// ```text
/// log q_b(z_b) = η_bᵀ T_b(z_b) − A_b(η_b)        against a reference measure of the model's choice
/// ```
/// η_b is the vector of all elements of the block, one after the other. Two things are asked of it, besides that it
/// determines the factor:
///
/// - Factors are mixed by mixing it: q with (1 − ρ)η + ρη′ is proportional to q_η^{1−ρ} q_η′^ρ, and is a member.
/// - Factors are flattened by scaling it: βη is a member for every 0 < β ≤ 1. Where that fails against Lebesgue measure,
///   as for an inverse Gamma, another reference measure keeps it: against dx/x its η is (−shape, −scale).
///
/// Local blocks that hold items by the million may have none (`n_natural` is 0): they then follow the global ones, are
/// never damped, and implement [`NaturalFactors::condition_tempered`] where they can.
pub trait NaturalFactors: ConditionallyConjugate {
    /// The length P_b of η_b; 0 for a block that gives no access.
    fn n_natural(&self, block: Self::Block) -> usize;

    /// Overwrites `eta` (P_b) with η_b.
    fn natural(&self, block: Self::Block, factors: &Self::Factors, eta: &mut ArrayRef1<f64>);

    /// Sets the factor of the block to the member with η_b = `eta` (P_b). The block's statistics are not touched.
    ///
    /// # Errors
    /// [`ConjugateError`] names the block, the parameter and its value.
    fn set_natural(
        &self,
        block: Self::Block,
        eta: &ArrayRef1<f64>,
        factors: &mut Self::Factors,
    ) -> Result<(), ConjugateError>;

    /// Sets the factor of the block to its optimum at inverse temperature β, given the other blocks' statistics.
    ///
    /// ```text
    /// q_b ∝ exp(β E_{q_−b}[log p(x, z)])     maximises   E_q[log p(x, z)] + (1/β) H[q]
    /// ```
    /// By default η_b of the complete conditional is scaled by β; a block without access is set to its complete conditional
    /// as it is.
    ///
    /// # Errors
    /// [`ConjugateError`] names the block, the parameter and its value.
    fn condition_tempered(
        &self,
        block: Self::Block,
        inverse_temperature: f64,
        stats: &Self::Stats,
        factors: &mut Self::Factors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        self.condition(block, stats, factors, exec)?;
        let n = self.n_natural(block);
        if n == 0 {
            return Ok(());
        }
        let mut eta = Array1::zeros(n);
        self.natural(block, factors, &mut eta);
        eta *= inverse_temperature;
        self.set_natural(block, &eta, factors)
    }
}
