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

use ndarray::{ArrayRef2, ArrayView2, ArrayViewMut2, s};
use vi_core::linalg::{gemm, packed};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, scratch};

use super::factors::{FactorModelFactors, FactorModelStats};
use super::jacobi;
use super::rows::GaussianRows;
use super::scores::for_each_tile;
use super::{FactorModel, FactorModelBlock, NoiseShape, PrecisionPrior};

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
struct Step<'a> {
    rotation: ArrayViewMut2<'a, f64>,
    inverse: ArrayViewMut2<'a, f64>,
    log_det: f64,
    translation: &'a mut [f64],
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
        let moved = scratch::with_arrays([k * k, k * k, k], |[rotation, inverse, translation]| {
            let mut step = Step {
                rotation: square(rotation, k),
                inverse: square(inverse, k),
                log_det: 0.0,
                translation,
            };
            self.set_best_translation(stats, step.translation);
            let rotated = self.set_best_rotation(stats, &mut step);
            let moved = rotated || step.translation.iter().any(|t| *t != 0.0);
            if moved {
                self.apply(&step, factors, stats, exec);
            }
            moved
        });
        if !moved {
            return Ok(false);
        }
        for block in [FactorModelBlock::LoadingPrecision, FactorModelBlock::ScorePrecision] {
            self.condition(block, stats, factors, exec)?;
            self.expect(block, factors, stats, exec);
        }
        Ok(true)
    }

    pub(super) fn is_expanded(&self) -> bool {
        self.expanded
    }

    /// t ← (N Λ + β Ω)⁻¹ (β Σ_d E[w_d (μ_d − m)] − Λ Σ_n E[x_n]); 0 without intercepts.
    fn set_best_translation(&self, stats: &FactorModelStats, t: &mut [f64]) {
        let k = self.n_factors;
        let len = packed::len(k);
        t.fill(0.0);
        let Some(prior) = self.priors.intercept else { return };
        let sums = &stats.columns.total()[len..len + k];
        let lambda = &stats.score_precision.mean;
        for ((t, l), s) in t.iter_mut().zip(lambda).zip(sums) {
            *t = -l * s;
        }
        for d in 0..self.data.n_columns() {
            let (mean, covariance) = (stats.loadings.mean(d), stats.loadings.covariance(d));
            let intercept = mean[k] - self.intercept_mean(d);
            for (t, (w, cross)) in t.iter_mut().zip(mean.iter().zip(&covariance[len..])) {
                *t += prior.precision * (w * intercept + cross);
            }
        }
        scratch::with(len, |quadratic| {
            quadratic.fill(0.0);
            packed::add_scaled(
                prior.precision,
                stats.loading_total.as_slice().expect("one piece"),
                quadratic,
            );
            packed::add_diagonal(lambda.iter().map(|l| self.data.n_rows() as f64 * l), quadratic);
            if packed::cholesky(quadratic, k).is_err() {
                return t.fill(0.0);
            }
            packed::solve_lower_inplace(quadratic, t);
            packed::solve_lower_transposed_inplace(quadratic, t);
        });
    }

    /// out ← Σ_n E[(x + t)(x + t)ᵀ] packed.
    fn set_translated_total(&self, stats: &FactorModelStats, t: &[f64], out: &mut [f64]) {
        let len = packed::len(self.n_factors);
        let (second, first) = stats.columns.total().split_at(len);
        out.copy_from_slice(second);
        // Without intercepts there are no sums, and t = 0.
        packed::add_outer(self.data.n_rows() as f64, t, out);
        let mut next = 0;
        for (i, first_i) in first.iter().take(t.len()).enumerate() {
            for j in 0..=i {
                out[next] += first_i * t[j] + t[i] * first[j];
                next += 1;
            }
        }
    }

    /// Sets the R of the module and returns true if f is higher there than at 1, where it leaves R else.
    fn set_best_rotation(&self, stats: &FactorModelStats, step: &mut Step<'_>) -> bool {
        let k = self.n_factors;
        let (n, d) = (self.data.n_rows() as f64, self.data.n_columns() as f64);
        let (score, loading) =
            (Side { prior: self.priors.score, n }, Side { prior: self.priors.loading, n: d });
        step.reset();
        let lengths = [packed::len(k), k * k, k * k, k * k, k * k];
        scratch::with_arrays(lengths, |[factor, lower, full, product, vectors]| {
            self.set_translated_total(stats, step.translation, factor);
            let omega = stats.loading_total.as_slice().expect("one piece");
            let both = packed::diagonal(factor).zip(packed::diagonal(omega));
            let here: f64 = both.map(|(x, w)| score.value(x) + loading.value(w)).sum();
            let Ok(log_det) = packed::cholesky(factor, k) else { return false };
            // M = Lᵀ Ω L.
            set_lower(factor, lower, k);
            packed::unpack(omega, k, full);
            let lower = square(lower, k);
            gemm(1.0, &square(full, k), &lower, 0.0, &mut square(product, k));
            gemm(1.0, &lower.t(), &square(product, k), 0.0, &mut square(full, k));
            if !jacobi::eigen_inplace(full, vectors, k) {
                return false;
            }
            // The rows of R are r_j L⁻ᵀ v_j, the columns of R⁻¹ are L v_j/r_j.
            let mut there = (n - d) * (-0.5 * log_det);
            for (j, v) in vectors.chunks_exact_mut(k).enumerate() {
                let omega = full[j * k + j].max(0.0);
                let scale = best_scale(score, loading, n - d, omega);
                let u = scale * scale;
                there += (n - d) * scale.ln() + score.value(u) + loading.value(omega / u);
                let column = &mut product[..k];
                packed::multiply_lower(factor, v, column);
                packed::solve_lower_transposed_inplace(factor, v);
                for i in 0..k {
                    step.rotation[[j, i]] = scale * v[i];
                    step.inverse[[i, j]] = column[i] / scale;
                }
                step.log_det += scale.ln();
            }
            step.log_det -= 0.5 * log_det;
            let rises = there > here;
            if !rises {
                step.reset();
            }
            rises
        })
    }

    fn apply(
        &self,
        step: &Step<'_>,
        factors: &mut FactorModelFactors,
        stats: &mut FactorModelStats,
        exec: Exec<'_>,
    ) {
        let (k, p) = (self.n_factors, self.n_coefficients());
        scratch::with_arrays([p * p, p * p, p, p], |[of_scores, of_loadings, shift, turned]| {
            let (mut of_scores, mut of_loadings) = (square(of_scores, p), square(of_loadings, p));
            step.set_maps(&mut of_scores, &mut of_loadings);
            shift.fill(0.0);
            if p > k {
                shift.iter_mut().zip(of_scores.column(k)).take(k).for_each(|(s, t)| *s = *t);
            }
            transform(&mut factors.scores, &step.rotation, &shift[..k], 2.0 * step.log_det, exec);
            shift.fill(0.0);
            transform(&mut factors.loadings, &of_loadings, shift, -2.0 * step.log_det, exec);
            stats.scores.expect(&factors.scores);
            stats.loadings.expect(&factors.loadings);
            self.set_loading_sums(stats);
            // The reference and the sums about it turn with everything else, so no pass over the data is needed;
            // `squares` are as they were.
            let columns = &mut stats.columns;
            congruence(&of_scores, columns.total.as_slice_mut().expect("one piece"));
            for (mut reference, mut sums) in
                columns.reference.rows_mut().into_iter().zip(columns.sums.rows_mut())
            {
                let reference = reference.as_slice_mut().expect("row-major");
                let (cross, second) = sums.as_slice_mut().expect("row-major")[1..].split_at_mut(p);
                turn(&of_loadings, reference, turned);
                turn(&of_scores, cross, turned);
                if !second.is_empty() {
                    congruence(&of_scores, second);
                }
            }
        });
        if !self.data.is_complete() {
            self.set_score_second(stats, exec);
        }
    }
}

