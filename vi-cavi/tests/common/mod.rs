//! Two toy models whose optimum is known in closed form.
#![allow(dead_code, reason = "each test file uses its part of the toys")]

use ndarray::ArrayRef1;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use vi_core::{
    ConditionallyConjugate, ConjugateError, Exec, Parameter, ParameterSpace, StreamKey, StreamRng, Support,
};

const LOG_2PI: f64 = 1.837_877_066_409_345_3;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Coordinate {
    First,
    Second,
}

/// What is wrong with the model, if anything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    None,
    /// The conditional of the second block has the coupling with the wrong sign.
    WrongSign,
    /// The conditional of the second block has twice its precision.
    WrongPrecision,
    /// The conditional of the second block goes half the way from where its mean is.
    HalfWay,
    /// The conditional of the second block is NaN.
    Nan,
}

/// A normalised Gaussian of two coordinates times e^`log_evidence`: mean `mean`, precision [[a, c], [c, b]].
///
/// The mean-field optimum has the true mean, precisions a and b, and
/// `ELBO = log_evidence + ½ log(1 − c²/(ab))`.
pub(crate) struct Pair {
    pub(crate) mean: [f64; 2],
    pub(crate) a: f64,
    pub(crate) b: f64,
    pub(crate) c: f64,
    pub(crate) log_evidence: f64,
    pub(crate) fault: Fault,
    pub(crate) space: ParameterSpace,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Normal {
    pub(crate) mean: f64,
    pub(crate) precision: f64,
}

/// First and second moment of each coordinate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Moments {
    pub(crate) first: [f64; 2],
    pub(crate) second: [f64; 2],
}

impl Pair {
    pub(crate) fn new(c: f64, fault: Fault) -> Self {
        let space = ParameterSpace::new([Parameter::vector("z", 2, Support::Real)]).unwrap();
        Self { mean: [1.5, -0.5], a: 2.0, b: 1.0, c, log_evidence: -7.25, fault, space }
    }

    pub(crate) fn optimum(&self) -> f64 {
        self.log_evidence + 0.5 * (1.0 - self.c * self.c / (self.a * self.b)).ln()
    }
}

fn index(block: Coordinate) -> usize {
    match block {
        Coordinate::First => 0,
        Coordinate::Second => 1,
    }
}

impl ConditionallyConjugate for Pair {
    type Block = Coordinate;
    type Stats = Moments;
    type Factors = [Normal; 2];

    fn blocks(&self) -> &[Coordinate] {
        &[Coordinate::First, Coordinate::Second]
    }

    fn init(&self, key: StreamKey, exec: Exec<'_>) -> Result<(Self::Factors, Moments), ConjugateError> {
        let start = |i| -> f64 { 3.0 * Distribution::<f64>::sample(&StandardNormal, &mut key.rng(i)) };
        let q = [Normal { mean: start(0), precision: 1.0 }, Normal { mean: start(1), precision: 1.0 }];
        let mut stats = Moments { first: [0.0; 2], second: [0.0; 2] };
        for &block in self.blocks() {
            self.expect(block, &q, &mut stats, exec);
        }
        Ok((q, stats))
    }

    fn condition(
        &self,
        block: Coordinate,
        stats: &Moments,
        q: &mut Self::Factors,
        _exec: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        let (i, j) = (index(block), 1 - index(block));
        let precision = [self.a, self.b][i];
        let sign = if self.fault == Fault::WrongSign && i == 1 { -1.0 } else { 1.0 };
        let shift = sign * self.c * (stats.first[j] - self.mean[j]) / precision;
        q[i] = Normal { mean: self.mean[i] - shift, precision };
        match self.fault {
            Fault::WrongPrecision if i == 1 => q[i].precision *= 2.0,
            Fault::HalfWay if i == 1 => q[i].mean = 0.5 * (q[i].mean + stats.first[i]),
            Fault::Nan if i == 1 => q[i].mean = f64::NAN,
            _ => {}
        }
        Ok(())
    }

    fn expect(&self, block: Coordinate, q: &Self::Factors, stats: &mut Moments, _exec: Exec<'_>) {
        let i = index(block);
        stats.first[i] = q[i].mean;
        stats.second[i] = q[i].mean.powi(2) + 1.0 / q[i].precision;
    }

    fn draw(&self, block: Coordinate, q: &Self::Factors, key: StreamKey, stats: &mut Moments, _: Exec<'_>) {
        let i = index(block);
        let e: f64 = StandardNormal.sample(&mut key.rng(0));
        let z = q[i].mean + e / q[i].precision.sqrt();
        stats.first[i] = z;
        stats.second[i] = z * z;
    }

    fn block_log_prob(&self, block: Coordinate, q: &Self::Factors, stats: &Moments) -> f64 {
        let i = index(block);
        log_normal(stats.first[i], &q[i])
    }

