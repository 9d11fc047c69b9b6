//! Reference runs of an independent NumPy implementation of PRML §10.2.1 on iris and wine, whose parameters agree
//! with scikit-learn's updates to 2e-6: from hard labels, M step then E step, ELBO after the E step.
//!
//! Data: R. A. Fisher (1936); M. Forina et al. (1991); UCI Machine Learning Repository, CC BY 4.0, as scikit-learn ships
//! them.

use ndarray::{Array2, Axis};
use vi_core::Exec;
use vi_core::linalg::Cholesky;
use vi_models::gaussian_mixture::{GaussianMixture, GaussianMixturePriors};

use crate::support::{ascend, close, labels_by_first_column, standardised, table};

/// First five and last of `n` ELBOs, counts (K), and the mean of the first component that has data.
struct Expected<'a> {
    first: [f64; 5],
    last: f64,
    n: usize,
    counts: &'a [f64],
    mean: &'a [f64],
}

fn check(x: Array2<f64>, priors: GaussianMixturePriors, expected: &Expected<'_>) {
    let k = expected.counts.len();
    let labels = labels_by_first_column(&x, k);
    let model = GaussianMixture::new(x, k, priors).unwrap();
    let mut state = model.start_from_labels(&labels, Exec::local()).unwrap();
    let elbo = ascend(&model, &mut state, expected.n);
    close(&elbo[..5], &expected.first, 1e-9, "first ELBOs");
    assert!((elbo[expected.n - 1] - expected.last).abs() < 1e-6, "{elbo:?}");
    close(state.1.counts().as_slice().unwrap(), expected.counts, 1e-4, "counts");
    let mean = model.components(&state.0).mean;
    let first = expected.counts.iter().position(|n| *n > 1.0).unwrap();
    close(&mean.row(first).to_vec(), expected.mean, 1e-5, "mean");
}

/// Iris, with m₀ the mean of the data.
fn iris(concentration: f64) -> (Array2<f64>, GaussianMixturePriors) {
    let x = table(include_str!("iris.csv"), 0);
    // W₀ = (D Cov)⁻¹ with the divisor N − 1; given to 15 digits in the reference.
    let centred = &x - &x.mean_axis(Axis(0)).unwrap();
    let covariance = centred.t().dot(&centred) / 149.0;
    let scale = Cholesky::factor(&(covariance * 4.0)).unwrap().inverse();
    assert!((scale[[0, 0]] - 2.57867468738759).abs() < 1e-9, "{}", scale[[0, 0]]);
    let priors = GaussianMixturePriors {
        concentration,
        count: 0.1,
        mean: Some(x.mean_axis(Axis(0)).unwrap().to_vec()),
        scale: Some(scale.rows().into_iter().map(|row| row.to_vec()).collect()),
        ..GaussianMixturePriors::default()
    };
    (x, priors)
}

#[test]
fn iris_with_three_components() {
    let (x, priors) = iris(1.0);
    check(
        x,
        priors,
        &Expected {
            first: [
                -422.5512288329029,
                -401.0346911402033,
                -384.6178423061362,
                -377.67158813836414,
                -376.50381588390877,
            ],
            last: -360.1341175469232,
            n: 79,
            counts: &[50.00519923, 91.40099482, 8.593805958],
            mean: &[5.00770170438995, 3.42716331268392, 1.46682002124639, 0.248017768436952],
        },
    );
}

/// Seven of ten components are emptied: counts of 2e-54 in the reference.
#[test]
fn iris_with_ten_components() {
    let (x, priors) = iris(0.01);
    check(
        x,
        priors,
        &Expected {
            first: [
                -614.5993051537606,
                -590.3424277188649,
                -579.9105841564069,
                -569.2253673339407,
                -554.4865380232245,
            ],
            last: -368.2587209592097,
            n: 83,
            counts: &[0.0, 0.0, 50.00446958, 0.0, 0.0, 92.20549633, 0.0, 0.0, 7.79003409, 0.0],
            mean: &[5.00770452268837, 3.4271783232997, 1.46680838494387, 0.248010532932003],
        },
    );
}

#[test]
fn wine_with_three_components() {
    let x = standardised(&table(include_str!("wine.csv"), 0));
    let scale = (0..13).map(|i| (0..13).map(|j| if i == j { 1.0 / 13.0 } else { 0.0 }).collect()).collect();
    let priors = GaussianMixturePriors { scale: Some(scale), ..GaussianMixturePriors::default() };
    check(
        x,
        priors,
        &Expected {
            first: [
                -3054.7937982352205,
                -3016.7288455790103,
                -2992.0342250956814,
                -2970.813421385111,
                -2959.8045733441113,
            ],
            last: -2891.01435035479,
            n: 26,
            counts: &[65.58354085, 52.9126549, 59.50380425],
            mean: &[
                -0.926806478852269,
                -0.360729565399532,
                -0.425575575105718,
                0.277580908504782,
                -0.363782739854995,
                -0.0213143938724165,
                0.104166670571476,
                -0.0898672148378296,
                0.172077287834005,
                -0.873883320776997,
                0.450274451745183,
                0.337402835494244,
                -0.729053862050473,
            ],
        },
    );
}
