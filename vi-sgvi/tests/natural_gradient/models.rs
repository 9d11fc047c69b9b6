//! Targets inside the family.

use std::ops::Range;

use ndarray::{Array1, ArrayRef1, array};
use vi_core::{LocalLogJoint, LogJoint, NeverStop, Parameter, ParameterSpace, StreamKey, Support, run};
use vi_families::{ProductFamily, VariationalFamily};
use vi_sgvi::{AscentRule, GradientEstimator, LearningRate, NaturalGradient, Sgvi};

/// A product of independent densities of known parameters.
pub(crate) struct Independent {
    pub(crate) space: ParameterSpace,
    /// A point of the support.
    base: Array1<f64>,
    log_density: fn(&ArrayRef1<f64>) -> f64,
}

impl Independent {
    fn new<const N: usize>(
        variables: [Parameter; N],
        base: Array1<f64>,
        log_density: fn(&ArrayRef1<f64>) -> f64,
    ) -> Self {
        Self { space: ParameterSpace::new(variables).unwrap(), base, log_density }
    }

    pub(crate) fn family(&self) -> ProductFamily {
        ProductFamily::for_space(&self.space).unwrap()
    }
}

impl LogJoint for Independent {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        (self.log_density)(z)
    }
}

/// Every variable is a block: its term is the log density with the others fixed.
impl LocalLogJoint for Independent {
    fn n_blocks(&self) -> usize {
        self.space.parameters().len()
    }
    fn block(&self, b: usize) -> Range<usize> {
        self.space.parameters()[b].range()
    }
    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        let mut alone = self.base.clone();
        self.block(b).for_each(|d| alone[d] = z[d]);
        (self.log_density)(&alone)
    }
}

/// N(2·10⁴, (10⁴)²) beside N(−1, 1).
pub(crate) fn badly_scaled() -> Independent {
    let log_density = |z: &ArrayRef1<f64>| -0.5 * ((z[0] / 1e4 - 2.0).powi(2) + (z[1] + 1.0).powi(2));
    Independent::new([Parameter::vector("z", 2, Support::Real)], array![0.0, 0.0], log_density)
}

/// Gamma(3, 10⁻⁴), two bits with logits 2 and −1.
pub(crate) fn gamma_and_bits() -> Independent {
    let variables =
        [Parameter::scalar("tau", Support::Positive), Parameter::vector("on", 2, Support::Binary)];
    let log_density = |z: &ArrayRef1<f64>| 2.0 * z[0].ln() - 1e-4 * z[0] + 2.0 * z[1] - z[2];
    Independent::new(variables, array![1.0, 0.0, 0.0], log_density)
}

/// A factor of every kind, and λ of the target.
pub(crate) fn every_kind() -> (Independent, Array1<f64>) {
    let variables = [
        Parameter::scalar("tau", Support::Positive),
        Parameter::scalar("w", Support::Interval { lower: 0.0, upper: 1.0 }),
        Parameter::vector("p", 3, Support::Simplex),
        Parameter::scalar("on", Support::Binary),
        Parameter::scalar("k", Support::Categorical { n: 3 }),
        Parameter::scalar("x", Support::Real),
    ];
    let log_density = |z: &ArrayRef1<f64>| {
        let gamma = 2.0 * z[0].ln() - 1e-4 * z[0];
        let beta = 2.0 * z[1].ln() + 0.5 * (1.0 - z[1]).ln();
        let dirichlet = z[2].ln() + 3.0 * z[4].ln();
        gamma + beta + dirichlet + 2.0 * z[5] + [0.5, -0.3, 0.0][z[6] as usize] - 50.0 * (z[7] - 2.0).powi(2)
    };
    let base = array![1.0, 0.5, 0.2, 0.3, 0.5, 0.0, 0.0, 2.0];
    let positive = [3.0, 1e-4, 3.0, 1.5, 2.0, 1.0, 4.0].map(f64::ln);
    let optimum = positive.into_iter().chain([2.0, 0.5, -0.3, 2.0, 0.1f64.ln()]).collect();
    (Independent::new(variables, base, log_density), optimum)
}

/// λ after `n_iterations` gradients.
pub(crate) fn after<F: VariationalFamily, E: GradientEstimator<Independent, F>, O: AscentRule>(
    model: &Independent,
    family: &F,
    estimator: E,
    rule: O,
    n_iterations: u64,
) -> Result<Array1<f64>, String> {
    let kernel = Sgvi::new(model, family, estimator, rule).unwrap();
    let mut state = kernel.init();
    let key = StreamKey::from_seed(98);
    match run(&kernel, &mut state, key, 0..n_iterations, &NeverStop, &mut []) {
        Ok(_) => Ok(state.params),
        Err(e) => Err(e.to_string()),
    }
}

pub(crate) fn natural(rate: f64) -> NaturalGradient {
    NaturalGradient { learning_rate: LearningRate::Constant(rate), ..NaturalGradient::default() }
}
