//! Enumeration block by block, for models whose blocks know nothing of each other.

use std::ops::Range;

use ndarray::{Array1, ArrayRef1};
use vi_core::{LocalLogJoint, LogJoint, StreamKey};
use vi_families::{FactorizedDistribution, VariationalDistribution, VariationalFamily};

use super::reference::{MAX_STATES, Reference};
use crate::error::{NamedValues, SgviError, require};

/// Draws at which the terms of the blocks are compared with the log joint.
const N_TRIED: u64 = 8;

impl<'a, M, F> Reference<'a, M, F>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily,
{
    /// The sum over the states of every block of discrete latents by itself, 2²⁰ of all blocks together at most, for a
    /// model whose blocks are independent of each other: a plate with θ fixed.
    ///
    /// ```text
    /// log p(x, z) = Σ_b f_b(z_b) + constant:   ∇_λ ELBO = Σ_b Σ_{z_b} q(z_b) [f_b(z_b) − log q(z_b)] ∇_λ log q(z_b)
    /// ```
    /// `None` when blocks are not independent (tried at a few draws), are no unions of factors, or have too many states.
    pub fn enumeration_by_block<N: LocalLogJoint + ?Sized>(model: &'a N, family: &'a F) -> Option<Self>
    where
        for<'m> F::Member<'m>: FactorizedDistribution,
    {
        let params = family.init();
        let q = family.bind(&params).ok()?;
        let mut n_states = 0.0;
        for b in 0..model.n_blocks() {
            let factors = q.factors_within(model.block(b))?;
            n_states += factors.map(|i| q.n_values(i).map(|n| n as f64)).product::<Option<f64>>()?;
        }
        (n_states <= MAX_STATES && is_separable(model, &q)).then(|| Self::Exact {
            how: "enumeration block by block".into(),
            gradient: Box::new(move |params| enumerate(model, family, params)),
        })
    }
}

/// Whether the terms of all blocks add up to the log joint, but for a constant: terms that two blocks share count twice.
fn is_separable<N: LocalLogJoint + ?Sized, Q: VariationalDistribution>(model: &N, q: &Q) -> bool {
    let mut terms = Array1::zeros(model.n_blocks());
    let mut z = Array1::zeros(model.dim());
    let mut differences = (0..N_TRIED).map(|s| {
        q.sample(&mut StreamKey::from_seed(0).rng(s), &mut z);
        model.log_joint_blocks(&z, &mut terms);
        let (value, scale) = (model.log_joint(&z), terms.iter().map(|t| t.abs()).sum::<f64>());
        (value - terms.sum(), 1.0 + scale)
    });
    let Some((first, _)) = differences.next() else { return false };
    differences.all(|(difference, scale)| (difference - first).abs() <= 1e-9 * scale)
}

fn enumerate<N, F>(model: &N, family: &F, params: &ArrayRef1<f64>) -> Result<Array1<f64>, SgviError>
where
    N: LocalLogJoint + ?Sized,
    F: VariationalFamily,
    for<'m> F::Member<'m>: FactorizedDistribution,
{
    let q = family.bind(params)?;
    let (mut z, mut grad) = (Array1::zeros(q.dim()), Array1::zeros(params.len()));
    for i in 0..q.n_factors() {
        let n_values = q.n_values(i).map_or(f64::INFINITY, |n| n as f64);
        require(true, "number of values of a factor", n_values, "finite")?;
        q.set_value(i, 0, &mut z);
    }
    for b in 0..model.n_blocks() {
        let block = model.block(b);
        let (start, end) = (block.start, block.end);
        let factors = q.factors_within(block).ok_or(SgviError::Block { block: b, start, end })?;
        for state in 0.. {
            if !set_state(&q, factors.clone(), state, &mut z) {
                break;
            }
            let log_q: f64 = factors.clone().map(|i| q.log_prob_factor(i, &z)).sum();
            if log_q == f64::NEG_INFINITY {
                continue;
            }
            let value = model.log_joint_block(b, &z);
            if !value.is_finite() {
                let z = NamedValues::new(model.parameters().names(), &z);
                return Err(SgviError::NonFiniteBlock { block: b, value, sample: state, z });
            }
            let weight = log_q.exp() * (value - log_q);
            for i in factors.clone() {
                q.add_score_factor(i, &z, weight, &mut grad);
            }
        }
    }
    Ok(grad)
}

/// Gives the factors the values of combination number `state`; `false` when there are not so many.
fn set_state<Q: FactorizedDistribution>(
    q: &Q,
    factors: Range<usize>,
    mut state: usize,
    z: &mut ArrayRef1<f64>,
) -> bool {
    for i in factors {
        let n = q.n_values(i).unwrap_or(1);
        q.set_value(i, state % n, z);
        state /= n;
    }
    state == 0
}
