//! Gamma factors for the positive latent variables of every datum.

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use vi_core::numerics::{self, Lane, SliceFunction, Vectorised, map_slices, vectorised};
use vi_core::{ParameterError, ParameterSpace, StreamKey, Support, scratch};

use super::PlateFamily;
use super::layout::{refused, rows, rows_mut, values, values_mut};
use crate::draw::{GammaProposals, Proposal, fill_gamma};
use crate::error::FamilyError;

const FAMILY: &str = "GammaPlate";
/// Beyond it the square of a rate or a shape leaves the range of f64.
const LARGEST_LOG: f64 = 300.0;

/// q_λ(z_n) = Π_l Gamma(z_nl; shape_nl, rate_nl), for every datum n a member of its own.
///
/// ```text
/// λ_n = (log_shape (L), log_rate (L))
/// log q(z) = Σ_l (shape_l − 1) log z_l − rate_l z_l + shape_l log_rate_l − log Γ(shape_l)
/// ∂ log q / ∂ log_shape_l = shape_l (log z_l + log_rate_l − ψ(shape_l))
/// ∂ log q / ∂ log_rate_l  = shape_l − rate_l z_l
/// ```
///
/// Points of the data stand one under the other: row i·S + s of `z` (n·S, L) is point s of datum i, whose parameters are
/// row i of `params` (n, 2L).
///
/// **Small shapes.** A draw that would underflow, or overflow, is the nearest normal number inside (0, ∞). Below a shape of
/// 0.03 that happens with a probability exp(−708 shape) that matters: at shape 0.01 to one draw in a thousand. Density and score
/// stay finite there, but log z, which should run on below −708, stops: the score in log_shape, whose mean should be zero, has
/// the mean exp(−708 shape).
#[derive(Clone, Debug)]
pub struct GammaPlate {
    names: Vec<String>,
}

impl GammaPlate {
    /// The family over the latent variables of one datum, all of them positive.
    ///
    /// # Errors
    /// [`FamilyError::Parameter`] names the variable that is not.
    pub fn for_space(space: &ParameterSpace) -> Result<Self, FamilyError> {
        match space.parameters().iter().find(|p| p.support() != Support::Positive) {
            None => Ok(Self { names: space.names().to_vec() }),
            Some(p) => Err(ParameterError::Unsupported {
                name: p.name().to_owned(),
                support: p.support(),
                method: "the plate of Gammas".to_owned(),
            }
            .into()),
        }
    }

    fn param_name(&self, p: usize) -> String {
        match p.checked_sub(self.dim()) {
            None => format!("log_shape({})", self.names[p]),
            Some(l) => format!("log_rate({})", self.names[l]),
        }
    }

    /// The parameters (n, 2L) row by row, all of them allowed.
    fn rows_of_params<'a>(&self, params: &'a ArrayRef2<f64>, n: usize) -> Result<&'a [f64], FamilyError> {
        let params = rows(params, "params", n, self.n_params());
        // The reverse comparison finds NaN too.
        let bad = |p: &f64| p.is_nan() || p.abs() > LARGEST_LOG;
        match params.iter().position(bad) {
            None => Ok(params),
            Some(at) => {
                let (row, p) = (at / self.n_params(), at % self.n_params());
                Err(refused(FAMILY, &self.param_name(p), row, params[at], "finite and within ±300"))
            }
        }
    }
}

