//! Draws of categories and of their counts.

use rand::RngExt;
use rand_distr::{Binomial, Distribution};
use vi_core::StreamRng;

/// More trials than this are shared out category by category, fewer one by one.
const ONE_BY_ONE: f64 = 32.0;

/// The first k whose cumulative probability exceeds u; rounding never chooses an impossible one.
pub(crate) fn choose(probabilities: impl IntoIterator<Item = f64>, u: f64) -> usize {
    let (mut cumulative, mut last) = (0.0, 0);
    for (k, p) in probabilities.into_iter().enumerate() {
        if p > 0.0 {
            cumulative += p;
            last = k;
            if u < cumulative {
                break;
            }
        }
    }
    last
}

/// counts += a multinomial draw of n with probabilities φ / total; φ is used up.
pub(crate) fn add_multinomial(rng: &mut StreamRng, n: f64, phi: &mut [f64], total: f64, counts: &mut [f64]) {
    if n > ONE_BY_ONE {
        let (mut left, mut rest) = (n as u64, total);
        for (count, phi) in counts.iter_mut().zip(phi.iter()) {
            let p = if rest > 0.0 { (phi / rest).min(1.0) } else { 0.0 };
            let here = Binomial::new(left, p).map_or(0, |binomial| binomial.sample(rng));
            *count += here as f64;
            left -= here;
            rest -= phi;
            if left == 0 {
                return;
            }
        }
        // Rounding left some over: they belong to the last categories, the likeliest of which takes them.
        counts[largest(phi)] += left as f64;
        return;
    }
    let mut cumulative = 0.0;
    for phi in phi.iter_mut() {
        cumulative += *phi;
        *phi = cumulative;
    }
    for _ in 0..n as u64 {
        let u = rng.random::<f64>() * cumulative;
        let k = phi.partition_point(|c| *c <= u).min(phi.len() - 1);
        counts[k] += 1.0;
    }
}

fn largest(values: &[f64]) -> usize {
    values.iter().enumerate().fold(0, |best, (k, v)| if *v > values[best] { k } else { best })
}
