//! Numbers of twice the precision, for exponents of density factors: an error of 1e-16 in an exponent of 700 would
//! cost three digits of the result.

use std::ops::{Add, Mul, Sub};

/// An unevaluated sum hi + lo with |lo| ≤ ½ ulp(hi) (Dekker 1971; Shewchuk 1997).
#[derive(Clone, Copy, Debug)]
pub(super) struct Double {
    pub(super) hi: f64,
    pub(super) lo: f64,
}

impl Double {
    pub(super) fn new(hi: f64) -> Self {
        Self { hi, lo: 0.0 }
    }

    /// a + b without error.
    pub(super) fn sum(a: f64, b: f64) -> Self {
        let hi = a + b;
        let b_part = hi - a;
        Self { hi, lo: (a - (hi - b_part)) + (b - b_part) }
    }

    /// a b without error, but for underflow.
    pub(super) fn product(a: f64, b: f64) -> Self {
        let hi = a * b;
        Self { hi, lo: a.mul_add(b, -hi) }
    }

    fn renormalised(hi: f64, lo: f64) -> Self {
        let sum = hi + lo;
        Self { hi: sum, lo: lo - (sum - hi) }
    }

    pub(super) fn divided_by(self, other: Self) -> Self {
        let first = self.hi / other.hi;
        let rest = self - other * Self::new(first);
        let second = rest.hi / other.hi;
        let rest = rest - other * Self::new(second);
        let quotient = Self::sum(first, second);
        Self::renormalised(quotient.hi, quotient.lo + rest.hi / other.hi)
    }

    /// log of a positive number whose `hi` is normal, to about 1e-25 absolute or relative, whichever is larger.
    pub(super) fn log(self) -> Self {
        const LOG_2: Double = Double { hi: std::f64::consts::LN_2, lo: 2.319_046_813_846_299_6e-17 };
        // m in [√½, √2]: powers of two are exact.
        let exponent = (self.hi * std::f64::consts::FRAC_1_SQRT_2).log2().ceil();
        let half = (0.5 * exponent).floor();
        let (scale, rest) = ((-half).exp2(), (half - exponent).exp2());
        let m = Self { hi: self.hi * scale * rest, lo: self.lo * scale * rest };
        // log m = 2 artanh((m − 1) / (m + 1)).
        let r = (m - Self::new(1.0)).divided_by(m + Self::new(1.0));
        let square = r * r;
        let mut sum = Self::new(0.0);
        for k in (1..=17).rev() {
            sum = (sum + Self::new(1.0).divided_by(Self::new(f64::from(2 * k + 1)))) * square;
        }
        let log = (r + r * sum) * Self::new(2.0);
        if exponent == 0.0 { log } else { LOG_2 * Self::new(exponent) + log }
    }

    /// exp of it.
    pub(super) fn exp(self) -> f64 {
        let main = self.hi.exp();
        if main == 0.0 || !main.is_finite() { main } else { main + main * self.lo }
    }
}

impl Add for Double {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let high = Self::sum(self.hi, other.hi);
        let low = Self::sum(self.lo, other.lo);
        let first = Self::renormalised(high.hi, high.lo + low.hi);
        Self::renormalised(first.hi, first.lo + low.lo)
    }
}

impl Sub for Double {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + Self { hi: -other.hi, lo: -other.lo }
    }
}

impl Mul for Double {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let product = Self::product(self.hi, other.hi);
        Self::renormalised(product.hi, product.lo + (self.hi * other.lo + self.lo * other.hi))
    }
}
