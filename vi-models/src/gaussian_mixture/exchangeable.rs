//! Data are exchangeable given weights and components; the assignments are local.

use ndarray::{Array1, Array2, ArrayRef1, ArrayViewMut2};
use serde::{Deserialize, Serialize};
use vi_core::{Batch, ConditionallyConjugate, ConjugateError, Exchangeable, Exec, NaturalFactors};
use vi_families::{Dirichlet, ExponentialFamily, NormalWishart};

use super::natural::{components_from_natural, components_natural};
use super::tile::{Rows, tiles, with_workspace};
use super::{GaussianMixture, GaussianMixtureBlock as Block, GaussianMixtureFactors, GaussianMixtureStats};
use crate::checks::refused;

const GLOBAL_BLOCKS: [Block; 2] = [Block::Weights, Block::Components];

/// Data per partial sum, in units of one item of [`Exec::sum`], as in a sweep.
const ITEM: usize = 16;

/// q(π) Π_k q(μ_k, Λ_k), with the statistics expected under them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussianMixtureGlobals {
    weights: Dirichlet,
    components: Vec<NormalWishart>,
    stats: GaussianMixtureStats,
}

/// (N/|B|) Σ_{n∈B} r_nk T(x_n), in the place where the statistics have it.
#[derive(Clone, Debug)]
pub struct GaussianMixtureBatch(GaussianMixtureStats);

impl GaussianMixture {
    /// Σ r T(x)ᵀ (K, P) and Σ log Σ_k exp⟨η_k, T(x)⟩, as one vector, over `rows`.
    fn local_sums(
        &self,
        stats: &GaussianMixtureStats,
        rows: Rows<'_>,
        exec: Exec<'_>,
    ) -> Result<Array1<f64>, ConjugateError> {
        let (k, p, n) = (self.layout.n_components, self.layout.n_features, rows.len());
        let eta = stats.coefficients(self);
        let mut out = Array1::zeros(k * p + 1);
        exec.sum(n.div_ceil(ITEM), &mut out, |items, partial| {
            let partial = partial.as_slice_mut().expect("a partial sum is contiguous");
            let (sums, log_normaliser) = partial.split_at_mut(k * p);
            let mut sums = ArrayViewMut2::from_shape((k, p), sums).expect("K · P values");
            with_workspace(|w| {
                for tile in tiles(items.start * ITEM..(items.end * ITEM).min(n)) {
                    let n = tile.len();
                    w.set_features(self.layout, &self.data, &self.centre, rows, tile);
                    w.set_responsibilities(self.layout, n, &eta);
                    w.add_sums(self.layout, n, &mut sums);
                    log_normaliser[0] += w.log_normaliser.iter().sum::<f64>();
                }
            });
        })
        .map_err(|e| ConjugateError::Communication(e.to_string()))?;
        Ok(out)
    }

    fn expect_global(&self, block: Block, globals: &mut GaussianMixtureGlobals) {
        match block {
            Block::Weights => globals.stats.log_weights = globals.weights.expected_log(),
            Block::Components => {
                for (k, q) in globals.components.iter().enumerate() {
                    self.expect_component(q, k, &mut globals.stats);
                }
            }
            Block::Assignments => {}
        }
    }
}

/// The globals are weights and components: a step costs what a sweep over the batch does, and holds no N×K matrix.
impl Exchangeable for GaussianMixture {
    type Globals = GaussianMixtureGlobals;
    type BatchStats = GaussianMixtureBatch;

    fn n_data(&self) -> usize {
        self.data.nrows()
    }

    fn global_blocks(&self) -> &[Block] {
        &GLOBAL_BLOCKS
    }

    fn globals(
        &self,
        factors: &GaussianMixtureFactors,
        stats: &GaussianMixtureStats,
    ) -> GaussianMixtureGlobals {
        GaussianMixtureGlobals {
            weights: factors.weights.clone(),
            components: factors.components.clone(),
            stats: GaussianMixtureStats { labels: Vec::new(), ..stats.clone() },
        }
    }

