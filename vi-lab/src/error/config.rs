//! Mistakes in experiment files.

use super::Location;
use crate::suggest::hint;

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
    /// A model that cannot take a key of a method.
    #[error(
        "{at}: model `{model}` has no {capability}, which `{key}` of method `{method}` needs; `vi-lab models` lists the \
         models that have"
    )]
    KeyUnsupported {
        /// Where the method stands.
        at: Location,
        /// The model.
        model: &'static str,
        /// The key.
        key: &'static str,
        /// The method.
        method: String,
        /// What the model lacks.
        capability: &'static str,
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
