//! A conditionally conjugate toy with an auxiliary variable, and the mistakes one makes in writing it.

use ndarray::{ArrayRef1, array};
use rand::RngExt;
use rand_distr::{Distribution, Gamma, Normal};
use vi_core::{
    ConditionallyConjugate, ConjugateError, Exec, LogJoint, Parameter, ParameterSpace, StreamKey, StreamRng,
    Support,
};

/// log 2π.
const LOG_TAU: f64 = 1.837_877_066_409_345_3;
const Y: [f64; 6] = [0.3, 1.2, 0.9, -0.4, 1.6, 0.7];
const PRIOR_PRECISION: f64 = 0.5;
const PRIOR_SHAPE: usize = 2;
const PRIOR_RATE: f64 = 1.5;

/// What is wrong with the toy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    None,
    RateWithoutHalf,
    SignForgetsTheFactorTwo,
    DrawsWithVarianceForDeviation,
    SecondMomentWithoutVariance,
    EntropyWithoutItsConstant,
    SamplesPrecisionForMean,
    DensityOfTheWrongWidth,
    LogJointWithoutThePriorOfTheSign,
}

/// s ∈ {−1, 1} uniformly, μ ~ N(0, 1/p), τ ~ Gamma(a, b), y_n ~ N(s μ, 1/τ).
#[derive(Debug)]
pub(crate) struct SignToy {
    space: ParameterSpace,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Block {
    Sign,
    Mean,
    Precision,
}

/// Expected or realised: s, (μ, μ²), (τ, log τ).
#[derive(Clone, Debug)]
pub(crate) struct Stats {
    s: f64,
    mu: [f64; 2],
    tau: [f64; 2],
}

/// P(s = 1) by its logit; mean and precision of μ; shape and rate of τ.
#[derive(Clone, Debug)]
pub(crate) struct Factors {
    logit: f64,
    mean: [f64; 2],
    precision: [f64; 2],
}

fn sum_y() -> f64 {
    Y.iter().sum()
}

fn sum_y_squared() -> f64 {
    Y.iter().map(|y| y * y).sum()
}

/// log Γ(n) and ψ(n) of a whole number.
fn log_gamma(n: f64) -> f64 {
    (1..n as usize).map(|k| (k as f64).ln()).sum()
}

fn digamma(n: f64) -> f64 {
    -0.577_215_664_901_532_9 + (1..n as usize).map(|k| 1.0 / k as f64).sum::<f64>()
}

fn log_normal(x: f64, [mean, precision]: [f64; 2]) -> f64 {
    0.5 * (precision.ln() - LOG_TAU - precision * (x - mean).powi(2))
}

fn log_gamma_density(log_x: f64, x: f64, [shape, rate]: [f64; 2]) -> f64 {
    shape * rate.ln() - log_gamma(shape) + (shape - 1.0) * log_x - rate * x
}

impl SignToy {
    pub(crate) fn new(fault: Fault) -> Self {
        let parameters =
            [Parameter::scalar("mu", Support::Real), Parameter::scalar("tau", Support::Positive)];
        Self { space: ParameterSpace::new(parameters).unwrap(), fault }
    }

    fn draw_mean(&self, [mean, precision]: [f64; 2], rng: &mut StreamRng) -> f64 {
        let wrong = self.fault == Fault::DrawsWithVarianceForDeviation;
        let sd = if wrong { 1.0 / precision } else { precision.powf(-0.5) };
        Normal::new(mean, sd).unwrap().sample(rng)
    }
}

fn draw_precision([shape, rate]: [f64; 2], rng: &mut StreamRng) -> f64 {
    Gamma::new(shape, 1.0 / rate).unwrap().sample(rng)
}

impl ConditionallyConjugate for SignToy {
    type Block = Block;
    type Stats = Stats;
    type Factors = Factors;

    fn blocks(&self) -> &[Block] {
        &[Block::Sign, Block::Mean, Block::Precision]
    }

    fn init(&self, key: StreamKey, exec: Exec<'_>) -> Result<(Factors, Stats), ConjugateError> {
        let q = Factors { logit: key.rng(0).random::<f64>(), mean: [0.5, 1.0], precision: [3.0, 2.0] };
        let mut stats = Stats { s: 0.0, mu: [0.0; 2], tau: [0.0; 2] };
        self.blocks().iter().for_each(|&b| self.expect(b, &q, &mut stats, exec));
        Ok((q, stats))
    }

