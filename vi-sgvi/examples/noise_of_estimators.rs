//! A model of your own by two estimators: the score function, which sees the log joint alone, and the pathwise
//! one, which sees its gradient too. Both find the same q; the printed figures show what the gradient is worth.
//!
//! Failures of pumps (Gaver & O'Muircheartaigh 1987): y_i ~ Poisson(t_i e^{a + b_i}), a ~ N(0, 3²),
//! b_i ~ N(0, 1).
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use ndarray::{Array1, ArrayRef1};
use vi_core::{Exec, GradLogJoint, LogJoint, Parameter, ParameterSpace, Posterior, StreamKey, Support};
use vi_families::{MeanFieldGaussian, VariationalFamily};
use vi_sgvi::{Elbo, GradientEstimator, Memory, SgviError, SgviFit, SgviSettings, fit};

/// Thousands of hours of operation, and failures.
const PUMPS: [(f64, f64); 10] = [
    (94.3, 5.0),
    (15.7, 1.0),
    (62.9, 5.0),
    (126.0, 14.0),
    (5.24, 3.0),
    (31.4, 19.0),
    (1.05, 1.0),
    (1.05, 1.0),
    (2.1, 4.0),
    (10.5, 22.0),
];

struct Pumps {
    parameters: ParameterSpace,
    /// Everything that does not depend on z.
    constant: f64,
}

impl Pumps {
    fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let n = PUMPS.len();
        let parameters = ParameterSpace::new([
            Parameter::scalar("log_rate", Support::Real),
            Parameter::vector("effect", n, Support::Real),
        ])?;
        let log_factorial = |y: f64| (1..=y as u32).map(|k| f64::from(k).ln()).sum::<f64>();
        let likelihood: f64 = PUMPS.iter().map(|(t, y)| y * t.ln() - log_factorial(*y)).sum();
        let priors = -3f64.ln() - 0.5 * (n + 1) as f64 * (2.0 * std::f64::consts::PI).ln();
        Ok(Self { parameters, constant: likelihood + priors })
    }
}

impl LogJoint for Pumps {
    fn parameters(&self) -> &ParameterSpace {
        &self.parameters
    }

    fn log_joint(&self, z: &ArrayRef1<f64>) -> f64 {
        let mut sum = self.constant - 0.5 * (z[0] / 3.0).powi(2);
        for (i, (t, y)) in PUMPS.iter().enumerate() {
            let (effect, log_rate) = (z[1 + i], z[0] + z[1 + i]);
            sum += y * log_rate - t * log_rate.exp() - 0.5 * effect * effect;
        }
        sum
    }
}

impl GradLogJoint for Pumps {
    fn log_joint_and_grad(&self, z: &ArrayRef1<f64>, grad: &mut ArrayRef1<f64>) -> f64 {
        grad[0] = -z[0] / 9.0;
        for (i, (t, y)) in PUMPS.iter().enumerate() {
            let by_log_rate = y - t * (z[0] + z[1 + i]).exp();
            grad[0] += by_log_rate;
            grad[1 + i] = by_log_rate - z[1 + i];
        }
        self.log_joint(z)
    }
}

/// The sum of the variances of the elements of a gradient estimate at λ.
fn noise<E>(
    estimator: &E,
    model: &Pumps,
    family: &MeanFieldGaussian,
    params: &Array1<f64>,
) -> Result<f64, SgviError>
where
    E: GradientEstimator<Pumps, MeanFieldGaussian>,
{
    let (elbo, mut memory) = (Elbo::new(model, family)?, Memory::default());
    let mut grads = ndarray::Array2::zeros((500, family.n_params()));
    for (r, mut grad) in grads.rows_mut().into_iter().enumerate() {
        let key = StreamKey::from_seed(2).fold_in(r as u64);
        estimator.estimate(elbo, params, key, Exec::local(), &mut memory, &mut grad)?;
    }
    Ok(grads.var_axis(ndarray::Axis(0), 1.0).sum())
}

fn report(name: &str, fit: &SgviFit<MeanFieldGaussian>, noise: f64) {
    let summary = &fit.posterior.summaries(10_000, StreamKey::from_seed(3))[0];
    println!("{name}: {} after {} iterations", fit.outcome.reason, fit.outcome.next);
    println!("  ELBO {:.3} ± {:.3} nats", fit.elbo.value, fit.elbo.mcse);
    println!("  {} = {:.3} ± {:.3}", summary.name, summary.mean, summary.sd);
    println!("  log joints {}, gradients {}", fit.evaluations.n_log_joint, fit.evaluations.n_gradient);
    println!("  variance of a gradient estimate {noise:.3e}");
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = Pumps::new()?;
    let family = MeanFieldGaussian::new(model.parameters())?;
    let settings = SgviSettings { n_samples: 64, n_iterations: 20_000, ..SgviSettings::default() };
    let (key, exec) = (StreamKey::from_seed(1), Exec::local());

    let score = settings.score_function();
    let fitted = fit(&model, &family, score, &settings, key, exec)?;
    report(
        "score function, leave-one-out",
        &fitted,
        noise(&score, &model, &family, fitted.posterior.params())?,
    );

    let pathwise = settings.pathwise();
    let fitted = fit(&model, &family, pathwise, &settings, key, exec)?;
    report("pathwise", &fitted, noise(&pathwise, &model, &family, fitted.posterior.params())?);
    Ok(())
}
