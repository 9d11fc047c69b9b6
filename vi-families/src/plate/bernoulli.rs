//! Independent bits for every datum.

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use rand::Rng;
use vi_core::numerics::{Vectorised, sigmoid, sum_softplus, sum_softplus_sigmoid, vectorised};
use vi_core::{ParameterError, ParameterSpace, StreamKey, StreamRng, Support};

use super::PlateFamily;
use super::layout::{refused, rows, rows_mut, values, values_mut};
use crate::error::FamilyError;
use crate::validate::FINITE;

const FAMILY: &str = "BernoulliPlate";
const WORD: usize = 64;
const LANES: usize = 8;

/// Independent bits for every datum, with logits as parameters.
///
/// ```text
/// q(z_n) = Π_l σ(λ_nl)^z_nl (1 − σ(λ_nl))^(1 − z_nl)        z_n ∈ {0, 1}ᴸ,  λ_n ∈ ℝᴸ
/// log q = Σ_l z_l λ_l − Σ_l softplus(λ_l),   ∇ log q = z − σ(λ)
/// ```
/// 64 bits are drawn at a time. A bit is 1 when a uniform number is below σ(λ), and both are compared digit by digit in
/// base 2, all 64 side by side: word k of the stream holds digit k of every uniform number. A comparison is decided at
/// the first digit that differs, so that a word of bits costs eight words of randomness and not 64. Uniform numbers
/// have 64 digits: a bit is 1 with probability σ(λ), rounded like an `f64` and down to a multiple of 2⁻⁶⁴.
#[derive(Clone, Debug)]
pub struct BernoulliPlate {
    names: Vec<String>,
}

impl BernoulliPlate {
    /// Bits for the local variables of a plate, which have to be binary.
    ///
    /// # Errors
    /// [`FamilyError::Parameter`] names the variable that is not.
    pub fn for_space(space: &ParameterSpace) -> Result<Self, FamilyError> {
        match space.parameters().iter().find(|p| p.support() != Support::Binary) {
            None => Ok(Self { names: space.names().to_vec() }),
            Some(p) => Err(ParameterError::Unsupported {
                name: p.name().to_owned(),
                support: p.support(),
                method: FAMILY.to_owned(),
            }
            .into()),
        }
    }

    /// Draws pairs of coupled points: the uniform numbers u of the first point are 1 − u for the second.
    ///
    /// ```text
    /// row i·2S + 2s of z (n·2S, L):      z  = [u < σ(λ_i)]
    /// row i·2S + 2s + 1:                 z̃  = [1 − u < σ(λ_i)]        s = 0 … S − 1
    /// ```
    /// Each point by itself has the law of [`PlateFamily::sample_points`]; what DisARM needs.
    ///
    /// # Errors
    /// As for [`PlateFamily::sample_points`].
    ///
    /// # Panics
    /// If a shape does not fit.
    pub fn sample_antithetic_points(
        &self,
        params: &ArrayRef2<f64>,
        data: &[usize],
        key: StreamKey,
        n_pairs: usize,
        z: &mut ArrayRef2<f64>,
        log_q: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError> {
        self.draw(params, data, key, 2 * n_pairs, z, log_q, |digits, mask, rng, words| {
            for pair in words.chunks_mut(2) {
                let drawn = draw_pair(digits, mask, rng);
                pair.copy_from_slice(&drawn[..pair.len()]);
            }
        })
    }

    /// Draws `n_points` points of every datum; `fill` makes words of bits from the digits of their probabilities.
    #[allow(clippy::too_many_arguments, reason = "those of `sample_points`, and how to draw")]
    fn draw(
        &self,
        params: &ArrayRef2<f64>,
        data: &[usize],
        key: StreamKey,
        n_points: usize,
        z: &mut ArrayRef2<f64>,
        log_q: &mut ArrayRef1<f64>,
        fill: impl Fn(&[u64; WORD], u64, &mut StreamRng, &mut [u64]),
    ) -> Result<(), FamilyError> {
        let (n, dim) = (data.len(), self.names.len());
        let params = rows(params, "params", n, dim);
        let z = rows_mut(z, "z", n * n_points, dim);
        let log_q = values_mut(log_q, "log_q", n * n_points);
        if n_points == 0 {
            return Ok(());
        }
        for (i, logits) in params.chunks_exact(dim).enumerate() {
            self.check(i, logits)?;
            let z = &mut z[i * n_points * dim..(i + 1) * n_points * dim];
            let log_q = &mut log_q[i * n_points..(i + 1) * n_points];
            let mut rng = key.rng(data[i] as u64);
            log_q.fill(0.0);
            for (w, logits) in logits.chunks(WORD).enumerate() {
                let (digits, log_normalizer) = digits(logits);
                let mask = if logits.len() == WORD { u64::MAX } else { (1 << logits.len()) - 1 };
                // Points at a time: a buffer of words on the stack.
                let parts = z.chunks_mut(WORD * dim).zip(log_q.chunks_mut(WORD));
                for (z, log_q) in parts {
                    let mut words = [0; WORD];
                    let words = &mut words[..log_q.len()];
                    fill(&digits, mask, &mut rng, words);
                    vectorised(Spread { words, logits, log_normalizer, dim, first: w * WORD, z, log_q });
                }
            }
        }
        Ok(())
    }

    fn check(&self, row: usize, logits: &[f64]) -> Result<(), FamilyError> {
        match logits.iter().position(|l| !l.is_finite()) {
            None => Ok(()),
            Some(l) => Err(refused(FAMILY, &format!("logit({})", self.names[l]), row, logits[l], FINITE)),
        }
    }
}

impl PlateFamily for BernoulliPlate {
    fn dim(&self) -> usize {
        self.names.len()
    }
    fn n_params(&self) -> usize {
        self.names.len()
    }
    fn param_names(&self) -> Vec<String> {
        self.names.iter().map(|n| format!("logit({n})")).collect()
    }
    /// Fair bits.
    fn init(&self) -> Array1<f64> {
        Array1::zeros(self.n_params())
    }

