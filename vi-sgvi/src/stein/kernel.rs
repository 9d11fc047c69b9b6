//! The kernel: scores of all particles, their directions, a step.

use std::fmt;

use ndarray::{Array2, ArrayRef2, ArrayView1, ArrayViewMut1, Axis};
use serde::{Deserialize, Serialize};
use vi_core::{Exec, GradLogJoint, Kernel, Role, StopReason, StopRule, StreamKey};
use vi_families::{FullRankGaussian, fill_standard_normal};

use super::direction::{Bandwidth, Common, directions};
use crate::error::{SgviError, require};
use crate::estimator::Evaluations;
use crate::optimizer::Optimizer;
use crate::scores::Scores;

/// Stein variational gradient descent (SVGD): n particles move in the direction that lowers KL(q ‖ p) fastest among those of
/// a reproducing kernel.
///
/// ```text
/// z_i ← z_i + step(φ(z_i)),   φ(z) = (1/n) Σ_j [k(z_j, z) ∇ log p(x, z_j) + ∇_{z_j} k(z_j, z)]
/// ```
/// The first term pulls particles towards high density, the second keeps them apart. Nothing is random after the start: keys
/// of iterations are not used. One particle climbs to a mode. The [`Optimizer`] turns φ into steps; that of the paper's code
/// is [`crate::RmsProp`] with decay 0.9. There is no density q, and no ELBO.
///
/// Requirements: `M: GradLogJoint` over real variables. Cost per iteration: n gradients and O(n²D); memory O(nD).
///
/// Limits: the kernel sees one distance for all coordinates, so scales should be alike. With a fixed number of particles
/// their variance falls below that of the posterior as D grows (see `docs/algorithms/beside-the-elbo.md` for how far).
///
/// Source: Liu & Wang 2016, algorithm 1, <https://arxiv.org/abs/1608.04471>; collapse in high dimension: Zhuo et al. 2018,
/// Ba et al. 2022.
pub struct SteinGradient<'a, M: ?Sized, O> {
    model: &'a M,
    optimizer: O,
    bandwidth: Bandwidth,
    exec: Exec<'a>,
}

impl<M: ?Sized, O: fmt::Debug> fmt::Debug for SteinGradient<'_, M, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SteinGradient")
            .field("optimizer", &self.optimizer)
            .field("bandwidth", &self.bandwidth)
            .finish_non_exhaustive()
    }
}

/// All that [`SteinGradient`] carries from one iteration to the next; `S` is the optimizer's state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SteinState<S> {
    /// The particles (n, D).
    pub particles: Array2<f64>,
    /// What the optimizer remembers.
    pub optimizer: S,
    /// The kernelised Stein discrepancy before every iteration.
    pub discrepancy_trace: Vec<f64>,
    /// Evaluations of the model so far.
    pub evaluations: Evaluations,
    #[serde(skip)]
    scores: Scores,
    #[serde(skip)]
    directions: Vec<f64>,
}

/// What an iteration of [`SteinGradient`] reports, of the particles from which it started.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SteinInfo {
    /// The kernelised Stein discrepancy under the kernel of this iteration.
    pub discrepancy: f64,
    /// The root mean square of φ over particles and coordinates, each in standard deviations of the coordinate over the
    /// particles: zero where the particles stay.
    pub speed: f64,
    /// The kernel's bandwidth.
    pub bandwidth: f64,
    /// The mean of log p(x, z_i).
    pub mean_log_joint: f64,
}

/// Stops when the particles hardly move: their speed is at most the tolerance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlowParticles {
    /// In standard deviations of a coordinate per unit of step; by default 0.001.
    pub tolerance: f64,
}

impl Default for SlowParticles {
    fn default() -> Self {
        Self { tolerance: 1e-3 }
    }
}

impl SlowParticles {
    pub(super) fn validate(&self) -> Result<(), SgviError> {
        require(self.tolerance > 0.0, "tolerance", self.tolerance, "finite and > 0")
    }
}

impl StopRule<SteinInfo> for SlowParticles {
    fn check(&self, _t: u64, info: &SteinInfo) -> Option<StopReason> {
        (info.speed <= self.tolerance).then(|| StopReason::Converged {
            rule: format!("speed of the particles {:.1e} (tolerance {:.1e})", info.speed, self.tolerance),
        })
    }
}

