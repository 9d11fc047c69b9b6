//! Probabilities of counts as Stirling errors and deviances: Loader (2000), "Fast and accurate computation of
//! binomial probabilities". Nothing of the size of k log k is ever subtracted.

use std::f64::consts::TAU;

use crate::special::{self, log_beta, log_gamma};

/// log Γ(x) − [(x − ½) log x − x + ½ log 2π] for x > 0; the same as log x! − [(x + ½) log x − x + ½ log 2π].
fn stirling_error(x: f64) -> f64 {
    const HALF_LOG_TWO_PI: f64 = 0.918_938_533_204_672_8;
    if x < 10.0 {
        return log_gamma(x) - (x - 0.5) * x.ln() + x - HALF_LOG_TWO_PI;
    }
    special::stirling_error(x)
}

/// The deviance x log(x/m) + m − x ≥ 0 for x ≥ 0, m > 0, to full relative accuracy where x is close to m.
pub(crate) fn deviance(x: f64, m: f64) -> f64 {
    if x == 0.0 {
        return m;
    }
    let (difference, total) = (x - m, x + m);
    if difference.abs() >= 0.1 * total {
        return x * (x / m).ln() - difference;
    }
    // log(x/m) = 2 artanh v, v = (x − m)/(x + m).
    let v = difference / total;
    let mut sum = difference * v;
    let mut power = 2.0 * x * v;
    for j in 1..60 {
        power *= v * v;
        let next = sum + power / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// log of λ^k e^−λ / k! at a real k ≥ 0; `log_rate` is asked where λ itself underflows.
pub(crate) fn log_poisson(k: f64, rate: f64, log_rate: impl FnOnce() -> f64) -> f64 {
    if k == 0.0 {
        return -rate;
    }
    if rate < f64::MIN_POSITIVE {
        return k * log_rate() - log_gamma(k + 1.0);
    }
    -stirling_error(k) - deviance(k, rate) - 0.5 * (TAU * k).ln()
}

/// log of Γ(k + r) / (Γ(k + 1) Γ(r)) p^r q^k at a real k ≥ 0, q = 1 − p, both positive.
///
/// As r/(k + r) times a binomial probability of k + r trials, which is a product of two Poisson probabilities
/// over a third.
pub(crate) fn log_negative_binomial(k: f64, r: f64, p: f64, q: f64) -> f64 {
    if k == 0.0 {
        return r * if q < 0.5 { (-q).ln_1p() } else { p.ln() };
    }
    let n = k + r;
    (r / n).ln() + log_poisson(r, n * p, || n.ln() + p.ln()) + log_poisson(k, n * q, || n.ln() + q.ln())
        - log_poisson(n, n, || n.ln())
}

/// log n! / (k! (n − k)!) at whole 0 ≤ k ≤ n.
pub(crate) fn log_binomial_coefficient(n: f64, k: f64) -> f64 {
    if k == 0.0 || k == n {
        return 0.0;
    }
    -log_beta(k + 1.0, n - k + 1.0) - (n + 1.0).ln()
}

/// log Γ(k + r) / (k! Γ(r)) at a whole k ≥ 0.
pub(crate) fn log_negative_binomial_coefficient(k: f64, r: f64) -> f64 {
    if k == 0.0 || r == 1.0 { 0.0 } else { -log_beta(k, r) - k.ln() }
}

/// log (Σ k)! / Π k! as a sum of binomial coefficients.
pub(crate) fn log_multinomial_coefficient<'a>(counts: impl IntoIterator<Item = &'a f64>) -> f64 {
    let (mut n, mut sum) = (0.0, 0.0);
    for k in counts {
        n += k;
        sum += log_binomial_coefficient(n, *k);
    }
    sum
}
