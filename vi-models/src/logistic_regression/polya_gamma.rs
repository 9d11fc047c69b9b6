//! The Pólya-Gamma distribution PG(b, c) for whole b, and its exact sampler.
//!
//! Sources: N. G. Polson, J. G. Scott & J. Windle, *Bayesian Inference for Logistic Models Using Pólya–Gamma
//! Latent Variables*, JASA 108 (2013) 1339–1349, and its supplement S1–S2; L. Devroye, *On exact simulation
//! algorithms for some distributions related to Jacobi theta functions*, Stat. Prob. Letters 79 (2009).

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI, LN_2, PI};

use rand::RngExt;
use rand_distr::{Distribution, Exp1, StandardNormal};
use vi_core::StreamRng;

/// Where the two series of the Jacobi density are cut; supplement S1.
const CUT: f64 = 0.64;

/// The Pólya-Gamma distribution on (0, ∞).
///
/// ```text
/// PG(b, c) = Σ_{k≥1} g_k / (2π² ((k − ½)² + c²/4π²)),   g_k ~ Gamma(b, 1)
/// E[exp(−s ω)] = (cosh(c/2) / cosh √(c²/4 + s/2))ᵇ
/// p(ω | b, c) = cosh(c/2)ᵇ exp(−c²ω/2) p(ω | b, 0)
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PolyaGamma {
    shape: u32,
    tilt: f64,
}

impl PolyaGamma {
    /// PG(`shape`, `tilt`). PG(b, c) = PG(b, −c).
    pub fn new(shape: u32, tilt: f64) -> Self {
        Self { shape, tilt: tilt.abs() }
    }

    /// b.
    pub fn shape(&self) -> u32 {
        self.shape
    }

    /// |c|.
    pub fn tilt(&self) -> f64 {
        self.tilt
    }

    /// `E[ω] = b/(2c) tanh(c/2)`; b/4 at c = 0.
    pub fn mean(&self) -> f64 {
        f64::from(self.shape) * mean(self.tilt)
    }

    /// `Var[ω] = b/(4c³) (sinh c − c) sech²(c/2)`; b/24 at c = 0.
    pub fn variance(&self) -> f64 {
        let c = self.tilt;
        // (sinh c − c) sech²(c/2) = 2 tanh(c/2) − c sech²(c/2); the series where that cancels.
        let one = if c < 0.1 {
            let c2 = c * c;
            (1.0 - c2 * (0.2 - c2 * (17.0 / 560.0))) / 24.0
        } else {
            let t = (0.5 * c).tanh();
            (2.0 * t - c * (1.0 - t * t)) / (4.0 * c.powi(3))
        };
        f64::from(self.shape) * one
    }

    /// One draw: the sum of b draws of PG(1, c), each by Devroye's alternating series; nothing is cut off.
    pub fn sample(&self, rng: &mut StreamRng) -> f64 {
        let jacobi = TiltedJacobi::new(0.5 * self.tilt);
        (0..self.shape).map(|_| 0.25 * jacobi.sample(rng)).sum()
    }
}

/// `E[ω]` of PG(1, c), accurate for all c.
pub(super) fn mean(c: f64) -> f64 {
    // The series has error c⁸·2e-4 below the switch; tanh loses nothing above it.
    if c.abs() < 1e-2 {
        let c2 = c * c;
        0.25 - c2 * (1.0 / 48.0 - c2 * (1.0 / 480.0 - c2 * (17.0 / 80640.0)))
    } else {
        (0.5 * c).tanh() / (2.0 * c)
    }
}

/// log cosh(c/2), without overflow.
pub(super) fn log_cosh_half(c: f64) -> f64 {
    0.5 * c.abs() + (-c.abs()).exp().ln_1p() - LN_2
}

/// J*(1, z) = 4 PG(1, 2z).
struct TiltedJacobi {
    z: f64,
    /// π²/8 + z²/2, the rate of the right tail.
    rate: f64,
    /// The probability that a proposal falls right of the cut.
    right: f64,
}

impl TiltedJacobi {
    fn new(z: f64) -> Self {
        let rate = PI * PI / 8.0 + 0.5 * z * z;
        // Masses of the two proposals (supplement S1, algorithm 1), in logarithms so that neither vanishes.
        let log_right = (0.5 * PI / rate).ln() - rate * CUT;
        let log_left = LN_2 - z + log_inverse_gaussian_cdf(z);
        Self { z, rate, right: 1.0 / (1.0 + (log_left - log_right).exp()) }
    }

    fn sample(&self, rng: &mut StreamRng) -> f64 {
        loop {
            let x = if rng.random::<f64>() < self.right {
                let e: f64 = Exp1.sample(rng);
                CUT + e / self.rate
            } else {
                self.truncated_inverse_gaussian(rng)
            };
            if accept(x, rng) {
                return x;
            }
        }
    }

    /// The inverse Gaussian IG(1/z, 1) on (0, cut]; supplement S1, algorithms 2 and 3.
    fn truncated_inverse_gaussian(&self, rng: &mut StreamRng) -> f64 {
        if self.z < 1.0 / CUT {
            loop {
                let x = truncated_inverse_chi_square(rng);
                if rng.random::<f64>() <= (-0.5 * self.z * self.z * x).exp() {
                    return x;
                }
            }
        }
        let mean = 1.0 / self.z;
        loop {
            let normal: f64 = StandardNormal.sample(rng);
            let y = mean * normal * normal;
            // The smaller root of the two, in the form that does not cancel (Michael, Schucany & Haas 1976).
            let root = 2.0 * mean / (2.0 + y + (y * (4.0 + y)).sqrt());
            let x = if rng.random::<f64>() > mean / (mean + root) { mean * mean / root } else { root };
            if x <= CUT {
                return x;
            }
        }
    }
}

/// 1/χ²₁ on (0, cut].
fn truncated_inverse_chi_square(rng: &mut StreamRng) -> f64 {
    loop {
        let (e, f): (f64, f64) = (Exp1.sample(rng), Exp1.sample(rng));
        if e * e <= 2.0 * f / CUT {
            return CUT / (1.0 + CUT * e).powi(2);
        }
    }
}

/// Whether a proposal is accepted: a uniform variate under the alternating series Σ (−1)ⁿ aₙ(x), whose partial
/// sums bound it from above and below in turn.
fn accept(x: f64, rng: &mut StreamRng) -> bool {
    let mut sum = coefficient(0, x);
    let y = rng.random::<f64>() * sum;
    let mut n = 0;
    loop {
        n += 1;
        if n % 2 == 1 {
            sum -= coefficient(n, x);
            if y <= sum {
                return true;
            }
        } else {
            sum += coefficient(n, x);
            if y > sum {
                return false;
            }
        }
    }
}

/// aₙ(x), left and right of the cut.
fn coefficient(n: u32, x: f64) -> f64 {
    let k = f64::from(n) + 0.5;
    if x > CUT {
        PI * k * (-0.5 * k * k * PI * PI * x).exp()
    } else {
        PI * k * (FRAC_2_PI / x).powf(1.5) * (-2.0 * k * k / x).exp()
    }
}

/// log P(X ≤ cut) for X ~ IG(1/z, 1).
///
/// ```text
/// Φ((t z − 1)/√t) + e^{2z} Φ(−(t z + 1)/√t)
/// ```
fn log_inverse_gaussian_cdf(z: f64) -> f64 {
    let root = CUT.sqrt();
    let upper = (2.0 * z + normal_cdf(-(CUT * z + 1.0) / root).ln()).exp();
    (normal_cdf((CUT * z - 1.0) / root) + upper).ln()
}

fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}
