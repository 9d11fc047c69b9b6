//! What estimates are compared with.

use std::fmt;

use ndarray::{Array1, ArrayRef1, Axis};
use vi_core::{GaussianExpectation, LogJoint};
use vi_families::{FactorizedDistribution, MeanFieldGaussian, VariationalDistribution, VariationalFamily};

use super::candidate::Candidate;
use crate::error::{NamedValues, SgviError, require};

/// The gradient of the ELBO at λ (P).
pub type ExactGradient<'a> = dyn Fn(&ArrayRef1<f64>) -> Result<Array1<f64>, SgviError> + Send + Sync + 'a;

/// What the bias of a candidate is measured against.
pub enum Reference<'a, M: ?Sized, F> {
    /// Nothing: the report says nothing of bias.
    None,
    /// The exact gradient.
    Exact {
        /// How it is computed, in words.
        how: String,
        /// The gradient at λ.
        gradient: Box<ExactGradient<'a>>,
    },
    /// Another estimator, unbiased and with many samples, replicate by replicate under the same keys: the z-scores
    /// are those of the differences.
    Paired(Candidate<'a, M, F>),
}

impl<M: ?Sized, F> fmt::Debug for Reference<'_, M, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Exact { how, .. } => f.debug_struct("Exact").field("how", how).finish_non_exhaustive(),
            Self::Paired(candidate) => f.debug_tuple("Paired").field(candidate).finish(),
        }
    }
}

/// States that are enumerated at most.
pub(super) const MAX_STATES: f64 = (1 << 20) as f64;

impl<'a, M, F> Reference<'a, M, F>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
{
    /// A gradient in closed form, or by quadrature.
    pub fn exact(
        how: impl Into<String>,
        gradient: impl Fn(&ArrayRef1<f64>) -> Array1<f64> + Send + Sync + 'a,
    ) -> Self {
        Self::Exact { how: how.into(), gradient: Box::new(move |params| Ok(gradient(params))) }
    }

    /// The sum over all states of discrete latents, 2²⁰ of them at most.
    ///
    /// ```text
    /// ∇_λ ELBO = Σ_z q(z) [log p(x, z) − log q(z)] ∇_λ log q(z)
    /// ```
    pub fn enumeration(model: &'a M, family: &'a F) -> Self
    where
        for<'m> F::Member<'m>: FactorizedDistribution,
    {
        Self::Exact {
            how: "enumeration".into(),
            gradient: Box::new(move |params| enumerate(model, family, params)),
        }
    }

    /// What it is, in words.
    pub fn describe(&self) -> String {
        match self {
            Self::None => "none".into(),
            Self::Exact { how, .. } => format!("exact, {how}"),
            Self::Paired(candidate) => format!("paired run of {}", candidate.name()),
        }
    }
}

impl<'a, M: ?Sized> Reference<'a, M, MeanFieldGaussian> {
    /// The gradient of a model whose expectation under independent Gaussians is known, on the unconstrained scale.
    ///
    /// ```text
    /// ∇_m ELBO = ∇_m E[log p],   ∇_log s ELBO = s ∇_s E[log p] + 1
    /// ```
    pub fn mean_field<N: GaussianExpectation + ?Sized>(model: &'a N, family: &'a MeanFieldGaussian) -> Self {
        let gradient = move |params: &ArrayRef1<f64>| {
            let q = family.bind(params)?;
            let d = q.dim();
            let (mean, sd) = (Array1::from_iter(q.mean().to_vec()), Array1::from_iter(q.sd().to_vec()));
            let mut grad = Array1::zeros(2 * d);
            let (mut in_mean, mut in_sd) = grad.view_mut().split_at(Axis(0), d);
            model.expected_under_gaussians(&mean, &sd, &mut in_mean, &mut in_sd);
            in_sd.zip_mut_with(&sd, |g, s| *g = *g * s + 1.0);
            Ok(grad)
        };
        Self::Exact { how: model.how().into(), gradient: Box::new(gradient) }
    }
}

fn enumerate<M, F>(model: &M, family: &F, params: &ArrayRef1<f64>) -> Result<Array1<f64>, SgviError>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
    for<'m> F::Member<'m>: FactorizedDistribution,
{
    let q = family.bind(params)?;
    let counts: Vec<Option<usize>> = (0..q.n_factors()).map(|i| q.n_values(i)).collect();
    let n_states: f64 = counts.iter().map(|n| n.map_or(f64::INFINITY, |n| n as f64)).product();
    require(n_states <= MAX_STATES, "number of states to enumerate", n_states, "at most 2^20")?;
    let counts: Vec<usize> = counts.into_iter().flatten().collect();
    let (mut z, mut grad) = (Array1::zeros(q.dim()), Array1::zeros(params.len()));
    for state in 0..n_states as usize {
        let mut rest = state;
        for (i, n) in counts.iter().enumerate() {
            q.set_value(i, rest % n, &mut z);
            rest /= n;
        }
        let (log_q, value) = (q.log_prob(&z), model.log_joint(&z));
        if log_q == f64::NEG_INFINITY {
            continue;
        }
        if !value.is_finite() {
            let z = NamedValues::new(model.parameters().names(), &z);
            return Err(SgviError::NonFiniteLogJoint { value, sample: state, z });
        }
        q.add_score(&z, log_q.exp() * (value - log_q), &mut grad);
    }
    Ok(grad)
}
