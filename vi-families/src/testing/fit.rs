//! The contract of a fit to weighted data.

use std::borrow::Borrow;

use vi_core::StreamKey;

use crate::exponential_family::ExponentialFamily;
use crate::sufficient::SufficientStats;

/// Data per member.
const N_DATA: u64 = 200;
/// Errors of sums over the data, relative to the sum of the sizes of their terms.
const TOLERANCE: f64 = 1e-9;

/// Statistics merge, weights count, and the fit has the likelihood of a maximum.
pub(super) fn check_fit<F: ExponentialFamily>(member: &F, key: StreamKey) {
    let weight = |s: u64| [0.0, 0.5, 1.0, 2.0][s as usize % 4];
    let data: Vec<_> = (0..N_DATA).map(|s| (member.sample(&mut key.rng(s)), weight(s))).collect();
    let of = |data: &[(<F::Value as ToOwned>::Owned, f64)]| {
        let mut stats = SufficientStats::<F>::new(member.fixed());
        data.iter().try_for_each(|(z, weight)| stats.push(z.borrow(), *weight)).map(|()| stats)
    };
    // A draw so extreme that T has no finite value is refused, as documented.
    let Ok(all) = of(&data) else { return };
    let (first, second) = data.split_at(data.len() / 3);
    let (Ok(mut merged), Ok(second)) = (of(first), of(second)) else { return };
    merged.merge(&second).unwrap_or_else(|e| panic!("{member:?}: parts of the same data do not merge: {e}"));
    let (merged, all_sum) = (merged.sum().expect("data were added"), all.sum().expect("data were added"));
    let mut sizes = all_sum.mapv(f64::abs);
    for (z, weight) in &data {
        sizes.scaled_add(*weight, &member.sufficient_stats(z.borrow()).mapv(f64::abs));
    }
    let apart = merged.iter().zip(all_sum).zip(&sizes).any(|((a, b), size)| (a - b).abs() > TOLERANCE * size);
    assert!(!apart, "{member:?}: merged statistics are {merged}, those of all data {all_sum}");

    // Where all data are alike there is no maximum.
    let Ok(fit) = all.maximum_likelihood() else { return };
    let (mut gain, mut size) = (0.0, 0.0);
    for (z, weight) in &data {
        let (ours, theirs) = (fit.log_prob(z.borrow()), member.log_prob(z.borrow()));
        gain += weight * (ours - theirs);
        size += weight * (1.0 + ours.abs() + theirs.abs());
    }
    let expected = all.weight() * fit.kl(member);
    // What the rounding of the sums does to the likelihood of members far apart in η.
    let apart = (fit.natural() - member.natural()).mapv(f64::abs);
    let rounding = 64.0 * f64::EPSILON * apart.dot(&sizes);
    assert!(
        (gain - expected).abs() <= TOLERANCE * (size + expected) + rounding,
        "{member:?}: its fit {fit:?} gains {gain} in log likelihood, by the divergence {expected}"
    );
}
