//! Gamma–Poisson factor analysis.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use rand_distr::{Distribution, Gamma};
use serde::{Deserialize, Serialize};
use vi_core::{
    Parameter, ParameterSpace, PlateError, PlateLogJoint, PlateModel, StreamKey, Support, numerics, scratch,
};

use super::likelihood::{LogWeightGrad, Points, Scratch, TILE, WeightTable, add_count_terms, add_scaled};
use super::products::{add_weighted_rows, one_by_one, padded, side_by_side};
use super::{
    GammaPrior, START_SPREAD, SimulatedCounts, by_factor, check_log_weights, draw_counts, in_one_piece,
    mark_outside, matrix_of_logs, n_points, scattered_around_means,
};
use crate::ModelError;
use crate::sparse_counts::SparseCounts;

const MODEL: &str = "gamma_poisson";

/// The priors of factors and weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GammaPoissonPriors {
    /// That of every factor z_nk. Default shape ½ and rate ½: mean 1, mass near zero.
    pub factor: GammaPrior,
    /// That of every weight, where weights are learned. Default none: maximum likelihood.
    pub weight: Option<GammaPrior>,
}

impl Default for GammaPoissonPriors {
    fn default() -> Self {
        Self { factor: GammaPrior { shape: 0.5, rate: 0.5 }, weight: None }
    }
}

/// Counts with a Poisson rate that is a sum over factors; see the [module](super).
///
/// ```text
/// x_nd ~ Poisson(Σ_k z_nk W_dk),   z_nk ~ Gamma(a, rate b)
/// θ = log W (D, K), row by row; with fixed weights θ is empty
/// optionally W_dk ~ Gamma, whose density in θ has the Jacobian W_dk
/// ```
/// Rates that round to less than the smallest normal number count as that.
///
/// Sources: J. Canny, *GaP: a factor model for discrete data*, SIGIR 2004; as a test of black-box inference: R. Ranganath, S.
/// Gerrish & D. M. Blei, *Black box variational inference*, AISTATS 2014, <https://arxiv.org/abs/1401.0118>.
#[derive(Clone, Debug)]
pub struct GammaPoisson {
    counts: SparseCounts,
    priors: GammaPoissonPriors,
    n_factors: usize,
    /// The weights where they are not learned.
    fixed: Option<WeightTable>,
    /// a − 1, K times.
    powers: Vec<f64>,
    log_constant: f64,
    local: ParameterSpace,
    model: ParameterSpace,
}

impl GammaPoisson {
    /// The model with `n_factors` factors and weights to be learned.
    ///
    /// # Errors
    /// [`ModelError`] names the prior that is not finite and positive; [`ModelError::Empty`] without factors.
    pub fn new(
        counts: SparseCounts,
        n_factors: usize,
        priors: GammaPoissonPriors,
    ) -> Result<Self, ModelError> {
        let weights = matrix_of_logs("log_weight", counts.n_columns(), n_factors);
        Self::build(counts, n_factors, priors, [weights], None)
    }

    /// The model with fixed weights (K, D): θ is empty.
    ///
    /// # Errors
    /// [`ModelError`] names the weight, or the prior, that is not finite and positive; [`ModelError::Length`] when the weights
    /// have another number of columns than the counts.
    pub fn with_fixed_weights(
        counts: SparseCounts,
        weights: &ArrayRef2<f64>,
        priors: GammaPoissonPriors,
    ) -> Result<Self, ModelError> {
        let (n_factors, actual) = weights.dim();
        if actual != counts.n_columns() {
            let expected = counts.n_columns();
            return Err(ModelError::Length { model: MODEL, data: "weights", expected, actual });
        }
        if let Some(((row, column), &value)) =
            weights.indexed_iter().find(|(_, w)| !(w.is_normal() && **w > 0.0))
        {
            let requirement = "finite and > 0";
            return Err(ModelError::Datum { model: MODEL, data: "weights", row, column, value, requirement });
        }
        let by_column = weights.t().iter().copied().collect();
        let table = WeightTable::from_weights(by_column, n_factors.max(1));
        Self::build(counts, n_factors, priors, [], Some(table))
    }