    fn local_step(
        &self,
        globals: &GaussianMixtureGlobals,
        batch: Batch<'_>,
        exec: Exec<'_>,
    ) -> Result<GaussianMixtureBatch, ConjugateError> {
        let (k, p) = (self.layout.n_components, self.layout.n_features);
        let found = self.local_sums(&globals.stats, Rows::Indices(batch.indices), exec)?;
        let mut stats = GaussianMixtureStats::zeros(self);
        for (sum, found) in stats.sums.iter_mut().zip(found.iter().take(k * p)) {
            *sum = batch.scale * found;
        }
        Ok(GaussianMixtureBatch(stats))
    }

    fn n_global_natural(&self, block: Block) -> usize {
        self.n_natural(block)
    }

    fn global_natural(&self, block: Block, globals: &GaussianMixtureGlobals, eta: &mut ArrayRef1<f64>) {
        match block {
            Block::Weights => eta.assign(&globals.weights.natural()),
            Block::Components => components_natural(&globals.components, eta),
            Block::Assignments => {}
        }
    }

    fn global_conditional(
        &self,
        block: Block,
        batch: &GaussianMixtureBatch,
        _globals: &GaussianMixtureGlobals,
        eta: &mut ArrayRef1<f64>,
    ) -> Result<(), ConjugateError> {
        match block {
            Block::Weights => {
                let q = self.weights_conditional(&batch.0).map_err(|e| refused(block, e))?;
                eta.assign(&q.natural());
            }
            Block::Components => components_natural(&self.components_conditional(&batch.0)?, eta),
            Block::Assignments => {}
        }
        Ok(())
    }

    fn set_global_natural(
        &self,
        block: Block,
        eta: &ArrayRef1<f64>,
        globals: &mut GaussianMixtureGlobals,
    ) -> Result<(), ConjugateError> {
        match block {
            Block::Weights => {
                globals.weights = Dirichlet::from_natural(eta).map_err(|e| refused(block, e))?;
            }
            Block::Components => {
                globals.components = components_from_natural(eta, self.layout.n_components)?;
            }
            Block::Assignments => {}
        }
        self.expect_global(block, globals);
        Ok(())
    }

    fn complete(
        &self,
        globals: &GaussianMixtureGlobals,
        exec: Exec<'_>,
    ) -> Result<(GaussianMixtureFactors, GaussianMixtureStats), ConjugateError> {
        let mut factors = GaussianMixtureFactors {
            assignments: Array2::zeros((self.data.nrows(), self.layout.n_components + 1)),
            assignments_entropy: 0.0,
            weights: globals.weights.clone(),
            components: globals.components.clone(),
        };
        let mut stats = globals.stats.clone();
        self.condition(Block::Assignments, &stats, &mut factors, exec)?;
        self.expect(Block::Assignments, &factors, &mut stats, exec);
        Ok((factors, stats))
    }

    /// ```text
    /// Σ_n log Σ_k exp⟨E[η_k], T(x_n)⟩ − KL(q(π) ‖ p(π)) − Σ_k KL(q(μ_k, Λ_k) ‖ p(μ_k, Λ_k))
    /// ```
    /// in one pass over the data, without the N×K matrix.
    fn global_elbo(&self, globals: &GaussianMixtureGlobals, exec: Exec<'_>) -> Result<f64, ConjugateError> {
        let found = self.local_sums(&globals.stats, Rows::All(self.data.nrows()), exec)?;
        let likelihood = found[found.len() - 1];
        // With no data the log joint is that of the priors.
        let mut stats = globals.stats.clone();
        stats.sums.fill(0.0);
        let entropy: f64 = globals.components.iter().map(NormalWishart::entropy).sum();
        Ok(likelihood + self.expected_log_joint(&stats) + globals.weights.entropy() + entropy)
    }
}
