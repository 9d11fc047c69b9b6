//! Factors of a conditionally conjugate model: expectations, entropies, draws and reported densities.

use ndarray::Array1;

use super::conditional::{RELATIVE, gibbs_sweep, realised_start};
use super::moments::{Moments, SIGMAS, agree};
use crate::conjugate::ConditionallyConjugate;
use crate::exec::Exec;
use crate::key::StreamKey;

const N_DRAWS: u64 = 2000;
const N_SWEEPS: u64 = 3;

/// `expect`, `entropy` and `draw` belong to `block_log_prob`.
///
/// Just after block b was conditioned on expected statistics, log p(T_b, E[T_−b]) − log q_b(T_b) is a constant
/// C_b. The log joint is linear in T_b, so the entropy of the block is exactly
/// ```text
/// H_b = C_b − log p(E[T_b], E[T_−b]),     entropy(q) = Σ_b H_b
/// ```
pub(super) fn check_entropies<M: ConditionallyConjugate + ?Sized>(model: &M, key: StreamKey) {
    let exec = Exec::local();
    let (mut q, mut stats) = model.init(key, exec).unwrap_or_else(|e| panic!("init: {e}"));
    let mut entropies = vec![f64::NAN; model.blocks().len()];
    for t in 1..=N_SWEEPS {
        for (i, &b) in model.blocks().iter().enumerate() {
            let key = key.fold_in(t).fold_in(i as u64);
            model.condition(b, &stats, &mut q, exec).unwrap_or_else(|e| panic!("{e}"));
            let mut drawn = stats.clone();
            model.draw(b, &q, key, &mut drawn, exec);
            let constant = model.expected_log_joint(&drawn) - model.block_log_prob(b, &q, &drawn);
            model.expect(b, &q, &mut stats, exec);
            let joint = model.expected_log_joint(&stats);
            entropies[i] = constant - joint;
            // Before the first sweep is done, factors of the start have unknown entropies.
            if t == 1 && i + 1 < entropies.len() {
                continue;
            }
            let (total, expected) = (model.entropy(&q), entropies.iter().sum::<f64>());
            assert!(
                (total - expected).abs() <= 10.0 * RELATIVE * (1.0 + constant.abs() + joint.abs()),
                "after block {b:?} entropy is {total}; by block_log_prob and expect it is {expected}, the sum of \
                 {entropies:?} over {:?}",
                model.blocks()
            );
        }
    }
    for (i, &b) in model.blocks().iter().enumerate() {
        let mut drawn = stats.clone();
        let mut surprise = Moments::default();
        for s in 0..N_DRAWS {
            model.draw(b, &q, key.fold_in(N_SWEEPS + 1 + s).fold_in(i as u64), &mut drawn, exec);
            surprise.push(-model.block_log_prob(b, &q, &drawn));
        }
        assert!(
            surprise.agrees(entropies[i]),
            "block {b:?}: −log q_b averages to {surprise} over draws, its expectation is {}: more than {SIGMAS} \
             errors apart",
            entropies[i]
        );
    }
}

/// `sample` and `log_prob` belong together, and to `draw` and `realise`.
///
/// Two settings q, q′ of the factors that overlap: conditionals at two states of a Gibbs sampler. With the
/// share s = q′/(q + q′), and s′ = 1 − s,
/// ```text
/// E_q[s] = E_q′[s′],     E_q[s (1 − s)] = E_q′[s′²]
/// ```
/// Both sides are bounded. The first alone would not see a width that is wrong in both.
pub(super) fn check_reported_density<M: ConditionallyConjugate + ?Sized>(model: &M, key: StreamKey) {
    let (mut q, mut stats) = realised_start(model, key.fold_in(0));
    gibbs_sweep(model, &mut q, &mut stats, key.fold_in(1));
    let first = q.clone();
    gibbs_sweep(model, &mut q, &mut stats, key.fold_in(2));
    let (here, there) = (Density { model, q: &first }, Density { model, q: &q });
    for (how, tag) in [(How::Sample, 3), (How::Draw, 5)] {
        let near = here.overlap(&there, how, &stats, key.fold_in(tag));
        let far = there.overlap(&here, how, &stats, key.fold_in(tag + 1));
        for (a, b, text) in [
            (near.share, far.share, "E_q[q′/(q + q′)]"),
            (near.mixed, far.square, "E_q[qq′/(q + q′)²]"),
            (far.mixed, near.square, "E_q′[qq′/(q + q′)²]"),
        ] {
            assert!(
                agree(a, b),
                "{text} is {a} by points of one setting of the factors, {b} by points of the other: log_prob is \
                 not the density of {how:?}"
            );
        }
    }
}

/// How a point of the reported variables is drawn.
#[derive(Clone, Copy, Debug)]
enum How {
    /// `sample`.
    Sample,
    /// `draw` of every block, then `realise`.
    Draw,
}

struct Density<'a, M: ConditionallyConjugate + ?Sized> {
    model: &'a M,
    q: &'a M::Factors,
}

/// Moments of the share s = q′/(q + q′) over points of q: s, s(1 − s), s².
#[derive(Clone, Copy, Debug, Default)]
struct Overlap {
    share: Moments,
    mixed: Moments,
    square: Moments,
}

impl<M: ConditionallyConjugate + ?Sized> Density<'_, M> {
    fn overlap(&self, other: &Self, how: How, stats: &M::Stats, key: StreamKey) -> Overlap {
        let mut out = Overlap::default();
        let mut stats = stats.clone();
        let mut z = Array1::from_elem(self.model.reported().dim(), f64::NAN);
        for s in 0..N_DRAWS {
            match how {
                How::Sample => self.model.sample(self.q, &mut key.rng(s), &mut z),
                How::Draw => {
                    for (i, &b) in self.model.blocks().iter().enumerate() {
                        let key = key.fold_in(s).fold_in(i as u64);
                        self.model.draw(b, self.q, key, &mut stats, Exec::local());
                    }
                    self.model.realise(&stats, &mut z);
                }
            }
            self.model.reported().check(&z).unwrap_or_else(|e| panic!("{how:?}: {e}"));
            let (own, its) = (self.model.log_prob(self.q, &z), other.model.log_prob(other.q, &z));
            assert!(own.is_finite() && !its.is_nan(), "{how:?}: log_prob is {own} and {its} at z = {z}");
            let share = crate::numerics::sigmoid_scalar(its - own);
            out.share.push(share);
            out.mixed.push(share * (1.0 - share));
            out.square.push(share * share);
        }
        out
    }
}
