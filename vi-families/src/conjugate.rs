//! Conditionally conjugate models in a few lines: give the natural parameters of the complete conditionals,
//! and coordinate ascent, Gibbs sampling and the log joint follow.

use ndarray::{Array2, ArrayRef1, s};
use rand::RngExt;
use vi_core::{
    ConditionallyConjugate, ConjugateError, Exec, LogJoint, NaturalFactors, Parameter, ParameterError,
    ParameterSpace, StreamKey, StreamRng, Support,
};

use crate::factor::Factor;

/// A model whose variables each have a complete conditional in the family of their [`Factor`].
///
/// Variables are numbered in the order of [`NaturalConditionals::parameters`]. `stats[b]` has one row of
/// sufficient statistics T(z) for every element of variable `b`; the elements of one variable must be
/// independent of each other given the other variables.
///
/// ```text
/// p(z_b | x, z_−b) ∝ h(z_b) exp(η_b(T_−b)ᵀ T(z_b)),   η_b linear in each T_c
/// ```
pub trait NaturalConditionals: Send + Sync {
    /// The latent variables.
    fn parameters(&self) -> &ParameterSpace;
    /// η of the complete conditional of every element of variable `b`, (elements, P): a function of the other
    /// variables' statistics.
    fn natural(&self, b: usize, stats: &[Array2<f64>]) -> Array2<f64>;
    /// log p(x, z), all constants included, written in the statistics: linear in each variable's.
    fn expected_log_joint(&self, stats: &[Array2<f64>]) -> f64;
}

/// The [`LogJoint`] and [`ConditionallyConjugate`] model of a [`NaturalConditionals`].
#[derive(Clone, Debug)]
pub struct Conjugate<M> {
    model: M,
    blocks: Vec<usize>,
}

impl<M: NaturalConditionals> Conjugate<M> {
    /// Wraps the model.
    ///
    /// # Errors
    /// [`ParameterError::Unsupported`] names a variable whose support has no [`Factor`].
    pub fn new(model: M) -> Result<Self, ParameterError> {
        let parameters = model.parameters().parameters();
        for p in parameters {
            Factor::n_params(p)?;
        }
        let blocks = (0..parameters.len()).collect();
        Ok(Self { model, blocks })
    }

    /// The wrapped model.
    pub fn inner(&self) -> &M {
        &self.model
    }

    fn parameter(&self, b: usize) -> &Parameter {
        &self.model.parameters().parameters()[b]
    }

    /// Standard members; real and discrete variables start at random to break symmetries.
    fn start(&self, b: usize, rng: &mut StreamRng) -> Result<Vec<Factor>, ConjugateError> {
        let p = self.parameter(b);
        let width = Factor::n_params(p).map_err(|e| self.refused(b, &e))?;
        (0..p.n_events())
            .map(|_| {
                let eta = match p.support() {
                    Support::Real => ndarray::array![rng.random_range(-1.0..1.0), -0.5],
                    Support::Positive => ndarray::array![0.0, -1.0],
                    Support::Binary | Support::Categorical { .. } => {
                        (0..width).map(|_| rng.random_range(-0.5..0.5)).collect()
                    }
                    _ => ndarray::Array1::zeros(width),
                };
                Factor::from_natural(p, &eta).map_err(|e| self.refused(b, &e))
            })
            .collect()
    }

    fn refused(&self, b: usize, error: &dyn std::fmt::Display) -> ConjugateError {
        ConjugateError::Refused { block: self.parameter(b).name().to_owned(), message: error.to_string() }
    }

    /// T(z) of every variable at one z.
    fn statistics(&self, z: &ArrayRef1<f64>) -> Vec<Array2<f64>> {
        let parameters = self.model.parameters().parameters();
        parameters.iter().map(|p| stats_of(p, z.slice(s![p.range()]).to_vec().as_slice())).collect()
    }
}

/// T(z) of every element of one variable; it does not depend on the factor's parameters.
fn stats_of(p: &Parameter, values: &[f64]) -> Array2<f64> {
    let events = values.chunks_exact(p.event_size());
    let rows: Vec<_> = events.map(|z| Factor::sufficient_stats(p.support(), z)).collect();
    stack(rows)
}

fn stack(rows: Vec<ndarray::Array1<f64>>) -> Array2<f64> {
    let width = rows.first().map_or(0, ndarray::Array1::len);
    let mut out = Array2::zeros((rows.len(), width));
    for (mut o, row) in out.rows_mut().into_iter().zip(&rows) {
        o.assign(row);
    }
    out
}

impl<M: NaturalConditionals> LogJoint for Conjugate<M> {
    fn parameters(&self) -> &ParameterSpace {
        self.model.parameters()
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.model.expected_log_joint(&self.statistics(z))
    }
}

impl<M: NaturalConditionals> ConditionallyConjugate for Conjugate<M> {
    type Block = usize;
    type Stats = Vec<Array2<f64>>;
    type Factors = Vec<Vec<Factor>>;

    fn blocks(&self) -> &[usize] {
        &self.blocks
    }

