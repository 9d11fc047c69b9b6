//! The incomplete beta function ratio.

use super::beta::log_beta;
use super::double::Double;
use super::gamma::{ASYMPTOTIC, log_1p_minus, log_gamma_1p, log_gamma_increase, stirling_error};
use super::quadrature::{half_line, tail_scale};

/// I_x(a, b), the probability that a Beta(a, b) variable is below x, for a, b > 0 and 0 ≤ x ≤ 1.
///
/// ```text
/// I_x(a, b) = 1/B(a, b) ∫₀ˣ t^(a − 1) (1 − t)^(b − 1) dt
/// ```
/// Series, continued fraction (DLMF 8.17.22), and for large a and b exp-sinh quadrature of the tail in the logit of
/// t, whose logarithm is concave. NaN outside the domain. Where both shapes exceed about 10³⁰ the distribution is
/// narrower than the distance between numbers: the result is 0 or 1, and any probability at the mean itself.
pub fn regularized_beta(a: f64, b: f64, x: f64) -> f64 {
    beta_tails(a, b, x).0
}

/// 1 − I_x(a, b), with its own relative accuracy; see [`regularized_beta`].
pub fn regularized_beta_upper(a: f64, b: f64, x: f64) -> f64 {
    beta_tails(a, b, x).1
}

/// I_x(a, b) and its complement; the one on the far side of the mean is computed directly.
fn beta_tails(a: f64, b: f64, x: f64) -> (f64, f64) {
    if !(a > 0.0 && b > 0.0 && (0.0..=1.0).contains(&x)) || a == f64::INFINITY || b == f64::INFINITY {
        return (f64::NAN, f64::NAN);
    }
    if x == 0.0 {
        return (0.0, 1.0);
    }
    if x == 1.0 {
        return (1.0, 0.0);
    }
    split_tails(a, b, &Split::at(x))
}

/// A point of (0, 1) with its complement, which may be too close to 1 for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Split {
    x: Double,
    y: Double,
}

impl Split {
    pub(super) fn at(x: f64) -> Self {
        Self { x: Double::new(x), y: Double::sum(1.0, -x) }
    }

    /// The point with complement `y`.
    pub(super) fn below_one(y: f64) -> Self {
        Self::at(y).swapped()
    }

    fn swapped(&self) -> Self {
        Self { x: self.y, y: self.x }
    }
}

pub(super) fn split_tails(a: f64, b: f64, at: &Split) -> (f64, f64) {
    // x ≤ a / (a + b) in a form that neither overflows nor cancels.
    if a * at.y.hi >= b * at.x.hi {
        near_tail(a, b, at)
    } else {
        let (upper, lower) = near_tail(b, a, &at.swapped());
        (lower, upper)
    }
}

/// P and 1 − P for x up to about the mean.
fn near_tail(a: f64, b: f64, at: &Split) -> (f64, f64) {
    let (x, y) = (at.x.hi, at.y.hi);
    // At a singularity of the density a tail may hold nearly all the mass: then the small other one is computed.
    if a < 1.0 && x * b.max(1.0) < 1.0 && x < 0.7 {
        return singular(a, b, x);
    }
    if b < 1.0 && y * a.max(1.0) < 2.0 && y < 0.7 {
        let (upper, lower) = singular(b, a, y);
        return (lower, upper);
    }
    let factor = beta_factor(a, b, at);
    if factor == 0.0 {
        return (0.0, 1.0);
    }
    let integral = if a < QUADRATURE_FROM || (b < QUADRATURE_FROM && x < 0.5) {
        fraction(a, b, x) / a
    } else if b < QUADRATURE_FROM {
        power_integral(a, b, x, y)
    } else {
        tail_integral(a, b, at)
    };
    let lower = factor * integral;
    (lower, 1.0 - lower)
}

/// xᵃ yᵇ / B(a, b), the density of the logit.
pub(super) fn beta_factor(a: f64, b: f64, at: &Split) -> f64 {
    if a >= ASYMPTOTIC && b >= ASYMPTOTIC {
        let total = Double::sum(a, b);
        let deviance = relative_log(at.x, total, a) + relative_log(at.y, total, b);
        let correction = stirling_error(a) + stirling_error(b) - stirling_error(a + b);
        return exp_of_deviance(deviance)
            * (a / (a + b) * b / std::f64::consts::TAU).sqrt()
            * (-correction).exp();
    }
    if a < ASYMPTOTIC && b < ASYMPTOTIC {
        return at.x.hi.powf(a) * (at.y.log() * Double::new(b)).exp() / log_beta(a, b).exp();
    }
    let (a, b, at) = if a < b { (a, b, *at) } else { (b, a, at.swapped()) };
    // a < 10 ≤ b: Γ(a + b)/Γ(b) = (a + b)ᵃ e^(−a) (1 − h)^(½ − b) e^(correction).
    let total = Double::sum(a, b);
    let correction = stirling_error(b) - stirling_error(a + b);
    let deviance = relative_log(at.y, total, b);
    let rest =
        Double::new(a) * (at.x * total).log() + Double::new(-a - correction + 0.5 * (-a / (a + b)).ln_1p());
    let exponent = deviance + rest;
    if exponent.hi.is_nan() { 0.0 } else { exponent.exp() / libm::tgamma(a) }
}

