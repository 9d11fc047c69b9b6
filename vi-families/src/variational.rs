//! The contract of a variational family q_λ with unconstrained λ ∈ ℝᴾ.
//!
//! A family is shape only: λ lives in the state of the algorithm and is bound once per iteration.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use vi_core::{StreamKey, StreamRng};

use crate::error::FamilyError;

mod angle_factor;
mod block_diagonal;
mod differentiable_density;
mod disperse;
mod factorized;
mod full_rank;
mod full_rank_member;
mod full_rank_natural;
mod gaussian;
mod gaussian_transport;
mod low_rank;
mod low_rank_member;
mod mean_field;
mod mean_field_transport;
mod measure_valued;
mod mixture;
mod mixture_member;
mod natural_gradient;
mod near_gaussian;
mod product;
mod product_factor;
mod product_reparameterized;
mod recycled;
mod student_t;
mod student_t_learned;
mod student_t_member;
mod uniform_transport;

pub use block_diagonal::{BlockDiagonalGaussian, BlockDiagonalGaussianMember};
pub use differentiable_density::DifferentiableDensity;
pub use disperse::{Disperse, DisperseFactors};
pub use factorized::FactorizedDistribution;
pub use full_rank::FullRankGaussian;
pub use full_rank_member::FullRankGaussianMember;
pub(crate) use gaussian::real_names;
pub use gaussian_transport::GaussianTransport;
pub use low_rank::LowRankGaussian;
pub use low_rank_member::LowRankGaussianMember;
pub use mean_field::{MeanFieldGaussian, MeanFieldGaussianMember};
pub use measure_valued::MeasureValuedDistribution;
pub use mixture::{GaussianMixture, MixtureFamily};
pub use mixture_member::{GaussianMixtureMember, MixtureComponent};
pub use natural_gradient::Damping;
pub use near_gaussian::{GaussianTarget, NearGaussian};
pub use product::{ProductFamily, ProductMember};
pub use student_t::{LearnedStudentTMeanField, StudentTMeanField};
pub use student_t_learned::LearnedStudentTMeanFieldMember;
pub use student_t_member::StudentTMeanFieldMember;
pub use uniform_transport::UniformTransport;

/// A family of distributions over `z` (D), indexed by unconstrained λ (P).
pub trait VariationalFamily: Send + Sync {
    /// A member with its parameters validated and whatever is needed many times cached.
    type Member<'a>: VariationalDistribution
    where
        Self: 'a;

    /// The length D of `z`.
    fn dim(&self) -> usize;
    /// The length P of λ.
    fn n_params(&self) -> usize;
    /// One name per element of λ, for errors and traces: `location(theta[3])`, `log_rate(tau)`.
    fn param_names(&self) -> Vec<String>;
    /// The default start (P).
    fn init(&self) -> Array1<f64>;
    /// The member with parameters λ.
    ///
    /// # Errors
    /// [`FamilyError`] names the parameter and its value.
    fn bind<'a>(&'a self, params: &'a ArrayRef1<f64>) -> Result<Self::Member<'a>, FamilyError>;

    /// Overwrites `out` (P) with λ after a step of length ρ = `step` along a natural gradient ñ (P), and returns how
    /// often ρ was halved.
    ///
    /// Exponential families move in their natural parameters and go back to λ:
    ///
    /// ```text
    /// η′ = η + ρ (∂η/∂λ) ñ,   λ′ = λ(η′)          ñ = F_λ⁻¹ ∇_λ ELBO  ⇒  (∂η/∂λ) ñ = ∇_μ ELBO
    /// ```
    /// so that in a conditionally conjugate model the step of length 1 along the exact, undamped gradient is the update
    /// of coordinate ascent (Hoffman, Blei, Wang & Paisley 2013, eq. 14–16). ρ is halved for each factor or block by
    /// itself until η′ is inside the domain; the sum over them is returned. Other families move in λ, where nothing
    /// is outside:
    ///
    /// ```text
    /// λ′ = λ + ρ ñ
    /// ```
    ///
    /// # Errors
    /// [`FamilyError`] when λ is outside its domain or `natural_gradient` is not finite.
    ///
    /// # Panics
    /// If a length is not P.
    fn natural_step(
        &self,
        params: &ArrayRef1<f64>,
        natural_gradient: &ArrayRef1<f64>,
        step: f64,
        out: &mut ArrayRef1<f64>,
    ) -> Result<u32, FamilyError> {
        natural_gradient::check_step("VariationalFamily", self.n_params(), params, natural_gradient, out)?;
        out.assign(params);
        out.scaled_add(step, natural_gradient);
        Ok(0)
    }
}

