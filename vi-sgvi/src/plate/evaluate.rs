//! How good θ and q are, from points that no iteration has seen.

use ndarray::{Array1, ArrayRef1, ArrayViewMut1};
use vi_core::{CHUNK, ElboEstimate, Exec, PlateLogJoint, PlateModel, StreamKey};
use vi_families::PlateFamily;

use super::objective::PlateElbo;
use super::recognition::Recognition;
use crate::error::SgviError;
use crate::workspace::{matrix, matrix_mut};
use vi_core::scratch;

/// Points of a datum drawn in one call.
const BLOCK: usize = 64;
/// Points evaluated in one call of the model.
const TILE: usize = 1024;

/// Two lower bounds from the same points; log p(θ) is not part of them.
#[derive(Clone, Debug)]
pub struct PlateEvaluation {
    /// The evidence lower bound `Σ_n E_q[f_n]`, f_n = log p_θ(x_n, z_n) − log q(z_n).
    pub elbo: ElboEstimate,
    /// The importance-weighted bound Σ_n log (1/K) Σ_k exp f_nk: in expectation between the ELBO and log p_θ(x), which
    /// it approaches with K (Burda, Grosse & Salakhutdinov 2016, theorem 1, <https://arxiv.org/abs/1509.00519>).
    pub log_likelihood: ElboEstimate,
    /// The terms of `elbo` (N).
    pub elbos: Array1<f64>,
    /// The terms of `log_likelihood` (N).
    pub log_likelihoods: Array1<f64>,
}

/// Evaluates a plate at θ and ψ with K = `n_samples` points of every datum.
///
/// Held-out data are another model and, with an encoder, another recognition, at the same θ and ψ. Points of datum n come
/// from `key.fold_in(block).rng(n)`, 64 a block. Errors are Monte Carlo errors, for `log_likelihood` those of the weights'
/// mean to first order; its bias, of order 1/K downwards, is not part of them.
///
/// # Errors
/// [`SgviError`] when a parameter is outside its domain, the datum is named whose log ratio is not finite, or there are
/// fewer than two points.
pub fn evaluate_plate<M: PlateModel, F: PlateFamily, R: Recognition>(
    elbo: PlateElbo<'_, M, F, R>,
    model_params: &ArrayRef1<f64>,
    params: &ArrayRef1<f64>,
    n_samples: usize,
    key: StreamKey,
    exec: Exec<'_>,
) -> Result<PlateEvaluation, SgviError> {
    if n_samples < 2 {
        return Err(SgviError::TooFewSamples { estimator: "evaluate_plate", minimum: 2, actual: n_samples });
    }
    elbo.check_lengths(model_params, params)?;
    let mut cache = M::Cache::default();
    let at = elbo.model().at(model_params, &mut cache)?;
    let n = elbo.model().n_data();
    let mut values = vec![0.0; WIDTH * n];
    let none = &mut Array1::zeros(0);
    exec.map_and_sum_in(n, CHUNK, &mut values, none, &mut Vec::new(), |items, values, _| {
        let data: Vec<usize> = items.collect();
        let mut running = vec![Running::default(); data.len()];
        for first in (0..n_samples).step_by(BLOCK) {
            let block = BLOCK.min(n_samples - first);
            let key = key.fold_in((first / BLOCK) as u64);
            let per_tile = (TILE / block).max(1);
            for (data, running) in data.chunks(per_tile).zip(running.chunks_mut(per_tile)) {
                add_block(&elbo, &at, params, data, block, key, running);
            }
        }
        for (values, running) in values.chunks_exact_mut(WIDTH).zip(&running) {
            values.copy_from_slice(&running.result());
        }
    })?;
    let column = |c: usize| values.iter().skip(c).step_by(WIDTH).copied().collect::<Array1<f64>>();
    let [elbos, elbo_errors, log_likelihoods, likelihood_errors] = [0, 1, 2, 3].map(column);
    if let Some(datum) = elbos.iter().position(|v| !v.is_finite()) {
        let mut local = elbo.local_params(params)?;
        local = local.slice(ndarray::s![datum..=datum, ..]).to_owned();
        let (mut z, mut log_q) = (ndarray::Array2::zeros((1, elbo.family().dim())), Array1::zeros(1));
        let drawn = elbo.family().sample_points(&local, &[datum], key.fold_in(0), 1, &mut z, &mut log_q);
        let source = match drawn {
            Err(error) => error.into(),
            Ok(()) => SgviError::NonFiniteElbo { value: elbos[datum] },
        };
        return Err(SgviError::Datum { datum, source: Box::new(source) });
    }
    let total = |values: &Array1<f64>, squared_errors: &Array1<f64>| ElboEstimate {
        value: values.sum(),
        mcse: squared_errors.sum().sqrt(),
        n_samples,
    };
    Ok(PlateEvaluation {
        elbo: total(&elbos, &elbo_errors),
        log_likelihood: total(&log_likelihoods, &likelihood_errors),
        elbos,
        log_likelihoods,
    })
}

