//! Gamma variates of many members, each with a shape and a rate of its own: the method of [`super::gamma`] on blocks.
//!
//! Normals and levels come from the stream in blocks, the squeeze is tested on a whole block at once, and the few draws
//! that it leaves open are decided together, and drawn again one by one. A level begins with 32 bits, half a word of the stream:
//! the squeeze accepts where it does for the smallest level with these bits; elsewhere the level gets its other bits.

use rand::Rng;
use vi_core::StreamRng;
use vi_core::numerics::{Lane, SliceFunction, Vectorised, map_slices, vectorised};

use super::gamma::UnitGamma;
use super::ziggurat::unit;
use super::{fill_from_exponential, fill_from_normal, inside};

/// Draws at a time: the bits of a mask.
const BLOCK: usize = u64::BITS as usize;

/// What draws need of members, one value per draw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GammaProposals<'a> {
    /// Shape − 1/3, of the shape raised by 1 where it is below 1.
    pub(crate) d: &'a [f64],
    /// 1/(3√d).
    pub(crate) c: &'a [f64],
    /// 1/shape where the shape was raised, 0 elsewhere.
    pub(crate) boost: &'a [f64],
    pub(crate) log_rate: &'a [f64],
}

/// shape ↦ d, c and boost of [`GammaProposals`]
pub(crate) struct Proposal;

impl SliceFunction<1, 3> for Proposal {
    #[inline(always)]
    fn apply<L: Lane>(&self, [shape]: [f64; 1]) -> [f64; 3] {
        let raised = shape < 1.0;
        let d = (if raised { shape + 1.0 } else { shape }) - 1.0 / 3.0;
        [d, 1.0 / (3.0 * d.sqrt()), if raised { 1.0 / shape } else { 0.0 }]
    }
}

/// out ← a draw of every member, kept away from 0 and ∞; `scratch` is twice as long.
///
/// With a raised shape a + 1 for a < 1, the draw is Gamma(a + 1) · U^{1/a}, on one exponent with the rate, so that
/// nothing underflows before the draw itself does.
pub(crate) fn fill_gamma(
    members: GammaProposals<'_>,
    rng: &mut StreamRng,
    scratch: &mut [f64],
    out: &mut [f64],
) {
    let (units, shifts) = scratch.split_at_mut(out.len());
    if members.d.iter().all(|d| *d == 1.0 - 1.0 / 3.0) {
        fill_from_exponential(rng, units, |unit| unit);
    } else {
        fill_units(members.d, members.c, rng, units);
    }
    if members.boost.iter().any(|boost| *boost > 0.0) {
        fill_from_exponential(rng, shifts, |unit| unit);
    } else {
        shifts.fill(0.0);
    }
    map_slices(&Scale, [units, shifts, members.boost, members.log_rate], [out]);
}

/// (unit, e, boost, log rate) ↦ unit · e^(−e·boost) / rate
struct Scale;

impl SliceFunction<4, 1> for Scale {
    #[inline(always)]
    fn apply<L: Lane>(&self, [unit, exponential, boost, log_rate]: [f64; 4]) -> [f64; 1] {
        [inside(unit * L::exp(-L::mul_add(exponential, boost, log_rate)))]
    }
}

/// 2⁻³².
const LEVEL_BIT: f64 = 1.0 / 4_294_967_296.0;

/// The smallest level on [0, 1) that begins with these bits.
#[inline(always)]
fn smallest_level(bits: [u8; 4]) -> f64 {
    f64::from(u32::from_le_bytes(bits)) * LEVEL_BIT
}

