//! Models with known posteriors.
#![allow(dead_code, reason = "every test file uses some of them")]

use ndarray::{Array1, Array2, ArrayRef1, array};
use rand::RngExt;
use rand_distr::{Gamma, StandardNormal};
use vi_core::{
    ConditionallyConjugate, ConjugateError, Exec, GradLogJoint, LogJoint, Parameter, ParameterSpace,
    StreamKey, StreamRng, Support,
};

/// Any log joint with its gradient, from a closure that fills the gradient.
pub(crate) struct Model<F> {
    space: ParameterSpace,
    f: F,
}

impl<F: Fn(&ArrayRef1<f64>, &mut ArrayRef1<f64>) -> f64 + Send + Sync> Model<F> {
    pub(crate) fn new(parameters: impl IntoIterator<Item = Parameter>, f: F) -> Self {
        Self { space: ParameterSpace::new(parameters).unwrap(), f }
    }
}

impl<F: Fn(&ArrayRef1<f64>, &mut ArrayRef1<f64>) -> f64 + Send + Sync> LogJoint for Model<F> {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        (self.f)(z, &mut Array1::zeros(z.len()))
    }
}

impl<F: Fn(&ArrayRef1<f64>, &mut ArrayRef1<f64>) -> f64 + Send + Sync> GradLogJoint for Model<F> {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        (self.f)(z, grad)
    }
}

/// The mean and variance of every coordinate.
pub(crate) struct Moments {
    pub(crate) mean: Array1<f64>,
    pub(crate) variance: Array1<f64>,
}

/// N(m, L Lᵀ) in five dimensions, correlations up to 0.9, standard deviations from 0.1 to 10.
pub(crate) fn gaussian() -> (impl GradLogJoint, Moments) {
    let mean = array![1.0, -2.0, 0.0, 30.0, 0.5];
    let l = array![
        [1.0, 0.0, 0.0, 0.0, 0.0],
        [1.8, 0.9, 0.0, 0.0, 0.0],
        [-0.05, 0.0, 0.08, 0.0, 0.0],
        [5.0, 5.0, 0.0, 7.0, 0.0],
        [0.0, 0.0, 0.4, 0.0, 0.3],
    ];
    let covariance: Array2<f64> = l.dot(&l.t());
    let moments = Moments { mean: mean.clone(), variance: covariance.diag().to_owned() };
    let cholesky = vi_core::linalg::Cholesky::factor(&covariance).unwrap();
    let model = Model::new(
        [Parameter::vector("x", 5, Support::Real)],
        move |z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>| {
            let deviation = z.to_owned() - &mean;
            grad.assign(&-cholesky.solve(&deviation));
            0.5 * grad.dot(&deviation)
        },
    );
    (model, moments)
}

/// Gamma(3, rate 2) ⊗ Beta(2, 5) ⊗ Dirichlet(1, 2, 3).
pub(crate) fn constrained() -> (impl GradLogJoint, Moments) {
    let model = Model::new(
        [
            Parameter::scalar("g", Support::Positive),
            Parameter::scalar("b", Support::Interval { lower: 0.0, upper: 1.0 }),
            Parameter::vector("w", 3, Support::Simplex),
        ],
        |z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>| {
            grad.assign(&array![
                2.0 / z[0] - 2.0,
                1.0 / z[1] - 4.0 / (1.0 - z[1]),
                0.0,
                1.0 / z[3],
                2.0 / z[4]
            ]);
            2.0 * z[0].ln() - 2.0 * z[0] + z[1].ln() + 4.0 * (1.0 - z[1]).ln() + z[3].ln() + 2.0 * z[4].ln()
        },
    );
    let dirichlet = |a: f64| a * (6.0 - a) / (36.0 * 7.0);
    let moments = Moments {
        mean: array![1.5, 2.0 / 7.0, 1.0 / 6.0, 2.0 / 6.0, 3.0 / 6.0],
        variance: array![0.75, 10.0 / (49.0 * 8.0), dirichlet(1.0), dirichlet(2.0), dirichlet(3.0)],
    };
    (model, moments)
}

