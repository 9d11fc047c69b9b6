//! Posteriors whose answers are known.

use ndarray::{Array1, Array2, ArrayRef1};
use vi_core::linalg::Cholesky;
use vi_core::{GradLogJoint, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_families::fill_standard_normal;

/// N(z; mean, diag(sd) R diag(sd)), normalised: its evidence is 1.
#[derive(Debug)]
pub(crate) struct Gaussian {
    parameters: ParameterSpace,
    pub(crate) mean: Array1<f64>,
    pub(crate) sd: Array1<f64>,
    /// The Cholesky factor of the correlations R.
    root: Cholesky,
    /// R⁻¹, from the two eigenvalues of R where they are known: no factorisation's rounding errors.
    inverse: Array2<f64>,
}

impl Gaussian {
    /// Scales from 1 to 10⁴ (both in D = 2), all correlations 0.999, every mean two standard deviations above zero.
    pub(crate) fn ill_conditioned(dim: usize) -> Self {
        let sd = Self::scales(dim);
        Self::equicorrelated(&sd * 2.0, sd, 0.999)
    }

    /// The same with means one, two and three standard deviations above zero in turn: against the correlations, so that zero
    /// is more than 30 standard deviations away along the narrowest directions.
    pub(crate) fn far_away(dim: usize) -> Self {
        let sd = Self::scales(dim);
        let mean = sd.iter().enumerate().map(|(i, s)| s * (1.0 + (i % 3) as f64)).collect();
        Self::equicorrelated(mean, sd, 0.999)
    }

    fn scales(dim: usize) -> Array1<f64> {
        let last = (dim - 1).max(1) as f64;
        (0..dim).map(|i| 1e4f64.powf(i as f64 / last)).collect()
    }

    /// R has ρ everywhere off the diagonal.
    pub(crate) fn equicorrelated(mean: Array1<f64>, sd: Array1<f64>, rho: f64) -> Self {
        let d = mean.len();
        let r = Array2::from_shape_fn((d, d), |(i, j)| if i == j { 1.0 } else { rho });
        let shared = rho / (1.0 - rho) / (1.0 - rho + d as f64 * rho);
        let inverse = Array2::from_shape_fn((d, d), |(i, j)| {
            let diagonal = if i == j { 1.0 / (1.0 - rho) } else { 0.0 };
            diagonal - shared
        });
        let parameters = ParameterSpace::new([Parameter::vector("z", d, Support::Real)]).unwrap();
        Self { parameters, mean, sd, root: Cholesky::factor(&r).unwrap(), inverse }
    }

    pub(crate) fn covariance(&self) -> Array2<f64> {
        let (l, sd) = (self.root.l(), &self.sd);
        let r = l.dot(&l.t());
        Array2::from_shape_fn(r.dim(), |(i, j)| r[[i, j]] * sd[i] * sd[j])
    }

    pub(crate) fn precision_diagonal(&self) -> Array1<f64> {
        (&self.inverse.diag() / &self.sd) / &self.sd
    }

    /// The largest element of A⁻¹(m − mean), and of A⁻¹ Σ A⁻ᵀ − I with AAᵀ the covariance: errors in standard deviations.
    pub(crate) fn errors_of(&self, mean: &Array1<f64>, factor: &Array2<f64>) -> (f64, f64) {
        let whiten = |x: Array2<f64>| {
            let mut x = x / self.sd.view().insert_axis(ndarray::Axis(1));
            self.root.solve_lower_matrix_inplace(&mut x);
            x
        };
        let off = whiten((mean - &self.mean).insert_axis(ndarray::Axis(1)));
        let l = whiten(factor.clone());
        let excess = l.dot(&l.t()) - Array2::<f64>::eye(mean.len());
        let largest = |x: &Array2<f64>| x.iter().fold(0.0f64, |a, b| a.max(b.abs()));
        (largest(&off), largest(&excess))
    }
}

impl LogJoint for Gaussian {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.log_joint_and_grad(z, &mut Array1::zeros(z.len()))
    }
}

impl GradLogJoint for Gaussian {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let y = (z.to_owned() - &self.mean) / &self.sd;
        let g = self.inverse.dot(&y);
        grad.iter_mut().zip(&g).zip(&self.sd).for_each(|((o, g), s)| *o = -g / s);
        let d = z.len() as f64;
        let log_det = 0.5 * self.root.log_det() + self.sd.iter().map(|s| s.ln()).sum::<f64>();
        -0.5 * y.dot(&g) - log_det - 0.5 * d * std::f64::consts::TAU.ln()
    }
}

/// Standard normal values (rows, columns).
pub(crate) fn normals(rows: usize, columns: usize, key: StreamKey) -> Array2<f64> {
    let mut out = Array2::zeros((rows, columns));
    fill_standard_normal(&mut key.rng(0), out.as_slice_mut().unwrap());
    out
}
