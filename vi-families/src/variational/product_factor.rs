//! One factor of a product, bound once and evaluated many times, with its score in unconstrained parameters.

use std::ops::Range;

use ndarray::{Array1, Array2};
use vi_core::StreamRng;

use super::Damping;
use super::angle_factor::{AngleFactor, angle_step};
use super::gaussian::scale;
use super::natural_gradient::{
    gaussian_step, log_step, singular, solve_less_rank_one, solve_less_rank_one_by_difference, solve_one,
    solve_two,
};
use crate::distributions::LOG_TWO_PI;
use crate::draw::standard_normal;
use crate::error::FamilyError;
use crate::factor::Factor;
use crate::factor_kind::FactorKind;
use crate::special::{normal_quantile, trigamma};
use crate::validate::{FINITE, domain};

/// The shape of a factor: its family, where its values stand in z and its parameters in λ.
#[derive(Clone, Debug)]
pub(crate) struct FactorShape {
    pub(crate) kind: FactorKind,
    pub(crate) z: Range<usize>,
    pub(crate) params: Range<usize>,
}

/// A [`Factor`] with what its density and score need at every draw.
#[derive(Clone, Debug)]
pub(crate) enum ProductFactor {
    /// In its own coordinates, where no statistics cancel.
    Gaussian { mean: f64, sd: f64, inverse_sd: f64, log_sd: f64 },
    /// Likewise.
    Angle(AngleFactor),
    /// The others, whose ∂η/∂λ is diagonal.
    Other {
        kind: FactorKind,
        factor: Factor,
        log_partition: f64,
        mean_params: Array1<f64>,
        slopes: Array1<f64>,
    },
}

impl ProductFactor {
    /// The member with parameters `params`; `name(i)` is called only to report parameter i.
    pub(crate) fn bind(
        kind: FactorKind,
        params: &[f64],
        name: impl Fn(usize) -> String,
    ) -> Result<Self, FamilyError> {
        const FAMILY: &str = "ProductFamily";
        if let FactorKind::Gaussian = kind {
            if !params[0].is_finite() {
                return Err(domain(FAMILY, name(0), params[0], FINITE));
            }
            let (sd, inverse_sd) = scale(FAMILY, || name(1), params[1])?;
            return Ok(Self::Gaussian { mean: params[0], sd, inverse_sd, log_sd: params[1] });
        }
        if let FactorKind::VonMises = kind {
            return Ok(Self::Angle(AngleFactor::bind(params, name)?));
        }
        let positive = |i: usize| Ok(scale(FAMILY, || name(i), params[i])?.0);
        let factor = kind.with_unconstrained(params, positive, &name)?;
        let slopes = (0..params.len()).map(|i| factor.natural_slope(i)).collect();
        Ok(Self::other(kind, factor, slopes))
    }

    fn other(kind: FactorKind, factor: Factor, slopes: Array1<f64>) -> Self {
        let (log_partition, mean_params) = (factor.log_partition(), factor.mean_params());
        Self::Other { kind, factor, log_partition, mean_params, slopes }
    }

    /// The factor whose density is proportional to the power 1/`dispersion` of this one's.
    pub(crate) fn tempered(&self, dispersion: f64) -> Result<Self, FamilyError> {
        match self {
            Self::Gaussian { mean, sd, inverse_sd, log_sd } => {
                let factor = dispersion.sqrt();
                let (sd, inverse_sd) = (sd * factor, inverse_sd / factor);
                Ok(Self::Gaussian { mean: *mean, sd, inverse_sd, log_sd: log_sd + factor.ln() })
            }
            Self::Angle(factor) => Ok(Self::Angle(factor.tempered(dispersion)?)),
            Self::Other { kind, factor, .. } => {
                let factor = kind.with_natural(&(factor.natural() / dispersion))?;
                let slopes = (0..kind.n_params()).map(|i| factor.natural_slope(i)).collect();
                Ok(Self::other(*kind, factor, slopes))
            }
        }
    }

    /// Overwrites `z` with the quantiles at `u`, as many as coordinates; an angle is turned from its location by that of its
    /// deviation.
    pub(crate) fn quantile(&self, u: &[f64], z: &mut [f64]) {
        match self {
            Self::Gaussian { mean, sd, .. } => z[0] = mean + sd * normal_quantile(u[0]),
            Self::Angle(factor) => z[0] = factor.transport(u[0]),
            Self::Other { factor, .. } => factor.quantile(u, z),
        }
    }

    pub(crate) fn sample(&self, rng: &mut StreamRng, z: &mut [f64]) {
        match self {
            Self::Gaussian { mean, sd, .. } => z[0] = mean + sd * standard_normal(rng),
            Self::Angle(factor) => z[0] = factor.sample(rng),
            Self::Other { factor, .. } => factor.sample(rng, z),
        }
    }

    pub(crate) fn log_prob(&self, z: &[f64]) -> f64 {
        match self {
            Self::Gaussian { mean, inverse_sd, log_sd, .. } => {
                let y = (z[0] - mean) * inverse_sd;
                -0.5 * (y * y + LOG_TWO_PI) - log_sd
            }
            Self::Angle(factor) => factor.log_prob(z[0]),
            Self::Other { factor, log_partition, .. } => factor.log_prob_with(*log_partition, z),
        }
    }

