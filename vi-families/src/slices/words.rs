//! Random words in bulk.

use rand::{Rng, TryRng};
use vi_core::StreamRng;

/// Words fetched at once: two kibibytes, on the stack.
const WORDS: usize = 256;

/// The words of a stream, fetched in bulk: the same words in the same order as from the stream itself.
///
/// It never fetches more than the draws that are still to come must use, so the stream is left where the same draws
/// one by one would leave it.
pub(super) struct Words<'a> {
    rng: &'a mut StreamRng,
    words: [[u8; 8]; WORDS],
    next: usize,
    end: usize,
    /// The least number of words that the draws after the present one use.
    needed_later: usize,
}

impl Words<'_> {
    #[cold]
    fn refill(&mut self) {
        // The present draw asks for a word, so it uses one more at least.
        let n = self.needed_later.saturating_add(1).min(WORDS);
        self.rng.fill_bytes(self.words[..n].as_flattened_mut());
        (self.next, self.end) = (0, n);
    }
}

impl TryRng for Words<'_> {
    type Error = std::convert::Infallible;

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        if self.next == self.end {
            self.refill();
        }
        let word = self.words[self.next];
        self.next += 1;
        Ok(u64::from_le_bytes(word))
    }

    /// The draws here use 64-bit words only; a 32-bit one takes half of such a word.
    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.try_next_u64().map(|word| word as u32)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

/// out ← draws of `draw`, each of which uses at least `least` 64-bit words.
#[inline(always)]
pub(super) fn fill(rng: &mut StreamRng, out: &mut [f64], least: usize, draw: impl Fn(&mut Words<'_>) -> f64) {
    let mut words = Words { rng, words: [[0; 8]; WORDS], next: 0, end: 0, needed_later: 0 };
    let n = out.len();
    for (i, out) in out.iter_mut().enumerate() {
        words.needed_later = (n - 1 - i).saturating_mul(least);
        *out = draw(&mut words);
    }
}
