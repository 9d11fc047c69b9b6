//! Models of discrete variables with local terms.

use serde_json::Value;
use vi_core::{KnownPosterior, LocalLogJoint, LogJoint};

use super::{Conjugate, Study, Target};
use crate::config::Parametrisation;

/// A model that has no gradient.
#[derive(Debug)]
pub(super) struct Discrete<M> {
    pub(super) name: &'static str,
    pub(super) model: M,
    pub(super) n_data: usize,
    pub(super) priors: Value,
    /// Its exact posterior, for models that know it.
    pub(super) exact: fn(&M) -> Option<&dyn KnownPosterior>,
}

impl<M: LocalLogJoint + std::fmt::Debug> Study for Discrete<M> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn n_data(&self) -> usize {
        self.n_data
    }

    fn log_joint(&self) -> &dyn LogJoint {
        &self.model
    }

    fn target(&self, form: Option<Parametrisation>) -> Option<Target<'_>> {
        let model = &self.model;
        let target =
            Target { log_joint: model, gradient: None, local: Some(model), gaussian: None, reported: None };
        form.is_none().then_some(target)
    }

    fn conjugate(&self) -> Option<&dyn Conjugate> {
        None
    }

    fn exact(&self) -> Option<&dyn KnownPosterior> {
        (self.exact)(&self.model)
    }

    fn priors(&self) -> Value {
        self.priors.clone()
    }
}
