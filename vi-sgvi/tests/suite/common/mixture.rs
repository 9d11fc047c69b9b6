//! A categorical mixture whose ELBO has a closed form.

use std::ops::Range;

use ndarray::{Array1, ArrayRef1, array};
use vi_core::{LocalLogJoint, LogJoint, Parameter, ParameterSpace, Support};
use vi_families::{Gamma, ProductFamily, VariationalDistribution, VariationalFamily};

const DATA: [f64; 4] = [-1.2, 0.4, 2.1, 0.9];
const SLOPES: [f64; 3] = [-1.0, 0.5, 2.0];
const LOG_WEIGHTS: [f64; 3] = [-1.6, -0.9, -0.9];

/// x_n ~ N(a_{k_n} m, 1/τ) with k_n one of three, m ~ N(0, 1), τ ~ Gamma(2, 1) without its constant.
#[derive(Debug)]
pub(crate) struct Mixture {
    parameters: ParameterSpace,
}

impl Mixture {
    pub(crate) fn new() -> Self {
        let parameters = ParameterSpace::new([
            Parameter::vector("k", 4, Support::Categorical { n: 3 }),
            Parameter::scalar("m", Support::Real),
            Parameter::scalar("tau", Support::Positive),
        ]);
        Self { parameters: parameters.unwrap() }
    }

    pub(crate) fn family(&self) -> ProductFamily {
        ProductFamily::for_space(&self.parameters).unwrap()
    }

    /// A Gamma of shape 5.5, whose inverse moments are tame.
    pub(crate) fn params() -> Array1<f64> {
        array![0.3, -0.4, 0.8, 0.1, -0.6, 0.2, 0.5, 0.7, 0.6, -0.7, 1.7, 0.9]
    }

    /// The ELBO in closed form: log p is linear in m, m², τ and log τ.
    fn elbo(&self, family: &ProductFamily, params: &Array1<f64>) -> f64 {
        let (mean, sd) = (params[8], params[9].exp());
        let square = mean * mean + sd * sd;
        let precision = Gamma::from_shape_rate(params[10].exp(), params[11].exp()).unwrap();
        let mut sum = -0.5 * square + precision.expected_log() - precision.mean();
        for (n, x) in DATA.iter().enumerate() {
            let odds = [params[2 * n].exp(), params[2 * n + 1].exp(), 1.0];
            for k in 0..3 {
                let a = SLOPES[k];
                let squared = x * x - 2.0 * x * a * mean + a * a * square;
                let term = LOG_WEIGHTS[k] + 0.5 * precision.expected_log() - 0.5 * precision.mean() * squared;
                sum += odds[k] / odds.iter().sum::<f64>() * term;
            }
        }
        sum + family.bind(params).unwrap().entropy().unwrap()
    }

    /// By differences of fourth order, which are exact to about 1e-11.
    pub(crate) fn exact(&self, family: &ProductFamily, params: &Array1<f64>) -> Array1<f64> {
        let difference = |p: usize, h: f64| {
            let at = |h: f64| {
                let mut moved = params.clone();
                moved[p] += h;
                self.elbo(family, &moved)
            };
            (at(h) - at(-h)) / (2.0 * h)
        };
        (0..params.len()).map(|p| (4.0 * difference(p, 1e-3) - difference(p, 2e-3)) / 3.0).collect()
    }
}

impl LogJoint for Mixture {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let (mean, precision) = (z[4], z[5]);
        let prior = -0.5 * mean * mean + precision.ln() - precision;
        let term = |(n, x): (usize, &f64)| {
            let k = z[n] as usize;
            LOG_WEIGHTS[k] + 0.5 * precision.ln() - 0.5 * precision * (x - SLOPES[k] * mean).powi(2)
        };
        prior + DATA.iter().enumerate().map(term).sum::<f64>()
    }
}

/// Blocks: every assignment with its datum, m with all data, τ with all data.
impl LocalLogJoint for Mixture {
    fn n_blocks(&self) -> usize {
        6
    }
    fn block(&self, b: usize) -> Range<usize> {
        b..b + 1
    }
    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        if b >= DATA.len() {
            return self.log_joint(z);
        }
        let k = z[b] as usize;
        LOG_WEIGHTS[k] + 0.5 * z[5].ln() - 0.5 * z[5] * (DATA[b] - SLOPES[k] * z[4]).powi(2)
    }
}
