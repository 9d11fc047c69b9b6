//! What can go wrong between an experiment file and its report.

mod config;
mod data;

use std::path::PathBuf;

pub use config::ConfigError;
pub use data::DataError;

/// A place in a text file, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub file: Box<str>,
    /// The line.
    pub line: u32,
    /// The column, in characters.
    pub column: u32,
}

impl Location {
    /// The place of byte `offset` of `text`.
    pub fn of(file: &str, text: &str, offset: usize) -> Self {
        let before = &text[..text.floor_char_boundary(offset.min(text.len()))];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { file: file.into(), line: small(line), column: small(column) }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// What ends a `vi-lab` command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// A mistake in the experiment file.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A mistake in the data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file that cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// An output directory that cannot be made or written to: found before any work is done.
    #[error("output directory {} is not writable: {source}", path.display())]
    Output {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A result that cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Checkpoints of another experiment.
    #[error(
        "cannot resume: the checkpoints in {} belong to another experiment or seed \
         (fingerprint {found:016x}, this run has {expected:016x}); choose another --out or leave --resume away",
        directory.display()
    )]
    Fingerprint {
        /// Where the checkpoints are.
        directory: PathBuf,
        /// Fingerprint of this experiment, data and seed.
        expected: u64,
        /// Fingerprint found.
        found: u64,
    },
    /// A checkpoint that cannot be gone on from.
    #[error("cannot resume: {source}")]
    Resume {
        /// What is wrong with it.
        source: vi_core::checkpoint::CheckpointError,
    },
    /// A checkpoint that cannot be written.
    #[error(transparent)]
    Checkpoint(#[from] vi_core::checkpoint::CheckpointError),
    /// The thread pool could not be made.
    #[error("cannot start {n} threads: {source}")]
    Threads {
        /// Threads asked for.
        n: usize,
        /// What rayon says.
        source: rayon::ThreadPoolBuildError,
    },
    /// A method failed.
    #[error("method `{method}`: {source}")]
    Method {
        /// The method's name in the experiment.
        method: String,
        /// Its error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A figure could not be drawn, a document not be formed.
    #[error("cannot form {what}: {message}")]
    Render {
        /// The document.
        what: &'static str,
        /// What is wrong.
        message: String,
    },
}

impl LabError {
    /// Wraps the error of a method.
    pub(crate) fn method(name: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Method { method: name.to_owned(), source: source.into() }
    }

    /// The exit code of the process: 2 for bad input, 1 for a run that failed.
    pub fn exit_code(&self) -> u8 {
        match self {
            LabError::Method { .. }
            | LabError::Render { .. }
            | LabError::Threads { .. }
            | LabError::Write { .. }
            | LabError::Checkpoint(_) => 1,
            _ => 2,
        }
    }
}
