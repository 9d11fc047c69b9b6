//! What can go wrong between an experiment file and its report.

use std::path::PathBuf;

use crate::suggest::hint;

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

/// A mistake in an experiment file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not TOML, or a value of the wrong type, or a key that is missing.
    #[error("{at}: {message}\n  | {line}")]
    Invalid {
        /// Where.
        at: Location,
        /// What the parser says.
        message: String,
        /// The line of the file.
        line: String,
    },
    /// A key that means nothing.
    #[error("{at}: unknown key `{key}` in {table}{}", hint(key, known))]
    UnknownKey {
        /// Where.
        at: Location,
        /// The key.
        key: String,
        /// The table it stands in.
        table: String,
        /// All valid keys of the table.
        known: Vec<String>,
    },
    /// A key that the model does not read.
    #[error(
        "{at}: model `{model}` does not use the key `{key}` of [data]; besides `set` and `file` it uses: {}",
        known.join(", ")
    )]
    IdleKey {
        /// Where.
        at: Location,
        /// The key.
        key: String,
        /// The model.
        model: &'static str,
        /// The keys that the model reads.
        known: Vec<String>,
    },
    /// A value that is none of those possible.
    #[error("{at}: unknown {what} `{value}`{}", hint(value, known))]
    UnknownValue {
        /// Where.
        at: Location,
        /// What the value names: a model, a method, a data set, a setting.
        what: String,
        /// The value.
        value: String,
        /// All valid values.
        known: Vec<String>,
    },
    /// A setting outside its domain.
    #[error("{at}: {key} = {value}, but it must be {requirement}")]
    Domain {
        /// Where.
        at: Location,
        /// The setting.
        key: String,
        /// Its value.
        value: String,
        /// The domain in words.
        requirement: &'static str,
    },
    /// Two tables of one name, whose results could not be told apart.
    #[error("{at}: two {what} are named `{name}`: give each its own `name`")]
    Duplicate {
        /// Where the second stands.
        at: Location,
        /// What they are: methods, estimators, points.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A model that cannot take a method.
    #[error(
        "{at}: model `{model}` has no {capability}, which method `{method}` needs; methods that it has: {}",
        supported.join(", ")
    )]
    Unsupported {
        /// Where.
        at: Location,
        /// The model.
        model: &'static str,
        /// The method.
        method: String,
        /// What the model lacks.
        capability: &'static str,
        /// The methods that the model has.
        supported: Vec<String>,
    },
    /// A model that cannot take an estimator.
    #[error("{at}: model `{model}` has no {capability}, which {what} needs")]
    ModelLacks {
        /// Where.
        at: Location,
        /// The model.
        model: &'static str,
        /// The method or estimator.
        what: String,
        /// What the model lacks.
        capability: &'static str,
    },
    /// A family that cannot take an estimator.
    #[error(
        "{at}: members of family `{family}` have no {capability}, which {what} needs; families whose members have: {}",
        families.join(", ")
    )]
    FamilyLacks {
        /// Where.
        at: Location,
        /// The family.
        family: &'static str,
        /// The method or estimator.
        what: String,
        /// What its members lack.
        capability: &'static str,
        /// The families whose members have it.
        families: Vec<&'static str>,
    },
    /// An estimator that model or family cannot serve, in its own words.
    #[error("{at}: {what}: {source}")]
    Estimator {
        /// Where.
        at: Location,
        /// The method or estimator.
        what: String,
        /// What it says.
        source: Box<vi_sgvi::SgviError>,
    },
    /// Data for a model that reads none.
    #[error("{at}: model `{model}` reads no data: leave [data] away")]
    NoData {
        /// Where the data are named.
        at: Location,
        /// The model.
        model: &'static str,
    },
    /// An exact reference where none is known.
    #[error(
        "{at}: no exact gradient is known for model `{model}` with family `{family}`; use `kind = \"paired\"`, \
         or leave `kind` away"
    )]
    NoExactGradient {
        /// Where.
        at: Location,
        /// The model.
        model: &'static str,
        /// The family.
        family: &'static str,
    },
    /// A variable that cannot be moved to the scale of a family.
    #[error(
        "{at}: family `{family}` of {what} works on the unconstrained scale, and the variable `{variable}` of model \
         `{model}` cannot be moved there: its support is {support}; use `product`"
    )]
    NoMap {
        /// Where.
        at: Location,
        /// The family.
        family: &'static str,
        /// The method or bench.
        what: String,
        /// The model.
        model: &'static str,
        /// The variable.
        variable: Box<str>,
        /// Its support.
        support: vi_core::Support,
    },
    /// A variable that the product family has no factor for.
    #[error(
        "{at}: family `product` of {what} has no factor for the variable `{variable}` of model \
         `{model}`, whose support is {support}; use `mean-field` or `full-rank`"
    )]
    NoFactor {
        /// Where.
        at: Location,
        /// The method or bench.
        what: String,
        /// The model.
        model: &'static str,
        /// The variable.
        variable: String,
        /// Its support.
        support: vi_core::Support,
    },
    /// Data or priors that the model refuses.
    #[error("{at}: {source}")]
    Model {
        /// Where the model is named.
        at: Location,
        /// What the model says.
        source: Box<vi_models::ModelError>,
    },
}

