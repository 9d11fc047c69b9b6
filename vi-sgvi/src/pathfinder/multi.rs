//! Several Pathfinders, and importance resampling of their draws.

use ndarray::{Array1, Array3, ArrayRef1, concatenate, s};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use vi_core::{Draws, Exec, GradLogJoint, ParameterSpace, Posterior, Role, StreamKey};

use super::{Pathfinder, PathfinderFit};
use crate::error::{SgviError, require};
use crate::estimator::Evaluations;

/// Pathfinders from several random starts, whose pooled draws are resampled by importance weights.
///
/// ```text
/// w ∝ p(x, z)/q_i(z),   z ~ q_i of path i
/// ```
/// Weights as they stand have large variance when the paths miss a tail of the posterior. Smooth them:
/// [`MultiPathfinderFit::with_log_weights`] takes those of `vi_diagnostics::psis`, whose k-hat also says whether the
/// result can be trusted; this crate does not depend on that one.
///
/// Source: Zhang, Carpenter, Gelman & Vehtari 2022, algorithm 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MultiPathfinder {
    /// The number of paths; by default 4.
    pub n_paths: u32,
    /// Each of them.
    pub path: Pathfinder,
}

impl Default for MultiPathfinder {
    fn default() -> Self {
        Self { n_paths: 4, path: Pathfinder::default() }
    }
}

/// What [`MultiPathfinder`] found: a [`Posterior`] that resamples the pooled draws.
#[derive(Debug)]
pub struct MultiPathfinderFit {
    parameters: ParameterSpace,
    /// The paths, one of which at least has an approximation.
    pub paths: Vec<Result<PathfinderFit, SgviError>>,
    log_ratios: Array1<f64>,
    /// Sums of the normalised weights.
    cumulative: Vec<f64>,
}

impl MultiPathfinder {
    /// Path c starts, and draws, under `key.role(Role::Chain(c))`.
    ///
    /// # Errors
    /// The error of the first path, when none has an approximation; [`SgviError::Setting`] without paths.
    pub fn fit<M>(&self, model: &M, key: StreamKey, exec: Exec<'_>) -> Result<MultiPathfinderFit, SgviError>
    where
        M: GradLogJoint + ?Sized,
    {
        require(self.n_paths > 0, "multi_pathfinder.n_paths", f64::from(self.n_paths), "≥ 1")?;
        let path = |c| self.path.fit(model, key.role(Role::Chain(c)), exec);
        let mut paths: Vec<_> = (0..self.n_paths).map(path).collect();
        if paths.iter().all(Result::is_err) {
            return paths.swap_remove(0).and(Err(SgviError::NoApproximation { n_gaussians: 0 }));
        }
        let ratios: Vec<_> = paths.iter().flatten().map(|p| p.log_ratios.view()).collect();
        let log_ratios = concatenate(ndarray::Axis(0), &ratios).expect("vectors fit each other");
        let cumulative = cumulative(&log_ratios);
        Ok(MultiPathfinderFit { parameters: model.parameters().clone(), paths, log_ratios, cumulative })
    }
}

impl MultiPathfinderFit {
    /// log p(x, z) − log q_i(z) of the pooled draws, path after path.
    pub fn log_ratios(&self) -> &Array1<f64> {
        &self.log_ratios
    }

    /// The same draws under other log weights, for instance Pareto-smoothed ones; they need not be normalised.
    ///
    /// # Panics
    /// If there are not as many weights as draws.
    #[must_use]
    pub fn with_log_weights(self, log_weights: &ArrayRef1<f64>) -> Self {
        assert_eq!(log_weights.len(), self.log_ratios.len(), "log weights: wrong length");
        Self { cumulative: cumulative(log_weights), ..self }
    }

    /// The path with the best ELBO.
    pub fn best(&self) -> &PathfinderFit {
        let paths = self.paths.iter().flatten();
        paths.max_by(|a, b| a.elbo.value.total_cmp(&b.elbo.value)).expect("one path has an approximation")
    }

    /// Evaluations of the model by the paths that have an approximation.
    pub fn evaluations(&self) -> Evaluations {
        self.paths.iter().flatten().fold(Evaluations::default(), |mut sum, path| {
            sum += path.evaluations;
            sum
        })
    }
}

/// Sums of exp(log weight); a weight that is not finite counts as zero.
fn cumulative(log_weights: &ArrayRef1<f64>) -> Vec<f64> {
    let finite = |w: &f64| if w.is_finite() { *w } else { f64::NEG_INFINITY };
    let largest = log_weights.iter().map(finite).fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    let weight = |w: f64| if w > f64::NEG_INFINITY { (w - largest).exp() } else { 0.0 };
    log_weights
        .iter()
        .map(|w| {
            sum += weight(finite(w));
            sum
        })
        .collect()
}

impl Posterior for MultiPathfinderFit {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }

    /// `n` of the pooled draws, with replacement.
    fn draws(&self, n: usize, key: StreamKey) -> Draws {
        let rows: Vec<_> = self.paths.iter().flatten().flat_map(|p| p.draws.rows()).collect();
        let total = self.cumulative.last().copied().unwrap_or(0.0);
        let mut values = Array3::zeros((1, n, self.parameters.dim()));
        for i in 0..n {
            let at = key.rng(i as u64).random::<f64>() * total;
            let chosen = self.cumulative.partition_point(|sum| *sum <= at).min(rows.len() - 1);
            values.slice_mut(s![0, i, ..]).assign(&rows[chosen]);
        }
        Draws::new(self.parameters.clone(), values)
    }
}
