//! The objective, and its evaluation at a fixed q.

use ndarray::{Array1, Array2, ArrayRef1, ArrayViewMut1};
use vi_core::{ElboEstimate, Exec, LogJoint, StreamKey};
use vi_families::{VariationalDistribution, VariationalFamily};

use crate::error::SgviError;
use crate::workspace::{Columns, Workspace};

/// The evidence lower bound of a model and a variational family as a function of λ.
///
/// ```text
/// ELBO(λ) = E_{z ~ q_λ}[log p(x, z) − log q_λ(z)] ≤ log p(x)
/// ```
#[derive(Debug)]
pub struct Elbo<'a, M: ?Sized, F> {
    model: &'a M,
    family: &'a F,
}

impl<M: ?Sized, F> Clone for Elbo<'_, M, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: ?Sized, F> Copy for Elbo<'_, M, F> {}

impl<'a, M: LogJoint + ?Sized, F: VariationalFamily> Elbo<'a, M, F> {
    /// The objective of this model over this family.
    ///
    /// # Errors
    /// [`SgviError::Dimension`] when the two do not fit.
    pub fn new(model: &'a M, family: &'a F) -> Result<Self, SgviError> {
        if model.dim() != family.dim() {
            return Err(SgviError::Dimension { model: model.dim(), family: family.dim() });
        }
        Ok(Self { model, family })
    }
}

impl<'a, M: ?Sized, F> Elbo<'a, M, F> {
    /// The model.
    pub fn model(&self) -> &'a M {
        self.model
    }

    /// The family.
    pub fn family(&self) -> &'a F {
        self.family
    }
}

/// A Monte Carlo estimate of the ELBO at fixed λ, with its standard error.
///
/// ```text
/// (1/S) Σ_s [log p(x, z_s) − log q_λ(z_s)],   z_s ~ q_λ from key.rng(s)
/// ```
/// Use a key that no iteration has used ([`vi_core::Role::Evaluate`]), or the estimate is biased by the
/// selection of λ. Memory is O(S).
///
/// # Errors
/// [`SgviError::NonFiniteLogJoint`] shows z; [`SgviError::Family`] when λ is outside its domain;
/// [`SgviError::TooFewSamples`] below two samples, which have no standard error.
pub fn evaluate_elbo<M, F>(
    model: &M,
    family: &F,
    params: &ArrayRef1<f64>,
    n_samples: usize,
    key: StreamKey,
    exec: Exec<'_>,
) -> Result<ElboEstimate, SgviError>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
{
    let elbo = Elbo::new(model, family)?;
    if n_samples < 2 {
        return Err(SgviError::TooFewSamples { estimator: "evaluate_elbo", minimum: 2, actual: n_samples });
    }
    log_ratios(elbo, params, n_samples, key, exec, &mut Workspace::default())
}

/// Two members under common random numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ElboComparison {
    /// The ELBO of the later member.
    pub later: ElboEstimate,
    /// ELBO(later) − ELBO(earlier), in nats.
    pub improvement: f64,
    /// Standard error of the improvement.
    pub mcse: f64,
}

/// By how much the ELBO of `later` (P) exceeds that of `earlier` (P).
///
/// ```text
/// (1/S) Σ_s [f(z_s; later) − f(z'_s; earlier)],   f = log p(x, ·) − log q_λ(·)
/// ```
/// z_s and z'_s come from the same stream `key.rng(s)`: for members that are near each other the noise of the two nearly
/// cancels. Costs 2 S log joints.
///
/// # Errors
/// As for [`evaluate_elbo`].
pub fn compare_elbo<M, F>(
    elbo: Elbo<'_, M, F>,
    earlier: &ArrayRef1<f64>,
    later: &ArrayRef1<f64>,
    n_samples: usize,
    key: StreamKey,
    exec: Exec<'_>,
) -> Result<ElboComparison, SgviError>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
{
    if n_samples < 2 {
        return Err(SgviError::TooFewSamples { estimator: "compare_elbo", minimum: 2, actual: n_samples });
    }
    let (mut of_earlier, mut of_later) = (Workspace::default(), Workspace::default());
    log_ratios(elbo, earlier, n_samples, key, exec, &mut of_earlier)?;
    let later = log_ratios(elbo, later, n_samples, key, exec, &mut of_later)?;
    let pairs = of_later.log_ratios.iter().zip(&of_earlier.log_ratios);
    let difference = ElboEstimate::from_log_ratios(&pairs.map(|(l, e)| l - e).collect::<Array1<f64>>());
    Ok(ElboComparison { later, improvement: difference.value, mcse: difference.mcse })
}

/// Draws from the member with parameters `params`, leaves the log ratios in the workspace, returns their mean.
pub(crate) fn log_ratios<M, F>(
    elbo: Elbo<'_, M, F>,
    params: &ArrayRef1<f64>,
    n_samples: usize,
    key: StreamKey,
    exec: Exec<'_>,
    workspace: &mut Workspace,
) -> Result<ElboEstimate, SgviError>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
{
    let Elbo { model, family } = elbo;
    let q = family.bind(params)?;
    let columns = Columns::default();
    workspace.reserve(n_samples, 0, columns);
    exec.map_chunks(n_samples, &mut workspace.values, &mut [], |samples, values, _| {
        let mut z = Array2::zeros((samples.len(), model.dim()));
        q.sample_batch(key, samples, &mut z);
        let [log_joint, log_q, ..] = columns.split(values);
        model.log_joint_batch(&z, &mut ArrayViewMut1::from(log_joint));
        q.log_prob_batch(&z, &mut ArrayViewMut1::from(log_q));
    })?;
    workspace.log_ratios(n_samples, 1, columns, model, |s, z| q.sample(&mut key.rng(s as u64), z))
}
