//! The counts are exchangeable given α and β; the rates θ are local. Natural parameters of all factors.

use ndarray::{Array1, ArrayRef1};
use vi_core::{Batch, ConditionallyConjugate, ConjugateError, Exchangeable, Exec, NaturalFactors};
use vi_families::special::log_gamma;
use vi_families::{ExponentialFamily, FamilyError, Gamma};

use super::{
    GammaShape, PoissonGamma, PoissonGammaBlock as Block, PoissonGammaFactors, PoissonGammaStats, ShapePrior,
};
use crate::checks::refused;
use crate::natural::{of_gammas, set, set_gammas};

/// The factors q(β) q(α); `None` where α is known.
pub type PoissonGammaGlobals = (Gamma, Option<GammaShape>);

/// What q(β) and q(α) need of a batch, every datum counted N/|B| times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoissonGammaBatch {
    /// `Σ_i E[θ_i]`.
    rates: f64,
    /// `Σ_i E[log θ_i]`.
    log_rates: f64,
}

/// (b, n) of q(α), whose statistics are α and −log Γ(α).
fn shape_natural(q: Option<&GammaShape>, eta: &mut ArrayRef1<f64>) {
    if let Some(q) = q {
        (eta[0], eta[1]) = q.linear_count();
    }
}

fn set_shape(q: &mut Option<GammaShape>, eta: &ArrayRef1<f64>, block: Block) -> Result<(), ConjugateError> {
    if let Some(q) = q {
        *q = GammaShape::from_linear_count(eta[0], eta[1]).map_err(|e| refused(block, e))?;
    }
    Ok(())
}

impl NaturalFactors for PoissonGamma {
    fn n_natural(&self, block: Block) -> usize {
        match block {
            Block::Rates => 2 * self.n_rates(),
            Block::Rate => 2,
            Block::Shape => 2 * usize::from(self.shape_is_learned()),
        }
    }

    fn natural(&self, block: Block, factors: &PoissonGammaFactors, eta: &mut ArrayRef1<f64>) {
        match block {
            Block::Rates => of_gammas(&factors.rates, eta),
            Block::Rate => eta.assign(&factors.rate.natural()),
            Block::Shape => shape_natural(factors.shape.as_ref(), eta),
        }
    }

    fn set_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        factors: &mut PoissonGammaFactors,
    ) -> Result<(), ConjugateError> {
        match block {
            Block::Rates => set_gammas(&mut factors.rates, eta, block),
            Block::Rate => set(&mut factors.rate, eta, block),
            Block::Shape => set_shape(&mut factors.shape, eta, block),
        }
    }
}

impl PoissonGamma {
    /// What is expected under `globals`, and nothing of θ.
    fn stats_of(&self, globals: &PoissonGammaGlobals) -> PoissonGammaStats {
        let (rate, shape) = globals;
        let (mean, log_gamma) = match (shape, self.priors.shape) {
            (Some(q), _) => (q.mean(), q.expected_log_gamma()),
            (None, ShapePrior::Known { shape }) => (shape, log_gamma(shape)),
            (None, ShapePrior::Exponential { .. }) => (f64::NAN, f64::NAN),
        };
        PoissonGammaStats {
            rates: Array1::zeros(0),
            log_rates: Array1::zeros(0),
            rate: rate.mean(),
            log_rate: rate.expected_log(),
            shape: mean,
            log_gamma_shape: log_gamma,
        }
    }
}

/// The global factors are q(β) and q(α).
impl Exchangeable for PoissonGamma {
    type Globals = PoissonGammaGlobals;
    type BatchStats = PoissonGammaBatch;

    fn n_data(&self) -> usize {
        self.n_rates()
    }

    fn global_blocks(&self) -> &[Block] {
        &self.blocks()[1..]
    }

    fn globals(&self, factors: &PoissonGammaFactors, _: &PoissonGammaStats) -> PoissonGammaGlobals {
        (factors.rate.clone(), factors.shape)
    }

    fn local_step(
        &self,
        globals: &PoissonGammaGlobals,
        batch: Batch<'_>,
        _exec: Exec<'_>,
    ) -> Result<PoissonGammaBatch, ConjugateError> {
        let stats = self.stats_of(globals);
        let mut sums = PoissonGammaBatch { rates: 0.0, log_rates: 0.0 };
        for &i in batch.indices {
            let q = self.rates_conditional(i, &stats).map_err(|e| refused(Block::Rates, e))?;
            sums.rates += batch.scale * q.mean();
            sums.log_rates += batch.scale * q.expected_log();
        }
        Ok(sums)
    }

    fn n_global_natural(&self, block: Block) -> usize {
        self.n_natural(block)
    }

    fn global_natural(&self, block: Block, globals: &PoissonGammaGlobals, eta: &mut ArrayRef1<f64>) {
        match block {
            Block::Rates => {}
            Block::Rate => eta.assign(&globals.0.natural()),
            Block::Shape => shape_natural(globals.1.as_ref(), eta),
        }
    }

    fn global_conditional(
        &self,
        block: Block,
        batch: &PoissonGammaBatch,
        globals: &PoissonGammaGlobals,
        eta: &mut ArrayRef1<f64>,
    ) -> Result<(), ConjugateError> {
        let stats = self.stats_of(globals);
        let mut update = || -> Result<(), FamilyError> {
            match block {
                Block::Rates => {}
                Block::Rate => eta.assign(&self.rate_given(&stats, batch.rates)?.natural()),
                Block::Shape => shape_natural(self.shape_given(&stats, batch.log_rates)?.as_ref(), eta),
            }
            Ok(())
        };
        update().map_err(|e| refused(block, e))
    }

    fn set_global_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        globals: &mut PoissonGammaGlobals,
    ) -> Result<(), ConjugateError> {
        match block {
            Block::Rates => Ok(()),
            Block::Rate => set(&mut globals.0, eta, block),
            Block::Shape => set_shape(&mut globals.1, eta, block),
        }
    }

    fn complete(
        &self,
        globals: &PoissonGammaGlobals,
        exec: Exec<'_>,
    ) -> Result<(PoissonGammaFactors, PoissonGammaStats), ConjugateError> {
        let n = self.n_rates();
        let (rate, shape) = globals.clone();
        let mut stats = PoissonGammaStats {
            rates: Array1::zeros(n),
            log_rates: Array1::zeros(n),
            ..self.stats_of(globals)
        };
        let mut factors = PoissonGammaFactors { rates: vec![rate.clone(); n], rate, shape };
        self.condition(Block::Rates, &stats, &mut factors, exec)?;
        self.expect(Block::Rates, &factors, &mut stats, exec);
        Ok((factors, stats))
    }
}