/// A mistake in a data file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// No rows.
    #[error("{file}: no data: the file has no rows")]
    Empty {
        /// The file.
        file: String,
    },
    /// A row that is shorter or longer than the header.
    #[error("{file}: line {line} has {actual} column{}, expected {expected}", if *actual == 1 { "" } else { "s" })]
    NumberOfColumns {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// Columns found.
        actual: usize,
        /// Columns of the header.
        expected: usize,
    },
    /// A value that is no finite number.
    #[error("{file}: row {row}, column `{column}`: `{value}` is not a finite number")]
    NotFinite {
        /// The file.
        file: String,
        /// The row of data, from 1.
        row: usize,
        /// The column.
        column: String,
        /// The value as it stands in the file.
        value: String,
    },
    /// A column that is asked for and not there.
    #[error("{file}: no column `{column}`{}", hint(column, known))]
    NoColumn {
        /// The file.
        file: String,
        /// The column asked for.
        column: String,
        /// All columns.
        known: Vec<String>,
    },
    /// A list of counts without its three columns.
    #[error("{at}: counts of words are three columns, document, word and count, in `columns`, not {}", columns.join(", "))]
    Triplets {
        /// Where.
        at: Location,
        /// The columns there are.
        columns: Vec<String>,
    },
    /// A regression on nothing.
    #[error("{file}: no covariate columns: a regression needs at least one beside its response")]
    NoCovariates {
        /// The file.
        file: String,
    },
    /// Columns of different lengths.
    #[error("{file}: column `{column}` has {actual} rows, `{other}` has {expected}")]
    Lengths {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// Its length.
        actual: usize,
        /// Another column.
        other: String,
        /// The other's length.
        expected: usize,
    },
    /// A column without variation cannot be standardised.
    #[error("{file}: column `{column}` is constant ({value}) and cannot be standardised")]
    Constant {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// Its only value.
        value: f64,
    },
    /// A file that is not what its name says.
    #[error("{file}: not a valid {format} file: {message}")]
    Format {
        /// The file.
        file: String,
        /// The format expected.
        format: &'static str,
        /// What the reader says.
        message: String,
    },
    /// A data key that the model needs and the experiment lacks.
    #[error("{at}: model `{model}` needs `{key}` in [data]: {meaning}")]
    MissingKey {
        /// Where the data are named.
        at: Location,
        /// The model.
        model: &'static str,
        /// The key.
        key: &'static str,
        /// What it names.
        meaning: &'static str,
    },
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
