//! Linear factor models with missing entries: probabilistic PCA, factor analysis, Gaussian matrix factorisation.
//!
//! ```text
//! y_nd = w_dᵀ x_n + μ_d + ε_nd,  ε_nd ~ N(0, 1/τ_d)          n = 1 … N rows, d = 1 … D columns, some y_nd missing
//! x_nk ~ N(0, 1/λ_k)    w_dk ~ N(0, 1/α_k)    μ_d ~ N(m, 1/β)              k = 1 … K factors
//! ```
//! α_k, λ_k, τ_d are known or have Gamma priors. With λ = 1 and one τ for all columns this is probabilistic PCA, whose
//! α_k switch off the factors that are not needed (automatic relevance determination); with a τ_d of each column it is
//! factor analysis; with λ_k learned too, rows and columns are treated alike: matrix factorisation.
//! The noise is a type: [`Isotropic`] or [`Diagonal`].
//!
//! The factors are q(x_n) q(w_d, μ_d) q(α_k) q(λ_k) q(τ): loadings and intercept of a column are joint. Missing entries
//! have no term, so that the posterior is exact about them: nothing is imputed.
//!
//! Sources: C. M. Bishop, "Variational principal components", *ICANN* (1999); A. Ilin & T. Raiko, "Practical approaches
//! to principal component analysis in the presence of missing values", *JMLR* 11 (2010) 1957–2000; R. Salakhutdinov &
//! A. Mnih, "Bayesian probabilistic matrix factorization using Markov chain Monte Carlo", *ICML* (2008).
//!
//! **Cost.** With nothing missing rows share their posterior covariance: a sweep is three products of N·D·K
//! multiplications. Otherwise a sweep costs 3K²/2 multiplications for each observed entry and K³ for each row and column.

mod columns;
mod conjugate;
mod exchangeable;
mod expansion;
mod factors;
mod jacobi;
mod loadings;
mod log_joint;
mod natural;
mod noise;
mod precisions;
mod predict;
mod rows;
mod scores;

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use vi_core::{Parameter, ParameterSpace, Support};

use crate::ModelError;
use crate::checks::{finite, positive};
use crate::observed_matrix::ObservedMatrix;

pub use crate::noise::PrecisionPrior;
pub use conjugate::FactorModelBlock;
pub use exchangeable::{FactorModelBatch, FactorModelGlobals};
pub use factors::{FactorModelFactors, FactorModelStats};
pub use noise::{Diagonal, Isotropic, NoiseShape};
pub use predict::{EntryPrediction, HeldOutEntries};
pub use rows::GaussianRows;

const MODEL: &str = "factor_model";

/// The prior of every intercept μ_d.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterceptPrior {
    /// m.
    pub mean: f64,
    /// β > 0.
    pub precision: f64,
}

/// The priors; the default is that of probabilistic PCA with automatic relevance determination.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FactorModelPriors {
    /// α_k.
    pub loading: PrecisionPrior,
    /// λ_k.
    pub score: PrecisionPrior,
    /// τ_d.
    pub noise: PrecisionPrior,
    /// μ_d; `None` leaves the intercepts out.
    pub intercept: Option<InterceptPrior>,
}

impl Default for FactorModelPriors {
    fn default() -> Self {
        let vague = PrecisionPrior::Gamma { shape: 1e-3, rate: 1e-3 };
        Self {
            loading: vague,
            score: PrecisionPrior::Known { precision: 1.0 },
            noise: vague,
            intercept: Some(InterceptPrior { mean: 0.0, precision: 1e-3 }),
        }
    }
}

impl FactorModelPriors {
    /// Those of matrix factorisation: the precisions of rows and of columns are learned alike.
    pub fn matrix_factorisation() -> Self {
        let learned = PrecisionPrior::Gamma { shape: 1.0, rate: 1.0 };
        Self { loading: learned, score: learned, ..Self::default() }
    }

    fn check(&self) -> Result<(), ModelError> {
        self.loading.check_named(MODEL, "loading")?;
        self.score.check_named(MODEL, "score")?;
        self.noise.check_named(MODEL, "noise")?;
        if let Some(InterceptPrior { mean, precision }) = self.intercept {
            finite(MODEL, "intercept.mean", mean)?;
            positive(MODEL, "intercept.precision", precision)?;
        }
        Ok(())
    }
}

