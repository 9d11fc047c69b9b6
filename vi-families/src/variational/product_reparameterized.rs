//! The product as a transport of noise: quantiles, and their derivatives through the distribution functions.

use ndarray::ArrayRef1;
use rand::RngExt;
use vi_core::StreamRng;

use super::gaussian::{with_slice, with_slice_mut};
use super::product_factor::ProductFactor;
use super::{ProductMember, Reparameterized, VariationalDistribution};
use crate::distributions::Dirichlet;
use crate::draw::standard_normal;
use crate::factor::Factor;
use crate::implicit::{ImplicitReparameterized, logit_derivatives};
use crate::special::{inverse_regularized_beta, trigamma_minus_reciprocal};

/// Gaussian factors move a normal, the others uniforms: z = F⁻¹(u), a Dirichlet by breaking a stick at Beta
/// quantiles. The derivatives in λ are implicit ([`ImplicitReparameterized`]). Discrete factors step from value to
/// value, which [`Reparameterized::is_differentiable`] says, and pass no derivative on.
///
/// An angle is turned from its location by the quantile of its deviation, so that ∂z/∂location = 1. Gradients through it are those
/// of functions that take the same value at −π and π.
///
/// A draw that underflows is moved inside the support, where its derivative is no longer that of the quantile: Gamma
/// and Dirichlet factors with shapes below 0.02.
impl Reparameterized for ProductMember<'_> {
    fn noise_dim(&self) -> usize {
        self.dim()
    }
    fn sample_noise(&self, rng: &mut StreamRng, noise: &mut ArrayRef1<f64>) {
        for (shape, factor) in self.pairs() {
            for i in shape.z.clone() {
                noise[i] = match factor {
                    ProductFactor::Gaussian { .. } => standard_normal(rng),
                    ProductFactor::Angle(_) | ProductFactor::Other { .. } => open_uniform(rng),
                };
            }
        }
    }
    fn transport(&self, noise: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        assert_eq!((noise.len(), z.len()), (self.dim(), self.dim()), "ProductFamily: wrong length");
        with_slice(noise, |noise| {
            with_slice_mut(z, |z| {
                for (shape, factor) in self.pairs() {
                    factor.transport(&noise[shape.z.clone()], &mut z[shape.z.clone()]);
                }
            });
        });
    }
    fn is_differentiable(&self, d: usize) -> bool {
        self.factor_at(d).is_continuous()
    }
    fn add_transport_vjp(
        &self,
        noise: &ArrayRef1<f64>,
        z: &ArrayRef1<f64>,
        grad: &ArrayRef1<f64>,
        weight: f64,
        out: &mut ArrayRef1<f64>,
    ) {
        let d = self.dim();
        assert_eq!((noise.len(), z.len(), grad.len()), (d, d, d), "ProductFamily: wrong length");
        assert_eq!(out.len(), self.n_params(), "ProductFamily: out has the wrong length");
        with_slice(z, |z| {
            with_slice_mut(out, |out| {
                for (shape, factor) in self.pairs() {
                    let (first, out) = (shape.z.start, &mut out[shape.params.clone()]);
                    let grad = |k: usize| weight * grad[first + k];
                    factor.add_transport_vjp(noise[first], &z[shape.z.clone()], grad, out);
                }
            });
        });
    }
    fn add_entropy_grad(&self, weight: f64, out: &mut ArrayRef1<f64>) {
        assert_eq!(out.len(), self.n_params(), "ProductFamily: out has the wrong length");
        with_slice_mut(out, |out| {
            for (shape, factor) in self.pairs() {
                factor.add_entropy_grad(weight, &mut out[shape.params.clone()]);
            }
        });
    }
}

/// The middle of one of 2⁵² equal cells of (0, 1): never an end, and 1 − u is exact.
fn open_uniform(rng: &mut StreamRng) -> f64 {
    ((rng.random::<u64>() >> 12) as f64 + 0.5) * 2f64.powi(-52)
}

impl ProductFactor {
    fn is_continuous(&self) -> bool {
        !matches!(self, Self::Other { factor: Factor::Bernoulli(_) | Factor::Categorical(_), .. })
    }

    fn transport(&self, noise: &[f64], z: &mut [f64]) {
        match self {
            Self::Gaussian { mean, sd, .. } => z[0] = mean + sd * noise[0],
            Self::Angle(factor) => z[0] = factor.transport(noise[0]),
            Self::Other { factor: Factor::Dirichlet(d), .. } => break_stick(d, noise, z),
            Self::Other { factor, .. } => factor.quantile(noise, z),
        }
    }

