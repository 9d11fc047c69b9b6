//! Groups that share what they do not tell each: normal data in groups, rates of counts.

use vi_models::hierarchical_normal::{GroupedData, HierarchicalNormal, HierarchicalNormalPriors};
use vi_models::poisson_gamma::{PoissonGamma, PoissonGammaData, PoissonGammaPriors};

use super::{ModelEntry, checked, priors};
use crate::config::{Reader, Table};
use crate::data::Dataset;
use crate::error::{LabError, Location};
use crate::study::plain::Plain;
use crate::study::{Conditionals, Study};

pub(super) const HIERARCHICAL_NORMAL: ModelEntry = ModelEntry {
    name: "hierarchical_normal",
    about: "groups of normal data with half-Cauchy priors of the scales within and between groups",
    example: "[data]\nset = \"coagulation\"\n\n[model]\nname = \"hierarchical_normal\"\n\n\
              [model.priors]\nmu_mean = 60.0\nmu_sd = 20.0\n",
    data_keys: &["response", "group", "standardise_response"],
    reads_data: true,
    build: hierarchical_normal,
};

pub(super) const POISSON_GAMMA: ModelEntry = ModelEntry {
    name: "poisson_gamma",
    about: "rates of counts with a common Gamma distribution, its shape known or learned: pumps",
    example: "[data]\nset = \"pumps\"\n\n[model]\nname = \"poisson_gamma\"\n",
    data_keys: &["response", "exposure"],
    reads_data: true,
    build: poisson_gamma,
};

fn hierarchical_normal(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let name = HIERARCHICAL_NORMAL.name;
    let (given, priors) = priors::<HierarchicalNormalPriors>(reader, table)?;
    let (value, groups) = (data.response(name)?, data.groups(name)?);
    let labels = groups.names.iter().enumerate();
    let labels = labels.map(|(j, group)| (format!("theta[{}]", j + 1), group.clone())).collect();
    let model = checked(&at, HierarchicalNormal::new(GroupedData { value, group: groups.index }, given))?;
    Ok(Box::new(Plain {
        labels,
        conjugate: |m| Some(Conditionals::of(m)),
        ..Plain::smooth(name, model, data.n_rows(), priors)
    }))
}

fn poisson_gamma(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let name = POISSON_GAMMA.name;
    let (given, priors) = priors::<PoissonGammaPriors>(reader, table)?;
    let counts = PoissonGammaData { count: data.response(name)?, exposure: data.exposure(name)? };
    let model = checked(&at, PoissonGamma::new(counts, given))?;
    Ok(Box::new(Plain {
        conjugate: |m| Some(Conditionals::of(m).natural(m).exchangeable(m)),
        ..Plain::smooth(name, model, data.n_rows(), priors)
    }))
}
