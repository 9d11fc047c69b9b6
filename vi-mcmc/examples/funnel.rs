//! Neal's funnel, centred and non-centred: what divergences are for.
#![allow(clippy::print_stdout, reason = "an example prints")]

use ndarray::{ArrayRef1, s};
use vi_core::{GradLogJoint, LogJoint, Parameter, ParameterError, ParameterSpace, StreamKey, Support};
use vi_diagnostics::summarise;
use vi_mcmc::{Control, McmcSettings, Nuts, NutsSettings, sample};

/// v ~ N(0, 3), x_i ~ N(0, exp(v/2)), i = 1, …, 9; or x_i = exp(v/2) e_i with e_i ~ N(0, 1).
struct Funnel {
    space: ParameterSpace,
    centred: bool,
}

impl Funnel {
    fn new(centred: bool) -> Result<Self, ParameterError> {
        let x = if centred { "x" } else { "e" };
        let parameters = [Parameter::scalar("v", Support::Real), Parameter::vector(x, 9, Support::Real)];
        Ok(Self { space: ParameterSpace::new(parameters)?, centred })
    }

    /// 1/variance of the nine, and how its logarithm changes with v.
    fn precision(&self, v: f64) -> (f64, f64) {
        if self.centred { ((-v).exp(), -1.0) } else { (1.0, 0.0) }
    }
}

impl LogJoint for Funnel {
    fn parameters(&self) -> &ParameterSpace {
        &self.space
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let (precision, _) = self.precision(z[0]);
        let x = z.slice(s![1..]);
        -z[0] * z[0] / 18.0 + 4.5 * precision.ln() - 0.5 * precision * x.dot(&x)
    }
}

impl GradLogJoint for Funnel {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        let (precision, slope) = self.precision(z[0]);
        let x = z.slice(s![1..]);
        grad[0] = -z[0] / 9.0 + slope * (4.5 - 0.5 * precision * x.dot(&x));
        grad.slice_mut(s![1..]).assign(&(&x * -precision));
        self.log_joint(z)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "{:<12}{:>8}{:>8}{:>8}{:>8}{:>12}{:>12}",
        "", "mean v", "sd v", "rhat", "ess", "divergences", "gradients"
    );
    for (label, centred) in [("centred", true), ("non-centred", false)] {
        let nuts = Nuts::new(Funnel::new(centred)?, NutsSettings::default())?;
        let key = StreamKey::from_seed(1);
        let posterior = sample(&nuts, &McmcSettings::default(), key, Control::none())?;
        let v = &summarise(posterior.all_draws())[0];
        println!(
            "{label:<12}{:>8.2}{:>8.2}{:>8.3}{:>8.0}{:>12}{:>12}",
            v.mean,
            v.sd,
            v.rhat.unwrap_or(f64::NAN),
            v.ess_bulk.unwrap_or(f64::NAN),
            posterior.n_divergent(),
            posterior.n_gradient(),
        );
    }
    println!("truth           0.00    3.00");
    Ok(())
}
