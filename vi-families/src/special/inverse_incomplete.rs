//! Quantiles of the Gamma and Beta distributions: Newton on the logarithm of the smaller tail, which is concave in
//! the logarithm (logit) of the point, so that steps from the one side never overshoot.

use super::double::Double;
use super::gamma::{digamma, log_gamma_1p, log_gamma_increase, trigamma};
use super::incomplete_beta::{Split, beta_factor, split_tails};
use super::incomplete_gamma::{gamma_factor, gamma_tails};
use super::normal::normal_quantile;

/// A probability with its complement: the one that was given is exact.
#[derive(Clone, Copy, Debug)]
struct Probability {
    below: Double,
    above: Double,
}

impl Probability {
    fn below(p: f64) -> Self {
        Self { below: Double::new(p), above: Double::sum(1.0, -p) }
    }

    fn swapped(self) -> Self {
        Self { below: self.above, above: self.below }
    }

    fn inside(&self) -> bool {
        (0.0..=1.0).contains(&self.below.hi) && (0.0..=1.0).contains(&self.above.hi)
    }

    fn is_lower(&self) -> bool {
        self.below.hi <= self.above.hi
    }

    fn smaller(&self) -> f64 {
        self.below.hi.min(self.above.hi)
    }

    fn normal_quantile(&self) -> f64 {
        let z = normal_quantile(self.smaller());
        if self.is_lower() { z } else { -z }
    }

    /// [log p + `log_factor`] / a, the logarithm of the x with p = xᵃ exp(−`log_factor`).
    fn leading(&self, a: f64, log_factor: f64) -> Double {
        let log_p = if self.below.hi < f64::MIN_POSITIVE {
            Double::new(self.below.hi.ln())
        } else {
            self.below.log()
        };
        (log_p + Double::new(log_factor)).divided_by(Double::new(a))
    }
}

/// The x with P(a, x) = `p`, for a > 0 and p in \[0, 1\]; NaN outside.
pub fn inverse_regularized_gamma_lower(a: f64, p: f64) -> f64 {
    inverse_gamma(a, Probability::below(p))
}

/// The x with Q(a, x) = `q`, for a > 0 and q in \[0, 1\]; NaN outside.
pub fn inverse_regularized_gamma_upper(a: f64, q: f64) -> f64 {
    inverse_gamma(a, Probability::below(q).swapped())
}

/// Below this the first term of a series in x is the whole of it.
const FIRST_TERM: f64 = 1e-17;

fn inverse_gamma(a: f64, p: Probability) -> f64 {
    if !(a > 0.0 && a < f64::INFINITY && p.inside()) {
        return f64::NAN;
    }
    if p.below.hi == 0.0 {
        return 0.0;
    }
    if p.above.hi == 0.0 {
        return f64::INFINITY;
    }
    let z = p.normal_quantile();
    let mut x = wilson_hilferty(a, z);
    if a < 1.0 || x < 0.1 * a {
        // P = xᵃ / Γ(a + 1) · (1 − a x / (a + 1) + …).
        let leading = p.leading(a, log_gamma_1p(a)).exp();
        if leading < FIRST_TERM {
            return leading;
        }
        x = leading;
    }
    let lower = p.is_lower();
    let mut bracket = Bracket::new(lower, p.smaller());
    for _ in 0..100 {
        let (below, above) = gamma_tails(a, x);
        let step = bracket.step(x.ln(), if lower { below } else { above }, a * gamma_factor(a, x));
        x *= step.exp();
        if step.abs() < 1e-15 {
            break;
        }
    }
    x
}

/// Wilson & Hilferty (1931): the cube root of a Gamma variable is nearly normal; 0 where that ends.
fn wilson_hilferty(a: f64, z: f64) -> f64 {
    let c = 1.0 / (9.0 * a);
    let root = 1.0 - c + z * c.sqrt();
    if root > 0.0 { a * root * root * root } else { 0.0 }
}

/// The x with I_x(a, b) = `p`, for a, b > 0 and p in \[0, 1\]; NaN outside.
///
/// A result above ½ is the double nearest to it, not accurate relative to 1 − x.
pub fn inverse_regularized_beta(a: f64, b: f64, p: f64) -> f64 {
    let p = Probability::below(p);
    if !(a > 0.0 && b > 0.0 && a < f64::INFINITY && b < f64::INFINITY && p.inside()) {
        return f64::NAN;
    }
    if p.below.hi == 0.0 || p.above.hi == 0.0 {
        return p.below.hi;
    }
    if let Some(x) = first_term(a, b, p) {
        return x;
    }
    if let Some(y) = first_term(b, a, p.swapped()) {
        return 1.0 - y;
    }
    let start = digamma(a) - digamma(b) + p.normal_quantile() * (trigamma(a) + trigamma(b)).sqrt();
    // Two shapes so tiny that the logit has no finite variance: half of the mass at each end.
    let start = if start.is_nan() { 0.0 } else { start.clamp(-690.0, 690.0) };
    // The smaller one of x and 1 − x is the one that is kept.
    let mut flipped = start > 0.0;
    let mut small = 1.0 / (1.0 + start.abs().exp());
    let lower = p.is_lower();
    let mut bracket = Bracket::new(lower, p.smaller());
    for _ in 0..100 {
        let at = if flipped { Split::below_one(small) } else { Split::at(small) };
        let (below, above) = split_tails(a, b, &at);
        let logit = (small / (1.0 - small)).ln();
        let logit = if flipped { -logit } else { logit };
        let step = bracket.step(logit, if lower { below } else { above }, beta_factor(a, b, &at));
        let own = if flipped { -step } else { step };
        let total = 1.0 + small * own.exp_m1();
        let (moved, rest) = (small * own.exp() / total, (1.0 - small) / total);
        flipped ^= moved > rest;
        small = moved.min(rest);
        if step.abs() < 1e-15 {
            break;
        }
    }
    if flipped { 1.0 - small } else { small }
}

/// The solution of p = xᵃ / (a B(a, b)) where it is so small that no other term of the series counts.
fn first_term(a: f64, b: f64, p: Probability) -> Option<f64> {
    if a > 1.0 {
        return None;
    }
    let x = p.leading(a, log_gamma_1p(a) - log_gamma_increase(b, a)).exp();
    (x * (1.0 + b) < FIRST_TERM).then_some(x)
}

/// Newton steps on the logarithm of a tail, kept inside what is known of the root.
struct Bracket {
    increasing: bool,
    target: f64,
    low: f64,
    high: f64,
}

impl Bracket {
    fn new(increasing: bool, target: f64) -> Self {
        Self { increasing, target, low: -700.0, high: 700.0 }
    }

    /// The step from `t` with this tail and |d tail/dt| there.
    fn step(&mut self, t: f64, tail: f64, slope: f64) -> f64 {
        if tail == self.target {
            return 0.0;
        }
        if (tail < self.target) == self.increasing {
            self.low = self.low.max(t);
        } else {
            self.high = self.high.min(t);
        }
        let log_ratio = if tail > 0.5 * self.target && tail < 2.0 * self.target {
            ((tail - self.target) / self.target).ln_1p()
        } else {
            (tail / self.target).ln()
        };
        let step = log_ratio * tail / slope;
        let step = if self.increasing { -step } else { step };
        let next = t + step;
        // At the resolution of t itself a step may end on the bracket.
        if (next > self.low && next < self.high) || step.abs() < 1e-12 {
            step
        } else {
            0.5 * (self.low + self.high) - t
        }
    }
}
