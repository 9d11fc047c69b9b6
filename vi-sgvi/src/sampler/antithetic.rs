//! Antithetic pairs.

use std::ops::Range;

use ndarray::ArrayRef2;
use vi_core::StreamKey;
use vi_families::UniformTransport;

use super::uniforms::{open_uniform, with_uniforms};
use super::{SamplePlan, Sampler};
use crate::error::SgviError;

/// Pairs of points from opposite corners of the unit cube.
///
/// ```text
/// z_{2k} = t_λ(u_k),   z_{2k+1} = t_λ(1 − u_k),   u_k uniform, stream k
/// ```
/// Both have the law q, so nothing is biased. In a pair what is odd about the middle of q cancels: of the gradient in a
/// location, f ∇ log q, all that comes from the even part of f, which near the optimum is nearly the whole. What is even,
/// as the gradient in the scale of an even f, both points say alike: there the variance doubles at worst.
///
/// Requirements: members are [`UniformTransport`]s, S is even; a pair is a group. Cost: S log joints, as without.
///
/// Source: Hammersley & Morton 1956; Owen 2013, Monte Carlo theory, methods and examples, §8.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Antithetic;

/// The plan of [`Antithetic`].
#[derive(Debug)]
pub struct AntitheticPlan<'q, Q> {
    q: &'q Q,
    key: StreamKey,
}

impl<Q: UniformTransport> Sampler<Q> for Antithetic {
    type Plan<'q>
        = AntitheticPlan<'q, Q>
    where
        Q: 'q;

    fn name(&self) -> String {
        "antithetic".to_owned()
    }
    fn group_size(&self, _n_samples: usize) -> Result<usize, SgviError> {
        Ok(2)
    }
    fn plan<'q>(
        &'q self,
        q: &'q Q,
        key: StreamKey,
        _n_samples: usize,
    ) -> Result<AntitheticPlan<'q, Q>, SgviError> {
        Ok(AntitheticPlan { q, key })
    }
}

impl<Q: UniformTransport> SamplePlan for AntitheticPlan<'_, Q> {
    fn draw_batch(&self, samples: Range<usize>, z: &mut ArrayRef2<f64>) {
        let first = samples.start;
        with_uniforms(self.q.n_uniforms(), |u| {
            for (s, mut row) in samples.zip(z.rows_mut()) {
                let second = s % 2 == 1;
                if !second || s == first {
                    let mut rng = self.key.rng(s as u64 / 2);
                    u.iter_mut().for_each(|u| *u = open_uniform(&mut rng));
                }
                if second {
                    u.iter_mut().for_each(|u| *u = 1.0 - *u);
                }
                self.q.transport_uniforms(u, &mut row);
            }
        });
    }
}
