//! Randomised quasi-Monte Carlo.

use std::ops::Range;

use ndarray::ArrayRef2;
use rand::RngExt;
use vi_core::StreamKey;
use vi_families::UniformTransport;

use super::uniforms::{open_uniform, with_uniforms};
use super::{SamplePlan, Sampler};
use crate::error::SgviError;

/// The longest sequence for which there are direction numbers.
const MAX_POINTS: usize = 1 << 16;
/// The resolution of a scrambled point: 24 bits.
const CELLS: f64 = 16_777_216.0;
/// The stream of the randomisations, beside those of the points.
const RANDOMIZATIONS: u64 = 0x5343_5241_4d42_4c45;

/// Scrambled Sobol points, in several independent randomisations.
///
/// ```text
/// z_s = t_λ(u_s),   u_s = (⌊2²⁴ x_s⌋ ⊕ b_r + v_s) / 2²⁴
/// ```
/// x is a Sobol sequence with nested (Owen) scrambling by hashes; b_r is a random shift of every coordinate's digits, the
/// same for all points of randomisation r, and v_s a uniform place within the cell. The shift makes every point uniform
/// on the open cube exactly, so that nothing is biased; scrambling and shift leave the even filling as it is. For smooth
/// functions of few effective dimensions the variance falls faster than 1/S: up to nearly S⁻³ for the scrambled net.
///
/// The randomisations are independent: they are the groups of the baseline, and of the Monte Carlo error, which needs two
/// of them to be finite. Requirements: members are [`UniformTransport`]s with at most [`QuasiMonteCarlo::MAX_UNIFORMS`]
/// uniforms; S over the number of randomisations is a power of two up to 2¹⁶. Cost: S log joints, as without; S n
/// scrambled digits.
///
/// Source: Owen 1997, Ann. Stat. 25:1541; Buchholz, Wenzel & Mandt 2018, §3, <https://arxiv.org/abs/1807.01604>;
/// scrambling: Burley 2020, J. Comput. Graph. Tech. 9(4); direction numbers: Joe & Kuo 2008.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuasiMonteCarlo {
    /// The number of independent randomisations; it divides the number of samples.
    pub n_randomizations: usize,
}

impl QuasiMonteCarlo {
    /// The largest number of uniforms for which there are direction numbers.
    pub const MAX_UNIFORMS: usize = sobol_burley::NUM_DIMENSIONS as usize;
}

/// The plan of [`QuasiMonteCarlo`].
#[derive(Debug)]
pub struct QuasiMonteCarloPlan<'q, Q> {
    q: &'q Q,
    key: StreamKey,
    group: usize,
}

impl<Q: UniformTransport> Sampler<Q> for QuasiMonteCarlo {
    type Plan<'q>
        = QuasiMonteCarloPlan<'q, Q>
    where
        Q: 'q;

    fn name(&self) -> String {
        format!("randomised quasi-Monte Carlo × {}", self.n_randomizations)
    }
    fn group_size(&self, n_samples: usize) -> Result<usize, SgviError> {
        let n = self.n_randomizations;
        if n == 0 {
            let requirement = "at least 1";
            return Err(SgviError::Setting { name: "n_randomizations", value: 0.0, requirement });
        }
        let group = n_samples / n;
        if !n_samples.is_multiple_of(n) || !group.is_power_of_two() || group > MAX_POINTS {
            let requirement = "n_samples over n_randomizations a power of two up to 65536";
            return Err(SgviError::Groups { n_samples, group, requirement });
        }
        Ok(group)
    }
    fn plan<'q>(
        &'q self,
        q: &'q Q,
        key: StreamKey,
        n_samples: usize,
    ) -> Result<QuasiMonteCarloPlan<'q, Q>, SgviError> {
        let (n_uniforms, maximum) = (q.n_uniforms(), Self::MAX_UNIFORMS);
        if n_uniforms > maximum {
            return Err(SgviError::SobolDimensions { n_uniforms, maximum });
        }
        Ok(QuasiMonteCarloPlan { q, key, group: n_samples / self.n_randomizations })
    }
}

impl<Q: UniformTransport> SamplePlan for QuasiMonteCarloPlan<'_, Q> {
    fn draw_batch(&self, samples: Range<usize>, z: &mut ArrayRef2<f64>) {
        let randomizations = self.key.fold_in(RANDOMIZATIONS);
        with_uniforms(self.q.n_uniforms(), |u| {
            for (s, mut row) in samples.zip(z.rows_mut()) {
                let mut of_group = randomizations.rng((s / self.group) as u64);
                let seed: u32 = of_group.random();
                let (index, mut own) = ((s % self.group) as u32, self.key.rng(s as u64));
                let mut four = [0.0; 4];
                for (dimension, u) in u.iter_mut().enumerate() {
                    // Four dimensions cost hardly more than one, and are the same numbers.
                    if dimension % 4 == 0 {
                        four = sobol_burley::sample_4d(index, dimension as u32 / 4, seed);
                    }
                    let cell = (f64::from(four[dimension % 4]) * CELLS) as u32;
                    let shift = of_group.random::<u32>() >> 8;
                    *u = (f64::from(cell ^ shift) + place(open_uniform(&mut own))) / CELLS;
                }
                self.q.transport_uniforms(u, &mut row);
            }
        });
    }
}

/// A uniform on the middles of 2²⁸ cells, which a number of 24 more bits in front leaves exact and inside (0, 1).
fn place(uniform: f64) -> f64 {
    ((uniform * 2f64.powi(28)).floor() + 0.5) * 2f64.powi(-28)
}
