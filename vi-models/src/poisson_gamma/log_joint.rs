//! The log joint, its gradient, and new counts.

use ndarray::ArrayRef1;
use vi_core::{GradLogJoint, LogJoint, ParameterSpace, Predictive, StreamRng};
use vi_families::special::{digamma, log_gamma};

use super::{PoissonGamma, PoissonGammaData, ShapePrior, draw_counts};

impl PoissonGamma {
    /// α at `z`.
    fn shape_of(&self, z: &ArrayRef1<f64>) -> f64 {
        match self.priors.shape {
            ShapePrior::Known { shape } => shape,
            ShapePrior::Exponential { .. } => z[self.n_rates() + 1],
        }
    }
}

impl LogJoint for PoissonGamma {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        if z.iter().any(|v| *v <= 0.0) {
            return f64::NEG_INFINITY;
        }
        let (beta, alpha) = (z[self.n_rates()], self.shape_of(z));
        let rates = z.iter().take(self.n_rates()).map(|theta| (*theta, theta.ln()));
        self.assemble(rates, (beta, beta.ln()), (alpha, log_gamma(alpha)))
    }
}

impl GradLogJoint for PoissonGamma {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let n = self.n_rates();
        let (beta, alpha) = (z[n], self.shape_of(z));
        let (mut sum, mut log_sum) = (0.0, 0.0);
        for i in 0..n {
            grad[i] = (self.data.count[i] + alpha - 1.0) / z[i] - self.data.exposure[i] - beta;
            sum += z[i];
            log_sum += z[i].ln();
        }
        let priors = &self.priors;
        let n_rates = n as f64;
        grad[n] = (n_rates * alpha + priors.rate_shape - 1.0) / beta - sum - priors.rate_rate;
        if let ShapePrior::Exponential { rate } = priors.shape {
            grad[n + 1] = log_sum + n_rates * (beta.ln() - digamma(alpha)) - rate;
        }
        self.log_joint(z)
    }
}

/// New counts of the same units, whose exposures may differ.
impl Predictive for PoissonGamma {
    type Data = PoissonGammaData;

    fn observed(&self) -> &PoissonGammaData {
        &self.data
    }

    fn n_points(&self, data: &PoissonGammaData) -> usize {
        data.count.len()
    }

    fn log_likelihood_pointwise(
        &self,
        data: &PoissonGammaData,
        z: &ArrayRef1<f64>,
        out: &mut ArrayRef1<f64>,
    ) {
        self.check_units(data);
        for (i, out) in out.iter_mut().enumerate() {
            let (x, mean) = (data.count[i], z[i] * data.exposure[i]);
            *out = x * mean.ln() - mean - log_gamma(x + 1.0);
        }
    }

    fn simulate(&self, data: &PoissonGammaData, z: &ArrayRef1<f64>, rng: &mut StreamRng) -> PoissonGammaData {
        self.check_units(data);
        let count = draw_counts(z.iter().copied().take(self.n_rates()), &data.exposure, rng);
        PoissonGammaData { count, exposure: data.exposure.clone() }
    }
}
