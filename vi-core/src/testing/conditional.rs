//! Conditionally conjugate models: complete conditionals, coordinate updates, and the log joint they belong to.

use ndarray::Array1;

use super::factors;
use crate::conjugate::ConditionallyConjugate;
use crate::exec::Exec;
use crate::key::StreamKey;
use crate::model::LogJoint;

const N_SWEEPS: u64 = 4;
const N_DRAWS: u64 = 4;
/// Relative rounding error allowed in a log joint.
pub(super) const RELATIVE: f64 = 1e-9;

/// Checks a conditionally conjugate model against its own log joint.
///
/// 1. Complete conditionals: with realised statistics, log p(x, z) − log q_b(z_b) does not depend on z_b when q_b
///    is the conditional of block b. It fails when `condition`, `block_log_prob` and `expected_log_joint` do not
///    belong to one joint distribution.
/// 2. Coordinate ascent: setting a block to its conditional given expected statistics, then expecting it,
///    never lowers the ELBO.
/// 3. `expect` and `entropy`: the log joint is linear in the statistics of each block, so both determine the
///    entropy of a block; they have to agree.
/// 4. `draw`: −log q_b averages over draws to the entropy of the block.
/// 5. `sample`, `realise` and `log_prob` of the reported variables belong together: points lie in their support,
///    and E_q[q′/(q + q′)] = E_q′[q/(q + q′)] for two settings of the factors.
///
/// 1 to 3 are exact up to rounding; 4 and 5 allow 5 standard errors of 2000 draws, so that a correct model fails
/// one of its comparisons (6, and one per block) with probability 6·10⁻⁷ each, over all keys.
///
/// # Panics
/// With the block and the numbers that disagree; if a conditional cannot be formed.
pub fn check_conditional<M: ConditionallyConjugate + ?Sized>(model: &M, key: StreamKey) {
    complete_conditionals(model, key.fold_in(1));
    coordinate_ascent(model, key.fold_in(2));
    factors::check_entropies(model, key.fold_in(3));
    factors::check_reported_density(model, key.fold_in(4));
}

/// Checks that a conditionally conjugate model and its log joint describe one joint distribution, at
/// `n_points` states of a Gibbs sampler, up to rounding.
///
/// ```text
/// log p(x, z) = log p(x, z, a) − log p(a | x, z)
/// ```
/// `auxiliary` names the blocks a that the log joint has integrated out (assignments, augmentation); given the
/// others they have to be independent of each other.
///
/// # Panics
/// With the point and both values where they differ.
pub fn check_conditional_against<M>(model: &M, auxiliary: &[M::Block], n_points: usize, key: StreamKey)
where
    M: ConditionallyConjugate + LogJoint + ?Sized,
{
    assert_eq!(model.parameters(), model.reported(), "log joint and conditionals lay out z differently");
    let exec = Exec::local();
    let (mut q, mut stats) = realised_start(model, key.fold_in(0));
    let mut z = Array1::from_elem(model.dim(), f64::NAN);
    for t in 0..n_points as u64 {
        gibbs_sweep(model, &mut q, &mut stats, key.fold_in(t + 1));
        model.realise(&stats, &mut z);
        model.parameters().check(&z).unwrap_or_else(|e| panic!("realise: {e}"));
        let mut expected = model.expected_log_joint(&stats);
        for &b in auxiliary {
            model.condition(b, &stats, &mut q, exec).unwrap_or_else(|e| panic!("{e}"));
            expected -= model.block_log_prob(b, &q, &stats);
        }
        let value = model.log_joint(&z);
        assert!(
            (value - expected).abs() <= RELATIVE * (1.0 + expected.abs()),
            "log joint {value}, by the conditionals {expected}, at z = {z}"
        );
    }
}

fn complete_conditionals<M: ConditionallyConjugate + ?Sized>(model: &M, key: StreamKey) {
    let exec = Exec::local();
    let (mut q, mut stats) = realised_start(model, key.fold_in(0));
    for t in 0..N_SWEEPS {
        for (i, &b) in model.blocks().iter().enumerate() {
            let key = key.fold_in(t + 1).fold_in(i as u64);
            model.condition(b, &stats, &mut q, exec).unwrap_or_else(|e| panic!("{e}"));
            let mut seen: Option<[f64; 2]> = None;
            for d in 0..N_DRAWS {
                model.draw(b, &q, key.fold_in(d), &mut stats, exec);
                let (joint, factor) = (model.expected_log_joint(&stats), model.block_log_prob(b, &q, &stats));
                assert!(
                    joint.is_finite() && factor.is_finite(),
                    "block {b:?}: log joint {joint}, log density {factor} at a draw from its conditional"
                );
                let [joint0, factor0] = *seen.get_or_insert([joint, factor]);
                let (constant, expected) = (joint - factor, joint0 - factor0);
                let size = joint.abs().max(factor.abs()).max(factor0.abs());
                assert!(
                    (constant - expected).abs() <= RELATIVE * (1.0 + size),
                    "block {b:?}: its factor is not the complete conditional: between two draws the log joint \
                     changes by {}, the log density of the factor by {}",
                    joint - joint0,
                    factor - factor0
                );
            }
        }
    }
}

fn coordinate_ascent<M: ConditionallyConjugate + ?Sized>(model: &M, key: StreamKey) {
    let exec = Exec::local();
    let (mut q, mut stats) = model.init(key, exec).unwrap_or_else(|e| panic!("init: {e}"));
    let mut elbo = model.elbo(&q, &stats);
    for t in 0..3 * N_SWEEPS {
        for &b in model.blocks() {
            model.condition(b, &stats, &mut q, exec).unwrap_or_else(|e| panic!("{e}"));
            model.expect(b, &q, &mut stats, exec);
            let new = model.elbo(&q, &stats);
            assert!(new.is_finite(), "block {b:?}: the ELBO is {new} in sweep {t}");
            assert!(
                new >= elbo - RELATIVE * (1.0 + elbo.abs()),
                "block {b:?} lowers the ELBO by {} to {new} in sweep {t}",
                elbo - new
            );
            elbo = new;
        }
    }
}

/// Factors of the start and realised statistics of every block.
pub(super) fn realised_start<M: ConditionallyConjugate + ?Sized>(
    model: &M,
    key: StreamKey,
) -> (M::Factors, M::Stats) {
    let exec = Exec::local();
    let (q, mut stats) = model.init(key, exec).unwrap_or_else(|e| panic!("init: {e}"));
    for (i, &b) in model.blocks().iter().enumerate() {
        model.draw(b, &q, key.fold_in(i as u64), &mut stats, exec);
    }
    (q, stats)
}

pub(super) fn gibbs_sweep<M: ConditionallyConjugate + ?Sized>(
    model: &M,
    q: &mut M::Factors,
    stats: &mut M::Stats,
    key: StreamKey,
) {
    for (i, &b) in model.blocks().iter().enumerate() {
        model.condition(b, stats, q, Exec::local()).unwrap_or_else(|e| panic!("{e}"));
        model.draw(b, q, key.fold_in(i as u64), stats, Exec::local());
    }
}
