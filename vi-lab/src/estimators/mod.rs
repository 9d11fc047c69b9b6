//! Gradient estimators by name, chosen in one place for `vi-lab run` and `vi-lab estimators`.
//!
//! | module | what |
//! |---|---|
//! | `any` | estimators whose type is forgotten, with a state that can be saved |
//! | `abilities` | which family serves which estimators: one table, which the compiler checks |
//! | `entropy` | the gradients of the entropy as one type |
//! | `build`, `score` | from settings to an estimator; to a score function |
//! | `scale` | a form of a model on the scale of a family; the families by name |
//! | `check` | what model or family cannot serve, told before anything runs |

mod abilities;
mod any;
mod build;
mod check;
mod entropy;
mod sampler;
mod scale;
mod score;

pub(crate) use abilities::{Abilities, LabFamily};
pub(crate) use any::{AnyEstimator, AnyModel};
pub(crate) use build::{Lack, build};
pub(crate) use check::{check, told};
pub(crate) use scale::{OnFamily, Scale, with_family};