impl Step<'_> {
    /// R = 1; t stays.
    fn reset(&mut self) {
        for matrix in [&mut self.rotation, &mut self.inverse] {
            matrix.fill(0.0);
            matrix.diag_mut().fill(1.0);
        }
        self.log_det = 0.0;
    }

    /// T and T⁻ᵀ (P, P).
    fn set_maps(&self, of_scores: &mut ArrayRef2<f64>, of_loadings: &mut ArrayRef2<f64>) {
        let (k, p) = (self.translation.len(), of_scores.nrows());
        for map in [&mut *of_scores, &mut *of_loadings] {
            map.fill(0.0);
            map.diag_mut().fill(1.0);
        }
        of_scores.slice_mut(s![..k, ..k]).assign(&self.rotation);
        of_loadings.slice_mut(s![..k, ..k]).assign(&self.inverse.t());
        if p > k {
            // T⁻¹ = [R⁻¹  −t; 0  1].
            for (i, row) in self.rotation.rows().into_iter().enumerate() {
                of_scores[[i, k]] = row.iter().zip(&*self.translation).map(|(r, t)| r * t).sum();
                of_loadings[[k, i]] = -self.translation[i];
            }
        }
    }
}

/// A square matrix in these values.
fn square(values: &mut [f64], n: usize) -> ArrayViewMut2<'_, f64> {
    ArrayViewMut2::from_shape((n, n), values).expect("n · n values")
}

/// out (n, n) ← the lower triangle that is packed.
fn set_lower(packed: &[f64], out: &mut [f64], n: usize) {
    out.fill(0.0);
    let mut rest = packed;
    for (i, row) in out.chunks_exact_mut(n).enumerate() {
        let (own, after) = rest.split_at(i + 1);
        row[..=i].copy_from_slice(own);
        rest = after;
    }
}

/// x ← A x; `work` has its length.
fn turn(a: &ArrayRef2<f64>, x: &mut [f64], work: &mut [f64]) {
    for (out, row) in work.iter_mut().zip(a.rows()) {
        *out = row.iter().zip(&*x).map(|(a, x)| a * x).sum();
    }
    x.copy_from_slice(work);
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
fn transform(rows: &mut GaussianRows, a: &ArrayRef2<f64>, b: &[f64], log_det: f64, exec: Exec<'_>) {
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
            let mut turned = ArrayViewMut2::from_shape((items.len(), p), &mut *new).expect("P values a row");
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
fn congruence(a: &ArrayRef2<f64>, second: &mut [f64]) {
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
