//! Mixtures of Gaussians.

use ndarray::{Array1, ArrayRef1, s};
use vi_core::ParameterSpace;

use super::VariationalFamily;
use super::full_rank::FullRankGaussian;
use super::full_rank_member::FullRankGaussianMember;
use super::mean_field::{MeanFieldGaussian, MeanFieldGaussianMember};
use super::mixture_member::{GaussianMixtureMember, MixtureComponent};
use crate::error::FamilyError;
use crate::validate::{FINITE, domain, length};

const FAMILY: &str = "GaussianMixture";

/// A Gaussian family of which mixtures are made.
pub trait MixtureFamily: VariationalFamily + std::fmt::Debug {
    /// Its members.
    type Component: MixtureComponent;

    /// The member with parameters λ.
    ///
    /// # Errors
    /// [`FamilyError`] names the parameter and its value.
    fn component(&self, params: &ArrayRef1<f64>) -> Result<Self::Component, FamilyError>;
}

impl MixtureFamily for MeanFieldGaussian {
    type Component = MeanFieldGaussianMember;

    fn component(&self, params: &ArrayRef1<f64>) -> Result<Self::Component, FamilyError> {
        self.bind(params)
    }
}

impl MixtureFamily for FullRankGaussian {
    type Component = FullRankGaussianMember;

    fn component(&self, params: &ArrayRef1<f64>) -> Result<Self::Component, FamilyError> {
        self.bind(params)
    }
}

/// q_λ(z) = Σ_k π_k q_k(z) on ℝᴰ, the K components all [`MeanFieldGaussian`] or all [`FullRankGaussian`].
///
/// ```text
/// λ = (logit (K), λ₁, …, λ_K),   π_k = exp(logit_k) / Σ_j exp(logit_j)
/// ```
/// Adding a constant to all logits changes nothing. There is no transport, since a draw chooses its component, and
/// neither entropy nor Fisher information has a closed form: see
/// [`entropy_lower_bound`](GaussianMixtureMember::entropy_lower_bound) and
/// [`entropy_upper_bound`](GaussianMixtureMember::entropy_upper_bound).
#[derive(Clone, Debug)]
pub struct GaussianMixture<F> {
    family: F,
    n_components: usize,
}

impl GaussianMixture<MeanFieldGaussian> {
    /// Mixtures of `n_components` Gaussians with diagonal covariances, over a space whose variables are all real.
    ///
    /// # Errors
    /// [`FamilyError::Parameter`] names the variable that is constrained or discrete; [`FamilyError::Domain`] when
    /// there is no component.
    pub fn mean_field(space: &ParameterSpace, n_components: usize) -> Result<Self, FamilyError> {
        Self::over(MeanFieldGaussian::new(space)?, n_components)
    }
}

impl GaussianMixture<FullRankGaussian> {
    /// Mixtures of `n_components` Gaussians with any covariances, over a space whose variables are all real.
    ///
    /// # Errors
    /// As [`GaussianMixture::mean_field`].
    pub fn full_rank(space: &ParameterSpace, n_components: usize) -> Result<Self, FamilyError> {
        Self::over(FullRankGaussian::new(space)?, n_components)
    }
}

impl<F: MixtureFamily> GaussianMixture<F> {
    fn over(family: F, n_components: usize) -> Result<Self, FamilyError> {
        if n_components == 0 {
            return Err(domain(FAMILY, "n_components", 0.0, "at least 1"));
        }
        Ok(Self { family, n_components })
    }

    /// The family of the components.
    pub fn component_family(&self) -> &F {
        &self.family
    }

    /// K.
    pub fn n_components(&self) -> usize {
        self.n_components
    }

    /// λ of the mixture with these weights and these λ_k, K of each; the weights need not add up to one.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn params_from_weights(&self, weights: &[f64], components: &[Array1<f64>]) -> Array1<f64> {
        let k = self.n_components;
        assert_eq!(
            (weights.len(), components.len()),
            (k, k),
            "GaussianMixture: one weight and one λ a component"
        );
        let per = self.family.n_params();
        assert!(
            components.iter().all(|c| c.len() == per),
            "GaussianMixture: a component has the wrong length"
        );
        weights.iter().map(|w| w.ln()).chain(components.iter().flatten().copied()).collect()
    }

    fn logit_name(k: usize) -> String {
        format!("logit(component {})", k + 1)
    }
}

/// The name of a component's parameter among those of the mixture.
fn component_name(k: usize, name: &str) -> String {
    format!("component {}: {name}", k + 1)
}

impl<F: MixtureFamily> VariationalFamily for GaussianMixture<F> {
    type Member<'a>
        = GaussianMixtureMember<F::Component>
    where
        Self: 'a;

    fn dim(&self) -> usize {
        self.family.dim()
    }
    fn n_params(&self) -> usize {
        self.n_components * (1 + self.family.n_params())
    }
    fn param_names(&self) -> Vec<String> {
        let of_family = self.family.param_names();
        let mut names: Vec<String> = (0..self.n_components).map(Self::logit_name).collect();
        for k in 0..self.n_components {
            names.extend(of_family.iter().map(|name| component_name(k, name)));
        }
        names
    }
    /// Equal weights, and components of the family's own start with their locations moved apart: component k has
    /// cos(π (k + ½)(d + 1)/K) in coordinate d, from 0. Equal components would stay equal.
    fn init(&self) -> Array1<f64> {
        let (k, per, start) = (self.n_components, self.family.n_params(), self.family.init());
        let mut init = Array1::zeros(self.n_params());
        for (c, mut params) in init.slice_mut(s![k..]).exact_chunks_mut(per).into_iter().enumerate() {
            params.assign(&start);
            // Locations come first in λ of both families.
            for (d, location) in params.iter_mut().take(self.family.dim()).enumerate() {
                let turn = (c as f64 + 0.5) * (d + 1) as f64 / k as f64;
                *location += (std::f64::consts::PI * turn).cos();
            }
        }
        init
    }
    fn bind<'a>(&'a self, params: &'a ArrayRef1<f64>) -> Result<Self::Member<'a>, FamilyError> {
        length(FAMILY, "λ", params.len(), self.n_params())?;
        let (k, per) = (self.n_components, self.family.n_params());
        if let Some(c) = params.iter().take(k).position(|v| !v.is_finite()) {
            return Err(domain(FAMILY, Self::logit_name(c), params[c], FINITE));
        }
        let bind = |c: usize| {
            let start = k + c * per;
            let bound = self.family.component(&params.slice(s![start..start + per]));
            bound.map_err(|e| of_component(c, e))
        };
        let components = (0..k).map(bind).collect::<Result<Vec<_>, _>>()?;
        Ok(GaussianMixtureMember::new(params.iter().take(k).copied().collect(), components))
    }
}

/// The error of a component as one of the mixture.
fn of_component(k: usize, error: FamilyError) -> FamilyError {
    match error {
        FamilyError::Domain { parameter, value, requirement, .. } => {
            domain(FAMILY, component_name(k, &parameter), value, requirement)
        }
        other => other,
    }
}