    /// out += (∂z/∂λ)ᵀ grad; `noise` is that of the first coordinate.
    fn add_transport_vjp(&self, noise: f64, z: &[f64], grad: impl Fn(usize) -> f64, out: &mut [f64]) {
        let factor = match self {
            Self::Gaussian { sd, .. } => {
                out[0] += grad(0);
                out[1] += grad(0) * sd * noise;
                return;
            }
            Self::Angle(factor) => return factor.add_transport_vjp(z[0], grad(0), out),
            Self::Other { factor, .. } => factor,
        };
        match factor {
            Factor::Gamma(d) => {
                out[0] += grad(0) * d.sample_jacobian(&z[0])[[0, 0]] * d.shape();
                out[1] -= grad(0) * z[0];
            }
            Factor::Beta { unit, lower, upper } => {
                let width = upper - lower;
                let (x, y) = ((z[0] - lower) / width, (upper - z[0]) / width);
                let (da, db) = logit_derivatives(unit.alpha(), unit.beta(), x, y);
                out[0] += grad(0) * (width * x * y * da) * unit.alpha();
                out[1] += grad(0) * (width * x * y * db) * unit.beta();
            }
            Factor::Dirichlet(d) => {
                let jacobian = d.sample_jacobian(&ndarray::aview1(z));
                for (i, o) in out.iter_mut().enumerate() {
                    let along: f64 = (0..z.len()).map(|k| grad(k) * jacobian[[k, i]]).sum();
                    *o += along * d.concentration()[i];
                }
            }
            Factor::Gaussian(_) | Factor::VonMises(_) | Factor::Bernoulli(_) | Factor::Categorical(_) => {}
        }
    }

    /// out += weight ∇_λ H: with a constant base measure ∇_η H = −F η.
    fn add_entropy_grad(&self, weight: f64, out: &mut [f64]) {
        match self {
            Self::Gaussian { .. } => out[1] += weight,
            Self::Angle(factor) => factor.add_entropy_grad(weight, out),
            // H = a − log b + log Γ(a) + (1 − a) ψ(a), without the cancellation of F η at large a.
            Self::Other { factor: Factor::Gamma(d), .. } => {
                let a = d.shape();
                out[0] += weight * (1.0 + a * (1.0 - a) * trigamma_minus_reciprocal(a));
                out[1] -= weight;
            }
            Self::Other { factor, slopes, .. } => {
                let change = factor.fisher().dot(&factor.natural());
                for ((o, c), slope) in out.iter_mut().zip(&change).zip(slopes) {
                    *o -= weight * slope * c;
                }
            }
        }
    }

    /// out += weight ∇_z log q.
    pub(super) fn add_log_prob_grad(&self, z: &[f64], weight: f64, out: &mut [f64]) {
        match self {
            Self::Gaussian { mean, inverse_sd, .. } => {
                out[0] -= weight * ((z[0] - mean) * inverse_sd * inverse_sd);
            }
            Self::Angle(factor) => out[0] += weight * factor.log_prob_grad(z[0]),
            Self::Other { factor, .. } => match factor {
                Factor::Gamma(d) => out[0] += weight * ((d.shape() - 1.0) / z[0] - d.rate()),
                Factor::Beta { unit, lower, upper } => {
                    let (left, right) = (unit.alpha() - 1.0, unit.beta() - 1.0);
                    out[0] += weight * (left / (z[0] - lower) - right / (upper - z[0]));
                }
                Factor::Dirichlet(d) => {
                    for ((o, z), a) in out.iter_mut().zip(z).zip(d.concentration()) {
                        *o += weight * ((a - 1.0) / z);
                    }
                }
                Factor::Gaussian(_) | Factor::VonMises(_) | Factor::Bernoulli(_) | Factor::Categorical(_) => {
                }
            },
        }
    }
}

/// v_k = the quantile at u_k of Beta(α_k, Σ_{j>k} α_j), z_k = v_k Π_{j<k} (1 − v_j); the last uniform is not used.
fn break_stick(d: &Dirichlet, u: &[f64], z: &mut [f64]) {
    let alpha = d.concentration();
    let last = z.len() - 1;
    let mut left = 1.0;
    for k in 0..last {
        let rest = alpha.iter().skip(k + 1).sum();
        // v and 1 − v each from their own side, so that neither cancels.
        let v = inverse_regularized_beta(alpha[k], rest, u[k]);
        z[k] = (left * v).max(f64::MIN_POSITIVE);
        left *= inverse_regularized_beta(rest, alpha[k], 1.0 - u[k]);
    }
    z[last] = left.max(f64::MIN_POSITIVE);
}
