//! The fitted factors as a posterior.

use ndarray::{Array3, ArrayRef1, ArrayViewMut1};
use vi_core::{ConditionallyConjugate, Draws, ElboEstimate, Exec, ParameterSpace, Posterior, StreamKey};

/// The variational posterior ∏_b q_b of a conditionally conjugate model, seen in the variables that users read.
pub struct CaviPosterior<'a, M: ConditionallyConjugate> {
    model: &'a M,
    factors: M::Factors,
    elbo: f64,
}

impl<'a, M: ConditionallyConjugate> CaviPosterior<'a, M> {
    /// The posterior with these factors and this ELBO.
    pub fn new(model: &'a M, factors: M::Factors, elbo: f64) -> Self {
        Self { model, factors, elbo }
    }

    /// The model.
    pub fn model(&self) -> &'a M {
        self.model
    }

    /// The factors q_b.
    pub fn factors(&self) -> &M::Factors {
        &self.factors
    }

    /// The ELBO in nats, with every constant; exact.
    pub fn elbo(&self) -> ElboEstimate {
        ElboEstimate::exact(self.elbo)
    }
}

impl<M: ConditionallyConjugate> std::fmt::Debug for CaviPosterior<'_, M>
where
    M::Factors: std::fmt::Debug,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CaviPosterior")
            .field("factors", &self.factors)
            .field("elbo", &self.elbo)
            .finish_non_exhaustive()
    }
}

impl<M: ConditionallyConjugate> Posterior for CaviPosterior<'_, M> {
    fn parameters(&self) -> &ParameterSpace {
        self.model.reported()
    }

    /// `n` independent draws in one chain; draw i comes from `key.rng(i)`.
    fn draws(&self, n: usize, key: StreamKey) -> Draws {
        let space = self.parameters();
        let d = space.dim();
        let mut values = vec![0.0; n * d];
        Exec::local().for_each_chunk(&mut values, d, |items, rows| {
            for (i, row) in items.zip(rows.chunks_exact_mut(d)) {
                let mut z = ArrayViewMut1::from(row);
                self.model.sample(&self.factors, &mut key.rng(i as u64), &mut z);
            }
        });
        let values = Array3::from_shape_vec((1, n, d), values).expect("n rows of d values");
        Draws::new(space.clone(), values)
    }

    fn log_prob(&self, z: &ArrayRef1<f64>) -> Option<f64> {
        Some(self.model.log_prob(&self.factors, z))
    }
}
