//! The model by its complete conditionals.

use ndarray::{Array2, ArrayRef1, ArrayRef2, s};
use vi_core::{ConditionallyConjugate, ConjugateError, Exec, ParameterSpace, StreamKey, StreamRng};
use vi_families::{ExponentialFamily, Gamma};

use super::factors::{FactorModelFactors, FactorModelStats, Precisions, StartPrecisions};
use super::rows::fill_normal;
use super::{FactorModel, FactorModelPriors, NoiseShape};

/// The blocks of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorModelBlock {
    /// x_n, all n.
    Scores,
    /// (w_d, μ_d), jointly for each d, all d.
    Loadings,
    /// α_k, all k.
    LoadingPrecision,
    /// λ_k, all k.
    ScorePrecision,
    /// τ, one or one for every column.
    Noise,
}

use FactorModelBlock::{LoadingPrecision, Loadings, Noise, ScorePrecision, Scores};

impl FactorModelBlock {
    /// Those that are not known.
    pub(super) fn of(priors: &FactorModelPriors) -> Vec<Self> {
        let mut blocks = vec![Scores, Loadings];
        blocks.extend(priors.loading.is_learned().then_some(LoadingPrecision));
        blocks.extend(priors.score.is_learned().then_some(ScorePrecision));
        blocks.extend(priors.noise.is_learned().then_some(Noise));
        blocks
    }
}

impl<S: NoiseShape> FactorModel<S> {
    /// What was taken off each column before anything else (D): the mean of what was observed with intercepts, else 0.
    pub fn centre(&self) -> &ndarray::Array1<f64> {
        &self.centre
    }

    /// A start at given loadings (D, K), intercepts at the means of their columns and learned precisions α and τ, each
    /// for all its members: from there one sweep over all blocks.
    ///
    /// # Errors
    /// [`ConjugateError`] when a conditional cannot be formed.
    ///
    /// # Panics
    /// If the shape of `loadings` is another.
    pub fn start_from_loadings(
        &self,
        loadings: &ArrayRef2<f64>,
        loading_precision: f64,
        noise_precision: f64,
        exec: Exec<'_>,
    ) -> Result<(FactorModelFactors, FactorModelStats), ConjugateError> {
        let start = StartPrecisions { loading: loading_precision, noise: noise_precision };
        let (mut factors, mut stats) = self.blank(start);
        stats.loadings.mean.slice_mut(s![.., ..self.n_factors]).assign(loadings);
        self.set_loading_sums(&mut stats);
        for &block in &self.blocks {
            self.condition(block, &stats, &mut factors, exec)?;
            self.expect(block, &factors, &mut stats, exec);
        }
        Ok((factors, stats))
    }

    /// The mean square of the centred data.
    fn mean_square(&self) -> f64 {
        let sum: f64 = self.centred.entries().map(|(_, _, v)| v * v).sum();
        // Constant data have no scale of their own.
        Some(sum / self.data.n_observed() as f64).filter(|v| *v > 0.0).unwrap_or(1.0)
    }

    /// Writes W, μ, α, λ, τ into a `z` laid out as reported; rows are (w_d, μ_d less the centre).
    fn write<'a>(
        &self,
        z: &mut ArrayRef1<f64>,
        row: impl Fn(usize) -> &'a [f64],
        precisions: impl Iterator<Item = f64>,
    ) {
        let (d, k) = (self.data.n_columns(), self.n_factors);
        for c in 0..d {
            let row = row(c);
            (0..k).for_each(|j| z[c * k + j] = row[j]);
            if let Some(intercept) = row.get(k) {
                z[d * k + c] = intercept + self.centre[c];
            }
        }
        // A draw that underflows is reported as the smallest positive number, to stay inside the support.
        z.iter_mut().skip(d * self.n_coefficients()).zip(precisions).for_each(|(z, v)| {
            *z = v.max(f64::MIN_POSITIVE);
        });
    }

    /// The rows (w_d, μ_d less the centre) of a `z` laid out as reported (D, P).
    pub(super) fn loadings_of(&self, z: &ArrayRef1<f64>) -> Array2<f64> {
        let (d, k) = (self.data.n_columns(), self.n_factors);
        Array2::from_shape_fn((d, self.n_coefficients()), |(c, j)| {
            if j < k { z[c * k + j] } else { z[d * k + c] - self.centre[c] }
        })
    }
}

/// All learned precisions in the order in which they are reported.
fn gammas(factors: &FactorModelFactors) -> impl Iterator<Item = &Gamma> {
    factors.loading_precision.iter().chain(&factors.score_precision).chain(&factors.noise)
}

fn draw_precisions(factors: &[Gamma], key: StreamKey, out: &mut Precisions) {
    for (g, q) in factors.iter().enumerate() {
        out.set(g, q.sample(&mut key.rng(g as u64)));
    }
}

/// Reported in (loading, intercept, loading_precision, score_precision, noise_precision), as far as they are learned;
/// the scores are left out.
impl<S: NoiseShape> ConditionallyConjugate for FactorModel<S> {
    type Block = FactorModelBlock;
    type Stats = FactorModelStats;
    type Factors = FactorModelFactors;

    fn blocks(&self) -> &[FactorModelBlock] {
        &self.blocks
    }

