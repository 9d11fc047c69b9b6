//! Bits that pull at each other: the Ising model as an unnormalised posterior of discrete latents.
//!
//! ```text
//! log p(x, z) = Σ_i h_i z_i + Σ_{i<j} J_ij z_i z_j,    z ∈ {0, 1}ᴰ
//! ```
//! Its evidence Z = Σ_z p(x, z), and the gradient of any ELBO over it, are sums over 2ᴰ states, exact up to 20 bits.
//! Every bit is a block whose Markov blanket are its neighbours.
//!
//! Source: Ising 1925; as a test of score-function estimators: Titsias & Lázaro-Gredilla 2015, §5,
//! <https://arxiv.org/abs/1503.01494> (local terms of binary models).

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use vi_core::{KnownPosterior, LocalLogJoint, LogJoint, Parameter, ParameterSpace, Support};

use crate::ModelError;
use crate::checks::{finite, finite_matrix, finite_vector};

const MODEL: &str = "ising";

/// Bits that [`Ising::enumerate`] takes at most.
pub const MAX_ENUMERATED: usize = 20;

/// Coupled bits; see the [module](self).
#[derive(Clone, Debug)]
pub struct Ising {
    field: Array1<f64>,
    /// Symmetric, zero on the diagonal.
    coupling: Array2<f64>,
    space: ParameterSpace,
}

impl Ising {
    /// Fields h (D) and couplings J (D, D), symmetric with a zero diagonal.
    ///
    /// # Errors
    /// [`ModelError`] names the element that is not finite, or breaks the symmetry.
    pub fn new(field: Array1<f64>, coupling: Array2<f64>) -> Result<Self, ModelError> {
        finite_vector(MODEL, "field", &field)?;
        finite_matrix(MODEL, "coupling", &coupling)?;
        let d = field.len();
        for actual in [coupling.nrows(), coupling.ncols()] {
            if actual != d {
                return Err(ModelError::Length { model: MODEL, data: "coupling", expected: d, actual });
            }
        }
        for ((row, column), &value) in coupling.indexed_iter() {
            let expected = if row == column { 0.0 } else { coupling[[column, row]] };
            if value != expected {
                let requirement = "symmetric, with a zero diagonal";
                return Err(ModelError::Datum {
                    model: MODEL,
                    data: "coupling",
                    row,
                    column,
                    value,
                    requirement,
                });
            }
        }
        let space = ParameterSpace::new([Parameter::vector("bit", d, Support::Binary)])?;
        Ok(Self { field, coupling, space })
    }

    /// An open grid of `rows` × `columns` bits with one field and one coupling between neighbours.
    ///
    /// # Errors
    /// [`ModelError`] when there are no bits, or a value is not finite.
    pub fn grid(rows: usize, columns: usize, field: f64, coupling: f64) -> Result<Self, ModelError> {
        finite(MODEL, "field", field)?;
        finite(MODEL, "coupling", coupling)?;
        let d = rows * columns;
        let neighbours = |a: usize, b: usize| (b == a + 1 && !b.is_multiple_of(columns)) || b == a + columns;
        let matrix =
            Array2::from_shape_fn(
                (d, d),
                |(a, b)| {
                    if neighbours(a.min(b), a.max(b)) { coupling } else { 0.0 }
                },
            );
        Self::new(Array1::from_elem(d, field), matrix)
    }

    /// The fields (D).
    pub fn field(&self) -> &Array1<f64> {
        &self.field
    }

    /// The couplings (D, D).
    pub fn coupling(&self) -> &Array2<f64> {
        &self.coupling
    }

    /// Calls `f` with every state and its log joint; `None` above [`MAX_ENUMERATED`] bits.
    pub fn enumerate(&self, mut f: impl FnMut(&Array1<f64>, f64)) -> Option<()> {
        let d = self.dim();
        if d > MAX_ENUMERATED {
            return None;
        }
        let mut z = Array1::zeros(d);
        for state in 0..1_u32 << d {
            z.iter_mut().enumerate().for_each(|(i, z)| *z = f64::from(state >> i & 1));
            f(&z, self.log_joint(&z));
        }
        Some(())
    }

    /// log Σ_z p(x, z); `None` above [`MAX_ENUMERATED`] bits.
    pub fn log_evidence(&self) -> Option<f64> {
        // One pass: the sum is kept relative to the largest term so far.
        let (mut largest, mut sum) = (f64::NEG_INFINITY, 0.0);
        self.enumerate(|_, value| {
            if value > largest {
                sum *= (largest - value).exp();
                largest = value;
            }
            sum += (value - largest).exp();
        })?;
        Some(largest + sum.ln())
    }

    /// The exact probabilities of z_i = 1 (D); `None` above [`MAX_ENUMERATED`] bits.
    pub fn marginals(&self) -> Option<Array1<f64>> {
        let evidence = self.log_evidence()?;
        let mut out = Array1::zeros(self.dim());
        self.enumerate(|z, value| out.scaled_add((value - evidence).exp(), z))?;
        Some(out)
    }

    /// The exact gradient of the ELBO over independent bits with these logits (D), for any number of bits.
    ///
    /// ```text
    /// ∂ELBO/∂λ_i = m_i (1 − m_i) (h_i + Σ_j J_ij m_j − λ_i),   m = sigmoid(λ)
    /// ```
    /// The sum over states factorises for independent bits, so that no state is visited.
    pub fn mean_field_gradient(&self, logits: &ArrayRef1<f64>) -> Array1<f64> {
        let m = logits.mapv(|l| 1.0 / (1.0 + (-l).exp()));
        let pull = self.coupling.dot(&m);
        Array1::from_iter(
            (0..self.dim()).map(|i| m[i] * (1.0 - m[i]) * (self.field[i] + pull[i] - logits[i])),
        )
    }
}

impl LogJoint for Ising {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.field.dot(z) + 0.5 * z.dot(&self.coupling.dot(z))
    }

    /// One matrix product Z J for all rows.
    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        let pull = z.dot(&self.coupling);
        for ((z, pull), o) in z.rows().into_iter().zip(pull.rows()).zip(out.iter_mut()) {
            *o = self.field.dot(&z) + 0.5 * z.dot(&pull);
        }
    }
}

impl LocalLogJoint for Ising {
    fn n_blocks(&self) -> usize {
        self.dim()
    }
    fn block(&self, b: usize) -> Range<usize> {
        b..b + 1
    }
    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        z[b] * (self.field[b] + self.coupling.row(b).dot(z))
    }
}

/// By enumeration, up to [`MAX_ENUMERATED`] bits.
impl KnownPosterior for Ising {
    fn posterior_mean(&self) -> Option<Array1<f64>> {
        self.marginals()
    }

    fn posterior_covariance(&self) -> Option<Array2<f64>> {
        let (evidence, mean) = (self.log_evidence()?, self.marginals()?);
        let mut out = Array2::zeros((self.dim(), self.dim()));
        self.enumerate(|z, value| {
            let p = (value - evidence).exp();
            let away = z - &mean;
            for (mut row, a) in out.rows_mut().into_iter().zip(&away) {
                row.scaled_add(p * a, &away);
            }
        })?;
        Some(out)
    }

    fn log_evidence(&self) -> Option<f64> {
        self.log_evidence()
    }
}
