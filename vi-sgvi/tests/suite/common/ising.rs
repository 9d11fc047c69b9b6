//! Coupled bits: every expectation is a sum over 2ᴰ states.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef1};
use rand::RngExt;
use vi_core::{LocalLogJoint, LogJoint, Parameter, ParameterSpace, StreamRng, Support};
use vi_families::{FamilyError, VariationalDistribution, VariationalFamily};

/// log p(x, z) = Σ_i field_i z_i + Σ_{i<j} coupling_ij z_i z_j + offset.
#[derive(Debug)]
pub(crate) struct Ising {
    parameters: ParameterSpace,
    field: Array1<f64>,
    coupling: Array2<f64>,
    offset: f64,
}

impl Ising {
    /// Five bits with couplings of both signs.
    pub(crate) fn five_bits() -> Self {
        let coupling =
            Array2::from_shape_fn((5, 5), |(i, j)| if i < j { ((3 * i + 5 * j) as f64).sin() } else { 0.0 });
        Self {
            parameters: ParameterSpace::new([Parameter::vector("bit", 5, Support::Binary)]).unwrap(),
            field: Array1::from_vec(vec![0.4, -0.8, 0.1, 1.1, -0.3]),
            coupling,
            offset: -8.0,
        }
    }
}

impl LogJoint for Ising {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.offset + self.field.dot(z) + z.dot(&self.coupling.dot(z))
    }
}

/// Every bit is a block: its field and its couplings.
impl LocalLogJoint for Ising {
    fn n_blocks(&self) -> usize {
        self.field.len()
    }
    fn block(&self, b: usize) -> Range<usize> {
        b..b + 1
    }
    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        z[b] * (self.field[b] + self.coupling.row(b).dot(z) + self.coupling.column(b).dot(z))
    }
}

/// ∇_λ ELBO = Σ_z q(z) [log p(x, z) − log q(z)] ∇_λ log q(z) over all states of `bits` bits.
pub(crate) fn exact_gradient_by_enumeration<F: VariationalFamily>(
    model: &Ising,
    family: &F,
    params: &ArrayRef1<f64>,
) -> Array1<f64> {
    let q = family.bind(params).unwrap();
    let (d, mut grad, mut total) = (model.dim(), Array1::zeros(params.len()), 0.0);
    for state in 0..1u32 << d {
        let z = Array1::from_iter((0..d).map(|i| f64::from(state >> i & 1)));
        let log_q = q.log_prob(&z);
        total += log_q.exp();
        q.add_score(&z, log_q.exp() * (model.log_joint(&z) - log_q), &mut grad);
    }
    assert!((total - 1.0).abs() < 1e-12, "q sums to {total}");
    grad
}

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
