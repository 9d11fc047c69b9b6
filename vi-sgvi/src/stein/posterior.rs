//! Particles as a posterior.

use ndarray::{Array2, ArrayViewMut1, Axis};
use vi_core::{Bijection, Draws, ParameterSpace, Posterior, StreamKey};

use crate::error::SgviError;

/// A set of particles, all of equal weight. It has no density.
///
/// Like a sampler it returns what it has, whatever number of draws is asked for: all its particles, in one chain. They are not
/// independent, and fewer than they look: an estimate of an error that takes them for independent draws is not one.
#[derive(Clone, Debug)]
pub struct ParticlePosterior {
    parameters: ParameterSpace,
    particles: Array2<f64>,
}

impl ParticlePosterior {
    /// Particles (n, D) on the support of `parameters`.
    ///
    /// # Errors
    /// [`SgviError::Dimension`] when D is not that of the parameters.
    pub fn new(parameters: ParameterSpace, particles: Array2<f64>) -> Result<Self, SgviError> {
        if particles.ncols() != parameters.dim() {
            return Err(SgviError::Dimension { model: parameters.dim(), family: particles.ncols() });
        }
        Ok(Self { parameters, particles })
    }

    /// The same seen on the natural support, when the particles moved in ℝᴰ′ (of a [`vi_core::Unconstrained`]).
    ///
    /// # Errors
    /// [`SgviError::Dimension`] when the particles are not in the bijection's ℝᴰ′.
    pub fn through(self, bijection: &Bijection) -> Result<Self, SgviError> {
        let image = bijection.unconstrained().dim();
        if self.particles.ncols() != image {
            return Err(SgviError::Dimension { model: image, family: self.particles.ncols() });
        }
        let parameters = bijection.constrained().clone();
        let mut particles = Array2::zeros((self.particles.nrows(), parameters.dim()));
        for (u, mut z) in self.particles.rows().into_iter().zip(particles.rows_mut()) {
            let z = z.as_slice_mut().expect("row-major");
            bijection.constrain(&u, &mut ArrayViewMut1::from(z));
        }
        Ok(Self { parameters, particles })
    }

    /// The particles (n, D).
    pub fn particles(&self) -> &Array2<f64> {
        &self.particles
    }
}

impl Posterior for ParticlePosterior {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }

    fn draws(&self, _n: usize, _key: StreamKey) -> Draws {
        Draws::new(self.parameters.clone(), self.particles.clone().insert_axis(Axis(0)))
    }
}
