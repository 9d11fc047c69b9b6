//! Models of bits.

use serde::Deserialize;
use serde_json::json;
use vi_core::LogJoint;
use vi_models::ising::{Ising, MAX_ENUMERATED};

use super::{ModelEntry, checked};
use crate::config::{Reader, Table};
use crate::data::Dataset;
use crate::error::{LabError, Location};
use crate::study::Study;
use crate::study::plain::Plain;

pub(super) const ISING: ModelEntry = ModelEntry {
    name: "ising",
    about: "coupled bits on an open grid, exact by enumeration up to 20 bits; reads no data",
    example: "[model]\nname = \"ising\"\nrows = 3\ncolumns = 4\nfield = -0.5\ncoupling = 0.8\n",
    data_keys: &[],
    reads_data: false,
    build: ising,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Grid {
    rows: usize,
    columns: usize,
    #[serde(default)]
    field: f64,
    coupling: f64,
}

fn ising(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    _data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let Grid { rows, columns, field, coupling } = reader.rest(table, &["name"])?;
    let model = checked(&at, Ising::grid(rows, columns, field, coupling))?;
    let priors = json!({ "rows": rows, "columns": columns, "field": field, "coupling": coupling });
    let exact: fn(&Ising) -> Option<&dyn vi_core::KnownPosterior> =
        if model.dim() <= MAX_ENUMERATED { |m| Some(m) } else { |_| None };
    let study = Plain { local: |m| Some(m), exact, ..Plain::new(ISING.name, model, 0, priors) };
    Ok(Box::new(study))
}
