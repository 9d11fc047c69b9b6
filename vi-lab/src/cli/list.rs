//! What there is: models, families, methods.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::config::{CAVI_KEYS, EstimatorKind, Experiment, FamilyKind, MethodKind, words};
use crate::error::LabError;
use crate::estimators::Abilities;
use crate::study::{MODELS, ModelEntry, Study, supported};

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
                "capabilities": capabilities(study),
                "reads_data": entry.reads_data,
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
        let _ = writeln!(out, "  beside its log joint: {}", capabilities(study).join(", "));
        let _ = writeln!(out, "  priors: {}\n", words(&study.priors()));
    }
    Ok(out)
}

/// What methods can ask of a model beside its log joint.
fn capabilities(study: &dyn Study) -> Vec<&'static str> {
    let of_target = study.target(None).map_or([false; 3], |target| {
        [target.gradient.is_some(), target.local.is_some(), target.gaussian.is_some()]
    });
    let names = ["gradient", "local terms", "exact mean-field gradient"];
    let given = of_target.into_iter().zip(names).filter(|g| g.0).map(|g| g.1);
    given.chain(study.conjugate().into_iter().flat_map(|c| c.capabilities())).collect()
}

/// The model's example as a whole experiment.
fn example(entry: &ModelEntry) -> Result<Experiment, LabError> {
    let text = format!("name = \"{}\"\n\n{}\n", entry.name, entry.example);
    Experiment::parse_model(&text, entry.name, Path::new(""))
}

/// The estimators that a family serves.
fn served(kind: FamilyKind) -> Vec<&'static str> {
    let abilities = Abilities::of(kind);
    let can = |estimator: &EstimatorKind| match estimator {
        EstimatorKind::ScoreFunction | EstimatorKind::SampleReuse | EstimatorKind::Vimco => true,
        EstimatorKind::Pathwise | EstimatorKind::Iwae | EstimatorKind::Dreg => abilities.transport,
        EstimatorKind::ControlledPathwise => abilities.gaussian,
        EstimatorKind::OverdispersedFactors => abilities.factors && abilities.dispersed,
        EstimatorKind::MeasureValued => abilities.measures,
        EstimatorKind::LocalQuadrature => abilities.quadrature,
        EstimatorKind::LocalExpectations
        | EstimatorKind::Arm
        | EstimatorKind::Disarm
        | EstimatorKind::Enumeration => abilities.discrete,
    };
    EstimatorKind::ALL.into_iter().filter(can).map(EstimatorKind::name).collect()
}

/// The samplers that a family serves.
fn samplers(kind: FamilyKind) -> Vec<&'static str> {
    let dispersed = Abilities::of(kind).dispersed.then_some("overdispersed");
    ["independent", "antithetic", "quasi-monte-carlo"].into_iter().chain(dispersed).collect()
}

pub(super) fn families(as_json: bool) -> Result<String, LabError> {
    let rows = FamilyKind::ALL.into_iter().map(|kind| (kind, served(kind), samplers(kind)));
    if as_json {
        let value = rows.map(|(kind, estimators, samplers)| {
            json!({
                "name": kind.name(),
                "about": kind.about(),
                "estimators": estimators,
                "samplers": samplers,
                "rao_blackwellized": Abilities::of(kind).factors,
            })
        });
        return pretty(&value.collect::<Value>());
    }
    let text = rows.map(|(kind, estimators, samplers)| {
        let local = if Abilities::of(kind).factors { "; rao_blackwellized" } else { "" };
        format!(
            "{}\n  {}\n  estimators: {}\n  samplers: {}{local}\n\n",
            kind.name(),
            kind.about(),
            estimators.join(", "),
            samplers.join(", ")
        )
    });
    Ok(text.collect())
}

const BASELINES: [(&str, &str); 5] = [
    ("none", "nothing is subtracted"),
    ("leave-one-out", "the mean over the other samples; the default"),
    ("moving-average", "the average of past iterations, of which `decay` (0.9) is kept"),
    ("control-variate", "the score, with the best coefficient for every parameter from the other samples"),
    ("same-sample-control-variate", "the same with coefficients from all samples: biased, for contrast"),
];

const SAMPLERS: [(&str, &str); 4] = [
    ("independent", "independent draws from q; the default"),
    ("antithetic", "pairs from opposite corners of the unit cube; `n_samples` even"),
    (
        "quasi-monte-carlo",
        "scrambled Sobol points in `n_randomizations` (2) independent randomisations, each a power of two",
    ),
    ("overdispersed", "a proposal with heavier tails, `dispersion` (1.5), importance weighted"),
];

pub(super) fn methods(as_json: bool) -> Result<String, LabError> {
    let rows = MethodKind::ALL.iter().map(|kind| (kind, kind.default_settings()));
    let named = |rows: &[(&str, &str)]| -> Value {
        rows.iter().map(|(name, about)| json!({"name": name, "about": about})).collect()
    };
    if as_json {
        let value = rows.map(|(kind, settings)| {
            let mut row = json!({"name": kind.name(), "about": kind.about(), "needs_gradient": kind.needs_gradient(), "default_settings": settings});
            if *kind == MethodKind::Cavi {
                let keys = CAVI_KEYS.map(|k| json!({"name": k.name, "about": k.about, "needs": k.needs}));
                row["keys"] = keys.into_iter().collect();
            }
            if *kind == MethodKind::Sgvi {
                let estimators = EstimatorKind::ALL
                    .map(|e| json!({"name": e.name(), "about": e.about(), "needs": e.needs()}));
                row["estimators"] = estimators.into_iter().collect();
                row["baselines"] = named(&BASELINES);
                row["samplers"] = named(&SAMPLERS);
            }
            row
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
        for key in CAVI_KEYS.iter().filter(|_| *kind == MethodKind::Cavi) {
            let _ = writeln!(out, "    {}: {}; needs {}", key.name, key.about, key.needs);
        }
        out.push('\n');
    }
    let _ = writeln!(out, "estimators of sgvi, and of `vi-lab estimators`");
    for estimator in EstimatorKind::ALL {
        let (name, about, needs) = (estimator.name(), estimator.about(), estimator.needs());
        let _ = writeln!(out, "  {name}\n    {about}\n    needs: {needs}");
    }
    for (what, rows) in [("baseline", &BASELINES[..]), ("sampler", &SAMPLERS)] {
        let _ = writeln!(out, "{what} of the score function");
        for (name, about) in rows {
            let _ = writeln!(out, "  {name}\n    {about}");
        }
    }
    Ok(out)
}

fn pretty(value: &Value) -> Result<String, LabError> {
    let failed = |e: serde_json::Error| LabError::Render { what: "JSON", message: e.to_string() };
    Ok(serde_json::to_string_pretty(value).map_err(failed)? + "\n")
}