    fn init(&self, key: StreamKey, _exec: Exec<'_>) -> Result<(Self::Factors, Self::Stats), ConjugateError> {
        let factors: Self::Factors =
            self.blocks.iter().map(|&b| self.start(b, &mut key.rng(b as u64))).collect::<Result<_, _>>()?;
        let stats = factors.iter().map(|f| stack(f.iter().map(Factor::mean_params).collect())).collect();
        Ok((factors, stats))
    }

    fn condition(
        &self,
        block: usize,
        stats: &Self::Stats,
        factors: &mut Self::Factors,
        _exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let (p, eta) = (self.parameter(block), self.model.natural(block, stats));
        let new: Vec<Factor> = eta
            .rows()
            .into_iter()
            .map(|row| Factor::from_natural(p, &row).map_err(|e| self.refused(block, &e)))
            .collect::<Result<_, _>>()?;
        if new.len() != p.n_events() {
            let message = format!("natural() has {} rows, expected {}", new.len(), p.n_events());
            return Err(self.refused(block, &message));
        }
        factors[block] = new;
        Ok(())
    }

    fn expect(&self, block: usize, factors: &Self::Factors, stats: &mut Self::Stats, _exec: Exec<'_>) {
        stats[block] = stack(factors[block].iter().map(Factor::mean_params).collect());
    }

    fn draw(
        &self,
        block: usize,
        factors: &Self::Factors,
        key: StreamKey,
        stats: &mut Self::Stats,
        _exec: Exec<'_>,
    ) {
        let p = self.parameter(block);
        let mut values = vec![0.0; p.size()];
        let events = values.chunks_exact_mut(p.event_size()).zip(&factors[block]);
        for (i, (z, factor)) in events.enumerate() {
            factor.sample(&mut key.rng(i as u64), z);
        }
        stats[block] = stats_of(p, &values);
    }

    fn block_log_prob(&self, block: usize, factors: &Self::Factors, stats: &Self::Stats) -> f64 {
        let p = self.parameter(block);
        let mut z = vec![0.0; p.event_size()];
        let elements = stats[block].rows().into_iter().zip(&factors[block]);
        elements
            .map(|(t, factor)| {
                Factor::realise(p.support(), &t, &mut z);
                factor.log_prob(&z)
            })
            .sum()
    }

    fn expected_log_joint(&self, stats: &Self::Stats) -> f64 {
        self.model.expected_log_joint(stats)
    }

    fn entropy(&self, factors: &Self::Factors) -> f64 {
        factors.iter().flatten().map(Factor::entropy).sum()
    }

    fn reported(&self) -> &ParameterSpace {
        self.model.parameters()
    }

    fn realise(&self, stats: &Self::Stats, z: &mut ArrayRef1<f64>) {
        for (p, t) in self.model.parameters().parameters().iter().zip(stats) {
            let mut values = vec![0.0; p.size()];
            for (row, event) in t.rows().into_iter().zip(values.chunks_exact_mut(p.event_size())) {
                Factor::realise(p.support(), &row, event);
            }
            z.slice_mut(s![p.range()]).assign(&ndarray::ArrayView1::from(&values));
        }
    }

    fn sample(&self, factors: &Self::Factors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        for (p, elements) in self.model.parameters().parameters().iter().zip(factors) {
            let mut values = vec![0.0; p.size()];
            for (factor, event) in elements.iter().zip(values.chunks_exact_mut(p.event_size())) {
                factor.sample(rng, event);
            }
            z.slice_mut(s![p.range()]).assign(&ndarray::ArrayView1::from(&values));
        }
    }

    fn log_prob(&self, factors: &Self::Factors, z: &ArrayRef1<f64>) -> f64 {
        let parameters = self.model.parameters().parameters();
        let mut total = 0.0;
        for (p, elements) in parameters.iter().zip(factors) {
            let values = z.slice(s![p.range()]).to_vec();
            let events = values.chunks_exact(p.event_size());
            total += events.zip(elements).map(|(z, f)| f.log_prob(z)).sum::<f64>();
        }
        total
    }
}

/// The natural parameters of a variable's elements, one after the other.
impl<M: NaturalConditionals> NaturalFactors for Conjugate<M> {
    fn n_natural(&self, block: usize) -> usize {
        let p = self.parameter(block);
        p.n_events() * Factor::n_params(p).unwrap_or(0)
    }

    fn natural(&self, block: usize, factors: &Self::Factors, eta: &mut ArrayRef1<f64>) {
        let width = eta.len() / factors[block].len().max(1);
        for (i, factor) in factors[block].iter().enumerate() {
            eta.slice_mut(s![i * width..(i + 1) * width]).assign(&factor.natural());
        }
    }

    fn set_natural(
        &self,
        block: usize,
        eta: &ArrayRef1<f64>,
        factors: &mut Self::Factors,
    ) -> Result<(), ConjugateError> {
        let p = self.parameter(block);
        let width = eta.len() / factors[block].len().max(1);
        for (i, factor) in factors[block].iter_mut().enumerate() {
            let eta = eta.slice(s![i * width..(i + 1) * width]);
            *factor = Factor::from_natural(p, &eta).map_err(|e| self.refused(block, &e))?;
        }
        Ok(())
    }
}