/// exp of a log(x (a + b)/a) + b log(y (a + b)/b) ≤ 0.
///
/// Of the two terms the positive one is at most a + b. Only the negative one can overflow, to what is no number in twice
/// the precision. At shapes above 10³⁰ the sum may come out positive by rounding.
fn exp_of_deviance(deviance: Double) -> f64 {
    if deviance.hi.is_nan() { 0.0 } else { deviance.exp().min(1.0) }
}

/// a log(x (a + b) / a).
fn relative_log(x: Double, total: Double, a: f64) -> Double {
    Double::new(a) * (x * total).divided_by(Double::new(a)).log()
}

/// a B(a, b) I_x(a, b) / (xᵃ yᵇ): DLMF 8.17.22 with Lentz's algorithm.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let floor = |v: f64| if v.abs() < 1e-300 { 1e-300 } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / floor(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for m in 1..2000 {
        let m = f64::from(m);
        let even = (m / (a + 2.0 * m - 1.0)) * ((b - m) / (a + 2.0 * m)) * x;
        d = 1.0 / floor(1.0 + even * d);
        c = floor(1.0 + even / c);
        value *= c * d;
        let odd = -((a + m) / (a + 2.0 * m)) * ((a + b + m) / (a + 2.0 * m + 1.0)) * x;
        d = 1.0 / floor(1.0 + odd * d);
        c = floor(1.0 + odd / c);
        let step = c * d;
        value *= step;
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    value
}

/// I_x(a, b) and its complement for small a and b x ≤ 1, by the power series with its first term split off.
///
/// ```text
/// I = xᵃ/(a B) [1 + a Σ_{n≥1} (1 − b)ₙ xⁿ / (n! (a + n))]
/// ```
fn singular(a: f64, b: f64, x: f64) -> (f64, f64) {
    let log_leading = a * x.ln() + log_gamma_increase(b, a) - log_gamma_1p(a);
    let (mut power, mut sum) = (1.0, 0.0);
    for n in 1..300 {
        let n = f64::from(n);
        power *= (n - b) * x / n;
        let term = power / (a + n);
        sum += term;
        if term.abs() < 1e-17 * sum.abs() {
            break;
        }
    }
    let rest = log_leading.exp() * a * sum;
    (log_leading.exp() + rest, -log_leading.exp_m1() - rest)
}

/// From these shapes on the tails are well scaled for quadrature.
const QUADRATURE_FROM: f64 = 20.0;

/// I_x(a, b) B(a, b) / (xᵃ yᵇ) for large a and small b, where the continued fraction is long.
///
/// ```text
/// 1/y ∫₀^∞ e^(−aτ) [1 + (x/y) (1 − e^(−τ))]^(b − 1) dτ,   τ = log x − log t
/// ```
fn power_integral(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let odds = x / y;
    let scale = tail_scale((a - (b - 1.0) * odds).max(0.0), b * odds * odds);
    half_line(scale, |tau| ((b - 1.0) * (-odds * (-tau).exp_m1()).ln_1p() - a * tau).exp()) / y
}

/// I_x(a, b) B(a, b) / (xᵃ yᵇ) = ∫₀^∞ e^(−h(s)) ds, where h is convex and increasing.
///
/// ```text
/// h(s) = a s + (a + b) log(1 + x (e^(−s) − 1))
///      = (a y − b x) s + (a + b) [log(1 + u) − u + x (e^(−s) − 1 + s)],   u = x (e^(−s) − 1)
/// ```
fn tail_integral(a: f64, b: f64, at: &Split) -> f64 {
    let total = a + b;
    let slope = (Double::new(a) * at.y - Double::new(b) * at.x).hi.max(0.0);
    let (x, y) = (at.x.hi, at.y.hi);
    let h = |s: f64| {
        if x <= 0.5 {
            let u = x * (-s).exp_m1();
            slope * s + total * (log_1p_minus(u) + x * exp_m1_minus(-s))
        } else {
            let v = y * s.exp_m1();
            slope * s + total * (log_1p_minus(v) + y * exp_m1_minus(s))
        }
    };
    half_line(tail_scale(slope, total * x * y), |s| (-h(s)).exp())
}

/// eˢ − 1 − s, without cancellation at small s.
pub(crate) fn exp_m1_minus(s: f64) -> f64 {
    if s.abs() > 0.5 {
        return s.exp_m1() - s;
    }
    let (mut term, mut sum) = (0.5 * s * s, 0.0);
    for k in 3..20 {
        sum += term;
        term *= s / f64::from(k);
    }
    sum
}