/// Values of a datum: the mean of f, the log of the mean of exp f, and the squared error of each.
const WIDTH: usize = 4;

fn add_block<M: PlateModel, F: PlateFamily, R: Recognition>(
    elbo: &PlateElbo<'_, M, F, R>,
    at: &M::At<'_>,
    params: &ArrayRef1<f64>,
    data: &[usize],
    n_points: usize,
    key: StreamKey,
    running: &mut [Running],
) {
    let (dim, p, n_rows) = (elbo.family().dim(), elbo.family().n_params(), data.len() * n_points);
    scratch::with(n_rows * (dim + 2) + data.len() * p, |scratch| {
        let (z, rest) = scratch.split_at_mut(n_rows * dim);
        let (log_q, rest) = rest.split_at_mut(n_rows);
        let (f, local) = rest.split_at_mut(n_rows);
        elbo.recognition().local_params(params, data, &mut matrix_mut(local, p));
        let local = matrix(local, p);
        let mut log_q_view = ArrayViewMut1::from(&mut *log_q);
        let drawn = elbo.family().sample_points(
            &local,
            data,
            key,
            n_points,
            &mut matrix_mut(z, dim),
            &mut log_q_view,
        );
        if drawn.is_err() {
            return running.iter_mut().for_each(|r| r.add(f64::NAN));
        }
        at.log_joint_points(data, &matrix(z, dim), &mut ArrayViewMut1::from(&mut *f));
        for (r, (f, log_q)) in f.iter().zip(&*log_q).enumerate() {
            running[r / n_points].add(f - log_q);
        }
    });
}

/// Running mean and squares of f, and of exp f relative to the largest f so far.
#[derive(Clone, Copy, Debug)]
struct Running {
    n: f64,
    mean: f64,
    squares: f64,
    largest: f64,
    weights: f64,
    squared_weights: f64,
}

impl Default for Running {
    fn default() -> Self {
        let largest = f64::NEG_INFINITY;
        Self { n: 0.0, mean: 0.0, squares: 0.0, largest, weights: 0.0, squared_weights: 0.0 }
    }
}

impl Running {
    fn add(&mut self, f: f64) {
        self.n += 1.0;
        let deviation = f - self.mean;
        self.mean += deviation / self.n;
        self.squares += deviation * (f - self.mean);
        if f > self.largest {
            let scale = (self.largest - f).exp();
            self.weights *= scale;
            self.squared_weights *= scale * scale;
            self.largest = f;
        }
        let weight = (f - self.largest).exp();
        self.weights += weight;
        self.squared_weights += weight * weight;
    }

    fn result(&self) -> [f64; WIDTH] {
        let n = self.n;
        let log_mean = self.largest + (self.weights / n).ln();
        // Var(w)/(K E[w]²), the squared relative error of the mean weight.
        let relative = (self.squared_weights * n / (self.weights * self.weights) - 1.0).max(0.0) / (n - 1.0);
        [self.mean, self.squares / (n - 1.0) / n, log_mean, relative]
    }
}
