//! The contract of the estimators: every estimator × every family × every model where it applies.
//!
//! [`estimators`] names the estimators by what they ask of a family, [`models`] the models, [`table`] which meet: one
//! row, one line. Exact gradients are sums over states, quadrature, or closed forms. S is 2, 3, 10 and 100 wherever a
//! sampler can form groups of them.
//!
//! A mean may lie 5 standard errors off. Standard errors come from 400, 200 and 60 replicates at S ≤ 3, S ≤ 10 and S = 100,
//! so that, as far as means are normal, one element of λ raises a false alarm with probability at most 9e-7, 1.3e-6 and
//! 5.4e-6 (Student's t). Some 12 500 elements are compared: one key in 35 would raise a false alarm, and the keys are
//! fixed.
//!
//! Every row of the table also has a deliberately wrong estimator, which has to be found out: a check that lets it pass
//! would say nothing of the others.

mod case;
#[path = "../suite/common/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the other tests, which use more of it")]
mod common;
mod estimators;
mod fits;
mod labels;
mod models;
mod orderings;
mod past;
mod table;
mod wrong;
