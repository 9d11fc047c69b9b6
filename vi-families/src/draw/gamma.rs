//! Gamma variates: Marsaglia and Tsang (2000), "A Simple Method for Generating Gamma Variables", with a tighter
//! squeeze.

use rand::Rng;
use vi_core::StreamRng;

use super::block::single;
use super::ziggurat::{Exponential, Normal, open_unit};

/// Where the squeeze holds, and the coefficients of its polynomial.
const SQUEEZE_FROM: f64 = -0.7;
const SQUEEZE: [f64; 3] = [0.75, -0.6, 1.31];

/// Gamma(shape, 1) with a shape of at least 1.
///
/// With d = shape − 1/3, z a standard normal and s = z/(3√d), d(1 + s)³ is accepted with the probability
///
/// ```text
/// exp(½z² + d(1 − (1 + s)³ + 3 log(1 + s))) = exp(−d s⁴ g(s)),    g(s) = 3/4 − 3s/5 + 3s²/6 − …
/// ```
///
/// From s = −0.7 on, g(s) ≤ 3/4 − 3s/5 + 1.31 s², and e⁻ˣ ≥ 1 − x: this needs no logarithm and fails, at any shape,
/// but a few times in a hundred.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnitGamma {
    d: f64,
    c: f64,
}

impl UnitGamma {
    #[inline(always)]
    pub(super) fn new(shape: f64) -> Self {
        let d = shape - 1.0 / 3.0;
        Self { d, c: 1.0 / (3.0 * d.sqrt()) }
    }

    /// With d = shape − 1/3 and c = 1/(3√d).
    #[inline(always)]
    pub(super) fn from_constants(d: f64, c: f64) -> Self {
        Self { d, c }
    }

    /// The value at s, and whether the squeeze accepts it.
    #[inline(always)]
    pub(super) fn propose(&self, s: f64, level: f64) -> (f64, bool) {
        let root = 1.0 + s;
        (self.d * (root * root * root), self.surely_accepts(s, level))
    }

    /// Whether the squeeze holds: 1 − level is below 1 − d s⁴ (bound of g).
    #[inline(always)]
    fn surely_accepts(&self, s: f64, level: f64) -> bool {
        let square = s * s;
        (level > self.d * (square * square) * squeeze(s)) & (s > SQUEEZE_FROM)
    }

    /// The test without the squeeze. At shapes above 1e10 it is nothing but rounding errors, and the squeeze all but
    /// always holds: it has to come first.
    #[cold]
    #[inline(never)]
    fn accepts(&self, s: f64, level: f64) -> bool {
        s > -1.0 && (-level).ln_1p() <= self.d * log_acceptance(s)
    }

    #[inline(always)]
    pub(super) fn draw(&self, rng: &mut StreamRng) -> f64 {
        loop {
            let s = single(&Normal, rng) * self.c;
            let level = open_unit(rng.next_u64());
            let (value, sure) = self.propose(s, level);
            if sure || self.accepts(s, level) {
                return value;
            }
        }
    }
}

/// An upper bound of g(s).
#[inline(always)]
fn squeeze(s: f64) -> f64 {
    SQUEEZE[0] + s * (SQUEEZE[1] + s * SQUEEZE[2])
}

/// −s⁴ g(s)
fn log_acceptance(s: f64) -> f64 {
    3.0 * s.ln_1p() - s * (3.0 - s * (1.5 - s))
}

/// Gamma(shape, 1) with a shape below 1: the variate of shape + 1, times U^(1/shape) = e^(−shift).
#[derive(Clone, Copy, Debug)]
pub(crate) struct BoostedGamma {
    unit: UnitGamma,
    shape: f64,
}

/// The variate of shape + 1, and the shift −log U^(1/shape), an exponential variate over the shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Boosted {
    pub(super) unit: f64,
    pub(super) shift: f64,
}

impl BoostedGamma {
    #[inline(always)]
    pub(super) fn new(shape: f64) -> Self {
        Self { unit: UnitGamma::new(shape + 1.0), shape }
    }

    #[inline(always)]
    pub(super) fn draw(&self, rng: &mut StreamRng) -> Boosted {
        let unit = self.unit.draw(rng);
        Boosted { unit, shift: single(&Exponential, rng) / self.shape }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// g(s), by its series where the closed form cancels.
    fn g(s: f64) -> f64 {
        if s.abs() > 0.05 {
            return -log_acceptance(s) / s.powi(4);
        }
        (0..40).map(|k| 3.0 * (-s).powi(k) / f64::from(k + 4)).sum()
    }

    #[test]
    fn the_squeeze_is_below_the_acceptance() {
        assert!((g(0.04999) - g(0.05001)).abs() < 1e-4, "the two forms of g meet");
        for i in 0..=200_000 {
            let s = SQUEEZE_FROM + f64::from(i) * 1e-4;
            assert!(squeeze(s) >= g(s), "s = {s}: {} < {}", squeeze(s), g(s));
        }
    }

    #[test]
    fn the_squeeze_holds_for_nearly_all_draws() {
        for (shape, most) in [(1.0, 0.10), (2.0, 0.04), (20.0, 0.003), (1e6, 1e-6)] {
            let member = UnitGamma::new(shape);
            let (mut fails, mut mass) = (0.0, 0.0);
            for i in -8000..=8000 {
                let z = f64::from(i) * 1e-3;
                let weight = (-0.5 * z * z).exp();
                let s = z * member.c;
                let fail = if s > SQUEEZE_FROM { (member.d * s.powi(4) * squeeze(s)).min(1.0) } else { 1.0 };
                fails += weight * fail;
                mass += weight;
            }
            assert!(fails / mass < most, "shape {shape}: {}", fails / mass);
        }
    }
}
