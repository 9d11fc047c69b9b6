//! A Poisson–Gamma deep exponential family of two layers.

use ndarray::{Array1, Array2, ArrayRef1};
use rand_distr::{Distribution, Gamma};
use serde::{Deserialize, Serialize};
use vi_core::{Parameter, ParameterSpace, PlateError, PlateModel, StreamKey, Support};

use super::likelihood::{SMALLEST, WeightTable};
use super::{
    DeepExponentialFamilyAt, GammaPrior, START_SPREAD, SimulatedCounts, by_factor, check_log_weights,
    draw_counts, in_one_piece, matrix_of_logs, scatter, scattered_around_means,
};
use crate::ModelError;
use crate::checks::positive;
use crate::sparse_counts::SparseCounts;

const MODEL: &str = "deep_exponential_family";

/// The priors of both layers and of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeepExponentialFamilyPriors {
    /// That of every factor of the upper layer. Default shape ½ and rate ½: mean 1, mass near zero.
    pub upper: GammaPrior,
    /// α, the shape of the factors of the lower layer, > 0. Default ½.
    pub lower_shape: f64,
    /// That of every weight. Default none: maximum likelihood.
    pub weight: Option<GammaPrior>,
}

impl Default for DeepExponentialFamilyPriors {
    fn default() -> Self {
        Self { upper: GammaPrior { shape: 0.5, rate: 0.5 }, lower_shape: 0.5, weight: None }
    }
}

/// Counts made by factors whose means are made by factors; see the [module](super).
///
/// ```text
/// upper_nj ~ Gamma(a, rate b)                                             j = 1 … K₂
/// lower_nk ~ Gamma(α, rate α / m_nk),   m_nk = Σ_j upper_nj V_kj          k = 1 … K₁, mean m_nk
/// x_nd ~ Poisson(Σ_k lower_nk W_dk)
/// z_n = (lower_n, upper_n),   θ = (log W (D, K₁), log V (K₁, K₂)), row by row
/// optionally all weights ~ Gamma, whose density in θ has their product as Jacobian
/// ```
/// The complete conditional of neither layer is known: it is a model for black-box inference. Rates and means that round to
/// less than the smallest normal number count as that.
///
/// Source: R. Ranganath, L. Tang, L. Charlin & D. M. Blei, *Deep exponential families*, AISTATS 2015, §2–3,
/// <https://arxiv.org/abs/1411.2581>.
#[derive(Clone, Debug)]
pub struct DeepExponentialFamily {
    pub(super) counts: SparseCounts,
    pub(super) priors: DeepExponentialFamilyPriors,
    /// K₁ and K₂.
    pub(super) n_lower: usize,
    pub(super) n_upper: usize,
    /// What log z is multiplied with (L).
    pub(super) powers: Vec<f64>,
    pub(super) log_constant: f64,
    local: ParameterSpace,
    pub(super) model: ParameterSpace,
}

impl DeepExponentialFamily {
    /// The model with `n_lower` factors under `n_upper`.
    ///
    /// # Errors
    /// [`ModelError`] names the prior that is not finite and positive; [`ModelError::Empty`] without factors.
    pub fn new(
        counts: SparseCounts,
        n_lower: usize,
        n_upper: usize,
        priors: DeepExponentialFamilyPriors,
    ) -> Result<Self, ModelError> {
        priors.upper.check(MODEL, "upper")?;
        positive(MODEL, "lower_shape", priors.lower_shape)?;
        priors.weight.map_or(Ok(()), |prior| prior.check(MODEL, "weight"))?;
        if n_lower * n_upper == 0 {
            return Err(ModelError::Empty { model: MODEL, data: "factors" });
        }
        let mut powers = vec![priors.lower_shape - 1.0; n_lower];
        powers.resize(n_lower + n_upper, priors.upper.shape - 1.0);
        // Of the lower layer what is left when its mean is taken out.
        let lower = GammaPrior { shape: priors.lower_shape, rate: priors.lower_shape };
        let log_constant =
            n_lower as f64 * lower.log_normalizer() + n_upper as f64 * priors.upper.log_normalizer();
        let layers = [("lower", n_lower), ("upper", n_upper)];
        Ok(Self {
            local: ParameterSpace::new(
                layers.map(|(name, n)| Parameter::vector(name, n, Support::Positive)),
            )?,
            model: ParameterSpace::new([
                matrix_of_logs("log_weight", counts.n_columns(), n_lower),
                matrix_of_logs("log_upper_weight", n_lower, n_upper),
            ])?,
            counts,
            priors,
            n_lower,
            n_upper,
            powers,
            log_constant,
        })
    }

    /// The same model for other data (N′, D): its θ means the same.
    ///
    /// # Errors
    /// [`ModelError::Length`] when the data have other columns.
    pub fn with_data(&self, counts: SparseCounts) -> Result<Self, ModelError> {
        let (expected, actual) = (self.counts.n_columns(), counts.n_columns());
        if actual != expected {
            return Err(ModelError::Length { model: MODEL, data: "a row of counts", expected, actual });
        }
        Ok(Self { counts, ..self.clone() })
    }

    /// x (N, D).
    pub fn counts(&self) -> &SparseCounts {
        &self.counts
    }

