//! The steps behind the complete conditionals: responsibilities, sums of statistics, factors, draws.

use ndarray::{Array1, Array2, ArrayRef1, ArrayView1, ArrayView2, ArrayViewMut2, s};
use rand::RngExt;
use vi_core::linalg::Cholesky;
use vi_core::{ConjugateError, Exec, StreamKey, StreamRng};
use vi_families::{Dirichlet, ExponentialFamily, FamilyError, NormalWishart};

use super::tile::{Rows, Workspace, tiles, with_workspace};
use super::{GaussianMixture, GaussianMixtureBlock, GaussianMixtureFactors, GaussianMixtureStats};
use crate::checks::refused;

/// Data per partial sum of statistics, in units of one item of [`Exec::sum`]: a partial then covers
/// 16 · CHUNK data, and folding K·P values per partial costs next to nothing.
const ITEM: usize = 16;

impl GaussianMixture {
    /// E step: r_nk ∝ exp⟨E[η_k], T(x_n)⟩ (PRML eq. 10.46–10.49).
    pub(super) fn set_responsibilities(
        &self,
        stats: &GaussianMixtureStats,
        factors: &mut GaussianMixtureFactors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let eta = stats.coefficients(self);
        let width = self.layout.n_components + 1;
        let rows = factors.assignments.as_slice_mut().expect("assignments are created row-major");
        exec.for_each_chunk(rows, width, |items, rows| {
            let n = items.len();
            with_workspace(|w| {
                self.set_features(w, items);
                w.set_responsibilities(self.layout, n, &eta);
                w.copy_weights(rows, width);
                for (row, h) in rows.chunks_exact_mut(width).zip(w.entropy(n)) {
                    row[width - 1] = *h;
                }
            });
        });
        self.sum_entropy(factors, exec)
    }

    /// Sums the last column of the assignments; a value that is not finite names its datum.
    pub(super) fn sum_entropy(
        &self,
        factors: &mut GaussianMixtureFactors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let column = factors.assignments.column(self.layout.n_components);
        let entropy = exec
            .sum_scalar(column.len(), |items| items.map(|n| column[n]).sum())
            .map_err(|e| ConjugateError::Communication(e.to_string()))?;
        if !entropy.is_finite() {
            let n = column.iter().position(|h| !h.is_finite()).unwrap_or(0);
            let (parameter, value) = (format!("responsibilities[{n}]"), column[n]);
            return Err(ConjugateError::Domain {
                block: format!("{:?}", GaussianMixtureBlock::Assignments),
                parameter,
                value,
            });
        }
        factors.assignments_entropy = entropy;
        Ok(())
    }

    fn set_features(&self, w: &mut Workspace, items: std::ops::Range<usize>) {
        w.set_features(self.layout, &self.data, &self.centre, Rows::All(self.data.nrows()), items);
    }

    /// Σ_n w_n T(x_n)ᵀ (K, P), where `weights` puts the weights of a tile into the workspace.
    ///
    /// A failed exchange between ranks leaves NaN, which the ELBO or the next conditional reports.
    pub(super) fn set_sums(
        &self,
        stats: &mut GaussianMixtureStats,
        exec: Exec<'_>,
        weights: impl Fn(std::ops::Range<usize>, &mut Workspace) + Sync,
    ) {
        let (k, p, n) = (self.layout.n_components, self.layout.n_features, self.data.nrows());
        let mut out = Array1::zeros(k * p);
        let outcome = exec.sum(n.div_ceil(ITEM), &mut out, |items, partial| {
            let partial = partial.as_slice_mut().expect("a partial sum is contiguous");
            let mut sums = ArrayViewMut2::from_shape((k, p), partial).expect("K · P values");
            with_workspace(|w| {
                for tile in tiles(items.start * ITEM..(items.end * ITEM).min(n)) {
                    let n = tile.len();
                    self.set_features(w, tile.clone());
                    weights(tile, w);
                    w.add_sums(self.layout, n, &mut sums);
                }
            });
        });
        match outcome {
            Ok(()) => stats.sums = out.into_shape_with_order((k, p)).expect("K · P values"),
            Err(_) => stats.sums.fill(f64::NAN),
        }
    }

    /// α_k = α₀ + N_k (PRML eq. 10.58).
    pub(super) fn weights_conditional(&self, stats: &GaussianMixtureStats) -> Result<Dirichlet, FamilyError> {
        Dirichlet::from_concentration(&(stats.counts() + self.prior.concentration))
    }

