//! The `[data]` table.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::reader::{Reader, Table};
use crate::data::{BUILT_IN, built_in};
use crate::error::{ConfigError, Location};

/// Which data, and which columns play which part.
#[derive(Clone, Debug, PartialEq)]
pub struct DataConfig {
    /// Where the table stands.
    pub at: Location,
    /// The data: a built-in set or a file.
    pub source: DataSource,
    /// The response column.
    pub response: Option<String>,
    /// The covariate columns; all that play no other part when absent.
    pub covariates: Option<Vec<String>>,
    /// The column of known standard errors of the response.
    pub standard_errors: Option<String>,
    /// The column of known exposures of counts.
    pub exposure: Option<String>,
    /// The column that says which group a row belongs to.
    pub group: Option<String>,
    /// The columns of a model without a response; all when absent.
    pub columns: Option<Vec<String>>,
    /// The three columns of a matrix that is given as a list: row, column, value.
    pub entries: Option<Vec<String>>,
    /// A file with the names of words, line by line.
    pub vocabulary: Option<PathBuf>,
    /// Whether values may be missing.
    pub missing: bool,
    /// Whether covariates (or columns) are centred and divided by their population standard deviation.
    pub standardise: bool,
    /// Whether the response is, too.
    pub standardise_response: bool,
    /// Whether the design matrix begins with a column of ones.
    pub intercept: bool,
    /// The keys that the table has, each with its place.
    pub given: Vec<(String, Location)>,
}

/// Where data come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DataSource {
    /// A set that is part of the program.
    BuiltIn(&'static str),
    /// A file, relative to the experiment file.
    File(PathBuf),
    /// None: the model reads no data.
    Nothing,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    set: Option<toml::Spanned<String>>,
    file: Option<PathBuf>,
    response: Option<String>,
    covariates: Option<Vec<String>>,
    standard_errors: Option<String>,
    exposure: Option<String>,
    group: Option<String>,
    columns: Option<Vec<String>>,
    entries: Option<Vec<String>>,
    vocabulary: Option<PathBuf>,
    #[serde(default)]
    missing: bool,
    #[serde(default)]
    standardise: bool,
    #[serde(default)]
    standardise_response: bool,
    #[serde(default)]
    intercept: bool,
}

impl DataConfig {
    /// No data, for a model that reads none.
    pub(crate) fn nothing(reader: &Reader<'_>, model: &Table<'_>) -> Self {
        Self {
            at: reader.at(model.span.start),
            source: DataSource::Nothing,
            response: None,
            covariates: None,
            standard_errors: None,
            exposure: None,
            group: None,
            columns: None,
            entries: None,
            vocabulary: None,
            missing: false,
            standardise: false,
            standardise_response: false,
            intercept: false,
            given: Vec::new(),
        }
    }

    pub(crate) fn read(reader: &Reader<'_>, table: Table<'_>) -> Result<Self, ConfigError> {
        let offset = table.span.start;
        let keys = table.entries.keys();
        let given = keys.map(|k| (k.get_ref().to_string(), reader.at(k.span().start))).collect();
        let raw: Raw = reader.rest(table, &[])?;
        let mut config = Self {
            at: reader.at(offset),
            source: source(reader, offset, raw.set, raw.file)?,
            response: raw.response,
            covariates: raw.covariates,
            standard_errors: raw.standard_errors,
            exposure: raw.exposure,
            group: raw.group,
            columns: raw.columns,
            entries: raw.entries,
            vocabulary: raw.vocabulary,
            missing: raw.missing,
            standardise: raw.standardise,
            standardise_response: raw.standardise_response,
            intercept: raw.intercept,
            given,
        };
        if let DataSource::BuiltIn(name) = config.source
            && let Some(set) = built_in(name)
        {
            let or = |given: &mut Option<String>, column: Option<&str>| {
                *given = given.take().or(column.map(str::to_owned));
            };
            or(&mut config.response, set.response);
            or(&mut config.standard_errors, set.standard_errors);
            or(&mut config.exposure, set.exposure);
            or(&mut config.group, set.group);
        }
        config.check_list()?;
        Ok(config)
    }

    /// A list of entries is the whole matrix: nothing else says which columns there are.
    fn check_list(&self) -> Result<(), ConfigError> {
        const BESIDE: [&str; 3] = ["columns", "standardise", "missing"];
        let beside = |(key, _): &&(String, Location)| BESIDE.contains(&key.as_str());
        match self.given.iter().find(beside) {
            Some((key, at)) if self.entries.is_some() => Err(ConfigError::Domain {
                at: at.clone(),
                key: "`entries` of [data]".to_owned(),
                value: format!("given with `{key}`"),
                requirement: "given without `columns`, `standardise` and `missing`: what the list does not name is missing, or a \
                              count of 0",
            }),
            _ => Ok(()),
        }
    }

    /// Refuses keys that the model, which reads `known`, would pass over in silence.
    pub(crate) fn check_keys(&self, model: &'static str, known: &[&str]) -> Result<(), ConfigError> {
        let idle = |key: &str| !SOURCES.contains(&key) && !known.contains(&key);
        match self.given.iter().find(|(key, _)| idle(key)) {
            None => Ok(()),
            Some((key, at)) => Err(ConfigError::IdleKey {
                at: at.clone(),
                key: key.clone(),
                model,
                known: known.iter().map(|&k| k.to_owned()).collect(),
            }),
        }
    }
}

/// The keys that say where data come from, whatever the model.
const SOURCES: [&str; 2] = ["set", "file"];

fn source(
    reader: &Reader<'_>,
    offset: usize,
    set: Option<toml::Spanned<String>>,
    file: Option<PathBuf>,
) -> Result<DataSource, ConfigError> {
    match (set, file) {
        (None, Some(file)) => Ok(DataSource::File(file)),
        (Some(set), None) => match built_in(set.get_ref()) {
            Some(found) => Ok(DataSource::BuiltIn(found.name)),
            None => {
                let known: Vec<String> = BUILT_IN.iter().map(|s| s.name.to_owned()).collect();
                Err(ConfigError::UnknownValue {
                    at: reader.at(set.span().start),
                    what: "data set".into(),
                    value: set.into_inner(),
                    known,
                })
            }
        },
        _ => {
            Err(reader
                .message(offset, "[data] names either a built-in `set` or a `file`, and not both".into()))
        }
    }
}
