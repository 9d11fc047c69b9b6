//! Experiment files: what data, which model with which priors, which methods with which settings.

mod approximation;
mod bench;
mod bench_tables;
mod conjugate;
mod data;
mod estimator;
mod estimator_kind;
mod family;
mod kind;
mod method;
mod optimizer;
mod reader;
mod validate;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::Serialize;
use toml::de::DeValue;
use vi_cavi::CaviError;

pub use approximation::{
    AdviseSettings, ApproximationSettings, BatchAndMatchSettings, DeterministicSettings,
    GaussianScoreMatchingSettings, LaplaceSettings, MultiPathfinderSettings, PathfinderSettings,
    SvgdSettings,
};
pub use bench::{
    EstimatorBench, EstimatorConfig, GivenPoint, PointName, PointsConfig, ReferenceConfig, ReferenceKind,
};
pub(crate) use conjugate::{CAVI_KEYS, EXCHANGEABLE, EXPANSION, MOVES, NATURAL};
pub use conjugate::{CaviSettings, Damping, GibbsSettings, SviSettings};
pub use data::{DataConfig, DataSource};
pub use estimator::{Baseline, EntropyKind, EstimatorSettings, SamplerKind};
pub use estimator_kind::EstimatorKind;
pub use family::{FamilyKind, FamilySettings};
pub use kind::MethodKind;
pub(crate) use method::words;
pub use method::{
    MethodConfig, MethodSettings, NutsSettings, Parametrisation, RandomWalkSettings, SgviSettings,
};
pub(crate) use reader::{Reader, Table};

use crate::error::{ConfigError, LabError, Location};
use crate::study::{self, Study};

/// A table of an experiment file whose settings are checked.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    /// Where it stands.
    pub(crate) at: Location,
    /// What messages call it: method `x`.
    pub(crate) what: String,
}

impl Owner {
    /// A setting of it outside its domain.
    pub(crate) fn domain(&self, key: &str, value: String, requirement: &'static str) -> ConfigError {
        let key = format!("`{key}` of {}", self.what);
        ConfigError::Domain { at: self.at.clone(), key, value, requirement }
    }

    /// What the engine of coordinate ascent says of a setting, which stands below `prefix`.
    fn engine(&self, prefix: &str, result: Result<(), CaviError>) -> Result<(), ConfigError> {
        result.map_err(|error| match error {
            CaviError::Setting { setting, value, requirement } => {
                self.domain(&format!("{prefix}{setting}"), value.to_string(), requirement)
            }
            other => self.domain("settings", other.to_string(), "such as the method takes"),
        })
    }

    /// A table below it.
    fn below(&self, key: &str) -> Self {
        Self { at: self.at.clone(), what: format!("`{key}` of {}", self.what) }
    }
}