    fn expected_log_joint(&self, s: &Moments) -> f64 {
        let [m0, m1] = self.mean;
        let square = |i: usize| s.second[i] - 2.0 * self.mean[i] * s.first[i] + self.mean[i].powi(2);
        let cross = (s.first[0] - m0) * (s.first[1] - m1);
        let log_det = (self.a * self.b - self.c * self.c).ln();
        self.log_evidence - LOG_2PI + 0.5 * log_det
            - 0.5 * (self.a * square(0) + self.b * square(1) + 2.0 * self.c * cross)
    }

    fn entropy(&self, q: &Self::Factors) -> f64 {
        q.iter().map(|f| 0.5 * (1.0 + LOG_2PI - f.precision.ln())).sum()
    }

    fn reported(&self) -> &ParameterSpace {
        &self.space
    }

    fn realise(&self, stats: &Moments, z: &mut ArrayRef1<f64>) {
        z[0] = stats.first[0];
        z[1] = stats.first[1];
    }

    fn sample(&self, q: &Self::Factors, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        for (z, f) in z.iter_mut().zip(q) {
            let e: f64 = StandardNormal.sample(rng);
            *z = f.mean + e / f.precision.sqrt();
        }
    }

    fn log_prob(&self, q: &Self::Factors, z: &ArrayRef1<f64>) -> f64 {
        z.iter().zip(q).map(|(z, f)| log_normal(*z, f)).sum()
    }
}

fn log_normal(z: f64, f: &Normal) -> f64 {
    0.5 * (f.precision.ln() - LOG_2PI - f.precision * (z - f.mean).powi(2))
}

/// Two spins s ∈ {−1, 1} with log p = J s₁ s₂ + h (s₁ + s₂): for a strong coupling J the bound has two optima,
/// of which the one along h is better. Reported as z = (s + 1)/2.
pub(crate) struct Spins {
    pub(crate) coupling: f64,
    pub(crate) field: f64,
    pub(crate) space: ParameterSpace,
}

impl Spins {
    pub(crate) fn new(coupling: f64, field: f64) -> Self {
        let space = ParameterSpace::new([Parameter::vector("s", 2, Support::Binary)]).unwrap();
        Self { coupling, field, space }
    }

    /// log Z by enumeration.
    pub(crate) fn log_evidence(&self) -> f64 {
        let up = (self.coupling + 2.0 * self.field).exp();
        let down = (self.coupling - 2.0 * self.field).exp();
        (up + down + 2.0 * (-self.coupling).exp()).ln()
    }
}

impl ConditionallyConjugate for Spins {
    type Block = Coordinate;
    /// E[s].
    type Stats = [f64; 2];
    /// ½ log odds of s = 1.
    type Factors = [f64; 2];

    fn blocks(&self) -> &[Coordinate] {
        &[Coordinate::First, Coordinate::Second]
    }

    fn init(&self, key: StreamKey, _: Exec<'_>) -> Result<([f64; 2], [f64; 2]), ConjugateError> {
        let start: f64 = key.rng(0).random_range(-2.0..2.0);
        Ok(([start; 2], [start.tanh(); 2]))
    }

    fn condition(
        &self,
        block: Coordinate,
        stats: &[f64; 2],
        q: &mut [f64; 2],
        _: Exec<'_>,
    ) -> Result<(), ConjugateError> {
        q[index(block)] = self.coupling * stats[1 - index(block)] + self.field;
        Ok(())
    }

    fn expect(&self, block: Coordinate, q: &[f64; 2], stats: &mut [f64; 2], _: Exec<'_>) {
        stats[index(block)] = q[index(block)].tanh();
    }

    fn draw(&self, block: Coordinate, q: &[f64; 2], key: StreamKey, stats: &mut [f64; 2], _: Exec<'_>) {
        let p = 0.5 * (1.0 + q[index(block)].tanh());
        stats[index(block)] = if key.rng(0).random_bool(p) { 1.0 } else { -1.0 };
    }

    fn block_log_prob(&self, block: Coordinate, q: &[f64; 2], stats: &[f64; 2]) -> f64 {
        (0.5 * (1.0 + stats[index(block)] * q[index(block)].tanh())).ln()
    }

    fn expected_log_joint(&self, s: &[f64; 2]) -> f64 {
        self.coupling * s[0] * s[1] + self.field * (s[0] + s[1])
    }

    fn entropy(&self, q: &[f64; 2]) -> f64 {
        q.iter().map(|h| h.abs() + (-2.0 * h.abs()).exp().ln_1p() - h * h.tanh()).sum()
    }

    fn reported(&self) -> &ParameterSpace {
        &self.space
    }

    fn realise(&self, stats: &[f64; 2], z: &mut ArrayRef1<f64>) {
        z[0] = 0.5 * (stats[0] + 1.0);
        z[1] = 0.5 * (stats[1] + 1.0);
    }

    fn sample(&self, q: &[f64; 2], rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        for (z, h) in z.iter_mut().zip(q) {
            *z = f64::from(u8::from(rng.random_bool(0.5 * (1.0 + h.tanh()))));
        }
    }

    fn log_prob(&self, q: &[f64; 2], z: &ArrayRef1<f64>) -> f64 {
        q.iter().zip(z).map(|(h, z)| (0.5 * (1.0 + (2.0 * z - 1.0) * h.tanh())).ln()).sum()
    }
}
