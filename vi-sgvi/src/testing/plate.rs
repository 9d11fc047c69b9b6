//! Contract checks for the estimators of a plate.

use ndarray::{Array1, ArrayRef1};
use vi_core::{Exec, PlateModel, StreamKey};
use vi_families::PlateFamily;

use super::{GradientCheck, Moments, Z_LIMIT};
use crate::error::SgviError;
use crate::plate::{PlateElbo, PlateEstimator, PlateWorkspace, Recognition};

/// Independent replicates of a plate's gradients beside the exact ones.
#[derive(Clone, Debug)]
pub struct PlateGradientCheck {
    /// Of the gradient in θ (M).
    pub model: GradientCheck,
    /// Of the gradient in λ or ψ.
    pub recognition: GradientCheck,
}

/// Estimates both gradients `n_replicates` times, replicate r under `key.fold_in(r)`, and compares the means with the
/// exact gradients in θ (M) and in λ or ψ.
///
/// # Errors
/// What the estimator returns.
#[allow(clippy::too_many_arguments, reason = "two parameters and their gradients")]
pub fn compare_plate_gradient<M: PlateModel, F: PlateFamily, R: Recognition, E: PlateEstimator<F>>(
    estimator: &E,
    elbo: PlateElbo<'_, M, F, R>,
    model_params: &ArrayRef1<f64>,
    params: &ArrayRef1<f64>,
    exact_model: &ArrayRef1<f64>,
    exact: &ArrayRef1<f64>,
    n_replicates: u64,
    key: StreamKey,
) -> Result<PlateGradientCheck, SgviError> {
    let mut workspace = PlateWorkspace::default();
    // A gradient overwrites: what stands here before must not show.
    let mut model_grad = Array1::from_elem(model_params.len(), f64::NAN);
    let mut grad = Array1::from_elem(params.len(), f64::NAN);
    let (mut of_model, mut of_params) = (Moments::new(model_params.len()), Moments::new(params.len()));
    for r in 0..n_replicates {
        let (key, exec) = (key.fold_in(r), Exec::local());
        elbo.gradient(
            estimator,
            model_params,
            params,
            key,
            exec,
            &mut workspace,
            &mut model_grad,
            &mut grad,
        )?;
        of_model.push(&model_grad);
        of_params.push(&grad);
    }
    Ok(PlateGradientCheck { model: of_model.compare(exact_model), recognition: of_params.compare(exact) })
}

/// Checks that both gradients of a plate are unbiased, as [`compare_plate_gradient`] sees it: every mean within
/// [`Z_LIMIT`] standard errors, which a correct estimator misses with probability at most 5.7e-7 for each of the
/// parameters, as far as means are normal: take some hundred replicates.
///
/// # Panics
/// If a gradient is biased, with the name of the parameter; or if the estimator returns an error.
#[allow(clippy::too_many_arguments, reason = "two parameters and their gradients")]
pub fn check_plate_estimator<M: PlateModel, F: PlateFamily, R: Recognition, E: PlateEstimator<F>>(
    estimator: &E,
    elbo: PlateElbo<'_, M, F, R>,
    model_params: &ArrayRef1<f64>,
    params: &ArrayRef1<f64>,
    exact_model: &ArrayRef1<f64>,
    exact: &ArrayRef1<f64>,
    n_replicates: u64,
    key: StreamKey,
) -> PlateGradientCheck {
    let check =
        compare_plate_gradient(estimator, elbo, model_params, params, exact_model, exact, n_replicates, key)
            .unwrap_or_else(|e| panic!("the estimator failed: {e}"));
    let names = elbo.model().model_parameters().names();
    let judge = |check: &GradientCheck, exact: &ArrayRef1<f64>, name: &dyn Fn(usize) -> String| {
        let (i, z) = check.worst();
        assert!(
            z <= Z_LIMIT,
            "{}: biased: the gradient with respect to {} is {}, its estimates have mean {} ± {} ({z:.1} standard errors off)",
            estimator.name(),
            name(i),
            exact[i],
            check.mean[i],
            check.mcse[i],
        );
    };
    judge(&check.model, exact_model, &|i| names[i].clone());
    judge(&check.recognition, exact, &|i| elbo.recognition().param_name(i));
    check
}
