//! Mistakes in data files.

use super::Location;
use crate::suggest::hint;

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
    /// A value that is missing, for a model that could take it if it were told to.
    #[error(
        "{file}: row {row}, column `{column}`: a value is missing (`{value}`); write `missing = true` in [data] if that is meant"
    )]
    Missing {
        /// The file.
        file: String,
        /// The row of data, from 1.
        row: usize,
        /// The column.
        column: String,
        /// The value as it stands in the file.
        value: String,
    },
    /// A column without any value.
    #[error("{file}: column `{column}` has no value at all")]
    NoValues {
        /// The file.
        file: String,
        /// The column.
        column: String,
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
    /// A list of entries that names not three columns.
    #[error("{at}: `entries` of [data] names three columns, row, column and value, not {}", columns.join(", "))]
    EntryColumns {
        /// Where.
        at: Location,
        /// The columns there are.
        columns: Vec<String>,
    },
    /// A word without a line in the vocabulary.
    #[error(
        "{file}: word `{word}` is no number of a line from 1 to {n_words}, as the words of data with a vocabulary are"
    )]
    Vocabulary {
        /// The vocabulary.
        file: String,
        /// The word as the data call it.
        word: String,
        /// How many lines there are.
        n_words: usize,
    },
    /// A line of a vocabulary without a word.
    #[error("{file}: line {line} is empty: a vocabulary has a word on every line")]
    EmptyLine {
        /// The vocabulary.
        file: String,
        /// The line, from 1.
        line: usize,
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
