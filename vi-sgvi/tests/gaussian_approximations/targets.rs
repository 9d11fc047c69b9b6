//! Log joints whose modes and curvatures are known.

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2, array};
use vi_core::linalg::Cholesky;
use vi_core::{GradLogJoint, LogJoint, Parameter, ParameterSpace, StreamKey, Support};
use vi_families::fill_standard_normal;

pub(crate) fn real(n: usize) -> ParameterSpace {
    ParameterSpace::new([Parameter::vector("z", n, Support::Real)]).unwrap()
}

/// A normalised Gaussian.
pub(crate) struct Gaussian {
    space: ParameterSpace,
    pub(crate) mean: Array1<f64>,
    pub(crate) covariance: Array2<f64>,
    precision: Array2<f64>,
    log_normaliser: f64,
}

impl Gaussian {
    pub(crate) fn new(mean: Array1<f64>, covariance: Array2<f64>) -> Self {
        let factor = Cholesky::factor(&covariance).unwrap();
        let log_normaliser = -0.5 * (factor.log_det() + mean.len() as f64 * std::f64::consts::TAU.ln());
        Self { space: real(mean.len()), precision: factor.inverse(), mean, covariance, log_normaliser }
    }
}

impl LogJoint for Gaussian {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let centred = &z.view() - &self.mean;
        self.log_normaliser - 0.5 * centred.dot(&self.precision.dot(&centred))
    }
}

impl GradLogJoint for Gaussian {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        grad.assign(&(-self.precision.dot(&(&z.view() - &self.mean))));
        self.log_joint(z)
    }
}

/// N(2·10⁴, (10⁴)²) beside N(−1, 1).
pub(crate) fn badly_scaled() -> Gaussian {
    Gaussian::new(array![2e4, -1.0], Array2::from_diag(&array![1e8, 1.0]))
}

/// Standard deviations 1 and 2, correlation 0.99999.
pub(crate) fn correlated() -> Gaussian {
    Gaussian::new(array![3.0, -2.0], array![[1.0, 1.99998], [1.99998, 4.0]])
}

/// D = 30, standard deviations from 0.01 to 100, correlations from five common directions.
pub(crate) fn thirty() -> Gaussian {
    let d = 30;
    let mut rng = StreamKey::from_seed(8).rng(0);
    let mut draw = |n: usize| {
        let mut x = vec![0.0; n];
        fill_standard_normal(&mut rng, &mut x);
        Array1::from(x)
    };
    let common = draw(5 * d).into_shape_with_order((d, 5)).unwrap();
    let scales: Array1<f64> = (0..d).map(|i| 10_f64.powf(-2.0 + 4.0 * i as f64 / 29.0)).collect();
    let mut covariance = common.dot(&common.t()) + Array2::<f64>::eye(d);
    covariance.indexed_iter_mut().for_each(|((i, j), v)| *v *= scales[i] * scales[j]);
    Gaussian::new(draw(d) * scales, covariance)
}

/// A log joint given as a function with its gradient.
pub(crate) struct Given {
    space: ParameterSpace,
    f: fn(&ArrayRef1<f64>, &mut ArrayRef1<f64>) -> f64,
}

impl Given {
    pub(crate) fn new(n: usize, f: fn(&ArrayRef1<f64>, &mut ArrayRef1<f64>) -> f64) -> Self {
        Self { space: real(n), f }
    }
}

impl LogJoint for Given {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        (self.f)(z, &mut Array1::zeros(z.len()))
    }
}

impl GradLogJoint for Given {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        (self.f)(z, grad)
    }
}

/// A bent ridge, normalised: z₁ ~ N(0, 1), z₂ ~ N(z₁², 0.1²). Mode (0, 0), curvature diag(1, 100).
pub(crate) fn banana() -> Given {
    Given::new(2, |z, grad| {
        let off = z[1] - z[0] * z[0];
        grad[0] = -z[0] + 200.0 * z[0] * off;
        grad[1] = -100.0 * off;
        -0.5 * (z[0] * z[0] + 100.0 * off * off) - std::f64::consts::TAU.ln() + 10_f64.ln()
    })
}

/// The largest difference of two matrices, in units of the standard deviations of the second.
pub(crate) fn largest_difference(a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) -> f64 {
    let sd = b.diag().mapv(f64::sqrt);
    a.indexed_iter().map(|((i, j), v)| (v - b[[i, j]]).abs() / (sd[i] * sd[j])).fold(0.0, f64::max)
}
