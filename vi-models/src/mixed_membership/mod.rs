//! Mixed membership of individuals who answer categorical items: the grade-of-membership model.
//!
//! ```text
//! θ_n ~ Dirichlet(α_1, …, α_K)             n = 1 … N individuals, memberships in K profiles
//! β_kj ~ Dirichlet(η, …, η)                what profile k answers to item j, of V_j levels
//! z_nj ~ Categorical(θ_n)                  the profile by which individual n answers item j
//! x_nj | z_nj = k ~ Categorical(β_kj)
//! ```
//! The population-genetic admixture model is the same, with loci for items. Answers may be missing: a missing one has no z and
//! no factor in the likelihood, as if the item had not been asked.
//!
//! ```
//! use ndarray::array;
//! use vi_core::{ConditionallyConjugate, Exec, StreamKey};
//! use vi_models::mixed_membership::{Answers, MixedMembership, MixedMembershipPriors};
//!
//! let x = array![[0.0, 2.0], [0.0, f64::NAN], [1.0, 0.0], [f64::NAN, 0.0]];
//! let model = MixedMembership::new(Answers::new(x, vec![2, 3])?, 2, MixedMembershipPriors::default())?;
//! let exec = Exec::local();
//! let (mut factors, mut stats) = model.init(StreamKey::from_seed(1), exec)?;
//! for _ in 0..30 {
//!     for block in model.blocks() {
//!         model.condition(*block, &stats, &mut factors, exec)?;
//!         model.expect(*block, &factors, &mut stats, exec);
//!     }
//! }
//! // The probabilities of the answers that individual 2 did not give.
//! let p = model.answer_probabilities(&factors, 1, 1);
//! assert!((p.sum() - 1.0).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! # Inference
//!
//! An answer is a token, an item and its level are a word, and probabilities add up to one over the levels of every item: the
//! updates of memberships and assignments are those of a document in
//! [`latent_dirichlet`](crate::latent_dirichlet), whose blocks, factors and settings these are, with profiles for topics. The profiles'
//! update, prior and entropy are products over items.
//!
//! Source: Erosheva, Fienberg & Joutard, "Describing disability through individual-level mixture models for multivariate binary
//! data", Annals of Applied Statistics 1 (2007), §2; Pritchard, Stephens & Donnelly, Genetics 155 (2000), §2; Wang & Erosheva,
//! "mixedMem" (2015), for mean-field updates.

mod answers;
mod conjugate;

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use vi_core::{Parameter, ParameterSpace, Support};

use crate::latent_dirichlet::{
    Concentration, DocumentUpdate, LatentDirichletAllocation, LatentDirichletFactors, LatentDirichletPriors,
};
use crate::{ModelError, checks};

pub use answers::Answers;

/// Name of the model in errors.
const MODEL: &str = "mixed_membership";

/// The priors of memberships and profiles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MixedMembershipPriors {
    /// α > 0 of the memberships. Default 1/K.
    pub memberships: Option<Concentration>,
    /// η > 0 of the level probabilities of an item in a profile. Default 1.
    pub levels: f64,
}

impl Default for MixedMembershipPriors {
    fn default() -> Self {
        Self { memberships: None, levels: 1.0 }
    }
}

/// Mixed membership of N individuals in K profiles, from their answers (N, J).
#[derive(Clone, Debug)]
pub struct MixedMembership {
    answers: Answers,
    /// The same with answers as tokens and levels as words.
    tokens: LatentDirichletAllocation,
}

impl MixedMembership {
    /// The model of `answers` with `n_profiles` profiles.
    ///
    /// # Errors
    /// [`ModelError`] when there are fewer than two profiles, or a prior is outside its domain.
    pub fn new(
        answers: Answers,
        n_profiles: usize,
        priors: MixedMembershipPriors,
    ) -> Result<Self, ModelError> {
        if n_profiles < 2 {
            let (parameter, value) = ("n_profiles".to_owned(), n_profiles as f64);
            return Err(ModelError::Prior { model: MODEL, parameter, value, requirement: "at least 2" });
        }
        checks::positive(MODEL, "levels", priors.levels)?;
        match &priors.memberships {
            Some(Concentration::Each(alpha)) if alpha.len() != n_profiles => {
                let (data, expected, actual) = ("concentration of the memberships", n_profiles, alpha.len());
                return Err(ModelError::Length { model: MODEL, data, expected, actual });
            }
            Some(Concentration::Each(alpha)) => {
                for (k, alpha) in alpha.iter().enumerate() {
                    checks::positive(MODEL, &format!("memberships[{k}]"), *alpha)?;
                }
            }
            Some(Concentration::Symmetric(alpha)) => checks::positive(MODEL, "memberships", *alpha)?,
            None => {}
        }
        let priors = LatentDirichletPriors { proportions: priors.memberships, topics: Some(priors.levels) };
        let mut parameters = Vec::new();
        for k in 1..=n_profiles {
            for (j, v) in answers.levels().iter().enumerate() {
                parameters.push(Parameter::new(format!("profile{k}.item{}", j + 1), &[*v], Support::Simplex));
            }
        }
        let n = answers.n_individuals();
        parameters.push(Parameter::new("memberships", &[n, n_profiles], Support::Simplex));
        let parameters = ParameterSpace::new(parameters)?;
        let tokens = LatentDirichletAllocation::of_items(
            answers.counts(),
            answers.offsets(),
            n_profiles,
            priors,
            parameters,
        )?;
        Ok(Self { answers, tokens })
    }

    /// The same with other settings of the iteration over an individual.
    ///
    /// # Errors
    /// [`ModelError`] names the setting that is outside its domain.
    pub fn with_individual_update(mut self, update: DocumentUpdate) -> Result<Self, ModelError> {
        update.validate(MODEL)?;
        self.tokens = self.tokens.with_document_update(update)?;
        Ok(self)
    }

    /// The same with memberships and assignments as blocks of their own, each set to its complete conditional once a sweep.
    #[must_use]
    pub fn with_single_updates(mut self) -> Self {
        self.tokens = self.tokens.with_single_updates();
        self
    }

    /// The answers (N, J).
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// K.
    pub fn n_profiles(&self) -> usize {
        self.tokens.n_topics()
    }

    /// p(x_nj = l | x) for l < V_j: Σ_k E\[θ_nk\] E\[β_kjl\]. It is that of a missing answer, whose assignment is in no factor.
    ///
    /// # Panics
    /// If there is no such individual or item.
    pub fn answer_probabilities(&self, factors: &LatentDirichletFactors, n: usize, j: usize) -> Array1<f64> {
        let levels = self.answers.offsets()[j]..self.answers.offsets()[j + 1];
        let profiles = factors.topics().expected();
        factors.expected_proportions().row(n).dot(&profiles.slice(ndarray::s![.., levels]))
    }
}
