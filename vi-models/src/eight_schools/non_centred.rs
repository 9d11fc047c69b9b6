//! The non-centred form: z = (θ̃, μ, τ) with θ = μ + τ θ̃.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayRef1, ArrayRef2};
use vi_core::{
    GradLogJoint, KnownPosterior, LocalLogJoint, LogJoint, ParameterSpace, Predictive, Reported, StreamRng,
};

use super::exact::{Moments, Parametrisation};
use super::{EightSchoolsData, EightSchoolsPriors, Hierarchy, space};
use crate::ModelError;
use crate::checks::LOG_2_PI;

/// Eight schools in (θ̃, μ, τ): `theta_trans[J]`, `mu`, `tau`; reported as `theta[J]`, `mu`, `tau`.
///
/// ```text
/// log p(y, θ̃, μ, τ) = Σ_j [log N(y_j | μ + τ θ̃_j, σ_j²) + log N(θ̃_j | 0, 1)] + log p(μ) + log p(τ)
/// ```
#[derive(Clone, Debug)]
pub struct EightSchoolsNonCentred {
    pub(super) hierarchy: Hierarchy,
    parameters: ParameterSpace,
}

impl EightSchoolsNonCentred {
    /// The model of these data.
    ///
    /// # Errors
    /// [`ModelError`] when there are no data, the lengths differ, a value is not finite or a scale is not
    /// positive.
    pub fn new(data: EightSchoolsData, priors: EightSchoolsPriors) -> Result<Self, ModelError> {
        let hierarchy = Hierarchy::new(data, priors)?;
        let parameters = space("theta_trans", hierarchy.n_schools())?;
        Ok(Self { hierarchy, parameters })
    }

    /// The number J of schools.
    pub fn n_schools(&self) -> usize {
        self.hierarchy.n_schools()
    }

    /// The priors.
    pub fn priors(&self) -> &EightSchoolsPriors {
        &self.hierarchy.priors
    }

    /// Σ_j ((y_j − μ − τ θ̃_j)/σ_j)² + Σ_j θ̃_j² + ((μ − m)/s)².
    fn quadratic(&self, z: &ArrayRef1<f64>) -> f64 {
        let h = &self.hierarchy;
        let n = h.n_schools();
        let (mu, tau) = (z[n], z[n + 1]);
        let (mut likelihood, mut effects) = (0.0, 0.0);
        for j in 0..n {
            likelihood += h.weight[j] * (h.data.effect[j] - mu - tau * z[j]).powi(2);
            effects += z[j] * z[j];
        }
        likelihood + effects + h.mean_quadratic(mu)
    }

    fn effects(&self, z: &ArrayRef1<f64>) -> Vec<f64> {
        let n = self.n_schools();
        z.iter().take(n).map(|t| z[n] + z[n + 1] * t).collect()
    }

    fn moments(&self) -> Option<Moments> {
        Moments::by_quadrature(&self.hierarchy, Parametrisation::NonCentred)
    }
}

impl LogJoint for EightSchoolsNonCentred {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        self.hierarchy.assemble(self.quadratic(z), z[self.n_schools() + 1], 0.0)
    }

    fn log_joint_batch(&self, z: &ArrayRef2<f64>, out: &mut ArrayRef1<f64>) {
        self.hierarchy.assemble_batch(z, 0.0, |row| self.quadratic(row), out);
    }
}

impl GradLogJoint for EightSchoolsNonCentred {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let h = &self.hierarchy;
        let n = h.n_schools();
        let (mu, tau) = (z[n], z[n + 1]);
        let (mut d_mu, mut d_tau) = (0.0, 0.0);
        for j in 0..n {
            let d_theta = h.weight[j] * (h.data.effect[j] - mu - tau * z[j]);
            d_mu += d_theta;
            d_tau += d_theta * z[j];
            grad[j] = tau * d_theta - z[j];
        }
        grad[n] = d_mu - (mu - h.priors.mu_mean) / h.priors.mu_sd.powi(2);
        grad[n + 1] = d_tau - 2.0 * tau / (h.priors.tau_scale.powi(2) + tau * tau);
        self.log_joint(z)
    }
}

/// Blocks: every θ̃_j, then μ, then τ.
impl LocalLogJoint for EightSchoolsNonCentred {
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
        let likelihood = |j: usize| h.log_likelihood(j, mu + tau * z[j]);
        if b < n {
            return likelihood(b) - 0.5 * (LOG_2_PI + z[b] * z[b]);
        }
        let all: f64 = (0..n).map(likelihood).sum();
        all + if b == n { h.log_prior_mu(mu) } else { h.log_prior_tau(tau) }
    }
}

impl Reported for EightSchoolsNonCentred {
    fn reported(&self) -> &ParameterSpace {
        &self.hierarchy.reported
    }

    /// θ_j = μ + τ θ̃_j, with log |det| = J log τ.
    fn report(&self, z: &ArrayRef1<f64>, reported: &mut ArrayRef1<f64>) -> f64 {
        let n = self.n_schools();
        let (mu, tau) = (z[n], z[n + 1]);
        for j in 0..n {
            reported[j] = mu + tau * z[j];
        }
        reported[n] = mu;
        reported[n + 1] = tau;
        n as f64 * tau.ln()
    }

    fn unreport(&self, reported: &ArrayRef1<f64>, z: &mut ArrayRef1<f64>) {
        let n = self.n_schools();
        let (mu, tau) = (reported[n], reported[n + 1]);
        for j in 0..n {
            z[j] = (reported[j] - mu) / tau;
        }
        z[n] = mu;
        z[n + 1] = tau;
    }
}

/// New estimates ŷ_j of the same schools' effects, one per school, with their own standard errors.
impl Predictive for EightSchoolsNonCentred {
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
        self.hierarchy.log_likelihood_pointwise(data, &self.effects(z), out);
    }

    /// # Panics
    /// If `data` has not one estimate per school.
    fn simulate(&self, data: &EightSchoolsData, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> EightSchoolsData {
        self.hierarchy.simulate(data, &self.effects(z), rng)
    }
}

/// Of (θ̃, μ, τ), by quadrature over log τ, converged to about 1e-11 relative.
impl KnownPosterior for EightSchoolsNonCentred {
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
