//! Conditionally conjugate models without their associated types.

use serde::Serialize;
use serde::de::DeserializeOwned;
use vi_cavi::{DampedSettings, MoveSettings};
use vi_core::{ConditionallyConjugate, Exchangeable, NaturalFactors, SplitMerge};

use crate::config::{CaviSettings, EXCHANGEABLE, EXPANSION, GibbsSettings, MOVES, NATURAL, SviSettings};
use crate::error::LabError;
use crate::methods::{Context, Fitted, cavi, gibbs, svi};

/// Complete conditionals, with what a model has beside them.
#[derive(Clone, Copy)]
pub struct Conditionals<'a> {
    /// The conditionals.
    pub conjugate: &'a dyn Conjugate,
    /// The natural parameters of its factors: for damping and annealing.
    pub natural: Option<&'a dyn DampedAscent>,
    /// Splits, merges and deletions of its components.
    pub moves: Option<&'a dyn MovingAscent>,
    /// Exchangeable data: for minibatches.
    pub exchangeable: Option<&'a dyn StochasticAscent>,
    /// Whether it moves several blocks at once after a sweep.
    pub expands: bool,
}

impl std::fmt::Debug for Conditionals<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.capabilities()).finish()
    }
}

impl<'a> Conditionals<'a> {
    /// Conditionals alone.
    pub fn of(conjugate: &'a dyn Conjugate) -> Self {
        Self { conjugate, natural: None, moves: None, exchangeable: None, expands: false }
    }

    /// With natural parameters.
    #[must_use]
    pub fn natural(self, model: &'a dyn DampedAscent) -> Self {
        Self { natural: Some(model), ..self }
    }

    /// With moves of components.
    #[must_use]
    pub fn moves(self, model: &'a dyn MovingAscent) -> Self {
        Self { moves: Some(model), ..self }
    }

    /// With exchangeable data.
    #[must_use]
    pub fn exchangeable(self, model: &'a dyn StochasticAscent) -> Self {
        Self { exchangeable: Some(model), ..self }
    }

    /// With moves of several blocks at once.
    #[must_use]
    pub fn expanding(self) -> Self {
        Self { expands: true, ..self }
    }

    /// Whether it has what a key of a method needs.
    fn has(self, capability: &str) -> bool {
        match capability {
            NATURAL => self.natural.is_some(),
            MOVES => self.moves.is_some(),
            EXCHANGEABLE => self.exchangeable.is_some(),
            EXPANSION => self.expands,
            _ => true,
        }
    }

    /// What it has, in words.
    pub(crate) fn capabilities(self) -> impl Iterator<Item = &'static str> {
        let beside = [NATURAL, MOVES, EXPANSION, EXCHANGEABLE].into_iter().filter(move |c| self.has(c));
        std::iter::once("complete conditionals").chain(beside)
    }

    /// The first key of CAVI that it cannot take, and what it lacks for it.
    pub(crate) fn lacks(self, settings: &CaviSettings) -> Option<(&'static str, &'static str)> {
        settings.given().find(|key| !self.has(key.needs)).map(|key| (key.name, key.needs))
    }

    /// Coordinate ascent of the kind that the settings ask for.
    ///
    /// # Errors
    /// [`LabError`] when the method or a checkpoint fails. A key that the model cannot take was refused with the file.
    pub(crate) fn cavi(self, settings: &CaviSettings, context: &Context<'_>) -> Result<Fitted, LabError> {
        match (settings.damped(), settings.moves, self.natural, self.moves) {
            (Some(damped), _, Some(model), _) => model.damped(damped, settings, context),
            (None, Some(moves), _, Some(model)) => model.moving(moves, settings, context),
            _ => self.conjugate.cavi(settings, context),
        }
    }
}

/// The methods over complete conditionals, for a model whose type is not known.
pub trait Conjugate: Send + Sync {
    /// Coordinate-ascent variational inference.
    ///
    /// # Errors
    /// [`LabError`] when the method or a checkpoint fails.
    fn cavi(&self, settings: &CaviSettings, context: &Context<'_>) -> Result<Fitted, LabError>;

    /// The Gibbs sampler.
    ///
    /// # Errors
    /// [`LabError`] when the method or a checkpoint fails.
    fn gibbs(&self, settings: &GibbsSettings, context: &Context<'_>) -> Result<Fitted, LabError>;
}

impl<M> Conjugate for M
where
    M: ConditionallyConjugate,
    M::Factors: Serialize + DeserializeOwned,
    M::Stats: Serialize + DeserializeOwned,
{
    fn cavi(&self, settings: &CaviSettings, context: &Context<'_>) -> Result<Fitted, LabError> {
        cavi::plain(self, settings, context)
    }

    fn gibbs(&self, settings: &GibbsSettings, context: &Context<'_>) -> Result<Fitted, LabError> {
        gibbs::fit(self, settings, context)
    }
}

/// Coordinate ascent with damping and annealing, for a model whose type is not known.
pub trait DampedAscent: Send + Sync {
    /// Coordinate ascent that goes part of the way, or from high temperature to low.
    ///
    /// # Errors
    /// [`LabError`] when the method or a checkpoint fails.
    fn damped(
        &self,
        damped: DampedSettings,
        settings: &CaviSettings,
        context: &Context<'_>,
    ) -> Result<Fitted, LabError>;
}

impl<M> DampedAscent for M
where
    M: NaturalFactors,
    M::Factors: Serialize + DeserializeOwned,
    M::Stats: Serialize + DeserializeOwned,
{
    fn damped(
        &self,
        damped: DampedSettings,
        settings: &CaviSettings,
        context: &Context<'_>,
    ) -> Result<Fitted, LabError> {
        cavi::damped(self, damped, settings, context)
    }
}

/// Coordinate ascent with moves of components, for a model whose type is not known.
pub trait MovingAscent: Send + Sync {
    /// Coordinate ascent that tries splits, merges and deletions where it comes to rest.
    ///
    /// # Errors
    /// [`LabError`] when the method or a checkpoint fails.
    fn moving(
        &self,
        moves: MoveSettings,
        settings: &CaviSettings,
        context: &Context<'_>,
    ) -> Result<Fitted, LabError>;
}

impl<M> MovingAscent for M
where
    M: SplitMerge,
    M::Factors: Serialize + DeserializeOwned,
    M::Stats: Serialize + DeserializeOwned,
{
    fn moving(
        &self,
        moves: MoveSettings,
        settings: &CaviSettings,
        context: &Context<'_>,
    ) -> Result<Fitted, LabError> {
        cavi::moving(self, moves, settings, context)
    }
}

/// Stochastic variational inference, for a model whose type is not known.
pub trait StochasticAscent: Send + Sync {
    /// Natural-gradient steps on minibatches.
    ///
    /// # Errors
    /// [`LabError`] when the method or a checkpoint fails.
    fn svi(&self, settings: &SviSettings, context: &Context<'_>) -> Result<Fitted, LabError>;
}

impl<M> StochasticAscent for M
where
    M: Exchangeable,
    M::Globals: Serialize + DeserializeOwned,
{
    fn svi(&self, settings: &SviSettings, context: &Context<'_>) -> Result<Fitted, LabError> {
        svi::fit(self, settings, context)
    }
}
