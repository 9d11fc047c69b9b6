//! What the users of a model want to read off its posterior, beside the figures of every coordinate.

use serde_json::Value;
use vi_core::{KnownPosterior, LogJoint, ParameterSpace};
use vi_diagnostics::Summary;

use super::{Conditionals, Study, Target};
use crate::config::Parametrisation;

/// A table in words of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it shows.
    pub title: String,
    /// The heads of its columns, the first of which names rows.
    pub header: Vec<String>,
    /// Its rows, as long as the header.
    pub rows: Vec<Vec<String>>,
    /// How to read it.
    pub note: String,
}

/// The figures of a variable; none of one that is not there.
pub(super) fn of<'p>(space: &ParameterSpace, parameters: &'p [Summary], name: &str) -> &'p [Summary] {
    let found = space.parameters().iter().find(|p| p.name() == name);
    found.map_or(&[], |p| &parameters[p.range()])
}

/// Cells of a table.
pub(super) fn texts<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

/// Makes the tables of a posterior from the figures of its coordinates, in their order.
type Read = Box<dyn Fn(&[Summary]) -> Vec<Finding> + Send + Sync>;

/// A study with findings.
pub(super) struct Found<S> {
    study: S,
    read: Read,
}

impl<S: Study> Found<S> {
    pub(super) fn new(study: S, read: impl Fn(&[Summary]) -> Vec<Finding> + Send + Sync + 'static) -> Self {
        Self { study, read: Box::new(read) }
    }
}

impl<S: std::fmt::Debug> std::fmt::Debug for Found<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.study.fmt(f)
    }
}

impl<S: Study> Study for Found<S> {
    fn name(&self) -> &'static str {
        self.study.name()
    }
    fn n_data(&self) -> usize {
        self.study.n_data()
    }
    fn log_joint(&self) -> &dyn LogJoint {
        self.study.log_joint()
    }
    fn target(&self, form: Option<Parametrisation>) -> Option<Target<'_>> {
        self.study.target(form)
    }
    fn conjugate(&self) -> Option<Conditionals<'_>> {
        self.study.conjugate()
    }
    fn exact(&self) -> Option<&dyn KnownPosterior> {
        self.study.exact()
    }
    fn priors(&self) -> Value {
        self.study.priors()
    }
    fn labels(&self) -> Vec<(String, String)> {
        self.study.labels()
    }
    fn findings(&self, parameters: &[Summary]) -> Vec<Finding> {
        if parameters.len() == self.reported().dim() { (self.read)(parameters) } else { Vec::new() }
    }
}
