//! Where the particles go, and how far they are from the posterior.

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use serde::{Deserialize, Serialize};
use vi_core::{CommError, Exec, GradLogJoint};

use crate::error::{SgviError, require};
use crate::scores::Scores;

/// Particles whose directions are computed by one task. Bits do not depend on it.
const CHUNK: usize = 8;

/// The bandwidth h of the kernel k(z, z′) = exp(−‖z − z′‖²/h).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Bandwidth {
    /// The square of the median distance of two of the n particles, divided by log n, anew in every iteration: Σ_j k(z_i, z_j)
    /// is then about n exp(−log n) = 1, so that a particle's own score and those of the others weigh alike. One when all
    /// particles are in one place.
    ///
    /// Source: Liu & Wang 2016, section 5.
    #[default]
    Median,
    /// A fixed h > 0.
    Fixed(f64),
}

impl Bandwidth {
    pub(super) fn validate(self) -> Result<(), SgviError> {
        match self {
            Self::Median => Ok(()),
            Self::Fixed(h) => require(h > 0.0, "bandwidth.fixed", h, "finite and > 0"),
        }
    }

    /// h for these particles (n, D).
    pub fn of(self, particles: &ArrayRef2<f64>) -> f64 {
        let Self::Median = self else {
            let Self::Fixed(h) = self else { unreachable!("there are two kinds of bandwidth") };
            return h;
        };
        let n = particles.nrows();
        let mut squares: Vec<f64> = Vec::with_capacity(n * n.saturating_sub(1) / 2);
        for i in 0..n {
            squares.extend((0..i).map(|j| square_distance(&particles.row(i), &particles.row(j))));
        }
        if squares.is_empty() {
            return 1.0;
        }
        let middle = squares.len() / 2;
        let (_, median, _) = squares.select_nth_unstable_by(middle, f64::total_cmp);
        let h = *median / (n as f64).ln();
        if h > 0.0 { h } else { 1.0 }
    }
}

fn square_distance(a: &ArrayRef1<f64>, b: &ArrayRef1<f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// What is common to all directions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Common {
    /// The square of the discrepancy.
    pub(super) square: f64,
    /// The mean (1/n²) Σ_ij k_ij of the kernel: a direction is a mean over all particles, of which only those nearby count.
    pub(super) mass: f64,
}

/// The direction of every particle (n, D), row by row, into `directions`.
///
/// ```text
/// φ(z_i) = (1/n) Σ_j [k(z_j, z_i) s_j + ∇_{z_j} k(z_j, z_i)],   s = ∇ log p
/// KSD² = (1/n²) Σ_ij k_ij [s_iᵀs_j + (2/h) (s_i − s_j)ᵀ(z_i − z_j) + 2D/h − 4‖z_i − z_j‖²/h²]
/// ```
/// Cost O(n²D), shared among threads and ranks; sums run over j in order.
pub(super) fn directions(
    particles: &ArrayRef2<f64>,
    scores: &ArrayRef2<f64>,
    h: f64,
    exec: Exec<'_>,
    directions: &mut Vec<f64>,
) -> Result<Common, CommError> {
    let (n, d) = particles.dim();
    // A particle's row: its direction, then its parts of discrepancy and mass.
    let mut rows = vec![0.0; n * (d + 2)];
    let (nothing, partials) = (&mut Array1::default(0), &mut Vec::new());
    exec.map_and_sum_in(n, CHUNK, &mut rows, nothing, partials, |items, rows, _| {
        for (i, row) in items.zip(rows.chunks_exact_mut(d + 2)) {
            let (direction, part) = row.split_at_mut(d);
            direction.fill(0.0);
            part.copy_from_slice(&one_particle(i, particles, scores, h, direction));
        }
    })?;
    directions.clear();
    directions.extend(rows.chunks_exact(d + 2).flat_map(|row| &row[..d]));
    let mean = |part: usize| rows.chunks_exact(d + 2).map(|row| row[part]).sum::<f64>() / (n * n) as f64;
    Ok(Common { square: mean(d), mass: mean(d + 1) })
}

/// Adds φ(z_i) to `direction`, returns Σ_j of the terms of KSD², and Σ_j k_ij.
fn one_particle(
    i: usize,
    particles: &ArrayRef2<f64>,
    scores: &ArrayRef2<f64>,
    h: f64,
    direction: &mut [f64],
) -> [f64; 2] {
    let (n, d) = particles.dim();
    let (z, s) = (particles.row(i), scores.row(i));
    let (mut total, mut mass) = (0.0, 0.0);
    for (z_j, s_j) in particles.rows().into_iter().zip(scores.rows()) {
        let square = square_distance(&z, &z_j);
        let k = (-square / h).exp();
        mass += k;
        let (mut of_scores, mut mixed) = (0.0, 0.0);
        for c in 0..d {
            let apart = z[c] - z_j[c];
            direction[c] += k * (s_j[c] + 2.0 / h * apart) / n as f64;
            of_scores += s[c] * s_j[c];
            mixed += (s[c] - s_j[c]) * apart;
        }
        total += k * (of_scores + 2.0 / h * mixed + 2.0 * d as f64 / h - 4.0 * square / (h * h));
    }
    [total, mass]
}

/// The kernelised Stein discrepancy of a set of points (n, D) on ℝᴰ to the posterior of a model: zero in the limit of
/// many points for the posterior alone, and computed without its normalising constant.
///
/// It is the square root of the V-statistic, which is never negative; for n draws from the posterior it is of order n^(−1/2)
/// and not zero. Cost: n gradients and O(n²D).
///
/// # Errors
/// [`SgviError`] when a log joint or a score is not finite, or the bandwidth not positive.
///
/// Source: Liu, Lee & Jordan 2016, <https://arxiv.org/abs/1602.03253>.
pub fn kernelised_stein_discrepancy<M: GradLogJoint + ?Sized>(
    model: &M,
    points: &ArrayRef2<f64>,
    bandwidth: Bandwidth,
    exec: Exec<'_>,
) -> Result<f64, SgviError> {
    bandwidth.validate()?;
    let mut scores = Scores::default();
    scores.evaluate(model, points, exec)?;
    scores.check(model, points)?;
    let common = directions(points, &scores.grad, bandwidth.of(points), exec, &mut Vec::new())?;
    Ok(common.square.max(0.0).sqrt())
}
