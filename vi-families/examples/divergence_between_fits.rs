//! How far apart are two groups? Kullback–Leibler and Rényi divergences between their fits, and by Monte Carlo.
//!
//! Hours between failures of the air conditioning of two aeroplanes (Proschan 1963, Technometrics 5:375).
#![allow(clippy::print_stdout, reason = "an example prints")]

use vi_core::StreamKey;
use vi_families::{ExponentialFamily, FamilyError, Gamma};

const PLANE_7909: [f64; 29] = [
    90.0, 10.0, 60.0, 186.0, 61.0, 49.0, 14.0, 24.0, 56.0, 20.0, 79.0, 84.0, 44.0, 59.0, 29.0, 118.0, 25.0,
    156.0, 310.0, 76.0, 26.0, 44.0, 23.0, 62.0, 130.0, 208.0, 70.0, 101.0, 208.0,
];
const PLANE_7912: [f64; 30] = [
    23.0, 261.0, 87.0, 7.0, 120.0, 14.0, 62.0, 47.0, 225.0, 71.0, 246.0, 21.0, 42.0, 20.0, 5.0, 12.0, 120.0,
    11.0, 3.0, 14.0, 71.0, 11.0, 14.0, 11.0, 16.0, 90.0, 1.0, 16.0, 52.0, 95.0,
];
const N_DRAWS: u64 = 100_000;

/// log p(z) − log q(z) at draws of p.
fn log_ratios(p: &Gamma, q: &Gamma) -> Vec<f64> {
    let key = StreamKey::from_seed(1);
    let ratio = |z: f64| p.log_prob(&z) - q.log_prob(&z);
    (0..N_DRAWS).map(|i| ratio(p.sample(&mut key.rng(i)))).collect()
}

fn main() -> Result<(), FamilyError> {
    let (p, q) = (Gamma::fit(PLANE_7909)?, Gamma::fit(PLANE_7912)?);
    println!("plane 7909: shape {:.3}, mean {:.1} h", p.shape(), p.mean());
    println!("plane 7912: shape {:.3}, mean {:.1} h", q.shape(), q.mean());
    let ratios = log_ratios(&p, &q);
    let n = ratios.len() as f64;
    println!("divergence    exact   Monte Carlo");
    println!("KL            {:.4}  {:.4}", p.kl(&q), ratios.iter().sum::<f64>() / n);
    for alpha in [0.5, 2.0] {
        // D_α = log E_p[(p/q)^(α − 1)] / (α − 1)
        let mean = ratios.iter().map(|r| ((alpha - 1.0) * r).exp()).sum::<f64>() / n;
        let exact = p.renyi_divergence(&q, alpha);
        println!("Rényi {alpha:<6}  {exact:.4}  {:.4}", mean.ln() / (alpha - 1.0));
    }
    Ok(())
}