    /// Normal loadings at which the factors make as much variance as the data have.
    fn init(
        &self,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<(FactorModelFactors, FactorModelStats), ConjugateError> {
        let precision = self.n_factors as f64 / self.mean_square();
        let mut loadings = Array2::zeros((self.data.n_columns(), self.n_factors));
        fill_normal(&mut key.rng(0), loadings.as_slice_mut().expect("row-major"));
        loadings /= precision.sqrt();
        self.start_from_loadings(&loadings, precision, self.mean_square().recip(), exec)
    }

    fn condition(
        &self,
        block: FactorModelBlock,
        stats: &FactorModelStats,
        factors: &mut FactorModelFactors,
        exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        match block {
            Scores => self.condition_scores(stats, factors, exec),
            Loadings => self.condition_loadings(stats, factors, exec),
            LoadingPrecision => self.condition_loading_precision(stats, factors),
            ScorePrecision => self.condition_score_precision(stats, factors),
            Noise => self.condition_noise(stats, factors),
        }
    }

    fn expect(
        &self,
        block: FactorModelBlock,
        factors: &FactorModelFactors,
        stats: &mut FactorModelStats,
        exec: Exec<'_>,
    ) {
        match block {
            Scores => self.expect_scores(factors, stats, exec),
            Loadings => self.expect_loadings(factors, stats, exec),
            LoadingPrecision => stats.loading_precision.expect(&factors.loading_precision),
            ScorePrecision => stats.score_precision.expect(&factors.score_precision),
            Noise => stats.noise.expect(&factors.noise),
        }
    }

    /// Translations and rotations; see [`FactorModel::expand_factors`].
    fn expand(
        &self,
        factors: &mut FactorModelFactors,
        stats: &mut FactorModelStats,
        exec: Exec<'_>,
    ) -> Result<bool, ConjugateError> {
        if self.is_expanded() { self.expand_factors(factors, stats, exec) } else { Ok(false) }
    }

    fn draw(
        &self,
        block: FactorModelBlock,
        factors: &FactorModelFactors,
        key: StreamKey,
        stats: &mut FactorModelStats,
        exec: Exec<'_>,
    ) {
        match block {
            Scores => self.draw_scores(factors, key, stats, exec),
            Loadings => self.draw_loadings(factors, key, stats, exec),
            LoadingPrecision => {
                draw_precisions(&factors.loading_precision, key, &mut stats.loading_precision);
            }
            ScorePrecision => draw_precisions(&factors.score_precision, key, &mut stats.score_precision),
            Noise => draw_precisions(&factors.noise, key, &mut stats.noise),
        }
    }

    fn block_log_prob(
        &self,
        block: FactorModelBlock,
        factors: &FactorModelFactors,
        stats: &FactorModelStats,
    ) -> f64 {
        match block {
            Scores => factors.scores.log_prob(|n| stats.scores.mean(n)),
            Loadings => factors.loadings.log_prob(|d| stats.loadings.mean(d)),
            LoadingPrecision => stats.loading_precision.log_prob(&factors.loading_precision),
            ScorePrecision => stats.score_precision.log_prob(&factors.score_precision),
            Noise => stats.noise.log_prob(&factors.noise),
        }
    }

    fn expected_log_joint(&self, stats: &FactorModelStats) -> f64 {
        self.expected_log_likelihood(stats) + self.expected_log_scores(stats) + self.expected_log_prior(stats)
    }

    fn entropy(&self, factors: &FactorModelFactors) -> f64 {
        let precisions: f64 = gammas(factors).map(Gamma::entropy).sum();
        factors.scores.entropy() + factors.loadings.entropy() + precisions
    }

    fn reported(&self) -> &ParameterSpace {
        &self.space
    }

    fn realise(&self, stats: &FactorModelStats, z: &mut ArrayRef1<f64>) {
        let learned = |is: bool, values: &Precisions| if is { values.mean.to_vec() } else { Vec::new() };
        let priors = &self.priors;
        let mut precisions = learned(priors.loading.is_learned(), &stats.loading_precision);
        precisions.extend(learned(priors.score.is_learned(), &stats.score_precision));
        precisions.extend(learned(priors.noise.is_learned(), &stats.noise));
        self.write(z, |d| stats.loadings.mean(d), precisions.into_iter());
    }

    fn sample(&self, factors: &FactorModelFactors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        let p = self.n_coefficients();
        let mut rows = vec![0.0; self.data.n_columns() * p];
        factors.loadings.draw(0..self.data.n_columns(), |_, noise| fill_normal(rng, noise), &mut rows);
        let precisions: Vec<f64> = gammas(factors).map(|q| q.sample(rng)).collect();
        self.write(z, |d| &rows[d * p..(d + 1) * p], precisions.into_iter());
    }

    fn log_prob(&self, factors: &FactorModelFactors, z: &ArrayRef1<f64>) -> f64 {
        let rows = self.loadings_of(z);
        let p = self.n_coefficients();
        let rows = rows.as_slice().expect("row-major");
        let precisions = z.iter().skip(rows.len());
        factors.loadings.log_prob(|d| &rows[d * p..(d + 1) * p])
            + gammas(factors).zip(precisions).map(|(q, x)| q.log_prob(x)).sum::<f64>()
    }
}