/// How posterior draws are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrawsFormat {
    /// `draws/<method>.csv`: chain, draw, one column per coordinate.
    #[default]
    Csv,
    /// `draws/<method>.npy`, (chains, draws, D), and the names in `draws/<method>.names.json`.
    Npy,
    /// No file: for models of very many coordinates.
    None,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OutputConfig {
    draws: DrawsFormat,
    max_parameters: Option<usize>,
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
    /// How many coordinates a summary lists, the first ones; all when absent.
    pub max_parameters: Option<usize>,
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

const METHODS: &str = "methods";

impl Experiment {
    /// Reads an experiment file; data files are looked for beside it.
    ///
    /// # Errors
    /// [`LabError`] names the file, the place and the mistake.
    pub fn load(path: &Path) -> Result<Self, LabError> {
        let (text, directory) = read_file(path)?;
        Self::parse(&text, &path.display().to_string(), &directory)
    }

    /// Reads an experiment from memory. `file` is what messages call it, `directory` is where its data files
    /// are looked for.
    ///
    /// # Errors
    /// As for [`Experiment::load`].
    pub fn parse(text: &str, file: &str, directory: &Path) -> Result<Self, LabError> {
        Self::parse_with(text, file, directory, &[METHODS], |reader, root, experiment| {
            experiment.methods = read_methods(reader, root, experiment.study.as_ref())?;
            Ok(())
        })
        .map(|(experiment, ())| experiment)
    }

    /// Reads a file that only names data and a model.
    pub(crate) fn parse_model(text: &str, file: &str, directory: &Path) -> Result<Self, LabError> {
        Self::parse_with(text, file, directory, &[], |_, _, _| Ok(())).map(|(experiment, ())| experiment)
    }

    /// Reads what all files have in common (name, data, model), then the other tables, called `tables`, by `read`.
    fn parse_with<T>(
        text: &str,
        file: &str,
        directory: &Path,
        tables: &[&str],
        read: impl FnOnce(&Reader<'_>, &mut Table<'_>, &mut Self) -> Result<T, ConfigError>,
    ) -> Result<(Self, T), LabError> {
        let reader = Reader { file, text };
        let mut root = reader.document()?;
        other_command(&reader, &root, tables)?;
        let tables = [&["data", "model"][..], tables].concat();
        let taken: Vec<_> = tables.iter().map(|key| root.entries.remove_entry(*key)).collect();
        let head: Head = reader.rest(
            Table {
                name: root.name.clone(),
                span: root.span.clone(),
                entries: std::mem::take(&mut root.entries),
            },
            &tables,
        )?;
        root.entries.extend(taken.into_iter().flatten());
        check_name(&reader, "name", &head.name, 0)?;

        let given = root.entries.contains_key("data");
        let mut model = None;
        if !given && root.entries.contains_key("model") {
            model = Some(reader.table(&mut root, "model")?);
        }
        let data = match &model {
            Some(table) if study::reads_no_data(table) => DataConfig::nothing(&reader, table),
            _ => DataConfig::read(&reader, reader.table(&mut root, "data")?)?,
        };
        let loaded = crate::data::load(&data, directory)?;
        let model = match model {
            Some(table) => table,
            None => reader.table(&mut root, "model")?,
        };
        let study = study::build(&reader, model, &loaded)?;
        let Head { name, description, seed, output } = head;
        let mut experiment = Self {
            name,
            description,
            seed,
            text: text.to_owned(),
            data,
            data_fingerprint: loaded.fingerprint(),
            study,
            methods: Vec::new(),
            draws: output.draws,
            max_parameters: output.max_parameters,
        };
        let read = read(&reader, &mut root, &mut experiment)?;
        Ok((experiment, read))
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

/// A file and the directory that it stands in.
fn read_file(path: &Path) -> Result<(String, PathBuf), LabError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| LabError::Read { path: path.to_owned(), source })?;
    Ok((text, path.parent().map(Path::to_owned).unwrap_or_default()))
}

/// A file for the other command is told from one with a misspelt table.
fn other_command(reader: &Reader<'_>, root: &Table<'_>, tables: &[&str]) -> Result<(), ConfigError> {
    for (key, command) in [(METHODS, "run"), (bench::ESTIMATORS, "estimators")] {
        if !tables.contains(&key)
            && let Some((found, _)) = root.entries.get_key_value(key)
        {
            let message = format!("`[[{key}]]` belong to a file for `vi-lab {command}`");
            return Err(reader.message(found.span().start, message));
        }
    }
    Ok(())
}

/// A list of tables below the root, required and not empty.
fn list<'d>(
    reader: &Reader<'_>,
    root: &mut Table<'d>,
    key: &str,
    least: &str,
) -> Result<Vec<Table<'d>>, ConfigError> {
    let Some(value) = root.entries.remove(key) else {
        return Err(reader.message(0, format!("missing `[[{key}]]`: {least}")));
    };
    let span = value.span();
    let DeValue::Array(array) = value.into_inner() else {
        return Err(
            reader.message(span.start, format!("`{key}` must be a list of tables: write `[[{key}]]`"))
        );
    };
    if array.is_empty() {
        return Err(reader.message(span.start, format!("`{key}` is empty: {least}")));
    }
    let tables = array.into_iter().enumerate();
    tables.map(|(i, value)| reader.as_table(value, format!("[[{key}]] number {}", i + 1))).collect()
}

fn read_methods(
    reader: &Reader<'_>,
    root: &mut Table<'_>,
    study: &dyn Study,
) -> Result<Vec<MethodConfig>, ConfigError> {
    let mut methods: Vec<MethodConfig> = Vec::new();
    for table in list(reader, root, METHODS, "an experiment runs at least one method")? {
        let method = MethodConfig::read(reader, table)?;
        check_name(reader, "name of a method", &method.name, method.offset)?;
        if methods.iter().any(|m| m.name == method.name) {
            return Err(ConfigError::Duplicate { at: method.at, what: "methods", name: method.name });
        }
        study::check_capability(study, &method)?;
        methods.push(method);
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
