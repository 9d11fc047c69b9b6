//! Divergence: a run that has left every optimum, told from one that is noisy.

use ndarray::{Array1, ArrayRef1};
use serde::{Deserialize, Serialize};
use vi_core::{Divergence, ElboEstimate};

use crate::error::{NamedValues, SgviError};

/// Estimates in a block. Medians of blocks are compared, which single wild estimates do not move.
const BLOCK: usize = 20;

/// Nats for every coordinate of z, multiples of the rise so far, and multiples of the spread of the best block: a fall has
/// to exceed all of them, and the best level itself.
const NATS: f64 = 10.0;
const RISES: f64 = 3.0;
const SPREADS: f64 = 10.0;

/// Beyond this many times the larger of 1 and the start, an element of λ is lost.
const LOST: f64 = 1e12;

/// The same for a coordinate of a draw at which a model is not finite.
const FAR: f64 = 1e8;

/// The level of the ELBO in the best iterations, to know a fall from it.
///
/// ```text
/// m_k = median of the ELBO estimates of block k,   best = max_k m_k,   spread = median |estimate − best| in that block
/// fallen:  m_k < best − max(10 D, 3 (best − first), |best|, 10 spread)
/// ```
/// `first` is the estimate at the start, the best level until a block is better. Nothing but a run that has become far
/// worse than it was falls so far: noise is within the spread, and an overshoot within the rise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Level {
    first: f64,
    /// Standard error of `first`.
    first_mcse: f64,
    best: f64,
    spread: f64,
}

/// What the last estimate of a trace shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Block {
    /// Nothing new: its block has not ended, or is neither the best nor fallen.
    Middling,
    /// It ends the best block so far.
    Best,
    /// It ends one that has fallen: what was seen, in words.
    Fallen(String),
}

impl Default for Level {
    fn default() -> Self {
        let (level, unknown) = (f64::NEG_INFINITY, f64::INFINITY);
        Self { first: level, first_mcse: unknown, best: level, spread: unknown }
    }
}

impl Level {
    /// Takes in the last estimate of `trace`, over D = `dim` coordinates of z.
    pub(crate) fn push(&mut self, trace: &[f64], estimate: ElboEstimate, dim: usize) -> Block {
        let n = trace.len();
        if n == 1 {
            let spread = if estimate.mcse.is_finite() { estimate.mcse } else { estimate.value.abs() };
            (self.first, self.first_mcse) = (estimate.value, estimate.mcse);
            (self.best, self.spread) = (estimate.value, spread);
        }
        if !n.is_multiple_of(BLOCK) {
            return Block::Middling;
        }
        let mut block = [0.0; BLOCK];
        block.copy_from_slice(&trace[n - BLOCK..]);
        let level = median(&mut block);
        if level < self.floor(dim) {
            return Block::Fallen(format!(
                "the ELBO fell to {level:.3e} nats, from {:.3e} ± {:.1e} in its best {BLOCK} iterations",
                self.best, self.spread
            ));
        }
        if level < self.best {
            return Block::Middling;
        }
        block.iter_mut().for_each(|e| *e = (*e - level).abs());
        (self.best, self.spread) = (level, median(&mut block));
        Block::Best
    }

    /// Below this level of the ELBO a run has diverged.
    fn floor(&self, dim: usize) -> f64 {
        let depth = (NATS * dim as f64).max(RISES * (self.best - self.first)).max(self.best.abs());
        self.best - depth.max(SPREADS * self.spread)
    }

    /// Whether a run that ends at this ELBO could have ended below where it began.
    pub(crate) fn doubts(&self, end: ElboEstimate) -> bool {
        let error = 3.0 * (self.first_mcse + end.mcse);
        end.value.is_nan() || end.value < self.first + error
    }

    /// Whether an error of the estimator is due to the steps that led there, and not to the model: q itself, or the model at
    /// its own parameters, cannot be evaluated; the draw at which the model cannot is `far` away; or the ELBO had fallen in
    /// the iteration before.
    pub(crate) fn explains(
        &self,
        error: &SgviError,
        trace: &[f64],
        dim: usize,
        far: &dyn Fn(f64) -> bool,
    ) -> bool {
        let Some(&last) = trace.last() else { return false };
        let far = |z: &NamedValues| z.0.iter().any(|(_, z)| z.is_nan() || far(*z));
        let fell = last < self.floor(dim);
        match error {
            SgviError::Family(_) | SgviError::Plate(_) | SgviError::NonFiniteLogProb { .. } => true,
            SgviError::NonFiniteGradient { .. } | SgviError::NonFiniteElbo { .. } => fell,
            SgviError::NonFiniteLogJoint { z, .. }
            | SgviError::NonFiniteBlock { z, .. }
            | SgviError::NonFiniteLogJointGradient { z, .. } => fell || far(z),
            _ => false,
        }
    }
}

/// Where a run began, and where it was best.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Anchor {
    start: Array1<f64>,
    /// At the end of the best block; before there is one, the start.
    best: Array1<f64>,
    /// ‖start‖_∞, at least 1.
    size: f64,
}

impl Anchor {
    pub(crate) fn new(start: &ArrayRef1<f64>) -> Self {
        let size = start.iter().fold(1.0, |size: f64, p| size.max(p.abs()));
        Self { start: start.to_owned(), best: start.to_owned(), size }
    }

    /// Before the first step (P).
    pub(crate) fn start(&self) -> &Array1<f64> {
        &self.start
    }

    /// At the end of the best block (P).
    pub(crate) fn best(&self) -> &Array1<f64> {
        &self.best
    }

    /// The block that ends here is the best.
    pub(crate) fn keep(&mut self, params: &ArrayRef1<f64>) {
        self.best.assign(params);
    }

