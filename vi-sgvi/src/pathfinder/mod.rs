//! Pathfinder: the best Gaussian on the way to the mode.

mod gaussian;
mod multi;

use ndarray::{Array1, Array2, Array3, ArrayRef1, ArrayViewMut1};
use serde::{Deserialize, Serialize};
use vi_core::{
    Draws, ElboEstimate, Exec, GradLogJoint, LogJoint, Observer, ObserverError, Outcome, ParameterError,
    ParameterSpace, Posterior, Role, RunError, StreamKey, Support, run,
};

use crate::error::{NamedValues, SgviError, require};
use crate::estimator::Evaluations;
use crate::quasi_newton::{Lbfgs, LbfgsInfo, LbfgsState, LogJointObjective, Stationary, random_start};
use crate::workspace::matrix_mut;
pub use gaussian::CompactGaussian;
pub use multi::{MultiPathfinder, MultiPathfinderFit};

/// Pathfinder: quasi-Newton ascent of the log joint, a Gaussian at every point of the way, the one with the best ELBO.
///
/// ```text
/// x_1, x_2, …  by L-BFGS;   q_l = N(x_l + H_l ∇log p(x_l), H_l);   q = q_l with the largest (1/K) Σ_k log p(z_k)/q_l(z_k)
/// ```
/// It need not go all the way: where the log joint has no maximum, as in a funnel, the best Gaussian lies before the end.
/// Requirements: `M: GradLogJoint` on ℝᴰ. Cost: the ascent and K log joints for each of its points; memory O(D · memory)
/// for each.
///
/// Source: Zhang, Carpenter, Gelman & Vehtari 2022, algorithms 1–4, <https://jmlr.org/papers/v23/21-0889.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pathfinder {
    /// Steps that the ascent remembers, and the covariance is made of; by default 6.
    pub memory: usize,
    /// Budget of the ascent; by default 1000 iterations.
    pub n_iterations: u64,
    /// K: draws for the ELBO at each point; by default 25.
    pub n_elbo: usize,
    /// Draws from the best, for its ELBO and for importance weights; by default 1000.
    pub n_draws: usize,
}

impl Default for Pathfinder {
    fn default() -> Self {
        Self { memory: 6, n_iterations: 1000, n_elbo: 25, n_draws: 1000 }
    }
}

/// What [`Pathfinder`] found: a [`Posterior`].
#[derive(Debug)]
pub struct PathfinderFit {
    parameters: ParameterSpace,
    /// q.
    pub gaussian: CompactGaussian,
    /// Its ELBO, from draws that did not choose it.
    pub elbo: ElboEstimate,
    /// Those draws (n, D).
    pub draws: Array2<f64>,
    /// log p(x, z) − log q(z) of each (n).
    pub log_ratios: Array1<f64>,
    /// The iteration of the ascent after which it stood, from 0; `None` when there
    /// was no way to go from the start.
    pub iteration: Option<u64>,
    /// How the ascent ended. An ascent that failed has a way before its end, which is used all the same.
    pub ascent: Result<Outcome, Box<RunError<SgviError>>>,
    /// Evaluations of the model.
    pub evaluations: Evaluations,
}

