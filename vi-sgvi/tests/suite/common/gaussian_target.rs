//! A Gaussian target: ELBO, its gradient and its optimum in closed form.

use ndarray::{Array1, Array2, ArrayRef1, array};
use vi_core::{GradLogJoint, LocalLogJoint, LogJoint, Parameter, ParameterSpace, Support};

/// log p(x, z) = log_evidence + log N(z | mean, precision⁻¹).
#[derive(Debug)]
pub(crate) struct GaussianTarget {
    parameters: ParameterSpace,
    pub(crate) mean: Array1<f64>,
    pub(crate) precision: Array2<f64>,
    pub(crate) log_evidence: f64,
    log_det_precision: f64,
}

impl GaussianTarget {
    /// Three correlated coordinates of different scales, whose evidence is not zero.
    pub(crate) fn correlated() -> Self {
        let precision = array![[4.0, 1.2, -0.6], [1.2, 1.0, 0.1], [-0.6, 0.1, 0.5]];
        // Cofactor expansion along the first row.
        let p = &precision;
        let det = p[[0, 0]] * (p[[1, 1]] * p[[2, 2]] - p[[1, 2]] * p[[2, 1]])
            - p[[0, 1]] * (p[[1, 0]] * p[[2, 2]] - p[[1, 2]] * p[[2, 0]])
            + p[[0, 2]] * (p[[1, 0]] * p[[2, 1]] - p[[1, 1]] * p[[2, 0]]);
        Self {
            parameters: ParameterSpace::new([Parameter::vector("z", 3, Support::Real)]).unwrap(),
            mean: array![0.5, -1.0, 2.0],
            precision,
            log_evidence: -7.25,
            log_det_precision: det.ln(),
        }
    }

    fn deviation(&self, z: &ArrayRef1<f64>) -> Array1<f64> {
        Array1::from_iter(z.iter().zip(&self.mean).map(|(z, m)| z - m))
    }

    /// ∇_λ ELBO of N(location, L Lᵀ): with respect to the location, and to L entry by entry without the
    /// entropy.
    fn gradients(&self, location: &ArrayRef1<f64>, factor: &Array2<f64>) -> (Array1<f64>, Array2<f64>) {
        (-self.precision.dot(&self.deviation(location)), -self.precision.dot(factor))
    }

    /// The exact gradient over λ = (location (D), log_scale (D)).
    pub(crate) fn mean_field_gradient(&self, params: &ArrayRef1<f64>) -> Array1<f64> {
        let d = self.dim();
        let scale = Array1::from_iter((0..d).map(|i| params[d + i].exp()));
        let location = params.slice(ndarray::s![..d]).to_owned();
        let (by_location, by_factor) = self.gradients(&location, &Array2::from_diag(&scale));
        let by_log_scale = (0..d).map(|i| by_factor[[i, i]] * scale[i] + 1.0);
        by_location.iter().copied().chain(by_log_scale).collect()
    }

    /// The exact gradient over λ = (location (D), L row by row with the log of its diagonal).
    pub(crate) fn full_rank_gradient(&self, params: &ArrayRef1<f64>) -> Array1<f64> {
        let d = self.dim();
        let location = params.slice(ndarray::s![..d]).to_owned();
        let mut factor = Array2::zeros((d, d));
        let lower = || (0..d).flat_map(|i| (0..=i).map(move |j| (i, j)));
        for ((i, j), value) in lower().zip(params.iter().skip(d)) {
            factor[[i, j]] = if i == j { value.exp() } else { *value };
        }
        let (by_location, by_factor) = self.gradients(&location, &factor);
        let by_packed = lower()
            .map(|(i, j)| if i == j { by_factor[[i, i]] * factor[[i, i]] + 1.0 } else { by_factor[[i, j]] });
        by_location.iter().copied().chain(by_packed).collect()
    }

    /// λ of the best mean-field Gaussian: the exact mean, and scales from the diagonal of the precision.
    pub(crate) fn mean_field_optimum(&self) -> Array1<f64> {
        let log_scale = self.precision.diag().mapv(|p| -0.5 * p.ln());
        self.mean.iter().copied().chain(log_scale).collect()
    }

    /// The ELBO of the best mean-field Gaussian: ½ (log |Λ| − Σ log Λ_ii) below the log evidence.
    pub(crate) fn mean_field_elbo(&self) -> f64 {
        let log_diagonal: f64 = self.precision.diag().iter().map(|p| p.ln()).sum();
        self.log_evidence + 0.5 * (self.log_det_precision - log_diagonal)
    }
}

impl LogJoint for GaussianTarget {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }

    /// Allocates nothing, for the test that counts allocations.
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let d = self.dim();
        let mut form = 0.0;
        for i in 0..d {
            for j in 0..d {
                form += self.precision[[i, j]] * (z[i] - self.mean[i]) * (z[j] - self.mean[j]);
            }
        }
        let log_norm = 0.5 * (self.log_det_precision - d as f64 * (2.0 * std::f64::consts::PI).ln());
        self.log_evidence + log_norm - 0.5 * form
    }
}

/// Every coordinate is a block.
impl LocalLogJoint for GaussianTarget {
    fn n_blocks(&self) -> usize {
        self.dim()
    }
    fn block(&self, b: usize) -> std::ops::Range<usize> {
        b..b + 1
    }
    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        let pull: f64 = (0..self.dim()).map(|j| self.precision[[b, j]] * (z[j] - self.mean[j])).sum();
        let y = z[b] - self.mean[b];
        -y * (pull - 0.5 * self.precision[[b, b]] * y)
    }
}

impl GradLogJoint for GaussianTarget {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let d = self.dim();
        for i in 0..d {
            grad[i] = -(0..d).map(|j| self.precision[[i, j]] * (z[j] - self.mean[j])).sum::<f64>();
        }
        self.log_joint(z)
    }
}
