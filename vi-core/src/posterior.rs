//! One posterior, whatever produced it: it can be drawn from, named and summarised on the constrained scale.

use ndarray::{Array1, Array3, ArrayRef1, ArrayView2, s};
use serde::{Deserialize, Serialize};

use crate::exec::Exec;

use crate::key::StreamKey;
use crate::model::{LogJoint, Reported};
use crate::parameter::ParameterSpace;

/// Draws of all latent variables on their natural support: (chains, draws, D).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draws {
    parameters: ParameterSpace,
    values: Array3<f64>,
}

impl Draws {
    /// Draws with their names.
    ///
    /// # Panics
    /// If the last axis of `values` is not `parameters.dim()`.
    pub fn new(parameters: ParameterSpace, values: Array3<f64>) -> Self {
        assert_eq!(values.dim().2, parameters.dim(), "draws: last axis is not the dimension of the space");
        Self { parameters, values }
    }

    /// The variables drawn.
    pub fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }

    /// All values, (chains, draws, D).
    pub fn values(&self) -> &Array3<f64> {
        &self.values
    }

    /// Number of chains.
    pub fn n_chains(&self) -> usize {
        self.values.dim().0
    }

    /// Number of draws in each chain.
    pub fn n_draws(&self) -> usize {
        self.values.dim().1
    }

    /// Coordinate `d` of every draw, (chains, draws).
    pub fn coordinate(&self, d: usize) -> ArrayView2<'_, f64> {
        self.values.slice(s![.., .., d])
    }

    /// Mean, standard deviation and quantiles of every coordinate.
    pub fn summaries(&self) -> Vec<ParameterSummary> {
        let names = self.parameters.names().iter().enumerate();
        names
            .map(|(d, name)| ParameterSummary::from_values(name, self.coordinate(d).iter().copied()))
            .collect()
    }
}

/// Mean, standard deviation and quantiles of one coordinate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParameterSummary {
    /// The coordinate's name.
    pub name: String,
    /// Mean.
    pub mean: f64,
    /// Standard deviation (n − 1 in the denominator).
    pub sd: f64,
    /// 5 % quantile.
    pub q05: f64,
    /// Median.
    pub q50: f64,
    /// 95 % quantile.
    pub q95: f64,
}

impl ParameterSummary {
    /// Summarises pooled values.
    pub fn from_values(name: &str, values: impl Iterator<Item = f64>) -> Self {
        let mut x: Vec<f64> = values.collect();
        x.sort_unstable_by(f64::total_cmp);
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        let sd = (x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        Self {
            name: name.to_owned(),
            mean,
            sd,
            q05: quantile_sorted(&x, 0.05),
            q50: quantile_sorted(&x, 0.5),
            q95: quantile_sorted(&x, 0.95),
        }
    }
}

/// The `p` quantile of sorted values by linear interpolation (Hyndman & Fan 1996, type 7).
pub fn quantile_sorted(x: &[f64], p: f64) -> f64 {
    if x.is_empty() {
        return f64::NAN;
    }
    let h = (x.len() - 1) as f64 * p;
    let (lo, hi) = (h.floor() as usize, h.ceil() as usize);
    x[lo] + (h - lo as f64) * (x[hi] - x[lo])
}

/// A Monte Carlo estimate of the ELBO, in nats with every constant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ElboEstimate {
    /// The estimate.
    pub value: f64,
    /// Its Monte Carlo standard error; 0 when the value is exact.
    pub mcse: f64,
    /// The number of samples; 0 when the value is exact.
    pub n_samples: usize,
}

impl ElboEstimate {
    /// A value that was computed in closed form.
    pub fn exact(value: f64) -> Self {
        Self { value, mcse: 0.0, n_samples: 0 }
    }

    /// Mean and standard error of log ratios log p(x, z_s) − log q(z_s), z_s ~ q.
    pub fn from_log_ratios(log_ratios: &ArrayRef1<f64>) -> Self {
        let n = log_ratios.len() as f64;
        let value = log_ratios.sum() / n;
        let variance = log_ratios.iter().map(|r| (r - value).powi(2)).sum::<f64>() / (n - 1.0);
        Self { value, mcse: (variance / n).sqrt(), n_samples: log_ratios.len() }
    }
}

