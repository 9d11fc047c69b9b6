//! Where a fit without settings begins.

use ndarray::Array1;
use vi_core::{Counted, Exec, GradLogJoint, LogJoint, Role, StreamKey};
use vi_families::{FullRankGaussian, GaussianTarget};

use super::Account;
use crate::elbo::evaluate_elbo;
use crate::error::SgviError;
use crate::estimator::Evaluations;
use crate::laplace::Laplace;
use crate::pathfinder::{MultiPathfinder, Pathfinder};

/// Beyond it covariances are not formed: the start has independent coordinates.
const DENSE_UP_TO: usize = 500;
/// Draws by which two starts are compared.
const N_COMPARE: usize = 1000;
/// The tag of the key of that comparison.
const COMPARE: u64 = 0x5354_4152_5421;

/// A Gaussian to start from.
#[derive(Clone, Debug)]
pub struct Start {
    /// The Gaussian.
    pub target: GaussianTarget,
    /// Where it comes from.
    pub account: Account,
    /// What it cost.
    pub evaluations: Evaluations,
}

/// The best of several Pathfinders, or Laplace's approximation at the end of its way if the ELBO is higher there.
pub(super) fn find<M: GradLogJoint>(
    model: &M,
    n_paths: u32,
    key: StreamKey,
    exec: Exec<'_>,
) -> Result<Start, SgviError> {
    let mut account = Account::default();
    let path = Pathfinder { n_draws: N_COMPARE, ..Pathfinder::default() };
    // Starts that fail cost evaluations, too.
    let model = &Counted::new(model);
    let evaluations = || Evaluations {
        n_log_joint: model.n_log_joint(),
        n_gradient: model.n_gradient(),
        ..Evaluations::default()
    };
    let paths = MultiPathfinder { n_paths, path }.fit(model, key.role(Role::Init), exec)?;
    let best = paths.best();
    let found = format!("the best of {n_paths} Pathfinders, ELBO {:.2}", best.elbo.value);
    if model.dim() > DENSE_UP_TO {
        account.push("start", "Pathfinder, independent coordinates", format!("{found}; D > {DENSE_UP_TO}"));
        let sd = best.gaussian.precisions().mapv(|p| p.sqrt().recip());
        let target = GaussianTarget::from_mean_sd(best.gaussian.mean(), &sd)?;
        return Ok(Start { target, account, evaluations: evaluations() });
    }
    match laplace(model, best.gaussian.mean(), key, exec) {
        Ok((target, elbo)) if elbo > best.elbo.value => {
            account.push("start", "Laplace", format!("ELBO {elbo:.2}, above {found}"));
            return Ok(Start { target, account, evaluations: evaluations() });
        }
        Ok((_, elbo)) => account.push("start", "Pathfinder", format!("{found}, above Laplace's {elbo:.2}")),
        Err(error) => account.push("start", "Pathfinder", format!("{found}; Laplace: {error}")),
    }
    let target = GaussianTarget::from_mean_covariance(best.gaussian.mean(), &best.gaussian.covariance())?;
    Ok(Start { target, account, evaluations: evaluations() })
}

fn laplace<M: GradLogJoint>(
    model: &M,
    from: &Array1<f64>,
    key: StreamKey,
    exec: Exec<'_>,
) -> Result<(GaussianTarget, f64), SgviError> {
    let settings = Laplace { n_iterations: 200, ..Laplace::default() };
    let fit = settings.fit_from(model, from, exec)?;
    let target = GaussianTarget::from_mean_covariance(&fit.mode, &fit.covariance)?;
    let family = FullRankGaussian::new(model.parameters())?;
    let key = key.role(Role::Init).fold_in(COMPARE);
    let elbo = evaluate_elbo(model, &family, fit.posterior.params(), N_COMPARE, key, exec)?;
    Ok((target, elbo.value))
}
