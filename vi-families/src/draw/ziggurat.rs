//! The ziggurats of the normal and the exponential distribution: Marsaglia and Tsang (2000), "The Ziggurat Method
//! for Generating Random Variables", in the form of Doornik (2005), "An Improved Ziggurat Method to Generate Normal
//! Random Samples", with 256 layers. The layer comes from the low 8 bits of a word and the place in it from the
//! high 52, so the two are independent; bits 8 to 11 are free.

use super::block::Draw;
use super::tables::{EXPONENTIAL_EDGE, EXPONENTIAL_F, EXPONENTIAL_X, NORMAL_EDGE, NORMAL_F, NORMAL_X};

/// Bits of the exponents of [1, 2) and [2, 4).
const ONE: u64 = 1.0_f64.to_bits();
const TWO: u64 = 2.0_f64.to_bits();
const HALF_EPSILON: f64 = 0.5 * f64::EPSILON;

/// Standard normal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Normal;

/// Exponential with mean 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exponential;

/// Exponential with mean 1 and either sign: Laplace.
#[derive(Clone, Copy, Debug)]
pub(super) struct SignedExponential;

/// k/2⁵³ on [0, 1)
#[inline(always)]
pub(super) fn unit(word: u64) -> f64 {
    (word >> 11) as f64 * HALF_EPSILON
}

/// (k + ½)/2⁵² on (0, 1)
#[inline(always)]
pub(super) fn open_unit(word: u64) -> f64 {
    f64::from_bits((word >> 12) | ONE) - (1.0 - HALF_EPSILON)
}

#[inline(always)]
fn layer(word: u64) -> usize {
    (word & 0xff) as usize
}

/// The place of a word in its layer of the normal ziggurat, on [−1, 1).
#[inline(always)]
fn place(word: u64) -> f64 {
    f64::from_bits((word >> 12) | TWO) - 3.0
}

/// Whether a point above the part of its layer that lies under the density everywhere, at height `word` of the
/// layer, is under the density.
fn under_density(heights: &[f64; 257], layer: usize, word: u64, density: f64) -> bool {
    heights[layer + 1] + (heights[layer] - heights[layer + 1]) * unit(word) < density
}

impl Draw for Normal {
    #[inline(always)]
    fn quick(&self, word: u64) -> (f64, bool) {
        let i = layer(word);
        let x = place(word) * NORMAL_X[i];
        (x, x.abs() < NORMAL_X[i + 1])
    }

    #[cold]
    #[inline(never)]
    fn slow(&self, mut word: u64, next: &mut impl FnMut() -> u64) -> f64 {
        loop {
            let (x, suffices) = self.quick(word);
            if suffices {
                return x;
            }
            let i = layer(word);
            if i == 0 {
                let tail = normal_tail(next);
                return if place(word) < 0.0 { -tail } else { tail };
            }
            if under_density(&NORMAL_F, i, next(), (-x * x / 2.0).exp()) {
                return x;
            }
            word = next();
        }
    }
}

/// |z| beyond the edge of the base layer: Marsaglia (1964), "Generating a Variable from the Tail of the Normal
/// Distribution".
fn normal_tail(next: &mut impl FnMut() -> u64) -> f64 {
    loop {
        let x = open_unit(next()).ln() / NORMAL_EDGE;
        let y = open_unit(next()).ln();
        if -2.0 * y >= x * x {
            return NORMAL_EDGE - x;
        }
    }
}

impl Draw for Exponential {
    #[inline(always)]
    fn quick(&self, word: u64) -> (f64, bool) {
        let i = layer(word);
        let x = open_unit(word) * EXPONENTIAL_X[i];
        (x, x < EXPONENTIAL_X[i + 1])
    }

    #[cold]
    #[inline(never)]
    fn slow(&self, mut word: u64, next: &mut impl FnMut() -> u64) -> f64 {
        loop {
            let (x, suffices) = self.quick(word);
            if suffices {
                return x;
            }
            let i = layer(word);
            if i == 0 {
                // The tail is the distribution itself, moved; a 0, one in 2⁵³, stays finite.
                return EXPONENTIAL_EDGE - unit(next()).max(0.5 * HALF_EPSILON).ln();
            }
            if under_density(&EXPONENTIAL_F, i, next(), (-x).exp()) {
                return x;
            }
            word = next();
        }
    }
}

impl SignedExponential {
    /// ±x by a bit that neither the layer nor the place uses.
    #[inline(always)]
    fn signed(x: f64, word: u64) -> f64 {
        f64::from_bits(x.to_bits() ^ (word & 1 << 8) << 55)
    }
}

impl Draw for SignedExponential {
    #[inline(always)]
    fn quick(&self, word: u64) -> (f64, bool) {
        let (x, suffices) = Exponential.quick(word);
        (Self::signed(x, word), suffices)
    }

    #[cold]
    #[inline(never)]
    fn slow(&self, word: u64, next: &mut impl FnMut() -> u64) -> f64 {
        Self::signed(Exponential.slow(word, next), word)
    }
}