    fn sample_points(
        &self,
        params: &ArrayRef2<f64>,
        data: &[usize],
        key: StreamKey,
        n_samples: usize,
        z: &mut ArrayRef2<f64>,
        log_q: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError> {
        self.draw(params, data, key, n_samples, z, log_q, |digits, mask, rng, words| {
            words.iter_mut().for_each(|word| *word = draw_word(digits, mask, rng));
        })
    }

    fn log_prob_points(
        &self,
        params: &ArrayRef2<f64>,
        n_samples: usize,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError> {
        let (n, dim) = (params.nrows(), self.names.len());
        let params = rows(params, "params", n, dim);
        let z = rows(z, "z", n * n_samples, dim);
        let out = values_mut(out, "out", n * n_samples);
        for (i, logits) in params.chunks_exact(dim).enumerate() {
            self.check(i, logits)?;
            let log_normalizer = sum_softplus(logits);
            for r in i * n_samples..(i + 1) * n_samples {
                let linear: f64 = z[r * dim..(r + 1) * dim].iter().zip(logits).map(|(z, l)| z * l).sum();
                out[r] = linear - log_normalizer;
            }
        }
        Ok(())
    }

    fn add_scores(
        &self,
        params: &ArrayRef2<f64>,
        n_samples: usize,
        z: &ArrayRef2<f64>,
        weights: &ArrayRef1<f64>,
        out: &mut ArrayRef2<f64>,
    ) -> Result<(), FamilyError> {
        let (n, dim) = (params.nrows(), self.names.len());
        let params = rows(params, "params", n, dim);
        let z = rows(z, "z", n * n_samples, dim);
        let weights = values(weights, "weights", n * n_samples);
        let out = rows_mut(out, "out", n, dim);
        for (i, (logits, out)) in params.chunks_exact(dim).zip(out.chunks_exact_mut(dim)).enumerate() {
            let points = i * n_samples..(i + 1) * n_samples;
            let (weights, z) = (&weights[points.clone()], &z[points.start * dim..points.end * dim]);
            vectorised(WeightedSum { weights, z, out });
            let total: f64 = weights.iter().sum();
            for (logits, out) in logits.chunks(WORD).zip(out.chunks_mut(WORD)) {
                let mut mean = [0.0; WORD];
                sigmoid(logits, &mut mean[..logits.len()]);
                out.iter_mut().zip(mean).for_each(|(out, mean)| *out -= total * mean);
            }
        }
        Ok(())
    }
}

/// The digits of up to 64 probabilities σ(λ) in base 2 (digit k of all of them in word k), and Σ softplus(λ).
fn digits(logits: &[f64]) -> ([u64; WORD], f64) {
    const TWO_64: f64 = 18_446_744_073_709_551_616.0;
    let mut means = [0.0; WORD];
    let log_normalizer = sum_softplus_sigmoid(logits, &mut means[..logits.len()]);
    // The conversion stops at the largest integer, where the probability rounds to 1.
    let mut matrix = means.map(|mean| (mean * TWO_64) as u64);
    transpose(&mut matrix);
    // Column 0 of a transposed row is the lowest digit.
    matrix.reverse();
    (matrix, log_normalizer)
}

/// Bit c of word r ↔ bit r of word c (Warren, *Hacker's Delight*, 2nd edition, §7-3).
fn transpose(matrix: &mut [u64; WORD]) {
    let mut width = WORD / 2;
    let mut mask = u64::MAX >> width;
    while width > 0 {
        let mut r = 0;
        while r < WORD {
            let swapped = (matrix[r] >> width ^ matrix[r + width]) & mask;
            matrix[r] ^= swapped << width;
            matrix[r + width] ^= swapped;
            r = (r + width + 1) & !width;
        }
        width /= 2;
        mask ^= mask << width;
    }
}

/// Bits of u < p, all digits of all p given; those outside `mask` are 0.
#[inline]
fn draw_word(digits: &[u64; WORD], mask: u64, rng: &mut StreamRng) -> u64 {
    let (mut equal, mut below) = (mask, 0);
    for digit in digits {
        let u = rng.next_u64();
        below |= equal & digit & !u;
        equal &= !(digit ^ u);
        if equal == 0 {
            break;
        }
    }
    below
}

/// Bits of u < p and of 1 − u < p: the digits of 1 − u are those of u, turned round.
#[inline]
fn draw_pair(digits: &[u64; WORD], mask: u64, rng: &mut StreamRng) -> [u64; 2] {
    let (mut equal, mut below) = ([mask; 2], [0; 2]);
    for digit in digits {
        let u = rng.next_u64();
        for (u, (equal, below)) in [u, !u].into_iter().zip(equal.iter_mut().zip(&mut below)) {
            *below |= *equal & digit & !u;
            *equal &= !(digit ^ u);
        }
        if equal == [0; 2] {
            break;
        }
    }
    below
}

/// Words of bits as rows of zeros and ones, and their part of log q.
struct Spread<'a> {
    words: &'a [u64],
    logits: &'a [f64],
    log_normalizer: f64,
    /// Length of a row of z, and where in it the bits of a word begin.
    dim: usize,
    first: usize,
    z: &'a mut [f64],
    log_q: &'a mut [f64],
}

impl Vectorised for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { words, logits, log_normalizer, dim, first, z, log_q } = self;
        let points = words.iter().zip(z.chunks_exact_mut(dim)).zip(log_q);
        let (logit_lanes, logit_rest) = logits.as_chunks::<LANES>();
        for ((&word, z), log_q) in points {
            let (lanes, rest) = z[first..first + logits.len()].as_chunks_mut::<LANES>();
            let mut sums = [0.0; LANES];
            let mut word = word;
            for (z, logit) in lanes.iter_mut().zip(logit_lanes) {
                for i in 0..LANES {
                    z[i] = one_if(word >> i & 1);
                    sums[i] += z[i] * logit[i];
                }
                word >>= LANES;
            }
            for (i, (z, logit)) in rest.iter_mut().zip(logit_rest).enumerate() {
                *z = one_if(word >> i & 1);
                sums[i] += *z * logit;
            }
            *log_q += sums.iter().sum::<f64>() - log_normalizer;
        }
    }
}

/// A bit as a number, without a conversion.
#[inline(always)]
fn one_if(bit: u64) -> f64 {
    f64::from_bits(bit.wrapping_neg() & 1_f64.to_bits())
}

/// out += Σ_s weights_s z_s
struct WeightedSum<'a> {
    weights: &'a [f64],
    z: &'a [f64],
    out: &'a mut [f64],
}

impl Vectorised for WeightedSum<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (weight, z) in self.weights.iter().zip(self.z.chunks_exact(self.out.len())) {
            for (out, z) in self.out.iter_mut().zip(z) {
                *out += weight * z;
            }
        }
    }
}
