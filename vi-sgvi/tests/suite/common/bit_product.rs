//! A variational family as a user would write it: a product of Bernoulli distributions.

use ndarray::{Array1, ArrayRef1};
use rand::RngExt;
use vi_core::StreamRng;
use vi_families::{FamilyError, VariationalDistribution, VariationalFamily};

/// A product of Bernoulli distributions; λ are their logits.
#[derive(Clone, Debug)]
pub(crate) struct BitProduct {
    pub(crate) dim: usize,
}

pub(crate) struct Bits<'a>(&'a ArrayRef1<f64>);

impl VariationalFamily for BitProduct {
    type Member<'a> = Bits<'a>;

    fn dim(&self) -> usize {
        self.dim
    }
    fn n_params(&self) -> usize {
        self.dim
    }
    fn param_names(&self) -> Vec<String> {
        (1..=self.dim).map(|d| format!("logit[{d}]")).collect()
    }
    fn init(&self) -> Array1<f64> {
        Array1::zeros(self.dim)
    }
    fn bind<'a>(&'a self, params: &'a ArrayRef1<f64>) -> Result<Bits<'a>, FamilyError> {
        assert_eq!(params.len(), self.dim);
        Ok(Bits(params))
    }
}

impl VariationalDistribution for Bits<'_> {
    fn dim(&self) -> usize {
        self.0.len()
    }
    fn n_params(&self) -> usize {
        self.0.len()
    }
    fn sample(&self, rng: &mut StreamRng, z: &mut ArrayRef1<f64>) {
        for (z, logit) in z.iter_mut().zip(self.0) {
            let uniform: f64 = rng.random();
            *z = f64::from(u8::from(uniform < 1.0 / (1.0 + (-logit).exp())));
        }
    }
    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64 {
        z.iter().zip(self.0).map(|(z, logit)| z * logit - logit.exp().ln_1p()).sum()
    }
    fn add_score(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>) {
        for ((o, z), logit) in out.iter_mut().zip(z).zip(self.0) {
            *o += weight * (z - 1.0 / (1.0 + (-logit).exp()));
        }
    }
    fn entropy(&self) -> Option<f64> {
        Some(self.0.iter().map(|l| l.exp().ln_1p() - l / (1.0 + (-l).exp())).sum())
    }
}
