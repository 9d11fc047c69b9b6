//! The natural parameters of q(π) and q(μ, Λ).

use ndarray::{Array1, ArrayRef1, s};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, NaturalFactors};
use vi_families::{Dirichlet, ExponentialFamily, NormalWishart};

use super::{GaussianMixture, GaussianMixtureBlock as Block, GaussianMixtureFactors, GaussianMixtureStats};
use crate::checks::refused;

/// All components' natural parameters, one after the other, in centred coordinates.
pub(super) fn components_natural(components: &[NormalWishart], eta: &mut ArrayRef1<f64>) {
    let width = eta.len() / components.len();
    for (k, q) in components.iter().enumerate() {
        eta.slice_mut(s![k * width..(k + 1) * width]).assign(&q.natural());
    }
}

/// The components with these natural parameters.
pub(super) fn components_from_natural(
    eta: &ArrayRef1<f64>,
    n_components: usize,
) -> Result<Vec<NormalWishart>, ConjugateError> {
    let width = eta.len() / n_components;
    let one = |k: usize| {
        NormalWishart::from_natural(&eta.slice(s![k * width..(k + 1) * width]))
            .map_err(|e| refused((Block::Components, k), e))
    };
    (0..n_components).map(one).collect()
}

/// The assignments give no access: they follow weights and components, and are tempered by flattening their logits.
impl NaturalFactors for GaussianMixture {
    fn n_natural(&self, block: Block) -> usize {
        match block {
            Block::Weights => self.layout.n_components,
            // κ, κm, (ν − D)/2 and a symmetric matrix.
            Block::Components => self.layout.n_components * (self.layout.n_features + 1),
            Block::Assignments => 0,
        }
    }

    fn natural(&self, block: Block, factors: &GaussianMixtureFactors, eta: &mut ArrayRef1<f64>) {
        match block {
            Block::Weights => eta.assign(&factors.weights.natural()),
            Block::Components => components_natural(&factors.components, eta),
            Block::Assignments => {}
        }
    }

    fn set_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        factors: &mut GaussianMixtureFactors,
    ) -> Result<(), ConjugateError> {
        match block {
            Block::Weights => {
                factors.weights = Dirichlet::from_natural(eta).map_err(|e| refused(block, e))?;
            }
            Block::Components => {
                factors.components = components_from_natural(eta, self.layout.n_components)?;
            }
            Block::Assignments => {}
        }
        Ok(())
    }

    /// ```text
    /// r_nk ∝ exp(β ⟨E[η_k], T(x_n)⟩)
    /// ```
    /// from the statistics scaled by β: responsibilities that have underflowed could not be flattened any more.
    fn condition_tempered(
        &self,
        block: Block,
        inverse_temperature: f64,
        stats: &GaussianMixtureStats,
        factors: &mut GaussianMixtureFactors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        if block == Block::Assignments {
            let mut flat = stats.clone();
            flat.log_weights *= inverse_temperature;
            flat.log_det *= inverse_temperature;
            flat.quadratic *= inverse_temperature;
            flat.precision_mean *= inverse_temperature;
            flat.precision *= inverse_temperature;
            return self.condition(block, &flat, factors, exec);
        }
        self.condition(block, stats, factors, exec)?;
        let mut eta = Array1::zeros(self.n_natural(block));
        self.natural(block, factors, &mut eta);
        eta *= inverse_temperature;
        self.set_natural(block, &eta, factors)
    }
}
