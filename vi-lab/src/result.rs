//! What a method of an experiment came to.

use serde::{Deserialize, Serialize};
use vi_core::{Draws, ElboEstimate};
use vi_diagnostics::Summary;

use crate::config::MethodKind;

/// Columns of numbers over the iterations of a method.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceColumns {
    /// The names of the columns; the first one counts iterations.
    pub names: Vec<String>,
    /// The columns, all of one length.
    pub columns: Vec<Vec<f64>>,
}

impl TraceColumns {
    /// An empty table with these columns.
    pub fn new(names: &[&str]) -> Self {
        Self { names: names.iter().map(|&n| n.to_owned()).collect(), columns: vec![Vec::new(); names.len()] }
    }

    /// Appends a row.
    ///
    /// # Panics
    /// If `row` has not one value per column.
    pub fn push(&mut self, row: &[f64]) {
        assert_eq!(row.len(), self.columns.len(), "a row of a trace has one value per column");
        for (column, value) in self.columns.iter_mut().zip(row) {
            column.push(*value);
        }
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        let i = self.names.iter().position(|n| n == name)?;
        Some(&self.columns[i])
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }
}

/// Where restarts ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundOptimum {
    /// The highest ELBO among its restarts, in nats.
    pub elbo: f64,
    /// Its restarts, from 1, the one with the highest ELBO first.
    pub restarts: Vec<usize>,
    /// How many of these converged. Where none did, it may be a place on the way.
    pub n_converged: usize,
    /// The share of all restarts that ended here.
    pub frequency: f64,
}

impl FoundOptimum {
    /// One of `n_restarts` restarts.
    pub(crate) fn new(optimum: &vi_cavi::Optimum, n_restarts: usize) -> Self {
        Self {
            elbo: optimum.elbo,
            restarts: optimum.restarts.iter().map(|r| r + 1).collect(),
            n_converged: optimum.n_converged,
            frequency: optimum.frequency(n_restarts),
        }
    }
}

/// Everything that a method of an experiment came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MethodResult {
    /// Its name in the experiment.
    pub name: String,
    /// What it is.
    pub method: MethodKind,
    /// Its settings in words, for the report.
    pub settings: String,
    /// Whether it converged: by its stop rule, or, for samplers, by R-hat ≤ 1.01 throughout.
    pub converged: bool,
    /// Why it ended.
    pub stop_reason: String,
    /// Whether it was interrupted and can be resumed.
    pub interrupted: bool,
    /// Iterations done; for samplers over all chains, warm-up included.
    pub iterations: u64,
    /// Wall-clock time, over all sessions of a resumed run.
    pub elapsed_s: f64,
    /// Log joints evaluated without a gradient while fitting.
    pub n_log_joint: u64,
    /// Log joints evaluated with their gradient while fitting.
    pub n_gradient: u64,
    /// Parts of log joints that belong to one block evaluated while fitting.
    #[serde(default)]
    pub n_log_joint_block: u64,
    /// The ELBO: closed form (standard error 0) where the method has it, by sampling otherwise.
    pub elbo: Option<ElboEstimate>,
    /// The ELBO of the reported variables by sampling, by the same function for every method that has a
    /// density. It differs from a closed-form `elbo` where auxiliary variables are integrated out.
    pub elbo_sampled: Option<ElboEstimate>,
    /// Pareto k-hat of the importance ratios of the reported variables.
    pub khat: Option<f64>,
    /// Divergent transitions after warm-up; NUTS only.
    pub n_divergent: Option<u64>,
    /// Figures of every coordinate.
    pub parameters: Vec<Summary>,
    /// The course of the run.
    pub trace: TraceColumns,
    /// What a reader may want to know beside the figures: what was chosen and why, what is ascended, where starts led.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// The optima that restarts of coordinate ascent found, the best first; empty for other methods.
    #[serde(default)]
    pub optima: Vec<FoundOptimum>,
    /// Posterior draws on the constrained scale; `None` when it was interrupted before the first.
    pub draws: Option<Draws>,
    /// Figures that could not be computed, and why.
    pub notes: Vec<String>,
}

impl MethodResult {
    /// The number of restarts behind `optima`.
    pub fn n_restarts(&self) -> usize {
        self.optima.iter().map(|o| o.restarts.len()).sum()
    }

    /// The largest R-hat.
    pub fn max_rhat(&self) -> Option<f64> {
        self.parameters.iter().filter_map(|p| p.rhat).max_by(f64::total_cmp)
    }

    /// The smallest effective sample size, bulk or tail.
    pub fn min_ess(&self) -> Option<f64> {
        let both = self.parameters.iter().flat_map(|p| [p.ess_bulk, p.ess_tail]);
        both.flatten().min_by(f64::total_cmp)
    }

    /// What a reader must be told about this result.
    pub fn warnings(&self) -> Vec<String> {
        let mut out = self.notes.clone();
        if self.interrupted {
            out.push("interrupted: the figures are those of an unfinished run".to_owned());
        } else if !self.converged {
            out.push(format!("not converged ({})", self.stop_reason));
        }
        if let Some(k) = self.khat.filter(|k| *k > KHAT_LIMIT) {
            out.push(format!(
                "Pareto k-hat {k:.2} > {KHAT_LIMIT}: the approximation misses posterior mass that importance \
                 weighting cannot mend"
            ));
        }
        let high: Vec<&Summary> =
            self.parameters.iter().filter(|p| p.rhat.is_some_and(|r| r > RHAT_LIMIT)).collect();
        let worst = high.iter().max_by(|a, b| a.rhat.unwrap_or(0.0).total_cmp(&b.rhat.unwrap_or(0.0)));
        if let Some(worst) = worst {
            out.push(format!(
                "R-hat > {RHAT_LIMIT} for {} of {} coordinates (largest {:.3}, {})",
                high.len(),
                self.parameters.len(),
                worst.rhat.unwrap_or(f64::NAN),
                worst.name
            ));
        }
        if let Some(n) = self.n_divergent.filter(|n| *n > 0) {
            out.push(format!("{n} divergent transitions after warm-up"));
        }
        out
    }
}

/// Above this k-hat the approximation is not to be trusted (Vehtari et al. 2024, Pareto smoothed importance
/// sampling, §3.2.4).
pub const KHAT_LIMIT: f64 = 0.7;

/// Above this R-hat chains have not mixed (Vehtari et al. 2021, Rank-normalization, folding, and localization,
/// §4).
pub const RHAT_LIMIT: f64 = 1.01;

/// The exact posterior of a model that knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exact {
    /// log p(x).
    pub log_evidence: Option<f64>,
    /// Mean and standard deviation of every coordinate.
    pub parameters: Vec<ExactParameter>,
}

/// One coordinate of an exact posterior.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExactParameter {
    /// Its name.
    pub name: String,
    /// E[z | x].
    pub mean: Option<f64>,
    /// √Var[z | x].
    pub sd: Option<f64>,
}

impl Exact {
    /// What is known of a model; `None` when that is nothing.
    pub fn of(model: &dyn vi_core::KnownPosterior) -> Option<Self> {
        let (mean, covariance) = (model.posterior_mean(), model.posterior_covariance());
        let log_evidence = model.log_evidence();
        if mean.is_none() && covariance.is_none() && log_evidence.is_none() {
            return None;
        }
        let names = model.parameters().names().iter().enumerate();
        let parameters = names.map(|(d, name)| ExactParameter {
            name: name.clone(),
            mean: mean.as_ref().map(|m| m[d]),
            sd: covariance.as_ref().map(|c| c[[d, d]].sqrt()),
        });
        Some(Self { log_evidence, parameters: parameters.collect() })
    }
}
