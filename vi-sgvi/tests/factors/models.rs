//! Models whose exact gradients are known.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef1};
use vi_core::{LocalLogJoint, LogJoint, Parameter, ParameterSpace, Support};
use vi_families::{Gamma, ProductFamily, VariationalDistribution, VariationalFamily};

/// log p(x, z) = Σ_i field_i[z_i] + Σ_{i<j} coupling_ij z_i z_j + offset over variables with any numbers of values.
#[derive(Debug)]
pub(crate) struct Spins {
    parameters: ParameterSpace,
    field: Array2<f64>,
    coupling: Array2<f64>,
}

const OFFSET: f64 = -8.0;

impl Spins {
    fn new(parameters: ParameterSpace, coupling: impl Fn(usize, usize) -> f64) -> Self {
        let d = parameters.dim();
        Self {
            parameters,
            field: Array2::from_shape_fn((d, 5), |(i, k)| (k as f64) * ((2 * i + 3 * k) as f64).cos()),
            coupling: Array2::from_shape_fn((d, d), |(i, j)| if i < j { coupling(i, j) } else { 0.0 }),
        }
    }

    /// `d` bits, all coupled with all.
    pub(crate) fn dense(d: usize) -> Self {
        let space = ParameterSpace::new([Parameter::vector("bit", d, Support::Binary)]).unwrap();
        Self::new(space, |i, j| ((3 * i + 5 * j) as f64).sin())
    }

    /// `d` bits, each coupled with its neighbours.
    pub(crate) fn chain(d: usize) -> Self {
        let space = ParameterSpace::new([Parameter::vector("bit", d, Support::Binary)]).unwrap();
        Self::new(space, |i, j| if j == i + 1 { 0.8 } else { 0.0 })
    }

    /// Two bits, two variables with three values, one with five.
    pub(crate) fn categories() -> Self {
        let space = ParameterSpace::new([
            Parameter::vector("bit", 2, Support::Binary),
            Parameter::vector("three", 2, Support::Categorical { n: 3 }),
            Parameter::scalar("five", Support::Categorical { n: 5 }),
        ]);
        Self::new(space.unwrap(), |i, j| 0.5 * ((3 * i + 5 * j) as f64).sin())
    }

    pub(crate) fn family(&self) -> ProductFamily {
        ProductFamily::for_space(&self.parameters).unwrap()
    }
}

impl LogJoint for Spins {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let fields = z.iter().enumerate().map(|(i, z)| self.field[[i, *z as usize]]).sum::<f64>();
        OFFSET + fields + z.dot(&self.coupling.dot(z))
    }
}

impl LocalLogJoint for Spins {
    fn n_blocks(&self) -> usize {
        self.dim()
    }
    fn block(&self, b: usize) -> Range<usize> {
        b..b + 1
    }
    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        let couplings = self.coupling.row(b).dot(z) + self.coupling.column(b).dot(z);
        self.field[[b, z[b] as usize]] + z[b] * couplings
    }
}

/// λ without symmetry.
pub(crate) fn params_of(family: &ProductFamily) -> Array1<f64> {
    (0..family.n_params()).map(|p| 0.9 * (1.7 * p as f64 + 0.4).sin()).collect()
}

/// The exact ELBO and its gradient, by a sum over all states.
pub(crate) fn exact(model: &Spins, family: &ProductFamily, params: &ArrayRef1<f64>) -> (f64, Array1<f64>) {
    let q = family.bind(params).unwrap();
    let sizes: Vec<usize> = model.parameters.parameters().iter().flat_map(sizes_of).collect();
    let (mut elbo, mut grad, mut total) = (0.0, Array1::zeros(params.len()), 0.0);
    for state in 0..sizes.iter().product::<usize>() {
        let mut left = state;
        let z: Array1<f64> = sizes
            .iter()
            .map(|n| {
                let value = left % n;
                left /= n;
                value as f64
            })
            .collect();
        let log_q = q.log_prob(&z);
        let f = model.log_joint(&z) - log_q;
        total += log_q.exp();
        elbo += log_q.exp() * f;
        q.add_score(&z, log_q.exp() * f, &mut grad);
    }
    assert!((total - 1.0).abs() < 1e-12, "q sums to {total}");
    (elbo, grad)
}

fn sizes_of(parameter: &Parameter) -> Vec<usize> {
    let n = match parameter.support() {
        Support::Binary => 2,
        Support::Categorical { n } => n,
        support => panic!("{support:?}"),
    };
    vec![n; parameter.size()]
}

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
