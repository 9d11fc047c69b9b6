//! The signal-to-noise ratio of pathwise gradients as K grows.

use ndarray::Array1;
use vi_core::{LogJoint, StreamKey};
use vi_families::MeanFieldGaussian;
use vi_sgvi::testing::compare_gradient;
use vi_sgvi::{Elbo, GradientEstimator, ImportanceBound, ImportancePathwise};

use crate::evidence::{optimum, regression};

const N_REPLICATES: u64 = 3000;

/// |E ĝ| over the standard deviation of ĝ, of the log scales, in the root mean square.
fn signal_to_noise<E>(estimator: &E, key: StreamKey) -> f64
where
    E: GradientEstimator<vi_models::linear_regression::LinearRegression, MeanFieldGaussian>,
{
    let model = regression();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let elbo = Elbo::new(&model, &family).unwrap();
    // Scales twice those of the ELBO's optimum: too wide for every bound.
    let mut params = optimum(&model, &family);
    params.iter_mut().skip(3).for_each(|log_scale| *log_scale += 2f64.ln());
    let exact = Array1::zeros(params.len());
    let check = compare_gradient(estimator, elbo, &params, &exact, N_REPLICATES, key).unwrap();
    let squares = (3..6).map(|p| check.mean[p].powi(2) / check.variance[p]);
    (squares.sum::<f64>() / 3.0).sqrt()
}

/// One group: the ratio of the naive gradient falls as K^{−1/2}, that of DReG rises as K^{1/2} (Rainforth et al. 2018;
/// Tucker et al. 2019). The relative error of a ratio ρ from R replicates is about (1 + 1/ρ²)^{1/2} R^{−1/2}: the bounds
/// below are more than 5 of them away from what is seen.
#[test]
#[allow(clippy::print_stdout, reason = "the figures are the purpose")]
fn that_of_the_naive_gradient_falls_and_that_of_dreg_does_not() {
    let ratios = |make: fn(ImportanceBound, usize) -> ImportancePathwise| {
        [1, 10, 100, 1000].map(|k| {
            let bound = ImportanceBound::importance_weighted(k).unwrap();
            signal_to_noise(&make(bound, 1), StreamKey::from_seed(1802).fold_in(k as u64))
        })
    };
    let naive = ratios(ImportancePathwise::naive);
    let doubly = ratios(ImportancePathwise::doubly_reparameterized);
    println!("K = 1, 10, 100, 1000: naive {naive:.3?}, DReG {doubly:.3?}");
    assert!(naive[3] < 0.5 * naive[1], "naive: {naive:?}");
    assert!(doubly.windows(2).all(|pair| pair[1] > 0.9 * pair[0]), "DReG: {doubly:?}");
}