    /// The priors.
    pub fn priors(&self) -> &DeepExponentialFamilyPriors {
        &self.priors
    }

    /// K₁.
    pub fn n_lower(&self) -> usize {
        self.n_lower
    }

    /// K₂.
    pub fn n_upper(&self) -> usize {
        self.n_upper
    }

    /// D K₁, where θ goes over from log W to log V.
    pub(super) fn n_weights(&self) -> usize {
        self.counts.n_columns() * self.n_lower
    }

    /// The weights Wᵀ (K₁, D) and Vᵀ (K₂, K₁) at θ.
    ///
    /// # Errors
    /// [`PlateError`] names the element of θ that is not finite.
    pub fn weights(&self, model_params: &ArrayRef1<f64>) -> Result<(Array2<f64>, Array2<f64>), PlateError> {
        check_log_weights(&self.model, model_params)?;
        let theta = model_params.to_vec();
        let (bottom, top) = theta.split_at(self.n_weights());
        let weights = |logs, n_factors| by_factor(logs, n_factors).mapv(f64::exp);
        Ok((weights(bottom, self.n_lower), weights(top, self.n_upper)))
    }

    /// Draws `n` data and their factors at θ; datum i comes from `key.rng(i)`.
    ///
    /// # Errors
    /// [`PlateError`] names the element of θ that is not finite.
    ///
    /// # Panics
    /// If a rate is so large that its count is beyond 2⁵³.
    pub fn simulate(
        &self,
        model_params: &ArrayRef1<f64>,
        n: usize,
        key: StreamKey,
    ) -> Result<SimulatedCounts, PlateError> {
        let theta = model_params.to_vec();
        let mut tables = DeepWeights::default();
        let theta = ndarray::aview1(&theta);
        let DeepWeights { bottom, top } = self.at(&theta, &mut tables)?.tables;
        let gamma = |shape: f64, rate: f64| Gamma::new(shape, rate.recip()).expect("checked, or a mean");
        let upper = gamma(self.priors.upper.shape, self.priors.upper.rate);
        let mut latent = Array2::zeros((n, self.n_lower + self.n_upper));
        let mut counts = Array2::zeros((n, self.counts.n_columns()));
        for (i, (mut z, mut x)) in latent.rows_mut().into_iter().zip(counts.rows_mut()).enumerate() {
            let mut rng = key.rng(i as u64);
            let above: Vec<f64> =
                (0..self.n_upper).map(|_| upper.sample(&mut rng).max(f64::MIN_POSITIVE)).collect();
            let below: Vec<f64> = top
                .weights
                .chunks_exact(self.n_upper)
                .map(|row| {
                    let mean = row.iter().zip(&above).map(|(v, z)| v * z).sum::<f64>().max(SMALLEST);
                    let alpha = self.priors.lower_shape;
                    (mean * gamma(alpha, alpha).sample(&mut rng)).max(f64::MIN_POSITIVE)
                })
                .collect();
            x.assign(&Array1::from(draw_counts(&bottom.weights, &below, &mut rng)));
            z.iter_mut().zip(below.iter().chain(&above)).for_each(|(z, value)| *z = *value);
        }
        let counts = SparseCounts::from_dense(&counts).expect("Poisson draws of finite rates are counts");
        Ok(SimulatedCounts { counts, latent })
    }
}

/// The weights of both layers, as they are needed at every point.
#[derive(Clone, Debug, Default)]
pub struct DeepWeights {
    pub(super) bottom: WeightTable,
    pub(super) top: WeightTable,
}

impl PlateModel for DeepExponentialFamily {
    type Cache = DeepWeights;
    type At<'a> = DeepExponentialFamilyAt<'a>;

    fn n_data(&self) -> usize {
        self.counts.n_rows()
    }
    fn local_parameters(&self) -> &ParameterSpace {
        &self.local
    }
    fn model_parameters(&self) -> &ParameterSpace {
        &self.model
    }
    /// Weights that give the lower factors the mean 1 and every column its mean, scattered so that the factors differ.
    fn init_model_params(&self, key: StreamKey) -> Array1<f64> {
        let mut theta = vec![0.0; self.model.dim()];
        let (bottom, top) = theta.split_at_mut(self.n_weights());
        scattered_around_means(&self.counts, 1.0, START_SPREAD, &mut key.rng(0), bottom);
        let upper_sum = self.n_upper as f64 * self.priors.upper.shape / self.priors.upper.rate;
        scatter(-upper_sum.ln(), START_SPREAD, &mut key.rng(1), top);
        theta.into()
    }
    /// # Panics
    /// If θ does not stand in one piece.
    fn at<'a>(
        &'a self,
        model_params: &'a ArrayRef1<f64>,
        cache: &'a mut DeepWeights,
    ) -> Result<DeepExponentialFamilyAt<'a>, PlateError> {
        check_log_weights(&self.model, model_params)?;
        let theta = in_one_piece(model_params);
        let (bottom, top) = theta.split_at(self.n_weights());
        cache.bottom.fill(bottom, self.n_lower);
        cache.top.fill(top, self.n_upper);
        Ok(DeepExponentialFamilyAt { model: self, theta, tables: cache })
    }
}