impl PlateFamily for GammaPlate {
    fn dim(&self) -> usize {
        self.names.len()
    }
    fn n_params(&self) -> usize {
        2 * self.dim()
    }
    /// `log_shape(…)` of every variable, then `log_rate(…)`.
    fn param_names(&self) -> Vec<String> {
        (0..self.n_params()).map(|p| self.param_name(p)).collect()
    }
    /// Exponential variates with mean 1.
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
        let dim = self.dim();
        let params = self.rows_of_params(params, data.len())?;
        let z = rows_mut(z, "z", data.len() * n_samples, dim);
        let log_q = values_mut(log_q, "log_q", data.len() * n_samples);
        let width = dim * n_samples;
        if width == 0 {
            log_q.fill(0.0);
            return Ok(());
        }
        scratch::with_arrays([8 * dim, 4 * width, 2 * width], |[member, tiles, scratch]| {
            for (i, n) in data.iter().enumerate() {
                let params = &params[i * 2 * dim..][..2 * dim];
                let z = &mut z[i * width..][..width];
                let (member, proposals) = member.split_at_mut(5 * dim);
                let member = Member::new(params, member);
                let proposals = tiled_proposals(&member, proposals, tiles);
                fill_gamma(proposals, &mut key.rng(*n as u64), scratch, z);
                member.log_prob_inside(z, &mut scratch[..width], &mut log_q[i * n_samples..][..n_samples]);
            }
        });
        Ok(())
    }

    /// −∞ outside (0, ∞).
    fn log_prob_points(
        &self,
        params: &ArrayRef2<f64>,
        n_samples: usize,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError> {
        let (dim, n) = (self.dim(), params.nrows());
        let params = self.rows_of_params(params, n)?;
        let z = rows(z, "z", n * n_samples, dim);
        let out = values_mut(out, "out", n * n_samples);
        let width = dim * n_samples;
        if width == 0 {
            out.fill(0.0);
            return Ok(());
        }
        scratch::with_arrays([5 * dim, width], |[member, logs]| {
            for (i, out) in out.chunks_exact_mut(n_samples).enumerate() {
                let member = Member::new(&params[i * 2 * dim..][..2 * dim], member);
                member.log_prob_rows(&z[i * width..][..width], logs, out);
            }
        });
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
        let (dim, n) = (self.dim(), params.nrows());
        let params = rows(params, "params", n, 2 * dim);
        let z = rows(z, "z", n * n_samples, dim);
        let weights = values(weights, "weights", n * n_samples);
        let out = rows_mut(out, "out", n, 2 * dim);
        let width = dim * n_samples;
        if width == 0 {
            return Ok(());
        }
        scratch::with_arrays([3 * dim, 2 * dim, width], |[member, sums, logs]| {
            for (i, out) in out.chunks_exact_mut(2 * dim).enumerate() {
                let params = &params[i * 2 * dim..][..2 * dim];
                let (log_shape, log_rate) = params.split_at(dim);
                let [shape, rate, digamma] = thirds(member);
                map_slices(&ScoreParts, [log_shape, log_rate], [&mut *shape, &mut *rate, &mut *digamma]);
                let (z, weights) = (&z[i * width..][..width], &weights[i * n_samples..][..n_samples]);
                numerics::log(z, logs);
                sums.fill(0.0);
                let (sum_logs, sum_z) = sums.split_at_mut(dim);
                vectorised(AddRows { weights, logs, z, sum_logs: &mut *sum_logs, sum_z: &mut *sum_z });
                let total: f64 = weights.iter().sum();
                let (out_shape, out_rate) = out.split_at_mut(dim);
                for l in 0..dim {
                    out_shape[l] += shape[l] * (sum_logs[l] + total * (log_rate[l] - digamma[l]));
                    out_rate[l] += shape[l] * total - rate[l] * sum_z[l];
                }
            }
        });
        Ok(())
    }

    fn scores(
        &self,
        params: &ArrayRef2<f64>,
        n_samples: usize,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef2<f64>,
    ) -> Result<(), FamilyError> {
        let (dim, n) = (self.dim(), params.nrows());
        let params = self.rows_of_params(params, n)?;
        let z = rows(z, "z", n * n_samples, dim);
        let out = rows_mut(out, "out", n * n_samples, 2 * dim);
        if z.is_empty() {
            return Ok(());
        }
        scratch::with_arrays([3 * dim, dim], |[member, logs]| {
            let points = z.chunks_exact(dim * n_samples).zip(out.chunks_exact_mut(2 * dim * n_samples));
            for (params, (z, out)) in params.chunks_exact(2 * dim).zip(points) {
                let (log_shape, log_rate) = params.split_at(dim);
                let [shape, rate, digamma] = thirds(member);
                map_slices(&ScoreParts, [log_shape, log_rate], [&mut *shape, &mut *rate, &mut *digamma]);
                for (z, out) in z.chunks_exact(dim).zip(out.chunks_exact_mut(2 * dim)) {
                    numerics::log(z, logs);
                    for l in 0..dim {
                        out[l] = shape[l] * (logs[l] + log_rate[l] - digamma[l]);
                        out[dim + l] = shape[l] - rate[l] * z[l];
                    }
                }
            }
        });
        Ok(())
    }
}

/// Three parts of equal length.
fn thirds(values: &mut [f64]) -> [&mut [f64]; 3] {
    let n = values.len() / 3;
    let (first, rest) = values.split_at_mut(n);
    let (second, third) = rest.split_at_mut(n);
    [first, second, third]
}

/// (log shape, log rate) ↦ shape − 1, rate, shape, shape · log rate − log Γ(shape)
struct DensityParts;

impl SliceFunction<2, 4> for DensityParts {
    #[inline(always)]
    fn apply<L: Lane>(&self, [log_shape, log_rate]: [f64; 2]) -> [f64; 4] {
        let shape = L::exp(log_shape);
        let constant = L::mul_add(shape, log_rate, -L::log_gamma(shape, log_shape));
        [shape - 1.0, L::exp(log_rate), shape, constant]
    }
}

/// (log shape, log rate) ↦ shape, rate, ψ(shape)
struct ScoreParts;

impl SliceFunction<2, 3> for ScoreParts {
    #[inline(always)]
    fn apply<L: Lane>(&self, [log_shape, log_rate]: [f64; 2]) -> [f64; 3] {
        let shape = L::exp(log_shape);
        [shape, L::exp(log_rate), L::digamma(shape, log_shape)]
    }
}