    fn condition(&self, b: Block, t: &Stats, q: &mut Factors, _: Exec<'_>) -> Result<(), ConjugateError> {
        let n = Y.len() as f64;
        match b {
            Block::Sign => {
                let two = if self.fault == Fault::SignForgetsTheFactorTwo { 1.0 } else { 2.0 };
                q.logit = two * t.tau[0] * t.mu[0] * sum_y();
            }
            Block::Mean => {
                let precision = PRIOR_PRECISION + n * t.tau[0];
                q.mean = [t.tau[0] * t.s * sum_y() / precision, precision];
            }
            Block::Precision => {
                let squares = sum_y_squared() - 2.0 * t.s * t.mu[0] * sum_y() + n * t.mu[1];
                let half = if self.fault == Fault::RateWithoutHalf { 1.0 } else { 0.5 };
                q.precision = [PRIOR_SHAPE as f64 + 0.5 * n, PRIOR_RATE + half * squares];
            }
        }
        Ok(())
    }

    fn expect(&self, b: Block, q: &Factors, t: &mut Stats, _: Exec<'_>) {
        match b {
            Block::Sign => t.s = (0.5 * q.logit).tanh(),
            Block::Mean => {
                let [mean, precision] = q.mean;
                let wrong = self.fault == Fault::SecondMomentWithoutVariance;
                t.mu = [mean, mean * mean + if wrong { 0.0 } else { 1.0 / precision }];
            }
            Block::Precision => {
                let [shape, rate] = q.precision;
                t.tau = [shape / rate, digamma(shape) - rate.ln()];
            }
        }
    }

    fn draw(&self, b: Block, q: &Factors, key: StreamKey, t: &mut Stats, _: Exec<'_>) {
        let mut rng = key.rng(0);
        match b {
            Block::Sign => {
                let up = rng.random::<f64>() < vi_core::numerics::sigmoid_scalar(q.logit);
                t.s = if up { 1.0 } else { -1.0 };
            }
            Block::Mean => {
                let mu = self.draw_mean(q.mean, &mut rng);
                t.mu = [mu, mu * mu];
            }
            Block::Precision => {
                let tau = draw_precision(q.precision, &mut rng);
                t.tau = [tau, tau.ln()];
            }
        }
    }

    fn block_log_prob(&self, b: Block, q: &Factors, t: &Stats) -> f64 {
        match b {
            Block::Sign => -vi_core::numerics::softplus_scalar(-t.s * q.logit),
            Block::Mean => log_normal(t.mu[0], q.mean),
            Block::Precision => log_gamma_density(t.tau[1], t.tau[0], q.precision),
        }
    }

    fn expected_log_joint(&self, t: &Stats) -> f64 {
        let n = Y.len() as f64;
        let squares = sum_y_squared() - 2.0 * t.s * t.mu[0] * sum_y() + n * t.mu[1];
        0.5f64.ln()
            + 0.5 * (PRIOR_PRECISION.ln() - LOG_TAU - PRIOR_PRECISION * t.mu[1])
            + log_gamma_density(t.tau[1], t.tau[0], [PRIOR_SHAPE as f64, PRIOR_RATE])
            + 0.5 * (n * (t.tau[1] - LOG_TAU) - t.tau[0] * squares)
    }

    fn entropy(&self, q: &Factors) -> f64 {
        let p = vi_core::numerics::sigmoid_scalar(q.logit);
        let sign = [p, 1.0 - p].iter().map(|p| if *p > 0.0 { -p * p.ln() } else { 0.0 }).sum::<f64>();
        let constant = if self.fault == Fault::EntropyWithoutItsConstant { 0.0 } else { 1.0 };
        let [shape, rate] = q.precision;
        sign + 0.5 * (constant + LOG_TAU - q.mean[1].ln()) + shape - rate.ln()
            + log_gamma(shape)
            + (1.0 - shape) * digamma(shape)
    }

    fn reported(&self) -> &ParameterSpace {
        &self.space
    }

    fn realise(&self, t: &Stats, z: &mut ArrayRef1<f64>) {
        z.assign(&array![t.mu[0], t.tau[0]]);
    }

    fn sample(&self, q: &Factors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        z[0] = self.draw_mean(q.mean, rng);
        z[1] = draw_precision(q.precision, rng);
        if self.fault == Fault::SamplesPrecisionForMean {
            z[0] = z[1];
        }
    }

    fn log_prob(&self, q: &Factors, z: &ArrayRef1<f64>) -> f64 {
        let width = if self.fault == Fault::DensityOfTheWrongWidth { 4.0 } else { 1.0 };
        log_normal(z[0], [q.mean[0], q.mean[1] * width]) + log_gamma_density(z[1].ln(), z[1], q.precision)
    }
}

impl LogJoint for SignToy {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    /// With s summed out: log ½(eˣ + e⁻ˣ), x = τ μ Σ y_n.
    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let (mu, tau) = (z[0], z[1]);
        let x = (tau * mu * sum_y()).abs();
        let mut log_cosh = x + (-2.0 * x).exp().ln_1p();
        if self.fault != Fault::LogJointWithoutThePriorOfTheSign {
            log_cosh -= std::f64::consts::LN_2;
        }
        let t = Stats { s: 0.0, mu: [mu, mu * mu], tau: [tau, tau.ln()] };
        self.expected_log_joint(&t) - 0.5f64.ln() + log_cosh
    }
}
