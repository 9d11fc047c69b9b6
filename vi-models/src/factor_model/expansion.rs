//! Translations and rotations of the factors: steps along which coordinate ascent crawls.
//!
//! ```text
//! x̃ ← T x̃,   w̃ ← T⁻ᵀ w̃,   T = [R  R t; 0  1]          x̃ = (x, 1),  w̃ = (w, μ)
//! ```
//! leaves w̃ᵀx̃, and with it the likelihood, as it is. What is left of the bound, with X = Σ_n E[xxᵀ], Ω = Σ_d E[wwᵀ] and
//! q(α), q(λ) at their best, is
//!
//! ```text
//! f(R) = φ_λ(diag R X Rᵀ) + (N − D) log |R| + φ_α(diag R⁻ᵀ Ω R⁻¹)
//! φ(s) = −½ Σ_k λ s_k of a known precision λ,   −(a + n/2) Σ_k log (b + ½ s_k) of one with a Gamma(a, b) prior
//! ```
//! **Rotation.** f is stationary exactly where both matrices are diagonal: R = diag(r) Vᵀ L⁻¹ with X = L Lᵀ and V the
//! eigenvectors of Lᵀ Ω L, whose eigenvalues are ω_k. What is left are K equations in u = r_k², each with one root:
//!
//! ```text
//! −g_λ(u) + ½ (N − D) + g_α(ω_k/u) = 0,      g(s) = ½ λ s  or  (a + n/2) ½ s / (b + ½ s)
//! ```
//! With known λ that is the highest value of f: for any R, turning R⁻ᵀΩR⁻¹ to its eigenvectors keeps the first two terms
//! and raises the third, because φ_α is Schur-convex. Otherwise the step is taken only if f rises.
//!
//! **Translation.** t maximises a concave quadratic function, −½ Σ_n E[(x + t)ᵀΛ(x + t)] − ½ β Σ_d E[(μ_d − m − w_dᵀt)²].
//!
//! Sources: Y. Qi & T. S. Jaakkola, "Parameter expanded variational Bayesian methods", *NIPS* (2006); J. Luttinen & A. Ilin,
//! "Transformations in variational Bayesian factor analysis to speed up learning", *Neurocomputing* 73 (2010) 1093–1102;
//! J. Luttinen, "Fast variational Bayesian linear state-space model", *ECML* (2013). They climb f numerically; the closed
//! form is worked out here.

use ndarray::{Array1, Array2, ArrayView2, s};
use vi_core::linalg::{Cholesky, SymmetricEigen, gemm, packed};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec};

use super::factors::{FactorModelFactors, FactorModelStats};
use super::rows::GaussianRows;
use super::scores::for_each_tile;
use super::{FactorModel, FactorModelBlock, NoiseShape, PrecisionPrior};
use vi_core::scratch;

/// φ and g of the module, for n vectors.
#[derive(Clone, Copy)]
struct Side {
    prior: PrecisionPrior,
    n: f64,
}

impl Side {
    fn value(&self, square: f64) -> f64 {
        match self.prior {
            PrecisionPrior::Known { precision } => -0.5 * precision * square,
            PrecisionPrior::Gamma { shape, rate } => -(shape + 0.5 * self.n) * (rate + 0.5 * square).ln(),
        }
    }

    fn pull(&self, square: f64) -> f64 {
        match self.prior {
            PrecisionPrior::Known { precision } => 0.5 * precision * square,
            PrecisionPrior::Gamma { shape, rate } => {
                (shape + 0.5 * self.n) * (0.5 * square / (rate + 0.5 * square))
            }
        }
    }
}

/// R, its inverse and log |R|; t.
struct Step {
    rotation: Array2<f64>,
    inverse: Array2<f64>,
    log_det: f64,
    translation: Array1<f64>,
}

impl<S: NoiseShape> FactorModel<S> {
    /// Translates and rotates the factors to where the bound is highest, with q(α) and q(λ) at their best there;
    /// `stats` are expected statistics, before and after. Returns whether anything was moved: nothing is where the
    /// bound would not rise.
    ///
    /// Coordinate ascent does it after every sweep by itself unless [`FactorModel::with_expansion`] says otherwise. The
    /// order of the factors means nothing afterwards.
    ///
    /// # Errors
    /// [`ConjugateError`] when a precision's conditional cannot be formed.
    pub fn expand_factors(
        &self,
        factors: &mut FactorModelFactors,
        stats: &mut FactorModelStats,
        exec: Exec<'_>,
    ) -> Result<bool, ConjugateError> {
        let k = self.n_factors;
        let translation = self.best_translation(stats);
        let mut scores = packed::unpacked(&stats.columns.total()[..packed::len(k)], k);
        self.translate_total(stats, &translation, &mut scores);
        let loadings = packed::unpacked(stats.loading_total.as_slice().expect("one piece"), k);
        let rotated = self.best_rotation(&scores, &loadings);
        let moved = translation.iter().any(|t| *t != 0.0);
        let Some(step) = rotated.or_else(|| moved.then(|| Step::identity(k))) else { return Ok(false) };
        self.apply(&Step { translation, ..step }, factors, stats, exec);
        for block in [FactorModelBlock::LoadingPrecision, FactorModelBlock::ScorePrecision] {
            self.condition(block, stats, factors, exec)?;
            self.expect(block, factors, stats, exec);
        }
        Ok(true)
    }