/// The member of one datum.
struct Member<'a> {
    /// Shape − 1 (L).
    power: &'a [f64],
    rate: &'a [f64],
    shape: &'a [f64],
    log_rate: &'a [f64],
    constant: f64,
}

impl<'a> Member<'a> {
    /// From λ (2L), in 5L values of scratch.
    fn new(params: &'a [f64], scratch: &'a mut [f64]) -> Self {
        let dim = params.len() / 2;
        let (log_shape, log_rate) = params.split_at(dim);
        let (parts, constants) = scratch.split_at_mut(3 * dim);
        let constants = &mut constants[..dim];
        let [power, rate, shape] = thirds(parts);
        map_slices(
            &DensityParts,
            [log_shape, log_rate],
            [&mut *power, &mut *rate, &mut *shape, &mut *constants],
        );
        Self { power, rate, shape, log_rate, constant: constants.iter().sum() }
    }

    /// out (S) ← log q of the rows of `z` (S, L), all inside the support; their logarithms go into `logs`.
    fn log_prob_inside(&self, z: &[f64], logs: &mut [f64], out: &mut [f64]) {
        numerics::log(z, logs);
        vectorised(DensityRows { member: self, logs, z, out });
    }

    /// The same for any `z`.
    fn log_prob_rows(&self, z: &[f64], logs: &mut [f64], out: &mut [f64]) {
        self.log_prob_inside(z, logs, out);
        for (row, out) in z.chunks_exact(self.shape.len()).zip(out) {
            // Outside the support the sum has an infinite or undefined term, even with shape 1: 0 log 0.
            if out.is_finite() {
                continue;
            }
            if row.iter().any(|z| z.is_nan()) {
                *out = f64::NAN;
            } else if row.iter().any(|z| *z <= 0.0 || *z == f64::INFINITY) {
                *out = f64::NEG_INFINITY;
            }
        }
    }
}

/// What draws of a member need, once for every point: `tiles` (4·S·L) from `parts` (3·L).
fn tiled_proposals<'a>(member: &Member<'_>, parts: &mut [f64], tiles: &'a mut [f64]) -> GammaProposals<'a> {
    let [d, c, boost] = thirds(parts);
    map_slices(&Proposal, [member.shape], [&mut *d, &mut *c, &mut *boost]);
    let width = tiles.len() / 4;
    let mut tiles = tiles.chunks_exact_mut(width);
    let mut tile = |values: &[f64]| {
        let tile = tiles.next().expect("four tiles");
        tile.chunks_exact_mut(values.len()).for_each(|row| row.copy_from_slice(values));
        &*tile
    };
    GammaProposals { d: tile(d), c: tile(c), boost: tile(boost), log_rate: tile(member.log_rate) }
}

/// out ← Σ_l power_l log z_l − rate_l z_l + constant, row by row.
struct DensityRows<'a, 'm> {
    member: &'a Member<'m>,
    logs: &'a [f64],
    z: &'a [f64],
    out: &'a mut [f64],
}

impl Vectorised for DensityRows<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        /// Running sums: one would wait for each addition to finish.
        const LANES: usize = 4;
        let Member { power, rate, constant, .. } = self.member;
        let dim = power.len();
        let (powers, powers_rest) = power.as_chunks::<LANES>();
        let (rates, rates_rest) = rate.as_chunks::<LANES>();
        let rows = self.logs.chunks_exact(dim).zip(self.z.chunks_exact(dim));
        for ((logs, z), out) in rows.zip(self.out) {
            let (logs, logs_rest) = logs.as_chunks::<LANES>();
            let (z, z_rest) = z.as_chunks::<LANES>();
            let mut sums = [0.0; LANES];
            for (((power, rate), log), z) in powers.iter().zip(rates).zip(logs).zip(z) {
                for i in 0..LANES {
                    sums[i] += power[i] * log[i] - rate[i] * z[i];
                }
            }
            let mut total = (sums[0] + sums[2]) + (sums[1] + sums[3]) + constant;
            for (((power, rate), log), z) in powers_rest.iter().zip(rates_rest).zip(logs_rest).zip(z_rest) {
                total += power * log - rate * z;
            }
            *out = total;
        }
    }
}

/// sum_logs += Σ_s w_s log z_s and sum_z += Σ_s w_s z_s, row by row.
struct AddRows<'a> {
    weights: &'a [f64],
    logs: &'a [f64],
    z: &'a [f64],
    sum_logs: &'a mut [f64],
    sum_z: &'a mut [f64],
}

impl Vectorised for AddRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let dim = self.sum_z.len();
        let rows = self.logs.chunks_exact(dim).zip(self.z.chunks_exact(dim));
        for (w, (logs, z)) in self.weights.iter().zip(rows) {
            for l in 0..dim {
                self.sum_logs[l] += w * logs[l];
                self.sum_z[l] += w * z[l];
            }
        }
    }
}
