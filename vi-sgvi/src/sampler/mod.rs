//! How the points of a score-function estimate are drawn.

use std::ops::Range;

use ndarray::{ArrayRef1, ArrayRef2, Axis};
use vi_core::StreamKey;
use vi_families::VariationalDistribution;

use crate::error::SgviError;

mod antithetic;
mod independent;
mod overdispersed;
mod quasi_monte_carlo;
mod uniforms;

pub use antithetic::{Antithetic, AntitheticPlan};
pub use independent::{Independent, IndependentPlan};
pub use overdispersed::{Overdispersed, OverdispersedPlan};
pub use quasi_monte_carlo::{QuasiMonteCarlo, QuasiMonteCarloPlan};

/// How S points are drawn, from q itself or from a proposal.
///
/// Points come in groups of equal size: points of one group may depend on each other, groups are independent of each
/// other. Baselines subtract from a point only what comes from other groups.
pub trait Sampler<Q: VariationalDistribution>: Send + Sync {
    /// The sampler prepared for one member and one key.
    type Plan<'q>: SamplePlan
    where
        Self: 'q,
        Q: 'q;

    /// In words, for tables; empty for independent draws.
    fn name(&self) -> String;

    /// The size of the groups among `n_samples` points.
    ///
    /// # Errors
    /// [`SgviError`] when so many points do not fit into groups.
    fn group_size(&self, n_samples: usize) -> Result<usize, SgviError>;

    /// Prepares `n_samples` draws from `q` (or for it) under `key`.
    ///
    /// # Errors
    /// [`SgviError`] when the sampler cannot serve this member.
    fn plan<'q>(&'q self, q: &'q Q, key: StreamKey, n_samples: usize) -> Result<Self::Plan<'q>, SgviError>;
}

/// The draws of one gradient: number s is always the same point, in whatever batch it is asked for.
pub trait SamplePlan: Sync {
    /// Whether points come from a proposal r and carry the importance weight q/r.
    const WEIGHTED: bool = false;

    /// Overwrites the rows of `z` (n, D) with points number `samples` (n of them).
    fn draw_batch(&self, samples: Range<usize>, z: &mut ArrayRef2<f64>);

    /// Overwrites `out` (n) with log q(z_i) − log r(z_i), given the points `z` (n, D) and their `log_q` (n).
    fn log_weights_batch(&self, z: &ArrayRef2<f64>, log_q: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        let _ = (z, log_q);
        out.fill(0.0);
    }

    /// Overwrites `z` (D) with point number `s`.
    fn draw(&self, s: usize, z: &mut ArrayRef1<f64>) {
        self.draw_batch(s..s + 1, &mut z.view_mut().insert_axis(Axis(0)));
    }
}
