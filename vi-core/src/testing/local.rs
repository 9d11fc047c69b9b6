//! Parts of a log joint: blocks of variables, minibatches of data.

use ndarray::{Array1, s};

use super::gradient::close;
use super::points::random_points;
use crate::key::StreamKey;
use crate::model::{LocalLogJoint, LogJoint, Subsample};

const RELATIVE: f64 = 1e-9;

/// Checks that blocks cover z once each, and that when one block changes, its `log_joint_block` changes by as
/// much as `log_joint`, at `n_points` random pairs of points per block; and that `log_joint_blocks` says the same.
///
/// # Panics
/// With the block and both changes where they differ; if the log joint is not finite at a point.
pub fn check_local<M: LocalLogJoint + ?Sized>(model: &M, n_points: usize, key: StreamKey) {
    let mut covered = vec![0; model.dim()];
    (0..model.n_blocks()).flat_map(|b| model.block(b)).for_each(|d| covered[d] += 1);
    if let Some(d) = covered.iter().position(|&n| n != 1) {
        panic!("{} lies in {} blocks, expected 1", model.parameters().names()[d], covered[d]);
    }
    let mut blocks = Array1::zeros(model.n_blocks());
    for b in 0..model.n_blocks() {
        let z = random_points(model.parameters(), 2 * n_points, key.fold_in(b as u64));
        for i in 0..n_points {
            let old = z.row(2 * i).to_owned();
            let mut new = old.clone();
            new.slice_mut(s![model.block(b)]).assign(&z.slice(s![2 * i + 1, model.block(b)]));
            let (joint_old, joint_new) = (model.log_joint(&old), model.log_joint(&new));
            assert!(
                (joint_old + joint_new).is_finite(),
                "log joint is {joint_old} at z = {old} and {joint_new} at z = {new}"
            );
            let (block_old, block_new) = (model.log_joint_block(b, &old), model.log_joint_block(b, &new));
            model.log_joint_blocks(&new, &mut blocks);
            assert!(
                close(blocks[b], block_new, RELATIVE),
                "block {b} alone is {block_new}, among all blocks {}, at z = {new}",
                blocks[b]
            );
            let (change, expected) = (block_new - block_old, joint_new - joint_old);
            assert!(
                (change - expected).abs() <= RELATIVE * (1.0 + joint_old.abs().max(joint_new.abs())),
                "block {b}: its terms change by {change}, the log joint by {expected}, from z = {old} to {new}"
            );
        }
    }
}

/// Checks that minibatches estimate the log joint without bias, at `n_points` random points.
///
/// ```text
/// Σ_B (|B|/N) log p_B(z) = log p(x, z)     over the parts B of any partition of the data
/// ```
/// for parts of sizes 1, 7 and N; and that a datum named twice counts like a datum named once.
///
/// # Panics
/// With the size of the parts and both values where they differ.
pub fn check_subsample<M: Subsample + LogJoint>(model: &M, n_points: usize, key: StreamKey) {
    let n = model.n_data();
    // A stride coprime to n: parts are not runs of neighbouring data.
    let stride = (n / 2 + 1..2 * n + 2).find(|s| gcd(*s, n) == 1).unwrap_or(1);
    let order: Vec<usize> = (0..n).map(|i| i * stride % n).collect();
    for (i, z) in random_points(model.parameters(), n_points, key).rows().into_iter().enumerate() {
        let full = model.log_joint(&z);
        for size in [1, 7.min(n), n] {
            let parts = order.chunks(size);
            let average: f64 =
                parts.map(|part| part.len() as f64 / n as f64 * model.minibatch(part).log_joint(&z)).sum();
            assert!(
                close(average, full, RELATIVE),
                "minibatches of {size} average to {average}, the log joint is {full} at z = {z}"
            );
        }
        let one = [order[i % n]];
        let (once, twice) =
            (model.minibatch(&one).log_joint(&z), model.minibatch(&[one[0]; 2]).log_joint(&z));
        assert!(
            close(twice, once, RELATIVE),
            "datum {} named twice gives {twice}, named once {once}, at z = {z}",
            one[0]
        );
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