    /// The normal-Wishart conditional of one component (PRML eq. 10.60–10.63).
    ///
    /// ```text
    /// β = β₀ + N,  ν = ν₀ + N,  m = (β₀ m₀ + N x̄)/β
    /// W⁻¹ = W₀⁻¹ + N S + (β₀ N/β)(x̄ − m₀)(x̄ − m₀)ᵀ
    /// ```
    /// Works on N S and not on its natural parameters, which would subtract β m mᵀ from Σ xxᵀ. An empty
    /// component gets the prior.
    fn component_conditional(
        &self,
        stats: &GaussianMixtureStats,
        k: usize,
    ) -> Result<NormalWishart, FamilyError> {
        let (prior, sums) = (&self.prior, stats.sums.row(k));
        let d = self.layout.dim;
        let n = self.layout.count(&sums);
        let mut inverse_scale = prior.scale_inverse.clone();
        if n <= 0.0 {
            return NormalWishart::from_mean_count_dof_inverse_scale(
                &prior.mean,
                prior.count,
                prior.dof,
                &inverse_scale,
            );
        }
        let count = prior.count + n;
        let sample_mean = sums.slice(s![..d]).mapv(|x| x / n);
        let shift = &sample_mean - &prior.mean;
        let mean = &prior.mean + &(&shift * (n / count));
        let shrink = prior.count * n / count;
        for i in 0..d {
            for j in 0..=i {
                let scatter = self.layout.second_moment(&sums, i, j) - sums[i] * sample_mean[j];
                inverse_scale[[i, j]] += scatter + shrink * shift[i] * shift[j];
                inverse_scale[[j, i]] = inverse_scale[[i, j]];
            }
        }
        NormalWishart::from_mean_count_dof_inverse_scale(&mean, count, prior.dof + n, &inverse_scale)
    }

    pub(super) fn components_conditional(
        &self,
        stats: &GaussianMixtureStats,
    ) -> Result<Vec<NormalWishart>, ConjugateError> {
        let one = |k| {
            self.component_conditional(stats, k)
                .map_err(|e| refused((GaussianMixtureBlock::Components, k), e))
        };
        (0..self.layout.n_components).map(one).collect()
    }

    /// T_k of one component.
    pub(super) fn expect_component(&self, q: &NormalWishart, k: usize, stats: &mut GaussianMixtureStats) {
        let precision = q.expected_precision();
        let precision_mean = precision.dot(q.mean());
        stats.quadratic[k] = q.mean().dot(&precision_mean) + self.layout.dim as f64 / q.count();
        stats.log_det[k] = q.expected_log_det();
        stats.mean.row_mut(k).assign(q.mean());
        stats.precision_mean.row_mut(k).assign(&precision_mean);
        stats.precision.slice_mut(s![k, .., ..]).assign(&precision);
    }

    /// T_k at a draw of one component.
    pub(super) fn realise_component(
        &self,
        q: &NormalWishart,
        k: usize,
        rng: &mut StreamRng,
        stats: &mut GaussianMixtureStats,
    ) {
        let (mean, precision) = q.sample(rng);
        let precision_mean = precision.dot(&mean);
        stats.quadratic[k] = mean.dot(&precision_mean);
        // A draw so near singular that it has no factorisation has no density: NaN is reported by the kernel.
        stats.log_det[k] = Cholesky::factor(&precision).map_or(f64::NAN, |c| c.log_det());
        stats.mean.row_mut(k).assign(&mean);
        stats.precision_mean.row_mut(k).assign(&precision_mean);
        stats.precision.slice_mut(s![k, .., ..]).assign(&precision);
    }

    pub(super) fn draw_labels(
        &self,
        factors: &GaussianMixtureFactors,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Vec<u32> {
        let responsibilities = factors.responsibilities();
        let mut labels = vec![0.0; self.data.nrows()];
        exec.for_each_chunk(&mut labels, 1, |items, labels| {
            for (n, label) in items.zip(labels) {
                *label = choose(&responsibilities.row(n), key.rng(n as u64).random()) as f64;
            }
        });
        labels.into_iter().map(|label| label as u32).collect()
    }

    /// (μ_k − c, Λ_k) of a `z` laid out as reported.
    pub(super) fn component_of(&self, z: &ArrayRef1<f64>, k: usize) -> (Array1<f64>, Array2<f64>) {
        let (n_components, d) = self.dims();
        let mean = z.slice(s![n_components + k * d..n_components + (k + 1) * d]).to_owned() - &self.centre;
        let start = n_components * (1 + d) + k * d * d;
        let precision = Array2::from_shape_fn((d, d), |(i, j)| z[start + i * d + j]);
        (mean, precision)
    }

    /// Writes π, μ and Λ into a `z` laid out as reported.
    pub(super) fn write<'a>(
        &self,
        z: &mut ArrayRef1<f64>,
        weights: impl Iterator<Item = f64>,
        components: impl Iterator<Item = (ArrayView1<'a, f64>, ArrayView2<'a, f64>)>,
    ) {
        let (n_components, d) = self.dims();
        for (z, w) in z.iter_mut().zip(weights) {
            *z = w;
        }
        for (k, (mean, precision)) in components.enumerate() {
            for i in 0..d {
                z[n_components + k * d + i] = mean[i] + self.centre[i];
                for j in 0..d {
                    z[n_components * (1 + d) + (k * d + i) * d + j] = precision[[i, j]];
                }
            }
        }
    }
}

/// The first k whose cumulative probability exceeds u; rounding never chooses an impossible one.
pub(super) fn choose(probabilities: &ArrayRef1<f64>, u: f64) -> usize {
    let (mut cumulative, mut last) = (0.0, 0);
    for (k, &p) in probabilities.iter().enumerate() {
        if p > 0.0 {
            cumulative += p;
            last = k;
            if u < cumulative {
                break;
            }
        }
    }
    last
}
