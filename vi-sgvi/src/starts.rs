//! Several starts: the best bound, and every optimum that was found.

use ndarray::{Array1, ArrayRef1};
use rand::RngExt;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};
use vi_core::{ElboEstimate, Exec, LogJoint, NeverStop, Role, StreamKey};
use vi_families::VariationalFamily;

use crate::distance::jeffreys;
use crate::elbo::evaluate_elbo;
use crate::error::{SgviError, require};
use crate::estimator::GradientEstimator;
use crate::fit::SgviFit;
use crate::settings::SgviSettings;

/// Draws by which two members are told apart.
const N_DRAWS: usize = 200;

/// Where several fits start, and which ends are one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Starts {
    /// How many; by default 8.
    pub n_starts: usize,
    /// r ≥ 0; by default 2. The first start is the family's own, the others are around it.
    ///
    /// ```text
    /// λ_0 + r ε,   ε ~ N(0, I)
    /// ```
    pub radius: f64,
    /// Two ends whose divergence of Jeffreys KL(a ‖ b) + KL(b ‖ a) is below so many nats are one optimum; by default 1.
    pub same_within: f64,
}

impl Default for Starts {
    fn default() -> Self {
        Self { n_starts: 8, radius: 2.0, same_within: 1.0 }
    }
}

impl Starts {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`SgviError::Setting`] names the setting outside its domain.
    pub fn validate(&self) -> Result<(), SgviError> {
        require(self.n_starts >= 1, "starts.n_starts", self.n_starts as f64, "≥ 1")?;
        require(self.radius >= 0.0, "starts.radius", self.radius, "finite and ≥ 0")?;
        require(self.same_within > 0.0, "starts.same_within", self.same_within, "finite and > 0")
    }

    /// λ of start number `start` (P), under `key.role(Role::Init)`.
    pub fn params<F: VariationalFamily>(&self, family: &F, start: usize, key: StreamKey) -> Array1<f64> {
        let mut params = family.init();
        if start > 0 {
            let mut rng = key.role(Role::Init).rng(start as u64);
            params.iter_mut().for_each(|p| *p += self.radius * rng.sample::<f64, _>(StandardNormal));
        }
        params
    }
}

/// Where at least one start led to: an optimum, if a run converged there.
#[derive(Clone, Debug)]
pub struct Optimum {
    /// The bound of the best of its ends.
    pub elbo: ElboEstimate,
    /// λ of that end (P).
    pub params: Array1<f64>,
    /// The starts that ended here, from 0: how many of them says how often it is found.
    pub starts: Vec<usize>,
    /// How many of these runs converged; the others used their budget up. Where none did, it may be a place on the way.
    pub n_converged: usize,
}

/// What several starts led to.
#[derive(Debug)]
pub struct StartsFit<F> {
    /// The fit with the best bound. Its ELBO was evaluated anew after the choice, which would have favoured lucky estimates.
    pub best: SgviFit<F>,
    /// The start it came from.
    pub best_start: usize,
    /// All optima, the best bound first.
    pub optima: Vec<Optimum>,
    /// The starts whose run diverged.
    pub diverged: Vec<usize>,
    /// The starts that ended in an error.
    pub failed: Vec<(usize, SgviError)>,
}

/// Fits q_λ from several starts, keeps the best bound, and tells of all optima.
///
/// Fit s draws from `key.role(Role::Chain(s))`, the starts come from `key.role(Role::Init)`. The fits run one after the other,
/// each on all threads. A run that diverged is no optimum, and is the best only if all diverged.
///
/// Two ends are one optimum if they are near each other in q, not in their bounds: a permutation of labels is another
/// optimum of the same bound.
///
/// # Errors
/// The error of the first start when every start failed; [`SgviError::Setting`] for settings outside their domain.
pub fn fit_starts<M, F, E>(
    model: &M,
    family: &F,
    estimator: &E,
    settings: &SgviSettings,
    starts: &Starts,
    key: StreamKey,
    exec: Exec<'_>,
) -> Result<StartsFit<F>, SgviError>
where
    M: LogJoint + ?Sized,
    F: VariationalFamily + Clone,
    E: GradientEstimator<M, F>,
{
    starts.validate()?;
    let kernel = settings.kernel(model, family, estimator, exec)?;
    let (mut fits, mut failed) = (Vec::new(), Vec::new());
    for start in 0..starts.n_starts {
        let params = starts.params(family, start, key);
        let chain = u32::try_from(start).unwrap_or(u32::MAX);
        match kernel.fit_at(&params, settings, key.role(Role::Chain(chain)), &NeverStop, &mut []) {
            Ok(fit) => fits.push((start, fit)),
            Err(error) => failed.push((start, error)),
        }
    }
    if fits.is_empty() {
        return Err(failed.swap_remove(0).1);
    }
    // Stable: of equal bounds the earlier start is the better one.
    let sound = |fit: &SgviFit<F>| !fit.outcome.reason.is_diverged();
    fits.sort_by(|(_, a), (_, b)| sound(b).cmp(&sound(a)).then(b.elbo.value.total_cmp(&a.elbo.value)));
    let diverged = fits.iter().filter(|(_, fit)| !sound(fit)).map(|(start, _)| *start).collect();
    let ends: Vec<StartEnd> = fits
        .iter()
        .filter(|(_, fit)| sound(fit))
        .map(|(start, fit)| StartEnd {
            start: *start,
            elbo: fit.elbo,
            params: fit.posterior.params().clone(),
            converged: fit.outcome.converged(),
        })
        .collect();
    let key = key.role(Role::Evaluate);
    let optima = gather_optima(family, &ends, starts.same_within, key.fold_in(1))?;
    let (best_start, mut best) = fits.swap_remove(0);
    let params: &ArrayRef1<f64> = best.posterior.params();
    best.elbo = evaluate_elbo(model, family, params, settings.n_evaluate, key.fold_in(0), exec)
        .map_err(|source| SgviError::Evaluation(Box::new(source)))?;
    best.evaluations.n_log_joint += settings.n_evaluate as u64;
    Ok(StartsFit { best, best_start, optima, diverged, failed })
}

/// Where the run from one start ended.
#[derive(Clone, Debug)]
pub struct StartEnd {
    /// The start, from 0.
    pub start: usize,
    /// The bound there.
    pub elbo: ElboEstimate,
    /// λ there (P).
    pub params: Array1<f64>,
    /// Whether the run converged.
    pub converged: bool,
}

/// Gathers ends into optima, given the best bound first: an end belongs to the first optimum that it is near, by less than
/// `same_within` nats of the divergence of Jeffreys.
///
/// # Errors
/// [`SgviError::Family`] when λ of an end is outside its domain.
pub fn gather_optima<F: VariationalFamily>(
    family: &F,
    ends: &[StartEnd],
    same_within: f64,
    key: StreamKey,
) -> Result<Vec<Optimum>, SgviError> {
    let mut optima: Vec<Optimum> = Vec::new();
    for end in ends {
        let params = &end.params;
        let mut home = None;
        for (i, optimum) in optima.iter().enumerate() {
            if jeffreys(family, &optimum.params, params, N_DRAWS, key)? < same_within {
                home = Some(i);
                break;
            }
        }
        let i = home.unwrap_or_else(|| {
            let (elbo, params) = (end.elbo, params.clone());
            optima.push(Optimum { elbo, params, starts: Vec::new(), n_converged: 0 });
            optima.len() - 1
        });
        optima[i].starts.push(end.start);
        optima[i].n_converged += usize::from(end.converged);
    }
    Ok(optima)
}
