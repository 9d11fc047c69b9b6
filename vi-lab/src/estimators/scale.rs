//! A form of a model on the scale of a family, and the families by name.

use vi_core::{
    GaussianExpectation, GradLogJoint, LocalLogJoint, LogJoint, ParameterSpace, Reported, Unconstrained,
};
use vi_families::{
    BlockDiagonalGaussian, FullRankGaussian, GaussianMixture, LearnedStudentTMeanField, LowRankGaussian,
    MeanFieldGaussian, ProductFamily, StudentTMeanField,
};
use vi_sgvi::SgviError;

use super::abilities::LabFamily;
use crate::config::{FamilyKind, FamilySettings};
use crate::study::Target;

/// A form of a model on the scale of a family: its natural one, or ℝᴰ.
#[derive(Clone, Copy)]
pub(crate) struct Scale<'a> {
    pub(crate) log_joint: &'a (dyn LogJoint + 'a),
    pub(crate) gradient: Option<&'a (dyn GradLogJoint + 'a)>,
    pub(crate) local: Option<&'a (dyn LocalLogJoint + 'a)>,
    /// Its expectation under independent Gaussians on the unconstrained scale.
    pub(crate) gaussian: Option<&'a (dyn GaussianExpectation + 'a)>,
    /// The variables as experiment files call them, in the same order.
    pub(crate) natural: &'a ParameterSpace,
    /// The map to the natural scale, where the two differ.
    pub(crate) unconstrained: Option<&'a (dyn Reported + 'a)>,
}

impl std::fmt::Debug for Scale<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scale").field("parameters", self.log_joint.parameters()).finish_non_exhaustive()
    }
}

impl Scale<'_> {
    /// The names that variables have on this scale.
    ///
    /// # Errors
    /// [`SgviError::UnknownVariable`] for a name that the model does not have.
    pub(super) fn names(&self, natural: &[String]) -> Result<Vec<String>, SgviError> {
        let here = self.log_joint.parameters().parameters();
        let both = || self.natural.parameters().iter().zip(here);
        let find = |name: &String| {
            let found = both().find(|(natural, _)| natural.name() == name.as_str());
            let found = found.map(|(_, here)| here.name().to_owned());
            found.ok_or_else(|| SgviError::UnknownVariable { name: name.clone() })
        };
        natural.iter().map(find).collect()
    }
}

/// What is done with a family and a model on its scale, once both are there.
pub(crate) trait OnFamily {
    type Out;
    fn on<F: LabFamily>(self, family: F, scale: Scale<'_>) -> Self::Out;
}

/// Makes the family over the form of the model and calls `job`.
///
/// # Errors
/// What the family or the map to ℝᴰ says of the form.
pub(crate) fn with_family<J: OnFamily>(
    settings: &FamilySettings,
    target: Target<'_>,
    job: J,
) -> Result<J::Out, SgviError> {
    if settings.family == FamilyKind::Product {
        let natural = target.log_joint.parameters();
        let Target { log_joint, gradient, local, gaussian, .. } = target;
        let scale = Scale { log_joint, gradient, local, gaussian, natural, unconstrained: None };
        return Ok(job.on(ProductFamily::for_space(natural)?, scale));
    }
    let log_joint = Unconstrained::new(target.log_joint)?;
    let gradient = target.gradient.map(Unconstrained::new).transpose()?;
    let local = target.local.map(Unconstrained::new).transpose()?;
    let scale = Scale {
        log_joint: &log_joint,
        gradient: gradient.as_ref().map(|m| m as &dyn GradLogJoint),
        local: local.as_ref().map(|m| m as &dyn LocalLogJoint),
        gaussian: target.gaussian,
        natural: target.log_joint.parameters(),
        unconstrained: Some(&log_joint),
    };
    let (space, dof) = (log_joint.parameters(), settings.dof.unwrap_or(5.0));
    Ok(match settings.family {
        FamilyKind::MeanField => job.on(MeanFieldGaussian::new(space)?, scale),
        FamilyKind::FullRank => job.on(FullRankGaussian::new(space)?, scale),
        FamilyKind::LowRank => job.on(LowRankGaussian::new(space, settings.rank.unwrap_or(1))?, scale),
        FamilyKind::BlockDiagonal => match &settings.blocks {
            Some(sizes) => job.on(BlockDiagonalGaussian::from_sizes(space, sizes)?, scale),
            None => job.on(BlockDiagonalGaussian::by_parameter(space)?, scale),
        },
        FamilyKind::Mixture => {
            job.on(GaussianMixture::mean_field(space, settings.n_components.unwrap_or(2))?, scale)
        }
        FamilyKind::StudentT => job.on(StudentTMeanField::new(space, dof)?, scale),
        FamilyKind::LearnedStudentT => job.on(LearnedStudentTMeanField::new(space, dof)?, scale),
        FamilyKind::Product => unreachable!("made above, on the natural scale"),
    })
}
