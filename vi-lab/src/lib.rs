//! Experiments on models of `vi`: data, a model, several methods, one comparison.
//!
//! This is the library behind the command `vi-lab`, so that programs and tests can run experiments too.
//!
//! | module | what |
//! |---|---|
//! | `config` | experiment files (TOML): [`Experiment`], [`MethodConfig`] and the settings of every method |
//! | `data` | built-in sets, CSV, NPY and Stan-JSON files: [`Dataset`] |
//! | `study` | models at run time: [`Study`] and what it can do |
//! | `estimators` | gradient estimators and families by name |
//! | `methods` | every method over a [`Study`], judged in one way |
//! | `run` | [`run()`]: a whole experiment, with checkpoints |
//! | `bench` | [`run_estimators`]: estimators compared at fixed points |
//! | `result`, `summary`, `manifest` | what is reported: [`MethodResult`], [`Summary`], [`Manifest`] |
//! | `output`, `stale`, `report`, `table` | files old and new, `report.html`, the table on the terminal |
//! | `cli` | the commands |

mod bench;
pub mod cli;
mod config;
mod data;
mod error;
mod estimators;
mod interrupt;
mod manifest;
mod methods;
mod output;
mod progress;
mod report;
mod result;
mod run;
mod stale;
mod study;
mod suggest;
mod summary;
mod table;

pub use bench::{BenchDocument, BenchFamily, BenchOutcome, run_estimators};
pub use config::{
    AdviseSettings, ApproximationSettings, Baseline, BatchAndMatchSettings, CaviSettings, Damping,
    DataConfig, DataSource, DeterministicSettings, DrawsFormat, EntropyKind, EstimatorBench, EstimatorConfig,
    EstimatorKind, EstimatorSettings, Experiment, FamilyKind, FamilySettings, GaussianScoreMatchingSettings,
    GibbsSettings, GivenPoint, LaplaceSettings, MethodConfig, MethodKind, MethodSettings,
    MultiPathfinderSettings, NutsSettings, Parametrisation, PathfinderSettings, PointName, PointsConfig,
    RandomWalkSettings, ReferenceConfig, ReferenceKind, SamplerKind, SgviSettings, SvgdSettings, SviSettings,
};
pub use data::{BUILT_IN, BuiltIn, Dataset, Observations, built_in};
pub use error::{ConfigError, DataError, LabError, Location};
pub use interrupt::Interrupt;
pub use manifest::Manifest;
pub use methods::{Context, Fitted};
pub use output::OutputDirectory;
pub use report::{render as render_report, render_bench as render_bench_report};
pub use result::{Exact, ExactParameter, FoundOptimum, KHAT_LIMIT, MethodResult, RHAT_LIMIT, TraceColumns};
pub use run::{RunOptions, RunOutcome, run};
pub use study::{
    Conditionals, Conjugate, DampedAscent, Finding, MODELS, ModelEntry, MovingAscent, StochasticAscent,
    Study, Target, supported,
};
pub use suggest::nearest;
pub use summary::{MethodSummary, ModelSummary, SCHEMA, Summary};
pub use table::render as render_table;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
