//! Data are exchangeable given weights and components; assignments and missing values are local.

use ndarray::{Array1, Array2, ArrayRef1, ArrayViewMut2, s};
use serde::{Deserialize, Serialize};
use vi_core::{Batch, ConditionallyConjugate, ConjugateError, Exchangeable, Exec};

use super::components::ComponentFactors;
use super::factors::AssignmentFactors;
use super::natural::{check_weights, set_weights_natural, weights_natural};
use super::tile::{Rows, TILE, tiles, with_workspace};
use super::weights::WeightsLaw;
use super::{GaussianMixture, GaussianMixtureBlock as Block, GaussianMixtureFactors, GaussianMixtureStats};

const GLOBAL_BLOCKS: [Block; 2] = [Block::Weights, Block::Components];

/// q(π) q(μ, Λ), with the statistics expected under them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussianMixtureGlobals {
    weights: WeightsLaw,
    components: ComponentFactors,
}

/// (N/|B|) Σ_{n∈B} r_nk E\[T(x_n)\] (K, P), with all products that densities need.
///
/// Tied covariances need them here: with the scatter of all data and the means of a batch, λ̂ could lie outside the family.
#[derive(Clone, Debug)]
pub struct GaussianMixtureBatch(Array2<f64>);

impl GaussianMixture {
    /// Σ r E\[T(x)\]ᵀ (K, P) and Σ log Σ_k ∫ exp⟨η_k, T(x)⟩ over missing values, as one vector, over `rows`.
    fn local_sums(
        &self,
        globals: &GaussianMixtureGlobals,
        rows: Rows<'_>,
        exec: Exec<'_>,
    ) -> Result<Array1<f64>, ConjugateError> {
        let (layout, k, n) = (&self.density_layout, self.n_components, rows.len());
        let mut eta = Array2::zeros((k, layout.n_features));
        let log_weights = ndarray::aview1(&globals.weights.expected.log_weights);
        layout.set_coefficients(self.covariance(), &log_weights, &globals.components.expected, &mut eta);
        let mut out = Array1::zeros(eta.len() + 1);
        let add = |items: std::ops::Range<usize>, partial: &mut ArrayRef1<f64>| {
            let partial = partial.as_slice_mut().expect("a partial sum is contiguous");
            let (sums, log_normaliser) = partial.split_at_mut(eta.len());
            let mut sums = ArrayViewMut2::from_shape(eta.dim(), sums).expect("K · P values");
            with_workspace(|w| {
                for tile in tiles(items) {
                    w.load(rows, tile);
                    w.set_responsibilities(layout, k, &eta, rows);
                    log_normaliser[0] += w.log_normalisers().iter().sum::<f64>();
                    w.add_sums(layout, Some(&eta), rows, &mut sums);
                }
            });
        };
        // A batch is shared out more finely than all data are in a sweep.
        let chunk = self.data_per_partial().min(n.div_ceil(16).div_ceil(TILE).max(1) * TILE);
        exec.map_and_sum_in(n, chunk, &mut [], &mut out, &mut Vec::new(), |items, _, out| add(items, out))
            .map_err(|e| ConjugateError::Communication(e.to_string()))?;
        let value = out[out.len() - 1];
        if value.is_finite() {
            return Ok(out);
        }
        let (block, parameter) = (format!("{:?}", Block::Assignments), "Σ log normalisers".to_owned());
        Err(ConjugateError::Domain { block, parameter, value })
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

    fn globals(&self, factors: &GaussianMixtureFactors, _: &GaussianMixtureStats) -> GaussianMixtureGlobals {
        GaussianMixtureGlobals { weights: factors.weights.clone(), components: factors.components.clone() }
    }

    fn local_step(
        &self,
        globals: &GaussianMixtureGlobals,
        batch: Batch<'_>,
        exec: Exec<'_>,
    ) -> Result<GaussianMixtureBatch, ConjugateError> {
        let rows = Rows { indices: Some(batch.indices), ..self.all_rows() };
        let found = self.local_sums(globals, rows, exec)?;
        let shape = (self.n_components, self.density_layout.n_features);
        let sums = found.slice(s![..-1]).mapv(|v| batch.scale * v);
        Ok(GaussianMixtureBatch(sums.into_shape_with_order(shape).expect("K · P values")))
    }

    fn n_global_natural(&self, block: Block) -> usize {
        vi_core::NaturalFactors::n_natural(self, block)
    }

    fn global_natural(&self, block: Block, globals: &GaussianMixtureGlobals, eta: &mut ArrayRef1<f64>) {
        match block {
            Block::Weights => eta.assign(&weights_natural(&globals.weights)),
            Block::Components => eta.assign(&self.components_natural(&globals.components)),
            Block::Assignments => {}
        }
    }

    fn global_conditional(
        &self,
        block: Block,
        GaussianMixtureBatch(sums): &GaussianMixtureBatch,
        globals: &GaussianMixtureGlobals,
        eta: &mut ArrayRef1<f64>,
    ) -> Result<(), ConjugateError> {
        match block {
            Block::Weights => {
                let mut q = globals.weights.clone();
                let counts = sums.rows().into_iter();
                q.condition(&self.prior.weights, counts.map(|row| row[row.len() - 1]));
                check_weights(&q)?;
                eta.assign(&weights_natural(&q));
            }
            Block::Components => eta.assign(&self.components_conditional_natural(sums)),
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
            Block::Weights => set_weights_natural(eta, &mut globals.weights),
            Block::Components => self.set_components_natural(eta, &mut globals.components),
            Block::Assignments => Ok(()),
        }
    }

    fn complete(
        &self,
        globals: &GaussianMixtureGlobals,
        exec: Exec<'_>,
    ) -> Result<(GaussianMixtureFactors, GaussianMixtureStats), ConjugateError> {
        let mut factors = GaussianMixtureFactors {
            assignments: AssignmentFactors::zeros(self),
            weights: globals.weights.clone(),
            components: globals.components.clone(),
        };
        let mut stats = GaussianMixtureStats::zeros(self);
        for block in GLOBAL_BLOCKS {
            self.expect(block, &factors, &mut stats, exec);
        }
        self.condition(Block::Assignments, &stats, &mut factors, exec)?;
        self.expect(Block::Assignments, &factors, &mut stats, exec);
        Ok((factors, stats))
    }

    /// ```text
    /// Σ_n log Σ_k ∫ exp⟨E[η_k], T(x_n)⟩ − KL(q(π) ‖ p(π)) − KL(q(μ, Λ) ‖ p(μ, Λ))
    /// ```
    /// in one pass over the data, without the N×K matrix.
    fn global_elbo(&self, globals: &GaussianMixtureGlobals, exec: Exec<'_>) -> Result<f64, ConjugateError> {
        let found = self.local_sums(globals, self.all_rows(), exec)?;
        let (covariance, weights, components) = (self.covariance(), &globals.weights, &globals.components);
        let prior = self.prior.weights.log_density(&weights.expected)
            + self.prior.log_density(covariance, &components.expected);
        Ok(found[found.len() - 1] + prior + weights.entropy() + components.entropy(covariance))
    }
}
