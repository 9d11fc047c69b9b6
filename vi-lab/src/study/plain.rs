//! Models of one form, whose own variables are those that users read.

use serde_json::Value;
use vi_core::{GaussianExpectation, GradLogJoint, KnownPosterior, LocalLogJoint, LogJoint};

use super::{Conditionals, Study, Target};
use crate::config::Parametrisation;

/// A model with what it has beside its log joint.
#[derive(Debug)]
pub(super) struct Plain<M> {
    pub(super) name: &'static str,
    pub(super) model: M,
    pub(super) n_data: usize,
    pub(super) priors: Value,
    pub(super) labels: Vec<(String, String)>,
    /// Its gradient, for models that have it.
    pub(super) gradient: fn(&M) -> Option<&dyn GradLogJoint>,
    /// Its complete conditionals, for models that have them.
    pub(super) conjugate: fn(&M) -> Option<Conditionals<'_>>,
    /// Its exact posterior, for models that know it.
    pub(super) exact: fn(&M) -> Option<&dyn KnownPosterior>,
    /// Its terms block by block, for models that have them.
    pub(super) local: fn(&M) -> Option<&dyn LocalLogJoint>,
    /// Its expectation under independent Gaussians, for models that know it.
    pub(super) gaussian: fn(&M) -> Option<&dyn GaussianExpectation>,
}

impl<M> Plain<M> {
    /// A model that has its log joint and nothing else.
    pub(super) fn new(name: &'static str, model: M, n_data: usize, priors: Value) -> Self {
        Self {
            name,
            model,
            n_data,
            priors,
            labels: Vec::new(),
            gradient: |_| None,
            conjugate: |_| None,
            exact: |_| None,
            local: |_| None,
            gaussian: |_| None,
        }
    }

    /// A model that has a gradient too.
    pub(super) fn smooth(name: &'static str, model: M, n_data: usize, priors: Value) -> Self
    where
        M: GradLogJoint,
    {
        Self { gradient: |m| Some(m), ..Self::new(name, model, n_data, priors) }
    }
}

impl<M: LogJoint + std::fmt::Debug> Study for Plain<M> {
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
        match form {
            None => Some(Target {
                log_joint: &self.model,
                gradient: (self.gradient)(&self.model),
                local: (self.local)(&self.model),
                gaussian: (self.gaussian)(&self.model),
                reported: None,
            }),
            Some(_) => None,
        }
    }

    fn conjugate(&self) -> Option<Conditionals<'_>> {
        (self.conjugate)(&self.model)
    }

    fn exact(&self) -> Option<&dyn KnownPosterior> {
        (self.exact)(&self.model)
    }

    fn priors(&self) -> Value {
        self.priors.clone()
    }

    fn labels(&self) -> Vec<(String, String)> {
        self.labels.clone()
    }
}
