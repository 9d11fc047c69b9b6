//! What there is: models, families, methods.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::config::{Experiment, MethodKind, words};
use crate::error::LabError;
use crate::study::{MODELS, ModelEntry, supported};

pub(super) fn models(as_json: bool) -> Result<String, LabError> {
    let mut rows = Vec::new();
    for entry in &MODELS {
        rows.push((entry, example(entry)?));
    }
    if as_json {
        let value = rows.iter().map(|(entry, experiment)| {
            let study = experiment.study.as_ref();
            let parameters =
                study.reported().parameters().iter().map(
                    |p| json!({"name": p.name(), "shape": p.shape(), "support": p.support().to_string()}),
                );
            json!({
                "name": entry.name,
                "about": entry.about,
                "methods": supported(study),
                "exact_posterior": study.exact().is_some(),
                "data_keys": entry.data_keys,
                "default_priors": study.priors(),
                "example": {"text": entry.example, "parameters": parameters.collect::<Vec<_>>()},
            })
        });
        return pretty(&value.collect::<Value>());
    }
    let mut out = String::new();
    for (entry, experiment) in &rows {
        let study = experiment.study.as_ref();
        let methods: Vec<&str> = supported(study).into_iter().map(MethodKind::name).collect();
        let exact = if study.exact().is_some() { "; exact posterior known" } else { "" };
        let _ = writeln!(out, "{}\n  {}\n  methods: {}{exact}", entry.name, entry.about, methods.join(", "));
        let _ = writeln!(out, "  priors: {}\n", words(&study.priors()));
    }
    Ok(out)
}

/// The model's example as a whole experiment.
fn example(entry: &ModelEntry) -> Result<Experiment, LabError> {
    let text = format!("name = \"{}\"\n\n{}\n[[methods]]\nmethod = \"sgvi\"\n", entry.name, entry.example);
    Experiment::parse(&text, entry.name, Path::new(""))
}

/// Name, what it is, estimators.
const FAMILIES: [(&str, &str, &[&str]); 8] = [
    (
        "mean-field",
        "independent Gaussians on the unconstrained scale; any continuous support",
        &["score-function", "pathwise"],
    ),
    (
        "full-rank",
        "one Gaussian with full covariance on the unconstrained scale; any continuous support",
        &["score-function", "pathwise"],
    ),
    (
        "low-rank",
        "one Gaussian of covariance diagonal + BBᵀ on the unconstrained scale, B with `rank` columns (1)",
        &["score-function", "pathwise"],
    ),
    (
        "block-diagonal",
        "independent Gaussians with full covariances of sizes `blocks` (one for each variable) on the unconstrained \
         scale",
        &["score-function", "pathwise"],
    ),
    (
        "mixture",
        "a mixture of `n_components` (2) mean-field Gaussians on the unconstrained scale",
        &["score-function"],
    ),
    (
        "student-t",
        "independent Student-t variables of `dof` (5) degrees of freedom on the unconstrained scale",
        &["score-function", "pathwise"],
    ),
    (
        "learned-student-t",
        "independent Student-t variables on the unconstrained scale, their degrees of freedom learned from `dof` (5) on",
        &["score-function"],
    ),
    (
        "product",
        "independent exponential-family factors on the natural scale, chosen by support: real → Gaussian, \
         positive → Gamma, interval → Beta, simplex → Dirichlet, binary → Bernoulli, categorical → Categorical",
        &["score-function"],
    ),
];

pub(super) fn families(as_json: bool) -> Result<String, LabError> {
    if as_json {
        let rows = FAMILIES.iter();
        let value = rows.map(|(name, about, e)| json!({"name": name, "about": about, "estimators": e}));
        return pretty(&value.collect::<Value>());
    }
    let rows = FAMILIES.iter();
    let text = rows.map(|(name, about, e)| format!("{name}\n  {about}\n  estimators: {}\n\n", e.join(", ")));
    Ok(text.collect())
}

pub(super) fn methods(as_json: bool) -> Result<String, LabError> {
    let rows = MethodKind::ALL.iter().map(|kind| (kind, kind.default_settings()));
    if as_json {
        let value = rows.map(|(kind, settings)| {
            json!({"name": kind.name(), "about": kind.about(), "default_settings": settings})
        });
        return pretty(&value.collect::<Value>());
    }
    let mut out = String::new();
    for (kind, settings) in rows {
        let _ = writeln!(out, "{}\n  {}", kind.name(), kind.about());
        let settings = toml::to_string(&settings)
            .map_err(|e| LabError::Render { what: "settings", message: e.to_string() })?;
        for line in settings.lines().filter(|l| !l.is_empty()) {
            let _ = writeln!(out, "    {line}");
        }
        out.push('\n');
    }
    Ok(out)
}

fn pretty(value: &Value) -> Result<String, LabError> {
    let failed = |e: serde_json::Error| LabError::Render { what: "JSON", message: e.to_string() };
    Ok(serde_json::to_string_pretty(value).map_err(failed)? + "\n")
}
