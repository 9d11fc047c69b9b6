//! Data: where they come from, and the responses and matrices that models take.

mod builtin;
mod columns;
mod read;
mod vocabulary;

use std::path::Path;

use ndarray::{Array1, Array2};
use vi_models::regression::RegressionData;

pub use builtin::{BUILT_IN, BuiltIn, built_in};
pub(crate) use columns::Categories;
use columns::{Columns, is_missing};
use vocabulary::Vocabulary;

use crate::config::{DataConfig, DataSource};
use crate::error::{ConfigError, DataError, LabError, Location};

/// Data that have been read, with the parts that their columns play.
#[derive(Debug)]
pub struct Dataset {
    config: DataConfig,
    columns: Columns,
    vocabulary: Option<Vocabulary>,
    fingerprint: u64,
}

/// A matrix of observations with the names of its columns.
#[derive(Clone, Debug)]
pub struct Observations {
    /// One row per datum.
    pub values: Array2<f64>,
    /// One name per column.
    pub names: Vec<String>,
}

/// A matrix given as a list of its entries.
#[derive(Clone, Debug)]
pub(crate) struct Entries {
    /// The row of every entry.
    pub(crate) rows: Categories,
    /// Its column.
    pub(crate) columns: Categories,
    /// Its value.
    pub(crate) values: Array1<f64>,
}

/// Reads data; files are looked for in `directory`.
///
/// # Errors
/// [`LabError`] names the file, the row and the column.
pub(crate) fn load(config: &DataConfig, directory: &Path) -> Result<Dataset, LabError> {
    let (file, bytes) = match &config.source {
        DataSource::Nothing => {
            let columns = Columns::nothing();
            return Ok(Dataset { config: config.clone(), columns, vocabulary: None, fingerprint: 0 });
        }
        DataSource::BuiltIn(name) => {
            let set = built_in(name).unwrap_or_else(|| unreachable!("the configuration checked the name"));
            (set.file.to_owned(), set.text.as_bytes().to_vec())
        }
        DataSource::File(path) => read::bytes(&directory.join(path))?,
    };
    let ending = Path::new(&file).extension().map(|e| e.to_ascii_lowercase()).unwrap_or_default();
    let columns = match ending.to_str() {
        Some("csv") => read::csv(&file, &bytes),
        Some("npy") => read::npy(&file, &bytes),
        Some("json") => read::stan_json(&file, &bytes),
        _ => Err(DataError::Format {
            message: format!("the ending `{}` is not known", ending.display()),
            file,
            format: ".csv, .npy or .json",
        }),
    }?;
    let vocabulary = Vocabulary::of(config, directory)?;
    let fingerprint = match &vocabulary {
        Some(words) => vi_core::checkpoint::fingerprint(&(&bytes[..], words.names())),
        None => vi_core::checkpoint::fingerprint(&bytes[..]),
    };
    Ok(Dataset { config: config.clone(), columns, vocabulary, fingerprint })
}