    pub(super) fn is_expanded(&self) -> bool {
        self.expanded
    }

    /// (N Λ + β Ω)⁻¹ (β Σ_d E[w_d (μ_d − m)] − Λ Σ_n E[x_n]); 0 without intercepts.
    fn best_translation(&self, stats: &FactorModelStats) -> Array1<f64> {
        let k = self.n_factors;
        let len = packed::len(k);
        let Some(prior) = self.priors.intercept else { return Array1::zeros(k) };
        let sums = &stats.columns.total()[len..len + k];
        let lambda = &stats.score_precision.mean;
        let mut quadratic =
            packed::unpacked(stats.loading_total.as_slice().expect("one piece"), k) * prior.precision;
        let mut linear = Array1::from_iter(lambda.iter().zip(sums).map(|(l, s)| -l * s));
        for j in 0..k {
            quadratic[[j, j]] += self.data.n_rows() as f64 * lambda[j];
        }
        for d in 0..self.data.n_columns() {
            let (mean, covariance) = (stats.loadings.mean(d), stats.loadings.covariance(d));
            let intercept = mean[k] - self.intercept_mean(d);
            let terms = mean.iter().zip(&covariance[len..]);
            for (linear, (w, cross)) in linear.iter_mut().zip(terms) {
                *linear += prior.precision * (w * intercept + cross);
            }
        }
        match Cholesky::factor(&quadratic) {
            Ok(cholesky) => {
                cholesky.solve_inplace(&mut linear);
                linear
            }
            Err(_) => Array1::zeros(k),
        }
    }

    /// Σ_n E[(x + t)(x + t)ᵀ] from Σ_n E[xxᵀ].
    fn translate_total(&self, stats: &FactorModelStats, t: &Array1<f64>, total: &mut Array2<f64>) {
        let k = self.n_factors;
        if self.priors.intercept.is_none() {
            return;
        }
        let n = self.data.n_rows() as f64;
        let sums = &stats.columns.total()[packed::len(k)..];
        for ((i, j), total) in total.indexed_iter_mut() {
            *total += sums[i] * t[j] + t[i] * sums[j] + n * t[i] * t[j];
        }
    }

    /// The R of the module, if f is higher there than at 1.
    fn best_rotation(&self, scores: &Array2<f64>, loadings: &Array2<f64>) -> Option<Step> {
        let k = self.n_factors;
        let (n, d) = (self.data.n_rows() as f64, self.data.n_columns() as f64);
        let (score, loading) =
            (Side { prior: self.priors.score, n }, Side { prior: self.priors.loading, n: d });
        let factor = Cholesky::factor(scores).ok()?;
        let l = factor.l();
        let eigen = SymmetricEigen::factor(&l.t().dot(&loadings.dot(l))).ok()?;
        let scales: Vec<f64> =
            eigen.values().iter().map(|omega| best_scale(score, loading, n - d, omega.max(0.0))).collect();
        let mut inverse = l.dot(eigen.vectors());
        let mut rotation = eigen.vectors().clone();
        factor.solve_lower_transposed_matrix_inplace(&mut rotation);
        for (j, scale) in scales.iter().enumerate() {
            rotation.column_mut(j).mapv_inplace(|r| r * scale);
            inverse.column_mut(j).mapv_inplace(|r| r / scale);
        }
        let rotation = rotation.reversed_axes().as_standard_layout().into_owned();
        let log_det = scales.iter().map(|r| r.ln()).sum::<f64>() - 0.5 * factor.log_det();
        let there: f64 = (0..k)
            .map(|j| {
                let u = scales[j] * scales[j];
                score.value(u) + loading.value(eigen.values()[j].max(0.0) / u)
            })
            .sum();
        let here: f64 = (0..k).map(|j| score.value(scores[[j, j]]) + loading.value(loadings[[j, j]])).sum();
        (there + (n - d) * log_det > here).then(|| Step {
            rotation,
            inverse,
            log_det,
            translation: Array1::zeros(k),
        })
    }

