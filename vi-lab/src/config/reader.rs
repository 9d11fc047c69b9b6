//! Typed values out of a TOML document, with errors that say where, what, and what was probably meant.

use std::ops::Range;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{ConfigError, Location};
use crate::suggest::nearest;

/// A document and its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'t> {
    pub(crate) file: &'t str,
    pub(crate) text: &'t str,
}

/// A table that is being taken apart.
pub(crate) struct Table<'t> {
    /// How messages call it: `[data]`.
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    pub(crate) entries: DeTable<'t>,
}

impl<'t> Reader<'t> {
    pub(crate) fn document(&self) -> Result<Table<'t>, ConfigError> {
        let root = DeTable::parse(self.text).map_err(|e| self.invalid(&e, "the experiment"))?;
        Ok(Table { name: "the experiment".into(), span: 0..0, entries: root.into_inner() })
    }
}

impl Reader<'_> {
    pub(crate) fn at(&self, offset: usize) -> Location {
        Location::of(self.file, self.text, offset)
    }

    /// A table below another, required.
    pub(crate) fn table<'d>(
        &self,
        parent: &mut Table<'d>,
        key: &'static str,
    ) -> Result<Table<'d>, ConfigError> {
        match parent.entries.remove(key) {
            Some(value) => self.as_table(value, format!("[{key}]")),
            None => Err(self.missing(parent, &format!("missing table `[{key}]`"))),
        }
    }

    pub(crate) fn as_table<'d>(
        &self,
        value: Spanned<DeValue<'d>>,
        name: String,
    ) -> Result<Table<'d>, ConfigError> {
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(entries) => Ok(Table { name, span, entries }),
            other => {
                let message = format!("{name} is of type {}, expected a table", other.type_str());
                Err(self.message(span.start, message))
            }
        }
    }

    /// A string below a table, required, with its place.
    pub(crate) fn string(&self, table: &mut Table<'_>, key: &str) -> Result<Spanned<String>, ConfigError> {
        match table.entries.remove(key) {
            Some(value) => {
                let span = value.span();
                let owned = String::deserialize(value.into_deserializer());
                let owned = owned.map_err(|e| self.invalid(&e, &table.name))?;
                Ok(Spanned::new(span, owned))
            }
            None => Err(self.missing(table, &format!("missing key `{key}` in {}", table.name))),
        }
    }

    /// What is left of a table as a `T`, whose fields are all the keys that the table may have besides
    /// `taken`, which were removed before.
    pub(crate) fn rest<'d, T: Deserialize<'d>>(
        &self,
        table: Table<'d>,
        taken: &[&str],
    ) -> Result<T, ConfigError> {
        let value = Spanned::new(table.span.clone(), DeValue::Table(table.entries));
        T::deserialize(value.into_deserializer()).map_err(|e| match self.invalid(&e, &table.name) {
            ConfigError::UnknownKey { at, key, table, mut known } => {
                known.extend(taken.iter().map(|&k| k.to_owned()));
                ConfigError::UnknownKey { at, key, table, known }
            }
            other => other,
        })
    }

    /// These keys of a table as a `T`, whose fields they are; the table keeps the others.
    pub(crate) fn part<'d, T: Deserialize<'d>>(
        &self,
        table: &mut Table<'d>,
        keys: &[&str],
    ) -> Result<T, ConfigError> {
        let mut entries = DeTable::new();
        entries.extend(keys.iter().filter_map(|key| table.entries.remove_entry(*key)));
        self.rest(Table { name: table.name.clone(), span: table.span.clone(), entries }, &[])
    }

    pub(crate) fn message(&self, offset: usize, message: String) -> ConfigError {
        let at = self.at(offset);
        let line = self.text.lines().nth(at.line as usize - 1).unwrap_or_default().trim_end().to_owned();
        ConfigError::Invalid { at, message, line }
    }

    fn missing(&self, table: &Table<'_>, message: &str) -> ConfigError {
        let hint = table.entries.keys().map(|k| k.get_ref().to_string());
        let wanted = message.split('`').nth(1).unwrap_or_default().trim_matches(['[', ']']);
        let message = match nearest(wanted, hint) {
            Some(found) => format!("{message} (is `{found}` meant to be it?)"),
            None => message.to_owned(),
        };
        self.message(table.span.start, message)
    }

    /// Reads serde's own wording of unknown fields and variants; everything else is passed on.
    fn invalid(&self, error: &toml::de::Error, table: &str) -> ConfigError {
        let offset = error.span().map_or(0, |s| s.start);
        let message = error.message();
        let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let Some((&value, known)) = names.split_first() else {
            return self.message(offset, message.to_owned());
        };
        let known: Vec<String> = known.iter().map(|&k| k.to_owned()).collect();
        if message.starts_with("unknown field") {
            ConfigError::UnknownKey {
                at: self.at(offset),
                key: value.to_owned(),
                table: table.to_owned(),
                known,
            }
        } else if message.starts_with("unknown variant") {
            ConfigError::UnknownValue {
                at: self.at(offset),
                what: format!("value in {table}:"),
                value: value.to_owned(),
                known,
            }
        } else {
            self.message(offset, format!("{} in {table}", in_words(message)))
        }
    }
}

/// serde's message with the types of numbers named for people.
fn in_words(message: &str) -> String {
    for (name, words) in [
        ("u64", "a whole number ≥ 0"),
        ("usize", "a whole number ≥ 0"),
        ("u32", "a whole number from 0 to 4294967295"),
        ("f64", "a number"),
    ] {
        if let Some(start) = message.strip_suffix(&format!("expected {name}")) {
            return format!("{start}expected {words}");
        }
    }
    message.to_owned()
}
