//! `summary.json`, schema 1: what programs read. A figure that a method does not have is null.

use serde::{Deserialize, Serialize};

use crate::config::{Experiment, MethodKind};
use crate::manifest::Manifest;
use crate::result::{Exact, FoundOptimum, MethodResult};

/// The version of the layout below.
pub const SCHEMA: u32 = 1;

/// A whole `summary.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The version of this layout.
    pub schema: u32,
    /// The experiment's name.
    pub experiment: String,
    /// The seed of every random number.
    pub seed: u64,
    /// The model.
    pub model: ModelSummary,
    /// The methods in the order in which they ran.
    pub methods: Vec<MethodSummary>,
    /// The exact posterior where the model knows it.
    pub exact: Option<Exact>,
    /// Under what circumstances.
    pub manifest: Manifest,
}

/// The model in a summary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelSummary {
    /// Its name.
    pub name: String,
    /// Number of reported coordinates.
    pub dim: usize,
    /// Number of data.
    pub n_data: usize,
}

/// A method in a summary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MethodSummary {
    /// Its name in the experiment.
    pub name: String,
    /// What it is.
    pub method: MethodKind,
    /// Whether it converged: by its stop rule, or, for samplers, by R-hat ≤ 1.01 throughout.
    pub converged: bool,
    /// Why it ended.
    pub stop_reason: String,
    /// What a reader may want to know beside the figures.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// The optima that restarts of coordinate ascent found, the best first; empty for other methods.
    #[serde(default)]
    pub optima: Vec<FoundOptimum>,
    /// Iterations done; for samplers over all chains, warm-up included.
    pub iterations: u64,
    /// Wall-clock time.
    pub elapsed_s: f64,
    /// Log joints evaluated without a gradient while fitting.
    pub n_log_joint: u64,
    /// Log joints evaluated with their gradient while fitting.
    pub n_gradient: u64,
    /// Parts of log joints that belong to one block evaluated while fitting.
    #[serde(default)]
    pub n_log_joint_block: u64,
    /// The ELBO in nats, with every constant.
    pub elbo: Option<f64>,
    /// Its Monte Carlo standard error; 0 when it was computed in closed form.
    pub elbo_mcse: Option<f64>,
    /// Pareto k-hat of the importance ratios.
    pub khat: Option<f64>,
    /// Figures of every coordinate, or of as many as the experiment asks for.
    pub parameters: Vec<vi_diagnostics::Summary>,
}

impl MethodSummary {
    /// The summary of a method with `n` of its coordinates at most.
    fn new(r: &MethodResult, n: usize) -> Self {
        Self {
            name: r.name.clone(),
            method: r.method,
            converged: r.converged,
            stop_reason: r.stop_reason.clone(),
            remarks: r.remarks.clone(),
            optima: r.optima.clone(),
            iterations: r.iterations,
            elapsed_s: r.elapsed_s,
            n_log_joint: r.n_log_joint,
            n_gradient: r.n_gradient,
            n_log_joint_block: r.n_log_joint_block,
            elbo: r.elbo.map(|e| e.value),
            elbo_mcse: r.elbo.map(|e| e.mcse),
            khat: r.khat,
            parameters: r.parameters.iter().take(n).cloned().collect(),
        }
    }
}

impl Summary {
    /// The summary of what has been run so far.
    pub fn new(experiment: &Experiment, results: &[MethodResult], manifest: Manifest) -> Self {
        let study = experiment.study.as_ref();
        let n = experiment.max_parameters.unwrap_or(usize::MAX);
        Self {
            schema: SCHEMA,
            experiment: experiment.name.clone(),
            seed: experiment.seed,
            model: ModelSummary {
                name: study.name().to_owned(),
                dim: study.reported().dim(),
                n_data: study.n_data(),
            },
            methods: results.iter().map(|r| MethodSummary::new(r, n)).collect(),
            exact: study.exact().and_then(Exact::of),
            manifest,
        }
    }
}