/// A linear factor model whose noise has the shape `S`; see the [module](self).
///
/// ```
/// use ndarray::array;
/// use vi_models::factor_model::{FactorModelPriors, ProbabilisticPca};
/// use vi_models::observed_matrix::ObservedMatrix;
///
/// let data = ObservedMatrix::from_dense(&array![[1.0, 2.1], [2.0, f64::NAN], [3.0, 5.8], [4.0, 8.1]])?;
/// let pca = ProbabilisticPca::new(data, 1, FactorModelPriors::default())?;
/// assert_eq!((pca.n_factors(), pca.data().n_observed()), (1, 7));
/// # Ok::<(), vi_models::ModelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FactorModel<S: NoiseShape> {
    data: ObservedMatrix,
    /// The data less the means of their columns if there are intercepts, so that sums do not cancel.
    centred: ObservedMatrix,
    /// What was taken off (D).
    centre: Array1<f64>,
    priors: FactorModelPriors,
    n_factors: usize,
    expanded: bool,
    space: ParameterSpace,
    blocks: Vec<FactorModelBlock>,
    shape: std::marker::PhantomData<S>,
}

/// Probabilistic PCA: noise of one precision.
pub type ProbabilisticPca = FactorModel<Isotropic>;
/// Factor analysis: every column has noise of its own.
pub type FactorAnalysis = FactorModel<Diagonal>;

impl<S: NoiseShape> FactorModel<S> {
    /// The model of `data` (N, D) with `n_factors` factors.
    ///
    /// # Errors
    /// [`ModelError`] names the prior parameter outside its domain, or the number of factors that is 0.
    pub fn new(
        data: ObservedMatrix,
        n_factors: usize,
        priors: FactorModelPriors,
    ) -> Result<Self, ModelError> {
        priors.check()?;
        positive(MODEL, "n_factors", n_factors as f64)?;
        let centre = match priors.intercept {
            Some(_) => data.column_means(),
            None => Array1::zeros(data.n_columns()),
        };
        let centred = data.map(|_, d, v| v - centre[d]);
        let space = ParameterSpace::new(parameters::<S>(data.n_columns(), n_factors, &priors))?;
        let blocks = FactorModelBlock::of(&priors);
        Ok(Self {
            data,
            centred,
            centre,
            priors,
            n_factors,
            expanded: true,
            space,
            blocks,
            shape: std::marker::PhantomData,
        })
    }

    /// Whether translations and rotations of the factors follow every sweep of coordinate ascent (the default); see
    /// [`FactorModel::expand_factors`].
    #[must_use]
    pub fn with_expansion(mut self, expanded: bool) -> Self {
        self.expanded = expanded;
        self
    }

    /// The data.
    pub fn data(&self) -> &ObservedMatrix {
        &self.data
    }

    /// The priors.
    pub fn priors(&self) -> &FactorModelPriors {
        &self.priors
    }

    /// K.
    pub fn n_factors(&self) -> usize {
        self.n_factors
    }

    /// K, and one more with intercepts: the coordinates of (w_d, μ_d).
    fn n_coefficients(&self) -> usize {
        self.n_factors + usize::from(self.priors.intercept.is_some())
    }

    /// The number of noise precisions: 1 or D.
    fn n_noise(&self) -> usize {
        S::n_precisions(self.data.n_columns())
    }

    /// Whether all rows have one posterior covariance.
    fn rows_share(&self) -> bool {
        self.data.is_complete()
    }

    /// Whether all columns have one posterior covariance.
    fn columns_share(&self) -> bool {
        self.data.is_complete() && S::SHARED
    }

    /// The mean of the prior of μ_d, less the centre of column d.
    fn intercept_mean(&self, d: usize) -> f64 {
        self.priors.intercept.map_or(0.0, |prior| prior.mean - self.centre[d])
    }
}

/// W, μ, α, λ, τ, as far as they are there and not known.
fn parameters<S: NoiseShape>(d: usize, k: usize, priors: &FactorModelPriors) -> Vec<Parameter> {
    let mut out = vec![Parameter::new("loading", &[d, k], Support::Real)];
    if priors.intercept.is_some() {
        out.push(Parameter::vector("intercept", d, Support::Real));
    }
    if priors.loading.is_learned() {
        out.push(Parameter::vector("loading_precision", k, Support::Positive));
    }
    if priors.score.is_learned() {
        out.push(Parameter::vector("score_precision", k, Support::Positive));
    }
    if priors.noise.is_learned() {
        out.push(Parameter::vector("noise_precision", S::n_precisions(d), Support::Positive));
    }
    out
}
