//! Draws that are, but for few of them, a function of one random word: one by one, or in blocks whose words come
//! from the stream at once and whose common case vectorises. Both give the same numbers and leave the stream at
//! the same place.

use rand::Rng;
use vi_core::StreamRng;
use vi_core::numerics::{Vectorised, vectorised};

/// Draws in a block: the bits of its mask.
const BLOCK: usize = u64::BITS as usize;
/// Below this many draws a block does not pay.
const FEW: usize = 8;

/// A draw from one random word, and from more where that is not enough.
pub(super) trait Draw {
    /// The draw of this word and whether it suffices. It has to be branch-free and `#[inline(always)]`.
    fn quick(&self, word: u64) -> (f64, bool);

    /// The draw that begins with this word, which does not suffice.
    fn slow(&self, word: u64, next: &mut impl FnMut() -> u64) -> f64;
}

/// One draw.
#[inline(always)]
pub(super) fn single(draw: &impl Draw, rng: &mut StreamRng) -> f64 {
    let word = rng.next_u64();
    let (value, suffices) = draw.quick(word);
    if suffices { value } else { draw.slow(word, &mut || rng.next_u64()) }
}

/// out ← f(draws)
pub(super) fn fill(draw: &impl Draw, rng: &mut StreamRng, mut out: &mut [f64], f: impl Fn(f64) -> f64) {
    if out.len() >= FEW {
        let mut words = [[0; 8]; BLOCK];
        while out.len() >= FEW {
            let n = out.len().min(BLOCK);
            let n_filled = fill_block(draw, rng, &mut words[..n], &mut out[..n], &f);
            out = &mut out[n_filled..];
        }
    }
    for out in out {
        *out = f(single(draw, rng));
    }
}

/// Fills the beginning of `out` and returns how much of it.
///
/// No draw takes less than a word, so all the words read here belong to the draws that `out` asks for.
fn fill_block(
    draw: &impl Draw,
    rng: &mut StreamRng,
    words: &mut [[u8; 8]],
    out: &mut [f64],
    f: &impl Fn(f64) -> f64,
) -> usize {
    rng.fill_bytes(words.as_flattened_mut());
    let mut marks = vectorised(Quick { draw, words, out: &mut *out, f });
    // The draw of word `at` is at its own place or, after draws of more than one word, belongs further to the front.
    let (n, mut at, mut n_filled) = (out.len(), 0, 0);
    while marks != 0 {
        let stop = marks.trailing_zeros() as usize;
        out.copy_within(at..stop, n_filled);
        n_filled += stop - at;
        at = stop + 1;
        let mut next = || {
            let word = words.get(at).map_or_else(|| rng.next_u64(), |word| u64::from_le_bytes(*word));
            at += 1;
            word
        };
        out[n_filled] = f(draw.slow(u64::from_le_bytes(words[stop]), &mut next));
        n_filled += 1;
        marks &= u64::MAX.unbounded_shl(at as u32);
    }
    if at < n {
        out.copy_within(at..n, n_filled);
        n_filled += n - at;
    }
    n_filled
}

/// The common case of a block; its output marks the words that do not suffice.
struct Quick<'a, D, F> {
    draw: &'a D,
    words: &'a [[u8; 8]],
    out: &'a mut [f64],
    f: &'a F,
}

impl<D: Draw, F: Fn(f64) -> f64> Vectorised for Quick<'_, D, F> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        match (self.words.as_array::<BLOCK>(), self.out.as_mut_array::<BLOCK>()) {
            // With a constant length the loop unrolls.
            (Some(words), Some(out)) => quick_draws(self.draw, words, out, self.f),
            _ => quick_draws(self.draw, self.words, self.out, self.f),
        }
    }
}

#[inline(always)]
fn quick_draws(draw: &impl Draw, words: &[[u8; 8]], out: &mut [f64], f: &impl Fn(f64) -> f64) -> u64 {
    let mut marks = 0;
    for (bit, (word, out)) in words.iter().zip(out).enumerate() {
        let (value, suffices) = draw.quick(u64::from_le_bytes(*word));
        *out = f(value);
        marks |= u64::from(!suffices) << bit;
    }
    marks
}