impl Pathfinder {
    /// Starts at a point drawn from the uniform distribution on (−2, 2)ᴰ under `key`.
    ///
    /// # Errors
    /// As for [`Pathfinder::fit_from`].
    pub fn fit<M>(&self, model: &M, key: StreamKey, exec: Exec<'_>) -> Result<PathfinderFit, SgviError>
    where
        M: GradLogJoint + ?Sized,
    {
        let ascent = Lbfgs::new(LogJointObjective(model), self.memory)?;
        let start = random_start(&ascent, model.dim(), key)?;
        self.follow(model, &ascent, start, key, exec)
    }

    /// Starts at `start` (D).
    ///
    /// # Errors
    /// [`SgviError::NoApproximation`] when the log joint is not finite under any of the Gaussians;
    /// [`SgviError::NonFiniteStart`]; [`SgviError::Parameter`] for a model that is not on ℝᴰ.
    pub fn fit_from<M>(
        &self,
        model: &M,
        start: &ArrayRef1<f64>,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<PathfinderFit, SgviError>
    where
        M: GradLogJoint + ?Sized,
    {
        let ascent = Lbfgs::new(LogJointObjective(model), self.memory)?;
        let start = ascent.start(start.to_owned())?;
        self.follow(model, &ascent, start, key, exec)
    }

    fn follow<M: GradLogJoint + ?Sized>(
        &self,
        model: &M,
        ascent: &Lbfgs<LogJointObjective<'_, M>>,
        mut state: LbfgsState,
        key: StreamKey,
        exec: Exec<'_>,
    ) -> Result<PathfinderFit, SgviError> {
        require(self.n_elbo >= 2, "pathfinder.n_elbo", self.n_elbo as f64, "≥ 2")?;
        require(self.n_draws >= 2, "pathfinder.n_draws", self.n_draws as f64, "≥ 2")?;
        check_real(model.parameters())?;
        let mut way = Way::default();
        let start = gaussian(&state);
        let (step_key, iterations) = (key.role(Role::Step), 0..self.n_iterations);
        let ended = run(ascent, &mut state, step_key, iterations, &Stationary::default(), &mut [&mut way]);
        let mut candidates = way.gaussians;
        if candidates.is_empty() {
            // Where there is no way to go, the start is all there is.
            candidates.extend(start.map(|q| (None, q)));
        }
        let gaussians: Vec<&CompactGaussian> = candidates.iter().map(|(_, q)| q).collect();
        let elbos = elbos(model, &gaussians, self.n_elbo, step_key, exec)?;
        let best = elbos.iter().enumerate().filter(|(_, e)| e.is_finite()).max_by(|a, b| a.1.total_cmp(b.1));
        let Some((best, _)) = best else {
            return Err(SgviError::NoApproximation { n_gaussians: candidates.len() });
        };
        let n_log_joint = (candidates.len() * self.n_elbo + self.n_draws) as u64;
        let (iteration, gaussian) = candidates.swap_remove(best);
        let (draws, log_ratios) =
            weighed_draws(model, &gaussian, self.n_draws, key.role(Role::Evaluate), exec)?;
        if let Some(sample) = log_ratios.iter().position(|r| r.is_nan()) {
            let z = draws.row(sample);
            let value = model.log_joint(&z);
            let z = NamedValues::new(model.parameters().names(), z);
            return Err(SgviError::NonFiniteLogJoint { value, sample, z });
        }
        let evaluations = Evaluations { n_log_joint, n_gradient: state.n_gradient, n_log_joint_block: 0 };
        let mut elbo = ElboEstimate::from_log_ratios(&log_ratios);
        if !elbo.value.is_finite() {
            // A draw without density: nothing is known of the error.
            elbo.mcse = f64::INFINITY;
        }
        Ok(PathfinderFit {
            parameters: model.parameters().clone(),
            gaussian,
            elbo,
            draws,
            log_ratios,
            iteration,
            ascent: ended.map_err(Box::new),
            evaluations,
        })
    }
}

/// The Gaussians along the way, which the start is not part of: H is not known there.
#[derive(Default)]
struct Way {
    gaussians: Vec<(Option<u64>, CompactGaussian)>,
}

impl<F> Observer<Lbfgs<F>> for Way
where
    Lbfgs<F>: vi_core::Kernel<State = LbfgsState, Info = LbfgsInfo>,
{
    fn observe(&mut self, t: u64, state: &LbfgsState, info: &LbfgsInfo) -> Result<(), ObserverError> {
        if info.improvement != 0.0 {
            self.gaussians.extend(gaussian(state).map(|q| (Some(t), q)));
        }
        Ok(())
    }
}

fn gaussian(state: &LbfgsState) -> Option<CompactGaussian> {
    CompactGaussian::after(&state.position, &state.grad, &state.history)
}

fn check_real(space: &ParameterSpace) -> Result<(), SgviError> {
    match space.parameters().iter().find(|p| p.support() != Support::Real) {
        None => Ok(()),
        Some(p) => Err(ParameterError::Unsupported {
            name: p.name().to_owned(),
            support: p.support(),
            method: "Pathfinder".to_owned(),
        }
        .into()),
    }
}

/// The ELBO of every Gaussian from `n` draws each; not finite where a log joint is not.
fn elbos<M: LogJoint + ?Sized>(
    model: &M,
    gaussians: &[&CompactGaussian],
    n: usize,
    key: StreamKey,
    exec: Exec<'_>,
) -> Result<Vec<f64>, SgviError> {
    let mut ratios = vec![0.0; gaussians.len() * n];
    let n_items = ratios.len();
    exec.map_chunks(n_items, &mut ratios, &mut [], |items, ratios, _| {
        let mut z = Array2::zeros((items.len(), model.dim()));
        let mut log_q = Vec::with_capacity(items.len());
        for (mut z, i) in z.rows_mut().into_iter().zip(items) {
            let mut rng = key.fold_in((i / n) as u64).rng((i % n) as u64);
            log_q.push(gaussians[i / n].sample(&mut rng, &mut z));
        }
        model.log_joint_batch(&z, &mut ArrayViewMut1::from(&mut *ratios));
        ratios.iter_mut().zip(log_q).for_each(|(r, q)| *r -= q);
    })?;
    Ok(ratios.chunks(n).map(|r| r.iter().sum::<f64>() / n as f64).collect())
}

/// Draws of q with their log ratios.
fn weighed_draws<M: LogJoint + ?Sized>(
    model: &M,
    q: &CompactGaussian,
    n: usize,
    key: StreamKey,
    exec: Exec<'_>,
) -> Result<(Array2<f64>, Array1<f64>), SgviError> {
    let width = model.dim() + 1;
    let mut rows = vec![0.0; n * width];
    exec.map_chunks(n, &mut rows, &mut [], |items, rows, _| {
        let n = items.len();
        let (z, ratios) = rows.split_at_mut(n * (width - 1));
        let mut z = matrix_mut(z, width - 1);
        let mut log_q = Vec::with_capacity(n);
        for (mut z, i) in z.rows_mut().into_iter().zip(items) {
            log_q.push(q.sample(&mut key.rng(i as u64), &mut z));
        }
        model.log_joint_batch(&z, &mut ArrayViewMut1::from(&mut *ratios));
        ratios.iter_mut().zip(log_q).for_each(|(r, q)| *r -= q);
    })?;
    let (mut draws, mut log_ratios) = (Array2::zeros((n, width - 1)), Array1::zeros(n));
    for (c, chunk) in rows.chunks(vi_core::CHUNK * width).enumerate() {
        let (first, n) = (c * vi_core::CHUNK, chunk.len() / width);
        let (z, ratios) = chunk.split_at(n * (width - 1));
        for i in 0..n {
            draws.row_mut(first + i).assign(&ndarray::aview1(&z[i * (width - 1)..(i + 1) * (width - 1)]));
            log_ratios[first + i] = ratios[i];
        }
    }
    Ok((draws, log_ratios))
}

impl Posterior for PathfinderFit {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }
    fn draws(&self, n: usize, key: StreamKey) -> Draws {
        let d = self.parameters.dim();
        let mut values = vec![0.0; n * d];
        Exec::local().for_each_chunk(&mut values, d, |items, rows| {
            for (row, i) in rows.chunks_exact_mut(d).zip(items) {
                self.gaussian.sample(&mut key.rng(i as u64), &mut ArrayViewMut1::from(row));
            }
        });
        let values = Array3::from_shape_vec((1, n, d), values).expect("n rows of length D were made");
        Draws::new(self.parameters.clone(), values)
    }
    fn log_prob(&self, z: &ArrayRef1<f64>) -> Option<f64> {
        Some(self.gaussian.log_prob(z))
    }
}