    fn build(
        counts: SparseCounts,
        n_factors: usize,
        priors: GammaPoissonPriors,
        weights: impl IntoIterator<Item = Parameter>,
        fixed: Option<WeightTable>,
    ) -> Result<Self, ModelError> {
        priors.factor.check(MODEL, "factor")?;
        priors.weight.map_or(Ok(()), |prior| prior.check(MODEL, "weight"))?;
        if n_factors == 0 {
            return Err(ModelError::Empty { model: MODEL, data: "factors" });
        }
        Ok(Self {
            powers: vec![priors.factor.shape - 1.0; n_factors],
            log_constant: n_factors as f64 * priors.factor.log_normalizer(),
            local: ParameterSpace::new([Parameter::vector("factor", n_factors, Support::Positive)])?,
            model: ParameterSpace::new(weights)?,
            counts,
            priors,
            n_factors,
            fixed,
        })
    }

    /// The same model, with the same weights where they are fixed, for other data (N′, D): its θ means the same.
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
    pub fn priors(&self) -> &GammaPoissonPriors {
        &self.priors
    }

    /// K.
    pub fn n_factors(&self) -> usize {
        self.n_factors
    }

    /// The weights (K, D) at θ.
    ///
    /// # Errors
    /// [`PlateError`] names the element of θ that is not finite.
    pub fn weights(&self, model_params: &ArrayRef1<f64>) -> Result<Array2<f64>, PlateError> {
        check_log_weights(&self.model, model_params)?;
        match &self.fixed {
            None => Ok(by_factor(&model_params.to_vec(), self.n_factors).mapv(f64::exp)),
            Some(table) => Ok(by_factor(&table.weights, self.n_factors).to_owned()),
        }
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
        let by_column = self.weights(model_params)?.reversed_axes().as_standard_layout().into_owned();
        let weights = by_column.as_slice().expect("row-major");
        let prior = Gamma::new(self.priors.factor.shape, self.priors.factor.rate.recip()).expect("checked");
        let mut latent = Array2::zeros((n, self.n_factors));
        let mut counts = Array2::zeros((n, self.counts.n_columns()));
        for (i, (mut z, mut x)) in latent.rows_mut().into_iter().zip(counts.rows_mut()).enumerate() {
            let mut rng = key.rng(i as u64);
            z.mapv_inplace(|_: f64| prior.sample(&mut rng).max(f64::MIN_POSITIVE));
            x.assign(&Array1::from(draw_counts(weights, &z.to_vec(), &mut rng)));
        }
        let counts = SparseCounts::from_dense(&counts).expect("Poisson draws of finite rates are counts");
        Ok(SimulatedCounts { counts, latent })
    }
}

impl PlateModel for GammaPoisson {
    type Cache = WeightTable;
    type At<'a> = GammaPoissonAt<'a>;

    fn n_data(&self) -> usize {
        self.counts.n_rows()
    }
    fn local_parameters(&self) -> &ParameterSpace {
        &self.local
    }
    fn model_parameters(&self) -> &ParameterSpace {
        &self.model
    }
    /// Weights that give every column its mean, scattered so that the factors differ.
    fn init_model_params(&self, key: StreamKey) -> Array1<f64> {
        let mut theta = vec![0.0; self.model.dim()];
        if self.fixed.is_none() {
            let mean = self.priors.factor.shape / self.priors.factor.rate;
            scattered_around_means(&self.counts, mean, START_SPREAD, &mut key.rng(0), &mut theta);
        }
        theta.into()
    }
    /// # Panics
    /// If θ does not stand in one piece.
    fn at<'a>(
        &'a self,
        model_params: &'a ArrayRef1<f64>,
        cache: &'a mut WeightTable,
    ) -> Result<GammaPoissonAt<'a>, PlateError> {
        check_log_weights(&self.model, model_params)?;
        let theta = in_one_piece(model_params);
        let table = match &self.fixed {
            Some(table) => table,
            None => {
                cache.fill(theta, self.n_factors);
                cache
            }
        };
        Ok(GammaPoissonAt { model: self, theta, table })
    }
}