/// out ← Gamma(d + 1/3, 1) variates.
fn fill_units(d: &[f64], c: &[f64], rng: &mut StreamRng, out: &mut [f64]) {
    let (mut normals, mut levels) = ([0.0; BLOCK], [[0; 4]; BLOCK]);
    let mut open = Open::default();
    for start in (0..out.len()).step_by(BLOCK) {
        let block = start..out.len().min(start + BLOCK);
        let (normals, levels) = (&mut normals[..block.len()], &mut levels[..block.len()]);
        fill_from_normal(rng, normals, |normal| normal);
        rng.fill_bytes(levels.as_flattened_mut());
        let (d_block, c_block) = (&d[block.clone()], &c[block.clone()]);
        let mut marks = vectorised(Propose { d: d_block, c: c_block, normals, levels, out: &mut out[block] });
        while marks != 0 {
            let i = marks.trailing_zeros() as usize;
            let level = smallest_level(levels[i]) + unit(rng.next_u64()) * LEVEL_BIT;
            open.push(start + i, normals[i] * c_block[i], level, d_block[i]);
            if open.n == OPEN {
                open.close(d, c, rng, out);
            }
            marks &= marks - 1;
        }
    }
    open.close(d, c, rng, out);
}

/// Proposals decided together.
const OPEN: usize = 32;

/// Proposals that the squeeze left open.
#[derive(Default)]
struct Open {
    n: usize,
    at: [usize; OPEN],
    s: [f64; OPEN],
    level: [f64; OPEN],
    d: [f64; OPEN],
}

impl Open {
    fn push(&mut self, at: usize, s: f64, level: f64, d: f64) {
        (self.at[self.n], self.s[self.n], self.level[self.n], self.d[self.n]) = (at, s, level, d);
        self.n += 1;
    }

    /// Decides, and draws again where a proposal is rejected.
    fn close(&mut self, d: &[f64], c: &[f64], rng: &mut StreamRng, out: &mut [f64]) {
        let (n, mut margins) = (self.n, [0.0; OPEN]);
        map_slices(&Margin, [&self.s[..n], &self.level[..n], &self.d[..n]], [&mut margins[..n]]);
        for (at, margin) in self.at.iter().zip(&margins[..n]) {
            // s ≤ −1 gives NaN, and is rejected.
            let accepted = *margin >= 0.0;
            if !accepted {
                out[*at] = UnitGamma::from_constants(d[*at], c[*at]).draw(rng);
            }
        }
        self.n = 0;
    }
}

/// (s, level, d) ↦ d (log of the acceptance over d) − log(1 − level), the test without the squeeze
struct Margin;

impl SliceFunction<3, 1> for Margin {
    #[inline(always)]
    fn apply<L: Lane>(&self, [s, level, d]: [f64; 3]) -> [f64; 1] {
        let log_acceptance = L::mul_add(3.0, L::log1p(s), -s * (3.0 - s * (1.5 - s)));
        [L::mul_add(d, log_acceptance, -L::log1p(-level))]
    }
}

/// out ← d (1 + s)³ with s = c · normal; its output marks what the squeeze leaves open.
struct Propose<'a> {
    d: &'a [f64],
    c: &'a [f64],
    normals: &'a [f64],
    levels: &'a [[u8; 4]],
    out: &'a mut [f64],
}

impl Vectorised for Propose<'_> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let Self { d, c, normals, levels, out } = self;
        if let (Some(d), Some(c), Some(normals), Some(levels)) = (
            d.as_array::<BLOCK>(),
            c.as_array::<BLOCK>(),
            normals.as_array::<BLOCK>(),
            levels.as_array::<BLOCK>(),
        ) && let Some(out) = out.as_mut_array::<BLOCK>()
        {
            // With a constant length the loop unrolls.
            return propose(d, c, normals, levels, out);
        }
        propose(d, c, normals, levels, out)
    }
}

#[inline(always)]
fn propose(d: &[f64], c: &[f64], normals: &[f64], levels: &[[u8; 4]], out: &mut [f64]) -> u64 {
    let mut marks = 0;
    for i in 0..out.len() {
        let s = normals[i] * c[i];
        let (value, sure) = UnitGamma::from_constants(d[i], c[i]).propose(s, smallest_level(levels[i]));
        out[i] = value;
        marks |= u64::from(!sure) << i;
    }
    marks
}
