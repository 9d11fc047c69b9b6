//! Families of a plate: densities, scores, draws.

use ndarray::{Array1, Array2, s};
use rand::RngExt;
use rand_distr::StandardNormal;
use vi_core::StreamKey;

use crate::plate::PlateFamily;

const N_DATA: usize = 4;
const N_SAMPLES: usize = 3;
/// Draws of every datum whose scores are averaged.
const N_DRAWS: usize = 4000;
/// Standard errors that a mean score may lie from 0: a normal variable lies further out with probability 2e-9.
const Z_LIMIT: f64 = 6.0;
const DIFFERENCES: f64 = 1e-6;
const VALUES: f64 = 1e-10;

/// Parameters near the default start, a standard normal away from it.
fn random_params<F: PlateFamily>(family: &F, key: StreamKey) -> Array2<f64> {
    let (init, mut rng) = (family.init(), key.rng(0));
    Array2::from_shape_fn((N_DATA, family.n_params()), |(_, p)| {
        init[p] + rng.sample::<f64, _>(StandardNormal)
    })
}

/// The points of data 7, 2, 9, 4 and their log densities.
fn draw<F: PlateFamily>(
    family: &F,
    params: &Array2<f64>,
    data: &[usize],
    n_samples: usize,
    key: StreamKey,
) -> (Array2<f64>, Array1<f64>) {
    let n = data.len() * n_samples;
    let (mut z, mut log_q) = (Array2::from_elem((n, family.dim()), f64::NAN), Array1::from_elem(n, f64::NAN));
    family
        .sample_points(params, data, key, n_samples, &mut z, &mut log_q)
        .unwrap_or_else(|e| panic!("λ = {params}: {e}"));
    (z, log_q)
}

const DATA: [usize; N_DATA] = [7, 2, 9, 4];

fn log_prob<F: PlateFamily>(family: &F, params: &Array2<f64>, z: &Array2<f64>) -> Array1<f64> {
    let mut out = Array1::from_elem(z.nrows(), f64::NAN);
    family
        .log_prob_points(params, z.nrows() / params.nrows(), z, &mut out)
        .unwrap_or_else(|e| panic!("λ = {params}: {e}"));
    out
}

fn close(a: f64, b: f64, relative: f64) -> bool {
    (a - b).abs() <= relative * (1.0 + a.abs().max(b.abs()))
}

/// Checks a family of a plate at random parameters: draws come with their log densities and depend on the datum alone;
/// scores are the derivatives of the log density, singly and weighted; and their mean over 4000 draws of every datum is
/// zero within six standard errors, which a correct family misses with probability 2e-9 for every parameter; parameters
/// that are NaN are refused.
///
/// # Panics
/// With both values where they differ.
pub fn check_plate_family<F: PlateFamily>(family: &F, key: StreamKey) {
    let p = family.n_params();
    assert_eq!(
        (family.init().len(), family.param_names().len()),
        (p, p),
        "init or names have another length"
    );
    let params = random_params(family, key.fold_in(0));
    let (z, log_q) = draw(family, &params, &DATA, N_SAMPLES, key);
    for (a, b) in log_q.iter().zip(&log_prob(family, &params, &z)) {
        assert!(close(*a, *b, VALUES), "log q is {a} with the draw, {b} alone");
    }
    for (i, datum) in DATA.into_iter().enumerate() {
        let alone = draw(family, &params.slice(s![i..=i, ..]).to_owned(), &[datum], N_SAMPLES, key).0;
        let among = z.slice(s![i * N_SAMPLES..(i + 1) * N_SAMPLES, ..]);
        assert!(alone == among, "datum {datum} draws {alone} alone, {among} among others");
    }
    assert!(draw(family, &params, &DATA, N_SAMPLES, key.fold_in(9)).0 != z, "another key draws the same");
    check_scores(family, &params, &z);
    check_mean_score(family, &params, key.fold_in(1));
    let mut nan = params.clone();
    nan[[2, p - 1]] = f64::NAN;
    let (mut z, mut log_q) = (z, log_q);
    assert!(
        family.sample_points(&nan, &DATA, key, N_SAMPLES, &mut z, &mut log_q).is_err(),
        "NaN among the parameters is not refused"
    );
}