    /// out += weight ∇_λ log q: the score T(z) − μ in η, times ∂η/∂λ.
    pub(crate) fn add_score(&self, z: &[f64], weight: f64, out: &mut [f64]) {
        match self {
            Self::Gaussian { mean, inverse_sd, .. } => {
                let y = (z[0] - mean) * inverse_sd;
                out[0] += weight * (y * inverse_sd);
                out[1] += weight * (y * y - 1.0);
            }
            Self::Angle(factor) => factor.add_score(z[0], weight, out),
            Self::Other { kind, mean_params, slopes, .. } => {
                for (i, o) in out.iter_mut().enumerate() {
                    *o += weight * slopes[i] * (kind.sufficient_stat(i, z) - mean_params[i]);
                }
            }
        }
    }

    pub(crate) fn entropy(&self) -> f64 {
        match self {
            Self::Gaussian { log_sd, .. } => log_sd + 0.5 * (1.0 + LOG_TWO_PI),
            Self::Angle(factor) => factor.entropy(),
            Self::Other { factor, .. } => factor.entropy(),
        }
    }

    /// ∂η/∂λ ∇²A(η) (∂η/∂λ)ᵀ.
    pub(crate) fn fisher(&self) -> Array2<f64> {
        match self {
            Self::Gaussian { inverse_sd, .. } => {
                Array2::from_diag(&ndarray::array![inverse_sd * inverse_sd, 2.0])
            }
            Self::Angle(factor) => factor.fisher(),
            Self::Other { factor, slopes, .. } => {
                let mut fisher = factor.fisher();
                for ((i, j), value) in fisher.indexed_iter_mut() {
                    *value *= slopes[i] * slopes[j];
                }
                fisher
            }
        }
    }

    /// out = (F, damped)⁻¹ grad, by the structure of the family: O(n).
    pub(crate) fn natural_gradient(
        &self,
        damping: Damping,
        grad: &[f64],
        out: &mut [f64],
    ) -> Result<(), FamilyError> {
        let (factor, slopes, mean_params, log_partition) = match self {
            Self::Gaussian { inverse_sd, .. } => {
                out[0] = solve_one(0, inverse_sd * inverse_sd, damping, grad[0])?;
                out[1] = solve_one(1, 2.0, damping, grad[1])?;
                return Ok(());
            }
            Self::Angle(factor) => return factor.natural_gradient(damping, grad, out),
            Self::Other { factor, slopes, mean_params, log_partition, .. } => {
                (factor, slopes, mean_params, *log_partition)
            }
        };
        match factor {
            Factor::Dirichlet(d) => {
                let common = trigamma(d.concentration().sum());
                let of = |i: usize| {
                    let (own, u) = (trigamma(d.concentration()[i]), slopes[i]);
                    (u * u * own + damping.extra(u * u * (own - common)), u)
                };
                solve_less_rank_one_by_difference(of, common, grad, out)
            }
            Factor::Categorical(_) => {
                let variance = |p: f64| p * (1.0 - p);
                let of = |i: usize| {
                    let p = mean_params[i];
                    (p + damping.extra(variance(p)), p)
                };
                // 1 − Σ p²/d as the last probability and a sum of what is positive.
                let extra = |p: &f64| {
                    let extra = damping.extra(variance(*p));
                    if extra > 0.0 { p * extra / (p + extra) } else { 0.0 }
                };
                let rest = (-log_partition).exp() + mean_params.iter().map(extra).sum::<f64>();
                solve_less_rank_one(of, 1.0, rest, grad, out)
            }
            _ => {
                let fisher = self.fisher();
                if grad.len() == 1 {
                    out[0] = solve_one(0, fisher[[0, 0]], damping, grad[0])?;
                    return Ok(());
                }
                let fisher = [fisher[[0, 0]], fisher[[0, 1]], fisher[[1, 1]]];
                let solved = solve_two(fisher, damping, [grad[0], grad[1]]);
                [out[0], out[1]] = solved.map_err(|(i, value)| singular(i, value))?;
                Ok(())
            }
        }
    }
}

/// A step in the natural parameters of one factor; how often it was halved.
pub(crate) fn natural_step(
    kind: FactorKind,
    params: &[f64],
    natural_gradient: &[f64],
    step: f64,
    out: &mut [f64],
) -> Result<u32, FamilyError> {
    const FAMILY: &str = "ProductFamily";
    match kind {
        FactorKind::Gaussian => {
            let (at, along) = ([params[0], params[1]], [natural_gradient[0], natural_gradient[1]]);
            let (moved, n_halvings) = gaussian_step(FAMILY, at, along, step)?;
            out.copy_from_slice(&moved);
            Ok(n_halvings)
        }
        FactorKind::VonMises => {
            let (at, along) = ([params[0], params[1]], [natural_gradient[0], natural_gradient[1]]);
            let (moved, n_halvings) = angle_step(at, along, step)?;
            out.copy_from_slice(&moved);
            Ok(n_halvings)
        }
        FactorKind::Gamma | FactorKind::Beta { .. } | FactorKind::Dirichlet { .. } => {
            log_step(FAMILY, params, natural_gradient, step, out)
        }
        FactorKind::Bernoulli | FactorKind::Categorical { .. } => {
            for ((o, p), n) in out.iter_mut().zip(params).zip(natural_gradient) {
                *o = p + step * n;
            }
            Ok(0)
        }
    }
}
