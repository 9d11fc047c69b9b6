//! Draws: weights, components, assignments with missing values; and how they are reported.

use ndarray::{Array2, ArrayRef1, ArrayView1, s};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use vi_core::linalg::Cholesky;
use vi_core::{Exec, StreamKey, StreamRng};
use vi_families::{ExponentialFamily, Gamma, Wishart};

use super::components::{ComponentFactors, ComponentStats, row, row_mut};
use super::covariance::Covariance;
use super::data::{Conditional, centred};
use super::factors::AssignmentFactors;
use super::tile::tiles;
use super::weights::WeightsStats;
use super::{GaussianMixture, GaussianMixtureStats};
use crate::draws::choose;

impl GaussianMixture {
    /// Draws every component: precision number j from `rng(K + j)` where it is shared, otherwise with its mean from
    /// `rng(k)`.
    pub(super) fn draw_components(
        &self,
        q: &ComponentFactors,
        mut rng: impl FnMut(usize, &mut dyn FnMut(&mut StreamRng)),
        out: &mut ComponentStats,
    ) {
        let (covariance, k) = (self.covariance(), self.n_components);
        if covariance == Covariance::Tied {
            rng(k, &mut |rng| self.draw_precision(q, 0, rng, out));
        }
        for k in 0..k {
            rng(k, &mut |rng| {
                if covariance != Covariance::Tied {
                    self.draw_precision(q, k, rng, out);
                }
                self.draw_mean(q, k, rng, out);
            });
        }
        out.complete(covariance, |_| 0.0);
    }

    /// Λ number j and log |Λ|; a factor outside its domain gives NaN, which kernels report.
    fn draw_precision(&self, q: &ComponentFactors, j: usize, rng: &mut StreamRng, out: &mut ComponentStats) {
        let (covariance, d) = (self.covariance(), self.layout.dim);
        let (b, dof) = (row(&q.inverse_scale, j), q.dof[j]);
        let precision = row_mut(&mut out.precision, j);
        let gamma = |shape: f64, rate: f64, rng: &mut StreamRng| {
            Gamma::from_shape_rate(shape, rate).map_or(f64::NAN, |g| g.sample(rng).max(f64::MIN_POSITIVE))
        };
        match covariance {
            Covariance::Full | Covariance::Tied => {
                let b = Array2::from_shape_fn((d, d), |(i, j)| b[i * d + j]);
                match Wishart::from_dof_inverse_scale(dof, &b) {
                    Ok(law) => {
                        precision.iter_mut().zip(law.sample(rng)).for_each(|(p, v)| *p = v);
                    }
                    Err(_) => precision.fill(f64::NAN),
                }
            }
            Covariance::Diagonal => {
                precision.iter_mut().zip(b).for_each(|(p, b)| *p = gamma(0.5 * dof, 0.5 * b, rng));
            }
            Covariance::Spherical => {
                precision[0] = gamma(0.5 * d as f64 * dof, 0.5 * d as f64 * b[0], rng);
            }
        }
        out.log_det[j] = match factor(covariance, precision, d) {
            Some(factor) => factor.log_det(),
            None if covariance.is_matrix() => f64::NAN,
            None => covariance.log_det_of_values(precision, d),
        };
    }

    fn draw_mean(&self, q: &ComponentFactors, k: usize, rng: &mut StreamRng, out: &mut ComponentStats) {
        let (covariance, d) = (self.covariance(), self.layout.dim);
        let precision = row(&out.precision, covariance.of(k));
        let mut noise = ndarray::Array1::from_shape_fn(d, |_| {
            let noise: f64 = StandardNormal.sample(rng);
            noise / q.count[k].sqrt()
        });
        match factor(covariance, precision, d) {
            // Λ = L Lᵀ, so L⁻ᵀ ε has covariance Λ⁻¹.
            Some(factor) => factor.solve_lower_transposed_inplace(&mut noise),
            None if covariance.is_matrix() => noise.fill(f64::NAN),
            None => noise.indexed_iter_mut().for_each(|(i, v)| *v /= precision[i % precision.len()].sqrt()),
        }
        out.mean.row_mut(k).assign(&(noise + q.mean.row(k)));
    }

    /// Draws labels and missing values, and sums their statistics.
    pub(super) fn draw_assignments(
        &self,
        q: &AssignmentFactors,
        key: StreamKey,
        stats: &mut GaussianMixtureStats,
        exec: Exec<'_>,
    ) {
        let (n, k) = (self.data.nrows(), self.n_components);
        let mut labels = vec![0.0; n];
        let kept = q.responsibilities.as_slice().expect("row-major");
        exec.for_each_chunk(&mut labels, 1, |items, labels| {
            let pick = |rows: &[f64], labels: &mut [f64]| {
                for ((n, label), row) in items.clone().zip(labels).zip(rows.chunks_exact(k)) {
                    *label = choose(row.iter().copied(), key.rng(n as u64).random()) as f64;
                }
            };
            if kept.is_empty() {
                vi_core::scratch::with(items.len() * k, |rows| {
                    self.tile_responsibilities(q, items.clone(), rows);
                    pick(rows, labels);
                });
            } else {
                pick(&kept[items.start * k..items.end * k], labels);
            }
        });
        stats.labels = labels.into_iter().map(|label| label as u32).collect();
        stats.imputed = self.draw_missing(q, key.fold_in(1), &stats.labels);
        self.sum_realised(stats, exec);
    }

