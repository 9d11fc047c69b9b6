//! BayesPy's own PCA example: 20 columns, 100 rows, 10 factors where 2 are needed.

use approx::assert_relative_eq;
use ndarray::{Array2, Axis};
use serde_json::Value;
use vi_core::{ConditionallyConjugate, Exec};
use vi_models::factor_model::{FactorModelPriors, PrecisionPrior, ProbabilisticPca};
use vi_models::observed_matrix::ObservedMatrix;

use crate::sweep;

struct Reference {
    /// (100, 20).
    data: Array2<f64>,
    /// (20, 10).
    loadings: Array2<f64>,
    plain: Vec<f64>,
    rotated: Vec<f64>,
    loading_precision: Vec<f64>,
    noise_precision: f64,
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(numbers).collect();
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

fn reference() -> Reference {
    let file: Value = serde_json::from_str(include_str!("bayespy_pca.json")).unwrap();
    Reference {
        data: matrix(&file["y"]).reversed_axes().as_standard_layout().into_owned(),
        loadings: matrix(&file["loadings"]),
        plain: numbers(&file["elbo_plain"]),
        rotated: numbers(&file["elbo_rotated"]),
        loading_precision: numbers(&file["loading_precision"]),
        noise_precision: file["noise_precision"].as_f64().unwrap(),
    }
}

fn priors() -> FactorModelPriors {
    let vague = PrecisionPrior::Gamma { shape: 1e-5, rate: 1e-5 };
    FactorModelPriors {
        loading: vague,
        score: PrecisionPrior::Known { precision: 1.0 },
        noise: vague,
        intercept: None,
    }
}

fn model(data: &Array2<f64>, expanded: bool) -> ProbabilisticPca {
    let data = ObservedMatrix::from_dense(data).unwrap();
    ProbabilisticPca::new(data, 10, priors()).unwrap().with_expansion(expanded)
}

/// The same factorisation, start and order of blocks: all 300 bounds agree, and so does the end.
#[test]
fn without_rotations_every_bound_agrees() {
    let r = reference();
    let model = model(&r.data, false);
    let (mut q, mut stats) = model.start_from_loadings(&r.loadings, 1.0, 1.0, Exec::local()).unwrap();
    let mut trace = vec![model.elbo(&q, &stats)];
    trace.extend((1..r.plain.len()).map(|_| sweep(&model, &mut q, &mut stats)));
    for (t, (bound, expected)) in trace.iter().zip(&r.plain).enumerate() {
        // The bound passes through 0, so relative to the size of what it is made of.
        assert!(
            (bound - expected).abs() < 1e-6 * expected.abs().max(10.0),
            "sweep {t}: {bound}, not {expected}"
        );
    }
    assert_relative_eq!(*trace.last().unwrap(), 177.2003106659246, max_relative = 1e-6);
    for (q, expected) in q.loading_precisions().iter().zip(&r.loading_precision) {
        assert_relative_eq!(q.mean(), *expected, max_relative = 1e-5);
    }
    assert_relative_eq!(q.noise_precisions()[0].mean(), r.noise_precision, max_relative = 1e-6);
}

/// With rotations the bound is where BayesPy's numerical search gets, at least as fast, and two factors are left.
#[test]
fn with_rotations_twenty_five_sweeps_reach_the_top() {
    let r = reference();
    let model = model(&r.data, true);
    let (mut q, mut stats) = model.start_from_loadings(&r.loadings, 1.0, 1.0, Exec::local()).unwrap();
    model.expand(&mut q, &mut stats, Exec::local()).unwrap();
    let mut trace = vec![model.elbo(&q, &stats)];
    trace.extend((1..r.rotated.len()).map(|_| sweep(&model, &mut q, &mut stats)));
    let (end, expected) = (*trace.last().unwrap(), *r.rotated.last().unwrap());
    assert!(trace.windows(2).all(|w| w[1] >= w[0] - 1e-9 * w[0].abs()), "{trace:?}");
    assert!(
        end > expected - 0.01 && end < expected + 1.0,
        "{end} after 25 sweeps, BayesPy {expected}: {trace:?}"
    );
    let mut kept: Vec<f64> = q.loading_precisions().iter().map(|q| q.mean()).filter(|a| *a < 1e3).collect();
    kept.sort_by(f64::total_cmp);
    assert_eq!(kept.len(), 2);
    assert_relative_eq!(kept[0], 0.7375456390087666, max_relative = 1e-2);
    assert_relative_eq!(kept[1], 1.2516045638572781, max_relative = 1e-2);
}

/// The path for missing entries, with nothing missing that matters: a row without any entry changes no factor of the
/// columns, and its scores are those of the prior.
#[test]
fn a_row_that_was_not_observed_changes_nothing_else() {
    let r = reference();
    let whole = model(&r.data, false);
    let mut longer = r.data.clone();
    longer.append(Axis(0), Array2::from_elem((1, 20), f64::NAN).view()).unwrap();
    let holes = model(&longer, false);
    let exec = Exec::local();
    let (mut q, mut stats) = whole.start_from_loadings(&r.loadings, 1.0, 1.0, exec).unwrap();
    let (mut p, mut other) = holes.start_from_loadings(&r.loadings, 1.0, 1.0, exec).unwrap();
    for _ in 0..30 {
        let (a, b) = (sweep(&whole, &mut q, &mut stats), sweep(&holes, &mut p, &mut other));
        assert_relative_eq!(a, b, max_relative = 1e-9);
    }
    assert_relative_eq!(q.noise_precisions()[0].mean(), p.noise_precisions()[0].mean(), max_relative = 1e-9);
    assert!(p.scores().mean(100).iter().all(|m| *m == 0.0));
    for d in 0..20 {
        for (a, b) in q.loadings().mean(d).iter().zip(p.loadings().mean(d)) {
            assert!((a - b).abs() < 1e-8);
        }
    }
}
