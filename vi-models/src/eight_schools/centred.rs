//! The centred form: z = (θ, μ, τ).

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use vi_core::{GradLogJoint, KnownPosterior, LocalLogJoint, LogJoint, ParameterSpace, Predictive, StreamRng};

use super::exact::{Moments, Parametrisation};
use super::{EightSchoolsData, EightSchoolsPriors, Hierarchy, log_normal_density};
use crate::ModelError;

/// Eight schools in (θ, μ, τ): `theta[J]`, `mu`, `tau`.
///
/// ```text
/// log p(y, θ, μ, τ) = Σ_j [log N(y_j | θ_j, σ_j²) + log N(θ_j | μ, τ²)] + log p(μ) + log p(τ)
/// ```
#[derive(Clone, Debug)]
pub struct EightSchoolsCentred {
    pub(super) hierarchy: Hierarchy,
}

impl EightSchoolsCentred {
    /// The model of these data.
    ///
    /// # Errors
    /// [`ModelError`] when there are no data, the lengths differ, a value is not finite or a scale is not
    /// positive.
    pub fn new(data: EightSchoolsData, priors: EightSchoolsPriors) -> Result<Self, ModelError> {
        Ok(Self { hierarchy: Hierarchy::new(data, priors)? })
    }

    /// The number J of schools.
    pub fn n_schools(&self) -> usize {
        self.hierarchy.n_schools()
    }

    /// The priors.
    pub fn priors(&self) -> &EightSchoolsPriors {
        &self.hierarchy.priors
    }

    /// Σ_j ((y_j − θ_j)/σ_j)² + Σ_j ((θ_j − μ)/τ)² + ((μ − m)/s)².
    fn quadratic(&self, z: &ArrayRef1<f64>) -> f64 {
        let h = &self.hierarchy;
        let n = h.n_schools();
        let (mu, tau) = (z[n], z[n + 1]);
        let (mut likelihood, mut effects) = (0.0, 0.0);
        for j in 0..n {
            likelihood += h.weight[j] * (h.data.effect[j] - z[j]).powi(2);
            effects += (z[j] - mu).powi(2);
        }
        likelihood + effects / (tau * tau) + h.mean_quadratic(mu)
    }

    fn moments(&self) -> Option<Moments> {
        Moments::by_quadrature(&self.hierarchy, Parametrisation::Centred)
    }
}

impl LogJoint for EightSchoolsCentred {
    fn parameters(&self) -> &ParameterSpace {
        &self.hierarchy.reported
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let n = self.n_schools();
        self.hierarchy.assemble(self.quadratic(z), z[n + 1], n as f64)
    }

    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        self.hierarchy.assemble_batch(z, self.n_schools() as f64, |row| self.quadratic(row), out);
    }
}

impl GradLogJoint for EightSchoolsCentred {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let h = &self.hierarchy;
        let n = h.n_schools();
        let (mu, tau) = (z[n], z[n + 1]);
        let precision = 1.0 / (tau * tau);
        let (mut sum, mut sum_squares) = (0.0, 0.0);
        for j in 0..n {
            let d = z[j] - mu;
            sum += d;
            sum_squares += d * d;
            grad[j] = h.weight[j] * (h.data.effect[j] - z[j]) - precision * d;
        }
        grad[n] = precision * sum - (mu - h.priors.mu_mean) / h.priors.mu_sd.powi(2);
        grad[n + 1] =
            (precision * sum_squares - n as f64) / tau - 2.0 * tau / (h.priors.tau_scale.powi(2) + tau * tau);
        self.log_joint(z)
    }
}

/// Blocks: every θ_j, then μ, then τ.
impl LocalLogJoint for EightSchoolsCentred {
    fn n_blocks(&self) -> usize {
        self.n_schools() + 2
    }

    fn block(&self, b: usize) -> Range<usize> {
        b..b + 1
    }

    fn log_joint_block(&self, b: usize, z: &ArrayRef1<f64>) -> f64 {
        let h = &self.hierarchy;
        let n = h.n_schools();
        let (mu, tau) = (z[n], z[n + 1]);
        if tau <= 0.0 {
            return f64::NEG_INFINITY;
        }
        if b < n {
            return h.log_likelihood(b, z[b]) + log_normal_density(z[b], mu, tau);
        }
        let effects: f64 = (0..n).map(|j| log_normal_density(z[j], mu, tau)).sum();
        effects + if b == n { h.log_prior_mu(mu) } else { h.log_prior_tau(tau) }
    }
}

/// New estimates ŷ_j of the same schools' effects, one per school, with their own standard errors.
impl Predictive for EightSchoolsCentred {
    type Data = EightSchoolsData;

    fn observed(&self) -> &EightSchoolsData {
        &self.hierarchy.data
    }

    fn n_points(&self, data: &EightSchoolsData) -> usize {
        data.effect.len()
    }

    /// # Panics
    /// If `data` has not one estimate per school.
    fn log_likelihood_pointwise(
        &self,
        data: &EightSchoolsData,
        z: &ArrayRef1<f64>,
        out: &mut ArrayRef1<f64>,
    ) {
        let theta: Vec<f64> = z.iter().copied().take(self.n_schools()).collect();
        self.hierarchy.log_likelihood_pointwise(data, &theta, out);
    }

    /// # Panics
    /// If `data` has not one estimate per school.
    fn simulate(&self, data: &EightSchoolsData, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> EightSchoolsData {
        let theta: Vec<f64> = z.iter().copied().take(self.n_schools()).collect();
        self.hierarchy.simulate(data, &theta, rng)
    }
}

/// By quadrature over log τ, converged to about 1e-11 relative.
impl KnownPosterior for EightSchoolsCentred {
    fn posterior_mean(&self) -> Option<Array1<f64>> {
        self.moments().map(|m| m.mean)
    }

    /// `None` for a single school: τ has no second moment then.
    fn posterior_covariance(&self) -> Option<Array2<f64>> {
        self.moments().and_then(|m| m.covariance)
    }

    fn log_evidence(&self) -> Option<f64> {
        self.moments().map(|m| m.log_evidence)
    }
}