/// y_n ~ N(μ, 1/τ), μ ~ N(m, 1/p), τ ~ Gamma(a, rate b): conditionally, but not jointly, conjugate.
pub(crate) struct SemiConjugate {
    pub(crate) y: Vec<f64>,
    pub(crate) m: f64,
    pub(crate) p: f64,
    pub(crate) a: f64,
    pub(crate) b: f64,
    space: ParameterSpace,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Block {
    Mean,
    Precision,
}

/// (mean, precision) of the factor of μ, (shape, rate) of that of τ.
pub(crate) type Factors = [(f64, f64); 2];
/// (μ, μ²) and (τ, log τ).
pub(crate) type Stats = [(f64, f64); 2];

impl SemiConjugate {
    pub(crate) fn new(y: Vec<f64>) -> Self {
        let parameters =
            [Parameter::scalar("mu", Support::Real), Parameter::scalar("tau", Support::Positive)];
        Self { y, m: 0.5, p: 1.0, a: 3.0, b: 2.0, space: ParameterSpace::new(parameters).unwrap() }
    }

    /// log p(y, μ, τ).
    pub(crate) fn log_joint(&self, (mu, mu2): (f64, f64), (tau, log_tau): (f64, f64)) -> f64 {
        let log_2pi = std::f64::consts::TAU.ln();
        let squares: f64 = self.y.iter().map(|y| y * y - 2.0 * y * mu + mu2).sum();
        let likelihood = 0.5 * self.y.len() as f64 * (log_tau - log_2pi) - 0.5 * tau * squares;
        let prior_mu =
            0.5 * (self.p.ln() - log_2pi) - 0.5 * self.p * (mu2 - 2.0 * self.m * mu + self.m * self.m);
        // Γ(3) = 2.
        let prior_tau = self.a * self.b.ln() - 2f64.ln() + (self.a - 1.0) * log_tau - self.b * tau;
        likelihood + prior_mu + prior_tau
    }
}

impl ConditionallyConjugate for SemiConjugate {
    type Block = Block;
    type Stats = Stats;
    type Factors = Factors;

    fn blocks(&self) -> &[Block] {
        &[Block::Mean, Block::Precision]
    }

    fn init(&self, _: StreamKey, _: Exec<'_>) -> Result<(Factors, Stats), ConjugateError> {
        Ok(([(0.0, 1.0), (1.0, 1.0)], [(0.0, 1.0), (1.0, -0.577_215_664_901_532_9)]))
    }

    fn condition(
        &self,
        block: Block,
        stats: &Stats,
        factors: &mut Factors,
        _: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let n = self.y.len() as f64;
        let sum: f64 = self.y.iter().sum();
        match block {
            Block::Mean => {
                let tau = stats[1].0;
                let precision = self.p + n * tau;
                factors[0] = ((self.p * self.m + tau * sum) / precision, precision);
            }
            Block::Precision => {
                let (mu, mu2) = stats[0];
                let squares: f64 = self.y.iter().map(|y| y * y - 2.0 * y * mu + mu2).sum();
                factors[1] = (self.a + 0.5 * n, self.b + 0.5 * squares);
            }
        }
        Ok(())
    }

    fn expect(&self, _: Block, _: &Factors, _: &mut Stats, _: Exec<'_>) {
        panic!("Gibbs sampling needs no expectations");
    }

    fn draw(&self, block: Block, factors: &Factors, key: StreamKey, stats: &mut Stats, _: Exec<'_>) {
        let mut rng = key.rng(0);
        match block {
            Block::Mean => {
                let (mean, precision) = factors[0];
                let mu = mean + rng.sample::<f64, _>(StandardNormal) / precision.sqrt();
                stats[0] = (mu, mu * mu);
            }
            Block::Precision => {
                let (shape, rate) = factors[1];
                let tau: f64 = rng.sample(Gamma::new(shape, 1.0 / rate).unwrap());
                stats[1] = (tau, tau.ln());
            }
        }
    }

    fn block_log_prob(&self, _: Block, _: &Factors, _: &Stats) -> f64 {
        panic!("not needed");
    }

    fn expected_log_joint(&self, stats: &Stats) -> f64 {
        self.log_joint(stats[0], stats[1])
    }

    fn entropy(&self, _: &Factors) -> f64 {
        panic!("not needed");
    }

    fn reported(&self) -> &ParameterSpace {
        &self.space
    }

    fn realise(&self, stats: &Stats, z: &mut ArrayRef1<f64>) {
        z[0] = stats[0].0;
        z[1] = stats[1].0;
    }

    fn sample(&self, _: &Factors, _: &mut StreamRng, _: &mut ArrayRef1<f64>) {
        panic!("not needed");
    }

    fn log_prob(&self, _: &Factors, _: &ArrayRef1<f64>) -> f64 {
        panic!("not needed");
    }
}