impl<'a, M: GradLogJoint + ?Sized, O: Optimizer> SteinGradient<'a, M, O> {
    /// A kernel with this bandwidth on the threads of the current pool.
    ///
    /// # Errors
    /// [`SgviError::Family`] names a variable that is not real; [`SgviError::Setting`] a setting outside its domain.
    pub fn new(model: &'a M, optimizer: O, bandwidth: Bandwidth) -> Result<Self, SgviError> {
        optimizer.validate()?;
        bandwidth.validate()?;
        // Names the variable that is not real.
        FullRankGaussian::new(model.parameters())?;
        Ok(Self { model, optimizer, bandwidth, exec: Exec::local() })
    }

    /// Runs on other ranks and threads; the bits of the result stay the same.
    #[must_use]
    pub fn with_exec(self, exec: Exec<'a>) -> Self {
        Self { exec, ..self }
    }

    /// The model.
    pub fn model(&self) -> &'a M {
        self.model
    }

    /// n particles from the standard Gaussian, number i from `key.role(Role::Init).rng(i)`.
    ///
    /// # Errors
    /// As for [`SteinGradient::init_at`].
    pub fn init(&self, n_particles: usize, key: StreamKey) -> Result<SteinState<O::State>, SgviError> {
        let mut particles = Array2::zeros((n_particles, self.model.dim()));
        for (i, mut row) in particles.rows_mut().into_iter().enumerate() {
            let values = row.as_slice_mut().expect("row-major");
            fill_standard_normal(&mut key.role(Role::Init).rng(i as u64), values);
        }
        self.init_at(&particles)
    }

    /// The state before the first iteration, at particles of your own (n, D), n ≥ 2: draws from a Gaussian that was fitted
    /// before, for instance.
    ///
    /// # Errors
    /// [`SgviError::Setting`] when there are too few particles, [`SgviError::Dimension`] when D is not the model's.
    pub fn init_at(&self, particles: &ArrayRef2<f64>) -> Result<SteinState<O::State>, SgviError> {
        let (n, d) = particles.dim();
        require(n >= 2, "n_particles", n as f64, "≥ 2")?;
        if d != self.model.dim() {
            return Err(SgviError::Dimension { model: self.model.dim(), family: d });
        }
        Ok(SteinState {
            particles: particles.as_standard_layout().into_owned(),
            optimizer: self.optimizer.init(n * d),
            discrepancy_trace: Vec::new(),
            evaluations: Evaluations::default(),
            scores: Scores::default(),
            directions: Vec::new(),
        })
    }

    fn step_here(&self, state: &mut SteinState<O::State>) -> Result<SteinInfo, SgviError> {
        let SteinState { particles, scores, .. } = state;
        scores.evaluate(self.model, particles, self.exec)?;
        scores.check(self.model, particles)?;
        let bandwidth = self.bandwidth.of(particles);
        let Common { square, mass } =
            directions(particles, &scores.grad, bandwidth, self.exec, &mut state.directions)?;
        let info = SteinInfo {
            discrepancy: square.max(0.0).sqrt(),
            speed: speed(particles, &state.directions) / mass,
            bandwidth,
            mean_log_joint: scores.log_joint.sum() / particles.nrows() as f64,
        };
        state.evaluations.n_gradient += particles.nrows() as u64;
        state.discrepancy_trace.push(info.discrepancy);
        let d = particles.ncols();
        let values = particles.as_slice_mut().expect("row-major");
        let (grad, mut moved) = (ArrayView1::from(&state.directions), ArrayViewMut1::from(values));
        self.optimizer.ascend(&mut state.optimizer, &grad, &mut moved);
        if let Some(p) = moved.iter().position(|v| !v.is_finite()) {
            let name = &self.model.parameters().names()[p % d];
            let parameter = format!("{name} of particle {}", p / d);
            return Err(SgviError::NonFiniteParameter { parameter, value: moved[p] });
        }
        Ok(info)
    }
}

/// The root mean square of the directions, each in standard deviations of its coordinate.
fn speed(particles: &Array2<f64>, directions: &[f64]) -> f64 {
    let sd = particles.std_axis(Axis(0), 0.0);
    let d = sd.len();
    let relative = |(p, v): (usize, &f64)| {
        let s = sd[p % d];
        // Particles that share a coordinate have no standard deviation there.
        (v / if s > 0.0 { s } else { 1.0 }).powi(2)
    };
    (directions.iter().enumerate().map(relative).sum::<f64>() / directions.len() as f64).sqrt()
}

impl<M: GradLogJoint + ?Sized, O: Optimizer> Kernel for SteinGradient<'_, M, O> {
    type State = SteinState<O::State>;
    type Info = SteinInfo;
    type Error = SgviError;

    fn step(&self, _key: StreamKey, state: &mut Self::State) -> Result<SteinInfo, SgviError> {
        self.exec.enter(|| self.step_here(state))
    }
}
