//! Data, sweeps and comparisons that the modules share.

use ndarray::{Array2, Axis};
use vi_core::{ConditionallyConjugate, Exec, StreamKey};
use vi_models::gaussian_mixture::{
    Covariance, GaussianMixture, GaussianMixtureFactors, GaussianMixturePriors, GaussianMixtureStats,
    WeightsPrior,
};

pub(crate) type State = (GaussianMixtureFactors, GaussianMixtureStats);

pub(crate) const COVARIANCES: [Covariance; 4] =
    [Covariance::Full, Covariance::Diagonal, Covariance::Tied, Covariance::Spherical];

pub(crate) const WEIGHTS: [WeightsPrior; 2] = [WeightsPrior::Dirichlet, WeightsPrior::StickBreaking];

pub(crate) fn key() -> StreamKey {
    StreamKey::from_seed(31)
}

/// Every shape of covariances with every prior of the weights, at priors that are nowhere their defaults (D = 2).
pub(crate) fn all_priors() -> Vec<GaussianMixturePriors> {
    let every = COVARIANCES.into_iter().flat_map(|c| WEIGHTS.map(|w| (c, w)));
    let one = |(covariance, weights)| {
        let scale = match covariance {
            Covariance::Full | Covariance::Tied => [[0.8, 0.1], [0.1, 0.5]],
            Covariance::Diagonal => [[0.8, 0.0], [0.0, 0.5]],
            Covariance::Spherical => [[0.8, 0.0], [0.0, 0.8]],
        };
        GaussianMixturePriors {
            covariance,
            weights,
            concentration: 1.7,
            mean: Some(vec![0.3, -0.2]),
            count: 0.6,
            dof: Some(4.5),
            scale: Some(scale.map(|row| row.to_vec()).to_vec()),
        }
    };
    every.map(one).collect()
}

pub(crate) fn table(text: &str, skip: usize) -> Array2<f64> {
    let rows: Vec<Vec<f64>> =
        text.lines().skip(skip).map(|line| line.split(',').map(|v| v.parse().unwrap()).collect()).collect();
    let shape = (rows.len(), rows[0].len());
    Array2::from_shape_vec(shape, rows.concat()).unwrap()
}

/// 272 eruptions of Old Faithful, in minutes.
pub(crate) fn old_faithful() -> Array2<f64> {
    table(include_str!("../../../data/old_faithful.csv"), 1)
}

/// Zero mean and unit population standard deviation.
pub(crate) fn standardised(x: &Array2<f64>) -> Array2<f64> {
    (x - &x.mean_axis(Axis(0)).unwrap()) / &x.std_axis(Axis(0), 0.0)
}

/// Stable sort by the first column, cut into `k` parts of equal size.
pub(crate) fn labels_by_first_column(x: &Array2<f64>, k: usize) -> Vec<usize> {
    let n = x.nrows();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| x[[*a, 0]].total_cmp(&x[[*b, 0]]));
    let mut labels = vec![0; n];
    for (rank, i) in order.into_iter().enumerate() {
        labels[i] = rank * k / n;
    }
    labels
}

pub(crate) fn ascend(model: &GaussianMixture, (q, stats): &mut State, n_sweeps: usize) -> Vec<f64> {
    let mut sweep = || {
        for &block in model.blocks() {
            model.condition(block, stats, q, Exec::local()).unwrap();
            model.expect(block, q, stats, Exec::local());
        }
        model.elbo(q, stats)
    };
    (0..n_sweeps).map(|_| sweep()).collect()
}

pub(crate) fn close(found: &[f64], expected: &[f64], tolerance: f64, name: &str) {
    assert_eq!(found.len(), expected.len(), "{name}: {found:?} for {expected:?}");
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= tolerance * (1.0 + e.abs()), "{name}: {found:?} for {expected:?}");
    }
}