    /// The first element that is lost.
    pub(crate) fn lost(&self, params: &ArrayRef1<f64>) -> Option<usize> {
        let limit = LOST * self.size;
        params.iter().position(|p| p.is_nan() || p.abs() > limit)
    }

    /// Whether a coordinate of a draw is so far from any start that models may fail there.
    pub(crate) fn is_far(&self, z: f64) -> bool {
        z.abs() > FAR * self.size
    }

    /// The element that moved most since the best block, relative to its size there, and how far it did.
    pub(crate) fn moved_most(&self, params: &ArrayRef1<f64>) -> (usize, f64) {
        let moved = |i: usize| (params[i] - self.best[i]).abs() / (1.0 + self.best[i].abs());
        let all = (0..params.len()).map(|i| (i, moved(i)));
        all.max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap_or((0, 0.0))
    }
}

/// What is remembered to know a divergence of λ, and where to go back to.
///
/// ```text
/// diverged:  the ELBO has fallen  or  |λ_i| > 10¹² max(1, ‖λ_start‖_∞)
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    level: Level,
    anchor: Anchor,
}

impl Progress {
    pub(crate) fn new(start: &ArrayRef1<f64>) -> Self {
        Self { level: Level::default(), anchor: Anchor::new(start) }
    }

    /// λ before the first step (P).
    pub(crate) fn start(&self) -> &Array1<f64> {
        self.anchor.start()
    }

    /// Whether a run that ends at this ELBO could have ended below where it began.
    pub(crate) fn doubts(&self, end: ElboEstimate) -> bool {
        self.level.doubts(end)
    }

    /// λ at the end of the best block (P).
    pub(crate) fn params(&self) -> &Array1<f64> {
        self.anchor.best()
    }

    /// Takes in the last estimate of `trace` and the λ after its step (P); tells of a fall.
    pub(crate) fn push(
        &mut self,
        trace: &[f64],
        estimate: ElboEstimate,
        dim: usize,
        params: &ArrayRef1<f64>,
    ) -> Option<String> {
        match self.level.push(trace, estimate, dim) {
            Block::Fallen(evidence) => return Some(evidence),
            Block::Best => self.anchor.keep(params),
            Block::Middling => {}
        }
        None
    }

    /// The first element of λ that is lost.
    pub(crate) fn lost(&self, params: &ArrayRef1<f64>) -> Option<usize> {
        self.anchor.lost(params)
    }

    /// Whether an error of the estimator at λ is due to the steps that led there, and not to the model.
    pub(crate) fn explains(&self, error: &SgviError, trace: &[f64], dim: usize) -> bool {
        self.level.explains(error, trace, dim, &|z| self.anchor.is_far(z))
    }

    /// The element of λ that moved most since the best block, relative to its size there.
    pub(crate) fn moved_most(&self, params: &ArrayRef1<f64>) -> usize {
        self.anchor.moved_most(params).0
    }
}

/// The divergence that an error of a step tells of.
pub(crate) fn divergence(error: &SgviError) -> Option<Divergence> {
    let (parameter, value, evidence) = match error {
        SgviError::Diverged { parameter, value, evidence } => (parameter, value, evidence.clone()),
        SgviError::NonFiniteParameter { parameter, value } => {
            (parameter, value, "the learning rate is too large".to_owned())
        }
        _ => return None,
    };
    Some(Divergence { parameter: parameter.clone(), value: *value, evidence })
}

/// The upper median; reorders.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    /// The iteration, from 0, at which a trace is found to have fallen; D = 2, first estimate with error 1.
    fn falls(trace: &[f64]) -> Option<usize> {
        let start = array![0.0, 0.0];
        let mut progress = Progress::new(&start);
        (1..=trace.len()).find(|&n| {
            let estimate = ElboEstimate { value: trace[n - 1], mcse: 1.0, n_samples: 10 };
            progress.push(&trace[..n], estimate, 2, &array![n as f64, 0.0]).is_some()
        })
    }

    #[test]
    fn a_fall_is_found_and_what_looks_like_one_is_not() {
        // A rise from −100 to −10, with a spread of about 1 around it.
        let noise = |t: usize| ((t * 7919) % 101) as f64 / 25.0 - 2.0;
        let rise = |t: usize| -10.0 - 90.0 * (-0.1 * t as f64).exp() + noise(t);
        let healthy: Vec<f64> = (0..400).map(rise).collect();
        assert_eq!(falls(&healthy), None);
        // One wild estimate in four.
        let wild: Vec<f64> = (0..400).map(|t| if t % 4 == 3 { -1e9 } else { rise(t) }).collect();
        assert_eq!(falls(&wild), None);
        // An overshoot to below the start.
        let overshoot: Vec<f64> = (0..400).map(|t| rise(t) - if t / 40 == 3 { 150.0 } else { 0.0 }).collect();
        assert_eq!(falls(&overshoot), None);
        // Gone for good from iteration 200 on, or from the second on: seen at the end of the block.
        let fallen = |from| (0..400).map(|t| rise(t) - if t < from { 0.0 } else { 1e4 }).collect::<Vec<_>>();
        assert_eq!(falls(&fallen(200)), Some(220));
        assert_eq!(falls(&fallen(1)), Some(20));
    }

    #[test]
    fn what_is_lost_depends_on_the_start() {
        let near = Progress::new(&array![0.0, 0.5]);
        assert_eq!(near.lost(&array![1e9, -2e12]), Some(1));
        assert_eq!(near.lost(&array![f64::NAN, 0.0]), Some(0));
        let far = Progress::new(&array![0.0, -1e6]);
        assert_eq!(far.lost(&array![1e9, -2e12]), None);
        assert_eq!(near.moved_most(&array![3.0, -0.5]), 0);
    }
}
