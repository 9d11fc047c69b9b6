//! The points of past iterations.

use serde::{Deserialize, Serialize};
use vi_core::LogJoint;

use crate::error::{NamedValues, SgviError};

/// What [`SampleReuse`](crate::SampleReuse) remembers: for each of the last K iterations its λ, its points, their log
/// joints, and their log densities under every λ that is remembered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SampleReuseState {
    n_slots: usize,
    n_samples: usize,
    dim: usize,
    n_params: usize,
    /// How many slots are filled; the newest one is the one before `next`.
    n_used: usize,
    next: usize,
    /// (K, P).
    params: Vec<f64>,
    /// (K, S, D).
    points: Vec<f64>,
    /// (K, S).
    log_joint: Vec<f64>,
    /// (K, K, S): of the points of one slot under the λ of another.
    densities: Vec<f64>,
}

impl SampleReuseState {
    /// Room for K iterations of S points; what does not fit is forgotten.
    pub(super) fn fit(&mut self, n_slots: usize, n_samples: usize, dim: usize, n_params: usize) {
        if (self.n_slots, self.n_samples, self.dim, self.n_params) == (n_slots, n_samples, dim, n_params) {
            return;
        }
        *self = Self {
            n_slots,
            n_samples,
            dim,
            n_params,
            n_used: 0,
            next: 0,
            params: vec![0.0; n_slots * n_params],
            points: vec![0.0; n_slots * n_samples * dim],
            log_joint: vec![0.0; n_slots * n_samples],
            densities: vec![0.0; n_slots * n_slots * n_samples],
        };
    }

    /// The slot for new points; when all are filled the oldest is given up.
    pub(super) fn begin(&mut self) -> usize {
        self.n_used = self.n_used.min(self.n_slots - 1);
        self.next
    }

    /// The new points are those of λ.
    pub(super) fn commit(&mut self, params: &ndarray::ArrayRef1<f64>) {
        let of_slot = &mut self.params[self.next * self.n_params..(self.next + 1) * self.n_params];
        of_slot.iter_mut().zip(params).for_each(|(p, new)| *p = *new);
        self.n_used += 1;
        self.next = (self.next + 1) % self.n_slots;
    }

    pub(super) fn n_used(&self) -> usize {
        self.n_used
    }

    /// The slot of iteration number `i`, the oldest one first.
    pub(super) fn used(&self, i: usize) -> usize {
        (self.next + self.n_slots - self.n_used + i) % self.n_slots
    }

    pub(super) fn newest(&self) -> usize {
        self.used(self.n_used - 1)
    }

    pub(super) fn params(&self, slot: usize) -> &[f64] {
        &self.params[slot * self.n_params..(slot + 1) * self.n_params]
    }

    pub(super) fn points(&self, slot: usize) -> &[f64] {
        let per = self.n_samples * self.dim;
        &self.points[slot * per..(slot + 1) * per]
    }

    pub(super) fn points_mut(&mut self, slot: usize) -> &mut [f64] {
        let per = self.n_samples * self.dim;
        &mut self.points[slot * per..(slot + 1) * per]
    }

    pub(super) fn log_joint(&self, slot: usize) -> &[f64] {
        &self.log_joint[slot * self.n_samples..(slot + 1) * self.n_samples]
    }

    pub(super) fn points_and_log_joint_mut(&mut self, slot: usize) -> (&[f64], &mut [f64]) {
        let (n, per) = (self.n_samples, self.n_samples * self.dim);
        (&self.points[slot * per..(slot + 1) * per], &mut self.log_joint[slot * n..(slot + 1) * n])
    }

    /// The log densities of the points of slot `points` under the λ of slot `of`.
    pub(super) fn densities(&self, points: usize, of: usize) -> &[f64] {
        let start = (points * self.n_slots + of) * self.n_samples;
        &self.densities[start..start + self.n_samples]
    }

    pub(super) fn points_and_densities_mut(&mut self, points: usize, of: usize) -> (&[f64], &mut [f64]) {
        let (n, per) = (self.n_samples, self.n_samples * self.dim);
        let start = (points * self.n_slots + of) * n;
        (&self.points[points * per..(points + 1) * per], &mut self.densities[start..start + n])
    }

    /// log (1/K) Σ_j q_{λ_j}(z) at point `s` of `slot`, over the slots in use.
    pub(super) fn log_mean_density(&self, slot: usize, s: usize) -> f64 {
        let of_each = || (0..self.n_used).map(|i| self.densities(slot, self.used(i))[s]);
        let max = of_each().fold(f64::NEG_INFINITY, f64::max);
        max + (of_each().map(|v| (v - max).exp()).sum::<f64>() / self.n_used as f64).ln()
    }

    /// Whether all log joints of a slot are numbers.
    pub(super) fn check_finite<M: LogJoint + ?Sized>(&self, slot: usize, model: &M) -> Result<(), SgviError> {
        let Some(sample) = self.log_joint(slot).iter().position(|v| !v.is_finite()) else { return Ok(()) };
        let z = &self.points(slot)[sample * self.dim..(sample + 1) * self.dim];
        let z = NamedValues::new(model.parameters().names(), z);
        Err(SgviError::NonFiniteLogJoint { value: self.log_joint(slot)[sample], sample, z })
    }
}
