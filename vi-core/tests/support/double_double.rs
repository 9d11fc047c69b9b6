//! Double-double arithmetic (106 bits): the reference that accuracy is measured against.
//!
//! Algorithms: Dekker (1971) and Knuth's two-sum; exp by a halved argument and a Taylor series; log by a Newton step.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// An unevaluated sum `high + low` with |low| ≤ ½ ulp(high).
#[derive(Clone, Copy, Debug)]
pub(crate) struct DoubleDouble {
    pub(crate) high: f64,
    pub(crate) low: f64,
}

const LOG_2: DoubleDouble = DoubleDouble { high: std::f64::consts::LN_2, low: 2.319_046_813_846_299_6e-17 };

fn two_sum(a: f64, b: f64) -> DoubleDouble {
    let high = a + b;
    let back = high - a;
    DoubleDouble { high, low: (a - (high - back)) + (b - back) }
}

impl From<f64> for DoubleDouble {
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

impl Add for DoubleDouble {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let (high, low) = (two_sum(self.high, other.high), two_sum(self.low, other.low));
        let first = two_sum(high.high, high.low + low.high);
        two_sum(first.high, first.low + low.low)
    }
}

impl Neg for DoubleDouble {
    type Output = Self;
    fn neg(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }
}

impl Sub for DoubleDouble {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for DoubleDouble {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let high = self.high * other.high;
        let low = self.high.mul_add(other.high, -high);
        two_sum(high, low + (self.high * other.low + self.low * other.high))
    }
}

impl Div for DoubleDouble {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let first = self.high / other.high;
        let rest = self - other * Self::from(first);
        let second = rest.high / other.high;
        let rest = rest - other * Self::from(second);
        two_sum(first, second) + Self::from(rest.high / other.high)
    }
}

impl DoubleDouble {
    fn scaled(self, factor: f64) -> Self {
        Self { high: self.high * factor, low: self.low * factor }
    }

    /// eˣ as (m, n): m·2ⁿ, so that neither end of the range is lost.
    fn exp_parts(self) -> (Self, i32) {
        let n = (self.high * std::f64::consts::LOG2_E).round();
        let r = (self - LOG_2 * Self::from(n)).scaled(1.0 / 256.0);
        let (mut sum, mut term) = (Self::from(0.0), Self::from(1.0));
        for k in 1..=14 {
            term = term * r / Self::from(f64::from(k));
            sum = sum + term;
        }
        // expm1(2r) = expm1(r)² + 2 expm1(r), eight times.
        for _ in 0..8 {
            sum = sum * sum + sum.scaled(2.0);
        }
        (sum + Self::from(1.0), n as i32)
    }

    pub(crate) fn exp(self) -> Self {
        let (m, n) = self.exp_parts();
        let half = n / 2;
        m.scaled(2f64.powi(half)).scaled(2f64.powi(n - half))
    }

    /// log x for a positive x: y + 2 (x − eʸ) / (x + eʸ), which is good to the cube of y's error.
    pub(crate) fn log(self) -> Self {
        let y = Self::from(self.high.ln());
        let (m, n) = y.exp_parts();
        let half = n / 2;
        let x = self.scaled(2f64.powi(-half)).scaled(2f64.powi(half - n));
        y + ((x - m) / (x + m)).scaled(2.0)
    }

    /// log(1 + x).
    pub(crate) fn log1p(self) -> Self {
        if self.high.abs() > 1e-3 {
            return (Self::from(1.0) + self).log();
        }
        let (mut sum, mut power) = (Self::from(0.0), self);
        for k in 1..=12 {
            let sign = if k % 2 == 1 { 1.0 } else { -1.0 };
            sum = sum + power * Self::from(sign) / Self::from(f64::from(k));
            power = power * self;
        }
        sum
    }
}

/// log(1 + eˣ).
pub(crate) fn softplus(x: f64) -> DoubleDouble {
    DoubleDouble::from(x.max(0.0)) + DoubleDouble::from(-x.abs()).exp().log1p()
}
