//! Rank-normalised split R-hat.

use ndarray::ArrayRef2;

use crate::rank::{Chains, fold, is_usable, mean, split, variance, z_scale};

/// Rank-normalised split R-hat: the larger of the bulk and the folded value.
///
/// ```text
/// R̂ = √( ((n − 1)/n · W + B/n) / W )
/// ```
/// with W the mean within-chain and B/n the between-chain variance of the normal scores of the split chains;
/// the folded value uses |x − median(x)| instead of x and finds chains of different scale.
///
/// `x` is (chains, draws). One chain is compared with itself: its first half with its second. `NaN` if there
/// are fewer than 4 draws per chain, a value is not finite, or all values are equal; `∞` if chains are
/// constant but differ.
///
/// Source: Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), Bayesian Analysis 16(2), eqs. 1–4 and §4.
pub fn rhat(x: &ArrayRef2<f64>) -> f64 {
    if !is_usable(x) {
        return f64::NAN;
    }
    let bulk = between_within(&z_scale(split(x)));
    let folded = between_within(&z_scale(split(&fold(x))));
    // All distances from the median may be equal (a fair coin): then there is no scale to compare.
    if folded.is_nan() { bulk } else { bulk.max(folded) }
}

fn between_within(chains: &Chains) -> f64 {
    let n = chains[0].len() as f64;
    let means: Vec<f64> = chains.iter().map(|c| mean(c)).collect();
    let within = mean(&chains.iter().map(|c| variance(c)).collect::<Vec<_>>());
    let between = n * variance(&means);
    ((between / within + n - 1.0) / n).sqrt()
}
