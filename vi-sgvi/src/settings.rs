//! Everything that a fit can be told, with defaults.

use serde::{Deserialize, Serialize};
use vi_core::{Exec, LogJoint};
use vi_families::VariationalFamily;

use crate::averaging::Averaging;
use crate::baseline::{LeaveOneOut, NoBaseline};
use crate::clipping::Clipping;
use crate::error::{SgviError, require};
use crate::estimator::GradientEstimator;
use crate::kernel::Sgvi;
use crate::optimizer::{AnyOptimizer, NaturalGradient};
use crate::pathwise::Pathwise;
use crate::score_function::ScoreFunction;
use crate::stationarity::Stationarity;
use crate::window::{Compare, ElboPlateau, Window};

/// Settings of [`crate::fit`]. The estimator is a type and is chosen in code; [`SgviSettings::score_function`]
/// and its neighbours build it with the number of samples set here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SgviSettings {
    /// Samples per gradient; by default 64.
    pub n_samples: usize,
    /// Budget of iterations; by default 10 000. A run that uses it up is reported as not converged.
    pub n_iterations: u64,
    /// Optimizer; by default Adam with a decaying learning rate.
    pub optimizer: AnyOptimizer,
    /// Whether gradients are cut to a length, which biases them; by default not.
    pub clipping: Clipping,
    /// Average of the iterates that is reported; by default the tail average.
    pub averaging: Averaging,
    /// Windows of the ELBO trace that are compared.
    pub window: Window,
    /// When the difference of two windows counts as none.
    pub tolerance: ElboPlateau,
    /// Stops when the iterates are stationary and their average is known well enough, instead of by `tolerance`; by default
    /// not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stationarity: Option<Stationarity>,
    /// Samples of the final evaluation of the ELBO; by default 10 000.
    pub n_evaluate: usize,
}

impl Default for SgviSettings {
    fn default() -> Self {
        Self {
            n_samples: 64,
            n_iterations: 10_000,
            optimizer: AnyOptimizer::default(),
            clipping: Clipping::None,
            averaging: Averaging::Tail,
            window: Window::default(),
            tolerance: ElboPlateau::default(),
            stationarity: None,
            n_evaluate: 10_000,
        }
    }
}

impl SgviSettings {
    /// Settings for a posterior of which nothing is known but its log joint: natural gradients from 128 samples
    /// ([`NaturalGradient::cautious`]), and the average of a window of iterates, each window half as long again as the one
    /// before, until the ELBOs of two averages differ by no more than 0.02 nat; at most 4000 iterations.
    ///
    /// Nothing of it is tuned by model. The noise of a step of length ρ is ½ρ² P v/S nats, v the variance of the log
    /// ratios, and has to be well below the 0.1 nat of a step: measured with the score function for D ≤ 10; raise
    /// `n_samples` with D.
    pub fn black_box() -> Self {
        Self {
            n_samples: 128,
            n_iterations: 4000,
            optimizer: AnyOptimizer::Natural(NaturalGradient::cautious()),
            averaging: Averaging::Window,
            window: Window { length: 100, growth: 1.5, compare: Compare::Averages { n_samples: 1000 } },
            tolerance: ElboPlateau { absolute: 0.02, relative: 0.0 },
            ..Self::default()
        }
    }

    /// Natural gradients as in [`SgviSettings::black_box`], stopped by [`Stationarity`].
    pub fn stationary() -> Self {
        let (averaging, window, tolerance) = (Averaging::Tail, Window::default(), ElboPlateau::default());
        let stationarity = Some(Stationarity::default());
        Self { averaging, window, tolerance, stationarity, n_iterations: 20_000, ..Self::black_box() }
    }

    /// The score function with leave-one-out baseline.
    pub fn score_function(&self) -> ScoreFunction<LeaveOneOut> {
        ScoreFunction::leave_one_out(self.n_samples)
    }

    /// The score function without baseline.
    pub fn naive_score_function(&self) -> ScoreFunction<NoBaseline> {
        ScoreFunction::naive(self.n_samples)
    }

    /// The pathwise estimator.
    pub fn pathwise(&self) -> Pathwise {
        Pathwise::new(self.n_samples)
    }

    /// The kernel with these settings.
    ///
    /// # Errors
    /// [`SgviError`] when model and family do not fit or a setting is outside its domain.
    pub fn kernel<'a, M, F, E>(
        &self,
        model: &'a M,
        family: &'a F,
        estimator: E,
        exec: Exec<'a>,
    ) -> Result<Sgvi<'a, M, F, E, AnyOptimizer>, SgviError>
    where
        M: LogJoint + ?Sized,
        F: VariationalFamily,
        E: GradientEstimator<M, F>,
    {
        self.tolerance.validate()?;
        require(self.n_evaluate >= 2, "n_evaluate", self.n_evaluate as f64, "≥ 2")?;
        let kernel = Sgvi::new(model, family, estimator, self.optimizer)?;
        let kernel = kernel.with_clipping(self.clipping)?.with_averaging(self.averaging)?;
        let kernel = kernel.with_window(self.window)?.with_exec(exec);
        match self.stationarity {
            None => Ok(kernel),
            Some(rule) => kernel.with_stationarity(rule),
        }
    }
}
