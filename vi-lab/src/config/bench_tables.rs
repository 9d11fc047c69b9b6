//! The tables of bench files, one by one.

use serde::Deserialize;
use vi_sgvi::bench::{BenchSettings, RaceSettings};
use vi_sgvi::{AnyOptimizer, Averaging, SgviError};

use super::bench::{ESTIMATORS, EstimatorConfig, PointsConfig, ReferenceConfig, ReferenceKind};
use super::estimator::EstimatorSettings;
use super::family::{FamilyKind, FamilySettings};
use super::reader::{Reader, Table};
use super::{Owner, Parametrisation, check_name, list, optimizer};
use crate::error::ConfigError;
use crate::study::{self, Study};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawReference {
    kind: ReferenceKind,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawBench {
    n_replicates: u64,
    n_warmup: u64,
    n_bootstrap: usize,
    level: f64,
    gradient_work: f64,
    blocks_work: f64,
    race: Option<RawRace>,
}

impl Default for RawBench {
    fn default() -> Self {
        let BenchSettings { n_replicates, n_warmup, n_bootstrap, level, gradient_work, blocks_work, .. } =
            BenchSettings::default();
        Self { n_replicates, n_warmup, n_bootstrap, level, gradient_work, blocks_work, race: None }
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawRace {
    n_seeds: u32,
    budget: f64,
    n_milestones: u32,
    n_evaluate: usize,
    #[serde(deserialize_with = "optimizer::name_or_table")]
    optimizer: AnyOptimizer,
    averaging: Averaging,
}

impl Default for RawRace {
    fn default() -> Self {
        let RaceSettings { n_seeds, budget, n_milestones, n_evaluate, optimizer, averaging } =
            RaceSettings::default();
        Self { n_seeds, budget, n_milestones, n_evaluate, optimizer, averaging }
    }
}

/// What a bench has beside an experiment.
pub(super) struct Tables {
    pub(super) family: FamilySettings,
    pub(super) parametrisation: Option<Parametrisation>,
    pub(super) estimators: Vec<EstimatorConfig>,
    pub(super) points: PointsConfig,
    pub(super) reference: ReferenceConfig,
    pub(super) settings: BenchSettings,
}

impl Tables {
    pub(super) fn read(
        reader: &Reader<'_>,
        root: &mut Table<'_>,
        study: &dyn Study,
    ) -> Result<Self, ConfigError> {
        let (family, parametrisation, owner) = read_family(reader, root)?;
        let Some(target) = study.target(parametrisation) else {
            return Err(ConfigError::ModelLacks {
                at: owner.at,
                model: study.name(),
                what: owner.what,
                capability: "form of this `parametrisation`",
            });
        };
        study::check_family(study, &family, target, &owner)?;
        let estimators = read_estimators(reader, root)?;
        for estimator in &estimators {
            study::check_estimator(study, &estimator.settings, &family, target, &estimator.owner())?;
        }
        let (points, owner) = read_points(reader, root, &estimators)?;
        crate::bench::check_points(&points, &family, target, &owner)?;
        let reference = read_reference(reader, root)?;
        if reference.kind == ReferenceKind::Exact && !crate::bench::has_exact(&family, target) {
            let (at, family) = (reference.owner_at, family.family.name());
            return Err(ConfigError::NoExactGradient { at, model: study.name(), family });
        }
        if reference.kind != ReferenceKind::None {
            study::check_estimator(study, &reference.estimator, &family, target, &reference.owner())?;
        }
        let mut settings = read_settings(reader, root)?;
        settings.n_blocks = target.local.map(|local| local.n_blocks());
        Ok(Self { family, parametrisation, estimators, points, reference, settings })
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Form {
    parametrisation: Option<Parametrisation>,
}

/// An optional table below the root.
fn optional<'d>(
    reader: &Reader<'_>,
    root: &mut Table<'d>,
    key: &'static str,
) -> Result<Option<Table<'d>>, ConfigError> {
    if root.entries.contains_key(key) { reader.table(root, key).map(Some) } else { Ok(None) }
}

fn read_family(
    reader: &Reader<'_>,
    root: &mut Table<'_>,
) -> Result<(FamilySettings, Option<Parametrisation>, Owner), ConfigError> {
    let mut table = reader.table(root, "family")?;
    let owner = Owner { at: reader.at(table.span.start), what: "[family]".to_owned() };
    let name = reader.string(&mut table, "name")?;
    let Some(family) = FamilyKind::ALL.into_iter().find(|kind| kind.name() == name.get_ref()) else {
        return Err(ConfigError::UnknownValue {
            at: reader.at(name.span().start),
            what: "family".into(),
            value: name.into_inner(),
            known: FamilyKind::ALL.map(|kind| kind.name().to_owned()).to_vec(),
        });
    };
    // The first key is the name, which stands under another one here.
    let keys = &FamilySettings::KEYS[1..];
    let settings: FamilySettings = reader.part(&mut table, keys)?;
    let form: Form = reader.rest(table, &[&["name"], keys].concat())?;
    let settings = FamilySettings { family, ..settings };
    settings.check(&owner)?;
    Ok((settings, form.parametrisation, owner))
}

fn read_estimators(reader: &Reader<'_>, root: &mut Table<'_>) -> Result<Vec<EstimatorConfig>, ConfigError> {
    let mut estimators: Vec<EstimatorConfig> = Vec::new();
    for mut table in list(reader, root, ESTIMATORS, "a bench compares at least one estimator")? {
        let offset = table.span.start;
        let at = reader.at(offset);
        let name = reader.string(&mut table, "name")?.into_inner();
        check_name(reader, "name of an estimator", &name, offset)?;
        table.name = format!("[[estimators]] `{name}`");
        if !table.entries.contains_key("estimator") {
            reader.string(&mut table, "estimator")?;
        }
        let known = [&["name"], &EstimatorSettings::KEYS[..]].concat();
        let settings: EstimatorSettings = reader.part(&mut table, &EstimatorSettings::KEYS)?;
        reader.rest::<Nothing>(table, &known)?;
        let config = EstimatorConfig { name, settings, at };
        config.settings.check(&config.owner())?;
        if config.settings.estimator.is_of_another_bound() {
            let value = format!("`{}`", config.settings.estimator.name());
            let requirement = "one that ascends the ELBO: gradients of other bounds have another mean";
            return Err(config.owner().domain("estimator", value, requirement));
        }
        if estimators.iter().any(|e| e.name == config.name) {
            return Err(ConfigError::Duplicate { at: config.at, what: "estimators", name: config.name });
        }
        estimators.push(config);
    }
    Ok(estimators)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn read_points(
    reader: &Reader<'_>,
    root: &mut Table<'_>,
    estimators: &[EstimatorConfig],
) -> Result<(PointsConfig, Owner), ConfigError> {
    let table = reader.table(root, "points")?;
    let owner = Owner { at: reader.at(table.span.start), what: "[points]".to_owned() };
    let points: PointsConfig = reader.rest(table, &[])?;
    match &points.by {
        Some(by) if estimators.iter().all(|e| e.name != *by) => {
            return Err(ConfigError::UnknownValue {
                at: owner.at,
                what: "estimator in [points]: `by` =".into(),
                value: by.clone(),
                known: estimators.iter().map(|e| e.name.clone()).collect(),
            });
        }
        None if points.given.is_empty() => {
            let requirement =
                "the name of the estimator whose climb finds the points, unless points are `given`";
            return Err(owner.domain("by", "missing".into(), requirement));
        }
        _ => {}
    }
    let one = |key: &str, value: u64, least: u64, requirement| {
        if value >= least { Ok(()) } else { Err(owner.domain(key, value.to_string(), requirement)) }
    };
    one("max_iterations", points.max_iterations, 1, "at least 1")?;
    one("n_evaluate", points.n_evaluate as u64, 2, "at least 2")?;
    for (i, given) in points.given.iter().enumerate() {
        let taken = points.given[..i].iter().any(|p| p.name == given.name);
        let climbed = points.by.is_some() && ["start", "middle", "optimum"].contains(&given.name.as_str());
        if taken || climbed {
            return Err(ConfigError::Duplicate { at: owner.at, what: "points", name: given.name.clone() });
        }
        if let Some(value) = given.params.iter().find(|v| !v.is_finite()) {
            return Err(owner.domain("params", value.to_string(), "finite"));
        }
    }
    Ok((points, owner))
}

fn read_reference(reader: &Reader<'_>, root: &mut Table<'_>) -> Result<ReferenceConfig, ConfigError> {
    let default = EstimatorSettings {
        estimator: super::EstimatorKind::ScoreFunction,
        n_samples: 1000,
        ..EstimatorSettings::default()
    };
    let Some(mut table) = optional(reader, root, "reference")? else {
        return Ok(ReferenceConfig {
            kind: ReferenceKind::Auto,
            estimator: default,
            owner_at: reader.at(root.span.start),
        });
    };
    let owner_at = reader.at(table.span.start);
    let named = table.entries.contains_key("estimator");
    let described = EstimatorSettings::KEYS.iter().any(|key| table.entries.contains_key(*key));
    let estimator: EstimatorSettings = reader.part(&mut table, &EstimatorSettings::KEYS)?;
    let RawReference { kind } = reader.rest(table, &EstimatorSettings::KEYS)?;
    let config = ReferenceConfig { kind, estimator: if described { estimator } else { default }, owner_at };
    let owner = config.owner();
    if described && kind != ReferenceKind::Paired {
        let requirement = "`paired`, when an estimator is described";
        return Err(owner.domain("kind", "another".into(), requirement));
    }
    if described && !named {
        let requirement = "the name of the estimator that the other keys describe";
        return Err(owner.domain("estimator", "missing".into(), requirement));
    }
    config.estimator.check(&owner)?;
    if !config.estimator.is_unbiased() {
        let value = format!("`{}`", config.estimator.estimator.name());
        return Err(owner.domain("estimator", value, "an unbiased one: the others are judged by it"));
    }
    Ok(config)
}

fn read_settings(reader: &Reader<'_>, root: &mut Table<'_>) -> Result<BenchSettings, ConfigError> {
    let Some(table) = optional(reader, root, "bench")? else {
        return Ok(BenchSettings { race: None, ..BenchSettings::default() });
    };
    let owner = Owner { at: reader.at(table.span.start), what: "[bench]".to_owned() };
    let RawBench { n_replicates, n_warmup, n_bootstrap, level, gradient_work, blocks_work, race } =
        reader.rest(table, &[])?;
    let race = race.map(|race| {
        let RawRace { n_seeds, budget, n_milestones, n_evaluate, optimizer, averaging } = race;
        RaceSettings { n_seeds, budget, n_milestones, n_evaluate, optimizer, averaging }
    });
    let settings = BenchSettings {
        n_replicates,
        n_warmup,
        n_bootstrap,
        level,
        gradient_work,
        blocks_work,
        n_blocks: None,
        race,
    };
    settings.validate().map_err(|error| match error {
        SgviError::Setting { name, value, requirement } => owner.domain(name, value.to_string(), requirement),
        other => {
            ConfigError::Estimator { at: owner.at.clone(), what: owner.what.clone(), source: Box::new(other) }
        }
    })?;
    Ok(settings)
}