    fn apply(
        &self,
        step: &Step,
        factors: &mut FactorModelFactors,
        stats: &mut FactorModelStats,
        exec: Exec<'_>,
    ) {
        let (k, p) = (self.n_factors, self.n_coefficients());
        let (of_scores, of_loadings) = step.maps(k, p);
        let shift = step.rotation.dot(&step.translation);
        transform(&mut factors.scores, &step.rotation, &shift, 2.0 * step.log_det, exec);
        transform(&mut factors.loadings, &of_loadings, &Array1::zeros(p), -2.0 * step.log_det, exec);
        stats.scores.expect(&factors.scores);
        stats.loadings.expect(&factors.loadings);
        self.set_loading_sums(stats);
        // The reference and the sums about it turn with everything else, so no pass over the data is needed; `squares`
        // are as they were.
        let columns = &mut stats.columns;
        congruence(&of_scores, columns.total.as_slice_mut().expect("one piece"));
        for d in 0..self.data.n_columns() {
            let mut reference = columns.reference.row_mut(d);
            let turned = of_loadings.dot(&reference);
            reference.assign(&turned);
            let mut cross = columns.sums.slice_mut(s![d, 1..1 + p]);
            let turned = of_scores.dot(&cross);
            cross.assign(&turned);
            let mut row = columns.sums.row_mut(d);
            let second = &mut row.as_slice_mut().expect("row-major")[1 + p..];
            if !second.is_empty() {
                congruence(&of_scores, second);
            }
        }
        if !self.data.is_complete() {
            self.set_score_second(stats, exec);
        }
    }
}

impl Step {
    fn identity(k: usize) -> Self {
        Self {
            rotation: Array2::eye(k),
            inverse: Array2::eye(k),
            log_det: 0.0,
            translation: Array1::zeros(k),
        }
    }

    /// T and T⁻ᵀ (P, P).
    fn maps(&self, k: usize, p: usize) -> (Array2<f64>, Array2<f64>) {
        let (mut of_scores, mut of_loadings) = (Array2::eye(p), Array2::eye(p));
        of_scores.slice_mut(s![..k, ..k]).assign(&self.rotation);
        of_loadings.slice_mut(s![..k, ..k]).assign(&self.inverse.t());
        if p > k {
            // T⁻¹ = [R⁻¹  −t; 0  1].
            of_scores.slice_mut(s![..k, k]).assign(&self.rotation.dot(&self.translation));
            of_loadings.slice_mut(s![k, ..k]).assign(&self.translation.mapv(|t| -t));
        }
        (of_scores, of_loadings)
    }
}

/// r with r² the root of the equation of the module, whose left side falls from above 0 to below it.
fn best_scale(score: Side, loading: Side, surplus: f64, omega: f64) -> f64 {
    let slope = |log_u: f64| {
        let u = log_u.exp();
        -score.pull(u) + 0.5 * surplus + loading.pull(omega / u)
    };
    let (mut low, mut high) = (-60.0, 60.0);
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        if slope(middle) > 0.0 { low = middle } else { high = middle }
    }
    (0.25 * (low + high)).exp()
}

/// m_i ← A m_i + b, Σ_i ← A Σ_i Aᵀ of every vector, log |Σ_i| += `log_det`.
fn transform(rows: &mut GaussianRows, a: &Array2<f64>, b: &Array1<f64>, log_det: f64, exec: Exec<'_>) {
    let p = rows.order();
    let len = packed::len(p);
    if !rows.shared.is_empty() {
        congruence(a, &mut rows.shared[..len]);
        rows.shared[len] += log_det;
    }
    let own = rows.shared.is_empty();
    let width = rows.rows.ncols();
    for_each_tile(exec, rows.rows.as_slice_mut().expect("row-major"), width, |items, rows| {
        scratch::with_arrays([items.len() * p, items.len() * p], |[old, new]| {
            for (old, row) in old.chunks_exact_mut(p).zip(rows.chunks_exact(width)) {
                old.copy_from_slice(&row[..p]);
            }
            let old = ArrayView2::from_shape((items.len(), p), old).expect("P values a row");
            let mut turned =
                ndarray::ArrayViewMut2::from_shape((items.len(), p), &mut *new).expect("P values a row");
            gemm(1.0, &old, &a.t(), 0.0, &mut turned);
            for (row, new) in rows.chunks_exact_mut(width).zip(new.chunks_exact(p)) {
                row[..p].iter_mut().zip(new).zip(b).for_each(|((m, new), b)| *m = new + b);
                if own {
                    congruence(a, &mut row[p..p + len]);
                    row[p + len] += log_det;
                }
            }
        });
    });
}

/// S ← A S Aᵀ, S packed.
fn congruence(a: &Array2<f64>, second: &mut [f64]) {
    let p = a.nrows();
    scratch::with_arrays([p * p, p], |[half, row]| {
        // half = A S, row by row.
        for (i, half) in half.chunks_exact_mut(p).enumerate() {
            row.iter_mut().zip(a.row(i)).for_each(|(r, a)| *r = *a);
            packed::multiply(second, row, half);
        }
        let mut next = 0;
        for (i, half) in half.chunks_exact(p).enumerate() {
            for j in 0..=i {
                second[next] = half.iter().zip(a.row(j)).map(|(h, a)| h * a).sum();
                next += 1;
            }
        }
    });
}