impl Dataset {
    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.columns.n_rows()
    }

    /// The file, as messages call it.
    pub fn file(&self) -> &str {
        self.columns.file()
    }

    /// A fingerprint of the bytes read.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Whether there are no data, for a model that reads none.
    pub(crate) fn is_nothing(&self) -> bool {
        self.config.source == DataSource::Nothing
    }

    /// Where the data are named.
    pub(crate) fn at(&self) -> &Location {
        &self.config.at
    }

    /// Refuses [data] keys that the model does not read.
    ///
    /// # Errors
    /// [`ConfigError::IdleKey`] names the first one.
    pub(crate) fn check_keys(&self, model: &'static str, known: &[&str]) -> Result<(), ConfigError> {
        self.config.check_keys(model, known)
    }

    /// The response column (n).
    ///
    /// # Errors
    /// [`DataError`] when none is named, or a value is no finite number.
    pub fn response(&self, model: &'static str) -> Result<Array1<f64>, DataError> {
        let meaning = "the column that is modelled";
        let name = self.required(model, self.config.response.as_deref(), "response", meaning)?;
        self.columns.vector(name, self.config.standardise_response)
    }

    /// The columns of these names (n each), for a model that knows what its columns are called.
    ///
    /// # Errors
    /// [`DataError`] when one is missing, or a value is no finite number.
    pub(crate) fn named<const N: usize>(&self, names: [&str; N]) -> Result<[Array1<f64>; N], DataError> {
        let mut columns = names.map(|_| Array1::default(0));
        for (column, name) in columns.iter_mut().zip(names) {
            *column = self.columns.column(name)?;
        }
        Ok(columns)
    }

    /// The column of known standard errors (n).
    ///
    /// # Errors
    /// As for [`Dataset::response`].
    pub fn standard_errors(&self, model: &'static str) -> Result<Array1<f64>, DataError> {
        let name = self.config.standard_errors.as_deref();
        let meaning = "the column of known standard errors of the response";
        self.columns.column(self.required(model, name, "standard_errors", meaning)?)
    }

    /// The response with its covariates, and the covariates' names.
    ///
    /// # Errors
    /// [`LabError`] when a column is missing or constant, or a value is no finite number.
    pub fn regression(&self, model: &'static str) -> Result<(RegressionData, Vec<String>), LabError> {
        let response = self.response(model)?;
        let parts = [&self.config.response, &self.config.standard_errors];
        let others =
            || self.columns.names().into_iter().filter(|n| !parts.contains(&&Some(n.clone()))).collect();
        let names: Vec<String> = self.config.covariates.clone().unwrap_or_else(others);
        if names.is_empty() {
            return Err(DataError::NoCovariates { file: self.file().to_owned() }.into());
        }
        let x = self.columns.matrix(&names, self.config.standardise)?;
        let wrong = |source| ConfigError::Model { at: self.config.at.clone(), source: Box::new(source) };
        let data = if self.config.intercept {
            RegressionData::with_intercept(x, response)
        } else {
            RegressionData::new(x, response)
        };
        Ok((data.map_err(wrong)?, names))
    }

    /// The observations of a model without a response (n, p); NaN where one is missing, if `missing = true` says that some
    /// may be.
    ///
    /// # Errors
    /// As for [`Dataset::regression`].
    pub fn observations(&self) -> Result<Observations, DataError> {
        let names = self.config.columns.clone().unwrap_or_else(|| self.columns.names());
        let standardise = self.config.standardise;
        let values = if self.config.missing {
            self.columns.matrix_with_missing(&names, standardise)
        } else {
            self.columns.matrix(&names, standardise)
        };
        let told = |error| match error {
            DataError::NotFinite { file, row, column, value } if is_missing(&value) => {
                DataError::Missing { file, row, column, value }
            }
            other => other,
        };
        Ok(Observations { values: values.map_err(told)?, names })
    }

    /// A matrix that is given as a list of its entries; `None` where `entries` does not ask for that.
    ///
    /// # Errors
    /// [`DataError`] when there are not three columns, or a value is no finite number.
    pub(crate) fn entries(&self) -> Result<Option<Entries>, DataError> {
        let Some(names) = &self.config.entries else { return Ok(None) };
        let [row, column, value] = names.as_slice() else {
            return Err(DataError::EntryColumns { at: self.config.at.clone(), columns: names.clone() });
        };
        Ok(Some(Entries {
            rows: self.columns.categories(row)?,
            columns: self.columns.categories(column)?,
            values: self.columns.column(value)?,
        }))
    }

    /// The column of known exposures (n).
    ///
    /// # Errors
    /// As for [`Dataset::response`].
    pub(crate) fn exposure(&self, model: &'static str) -> Result<Array1<f64>, DataError> {
        let meaning = "the column of known exposures of the counts";
        self.columns.column(self.required(model, self.config.exposure.as_deref(), "exposure", meaning)?)
    }

    /// The column that says which group a row belongs to.
    ///
    /// # Errors
    /// [`DataError`] when none is named, or it is not there.
    pub(crate) fn groups(&self, model: &'static str) -> Result<Categories, DataError> {
        let meaning = "the column that says which group a row belongs to";
        self.columns.categories(self.required(model, self.config.group.as_deref(), "group", meaning)?)
    }

    /// The words of a column, by the vocabulary where there is one.
    ///
    /// # Errors
    /// [`DataError::Vocabulary`] names a word that the vocabulary has not.
    pub(crate) fn in_words(&self, words: &Categories) -> Result<Vec<String>, DataError> {
        let names = self.config.columns.clone().unwrap_or_else(|| self.columns.names());
        match &self.vocabulary {
            Some(vocabulary) if vocabulary.is_of(&names[1]) => vocabulary.words(&words.names),
            _ => Ok(words.names.clone()),
        }
    }

    /// Counts of words in documents: which document, which word, how often; one row for each pair that occurs.
    ///
    /// # Errors
    /// [`DataError`] when there are not three columns, or a count is no finite number.
    pub(crate) fn counts(&self) -> Result<(Categories, Categories, Array1<f64>), DataError> {
        let names = self.config.columns.clone().unwrap_or_else(|| self.columns.names());
        let [document, word, count] = names.as_slice() else {
            return Err(DataError::Triplets { at: self.config.at.clone(), columns: names });
        };
        Ok((self.columns.categories(document)?, self.columns.categories(word)?, self.columns.column(count)?))
    }

    fn required<'a>(
        &self,
        model: &'static str,
        name: Option<&'a str>,
        key: &'static str,
        meaning: &'static str,
    ) -> Result<&'a str, DataError> {
        name.ok_or_else(|| DataError::MissingKey { at: self.config.at.clone(), model, key, meaning })
    }
}