/// One member q_λ: what score-function methods need.
pub trait VariationalDistribution: Send + Sync {
    /// The length D of `z`.
    fn dim(&self) -> usize;
    /// The length P of λ.
    fn n_params(&self) -> usize;
    /// Overwrites `z` (D) with a draw.
    fn sample(&self, rng: &mut StreamRng, z: &mut ArrayRef1<f64>);
    /// log q_λ(z).
    fn log_prob(&self, z: &ArrayRef1<f64>) -> f64;
    /// out (P) += weight · ∇_λ log q_λ(z).
    fn add_score(&self, z: &ArrayRef1<f64>, weight: f64, out: &mut ArrayRef1<f64>);
    /// The entropy `−E[log q_λ(z)]` in closed form; `None` when the family has none.
    fn entropy(&self) -> Option<f64>;
    /// The Fisher information `E[∇_λ log q ∇_λ log qᵀ]` (P, P) in closed form; `None` when the family has none.
    fn fisher(&self) -> Option<Array2<f64>> {
        None
    }
    /// Overwrites `out` (P) with the natural gradient of a function of λ with gradient `grad` (P).
    ///
    /// ```text
    /// ñ = (F + relative · diag F + absolute · I)⁻¹ ∇_λ
    /// ```
    /// Members with structure use it: no matrix for independent coordinates, blocks for products. The default is
    /// dense: O(P³) time, O(P²) memory.
    ///
    /// # Errors
    /// [`FamilyError::SingularFisher`] names the element of λ; [`FamilyError::NoFisher`] when there is no closed form.
    ///
    /// # Panics
    /// If a length is not P.
    fn natural_gradient(
        &self,
        damping: Damping,
        grad: &ArrayRef1<f64>,
        out: &mut ArrayRef1<f64>,
    ) -> Result<(), FamilyError> {
        assert_eq!((grad.len(), out.len()), (self.n_params(), self.n_params()), "wrong length");
        let family = std::any::type_name::<Self>();
        let fisher = self.fisher().ok_or(FamilyError::NoFisher { family })?;
        natural_gradient::solve_dense(fisher, damping, grad, out)
    }

    /// Overwrites the rows of `z` (n, D) with draws number `samples` (n of them): row i comes from
    /// `key.rng(samples.start + i)`, so that the bits of a draw do not depend on how draws are batched.
    fn sample_batch(&self, key: StreamKey, samples: Range<usize>, z: &mut ArrayRef2<f64>) {
        for (s, mut row) in samples.zip(z.rows_mut()) {
            self.sample(&mut key.rng(s as u64), &mut row);
        }
    }
    /// Overwrites `out` (n) with log q_λ of every row of `z` (n, D).
    fn log_prob_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        for (row, o) in z.rows().into_iter().zip(out.iter_mut()) {
            *o = self.log_prob(&row);
        }
    }
    /// out (P) += Σ_i weights_i ∇_λ log q_λ(z_i).
    fn add_score_batch(&self, z: &ArrayRef2<f64>, weights: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        for (row, w) in z.rows().into_iter().zip(weights.iter()) {
            self.add_score(&row, *w, out);
        }
    }
}

/// A member that is a differentiable transport of parameter-free noise: z = t_λ(ε).
pub trait Reparameterized: VariationalDistribution {
    /// The length of ε.
    fn noise_dim(&self) -> usize;
    /// Overwrites `noise` with a draw of ε.
    fn sample_noise(&self, rng: &mut StreamRng, noise: &mut ArrayRef1<f64>);
    /// Overwrites `z` with t_λ(ε).
    fn transport(&self, noise: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>);
    /// Whether coordinate `d` of t_λ(ε) is differentiable in λ: false for discrete ones, which step from value to value.
    fn is_differentiable(&self, d: usize) -> bool {
        let _ = d;
        true
    }
    /// out (P) += weight · (∂t_λ(ε)/∂λ)ᵀ grad, with `grad` (D) the gradient at z = t_λ(ε).
    fn add_transport_vjp(
        &self,
        noise: &ArrayRef1<f64>,
        z: &ArrayRef1<f64>,
        grad: &ArrayRef1<f64>,
        weight: f64,
        out: &mut ArrayRef1<f64>,
    );
    /// Overwrites the rows of `noise` (n, E) and `z` (n, D) with those of samples number `samples` (n of them): row i
    /// comes from `key.rng(samples.start + i)`.
    fn transport_batch(
        &self,
        key: StreamKey,
        samples: Range<usize>,
        noise: &mut ArrayRef2<f64>,
        z: &mut ArrayRef2<f64>,
    ) {
        for ((s, mut noise), mut z) in samples.zip(noise.rows_mut()).zip(z.rows_mut()) {
            self.sample_noise(&mut key.rng(s as u64), &mut noise);
            self.transport(&noise, &mut z);
        }
    }
    /// out (P) += Σ_i weights_i · (∂t_λ(ε_i)/∂λ)ᵀ grad_i.
    fn add_transport_vjp_batch(
        &self,
        noise: &ArrayRef2<f64>,
        z: &ArrayRef2<f64>,
        grad: &ArrayRef2<f64>,
        weights: &ArrayRef1<f64>,
        out: &mut ArrayRef1<f64>,
    ) {
        for (i, weight) in weights.iter().enumerate() {
            self.add_transport_vjp(&noise.row(i), &z.row(i), &grad.row(i), *weight, out);
        }
    }
    /// out (P) += weight · ∇_λ of the entropy.
    fn add_entropy_grad(&self, weight: f64, out: &mut ArrayRef1<f64>);
}
