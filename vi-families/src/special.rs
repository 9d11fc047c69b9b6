//! Special functions of exponential families: log Γ, digamma, trigamma, their multivariate forms, log B.
//!
//! Accuracy on (0, ∞): [`log_gamma`], [`digamma`] and [`trigamma`] are within 1e-14 relative; digamma keeps its
//! relative accuracy through its zero at 1.4616…. All are for positive arguments: zero and negative ones give
//! NaN or ±∞, never a panic.

/// log Γ(x) for x > 0, after Sun's fdlibm (error below one unit in the last place).
pub fn log_gamma(x: f64) -> f64 {
    if x < 0.0 { f64::NAN } else { libm::lgamma(x) }
}

/// From here on the asymptotic series are at full accuracy.
const ASYMPTOTIC: f64 = 10.0;

/// The zero of digamma on (0, ∞), in two parts.
const DIGAMMA_ROOT: f64 = 1.461_632_144_968_362_2;
const DIGAMMA_ROOT_LOW: f64 = 9.549_995_429_965_697e-17;

/// Chebyshev fit, as a polynomial in t = x − 3/2, of ψ(x) x (x + 1) / (x − root) on [1, 2]; error 2e-19.
const DIGAMMA_CENTRE: [f64; 16] = [
    3.5664595351193733,
    2.2156206743218547,
    0.1585805068089419,
    -0.017975945770502818,
    0.00313050872354027,
    -0.0006580250111822373,
    0.000153318635029903,
    -3.803566875159173e-05,
    9.828215011429511e-06,
    -2.610590046516723e-06,
    7.069415473337133e-07,
    -1.9407794353623878e-07,
    5.366604026726816e-08,
    -1.4989489961443563e-08,
    4.574817662823142e-09,
    -1.2906322738820656e-09,
];

/// ψ(x) = d log Γ(x) / dx for x > 0.
///
/// Recurrence to [1, 2], where a polynomial with the zero factored out is used, and from 10 on
/// Abramowitz & Stegun (1964), 6.3.18.
pub fn digamma(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return f64::NAN;
    }
    if x >= ASYMPTOTIC {
        return x.ln() - log_minus_digamma_series(x);
    }
    let (mut x, mut shift) = (x, 0.0);
    while x > 2.0 {
        x -= 1.0;
        shift += 1.0 / x;
    }
    if x < 1.0 {
        // One step suffices: x + 1 lies in (1, 2).
        shift -= 1.0 / x;
        x += 1.0;
    }
    let t = x - 1.5;
    let centre = polynomial(&DIGAMMA_CENTRE, t) / (x * (x + 1.0));
    shift + ((x - DIGAMMA_ROOT) - DIGAMMA_ROOT_LOW) * centre
}

/// ψ′(x) for x > 0: recurrence to x ≥ 10, then Abramowitz & Stegun (1964), 6.4.12.
pub fn trigamma(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return f64::NAN;
    }
    let (mut x, mut shift) = (x, 0.0);
    while x < ASYMPTOTIC {
        shift += 1.0 / (x * x);
        x += 1.0;
    }
    shift + (1.0 / x + trigamma_minus_reciprocal_series(x))
}

/// log x − ψ(x) for x > 0, without cancellation at large x.
pub(crate) fn log_minus_digamma(x: f64) -> f64 {
    if x >= ASYMPTOTIC { log_minus_digamma_series(x) } else { x.ln() - digamma(x) }
}

/// ψ(x + d) − ψ(x) for x, d > 0, without cancellation where d is small beside a large x.
pub(crate) fn digamma_difference(x: f64, d: f64) -> f64 {
    if x < ASYMPTOTIC {
        return digamma(x + d) - digamma(x);
    }
    (d / x).ln_1p() - (log_minus_digamma_series(x + d) - log_minus_digamma_series(x))
}

/// ψ′(x) − 1/x for x > 0, without cancellation at large x.
pub(crate) fn trigamma_minus_reciprocal(x: f64) -> f64 {
    if x >= ASYMPTOTIC { trigamma_minus_reciprocal_series(x) } else { trigamma(x) - 1.0 / x }
}

fn log_minus_digamma_series(x: f64) -> f64 {
    const C: [f64; 7] =
        [1.0 / 12.0, -1.0 / 120.0, 1.0 / 252.0, -1.0 / 240.0, 1.0 / 132.0, -691.0 / 32760.0, 1.0 / 12.0];
    let y = 1.0 / x;
    y * (0.5 + y * polynomial(&C, y * y))
}

fn trigamma_minus_reciprocal_series(x: f64) -> f64 {
    const C: [f64; 7] =
        [1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2730.0, 7.0 / 6.0];
    let y = 1.0 / x;
    y * y * (0.5 + y * polynomial(&C, y * y))
}

/// log Γ(x) − [(x − ½) log x − x + ½ log 2π] for x ≥ 10.
fn stirling_error(x: f64) -> f64 {
    const C: [f64; 7] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
    ];
    let y = 1.0 / x;
    y * polynomial(&C, y * y)
}

fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// log B(a, b) = log Γ(a) + log Γ(b) − log Γ(a + b) for a, b > 0.
///
/// When an argument is 10 or more the large terms are cancelled by hand: DiDonato & Morris (1992), ACM TOMS
/// 18:360, algorithm 708.
pub fn log_beta(a: f64, b: f64) -> f64 {
    let (p, q) = if a < b { (a, b) } else { (b, a) };
    if p.is_nan() || q.is_nan() || p < 0.0 {
        return f64::NAN;
    }
    if q < ASYMPTOTIC {
        return log_gamma(p) + log_gamma(q) - log_gamma(p + q);
    }
    let h = p / (p + q);
    if p < ASYMPTOTIC {
        let correction = stirling_error(q) - stirling_error(p + q);
        return log_gamma(p) + correction + p - p * (p + q).ln() + (q - 0.5) * (-h).ln_1p();
    }
    let correction = stirling_error(p) + stirling_error(q) - stirling_error(p + q);
    const HALF_LOG_TWO_PI: f64 = 0.918_938_533_204_672_8;
    -0.5 * q.ln() + HALF_LOG_TWO_PI + correction + (p - 0.5) * h.ln() + q * (-h).ln_1p()
}

/// The multivariate log Γ_p(a) for a > (p − 1)/2.
///
/// ```text
/// log Γ_p(a) = p(p − 1)/4 log π + Σ_{i=0}^{p−1} log Γ(a − i/2)
/// ```
pub fn multivariate_log_gamma(p: usize, a: f64) -> f64 {
    let constant = 0.25 * (p * p.saturating_sub(1)) as f64 * std::f64::consts::PI.ln();
    constant + (0..p).map(|i| log_gamma(a - 0.5 * i as f64)).sum::<f64>()
}

/// ψ_p(a) = d log Γ_p(a) / da = Σ_{i=0}^{p−1} ψ(a − i/2) for a > (p − 1)/2.
pub fn multivariate_digamma(p: usize, a: f64) -> f64 {
    (0..p).map(|i| digamma(a - 0.5 * i as f64)).sum()
}

/// ψ′_p(a) = Σ_{i=0}^{p−1} ψ′(a − i/2) for a > (p − 1)/2.
pub fn multivariate_trigamma(p: usize, a: f64) -> f64 {
    (0..p).map(|i| trigamma(a - 0.5 * i as f64)).sum()
}
