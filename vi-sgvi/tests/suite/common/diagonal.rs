//! A variational family as a user would write it: a Gaussian with independent coordinates that allocates
//! nothing.

use ndarray::{Array1, ArrayRef1};
use rand::RngExt;
use rand_distr::StandardNormal;
use vi_core::StreamRng;
use vi_families::special::normal_quantile;
use vi_families::{
    Damping, FamilyError, Reparameterized, UniformTransport, VariationalDistribution, VariationalFamily,
};

/// λ = (location (D), log_scale (D)).
#[derive(Clone, Debug)]
pub(crate) struct Diagonal {
    pub(crate) dim: usize,
}

pub(crate) struct Member<'a> {
    dim: usize,
    params: &'a ArrayRef1<f64>,
}

impl VariationalFamily for Diagonal {
    type Member<'a> = Member<'a>;

    fn dim(&self) -> usize {
        self.dim
    }
    fn n_params(&self) -> usize {
        2 * self.dim
    }
    fn param_names(&self) -> Vec<String> {
        let names = |what: &'static str| (1..=self.dim).map(move |d| format!("{what}[{d}]"));
        names("location").chain(names("log_scale")).collect()
    }
    fn init(&self) -> Array1<f64> {
        Array1::zeros(2 * self.dim)
    }
    fn bind<'a>(&'a self, params: &'a ArrayRef1<f64>) -> Result<Member<'a>, FamilyError> {
        assert_eq!(params.len(), 2 * self.dim);
        Ok(Member { dim: self.dim, params })
    }
}

impl Member<'_> {
    fn location(&self, d: usize) -> f64 {
        self.params[d]
    }
    fn log_scale(&self, d: usize) -> f64 {
        self.params[self.dim + d]
    }
    fn standardised(&self, z: &ArrayRef1<f64>, d: usize) -> f64 {
        (z[d] - self.location(d)) * (-self.log_scale(d)).exp()
    }
}

impl VariationalDistribution for Member<'_> {
    fn dim(&self) -> usize {
        self.dim
    }
    fn n_params(&self) -> usize {
        2 * self.dim
    }
    fn sample(&self, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        for d in 0..self.dim {
            let noise: f64 = rng.sample(StandardNormal);
            z[d] = self.location(d) + self.log_scale(d).exp() * noise;
        }
    }
    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        let log_norm = 0.5 * (2.0 * std::f64::consts::PI).ln();
        (0..self.dim).map(|d| -0.5 * self.standardised(z, d).powi(2) - self.log_scale(d) - log_norm).sum()
    }
    fn add_score(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        for d in 0..self.dim {
            let x = self.standardised(z, d);
            out[d] += weight * x * (-self.log_scale(d)).exp();
            out[self.dim + d] += weight * (x * x - 1.0);
        }
    }
    fn entropy(&self) -> Option<f64> {
        let each = 0.5 * (2.0 * std::f64::consts::PI * std::f64::consts::E).ln();
        Some((0..self.dim).map(|d| self.log_scale(d) + each).sum())
    }
    fn natural_gradient(
        &self,
        damping: Damping,
        grad: &ArrayRef1<f64>,
        out: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError> {
        for d in 0..self.dim {
            out[d] = grad[d] / damping.diagonal((-2.0 * self.log_scale(d)).exp());
            out[self.dim + d] = grad[self.dim + d] / damping.diagonal(2.0);
        }
        Ok(())
    }
}

impl UniformTransport for Member<'_> {
    fn transport_uniforms(&self, u: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        for d in 0..self.dim {
            z[d] = self.location(d) + self.log_scale(d).exp() * normal_quantile(u[d]);
        }
    }
}

impl Reparameterized for Member<'_> {
    fn noise_dim(&self) -> usize {
        self.dim
    }
    fn sample_noise(&self, rng: &mut StreamRng, noise: &mut ArrayRef1<f64>) {
        noise.iter_mut().for_each(|e| *e = rng.sample(StandardNormal));
    }
    fn transport(&self, noise: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        for d in 0..self.dim {
            z[d] = self.location(d) + self.log_scale(d).exp() * noise[d];
        }
    }
    fn add_transport_vjp(
        &self,
        noise: &ArrayRef1<f64>,
        _z: &ArrayRef1<f64>,
        grad: &ArrayRef1<f64>,
        weight: f64,
        out: &mut ArrayRef1<f64>,
    ) {
        for d in 0..self.dim {
            out[d] += weight * grad[d];
            out[self.dim + d] += weight * grad[d] * self.log_scale(d).exp() * noise[d];
        }
    }
    fn add_entropy_grad(&self, weight: f64, out: &mut ArrayRef1<f64>) {
        (0..self.dim).for_each(|d| out[self.dim + d] += weight);
    }
}
