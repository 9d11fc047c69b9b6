//! Under what circumstances a result came about: enough to make it again.

use serde::{Deserialize, Serialize};

use crate::config::Experiment;
use crate::error::LabError;
use crate::output::pretty;

/// The circumstances of a run, as they stand in `summary.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of `vi-lab`.
    pub version: String,
    /// The commit it was built on, whether or not all changes were committed; `None` outside its repository.
    pub git: Option<String>,
    /// The compiler.
    pub rustc: String,
    /// Vector instructions of this processor that the numerics may use.
    pub cpu_features: Vec<String>,
    /// Threads of the pool.
    pub threads: usize,
    /// Items per chunk of parallel work, [`vi_core::CHUNK`].
    pub chunk: usize,
}

impl Manifest {
    /// The circumstances here and now, in the current rayon pool.
    pub fn here() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            git: Some(env!("VI_LAB_GIT")).filter(|g| !g.is_empty()).map(str::to_owned),
            rustc: env!("VI_LAB_RUSTC").to_owned(),
            cpu_features: cpu_features(),
            threads: rayon::current_num_threads(),
            chunk: vi_core::CHUNK,
        }
    }
}

impl Manifest {
    /// `manifest.json` of an experiment.
    pub(crate) fn of(&self, experiment: &Experiment) -> Result<String, LabError> {
        pretty(&serde_json::json!({
            "experiment": experiment.name,
            "seed": experiment.seed,
            "fingerprint": format!("{:016x}", experiment.fingerprint()),
            "circumstances": self,
            "experiment_file": experiment.text,
        }))
    }
}

#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<String> {
    let found = [
        ("sse4.2", is_x86_feature_detected!("sse4.2")),
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512dq", is_x86_feature_detected!("avx512dq")),
        ("avx512vl", is_x86_feature_detected!("avx512vl")),
    ];
    found.iter().filter(|f| f.1).map(|f| f.0.to_owned()).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_features() -> Vec<String> {
    vec![std::env::consts::ARCH.to_owned()]
}
