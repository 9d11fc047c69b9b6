//! The log joint, its gradient, and new data.

use ndarray::ArrayRef1;
use rand_distr::{Distribution, StandardNormal};
use vi_core::{GradLogJoint, LogJoint, ParameterSpace, Predictive, StreamRng};

use super::{GroupedData, HierarchicalNormal};
use crate::checks::LOG_2_PI;
use crate::half_cauchy;

impl HierarchicalNormal {
    /// Σ_ij (y_ij − θ_j)² and Σ_j (θ_j − μ)².
    fn squares(&self, z: &ArrayRef1<f64>) -> (f64, f64) {
        let n = self.n_groups();
        let (mut within, mut between) = (self.within_squares, 0.0);
        for j in 0..n {
            within += self.count[j] * (self.mean[j] - z[j]).powi(2);
            between += (z[j] - z[n]).powi(2);
        }
        (within, between)
    }
}

impl LogJoint for HierarchicalNormal {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let groups = self.n_groups();
        let (mu, tau, sigma) = (z[groups], z[groups + 1], z[groups + 2]);
        if tau <= 0.0 || sigma <= 0.0 {
            return f64::NEG_INFINITY;
        }
        let (n, j, priors) = (self.n_data(), groups as f64, &self.priors);
        let (within, between) = self.squares(z);
        -n * sigma.ln()
            - 0.5 * within / (sigma * sigma)
            - j * tau.ln()
            - 0.5 * between / (tau * tau)
            - 0.5 * ((mu - priors.mu_mean) / priors.mu_sd).powi(2)
            - priors.mu_sd.ln()
            - 0.5 * (n + j + 1.0) * LOG_2_PI
            + half_cauchy::log_density(tau, priors.between_scale)
            + half_cauchy::log_density(sigma, priors.within_scale)
    }
}

impl GradLogJoint for HierarchicalNormal {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let n = self.n_groups();
        let (mu, tau, sigma) = (z[n], z[n + 1], z[n + 2]);
        let (within_precision, between_precision) = (1.0 / (sigma * sigma), 1.0 / (tau * tau));
        let priors = &self.priors;
        let mut sum = 0.0;
        for j in 0..n {
            let step = z[j] - mu;
            sum += step;
            grad[j] = within_precision * self.count[j] * (self.mean[j] - z[j]) - between_precision * step;
        }
        let (within, between) = self.squares(z);
        grad[n] = between_precision * sum - (mu - priors.mu_mean) / priors.mu_sd.powi(2);
        grad[n + 1] = (between_precision * between - n as f64) / tau
            + half_cauchy::derivative(tau, priors.between_scale);
        grad[n + 2] = (within_precision * within - self.n_data()) / sigma
            + half_cauchy::derivative(sigma, priors.within_scale);
        self.log_joint(z)
    }
}

/// New data of the same groups.
impl Predictive for HierarchicalNormal {
    type Data = GroupedData;

    fn observed(&self) -> &GroupedData {
        &self.data
    }

    fn n_points(&self, data: &GroupedData) -> usize {
        data.value.len()
    }

    fn log_likelihood_pointwise(&self, data: &GroupedData, z: &ArrayRef1<f64>, out: &mut ArrayRef1<f64>) {
        self.check_groups(data);
        let sigma = z[self.n_groups() + 2];
        for ((y, j), out) in data.value.iter().zip(&data.group).zip(out.iter_mut()) {
            *out = -0.5 * (LOG_2_PI + ((y - z[*j]) / sigma).powi(2)) - sigma.ln();
        }
    }

    fn simulate(&self, data: &GroupedData, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> GroupedData {
        self.check_groups(data);
        let sigma = z[self.n_groups() + 2];
        let draw = |j: &usize| z[*j] + sigma * Distribution::<f64>::sample(&StandardNormal, rng);
        GroupedData { value: data.group.iter().map(draw).collect(), group: data.group.clone() }
    }
}