/// A [`GammaPoisson`] at one θ.
#[derive(Clone, Copy, Debug)]
pub struct GammaPoissonAt<'a> {
    pub(super) model: &'a GammaPoisson,
    theta: &'a [f64],
    pub(super) table: &'a WeightTable,
}

impl GammaPoissonAt<'_> {
    fn evaluate(
        &self,
        data: &[usize],
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
        mut grad: Option<(f64, &mut [f64])>,
    ) {
        let model = self.model;
        let k = model.n_factors;
        let n_points = n_points(data, z.dim(), k, out.len());
        if n_points == 0 {
            return;
        }
        let (lanes, width) = (padded(n_points), padded(k));
        let z = z.as_slice().expect("z stands row after row");
        let out = out.as_slice_mut().expect("out stands in one piece");
        let [rates, ratios, products] = Scratch::lengths(TILE, lanes, k);
        let lengths = [k * lanes, k * lanes, lanes, lanes * width, 2 * k, rates, ratios, products];
        scratch::with_arrays(lengths, |[side, logs, sums, rows, linear, rates, ratios, products]| {
            let mut scratch = Scratch { rates, ratios, products };
            let (linear, z_totals) = linear.split_at_mut(k);
            linear.iter_mut().zip(&self.table.totals).for_each(|(l, t)| *l = -(model.priors.factor.rate + t));
            z_totals.fill(0.0);
            for ((n, z), out) in
                data.iter().zip(z.chunks_exact(n_points * k)).zip(out.chunks_exact_mut(n_points))
            {
                side_by_side(z, k, lanes, side);
                numerics::log(side, logs);
                sums.fill(model.log_constant - model.counts.log_factorials(*n));
                add_weighted_rows(&model.powers, logs, sums);
                add_weighted_rows(linear, side, sums);
                let grad = grad.as_mut().map(|(weight, grad)| {
                    one_by_one(z, k, 0, k, rows);
                    z.chunks_exact(k).for_each(|z| z_totals.iter_mut().zip(z).for_each(|(t, z)| *t += z));
                    LogWeightGrad { weight: *weight, grad, one_by_one: rows }
                });
                let points = Points { side_by_side: side, lanes };
                add_count_terms(self.table, &model.counts, *n, points, &mut scratch, sums, grad);
                out.copy_from_slice(&sums[..n_points]);
                mark_outside(z, k, out);
            }
            if let Some((weight, grad)) = &mut grad {
                for (grad, weights) in grad.chunks_exact_mut(k).zip(self.table.weights.chunks_exact(k)) {
                    add_scaled(-*weight, weights, z_totals, grad);
                }
            }
        });
    }
}

impl PlateLogJoint for GammaPoissonAt<'_> {
    fn n_model_params(&self) -> usize {
        self.theta.len()
    }

    /// −∞ where a factor is not inside (0, ∞).
    fn log_joint_points(&self, data: &[usize], z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        self.evaluate(data, z, out, None);
    }

    fn log_joint_points_and_add_grad(
        &self,
        data: &[usize],
        z: &ArrayRef2<f64>,
        weight: f64,
        out: &mut ArrayRef1<f64>,
        grad: &mut ArrayRef1<f64>,
    ) {
        assert_eq!(grad.len(), self.theta.len(), "grad: wrong length");
        let grad = grad.as_slice_mut().expect("grad stands in one piece");
        // With fixed weights there is nothing to add.
        self.evaluate(data, z, out, (!grad.is_empty()).then_some((weight, grad)));
    }

    fn log_prior(&self) -> f64 {
        match (self.model.priors.weight, &self.model.fixed) {
            (Some(prior), None) => prior.log_density_of_logs(self.theta, &self.table.weights),
            _ => 0.0,
        }
    }

    fn add_log_prior_grad(&self, weight: f64, grad: &mut ArrayRef1<f64>) {
        if let (Some(prior), None) = (self.model.priors.weight, &self.model.fixed) {
            let grad = grad.as_slice_mut().expect("grad stands in one piece");
            prior.add_grad_of_logs(weight, &self.table.weights, grad);
        }
    }
}
