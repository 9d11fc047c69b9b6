//! Derivatives of densities as differences of two densities.

use ndarray::ArrayRef1;
use rand::RngExt;
use vi_core::StreamRng;

use super::FactorizedDistribution;
use super::mean_field::MeanFieldGaussianMember;
use super::product_factor::ProductFactor;
use crate::draw::{standard_exponential, standard_normal};
use crate::factor::Factor;

/// A product whose factors have measure-valued derivatives.
///
/// ```text
/// ∇_λ E_{q_i}[f] = c (E_{q⁺}[f] − E_{q⁻}[f])
///
/// element of λ             c                q⁺                          q⁻
/// location of N(m, s²)     1/(s √(2π))      m + s W, W Weibull(2, √2)   m − s W
/// log_scale of N(m, s²)    1                m + s M, M two-sided        N(m, s²)
///                                           Maxwell: density ∝ x² φ(x)
/// logit of Bernoulli       p (1 − p)        1                           0
/// log_odds k of categories q_k (1 − q_k)    k                           q given z ≠ k
/// log_rate of Gamma(a, b)  a                Gamma(a, b)                 Gamma(a + 1, b)
/// ```
/// Others (the shape of a Gamma, the parameters of a Beta or a Dirichlet) have no known decomposition.
///
/// Source: Mohamed, Rosca, Figurnov & Mnih 2020, table 1 and §6.2, <https://arxiv.org/abs/1906.10652>.
pub trait MeasureValuedDistribution: FactorizedDistribution {
    /// The constant c of element `param` of λ, which belongs to factor `i`; `None` if no decomposition is known.
    fn pair_weight(&self, i: usize, param: usize) -> Option<f64>;
    /// Draws factor `i` from q⁺ in `plus` (D) and from q⁻ in `minus` (D), coupled; their other coordinates stay.
    ///
    /// # Panics
    /// If the element has no decomposition.
    fn sample_pair(
        &self,
        i: usize,
        param: usize,
        rng: &mut StreamRng,
        plus: &mut ArrayRef1<f64>,
        minus: &mut ArrayRef1<f64>,
    );
}

/// 1/√(2π).
const PHI_0: f64 = 0.398_942_280_401_432_7;

/// W and −W, with P(W > w) = exp(−w²/2).
fn location_pair(rng: &mut StreamRng) -> [f64; 2] {
    let w = (2.0 * standard_exponential(rng)).sqrt();
    [w, -w]
}

/// M of the two-sided Maxwell law, and U M, which is standard normal for a uniform U.
fn scale_pair(rng: &mut StreamRng) -> [f64; 2] {
    let [a, b, c] = [standard_normal(rng), standard_normal(rng), standard_normal(rng)];
    // The length of (a, b, c) is independent of the sign of a.
    let m = (a * a + b * b + c * c).sqrt().copysign(a);
    [m, rng.random::<f64>() * m]
}

/// A value other than `k`, each with the probability it has given that.
fn other_value(k: usize, log_probabilities: &ArrayRef1<f64>, rng: &mut StreamRng) -> usize {
    let others = || log_probabilities.iter().map(|l| l.exp()).enumerate().filter(|(j, _)| *j != k);
    let mut left = rng.random::<f64>() * others().map(|(_, p)| p).sum::<f64>();
    let mut last = k;
    for (j, p) in others() {
        last = j;
        if left < p {
            break;
        }
        left -= p;
    }
    last
}

impl ProductFactor {
    /// c of parameter `j`.
    pub(super) fn pair_weight(&self, j: usize) -> Option<f64> {
        match self {
            Self::Gaussian { inverse_sd, .. } => Some([PHI_0 * inverse_sd, 1.0][j]),
            Self::Angle(_) => None,
            Self::Other { factor, .. } => match factor {
                Factor::Bernoulli(d) => Some(d.variance()),
                Factor::Categorical(d) => {
                    let p = d.log_probabilities()[j].exp();
                    let rest = d.log_probabilities().iter().enumerate().filter(|(k, _)| *k != j);
                    Some(p * rest.map(|(_, l)| l.exp()).sum::<f64>())
                }
                Factor::Gamma(d) if j == 1 => Some(d.shape()),
                _ => None,
            },
        }
    }

    /// Draws from q⁺ and q⁻ of parameter `j`.
    pub(super) fn sample_pair(&self, j: usize, rng: &mut StreamRng) -> Option<[f64; 2]> {
        match self {
            Self::Gaussian { mean, sd, .. } => {
                let pair = if j == 0 { location_pair(rng) } else { scale_pair(rng) };
                Some(pair.map(|y| mean + sd * y))
            }
            Self::Angle(_) => None,
            Self::Other { factor, .. } => match factor {
                Factor::Bernoulli(_) => Some([1.0, 0.0]),
                Factor::Categorical(d) => Some([j as f64, other_value(j, d.log_probabilities(), rng) as f64]),
                Factor::Gamma(d) if j == 1 => {
                    let mut z = [0.0];
                    factor.sample(rng, &mut z);
                    // Gamma(a + 1) is Gamma(a) and an exponential variate more.
                    Some([z[0], z[0] + standard_exponential(rng) / d.rate()])
                }
                _ => None,
            },
        }
    }
}

impl MeasureValuedDistribution for MeanFieldGaussianMember {
    fn pair_weight(&self, i: usize, param: usize) -> Option<f64> {
        Some(if param == i { PHI_0 / self.sd()[i] } else { 1.0 })
    }
    fn sample_pair(
        &self,
        i: usize,
        param: usize,
        rng: &mut StreamRng,
        plus: &mut ArrayRef1<f64>,
        minus: &mut ArrayRef1<f64>,
    ) {
        let pair = if param == i { location_pair(rng) } else { scale_pair(rng) };
        [plus[i], minus[i]] = pair.map(|y| self.mean()[i] + self.sd()[i] * y);
    }
}
