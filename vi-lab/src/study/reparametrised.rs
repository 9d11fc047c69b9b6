//! Models whose own variables are not those that users read.

use ndarray::{Array1, ArrayRef1};
use serde_json::Value;
use vi_core::{GradLogJoint, KnownPosterior, LogJoint, ParameterSpace, Reported};

use super::{Conditionals, Study, Target};
use crate::config::Parametrisation;

/// A model that methods see in its own variables, and that is judged in those that users read.
#[derive(Debug)]
pub(super) struct Reparametrised<M> {
    name: &'static str,
    judge: Judge<M>,
    n_data: usize,
    priors: Value,
}

/// The joint density over the variables that users read.
///
/// ```text
/// log p(x, r) = log p(x, z(r)) − log |det ∂r/∂z|
/// ```
#[derive(Debug)]
struct Judge<M>(M);

impl<M: Reported> LogJoint for Judge<M> {
    fn parameters(&self) -> &ParameterSpace {
        self.0.reported()
    }

    fn log_joint(&self, reported: &ArrayRef1<f64>) -> f64 {
        let mut z = Array1::zeros(self.0.dim());
        self.0.unreport(reported, &mut z);
        let value = self.0.log_joint(&z);
        if value == f64::NEG_INFINITY {
            return value;
        }
        let mut back = Array1::zeros(reported.len());
        value - self.0.report(&z, &mut back)
    }
}

impl<M> Reparametrised<M> {
    pub(super) fn new(name: &'static str, model: M, n_data: usize, priors: Value) -> Self {
        Self { name, judge: Judge(model), n_data, priors }
    }
}

impl<M: GradLogJoint + Reported + std::fmt::Debug> Study for Reparametrised<M> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn n_data(&self) -> usize {
        self.n_data
    }

    fn log_joint(&self) -> &dyn LogJoint {
        &self.judge
    }

    fn target(&self, form: Option<Parametrisation>) -> Option<Target<'_>> {
        let model = &self.judge.0;
        match form {
            None => Some(Target {
                log_joint: model,
                gradient: Some(model),
                local: None,
                gaussian: None,
                reported: Some(model),
            }),
            Some(_) => None,
        }
    }

    fn conjugate(&self) -> Option<Conditionals<'_>> {
        None
    }

    fn exact(&self) -> Option<&dyn KnownPosterior> {
        None
    }

    fn priors(&self) -> Value {
        self.priors.clone()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use vi_models::garch::Garch;

    use super::*;

    #[test]
    fn the_judge_is_the_model_in_other_variables() {
        let garch = Garch::new(array![0.3, -0.8, 1.4, 0.1], 0.5).expect("a series");
        let study = Reparametrised::new("garch", garch.clone(), 4, Value::Null);
        let z = array![0.1, 0.2, 0.6, 0.5];
        let mut reported = array![0.0, 0.0, 0.0, 0.0];
        let log_det = garch.report(&z, &mut reported);
        let difference = study.log_joint().log_joint(&reported) + log_det - garch.log_joint(&z);
        assert!(difference.abs() < 1e-12, "{difference}");
        assert_eq!(study.reported().names()[3], "beta1");
        // β₁ beyond 1 − α₁, and at the corner where no share of it is defined.
        for outside in [array![0.1, 0.2, 0.6, 0.5], array![0.1, 0.2, 1.0, 0.0]] {
            assert_eq!(study.log_joint().log_joint(&outside), f64::NEG_INFINITY);
        }
    }
}
