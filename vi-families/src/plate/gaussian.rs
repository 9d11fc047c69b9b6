//! Independent normal coordinates for every datum.

use ndarray::{Array1, ArrayRef1, ArrayRef2};
use vi_core::numerics::{Vectorised, vectorised};
use vi_core::{ParameterSpace, StreamKey};

use super::PlateFamily;
use super::layout::{refused, rows, rows_mut, values, values_mut};
use crate::distributions::LOG_TWO_PI;
use crate::draw::fill_from_normal;
use crate::error::FamilyError;
use crate::validate::FINITE;
use crate::variational::real_names;

const FAMILY: &str = "GaussianPlate";
/// Beyond it the square of a scale leaves the range of `f64`.
const LARGEST_LOG_SCALE: f64 = 300.0;

/// Independent normal coordinates for every datum.
///
/// ```text
/// q(z_n) = Π_l N(z_nl; m_nl, s_nl²)        λ_n = (location m (L), log_scale log s (L))
/// ∂ log q/∂m = (z − m)/s²,   ∂ log q/∂ log s = ((z − m)/s)² − 1
/// ```
#[derive(Clone, Debug)]
pub struct GaussianPlate {
    names: Vec<String>,
}

impl GaussianPlate {
    /// Normal coordinates for the local variables of a plate, which have to be real.
    ///
    /// # Errors
    /// [`FamilyError::Parameter`] names the variable that is not.
    pub fn for_space(space: &ParameterSpace) -> Result<Self, FamilyError> {
        Ok(Self { names: real_names(space, FAMILY)? })
    }

    fn check(&self, row: usize, params: &[f64]) -> Result<(), FamilyError> {
        let dim = self.names.len();
        for (p, &value) in params.iter().enumerate() {
            let (name, requirement, holds) = match p.checked_sub(dim) {
                None => ("location", FINITE, value.is_finite()),
                Some(_) => ("log_scale", "finite and within ±300", value.abs() <= LARGEST_LOG_SCALE),
            };
            if !holds {
                let name = format!("{name}({})", self.names[p % dim]);
                return Err(refused(FAMILY, &name, row, value, requirement));
            }
        }
        Ok(())
    }

    /// log q less −½ Σ y².
    fn log_constant(log_scales: &[f64]) -> f64 {
        -log_scales.iter().sum::<f64>() - 0.5 * log_scales.len() as f64 * LOG_TWO_PI
    }
}

impl PlateFamily for GaussianPlate {
    fn dim(&self) -> usize {
        self.names.len()
    }
    fn n_params(&self) -> usize {
        2 * self.names.len()
    }
    fn param_names(&self) -> Vec<String> {
        let of = |what: &str| self.names.iter().map(|n| format!("{what}({n})")).collect::<Vec<_>>();
        [of("location"), of("log_scale")].concat()
    }
    /// The standard Gaussian.
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
        let (n, dim) = (data.len(), self.names.len());
        let params = rows(params, "params", n, 2 * dim);
        let z = rows_mut(z, "z", n * n_samples, dim);
        let log_q = values_mut(log_q, "log_q", n * n_samples);
        for (i, params) in params.chunks_exact(2 * dim).enumerate() {
            self.check(i, params)?;
            let (location, log_scale) = params.split_at(dim);
            let points = i * n_samples..(i + 1) * n_samples;
            let z = &mut z[points.start * dim..points.end * dim];
            fill_from_normal(&mut key.rng(data[i] as u64), z, |noise| noise);
            let constant = Self::log_constant(log_scale);
            for (z, log_q) in z.chunks_exact_mut(dim).zip(&mut log_q[points]) {
                let squares: f64 = z.iter().map(|noise| noise * noise).sum();
                *log_q = constant - 0.5 * squares;
            }
            for l in 0..dim {
                let (m, s) = (location[l], log_scale[l].exp());
                z.iter_mut().skip(l).step_by(dim).for_each(|z| *z = m + s * *z);
            }
        }
        Ok(())
    }

    fn log_prob_points(
        &self,
        params: &ArrayRef2<f64>,
        n_samples: usize,
        z: &ArrayRef2<f64>,
        out: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError> {
        let (n, dim) = (params.nrows(), self.names.len());
        let params = rows(params, "params", n, 2 * dim);
        let z = rows(z, "z", n * n_samples, dim);
        let out = values_mut(out, "out", n * n_samples);
        for (i, params) in params.chunks_exact(2 * dim).enumerate() {
            self.check(i, params)?;
            let (location, log_scale) = params.split_at(dim);
            let points = i * n_samples..(i + 1) * n_samples;
            let z = &z[points.start * dim..points.end * dim];
            let out = &mut out[points];
            out.fill(Self::log_constant(log_scale));
            for l in 0..dim {
                let (m, r) = (location[l], (-log_scale[l]).exp());
                for (z, out) in z.iter().skip(l).step_by(dim).zip(&mut *out) {
                    let y = (z - m) * r;
                    *out -= 0.5 * y * y;
                }
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
        let params = rows(params, "params", n, 2 * dim);
        let z = rows(z, "z", n * n_samples, dim);
        let weights = values(weights, "weights", n * n_samples);
        let out = rows_mut(out, "out", n, 2 * dim);
        for (i, (params, out)) in params.chunks_exact(2 * dim).zip(out.chunks_exact_mut(2 * dim)).enumerate()
        {
            let points = i * n_samples..(i + 1) * n_samples;
            let (weights, z) = (&weights[points.clone()], &z[points.start * dim..points.end * dim]);
            let total: f64 = weights.iter().sum();
            // Σ w (z − m) and Σ w (z − m)² first, the scales afterwards: no exponential per point.
            let (location, log_scale) = params.split_at(dim);
            for start in (0..dim).step_by(PART) {
                let part = start..(start + PART).min(dim);
                let (mut first, mut second) = ([0.0; PART], [0.0; PART]);
                vectorised(Deviations {
                    weights,
                    z,
                    dim,
                    start,
                    location: &location[part.clone()],
                    first: &mut first,
                    second: &mut second,
                });
                for (l, (first, second)) in part.zip(first.into_iter().zip(second)) {
                    let r = (-log_scale[l]).exp();
                    out[l] += first * r * r;
                    out[dim + l] += second * r * r - total;
                }
            }
        }
        Ok(())
    }
}

/// Coordinates whose sums stand on the stack.
const PART: usize = 64;

/// Σ_s w_s (z_s − m) and Σ_s w_s (z_s − m)² of some coordinates.
struct Deviations<'a> {
    weights: &'a [f64],
    z: &'a [f64],
    dim: usize,
    start: usize,
    location: &'a [f64],
    first: &'a mut [f64; PART],
    second: &'a mut [f64; PART],
}

impl Vectorised for Deviations<'_> {
    type Output = ();

    #[allow(clippy::needless_range_loop, reason = "four slices side by side")]
    #[inline(always)]
    fn run(self) {
        let n = self.location.len();
        for (weight, z) in self.weights.iter().zip(self.z.chunks_exact(self.dim)) {
            let z = &z[self.start..self.start + n];
            for l in 0..n {
                let deviation = z[l] - self.location[l];
                self.first[l] += weight * deviation;
                self.second[l] += weight * deviation * deviation;
            }
        }
    }
}
