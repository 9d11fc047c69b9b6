//! Words behind the numbers of a data file.

use std::path::Path;

use super::{built_in, read};
use crate::config::{DataConfig, DataSource};
use crate::error::{DataError, LabError};

/// Words line by line: the number of a line is that of its word.
#[derive(Clone, Debug)]
pub(super) struct Vocabulary {
    file: String,
    names: Vec<String>,
    /// The column whose numbers they are; whichever has the words when absent.
    column: Option<&'static str>,
}

impl Vocabulary {
    /// That of a file, or of a built-in set; `None` where there is none.
    pub(super) fn of(config: &DataConfig, directory: &Path) -> Result<Option<Self>, LabError> {
        if let Some(path) = &config.vocabulary {
            let (file, bytes) = read::bytes(&directory.join(path))?;
            let text = String::from_utf8(bytes).map_err(|e| DataError::Format {
                file: file.clone(),
                format: "vocabulary",
                message: e.to_string(),
            })?;
            return Self::parse(file, &text, None).map(Some);
        }
        let set = match config.source {
            DataSource::BuiltIn(name) => built_in(name),
            _ => None,
        };
        match set.and_then(|set| Some((set.name, set.vocabulary?))) {
            Some((name, (column, text))) => Self::parse(name.to_owned(), text, Some(column)).map(Some),
            None => Ok(None),
        }
    }

    fn parse(file: String, text: &str, column: Option<&'static str>) -> Result<Self, LabError> {
        let names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
        match names.iter().position(String::is_empty) {
            Some(line) => Err(DataError::EmptyLine { file, line: line + 1 }.into()),
            None => Ok(Self { file, names, column }),
        }
    }

    /// The words.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether it is that of a column.
    pub(super) fn is_of(&self, column: &str) -> bool {
        self.column.is_none_or(|own| own == column)
    }

    /// The words of these numbers.
    pub(super) fn words(&self, numbers: &[String]) -> Result<Vec<String>, DataError> {
        let word = |number: &String| {
            let line = number.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
            line.and_then(|line| self.names.get(line)).cloned().ok_or_else(|| DataError::Vocabulary {
                file: self.file.clone(),
                word: number.clone(),
                n_words: self.names.len(),
            })
        };
        numbers.iter().map(word).collect()
    }
}
