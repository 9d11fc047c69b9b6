//! Small models that the tests share.

use ndarray::ArrayRef1;
use vi_core::{GradLogJoint, LogJoint, Parameter, ParameterSpace, Support};

/// One variable for every continuous support, some with leading axes.
pub(crate) fn continuous_parameters() -> Vec<Parameter> {
    vec![
        Parameter::vector("x", 2, Support::Real),
        Parameter::scalar("tau", Support::Positive),
        Parameter::new("p", &[2, 2], Support::Interval { lower: -1.0, upper: 3.0 }),
        Parameter::vector("w", 4, Support::Simplex),
        Parameter::new("rows", &[2, 3], Support::Simplex),
        Parameter::vector("one", 1, Support::Simplex),
        Parameter::vector("c", 3, Support::Ordered),
        Parameter::new("d", &[2, 3], Support::PositiveOrdered),
        Parameter::new("L", &[3, 3], Support::CholeskyFactor),
        Parameter::new("S", &[3, 3], Support::PositiveDefinite),
        Parameter::new("T", &[2, 2, 2], Support::PositiveDefinite),
    ]
}

/// Σ_i c_i sin(z_i) over all stored values, with a coefficient of its own for each: smooth, without symmetry.
#[derive(Debug)]
pub(crate) struct Waves {
    space: ParameterSpace,
}

impl Waves {
    pub(crate) fn new(parameters: impl IntoIterator<Item = Parameter>) -> Self {
        Self { space: ParameterSpace::new(parameters).unwrap() }
    }

    fn coefficient(i: usize) -> f64 {
        1.0 + (1.7 * i as f64).cos()
    }
}

impl LogJoint for Waves {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        z.iter().enumerate().map(|(i, z)| Self::coefficient(i) * z.sin()).sum()
    }
}

impl GradLogJoint for Waves {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        grad.iter_mut().zip(z).enumerate().for_each(|(i, (g, z))| *g = Self::coefficient(i) * z.cos());
        self.log_joint(z)
    }
}
