//! The fitted q as a posterior.

use ndarray::{Array1, Array2, Array3, ArrayRef1, ArrayViewMut1};
use vi_core::{Bijection, Draws, Exec, ParameterSpace, Posterior, StreamKey};
use vi_families::{VariationalDistribution, VariationalFamily};

use crate::error::SgviError;
use crate::workspace::matrix_mut;

/// A member q_λ of a variational family over the latent variables of a model, or over their images in ℝᴰ′.
#[derive(Clone, Debug)]
pub struct SgviPosterior<F> {
    family: F,
    params: Array1<f64>,
    support: Over,
}

/// What the family's own draws are.
#[derive(Clone, Debug)]
enum Over {
    /// The latent variables themselves.
    Natural(ParameterSpace),
    /// Their images under the inverse of this map.
    Image(Box<Bijection>),
}

impl<F: VariationalFamily> SgviPosterior<F> {
    /// q_λ over `parameters`, on whose support the family draws.
    ///
    /// # Errors
    /// [`SgviError::Family`] when λ is outside its domain, [`SgviError::Dimension`] when family and
    /// parameters do not fit.
    pub fn new(family: F, params: Array1<f64>, parameters: ParameterSpace) -> Result<Self, SgviError> {
        if family.dim() != parameters.dim() {
            return Err(SgviError::Dimension { model: parameters.dim(), family: family.dim() });
        }
        family.bind(&params)?;
        Ok(Self { family, params, support: Over::Natural(parameters) })
    }

    /// The same q seen on the natural support, when it was fitted on ℝᴰ′ (to a [`vi_core::Unconstrained`]).
    ///
    /// ```text
    /// z = z(u), u ~ q_λ;   log q(z) = log q_λ(u(z)) − log |det ∂z/∂u|
    /// ```
    ///
    /// # Errors
    /// [`SgviError::Dimension`] when the family is not over the bijection's ℝᴰ′.
    pub fn through(self, bijection: &Bijection) -> Result<Self, SgviError> {
        let image = bijection.unconstrained().dim();
        if self.family.dim() != image {
            return Err(SgviError::Dimension { model: image, family: self.family.dim() });
        }
        Ok(Self { support: Over::Image(Box::new(bijection.clone())), ..self })
    }

    /// The family.
    pub fn family(&self) -> &F {
        &self.family
    }

    /// λ (P).
    pub fn params(&self) -> &Array1<f64> {
        &self.params
    }

    /// q_λ.
    pub fn member(&self) -> F::Member<'_> {
        self.family.bind(&self.params).expect("λ was validated when the posterior was made")
    }
}

impl<F: VariationalFamily> Posterior for SgviPosterior<F> {
    fn parameters(&self) -> &ParameterSpace {
        match &self.support {
            Over::Natural(parameters) => parameters,
            Over::Image(bijection) => bijection.constrained(),
        }
    }

    fn draws(&self, n: usize, key: StreamKey) -> Draws {
        let (q, d) = (self.member(), self.parameters().dim());
        let mut values = vec![0.0; n * d];
        Exec::local().for_each_chunk(&mut values, d, |items, rows| match &self.support {
            Over::Natural(_) => q.sample_batch(key, items, &mut matrix_mut(rows, d)),
            Over::Image(bijection) => {
                let mut u = Array2::zeros((items.len(), self.family.dim()));
                q.sample_batch(key, items, &mut u);
                for (u, z) in u.rows().into_iter().zip(rows.chunks_exact_mut(d)) {
                    bijection.constrain(&u, &mut ArrayViewMut1::from(z));
                }
            }
        });
        let values = Array3::from_shape_vec((1, n, d), values).expect("n rows of length D were made");
        Draws::new(self.parameters().clone(), values)
    }

    fn log_prob(&self, z: &ArrayRef1<f64>) -> Option<f64> {
        Some(match &self.support {
            Over::Natural(_) => self.member().log_prob(z),
            Over::Image(bijection) => bijection.log_prob_constrained(z, |u| self.member().log_prob(u)),
        })
    }
}