/// A fitted result.
pub trait Posterior: Send + Sync {
    /// The variables, on their natural support.
    fn parameters(&self) -> &ParameterSpace;

    /// Draws on the constrained scale.
    ///
    /// A variational posterior makes `n` independent draws in one chain; a sampler returns the chains that it
    /// ran, whatever `n` and `key` are.
    fn draws(&self, n: usize, key: StreamKey) -> Draws;

    /// log q(z) at a point of the natural support; `None` when the result has no density (a sampler's).
    fn log_prob(&self, z: &ArrayRef1<f64>) -> Option<f64> {
        let _ = z;
        None
    }

    /// Mean, standard deviation and quantiles on the constrained scale, from `n` draws.
    fn summaries(&self, n: usize, key: StreamKey) -> Vec<ParameterSummary> {
        self.draws(n, key).summaries()
    }
}

/// A posterior over the `z` of a reparametrised model, seen in the variables that users read.
pub struct ReportedPosterior<'a, P> {
    inner: P,
    model: &'a dyn Reported,
}

impl<'a, P: Posterior> ReportedPosterior<'a, P> {
    /// Reports `inner`, a posterior over the model's own `z`.
    pub fn new(inner: P, model: &'a dyn Reported) -> Self {
        Self { inner, model }
    }

    /// The posterior over the model's own `z`.
    pub fn inner(&self) -> &P {
        &self.inner
    }
}

impl<P: std::fmt::Debug> std::fmt::Debug for ReportedPosterior<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReportedPosterior").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<P: Posterior> Posterior for ReportedPosterior<'_, P> {
    fn parameters(&self) -> &ParameterSpace {
        self.model.reported()
    }

    fn draws(&self, n: usize, key: StreamKey) -> Draws {
        let draws = self.inner.draws(n, key);
        let (chains, n, _) = draws.values().dim();
        let mut values = Array3::zeros((chains, n, self.parameters().dim()));
        for c in 0..chains {
            for i in 0..n {
                self.model.report(&draws.values().slice(s![c, i, ..]), &mut values.slice_mut(s![c, i, ..]));
            }
        }
        Draws::new(self.parameters().clone(), values)
    }

    /// −∞ at a point that no `z` is reported as: one that the model unreports as NaN.
    fn log_prob(&self, reported: &ArrayRef1<f64>) -> Option<f64> {
        let mut z = Array1::zeros(self.model.dim());
        self.model.unreport(reported, &mut z);
        if z.iter().any(|z| z.is_nan()) && !reported.iter().any(|r| r.is_nan()) {
            return self.inner.log_prob(&z).map(|_| f64::NEG_INFINITY);
        }
        let inner = self.inner.log_prob(&z)?;
        Some(inner - self.model.report(&z, &mut reported.to_owned()))
    }
}

/// log p(x, z_s) − log q(z_s) at every draw of a result with a density: the importance log ratios from which
/// ELBO and k-hat are computed. `None` when the result has no density.
pub fn log_ratios<M: LogJoint + ?Sized>(
    model: &M,
    posterior: &dyn Posterior,
    draws: &Draws,
    exec: Exec<'_>,
) -> Option<Array1<f64>> {
    let d = draws.parameters().dim();
    let n = draws.n_chains() * draws.n_draws();
    let flat = draws.values().to_shape((n, d)).expect("the product of the axes is unchanged");
    let mut out = Array1::zeros(n);
    let Some(rows) = out.as_slice_mut() else { unreachable!("a new array is contiguous") };
    let has_density = n == 0 || posterior.log_prob(&flat.row(0)).is_some();
    if !has_density {
        return None;
    }
    exec.for_each_chunk(rows, 1, |items, out| {
        let z = flat.slice(s![items, ..]);
        model.log_joint_batch(&z, &mut ndarray::ArrayViewMut1::from(&mut *out));
        for (row, o) in z.rows().into_iter().zip(out.iter_mut()) {
            *o -= posterior.log_prob(&row).unwrap_or(f64::NAN);
        }
    });
    Some(out)
}
