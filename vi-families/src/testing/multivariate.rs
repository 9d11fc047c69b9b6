//! The contract of distributions of several coordinates.

use std::borrow::Borrow;

use ndarray::{Array1, Array2};
use vi_core::StreamKey;
use vi_core::testing::Moments;

use super::statistics::assert_mean;
use crate::multivariate::Multivariate;

/// Draws per member.
const N_DRAWS: usize = 4000;

/// A value as a list of its coordinates.
pub trait Flat {
    /// All coordinates, in a fixed order.
    fn flat(&self) -> Vec<f64>;
}

impl Flat for Array1<f64> {
    fn flat(&self) -> Vec<f64> {
        self.to_vec()
    }
}

impl Flat for Array1<u64> {
    fn flat(&self) -> Vec<f64> {
        self.iter().map(|v| *v as f64).collect()
    }
}

impl Flat for Array2<f64> {
    fn flat(&self) -> Vec<f64> {
        self.iter().copied().collect()
    }
}

impl Flat for (f64, f64) {
    fn flat(&self) -> Vec<f64> {
        vec![self.0, self.1]
    }
}

impl Flat for (Array1<f64>, Array2<f64>) {
    fn flat(&self) -> Vec<f64> {
        self.0.iter().chain(&self.1).copied().collect()
    }
}

/// Checks mean, variances and mode of every member against 4000 draws.
///
/// - Each mean and each variance is within 5.4 standard errors of the draws', where it exists. The standard errors are
///   those of the draws: use members with enough finite moments. A correct family of D coordinates fails a member for
///   about 2 D · 7·10⁻⁸ of all keys as far as the central limit theorem holds.
/// - No draw is more probable than the mode.
///
/// # Panics
/// With the member and both numbers where the contract is broken.
pub fn check_multivariate<F>(members: &[F], key: StreamKey)
where
    F: Multivariate,
    <F::Value as ToOwned>::Owned: Flat,
{
    for (i, member) in members.iter().enumerate() {
        assert!(!member.support().is_empty(), "{member:?}: the support has no description");
        let key = key.fold_in(i as u64);
        let draws: Vec<_> = (0..N_DRAWS).map(|s| member.sample(&mut key.rng(s as u64))).collect();
        check_moments(member, &draws);
        check_mode(member, &draws);
    }
}

fn check_moments<F>(member: &F, draws: &[<F::Value as ToOwned>::Owned])
where
    F: Multivariate,
    <F::Value as ToOwned>::Owned: Flat,
{
    let Some(mean) = member.expected_value() else { return };
    let mean = mean.flat();
    let mut first = vec![Moments::default(); mean.len()];
    let mut second = first.clone();
    for draw in draws {
        for (d, x) in draw.flat().into_iter().enumerate() {
            first[d].push(x);
            second[d].push((x - mean[d]) * (x - mean[d]));
        }
    }
    for (d, moments) in first.iter().enumerate() {
        assert_mean(|| format!("mean of coordinate {d} of {member:?}"), moments, mean[d]);
    }
    if let Some(variances) = member.marginal_variances() {
        for (d, (moments, variance)) in second.iter().zip(variances.flat()).enumerate() {
            assert_mean(|| format!("variance of coordinate {d} of {member:?}"), moments, variance);
        }
    }
}

fn check_mode<F: Multivariate>(member: &F, draws: &[<F::Value as ToOwned>::Owned]) {
    let Some(mode) = member.joint_mode() else { return };
    let highest = member.log_prob(mode.borrow());
    assert!(highest.is_finite(), "{member:?}: log density {highest} at the mode");
    for draw in draws {
        let log_prob = member.log_prob(draw.borrow());
        assert!(
            log_prob <= highest + 1e-9 * (1.0 + highest.abs()),
            "{member:?}: log density {log_prob} at {:?}, {highest} at the mode",
            Borrow::<F::Value>::borrow(draw)
        );
    }
}