fn scores<F: PlateFamily>(family: &F, params: &Array2<f64>, z: &Array2<f64>) -> Array2<f64> {
    let mut out = Array2::from_elem((z.nrows(), family.n_params()), f64::NAN);
    family
        .scores(params, z.nrows() / params.nrows(), z, &mut out)
        .unwrap_or_else(|e| panic!("λ = {params}: {e}"));
    out
}

fn check_scores<F: PlateFamily>(family: &F, params: &Array2<f64>, z: &Array2<f64>) {
    let scores = scores(family, params, z);
    let weights = Array1::from_shape_fn(z.nrows(), |r| (1.0 + r as f64).sin());
    let mut weighted = Array2::from_elem(params.dim(), 0.5);
    family
        .add_scores(params, N_SAMPLES, z, &weights, &mut weighted)
        .unwrap_or_else(|e| panic!("λ = {params}: {e}"));
    for p in 0..family.n_params() {
        let at = |steps: f64| {
            let mut moved = params.clone();
            moved.column_mut(p).mapv_inplace(|v| v + 1e-3 * steps);
            log_prob(family, &moved, z)
        };
        let derivative = (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / 12e-3;
        for (r, expected) in derivative.iter().enumerate() {
            let (got, name) = (scores[[r, p]], &family.param_names()[p]);
            assert!(close(got, *expected, DIFFERENCES), "score of {name}: {got}, by differences {expected}");
        }
        for i in 0..params.nrows() {
            let points = i * N_SAMPLES..(i + 1) * N_SAMPLES;
            let expected = 0.5 + points.map(|r| weights[r] * scores[[r, p]]).sum::<f64>();
            let got = weighted[[i, p]];
            assert!(close(got, expected, VALUES), "weighted scores: {got}, one by one {expected}");
        }
    }
}

fn check_mean_score<F: PlateFamily>(family: &F, params: &Array2<f64>, key: StreamKey) {
    let z = draw(family, params, &DATA, N_DRAWS, key).0;
    let scores = scores(family, params, &z);
    for i in 0..N_DATA {
        for (p, column) in
            scores.slice(s![i * N_DRAWS..(i + 1) * N_DRAWS, ..]).columns().into_iter().enumerate()
        {
            let (mean, n) = (column.sum() / N_DRAWS as f64, N_DRAWS as f64);
            let error = (column.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
            assert!(
                mean.abs() <= Z_LIMIT * error + 1e-12,
                "the mean score of {} is {mean} ± {error}, and not 0: draws have another law",
                family.param_names()[p]
            );
        }
    }
}

/// Checks that log densities and scores are those of `reference`, another implementation of the same family with the
/// same parameters, at points that both draw: to 10⁻¹⁰ relative.
///
/// # Panics
/// With both values where they differ.
pub fn check_plate_family_against<F: PlateFamily, R: PlateFamily>(family: &F, reference: &R, key: StreamKey) {
    assert_eq!(
        (family.dim(), family.n_params(), family.init()),
        (reference.dim(), reference.n_params(), reference.init()),
        "the families differ in size or start"
    );
    assert_eq!(family.param_names(), reference.param_names(), "the parameters have other names");
    let params = random_params(family, key.fold_in(0));
    for z in
        [draw(family, &params, &DATA, N_SAMPLES, key).0, draw(reference, &params, &DATA, N_SAMPLES, key).0]
    {
        for (a, b) in log_prob(family, &params, &z).iter().zip(&log_prob(reference, &params, &z)) {
            assert!(close(*a, *b, VALUES), "log q is {a}, by the reference {b}");
        }
        for (a, b) in scores(family, &params, &z).iter().zip(&scores(reference, &params, &z)) {
            assert!(close(*a, *b, VALUES), "a score is {a}, by the reference {b}");
        }
    }
}