    fn draw_missing(&self, q: &AssignmentFactors, key: StreamKey, labels: &[u32]) -> Vec<f64> {
        let Some(missing) = &self.missing else { return Vec::new() };
        let mut values = vec![0.0; missing.len()];
        for (n, at) in missing.rows() {
            let (columns, mut rng) = (missing.columns(at.clone()), key.rng(n as u64));
            let values = &mut values[at];
            values.iter_mut().for_each(|v| *v = StandardNormal.sample(&mut rng));
            self.conditional(q, n, labels[n] as usize, columns).transform_noise(columns, values);
        }
        values
    }

    /// The law of the missing values of datum `n` under component `k`.
    pub(super) fn conditional(
        &self,
        q: &AssignmentFactors,
        n: usize,
        k: usize,
        columns: &[usize],
    ) -> Conditional {
        let mut x = vec![0.0; self.layout.dim];
        centred(&self.data, &self.centre, n, &mut x);
        Conditional::new(&self.layout, row(&q.coefficients, k), &x, columns)
    }

    /// Σ_n T(x_n) of every component's data.
    ///
    /// A failed exchange between ranks leaves NaN, which the log joint or the next conditional reports.
    fn sum_realised(&self, stats: &mut GaussianMixtureStats, exec: Exec<'_>) {
        let (layout, labels, imputed) = (&self.layout, &stats.labels, &stats.imputed);
        let (k, p, n) = (self.n_components, layout.n_features, self.data.nrows());
        let mut out = ndarray::Array1::zeros(k * p);
        let outcome = exec.map_and_sum_in(
            n,
            self.data_per_partial(),
            &mut [],
            &mut out,
            &mut Vec::new(),
            |items, _, partial| {
                let sums = partial.as_slice_mut().expect("contiguous");
                let mut x = vec![0.0; layout.dim];
                for n in tiles(items).flatten() {
                    centred(&self.data, &self.centre, n, &mut x);
                    if let Some((missing, at)) = self.missing.as_ref().and_then(|m| Some((m, m.of_row(n)?))) {
                        for (column, v) in missing.columns(at.clone()).iter().zip(&imputed[at]) {
                            x[*column] = *v;
                        }
                    }
                    let sums = &mut sums[labels[n] as usize * p..(labels[n] as usize + 1) * p];
                    layout.for_each_feature(&x, |p, v| sums[p] += v);
                }
            },
        );
        match outcome {
            Ok(()) => stats.sums = out.into_shape_with_order((k, p)).expect("K · P values"),
            Err(_) => stats.sums.fill(f64::NAN),
        }
    }

    /// Writes π, μ and Λ into a `z` laid out as reported. Weights below the smallest normal number are written as
    /// that, to stay inside the simplex.
    pub(super) fn write(&self, weights: &WeightsStats, components: &ComponentStats, z: &mut ArrayRef1<f64>) {
        let (k, d) = self.dims();
        for (z, l) in z.iter_mut().zip(&weights.log_weights) {
            *z = l.exp().max(f64::MIN_POSITIVE);
        }
        for ((z, m), i) in z.iter_mut().skip(k).zip(&components.mean).zip(0..) {
            *z = m + self.centre[i % d];
        }
        for (z, p) in z.iter_mut().skip(k * (1 + d)).zip(&components.precision) {
            *z = *p;
        }
    }

    /// Statistics of the components of a `z` laid out as reported, without log |Λ| and what needs it.
    pub(super) fn read(&self, z: &ArrayView1<'_, f64>) -> ComponentStats {
        let ((k, d), covariance) = (self.dims(), self.covariance());
        let mut stats = ComponentStats::zeros(covariance, k, d);
        for ((m, z), i) in stats.mean.iter_mut().zip(z.slice(s![k..])).zip(0..) {
            *m = z - self.centre[i % d];
        }
        for (p, z) in stats.precision.iter_mut().zip(z.slice(s![k * (1 + d)..])) {
            *p = *z;
        }
        if covariance.is_matrix() {
            for mut row in stats.precision.rows_mut() {
                for i in 0..d {
                    for j in 0..i {
                        let value = 0.5 * (row[i * d + j] + row[j * d + i]);
                        (row[i * d + j], row[j * d + i]) = (value, value);
                    }
                }
            }
        }
        stats.complete(covariance, |_| 0.0);
        stats
    }
}

/// The factorisation of a precision that is a matrix, if it has one.
pub(super) fn factor(covariance: Covariance, precision: &[f64], d: usize) -> Option<Cholesky> {
    let matrix = || ndarray::ArrayView2::from_shape((d, d), precision).expect("D² values");
    if covariance.is_matrix() { Cholesky::factor(&matrix()).ok() } else { None }
}
