//! Counts whose log rate is the process.

use ndarray::{Array1, ArrayRef1, ArrayRef2, Axis, s};
use vi_core::{GradLogJoint, LogJoint, Parameter, ParameterSpace, Support, numerics};
use vi_families::special::log_gamma;

use super::kernel::{SquaredExponential, add_to_diagonal, factor, factor_adjoint, row};
use super::{GaussianProcessPriors, MODEL, check_data, contiguous};
use crate::ModelError;
use crate::checks::LOG_2_PI;
use crate::lanes::{LANES, coordinate, with_arrays};

/// What is added to the diagonal of K, so that it has a Cholesky factor.
const JITTER: f64 = 1e-10;

/// Poisson regression on a Gaussian process, in whitened form: `rho`, `alpha`, `f_tilde[N]`.
///
/// ```text
/// k_i ~ Poisson(exp f_i),    f = L f̃,    L Lᵀ = K + 10⁻¹⁰ I,    f̃_i ~ N(0, 1)
/// ```
/// It is posteriordb's `gp_pois_regr`, whose program's log joint is lower by log 2 (the half-normal prior of α). The
/// prior of the noise is not used. Where K has no Cholesky factor to working precision, the log joint is −∞.
#[derive(Clone, Debug)]
pub struct GaussianProcessPoisson {
    kernel: SquaredExponential,
    counts: Array1<f64>,
    priors: GaussianProcessPriors,
    log_constant: f64,
    space: ParameterSpace,
}

impl GaussianProcessPoisson {
    /// The regression of `counts` on `x` under `priors`.
    ///
    /// # Errors
    /// [`ModelError`] when there are no data, the lengths differ, an input is not finite, a count is not a
    /// natural number, or a prior parameter is outside its domain.
    pub fn new(
        x: Array1<f64>,
        counts: Array1<f64>,
        priors: GaussianProcessPriors,
    ) -> Result<Self, ModelError> {
        check_data(&x, "counts", &counts)?;
        priors.check()?;
        if let Some((row, &value)) = counts.iter().enumerate().find(|(_, k)| **k < 0.0 || k.fract() != 0.0) {
            let requirement = "a natural number";
            return Err(ModelError::Datum {
                model: MODEL,
                data: "counts",
                row,
                column: 0,
                value,
                requirement,
            });
        }
        let n = counts.len();
        let space = ParameterSpace::new([
            Parameter::scalar("rho", Support::Positive),
            Parameter::scalar("alpha", Support::Positive),
            Parameter::vector("f_tilde", n, Support::Real),
        ])?;
        let log_factorials: f64 = counts.iter().map(|k| log_gamma(k + 1.0)).sum();
        let log_constant = priors.length_scale.log_constant() + priors.magnitude.log_constant()
            - log_factorials
            - 0.5 * LOG_2_PI * n as f64;
        Ok(Self {
            kernel: SquaredExponential::new(&x),
            counts: contiguous(counts),
            priors,
            log_constant,
            space,
        })
    }

    /// The number N of data.
    pub fn n_points(&self) -> usize {
        self.counts.len()
    }

    /// The priors.
    pub fn priors(&self) -> &GaussianProcessPriors {
        &self.priors
    }

    /// The lengths of what [`GaussianProcessPoisson::evaluate`] fills: K, its factor, the rates.
    fn lengths(&self) -> [usize; 3] {
        [self.kernel.packed_len(), self.kernel.packed_len(), self.kernel.order()]
    }

    /// The log joints of `L` samples; `f_tilde` gives coordinate i of every lane. Fills K, L and exp f.
    fn evaluate<const L: usize>(
        &self,
        rho: [f64; L],
        alpha: [f64; L],
        f_tilde: impl Fn(usize) -> [f64; L],
        [covariance, a, rates]: &mut [&mut [[f64; L]]; 3],
    ) -> [f64; L] {
        let n = self.kernel.order();
        self.kernel.fill(rho, alpha, covariance);
        a.copy_from_slice(covariance);
        add_to_diagonal(n, [JITTER; L], a);
        let definite = factor(n, n, a);
        let mut sum = [0.0; L];
        for i in 0..n {
            let mut f = [0.0; L];
            for (k, column) in a[row(i)..=row(i) + i].iter().enumerate() {
                let noise = f_tilde(k);
                for l in 0..L {
                    f[l] += column[l] * noise[l];
                }
            }
            let noise = f_tilde(i);
            for l in 0..L {
                sum[l] += self.counts[i] * f[l] - 0.5 * noise[l] * noise[l];
            }
            rates[i] = f;
        }
        numerics::exp_inplace(rates.as_flattened_mut());
        for rate in rates.iter() {
            for l in 0..L {
                sum[l] -= rate[l];
            }
        }
        std::array::from_fn(|l| {
            if rho[l] <= 0.0 || alpha[l] <= 0.0 || !definite[l] {
                return f64::NEG_INFINITY;
            }
            self.log_constant + self.priors.log_kernel(rho[l], alpha[l]) + sum[l]
        })
    }
}

impl LogJoint for GaussianProcessPoisson {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        with_arrays(self.lengths(), |mut arrays| {
            self.evaluate([z[0]], [z[1]], |i| [z[2 + i]], &mut arrays)[0]
        })
    }

    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        with_arrays(self.lengths(), |mut arrays| {
            for (i, mut out) in out.axis_chunks_iter_mut(Axis(0), LANES).enumerate() {
                let at = |d| coordinate::<LANES>(z, i * LANES, d);
                let values = self.evaluate(at(0), at(1), |i| at(2 + i), &mut arrays);
                out.iter_mut().zip(values).for_each(|(o, v)| *o = v);
            }
        });
    }
}

impl GradLogJoint for GaussianProcessPoisson {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let n = self.kernel.order();
        let (rho, alpha, f_tilde) = (z[0], z[1], z.slice(s![2..]));
        let packed = self.kernel.packed_len();
        with_arrays([packed, packed, n, packed], |[k, a, rates, adjoint]| {
            let mut arrays = [&mut *k, &mut *a, &mut *rates];
            let [value] = self.evaluate([rho], [alpha], |i| [f_tilde[i]], &mut arrays);
            for (g, v) in grad.iter_mut().skip(2).zip(f_tilde) {
                *g = -v;
            }
            for i in 0..n {
                let slope = self.counts[i] - rates[i][0];
                for k in 0..=i {
                    adjoint[row(i) + k] = [slope * f_tilde[k]];
                    grad[2 + k] += slope * a[row(i) + k][0];
                }
            }
            factor_adjoint(n, n, a, adjoint);
            let (d_rho, d_alpha) = self.kernel.derivatives(rho, alpha, k, adjoint);
            grad[0] = d_rho + self.priors.length_scale.derivative(rho);
            grad[1] = d_alpha + self.priors.magnitude.derivative(alpha);
            value
        })
    }
}
