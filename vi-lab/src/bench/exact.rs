//! Which pairs of model and family have an exact gradient.

use vi_families::{FactorizedDistribution, MeanFieldGaussian, ProductFamily, VariationalFamily};
use vi_sgvi::bench::Reference;

use crate::config::{FamilySettings, Owner, PointsConfig};
use crate::error::ConfigError;
use crate::estimators::{AnyModel, LabFamily, OnFamily, Scale, with_family};
use crate::study::Target;

/// States that are enumerated at most: every point of a bench costs as many log joints.
const MAX_STATES: f64 = 65_536.0;

/// All states of discrete factors, or those of every block where blocks are independent.
pub(crate) fn of_product<'a>(
    family: &'a ProductFamily,
    scale: Scale<'a>,
) -> Option<Reference<'a, AnyModel<'a>, ProductFamily>> {
    let params = family.init();
    let q = family.bind(&params).ok()?;
    let n_states: f64 =
        (0..q.n_factors()).map(|i| q.n_values(i).map_or(f64::INFINITY, |n| n as f64)).product();
    if n_states <= MAX_STATES {
        return Some(Reference::enumeration(scale.log_joint, family));
    }
    Reference::enumeration_by_block(scale.local?, family)
}

/// The expectation under independent Gaussians.
pub(crate) fn of_mean_field<'a>(
    family: &'a MeanFieldGaussian,
    scale: Scale<'a>,
) -> Option<Reference<'a, AnyModel<'a>, MeanFieldGaussian>> {
    Some(Reference::mean_field(scale.gaussian?, family))
}

/// Whether the exact gradient is known.
pub(crate) fn has_exact(family: &FamilySettings, target: Target<'_>) -> bool {
    struct Ask;
    impl OnFamily for Ask {
        type Out = bool;
        fn on<F: LabFamily>(self, family: F, scale: Scale<'_>) -> bool {
            F::exact(&family, scale).is_some()
        }
    }
    with_family(family, target, Ask).unwrap_or(false)
}

/// Whether given points are members of the family.
pub(crate) fn check_points(
    points: &PointsConfig,
    family: &FamilySettings,
    target: Target<'_>,
    owner: &Owner,
) -> Result<(), ConfigError> {
    struct Bind<'p> {
        points: &'p PointsConfig,
        owner: &'p Owner,
    }
    impl OnFamily for Bind<'_> {
        type Out = Result<(), ConfigError>;
        fn on<F: LabFamily>(self, family: F, _: Scale<'_>) -> Result<(), ConfigError> {
            for point in self.points.given() {
                let (n, expected) = (point.params.len(), family.n_params());
                let what = format!("{n} values for `{}` of a family of {expected} parameters", point.name);
                if n != expected {
                    return Err(self.owner.domain("params", what, "as many as the family has parameters"));
                }
                if let Err(error) = family.bind(&point.params) {
                    let (at, what) = (self.owner.at.clone(), self.owner.what.clone());
                    return Err(ConfigError::Estimator { at, what, source: Box::new(error.into()) });
                }
            }
            Ok(())
        }
    }
    with_family(family, target, Bind { points, owner }).unwrap_or(Ok(()))
}
