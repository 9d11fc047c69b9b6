//! Experiment files: what data, which model with which priors, which methods with which settings.

mod data;
mod method;
mod optimizer;
mod reader;
mod validate;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::Serialize;
use toml::de::DeValue;

pub use data::{DataConfig, DataSource};
pub(crate) use method::words;
pub use method::{
    Baseline, CaviSettings, EstimatorKind, FamilyKind, GibbsSettings, MethodConfig, MethodKind,
    MethodSettings, NutsSettings, Parametrisation, RandomWalkSettings, SgviSettings,
};
pub(crate) use reader::{Reader, Table};
pub(crate) use validate::family_size;

use crate::error::{ConfigError, LabError, Location};
use crate::study::{self, Study};

/// How posterior draws are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrawsFormat {
    /// `draws/<method>.csv`: chain, draw, one column per coordinate.
    #[default]
    Csv,
    /// `draws/<method>.npy`, (chains, draws, D), and the names in `draws/<method>.names.json`.
    Npy,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OutputConfig {
    draws: DrawsFormat,
}

/// A whole experiment, checked and with its model built on its data.
#[derive(Debug)]
pub struct Experiment {
    /// Its name: the default output directory is `results/<name>`.
    pub name: String,
    /// One sentence for the report.
    pub description: String,
    /// The seed of every random number.
    pub seed: u64,
    /// The file as it was read.
    pub text: String,
    /// Where the data come from.
    pub data: DataConfig,
    data_fingerprint: u64,
    /// The model with its data.
    pub study: Box<dyn Study>,
    /// What to run, in order.
    pub methods: Vec<MethodConfig>,
    /// How draws are written.
    pub draws: DrawsFormat,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default = "default_seed")]
    seed: u64,
    #[serde(default)]
    output: OutputConfig,
}

fn default_seed() -> u64 {
    1
}

const TABLES: [&str; 3] = ["data", "model", "methods"];

impl Experiment {
    /// Reads an experiment file; data files are looked for beside it.
    ///
    /// # Errors
    /// [`LabError`] names the file, the place and the mistake.
    pub fn load(path: &Path) -> Result<Self, LabError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| LabError::Read { path: path.to_owned(), source })?;
        let directory = path.parent().map(Path::to_owned).unwrap_or_default();
        Self::parse(&text, &path.display().to_string(), &directory)
    }

    /// Reads an experiment from memory. `file` is what messages call it, `directory` is where its data files
    /// are looked for.
    ///
    /// # Errors
    /// As for [`Experiment::load`].
    pub fn parse(text: &str, file: &str, directory: &Path) -> Result<Self, LabError> {
        let reader = Reader { file, text };
        let mut root = reader.document()?;
        let taken = TABLES.map(|key| (key, root.entries.remove_entry(key)));
        let head: Head = reader.rest(
            Table {
                name: root.name.clone(),
                span: root.span.clone(),
                entries: std::mem::take(&mut root.entries),
            },
            &TABLES,
        )?;
        root.entries.extend(taken.into_iter().filter_map(|(_, entry)| entry));
        check_name(&reader, "name", &head.name, 0)?;

        let data = DataConfig::read(&reader, reader.table(&mut root, "data")?)?;
        let loaded = crate::data::load(&data, directory)?;
        let model = reader.table(&mut root, "model")?;
        let study = study::build(&reader, model, &loaded)?;
        let methods = read_methods(&reader, &mut root, study.as_ref())?;
        let Head { name, description, seed, output } = head;
        Ok(Self {
            name,
            description,
            seed,
            text: text.to_owned(),
            data,
            data_fingerprint: loaded.fingerprint(),
            study,
            methods,
            draws: output.draws,
        })
    }

    /// A number that differs between experiments: what is run, on which bytes, from which seed.
    pub fn fingerprint(&self) -> u64 {
        let version = env!("CARGO_PKG_VERSION");
        vi_core::checkpoint::fingerprint(&(version, &self.text, self.data_fingerprint, self.seed))
    }

    /// The default output directory.
    pub fn default_directory(&self) -> PathBuf {
        Path::new("results").join(&self.name)
    }
}

fn read_methods(
    reader: &Reader<'_>,
    root: &mut Table<'_>,
    study: &dyn Study,
) -> Result<Vec<MethodConfig>, ConfigError> {
    let Some(value) = root.entries.remove("methods") else {
        return Err(reader.message(0, "missing `[[methods]]`: an experiment runs at least one method".into()));
    };
    let span = value.span();
    let DeValue::Array(array) = value.into_inner() else {
        return Err(
            reader.message(span.start, "`methods` must be a list of tables: write `[[methods]]`".into())
        );
    };
    let mut methods: Vec<MethodConfig> = Vec::new();
    for (i, value) in array.into_iter().enumerate() {
        let table = reader.as_table(value, format!("[[methods]] number {}", i + 1))?;
        let method = MethodConfig::read(reader, table)?;
        check_name(reader, "name of a method", &method.name, method.offset)?;
        if methods.iter().any(|m| m.name == method.name) {
            return Err(ConfigError::DuplicateMethod { at: method.at, name: method.name });
        }
        study::check_capability(study, &method)?;
        methods.push(method);
    }
    if methods.is_empty() {
        return Err(reader.message(span.start, "`methods` is empty: an experiment runs at least one".into()));
    }
    Ok(methods)
}

/// Names become file names.
fn check_name(reader: &Reader<'_>, key: &str, name: &str, offset: usize) -> Result<(), ConfigError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.is_empty() && name.chars().all(plain) && !name.starts_with('.') {
        return Ok(());
    }
    Err(ConfigError::Domain {
        at: reader.at(offset),
        key: key.to_owned(),
        value: format!("`{name}`"),
        requirement: "made of letters, digits, `-`, `_` and `.`",
    })
}

/// The place of a table, for messages about what it says.
pub(crate) fn place(reader: &Reader<'_>, table: &Table<'_>) -> Location {
    reader.at(table.span.start)
}
